package awslive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/xshare/xshare/executor"
)

// What commands on instances are run by, and for how long. SSM's shortest time
// for a command to reach its instance is 30 s.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html#monitor-about-status-timeouts
const (
	shellDocument   = "AWS-RunShellScript"
	deliveryTime    = time.Minute
	executionTime   = time.Minute
	commandPatience = deliveryTime + executionTime + 30*time.Second
	// agentPatience is how long after an instance's start SSM's agent is waited for.
	agentPatience = 2 * time.Minute
	// sendPatience is how long an answer to SendCommand is waited for.
	sendPatience = 20 * time.Second
	// cancelPatience is how long a command that was cancelled is waited for.
	cancelPatience = 10 * time.Second

	// noCommand has the form of a command's id and is none's.
	noCommand = "00000000-0000-0000-0000-000000000000"
)

// roleBySSM has the role's calls made on one of its instances, the first that
// can be used.
func (c *Client) roleBySSM(ctx context.Context, grant executor.ProbeGrant) (*roleAt, error) {
	s, err := c.session(grant.RoleAccount)
	if err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, in := range grant.Instances {
		err := c.commandable(ctx, s, grant, in)
		if err == nil {
			region := c.foundRegion(ctx, s.s3(""), grant)
			return &roleAt{&bySSM{
				client: c, session: s, api: s.ssm(in.Region), instance: in.ID, region: in.Region, cli: cli{grant.Bucket, region},
			}, "SSM on " + in.ID, region}, nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, noneUsable(reasons)
}

// commandable is an error unless commands may and can be run on an instance.
func (c *Client) commandable(ctx context.Context, s *session, grant executor.ProbeGrant, in executor.ProbeInstance) error {
	if !in.Launched && !grant.AnyInstance {
		return fmt.Errorf("xshare did not launch instance %s: add --probe-instances to run the probe's commands on it all the same", in.ID)
	}
	if err := c.running(ctx, grant, in); err != nil {
		return err
	}
	if grant.Profile != "" && in.Profile != grant.Profile {
		has := "no instance profile"
		if in.Profile != "" {
			has = "the instance profile " + in.Profile
		}
		return fmt.Errorf("instance %s has %s, and the role's is %s", in.ID, has, grant.Profile)
	}
	patience := time.Duration(0)
	if in.State == "pending" { // its agent starts after it
		patience = agentPatience
	}
	err := c.again(ctx, patience, func(err error) bool { return errors.Is(err, errUnmanaged) }, func() error { return s.manages(ctx, in) })
	if errors.Is(err, errUnmanaged) {
		return unmanaged(in.ID)
	}
	if err != nil {
		return err
	}
	return s.hears(ctx, in)
}

// hears is an error unless the end of a command on an instance can be heard. It
// asks for one that is none: a command whose end is not heard could write after
// the probe has cleaned up, so none is sent.
func (s *session) hears(ctx context.Context, in executor.ProbeInstance) error {
	_, err := s.ssm(in.Region).GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: aws.String(noCommand), InstanceId: &in.ID})
	if err == nil || isCode(err, "InvocationDoesNotExist", "InvalidCommandId") {
		return nil
	}
	return s.failed(err, in.Region, "instance "+in.ID)
}

var errUnmanaged = errors.New("SSM does not manage the instance")

// unmanaged says what an instance lacks that SSM does not manage.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
func unmanaged(id string) *unprobedError {
	return &unprobedError{reason: "SSM does not manage instance " + id +
		": give its role the policy AmazonSSMManagedInstanceCore, which a share's role does not have, or the account default host management, and see that SSM's agent runs there and reaches SSM"}
}

