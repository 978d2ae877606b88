package iampolicy

import (
	"slices"
	"strings"
)

// grant says by which names a Principal element matches a caller. Within one
// account it decides which other policies still limit the caller.
type grant uint8

const (
	byAccount grant = 1 << iota // the account: delegates to its identity policies
	byUser
	byRole
	bySession
	byAny
	byService
)

// principalsMatch compares a Principal element with the caller
// (IAM:reference_policies_elements_principal). What cannot be known matches a
// Deny and no Allow.
func (e *evaluation) principalsMatch(p *Principals, effect Effect) grant {
	w := &e.who
	var g grant
	if p.Any {
		g |= byAny
	}
	for _, entry := range p.AWS {
		g |= w.matchAWS(entry, effect)
	}
	if w.kind == Service && slices.Contains(p.Service, w.arn) {
		g |= byService
	}
	if effect == Deny {
		for _, f := range p.Federated {
			if slices.Contains(e.lookup("aws:FederatedProvider"), f) {
				g |= bySession
			}
		}
		// Which account a canonical user id stands for is not known here.
		if len(p.CanonicalUser) > 0 && w.hasIdentity() {
			g |= byAccount
		}
	}
	return g
}

func (w *who) matchAWS(entry string, effect Effect) grant {
	switch {
	case entry == "*":
		return byAny
	case !w.hasIdentity():
		return 0
	case entry == w.account || entry == w.root:
		return byAccount
	case entry == w.arn && w.kind == User:
		return byUser
	case entry == w.arn && w.kind == Session:
		return bySession
	case entry == w.role && w.role != "":
		return byRole
	case isUniqueID(entry):
		return w.matchUniqueID(entry, effect)
	case effect == Deny && w.roleName != "" && w.sameRoleName(entry):
		// The role's path is not known; names are unique in an account.
		return byRole
	}
	return 0
}

func (w *who) sameRoleName(entry string) bool {
	a, ok := parseARN(entry)
	return ok && a.service == "iam" && a.account == w.account &&
		strings.HasPrefix(a.resource, "role/") && lastPart(a.resource) == w.roleName
}

// matchUniqueID compares the id that AWS stores in place of an ARN
// (IAM:reference_identifiers#identifiers-unique-ids).
func (w *who) matchUniqueID(entry string, effect Effect) grant {
	kind, prefix := byRole, "AROA"
	if w.kind == User {
		kind, prefix = byUser, "AIDA"
	}
	if entry == w.uniqueID || effect == Deny && w.uniqueID == "" && w.kind != Root && strings.HasPrefix(entry, prefix) {
		return kind
	}
	return 0
}

// notPrincipalMatches reports whether a NotPrincipal element applies to the
// caller, that is, does not spare it. It is for Deny only: with Allow it is not
// supported and matches nobody. A caller is spared only if all that it is is
// named: the account, and the user, or the role and the session; and never
// with a permissions boundary
// (IAM:reference_policies_elements_notprincipal).
func (e *evaluation) notPrincipalMatches(p *Principals, effect Effect) bool {
	if effect != Deny {
		return false
	}
	// As in an Allow: what cannot be known spares nobody.
	g := e.principalsMatch(p, Allow)
	if e.bounded {
		return true
	}
	switch e.who.kind {
	case Root:
		return g&(byAny|byAccount) == 0
	case User:
		return g&byAny == 0 && g&(byUser|byAccount) != byUser|byAccount
	case Session:
		return g&byAny == 0 && g&(bySession|byRole|byAccount) != bySession|byRole|byAccount
	case Role: // every request of a role is a session's, and no session is named
		return g&byAny == 0
	}
	return g == 0
}
