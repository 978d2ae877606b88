package sandbox

import "maps"

// user is an IAM user.
type user struct {
	entity
	Groups []string // their names, in the order of joining
}

func userOperations() operations {
	ops := operations{
		"CreateUser": {append([]string{"UserName", "Path", "PermissionsBoundary"}, tagParams...), createUser},
		"GetUser":    {[]string{"UserName"}, getUser},
		"DeleteUser": {[]string{"UserName"}, deleteUser},
		"ListUsers":  {append([]string{"PathPrefix"}, pageParams...), listUsers},

		"CreateAccessKey": {[]string{"UserName"}, createAccessKey},
		"ListAccessKeys":  {append([]string{"UserName"}, pageParams...), listAccessKeys},
		"DeleteAccessKey": {[]string{"UserName", "AccessKeyId"}, deleteAccessKey},
	}
	maps.Copy(ops, userKind.operations())
	maps.Copy(ops, userKind.limited())
	return ops
}

const adminName = "admin"

// admin is the user that each account has from the start, its administrator. It
// is not kept: it never changes.
func (s *Server) admin(a *account) *user {
	return &user{entity: entity{
		newness: newness{Created: builtInTime}, Account: a.ID, Name: adminName, Path: "/", ID: a.AdminID, ARN: s.adminARN(a.ID),
		Attached: []string{s.administratorAccess()},
	}}
}

// user is an account's by its name, or nil.
func (s *Server) user(a *account, name string) *user {
	if name == adminName {
		return s.admin(a)
	}
	return a.Users[name]
}

// users are an account's by name, the administrator among them.
func (s *Server) users(a *account) map[string]*user {
	out := map[string]*user{adminName: s.admin(a)}
	maps.Copy(out, a.Users)
	return out
}

// userFor finds the user that a call names and asks whether the caller may do
// the operation with it. Where self is true, a call without a name is about its
// caller, who must then be a user.
func userFor(c *call, p params, self bool) (*user, error) {
	if self && !p.has("UserName") {
		if c.caller.user == nil {
			return nil, validation("Must specify userName when calling with non-User credentials")
		}
		p = maps.Clone(p)
		p["UserName"] = []string{c.caller.user.Name}
	}
	e, err := userKind.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	return c.server.user(c.iam(), e.Name), nil
}

type userXML struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	ARN                 string `xml:"Arn"`
	CreateDate          timestamp
	PermissionsBoundary *boundaryXML `xml:",omitempty"`
	Tags                members[tag] `xml:",omitempty"`
}

type userResult struct{ User userXML }

// userListed is a user as lists have it, without boundary and tags (IAM API
// reference, ListUsers).
func userListed(e *entity) any {
	return userXML{Path: e.Path, UserName: e.Name, UserID: e.ID, ARN: e.ARN, CreateDate: timestamp{e.Created}}
}

func userAlone(u *user) userResult {
	return userResult{userXML{u.Path, u.Name, u.ID, u.ARN, timestamp{u.Created}, boundaryOf(u.Boundary), u.Tags}}
}

func createUser(c *call, p params) (any, error) {
	w, err := userKind.creation(c, p)
	if err != nil {
		return nil, err
	}
	u := &user{entity: userKind.create(c, w)}
	c.iam().Users[u.Name] = u
	return userAlone(u), nil
}

func getUser(c *call, p params) (any, error) {
	u, err := userFor(c, p, true)
	if err != nil {
		return nil, err
	}
	return userAlone(u), nil
}

func deleteUser(c *call, p params) (any, error) {
	u, err := userFor(c, p, false)
	if err != nil {
		return nil, err
	}
	if len(u.Groups) > 0 {
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	if err := u.bare(); err != nil {
		return nil, err
	}
	if len(c.accessKeys(u)) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.")
	}
	delete(c.iam().Users, u.Name)
	return nil, nil
}

func listUsers(c *call, p params) (any, error) { return userKind.list(c, p, userListed) }

// accessKey lets calls be made as a user. Its secret is worthless elsewhere.
type accessKey struct {
	ID, Secret    string
	Account, User string // the user's name
	Created       timestamp
}

// maxAccessKeys is how many a user may have (IAM:reference_iam-quotas).
const maxAccessKeys = 2

// accessKeys are a user's, by id.
func (c *call) accessKeys(u *user) map[string]*accessKey {
	out := map[string]*accessKey{}
	for id, k := range c.server.world.AccessKeys {
		if k.Account == u.Account && k.User == u.Name {
			out[id] = k
		}
	}
	return out
}

type accessKeyXML struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      timestamp
}

func (k *accessKey) shown() accessKeyXML {
	return accessKeyXML{UserName: k.User, AccessKeyID: k.ID, Status: "Active", CreateDate: k.Created}
}

func createAccessKey(c *call, p params) (any, error) {
	u, err := userFor(c, p, true)
	if err != nil {
		return nil, err
	}
	if len(c.accessKeys(u)) >= maxAccessKeys {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
	}
	k := &accessKey{Account: u.Account, User: u.Name, Created: timestamp{c.now}}
	k.ID, k.Secret = c.server.longTermKey(u.Account, u.Name)
	c.server.world.AccessKeys[k.ID] = k
	out := k.shown()
	out.SecretAccessKey = k.Secret
	return struct{ AccessKey accessKeyXML }{out}, nil
}

func listAccessKeys(c *call, p params) (any, error) {
	u, err := userFor(c, p, true)
	if err != nil {
		return nil, err
	}
	keys := c.accessKeys(u)
	return listOf(p, "AccessKeyMetadata", sortedKeys(keys), itself, func(id string) accessKeyXML { return keys[id].shown() })
}

func deleteAccessKey(c *call, p params) (any, error) {
	if err := required(p, "AccessKeyId"); err != nil {
		return nil, err
	}
	u, err := userFor(c, p, true)
	if err != nil {
		return nil, err
	}
	id := p.get("AccessKeyId")
	if c.accessKeys(u)[id] == nil {
		return nil, noSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	delete(c.server.world.AccessKeys, id)
	return nil, nil
}
