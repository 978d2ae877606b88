package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	keyOwn  = `{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"kms:*","Resource":"*"}`
	keyRole = `{"Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":"kms:*","Resource":"*"}`
)

// keyed is what a case of TestKeys changes: the recipe's bucket is there and
// encrypts with a key, and nothing of the share is.
type keyed struct {
	live
	repo *specs.Repository
}

func (k keyed) key() *plan.LiveKey { return k.snapshots[owner].Keys[keyARN] }

func (k keyed) keyPolicy(statements ...string) {
	k.key().Policy = []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// called has the bucket call its key by another name.
func (k keyed) called(name string) {
	keys := k.snapshots[owner].Keys
	keys[plan.KeyWant{ID: name, Region: "us-east-1"}.Name()] = keys[keyARN]
	k.bucket().Encryption.Key = name
}

// roleWith puts the role there, with an inline policy; without statements, with
// one that is about something else.
func (k keyed) roleWith(statements ...string) {
	if len(statements) == 0 {
		statements = []string{`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`}
	}
	k.snapshots[consumer].Roles[role] = &plan.LiveRole{
		Role:     plan.Role{Name: role, Path: "/", ARN: roleARN, Tags: map[string]string{"team": "ml"}, Trust: []byte(`{"Version":"2012-10-17","Statement":[` + letsAccount + `]}`)},
		UniqueID: "AROAEXAMPLE0123456789",
		Inline:   map[string][]byte{"own": []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)},
	}
}

func (k keyed) unread(account, scope string) {
	s := k.snapshots[account]
	s.Unread = append(s.Unread, plan.ReadFailure{Scope: scope, Message: "denied", Mend: "allow it"})
}

