package sandbox

import (
	"maps"
	"slices"
)

// group is an IAM group: what its policies allow, its users are allowed.
type group struct{ entity }

func groupOperations() operations {
	ops := operations{
		"CreateGroup":         {[]string{"GroupName", "Path"}, createGroup},
		"GetGroup":            {append([]string{"GroupName"}, pageParams...), getGroup},
		"DeleteGroup":         {[]string{"GroupName"}, deleteGroup},
		"ListGroups":          {append([]string{"PathPrefix"}, pageParams...), listGroups},
		"AddUserToGroup":      {[]string{"GroupName", "UserName"}, addUserToGroup},
		"RemoveUserFromGroup": {[]string{"GroupName", "UserName"}, removeUserFromGroup},
		"ListGroupsForUser":   {append([]string{"UserName"}, pageParams...), listGroupsForUser},
	}
	maps.Copy(ops, groupKind.operations())
	return ops
}

// maxGroups is how many groups a user may be in (IAM:reference_iam-quotas).
const maxGroups = 10

type iamGroupXML struct {
	Path       string
	GroupName  string
	GroupID    string `xml:"GroupId"`
	ARN        string `xml:"Arn"`
	CreateDate timestamp
}

func groupShown(e *entity) iamGroupXML {
	return iamGroupXML{e.Path, e.Name, e.ID, e.ARN, timestamp{e.Created}}
}

func createGroup(c *call, p params) (any, error) {
	w, err := groupKind.creation(c, p)
	if err != nil {
		return nil, err
	}
	g := &group{groupKind.create(c, w)}
	c.iam().Groups[g.Name] = g
	return struct{ Group iamGroupXML }{groupShown(&g.entity)}, nil
}

// membersOf are the names of a group's users, sorted.
func (a *account) membersOf(group string) (names []string) {
	for _, name := range sortedKeys(a.Users) {
		if slices.Contains(a.Users[name].Groups, group) {
			names = append(names, name)
		}
	}
	return names
}

// getGroup lists a group's users, in pages.
func getGroup(c *call, p params) (any, error) {
	e, err := groupKind.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	a := c.iam()
	names, more, marker, err := page(p, a.membersOf(e.Name), itself)
	if err != nil {
		return nil, err
	}
	out := struct {
		Group iamGroupXML
		Users members[any]
		paging
	}{Group: groupShown(e), paging: paging{more, marker}}
	for _, name := range names {
		out.Users = append(out.Users, userListed(&a.Users[name].entity))
	}
	return out, nil
}

func deleteGroup(c *call, p params) (any, error) {
	e, err := groupKind.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	a := c.iam()
	if len(a.membersOf(e.Name)) > 0 {
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	if err := e.bare(); err != nil {
		return nil, err
	}
	delete(a.Groups, e.Name)
	return nil, nil
}

func listGroups(c *call, p params) (any, error) {
	return groupKind.list(c, p, func(e *entity) any { return groupShown(e) })
}

// membership finds the group and the user of a call. The permission that it
// takes is on the group.
func membership(c *call, p params) (*entity, *user, error) {
	name, err := p.name("UserName", userKind.longest)
	if err != nil {
		return nil, nil, err
	}
	g, err := groupKind.find(c, p, nil)
	if err != nil {
		return nil, nil, err
	}
	u := c.server.user(c.iam(), name)
	if u == nil {
		return nil, nil, userKind.missing(c, nil, name)
	}
	return g, u, userKind.missing(c, &u.entity, name)
}

// addUserToGroup does nothing for a user who is in it already.
func addUserToGroup(c *call, p params) (any, error) {
	g, u, err := membership(c, p)
	if err != nil {
		return nil, err
	}
	if slices.Contains(u.Groups, g.Name) {
		return nil, nil
	}
	if len(u.Groups) >= maxGroups {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroups)
	}
	u.Groups = append(u.Groups, g.Name)
	return nil, nil
}

func removeUserFromGroup(c *call, p params) (any, error) {
	g, u, err := membership(c, p)
	if err != nil {
		return nil, err
	}
	i := slices.Index(u.Groups, g.Name)
	if i < 0 {
		return nil, noSuchEntity("The user with name %s is not in the group %s.", u.Name, g.Name)
	}
	u.Groups = slices.Delete(u.Groups, i, i+1)
	return nil, nil
}

func listGroupsForUser(c *call, p params) (any, error) {
	u, err := userFor(c, p, false)
	if err != nil {
		return nil, err
	}
	a := c.iam()
	return listOf(p, "Groups", slices.Sorted(slices.Values(u.Groups)), itself, func(name string) iamGroupXML { return groupShown(&a.Groups[name].entity) })
}
