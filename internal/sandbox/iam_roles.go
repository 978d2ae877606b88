package sandbox

import (
	"maps"
	"time"
)

func roleOperations() operations {
	ops := operations{
		"CreateRole":             {append([]string{"RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary"}, tagParams...), createRole},
		"GetRole":                {[]string{"RoleName"}, getRole},
		"DeleteRole":             {[]string{"RoleName"}, deleteRole},
		"UpdateRole":             {[]string{"RoleName", "Description", "MaxSessionDuration"}, updateRole},
		"ListRoles":              {append([]string{"PathPrefix"}, pageParams...), listRoles},
		"UpdateAssumeRolePolicy": {[]string{"RoleName", "PolicyDocument"}, updateAssumeRolePolicy},
	}
	maps.Copy(ops, roleKind.operations())
	maps.Copy(ops, roleKind.limited())
	return ops
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

func with(m map[string][]string, key, value string) map[string][]string {
	out := map[string][]string{key: {value}}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// newRole makes a role that is in no account yet.
func (s *Server) newRole(account, name, path string, now time.Time) *role {
	return &role{entity: s.newEntity(roleKind, account, name, path, now), MaxSession: 3600}
}

// roleFor finds the role that a call names and asks whether the caller may do
// the operation with it.
func roleFor(c *call, p params) (*role, error) {
	e, err := roleKind.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	return c.iam().Roles[e.Name], nil
}

type roleResult struct{ Role roleXML }

func createRole(c *call, p params) (any, error) {
	if err := required(p, "RoleName", "AssumeRolePolicyDocument"); err != nil {
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
	w, err := roleKind.creation(c, p)
	if err != nil {
		return nil, err
	}
	trust, err := c.trustDocument(p.get("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, err
	}
	r := &role{entity: roleKind.create(c, w), Trust: trust, Description: description, MaxSession: seconds}
	c.iam().Roles[r.Name] = r
	return roleResult{c.server.roleAlone(r)}, nil
}

func getRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p)
	if err != nil {
		return nil, err
	}
	return roleResult{c.server.roleAlone(r)}, nil
}

func deleteRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p)
	if err != nil {
		return nil, err
	}
	a := c.iam()
	for _, v := range a.Profiles {
		if v.Role == r.Name {
			return nil, deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
	}
	if err := r.bare(); err != nil {
		return nil, err
	}
	delete(a.Roles, r.Name)
	return nil, nil
}

// updateRole sets the description where one is sent; without a duration the
// default one comes back (IAM API reference, UpdateRole).
func updateRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p)
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
	a := c.iam()
	return roleKind.list(c, p, func(e *entity) any { return c.server.roleListed(a.Roles[e.Name]) })
}

func updateAssumeRolePolicy(c *call, p params) (any, error) {
	if err := required(p, "PolicyDocument"); err != nil {
		return nil, err
	}
	r, err := roleFor(c, p)
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
