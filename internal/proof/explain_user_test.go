package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	annARN    = "arn:aws:iam::" + consumer + ":user/team/ann"
	objectARN = notesARN + "/a.txt"
)

// withUser is byHand's world with a user instead of the analyst, in a group that
// has nothing yet.
func withUser(t *testing.T) (*plan.Plan, []*specs.Account, live) {
	t.Helper()
	p, accounts, l := byHand(t)
	l.replace(&l.notes().Policy, analystARN, annARN)
	l.snapshots[consumer].Users = map[string]*plan.LiveUser{"ann": {
		Name: "ann", Path: "/team/", ARN: annARN, UniqueID: "AIDAANN0000000000001", Tags: map[string]string{"team": "data"},
		Attached: l.analyst().Attached, Groups: []plan.LiveGroup{{Name: "readers"}},
	}}
	delete(l.snapshots[consumer].Roles, analyst)
	return p, accounts, l
}

func (l live) ann() *plan.LiveUser { return l.snapshots[consumer].Users["ann"] }

// viaGroup gives the group what the user has.
func (l live) viaGroup() {
	l.ann().Groups[0].Attached, l.ann().Attached = l.ann().Attached, nil
}

func (l live) userBoundary(document string) {
	const arn = "arn:aws:iam::" + consumer + ":policy/limit"
	l.ann().Boundary = arn
	l.snapshots[consumer].Policies[arn] = &plan.LivePolicy{Name: "limit", ARN: arn, Document: []byte(document)}
}

// carryOutForUser is carryOut where the caller is the user.
func (l live) carryOutForUser(f proof.Fragment) {
	l.t.Helper()
	policy := func(name string) *[]byte {
		return &l.snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/"+name].Document
	}
	words := strings.Fields(f.Policy)
	switch {
	case f.Side == proof.PartBoundary:
		l.change(policy("limit"), f)
	case f.Side != proof.PartIdentity:
		l.carryOut(f)
	case f.Remove == nil:
		if f.Policy != "a policy of user ann" {
			l.t.Fatalf("it is to be added to %q", f.Policy)
		}
		l.ann().Inline = map[string][]byte{"mend": []byte(`{"Version":"2012-10-17","Statement":[` + string(f.Add) + `]}`)}
	case words[0] == "policy":
		l.change(policy(words[1]), f)
	case strings.HasSuffix(f.Policy, " of group readers"):
		text := l.ann().Groups[0].Inline[words[2]]
		l.change(&text, f)
		l.ann().Groups[0].Inline[words[2]] = text
	default:
		text := l.ann().Inline[words[2]]
		if l.change(&text, f) > 0 {
			l.ann().Inline[words[2]] = text
		} else {
			delete(l.ann().Inline, words[2])
		}
	}
}

