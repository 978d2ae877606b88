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

// writer gathers grants into shares.
type writer struct {
	*reader
	roles map[string]bool // account and name of roles that the repository's shares have
	taken map[string]bool // names of the repository's shares
	names map[string]string
	made  map[string]*specs.Share // by name
	first map[string]bool         // account and name of roles that a consumer has already
}

func newWriter(r *reader) *writer {
	w := &writer{reader: r, roles: map[string]bool{}, taken: map[string]bool{}, names: map[string]string{}, made: map[string]*specs.Share{}, first: map[string]bool{}}
	for _, share := range r.repo.Shares {
		w.taken[share.Name] = true
		for _, c := range share.Consumers {
			w.roles[c.Account.ID+"/"+c.Role.Name] = true
		}
	}
	return w
}

// add makes consumers of a grant, in a share each: a role is a consumer of one
// share but once.
func (w *writer) add(g *grant) {
	g.said = rights{}
	if len(g.both) == 0 {
		return
	}
	list, unsaid := folded(g.both, g.crossAccount())
	if unsaid {
		w.note(g.owner.ID, "the policy of bucket "+g.bucket+" allows role "+g.role+" in account "+g.consumer.ID+" every action under a prefix: the share has those of read, write and delete",
			"add the actions that are needed")
	}
	for i, a := range list {
		c := &specs.Consumer{
			Account: g.consumer, Role: w.role(g), Access: a.words, Actions: a.actions, Prefixes: a.prefixes,
			PolicyName: w.policyName(g),
		}
		share := w.share(g, i)
		if key := g.consumer.ID + "/" + g.role; !w.first[key] {
			w.first[key] = true
			c.Instances = w.instances(g, c.Role.InstanceProfile)
		}
		share.Consumers = append(share.Consumers, c)
		g.said.addAll(stated(c))
	}
}

// stated are the rights that a consumer states.
func stated(c *specs.Consumer) rights {
	r := rights{}
	for _, pattern := range plan.Actions(c) {
		for _, action := range iampolicy.MatchS3Actions(pattern) {
			switch {
			case action.Level != iampolicy.BucketLevel && action.Level != iampolicy.ObjectLevel:
			case len(c.Prefixes) == 0, isBuckets(action.Name):
				r.add(action.Name, "")
			default:
				for _, prefix := range c.Prefixes {
					r.add(action.Name, prefix)
				}
			}
		}
	}
	return r
}

// share is the one that a grant's nth consumer belongs to. It has the name that
// the role's tags have of it, or the bucket's.
func (w *writer) share(g *grant, n int) *specs.Share {
	base, owner := g.bucket, ""
	if w.isOurs(g) && specs.IsName(g.live.Tags[plan.ShareTag]) {
		base, owner = g.live.Tags[plan.ShareTag], g.live.Tags[plan.OwnerTag]
	}
	key := strings.Join([]string{base, g.bucket, strconv.Itoa(n)}, " ")
	name := w.names[key]
	if name == "" {
		for i := n + 1; name == "" || w.taken[name]; i++ {
			name = base
			if i > 1 {
				name += "-" + strconv.Itoa(i)
			}
		}
		w.names[key], w.taken[name] = name, true
		w.made[name] = &specs.Share{Name: name, Owner: owner, Bucket: specs.Bucket{Name: g.bucket, Account: g.owner}}
	}
	return w.made[name]
}

func (w *writer) shares() []*specs.Share {
	return slices.SortedFunc(maps.Values(w.made), func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
}

// isOurs reports whether the role carries the repository's mark.
func (w *writer) isOurs(g *grant) bool { return g.live != nil && w.plan.Marked(g.live.Tags) }

// role is the role as a spec states it: one that carries the repository's mark
// is one that it creates. What a share of the repository says of it already is
// not said again.
func (w *writer) role(g *grant) specs.Role {
	role := specs.Role{Name: g.role, Path: g.path}
	if !w.isOurs(g) || w.roles[g.consumer.ID+"/"+g.role] {
		return role
	}
	role.InstanceProfile = w.profile(g)
	if role.TrustService = trusted(g.live.Trust); role.TrustService == "" {
		w.note(g.consumer.ID, "role "+g.role+" in account "+g.consumer.ID+" has a trust policy of its own, so its share does not say that it is created",
			"write the policy into a file of the repository, and add create: true and trustPolicy with the file's name")
		return role
	}
	role.Create = true
	if g.live.Boundary != "" {
		role.PermissionsBoundary = strings.TrimPrefix(g.live.Boundary, "arn:"+w.plan.Partition+":iam::"+g.consumer.ID+":policy/")
	}
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
func (w *writer) profile(g *grant) string {
	profiles := w.snapshots[g.consumer.ID].Profiles
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if profiles[name].Role == g.role && w.plan.Marked(profiles[name].Tags) {
			return name
		}
	}
	return ""
}

// policyName is the one that a spec has given to the policy that holds the
// grant; empty: it has the default name, or is not ours.
func (w *writer) policyName(g *grant) string {
	if g.live == nil {
		return ""
	}
	bucketARN := plan.BucketARN(w.plan.Partition, g.bucket)
	for _, arn := range g.live.Attached {
		policy := w.snapshots[g.consumer.ID].Policies[arn]
		if policy == nil {
			continue
		}
		d, err := iampolicy.ParseLive(policy.Document)
		if err != nil {
			continue
		}
		for _, s := range d.Statements {
			if given, _ := allowed(s, bucketARN); len(given) > 0 && w.plan.Ours(s.Sid) {
				if name := plan.StatedPolicyName(w.repo.Name, g.role, policy.Name); name != "" {
					return name
				}
			}
		}
	}
	return ""
}

// instances are those that xshare launched for a role. The image is the one that
// they run: the word that it was found by is not known any more.
func (w *writer) instances(g *grant, profile string) (list []specs.Instance) {
	if profile == "" || !g.consumer.Manage {
		return nil
	}
	for _, in := range w.snapshots[g.consumer.ID].Instances {
		name := in.Tags[plan.NameTag]
		if !w.plan.Marked(in.Tags) || !specs.IsName(name) || !strings.HasSuffix(in.ProfileARN, ":instance-profile/"+profile) {
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
