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
	deny := s.Effect == Deny
	if (len(s.Action) > 0) == (len(s.NotAction) > 0) {
		return deny // neither or both: not a statement of IAM's grammar
	}
	if len(s.Action) > 0 {
		return e.actionIn(s.Action, deny)
	}
	return !e.actionIn(s.NotAction, !deny)
}

// Inert is the statement as it is, save that no request has its action.
func (s Statement) Inert() Statement {
	s.Action, s.NotAction = []string{"xshare:Nothing"}, nil
	return s
}

// actionIn compares the request's action with a list of patterns. AWS takes no
// wildcard in the service's name; wide lets such a pattern match all the same.
func (e *evaluation) actionIn(list []string, wide bool) bool {
	for _, a := range list {
		if MatchAction(a, e.req.Action) && (wide || !wildService(a)) {
			return true
		}
	}
	return false
}

// wildService tells actions such as "*:Get*", which IAM refuses: "action
// vendors must not contain wildcards".
func wildService(action string) bool {
	service, _, found := strings.Cut(action, ":")
	return found && HasWildcard(service)
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
		p := pattern{text: r}
		if variables {
			if at := strings.Index(r, "${"); at >= 0 {
				if strings.Count(r[:at], ":") < arnParts-1 {
					result = unknown // variables belong behind the fifth colon
					continue
				}
				var v verdict
				if p, v = e.expand(r, true); v == yes && p.wildValue {
					v = unknown
				}
				if v != yes {
					result = max(result, v) // no, or unknown
					continue
				}
			}
		}
		if e.resourceMatchesPattern(&p, wide) {
			return yes
		}
	}
	return result
}

func (e *evaluation) resourceMatchesPattern(p *pattern, wide bool) bool {
	resource := e.req.Resource
	if resource == "*" {
		if e.service != "s3" {
			return wide && p.matches(resource) // "*" itself was looked at
		}
		// ListAllMyBuckets is granted on "*" or on all buckets
		// (S3:example-policies-s3 and others; only
		// IAM:reference_policies_elements_notaction has it otherwise).
		resource = "arn:" + e.who.partition + ":s3:::*"
		if !wide {
			return p.text == resource || p.text == "arn:*:s3:::*"
		}
	}
	if !wide {
		return p.covers(resource, e.completes)
	}
	if p.matches(resource) {
		return true
	}
	// A wildcard may reach over colons, and missing parts mean any.
	if strings.Count(p.text, ":") >= arnParts-1 {
		return false
	}
	longer := pattern{text: p.text + ":*", literal: p.literal}
	return longer.matches(resource)
}
