package proof

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How few objects stand for all.
//
// Premise: a grant promises every object under a prefix, and a proof can try
// only some. Policies tell objects apart by their patterns alone, so one object
// in each pattern that lies within the prefix, and one in none, stand for all:
// the one in none is allowed only by a statement that covers the prefix, so
// that another can fail only where a pattern takes it out, of a Deny or of an
// Allow by NotResource.

// calls are a grant's, each on an object that no narrower pattern covers, and
// those on objects within one that fare worse.
func (p *prover) calls(g plan.Grant, s *sides) []call {
	var list []call
	by := map[string]*patterns{}
	for _, c := range calls(g) {
		base, ok := strings.CutSuffix(c.promised, "*")
		if !ok || c.resource == c.promised {
			list = append(list, c)
			continue
		}
		if by[base] == nil {
			by[base] = s.patterns(base, p.request(g, s.role, c))
		}
		c.resource = base + by[base].key()
		list = append(list, c)
		best, worst := s.decide(p.request(g, s.role, c))
		if !best.Allowed() {
			continue // the same would be told of each
		}
		for _, resource := range by[base].taken {
			one := c
			one.resource = resource
			if b, w := s.decide(p.request(g, s.role, one)); !b.Allowed() || worst.Allowed() && !w.Allowed() {
				list = append(list, one)
			}
		}
	}
	return list
}

// patterns are those of all sides that some of the objects under one prefix
// match, and not all.
type patterns struct {
	base   string
	narrow []string
	taken  []string // an object in each of those that take objects out
}

// patterns looks for them. The request has the values of policy variables.
func (s *sides) patterns(base string, req iampolicy.Request) *patterns {
	found := &patterns{base: base}
	for _, side := range s.all() {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				takes := [2][]string{statement.NotResource, statement.Resource}
				if statement.Effect == iampolicy.Deny {
					takes[0], takes[1] = takes[1], takes[0]
				}
				for i, list := range takes {
					for _, pattern := range list {
						objects := within(withValues(pattern, req), base)
						if len(objects) > 0 {
							found.narrow = append(found.narrow, withValues(pattern, req))
						}
						if i == 0 {
							found.taken = append(found.taken, objects...)
						}
					}
				}
			}
		}
	}
	slices.Sort(found.taken)
	found.taken = slices.Compact(found.taken)
	return found
}

// key is one that no narrow pattern matches, where one is found.
func (p *patterns) key() string {
	for _, mark := range []string{"", "0", "_", "~", "Z", "=/", "%/"} {
		key := mark + sampleKey + mark
		if !slices.ContainsFunc(p.narrow, func(pattern string) bool { return slices.Contains(reached(pattern, p.base+key), len(pattern)) }) {
			return key
		}
	}
	return sampleKey
}

// withValues replaces the policy variables of which the request has one value.
func withValues(pattern string, req iampolicy.Request) string {
	if !strings.Contains(pattern, "${") {
		return pattern
	}
	for key, values := range req.Context {
		if len(values) == 1 {
			pattern = strings.ReplaceAll(pattern, "${"+key+"}", values[0])
		}
	}
	return pattern
}

// within are objects under base that a pattern matches; none where it matches
// all of them, or none.
func within(pattern, base string) []string {
	var list []string
	for _, at := range reached(pattern, base) {
		rest := pattern[at:]
		if rest == "*" {
			return nil
		}
		if object := base + strings.NewReplacer("*", sampleKey, "?", "x").Replace(rest); object != base {
			list = append(list, object)
		}
	}
	return list
}

// reached are the places in a pattern at which a text may end that began at its
// start; its length is among them where the text matches.
func reached(pattern, text string) []int {
	literal := strings.IndexAny(pattern, "*?")
	if literal < 0 {
		literal = len(pattern)
	}
	if n := min(literal, len(text)); pattern[:n] != text[:n] {
		return nil
	}
	at := map[int]bool{}
	var enter func(i int)
	enter = func(i int) {
		if at[i] {
			return
		}
		at[i] = true
		if i < len(pattern) && pattern[i] == '*' {
			enter(i + 1)
		}
	}
	enter(0)
	for j := range len(text) {
		before := at
		at = map[int]bool{}
		for i := range before {
			switch {
			case i == len(pattern):
			case pattern[i] == '*':
				enter(i)
			case pattern[i] == '?' || pattern[i] == text[j]:
				enter(i + 1)
			}
		}
	}
	var list []int
	for i := range at {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}
