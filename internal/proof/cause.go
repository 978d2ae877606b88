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

// How a cause is found.
//
// Premise: people do not need to hear that a side "does not allow", but which
// word in which statement is wrong. So each Allow of the side that lacks is
// asked four questions, each with the other three taken as answered: does it
// name this principal, this action, this resource, do its conditions hold? The
// statement that comes closest tells the cause.

const applyMend = "run `xshare apply`"

// apply is the mend that an apply is: after what stops it, if that stops a step
// or one that it needs; and it must take over what carries no mark of ours, if
// one of them does. Steps are named by their ids.
func (f *findings) apply(ids ...string) string {
	changes := f.prover.changes()
	seen := map[string]bool{}
	for len(ids) > 0 {
		c := changes[ids[0]]
		ids = ids[1:]
		if c == nil || seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		if why, stops := f.prover.stops[c.ID]; stops && c.Action == plan.Error {
			return fmt.Sprintf("%s: %s; then %s", why.Message, why.Mend, applyMend)
		}
		if c.Action == plan.Adopt {
			if failure := f.prover.unreadTags(c); failure != nil {
				return fmt.Sprintf("%s; whose %s is could not be read: %s", applyMend, c.Name, because(failure))
			}
			return "run `xshare apply --adopt` (it takes over " + c.Name + ")"
		}
		ids = append(ids, c.Needs...)
		for _, part := range c.Parts {
			if part.Share == f.grant.Share && part.Consumer == consumerName(f.grant) {
				ids = append(ids, part.Needs...)
			}
		}
	}
	return f.reading() + applyMend
}

// reading is what must come before an apply: it opens nothing to whom it cannot
// read.
func (f *findings) reading() string {
	account := f.grant.Consumer.Account
	snap := f.prover.snapshots[account.ID]
	if !account.Manage || snap != nil && snap.Failure(plan.ScopeIAM) == nil {
		return ""
	}
	return fmt.Sprintf("make account %s readable (`xshare plan` says what stops it), then ", account.ID)
}

// unreadTags is why the tags of a managed policy could not be read, by which it
// may be ours; nil: they were, or need not be.
func (p *prover) unreadTags(c *plan.Change) *plan.ReadFailure {
	snap := p.snapshots[c.Account]
	if c.Type != plan.TypePolicy || snap == nil {
		return nil
	}
	i := slices.IndexFunc(snap.Unread, func(f plan.ReadFailure) bool { return f.Scope == plan.ScopePolicy+c.Name })
	if i < 0 {
		return nil
	}
	return &snap.Unread[i]
}

// changes are what an apply with --adopt would do, by id; stops has what keeps
// it from some of them.
func (p *prover) changes() map[string]*plan.Change {
	if p.applied == nil {
		p.applied, p.stops = map[string]*plan.Change{}, map[string]specs.Problem{}
		changes := plan.Compare(p.plan, p.snapshots, plan.Options{Adopt: true})
		for _, c := range changes.Steps {
			p.applied[c.ID] = c
		}
		for _, problem := range changes.Problems {
			if _, told := p.stops[problem.Step]; !told && problem.Severity == specs.SeverityError {
				p.stops[problem.Step] = problem
			}
		}
	}
	return p.applied
}

// consumerSteps are the ids of the steps that give the role its permissions.
func (f *findings) consumerSteps() []string {
	account, role := f.grant.Consumer.Account.ID, f.grant.Consumer.Role.Name
	ids := slices.Clone(f.grant.Policies)
	for _, id := range f.grant.Policies {
		ids = append(ids, plan.StepID(plan.TypeAttachment, account, "", role+"/"+f.prover.plan.Step(id).Name))
	}
	return ids
}

func (f *findings) bucketPolicyStep() string {
	return plan.StepID(plan.TypeBucketPolicy, f.grant.Bucket.Account.ID, "", f.grant.Bucket.Name)
}

