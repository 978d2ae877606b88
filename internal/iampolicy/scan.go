package iampolicy

import "strconv"

// finding is what the policies of one side say of a request.
type finding struct {
	granted   grant // 0: nothing allows
	policy    string
	sid       string
	statement int    // that allows; -1: none does by itself
	policies  int    // how many there are
	why       string // what grants, where no policy does
	near      nearMiss
}

// nearMiss is the Allow that comes closest to the request.
type nearMiss struct {
	statement *Statement // nil: there is no Allow
	index     int
	policy    string
	reach     reach
}

// scan looks through the policies of one side. Denies are recorded at once.
func (e *evaluation) scan(side Side, policies []Named) finding {
	f := finding{statement: -1}
	for i := range policies {
		e.scanPolicy(&f, side, &policies[i])
	}
	return f
}

func (e *evaluation) scanPolicy(f *finding, side Side, p *Named) {
	if f.policies++; f.policy == "" {
		f.policy = p.Name
	}
	if p.Document == nil {
		e.problem = "there is no document for " + nameOf(side, p.Name)
		return
	}
	e.completes = side == SideIdentity || side == SideBoundary
	variables := p.Document.Version == Version2012
	use := principalUse(side)
	for i := range p.Document.Statements {
		s := &p.Document.Statements[i]
		allow := s.Effect == Allow
		deny := !allow && s.Effect == Deny
		var g grant
		if use == ofResource && s.Principal != nil && s.NotPrincipal == nil && len(s.Unknown) == 0 {
			g = e.principalsMatch(s.Principal, deny) // what principal does with the usual statement
		} else {
			g = e.principal(use, s, deny)
		}
		r := reachNone
		if g != 0 {
			r = e.matches(s, variables)
		}
		switch {
		case g == misplaced && use == noPrincipal:
			e.problem = s.label(i) + " of " + nameOf(side, p.Name) + " has a Principal, which only resource policies have"
		case g == misplaced:
			e.problem = s.label(i) + " of " + nameOf(side, p.Name) + " has no Principal, which every resource policy needs"
		case allow:
			if r == reachAll {
				if f.granted == 0 {
					f.policy, f.sid, f.statement = p.Name, s.Sid, i
				}
				f.granted |= g
			} else if f.near.statement == nil || r > f.near.reach {
				f.near = nearMiss{statement: s, index: i, policy: p.Name, reach: r}
			}
		case !deny:
			e.problem = s.label(i) + " of " + nameOf(side, p.Name) + ` has the effect "` + string(s.Effect) + `"`
		case r == reachAll && !e.rootKeepsPolicy(side):
			e.deny(side, p.Name, s, i)
		}
	}
}

// use says what a side's policies do with principals.
type use uint8

const (
	noPrincipal  use = iota // the policy is the caller's
	ofResource              // each statement has one
	ofEndpoint              // a statement may have one
	anyPrincipal            // the Principal of an RCP is always "*"
)

func principalUse(side Side) use {
	switch side {
	case SideResource:
		return ofResource
	case SideEndpoint:
		return ofEndpoint
	case SideRCP:
		return anyPrincipal
	}
	return noPrincipal
}

// principal matches the statement's principal, where this side has one.
func (e *evaluation) principal(use use, s *Statement, deny bool) (g grant) {
	switch {
	case use == anyPrincipal:
		return byAny
	case s.Principal == nil && s.NotPrincipal == nil:
		switch {
		case use == noPrincipal:
			return byAccount
		case use == ofEndpoint:
			return byAny
		case len(s.Unknown) == 0:
			return misplaced
		}
	case use == noPrincipal:
		return misplaced
	case s.NotPrincipal == nil:
		g = e.principalsMatch(s.Principal, deny)
	case s.Principal != nil: // both: not a statement of IAM's grammar
		if deny {
			return byAny
		}
	case e.notPrincipalMatches(s.NotPrincipal, deny):
		return byAny
	}
	if g == 0 && deny && len(s.Unknown) > 0 {
		return byAny
	}
	if use == ofEndpoint && !deny && e.who.kind != Root {
		// With a gateway endpoint an account's id or ARN is its root user only
		// (VPC:vpc-endpoints-access), and which kind it is nobody says.
		g &^= byAccount
	}
	return g
}

// deny records a Deny that applies.
func (e *evaluation) deny(side Side, policy string, s *Statement, index int) {
	e.denied = true
	e.lacking[sideIndex(side)] = true
	e.reasons = append(e.reasons, Reason{
		Side: side, Effect: Deny, Policy: policy, Sid: s.Sid, Statement: index,
		Text: e.sentence(side, policy, s.Sid, index, "denies "),
	})
}

// lack records that a side does not allow, with the reason.
func (e *evaluation) lack(side Side, f *finding, why string) {
	e.lacking[sideIndex(side)] = true
	r := Reason{Side: side, Statement: -1, Text: why}
	if f != nil {
		r.Policy = f.policy
		r.Text = f.silence(side, &e.req)
	}
	e.reasons = append(e.reasons, r)
}

// lackResource is lack for the resource's policy, which may have no say.
func (e *evaluation) lackResource(f *finding, foreclosed string) {
	if foreclosed != "" {
		f = nil
	}
	e.lack(SideResource, f, foreclosed)
}

// silence is the sentence for a side that does not allow.
func (f *finding) silence(side Side, req *Request) string {
	what := req.Action + " on " + req.Resource
	switch {
	case f.policies == 0:
		return "there is no " + kindOf(side) + " to allow " + what
	case f.near.statement == nil:
		return nameOf(side, f.policy) + " has no Allow statement for " + what
	}
	return "no " + kindOf(side) + " allows " + what + ": " +
		f.near.statement.label(f.near.index) + " of " + nameOf(side, f.near.policy) + " " + f.near.reach.missing()
}

func (e *evaluation) reportAllow(side Side, f *finding) {
	if f.granted == 0 {
		return
	}
	text := f.why
	if text == "" {
		text = e.sentence(side, f.policy, f.sid, f.statement, "allows ")
	}
	e.reasons = append(e.reasons, Reason{Side: side, Effect: Allow, Policy: f.policy, Sid: f.sid, Statement: f.statement, Text: text})
}

// sentence says what a statement does, in one allocation.
func (e *evaluation) sentence(side Side, policy, sid string, index int, does string) string {
	if sid != "" {
		return nameOf(side, policy) + `, statement "` + sid + `", ` + does + e.req.Action + " on " + e.req.Resource
	}
	return nameOf(side, policy) + ", statement number " + strconv.Itoa(index+1) + ", " + does + e.req.Action + " on " + e.req.Resource
}

func nameOf(side Side, policy string) string {
	if policy == "" {
		return "the " + kindOf(side)
	}
	return policy
}

// kindOf is how people call a side's policies.
func kindOf(side Side) string {
	switch side {
	case SideIdentity:
		return "identity policy"
	case SideResource:
		return "resource policy"
	case SideBoundary:
		return "permissions boundary"
	case SideSCP:
		return "service control policy"
	case SideRCP:
		return "resource control policy"
	case SideSession:
		return "session policy"
	}
	return "VPC endpoint policy"
}
