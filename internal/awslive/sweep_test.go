package awslive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

// tagged makes a bucket with a mark.
func (b *backend) tagged(t *testing.T, name, region, mark string) {
	t.Helper()
	api := b.raw(t, owner).s3(region)
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	_, err := api.CreateBucket(t.Context(), in)
	must(t, err)
	_, err = api.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &name, Tagging: &s3types.Tagging{
		TagSet: bucketTagList(map[string]string{plan.RepositoryTag: mark}),
	}})
	must(t, err)
}

func TestSweepFindsBuckets(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		b.tagged(t, "one-of-ours", region, "acme-data")
		b.tagged(t, "once-ours", "eu-west-1", "acme")
		b.tagged(t, "of-others", region, "another")
		b.tagged(t, "wanted", region, "acme-data")
		b.bucket(t, "unmarked", "")
		// A statement of ours in its policy does not make its tags needless.
		_, err := b.raw(t, owner).s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
			Bucket: aws.String("one-of-ours"),
			Policy: aws.String(string(iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{
				statement("one-of-ours", b.role(t, consumer, "reader"), "s3:GetObject"),
			}}))),
		})
		must(t, err)
		snap := observe(t, b.client(t), plan.Want{
			Account: owner, Sweep: []string{"eu-west-1", region}, Buckets: []plan.BucketWant{{Name: "wanted", Region: region}},
		})
		got := map[string]string{}
		for name, bucket := range snap.Buckets {
			got[name] = bucket.Region + " " + bucket.Tags[plan.RepositoryTag]
		}
		want := map[string]string{"one-of-ours": region + " acme-data", "once-ours": "eu-west-1 acme", "wanted": region + " "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
		if snap.Buckets["one-of-ours"].Policy == nil {
			t.Error("the policy was not read")
		}
		if diff := cmp.Diff([]string{"of-others", "once-ours", "one-of-ours", "unmarked", "wanted"}, keys(snap.Listed)); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
	})
}

// More than a page of buckets, and more names than a filter takes.
func TestSweepReadsAllPages(t *testing.T) {
	b := onSandbox(t)
	var want []string
	for i := range 120 {
		name := fmt.Sprintf("bucket-%03d", i)
		b.tagged(t, name, region, "acme-data")
		want = append(want, name)
	}
	b.tagged(t, "under-the-last-name", region, "name-40")
	want = append(want, "under-the-last-name")
	c := b.client(t, func(o *Options) {
		o.FormerNames = nil
		for i := range 41 {
			o.FormerNames = append(o.FormerNames, fmt.Sprintf("name-%d", i))
		}
	})
	snap := observe(t, c, plan.Want{Account: owner, Sweep: []string{region}})
	if diff := cmp.Diff(want, keys(snap.Buckets)); diff != "" {
		t.Errorf("buckets (-want +got):\n%s", diff)
	}
	if n := c.options.Stats.Report().Calls[owner]["tagging:GetResources"]; n != 4 {
		t.Errorf("%d calls, want two pages and two further filters", n)
	}
}

func TestDeniedSearch(t *testing.T) {
	b := onSandbox(t)
	b.tagged(t, "ours", region, "acme-data")
	b.bucket(t, "wanted", "")
	_, err := b.raw(t, owner).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("deny"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"tag:*","Resource":"*"}]}`),
	})
	must(t, err)
	snap, err := b.client(t, func(o *Options) { o.ReadOnly = true }).Observe(t.Context(), plan.Want{
		Account: owner, IAM: true, Sweep: []string{region}, Buckets: []plan.BucketWant{{Name: "wanted"}},
	})
	must(t, err)
	if len(snap.Failures) != 1 {
		t.Fatalf("failures: %+v", snap.Failures)
	}
	if f := snap.Failures[0]; f.Scope != plan.ScopeTags+region || f.Code != "AccessDeniedException" || !strings.Contains(f.Mend, "tag:GetResources") || !strings.Contains(f.Message, "tagging:GetResources") {
		t.Errorf("failure is %+v", f)
	}
	if f := snap.Failure(plan.ScopeBucket + "wanted"); f != nil || snap.Buckets["wanted"] == nil {
		t.Errorf("the failed search covers a wanted bucket: %+v", f)
	}
}

// What a prune that was cut short leaves: a profile without its role.
func TestSweepFindsEmptyProfiles(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, consumer).iam()
		for name, tags := range map[string]map[string]string{"ours": ourTags, "theirs": nil} {
			_, err := api.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &name, Tags: iamTagList(tags)})
			must(t, err)
		}
		c := b.client(t)
		got := observe(t, c, plan.Want{Account: consumer, IAM: true, Sweep: []string{region}}).Profiles
		if len(got) != 1 || got["ours"] == nil || got["ours"].Tags[plan.RepositoryTag] != "acme-data" {
			t.Errorf("profiles: %v", got)
		}
		if got := observe(t, c, plan.Want{Account: consumer, IAM: true}).Profiles; len(got) != 0 {
			t.Errorf("without a sweep: %v", got)
		}
	})
}

// Of an account full of roles, policies and profiles, the snapshot keeps what is
// wanted, what is ours and what these hang on.
func TestSnapshotLeavesOutWhatIsForeign(t *testing.T) {
	const arn = "arn:aws:iam::" + consumer + ":policy/"
	own := string(iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{statement("b", "", "s3:GetObject")}}))
	b := onSandbox(t, func(o *sandbox.Options) {
		role := func(name, boundary string, tags map[string]string, attached ...string) {
			o.Seed.Roles = append(o.Seed.Roles, sandbox.SeedRole{Account: consumer, Name: name, Trust: ec2Trust, Tags: tags, Attached: attached, Boundary: boundary})
			o.Seed.Profiles = append(o.Seed.Profiles, sandbox.SeedProfile{Account: consumer, Name: name, Role: name})
		}
		policy := func(name, document string) {
			o.Seed.Policies = append(o.Seed.Policies, sandbox.SeedPolicy{Account: consumer, Name: name, Document: document})
		}
		for i := range 300 {
			policy(fmt.Sprintf("foreign%03d", i), everything)
			role(fmt.Sprintf("foreign%03d", i), arn+"foreign000", nil, fmt.Sprintf("%sforeign%03d", arn, i))
		}
		for _, name := range []string{"wanted-policy", "on-wanted", "limits-wanted", "on-led"} {
			policy(name, everything)
		}
		policy("zz-ours", own) // after all others
		policy("orphan", own)
		role("wanted", arn+"limits-wanted", nil, arn+"on-wanted")
		role("tagged", "", ourTags)
		role("led", "", nil, arn+"on-led", arn+"zz-ours")
		o.Seed.Profiles = append(o.Seed.Profiles, sandbox.SeedProfile{Account: consumer, Name: "wanted-profile"})
	})
	snap := observe(t, b.client(t), plan.Want{
		Account: consumer, IAM: true, Roles: []string{"wanted"}, Policies: []string{arn + "wanted-policy"}, Profiles: []string{"wanted-profile"},
	})
	for what, c := range map[string]struct{ got, want []string }{
		"roles":    {keys(snap.Roles), []string{"led", "tagged", "wanted"}},
		"policies": {keys(snap.Policies), []string{arn + "limits-wanted", arn + "on-led", arn + "on-wanted", arn + "orphan", arn + "wanted-policy", arn + "zz-ours"}},
		"profiles": {keys(snap.Profiles), []string{"led", "tagged", "wanted", "wanted-profile"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func keys[V any](m map[string]V) []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
