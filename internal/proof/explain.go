package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Explanation says of one principal and bucket what is decided and why.
//
// Its verdict is the worst of all its requests', and Denied too where the
// principal is a role that cannot be used.
type Explanation struct {
	Share     string // of a share's grant; with Consumer and Promise empty for a question
	Consumer  string // account/role
	Promise   string // in words
	Principal string // ARN, or "anonymous"
	Bucket    string
	Verdict   Verdict
	// Unreadable: something could not be read that a plan reads too, and not
	// only a proof. That is a failure, whatever the verdict.
	Unreadable bool

	Screens    []Screen
	Use        []Part // whether a role can be had: trust policy, instance profile, instances
	Roots      []Root // why it is denied, or would be of no use
	NotChecked []string
}

// Screen is what every side has to say of requests that fare alike.
type Screen struct {
	Requests []Check // at least one
	Verdict  Verdict
	Parts    []Part
}

// Part is what one side has to say.
type Part struct {
	Side  string // see the Part constants
	State State
	Text  string // which statements, or why; may be empty
}

// The sides of parts, in the order in which they are told.
const (
	PartIdentity = "identity policies"
	PartBoundary = "permissions boundary"
	PartSCP      = "SCPs"
	PartResource = "bucket policy"
	PartRCP      = "RCPs"
	PartBlock    = "Block Public Access"
	PartKey      = "key policy"
	PartTrust    = "trust policy"
	PartProfile  = "instance profile"
	PartInstance = "instances"
)

// State is how a side stands to a request.
type State string

// The states. None: there is nothing of that kind, or it is not needed.
const (
	StateOK         State = "ok"
	StateLacking    State = "lacking"
	StateDenies     State = "denies"
	StateNotChecked State = "notChecked"
	StateNone       State = "none"
)

// Root is a cause that no other cause explains, with its exact mend.
type Root struct {
	Cause
	Fragments []Fragment // of policies that an apply does not mend
}

// Fragment is an edit of one policy, of whole statements: Remove goes out, then
// Add goes in.
type Fragment struct {
	Side    string          // PartIdentity, PartResource, …
	Account string          // 12 digits
	Policy  string          // what to edit, in words
	Remove  json.RawMessage // the statement as it stands; nil: nothing
	Add     json.RawMessage // a statement, with a Sid that the document does not have; nil: nothing
}

// NeverAcrossAccounts is the cause of an action that AWS gives to no other
// account, whatever policies say.
const NeverAcrossAccounts Code = "never-across-accounts"

// RoleUnusable is the cause of a role that nobody can assume.
const RoleUnusable Code = "role-unusable"

// ExplainShare explains each grant of a share, in the order of its consumers.
// snapshots are by account id; see OwnWants.
func ExplainShare(p *plan.Plan, snapshots map[string]*plan.Snapshot, share string) []Explanation {
	var list []Explanation
	pr := newProver(p, snapshots)
	for _, g := range p.Grants {
		if g.Share == share {
			list = append(list, pr.explainGrant(g))
		}
	}
	return list
}

func (p *prover) explainGrant(g plan.Grant) Explanation {
	proof := p.grant(g)
	x := &explainer{prover: p, grant: g, sides: p.read(g), ours: true, stated: true}
	e := Explanation{
		Share: g.Share, Consumer: proof.Consumer, Promise: proof.Promise, Principal: g.RoleARN, Bucket: g.Bucket.Name,
		Verdict: proof.Verdict, Unreadable: x.unreadable(), NotChecked: proof.NotChecked,
	}
	parts := map[string][]Part{}
	for _, a := range x.requests() {
		parts[keyOf(a.req.Action, a.req.Resource, a.call.context)] = a.parts()
	}
	for _, check := range proof.Checks {
		context := check.Context
		if strings.HasPrefix(check.Action, "kms:") {
			context = nil // all calls use the key alike
		}
		if check.Action != assumeRole { // which Use tells of
			e.screen(check, parts[keyOf(check.Action, check.Resource, context)])
		}
	}
	slices.SortStableFunc(e.Screens, func(a, b Screen) int { return gravity[a.Verdict] - gravity[b.Verdict] })
	e.Use = x.use()
	e.Roots = x.roots(proof.Causes)
	return e
}

