package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// term is a set of states in which something is gained, with its words.
type term struct {
	when    when
	unasked bool
	in      states
}

// terms are where the members open something in the new document that they do
// not in the old: each is where one statement allows, at best all of it.
func (d *diff) terms(g *group, old, new int, by mode, shut [grants]bool) ([]term, error) {
	if shut[new] {
		return nil, nil
	}
	denied, before, refused := g.none(), g.none(), g.none()
	covered := g.none()
	for i, m := range g.members {
		switch {
		case m.denies(new):
			denied.or(g.holds[i])
		case m.allows(grants, mode{}):
			covered.or(g.holds[i])
		}
		if m.denies(old) {
			refused.or(g.holds[i])
		}
		if m.allows(old, by) {
			before.or(g.holds[i])
		}
	}
	if by.anyhow {
		before = g.all()
	}
	if shut[old] {
		before = g.none()
	}
	var raw []rawTerm
	for i := range g.members {
		if g.members[i].allows(new, by) {
			raw = append(raw, g.openedBy(i, denied, before, refused, old)...)
		}
	}
	if by.anyhow {
		raw = append(raw, g.openedBy(-1, denied, before, refused, old)...)
	}
	var list []term
	for _, t := range raw {
		when, err := d.when(g, t, old, new, by, shut[old])
		if err != nil {
			return nil, err
		}
		list = append(list, term{when: when, unasked: t.in.minus(covered).any(), in: t.in})
	}
	// The widest first, and none that the others say already.
	slices.SortStableFunc(list, func(a, b term) int {
		if n := b.in.count() - a.in.count(); n != 0 {
			return n
		}
		return strings.Compare(a.when.words(), b.when.words())
	})
	told := g.none()
	return slices.DeleteFunc(list, func(t term) bool {
		more := t.in.minus(told).any()
		told.or(t.in)
		return !more
	}), nil
}

func (m *member) denies(document int) bool { return m.rule.denies() && m.in[document] }

func (m *member) allows(document int, by mode) bool {
	if by.direct {
		return !m.rule.denies() && m.direct[document]
	}
	return !m.rule.denies() && m.in[document]
}

// rawTerm is where a member allows, and where another denied before.
type rawTerm struct {
	allow, deny int // members; -1: none
	in          states
}

// openedBy is what one allow opens: where nothing allowed before, and where
// some member denied. -1 is the caller's own policies.
func (g *group) openedBy(allow int, denied, before, refused states, old int) []rawTerm {
	base := g.all()
	if allow >= 0 {
		base = g.holds[allow]
	}
	base = base.minus(denied)
	wasOpen := before.minus(refused)
	switch {
	case !base.minus(wasOpen).any():
		return nil
	case !base.and(wasOpen).any():
		return []rawTerm{{allow, -1, base}}
	}
	var list []rawTerm
	if t := base.minus(before); t.any() {
		list = append(list, rawTerm{allow, -1, t})
	}
	for i, m := range g.members {
		if !m.denies(old) {
			continue
		}
		if t := base.and(g.holds[i]); t.any() {
			list = append(list, rawTerm{allow, i, t})
		}
	}
	return list
}

// when says where a term is: where its members hold, unless those do that take
// the rest away.
func (d *diff) when(g *group, t rawTerm, old, new int, by mode, wasShut bool) (when, error) {
	var w when
	rest := g.all()
	for _, i := range []int{t.allow, t.deny} {
		if i < 0 {
			continue
		}
		rest = rest.and(g.holds[i])
		for _, f := range g.members[i].free {
			condition, covers, err := d.narrowed(g, f, t.in)
			if err != nil {
				return w, err
			}
			w.all = append(w.all, condition)
			rest = rest.and(covers)
		}
	}
	for rest = rest.minus(t.in); rest.any(); {
		best, most := -1, 0
		for i, m := range g.members {
			takes := m.denies(new) || t.deny < 0 && !wasShut && m.allows(old, by)
			if n := rest.and(g.holds[i]).count(); takes && n > most && !t.in.and(g.holds[i]).any() {
				best, most = i, n
			}
		}
		if best < 0 {
			return w, fmt.Errorf("%w: what is opened has no words", errTooRich)
		}
		rest = rest.minus(g.holds[best])
		var unless []iampolicy.Condition
		for _, f := range g.members[best].free {
			unless = append(unless, f.test.condition)
		}
		w.unless = append(w.unless, unless)
	}
	return w, nil
}

// narrowed is a condition with only those of its values that the states need,
// and the states that it covers then.
func (d *diff) narrowed(g *group, f freeCondition, in states) (iampolicy.Condition, states, error) {
	c := f.test.condition
	k := &g.keys[slices.IndexFunc(g.keys, func(k stateKey) bool { return k.key == f.key })]
	if len(c.Values) < 2 || !slices.Contains([]string{"stringlike", "stringequals", "arnlike", "arnequals"}, strings.ToLower(c.Operator)) {
		return c, g.where([]freeCondition{f}), nil
	}
	needed := make([]bool, len(k.cells))
	for state, is := range in {
		needed[k.cell(state)] = needed[k.cell(state)] || is
	}
	// The key's states told apart by each value alone, too.
	tests := slices.Clone(k.tests)
	var alone []keyTest
	for _, v := range c.Values {
		t := f.test
		t.condition.Values = []string{v}
		alone = append(alone, t)
	}
	fine, err := d.keyCells(f.key, append(tests, alone...))
	if err != nil {
		return c, nil, err
	}
	coarse := make([]int, len(fine))
	for i, cell := range fine {
		coarse[i] = slices.IndexFunc(k.cells, func(other keyCell) bool {
			return !slices.ContainsFunc(k.tests, func(t keyTest) bool { return other.holds[t.id()] != cell.holds[t.id()] })
		})
	}
	c.Values = nil
	covered := make([]bool, len(k.cells))
	for _, t := range alone {
		isNeeded := false
		for i, cell := range fine {
			isNeeded = isNeeded || cell.holds[t.id()] && needed[coarse[i]]
		}
		if !isNeeded {
			continue
		}
		c.Values = append(c.Values, t.condition.Values[0])
		for i, cell := range fine {
			covered[coarse[i]] = covered[coarse[i]] || cell.holds[t.id()]
		}
	}
	covers := g.none()
	for state := range covers {
		covers[state] = covered[k.cell(state)]
	}
	return c, covers, nil
}

// states is a set of states.
type states []bool

func (g *group) none() states { return make(states, g.n) }

func (g *group) all() states {
	s := g.none()
	for i := range s {
		s[i] = true
	}
	return s
}

func (s states) or(other []bool) {
	for i, is := range other {
		s[i] = s[i] || is
	}
}

func (s states) minus(other []bool) states {
	rest := slices.Clone(s)
	for i, is := range other {
		rest[i] = rest[i] && !is
	}
	return rest
}

func (s states) and(other []bool) states {
	rest := slices.Clone(s)
	for i, is := range other {
		rest[i] = rest[i] && is
	}
	return rest
}

func (s states) any() bool { return slices.Contains(s, true) }

func (s states) count() int {
	n := 0
	for _, is := range s {
		if is {
			n++
		}
	}
	return n
}
