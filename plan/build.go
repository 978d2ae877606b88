package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Build turns a repository's shares into the steps that state them, in
// dependency order. Shares for which selected answers false contribute only to
// the documents that they have in common with selected ones. The problems are
// those that show without looking at AWS: documents that get too large.
func Build(repo *specs.Repository, selected func(share string) bool) (*Plan, []specs.Problem) {
	b := &builder{
		repo:        repo,
		partition:   specs.Partition(repo.Region),
		selected:    selected,
		steps:       map[string]*Step{},
		permissions: map[string]*rolePermissions{},
		tags:        map[string]map[string]string{},
	}
	for _, share := range repo.Shares {
		for _, consumer := range share.Consumers {
			b.grant(share, consumer)
		}
		if len(share.Consumers) == 0 && share.Bucket.Account.Manage {
			b.bucket(share)
		}
	}
	b.permissionPolicies()
	return b.plan(), b.problems
}

// builder gathers steps while it walks the shares once. The permissions of a
// role are known only after the last share, so grants keep pointers to them.
type builder struct {
	repo        *specs.Repository
	partition   string
	selected    func(string) bool
	steps       map[string]*Step
	grants      []*pendingGrant
	permissions map[string]*rolePermissions // by role step id or, for a foreign policy name, see key
	problems    []specs.Problem
	tags        map[string]map[string]string // by share; see tagsOf
}

type pendingGrant struct {
	Grant
	roleStep   string // empty: the consumer's account is not ours to manage
	lastly     []string
	bucketStep string // empty: the owner's account is not ours to manage
	selected   bool
}

// rolePermissions are the statements that one managed policy, or the ones that
// it is split into, holds for a role.
type rolePermissions struct {
	account *specs.Account
	role    string
	name    string // of the policy; empty: the default
	grants  []*pendingGrant
}

func (b *builder) grant(share *specs.Share, c *specs.Consumer) {
	roleARN := RoleARN(b.partition, c.Account.ID, c.Role.Path, c.Role.Name)
	g := &pendingGrant{
		Grant: Grant{
			Share: share.Name, Consumer: c, Bucket: share.Bucket, RoleARN: roleARN, Source: c.Pos,
			Pairs: pairs(GrantStatements(b.partition, share.Bucket.Name, c), roleARN),
		},
		selected: b.selected(share.Name),
	}
	b.grants = append(b.grants, g)
	if share.Bucket.Account.Manage {
		g.bucketStep = b.bucket(share)
	}
	if !c.Account.Manage {
		return
	}
	g.roleStep = b.role(share, c)
	profileARN := ""
	if c.Role.InstanceProfile != "" {
		id := b.instanceProfile(share, c)
		g.lastly = append(g.lastly, id)
		profileARN = b.steps[id].Want.(InstanceProfile).ARN
	}
	for _, instance := range c.Instances {
		g.lastly = append(g.lastly, b.instance(share, c, instance, profileARN))
	}
	key := c.Account.ID + "/" + c.Role.Name + "/" + c.PolicyName
	perm := b.permissions[key]
	if perm == nil {
		perm = &rolePermissions{account: c.Account, role: c.Role.Name, name: c.PolicyName}
		b.permissions[key] = perm
	}
	perm.grants = append(perm.grants, g)
}

// add returns the step with this id, made on the first call, and notes that
// the share states it.
func (b *builder) add(share string, t Type, account, region, name string, pos specs.Pos) *Step {
	id := StepID(t, account, region, name)
	s := b.steps[id]
	if s == nil {
		s = &Step{ID: id, Type: t, Account: account, Region: region, Name: name, Source: pos}
		b.steps[id] = s
	}
	// Shares come in order of name, so the list stays sorted.
	if len(s.Shares) == 0 || s.Shares[len(s.Shares)-1] != share {
		s.Shares = append(s.Shares, share)
	}
	return s
}

func (b *builder) bucket(share *specs.Share) string {
	bucket := share.Bucket
	s := b.add(share.Name, TypeBucket, bucket.Account.ID, bucket.Region, bucket.Name, bucket.Pos)
	s.Want = Bucket{Name: bucket.Name, Region: bucket.Region}
	s.Existing = !bucket.Create
	policy := b.add(share.Name, TypeBucketPolicy, bucket.Account.ID, bucket.Region, bucket.Name, bucket.Pos)
	policy.Want = BucketPolicy{Bucket: bucket.Name, Region: bucket.Region}
	policy.Needs = []string{s.ID}
	return policy.ID
}