func keyOf(action, resource string, context map[string]string) string {
	return fmt.Sprint(action, " ", resource, " ", context) // fmt sorts maps by key
}

// screen adds a request, to those that fare alike if there are any: where each
// side stands to them alike. What each side says of them may differ.
func (e *Explanation) screen(check Check, parts []Part) {
	for i := range e.Screens {
		s := &e.Screens[i]
		if s.Verdict != check.Verdict || !slices.EqualFunc(s.Parts, parts, Part.alike) || len(parts) == 0 && s.Requests[0].Reason != check.Reason {
			continue
		}
		s.Requests = append(s.Requests, check)
		for j := range parts {
			s.Parts[j].join(parts[j])
		}
		return
	}
	e.Screens = append(e.Screens, Screen{Requests: []Check{check}, Verdict: check.Verdict, Parts: parts})
}

func (p Part) alike(other Part) bool { return p.Side == other.Side && p.State == other.State }

const andOthers = ", and others"

// join takes in what the side says of one more request. The first text stands
// for all.
func (p *Part) join(other Part) {
	if first := strings.TrimSuffix(p.Text, andOthers); first != other.Text {
		p.Text = first + andOthers
	}
}

// Explain answers a question. p is the plan of the shares that it concerns,
// accounts are the repository's, snapshots hold what Question.Wants names and
// what a proof reads beside.
func Explain(p *plan.Plan, accounts []*specs.Account, snapshots map[string]*plan.Snapshot, q Question) Explanation {
	pr := newProver(p, snapshots)
	x := pr.question(accounts, q)
	e := Explanation{Principal: q.Principal, Bucket: q.bucket, Verdict: Allowed, Unreadable: x.unreadable(), NotChecked: x.sides.notes()}
	found := &findings{prover: pr, grant: x.grant, sides: x.sides}
	found.missing()
	asked := x.ask(q.call())
	why := asked.foreclosed()
	for i, check := range pr.prove(x.grant, x.sides, found, asked.req, asked.call) {
		a, ok := asked, true
		if i > 0 {
			a, ok = x.askKey(asked, check.Action)
		} else {
			check.Context = q.context()
		}
		check.Reason = cmp.Or(why, check.Reason)
		var parts []Part
		if ok {
			parts = a.parts()
		}
		if check.Verdict == NotChecked {
			check.Reason += a.hint(check.Reason)
			if !slices.Contains(e.NotChecked, check.Reason) {
				e.NotChecked = append(e.NotChecked, check.Reason)
			}
		}
		e.Verdict = worse(e.Verdict, check.Verdict)
		e.screen(check, parts)
	}
	switch q.kind {
	case iampolicy.Role:
		use := &GrantProof{Verdict: Allowed}
		pr.usable(x.grant, x.sides, found, use)
		if x.unusable != nil {
			found.add(*x.unusable, "", nil)
		}
		if x.trust != "" {
			use.Verdict, use.NotChecked = NotChecked, append(use.NotChecked, x.trust)
		}
		e.Use = x.use()
		e.Verdict = worse(e.Verdict, use.Verdict)
		e.NotChecked = append(e.NotChecked, use.NotChecked...)
	case iampolicy.Session:
		e.NotChecked = append(e.NotChecked, "a session policy, if this session was made with one")
	}
	causes := found.causes()
	if why != "" {
		causes = []Cause{{
			Code: NeverAcrossAccounts, Account: x.grant.Bucket.Account.ID, Resource: q.Resource,
			Message: why, Mend: "call it as a principal of the bucket's own account",
		}}
	}
	e.Roots = x.roots(causes)
	if len(e.Roots) > 0 {
		e.Verdict = Denied
	}
	e.NotChecked = append(e.NotChecked, never...)
	return e
}

