package sandbox

import (
	"maps"
	"strings"
)

func profileOperations() operations {
	ops := operations{
		"CreateInstanceProfile":         {append([]string{"InstanceProfileName", "Path"}, tagParams...), createInstanceProfile},
		"GetInstanceProfile":            {[]string{"InstanceProfileName"}, getInstanceProfile},
		"DeleteInstanceProfile":         {[]string{"InstanceProfileName"}, deleteInstanceProfile},
		"AddRoleToInstanceProfile":      {[]string{"InstanceProfileName", "RoleName"}, addRoleToInstanceProfile},
		"RemoveRoleFromInstanceProfile": {[]string{"InstanceProfileName", "RoleName"}, removeRoleFromInstanceProfile},
		"ListInstanceProfiles":          {append([]string{"PathPrefix"}, pageParams...), listInstanceProfiles},
		"ListInstanceProfilesForRole":   {append([]string{"RoleName"}, pageParams...), listInstanceProfilesForRole},
	}
	maps.Copy(ops, taggingOf("InstanceProfile", "InstanceProfileName", func(c *call, p params, extra map[string][]string) (*[]tag, error) {
		v, err := profileFor(c, p, extra)
		if err != nil {
			return nil, err
		}
		return &v.Tags, nil
	}))
	return ops
}

// profileFor finds the instance profile that a call names and asks whether the
// caller may do the operation with it.
func profileFor(c *call, p params, extra map[string][]string) (*profile, error) {
	name, err := p.name("InstanceProfileName", maxProfileName)
	if err != nil {
		return nil, err
	}
	v := c.iam().Profiles[name]
	arn, tags := c.server.arn("iam", "", c.caller.Account, "instance-profile/"+name), []tag(nil)
	if v != nil {
		arn, tags = v.ARN, v.Tags
	}
	if err := c.allow(c.operation, arn, tags, extra); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return v, nil
}

type profileResult struct{ InstanceProfile profileXML }

func createInstanceProfile(c *call, p params) (any, error) {
	name, err := p.name("InstanceProfileName", maxProfileName)
	if err != nil {
		return nil, err
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	tags, err := p.tags()
	if err != nil {
		return nil, err
	}
	arn := c.server.arn("iam", "", c.caller.Account, "instance-profile"+path+name)
	if len(tags) > 0 {
		if err := c.allow("TagInstanceProfile", arn, nil, tagConditions(tags)); err != nil {
			return nil, err
		}
	}
	if err := c.allow("CreateInstanceProfile", arn, nil, tagConditions(tags)); err != nil {
		return nil, err
	}
	for other := range c.iam().Profiles {
		if strings.EqualFold(other, name) {
			return nil, alreadyExists("Instance Profile %s already exists.", name)
		}
	}
	if len(c.iam().Profiles) >= maxProfiles {
		return nil, limitExceeded("Cannot exceed quota for InstanceProfilesPerAccount: %d", maxProfiles)
	}
	v := c.server.newProfile(c.caller.Account, name, path, c.now)
	v.Tags = tags
	c.iam().Profiles[name] = v
	return profileResult{c.server.profileAlone(v)}, nil
}

func getInstanceProfile(c *call, p params) (any, error) {
	v, err := profileFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	return profileResult{c.server.profileAlone(v)}, nil
}

func deleteInstanceProfile(c *call, p params) (any, error) {
	v, err := profileFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if v.Role != "" {
		return nil, deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
	}
	delete(c.iam().Profiles, v.Name)
	return nil, nil
}

// addRoleToInstanceProfile also needs iam:PassRole on the role (IAM API
// reference, AddRoleToInstanceProfile). A profile holds one role.
func addRoleToInstanceProfile(c *call, p params) (any, error) {
	roleName, err := p.name("RoleName", roleKind.longest)
	if err != nil {
		return nil, err
	}
	v, err := profileFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	r := c.iam().Roles[roleName]
	if r == nil {
		return nil, noSuchEntity("The role with name %s cannot be found.", roleName)
	}
	if err := c.passRole(r); err != nil {
		return nil, err
	}
	if v.Role != "" {
		return nil, limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	v.Role = r.Name
	return nil, nil
}

// passRole asks whether the caller may give a role to EC2.
func (c *call) passRole(r *role) error {
	return c.authorize(permission{action: "iam:PassRole", resource: r.ARN, account: r.Account, context: map[string][]string{
		"iam:PassedToService": {c.server.ec2Principal()},
	}})
}

func removeRoleFromInstanceProfile(c *call, p params) (any, error) {
	roleName, err := p.name("RoleName", roleKind.longest)
	if err != nil {
		return nil, err
	}
	v, err := profileFor(c, p, nil)
	if err != nil {
		return nil, err
	}
	if v.Role != roleName {
		return nil, noSuchEntity("The role with name %s cannot be found.", roleName)
	}
	v.Role = ""
	return nil, nil
}

func listInstanceProfiles(c *call, p params) (any, error) {
	if err := c.allow(c.operation, c.server.arn("iam", "", c.caller.Account, "instance-profile"+prefixOf(p)), nil, nil); err != nil {
		return nil, err
	}
	return c.listProfiles(p, func(v *profile) bool { return strings.HasPrefix(v.Path, prefixOf(p)) })
}

func listInstanceProfilesForRole(c *call, p params) (any, error) {
	r, err := roleFor(c, p)
	if err != nil {
		return nil, err
	}
	return c.listProfiles(p, func(v *profile) bool { return v.Role == r.Name })
}

func (c *call) listProfiles(p params, wanted func(*profile) bool) (any, error) {
	a := c.iam()
	var list []*profile
	for _, name := range sortedKeys(a.Profiles) {
		if wanted(a.Profiles[name]) {
			list = append(list, a.Profiles[name])
		}
	}
	return listOf(p, "InstanceProfiles", list, func(v *profile) string { return v.Name }, c.server.profileListed)
}
