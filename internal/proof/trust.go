package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How it is decided whether somebody may have a role: by the role's trust
// policy, statement by statement, and by what stands over it. As with all else
// (see side), a condition on what only a real call has decides nothing by
// itself: an Allow and a Deny that hang on one may let in and keep out.

// trust is a role's trust policy with what its conditions are decided by.
type trust struct {
	*prover
	grant    plan.Grant
	role     *plan.LiveRole
	document *iampolicy.Document
	// owners: who is to have the role is for its owner to say, and an Allow that
	// hangs on what only a call has lets in; see assume.go.
	owners bool
}

// ruling is what was decided about one who is to have a role.
type ruling struct {
	verdict   Verdict
	doubt     string   // of notChecked: what it hangs on
	deny      string   // of denied: the statement of the trust policy that denies it
	unmet     string   // of denied: the one that would let them in, but for its conditions
	itself    bool     // of denied: it is the role that is to be had
	elsewhere string   // of denied: the identity provider, of another account
	control   *barrier // of denied: the control policy that does
}

// rule decides about the calls by which a trustee would have the role: it takes
// one.
func (t *trust) rule(who trustee) ruling {
	r := ruling{verdict: Denied}
	for i, action := range who.assumes() {
		if one := t.ruleOn(who, action); i == 0 || gravity[one.verdict] > gravity[r.verdict] {
			r = one
		}
	}
	return r
}

func (t *trust) ruleOn(who trustee, action string) ruling {
	r := ruling{verdict: Denied}
	req, known := t.request(who, action)
	for i, s := range t.document.Statements {
		if s.Effect != iampolicy.Allow || !isAbout(s, action) || !slices.ContainsFunc(trustees(s.Principal), func(let trustee) bool { return let.holds(who) }) {
			continue
		}
		surely, may := t.meets(s, req, known)
		switch {
		case !may:
			r.unmet = statementName(i, s.Sid)
		case surely || t.owners && t.meant(s, known):
			r.verdict, r.doubt = Allowed, ""
		case r.verdict == Denied:
			r.verdict, r.doubt = NotChecked, t.hangs(i, s, known)
		}
	}
	if r.verdict == Denied {
		return r
	}
	for i, s := range t.document.Statements {
		if s.Effect != iampolicy.Deny || !isAbout(s, action) {
			continue
		}
		reach := reachOf(s, who)
		surely, may := t.meets(s, req, known)
		switch {
		case reach == reachesNobody || reach == reachesSome || !may:
		case surely && reach == reachesAll:
			return ruling{verdict: Denied, deny: statementName(i, s.Sid)}
		case r.verdict == Allowed:
			r.verdict, r.doubt = NotChecked, t.hangs(i, s, known)
		}
	}
	t.controlled(&r, who, req, known)
	return r
}

// meant reports whether a statement hangs on what only a call has, by which it
// says whom the role's owner means. A date says that of nobody.
func (t *trust) meant(s iampolicy.Statement, known func(string) bool) bool {
	keys := unknownKeys(t.document.Version, s, known)
	return len(keys) > 0 && !slices.ContainsFunc(keys, isDate)
}

// hangs says of a statement what it hangs on.
func (t *trust) hangs(i int, s iampolicy.Statement, known func(string) bool) string {
	which := fmt.Sprintf("%s of the trust policy of role %s in account %s", statementName(i, s.Sid), t.role.Name, t.grant.Consumer.Account.ID)
	if keys := unknownKeys(t.document.Version, s, known); len(keys) > 0 {
		return fmt.Sprintf("%s, which decides by %s: only a real call has that", which, strings.Join(keys, ", "))
	}
	if s.NotPrincipal != nil {
		return which + ", whose NotPrincipal spares only callers of whom it names all: the account, the role and the session"
	}
	return which + ", which cannot be understood in full"
}

