package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Orphans are the whole resources of ours, in the accounts that were read,
// that no spec states any more, as problems. Apply leaves them without
// Options.Prune.
func Orphans(p *Plan, snapshots map[string]*Snapshot) []specs.Problem {
	c := &comparer{plan: p, snapshots: snapshots}
	var problems []specs.Problem
	for _, o := range c.orphans() {
		problems = append(problems, specs.Problem{
			Code: CodeOrphan, Severity: specs.SeverityWarning, Account: o.Account, Step: o.ID,
			Message: fmt.Sprintf("%s %s is ours, but no spec states it any more", noun(o.Type), o.Name),
			Mend:    "remove it with apply --prune, or by hand",
		})
	}
	for _, account := range sortedKeys(snapshots) {
		if p, some := unsearched(account, snapshots[account].Unsearched); some {
			problems = append(problems, p)
		}
	}
	return problems
}

// unsearched tells of the buckets that a sweep could not look into.
func unsearched(account string, buckets []string) (specs.Problem, bool) {
	const most = 5
	names := sortedSet(buckets)
	if len(names) == 0 {
		return specs.Problem{}, false
	}
	shown := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		shown += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return specs.Problem{
		Code: CodeNotSearched, Severity: specs.SeverityWarning, Account: account,
		Message: fmt.Sprintf("not searched for statements that shares have left behind, as the policy cannot be read: %s", shown),
		Mend:    "let the read role call s3:GetBucketPolicy on them, if we ever had a share there",
	}, true
}

// CodeOrphan is the code of the problem that a whole resource of ours is in no
// spec any more.
const CodeOrphan = "orphan"

// orphans are the whole resources of ours that no spec states, as changes that
// delete them, by account and id.
func (c *comparer) orphans() []*Change {
	var list []*Change
	for _, account := range sortedKeys(c.snapshots) {
		snap := c.snapshots[account]
		orphan := func(t Type, region, name string, live Resource) {
			id := StepID(t, account, region, name)
			if c.plan.stated[id] {
				return
			}
			if region == "" {
				region = GlobalRegion
			}
			list = append(list, &Change{
				ID: id, Type: t, Account: account, Region: region, Name: name, Action: Delete,
				Before: live, LiveDigest: digestJSON(live),
			})
		}
		for _, name := range sortedKeys(snap.Buckets) {
			if b := snap.Buckets[name]; b.Tags != nil && c.tagOwner(b.Tags) == ours {
				orphan(TypeBucket, b.Region, name, Bucket{Name: name, Region: b.Region, Tags: b.Tags})
			}
		}
		for _, name := range sortedKeys(snap.Roles) {
			if r := snap.Roles[name]; c.tagOwner(r.Tags) == ours {
				orphan(TypeRole, "", name, r.Role)
			}
		}
		for _, arn := range sortedKeys(snap.Policies) {
			if p := snap.Policies[arn]; c.policyIsOurs(p) {
				orphan(TypePolicy, "", p.Name, Policy{Name: p.Name, ARN: p.ARN, Document: p.Document})
			}
		}
		for _, name := range sortedKeys(snap.Profiles) {
			if p := snap.Profiles[name]; c.tagOwner(p.Tags) == ours {
				orphan(TypeInstanceProfile, "", name, p.InstanceProfile)
			}
		}
		for _, in := range snap.Instances {
			if c.tagOwner(in.Tags) != ours || c.plan.stated[StepID(TypeInstance, account, in.Region, in.Tags[NameTag])] {
				continue
			}
			// Its id tells apart what was launched under one name.
			orphan(TypeInstance, in.Region, in.ID, in.Instance)
		}
	}
	return list
}

// pruneFloor and pruneShare are the guard's: more than so many things, and
// more than that share of all that is ours, are not deleted in one run.
const (
	pruneFloor = 10
	pruneShare = 0.3
)

