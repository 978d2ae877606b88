package sandbox

import (
	"strings"
)

func roleOperations() operations {
	return operations{
		"CreateRole":                    {append([]string{"RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary"}, tagParams...), createRole},
		"GetRole":                       {[]string{"RoleName"}, getRole},
		"DeleteRole":                    {[]string{"RoleName"}, deleteRole},
		"UpdateRole":                    {[]string{"RoleName", "Description", "MaxSessionDuration"}, updateRole},
		"ListRoles":                     {append([]string{"PathPrefix"}, pageParams...), listRoles},
		"UpdateAssumeRolePolicy":        {[]string{"RoleName", "PolicyDocument"}, updateAssumeRolePolicy},
		"PutRolePermissionsBoundary":    {[]string{"RoleName", "PermissionsBoundary"}, putRolePermissionsBoundary},
		"DeleteRolePermissionsBoundary": {[]string{"RoleName"}, deleteRolePermissionsBoundary},
		"TagRole":                       {append([]string{"RoleName"}, tagParams...), tagRole},
		"UntagRole":                     {[]string{"RoleName", "TagKeys.member.N"}, untagRole},
		"ListRoleTags":                  {append([]string{"RoleName"}, pageParams...), listRoleTags},
	}
}

// iam is the caller's account, which is the one that IAM calls are about.
func (c *call) iam() *account { return c.server.world.account(c.server, c.caller.Account) }

// allow asks for an IAM action on something with tags.
func (c *call) allow(action, arn string, tags []tag, extra map[string][]string) error {
	need := permission{action: "iam:" + action, resource: arn, context: map[string][]string{}}
	if account, _ := splitIAM(arn); account != "aws" {
		need.account = account
	}
	for _, t := range tags {
		need.context["aws:ResourceTag/"+t.Key] = []string{t.Value}
		need.context["iam:ResourceTag/"+t.Key] = []string{t.Value}
	}
	for k, v := range extra {
		need.context[k] = v
	}
	return c.authorize(need)
}

// roleFor finds the role that a call names and asks whether the caller may do
// the operation with it.
func roleFor(c *call, p params, extra map[string][]string) (*role, error) {
	name, err := p.name("RoleName", maxRoleName)
	if err != nil {
		return nil, err
	}
	r := c.iam().Roles[name]
	arn, tags := c.server.arn("iam", "", c.caller.Account, "role/"+name), []tag(nil)
	if r != nil {
		arn, tags = r.ARN, r.Tags
		if r.Boundary != "" && extra["iam:PermissionsBoundary"] == nil {
			extra = with(extra, "iam:PermissionsBoundary", r.Boundary)
		}
	}
	if err := c.allow(c.operation, arn, tags, extra); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, noSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, nil
}

func with(m map[string][]string, key, value string) map[string][]string {
	out := map[string][]string{key: {value}}
	for k, v := range m {
		out[k] = v
	}
	return out
}

type roleResult struct{ Role roleXML }

func createRole(c *call, p params) (any, error) {
	name, err := p.name("RoleName", maxRoleName)
	if err != nil {
		return nil, err
	}
	if err := required(p, "AssumeRolePolicyDocument"); err != nil {
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
	seconds, err := p.maxSessionDuration()
	if err != nil {
		return nil, err
	}
	tags, err := p.tags()
	if err != nil {
		return nil, err
	}
	boundary := p.get("PermissionsBoundary")
	asked := tagConditions(tags)
	if boundary != "" {
		asked = with(asked, "iam:PermissionsBoundary", boundary)
	}
	arn := c.server.arn("iam", "", c.caller.Account, "role"+path+name)
	if len(tags) > 0 { // tagging needs a permission of its own (IAM:id_tags_roles)
		if err := c.allow("TagRole", arn, nil, asked); err != nil {
			return nil, err
		}
	}
	if err := c.allow("CreateRole", arn, nil, asked); err != nil {
		return nil, err
	}
	for other := range c.iam().Roles {
		if strings.EqualFold(other, name) {
			return nil, alreadyExists("Role with name %s already exists.", name)
		}
	}
	trust, err := c.trustDocument(p.get("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, err
	}
	if err := c.boundaryExists(boundary); err != nil {
		return nil, err
	}
	if len(c.iam().Roles) >= maxRoles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	r := c.server.newRole(c.caller.Account, name, path, c.now)
	r.Trust, r.Description, r.MaxSession, r.Boundary, r.Tags = trust, description, seconds, boundary, tags
	c.iam().Roles[name] = r
	return roleResult{c.server.roleAlone(r)}, nil
}

// boundaryExists checks a boundary that is to be set; empty is none.
func (c *call) boundaryExists(arn string) error {
	if arn == "" {
		return nil
	}
	_, err := c.usablePolicy(arn, c.caller.Account, noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn))
	return err
}

func getRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	return roleResult{c.server.roleAlone(r)}, nil
}

func deleteRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	a := c.iam()
	for _, v := range a.Profiles {
		if v.Role == r.Name {
			return nil, deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
	}
	if len(r.Attached) > 0 {
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	if len(r.Inline) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	delete(a.Roles, r.Name)
	return nil, nil
}

// updateRole sets the description where one is sent; without a duration the
// default one comes back (IAM API reference, UpdateRole).
func updateRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	description, err := p.description()
	if err != nil {
		return nil, err
	}
	seconds, err := p.maxSessionDuration()
	if err != nil {
		return nil, err
	}
	if p.has("Description") {
		r.Description = description
	}
	r.MaxSession = seconds
	return struct{}{}, nil
}

func listRoles(c *call, p params) (any, error) {
	if err := c.allow(c.operation, c.server.arn("iam", "", c.caller.Account, "role"+prefixOf(p)), nil, nil); err != nil {
		return nil, err
	}
	a := c.iam()
	var list []*role
	for _, name := range sortedKeys(a.Roles) {
		if strings.HasPrefix(a.Roles[name].Path, prefixOf(p)) {
			list = append(list, a.Roles[name])
		}
	}
	list, more, marker, err := page(p, list, func(r *role) string { return r.Name })
	if err != nil {
		return nil, err
	}
	var out members[roleXML]
	for _, r := range list {
		out = append(out, c.server.roleListed(r))
	}
	return struct {
		Roles members[roleXML]
		paging
	}{out, paging{more, marker}}, nil
}

func prefixOf(p params) string {
	if v := p.get("PathPrefix"); v != "" {
		return v
	}
	return "/"
}

func updateAssumeRolePolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	trust, err := c.trustDocument(p.get("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	r.Trust = trust
	return nil, nil
}

func putRolePermissionsBoundary(c *call, p params) (any, error) {
	if err := required(p, "PermissionsBoundary"); err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, with(nil, "iam:PermissionsBoundary", p.get("PermissionsBoundary")))
	if err != nil {
		return nil, err
	}
	if err := c.boundaryExists(p.get("PermissionsBoundary")); err != nil {
		return nil, err
	}
	r.Boundary = p.get("PermissionsBoundary")
	return nil, nil
}

func deleteRolePermissionsBoundary(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if r.Boundary == "" {
		return nil, noSuchEntity("Role %s does not have a permissions boundary.", r.Name)
	}
	r.Boundary = ""
	return nil, nil
}

func tagRole(c *call, p params) (any, error) {
	tags, err := p.tags()
	if err != nil {
		return nil, err
	}
	r, err := roleFor(c, p, tagConditions(tags))
	if err != nil {
		return nil, err
	}
	r.Tags, err = withTags(r.Tags, tags)
	return nil, err
}

func untagRole(c *call, p params) (any, error) {
	keys := p.list("TagKeys.member", "")
	r, err := roleFor(c, p, requestKeys(keys))
	if err != nil {
		return nil, err
	}
	r.Tags = withoutTags(r.Tags, keys)
	return nil, nil
}

func requestKeys(keys []string) map[string][]string { return map[string][]string{"aws:TagKeys": keys} }

func listRoleTags(c *call, p params) (any, error) {
	r, err := roleFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	return listTags(p, r.Tags)
}

// listTags is the answer of all calls that list tags.
func listTags(p params, tags []tag) (any, error) {
	byKey := map[string]tag{}
	for _, t := range tags {
		byKey[t.Key] = t
	}
	var list []tag
	for _, k := range sortedKeys(byKey) {
		list = append(list, byKey[k])
	}
	list, more, marker, err := page(p, list, func(t tag) string { return t.Key })
	if err != nil {
		return nil, err
	}
	return struct {
		Tags members[tag]
		paging
	}{list, paging{more, marker}}, nil
}
