package simulate

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// How condition keys are found that a case should have given.
//
// Premise: a key that a case does not give was not sent, and policies are
// decided by that; but mostly the author only forgot it, or did not know of the
// condition. So a decision tells the keys that are not given, of those
// statements whose other parts match the request, where giving them could make
// the decision another one:
//
//	allowed        a Deny that such a key keeps from matching; an Allow that
//	               matches for the want of it (StringNotEquals, …IfExists,
//	               ForAllValues), if nothing else allows
//	implicitDeny   an Allow, of a side that does not allow, that such a key
//	               keeps from matching
//	explicitDeny   a Deny that matches for the want of it, if nothing else denies
//
// Null asks for absence itself, so it is not counted. Nor is a key that the case
// takes away: it says that it was not sent.

// asking is a statement that asks for keys that the case does not give.
type asking struct {
	side      iampolicy.Side
	statement *iampolicy.Statement
	matches   bool     // as the request is
	keys      []string // for the want of which it matches, or does not
}

// missingKeys are the keys of which a decision tells, as policies spell them.
func (q *simulated) missingKeys(d iampolicy.Decision) []string {
	list := q.asking()
	if len(list) == 0 {
		return nil
	}
	list = slices.DeleteFunc(list, func(a asking) bool {
		denies := a.statement.Effect == iampolicy.Deny
		switch d.Outcome {
		case iampolicy.Allowed:
			return denies == a.matches
		case iampolicy.ImplicitDeny:
			return denies || a.matches || !slices.Contains(d.Lacking, a.side)
		}
		return !denies || !a.matches
	})
	matches := func(a asking) bool { return a.matches }
	if slices.ContainsFunc(list, matches) && q.without(list).Outcome == d.Outcome {
		list = slices.DeleteFunc(list, matches) // others decide as well
	}
	var keys []string
	for _, a := range list {
		keys = append(keys, a.keys...)
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(keys, strings.EqualFold)
}

// of are the policies of a side.
func of(p *iampolicy.Policies, side iampolicy.Side) []iampolicy.Named {
	switch side {
	case iampolicy.SideIdentity:
		return p.Identity
	case iampolicy.SideBoundary:
		return p.Boundary
	case iampolicy.SideSession:
		return p.Session
	case iampolicy.SideEndpoint:
		return p.Endpoint
	case iampolicy.SideSCP:
		return slices.Concat(p.SCPs...)
	case iampolicy.SideRCP:
		return slices.Concat(p.RCPs...)
	}
	if p.Resource != nil {
		return []iampolicy.Named{*p.Resource}
	}
	return nil
}

var policySides = []iampolicy.Side{
	iampolicy.SideIdentity, iampolicy.SideResource, iampolicy.SideBoundary, iampolicy.SideSCP,
	iampolicy.SideRCP, iampolicy.SideSession, iampolicy.SideEndpoint,
}

// asking lists the statements that ask for keys that are not given and whose
// other parts match the request.
func (q *simulated) asking() []asking {
	var list []asking
	for _, side := range policySides {
		for _, named := range of(&q.policies, side) {
			d := named.Document
			for i := range d.Statements {
				if a := q.asks(side, d.Version, &d.Statements[i]); len(a.keys) > 0 {
					list = append(list, a)
				}
			}
		}
	}
	return list
}

func (q *simulated) asks(side iampolicy.Side, version string, s *iampolicy.Statement) asking {
	a := asking{side: side, statement: s}
	expands := version == iampolicy.Version2012
	var wants []iampolicy.Condition // for a key that is not given
	var keysOf [][]string
	for _, c := range s.Condition {
		if keys := q.notGiven(c, expands); keys != nil {
			wants, keysOf = append(wants, c), append(keysOf, keys)
		}
	}
	var variables []string // of resources
	if expands {
		for _, text := range s.Resource {
			variables = append(variables, q.variables(text)...)
		}
	}
	if len(wants)+len(variables) == 0 {
		return a
	}
	rest := *s
	rest.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(c iampolicy.Condition) bool { return q.notGiven(c, expands) != nil })
	if len(variables) > 0 && q.denies(side, version, rest) {
		variables = nil // another of its resources is the request's
	}
	rest.Resource = slices.Clone(s.Resource)
	for i, text := range rest.Resource {
		rest.Resource[i] = q.anyVariable(text)
	}
	if !q.denies(side, version, rest) {
		return a
	}
	a.matches = len(variables) == 0
	held, failed := []string(nil), variables
	for i, c := range wants {
		whole := iampolicy.Statement{Principal: &iampolicy.Principals{Any: true}, Action: []string{"*"}, Resource: []string{"*"}, Condition: []iampolicy.Condition{c}}
		if q.denies(iampolicy.SideResource, version, whole) {
			held = append(held, keysOf[i]...)
			continue
		}
		a.matches = false
		failed = append(failed, keysOf[i]...)
	}
	if a.keys = held; !a.matches {
		a.keys = failed
	}
	return a
}

