package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// Whether anybody at all can have a role.
//
// Premise: who is to use a role is for its owner to say. So of an Allow, what
// hangs on conditions that only a call decides (the subject of an identity
// provider's token, an external id, MFA) is taken to be met by whom the owner
// means. What is known counts: a date that is over, the account and the
// organization of who is named, the role's tags, and what the control policies
// over the role and over who is named say. The role is denied where each
// principal that an Allow names is surely kept out: it was deleted, is of a kind
// that does not make that call, is the role itself or another account's identity
// provider, does not meet a condition
// that is known, or is denied it. It is not checked where a Deny that hangs on
// what only a call decides could keep them all out; an Allow on such a condition
// says whom its owner means, and a Deny does not say that it leaves anybody. Nor
// is it checked where the spec has a trust policy and another one is live.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

// The calls by which a role is had, beside assumeRole.
const (
	assumeWithSAML = "sts:AssumeRoleWithSAML"
	assumeWithWeb  = "sts:AssumeRoleWithWebIdentity"
)

// trustee is one principal that a trust policy names.
type trustee struct {
	kind string // "AWS", "Service", "Federated" or "*"
	name string
}

func (t trustee) String() string {
	if t.name == "*" {
		return "everybody"
	}
	return t.name
}

// assumes are the calls by which such a principal has a role.
func (t trustee) assumes() []string {
	switch {
	case t.kind == "*":
		return []string{assumeRole, assumeWithSAML, assumeWithWeb}
	case t.kind == "Federated" && strings.Contains(t.name, ":saml-provider/"):
		return []string{assumeWithSAML}
	case t.kind == "Federated":
		return []string{assumeWithWeb}
	}
	return []string{assumeRole}
}

// trustees are the principals of an element that are somebody.
func trustees(p *iampolicy.Principals) []trustee {
	if p == nil {
		return nil
	}
	var list []trustee
	if p.Any || slices.Contains(p.AWS, "*") {
		list = append(list, trustee{"*", "*"})
	}
	for _, of := range []struct {
		kind  string
		names []string
	}{{"AWS", p.AWS}, {"Service", p.Service}, {"Federated", p.Federated}} {
		for _, name := range of.names {
			if !strings.Contains(name, "*") && (of.kind != "AWS" || !iampolicy.IsDead(name)) {
				list = append(list, trustee{of.kind, name})
			}
		}
	}
	return list
}

// named are the principals of a trust policy's Allows for a call that they
// make.
func named(trust *iampolicy.Document) []trustee {
	var list []trustee
	for _, s := range trust.Statements {
		if s.Effect != iampolicy.Allow {
			continue
		}
		for _, who := range trustees(s.Principal) {
			if !slices.Contains(list, who) && slices.ContainsFunc(who.assumes(), func(action string) bool { return isAbout(s, action) }) {
				list = append(list, who)
			}
		}
	}
	return list
}

// assumption is whether anybody can have a role.
type assumption struct {
	verdict Verdict
	let     []trustee // who can, of allowed
	may     []trustee // who is not known to be kept out
	rulings []ruling  // of each whom the trust policy names
}

// assumption decides it, of a role that has, or is to have, a trust policy.
func (p *prover) assumption(g plan.Grant, role *plan.LiveRole, d *iampolicy.Document) assumption {
	t := &trust{prover: p, grant: g, role: role, document: d, owners: true}
	a := assumption{verdict: Denied}
	for _, who := range named(d) {
		r := t.rule(who)
		switch account := iampolicy.CutARN(who.name).Account; {
		case (trustee{"AWS", g.RoleARN}).holds(who): // who would have to have the role already
			r = ruling{verdict: Denied, itself: true}
		case who.kind == "Federated" && account != "" && account != g.Consumer.Account.ID:
			r = ruling{verdict: Denied, elsewhere: who.name}
		}
		if r.verdict == Allowed {
			a.let = append(a.let, who)
		}
		if r.verdict != Denied {
			a.may = append(a.may, who)
		}
		if gravity[r.verdict] > gravity[a.verdict] {
			a.verdict = r.verdict
		}
		a.rulings = append(a.rulings, r)
	}
	return a
}

// doubt is what it hangs on whether anybody can.
func (a assumption) doubt() string {
	for _, r := range a.rulings {
		if r.doubt != "" {
			return r.doubt
		}
	}
	return ""
}

// isAbout reports whether a statement has an action.
func isAbout(s iampolicy.Statement, action string) bool {
	is := func(pattern string) bool { return iampolicy.MatchAction(pattern, action) }
	return slices.ContainsFunc(s.Action, is) || len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, is)
}

