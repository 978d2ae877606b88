package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	keyID      = "1234abcd-12ab-34cd-56ef-1234567890ab"
	keyARN     = "arn:aws:kms:us-east-1:" + owner + ":key/" + keyID
	security   = "333333333333" // an account of the repository without shares
	management = "999999999999"

	roleSession = "arn:aws:sts::" + consumer + ":assumed-role/" + role
)

// encrypted gives the bucket a key, which lets the role in from both sides.
func (l live) encrypted() *plan.LiveKey {
	l.bucket().Encryption = &plan.Encryption{Algorithm: "aws:kms", Key: keyARN}
	key := &plan.LiveKey{ARN: keyARN, State: "Enabled", Policy: []byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"Admin","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + owner + `:root"},"Action":"kms:*","Resource":"*"},
		{"Sid":"Use","Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]}`)}
	l.snapshots[owner].Keys = map[string]*plan.LiveKey{keyARN: key}
	l.role().Inline = map[string][]byte{"key": []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"` + keyARN + `"}}`)}
	return key
}

// organized puts both accounts into an organization: the caller's into a unit.
func (l live) organized(scps, rcps [][]plan.ControlPolicy) {
	l.snapshots[consumer].Organization = &plan.Organization{ID: "o-acme", Path: "o-acme/r-1/ou-1-a/", SCPs: scps}
	l.snapshots[owner].Organization = &plan.Organization{ID: "o-acme", Path: "o-acme/r-1/", RCPs: rcps}
}

func control(id, target, statement string) plan.ControlPolicy {
	return plan.ControlPolicy{ID: "p-" + id, Name: id, Target: target, Document: []byte(`{"Version":"2012-10-17","Statement":` + statement + `}`)}
}

// levels are SCPs that allow everything, and one more in the unit.
func levels(more ...plan.ControlPolicy) [][]plan.ControlPolicy {
	all := func(target string) plan.ControlPolicy {
		return control("FullAWSAccess", target, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	}
	return [][]plan.ControlPolicy{{all("r-1")}, append([]plan.ControlPolicy{all("ou-1-a")}, more...), {all(consumer)}}
}

func (l live) public() {
	l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
		return append(list, statement(l.t, `{"Sid":"Website","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/www/*"}`))
	})
}

// What stands over or beside the two sides' policies.
func TestLiveSettings(t *testing.T) {
	tests := map[string]struct {
		spec    func(*specs.Share)
		live    func(live)
		verdict proof.Verdict
		codes   []proof.Code
		message string // in the first cause
		mend    string // likewise
		account string // likewise, where it is not the bucket's
		note    string // in NotChecked
	}{
		// Block Public Access: the stricter of bucket and account.
		"public statement, blocked by the bucket": {
			live:    live.public,
			verdict: proof.Denied, codes: []proof.Code{proof.BlockPublicAccess},
			message: `statement "Website" of the policy of bucket ` + bucket, mend: `limit statement "Website"`,
		},
		"public statement, blocked by the account": {
			live: func(l live) {
				l.public()
				l.bucket().PublicAccessBlock = &plan.PublicAccessBlock{}
				l.snapshots[owner].PublicAccessBlock.RestrictPublicBuckets = true
			},
			verdict: proof.Denied, codes: []proof.Code{proof.BlockPublicAccess}, message: "Block Public Access of account " + owner,
		},
		"public statement, blocked by neither": {
			live: func(l live) {
				l.public()
				l.bucket().PublicAccessBlock = &plan.PublicAccessBlock{BlockPublicPolicy: true}
			},
			verdict: proof.Allowed,
		},
		"public statement, account's block not read": {
			live: func(l live) {
				l.public()
				l.bucket().PublicAccessBlock = &plan.PublicAccessBlock{}
				l.snapshots[owner].PublicAccessBlock = nil
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeAccountBlock, Message: "AccessDenied", Mend: "allow s3:GetAccountPublicAccessBlock"}}
			},
			verdict: proof.NotChecked, note: "Block Public Access of account " + owner + ", which cannot be read: AccessDenied: allow s3:GetAccountPublicAccessBlock",
		},
		"public statement, account's block not read, bucket's on": {
			live:    func(l live) { l.public(); l.snapshots[owner].PublicAccessBlock = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.BlockPublicAccess},
		},
		"no public statement, nothing of blocks read": {
			live: func(l live) {
				l.bucket().PublicAccessBlock, l.snapshots[owner].PublicAccessBlock = nil, nil
			},
			verdict: proof.Allowed,
		},
		"statement for everybody in a network is not public": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func([]iampolicy.Statement) []iampolicy.Statement {
					return []iampolicy.Statement{statement(l.t, `{"Sid":"Net","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::`+bucket+`","arn:aws:s3:::`+bucket+`/*"],"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}`)}
				})
			},
			verdict: proof.NotChecked, note: `statement "Net" of the policy of bucket ` + bucket + ", which decides by aws:SourceVpce",
		},
		"policy that cannot be understood is not called public": {
			live:    func(l live) { l.bucket().Policy = []byte(`{"Version":"2012-10-17"}`) },
			verdict: proof.NotChecked, note: "which cannot be understood",
		},
		"public statement within one account": {
			spec:    func(s *specs.Share) { s.Consumers[0].Account, s.Consumers[0].Instances = s.Bucket.Account, nil },
			live:    live.public,
			verdict: proof.Allowed,
		},

		// Object Ownership.
		"objects of their writers": {
			live:    func(l live) { l.bucket().Ownership = plan.ObjectWriter },
			verdict: proof.NotChecked, note: "its Object Ownership is ObjectWriter",
		},
		"objects of their writers, who only write": {
			spec:    func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessWrite, specs.AccessDelete} },
			live:    func(l live) { l.bucket().Ownership = plan.BucketOwnerPreferred },
			verdict: proof.Allowed,
		},
		"ownership not read": {
			live: func(l live) {
				l.bucket().Ownership = plan.OwnershipUnread
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeOwnership + bucket, Message: "AccessDenied"}}
			},
			verdict: proof.NotChecked, note: "who owns the objects of bucket " + bucket + ", which cannot be read: AccessDenied",
		},

		// The key.
		"key of both sides": {live: func(l live) { l.encrypted() }, verdict: proof.Allowed},
		"key policy lacks the role": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, roleARN, roleARN+"2")
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
			message: "does not allow kms:Decrypt, kms:GenerateDataKey to " + roleARN,
			mend: `{"Sid":"Bucket` + bucket + `For` + role + `","Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*",` +
				`"Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`,
		},
		"key policy lacks what uploads in parts need": {
			spec: func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessWrite} },
			live: func(l live) {
				l.replace(&l.encrypted().Policy, `"kms:Decrypt",`, "")
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks}, message: "does not allow kms:Decrypt (for uploads in parts) to",
		},
		"key policy names the account": {
			live:    func(l live) { l.replace(&l.encrypted().Policy, roleARN, "arn:aws:iam::"+consumer+":root") },
			verdict: proof.Allowed,
		},
		"role's policies lack the key": {
			live:    func(l live) { l.encrypted(); l.role().Inline = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.KMSIdentityLacks}, account: consumer,
			mend: `{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"` + keyARN + `"}`,
		},
		"both sides lack the key": {
			spec: func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessRead} },
			live: func(l live) {
				l.replace(&l.encrypted().Policy, roleARN, roleARN+"2")
				l.role().Inline = nil
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSIdentityLacks, proof.KMSKeyPolicyLacks}, account: consumer,
			mend: `"Action":"kms:Decrypt"`,
		},
		"listing alone needs no key": {
			spec: func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessList} },
			live: func(l live) {
				l.encrypted().Policy = []byte(`{"Version":"2012-10-17","Statement":[]}`)
				l.role().Inline = nil
			},
			verdict: proof.Allowed,
		},
		"key policy denies": {
			live: func(l live) {
				l.edit(&l.encrypted().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"NotOutside","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+owner+`"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "NotOutside" of the policy of key`,
		},
		"condition on the objects, and no Bucket Key": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, `{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`, `{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::`+bucket+`/*"}}`)
			},
			verdict: proof.Allowed,
		},
		"condition on some of the objects": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, `{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`, `{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::`+bucket+`/xshare-*"}}`)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
		},
		"deny on the key for some of the objects": {
			live: func(l live) {
				l.edit(&l.encrypted().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Secret","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::*/secret/*"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Secret" of the policy of key`,
		},
		"deny on the key by what the key is told of the caller": {
			live: func(l live) {
				l.edit(&l.encrypted().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Own","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::*/${kms:CallerAccount}/*"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Own" of the policy of key`,
		},
		"condition on the object, with a Bucket Key": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, `"kms:ViaService":"s3.us-east-1.amazonaws.com"`, `"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::`+bucket+`/xshare-proof"`)
				l.bucket().Encryption.BucketKey = true
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
		},
		"deny of calls that no service makes for somebody": {
			live: func(l live) {
				l.edit(&l.encrypted().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"false"}}}`))
				})
			},
			verdict: proof.Allowed,
		},
		"deny by a key that only S3 has": {
			live: func(l live) {
				l.edit(&l.encrypted().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"s3:ResourceAccount":"`+owner+`"}}}`))
				})
			},
			verdict: proof.Allowed,
		},
		"condition on another service": {
			live:    func(l live) { l.replace(&l.encrypted().Policy, "s3.us-east-1", "ec2.us-east-1") },
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
		},
		"AWS's own key": {
			live:    func(l live) { l.bucket().Encryption = &plan.Encryption{Algorithm: "aws:kms"} },
			verdict: proof.Denied, codes: []proof.Code{proof.AWSManagedKey}, message: "so kms:Decrypt, kms:GenerateDataKey fail", mend: "customer managed key",
		},
		"AWS's own key by its ARN": {
			live:    func(l live) { l.encrypted().AWSManaged = true },
			verdict: proof.Denied, codes: []proof.Code{proof.AWSManagedKey},
		},
		"AWS's own key within one account": {
			spec:    func(s *specs.Share) { s.Consumers[0].Account, s.Consumers[0].Instances = s.Bucket.Account, nil },
			live:    func(l live) { l.bucket().Encryption = &plan.Encryption{Algorithm: "aws:kms"} },
			verdict: proof.Allowed,
		},
		"alias, for who writes": {
			live: func(l live) {
				l.snapshots[owner].Keys["us-east-1/alias/lake"] = l.encrypted()
				l.bucket().Encryption.Key = "alias/lake"
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyNotARN}, message: "a key of that name in account " + consumer, mend: keyARN,
		},
		"alias, for who reads what the owner wrote": {
			spec: func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessRead} },
			live: func(l live) {
				l.snapshots[owner].Keys["us-east-1/alias/lake"] = l.encrypted()
				l.bucket().Encryption.Key = "alias/lake"
			},
			verdict: proof.Allowed,
		},
		"a Deny of some of the objects": {
			live: func(l live) {
				l.role().Inline = map[string][]byte{"some": []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::*/secret?.txt"}}`)}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: "inline policy some that role ec2role2accessmybucket2share has in account " + consumer + " denies s3:GetObject",
		},
		"a Deny of one session of the role": {
			live: func(l live) {
				policy := string(l.bucket().Policy)
				at := strings.Index(policy, "[") + 1
				l.bucket().Policy = []byte(policy[:at] + `{"Sid":"One","Effect":"Deny","Principal":{"AWS":"arn:aws:sts::` + consumer + `:assumed-role/` + role + `/i-1"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket2share/*"},` + policy[at:])
			},
			verdict: proof.NotChecked, note: `statement "One" of the policy of bucket mybucket2share, which denies a session of the role by its name`,
		},
		"only a session of the name that proofs once imagined is let in": {
			live:    func(l live) { l.replace(&l.bucket().Policy, roleARN, roleSession+"/xshare-proof") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalMissing},
		},
		"a Deny of all but a session of that name": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Effect":"Deny","NotPrincipal":{"AWS":["`+roleARN+`","`+consumer+`","`+roleSession+`/xshare-proof"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/*"}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny},
		},
		"a Deny of what a policy variable names": {
			live: func(l live) {
				l.role().Inline = map[string][]byte{"some": []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::*/${aws:PrincipalAccount}/*"}}`)}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny},
		},
		"a Deny of objects of another bucket": {
			live: func(l live) {
				l.role().Inline = map[string][]byte{"some": []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}}`)}
			},
			verdict: proof.Allowed,
		},
		"key of another region": {
			live: func(l live) {
				key := l.encrypted()
				key.ARN = strings.Replace(keyARN, "us-east-1", "eu-west-1", 1)
				l.snapshots[owner].Keys[key.ARN] = key
				l.bucket().Encryption.Key = key.ARN
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyRegion}, message: "is in eu-west-1, and the bucket in us-east-1", mend: "name a key of us-east-1",
		},
		"key is disabled": {
			live:    func(l live) { l.encrypted().State = "Disabled" },
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyUnusable}, message: "is disabled", mend: "enable it",
		},
		"key is to be deleted": {
			live:    func(l live) { l.encrypted().State = "PendingDeletion" },
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyUnusable}, mend: "cancel its deletion",
		},
		"key is gone": {
			live: func(l live) {
				l.encrypted()
				l.snapshots[owner].Keys[keyARN] = &plan.LiveKey{Gone: true}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyMissing},
		},
		"grant in place of the key policy": {
			live: func(l live) {
				key := l.encrypted()
				l.replace(&key.Policy, roleARN, roleARN+"2")
				key.Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}}}
			},
			verdict: proof.Allowed,
		},
		"grant for one object": {
			live: func(l live) {
				key := l.encrypted()
				l.replace(&key.Policy, roleARN, roleARN+"2")
				key.Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}, Subset: map[string]string{"aws:s3:arn": "arn:aws:s3:::" + bucket + "/xshare-proof"}}}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
		},
		"grant of another context": {
			live: func(l live) {
				key := l.encrypted()
				l.replace(&key.Policy, roleARN, roleARN+"2")
				key.Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}, Equals: map[string]string{"aws:s3:arn": "arn:aws:s3:::other/x"}}}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSKeyPolicyLacks},
		},
		"grant, and no policy of the role": {
			live: func(l live) {
				key := l.encrypted()
				key.Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}}}
				l.role().Inline = nil
			},
			verdict: proof.NotChecked, note: "a grant of the key lets the role in",
		},
		"grants not read, key policy lets in": {
			live: func(l live) {
				l.encrypted()
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeKeyGrants + keyARN, Message: "AccessDenied"}}
			},
			verdict: proof.Allowed,
		},
		"grants not read, key policy does not": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, roleARN, roleARN+"2")
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeKeyGrants + keyARN, Message: "AccessDenied", Mend: "allow kms:ListGrants"}}
			},
			verdict: proof.NotChecked, note: "the grants of key " + keyARN + " of account " + owner + ", which cannot be read: AccessDenied: allow kms:ListGrants",
		},
		"key policy not read": {
			live: func(l live) {
				l.encrypted().Policy = nil
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeKeyPolicy + keyARN, Message: "AccessDenied"}}
			},
			verdict: proof.NotChecked, note: "the policy of key " + keyARN,
		},
		"key policy not read, role's policies lack": {
			live: func(l live) {
				l.encrypted().Policy = nil
				l.role().Inline = nil
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeKeyPolicy + keyARN, Message: "AccessDenied"}}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.KMSIdentityLacks}, account: consumer,
		},
		"key's state not read": {
			live: func(l live) {
				l.encrypted().State = ""
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeKey + keyARN, Message: "AccessDenied"}}
			},
			verdict: proof.NotChecked, note: "key " + keyARN + " of account " + owner + ", which cannot be read",
		},
		"key of an account that is not the repository's": {
			live:    func(l live) { l.encrypted(); l.snapshots[owner].Keys = nil },
			verdict: proof.NotChecked, note: "add its account to spec.accounts",
		},
		"key of a third account": {
			live: func(l live) {
				const arn = "arn:aws:kms:us-east-1:" + security + ":key/" + keyID
				key := l.encrypted()
				key.ARN = arn
				l.bucket().Encryption.Key = arn
				inline := l.role().Inline["key"]
				l.replace(&inline, keyARN, arn)
				l.role().Inline["key"] = inline
				l.snapshots[security] = &plan.Snapshot{Account: security, Organization: &plan.Organization{}, Keys: map[string]*plan.LiveKey{arn: key}}
			},
			verdict: proof.Allowed,
		},
		"encryption not read": {
			live: func(l live) {
				l.bucket().Encryption = nil
				l.snapshots[owner].Unread = []plan.ReadFailure{{Scope: plan.ScopeEncryption + bucket, Message: "AccessDenied", Mend: "allow s3:GetEncryptionConfiguration"}}
			},
			verdict: proof.NotChecked, note: "the default encryption of bucket " + bucket + ", which cannot be read: AccessDenied: allow s3:GetEncryptionConfiguration",
		},

		// The organization.
		"control policies that allow": {live: func(l live) { l.organized(levels(), [][]plan.ControlPolicy{{}}) }, verdict: proof.Allowed},
		"SCP denies": {
			live: func(l live) {
				l.organized(levels(control("NoDownloads", "ou-1-a", `{"Sid":"No","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`)), nil)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ServiceControl}, account: consumer,
			message: `statement "No" of service control policy NoDownloads on ou-1-a (p-NoDownloads) denies s3:GetObject in account ` + consumer, mend: "in the organization's management account",
		},
		"a level of SCPs does not allow": {
			live: func(l live) {
				list := levels()
				list[1] = []plan.ControlPolicy{control("OnlyEC2", "ou-1-a", `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)}
				l.organized(list, nil)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ServiceControl}, account: consumer,
			message: "on ou-1-a service control policy OnlyEC2 on ou-1-a (p-OnlyEC2) does not",
		},
		"SCP denies the key": {
			live: func(l live) {
				l.encrypted()
				l.organized(levels(control("NoKeys", "ou-1-a", `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`)), nil)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ServiceControl}, account: consumer, message: "denies kms:Decrypt",
		},
		"SCPs of the bucket's account do not count": {
			live: func(l live) {
				l.organized(levels(), nil)
				l.snapshots[owner].Organization.SCPs = [][]plan.ControlPolicy{{control("Nothing", "r-1", `{"Effect":"Deny","Action":"*","Resource":"*"}`)}}
			},
			verdict: proof.Allowed,
		},
		"RCP lets in the organization": {
			live: func(l live) {
				l.organized(levels(), [][]plan.ControlPolicy{{control("Perimeter", "r-1", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-acme"}}}`)}})
			},
			verdict: proof.Allowed,
		},
		"RCP keeps out a caller of another organization": {
			live: func(l live) {
				l.organized(levels(), [][]plan.ControlPolicy{{control("Perimeter", "r-1", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-acme"}}}`)}})
				l.snapshots[consumer].Organization.ID = "o-other"
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ResourceControl}, message: "resource control policy Perimeter on r-1 (p-Perimeter) denies ",
		},
		"bucket policy's condition on the organization": {
			live: func(l live) {
				l.organized(levels(), nil)
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+bucket+`/*","Condition":{"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-acme/r-1/*"}}}`))
				})
			},
			verdict: proof.Allowed,
		},
		"bucket policy's condition on the organization, and in none": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"OnlyUs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+bucket+`/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-acme"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: "OnlyUs",
		},
		"bucket policy's condition on the organization, not known": {
			live: func(l live) {
				l.snapshots[consumer].Organization = &plan.Organization{Unread: &plan.ReadFailure{Message: "AccessDenied"}}
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"OnlyUs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+bucket+`/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-acme"}}}`))
				})
			},
			verdict: proof.NotChecked, note: "aws:PrincipalOrgID",
		},
		"RCP with a condition on the network": {
			live: func(l live) {
				l.organized(levels(), [][]plan.ControlPolicy{{control("Net", "r-1", `{"Sid":"Net","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"}}}`)}})
			},
			verdict: proof.NotChecked, note: `statement "Net" of resource control policy Net on r-1, which decides by aws:SourceIp`,
		},
		"key policy with a condition on the network": {
			live: func(l live) {
				l.replace(&l.encrypted().Policy, `"kms:ViaService":"s3.us-east-1.amazonaws.com"`, `"aws:SourceVpce":"vpce-1"`)
			},
			verdict: proof.NotChecked, note: `statement "Use" of the policy of key ` + keyARN + ", which decides by aws:SourceVpce",
		},
		"SCPs that cannot be read": {
			live: func(l live) {
				l.snapshots[consumer].Organization = &plan.Organization{ID: "o-acme", Unread: &plan.ReadFailure{Message: "only the management account can", Mend: "add " + management}}
			},
			verdict: proof.NotChecked, note: "the service control policies (SCPs) of account " + consumer + ", which cannot be read: only the management account can: add " + management,
		},
		"RCPs that cannot be read": {
			live:    func(l live) { l.snapshots[owner].Organization = nil },
			verdict: proof.NotChecked, note: "the resource control policies (RCPs) of account " + owner + ", whose organization was not read",
		},
		"what is read denies, whatever control policies say": {
			live:    func(l live) { l.snapshots[owner].Organization = nil; l.bucket().Policy = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.NoBucketPolicy},
		},
		"SCP that cannot be understood": {
			live: func(l live) {
				l.organized(levels(control("Broken", "ou-1-a", `{"Effect":"Maybe"}`)), nil)
			},
			verdict: proof.NotChecked, note: "service control policy Broken on ou-1-a (p-Broken), which cannot be understood",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(tt.spec))
			tt.live(live{t, snapshots})
			got := proof.Live(p, snapshots)[0]
			var codes []proof.Code
			for _, c := range got.Causes {
				codes = append(codes, c.Code)
				if c.Account == "" || c.Resource == "" || c.Mend == "" {
					t.Errorf("cause %+v lacks account, resource or mend", c)
				}
			}
			if codes = slices.Compact(codes); got.Verdict != tt.verdict || !slices.Equal(codes, tt.codes) {
				t.Fatalf("%s %v, want %s %v\n%s", got.Verdict, codes, tt.verdict, tt.codes, dump(got))
			}
			if tt.codes != nil {
				first := got.Causes[0]
				if !strings.Contains(first.Message, tt.message) || !strings.Contains(first.Mend, tt.mend) {
					t.Errorf("cause %q, mend %q; want %q and %q in them", first.Message, first.Mend, tt.message, tt.mend)
				}
				if tt.account != "" && first.Account != tt.account {
					t.Errorf("to be mended in account %s, not %s", first.Account, tt.account)
				}
			}
			if !strings.Contains(strings.Join(got.NotChecked, "\n"), tt.note) {
				t.Errorf("not checked: %q, want %q in it", got.NotChecked, tt.note)
			}
			for _, c := range got.Checks {
				if (c.Verdict == proof.Allowed) != (c.Reason == "") {
					t.Errorf("%s on %s: %s with reason %q", c.Action, c.Resource, c.Verdict, c.Reason)
				}
			}
		})
	}
}

// Statements that a mend says to add are statements, and mend.
func TestKeyMendsMend(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	key := l.encrypted()
	key.Policy, l.role().Inline = []byte(`{"Version":"2012-10-17","Statement":[]}`), nil
	key.Policy = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"kms:*","Resource":"*"}]}`)
	for _, c := range proof.Live(p, snapshots)[0].Causes {
		_, text, _ := strings.Cut(c.Mend, "{")
		text = "{" + text
		if !json.Valid([]byte(text)) {
			t.Fatalf("no JSON: %s", text)
		}
		document := `{"Version":"2012-10-17","Statement":` + text + `}`
		if c.Code == proof.KMSIdentityLacks {
			l.role().Inline = map[string][]byte{"key": []byte(document)}
		} else {
			key.Policy = []byte(document)
		}
	}
	if got := proof.Live(p, snapshots)[0]; got.Verdict != proof.Allowed {
		t.Errorf("after the mends:\n%s", dump(got))
	}
}