// manages is errUnmanaged unless SSM can run commands on an instance. Whether one
// that is not managed is an error of the call's or only not in the answer, AWS's
// page and AWS differ on.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
func (s *session) manages(ctx context.Context, in executor.ProbeInstance) error {
	pages := ssm.NewDescribeInstanceInformationPaginator(s.ssm(in.Region), &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: []string{in.ID}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isCode(err, "InvalidInstanceId") {
			return errUnmanaged
		}
		if err != nil {
			return s.failed(err, in.Region, "instance "+in.ID)
		}
		for _, found := range page.InstanceInformationList {
			switch {
			case aws.ToString(found.InstanceId) != in.ID:
			case found.PingStatus == types.PingStatusOnline:
				return nil
			default:
				return fmt.Errorf("SSM's agent on instance %s is %s: see that it runs and reaches SSM", in.ID, found.PingStatus)
			}
		}
	}
	return errUnmanaged
}

// bySSM makes the calls by the aws CLI on an instance, a command each.
type bySSM struct {
	client   *Client
	session  *session
	api      *ssm.Client
	instance string
	region   string // the instance's
	cli      cli
}

func (o *bySSM) put(ctx context.Context, key string, text []byte) error {
	_, err := o.s3(ctx, key, o.cli.put(key, text), "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
	return err
}

func (o *bySSM) list(ctx context.Context, prefix string) ([]string, error) {
	out, err := o.s3(ctx, prefix, o.cli.list(prefix), "ListObjectsV2", "ListObjects")
	if out.code == 1 && isSilent(out) { // nothing is there
		return nil, nil
	}
	return listedBy(out.stdout, prefix), err
}

// get reads an object. The CLI asks for its head first, by the same permission.
func (o *bySSM) get(ctx context.Context, key string) ([]byte, error) {
	out, err := o.s3(ctx, key, o.cli.get(key), "HeadObject", "GetObject")
	return []byte(out.stdout), err
}

func (o *bySSM) remove(ctx context.Context, key string) error {
	_, err := o.s3(ctx, key, o.cli.remove(key), "DeleteObject")
	return err
}

// s3 runs a command about a key. A failure is S3's only where the CLI tells S3's
// answer to one of the operations.
func (o *bySSM) s3(ctx context.Context, key, command string, operations ...string) (output, error) {
	if !writable(key) {
		return output{}, &unprobedError{reason: fmt.Sprintf("the key %q cannot be given to a command on an instance", key)}
	}
	out, err := o.run(ctx, command)
	if err != nil || out.code == 0 {
		return out, err
	}
	if answer := toldBy(out.stderr, o.cli.url(key), operations...); answer != nil {
		return out, answer
	}
	if out.code == 127 {
		return out, &unprobedError{reason: "instance " + o.instance + " has no aws CLI: install it there (awscli)"}
	}
	return out, &unprobedError{perhaps: true, reason: fmt.Sprintf("the aws CLI on instance %s ended with exit status %d and told no answer of S3's: %s", o.instance, out.code, told(out.stderr))}
}

// output is what a command came to.
type output struct {
	code           int
	stdout, stderr string // the first 24,000 and 8,000 characters
}

// run has a command run on the instance and waits for its end. When that takes
// too long, or the context ends, the command is cancelled.
func (o *bySSM) run(ctx context.Context, command string) (output, error) {
	if ctx.Err() != nil {
		return output{}, ctx.Err()
	}
	sent, err := o.send(ctx, command)
	switch {
	case isCode(err, "InvalidInstanceId"):
		return output{}, unmanaged(o.instance)
	case err != nil:
		return output{}, o.unprobed(err, " and the document "+shellDocument, statusOf(err) == 0)
	case sent.Command == nil || aws.ToString(sent.Command.CommandId) == "":
		return output{}, &unprobedError{perhaps: true, reason: "SendCommand gave no command id: see what answers at the SSM endpoint"}
	}
	id := aws.ToString(sent.Command.CommandId)
	ended, err := o.ended(ctx, id, commandPatience)
	if err != nil {
		goesOn := ""
		if !o.cancel(ctx, id) {
			goesOn = fmt.Sprintf("; the command on instance %s may go on until %s after it was sent: see then that no object named %s* is left in %s",
				o.instance, deliveryTime+executionTime, probeName, o.cli.bucket)
		}
		switch {
		case ctx.Err() != nil:
			return output{}, &unprobedError{perhaps: true, reason: interruptedReason + goesOn}
		case errors.Is(err, errUnsettled):
			return output{}, &unprobedError{perhaps: true, reason: fmt.Sprintf("the command on instance %s did not end within %s%s", o.instance, commandPatience, goesOn)}
		}
		e := o.unprobed(err, "", true)
		e.reason += goesOn
		return output{}, e
	}
	return o.outcome(ended)
}

// send sends a command. An interrupt waits for the answer: what is sent and not
// known could not be cancelled.
func (o *bySSM) send(ctx context.Context, command string) (*ssm.SendCommandOutput, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendPatience)
	defer cancel()
	return o.api.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String(shellDocument), InstanceIds: []string{o.instance}, Comment: aws.String("xshare verify --probe"),
		TimeoutSeconds: aws.Int32(int32(deliveryTime.Seconds())),
		Parameters:     map[string][]string{"commands": {command}, "executionTimeout": {strconv.Itoa(int(executionTime.Seconds()))}},
	})
}

