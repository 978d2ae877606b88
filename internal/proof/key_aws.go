package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// AWS's own key for S3, with which a bucket encrypts by SSE-KMS that names no
// key.
//
// Premise: each account has one in each region, and its policy, which nobody
// can change, lets in everybody of the account through S3. What is over and
// beside that policy counts as with any other key: a Deny of the caller's, and
// control policies. Which id the key has was not read; so a statement that names
// keys of the account and region by their ids may be about this one.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
const awsKey = "aws/s3"

// ownKey is the side of that key.
func (p *prover) ownKey(s *keySide, account, region string) {
	s.own = true
	s.key = &plan.BucketKey{ID: awsKey, Region: region, Owner: account}
	s.live = &plan.LiveKey{AWSManaged: true, State: "Enabled"}
	s.control = p.resourceControl(account)
	s.policy.policies = []iampolicy.Named{{Name: "the policy of key " + awsKey, Document: &iampolicy.Document{
		Version: iampolicy.Version2012,
		Statements: []iampolicy.Statement{{
			Sid:    "Allow access through S3 for all principals in the account that are authorized to use S3",
			Effect: iampolicy.Allow, Principal: &iampolicy.Principals{AWS: []string{"*"}},
			Action: []string{"kms:Encrypt", kmsDecrypt, "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}, Resource: []string{"*"},
			Condition: []iampolicy.Condition{
				{Operator: "StringEquals", Key: "kms:CallerAccount", Values: []string{account}},
				{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{viaS3(region, p.plan.Partition)}},
			},
		}},
	}}}
}

// viaS3 is kms:ViaService of what S3 asks of keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaS3(region, partition string) string {
	if partition == "aws-cn" {
		return "s3." + region + ".amazonaws.com.cn"
	}
	return "s3." + region + ".amazonaws.com"
}

// unsettled says of a request on AWS's own key which key it hangs on whether
// that is it; empty: on none. The request's own key is none of those that
// policies name.
func (k keySide) unsettled(on *sides, req iampolicy.Request) string {
	if !k.own {
		return ""
	}
	best, worst := on.decide(req)
	base := strings.TrimSuffix(req.Resource, awsKey)
	for _, side := range on.all() {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				for _, pattern := range slices.Concat(statement.Resource, statement.NotResource) {
					ids := &patterns{base: []rune(base), known: on.known(req), context: req.Context}
					ids.add(pattern, named.Document.Version, ofResources, true)
					for _, one := range ids.taken() {
						if req.Resource = one; strings.ContainsAny(strings.TrimPrefix(req.Resource, base), ":/") {
							continue // it is no id of a key
						}
						if b, w := on.decide(req); b.Allowed() != best.Allowed() || w.Allowed() != worst.Allowed() {
							return fmt.Sprintf("whether %s is AWS's own key %s of account %s in %s, which was not read", pattern, awsKey, k.key.Owner, k.key.Region)
						}
					}
				}
			}
		}
	}
	return ""
}
