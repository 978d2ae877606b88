package describe

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func TestOneIsRefused(t *testing.T) {
	s := newScene(t, "")
	s.bucket("data", names(roleARN(analytics, "aws-service-role/x.amazonaws.com/service"), roleARN(analytics, "reader")))
	s.bucket("Old_Data", strings.ReplaceAll(names(roleARN(analytics, "reader")), ":::data", ":::Old_Data"))
	s.role("reader")
	s.role("service", func(r *plan.LiveRole) { r.Path = "/aws-service-role/x.amazonaws.com/" })
	_, problems, found := s.found(t)
	if len(found.Shares) != 1 || len(found.Shares[0].Consumers) != 1 || len(problems) != 2 || len(found.Spare) > 0 {
		t.Errorf("%q, %+v", problems, found)
	}
}

func TestNothingMoreIsDescribed(t *testing.T) {
	actions := []string{"s3:GetObject", "s3:PutObject", "s3:Get*", "s3:ListBucket", "s3:*", "*", "s3:GetBucketLocation", "s3:DeleteObject"}
	resources := []string{"*", "arn:aws:s3:::data", "arn:aws:s3:::data/*", "arn:aws:s3:::data/in/*", "arn:aws:s3:::data/in/a/*", "arn:aws:s3:::data*", "arn:aws:s3:::*", "arn:aws:s3:::d?ta/in/*", "arn:aws:s3:::data/*/a", "arn:aws:s3:::data/in*", "arn:aws:s3:::data/i?/*", "arn:aws:s3:::dat", "arn:aws:s3:::*/in/*", "arn:*:s3:::data/*", "arn:aws:s3:*:*:data/*", "arn:aws:s3:::data/${aws:PrincipalAccount}/*"}
	conditions := []string{"", "", "", `,"Condition":{"StringLike":{"s3:prefix":["in/*"]}}`, `,"Condition":{"StringLike":{"s3:prefix":["in/","in/*","out/*"]}}`, `,"Condition":{"StringEquals":{"s3:prefix":["in/"]}}`, `,"Condition":{"StringLike":{"s3:prefix":["in*"]}}`, `,"Condition":{"StringLike":{"s3:prefix":[]}}`, `,"Condition":{"StringLikeIfExists":{"s3:prefix":["in/*"]}}`, `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`}
	draw := func(t *rapid.T, more string) []byte {
		var list []string
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			list = append(list, fmt.Sprintf(`{"Effect":"Allow"%s,"Action":["%s"],"Resource":["%s"]%s}`, more,
				strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(actions), 1, 3, rapid.ID).Draw(t, "actions"), `","`),
				strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(resources), 1, 3, rapid.ID).Draw(t, "resources"), `","`),
				rapid.SampledFrom(conditions).Draw(t, "condition")))
		}
		return policy(list...)
	}
	empty := newScene(t, "")
	arn := roleARN(analytics, "reader")
	described := 0
	rapid.Check(t, func(t *rapid.T) {
		s := *empty
		s.snapshots = map[string]*plan.Snapshot{lake: {Account: lake}, analytics: {Account: analytics}}
		onBucket, own := draw(t, `,"Principal":{"AWS":"`+arn+`"}`), draw(t, "")
		s.snapshots[lake].Buckets = map[string]*plan.LiveBucket{"data": {Name: "data", Region: "us-east-1", Policy: onBucket}}
		s.snapshots[analytics].Roles = map[string]*plan.LiveRole{"reader": {Role: plan.Role{Name: "reader", Path: "/", ARN: arn}, Inline: map[string][]byte{"own": own}}}
		resource, err := iampolicy.ParseLive(onBucket)
		if err != nil {
			t.Fatal(err)
		}
		identity, err := iampolicy.ParseLive(own)
		if err != nil {
			t.Fatal(err)
		}
		found := Shares(s.plan, s.repo, s.snapshots, true)
		for _, p := range found.Problems {
			if p.Code == plan.CodeOpensUnasked {
				t.Fatalf("%s:\nbucket %s\nrole %s", p.Message, onBucket, own)
			}
		}
		for _, share := range found.Shares {
			for _, c := range share.Consumers {
				for action, places := range promised(c) {
					known, _ := iampolicy.LookupS3Action(action)
					if iampolicy.OwnersOnly(action) { // access full means what can be had
						continue
					}
					for _, place := range places {
						for _, key := range []string{"", "a", "in", "in/", "in/a", "in/a/b", "out/x", "222222222222/x", "z.csv"} {
							q := iampolicy.Request{
								Caller: iampolicy.Caller{Kind: iampolicy.Role, ARN: arn}, Action: action, Resource: "arn:aws:s3:::data", ResourceAccount: lake,
								Context: map[string][]string{"aws:SecureTransport": {"false"}, "s3:prefix": {place + key}},
							}
							if known.Level == iampolicy.ObjectLevel {
								if place+key == "" {
									continue
								}
								q.Resource += "/" + place + key
								delete(q.Context, "s3:prefix")
							} else if !iampolicy.SendsPrefix(action) || place+key == "" {
								delete(q.Context, "s3:prefix")
							}
							described++
							d := iampolicy.Evaluate(q, iampolicy.Policies{Identity: []iampolicy.Named{{Name: "own", Document: identity}}, Resource: &iampolicy.Named{Name: "bucket", Document: resource}})
							if !d.Allowed() {
								t.Fatalf("%s on %s with %v is described and not allowed:\nbucket %s\nrole %s", action, q.Resource, q.Context, onBucket, own)
							}
						}
					}
				}
			}
		}
	})
	if described == 0 {
		t.Error("nothing was described")
	}
}

