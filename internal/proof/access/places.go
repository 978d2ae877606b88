package access

import (
	"slices"
	"strings"
	"sync"

	"github.com/xshare/xshare/internal/iampolicy"
)

// action is an action, and on what kind of resource it is asked for.
type action struct {
	name            string
	bucket, objects bool
	own             bool // AWS gives it to nobody but callers of the bucket's account
}

// s3Actions are the actions on buckets and objects that there are.
var s3Actions = sync.OnceValue(func() []action {
	var list []action
	for _, a := range iampolicy.MatchS3Actions("*") {
		if a.Level == iampolicy.BucketLevel || a.Level == iampolicy.ObjectLevel {
			list = append(list, action{
				name: a.Name, own: iampolicy.OwnersOnly(a.Name),
				bucket: a.Level == iampolicy.BucketLevel, objects: a.Level == iampolicy.ObjectLevel,
			})
		}
	}
	return slices.Clip(list)
})

// actionsOf lists the actions that there are on the resource: S3's, and those
// that only a policy names.
func (d *diff) actionsOf() []action {
	if d.trust {
		return []action{{name: assumeRole, bucket: true}}
	}
	list := s3Actions()
	added := map[string]bool{}
	for _, r := range d.rules {
		for _, name := range slices.Concat(r.s.Action, r.s.NotAction) {
			lower := strings.ToLower(name)
			if _, known := iampolicy.LookupS3Action(name); known || hasWildcard(name) || added[lower] || !strings.HasPrefix(lower, "s3:") || lower == "s3:" {
				continue
			}
			added[lower] = true
			list = append(list, action{name: name, bucket: true, objects: true})
		}
	}
	return list
}

// placeCells are the resources that some statements tell apart, and the
// patterns to call them by.
type placeCells struct {
	places []place
	in     [][]bool // by statement and place: it is about it
	labels []placeLabel
}

// place is one resource for all that are not told apart.
type place struct {
	arn      string
	isObject bool
}

type placeLabel struct {
	pattern string
	in      []bool // by place
}

// fits reports whether an action is asked for on such a resource.
func (a action) fits(p place) bool { return p.isObject && a.objects || !p.isObject && a.bucket }

// placesOf are the resources that the members' statements tell apart.
func (d *diff) placesOf(members []*member) (*placeCells, error) {
	name := ""
	for _, m := range members {
		name += string(m.s.Effect) + strings.Join(m.s.Resource, "\n") + "\n!" + strings.Join(m.s.NotResource, "\n") + "\n\n"
		if m.rule.variables {
			name += "v"
		}
	}
	if p := d.places[name]; p != nil {
		return p, nil
	}
	p := &placeCells{places: []place{{arn: d.resource}}}
	if !d.trust {
		objects, err := d.objectPlaces(members)
		if err != nil {
			return nil, err
		}
		p.places = append(p.places, objects...)
	}
	texts := []string{d.resource, d.resource + "/*"}
	for _, m := range members {
		in := make([]bool, len(p.places))
		for i, place := range p.places {
			in[i] = d.trust || d.matchesResource(m.s, m.rule.variables, place.arn)
		}
		p.in = append(p.in, in)
		for _, text := range slices.Concat(m.s.Resource, m.s.NotResource) {
			if head, full := headOf(text); full && hasWildcard(head) {
				// What it is for an Allow, which takes it part by part.
				own, _ := headOf(d.resource)
				texts = append(texts, own+strings.TrimPrefix(text, head))
			}
			texts = append(texts, text)
		}
	}
	seen := map[string]bool{}
	for _, text := range texts {
		if seen[text] {
			continue
		}
		seen[text] = true
		l := placeLabel{text, make([]bool, len(p.places))}
		for i, place := range p.places {
			l.in[i] = iampolicy.MatchText(text, place.arn)
		}
		p.labels = append(p.labels, l)
	}
	if d.places == nil {
		d.places = map[string]*placeCells{}
	}
	d.places[name] = p
	return p, nil
}

// objectPlaces are the objects that the statements tell apart. A pattern is
// taken in both ways in which the evaluator may take it: as a whole and part by
// part, and with all that may be missing at its end.
func (d *diff) objectPlaces(members []*member) ([]place, error) {
	var patterns [][]token
	seen := map[string]bool{}
	for _, m := range members {
		for _, text := range slices.Concat(m.s.Resource, m.s.NotResource) {
			if seen[text] {
				continue
			}
			seen[text] = true
			whole := tokens(text, m.rule.variables)
			patterns = append(patterns, whole)
			head, full := headOf(text)
			switch {
			case !full:
				patterns = append(patterns, append(slices.Clone(whole), exactly(":")[0], token{many: true}))
			case hasWildcard(head):
				patterns = append(patterns, byParts(whole))
			}
		}
	}
	objects := append(exactly(d.resource+"/"), token{one: true}, token{many: true})
	cells, err := cellsOf([][]token{objects}, patterns, d.resource+"/")
	if err != nil {
		return nil, err
	}
	var places []place
	for _, c := range cells {
		places = append(places, place{c.text, true})
	}
	return places, nil
}
