// Package describe finds out which shares live buckets and roles amount to, and
// says them as specs. It is pure: what is live comes as snapshots.
//
// A share describes what a bucket policy and the policies of a role both allow,
// no more: the shares that it finds open nothing when they are applied. What
// they cannot say is told, and stays as it is.
package describe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// CodeUndescribed is the code of what is live and no share says.
const CodeUndescribed = "undescribed"

// Found is what live accounts amount to.
type Found struct {
	Shares []*specs.Share // by name
	// Problems are what of the bucket policies no share says, as warnings, and
	// what could not be read, as errors.
	Problems []specs.Problem
	// Spare is what says nothing more once the shares are applied, and can be taken
	// out by hand then.
	Spare []Spare
}

// Policies are what to read, after the names of the buckets were listed: the
// policies of those for which wanted answers true.
func Policies(snapshots map[string]*plan.Snapshot, wanted func(bucket string) bool) []plan.Want {
	var wants []plan.Want
	for _, account := range slices.Sorted(maps.Keys(snapshots)) {
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

// Roles are what to read after the policies: the roles that they name, in the
// accounts that are ours to read.
func Roles(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot) []plan.Want {
	names := map[string]map[string]bool{}
	for _, g := range newReader(p, repo, snapshots).grants() {
		if g.consumer.Manage {
			if names[g.consumer.ID] == nil {
				names[g.consumer.ID] = map[string]bool{}
			}
			names[g.consumer.ID][g.role] = true
		}
	}
	var wants []plan.Want
	for _, account := range slices.Sorted(maps.Keys(names)) {
		wants = append(wants, plan.Want{Account: account, IAM: true, Roles: slices.Sorted(maps.Keys(names[account])), Proof: true})
	}
	return wants
}

// Instances are what to read last: those that xshare launched, in accounts where
// it made a profile for one of the roles.
func Instances(p *plan.Plan, snapshots map[string]*plan.Snapshot) []plan.Want {
	var wants []plan.Want
	for _, account := range slices.Sorted(maps.Keys(snapshots)) {
		ours := false
		for _, profile := range snapshots[account].Profiles {
			ours = ours || profile.Role != "" && p.Marked(profile.Tags)
		}
		if ours {
			want := plan.Want{Account: account}
			for _, region := range p.Regions {
				want.Instances = append(want.Instances, plan.InstanceWant{Region: region, Named: true})
			}
			wants = append(wants, want)
		}
	}
	return wants
}

// Shares describes what was read. A grant that a share of the repository has
// already is left out. p is a plan of the repository.
func Shares(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot) Found {
	r := newReader(p, repo, snapshots)
	grants := r.grants()
	w := newWriter(r)
	for _, g := range grants {
		if !r.stated[g.key()] {
			r.effective(g)
			w.add(g)
		}
	}
	r.unreadable()
	slices.SortStableFunc(r.problems, func(a, b specs.Problem) int {
		return cmp.Or(strings.Compare(string(a.Severity), string(b.Severity)), strings.Compare(a.Account, b.Account))
	})
	return opensNothing(Found{Shares: w.shares(), Problems: r.problems, Spare: r.spare(grants)}, repo, snapshots)
}

// grant is what one bucket policy allows one role.
type grant struct {
	owner, consumer *specs.Account
	bucket          string
	path, role      string
	allowed         rights // by the bucket policy
	both            rights // by the role's policies too, where those are needed
	said            rights // by a share
	live            *plan.LiveRole
}

func (g *grant) key() string { return grantKey(g.bucket, g.consumer.ID, g.role) }

func (g *grant) crossAccount() bool { return g.owner != g.consumer }

// effectual are the rights of a statement's that the role can have: some actions
// are for the bucket's own account only, whatever policies say.
func (g *grant) effectual(given rights) rights {
	if !g.crossAccount() {
		return given
	}
	can := maps.Clone(given)
	maps.DeleteFunc(can, func(action string, _ []string) bool { return iampolicy.OwnersOnly(action) })
	return can
}

// reader takes the snapshots apart.
type reader struct {
	plan      *plan.Plan
	repo      *specs.Repository
	snapshots map[string]*plan.Snapshot
	accounts  map[string]*specs.Account // by id
	stated    map[string]bool           // keys of grants that the repository's shares have
	problems  []specs.Problem
	sayings   []saying
}

func newReader(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot) *reader {
	r := &reader{plan: p, repo: repo, snapshots: snapshots, accounts: map[string]*specs.Account{}, stated: map[string]bool{}}
	for _, a := range repo.Accounts {
		r.accounts[a.ID] = a
	}
	for _, share := range repo.Shares {
		for _, c := range share.Consumers {
			r.stated[grantKey(share.Bucket.Name, c.Account.ID, c.Role.Name)] = true
		}
	}
	return r
}

func grantKey(bucket, account, role string) string { return bucket + "/" + account + "/" + role }

// grants are those of all bucket policies, by bucket, account and role. What of
// the policies is no grant of a role's is noted.
func (r *reader) grants() []*grant {
	found := map[string]*grant{}
	for _, id := range slices.Sorted(maps.Keys(r.snapshots)) {
		owner := r.accounts[id]
		for _, name := range slices.Sorted(maps.Keys(r.snapshots[id].Buckets)) {
			bucket := r.snapshots[id].Buckets[name]
			if bucket.Policy == nil {
				continue
			}
			d, err := iampolicy.ParseLive(bucket.Policy)
			if err != nil {
				r.note(owner.ID, "the policy of bucket "+name+" cannot be read: "+err.Error(), "correct it there")
				continue
			}
			for i, s := range d.Statements {
				r.statement(found, owner, name, i, s)
			}
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b *grant) int {
		return cmp.Or(strings.Compare(a.bucket, b.bucket), strings.Compare(a.consumer.Alias, b.consumer.Alias), strings.Compare(a.role, b.role))
	})
	return list
}

// statement adds what one statement of a bucket policy grants.
func (r *reader) statement(found map[string]*grant, owner *specs.Account, bucket string, i int, s iampolicy.Statement) {
	if s.Effect != iampolicy.Allow {
		return
	}
	name := fmt.Sprintf("statement number %d", i+1)
	if s.Sid != "" {
		name = fmt.Sprintf("statement %q", s.Sid)
	}
	says := saying{spare: Spare{Account: owner.ID, Bucket: bucket, What: name}}
	whole := true
	leave := func(why, mend string) {
		whole = false
		r.note(owner.ID, fmt.Sprintf("%s of the policy of bucket %s is in no share, or not all of it: %s", name, bucket, why), mend)
	}
	given, unsaid := allowed(s, plan.BucketARN(r.plan.Partition, bucket))
	if unsaid != "" {
		leave(unsaid, "leave it as it is, or give by a share what of it is needed")
	}
	if s.Principal == nil {
		leave("it has no Principal element", "leave it as it is, or name roles")
		return
	}
	for _, other := range strangers(s.Principal) {
		leave("it names "+other+", and a share names roles", "leave it as it is, or name roles")
	}
	says.rights = given
	for _, principal := range s.Principal.AWS {
		account, path, role, why := roleOf(principal)
		consumer := r.accounts[account]
		switch {
		case account == owner.ID && why != "": // as most policies have it
			whole = false
			continue
		case iampolicy.IsEntityID(principal):
			leave("it names "+why, "take the id out, since S3 refuses to store a policy that holds one")
			continue
		case why != "":
			leave("it names "+why+", and a share names roles", "leave it as it is, or name roles")
			continue
		case consumer == nil:
			leave("it names role "+role+" of account "+account+", which is not in "+specs.RepositoryFile, "add the account, with manage: false if it is not yours, and import again")
			continue
		case consumer.Retired:
			leave("it names role "+role+" of account "+consumer.Alias+", which is retired", "take it out of the policy")
			continue
		case len(given) == 0:
			continue
		}
		key := grantKey(bucket, account, role)
		g := found[key]
		if g == nil {
			g = &grant{owner: owner, consumer: consumer, bucket: bucket, path: path, role: role, allowed: rights{}}
			found[key] = g
		}
		g.allowed.addAll(g.effectual(given))
		says.grants = append(says.grants, g)
	}
	if whole && !r.plan.Ours(s.Sid) && len(says.grants) > 0 {
		r.sayings = append(r.sayings, says)
	}
}

// note says what is live and in no share.
func (r *reader) note(account, message, mend string) {
	r.problems = append(r.problems, specs.Problem{Code: CodeUndescribed, Severity: specs.SeverityWarning, Account: account, Message: message, Mend: mend})
}

// strangers are those that a share cannot name.
func strangers(p *iampolicy.Principals) (list []string) {
	if p.Any {
		list = append(list, "everybody")
	}
	for _, service := range p.Service {
		list = append(list, "service "+service)
	}
	for _, provider := range p.Federated {
		list = append(list, "identity provider "+provider)
	}
	for _, user := range p.CanonicalUser {
		list = append(list, "canonical user "+user)
	}
	return list
}

// roleOf takes the principal of a bucket policy apart; why says what it is where
// it is no role.
func roleOf(principal string) (account, path, role, why string) {
	a := iampolicy.CutARN(principal)
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case iampolicy.IsEntityID(principal):
		return "", "", "", "the id " + principal + " of a role or user that was deleted"
	case iampolicy.IsAccountID(principal), a.Service == "iam" && a.Resource == "root":
		account = cmp.Or(a.Account, principal)
		return account, "", "", "the whole account " + account
	case a.Service != "iam" || kind != "role" || name == "":
		return "", "", "", principal
	}
	path, role = "/", name
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		path, role = "/"+name[:at+1], name[at+1:]
	}
	return a.Account, path, role, ""
}

