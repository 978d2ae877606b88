package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/specs"
)

const deadID = "AROAEXAMPLEROLE00001"

// foreignPolicy is a policy of mybucket with one foreign statement before ours.
func foreignPolicy(l live, statement string) {
	b := l["111111111111"].Buckets["mybucket"]
	policy := `{"Version":"2012-10-17","Statement":[` + statement
	if _, ours, ok := strings.Cut(string(b.Policy), `"Statement":[`); ok {
		policy += "," + ours
	} else {
		policy += "]}"
	}
	b.Policy = []byte(policy)
}

func TestForeignStatements(t *testing.T) {
	const resource = `"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/*"}`
	allow := func(principal string) string { return `{"Effect":"Allow","Principal":` + principal + `,` + resource }
	for name, test := range map[string]struct {
		statement   string
		blocked     *PublicAccessBlock
		drop        bool
		unshared    bool // our statements are not there yet
		action      Action
		code        string // of the one problem; empty: none
		warns       bool   // it stops nothing
		message     string // in it
		left, taken string // in the document that is to be
	}{
		"dead, and nothing to write": {
			statement: allow(`{"AWS":"` + deadID + `"}`), action: Noop, warns: true,
			code: "foreign-dead-principal", message: "the next write of this policy, revocations too",
		},
		"dead, and a gain": {
			statement: allow(`{"AWS":"` + deadID + `"}`), unshared: true, action: Error,
			code: "foreign-dead-principal", message: "statement number 1",
		},
		"dropped alone": {
			statement: allow(`{"AWS":[ "` + deadID + `", "arn:aws:iam::333333333333:role/x" ]}`), drop: true, action: Update,
			code: "dropped-dead-principal", message: deadID + " are taken out of statement number 1",
			left: allow(`{"AWS":[ "arn:aws:iam::333333333333:role/x" ]}`), taken: deadID,
		},
		"dropped with a gain": {
			statement: allow(`{"AWS":"` + deadID + `"}`), drop: true, unshared: true, action: Update,
			code: "dropped-dead-principal", message: "statement number 1 is removed",
			taken: deadID,
		},
		"nothing to drop": {
			statement: allow(`{"AWS":"arn:aws:iam::333333333333:role/x"}`), drop: true, action: Noop,
		},
		"a dead principal in a Deny": {
			statement: `{"Effect":"Deny","Principal":{"AWS":"` + deadID + `"},` + resource, drop: true, unshared: true, action: Error,
			code: "foreign-dead-principal", message: deadID,
		},
		"public and blocked, and nothing to write": {
			statement: allow(`"*"`), blocked: &PublicAccessBlock{BlockPublicPolicy: true}, action: Noop,
		},
		"public and blocked, and a gain": {
			statement: allow(`"*"`), blocked: &PublicAccessBlock{BlockPublicPolicy: true}, unshared: true, action: Error,
			code: "foreign-public-statement", message: "statement number 1",
		},
		"public, not blocked": {
			statement: allow(`"*"`), blocked: &PublicAccessBlock{RestrictPublicBuckets: true}, unshared: true, action: Update,
		},
		"public, not read": {statement: allow(`"*"`), unshared: true, action: Update},
		"not public": {
			statement: `{"Effect":"Deny","Principal":"*",` + resource, blocked: &PublicAccessBlock{BlockPublicPolicy: true}, unshared: true, action: Update,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, recipe), everything)
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			b := l["111111111111"].Buckets["mybucket"]
			if test.unshared {
				b.Policy = nil
			}
			foreignPolicy(l, test.statement)
			b.PublicAccessBlock = test.blocked
			before := string(b.Policy)
			c := Compare(p, l, Options{DropDeadPrincipals: test.drop})
			change := find(t, c, bucketPolicyID)
			if change.Action != test.action || change.DropDead != (test.taken != "") {
				t.Errorf("action %s, drops %t; problems %+v", change.Action, change.DropDead, c.Problems)
			}
			var found []specs.Problem
			for _, problem := range c.Problems {
				if problem.Step == bucketPolicyID {
					found = append(found, problem)
				}
			}
			switch {
			case test.code == "" && len(found) > 0, test.code != "" && len(found) != 1:
				t.Fatalf("problems: %+v", found)
			case test.code != "" && (found[0].Code != test.code || !strings.Contains(found[0].Message, test.message)):
				t.Errorf("problem: %+v", found[0])
			case test.warns && found[0].Severity != specs.SeverityWarning:
				t.Errorf("severity: %+v", found[0])
			}
			document := string(change.Want.(BucketPolicy).Document)
			if test.taken != "" && (strings.Contains(document, test.taken) || !strings.Contains(before, test.taken)) {
				t.Errorf("%s is still there: %s", test.taken, document)
			}
			if test.left != "" && !strings.Contains(document, test.left) {
				t.Errorf("the document is to be\n%s\nwithout\n%s", document, test.left)
			}
			// Whoever writes it merges at that time, and comes to the same.
			merged, err := change.Merge(b.Policy, p.Ours, change.Want.(BucketPolicy).Ours)
			if err != nil || change.Action == Update && string(merged) != document {
				t.Errorf("merged at the write: %s, %v", merged, err)
			}
		})
	}
}

