package proof

import (
	"fmt"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// BucketSettings are what of a bucket, beside its policy, decides whether other
// accounts can use it. Only a live account has them.
type BucketSettings struct {
	Bucket                string
	Policy                *iampolicy.Document // nil: none
	RestrictPublicBuckets bool                // in effect, of account and bucket together
	ObjectOwnership       string              // as S3 has it, such as "BucketOwnerEnforced"; empty: not read
	// Encryption is the default algorithm as S3 has it ("AES256", "aws:kms",
	// "aws:kms:dsse"), KeyID the key that is named; empty: aws/s3.
	Encryption string
	KeyID      string
	// Key is the policy of the key KeyARN; nil: not read. Grants of KMS are not
	// looked at.
	Key        *iampolicy.Document
	KeyARN     string
	KeyAccount string
}

// LintSettings looks for settings of a bucket that stop what its policy allows
// to the roles of other accounts, by their ARNs.
func LintSettings(s BucketSettings, roles []string) []Finding {
	var found []Finding
	add := func(code Code, message, mend string) {
		row, _ := LintOf(string(code))
		found = append(found, Finding{Code: code, Severity: row.Severity, Statement: -1, Message: message, Mend: mend})
	}
	if public, why := iampolicy.Public(s.Policy); public && s.RestrictPublicBuckets {
		add(BlockPublicAccess, fmt.Sprintf("Block Public Access stops all access to bucket %s from other accounts, since its policy is public: %s", s.Bucket, why.Text),
			"take that statement out")
	}
	if s.ObjectOwnership != "" && s.ObjectOwnership != "BucketOwnerEnforced" {
		add(ObjectOwnership, fmt.Sprintf("bucket %s has the Object Ownership %s: objects that others put may be theirs, and then its policy cannot share them", s.Bucket, s.ObjectOwnership),
			"set BucketOwnerEnforced")
	}
	if !strings.HasPrefix(s.Encryption, "aws:kms") {
		return found
	}
	if s.KeyID == "" || strings.HasSuffix(s.KeyID, "alias/aws/s3") {
		add(KMSManagedKey, fmt.Sprintf("bucket %s encrypts with the key aws/s3, which other accounts cannot use", s.Bucket),
			"encrypt with SSE-S3 or a customer managed key, named by its ARN")
		return found
	}
	if s.Key == nil {
		return found
	}
	for _, role := range roles {
		account, _ := accountOf(role)
		d := iampolicy.Evaluate(iampolicy.Request{
			Caller: iampolicy.Caller{Kind: iampolicy.Role, ARN: role, RoleARN: role, Account: account},
			Action: "kms:Decrypt", Resource: s.KeyARN, ResourceAccount: s.KeyAccount,
			Context: map[string][]string{"aws:PrincipalArn": {role}, "aws:PrincipalAccount": {account}, "kms:CallerAccount": {account}, "aws:SecureTransport": {"true"}},
		}, iampolicy.Policies{Identity: openIdentity, Resource: &iampolicy.Named{Name: "the key policy", Document: s.Key}})
		if !d.Allowed() {
			add(KMSNoAccess, fmt.Sprintf("bucket %s encrypts with %s, whose policy does not let %s do kms:Decrypt", s.Bucket, s.KeyARN, role),
				"let the role do kms:Decrypt and kms:GenerateDataKey in the key policy")
		}
	}
	return found
}