// findings gathers the causes of one grant. Many requests fail for one cause;
// it is told once, with the actions that it stops.
type findings struct {
	prover *prover
	grant  plan.Grant
	sides  *sides
	list   []*finding

	// The policies of the grant that are not attached are told of only where
	// the role lacks what they may hold: it may have that otherwise.
	detached []Cause
	lacks    bool
	missed   int // how many of the list tell of what is not there at all

	question bool // one call is asked about, and not what a grant promises
}

type finding struct {
	Cause
	actions []string
	say     func(actions string) string // nil: Message is final
}

// add tells of a cause; causes with the same code, resource and message (before
// the actions are put in) are one.
func (f *findings) add(c Cause, action string, say func(actions string) string) {
	key := c.Message
	if say != nil {
		key = say("")
	}
	for _, have := range f.list {
		if have.Code == c.Code && have.Resource == c.Resource && have.Mend == c.Mend && have.Message == key {
			have.actions = append(have.actions, action)
			return
		}
	}
	c.Message = key
	f.list = append(f.list, &finding{Cause: c, actions: []string{action}, say: say})
}

// causes are what was found, roots first.
func (f *findings) causes() []Cause {
	list := make([]Cause, 0, len(f.list)+len(f.detached))
	for _, found := range f.list {
		if found.say != nil {
			found.Message = found.say(some(found.actions))
		}
		list = append(list, found.Cause)
	}
	if f.lacks {
		list = slices.Insert(list, f.missed, f.detached...)
	}
	return list
}

// some lists actions without doubles, and not more than a sentence bears.
func some(actions []string) string {
	const most = 4
	actions = slices.Clone(actions)
	slices.Sort(actions)
	actions = slices.Compact(actions)
	if len(actions) > most+1 {
		return fmt.Sprintf("%s and %d more actions", strings.Join(actions[:most], ", "), len(actions)-most)
	}
	return strings.Join(actions, ", ")
}

// work is actions, as some lists them, with their verb.
func work(actions string) string {
	if strings.Contains(actions, " ") {
		return actions + " work"
	}
	return actions + " works"
}

// fail is likewise, of actions that do not work.
func fail(actions string) string {
	if strings.Contains(actions, " and ") || strings.Contains(actions, ", ") {
		return actions + " fail"
	}
	return actions + " fails"
}

func (f *findings) bucketARN() string {
	return plan.BucketARN(f.prover.plan.Partition, f.grant.Bucket.Name)
}

// missing tells what is not there at all, and finds what is not attached.
func (f *findings) missing() {
	defer func() { f.missed = len(f.list) }()
	g, consumer := f.grant, f.grant.Consumer
	if f.sides.resource.unread == "" && f.sides.bucket == nil {
		mend := "create it, say `create: true` in the spec, or correct the bucket's account"
		step := f.prover.plan.Step(plan.StepID(plan.TypeBucket, g.Bucket.Account.ID, "", g.Bucket.Name))
		if g.Bucket.Create || step != nil && !step.Existing {
			mend = applyMend
		}
		f.add(Cause{
			Code: BucketMissing, Account: g.Bucket.Account.ID, Resource: f.bucketARN(), Mend: mend,
			Message: fmt.Sprintf("bucket %s does not exist in account %s", g.Bucket.Name, g.Bucket.Account.ID),
		}, "", nil)
	}
	if f.sides.identity.unread != "" {
		return
	}
	switch {
	case !f.sides.absent():
	case f.sides.kind == iampolicy.User:
		f.missingUser()
		return
	default:
		f.missingRole()
		return
	}
	snap := f.prover.snapshots[consumer.Account.ID]
	for _, id := range g.Policies {
		step := f.prover.plan.Step(id)
		want, ok := step.Want.(plan.Policy)
		if ok && snap.Policies[want.ARN] != nil && !slices.Contains(f.sides.role.Attached, want.ARN) {
			f.detached = append(f.detached, Cause{
				Code: PolicyDetached, Account: consumer.Account.ID, Resource: want.ARN, Mend: f.apply(f.consumerSteps()...),
				Message: fmt.Sprintf("managed policy %s is not attached to role %s in account %s", want.Name, consumer.Role.Name, consumer.Account.ID),
			})
		}
	}
}

