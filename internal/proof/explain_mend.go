package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How a mend is made.
//
// Premise: what lacks is mended by one statement that allows what was asked and
// no more. What denies is not taken out, since it is there for a reason: the
// caller is excepted from it, which opens it to nobody else. Only where that
// cannot be said (an inline policy of its own, a caller without credentials, a
// statement that is not understood) what was asked is excepted from it; and it is
// to go where it is about nothing else.

// roots are the first of the causes, with their fragments.
func (x *explainer) roots(causes []Cause) []Root {
	var list []Root
	living, taken := map[string]bool{}, map[string]map[string]bool{}
	for _, c := range x.first(causes) {
		root := Root{Cause: c}
		if x.byHand(c) {
			root.Mend, root.Fragments = x.mend(c)
			x.takable(&root, living)
			x.distinct(root.Fragments, taken)
		}
		list = append(list, root)
	}
	return list
}

// first are the causes that no other explains: with those mended, the others
// would be gone too. A proof names no others either.
func (x *explainer) first(causes []Cause) []Cause {
	has := func(codes ...Code) bool {
		return slices.ContainsFunc(causes, func(c Cause) bool { return slices.Contains(codes, c.Code) })
	}
	attaching := has(PolicyDetached) && x.attachingHelps(false)
	attachingForKey := has(PolicyDetached) && x.attachingHelps(true)
	// Within one account one side is enough, and the caller's own is the narrower.
	either := !x.ours && x.grant.Consumer.Account.ID == x.grant.Bucket.Account.ID && has(IdentityLacks)
	return x.putable(slices.DeleteFunc(slices.Clone(causes), func(c Cause) bool {
		switch {
		case has(RoleMissing, RolePath, UserMissing, UserPath) && slices.Contains([]Code{PrincipalGone, PrincipalMissing, PrincipalPath}, c.Code):
			return true // a policy cannot name who is not there
		case has(RoleMissing, RolePath, UserMissing, UserPath) && !x.ours && (c.Code == KMSKeyPolicyLacks || x.sideOf(c) == PartResource && c.Code != ExplicitDeny):
			return true // likewise
		case has(ProfileMissing) && c.Code == ProfileNotAttached:
			return true
		case either && x.sideOf(c) == PartResource && c.Code != ExplicitDeny:
			return true
		}
		if c.Code == KMSIdentityLacks {
			return attachingForKey
		}
		return attaching && x.sideOf(c) == PartIdentity && c.Code != ExplicitDeny
	}))
}

// putable puts what makes a bucket policy public before all else that is wrong
// with it: where that is blocked, S3 takes no other edit as long as it is there.
func (x *explainer) putable(causes []Cause) []Cause {
	public := slices.IndexFunc(causes, func(c Cause) bool { return c.Code == BlockPublicAccess })
	first := slices.IndexFunc(causes, func(c Cause) bool { return c.Resource == x.bucketARN() })
	if public < 0 || public == first {
		return causes
	}
	c := causes[public]
	return slices.Insert(slices.Delete(causes, public, public+1), first, c)
}

// sideOf is the part that a cause is about; empty for none that has policies.
func (x *explainer) sideOf(c Cause) string {
	switch c.Code {
	case Boundary:
		return PartBoundary
	case NoBucketPolicy, PrincipalMissing, PrincipalAccount, PrincipalName, PrincipalPath, PrincipalGone, BucketPolicyLacks:
		return PartResource
	case IdentityLacks:
		return PartIdentity
	case SidesDisagree, OnlyBucketARN, OnlyObjectARN:
		if c.Resource == x.bucketARN() {
			return PartResource
		}
		return PartIdentity
	case ServiceControl:
		return PartSCP
	case BlockPublicAccess:
		return PartBlock
	case KMSKeyPolicyLacks:
		return PartKey
	case TrustLacksService:
		return PartTrust
	}
	return ""
}

func (x *explainer) bucketARN() string {
	return plan.BucketARN(x.plan.Partition, x.grant.Bucket.Name)
}

// byHand reports whether a cause is not an apply's to mend.
func (x *explainer) byHand(c Cause) bool {
	switch c.Code {
	case ExplicitDeny, Boundary, ServiceControl, ResourceControl, BlockPublicAccess, KMSKeyPolicyLacks, KMSIdentityLacks:
		return true
	case TrustLacksService:
		return !x.grant.Consumer.Role.Create
	case ProfileMissing, ProfileWithoutRole, ProfileOtherRole, ProfileNotAttached, ProfileOther, InstanceMissing:
		return !x.stated
	}
	return !x.ours
}

// attachingHelps reports whether the policies of the grant that are not
// attached would, with those that are, allow all that the role's side lacks: of
// what is asked of S3, or of its key.
func (x *explainer) attachingHelps(key bool) bool {
	with := *x
	on := *x.sides
	with.sides = &on
	on.identity.policies = slices.Clone(on.identity.policies)
	snap := x.snapshots[x.grant.Consumer.Account.ID]
	for _, id := range x.grant.Policies {
		want, ok := x.plan.Step(id).Want.(plan.Policy)
		if !ok || snap.Policies[want.ARN] == nil || slices.Contains(x.sides.role.Attached, want.ARN) {
			continue
		}
		if named, err := x.document(want.ARN, "policy "+want.Name, snap.Policies[want.ARN].Document); err == nil {
			on.identity.policies = append(on.identity.policies, named)
		}
	}
	return !slices.ContainsFunc(with.requests(), func(a asked) bool { return a.key == key && slices.Contains(a.best.Lacking, iampolicy.SideIdentity) })
}

