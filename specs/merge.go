package specs

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
)

// merger brings together what several shares say of the same bucket or role:
// create: true in any of them suffices, and what two of them state must be
// equal. A field left out is not stated, so defaults are filled in at the end.
type merger struct {
	*sink
	repo *Repository // nil where xshare.yaml could not be read

	buckets  map[string]*bucketFacts // by name: bucket names are unique in a partition
	roles    map[string]*roleFacts   // by account and name, without case as in IAM
	order    []*roleFacts
	policies map[string]ownerClaim // stated policy names, by account and name without case
}

func newMerger(s *sink, repo *Repository) *merger {
	return &merger{
		sink: s, repo: repo,
		buckets: map[string]*bucketFacts{}, roles: map[string]*roleFacts{}, policies: map[string]ownerClaim{},
	}
}

// claim is a value that a field states; not stated where pos is zero.
type claim[T comparable] struct {
	value T
	pos   Pos
}

func (c claim[T]) stated() bool { return c.pos.Line > 0 }

// ownerClaim says which role a name was first given to, and where.
type ownerClaim struct {
	role *roleFacts
	name string
	pos  Pos
}

type bucketFacts struct {
	account claim[string] // alias
	region  claim[string]
	create  bool
	shares  []*Share
}

type roleFacts struct {
	name, path  claim[string]
	create      Pos // of the first create: true; zero: none
	trust       claim[string]
	trustPolicy claim[string] // the text
	trustFile   string        // the first file that has it
	profile     claim[string] // the name; empty: stated as false
	boundary    claim[string]
	unsure      bool // something of it could not be read; no conclusions from what is lacking
	uses        []roleUse
}

// roleUse is a consumer that names the role.
type roleUse struct {
	share     string
	consumer  *Consumer
	instances Pos
}

// agree notes a claim, or reports that it differs from the one noted before.
func agree[T comparable](m *merger, what string, have *claim[T], now claim[T], show func(T) string) {
	switch {
	case !now.stated():
	case !have.stated():
		*have = now
	case have.value != now.value:
		m.fail(codeConflict, now.pos, "write the same in both places, or leave it out in one if it is optional",
			"%s %s here and %s at %s", what, show(now.value), show(have.value), have.pos)
	}
}

func (t text) claim(value string) claim[string] {
	if !t.ok() {
		return claim[string]{}
	}
	return claim[string]{value, t.pos}
}

// bucket notes what a share says of its bucket.
func (m *merger) bucket(share *Share, raw *rawBucket) {
	b := &share.Bucket
	facts := m.buckets[b.Name]
	if facts == nil {
		facts = &bucketFacts{}
		m.buckets[b.Name] = facts
	}
	what := "bucket " + quote(b.Name)
	agree(m, what+" has account", &facts.account, raw.account.claim(b.Account.Alias), printable)
	if b.Region != "" {
		agree(m, what+" has region", &facts.region, raw.region.claim(b.Region), printable)
	}
	facts.create = facts.create || b.Create
	facts.shares = append(facts.shares, share)
}

// role notes what a consumer says of its role.
func (m *merger) role(share *Share, c *Consumer, raw *rawConsumer) {
	role := &raw.role.value
	key := c.Account.ID + "/" + strings.ToLower(c.Role.Name)
	facts := m.roles[key]
	if facts == nil {
		facts = &roleFacts{}
		m.roles[key] = facts
		m.order = append(m.order, facts)
	}
	facts.uses = append(facts.uses, roleUse{share.Name, c, raw.instances.pos})

	what := "role " + quote(c.Role.Name) + " of account " + printable(c.Account.Alias)
	agree(m, what+" has its name written", &facts.name, role.name.claim(c.Role.Name), quote)
	agree(m, what+" has path", &facts.path, role.name.claim(c.Role.Path), printable)
	if role.create.value && facts.create.Line == 0 {
		facts.create = role.create.pos
	}
	facts.unsure = facts.unsure || role.trust.stated() && c.Role.TrustService == "" ||
		role.trustPolicy.stated() && c.Role.TrustPolicy == nil || role.instanceProfile.text.bad
	if c.Role.TrustService != "" {
		agree(m, what+" has trust", &facts.trust, role.trust.claim(c.Role.TrustService), printable)
	}
	if c.Role.TrustPolicy != nil {
		facts.trustFile = cmp.Or(facts.trustFile, c.Role.TrustFile)
		agree(m, what+" has trustPolicy", &facts.trustPolicy, role.trustPolicy.claim(string(c.Role.TrustPolicy)), textDigest)
	}
	m.oneTrust(what, facts, role)
	agree(m, what+" has instanceProfile", &facts.profile, profileClaim(role.instanceProfile, c.Role.Name), func(v string) string { return cmp.Or(printable(v), "false") })
	agree(m, what+" has permissionsBoundary", &facts.boundary, role.boundary.claim(role.boundary.value), printable)
	m.policyName(c, facts, raw.policyName)
}

