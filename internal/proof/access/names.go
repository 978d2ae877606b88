package access

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// found is one thing that a caller gains or loses, by names.
type found struct {
	action, resource string
	when             when
	unasked          bool
}

// id is the same for all callers that gain or lose this.
func (f found) id() string {
	f.when.except = nil
	id := f.resource + "\n" + f.action + "\n" + f.when.words()
	if f.unasked {
		id += "\nunasked"
	}
	return id
}

// found are a caller's lines by names: as few patterns of the policies as say
// it exactly.
func (d *diff) found(c *caller, p *placeCells, lines []*line, actions []action) []found {
	var list []found
	for _, line := range lines {
		type named struct {
			name    placeName
			objects bool
			actions map[string]bool
		}
		byName := map[string]*named{}
		names := map[string][]placeName{} // by places
		for _, action := range sortedKeys(line.at) {
			for _, objects := range []bool{false, true} {
				in := make([]bool, len(p.places))
				for i, place := range p.places {
					in[i] = line.at[action][i] && place.isObject == objects
				}
				if !slices.Contains(in, true) {
					continue
				}
				k := bits(in)
				if names[k] == nil {
					names[k] = p.names(in)
				}
				for _, name := range names[k] {
					if byName[name.id()] == nil {
						byName[name.id()] = &named{name, objects, map[string]bool{}}
					}
					byName[name.id()].actions[action] = true
				}
			}
		}
		for _, id := range sortedKeys(byName) {
			n := byName[id]
			when := line.when
			when.within, when.outside = n.name.within, n.name.outside
			for _, action := range d.actionNames(c, n.actions, n.objects, actions) {
				when.but = action.but
				list = append(list, found{action.pattern, n.name.pattern, when, line.unasked})
			}
		}
	}
	return list
}

// actionName calls some actions by a pattern.
type actionName struct {
	pattern string
	but     []string // actions that it stands for and that are not meant
}

// mostBut is how many actions a pattern may be too wide by.
const mostBut = 4

// actionNames calls a set of actions by the policies' patterns where these
// stand for little else, and else by their names.
func (d *diff) actionNames(c *caller, set map[string]bool, objects bool, actions []action) []actionName {
	left := map[string]bool{}
	for name := range set {
		left[name] = true
	}
	patterns := []string{}
	for _, r := range d.rules {
		patterns = append(patterns, r.s.Action...)
	}
	var names []actionName
	for _, pattern := range append(patterns, "s3:*") {
		if !hasWildcard(pattern) {
			continue
		}
		var taken, but []string
		for _, a := range actions {
			switch {
			case !(objects && a.objects || !objects && a.bucket), !iampolicy.MatchAction(pattern, a.name), d.isNeverGiven(a, c):
			case !set[a.name]:
				but = append(but, a.name)
			case left[a.name]:
				taken = append(taken, a.name)
			}
		}
		if len(taken) < 2 || len(but) > mostBut || len(taken) <= 3*len(but) {
			continue
		}
		names = append(names, actionName{pattern, but})
		for _, name := range taken {
			delete(left, name)
		}
	}
	for _, name := range sortedKeys(left) {
		names = append(names, actionName{pattern: name})
	}
	return names
}

// isNeverGiven reports whether an action is not the policy's to give or take.
func (d *diff) isNeverGiven(a action, c *caller) bool {
	return a.own && (!c.same || c.iam.Kind == iampolicy.Root)
}

// placeName calls some resources by a pattern.
type placeName struct {
	pattern         string
	within, outside []string
}

func (n placeName) id() string {
	return n.pattern + "\n" + strings.Join(n.within, "\n") + "\n\n" + strings.Join(n.outside, "\n")
}

// names calls a set of places by the policies' patterns.
func (p *placeCells) names(set []bool) []placeName {
	if set[0] { // the bucket, or the role
		return []placeName{{pattern: p.places[0].arn}}
	}
	objects := states(slices.Clone(set))
	for i, place := range p.places {
		objects[i] = place.isObject
	}
	var names []placeName
	left := states(slices.Clone(set))
	for {
		best, most := -1, 0
		for i, l := range p.labels {
			in := objects.and(l.in)
			if n := left.and(in).count(); n > most && !in.minus(set).any() {
				best, most = i, n
			}
		}
		if best < 0 {
			break
		}
		names = append(names, placeName{pattern: p.labels[best].pattern})
		left = left.minus(p.labels[best].in)
	}
	for left.any() {
		name, in := p.carved(objects, set, slices.Index(left, true))
		names = append(names, name)
		left = left.minus(in)
	}
	return names
}

// carved is a pattern around one place of a set, without what is not in the
// set; and what the name stands for.
func (p *placeCells) carved(objects, set states, place int) (placeName, states) {
	around, least := -1, 0
	for i, l := range p.labels {
		if n := objects.and(l.in).minus(set).count(); l.in[place] && (around < 0 || n < least) {
			around, least = i, n
		}
	}
	name := placeName{pattern: p.labels[around].pattern}
	in := objects.and(p.labels[around].in)
	for too := in.minus(set); too.any(); too = in.minus(set) {
		best, most := -1, 0
		for i, l := range p.labels {
			if n := too.and(l.in).count(); n > most && !in.and(set).and(l.in).any() {
				best, most = i, n
			}
		}
		if best < 0 {
			return p.corner(objects, around, place)
		}
		name.outside = append(name.outside, p.labels[best].pattern)
		in = in.minus(p.labels[best].in)
	}
	return name, in
}

// corner calls one place by all patterns that it is within and outside of.
func (p *placeCells) corner(objects states, around, place int) (placeName, states) {
	name := placeName{pattern: p.labels[around].pattern}
	in := objects.and(p.labels[around].in)
	for _, l := range p.labels {
		if l.in[place] && in.minus(l.in).any() {
			name.within = append(name.within, l.pattern)
			in = in.and(l.in)
		}
	}
	for _, l := range p.labels {
		if !l.in[place] && in.and(l.in).any() {
			name.outside = append(name.outside, l.pattern)
			in = in.minus(l.in)
		}
	}
	return name, in
}