// effective finds out what the role of a grant has of it by its own policies
// too. A partner's are not ours to read; in the bucket's own account the bucket
// policy is enough.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (r *reader) effective(g *grant) {
	g.both = rights{}
	snap := r.snapshots[g.consumer.ID]
	if !g.consumer.Manage {
		g.both = g.allowed
		return
	}
	if snap == nil || snap.Failure(plan.ScopeIAM) != nil {
		return // told of with the account
	}
	g.live = snap.Roles[g.role]
	where := fmt.Sprintf("role %s in account %s", g.role, g.consumer.ID)
	switch {
	case g.live == nil || g.live.Path != g.path:
		g.live = nil
		r.note(g.owner.ID, fmt.Sprintf("the policy of bucket %s names %s, which does not exist", g.bucket, where), "take it out of the policy")
		return
	case !g.crossAccount():
		g.both = g.allowed
		return
	}
	own := r.identity(snap, g.live, plan.BucketARN(r.plan.Partition, g.bucket))
	g.both = meet(g.allowed, own)
	if more := g.allowed.beyond(own); len(more) > 0 {
		r.note(g.owner.ID, fmt.Sprintf("the policy of bucket %s allows %s to %s, whose own policies do not, or not as far: that is in no share", g.bucket, some(more), where),
			"allow it to the role as well and import again, or take it out of the bucket policy")
	}
}

