package iampolicy

import "strings"

// reach is how far a statement agrees with a request: the first part that does
// not match says what a reason tells people.
type reach int

const (
	reachNone reach = iota
	reachPrincipal
	reachAction
	reachResource
	reachConditions
	reachAll
)

// missing says which part of a statement stopped the match.
func (r reach) missing() string {
	switch r {
	case reachNone:
		return "does not name the caller"
	case reachPrincipal:
		return "does not name the action"
	case reachAction:
		return "names the action but not the resource"
	case reachResource:
		return "names the action and the resource but its conditions do not hold"
	default:
		return "has parts that are not understood, so it allows nothing"
	}
}

// matches compares all but the principal.
func (e *evaluation) matches(s *Statement, variables bool) reach {
	if !e.actionMatches(s) {
		return reachPrincipal
	}
	if !e.resourceMatches(s, variables) {
		return reachAction
	}
	if !e.conditionsHold(s, variables) {
		return reachResource
	}
	if len(s.Unknown) > 0 && s.Effect != Deny {
		return reachConditions
	}
	return reachAll
}

func (e *evaluation) actionMatches(s *Statement) bool {
	if (len(s.Action) > 0) == (len(s.NotAction) > 0) {
		return s.Effect == Deny // neither or both: not a statement of IAM's grammar
	}
	for _, a := range s.Action {
		if matchAction(a, e.req.Action) {
			return true
		}
	}
	for _, a := range s.NotAction {
		if matchAction(a, e.req.Action) {
			return false
		}
	}
	return len(s.NotAction) > 0
}

func (e *evaluation) resourceMatches(s *Statement, variables bool) bool {
	deny := s.Effect == Deny
	switch {
	case len(s.Resource) > 0 && len(s.NotResource) > 0:
		return deny
	case len(s.Resource) > 0:
		return e.resourceIn(s.Resource, variables, deny).holds(s.Effect)
	case len(s.NotResource) > 0:
		switch e.resourceIn(s.NotResource, variables, !deny) {
		case yes:
			return false
		case no:
			return true
		}
		return deny
	}
	// A trust policy's statements are about the role that they belong to.
	return deny || e.isTrust()
}

// resourceIn compares the request's resource with a list of patterns
// (IAM:reference_policies_elements_resource). Where AWS does not say how far a
// pattern reaches, wide takes the further reading.
func (e *evaluation) resourceIn(list []string, variables, wide bool) verdict {
	result := no
	for _, r := range list {
		if r == "*" {
			return yes
		}
		if before, _, found := strings.Cut(r, "${"); variables && found && strings.Count(before, ":") < 5 {
			result = unknown // variables belong behind the fifth colon
			continue
		}
		p, v := e.expand(r, variables)
		switch {
		case v == unknown:
			result = unknown
		case v == yes && e.resourceMatchesPattern(p, wide):
			return yes
		}
	}
	return result
}

// resourceMatchesPattern lets a wildcard reach over a colon only where it is
// the last character of its part of the ARN.
func (e *evaluation) resourceMatchesPattern(p pattern, wide bool) bool {
	resource := e.req.Resource
	if resource == "*" && e.service == "s3" {
		// ListAllMyBuckets is granted on "*" or on all buckets (S3:example-policies-s3).
		return strings.HasPrefix(p.text, "arn:") && strings.HasSuffix(p.text, ":s3:::*")
	}
	whole := p.matches(resource)
	if wide {
		// Missing parts of an ARN mean any.
		return whole || strings.Count(p.text, ":") < 5 && pattern{text: p.text + ":*", literal: p.literal}.matches(resource)
	}
	if !whole {
		return false
	}
	colons := 0
	for i := 0; i < len(p.text) && colons < 5; i++ {
		switch p.text[i] {
		case ':':
			colons++
		case '*', '?':
			if i+1 < len(p.text) && p.text[i+1] != ':' || p.text[i] == '?' {
				return p.compareARN(resource) == yes
			}
		}
	}
	return true
}
