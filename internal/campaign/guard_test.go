package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/xshare/xshare/internal/iampolicy"
)

// guard watches every write of a bucket policy: it may open nothing that is
// neither open before nor stated, close nothing that is both, and must leave
// foreign statements as they are.
type guard struct {
	world   *world
	owners  map[string]string // account by bucket
	before  map[string]map[iampolicy.Atom]bool
	after   map[string]map[iampolicy.Atom]bool
	foreign map[string][]string // statements by bucket

	mu     sync.Mutex
	faults []string
}

// watch looks at what is there, and from then on at each write. after is what
// is to be there in the end, by bucket; it may lack what is foreign.
func (w *world) watch(t tb, owners map[string]string, after map[string][]*iampolicy.Document, foreign map[string][]string) *guard {
	t.Helper()
	g := &guard{
		world: w, owners: owners, foreign: foreign,
		before: map[string]map[iampolicy.Atom]bool{}, after: map[string]map[iampolicy.Atom]bool{},
	}
	for bucket, account := range owners {
		g.before[bucket] = atoms(t, w.bucketPolicy(t, account, bucket))
		g.after[bucket] = map[iampolicy.Atom]bool{}
		for _, d := range after[bucket] {
			maps.Copy(g.after[bucket], atomsOf(d))
		}
		for a := range g.before[bucket] {
			if slices.ContainsFunc(foreign[bucket], func(s string) bool { return atoms(t, `{"Statement":`+s+`}`)[a] }) {
				g.after[bucket][a] = true
			}
		}
	}
	return g
}

func atoms(t tb, text string) map[iampolicy.Atom]bool {
	t.Helper()
	if text == "" {
		return map[iampolicy.Atom]bool{}
	}
	return atomsOf(parse(t, text))
}

// atomsOf are the smallest pieces of all that a policy allows or denies.
func atomsOf(d *iampolicy.Document) map[iampolicy.Atom]bool {
	set := map[iampolicy.Atom]bool{}
	for _, p := range iampolicy.Pairs(d, func(string) bool { return true }) {
		for _, a := range p.Atoms() {
			set[a] = true
		}
	}
	return set
}

// look is a hook of the handler.
func (g *guard) look(c call) {
	if c.policy && c.writes && g.owners[c.bucket] != "" {
		g.check(c.bucket, string(c.body)) // of a delete, nothing
	}
}

func (g *guard) check(bucket, text string) {
	now := map[iampolicy.Atom]bool{}
	if text != "" {
		d, err := iampolicy.ParseLive([]byte(text))
		if err != nil {
			g.fault("the policy of %s: %v", bucket, err)
			return
		}
		now = atomsOf(d)
	}
	for a := range now {
		// The placeholder of ADR 8 lets in only who is in anyway.
		isOwner := a.Principal == "arn:aws:iam::"+g.owners[bucket]+":root" || a.Principal == g.owners[bucket]
		if !g.before[bucket][a] && !g.after[bucket][a] && !isOwner {
			g.fault("%s was opened: %v, which is neither live before nor stated", bucket, a)
		}
	}
	for a := range g.before[bucket] {
		if g.after[bucket][a] && !now[a] {
			g.fault("%s was closed for a while: %v, which is live before and stated", bucket, a)
		}
	}
	for _, s := range g.foreign[bucket] {
		if !strings.Contains(text, s) {
			g.fault("a foreign statement of %s was changed or lost: %s\nnow: %s", bucket, s, text)
		}
	}
}

func (g *guard) fault(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, fmt.Sprintf(format, args...))
}

// end looks a last time and tells what was seen.
func (g *guard) end(t tb) {
	t.Helper()
	for bucket, account := range g.owners {
		for _, s := range g.foreign[bucket] {
			if text := g.world.bucketPolicy(t, account, bucket); !strings.Contains(text, s) {
				g.fault("a foreign statement of %s is not as it was: %s\nnow: %s", bucket, s, text)
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.faults) > 0 {
		t.Errorf("bucket policies:\n  %s", few(g.faults))
	}
}
