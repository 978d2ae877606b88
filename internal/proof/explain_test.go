package proof_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	notes      = "notes" // a bucket that no spec names
	notesARN   = "arn:aws:s3:::" + notes
	analyst    = "analyst" // a role that no spec names
	analystARN = "arn:aws:iam::" + consumer + ":role/team/" + analyst
	notesKey   = "arn:aws:kms:us-east-1:" + owner + ":key/11111111-2222-3333-4444-555555555555"
)

// byHand is the recipe's world and beside it, made by hand, a role that may
// read and list a bucket.
func byHand(t *testing.T) (*plan.Plan, []*specs.Account, live) {
	t.Helper()
	repo := recipe(nil)
	p, snapshots := built(t, repo)
	l := live{t, snapshots}
	snapshots[owner].Listed = map[string]string{bucket: "us-east-1", notes: "us-east-1"}
	snapshots[consumer].Listed = map[string]string{}
	b := *l.bucket()
	b.Name = notes
	b.Policy = []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Analyst","Effect":"Allow","Principal":{"AWS":"` + analystARN + `"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["` + notesARN + `","` + notesARN + `/*"]}]}`)
	snapshots[owner].Buckets[notes] = &b
	snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/notes"] = &plan.LivePolicy{
		Name: "notes", ARN: "arn:aws:iam::" + consumer + ":policy/notes",
		Document: []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Notes","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["` + notesARN + `","` + notesARN + `/*"]}]}`),
	}
	snapshots[consumer].Roles[analyst] = &plan.LiveRole{
		Role: plan.Role{
			Name: analyst, Path: "/team/", ARN: analystARN,
			Trust: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"sts:AssumeRole"}]}`),
		},
		UniqueID: "AROAANALYST000000001", Attached: []string{"arn:aws:iam::" + consumer + ":policy/notes"},
	}
	return p, repo.Accounts, l
}

func (l live) notes() *plan.LiveBucket { return l.snapshots[owner].Buckets[notes] }
func (l live) analyst() *plan.LiveRole { return l.snapshots[consumer].Roles[analyst] }
func (l live) notesPolicy() *plan.LivePolicy {
	return l.snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/notes"]
}

// put adds a statement to a document.
func (l live) put(text *[]byte, add string) {
	l.t.Helper()
	l.edit(text, func(list []iampolicy.Statement) []iampolicy.Statement { return append(list, statement(l.t, add)) })
}

func (l live) boundary(document string) {
	const arn = "arn:aws:iam::" + consumer + ":policy/limit"
	l.analyst().Boundary = arn
	l.snapshots[consumer].Policies[arn] = &plan.LivePolicy{Name: "limit", ARN: arn, Document: []byte(document)}
}

// organization puts an account into one, with a policy on its root that allows
// all and others on the account.
func (l live) organization(account string, scps, rcps []string) {
	full := plan.ControlPolicy{ID: "p-FullAWSAccess", Name: "FullAWSAccess", Target: "r-1", Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}
	level := func(kind string, documents []string) [][]plan.ControlPolicy {
		var own []plan.ControlPolicy
		for i, d := range documents {
			own = append(own, plan.ControlPolicy{ID: fmt.Sprintf("p-%s%d", kind, i), Name: fmt.Sprintf("%s%d", kind, i), Target: account, Document: []byte(d)})
		}
		return [][]plan.ControlPolicy{{full}, own}
	}
	o := &plan.Organization{ID: "o-1", Path: "o-1/r-1/"}
	if scps != nil {
		o.SCPs = level("scp", scps)
	}
	if rcps != nil {
		o.RCPs = level("rcp", rcps)
	}
	l.snapshots[account].Organization = o
}

// encrypt gives the notes' bucket a key, whose policy has these statements, and
// the role permissions on it.
func (l live) encrypt(keyPolicy string, identity bool) {
	l.notes().Encryption = &plan.Encryption{Algorithm: "aws:kms", Key: notesKey}
	l.snapshots[owner].Keys = map[string]*plan.LiveKey{notesKey: {
		ARN: notesKey, State: "Enabled", Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"kms:*","Resource":"*"}` + keyPolicy + `]}`),
	}}
	if identity {
		l.put(&l.notesPolicy().Document, `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+notesKey+`"}`)
	}
}

const lets = `,{"Sid":"Lets","Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"kms:Decrypt","Resource":"*"}`

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
}

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
			l.analyst().Inline = map[string][]byte{"mend": []byte(`{"Version":"2012-10-17","Statement":[` + string(f.Add) + `]}`)}
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
	if len(list) > 0 {
		if _, err := iampolicy.Parse(changed); err != nil {
			l.t.Fatalf("the mended policy is none: %v: %s", err, changed)
		}
	}
	*text = changed
	return len(list)
}

func ask(t *testing.T, principal, action, resource string, context ...string) proof.Question {
	t.Helper()
	q, err := proof.Ask("aws", principal, action, resource, context)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func rootCodes(e proof.Explanation) []proof.Code {
	var codes []proof.Code
	for _, root := range e.Roots {
		codes = append(codes, root.Code)
	}
	return codes
}

func dumpExplanation(e proof.Explanation) string {
	text, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
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
		"bucket policy denies all but another": {
			live: func(l live) {
				l.put(&l.notes().Policy, deny(`,"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"`+roleARN+`"}}`))
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "condition on aws:PrincipalArn does not hold",
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
			codes: []proof.Code{proof.ExplicitDeny}, mend: "delete inline policy own in account " + consumer,
		},
		"role's inline policy denies beside others": {
			live: func(l live) {
				l.analyst().Inline = map[string][]byte{"own": []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)}
			},
			codes: []proof.Code{proof.ExplicitDeny}, mend: "take statement number 2 of inline policy own in account " + consumer + " out",
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
			codes: []proof.Code{proof.ServiceControl}, mend: "who runs the organization adds this statement to a service control policy on " + consumer,
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
			codes: []proof.Code{proof.ResourceControl}, mend: "condition on aws:PrincipalOrgID does not hold",
		},
		"Block Public Access for another statement": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"World","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"`+notesARN+`/public/*"}`)
			},
			codes: []proof.Code{proof.BlockPublicAccess}, mend: `take statement "World" out`,
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
				l.put(&l.notes().Policy, deny(""))
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
			if !strings.Contains(broken.Roots[0].Mend, tt.mend) {
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

// What is promised is mended by an apply; which that is, the world after one
// shows.
func TestExplainOurs(t *testing.T) {
	const object = "arn:aws:s3:::" + bucket + "/a.txt"
	tests := map[string]struct {
		live  func(live)
		codes []proof.Code
		use   map[string]proof.State
	}{
		"no bucket policy": {live: func(l live) { l.bucket().Policy = nil }, codes: []proof.Code{proof.NoBucketPolicy}},
		"typo":             {live: func(l live) { l.replace(&l.bucket().Policy, "/"+role, "/"+role+"s") }, codes: []proof.Code{proof.PrincipalName}},
		"bucket ARN only": {live: func(l live) {
			l.edit(&l.bucket().Policy, only(func(r string) bool { return !strings.HasSuffix(r, "/*") }))
		}, codes: []proof.Code{proof.OnlyBucketARN}},
		"role's policy is short": {live: func(l live) { l.replace(&l.policy().Document, "s3:GetObject", "s3:GetObjectAcl") }, codes: []proof.Code{proof.SidesDisagree}},
		"detached":               {live: func(l live) { l.role().Attached = nil }, codes: []proof.Code{proof.PolicyDetached}},
		"detached, and of no use": {
			live: func(l live) {
				l.role().Attached = nil
				l.replace(&l.policy().Document, "s3:GetObject", "s3:GetObjectAcl")
			},
			codes: []proof.Code{proof.PolicyDetached, proof.SidesDisagree},
		},
		"role is gone": {
			live: func(l live) {
				delete(l.snapshots[consumer].Roles, role)
				l.replace(&l.bucket().Policy, roleARN, "AROAOLD0000000000001")
			},
			codes: []proof.Code{proof.RoleMissing},
		},
		"trust": {
			live: func(l live) {
				l.role().Trust = json.RawMessage(strings.ReplaceAll(string(l.role().Trust), "ec2.", "lambda."))
			},
			codes: []proof.Code{proof.TrustLacksService}, use: map[string]proof.State{proof.PartTrust: proof.StateLacking, proof.PartProfile: proof.StateOK, proof.PartInstance: proof.StateOK},
		},
		"no profile": {
			live: func(l live) {
				delete(l.snapshots[consumer].Profiles, role)
				l.snapshots[consumer].Instances[0].ProfileARN = ""
			},
			codes: []proof.Code{proof.ProfileMissing}, use: map[string]proof.State{proof.PartTrust: proof.StateOK, proof.PartProfile: proof.StateLacking, proof.PartInstance: proof.StateLacking},
		},
		"profile without the role": {
			live:  func(l live) { l.snapshots[consumer].Profiles[role].Role = "" },
			codes: []proof.Code{proof.ProfileWithoutRole}, use: map[string]proof.State{proof.PartProfile: proof.StateLacking},
		},
		"not associated": {
			live:  func(l live) { l.snapshots[consumer].Instances[0].ProfileARN = "" },
			codes: []proof.Code{proof.ProfileNotAttached}, use: map[string]proof.State{proof.PartTrust: proof.StateOK, proof.PartProfile: proof.StateOK, proof.PartInstance: proof.StateLacking},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			repo := recipe(nil)
			p, snapshots := built(t, repo)
			q := ask(t, roleARN, "s3:GetObject", object)
			explain := func() []proof.Explanation {
				return append(proof.ExplainShare(p, snapshots, bucket), proof.Explain(p, repo.Accounts, snapshots, q))
			}
			for _, e := range explain() {
				if e.Verdict != proof.Allowed {
					t.Fatalf("it does not work to begin with: %s", dumpExplanation(e))
				}
			}
			tt.live(live{t, snapshots})
			for _, e := range explain() {
				if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), tt.codes) {
					t.Fatalf("%s %v, want denied %v\n%s", e.Verdict, rootCodes(e), tt.codes, dumpExplanation(e))
				}
				for _, root := range e.Roots {
					if !strings.Contains(root.Mend, "xshare apply") || len(root.Fragments) > 0 {
						t.Errorf("%s is an apply's to mend: %q, %s", root.Code, root.Mend, root.Fragments)
					}
				}
				for side, want := range tt.use {
					if i := slices.IndexFunc(e.Use, func(p proof.Part) bool { return p.Side == side }); i < 0 || e.Use[i].State != want {
						t.Errorf("%s is not %s: %+v", side, want, e.Use)
					}
				}
			}
		})
	}
}

// A role that nobody can have is not called allowed, though policies allow it.
func TestExplainUse(t *testing.T) {
	trust := func(statement string) func(live) {
		return func(l live) {
			l.analyst().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)
		}
	}
	ec2 := trust(`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	profile := func(l live) {
		ec2(l)
		l.snapshots[consumer].Profiles["crunch"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Name: "crunch", Role: analyst}}
	}
	tests := map[string]struct {
		live    func(live)
		who     string
		verdict proof.Verdict
		code    proof.Code
		message string
	}{
		"by its account":            {verdict: proof.Allowed},
		"EC2 without a profile":     {live: ec2, verdict: proof.Denied, code: proof.ProfileMissing, message: "no instance profile holds it"},
		"EC2 with a profile":        {live: profile, verdict: proof.Allowed},
		"another service":           {live: trust(`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`), verdict: proof.Allowed},
		"the wrong action":          {live: trust(`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:TagSession"}`), verdict: proof.Denied, code: proof.RoleUnusable, message: "lets nobody assume it; the services it names are ec2.amazonaws.com"},
		"nobody":                    {live: trust(`{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`), verdict: proof.Denied, code: proof.RoleUnusable, message: "lets nobody assume it"},
		"a session has the role":    {live: ec2, who: "arn:aws:sts::" + consumer + ":assumed-role/analyst/me", verdict: proof.Allowed},
		"trust policy not readable": {live: func(l live) { l.analyst().Trust = json.RawMessage(`{`) }, verdict: proof.NotChecked},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			if tt.live != nil {
				tt.live(l)
			}
			who := analystARN
			if tt.who != "" {
				who = tt.who
			}
			e := proof.Explain(p, accounts, l.snapshots, ask(t, who, "s3:GetObject", notesARN+"/a.txt"))
			if e.Verdict != tt.verdict {
				t.Fatalf("%s, want %s: %s", e.Verdict, tt.verdict, dumpExplanation(e))
			}
			if tt.message != "" && (!slices.Equal(rootCodes(e), []proof.Code{tt.code}) || !strings.Contains(e.Roots[0].Message, tt.message)) {
				t.Errorf("roots %+v, want one with %q", e.Roots, tt.message)
			}
		})
	}
}

// What decides and was not read is never allowed; what was read and denies is
// denied all the same.
func TestExplainNotChecked(t *testing.T) {
	const object = notesARN + "/a.txt"
	vpce := func(l live) {
		l.put(&l.notes().Policy, `{"Sid":"OnlyVpc","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"`+object+`","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`)
	}
	tests := map[string]struct {
		live     func(live)
		who      string
		resource string
		context  []string
		verdict  proof.Verdict
		note     string
	}{
		"a role of an account that is not the repository's": {
			live: func(l live) { l.replace(&l.notes().Policy, consumer, "999999999999") }, who: "arn:aws:iam::999999999999:role/team/analyst",
			verdict: proof.NotChecked, note: "account 999999999999 is not among the repository's",
		},
		"a bucket of no account of the repository": {
			live:     func(l live) { l.replace(&l.notesPolicy().Document, ":::notes", ":::nodes") },
			resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.NotChecked, note: "its account is not among the repository's",
		},
		"a bucket that only the caller's own account could have": {
			live: func(l live) {
				l.replace(&l.notesPolicy().Document, ":::notes", ":::nodes")
				l.snapshots[owner].Listed = nil
				l.snapshots[owner].Failures = []plan.ReadFailure{{Scope: plan.ScopeS3, Message: "AccessDenied"}}
			},
			resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.NotChecked, note: "or is one whose buckets cannot be listed: " + owner,
		},
		"a bucket of no account, which the role's policies do not name": {resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.Denied},
		"buckets of the caller's account were not listed": {
			live:     func(l live) { l.snapshots[consumer].Listed = nil },
			resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.NotChecked,
		},
		"a condition that a call decides": {live: vpce, verdict: proof.NotChecked, note: "add --context aws:SourceVpce=…"},
		"that condition, told":            {live: vpce, context: []string{"aws:SourceVpce=vpce-1"}, verdict: proof.Allowed},
		"that condition, told otherwise":  {live: vpce, context: []string{"aws:sourcevpce=vpce-2"}, verdict: proof.Denied},
		"the organization was not read": {
			live:    func(l live) { l.snapshots[consumer].Organization = nil },
			verdict: proof.NotChecked, note: "service control policies (SCPs) of account " + consumer,
		},
		"objects that others own": {
			live:    func(l live) { l.notes().Ownership = plan.ObjectWriter },
			verdict: proof.NotChecked, note: "their ACLs decide",
		},
		"a key that was not read": {
			live: func(l live) {
				l.encrypt(lets, true)
				delete(l.snapshots[owner].Keys, notesKey)
			},
			verdict: proof.NotChecked, note: "key " + notesKey,
		},
		"IAM was not read": {
			live: func(l live) {
				l.snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeIAM, Message: "AccessDenied"}}
			},
			verdict: proof.NotChecked, note: "cannot be read: AccessDenied",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			if tt.live != nil {
				tt.live(l)
			}
			who, resource := analystARN, object
			if tt.who != "" {
				who = tt.who
			}
			if tt.resource != "" {
				resource = tt.resource
			}
			e := proof.Explain(p, accounts, l.snapshots, ask(t, who, "s3:GetObject", resource, tt.context...))
			if e.Verdict != tt.verdict || !strings.Contains(strings.Join(e.NotChecked, "\n"), tt.note) {
				t.Errorf("%s, want %s with the note %q: %s", e.Verdict, tt.verdict, tt.note, dumpExplanation(e))
			}
			if (e.Verdict == proof.Denied) != (len(e.Roots) > 0) {
				t.Errorf("%s with the roots %v", e.Verdict, rootCodes(e))
			}
		})
	}
}

// Within one account one side is enough: one mend is, too.
func TestExplainWithinOneAccount(t *testing.T) {
	p, accounts, l := byHand(t)
	role := *l.analyst()
	role.ARN = strings.Replace(analystARN, consumer, owner, 1)
	role.Trust = json.RawMessage(strings.ReplaceAll(string(role.Trust), consumer, owner))
	role.Attached = nil
	delete(l.snapshots[consumer].Roles, analyst)
	l.snapshots[owner].Roles[analyst] = &role
	q := ask(t, role.ARN, "s3:GetObject", notesARN+"/a.txt")
	e := proof.Explain(p, accounts, l.snapshots, q)
	if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), []proof.Code{proof.IdentityLacks}) {
		t.Fatalf("%s %v: %s", e.Verdict, rootCodes(e), dumpExplanation(e))
	}
	role.Inline = map[string][]byte{"mend": []byte(`{"Version":"2012-10-17","Statement":[` + string(e.Roots[0].Fragments[0].Add) + `]}`)}
	if e = proof.Explain(p, accounts, l.snapshots, q); e.Verdict != proof.Allowed {
		t.Errorf("mended, it is %s: %s", e.Verdict, dumpExplanation(e))
	}
}

// What is AWS's own is not said to be edited.
func TestExplainPoliciesOfAWS(t *testing.T) {
	const arn = "arn:aws:iam::aws:policy/"
	tests := map[string]struct {
		live func(live)
		code proof.Code
		mend string
	}{
		"boundary": {
			live: func(l live) { l.analyst().Boundary = arn + "theirs" }, code: proof.Boundary,
			mend: "give role analyst another boundary",
		},
		"policy that denies": {
			live: func(l live) { l.analyst().Attached = append(l.analyst().Attached, arn+"theirs") }, code: proof.ExplicitDeny,
			mend: "take policy theirs off role analyst",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			document := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`
			if tt.code == proof.Boundary {
				document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`
			}
			l.snapshots[consumer].Managed = map[string]*plan.LivePolicy{arn + "theirs": {Name: "theirs", ARN: arn + "theirs", Document: []byte(document)}}
			tt.live(l)
			e := proof.Explain(p, accounts, l.snapshots, ask(t, analystARN, "s3:GetObject", notesARN+"/a.txt"))
			if !slices.Equal(rootCodes(e), []proof.Code{tt.code}) || !strings.Contains(e.Roots[0].Mend, tt.mend) || len(e.Roots[0].Fragments) > 0 {
				t.Errorf("not %s, mended by %q: %s", tt.code, tt.mend, dumpExplanation(e))
			}
		})
	}
}

// A grant's requests are told of together where they fare alike.
func TestExplainShareGroups(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	l.edit(&l.bucket().Policy, only(func(r string) bool { return !strings.HasSuffix(r, "/*") }))
	list := proof.ExplainShare(p, snapshots, bucket)
	if len(list) != 1 || len(list[0].Screens) != 2 {
		t.Fatalf("not one grant with a screen of what is denied and one of what is allowed: %s", dumpExplanation(list[0]))
	}
	actions := func(checks []proof.Check) (list []string) {
		for _, c := range checks {
			list = append(list, c.Action)
		}
		slices.Sort(list)
		return list
	}
	if got, want := actions(list[0].Screens[0].Requests), []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}; !slices.Equal(got, want) {
		t.Errorf("denied are %v, want %v", got, want)
	}
	if got, want := actions(list[0].Screens[1].Requests), []string{"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"}; !slices.Equal(got, want) {
		t.Errorf("allowed are %v, want %v", got, want)
	}
	if proof.WorstOf(list) != proof.Denied || len(proof.ExplainShare(p, snapshots, "other")) != 0 {
		t.Error("the worst of them is not denied, or another share has grants")
	}
}

// What is not xshare's to mend, of what a share promises, comes with its edits:
// for all that it stops at once.
func TestExplainShareByHand(t *testing.T) {
	p, snapshots := built(t, recipe(func(s *specs.Share) {
		s.Consumers[0].Role.Create, s.Consumers[0].Role.TrustService = false, ""
	}))
	l := live{t, snapshots}
	const limit = "arn:aws:iam::" + consumer + ":policy/limit"
	l.role().Boundary = limit
	snapshots[consumer].Policies[limit] = &plan.LivePolicy{Name: "limit", ARN: limit, Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}`)}
	l.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"sts:AssumeRole"}]}`)
	l.put(&l.bucket().Policy, `{"Sid":"Frozen","Effect":"Deny","Principal":"*","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::`+bucket+`/*"}`)
	e := proof.ExplainShare(p, snapshots, bucket)[0]
	if got, want := rootCodes(e), []proof.Code{proof.Boundary, proof.ExplicitDeny, proof.TrustLacksService}; !sameCodes(got, want) {
		t.Fatalf("roots %v, want %v", got, want)
	}
	for _, root := range e.Roots {
		if len(root.Fragments) != 1 {
			t.Fatalf("%s has %d fragments", root.Code, len(root.Fragments))
		}
		switch f := root.Fragments[0]; f.Side {
		case proof.PartBoundary:
			l.change(&snapshots[consumer].Policies[limit].Document, f)
		case proof.PartTrust:
			text := []byte(l.role().Trust)
			l.change(&text, f)
			l.role().Trust = text
		default:
			l.carryOut(f)
		}
	}
	if e = proof.ExplainShare(p, snapshots, bucket)[0]; e.Verdict != proof.Allowed {
		t.Errorf("mended, it is %s: %s", e.Verdict, dumpExplanation(e))
	}
}

func sameCodes(a, b []proof.Code) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func TestExplainNeverAcrossAccounts(t *testing.T) {
	p, accounts, l := byHand(t)
	e := proof.Explain(p, accounts, l.snapshots, ask(t, analystARN, "s3:PutBucketPolicy", notesARN))
	if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), []proof.Code{proof.NeverAcrossAccounts}) || len(e.Roots[0].Fragments) > 0 {
		t.Errorf("another account's role may change the bucket's policy, or a statement is said to let it: %s", dumpExplanation(e))
	}
}

func TestAskRefuses(t *testing.T) {
	tests := map[string]struct {
		principal, action, resource string
		context                     []string
		want                        []string
	}{
		"nothing":                        {want: []string{"--principal is missing", "--action is missing", "--resource is missing"}},
		"a name":                         {"analyst", "s3:GetObject", notesARN + "/a", nil, []string{"is no caller"}},
		"an account":                     {consumer, "s3:GetObject", notesARN + "/a", nil, []string{"is an account", "arn:aws:iam::" + consumer + ":root"}},
		"a group":                        {"arn:aws:iam::" + consumer + ":group/readers", "s3:GetObject", notesARN + "/a", nil, []string{"ask about a user in it"}},
		"an instance profile":            {"arn:aws:iam::" + consumer + ":instance-profile/p", "s3:GetObject", notesARN + "/a", nil, []string{"ask about the role that it holds"}},
		"an identity provider":           {"arn:aws:iam::" + consumer + ":saml-provider/p", "s3:GetObject", notesARN + "/a", nil, []string{"a session of a role"}},
		"a federated user":               {"arn:aws:sts::" + consumer + ":federated-user/ann", "s3:GetObject", notesARN + "/a", nil, []string{"ask about that user"}},
		"a service":                      {"logging.s3.amazonaws.com", "s3:PutObject", notesARN + "/a", nil, []string{"is a service", "xshare simulate"}},
		"a unique id":                    {"AIDAOLD0000000000001", "s3:GetObject", notesARN + "/a", nil, []string{"by its ARN"}},
		"all roles":                      {"arn:aws:iam::" + consumer + ":role/*", "s3:GetObject", notesARN + "/a", nil, []string{"without wildcards"}},
		"no account":                     {"arn:aws:iam::22222:role/r", "s3:GetObject", notesARN + "/a", nil, []string{"no account of 12 digits"}},
		"no role's name":                 {"arn:aws:iam::" + consumer + ":role/", "s3:GetObject", notesARN + "/a", nil, []string{"names nobody"}},
		"session of nobody":              {"arn:aws:sts::" + consumer + ":assumed-role/r", "s3:GetObject", notesARN + "/a", nil, []string{"is no caller"}},
		"partitions":                     {"arn:aws-cn:iam::" + consumer + ":role/r", "s3:GetObject", "arn:aws-cn:s3:::b/a", nil, []string{"--principal", "--resource", "crosses partitions"}},
		"an object action on the bucket": {analystARN, "s3:GetObject", notesARN, nil, []string{"is on an object"}},
		"a bucket action on an object":   {analystARN, "s3:ListBucket", notesARN + "/a", nil, []string{"is on a bucket"}},
		"a call for an action":           {analystARN, "s3:HeadObject", notesARN + "/a", nil, []string{"that call needs s3:GetObject"}},
		"all actions":                    {analystARN, "s3:Get*", notesARN + "/a", nil, []string{"ask about one action"}},
		"all objects":                    {analystARN, "s3:GetObject", notesARN + "/*", nil, []string{"ask about one object"}},
		"another service":                {analystARN, "kms:Decrypt", notesKey, nil, []string{"xshare simulate"}},
		"all buckets":                    {analystARN, "s3:ListAllMyBuckets", "arn:aws:s3:::b", nil, []string{`give "*" as the resource`}},
		"an access point":                {analystARN, "s3:GetObject", "arn:aws:s3:us-east-1:" + owner + ":accesspoint/p/object/a", nil, []string{"access points"}},
		"context":                        {analystARN, "s3:GetObject", notesARN + "/a", []string{"SourceIp=1", "aws:SourceIp", "aws:PrincipalArn=x", "kms:viaservice=x"}, []string{`"SourceIp=1"`, `"aws:SourceIp"`, "follows from the principal"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := proof.Ask("aws", tt.principal, tt.action, tt.resource, tt.context)
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q, want %q in it", err, want)
				}
			}
		})
	}
	if q := ask(t, "anonymous", "S3:getobject", notesARN+"/a", "aws:SourceIp=192.0.2.1", "AWS:sourceip=192.0.2.2"); q.Action != "s3:GetObject" || len(q.Context) != 1 || len(q.Context["aws:SourceIp"]) != 2 {
		t.Errorf("action %q, context %v", q.Action, q.Context)
	}
}
