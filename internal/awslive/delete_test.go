package awslive

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

// deletion is a change that deletes a whole resource, as plan makes it.
func deletion(kind plan.Type, account string, before plan.Resource) *plan.Change {
	return &plan.Change{ID: string(kind) + "/" + account + "/x", Type: kind, Account: account, Region: region, Action: plan.Delete, Before: before}
}

var ourTags = map[string]string{plan.RepositoryTag: "acme-data"}

// refused is a change that must fail with all of the words, without a write.
func refused(t *testing.T, c *Client, change *plan.Change, words ...string) {
	t.Helper()
	done, err := c.Do(t.Context(), change)
	if err == nil || done.Writes > 0 {
		t.Fatalf("%s: done with %d writes, error %v", change.ID, done.Writes, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error lacks %q: %v", w, err)
		}
	}
}

func TestDeleteRole(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, consumer).iam()
		role := func(name string, tags map[string]string) plan.Role {
			out, err := api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(ec2Trust), Tags: iamTagList(tags)})
			must(t, err)
			return plan.Role{Name: name, Path: "/", ARN: aws.ToString(out.Role.Arn), Tags: ourTags}
		}
		c := b.client(t)
		gone := deletion(plan.TypeRole, consumer, role("mine", map[string]string{plan.RepositoryTag: "acme"}))
		if n := do(t, c, gone); n != 1 {
			t.Errorf("deleting took %d writes", n)
		}
		if n := do(t, c, gone); n != 0 {
			t.Errorf("deleting again took %d writes", n)
		}
		refused(t, c, deletion(plan.TypeRole, consumer, role("theirs", nil)), "role theirs", "any more", "plan anew")
		refused(t, c, deletion(plan.TypeRole, consumer, role("others", map[string]string{plan.RepositoryTag: "another"})), "role others", "any more")

		held := role("held", ourTags)
		_, err := api.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &held.Name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(everything)})
		must(t, err)
		refused(t, c, deletion(plan.TypeRole, consumer, held), "DeleteConflict", "by hand")
		live := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"mine", "theirs", "others", "held"}}).Roles
		if live["mine"] != nil || live["theirs"] == nil || live["others"] == nil || live["held"] == nil {
			t.Errorf("roles left: %v", live)
		}
	})
}

func TestDeletePolicy(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, consumer).iam()
		policy := func(name string, documents ...[]byte) plan.Policy {
			out, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(string(documents[0]))})
			must(t, err)
			for _, text := range documents[1:] {
				_, err := api.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: out.Policy.Arn, PolicyDocument: aws.String(string(text)), SetAsDefault: true})
				must(t, err)
			}
			return plan.Policy{Name: name, ARN: aws.ToString(out.Policy.Arn), Document: documents[len(documents)-1]}
		}
		ours := func(actions ...string) []byte {
			return iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{statement("b", "", actions...)}})
		}
		c := b.client(t)
		gone := deletion(plan.TypePolicy, consumer, policy("mine", ours("s3:GetObject"), ours("s3:PutObject"), ours("s3:DeleteObject")))
		if n := do(t, c, gone); n != 3 {
			t.Errorf("deleting two versions and the policy took %d writes", n)
		}
		if n := do(t, c, gone); n != 0 {
			t.Errorf("deleting again took %d writes", n)
		}
		refused(t, c, deletion(plan.TypePolicy, consumer, policy("theirs", ours("s3:GetObject"), []byte(everything))), "policy/theirs", "any more")
		mixed, err := iampolicy.Merge([]byte(everything), c.options.Ours, []iampolicy.Statement{statement("b", "", "s3:GetObject")})
		must(t, err)
		refused(t, c, deletion(plan.TypePolicy, consumer, policy("mixed", mixed)), "policy/mixed", "not ours", "by hand")
	})
}

func TestDeleteInstance(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		c := b.client(t)
		d := &doing{session: b.raw(t, consumer), change: &plan.Change{}}
		image, _, err := d.imageOf(t.Context(), region, "amazon-linux-2023")
		must(t, err)
		id := b.instance(t, image)
		gone := deletion(plan.TypeInstance, consumer, plan.Instance{ID: id, Region: region, Tags: ourTags})
		refused(t, c, gone, id, "any more")
		_, err = b.raw(t, consumer).ec2(region).CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: ec2TagList(ourTags)})
		must(t, err)
		if n := do(t, c, gone); n != 1 {
			t.Errorf("terminating took %d writes", n)
		}
		if n := do(t, c, gone); n != 0 {
			t.Errorf("terminating again took %d writes", n)
		}
		if left := observe(t, c, plan.Want{Account: consumer, Instances: []plan.InstanceWant{{Region: region, Named: true}}}).Instances; len(left) > 0 {
			t.Errorf("instances left: %v", left)
		}
		if n := do(t, c, deletion(plan.TypeInstance, consumer, plan.Instance{ID: "i-0123456789abcdef0", Region: region})); n != 0 {
			t.Errorf("one that never was took %d writes", n)
		}
	})
}

