package iampolicy

// The policies that the guides of IAM, Organizations and KMS print, with the
// decisions that their text gives.

const (
	pageNotAction   = "IAM:reference_policies_elements_notaction"
	pageNotResource = "IAM:reference_policies_elements_notresource"
	pageConditions  = "IAM:reference_policies_multi-value-conditions"
	pageSessions    = "IAM:access_policies"
	pageAssume      = "IAM:id_credentials_temp_control-access_assumerole"
	pageRevoke      = "IAM:id_credentials_temp_control-access_disable-perms"
	pageDeputy      = "IAM:confused-deputy"
	pageExternal    = "IAM:id_roles_create_for-user_externalid"
	pageSCPSample   = "ORG:orgs_manage_policies_scps_examples"
	pageRCPSample   = "ORG:orgs_manage_policies_rcps_examples"
	pageRCPLevels   = "ORG:orgs_manage_policies_rcps_evaluation"
	pageKeyDefault  = "KMS:key-policy-default"

	carlos        = "arn:aws:iam::111111111111:user/carlossalazar"
	bob           = "arn:aws:iam::444455556666:user/Bob"
	auditRole     = "arn:aws:iam::444455556666:role/cross-account-read-only-role"
	audit         = "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app"
	david         = "arn:aws:iam::111111111111:user/David"
	thread        = "arn:aws:dynamodb:eu-west-1:111111111111:table/Thread"
	zhang         = "arn:aws:iam::123456789012:user/Zhang"
	accounting    = "arn:aws:sts::111111111111:assumed-role/Accounting-Role/Mary"
	productionApp = "arn:aws:s3:::productionapp"
)

// oneOf is a statement of a policy without principals, with a condition.
func oneOf(effect, action, resource, condition string) string {
	return `{"Effect":"` + effect + `","Action":` + action + `,"Resource":` + resource + `,"Condition":{` + condition + `}}`
}

var (
	// IAM:reference_policies_evaluation-logic and its page on two accounts.
	carlosOwn = `{"Sid":"AllowS3ListRead","Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetAccountPublicAccessBlock","s3:ListAccessPoints","s3:ListAllMyBuckets"],"Resource":"arn:aws:s3:::*"},
		{"Sid":"AllowS3Self","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::carlossalazar/*","arn:aws:s3:::carlossalazar"]},
		{"Sid":"DenyS3Logs","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*log*"}`
	carlosBucket = `{"Effect":"Allow","Principal":{"AWS":"` + carlos + `"},"Action":"s3:*","Resource":["arn:aws:s3:::carlossalazar/*","arn:aws:s3:::carlossalazar"]}`
	carlosCross  = `{"Sid":"AllowS3ListRead","Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"},
		{"Sid":"AllowS3ProductionObjectActions","Effect":"Allow","Action":"s3:*Object*","Resource":"arn:aws:s3:::Production/*"},
		{"Sid":"DenyS3Logs","Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::*log*","arn:aws:s3:::*log*/*"]}`
	productionBucket = `{"Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:ReplicateObject","s3:RestoreObject"],"Principal":{"AWS":"` + carlos + `"},"Resource":"arn:aws:s3:::Production/*"}`
	getList          = `{"Sid":"AllowGetList","Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"},{"Sid":"DenyReports","Effect":"Deny","Action":"iam:*Report","Resource":"*"}`

	// IAM:reference_policies_elements_principal and _notprincipal.
	denyAllBut    = `{"Effect":"Deny","Action":"s3:*","Principal":"*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"` + bob + `"}}}`
	notBob        = `{"Effect":"Deny","NotPrincipal":{"AWS":["` + bob + `","arn:aws:iam::444455556666:root"]},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`
	notAudit      = `{"Effect":"Deny","NotPrincipal":{"AWS":["` + audit + `","` + auditRole + `","arn:aws:iam::444455556666:root"]},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`
	toBob, toAcct = to("Allow", aws(bob)), to("Allow", aws("444455556666"))

	// IAM:reference_policies_variables.
	homes       = `{"Action":["s3:ListBucket"],"Effect":"Allow","Resource":["arn:aws:s3:::b"],"Condition":{"StringLike":{"s3:prefix":["${aws:username}/*"]}}},{"Action":["s3:GetObject","s3:PutObject"],"Effect":"Allow","Resource":["arn:aws:s3:::b/${aws:username}/*"]}`
	ownKeys     = `{"Action":["iam:*AccessKey*"],"Effect":"Allow","Resource":["arn:aws:iam::111111111111:user/${aws:username}"]}`
	teamTags    = to("Allow", ofB) + `,{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/Team}"}}}`
	companyWide = resources("arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team, 'company-wide'}/*")

	// IAM:reference_policies_multi-value-conditions.
	onlyAttributes = oneOf("Allow", `"dynamodb:GetItem"`, `"arn:aws:dynamodb:*:*:table/Thread"`, `"ForAllValues:StringEquals":{"dynamodb:Attributes":["ID","Message","Tags"]}`)
	noAttributes   = allowAll + "," + oneOf("Deny", `"dynamodb:PutItem"`, `"arn:aws:dynamodb:*:*:table/Thread"`, `"ForAnyValue:StringEquals":{"dynamodb:Attributes":["ID","PostDateTime"]}`)
	departments    = oneOf("Allow", `"s3:*"`, `"*"`, `"StringEqualsIgnoreCase":{"aws:PrincipalTag/department":["finance","hr","legal"],"aws:PrincipalTag/role":["audit","security"]},"StringEquals":{"aws:PrincipalAccount":"111111111111"}`)

	// IAM:access_policies_boundaries: what María lets Zhang do.
	companyBoundary = `{"Effect":"Allow","Action":["s3:*","cloudwatch:*","ec2:*","dynamodb:*"],"Resource":"*"},
		{"Effect":"Allow","Action":["iam:ListUsers","iam:GetAccountPasswordPolicy"],"Resource":"*"},
		{"Effect":"Allow","Action":["iam:*AccessKey*","iam:ChangePassword","iam:GetUser"],"Resource":["arn:aws:iam::*:user/${aws:username}"]},
		{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]},
		{"Effect":"Deny","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:instance/i-1234567890abcdef0"}`
	zhangBoundary = oneOf("Allow", `["iam:AttachUserPolicy","iam:CreateUser","iam:PutUserPolicy"]`, `"*"`, `"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/XCompanyBoundaries"}`) + `,
		{"Effect":"Allow","Action":["cloudwatch:*","iam:CreateAccessKey","iam:DeleteUser","iam:UpdateUser"],"NotResource":"arn:aws:iam::123456789012:user/Maria"},
		{"Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy"],"Resource":["arn:aws:iam::123456789012:policy/XCompanyBoundaries"]},
		{"Effect":"Deny","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*"}`
	zhangOwn = `{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Allow","Action":["cloudwatch:GetDashboard"],"Resource":"*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::ZhangBucket"}`

	// IAM:id_credentials_temp_control-access_assumerole.
	roleOwn    = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::productionapp"},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::productionapp/*"}`
	lessAsked  = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::productionapp"},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::productionapp/*"}`
	noDeletion = `{"Principal":{"AWS":"*"},"Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::productionapp/*"}`

	incidents = `{"Effect":"Allow","Principal":{"Service":"ssm-incidents.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ssm-incidents:*:111122223333:incident-record/myresponseplan/*"}}}`
	revoked   = oneOf("Deny", `"*"`, `"*"`, `"DateLessThan":{"aws:TokenIssueTime":"2014-05-07T23:47:00Z"}`)

	payroll    = `{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::HRBucket/Payroll","arn:aws:s3:::HRBucket/Payroll/*"]}`
	withoutMFA = `{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`
	regions    = `{"Effect":"Deny","NotAction":["cloudfront:*","iam:*","route53:*","support:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1"]}}}`

	orgIdentities = `{"Effect":"Deny","Principal":"*","Action":["s3:*","kms:*","sts:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`
	orgDeputies   = `{"Effect":"Deny","Principal":"*","Action":["s3:*","kms:*","sts:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-1","aws:SourceAccount":["333333333333"]},"Bool":{"aws:PrincipalIsAWSService":"true"},"Null":{"aws:SourceArn":"false"}}}`
	orgTLS        = `{"Effect":"Deny","Principal":"*","Action":["s3:*","kms:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}}`

	keyAccount  = `{"Sid":"Allow an external account to use this KMS key","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222222222222:root"]},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}`
	keyRole     = `{"Effect":"Allow","Principal":{"AWS":"` + roleB + `"},"Action":["kms:Decrypt","kms:CreateGrant"],"Resource":"*"}`
	keyIdentity = `{"Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"` + key1 + `"}`
	keyDefault  = `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"kms:*","Resource":"*"}`
)

