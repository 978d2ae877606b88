package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Explain answers a question. p is the plan of the shares that it concerns,
// accounts are the repository's, snapshots hold what Question.Wants names and
// what a proof reads beside.
func Explain(p *plan.Plan, accounts []*specs.Account, snapshots map[string]*plan.Snapshot, q Question) Explanation {
	pr := newProver(p, snapshots)
	x := pr.question(accounts, q)
	e := Explanation{Principal: q.Principal, Bucket: q.bucket, Verdict: Allowed, Unreadable: x.unreadable(), NotChecked: x.sides.notes()}
	found := &findings{prover: pr, grant: x.grant, sides: x.sides, question: true}
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
		if x.foreign {
			causes[0].Account = "" // it is not known whose the bucket is
		}
	}
	e.Roots = x.roots(causes)
	if len(e.Roots) > 0 && x.foreign {
		e.Roots = slices.Insert(e.Roots, 0, Root{Cause: x.unknownBucket()})
	}
	if len(e.Roots) > 0 {
		e.Verdict = Denied
	}
	if all, plain := keyUses[q.Action], usesOf(q.Action, true); x.sides.key.kms && len(plain) < len(all) {
		e.NotChecked = append(e.NotChecked, "uploads in parts, which need kms:Decrypt on the bucket's key too")
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
	owner, unlisted := p.ownerOf(accounts, q.bucket)
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
		x.foreign, x.unlisted = true, unlisted
		x.sides.resource, x.sides.bucket = side{unread: x.unknownPolicy(), failed: len(unlisted) > 0}, nil
		x.sides.rcps, x.sides.block, x.sides.key = control{}, restriction{}, keySide{} // all of that side is told of at once
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
// one in which it was found. Else it is nil, and unlisted says of which accounts
// the buckets could not be listed, and why.
func (p *prover) ownerOf(accounts []*specs.Account, bucket string) (_ *specs.Account, unlisted []string) {
	for _, g := range p.plan.Grants {
		if g.Bucket.Name == bucket {
			return g.Bucket.Account, nil
		}
	}
	for _, a := range accounts {
		snap := p.snapshots[a.ID]
		if snap == nil {
			continue
		}
		_, listed := snap.Listed[bucket]
		switch {
		case listed || snap.Buckets[bucket] != nil || p.plan.Step(plan.StepID(plan.TypeBucket, a.ID, "", bucket)) != nil:
			return a, nil
		case snap.Failure(plan.ScopeS3) != nil:
			unlisted = append(unlisted, fmt.Sprintf("%s (%s)", a.ID, because(snap.Failure(plan.ScopeS3))))
		}
	}
	return nil, unlisted
}

// unknownPolicy says why the policy of a bucket that was not found is not known.
func (x *explainer) unknownPolicy() string {
	text := fmt.Sprintf("the policy of bucket %s, which no account of the repository has, as far as they can be read", x.question.bucket)
	if near := x.nearBucket(); near != "" {
		text += fmt.Sprintf(" (did you mean %s?)", near)
	}
	if len(x.unlisted) > 0 {
		text += "; those whose buckets cannot be listed: " + strings.Join(x.unlisted, ", ")
	}
	return text
}

// unknownBucket is the cause of a bucket that was not found: a slip, or it is
// somebody else's. Whose it is, is not claimed.
func (x *explainer) unknownBucket() Cause {
	name := x.question.bucket
	c := Cause{
		Code: BucketUnknown, Resource: x.bucketARN(),
		Message: fmt.Sprintf("no account of the repository has a bucket %s, as far as they can be read: a slip in its name, or it is another account's", name),
		Mend:    "correct the bucket's name; if it is another account's, its owner must let in the caller too, and the rest is as follows",
	}
	if near := x.nearBucket(); near != "" {
		c.Message = fmt.Sprintf("no account of the repository has a bucket %s, as far as they can be read: did you mean %s?", name, near)
		c.Mend = fmt.Sprintf("ask about %s; if %s is meant and is another account's, its owner must let in the caller too, and the rest is as follows", near, name)
	}
	return c
}

// nearBucket is the bucket that is stated or was listed and that one which was
// not found is meant to be; empty: none is near.
func (x *explainer) nearBucket() string {
	names := slices.Clone(x.question.Known)
	for _, snap := range x.snapshots {
		names = append(names, sortedKeys(snap.Listed)...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if iampolicy.Mistyped(x.question.bucket, name) {
			return name
		}
	}
	return iampolicy.Nearest(x.question.bucket, names)
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
	return !iampolicy.OwnersOnly(req.Action) && iampolicy.Evaluate(req, iampolicy.Policies{Identity: []iampolicy.Named{{Name: "the grant", Document: d}}}).Allowed()
}
