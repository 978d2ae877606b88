// Package proof decides from policies alone whether the access that shares
// promise is there, and says why not and how to mend it. It is pure.
package proof

import (
	"slices"

	"github.com/xshare/xshare/specs"
)

// Verdict is what a proof found.
type Verdict string

// The verdicts. NotChecked: something that decides was not read, so that
// neither of the others can be claimed.
const (
	Allowed    Verdict = "allowed"
	Denied     Verdict = "denied"
	NotChecked Verdict = "notChecked"
)

// GrantProof is what was found out about one grant.
//
// Allowed means that both sides' policies were read and allow every promised
// access, and that the role can be used where the spec says so. What no proof
// looks at (see NotChecked) may still stand in the way. Denied means that
// something that was read is certain to stop it, whatever was not read.
type GrantProof struct {
	Share    string
	Consumer string // account/role
	RoleARN  string
	Bucket   string
	Promise  string // in words: "read, write, s3:GetObjectTagging under incoming/"
	Verdict  Verdict
	Checks   []Check
	Causes   []Cause // of a denied one, roots first
	// NotChecked are the things that bear on the grant and were not looked at,
	// one noun phrase or sentence each.
	NotChecked []string
	Source     specs.Pos
}

// Check is one request that was evaluated.
type Check struct {
	Action   string
	Resource string            // ARN
	Context  map[string]string // what is particular to this request, such as s3:prefix
	Verdict  Verdict
	Reason   string // of denied and notChecked: one sentence
}

// Cause is one thing that keeps a grant from working.
type Cause struct {
	Code     Code
	Message  string // what is wrong, and where
	Mend     string // the smallest thing to do about it
	Account  string // 12 digits: where it is to be mended
	Resource string // ARN, or id of an instance, of what is to be mended

	denies  place // of one that is a Deny: the statement
	ofTrust bool  // it is a control policy's Deny that keeps somebody from the role itself
}

// Code names a kind of cause. Codes are stable.
type Code string

// The kinds of causes.
const (
	RoleMissing   Code = "role-missing"
	RolePath      Code = "role-path" // the role is there under another path, which is another ARN
	UserMissing   Code = "user-missing"
	UserPath      Code = "user-path" // likewise
	BucketMissing Code = "bucket-missing"

	// The bucket policy does not name the role.
	NoBucketPolicy   Code = "no-bucket-policy"
	PrincipalMissing Code = "principal-missing"
	PrincipalAccount Code = "principal-account" // names the role in another account: a wrong id
	PrincipalName    Code = "principal-name"    // names a role with almost this name
	PrincipalPath    Code = "principal-path"    // names the role under another path
	PrincipalGone    Code = "principal-gone"    // names the unique id of a principal that was deleted

	// A side names the bucket, but not the kind of resource that the action
	// works on.
	OnlyBucketARN Code = "only-bucket-arn"
	OnlyObjectARN Code = "only-object-arn"

	SidesDisagree     Code = "sides-disagree" // one side allows it, the other does not
	IdentityLacks     Code = "identity-lacks"
	BucketPolicyLacks Code = "bucket-policy-lacks"
	PolicyDetached    Code = "policy-detached" // the policy is there, but not attached to the role
	Boundary          Code = "boundary"
	ExplicitDeny      Code = "explicit-deny"

	// What stands over the policies of both sides.
	ServiceControl    Code = "scp"
	ResourceControl   Code = "rcp"
	BlockPublicAccess Code = "block-public-access" // one public statement keeps out all other accounts

	// The bucket's default encryption is by a key of KMS.
	AWSManagedKey     Code = "kms-aws-managed-key" // aws/s3, which cannot be shared
	KMSKeyNotARN      Code = "kms-key-not-arn"     // S3 looks for it in the account of who writes
	KMSKeyRegion      Code = "kms-key-region"      // in another region than the bucket
	KMSKeyMissing     Code = "kms-key-missing"
	KMSKeyUnusable    Code = "kms-key-unusable" // disabled, or about to be deleted
	KMSAnonymous      Code = "kms-anonymous"    // who calls without credentials uses no key
	KMSKeyPolicyLacks Code = "kms-key-policy-lacks"
	KMSIdentityLacks  Code = "kms-identity-lacks"
	// KMSNotChecked is no cause: what would tell it was not read. See Keys.
	KMSNotChecked Code = "kms-not-checked"

	// The role cannot be used from an instance.
	TrustLacksService  Code = "trust-lacks-service"
	ProfileMissing     Code = "profile-missing"
	ProfileWithoutRole Code = "profile-without-role"
	ProfileOtherRole   Code = "profile-other-role"
	ProfileNotAttached Code = "profile-not-attached"
	ProfileOther       Code = "profile-other" // the instance has another profile
	InstanceMissing    Code = "instance-missing"
)

// The things that no proof looks at: they are not the accounts' but those of
// single calls and objects.
var never = []string{
	"policies of VPC endpoints that calls may go through",
	"keys of objects that were encrypted otherwise than by the bucket's default",
	"Requester Pays, where callers of other accounts must offer to pay",
}

// NeverChecked is what no proof looks at; it is part of every proof's
// NotChecked.
func NeverChecked() []string { return slices.Clone(never) }

// worse is the verdict over two: denied beats not checked beats allowed.
func worse(a, b Verdict) Verdict {
	if gravity[b] < gravity[a] {
		return b
	}
	return a
}

// gravity sorts the worst first.
var gravity = map[Verdict]int{Denied: 0, NotChecked: 1, Allowed: 2}
