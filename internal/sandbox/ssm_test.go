package sandbox

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const managedCore = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

func (s testServer) ssm(key string, secretToken ...string) *ssm.Client {
	return ssm.NewFromConfig(s.config(key, secretToken...))
}

// managedInstance launches an instance that SSM manages.
func managedInstance(t *testing.T) (testServer, string) {
	t.Helper()
	s, id := launched(t)
	must(s.iam(consumer).AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: str("client"), PolicyArn: str(managedCore)}))(t)
	return s, id
}

func sending(id string, commands ...string) *ssm.SendCommandInput {
	return &ssm.SendCommandInput{DocumentName: str("AWS-RunShellScript"), InstanceIds: []string{id}, Parameters: map[string][]string{"commands": commands}}
}

// ended asks until a command has come to an end.
func (s testServer) ended(t *testing.T, command, id string) *ssm.GetCommandInvocationOutput {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		out := must(s.ssm(consumer).GetCommandInvocation(t.Context(), &ssm.GetCommandInvocationInput{CommandId: &command, InstanceId: &id}))(t)
		switch out.Status {
		case types.CommandInvocationStatusPending, types.CommandInvocationStatusInProgress, types.CommandInvocationStatusCancelling:
		default:
			return out
		}
	}
	t.Fatal("the command does not end")
	return nil
}

// runs runs a script on an instance and gives what came of it.
func (s testServer) runs(t *testing.T, id, script string) (stdout, stderr string, code int) {
	t.Helper()
	sent := must(s.ssm(consumer).SendCommand(t.Context(), sending(id, script)))(t)
	out := s.ended(t, *sent.Command.CommandId, id)
	stderr = strings.TrimSuffix(*out.StandardErrorContent, fmt.Sprintf("failed to run commands: exit status %d", out.ResponseCode))
	if (out.Status == types.CommandInvocationStatusSuccess) != (out.ResponseCode == 0) || *out.StatusDetails != string(out.Status) {
		t.Errorf("status %s, details %s, response code %d", out.Status, *out.StatusDetails, out.ResponseCode)
	}
	return *out.StandardOutputContent, stderr, int(out.ResponseCode)
}

func (s testServer) managedOnes(t *testing.T, filters ...types.InstanceInformationStringFilter) (ids []string) {
	t.Helper()
	pages := ssm.NewDescribeInstanceInformationPaginator(s.ssm(consumer), &ssm.DescribeInstanceInformationInput{Filters: filters, MaxResults: aws.Int32(5)})
	for pages.HasMorePages() {
		for _, i := range must(pages.NextPage(t.Context()))(t).InstanceInformationList {
			ids = append(ids, *i.InstanceId)
			if i.PingStatus != types.PingStatusOnline || i.PlatformType != types.PlatformTypeLinux || i.ResourceType != types.ResourceTypeEc2Instance {
				t.Errorf("%+v", i)
			}
		}
	}
	return ids
}

