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
// Premise: who is to use a role is for its owner to say, so a trust policy is
// only refused where it surely lets in nobody: each principal that an Allow
// names is deleted, is of a kind that does not make that call, or is denied it
// whatever the conditions. Conditions of an Allow are taken to hold.
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

// assumers are those principals of a trust policy that may be let have the role.
func assumers(trust *iampolicy.Document) []trustee {
	var list []trustee
	for _, s := range trust.Statements {
		if s.Effect != iampolicy.Allow {
			continue
		}
		for _, who := range trustees(s.Principal) {
			if slices.Contains(list, who) {
				continue
			}
			if slices.ContainsFunc(who.assumes(), func(action string) bool {
				return isAbout(s, action) && !slices.ContainsFunc(trust.Statements, func(d iampolicy.Statement) bool {
					return d.Effect == iampolicy.Deny && len(d.Condition)+len(d.Unknown) == 0 && deniesAll(d, who) && isAbout(d, action)
				})
			}) {
				list = append(list, who)
			}
		}
	}
	return list
}

// isAbout reports whether a statement has an action.
func isAbout(s iampolicy.Statement, action string) bool {
	is := func(pattern string) bool { return iampolicy.MatchAction(pattern, action) }
	return slices.ContainsFunc(s.Action, is) || len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, is)
}

// deniesAll reports whether a Deny is for all that a principal may be.
func deniesAll(s iampolicy.Statement, who trustee) bool {
	if s.NotPrincipal != nil {
		return !slices.ContainsFunc(trustees(s.NotPrincipal), func(spared trustee) bool {
			return who.kind == "*" || spared.holds(who) || who.holds(spared)
		})
	}
	return slices.ContainsFunc(trustees(s.Principal), func(denied trustee) bool { return denied.holds(who) })
}

// holds reports whether all that the other may be is among what this may be.
func (t trustee) holds(other trustee) bool {
	if t.kind == "*" || t == other {
		return true
	}
	if t.kind != "AWS" || other.kind != "AWS" {
		return false
	}
	id, whole := accountOf(t.name)
	of, _ := accountOf(other.name)
	return whole && id == of
}

// unassumable is the cause of a role that nobody at all can have; nil: somebody
// may. Where a service is to have it, see trusted.
func (f *findings) unassumable(role *plan.LiveRole, d *iampolicy.Document) *Cause {
	consumer := f.grant.Consumer
	account := consumer.Account.ID
	if len(assumers(d)) > 0 {
		return nil
	}
	why, mend := whyNobody(d)
	if consumer.Role.Create {
		mend = f.apply(plan.StepID(plan.TypeRole, account, "", role.Name))
		if spec, err := iampolicy.ParseLive(consumer.Role.TrustPolicy); err == nil && len(assumers(spec)) == 0 {
			_, how := whyNobody(spec)
			mend = "correct the spec's trustPolicy (" + how + "), then " + applyMend
		}
	}
	return &Cause{
		Code: RoleUnusable, Account: account, Resource: f.grant.RoleARN, Mend: mend,
		Message: fmt.Sprintf("the trust policy of role %s in account %s lets nobody assume it%s, so nothing can have what its policies allow", role.Name, account, why),
	}
}

// whyNobody says of a trust policy without assumers what stands in the way, and
// what to do about it.
func whyNobody(d *iampolicy.Document) (why, mend string) {
	allowsOnly := *d
	allowsOnly.Statements = slices.DeleteFunc(slices.Clone(d.Statements), func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Deny })
	if let := assumers(&allowsOnly); len(let) > 0 {
		for i, s := range d.Statements {
			if s.Effect == iampolicy.Deny && slices.ContainsFunc(let, func(who trustee) bool { return deniesAll(s, who) }) {
				which := statementName(i, s.Sid)
				return fmt.Sprintf("; %s denies it to all whom others let in", which), fmt.Sprintf("except who is to use the role from %s of its trust policy", which)
			}
		}
	}
	var dead, actions []string
	for _, s := range allowsOnly.Statements {
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
		for _, s := range allowsOnly.Statements {
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
