package awslive

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The contract of Observer and Doer, held on two emulators that know nothing
// of each other: wire formats, convergence and the separation of accounts.

const share = `apiVersion: xshare/v1
kind: Share
metadata: {name: mybucket2share, owner: data-platform}
spec:
  bucket: {name: mybucket2share, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: ec2role2accessmybucket2share, create: true, trust: ec2}
      access: [read, write]
      policyName: mycrossaccounts3bucketpolicy
      instances:
        - {name: share-client, image: IMAGE, type: t3.micro, subnet: SUBNET, securityGroups: [GROUP], keyName: mykey}
`

// planned builds the plan of shares on a backend.
func (b *backend) planned(t *testing.T, shares ...string) *plan.Plan {
	t.Helper()
	var texts []string
	for _, text := range shares {
		texts = append(texts, strings.NewReplacer("SUBNET", b.subnet, "GROUP", b.group, "IMAGE", "amazon-linux-2").Replace(text))
	}
	p, problems := plan.Build(repo(t, texts...), func(string) bool { return true })
	must(t, specs.Errors(problems))
	return p
}

// compared reads the accounts and compares, without a problem.
func compared(t *testing.T, c *Client, p *plan.Plan) *plan.Changes {
	t.Helper()
	snaps := map[string]*plan.Snapshot{}
	for _, want := range p.Wants(false) {
		snaps[want.Account] = observe(t, c, want)
	}
	return plan.Compare(p, snaps, plan.Options{})
}

func applied(t *testing.T, c *Client, changes *plan.Changes) {
	t.Helper()
	result := executor.Apply(t.Context(), nil, c, changes, 8, nil)
	for _, r := range result.Changes {
		if r.Err != nil || r.Status != executor.StatusDone && r.Status != executor.StatusUnchanged {
			t.Errorf("%s is %s: %v", r.Change.ID, r.Status, r.Err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

func TestRecipeConverges(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		p := b.planned(t, share)
		c := b.client(t)
		changes := compared(t, c, p)
		for _, change := range changes.Steps {
			if change.Action != plan.Create {
				t.Errorf("%s is %s at first, not create", change.ID, change.Action)
			}
		}
		applied(t, c, changes)
		t.Logf("apply: %+v", c.options.Stats.Report())

		again := b.client(t)
		changes = compared(t, again, p)
		for _, change := range changes.Steps {
			if change.Action != plan.Noop {
				t.Errorf("%s is %s the second time: before %+v, want %+v", change.ID, change.Action, change.Before, change.Want)
			}
		}
		applied(t, again, changes)
		got := again.options.Stats.Report()
		want := map[string]map[string]int{
			owner:    {"iam:GetAccountAuthorizationDetails": 1, "sts:GetCallerIdentity": 1, "sts:AssumeRole": 1, "s3:ListBuckets": 1, "s3:GetBucketPolicy": 1},
			consumer: {"sts:AssumeRole": 1, "iam:GetAccountAuthorizationDetails": 1, "iam:ListInstanceProfiles": 1, "ec2:DescribeInstances": 1},
		}
		if b.sandbox == nil {
			// moto has an account of its own for keys that it does not know.
			delete(want[owner], "sts:GetCallerIdentity")
			want["123456789012"] = map[string]int{"sts:GetCallerIdentity": 1}
			// Its list of buckets does not tell their regions.
			want[owner]["s3:HeadBucket"] = 1
		}
		if diff := cmp.Diff(want, got.Calls); diff != "" {
			t.Errorf("calls of a plan without changes (-want +got):\n%s", diff)
		}
	})
}

func TestBucket(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		c := b.client(t)
		want := plan.Bucket{Name: "new-bucket", Region: "eu-west-1", Tags: map[string]string{plan.RepositoryTag: "acme-data", "a": "b"}}
		change := &plan.Change{ID: "s3.Bucket/" + owner + "/new-bucket", Type: plan.TypeBucket, Account: owner, Region: "eu-west-1", Name: "new-bucket", Action: plan.Create, Want: want}
		if n := do(t, c, change); n == 0 {
			t.Error("a bucket was created without a write")
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("creating it again took %d writes", n)
		}
		snap := observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "new-bucket", Create: true}, {Name: "not-there", Create: true}}})
		if diff := cmp.Diff(map[string]*plan.LiveBucket{"new-bucket": {Name: "new-bucket", Region: "eu-west-1", Tags: want.Tags}}, snap.Buckets); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
		if len(snap.Taken) > 0 {
			t.Errorf("taken: %v, want none", snap.Taken)
		}
		api := b.raw(t, owner).s3("eu-west-1")
		block, err := api.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &want.Name})
		must(t, err)
		if !aws.ToBool(block.PublicAccessBlockConfiguration.BlockPublicPolicy) || !aws.ToBool(block.PublicAccessBlockConfiguration.RestrictPublicBuckets) {
			t.Error("public access is not blocked")
		}
		controls, err := api.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: &want.Name})
		must(t, err)
		if got := controls.OwnershipControls.Rules[0].ObjectOwnership; got != s3types.ObjectOwnershipBucketOwnerEnforced {
			t.Errorf("ownership is %s", got)
		}
		encryption, err := api.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &want.Name})
		must(t, err)
		if len(encryption.ServerSideEncryptionConfiguration.Rules) == 0 {
			t.Error("the bucket does not encrypt")
		}
	})
}

