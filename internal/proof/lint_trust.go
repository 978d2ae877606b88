package proof

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// trust looks at a statement of a role's trust policy.
func (l *linter) trust() {
	if len(l.s.Resource)+len(l.s.NotResource) > 0 {
		l.add(TrustResource, "Resource", "has Resource, which IAM refuses in a trust policy", "take it out: the statement is about the role itself")
	}
	for _, action := range l.s.Action {
		if service, _, _ := strings.Cut(action, ":"); !strings.EqualFold(service, "sts") && action != "*" {
			l.add(TrustAction, "Action", fmt.Sprintf("names %s, and IAM takes only actions of STS in a trust policy", action), "write sts:AssumeRole")
		} else if noSuchAction(action) {
			mend := "write sts:AssumeRole, or what fits the principal"
			if near := iampolicy.NearestAction(action); near != "" {
				mend = "did you mean " + near + "?"
			}
			l.add(TrustAction, "Action", fmt.Sprintf("names %s, which STS does not have", action), mend)
		}
	}
	for _, p := range []*iampolicy.Principals{l.s.Principal, l.s.NotPrincipal} {
		if p != nil {
			l.refused(p)
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
	if _, anybody := l.callers(); anybody {
		l.anybody()
	}
	l.fittingAction(p)
	for _, provider := range p.Federated {
		l.provider(provider)
	}
}

// refused looks for principals that IAM does not take in a trust policy. Those
// with a wildcard, and ids, are told of as such.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (l *linter) refused(p *iampolicy.Principals) {
	report := func(names []string, good func(string) bool, what, mend string) {
		for _, name := range names {
			if !iampolicy.HasWildcard(name) && !good(name) {
				l.add(RefusedPrincipal, principalElement(l.s), fmt.Sprintf("names %s, which is %s", name, what), mend)
			}
		}
	}
	report(p.AWS, func(name string) bool {
		return iampolicy.IsAccountID(name) || iampolicy.IsEntityID(name) || awsForm.MatchString(name)
	},
		"neither an account nor an ARN of a user, a role or a session", "name a role, or an account by its 12 digits")
	for _, name := range p.Service {
		mend := "write a service's name such as ec2.amazonaws.com"
		if meant := meantService(name, l.about.Partition); meant != "" {
			mend = "did you mean " + meant + "?"
		}
		report([]string{name}, serviceForm.MatchString, "no service of AWS", mend)
	}
	report(p.Federated, func(name string) bool { return providerForm.MatchString(name) || builtIn(strings.ToLower(name)) },
		"no identity provider that IAM knows", "write the ARN of the provider, arn:aws:iam::ACCOUNT:oidc-provider/HOST or arn:aws:iam::ACCOUNT:saml-provider/NAME")
	report(p.CanonicalUser, func(string) bool { return false }, "a canonical user: only S3 knows those", "write the account's id under AWS")
}

// The forms of principals that IAM takes. A service's name is that of no list:
// AWS has no whole one. The two of Alexa are the only ones in another domain.
var (
	awsForm      = regexp.MustCompile(`^arn:[a-z-]+:(iam::\d{12}:(root|(user|role)/[!-~]+)|sts::\d{12}:(assumed-role/[!-~]+/[!-~]+|federated-user/[!-~]+))$`)
	serviceForm  = regexp.MustCompile(`^([A-Za-z0-9_-]+\.)+(amazonaws\.com(\.cn)?|amazonaws\.eu|aws\.internal)$|^alexa-(appkit|connectedhome)\.amazon\.com$`)
	providerForm = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:(oidc-provider|saml-provider)/.`)
)

// meantService is the service that a name is likely meant for which is none: a
// bare word, or one in a domain that is nearly AWS's; else it is empty.
func meantService(name, partition string) string {
	word, _, amazon := strings.Cut(name, ".amazon")
	if !amazon {
		var domain string
		word, domain, _ = strings.Cut(name, ".")
		if domain != "" && iampolicy.Nearest(domain, []string{"amazonaws.com"}) == "" {
			return ""
		}
	}
	switch full := word + ".amazonaws.com"; {
	case word == "ec2":
		return ec2Service(partition)
	case serviceForm.MatchString(full):
		return full
	}
	return ""
}

// noSuchAction tells actions that STS does not have. What a wildcard stands for
// is not looked at.
func noSuchAction(action string) bool {
	return !iampolicy.HasWildcard(action) && iampolicy.UnknownAction(action) != ""
}

// actionsFor are the actions that a trust policy allows to a service, as far as
// they are named.
func actionsFor(d *iampolicy.Document, service string) []string {
	var actions []string
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && s.Principal != nil && slices.Contains(s.Principal.Service, service) {
			actions = append(actions, s.Action...)
		}
	}
	return actions
}

// anybody tells of a statement that does not say who comes in. Where its
// conditions say at least where from, by S3's measure, it is not for everybody.
func (l *linter) anybody() {
	var from []iampolicy.Condition
	for _, c := range l.s.Condition {
		if strings.HasPrefix(strings.ToLower(c.Key), "aws:source") {
			from = append(from, c)
		}
	}
	public, _ := iampolicy.Public(&iampolicy.Document{Version: l.document.Version, Statements: []iampolicy.Statement{{
		Effect: iampolicy.Allow, Principal: &iampolicy.Principals{Any: true}, Action: l.s.Action, NotAction: l.s.NotAction, Condition: from,
	}}})
	if public {
		l.add(PublicTrust, "Principal", `lets everybody in: the principal is "*", and no condition limits it to fixed principals`, "name the principals that are to use the role")
		return
	}
	l.add(TrustByPlace, "Principal", fmt.Sprintf(`lets in callers of any AWS account: the principal is "*", and %s tells where they come from, not who they are`, from[0].Key),
		"name the principals, or add a condition on aws:PrincipalOrgID or aws:PrincipalArn")
}

// does reports whether the statement is about an action.
func (l *linter) does(action string) bool { return isAbout(*l.s, action) }

// fittingAction looks for principals that none of the actions is for. Statements
// that tag sessions or set their source only are let be.
func (l *linter) fittingAction(p *iampolicy.Principals) {
	if len(l.s.Action) == 0 || !slices.ContainsFunc(l.s.Action, func(a string) bool {
		return len(a) >= len(assumeRole) && strings.EqualFold(a[:len(assumeRole)], assumeRole)
	}) || slices.ContainsFunc(l.s.Action, noSuchAction) { // which is told already
		return
	}
	report := func(who, action string) {
		l.add(TrustAction, "Action", fmt.Sprintf("names %s, but not %s, which is how that assumes a role", who, action), "write "+action)
	}
	if names := slices.Concat(p.AWS, p.Service); len(names) > 0 && !l.does(assumeRole) {
		report(names[0], assumeRole)
	}
	for _, provider := range p.Federated {
		switch saml := strings.Contains(provider, ":saml-provider/"); {
		case saml && !l.does(assumeWithSAML):
			report(provider, assumeWithSAML)
		case !saml && !l.does(assumeWithWeb):
			report(provider, assumeWithWeb)
		}
	}
}

// trustWhole looks at what the whole policy comes to.
func (l *linter) trustWhole() {
	if !slices.ContainsFunc(l.document.Statements, func(s iampolicy.Statement) bool {
		return s.Effect == iampolicy.Allow && (s.Principal != nil || s.NotPrincipal != nil)
	}) {
		l.add(TrustNobody, "", "allows nobody, so nobody can use the role", "add an Allow with the principal that is to use the role")
	}
}
