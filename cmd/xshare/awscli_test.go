package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

const awscliRepository = `
apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  tags: {note: "ünd 日本"}
  accounts:
    lake: {id: "111111111111", region: eu-west-1}
    analytics: {id: "222222222222"}
`

const awscliShare = `
apiVersion: xshare/v1
kind: Share
metadata: {name: events}
spec:
  bucket: {name: acme-events, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: team/etl, create: true, trust: ec2}
      access: [read, write]
      policyName: etl-policy
      instances:
        - {name: etl, image: amazon-linux-2, subnet: subnet-1234, securityGroups: [sg-1234], keyName: mykey}
        - {id: i-0123456789abcdef0}
`

// The same bucket for another role, and less for the first.
const awscliOther = `
apiVersion: xshare/v1
kind: Share
metadata: {name: events}
spec:
  bucket: {name: acme-events, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: team/etl, create: true, trust: ec2}
      access: [read]
      policyName: etl-policy
      instances:
        - {name: etl, image: amazon-linux-2, subnet: subnet-1234, securityGroups: [sg-1234], keyName: mykey}
        - {id: i-0123456789abcdef0}
    - account: analytics
      role: {name: reports, create: true, trust: lambda}
      access: [read]
`

const awscliForeign = `{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-events/it's \"q\" $(touch pwned) ` + "`touch pwned`" + ` ünd\\*"}`

// The script that plan writes, run by a shell with the real aws CLI, does what
// apply would have done: a plan has nothing to do then.
func TestPlanByAWSCLI(t *testing.T) {
	t.Parallel() // the CLI is slow to start
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") == "1" {
			t.Fatal("the aws CLI is not on PATH, and XSHARE_REQUIRE_MOTO=1 asks for it")
		}
		t.Skip("the aws CLI is not on PATH")
	}
	dir := t.TempDir() // later the copy that is worked on
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("xshare.yaml", awscliRepository)
	write("shares/events.yaml", awscliShare)
	e := exampleOnSandbox(t, dir)
	dir = e.dir
	bucketPolicy := e.plan.Step("s3.BucketPolicy/111111111111/acme-events")

	// From nothing.
	e.byScript(t)

	// Statements of others, what is not as it was or carries no mark, a profile
	// with another role, and access that moves on: of the bucket's policy it takes
	// two writes.
	live := e.bucketPolicy(t, bucketPolicy)
	e.putBucketPolicy(t, bucketPolicy, strings.Replace(live, `"Statement": [`, `"Statement": [`+awscliForeign+",", 1))
	e.iam(t, "222222222222", "UntagRole", "RoleName", "etl", "TagKeys.member.1", "note", "TagKeys.member.2", "xshare:repository")
	e.iam(t, "222222222222", "UpdateAssumeRolePolicy", "RoleName", "etl", "PolicyDocument", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	e.iam(t, "222222222222", "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	e.iam(t, "222222222222", "RemoveRoleFromInstanceProfile", "InstanceProfileName", "etl", "RoleName", "etl")
	e.iam(t, "222222222222", "AddRoleToInstanceProfile", "InstanceProfileName", "etl", "RoleName", "web")
	for range 4 { // as many versions as there may be
		e.iam(t, "222222222222", "CreatePolicyVersion", "PolicyArn", "arn:aws:iam::222222222222:policy/etl-policy", "SetAsDefault", "false",
			"PolicyDocument", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`)
	}
	write("shares/events.yaml", awscliOther)
	script := e.byScript(t, "--adopt")
	if puts := strings.Count(script, "s3api put-bucket-policy"); puts != 2 {
		t.Errorf("%d writes of the bucket policy, not 2", puts)
	}
	if live := e.bucketPolicy(t, bucketPolicy); !strings.Contains(live, `it's \"q\" $(touch pwned)`) || !strings.Contains(live, "Theirs") {
		t.Errorf("the statement of others is gone: %s", live)
	}

	// All of it goes, once nobody else needs the bucket's policy.
	e.putBucketPolicy(t, bucketPolicy, live)
	write("shares/events.yaml", "")
	// The script would stop: who has the instance profile is left with it.
	e.query(t, "222222222222", "us-east-1", "ec2", "TerminateInstances", "InstanceId.1", "i-0123456789abcdef0")
	e.byScript(t, "--prune", "--prune-limit", "20")
	e.xshare(t, 0, "drift")
}

// byScript does what is planned by the script for the aws CLI, and gives that.
func (e *exampleRun) byScript(t *testing.T, flags ...string) string {
	t.Helper()
	script := string(e.xshare(t, 0, "plan", append([]string{"--format", "awscli"}, flags...)...))
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script"); err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	home := t.TempDir()
	config := ""
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "AWS_ENDPOINT_URL=" + e.endpoint, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(home, "config"),
		// What is around counts for nothing: these would be another account's.
		"AWS_ACCESS_KEY_ID=999999999999", "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=ap-south-1",
	}
	for account, key := range maps.All(e.keys) {
		config += "[profile p" + account + "]\naws_access_key_id = " + key + "\naws_secret_access_key = any\n"
		env = append(env, "PROFILE_"+account+"=p"+account)
	}
	if err := os.WriteFile(filepath.Join(home, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := exec.CommandContext(t.Context(), "sh")
	sh.Stdin, sh.Dir, sh.Env = strings.NewReader(script), home, env
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	if _, err := os.Stat(filepath.Join(home, "pwned")); err == nil {
		t.Fatalf("a value was run:\n%s", script)
	}
	e.xshare(t, 0, "plan", append([]string{"--detailed-exitcode"}, flags...)...)
	return script
}
