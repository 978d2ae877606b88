package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// faulty is a call of a service that can go wrong, on a thing of that name.
type faulty struct {
	operation string
	call      func(ctx context.Context, s testServer, name string) error
	made      func(s testServer, name string) bool // tells whether the call has done its work; nil: it has none to do
	code      string                               // the service's own for throttling
	status    int
}

var faultyCalls = map[string]faulty{
	"s3": {"CreateBucket", func(ctx context.Context, s testServer, name string) error {
		_, err := s.s3(owner).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
		return err
	}, func(s testServer, name string) bool { return s.world.S3.Buckets[name] != nil }, "SlowDown", 503},
	"iam": {"CreateInstanceProfile", func(ctx context.Context, s testServer, name string) error {
		_, err := s.iam(owner).CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
		return err
	}, func(s testServer, name string) bool { return s.world.Accounts[owner].Profiles[name] != nil }, "Throttling", 400},
	"ec2": {"ImportKeyPair", func(ctx context.Context, s testServer, name string) error {
		_, err := s.ec2(owner).ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: &name, PublicKeyMaterial: []byte(publicKey)})
		return err
	}, func(s testServer, name string) bool {
		r := s.world.EC2.Regions[owner+"/us-east-1"]
		return r != nil && r.Keys[name] != nil
	}, "RequestLimitExceeded", 503},
	"sts": {"AssumeRole", func(ctx context.Context, s testServer, name string) error {
		_, err := s.sts(owner).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(ownerRole + "r"), RoleSessionName: &name})
		return err
	}, func(s testServer, name string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(s.world.Sessions)), func(v *session) bool { return v.Name == name })
	}, "Throttling", 400},
	"tagging": {"GetResources", func(ctx context.Context, s testServer, _ string) error {
		_, err := s.tagging("us-east-1", owner).GetResources(ctx, nil)
		return err
	}, nil, "ThrottledException", 400},
	"kms": {"DescribeKey", func(ctx context.Context, s testServer, _ string) error {
		_, err := s.kms(owner).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/s3")})
		return err
	}, func(s testServer, _ string) bool { return len(s.world.KMS.Keys) == 1 }, "ThrottlingException", 400},
	"organizations": {"CreateOrganization", func(ctx context.Context, s testServer, _ string) error {
		_, err := s.org(owner).CreateOrganization(ctx, nil)
		return err
	}, func(s testServer, _ string) bool { return s.organizationOf(owner) != nil }, "TooManyRequestsException", 400},
	"s3control": {"PutPublicAccessBlock", func(ctx context.Context, s testServer, _ string) error {
		_, err := s.s3control(owner).PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: aws.String(owner), PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{}})
		return err
	}, func(s testServer, _ string) bool { return s.world.Accounts[owner].PublicAccess != nil }, "SlowDown", 503},
}

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2hRY2nSyTMDS6SgZjNzpAr1nFp2F2dI6rIyGnnPnYx test"

