package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

var update = flag.Bool("update", false, "rewrite the scripts' golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"xshare": main})
}

// TestScripts runs testdata/script: the executable documentation of the
// commands. Each script has a sandbox of its own, seeded from the specs in its
// files, which xshare is pointed to by AWS_ENDPOINT_URL; besides testscript's
// own commands a script has
//
//	s3 ACCOUNT METHOD /PATH [FILE]      a raw S3 call, body from FILE, as the account's administrator
//	json ACCOUNT SERVICE Operation JSON a raw call of a service that speaks JSON (kms, organizations)
//	query ACCOUNT SERVICE Action [K=V…] a raw call of a query service (iam, ec2, sts); @FILE as V is the file's text
//	get PATH                            a GET of the sandbox's own paths
//	fault JSON                          sets the fault rules, a list; '[]' clears them
//	propagation JSON                    sets for how long new roles and profiles are not seen
//	clock JSON                          moves the sandbox's time: '{"advance": "15m"}'
//	writes                              prints the write calls since the last "writes" or "calls", or "none"
//	calls                               prints all calls since then
//	capture NAME REGEXP                 sets $NAME to the regexp's first group in the last stdout
//	called SERVICE:OPERATION            waits until such a call was done, since the last "writes" or "calls"
//	exits CODE PROGRAM [ARG…]           exec, with the exit code that it must have
//	holds FILE TEXT                     waits until FILE, which a background program writes, holds TEXT
//	interrupt                           sends Ctrl-C to the background program that was started last
//	exited CODE                         after "wait": the exit code that the interrupted program must have had
//	disguise                            hides from xshare, from then on, that it talks to a sandbox
//	use FILE                            waits for the ready file of a background sandbox; all calls, of xshare too, go there then
//
// A line of a script that expects a failure says "! exec" where the exit code
// can only be 1.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"s3": scriptS3, "query": scriptQuery, "json": scriptJSON, "get": scriptGet,
			"fault": scriptControl(http.MethodPost, "/_sandbox/faults"), "propagation": scriptControl(http.MethodPut, "/_sandbox/propagation"),
			"clock":  scriptControl(http.MethodPost, "/_sandbox/clock"),
			"writes": scriptCalls(true), "calls": scriptCalls(false), "called": scriptCalled,
			"capture": scriptCapture, "exits": scriptExits, "holds": scriptHolds, "interrupt": scriptInterrupt, "exited": scriptExited, "use": scriptUse,
			"disguise": scriptDisguise,
		},
	})
}

// journal is a sandbox's journal that a script reads in pieces.
type journal struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	grown chan struct{} // closed by the next Write; nil: nobody waits
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
	return j.buf.Write(p)
}

// peek returns what take would, and a channel that is closed when there is more.
func (j *journal) peek() (string, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.grown == nil {
		j.grown = make(chan struct{})
	}
	return j.buf.String(), j.grown
}

// take returns what was written since the last take.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.buf.Reset()
	return j.buf.String()
}

type scriptKey struct{}

// scriptWorld is what a script's own commands work on.
type scriptWorld struct {
	endpoint    string
	journal     *journal
	interrupted *exec.Cmd
}

func setupScript(env *testscript.Env) error {
	w := &scriptWorld{journal: &journal{}}
	repo := &specs.Repository{}
	if _, err := os.Stat(filepath.Join(env.WorkDir, specs.RepositoryFile)); err == nil {
		// Scripts about broken specs have no use for a seed.
		if r, _, err := readRepository(env.WorkDir); err == nil && r != nil {
			repo = r
		}
	}
	server, err := newSandbox(repo, sandbox.Options{Journal: w.journal})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = server.Close() })
	if w.endpoint, err = server.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	key := "111111111111"
	if len(repo.Accounts) > 0 {
		key = firstAccount(repo).ID
	}
	env.Vars = append(env.Vars,
		"AWS_ENDPOINT_URL="+w.endpoint,
		"AWS_ACCESS_KEY_ID="+key,
		"AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+filepath.Join(env.WorkDir, ".aws-config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(env.WorkDir, ".aws-credentials"),
	)
	env.Values[scriptKey{}] = w
	return nil
}

func worldOf(ts *testscript.TestScript) *scriptWorld { return ts.Value(scriptKey{}).(*scriptWorld) }

// scriptClient keeps no connection that a sandbox would wait for at its end.
var scriptClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// call sends one request as an account's administrator, or unsigned without an
// account; the sandbox takes the identity from the credential and does not
// verify the signature. headers are names and values.
func (w *scriptWorld) call(account, service, method, path, contentType string, body []byte, headers ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, w.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if account != "" {
		req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0", account, service))
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := scriptClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// finish prints an answer and fails the script where it is not as expected.
func finish(ts *testscript.TestScript, neg bool, status int, text string, err error) {
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), text)
	if failed := status >= 300; failed != neg {
		ts.Fatalf("status %d: %s", status, text)
	}
}

func scriptS3(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: s3 ACCOUNT METHOD /PATH [FILE]")
	}
	var body []byte
	if len(args) > 3 {
		body = []byte(ts.ReadFile(args[3]))
	}
	var headers []string
	if strings.HasPrefix(args[2], "/v20180820/") { // S3 Control's
		headers = []string{"X-Amz-Account-Id", args[0]}
	}
	status, text, err := worldOf(ts).call(args[0], "s3", args[1], args[2], "", body, headers...)
	finish(ts, neg, status, text, err)
}

