package awslive

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// silent is an endpoint whose server takes a connection and ends it.
func silent(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// unused is an endpoint at which nothing listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return "http://" + l.Addr().String()
}

// Each way in which a call gets no answer has a mend of its own, and none of them
// is about credentials. What is not the account's fault is no account's.
func TestNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint func(*testing.T, *backend) string
		said     string
		mend     string
	}{
		"refused":      {func(t *testing.T, _ *backend) string { return unused(t) }, "refused", "nothing listens at 127.0.0.1:"},
		"ended":        {func(t *testing.T, _ *backend) string { return silent(t) }, "127.0.0.1:", "the connection to 127.0.0.1:"},
		"no such name": {func(*testing.T, *backend) string { return "http://nowhere.invalid" }, "nowhere.invalid", "nowhere.invalid is not known to DNS: correct AWS_ENDPOINT_URL"},
		"TLS to what does not speak it": {func(_ *testing.T, b *backend) string {
			return strings.Replace(b.endpoint, "http:", "https:", 1)
		}, "HTTP response to HTTPS client", "does not speak TLS: correct AWS_ENDPOINT_URL to http://"},
		"a certificate of nobody's": {func(t *testing.T, b *backend) string {
			server := httptest.NewUnstartedServer(b.sandbox)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, "certificate", "name its authority's file in AWS_CA_BUNDLE"},
	} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t)
			client := b.client(t, func(o *Options) { o.Sandbox.URL = c.endpoint(t, b) })
			_, err := client.Observe(t.Context(), plan.Want{Account: consumer, IAM: true})
			var caller *executor.CallerError
			var api *executor.APIError
			if !errors.As(err, &caller) || !errors.As(err, &api) {
				t.Fatalf("error is %v", err)
			}
			if !strings.Contains(api.Error(), "no answer: ") || !strings.Contains(api.Error(), c.said) || !strings.Contains(api.Mend, c.mend) || strings.Contains(api.Mend, "credentials") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// An account whose own calls get no answer is an account that cannot be read.
func TestNoAnswerOfOneService(t *testing.T) {
	b := onSandbox(t)
	b.ambient(t, owner, "any", "")
	t.Setenv("AWS_ENDPOINT_URL_IAM", unused(t))
	snap, err := b.client(t, unboxed).Observe(t.Context(), plan.Want{Account: consumer, IAM: true})
	must(t, err)
	if f := snap.Failure(plan.ScopeIAM); f == nil || !strings.Contains(f.Mend, "nothing listens at") {
		t.Errorf("failure is %+v", f)
	}
}

// Without credentials the mend is about those, also where it is the network that
// did not give them. What the SDK has to say of it meanwhile reaches nobody.
func TestNoCredentials(t *testing.T) {
	b := onSandbox(t)
	b.ambient(t, "", "", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	metadata := httptest.NewServer(http.NotFoundHandler()) // the SDK warns that it falls back to IMDSv1
	defer metadata.Close()
	for name, endpoint := range map[string]string{"no metadata": metadata.URL, "no metadata service": unused(t)} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
			said := stderr(t)
			_, err := b.client(t, unboxed).Observe(t.Context(), plan.Want{Account: owner, IAM: true})
			var api *executor.APIError
			if !errors.As(err, &api) || api.Mend != credentialsMend || !strings.Contains(err.Error(), "no credentials: ") {
				t.Errorf("error is %v", err)
			}
			if text := said(); text != "" {
				t.Errorf("the SDK said %q", text)
			}
		})
	}
}

// stderr catches what the process writes to stderr until the result is called.
func stderr(t *testing.T) func() string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	must(t, err)
	own := os.Stderr
	os.Stderr = file
	restore := func() { os.Stderr = own }
	t.Cleanup(restore)
	return func() string {
		t.Helper()
		restore()
		must(t, file.Close())
		text, err := os.ReadFile(file.Name())
		must(t, err)
		return string(text)
	}
}