// unreadable reports whether a read failed that bears on this and that a plan
// makes too: of the caller's IAM and instances, or of the bucket and its policy.
func (x *explainer) unreadable() bool {
	caller, owner := x.snapshots[x.grant.Consumer.Account.ID], x.snapshots[x.grant.Bucket.Account.ID]
	failed := func(snap *plan.Snapshot, scope string) bool { return snap != nil && snap.Failure(scope) != nil }
	hasPolicies := x.sides.kind != iampolicy.Anonymous && x.sides.kind != iampolicy.Root
	switch {
	case hasPolicies && failed(caller, plan.ScopeIAM), x.sides.resource.failed, failed(owner, plan.ScopeBucket+x.grant.Bucket.Name):
		return true
	}
	return hasPolicies && slices.ContainsFunc(x.grant.Consumer.Instances, func(in specs.Instance) bool {
		return failed(caller, plan.ScopeEC2+in.Region)
	})
}

// question finds out what a question is about: a grant of the plan, or
// something that is put into the form of one.
func (p *prover) question(accounts []*specs.Account, q Question) *explainer {
	x := &explainer{prover: p, question: &q}
	account := func(id string) *specs.Account {
		for _, a := range accounts {
			if a.ID == id {
				return a
			}
		}
		return nil
	}
	principal := account(q.account)
	owner, whyNot, failed := p.ownerOf(accounts, q.bucket)
	g := plan.Grant{
		Consumer: &specs.Consumer{Account: principal, Role: specs.Role{Name: q.name, Path: q.path}},
		Bucket:   specs.Bucket{Name: q.bucket, Account: owner},
		RoleARN:  q.Principal,
	}
	if principal == nil {
		g.Consumer.Account = &specs.Account{ID: q.account, Manage: true}
	}
	if owner == nil {
		g.Bucket.Account = &specs.Account{ID: p.elsewhere(q.account), Manage: true}
	}
	switch q.kind {
	case iampolicy.Session:
		// A session's ARN has no path: names are unique in an account.
		if snap := p.snapshots[q.account]; snap != nil && snap.Roles[q.name] != nil {
			g.Consumer.Role.Path = snap.Roles[q.name].Path
		}
		g.RoleARN = plan.RoleARN(p.plan.Partition, q.account, g.Consumer.Role.Path, q.name)
	case iampolicy.Anonymous:
		g.RoleARN, g.Consumer.Role.Name = "everybody", "everybody"
	}
	if q.isRole() {
		for _, have := range p.plan.Grants {
			if have.RoleARN != g.RoleARN {
				continue
			}
			x.stated = true
			if have.Bucket.Name == q.bucket && have.Bucket.Account == owner {
				g = have
				break
			}
			g.Consumer = have.Consumer // it says how the role is used
		}
	}
	x.grant, x.sides = g, p.readAs(g, q.kind)
	if principal == nil && x.sides.identity.unread != "" {
		x.sides.identity.unread = fmt.Sprintf("the policies of %s, since account %s is not among the repository's", x.sides.who(g), q.account)
	}
	if owner == nil {
		x.sides.resource, x.sides.bucket = side{unread: whyNot, failed: failed}, nil
		x.sides.rcps, x.sides.block, x.sides.key = control{}, restriction{}, keySide{} // all of that side is told of at once
		x.foreign = true
	}
	if x.lockedIn() {
		x.sides.resource = side{}
	}
	if x.ours = len(g.Pairs) > 0 && x.promises(g); !x.ours {
		// What its policies hold is not asked about, but this.
		x.grant.Policies = nil
		x.grant.Pairs = []iampolicy.Pair{{Statement: iampolicy.Statement{
			Effect: iampolicy.Allow, Action: []string{q.Action}, Resource: []string{q.Resource},
		}}}
	}
	if q.kind == iampolicy.Role && !x.stated {
		x.inferUse()
	}
	return x
}