// Of a user, too, the mend mends: its fragments, carried out to the letter.
func TestExplainUserMendMends(t *testing.T) {
	deny := func(sid string) []byte {
		return []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)
	}
	tests := map[string]struct {
		live  func(live)
		codes []proof.Code
		says  string // of the first cause
		mend  string // likewise
	}{
		"the user has nothing": {
			live:  func(l live) { l.ann().Attached = nil },
			codes: []proof.Code{proof.SidesDisagree}, says: "no policy of user ann in account " + consumer + " allows s3:GetObject", mend: "add this statement to a policy of user ann",
		},
		"a group's policy is taken away": {
			live:  func(l live) { l.viaGroup(); l.ann().Groups[0].Attached = nil },
			codes: []proof.Code{proof.SidesDisagree}, says: "no policy of user ann",
		},
		"the user is in the group no more": {
			live:  func(l live) { l.viaGroup(); l.ann().Groups = nil },
			codes: []proof.Code{proof.SidesDisagree}, says: "no policy of user ann",
		},
		"the user's own inline policy denies": {
			live:  func(l live) { l.ann().Inline = map[string][]byte{"own": deny("No")} },
			codes: []proof.Code{proof.ExplicitDeny}, says: `statement "No" of inline policy own that user ann has in account`, mend: "from statement \"No\" of inline policy own",
		},
		"a group's inline policy denies": { // which others have too, so that it stays for them
			live:  func(l live) { l.ann().Groups[0].Inline = map[string][]byte{"guard": deny("No")} },
			codes: []proof.Code{proof.ExplicitDeny}, says: `statement "No" of inline policy guard of group readers`, mend: "replace it by one that spares it",
		},
		"the boundary leaves S3 out": {
			live: func(l live) {
				l.userBoundary(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)
			},
			codes: []proof.Code{proof.Boundary}, says: "permissions boundary limit of user ann in account " + consumer, mend: "or take the boundary off user ann",
		},
		"the bucket policy names the role of that name": {
			live:  func(l live) { l.replace(&l.notes().Policy, ":user/", ":role/") },
			codes: []proof.Code{proof.PrincipalName}, says: "it is the role of that name, not the user",
		},
		"the bucket policy has a typo in the name": {
			live:  func(l live) { l.replace(&l.notes().Policy, "/ann", "/anna") },
			codes: []proof.Code{proof.PrincipalName}, says: "the name is anna, not ann", mend: "to the policy of bucket notes",
		},
		"the bucket policy leaves out the path": {
			live:  func(l live) { l.replace(&l.notes().Policy, "user/team/", "user/") },
			codes: []proof.Code{proof.PrincipalPath}, says: "the path is /, not /team/",
		},
		"the bucket policy names the user of another account": {
			live:  func(l live) { l.replace(&l.notes().Policy, "::"+consumer, "::"+owner) },
			codes: []proof.Code{proof.PrincipalAccount},
		},
		"the bucket policy names the user that was": {
			live:  func(l live) { l.replace(&l.notes().Policy, annARN, "AIDAOLD0000000000001") },
			codes: []proof.Code{proof.PrincipalGone}, says: "if it was this user, made again", mend: `write the ARN of user ann in statement "Analyst" of the policy of bucket notes`,
		},
		"the bucket policy names a role that was": {
			live:  func(l live) { l.replace(&l.notes().Policy, annARN, "AROAOLD0000000000001") },
			codes: []proof.Code{proof.PrincipalMissing}, says: "does not name " + annARN, mend: "take that out in the same put",
		},
		"the bucket policy names the user that was, among others": {
			live: func(l live) {
				l.replace(&l.notes().Policy, `"`+annARN+`"`, `["AIDAOLD0000000000001","arn:aws:iam::`+consumer+`:role/somebody"]`)
				l.put(&l.notes().Policy, `{"Sid":"Other","Effect":"Allow","Principal":{"AWS":["AROAOLD0000000000001","`+owner+`"]},"Action":"s3:ListBucket","Resource":"`+notesARN+`"}`)
			},
			codes: []proof.Code{proof.PrincipalGone}, mend: "S3 takes no policy with the id of a deleted principal in it",
		},
		"the bucket policy does not have the action": {
			live:  func(l live) { l.replace(&l.notes().Policy, "s3:GetObject", "s3:GetObjectTagging") },
			codes: []proof.Code{proof.SidesDisagree}, says: "names user ann, but does not allow it s3:GetObject, although the user's own policies do",
		},
		"the bucket policy denies": {
			live: func(l live) {
				l.put(&l.notes().Policy, `{"Sid":"Frozen","Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"`+notesARN+`/*"}`)
			},
			codes: []proof.Code{proof.ExplicitDeny},
		},
		"an SCP denies": {
			live: func(l live) {
				l.organization(consumer, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`}, nil)
			},
			codes: []proof.Code{proof.ServiceControl},
		},
		"neither side knows of the key": {
			live:  func(l live) { l.encrypt("", false) },
			codes: []proof.Code{proof.KMSIdentityLacks, proof.KMSKeyPolicyLacks}, says: "no policy of user ann in account " + consumer + " allows kms:Decrypt",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := withUser(t)
			q := ask(t, annARN, "s3:GetObject", objectARN)
			if control := proof.Explain(p, accounts, l.snapshots, q); control.Verdict != proof.Allowed {
				t.Fatalf("it does not work to begin with: %s", dumpExplanation(control))
			}
			tt.live(l)
			e := proof.Explain(p, accounts, l.snapshots, q)
			if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), tt.codes) {
				t.Fatalf("%s %v, want denied %v\n%s", e.Verdict, rootCodes(e), tt.codes, dumpExplanation(e))
			}
			if !strings.Contains(e.Roots[0].Message, tt.says) || !strings.Contains(e.Roots[0].Mend, tt.mend) {
				t.Errorf("%q, mended by %q; want %q and %q in them", e.Roots[0].Message, e.Roots[0].Mend, tt.says, tt.mend)
			}
			if text := strings.ReplaceAll(dumpExplanation(e), "the role of that name", ""); strings.Contains(text, "the role ") || strings.Contains(text, "role ann") {
				t.Errorf("a user is called a role: %s", text)
			}
			for _, root := range e.Roots {
				if len(root.Fragments) == 0 {
					t.Fatalf("%s gives nothing to edit: %q", root.Code, root.Mend)
				}
				for _, f := range root.Fragments {
					l.carryOutForUser(f)
				}
			}
			if mended := proof.Explain(p, accounts, l.snapshots, q); mended.Verdict != proof.Allowed {
				t.Errorf("mended, it is %s: %s", mended.Verdict, dumpExplanation(mended))
			}
			if text := string(l.notes().Policy); strings.Contains(text, "OLD0000") {
				t.Errorf("S3 would not take %s", text)
			}
		})
	}
}

// Whoever asks about a user is told what was read of it, and never more.
func TestExplainUser(t *testing.T) {
	tests := map[string]struct {
		live    func(live, []*specs.Account)
		who     string
		context []string
		verdict proof.Verdict
		code    proof.Code
		says    string // of the cause, its mend, a side or what is not checked
	}{
		"by its own policy":  {verdict: proof.Allowed, says: `statement "Notes" of policy notes`},
		"by its group's":     {live: func(l live, _ []*specs.Account) { l.viaGroup() }, verdict: proof.Allowed, says: `statement "Notes" of policy notes of group readers`},
		"by both, told once": {live: func(l live, _ []*specs.Account) { l.ann().Groups[0].Attached = l.ann().Attached }, verdict: proof.Allowed, says: `statement "Notes" of policy notes`},
		"by a group's inline policy": {
			live: func(l live, _ []*specs.Account) {
				l.ann().Groups[0].Inline = map[string][]byte{"own": l.notesPolicy().Document}
				l.ann().Attached = nil
			},
			verdict: proof.Allowed, says: "inline policy own of group readers",
		},
		"by its tag": {
			live: func(l live, _ []*specs.Account) {
				l.replace(&l.notesPolicy().Document, `"Effect":"Allow"`, `"Effect":"Allow","Condition":{"StringEquals":{"aws:PrincipalTag/team":"data","aws:username":"ann","aws:userid":"AIDAANN0000000000001"}}`)
			},
			verdict: proof.Allowed,
		},
		"by another's id": {
			live: func(l live, _ []*specs.Account) {
				l.replace(&l.notesPolicy().Document, `"Effect":"Allow"`, `"Effect":"Allow","Condition":{"StringEquals":{"aws:userid":"AIDABOB0000000000001"}}`)
			},
			verdict: proof.Denied, code: proof.SidesDisagree, says: "add this statement to a policy of user ann",
		},
		"a policy of its group that was not read": {
			live: func(l live, _ []*specs.Account) {
				l.ann().Attached, l.ann().Groups[0].Attached = nil, []string{"arn:aws:iam::aws:policy/Unread"}
			},
			verdict: proof.NotChecked, says: "arn:aws:iam::aws:policy/Unread of group readers",
		},
		"a group that was not read": { // it may deny
			live:    func(l live, _ []*specs.Account) { l.ann().Groups[0].Unread = true },
			verdict: proof.NotChecked, says: "attached policies whose documents were not read: those of group readers",
		},
		"a policy of AWS's own that denies, by its group": {
			live: func(l live, _ []*specs.Account) {
				const arn = "arn:aws:iam::aws:policy/theirs"
				l.snapshots[consumer].Managed = map[string]*plan.LivePolicy{arn: {Name: "theirs", ARN: arn, Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`)}}
				l.ann().Groups[0].Attached = []string{arn}
			},
			verdict: proof.Denied, code: proof.ExplicitDeny, says: "take user ann out of group readers, or the policy off that group",
		},
		"that is not there": {
			live:    func(l live, _ []*specs.Account) { delete(l.snapshots[consumer].Users, "ann") },
			verdict: proof.Denied, code: proof.UserMissing, says: "user ann does not exist in account " + consumer,
		},
		"under another path": {
			who: "arn:aws:iam::" + consumer + ":user/ann", verdict: proof.Denied, code: proof.UserPath, says: "ask about the user by its live ARN, " + annARN,
		},
		"whose IAM cannot be read": {
			live: func(l live, _ []*specs.Account) {
				l.snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeIAM, Message: "AccessDenied", Mend: "let the role do iam:GetAccountAuthorizationDetails"}}
			},
			verdict: proof.NotChecked, says: "the policies of the user, since IAM of account " + consumer + " cannot be read: AccessDenied: let the role do iam:GetAccountAuthorizationDetails",
		},
		"of a partner": {
			live: func(l live, accounts []*specs.Account) {
				accounts[slices.IndexFunc(accounts, func(a *specs.Account) bool { return a.ID == consumer })].Manage = false
				l.snapshots[consumer].Users = nil
			},
			verdict: proof.NotChecked, says: "the policies of the user, since account " + consumer + " is a partner's",
		},
		"of an account that is not the repository's": {
			live: func(l live, _ []*specs.Account) { l.replace(&l.notes().Policy, consumer, "999999999999") },
			who:  "arn:aws:iam::999999999999:user/team/ann", verdict: proof.NotChecked, says: "the policies of user ann, since account 999999999999 is not among the repository's",
		},
		"of such an account, whom nobody names": {
			who: "arn:aws:iam::999999999999:user/team/ann", verdict: proof.Denied, code: proof.PrincipalAccount,
		},
		"of the bucket's account, named there": { // neither identity nor boundary limit it
			live: func(l live, _ []*specs.Account) {
				l.replace(&l.notes().Policy, consumer, owner)
				l.userBoundary(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)
				l.ann().Attached = nil
				l.snapshots[owner].Users, l.snapshots[owner].Policies = l.snapshots[consumer].Users, l.snapshots[consumer].Policies
			},
			who: strings.Replace(annARN, consumer, owner, 1), verdict: proof.Allowed, says: "not needed within one account: the bucket policy allows it",
		},
		"of the bucket's account, with nothing": {
			live: func(l live, _ []*specs.Account) {
				l.replace(&l.notes().Policy, annARN, consumer)
				l.ann().Attached = nil
				l.snapshots[owner].Users = l.snapshots[consumer].Users
			},
			who: strings.Replace(annARN, consumer, owner, 1), verdict: proof.Denied, code: proof.IdentityLacks, says: "add this statement to a policy of user ann",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := withUser(t)
			if tt.live != nil {
				tt.live(l, accounts)
			}
			who := annARN
			if tt.who != "" {
				who = tt.who
			}
			e := proof.Explain(p, accounts, l.snapshots, ask(t, who, "s3:GetObject", objectARN, tt.context...))
			var codes []proof.Code
			if tt.code != "" {
				codes = []proof.Code{tt.code}
			}
			if text := dumpExplanation(e); e.Verdict != tt.verdict || !slices.Equal(rootCodes(e), codes) || !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), tt.says) {
				t.Errorf("%s %v, want %s %v and %q in it\n%s", e.Verdict, rootCodes(e), tt.verdict, codes, tt.says, text)
			}
			for _, part := range e.Screens[0].Parts {
				if u := l.ann(); u != nil && u.Boundary != "" && part.Side == proof.PartBoundary && strings.Contains(part.Text, "there is none") {
					t.Errorf("its boundary is denied: %+v", part)
				}
			}
			if unread := len(l.snapshots[consumer].Failures) > 0; e.Unreadable != unread {
				t.Errorf("unreadable %t, want %t", e.Unreadable, unread)
			}
		})
	}
}

