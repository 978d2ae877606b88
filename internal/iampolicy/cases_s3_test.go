package iampolicy

// The policies that S3's guide prints, with the decisions that its text gives.
// The callers and accounts are those of the pages; identity policies that the
// pages take for granted are allowAll.

const (
	pageBuckets   = "S3:example-bucket-policies"
	pageKeys      = "S3:amazon-s3-policy-keys"
	pageLink      = "S3:privatelink-interface-endpoints"
	pageOwnership = "S3:ensure-object-ownership"
	pageWalk2     = "S3:example-walkthroughs-managing-access-example2"
	pageWalk4     = "S3:example-walkthroughs-managing-access-example4"
	pageMigrate   = "S3:enable-server-access-logging"

	doc       = "111122223333" // the account of most examples
	johnUser  = "arn:aws:iam::111122223333:user/JohnDoe"
	johnRole  = "arn:aws:iam::111122223333:role/JohnDoe"
	ana       = "arn:aws:iam::111122223333:user/Ana"
	dave      = "arn:aws:iam::123456789012:user/Dave"
	daveB     = "arn:aws:iam::222222222222:user/Dave"
	docObject = "arn:aws:s3:::amzn-s3-demo-bucket/x"
	docBucket = "arn:aws:s3:::amzn-s3-demo-bucket"
	docKey    = "arn:aws:kms:us-east-2:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
)

// statement is one of a bucket policy, on the bucket and its objects.
func statement(effect, principal, action, condition string) string {
	return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action +
		`,"Resource":["` + docBucket + `","` + docBucket + `/*"],"Condition":{` + condition + `}}`
}

func aws(arn string) string { return `{"AWS":"` + arn + `"}` }

