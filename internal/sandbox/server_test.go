package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// The accounts of the tests: the owner's and the consumer's.
const (
	owner    = "111111111111"
	consumer = "222222222222"
)

// testServer is a sandbox over HTTP that ends with the test.
type testServer struct {
	*Server
	url   string
	clock *testClock
	lines *safeBuffer
}

// testClock is a clock that tests set.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// entries are the journal's lines.
func (b *safeBuffer) entries(t *testing.T) []entry {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []entry
	d := json.NewDecoder(bytes.NewReader(b.b.Bytes()))
	for {
		var e entry
		if err := d.Decode(&e); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// start serves a sandbox with a clock that stands still and a journal.
func start(t *testing.T, o Options) testServer {
	t.Helper()
	clock := &testClock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	lines := &safeBuffer{}
	o.Clock, o.Journal = clock.Now, lines
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return testServer{s, h.URL, clock, lines}
}

// config is an SDK configuration with the keys of an account's administrator,
// or of a session, that does not retry what the sandbox answers.
func (s testServer) config(key string, secretToken ...string) aws.Config {
	secret, token := "any", ""
	if len(secretToken) == 2 {
		secret, token = secretToken[0], secretToken[1]
	}
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
		Retryer:     func() aws.Retryer { return retry.NewStandard(onlyCutShort) },
	}
}

// onlyCutShort repeats a call whose answer was cut short by the SDK itself: it
// closes the request's body as soon as there is an answer, and if net/http has
// not seen the body's end by then it closes the connection, with what is left
// of a long answer. A server on the same machine is quick enough for that.
func onlyCutShort(o *retry.StandardOptions) {
	o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		var cut *smithy.DeserializationError
		return aws.BoolTernary(errors.As(err, &cut) && errors.Is(err, net.ErrClosed))
	})}
	o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
}

func (s testServer) sts(key string, secretToken ...string) *sts.Client {
	return sts.NewFromConfig(s.config(key, secretToken...))
}

func (s testServer) iam(key string, secretToken ...string) *iam.Client {
	return iam.NewFromConfig(s.config(key, secretToken...))
}

// code is an error's code in AWS's words; empty for nil.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Fatalf("not an answer of a service: %v", err)
	}
	return e.ErrorCode()
}

// wantCode checks an error's code and a part of its message.
func wantCode(t *testing.T, err error, want, part string) {
	t.Helper()
	if got := code(t, err); got != want {
		t.Fatalf("code %q, want %q: %v", got, want, err)
	}
	if err != nil && !strings.Contains(err.Error(), part) {
		t.Errorf("message %q does not say %q", err, part)
	}
}

// must gives a call's result and ends the test if it failed.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// post sends a form with the credential scope of a service, unsigned if key is
// empty, and gives status and body.
func (s testServer) post(t *testing.T, service, key, form string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if key != "" {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20261124/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	}
	return s.send(t, r)
}

func (s testServer) send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// control calls a path under /_sandbox/.
func (s testServer) control(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/_sandbox/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return s.send(t, r)
}

