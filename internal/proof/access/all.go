package access

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// result is an entry, and whether no grant asks for it.
type result struct {
	entry   plan.AccessEntry
	unasked bool
}

// finding is what the callers of one name gain or lose, before it is written.
type finding struct {
	principal string
	found
}

func (f finding) result() result {
	return result{
		plan.AccessEntry{Principal: f.principal, Action: f.action, Resource: f.resource, When: f.when.words()},
		f.unasked,
	}
}

// compareAll finds what all callers gain and lose.
func (d *diff) compareAll() (gained, lost []result, err error) {
	g, l, err := d.findings()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range g {
		gained = append(gained, f.result())
	}
	for _, f := range l {
		lost = append(lost, f.result())
	}
	return gained, lost, nil
}

func (d *diff) findings() (gained, lost []finding, err error) {
	all, err := d.callersOf()
	if err != nil {
		return nil, nil, err
	}
	for _, r := range d.rules {
		if !r.isStable() {
			d.unstable = append(d.unstable, r)
		}
	}
	actions := d.actionsOf()
	gains, losses := map[*caller][]found{}, map[*caller][]found{}
	for _, c := range all.list() {
		delta, err := d.compare(c, actions)
		if err != nil {
			return nil, nil, err
		}
		if delta != nil {
			gains[c] = d.found(c, delta.places, delta.gained, actions)
			losses[c] = d.found(c, delta.places, delta.lost, actions)
		}
	}
	return findingsOf(all, gains), findingsOf(all, losses), nil
}

func findingsOf(all *callers, of map[*caller][]found) []finding {
	if len(of) == 0 {
		return nil
	}
	var list []finding
	for _, b := range all.merged(func(c *caller) []found { return of[c] }) {
		for _, id := range sortedKeys(b.of) {
			list = append(list, finding{b.label, b.of[id]})
		}
	}
	return list
}

// list lists all callers.
func (all *callers) list() []*caller {
	list := append([]*caller{all.anonymous, all.service}, all.services...)
	list = append(list, all.outside.all()...)
	for _, a := range all.accounts {
		list = append(list, a.all()...)
	}
	return list
}

// byText compares what the statements say of principals that make no requests
// which the evaluator could decide: providers of identities, canonical users,
// and what has the form of none. A statement that comes or goes is all that is
// looked at.
func (d *diff) byText() (gained, lost []result) {
	for _, r := range d.rules {
		var names [documents]map[string]bool
		for document, statements := range r.named {
			names[document] = map[string]bool{}
			for _, s := range statements {
				for _, name := range strangers(s.Principal) {
					names[document][name] = true
				}
			}
		}
		opens, closes := minus(names[to], names[from]), minus(names[from], names[to])
		if r.denies() {
			opens, closes = closes, opens
		}
		for _, name := range opens {
			gained = append(gained, d.asWritten(r, name, !names[grants][name])...)
		}
		for _, name := range closes {
			lost = append(lost, d.asWritten(r, name, false)...)
		}
	}
	return gained, lost
}

// strangers are a Principal element's entries that are no callers to the
// evaluator. The ids of those who are gone are nobody.
func strangers(p *iampolicy.Principals) []string {
	if p == nil {
		return nil
	}
	list := slices.Concat(p.Federated, p.CanonicalUser)
	for _, entry := range p.AWS {
		if kind, _ := callerKind(entry); kind == "" && entry != "*" && !iampolicy.IsDead(entry) {
			list = append(list, entry)
		}
	}
	return list
}

func minus(a, b map[string]bool) []string {
	var list []string
	for _, name := range sortedKeys(a) {
		if !b[name] {
			list = append(list, name)
		}
	}
	return list
}

// asWritten are a rule's actions and resources for one principal.
func (d *diff) asWritten(r *rule, principal string, unasked bool) []result {
	conditions := when{}.words()
	if len(r.s.Condition) > 0 {
		conditions = when{all: r.s.Condition}.words()
	}
	actions, resources := r.s.Action, r.s.Resource
	if len(r.s.NotAction) > 0 {
		actions = []string{"all but " + strings.Join(r.s.NotAction, ", ")}
	}
	if len(r.s.NotResource) > 0 {
		resources = []string{"all but " + strings.Join(r.s.NotResource, ", ")}
	}
	if d.trust {
		resources = []string{d.resource}
	}
	var list []result
	for _, action := range actions {
		for _, resource := range resources {
			list = append(list, result{plan.AccessEntry{Principal: principal, Action: action, Resource: resource, When: conditions}, unasked})
		}
	}
	return list
}

// onlyGrants reports whether the statements by themselves open nothing but what
// grants state: what comes in is stated by grants, and no deny goes.
func (d *diff) onlyGrants() bool {
	var allows, denies [documents]map[iampolicy.Atom]bool
	for document := range documents {
		allows[document], denies[document] = map[iampolicy.Atom]bool{}, map[iampolicy.Atom]bool{}
		for _, r := range d.rules {
			var statements []iampolicy.Statement
			for _, s := range r.named[document] {
				statements = append(statements, *s)
			}
			into := allows
			if r.denies() {
				into = denies
			}
			for _, p := range iampolicy.Pairs(&iampolicy.Document{Statements: statements}, func(string) bool { return true }) {
				for _, a := range p.Atoms() {
					into[document][a] = true
				}
			}
		}
	}
	for a := range allows[to] {
		if !allows[from][a] && !allows[grants][a] {
			return false
		}
	}
	for a := range denies[from] {
		if !denies[to][a] {
			return false
		}
	}
	return !d.restricted[from] || d.restricted[to]
}
