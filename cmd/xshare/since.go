package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// since is what --since REV selects: the shares that are not what they were at
// that commit, and those that meet them, as they are or were, on a bucket or
// role. What a share had then and has no more is looked at as well, so that
// access which nobody states any more is closed by that apply.
type since struct {
	commit   string
	selected map[string]bool
	former   []*specs.Share // as they were: of shares that are gone or changed
}

// changedSince compares the specs in dir with those of --since; nil without it.
func (a *app) changedSince(ctx context.Context, dir string, repo *specs.Repository) (*since, error) {
	rev := a.flags.since
	if rev == "" {
		return nil, nil //nolint:nilnil // no --since is no selection
	}
	h, err := openHistory(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	commit, err := h.commit(ctx, rev)
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	was, err := h.specs(ctx, rev, commit)
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	s := compareSince(was, repo)
	s.commit = commit
	if len(a.flags.only) > 0 {
		// Those that are gone are named by --only, too, or left for another run.
		s.former = slices.DeleteFunc(s.former, func(share *specs.Share) bool { return !a.named(share.Name) })
	}
	a.tellSince(rev, repo, s)
	return s, nil
}

// named reports whether --only names a share. Its globs have been checked.
func (a *app) named(share string) bool {
	return slices.ContainsFunc(a.flags.only, func(glob string) bool {
		ok, err := path.Match(glob, share)
		return err == nil && ok
	})
}

// specs are the specs of the directory at a commit, which rev names to the
// user.
func (h *history) specs(ctx context.Context, rev, commit string) (*specs.Repository, error) {
	tree, err := h.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	defer tree.close()
	repo, problems := specs.Load(tree)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if repo == nil {
		errs := specs.Errors(problems)
		return nil, fmt.Errorf("the specs of %s cannot be read: name a commit whose specs are right, or run without --since: %w", rev, errs)
	}
	return repo, nil
}

// compareSince selects what differs between two states of a repository.
func compareSince(was, now *specs.Repository) *since {
	s := &since{selected: map[string]bool{}}
	before, after := byName(was), byName(now)
	met := map[string]bool{}
	all := !sameForAll(was, now)
	for name, share := range before {
		if current := after[name]; current == nil || !sameShare(share, current) {
			s.former = append(s.former, share)
			meet(met, share)
		}
	}
	for name, share := range after {
		if former := before[name]; all || former == nil || !sameShare(share, former) {
			s.selected[name] = true
			meet(met, share)
		}
	}
	for _, share := range now.Shares {
		own := map[string]bool{}
		meet(own, share)
		for thing := range own {
			if met[thing] {
				s.selected[share.Name] = true
			}
		}
	}
	slices.SortFunc(s.former, func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
	return s
}

func byName(repo *specs.Repository) map[string]*specs.Share {
	shares := make(map[string]*specs.Share, len(repo.Shares))
	for _, share := range repo.Shares {
		shares[share.Name] = share
	}
	return shares
}

// meet adds what shares meet on: the bucket, and each role of its account.
func meet(things map[string]bool, share *specs.Share) {
	things[share.Bucket.Name] = true
	for _, c := range share.Consumers {
		things[c.Account.ID+"/"+c.Role.Name] = true
	}
}

// sameForAll compares what of a repository touches all its shares. What of it
// touches some is in each share's own account, region and role.
func sameForAll(a, b *specs.Repository) bool {
	return a.Name == b.Name && a.Region == b.Region && slices.Equal(a.FormerNames, b.FormerNames) && maps.Equal(a.Tags, b.Tags)
}

// sameShare compares by what the specs say, not by where.
func sameShare(a, b *specs.Share) bool { return reflect.DeepEqual(unplacedShare(a), unplacedShare(b)) }

// sameRepository compares by what the specs say, not by where.
func sameRepository(a, b *specs.Repository) bool {
	return reflect.DeepEqual(unplacedRepository(a), unplacedRepository(b))
}

func unplacedRepository(r *specs.Repository) specs.Repository {
	out := *r
	out.Pos = specs.Pos{}
	out.Accounts, out.Shares = nil, nil
	for _, a := range r.Accounts {
		out.Accounts = append(out.Accounts, unplacedAccount(a))
	}
	for _, s := range r.Shares {
		out.Shares = append(out.Shares, unplacedShare(s))
	}
	if r.Lock != nil {
		lock := *r.Lock
		lock.Pos, lock.Account = specs.Pos{}, unplacedAccount(lock.Account)
		out.Lock = &lock
	}
	return out
}

func unplacedShare(s *specs.Share) *specs.Share {
	out := *s
	out.Pos, out.Bucket.Pos = specs.Pos{}, specs.Pos{}
	out.Bucket.Account = unplacedAccount(s.Bucket.Account)
	out.Consumers = nil
	for _, c := range s.Consumers {
		consumer := *c
		consumer.Pos, consumer.Role.Pos = specs.Pos{}, specs.Pos{}
		consumer.Account = unplacedAccount(c.Account)
		consumer.Instances = slices.Clone(c.Instances)
		for i := range consumer.Instances {
			consumer.Instances[i].Pos = specs.Pos{}
		}
		out.Consumers = append(out.Consumers, &consumer)
	}
	return &out
}

func unplacedAccount(a *specs.Account) *specs.Account {
	out := *a
	out.Pos = specs.Pos{}
	return &out
}

// wants adds to what is read what former shares had: their buckets, and the
// IAM of their roles' accounts. An account that is not in the repository any
// more cannot be read, which is an error for whoever has to close it.
func (s *since) wants(repo *specs.Repository, wants []plan.Want) ([]plan.Want, []specs.Problem) {
	if s == nil {
		return wants, nil
	}
	var problems []specs.Problem
	managed := map[string]bool{}
	for _, a := range repo.Accounts {
		managed[a.ID] = a.Manage
	}
	told := map[string]bool{}
	// in returns the account's want, or nil where nothing of it is to be read.
	in := func(share *specs.Share, account *specs.Account) *plan.Want {
		if ours, known := managed[account.ID]; !ours {
			if !known && account.Manage && !told[account.ID] {
				told[account.ID] = true
				problems = append(problems, specs.Problem{
					Code: "account-gone", Severity: specs.SeverityError, Share: share.Name, Account: account.ID, Source: repo.Pos,
					Message: fmt.Sprintf("account %s (%s), where share %s had access, is not in %s any more: what is still open there cannot be seen", account.ID, account.Alias, share.Name, specs.RepositoryFile),
					Mend:    "keep the account, with `retired: true`, until that is closed",
				})
			}
			return nil
		}
		at := slices.IndexFunc(wants, func(w plan.Want) bool { return w.Account == account.ID })
		if at < 0 {
			at = len(wants)
			wants = append(wants, plan.Want{Account: account.ID})
		}
		return &wants[at]
	}
	for _, share := range s.former {
		if w := in(share, share.Bucket.Account); w != nil {
			if !slices.ContainsFunc(w.Buckets, func(b plan.BucketWant) bool { return b.Name == share.Bucket.Name }) {
				w.Buckets = append(w.Buckets, plan.BucketWant{Name: share.Bucket.Name})
			}
		}
		for _, c := range share.Consumers {
			if w := in(share, c.Account); w != nil {
				w.IAM = true
				if !slices.Contains(w.Roles, c.Role.Name) {
					w.Roles = append(w.Roles, c.Role.Name)
				}
			}
		}
	}
	slices.SortFunc(wants, func(a, b plan.Want) int { return strings.Compare(a.Account, b.Account) })
	return wants, problems
}

// unread tells of what former shares had and could not be read, where no step
// of the plan tells of it.
func (s *since) unread(repo *specs.Repository, changes *plan.Changes, snapshots map[string]*plan.Snapshot) []specs.Problem {
	if s == nil {
		return nil
	}
	var problems []specs.Problem
	extra, _ := s.wants(repo, nil)
	for _, want := range extra {
		snapshot := snapshots[want.Account]
		account := repo.Accounts[slices.IndexFunc(repo.Accounts, func(a *specs.Account) bool { return a.ID == want.Account })]
		for _, f := range snapshot.Failures {
			known := slices.ContainsFunc(changes.Problems, func(p specs.Problem) bool {
				return p.Severity == specs.SeverityError && p.Account == want.Account && strings.Contains(p.Message, f.Message)
			})
			if known {
				continue
			}
			problems = append(problems, specs.Problem{
				Code: plan.CodeUnreadable, Severity: specs.SeverityError, Account: want.Account, Source: account.Pos,
				Message: fmt.Sprintf("account %s, where shares had access that are gone, cannot be read: %s", want.Account, f.Message), Mend: f.Mend,
			})
		}
	}
	return problems
}

// tellSince says on stderr what --since has selected.
func (a *app) tellSince(rev string, repo *specs.Repository, s *since) {
	what := "nothing has changed"
	if n := len(s.selected); n > 0 {
		names := slices.Sorted(maps.Keys(s.selected))
		const most = 8
		if len(names) > most {
			names = append(names[:most:most], "…")
		}
		what = fmt.Sprintf("%d of %d shares: %s", n, len(repo.Shares), strings.Join(names, ", "))
	}
	var gone []string
	current := byName(repo)
	for _, share := range s.former {
		if current[share.Name] == nil {
			gone = append(gone, share.Name)
		}
	}
	if len(gone) > 0 {
		what += "; gone: " + strings.Join(gone, ", ")
	}
	a.say("since %s: %s", rev, what)
}
