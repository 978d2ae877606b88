package plan

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

func TestForeignStatementsStay(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	text := strings.Replace(foreign, "Odd  spacing", "Odd", 1)
	l["111111111111"].Buckets["mybucket"] = &LiveBucket{Name: "mybucket", Region: "us-east-1", Policy: []byte(text), Tags: map[string]string{RepositoryTag: "acme-data"}}
	l.apply(t, Compare(p, l, Options{}))
	got := string(l["111111111111"].Buckets["mybucket"].Policy)
	statement := text[strings.Index(text, `{"Sid"`):strings.LastIndex(text, "]")]
	if !strings.Contains(got, statement) || !strings.Contains(got, `"Version":"2008-10-17"`) || !strings.Contains(got, `"Id":"theirs"`) {
		t.Errorf("foreign content changed:\n%s", got)
	}
	empty := build(t, load(t, strings.Replace(lambda, "mybucket", "another", 1)), everything)
	snap := live{"111111111111": l["111111111111"], "333333333333": newLive(empty)["333333333333"]}
	snap["111111111111"].Buckets["another"] = &LiveBucket{Name: "another", Region: "us-east-1"}
	snap.apply(t, Compare(empty, snap, Options{}))
	if got := string(snap["111111111111"].Buckets["mybucket"].Policy); got != text {
		t.Errorf("after all of ours is gone the policy is not what it was:\n%s", got)
	}
}

func TestRemoval(t *testing.T) {
	both := `two
  bucket: {name: mybucket, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: ec2}, access: read}
    - {account: lab, role: {name: fn, create: true, trust: lambda}, access: [read, write]}
`
	p := build(t, load(t, both), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))

	t.Run("a consumer is dropped", func(t *testing.T) {
		less := strings.Join(strings.SplitAfter(both, "\n")[:4], "")
		p := build(t, load(t, less), everything)
		change := find(t, Compare(p, l, Options{}), bucketPolicyID)
		if change.Action != Update || len(change.Lose) == 0 {
			t.Fatalf("action %s, loses %d", change.Action, len(change.Lose))
		}
		for _, lost := range change.Lose {
			if lost.Principal != "arn:aws:iam::333333333333:role/fn" {
				t.Errorf("%s loses %s", lost.Principal, lost.Meaning)
			}
		}
		last := change.Parts[len(change.Parts)-1]
		if last.Consumer != "333333333333/fn" || last.Action != Delete || last.Share != "" {
			t.Errorf("the lost part is shown as %+v", last)
		}
	})
	t.Run("the account of the dropped consumer is unreadable", func(t *testing.T) {
		less := strings.Join(strings.SplitAfter(both, "\n")[:4], "")
		p := build(t, load(t, less), everything)
		broken := live{"111111111111": l["111111111111"], "222222222222": {Failures: []ReadFailure{{Scope: ScopeAccount, Message: "AccessDenied"}}}}
		change := find(t, Compare(p, broken, Options{}), bucketPolicyID)
		if change.Action != Update || len(change.Lose) == 0 {
			t.Errorf("a loss waits for an unreadable account: %s, loses %d", change.Action, len(change.Lose))
		}
	})
	t.Run("access is narrowed", func(t *testing.T) {
		p := build(t, load(t, strings.Replace(both, "access: [read, write]", "access: read", 1)), everything)
		c := Compare(p, l, Options{})
		policy := find(t, c, "iam.Policy/333333333333/xshare.acme-data.fn")
		if policy.Action != Update || len(policy.Lose) == 0 || !slices.Contains(policy.After, bucketPolicyID) {
			t.Errorf("permissions policy: %s, loses %d, after %v", policy.Action, len(policy.Lose), policy.After)
		}
		if bucket := find(t, c, bucketPolicyID); bucket.gains() {
			t.Errorf("narrowing makes the bucket policy gain something: %+v", bucket.Parts)
		}
	})
	t.Run("a share is gone and its bucket is read by lead", func(t *testing.T) {
		other := `other
  bucket: {name: elsewhere, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: unrelated, create: true, trust: lambda}, access: list}
`
		p := build(t, load(t, other), everything)
		l["111111111111"].Listed = map[string]string{"mybucket": "us-east-1"}
		snaps := live{"111111111111": {Listed: l["111111111111"].Listed}, "222222222222": l["222222222222"]}
		leads := Leads(p, snaps)
		want := []Want{{Account: "111111111111", Buckets: []BucketWant{{Name: "mybucket", Region: "us-east-1"}}}}
		if diff := cmp.Diff(want, leads); diff != "" {
			t.Fatalf("leads (-want +got):\n%s", diff)
		}
		snaps["111111111111"].Add(&Snapshot{Buckets: map[string]*LiveBucket{"mybucket": l["111111111111"].Buckets["mybucket"]}})
		c := Compare(p, snaps, Options{})
		if got := find(t, c, bucketPolicyID); got.Action != Delete {
			t.Errorf("the statement left in the bucket's policy: %s", got.Action)
		}
		detach := find(t, c, attachmentID)
		if detach.Action != Delete || !slices.Contains(detach.After, bucketPolicyID) {
			t.Errorf("the attachment: %s, after %v; the bucket's side must close first", detach.Action, detach.After)
		}
		if orphans := Orphans(p, snaps); len(orphans) != 4 {
			t.Errorf("orphans: bucket, role, policy and profile expected: %v", orphans)
		}
	})
}

