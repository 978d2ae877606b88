package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// The actions of STS by which roles are assumed.
const (
	assumeWeb  = "sts:AssumeRoleWithWebIdentity"
	assumeSAML = "sts:AssumeRoleWithSAML"
)

// trust looks at a statement of a role's trust policy.
func (l *linter) trust() {
	if len(l.s.Resource)+len(l.s.NotResource) > 0 {
		l.add(TrustResource, "Resource", "has Resource, which IAM refuses in a trust policy", "take it out: the statement is about the role itself")
	}
	for _, action := range l.s.Action {
		if service, _, _ := strings.Cut(action, ":"); !strings.EqualFold(service, "sts") && action != "*" {
			l.add(TrustAction, "Action", fmt.Sprintf("names %s, and IAM takes only actions of STS in a trust policy", action), "write sts:AssumeRole")
		}
	}
	if !l.allows() {
		return
	}
	for _, action := range l.s.Action {
		if action == "*" || strings.EqualFold(action, "sts:*") {
			l.add(WildcardAction, "Action", fmt.Sprintf("allows %s, which stands for every way to assume the role", action), "write sts:AssumeRole, or what fits the principal")
		}
	}
	p := l.s.Principal
	if p == nil {
		return
	}
	l.publicTrust(p)
	l.fittingAction(p)
	for _, provider := range p.Federated {
		l.provider(provider)
	}
}

func (l *linter) publicTrust(p *iampolicy.Principals) {
	if !p.Any {
		return
	}
	anybody := iampolicy.Statement{
		Effect: iampolicy.Allow, Principal: &iampolicy.Principals{Any: true},
		Action: l.s.Action, NotAction: l.s.NotAction, Condition: l.s.Condition,
	}
	if public, _ := iampolicy.Public(&iampolicy.Document{Version: l.document.Version, Statements: []iampolicy.Statement{anybody}}); public {
		l.add(PublicTrust, "Principal", `lets everybody in: the principal is "*", and no condition limits it to fixed principals`, "name the principals that are to use the role")
	}
}

// fittingAction looks for principals that none of the actions is for. Statements
// that tag sessions or set their source only are let be.
func (l *linter) fittingAction(p *iampolicy.Principals) {
	if len(l.s.Action) == 0 || !slices.ContainsFunc(l.s.Action, func(a string) bool {
		return len(a) >= len(assumeRole) && strings.EqualFold(a[:len(assumeRole)], assumeRole)
	}) {
		return
	}
	has := func(action string) bool {
		return slices.ContainsFunc(l.s.Action, func(a string) bool { return globMatches(strings.ToLower(a), strings.ToLower(action)) })
	}
	report := func(who, action string) {
		l.add(TrustAction, "Action", fmt.Sprintf("names %s, but not %s, which is how that assumes a role", who, action), "write "+action)
	}
	if names := slices.Concat(p.AWS, p.Service); len(names) > 0 && !has(assumeRole) {
		report(names[0], assumeRole)
	}
	for _, provider := range p.Federated {
		switch saml := strings.Contains(provider, ":saml-provider/"); {
		case saml && !has(assumeSAML):
			report(provider, assumeSAML)
		case !saml && !has(assumeWeb):
			report(provider, assumeWeb)
		}
	}
}

// shared are identity providers that serve everybody, with the condition key
// that says who of them comes in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
var shared = map[string]string{
	"token.actions.githubusercontent.com": "token.actions.githubusercontent.com:sub",
	"gitlab.com":                          "gitlab.com:sub",
	"app.terraform.io":                    "app.terraform.io:sub",
	"accounts.google.com":                 "accounts.google.com:aud",
	"cognito-identity.amazonaws.com":      "cognito-identity.amazonaws.com:aud",
	"graph.facebook.com":                  "graph.facebook.com:app_id",
	"www.amazon.com":                      "www.amazon.com:app_id",
}

func (l *linter) provider(provider string) {
	fields := strings.SplitN(provider, ":", 6)
	host := provider
	if len(fields) == 6 && fields[0] == "arn" {
		if l.about.Account != "" && fields[4] != l.about.Account {
			l.add(FederationAccount, "Principal", fmt.Sprintf("names the provider %s, which is not of the role's account %s: STS does not look for it there", provider, l.about.Account),
				"create the provider in the role's account and name that")
		}
		_, host, _ = strings.Cut(fields[5], "/")
	}
	key := shared[host]
	if key == "" {
		return
	}
	for _, c := range l.s.Condition {
		// Either key says who it is, where it is held to a value.
		if positive(c.Operator) && (strings.EqualFold(c.Key, key) || strings.EqualFold(c.Key, host+":sub")) && !slices.ContainsFunc(c.Values, anySubject) {
			return
		}
	}
	l.add(OpenFederation, "Condition", fmt.Sprintf("trusts %s, which serves everybody, without holding %s to a value", host, key),
		"add a condition StringEquals on "+key)
}

// anySubject tells values that nobody's subject differs from, such as "*" and
// "repo:*".
func anySubject(v string) bool {
	_, rest, found := strings.Cut(v, ":")
	if !found {
		rest = v
	}
	return strings.HasPrefix(rest, "*")
}

// trustWhole looks at what the whole policy comes to.
func (l *linter) trustWhole() {
	if !slices.ContainsFunc(l.document.Statements, func(s iampolicy.Statement) bool {
		return s.Effect == iampolicy.Allow && (s.Principal != nil || s.NotPrincipal != nil)
	}) {
		l.add(TrustNobody, "", "allows nobody, so nobody can use the role", "add an Allow with the principal that is to use the role")
	}
}