// Every kind of fault works for every service, in the service's own words.
func TestFaultsOfEveryService(t *testing.T) {
	for service, f := range faultyCalls {
		kinds := map[string]struct {
			rule   Fault
			code   string // empty: none; "lost": no answer
			status int
			done   bool
		}{
			"throttle":     {Fault{Kind: faultThrottle}, f.code, f.status, false},
			"error":        {Fault{Kind: faultError, Code: "OperationAborted", Status: 409}, "OperationAborted", 409, false},
			"error, plain": {Fault{Kind: faultError, Code: "InternalFailure"}, "InternalFailure", 500, false},
			"latency":      {Fault{Kind: faultLatency, LatencyMillis: 1}, "", 0, true},
			"lostResponse": {Fault{Kind: faultLostResponse}, "lost", 0, true},
		}
		for name, k := range kinds {
			t.Run(service+"/"+name, func(t *testing.T) {
				s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`)}}}})
				k.rule.Service, k.rule.Operation, k.rule.Account, k.rule.Nth = service, f.operation, owner, 1
				if err := s.SetFaults([]Fault{k.rule}); err != nil {
					t.Fatal(err)
				}
				err := f.call(t.Context(), s, "thing")
				var answered smithy.APIError
				switch {
				case k.code == "lost":
					if err == nil || errors.As(err, &answered) {
						t.Fatalf("%v, want no answer", err)
					}
				case k.code != "":
					wantCode(t, err, k.code, "")
					if got := statusOf(t, err); got != k.status {
						t.Errorf("status %d, want %d", got, k.status)
					}
				case err != nil:
					t.Fatal(err)
				}
				if f.made != nil {
					s.mu.Lock()
					made := f.made(s, "thing")
					s.mu.Unlock()
					if made != k.done {
						t.Errorf("done is %t, want %t", made, k.done)
					}
				}
				e := s.lines.entries(t)[0]
				if e.Service != service || e.Operation != f.operation || e.Fault != k.rule.Kind || (e.Status == 200) != k.done {
					t.Errorf("journal %+v", e)
				}
			})
		}
	}
}

// A seeded campaign: what goes wrong for a call is the same however the calls
// of other accounts, services and resources come in between.
func TestFaultsAreTheSameInAnyOrder(t *testing.T) {
	rules := []Fault{
		{Kind: faultThrottle, Probability: 0.3},
		{Service: "iam", Kind: faultLostResponse, Probability: 0.3},
		{Kind: faultError, Code: "InternalFailure", Probability: 0.2},
	}
	// run makes six calls in a row for each thing, all things at once or one by one.
	run := func(random string, atOnce bool) map[string]string {
		s := start(t, Options{Random: random, Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`)}}}})
		if err := s.SetFaults(rules); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var group sync.WaitGroup
		out := map[string]string{}
		for service, f := range faultyCalls {
			for i := range 3 {
				name := fmt.Sprint("thing-", i)
				if !slices.Contains([]string{"s3", "iam", "ec2"}, service) && i > 0 {
					continue // these are one resource
				}
				six := func() {
					var codes []string
					for range 6 {
						err := f.call(t.Context(), s, name)
						var e smithy.APIError
						switch {
						case err == nil:
							codes = append(codes, "-")
						case errors.As(err, &e):
							codes = append(codes, e.ErrorCode())
						default:
							codes = append(codes, "lost")
						}
					}
					mu.Lock()
					defer mu.Unlock()
					out[service+"/"+name] = strings.Join(codes, " ")
				}
				if atOnce {
					group.Go(six)
				} else {
					six()
				}
			}
		}
		group.Wait()
		return out
	}
	one, again, other := run("a", false), run("a", true), run("b", true)
	if !maps.Equal(one, again) {
		t.Errorf("one after the other %v,\nall at once %v", one, again)
	}
	if maps.Equal(one, other) {
		t.Error("another random value makes no difference")
	}
	all := fmt.Sprint(one)
	for _, code := range []string{"SlowDown", "Throttling", "RequestLimitExceeded", "InternalFailure", "lost", "-"} {
		if !strings.Contains(all, code) {
			t.Errorf("no %s in %s", code, all)
		}
	}
}

// Calls are told apart by all that they are about.
func TestFaultsCountByAllThatACallIsAbout(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	if err := s.SetFaults([]Fault{{Kind: faultThrottle, Nth: 2}}); err != nil {
		t.Fatal(err)
	}
	ctx, c := t.Context(), s.iam(consumer)
	for _, policy := range []string{"AdministratorAccess", "ReadOnlyAccess"} {
		in := &iam.AttachRolePolicyInput{RoleName: str("client"), PolicyArn: str("arn:aws:iam::aws:policy/" + policy)}
		must(c.AttachRolePolicy(ctx, in))(t)
		_, err := c.AttachRolePolicy(ctx, in)
		wantCode(t, err, "Throttling", "")
	}
	for _, name := range []string{"one", "two"} {
		launch := launching(func(in *ec2.RunInstancesInput) { in.TagSpecifications[0].Tags[0].Value = &name })
		must(s.ec2(consumer).RunInstances(ctx, launch))(t)
		_, err := s.ec2(consumer).RunInstances(ctx, launch)
		wantCode(t, err, "RequestLimitExceeded", "")
	}
}