// What a role's policy loses is the role's loss, and goes after its bucket's,
// also where the policy stays for others' statements or for another share's.
func TestLossOfAPolicyIsItsRoles(t *testing.T) {
	const shared = "iam.Policy/333333333333/xshare.acme-data.fn"
	share := func(name, bucket, role string) string {
		return name + "\n  bucket: {name: " + bucket + ", account: lake, create: true}\n  consumers:\n    - {account: lab, role: " + role + ", access: read}\n"
	}
	for name, c := range map[string]struct {
		first, then []string
		foreign     bool
	}{
		"another share's": {
			first: []string{share("one", "mybucket", "{name: fn}"), share("two", "elsewhere", "{name: fn}")},
			then:  []string{share("two", "elsewhere", "{name: fn}")},
		},
		"others' statements": {
			first:   []string{share("one", "mybucket", "{name: fn}")},
			then:    []string{share("two", "elsewhere", "{name: unrelated, create: true, trust: lambda}")},
			foreign: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, c.first...), everything)
			l := newLive(p)
			l["333333333333"].Roles["fn"] = &LiveRole{Role: Role{Name: "fn", Path: "/", ARN: "arn:aws:iam::333333333333:role/fn"}}
			l.apply(t, Compare(p, l, Options{}))
			if c.foreign {
				policy := l["333333333333"].Policies["arn:aws:iam::333333333333:policy/xshare.acme-data.fn"]
				policy.Document = bytes.Replace(policy.Document, []byte(`"Statement":[`), []byte(`"Statement":[{"Sid":"Theirs","Effect":"Allow","Action":"sqs:*","Resource":"*"},`), 1)
			}
			p = build(t, load(t, c.then...), everything)
			l["111111111111"].Listed = map[string]string{"mybucket": "us-east-1"}
			policy := find(t, Compare(p, l, Options{}), shared)
			if policy.Action != Update || !slices.Contains(policy.After, bucketPolicyID) {
				t.Errorf("the policy: %s, after %q; the bucket's side must close first", policy.Action, policy.After)
			}
			last := policy.Parts[len(policy.Parts)-1]
			if last.Consumer != "333333333333/fn" || last.Action != Delete || last.Share != "" {
				t.Errorf("the lost part is shown as %+v", last)
			}
		})
	}
}

