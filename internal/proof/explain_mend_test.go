package proof_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
)

// carry does what an explanation's fragments say.
func (l live) carry(roots []proof.Root) {
	l.t.Helper()
	for _, root := range roots {
		if root.Mend == "" || strings.Contains(root.Mend, "xshare apply") || len(root.Fragments) == 0 {
			l.t.Fatalf("%s is not to be mended by hand: %q, %d fragments", root.Code, root.Mend, len(root.Fragments))
		}
		for _, f := range root.Fragments {
			l.carryOut(f)
		}
	}
	for _, account := range l.snapshots {
		for _, b := range account.Buckets {
			l.taken("bucket "+b.Name, b.Policy)
		}
		for id, key := range account.Keys {
			l.taken("key "+id, key.Policy)
		}
	}
}

// taken fails on a policy that AWS would not take: no policy, or one with the id
// of a deleted principal.
func (l live) taken(of string, text []byte) {
	l.t.Helper()
	if text == nil || strings.Contains(string(text), `"Statement":[]`) {
		return
	}
	if _, err := iampolicy.Parse(text); err != nil || strings.Contains(string(text), goneID) {
		l.t.Fatalf("the mended policy of %s is not taken: %v: %s", of, err, text)
	}
}

// goneID is the unique id of a role that was deleted.
const goneID = "AROADEADDEADDEADDEADX"

func (l live) carryOut(f proof.Fragment) {
	l.t.Helper()
	account := l.snapshots[f.Account]
	switch f.Side {
	case proof.PartResource:
		b := account.Buckets[strings.TrimPrefix(f.Policy, "the policy of bucket ")]
		if b.Policy == nil {
			b.Policy = []byte(`{"Version":"2012-10-17","Statement":[]}`)
		}
		l.change(&b.Policy, f)
	case proof.PartIdentity:
		if f.Remove == nil {
			name, isInline := strings.CutPrefix(f.Policy, "inline policy ")
			if !isInline {
				name = "mend"
			}
			text := l.analyst().Inline[name]
			if text == nil {
				text = []byte(`{"Version":"2012-10-17","Statement":[]}`)
			}
			l.change(&text, f)
			if l.analyst().Inline == nil {
				l.analyst().Inline = map[string][]byte{}
			}
			l.analyst().Inline[name] = text
			return
		}
		if name, ok := strings.CutPrefix(f.Policy, "inline policy "); ok {
			text := l.analyst().Inline[name]
			if l.change(&text, f) == 0 {
				delete(l.analyst().Inline, name) // AWS keeps no policy without statements
				return
			}
			l.analyst().Inline[name] = text
			return
		}
		l.change(&account.Policies["arn:aws:iam::"+f.Account+":policy/"+strings.TrimPrefix(f.Policy, "policy ")].Document, f)
	case proof.PartBoundary:
		l.change(&account.Policies[l.analyst().Boundary].Document, f)
	case proof.PartKey:
		l.change(&account.Keys[strings.TrimPrefix(f.Policy, "the policy of key ")].Policy, f)
	case proof.PartSCP:
		l.control(account.Organization.SCPs, f)
	case proof.PartRCP:
		l.control(account.Organization.RCPs, f)
	default:
		l.t.Fatalf("a fragment of %q", f.Side)
	}
}

func (l live) control(levels [][]plan.ControlPolicy, f proof.Fragment) {
	l.t.Helper()
	for i, level := range levels {
		for j := range level {
			policy := &levels[i][j]
			if strings.HasSuffix(f.Policy, "control policy "+policy.Name+" on "+policy.Target) || f.Remove == nil && strings.HasSuffix(f.Policy, " on "+policy.Target) {
				l.change(&policy.Document, f)
				return
			}
		}
	}
	l.t.Fatalf("no policy is %q", f.Policy)
}

