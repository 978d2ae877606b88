package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/xshare/xshare/internal/proof"
)

var explicitDeny = []proof.Code{proof.ExplicitDeny}

// denyAll is a statement of a bucket policy that denies everybody the data,
// where the rest, a condition, holds.
func denyAll(rest string) string {
	return `{"Sid":"Guard","Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":["` + galleryBucketARN + `","` + galleryBucketARN + `/*"]` + rest + `}`
}

func unless(condition string) string { return `,"Condition":{` + condition + `}` }

// denyBreakages are Denies that somebody puts, and conditions that calls do
// not meet. Those that an apply would overwrite are not among them.
var denyBreakages = []breakage{
	{
		broken: "a statement of somebody else in the bucket policy denies downloads",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"NoDownloads","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/*"}`)
		},
		answer: getDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "a statement of somebody else in the bucket policy denies downloads of some objects",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Private","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/my*.txt"}`)
		},
		answer: getDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies an object that a tag of the role names, or the default in place of one (`${aws:principaltag/Hidden, '…'}`)",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Hidden","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/${aws:principaltag/Hidden, '` + galleryObject + `'}"}`)
		},
		answer: getDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies the listing of a prefix, in capitals (`StringEqualsIgnoreCase`)", prefix: "incoming/",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Quiet","Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"` + galleryBucketARN + `","Condition":{"StringEqualsIgnoreCase":{"s3:prefix":"INCOMING/"}}}`)
		},
		answer: listDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "an inline policy of the role denies uploads",
		breaks: func(g *gallery) {
			g.putInline("quarantine", policyWith(`{"Effect":"Deny","Action":"s3:Put*","Resource":"*"}`))
		},
		answer: putDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "another managed policy of the role denies all but one region",
		breaks: func(g *gallery) {
			g.attach(g.newPolicy("regions", policyWith(`{"Sid":"OnlyIreland","Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)))
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "an inline policy of the role denies all buckets of other accounts",
		breaks: func(g *gallery) {
			g.putInline("perimeter", policyWith(`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"`+galleryConsumer+`"}}}`))
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all whom it does not name (`NotPrincipal`)",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Only","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::` + galleryOwner + `:root","arn:aws:iam::` + galleryOwner + `:user/admin"]},"Action":["s3:*Object","s3:ListBucket"],"Resource":["` + galleryBucketARN + `","` + galleryBucketARN + `/*"]}`)
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all outside of one folder (`NotResource`)",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Folder","Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"NotResource":"` + galleryBucketARN + `/public/*"}`)
		},
		answer: objectDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all accounts but its own",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotEquals":{"aws:PrincipalAccount":"` + galleryOwner + `"}`)))
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all but a few, and names the role among them in another partition",
		before: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"ArnNotEquals":{"aws:PrincipalArn":"` + galleryRoleARN + `"}`)))
		},
		breaks: func(g *gallery) {
			g.inBucketPolicy(`"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:`, `"ArnNotEquals":{"aws:PrincipalArn":"arn:aws-cn:`)
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all who are not of an organization, and the consumer is of none",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`)))
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the consumer's account leaves the organization that the bucket policy asks for",
		before: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotEquals":{"aws:PrincipalOrgID":"` + g.organize() + `"}`)))
		},
		breaks: func(g *gallery) { g.leave(galleryConsumer) },
		answer: allDenied, seen: byVerify, causes: explicitDeny,
		mend: "the account joins again", says: "except the principal from statement",
		mends: func(g *gallery) { g.join(galleryConsumer) },
	},
	{
		broken: "the bucket policy asks for a tag of the role that somebody takes away",
		before: func(g *gallery) {
			g.tagTeam()
			g.addToBucketPolicy(denyAll(`,"Condition":{"StringEquals":{"aws:PrincipalAccount":"` + galleryConsumer + `"},"StringNotEquals":{"aws:PrincipalTag/team":"analytics"}}`))
		},
		breaks: func(g *gallery) {
			g.must(g.iam().UntagRole(g.t.Context(), &iam.UntagRoleInput{RoleName: aws.String(galleryRole), TagKeys: []string{"team"}}))
		},
		answer: allDenied, seen: byVerify, causes: explicitDeny,
		mend: "the role gets its tag again", says: "aws:PrincipalTag/team",
		mends: func(g *gallery) { g.tagTeam() },
	},
	{
		broken: "the bucket policy asks for TLS, and the client does without",
		before: func(g *gallery) { g.from(`{"aws:SecureTransport": "false"}`) },
		breaks: func(g *gallery) { g.addToBucketPolicy(denyAll(unless(`"Bool":{"aws:SecureTransport":"false"}`))) },
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:SecureTransport=false"), taken: true,
		mend: "the client uses TLS", says: "condition on aws:SecureTransport does not hold",
		mends: func(g *gallery) { g.from(`{"aws:SecureTransport": "true"}`) }, then: askedWith("s3:GetObject", "aws:SecureTransport=true"),
	},
	{
		broken: "the bucket policy asks for a VPC endpoint, and the client goes over the internet",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:SourceVpce="),
		mend: "the client goes through the endpoint", says: "aws:SourceVpce does not hold",
		mends: func(g *gallery) { g.from(`{"aws:SourceVpce": "vpce-1a2b3c4d", "aws:SourceVpc": "vpc-1"}`) }, then: askedWith("s3:GetObject", "aws:SourceVpce=vpce-1a2b3c4d"),
	},
	{
		broken: "the bucket policy asks for a VPC, and the client comes from another",
		before: func(g *gallery) { g.from(`{"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1"}`) },
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-2"}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:ListBucket", "aws:SourceVpc=vpc-1"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy asks for addresses of which the client has none",
		before: func(g *gallery) { g.from(`{"aws:SourceIp": "203.0.113.9"}`) },
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"NotIpAddress":{"aws:SourceIp":["198.51.100.0/24","127.0.0.1/32"]}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:SourceIp=203.0.113.9"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy asks for MFA, which no instance has",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:MultiFactorAuthPresent=false"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy asks for encryption in the request, which the client does not ask for",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Encrypted","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + galleryBucketARN + `/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}`)
		},
		answer: putDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:PutObject", "s3:x-amz-server-side-encryption="),
		mend: "the client asks for it", says: "s3:x-amz-server-side-encryption does not hold",
		mends: func(g *gallery) { g.encryption = "AES256" }, then: askedWith("s3:PutObject", "s3:x-amz-server-side-encryption=AES256"),
	},
	{
		broken: "the bucket policy denies all from a day on that has come",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"DateGreaterThan":{"aws:CurrentTime":"2024-01-01T00:00:00Z"}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:CurrentTime=2026-11-24T12:00:00Z"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy denies a client by what it calls itself",
		before: func(g *gallery) { g.from(`{"aws:UserAgent": "Boto3/1.0"}`) },
		breaks: func(g *gallery) { g.addToBucketPolicy(denyAll(unless(`"StringLike":{"aws:UserAgent":"Boto3/*"}`))) },
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:UserAgent=Boto3/1.0"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy denies all but the sessions of one role, by its id (`aws:userid`)",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringNotLike":{"aws:userid":"AROADEADDEADDEADDEADX:*"}`)))
		},
		answer: allDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "aws:userid=AROAOTHEROTHEROTHERXX:i-1"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy denies the objects that carry the role's own tag (a policy variable in a condition)",
		before: func(g *gallery) { g.tagTeam() },
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"${s3:ExistingObjectTag/closed, 'analytics'}"}}}`)
		},
		answer: getDenied, seen: byProbe, causes: explicitDeny, asks: askedWith("s3:GetObject", "s3:ExistingObjectTag/closed=analytics"),
		mend: byFragments,
	},
	{
		broken: "the bucket policy denies a session what is not under its own id (`${aws:userid}`)",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Own","Effect":"Deny","Principal":"*","Action":"s3:GetObject","NotResource":"` + galleryBucketARN + `/${aws:userid}/*"}`)
		},
		answer: getDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket policy denies all to all but its administrator, to xshare too",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` + galleryBucketARN + `","` + galleryBucketARN + `/*"],"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::` + galleryOwner + `:user/admin"}}}`)
		},
		answer: allDenied, seen: byBoth, unknown: "explicit deny in a resource-based policy",
		mend: "the administrator takes the statement out",
		mends: func(g *gallery) {
			g.putBucketPolicy(g.edited(g.bucketPolicy(), fragment{Remove: g.statement("Closed")}))
		},
	},
}

func (g *gallery) tagTeam() {
	g.t.Helper()
	g.must(g.iam().TagRole(g.t.Context(), &iam.TagRoleInput{
		RoleName: aws.String(galleryRole), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("analytics")}},
	}))
}