// textDigest tells two texts apart that are too long to show.
func textDigest(text string) string {
	return fmt.Sprintf("with digest %.4x", sha256.Sum256([]byte(text)))
}

// oneTrust reports a role with trust in one share and trustPolicy in another.
// Both in the same share are reported where the role is read.
func (m *merger) oneTrust(what string, facts *roleFacts, raw *rawRole) {
	const mend = "write the same in both places, or leave it out in one"
	switch {
	case !facts.trust.stated() || !facts.trustPolicy.stated() || raw.trust.stated() && raw.trustPolicy.stated():
	case raw.trust.stated():
		m.fail(codeConflict, raw.trust.pos, mend, "%s has trust here and trustPolicy at %s", what, facts.trustPolicy.pos)
	case raw.trustPolicy.stated():
		m.fail(codeConflict, raw.trustPolicy.pos, mend, "%s has trustPolicy here and trust at %s", what, facts.trust.pos)
	}
}

// profileClaim is what a role's instanceProfile states.
func profileClaim(v flagOrText, roleName string) claim[string] {
	f := v.flag
	switch {
	case f.stated() && f.value:
		return claim[string]{roleName, f.pos}
	case f.stated():
		return claim[string]{"", f.pos}
	}
	return v.text.claim(v.text.value)
}

// policyName keeps the names of permissions policies apart: one role each.
func (m *merger) policyName(c *Consumer, facts *roleFacts, t text) {
	if !t.ok() || !c.Account.Manage {
		return
	}
	key := c.Account.ID + "/" + strings.ToLower(t.value)
	first, taken := m.policies[key]
	switch {
	case !taken:
		m.policies[key] = ownerClaim{facts, t.value, t.pos}
	case first.role != facts:
		m.fail(codeConflict, t.pos, "choose another policyName", "policyName %s of account %s is that of role %s, at %s",
			quote(t.value), printable(c.Account.Alias), quote(first.role.name.value), first.pos)
	case first.name != t.value:
		m.fail(codeConflict, t.pos, "write it the same in both places", "policyName %s differs only in case from %s at %s, and to IAM they are one",
			quote(t.value), quote(first.name), first.pos)
	}
}

// finish fills the merged values and defaults into every share.
func (m *merger) finish() {
	if m.repo == nil {
		return
	}
	for _, facts := range m.buckets {
		for _, share := range facts.shares {
			share.Bucket.Create = facts.create
			share.Bucket.Region = facts.region.value
			if share.Bucket.Region == "" && facts.create {
				share.Bucket.Region = share.Bucket.Account.Region
			}
		}
	}
	profiles, instances := map[string]ownerClaim{}, map[string]instanceUse{}
	for _, facts := range m.order {
		m.finishRole(facts)
		m.profile(profiles, facts)
		for _, use := range facts.uses {
			m.instances(instances, facts, use)
		}
	}
	m.share, m.account = "", ""
}

