package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// A command that is cancelled, or takes longer than it may, ends as such; what
// it has asked of S3 until then is done.
func TestCommandsEnd(t *testing.T) {
	for name, v := range map[string]struct {
		seconds string
		cancel  bool
		status  types.CommandInvocationStatus
		details string
	}{
		"cancelled": {"60", true, types.CommandInvocationStatusCancelled, "Cancelled"},
		"too long":  {"1", false, types.CommandInvocationStatusTimedOut, "ExecutionTimedOut"},
	} {
		t.Run(name, func(t *testing.T) {
			s, id := managedInstance(t)
			s.bucket(t, "shared")
			if err := putPolicy(s.s3(owner), "shared", policyOf(clientMay(sharedARN)))(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.SetFaults([]Fault{{Service: "s3", Operation: "PutObject", Kind: faultLatency, LatencyMillis: 60000}}); err != nil {
				t.Fatal(err)
			}
			in := sending(id, "printf %s x | aws s3 cp - s3://shared/k; echo on")
			in.Parameters["executionTimeout"] = []string{v.seconds}
			command := must(s.ssm(consumer).SendCommand(t.Context(), in))(t).Command.CommandId
			if v.cancel {
				_, err := s.ssm(owner).CancelCommand(t.Context(), &ssm.CancelCommandInput{CommandId: command})
				wantCode(t, err, "InvalidCommandId", "")
				must(s.ssm(consumer).CancelCommand(t.Context(), &ssm.CancelCommandInput{CommandId: command, InstanceIds: []string{id}}))(t)
			}
			out := s.ended(t, *command, id)
			if out.Status != v.status || *out.StatusDetails != v.details || out.ResponseCode != -1 || *out.StandardOutputContent != "" {
				t.Errorf("%s, %s, %d, %q", out.Status, *out.StatusDetails, out.ResponseCode, *out.StandardOutputContent)
			}
		})
	}
}

// What SendCommand does not know it refuses by name, and what AWS refuses as
// AWS does.
func TestSendCommandRefuses(t *testing.T) {
	s, id := managedInstance(t)
	for name, v := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"document":       {`"DocumentName":"AWS-RunPowerShellScript","InstanceIds":["ID"]`, 501, `the document \"AWS-RunPowerShellScript\"`},
		"no document":    {`"InstanceIds":["ID"]`, 400, "documentName"},
		"targets":        {`"DocumentName":"AWS-RunShellScript","Targets":[{"Key":"tag:a","Values":["b"]}]`, 501, "the parameter Targets of SendCommand"},
		"no instances":   {`"DocumentName":"AWS-RunShellScript"`, 501, "without InstanceIds"},
		"twice":          {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID","ID"]`, 400, "DuplicateInstanceId"},
		"unknown":        {`"DocumentName":"AWS-RunShellScript","InstanceIds":["i-0999999999999999f"],"Parameters":{"commands":["true"]}`, 400, "InvalidInstanceId"},
		"output bucket":  {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"],"OutputS3BucketName":"b"`, 501, "OutputS3BucketName"},
		"no commands":    {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"]`, 400, "InvalidParameters"},
		"directory":      {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"],"Parameters":{"commands":["true"],"workingDirectory":["/"]}`, 501, "workingDirectory"},
		"no time":        {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"],"Parameters":{"commands":["true"],"executionTimeout":["soon"]}`, 400, "executionTimeout"},
		"short delivery": {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"],"TimeoutSeconds":29,"Parameters":{"commands":["true"]}`, 400, "between 30 and 2592000"},
		"comment":        {`"DocumentName":"AWS-RunShellScript","InstanceIds":["ID"],"Comment":"` + strings.Repeat("c", 101) + `"`, 400, "comment"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := s.json(t, "ssm", ssmTarget+"SendCommand", []string{consumer}, "{"+strings.ReplaceAll(v.body, `"ID"`, `"`+id+`"`)+"}")
			if status != v.status || !strings.Contains(body, v.says) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	for target, body := range map[string]string{"GetParameter": `{"Name":"p"}`, "ListCommands": `{}`, "DescribeInstanceInformation": `{"Filters":[{"Key":"PingStatus","Values":["Online"]}]}`} {
		if status, got := s.json(t, "ssm", ssmTarget+target, []string{consumer}, body); status != 501 || !strings.Contains(got, target) {
			t.Errorf("%s: %d %s", target, status, got)
		}
	}
	if status, got := s.json(t, "", ssmTarget+"SendCommand", nil, `{}`); status != 400 || !strings.Contains(got, "MissingAuthenticationToken") {
		t.Errorf("unsigned: %d %s", status, got)
	}
	_, err := s.ssm(consumer).GetCommandInvocation(t.Context(), &ssm.GetCommandInvocationInput{CommandId: str("11111111-1111-1111-1111-111111111111"), InstanceId: &id})
	wantCode(t, err, "InvocationDoesNotExist", "")
	_, err = s.ssm(consumer).DescribeInstanceInformation(t.Context(), &ssm.DescribeInstanceInformationInput{NextToken: str("!")})
	wantCode(t, err, "InvalidNextToken", "")
}

// Sending takes the permission on the document and on the instance, which can
// be told by its tags; the rest is allowed in an account or not.
func TestSSMPermissions(t *testing.T) {
	const (
		document = `{"Effect":"Allow","Action":"ssm:SendCommand","Resource":"arn:aws:ssm:*::document/AWS-RunShellScript"}`
		tagged   = `{"Effect":"Allow","Action":"ssm:SendCommand","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringEquals":{"aws:ResourceTag/Name":"share-client"}}}`
		others   = `{"Effect":"Allow","Action":"ssm:SendCommand","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringEquals":{"ssm:resourceTag/Name":"other"}}}`
		rest     = `{"Effect":"Allow","Action":["ssm:GetCommandInvocation","ssm:DescribeInstanceInformation","ssm:CancelCommand"],"Resource":"*"}`
	)
	s, id := managedInstance(t)
	for name, v := range map[string]struct {
		policy string
		says   map[string]string // by operation; none: it is allowed
	}{
		"all":         {policyOf(document, tagged, rest), nil},
		"no document": {policyOf(tagged, rest), map[string]string{"SendCommand": "ssm:SendCommand on resource: arn:aws:ssm:us-east-1::document/AWS-RunShellScript"}},
		"other tags":  {policyOf(document, others, rest), map[string]string{"SendCommand": "ssm:SendCommand on resource: arn:aws:ec2:us-east-1:222222222222:instance/" + id}},
		"sending only": {policyOf(document, tagged), map[string]string{
			"GetCommandInvocation":        "ssm:GetCommandInvocation on resource: arn:aws:ssm:us-east-1:222222222222:*",
			"DescribeInstanceInformation": "ssm:DescribeInstanceInformation on resource: arn:aws:ssm:us-east-1:222222222222:*",
			"CancelCommand":               "ssm:CancelCommand on resource: arn:aws:ssm:us-east-1:222222222222:*",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			role := strings.ReplaceAll(name, " ", "-")
			must(s.iam(consumer).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: str(trusting(`{"AWS":"222222222222"}`))}))(t)
			must(s.iam(consumer).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: str("p"), PolicyDocument: &v.policy}))(t)
			keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/"+role)
			for operation, body := range map[string]string{
				"SendCommand":                 `{"DocumentName":"AWS-RunShellScript","InstanceIds":["` + id + `"],"Parameters":{"commands":["true"]}}`,
				"GetCommandInvocation":        `{"CommandId":"none","InstanceId":"` + id + `"}`,
				"DescribeInstanceInformation": `{}`,
				"CancelCommand":               `{"CommandId":"none"}`,
			} {
				_, body := s.json(t, "ssm", ssmTarget+operation, keys, body)
				denied := strings.Contains(body, "AccessDeniedException")
				if says := v.says[operation]; denied != (says != "") || !strings.Contains(body, says) {
					t.Errorf("%s: %s", operation, body)
				}
			}
		})
	}
}

// Commands and what came of them outlive the server; of one that was running
// when it ended nothing more will come.
func TestCommandsAreKept(t *testing.T) {
	path := t.TempDir() + "/state.json"
	seed := fleet()
	seed.Roles[0].Inline["ssm"] = allowing("ssm:UpdateInstanceInformation", "*")
	seed.Instances[0].Profile = "client"
	const id = "i-0123456789abcdef0"
	s, end := open(t, Options{StatePath: path, Seed: seed})
	done := must(s.ssm(consumer).SendCommand(t.Context(), sending(id, "echo kept")))(t).Command.CommandId
	s.ended(t, *done, id)
	s.bucket(t, "shared")
	if err := s.SetFaults([]Fault{{Service: "s3", Operation: "PutObject", Kind: faultLatency, LatencyMillis: 60000}}); err != nil {
		t.Fatal(err)
	}
	cut := must(s.ssm(consumer).SendCommand(t.Context(), sending(id, "printf %s x | aws s3 cp - s3://shared/k")))(t).Command.CommandId
	end()
	s, end = open(t, Options{StatePath: path, Seed: seed})
	defer end()
	if out := s.ended(t, *done, id); out.Status != types.CommandInvocationStatusSuccess || *out.StandardOutputContent != "kept\n" {
		t.Errorf("%+v", out)
	}
	if out := s.ended(t, *cut, id); out.Status != types.CommandInvocationStatusCancelled {
		t.Errorf("%+v", out)
	}
	w := &world{SSM: ssmWorld{Commands: map[string]*ssmCommand{"c": {Requested: s.now(), Invocations: map[string]*ssmInvocation{id: {Status: "InProgress"}}}}}}
	w.complete()
	if v := w.SSM.Commands["c"].Invocations[id]; v.Status != "TimedOut" || v.Ended.IsZero() {
		t.Errorf("%+v", v)
	}
}

// A long output is cut, as AWS cuts it.
func TestLongOutput(t *testing.T) {
	s, id := managedInstance(t)
	long := strings.Repeat("ü", 30000)
	out := s.ended(t, *must(s.ssm(consumer).SendCommand(t.Context(), sending(id, "echo "+long+"; echo "+long+" >&2")))(t).Command.CommandId, id)
	if o, e := len([]rune(*out.StandardOutputContent)), len([]rune(*out.StandardErrorContent)); o != 24000 || e != 8000 {
		t.Errorf("%d and %d characters", o, e)
	}
}

// A command can go to several instances, each of which does it by itself.
func TestSeveralInstances(t *testing.T) {
	s, id := managedInstance(t)
	other := *must(s.ec2(consumer).RunInstances(t.Context(), launching()))(t).Instances[0].InstanceId
	s.clock.advance(changeTime)
	in := sending(id, "echo here")
	in.InstanceIds = []string{id, other}
	in.Comment, in.TimeoutSeconds = str("to both"), aws.Int32(30)
	command := must(s.ssm(consumer).SendCommand(t.Context(), in))(t).Command
	if *command.Comment != "to both" || command.TargetCount != 2 || *command.TimeoutSeconds != 30 || command.Parameters["commands"][0] != "echo here" || command.RequestedDateTime == nil {
		t.Errorf("%+v", command)
	}
	for _, instance := range in.InstanceIds {
		if out := s.ended(t, *command.CommandId, instance); *out.StandardOutputContent != "here\n" || *out.DocumentName != shellDocument || *out.PluginName != shellPlugin || *out.Comment != "to both" {
			t.Errorf("%+v", out)
		}
	}
	if status, body := s.control(t, http.MethodGet, "", ""); status != 200 || !strings.Contains(body, fmt.Sprintf("%q", "ssm")) {
		t.Errorf("%d %s", status, body)
	}
}