// A root user has no policies of its own; what its organization and the bucket
// say decides, but for the policy of a bucket of its own account.
func TestExplainRootUser(t *testing.T) {
	root := func(account string) string { return "arn:aws:iam::" + account + ":root" }
	denied := func(l live) {
		l.put(&l.notes().Policy, `{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["`+notesARN+`","`+notesARN+`/*"]}`)
	}
	tests := map[string]struct {
		live    func(live)
		who     string
		action  string // default: s3:GetObject
		verdict proof.Verdict
		codes   []proof.Code
		says    string
	}{
		"of the bucket's account":         {who: root(owner), verdict: proof.Allowed, says: "a root user has none, and may do all in its account's name"},
		"of the bucket's account, denied": {live: denied, who: root(owner), verdict: proof.Denied, codes: []proof.Code{proof.ExplicitDeny}},
		"of the bucket's account, its policy, denied": {
			live: denied, who: root(owner), action: "s3:PutBucketPolicy", verdict: proof.Allowed, says: "may see, put and delete it",
		},
		"of another account": {
			who: root(consumer), verdict: proof.Denied, codes: []proof.Code{proof.PrincipalMissing}, says: "it opens this to all in that account whose own policies allow it",
		},
		"of another account, named": {live: func(l live) { l.replace(&l.notes().Policy, annARN, root(consumer)) }, who: root(consumer), verdict: proof.Allowed},
		"of another account, its policy": {
			live: func(l live) { l.replace(&l.notes().Policy, annARN, root(consumer)) }, who: root(consumer), action: "s3:PutBucketPolicy",
			verdict: proof.Denied, codes: []proof.Code{proof.NeverAcrossAccounts},
		},
		"that an SCP limits": {
			live: func(l live) {
				l.replace(&l.notes().Policy, annARN, root(consumer))
				l.organization(consumer, []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`}, nil)
			},
			who: root(consumer), verdict: proof.Denied, codes: []proof.Code{proof.ServiceControl},
		},
		"of an account whose organization is not known": {
			live: func(l live) { l.replace(&l.notes().Policy, annARN, root("999999999999")) }, who: root("999999999999"),
			verdict: proof.NotChecked, says: "service control policies (SCPs) of account 999999999999",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := withUser(t)
			if tt.live != nil {
				tt.live(l)
			}
			action, resource := "s3:GetObject", objectARN
			if tt.action != "" {
				action, resource = tt.action, notesARN
			}
			e := proof.Explain(p, accounts, l.snapshots, ask(t, tt.who, action, resource))
			if text := dumpExplanation(e); e.Verdict != tt.verdict || !slices.Equal(rootCodes(e), tt.codes) || !strings.Contains(text, tt.says) {
				t.Errorf("%s %v, want %s %v and %q in it\n%s", e.Verdict, rootCodes(e), tt.verdict, tt.codes, tt.says, text)
			}
		})
	}
}

// A question about a user reads users where the user is, and nowhere else.
func TestWantsOfAUser(t *testing.T) {
	p, accounts, _ := withUser(t)
	for _, w := range ask(t, annARN, "s3:GetObject", objectARN).Wants(p, accounts) {
		var want []string
		if w.Account == consumer {
			want = []string{"ann"}
		}
		if !slices.Equal(w.Users, want) {
			t.Errorf("account %s: users %v, want %v", w.Account, w.Users, want)
		}
	}
	for _, who := range []string{analystARN, "anonymous", "arn:aws:iam::" + consumer + ":root"} {
		for _, w := range ask(t, who, "s3:GetObject", objectARN).Wants(p, accounts) {
			if w.Users != nil {
				t.Errorf("%s: account %s: users %v", who, w.Account, w.Users)
			}
		}
	}
}

// Who calls without credentials uses no key of KMS, whatever its policy says.
func TestExplainAnonymousAndKey(t *testing.T) {
	p, accounts, l := byHand(t)
	l.notes().PublicAccessBlock = &plan.PublicAccessBlock{}
	l.replace(&l.notes().Policy, `{"AWS":"`+analystARN+`"}`, `"*"`)
	q := ask(t, "anonymous", "s3:GetObject", notesARN+"/a.txt")
	if e := proof.Explain(p, accounts, l.snapshots, q); e.Verdict != proof.Allowed {
		t.Fatalf("without a key: %s", dumpExplanation(e))
	}
	l.encrypt(`,{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`, false)
	e := proof.Explain(p, accounts, l.snapshots, q)
	if e.Verdict != proof.Denied || !sameCodes(rootCodes(e), []proof.Code{proof.KMSAnonymous}) || len(e.Roots[0].Fragments) > 0 {
		t.Errorf("with a key: %s", dumpExplanation(e))
	}
}

// A statement about other things is not what an answer hangs on.
func TestExplainDoubtNamesWhatDecides(t *testing.T) {
	p, accounts, l := byHand(t)
	l.notesPolicy().Document = []byte(`{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"Pass","Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}},` +
		`{"Sid":"Near","Effect":"Allow","Action":"s3:GetObject","Resource":"` + notesARN + `/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}`)
	e := proof.Explain(p, accounts, l.snapshots, ask(t, analystARN, "s3:GetObject", notesARN+"/a.txt"))
	if text := strings.Join(e.NotChecked, "\n"); e.Verdict != proof.NotChecked || !strings.Contains(text, `"Near"`) || strings.Contains(text, `"Pass"`) {
		t.Errorf("%s", dumpExplanation(e))
	}
}
