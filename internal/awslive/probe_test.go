package awslive

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// shared applies a share of one bucket and role, and returns its grant.
func (b *backend) shared(t *testing.T, role, access string) executor.ProbeGrant {
	t.Helper()
	p := b.planned(t, `apiVersion: xshare/v1
kind: Share
metadata: {name: probed}
spec:
  bucket: {name: probed, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: user, create: true, `+role+`}
      `+access+`
`)
	c := b.client(t)
	applied(t, c, compared(t, c, p))
	snaps := map[string]*plan.Snapshot{}
	for _, want := range p.Wants(false) {
		snaps[want.Account] = observe(t, c, want)
	}
	return executor.ProbeGrants(p, snaps)[0]
}

// calls are a probe's calls, each as a short line.
func calls(r executor.ProbeResult) []string {
	var lines []string
	for _, c := range r.Calls {
		line := c.As + " " + c.Operation + " " + c.Expected
		if !c.OK {
			line += " NOT OK " + c.Code
		}
		lines = append(lines, line)
	}
	return lines
}

// leftovers are the keys of a bucket.
func (b *backend) leftovers(t *testing.T, bucket string) []string {
	t.Helper()
	out, err := b.raw(t, owner).s3(region).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	must(t, err)
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys
}

const instance = `
      instances: [{name: client, image: amazon-linux-2023, type: t3.micro, subnet: SUBNET, securityGroups: [GROUP]}]`

// probeCases are what a probe does with a grant, by what the grant gives.
var probeCases = map[string]struct {
	access string
	want   []string
}{
	"list": {"access: list", []string{
		"role ListObjectsV2 allowed", "role PutObject denied",
	}},
	"read": {"access: read", []string{
		"owner PutObject allowed", "role ListObjectsV2 allowed", "role GetObject allowed",
		"role PutObject denied", "owner DeleteObject allowed",
	}},
	"write": {"access: write", []string{
		"role PutObject allowed", "role DeleteObject denied", "owner DeleteObject allowed",
	}},
	"read and write": {"access: [read, write]", []string{
		"role PutObject allowed", "role ListObjectsV2 allowed", "role GetObject allowed",
		"role DeleteObject denied", "owner DeleteObject allowed",
	}},
	"all but full": {"access: [read, write, delete]", []string{
		"role PutObject allowed", "role ListObjectsV2 allowed", "role GetObject allowed", "role DeleteObject allowed",
	}},
	"read under two prefixes": {"access: read\n      prefixes: [a/, b/]", []string{
		"owner PutObject allowed", "role ListObjectsV2 allowed", "role GetObject allowed", "owner DeleteObject allowed",
		"owner PutObject allowed", "role ListObjectsV2 allowed", "role GetObject allowed", "owner DeleteObject allowed",
		"role GetObject denied",
	}},
	"write under a prefix": {"access: write\n      prefixes: [in/]", []string{
		"role PutObject allowed", "owner DeleteObject allowed", "role PutObject denied",
	}},
}

func TestProbe(t *testing.T) {
	for name, c := range probeCases {
		for way, from := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				b := onSandbox(t)
				grant := b.shared(t, "trust: ec2", c.access+instance)
				r, err := from.prober(t, b).Probe(t.Context(), grant)
				must(t, err)
				if r.Verdict != executor.ProbeWorks || !strings.HasPrefix(r.Via, from.via+" i-") {
					t.Errorf("%s via %q: %s", r.Verdict, r.Via, r.Reason)
				}
				if diff := cmp.Diff(c.want, calls(r)); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if keys := b.leftovers(t, "probed"); len(keys) > 0 {
					t.Errorf("left behind: %v", keys)
				}
			})
		}
	}
}