func TestBucketOfOthers(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		api := b.raw(t, owner).s3(region)
		_, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("was-there")})
		must(t, err)
		_, err = api.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: aws.String("was-there"), Tagging: &s3types.Tagging{
			TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("x")}},
		}})
		must(t, err)
		c := b.client(t)

		snap := observe(t, c, plan.Want{Account: consumer, Buckets: []plan.BucketWant{{Name: "was-there", Create: true}}})
		if !snap.Taken["was-there"] || len(snap.Buckets) > 0 {
			t.Errorf("another account's bucket: taken %v, buckets %v", snap.Taken, snap.Buckets)
		}

		want := plan.Bucket{Name: "was-there", Region: region, Tags: map[string]string{plan.RepositoryTag: "acme-data"}}
		change := &plan.Change{ID: "s3.Bucket/x", Type: plan.TypeBucket, Account: owner, Region: region, Name: "was-there", Action: plan.Create, Want: want}
		if _, err := c.Do(t.Context(), change); err == nil || !strings.Contains(err.Error(), "--adopt") {
			t.Errorf("an unmarked bucket was taken over silently, or the error does not help: %v", err)
		}
		change.Action, change.Before = plan.Adopt, plan.Bucket{Name: "was-there", Region: region}
		if n := do(t, c, change); n != 1 {
			t.Errorf("adopting took %d writes", n)
		}
		tags, err := b.raw(t, owner).bucketTags(t.Context(), "was-there", region)
		must(t, err)
		if diff := cmp.Diff(map[string]string{"team": "x", plan.RepositoryTag: "acme-data"}, tags); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
}

func policyChange(bucket string, statements ...iampolicy.Statement) *plan.Change {
	return &plan.Change{
		ID: "s3.BucketPolicy/" + owner + "/" + bucket, Type: plan.TypeBucketPolicy, Account: owner, Region: region, Name: bucket,
		Action: plan.Update, Want: plan.BucketPolicy{Bucket: bucket, Region: region, Ours: statements},
	}
}

func (b *backend) bucket(t *testing.T, name, policy string) *session {
	t.Helper()
	s := b.raw(t, owner)
	_, err := s.s3(region).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
	must(t, err)
	if policy != "" {
		_, err = s.s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &policy})
		must(t, err)
	}
	return s
}

func (b *backend) role(t *testing.T, account, name string) string {
	t.Helper()
	out, err := b.raw(t, account).iam().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(ec2Trust)})
	must(t, err)
	return aws.ToString(out.Role.Arn)
}

