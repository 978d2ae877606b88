package proof_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
)

// The role is in account 111111111111; 222222222222 is the repository's too,
// 444444444444 a partner's, and 999999999999 a stranger's.

func trustStatement(principal, action, condition string) string {
	if condition != "" {
		condition = `,"Condition":{` + condition + `}`
	}
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":` + action + condition + `}`
}

func trustAWS(name, condition string) string {
	return trustStatement(`{"AWS":"`+name+`"}`, `"sts:AssumeRole"`, condition)
}

// trustAny has the principal "*".
func trustAny(condition string) string { return trustStatement(`"*"`, `"sts:AssumeRole"`, condition) }

func trustService(names ...string) string {
	return trustStatement(`{"Service":["`+strings.Join(names, `","`)+`"]}`, `"sts:AssumeRole"`, "")
}

// trustWeb trusts an OIDC provider.
func trustWeb(issuer, condition string) string {
	provider := "arn:aws:iam::111111111111:oidc-provider/" + issuer
	if slices.Contains([]string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}, issuer) {
		provider = issuer
	}
	return trustStatement(`{"Federated":"`+provider+`"}`, `"sts:AssumeRoleWithWebIdentity"`, condition)
}

func trustGitHub(operator, sub string) string {
	return trustWeb(githubHost, fmt.Sprintf(`"StringEquals":{"%[1]s:aud":"sts.amazonaws.com"},"ForAnyValue:%[2]s":{"%[1]s:sub":%[3]s}`, githubHost, operator, sub))
}

func trustSAML(condition string) string {
	return trustStatement(`{"Federated":"arn:aws:iam::111111111111:saml-provider/corp"}`, `"sts:AssumeRoleWithSAML"`, condition)
}

const githubHost = "token.actions.githubusercontent.com"

