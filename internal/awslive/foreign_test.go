package awslive

import (
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

func TestPublicPolicyIsLookedInto(t *testing.T) {
	public := func(bucket string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`
	}
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, owner).s3(region)
		open := func(name string) {
			b.bucket(t, name, "")
			_, err := api.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &name})
			must(t, err)
			_, err = api.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: aws.String(public(name))})
			must(t, err)
		}
		open("blocked")
		open("open-to-all")
		b.bucket(t, "private", strings.Replace(public("private"), `"*"`, `{"AWS":"`+b.role(t, consumer, "reader")+`"}`, 1))
		_, err := api.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: aws.String("blocked"), PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
			BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true),
		}})
		must(t, err)
		snap := observe(t, b.client(t, func(o *Options) { o.ReadOnly = true }), plan.Want{Account: owner, Buckets: []plan.BucketWant{
			{Name: "blocked"}, {Name: "open-to-all"}, {Name: "private"},
		}})
		for name, want := range map[string]*plan.PublicAccessBlock{
			"blocked":     {BlockPublicPolicy: true, IgnorePublicACLs: true},
			"open-to-all": {},
			"private":     nil,
		} {
			if diff := cmp.Diff(want, snap.Buckets[name].PublicAccessBlock); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// Ids of principals that are gone are taken out of what is there at the write,
// and nothing else of others is.
func TestDeadPrincipalsAreDropped(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		stays := b.role(t, consumer, "stays")
		dead := "AROAEXAMPLEEXAMPLE01"
		if b.sandbox != nil {
			// It takes no id in a put, as AWS: it makes one of a role that is deleted.
			dead = b.role(t, consumer, "gone")
		}
		s := b.bucket(t, "shared", `{"Version":"2012-10-17","Id":"theirs","Statement":[`+
			`{"Sid":"both","Effect":"Allow","Principal":{"AWS":["`+dead+`","`+stays+`"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shared/*"},`+
			`{"Sid":"only","Effect":"Allow","Principal":{"AWS":"`+dead+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::shared/*"}]}`)
		if b.sandbox != nil {
			_, err := b.raw(t, consumer).iam().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("gone")})
			must(t, err)
		}
		c := b.client(t)
		change := policyChange("shared", statement("shared", b.role(t, consumer, "reader"), "s3:GetObject"))
		change.DropDead = true
		if n := do(t, c, change); n != 1 {
			t.Errorf("it took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("again it took %d writes", n)
		}
		text, err := s.bucketPolicy(t.Context(), "shared", region)
		must(t, err)
		d, err := iampolicy.Parse(text)
		must(t, err)
		if d.ID != "theirs" || len(d.Statements) != 2 || d.Statements[0].Sid != "both" || strings.Contains(string(text), "AROA") {
			t.Fatalf("the policy is %s", text)
		}
		if p := d.Statements[0].Principal.AWS; len(p) != 1 || p[0] != stays {
			t.Errorf("left: %v", p)
		}
	})
}

// The same from the plan to the account: a policy that needs nothing else is
// mended alone, and then nothing is left to do.
func TestDeadPrincipalsAreDroppedByPlan(t *testing.T) {
	b := onSandbox(t)
	p, c := b.planned(t, share), b.client(t)
	applied(t, c, compared(t, c, p))
	gone := b.role(t, consumer, "gone")
	s := b.raw(t, owner)
	text, err := s.bucketPolicy(t.Context(), "mybucket2share", region)
	must(t, err)
	text = []byte(strings.Replace(string(text), `"Statement":[`, `"Statement":[{"Sid":"only","Effect":"Allow","Principal":{"AWS":"`+gone+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::mybucket2share/*"},`, 1))
	_, err = s.s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("mybucket2share"), Policy: aws.String(string(text))})
	must(t, err)
	_, err = b.raw(t, consumer).iam().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("gone")})
	must(t, err)

	actions := func(drop bool) (*plan.Changes, []string) {
		snaps := map[string]*plan.Snapshot{}
		for _, want := range p.Wants(false) {
			snaps[want.Account] = observe(t, c, want)
		}
		changes := plan.Compare(p, snaps, plan.Options{DropDeadPrincipals: drop})
		var differ []string
		for _, change := range changes.Steps {
			if change.Action != plan.Noop {
				differ = append(differ, string(change.Action)+" "+change.ID)
			}
		}
		return changes, differ
	}
	if _, differ := actions(false); len(differ) > 0 {
		t.Errorf("unasked: %v", differ)
	}
	changes, differ := actions(true)
	if diff := cmp.Diff([]string{"update s3.BucketPolicy/" + owner + "/mybucket2share"}, differ); diff != "" {
		t.Errorf("to do (-want +got):\n%s", diff)
	}
	applied(t, c, changes)
	if text, err = s.bucketPolicy(t.Context(), "mybucket2share", region); err != nil || strings.Contains(string(text), "only") {
		t.Errorf("the policy is %s (%v)", text, err)
	}
	if _, differ := actions(true); len(differ) > 0 {
		t.Errorf("once more: %v", differ)
	}
}

// Between our look and our creation somebody else in the account may create a
// bucket of that name. S3 says then that it is ours, which it is not.
func TestBucketCreatedByAnotherMeanwhile(t *testing.T) {
	for name, where := range map[string]string{"refused": "eu-west-1", "answered with success": "us-east-1"} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t)
			bucket := "theirs-in-" + where
			api := b.raw(t, owner).s3(where)
			in := &s3.CreateBucketInput{Bucket: &bucket}
			if where != "us-east-1" {
				in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(where)}
			}
			_, err := api.CreateBucket(t.Context(), in)
			must(t, err)
			theirs := []s3types.Tag{{Key: aws.String("team"), Value: aws.String("theirs")}}
			_, err = api.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &bucket, Tagging: &s3types.Tagging{TagSet: theirs}})
			must(t, err)
			must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: "s3", Operation: "HeadBucket", Kind: "error", Code: "NotFound", Status: 404}}))
			_, err = b.client(t).Do(t.Context(), &plan.Change{
				ID: "s3.Bucket/" + owner + "/" + bucket, Type: plan.TypeBucket, Account: owner, Region: where, Name: bucket, Action: plan.Create,
				Want: plan.Bucket{Name: bucket, Region: where, Tags: map[string]string{plan.RepositoryTag: "acme-data"}},
			})
			if err == nil || !strings.Contains(err.Error(), "exists already and does not carry the tag") {
				t.Errorf("it was taken over: %v", err)
			}
			out, err := api.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: &bucket})
			must(t, err)
			if len(out.TagSet) != 1 {
				t.Errorf("its tags are now %+v", out.TagSet)
			}
		})
	}
}