func TestWhatIsNotServedIsRefusedByName(t *testing.T) {
	s := start(t, Options{})
	cases := map[string]struct {
		service, key, form string
		status             int
		says               []string
	}{
		"operation":           {"iam", owner, "Action=CreateLoginProfile&Version=2010-05-08&UserName=u", 501, []string{"<Code>NotImplemented</Code>", "CreateLoginProfile"}},
		"parameter":           {"iam", owner, "Action=GetRole&Version=2010-05-08&RoleName=r&Colour=red", 501, []string{"<Code>NotImplemented</Code>", "Colour", "GetRole"}},
		"nothing named":       {"iam", owner, "Action=GetRole&Version=2010-05-08", 400, []string{"<Code>ValidationError</Code>", "Value null at &#39;roleName&#39;"}},
		"two things missing":  {"sts", owner, "Action=AssumeRole&Version=2011-06-15", 400, []string{"2 validation errors detected"}},
		"no number":           {"iam", owner, "Action=ListRoles&Version=2010-05-08&MaxItems=many", 400, []string{"many"}},
		"no operation":        {"iam", owner, "", 501, []string{"<Code>NotImplemented</Code>"}},
		"member parameter":    {"sts", owner, "Action=AssumeRole&Version=2011-06-15&Tags.member.1.Key=a", 501, []string{"Tags.member.1.Key"}},
		"unsigned operation":  {"", "", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", 501, []string{"AssumeRoleWithWebIdentity"}},
		"unsigned service":    {"", "", "Action=ListTopics&Version=2010-03-31", 501, []string{"ListTopics", "NotImplemented"}},
		"service, query":      {"sns", owner, "Action=ListTopics&Version=2010-03-31", 501, []string{"<Code>NotImplemented</Code>", "sns"}},
		"service, JSON":       {"dynamodb", owner, "", 501, []string{`"__type":"NotImplemented"`, "dynamodb"}},
		"operation, JSON":     {"kms", owner, "", 501, []string{`"__type":"NotImplemented"`, "kms"}},
		"unsigned AssumeRole": {"", "", "Action=AssumeRole&Version=2011-06-15&RoleArn=a&RoleSessionName=b", 403, []string{"MissingAuthenticationToken"}},
		"unknown key":         {"iam", "AKIAIOSFODNN7EXAMPLE", "Action=ListRoles&Version=2010-05-08", 403, []string{"InvalidClientTokenId"}},
		"11 digits":           {"sts", "11111111111", "Action=GetCallerIdentity&Version=2011-06-15", 403, []string{"InvalidClientTokenId"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body := s.post(t, c.service, c.key, c.form)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for _, want := range c.says {
				if !strings.Contains(body, want) {
					t.Errorf("answer %s does not say %q", body, want)
				}
			}
		})
	}
}

func TestUnreadableAuthorization(t *testing.T) {
	s := start(t, Options{})
	for header, want := range map[string]string{
		"AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo=":  "NotImplemented",
		"AWS4-HMAC-SHA256 Credential=111111111111/2026": "IncompleteSignature",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/?Action=ListRoles&Version=2010-05-08", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		if _, body := s.send(t, r); !strings.Contains(body, want) {
			t.Errorf("%s: answer %s, want %s", header, body, want)
		}
	}
}

// The query protocol works by GET and with the credential in the URL too.
func TestPresignedGet(t *testing.T) {
	s := start(t, Options{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/?Action=GetCallerIdentity&Version=2011-06-15"+
		"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=222222222222%2F20261124%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Signature=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := s.send(t, r)
	if want := "<Arn>arn:aws:iam::222222222222:user/admin</Arn>"; status != 200 || !strings.Contains(body, want) {
		t.Errorf("%d %s, want %s", status, body, want)
	}
}

func TestControlPaths(t *testing.T) {
	s := start(t, Options{})
	cases := map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"identity":             {"GET", "", "", 200, `"sandbox":"xshare"`},
		"identity, no post":    {"POST", "", "", 405, "GET"},
		"unknown path":         {"GET", "nowhere", "", 404, "nowhere"},
		"clock":                {"GET", "clock", "", 200, `"now":"2026-11-24T12:00:00Z"`},
		"clock, no date":       {"POST", "clock", `{"advance": "tomorrow"}`, 400, "15m"},
		"clock, back":          {"POST", "clock", `{"advance": "-1s"}`, 400, "15m"},
		"clock, unknown field": {"POST", "clock", `{"set": "1s"}`, 400, "15m"},
		"clock, no delete":     {"DELETE", "clock", "", 405, "POST"},
		"faults":               {"GET", "faults", "", 200, "[]"},
		"faults, kind":         {"POST", "faults", `[{"kind": "fire"}]`, 400, "fire"},
		"faults, no code":      {"POST", "faults", `[{"kind": "error"}]`, 400, "code"},
		"faults, no latency":   {"POST", "faults", `[{"kind": "latency"}]`, 400, "latencyMillis"},
		"faults, status":       {"POST", "faults", `[{"kind": "throttle", "status": 200}]`, 400, "200"},
		"faults, probability":  {"POST", "faults", `[{"kind": "throttle", "probability": 2}]`, 400, "probability"},
		"faults, field":        {"POST", "faults", `[{"kind": "throttle", "often": 2}]`, 400, "often"},
		"windows":              {"GET", "propagation", "", 200, `"role":{"for":"0s","attempts":0}`},
		"windows, no duration": {"PUT", "propagation", `{"role": {"for": "soon"}}`, 400, "soon"},
		"windows, field":       {"PUT", "propagation", `{"user": {}}`, 400, "user"},
		"windows, no post":     {"POST", "propagation", "", 405, "PUT"},
		"context":              {"GET", "context", "", 200, "{}"},
		"context, who it is":   {"PUT", "context", `{"all": {"aws:PrincipalArn": "x"}}`, 400, "aws:PrincipalArn"},
		"context, number":      {"PUT", "context", `{"all": {"aws:SourceIp": 1}}`, 400, "aws:SourceIp"},
		"context, numbers":     {"PUT", "context", `{"all": {"aws:SourceIp": ["1", 2]}}`, 400, "aws:SourceIp"},
		"context, no keys":     {"PUT", "context", `{"all": "x"}`, 400, "all"},
		"context, list":        {"PUT", "context", `[]`, 400, "203.0.113.9"},
		"context, policy":      {"PUT", "context", `{"vpce-1": {"Statement": [{"Effect": "Perhaps"}]}}`, 400, "vpce-1"},
		"context, no post":     {"POST", "context", "", 405, "PUT"},
		"faults, no put":       {"PUT", "faults", "", 405, "POST"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body := s.control(t, c.method, c.path, c.body)
			if status != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%d %s, want %d and %q", status, body, c.status, c.says)
			}
		})
	}
}