// jsonTargets is how X-Amz-Target begins, by service.
var jsonTargets = map[string]string{"kms": "TrentService.", "organizations": "AWSOrganizationsV20161128."}

func (w *scriptWorld) json(account, service, operation, body string) (int, string, error) {
	return w.call(account, service, http.MethodPost, "/", "application/x-amz-json-1.1", []byte(body), "X-Amz-Target", jsonTargets[service]+operation)
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 || jsonTargets[args[1]] == "" {
		ts.Fatalf("usage: json ACCOUNT kms|organizations Operation JSON")
	}
	status, text, err := worldOf(ts).json(args[0], args[1], args[2], args[3])
	finish(ts, neg, status, text, err)
}

func scriptQuery(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: query ACCOUNT SERVICE Action [K=V…]")
	}
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}[args[1]]
	form := url.Values{"Action": {args[2]}, "Version": {version}}
	for _, kv := range args[3:] {
		k, v, _ := strings.Cut(kv, "=")
		if file, ok := strings.CutPrefix(v, "@"); ok {
			v = ts.ReadFile(file)
		}
		form.Set(k, v)
	}
	status, text, err := worldOf(ts).call(args[0], args[1], http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	finish(ts, neg, status, text, err)
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	status, text, err := worldOf(ts).call("", "", http.MethodGet, args[0], "", nil)
	finish(ts, neg, status, text, err)
}

// scriptControl sends a command's argument to one of the sandbox's own paths.
func scriptControl(method, path string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) != 1 {
			ts.Fatalf("usage: fault, propagation or clock, and JSON")
		}
		status, text, err := worldOf(ts).call("", "", method, path, "application/json", []byte(args[0]))
		finish(ts, neg, status, text, err)
	}
}

// readPrefixes begin the names of operations that change nothing.
var readPrefixes = []string{"Get", "List", "Head", "Describe", "Assume"}

func scriptCalls(onlyWrites bool) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: writes or calls, without arguments")
		}
		none := true
		for line := range strings.Lines(worldOf(ts).journal.take()) {
			call := parseCall(ts, line)
			reads := slices.ContainsFunc(readPrefixes, func(p string) bool { return strings.HasPrefix(call.Operation, p) })
			if !onlyWrites || !reads {
				fmt.Fprintln(ts.Stdout(), call.Account, call.Service+":"+call.Operation, call.Resource)
				none = false
			}
		}
		if none {
			fmt.Fprintln(ts.Stdout(), "none")
		}
	}
}

// journalled is what scripts want to know of a line of the journal.
type journalled struct{ Account, Service, Operation, Resource string }

func parseCall(ts *testscript.TestScript, line string) (call journalled) {
	ts.Check(json.Unmarshal([]byte(line), &call))
	return call
}

// patience is how long a script waits for what must come: long, as it only
// passes where something is broken.
const patience = 30 * time.Second

func scriptCalled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: called SERVICE:OPERATION")
	}
	timeout := time.After(patience)
	for {
		text, grown := worldOf(ts).journal.peek()
		for line := range strings.Lines(text) {
			if call := parseCall(ts, line); call.Service+":"+call.Operation == args[0] {
				fmt.Fprintln(ts.Stdout(), call.Account, args[0], call.Resource)
				return
			}
		}
		select {
		case <-grown:
		case <-timeout:
			ts.Fatalf("%s was not called", args[0])
		}
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = strconv.Itoa(exit.ExitCode())
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, not %s", code, args[0])
	}
}

func scriptCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("no group of %q in stdout", args[1])
	}
	ts.Setenv(args[0], found[1])
	fmt.Fprintln(ts.Stdout(), args[0]+"="+found[1])
}

func scriptHolds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holds FILE TEXT")
	}
	fmt.Fprintln(ts.Stdout(), awaitFile(ts, args[0], args[1]))
}

// awaitFile looks until a file holds a text. Another process writes it, so
// there is nothing to wait on.
func awaitFile(ts *testscript.TestScript, file, want string) string {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for {
		text, err := os.ReadFile(ts.MkAbs(file))
		if err == nil && strings.Contains(string(text), want) {
			return string(text)
		}
		select {
		case <-tick.C:
		case <-timeout:
			ts.Fatalf("%s does not hold %q: %s", file, want, text)
		}
	}
}

func scriptInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	started := ts.BackgroundCmds()
	if neg || len(args) != 0 || len(started) == 0 {
		ts.Fatalf("usage: interrupt, after a background exec")
	}
	program := started[len(started)-1]
	worldOf(ts).interrupted = program
	ts.Check(program.Process.Signal(os.Interrupt))
	fmt.Fprintln(ts.Stdout(), "interrupted", strings.Join(program.Args, " "))
}

func scriptExited(ts *testscript.TestScript, neg bool, args []string) {
	program := worldOf(ts).interrupted
	if neg || len(args) != 1 || program == nil || slices.Contains(ts.BackgroundCmds(), program) {
		ts.Fatalf("usage: exited CODE, after interrupt and wait")
	}
	if code := strconv.Itoa(program.ProcessState.ExitCode()); code != args[0] {
		ts.Fatalf("exit code %s, not %s", code, args[0])
	}
}

func scriptUse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: use FILE")
	}
	var ready struct{ Endpoint string }
	ts.Check(json.Unmarshal([]byte(awaitFile(ts, args[0], "\n")), &ready))
	worldOf(ts).endpoint = ready.Endpoint
	ts.Setenv("AWS_ENDPOINT_URL", ready.Endpoint)
	fmt.Fprintln(ts.Stdout(), "using", ready.Endpoint)
}