func (m *merger) finishRole(facts *roleFacts) {
	first := facts.uses[0]
	m.share, m.account = first.share, first.consumer.Account.ID
	create := facts.create.Line > 0
	ec2 := isEC2(facts.trust.value)
	if create && !facts.trust.stated() && !facts.trustPolicy.stated() && !facts.unsure {
		m.fail(codeTrust, facts.create, "add trust: ec2, or who is to use the role", "role %s is to be created and has neither trust nor trustPolicy", quote(facts.name.value))
	}
	profile := facts.profile.value
	switch {
	case !facts.profile.stated() && create && ec2:
		profile = facts.name.value
	case profile != "" && facts.trust.stated() && !ec2:
		m.warn(codeNoProfile, facts.profile.pos, "take it out, or write trust: ec2", "role %s has an instance profile, but %s is trusted and not EC2", quote(facts.name.value), facts.trust.value)
	}
	bound := facts.boundary.value
	if bound == "" && create {
		bound = m.repo.PermissionsBoundary
		if arn := boundaryARN.FindStringSubmatch(bound); arn != nil && arn[2] != m.account && arn[2] != "aws" {
			m.fail(codeBoundary, facts.create, "write the repository's permissionsBoundary as a name, or give the role its own",
				"role %s is in account %s and the repository's permissionsBoundary is a policy of %s", quote(facts.name.value), m.account, arn[2])
		}
	}
	var policy []byte
	if facts.trustPolicy.stated() {
		policy = []byte(facts.trustPolicy.value)
	}
	for _, use := range facts.uses {
		role := &use.consumer.Role
		role.Create, role.InstanceProfile, role.PermissionsBoundary = create, profile, bound
		role.TrustService, role.TrustPolicy, role.TrustFile = facts.trust.value, policy, facts.trustFile
	}
}

// profile keeps instance profiles apart: IAM takes one role in each.
func (m *merger) profile(taken map[string]ownerClaim, facts *roleFacts) {
	profile := facts.uses[0].consumer.Role.InstanceProfile
	if profile == "" {
		return
	}
	pos := facts.profile.pos
	if pos.Line == 0 {
		pos = facts.name.pos
	}
	key := m.account + "/" + strings.ToLower(profile)
	if first, other := taken[key]; other {
		m.fail(codeConflict, pos, "name another instance profile", "the instance profile %s is that of role %s, at %s, and takes one role only",
			quote(profile), quote(first.role.name.value), first.pos)
		return
	}
	taken[key] = ownerClaim{facts, profile, pos}
}

// instanceUse is an instance with the role it was first stated for.
type instanceUse struct {
	role     *roleFacts
	instance *Instance
}

// instances checks a consumer's instances against its role and against those
// of other consumers: one instance has one profile, and one description.
func (m *merger) instances(taken map[string]instanceUse, facts *roleFacts, use roleUse) {
	c := use.consumer
	m.share, m.account = use.share, c.Account.ID
	if len(c.Instances) == 0 || !c.Account.Manage {
		return
	}
	trust := facts.trust
	switch {
	case facts.unsure:
	case trust.stated() && !isEC2(trust.value):
		m.fail(codeNoProfile, use.instances, "write trust: ec2, or take the instances out", "instances cannot use role %s, since %s is trusted and not EC2", quote(facts.name.value), trust.value)
	case c.Role.InstanceProfile == "":
		m.fail(codeNoProfile, use.instances, "add instanceProfile: true to the role, or the name of its profile", "instances need an instance profile and role %s has none", quote(facts.name.value))
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		named := cmp.Or(in.ID, in.Name)
		key := m.account + "/" + in.Region + "/" + named
		first, known := taken[key]
		switch {
		case named == "":
		case !known:
			taken[key] = instanceUse{facts, in}
		case first.role != facts:
			m.fail(codeConflict, in.Pos, "give it to one role, or choose another name", "instance %s has role %s here and %s at %s",
				quote(named), quote(facts.name.value), quote(first.role.name.value), first.instance.Pos)
		case !sameInstance(in, first.instance):
			m.fail(codeConflict, in.Pos, "write the same in both places", "instance %s is described otherwise at %s", quote(named), first.instance.Pos)
		}
	}
}

func sameInstance(a, b *Instance) bool {
	return a.Image == b.Image && a.Type == b.Type && a.Subnet == b.Subnet && a.KeyName == b.KeyName &&
		strings.Join(a.SecurityGroups, " ") == strings.Join(b.SecurityGroups, " ")
}
