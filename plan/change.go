package plan

import (
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Action is what a change does to a resource.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Adopt  Action = "adopt" // it exists and carries no mark of ours: done only when asked for
	Noop   Action = "noop"
	Error  Action = "error" // cannot be done, see the problems
)

// Change is a step against a snapshot: all that is needed to carry it out.
type Change struct {
	ID      string
	Type    Type
	Account string
	Region  string
	Name    string
	Action  Action
	Needs   []string
	After   []string
	Shares  []string
	Parts   []PartChange

	Before Resource // live; nil: absent, or unknown when Action is Error
	Want   Resource // desired; nil: to be absent
	// LiveDigest is a digest of our part of the live state: sha256:…, empty
	// when absent.
	LiveDigest string
	// Existing: the resource must be there already and is never configured.
	Existing bool
	Source   specs.Pos

	// LivePairs are our live statements, of a step with parts, and Lose is what
	// of them goes. A loss never waits.
	LivePairs []iampolicy.Pair
	Lose      []iampolicy.Pair
	// Renew: the marks are written anew although no access changes.
	Renew bool
	// DropDead: the ids of deleted principals are to be taken out of foreign
	// Allow statements; see iampolicy.DropDead.
	DropDead bool
	// Live is the policy document as read, of a step with parts.
	Live []byte
	// Versions are a managed policy's live version ids, oldest first, and
	// DefaultVersion the one in effect.
	Versions       []string
	DefaultVersion string
}

// PartChange is what becomes of one part.
type PartChange struct {
	Share    string // empty: no share states it any more
	Consumer string // account/role
	Action   Action
	Needs    []string
	After    []string
	Pairs    []iampolicy.Pair // all that it states
	Gain     []iampolicy.Pair // what of that is not live yet
	Lose     []iampolicy.Pair
}

// Changes is a plan compared with the live accounts.
type Changes struct {
	Plan     *Plan
	Options  Options
	Steps    []*Change // in dependency order
	Problems []specs.Problem
	Access   Access // what the changes open and close; Compare leaves it to package access
	// Open is access that no spec states and that stays, as the bucket policies
	// that give it cannot be written; see Unclosed.
	Open []AccessEntry
}

// Options say how to compare.
type Options struct {
	Only  []string // globs on share names, as given; for the document
	Adopt bool     // take over what exists without a mark
	Prune bool     // delete whole resources of ours that no spec states
	// PruneLimit is how many may be deleted; 0 means 30 % of what is ours, or 10.
	PruneLimit int
	// DropDeadPrincipals takes the ids of deleted principals out of foreign
	// Allow statements of the plan's bucket policies.
	DropDeadPrincipals bool
	// Refused are the grants that must not be opened; see Openings.
	Refused []Refusal
}

// Differs reports whether the change is not a noop.
func (c *Change) Differs() bool { return c.Action != Noop }

// Stops reports whether a problem is such that nothing at all may be done.
func (c *Changes) Stops() bool {
	return slices.ContainsFunc(c.Problems, func(p specs.Problem) bool { return p.Code == CodePruneLimit || p.Code == CodeOpensUnasked })
}

// Drifted reports whether live differs from the specs in anything, also where
// nothing is done about it.
func (c *Changes) Drifted() bool {
	return c.Summary().Differs() || slices.ContainsFunc(c.Problems, func(p specs.Problem) bool {
		return p.Code == CodeInstanceDiffers
	})
}

// Statements is what our statements of a step with parts are to be when the
// gains of those parts are in for which settled answers true: marked, merged
// and in order. Losses are always out. What a part states is written as it
// states it once all of that is there; until then what is live of it stays.
func (c *Change) Statements(repository string, settled func(PartChange) bool) []iampolicy.Statement {
	there := map[iampolicy.Atom]bool{}
	each(c.LivePairs, func(a iampolicy.Atom) { there[a] = true })
	each(c.Lose, func(a iampolicy.Atom) { delete(there, a) })
	for _, part := range c.Parts {
		if settled(part) {
			each(part.Gain, func(a iampolicy.Atom) { there[a] = true })
		}
	}
	written := map[iampolicy.Atom]bool{}
	var pairs []iampolicy.Pair
	for _, part := range c.Parts {
		for _, p := range part.Pairs {
			atoms := p.Atoms()
			if !slices.ContainsFunc(atoms, func(a iampolicy.Atom) bool { return !there[a] }) {
				pairs = append(pairs, p)
				for _, a := range atoms {
					written[a] = true
				}
			}
		}
	}
	for _, p := range c.LivePairs {
		pairs = append(pairs, p.Restrict(func(a iampolicy.Atom) bool { return there[a] && !written[a] })...)
	}
	return iampolicy.Join(pairs, func(s iampolicy.Statement) string { return iampolicy.Mark(repository, s) })
}

// Merge is the live document with want as our statements, and without the ids
// of deleted principals in foreign ones where the change drops those. live may
// be newer than Live.
func (c *Change) Merge(live []byte, ours func(sid string) bool, want []iampolicy.Statement) ([]byte, error) {
	if c.DropDead {
		var err error
		if live, _, err = iampolicy.DropDead(live, ours); err != nil {
			return nil, err
		}
	}
	return iampolicy.Merge(live, ours, want)
}

// each calls f with the atoms of all pairs.
func each(pairs []iampolicy.Pair, f func(iampolicy.Atom)) {
	for _, p := range pairs {
		for _, a := range p.Atoms() {
			f(a)
		}
	}
}
