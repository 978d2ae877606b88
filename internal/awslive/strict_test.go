package awslive

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

// What AWS does and moto does not: these run on the sandbox only.

func TestPropagationIsWaitedFor(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) {
		o.Propagation = sandbox.Propagation{
			Role:    sandbox.Window{For: 20 * time.Second, Attempts: 2},
			Profile: sandbox.Window{For: 12 * time.Second, Attempts: 1},
		}
	})
	c := b.client(t)
	applied(t, c, compared(t, c, b.planned(t, share)))
	if b.clock.total() < 12*time.Second {
		t.Errorf("only %s were waited", b.clock.total())
	}
	for operation, least := range map[string]int{"s3:PutBucketPolicy": 3, "ec2:RunInstances": 2} {
		if n := b.journal.count(t, operation); n < least {
			t.Errorf("%s was called %d times, want at least %d: nothing was refused", operation, n, least)
		}
	}
}

// A partner's role cannot be asked for, and must not keep one that was made just
// now from being waited for.
func TestNewRoleBesideAPartnersIsWaitedFor(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) {
		o.Propagation.Role = sandbox.Window{For: 20 * time.Second}
		o.Seed.Roles = append(o.Seed.Roles, sandbox.SeedRole{Account: partner, Name: "reader", Trust: trusting(partner)})
	})
	b.bucket(t, "shared", "")
	c := b.client(t)
	reader := b.role(t, consumer, "reader")
	do(t, c, policyChange("shared", statement("shared", reader, "s3:GetObject"), statement("shared", "arn:aws:iam::"+partner+":role/reader", "s3:PutObject")))
	if b.clock.total() < 10*time.Second {
		t.Errorf("only %s were waited", b.clock.total())
	}
}

// pauseMeddler lets somebody else do something when the client first waits.
type pauseMeddler struct {
	*fakeClock
	once   sync.Once
	meddle func()
}

func (m *pauseMeddler) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		m.once.Do(m.meddle)
	}
	return m.fakeClock.Sleep(ctx, d)
}

// Between an attempt to write a policy and the next, it is read again: what
// somebody else wrote meanwhile stays.
func TestPolicyIsReadBeforeEachAttempt(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"error":    {Kind: "error", Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable},
		"throttle": {Kind: "throttle"},
		"conflict": {Kind: "error", Code: "OperationAborted", Status: http.StatusConflict},
	} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t)
			s := b.bucket(t, "shared", "")
			reader := b.role(t, consumer, "reader")
			const theirs = `{"Sid":"theirs","Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shared/theirs/*"}`
			m := &pauseMeddler{fakeClock: b.clock, meddle: func() {
				_, err := s.s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
					Bucket: aws.String("shared"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + theirs + `]}`),
				})
				must(t, err)
			}}
			c := b.client(t, func(o *Options) { o.Clock = m })
			fault.Service, fault.Operation, fault.Nth = "s3", "PutBucketPolicy", 1
			must(t, b.sandbox.SetFaults([]sandbox.Fault{fault}))
			do(t, c, policyChange("shared", statement("shared", reader, "s3:GetObject")))
			text, err := s.bucketPolicy(t.Context(), "shared", region)
			must(t, err)
			if !strings.Contains(string(text), theirs) || !strings.Contains(string(text), reader) {
				t.Errorf("the policy is %s", text)
			}
		})
	}
}

func TestPrincipalThatIsNotThere(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "shared", "")
	c := b.client(t)
	const missing = "arn:aws:iam::444444444444:role/nobody"
	_, err := c.Do(t.Context(), policyChange("shared", statement("shared", missing, "s3:GetObject")))
	var api *executor.APIError
	if !errors.As(err, &api) || api.Code != "MalformedPolicy" || !strings.Contains(api.Mend, missing) || api.RequestID == "" {
		t.Fatalf("error is %#v", err)
	}
	if n := b.journal.count(t, "s3:PutBucketPolicy"); n != 1 || b.clock.total() > time.Second {
		t.Errorf("%d puts and %s of waiting for a principal that nobody has seen", n, b.clock.total())
	}
}