// mend is what to do about a cause by hand, and the edits that do it.
func (x *explainer) mend(c Cause) (string, []Fragment) {
	role := x.grant.Consumer.Role.Name
	found := &findings{prover: x.prover, grant: x.grant, sides: x.sides, question: x.question != nil}
	who := found.who()
	one := func(text, side, policy string, add json.RawMessage) (string, []Fragment) {
		if add == nil { // none of what is asked lacks it
			return c.Mend, nil
		}
		return text, []Fragment{{Side: side, Account: c.Account, Policy: policy, Add: add}}
	}
	switch c.Code {
	case ExplicitDeny, ResourceControl:
		if c.ofTrust {
			return c.Mend, nil
		}
		if text, list := x.mendDeny(c); text != "" {
			return text, list
		}
		return c.Mend, nil
	case ServiceControl:
		if c.ofTrust {
			return c.Mend, nil
		}
		if text, list := x.mendDeny(c); len(list) > 0 {
			return text, list
		}
		return one(fmt.Sprintf("add this statement to a service control policy on %s, in the organization's management account", c.Resource),
			PartSCP, "a service control policy on "+c.Resource, x.statementFor(iampolicy.SideSCP))
	case BlockPublicAccess:
		return x.mendPublic(c)
	case Boundary:
		policy := x.sides.boundary.policies[0].Name
		if isAWSs(x.sides.boundaryARN()) {
			return fmt.Sprintf("give %s another boundary, which allows it too: %s is AWS's own and cannot be changed", who, policy), nil
		}
		return one(fmt.Sprintf("add this statement to %s, or take the boundary off %s", policy, who),
			PartBoundary, policy, x.statementFor(iampolicy.SideBoundary))
	case KMSKeyPolicyLacks:
		return x.mendKey(c, found)
	case KMSIdentityLacks:
		return one(fmt.Sprintf("add this statement to a policy of %s in account %s, such as an inline policy of its own", who, c.Account),
			PartIdentity, "a policy of "+who.String(), json.RawMessage(found.keyFragment(false)))
	case TrustLacksService:
		if !strings.HasPrefix(c.Mend, letService) { // a statement more would not help
			return c.Mend, nil
		}
		return one(fmt.Sprintf("add this statement to the trust policy of role %s in account %s", role, c.Account), PartTrust, "the trust policy of role "+role,
			statementJSON(iampolicy.Statement{
				Sid: "AllowAssumeRole", Effect: iampolicy.Allow, Action: []string{assumeRole},
				Principal: &iampolicy.Principals{Service: []string{serviceOf(x.plan.Partition, x.grant.Consumer)}},
			}))
	case RoleMissing:
		return "create it, or correct the principal's name", nil
	case RolePath:
		if live := x.snapshots[c.Account].Roles[role]; live != nil {
			return "ask about the role by its live ARN, " + plan.RoleARN(x.plan.Partition, c.Account, live.Path, role), nil
		}
	}
	switch x.sideOf(c) {
	case PartResource:
		return x.mendResource(c)
	case PartIdentity:
		text := fmt.Sprintf("add this statement to a policy of %s in account %s, such as an inline policy of its own", who, c.Account)
		return one(x.orCondition(iampolicy.SideIdentity, x.sides.identity)+text, PartIdentity, "a policy of "+who.String(), x.statementFor(iampolicy.SideIdentity))
	}
	return c.Mend, nil
}

// orCondition is, where a statement would allow the request but for its
// condition, the mend of meeting that.
func (x *explainer) orCondition(of iampolicy.Side, s side) string {
	a := x.ask(x.question.call())
	near := closest(s.policies, of, a.req, a.known)
	if near == nil || !near.principal || !near.action || !near.resource || near.condition {
		return ""
	}
	var conditions []string
	for _, c := range near.statement.Condition {
		alone := iampolicy.Statement{Effect: iampolicy.Allow, Principal: anybody, Action: []string{"*"}, Resource: []string{"*"}, Condition: []iampolicy.Condition{c}}
		if !isChosen(c.Key) && !allows(iampolicy.SideResource, a.req, iampolicy.Version2012, alone) {
			return "" // that is not the caller's to choose
		}
		conditions = append(conditions, fmt.Sprintf("%s %s %s", c.Operator, c.Key, strings.Join(c.Values, " or ")))
	}
	return fmt.Sprintf("send the request so that the condition of %s holds (%s), or ", statementName(near.index, near.statement.Sid), strings.Join(conditions, ", "))
}

