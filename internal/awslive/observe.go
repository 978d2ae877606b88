package awslive

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// reader fills one snapshot.
type reader struct {
	*session
	want plan.Want

	mu   sync.Mutex // guards snap
	snap *plan.Snapshot
}

// Observe reads what want names from one account; see executor.Observer.
func (c *Client) Observe(ctx context.Context, want plan.Want) (*plan.Snapshot, error) {
	r := &reader{want: want, snap: &plan.Snapshot{
		Account:  want.Account,
		At:       c.options.Clock.Now(),
		Buckets:  map[string]*plan.LiveBucket{},
		Taken:    map[string]bool{},
		Roles:    map[string]*plan.LiveRole{},
		Policies: map[string]*plan.LivePolicy{},
		Profiles: map[string]*plan.LiveInstanceProfile{},
	}}
	s, err := c.session(want.Account)
	if err == nil {
		r.session = s
		err = s.ready(ctx)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, ok := errors.AsType[*executor.CallerError](err); ok {
		return nil, err
	}
	if err != nil {
		r.fail(plan.ScopeAccount, err)
		return r.snap, nil
	}
	var g errgroup.Group
	if want.IAM || want.Search || len(want.Roles)+len(want.Users)+len(want.Policies)+len(want.Profiles) > 0 {
		g.Go(func() error {
			r.readIAM(ctx)
			if want.Proof {
				r.readManaged(ctx)
			}
			return nil
		})
	}
	if want.List || len(want.Buckets)+len(want.Sweep) > 0 {
		g.Go(func() error { r.readS3(ctx); return nil })
	}
	if want.Proof && len(want.Buckets) > 0 {
		g.Go(func() error { r.readAccountBlock(ctx); return nil })
	}
	if len(want.Encryption) > 0 {
		g.Go(func() error { r.readEncryption(ctx); return nil })
	}
	for _, key := range want.Keys {
		g.Go(func() error { r.readKey(ctx, key); return nil })
	}
	for _, in := range instanceWants(want) {
		g.Go(func() error { r.readEC2(ctx, in); return nil })
	}
	_ = g.Wait() // the readers return no errors: they note them
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	slices.SortFunc(r.snap.Unread, func(a, b plan.ReadFailure) int { return strings.Compare(a.Scope, b.Scope) })
	slices.SortFunc(r.snap.Failures, func(a, b plan.ReadFailure) int { return strings.Compare(a.Scope, b.Scope) })
	slices.SortFunc(r.snap.Instances, func(a, b *plan.LiveInstance) int {
		return strings.Compare(a.Region+"/"+a.ID, b.Region+"/"+b.ID)
	})
	return r.snap, nil
}

// fail notes a read that gave no answer.
func (r *reader) fail(scope string, err error) {
	f := failureOf(scope, err)
	r.note(func(snap *plan.Snapshot) {
		for _, other := range snap.Failures {
			if other.Scope == scope && other.Message == f.Message {
				return
			}
		}
		snap.Failures = append(snap.Failures, f)
	})
}

// note changes the snapshot.
func (r *reader) note(change func(*plan.Snapshot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.snap)
}

// instanceWants adds the regions of a sweep to those of the steps.
func instanceWants(want plan.Want) []plan.InstanceWant {
	all := slices.Clone(want.Instances)
	for _, region := range want.Sweep {
		i := slices.IndexFunc(all, func(in plan.InstanceWant) bool { return in.Region == region })
		if i < 0 {
			all = append(all, plan.InstanceWant{Region: region})
			i = len(all) - 1
		}
		all[i].Named = true
	}
	return all
}
