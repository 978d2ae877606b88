package proof

import (
	"fmt"
	"maps"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// unnamed finds why no statement of the bucket policy that would do names the
// caller: who is named in its place?
func (f *findings) unnamed(cause Cause, policy string, req iampolicy.Request, known func(string) bool) string {
	g := f.grant
	cause.Code = PrincipalMissing
	cause.Message = fmt.Sprintf("%s does not name %s", policy, g.RoleARN)
	reason := "the bucket policy does not name " + f.who().the()

	var best miss
	gives := f.gives(req)
	for _, fit := range fits(f.sides.resource.policies, iampolicy.SideResource, req, known) {
		if fit.statement.Principal == nil {
			continue
		}
		for _, principal := range fit.statement.Principal.AWS {
			if f.prover.promised[principal] {
				continue // it is another grant's, and meant
			}
			m := missOf(principal, g.RoleARN)
			if m.code != PrincipalGone && (!gives[fit.index] || f.isElsewhere(principal)) {
				continue // it is another's, and not the caller's with a slip
			}
			m.statement, m.ours = statementName(fit.index, fit.statement.Sid), f.prover.plan.Ours(fit.statement.Sid)
			if fit.action && fit.resource {
				m.score += 10 // it stands where the role's ARN belongs
			}
			if m.code != "" && m.score > best.score {
				best = m
			}
		}
	}
	if best.code != "" {
		cause.Code = best.code
		cause.Message = fmt.Sprintf("%s does not name %s, but %s in %s: %s", policy, g.RoleARN, best.principal, best.statement, best.why)
		reason = fmt.Sprintf("the bucket policy names %s, not %s", best.principal, f.who().the())
		if best.code != PrincipalGone && !best.ours { // ours are an apply's to correct
			cause.Mend += fmt.Sprintf("; if %s was meant for %s, correct or remove the name there", best.statement, f.who())
		}
	}
	// The cause is the same for every action of the grant.
	f.addOnce(cause)
	return reason
}

// gives are the statements of the bucket policy, by index, that give to somebody
// some of what is asked for. req is the caller's.
func (f *findings) gives(req iampolicy.Request) map[int]bool {
	list := map[int]bool{}
	base := req.Context
	for _, c := range calls(f.grant) {
		req.Action, req.Resource, req.Context = c.action, c.resource, maps.Clone(base)
		delete(req.Context, prefixKey)
		for key, value := range c.context {
			req.Context[key] = []string{value}
		}
		for _, fit := range fits(f.sides.resource.policies, iampolicy.SideResource, req, f.sides.known(req)) {
			list[fit.index] = list[fit.index] || fit.action && fit.resource && fit.condition
		}
	}
	return list
}

// isElsewhere reports whether a principal is another account of the repository
// than the caller's.
func (f *findings) isElsewhere(principal string) bool {
	have, ok := splitARN(principal)
	return ok && have.kind == "root" && have.account != f.grant.Consumer.Account.ID && f.prover.plan.Aliases[have.account] != ""
}

// addOnce tells of a cause that one of a grant has, whatever the action.
func (f *findings) addOnce(c Cause) {
	for _, have := range f.list {
		if have.Code == c.Code && have.Resource == c.Resource {
			return
		}
	}
	f.add(c, "", nil)
}

// miss is a principal that may stand where the caller is meant.
type miss struct {
	principal string
	statement string
	ours      bool // the statement is ours
	code      Code
	why       string
	score     int // the higher, the likelier
}

// missOf compares a principal with the role or user that is meant. A name or id
// that differs a little is likely a typo; a role of the same name in another
// account is one in the account's id.
func missOf(principal, arn string) miss {
	m := miss{principal: principal}
	meant, ok := splitARN(arn)
	if prefix := idPrefixes[meant.kind]; iampolicy.IsEntityID(principal) && prefix != "" {
		if strings.HasPrefix(principal, prefix) {
			m.code, m.score = PrincipalGone, 3
			m.why = fmt.Sprintf("the id of a principal that was deleted; if it was this %s, made again under its name, it is another one to AWS", meant.kind)
		}
		return m
	}
	have, isARN := splitARN(principal)
	if !ok || !isARN {
		return m
	}
	sameName := have.name == meant.name
	switch {
	case have.kind != "role" && have.kind != "user" && have.kind != "root":
	case have.kind != meant.kind && have.kind != "root":
		if sameName && have.account == meant.account {
			m.code, m.score = PrincipalName, 4
			m.why = fmt.Sprintf("it is the %s of that name, not the %s", have.kind, meant.kind)
		}
	case have.kind == "root" && iampolicy.Mistyped(have.account, meant.account):
		m.code, m.score = PrincipalAccount, 2
		m.why = fmt.Sprintf("the account is %s, not %s", have.account, meant.account)
	case have.kind == "root":
	case sameName && have.account != meant.account:
		m.code, m.score = PrincipalAccount, 5
		m.why = fmt.Sprintf("the account is %s, not %s", have.account, meant.account)
	case sameName && have.path != meant.path:
		m.code, m.score = PrincipalPath, 5
		m.why = fmt.Sprintf("the path is %s, not %s", have.path, meant.path)
	case have.account == meant.account && (strings.EqualFold(have.name, meant.name) || iampolicy.Mistyped(have.name, meant.name)):
		m.code, m.score = PrincipalName, 4
		m.why = fmt.Sprintf("the name is %s, not %s", have.name, meant.name)
	}
	return m
}

// idPrefixes are how the unique ids of each kind begin.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
var idPrefixes = map[string]string{"role": "AROA", "user": "AIDA"}

type iamARN struct{ account, kind, path, name string }

func splitARN(arn string) (iamARN, bool) {
	if iampolicy.IsAccountID(arn) {
		return iamARN{account: arn, kind: "root"}, true
	}
	a := iampolicy.CutARN(arn)
	if a.Service != "iam" {
		return iamARN{}, false
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	at := strings.LastIndex(rest, "/")
	return iamARN{account: a.Account, kind: kind, path: "/" + rest[:at+1], name: rest[at+1:]}, true
}