func TestDeadPrincipalOfOurs(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	bucket := l["111111111111"].Buckets["mybucket"]
	bucket.Policy = bytes.ReplaceAll(bucket.Policy, []byte(readerARN), []byte("AROAEXAMPLEEXAMPLE123"))
	c := Compare(p, l, Options{})
	change := find(t, c, bucketPolicyID)
	if change.Action != Update {
		t.Fatalf("action: %s", change.Action)
	}
	if len(c.Problems) == 0 || c.Problems[0].Code != "dead-principal" {
		t.Errorf("problems: %v", c.Problems)
	}
	l.apply(t, c)
	if bytes.Contains(bucket.Policy, []byte("AROA")) || len(actions(Compare(p, l, Options{}))) != 0 {
		t.Errorf("one put did not mend it: %s", bucket.Policy)
	}
}

func TestOwnership(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	tests := map[string]struct {
		change func(live)
		id     string
		adopt  bool
		want   Action
		code   string
	}{
		"unmarked role": {
			func(l live) { l["222222222222"].Roles["reader"].Tags = nil },
			readerRoleID, false, Adopt, "not-ours",
		},
		"unmarked role, adopted": {
			func(l live) { l["222222222222"].Roles["reader"].Tags = nil },
			readerRoleID, true, Adopt, "",
		},
		"another repository's role": {
			func(l live) { l["222222222222"].Roles["reader"].Tags = map[string]string{RepositoryTag: "theirs"} },
			readerRoleID, true, Error, "other-repository",
		},
		"role under another path": {
			func(l live) { l["222222222222"].Roles["reader"].Path = "/app/" },
			readerRoleID, true, Error, "role-path",
		},
		"unmarked policy": {
			func(l live) {
				l["222222222222"].Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"].Document = []byte(foreign2)
			},
			readerPolicyID, false, Adopt, "not-ours",
		},
		"another repository's policy": {
			func(l live) {
				doc := strings.Replace(foreign2, `"Effect"`, `"Sid":"`+iampolicy.MarkPrefix("theirs")+`0123456789","Effect"`, 1)
				l["222222222222"].Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"].Document = []byte(doc)
			},
			readerPolicyID, true, Error, "other-repository",
		},
		"policy of ours whose document was replaced": {
			func(l live) { replaced(l, map[string]string{RepositoryTag: "acme-data"}) },
			readerPolicyID, false, Update, "",
		},
		"unmarked policy whose tags were read": {
			func(l live) { replaced(l, map[string]string{"team": "theirs"}) },
			readerPolicyID, false, Adopt, "not-ours",
		},
		"unmarked policy whose tags were read, adopted": {
			func(l live) { replaced(l, map[string]string{"team": "theirs"}) },
			readerPolicyID, true, Adopt, "",
		},
		"policy with another repository's tag": {
			func(l live) { replaced(l, map[string]string{RepositoryTag: "theirs"}) },
			readerPolicyID, true, Error, "other-repository",
		},
		"policy with our tag and another repository's statements": {
			func(l live) {
				policy := replaced(l, map[string]string{RepositoryTag: "acme-data"})
				policy.Document = []byte(strings.Replace(foreign2, `"Effect"`, `"Sid":"`+iampolicy.MarkPrefix("theirs")+`0123456789","Effect"`, 1))
			},
			readerPolicyID, true, Error, "other-repository",
		},
		"policy whose tags cannot be read": {
			func(l live) {
				replaced(l, nil)
				l["222222222222"].Failures = []ReadFailure{{Scope: ScopePolicy + "xshare.acme-data.reader", Code: "AccessDenied", Message: "denied"}}
			},
			readerPolicyID, true, Error, "unreadable",
		},
		"profile with another role": {
			func(l live) { l["222222222222"].Profiles["reader"].Role = "else" },
			"iam.InstanceProfile/222222222222/reader", false, Error, "profile-role",
		},
		"profile with another role, adopted": {
			func(l live) { l["222222222222"].Profiles["reader"].Role = "else" },
			"iam.InstanceProfile/222222222222/reader", true, Adopt, "",
		},
		"profile without its role": {
			func(l live) { l["222222222222"].Profiles["reader"].Role = "" },
			"iam.InstanceProfile/222222222222/reader", false, Update, "",
		},
		"instance with another profile": {
			func(l live) {
				l["222222222222"].Instances[0].ProfileARN = "arn:aws:iam::222222222222:instance-profile/else"
			},
			"ec2.Instance/222222222222/us-east-1/client", false, Error, "instance-profile",
		},
		"instance with a profile that was deleted and made again": {
			func(l live) {
				l["222222222222"].Profiles["reader"].UniqueID = "AIPANEW"
				l["222222222222"].Instances[0].ProfileID = "AIPAOLD"
			},
			"ec2.Instance/222222222222/us-east-1/client", false, Update, "",
		},
		"instance of another type": {
			func(l live) { l["222222222222"].Instances[0].Type = "m5.large" },
			"ec2.Instance/222222222222/us-east-1/client", false, Noop, CodeInstanceDiffers,
		},
		"bucket elsewhere": {
			func(l live) { l["111111111111"].Buckets["mybucket"].Region = "eu-west-1" },
			"s3.Bucket/111111111111/mybucket", false, Error, "bucket-region",
		},
		"bucket taken": {
			func(l live) {
				delete(l["111111111111"].Buckets, "mybucket")
				l["111111111111"].Taken = map[string]bool{"mybucket": true}
			},
			"s3.Bucket/111111111111/mybucket", false, Error, "bucket-taken",
		},
		"unparsable bucket policy": {
			func(l live) { l["111111111111"].Buckets["mybucket"].Policy = []byte(`{"Statement":`) },
			bucketPolicyID, false, Error, "unparsable",
		},
		"dead principal in a foreign statement": {
			func(l live) {
				l["111111111111"].Buckets["mybucket"].Policy = []byte(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"AIDAEXAMPLEEXAMPLE123"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/*"}}`)
			},
			bucketPolicyID, false, Error, "foreign-dead-principal",
		},
		"too large a bucket policy": {
			func(l live) {
				l["111111111111"].Buckets["mybucket"].Policy = []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/` + strings.Repeat("x", 20400) + `"}}`)
			},
			bucketPolicyID, false, Error, "bucket-policy-too-large",
		},
		"a denied read is not absence": {
			func(l live) {
				l["111111111111"].Failures = []ReadFailure{{Scope: ScopeBucket + "mybucket", Code: "AccessDenied", Message: "denied"}}
			},
			bucketPolicyID, false, Error, "unreadable",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			test.change(l)
			c := Compare(p, l, Options{Adopt: test.adopt})
			if got := find(t, c, test.id).Action; got != test.want {
				t.Errorf("action %s, want %s; problems %v", got, test.want, c.Problems)
			}
			hasCode := slices.ContainsFunc(c.Problems, func(p specs.Problem) bool { return p.Code == test.code })
			if test.code != "" && !hasCode {
				t.Errorf("no problem %s in %v", test.code, c.Problems)
			}
			if test.code == "" && len(c.Problems) > 0 {
				t.Errorf("problems %v, want none", c.Problems)
			}
			for _, problem := range c.Problems {
				if problem.Mend == "" && problem.Code != "unreadable" {
					t.Errorf("%s says no mend", problem.Code)
				}
			}
		})
	}
}

// replaced puts a foreign document into the reader's policy, as somebody does
// who replaces it by hand.
func replaced(l live, tags map[string]string) *LivePolicy {
	policy := l["222222222222"].Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"]
	policy.Document, policy.Tags = []byte(foreign2), tags
	return policy
}

// What was put into a policy of ours instead of our statements is foreign, and
// stays beside them.
func TestReplacedPolicyIsRestored(t *testing.T) {
	for name, tag := range map[string]string{"our name": "acme-data", "a former name": "acme"} {
		t.Run(name, func(t *testing.T) {
			repo := load(t, recipe)
			repo.FormerNames = []string{"acme"}
			p := build(t, repo, everything)
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			replaced(l, map[string]string{RepositoryTag: tag})
			c := Compare(p, l, Options{Prune: true})
			if got := actions(c); len(got) != 1 || got[readerPolicyID] != Update || len(c.Problems) > 0 {
				t.Fatalf("changes %v, problems %v", got, c.Problems)
			}
			change := find(t, c, readerPolicyID)
			if !change.gains() || len(change.Lose) > 0 {
				t.Errorf("gains %v, loses %v", change.gains(), change.Lose)
			}
			l.apply(t, c)
			policy := l["222222222222"].Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"]
			if text := string(policy.Document); !strings.Contains(text, "s3:ListAllMyBuckets") || !strings.Contains(text, iampolicy.MarkPrefix("acme-data")) {
				t.Errorf("the policy is now %s", text)
			}
			if got := actions(Compare(p, l, Options{})); len(got) != 0 {
				t.Errorf("still to do: %v", got)
			}
		})
	}
}

// A policy whose tags cannot be read stops nothing but itself.
func TestUnreadPolicy(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	replaced(l, nil)
	l["222222222222"].Failures = []ReadFailure{{Scope: ScopePolicy + "xshare.acme-data.reader", Code: "AccessDenied", Message: "denied", Mend: "allow it"}}
	c := Compare(p, l, Options{Adopt: true})
	if got := actions(c); len(got) != 1 || got[readerPolicyID] != Error {
		t.Errorf("changes: %v", got)
	}
	want := specs.Problem{
		Code: "unreadable", Severity: specs.SeverityError, Account: "222222222222", Step: readerPolicyID, Source: p.Accounts["222222222222"].Pos,
		Message: "managed policy xshare.acme-data.reader of account 222222222222 cannot be read: denied", Mend: "allow it",
	}
	if diff := cmp.Diff([]specs.Problem{want}, c.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	l["222222222222"].Failures = []ReadFailure{{Scope: ScopeIAM}}
	if l["222222222222"].Failure(ScopePolicy+"xshare.acme-data.reader") == nil {
		t.Error("where IAM cannot be read, a policy can")
	}
}

// The mend of what carries no mark names only what its spec has.
func TestUnmarkedMends(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	l["111111111111"].Buckets["mybucket"].Tags = map[string]string{}
	snap := l["222222222222"]
	snap.Roles["reader"].Tags = nil
	snap.Profiles["reader"].Tags = nil
	snap.Policies["arn:aws:iam::222222222222:policy/xshare.acme-data.reader"].Document = []byte(foreign2)
	want := map[string]string{
		"s3.Bucket/111111111111/mybucket":         "drop `create: true`",
		readerRoleID:                              "drop `create: true`",
		readerPolicyID:                            "another `policyName`",
		"iam.InstanceProfile/222222222222/reader": "another profile in `instanceProfile`",
	}
	for _, problem := range Compare(p, l, Options{}).Problems {
		if !strings.Contains(problem.Mend, want[problem.Step]) || want[problem.Step] == "" {
			t.Errorf("%s: the mend is %q, want %q", problem.Step, problem.Mend, want[problem.Step])
		}
		delete(want, problem.Step)
	}
	if len(want) > 0 {
		t.Errorf("no problems of %v", want)
	}
}

func TestFormerNamesAreRenewed(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	repo := load(t, recipe)
	repo.FormerNames, repo.Name = []string{repo.Name}, "renamed"
	// The default policy's name holds the repository's, so this one is stated.
	repo.Shares[0].Consumers[0].PolicyName = "xshare.acme-data.reader"
	renamed := build(t, repo, everything)
	c := Compare(renamed, l, Options{})
	if got := find(t, c, bucketPolicyID); got.Action != Update || len(got.Lose) != 0 || got.gains() {
		t.Errorf("bucket policy: %s, loses %d, gains %v; only the marks change", got.Action, len(got.Lose), got.gains())
	}
	l.apply(t, c)
	if got := actions(Compare(renamed, l, Options{})); len(got) != 0 {
		t.Errorf("still to do: %v", got)
	}
	if bytes.Contains(l["111111111111"].Buckets["mybucket"].Policy, []byte(iampolicy.MarkPrefix("acme-data"))) {
		t.Error("a former mark is left")
	}
}