// openTrusts let in more than whoever wrote them means, each with the codes
// that tell it, in order.
var openTrusts = map[string]struct{ text, want string }{
	// Everybody, and everybody of some place.
	"everybody":                          {trustAny(""), "public-trust"},
	"everybody by external id":           {trustAny(`"StringEquals":{"sts:ExternalId":"abc123"}`), "public-trust"},
	"everybody with MFA":                 {trustAny(`"Bool":{"aws:MultiFactorAuthPresent":"true"}`), "public-trust"},
	"everybody with a tag":               {trustAny(`"StringEquals":{"aws:PrincipalTag/team":"data"}`), "public-trust"},
	"everybody of any organization":      {trustAny(`"StringLike":{"aws:PrincipalOrgID":"o-*"}`), "public-trust"},
	"everybody of their own":             {trustAny(`"StringEquals":{"aws:PrincipalOrgID":"${aws:PrincipalOrgID}"}`), "public-trust"},
	"everybody of no organization":       {trustAny(`"StringEquals":{"aws:PrincipalOrgID":""}`), "public-trust"},
	"everybody but an account":           {trustAny(`"StringNotEquals":{"aws:PrincipalAccount":"999999999999"}`), "public-trust"},
	"everybody of lower accounts":        {trustAny(`"NumericLessThan":{"aws:PrincipalAccount":"999999999999"}`), "public-trust"},
	"everybody of paths in any":          {trustAny(`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-ab12/*"}`), "public-trust"},
	"a role of any account":              {trustAny(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deployer"}`), "public-trust"},
	"an account anywhere in the ARN":     {trustAny(`"StringLike":{"aws:PrincipalArn":"arn:*:iam::222222222222:role/x"}`), "public-trust"},
	"accounts that begin alike":          {trustAny(`"StringLike":{"aws:PrincipalArn":"arn:aws:iam::22222222222*"}`), "public-trust"},
	"any session":                        {trustAny(`"StringLike":{"aws:userid":"AROA*:*"}`), "public-trust"},
	"an organization, if any":            {trustAny(`"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}`), "if-exists public-trust"},
	"from an address":                    {trustAny(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), "trust-by-place"},
	"from all of a provider's addresses": {trustAny(`"IpAddress":{"aws:SourceIp":"3.0.0.0/8"}`), "trust-by-place"},
	"from anywhere":                      {trustAny(`"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}`), "public-trust"},
	"from a VPC":                         {trustAny(`"StringEquals":{"aws:SourceVpc":"vpc-12345678"}`), "trust-by-place"},
	"from an endpoint":                   {trustAny(`"StringEquals":{"aws:SourceVpce":"vpce-12345678"}`), "trust-by-place"},
	"from a bucket":                      {trustAny(`"ArnLike":{"aws:SourceArn":"arn:aws:s3:::x"}`), "trust-by-place"},

	// Accounts, by the principal or by a condition.
	"a stranger's account by condition":  {trustAny(`"StringEquals":{"aws:PrincipalAccount":"999999999999"}`), "unlisted-account no-external-id"},
	"a number for an account":            {trustAny(`"NumericEquals":{"aws:PrincipalAccount":"999999999999"}`), "unlisted-account no-external-id"},
	"a partner's account by condition":   {trustAny(`"StringEquals":{"aws:PrincipalAccount":"444444444444"}`), "no-external-id"},
	"our account by condition":           {trustAny(`"StringEquals":{"aws:PrincipalAccount":"222222222222"}`), "no-external-id"},
	"the own account by condition":       {trustAny(`"StringEquals":{"aws:PrincipalAccount":"111111111111"}`), "account-principal"},
	"the own account by variable":        {trustAny(`"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}`), "account-principal"},
	"a stranger's role by condition":     {trustAny(`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::999999999999:role/x"}`), "unlisted-account no-external-id"},
	"a stranger's root by condition":     {trustAny(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::999999999999:root"}`), "unlisted-account no-external-id"},
	"all roles of an account":            {trustAny(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/*"}`), "account-principal"},
	"two accounts, one a stranger's":     {trustAny(`"StringEquals":{"aws:PrincipalAccount":["111111111111","999999999999"]},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deployer"}`), "unlisted-account no-external-id"},
	"an account and everybody else":      {trustStatement(`{"AWS":["arn:aws:iam::222222222222:role/r","*"]}`, `"sts:AssumeRole"`, ""), "public-trust"},
	"an external id like anything":       {trustAWS("444444444444", `"StringLike":{"sts:ExternalId":"?*"}`), "no-external-id"},
	"an external id like two stars":      {trustAWS("444444444444", `"StringLike":{"sts:ExternalId":"**"}`), "no-external-id"},
	"an external id of a letter":         {trustAWS("444444444444", `"StringLike":{"sts:ExternalId":"a*"}`), "no-external-id"},
	"an external id that is itself":      {trustAWS("444444444444", `"StringEquals":{"sts:ExternalId":"${sts:ExternalId}"}`), "no-external-id"},
	"an external id the caller chooses":  {trustAWS("444444444444", `"StringEquals":{"sts:ExternalId":"${aws:PrincipalTag/id, 'x'}"}`), "no-external-id"},
	"an external id of none":             {trustAWS("444444444444", `"StringEquals":{"sts:ExternalId":[]}`), "no-external-id"},
	"an external id or anything":         {trustAWS("444444444444", `"StringLike":{"sts:ExternalId":["acme-1","*"]}`), "no-external-id"},
	"another than an external id":        {trustAWS("444444444444", `"StringNotEquals":{"sts:ExternalId":"x"}`), "no-external-id"},
	"some external id":                   {trustAWS("444444444444", `"Null":{"sts:ExternalId":"false"}`), "no-external-id"},
	"all values of an external id":       {trustAWS("444444444444", `"ForAllValues:StringEquals":{"sts:ExternalId":"x-1"}`), "no-external-id for-all-values"},
	"an account narrowed to anybody":     {trustAWS("222222222222", `"StringLike":{"aws:PrincipalArn":"**"}`), "no-external-id"},
	"an account narrowed to ARNs":        {trustAWS("222222222222", `"StringLike":{"aws:PrincipalArn":"arn:*"}`), "no-external-id"},
	"an account narrowed to itself":      {trustAWS("222222222222", `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::222222222222:root"}`), "no-external-id"},
	"an account narrowed to roles":       {trustAWS("111111111111", `"StringLike":{"aws:userid":"AROA*"}`), "account-principal"},
	"an account narrowed to any tag":     {trustAWS("111111111111", `"StringLike":{"aws:PrincipalTag/x":"?*"}`), "account-principal"},
	"an account narrowed to a tag it is": {trustAWS("111111111111", `"StringEquals":{"aws:PrincipalTag/x":"${aws:PrincipalTag/x}"}`), "account-principal"},

	// Forms that IAM refuses.
	"a service with a typo":          {trustService("ec2.amazonaws.con"), "refused-principal"},
	"a service of somebody's":        {trustService("ec2.evil.com"), "refused-principal"},
	"a service of another Amazon":    {trustService("lambda.amazonaws.com", "ec2.amazon.com"), "refused-principal"},
	"a service without domain":       {trustService("ec2"), "refused-principal"},
	"an action with a typo":          {strings.Replace(trustAWS("arn:aws:iam::222222222222:role/r", ""), "sts:AssumeRole", "sts:AssumRole", 1), "trust-action"},
	"an action for the web misspelt": {strings.Replace(trustWeb("ci.example.com", `"StringEquals":{"ci.example.com:sub":"x"}`), "WebIdentity", "WebIdentty", 1), "trust-action"},
	"a canonical user":               {trustStatement(`{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, `"sts:AssumeRole"`, ""), "refused-principal"},
	"a group":                        {trustAWS("arn:aws:iam::222222222222:group/g", ""), "refused-principal"},
	"an instance profile":            {trustAWS("arn:aws:iam::222222222222:instance-profile/p", ""), "refused-principal"},
	"a role's name alone":            {trustAWS("r", ""), "refused-principal"},
	"eleven digits":                  {trustAWS("22222222222", ""), "refused-principal"},
	"a role of eleven digits":        {trustAWS("arn:aws:iam::22222222222:role/r", ""), "refused-principal"},
	"a role without its session":     {trustAWS("arn:aws:sts::222222222222:assumed-role/r", ""), "refused-principal"},
	"a host that IAM does not know":  {trustStatement(`{"Federated":"`+githubHost+`"}`, `"sts:AssumeRoleWithWebIdentity"`, `"StringEquals":{"`+githubHost+`:sub":"repo:acme/x:*"}`), "refused-principal"},
	"any provider":                   {trustStatement(`{"Federated":"*"}`, `"sts:AssumeRoleWithWebIdentity"`, ""), "wildcard-principal"},

	// GitHub, by the subject.
	"GitHub without subject":                 {trustWeb(githubHost, `"StringEquals":{"`+githubHost+`:aud":"sts.amazonaws.com"}`), "open-federation"},
	"GitHub without condition":               {trustWeb(githubHost, ""), "open-federation"},
	"GitHub by any action":                   {strings.Replace(trustWeb(githubHost, ""), "AssumeRoleWithWebIdentity", "Assume*", 1), "open-federation"},
	"GitHub by all actions but one":          {strings.Replace(trustWeb(githubHost, ""), `"Action":"sts:AssumeRoleWithWebIdentity"`, `"NotAction":"sts:TagSession"`, 1), "allow-not-action open-federation"},
	"GitHub in capitals":                     {trustWeb("Token.Actions.GithubUserContent.com", ""), "open-federation"},
	"GitHub with a slash":                    {trustWeb(githubHost+"/", ""), "open-federation"},
	"GitHub held by another's key":           {trustWeb(githubHost, `"StringLike":{"gitlab.com:sub":"repo:acme/x:*"}`), "open-federation"},
	"GitHub if a subject":                    {trustGitHub("StringLikeIfExists", `"repo:acme/x:*"`), "if-exists open-federation"},
	"GitHub but a subject":                   {trustGitHub("StringNotLike", `"repo:evil/*"`), "open-federation"},
	"GitHub with some subject":               {trustWeb(githubHost, `"Null":{"`+githubHost+`:sub":"false"}`), "open-federation"},
	"GitHub with one wide subject":           {trustGitHub("StringLike", `["repo:acme/x:*","repo:*"]`), "open-federation"},
	"GitHub with a ref":                      {trustGitHub("StringEquals", `"ref:refs/heads/main"`), "open-federation"},
	"GitHub with an environment":             {trustGitHub("StringLike", `"environment:prod:*"`), "open-federation"},
	"GitHub with a repository of anybody":    {trustWeb(githubHost, `"StringLike":{"`+githubHost+`:sub":"repo:*","`+githubHost+`:repository":"*/x"}`), "open-federation"},
	"GitHub by workflow without sub":         {trustWeb(githubHost, `"StringEquals":{"`+githubHost+`:job_workflow_ref":"acme/x/.github/workflows/w.yml@refs/heads/main"}`), "open-federation"},
	"GitHub by repository id without sub":    {trustWeb(githubHost, `"StringEquals":{"`+githubHost+`:repository_id":"1234"}`), "open-federation"},
	"GitHub of an enterprise":                {trustWeb(githubHost+"/acme", ""), "wide-federation"},
	"GitHub of an enterprise, any repo":      {trustWeb(githubHost+"/acme", `"StringLike":{"`+githubHost+`/acme:sub":"repo:*"}`), "wide-federation"},
	"GitHub's audit log of any enterprise":   {trustWeb("oidc-configuration.audit-log.githubusercontent.com", `"StringLike":{"oidc-configuration.audit-log.githubusercontent.com:sub":"https://github.com/*"}`), "open-federation"},
	"GitLab without condition":               {trustWeb("gitlab.com", ""), "open-federation"},
	"GitLab with groups that begin alike":    {trustWeb("gitlab.com", `"StringLike":{"gitlab.com:sub":"project_path:acme*"}`), "open-federation"},
	"GitLab by its audience":                 {trustWeb("gitlab.com", `"StringEquals":{"gitlab.com:aud":"https://gitlab.com"}`), "open-federation"},
	"Terraform with any organization":        {trustWeb("app.terraform.io", `"StringLike":{"app.terraform.io:sub":"organization:*:project:p:*"}`), "open-federation"},
	"Buildkite without condition":            {trustWeb("agent.buildkite.com", ""), "open-federation"},
	"Buildkite with any pipeline id":         {trustWeb("agent.buildkite.com", `"StringLike":{"agent.buildkite.com:sub":"*","agent.buildkite.com:pipeline_id":"*"}`), "open-federation"},
	"Vercel without condition":               {trustWeb("oidc.vercel.com", ""), "open-federation"},
	"Pulumi for any organization":            {trustWeb("api.pulumi.com/oidc", `"StringLike":{"api.pulumi.com/oidc:sub":"pulumi:deploy:org:*"}`), "open-federation"},
	"Pulumi by an audience of all":           {trustWeb("api.pulumi.com/oidc", `"StringEquals":{"api.pulumi.com/oidc:aud":"sts.amazonaws.com"}`), "open-federation"},
	"Scalr without condition":                {trustWeb("scalr.io", ""), "open-federation"},
	"Microsoft for every tenant":             {trustWeb("login.microsoftonline.com/common/v2.0", `"StringEquals":{"login.microsoftonline.com/common/v2.0:aud":"app"}`), "open-federation"},
	"Microsoft's services without a session": {trustWeb("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/", `"StringEquals":{"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/:aud":"api://1462b192"}`), "open-federation"},
	"Google without condition":               {trustWeb("accounts.google.com", ""), "open-federation"},
	"Google with any audience":               {trustWeb("accounts.google.com", `"StringLike":{"accounts.google.com:aud":"*"}`), "open-federation"},
	"Google by what the caller asks for":     {trustWeb("accounts.google.com", `"StringEquals":{"accounts.google.com:oaud":"acme"}`), "open-federation"},
	"Facebook without condition":             {trustWeb("graph.facebook.com", ""), "open-federation"},
	"Amazon without condition":               {trustWeb("www.amazon.com", ""), "open-federation"},
	"Cognito without condition":              {trustWeb("cognito-identity.amazonaws.com", ""), "open-federation"},
	"Cognito for guests too":                 {trustWeb("cognito-identity.amazonaws.com", `"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"}`), "open-federation"},
	"Cognito, guests among them":             {trustWeb("cognito-identity.amazonaws.com", `"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"*authenticated"}`), "open-federation"},
	"Cognito for every pool":                 {trustWeb("cognito-identity.amazonaws.com", `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`), "open-federation"},

	// One's own providers, for all whom they name.
	"a cluster":                         {trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", ""), "wide-federation"},
	"a cluster by its audience":         {trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringEquals":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:aud":"my-audience"}`), "wide-federation"},
	"a cluster's service accounts":      {trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringLike":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:*:*"}`), "wide-federation"},
	"a cluster's system":                {trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringLike":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub":"system:serviceaccount*"}`), "wide-federation"},
	"a Google cluster":                  {trustWeb("container.googleapis.com/v1/projects/p/locations/l/clusters/c", ""), "wide-federation"},
	"a CircleCI organization":           {trustWeb("oidc.circleci.com/org/123", `"StringEquals":{"oidc.circleci.com/org/123:aud":"123"}`), "wide-federation"},
	"a Bitbucket workspace":             {trustWeb("api.bitbucket.org/2.0/workspaces/x/pipelines-config/identity/oidc", ""), "wide-federation"},
	"a Microsoft tenant":                {trustWeb("sts.windows.net/aaaa/", ""), "wide-federation"},
	"a Firebase project":                {trustWeb("securetoken.google.com/p", ""), "wide-federation"},
	"a GitLab of one's own":             {trustWeb("gitlab.acme.example", `"StringLike":{"gitlab.acme.example:sub":"project_path:*"}`), "wide-federation"},
	"an unknown provider":               {trustWeb("oidc.codefresh.example", ""), "wide-federation"},
	"an unknown provider by STS":        {trustWeb("app.env0.com", `"StringEquals":{"app.env0.com:aud":"sts.amazonaws.com"}`), "wide-federation"},
	"SAML for any service":              {trustSAML(""), "saml-audience"},
	"SAML for every audience":           {trustSAML(`"StringLike":{"SAML:aud":"*"}`), "saml-audience"},
	"SAML by the issuer":                {trustSAML(`"StringEquals":{"SAML:iss":"https://idp.acme.example"}`), "saml-audience"},
	"a provider of another account too": {strings.Replace(trustSAML(""), "111111111111", "222222222222", 1), "federation-account saml-audience"},
}

func TestOpenTrusts(t *testing.T) {
	for name, c := range openTrusts {
		t.Run(name, func(t *testing.T) {
			findings := proof.LintPolicy(proof.TrustPolicy, lintDocument(t, c.text), lintSubject())
			if got := codesIn(findings); got != c.want {
				t.Errorf("found %q, want %q: %+v", got, c.want, findings)
			}
		})
	}
}

func codesIn(findings []proof.Finding) string {
	var codes []string
	for _, f := range findings {
		codes = append(codes, string(f.Code))
	}
	return strings.Join(codes, " ")
}

// goodTrusts are written as the documentation of AWS and of the services
// recommends.
var goodTrusts = map[string]string{
	// AWS's services.
	"EC2":                           trustService("ec2.amazonaws.com"),
	"Lambda and at the edge":        trustService("lambda.amazonaws.com", "edgelambda.amazonaws.com"),
	"a service of a region":         trustService("logs.eu-west-1.amazonaws.com"),
	"a service of a service":        trustService("ecs.application-autoscaling.amazonaws.com"),
	"ECS for one account":           trustStatement(`{"Service":"ecs-tasks.amazonaws.com"}`, `"sts:AssumeRole"`, `"ArnLike":{"aws:SourceArn":"arn:aws:ecs:us-east-1:111111111111:*"},"StringEquals":{"aws:SourceAccount":"111111111111"}`),
	"a service for an organization": trustStatement(`{"Service":"backup.amazonaws.com"}`, `"sts:AssumeRole"`, `"StringEquals":{"aws:SourceOrgID":"${aws:ResourceOrgID}"}`),
	"EKS pods":                      trustStatement(`{"Service":"pods.eks.amazonaws.com"}`, `["sts:AssumeRole","sts:TagSession"]`, ""),
	"Roles Anywhere":                trustStatement(`{"Service":"rolesanywhere.amazonaws.com"}`, `["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"]`, `"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"host"},"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111111111111:trust-anchor/t"}`),

	// AWS's accounts.
	"a role":                          trustAWS("arn:aws:iam::222222222222:role/team/deployer", ""),
	"a user":                          trustAWS("arn:aws:iam::111111111111:user/alice", ""),
	"a session":                       trustAWS("arn:aws:sts::222222222222:assumed-role/deployer/ci", ""),
	"a federated user":                trustAWS("arn:aws:sts::111111111111:federated-user/alice", ""),
	"a role that tags":                trustStatement(`{"AWS":"arn:aws:iam::222222222222:role/deployer"}`, `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, `"StringLike":{"aws:RequestTag/project":"*"}`),
	"an account by external id":       trustAWS("222222222222", `"StringEquals":{"sts:ExternalId":"Unique_ID_1"}`),
	"a partner by external id":        trustAWS("arn:aws:iam::444444444444:root", `"StringEquals":{"sts:ExternalId":["a1b2","c3d4"]}`),
	"a partner by external ids":       trustAWS("444444444444", `"StringLike":{"sts:ExternalId":"acme-*"}`),
	"a partner and its tags":          trustAWS("444444444444", `"StringEquals":{"sts:ExternalId":"a1b2"}`) + `,` + trustStatement(`{"AWS":"444444444444"}`, `"sts:TagSession"`, ""),
	"an account's tagged":             trustAWS("arn:aws:iam::111111111111:root", `"StringEquals":{"aws:PrincipalTag/team":"release"}`),
	"an account's tagged as the role": trustAWS("111111111111", `"StringEquals":{"aws:PrincipalTag/project":"${aws:ResourceTag/project}"}`),
	"an account's one role":           trustAWS("111111111111", `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/ci"}`),
	"an account's single sign-on":     trustAWS("111111111111", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin_*"}`),
	"an account's user by id":         trustAWS("111111111111", `"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE123:*"}`),
	"an organization":                 trustAny(`"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}`),
	"an organization, in other case":  trustAny(`"stringequals":{"AWS:principalorgid":"o-abcdefghij"}`),
	"the role's organization":         trustAny(`"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}`),
	"an organizational unit":          trustAny(`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-abcdefghij/r-ab12/ou-ab12-11111111/*"}`),
	"an organization's deployers":     trustAny(`"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deployer"}`),
	"an organization from a network":  trustAny(`"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`),
	"a role that may be made again":   trustAny(`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/deployer"}`),
	"a role in any partition":         trustAny(`"ArnLike":{"aws:PrincipalArn":"arn:*:iam::222222222222:role/deployer"}`),
	"a team's roles":                  trustAny(`"StringEquals":{"aws:PrincipalAccount":"222222222222"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/team/*"}`),
	"a role of one of two accounts":   trustAny(`"StringEquals":{"aws:PrincipalAccount":["222222222222","999999999999"]},"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/deployer"}`),
	"a session by its role's id":      trustAny(`"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE123:*"}`),
	"a perimeter around a role": trustAWS("arn:aws:iam::222222222222:role/r", "") +
		`,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`,

	// Services that serve everybody, held to one customer.
	"GitHub, a branch":           trustGitHub("StringEquals", `"repo:acme/models:ref:refs/heads/main"`),
	"GitHub, an environment":     trustGitHub("StringEquals", `"repo:acme/models:environment:Production"`),
	"GitHub, a repository":       trustGitHub("StringLike", `"repo:acme/models:*"`),
	"GitHub, several":            trustGitHub("StringLike", `["repo:acme/models:ref:refs/heads/*","repo:acme/data:ref:refs/tags/v*"]`),
	"GitHub, an organization":    trustGitHub("StringLike", `"repo:acme/*"`),
	"GitHub, with ids":           trustGitHub("StringLike", `"repo:acme@1234/models@5678:ref:refs/heads/main"`),
	"GitHub, a chosen subject":   trustGitHub("StringLike", `"repository_owner_id:1234:job_workflow_ref:acme/w/.github/workflows/*"`),
	"GitHub, the subject later":  trustGitHub("StringEquals", `"environment:prod:repo:acme/models"`),
	"GitHub, a repository's id":  trustWeb(githubHost, `"StringEquals":{"`+githubHost+`:repository_id":"1234"},"StringLike":{"`+githubHost+`:sub":"repo:*"}`),
	"GitHub, a workflow":         trustWeb(githubHost, `"StringEquals":{"`+githubHost+`:job_workflow_ref":"acme/w/.github/workflows/deploy.yml@refs/heads/main"},"StringLike":{"`+githubHost+`:sub":"repo:*"}`),
	"GitHub, and its tags":       trustGitHub("StringLike", `"repo:acme/models:*"`) + `,` + strings.Replace(trustWeb(githubHost, ""), "AssumeRoleWithWebIdentity", "TagSession", 1),
	"GitHub of an enterprise":    trustWeb(githubHost+"/acme-corp", `"StringLike":{"`+githubHost+`/acme-corp:sub":"repo:acme/models:*"}`),
	"GitHub's audit log":         trustWeb("oidc-configuration.audit-log.githubusercontent.com", `"StringEquals":{"oidc-configuration.audit-log.githubusercontent.com:sub":"https://github.com/acme","oidc-configuration.audit-log.githubusercontent.com:aud":"sts.amazonaws.com"}`),
	"GitLab, a branch":           trustWeb("gitlab.com", `"StringEquals":{"gitlab.com:sub":"project_path:acme/models:ref_type:branch:ref:main"}`),
	"GitLab, a group":            trustWeb("gitlab.com", `"StringLike":{"gitlab.com:sub":"project_path:acme/*:ref_type:branch:ref:main"}`),
	"GitLab of one's own":        trustWeb("gitlab.acme.example", `"StringLike":{"gitlab.acme.example:sub":"project_path:data/*"}`),
	"Terraform, a workspace":     trustWeb("app.terraform.io", `"StringEquals":{"app.terraform.io:aud":"aws.workload.identity"},"StringLike":{"app.terraform.io:sub":"organization:acme:project:*:workspace:w:run_phase:*"}`),
	"Buildkite, a pipeline":      trustWeb("agent.buildkite.com", `"StringLike":{"agent.buildkite.com:sub":"organization:acme:pipeline:p:ref:refs/heads/main:*"},"StringEquals":{"agent.buildkite.com:aud":"sts.amazonaws.com"}`),
	"Buildkite, an organization": trustWeb("agent.buildkite.com", `"StringLike":{"agent.buildkite.com:sub":"organization:acme-inc:*"},"StringEquals":{"aws:RequestTag/pipeline_id":"1"}`),
	"Pulumi":                     trustWeb("api.pulumi.com/oidc", `"StringEquals":{"api.pulumi.com/oidc:aud":"aws:acme"},"StringLike":{"api.pulumi.com/oidc:sub":"pulumi:deploy:org:acme:project:p:*"}`),
	"Vercel, a team":             trustWeb("oidc.vercel.com/acme", `"StringEquals":{"oidc.vercel.com/acme:aud":"https://vercel.com/acme"},"StringLike":{"oidc.vercel.com/acme:sub":"owner:acme:project:p:environment:production"}`),
	"Vercel, for all":            trustWeb("oidc.vercel.com", `"StringEquals":{"oidc.vercel.com:aud":"https://vercel.com/acme"}`),
	"Google, an application":     trustWeb("accounts.google.com", `"StringEquals":{"accounts.google.com:aud":"66677788899900pro0"}`),
	"Google, a service account":  trustWeb("accounts.google.com", `"StringEquals":{"accounts.google.com:aud":"1078","accounts.google.com:oaud":"acme","accounts.google.com:sub":"1078"}`),
	"Google, an organization":    trustWeb("accounts.google.com", `"NumericEquals":{"accounts.google.com:google/organization_number":"1234"}`),
	"Facebook":                   trustWeb("graph.facebook.com", `"StringEquals":{"graph.facebook.com:app_id":"111222333444555"}`),
	"Amazon":                     trustWeb("www.amazon.com", `"StringEquals":{"www.amazon.com:app_id":"amzn1.application-oa2-123456"}`),
	"Cognito, authenticated":     trustWeb("cognito-identity.amazonaws.com", `"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`),
	"Cognito, guests on purpose": trustWeb("cognito-identity.amazonaws.com", `"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"unauthenticated"}`),
	"Microsoft's Sentinel":       trustWeb("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/", `"StringEquals":{"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/:aud":"api://1462b192","sts:RoleSessionName":"MicrosoftSentinel_1234"}`),

	// One's own providers.
	"EKS, a service account":   trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringEquals":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:default:app","oidc.eks.us-east-1.amazonaws.com/id/ABC:aud":"sts.amazonaws.com"}`),
	"EKS, a namespace":         trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringLike":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:default:*"}`),
	"EKS, a name anywhere":     trustWeb("oidc.eks.us-east-1.amazonaws.com/id/ABC", `"StringLike":{"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:*:app"}`),
	"GKE, a service account":   trustWeb("container.googleapis.com/v1/projects/p/locations/l/clusters/c", `"StringEquals":{"container.googleapis.com/v1/projects/p/locations/l/clusters/c:sub":"system:serviceaccount:default:app"}`),
	"CircleCI, a project":      trustWeb("oidc.circleci.com/org/1234", `"StringLike":{"oidc.circleci.com/org/1234:sub":"org/1234/project/5678/user/*"}`),
	"CircleCI, a project's id": trustWeb("oidc.circleci.com/org/1234", `"StringEquals":{"oidc.circleci.com/org/1234:oidc.circleci.com/project-id":"5678"}`),
	"Bitbucket, a repository":  trustWeb("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", `"StringLike":{"api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc:sub":"{c7a1}*:*"}`),
	"Entra, a principal":       trustWeb("sts.windows.net/aaaa/", `"StringEquals":{"sts.windows.net/aaaa/:aud":"api://app","sts.windows.net/aaaa/:sub":"bbbb"}`),
	"an application's users":   trustWeb("acme.auth0.com/", `"StringEquals":{"acme.auth0.com/:aud":"appid_from_oidc_idp"}`),
	"SAML":                     trustSAML(`"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}`),
	"SAML, regions":            trustSAML(`"StringLike":{"SAML:aud":["https://signin.aws.amazon.com/saml","https://*.signin.aws.amazon.com/saml"]}`),
	"SAML, tags":               strings.Replace(trustSAML(`"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"},"StringLike":{"aws:RequestTag/team":"*"}`), `"sts:AssumeRoleWithSAML"`, `["sts:AssumeRoleWithSAML","sts:TagSession"]`, 1),
}

func TestGoodTrusts(t *testing.T) {
	for name, text := range goodTrusts {
		t.Run(name, func(t *testing.T) {
			for _, f := range proof.LintPolicy(proof.TrustPolicy, lintDocument(t, text), lintSubject()) {
				t.Errorf("found %+v", f)
			}
		})
	}
}

// A name that is no service is answered with the one that is meant.
func TestLintTrustMeantService(t *testing.T) {
	for _, tc := range []struct{ partition, name, mend string }{
		{"aws", "ec2.amazon.com", "did you mean ec2.amazonaws.com?"},
		{"aws-cn", "ec2.amazon.com", "did you mean ec2.amazonaws.com.cn?"},
		{"aws", "lambda", "did you mean lambda.amazonaws.com?"},
		{"aws", "ec2.amazonaws.con", "did you mean ec2.amazonaws.com?"},
		{"aws", "glue.amazaonaws.com", "did you mean glue.amazonaws.com?"},
		{"aws", "states.us-east-1.amazon.com", "did you mean states.us-east-1.amazonaws.com?"},
		{"aws", "ec2.evil.com", "write a service's name such as ec2.amazonaws.com"},
		{"aws", "a service", "write a service's name such as ec2.amazonaws.com"},
	} {
		found := proof.LintPolicy(proof.TrustPolicy, lintDocument(t, trustService(tc.name)), proof.Subject{Name: "the trust policy", Account: "111111111111", Partition: tc.partition})
		if len(found) != 1 || found[0].Code != proof.RefusedPrincipal || found[0].Mend != tc.mend {
			t.Errorf("%s in %s: %+v, want %q", tc.name, tc.partition, found, tc.mend)
		}
	}
}
