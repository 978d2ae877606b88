package iampolicy

import "strings"

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
	f := finding{statement: -1, policies: len(policies)}
	for i := range policies {
		p := &policies[i]
		if f.policy == "" {
			f.policy = p.Name
		}
		if p.Document == nil {
			e.problem = "there is no document for " + nameOf(side, p.Name)
			return f
		}
		variables := p.Document.Version == Version2012
		for j := range p.Document.Statements {
			e.statement(&f, side, p.Name, &p.Document.Statements[j], j, variables)
		}
	}
	return f
}

func (e *evaluation) statement(f *finding, side Side, policy string, s *Statement, index int, variables bool) {
	if s.Effect != Allow && s.Effect != Deny {
		e.problem = s.label(index) + " of " + nameOf(side, policy) + ` has the effect "` + string(s.Effect) + `"`
		return
	}
	g := e.principal(side, policy, s, index)
	r := reachNone
	if g != 0 {
		r = e.matches(s, variables)
	}
	switch {
	case s.Effect == Deny && r == reachAll && !e.rootKeepsPolicy(side):
		e.denied = true
		e.lacking[sideIndex(side)] = true
		e.reasons = append(e.reasons, Reason{
			Side: side, Effect: Deny, Policy: policy, Sid: s.Sid, Statement: index,
			Text: nameOf(side, policy) + ", " + s.label(index) + ", denies " + e.req.Action + " on " + e.req.Resource,
		})
	case s.Effect == Allow && r == reachAll:
		if f.granted == 0 {
			f.policy, f.sid, f.statement = policy, s.Sid, index
		}
		f.granted |= g
	case s.Effect == Allow && f.granted == 0 && (r > f.near.reach || f.near.statement == nil):
		f.near = nearMiss{statement: s, index: index, policy: policy, reach: r}
	}
}

// principal matches the statement's principal, where this side has one.
func (e *evaluation) principal(side Side, policy string, s *Statement, index int) grant {
	named := s.Principal != nil || s.NotPrincipal != nil
	switch side {
	case SideResource:
		if !named && len(s.Unknown) == 0 {
			e.problem = s.label(index) + " of " + nameOf(side, policy) + " has no Principal, which every resource policy needs"
			return 0
		}
	case SideEndpoint:
		if !named {
			return byAny
		}
	case SideRCP:
		return byAny // the Principal of an RCP is always "*"
	default:
		if named {
			e.problem = s.label(index) + " of " + nameOf(side, policy) + " has a Principal, which only resource policies have"
			return 0
		}
		return byAccount
	}
	var g grant
	if s.Principal != nil {
		g = e.principalsMatch(s.Principal, s.Effect)
	}
	if s.NotPrincipal != nil && e.notPrincipalMatches(s.NotPrincipal, s.Effect) {
		g |= byAny
	}
	if g == 0 && s.Effect == Deny && len(s.Unknown) > 0 {
		g = byAny
	}
	return g
}

// rootKeepsPolicy: the root user of a bucket's account can always read, write
// and delete its policy, even where the policy denies it (S3:API_PutBucketPolicy).
func (e *evaluation) rootKeepsPolicy(side Side) bool {
	return side == SideResource && e.who.kind == Root && e.who.account == e.owner && ownPolicy[strings.ToLower(e.req.Action)]
}

// lack records that a side does not allow, with the reason.
func (e *evaluation) lack(side Side, f *finding, why string) {
	e.lacking[sideIndex(side)] = true
	r := Reason{Side: side, Statement: -1, Text: why}
	if f != nil {
		r.Policy = f.policy
		r.Text = f.silence(side, e.req)
	}
	e.reasons = append(e.reasons, r)
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

func (e *evaluation) reportAllow(side Side, f finding) {
	if f.granted == 0 {
		return
	}
	text := f.why
	if text == "" {
		s := Statement{Sid: f.sid}
		text = nameOf(side, f.policy) + ", " + s.label(f.statement) + ", allows " + e.req.Action + " on " + e.req.Resource
	}
	e.reasons = append(e.reasons, Reason{Side: side, Effect: Allow, Policy: f.policy, Sid: f.sid, Statement: f.statement, Text: text})
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
