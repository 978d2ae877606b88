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
		g |= e.unsureMatch(p)
	}
	return g
}

// unsureMatch is what a Deny matches beyond what is known.
func (e *evaluation) unsureMatch(p *Principals) grant {
	var g grant
	if e.who.kind == Service && slices.ContainsFunc(p.Service, isWild) {
		g |= byService
	}
	for _, f := range p.Federated {
		if providers := e.lookup("aws:FederatedProvider"); slices.Contains(providers, f) || len(providers) > 0 && isWild(f) {
			g |= bySession
		}
	}
	// Which account a canonical user id stands for is not known here.
	if len(p.CanonicalUser) > 0 && e.who.hasIdentity() {
		g |= byAccount
	}
	return g
}

// isWild tells names with wildcards. AWS takes none in a principal, so nothing
// is allowed by one, and what it would deny is not known.
func isWild(name string) bool { return strings.ContainsAny(name, "*?") }

func (w *who) matchAWS(entry string, effect Effect) grant {
	switch {
	case entry == "*":
		return byAny
	case w.kind == Anonymous || w.kind == Service:
		return 0
	case len(entry) == len(w.account) && entry == w.account, w.isRoot(entry):
		return byAccount
	case entry == w.role && w.role != "" && !isWild(entry):
		return byRole
	case entry == w.arn && (w.kind == User || w.kind == Session) && !isWild(entry):
		if w.kind == User {
			return byUser
		}
		return bySession
	case isUniqueID(entry):
		return w.matchUniqueID(entry, effect)
	case effect == Deny && w.mayBe(entry):
		return byRole
	}
	return 0
}

// isRoot reports whether an ARN stands for the caller's whole account.
func (w *who) isRoot(entry string) bool {
	if len(entry) != w.rootLen || !strings.HasSuffix(entry, ":root") {
		return false
	}
	a, ok := parseARN(entry)
	return ok && a.partition == w.partition && a.service == "iam" && a.region == "" && a.account == w.account && a.resource == "root"
}

// mayBe reports whether an ARN could mean the caller, as far as is known: that
// of a role where the path of the session's role is not known, since names are
// unique in an account; that of any session for a role as such; and one with
// wildcards.
func (w *who) mayBe(entry string) bool {
	if isWild(entry) {
		return true
	}
	a, ok := parseARN(entry)
	if !ok || a.account != w.account {
		return false
	}
	switch {
	case w.roleName != "" && a.service == "iam" && strings.HasPrefix(a.resource, "role/"):
		return lastPart(a.resource) == w.roleName
	case w.kind == Role && a.service == "sts":
		name, isSession := strings.CutPrefix(a.resource, "assumed-role/")
		name, _, _ = strings.Cut(name, "/")
		return isSession && name == lastPart(w.role)
	}
	return false
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
	if e.policies.Boundary != nil {
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