// meets reports whether a statement's conditions surely hold for a request, and
// whether they may. What cannot be understood holds for a Deny alone.
func (t *trust) meets(s iampolicy.Statement, req iampolicy.Request, known func(string) bool) (surely, may bool) {
	version := t.document.Version
	if slices.ContainsFunc(s.Condition, func(c iampolicy.Condition) bool { return isOfOthers(c, req.Caller.Account) }) {
		return false, false
	}
	least := atLeast(version, s, known)
	surely = len(s.Unknown) == 0 && !isInert(least) && holds(version, least, iampolicy.Allow, req) && holds(version, least, iampolicy.Deny, req)
	return surely, surely || holds(version, atMost(version, s, known), iampolicy.Deny, req)
}

// isOfOthers reports whether a condition holds only for principals of other
// accounts than one, by the ids in their ARNs.
func isOfOthers(c iampolicy.Condition, account string) bool {
	op, ok := iampolicy.CompareTexts(c.Operator)
	return ok && !op.Negated && account != "" && len(c.Values) > 0 && strings.EqualFold(c.Key, "aws:PrincipalArn") &&
		!slices.ContainsFunc(c.Values, func(arn string) bool {
			id := iampolicy.CutARN(arn).Account
			return !iampolicy.IsAccountID(id) || id == account
		})
}

// holds reports whether a statement's conditions do, taken as those of an Allow
// or a Deny, whoever it names and for what.
func holds(version string, s iampolicy.Statement, effect iampolicy.Effect, req iampolicy.Request) bool {
	s = iampolicy.Statement{Effect: effect, Principal: anybody, Action: []string{"*"}, Resource: []string{"*"}, Condition: s.Condition}
	d := &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}
	if effect == iampolicy.Deny {
		d.Statements = append(d.Statements, everything(iampolicy.Allow, anybody).Document.Statements...)
	}
	// Conditions are decided by the context alone, so it is anybody's request.
	req.Action, req.Caller = assumeRole, iampolicy.Caller{Kind: iampolicy.Service, ARN: "anybody"}
	decision := iampolicy.Evaluate(req, iampolicy.Policies{Resource: &iampolicy.Named{Name: "one statement", Document: d}})
	return decision.Allowed() == (effect == iampolicy.Allow)
}

func isInert(s iampolicy.Statement) bool { return slices.Equal(s.Action, s.Inert().Action) }

// controlled takes in what stands over the trust policy: the resource control
// policies of the role's account, and the service control policies of the
// trustee's. Those that were not read of the role's account are told of
// elsewhere; who has another account knows its own.
func (t *trust) controlled(r *ruling, who trustee, req iampolicy.Request, known func(string) bool) {
	account := t.grant.Consumer.Account.ID
	allow := everything(iampolicy.Allow, anybody)
	on := &sides{
		identity: side{policies: []iampolicy.Named{everything(iampolicy.Allow, nil)}},
		resource: side{policies: []iampolicy.Named{allow}},
		rcps:     t.resourceControl(account),
	}
	if on.rcps.unread != "" {
		on.rcps = control{}
	}
	if id := req.Caller.Account; id != "" {
		if on.scps = t.serviceControl(id); on.scps.unread != "" {
			on.scps = control{}
		}
	}
	best, worst := iampolicy.Evaluate(req, on.atBest(known)), iampolicy.Evaluate(req, on.atWorst(known))
	if r.control = t.barred(on, who, req, best, known); r.control != nil {
		r.verdict, r.doubt = Denied, ""
		return
	}
	for _, of := range []struct {
		side   iampolicy.Side
		levels []side
	}{{iampolicy.SideSCP, on.scps.levels}, {iampolicy.SideRCP, on.rcps.levels}} {
		reason := reasonOf(worst, of.side)
		if r.verdict != Allowed || reason.Effect == "" && !slices.Contains(worst.Lacking, of.side) {
			continue
		}
		r.verdict, r.doubt = NotChecked, "conditions that only a real call decides"
		for _, level := range of.levels {
			if why := undecided(level, of.side, req, known, reason); why != "" {
				r.doubt = why
				break
			}
		}
	}
}

// barrier is a control policy that keeps a trustee from the role: one that
// denies the call, or a level of them that does not allow it (say).
type barrier struct {
	Cause
	action string
	say    func(actions string) string
}

func (b *barrier) add(f *findings) { f.add(b.Cause, b.action, b.say) }

