package awslive

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/sandbox"
)

// ways are the two ways to the role of an instance.
var ways = map[string]struct {
	via    string
	prober func(*testing.T, *backend) *Client
}{
	"by metadata": {"metadata of", func(t *testing.T, b *backend) *Client { return b.client(t) }},
	"by SSM":      {"SSM on", func(t *testing.T, b *backend) *Client { return b.commander(t) }},
}

// commander is a client that does not know the sandbox as one, so that it has
// commands run on instances, which SSM manages from now on.
func (b *backend) commander(t *testing.T) *Client {
	t.Helper()
	_, err := b.raw(t, consumer).iam().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{
		RoleName: aws.String("user"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
	})
	must(t, err)
	must(t, b.clock.Sleep(t.Context(), time.Minute)) // until it runs
	return b.client(t, b.disguised(t))
}

// disguised hides what tells the sandbox from AWS behind a proxy.
func (b *backend) disguised(t *testing.T) func(*Options) {
	t.Helper()
	target, err := url.Parse(b.endpoint)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{}
	proxy.Transport = transport
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_sandbox") {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
	return func(o *Options) { o.Sandbox.URL, o.Clock = front.URL, askingClock{b.clock} }
}

// askingClock is for asking again: what is asked for takes real time, of which a
// pause is a little, while the sandbox's clock goes on.
type askingClock struct{ sandbox *fakeClock }

func (askingClock) Now() time.Time { return time.Now() }

func (c askingClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := c.sandbox.Sleep(ctx, min(d, time.Second)); err != nil {
		return err
	}
	return wallClock{}.Sleep(ctx, min(d, 2*time.Millisecond))
}

