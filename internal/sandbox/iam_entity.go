package sandbox

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// entity is what roles, users and groups are alike: who they are, and what they
// may do. It is embedded, so that the state file has its members as theirs.
type entity struct {
	newness
	Account, Name, Path, ID, ARN string
	Boundary                     string            // ARN of a managed policy; groups have none
	Inline                       map[string]string // name -> text as it was put
	Attached                     []string          // ARNs, in the order of attachment
	Tags                         []tag             // groups have none
}

// entityKind is one of the three: what they have to themselves of what they do
// alike.
type entityKind struct {
	name    string // as in operations and parameters: "Role"
	prefix  string // of unique ids
	longest int    // characters of a name
	quota   int    // how many an account may have
	inline  int    // characters of all inline policies of one together
	// get is an account's by its name, nil for none; all are all of an account's.
	get func(s *Server, a *account, name string) *entity
	all func(s *Server, a *account) map[string]*entity
}

// The kinds, with their quotas (IAM:reference_iam-quotas).
var (
	roleKind = &entityKind{
		name: "Role", prefix: "AROA", longest: 64, quota: 1000, inline: 10240,
		get: func(_ *Server, a *account, name string) *entity {
			if r := a.Roles[name]; r != nil {
				return &r.entity
			}
			return nil
		},
		all: func(_ *Server, a *account) map[string]*entity {
			return entities(a.Roles, func(r *role) *entity { return &r.entity })
		},
	}
	userKind = &entityKind{
		name: "User", prefix: "AIDA", longest: 64, quota: 5000, inline: 2048,
		get: func(s *Server, a *account, name string) *entity {
			if u := s.user(a, name); u != nil {
				return &u.entity
			}
			return nil
		},
		all: func(s *Server, a *account) map[string]*entity {
			return entities(s.users(a), func(u *user) *entity { return &u.entity })
		},
	}
	groupKind = &entityKind{
		name: "Group", prefix: "AGPA", longest: 128, quota: 300, inline: 5120,
		get: func(_ *Server, a *account, name string) *entity {
			if g := a.Groups[name]; g != nil {
				return &g.entity
			}
			return nil
		},
		all: func(_ *Server, a *account) map[string]*entity {
			return entities(a.Groups, func(g *group) *entity { return &g.entity })
		},
	}
	entityKinds = []*entityKind{userKind, groupKind, roleKind} // in the order of lists
)

func entities[T any](of map[string]T, entityOf func(T) *entity) map[string]*entity {
	out := make(map[string]*entity, len(of))
	for name, v := range of {
		out[name] = entityOf(v)
	}
	return out
}

// word is the kind in a sentence or in an ARN.
func (k *entityKind) word() string { return strings.ToLower(k.name) }

func (k *entityKind) arn(s *Server, account, path, name string) string {
	return s.arn("iam", "", account, k.word()+path+name)
}

// operations are those that all of the kinds have.
func (k *entityKind) operations() operations {
	name := k.name + "Name"
	return operations{
		"Put" + k.name + "Policy":            {[]string{name, "PolicyName", "PolicyDocument"}, k.putPolicy},
		"Get" + k.name + "Policy":            {[]string{name, "PolicyName"}, k.getPolicy},
		"Delete" + k.name + "Policy":         {[]string{name, "PolicyName"}, k.deletePolicy},
		"List" + k.name + "Policies":         {append([]string{name}, pageParams...), k.listPolicies},
		"Attach" + k.name + "Policy":         {[]string{name, "PolicyArn"}, k.attachPolicy},
		"Detach" + k.name + "Policy":         {[]string{name, "PolicyArn"}, k.detachPolicy},
		"ListAttached" + k.name + "Policies": {append([]string{name, "PathPrefix"}, pageParams...), k.listAttachedPolicies},
	}
}

// limited are those of roles and users: boundaries and tags.
func (k *entityKind) limited() operations {
	name := k.name + "Name"
	ops := operations{
		"Put" + k.name + "PermissionsBoundary":    {[]string{name, "PermissionsBoundary"}, k.putBoundary},
		"Delete" + k.name + "PermissionsBoundary": {[]string{name}, k.deleteBoundary},
	}
	maps.Copy(ops, taggingOf(k.name, name, func(c *call, p params, extra map[string][]string) (*[]tag, error) {
		e, err := k.find(c, p, extra)
		if err != nil {
			return nil, err
		}
		return &e.Tags, nil
	}))
	return ops
}

// find finds the one that a call names and asks whether the caller may do the
// operation with it.
func (k *entityKind) find(c *call, p params, extra map[string][]string) (*entity, error) {
	name, err := p.name(k.name+"Name", k.longest)
	if err != nil {
		return nil, err
	}
	e := k.get(c.server, c.iam(), name)
	arn, tags := k.arn(c.server, c.caller.Account, "/", name), []tag(nil)
	if e != nil {
		arn, tags = e.ARN, e.Tags
		if e.Boundary != "" && extra["iam:PermissionsBoundary"] == nil {
			extra = with(extra, "iam:PermissionsBoundary", e.Boundary)
		}
	}
	if err := c.allow(c.operation, arn, tags, extra); err != nil {
		return nil, err
	}
	return e, k.missing(c, e, name)
}