func (f *findings) missingRole() {
	consumer := f.grant.Consumer
	cause := Cause{Code: RoleMissing, Account: consumer.Account.ID, Resource: f.grant.RoleARN}
	live := f.prover.snapshots[consumer.Account.ID].Roles[consumer.Role.Name]
	switch {
	case live != nil:
		cause.Code = RolePath
		cause.Message = fmt.Sprintf("role %s of account %s has the path %s, not %s; to AWS that is another role", consumer.Role.Name, consumer.Account.ID, live.Path, consumer.Role.Path)
		cause.Mend = fmt.Sprintf("write %s in the spec, or delete the live role", strings.TrimPrefix(live.Path, "/")+consumer.Role.Name)
	case consumer.Role.Create:
		cause.Message = fmt.Sprintf("role %s does not exist in account %s", consumer.Role.Name, consumer.Account.ID)
		cause.Mend = applyMend
	default:
		cause.Message = fmt.Sprintf("role %s does not exist in account %s", consumer.Role.Name, consumer.Account.ID)
		cause.Mend = "create it, or say `create: true` in the spec"
	}
	f.add(cause, "", nil)
}

// explain finds the causes of a request that is denied at best, and says in one
// sentence why it is.
func (f *findings) explain(req iampolicy.Request, c call, best iampolicy.Decision) string {
	known := f.sides.known(req)
	var why []string
	if best.Outcome == iampolicy.ExplicitDeny {
		why = append(why, f.explicitDeny(c, best, f.grant.Bucket.Account.ID, f.bucketARN()))
		// What lacks beside the Deny is to be mended too.
		best = f.sides.withoutDenies(req, known)
	}
	lacking := lackingSides(best)
	// What was not read is not known to disagree.
	alone := len(lacking) == 1 && f.sides.identity.unread == "" && f.sides.resource.unread == ""
	for _, side := range lacking {
		switch side {
		case iampolicy.SideIdentity:
			f.lacks = true
			if f.sides.absent() {
				why = append(why, f.who().the()+" is not there")
				continue
			}
			why = append(why, f.identity(req, c, known, alone))
		case iampolicy.SideResource:
			if f.sides.bucket == nil && f.sides.resource.unread == "" {
				why = append(why, "the bucket is not there")
				continue
			}
			why = append(why, f.resource(req, c, known, alone))
		case iampolicy.SideBoundary:
			why = append(why, f.boundary(c))
		case iampolicy.SideSCP:
			why = append(why, f.serviceControlled(req, c, known))
		case iampolicy.SideBlockPublicAccess:
			why = append(why, f.blocked())
		}
	}
	if len(why) == 0 {
		return string(best.Outcome)
	}
	return strings.Join(why, "; ")
}

func lackingSides(d iampolicy.Decision) []iampolicy.Side {
	list := slices.Clone(d.Lacking)
	order := []iampolicy.Side{iampolicy.SideIdentity, iampolicy.SideResource, iampolicy.SideBoundary, iampolicy.SideSCP, iampolicy.SideRCP, iampolicy.SideBlockPublicAccess}
	slices.SortStableFunc(list, func(a, b iampolicy.Side) int { return slices.Index(order, a) - slices.Index(order, b) })
	return slices.Compact(list)
}