// identity are the rights that a role's own policies give it on a bucket.
func (r *reader) identity(snap *plan.Snapshot, role *plan.LiveRole, bucketARN string) rights {
	var documents [][]byte
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		documents = append(documents, role.Inline[name])
	}
	for _, arn := range role.Attached {
		if policy := cmp.Or(snap.Policies[arn], snap.Managed[arn]); policy != nil {
			documents = append(documents, policy.Document)
		}
	}
	own := rights{}
	for _, text := range documents {
		d, err := iampolicy.ParseLive(text)
		if err != nil {
			continue // it gives nothing that is understood
		}
		for _, s := range d.Statements {
			if s.Effect == iampolicy.Allow {
				given, _ := allowed(s, bucketARN)
				own.addAll(given)
			}
		}
	}
	return own
}

// unreadable tells of what could not be read.
func (r *reader) unreadable() {
	for _, id := range slices.Sorted(maps.Keys(r.snapshots)) {
		for _, f := range slices.Concat(r.snapshots[id].Failures, r.snapshots[id].Unread) {
			r.problems = append(r.problems, specs.Problem{
				Code: plan.CodeUnreadable, Severity: specs.SeverityError, Account: id, Source: r.accounts[id].Pos,
				Message: f.Message, Mend: f.Mend,
			})
		}
	}
}

// some are at most five words of a list.
func some(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}
