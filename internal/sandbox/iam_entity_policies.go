package sandbox

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// maxAttached is how many managed policies a role, user or group may have
// (IAM:reference_iam-quotas).
const maxAttached = 10

func (k *entityKind) putPolicy(c *call, p params) (any, error) {
	name, err := p.name("PolicyName", maxPolicyName)
	if err != nil {
		return nil, err
	}
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	e, err := k.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	text := p.get("PolicyDocument")
	if err := identityDocument(text); err != nil {
		return nil, err
	}
	size := iampolicy.Size([]byte(text))
	for other, t := range e.Inline {
		if other != name {
			size += iampolicy.Size([]byte(t))
		}
	}
	if size > k.inline {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", k.inline, k.word(), e.Name)
	}
	e.Inline[name] = text
	return nil, nil
}

// inlineFor finds the entity and the inline policy that a call names.
func (k *entityKind) inlineFor(c *call, p params) (e *entity, name string, err error) {
	if name, err = p.name("PolicyName", maxPolicyName); err != nil {
		return nil, "", err
	}
	if e, err = k.find(c, p, nil); err != nil {
		return nil, "", err
	}
	if _, ok := e.Inline[name]; !ok {
		return nil, "", noSuchEntity("The %s policy with name %s cannot be found.", k.word(), name)
	}
	return e, name, nil
}

func (k *entityKind) getPolicy(c *call, p params) (any, error) {
	e, name, err := k.inlineFor(c, p)
	if err != nil {
		return nil, err
	}
	return struct {
		Of                         elementXML
		PolicyName, PolicyDocument string
	}{element(k.name+"Name", e.Name), name, encoded(e.Inline[name])}, nil
}

func (k *entityKind) deletePolicy(c *call, p params) (any, error) {
	e, name, err := k.inlineFor(c, p)
	if err != nil {
		return nil, err
	}
	delete(e.Inline, name)
	return nil, nil
}

func (k *entityKind) listPolicies(c *call, p params) (any, error) {
	e, err := k.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	return listOf(p, "PolicyNames", sortedKeys(e.Inline), itself, itself)
}

func itself(name string) string { return name }

// attachPolicy does nothing for a policy that is attached already.
func (k *entityKind) attachPolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyArn"); err != nil {
		return nil, err
	}
	arn := p.get("PolicyArn")
	e, err := k.find(c, p, with(nil, "iam:PolicyARN", arn))
	if err != nil {
		return nil, err
	}
	if _, err := c.usablePolicy(arn, c.caller.Account, noSuchEntity("Policy %s does not exist or is not attachable.", arn)); err != nil {
		return nil, err
	}
	if e.has(arn) {
		return nil, nil
	}
	if len(e.Attached) >= maxAttached {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", k.name, maxAttached)
	}
	e.Attached = append(e.Attached, arn)
	return nil, nil
}

func (k *entityKind) detachPolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyArn"); err != nil {
		return nil, err
	}
	arn := p.get("PolicyArn")
	e, err := k.find(c, p, with(nil, "iam:PolicyARN", arn))
	if err != nil {
		return nil, err
	}
	i := slices.Index(e.Attached, arn)
	if i < 0 {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	e.Attached = slices.Delete(e.Attached, i, i+1)
	return nil, nil
}

func (k *entityKind) listAttachedPolicies(c *call, p params) (any, error) {
	e, err := k.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(attachedOf(e.Attached), func(v attachedXML) bool {
		return !strings.HasPrefix(policyPath(v.ARN), prefixOf(p))
	})
	return listOf(p, "AttachedPolicies", list, func(v attachedXML) string { return v.PolicyName + v.ARN }, func(v attachedXML) attachedXML { return v })
}

// policyPath is the path in a policy's ARN.
func policyPath(arn string) string {
	_, resource := splitIAM(arn)
	rest := strings.TrimPrefix(resource, "policy")
	return rest[:strings.LastIndex(rest, "/")+1]
}