// SSM manages an instance that runs and gets credentials of a role that lets
// its agent register; no other is listed, or takes commands.
func TestManagedInstances(t *testing.T) {
	client := str("client")
	for name, v := range map[string]struct {
		change  func(*testing.T, testServer, string)
		managed bool
	}{
		"managed": {func(*testing.T, testServer, string) {}, true},
		"the role may not register": {func(t *testing.T, s testServer, _ string) {
			must(s.iam(consumer).DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: client, PolicyArn: str(managedCore)}))(t)
		}, false},
		"the role may register, and no more": {func(t *testing.T, s testServer, _ string) {
			must(s.iam(consumer).DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: client, PolicyArn: str(managedCore)}))(t)
			must(s.iam(consumer).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: client, PolicyName: str("p"), PolicyDocument: str(allowing("ssm:UpdateInstanceInformation", "*"))}))(t)
		}, true},
		"the role does not trust EC2": {func(t *testing.T, s testServer, _ string) {
			must(s.iam(consumer).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: client, PolicyDocument: str(trusting(`{"AWS":"222222222222"}`))}))(t)
		}, false},
		"it has no profile": {func(t *testing.T, s testServer, _ string) {
			list := must(s.ec2(consumer).DescribeIamInstanceProfileAssociations(t.Context(), &ec2.DescribeIamInstanceProfileAssociationsInput{}))(t).IamInstanceProfileAssociations
			must(s.ec2(consumer).DisassociateIamInstanceProfile(t.Context(), &ec2.DisassociateIamInstanceProfileInput{AssociationId: list[0].AssociationId}))(t)
		}, false},
		"it is stopped": {func(t *testing.T, s testServer, id string) {
			must(s.ec2(consumer).StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))(t)
		}, false},
		"the organization says no": {func(t *testing.T, s testServer, _ string) {
			s.organize(t).control(t, scpType, "none", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:UpdateInstanceInformation","Resource":"*"}]}`, consumer)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, id := managedInstance(t)
			v.change(t, s, id)
			if got := slices.Contains(s.managedOnes(t), id); got != v.managed {
				t.Errorf("listed: %t", got)
			}
			_, err := s.ssm(consumer).SendCommand(t.Context(), sending(id, "true"))
			if v.managed {
				wantCode(t, err, "", "")
			} else {
				wantCode(t, err, "InvalidInstanceId", "Instances [["+id+"]] not in a valid state for account "+consumer)
			}
		})
	}
}