func TestDeleteBucket(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, owner).s3(region)
		bucket := func(name string, tags map[string]string) plan.Bucket {
			b.bucket(t, name, "")
			if tags != nil {
				_, err := api.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &name, Tagging: &s3types.Tagging{TagSet: bucketTagList(tags)}})
				must(t, err)
			}
			return plan.Bucket{Name: name, Region: region, Tags: ourTags}
		}
		c := b.client(t)
		full := deletion(plan.TypeBucket, owner, bucket("full-one", ourTags))
		_, err := api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("full-one"), Key: aws.String("k")})
		must(t, err)
		refused(t, c, full, "BucketNotEmpty", "left alone")
		_, err = api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("full-one"), Key: aws.String("k")})
		must(t, err)
		if n := do(t, c, full); n != 1 {
			t.Errorf("deleting took %d writes", n)
		}
		if n := do(t, c, full); n != 0 {
			t.Errorf("deleting again took %d writes", n)
		}
		refused(t, c, deletion(plan.TypeBucket, owner, bucket("untagged", nil)), "bucket untagged", "any more")
		foreign := deletion(plan.TypeBucket, owner, bucket("foreign", ourTags))
		_, err = api.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("foreign"), Policy: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::foreign/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)})
		must(t, err)
		refused(t, c, foreign, "bucket foreign", "not ours")
		left := observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "full-one"}, {Name: "untagged"}, {Name: "foreign"}}}).Buckets
		if diff := cmp.Diff([]string{"foreign", "untagged"}, keys(left)); diff != "" {
			t.Errorf("buckets left (-want +got):\n%s", diff)
		}
	})
}

// A bucket that another account has by now is nobody's to delete.
func TestDeleteBucketOfAnotherAccount(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "moved", "")
	refused(t, b.client(t), deletion(plan.TypeBucket, consumer, plan.Bucket{Name: "moved", Region: region, Tags: ourTags}), "moved")
	if n := b.journal.count(t, "s3:DeleteBucket"); n != 0 {
		t.Errorf("%d deletes were tried", n)
	}
}

// moto does not know the filter iam-instance-profile.arn: it cannot judge this.
func TestDeleteInstanceProfile(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) {
		o.Seed.Subnets = append(o.Seed.Subnets, sandbox.SeedSubnet{Account: consumer, Region: "eu-west-1", ID: "subnet-far"})
	})
	api := b.raw(t, consumer).iam()
	profile := func(name string) plan.InstanceProfile {
		arn := b.profile(t, name)
		_, err := api.TagInstanceProfile(t.Context(), &iam.TagInstanceProfileInput{InstanceProfileName: &name, Tags: iamTagList(ourTags)})
		must(t, err)
		return plan.InstanceProfile{Name: name, Path: "/", ARN: arn, Role: name, Tags: ourTags}
	}
	regions := func(o *Options) { o.Regions = []string{region, "eu-west-1"} }
	c := b.client(t, regions)

	free := deletion(plan.TypeInstanceProfile, consumer, profile("free"))
	refused(t, b.client(t), free, "no regions are known")
	if n := do(t, c, free); n != 2 {
		t.Errorf("taking its role out and deleting it took %d writes", n)
	}
	if n := do(t, c, free); n != 0 {
		t.Errorf("deleting again took %d writes", n)
	}

	used := profile("used")
	d := &doing{session: b.raw(t, consumer), change: &plan.Change{}}
	id, err := d.launch(t.Context(), plan.Instance{Name: "far", Region: "eu-west-1", Image: "amazon-linux-2023", Type: "t3.micro", Subnet: "subnet-far", ProfileARN: used.ARN, Tags: ourTags})
	must(t, err)
	refused(t, c, deletion(plan.TypeInstanceProfile, consumer, used), "eu-west-1", id, "left alone")
	if live, err := d.readProfile(t.Context(), "used"); err != nil || live.Role != "used" {
		t.Errorf("a profile in use was changed: %+v (%v)", live, err)
	}
	do(t, c, deletion(plan.TypeInstance, consumer, plan.Instance{ID: id, Region: "eu-west-1"}))
	do(t, c, deletion(plan.TypeInstanceProfile, consumer, used))

	other := profile("other")
	other.Role = "somebody"
	refused(t, c, deletion(plan.TypeInstanceProfile, consumer, other), "meanwhile")
	_, err = api.UntagInstanceProfile(t.Context(), &iam.UntagInstanceProfileInput{InstanceProfileName: &other.Name, TagKeys: []string{plan.RepositoryTag}})
	must(t, err)
	refused(t, c, deletion(plan.TypeInstanceProfile, consumer, other), "any more")
}