func (b *builder) role(share *specs.Share, c *specs.Consumer) string {
	s := b.add(share.Name, TypeRole, c.Account.ID, GlobalRegion, c.Role.Name, c.Role.Pos)
	want := Role{Name: c.Role.Name, Path: c.Role.Path, ARN: RoleARN(b.partition, c.Account.ID, c.Role.Path, c.Role.Name)}
	s.Existing = !c.Role.Create
	if c.Role.Create {
		want.Trust = TrustPolicy(c.Role)
		want.Boundary = policyARN(b.partition, c.Account.ID, c.Role.PermissionsBoundary)
	}
	s.Want = want
	return s.ID
}

func (b *builder) instanceProfile(share *specs.Share, c *specs.Consumer) string {
	name := c.Role.InstanceProfile
	s := b.add(share.Name, TypeInstanceProfile, c.Account.ID, GlobalRegion, name, c.Role.Pos)
	s.Want = InstanceProfile{
		Name: name, Path: "/", Role: c.Role.Name,
		ARN: "arn:" + b.partition + ":iam::" + c.Account.ID + ":instance-profile/" + name,
	}
	s.Needs = []string{StepID(TypeRole, c.Account.ID, "", c.Role.Name)}
	return s.ID
}

func (b *builder) instance(share *specs.Share, c *specs.Consumer, in specs.Instance, profileARN string) string {
	profile := StepID(TypeInstanceProfile, c.Account.ID, "", c.Role.InstanceProfile)
	if in.ID != "" {
		s := b.add(share.Name, TypeAssociation, c.Account.ID, in.Region, in.ID, in.Pos)
		s.Want = Association{InstanceID: in.ID, Region: in.Region, ProfileARN: profileARN}
		s.Needs = []string{profile}
		return s.ID
	}
	s := b.add(share.Name, TypeInstance, c.Account.ID, in.Region, in.Name, in.Pos)
	s.Want = Instance{
		Name: in.Name, Region: in.Region, Image: in.Image, Type: in.Type, Subnet: in.Subnet,
		SecurityGroups: in.SecurityGroups, KeyName: in.KeyName, ProfileARN: profileARN,
	}
	s.Needs = []string{profile}
	return s.ID
}

// permissionPolicies makes the policy and attachment steps of every role, and
// with them the parts of the bucket policies, which need them.
func (b *builder) permissionPolicies() {
	unselected := map[string][]iampolicy.Pair{} // by account and role
	for _, g := range b.grants {
		if g.roleStep != "" && !g.selected {
			unselected[g.roleStep] = append(unselected[g.roleStep], permissions(g.Pairs)...)
		}
	}
	named := map[string]*rolePermissions{} // by account and name as IAM tells names apart
	for _, key := range slices.Sorted(maps.Keys(b.permissions)) {
		perm := b.permissions[key]
		for i, chunk := range b.split(perm) {
			name := policyName(b.repo.Name, perm.role, perm.name, i+1)
			if other := named[perm.account.ID+"/"+strings.ToLower(name)]; other != nil {
				b.sameName(name, perm, other)
				continue
			}
			named[perm.account.ID+"/"+strings.ToLower(name)] = perm
			b.permissionPolicy(perm, name, chunk)
			policy := b.steps[StepID(TypePolicy, perm.account.ID, "", name)]
			policy.Elsewhere = unselected[StepID(TypeRole, perm.account.ID, "", perm.role)]
		}
	}
	for _, g := range b.grants {
		if g.bucketStep == "" {
			continue
		}
		part := Part{
			Share: g.Share, Consumer: consumerName(g.Consumer), Pairs: g.Pairs,
			Selected: g.selected, Source: g.Source, After: sortedSet(g.lastly),
		}
		if g.roleStep != "" {
			part.Needs = append(part.Needs, g.roleStep)
			for _, policy := range g.Policies {
				part.Needs = append(part.Needs, policy, b.attachmentOf(policy, g))
			}
			part.Needs = sortedSet(part.Needs)
		}
		s := b.steps[g.bucketStep]
		s.Parts = append(s.Parts, part)
	}
}

