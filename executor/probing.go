package executor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Key tells grants apart: share/account/role.
func (g ProbeGrant) Key() string { return g.Share + "/" + g.Consumer }

// ProbeGrants are the plan's grants as a Prober takes them, each with all live
// instances that the plan's shares give its role.
func ProbeGrants(p *plan.Plan, snapshots map[string]*plan.Snapshot) []ProbeGrant {
	var grants []ProbeGrant
	count := map[string]int{}                                                // of grants by role and bucket
	instances, profiles := map[string][]ProbeInstance{}, map[string]string{} // by role
	for _, g := range p.Grants {
		count[g.RoleARN+" "+g.Bucket.Name]++
		profiles[g.RoleARN] = cmp.Or(profiles[g.RoleARN], g.Consumer.Role.InstanceProfile)
		instances[g.RoleARN] = withInstances(instances[g.RoleARN], p, snapshots[g.Consumer.Account.ID], g.Consumer)
	}
	for _, g := range p.Grants {
		c := g.Consumer
		probe := ProbeGrant{
			Share: g.Share, Consumer: c.Account.ID + "/" + c.Role.Name, RoleARN: g.RoleARN, RoleAccount: c.Account.ID,
			Bucket: g.Bucket.Name, BucketRegion: g.Bucket.Region,
			OwnerAccount: g.Bucket.Account.ID, OwnerManaged: g.Bucket.Account.Manage,
			Prefixes: c.Prefixes,
			List:     promises(g, "s3:ListBucket"), Read: promises(g, "s3:GetObject"),
			Write: promises(g, "s3:PutObject"), Delete: promises(g, "s3:DeleteObject"),
			Shared: count[g.RoleARN+" "+g.Bucket.Name] > 1, Profile: profiles[g.RoleARN],
			Instances: instances[g.RoleARN],
		}
		grants = append(grants, probe)
	}
	return grants
}

// withInstances adds the live instances that a consumer names. A role may be
// tried on any of them, whichever share names it.
func withInstances(list []ProbeInstance, p *plan.Plan, snap *plan.Snapshot, c *specs.Consumer) []ProbeInstance {
	if snap == nil {
		return list
	}
	for _, in := range c.Instances {
		live := liveInstance(p, snap, in.ID, in.Region, in.Name)
		if live == nil || slices.ContainsFunc(list, func(other ProbeInstance) bool { return other.ID == live.ID && other.Region == live.Region }) {
			continue
		}
		list = append(list, ProbeInstance{
			ID: live.ID, Region: live.Region, State: live.State, Launched: p.Marked(live.Tags),
			Profile: live.ProfileARN[strings.LastIndex(live.ProfileARN, "/")+1:],
		})
	}
	return list
}

func promises(g plan.Grant, action string) bool {
	return slices.ContainsFunc(g.Pairs, func(p iampolicy.Pair) bool {
		return slices.ContainsFunc(p.Statement.Action, func(a string) bool { return a == action || a == "s3:*" })
	})
}

// liveInstance finds an instance by its id, or one that xshare launched by its
// name: others may have that name too.
func liveInstance(p *plan.Plan, snap *plan.Snapshot, id, region, name string) *plan.LiveInstance {
	for _, in := range snap.Instances {
		if in.Region == region && (in.ID == id || name != "" && in.Tags[plan.NameTag] == name && p.Marked(in.Tags)) {
			return in
		}
	}
	return nil
}

// Probe tries all grants, so many at once, and returns the results by the
// grants' keys. Its only error is a cancelled context's; the results then are
// those of the grants that were begun with.
func Probe(ctx context.Context, prober Prober, grants []ProbeGrant, concurrency int) (map[string]ProbeResult, error) {
	results := make([]ProbeResult, len(grants))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, concurrency))
	for i, g := range grants {
		group.Go(func() error {
			var err error
			results[i], err = prober.Probe(ctx, g)
			return err
		})
	}
	err := group.Wait()
	byKey := make(map[string]ProbeResult, len(grants))
	for i, g := range grants {
		if results[i].Verdict != "" {
			byKey[g.Key()] = results[i]
		}
	}
	return byKey, err
}
