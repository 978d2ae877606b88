// Package describe finds out which shares live buckets and roles amount to, and
// says them as specs. It is pure: what is live comes as snapshots.
//
// A share describes what a bucket policy and the policies of a role both allow,
// no more: the shares that it finds open nothing when they are applied. What
// they cannot say is told, and stays as it is.
package describe

import (
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
	// Problems are what of the bucket policies no share says, as warnings, and as
	// errors what could not be read or would open something.
	Problems []specs.Problem
	// Spare is what grants nothing more once the shares are applied, and can be
	// removed by hand then.
	Spare []Spare
}

// live is what there is, and the repository that it is described for.
type live struct {
	plan      *plan.Plan // of the repository's shares
	repo      *specs.Repository
	snapshots map[string]*plan.Snapshot
	accounts  map[string]*specs.Account // by id
}

func newLive(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot) *live {
	l := &live{plan: p, repo: repo, snapshots: snapshots, accounts: map[string]*specs.Account{}}
	for _, a := range repo.Accounts {
		l.accounts[a.ID] = a
	}
	return l
}

func (l *live) bucketARN(bucket string) string { return plan.BucketARN(l.plan.Partition, bucket) }

// notes are what is live and in no share.
type notes []specs.Problem

func (n *notes) add(account, mend, format string, args ...any) {
	*n = append(*n, specs.Problem{
		Code: CodeUndescribed, Severity: specs.SeverityWarning, Account: account,
		Message: fmt.Sprintf(format, args...), Mend: mend,
	})
}

// Shares describes what was read. A grant that a share of the repository has
// already is left out. p is a plan of the repository; all: every bucket was read.
func Shares(p *plan.Plan, repo *specs.Repository, snapshots map[string]*plan.Snapshot, all bool) Found {
	l := newLive(p, repo, snapshots)
	policies := l.bucketPolicies()
	problems := policies.notes
	s := newSharer(l, &problems)
	var promises []promise
	for _, g := range policies.grants {
		if other, ok := s.namedOtherwise(g); ok {
			problems.add(g.owner.ID, "correct the one that is wrong",
				"the policy of bucket %s names role %s in account %s, and the repository's shares role %s", g.bucket, g.called(), g.consumer.ID, other)
			continue
		}
		role, both := l.roleSide(g, &problems)
		promise := promise{grant: g, role: role}
		if promise.rights = s.shared(g); promise.rights == nil {
			promise.rights, promise.consumers = s.add(g, role, both)
		} else {
			l.beyond(promise, both, &problems)
		}
		promises = append(promises, promise)
	}
	if all {
		l.unshared(promises, &problems)
	}
	shares, invalid := l.valid(s.shares())
	shares, opening := l.opensNothing(shares)
	kept := map[*specs.Consumer]bool{}
	for _, share := range shares {
		for _, c := range share.Consumers {
			kept[c] = true
		}
	}
	for i, p := range promises {
		if slices.ContainsFunc(p.consumers, func(c *specs.Consumer) bool { return !kept[c] }) {
			promises[i].rights = nil
		}
	}
	return Found{
		Shares:   shares,
		Problems: slices.Concat(problems, invalid, opening, l.unread()),
		Spare:    l.spare(policies.statements, promises),
	}
}

// promise is what shares say of a grant.
type promise struct {
	*grant
	role      *plan.LiveRole // nil: it is a partner's, or was not found
	rights    rights
	consumers []*specs.Consumer // those that were made for it
}

// beyond tells what is allowed on both sides beyond a share of the repository.
func (l *live) beyond(p promise, both rights, n *notes) {
	const more = "the policies of bucket %s and of role %s in account %s allow %s, or that further than the repository's shares say"
	foreign := meet(both, p.foreign)
	if list := foreign.beyond(p.rights); len(list) > 0 {
		n.add(p.owner.ID, "add it to the share, or take it out of one of the policies", more, p.bucket, p.called(), p.consumer.ID, some(list))
	}
	if list := both.beyond(together(p.rights, foreign)); len(list) > 0 {
		n.add(p.owner.ID, "add it to the share, if it is meant", more+": it was made by xshare, and the next apply takes it away", p.bucket, p.called(), p.consumer.ID, some(list))
	}
}

