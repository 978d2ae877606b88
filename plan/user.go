package plan

// LiveUser is an IAM user as read. Shares are for roles: a user is read only
// where somebody asks about it; see Want.Users.
type LiveUser struct {
	Name     string
	Path     string
	ARN      string
	UniqueID string // AIDA…
	Boundary string // ARN of a managed policy; empty: none
	Tags     map[string]string
	Attached []string          // ARNs of managed policies, sorted
	Inline   map[string][]byte // documents by name
	Groups   []LiveGroup       // whose policies are the user's too, by name
}

// LiveGroup is a group of IAM users, as read with one of them.
type LiveGroup struct {
	Name     string
	Attached []string          // ARNs of managed policies, sorted
	Inline   map[string][]byte // documents by name
	Unread   bool              // the user is said to be in it, and the read did not have it
}

// Policies are the ARNs of all managed policies that bear on the user: its own,
// its groups' and its boundary.
func (u *LiveUser) Policies() []string {
	list := append([]string{}, u.Attached...)
	for _, g := range u.Groups {
		list = append(list, g.Attached...)
	}
	if u.Boundary != "" {
		list = append(list, u.Boundary)
	}
	return list
}