const ec2Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func TestBucketPolicyIsMerged(t *testing.T) {
	const foreign = `{"Version":"2008-10-17","Id":"theirs","Statement":[{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::merged/*","Condition":{"Bool":{"aws:SecureTransport":"false"},"StringEquals":{"aws:PrincipalType":"none"}}}]}`
	both(t, func(t *testing.T, b *backend) {
		s := b.bucket(t, "merged", foreign)
		reader := b.role(t, consumer, "reader")
		c := b.client(t)
		with := policyChange("merged", statement("merged", reader, "s3:GetObject"))
		if n := do(t, c, with); n != 1 {
			t.Errorf("adding a statement took %d writes", n)
		}
		if n := do(t, c, with); n != 0 {
			t.Errorf("adding it again took %d writes", n)
		}
		text, err := s.bucketPolicy(t.Context(), "merged", region)
		must(t, err)
		doc, err := iampolicy.Parse(text)
		must(t, err)
		if doc.Version != "2008-10-17" || doc.ID != "theirs" || len(doc.Statements) != 2 || doc.Statements[0].Sid != "TLS" {
			t.Errorf("the foreign part changed: %s", text)
		}
		if n := do(t, c, policyChange("merged")); n != 1 {
			t.Errorf("removing our statement took %d writes", n)
		}
		text, err = s.bucketPolicy(t.Context(), "merged", region)
		must(t, err)
		if same, err := c.sameDocument(text, []byte(foreign)); err != nil || !same {
			t.Errorf("after ours was removed: %s (%v)", text, err)
		}
	})
}

// What a foreign statement says of one role, as ours does of another, is not ours
// by that: it is written.
func TestBucketPolicyBesideTheSame(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		s := b.bucket(t, "beside", "")
		reader, other := b.role(t, consumer, "reader"), b.role(t, consumer, "other")
		c := b.client(t)
		do(t, c, policyChange("beside", statement("beside", reader, "s3:GetObject")))
		text, err := s.bucketPolicy(t.Context(), "beside", region)
		must(t, err)
		doc, err := iampolicy.Parse(text)
		must(t, err)
		hand := statement("beside", other, "s3:GetObject")
		hand.Sid = "Hand"
		doc.Statements = append(doc.Statements, hand)
		_, err = b.raw(t, owner).s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("beside"), Policy: aws.String(string(iampolicy.Marshal(doc)))})
		must(t, err)
		of := statement("beside", reader, "s3:GetObject")
		of.Principal.AWS = []string{reader, other}
		with := policyChange("beside", of)
		if n := do(t, c, with); n != 1 {
			t.Errorf("adding what the foreign statement says took %d writes", n)
		}
		if n := do(t, c, with); n != 0 {
			t.Errorf("adding it again took %d writes", n)
		}
		text, err = s.bucketPolicy(t.Context(), "beside", region)
		must(t, err)
		doc, err = iampolicy.Parse(text)
		must(t, err)
		if ours := c.part(doc, true); len(c.part(doc, false).Statements) != 1 || !slices.Contains(principals(ours.Statements), other) {
			t.Errorf("the policy is %s", text)
		}
	})
}

func TestLastStatementGone(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		s := b.bucket(t, "lonely", "")
		c := b.client(t)
		do(t, c, policyChange("lonely", statement("lonely", b.role(t, consumer, "reader"), "s3:GetObject")))
		gone := policyChange("lonely")
		gone.Action = plan.Delete
		if n := do(t, c, gone); n != 1 {
			t.Errorf("removing the last statement took %d writes", n)
		}
		if n := do(t, c, gone); n != 0 {
			t.Errorf("removing it again took %d writes", n)
		}
		if text, err := s.bucketPolicy(t.Context(), "lonely", region); err != nil || text != nil {
			t.Errorf("policy is %s (%v), want none", text, err)
		}
	})
}

func TestMarksAreRenewed(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		b.bucket(t, "renewed", "")
		c := b.client(t)
		st := statement("renewed", b.role(t, consumer, "reader"), "s3:GetObject")
		old := st
		old.Sid = iampolicy.Mark("acme", st)
		do(t, c, policyChange("renewed", old))
		if n := do(t, c, policyChange("renewed", st)); n != 1 {
			t.Errorf("renewing the mark took %d writes", n)
		}
	})
}

