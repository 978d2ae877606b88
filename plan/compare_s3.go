package plan

import (
	"fmt"

	"github.com/xshare/xshare/internal/iampolicy"
)

func (c *comparer) bucket(change *Change, want Bucket, snap *Snapshot) {
	live := snap.Buckets[want.Name]
	if live == nil {
		switch {
		case snap.Taken[want.Name]:
			c.fail(change, "bucket-taken",
				fmt.Sprintf("bucket %s is in another account; the names of buckets are one namespace over all of AWS", want.Name),
				"use another name, or correct the bucket's account in the spec")
		case change.Existing:
			c.fail(change, "bucket-missing",
				fmt.Sprintf("bucket %s does not exist in account %s", want.Name, change.Account),
				"create it, say `create: true` in the spec, or correct the bucket's account")
		default:
			change.Action = Create
		}
		return
	}
	change.Before = Bucket{Name: live.Name, Region: live.Region, Tags: live.Tags}
	change.Region = live.Region
	if want.Region != "" && want.Region != live.Region {
		c.fail(change, "bucket-region",
			fmt.Sprintf("bucket %s is in %s, not %s; a bucket cannot be moved", want.Name, live.Region, want.Region),
			"correct the region in the spec")
		return
	}
	if change.Existing {
		change.Want = change.Before
		return
	}
	if live.Tags == nil {
		// A statement of ours in its policy marks it; its tags were not read.
		return
	}
	if !c.owned(change, c.tagOwner(live.Tags), RepositoryTag+"="+live.Tags[RepositoryTag]) {
		return
	}
	if len(MissingTags(want.Tags, live.Tags)) > 0 {
		change.update()
	}
}

// Leads are the buckets that our marked policies name and no share does: what a
// share that is gone may have left open. They are to be read before Compare,
// which closes them. A policy that leads to one is narrowed by the same apply,
// so this is the only time to find it: a bucket that no account has listed is
// looked for in all accounts that were not asked for theirs.
func Leads(p *Plan, snapshots map[string]*Snapshot) []Want {
	names := p.led(snapshots)
	isListed := map[string]bool{}
	for _, snap := range snapshots {
		for name := range snap.Listed {
			isListed[name] = true
		}
	}
	var wants []Want
	for _, account := range sortedSet(append(p.searchable(), sortedKeys(snapshots)...)) {
		snap := snapshots[account]
		if snap == nil {
			snap = &Snapshot{}
		}
		want := Want{Account: account}
		for _, name := range names {
			region, listed := snap.Listed[name]
			isRead := snap.Buckets[name] != nil // by a sweep
			mayBeHere := !isListed[name] && snap.Listed == nil && snap.Failure(ScopeS3) == nil
			if (listed || mayBeHere) && !isRead {
				want.Buckets = append(want.Buckets, BucketWant{Name: name, Region: region})
			}
		}
		if len(want.Buckets) > 0 {
			wants = append(wants, want)
		}
	}
	return wants
}

// led are the names of the buckets in our marked policies that no share is
// about, sorted.
func (p *Plan) led(snapshots map[string]*Snapshot) []string {
	names := map[string]bool{}
	for _, snap := range snapshots {
		for _, policy := range snap.Policies {
			d, err := iampolicy.ParseLive(policy.Document)
			if err != nil {
				continue
			}
			for _, s := range d.Statements {
				if name := bucketOf(s); name != "" && p.Ours(s.Sid) && !p.shared[name] {
					names[name] = true
				}
			}
		}
	}
	return sortedKeys(names)
}

// unstatedPolicies makes a change for every bucket that was read, that no spec
// names and whose policy holds statements of ours.
func (c *comparer) unstatedPolicies() {
	for _, account := range sortedKeys(c.snapshots) {
		snap := c.snapshots[account]
		for _, name := range sortedKeys(snap.Buckets) {
			id := StepID(TypeBucketPolicy, account, "", name)
			if c.plan.stated[id] {
				continue
			}
			change := &Change{
				ID: id, Type: TypeBucketPolicy, Account: account, Region: snap.Buckets[name].Region, Name: name,
				Action: Noop, Existing: true,
			}
			live, ok := c.parseLive(change, snap.Buckets[name].Policy)
			if ok {
				c.statements(change, nil, live, byPrincipal, consumerOf)
				if len(change.Lose) == 0 {
					continue
				}
				c.finishBucketPolicy(change, name, live)
			}
			c.out.Steps = append(c.out.Steps, change)
		}
	}
}
