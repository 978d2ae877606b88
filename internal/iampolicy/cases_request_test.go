package iampolicy

const (
	pageS3Actions    = "AUTH:list_amazons3"
	pageKMSActions   = "AUTH:list_awskeymanagementservice"
	pageSTSActions   = "AUTH:list_awssecuritytokenservice"
	pagePartition    = "IAM:id_roles_compare-resource-policies"
	pageARNs         = "IAM:reference-arns"
	pageAlias        = "KMS:alias-authorization"
	pageVPCE         = "VPC:vpc-endpoints-access"
	pageCreateBucket = "S3:API_CreateBucket"
	pageWebIdentity  = "STS:API_AssumeRoleWithWebIdentity"
	pageGrammar      = "IAM:reference_policies_grammar"

	alias1  = "arn:aws:kms:eu-west-1:111111111111:alias/a"
	keyOpen = `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`
	chinaB  = "arn:aws-cn:iam::222222222222:role/reader"
)

func trusting(principal string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:*"}`
}

// requestCases are about requests that policies seem to allow and AWS would
// not, or never gets.
var requestCases = map[string]evalCase{
	// A request that does not exist is not allowed; a policy denies it as it does all else.
	"request: an object's action on a bucket":   {page: pageS3Actions, caller: "role A", resource: bucket1, identity: list(allowAll), want: Invalid},
	"request: an object's action on no key":     {page: pageS3Actions, caller: "role A", resource: bucket1 + "/", identity: list(allowAll), want: Invalid},
	"request: an object's action on anything":   {page: pageS3Actions, caller: "role A", resource: "*", identity: list(allowAll), want: Invalid},
	"request: a bucket's action on an object":   {page: pageS3Actions, caller: "role A", action: "s3:ListBucket", identity: list(allowAll), want: Invalid},
	"request: a bucket's name with a wildcard":  {page: pageS3Actions, caller: "role A", resource: "arn:aws:s3:::b*/x", identity: list(allowAll), want: Invalid},
	"request: an account's action on a bucket":  {page: pageS3Actions, caller: "role A", action: "s3:ListAllMyBuckets", resource: bucket1, identity: list(allowAll), want: Invalid},
	"request: through an access point":          {page: pageS3Actions, caller: "role A", resource: "arn:aws:s3:eu-west-1:111111111111:accesspoint/ap/object/x", identity: list(allowAll), want: Invalid},
	"request: a bucket's ARN with an account":   {page: pageS3Actions, caller: "role A", resource: "arn:aws:s3:eu-west-1:111111111111:b/x", identity: list(allowAll), want: Invalid},
	"request: a call's name for an action":      {page: pageS3Actions, caller: "role A", action: "s3:HeadObject", identity: list(allowAll), want: Invalid},
	"request: an action that S3 does not have":  {page: pageS3Actions, caller: "role A", action: "s3:GetObjekt", identity: list(allowAll), want: Invalid},
	"request: S3's action on another service":   {page: pageS3Actions, caller: "role A", resource: roleA, identity: list(allowAll), want: Invalid},
	"request: impossible and denied":            {page: pageS3Actions, caller: "role A", resource: bucket1, identity: list(allowPut), want: ImplicitDeny, lacking: both},
	"request: impossible and denied explicitly": {page: pageS3Actions, caller: "role A", resource: bucket1, identity: list(allowAll, denyAll), want: ExplicitDeny, lacking: identity},
	"request: tags of a bucket":                 {page: pageS3Actions, caller: "role A", action: "s3:TagResource", resource: bucket1, identity: list(allowAll), want: Allowed},
	"request: an access point's own action":     {page: pageS3Actions, caller: "role A", action: "s3:GetAccessPointPolicy", resource: "arn:aws:s3:eu-west-1:111111111111:accesspoint/ap", identity: list(allowAll), want: Allowed},
	"request: all buckets, by their ARN":        {page: pageS3Actions, caller: "role A", action: "s3:ListAllMyBuckets", resource: "arn:aws:s3:::*", identity: list(allowAll), want: Allowed},
	"request: decrypt with anything":            {page: pageKMSActions, caller: "role A", action: "kms:Decrypt", resource: "*", identity: list(allowAll), want: Invalid},
	"request: decrypt by an alias":              {page: pageAlias, caller: "role A", action: "kms:Decrypt", resource: alias1, identity: list(allowAll), want: Invalid},
	"request: decrypt by an alias, key policy":  {page: pageAlias, caller: "role B", action: "kms:Decrypt", resource: alias1, identity: list(allowAll), policy: keyOpen, want: Invalid},
	"request: decrypt with many keys":           {page: pageKMSActions, caller: "role A", action: "kms:Decrypt", resource: "arn:aws:kms:eu-west-1:111111111111:key/*", identity: list(allowAll), policy: keyOpen, want: Invalid},
	"request: decrypt an object":                {page: pageKMSActions, caller: "role A", action: "kms:Decrypt", identity: list(allowAll), want: Invalid},
	"request: make an alias":                    {page: pageKMSActions, caller: "role A", action: "kms:CreateAlias", resource: alias1, identity: list(allowAll), want: Allowed},
	"request: make a key":                       {page: pageKMSActions, caller: "role A", action: "kms:CreateKey", resource: "*", identity: list(allowAll), want: Allowed},
	"request: assume anything":                  {page: pageSTSActions, caller: "role A", action: "sts:AssumeRole", resource: "*", identity: list(allowAll), want: Invalid},
	"request: assume a user":                    {page: pageSTSActions, caller: "role A", action: "sts:AssumeRole", resource: userA, identity: list(allowAll), policy: trusting(ofEverybody), want: Invalid},
	"request: assume many roles":                {page: pageSTSActions, caller: "role A", action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/*", identity: list(allowAll), policy: trusting(ofEverybody), want: Invalid},
	"request: tag a session of anything":        {page: pageSTSActions, caller: "role A", action: "sts:TagSession", resource: "*", identity: list(allowAll), want: Invalid},
	"request: tag a session":                    {page: pageSTSActions, caller: "role A", action: "sts:TagSession", resource: roleA, identity: list(allowAll), policy: trusting(`{"AWS":"111111111111"}`), want: Allowed},
	"request: who am I":                         {page: pageSTSActions, caller: "role A", action: "sts:GetCallerIdentity", resource: "*", identity: list(allowAll), want: Allowed},

	// Partitions are worlds apart.
	"partition: a caller from China":           {page: pagePartition, caller: chinaB, identity: list(allowAll), policy: to("Allow", `{"AWS":"`+chinaB+`"}`), want: Invalid},
	"partition: account ids are not the same":  {page: pagePartition, caller: chinaB, identity: list(allowAll), policy: to("Allow", ofB), want: Invalid},
	"partition: everybody is not of all":       {page: pagePartition, caller: chinaB, identity: list(allowAll), policy: to("Allow", ofEverybody), want: Invalid},
	"partition: one account id in both":        {page: pagePartition, caller: "arn:aws-us-gov:iam::111111111111:user/ann", identity: list(allowAll), want: Invalid},
	"partition: all in China":                  {page: pagePartition, caller: chinaB, resource: "arn:aws-cn:s3:::b/x", identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + chinaB + `"},"Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"}`, want: Allowed},
	"partition: the root of another one":       {page: pagePartition, caller: chinaB, resource: "arn:aws-cn:s3:::b/x", identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootB + `"},"Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"}`, want: ImplicitDeny, lacking: resOnly},
	"partition: a policy of another partition": {page: pagePartition, caller: chinaB, resource: "arn:aws-cn:s3:::b/x", identity: list(allowGet), policy: `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"}`, want: ImplicitDeny, lacking: identity},
	"partition: a service is of no account":    {page: pagePartition, caller: "ec2.amazonaws.com.cn", action: "sts:AssumeRole", resource: chinaB, policy: trusting(`{"Service":"ec2.amazonaws.com.cn"}`), want: Allowed},
	"partition: a service of the other domain": {page: pagePartition, caller: "ec2.amazonaws.com.cn", action: "sts:AssumeRole", resource: chinaB, policy: trusting(`{"Service":"ec2.amazonaws.com"}`), want: ImplicitDeny, lacking: resOnly},
	"partition: actions without a resource":    {page: pagePartition, caller: chinaB, action: "s3:ListAllMyBuckets", resource: "*", owner: accountB, identity: list(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::*"}`), want: Allowed},
	"partition: all buckets of another one":    {page: pagePartition, caller: chinaB, action: "s3:ListAllMyBuckets", resource: "*", owner: accountB, identity: list(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"}`), want: ImplicitDeny, lacking: both},

	// What no resource's policy can give.
	"foreclosed: no resource, so no resource policy":        {page: pageS3Actions, caller: "anonymous", action: "s3:ListAllMyBuckets", resource: "*", policy: `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"foreclosed: no resource, the same account":             {page: pageS3Actions, caller: "role A", action: "s3:ListAllMyBuckets", resource: "*", policy: `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`, want: ImplicitDeny, lacking: both},
	"foreclosed: no resource, another account":              {page: pageS3Actions, caller: "role B", action: "s3:ListAllMyBuckets", resource: "*", identity: list(allowAll), policy: `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"foreclosed: keys of another account":                   {page: pageKey, caller: "role B", action: "kms:ListKeys", resource: "*", owner: accountA, identity: list(allowAll), policy: keyOpen, want: ImplicitDeny, lacking: resOnly},
	"foreclosed: a bucket in another account":               {page: pageCreateBucket, caller: "role B", action: "s3:CreateBucket", resource: bucket1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b"}`, want: ImplicitDeny, lacking: resOnly},
	"foreclosed: a bucket in one's own account":             {page: pageCreateBucket, caller: "role A", action: "s3:CreateBucket", resource: bucket1, identity: list(allowAll), want: Allowed},
	"foreclosed: a trust policy is about assuming":          {page: pageTrust, caller: "role B", action: "iam:GetRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":"*","Action":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"foreclosed: a trust policy gives nothing else at home": {page: pageTrust, caller: "user A", action: "iam:PassRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"AWS":"` + userA + `"},"Action":"*","Resource":"*"}`, want: ImplicitDeny, lacking: both},
	"foreclosed: the role of another account":               {page: pageTrust, caller: "role B", action: "iam:PassRole", resource: roleA, identity: list(allowAll), want: ImplicitDeny, lacking: resOnly},
	"foreclosed: web identities only":                       {page: pageWebIdentity, caller: "role A", action: "sts:AssumeRoleWithWebIdentity", resource: roleA, identity: list(allowAll), policy: trusting(ofEverybody), want: ImplicitDeny, lacking: resOnly},
	"foreclosed: SAML only":                                 {page: "STS:API_AssumeRoleWithSAML", caller: "user A", action: "sts:assumerolewithsaml", resource: roleA, identity: list(allowAll), policy: trusting(`{"AWS":"` + userA + `"}`), want: ImplicitDeny, lacking: resOnly},

	// Root users and service-linked roles.
	"root: a deny in policies that it cannot have": {page: pageRoot, caller: "root A", identity: list(denyGet), want: ExplicitDeny, lacking: identity},
	"root: an allow in such policies is nothing":   {page: pageRoot, caller: "root B", identity: list(allowAll), policy: to("Allow", ofRoleB), want: ImplicitDeny, lacking: resOnly},
	"SCP: a path that looks service-linked":        {page: pageSCP, caller: "arn:aws:iam::222222222222:role/x:role/aws-service-role/AWSServiceRoleForX", identity: list(allowGet), policy: to("Allow", ofB), scps: [][]string{list(denyAll)}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"RCP: a path that looks service-linked":        {page: pageRCP, caller: "arn:aws:iam::222222222222:role/x:role/aws-service-role/AWSServiceRoleForX", identity: list(allowGet), policy: to("Allow", ofB), rcps: [][]string{list(to("Deny", ofEverybody))}, want: ExplicitDeny, lacking: []Side{SideRCP}},

	// Federated sessions of a user: the user's name in the policy spares neither limit.
	"same: user named, federated, boundary limits": {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), session: list(allowGet), boundary: list(allowPut), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"same: user named, federated, both allow":      {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), session: list(allowGet), boundary: list(allowGet), want: Allowed},
	"same: everybody, federated":                   {page: pagePrinc, caller: "user A", policy: to("Allow", ofEverybody), session: list(allowPut), boundary: list(allowPut), want: Allowed},

	// VPC endpoints: with a gateway, an account is its root user only.
	"endpoint: the caller's account":        {page: pageVPCE, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(to("Allow", ofB)), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: the account's root":          {page: pageVPCE, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(to("Allow", `{"AWS":"`+rootB+`"}`)), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: the root user itself":        {page: pageVPCE, caller: "root B", policy: to("Allow", ofB), endpoint: list(to("Allow", ofB)), want: Allowed},
	"endpoint: the account denied":          {page: pageVPCE, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(allowAll, to("Deny", ofB)), want: ExplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: everybody with PrincipalArn": {page: pageVPCE, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalArn":"` + roleB + `"}}}`), want: Allowed},
	"endpoint: PrincipalArn of another":     {page: pageVPCE, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalArn":"` + userB + `"}}}`), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: the default policy":          {page: pageVPCE, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`), want: Allowed},

	// Sessions that a Deny names: a role as such is any session of it.
	"principal: a Deny of one session, the role as such": {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", ofSessionB), want: ExplicitDeny, lacking: resOnly},
	"principal: a Deny of one session, another calls":    {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", `{"AWS":"arn:aws:sts::222222222222:assumed-role/reader/s2"}`), want: Allowed},
	"principal: a Deny of another role's session":        {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", `{"AWS":"arn:aws:sts::222222222222:assumed-role/writer/s1"}`), want: Allowed},
	"principal: a Deny of that session elsewhere":        {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", `{"AWS":"arn:aws:sts::333333333333:assumed-role/reader/s1"}`), want: Allowed},

	// Actions: the service's name takes no wildcard. Resources: nor does the
	// service's part, and each part is matched by itself.
	"resource: none, on all keys":                     {page: pageKMSActions, caller: "role A", action: "kms:ListKeys", resource: "*", identity: list(`{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:*:*:key/*"}`), want: ImplicitDeny, lacking: identity},
	"resource: none, Deny on keys":                    {page: pageKMSActions, caller: "role A", action: "kms:ListKeys", resource: "*", identity: list(allowAll, `{"Effect":"Deny","Action":"kms:*","Resource":"arn:aws:kms:*:*:key/*"}`), want: Allowed},
	"resource: wildcard for the service":              {page: pageResource, caller: "role A", identity: resources("arn:aws:*:::b/*"), want: ImplicitDeny, lacking: both},
	"resource: wildcard in the service":               {page: pageResource, caller: "role A", identity: resources("arn:aws:s?:::b/*"), want: ImplicitDeny, lacking: both},
	"resource: wildcard for the service, Deny":        {page: pageResource, caller: "role A", identity: list(allowAll, `{"Effect":"Deny","Action":"*","Resource":"arn:aws:*:::b/*"}`), want: ExplicitDeny, lacking: identity},
	"resource: wildcard for the service, NotResource": {page: pageResource, caller: "role A", identity: list(`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:*:::b/*"}`), want: ImplicitDeny, lacking: both},
	"resource: an empty account is one":               {page: pageARNs, caller: "role A", identity: resources("arn:aws:s3:*:*:b/logs/*"), want: Allowed},
	"resource: a star reaches over no colon":          {page: pageResource, caller: "role A", action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-1:111111111111:q", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:q"}`), want: ImplicitDeny, lacking: identity},
	"resource: a star of all that is left":            {page: pageResource, caller: "role A", action: "logs:PutLogEvents", resource: "arn:aws:logs:eu-1:111111111111:log-group:g:log-stream:s", identity: list(`{"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:*:*:*"}`), want: Allowed},
	"resource: parts that lack, in a boundary":        {page: pageARNs, caller: "role A", identity: list(allowAll), boundary: list(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3"}`), want: Allowed},
	"resource: parts that lack, another service":      {page: pageARNs, caller: "role A", identity: resources("arn:aws:sqs"), want: ImplicitDeny, lacking: both},
	"resource: parts that lack, no service":           {page: pageARNs, caller: "role A", identity: resources("arn:aws"), want: ImplicitDeny, lacking: both},
	"resource: parts that lack, in a session policy":  {page: pageARNs, caller: "session A", identity: list(allowAll), session: resources("arn:aws:s3"), want: ImplicitDeny, lacking: []Side{SideSession}},
	"resource: parts that lack, in a bucket policy":   {page: pageARNs, caller: "role B", identity: list(allowAll), policy: `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3"}`, want: ImplicitDeny, lacking: resOnly},
}
