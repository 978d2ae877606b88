package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

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
//	query ACCOUNT SERVICE Action [K=V…] a raw call of a query service (iam, ec2, sts)
//	writes                              prints the write calls since the last "writes" or "calls", or "none"
//	calls                               prints all calls since then
//	fault JSON                          sets a fault rule
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"s3": scriptS3, "query": scriptQuery, "writes": scriptCalls(true), "calls": scriptCalls(false), "fault": scriptFault,
		},
	})
}

// journal is a sandbox's journal that a script reads in pieces.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
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
	endpoint string
	journal  *journal
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

// call sends one request as an account's administrator; the sandbox takes the
// identity from the credential and does not verify the signature.
func (w *scriptWorld) call(account, service, method, path, contentType string, body []byte) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, w.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0", account, service))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
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
	status, text, err := worldOf(ts).call(args[0], "s3", args[1], args[2], "", body)
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
		form.Set(k, v)
	}
	status, text, err := worldOf(ts).call(args[0], args[1], http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	finish(ts, neg, status, text, err)
}

func scriptFault(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: fault JSON")
	}
	status, text, err := worldOf(ts).call("", "", http.MethodPost, "/_sandbox/faults", "application/json", []byte(args[0]))
	finish(ts, neg, status, text, err)
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
			var call struct{ Account, Service, Operation, Resource string }
			ts.Check(json.Unmarshal([]byte(line), &call))
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
