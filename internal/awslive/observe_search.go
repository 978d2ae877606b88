package awslive

import (
	"context"
	"maps"
	"slices"

	"github.com/xshare/xshare/plan"
)

// unasked are the account's buckets that a sweep has to look into although no
// step is about them and they carry no tag: an existing bucket gets none, so a
// statement of ours that outlived its share is found in no other way.
func (r *reader) unasked(tagged []string) []string {
	if len(r.want.Sweep) == 0 {
		return nil
	}
	var listed []string
	r.note(func(snap *plan.Snapshot) { listed = slices.Sorted(maps.Keys(snap.Listed)) })
	known := set(tagged)
	for _, want := range r.want.Buckets {
		known[want.Name] = true
	}
	return slices.DeleteFunc(listed, func(name string) bool { return known[name] })
}

// searchBucket reads the policy of such a bucket, and keeps the bucket if it
// holds a statement of ours. Somebody else's bucket may keep its policy to
// itself; that is told, and is no failure.
func (r *reader) searchBucket(ctx context.Context, name, region string) {
	r.client.setRegion(name, region)
	policy, err := r.bucketPolicy(ctx, name, region)
	r.note(func(snap *plan.Snapshot) {
		switch {
		case err != nil:
			snap.Unsearched = append(snap.Unsearched, name)
		case r.hasOurs(policy):
			snap.Buckets[name] = &plan.LiveBucket{Name: name, Region: region, Policy: policy}
		}
	})
}