func TestKeys(t *testing.T) {
	const mayUse = `{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"}`
	access := func(words ...specs.Access) func(*specs.Share) {
		return func(s *specs.Share) { s.Consumers[0].Access = words }
	}
	lacks, identity, unread := string(proof.KMSKeyPolicyLacks), string(proof.KMSIdentityLacks), string(proof.KMSNotChecked)
	for name, c := range map[string]struct {
		share   func(*specs.Share)
		key     func(keyed)
		refused string // codes
		warned  string
		says    []string // in what is told
	}{
		"both let it in":         {key: func(k keyed) { k.keyPolicy(keyOwn, keyRole); k.roleWith(mayUse) }},
		"SSE-S3":                 {key: func(k keyed) { k.bucket().Encryption = &plan.Encryption{Algorithm: "AES256"} }},
		"the key's policy lacks": {key: func(k keyed) { k.roleWith(mayUse) }, refused: lacks, says: []string{"kms:Decrypt, kms:GenerateDataKey", `"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"`, `"Principal":{"AWS":"` + roleARN + `"}`}},
		"it has no role yet":     {key: func(keyed) {}, refused: lacks, warned: identity, says: []string{"apply makes the role first"}},
		"reading takes Decrypt": {
			share: access(specs.AccessRead),
			key: func(k keyed) {
				k.keyPolicy(keyOwn, strings.Replace(keyRole, "kms:*", "kms:Decrypt", 1))
				k.roleWith(mayUse)
			},
		},
		"writing takes more than Decrypt": {
			share: access(specs.AccessWrite),
			key: func(k keyed) {
				k.keyPolicy(keyOwn, strings.Replace(keyRole, "kms:*", "kms:Decrypt", 1))
				k.roleWith(mayUse)
			},
			refused: lacks, says: []string{"does not allow kms:GenerateDataKey to"},
		},
		"listing takes nothing": {share: access(specs.AccessList), key: func(keyed) {}},
		"the account is let in, and the role lacks": {
			key:    func(k keyed) { k.keyPolicy(keyOwn, strings.Replace(keyRole, roleARN, consumer, 1)); k.roleWith() },
			warned: identity, says: []string{`"Resource":"` + keyARN + `"`},
		},
		"an explicit deny of the key's": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, keyRole, strings.Replace(strings.Replace(keyRole, "Allow", "Deny", 1), "kms:*", "kms:Decrypt", 1))
				k.roleWith(mayUse)
			},
			refused: string(proof.ExplicitDeny),
		},
		"an explicit deny of the role's": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, keyRole)
				k.roleWith(mayUse, `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`)
			},
			warned: string(proof.ExplicitDeny),
		},
		"a deny that only a call decides": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, keyRole, strings.Replace(strings.TrimSuffix(keyRole, "}")+`,"Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`, "Allow", "Deny", 1))
				k.roleWith(mayUse)
			},
		},
		"an allow that only a call decides": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, strings.TrimSuffix(keyRole, "}")+`,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`)
				k.roleWith(mayUse)
			},
		},
		"S3 of another region": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, strings.TrimSuffix(keyRole, "}")+`,"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}`)
				k.roleWith(mayUse)
			},
			refused: lacks,
		},
		"by a grant": {
			key: func(k keyed) {
				k.key().Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}}}
				k.roleWith(mayUse)
			},
		},
		"by a grant alone": {
			key: func(k keyed) {
				k.key().Grants = []plan.KeyGrant{{ID: "g", Grantee: roleARN, Operations: []string{"Decrypt", "GenerateDataKey"}}}
				k.roleWith()
			},
		},
		"by a tag that the role will have": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/xshare:repository":"acme-data","kms:CallerAccount":"`+consumer+`"}}}`)
			},
			warned: identity,
		},
		"by a tag that the role has": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"ml"}}}`)
				k.roleWith(mayUse)
			},
		},
		"by a tag that it has not": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"ops"}}}`)
				k.roleWith(mayUse)
			},
			refused: lacks,
		},
		"by a tag of a role that is not read": {
			share: func(s *specs.Share) { s.Consumers[0].Account.Manage = false },
			key: func(k keyed) {
				k.keyPolicy(keyOwn, `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"ml"}}}`)
			},
		},
		"a partner's role": {share: func(s *specs.Share) { s.Consumers[0].Account.Manage = false }, key: func(keyed) {}, refused: lacks},
		"IAM is not read": {
			key: func(k keyed) {
				k.snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeIAM, Message: "denied"}}
			},
			refused: lacks,
		},
		"a deny of a deleted role": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, strings.Replace(keyRole, roleARN, consumer, 1), `{"Effect":"Deny","Principal":{"AWS":"AROAEXAMPLEOFANOTHER1"},"Action":"kms:*","Resource":"*"}`)
			},
			warned: identity,
		},
		"a policy of AWS's that was not read": {
			key: func(k keyed) {
				k.keyPolicy(keyOwn, keyRole)
				k.roleWith()
				k.role().Attached = []string{"arn:aws:iam::aws:policy/PowerUserAccess"}
			},
		},
		"aws/s3":                {key: func(k keyed) { k.bucket().Encryption.Key = "" }, refused: string(proof.AWSManagedKey)},
		"aws/s3 by its ARN":     {key: func(k keyed) { k.key().AWSManaged = true }, refused: string(proof.AWSManagedKey)},
		"aws/s3 in the account": {share: func(s *specs.Share) { s.Consumers[0].Account = s.Bucket.Account }, key: func(k keyed) { k.bucket().Encryption.Key = "" }},
		"an alias": {
			key:     func(k keyed) { k.keyPolicy(keyOwn, keyRole); k.roleWith(mayUse); k.called("alias/lake") },
			refused: string(proof.KMSKeyNotARN), says: []string{keyARN},
		},
		"an alias, for reading": {
			share: access(specs.AccessRead),
			key:   func(k keyed) { k.keyPolicy(keyOwn, keyRole); k.roleWith(mayUse); k.called("alias/lake") },
		},
		"disabled":       {key: func(k keyed) { k.key().State = "Disabled" }, refused: string(proof.KMSKeyUnusable)},
		"gone":           {key: func(k keyed) { *k.key() = plan.LiveKey{Gone: true} }, refused: string(proof.KMSKeyMissing)},
		"another region": {key: func(k keyed) { k.called(strings.Replace(keyARN, "us-east-1", "eu-west-1", 1)) }, refused: string(proof.KMSKeyRegion)},
		"an unmanaged account": {
			key:    func(k keyed) { k.bucket().Encryption.Key = strings.Replace(keyARN, owner, "999999999999", 1) },
			warned: unread, says: []string{"account 999999999999, which xshare does not read", "add account 999999999999 to spec.accounts"},
		},
		"an account out of reach": {
			key: func(k keyed) {
				k.bucket().Encryption.Key = strings.Replace(keyARN, owner, "999999999999", 1)
				k.snapshots["999999999999"] = &plan.Snapshot{}
				k.unread("999999999999", plan.ScopeAccount)
			},
			warned: unread, says: []string{"account 999999999999 of key", "cannot be read: denied", "allow it"},
		},
		"encryption unread": {
			key:    func(k keyed) { k.bucket().Encryption = nil; k.unread(owner, plan.ScopeEncryption+bucket) },
			warned: unread, says: []string{"denied", "allow it"},
		},
		"the key's policy unread": {
			key:    func(k keyed) { k.key().Policy = nil; k.unread(owner, plan.ScopeKeyPolicy+keyARN); k.roleWith(mayUse) },
			warned: unread,
		},
		"the key's policy unread, and it is disabled": {
			key: func(k keyed) {
				k.key().Policy, k.key().State = nil, "Disabled"
				k.unread(owner, plan.ScopeKeyPolicy+keyARN)
			},
			refused: string(proof.KMSKeyUnusable),
		},
		"its state unread": {
			key:    func(k keyed) { k.unread(owner, plan.ScopeKey+keyARN); k.keyPolicy(keyOwn, keyRole); k.roleWith(mayUse) },
			warned: unread,
		},
		"its grants unread, where they matter": {
			key:    func(k keyed) { k.unread(owner, plan.ScopeKeyGrants+keyARN); k.roleWith(mayUse) },
			warned: unread,
		},
		"its grants unread, where they do not": {
			key: func(k keyed) {
				k.unread(owner, plan.ScopeKeyGrants+keyARN)
				k.keyPolicy(keyOwn, keyRole)
				k.roleWith(mayUse)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			repo := recipe(c.share)
			p, applied := built(t, repo)
			snapshots := map[string]*plan.Snapshot{}
			for account := range applied {
				snapshots[account] = &plan.Snapshot{
					Account: account, Buckets: map[string]*plan.LiveBucket{}, Roles: map[string]*plan.LiveRole{},
					Policies: map[string]*plan.LivePolicy{}, Keys: map[string]*plan.LiveKey{},
				}
			}
			k := keyed{live: live{t, snapshots}, repo: repo}
			snapshots[owner].Buckets[bucket] = &plan.LiveBucket{Name: bucket, Region: "us-east-1", Encryption: &plan.Encryption{Algorithm: "aws:kms", Key: keyARN}}
			snapshots[owner].Keys[keyARN] = &plan.LiveKey{ARN: keyARN, State: "Enabled"}
			k.keyPolicy(keyOwn)
			c.key(k)

			var grants []plan.Grant
			for _, g := range plan.Openings(plan.Compare(p, snapshots, plan.Options{}), snapshots) {
				if proof.UsesKey(g) {
					grants = append(grants, g)
				}
			}
			refused, warnings := proof.Keys(p, snapshots, grants)
			var errors []specs.Problem
			for _, r := range refused {
				if r.Share != bucket || r.Consumer != grants[0].Consumer.Account.ID+"/"+role {
					t.Errorf("refused is %s: %s", r.Share, r.Consumer)
				}
				errors = append(errors, r.Problems...)
			}
			holdProblems(t, errors, specs.SeverityError, c.refused)
			holdProblems(t, warnings, specs.SeverityWarning, c.warned)
			told := ""
			for _, problem := range slices.Concat(errors, warnings) {
				told += problem.Message + "\n" + problem.Mend + "\n"
				if problem.Step != "" && p.Step(problem.Step) == nil {
					t.Errorf("there is no step %s", problem.Step)
				}
			}
			for _, text := range c.says {
				if !strings.Contains(told, text) {
					t.Errorf("%q is not in\n%s", text, told)
				}
			}
			agreesWithLive(t, p, snapshots, errors)
		})
	}
}

