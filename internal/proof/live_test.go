package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func TestLive(t *testing.T) {
	isBucket := func(r string) bool { return !strings.HasSuffix(r, "/*") }
	isObjects := func(r string) bool { return strings.HasSuffix(r, "/*") }
	tests := map[string]struct {
		spec    func(*specs.Share)
		live    func(live)
		verdict proof.Verdict
		codes   []proof.Code
		message string // in the first cause
		mend    string // likewise
		note    string // in NotChecked
	}{
		"converged": {verdict: proof.Allowed, note: "VPC endpoints"},
		"converged with prefixes": {
			spec:    func(s *specs.Share) { s.Consumers[0].Prefixes = []string{"in/", "out/"} },
			verdict: proof.Allowed,
		},
		"converged with full access": {
			spec:    func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessFull} },
			verdict: proof.Allowed,
		},
		"converged within one account": {
			spec: func(s *specs.Share) { s.Consumers[0].Account, s.Consumers[0].Instances = s.Bucket.Account, nil },
			// The test's own account holds both sides.
			verdict: proof.Allowed,
		},

		// Cause 1: the bucket policy lacks the role's ARN, or has a typo.
		"no bucket policy": {
			live:    func(l live) { l.bucket().Policy = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.NoBucketPolicy},
			message: "has no policy", mend: "xshare apply",
		},
		"bucket policy names another role": {
			live:    func(l live) { l.replace(&l.bucket().Policy, roleARN, "arn:aws:iam::"+consumer+":role/somebodyelse") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalMissing},
			message: "does not name " + roleARN, mend: "xshare apply",
		},
		"typo in the account id": {
			live:    func(l live) { l.replace(&l.bucket().Policy, "::"+consumer+":", "::222222222223:") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalAccount},
			message: "the account is 222222222223, not 222222222222", mend: "xshare apply",
		},
		"root of an account with a typo": {
			live:    func(l live) { l.replace(&l.bucket().Policy, roleARN, "arn:aws:iam::222222222223:root") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalAccount},
			message: "the account is 222222222223",
		},
		"typo in the role's name": {
			live:    func(l live) { l.replace(&l.bucket().Policy, "/"+role, "/ec2role2acessmybucket2share") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalName},
			message: "the name is ec2role2acessmybucket2share, not " + role,
		},
		"role's name in another case": {
			live:    func(l live) { l.replace(&l.bucket().Policy, "/"+role, "/EC2Role2AccessMyBucket2Share") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalName},
		},
		"role under another path in the bucket policy": {
			live:    func(l live) { l.replace(&l.bucket().Policy, ":role/"+role, ":role/team/"+role) },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalPath},
		},
		"role was deleted and made again": {
			live:    func(l live) { l.replace(&l.bucket().Policy, roleARN, "AROAOLD0000000000001") },
			verdict: proof.Denied, codes: []proof.Code{proof.PrincipalGone},
			message: "AROAOLD0000000000001", mend: "xshare apply",
		},
		"bucket policy names the whole account": {
			live:    func(l live) { l.replace(&l.bucket().Policy, roleARN, consumer) },
			verdict: proof.Allowed,
		},

		// Cause 2: no instance profile, or not attached.
		"no instance profile": {
			live: func(l live) {
				delete(l.snapshots[consumer].Profiles, role)
				l.snapshots[consumer].Instances[0].ProfileARN = ""
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileMissing},
			message: "no instance can have role", mend: "xshare apply",
		},
		"instance profile without role": {
			live:    func(l live) { l.snapshots[consumer].Profiles[role].Role = "" },
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileWithoutRole},
		},
		"instance profile with another role": {
			live:    func(l live) { l.snapshots[consumer].Profiles[role].Role = "admin" },
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileOtherRole}, mend: "--adopt",
		},
		"instance profile not attached": {
			live:    func(l live) { l.snapshots[consumer].Instances[0].ProfileARN = "" },
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileNotAttached},
			message: "instance " + instance + " in account " + consumer + " has no instance profile",
		},
		"instance with another profile": {
			live: func(l live) {
				l.snapshots[consumer].Instances[0].ProfileARN = "arn:aws:iam::" + consumer + ":instance-profile/web"
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileOther}, message: "web, not " + role, mend: "--adopt",
		},
		"instance profile that was deleted and made again": {
			live: func(l live) {
				l.snapshots[consumer].Profiles[role].UniqueID = "AIPANEW"
				l.snapshots[consumer].Instances[0].ProfileID = "AIPAOLD"
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileNotAttached}, message: "was deleted, so it has no credentials", mend: "xshare apply",
		},
		"instance is gone": {
			live:    func(l live) { l.snapshots[consumer].Instances = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.InstanceMissing}, mend: "id and region",
		},
		"launched instance": {
			spec: func(s *specs.Share) {
				s.Consumers[0].Instances = []specs.Instance{{Name: "share-client", Region: "us-east-1", Type: "t3.micro"}}
			},
			verdict: proof.Allowed,
		},
		"launched instance of another repository": {
			spec: func(s *specs.Share) {
				s.Consumers[0].Instances = []specs.Instance{{Name: "share-client", Region: "us-east-1", Type: "t3.micro"}}
			},
			live:    func(l live) { l.snapshots[consumer].Instances[0].Tags[plan.RepositoryTag] = "other" },
			verdict: proof.Denied, codes: []proof.Code{proof.InstanceMissing}, mend: "xshare apply",
		},

		// Cause 3: only one of the bucket's ARN and its objects'.
		"bucket policy names only the bucket": {
			live:    func(l live) { l.edit(&l.bucket().Policy, only(isBucket)) },
			verdict: proof.Denied, codes: []proof.Code{proof.OnlyBucketARN},
			message: "GetObject, s3:ListMultipartUploadParts, s3:PutObject work on its objects, arn", mend: "xshare apply`",
		},
		"bucket policy names only the bucket, one action": {
			spec:    func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessRead} },
			live:    func(l live) { l.edit(&l.bucket().Policy, only(isBucket)) },
			verdict: proof.Denied, codes: []proof.Code{proof.OnlyBucketARN},
			message: "but s3:GetObject works on its objects, arn",
		},
		"bucket policy names only objects": {
			live:    func(l live) { l.edit(&l.bucket().Policy, only(isObjects)) },
			verdict: proof.Denied, codes: []proof.Code{proof.OnlyObjectARN}, message: "s3:ListBucket",
		},
		"identity policy names only the bucket": {
			live:    func(l live) { l.edit(&l.policy().Document, only(isBucket)) },
			verdict: proof.Denied, codes: []proof.Code{proof.OnlyBucketARN},
			message: "policy " + policy + " of role " + role,
		},
		"identity policy names only objects": {
			live:    func(l live) { l.edit(&l.policy().Document, only(isObjects)) },
			verdict: proof.Denied, codes: []proof.Code{proof.OnlyObjectARN},
		},

		// Cause 4: the trust policy.
		"trust policy names another service": {
			live: func(l live) {
				l.role().Trust = json.RawMessage(strings.ReplaceAll(string(l.role().Trust), "ec2.", "lambda."))
			},
			verdict: proof.Denied, codes: []proof.Code{proof.TrustLacksService},
			message: "does not let ec2.amazonaws.com do sts:AssumeRole; the services it names are lambda.amazonaws.com", mend: "xshare apply",
		},
		"trust policy of an existing role names an account": {
			spec: func(s *specs.Share) { s.Consumers[0].Role.Create, s.Consumers[0].Role.TrustService = false, "" },
			live: func(l live) {
				l.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}`)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.TrustLacksService}, mend: "in the role's trust policy",
		},
		"trust policy allows another action": {
			live: func(l live) {
				l.role().Trust = json.RawMessage(strings.ReplaceAll(string(l.role().Trust), "AssumeRole", "TagSession"))
			},
			verdict: proof.Denied, codes: []proof.Code{proof.TrustLacksService},
		},

		// Cause 5: the two sides disagree.
		"identity policy lacks an action": {
			live:    func(l live) { l.replace(&l.policy().Document, `"s3:PutObject"`, `"s3:PutObjectAcl"`) },
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
			message: "allows s3:PutObject, although the bucket policy does: the two sides disagree", mend: "xshare apply",
		},
		// What lost our marks is taken over only when told so.
		"identity policy without our marks lacks an action": {
			live: func(l live) {
				l.edit(&l.policy().Document, unmark)
				l.replace(&l.policy().Document, `"s3:PutObject"`, `"s3:PutObjectAcl"`)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
			mend: "run `xshare apply --adopt` (it takes over " + policy + ")",
		},
		"identity policy without our marks, whose tags cannot be read": {
			live: func(l live) {
				l.edit(&l.policy().Document, unmark)
				l.replace(&l.policy().Document, `"s3:PutObject"`, `"s3:PutObjectAcl"`)
				l.snapshots[consumer].Unread = []plan.ReadFailure{{Scope: plan.ScopePolicy + policy, Message: "iam:GetPolicy is denied", Mend: "allow it"}}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
			mend: "run `xshare apply`; whose " + policy + " is could not be read: iam:GetPolicy is denied: allow it",
		},
		"bucket policy waits for a policy without our marks": {
			live: func(l live) {
				l.edit(&l.policy().Document, unmark)
				l.bucket().Policy = nil
			},
			verdict: proof.Denied, codes: []proof.Code{proof.NoBucketPolicy},
			mend: "run `xshare apply --adopt` (it takes over " + policy + ")",
		},
		"role without our mark trusts another service": {
			live: func(l live) {
				delete(l.role().Tags, plan.RepositoryTag)
				l.role().Trust = json.RawMessage(strings.ReplaceAll(string(l.role().Trust), "ec2.", "lambda."))
			},
			verdict: proof.Denied, codes: []proof.Code{proof.TrustLacksService},
			mend: "run `xshare apply --adopt` (it takes over " + role + ")",
		},
		"instance profile waits for no policy without our marks": {
			live: func(l live) {
				l.edit(&l.policy().Document, unmark)
				l.snapshots[consumer].Profiles[role].Role = ""
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ProfileWithoutRole}, mend: "run `xshare apply`",
		},
		"bucket policy lacks an action": {
			live:    func(l live) { l.replace(&l.bucket().Policy, `"s3:GetObject"`, `"s3:GetObjectAcl"`) },
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
			message: "does not allow it s3:GetObject, although the role's own policies do",
		},
		"identity policy names another bucket": {
			live:    func(l live) { l.replace(&l.policy().Document, ":::"+bucket, ":::mybucket2hare") },
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree}, message: "mybucket2hare",
		},
		"bucket policy has narrower prefixes": {
			spec: func(s *specs.Share) { s.Consumers[0].Prefixes = []string{"incoming/"} },
			live: func(l live) {
				l.replace(&l.bucket().Policy, "incoming/*", "incoming/a/*")
				l.replace(&l.bucket().Policy, `"incoming/"`, `"incoming/a/"`)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
		},
		"bucket policy has only keys with a letter that samples have too": {
			live:    func(l live) { l.replace(&l.bucket().Policy, ":::"+bucket+"/*", ":::"+bucket+"/*a*") },
			verdict: proof.Denied, codes: []proof.Code{proof.SidesDisagree},
		},
		"deny of all but some keys": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Only","Effect":"Deny","Principal":"*","Action":"s3:GetObject","NotResource":["arn:aws:s3:::`+bucket+`/*o*","arn:aws:s3:::`+bucket+`/??*"]}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Only"`,
		},
		"both sides lack an action": {
			live: func(l live) {
				l.replace(&l.bucket().Policy, `"s3:PutObject"`, `"s3:PutObjectAcl"`)
				l.replace(&l.policy().Document, `"s3:PutObject"`, `"s3:PutObjectAcl"`)
			},
			verdict: proof.Denied, codes: []proof.Code{proof.IdentityLacks, proof.BucketPolicyLacks},
		},

		"policy is not attached": {
			live:    func(l live) { l.role().Attached = nil },
			verdict: proof.Denied, codes: []proof.Code{proof.PolicyDetached}, message: "is not attached to role",
		},
		"policy is not attached, and another one serves": {
			live: func(l live) {
				l.role().Attached = nil
				l.role().Inline = map[string][]byte{"own": l.policy().Document}
			},
			verdict: proof.Allowed,
		},
		"inline policy serves too": {
			live: func(l live) {
				l.role().Attached = nil
				l.role().Inline = map[string][]byte{"own": l.policy().Document}
				delete(l.snapshots[consumer].Policies, l.policy().ARN)
			},
			verdict: proof.Allowed,
		},
		"role is missing": {
			live:    func(l live) { delete(l.snapshots[consumer].Roles, role) },
			verdict: proof.Denied, codes: []proof.Code{proof.RoleMissing}, mend: "xshare apply",
		},
		"role has another path": {
			live:    func(l live) { l.role().Path = "/team/" },
			verdict: proof.Denied, codes: []proof.Code{proof.RolePath}, mend: "write team/" + role,
		},
		"bucket is missing": {
			live:    func(l live) { delete(l.snapshots[owner].Buckets, bucket) },
			verdict: proof.Denied, codes: []proof.Code{proof.BucketMissing}, mend: "xshare apply",
		},
		"explicit deny in the bucket policy": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"NoDownloads","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/*"}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny},
			message: `statement "NoDownloads" of the policy of bucket ` + bucket, mend: "apply leaves it",
		},
		"deny of listings of a prefix": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Secret","Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+bucket+`","Condition":{"StringLike":{"s3:prefix":"secret/*"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Secret"`,
		},
		"deny of listings of any prefix": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Whole","Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+bucket+`","Condition":{"Null":{"s3:prefix":"false"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Whole"`,
		},
		"deny of listings below a granted prefix": {
			spec: func(s *specs.Share) { s.Consumers[0].Prefixes = []string{"incoming/"} },
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Secret","Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+bucket+`","Condition":{"StringLike":{"s3:prefix":"incoming/secret/*"}}}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Secret"`,
		},
		"deny of the object that is named as the prefix": {
			spec: func(s *specs.Share) { s.Consumers[0].Prefixes = []string{"incoming/"} },
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"Folder","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/incoming/"}`))
				})
			},
			verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}, message: `statement "Folder"`,
		},
		"deny of plain HTTP does not count": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::`+bucket+`","arn:aws:s3:::`+bucket+`/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`))
				})
			},
			verdict: proof.Allowed,
		},
		"deny outside a network is not decided": {
			live: func(l live) {
				l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
					return append(list, statement(l.t, `{"Sid":"OnlyVpc","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+bucket+`/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`))
				})
			},
			verdict: proof.NotChecked, note: `statement "OnlyVpc" of the policy of bucket ` + bucket + ", which decides by aws:SourceVpce",
		},
		"allow within a network only is not decided": {
			live: func(l live) {
				l.edit(&l.policy().Document, func(list []iampolicy.Statement) []iampolicy.Statement {
					for i := range list {
						list[i].Condition = append(list[i].Condition, iampolicy.Condition{Operator: "IpAddress", Key: "aws:SourceIp", Values: []string{"192.0.2.0/24"}})
					}
					return list
				})
			},
			verdict: proof.NotChecked, note: "aws:SourceIp",
		},
		"boundary lacks it": {
			live: func(l live) {
				l.role().Boundary = "arn:aws:iam::" + consumer + ":policy/limit"
				l.snapshots[consumer].Policies[l.role().Boundary] = &plan.LivePolicy{
					Name: "limit", Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:List*","s3:Get*"],"Resource":"*"}}`),
				}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.Boundary}, message: "permissions boundary limit",
		},
		"boundary of AWS": {
			live:    func(l live) { l.role().Boundary = "arn:aws:iam::aws:policy/PowerUserAccess" },
			verdict: proof.NotChecked, note: "PowerUserAccess",
		},
		"managed policy of AWS beside ours": {
			live: func(l live) {
				const arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
				l.role().Attached = append(l.role().Attached, arn)
				l.snapshots[consumer].Managed = map[string]*plan.LivePolicy{arn: {
					Name: "AmazonSSMManagedInstanceCore", ARN: arn, Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*"}}`),
				}}
			},
			verdict: proof.Allowed,
		},
		"managed policy of AWS beside ours, not read": {
			live: func(l live) {
				const arn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3" // which denies
				l.role().Attached = append(l.role().Attached, arn)
				l.snapshots[consumer].Unread = []plan.ReadFailure{{Scope: plan.ScopeManagedPolicy + arn, Message: "AccessDenied", Mend: "allow iam:GetPolicy"}}
			},
			verdict: proof.NotChecked, note: "AWSCompromisedKeyQuarantineV3 (AccessDenied: allow iam:GetPolicy)",
		},
		"boundary of AWS that was read": {
			live: func(l live) {
				l.role().Boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
				l.snapshots[consumer].Managed = map[string]*plan.LivePolicy{l.role().Boundary: {
					Name: "ReadOnlyAccess", Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}}`),
				}}
			},
			verdict: proof.Denied, codes: []proof.Code{proof.Boundary}, message: "permissions boundary ReadOnlyAccess",
		},
		"managed policy of AWS instead of ours": {
			live: func(l live) {
				l.role().Attached = []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}
				delete(l.snapshots[consumer].Policies, l.policy().ARN)
			},
			verdict: proof.NotChecked, note: "AmazonS3FullAccess",
		},
		"owner's account is a partner's": {
			spec:    func(s *specs.Share) { s.Bucket.Account.Manage, s.Bucket.Create = false, false },
			verdict: proof.NotChecked, note: "a partner's",
		},
		"consumer's account is a partner's": {
			spec: func(s *specs.Share) {
				c := s.Consumers[0]
				c.Account.Manage, c.Role.Create, c.Role.InstanceProfile, c.Role.TrustService, c.Instances = false, false, "", "", nil
			},
			verdict: proof.NotChecked, note: "a partner's",
		},
		"denied read is not absence": {
			live: func(l live) {
				l.snapshots[owner].Failures = []plan.ReadFailure{{Scope: plan.ScopeBucket + bucket, Message: "AccessDenied"}}
				delete(l.snapshots[owner].Buckets, bucket)
			},
			verdict: proof.NotChecked, note: "cannot be read: AccessDenied",
		},
		"account that was not read": {
			live:    func(l live) { delete(l.snapshots, consumer) },
			verdict: proof.NotChecked, note: "account 222222222222 was not read",
		},
		"the side that was read denies, whatever the other": {
			live: func(l live) {
				delete(l.snapshots, consumer)
				l.bucket().Policy = nil
			},
			verdict: proof.Denied, codes: []proof.Code{proof.NoBucketPolicy}, note: "account 222222222222 was not read",
		},
		"instances that cannot be read": {
			live: func(l live) {
				l.snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeEC2 + "us-east-1", Message: "UnauthorizedOperation"}}
				l.snapshots[consumer].Instances = nil
			},
			verdict: proof.NotChecked, note: "UnauthorizedOperation",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(tt.spec))
			if tt.live != nil {
				tt.live(live{t, snapshots})
			}
			proofs := proof.Live(p, snapshots)
			if len(proofs) != 1 {
				t.Fatalf("%d proofs, want 1", len(proofs))
			}
			got := proofs[0]
			var codes []proof.Code
			for _, c := range got.Causes {
				codes = append(codes, c.Code)
				if c.Account == "" || c.Resource == "" || c.Mend == "" {
					t.Errorf("cause %+v lacks account, resource or mend", c)
				}
			}
			codes = slices.Compact(codes) // one a statement
			if got.Verdict != tt.verdict || !slices.Equal(codes, tt.codes) {
				t.Fatalf("%s %v, want %s %v\n%s", got.Verdict, codes, tt.verdict, tt.codes, dump(got))
			}
			if tt.codes != nil {
				if first := got.Causes[0]; !strings.Contains(first.Message, tt.message) || !strings.Contains(first.Mend, tt.mend) {
					t.Errorf("cause %q, mend %q; want %q and %q in them", first.Message, first.Mend, tt.message, tt.mend)
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

func dump(p proof.GrantProof) string {
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A role that another grant names is no typo of this grant's.
func TestLiveOtherGrantIsNoNearMiss(t *testing.T) {
	repo := recipe(func(s *specs.Share) {
		second := *s.Consumers[0]
		second.Role.Name, second.Role.InstanceProfile, second.PolicyName, second.Instances = role+"2", role+"2", "", nil
		s.Consumers = append(s.Consumers, &second)
	})
	p, snapshots := built(t, repo)
	l := live{t, snapshots}
	l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
		for _, s := range list {
			s.Principal.AWS = []string{roleARN}
		}
		return list
	})
	var got []proof.Code
	for _, g := range proof.Live(p, snapshots) {
		for _, c := range g.Causes {
			got = append(got, c.Code)
		}
	}
	if want := []proof.Code{proof.PrincipalMissing}; !slices.Equal(got, want) {
		t.Errorf("causes %v, want %v", got, want)
	}
}

// The checks are the promise: every action on its kind of resource, lists at
// and under each prefix.
func TestLiveChecks(t *testing.T) {
	p, snapshots := built(t, recipe(func(s *specs.Share) {
		s.Consumers[0].Access, s.Consumers[0].Prefixes = []specs.Access{specs.AccessRead}, []string{"in/"}
		s.Consumers[0].Role.InstanceProfile, s.Consumers[0].Instances = "", nil
	}))
	type check struct{ action, resource, prefix string }
	var got []check
	for _, c := range proof.Live(p, snapshots)[0].Checks {
		got = append(got, check{c.Action, strings.TrimPrefix(c.Resource, "arn:aws:s3:::"), c.Context["s3:prefix"]})
	}
	want := []check{
		{"s3:ListBucket", bucket, "in/"},
		{"s3:ListBucket", bucket, "in/xshare-proof"},
		{"s3:GetBucketLocation", bucket, ""},
		{"s3:GetObject", bucket + "/in/xshare-proof", ""},
		{"sts:AssumeRole", roleARN, ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(check{})); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}
