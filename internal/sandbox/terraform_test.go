package sandbox

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Terraform applies the recipe, then has nothing to do, and destroys it.
func TestTerraform(t *testing.T) {
	path, err := exec.LookPath("terraform")
	if err != nil {
		skipTerraform(t, "terraform is not on PATH")
	}
	t.Parallel()
	o := Options{Seed: fleet()}
	o.Clock = time.Now // instances are to come up while Terraform waits
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	endpoint, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/terraform/main.tf")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "main.tf"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	terraform := func(patience time.Duration, args ...string) (string, int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := exec.CommandContext(ctx, path, append([]string{"-chdir=" + dir}, args...)...)
		// The user's settings say where the provider may be found; keys and
		// endpoints of theirs must not come in.
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "TF_VAR_") {
				c.Env = append(c.Env, v)
			}
		}
		c.Env = append(c.Env, "TF_VAR_endpoint="+endpoint, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "AWS_EC2_METADATA_DISABLED=true")
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Run(); err != nil && c.ProcessState == nil {
			t.Fatal(err)
		}
		return out.String(), c.ProcessState.ExitCode()
	}
	if out, exit := terraform(2*time.Minute, "init", "-input=false", "-no-color"); exit != 0 {
		skipTerraform(t, "the AWS provider cannot be had: "+out)
	}
	for _, step := range [][]string{
		{"apply", "-auto-approve", "-input=false", "-no-color"},
		{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, // exit 2 if anything would change
		{"destroy", "-auto-approve", "-input=false", "-no-color"},
	} {
		if out, exit := terraform(5*time.Minute, step...); exit != 0 {
			t.Fatalf("terraform %s: exit %d\n%s", step[0], exit, out)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.world.Accounts[consumer]
	if len(s.world.S3.Buckets) > 0 || a.Roles["ec2role2accessmybucket2share"] != nil || len(a.Policies) > 0 || a.Profiles["ec2role2accessmybucket2share"] != nil || len(a.Users)+len(a.Groups) > 0 {
		t.Error("not all was destroyed")
	}
}

func skipTerraform(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("XSHARE_REQUIRE_TERRAFORM") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Terraform's AWS provider reads many settings that a share has nothing to do
// with, and takes no other error than AWS's own for those that are not there
// (its sources: the read functions of the recipe's resources). The aws CLI
// makes the same calls and takes the answers apart as strictly.
func TestReadsOfTerraform(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	t.Parallel()
	s := start(t, Options{Seed: fleet()})
	run := awsCLI(t, s)
	ctx := t.Context()
	instance := *must(s.ec2(consumer).RunInstances(ctx, launching(asTerraform)))(t).Instances[0].InstanceId
	s.clock.advance(changeTime)
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket2share/*"}]}`
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}`
	const policy = "arn:aws:iam::222222222222:policy/p"
	type reading struct {
		account string
		args    []string
		out     string // the answer, or a part of it
		code    string // of an error
	}
	words := func(account, args, out, code string) reading {
		return reading{account, strings.Fields(args), out, code}
	}
	// What it writes, with the empty and the default values that it sends.
	writes := []reading{
		{owner, []string{"s3api", "create-bucket", "--bucket", "mybucket2share", "--no-object-lock-enabled-for-bucket"}, `"/mybucket2share"`, ""},
		{owner, []string{"s3api", "put-bucket-tagging", "--bucket", "mybucket2share", "--tagging", "TagSet=[{Key=team,Value=data}]"}, "", ""},
		{consumer, []string{"iam", "create-role", "--role-name", "r", "--path", "/", "--max-session-duration", "3600", "--assume-role-policy-document", trust, "--tags", "Key=a,Value=b"}, `"RoleName": "r"`, ""},
		{consumer, []string{"iam", "create-policy", "--policy-name", "p", "--path", "/", "--description", "", "--policy-document", doc}, policy, ""},
		words(consumer, "iam attach-role-policy --role-name r --policy-arn "+policy, "", ""),
		words(consumer, "iam create-instance-profile --instance-profile-name ip --path /", `"InstanceProfileName": "ip"`, ""),
		words(consumer, "iam add-role-to-instance-profile --instance-profile-name ip --role-name r", "", ""),
	}
	reads := []reading{
		words(owner, "sts get-caller-identity", owner, ""),
		words(owner, "s3api head-bucket --bucket mybucket2share", `"BucketRegion": "us-east-1"`, ""),
		words(owner, "s3api head-bucket --bucket none-of-ours", "", "404"),
		words(owner, "s3api get-bucket-location --bucket mybucket2share", `"LocationConstraint": null`, ""),
		words(owner, "s3api get-bucket-policy --bucket mybucket2share", "", "NoSuchBucketPolicy"),
		words(owner, "s3api get-bucket-policy-status --bucket mybucket2share", "", "NoSuchBucketPolicy"),
		words(owner, "s3api get-bucket-acl --bucket mybucket2share --query Grants[].[Grantee.Type,Permission] --output text", "CanonicalUser\tFULL_CONTROL\n", ""),
		words(owner, "s3api get-bucket-cors --bucket mybucket2share", "", "NoSuchCORSConfiguration"),
		words(owner, "s3api get-bucket-website --bucket mybucket2share", "", "NoSuchWebsiteConfiguration"),
		words(owner, "s3api get-bucket-versioning --bucket mybucket2share", "", ""),
		words(owner, "s3api get-bucket-accelerate-configuration --bucket mybucket2share", "", ""),
		words(owner, "s3api get-bucket-request-payment --bucket mybucket2share", `"Payer": "BucketOwner"`, ""),
		words(owner, "s3api get-bucket-logging --bucket mybucket2share", "", ""),
		words(owner, "s3api get-bucket-lifecycle-configuration --bucket mybucket2share", "", "NoSuchLifecycleConfiguration"),
		words(owner, "s3api get-bucket-replication --bucket mybucket2share", "", "ReplicationConfigurationNotFoundError"),
		words(owner, "s3api get-bucket-encryption --bucket mybucket2share", `"SSEAlgorithm": "AES256"`, ""),
		words(owner, "s3api get-object-lock-configuration --bucket mybucket2share", "", "ObjectLockConfigurationNotFoundError"),
		words(owner, "s3api get-bucket-tagging --bucket mybucket2share", `"Value": "data"`, ""),
		words(owner, "s3api get-public-access-block --bucket mybucket2share", `"BlockPublicPolicy": true`, ""),
		words(owner, "s3api get-bucket-ownership-controls --bucket mybucket2share", "BucketOwnerEnforced", ""),
		words(owner, "s3api get-bucket-notification-configuration --bucket mybucket2share", "", ""),
		words(consumer, "iam get-role --role-name r", `"MaxSessionDuration": 3600`, ""),
		words(consumer, "iam get-role --role-name none", "", "NoSuchEntity"),
		words(consumer, "iam list-role-policies --role-name r", `"PolicyNames": []`, ""),
		words(consumer, "iam list-attached-role-policies --role-name r", policy, ""),
		words(consumer, "iam list-role-tags --role-name r", `"Key": "a"`, ""),
		words(consumer, "iam list-instance-profiles-for-role --role-name r", `"ip"`, ""),
		words(consumer, "iam get-instance-profile --instance-profile-name ip", `"RoleName": "r"`, ""),
		words(consumer, "iam list-instance-profile-tags --instance-profile-name ip", `"Tags": []`, ""),
		words(consumer, "iam get-policy --policy-arn "+policy, `"DefaultVersionId": "v1"`, ""),
		words(consumer, "iam get-policy-version --policy-arn "+policy+" --version-id v1", `"s3:GetObject"`, ""),
		words(consumer, "iam list-policy-versions --policy-arn "+policy, `"v1"`, ""),
		words(consumer, "iam list-policy-tags --policy-arn "+policy, `"Tags": []`, ""),
		words(consumer, "iam list-entities-for-policy --policy-arn "+policy, `"RoleName": "r"`, ""),
		words(consumer, "ec2 describe-images --owners amazon --filters Name=name,Values=al2023-ami-2023.*-x86_64 --query Images[].RootDeviceName", "/dev/xvda", ""),
		words(consumer, "ec2 describe-instances --instance-ids "+instance+" --query Reservations[].Instances[].[State.Name,SourceDestCheck,Monitoring.State,BlockDeviceMappings[0].DeviceName] --output text", "running\tTrue\tdisabled\t/dev/xvda\n", ""),
		words(consumer, "ec2 describe-instance-types --instance-types t3.micro", `"BurstablePerformanceSupported": true`, ""),
		words(consumer, "ec2 describe-instance-attribute --instance-id "+instance+" --attribute disableApiTermination", `"Value": false`, ""),
		words(consumer, "ec2 describe-instance-attribute --instance-id "+instance+" --attribute disableApiStop", `"Value": false`, ""),
		words(consumer, "ec2 describe-instance-attribute --instance-id "+instance+" --attribute instanceInitiatedShutdownBehavior", `"Value": "stop"`, ""),
		words(consumer, "ec2 describe-instance-attribute --instance-id "+instance+" --attribute userData", `"UserData": {}`, ""),
		words(consumer, "ec2 describe-volumes --filters Name=attachment.instance-id,Values="+instance, `"Value": "root"`, ""),
		words(consumer, "ec2 describe-vpcs --query Vpcs[].[IsDefault,State] --output text", "False\tavailable\n", ""),
		words(consumer, "ec2 describe-tags --filters Name=resource-id,Values="+instance, `"share-client"`, ""),
		words(consumer, "ec2 describe-iam-instance-profile-associations --filters Name=instance-id,Values="+instance, `"State": "associated"`, ""),
		words(consumer, "ec2 describe-instance-credit-specifications --instance-ids "+instance, `"CpuCredits": "unlimited"`, ""),
		words(consumer, "ec2 modify-instance-attribute --instance-id "+instance+" --no-disable-api-termination", "", ""),
	}
	check := func(t *testing.T, v reading) {
		t.Helper()
		out, errs, exit := run([]string{v.account}, v.args...)
		switch {
		case v.code == "" && (exit != 0 || !strings.Contains(out, v.out)):
			t.Errorf("aws %q: exit %d, stdout %s, stderr %s, want %s", v.args, exit, out, errs, v.out)
		case v.code != "" && (exit == 0 || !strings.Contains(errs, "("+v.code+")")):
			t.Errorf("aws %q: exit %d, stderr %s, want %s", v.args, exit, errs, v.code)
		}
	}
	for _, v := range writes {
		check(t, v)
	}
	for _, v := range reads {
		t.Run(strings.Join(v.args[:2], " "), func(t *testing.T) {
			t.Parallel()
			check(t, v)
		})
	}
}
