package awslive

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

// An account with more than a page of everything is read whole.
func TestPagesAreReadToTheEnd(t *testing.T) {
	const many = 1100
	var all []string
	b := onSandbox(t, func(o *sandbox.Options) {
		for i := range many {
			name := fmt.Sprintf("r%04d", i)
			o.Seed.Roles = append(o.Seed.Roles, sandbox.SeedRole{Account: consumer, Name: name, Trust: ec2Trust})
			o.Seed.Profiles = append(o.Seed.Profiles, sandbox.SeedProfile{Account: consumer, Name: name, Role: name})
			all = append(all, name)
		}
	})
	c := b.client(t)
	snap := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: all})
	if len(snap.Roles) != many || len(snap.Profiles) != many {
		t.Errorf("read %d roles and %d profiles", len(snap.Roles), len(snap.Profiles))
	}
	if n := b.journal.count(t, "iam:GetAccountAuthorizationDetails"); n < 2 {
		t.Errorf("%d pages: this proves nothing", n)
	}
}

// A bucket that was there has no region in its specs: it is found out.
func TestRegionIsFoundOut(t *testing.T) {
	b := onSandbox(t)
	_, err := b.raw(t, owner).s3("eu-west-1").CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("far"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	})
	must(t, err)
	reader := b.role(t, consumer, "reader")
	c := b.client(t)
	change := policyChange("far", statement("far", reader, "s3:GetObject"))
	change.Region = ""
	change.Want = plan.BucketPolicy{Bucket: "far", Ours: change.Want.(plan.BucketPolicy).Ours}
	if n := do(t, c, change); n != 1 {
		t.Errorf("%d writes", n)
	}
	snap := observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "far", Region: "eu-west-1"}}})
	if got := snap.Buckets["far"]; got == nil || got.Region != "eu-west-1" || got.Policy == nil {
		t.Errorf("bucket is %+v", got)
	}
	if n := c.options.Stats.Report().Calls[owner]["s3:ListBuckets"]; n != 0 {
		t.Errorf("buckets that are known to be there were listed %d times", n)
	}
	if got := b.client(t).foundRegion(t.Context(), b.raw(t, consumer).s3(region), executor.ProbeGrant{Bucket: "far"}); got != "eu-west-1" {
		t.Errorf("another account finds the region %s", got)
	}
}

func TestNewRolesInATrustPolicy(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) { o.Propagation.Role = sandbox.Window{For: 10 * time.Second} })
	c := b.client(t)
	change := func(name, trust string) *plan.Change {
		return &plan.Change{
			ID: "iam.Role/222222222222/" + name, Type: plan.TypeRole, Account: consumer, Action: plan.Create,
			Want: plan.Role{Name: name, Path: "/", ARN: c.arn(consumer, "role", name), Trust: []byte(trust), Tags: map[string]string{plan.RepositoryTag: "acme-data"}},
		}
	}
	by := func(name string) string {
		return strings.Replace(trusting(consumer), ":root", ":role/"+name, 1)
	}
	do(t, c, change("first", ec2Trust))
	do(t, c, change("second", by("first")))
	waited := b.clock.total()
	if waited < 5*time.Second {
		t.Errorf("only %s were waited for the new role", waited)
	}
	if _, err := c.Do(t.Context(), change("third", by("nobody"))); !isInvalidPrincipal(err) {
		t.Errorf("error is %v", err)
	}
	if b.clock.total()-waited > time.Second {
		t.Error("a role that is not there was waited for")
	}
}

func TestBoundary(t *testing.T) {
	b := onSandbox(t)
	api := b.raw(t, consumer).iam()
	out, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("limit"), PolicyDocument: aws.String(everything)})
	must(t, err)
	b.role(t, consumer, "plain")
	c := b.client(t)
	live := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"plain"}}).Roles["plain"]
	want := live.Role
	want.Boundary = aws.ToString(out.Policy.Arn)
	change := &plan.Change{ID: "x", Type: plan.TypeRole, Account: consumer, Action: plan.Update, Before: live.Role, Want: want}
	if n := do(t, c, change); n != 1 {
		t.Errorf("the boundary took %d writes", n)
	}
	live = observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"plain"}}).Roles["plain"]
	if live.Boundary != want.Boundary {
		t.Errorf("boundary is %q", live.Boundary)
	}
	want.Boundary = "" // not ours to set
	change.Before, change.Want = live.Role, want
	if n := do(t, c, change); n != 0 {
		t.Errorf("a boundary that no spec names took %d writes", n)
	}
}

