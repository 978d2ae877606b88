package awslive

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// ambient is an environment with nothing in it but the endpoint and these keys.
func (b *backend) ambient(t *testing.T, key, secret, token string) {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": b.endpoint, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_REGION": "",
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token,
		"AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
	} {
		t.Setenv(name, value)
	}
}

func unboxed(o *Options) { o.Sandbox = nil }

func TestAmbientCredentials(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "shared", "")
	b.ambient(t, owner, "any", "")
	c := b.client(t, unboxed)
	observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "shared", Create: true}}})
	observe(t, c, plan.Want{Account: consumer, IAM: true, Instances: []plan.InstanceWant{{Region: region, Named: true}}})
	if calls := c.options.Stats.Report().Calls; calls[owner]["sts:GetCallerIdentity"] != 1 || calls[consumer]["sts:AssumeRole"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}

func TestCallerWhoIsTheRole(t *testing.T) {
	b := onSandbox(t)
	out, err := sts.New(sts.Options{Region: region, BaseEndpoint: &b.endpoint, Credentials: b.client(t).sessions[owner].base.cfg.Credentials}).
		AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/xshare-deployer"), RoleSessionName: aws.String("ci")})
	must(t, err)
	b.ambient(t, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	c := b.client(t, unboxed)
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	if calls := c.options.Stats.Report().Calls[consumer]; calls["sts:AssumeRole"] != 0 || calls["sts:GetCallerIdentity"] != 1 {
		t.Errorf("calls: %v, want the caller's own session", calls)
	}
}

func TestProfile(t *testing.T) {
	b := onSandbox(t)
	b.ambient(t, owner, "any", "")
	must(t, os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[profile hand]\naws_access_key_id = 222222222222\naws_secret_access_key = any\n"), 0o600))
	c := b.client(t, unboxed, func(o *Options) {
		for _, a := range o.Accounts {
			switch a.ID {
			case consumer:
				a.Profile, a.DeployRole = "hand", noRole
			case owner:
				a.Profile = "not-there"
			}
		}
	})
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	if got := c.sessions[consumer].principal(); got != "arn:aws:iam::222222222222:user/admin" {
		t.Errorf("the profile is %s", got)
	}
	_, err := c.Observe(t.Context(), plan.Want{Account: owner, IAM: true})
	var caller *executor.CallerError
	if !errors.As(err, &caller) || !strings.Contains(err.Error(), "not-there") {
		t.Errorf("error is %v, want the profile that is missing", err)
	}
}

func TestSandboxReadsNothingAmbient(t *testing.T) {
	b := onSandbox(t)
	b.ambient(t, "AKIAIOSFODNN7EXAMPLE", "x", "y")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	t.Setenv("AWS_PROFILE", "not-there")
	c := b.client(t)
	observe(t, c, plan.Want{Account: owner, IAM: true, Buckets: []plan.BucketWant{{Name: "absent", Create: true}}, Instances: []plan.InstanceWant{{Region: region, Named: true}}})
}

func TestExpiredCredentialsAreRenewed(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t)
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	must(t, b.clock.Sleep(t.Context(), 2*time.Hour))
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	if n := c.options.Stats.Report().Calls[consumer]["sts:AssumeRole"]; n != 2 {
		t.Errorf("AssumeRole was called %d times, want 2", n)
	}
}

func TestUnmanagedAccountIsLeftAlone(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t)
	for account, want := range map[string]string{"444444444444": "manage: false", "999999999999": "not in the repository"} {
		snap, err := c.Observe(t.Context(), plan.Want{Account: account, IAM: true})
		must(t, err)
		if f := snap.Failure(plan.ScopeIAM); f == nil || !strings.Contains(f.Message, want) {
			t.Errorf("%s: failure is %+v", account, f)
		}
		if _, err := c.Do(t.Context(), &plan.Change{ID: "x", Account: account, Type: plan.TypeRole}); err == nil {
			t.Errorf("%s was written", account)
		}
	}
	if n := len(b.journal.lines(t)); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
