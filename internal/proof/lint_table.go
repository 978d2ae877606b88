package proof

import "github.com/xshare/xshare/specs"

// The codes of the lints that are no causes of Live as well.
const (
	Unproved Code = "unproved"

	OwnersOnly            Code = "owners-only"
	PrefixUnheld          Code = "prefix-unheld"
	PermissionsManagement Code = "permissions-management"
	TooManyPolicies       Code = "too-many-policies"
	NoInstanceProfile     Code = "no-instance-profile"

	PolicySyntax         Code = "policy-syntax"
	OtherBucket          Code = "other-bucket"
	UnknownAction        Code = "unknown-action"
	WildcardAction       Code = "wildcard-action"
	PrefixSlash          Code = "prefix-slash"
	PublicPolicy         Code = "public-policy"
	NoPrincipal          Code = "no-principal"
	PrincipalInIdentity  Code = "principal-in-identity"
	WildcardPrincipal    Code = "wildcard-principal"
	DeadPrincipal        Code = "dead-principal"
	UnlistedAccount      Code = "unlisted-account"
	AccountPrincipal     Code = "account-principal"
	AllowNotPrincipal    Code = "allow-not-principal"
	DenyNotPrincipal     Code = "deny-not-principal"
	TrustNotPrincipal    Code = "trust-not-principal"
	AllowNotAction       Code = "allow-not-action"
	AllowNotResource     Code = "allow-not-resource"
	ForAllValues         Code = "for-all-values"
	IfExists             Code = "if-exists"
	Variables2008        Code = "variables-2008"
	DuplicateSid         Code = "duplicate-sid"
	WrongPartition       Code = "wrong-partition"
	SizeNearLimit        Code = "size-near-limit"
	PolicyTooLarge       Code = "policy-too-large"
	BucketPolicyTooLarge Code = "bucket-policy-too-large"

	PublicTrust       Code = "public-trust"
	TrustByPlace      Code = "trust-by-place"
	RefusedPrincipal  Code = "refused-principal"
	TrustNobody       Code = "trust-nobody"
	TrustAction       Code = "trust-action"
	TrustResource     Code = "trust-resource"
	NoExternalID      Code = "no-external-id"
	OpenFederation    Code = "open-federation"
	WideFederation    Code = "wide-federation"
	SAMLAudience      Code = "saml-audience"
	FederationAccount Code = "federation-account"
)

// Where lints look.
const (
	seenGrants   = "grants"
	seenIdentity = string(IdentityPolicy)
	seenBucket   = string(BucketPolicy)
	seenTrust    = string(TrustPolicy)
)

