package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestFaults(t *testing.T) {
	cases := map[string]struct {
		rules string
		codes []string // of four calls of GetCallerIdentity in a row
	}{
		"throttle":              {`[{"kind": "throttle"}]`, []string{"Throttling", "Throttling", "Throttling", "Throttling"}},
		"count":                 {`[{"kind": "throttle", "count": 2}]`, []string{"Throttling", "Throttling", "", ""}},
		"nth":                   {`[{"kind": "throttle", "nth": 3}]`, []string{"", "", "Throttling", ""}},
		"error":                 {`[{"kind": "error", "code": "InternalFailure", "status": 500, "nth": 1}]`, []string{"InternalFailure", "", "", ""}},
		"first rule wins":       {`[{"kind": "throttle", "nth": 1}, {"kind": "error", "code": "Other", "count": 2}]`, []string{"Throttling", "Other", "", ""}},
		"another service":       {`[{"service": "iam", "kind": "throttle"}]`, []string{"", "", "", ""}},
		"another operation":     {`[{"operation": "AssumeRole", "kind": "throttle"}]`, []string{"", "", "", ""}},
		"another account":       {`[{"account": "222222222222", "kind": "throttle"}]`, []string{"", "", "", ""}},
		"this account":          {`[{"account": "111111111111", "service": "sts", "operation": "GetCallerIdentity", "kind": "throttle", "nth": 1}]`, []string{"Throttling", "", "", ""}},
		"latency does the call": {`[{"kind": "latency", "latencyMillis": 1}]`, []string{"", "", "", ""}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{})
			if status, body := s.control(t, "POST", "faults", c.rules); status != 200 {
				t.Fatal(body)
			}
			var got []string
			for range 4 {
				_, err := s.sts(owner).GetCallerIdentity(t.Context(), nil)
				got = append(got, code(t, err))
			}
			if !slices.Equal(got, c.codes) {
				t.Errorf("%q, want %q", got, c.codes)
			}
			if status, _ := s.control(t, "DELETE", "faults", ""); status != 200 {
				t.Fatal("faults cannot be cleared")
			}
			must(s.sts(owner).GetCallerIdentity(t.Context(), nil))(t)
		})
	}
}

// A lost response is one of a call that was done.
func TestLostResponse(t *testing.T) {
	s := start(t, Options{})
	if err := s.SetFaults([]Fault{{Operation: "CreateInstanceProfile", Kind: "lostResponse", Count: 1}}); err != nil {
		t.Fatal(err)
	}
	in := &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("p")}
	_, err := s.iam(owner).CreateInstanceProfile(t.Context(), in)
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Fatalf("%v, want a dropped connection", err)
	}
	_, err = s.iam(owner).CreateInstanceProfile(t.Context(), in)
	wantCode(t, err, "EntityAlreadyExists", "p")
	if e := s.lines.entries(t)[0]; e.Fault != "lostResponse" || e.Status != 200 {
		t.Errorf("journal %+v", e)
	}
}

// Probabilistic faults hit the same calls in whatever order they come, and
// other calls with another random value.
func TestProbabilityDoesNotDependOnOrder(t *testing.T) {
	run := func(random string, reverse bool) map[string][]string {
		s := start(t, Options{Random: random})
		if err := s.SetFaults([]Fault{{Kind: "throttle", Probability: 0.5}}); err != nil {
			t.Fatal(err)
		}
		accounts := []string{"111111111111", "222222222222", "333333333333", "444444444444"}
		if reverse {
			slices.Reverse(accounts)
		}
		out := map[string][]string{}
		for _, a := range accounts {
			for range 8 {
				_, err := s.sts(a).GetCallerIdentity(t.Context(), nil)
				out[a] = append(out[a], code(t, err))
			}
		}
		return out
	}
	one, reversed, other := run("a", false), run("a", true), run("b", false)
	hits, same := 0, true
	for a := range one {
		if !slices.Equal(one[a], reversed[a]) {
			t.Errorf("%s: %q, in reverse order %q", a, one[a], reversed[a])
		}
		same = same && slices.Equal(one[a], other[a])
		for _, c := range one[a] {
			if c != "" {
				hits++
			}
		}
	}
	if hits == 0 || hits == 32 || same {
		t.Errorf("%d hits of 32, the same as with another random value: %t", hits, same)
	}
}

// Ids are those of the names, not of the order.
func TestIDsDoNotDependOnOrder(t *testing.T) {
	ids := func(names []string, parallel bool) map[string]string {
		s := start(t, Options{Random: "x"})
		out := map[string]string{}
		var mu sync.Mutex
		var group sync.WaitGroup
		one := func(n string) {
			v, err := s.iam(owner).CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String(n)})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[n] = *v.InstanceProfile.InstanceProfileId
		}
		for _, n := range names {
			if parallel {
				group.Go(func() { one(n) })
			} else {
				one(n)
			}
		}
		group.Wait()
		return out
	}
	a, b := ids([]string{"p", "q", "r"}, false), ids([]string{"r", "q", "p"}, true)
	for n, id := range a {
		if b[n] != id {
			t.Errorf("%s: %s and %s", n, id, b[n])
		}
		if len(id) != 21 || !strings.HasPrefix(id, "AIPA") {
			t.Errorf("%s is no profile's id", id)
		}
	}
}

// What is made again has another id.
func TestRecreatedHasAnotherID(t *testing.T) {
	s := start(t, Options{})
	c := s.iam(owner)
	name := aws.String("p")
	seen := map[string]bool{}
	for range 3 {
		v := must(c.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: name}))(t)
		seen[*v.InstanceProfile.InstanceProfileId] = true
		must(c.DeleteInstanceProfile(t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: name}))(t)
	}
	if len(seen) != 3 {
		t.Errorf("ids %v, want three", seen)
	}
}

// The clock moves what depends on time: here, the end of a session.
func TestClockEndsSessions(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`)}}}})
	out := must(s.sts(owner).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111111111111:role/r"), RoleSessionName: aws.String("me"), DurationSeconds: aws.Int32(900),
	}))(t)
	session := s.sts(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	must(session.GetCallerIdentity(t.Context(), nil))(t)
	if status, body := s.control(t, "POST", "clock", `{"advance": "15m"}`); status != 200 || !strings.Contains(body, "12:15:00") {
		t.Fatal(body)
	}
	_, err := session.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "ExpiredToken", "expired")
}

// Whoever calls may be gone when a latency is over.
func TestCallerIsGoneAfterLatency(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`)}}}})
	keys := s.as(t, owner, ownerRole+"r")
	if err := s.SetFaults([]Fault{{Operation: "ListRoles", Kind: faultLatency, LatencyMillis: 60000}}); err != nil {
		t.Fatal(err)
	}
	ctx, over := context.WithCancel(t.Context())
	defer over()
	cfg := s.config(keys[0], keys[1:]...)
	cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r.WithContext(ctx)) // whose end ends the latency
		return rec.Result(), nil
	})
	answer := make(chan error)
	go func() {
		_, err := iam.NewFromConfig(cfg).ListRoles(t.Context(), &iam.ListRolesInput{})
		answer <- err
	}()
	for waits := false; !waits; {
		s.mu.Lock()
		waits = len(s.faults.calls) > 0
		s.mu.Unlock()
		runtime.Gosched()
	}
	must(s.iam(owner).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("r")}))(t)
	over()
	wantCode(t, <-answer, "InvalidClientTokenId", "")
}

// doer is an HTTP client of the SDK.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
