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
	misplaced // the statement has a principal, and must not, or has none, and must
)

// InFull reports whether a principal's name can be one caller's: it is of
// printable characters of ASCII, without spaces and wildcards.
func InFull(principal string) bool {
	return !HasWildcard(principal) && !strings.ContainsFunc(principal, func(c rune) bool { return c <= ' ' || c > '~' })
}

// principalsMatch compares a Principal element with the caller
// (IAM:reference_policies_elements_principal). What cannot be known matches a
// Deny and no Allow.
func (e *evaluation) principalsMatch(p *Principals, deny bool) grant {
	var g grant
	if p.Any {
		g = byAny
	}
	for _, entry := range p.AWS {
		if deny || e.who.sizes>>(len(entry)&63)&1 != 0 { // else it is no name of the caller's
			g |= e.who.matchAWS(entry, deny)
		}
	}
	if len(p.Service) > 0 && e.who.kind == Service && slices.Contains(p.Service, e.who.arn) {
		g |= byService
	}
	if deny {
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
	if len(p.CanonicalUser) > 0 && e.who.hasIdentity {
		g |= byAccount
	}
	return g
}

// isWild tells names with wildcards. AWS takes none in a principal, so nothing
// is allowed by one, and what it would deny is not known.
func isWild(name string) bool {
	return strings.IndexByte(name, '*') >= 0 || strings.IndexByte(name, '?') >= 0
}

// matchAWS compares an entry first with what tells by its length alone, so that
// a policy of many statements is not read in whole.
func (w *who) matchAWS(entry string, deny bool) grant {
	switch {
	case entry == "" || !w.hasIdentity && entry != "*":
		return 0
	case entry == w.role:
		return unlessWild(entry, byRole)
	case entry == w.caller:
		return unlessWild(entry, w.direct)
	case entry == w.account, len(entry) == w.rootLen && w.isRoot(entry):
		return byAccount
	case entry == "*":
		return byAny
	case entry == w.uniqueID && isUniqueID(entry):
		return w.byID
	case deny && isUniqueID(entry):
		if w.uniqueID == "" && w.idPrefix != "" && strings.HasPrefix(entry, w.idPrefix) {
			return w.byID
		}
	case deny && w.mayBe(entry):
		return byRole
	}
	return 0
}

func unlessWild(entry string, g grant) grant {
	if isWild(entry) {
		return 0
	}
	return g
}

// isRoot reports whether an ARN stands for the caller's whole account.
func (w *who) isRoot(entry string) bool {
	a, ok := parseARN(entry)
	return ok && a.Partition == w.partition && a.Service == "iam" && a.Region == "" && a.Account == w.account && a.Resource == "root"
}

// mayBe reports whether an ARN could mean the caller, as far as is known: that
// of a role where the path of the session's role is not known, since names are
// unique in an account; that of any session for a role as such; that of any
// federated user for a user that is one; and one with wildcards.
func (w *who) mayBe(entry string) bool {
	if isWild(entry) {
		return true
	}
	a, ok := parseARN(entry)
	if !ok || a.Account != w.account {
		return false
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case w.roleName != "" && a.Service == "iam" && kind == "role":
		return lastPart(rest) == w.roleName
	case w.kind == Role && a.Service == "sts" && kind == "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		return name == lastPart(w.role)
	}
	return w.federated && a.Service == "sts" && kind == "federated-user"
}

// notPrincipalMatches reports whether a NotPrincipal element applies to the
// caller, that is, does not spare it. It is for Deny only: with Allow it is not
// supported and matches nobody. A caller is spared only if all that it is is
// named: the account, and the user, or the role and the session; and never
// with a permissions boundary
// (IAM:reference_policies_elements_notprincipal).
func (e *evaluation) notPrincipalMatches(p *Principals, deny bool) bool {
	if !deny {
		return false
	}
	// As in an Allow: what cannot be known spares nobody.
	g := e.principalsMatch(p, false)
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
