package awslive

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/iampolicy"
)

func TestStatsJSON(t *testing.T) {
	s := NewStats()
	s.operation("222222222222", "iam:GetRole", 1, 0)
	s.operation("222222222222", "iam:GetRole", 3, 2)
	s.operation("111111111111", "s3:ListBuckets", 1, 0)
	got, err := json.Marshal(s)
	must(t, err)
	want := `{"calls":{"111111111111":{"s3:ListBuckets":1},"222222222222":{"iam:GetRole":2}},"total":3,"retried":2,"throttled":2}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBucketSlowsAndRecovers(t *testing.T) {
	clock := newFakeClock()
	b := newBucket(clock, 40)
	step := func(throttled bool) rate.Limit {
		must(t, clock.Sleep(t.Context(), time.Second))
		b.answered(throttled)
		b.answered(throttled) // within the same second
		return b.tokens.Limit()
	}
	var got []rate.Limit
	for _, throttled := range []bool{true, true, false, false, true, false, false, false, false, false, false, false, false, false} {
		got = append(got, step(throttled))
	}
	want := []rate.Limit{20, 10, 14, 18, 9, 13, 17, 21, 25, 29, 33, 37, 40, 40}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
}

func TestBucketHoldsBack(t *testing.T) {
	clock := newFakeClock()
	b := newBucket(clock, 10)
	for range 30 {
		must(t, b.wait(t.Context()))
	}
	if got := clock.total(); got < 1900*time.Millisecond || got > 2100*time.Millisecond {
		t.Errorf("30 calls at 10 a second, 10 of them saved up, waited %s", got)
	}
}

func TestIsSessionOf(t *testing.T) {
	for name, c := range map[string]struct {
		arn, account, role string
		want               bool
	}{
		"the role":        {"arn:aws:sts::111111111111:assumed-role/deployer/ci", "111111111111", "deployer", true},
		"with a path":     {"arn:aws:sts::111111111111:assumed-role/deployer/ci", "111111111111", "ops/deployer", true},
		"another account": {"arn:aws:sts::222222222222:assumed-role/deployer/ci", "111111111111", "deployer", false},
		"another role":    {"arn:aws:sts::111111111111:assumed-role/deployer2/ci", "111111111111", "deployer", false},
		"a user":          {"arn:aws:iam::111111111111:user/deployer", "111111111111", "deployer", false},
		"no ARN":          {"", "111111111111", "deployer", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := isSessionOf(c.arn, c.account, c.role); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestDecodeDocument(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"encoded":           {"%7B%22a%22%3A%22b+c%25%22%7D", `{"a":"b+c%"}`},
		"plain":             {`{"a":"100%25"}`, `{"a":"100%25"}`},
		"not encoded right": {`{"a":"100%"`, `{"a":"100%"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(decodeDocument(&c.in)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if decodeDocument(nil) != nil {
		t.Error("no document became one")
	}
}

func TestPathOf(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::111111111111:policy/p":     "/",
		"arn:aws:iam::111111111111:policy/a/b/p": "/a/b/",
	} {
		if got := pathOf(arn); got != want {
			t.Errorf("path of %s is %s, want %s", arn, got, want)
		}
	}
}

func TestSortVersions(t *testing.T) {
	ids := []string{"v10", "v9", "v2", "v11"}
	sortVersions(ids)
	if diff := cmp.Diff([]string{"v2", "v9", "v10", "v11"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestIsLoopback(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"http://127.0.0.1:4566": true, "http://localhost:4566": true, "http://[::1]:1": true,
		"https://s3.amazonaws.com": false, "": false, "http://127.0.0.1.example.com": false,
	} {
		if got := isLoopback(endpoint); got != want {
			t.Errorf("isLoopback(%q) = %v", endpoint, got)
		}
	}
}

func TestActions(t *testing.T) {
	reads := []string{
		"ec2:DescribeInstances", "iam:GetAccountAuthorizationDetails", "iam:GetInstanceProfile",
		"iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListInstanceProfiles",
		"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants",
		"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListParents",
		"organizations:ListPoliciesForTarget", "organizations:ListRoots",
		"s3:GetAccountPublicAccessBlock", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
		"s3:GetBucketTagging", "s3:GetEncryptionConfiguration", "s3:ListAllMyBuckets",
		"tag:GetResources",
	}
	if diff := cmp.Diff(reads, ReadActions()); diff != "" {
		t.Errorf("read actions (-want +got):\n%s", diff)
	}
	deploy := DeployActions()
	for _, action := range append(reads, "iam:PassRole", "s3:PutBucketPolicy", "ec2:RunInstances",
		"iam:DeleteRole", "iam:DeletePolicy", "iam:DeleteInstanceProfile", "ec2:TerminateInstances", "s3:DeleteBucket") {
		if !slices.Contains(deploy, action) {
			t.Errorf("deploy actions lack %s", action)
		}
	}
	if slices.Contains(deploy, "s3:PutObject") || slices.Contains(deploy, "s3:GetObject") {
		t.Error("deploy actions reach into buckets")
	}
	probes := []string{"ssm:CancelCommand", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:SendCommand"}
	if diff := cmp.Diff(probes, InstanceProbeActions()); diff != "" {
		t.Errorf("actions of probes on instances (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"read role":   {docs.ReadRolePolicy, ReadActions()},
		"deploy role": {docs.DeployRolePolicy, slices.Concat(DeployActions(), ProbeActions(), LockActions())},
	} {
		d, err := iampolicy.Parse([]byte(c.text))
		must(t, err)
		var documented []string
		for _, s := range d.Statements {
			documented = append(documented, s.Action...)
		}
		for _, list := range []*[]string{&documented, &c.want} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		if diff := cmp.Diff(c.want, documented); diff != "" {
			t.Errorf("the documented policy of the %s (-needed +documented):\n%s", name, diff)
		}
	}
	if n := len(readOnlyPolicy()); n > 2048 {
		t.Errorf("the session policy has %d characters", n)
	}
}