// denies reports whether a statement, were it a Deny of a side, would match the
// request.
func (q *simulated) denies(side iampolicy.Side, version string, s iampolicy.Statement) bool {
	s.Effect, s.Unknown = iampolicy.Deny, nil
	named := []iampolicy.Named{{Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}}
	var p iampolicy.Policies
	if q.policies.Boundary != nil { // it counts for NotPrincipal that there is one
		p.Boundary = []iampolicy.Named{}
	}
	switch side {
	case iampolicy.SideIdentity:
		p.Identity = named
	case iampolicy.SideBoundary:
		p.Boundary = named
	case iampolicy.SideSession:
		p.Session = named
	case iampolicy.SideEndpoint:
		p.Endpoint = named
	case iampolicy.SideSCP:
		p.SCPs = [][]iampolicy.Named{named}
	case iampolicy.SideRCP:
		p.RCPs = [][]iampolicy.Named{named}
	default:
		p.Resource = &named[0]
	}
	req := q.req
	req.Context = q.contextFor(&s)
	return iampolicy.Evaluate(req, p).Outcome == iampolicy.ExplicitDeny
}

// contextFor is the part of the context that one statement asks for: contexts
// may be long, and statements many.
func (q *simulated) contextFor(s *iampolicy.Statement) map[string][]string {
	out := map[string][]string{}
	add := func(key string) {
		key = strings.ToLower(key)
		if values, ok := q.req.Context[key]; ok {
			out[key] = values
		}
	}
	add("aws:FederatedProvider") // for principals
	for _, text := range slices.Concat(s.Resource, s.NotResource) {
		eachVariable(text, func(key string, _ bool) { add(key) })
	}
	for _, c := range s.Condition {
		add(c.Key)
		for _, text := range c.Values {
			eachVariable(text, func(key string, _ bool) { add(key) })
		}
	}
	return out
}

// without decides the request without the matching ones of some statements.
func (q *simulated) without(list []asking) iampolicy.Decision {
	skip := map[*iampolicy.Statement]bool{}
	for _, a := range list {
		skip[a.statement] = a.matches
	}
	take := func(policies []iampolicy.Named) []iampolicy.Named {
		out := slices.Clone(policies)
		for i, named := range out {
			d := *named.Document
			d.Statements = slices.Clone(d.Statements)
			for j := range d.Statements {
				if skip[&named.Document.Statements[j]] {
					d.Statements[j] = d.Statements[j].Inert()
				}
			}
			out[i].Document = &d
		}
		return out
	}
	p := q.policies
	for _, list := range []*[]iampolicy.Named{&p.Identity, &p.Boundary, &p.Session, &p.Endpoint} {
		*list = take(*list)
	}
	for _, levels := range []*[][]iampolicy.Named{&p.SCPs, &p.RCPs} {
		*levels = slices.Clone(*levels)
		for i := range *levels {
			(*levels)[i] = take((*levels)[i])
		}
	}
	if p.Resource != nil {
		p.Resource = &take([]iampolicy.Named{*p.Resource})[0]
	}
	return iampolicy.Evaluate(q.req, p)
}

// notGiven are the keys that a condition asks for and the case does not give;
// nil: none.
func (q *simulated) notGiven(c iampolicy.Condition, expands bool) []string {
	if strings.EqualFold(c.Operator, "Null") {
		return nil
	}
	var keys []string
	if !q.isGiven(c.Key) {
		keys = append(keys, c.Key)
	}
	if expands {
		for _, text := range c.Values {
			keys = append(keys, q.variables(text)...)
		}
	}
	return keys
}

// isGiven reports whether the request has a key, or the case says that it has
// not.
func (q *simulated) isGiven(key string) bool {
	key = strings.ToLower(key)
	if _, ok := q.given[key]; ok {
		return true
	}
	return len(q.req.Context[key]) > 0
}

// variables are the keys of the policy variables in a text that have neither a
// value nor a default.
func (q *simulated) variables(text string) []string {
	var keys []string
	eachVariable(text, func(key string, hasDefault bool) {
		if !hasDefault && !q.isGiven(key) {
			keys = append(keys, key)
		}
	})
	return keys
}

// anyVariable is a text with * for the variables that have no value.
func (q *simulated) anyVariable(text string) string {
	for _, key := range q.variables(text) {
		before, after, _ := strings.Cut(text, "${"+key+"}")
		text = before + "*" + after
	}
	return text
}

// eachVariable calls f with the keys of a text's policy variables
// (IAM:reference_policies_variables).
func eachVariable(text string, f func(key string, hasDefault bool)) {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return
		}
		text = after
		if name == "*" || name == "?" || name == "$" {
			continue
		}
		key, _, hasDefault := strings.Cut(name, ",")
		f(strings.TrimSpace(key), hasDefault)
	}
}
