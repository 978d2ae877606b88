package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// ssmTarget is how X-Amz-Target begins for Systems Manager.
const ssmTarget = "AmazonSSM."

// ssmWorld is Systems Manager's part of the state.
type ssmWorld struct {
	Commands map[string]*ssmCommand // by id
}

// complete makes what an empty or older state file lacks. A command that was
// not at its end when the sandbox was ended will come to none.
func (w *ssmWorld) complete() {
	if w.Commands == nil {
		w.Commands = map[string]*ssmCommand{}
	}
	for _, c := range w.Commands {
		for _, v := range c.Invocations {
			if v.Ended.IsZero() {
				v.end("TimedOut", "ExecutionTimedOut", -1, c.Requested)
			}
		}
	}
}

// ssmAgents are the agents on instances, which carry out commands.
type ssmAgents struct {
	server *Server
	all    sync.WaitGroup

	// Guarded by the server's lock.
	running map[string]context.CancelFunc // by command and instance
	heads   map[string]*instanceMetadata  // that commands get credentials from, by instance
}

// newSSM is Systems Manager: Run Command, and which instances it can run
// commands on.
func newSSM(s *Server) *service {
	a := &ssmAgents{server: s, running: map[string]context.CancelFunc{}, heads: map[string]*instanceMetadata{}}
	s.closing = append(s.closing, a.close)
	return jsonService("ssm", ssmTarget, jsonOperations{
		"CancelCommand":               reading(a.cancelCommand),
		"DescribeInstanceInformation": reading(describeInstanceInformation),
		"GetCommandInvocation":        reading(getCommandInvocation),
		"SendCommand":                 reading(a.sendCommand),
	}, []string{"CommandId", "InstanceId", "DocumentName"})
}

// close ends what runs.
func (a *ssmAgents) close() error {
	a.server.mu.Lock()
	for _, cancel := range a.running {
		cancel()
	}
	a.server.mu.Unlock()
	a.all.Wait()
	return nil
}

func ssmFault(code, format string, args ...any) *apiError {
	return fault(http.StatusBadRequest, code, format, args...)
}

func ssmInvalid(format string, args ...any) *apiError {
	return ssmFault("ValidationException", "1 validation error detected: "+format, args...)
}

// ssmAll is the resource of what is allowed in an account and region or not at all.
func (c *call) ssmAll() string {
	return c.server.arn("ssm", c.credential.region, c.caller.Account, "*")
}

// managed reports whether an instance's agent has registered: it runs, and gets
// credentials of a role that may do so
// (SSM: setup-instance-permissions).
func (c *call) managed(i *instance, at *ec2Region) bool {
	s := c.server
	a := at.associationOf(i.ID)
	if i.state(c.now) != stateRunning || i.Metadata.Endpoint == "disabled" || a == nil {
		return false
	}
	p := s.findProfile(a.Profile)
	if p == nil || p.ID != a.ProfileID {
		return false
	}
	r := s.world.account(s, p.Account).Roles[p.Role]
	if r == nil || s.trustsEC2(r, i, at, c.now) != nil {
		return false
	}
	arn := s.arn("ec2", at.Region, at.Account, "instance/"+i.ID)
	agent := &call{request: instanceRequest(c.Context(), at.Region, "ssm"), server: s, service: c.service, now: c.now}
	agent.caller = caller{
		session: &session{Account: r.Account, Role: r.Name, RoleID: r.ID, Name: i.ID, Source: arn}, userID: r.ID + ":" + i.ID,
		Caller: iampolicy.Caller{Kind: iampolicy.Session, ARN: s.sessionARN(r, i.ID), Account: r.Account, RoleARN: r.ARN, UniqueID: r.ID},
	}
	return agent.decide(permission{action: "ssm:UpdateInstanceInformation", resource: arn, account: at.Account}).Allowed()
}

// instanceRequest is a request to a service as it comes from an instance: from
// the address that all calls here come from.
func instanceRequest(ctx context.Context, region, service string) *request {
	r := (&http.Request{Method: http.MethodPost, Header: http.Header{}, RemoteAddr: "127.0.0.1:0"}).WithContext(ctx)
	return &request{Request: r, credential: credential{region: region, service: service}}
}

type instanceInformation struct {
	InstanceID       string `json:"InstanceId"`
	PingStatus       string
	LastPingDateTime seconds
	PlatformType     string
	PlatformName     string
	ResourceType     string
	IPAddress        string
	ComputerName     string
}

type instanceFilter struct {
	Key    string
	Values []string
}

