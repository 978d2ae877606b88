package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/specs"
)

func (c *comparer) instance(change *Change, want Instance, snap *Snapshot) {
	var found []*LiveInstance
	for _, in := range snap.Instances {
		if in.Region == want.Region && in.Tags[NameTag] == want.Name && c.tagOwner(in.Tags) == ours {
			found = append(found, in)
		}
	}
	if len(found) == 0 {
		change.Action = Create
		return
	}
	if len(found) > 1 {
		ids := make([]string, len(found))
		for i, in := range found {
			ids[i] = in.ID
		}
		slices.Sort(ids)
		c.fail(change, "instance-ambiguous",
			fmt.Sprintf("%d instances carry the tags of instance %s: %s", len(found), want.Name, strings.Join(ids, ", ")),
			"terminate all but one, or take the tag "+NameTag+" off them")
		return
	}
	live := found[0].Instance
	if snap.HasGone(found[0], profileName(want.ProfileARN)) {
		live.ProfileARN = "" // as which it is of use
	}
	change.Before = live
	if differs := instanceDifferences(want, live); len(differs) > 0 {
		c.problem(change, specs.SeverityWarning, CodeInstanceDiffers,
			fmt.Sprintf("instance %s (%s) differs from its spec: %s; it is never replaced", want.Name, live.ID, strings.Join(differs, ", ")),
			"change the spec, or terminate the instance and apply")
	}
	if !c.profileOf(change, live.ID, live.ProfileARN, want.ProfileARN) {
		return
	}
	if len(MissingTags(want.Tags, live.Tags)) > 0 {
		change.update()
	}
}

// CodeInstanceDiffers is the code of the problem that a live instance has
// another type, subnet, groups or key than its spec; it is drift, although
// nothing is done about it.
const CodeInstanceDiffers = "instance-differs"

func instanceDifferences(want, live Instance) []string {
	var list []string
	differ := func(what, want, live string) {
		if want != "" && want != live {
			list = append(list, fmt.Sprintf("%s is %s, not %s", what, orNone(live), want))
		}
	}
	differ("type", want.Type, live.Type)
	differ("subnet", want.Subnet, live.Subnet)
	differ("key", want.KeyName, live.KeyName)
	if len(want.SecurityGroups) > 0 {
		groups := slices.Sorted(slices.Values(live.SecurityGroups))
		differ("security groups", strings.Join(want.SecurityGroups, " "), strings.Join(groups, " "))
	}
	return list
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// profileOf compares the profile of an instance with the one it is to have. It
// reports whether there is nothing more to settle.
func (c *comparer) profileOf(change *Change, id, live, want string) bool {
	switch {
	case profileName(live) == profileName(want):
		return true
	case live == "":
		change.Action = Update
		return true
	case c.out.Options.Adopt:
		change.Action = Adopt
		return true
	}
	c.fail(change, "instance-profile",
		fmt.Sprintf("instance %s has the instance profile %s, not %s", id, profileName(live), profileName(want)),
		"replace it with --adopt, or disassociate it")
	return false
}

// profileName is the name in an instance profile's ARN. Names are unique in an
// account whatever their paths, so they are what is compared.
func profileName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (c *comparer) association(change *Change, want Association, snap *Snapshot) {
	i := slices.IndexFunc(snap.Instances, func(in *LiveInstance) bool {
		return in.ID == want.InstanceID && in.Region == want.Region
	})
	if i < 0 {
		c.fail(change, "instance-missing",
			fmt.Sprintf("instance %s does not exist in account %s, region %s", want.InstanceID, change.Account, want.Region),
			"check its id and region in the spec")
		return
	}
	live := snap.Instances[i]
	profile := live.ProfileARN
	if snap.HasGone(live, profileName(want.ProfileARN)) {
		profile = "" // as which it is of use
	}
	if profile != "" {
		change.Before = Association{InstanceID: live.ID, Region: live.Region, ProfileARN: profile}
	}
	if !c.profileOf(change, live.ID, profile, want.ProfileARN) {
		return
	}
	if profile == "" {
		change.Action = Create
	}
}
