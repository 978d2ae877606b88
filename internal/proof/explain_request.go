package proof

import (
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// explainer explains the requests of one principal.
type explainer struct {
	*prover
	grant    plan.Grant
	sides    *sides
	question *Question // nil: a share's grant
	ours     bool      // what is asked about is promised: an apply mends it
	foreign  bool      // whose the bucket is was not found out
	unlisted []string  // then: the accounts whose buckets could not be listed, and why
	stated   bool      // a spec says how the role is used
}

// request is a call as the principal makes it.
func (x *explainer) request(c call) iampolicy.Request {
	req := x.prover.request(x.grant, x.sides.role, c)
	q := x.question
	if q == nil {
		return req
	}
	switch q.kind {
	case iampolicy.Session:
		req.Caller.ARN = q.Principal
		if id := iampolicy.DefaultContext(req, time.Time{})["aws:userid"]; id != nil {
			req.Context["aws:userid"] = id
		}
	case iampolicy.User:
		req.Caller = iampolicy.Caller{Kind: iampolicy.User, ARN: q.Principal, Account: q.account}
		x.defaults(&req)
		req.Context["aws:username"] = []string{q.name}
		if user := x.sides.user; user != nil {
			req.Caller.UniqueID = user.UniqueID
			req.Context["aws:userid"] = []string{user.UniqueID}
			for k, v := range user.Tags {
				req.Context["aws:PrincipalTag/"+k] = []string{v}
			}
		}
	case iampolicy.Root:
		req.Caller = iampolicy.Caller{Kind: iampolicy.Root, ARN: q.Principal, Account: q.account}
		x.defaults(&req)
		req.Context["aws:userid"] = []string{q.account}
	case iampolicy.Anonymous:
		req.Caller = iampolicy.Caller{Kind: iampolicy.Anonymous}
		delete(req.Context, "aws:PrincipalArn")
		x.defaults(&req)
	}
	if x.foreign {
		delete(req.Context, "aws:ResourceAccount")
		delete(req.Context, "s3:ResourceAccount")
	}
	for key, values := range q.Context {
		for have := range req.Context {
			if strings.EqualFold(have, key) {
				key = have // in one spelling, as a context has each key once
			}
		}
		req.Context[key] = values
	}
	return req
}

// defaults puts what AWS sends for this kind of caller over what it does for a
// session, but for the time, which no proof knows.
func (x *explainer) defaults(req *iampolicy.Request) {
	for key, values := range iampolicy.DefaultContext(*req, time.Time{}) {
		if key != "aws:CurrentTime" && key != "aws:EpochTime" {
			req.Context[key] = values
		}
	}
}

// asked is one request with its decisions.
type asked struct {
	*explainer
	call        call
	on          *sides // of the bucket, or of its key
	key         bool
	req         iampolicy.Request
	known       func(string) bool
	best, worst iampolicy.Decision
}

func (x *explainer) ask(c call) asked {
	return x.decided(asked{explainer: x, call: c, on: x.sides, req: x.request(c)})
}

// askKey is what a call does with the bucket's key; false: nothing that its
// policy decides.
func (x *explainer) askKey(of asked, action string) (asked, bool) {
	k := x.sides.key
	if k.unread != "" || k.key == nil || k.isUnresolved() || k.own && of.req.Caller.Account != k.key.Owner {
		return asked{}, false
	}
	req := x.keyRequest(x.grant, k, of.req, action)
	promised := req.Resource
	if k.own { // its id is not known
		promised = strings.TrimSuffix(promised, awsKey) + "*"
	}
	return x.decided(asked{explainer: x, call: call{action: action, resource: k.called(req), promised: promised}, on: x.sides.onKey(), key: true, req: req}), true
}

func (x *explainer) decided(a asked) asked {
	a.known = a.on.known(a.req)
	a.best = iampolicy.Evaluate(a.req, a.on.atBest(a.known))
	// Unlike in a proof also where it is denied at best: each side is told of.
	a.worst = a.on.decideAtWorst(a.req, a.known)
	return a
}

// requests are all that is asked, a question's one or what a grant promises,
// each with what it does with the bucket's key.
func (x *explainer) requests() []asked {
	var list []call
	if x.question != nil {
		list = []call{x.question.call()}
	} else {
		list = x.calls(x.grant, x.sides)
	}
	var requests []asked
	done := map[string]bool{}
	for _, c := range list {
		a := x.ask(c)
		requests = append(requests, a)
		for _, use := range usesOf(c.action, x.question != nil) {
			// The key is asked about each object by itself, as conditions may tell
			// them apart; one of each outcome is enough.
			if k, ok := x.askKey(a, use.action); ok && !done[use.action+string(k.best.Outcome)] {
				done[use.action+string(k.best.Outcome)] = true
				requests = append(requests, k)
			}
		}
	}
	return requests
}

// foreclosed says why no policy could allow the request, or is empty.
func (a asked) foreclosed() string {
	d := iampolicy.Evaluate(a.req, iampolicy.Policies{
		Identity: []iampolicy.Named{everything(iampolicy.Allow, nil)},
		Resource: &iampolicy.Named{Name: "what was not read", Document: everything(iampolicy.Allow, anybody).Document},
	})
	if d.Allowed() {
		return ""
	}
	return reasonsOf(d, func(r iampolicy.Reason) bool { return r.Effect == "" })[0].Text
}

func reasonsOf(d iampolicy.Decision, is func(iampolicy.Reason) bool) []iampolicy.Reason {
	return slices.DeleteFunc(slices.Clone(d.Reasons), func(r iampolicy.Reason) bool { return !is(r) })
}

// hint says how the question is put so that the conditions are decided that a
// reason names.
func (a asked) hint(reason string) string {
	if a.question == nil {
		return ""
	}
	for _, s := range a.on.all() {
		for _, named := range s.policies {
			for _, statement := range named.Document.Statements {
				for _, key := range unknownKeys(named.Document.Version, statement, a.known) {
					if strings.Contains(reason, key) {
						return "; to ask with a value, add --context " + key + "=…"
					}
				}
			}
		}
	}
	return ""
}

// all are the sides that have policies.
func (s *sides) all() []side {
	return slices.Concat([]side{s.identity, s.boundary, s.resource}, s.scps.levels, s.rcps.levels)
}
