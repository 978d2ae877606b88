package main

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xshare/xshare/internal/proof"
)

// keyBreakages are those of a bucket whose objects have a key of KMS.
var keyBreakages = []breakage{
	{
		broken: "the key's policy does not name the role",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) { g.keyPolicy("") },
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: byFragments,
	},
	{
		broken: "the role has no policy for the key",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) { g.putInline("key", policyWith()) },
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.KMSIdentityLacks}, mend: byFragments,
	},
	{
		broken: "both sides of the key have reading only",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.keyPolicy(keyStatement("kms:Decrypt", ""))
			g.putInline("key", policyWith(allow("kms:Decrypt", "*")))
		},
		answer: putDenied, seen: byVerify, causes: []proof.Code{proof.KMSIdentityLacks, proof.KMSKeyPolicyLacks}, mend: byFragments,
	},
	{
		broken: "the key's policy lets the role in by S3 of another region",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.keyPolicy(keyStatement("kms:*", `,"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`))
		},
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: byFragments,
	},
	{
		broken: "the key's policy is for objects' ARNs, and somebody turns on the S3 Bucket Key",
		before: func(g *gallery) {
			g.encrypted()
			g.keyPolicy(keyStatement("kms:*", `,"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"`+galleryBucketARN+`/*"}}`))
		},
		breaks: func(g *gallery) { g.encryptBy(g.keyARN(), true); g.putObject() },
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: byFragments,
	},
	{
		broken: "the role may use the key by a grant alone, and that is revoked",
		before: func(g *gallery) {
			g.encrypted()
			g.keyPolicy("")
			g.must(g.kms().CreateGrant(g.t.Context(), &kms.CreateGrantInput{
				KeyId: aws.String(g.keyARN()), GranteePrincipal: aws.String(galleryRoleARN),
				Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt, kmstypes.GrantOperationGenerateDataKey},
			}))
		},
		breaks: func(g *gallery) {
			list, err := g.kms().ListGrants(g.t.Context(), &kms.ListGrantsInput{KeyId: aws.String(g.keyARN())})
			g.must(list, err)
			g.must(g.kms().RevokeGrant(g.t.Context(), &kms.RevokeGrantInput{KeyId: aws.String(g.keyARN()), GrantId: list.Grants[0].GrantId}))
		},
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: byFragments,
	},
	{
		broken: "a permissions boundary is put on the role, which has S3 and leaves keys out",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) { g.bound(policyWith(allow("s3:*", "*"))) },
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.Boundary}, mend: byFragments,
	},
	{
		broken: "the key's policy denies the role",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.keyPolicy(keyStatement("kms:*", "") + "," + `{"Sid":"NoDecrypt","Effect":"Deny","Principal":{"AWS":"` + galleryConsumer + `"},"Action":"kms:Decrypt","Resource":"*"}`)
		},
		answer: getDenied, seen: byVerify, causes: explicitDeny, mend: byFragments,
	},
	{
		broken: "the bucket's default is AWS's own key `aws/s3`",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) { g.encryptBy("", false); g.putObject() },
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.AWSManagedKey},
		mend: "a key of the customer's, and the objects put again", says: "give the bucket a customer managed key",
		mends: func(g *gallery) { g.encryptBy(g.keyARN(), false); g.putObject() },
	},
	{
		broken: "the bucket names its key by an alias, which the role's account has not",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.must(g.kms().CreateAlias(g.t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/lake"), TargetKeyId: aws.String(g.keyARN())}))
			g.encryptBy("alias/lake", false)
		},
		answer: putDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyNotARN},
		mend: "the bucket names it by its ARN", says: "name the key by its full ARN",
		mends: func(g *gallery) { g.encryptBy(g.keyARN(), false) },
	},
	{
		broken: "the key is disabled",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.must(g.kms().DisableKey(g.t.Context(), &kms.DisableKeyInput{KeyId: aws.String(g.keyARN())}))
		},
		answer: "PutObject, GetObject: 400 KMS.DisabledException", seen: byVerify, causes: []proof.Code{proof.KMSKeyUnusable},
		mend: "the key is enabled", says: "enable it",
		mends: func(g *gallery) {
			g.must(g.kms().EnableKey(g.t.Context(), &kms.EnableKeyInput{KeyId: aws.String(g.keyARN())}))
		},
	},
	{
		broken: "the key is about to be deleted",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			g.must(g.kms().ScheduleKeyDeletion(g.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: aws.String(g.keyARN())}))
		},
		answer: "PutObject, GetObject: 400 KMS.KMSInvalidStateException", seen: byVerify, causes: []proof.Code{proof.KMSKeyUnusable},
		mend: "its deletion is cancelled, and it is enabled", says: "cancel its deletion and enable it",
		mends: func(g *gallery) {
			id := aws.String(g.key())
			g.must(g.kms().CancelKeyDeletion(g.t.Context(), &kms.CancelKeyDeletionInput{KeyId: id}))
			g.must(g.kms().EnableKey(g.t.Context(), &kms.EnableKeyInput{KeyId: id}))
		},
	},
	{
		broken: "the bucket's default is a key that does not exist",
		breaks: func(g *gallery) {
			g.encryptBy("arn:aws:kms:us-east-1:"+galleryOwner+":key/12345678-1234-1234-1234-123456789012", false)
		},
		answer: putDenied, seen: byVerify, causes: []proof.Code{proof.KMSKeyMissing},
		mend: "the bucket gets another default", says: "name another key in the bucket's default encryption",
		mends: func(g *gallery) { g.encrypted() },
	},
	{
		broken: "the bucket's default is a key of another region, which would let the role in",
		before: func(g *gallery) { g.encrypted() },
		breaks: func(g *gallery) {
			ireland := g.config(galleryOwner)
			ireland.Region = "eu-west-1"
			text := policyWith(ownKeyStatement, keyStatement("kms:*", ""))
			out, err := kms.NewFromConfig(ireland).CreateKey(g.t.Context(), &kms.CreateKeyInput{Policy: &text})
			g.must(out, err)
			g.putInline("key", policyWith(allow("kms:*", "*")))
			g.encryptBy(*out.KeyMetadata.Arn, false)
		},
		answer: "PutObject: 400 KMS.NotFoundException", seen: byVerify, causes: []proof.Code{proof.KMSKeyRegion},
		mend: "the bucket gets a key of its own region", says: "name a key of us-east-1",
		mends: func(g *gallery) { g.encryptBy(g.keyARN(), false) },
	},
	{
		broken: "the organization denies the use of keys to the consumer's account",
		before: func(g *gallery) { g.encrypted(); g.organize() },
		breaks: func(g *gallery) {
			g.attachControl(scp, "NoKeys", galleryConsumer, policyWith(`{"Sid":"NoKeys","Effect":"Deny","Action":"kms:*","Resource":"*"}`))
		},
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.ServiceControl}, mend: byFragments,
	},
}