func TestRole(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		c := b.client(t)
		want := plan.Role{
			Name: "fn", Path: "/apps/", ARN: "arn:aws:iam::222222222222:role/apps/fn", Trust: []byte(ec2Trust),
			Tags: map[string]string{plan.RepositoryTag: "acme-data", "team": "x"},
		}
		change := &plan.Change{ID: "iam.Role/222222222222/fn", Type: plan.TypeRole, Account: consumer, Region: plan.GlobalRegion, Name: "fn", Action: plan.Create, Want: want}
		if n := do(t, c, change); n != 1 {
			t.Errorf("creating took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("creating again took %d writes", n)
		}
		live := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"fn"}}).Roles["fn"]
		if live == nil {
			t.Fatal("the role was not read")
		}
		if diff := cmp.Diff(want.Tags, live.Tags); diff != "" || live.ARN != want.ARN || live.Path != want.Path || live.UniqueID == "" {
			t.Errorf("read %+v; tags (-want +got):\n%s", live, diff)
		}
		if same, err := sameTrust(live.Trust, want.Trust); err != nil || !same {
			t.Errorf("trust is %s (%v)", live.Trust, err)
		}

		next := want
		next.Trust = []byte(strings.Replace(ec2Trust, "ec2.", "lambda.", 1))
		next.Tags = map[string]string{plan.RepositoryTag: "acme-data", "team": "y"}
		change.Action, change.Before, change.Want = plan.Update, live.Role, next
		if n := do(t, c, change); n != 2 {
			t.Errorf("trust and tag took %d writes", n)
		}
		live = observe(t, c, plan.Want{Account: consumer, IAM: true}).Roles["fn"]
		if same, err := sameTrust(live.Trust, next.Trust); err != nil || !same || live.Tags["team"] != "y" {
			t.Errorf("updated to %s, %v", live.Trust, live.Tags)
		}
		change.Before = live.Role
		if n := do(t, c, change); n != 0 {
			t.Errorf("what is as wanted took %d writes", n)
		}
	})
}

func TestForeignRoleIsNotTaken(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		arn := b.role(t, consumer, "theirs")
		change := &plan.Change{
			ID: "iam.Role/222222222222/theirs", Type: plan.TypeRole, Account: consumer, Action: plan.Create,
			Want: plan.Role{Name: "theirs", Path: "/", ARN: arn, Trust: []byte(ec2Trust), Tags: map[string]string{plan.RepositoryTag: "acme-data"}},
		}
		if _, err := b.client(t).Do(t.Context(), change); err == nil || !strings.Contains(err.Error(), "--adopt") {
			t.Errorf("a role of others was taken: %v", err)
		}
	})
}

func TestPolicyVersions(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		c := b.client(t)
		want := plan.Policy{
			Name: "grants", ARN: "arn:aws:iam::222222222222:policy/grants", Tags: map[string]string{plan.RepositoryTag: "acme-data"},
			Ours: []iampolicy.Statement{statement("b0", "", "s3:GetObject")},
		}
		change := &plan.Change{ID: "iam.Policy/222222222222/grants", Type: plan.TypePolicy, Account: consumer, Region: plan.GlobalRegion, Name: "grants", Action: plan.Create, Want: want}
		if n := do(t, c, change); n != 1 {
			t.Errorf("creating took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("creating again took %d writes", n)
		}
		for _, bucket := range []string{"b1", "b2", "b3", "b4", "b5", "b6"} {
			live := observe(t, c, plan.Want{Account: consumer, IAM: true}).Policies[want.ARN]
			if live == nil || live.Name != "grants" || live.DefaultVersion == "" {
				t.Fatalf("the policy was read as %+v", live)
			}
			want.Ours = []iampolicy.Statement{statement(bucket, "", "s3:GetObject")}
			change := *change
			change.Action, change.Want, change.Live = plan.Update, want, live.Document
			change.Before = plan.Policy{Name: "grants", ARN: want.ARN, Document: live.Document}
			change.Versions, change.DefaultVersion = live.Versions, live.DefaultVersion
			if n := do(t, c, &change); n < 1 || n > 2 {
				t.Errorf("a new version took %d writes", n)
			}
		}
		live := observe(t, c, plan.Want{Account: consumer, IAM: true}).Policies[want.ARN]
		if len(live.Versions) != 5 || live.DefaultVersion != "v7" || !strings.Contains(string(live.Document), "b6") {
			t.Errorf("after seven documents: %+v, %s", live, live.Document)
		}
	})
}

