package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/awslive"
)

// disguised is a sandbox without what xshare knows a sandbox by: it takes it
// for AWS, or for another emulator.
func disguised(endpoint string) (*httptest.Server, error) {
	at, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_sandbox") {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	})), nil
}

// scriptDisguise points xshare, but not the script's own calls, to the sandbox
// in disguise.
func scriptDisguise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: disguise")
	}
	front, err := disguised(worldOf(ts).endpoint)
	ts.Check(err)
	ts.Defer(front.Close)
	ts.Setenv("AWS_ENDPOINT_URL", front.URL)
}

// TestInstanceProbePermissions probes by SSM with the deploy role and what the
// guide adds to it, and without any one action of that.
func TestInstanceProbePermissions(t *testing.T) {
	clearAWS(t)
	_, rest, _ := strings.Cut(readGuide(t), "## Probes on instances")
	_, rest, found := strings.Cut(rest, "```json\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the guide has no statements for probes on instances")
	}
	statements := permissionsOf(t, `{"Statement":`+strings.ReplaceAll(text, "acme-data", "acme")+`}`)
	var documented []string
	for _, p := range statements {
		documented = append(documented, p.Action)
	}
	slices.Sort(documented)
	if want := awslive.InstanceProbeActions(); !slices.Equal(slices.Compact(documented), want) {
		t.Errorf("the guide documents %v, needed are %v", documented, want)
	}
	for _, p := range permissionsOf(t, docs.DeployRolePolicy) {
		if strings.HasPrefix(p.Action, "ssm:") {
			t.Errorf("%s is in the deploy role's own document", p.Action)
		}
	}
	acts := []act{{
		name:  "apply",
		files: map[string]string{"xshare.yaml": leastRepository, "shares/inbox.yaml": inboxShare},
		args:  []string{"apply", "--yes"},
	}, {
		name: "probe",
		args: []string{"verify", "--probe", "--strict"},
	}}
	probe := playAll(t, acts, "")[1]
	probe.disguised = true

	for i := range len(statements) + 1 {
		kept, lacks := slices.Clone(statements), ""
		if i < len(statements) {
			lacks = statements[i].Action
			if lacks == "ssm:CancelCommand" { // of an interrupt
				continue
			}
			kept = slices.Delete(kept, i, i+1)
		}
		s := probe
		s.hand = func(h hand) {
			h.query(analyticsID, "iam", "AttachRolePolicy", "RoleName", "writer", "PolicyArn", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
			h.query(analyticsID, "iam", "PutRolePolicy", "RoleName", "xshare-deployer", "PolicyName", "probes", "PolicyDocument",
				policyOf(t, kept, func(permission) bool { return true }))
		}
		name := "without nothing"
		if lacks != "" {
			name = "without " + statements[i].Sid + " " + lacks
		}
		t.Run(name, func(t *testing.T) {
			code, out, _ := s.play(t, nil)
			if lacks == "" && (code != exitDone || !strings.Contains(out, "SSM on i-")) || lacks != "" && (code != exitFailed || !mended(out, lacks)) {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
}
