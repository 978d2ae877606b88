package describe

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// sharer gathers grants into shares.
type sharer struct {
	*live
	notes *notes

	// What the repository's shares have already.
	sharedRights map[string]rights // by bucket, account and role
	sharedRoles  map[string]string // path and name by account and role
	sharedNames  set

	names    set              // of all shares, also of those that are made
	policies map[string]claim // stated names of policies, by account and name

	made         map[shareKey]*specs.Share
	hasInstances set // account and role of roles whose instances a consumer has
}

// shareKey is a share that is made: the nth of a name for a bucket.
type shareKey struct {
	name, bucket string
	n            int
}

// claim is a name of a policy, as it is spelt, and the role that it is for.
type claim struct{ role, name string }

func newSharer(l *live, n *notes) *sharer {
	s := &sharer{
		live: l, notes: n, sharedRights: map[string]rights{}, sharedRoles: map[string]string{}, sharedNames: set{}, names: set{}, policies: map[string]claim{},
		made: map[shareKey]*specs.Share{}, hasInstances: set{},
	}
	for _, share := range l.repo.Shares {
		s.names[share.Name], s.sharedNames[share.Name] = true, true
		for _, c := range share.Consumers {
			s.sharedRoles[roleKey(c.Account, c.Role.Name)] = c.Role.Path[1:] + c.Role.Name
			if c.PolicyName != "" {
				s.policies[roleKey(c.Account, c.PolicyName)] = claim{roleKey(c.Account, c.Role.Name), c.PolicyName}
			}
			key := share.Bucket.Name + "/" + roleKey(c.Account, c.Role.Name)
			if s.sharedRights[key] == nil {
				s.sharedRights[key] = rights{}
			}
			s.sharedRights[key].addAll(s.promised(share.Bucket.Name, c))
		}
	}
	return s
}

// roleKey tells roles apart, or policies: IAM takes a name once in an account,
// whatever the path and the case.
func roleKey(account *specs.Account, name string) string {
	return account.ID + "/" + strings.ToLower(name)
}

// namedOtherwise is how the repository's shares name a grant's role, if that is by
// another path or in another case: to AWS that is another role.
func (s *sharer) namedOtherwise(g *grant) (name string, ok bool) {
	name, ok = s.sharedRoles[roleKey(g.consumer, g.role)]
	return name, ok && name != g.called()
}

// shared are the rights that the repository's shares give by a grant; nil: they do
// not have it.
func (s *sharer) shared(g *grant) rights {
	return s.sharedRights[g.bucket+"/"+roleKey(g.consumer, g.role)]
}

// promised are the rights that a consumer's statements give.
func (l *live) promised(bucket string, c *specs.Consumer) rights {
	r := rights{}
	for _, statement := range plan.GrantStatements(l.plan.Partition, bucket, c) {
		given, _ := rightsOf(statement, l.bucketARN(bucket))
		r.addAll(given)
	}
	return r
}

