package proof

import (
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// What is known of a caller's tags.
//
// Premise: aws:PrincipalTag/… is the role's tag only where the session has none
// of that key, and a session has the tags that it was made with. Who makes it
// needs sts:TagSession of the role's trust policy for that. Where that lets
// anybody do it, so that which tags a session has is not known, none is: not
// even where a condition of the trust policy asks for some, as that says nothing
// of what was asked when other sessions were made.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html

const tagSession = "sts:TagSession"

// tagged reports whether sessions of a role may have tags of their own. A trust
// policy that cannot be understood may let them.
func (p *prover) tagged(role *plan.LiveRole) bool {
	if role == nil {
		return false
	}
	named, err := p.document("trust "+string(role.Trust), "the trust policy", role.Trust)
	return err != nil || letsTag(named.Document)
}

// letsTag reports whether a trust policy may let anybody tag a session.
func letsTag(trust *iampolicy.Document) bool {
	denied := func(who trustee) bool {
		return slices.ContainsFunc(trust.Statements, func(s iampolicy.Statement) bool {
			return s.Effect == iampolicy.Deny && len(s.Condition)+len(s.Unknown) == 0 && isAbout(s, tagSession) && deniesAll(s, who)
		})
	}
	return slices.ContainsFunc(trust.Statements, func(s iampolicy.Statement) bool {
		return s.Effect == iampolicy.Allow && isAbout(s, tagSession) &&
			slices.ContainsFunc(trustees(s.Principal), func(who trustee) bool { return !denied(who) })
	})
}
