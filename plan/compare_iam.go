package plan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

func (c *comparer) role(change *Change, want Role, snap *Snapshot) {
	live := snap.Roles[want.Name]
	if live == nil {
		if change.Existing {
			c.fail(change, "role-missing",
				fmt.Sprintf("role %s does not exist in account %s", want.Name, change.Account),
				"create it, or say `create: true` in the spec")
			return
		}
		c.create(change, want.Name)
		return
	}
	change.Before = live.Role
	if live.Path != want.Path {
		c.fail(change, "role-path",
			fmt.Sprintf("role %s exists under the path %s, but the spec says %s; to AWS that is another role", want.Name, live.Path, want.Path),
			fmt.Sprintf("write the role as %s in the spec, or delete the live one", strings.TrimPrefix(live.Path, "/")+want.Name))
		return
	}
	if change.Existing {
		change.Want = live.Role
		return
	}
	if !c.owned(change, c.tagOwner(live.Tags), RepositoryTag+"="+live.Tags[RepositoryTag]) {
		return
	}
	if !sameDocument(live.Trust, want.Trust) ||
		want.Boundary != "" && live.Boundary != want.Boundary ||
		len(MissingTags(want.Tags, live.Tags)) > 0 {
		change.update()
	}
}

// create makes a change a creation, unless the account has a resource whose name
// differs only in case: IAM would refuse it then, but finds it under its own
// name alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
func (c *comparer) create(change *Change, name string) {
	change.Action = Create
	if other := c.folded(change.Account, change.Type)[strings.ToLower(name)]; other != "" && other != name {
		c.fail(change, "name-case",
			fmt.Sprintf("%s %s cannot be created, as account %s has one named %s; IAM does not tell names apart by case", noun(change.Type), name, change.Account, other),
			fmt.Sprintf("write %s in the spec, or use another name", other))
	}
}

// folded are the names of an account's resources of a type, by the name in
// lower case.
func (c *comparer) folded(account string, t Type) map[string]string {
	key := account + "/" + string(t)
	if names := c.foldedNames[key]; names != nil {
		return names
	}
	names := map[string]string{}
	snap := c.snapshots[account]
	switch t {
	case TypeRole:
		for name := range snap.Roles {
			names[strings.ToLower(name)] = name
		}
	case TypePolicy:
		for _, p := range snap.Policies {
			names[strings.ToLower(p.Name)] = p.Name
		}
	case TypeInstanceProfile:
		for name := range snap.Profiles {
			names[strings.ToLower(name)] = name
		}
	}
	c.foldedNames[key] = names
	return names
}

// sameDocument compares policies by meaning; one that does not parse equals
// only its own text.
func sameDocument(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	left, err := iampolicy.ParseLive(a)
	if err != nil {
		return false
	}
	right, err := iampolicy.ParseLive(b)
	if err != nil {
		return false
	}
	return iampolicy.Equal(left, right)
}

func (c *comparer) attachment(change *Change, want Attachment, snap *Snapshot) {
	if role := snap.Roles[want.Role]; role != nil && slices.Contains(role.Attached, want.PolicyARN) {
		change.Before = want
		return
	}
	change.Action = Create
}

func (c *comparer) instanceProfile(change *Change, want InstanceProfile, snap *Snapshot) {
	live := snap.Profiles[want.Name]
	if live == nil {
		c.create(change, want.Name)
		return
	}
	change.Before = live.InstanceProfile
	roleStep := c.plan.Step(StepID(TypeRole, change.Account, "", want.Role))
	if live.InstanceProfile.Role == want.Role && c.tagOwner(live.Tags) == nobody && roleStep != nil && roleStep.Existing {
		// A profile that came with a role which is not ours is used as it is.
		change.Want = live.InstanceProfile
		return
	}
	if !c.owned(change, c.tagOwner(live.Tags), RepositoryTag+"="+live.Tags[RepositoryTag]) {
		return
	}
	if role := live.InstanceProfile.Role; role != "" && role != want.Role {
		if !c.out.Options.Adopt {
			c.fail(change, "profile-role",
				fmt.Sprintf("instance profile %s holds the role %s, not %s", want.Name, role, want.Role),
				"replace the role with --adopt, or name another profile in instanceProfile")
			return
		}
		change.Action = Adopt
		return
	}
	if live.InstanceProfile.Role == "" || len(MissingTags(want.Tags, live.Tags)) > 0 {
		change.update()
	}
}

