package iampolicy

import "strings"

// foreclosed says why a resource's policy cannot allow the request, whatever
// stands in it.
func (e *evaluation) foreclosed(same bool) string {
	action := e.req.Action
	switch {
	case e.req.Resource == "*":
		return "an action without a resource is the caller's own account's, and no resource's policy is asked"
	case e.service == "iam": // IAM:id_roles_terms-and-concepts, "Trust policy"
		return "IAM has no resource policies but those of roles, which say who may assume them"
	case e.isTrust() && isOneOf(action, federatedOnly):
		return action + " is for federated identities"
	case same:
		return ""
	case e.who.kind == Anonymous && e.service != "s3" && e.service != "sns" && e.service != "sqs":
		// (IAM:reference_policies_elements_principal, "Anonymous users")
		return e.service + " takes no unsigned requests"
	case e.service == "s3" && isOneOf(action, ownPolicy):
		return "only callers of the bucket's own account can read or change its policy" // S3:API_PutBucketPolicy
	case isOneOf(action, ownBucket):
		return "a bucket is made in the caller's own account" // S3:API_CreateBucket
	case e.service == "kms" && !isOneOf(action, keyAcrossAccounts):
		return action + " cannot be used across accounts" // KMS:key-policy-modifying-external-accounts
	}
	return ""
}

// isOneOf looks an action up, whatever its case.
func isOneOf(action string, list []string) bool {
	for _, a := range list {
		if len(a) == len(action) && strings.EqualFold(a, action) {
			return true
		}
	}
	return false
}

// OwnersOnly reports whether S3 gives an action to callers of the bucket's own
// account only, whatever policies say (S3:API_PutBucketPolicy,
// S3:API_CreateBucket).
func OwnersOnly(action string) bool { return isOneOf(action, ownPolicy) || isOneOf(action, ownBucket) }

var ownBucket = []string{"s3:CreateBucket"}

var ownPolicy = []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}

// federatedOnly are the ways to a role for those whom no Caller stands for
// (STS:API_AssumeRoleWithSAML, STS:API_AssumeRoleWithWebIdentity).
var federatedOnly = []string{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}

// keyAcrossAccounts are the operations that another account's principals can
// be allowed on a key (KMS:key-policy-modifying-external-accounts).
var keyAcrossAccounts = []string{
	"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
	"kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext",
	"kms:DescribeKey", "kms:GetPublicKey", "kms:GetKeyRotationStatus",
	"kms:CreateGrant", "kms:ListGrants", "kms:RetireGrant", "kms:RevokeGrant",
	"kms:Sign", "kms:Verify", "kms:GenerateMac", "kms:VerifyMac", "kms:DeriveSharedSecret",
}

// rootKeepsPolicy: the root user of a bucket's account can always read, write
// and delete its policy, even where the policy denies it (S3:API_PutBucketPolicy).
func (e *evaluation) rootKeepsPolicy(side Side) bool {
	return side == SideResource && e.who.kind == Root && e.who.account == e.owner && isOneOf(e.req.Action, ownPolicy)
}