func TestAttachment(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		b.role(t, consumer, "reader")
		out, err := b.raw(t, consumer).iam().CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(everything)})
		must(t, err)
		arn := aws.ToString(out.Policy.Arn)
		c := b.client(t)
		want := plan.Attachment{Role: "reader", PolicyARN: arn}
		change := &plan.Change{ID: "iam.RolePolicyAttachment/222222222222/reader/p", Type: plan.TypeAttachment, Account: consumer, Action: plan.Create, Want: want}
		do(t, c, change)
		if got := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"reader"}}).Roles["reader"].Attached; !cmp.Equal(got, []string{arn}) {
			t.Errorf("attached: %v", got)
		}
		change = &plan.Change{ID: change.ID, Type: plan.TypeAttachment, Account: consumer, Action: plan.Delete, Before: want}
		if n := do(t, c, change); n != 1 {
			t.Errorf("detaching took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("detaching again took %d writes", n)
		}
		if got := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"reader"}}).Roles["reader"].Attached; len(got) != 0 {
			t.Errorf("attached: %v", got)
		}
	})
}

func TestInstanceProfile(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		b.role(t, consumer, "reader")
		b.role(t, consumer, "other")
		api := b.raw(t, consumer).iam()
		tags := map[string]string{plan.RepositoryTag: "acme-data"}
		_, err := api.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("half"), Tags: iamTagList(tags)})
		must(t, err)
		want := plan.InstanceProfile{Name: "half", Path: "/", ARN: "arn:aws:iam::222222222222:instance-profile/half", Role: "reader", Tags: tags}
		change := &plan.Change{ID: "iam.InstanceProfile/222222222222/half", Type: plan.TypeInstanceProfile, Account: consumer, Action: plan.Create, Want: want}
		c := b.client(t)

		live := observe(t, c, plan.Want{Account: consumer, IAM: true, Profiles: []string{"half"}}).Profiles["half"]
		if live == nil || live.Role != "" || !cmp.Equal(live.Tags, tags) {
			t.Fatalf("half a profile was read as %+v", live)
		}
		if n := do(t, c, change); n != 1 {
			t.Errorf("finishing took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("finishing again took %d writes", n)
		}
		live = observe(t, c, plan.Want{Account: consumer, IAM: true, Profiles: []string{"half"}}).Profiles["half"]
		if diff := cmp.Diff(want, live.InstanceProfile); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}

		want.Role = "other"
		change.Action, change.Before, change.Want = plan.Update, live.InstanceProfile, want
		if _, err := c.Do(t.Context(), change); err == nil || !strings.Contains(err.Error(), "--adopt") {
			t.Errorf("the role was replaced unasked: %v", err)
		}
		change.Action = plan.Adopt
		if n := do(t, c, change); n != 2 {
			t.Errorf("replacing took %d writes", n)
		}
	})
}

func (b *backend) profile(t *testing.T, name string) string {
	t.Helper()
	api := b.raw(t, consumer).iam()
	b.role(t, consumer, name)
	out, err := api.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	must(t, err)
	_, err = api.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name})
	must(t, err)
	return aws.ToString(out.InstanceProfile.Arn)
}

func TestInstance(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		c := b.client(t)
		want := plan.Instance{
			Name: "client", Region: region, Image: "amazon-linux-2", Type: "t3.micro", Subnet: b.subnet,
			SecurityGroups: []string{b.group}, KeyName: b.key, ProfileARN: b.profile(t, "reader"),
			Tags: map[string]string{plan.RepositoryTag: "acme-data", plan.NameTag: "client"},
		}
		change := &plan.Change{ID: "ec2.Instance/222222222222/us-east-1/client", Type: plan.TypeInstance, Account: consumer, Region: region, Name: "client", Action: plan.Create, Want: want}
		done, err := c.Do(t.Context(), change)
		must(t, err)
		if done.ID == "" || done.Writes != 1 || len(done.Notes) != 1 || !strings.Contains(done.Notes[0], "amzn2-ami-hvm") {
			t.Errorf("launched with %+v", done)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("launching again took %d writes", n)
		}
		snap := observe(t, c, plan.Want{Account: consumer, Instances: []plan.InstanceWant{{Region: region, Named: true, IDs: []string{done.ID, "i-0123456789abcdef0"}}}})
		if len(snap.Instances) != 1 {
			t.Fatalf("%d instances were read, want 1", len(snap.Instances))
		}
		got := snap.Instances[0].Instance
		want.ID, want.State, want.Image = done.ID, got.State, got.Image
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("instance (-want +got):\n%s", diff)
		}
	})
}