// unstatedAttachments makes a change for every attachment of a policy of ours
// that no spec states any more, on each role that was read. With --only, only
// roles of the selected shares are looked at.
func (c *comparer) unstatedAttachments() {
	stated := map[string][]*Change{} // by account/role
	for _, change := range c.out.Steps {
		if want, ok := change.Want.(Attachment); ok {
			stated[change.Account+"/"+want.Role] = append(stated[change.Account+"/"+want.Role], change)
		}
	}
	for _, account := range sortedKeys(c.snapshots) {
		snap := c.snapshots[account]
		for _, arn := range sortedKeys(snap.Policies) {
			if !c.marked[arn] && c.policyIsOurs(snap.Policies[arn]) {
				c.marked[arn] = true
			}
		}
		for _, name := range sortedKeys(snap.Roles) {
			roleID := StepID(TypeRole, account, "", name)
			if len(c.out.Options.Only) > 0 && c.plan.Step(roleID) == nil {
				continue
			}
			for _, arn := range snap.Roles[name].Attached {
				id := StepID(TypeAttachment, account, "", name+"/"+arn[strings.LastIndex(arn, "/")+1:])
				if !c.marked[arn] || c.plan.stated[id] {
					continue
				}
				live := snap.Policies[arn]
				if live != nil && c.tagOwner(snap.Roles[name].Tags) != ours && c.holdsForeign(live.Document) {
					// Neither is ours alone: detaching it would take foreign access away.
					c.unstatedStatements(account, name, live, c.successors(live, stated[account+"/"+name]))
					continue
				}
				attachment := Attachment{Role: name, PolicyARN: arn}
				c.out.Steps = append(c.out.Steps, &Change{
					ID: id, Type: TypeAttachment, Account: account, Region: GlobalRegion,
					Name: strings.TrimPrefix(id, string(TypeAttachment)+"/"+account+"/"), Action: Delete,
					Before: attachment, LiveDigest: digestJSON(attachment),
					Needs: c.successors(snap.Policies[arn], stated[account+"/"+name]),
				})
			}
		}
	}
}

// unstatedStatements makes a change that takes our statements out of a managed
// policy that no spec states any more and that foreign statements share, on a
// role that is not ours: one that was adopted, or one into which somebody
// copied ours. needs are as of a detachment from role, one of the policy's.
func (c *comparer) unstatedStatements(account, role string, live *LivePolicy, needs []string) {
	id := StepID(TypePolicy, account, "", live.Name)
	if c.plan.stated[id] {
		return // its own step settles what it holds
	}
	for _, change := range c.out.Steps {
		if change.ID != id {
			continue
		}
		if len(needs) == 0 {
			change.Needs = nil // it takes something away from this role
		} else if len(change.Needs) > 0 {
			change.Needs = sortedSet(append(needs, change.Needs...))
		}
		return
	}
	before := Policy{Name: live.Name, ARN: live.ARN, Document: live.Document}
	change := &Change{
		ID: id, Type: TypePolicy, Account: account, Region: GlobalRegion, Name: live.Name,
		Action: Update, Existing: true, Before: before, Needs: needs,
		Versions: live.Versions, DefaultVersion: live.DefaultVersion,
	}
	c.out.Steps = append(c.out.Steps, change)
	document, ok := c.parseLive(change, live.Document)
	if !ok {
		return
	}
	c.statements(change, nil, document, byBucket, func(string) string { return account + "/" + role })
	rest, err := iampolicy.Merge(change.Live, c.plan.Ours, nil)
	if err != nil {
		c.fail(change, "unmergeable", fmt.Sprintf("our statements in managed policy %s cannot be taken out: %v", live.Name, err), "mend the policy by hand")
		return
	}
	change.Want = Policy{Name: live.Name, ARN: live.ARN, Document: rest}
}