func TestAssociationsAreNeverDeleted(t *testing.T) {
	refused(t, onSandbox(t).client(t), deletion(plan.TypeAssociation, consumer, plan.Association{InstanceID: "i-1"}), "plan anew")
}

// IAM may not have heard of our own detaching when it is asked to delete.
func TestDeleteConflictsAreWaitedOut(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t)
	_, err := b.raw(t, consumer).iam().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("mine"), AssumeRolePolicyDocument: aws.String(ec2Trust), Tags: iamTagList(ourTags)})
	must(t, err)
	must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: "iam", Operation: "DeleteRole", Kind: "error", Code: "DeleteConflict", Status: 409, Count: 2}}))
	if n := do(t, c, deletion(plan.TypeRole, consumer, plan.Role{Name: "mine", Tags: ourTags})); n != 1 {
		t.Errorf("deleting took %d writes", n)
	}
}

const bystander = `apiVersion: xshare/v1
kind: Share
metadata: {name: bystander}
spec:
  bucket: {name: bystander-bucket, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: bystander, create: true, trust: lambda}, access: list}
`

// pruned compares both accounts for --prune, after a sweep.
func pruned(t *testing.T, c *Client, p *plan.Plan) *plan.Changes {
	t.Helper()
	snaps := map[string]*plan.Snapshot{}
	for _, want := range p.Wants(true) {
		snaps[want.Account] = observe(t, c, want)
	}
	for _, want := range plan.Leads(p, snaps) {
		snaps[want.Account].Add(observe(t, c, want))
	}
	return plan.Compare(p, snaps, plan.Options{Prune: true})
}

// A share is taken out of the specs and pruned; each delete's answer is lost
// once, or the run is cut short by it. Nothing of it is left in the end, and
// the other share is as it was.
func TestPrune(t *testing.T) {
	faults := []sandbox.Fault{{}}
	for _, operation := range []string{
		"iam:DetachRolePolicy", "iam:DeleteRole", "iam:DeletePolicyVersion", "iam:DeletePolicy", "iam:RemoveRoleFromInstanceProfile",
		"iam:DeleteInstanceProfile", "ec2:TerminateInstances", "s3:DeleteBucketPolicy", "s3:DeleteBucket",
	} {
		service, name, _ := strings.Cut(operation, ":")
		faults = append(faults,
			sandbox.Fault{Service: service, Operation: name, Kind: "lostResponse", Nth: 1},
			sandbox.Fault{Service: service, Operation: name, Kind: "error", Code: "AccessDenied", Status: 403, Nth: 1})
	}
	for _, fault := range faults {
		t.Run(fmt.Sprintf("%s %s", fault.Operation, fault.Kind), func(t *testing.T) {
			t.Parallel()
			b := onSandbox(t)
			c := b.client(t, func(o *Options) { o.Regions = []string{region, "eu-west-1"} })
			both := b.planned(t, share, bystander)
			applied(t, c, compared(t, c, both))
			// A second version, so that there is one to delete.
			_, err := b.raw(t, consumer).iam().CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{
				PolicyArn: aws.String("arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy"), PolicyDocument: aws.String(everything),
			})
			must(t, err)
			p := b.planned(t, bystander)
			changes := pruned(t, c, p)
			n := 0
			for _, change := range changes.Steps {
				switch {
				case change.Action == plan.Delete:
					n++
				case change.Action != plan.Noop:
					t.Errorf("%s is %s", change.ID, change.Action)
				}
			}
			if n != 7 {
				t.Fatalf("%d things are to be deleted: %+v", n, changes.Steps)
			}
			if fault.Kind != "" {
				must(t, b.sandbox.SetFaults([]sandbox.Fault{fault}))
			}
			result := executor.Apply(t.Context(), nil, c, changes, 8, nil)
			failed := false
			for _, r := range result.Changes {
				failed = failed || r.Err != nil
				if r.Err != nil && fault.Kind != "error" {
					t.Errorf("%s: %v", r.Change.ID, r.Err)
				}
			}
			if failed != (fault.Kind == "error") {
				t.Errorf("failed: %v; the fault was not met", failed)
			}
			if fault.Kind == "lostResponse" && c.options.Stats.Report().Retried == 0 {
				t.Error("nothing was tried again: the answer was not lost")
			}
			must(t, b.sandbox.SetFaults(nil))
			applied(t, c, pruned(t, b.client(t), p))
			for _, change := range pruned(t, b.client(t), p).Steps {
				if change.Action != plan.Noop {
					t.Errorf("%s is %s in the end", change.ID, change.Action)
				}
			}
			_, err = b.raw(t, consumer).iam().GetInstanceProfile(t.Context(), &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("ec2role2accessmybucket2share")})
			if !isCode(err, "NoSuchEntity") {
				t.Errorf("the profile is there still: %v", err)
			}
		})
	}
}
