package access

import (
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// The documents that are compared: what is live, what is to be, and what the
// shares ask for.
const (
	from = iota
	to
	grants
	documents
)

// diff compares two policies of one resource, a bucket or a role.
type diff struct {
	partition string
	resource  string // ARN of the bucket or the role
	owner     string // the account that it is in
	trust     bool   // it is a role, and the policies say who may assume it
	rules     []*rule
	// restricted: Block Public Access keeps other accounts out, since the
	// document is public.
	restricted [grants]bool

	unstable []*rule                   // those that name others than before
	actions  map[*rule]map[string]bool // see ruleActions
	values   map[string][]keyCell      // see keyCells
	places   map[string]*placeCells    // see placesOf
}

// rule is what statements say that differ only in whom they name.
type rule struct {
	index     int
	s         iampolicy.Statement // without Sid and Principal
	variables bool                // its Version knows policy variables
	named     [documents][]*iampolicy.Statement
}

// isStable reports whether the rule names the same principals before and after.
func (r *rule) isStable() bool {
	var names [grants]map[string]bool
	for document := range names {
		names[document] = map[string]bool{}
		for _, s := range r.named[document] {
			if s.Principal == nil { // all of it is in the rule: see Meaning
				names[document][""] = true
				continue
			}
			p := s.Principal
			if p.Any {
				names[document]["*"] = true
			}
			for kind, list := range [][]string{p.AWS, p.Service, p.Federated, p.CanonicalUser} {
				for _, name := range list {
					names[document][string(rune('0'+kind))+name] = true
				}
			}
		}
	}
	return maps.Equal(names[from], names[to])
}

// addRules notes the statements of a document.
func (d *diff) addRules(document int, doc *iampolicy.Document) {
	if doc == nil {
		return
	}
	byText := map[string]*rule{}
	for _, r := range d.rules {
		byText[r.text()] = r
	}
	for i := range doc.Statements {
		s := &doc.Statements[i]
		bare := *s
		bare.Sid, bare.Principal, bare.Raw = "", nil, nil
		r := &rule{index: len(d.rules), s: bare, variables: doc.Version == iampolicy.Version2012}
		if known := byText[r.text()]; known != nil {
			r = known
		} else {
			byText[r.text()] = r
			d.rules = append(d.rules, r)
		}
		r.named[document] = append(r.named[document], s)
	}
}

func (r *rule) text() string {
	text := r.s.Meaning()
	if r.variables && strings.Contains(text, "${") {
		return "variables " + text
	}
	return text
}

func (r *rule) denies() bool { return r.s.Effect == iampolicy.Deny }

// generic is a caller from outside, of whom nothing is asked but what a
// condition or a resource says.
func (d *diff) generic() iampolicy.Caller {
	const account = "000000000000"
	return iampolicy.Caller{Kind: iampolicy.Role, Account: account, ARN: "arn:" + d.partition + ":iam::" + account + ":role/x"}
}

var (
	everybody = &iampolicy.Principals{Any: true}
	allowAll  = iampolicy.Statement{Effect: iampolicy.Allow, Principal: everybody, Action: []string{"*"}, Resource: []string{"*"}}
	allowMe   = []iampolicy.Named{{Name: "identity", Document: &iampolicy.Document{
		Version:    iampolicy.Version2012,
		Statements: []iampolicy.Statement{{Effect: iampolicy.Allow, Action: []string{"*"}, Resource: []string{"*"}}},
	}}}
)

// applies reports whether a statement, by itself, allows or denies a request.
// So the evaluator alone decides what matches. identity: the caller's own
// policies allow everything; without it they allow nothing.
func (d *diff) applies(s iampolicy.Statement, variables bool, req iampolicy.Request, identity bool) bool {
	doc := &iampolicy.Document{Version: iampolicy.Version2008, Statements: []iampolicy.Statement{s}}
	if variables {
		doc.Version = iampolicy.Version2012
	}
	if s.Effect == iampolicy.Deny {
		doc.Statements = []iampolicy.Statement{allowAll, s}
	}
	p := iampolicy.Policies{Resource: &iampolicy.Named{Document: doc}}
	if identity {
		p.Identity = allowMe
	}
	decision := iampolicy.Evaluate(req, p)
	if s.Effect == iampolicy.Deny {
		return decision.Outcome == iampolicy.ExplicitDeny
	}
	return decision.Allowed()
}

// request is one of the caller, of which all but the caller is open.
func (d *diff) request(c iampolicy.Caller, context map[string][]string) iampolicy.Request {
	req := iampolicy.Request{Caller: c, ResourceAccount: d.owner, Context: context, Action: "s3:GetObject", Resource: d.resource + "/x"}
	if d.trust {
		req.Action, req.Resource = assumeRole, d.resource
	}
	return req
}

// whole is the statement s with all its parts as wide as can be, but those that
// keep puts back.
func (d *diff) whole(s iampolicy.Statement, keep func(wide *iampolicy.Statement)) iampolicy.Statement {
	wide := iampolicy.Statement{Effect: s.Effect, Principal: everybody, Action: []string{"*"}}
	if !d.trust {
		wide.Resource = []string{"*"}
	}
	keep(&wide)
	return wide
}

// names reports whether a statement is about the caller.
func (d *diff) names(s *iampolicy.Statement, c *caller, identity bool) bool {
	if c.same && c.iam.Kind == iampolicy.Root && s.Effect == iampolicy.Allow {
		return false // it may do anyhow what is not denied
	}
	if s.NotPrincipal == nil && len(s.Unknown) == 0 && s.Principal != nil {
		switch {
		case s.Effect == iampolicy.Deny && s.Principal.Any:
			return true
		case !c.mayBeIn(s.Principal):
			return false
		}
	}
	return d.applies(d.whole(*s, func(wide *iampolicy.Statement) {
		wide.Principal, wide.NotPrincipal, wide.Unknown = s.Principal, s.NotPrincipal, s.Unknown
	}), false, d.request(c.iam, c.context), identity)
}

// mayBeIn spares the evaluator the question whether a list of principals names
// the caller, where it has none of the caller's names.
func (c *caller) mayBeIn(p *iampolicy.Principals) bool {
	if p.Any || len(p.Federated)+len(p.CanonicalUser) > 0 {
		return true
	}
	for _, entry := range p.AWS {
		switch {
		case entry == "*", entry == c.iam.Account, entry == c.iam.ARN, entry == c.iam.RoleARN, strings.HasSuffix(entry, c.root):
			return true
		}
	}
	return slices.Contains(p.Service, c.iam.ARN)
}

// matchesResource reports whether a statement is about a resource.
func (d *diff) matchesResource(s iampolicy.Statement, variables bool, resource string) bool {
	req := d.request(d.generic(), nil)
	if req.Resource = resource; resource == d.resource && !d.trust {
		req.Action = "s3:ListBucket" // the bucket itself; any action that it has
	}
	return d.applies(d.whole(s, func(wide *iampolicy.Statement) {
		wide.Resource, wide.NotResource = s.Resource, s.NotResource
	}), variables, req, true)
}

// holds reports whether a condition of a statement holds in a context.
func (d *diff) holds(effect iampolicy.Effect, c iampolicy.Condition, variables bool, context map[string][]string) bool {
	return d.applies(d.whole(iampolicy.Statement{Effect: effect}, func(wide *iampolicy.Statement) {
		wide.Condition = []iampolicy.Condition{c}
	}), variables, d.request(d.generic(), context), true)
}

// matchesAction reports whether a statement is about an action.
func matchesAction(s iampolicy.Statement, action string) bool {
	if (len(s.Action) > 0) == (len(s.NotAction) > 0) {
		return s.Effect == iampolicy.Deny // see iampolicy: not of IAM's grammar
	}
	in := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return iampolicy.MatchAction(p, action) })
	}
	if len(s.Action) > 0 {
		return in(s.Action)
	}
	return !in(s.NotAction)
}
