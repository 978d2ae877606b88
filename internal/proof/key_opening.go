package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Whether keys let in whom a plan would let in.
//
// Premise: what is refused here is not written, so it must be sure; and less is
// read than for Live. So only the key's side refuses (see ofKey): what of it
// was read decides against the role, whatever else there is. What the role's
// own policies lack is for who owns the role, and is said as a warning. What
// was not read refuses nothing, and is said too.

// unreadID is the unique id of a role that was not read, and notMadeID of one
// that is not there yet: no policy has either.
const (
	unreadID  = "(not read)"
	notMadeID = "(not made yet)"
)

// UsesKey reports whether a grant promises calls for which S3 uses the key of
// the bucket's objects.
func UsesKey(g plan.Grant) bool {
	return slices.ContainsFunc(calls(g), func(c call) bool { return len(keyUses[c.action]) > 0 })
}

// Keys finds those of the grants that the keys of their buckets surely keep
// out, with the causes that Live would find, as errors. The warnings are what
// the roles' own policies surely lack for the keys, by grant, and which keys
// were not read, by bucket. Of the snapshots it needs what plan.Openings leads
// to.
func Keys(p *plan.Plan, snapshots map[string]*plan.Snapshot, grants []plan.Grant) (refused []plan.Refusal, warnings []specs.Problem) {
	pr := newProver(p, snapshots)
	var unread unreadKeys
	for _, g := range grants {
		o := pr.opening(g)
		if len(o.refused) > 0 {
			refused = append(refused, plan.Refusal{Share: g.Share, Consumer: consumerName(g), Problems: o.refused})
		} else {
			unread.add(p, g, o.unread)
		}
		warnings = append(warnings, o.warnings...)
	}
	return refused, append(warnings, unread.problems()...)
}

// opening is what was found out about a grant that is to be opened.
type opening struct {
	refused, warnings []specs.Problem
	unread            []plan.ReadFailure // for lack of which it is not known whether the key lets the role in
}

func (p *prover) opening(g plan.Grant) (o opening) {
	owner := g.Bucket.Account.ID
	if k := p.keySide(g, p.snapshots[owner].Buckets[g.Bucket.Name]); k.unread == "" && !k.kms {
		return opening{}
	}
	s := p.read(g)
	id := p.roleToBe(g, s)
	k := s.key
	found := &findings{prover: p, grant: g, sides: s}
	grants := false // some of the key's could let the role in
	for _, c := range p.calls(g, s) {
		if len(keyUses[c.action]) == 0 {
			continue
		}
		req := p.request(g, s.role, c)
		if id != "" {
			req.Caller.UniqueID = id
		}
		p.keyChecks(g, s, found, req, c)
		for _, use := range keyUses[c.action] {
			grants = grants || k.grants != "" && k.key != nil && k.lacks(s, p.keyRequest(g, k, req, use.action))
		}
	}
	for _, cause := range found.causes() {
		problem := specs.Problem{
			Code: string(cause.Code), Severity: specs.SeverityWarning, Share: g.Share, Account: cause.Account,
			Source: g.Source, Message: cause.Message, Mend: cause.Mend,
		}
		if !found.ofKey(cause) {
			problem.Step = roleStep(g)
			o.warnings = append(o.warnings, problem)
			continue
		}
		problem.Severity, problem.Step = specs.SeverityError, g.BucketPolicy()
		if cause.Code == KMSKeyPolicyLacks && id == notMadeID && s.role != nil {
			problem.Message += "; apply makes the role first, as KMS takes no principal that is not there"
		}
		o.refused = append(o.refused, problem)
	}
	o.unread = p.unreadOf(g, k, grants)
	return o
}

// roleToBe takes for the role what it will be: one that this run makes is there,
// and has its tags. It returns the unique id to go by; empty: the role's own.
func (p *prover) roleToBe(g plan.Grant, s *sides) string {
	if s.identity.unread != "" {
		return unreadID
	}
	var want plan.Role
	if step := p.plan.Step(roleStep(g)); step != nil && !step.Existing {
		want, _ = step.Want.(plan.Role)
	}
	switch {
	case s.role != nil && len(want.Tags) > 0:
		role := *s.role
		role.Tags = map[string]string{}
		for _, tags := range []map[string]string{s.role.Tags, want.Tags} {
			for k, v := range tags {
				role.Tags[k] = v
			}
		}
		s.role = &role
	case s.role == nil && want.Name != "" && p.snapshots[g.Consumer.Account.ID].Roles[want.Name] == nil:
		s.role = &plan.LiveRole{Role: want}
	}
	s.tagged = p.tagged(s.role)
	if s.role == nil || s.role.UniqueID == "" {
		return notMadeID
	}
	return ""
}

