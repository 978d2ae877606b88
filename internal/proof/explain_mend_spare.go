package proof

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// How a Deny that nobody can be excepted from is mended.
//
// Premise: a Deny that is about more than what is asked, such as one that keeps
// a role within its own buckets, stays: what is asked is excepted from it, by
// its resources or its actions. One that is about nothing else may go.

// isMore reports whether a statement is about more than what is asked.
func (x *explainer) isMore(s iampolicy.Statement) bool {
	actions, resources := map[string]bool{}, map[string]bool{}
	for _, a := range x.requests() {
		actions[strings.ToLower(a.req.Action)] = true
		resources[a.req.Resource], resources[a.call.promised] = true, true
	}
	return len(s.NotAction)+len(s.NotResource) > 0 ||
		slices.ContainsFunc(s.Action, func(action string) bool { return !actions[strings.ToLower(action)] }) ||
		slices.ContainsFunc(s.Resource, func(resource string) bool { return !resources[resource] })
}

// sparing is a Deny without what is asked, or nil where that cannot be said.
func (x *explainer) sparing(r iampolicy.Reason, s iampolicy.Statement) json.RawMessage {
	if len(s.Unknown) > 0 {
		return nil
	}
	var resources, actions []string
	for _, a := range x.requests() {
		if !slices.ContainsFunc(a.best.Reasons, func(other iampolicy.Reason) bool {
			return other.Effect == iampolicy.Deny && other.Policy == r.Policy && other.Statement == r.Statement
		}) {
			continue
		}
		actions = append(actions, strings.ToLower(a.req.Action))
		switch {
		case len(s.NotResource) > 0 && !a.key:
			resources = append(resources, x.bucketARN(), x.bucketARN()+"/*")
		default:
			resources = append(resources, strings.ReplaceAll(a.call.promised, "${", "${$}{"))
		}
	}
	slices.Sort(resources)
	resources = slices.Compact(resources)
	without := func(list, out []string, fold func(string) string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(one string) bool { return slices.Contains(out, fold(one)) })
	}
	same := func(s string) string { return s }
	switch {
	case len(s.NotResource) > 0:
		s.NotResource = append(without(s.NotResource, resources, same), resources...)
	case slices.Equal(s.Resource, []string{"*"}):
		s.Resource, s.NotResource = nil, resources
	case len(without(s.Resource, resources, same)) == 0: // all of it is about these, so the actions are more
		if s.Action = without(s.Action, actions, strings.ToLower); len(s.Action) == 0 || slices.ContainsFunc(s.Action, func(a string) bool {
			return slices.ContainsFunc(actions, func(asked string) bool { return iampolicy.MatchAction(a, asked) })
		}) {
			return nil
		}
	default:
		rest := without(s.Resource, resources, same)
		if len(rest) == len(s.Resource) || slices.ContainsFunc(rest, func(one string) bool { return strings.ContainsAny(one, "*?$") }) {
			return nil // a pattern may hold what is asked
		}
		s.Resource = rest
	}
	return statementJSON(s)
}