func TestProbeBySSM(t *testing.T) {
	deny := func(action string) func(*testing.T, *backend, *executor.ProbeGrant) {
		return func(t *testing.T, b *backend, _ *executor.ProbeGrant) {
			text := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`
			_, err := b.raw(t, consumer).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("x"), PolicyDocument: &text})
			must(t, err)
		}
	}
	faults := func(list ...sandbox.Fault) func(*testing.T, *backend, *executor.ProbeGrant) {
		return func(t *testing.T, b *backend, _ *executor.ProbeGrant) { must(t, b.sandbox.SetFaults(list)) }
	}
	// given makes the instance one that was only named by the spec.
	given := func(_ *testing.T, _ *backend, g *executor.ProbeGrant) { g.Instances[0].Launched = false }
	for name, c := range map[string]struct {
		before  func(*testing.T, *backend, *executor.ProbeGrant)
		verdict executor.ProbeVerdict
		reason  string
	}{
		"an instance that was not launched by xshare": {given, executor.ProbeNotProbed, "xshare did not launch instance i-"},
		"the same, and allowed": {func(t *testing.T, b *backend, g *executor.ProbeGrant) {
			given(t, b, g)
			g.AnyInstance = true
		}, executor.ProbeWorks, ""},
		"not managed": {func(t *testing.T, b *backend, _ *executor.ProbeGrant) {
			_, err := b.raw(t, consumer).iam().DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("user"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")})
			must(t, err)
		}, executor.ProbeNotProbed, "give its role the policy AmazonSSMManagedInstanceCore"},
		"pending when it was read": {func(_ *testing.T, _ *backend, g *executor.ProbeGrant) { g.Instances[0].State = "pending" }, executor.ProbeWorks, ""},
		"stopped": {func(t *testing.T, b *backend, g *executor.ProbeGrant) {
			_, err := b.raw(t, consumer).ec2(region).StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{g.Instances[0].ID}})
			must(t, err)
			g.Instances[0].State = "stopped"
		}, executor.ProbeNotProbed, "is stopped"},
		"stopped since": {func(t *testing.T, b *backend, g *executor.ProbeGrant) {
			_, err := b.raw(t, consumer).ec2(region).StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{g.Instances[0].ID}})
			must(t, err)
		}, executor.ProbeNotProbed, "SSM does not manage instance i-"},
		"another profile": {func(_ *testing.T, _ *backend, g *executor.ProbeGrant) { g.Instances[0].Profile = "other" }, executor.ProbeNotProbed, "has the instance profile other, and the role's is user"},
		"no profile":      {func(_ *testing.T, _ *backend, g *executor.ProbeGrant) { g.Instances[0].Profile = "" }, executor.ProbeNotProbed, "has no instance profile, and the role's is user"},
		"a second one that can be used": {func(_ *testing.T, _ *backend, g *executor.ProbeGrant) {
			g.Instances = append([]executor.ProbeInstance{{ID: "i-00000000000000001", Region: region, State: "stopped"}}, g.Instances...)
		}, executor.ProbeWorks, ""},
		"none that can be used": {func(_ *testing.T, _ *backend, g *executor.ProbeGrant) {
			g.Instances = []executor.ProbeInstance{{ID: "i-1", Launched: true, State: "stopped"}, {ID: "i-2"}}
		}, executor.ProbeNotProbed, "instance i-1 is stopped; xshare did not launch instance i-2"},
		"no permission to look":   {deny("ssm:DescribeInstanceInformation"), executor.ProbeNotProbed, "xshare-deployer denies ssm:DescribeInstanceInformation on instance i-"},
		"no permission to send":   {deny("ssm:SendCommand"), executor.ProbeNotProbed, "xshare-deployer denies ssm:SendCommand on instance i-"},
		"no permission to listen": {deny("ssm:GetCommandInvocation"), executor.ProbeNotProbed, "xshare-deployer denies ssm:GetCommandInvocation on instance i-"},
		"no permission to listen any more": {faults(
			sandbox.Fault{Service: "s3", Operation: "PutObject", Account: consumer, Kind: "latency", LatencyMillis: 600000},
			sandbox.Fault{Service: "ssm", Operation: "GetCommandInvocation", Kind: "error", Code: "AccessDeniedException", Status: 400, Nth: 2},
			sandbox.Fault{Service: "ssm", Operation: "CancelCommand", Kind: "error", Code: "AccessDeniedException", Status: 400},
		), executor.ProbeNotProbed, " may go on until 2m0s after it was sent: see then that no object named .xshare-probe-* is left in probed"},
		"a command that is not known everywhere yet": {faults(sandbox.Fault{Service: "ssm", Operation: "GetCommandInvocation", Kind: "error", Code: "InvocationDoesNotExist", Status: 400, Count: 3}), executor.ProbeWorks, ""},
		"throttling":        {faults(sandbox.Fault{Service: "ssm", Kind: "throttle", Count: 1}), executor.ProbeWorks, ""},
		"no longer managed": {faults(sandbox.Fault{Service: "ssm", Operation: "SendCommand", Kind: "error", Code: "InvalidInstanceId", Status: 400, Nth: 2}), executor.ProbeNotProbed, "SSM does not manage instance i-"},
		"no answer of S3's": {faults(sandbox.Fault{Service: "s3", Operation: "HeadObject", Kind: "lostResponse"}), executor.ProbeNotProbed, "ended with exit status 1 and told no answer of S3's: it said \"download failed: s3://probed/"},
	} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t)
			grant := b.shared(t, "trust: ec2", "access: [read, write]"+instance)
			p := b.commander(t)
			grant.Instances[0].State = "running"
			c.before(t, b, &grant)
			r, err := p.Probe(t.Context(), grant)
			must(t, err)
			if r.Verdict != c.verdict || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%s: %s", r.Verdict, r.Reason)
			}
			if keys := b.leftovers(t, "probed"); len(keys) > 0 {
				t.Errorf("left behind: %v", keys)
			}
			if strings.Contains(c.reason, " denies ssm:") && b.journal.count(t, "s3:PutObject") > 0 {
				t.Error("a command ran")
			}
			if c.verdict == executor.ProbeNotProbed && slices.ContainsFunc(r.Calls, func(c executor.ProbeCall) bool { return !c.OK }) {
				t.Errorf("calls that failed: %+v", r.Calls)
			}
		})
	}
}

// A role that may remove what it wrote needs no owner to clean up after it.
func TestProbeBySSMWithoutTheOwner(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: [read, write, delete]"+instance)
	grant.OwnerManaged = false
	p := b.commander(t)
	r, err := p.Probe(t.Context(), grant)
	must(t, err)
	if r.Verdict != executor.ProbeWorks || len(b.leftovers(t, "probed")) > 0 {
		t.Errorf("%+v", r)
	}
}

// Keys of any form reach S3 as they are, and nothing else does.
func TestProbeBySSMOfHostilePrefixes(t *testing.T) {
	b := onSandbox(t)
	const share = "access: [read, write]\n      prefixes: [\"it's \\\"a\\\" `id` {{ssm:x}} {{{ ssm:y }} ;&|<>(){}!#~\\\\ ü/\"]"
	grant := b.shared(t, "trust: ec2", share+instance)
	r, err := b.commander(t).Probe(t.Context(), grant)
	must(t, err)
	if want := append(slices.Clone(probeCases["read and write"].want[:3]), "owner DeleteObject allowed", "role PutObject denied"); r.Verdict != executor.ProbeWorks || !slices.Equal(calls(r), want) {
		t.Errorf("%s: %s: %q", r.Verdict, r.Reason, calls(r))
	}
	put := 0
	for _, l := range b.journal.lines(t) {
		if l.Operation == "PutObject" {
			put++
			if key := strings.TrimPrefix(l.Resource, "arn:aws:s3:::probed/"); !strings.HasPrefix(key, probeName) && !strings.HasPrefix(key, grant.Prefixes[0]+probeName) {
				t.Errorf("put %q", l.Resource)
			}
		}
	}
	if put != 2 || len(b.leftovers(t, "probed")) > 0 {
		t.Errorf("%d puts, left behind %v", put, b.leftovers(t, "probed"))
	}
	grant.Prefixes = []string{"nul\x00/"}
	r, err = b.commander(t).Probe(t.Context(), grant)
	must(t, err)
	if r.Verdict != executor.ProbeNotProbed || !strings.Contains(r.Reason, "cannot be given to a command") {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
}

// A probe that is interrupted cancels its command, and removes what another wrote
// before.
func TestInterruptedProbeBySSM(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: [read, write]"+instance)
	p := b.commander(t)
	must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: "s3", Operation: "ListObjectsV2", Account: consumer, Kind: "latency", LatencyMillis: 600000}}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	var r executor.ProbeResult
	go func() {
		var err error
		r, err = p.Probe(ctx, grant)
		ended <- err
	}()
	for b.journal.count(t, "ssm:SendCommand") < 2 { // the object is put, and the list under way
		must(t, wallClock{}.Sleep(t.Context(), time.Millisecond))
	}
	cancel()
	if err := <-ended; err == nil || ctx.Err() == nil {
		t.Errorf("the probe ended with %v", err)
	}
	if r.Verdict != executor.ProbeNotProbed || r.Reason != "it was interrupted" {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
	if b.journal.count(t, "ssm:CancelCommand") != 1 || b.journal.count(t, "s3:PutObject") != 1 || b.journal.count(t, "s3:DeleteObject") != 1 {
		t.Errorf("%+v", b.journal.lines(t))
	}
	if keys := b.leftovers(t, "probed"); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
}

// runner has commands run on an instance of a backend.
func (b *backend) runner(t *testing.T, id string) *bySSM {
	t.Helper()
	c := b.client(t, func(o *Options) { o.Clock = askingClock{b.clock} })
	s := c.sessions[consumer]
	must(t, s.ready(t.Context()))
	return &bySSM{client: c, session: s, api: s.ssm(region), instance: id, region: region, cli: cli{"probed", region}}
}

// The wire format of commands, on two emulators; moto runs nothing.
func TestRunCommand(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		id := ""
		if b.sandbox != nil {
			id = b.shared(t, "trust: ec2", "access: read"+instance).Instances[0].ID
			b.commander(t)
		} else {
			id = b.instance(t, "ami-04681a1dbd79675a5")
		}
		out, err := b.runner(t, id).run(t.Context(), "echo hello")
		must(t, err)
		if out.code != 0 || out.stdout != map[bool]string{true: "hello\n"}[b.sandbox != nil] || out.stderr != "" {
			t.Errorf("%+v", out)
		}
	})
}

func TestFailedCommands(t *testing.T) {
	b := onSandbox(t)
	grant := b.shared(t, "trust: ec2", "access: read"+instance)
	b.commander(t)
	o := b.runner(t, grant.Instances[0].ID)
	for command, want := range map[string]string{
		"exit 127":                 "has no aws CLI",
		"exit 2":                   "exit status 2 and told no answer of S3's: it said nothing",
		"echo no disk >&2; exit 1": `exit status 1 and told no answer of S3's: it said "no disk"`,
		"echo 'An error occurred (AccessDenied) when calling the GetCallerIdentity operation: x' >&2; exit 1": "told no answer of S3's",
	} {
		_, err := o.s3(t.Context(), "k", command, "PutObject")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", command, err)
		}
	}
	// A list of nothing is silent, and no error.
	if keys, err := o.list(t.Context(), "none"); err != nil || keys != nil {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestOutcomes(t *testing.T) {
	o := &bySSM{instance: "i-1"}
	for name, c := range map[string]struct {
		status  types.CommandInvocationStatus
		details string
		code    int32
		reason  string // empty: it ran to its end
		perhaps bool   // it may have done something
	}{
		"success":           {types.CommandInvocationStatusSuccess, "Success", 0, "", false},
		"failed":            {types.CommandInvocationStatusFailed, "Failed", 3, "", false},
		"not started":       {types.CommandInvocationStatusFailed, "Failed", -1, "ended as Failed", true},
		"too long":          {types.CommandInvocationStatusTimedOut, "ExecutionTimedOut", -1, "ended as ExecutionTimedOut after 1m0s: see that the instance reaches S3", true},
		"in words":          {types.CommandInvocationStatusTimedOut, "Execution Timed Out", -1, "ended as Execution Timed Out after", true},
		"without details":   {types.CommandInvocationStatusTimedOut, "", -1, "ended as TimedOut after", true},
		"not delivered":     {types.CommandInvocationStatusTimedOut, "DeliveryTimedOut", -1, "ended as DeliveryTimedOut: see that SSM's agent", false},
		"undeliverable":     {types.CommandInvocationStatusFailed, "Undeliverable", -1, "ended as Undeliverable: see that SSM's agent", false},
		"a Windows machine": {types.CommandInvocationStatusFailed, "InvalidPlatform", -1, "ended as InvalidPlatform", false},
		"cancelled":         {types.CommandInvocationStatusCancelled, "Cancelled", -1, "ended as Cancelled", true},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := o.outcome(&ssm.GetCommandInvocationOutput{Status: c.status, StatusDetails: &c.details, ResponseCode: c.code})
			if c.reason == "" {
				if must(t, err); out.code != int(c.code) {
					t.Errorf("%+v", out)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.reason) || isUnmade(err) == c.perhaps {
				t.Errorf("%v, unmade: %t", err, isUnmade(err))
			}
		})
	}
}