func roleStep(g plan.Grant) string {
	return plan.StepID(plan.TypeRole, g.Consumer.Account.ID, "", g.Consumer.Role.Name)
}

// ofKey reports whether a cause is of the key's side: its policy, what it is, or
// how the bucket names it.
func (f *findings) ofKey(c Cause) bool {
	switch c.Code {
	case AWSManagedKey, KMSKeyNotARN, KMSKeyRegion, KMSKeyMissing, KMSKeyUnusable, KMSKeyPolicyLacks:
		return true
	case ExplicitDeny:
		return c.Resource == f.sides.key.arn(f.prover.plan.Partition)
	}
	return false
}

// lacks reports whether the key's policy does not allow a request, whoever
// makes it has what policies. A policy that was not read lacks nothing.
func (k keySide) lacks(s *sides, req iampolicy.Request) bool {
	on := sides{resource: k.policy, tagged: s.tagged}
	on.identity.policies = []iampolicy.Named{everything(iampolicy.Allow, nil)}
	best, _ := on.decide(req)
	return !best.Allowed()
}

// unreadOf are the reads that failed, or were not made, of what decides whether
// the key lets the role in: its grants only where the policy does not.
func (p *prover) unreadOf(g plan.Grant, k keySide, grants bool) []plan.ReadFailure {
	bucket := g.Bucket.Account.ID
	if k.unread != "" {
		for _, scope := range []string{plan.ScopeEncryption + g.Bucket.Name, plan.ScopeAccount} {
			if failed := p.snapshots[bucket].NotRead(scope); failed != nil {
				return []plan.ReadFailure{*failed}
			}
		}
		return []plan.ReadFailure{{Message: "its default encryption was not read"}}
	}
	if k.key == nil || k.own {
		return nil
	}
	snap := p.snapshots[k.key.Owner]
	if k.live == nil {
		if snap != nil {
			if failed := unreached(snap); failed != nil {
				return []plan.ReadFailure{{Message: fmt.Sprintf("account %s of key %s cannot be read: %s", k.key.Owner, k.key.ID, failed.Message), Mend: failed.Mend}}
			}
		}
		return []plan.ReadFailure{{
			Message: fmt.Sprintf("key %s is of account %s, which xshare does not read", k.key.ID, k.key.Owner),
			Mend:    fmt.Sprintf("add account %s to spec.accounts, without `manage: false`, or ask who owns the key", k.key.Owner),
		}}
	}
	var list []plan.ReadFailure
	scopes := []string{plan.ScopeKey, plan.ScopeKeyPolicy}
	if grants || k.policy.unread != "" {
		scopes = append(scopes, plan.ScopeKeyGrants)
	}
	for _, scope := range scopes {
		if failed := snap.NotRead(scope + k.key.Want().Name()); failed != nil {
			list = append(list, *failed)
		}
	}
	if len(list) == 0 && k.policy.unread != "" {
		list = append(list, plan.ReadFailure{Message: k.policy.unread, Mend: "mend the key's policy by hand"})
	}
	return list
}

// unreadKeys gathers what was not read, for one warning a bucket.
type unreadKeys struct {
	order []string // ids of bucket policies' steps
	of    map[string]*unreadKey
}

type unreadKey struct {
	problem  specs.Problem
	why, how []string
}

func (u *unreadKeys) add(p *plan.Plan, g plan.Grant, failures []plan.ReadFailure) {
	if len(failures) == 0 {
		return
	}
	id := g.BucketPolicy()
	one := u.of[id]
	if one == nil {
		one = &unreadKey{problem: specs.Problem{
			Code: string(KMSNotChecked), Severity: specs.SeverityWarning, Account: g.Bucket.Account.ID, Step: id, Source: g.Bucket.Pos,
		}}
		if step := p.Step(id); step != nil && len(step.Shares) == 1 {
			one.problem.Share = step.Shares[0]
		}
		if u.of == nil {
			u.of = map[string]*unreadKey{}
		}
		u.of[id], u.order = one, append(u.order, id)
		one.problem.Message = fmt.Sprintf("not checked whether bucket %s encrypts with a key that lets its consumers in: ", g.Bucket.Name)
	}
	for _, f := range failures {
		if !slices.Contains(one.why, f.Message) {
			one.why = append(one.why, f.Message)
		}
		if f.Mend != "" && !slices.Contains(one.how, f.Mend) {
			one.how = append(one.how, f.Mend)
		}
	}
}

func (u *unreadKeys) problems() []specs.Problem {
	list := make([]specs.Problem, 0, len(u.order))
	for _, id := range u.order {
		one := u.of[id]
		one.problem.Message += strings.Join(one.why, "; ")
		one.problem.Mend = strings.Join(one.how, "; ")
		list = append(list, one.problem)
	}
	return list
}