// statementFor is a statement that allows just what lacks on a side; nil: nothing
// of what is asked does.
func (x *explainer) statementFor(of iampolicy.Side) json.RawMessage {
	var actions, resources []string
	taken := map[string]bool{}
	for _, a := range x.requests() {
		if !slices.Contains(a.best.Lacking, of) || a.key && (of == iampolicy.SideIdentity || of == iampolicy.SideResource) {
			continue // what lacks for a key is a cause of its own
		}
		actions = append(actions, a.req.Action)
		resources = append(resources, strings.ReplaceAll(a.call.promised, "${", "${$}{"))
		for _, s := range a.on.of(of) {
			for _, named := range s.policies {
				for _, have := range named.Document.Statements {
					taken[have.Sid] = true
				}
			}
		}
	}
	if of == iampolicy.SideSCP && x.barred() {
		actions, resources = append(actions, assumeRole), append(resources, x.grant.RoleARN)
	}
	if len(actions) == 0 {
		return nil
	}
	slices.Sort(actions)
	slices.Sort(resources)
	_, name, _ := strings.Cut(actions[0], ":")
	statement := iampolicy.Statement{
		Sid: "Allow" + name, Effect: iampolicy.Allow,
		Action: slices.Compact(actions), Resource: slices.Compact(resources),
	}
	for n := 2; taken[statement.Sid]; n++ {
		statement.Sid = fmt.Sprintf("Allow%s%d", name, n)
	}
	if of == iampolicy.SideResource {
		statement.Principal = x.named()
	}
	return statementJSON(statement)
}

// of are the policies of one kind.
func (s *sides) of(kind iampolicy.Side) []side {
	switch kind {
	case iampolicy.SideIdentity:
		return []side{s.identity}
	case iampolicy.SideBoundary:
		return []side{s.boundary}
	case iampolicy.SideSCP:
		return s.scps.levels
	}
	return []side{s.resource}
}

// named is the principal as a bucket policy names it.
func (x *explainer) named() *iampolicy.Principals {
	if x.question != nil && x.question.kind == iampolicy.Anonymous {
		return anybody
	}
	return &iampolicy.Principals{AWS: []string{x.grant.RoleARN}}
}

// mendPublic takes out what makes the bucket's policy public; where the
// principal has its own access by that alone, it is held to the principal.
func (x *explainer) mendPublic(c Cause) (string, []Fragment) {
	if x.question != nil && x.question.kind == iampolicy.Anonymous {
		return fmt.Sprintf("call with credentials, as a principal that the policy of bucket %s names; without them nobody gets in unless RestrictPublicBuckets is turned off, of the bucket and of account %s, which opens the bucket to everybody", x.grant.Bucket.Name, c.Account), nil
	}
	d := *x.sides.resource.policies[0].Document
	d.Statements = slices.Clone(d.Statements)
	var list []Fragment
	var names []string
	public := []int{}
	for {
		is, why := iampolicy.Public(&d)
		if !is {
			break
		}
		public = append(public, why.Statement)
		out := d.Statements[why.Statement].Inert()
		out.Effect = iampolicy.Deny // which makes no policy public
		d.Statements[why.Statement] = out
	}
	without := *x
	on := *x.sides
	without.sides, on.resource.policies = &on, []iampolicy.Named{{Name: x.sides.resource.policies[0].Name, Document: &d}}
	requests := slices.DeleteFunc(without.requests(), func(a asked) bool {
		return a.key || !slices.Contains(a.on.withoutDenies(a.req, a.known).Lacking, iampolicy.SideResource)
	})
	limited := false // some of them is held to the principal
	for _, i := range public {
		s := x.sides.resource.policies[0].Document.Statements[i]
		needed := slices.ContainsFunc(requests, func(a asked) bool {
			return slices.ContainsFunc(fits(x.sides.resource.policies, iampolicy.SideResource, a.req, a.known), func(f fit) bool {
				return f.index == i && f.action && f.resource && f.condition
			})
		})
		limited = limited || needed
		f := Fragment{Side: PartResource, Account: c.Account, Policy: "the policy of bucket " + x.grant.Bucket.Name, Remove: asItStands(s)}
		if needed {
			s.Principal, s.NotPrincipal = x.named(), nil
			f.Add = statementJSON(s)
		}
		list, names = append(list, f), append(names, statementName(i, s.Sid))
	}
	text := fmt.Sprintf("take %s out of the policy of bucket %s in account %s, or limit it to named principals", strings.Join(names, " and "), x.grant.Bucket.Name, c.Account)
	if limited {
		text = fmt.Sprintf("limit %s of the policy of bucket %s in account %s to the principals that are meant", strings.Join(names, " and "), x.grant.Bucket.Name, c.Account)
	}
	return text + "; that is better than to turn off RestrictPublicBuckets", list
}

// statementJSON is one statement as JSON.
func statementJSON(s iampolicy.Statement) json.RawMessage {
	s.Raw = nil
	text := string(iampolicy.Marshal(&iampolicy.Document{Statements: []iampolicy.Statement{s}}))
	return json.RawMessage(strings.TrimSuffix(strings.TrimPrefix(text, `{"Statement":[`), `]}`))
}

func asItStands(s iampolicy.Statement) json.RawMessage {
	if s.Raw != nil {
		return s.Raw
	}
	return statementJSON(s)
}