// shares are those that were made, by name.
func (s *sharer) shares() []*specs.Share {
	return slices.SortedFunc(maps.Values(s.made), func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
}

// add makes consumers of what is allowed of a grant on both sides, in a share
// each, since a role is a consumer of a share but once. It returns what they
// promise.
func (s *sharer) add(g *grant, role *plan.LiveRole, both rights) (promised rights, consumers []*specs.Consumer) {
	promised = rights{}
	if len(both) == 0 {
		return promised, nil
	}
	uses, shortened := folded(both, g.crossAccount())
	if shortened {
		s.notes.add(g.owner.ID, "add the actions that are needed",
			"the policy of bucket %s allows role %s in account %s every action under a prefix: of those, the share has what the words read, write and delete have", g.bucket, g.role, g.consumer.ID)
	}
	spec, policy := s.role(g, role), s.policyName(g, role)
	for n, u := range uses {
		c := &specs.Consumer{Account: g.consumer, Role: spec, Access: u.words, Actions: u.actions, Prefixes: u.prefixes, PolicyName: policy}
		if key := roleKey(g.consumer, g.role); !s.hasInstances[key] {
			s.hasInstances[key] = true
			c.Instances = s.instances(g, spec.InstanceProfile)
		}
		share := s.share(g, role, n)
		share.Consumers = append(share.Consumers, c)
		consumers = append(consumers, c)
		promised.addAll(s.promised(g.bucket, c))
	}
	return promised, consumers
}

// share is the one that a grant's nth consumer belongs to. It has the name that
// the role's tags have of it, unless a share of the repository has that, or the
// bucket's.
func (s *sharer) share(g *grant, role *plan.LiveRole, n int) *specs.Share {
	key := shareKey{g.bucket, g.bucket, n}
	owner := ""
	if name := s.tag(role, plan.ShareTag); specs.IsName(name) && !s.sharedNames[name] {
		key.name = name
		if tagged := s.tag(role, plan.OwnerTag); specs.IsOwner(tagged) {
			owner = tagged
		}
	}
	if s.made[key] == nil {
		name := key.name
		for i := 2; s.names[name]; i++ {
			name = key.name + "-" + strconv.Itoa(i)
		}
		s.names[name] = true
		s.made[key] = &specs.Share{Name: name, Owner: owner, Bucket: s.bucket(g)}
	}
	return s.made[key]
}

// bucket is a grant's bucket as a spec states it: one that carries the
// repository's mark is one that it creates.
func (s *sharer) bucket(g *grant) specs.Bucket {
	b := specs.Bucket{Name: g.bucket, Account: g.owner}
	if found := s.snapshots[g.owner.ID].Buckets[g.bucket]; s.plan.Marked(found.Tags) {
		b.Create, b.Region = true, found.Region
	}
	return b
}

// tag is the value of a tag of a role that is ours; else empty.
func (s *sharer) tag(role *plan.LiveRole, key string) string {
	if !s.isOurs(role) {
		return ""
	}
	return role.Tags[key]
}

// isOurs reports whether a role carries the repository's mark.
func (s *sharer) isOurs(role *plan.LiveRole) bool { return role != nil && s.plan.Marked(role.Tags) }

// role is a grant's role as a spec states it: one that carries the repository's
// mark is one that it creates. What a share of the repository says of it already
// is not said again.
func (s *sharer) role(g *grant, live *plan.LiveRole) specs.Role {
	role := specs.Role{Name: g.role, Path: g.path}
	if _, shared := s.sharedRoles[roleKey(g.consumer, g.role)]; shared || !s.isOurs(live) {
		return role
	}
	role.InstanceProfile = s.profile(g)
	if role.TrustService = trusted(live.Trust); role.TrustService == "" {
		s.notes.add(g.consumer.ID, "write the policy into a file of the repository, and add create: true and trustPolicy with the file's name",
			"role %s in account %s has a trust policy of its own, so its share does not say that it is created", g.role, g.consumer.ID)
		return role
	}
	role.Create = true
	role.PermissionsBoundary = strings.TrimPrefix(live.Boundary, "arn:"+s.plan.Partition+":iam::"+g.consumer.ID+":policy/")
	return role
}

// trusted is the service that a trust policy lets have the role, where that is
// all it says.
func trusted(text []byte) string {
	d, err := iampolicy.ParseTrust(text)
	if err != nil || len(d.Statements) != 1 || d.Statements[0].Principal == nil || len(d.Statements[0].Principal.Service) != 1 {
		return ""
	}
	service := d.Statements[0].Principal.Service[0]
	alone, err := iampolicy.ParseTrust(plan.TrustPolicy(specs.Role{TrustService: service}))
	if err != nil || !iampolicy.Equal(d, alone) {
		return ""
	}
	return service
}

// profile is the instance profile of ours that holds the role; empty: none does.
func (s *sharer) profile(g *grant) string {
	profiles := s.snapshots[g.consumer.ID].Profiles
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if profiles[name].Role == g.role && s.plan.Marked(profiles[name].Tags) {
			return name
		}
	}
	return ""
}

// policyName is the one that a spec has given to the policy that holds the
// grant; empty: it has a name by default, is not ours, or is another role's, to
// which somebody attached it beside.
func (s *sharer) policyName(g *grant, role *plan.LiveRole) string {
	if role == nil {
		return ""
	}
	for _, arn := range role.Attached {
		policy := s.snapshots[g.consumer.ID].Policies[arn]
		if policy == nil || !s.hasOursOn(policy.Document, g.bucket) {
			continue
		}
		name := plan.StatedPolicyName(append([]string{s.repo.Name}, s.repo.FormerNames...), policy.Name)
		if name == "" {
			continue
		}
		key, own := roleKey(g.consumer, name), roleKey(g.consumer, g.role)
		if s.policies[key] == (claim{}) {
			s.policies[key] = claim{own, name}
		}
		if s.policies[key].role == own {
			return s.policies[key].name
		}
	}
	return ""
}

// hasOursOn reports whether a policy has a statement of ours on a bucket.
func (s *sharer) hasOursOn(policy []byte, bucket string) bool {
	d, err := iampolicy.ParseLive(policy)
	return err == nil && slices.ContainsFunc(d.Statements, func(statement iampolicy.Statement) bool {
		given, _ := rightsOf(statement, s.bucketARN(bucket))
		return len(given) > 0 && s.plan.Ours(statement.Sid)
	})
}

// instances are those that xshare launched for a role. The image is the one that
// they run: the word that it was found by is not known any more.
func (s *sharer) instances(g *grant, profile string) (list []specs.Instance) {
	if profile == "" {
		return nil
	}
	for _, in := range s.snapshots[g.consumer.ID].Instances {
		name := in.Tags[plan.NameTag]
		if !s.plan.Marked(in.Tags) || !specs.IsName(name) || !strings.HasSuffix(in.ProfileARN, ":instance-profile/"+profile) {
			continue
		}
		list = append(list, specs.Instance{
			Name: name, Image: in.Image, Type: in.Type, Region: in.Region, Subnet: in.Subnet,
			SecurityGroups: slices.Sorted(slices.Values(in.SecurityGroups)), KeyName: in.KeyName,
		})
	}
	slices.SortFunc(list, func(a, b specs.Instance) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Region, b.Region))
	})
	return list
}
