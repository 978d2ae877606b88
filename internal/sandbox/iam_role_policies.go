package sandbox

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

func rolePolicyOperations() operations {
	return operations{
		"PutRolePolicy":            {[]string{"RoleName", "PolicyName", "PolicyDocument"}, putRolePolicy},
		"GetRolePolicy":            {[]string{"RoleName", "PolicyName"}, getRolePolicy},
		"DeleteRolePolicy":         {[]string{"RoleName", "PolicyName"}, deleteRolePolicy},
		"ListRolePolicies":         {append([]string{"RoleName"}, pageParams...), listRolePolicies},
		"AttachRolePolicy":         {[]string{"RoleName", "PolicyArn"}, attachRolePolicy},
		"DetachRolePolicy":         {[]string{"RoleName", "PolicyArn"}, detachRolePolicy},
		"ListAttachedRolePolicies": {append([]string{"RoleName", "PathPrefix"}, pageParams...), listAttachedRolePolicies},
	}
}

// Quotas of one role (IAM:reference_iam-quotas).
const (
	maxInline   = 10240 // characters of all inline policies together
	maxAttached = 10
)

func putRolePolicy(c *call, p params) (any, error) {
	name, err := p.name("PolicyName", maxPolicyName)
	if err != nil {
		return nil, err
	}
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	text := p.get("PolicyDocument")
	if err := identityDocument(text); err != nil {
		return nil, err
	}
	size := iampolicy.Size([]byte(text))
	for other, t := range r.Inline {
		if other != name {
			size += iampolicy.Size([]byte(t))
		}
	}
	if size > maxInline {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInline, r.Name)
	}
	r.Inline[name] = text
	return nil, nil
}

func getRolePolicy(c *call, p params) (any, error) {
	name, err := p.name("PolicyName", maxPolicyName)
	if err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	text, ok := r.Inline[name]
	if !ok {
		return nil, noSuchEntity("The role policy with name %s cannot be found.", name)
	}
	return struct{ RoleName, PolicyName, PolicyDocument string }{r.Name, name, encoded(text)}, nil
}

func deleteRolePolicy(c *call, p params) (any, error) {
	name, err := p.name("PolicyName", maxPolicyName)
	if err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if _, ok := r.Inline[name]; !ok {
		return nil, noSuchEntity("The role policy with name %s cannot be found.", name)
	}
	delete(r.Inline, name)
	return nil, nil
}

func listRolePolicies(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	names, more, marker, err := page(p, sortedKeys(r.Inline), func(n string) string { return n })
	if err != nil {
		return nil, err
	}
	return struct {
		PolicyNames members[string]
		paging
	}{names, paging{more, marker}}, nil
}

// attachRolePolicy does nothing for a policy that is attached already.
func attachRolePolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyArn"); err != nil {
		return nil, err
	}
	arn := p.get("PolicyArn")
	r, err := roleFor(c, p, with(nil, "iam:PolicyARN", arn))
	if err != nil {
		return nil, err
	}
	if _, err := c.usablePolicy(arn, c.caller.Account, noSuchEntity("Policy %s does not exist or is not attachable.", arn)); err != nil {
		return nil, err
	}
	if slices.Contains(r.Attached, arn) {
		return nil, nil
	}
	if len(r.Attached) >= maxAttached {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
	}
	r.Attached = append(r.Attached, arn)
	return nil, nil
}

func detachRolePolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyArn"); err != nil {
		return nil, err
	}
	arn := p.get("PolicyArn")
	r, err := roleFor(c, p, with(nil, "iam:PolicyARN", arn))
	if err != nil {
		return nil, err
	}
	i := slices.Index(r.Attached, arn)
	if i < 0 {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	r.Attached = slices.Delete(r.Attached, i, i+1)
	return nil, nil
}

func listAttachedRolePolicies(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(attachedOf(r.Attached), func(v attachedXML) bool {
		return !strings.HasPrefix(policyPath(v.ARN), prefixOf(p))
	})
	list, more, marker, err := page(p, list, func(v attachedXML) string { return v.PolicyName + v.ARN })
	if err != nil {
		return nil, err
	}
	return struct {
		AttachedPolicies members[attachedXML]
		paging
	}{list, paging{more, marker}}, nil
}

// policyPath is the path in a policy's ARN.
func policyPath(arn string) string {
	_, resource := splitIAM(arn)
	rest := strings.TrimPrefix(resource, "policy")
	return rest[:strings.LastIndex(rest, "/")+1]
}