// prune makes the changes that delete orphans, in an order in which AWS takes
// them: bucket policy, attachments, instances, profiles, roles, policies.
func (c *comparer) prune() {
	orphans := c.orphans()
	byID := map[string]*Change{}
	for _, change := range c.out.Steps {
		byID[change.ID] = change
	}
	// A policy that only our statements are taken out of stays.
	orphans = slices.DeleteFunc(orphans, func(o *Change) bool { return o.Type == TypePolicy && byID[o.ID] != nil })
	for _, o := range orphans {
		byID[o.ID] = o
	}
	for _, o := range orphans {
		snap := c.snapshots[o.Account]
		switch live := o.Before.(type) {
		case Bucket:
			o.need(byID, StepID(TypeBucketPolicy, o.Account, "", live.Name))
			if c.holdsForeign(snap.Buckets[live.Name].Policy) {
				c.fail(o, "prune-foreign-policy", fmt.Sprintf("bucket %s has a policy with foreign statements", live.Name), "delete the bucket by hand if nobody uses it")
			}
		case InstanceProfile:
			for _, other := range orphans {
				if in, ok := other.Before.(Instance); ok && other.Account == o.Account && profileName(in.ProfileARN) == live.Name {
					o.need(byID, other.ID)
				}
			}
		case Role:
			c.pruneRole(o, snap.Roles[live.Name], snap, byID)
		case Policy:
			if c.holdsForeign(live.Document) {
				c.fail(o, "prune-foreign-statements", fmt.Sprintf("managed policy %s has foreign statements", live.Name), "delete the policy by hand if nobody needs them")
			}
			for _, name := range sortedKeys(snap.Roles) {
				if slices.Contains(snap.Roles[name].Attached, live.ARN) {
					o.need(byID, StepID(TypeAttachment, o.Account, "", name+"/"+live.Name))
				}
			}
		}
	}
	c.out.Steps = append(c.out.Steps, orphans...)
	c.pruneGuard(len(orphans))
}

// holdsForeign reports whether a document has statements that are not ours, or
// cannot be understood.
func (c *comparer) holdsForeign(document []byte) bool {
	rest, err := iampolicy.Merge(document, c.plan.Ours, nil)
	return err != nil || rest != nil
}

// pruneRole orders a role's deletion after what holds on to it, and refuses it
// where something foreign does.
func (c *comparer) pruneRole(o *Change, role *LiveRole, snap *Snapshot, byID map[string]*Change) {
	for _, arn := range role.Attached {
		id := StepID(TypeAttachment, o.Account, "", role.Name+"/"+arn[strings.LastIndex(arn, "/")+1:])
		if byID[id] == nil {
			c.fail(o, "prune-foreign-attachment",
				fmt.Sprintf("role %s has the foreign policy %s attached", role.Name, arn), "detach it, or delete the role by hand")
			continue
		}
		o.need(byID, id)
	}
	for _, name := range sortedKeys(role.Inline) {
		c.fail(o, "prune-foreign-attachment",
			fmt.Sprintf("role %s has the foreign inline policy %s", role.Name, name), "delete that policy, or the role by hand")
	}
	for _, name := range sortedKeys(snap.Profiles) {
		if snap.Profiles[name].Role != role.Name {
			continue
		}
		id := StepID(TypeInstanceProfile, o.Account, "", name)
		if byID[id] == nil {
			c.fail(o, "prune-foreign-profile",
				fmt.Sprintf("role %s is in the foreign instance profile %s", role.Name, name), "take it out of that profile, or delete the role by hand")
			continue
		}
		o.need(byID, id)
	}
}

// need makes the change wait for another one, if there is such a change.
func (c *Change) need(byID map[string]*Change, id string) {
	if byID[id] != nil {
		c.Needs = sortedSet(append(c.Needs, id))
	}
}

// pruneGuard stops everything where a prune would delete so much that it is
// more likely a mistake, such as a lost directory of specs.
func (c *comparer) pruneGuard(n int) {
	limit := c.out.Options.PruneLimit
	total := c.marks()
	if limit == 0 {
		limit = max(pruneFloor, int(pruneShare*float64(total)))
	}
	if n <= limit {
		return
	}
	c.out.Problems = append(c.out.Problems, specs.Problem{
		Code: CodePruneLimit, Severity: specs.SeverityError,
		Message: fmt.Sprintf("--prune would delete %d of the %d resources that are ours, more than %d", n, total, limit),
		Mend:    fmt.Sprintf("see that no specs are missing; if it is meant, pass --prune-limit %d", n),
	})
}

// CodePruneLimit is the code of the problem that a prune is too large. It
// stops the whole run.
const CodePruneLimit = "prune-limit"

// marks counts the whole resources of ours in the accounts that were read.
func (c *comparer) marks() int {
	n := 0
	for _, snap := range c.snapshots {
		for _, r := range snap.Roles {
			n += countOurs(c.tagOwner(r.Tags))
		}
		for _, p := range snap.Policies {
			if c.policyIsOurs(p) {
				n++
			}
		}
		for _, p := range snap.Profiles {
			n += countOurs(c.tagOwner(p.Tags))
		}
		for _, in := range snap.Instances {
			n += countOurs(c.tagOwner(in.Tags))
		}
	}
	for _, s := range c.plan.Steps {
		if s.Type == TypeBucket && !s.Existing && c.snapshots[s.Account] != nil && c.snapshots[s.Account].Buckets[s.Name] != nil {
			n++ // also where its mark is a statement's, and its tags were not read
		}
	}
	for _, o := range c.orphans() {
		if o.Type == TypeBucket {
			n++
		}
	}
	return n
}

func countOurs(o owner) int {
	if o == ours {
		return 1
	}
	return 0
}