func TestSavedPlanDoesNotConsentToDropping(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	foreignPolicy(l, `{"Effect":"Allow","Principal":{"AWS":"`+deadID+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/*"}`)
	saved := Compare(p, l, Options{}).Document("")
	dropping := Compare(p, l, Options{DropDeadPrincipals: true})
	if problems := dropping.Stale(saved); len(problems) == 0 {
		t.Error("a plan that drops nothing consents to dropping")
	}
	if problems := dropping.Stale(dropping.Document("")); len(problems) > 0 {
		t.Errorf("its own plan is stale: %+v", problems)
	}
}

func TestFailedSearchIsReported(t *testing.T) {
	for name, test := range map[string]struct {
		scope, account, message string
	}{
		"tags":             {ScopeTags + "eu-west-1", "111111111111", "the buckets with our tag of account 111111111111 in eu-west-1 cannot be read: denied"},
		"a bucket led to":  {ScopeBucket + "elsewhere", "111111111111", "bucket elsewhere of account 111111111111 cannot be read: denied"},
		"instances beside": {ScopeEC2 + "eu-west-1", "222222222222", "instances of account 222222222222 in eu-west-1 cannot be read: denied"},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, recipe), everything)
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			l[test.account].Failures = []ReadFailure{{Scope: test.scope, Code: "AccessDenied", Message: "denied", Mend: "allow it"}}
			c := Compare(p, l, Options{})
			if len(c.Problems) != 1 || c.Problems[0].Code != "unreadable" || c.Problems[0].Severity != specs.SeverityError ||
				c.Problems[0].Step != "" || c.Problems[0].Message != test.message || c.Problems[0].Mend != "allow it" {
				t.Errorf("problems: %+v", c.Problems)
			}
			if s := c.Summary(); s.Error > 0 || s.Differs() {
				t.Errorf("it covers a change: %+v", s)
			}
		})
	}
}

// A failure that a step told of already is told once.
func TestFailureIsReportedOnce(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l["222222222222"].Failures = []ReadFailure{{Scope: ScopeAccount, Message: "denied"}}
	c := Compare(p, l, Options{})
	if n := len(slices.DeleteFunc(slices.Clone(c.Problems), func(p specs.Problem) bool { return p.Code != "unreadable" })); n != 1 {
		t.Errorf("%d problems: %+v", n, c.Problems)
	}
}

func TestLeadsLeaveWhatASweepHasRead(t *testing.T) {
	p, l := orphaned(t)
	owner := l["111111111111"]
	owner.Listed = map[string]string{"mybucket": "us-east-1"}
	if wants := Leads(p, l); len(wants) != 0 {
		t.Errorf("read again: %+v", wants)
	}
	delete(owner.Buckets, "mybucket")
	if wants := Leads(p, l); len(wants) != 1 || wants[0].Buckets[0].Name != "mybucket" {
		t.Errorf("leads: %+v", wants)
	}
}

// The only policy that leads to a bucket is narrowed by the apply that finds it,
// so accounts that no step is in are asked for their buckets then.
func TestLeadsLookWhereNoStepIs(t *testing.T) {
	const moved = `moved
  bucket: {name: moved, account: analytics, create: true}
  consumers:
    - {account: analytics, role: {name: other, create: true, trust: lambda}, access: list}
`
	_, l := orphaned(t)
	snaps := func() live {
		return live{"222222222222": {Policies: l["222222222222"].Policies, Listed: map[string]string{"moved": "us-east-1"}}}
	}
	asked := func(wants []Want) (accounts []string) {
		for _, w := range wants {
			if slices.ContainsFunc(w.Buckets, func(b BucketWant) bool { return b.Name == "mybucket" }) {
				accounts = append(accounts, w.Account)
			}
		}
		return accounts
	}
	p := build(t, load(t, moved), everything)
	if got := asked(Leads(p, snaps())); !slices.Contains(got, "111111111111") || slices.Contains(got, "222222222222") {
		t.Errorf("asked for the bucket: %q", got)
	}
	if !slices.ContainsFunc(p.Wants(false), func(w Want) bool { return w.Account == "111111111111" && w.Search }) {
		t.Error("the account that no step is in is not searched for policies that lead to a bucket")
	}
	onlyMoved := func(share string) bool { return share == "moved" }
	p = build(t, load(t, moved, unrelated), onlyMoved)
	if got := asked(Leads(p, snaps())); !slices.Contains(got, "111111111111") {
		t.Errorf("with --only, asked for the bucket: %q", got)
	}
	p = build(t, load(t, moved, recipe), onlyMoved)
	if got := asked(Leads(p, snaps())); len(got) > 0 {
		t.Errorf("asked for a bucket that a share is about: %q", got)
	}
}

// What a share left in an account that cannot be read is not known to be closed.
func TestAccountThatCannotBeSearchedIsTold(t *testing.T) {
	p := build(t, load(t, unrelated), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	l["333333333333"] = &Snapshot{Failures: []ReadFailure{{Scope: ScopeAccount, Message: "denied"}}}
	c := Compare(p, l, Options{})
	if len(c.Problems) != 1 || c.Problems[0].Code != CodeNotSearched || c.Problems[0].Account != "333333333333" || c.Problems[0].Severity != specs.SeverityWarning {
		t.Errorf("problems: %+v", c.Problems)
	}
}

// A statement's Sid says whose it is, and people copy statements. Whatever else
// the policy allows, and to whom, is not ours to take away.
func TestCopiedStatements(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	account := l["222222222222"]
	ours := string(account.Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"].Document)
	const theirs = `{"Sid":"Theirs","Effect":"Allow","Action":"sqs:*","Resource":"*"}`
	arn := "arn:aws:iam::222222222222:policy/team"
	account.Policies[arn] = &LivePolicy{
		Name: "team", ARN: arn,
		Document: []byte(strings.Replace(ours, `"Statement":[`, `"Statement":[`+theirs+",", 1)),
	}
	for _, role := range []string{"team-a", "team-b"} {
		account.Roles[role] = &LiveRole{
			Role:     Role{Name: role, Path: "/", ARN: "arn:aws:iam::222222222222:role/" + role},
			Attached: []string{arn},
		}
	}
	for name, opts := range map[string]Options{"apply": {}, "prune": {Prune: true}} {
		t.Run(name, func(t *testing.T) {
			c := Compare(p, l, opts)
			var differ []string
			for _, change := range c.Steps {
				if change.Differs() {
					differ = append(differ, string(change.Action)+" "+change.ID)
				}
			}
			if want := []string{"update iam.Policy/222222222222/team"}; !slices.Equal(differ, want) {
				t.Fatalf("changes: %q, want %q; problems %+v", differ, want, c.Problems)
			}
			change := find(t, c, "iam.Policy/222222222222/team")
			want := change.Want.(Policy)
			if got := string(want.Document); got != `{"Version":"2012-10-17","Statement":[`+theirs+`]}` || len(want.Ours) > 0 || len(change.Lose) == 0 {
				t.Errorf("it is to hold %s, ours %v, and loses %d pairs", got, want.Ours, len(change.Lose))
			}
		})
	}
}
