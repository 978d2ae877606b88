package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

func policyOperations() operations {
	ops := operations{
		"CreatePolicy":            {append([]string{"PolicyName", "Path", "PolicyDocument", "Description"}, tagParams...), createPolicy},
		"GetPolicy":               {[]string{"PolicyArn"}, getPolicy},
		"DeletePolicy":            {[]string{"PolicyArn"}, deletePolicy},
		"ListPolicies":            {append([]string{"Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter"}, pageParams...), listPolicies},
		"CreatePolicyVersion":     {[]string{"PolicyArn", "PolicyDocument", "SetAsDefault"}, createPolicyVersion},
		"GetPolicyVersion":        {[]string{"PolicyArn", "VersionId"}, getPolicyVersion},
		"ListPolicyVersions":      {append([]string{"PolicyArn"}, pageParams...), listPolicyVersions},
		"SetDefaultPolicyVersion": {[]string{"PolicyArn", "VersionId"}, setDefaultPolicyVersion},
		"DeletePolicyVersion":     {[]string{"PolicyArn", "VersionId"}, deletePolicyVersion},
		"ListEntitiesForPolicy":   {append([]string{"PolicyArn", "EntityFilter", "PathPrefix", "PolicyUsageFilter"}, pageParams...), listEntitiesForPolicy},
	}
	maps.Copy(ops, taggingOf("Policy", "PolicyArn", func(c *call, p params, extra map[string][]string) (*[]tag, error) {
		v, err := policyFor(c, p, extra)
		if err != nil {
			return nil, err
		}
		return &v.Tags, nil
	}))
	return ops
}

// Quotas of one managed policy (IAM:reference_iam-quotas).
const (
	maxPolicySize = 6144
	maxVersions   = 5
)

// policyFor finds the policy that a call names and asks whether the caller may
// do the operation with it. AWS's own policies can be read only.
func policyFor(c *call, p params, extra map[string][]string) (*policy, error) {
	if err := required(p, "PolicyArn"); err != nil {
		return nil, err
	}
	arn := p.get("PolicyArn")
	account, resource := splitIAM(arn)
	if account == "" || !strings.HasPrefix(resource, "policy/") {
		return nil, fault(http.StatusBadRequest, "InvalidInput", "ARN %s is not valid.", arn)
	}
	v := c.server.findPolicy(arn)
	var tags []tag
	if v != nil {
		tags = v.Tags
	}
	if err := c.allow(c.operation, arn, tags, extra); err != nil {
		return nil, err
	}
	if account == "aws" && !readsOnly(c.operation) {
		return nil, accessDenied(denial{user: c.caller.ARN, action: "iam:" + c.operation, resource: "policy " + arn})
	}
	if v == nil {
		return c.usablePolicy(arn, account, noSuchEntity("Policy %s was not found.", arn))
	}
	return v, nil
}

// policyDocument checks a managed policy's text.
func policyDocument(text string) error {
	if err := identityDocument(text); err != nil {
		return err
	}
	if n := iampolicy.Size([]byte(text)); n > maxPolicySize {
		return limitExceeded("Cannot exceed quota for PolicySize: %d", maxPolicySize)
	}
	return nil
}

type policyResult struct{ Policy policyXML }