func TestJournal(t *testing.T) {
	s := start(t, Options{})
	ctx := t.Context()
	must(s.sts(consumer).GetCallerIdentity(ctx, nil))(t)
	_, err := s.iam(consumer).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("nobody")})
	wantCode(t, err, "NoSuchEntity", "nobody")
	s.post(t, "", "", "Action=GetCallerIdentity&Version=2011-06-15")
	want := []entry{
		{"2026-11-24T12:00:00Z", consumer, "arn:aws:iam::222222222222:user/admin", "sts", "GetCallerIdentity", "arn:aws:iam::222222222222:user/admin", "", "", 200},
		{"2026-11-24T12:00:00Z", consumer, "arn:aws:iam::222222222222:user/admin", "iam", "GetRole", "arn:aws:iam::222222222222:role/nobody", "allowed", "", 404},
		{"2026-11-24T12:00:00Z", "", "anonymous", "sts", "GetCallerIdentity", "", "", "", 403},
	}
	got := s.lines.entries(t)
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d: %+v, want %+v", i+1, got[i], want[i])
		}
	}
}

func TestJournalShowsDenials(t *testing.T) {
	s := start(t, Options{Seed: stsRoles()})
	keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/powerless")
	_, err := s.iam(keys[0], keys[1:]...).ListRoles(t.Context(), nil)
	wantCode(t, err, "AccessDenied", "iam:ListRoles")
	_, err = s.sts(consumer).AssumeRole(t.Context(), assumeInput("notme"))
	wantCode(t, err, "AccessDenied", "notme")
	var got []string
	for _, e := range s.lines.entries(t) {
		got = append(got, e.Principal+" "+e.Operation+" "+e.Resource+" "+e.Decision)
	}
	want := []string{
		"arn:aws:iam::222222222222:user/admin AssumeRole arn:aws:iam::222222222222:role/powerless allowed",
		"arn:aws:sts::222222222222:assumed-role/powerless/test ListRoles arn:aws:iam::222222222222:role/ implicitDeny",
		"arn:aws:iam::222222222222:user/admin AssumeRole arn:aws:iam::111111111111:role/notme explicitDeny",
	}
	if !slices.Equal(got, want) {
		t.Errorf("journal\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The endpoint is never localhost or a wildcard: clients would not reach it,
// or would put bucket names into the host name.
func TestEndpointIs127001(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0", "localhost:0", "0.0.0.0:0"} {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		url, err := s.Listen(address)
		if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("%s: %s, %v", address, url, err)
		}
		must((testServer{Server: s, url: url}).sts(owner).GetCallerIdentity(t.Context(), nil))(t)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen("127.0.0.1:none"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:none") {
		t.Errorf("%v, want an error that names the address", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestPartition(t *testing.T) {
	s := start(t, Options{Partition: "aws-cn"})
	out := must(s.sts(owner).GetCallerIdentity(t.Context(), nil))(t)
	if want := "arn:aws-cn:iam::111111111111:user/admin"; *out.Arn != want {
		t.Errorf("%s, want %s", *out.Arn, want)
	}
	in := createRoleInput("r")
	in.AssumeRolePolicyDocument = str(trusting(`{"Service":"ec2.amazonaws.com.cn","AWS":"arn:aws-cn:iam::222222222222:root"}`))
	must(s.iam(owner).CreateRole(t.Context(), in))(t)
	in.RoleName, in.AssumeRolePolicyDocument = str("other"), str(trusting(`{"AWS":"arn:aws:iam::222222222222:root"}`))
	_, err := s.iam(owner).CreateRole(t.Context(), in)
	wantCode(t, err, "MalformedPolicyDocument", "Invalid principal")
}