// describeInstanceInformation lists the instances that SSM manages.
func describeInstanceInformation(c *call, in *struct {
	Filters    []instanceFilter
	MaxResults *int
	NextToken  string
},
) (any, error) {
	if err := c.authorize(permission{action: "ssm:DescribeInstanceInformation", resource: c.ssmAll()}); err != nil {
		return nil, err
	}
	most := 50
	if in.MaxResults != nil {
		if most = *in.MaxResults; most < 5 || most > 50 {
			return nil, ssmInvalid("Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 5 and 50", most)
		}
	}
	after, err := decodeToken(in.NextToken)
	if err != nil {
		return nil, ssmFault("InvalidNextToken", "The specified token is not valid.")
	}
	at := c.server.world.EC2.region(c.caller.Account, c.credential.region)
	for _, f := range in.Filters {
		if f.Key != "InstanceIds" {
			return nil, notImplemented("the filter %q of DescribeInstanceInformation", f.Key)
		}
		for _, id := range f.Values {
			if at.Instances[id] == nil {
				return nil, ssmFault("InvalidInstanceId", "The instance ID %s is not valid, or not one of the account's", id)
			}
		}
	}
	list := []instanceInformation{}
	for _, i := range at.Instances {
		wanted := !slices.ContainsFunc(in.Filters, func(f instanceFilter) bool { return !slices.Contains(f.Values, i.ID) })
		if wanted && c.managed(i, at) {
			list = append(list, instanceInformation{
				InstanceID: i.ID, PingStatus: "Online", LastPingDateTime: seconds{c.now}, PlatformType: "Linux", PlatformName: "Amazon Linux",
				ResourceType: "EC2Instance", IPAddress: i.Address, ComputerName: privateName(i, at.Region),
			})
		}
	}
	page, next := tokenPage(list, func(v instanceInformation) string { return v.InstanceID }, after, most)
	return struct {
		InstanceInformationList []instanceInformation
		NextToken               string `json:",omitempty"`
	}{page, next}, nil
}

// ssmCommand is a command that was sent to instances.
type ssmCommand struct {
	ID, Account, Region string
	Comment             string `json:",omitempty"`
	Requested           time.Time
	Invocations         map[string]*ssmInvocation // by instance
}

// ssmInvocation is what a command came to on one instance.
type ssmInvocation struct {
	Status, Details string
	Code            int       // exit status; -1: there is none
	Started, Ended  time.Time // zero: not yet
	Output, Error   string
}

// end notes an end.
func (v *ssmInvocation) end(status, details string, code int, at time.Time) {
	v.Status, v.Details, v.Code, v.Ended = status, details, code, at
	if v.Started.IsZero() {
		v.Started = at
	}
}

// getCommandInvocation tells how a command goes on an instance.
func getCommandInvocation(c *call, in *struct {
	CommandID  string `json:"CommandId"`
	InstanceID string `json:"InstanceId"`
	PluginName string
},
) (any, error) {
	if err := c.authorize(permission{action: "ssm:GetCommandInvocation", resource: c.ssmAll()}); err != nil {
		return nil, err
	}
	command := c.command(in.CommandID)
	if command == nil || command.Invocations[in.InstanceID] == nil || in.PluginName != "" && in.PluginName != shellPlugin {
		return nil, ssmFault("InvocationDoesNotExist", "The command ID and managed node ID you specified did not match any invocations.")
	}
	v := command.Invocations[in.InstanceID]
	began, ended, elapsed := "", "", ""
	if !v.Started.IsZero() {
		began = v.Started.Format(isoMillis)
	}
	if !v.Ended.IsZero() {
		ended, elapsed = v.Ended.Format(isoMillis), fmt.Sprintf("PT%.3fS", v.Ended.Sub(v.Started).Seconds())
	}
	return struct {
		CommandID              string `json:"CommandId"`
		InstanceID             string `json:"InstanceId"`
		Comment                string
		DocumentName           string
		DocumentVersion        string
		PluginName             string
		ResponseCode           int
		ExecutionStartDateTime string
		ExecutionElapsedTime   string
		ExecutionEndDateTime   string
		Status                 string
		StatusDetails          string
		StandardOutputContent  string
		StandardOutputURL      string `json:"StandardOutputUrl"`
		StandardErrorContent   string
		StandardErrorURL       string `json:"StandardErrorUrl"`
	}{
		command.ID, in.InstanceID, command.Comment, shellDocument, "$DEFAULT", shellPlugin, v.Code, began, elapsed, ended,
		v.Status, v.Details, firstRunes(v.Output, 24000), "", firstRunes(v.Error, 8000), "",
	}, nil
}

const isoMillis = "2006-01-02T15:04:05.000Z"

// firstRunes is the beginning of a text.
func firstRunes(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// command finds a command of the call's account and region.
func (c *call) command(id string) *ssmCommand {
	v := c.server.world.SSM.Commands[id]
	if v == nil || v.Account != c.caller.Account || v.Region != c.credential.region {
		return nil
	}
	return v
}

// instanceTagKeys are the condition keys of an instance's tags.
func instanceTagKeys(tags []tag) map[string][]string {
	keys := map[string][]string{}
	for _, t := range tags {
		keys["aws:ResourceTag/"+t.Key] = []string{t.Value}
		keys["ssm:resourceTag/"+t.Key] = []string{t.Value}
	}
	return keys
}
