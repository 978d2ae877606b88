package awslive

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

const lockOut = `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::shared","arn:aws:s3:::shared/*"],"Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/admin"}}}]}`

// What a bucket's own policy denies no other policy can allow: the mend is there,
// for reads and for writes.
func TestBucketThatLocksOut(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "shared", "")
	administrator := b.client(t, func(o *Options) {
		for _, a := range o.Accounts {
			a.DeployRole = noRole
		}
	}).sessions[owner]
	must(t, administrator.ready(t.Context()))
	_, err := administrator.s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("shared"), Policy: aws.String(lockOut)})
	must(t, err)
	const want = "a Deny in the policy of bucket shared itself keeps arn:aws:iam::111111111111:role/xshare-deployer out"

	snap, err := b.client(t).Observe(t.Context(), plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "shared", Region: region}}})
	must(t, err)
	if f := snap.Failure(plan.ScopeBucket + "shared"); f == nil || !strings.Contains(f.Mend, want) || !strings.Contains(f.Mend, "root user of account 111111111111 always can") {
		t.Errorf("failure is %+v", f)
	}
	_, err = b.client(t).Do(t.Context(), policyChange("shared", statement("shared", b.role(t, consumer, "reader"), "s3:GetObject")))
	var api *executor.APIError
	if !errors.As(err, &api) || !strings.Contains(api.Mend, want) {
		t.Errorf("error is %v", err)
	}
}

func TestBoundaryThatDenies(t *testing.T) {
	b := onSandbox(t)
	api := b.raw(t, consumer).iam()
	made, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName:     aws.String("narrow"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:CreateRole","Resource":"*"}]}`),
	})
	must(t, err)
	_, err = api.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("xshare-deployer"), PermissionsBoundary: made.Policy.Arn})
	must(t, err)
	_, err = b.client(t).Do(t.Context(), roleChange(ec2Trust))
	var failed *executor.APIError
	if !errors.As(err, &failed) || !strings.Contains(failed.Mend, "in the permissions boundary of arn:aws:iam::222222222222:role/xshare-deployer") {
		t.Errorf("error is %v", err)
	}
}

// roleChange creates a role with a trust policy.
func roleChange(trust string) *plan.Change {
	return &plan.Change{
		ID: "iam.Role/222222222222/r", Type: plan.TypeRole, Account: consumer, Region: plan.GlobalRegion, Action: plan.Create,
		Want: plan.Role{Name: "r", Path: "/", ARN: "arn:aws:iam::222222222222:role/r", Trust: []byte(trust)},
	}
}

// AssumeRole that the organization denies is not mended in the role's trust.
func TestAssumeRoleDeniedAbove(t *testing.T) {
	b := onSandbox(t)
	must(t, b.sandbox.SetFaults([]sandbox.Fault{{
		Service: "sts", Operation: "AssumeRole", Kind: "error", Code: "AccessDenied", Status: 403,
		Message: "User: arn:aws:iam::111111111111:user/admin is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/xshare-deployer with an explicit deny in a service control policy",
	}}))
	snap, err := b.client(t).Observe(t.Context(), plan.Want{Account: consumer, IAM: true})
	must(t, err)
	if f := snap.Failure(plan.ScopeAccount); f == nil || !strings.Contains(f.Mend, "a service control policy over account 111111111111 denies sts:AssumeRole") {
		t.Errorf("failure is %+v", f)
	}
}

// The sentences are those of AWS's page.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestRefusalOf(t *testing.T) {
	const user = "User: arn:aws:iam::111111111111:role/r is not authorized to perform: s3:GetBucketPolicy on resource: \"arn:aws:s3:::b\" "
	for name, c := range map[string]struct {
		message string
		want    refusal
		mend    string
	}{
		"no layer":               {strings.TrimSpace(user), refusal{}, "allow ACTION on arn:aws:s3:::b/k to WHO, and see that no policy of that account denies it"},
		"no identity policy":     {user + "because no identity-based policy allows the s3:GetBucketPolicy action", refusal{layerIdentity, false}, "allow ACTION on arn:aws:s3:::b/k to WHO in a policy of its own"},
		"identity policy denies": {user + "with an explicit deny in an identity-based policy", refusal{layerIdentity, true}, "a policy of WHO denies"},
		"no resource policy":     {user + "because no resource-based policy allows the s3:GetBucketPolicy action", refusal{layerResource, false}, "in the policy of arn:aws:s3:::b/k itself"},
		"resource policy denies": {user + "with an explicit deny in a resource-based policy", refusal{layerResource, true}, "a Deny in the policy of bucket b itself"},
		"no trust policy":        {user + "because no role trust policy allows the sts:AssumeRole action", refusal{layerTrust, false}, "in the trust policy of"},
		"trust policy denies":    {user + "with an explicit deny in the role trust policy", refusal{layerTrust, true}, "the trust policy of arn:aws:s3:::b/k denies"},
		"no SCP":                 {user + "because no service control policy allows the s3:GetBucketPolicy action", refusal{layerSCP, false}, "management account allow it"},
		"SCP denies":             {user + "with an explicit deny in a service control policy", refusal{layerSCP, true}, "management account except that role"},
		"no RCP":                 {user + "because no resource control policy allows the s3:GetBucketPolicy action", refusal{layerRCP, false}, "RCPFullAWSAccess"},
		"RCP denies":             {user + "with an explicit deny in a resource control policy", refusal{layerRCP, true}, "management account except WHO"},
		"no boundary":            {user + "because no permissions boundary allows the s3:GetBucketPolicy action", refusal{layerBoundary, false}, "in the permissions boundary of WHO, too"},
		"boundary denies":        {user + "with an explicit deny in a permissions boundary", refusal{layerBoundary, true}, "out of the boundary"},
		"no session policy":      {user + "because no session policy allows the s3:GetBucketPolicy action", refusal{layerSession, false}, "use credentials without one"},
		"session policy denies":  {user + "with an explicit deny in a session policy", refusal{layerSession, true}, "use credentials without that"},
		"no endpoint policy":     {user + "because no VPC endpoint policy allows the s3:GetBucketPolicy action", refusal{layerEndpoint, false}, "in the policy of the VPC endpoint"},
		"endpoint policy denies": {user + "with an explicit deny in a VPC endpoint policy", refusal{layerEndpoint, true}, "except WHO there"},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusalOf(&smithy.GenericAPIError{Code: "AccessDenied", Message: c.message})
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if mend := got.mend("WHO", "111111111111", "ACTION", "arn:aws:s3:::b/k"); !strings.Contains(mend, c.mend) {
				t.Errorf("mend is %q", mend)
			}
		})
	}
	if got := refusalOf(errors.New("with an explicit deny in a session policy")); got != (refusal{}) {
		t.Errorf("what AWS did not say is %+v", got)
	}
}

// A session that this client narrowed itself is widened by a role to read with.
func TestOwnSessionPolicy(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t, func(o *Options) { o.ReadOnly = true })
	must(t, c.sessions[owner].ready(t.Context()))
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "because no session policy allows the x:Y action"}
	if mend := c.sessions[owner].deniedMend(denied, "x:Y", "*"); !strings.Contains(mend, "state a readRole") {
		t.Errorf("mend is %q", mend)
	}
}
