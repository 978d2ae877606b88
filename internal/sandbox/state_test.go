package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// open starts a server on a state file that the test closes itself.
func open(t *testing.T, o Options) (testServer, func()) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return testServer{Server: s, url: url}, func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The state, sessions and seeding included, outlives the server.
func TestStateFile(t *testing.T) {
	ctx := t.Context()
	o := Options{StatePath: filepath.Join(t.TempDir(), "sub", "state.json"), Seed: Seed{
		Accounts: []string{owner},
		Policies: []SeedPolicy{{Account: owner, Name: "gone", Document: allowAll}, {Account: owner, Name: "stays", Document: allowAll}},
		Roles: []SeedRole{{
			Account: owner, Name: "r", Path: "team", Trust: trusting(`{"AWS":"` + owner + `"}`),
			Attached: []string{"arn:aws:iam::111111111111:policy/stays"}, Tags: map[string]string{"a": "b"},
		}},
		Profiles: []SeedProfile{{Account: owner, Name: "p", Role: "r"}},
	}}
	s, end := open(t, o)
	must(s.iam(owner).DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::111111111111:policy/gone")}))(t)
	before := must(s.iam(owner).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")}))(t)
	session := must(s.sts(owner).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: before.Role.Arn, RoleSessionName: aws.String("me")}))(t).Credentials
	end()

	s, end = open(t, o)
	defer end()
	after := must(s.iam(owner).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")}))(t)
	if *before.Role.RoleId != *after.Role.RoleId || *after.Role.Arn != "arn:aws:iam::111111111111:role/team/r" || !after.Role.CreateDate.Equal(*before.Role.CreateDate) {
		t.Errorf("role %+v, was %+v", after.Role, before.Role)
	}
	_, err := s.iam(owner).GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::111111111111:policy/gone")})
	wantCode(t, err, "NoSuchEntity", "gone")
	who := must(s.sts(*session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken).GetCallerIdentity(ctx, nil))(t)
	if want := "arn:aws:sts::111111111111:assumed-role/r/me"; *who.Arn != want {
		t.Errorf("%s, want %s", *who.Arn, want)
	}
}

// Sessions that ended long ago are forgotten when a state file is opened.
func TestOldSessionsAreForgotten(t *testing.T) {
	clock := &testClock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	o := Options{StatePath: filepath.Join(t.TempDir(), "state.json"), Clock: clock.Now, Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"111111111111"}`)}}}}
	s, end := open(t, o)
	keys := s.as(t, owner, ownerRole+"r")
	end()
	for _, c := range []struct {
		after time.Duration
		code  string
	}{{2 * time.Hour, "ExpiredToken"}, {24 * time.Hour, "InvalidClientTokenId"}} {
		clock.advance(c.after)
		s, end := open(t, o)
		_, err := s.sts(keys[0], keys[1:]...).GetCallerIdentity(t.Context(), nil)
		wantCode(t, err, c.code, "")
		end()
	}
}

// One process at a time has the file; the next one gets it when the first ends.
func TestStateFileIsLocked(t *testing.T) {
	o := Options{StatePath: filepath.Join(t.TempDir(), "state.json")}
	_, end := open(t, o)
	o.LockTimeout = time.Millisecond
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "another sandbox") || !strings.Contains(err.Error(), o.StatePath) {
		t.Errorf("%v, want a refusal that names the file", err)
	}
	o.LockTimeout = time.Minute
	got := make(chan error, 1)
	go func() {
		s, err := New(o)
		if err == nil {
			err = s.Close()
		}
		got <- err
	}()
	end()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestBadStateFile(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "hello", "another version": `{"FormatVersion": 99}`} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first failure gives the lock back
				if _, err := New(Options{StatePath: path, LockTimeout: time.Millisecond}); err == nil || !strings.Contains(err.Error(), "start anew") {
					t.Errorf("%v, want an error that says what to do", err)
				}
			}
		})
	}
}

func TestBadSeeds(t *testing.T) {
	role := SeedRole{Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`)}
	change := func(f func(*SeedRole)) Seed {
		r := role
		f(&r)
		return Seed{Roles: []SeedRole{r}}
	}
	for name, c := range map[string]struct {
		seed Seed
		says string
	}{
		"account":           {Seed{Accounts: []string{"1"}}, "12 digits"},
		"role's account":    {change(func(r *SeedRole) { r.Account = "x" }), "12 digits"},
		"policy's account":  {Seed{Policies: []SeedPolicy{{Account: "x"}}}, "12 digits"},
		"profile's account": {Seed{Profiles: []SeedProfile{{Account: "x"}}}, "12 digits"},
		"policy's text":     {Seed{Policies: []SeedPolicy{{Account: owner, Name: "p", Document: "{"}}}, "policy/111111111111/p"},
		"trust":             {change(func(r *SeedRole) { r.Trust = "{}" }), "trust policy of role/111111111111/r"},
		"trusted nobody":    {change(func(r *SeedRole) { r.Trust = trusting(`{"AWS":"arn:aws:iam::111111111111:role/nobody"}`) }), "role/nobody"},
		"inline":            {change(func(r *SeedRole) { r.Inline = map[string]string{"in": "{}"} }), "inline policy in"},
		"boundary":          {change(func(r *SeedRole) { r.Boundary = "arn:aws:iam::111111111111:policy/no" }), "boundary arn:aws:iam::111111111111:policy/no"},
		"attached":          {change(func(r *SeedRole) { r.Attached = []string{"arn:aws:iam::111111111111:policy/no"} }), "policy/no"},
		"profile's role":    {Seed{Profiles: []SeedProfile{{Account: owner, Name: "p", Role: "no"}}}, "role no"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(Options{Seed: c.seed}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want an error that says %q", err, c.says)
			}
		})
	}
}

// Seeded roles may name each other in any order.
func TestSeededRolesTrustEachOther(t *testing.T) {
	start(t, Options{Seed: Seed{Roles: []SeedRole{
		{Account: owner, Name: "a", Trust: trusting(`{"AWS":"arn:aws:iam::222222222222:role/b"}`)},
		{Account: consumer, Name: "b", Trust: trusting(`{"AWS":"arn:aws:iam::111111111111:role/a"}`)},
	}}, Propagation: Propagation{Role: Window{For: time.Hour, Attempts: 9}}})
}

// trusting is a trust policy that lets a principal assume the role.
func trusting(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`
}

// allowing is an identity policy.
func allowing(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}]}`
}
