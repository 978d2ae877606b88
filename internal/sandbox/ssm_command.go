package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	shellDocument = "AWS-RunShellScript"
	shellPlugin   = "aws:runShellScript"
	// commandLife is how long commands are known (SSM: monitor-commands).
	commandLife = 30 * 24 * time.Hour
	// longestExecution is the document's default for executionTimeout.
	longestExecution = time.Hour
)

type sendCommandInput struct {
	DocumentName   string
	InstanceIDs    []string `json:"InstanceIds"`
	Parameters     map[string][]string
	Comment        string
	TimeoutSeconds *int
}

// storeReference is what SSM replaces by a value of its Parameter Store.
var storeReference = regexp.MustCompile(`\{\{\s*[A-Za-z0-9_.:/-]+\s*\}\}`)

// check refuses what no command can be made of, and gives the script and how
// long it may run.
func (in *sendCommandInput) check() (*script, time.Duration, error) {
	switch {
	case in.DocumentName == "":
		return nil, 0, ssmInvalid("Value null at 'documentName' failed to satisfy constraint: Member must not be null")
	case in.DocumentName != shellDocument:
		return nil, 0, notImplemented("the document %q of SendCommand: it knows %s", in.DocumentName, shellDocument)
	case len(in.InstanceIDs) == 0:
		return nil, 0, notImplemented("SendCommand without InstanceIds")
	case len(in.InstanceIDs) > 50:
		return nil, 0, ssmInvalid("Value at 'instanceIds' failed to satisfy constraint: Member must have length less than or equal to 50")
	case len(slices.Compact(slices.Sorted(slices.Values(in.InstanceIDs)))) < len(in.InstanceIDs):
		return nil, 0, ssmFault("DuplicateInstanceId", "You cannot specify an instance ID in more than one association.")
	case len(in.Comment) > 100:
		return nil, 0, ssmInvalid("Value at 'comment' failed to satisfy constraint: Member must have length less than or equal to 100")
	case in.TimeoutSeconds != nil && (*in.TimeoutSeconds < 30 || *in.TimeoutSeconds > 2592000):
		return nil, 0, ssmInvalid("Value '%d' at 'timeoutSeconds' failed to satisfy constraint: Member must have value between 30 and 2592000", *in.TimeoutSeconds)
	case len(in.Parameters["commands"]) == 0:
		return nil, 0, ssmFault("InvalidParameters", "commands is a required parameter of the document %s.", shellDocument)
	}
	most := longestExecution
	for _, name := range slices.Sorted(maps.Keys(in.Parameters)) {
		values := in.Parameters[name]
		switch name {
		case "commands":
		case "executionTimeout":
			n, err := strconv.Atoi(strings.Join(values, ""))
			if len(values) != 1 || err != nil || n < 1 || n > 172800 {
				return nil, 0, ssmFault("InvalidParameters", "executionTimeout must be a number of seconds from 1 to 172800.")
			}
			most = time.Duration(n) * time.Second
		default:
			return nil, 0, notImplemented("the parameter %q of the document %s", name, shellDocument)
		}
	}
	text := strings.Join(in.Parameters["commands"], "\n")
	if found := storeReference.FindString(text); found != "" {
		return nil, 0, notImplemented("Parameter Store, which %s in the commands refers to", found)
	}
	s, err := parseScript(text)
	return s, most, err
}

// sendCommand has a script run on instances. The run itself is not waited for:
// it calls the sandbox, as a client that has only the instance's credentials.
func (a *ssmAgents) sendCommand(c *call, in *sendCommandInput) (any, error) {
	s := c.server
	at := s.world.EC2.region(c.caller.Account, c.credential.region)
	if err := c.authorize(permission{action: "ssm:SendCommand", resource: s.arn("ssm", at.Region, "", "document/"+in.DocumentName)}); err != nil {
		return nil, err
	}
	for _, id := range in.InstanceIDs {
		p := permission{action: "ssm:SendCommand", resource: s.arn("ec2", at.Region, at.Account, "instance/"+id)}
		if i := at.Instances[id]; i != nil {
			p.context = instanceTagKeys(i.Tags)
		}
		if err := c.authorize(p); err != nil {
			return nil, err
		}
	}
	run, most, err := in.check()
	if err != nil {
		return nil, err
	}
	for _, id := range in.InstanceIDs {
		if i := at.Instances[id]; i == nil || !c.managed(i, at) {
			return nil, ssmFault("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s", strings.Join(in.InstanceIDs, ", "), at.Account)
		}
	}
	b := s.created(at.Account, "command", at.Region)
	command := &ssmCommand{
		ID: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16]), Account: at.Account, Region: at.Region,
		Comment: in.Comment, Requested: c.now, Invocations: map[string]*ssmInvocation{},
	}
	maps.DeleteFunc(s.world.SSM.Commands, func(_ string, old *ssmCommand) bool { return c.now.Sub(old.Requested) > commandLife })
	s.world.SSM.Commands[command.ID] = command
	for _, id := range in.InstanceIDs {
		command.Invocations[id] = &ssmInvocation{Status: "Pending", Details: "Pending", Code: -1}
		a.start(command, id, run, most)
	}
	timeout := 3600
	if in.TimeoutSeconds != nil {
		timeout = *in.TimeoutSeconds
	}
	return sentCommand(command, in, timeout, c.now.Add(time.Duration(timeout)*time.Second+most)), nil
}