// unprobed words an error of SSM's about the instance, and what else it needs.
func (o *bySSM) unprobed(err error, and string, perhaps bool) *unprobedError {
	return &unprobedError{perhaps: perhaps, reason: o.session.failed(err, o.region, "instance "+o.instance+and).Error()}
}

// ended waits for a command's end. It is errUnsettled when there is none yet.
// Just after SendCommand the command may not be known everywhere.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
func (o *bySSM) ended(ctx context.Context, id string, patience time.Duration) (got *ssm.GetCommandInvocationOutput, err error) {
	err = o.client.again(ctx, patience, func(err error) bool {
		return errors.Is(err, errUnsettled) || isCode(err, "InvocationDoesNotExist")
	}, func() error {
		if got, err = o.api.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &o.instance}); err != nil {
			return err
		}
		switch got.Status {
		case types.CommandInvocationStatusPending, types.CommandInvocationStatusInProgress, types.CommandInvocationStatusDelayed, types.CommandInvocationStatusCancelling:
			return errUnsettled
		}
		return nil
	})
	return got, err
}

// cancel cancels a command and waits a little for its end, whichever: what it
// still does has to be done before the probe cleans up. It reports whether it
// has heard of that end.
func (o *bySSM) cancel(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelPatience)
	defer cancel()
	_, err := o.api.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &id, InstanceIds: []string{o.instance}})
	if err == nil {
		_, err = o.ended(ctx, id, cancelPatience)
	}
	return err == nil
}

// outcome is what a command came to that ran to its end, or why it did not.
// StatusDetails tells more than Status does.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
func (o *bySSM) outcome(got *ssm.GetCommandInvocationOutput) (output, error) {
	out := output{code: int(got.ResponseCode), stdout: aws.ToString(got.StandardOutputContent), stderr: aws.ToString(got.StandardErrorContent)}
	details := cmp.Or(aws.ToString(got.StatusDetails), string(got.Status))
	switch {
	case got.Status == types.CommandInvocationStatusSuccess:
		out.code = 0
		return out, nil
	case got.Status == types.CommandInvocationStatusFailed && details == "Failed" && out.code > 0:
		return out, nil
	}
	e := &unprobedError{reason: fmt.Sprintf("the command on instance %s ended as %s", o.instance, details)}
	switch details {
	case "DeliveryTimedOut", "Delivery Timed Out", "Undeliverable":
		e.reason += ": see that SSM's agent runs there and reaches SSM"
	case "ExecutionTimedOut", "Execution Timed Out", "TimedOut":
		e.perhaps = true
		e.reason += fmt.Sprintf(" after %s: see that the instance reaches S3", executionTime)
	case "Terminated", "InvalidPlatform", "Invalid Platform", "AccessDenied", "Access Denied":
	default:
		e.perhaps = true
	}
	return output{}, e
}