func TestOpensNothing(t *testing.T) {
	s := newScene(t, "")
	s.bucket("data", names(roleARN(analytics, "reader")))
	s.bucket("more", strings.ReplaceAll(names(roleARN(analytics, "reader")), ":::data", ":::more"))
	s.role("reader")
	_, _, found := s.found(t)
	found.Shares[0].Consumers[0].Access = []specs.Access{specs.AccessRead, specs.AccessDelete}
	kept, problems := newLive(s.plan, s.repo, s.snapshots).opensNothing(found.Shares)
	if len(kept) != 1 || kept[0].Name != "more" {
		t.Errorf("%+v", kept)
	}
	if len(problems) != 1 || problems[0].Code != plan.CodeOpensUnasked || !strings.Contains(problems[0].Message, "s3:DeleteObject on arn:aws:s3:::data/* would be opened to "+roleARN(analytics, "reader")) {
		t.Errorf("%+v", problems)
	}
}

func TestNotProved(t *testing.T) {
	deny := `{"Effect":"Deny","Principal":{"AWS":"AROAEXAMPLEEXAMPLE12"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`
	for name, c := range map[string]struct {
		statement string
		shares    int
		told      string
	}{
		"in a Deny":   {deny, 1, "whether the shares of bucket data open nothing could not be proved"},
		"in an Allow": {strings.Replace(deny, "Deny", "Allow", 1), 0, "s3:DeleteObject on arn:aws:s3:::data/* would be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "")
			s.bucket("data", names(roleARN(analytics, "reader")), c.statement)
			s.role("reader")
			_, _, found := s.found(t)
			found.Shares[0].Consumers[0].Access = []specs.Access{specs.AccessRead, specs.AccessDelete}
			kept, problems := newLive(s.plan, s.repo, s.snapshots).opensNothing(found.Shares)
			if len(kept) != c.shares || len(problems) != 1 || !strings.Contains(problems[0].Message, c.told) {
				t.Errorf("%d shares, %+v", len(kept), problems)
			}
		})
	}
}

func TestContradiction(t *testing.T) {
	s := newScene(t, `apiVersion: xshare/v1
kind: Share
metadata: {name: first}
spec:
  bucket: {name: data, account: analytics}
  consumers:
    - {account: analytics, role: {name: x}, access: read}
`)
	s.bucket("data", names(roleARN(analytics, "reader")))
	s.role("reader")
	_, problems, found := s.found(t)
	if len(found.Shares) > 0 || len(found.Spare) > 0 || len(problems) != 1 || !strings.HasPrefix(problems[0], `share data is in no share, as specs cannot say it: bucket "data" has account`) {
		t.Errorf("%q %+v", problems, found)
	}
}
