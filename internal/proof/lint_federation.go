package proof

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// form tells what the shape of a value must be like.
type form func(shape string) bool

// hold is a set of an issuer's claims, in lower case, that hold it to somebody
// when all are held to values of their forms. A key with a colon is one of AWS's.
type hold map[string]form

// issuer is an OIDC identity provider.
type issuer struct {
	example string // a good value of the first hold's only or first claim
	holds   []hold // any of which is enough; the first is the one to advise
}

func matching(pattern string) form { return regexp.MustCompile(pattern).MatchString }

var (
	// IAM wants sub evaluated, whatever other claim tells whose a token is.
	evaluated = matching(`[^\x00]`)
	begun     = matching(`^[^\x00]`)
	// owner/name, with the owner in full
	owned = matching(`^[^\x00/]+/.`)
	// what most services write: kind:tenant, and then more
	tenant = matching(`^[^\x00:]+:[^\x00:/]+[:/]|^[^\x00]+$`)
	// Claims may be chosen, and come in any order. The ref or the environment is
	// anybody's; a workflow may be called by others, but does what its owner wrote.
	githubSubject = matching(`(?i)^([^\x00]*:)?((repo|repository|job_workflow_ref):[^\x00:/]+/.|(repository_id|repository_owner|repository_owner_id|enterprise|enterprise_id):[^\x00:]+(:|$))`)
	pulumiSubject = matching(`^[^\x00]*:(org|pulumi\.organization\.login):[^\x00:]+:|^[^\x00]+$`)
)

// What the services' tokens say.
var (
	bySubject = []hold{{"sub": fixed}}
	byTenant  = []hold{{"sub": tenant}}
	byAud     = []hold{{"aud": application}, {"sub": tenant}}
	byApp     = []hold{{"app_id": fixed}, {"id": fixed}, {"user_id": fixed}}
	byGitHub  = []hold{
		{"sub": githubSubject},
		{"sub": evaluated, "repository": owned},
		{"sub": evaluated, "job_workflow_ref": owned},
		{"sub": evaluated, "repository_id": fixed},
		{"sub": evaluated, "repository_owner_id": fixed},
		{"sub": evaluated, "enterprise_id": fixed},
	}
	byGitLab    = []hold{{"sub": tenant}, {"sub": evaluated, "namespace_id": fixed}, {"sub": evaluated, "project_id": fixed}}
	byBuildkite = []hold{{"sub": tenant}, {"sub": evaluated, "organization_id": fixed}, {"sub": evaluated, "organization_slug": fixed}, {"sub": evaluated, "pipeline_id": fixed}}
	// amr tells authenticated identities from guests, which a pool may let in.
	byCognito = []hold{{"aud": fixed, "amr": begun}, {"sub": fixed}}
	// aud is the application's id, or a service account's; oaud whoever asks for a token chooses.
	byGoogle = []hold{{"aud": application}, {"sub": fixed}, {"email": fixed}, {"google/organization_number": fixed}}
)

const (
	repoExample         = "repo:ORGANIZATION/REPOSITORY:*"
	organizationExample = "organization:ORGANIZATION:*"
)

// shared are the issuers that serve everybody, by host and path in lower case:
// AWS's list, and the providers that need not be created.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
var shared = map[string]issuer{
	"accounts.google.com":                          {"", byGoogle},
	"agent.buildkite.com":                          {organizationExample, byBuildkite},
	"api.pulumi.com/oidc":                          {"", []hold{{"aud": application}, {"sub": pulumiSubject}}},
	"app.terraform.io":                             {organizationExample, byTenant},
	"cognito-identity-us-gov.amazonaws.com":        {"", byCognito},
	"cognito-identity.amazonaws.com":               {"", byCognito},
	"cognito-identity.cn-north-1.amazonaws.com.cn": {"", byCognito},
	"gitlab.com":                                   {"project_path:GROUP/PROJECT:*", byGitLab},
	"graph.facebook.com":                           {"", byApp},
	"login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": {"", bySubject}, // personal accounts
	"login.microsoftonline.com/common":                                    {"", bySubject},
	"login.microsoftonline.com/common/v2.0":                               {"", bySubject},
	"login.microsoftonline.com/consumers/v2.0":                            {"", bySubject},
	"login.microsoftonline.com/organizations/v2.0":                        {"", bySubject},
	"oidc-configuration.audit-log.githubusercontent.com":                  {"https://github.com/ENTERPRISE", bySubject},
	"oidc.codefresh.io":                                                   {"account:ACCOUNT:*", byTenant},
	"oidc.vercel.com":                                                     {"https://vercel.com/TEAM", byAud},
	"proidc.upbound.io":                                                   {"mcp:ORGANIZATION/*", byTenant},
	"sandboxes.cloud":                                                     {"", byAud},
	"scalr.io":                                                            {"account:ACCOUNT:*", byTenant},
	"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d":                {"", []hold{{"sts:rolesessionname": fixed}, {"sub": fixed}}}, // Microsoft's own services
	"sts.windows.net/common":                                              {"", bySubject},
	"studio.datachain.ai/api":                                             {"credentials:TEAM/*", byTenant},
	"token.actions.githubusercontent.com":                                 {repoExample, byGitHub},
	"tokens.cloud.shisho.dev":                                             {"", byTenant},
	"vstoken.actions.githubusercontent.com":                               {repoExample, byGitHub},
	"www.amazon.com":                                                      {"", byApp},
}