func TestDeadPrincipalOfOthers(t *testing.T) {
	b := onSandbox(t)
	gone := b.role(t, consumer, "gone")
	b.bucket(t, "shared", `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Allow","Principal":{"AWS":"`+gone+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shared/*"}]}`)
	reader := b.role(t, consumer, "reader")
	_, err := b.raw(t, consumer).iam().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("gone")})
	must(t, err)
	_, err = b.client(t).Do(t.Context(), policyChange("shared", statement("shared", reader, "s3:GetObject")))
	var api *executor.APIError
	if !errors.As(err, &api) || !strings.Contains(api.Mend, "AROA") {
		t.Fatalf("error is %v", err)
	}
	if b.clock.total() > time.Second {
		t.Errorf("waited %s for what cannot mend itself", b.clock.total())
	}
}

func TestOurDeadPrincipalIsRenewed(t *testing.T) {
	b := onSandbox(t)
	s := b.bucket(t, "shared", "")
	reader := b.role(t, consumer, "reader")
	c := b.client(t)
	change := policyChange("shared", statement("shared", reader, "s3:GetObject"))
	do(t, c, change)
	_, err := b.raw(t, consumer).iam().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("reader")})
	must(t, err)
	b.role(t, consumer, "reader")
	if text, err := s.bucketPolicy(t.Context(), "shared", region); err != nil || !strings.Contains(string(text), "AROA") {
		t.Fatalf("policy is %s (%v), want a dead id in it", text, err)
	}
	if n := do(t, c, change); n != 1 {
		t.Errorf("renewing took %d writes", n)
	}
	if text, err := s.bucketPolicy(t.Context(), "shared", region); err != nil || !strings.Contains(string(text), reader) {
		t.Errorf("policy is %s (%v)", text, err)
	}
}

func TestBucketOfAnotherAccountIsNotWritten(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "shared", "")
	change := policyChange("shared", statement("shared", b.role(t, consumer, "reader"), "s3:GetObject"))
	change.Account = consumer
	if _, err := b.client(t).Do(t.Context(), change); err == nil {
		t.Error("the policy of a bucket in another account was written")
	}
	if n := b.journal.count(t, "s3:PutBucketPolicy"); n != 0 {
		t.Errorf("%d puts were tried", n)
	}
}

// Each write's answer is lost once, after AWS has done it. The run goes on to
// the same end, and nothing is there twice.
func TestLostAnswers(t *testing.T) {
	for operation, service := range map[string]string{
		"CreateBucket": "s3", "PutBucketPolicy": "s3",
		"CreateRole": "iam", "CreatePolicy": "iam", "AttachRolePolicy": "iam",
		"CreateInstanceProfile": "iam", "AddRoleToInstanceProfile": "iam",
		"RunInstances": "ec2",
	} {
		t.Run(operation, func(t *testing.T) {
			b := onSandbox(t)
			p := b.planned(t, share)
			c := b.client(t)
			changes := compared(t, c, p)
			must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: service, Operation: operation, Kind: "lostResponse", Nth: 1}}))
			applied(t, c, changes)
			must(t, b.sandbox.SetFaults(nil))
			if n := c.options.Stats.Report().Retried; n == 0 {
				t.Error("nothing was tried again: the answer was not lost")
			}
			for _, change := range compared(t, b.client(t), p).Steps {
				if change.Action != plan.Noop {
					t.Errorf("%s is %s afterwards", change.ID, change.Action)
				}
			}
			in := observe(t, c, plan.Want{Account: consumer, Instances: []plan.InstanceWant{{Region: region, Named: true}}}).Instances
			if len(in) != 1 {
				t.Errorf("there are %d instances", len(in))
			}
		})
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	b := onSandbox(t)
	must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: "iam", Kind: "throttle", Count: 3}}))
	c := b.client(t)
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	r := c.options.Stats.Report()
	if r.Throttled != 6 || r.Retried != 6 || r.Calls[consumer]["iam:ListInstanceProfiles"] != 1 {
		t.Errorf("stats are %+v, want two operations, each throttled three times", r)
	}
	if b.clock.total() == 0 {
		t.Error("nothing was waited for")
	}
}

func TestReadOnly(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t, func(o *Options) { o.ReadOnly = true })
	b.bucket(t, "shared", "")
	observe(t, c, plan.Want{Account: consumer, IAM: true, Profiles: []string{"p"}, Instances: []plan.InstanceWant{{Region: region, Named: true, IDs: []string{"i-0123456789abcdef0"}}}})
	observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "shared", Create: true}, {Name: "absent", Create: true}}})

	s := c.sessions[consumer]
	if _, err := s.iam().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(ec2Trust)}); err == nil || !strings.Contains(err.Error(), "only reads") {
		t.Errorf("a write by a client that only reads: %v", err)
	}
	if n := b.journal.count(t, "iam:CreateRole"); n != 0 {
		t.Error("the write was sent")
	}
	if _, err := c.Do(t.Context(), policyChange("shared")); err == nil {
		t.Error("Do did something")
	}

	// And if the guard were not there, the session's policy is.
	api := iam.New(iam.Options{Region: region, BaseEndpoint: &b.endpoint, Credentials: s.credentials()})
	if _, err := api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(ec2Trust)}); !isDenied(err) {
		t.Errorf("a write with the credentials of a client that only reads: %v", err)
	}
}

func TestReadRoleAndExternalID(t *testing.T) {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}]}`
	b := onSandbox(t, func(o *sandbox.Options) {
		o.Seed.Roles = append(o.Seed.Roles, sandbox.SeedRole{Account: consumer, Name: "reader", Path: "/ops/", Trust: trust, Inline: map[string]string{"all": everything}})
	})
	c := b.client(t, func(o *Options) {
		o.ReadOnly = true
		for _, a := range o.Accounts {
			a.ReadRole, a.ExternalID = "ops/reader", "secret"
		}
	})
	observe(t, c, plan.Want{Account: consumer, IAM: true})
	if got := c.sessions[consumer].principal(); got != "arn:aws:iam::222222222222:role/ops/reader" {
		t.Errorf("read as %s", got)
	}
}

func TestAccountThatRefuses(t *testing.T) {
	b := onSandbox(t)
	_, err := b.raw(t, consumer).iam().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("xshare-deployer"), PolicyDocument: aws.String(trusting(consumer)),
	})
	must(t, err)
	before := b.journal.count(t, "sts:AssumeRole")
	c := b.client(t)
	for range 2 {
		snap, err := c.Observe(t.Context(), plan.Want{Account: consumer, IAM: true})
		must(t, err)
		f := snap.Failure(plan.ScopeIAM)
		if f == nil || f.Scope != plan.ScopeAccount || f.Code != "AccessDenied" || !strings.Contains(f.Mend, "trust policy") {
			t.Fatalf("failure is %+v", f)
		}
	}
	if n := b.journal.count(t, "sts:AssumeRole") - before; n != 1 {
		t.Errorf("a refusal was asked for %d times", n)
	}
	observe(t, c, plan.Want{Account: owner, IAM: true}) // the other account goes on
}

func TestCredentialsOfAnotherAccount(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t, func(o *Options) {
		for _, a := range o.Accounts {
			a.DeployRole = noRole
		}
	})
	if got := observe(t, c, plan.Want{Account: consumer, IAM: true, Roles: []string{"xshare-deployer"}}); got.Roles["xshare-deployer"] == nil {
		t.Error("the account's administrator does not see its roles")
	}
	// The same, but with the owner's credentials.
	c.sessions[consumer].base = c.sessions[owner].base
	c.sessions[consumer].done = false
	snap, err := c.Observe(t.Context(), plan.Want{Account: consumer, IAM: true})
	must(t, err)
	if f := snap.Failure(plan.ScopeAccount); f == nil || !strings.Contains(f.Message, "111111111111") {
		t.Errorf("failure is %+v, want the mismatch", f)
	}
}

func TestDeniedReadIsNotAbsence(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "open", "")
	b.bucket(t, "closed", "")
	_, err := b.raw(t, owner).iam().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("deny"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:GetBucketPolicy","iam:ListInstanceProfiles"],"Resource":["arn:aws:s3:::closed","arn:aws:iam::*:instance-profile/*"]}]}`),
	})
	must(t, err)
	snap, err := b.client(t).Observe(t.Context(), plan.Want{Account: owner, IAM: true, Buckets: []plan.BucketWant{{Name: "open"}, {Name: "closed"}}})
	must(t, err)
	if snap.Buckets["open"] == nil || snap.Buckets["closed"] != nil {
		t.Errorf("buckets: %v", snap.Buckets)
	}
	f := snap.Failure(plan.ScopeBucket + "closed")
	if f == nil || f.Code != "AccessDenied" || !strings.Contains(f.Mend, "s3:GetBucketPolicy") || !strings.Contains(f.Mend, "xshare-deployer") {
		t.Errorf("failure is %+v", f)
	}
	if f := snap.Failure(plan.ScopeIAM); f == nil || !strings.Contains(f.Mend, "iam:ListInstanceProfiles") {
		t.Errorf("failure is %+v", f)
	}
	if f := snap.Failure(plan.ScopeBucket + "open"); f != nil {
		t.Errorf("failure is %+v", f)
	}
}

// meddler undoes our first put of a bucket policy, right after it.
type meddler struct {
	http.Handler
	once sync.Once
	undo func()
}

func (m *meddler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, isPolicy := r.URL.Query()["policy"]
	m.Handler.ServeHTTP(w, r)
	if r.Method == http.MethodPut && isPolicy {
		m.once.Do(m.undo)
	}
}

func TestAnotherWriterIsNoticed(t *testing.T) {
	b := onSandbox(t)
	const theirs = `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::shared/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	s := b.bucket(t, "shared", "")
	change := policyChange("shared", statement("shared", b.role(t, consumer, "reader"), "s3:GetObject"))
	h := &meddler{Handler: b.sandbox, undo: func() {
		if _, err := s.s3(region).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("shared"), Policy: aws.String(theirs)}); err != nil {
			t.Error(err)
		}
	}}
	server := httptest.NewServer(h)
	defer server.Close()
	c := b.client(t, func(o *Options) { o.Sandbox.URL = server.URL })
	done, err := c.Do(t.Context(), change)
	must(t, err)
	if done.Writes != 2 || len(done.Notes) != 1 {
		t.Errorf("done is %+v, want two writes and a note", done)
	}
	text, err := s.bucketPolicy(t.Context(), "shared", region)
	must(t, err)
	doc, err := iampolicy.Parse(text)
	must(t, err)
	if len(doc.Statements) != 2 {
		t.Errorf("policy is %s, want both writers' statements", text)
	}
}

// stuckClock sleeps until the context ends.
type stuckClock struct{ sleeping chan struct{} }

func (c stuckClock) Now() time.Time { return time.Now() }

func (c stuckClock) Sleep(ctx context.Context, d time.Duration) error {
	if d < 100*time.Millisecond {
		return ctx.Err()
	}
	c.sleeping <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) { o.Propagation.Role = sandbox.Window{Attempts: 1000} })
	b.bucket(t, "shared", "")
	reader := b.role(t, consumer, "reader")
	clock := stuckClock{make(chan struct{}, 10)}
	c := b.client(t, func(o *Options) { o.Clock = clock })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Do(ctx, policyChange("shared", statement("shared", reader, "s3:GetObject")))
		ended <- err
	}()
	<-clock.sleeping
	cancel()
	if err := <-ended; err == nil {
		t.Error("a write that was cancelled succeeded")
	}
}

// Conflicts with somebody else's write end by themselves.
func TestConflictsAreRetried(t *testing.T) {
	b := onSandbox(t)
	p := b.planned(t, share)
	c := b.client(t)
	changes := compared(t, c, p)
	must(t, b.sandbox.SetFaults([]sandbox.Fault{
		{Service: "s3", Operation: "PutBucketPolicy", Kind: "error", Code: "OperationAborted", Status: 409, Count: 2},
		{Service: "iam", Operation: "AttachRolePolicy", Kind: "error", Code: "ConcurrentModification", Status: 409, Count: 2},
		{Service: "iam", Operation: "AddRoleToInstanceProfile", Kind: "error", Code: "EntityTemporarilyUnmodifiable", Status: 409, Count: 2},
		{Service: "ec2", Operation: "RunInstances", Kind: "error", Code: "InternalError", Status: 500, Count: 2},
	}))
	applied(t, c, changes)
	if n := c.options.Stats.Report().Retried; n != 8 {
		t.Errorf("%d attempts were retries, want 8", n)
	}
}

func TestErrorsThatAreNotRetried(t *testing.T) {
	for code, mend := range map[string]string{"AccessDenied": "iam:CreateRole and iam:TagRole", "LimitExceeded": "quota"} {
		t.Run(code, func(t *testing.T) {
			b := onSandbox(t)
			must(t, b.sandbox.SetFaults([]sandbox.Fault{{Service: "iam", Operation: "CreateRole", Kind: "error", Code: code, Status: 409}}))
			c := b.client(t)
			_, err := c.Do(t.Context(), &plan.Change{
				ID: "iam.Role/222222222222/r", Type: plan.TypeRole, Account: consumer, Region: plan.GlobalRegion, Action: plan.Create,
				Want: plan.Role{Name: "r", Path: "/", ARN: "arn:aws:iam::222222222222:role/r", Trust: []byte(ec2Trust)},
			})
			var api *executor.APIError
			if !errors.As(err, &api) || api.Code != code || !strings.Contains(api.Mend, mend) || api.Operation != "CreateRole" || api.Account != consumer || api.RequestID == "" {
				t.Fatalf("error is %#v", api)
			}
			if n := b.journal.count(t, "iam:CreateRole"); n != 1 {
				t.Errorf("it was called %d times", n)
			}
		})
	}
}
