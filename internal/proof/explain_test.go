package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const lets = `,{"Sid":"Lets","Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"kms:Decrypt","Resource":"*"}`

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
			resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.NotChecked, note: "the policy of bucket nodes, which no account of the repository has, as far as they can be read (did you mean notes?)",
		},
		"a bucket that only the caller's own account could have": {
			live: func(l live) {
				l.replace(&l.notesPolicy().Document, ":::notes", ":::nodes")
				l.snapshots[owner].Listed = nil
				l.snapshots[owner].Failures = []plan.ReadFailure{{Scope: plan.ScopeS3, Message: "AccessDenied"}}
			},
			resource: "arn:aws:s3:::nodes/a.txt", verdict: proof.NotChecked, note: "those whose buckets cannot be listed: " + owner,
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
			if (e.Verdict == proof.Denied) != (len(e.Roots) > 0) || len(e.Roots) == 1 && e.Roots[0].Code == proof.BucketUnknown {
				t.Errorf("%s with the roots %v", e.Verdict, rootCodes(e))
			}
		})
	}
}

// A bucket that is not found is said so first, with the name that may be meant,
// and whose it is is not claimed.
func TestExplainUnknownBucket(t *testing.T) {
	for name, tt := range map[string]struct {
		bucket, action, key string
		known               []string
		message, mend       string
		codes               []proof.Code
	}{
		"one that is near, of those listed": {
			bucket: "nodes", action: "s3:GetObject", key: "/a.txt", message: "did you mean notes?", mend: "ask about notes; if nodes is meant",
			codes: []proof.Code{proof.BucketUnknown, proof.IdentityLacks},
		},
		"one that is near, of the specs": {
			bucket: "partners-hub", action: "s3:GetObject", key: "/a.txt", known: []string{"partner-hub"}, message: "did you mean partner-hub?", mend: "ask about partner-hub",
			codes: []proof.Code{proof.BucketUnknown, proof.IdentityLacks},
		},
		"none is near": {
			bucket: "weather-of-the-world", action: "s3:GetObject", key: "/a.txt", message: "a slip in its name, or it is another account's", mend: "correct the bucket's name",
			codes: []proof.Code{proof.BucketUnknown, proof.IdentityLacks},
		},
		"what other accounts never may": {
			bucket: "nodes", action: "s3:PutBucketPolicy", message: "did you mean notes?", mend: "ask about notes",
			codes: []proof.Code{proof.BucketUnknown, proof.NeverAcrossAccounts},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			q := ask(t, analystARN, tt.action, "arn:aws:s3:::"+tt.bucket+tt.key)
			q.Known = tt.known
			e := proof.Explain(p, accounts, l.snapshots, q)
			if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), tt.codes) {
				t.Fatalf("%s %v: %s", e.Verdict, rootCodes(e), dumpExplanation(e))
			}
			if !strings.Contains(e.Roots[0].Message, tt.message) || !strings.HasPrefix(e.Roots[0].Mend, tt.mend) || e.Roots[0].Account != "" {
				t.Errorf("%+v", e.Roots[0])
			}
			if e.Roots[1].Code == proof.NeverAcrossAccounts && e.Roots[1].Account != "" {
				t.Errorf("it is claimed whose the bucket is: %+v", e.Roots[1])
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
		"no service":                     {analystARN, "GetObject", notesARN + "/a", nil, []string{`--action "GetObject" lacks its service: write s3:GetObject`}},
		"no service, misspelt":           {analystARN, "GetObjekt", "", nil, []string{`lacks its service: write s3:GetObject`, "--resource is missing"}},
		"no service, of no kind":         {analystARN, "x", notesARN + "/a", nil, []string{`"x" lacks its service: write the service before it`}},
		"an action misspelt":             {analystARN, "s3:GetObjekt", notesARN + "/a", nil, []string{`--action "s3:GetObjekt": S3 has no action s3:GetObjekt: did you mean s3:GetObject?`}},
		"a session with its role's path": {"arn:aws:sts::" + consumer + ":assumed-role/team/r/s1", "s3:GetObject", notesARN + "/a", nil, []string{"write arn:aws:sts::" + consumer + ":assumed-role/r/s1"}},
		"an address that is none":        {analystARN, "s3:GetObject", notesARN + "/a", []string{"aws:SourceIp=300.2.3.4"}, []string{`"300.2.3.4" is no IP address`}},
		"a key misspelt":                 {analystARN, "s3:GetObject", notesARN + "/a", []string{"aws:SorceIp=192.0.2.1"}, []string{"there is no condition key aws:SorceIp: did you mean aws:SourceIp?"}},
		"a tag's key misspelt":           {analystARN, "s3:GetObject", notesARN + "/a", []string{"aws:PrincipleTag/team=x"}, []string{"did you mean aws:PrincipalTag/team?"}},
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
	for _, key := range []string{"aws:SourceIp=", "aws:sourcevpce=vpce-1", "aws:PrincipalTag/team=x", "aws:VpceOrgID=o-1", "aws:SomethingNew=x", "s3:prefix=x", "saml:aud=x"} {
		ask(t, analystARN, "s3:GetObject", notesARN+"/a", key)
	}
	if q := ask(t, "anonymous", "S3:getobject", notesARN+"/a", "aws:SourceIp=192.0.2.1", "AWS:sourceip=192.0.2.2"); q.Action != "s3:GetObject" || len(q.Context) != 1 || len(q.Context["aws:SourceIp"]) != 2 {
		t.Errorf("action %q, context %v", q.Action, q.Context)
	}
}

// Who is likely meant is asked after, and nobody is accused who has a statement
// of its own.
func TestExplainSlips(t *testing.T) {
	const objects = `"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/*"`
	for name, tt := range map[string]struct {
		principal, what string
		code            proof.Code
		mend            string
	}{
		"a slip in the account":                {"222222222223", objects, proof.PrincipalAccount, "; if statement \"S\" was meant for role " + role + ", correct or remove the name there"},
		"another account of the repository":    {owner, objects, proof.PrincipalMissing, ""},
		"its role of that name":                {"arn:aws:iam::" + owner + ":role/" + role, objects, proof.PrincipalAccount, "; if statement \"S\" was meant for role "},
		"a slip in the name":                   {roleARN + "s", objects, proof.PrincipalName, "; if statement \"S\" was meant for role "},
		"a slip where nothing asked for is":    {roleARN + "s", `"Action":"s3:GetObjectTagging","Resource":"arn:aws:s3:::` + bucket + `/*"`, proof.PrincipalMissing, ""},
		"a slip, and another bucket's objects": {roleARN + "s", `"Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"`, proof.PrincipalMissing, ""},
		"the id of a deleted role":             {"AROADEADDEADDEADDEADX", objects, proof.PrincipalGone, "take the id out of that statement"},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(nil))
			l := live{t, snapshots}
			l.bucket().Policy = []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"AWS":"` + tt.principal + `"},` + tt.what + `}]}`)
			e := proof.ExplainShare(p, snapshots, bucket)[0]
			if len(e.Roots) != 1 || e.Roots[0].Code != tt.code || !strings.Contains(e.Roots[0].Mend, tt.mend) || tt.mend == "" && e.Roots[0].Mend != "run `xshare apply`" {
				t.Errorf("%+v", e.Roots)
			}
		})
	}
}

// Where something stops an apply, that is the mend.
func TestExplainStopped(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	l.bucket().Region, l.bucket().Policy = "eu-west-1", nil
	e := proof.ExplainShare(p, snapshots, bucket)[0]
	want := "bucket " + bucket + " is in eu-west-1, not us-east-1; a bucket cannot be moved: correct the region in the spec; then run `xshare apply`"
	if len(e.Roots) != 1 || e.Roots[0].Code != proof.NoBucketPolicy || e.Roots[0].Mend != want {
		t.Errorf("%+v", e.Roots)
	}
}

// The instances that the role is for are told of with their state.
func TestExplainInstances(t *testing.T) {
	text := func(p *plan.Plan, snapshots map[string]*plan.Snapshot, share string) string {
		for _, part := range proof.ExplainShare(p, snapshots, share)[0].Use {
			if part.Side == proof.PartInstance {
				return string(part.State) + ": " + part.Text
			}
		}
		return ""
	}
	p, snapshots := built(t, recipe(nil))
	for _, in := range snapshots[consumer].Instances {
		in.State = "stopped"
	}
	if got, want := text(p, snapshots, bucket), "ok: the profile is that of "+instance+"; "+instance+" is stopped"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p, snapshots = built(t, recipe(func(s *specs.Share) { s.Consumers[0].Instances = nil }))
	if got, want := text(p, snapshots, bucket), "none: this share names no instance with this profile"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	repo := recipe(nil)
	other := *repo.Shares[0]
	consumer := *other.Consumers[0]
	consumer.Instances = nil
	other.Name, other.Consumers = "other", []*specs.Consumer{&consumer}
	repo.Shares = append(repo.Shares, &other)
	p, snapshots = built(t, repo)
	if got, want := text(p, snapshots, "other"), "none: others name them: "+instance+" (share "+bucket+")"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