// sameName reports two sets of permissions whose policies would be one: a
// policyName that is the name of another role's policy by default, or what a
// policy that is split is called next.
func (b *builder) sameName(name string, perm, other *rolePermissions) {
	if perm.name == "" { // the one that can be changed
		perm, other = other, perm
	}
	g := perm.grants[0]
	b.problems = append(b.problems, specs.Problem{
		Code: "conflict", Severity: specs.SeverityError, Share: g.Share, Account: perm.account.ID, Source: g.Source,
		Message: fmt.Sprintf("managed policy %s of role %s would also be that of role %s, at %s", name, perm.role, other.role, other.grants[0].Source),
		Mend:    "choose another policyName",
	})
}

// permissions are a grant's pairs as a permissions policy holds them.
func permissions(pairs []iampolicy.Pair) []iampolicy.Pair {
	list := slices.Clone(pairs)
	for i := range list {
		list[i].Principal = ""
	}
	return list
}

// permissionChunk is what of one grant's statements one managed policy holds.
type permissionChunk struct {
	grant *pendingGrant
	pairs []iampolicy.Pair
}

// split shares the statements of a role out over as many policies as they
// need: a managed policy has at most iampolicy.MaxManagedPolicy characters.
func (b *builder) split(perm *rolePermissions) [][]permissionChunk {
	var chunks [][]permissionChunk
	var current []permissionChunk
	empty := iampolicy.Size(iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012}))
	size := empty
	seen := map[string]bool{} // meanings in the current policy
	for _, g := range perm.grants {
		var own []iampolicy.Pair
		for _, p := range permissions(g.Pairs) {
			cost := 0
			if !seen[p.Meaning] {
				cost = b.statementSize(p.Statement) + 1
			}
			if size+cost > iampolicy.MaxManagedPolicy && size > empty {
				if len(own) > 0 {
					current = append(current, permissionChunk{g, own})
				}
				chunks = append(chunks, current)
				current, own, size = nil, nil, empty
				clear(seen)
				cost = b.statementSize(p.Statement) + 1
			}
			if size+cost > iampolicy.MaxManagedPolicy {
				b.problems = append(b.problems, specs.Problem{
					Code: "policy-too-large", Severity: specs.SeverityError, Share: g.Share, Account: perm.account.ID,
					Source:  g.Source,
					Message: fmt.Sprintf("one statement for role %s is %d characters long, more than the %d of a managed policy", perm.role, cost, iampolicy.MaxManagedPolicy),
					Mend:    "name fewer prefixes in one consumer; use a share for each part of them",
				})
			}
			size += cost
			seen[p.Meaning] = true
			own = append(own, p)
		}
		if len(own) > 0 {
			current = append(current, permissionChunk{g, own})
		}
	}
	return append(chunks, current)
}

func (b *builder) statementSize(s iampolicy.Statement) int {
	s.Sid = iampolicy.Mark(b.repo.Name, s)
	one := iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{s}})
	none := iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012})
	return iampolicy.Size(one) - iampolicy.Size(none)
}

func (b *builder) permissionPolicy(perm *rolePermissions, name string, chunk []permissionChunk) {
	account := perm.account.ID
	arn := policyARN(b.partition, account, name)
	policyID := StepID(TypePolicy, account, "", name)
	attachmentID := StepID(TypeAttachment, account, "", perm.role+"/"+name)
	roleID := StepID(TypeRole, account, "", perm.role)
	for _, c := range chunk {
		policy := b.add(c.grant.Share, TypePolicy, account, GlobalRegion, name, c.grant.Source)
		policy.Want = Policy{Name: name, ARN: arn}
		policy.Parts = append(policy.Parts, Part{
			Share: c.grant.Share, Consumer: consumerName(c.grant.Consumer),
			Pairs: c.pairs, Selected: c.grant.selected, Source: c.grant.Source,
		})
		attachment := b.add(c.grant.Share, TypeAttachment, account, GlobalRegion, perm.role+"/"+name, c.grant.Source)
		attachment.Want = Attachment{Role: perm.role, PolicyARN: arn}
		attachment.Needs = sortedSet([]string{roleID, policyID})
		c.grant.Policies = append(c.grant.Policies, policyID)
	}
	// An instance is launched when its role can already do what it is for.
	for _, c := range chunk {
		for _, id := range c.grant.lastly {
			if s := b.steps[id]; s.Type == TypeInstance || s.Type == TypeAssociation {
				s.After = sortedSet(append(s.After, attachmentID))
			}
		}
	}
}