// iamCases are the example policies of IAM, Organizations and KMS.
var iamCases = map[string]evalCase{
	// One account: Carlos.
	"carlos: the logs' bucket":          {page: pageLogic, caller: carlos, action: "s3:PutObject", resource: "arn:aws:s3:::carlossalazar-logs/x", identity: list(carlosOwn), want: ExplicitDeny, lacking: both},
	"carlos: his bucket":                {page: pageLogic, caller: carlos, action: "s3:PutObject", resource: "arn:aws:s3:::carlossalazar/x", identity: list(carlosOwn), policy: carlosBucket, want: Allowed},
	"carlos: his bucket, its policy":    {page: pageLogic, caller: carlos, action: "s3:PutObject", resource: "arn:aws:s3:::carlossalazar/x", policy: carlosBucket, want: Allowed},
	"carlos: his bucket, his policy":    {page: pageLogic, caller: carlos, action: "s3:PutObject", resource: "arn:aws:s3:::carlossalazar/x", identity: list(carlosOwn), want: Allowed},
	"carlos: his bucket, others":        {page: pageLogic, caller: userA, action: "s3:PutObject", resource: "arn:aws:s3:::carlossalazar/x", policy: carlosBucket, want: ImplicitDeny, lacking: both},
	"carlos: a list of all buckets":     {page: pageLogic, caller: carlos, action: "s3:ListAllMyBuckets", resource: "*", identity: list(carlosOwn), want: Allowed},
	"deny: reading IAM":                 {page: pageLogic, caller: carlos, action: "iam:GetUser", resource: carlos, identity: list(getList), want: Allowed},
	"deny: what is not allowed":         {page: pageLogic, caller: carlos, action: "iam:CreatePolicy", resource: "arn:aws:iam::111111111111:policy/p", identity: list(getList), want: ImplicitDeny, lacking: identity},
	"deny: what is denied":              {page: pageLogic, caller: carlos, action: "iam:GetOrganizationsAccessReport", resource: "*", identity: list(getList), want: ExplicitDeny, lacking: identity},
	"deny: whatever another one allows": {page: pageLogic, caller: carlos, action: "iam:GenerateCredentialReport", resource: "*", identity: list(getList, allowAll), want: ExplicitDeny, lacking: identity},

	// Two accounts: Carlos again.
	"carlos cross: the logs":            {page: pageCross, caller: carlos, owner: accountB, action: "s3:PutObject", resource: "arn:aws:s3:::Production-logs/x", identity: list(carlosCross), want: ExplicitDeny, lacking: both},
	"carlos cross: production":          {page: pageCross, caller: carlos, owner: accountB, action: "s3:PutObject", resource: "arn:aws:s3:::Production/x", identity: list(carlosCross), policy: productionBucket, want: Allowed},
	"carlos cross: he cannot delete":    {page: pageCross, caller: carlos, owner: accountB, action: "s3:DeleteObject", resource: "arn:aws:s3:::Production/x", identity: list(carlosCross), policy: productionBucket, want: ImplicitDeny, lacking: resOnly},
	"carlos cross: he cannot manage it": {page: pageCross, caller: carlos, owner: accountB, action: "s3:PutBucketTagging", resource: "arn:aws:s3:::Production", identity: list(carlosCross), policy: productionBucket, want: ImplicitDeny, lacking: both},
	"carlos cross: without his policy":  {page: pageCross, caller: carlos, owner: accountB, action: "s3:PutObject", resource: "arn:aws:s3:::Production/x", policy: productionBucket, want: ImplicitDeny, lacking: identity},
	"carlos cross: his own buckets":     {page: pageCross, caller: carlos, action: "s3:ListAllMyBuckets", resource: "*", identity: list(carlosCross), want: Allowed},

	// Principals.
	"principal: denied but for one ARN":           {page: pagePrinc, caller: bob, identity: list(allowAll), policy: toBob + "," + denyAllBut, want: Allowed},
	"principal: denied but for one ARN, another":  {page: pagePrinc, caller: "arn:aws:iam::444455556666:user/Alice", identity: list(allowAll), policy: toAcct + "," + denyAllBut, want: ExplicitDeny, lacking: resOnly},
	"principal: denied but for one ARN, nobody":   {page: pagePrinc, caller: "anonymous", policy: to("Allow", ofEverybody) + "," + denyAllBut, want: ExplicitDeny, lacking: resOnly},
	"principal: denied but for one ARN, its role": {page: pagePrinc, caller: audit, identity: list(allowAll), policy: to("Allow", aws(audit)) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"` + auditRole + `"}}}`, want: Allowed},
	"principal: PrincipalArn is no session's":     {page: pagePrinc, caller: audit, identity: list(allowAll), policy: to("Allow", aws(audit)) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"` + audit + `"}}}`, want: ExplicitDeny, lacking: resOnly},
	"principal: two services":                     {page: pagePrinc, caller: "ecs.amazonaws.com", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"Service":["ecs.amazonaws.com","elasticloadbalancing.amazonaws.com"]},"Action":"sts:AssumeRole"}`, want: Allowed},
	"principal: three ways to name accounts":      {page: pagePrinc, caller: "arn:aws:iam::999999999999:user/x", identity: list(allowAll), policy: to("Allow", `{"AWS":["arn:aws:iam::123456789012:root","999999999999"],"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`), want: Allowed},
	"NotPrincipal: all but Bob, Bob":              {page: pageNotPrinc, caller: bob, identity: list(allowAll), policy: toBob + "," + notBob, want: Allowed},
	"NotPrincipal: all but Bob, not granted":      {page: pageNotPrinc, caller: bob, identity: list(allowAll), policy: notBob, want: ImplicitDeny, lacking: resOnly},
	"NotPrincipal: all but Bob, his colleague":    {page: pageNotPrinc, caller: "arn:aws:iam::444455556666:user/Alice", identity: list(allowAll), policy: toAcct + "," + notBob, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: all but Bob, the owner's":      {page: pageNotPrinc, caller: "role A", identity: list(allowAll), policy: notBob, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: all but a session":             {page: pageNotPrinc, caller: audit, identity: list(allowAll), policy: to("Allow", aws(auditRole)) + "," + notAudit, want: Allowed},
	"NotPrincipal: another session of the role":   {page: pageNotPrinc, caller: "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/other", identity: list(allowAll), policy: to("Allow", aws(auditRole)) + "," + notAudit, want: ExplicitDeny, lacking: resOnly},

	// Variables and tags.
	"variable: David's objects":            {page: pageVars, caller: david, resource: "arn:aws:s3:::b/David/x", identity: list(homes), context: sent("aws:username", "David"), want: Allowed},
	"variable: David's listing":            {page: pageVars, caller: david, action: "s3:ListBucket", resource: bucket1, identity: list(homes), context: map[string][]string{"aws:username": {"David"}, "s3:prefix": {"David/2026"}}, want: Allowed},
	"variable: another's objects":          {page: pageVars, caller: david, resource: "arn:aws:s3:::b/Adele/x", identity: list(homes), context: sent("aws:username", "David"), want: ImplicitDeny, lacking: both},
	"variable: a name with a wildcard":     {page: pageVars, caller: david, resource: "arn:aws:s3:::b/Adele/x", identity: list(homes), context: sent("aws:username", "*"), want: ImplicitDeny, lacking: both},
	"variable: a role has no user name":    {page: "IAM:reference_policies_examples_s3_home-directory-console", caller: "session A", resource: "arn:aws:s3:::b/David/x", identity: list(homes), want: ImplicitDeny, lacking: both},
	"variable: one's own access keys":      {page: pageVars, caller: david, action: "iam:UpdateAccessKey", resource: david, identity: list(ownKeys), context: sent("aws:username", "David"), want: Allowed},
	"variable: another's access keys":      {page: pageVars, caller: david, action: "iam:UpdateAccessKey", resource: userA, identity: list(ownKeys), context: sent("aws:username", "David"), want: ImplicitDeny, lacking: identity},
	"variable: tags that are equal":        {page: pageVars, caller: "role B", identity: list(allowAll), policy: teamTags, context: map[string][]string{"aws:PrincipalTag/Team": {"blue"}, "s3:ExistingObjectTag/Team": {"blue"}}, want: Allowed},
	"variable: tags that differ":           {page: pageVars, caller: "role B", identity: list(allowAll), policy: teamTags, context: map[string][]string{"aws:PrincipalTag/Team": {"blue"}, "s3:ExistingObjectTag/Team": {"red"}}, want: ExplicitDeny, lacking: resOnly},
	"variable: no tag of the principal's":  {page: pageVars, caller: "role B", identity: list(allowAll), policy: teamTags, context: sent("s3:ExistingObjectTag/Team", "blue"), want: ExplicitDeny, lacking: resOnly},
	"variable: the team's bucket":          {page: pageVars, caller: "role A", resource: "arn:aws:s3:::amzn-s3-demo-bucket-yellow/x", identity: companyWide, context: sent("aws:PrincipalTag/team", "yellow"), want: Allowed},
	"variable: another team's bucket":      {page: pageVars, caller: "role A", resource: "arn:aws:s3:::amzn-s3-demo-bucket-red/x", identity: companyWide, context: sent("aws:PrincipalTag/team", "yellow"), want: ImplicitDeny, lacking: both},
	"variable: no team, the bucket of all": {page: pageVars, caller: "role A", resource: "arn:aws:s3:::amzn-s3-demo-bucket-company-wide/x", identity: companyWide, want: Allowed},
	"variable: a team, the bucket of all":  {page: pageVars, caller: "role A", resource: "arn:aws:s3:::amzn-s3-demo-bucket-company-wide/x", identity: companyWide, context: sent("aws:PrincipalTag/team", "yellow"), want: ImplicitDeny, lacking: both},
	"variable: before the fifth colon":     {page: pageVars, caller: "user A", action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-2:111111111111:ann-queue", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-2:${aws:PrincipalAccount}:ann-queue"}`), want: ImplicitDeny, lacking: identity},
	"variable: queues of one's name":       {page: pageVars, caller: "user A", action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-2:111111111111:ann-queue", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-2:*:${aws:username}-queue"}`), context: sent("aws:username", "ann"), want: Allowed},
	"variable: Cognito's identity":         {page: "IAM:reference_policies_examples_s3_cognito-bucket", caller: "session A", resource: "arn:aws:s3:::b/cognito/app/eu-west-1:1/x", identity: resources("arn:aws:s3:::b/cognito/app/${cognito-identity.amazonaws.com:sub}/*"), context: sent("cognito-identity.amazonaws.com:sub", "eu-west-1:1"), want: Allowed},
	"variable: another Cognito identity":   {page: "IAM:reference_policies_examples_s3_cognito-bucket", caller: "session A", resource: "arn:aws:s3:::b/cognito/app/eu-west-1:2/x", identity: resources("arn:aws:s3:::b/cognito/app/${cognito-identity.amazonaws.com:sub}/*"), context: sent("cognito-identity.amazonaws.com:sub", "eu-west-1:1"), want: ImplicitDeny, lacking: both},

	// Several keys and values.
	"sets: all attributes are listed":             {page: pageConditions, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(onlyAttributes), context: sent("dynamodb:Attributes", "ID", "Message", "Tags"), want: Allowed},
	"sets: one attribute is not listed":           {page: pageConditions, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(onlyAttributes), context: sent("dynamodb:Attributes", "ID", "UserName"), want: ImplicitDeny, lacking: identity},
	"sets: no attributes":                         {page: pageConditions, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(onlyAttributes), want: Allowed},
	"sets: an attribute is forbidden":             {page: pageConditions, caller: "role A", action: "dynamodb:PutItem", resource: thread, identity: list(noAttributes), context: sent("dynamodb:Attributes", "PostDateTime", "Message"), want: ExplicitDeny, lacking: identity},
	"sets: no attribute is forbidden":             {page: pageConditions, caller: "role A", action: "dynamodb:PutItem", resource: thread, identity: list(noAttributes), context: sent("dynamodb:Attributes", "UserName"), want: Allowed},
	"sets: one of three is forbidden":             {page: pageConditions, caller: "role A", action: "dynamodb:PutItem", resource: thread, identity: list(noAttributes), context: sent("dynamodb:Attributes", "UserName", "Message", "PostDateTime"), want: ExplicitDeny, lacking: identity},
	"keys: all three hold":                        {page: pageConditions, caller: "role A", identity: list(departments), context: map[string][]string{"aws:PrincipalTag/department": {"HR"}, "aws:PrincipalTag/role": {"Security"}}, want: Allowed},
	"keys: one of three does not":                 {page: pageConditions, caller: "role A", identity: list(departments), context: map[string][]string{"aws:PrincipalTag/department": {"hr"}, "aws:PrincipalTag/role": {"sales"}}, want: ImplicitDeny, lacking: both},
	"keys: one of three is absent":                {page: pageConditions, caller: "role A", identity: list(departments), context: sent("aws:PrincipalTag/department", "hr"), want: ImplicitDeny, lacking: both},
	"keys: negated values are all excluded":       {page: pageConditions, caller: "role B", identity: list(allowAll), policy: to("Allow", ofB) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":["222222222222","333333333333"]}}}`, want: Allowed},
	"keys: an account that is not excluded":       {page: pageConditions, caller: "arn:aws:iam::444444444444:role/x", identity: list(allowAll), policy: to("Allow", aws("444444444444")) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":["222222222222","333333333333"]}}}`, want: ExplicitDeny, lacking: resOnly},
	"operators: instance types, the image":        {page: pageOps, caller: "role A", action: "ec2:RunInstances", resource: "arn:aws:ec2:eu-west-1::image/ami-1", identity: list(oneOf("Allow", `"ec2:RunInstances"`, `"*"`, `"StringLikeIfExists":{"ec2:InstanceType":["t1.*","t2.*","m3.*"]}`)), owner: accountA, want: Allowed},
	"operators: instance types, without IfExists": {page: pageOps, caller: "role A", action: "ec2:RunInstances", resource: "arn:aws:ec2:eu-west-1::image/ami-1", identity: list(oneOf("Allow", `"ec2:RunInstances"`, `"*"`, `"StringLike":{"ec2:InstanceType":["t1.*","t2.*","m3.*"]}`)), owner: accountA, want: ImplicitDeny, lacking: identity},
	"operators: an instance of another type":      {page: pageOps, caller: "role A", action: "ec2:RunInstances", resource: "arn:aws:ec2:eu-west-1:111111111111:instance/*", identity: list(oneOf("Allow", `"ec2:RunInstances"`, `"*"`, `"StringLikeIfExists":{"ec2:InstanceType":["t1.*","t2.*","m3.*"]}`)), context: sent("ec2:InstanceType", "c5.large"), want: ImplicitDeny, lacking: identity},
	"operators: long-term credentials only":       {page: pageOps, caller: "user A", action: "ec2:DescribeInstances", resource: "*", identity: list(oneOf("Allow", `"ec2:*"`, `"*"`, `"Null":{"aws:TokenIssueTime":"true"}`)), want: Allowed},
	"operators: temporary credentials":            {page: pageOps, caller: "session A", action: "ec2:DescribeInstances", resource: "*", identity: list(oneOf("Allow", `"ec2:*"`, `"*"`, `"Null":{"aws:TokenIssueTime":"true"}`)), context: sent("aws:TokenIssueTime", "2026-11-24T00:00:00Z"), want: ImplicitDeny, lacking: identity},
	"operators: an ARN, part by part":             {page: pageOps, caller: "role A", identity: list(oneOf("Allow", `"s3:*"`, `"*"`, `"ArnLike":{"aws:SourceArn":"arn:aws:someservice:*:111122223333:finance/*"}`)), context: sent("aws:SourceArn", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"), want: ImplicitDeny, lacking: both},
	"operators: the same as a text":               {page: pageOps, caller: "role A", identity: list(oneOf("Allow", `"s3:*"`, `"*"`, `"StringLike":{"aws:SourceArn":"arn:aws:someservice:*:111122223333:finance/*"}`)), context: sent("aws:SourceArn", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"), want: Allowed},
	"dates: within":                               {page: "IAM:reference_policies_examples_aws-dates", caller: "role A", identity: list(oneOf("Allow", `"s3:GetObject"`, `"*"`, `"DateGreaterThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}`)), context: sent("aws:CurrentTime", "2020-05-01T12:00:00Z"), want: Allowed},
	"dates: after":                                {page: "IAM:reference_policies_examples_aws-dates", caller: "role A", identity: list(oneOf("Allow", `"s3:GetObject"`, `"*"`, `"DateGreaterThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}`)), context: sent("aws:CurrentTime", "2020-07-01T00:00:00Z"), want: ImplicitDeny, lacking: both},
	"addresses: outside the ranges":               {page: "IAM:reference_policies_examples_aws_deny-ip", caller: "role A", identity: list(allowAll, denyIP), context: map[string][]string{"aws:SourceIp": {"198.51.100.1"}, "aws:ViaAWSService": {"false"}}, want: ExplicitDeny, lacking: identity},
	"addresses: inside one of the ranges":         {page: "IAM:reference_policies_examples_aws_deny-ip", caller: "role A", identity: list(allowAll, denyIP), context: map[string][]string{"aws:SourceIp": {"203.0.113.5"}, "aws:ViaAWSService": {"false"}}, want: Allowed},
	"addresses: a service calls":                  {page: "IAM:reference_policies_examples_aws_deny-ip", caller: "role A", identity: list(allowAll, denyIP), context: map[string][]string{"aws:SourceIp": {"198.51.100.1"}, "aws:ViaAWSService": {"true"}}, want: Allowed},

	// NotAction and NotResource.
	"NotAction: all of S3 but deleting buckets": {page: pageNotAction, caller: "role A", action: "s3:PutBucketTagging", resource: bucket1, identity: list(`{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::*"}`), want: Allowed},
	"NotAction: deleting buckets":               {page: pageNotAction, caller: "role A", action: "s3:DeleteBucket", resource: bucket1, identity: list(`{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::*"}`), want: ImplicitDeny, lacking: both},
	"NotAction: other services' resources":      {page: pageNotAction, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(`{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::*"}`), want: ImplicitDeny, lacking: identity},
	"NotAction: everything but IAM":             {page: pageNotAction, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), want: Allowed},
	"NotAction: IAM":                            {page: pageNotAction, caller: "role A", action: "iam:GetRole", resource: roleA, identity: list(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), want: ImplicitDeny, lacking: identity},
	"NotAction: denied without MFA":             {page: pageNotAction, caller: "user A", identity: list(allowAll, withoutMFA), context: sent("aws:MultiFactorAuthPresent", "false"), want: ExplicitDeny, lacking: identity},
	"NotAction: denied with access keys":        {page: pageNotAction, caller: "user A", identity: list(allowAll, withoutMFA), want: ExplicitDeny, lacking: identity},
	"NotAction: not denied with MFA":            {page: pageNotAction, caller: "user A", identity: list(allowAll, withoutMFA), context: sent("aws:MultiFactorAuthPresent", "true"), want: Allowed},
	"NotAction: IAM is not denied":              {page: pageNotAction, caller: "user A", action: "iam:GetUser", resource: userA, identity: list(allowAll, withoutMFA), want: Allowed},
	"NotAction: the deny grants nothing":        {page: pageNotAction, caller: "user A", identity: list(withoutMFA), context: sent("aws:MultiFactorAuthPresent", "true"), want: ImplicitDeny, lacking: both},
	"NotAction: a region that is not listed":    {page: "IAM:reference_policies_examples_aws_deny-requested-region", caller: "role A", identity: list(allowAll, regions), context: sent("aws:RequestedRegion", "us-east-1"), want: ExplicitDeny, lacking: identity},
	"NotAction: a region that is listed":        {page: "IAM:reference_policies_examples_aws_deny-requested-region", caller: "role A", identity: list(allowAll, regions), context: sent("aws:RequestedRegion", "eu-west-1"), want: Allowed},
	"NotAction: a global service":               {page: "IAM:reference_policies_examples_aws_deny-requested-region", caller: "role A", action: "iam:GetRole", resource: roleA, identity: list(allowAll, regions), context: sent("aws:RequestedRegion", "us-east-1"), want: Allowed},
	"NotResource: the payroll":                  {page: pageNotResource, caller: "role A", resource: "arn:aws:s3:::HRBucket/Payroll/x", identity: list(allowAll, payroll), want: Allowed},
	"NotResource: another folder":               {page: pageNotResource, caller: "role A", resource: "arn:aws:s3:::HRBucket/Other/x", identity: list(allowAll, payroll), want: ExplicitDeny, lacking: identity},
	"NotResource: another bucket":               {page: pageNotResource, caller: "role A", resource: object1, identity: list(allowAll, payroll), want: ExplicitDeny, lacking: identity},
	"NotResource: another service":              {page: pageNotResource, caller: "role A", action: "dynamodb:GetItem", resource: thread, identity: list(allowAll, payroll), want: Allowed},
	"NotResource: it grants nothing":            {page: pageNotResource, caller: "role A", resource: "arn:aws:s3:::HRBucket/Payroll/x", identity: list(payroll), want: ImplicitDeny, lacking: both},
	"MFA: production without it":                {page: "IAM:reference_policies_examples_s3_full-access-except-production", caller: "user A", resource: "arn:aws:s3:::Production/x", identity: list(exceptProduction), want: ExplicitDeny, lacking: identity},
	"MFA: production, 30 minutes ago":           {page: "IAM:reference_policies_examples_s3_full-access-except-production", caller: "user A", resource: "arn:aws:s3:::Production/x", identity: list(exceptProduction), context: sent("aws:MultiFactorAuthAge", "1800"), want: Allowed},
	"MFA: production, longer ago":               {page: "IAM:reference_policies_examples_s3_full-access-except-production", caller: "user A", resource: "arn:aws:s3:::Production/x", identity: list(exceptProduction), context: sent("aws:MultiFactorAuthAge", "1801"), want: ExplicitDeny, lacking: identity},
	"MFA: other buckets":                        {page: "IAM:reference_policies_examples_s3_full-access-except-production", caller: "user A", identity: list(exceptProduction), want: Allowed},
	"actions that end alike":                    {page: "IAM:reference_policies_examples_s3_rw-bucket", caller: "role A", action: "s3:DeleteObject", identity: list(`{"Effect":"Allow","Action":"s3:*Object","Resource":["arn:aws:s3:::b/*"]}`), want: Allowed},
	"actions that end otherwise":                {page: "IAM:reference_policies_examples_s3_rw-bucket", caller: "role A", action: "s3:GetObjectTagging", identity: list(`{"Effect":"Allow","Action":"s3:*Object","Resource":["arn:aws:s3:::b/*"]}`), want: ImplicitDeny, lacking: both},

	// Wildcards in resources: the page's own list.
	"resource: test/ below one folder":   {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1/test/object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: Allowed},
	"resource: test/ below several":      {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1/2/3/test/4/object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: Allowed},
	"resource: slashes alone":            {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1///test///object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: Allowed},
	"resource: a key that begins so":     {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b//test/object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: Allowed},
	"resource: a key that ends so":       {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1/test/", identity: resources("arn:aws:s3:::b/*/test/*"), want: Allowed},
	"resource: a part of a folder":       {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1-test/object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: ImplicitDeny, lacking: both},
	"resource: no folder before":         {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/test/object.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: ImplicitDeny, lacking: both},
	"resource: the folder is the object": {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/1/2/test.jpg", identity: resources("arn:aws:s3:::b/*/test/*"), want: ImplicitDeny, lacking: both},

	// Boundaries: Zhang, and the users that he makes.
	"boundary: a user in the service":                {page: pageBoundary, caller: "user A", identity: list(allowAll), boundary: list(companyBoundary), want: Allowed},
	"boundary: it grants nothing":                    {page: pageBoundary, caller: "user A", boundary: list(companyBoundary), want: ImplicitDeny, lacking: both},
	"boundary: the logs":                             {page: pageBoundary, caller: "user A", resource: "arn:aws:s3:::logs/x", identity: list(allowAll), boundary: list(companyBoundary), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: the instance":                         {page: pageBoundary, caller: "user A", action: "ec2:StopInstances", resource: "arn:aws:ec2:eu-west-1:111111111111:instance/i-1234567890abcdef0", identity: list(allowAll), boundary: list(companyBoundary), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: one's own access keys":                {page: pageBoundary, caller: "user A", action: "iam:CreateAccessKey", resource: userA, identity: list(allowAll), boundary: list(companyBoundary), context: sent("aws:username", "ann"), want: Allowed},
	"boundary: another's access keys":                {page: pageBoundary, caller: "user A", action: "iam:CreateAccessKey", resource: david, identity: list(allowAll), boundary: list(companyBoundary), context: sent("aws:username", "ann"), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: making users":                         {page: pageBoundary, caller: "user A", action: "iam:CreateUser", resource: david, identity: list(allowAll), boundary: list(companyBoundary), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang makes a user with it":           {page: pageBoundary, caller: zhang, action: "iam:CreateUser", resource: "arn:aws:iam::123456789012:user/Nikhil", identity: list(zhangOwn), boundary: list(zhangBoundary), context: sent("iam:PermissionsBoundary", "arn:aws:iam::123456789012:policy/XCompanyBoundaries"), want: Allowed},
	"boundary: Zhang makes one without":              {page: pageBoundary, caller: zhang, action: "iam:CreateUser", resource: "arn:aws:iam::123456789012:user/Nikhil", identity: list(zhangOwn), boundary: list(zhangBoundary), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang and María's user":               {page: pageBoundary, caller: zhang, action: "iam:UpdateUser", resource: "arn:aws:iam::123456789012:user/Maria", identity: list(zhangOwn), boundary: list(zhangBoundary), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang changes the boundary":           {page: pageBoundary, caller: zhang, action: "iam:CreatePolicyVersion", resource: "arn:aws:iam::123456789012:policy/XCompanyBoundaries", identity: list(zhangOwn), boundary: list(zhangBoundary), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang takes his own away":             {page: pageBoundary, caller: zhang, action: "iam:DeleteUserPermissionsBoundary", resource: zhang, identity: list(zhangOwn), boundary: list(zhangBoundary), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang's bucket is outside of it":      {page: pageBoundary, caller: zhang, owner: "123456789012", action: "s3:ListBucket", resource: "arn:aws:s3:::ZhangBucket", identity: list(zhangOwn), boundary: list(zhangBoundary), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"boundary: Zhang has not all of CloudWatch":      {page: pageBoundary, caller: zhang, owner: "123456789012", action: "cloudwatch:PutDashboard", resource: "*", identity: list(zhangOwn), boundary: list(zhangBoundary), want: ImplicitDeny, lacking: identity},
	"boundary: SCP, boundary and identity allow":     {page: pageBoundary, caller: "user A", identity: list(allowGet), boundary: list(allowGet), scps: [][]string{list(allowAll), list(allowGet)}, want: Allowed},
	"boundary: the SCP alone does not":               {page: pageBoundary, caller: "user A", identity: list(allowGet), boundary: list(allowGet), scps: [][]string{list(allowAll), list(allowPut)}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"boundary: session, boundary and identity":       {page: pageBoundary, caller: "session A", identity: list(allowAll), boundary: list(allowGet), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"boundary: the session's ARN is granted":         {page: pageBoundary, caller: "session A", policy: to("Allow", aws(sessionA)), boundary: list(allowPut), session: list(allowPut), want: Allowed},
	"boundary: the session's ARN, explicitly denied": {page: pageBoundary, caller: "session A", policy: to("Allow", aws(sessionA)), boundary: list(allowAll, denyGet), want: ExplicitDeny, lacking: []Side{SideBoundary}},

	// Session policies.
	"session: the role alone":                       {page: pageAssume, caller: "arn:aws:sts::111111111111:assumed-role/app/s", action: "s3:DeleteObject", resource: productionApp + "/x", identity: list(roleOwn), want: Allowed},
	"session: less was asked for":                   {page: pageAssume, caller: "arn:aws:sts::111111111111:assumed-role/app/s", action: "s3:DeleteObject", resource: productionApp + "/x", identity: list(roleOwn), session: list(lessAsked), want: ImplicitDeny, lacking: []Side{SideSession}},
	"session: what both allow":                      {page: pageAssume, caller: "arn:aws:sts::111111111111:assumed-role/app/s", action: "s3:PutObject", resource: productionApp + "/x", identity: list(roleOwn), session: list(lessAsked), want: Allowed},
	"session: more was asked for than the role has": {page: pageAssume, caller: "arn:aws:sts::111111111111:assumed-role/app/s", action: "s3:PutObjectAcl", resource: productionApp + "/x", identity: list(roleOwn), session: list(allowAll), want: ImplicitDeny, lacking: both},
	"session: the bucket denies deletion":           {page: pageAssume, caller: "arn:aws:sts::111111111111:assumed-role/app/s", action: "s3:DeleteObject", resource: productionApp + "/x", identity: list(roleOwn), policy: noDeletion, want: ExplicitDeny, lacking: resOnly},
	"session: a grant to the role, limited":         {page: pageSessions, caller: "session A", identity: list(allowPut), policy: to("Allow", aws(roleA)), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"session: a grant to the role, not limited":     {page: pageSessions, caller: "session A", identity: list(allowPut), policy: to("Allow", aws(roleA)), session: list(allowGet), want: Allowed},
	"session: a grant to the session":               {page: pageSessions, caller: "session A", identity: list(allowPut), policy: to("Allow", aws(sessionA)), session: list(allowPut), want: Allowed},
	"session: a grant to the session, denied":       {page: pageSessions, caller: "session A", policy: to("Allow", aws(sessionA)), session: list(denyGet), want: ExplicitDeny, lacking: []Side{SideSession}},
	"session: a federated user that is denied":      {page: pageRevoke, caller: "user A", identity: list(allowAll), session: list(allowAll), policy: `{"Principal":{"AWS":"arn:aws:sts::111111111111:federated-user/Bob"},"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`, want: ExplicitDeny, lacking: resOnly},
	"session: a user is no federated user":          {page: pageRevoke, caller: "user A", identity: list(allowAll), policy: `{"Principal":{"AWS":"arn:aws:sts::111111111111:federated-user/Bob"},"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`, want: Allowed},
	"session: Mary's is denied":                     {page: pageRevoke, caller: accounting, identity: list(allowAll), policy: to("Deny", aws(accounting)), want: ExplicitDeny, lacking: resOnly},
	"session: another of the role is not":           {page: pageRevoke, caller: "arn:aws:sts::111111111111:assumed-role/Accounting-Role/Ann", identity: list(allowAll), policy: to("Deny", aws(accounting)), want: Allowed},
	"session: all of the role are denied":           {page: pageRevoke, caller: accounting, identity: list(allowAll), policy: to("Deny", aws("arn:aws:iam::111111111111:role/Accounting-Role")), want: ExplicitDeny, lacking: resOnly},
	"session: credentials from before":              {page: pageRevoke, caller: "session A", identity: list(allowAll, revoked), context: sent("aws:TokenIssueTime", "2014-05-07T23:46:59Z"), want: ExplicitDeny, lacking: identity},
	"session: credentials from after":               {page: pageRevoke, caller: "session A", identity: list(allowAll, revoked), context: sent("aws:TokenIssueTime", "2014-05-07T23:47:00Z"), want: Allowed},

	// Confused deputies.
	"deputy: the customer's external id":     {page: pageDeputy, caller: "role B", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"}}}`, context: sent("sts:ExternalId", "12345"), want: Allowed},
	"deputy: another customer's":             {page: pageDeputy, caller: "role B", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"}}}`, context: sent("sts:ExternalId", "67890"), want: ImplicitDeny, lacking: resOnly},
	"deputy: another account with the id":    {page: pageExternal, caller: "arn:aws:iam::333333333333:role/x", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"}}}`, context: sent("sts:ExternalId", "12345"), want: ImplicitDeny, lacking: resOnly},
	"deputy: the service for its source":     {page: pageDeputy, caller: "ssm-incidents.amazonaws.com", action: "sts:AssumeRole", resource: roleA, policy: incidents, context: sent("aws:SourceArn", "arn:aws:ssm-incidents:eu-west-1:111122223333:incident-record/myresponseplan/1"), want: Allowed},
	"deputy: the service for another":        {page: pageDeputy, caller: "ssm-incidents.amazonaws.com", action: "sts:AssumeRole", resource: roleA, policy: incidents, context: sent("aws:SourceArn", "arn:aws:ssm-incidents:eu-west-1:444455556666:incident-record/myresponseplan/1"), want: ImplicitDeny, lacking: resOnly},
	"deputy: the service without a source":   {page: pageDeputy, caller: "ssm-incidents.amazonaws.com", action: "sts:AssumeRole", resource: roleA, policy: incidents, want: ImplicitDeny, lacking: resOnly},
	"deputy: a role of one's own by its tag": {page: "IAM:reference_policies_examples_iam-assume-tagged-role", caller: "user A", action: "sts:AssumeRole", resource: roleA, identity: list(oneOf("Allow", `"sts:AssumeRole"`, `"*"`, `"StringEquals":{"iam:ResourceTag/Project":"ExampleCorpABC"}`)), policy: `{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}`, context: sent("iam:ResourceTag/Project", "ExampleCorpABC"), want: Allowed},
	"deputy: another account's, by its tag":  {page: "IAM:reference_policies_examples_iam-assume-tagged-role", caller: "user B", action: "sts:AssumeRole", resource: roleA, identity: list(oneOf("Allow", `"sts:AssumeRole"`, `"*"`, `"StringEquals":{"iam:ResourceTag/Project":"ExampleCorpABC"}`)), policy: `{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}`, context: sent("iam:ResourceTag/Project", "ExampleCorpABC"), want: ImplicitDeny, lacking: resOnly},

	// Organizations.
	"SCP: allowed at every level":              {page: pageSCP, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll), list(allowAll), list(allowGet)}, want: Allowed},
	"SCP: the account's level lost its policy": {page: pageSCP, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll), list(allowAll), list()}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"SCP: two policies of one level":           {page: pageSCP, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll), list(allowPut, allowGet)}, want: Allowed},
	"SCP: a deny of the middle level":          {page: pageSCP, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll), list(allowAll, denyGet), list(allowAll)}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"SCP: the root user is denied":             {page: pageSCPSample, caller: "root A", scps: [][]string{list(allowAll, oneOf("Deny", `"s3:*"`, `"*"`, `"StringLike":{"aws:PrincipalArn":["arn:aws:iam::*:root"]}`))}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"SCP: a role is not":                       {page: pageSCPSample, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll, oneOf("Deny", `"s3:*"`, `"*"`, `"StringLike":{"aws:PrincipalArn":["arn:aws:iam::*:root"]}`))}, want: Allowed},
	"SCP: all but one role are denied":         {page: pageSCPSample, caller: "role A", identity: list(allowAll), scps: [][]string{list(allowAll, oneOf("Deny", `"s3:*"`, `"*"`, `"StringNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/admin"}`))}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"SCP: the role that is left out":           {page: pageSCPSample, caller: "arn:aws:sts::111111111111:assumed-role/admin/s", identity: list(allowAll), scps: [][]string{list(allowAll, oneOf("Deny", `"s3:*"`, `"*"`, `"StringNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/admin"}`))}, want: Allowed},
	"RCP: identities of the organization":      {page: pageRCPSample, caller: "role B", identity: list(allowAll), policy: to("Allow", ofRoleB), rcps: [][]string{list(orgIdentities)}, context: sent("aws:PrincipalOrgID", "o-1"), want: Allowed},
	"RCP: identities of another one":           {page: pageRCPSample, caller: "role B", identity: list(allowAll), policy: to("Allow", ofRoleB), rcps: [][]string{list(orgIdentities)}, context: sent("aws:PrincipalOrgID", "o-2"), want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: identities of none":                  {page: pageRCPSample, caller: "role B", identity: list(allowAll), policy: to("Allow", ofRoleB), rcps: [][]string{list(orgIdentities)}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: nobody's identity":                   {page: pageRCPSample, caller: "anonymous", policy: to("Allow", ofEverybody), rcps: [][]string{list(orgIdentities)}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: a service is spared":                 {page: pageRCPSample, caller: "cloudtrail.amazonaws.com", policy: to("Allow", `{"Service":"cloudtrail.amazonaws.com"}`), rcps: [][]string{list(orgIdentities)}, want: Allowed},
	"RCP: a service for the organization":      {page: pageRCPSample, caller: "cloudtrail.amazonaws.com", policy: to("Allow", `{"Service":"cloudtrail.amazonaws.com"}`), rcps: [][]string{list(orgDeputies)}, context: map[string][]string{"aws:SourceArn": {"arn:aws:cloudtrail:eu-west-1:111111111111:trail/t"}, "aws:SourceOrgID": {"o-1"}, "aws:SourceAccount": {accountA}}, want: Allowed},
	"RCP: a service for somebody else":         {page: pageRCPSample, caller: "cloudtrail.amazonaws.com", policy: to("Allow", `{"Service":"cloudtrail.amazonaws.com"}`), rcps: [][]string{list(orgDeputies)}, context: map[string][]string{"aws:SourceArn": {"arn:aws:cloudtrail:eu-west-1:444444444444:trail/t"}, "aws:SourceOrgID": {"o-2"}, "aws:SourceAccount": {"444444444444"}}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: a service for a trusted account":     {page: pageRCPSample, caller: "cloudtrail.amazonaws.com", policy: to("Allow", `{"Service":"cloudtrail.amazonaws.com"}`), rcps: [][]string{list(orgDeputies)}, context: map[string][]string{"aws:SourceArn": {"arn:aws:cloudtrail:eu-west-1:333333333333:trail/t"}, "aws:SourceAccount": {"333333333333"}}, want: Allowed},
	"RCP: TLS is asked for":                    {page: pageRCPSample, caller: "role A", identity: list(allowAll), rcps: [][]string{list(orgTLS)}, context: sent("aws:SecureTransport", "false"), want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: TLS is used":                         {page: pageRCPSample, caller: "role A", identity: list(allowAll), rcps: [][]string{list(orgTLS)}, want: Allowed},
	"RCP: a deny at any level":                 {page: pageRCPLevels, caller: "role A", identity: list(allowAll), rcps: [][]string{list(), list(orgTLS, to("Deny", ofEverybody)), list()}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: it grants nothing":                   {page: pageRCPLevels, caller: "role B", identity: list(allowAll), rcps: [][]string{list(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)}, want: ImplicitDeny, lacking: resOnly},

	// Keys across accounts, and the default key policy.
	"key: the external account, both sides":     {page: pageKey, caller: "role B", action: "kms:GenerateDataKey", resource: key1, identity: list(keyIdentity), policy: keyAccount, want: Allowed},
	"key: the external account, a wildcard":     {page: pageKey, caller: "role B", action: "kms:GenerateDataKeyWithoutPlaintext", resource: key1, identity: list(keyIdentity), policy: keyAccount, want: Allowed},
	"key: the external account, no policy":      {page: pageKey, caller: "role B", action: "kms:Decrypt", resource: key1, policy: keyAccount, want: ImplicitDeny, lacking: identity},
	"key: an external role by name":             {page: pageKey, caller: "session B", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: keyRole, want: Allowed},
	"key: another role of that account":         {page: pageKey, caller: "arn:aws:iam::222222222222:role/other", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: keyRole, want: ImplicitDeny, lacking: resOnly},
	"key: an identity policy for another key":   {page: pageKey, caller: "role B", action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111111111111:key/k2", identity: list(keyIdentity), policy: keyAccount, want: ImplicitDeny, lacking: identity},
	"key: an identity policy for an alias":      {page: pageAlias, caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + alias1 + `"}`), policy: keyAccount, want: ImplicitDeny, lacking: identity},
	"key: administration of another account's":  {page: pageKey, caller: "role B", action: "kms:PutKeyPolicy", resource: key1, identity: list(allowAll), policy: keyOpen, want: ImplicitDeny, lacking: resOnly},
	"key: disabling another account's":          {page: pageKey, caller: "role B", action: "kms:DisableKey", resource: key1, identity: list(allowAll), policy: keyOpen, want: ImplicitDeny, lacking: resOnly},
	"key: grants on another account's":          {page: pageKey, caller: "role B", action: "kms:CreateGrant", resource: key1, identity: list(allowAll), policy: keyRole, want: Allowed},
	"key: the key's ARN in its own policy":      {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"kms:*","Resource":"arn:aws:kms:eu-west-1:111111111111:key/k2"}`, want: ImplicitDeny, lacking: resOnly},
	"key: the default policy and IAM":           {page: pageKeyDefault, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: keyDefault, want: Allowed},
	"key: the default policy alone":             {page: pageKeyDefault, caller: "role A", action: "kms:Decrypt", resource: key1, policy: keyDefault, want: ImplicitDeny, lacking: identity},
	"key: the default policy, the root user":    {page: pageKeyDefault, caller: "root A", action: "kms:PutKeyPolicy", resource: key1, policy: keyDefault, want: Allowed},
	"key: without the default statement":        {page: pageKeyDefault, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: keyAccount, want: ImplicitDeny, lacking: resOnly},
	"key: an administrator may not use it":      {page: pageKeyDefault, caller: "role A", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":{"AWS":"` + roleA + `"},"Action":["kms:Create*","kms:Describe*","kms:Put*"],"Resource":"*"}`, want: ImplicitDeny, lacking: both},
	"key: through S3 only, through S3":          {page: "KMS:conditions-kms", caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: viaS3, context: sent("kms:ViaService", "s3.eu-west-1.amazonaws.com"), want: Allowed},
	"key: through S3 only, by itself":           {page: "KMS:conditions-kms", caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: viaS3, want: ImplicitDeny, lacking: resOnly},
	"key: the encryption context of the object": {page: "S3:UsingKMSEncryption", caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: forObjects, context: sent("kms:EncryptionContext:aws:s3:arn", object1), want: Allowed},
	"key: the context of an S3 Bucket Key":      {page: "S3:bucket-key", caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(keyIdentity), policy: forObjects, context: sent("kms:EncryptionContext:aws:s3:arn", bucket1), want: ImplicitDeny, lacking: resOnly},
}

var (
	denyIP           = oneOf("Deny", `"*"`, `"*"`, `"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},"Bool":{"aws:ViaAWSService":"false"}`)
	exceptProduction = `{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::*/*"},` +
		oneOf("Deny", `"s3:*"`, `["arn:aws:s3:::Production/*","arn:aws:s3:::Production"]`, `"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"1800"}`)
	viaS3      = `{"Effect":"Allow","Principal":` + ofB + `,"Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}`
	forObjects = `{"Effect":"Allow","Principal":` + ofB + `,"Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::b/*"}}}`
)
