package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// How two policies are compared for one caller.
//
// Premise: an explicit deny wins, then any allow opens. So what a caller gains
// is where a statement of the new policy allows, none of it denies, and in the
// old one none allows or some denies. Which statements match depends on the
// action, the resource and the condition keys, each of which is taken by cells
// that the statements tell apart. For callers of the resource's own account the
// caller's policies may be enough, so two things can change for them: what the
// resource's policy gives by itself, and what it denies.
//
// What is gained is said in the statements' own words: where this one allows,
// unless that one denies. The words are checked against the cells.

// member is a rule that is about a caller.
type member struct {
	rule   *rule
	s      iampolicy.Statement // with the caller's values for policy variables
	in     [documents]bool
	direct [documents]bool // by itself, whatever the caller's own policies say
	free   []freeCondition // the conditions that do not follow from who calls
}

type freeCondition struct {
	key  string // in lower case
	test keyTest
}

// mode is one way to get access.
type mode struct {
	anyhow bool // the caller's own policies allow: only denies count
	direct bool // the resource's policy must allow by itself
}

func (d *diff) modes(c *caller) []mode {
	isRoot := c.iam.Kind == iampolicy.Root
	switch {
	case !c.same:
		return []mode{{}}
	case d.trust:
		return []mode{{}, {direct: true}}
	case isRoot:
		return []mode{{anyhow: true}}
	default:
		return []mode{{anyhow: true}, {direct: true}}
	}
}

// members are the rules that are about a caller.
func (d *diff) members(c *caller) ([]*member, error) {
	var list []*member
	delegates := !c.same || d.trust // naming the account lets in whom its policies let
	for _, r := range d.rules {
		m := &member{rule: r}
		for document, statements := range r.named {
			m.in[document] = slices.ContainsFunc(statements, func(s *iampolicy.Statement) bool { return d.names(s, c, delegates) })
			m.direct[document] = m.in[document]
			if m.in[document] && d.trust && c.same {
				m.direct[document] = slices.ContainsFunc(statements, func(s *iampolicy.Statement) bool { return d.names(s, c, false) })
			}
		}
		if m.in == [documents]bool{} {
			continue
		}
		s, err := c.expanded(r)
		if err != nil {
			return nil, err
		}
		m.s = s
		if d.mayHold(m, c) {
			list = append(list, m)
		}
	}
	return list, nil
}

// isAbout reports whether a rule names a caller, before or after.
func (d *diff) isAbout(r *rule, c *caller) bool {
	return slices.ContainsFunc(slices.Concat(r.named[from], r.named[to]), func(s *iampolicy.Statement) bool {
		return d.names(s, c, !c.same || d.trust)
	})
}

// mayHold sorts a member's conditions, and reports whether those hold that
// follow from who calls.
func (d *diff) mayHold(m *member, c *caller) bool {
	for _, condition := range m.s.Condition {
		key := strings.ToLower(condition.Key)
		values, known := c.fixed(key)
		if !known {
			m.free = append(m.free, freeCondition{key, keyTest{m.s.Effect, condition, m.rule.variables}})
			continue
		}
		context := map[string][]string{}
		if values != nil {
			context[key] = values
		}
		if !d.holds(m.s.Effect, condition, m.rule.variables, context) {
			return false
		}
	}
	return true
}

func (m *member) changed() bool { return m.in[from] != m.in[to] || m.direct[from] != m.direct[to] }

// delta is what one caller gains and loses.
type delta struct {
	places       *placeCells
	gained, lost []*line
}

// line is what is open, or closed, under the same conditions.
type line struct {
	when    when
	unasked bool
	at      map[string][]bool // by action and place
}

// compare finds what a caller gains and loses.
func (d *diff) compare(c *caller, actions []action) (*delta, error) {
	shut := d.shut(c)
	if shut[from] == shut[to] && !slices.ContainsFunc(d.unstable, func(r *rule) bool { return d.isAbout(r, c) }) {
		return nil, nil
	}
	members, err := d.members(c)
	if err != nil {
		return nil, err
	}
	isChanged := func(m *member) bool { return m.changed() || shut[from] != shut[to] }
	if !slices.ContainsFunc(members, isChanged) {
		return nil, nil
	}
	places, err := d.placesOf(members)
	if err != nil {
		return nil, err
	}
	access := &delta{places: places}
	for _, g := range d.groups(c, members, places, actions) {
		if !slices.ContainsFunc(g.members, isChanged) {
			continue
		}
		if err := d.states(g); err != nil {
			return nil, err
		}
		for _, by := range d.modes(c) {
			gained, err := d.terms(g, from, to, by, shut)
			if err != nil {
				return nil, err
			}
			lost, err := d.terms(g, to, from, by, shut)
			if err != nil {
				return nil, err
			}
			access.gained = g.add(access.gained, places, gained, true)
			access.lost = g.add(access.lost, places, lost, false)
		}
	}
	return access, nil
}

// shut says which documents let the caller in nowhere, since Block Public
// Access restricts the bucket to its own account and services.
func (d *diff) shut(c *caller) [grants]bool {
	if c.same || c.iam.Kind == iampolicy.Service {
		return [grants]bool{}
	}
	return d.restricted
}

