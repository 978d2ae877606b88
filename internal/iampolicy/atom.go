package iampolicy

import (
	"slices"
	"strings"
)

// Atom is the smallest piece of what a statement means: one action on one
// resource for one principal, under the statement's conditions. Where the only
// condition is a list of strings of which one must match, it is one of them.
// So documents that split the same access over statements differently have the
// same atoms.
//
// A statement with NotAction, NotResource, NotPrincipal or an unknown element
// is a single atom.
type Atom struct {
	Principal string // as in Pair
	Action    string // in lower case
	Resource  string
	Value     string // of the one condition, if that can be taken apart
	Rest      string // effect and conditions, or the whole meaning
}

// Atoms takes a pair apart; each atom once, in a fixed order.
func (p Pair) Atoms() []Atom {
	s := p.Statement
	if !s.divisible() {
		return []Atom{{Principal: p.Principal, Rest: p.Meaning}}
	}
	rest := Statement{Effect: s.Effect, Condition: s.Condition}
	values := []string{""}
	if s.valuesDivide() {
		c := s.Condition[0]
		values = sortedSet(c.Values)
		rest.Condition = []Condition{{Operator: c.Operator, Key: c.Key}}
	}
	meaning := rest.Meaning()
	resources := sortedSet(s.Resource)
	atoms := make([]Atom, 0, len(s.Action)*len(resources)*len(values))
	for _, action := range sortedSet(lower(s.Action)) {
		for _, resource := range resources {
			for _, value := range values {
				atoms = append(atoms, Atom{p.Principal, action, resource, value, meaning})
			}
		}
	}
	return atoms
}

// divisible reports whether a statement allows or denies the product of its
// actions and resources.
func (s Statement) divisible() bool {
	return len(s.Action) > 0 && len(s.Resource) > 0 && s.NotPrincipal == nil && len(s.Unknown) == 0
}

// valuesDivide reports whether the statement is the union of the statements
// with one condition value each.
func (s Statement) valuesDivide() bool {
	return len(s.Condition) == 1 && len(s.Condition[0].Values) > 0 &&
		(strings.EqualFold(s.Condition[0].Operator, "StringLike") || strings.EqualFold(s.Condition[0].Operator, "StringEquals"))
}

// Restrict returns pairs that hold just those atoms of p that keep accepts: p
// itself if that is all of them.
func (p Pair) Restrict(keep func(Atom) bool) []Pair {
	atoms := p.Atoms()
	kept := make([]Atom, 0, len(atoms))
	for _, a := range atoms {
		if keep(a) {
			kept = append(kept, a)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case len(atoms):
		return []Pair{p}
	}
	// Atoms become products again by gathering one dimension after the other:
	// actions by resource and value, then values, then resources.
	type cell struct{ actions, values, resources []string }
	cells := make([]cell, 0, len(kept))
	for _, a := range kept {
		cells = append(cells, cell{[]string{a.Action}, []string{a.Value}, []string{a.Resource}})
	}
	gather := func(key func(cell) string, into func(*cell, cell)) {
		at := map[string]int{}
		var out []cell
		for _, c := range cells {
			k := key(c)
			if i, ok := at[k]; ok {
				into(&out[i], c)
				continue
			}
			at[k] = len(out)
			out = append(out, c)
		}
		cells = out
	}
	text := func(lists ...[]string) string {
		var b strings.Builder
		for _, list := range lists {
			b.WriteString(strings.Join(list, "\n") + "\n\n")
		}
		return b.String()
	}
	gather(func(c cell) string { return text(c.resources, c.values) }, func(c *cell, d cell) { c.actions = append(c.actions, d.actions...) })
	gather(func(c cell) string { return text(c.resources, c.actions) }, func(c *cell, d cell) { c.values = append(c.values, d.values...) })
	gather(func(c cell) string { return text(c.values, c.actions) }, func(c *cell, d cell) { c.resources = append(c.resources, d.resources...) })

	pairs := make([]Pair, 0, len(cells))
	for _, c := range cells {
		s := p.Statement
		s.Action = slices.DeleteFunc(sortedSet(s.Action), func(a string) bool { return !slices.Contains(c.actions, strings.ToLower(a)) })
		s.Resource = c.resources
		if s.valuesDivide() {
			s.Condition = []Condition{{Operator: s.Condition[0].Operator, Key: s.Condition[0].Key, Values: c.values}}
		}
		pairs = append(pairs, Pair{Meaning: s.Meaning(), Principal: p.Principal, Statement: s})
	}
	return pairs
}