// missing refuses one that is not there, and changes of the one user whom the
// state does not hold.
func (k *entityKind) missing(c *call, e *entity, name string) error {
	switch {
	case e == nil:
		return noSuchEntity("The %s with name %s cannot be found.", k.word(), name)
	case k == userKind && name == adminName && !readsOnly(c.operation):
		return notImplemented("changes of the user %s, who is each account's administrator: make a user of another name", adminName)
	}
	return nil
}

// creation is what an entity is to be created with.
type creation struct {
	name, path, boundary string
	tags                 []tag
}

// creation reads it, asks for the permissions that it takes, and refuses a name
// that is taken. Names are told apart without case.
func (k *entityKind) creation(c *call, p params) (w creation, err error) {
	if w.name, err = p.name(k.name+"Name", k.longest); err != nil {
		return w, err
	}
	if w.path, err = p.path(); err != nil {
		return w, err
	}
	if w.tags, err = p.tags(); err != nil {
		return w, err
	}
	w.boundary = p.get("PermissionsBoundary")
	asked := tagConditions(w.tags)
	if w.boundary != "" {
		asked = with(asked, "iam:PermissionsBoundary", w.boundary)
	}
	arn := k.arn(c.server, c.caller.Account, w.path, w.name)
	if len(w.tags) > 0 { // tagging needs a permission of its own (IAM:id_tags_roles)
		if err := c.allow("Tag"+k.name, arn, nil, asked); err != nil {
			return w, err
		}
	}
	if err := c.allow("Create"+k.name, arn, nil, asked); err != nil {
		return w, err
	}
	have := k.all(c.server, c.iam())
	for other := range have {
		if strings.EqualFold(other, w.name) {
			return w, alreadyExists("%s with name %s already exists.", k.name, w.name)
		}
	}
	if err := c.boundaryExists(w.boundary); err != nil {
		return w, err
	}
	if len(have) >= k.quota {
		return w, limitExceeded("Cannot exceed quota for %ssPerAccount: %d", k.name, k.quota)
	}
	return w, nil
}

// boundaryExists checks a boundary that is to be set; empty is none.
func (c *call) boundaryExists(arn string) error {
	if arn == "" {
		return nil
	}
	_, err := c.usablePolicy(arn, c.caller.Account, noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn))
	return err
}

// newEntity makes one that is in no account yet.
func (s *Server) newEntity(k *entityKind, account, name, path string, now time.Time) entity {
	return entity{
		newness: newness{Created: now}, Account: account, Name: name, Path: path,
		ID: s.uniqueID(k.prefix, account, name), ARN: k.arn(s, account, path, name), Inline: map[string]string{},
	}
}

// create makes one as it is wanted.
func (k *entityKind) create(c *call, w creation) entity {
	e := c.server.newEntity(k, c.caller.Account, w.name, w.path, c.now)
	e.Boundary, e.Tags = w.boundary, w.tags
	return e
}

// bare refuses to delete an entity that policies hang on.
func (e *entity) bare() error {
	switch {
	case len(e.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// list pages over the kind's entities under a path.
func (k *entityKind) list(c *call, p params, shown func(*entity) any) (any, error) {
	if err := c.allow(c.operation, k.arn(c.server, c.caller.Account, prefixOf(p), ""), nil, nil); err != nil {
		return nil, err
	}
	all := k.all(c.server, c.iam())
	var list []*entity
	for _, name := range sortedKeys(all) {
		if strings.HasPrefix(all[name].Path, prefixOf(p)) {
			list = append(list, all[name])
		}
	}
	return listOf(p, k.name+"s", list, func(e *entity) string { return e.Name }, shown)
}

func prefixOf(p params) string {
	if v := p.get("PathPrefix"); v != "" {
		return v
	}
	return "/"
}

func (k *entityKind) putBoundary(c *call, p params) (any, error) {
	if err := required(p, "PermissionsBoundary"); err != nil {
		return nil, err
	}
	arn := p.get("PermissionsBoundary")
	e, err := k.find(c, p, with(nil, "iam:PermissionsBoundary", arn))
	if err != nil {
		return nil, err
	}
	if err := c.boundaryExists(arn); err != nil {
		return nil, err
	}
	e.Boundary = arn
	return nil, nil
}

func (k *entityKind) deleteBoundary(c *call, p params) (any, error) {
	e, err := k.find(c, p, nil)
	if err != nil {
		return nil, err
	}
	if e.Boundary == "" {
		return nil, noSuchEntity("%s %s does not have a permissions boundary.", k.name, e.Name)
	}
	e.Boundary = ""
	return nil, nil
}

// entitiesOf are all entities of an account, users first and roles last, by name.
func (s *Server) entitiesOf(a *account) (list []kindred) {
	for _, k := range entityKinds {
		all := k.all(s, a)
		for _, name := range sortedKeys(all) {
			list = append(list, kindred{k, all[name]})
		}
	}
	return list
}

// kindred is an entity with its kind.
type kindred struct {
	kind *entityKind
	*entity
}

// has tells whether a managed policy is attached to an entity.
func (e *entity) has(arn string) bool { return slices.Contains(e.Attached, arn) }