func TestProbeFinds(t *testing.T) {
	deny := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`
	}
	for name, c := range map[string]struct {
		access  string
		harm    func(t *testing.T, b *backend)
		verdict executor.ProbeVerdict
		reason  string
	}{
		"a missing bucket policy": {"access: read", func(t *testing.T, b *backend) {
			_, err := b.raw(t, owner).s3(region).DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("probed")})
			must(t, err)
		}, executor.ProbeFails, "ListObjectsV2 by the role"},
		"nothing that a probe calls": {"actions: [s3:GetObjectTagging]", func(*testing.T, *backend) {}, executor.ProbeNotProbed, "the share grants none of that"},
		"a deny on one side": {"access: [read, write]", func(t *testing.T, b *backend) {
			_, err := b.raw(t, consumer).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("user"), PolicyName: aws.String("x"), PolicyDocument: aws.String(deny("s3:GetObject"))})
			must(t, err)
		}, executor.ProbeFails, "GetObject by the role"},
		"more than was granted": {"access: [read, write]", func(t *testing.T, b *backend) {
			wide := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/user"},"Action":"s3:*","Resource":["arn:aws:s3:::probed","arn:aws:s3:::probed/*"]}]}`
			_, err := b.raw(t, owner).s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("probed"), Policy: &wide})
			must(t, err)
			_, err = b.raw(t, consumer).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("user"), PolicyName: aws.String("x"), PolicyDocument: aws.String(everything)})
			must(t, err)
		}, executor.ProbeFails, "DeleteObject by the role"},
		"an owner who may not prepare": {"access: read", func(t *testing.T, b *backend) {
			_, err := b.raw(t, owner).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("x"), PolicyDocument: aws.String(deny("s3:PutObject"))})
			must(t, err)
		}, executor.ProbeNotProbed, "PutObject by the owner"},
		"an object that stays": {"access: write", func(t *testing.T, b *backend) {
			_, err := b.raw(t, owner).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("x"), PolicyDocument: aws.String(deny("s3:DeleteObject"))})
			must(t, err)
		}, executor.ProbeFails, "could not be removed"},
	} {
		for way, from := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				b := onSandbox(t)
				grant := b.shared(t, "trust: ec2", c.access+instance)
				prober := from.prober(t, b)
				c.harm(t, b)
				r, err := prober.Probe(t.Context(), grant)
				must(t, err)
				if r.Verdict != c.verdict || !strings.Contains(r.Reason, c.reason) {
					t.Errorf("%s: %s", r.Verdict, r.Reason)
				}
				for _, call := range r.Calls {
					if call.Code != "" && call.Code != "AccessDenied" && call.Code != "Forbidden" {
						t.Errorf("%+v", call)
					}
				}
			})
		}
	}
}

func TestProbeByAssumeRole(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: read"+instance)
	_, err := b.raw(t, consumer).iam().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("user"), PolicyDocument: aws.String(trusting(consumer)),
	})
	must(t, err)
	r, err := b.client(t).Probe(t.Context(), grant)
	must(t, err)
	if r.Verdict != executor.ProbeWorks || r.Via != "AssumeRole" {
		t.Errorf("%s via %q: %s", r.Verdict, r.Via, r.Reason)
	}
}

func TestNotProbed(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: [read, write]"+instance)
	stopped := grant
	stopped.Instances = []executor.ProbeInstance{{ID: grant.Instances[0].ID, Region: region, State: "stopped"}}
	nowhere := grant
	nowhere.Instances = nil
	unmanaged := grant
	unmanaged.OwnerManaged = false
	theirs := nowhere
	theirs.RoleAccount, theirs.RoleARN = partner, "arn:aws:iam::"+partner+":role/reader"
	unknown := grant
	unknown.RoleAccount, unknown.OwnerAccount = "999999999999", "888888888888"
	for name, c := range map[string]struct {
		grant    executor.ProbeGrant
		readOnly bool
		reason   string
	}{
		"stopped":            {stopped, false, "is stopped"},
		"no instance":        {nowhere, false, "no instance"},
		"nobody to clean":    {unmanaged, false, "nobody could remove"},
		"a partner's role":   {theirs, false, "account 444444444444 (partner) has `manage: false`, so xshare does not read what the role trusts"},
		"unknown accounts":   {unknown, false, "neither account"},
		"a read-only client": {grant, true, "only reads"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := b.client(t, func(o *Options) { o.ReadOnly = c.readOnly }).Probe(t.Context(), c.grant)
			must(t, err)
			if r.Verdict != executor.ProbeNotProbed || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%s: %s", r.Verdict, r.Reason)
			}
		})
	}
	if keys := b.leftovers(t, "probed"); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
}