// sentCommand is the answer to SendCommand.
func sentCommand(v *ssmCommand, in *sendCommandInput, timeout int, expires time.Time) any {
	type command struct {
		CommandID         string `json:"CommandId"`
		DocumentName      string
		DocumentVersion   string
		Comment           string
		InstanceIDs       []string `json:"InstanceIds"`
		Parameters        map[string][]string
		RequestedDateTime seconds
		ExpiresAfter      seconds
		Status            string
		StatusDetails     string
		TargetCount       int
		TimeoutSeconds    int
	}
	return struct{ Command command }{command{
		v.ID, shellDocument, "$DEFAULT", v.Comment, in.InstanceIDs, in.Parameters,
		seconds{v.Requested},
		seconds{expires},
		"Pending", "Pending", len(in.InstanceIDs), timeout,
	}}
}

// start begins to run a script on an instance; the lock is held. It runs for as
// long as it may by the real clock.
func (a *ssmAgents) start(command *ssmCommand, id string, run *script, most time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	key, v := command.ID+"/"+id, command.Invocations[id]
	a.running[key] = cancel
	a.all.Add(1)
	go func() {
		defer a.all.Done()
		defer cancel()
		a.server.mu.Lock()
		v.Started = a.server.now()
		if v.Status == "Pending" {
			v.Status, v.Details = "InProgress", "InProgress"
		}
		head := a.head(id)
		a.server.mu.Unlock()

		host := &instanceHost{server: a.server, head: head, ctx: ctx}
		code := run.run(host)

		a.server.mu.Lock()
		defer a.server.mu.Unlock()
		delete(a.running, key)
		v.Output, v.Error = host.out.String(), host.errs.String()
		a.ended(v, code, ctx.Err())
		a.server.store.touch()
	}()
}

// ended notes how a run ended; the lock is held. Of one that failed the agent
// says so itself, below what the script wrote.
func (a *ssmAgents) ended(v *ssmInvocation, code int, stopped error) {
	now := a.server.now()
	switch {
	case errors.Is(stopped, context.DeadlineExceeded):
		v.end("TimedOut", "ExecutionTimedOut", -1, now)
	case stopped != nil:
		v.end("Cancelled", "Cancelled", -1, now)
	case code == 0:
		v.end("Success", "Success", 0, now)
	default:
		v.Error += fmt.Sprintf("failed to run commands: exit status %d", code)
		v.end("Failed", "Failed", code, now)
	}
}

// head is what commands on an instance get their credentials from; the lock is held.
func (a *ssmAgents) head(id string) *instanceMetadata {
	if a.heads[id] == nil {
		a.heads[id] = &instanceMetadata{server: a.server, id: id, tokens: map[string]time.Time{}}
	}
	return a.heads[id]
}

// cancelCommand ends what a command still does on instances; what it has asked
// of S3 is done all the same.
func (a *ssmAgents) cancelCommand(c *call, in *struct {
	CommandID   string   `json:"CommandId"`
	InstanceIDs []string `json:"InstanceIds"`
},
) (any, error) {
	if err := c.authorize(permission{action: "ssm:CancelCommand", resource: c.ssmAll()}); err != nil {
		return nil, err
	}
	command := c.command(in.CommandID)
	if command == nil {
		return nil, ssmFault("InvalidCommandId", "The specified command ID is not valid. Verify the ID and try again.")
	}
	for id, v := range command.Invocations {
		if cancel := a.running[command.ID+"/"+id]; cancel != nil && (len(in.InstanceIDs) == 0 || slices.Contains(in.InstanceIDs, id)) {
			v.Status, v.Details = "Cancelling", "Cancelling"
			cancel()
		}
	}
	return nil, nil
}