// change edits a document as text, so that what a fragment removes must be there
// just so. It returns how many statements are left.
func (l live) change(text *[]byte, f proof.Fragment) int {
	l.t.Helper()
	var d map[string]any
	if err := json.Unmarshal(*text, &d); err != nil {
		l.t.Fatal(err)
	}
	list := d["Statement"].([]any)
	value := func(text json.RawMessage) (v any) {
		if err := json.Unmarshal(text, &v); err != nil {
			l.t.Fatalf("%v in %s", err, text)
		}
		return v
	}
	at := len(list)
	if f.Remove != nil {
		gone := value(f.Remove)
		at = slices.IndexFunc(list, func(s any) bool { return reflect.DeepEqual(s, gone) })
		if at < 0 {
			l.t.Fatalf("%s is not in %s", f.Remove, *text)
		}
		list = slices.Delete(list, at, at+1)
	}
	if f.Add != nil {
		list = slices.Insert(list, at, value(f.Add))
	}
	d["Statement"] = list
	changed, err := json.Marshal(d)
	if err != nil {
		l.t.Fatal(err)
	}
	*text = changed
	return len(list)
}

// The mend mends: whatever is broken of what was made by hand, the fragments of
// its roots, carried out to the letter, make it work, and without them it does
// not.
func TestExplainMendMends(t *testing.T) {
	const object = notesARN + "/a.txt"
	deny := func(more string) string {
		return `{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"` + notesARN + `/*"` + more + `}`
	}
	tests := map[string]struct {
		live    func(live)
		action  string // default: s3:GetObject of an object
		who     string // default: the analyst
		context []string
		codes   []proof.Code
		mend    string
	}{
		"neither side has the action": {action: "s3:PutObject", codes: []proof.Code{proof.IdentityLacks, proof.BucketPolicyLacks}, mend: "add this statement to a policy of role analyst"},
		"no bucket policy": {
			live:  func(l live) { l.notes().Policy = nil },
			codes: []proof.Code{proof.NoBucketPolicy}, mend: "give bucket notes in account " + owner + " a policy",
		},
		"bucket policy names somebody else": {
			live:  func(l live) { l.replace(&l.notes().Policy, analystARN, "arn:aws:iam::"+consumer+":role/somebody") },
			codes: []proof.Code{proof.PrincipalMissing}, mend: "to the policy of bucket notes",
		},
		"bucket policy leaves out the path": {
			live:  func(l live) { l.replace(&l.notes().Policy, "role/team/", "role/") },
			codes: []proof.Code{proof.PrincipalPath},
		},
		"bucket policy has a typo in the account": {
			live:  func(l live) { l.replace(&l.notes().Policy, "::"+consumer, "::222222222223") },
			codes: []proof.Code{proof.PrincipalAccount},
		},
		"bucket policy has a typo in the name": {
			live:  func(l live) { l.replace(&l.notes().Policy, "/analyst", "/analist") },
			codes: []proof.Code{proof.PrincipalName},
		},
		"bucket policy names a role that is gone": {
			live:  func(l live) { l.replace(&l.notes().Policy, analystARN, "AROAOLD0000000000001") },
			codes: []proof.Code{proof.PrincipalGone},
		},
		"bucket policy names the bucket only": {
			live:  func(l live) { l.replace(&l.notes().Policy, `["`+notesARN+`","`+notesARN+`/*"]`, `"`+notesARN+`"`) },
			codes: []proof.Code{proof.OnlyBucketARN},
		},
		"role's policy names the bucket only": {
			live: func(l live) {
				l.replace(&l.notesPolicy().Document, `["`+notesARN+`","`+notesARN+`/*"]`, `"`+notesARN+`"`)
			},
			codes: []proof.Code{proof.OnlyBucketARN},
		},
		"bucket policy names objects only": {
			live:   func(l live) { l.replace(&l.notes().Policy, `["`+notesARN+`","`+notesARN+`/*"]`, `"`+notesARN+`/*"`) },
			action: "s3:ListBucket", codes: []proof.Code{proof.OnlyObjectARN},
		},
		"bucket policy does not have the action": {
			live:  func(l live) { l.replace(&l.notes().Policy, "s3:GetObject", "s3:GetObjectTagging") },
			codes: []proof.Code{proof.SidesDisagree},
		},
		"role's policy does not have the action": {
			live:  func(l live) { l.replace(&l.notesPolicy().Document, "s3:GetObject", "s3:GetObjectTagging") },
			codes: []proof.Code{proof.SidesDisagree},
		},
		"role's policy is for another bucket": {
			live:  func(l live) { l.replace(&l.notesPolicy().Document, ":::notes", ":::nodes") },
			codes: []proof.Code{proof.SidesDisagree},
		},
		"role has no policy": {
			live:  func(l live) { l.analyst().Attached = nil },
			codes: []proof.Code{proof.SidesDisagree},
		},
		"condition of the bucket policy is not met": {
			live: func(l live) {
				l.replace(&l.notes().Policy, `"Sid":"Analyst",`, `"Sid":"Analyst","Condition":{"StringLike":{"s3:prefix":["in/*"]}},`)
			},
			action: "s3:ListBucket", context: []string{"s3:prefix=out/"}, codes: []proof.Code{proof.SidesDisagree},
			mend: `send the request so that the condition of statement "Analyst" holds (StringLike s3:prefix in/*), or add`,
		},
		"condition of the role's policy is not met": {
			live: func(l live) {
				l.replace(&l.notesPolicy().Document, `"Sid":"Notes",`, `"Sid":"Notes","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}},`)
			},
			context: []string{"aws:SourceIp=198.51.100.7"}, codes: []proof.Code{proof.SidesDisagree}, mend: "IpAddress aws:SourceIp 192.0.2.0/24",
		},
		"boundary does not have the action": {
			live: func(l live) {
				l.boundary(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)
			},
			codes: []proof.Code{proof.Boundary}, mend: "permissions boundary limit",
		},
		"boundary denies": {
			live: func(l live) {
				l.boundary(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)
			},
			codes: []proof.Code{proof.ExplicitDeny},
		},
		"bucket policy denies everybody": {
			live:  func(l live) { l.put(&l.notes().Policy, deny("")) },
			codes: []proof.Code{proof.ExplicitDeny}, mend: `except the principal from statement "No" of the policy of bucket notes`,
		},
		"bucket policy denies, by two statements": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(""))
				l.put(&l.notes().Policy, `{"Sid":"Nor","Effect":"Deny","Principal":{"AWS":"`+analystARN+`"},"Action":"s3:*","Resource":"`+object+`"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny, proof.ExplicitDeny},
		},
		"condition of the bucket policy is on who the caller is": {
			live: func(l live) {
				l.replace(&l.notes().Policy, `"Sid":"Analyst",`, `"Sid":"Analyst","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+owner+`"}},`)
			},
			codes: []proof.Code{proof.SidesDisagree}, mend: "^add this statement",
		},
		"bucket policy denies roles with a tag": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"Null":{"aws:PrincipalTag/team":"true"}}`))
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "tag role analyst so that the statement's condition on aws:PrincipalTag/team does not hold, or except",
		},
		"bucket policy denies calls with TLS": { // a slip: the way out is not to leave it
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`))
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "^except ",
		},
		"bucket policy denies by what no such call sends": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"StringNotLike":{"s3:prefix":"drafts/*"}}`))
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "^except ",
		},
		"bucket policy denies the role alone": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":{"AWS":"`+analystARN+`"},"Action":"s3:GetObject","Resource":"`+object+`"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `take statement "No" of the policy of bucket notes`,
		},
		"bucket policy denies the role alone more than this": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":{"AWS":"`+analystARN+`"},"Action":"s3:*","Resource":["`+notesARN+`","`+notesARN+`/*"]}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `except s3:GetObject on ` + object + ` from statement "No"`,
		},
		"bucket policy denies the role among others": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":{"AWS":["`+analystARN+`","`+roleARN+`"]},"Action":"s3:*","Resource":"`+notesARN+`/*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `take role analyst out of the principals of statement "No"`,
		},
		"bucket policy denies the role and its account": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":{"AWS":["`+analystARN+`","`+consumer+`"]},"Action":"s3:*","Resource":"`+notesARN+`/*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `^except the principal from statement "No"`,
		},
		"bucket policy denies all but another": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"`+roleARN+`"}}`))
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `^except the principal from statement "No"`,
		},
		"bucket policy denies by NotPrincipal": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Effect":"Deny","NotPrincipal":{"AWS":"`+roleARN+`"},"Action":"s3:GetObject","Resource":"`+notesARN+`/*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny},
		},
		"bucket policy denies plain HTTP": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`))
			},
			context: []string{"aws:securetransport=false"}, codes: []proof.Code{proof.ExplicitDeny}, mend: "condition on aws:SecureTransport does not hold",
		},
		"bucket policy denies outside an endpoint": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`))
			},
			context: []string{"aws:SourceVpce="}, codes: []proof.Code{proof.ExplicitDeny}, mend: "aws:SourceVpce",
		},
		"role's policy denies": {
			live: func(l live) {
				l.put(&l.notesPolicy().Document, `{"Sid":"Not","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "policy notes in account " + consumer,
		},
		"role's inline policy denies": {
			live: func(l live) {
				l.analyst().Inline = map[string][]byte{"own": []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)}
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "except s3:GetObject on " + notesARN + "/a.txt from statement number 1 of inline policy own in account " + consumer,
		},
		"role's inline policy denies beside others": {
			live: func(l live) {
				l.analyst().Inline = map[string][]byte{"own": []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)}
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "except s3:GetObject on " + notesARN + "/a.txt from statement number 2 of inline policy own in account " + consumer,
		},
		"bucket policy denies and does not name it": {
			live: func(l live) {
				l.replace(&l.notes().Policy, analystARN, roleARN)
				l.put(&l.notes().Policy, deny(""))
			},
			codes: []proof.Code{proof.ExplicitDeny, proof.PrincipalMissing},
		},
		"SCP of the account does not allow": {
			live: func(l live) {
				l.organization(consumer, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`}, nil)
			},
			codes: []proof.Code{proof.ServiceControl}, mend: "add this statement to a service control policy on " + consumer + ", in the organization's management account",
		},
		"SCP denies": {
			live: func(l live) {
				l.organization(consumer, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"NoS3","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`}, nil)
			},
			codes: []proof.Code{proof.ServiceControl}, mend: `except the principal from statement "NoS3" of service control policy scp0`,
		},
		"RCP denies": {
			live: func(l live) {
				l.organization(owner, nil, []string{`{"Version":"2012-10-17","Statement":[{"Sid":"Perimeter","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}]}`})
			},
			codes: []proof.Code{proof.ResourceControl}, mend: `^except the principal from statement "Perimeter"`,
		},
		"Block Public Access for another statement": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"World","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"`+notesARN+`/public/*"}`)
			},
			codes: []proof.Code{proof.BlockPublicAccess}, mend: `take statement "World" out`,
		},
		"Block Public Access, and what lacks beside, which S3 takes only after it": {
			live: func(l live) {
				l.replace(&l.notes().Policy, `s3:GetObject`, `s3:GetObjectTagging`)
				l.put(&l.notes().Policy, `{"Sid":"World","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"`+notesARN+`/public/*"}`)
			},
			codes: []proof.Code{proof.BlockPublicAccess, proof.BucketPolicyLacks}, mend: `take statement "World" out`,
		},
		"Block Public Access for its own statement": {
			live:  func(l live) { l.replace(&l.notes().Policy, `{"AWS":"`+analystARN+`"}`, `"*"`) },
			codes: []proof.Code{proof.BlockPublicAccess}, mend: `limit statement "Analyst"`,
		},
		"key's policy does not let the account in": {
			live:  func(l live) { l.encrypt("", true) },
			codes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: "to the policy of key " + notesKey,
		},
		"role has no permission on the key": {
			live:  func(l live) { l.encrypt(lets, false) },
			codes: []proof.Code{proof.KMSIdentityLacks}, mend: "to a policy of role analyst",
		},
		"neither side has the key": {
			live:  func(l live) { l.encrypt("", false) },
			codes: []proof.Code{proof.KMSIdentityLacks, proof.KMSKeyPolicyLacks},
		},
		"SCP of the account does not allow the key": {
			live: func(l live) {
				l.encrypt(lets, true)
				l.organization(consumer, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`}, nil)
			},
			codes: []proof.Code{proof.ServiceControl}, mend: "service control policy on " + consumer,
		},
		"RCP denies the key": {
			live: func(l live) {
				l.encrypt(lets, true)
				l.organization(owner, nil, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}]}`})
			},
			codes: []proof.Code{proof.ResourceControl},
		},
		"key's policy has the id of a deleted role": {
			live: func(l live) {
				l.encrypt(`,{"Sid":"Old","Effect":"Allow","Principal":{"AWS":["`+goneID+`","`+owner+`"]},"Action":"kms:Decrypt","Resource":"*"},`+
					`{"Sid":"Older","Effect":"Deny","Principal":{"AWS":"`+goneID+`"},"Action":"kms:Decrypt","Resource":"*"}`, true)
			},
			codes: []proof.Code{proof.KMSKeyPolicyLacks}, mend: "KMS takes no policy with the id of a deleted principal",
		},
		"bucket policy denies, with the ids of deleted roles": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","NotPrincipal":{"AWS":["`+goneID+`","`+owner+`"]},"Action":"s3:Get*","Resource":"`+notesARN+`/*"}`)
				l.put(&l.notes().Policy, `{"Sid":"Old","Effect":"Allow","Principal":{"AWS":"`+goneID+`"},"Action":"s3:GetObject","Resource":"`+notesARN+`/*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "S3 takes no policy with the id of a deleted principal",
		},
		"key's policy denies": {
			live: func(l live) {
				l.encrypt(lets+`,{"Sid":"NoDecrypt","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`, true)
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: `statement "NoDecrypt" of the policy of key ` + notesKey,
		},
		"a session of the role": {
			live: func(l live) { l.notes().Policy = nil }, who: "arn:aws:sts::" + consumer + ":assumed-role/analyst/me",
			codes: []proof.Code{proof.NoBucketPolicy},
		},
		"anonymous": {
			live: func(l live) {
				l.notes().PublicAccessBlock = &plan.PublicAccessBlock{}
			},
			who: "anonymous", codes: []proof.Code{proof.PrincipalMissing}, mend: "it opens this to everybody",
		},
		"anonymous is denied": {
			live: func(l live) {
				l.notes().PublicAccessBlock = &plan.PublicAccessBlock{}
				l.replace(&l.notes().Policy, `{"AWS":"`+analystARN+`"}`, `"*"`)
				l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"`+notesARN+`/a.txt"}`)
			},
			who: "anonymous", codes: []proof.Code{proof.ExplicitDeny}, mend: `take statement "No" of the policy of bucket notes`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			action, resource, who := "s3:GetObject", object, analystARN
			if tt.action != "" {
				action = tt.action
			}
			if action == "s3:ListBucket" {
				resource = notesARN
			}
			if tt.who != "" {
				who = tt.who
			}
			q := ask(t, who, action, resource, tt.context...)
			if control := proof.Explain(p, accounts, l.snapshots, q); tt.live != nil && who != "anonymous" && control.Verdict != proof.Allowed {
				t.Fatalf("it does not work to begin with: %s", dumpExplanation(control))
			}
			if tt.live != nil {
				tt.live(l)
			}
			broken := proof.Explain(p, accounts, l.snapshots, q)
			if broken.Verdict != proof.Denied || !slices.Equal(rootCodes(broken), tt.codes) {
				t.Fatalf("%s %v, want denied %v\n%s", broken.Verdict, rootCodes(broken), tt.codes, dumpExplanation(broken))
			}
			if !strings.Contains("^"+broken.Roots[0].Mend, tt.mend) { // which begins with ^
				t.Errorf("mend %q, want %q in it", broken.Roots[0].Mend, tt.mend)
			}
			if !slices.ContainsFunc(broken.Screens, func(s proof.Screen) bool {
				return slices.ContainsFunc(s.Parts, func(p proof.Part) bool { return p.State == proof.StateLacking || p.State == proof.StateDenies })
			}) {
				t.Errorf("no side lacks or denies: %s", dumpExplanation(broken))
			}
			l.carry(broken.Roots)
			if mended := proof.Explain(p, accounts, l.snapshots, q); mended.Verdict != proof.Allowed {
				t.Errorf("mended, it is %s: %s", mended.Verdict, dumpExplanation(mended))
			}
		})
	}
}
