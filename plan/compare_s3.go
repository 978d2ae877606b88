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

// Leads are the buckets that our marked policies name and no step is about,
// in the accounts that were read: what a share that is gone may have left
// open. They are to be read before Compare, which closes them.
func Leads(p *Plan, snapshots map[string]*Snapshot) []Want {
	c := &comparer{plan: p}
	names := map[string]bool{}
	for _, snap := range snapshots {
		for _, policy := range snap.Policies {
			d, err := iampolicy.ParseLive(policy.Document)
			if err != nil {
				continue
			}
			for _, s := range d.Statements {
				if name := bucketOf(s); name != "" && c.plan.Ours(s.Sid) {
					names[name] = true
				}
			}
		}
	}
	var wants []Want
	for _, account := range sortedKeys(snapshots) {
		want := Want{Account: account}
		for _, name := range sortedKeys(names) {
			region, listed := snapshots[account].Listed[name]
			isRead := snapshots[account].Buckets[name] != nil // by a sweep
			if listed && !isRead && !p.stated[StepID(TypeBucketPolicy, account, "", name)] {
				want.Buckets = append(want.Buckets, BucketWant{Name: name, Region: region})
			}
		}
		if len(want.Buckets) > 0 {
			wants = append(wants, want)
		}
	}
	return wants
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
				c.statements(change, nil, live, func(p iampolicy.Pair) string { return p.Principal })
				if len(change.Lose) == 0 {
					continue
				}
				c.finishBucketPolicy(change, name, live)
			}
			c.out.Steps = append(c.out.Steps, change)
		}
	}
}