var (
	onlyKMS     = statement("Deny", `"*"`, `"s3:PutObject"`, `"Null":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"true"}`)
	onlyThisKey = statement("Deny", `"*"`, `"s3:PutObject"`, `"ArnNotEqualsIfExists":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"`+docKey+`"}`)
	publicRead  = statement("Allow", `{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]}`, `["s3:PutObject","s3:PutObjectAcl"]`, `"StringEquals":{"s3:x-amz-acl":["public-read"]}`)
	fullControl = statement("Allow", `{"AWS":"111122223333"}`, `"s3:PutObject"`, `"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}`)
	production  = statement("Allow", aws(johnRole), `["s3:GetObject","s3:GetObjectVersion"]`, `"StringEquals":{"s3:ExistingObjectTag/environment":"production"}`)
	tagKeys     = statement("Allow", aws(johnRole), `"s3:PutObjectTagging"`, `"ForAnyValue:StringEquals":{"s3:RequestObjectTagKeys":["Owner","CreationDate"]}`)
	tagProject  = statement("Allow", aws(johnUser), `"s3:PutObjectTagging"`, `"StringEquals":{"s3:RequestObjectTag/Project":"X"}`)
	logDelivery = statement("Allow", `{"Service":"logging.s3.amazonaws.com"}`, `"s3:PutObject"`, `"StringEquals":{"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::example-source"}`) + "," +
		statement("Deny", `"*"`, `"s3:PutObject"`, `"ForAllValues:StringNotEquals":{"aws:PrincipalServiceNamesList":"logging.s3.amazonaws.com"}`)
	ofOrganization = statement("Allow", aws("*"), `"s3:GetObject"`, `"StringEquals":{"aws:PrincipalOrgID":["o-aa111bb222"]}`)
	onlyFromIP     = statement("Deny", `"*"`, `"s3:*"`, `"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}`)
	ipMix          = statement("Allow", `"*"`, `"s3:*"`, `"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:DB8:1234:5678::/64"]},"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678:ABCD::/80"]}`)
	onlyTLS        = statement("Deny", `"*"`, `"s3:*"`, `"Bool":{"aws:SecureTransport":"false"}`)
	referer        = statement("Allow", `"*"`, `["s3:GetObject","s3:GetObjectVersion"]`, `"StringLike":{"aws:Referer":["http://www.example.com/*","http://example.com/*"]}`)
	folders        = `{"Effect":"Allow","Principal":{"AWS":"` + johnUser + `"},"Action":["s3:ListBucket"],"Resource":["` + docBucket + `"],"Condition":{"StringEquals":{"s3:prefix":["","home/","home/JohnDoe"],"s3:delimiter":["/"]}}},
		{"Effect":"Allow","Principal":{"AWS":"` + johnUser + `"},"Action":["s3:ListBucket"],"Resource":["` + docBucket + `"],"Condition":{"StringLike":{"s3:prefix":["home/JohnDoe/*"]}}},
		{"Effect":"Allow","Principal":{"AWS":"` + johnUser + `"},"Action":["s3:*"],"Resource":["` + docBucket + `/home/JohnDoe/*"]}`
	inventory = statement("Allow", `{"Service":"s3.amazonaws.com"}`, `"s3:PutObject"`, `"ArnLike":{"aws:SourceArn":"arn:aws:s3:::example-source"},"StringEquals":{"aws:SourceAccount":"111122223333","s3:x-amz-acl":"bucket-owner-full-control"}`)
	onlyAna   = `{"Effect":"Allow","Principal":{"AWS":"` + ana + `"},"Action":"s3:GetObject","Resource":"` + docBucket + `/inventory/*"},
		{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"` + docBucket + `/inventory/*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"` + ana + `"}}}`
	mfa = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"` + docBucket + `/taxdocuments/*","Condition":{"Null":{"aws:MultiFactorAuthAge":true}}},
		{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"` + docBucket + `/*"}`
	mfaRecent = mfa + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"` + docBucket + `/taxdocuments/*","Condition":{"NumericGreaterThan":{"aws:MultiFactorAuthAge":3600}}}`

	grantHeader = statement("Allow", aws(daveB), `"s3:PutObject"`, `"StringEquals":{"s3:x-amz-grant-full-control":"id=A"}`) + "," +
		statement("Deny", aws(daveB), `"s3:PutObject"`, `"StringNotEquals":{"s3:x-amz-grant-full-control":"id=A"}`)
	copySource = statement("Allow", aws(dave), `"s3:PutObject"`, ``) + "," +
		statement("Deny", aws(dave), `"s3:PutObject"`, `"StringNotLike":{"s3:x-amz-copy-source":"awsexamplebucket1/public/*"}`)
	oneVersion = statement("Allow", aws(dave), `"s3:GetObjectVersion"`, ``) + "," +
		statement("Deny", aws(dave), `"s3:GetObjectVersion"`, `"StringNotEquals":{"s3:VersionId":"AaaHbAQitwiL_h47_44lRO2DDfLlBO5e"}`)
	storageClass = statement("Allow", aws(dave), `"s3:PutObject"`, `"StringEquals":{"s3:x-amz-storage-class":["STANDARD_IA"]}`)
	oldTLS       = statement("Deny", `"*"`, `"s3:PutObject"`, `"NumericLessThan":{"s3:TlsVersion":1.2}`)
	newTLS       = statement("Allow", `"*"`, `"s3:PutObject"`, `"NumericGreaterThan":{"s3:TlsVersion":1.1}`)
	saoPaulo     = `{"Effect":"Allow","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::*","Condition":{"StringLike":{"s3:LocationConstraint":"sa-east-1"}}}`
	onlySaoPaulo = saoPaulo + `,{"Effect":"Deny","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::*","Condition":{"StringNotLike":{"s3:LocationConstraint":"sa-east-1"}}}`
	projects     = `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"` + docBucket + `","Condition":{"StringEquals":{"s3:prefix":"projects"}}},
		{"Effect":"Deny","Action":"s3:ListBucket","Resource":"` + docBucket + `","Condition":{"StringNotEquals":{"s3:prefix":"projects"}}}`

	onlyVPCE = statement("Deny", `"*"`, `"s3:*"`, `"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}`)
	onlyVPC  = statement("Deny", `"*"`, `"s3:*"`, `"StringNotEquals":{"aws:SourceVpc":"vpc-111bbb22"}`)

	linkBucket  = `{"Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Effect":"Allow","Resource":["` + docBucket + `","` + docBucket + `/*"]}`
	linkAccount = `{"Principal":"*","Action":"*","Effect":"Allow","Resource":"*"},
		{"Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Effect":"Deny","Resource":"arn:aws:s3:::*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"111122223333"}}}`

	walk2Allow = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":["s3:GetLifecycleConfiguration","s3:ListBucket"],"Resource":["` + docBucket + `"]}`
	walk2Deny  = walk2Allow + `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":["s3:ListBucket"],"Resource":["` + docBucket + `"]}`
	walk4Trust = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"sts:AssumeRole"}`
)

// s3Cases are S3's example policies.
var s3Cases = map[string]evalCase{
	// Example bucket policies.
	"buckets: SSE-KMS is required, and sent":             {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: onlyKMS, context: sent("s3:x-amz-server-side-encryption-aws-kms-key-id", docKey), want: Allowed},
	"buckets: SSE-KMS is required, and not sent":         {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: onlyKMS, want: ExplicitDeny, lacking: resOnly},
	"buckets: SSE-KMS is not asked for reading":          {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), policy: onlyKMS, want: Allowed},
	"buckets: the key that is required":                  {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: onlyThisKey, context: sent("s3:x-amz-server-side-encryption-aws-kms-key-id", docKey), want: Allowed},
	"buckets: another key":                               {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: onlyThisKey, context: sent("s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-2:111122223333:key/other"), want: ExplicitDeny, lacking: resOnly},
	"buckets: no key at all":                             {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: onlyThisKey, want: ExplicitDeny, lacking: resOnly},
	"buckets: two accounts with public-read":             {page: pageBuckets, caller: "arn:aws:iam::444455556666:user/x", owner: doc, action: "s3:PutObjectAcl", resource: docObject, identity: list(allowAll), policy: publicRead, context: sent("s3:x-amz-acl", "public-read"), want: Allowed},
	"buckets: two accounts without public-read":          {page: pageBuckets, caller: "arn:aws:iam::444455556666:user/x", owner: doc, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: publicRead, context: sent("s3:x-amz-acl", "private"), want: ImplicitDeny, lacking: resOnly},
	"buckets: upload with full control":                  {page: pageBuckets, caller: johnRole, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: fullControl, context: sent("s3:x-amz-acl", "bucket-owner-full-control"), want: Allowed},
	"buckets: upload without an ACL":                     {page: pageBuckets, caller: johnRole, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: fullControl, want: ImplicitDeny, lacking: resOnly},
	"buckets: an object tagged production":               {page: pageBuckets, caller: johnRole, owner: doc, resource: docObject, policy: production, context: sent("s3:ExistingObjectTag/environment", "production"), want: Allowed},
	"buckets: an object tagged test":                     {page: pageBuckets, caller: johnRole, owner: doc, resource: docObject, policy: production, context: sent("s3:ExistingObjectTag/environment", "test"), want: ImplicitDeny, lacking: both},
	"buckets: an object without tags":                    {page: pageBuckets, caller: johnRole, owner: doc, resource: docObject, policy: production, want: ImplicitDeny, lacking: both},
	"buckets: one allowed tag key":                       {page: pageBuckets, caller: johnRole, owner: doc, action: "s3:PutObjectTagging", resource: docObject, policy: tagKeys, context: sent("s3:RequestObjectTagKeys", "Owner"), want: Allowed},
	"buckets: no allowed tag key":                        {page: pageBuckets, caller: johnRole, owner: doc, action: "s3:PutObjectTagging", resource: docObject, policy: tagKeys, context: sent("s3:RequestObjectTagKeys", "Colour"), want: ImplicitDeny, lacking: both},
	"buckets: no tag key at all":                         {page: pageBuckets, caller: johnRole, owner: doc, action: "s3:PutObjectTagging", resource: docObject, policy: tagKeys, want: ImplicitDeny, lacking: both},
	"buckets: the tag and value that is required":        {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObjectTagging", resource: docObject, policy: tagProject, context: sent("s3:RequestObjectTag/Project", "X"), want: Allowed},
	"buckets: the tag with another value":                {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:PutObjectTagging", resource: docObject, policy: tagProject, context: sent("s3:RequestObjectTag/Project", "Y"), want: ImplicitDeny, lacking: both},
	"buckets: log delivery":                              {page: pageBuckets, caller: "logging.s3.amazonaws.com", owner: accountA, action: "s3:PutObject", resource: docObject, policy: logDelivery, context: map[string][]string{"aws:SourceAccount": {accountA}, "aws:SourceArn": {"arn:aws:s3:::example-source"}, "aws:PrincipalServiceNamesList": {"logging.s3.amazonaws.com", "s3.amazonaws.com"}}, want: Allowed},
	"buckets: log delivery for another account":          {page: pageBuckets, caller: "logging.s3.amazonaws.com", owner: accountA, action: "s3:PutObject", resource: docObject, policy: logDelivery, context: map[string][]string{"aws:SourceAccount": {accountB}, "aws:SourceArn": {"arn:aws:s3:::example-source"}, "aws:PrincipalServiceNamesList": {"logging.s3.amazonaws.com"}}, want: ImplicitDeny, lacking: resOnly},
	"buckets: only log delivery may write":               {page: pageBuckets, caller: "role A", action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: logDelivery, want: ExplicitDeny, lacking: resOnly},
	"buckets: only log delivery, another service":        {page: pageBuckets, caller: "s3.amazonaws.com", action: "s3:PutObject", resource: docObject, policy: logDelivery, context: map[string][]string{"aws:PrincipalServiceNamesList": {"s3.amazonaws.com"}}, want: ExplicitDeny, lacking: resOnly},
	"buckets: the organization":                          {page: pageBuckets, caller: "role B", resource: docObject, identity: list(allowAll), policy: ofOrganization, context: sent("aws:PrincipalOrgID", "o-aa111bb222"), want: Allowed},
	"buckets: another organization":                      {page: pageBuckets, caller: "role B", resource: docObject, identity: list(allowAll), policy: ofOrganization, context: sent("aws:PrincipalOrgID", "o-other"), want: ImplicitDeny, lacking: resOnly},
	"buckets: no organization":                           {page: pageBuckets, caller: "anonymous", resource: docObject, policy: ofOrganization, want: ImplicitDeny, lacking: resOnly},
	"buckets: an address of the range":                   {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), policy: onlyFromIP, context: sent("aws:SourceIp", "192.0.2.77"), want: Allowed},
	"buckets: an address outside":                        {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), policy: onlyFromIP, context: sent("aws:SourceIp", "198.51.100.1"), want: ExplicitDeny, lacking: resOnly},
	"buckets: IPv4 and IPv6, the IPv4 address":           {page: pageBuckets, caller: "anonymous", resource: docObject, policy: ipMix, context: sent("aws:SourceIp", "192.0.2.1"), want: Allowed},
	"buckets: IPv4 and IPv6, the IPv6 address":           {page: pageBuckets, caller: "anonymous", resource: docObject, policy: ipMix, context: sent("aws:SourceIp", "2001:DB8:1234:5678::1"), want: Allowed},
	"buckets: IPv4 and IPv6, the IPv4 address kept out":  {page: pageBuckets, caller: "anonymous", resource: docObject, policy: ipMix, context: sent("aws:SourceIp", "203.0.113.1"), want: ImplicitDeny, lacking: resOnly},
	"buckets: IPv4 and IPv6, the IPv6 address kept out":  {page: pageBuckets, caller: "anonymous", resource: docObject, policy: ipMix, context: sent("aws:SourceIp", "2001:DB8:1234:5678:ABCD::1"), want: ImplicitDeny, lacking: resOnly},
	"buckets: HTTP is denied":                            {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), policy: onlyTLS, context: sent("aws:SecureTransport", "false"), want: ExplicitDeny, lacking: resOnly},
	"buckets: HTTPS is not":                              {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), policy: onlyTLS, want: Allowed},
	"buckets: a page of the site":                        {page: pageBuckets, caller: "anonymous", resource: docObject, policy: referer, context: sent("aws:Referer", "http://www.example.com/photos"), want: Allowed},
	"buckets: a page of another site":                    {page: pageBuckets, caller: "anonymous", resource: docObject, policy: referer, context: sent("aws:Referer", "http://www.example.com.evil.test/"), want: ImplicitDeny, lacking: resOnly},
	"buckets: no referer":                                {page: pageBuckets, caller: "anonymous", resource: docObject, policy: referer, want: ImplicitDeny, lacking: resOnly},
	"buckets: folders, the root's listing":               {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:ListBucket", resource: docBucket, policy: folders, context: map[string][]string{"s3:prefix": {""}, "s3:delimiter": {"/"}}, want: Allowed},
	"buckets: folders, the root without a delimiter":     {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:ListBucket", resource: docBucket, policy: folders, context: sent("s3:prefix", ""), want: ImplicitDeny, lacking: both},
	"buckets: folders, his own":                          {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:ListBucket", resource: docBucket, policy: folders, context: sent("s3:prefix", "home/JohnDoe/photos/"), want: Allowed},
	"buckets: folders, another's":                        {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:ListBucket", resource: docBucket, policy: folders, context: map[string][]string{"s3:prefix": {"home/Jane/"}, "s3:delimiter": {"/"}}, want: ImplicitDeny, lacking: both},
	"buckets: folders, an object of his":                 {page: pageBuckets, caller: johnUser, owner: doc, action: "s3:DeleteObject", resource: docBucket + "/home/JohnDoe/x", policy: folders, want: Allowed},
	"buckets: folders, an object of another's":           {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/home/Jane/x", policy: folders, want: ImplicitDeny, lacking: both},
	"buckets: folders, across accounts both must say it": {page: pageBuckets, caller: johnUser, owner: accountA, resource: docBucket + "/home/JohnDoe/x", policy: folders, want: ImplicitDeny, lacking: identity},
	"buckets: a load balancer's logs, by its service":    {page: pageBuckets, caller: "logdelivery.elasticloadbalancing.amazonaws.com", action: "s3:PutObject", resource: docBucket + "/prefix/AWSLogs/111122223333/x", policy: `{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"` + docBucket + `/prefix/AWSLogs/111122223333/*"}`, want: Allowed},
	"buckets: CloudFront's identity is nobody else":      {page: pageBuckets, caller: "role B", resource: docObject, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC"},"Action":"s3:GetObject","Resource":"` + docBucket + `/*"}`, want: ImplicitDeny, lacking: resOnly},
	"buckets: inventory":                                 {page: pageBuckets, caller: "s3.amazonaws.com", action: "s3:PutObject", resource: docObject, policy: inventory, context: map[string][]string{"aws:SourceArn": {"arn:aws:s3:::example-source"}, "aws:SourceAccount": {doc}, "s3:x-amz-acl": {"bucket-owner-full-control"}}, want: Allowed},
	"buckets: inventory of another bucket":               {page: pageBuckets, caller: "s3.amazonaws.com", action: "s3:PutObject", resource: docObject, policy: inventory, context: map[string][]string{"aws:SourceArn": {"arn:aws:s3:::another-source"}, "aws:SourceAccount": {doc}, "s3:x-amz-acl": {"bucket-owner-full-control"}}, want: ImplicitDeny, lacking: resOnly},
	"buckets: inventory without a source":                {page: pageBuckets, caller: "s3.amazonaws.com", action: "s3:PutObject", resource: docObject, policy: inventory, want: ImplicitDeny, lacking: resOnly},
	"buckets: the inventory report, Ana":                 {page: pageBuckets, caller: ana, owner: doc, resource: docBucket + "/inventory/x", policy: onlyAna, want: Allowed},
	"buckets: the inventory report, another user":        {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/inventory/x", identity: list(allowAll), policy: onlyAna, want: ExplicitDeny, lacking: resOnly},
	"buckets: the inventory report, nobody":              {page: pageBuckets, caller: "anonymous", resource: docBucket + "/inventory/x", policy: onlyAna, want: ExplicitDeny, lacking: resOnly},
	"buckets: MFA, tax documents with it":                {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/taxdocuments/x", policy: mfa, context: sent("aws:MultiFactorAuthAge", "60"), want: Allowed},
	"buckets: MFA, tax documents without it":             {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/taxdocuments/x", policy: mfa, want: ExplicitDeny, lacking: resOnly},
	"buckets: MFA, other documents without it":           {page: pageBuckets, caller: johnUser, owner: doc, resource: docObject, policy: mfa, want: Allowed},
	"buckets: MFA older than an hour":                    {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/taxdocuments/x", policy: mfaRecent, context: sent("aws:MultiFactorAuthAge", "3601"), want: ExplicitDeny, lacking: resOnly},
	"buckets: MFA of an hour":                            {page: pageBuckets, caller: johnUser, owner: doc, resource: docBucket + "/taxdocuments/x", policy: mfaRecent, context: sent("aws:MultiFactorAuthAge", "3600"), want: Allowed},

	// Condition keys.
	"keys: full control in a header":                  {page: pageKeys, caller: daveB, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: grantHeader, context: sent("s3:x-amz-grant-full-control", "id=A"), want: Allowed},
	"keys: the header is missing":                     {page: pageKeys, caller: daveB, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: grantHeader, want: ExplicitDeny, lacking: resOnly},
	"keys: the header gives it to another":            {page: pageKeys, caller: daveB, action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: grantHeader, context: sent("s3:x-amz-grant-full-control", "id=B"), want: ExplicitDeny, lacking: resOnly},
	"keys: a copy from the folder":                    {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, policy: copySource, context: sent("s3:x-amz-copy-source", "awsexamplebucket1/public/HappyFace.jpg"), want: Allowed},
	"keys: a copy from elsewhere":                     {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, policy: copySource, context: sent("s3:x-amz-copy-source", "awsexamplebucket1/private/x"), want: ExplicitDeny, lacking: resOnly},
	"keys: no copy":                                   {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, policy: copySource, want: ExplicitDeny, lacking: resOnly},
	"keys: the version":                               {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:GetObjectVersion", resource: docObject, policy: oneVersion, context: sent("s3:VersionId", "AaaHbAQitwiL_h47_44lRO2DDfLlBO5e"), want: Allowed},
	"keys: another version":                           {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:GetObjectVersion", resource: docObject, policy: oneVersion, context: sent("s3:VersionId", "other"), want: ExplicitDeny, lacking: resOnly},
	"keys: the current version is another permission": {page: pageKeys, caller: dave, owner: "123456789012", resource: docObject, policy: oneVersion, want: ImplicitDeny, lacking: both},
	"keys: the storage class":                         {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, policy: storageClass, context: sent("s3:x-amz-storage-class", "STANDARD_IA"), want: Allowed},
	"keys: another storage class":                     {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, policy: storageClass, context: sent("s3:x-amz-storage-class", "STANDARD"), want: ImplicitDeny, lacking: both},
	"keys: TLS 1.1 is denied":                         {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: oldTLS, context: sent("s3:TlsVersion", "1.1"), want: ExplicitDeny, lacking: resOnly},
	"keys: TLS 1.2 is not denied":                     {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: oldTLS, context: sent("s3:TlsVersion", "1.2"), want: Allowed},
	"keys: TLS 1.3 is allowed":                        {page: pageKeys, caller: "anonymous", action: "s3:PutObject", resource: docObject, policy: newTLS, context: sent("s3:TlsVersion", "1.3"), want: Allowed},
	"keys: TLS 1.1 is not allowed":                    {page: pageKeys, caller: "anonymous", action: "s3:PutObject", resource: docObject, policy: newTLS, context: sent("s3:TlsVersion", "1.1"), want: ImplicitDeny, lacking: resOnly},
	"keys: a bucket in São Paulo":                     {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:CreateBucket", resource: docBucket, identity: list(saoPaulo), context: sent("s3:LocationConstraint", "sa-east-1"), want: Allowed},
	"keys: a bucket elsewhere":                        {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:CreateBucket", resource: docBucket, identity: list(saoPaulo), context: sent("s3:LocationConstraint", "eu-west-1"), want: ImplicitDeny, lacking: both},
	"keys: a bucket elsewhere, whatever else allows":  {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:CreateBucket", resource: docBucket, identity: list(onlySaoPaulo, allowAll), context: sent("s3:LocationConstraint", "eu-west-1"), want: ExplicitDeny, lacking: identity},
	"keys: a listing of the prefix":                   {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:ListBucket", resource: docBucket, identity: list(projects), context: sent("s3:prefix", "projects"), want: Allowed},
	"keys: a listing of another prefix":               {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:ListBucket", resource: docBucket, identity: list(projects, allowAll), context: sent("s3:prefix", "projects2"), want: ExplicitDeny, lacking: identity},
	"keys: a listing of all":                          {page: pageKeys, caller: dave, owner: "123456789012", action: "s3:ListBucket", resource: docBucket, identity: list(projects, allowAll), want: ExplicitDeny, lacking: identity},

	// Endpoints, in bucket policies and of their own.
	"endpoint: through the one that is asked for":     {page: pageEndpoint, caller: "role B", resource: docObject, identity: list(allowAll), policy: onlyVPCE + "," + statement("Allow", ofRoleB, `"s3:*"`, ``), context: sent("aws:SourceVpce", "vpce-1a2b3c4d"), want: Allowed},
	"endpoint: through another":                       {page: pageEndpoint, caller: "role A", resource: docObject, identity: list(allowAll), policy: onlyVPCE, context: sent("aws:SourceVpce", "vpce-other"), want: ExplicitDeny, lacking: resOnly},
	"endpoint: from the console":                      {page: pageEndpoint, caller: "role A", resource: docObject, identity: list(allowAll), policy: onlyVPCE, context: sent("aws:SourceIp", "203.0.113.1"), want: ExplicitDeny, lacking: resOnly},
	"endpoint: a condition alone grants nothing":      {page: pageEndpoint, caller: "role B", resource: docObject, identity: list(allowAll), policy: onlyVPC, context: sent("aws:SourceVpc", "vpc-111bbb22"), want: ImplicitDeny, lacking: resOnly},
	"endpoint: from the network":                      {page: pageEndpoint, caller: "role A", resource: docObject, identity: list(allowAll), policy: onlyVPC, context: sent("aws:SourceVpc", "vpc-111bbb22"), want: Allowed},
	"endpoint: from another network":                  {page: pageEndpoint, caller: "role A", resource: docObject, identity: list(allowAll), policy: onlyVPC, context: sent("aws:SourceVpc", "vpc-222"), want: ExplicitDeny, lacking: resOnly},
	"endpoint: its policy has the bucket":             {page: pageLink, caller: "role A", resource: docObject, identity: list(allowAll), endpoint: list(linkBucket), want: Allowed},
	"endpoint: its policy has another bucket":         {page: pageLink, caller: "role A", identity: list(allowAll), endpoint: list(linkBucket), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: its policy lacks deleting":             {page: pageLink, caller: "role A", action: "s3:DeleteObject", resource: docObject, identity: list(allowAll), endpoint: list(linkBucket), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: buckets of one account":                {page: pageLink, caller: johnUser, owner: doc, resource: docObject, identity: list(allowAll), endpoint: list(linkAccount), want: Allowed},
	"endpoint: buckets of another account":            {page: pageLink, caller: johnUser, owner: accountA, resource: docObject, identity: list(allowAll), policy: statement("Allow", aws(johnUser), `"s3:*"`, ``), endpoint: list(linkAccount), want: ExplicitDeny, lacking: []Side{SideEndpoint}},
	"endpoint: another spelling of the condition key": {page: pageLink, caller: "role A", resource: docObject, identity: list(allowAll), policy: statement("Deny", `"*"`, `"s3:*"`, `"StringNotEquals":{"aws:sourceVpce":"vpce-1a2b3c4d"}`), context: sent("aws:SourceVpce", "vpce-1a2b3c4d"), want: Allowed},

	// Object Ownership.
	"ownership: a bucket without ACLs":       {page: pageOwnership, caller: johnUser, owner: doc, action: "s3:CreateBucket", resource: docBucket, identity: list(allowAll, `{"Effect":"Deny","Action":"s3:CreateBucket","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-object-ownership":"BucketOwnerEnforced"}}}`), context: sent("s3:x-amz-object-ownership", "BucketOwnerEnforced"), want: Allowed},
	"ownership: a bucket with ACLs":          {page: pageOwnership, caller: johnUser, owner: doc, action: "s3:CreateBucket", resource: docBucket, identity: list(allowAll, `{"Effect":"Deny","Action":"s3:CreateBucket","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-object-ownership":"BucketOwnerEnforced"}}}`), context: sent("s3:x-amz-object-ownership", "ObjectWriter"), want: ExplicitDeny, lacking: identity},
	"ownership: a bucket, nothing said":      {page: pageOwnership, caller: johnUser, owner: doc, action: "s3:CreateBucket", resource: docBucket, identity: list(allowAll, `{"Effect":"Deny","Action":"s3:CreateBucket","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-object-ownership":"BucketOwnerEnforced"}}}`), want: ExplicitDeny, lacking: identity},
	"ownership: as an SCP":                   {page: pageOwnership, caller: johnUser, owner: doc, action: "s3:CreateBucket", resource: docBucket, identity: list(allowAll), scps: [][]string{list(allowAll, `{"Effect":"Deny","Action":"s3:CreateBucket","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-object-ownership":"BucketOwnerEnforced"}}}`)}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"ownership: written with the ACL":        {page: pageOwnership, caller: "arn:aws:iam::111122223333:user/ExampleUser", action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: statement("Allow", aws("arn:aws:iam::111122223333:user/ExampleUser"), `["s3:PutObject"]`, `"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}`), context: sent("s3:x-amz-acl", "bucket-owner-full-control"), want: Allowed},
	"ownership: written with another ACL":    {page: pageOwnership, caller: "arn:aws:iam::111122223333:user/ExampleUser", action: "s3:PutObject", resource: docObject, identity: list(allowAll), policy: statement("Allow", aws("arn:aws:iam::111122223333:user/ExampleUser"), `["s3:PutObject"]`, `"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}`), context: sent("s3:x-amz-acl", "private"), want: ImplicitDeny, lacking: resOnly},
	"ownership: server access logs":          {page: pageMigrate, caller: "logging.s3.amazonaws.com", action: "s3:PutObject", resource: docBucket + "/logs/x", policy: `{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":["s3:PutObject"],"Resource":"` + docBucket + `/logs*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::example-source"},"StringEquals":{"aws:SourceAccount":"111122223333"}}}`, context: map[string][]string{"aws:SourceArn": {"arn:aws:s3:::example-source"}, "aws:SourceAccount": {doc}}, want: Allowed},
	"ownership: server access logs, reading": {page: pageMigrate, caller: "logging.s3.amazonaws.com", resource: docBucket + "/logs/x", policy: `{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":["s3:PutObject"],"Resource":"` + docBucket + `/logs*"}`, want: ImplicitDeny, lacking: resOnly},

	// Walkthroughs: another account's user; a role of one's own for another account.
	"walkthrough: the other account's administrator": {page: pageWalk2, caller: "arn:aws:iam::222222222222:user/AccountBadmin", action: "s3:ListBucket", resource: docBucket, identity: list(allowAll), policy: walk2Allow, want: Allowed},
	"walkthrough: its user, before it delegates":     {page: pageWalk2, caller: daveB, action: "s3:ListBucket", resource: docBucket, policy: walk2Allow, want: ImplicitDeny, lacking: identity},
	"walkthrough: its user, once it delegates":       {page: pageWalk2, caller: daveB, action: "s3:ListBucket", resource: docBucket, identity: list(`{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["` + docBucket + `"]}`), policy: walk2Allow, want: Allowed},
	"walkthrough: what was not delegated":            {page: pageWalk2, caller: daveB, action: "s3:GetLifecycleConfiguration", resource: docBucket, identity: list(`{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["` + docBucket + `"]}`), policy: walk2Allow, want: ImplicitDeny, lacking: identity},
	"walkthrough: what the owner did not give":       {page: pageWalk2, caller: "arn:aws:iam::222222222222:user/AccountBadmin", action: "s3:PutLifecycleConfiguration", resource: docBucket, identity: list(allowAll), policy: walk2Allow, want: ImplicitDeny, lacking: resOnly},
	"walkthrough: the owner's explicit deny":         {page: pageWalk2, caller: daveB, action: "s3:ListBucket", resource: docBucket, identity: list(allowAll), policy: walk2Deny, want: ExplicitDeny, lacking: resOnly},
	"walkthrough: what the deny leaves":              {page: pageWalk2, caller: "arn:aws:iam::222222222222:user/AccountBadmin", action: "s3:GetLifecycleConfiguration", resource: docBucket, identity: list(allowAll), policy: walk2Deny, want: Allowed},
	"walkthrough: the third account takes the role":  {page: pageWalk4, caller: "arn:aws:iam::333333333333:user/Dave", action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/examplerole", identity: list(`{"Effect":"Allow","Action":["sts:AssumeRole"],"Resource":"arn:aws:iam::111111111111:role/examplerole"}`), policy: walk4Trust, want: Allowed},
	"walkthrough: another role":                      {page: pageWalk4, caller: "arn:aws:iam::333333333333:user/Dave", action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/otherrole", identity: list(`{"Effect":"Allow","Action":["sts:AssumeRole"],"Resource":"arn:aws:iam::111111111111:role/examplerole"}`), policy: walk4Trust, want: ImplicitDeny, lacking: identity},
	"walkthrough: an account that is not trusted":    {page: pageWalk4, caller: daveB, action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/examplerole", identity: list(allowAll), policy: walk4Trust, want: ImplicitDeny, lacking: resOnly},
	"walkthrough: the role reads in its own account": {page: pageWalk4, caller: "arn:aws:sts::111111111111:assumed-role/examplerole/Dave", resource: docObject, identity: list(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + docBucket + `/*"}`), want: Allowed},
	"walkthrough: the user without the role":         {page: pageWalk4, caller: "arn:aws:iam::333333333333:user/Dave", resource: docObject, identity: list(allowAll), want: ImplicitDeny, lacking: resOnly},

	// Public policies.
	"public: two accounts' example, CloudTrail": {page: pageBPA, caller: "cloudtrail.amazonaws.com", policy: publicExample, restrict: true, want: Allowed},
	"public: two accounts' example, Account-2":  {page: pageBPA, caller: "role B", identity: list(allowAll), policy: publicExample, restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"public: two accounts' example, the public": {page: pageBPA, caller: "anonymous", policy: publicExample, restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"public: without the third statement":       {page: pageBPA, caller: "role B", identity: list(allowAll), policy: notPublicExample, restrict: true, want: Allowed},
	"public: the owner's users":                 {page: pageBPA, caller: "user A", policy: publicExample, restrict: true, want: Allowed},
	"public: a network that is fixed":           {page: pageBPA, caller: "role B", action: "s3:PutObject", identity: list(allowAll), policy: `{"Principal":"*","Resource":"arn:aws:s3:::b/*","Action":"s3:PutObject","Effect":"Allow","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}}`, context: sent("aws:SourceVpc", "vpc-91237329"), restrict: true, want: Allowed},
	"public: networks by a wildcard":            {page: pageBPA, caller: "role B", action: "s3:PutObject", identity: list(allowAll), policy: `{"Principal":"*","Resource":"arn:aws:s3:::b/*","Action":"s3:PutObject","Effect":"Allow","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}}`, context: sent("aws:SourceVpc", "vpc-91237329"), restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"public: half of all addresses":             {page: pageBPA, caller: "role B", identity: list(allowAll), policy: `{"Principal":"*","Resource":"arn:aws:s3:::b/*","Action":"s3:GetObject","Effect":"Allow","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}}`, context: sent("aws:SourceIp", "10.0.0.1"), restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"public: a federated principal elsewhere":   {page: pageBPA, caller: "role B", identity: list(allowAll), policy: to("Allow", ofRoleB) + `,{"Principal":{"Federated":"graph.facebook.com"},"Resource":"arn:aws:s3:::b/*","Action":"s3:PutObject","Effect":"Allow"}`, restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
}

const (
	notPublicExample = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
		{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	publicExample = notPublicExample + `,{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
)