// lockedIn reports whether the question is one that no bucket policy decides:
// not even by a Deny can the root user of a bucket's account be kept from
// seeing, putting and deleting its policy.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
func (x *explainer) lockedIn() bool {
	policy := []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}
	return x.question != nil && x.question.kind == iampolicy.Root && slices.Contains(policy, x.question.Action) &&
		x.grant.Bucket.Account.ID == x.question.account && !x.foreign
}

// ownerOf finds the account that a bucket is in: the one of its share, or the
// one in which it was found. Else it says why it is not known, and whether that
// is for a read that failed.
func (p *prover) ownerOf(accounts []*specs.Account, bucket string) (_ *specs.Account, why string, failed bool) {
	for _, g := range p.plan.Grants {
		if g.Bucket.Name == bucket {
			return g.Bucket.Account, "", false
		}
	}
	var unread []string
	for _, a := range accounts {
		snap := p.snapshots[a.ID]
		if snap == nil {
			continue
		}
		_, listed := snap.Listed[bucket]
		switch {
		case listed || snap.Buckets[bucket] != nil || p.plan.Step(plan.StepID(plan.TypeBucket, a.ID, "", bucket)) != nil:
			return a, "", false
		case snap.Failure(plan.ScopeS3) != nil:
			unread = append(unread, fmt.Sprintf("%s (%s)", a.ID, because(snap.Failure(plan.ScopeS3))))
		}
	}
	why = fmt.Sprintf("the policy of bucket %s, since its account is not among the repository's", bucket)
	if len(unread) > 0 {
		why += ", or is one whose buckets cannot be listed: " + strings.Join(unread, ", ")
	}
	return nil, why, len(unread) > 0
}

// elsewhere is some account other than the caller's, where the caller's is
// known not to have the bucket; else it is empty: they may be one.
func (p *prover) elsewhere(account string) string {
	if snap := p.snapshots[account]; account == "" || snap != nil && snap.Listed != nil {
		return otherAccount(account)
	}
	return ""
}

// promises reports whether a grant's own statements are about the question: so
// that it is an apply's to mend.
func (x *explainer) promises(g plan.Grant) bool {
	d := &iampolicy.Document{Version: iampolicy.Version2012}
	for _, pair := range g.Pairs {
		d.Statements = append(d.Statements, pair.Statement)
	}
	req := x.request(call{action: x.question.Action, resource: x.question.Resource})
	req.ResourceAccount = req.Caller.Account
	return !ownersOnly[req.Action] && iampolicy.Evaluate(req, iampolicy.Policies{Identity: []iampolicy.Named{{Name: "the grant", Document: d}}}).Allowed()
}

// explainer explains the requests of one principal.
type explainer struct {
	*prover
	grant    plan.Grant
	sides    *sides
	question *Question // nil: a share's grant
	ours     bool      // what is asked about is promised: an apply mends it
	foreign  bool      // whose the bucket is was not found out
	stated   bool      // a spec says how the role is used
	unusable *Cause    // of a role that no spec names
	trust    string    // likewise: why its trust policy is not known
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
	if k.unread != "" || k.key == nil {
		return asked{}, false
	}
	on := *x.sides
	on.resource, on.rcps, on.block = k.policy, k.control, restriction{}
	on.resource.policies = k.withGrants()
	req := x.keyRequest(x.grant, k, of.req, action)
	return x.decided(asked{explainer: x, call: call{action: action, resource: req.Resource, promised: req.Resource}, on: &on, key: true, req: req}), true
}

func (x *explainer) decided(a asked) asked {
	a.known = known(a.req)
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
		for _, use := range keyUses[c.action] {
			if k, ok := x.askKey(a, use.action); ok && !done[use.action] {
				done[use.action] = true
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
				for _, key := range unknownKeys(statement, a.known) {
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

// WorstOf is the verdict over several explanations.
func WorstOf(list []Explanation) Verdict {
	v := Allowed
	for _, e := range list {
		v = worse(v, e.Verdict)
	}
	return v
}
