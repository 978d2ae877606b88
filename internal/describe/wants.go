package describe

import (
	"maps"
	"slices"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// What to read, in this order: what is found by one reading says what the next
// one has to read. An account that could not be read at all is not asked again.

// BucketWants are the names of all buckets in the accounts that are ours to read.
func BucketWants(repo *specs.Repository) (wants []plan.Want) {
	for _, account := range repo.Accounts {
		if account.Manage && !account.Retired {
			wants = append(wants, plan.Want{Account: account.ID, List: true})
		}
	}
	return wants
}

// PolicyWants are the policies of the buckets for which wanted answers true.
func PolicyWants(snapshots map[string]*plan.Snapshot, wanted func(bucket string) bool) (wants []plan.Want) {
	for _, account := range readable(snapshots) {
		want := plan.Want{Account: account}
		for _, bucket := range slices.Sorted(maps.Keys(snapshots[account].Listed)) {
			if wanted(bucket) {
				want.Buckets = append(want.Buckets, plan.BucketWant{Name: bucket, Region: snapshots[account].Listed[bucket]})
			}
		}
		if len(want.Buckets) > 0 {
			wants = append(wants, want)
		}
	}
	return wants
}

// RoleWants are the roles that the policies name, with their own policies. all:
// every bucket was wanted, so every account is looked at for roles of ours that no
// policy names.
func RoleWants(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot, all bool) (wants []plan.Want) {
	names := map[string][]string{}
	for _, g := range newLive(p, repo, snapshots).bucketPolicies().grants {
		names[g.consumer.ID] = append(names[g.consumer.ID], g.role)
	}
	for _, account := range readable(snapshots) {
		roles := names[account]
		slices.Sort(roles)
		if len(roles) > 0 || all {
			wants = append(wants, plan.Want{Account: account, IAM: len(roles) > 0, Search: all, Roles: slices.Compact(roles), Proof: len(roles) > 0})
		}
	}
	return wants
}

// OwnWants are what tells more of what the repository has made: the tags of
// buckets whose policy has a statement of ours, and instances, in accounts where
// a profile is ours.
func OwnWants(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot) (wants []plan.Want) {
	l := newLive(p, repo, snapshots)
	for _, account := range readable(snapshots) {
		want := plan.Want{Account: account}
		for _, name := range slices.Sorted(maps.Keys(snapshots[account].Buckets)) {
			if b := snapshots[account].Buckets[name]; l.hasOurs(b.Policy) {
				want.Buckets = append(want.Buckets, plan.BucketWant{Name: name, Region: b.Region, Tags: true})
			}
		}
		for _, profile := range snapshots[account].Profiles {
			if profile.Role != "" && p.Marked(profile.Tags) && want.Instances == nil {
				for _, region := range p.Regions {
					want.Instances = append(want.Instances, plan.InstanceWant{Region: region, Named: true})
				}
			}
		}
		if len(want.Buckets)+len(want.Instances) > 0 {
			wants = append(wants, want)
		}
	}
	return wants
}

// readable are the accounts that could be read, or in part, sorted.
func readable(snapshots map[string]*plan.Snapshot) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(snapshots)), func(account string) bool {
		return snapshots[account].Failure(plan.ScopeAccount) != nil
	})
}