// explicitDeny tells of the statements that deny. owner and resource are those
// of what the request is on: the bucket, or its key.
func (f *findings) explicitDeny(c call, best iampolicy.Decision, owner, resource string) string {
	var why []string
	for _, r := range best.Reasons {
		if r.Effect != iampolicy.Deny {
			continue
		}
		which := statementName(r.Statement, r.Sid) + " of " + r.Policy
		cause := Cause{
			Code: ExplicitDeny, Account: f.grant.Consumer.Account.ID, Resource: f.grant.RoleARN, denies: placeOf(r),
			Mend: "except " + f.who().the() + " from that statement, or take the statement out; it is not xshare's, so apply leaves it",
		}
		switch r.Side {
		case iampolicy.SideIdentity:
			held := f.sides.identity.held[r.Policy]
			switch {
			case held.isAWSs():
				cause.Mend = fmt.Sprintf("take %s off %s, or out of the group that has it: it is AWS's own and cannot be changed", r.Policy, f.who())
			case held.arn == "" && held.group == "": // nobody else has it, so nobody is to be excepted
				cause.Mend = fmt.Sprintf("let that statement, in %s of %s, spare what is promised, or take it out; it is not xshare's, so apply leaves it", r.Policy, f.who())
			}
			which += " that " + f.who().String() + " has"
		case iampolicy.SideBoundary:
			which += " of " + f.who().String()
		case iampolicy.SideResource:
			cause.Account, cause.Resource = owner, resource
		case iampolicy.SideSCP:
			cause.Code, cause.Resource = ServiceControl, f.sides.scps.ids[r.Policy]
			cause.Mend = "except " + f.who().the() + " from that statement, in the organization's management account"
		case iampolicy.SideRCP:
			cause.Code, cause.Account, cause.Resource = ResourceControl, owner, f.sides.rcps.ids[r.Policy]
			if cause.Resource == "" {
				cause.Resource = f.sides.key.control.ids[r.Policy]
			}
			cause.Mend = "except " + f.who().the() + " from that statement, in the organization's management account"
		}
		because := ""
		if keys := conditionKeys(f.statement(r)); keys != "" {
			because = ", as its condition on " + keys + " holds"
		}
		f.add(cause, c.action, func(actions string) string {
			if cause.Code != ExplicitDeny {
				return fmt.Sprintf("%s (%s) denies %s in account %s%s, and a Deny beats every Allow", which, cause.Resource, actions, cause.Account, because)
			}
			return fmt.Sprintf("%s in account %s denies %s%s, and a Deny beats every Allow", which, cause.Account, actions, because)
		})
		why = append(why, which+" denies it")
	}
	return strings.Join(why, "; ")
}

// statement is the one that a reason is about.
func (f *findings) statement(r iampolicy.Reason) iampolicy.Statement {
	for _, on := range []*sides{f.sides, f.sides.onKey()} {
		if d, s := on.statement(r); d != nil {
			return s
		}
	}
	return iampolicy.Statement{}
}

func (f *findings) boundary(c call) string {
	account, who := f.grant.Consumer.Account.ID, f.who()
	name := f.sides.boundary.policies[0].Name
	f.add(Cause{
		Code: Boundary, Account: account, Resource: f.sides.boundaryARN(),
		Mend: "let it allow that too, or take it off " + who.the(),
	}, c.action, func(actions string) string {
		return fmt.Sprintf("%s of %s in account %s does not allow %s, so no policy of %s can", name, who, account, actions, who.the())
	})
	return name + " does not allow it"
}

// identity finds what the policies of the role, or user, lack.
func (f *findings) identity(req iampolicy.Request, c call, known func(string) bool, alone bool) string {
	consumer := f.grant.Consumer
	cause := Cause{Code: IdentityLacks, Account: consumer.Account.ID, Resource: f.grant.RoleARN, Mend: f.mend(consumer.Account.Manage, f.consumerSteps()...)}
	who := fmt.Sprintf("%s in account %s", f.who(), consumer.Account.ID)
	near := closest(f.sides.identity.policies, iampolicy.SideIdentity, req, known)
	if alone {
		cause.Code = SidesDisagree
	}
	if near == nil || !near.action {
		f.add(cause, c.action, func(actions string) string {
			return fmt.Sprintf("no policy of %s allows %s%s", who, actions, disagreeing(alone, "the bucket policy does"))
		})
		return "no policy of " + f.who().the() + " allows it"
	}
	return f.nearly(cause, near, c, alone, fmt.Sprintf("%s of %s", near.policy, who), "the bucket policy does")
}