func TestAssociation(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		first, second := b.profile(t, "first"), b.profile(t, "second")
		c := b.client(t)
		d := &doing{session: b.raw(t, consumer), change: &plan.Change{}}
		image, _, err := d.imageOf(t.Context(), region, "amazon-linux-2")
		must(t, err)
		id := b.instance(t, image)
		want := plan.Association{InstanceID: id, Region: region, ProfileARN: first}
		change := &plan.Change{ID: "ec2.InstanceProfileAssociation/x", Type: plan.TypeAssociation, Account: consumer, Region: region, Name: id, Action: plan.Create, Want: want}
		if n := do(t, c, change); n != 1 {
			t.Errorf("associating took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("associating again took %d writes", n)
		}
		want.ProfileARN = second
		change.Want = want
		if _, err := c.Do(t.Context(), change); err == nil || !strings.Contains(err.Error(), "--adopt") {
			t.Errorf("the profile was replaced unasked: %v", err)
		}
		snap := observe(t, c, plan.Want{Account: consumer, Instances: []plan.InstanceWant{{Region: region, IDs: []string{id}}}})
		if len(snap.Instances) != 1 || snap.Instances[0].ProfileARN != first {
			t.Errorf("instances: %+v", snap.Instances)
		}
		change.Action = plan.Adopt
		if n := do(t, c, change); n != 1 {
			t.Errorf("replacing took %d writes", n)
		}
		if n := do(t, c, change); n != 0 {
			t.Errorf("replacing again took %d writes", n)
		}
	})
}

// A profile that was deleted is another than the one of its name that was made
// since. moto has no ids of profiles in what it says of instances.
func TestAssociationWithDeletedProfile(t *testing.T) {
	b := onSandbox(t)
	arn := b.profile(t, "first")
	c := b.client(t)
	d := &doing{session: b.raw(t, consumer), change: &plan.Change{}}
	image, _, err := d.imageOf(t.Context(), region, "amazon-linux-2")
	must(t, err)
	id := b.instance(t, image)
	change := &plan.Change{
		ID: "ec2.InstanceProfileAssociation/x", Type: plan.TypeAssociation, Account: consumer, Region: region, Name: id, Action: plan.Create,
		Want: plan.Association{InstanceID: id, Region: region, ProfileARN: arn},
	}
	do(t, c, change)
	gone := func() bool {
		snap := observe(t, c, plan.Want{Account: consumer, IAM: true, Profiles: []string{"first"}, Instances: []plan.InstanceWant{{Region: region, IDs: []string{id}}}})
		return snap.HasGone(snap.Instances[0], "first")
	}
	if gone() {
		t.Error("a profile that is there is taken for one that is gone")
	}
	api, name := b.raw(t, consumer).iam(), aws.String("first")
	_, err = api.RemoveRoleFromInstanceProfile(t.Context(), &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: name})
	must(t, err)
	_, err = api.DeleteInstanceProfile(t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
	must(t, err)
	if !gone() {
		t.Error("a profile that was deleted is taken for one that is there")
	}
	_, err = api.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: name})
	must(t, err)
	if !gone() {
		t.Error("a profile that was made again is taken for the one before")
	}
	_, err = api.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: name})
	must(t, err)
	if n := do(t, c, change); n != 1 || gone() {
		t.Errorf("replacing it took %d writes; it is still gone: %v", n, gone())
	}
}

func TestAccountsAreApart(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		b.role(t, owner, "same")
		c := b.client(t)
		if roles := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"same"}}).Roles; roles["same"] != nil {
			t.Error("a role of the owner's shows in the consumer's account")
		}
		if role := observe(t, c, plan.Want{Account: owner, IAM: true, Roles: []string{"same"}}).Roles["same"]; role == nil || role.ARN != "arn:aws:iam::111111111111:role/same" {
			t.Errorf("role: %+v", role)
		}
		calls := c.options.Stats.Report().Calls
		if calls[owner]["sts:AssumeRole"] != 1 || calls[consumer]["sts:AssumeRole"] != 1 {
			t.Errorf("calls: %v", calls)
		}
	})
}