// group is all that the same members are about.
type group struct {
	members []*member
	at      []at
	n       int      // how many states the condition keys have
	holds   []states // by member
	keys    []stateKey
}

type at struct {
	action string
	place  int
}

// groups sorts actions and places by the members that are about them.
func (d *diff) groups(c *caller, members []*member, places *placeCells, actions []action) []*group {
	type class struct {
		in      []bool
		actions []action
	}
	var classes []*class
	byBits := map[string]*class{}
	for _, a := range actions {
		if d.isNeverGiven(a, c) {
			continue
		}
		in := make([]bool, len(members), len(members)+2)
		for i, m := range members {
			in[i] = d.ruleActions(m.rule, actions)[a.name]
		}
		k := bits(append(in, a.bucket, a.objects))
		if byBits[k] == nil {
			byBits[k] = &class{in: in}
			classes = append(classes, byBits[k])
		}
		byBits[k].actions = append(byBits[k].actions, a)
	}
	var list []*group
	byMembers := map[string]*group{}
	for _, cl := range classes {
		for p, place := range places.places {
			if !cl.actions[0].fits(place) {
				continue
			}
			in := make([]bool, len(members))
			for i := range members {
				in[i] = cl.in[i] && places.in[i][p]
			}
			k := bits(in)
			g := byMembers[k]
			if g == nil {
				g = &group{}
				for i, m := range members {
					if in[i] {
						g.members = append(g.members, m)
					}
				}
				byMembers[k] = g
				list = append(list, g)
			}
			for _, a := range cl.actions {
				g.at = append(g.at, at{a.name, p})
			}
		}
	}
	return list
}

// ruleActions are the actions that a rule is about.
func (d *diff) ruleActions(r *rule, actions []action) map[string]bool {
	if d.actions == nil {
		d.actions = map[*rule]map[string]bool{}
	}
	in := d.actions[r]
	if in == nil {
		in = map[string]bool{}
		plain := len(r.s.Action) > 0 && len(r.s.NotAction) == 0 && !slices.ContainsFunc(r.s.Action, hasWildcard)
		for _, a := range actions {
			if plain && !slices.ContainsFunc(r.s.Action, func(name string) bool { return len(name) == len(a.name) }) {
				continue
			}
			if matchesAction(r.s, a.name) {
				in[a.name] = true
			}
		}
		d.actions[r] = in
	}
	return in
}

// maxStatesOfKeys bounds in how many states all condition keys together are
// looked at.
const maxStatesOfKeys = 4096

// stateKey is a condition key with its states.
type stateKey struct {
	key    string
	tests  []keyTest
	cells  []keyCell
	stride int
}

// cell is the key's state in a state of all keys.
func (k *stateKey) cell(state int) int { return state / k.stride % len(k.cells) }

// states makes all states of the condition keys that a group's members ask
// for: keys are independent of each other.
func (d *diff) states(g *group) error {
	tests := map[string]map[string]keyTest{}
	for _, m := range g.members {
		for _, f := range m.free {
			if tests[f.key] == nil {
				tests[f.key] = map[string]keyTest{}
			}
			tests[f.key][f.test.id()] = f.test
		}
	}
	g.n = 1
	for _, key := range sortedKeys(tests) {
		var list []keyTest
		for _, id := range sortedKeys(tests[key]) {
			list = append(list, tests[key][id])
		}
		cells, err := d.keyCells(key, list)
		if err != nil {
			return err
		}
		g.keys = append(g.keys, stateKey{key, list, cells, g.n})
		if g.n *= len(cells); g.n > maxStatesOfKeys {
			return fmt.Errorf("%w: %d and more states of their condition keys", errTooRich, maxStatesOfKeys)
		}
	}
	for _, m := range g.members {
		g.holds = append(g.holds, g.where(m.free))
	}
	return nil
}

// where lists the states in which all of the conditions hold.
func (g *group) where(conditions []freeCondition) states {
	in := g.all()
	for _, f := range conditions {
		i := slices.IndexFunc(g.keys, func(k stateKey) bool { return k.key == f.key })
		k, id := &g.keys[i], f.test.id()
		for state := range in {
			in[state] = in[state] && k.cells[k.cell(state)].holds[id]
		}
	}
	return in
}

// add puts a group's terms under their conditions.
func (g *group) add(lines []*line, places *placeCells, terms []term, canBeUnasked bool) []*line {
	for _, t := range terms {
		unasked := canBeUnasked && t.unasked
		i := slices.IndexFunc(lines, func(l *line) bool { return l.unasked == unasked && l.when.words() == t.when.words() })
		if i < 0 {
			i = len(lines)
			lines = append(lines, &line{when: t.when, unasked: unasked, at: map[string][]bool{}})
		}
		for _, at := range g.at {
			if lines[i].at[at.action] == nil {
				lines[i].at[at.action] = make([]bool, len(places.places))
			}
			lines[i].at[at.action][at.place] = true
		}
	}
	return lines
}