// resource finds what the bucket policy lacks.
func (f *findings) resource(req iampolicy.Request, c call, known func(string) bool, alone bool) string {
	g := f.grant
	policy := fmt.Sprintf("the policy of bucket %s in account %s", g.Bucket.Name, g.Bucket.Account.ID)
	cause := Cause{Account: g.Bucket.Account.ID, Resource: f.bucketARN(), Mend: f.mend(g.Bucket.Account.Manage, f.bucketPolicyStep())}
	if len(f.sides.resource.policies) == 0 {
		cause.Code = NoBucketPolicy
		cause.Message = fmt.Sprintf("bucket %s in account %s has no policy, so it does not name %s", g.Bucket.Name, g.Bucket.Account.ID, g.RoleARN)
		f.add(cause, c.action, nil)
		return "the bucket has no policy"
	}
	near := closest(f.sides.resource.policies, iampolicy.SideResource, req, known)
	if near == nil || !near.principal {
		return f.unnamed(cause, policy, req, known)
	}
	cause.Code = BucketPolicyLacks
	if alone {
		cause.Code = SidesDisagree
	}
	if !near.action {
		f.add(cause, c.action, func(actions string) string {
			return fmt.Sprintf("%s names %s, but does not allow it %s%s", policy, f.who(), actions, disagreeing(alone, f.who().the()+"'s own policies do"))
		})
		return "the bucket policy names " + f.who().the() + ", but does not allow it this"
	}
	return f.nearly(cause, near, c, alone, policy, f.who().the()+"'s own policies do")
}

func disagreeing(alone bool, other string) string {
	if alone {
		return ", although " + other + ": the two sides disagree"
	}
	return ""
}

func (f *findings) mend(managed bool, steps ...string) string {
	if managed {
		return f.apply(steps...)
	}
	return "ask the account's owner to let it in"
}

// nearly tells of a statement that has the action, but the wrong resource or a
// condition that does not hold.
func (f *findings) nearly(cause Cause, near *fit, c call, alone bool, policy, other string) string {
	statement := statementName(near.index, near.statement.Sid)
	names := strings.Join(near.statement.Resource, ", ")
	if near.resource {
		keys := conditionKeys(near.statement)
		f.add(cause, c.action, func(actions string) string {
			return fmt.Sprintf("%s of %s allows %s only under its condition on %s, which this does not meet%s",
				statement, policy, actions, keys, disagreeing(alone, other))
		})
		return fmt.Sprintf("the condition on %s in %s of %s does not hold", keys, statement, near.policy)
	}
	bucket, object := f.bucketARN(), strings.Contains(strings.TrimPrefix(c.resource, f.bucketARN()), "/")
	switch covers := near.statement.Resource; {
	case object && slices.Contains(covers, bucket) && !slices.ContainsFunc(covers, f.isObjects):
		cause.Code = OnlyBucketARN
		f.add(cause, c.action, func(actions string) string {
			return fmt.Sprintf("%s of %s names only the bucket, %s; but %s on its objects, %s", statement, policy, bucket, work(actions), c.promised)
		})
		return "only the bucket's ARN is named, and the action works on its objects"
	case !object && slices.ContainsFunc(covers, f.isObjects) && !slices.Contains(covers, bucket):
		cause.Code = OnlyObjectARN
		f.add(cause, c.action, func(actions string) string {
			return fmt.Sprintf("%s of %s names only objects, %s; but %s on the bucket itself, %s", statement, policy, names, work(actions), bucket)
		})
		return "only the ARN of objects is named, and the action works on the bucket"
	}
	f.add(cause, c.action, func(actions string) string {
		return fmt.Sprintf("%s of %s allows %s on %s, not on %s%s", statement, policy, actions, cmp.Or(names, "other resources"), c.promised, disagreeing(alone, other))
	})
	return fmt.Sprintf("%s of %s is for other resources", statement, near.policy)
}

// isObjects reports whether a resource is objects of the grant's bucket.
func (f *findings) isObjects(resource string) bool {
	return strings.HasPrefix(resource, f.bucketARN()+"/")
}

func conditionKeys(s iampolicy.Statement) string {
	var keys []string
	for _, c := range s.Condition {
		keys = append(keys, c.Key)
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), ", ")
}
