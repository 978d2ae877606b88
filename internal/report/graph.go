package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/specs"
)

// Graph is who reaches what by the specs: the buckets and the roles of shares,
// by account, and the grants between them. Each of its formats is a view of the
// same; the same specs give the same bytes.
type Graph struct {
	Repository string
	Shares     int
	Accounts   []*graphAccount // those with a bucket or role, by alias
	Grants     []*graphGrant   // by share, in the order of its file
}

type graphAccount struct {
	Key       string // of the node in all formats, such as "a1"
	Alias, ID string
	Partner   bool // not managed
	Buckets   []*graphNode
	Roles     []*graphNode
}

// graphNode is a bucket or a role.
type graphNode struct {
	Key     string // such as "b1" or "r1"
	Name    string // of a role with its path
	Notes   []string
	Account *graphAccount
	Grants  []*graphGrant
}

// graphGrant is an edge: a role reaches a bucket.
type graphGrant struct {
	Share        string
	Role, Bucket *graphNode
	May          []string // words of access, then single actions
	Prefixes     []string // none: the whole bucket
	Changes      bool     // it may do more than read
}

// NewGraph makes the graph of the selected shares of a repository.
func NewGraph(repo *specs.Repository, selected func(share string) bool) *Graph {
	g := &Graph{Repository: repo.Name}
	accounts := map[string]*graphAccount{}
	nodes := map[[3]string]*graphNode{} // by kind, account and name
	account := func(of *specs.Account) *graphAccount {
		a := accounts[of.ID]
		if a == nil {
			a = &graphAccount{Alias: of.Alias, ID: of.ID, Partner: !of.Manage}
			accounts[of.ID] = a
			g.Accounts = append(g.Accounts, a)
		}
		return a
	}
	node := func(kind string, of *specs.Account, name string, list func(*graphAccount) *[]*graphNode, notes func() []string) *graphNode {
		key := [3]string{kind, of.ID, name}
		n := nodes[key]
		if n == nil {
			n = &graphNode{Name: name, Account: account(of), Notes: notes()}
			nodes[key] = n
			of := list(n.Account)
			*of = append(*of, n)
		}
		return n
	}
	for _, share := range repo.Shares {
		if !selected(share.Name) {
			continue
		}
		g.Shares++
		bucket := node("bucket", share.Bucket.Account, share.Bucket.Name,
			func(a *graphAccount) *[]*graphNode { return &a.Buckets }, func() []string { return bucketNotes(share.Bucket) })
		for _, c := range share.Consumers {
			role := node("role", c.Account, strings.TrimPrefix(c.Role.Path, "/")+c.Role.Name,
				func(a *graphAccount) *[]*graphNode { return &a.Roles }, func() []string { return roleNotes(c.Role) })
			grant := newGraphGrant(share.Name, role, bucket, c)
			g.Grants = append(g.Grants, grant)
			role.Grants = append(role.Grants, grant)
			bucket.Grants = append(bucket.Grants, grant)
		}
	}
	g.sort()
	return g
}

// sort orders what is drawn and then names it, so that a node's key depends on
// nothing but the specs.
func (g *Graph) sort() {
	byName := func(a, b *graphNode) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(g.Accounts, func(a, b *graphAccount) int {
		return cmp.Or(strings.Compare(a.Alias, b.Alias), strings.Compare(a.ID, b.ID))
	})
	buckets, roles := 0, 0
	for i, a := range g.Accounts {
		a.Key = fmt.Sprintf("a%d", i+1)
		slices.SortFunc(a.Buckets, byName)
		slices.SortFunc(a.Roles, byName)
		for _, n := range a.Roles {
			roles++
			n.Key = fmt.Sprintf("r%d", roles)
		}
		for _, n := range a.Buckets {
			buckets++
			n.Key = fmt.Sprintf("b%d", buckets)
		}
	}
}

func newGraphGrant(share string, role, bucket *graphNode, c *specs.Consumer) *graphGrant {
	g := &graphGrant{Share: share, Role: role, Bucket: bucket, Prefixes: c.Prefixes}
	for _, word := range c.Access {
		g.May = append(g.May, string(word))
		g.Changes = g.Changes || word != specs.AccessList && word != specs.AccessRead
	}
	for _, action := range c.Actions {
		g.May = append(g.May, action)
		name := strings.TrimPrefix(action, "s3:")
		g.Changes = g.Changes || !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List")
	}
	return g
}

func bucketNotes(b specs.Bucket) []string {
	var notes []string
	if b.Region != "" {
		notes = append(notes, b.Region)
	}
	if !b.Create {
		notes = append(notes, "exists already")
	}
	return notes
}

func roleNotes(r specs.Role) []string {
	switch {
	case !r.Create:
		return []string{"exists already"}
	case r.TrustFile != "":
		return []string{"trusted as in " + r.TrustFile}
	case r.TrustService != "":
		return []string{"trusted by " + r.TrustService}
	}
	return nil
}

// Title is what people call the account.
func (a *graphAccount) Title() string {
	title := a.Alias + " (" + a.ID + ")"
	if a.Partner {
		title += ", not managed"
	}
	return title
}

// Access is what the grant allows, in words.
func (g *graphGrant) Access() string { return strings.Join(g.May, ", ") }

// label is what stands at the edge: what may be done, and where. Of many
// prefixes it has the first few, since an edge has little room.
func (g *graphGrant) label() string {
	const most = 3
	where := g.Prefixes
	if len(where) == 0 {
		return g.Access()
	}
	more := ""
	if len(where) > most {
		more = fmt.Sprintf(" and %d more", len(where)-most)
		where = where[:most]
	}
	return g.Access() + ": " + strings.Join(where, ", ") + more
}