func TestDescribeInstanceInformation(t *testing.T) {
	s, id := managedInstance(t)
	all := []string{id}
	for range 11 {
		all = append(all, *must(s.ec2(consumer).RunInstances(t.Context(), launching()))(t).Instances[0].InstanceId)
	}
	s.clock.advance(changeTime)
	slices.Sort(all)
	if got := s.managedOnes(t); !slices.Equal(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	two := types.InstanceInformationStringFilter{Key: str("InstanceIds"), Values: all[:2]}
	if got := s.managedOnes(t, two); !slices.Equal(got, all[:2]) {
		t.Errorf("%v, want %v", got, all[:2])
	}
	if got := s.managedOnes(t, two, types.InstanceInformationStringFilter{Key: str("InstanceIds"), Values: all[1:3]}); !slices.Equal(got, all[1:2]) {
		t.Errorf("%v, want %v", got, all[1:2])
	}
	_, err := s.ssm(owner).DescribeInstanceInformation(t.Context(), &ssm.DescribeInstanceInformationInput{Filters: []types.InstanceInformationStringFilter{two}})
	wantCode(t, err, "InvalidInstanceId", "")
}

// clientMay are a bucket policy's statements that let the role client do all.
func clientMay(bucketARN string) string {
	who := `{"AWS":"` + clientARN + `"}`
	return statement("Allow", who, "s3:*", bucketARN) + "," + statement("Allow", who, "s3:*", bucketARN+"/*")
}

// What a command does, it does as the instance's role, and anybody's policies
// decide.
func TestCommandsAreTheRolesCalls(t *testing.T) {
	s, id := managedInstance(t)
	s.bucket(t, "shared")
	url := "s3://shared/in/k"
	if _, errs, code := s.runs(t, id, "printf %s text | aws s3 cp - "+url); code != 1 || errs != "upload failed: - to "+url+" An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n" {
		t.Errorf("%d %s", code, errs)
	}
	if err := putPolicy(s.s3(owner), "shared", policyOf(clientMay(sharedARN)))(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := s.runs(t, id, "printf %s text | aws s3 cp - "+url); code != 0 {
		t.Errorf("%d %s", code, errs)
	}
	if out, errs, code := s.runs(t, id, "aws s3 cp "+url+" -"); out != "text" || code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	puts := 0
	for _, e := range s.lines.entries(t) {
		if e.Operation == "PutObject" {
			puts++
			if e.Principal != "arn:aws:sts::222222222222:assumed-role/client/"+id || e.Service != "s3" {
				t.Errorf("%+v", e)
			}
		}
	}
	if puts != 2 {
		t.Errorf("%d puts", puts)
	}
}

func TestScripts(t *testing.T) {
	s, id := managedInstance(t)
	for script, want := range map[string]string{
		`echo a 'b  c' "d\"e" f\ g`:                 "0 a b  c d\"e f g\n|",
		"printf '%s\\n' 'x'\necho y":                "0 x\ny\n|",
		"false; echo done":                          "0 done\n|",
		"false && echo no || echo yes":              "0 yes\n|",
		"! true":                                    "1 |",
		"exit 7; echo no":                           "7 |",
		"! exit 3":                                  "3 |",
		"exit 7 | echo on":                          "0 on\n|",
		"echo out >/dev/null; echo err >&2":         "0 |err\n",
		"echo gone 2>/dev/null >&2":                 "0 |",
		`echo '$(aws s3 rm s3://b/k)' '` + "`id`'":  "0 $(aws s3 rm s3://b/k) `id`\n|",
		`echo 'it'\''s {''{ssm:x}}'`:                "0 it's {{ssm:x}}\n|",
		"echo 'two\nlines' \"\\$HOME\"":             "0 two\nlines $HOME\n|",
		"AWS_CONFIG_FILE=/dev/null aws s3 ls s3://": "501 aws s3 ls of s3://",
		"echo $(aws s3 ls s3://b)":                  "501 command substitution",
		"echo \"`id`\"":                             "501 command substitution",
		"echo $HOME":                                "501 a variable",
		"echo \"${HOME}\"":                          "501 a variable",
		"echo $((1+1))":                             "501 an expansion",
		"cat /etc/passwd":                           `501 the program \"cat\"`,
		"/bin/sh -c true":                           `501 the program \"/bin/sh\"`,
		"echo * ":                                   "501 a pattern of file names",
		"echo ~":                                    "501 a home directory",
		"echo x > /tmp/file":                        "501 the redirection \\u003e/tmp/file",
		"true < /etc/passwd":                        "501 the redirection \\u003c/etc/passwd",
		"true &":                                    "501 a command in the background",
		"while true; do true; done":                 "501 a compound command",
		"(true)":                                    "501 a compound command",
		"f() { true; }":                             "501 a compound command",
		"x=1":                                       "501 the assignment",
		"PATH=/x aws s3 ls s3://b":                  "501 the assignment",
		"echo 'open":                                "501 no POSIX shell",
		"echo {{ssm:/prod/password}}":               "501 Parameter Store, which {{ssm:/prod/password}}",
		"echo '{{ ssm:x }}'":                        "501 Parameter Store",
		"aws s3 rm s3://b/k --recursive":            "501 the option --recursive of aws s3 rm",
		"aws s3 cp s3://b/k s3://b/l":               "501 aws s3 cp s3://b/k s3://b/l",
		"aws s3 cp /etc/passwd s3://b/l":            "501 aws s3 cp /etc/passwd s3://b/l",
		"aws s3 cp s3://b/l /tmp/x":                 "501 aws s3 cp s3://b/l /tmp/x",
		"aws s3 mv - s3://b/k":                      "501 aws s3 mv",
		"aws s3 rm s3://b":                          "501 aws s3 rm of s3://b",
		"aws sts get-caller-identity":               "501 aws sts get-caller-identity",
		"aws":                                       "501 it knows s3 cp, ls and rm",
		"printf '%d' 1":                             "501 printf",
		"exit":                                      "501 exit",
	} {
		t.Run(script, func(t *testing.T) {
			code, says, _ := strings.Cut(want, " ")
			if code == "501" {
				body := fmt.Sprintf(`{"DocumentName":"AWS-RunShellScript","InstanceIds":[%q],"Parameters":{"commands":[%q]}}`, id, script)
				if status, got := s.json(t, "ssm", ssmTarget+"SendCommand", []string{consumer}, body); status != 501 || !strings.Contains(got, says) {
					t.Errorf("%d %s", status, got)
				}
				return
			}
			if out, errs, n := s.runs(t, id, script); fmt.Sprintf("%d %s|%s", n, out, errs) != want {
				t.Errorf("%d %q %q, want %q", n, out, errs, want)
			}
			// As a real shell does.
			if sh, err := exec.LookPath("sh"); err == nil {
				var out, errs strings.Builder
				c := exec.CommandContext(t.Context(), sh, "-c", script)
				c.Stdout, c.Stderr = &out, &errs
				_ = c.Run() // its status is compared
				if got := fmt.Sprintf("%d %s|%s", c.ProcessState.ExitCode(), out.String(), errs.String()); got != want {
					t.Errorf("sh: %q, want %q", got, want)
				}
			}
		})
	}
}

// apart runs a command on an instance, as run does, and gives each output and
// the exit status.
func (h shell) apart(metadata, command string) (stdout, stderr string, code int) {
	h.t.Helper()
	const end = "\n--\n"
	text, err := h.run(metadata, "{ printf .; TZ=UTC; export TZ; set +e; { "+command+"; } 2>errs; printf '\\n--\\n%s\\n--\\n' $?; cat errs; printf .; }")
	parts := strings.Split(text, end)
	if err != nil || len(parts) != 3 {
		h.t.Fatalf("%s\n%s\n%v", command, text, err)
	}
	if code, err = strconv.Atoi(parts[1]); err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimPrefix(parts[0], "."), strings.TrimSuffix(parts[2], "."), code
}

// The instances' aws s3 says what the real one does, on an instance too.
func TestCommandsAsTheRealCLI(t *testing.T) {
	t.Parallel() // the CLI is slow to start
	s, id := managedInstance(t)
	h := newShell(t, s)
	s.bucket(t, "shared")
	must(s.s3In("eu-west-1", owner).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: str("west"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	}))(t)
	for name, region := range map[string]string{"shared": "us-east-1", "west": "eu-west-1"} {
		if err := putPolicy(s.s3In(region, owner), name, policyOf(clientMay("arn:aws:s3:::"+name)))(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	deny := func(action string) {
		t.Helper()
		must(s.iam(consumer).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: str("client"), PolicyName: str("deny"), PolicyDocument: str(policyOf(`{"Effect":"Deny","Action":"` + action + `","Resource":"*"}`)),
		}))(t)
	}
	const hostile = `'s3://shared/it'\''s "a" {''{ssm:x}} $(id) ` + "`id`" + ` ü\;&|/k'`
	fault := func(rules string) func() {
		return func() {
			t.Helper()
			if status, body := s.control(t, http.MethodPost, "faults", rules); status != 200 {
				t.Fatal(body)
			}
		}
	}
	for _, v := range []struct {
		before func()
		script string
	}{
		{nil, "printf %s 'text' | aws s3 cp --only-show-errors --region us-east-1 - s3://shared/a/.x"},
		{nil, "aws s3 cp s3://shared/a/.x -"},
		{nil, "aws s3 cp s3://shared/a/none -"},
		{nil, "aws s3 ls s3://shared/a/"},
		{nil, "aws s3 ls s3://none"},
		{nil, "printf %s x | aws s3 cp - s3://west/k"},
		{nil, "printf %s hostile | aws s3 cp - " + hostile},
		{nil, "aws s3 cp " + hostile + " -"},
		{func() { deny("s3:*") }, "printf %s x | aws s3 cp - s3://shared/a/.x"},
		{nil, "aws s3 cp s3://shared/a/.x -"},
		{nil, "aws s3 ls s3://shared/a/"},
		{nil, "aws s3 rm s3://shared/a/.x"},
		{func() { deny("s3:ListBucket") }, "aws s3 cp s3://shared/a/none -"},
		{fault(`[{"service":"s3","operation":"GetObject","kind":"error","code":"AccessDenied","status":403,"message":"Access Denied"}]`), "aws s3 cp s3://shared/a/.x -"},
		{fault(`[{"service":"s3","operation":"PutObject","kind":"lostResponse"}]`), "printf %s x | aws s3 cp - s3://shared/a/.x"},
	} {
		if v.before != nil {
			v.before()
		}
		wantOut, wantErrs, wantCode := h.apart(s.metadataURL(t, id), v.script)
		out, errs, code := s.runs(t, id, v.script)
		if out != wantOut || strings.ReplaceAll(errs, "http://127.0.0.1/", s.url+"/") != wantErrs || code != wantCode {
			t.Errorf("%s\n%d %q %q, the real one says\n%d %q %q", v.script, code, out, errs, wantCode, wantOut, wantErrs)
		}
	}
}