var lints = []Lint{
	{
		Unproved, specs.SeverityError,
		[]string{seenGrants},
		"the documents that would be written do not allow what a share promises, or allow a neighbouring access that no share grants: another prefix, action, role, account or bucket",
		"this should not be: report it as a defect, with the spec",
	},
	{
		OwnersOnly, specs.SeverityError,
		[]string{seenGrants},
		"`actions` has one that S3 gives to the bucket's own account only, whatever policies say: reading, writing or deleting the bucket policy",
		"take it out of `actions`",
	},
	{
		PermissionsManagement, specs.SeverityWarning,
		[]string{seenGrants},
		"another account may change who has access: an action such as s3:PutObjectAcl or s3:PutBucketAcl",
		"take the action out, and change permissions from the owner's account",
	},
	{
		PrefixUnheld, specs.SeverityWarning,
		[]string{seenGrants},
		"a consumer is held to prefixes, but one of its `actions` changes the whole bucket, or shows the uploads to all of it",
		"take the action out, or the prefixes, if the whole bucket is meant",
	},
	{
		NoInstanceProfile, specs.SeverityWarning,
		[]string{seenGrants},
		"the trust policy of a role to create lets EC2 use it, but no instance profile is made, without which no instance has the role (cause 2)",
		"add `instanceProfile: true` to the role",
	},
	{
		TooManyPolicies, specs.SeverityWarning,
		[]string{seenGrants},
		"a role gets more managed policies than IAM's default quota, 10",
		"spread the shares over several roles, or have the quota raised",
	},
	{
		TrustLacksService, specs.SeverityError,
		[]string{seenTrust},
		"the role is used by EC2 instances, but its trust policy does not let EC2 do sts:AssumeRole (cause 4)",
		"name the service ec2.amazonaws.com with sts:AssumeRole in the trust policy",
	},
	{
		PolicySyntax, specs.SeverityError,
		[]string{seenTrust},
		"the text is no policy by IAM's grammar",
		"correct it at the place that is named",
	},
	{
		PublicTrust, specs.SeverityError,
		[]string{seenTrust},
		"everybody may assume the role: the principal is `*`, and no condition limits it to fixed principals",
		"name the principals",
	},
	{
		TrustByPlace, specs.SeverityWarning,
		[]string{seenTrust},
		"anybody of any AWS account may assume the role from some place: the principal is `*`, and the conditions are on the address, VPC or resource that a call comes from, not on whose it is",
		"name the principals, or add a condition on aws:PrincipalOrgID or aws:PrincipalArn",
	},
	{
		RefusedPrincipal, specs.SeverityError,
		[]string{seenTrust},
		"a principal is of a form that IAM refuses in a trust policy, such as a group, a canonical user, a service outside AWS's domains, or a provider without its ARN",
		"name a role, an account, a service or a provider in full",
	},
	{
		TrustNobody, specs.SeverityError,
		[]string{seenTrust},
		"the trust policy has no Allow for anybody, so nobody can use the role",
		"add an Allow with the principal that is to use the role",
	},
	{
		TrustAction, specs.SeverityError,
		[]string{seenTrust},
		"the statement's actions are not those of STS, or do not fit its principal: services and AWS principals do sts:AssumeRole, web identities sts:AssumeRoleWithWebIdentity, SAML providers sts:AssumeRoleWithSAML",
		"write the action that fits the principal",
	},
	{
		TrustResource, specs.SeverityError,
		[]string{seenTrust},
		"a trust policy has Resource, which IAM refuses: it is about the role that it belongs to",
		"take Resource out",
	},
	{
		NoExternalID, specs.SeverityWarning,
		[]string{seenTrust},
		"another account is let in as a whole, or somebody else's is let in, without an external id, so that it can be made to act for a stranger (the confused deputy)",
		"name the role in place of its account, or add a condition StringEquals on sts:ExternalId",
	},
	{
		OpenFederation, specs.SeverityError,
		[]string{seenTrust},
		"an identity provider that serves everybody (GitHub, GitLab.com, Google, Cognito and others) is trusted without a condition that holds it to one of its customers, or whose values fit others too, such as `repo:acme*`",
		"add a condition on the provider's `:sub` that fixes whose it is, such as `repo:ORGANIZATION/REPOSITORY:*`",
	},
	{
		WideFederation, specs.SeverityWarning,
		[]string{seenTrust},
		"an identity provider of one's own, such as an EKS cluster's, is trusted for everybody whom it names",
		"add a condition on the provider's `:sub`",
	},
	{
		SAMLAudience, specs.SeverityWarning,
		[]string{seenTrust},
		"a SAML provider is trusted without a condition on SAML:aud, so that what it said for another service opens the role too",
		"add a condition StringEquals on SAML:aud with AWS's sign-in address",
	},
	{
		FederationAccount, specs.SeverityError,
		[]string{seenTrust},
		"the identity provider is one of another account than the role's, where STS does not look for it",
		"create the provider in the role's account and name that",
	},
	{
		OnlyBucketARN, specs.SeverityError,
		[]string{seenIdentity, seenBucket},
		"an action on objects is allowed on the bucket's ARN only, so it works on nothing (cause 3)",
		"add the objects' ARN, arn:aws:s3:::BUCKET/*",
	},
	{
		OnlyObjectARN, specs.SeverityError,
		[]string{seenIdentity, seenBucket},
		"an action on the bucket, such as s3:ListBucket, is allowed on the objects' ARN only, so it works on nothing (cause 3)",
		"add the bucket's ARN, arn:aws:s3:::BUCKET",
	},
	{
		OtherBucket, specs.SeverityError,
		[]string{seenBucket},
		"a bucket policy names another bucket, which S3 refuses",
		"name the bucket that the policy belongs to",
	},
	{
		UnknownAction, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket},
		"S3 has no such action, or no action that matches",
		"look it up in AWS's list of actions for Amazon S3",
	},
	{
		WildcardAction, specs.SeverityWarning,
		[]string{seenTrust},
		"an Allow has `*` or `sts:*` for its action, which stands for every way to assume the role",
		"write sts:AssumeRole, or what fits the principal",
	},
	{
		PrefixSlash, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket},
		"a prefix does not end in a slash, so `logs*` opens `logs-private/` too",
		"end the prefix in a slash",
	},
	{
		PublicPolicy, specs.SeverityError,
		[]string{seenBucket},
		"an Allow is limited neither to fixed principals nor by a condition that makes it so: the policy is public",
		"name the principals",
	},
	{
		NoPrincipal, specs.SeverityError,
		[]string{seenBucket, seenTrust},
		"a statement of a resource policy names no principal, which AWS refuses",
		"add Principal",
	},
	{
		PrincipalInIdentity, specs.SeverityError,
		[]string{seenIdentity},
		"a statement of an identity policy names a principal, which IAM refuses: it is about who it is attached to",
		"take Principal out",
	},
	{
		WildcardPrincipal, specs.SeverityError,
		[]string{seenBucket, seenTrust},
		"a principal has a wildcard, which AWS refuses or never matches",
		"write the principal in full",
	},
	{
		DeadPrincipal, specs.SeverityError,
		[]string{seenBucket, seenTrust},
		"a principal is the unique id (AROA…, AIDA…) of a role or user that was deleted; it matches nobody, and AWS refuses it in a put",
		"take it out, or name the role that is there now",
	},
	{
		UnlistedAccount, specs.SeverityWarning,
		[]string{seenBucket, seenTrust},
		"a principal is in an account that the repository does not have: a partner's, or a typo in the id (cause 1)",
		"correct the id, or add the account to xshare.yaml",
	},
	{
		AccountPrincipal, specs.SeverityWarning,
		[]string{seenBucket, seenTrust},
		"an account is named as a whole, which is wider than one role: its administrators decide who of it comes in",
		"name the role's ARN",
	},
	{
		AllowNotPrincipal, specs.SeverityError,
		[]string{seenBucket, seenTrust},
		"an Allow has NotPrincipal: it is for everybody else in the world",
		"name the principals",
	},
	{
		DenyNotPrincipal, specs.SeverityWarning,
		[]string{seenBucket},
		"a Deny has NotPrincipal: it also stops roles with a permissions boundary, and sessions that are not named",
		"write Principal `*` and a condition ArnNotEquals on aws:PrincipalArn",
	},
	{
		TrustNotPrincipal, specs.SeverityError,
		[]string{seenTrust},
		"a Deny of a trust policy has NotPrincipal, which IAM takes in none",
		"write Principal `*` and a condition ArnNotEquals on aws:PrincipalArn",
	},
	{
		AllowNotAction, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket, seenTrust},
		"an Allow has NotAction: it allows all actions but those named, later ones included",
		"write Action with what is needed",
	},
	{
		AllowNotResource, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket},
		"an Allow has NotResource: it allows all resources but those named",
		"write Resource with what is needed",
	},
	{
		ForAllValues, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket, seenTrust},
		"an Allow has a condition ForAllValues, which holds where the key is absent",
		"write ForAnyValue, or add a condition Null with the value false on the key",
	},
	{
		IfExists, specs.SeverityWarning,
		[]string{seenIdentity, seenBucket, seenTrust},
		"an Allow has a condition …IfExists, which holds where the key is absent",
		"write the operator without IfExists",
	},
	{
		Variables2008, specs.SeverityError,
		[]string{seenIdentity, seenBucket, seenTrust},
		"a policy variable `${…}` stands in a policy without Version 2012-10-17, where it is plain text and matches nothing",
		"add \"Version\": \"2012-10-17\"",
	},
	{
		DuplicateSid, specs.SeverityError,
		[]string{seenIdentity, seenBucket, seenTrust},
		"two statements have the same Sid, which AWS refuses",
		"give one of them another Sid",
	},
	{
		WrongPartition, specs.SeverityError,
		[]string{seenIdentity, seenBucket, seenTrust},
		"an ARN is of another partition (aws, aws-cn, aws-us-gov) than the account",
		"write the account's partition",
	},
	{
		SizeNearLimit, specs.SeverityWarning,
		[]string{seenBucket, seenTrust},
		"the policy takes nine tenths of its limit or more (bucket 20,480 bytes), or more than IAM's default quota for a trust policy, 2,048",
		"make it smaller before it no longer fits",
	},
	{
		PolicyTooLarge, specs.SeverityError,
		[]string{seenIdentity, seenTrust},
		"the policy is larger than AWS takes: a managed policy 6,144 characters, a trust policy 4,096",
		"make it smaller",
	},
	{
		BucketPolicyTooLarge, specs.SeverityError,
		[]string{seenBucket},
		"the bucket policy is larger than S3 takes, 20,480 bytes",
		"give consumers the same access and prefixes, so that they share statements, or split the bucket's shares",
	},
}