// holds reports whether all that the other may be is among what this may be.
func (t trustee) holds(other trustee) bool {
	if t.kind == "*" || t == other {
		return true
	}
	if t.kind != "AWS" || other.kind != "AWS" {
		return false
	}
	if role, session := iampolicy.CutARN(t.name), iampolicy.CutARN(other.name); role.Service == "iam" && session.Service == "sts" && role.Account == session.Account {
		_, path, isRole := strings.Cut(role.Resource, "role/")
		name, ok := strings.CutPrefix(session.Resource, "assumed-role/")
		if isRole && ok && strings.HasPrefix(name, path[strings.LastIndex(path, "/")+1:]+"/") {
			return true
		}
	}
	id, whole := accountOf(t.name)
	of, _ := accountOf(other.name)
	return whole && id == of
}

// unassumable finds why nobody at all can have a role. Where a service is to
// have it, see trusted.
func (f *findings) unassumable(role *plan.LiveRole, d *iampolicy.Document, a assumption) {
	barred := false
	for _, r := range a.rulings {
		if r.control != nil {
			r.control.add(f)
			barred = true
		}
	}
	if barred { // with the policy that keeps them out mended, they have it
		return
	}
	consumer := f.grant.Consumer
	account := consumer.Account.ID
	why, mend := a.whyNobody(d)
	if consumer.Role.Create {
		mend = f.apply(plan.StepID(plan.TypeRole, account, "", role.Name))
		if spec, err := iampolicy.ParseLive(consumer.Role.TrustPolicy); err == nil {
			if wanted := f.prover.assumption(f.grant, role, spec); wanted.verdict == Denied {
				_, how := wanted.whyNobody(spec)
				mend = "correct the spec's trustPolicy (" + how + "), then " + applyMend
			}
		}
	}
	f.add(Cause{
		Code: RoleUnusable, Account: account, Resource: f.grant.RoleARN, Mend: mend,
		Message: fmt.Sprintf("the trust policy of role %s in account %s lets nobody assume it%s, so nothing can have what its policies allow", role.Name, account, why),
	}, assumeRole, nil)
}

// whyNobody says of a trust policy that lets in nobody what stands in the way,
// and what to do about it.
func (a assumption) whyNobody(d *iampolicy.Document) (why, mend string) {
	for _, r := range a.rulings {
		switch {
		case r.deny != "":
			return fmt.Sprintf("; %s denies it to all whom others let in", r.deny), fmt.Sprintf("except who is to use the role from %s of its trust policy", r.deny)
		case r.elsewhere != "":
			return fmt.Sprintf("; it names the provider %s, and STS knows those of the role's own account only", r.elsewhere), "create the provider in the role's account and name that in its trust policy"
		case r.itself && len(a.rulings) == 1:
			return "; it names the role itself alone, which nobody has to begin with", "let who is to use the role do " + assumeRole + " in its trust policy"
		case r.unmet != "":
			return fmt.Sprintf("; %s lets in only on conditions that do not hold", r.unmet), fmt.Sprintf("correct the conditions of %s of its trust policy", r.unmet)
		}
	}
	allowing := *d
	allowing.Statements = slices.DeleteFunc(slices.Clone(d.Statements), func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Deny })
	var dead, actions []string
	for _, s := range allowing.Statements {
		if s.Principal != nil {
			for _, id := range s.Principal.AWS {
				if iampolicy.IsDead(id) {
					dead = append(dead, id)
				}
			}
		}
		for _, action := range []string{assumeRole, assumeWithSAML, assumeWithWeb} {
			if isAbout(s, action) {
				actions = append(actions, action)
			}
		}
	}
	switch {
	case len(actions) == 0:
		var have []string
		for _, s := range allowing.Statements {
			have = append(have, s.Action...)
		}
		if len(have) > 0 {
			why = "; what it allows is " + some(have) + ", and not " + assumeRole
		}
		return trusts(d) + why, fmt.Sprintf("let the service or account that is to use it do %s in its trust policy", assumeRole)
	case len(dead) > 0:
		return fmt.Sprintf("; it names %s, the id of a principal that was deleted", some(dead)), fmt.Sprintf("write the ARN of who is to use the role in its trust policy, in place of %s", some(dead))
	}
	return trusts(d), fmt.Sprintf("let the service or account that is to use it do %s in its trust policy", assumeRole)
}

// may names who may have the role.
func may(list []trustee) string {
	var names []string
	for _, who := range list {
		names = append(names, who.String())
	}
	return few(names) + " may assume the role"
}

// barred reports whether a level of the service control policies of the role's
// account does not allow anybody there to have the role.
func (x *explainer) barred() bool {
	if x.sides.role == nil || serviceOf(x.plan.Partition, x.grant.Consumer) != "" {
		return false
	}
	d, _ := trustOf(x.grant, x.sides.role)
	if d == nil {
		return false
	}
	a := x.assumption(x.grant, x.sides.role, d)
	return a.verdict == Denied && slices.ContainsFunc(a.rulings, func(r ruling) bool {
		return r.control != nil && r.control.say != nil && r.control.Account == x.grant.Consumer.Account.ID
	})
}
