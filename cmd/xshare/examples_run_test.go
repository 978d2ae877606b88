package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// xshare runs the program on the example, and fails the test where it ends
// with another exit code.
func (e *exampleRun) xshare(t *testing.T, code int, command string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "xshare", append([]string{command, e.dir}, args...)...)
	cmd.Env = append(os.Environ(),
		"AWS_ENDPOINT_URL="+e.endpoint, "AWS_ACCESS_KEY_ID="+firstAccount(e.repo).ID, "AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("xshare %s: exit code %d, not %d\n%s%s", command, got, code, &stdout, &stderr)
	}
	return stdout.Bytes()
}

// apply returns how many writes it made: by --stats, which the sandbox's
// journal must agree with.
func (e *exampleRun) apply(t *testing.T) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stats.json")
	e.take()
	e.xshare(t, 0, "apply", "--yes", "--stats", file)
	var stats struct{ Calls map[string]map[string]int }
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &stats); err != nil {
		t.Fatal(err)
	}
	writes := 0
	for _, calls := range stats.Calls {
		for call, n := range calls {
			if _, operation, _ := strings.Cut(call, ":"); !reads(operation) {
				writes += n
			}
		}
	}
	if journalled := e.writes(t); e.journal != nil && journalled != writes {
		t.Errorf("--stats has %d writes and the sandbox's journal %d", writes, journalled)
	}
	return writes
}

func reads(operation string) bool {
	return slices.ContainsFunc(readPrefixes, func(p string) bool { return strings.HasPrefix(operation, p) })
}

// take forgets what the journal has.
func (e *exampleRun) take() {
	if e.journal != nil {
		e.journal.take()
	}
}

// writes counts the write calls in the journal since the last look at it.
func (e *exampleRun) writes(t *testing.T) int {
	t.Helper()
	if e.journal == nil {
		return 0
	}
	n := 0
	for line := range strings.Lines(e.journal.take()) {
		var call journalled
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatal(err)
		}
		if !reads(call.Operation) {
			n++
		}
	}
	return n
}

// samePlan returns the plan as JSON, which must be the same on two runs.
func (e *exampleRun) samePlan(t *testing.T) []byte {
	t.Helper()
	e.take()
	first, second := e.xshare(t, 0, "plan", "--format", "json"), e.xshare(t, 0, "plan", "--format", "json")
	if !bytes.Equal(first, second) {
		t.Errorf("two plans of the same differ:\n%s\n%s", first, second)
	}
	e.noWrites(t, "plan")
	return first
}

func (e *exampleRun) noWrites(t *testing.T, command string) {
	t.Helper()
	if n := e.writes(t); n != 0 {
		t.Errorf("%s made %d writes", command, n)
	}
}

// drift returns the ids of the steps that differ.
func (e *exampleRun) drift(t *testing.T, code int) []string {
	t.Helper()
	e.take()
	var document struct {
		Steps []struct {
			ID     string
			Action plan.Action
		}
	}
	if err := json.Unmarshal(e.xshare(t, code, "drift", "--format", "json"), &document); err != nil {
		t.Fatal(err)
	}
	e.noWrites(t, "drift")
	var ids []string
	for _, s := range document.Steps {
		if s.Action != plan.Noop {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func (e *exampleRun) noDrift(t *testing.T) {
	t.Helper()
	if drifted := e.drift(t, 0); len(drifted) > 0 {
		t.Errorf("drift exits 0 and names %q", drifted)
	}
}

// verify must prove every grant, but for those with a side in an account that
// is not managed.
func (e *exampleRun) verify(t *testing.T) {
	t.Helper()
	e.take()
	var document struct {
		Grants []struct{ Share, Verdict string }
	}
	if err := json.Unmarshal(e.xshare(t, 0, "verify", "--format", "json"), &document); err != nil {
		t.Fatal(err)
	}
	e.noWrites(t, "verify")
	notChecked := 0
	for _, g := range document.Grants {
		if g.Verdict != "allowed" {
			notChecked++
		}
	}
	partners := 0
	for _, g := range e.plan.Grants {
		if !g.Consumer.Account.Manage || !g.Bucket.Account.Manage {
			partners++
		}
	}
	if len(document.Grants) != len(e.plan.Grants) || notChecked != partners {
		t.Errorf("verify has %d grants of %d, of which %d are not proved and %d should not be: %+v",
			len(document.Grants), len(e.plan.Grants), notChecked, partners, document.Grants)
	}
}

// iam does one IAM call by hand.
func (e *exampleRun) iam(t *testing.T, account, action string, args ...string) string {
	t.Helper()
	return e.query(t, account, "us-east-1", "iam", action, args...)
}

// query does one call of a query service by hand.
func (e *exampleRun) query(t *testing.T, account, region, service, action string, args ...string) string {
	t.Helper()
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}[service]
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	return e.call(t, account, region, service, http.MethodPost, "/", form.Encode())
}

// bucketPolicy reads the live policy of a bucket policy step.
func (e *exampleRun) bucketPolicy(t *testing.T, s *plan.Step) string {
	t.Helper()
	return e.call(t, s.Account, e.bucketRegion(s), "s3", http.MethodGet, "/"+s.Name+"?policy", "")
}

func (e *exampleRun) putBucketPolicy(t *testing.T, s *plan.Step, text string) {
	t.Helper()
	e.call(t, s.Account, e.bucketRegion(s), "s3", http.MethodPut, "/"+s.Name+"?policy", text)
}

// bucketRegion is where the seeds put a bucket whose region no spec states.
func (e *exampleRun) bucketRegion(s *plan.Step) string {
	return cmp.Or(s.Region, e.plan.Accounts[s.Account].Region)
}

// call sends one request by hand; neither sandbox nor moto verify signatures.
func (e *exampleRun) call(t *testing.T, account, region, service, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20260101/%s/%s/aws4_request, SignedHeaders=host, Signature=0", e.keys[account], region, service))
	if service != "s3" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s %s as %s: status %d, %v: %s", service, method, path, account, resp.StatusCode, err, text)
	}
	return string(text)
}

// exampleOnSandbox seeds a sandbox with what the example's specs name.
func exampleOnSandbox(t *testing.T, dir string) *exampleRun {
	t.Helper()
	e := &exampleRun{dir: t.TempDir(), journal: &journal{}, keys: map[string]string{}}
	if err := os.CopyFS(e.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	e.read(t)
	server, err := newSandbox(e.repo, sandbox.Options{Journal: e.journal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if e.endpoint, err = server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, a := range e.repo.Accounts {
		e.keys[a.ID] = a.ID
	}
	return e
}

// read loads the specs of the copy.
func (e *exampleRun) read(t *testing.T) {
	t.Helper()
	repo, problems, err := readRepository(e.dir)
	if err != nil || specs.Errors(problems) != nil {
		t.Fatal(err, specs.Errors(problems))
	}
	e.repo = repo
	e.plan, problems = plan.Build(repo, func(string) bool { return true })
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
}
