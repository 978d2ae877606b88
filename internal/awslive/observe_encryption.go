package awslive

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/plan"
)

// readEncryption reads the default encryption of buckets that are known to be
// there, and nothing else of them.
func (r *reader) readEncryption(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for _, want := range r.want.Encryption {
		g.Go(func() error {
			encryption, err := r.encryption(ctx, want.Name, want.Region)
			if err != nil {
				r.unread(plan.ScopeEncryption+want.Name, err)
				return nil
			}
			r.note(func(snap *plan.Snapshot) {
				snap.Buckets[want.Name] = &plan.LiveBucket{Name: want.Name, Region: want.Region, Encryption: encryption}
			})
			return nil
		})
	}
	_ = g.Wait() // failures are noted
}