// holdProblems holds problems to their severity and codes.
func holdProblems(t *testing.T, problems []specs.Problem, severity specs.Severity, want string) {
	t.Helper()
	var codes []string
	for _, problem := range problems {
		codes = append(codes, problem.Code)
		if problem.Severity != severity || problem.Message == "" || problem.Mend == "" || problem.Account == "" {
			t.Errorf("%+v", problem)
		}
	}
	if diff := cmp.Diff(want, strings.Join(codes, " ")); diff != "" {
		t.Errorf("%s codes (-want +got):\n%s", severity, diff)
	}
}

// agreesWithLive holds what is refused to be what verify finds too, in the same
// words.
func agreesWithLive(t *testing.T, p *plan.Plan, snapshots map[string]*plan.Snapshot, refused []specs.Problem) {
	t.Helper()
	causes := map[string]bool{}
	for _, g := range proof.Live(p, snapshots) {
		for _, cause := range g.Causes {
			causes[string(cause.Code)+cause.Account+cause.Message+cause.Mend] = true
		}
	}
	for _, problem := range refused {
		message, _, _ := strings.Cut(problem.Message, "; apply makes the role first")
		if !causes[problem.Code+problem.Account+message+problem.Mend] {
			t.Errorf("verify does not find %+v", problem)
		}
	}
}