// successors are the changes that a detachment needs where all that its policy
// allows moves to others of the role, as in a rename: access must not pause
// until those are attached, nor end if they cannot be. A detachment that takes
// something away needs nothing.
func (c *comparer) successors(policy *LivePolicy, attachments []*Change) []string {
	if policy == nil {
		return nil
	}
	document, err := iampolicy.ParseLive(policy.Document)
	if err != nil {
		return nil
	}
	lost := map[iampolicy.Atom]bool{}
	each(iampolicy.Pairs(document, c.plan.Ours), func(a iampolicy.Atom) { lost[a] = true })
	var needs []string
	for _, attachment := range attachments {
		needs = append(needs, attachment.ID)
		for _, id := range attachment.Needs {
			if step := c.plan.Step(id); step != nil && step.Type == TypePolicy {
				needs = append(needs, id)
				for _, part := range step.Parts {
					each(part.Pairs, func(a iampolicy.Atom) { delete(lost, a) })
				}
			}
		}
	}
	if len(lost) > 0 {
		return nil
	}
	return sortedSet(needs)
}

func (c *comparer) policyIsOurs(p *LivePolicy) bool {
	d, err := iampolicy.ParseLive(p.Document)
	if err != nil {
		return false
	}
	who, _ := c.policyOwner(p, d)
	return who == ours
}

// orderLosses makes the identity side of a revocation follow the bucket's:
// close first. It only orders; a bucket policy that fails holds nothing up. A
// policy that a bucket policy's gain waits for is left alone, as that would
// be a circle.
func (c *comparer) orderLosses() {
	closing := map[string][]*Change{} // by consumer
	for _, change := range c.out.Steps {
		if change.Type != TypeBucketPolicy || len(change.Lose) == 0 {
			continue
		}
		for _, p := range change.Lose {
			name := consumerOf(p.Principal)
			if list := closing[name]; len(list) == 0 || list[len(list)-1] != change {
				closing[name] = append(list, change)
			}
		}
	}
	for _, change := range c.out.Steps {
		switch {
		case change.Type == TypeAttachment && change.Action == Delete:
			role, _, _ := strings.Cut(change.Name, "/")
			change.follow(closing[change.Account+"/"+role])
		case change.Type == TypePolicy && len(change.Lose) > 0 && !change.gains():
			for _, part := range change.Parts {
				change.follow(closing[part.Consumer])
			}
		}
	}
}

// orderMoves keeps access from pausing when a grant moves from one policy of a
// role to another: the policy that loses it goes after the one that gains it,
// and its attachment. Where two policies swap grants, only one of them can; the
// other order would be a circle.
func (c *comparer) orderMoves() {
	byRole := map[string][]*Change{} // policies that change, by consumer
	for _, change := range c.out.Steps {
		if change.Type == TypePolicy && change.Differs() && len(change.Parts) > 0 {
			role := change.Parts[0].Consumer
			byRole[role] = append(byRole[role], change)
		}
	}
	for _, role := range sortedKeys(byRole) {
		goesAfter := map[*Change][]*Change{}
		for _, loser := range byRole[role] {
			for _, gainer := range byRole[role] {
				if loser == gainer || !takesOver(gainer, loser) || reaches(goesAfter, gainer, loser) {
					continue
				}
				goesAfter[loser] = append(goesAfter[loser], gainer)
				_, name, _ := strings.Cut(role, "/")
				loser.After = sortedSet(append(slices.Clone(loser.After),
					gainer.ID, StepID(TypeAttachment, gainer.Account, "", name+"/"+gainer.Name)))
			}
		}
	}
}

// takesOver reports whether one policy gains what the other loses.
func takesOver(gainer, loser *Change) bool {
	gained := map[iampolicy.Atom]bool{}
	for _, part := range gainer.Parts {
		each(part.Gain, func(a iampolicy.Atom) { gained[a] = true })
	}
	found := false
	each(loser.Lose, func(a iampolicy.Atom) { found = found || gained[a] })
	return found
}

// reaches reports whether one change goes after the other, directly or not.
func reaches(goesAfter map[*Change][]*Change, from, to *Change) bool {
	return from == to || slices.ContainsFunc(goesAfter[from], func(next *Change) bool { return reaches(goesAfter, next, to) })
}

// follow orders the change after those bucket policies that wait for nothing
// of it.
func (c *Change) follow(bucketPolicies []*Change) {
	for _, b := range bucketPolicies {
		waits := slices.ContainsFunc(b.Parts, func(p PartChange) bool {
			return len(p.Gain) > 0 && slices.Contains(p.Needs, c.ID)
		})
		if !waits && !slices.Contains(c.After, b.ID) {
			c.After = append(slices.Clone(c.After), b.ID)
		}
	}
	slices.Sort(c.After)
}
