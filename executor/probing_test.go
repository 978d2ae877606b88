package executor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// probed is a plan of four grants: two of one role on one bucket, and two of a
// role with instances, on two buckets.
func probed(t *testing.T) *plan.Plan {
	t.Helper()
	lake := &specs.Account{Alias: "lake", ID: "111111111111", Region: "us-east-1", Manage: true}
	lab := &specs.Account{Alias: "lab", ID: "222222222222", Region: "us-east-1", Manage: true}
	bucket := specs.Bucket{Name: "data", Account: lake, Region: "us-east-1", Create: true}
	other := specs.Bucket{Name: "other", Account: lake, Region: "us-east-1", Create: true}
	consumer := func(role string, access ...specs.Access) *specs.Consumer {
		return &specs.Consumer{Account: lab, Access: access, Role: specs.Role{
			Name: role, Path: "/", Create: true, TrustService: "ec2.amazonaws.com", InstanceProfile: role,
		}}
	}
	launched := consumer("worker", specs.AccessWrite)
	launched.Instances = []specs.Instance{{Name: "one", Region: "us-east-1"}, {ID: "i-2", Region: "us-east-1"}, {Name: "gone", Region: "us-east-1"}}
	p, problems := plan.Build(&specs.Repository{
		Name: "acme", Region: "us-east-1", Accounts: []*specs.Account{lab, lake},
		Shares: []*specs.Share{
			{Name: "a", Bucket: bucket, Consumers: []*specs.Consumer{consumer("reader", specs.AccessRead)}},
			{Name: "b", Bucket: bucket, Consumers: []*specs.Consumer{consumer("reader", specs.AccessDelete), launched}},
			// The role has its instances and its profile by another share.
			{Name: "c", Bucket: other, Consumers: []*specs.Consumer{{Account: lab, Access: []specs.Access{specs.AccessList}, Role: specs.Role{Name: "worker", Path: "/"}}}},
		},
	}, func(string) bool { return true })
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProbeGrants(t *testing.T) {
	snapshots := map[string]*plan.Snapshot{"222222222222": {Instances: []*plan.LiveInstance{
		{Instance: plan.Instance{ID: "i-9", Region: "us-east-1", State: "running", Tags: map[string]string{plan.NameTag: "one"}}}, // somebody else's
		{Instance: plan.Instance{ID: "i-1", Region: "us-east-1", State: "running", Tags: map[string]string{plan.NameTag: "one", plan.RepositoryTag: "acme"}, ProfileARN: "arn:aws:iam::222222222222:instance-profile/path/worker"}},
		{Instance: plan.Instance{ID: "i-2", Region: "us-east-1", State: "stopped"}},
		{Instance: plan.Instance{ID: "i-2", Region: "eu-west-1", State: "running"}},
	}}}
	grants := executor.ProbeGrants(probed(t), snapshots)
	type brief struct {
		Key                               string
		List, Read, Write, Delete, Shared bool
		Instances                         []executor.ProbeInstance
		Profile                           string
	}
	var got []brief
	for _, g := range grants {
		got = append(got, brief{g.Key(), g.List, g.Read, g.Write, g.Delete, g.Shared, g.Instances, g.Profile})
	}
	want := []brief{
		{"a/222222222222/reader", true, true, false, false, true, nil, "reader"},
		{"b/222222222222/reader", false, false, false, true, true, nil, "reader"},
		{"b/222222222222/worker", false, false, true, false, false, []executor.ProbeInstance{
			{ID: "i-1", Region: "us-east-1", State: "running", Launched: true, Profile: "worker"},
			{ID: "i-2", Region: "us-east-1", State: "stopped"},
		}, "worker"},
		{"c/222222222222/worker", true, false, false, false, false, []executor.ProbeInstance{
			{ID: "i-1", Region: "us-east-1", State: "running", Launched: true, Profile: "worker"},
			{ID: "i-2", Region: "us-east-1", State: "stopped"},
		}, "worker"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grants to probe (-want +got):\n%s", diff)
	}
}

// proberFunc is a Prober that is a function.
type proberFunc func(context.Context, executor.ProbeGrant) (executor.ProbeResult, error)

func (f proberFunc) Probe(ctx context.Context, g executor.ProbeGrant) (executor.ProbeResult, error) {
	return f(ctx, g)
}

func TestProbe(t *testing.T) {
	grants := executor.ProbeGrants(probed(t), nil)
	results, err := executor.Probe(t.Context(), proberFunc(func(_ context.Context, g executor.ProbeGrant) (executor.ProbeResult, error) {
		return executor.ProbeResult{Verdict: executor.ProbeWorks, Via: g.Key()}, nil
	}), grants, 2)
	if err != nil || len(results) != 4 {
		t.Fatalf("%d results, error %v", len(results), err)
	}
	for key, r := range results {
		if r.Via != key {
			t.Errorf("%s got the result of %s", key, r.Via)
		}
	}
	_, err = executor.Probe(t.Context(), proberFunc(func(context.Context, executor.ProbeGrant) (executor.ProbeResult, error) {
		return executor.ProbeResult{}, context.Canceled
	}), grants, 2)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
