package plan

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/specs"
)

const existing = `existing
  bucket: {name: mybucket, account: lake}
  consumers:
    - account: analytics
      role: {name: reader, create: true, trust: ec2}
      access: read
    - account: lab
      role: {name: fn, create: true, trust: lambda}
      access: [read, write]
`

const fnARN = "arn:aws:iam::333333333333:role/fn"

func opened(p *Plan, l live, opts Options) []string {
	var names []string
	for _, g := range Openings(Compare(p, l, opts), l) {
		names = append(names, g.Share+" "+consumerName(g.Consumer))
	}
	return names
}

func TestOpenings(t *testing.T) {
	tests := map[string]struct {
		change   func(*testing.T, *Plan, live)
		selected func(string) bool
		want     []string
	}{
		"all that is new":         {func(*testing.T, *Plan, live) {}, everything, []string{"existing 222222222222/reader", "existing 333333333333/fn"}},
		"nothing is left to do":   {func(t *testing.T, p *Plan, l live) { l.apply(t, Compare(p, l, Options{})) }, everything, nil},
		"the bucket is not there": {func(_ *testing.T, _ *Plan, l live) { delete(l["111111111111"].Buckets, "mybucket") }, everything, nil},
		"the account is not read": {func(_ *testing.T, _ *Plan, l live) { delete(l, "111111111111") }, everything, nil},
		"the policy is not read": {func(_ *testing.T, _ *Plan, l live) {
			l["111111111111"].Failures = []ReadFailure{{Scope: ScopeBucket + "mybucket"}}
		}, everything, nil},
		"outside --only": {func(*testing.T, *Plan, live) {}, only("other"), nil},
		"one is there": {func(t *testing.T, p *Plan, l live) {
			l.apply(t, Compare(p, l, Options{}))
			b := l["111111111111"].Buckets["mybucket"]
			b.Policy = bytes.ReplaceAll(b.Policy, []byte(readerARN), []byte("arn:aws:iam::222222222222:role/somebody"))
		}, everything, []string{"existing 222222222222/reader"}},
		"only a loss": {func(t *testing.T, p *Plan, l live) {
			l.apply(t, Compare(p, l, Options{}))
			b := l["111111111111"].Buckets["mybucket"]
			b.Policy = bytes.ReplaceAll(b.Policy, []byte(`"s3:GetObject"`), []byte(`["s3:GetObject","s3:DeleteObject"]`))
		}, everything, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, existing, "other\n  bucket: {name: other, account: lake, create: true}\n  consumers: [{account: lab, role: {name: fn, create: true, trust: lambda}, access: read}]\n"), test.selected)
			l := newLive(p)
			l["111111111111"].Buckets["mybucket"] = &LiveBucket{Name: "mybucket", Region: "us-east-1"}
			test.change(t, p, l)
			if diff := cmp.Diff(test.want, opened(p, l, Options{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncryptionIsReadOnce(t *testing.T) {
	p := build(t, load(t, existing), everything)
	l := newLive(p)
	l["111111111111"].Buckets["mybucket"] = &LiveBucket{Name: "mybucket", Region: "eu-west-1"}
	grants := Openings(Compare(p, l, Options{}), l)
	want := []Want{{Account: "111111111111", Encryption: []BucketWant{{Name: "mybucket", Region: "eu-west-1"}}}}
	if diff := cmp.Diff(want, EncryptionWants(grants, l)); diff != "" {
		t.Errorf("encryption (-want +got):\n%s", diff)
	}
	JoinKeys(l, map[string]*Snapshot{"111111111111": {Buckets: map[string]*LiveBucket{
		"mybucket": {Name: "mybucket", Encryption: &Encryption{Algorithm: "aws:kms", Key: "arn:aws:kms:eu-west-1:333333333333:key/k"}},
	}}})
	if got := EncryptionWants(grants, l); len(got) != 0 {
		t.Errorf("it is read again: %+v", got)
	}
	accounts := []*specs.Account{{ID: "333333333333", Manage: true}}
	want = []Want{{Account: "333333333333", Keys: []KeyWant{{ID: "arn:aws:kms:eu-west-1:333333333333:key/k", Region: "eu-west-1"}}}}
	if diff := cmp.Diff(want, KeyWants(l, accounts)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	l["333333333333"].Failures = []ReadFailure{{Scope: ScopeAccount}}
	if got := KeyWants(l, accounts); len(got) != 0 {
		t.Errorf("an account that is out of reach is read again: %+v", got)
	}
}

// An account that is reached for its keys only, and cannot be, makes no step of
// the plan unreadable.
func TestJoinKeysFailsNothing(t *testing.T) {
	p := build(t, load(t, existing), everything)
	l := newLive(p)
	l["111111111111"].Buckets["mybucket"] = &LiveBucket{Name: "mybucket", Region: "us-east-1", Policy: []byte("kept")}
	denied := ReadFailure{Scope: ScopeAccount, Message: "denied"}
	JoinKeys(l, map[string]*Snapshot{
		"111111111111": {Failures: []ReadFailure{denied}, Unread: []ReadFailure{{Scope: ScopeKey + "k"}}},
		"555555555555": {Failures: []ReadFailure{denied}},
	})
	for account, scopes := range map[string][]string{"111111111111": {ScopeKey + "k", ScopeAccount}, "555555555555": {ScopeAccount}} {
		s := l[account]
		if len(s.Failures) != 0 || s.NotRead(scopes[0]) == nil || s.NotRead(scopes[len(scopes)-1]) == nil {
			t.Errorf("%s: %+v", account, s)
		}
	}
	if string(l["111111111111"].Buckets["mybucket"].Policy) != "kept" {
		t.Error("the bucket's policy is lost")
	}
}

func refusal(consumer string) Refusal {
	return Refusal{Share: "existing", Consumer: consumer, Problems: []specs.Problem{{
		Code: "kms-key-policy-lacks", Severity: specs.SeverityError, Share: "existing", Step: bucketPolicyID, Message: "no",
	}}}
}

func TestRefused(t *testing.T) {
	const reader, fn = "222222222222/reader", "333333333333/fn"
	p := build(t, load(t, existing), everything)
	fresh := func() live {
		l := newLive(p)
		l["111111111111"].Buckets["mybucket"] = &LiveBucket{Name: "mybucket", Region: "us-east-1"}
		return l
	}
	codes := func(c *Changes) (list []string) {
		for _, problem := range c.Problems {
			list = append(list, problem.Code)
		}
		return list
	}
	parts := func(change *Change) map[string]Action {
		m := map[string]Action{}
		for _, part := range change.Parts {
			m[part.Consumer] = part.Action
		}
		return m
	}
	one := []string{"kms-key-policy-lacks"}

	t.Run("the other is opened", func(t *testing.T) {
		l := fresh()
		c := Compare(p, l, Options{Refused: []Refusal{refusal(fn)}})
		change := find(t, c, bucketPolicyID)
		if diff := cmp.Diff(map[string]Action{reader: Create, fn: Error}, parts(change)); diff != "" || change.Action != Create {
			t.Errorf("%s: %s", change.Action, diff)
		}
		if !slices.Equal(codes(c), one) {
			t.Errorf("problems: %q", codes(c))
		}
		l.apply(t, c)
		if policy := l["111111111111"].Buckets["mybucket"].Policy; !bytes.Contains(policy, []byte(readerARN)) || bytes.Contains(policy, []byte(fnARN)) {
			t.Errorf("written: %s", policy)
		}
		if l["333333333333"].Roles["fn"] == nil || len(l["333333333333"].Policies) != 1 {
			t.Error("the consumer's side is not made")
		}

		// What is left of the step is nothing.
		c = Compare(p, l, Options{Refused: []Refusal{refusal(fn)}})
		change = find(t, c, bucketPolicyID)
		if diff := cmp.Diff(map[string]Action{bucketPolicyID: Error}, actions(c)); diff != "" {
			t.Errorf("the second time (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]Action{reader: Noop, fn: Error}, parts(change)); diff != "" || !slices.Equal(codes(c), one) {
			t.Errorf("%q %s", codes(c), diff)
		}
		if after := change.Want.(BucketPolicy).Document; !bytes.Equal(after, change.Live) {
			t.Errorf("it would become %s", after)
		}
	})

	t.Run("nobody is opened", func(t *testing.T) {
		c := Compare(p, fresh(), Options{Refused: []Refusal{refusal(fn), refusal(reader)}})
		change := find(t, c, bucketPolicyID)
		if change.Action != Error || change.document().After != nil || len(codes(c)) != 2 {
			t.Errorf("%s, problems %q", change.Action, codes(c))
		}
	})

	t.Run("what is live of it stays", func(t *testing.T) {
		l := fresh()
		narrow := build(t, load(t, existing[:len(existing)-len("[read, write]\n")]+"read\n"), everything)
		l.apply(t, Compare(narrow, l, Options{}))
		c := Compare(p, l, Options{Refused: []Refusal{refusal(fn)}})
		if change := find(t, c, bucketPolicyID); change.Action != Error || len(change.Lose) != 0 {
			t.Errorf("%s, loses %v", change.Action, change.Lose)
		}
		policy := find(t, c, "iam.Policy/333333333333/xshare.acme-data.fn")
		if policy.Action != Update {
			t.Errorf("the role's policy: %s", policy.Action)
		}
	})

	t.Run("a loss goes on", func(t *testing.T) {
		l := fresh()
		l.apply(t, Compare(p, l, Options{}))
		b := l["111111111111"].Buckets["mybucket"]
		b.Policy = bytes.ReplaceAll(b.Policy, []byte(fnARN), []byte("arn:aws:iam::333333333333:role/old"))
		c := Compare(p, l, Options{Refused: []Refusal{refusal(fn)}})
		change := find(t, c, bucketPolicyID)
		if diff := cmp.Diff(map[string]Action{reader: Noop, fn: Error, "333333333333/old": Delete}, parts(change)); diff != "" || change.Action != Update {
			t.Errorf("%s: %s", change.Action, diff)
		}
		l.apply(t, c)
		if bytes.Contains(b.Policy, []byte("333333333333")) {
			t.Errorf("still open: %s", b.Policy)
		}
	})

	t.Run("a saved plan", func(t *testing.T) {
		open, refused := Compare(p, fresh(), Options{}), Compare(p, fresh(), Options{Refused: []Refusal{refusal(fn)}})
		if stale := refused.Stale(open.Document("")); len(stale) != 0 {
			t.Errorf("to do less than was consented to is stale: %v", stale)
		}
		if stale := open.Stale(refused.Document("")); len(stale) != 1 || stale[0].Step != bucketPolicyID {
			t.Errorf("what was refused is opened by its consent: %v", stale)
		}
	})
}
