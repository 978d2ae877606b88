package campaign

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/internal/seed"
	"github.com/xshare/xshare/specs"
)

// tb is what tests, and the sequences of a property test, have in common.
type tb interface {
	Helper()
	Context() context.Context
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is an embedded AWS behind a handler of the test's own, which sees every
// call and may stop it.
type world struct {
	server   *sandbox.Server
	front    *httptest.Server
	endpoint string
	state    string        // the file that keeps the state; empty: none
	clock    awslive.Clock // of the applies in this process; nil: the real one

	mu   sync.Mutex
	stop func(c call, handled bool) bool // true: no answer, and not handled if it was not yet
	look func(c call)                    // sees every call that was handled and succeeded
	busy sync.RWMutex                    // read-locked by every call under way
}

// call is what the handler knows of a request.
type call struct {
	signature string // the same for the same call of another run
	operation string // of query services the Action, else the method
	bucket    string // of S3
	policy    bool   // it is about a bucket's policy
	body      []byte
	writes    bool
}

// newWorld starts an embedded AWS from a saved state, which may be nil, with
// what the repository names as existing.
func newWorld(t testing.TB, repo *specs.Repository, state []byte, o sandbox.Options) *world {
	t.Helper()
	if state != nil {
		o.StatePath = t.TempDir() + "/state.json"
		if err := os.WriteFile(o.StatePath, state, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Seed = seed.Of(repo)
	server, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{server: server, state: o.StatePath}
	w.front = httptest.NewServer(w)
	w.endpoint = w.front.URL
	return w
}

// close ends the world; its state is saved then, if it has a file.
func (w *world) close(t tb) {
	t.Helper()
	w.front.CloseClientConnections()
	w.front.Close()
	if err := w.server.Close(); err != nil {
		t.Error(err)
	}
}

// settle waits for the calls that are under way.
func (w *world) settle() {
	w.busy.Lock()
	defer w.busy.Unlock()
}

// set puts the handler's two hooks in force; nil takes them out.
func (w *world) set(stop func(call, bool) bool, look func(call)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop, w.look = stop, look
}

func (w *world) hooks() (func(call, bool) bool, func(call)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stop, w.look
}

// ServeHTTP hands a call on to the embedded AWS, if it is to be.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.busy.RLock()
	defer w.busy.RUnlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client was killed while it sent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := callOf(r, body)
	stop, look := w.hooks()
	if stop != nil && stop(c, false) {
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	func() {
		defer func() { // a response that is lost: the call was handled
			if lost := recover(); lost != nil {
				if look != nil {
					look(c)
				}
				panic(lost)
			}
		}()
		w.server.ServeHTTP(answer, r)
	}()
	if look != nil && answer.Code < 300 {
		look(c)
	}
	if stop != nil && stop(c, true) {
		panic(http.ErrAbortHandler)
	}
	for k, v := range answer.Header() {
		rw.Header()[k] = v
	}
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes()) // the client may be gone
}

// volatile are parameters that differ from run to run.
var volatile = []string{"ClientToken", "RoleSessionName", "NextToken", "Marker"}

var readOperations = []string{"Get", "List", "Head", "Describe", "Assume", "GET", "HEAD"}

func callOf(r *http.Request, body []byte) call {
	c := call{operation: r.Method, body: body}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		c.operation = form.Get("Action")
		for _, name := range volatile {
			form.Del(name)
		}
		c.signature = form.Encode()
	} else {
		query := r.URL.Query()
		query.Del("x-id")
		c.bucket, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		c.policy = query.Has("policy")
		c.signature = r.Method + " " + r.URL.Path + "?" + query.Encode()
	}
	c.writes = !slices.ContainsFunc(readOperations, func(p string) bool { return strings.HasPrefix(c.operation, p) })
	return c
}

// as sends a call as an account's administrator, past the handler's hooks, in
// the region that S3 names.
func (w *world) as(account, service, method, path, contentType, body string) (int, string) {
	send := func(region string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, w.endpoint+path, strings.NewReader(body))
		r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20260101/%s/%s/aws4_request, SignedHeaders=host, Signature=0", account, region, service))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		answer := httptest.NewRecorder()
		w.server.ServeHTTP(answer, r)
		return answer
	}
	answer := send("us-east-1")
	if region := answer.Header().Get("X-Amz-Bucket-Region"); answer.Code >= 300 && region != "" && region != "us-east-1" {
		answer = send(region)
	}
	return answer.Code, answer.Body.String()
}

// iam makes a call of IAM by hand, which must succeed.
func (w *world) iam(t tb, account, action string, parameters ...string) string {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	status, text := w.as(account, "iam", http.MethodPost, "/", "application/x-www-form-urlencoded", form.Encode())
	if status >= 300 {
		t.Fatalf("%s as %s %q: %d %s", action, account, parameters, status, text)
	}
	return text
}

// bucketPolicy is a bucket's policy; empty: it has none, or there is no bucket.
func (w *world) bucketPolicy(t tb, account, bucket string) string {
	t.Helper()
	status, text := w.as(account, "s3", http.MethodGet, "/"+bucket+"?policy", "", "")
	switch {
	case status == http.StatusNotFound:
		return ""
	case status >= 300:
		t.Fatalf("policy of %s: %d %s", bucket, status, text)
	}
	return text
}

// putBucketPolicy replaces a bucket's policy by hand; empty: deletes it.
func (w *world) putBucketPolicy(t tb, account, bucket, text string) {
	t.Helper()
	method := http.MethodPut
	if text == "" {
		method = http.MethodDelete
	}
	if status, answer := w.as(account, "s3", method, "/"+bucket+"?policy", "", text); status >= 300 {
		t.Fatalf("policy of %s: %d %s\n%s", bucket, status, answer, text)
	}
}

func (w *world) hasBucket(account, bucket string) bool {
	status, _ := w.as(account, "s3", http.MethodHead, "/"+bucket, "", "")
	return status < 300
}

// addForeign puts a statement that is not ours before all others of a bucket.
func (w *world) addForeign(t tb, account, bucket, statement string) {
	t.Helper()
	text := w.bucketPolicy(t, account, bucket)
	if text == "" {
		w.putBucketPolicy(t, account, bucket, "{ \"Statement\":\n["+statement+"], \"Version\" :\"2012-10-17\"}")
		return
	}
	i := strings.Index(text, "[") + 1 // of the statements: no Id of ours or of the tests has one
	w.putBucketPolicy(t, account, bucket, text[:i]+statement+","+text[i:])
}

// foreignStatement is written as no program would write it. It lets the owner's
// own account do what its identity policies allow.
func foreignStatement(account, bucket, sid string) string {
	return `{ "Resource" : "arn:aws:s3:::` + bucket + `/audit/*",  "Action":[ "s3:getobject" ],
	"Principal": {"AWS": ["` + account + `"]}, "Effect":"Allow" , "Sid" : "` + sid + `" }`
}

// load reads the specs of a directory.
func load(t tb, dir string) *specs.Repository {
	t.Helper()
	repo, problems := specs.Load(os.DirFS(dir))
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	return repo
}