// unshared tells of roles that carry the repository's mark and are in no share.
func (l *live) unshared(promises []promise, n *notes) {
	shared := set{}
	for _, p := range promises {
		if len(p.rights) > 0 {
			shared[roleKey(p.consumer, p.grant.role)] = true
		}
	}
	for _, share := range l.repo.Shares {
		for _, c := range share.Consumers {
			shared[roleKey(c.Account, c.Role.Name)] = true
		}
	}
	for _, id := range readable(l.snapshots) {
		for _, name := range slices.Sorted(maps.Keys(l.snapshots[id].Roles)) {
			if l.plan.Marked(l.snapshots[id].Roles[name].Tags) && !shared[roleKey(l.accounts[id], name)] {
				n.add(id, "if it is still used, write its share by hand before the next apply, which takes its policy away",
					"role %s in account %s carries the mark of this repository and is in no share: nothing that a share can say was found on both sides", name, id)
			}
		}
	}
}

// roleSide finds the role of a grant, and what of the grant its own policies
// allow too. A partner's are not ours to read; in the bucket's own account the
// bucket policy is enough.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (l *live) roleSide(g *grant, n *notes) (role *plan.LiveRole, both rights) {
	if !g.consumer.Manage {
		return nil, g.rights
	}
	snap := l.snapshots[g.consumer.ID]
	if snap == nil || snap.Failure(plan.ScopeIAM) != nil {
		return nil, nil // told of with the account
	}
	where := fmt.Sprintf("role %s in account %s", g.called(), g.consumer.ID)
	role = snap.Roles[g.role]
	if role == nil || role.Path != g.path {
		n.add(g.owner.ID, "take it out of the policy", "the policy of bucket %s names %s, which does not exist", g.bucket, where)
		return nil, nil
	}
	if !g.crossAccount() {
		return role, g.rights
	}
	own := rights{}
	for _, document := range documents(snap, role) {
		d, err := iampolicy.ParseLive(document)
		if err != nil {
			continue // it gives nothing that is understood
		}
		for _, s := range d.Statements {
			if s.Effect == iampolicy.Allow {
				given, _ := rightsOf(s, l.bucketARN(g.bucket))
				own.addAll(given)
			}
		}
	}
	if more := g.rights.beyond(own); len(more) > 0 {
		n.add(g.owner.ID, "allow it to the role as well and import again, or take it out of the bucket policy",
			"the policy of bucket %s allows %s to %s, whose own policies do not, or not as far: that is in no share", g.bucket, some(more), where)
	}
	return role, meet(g.rights, own)
}

// documents are a role's own policies.
func documents(snap *plan.Snapshot, role *plan.LiveRole) (list [][]byte) {
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		list = append(list, role.Inline[name])
	}
	for _, arn := range role.Attached {
		for _, of := range []map[string]*plan.LivePolicy{snap.Policies, snap.Managed} {
			if of[arn] != nil {
				list = append(list, of[arn].Document)
			}
		}
	}
	return list
}

// unread tells of what could not be read.
func (l *live) unread() (problems []specs.Problem) {
	for _, id := range slices.Sorted(maps.Keys(l.snapshots)) {
		for _, f := range slices.Concat(l.snapshots[id].Failures, l.snapshots[id].Unread) {
			problems = append(problems, specs.Problem{
				Code: plan.CodeUnreadable, Severity: specs.SeverityError, Account: id, Source: l.accounts[id].Pos,
				Message: f.Message, Mend: f.Mend,
			})
		}
	}
	return problems
}

// some are at most five words of a list.
func some(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}