// own are issuers that serve one customer each, by how they begin: those whose
// tokens are for whatever audience somebody asks for, so that it tells nothing.
var own = map[string]issuer{
	"api.bitbucket.org/":                   {"", []hold{{"sub": oneSubject}}},
	"container.googleapis.com/":            {"system:serviceaccount:NAMESPACE:NAME", []hold{{"sub": oneSubject}}},
	"oidc.circleci.com/":                   {"org/ORGANIZATION/project/PROJECT/*", []hold{{"sub": oneSubject}, {"oidc.circleci.com/project-id": fixed}}},
	"oidc.eks.":                            {"system:serviceaccount:NAMESPACE:NAME", []hold{{"sub": oneSubject}}},
	"oidc.vercel.com/":                     {"owner:TEAM:project:PROJECT:*", []hold{{"sub": oneSubject}}},
	"token.actions.githubusercontent.com/": {repoExample, byGitHub},
}

// other is any other issuer: one's own, or one that is not known here.
var other = issuer{"", []hold{{"sub": oneSubject}, {"aud": application}, {"email": enough}}}

// oneSubject tells the subjects of one's own issuer that are not just anybody's:
// "repo:*" is everybody, and "system:serviceaccount:*" everybody of a cluster.
func oneSubject(shape string) bool {
	rest := shape[len(kindOf.FindString(shape)):]
	return fixed(shape) || enough(rest) && !strings.HasPrefix(rest, "serviceaccount")
}

// kindOf finds what subjects begin with that tells of what kind they are.
var kindOf = regexp.MustCompile(`^(system:serviceaccount:|[A-Za-z_]+:)`)

// application tells the audiences that are an application's, and not that of
// all tokens that are made for AWS.
func application(shape string) bool {
	return fixed(shape) && !strings.HasPrefix(shape, "sts.amazonaws.com")
}

// builtIn tells the providers that IAM has without their being created.
func builtIn(name string) bool {
	return name == "accounts.google.com" || name == "graph.facebook.com" || name == "www.amazon.com" || strings.HasPrefix(name, "cognito-identity")
}

// provider looks at an identity provider that an Allow names.
func (l *linter) provider(provider string) {
	if iampolicy.HasWildcard(provider) {
		return
	}
	kind, name := "", provider
	if a := iampolicy.CutARN(provider); a.Service != "" {
		if l.about.Account != "" && a.Account != l.about.Account {
			l.add(FederationAccount, "Principal", fmt.Sprintf("names the provider %s, which is not of the role's account %s: STS does not look for it there", provider, l.about.Account),
				"create the provider in the role's account and name that")
		}
		kind, name, _ = strings.Cut(a.Resource, "/")
	}
	switch {
	case kind == "saml-provider":
		if l.does(assumeWithSAML) && !l.holds("saml:aud", signIn) {
			l.add(SAMLAudience, "Condition", fmt.Sprintf("trusts the SAML provider %s without holding SAML:aud to AWS's sign-in address", name),
				"add a condition StringEquals on SAML:aud, such as https://signin.aws.amazon.com/saml")
		}
	case l.does(assumeWithWeb):
		l.webIdentity(strings.ToLower(strings.TrimSuffix(name, "/")))
	}
}

// signIn tells the audiences of SAML that are AWS's, which differ by region and
// partition.
var signIn = matching(`signin\.|^[^\x00]+$`)

// webIdentity looks at whom the issuer of this name lets in.
func (l *linter) webIdentity(name string) {
	code, trusts := OpenFederation, fmt.Sprintf("trusts %s, which serves everybody", name)
	by, everybody := shared[name]
	if !everybody {
		code, trusts = WideFederation, fmt.Sprintf("trusts %s for everybody whom it names", name)
		by = other
		for start, issuer := range own {
			if strings.HasPrefix(name, start) {
				by = issuer
			}
		}
	}
	if slices.ContainsFunc(by.holds, func(h hold) bool { return len(l.lacking(name, h)) == 0 }) {
		return
	}
	keys := l.lacking(name, by.holds[0])
	wanted, mend := strings.Join(keys, " and "), ""
	if by.example != "" {
		mend = ", such as " + by.example
	}
	message := fmt.Sprintf("%s, without holding %s to a value", trusts, wanted)
	for _, h := range l.keyed {
		if good := by.holds[0][strings.TrimPrefix(h.key, name+":")]; slices.Contains(keys, h.key) {
			loose := slices.IndexFunc(h.shapes, func(s string) bool { return !good(s) })
			message = fmt.Sprintf("%s, and %s may be %s, which fits others too", trusts, h.key, h.values[loose])
		}
	}
	l.add(code, "Condition", message, "add a condition on "+wanted+mend)
}

// lacking are the keys of a hold that no condition holds.
func (l *linter) lacking(name string, h hold) []string {
	var keys []string
	for _, claim := range slices.Sorted(maps.Keys(h)) {
		key := claim
		if !strings.Contains(claim, ":") {
			key = name + ":" + claim
		}
		if !l.holds(key, h[claim]) {
			keys = append(keys, key)
		}
	}
	return keys
}