// A policy that grew versions since the plan was made.
func TestVersionsThatThePlanHasNotSeen(t *testing.T) {
	b := onSandbox(t)
	api := b.raw(t, consumer).iam()
	out, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(everything)})
	must(t, err)
	for range 4 {
		_, err := api.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: out.Policy.Arn, PolicyDocument: aws.String(everything)})
		must(t, err)
	}
	c := b.client(t)
	arn := aws.ToString(out.Policy.Arn)
	change := &plan.Change{
		ID: "x", Type: plan.TypePolicy, Account: consumer, Action: plan.Create,
		Want: plan.Policy{Name: "p", ARN: arn, Tags: map[string]string{plan.RepositoryTag: "acme-data"}, Ours: []iampolicy.Statement{statement("b", "", "s3:GetObject")}},
	}
	if _, err := c.Do(t.Context(), change); err == nil || !strings.Contains(err.Error(), "--adopt") {
		t.Fatalf("a policy of others was taken: %v", err)
	}
	change.Action, change.Before, change.Live, change.DefaultVersion = plan.Adopt, plan.Policy{ARN: arn}, []byte(everything), "v1"
	if n := do(t, c, change); n != 3 {
		t.Errorf("a version deleted, one made and the tag took %d writes", n)
	}
	live := observe(t, c, plan.Want{Account: consumer, IAM: true, Policies: []string{arn}}).Policies[arn]
	if live.DefaultVersion != "v6" || strings.Contains(strings.Join(live.Versions, " "), "v2") || !strings.Contains(string(live.Document), `"Action":"*"`) {
		t.Errorf("policy is %+v: %s", live, live.Document)
	}
	change.Want = plan.Policy{Name: "p", ARN: arn}
	change.Live, change.DefaultVersion = nil, ""
	if n := do(t, c, change); n != 2 { // there are five versions again
		t.Errorf("removing ours took %d writes", n)
	}
}

func TestInstanceIsBroughtToWhatIsWanted(t *testing.T) {
	b := onSandbox(t)
	first, second := b.profile(t, "first"), b.profile(t, "second")
	c := b.client(t)
	want := plan.Instance{
		Name: "client", Region: region, Image: "amazon-linux-2023", Type: "t3.micro", Subnet: b.subnet, ProfileARN: first,
		Tags: map[string]string{plan.RepositoryTag: "acme-data", plan.NameTag: "client"},
	}
	change := &plan.Change{ID: "x", Type: plan.TypeInstance, Account: consumer, Region: region, Action: plan.Create, Want: want}
	do(t, c, change)
	read := func() plan.Instance {
		t.Helper()
		return observe(t, c, plan.Want{Account: consumer, Instances: []plan.InstanceWant{{Region: region, Named: true}}}).Instances[0].Instance
	}
	want.ProfileARN = second
	want.Tags = map[string]string{plan.RepositoryTag: "acme-data", plan.NameTag: "client", "team": "x"}
	change.Action, change.Before, change.Want = plan.Adopt, read(), want
	if n := do(t, c, change); n != 2 {
		t.Errorf("a tag and the profile took %d writes", n)
	}
	if got := read(); got.ProfileARN != second || got.Tags["team"] != "x" {
		t.Errorf("instance is %+v", got)
	}
	if _, err := c.Do(t.Context(), &plan.Change{ID: "x", Type: plan.TypeInstance, Account: consumer, Region: region, Want: plan.Instance{Name: "other", Region: region, Image: "ubuntu"}}); err == nil || !strings.Contains(err.Error(), "ubuntu") {
		t.Errorf("error is %v", err)
	}
}

func TestSweepFindsInstances(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t)
	do(t, c, &plan.Change{ID: "x", Type: plan.TypeInstance, Account: consumer, Region: region, Action: plan.Create, Want: plan.Instance{
		Name: "orphan", Region: region, Image: "amazon-linux-2023", Type: "t3.micro", Subnet: b.subnet, ProfileARN: b.profile(t, "reader"),
		Tags: map[string]string{plan.RepositoryTag: "acme", plan.NameTag: "orphan"}, // a former name's
	}})
	snap := observe(t, c, plan.Want{Account: consumer, IAM: true, Sweep: []string{"eu-west-1", region}, Instances: []plan.InstanceWant{{Region: region, IDs: []string{"i-0123456789abcdef0"}}}})
	if len(snap.Instances) != 1 || snap.Instances[0].Name != "orphan" {
		t.Errorf("instances: %v", snap.Instances)
	}
}

func TestStartingInstanceIsWaitedFor(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: list"+instance)
	grant.Instances[0].State = "pending"
	r, err := b.client(t).Probe(t.Context(), grant)
	must(t, err)
	if r.Verdict != executor.ProbeWorks {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
}

// When the run is cancelled in the middle of a probe, its object is removed
// all the same.
func TestCancelledProbeCleansUp(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: [read, write]"+instance)
	p := b.client(t)
	owner := p.sessions[owner]
	must(t, owner.ready(t.Context()))
	on := bySDK{owner.s3(region), "probed"}
	pr := &probe{grant: grant, role: on, owner: on}
	ctx, cancel := context.WithCancel(t.Context())
	pr.put(ctx, asRole, ".xshare-probe-x", allowed, []byte("x"))
	if len(b.leftovers(t, "probed")) != 1 {
		t.Fatal("nothing was put")
	}
	cancel()
	pr.clean(ctx)
	if keys := b.leftovers(t, "probed"); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
}

func TestWallClock(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (wallClock{}).Sleep(ctx, time.Hour); err == nil {
		t.Error("a sleep outlived its context")
	}
	if err := (wallClock{}).Sleep(ctx, 0); err == nil {
		t.Error("no sleep hides that the context has ended")
	}
	start := wallClock{}.Now()
	must(t, wallClock{}.Sleep(t.Context(), time.Millisecond))
	if !start.Before(wallClock{}.Now()) {
		t.Error("the clock stands still")
	}
}