func createPolicy(c *call, p params) (any, error) {
	name, err := p.name("PolicyName", maxPolicyName)
	if err != nil {
		return nil, err
	}
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	description, err := p.description()
	if err != nil {
		return nil, err
	}
	tags, err := p.tags()
	if err != nil {
		return nil, err
	}
	arn := c.server.arn("iam", "", c.caller.Account, "policy"+path+name)
	if len(tags) > 0 {
		if err := c.allow("TagPolicy", arn, nil, tagConditions(tags)); err != nil {
			return nil, err
		}
	}
	if err := c.allow("CreatePolicy", arn, nil, tagConditions(tags)); err != nil {
		return nil, err
	}
	for other := range c.iam().Policies {
		if strings.EqualFold(other, name) {
			return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	if len(c.iam().Policies) >= maxPolicies {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	text := p.get("PolicyDocument")
	if err := policyDocument(text); err != nil {
		return nil, err
	}
	v := c.server.newPolicy(c.caller.Account, name, path, c.now)
	v.Description, v.Tags = description, tags
	v.addVersion(text, true, c.now)
	c.iam().Policies[name] = v
	out := policyListed(v, uses{})
	out.Tags = tags
	return policyResult{out}, nil
}

func getPolicy(c *call, p params) (any, error) {
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	return policyResult{policyAlone(v, c.server.uses(c.caller.Account)[v.ARN])}, nil
}

func deletePolicy(c *call, p params) (any, error) {
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if c.server.uses(c.caller.Account)[v.ARN] != (uses{}) {
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	}
	if len(v.Versions) > 1 {
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(c.iam().Policies, v.Name)
	return nil, nil
}

func listPolicies(c *call, p params) (any, error) {
	if err := c.allow(c.operation, c.server.arn("iam", "", c.caller.Account, "policy"+prefixOf(p)), nil, nil); err != nil {
		return nil, err
	}
	scope, usage := p.get("Scope"), p.get("PolicyUsageFilter")
	if !slices.Contains([]string{"", "All", "AWS", "Local"}, scope) {
		return nil, constraint(scope, "scope", "Member must satisfy enum value set: [All, Local, AWS]")
	}
	if !slices.Contains([]string{"", "PermissionsPolicy", "PermissionsBoundary"}, usage) {
		return nil, constraint(usage, "policyUsageFilter", "Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]")
	}
	a := c.iam()
	var list []*policy
	if scope != "AWS" {
		for _, name := range sortedKeys(a.Policies) {
			list = append(list, a.Policies[name])
		}
	}
	if scope != "Local" {
		for _, name := range sortedKeys(builtInPolicies) {
			list = append(list, c.server.builtIn(c.server.arn("iam", "", "aws", "policy/"+name)))
		}
	}
	used := c.server.uses(a.ID)
	list = slices.DeleteFunc(list, func(v *policy) bool {
		n := used[v.ARN]
		return !strings.HasPrefix(v.Path, prefixOf(p)) ||
			p.get("OnlyAttached") == "true" && n == (uses{}) ||
			usage == "PermissionsPolicy" && n.attached == 0 || usage == "PermissionsBoundary" && n.boundaries == 0
	})
	slices.SortFunc(list, func(a, b *policy) int { return strings.Compare(a.ARN, b.ARN) })
	return listOf(p, "Policies", list, func(v *policy) string { return v.ARN }, func(v *policy) policyXML { return policyListed(v, used[v.ARN]) })
}

type versionResult struct{ PolicyVersion versionXML }

func createPolicyVersion(c *call, p params) (any, error) {
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if err := policyDocument(p.get("PolicyDocument")); err != nil {
		return nil, err
	}
	if len(v.Versions) >= maxVersions {
		return nil, limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	made := v.addVersion(p.get("PolicyDocument"), p.get("SetAsDefault") == "true", c.now)
	return versionResult{versionOf(v, made, false)}, nil
}

// versionFor finds the policy and the version that a call names.
func versionFor(c *call, p params) (*policy, *version, error) {
	if err := required(p, "VersionId"); err != nil {
		return nil, nil, err
	}
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range v.Versions {
		if w.ID == p.get("VersionId") {
			return v, w, nil
		}
	}
	return nil, nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", v.ARN, p.get("VersionId"))
}

func getPolicyVersion(c *call, p params) (any, error) {
	v, w, err := versionFor(c, p)
	if err != nil {
		return nil, err
	}
	return versionResult{versionOf(v, w, true)}, nil
}

// listPolicyVersions lists the newest first.
func listPolicyVersions(c *call, p params) (any, error) {
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(v.Versions)
	slices.Reverse(list)
	// Newest first, so that the paging key grows downwards.
	return listOf(p, "Versions", list, func(w *version) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(w.ID, "v")) // made by addVersion
		return strconv.Itoa(1_000_000_000 - n)
	}, func(w *version) versionXML { return versionOf(v, w, false) })
}

func setDefaultPolicyVersion(c *call, p params) (any, error) {
	v, w, err := versionFor(c, p)
	if err != nil {
		return nil, err
	}
	v.Default, v.Updated = w.ID, timestamp{c.now}
	return nil, nil
}

func deletePolicyVersion(c *call, p params) (any, error) {
	v, w, err := versionFor(c, p)
	if err != nil {
		return nil, err
	}
	if w.ID == v.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.")
	}
	v.Versions = slices.DeleteFunc(v.Versions, func(x *version) bool { return x == w })
	v.Updated = timestamp{c.now}
	return nil, nil
}

func listEntitiesForPolicy(c *call, p params) (any, error) {
	v, err := policyFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	filter, usage := p.get("EntityFilter"), p.get("PolicyUsageFilter")
	if !slices.Contains([]string{"", "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}, filter) {
		return nil, constraint(filter, "entityFilter", "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]")
	}
	if !slices.Contains([]string{"", "PermissionsPolicy", "PermissionsBoundary"}, usage) {
		return nil, constraint(usage, "policyUsageFilter", "Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]")
	}
	var list []kindred
	for _, e := range c.server.entitiesOf(c.iam()) {
		attached := usage != "PermissionsBoundary" && e.has(v.ARN)
		bounded := usage != "PermissionsPolicy" && e.Boundary == v.ARN
		if (filter == "" || filter == e.kind.name) && (attached || bounded) && strings.HasPrefix(e.Path, prefixOf(p)) {
			list = append(list, e)
		}
	}
	list, more, marker, err := page(p, list, func(e kindred) string {
		return strconv.Itoa(slices.Index(entityKinds, e.kind)) + e.Name
	})
	if err != nil {
		return nil, err
	}
	out := struct {
		PolicyGroups members[usedByXML]
		PolicyUsers  members[usedByXML]
		PolicyRoles  members[usedByXML]
		paging
	}{paging: paging{more, marker}}
	for _, e := range list {
		v := usedByXML{element(e.kind.name+"Name", e.Name), element(e.kind.name+"Id", e.ID)}
		switch e.kind {
		case groupKind:
			out.PolicyGroups = append(out.PolicyGroups, v)
		case userKind:
			out.PolicyUsers = append(out.PolicyUsers, v)
		default:
			out.PolicyRoles = append(out.PolicyRoles, v)
		}
	}
	return out, nil
}