// barred is what surely keeps a trustee from the role; nil: nothing.
func (t *trust) barred(on *sides, who trustee, req iampolicy.Request, best iampolicy.Decision, known func(string) bool) *barrier {
	name := t.grant.Consumer.Role.Name
	b := &barrier{action: req.Action}
	for _, r := range best.Reasons {
		if r.Effect != iampolicy.Deny {
			continue
		}
		which := statementName(r.Statement, r.Sid) + " of " + r.Policy
		if r.Side == iampolicy.SideSCP {
			id := on.scps.ids[r.Policy]
			b.Cause = Cause{
				ofTrust: true,
				Code:    ServiceControl, Account: req.Caller.Account, Resource: id, Mend: "except who is to use the role from that statement, in the organization's management account",
				Message: fmt.Sprintf("%s (%s) denies %s in account %s, so %s cannot have role %s", which, id, req.Action, req.Caller.Account, who, name),
			}
			return b
		}
		id, account := on.rcps.ids[r.Policy], t.grant.Consumer.Account.ID
		b.Cause = Cause{
			ofTrust: true,
			Code:    ResourceControl, Account: account, Resource: id,
			Mend:    fmt.Sprintf("except %s from that statement, in the organization's management account", who),
			Message: fmt.Sprintf("%s (%s) denies %s to %s in account %s, so role %s cannot be used", which, id, req.Action, who, account, name),
		}
		if who.kind == "Service" {
			b.Mend += ", such as by a condition that aws:PrincipalIsAWSService is false"
		}
		return b
	}
	for i := range on.scps.levels {
		one := *on
		one.scps.levels = on.scps.levels[i : i+1]
		if slices.Contains(iampolicy.Evaluate(req, one.atBest(known)).Lacking, iampolicy.SideSCP) {
			b.Cause, b.say = on.scps.lacking(req.Caller.Account, i)
			return b
		}
	}
	return nil
}

// reach is how much of what a trustee may be a Deny is about.
type reach int

const (
	reachesNobody reach = iota
	reachesSome         // so that others have the role
	mayReachAll
	reachesAll
)

// reachOf is a Deny's. A NotPrincipal spares an AWS caller only where it names
// all that it is: the account, and the user, or the role and the session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func reachOf(s iampolicy.Statement, who trustee) reach {
	if s.NotPrincipal == nil {
		return about(s.Principal, who)
	}
	spared := trustees(s.NotPrincipal)
	switch {
	case slices.Contains(spared, trustee{"*", "*"}), who.kind != "AWS" && slices.Contains(spared, who):
		return reachesNobody
	case !slices.ContainsFunc(spared, func(spared trustee) bool { return spared.holds(who) || who.holds(spared) }):
		return reachesAll
	case who.kind == "*" && slices.ContainsFunc(spared, func(spared trustee) bool { return spared.kind != "AWS" }):
		return reachesSome
	}
	for _, one := range spared {
		account, whole := accountOf(one.name)
		if one.kind != "AWS" || whole || !who.holds(one) && !one.holds(who) ||
			!slices.ContainsFunc(spared, func(root trustee) bool { id, whole := accountOf(root.name); return whole && id == account }) {
			continue
		}
		a := iampolicy.CutARN(one.name)
		if a.Service == "iam" && strings.HasPrefix(a.Resource, "user/") || a.Service == "sts" && slices.ContainsFunc(spared, func(role trustee) bool {
			return role != one && role.holds(one) && strings.Contains(role.name, ":role/")
		}) {
			return reachesSome
		}
	}
	return mayReachAll
}

// about is how much of a trustee a Principal is.
func about(p *iampolicy.Principals, who trustee) reach {
	r := reachesNobody
	for _, one := range trustees(p) {
		switch {
		case one.holds(who):
			return reachesAll
		case who.holds(one):
			r = max(r, reachesSome)
		}
	}
	if p == nil {
		return r
	}
	for _, name := range slices.Concat(p.AWS, p.Service, p.Federated) { // AWS takes no such names, so what they deny is not known
		if name != "*" && strings.Contains(name, "*") {
			r = max(r, mayReachAll)
		}
	}
	return r
}

// deniesAll reports whether a Deny is for all that a principal may be.
func deniesAll(s iampolicy.Statement, who trustee) bool { return reachOf(s, who) == reachesAll }