// encrypted gives the bucket a key that both sides let the role use.
func (g *gallery) encrypted() {
	g.t.Helper()
	out, err := g.kms().CreateKey(g.t.Context(), &kms.CreateKeyInput{})
	g.must(out, err)
	g.keyPolicy(keyStatement("kms:*", ""))
	g.putInline("key", policyWith(`{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"`+*out.KeyMetadata.Arn+`"}`))
	g.encryptBy(*out.KeyMetadata.Arn, false)
	g.putObject()
}

const ownKeyStatement = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + galleryOwner + `:root"},"Action":"kms:*","Resource":"*"}`

// keyStatement is a statement of the key's policy for the role.
func keyStatement(action, rest string) string {
	return `{"Effect":"Allow","Principal":{"AWS":"` + galleryRoleARN + `"},"Action":"` + action + `","Resource":"*"` + rest + `}`
}

// keyPolicy puts the policy of the one key that is not AWS's: its account, and
// the statements given.
func (g *gallery) keyPolicy(statements string) {
	g.t.Helper()
	text := policyWith(strings.TrimSuffix(ownKeyStatement+","+statements, ","))
	g.must(g.kms().PutKeyPolicy(g.t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(g.key()), PolicyName: aws.String("default"), Policy: &text}))
}

func (g *gallery) keyARN() string {
	return "arn:aws:kms:us-east-1:" + galleryOwner + ":key/" + g.key()
}

// key is the id of the one key that is not AWS's.
func (g *gallery) key() string {
	g.t.Helper()
	out, err := g.kms().ListKeys(g.t.Context(), &kms.ListKeysInput{})
	g.must(out, err)
	for _, k := range out.Keys {
		d, err := g.kms().DescribeKey(g.t.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
		g.must(d, err)
		if d.KeyMetadata.KeyManager == "CUSTOMER" {
			return *k.KeyId
		}
	}
	g.t.Fatal("there is no key")
	return ""
}

// encryptBy sets the bucket's default encryption to a key, or to aws/s3.
func (g *gallery) encryptBy(key string, bucketKey bool) {
	g.t.Helper()
	rule := s3types.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms},
		BucketKeyEnabled:                   aws.Bool(bucketKey),
	}
	if key != "" {
		rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID = &key
	}
	g.must(g.s3(galleryOwner).PutBucketEncryption(g.t.Context(), &s3.PutBucketEncryptionInput{
		Bucket: aws.String(galleryBucket), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{rule}},
	}))
}