func (b *builder) attachmentOf(policyID string, g *pendingGrant) string {
	return StepID(TypeAttachment, g.Consumer.Account.ID, "", g.Consumer.Role.Name+"/"+b.steps[policyID].Name)
}

// plan orders the steps. Every need goes from a lower rank to a higher one, so
// the order of rank, then id, is a dependency order.
func (b *builder) plan() *Plan {
	p := &Plan{
		Repository: b.repo.Name, FormerNames: b.repo.FormerNames, Partition: b.partition,
		Accounts: map[string]*specs.Account{}, Aliases: map[string]string{}, stated: map[string]bool{}, shared: map[string]bool{},
	}
	byID := map[string]*specs.Account{}
	for _, a := range b.repo.Accounts {
		byID[a.ID] = a
		p.Aliases[a.ID] = a.Alias
	}
	for _, s := range b.steps {
		p.stated[s.ID] = true
		if !slices.ContainsFunc(s.Shares, b.selected) {
			continue
		}
		b.tag(s)
		p.Steps = append(p.Steps, s)
		p.Accounts[s.Account] = byID[s.Account]
	}
	slices.SortFunc(p.Steps, func(a, b *Step) int {
		if c := rank(a.Type) - rank(b.Type); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, g := range b.grants {
		if g.selected {
			p.Grants = append(p.Grants, g.Grant)
		}
	}
	for _, a := range b.repo.Accounts {
		if a.Manage && p.Accounts[a.ID] == nil {
			p.NotSearched = append(p.NotSearched, a.ID)
		}
	}
	slices.Sort(p.NotSearched)
	p.whole = true
	for _, share := range b.repo.Shares {
		p.shared[share.Bucket.Name] = true
		p.whole = p.whole && b.selected(share.Name)
	}
	p.Regions = b.regions()
	p.index()
	return p
}

// regions are those of the repository, its accounts, and all steps.
func (b *builder) regions() []string {
	regions := []string{b.repo.Region}
	for _, a := range b.repo.Accounts {
		regions = append(regions, a.Region)
	}
	for _, s := range b.steps {
		if s.Region != GlobalRegion {
			regions = append(regions, s.Region)
		}
	}
	return slices.DeleteFunc(sortedSet(regions), func(r string) bool { return r == "" })
}

// tag puts the tags on what the step would create: the mark, the repository's
// own, and share and owner where one share uses the resource.
func (b *builder) tag(s *Step) {
	if s.Existing {
		return
	}
	share := ""
	if len(s.Shares) == 1 {
		share = s.Shares[0]
	}
	tags := b.tags[share]
	if tags == nil {
		tags = b.tagsOf(share)
		b.tags[share] = tags
	}
	switch want := s.Want.(type) {
	case Bucket:
		want.Tags = tags
		s.Want = want
	case Role:
		want.Tags = tags
		s.Want = want
	case Policy:
		want.Tags = tags
		s.Want = want
	case InstanceProfile:
		want.Tags = tags
		s.Want = want
	case Instance:
		tags = maps.Clone(tags)
		tags[NameTag] = want.Name
		if tags["Name"] == "" {
			tags["Name"] = want.Name
		}
		want.Tags = tags
		s.Want = want
	}
}

// tagsOf are the tags of all that one share alone uses; share is empty for what
// several use. They are the same map for all of it, and nobody changes them.
func (b *builder) tagsOf(share string) map[string]string {
	tags := map[string]string{RepositoryTag: b.repo.Name}
	maps.Copy(tags, b.repo.Tags)
	if share != "" {
		tags[ShareTag] = share
		if owner := b.owner(share); owner != "" {
			tags[OwnerTag] = owner
		}
	}
	return tags
}

func (b *builder) owner(share string) string {
	i, ok := slices.BinarySearchFunc(b.repo.Shares, share, func(s *specs.Share, name string) int {
		return strings.Compare(s.Name, name)
	})
	if !ok {
		return ""
	}
	return b.repo.Shares[i].Owner
}

// rank is the place of a type in the order of needs.
func rank(t Type) int {
	return slices.Index([]Type{
		TypeBucket, TypeRole, TypePolicy, TypeAttachment, TypeInstanceProfile,
		TypeInstance, TypeAssociation, TypeBucketPolicy,
	}, t)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func sortedSet(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
