package sandbox

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awsCLI gives a function that types a command of the aws CLI with an
// account's or a session's keys, and answers stdout, stderr and the exit code.
func awsCLI(t *testing.T, s testServer) func(keys []string, args ...string) (string, string, int) {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") == "1" {
			t.Fatal("the aws CLI is not on PATH, and XSHARE_REQUIRE_MOTO=1 asks for it")
		}
		t.Skip("the aws CLI is not on PATH")
	}
	home := t.TempDir()
	return func(keys []string, args ...string) (string, string, int) {
		t.Helper()
		c := exec.CommandContext(t.Context(), path, args...)
		c.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_ENDPOINT_URL=" + s.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=",
			"AWS_CONFIG_FILE=" + filepath.Join(home, "none"), "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "AWS_ACCESS_KEY_ID=" + keys[0],
		}
		secret := "any"
		if len(keys) == 3 {
			secret = keys[1]
			c.Env = append(c.Env, "AWS_SESSION_TOKEN="+keys[2])
		}
		c.Env = append(c.Env, "AWS_SECRET_ACCESS_KEY="+secret)
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Run(); err != nil && c.ProcessState == nil {
			t.Fatal(err)
		}
		return out.String(), errs.String(), c.ProcessState.ExitCode()
	}
}

// The recipe's commands for the consumer's side, as a person types them.
func TestRecipeByCLI(t *testing.T) {
	t.Parallel() // it takes seconds, all of them in the CLI
	s := start(t, Options{})
	run := awsCLI(t, s)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	const role, name = "arn:aws:iam::222222222222:role/ec2role2accessmybucket2share", "ec2role2accessmybucket2share"
	const policy = "arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy"
	trust := file("trust.json", trusting(`{"Service":"ec2.amazonaws.com","AWS":"222222222222"}`))
	permissions := file("permissions.json", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","iam:ListRoles"],"Resource":"*"}]}`)
	me := []string{consumer}
	steps := []struct {
		args       string
		fails      bool
		out, error string
	}{
		{"sts get-caller-identity --query Arn --output text", false, "arn:aws:iam::222222222222:user/admin\n", ""},
		{"iam list-roles --output json", false, `"Roles": []`, ""},
		{"iam create-role --role-name " + name + " --assume-role-policy-document " + trust + " --query Role.Arn --output text", false, role + "\n", ""},
		{"iam create-role --role-name " + name + " --assume-role-policy-document " + trust, true, "", "EntityAlreadyExists"},
		{"iam get-role --role-name " + name, false, `"Service": "ec2.amazonaws.com"`, ""},
		{"iam create-policy --policy-name mycrossaccounts3bucketpolicy --policy-document " + permissions + " --query Policy.Arn --output text", false, policy + "\n", ""},
		{"iam attach-role-policy --role-name " + name + " --policy-arn " + policy, false, "", ""},
		{"iam list-attached-role-policies --role-name " + name + " --query AttachedPolicies[].PolicyArn --output text", false, policy + "\n", ""},
		{"iam create-instance-profile --instance-profile-name " + name, false, "instance-profile/" + name, ""},
		{"iam add-role-to-instance-profile --instance-profile-name " + name + " --role-name " + name, false, "", ""},
		{"iam get-instance-profile --instance-profile-name " + name + " --query InstanceProfile.Roles[].Arn --output text", false, role + "\n", ""},
		{"iam get-account-authorization-details --filter Role --query RoleDetailList[].InstanceProfileList[].InstanceProfileName --output text", false, name + "\n", ""},
		{"iam delete-role --role-name " + name, true, "", "DeleteConflict"},
		{"iam list-saml-providers", true, "", "NotImplemented"},
		{"sts assume-role --role-arn " + role + " --role-session-name cli --query Credentials.[AccessKeyId,SecretAccessKey,SessionToken] --output text", false, "ASIA", ""},
	}
	var last string
	for _, step := range steps {
		out, errs, exit := run(me, strings.Fields(step.args)...)
		if (exit != 0) != step.fails || !strings.Contains(out, step.out) || !strings.Contains(errs, step.error) {
			t.Fatalf("aws %s\nexit %d, want failure %t\nstdout %s\nstderr %s", step.args, exit, step.fails, out, errs)
		}
		last = out
	}
	session := strings.Fields(last)
	out, _, _ := run(session, "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
	if want := "arn:aws:sts::222222222222:assumed-role/" + name + "/cli\n"; out != want {
		t.Errorf("%s, want %s", out, want)
	}
	if _, errs, exit := run(session, "iam", "list-roles"); exit != 0 {
		t.Errorf("list-roles: %s", errs)
	}
	_, errs, exit := run(session, "iam", "get-role", "--role-name", name)
	if want := "because no identity-based policy allows the iam:GetRole action"; exit == 0 || !strings.Contains(errs, want) {
		t.Errorf("exit %d, %s, want %q", exit, errs, want)
	}
}
