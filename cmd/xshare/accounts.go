package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/proof/access"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// world is a repository together with its live accounts.
type world struct {
	repo      *specs.Repository
	plan      *plan.Plan
	client    *awslive.Client
	problems  []specs.Problem // of specs and plan; warnings only
	snapshots map[string]*plan.Snapshot
	commit    string
	since     *since          // nil: without --since
	gone      []specs.Problem // of what --since would have to look at and cannot
}

// open reads the specs in dir, builds the plan and connects to its accounts,
// or to the embedded AWS with --sandbox. The returned function ends it: it
// saves the sandbox, also after a failure.
func (a *app) open(ctx context.Context, dir string, readOnly bool) (_ *world, end func() error, err error) {
	var closers []func() error
	end = func() error {
		a.tellStats()
		var errs []error
		for _, c := range closers {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
			end = nil
		}
	}()
	repo, problems, err := a.load(dir)
	if err != nil {
		return nil, end, err
	}
	selected, err := a.selection(repo)
	if err != nil {
		return nil, end, err
	}
	changed, err := a.changedSince(ctx, dir, repo)
	if err != nil {
		return nil, end, err
	}
	p, more := plan.Build(repo, func(share string) bool {
		return selected(share) && (changed == nil || changed.selected[share])
	})
	problems = slices.Concat(problems, more, offlineErrors(repo, p))
	if err := failedIfAny(problems); err != nil {
		a.printProblems(problems)
		return nil, end, err
	}
	o := awslive.Options{
		Accounts: repo.Accounts, Partition: p.Partition, Region: repo.Region,
		Repository: repo.Name, FormerNames: repo.FormerNames, Ours: p.Ours,
		Regions:  p.Regions,
		ReadOnly: readOnly, Version: version(), Stats: a.stats,
	}
	if a.flags.sandbox {
		server, endpoint, err := a.startSandbox(dir, repo)
		if err != nil {
			return nil, end, err
		}
		closers = append(closers, server.Close)
		o.Sandbox = &awslive.Endpoint{URL: endpoint, Account: firstAccount(repo).ID}
	}
	client, err := awslive.New(ctx, o)
	if err != nil {
		return nil, end, err
	}
	// Before the sandbox is closed, as it would wait for idle connections.
	closers = append([]func() error{func() error { client.Close(); return nil }}, closers...)
	return &world{repo: repo, plan: p, client: client, problems: problems, commit: commit(dir), since: changed}, end, nil
}

// startSandbox serves the embedded AWS of a repository for this one run.
func (a *app) startSandbox(dir string, repo *specs.Repository) (*sandbox.Server, string, error) {
	state := a.flags.sandboxState
	if state == "" {
		own := filepath.Join(dir, ".xshare")
		if err := ignoreState(own); err != nil {
			return nil, "", err
		}
		state = filepath.Join(own, "sandbox.json")
	}
	server, err := newSandbox(repo, sandbox.Options{StatePath: state})
	if err != nil {
		return nil, "", err
	}
	endpoint, err := server.Listen("127.0.0.1:0")
	if err != nil {
		return nil, "", errors.Join(err, server.Close())
	}
	return server, endpoint, nil
}

// observe reads all accounts of the plan, and with sweep all others of the
// repository too; then those buckets that what was read leads to.
func (a *app) observe(ctx context.Context, w *world, sweep bool, emit func(executor.Event)) error {
	wants, gone := w.since.wants(w.repo, w.plan.Wants(sweep))
	w.gone = gone
	var err error
	if w.snapshots, err = executor.Observe(ctx, w.client, wants, a.flags.concurrency, emit); err != nil {
		return err
	}
	if sweep {
		w.plan.NotSearched = nil
	}
	later, err := executor.Observe(ctx, w.client, plan.Leads(w.plan, w.snapshots), a.flags.concurrency, emit)
	if err != nil {
		return err
	}
	plan.Join(w.snapshots, later)
	return nil
}

// compare observes the accounts and sets the plan against them. It shows what
// differs, and leaves out what is looked at before something is opened.
func (a *app) compare(ctx context.Context, w *world, sweep bool, emit func(executor.Event)) (*plan.Changes, error) {
	if err := a.observe(ctx, w, sweep, emit); err != nil {
		return nil, err
	}
	changes := plan.Compare(w.plan, w.snapshots, a.planOptions())
	a.complete(w, changes)
	return changes, nil
}

// forecast is compare for what apply does, or would do: of the grants that the
// changes open, those are refused that the key of the bucket keeps out.
func (a *app) forecast(ctx context.Context, w *world, emit func(executor.Event)) (*plan.Changes, error) {
	if err := a.observe(ctx, w, a.flags.prune, emit); err != nil {
		return nil, err
	}
	options := a.planOptions()
	changes := plan.Compare(w.plan, w.snapshots, options)
	grants := slices.DeleteFunc(plan.Openings(changes, w.snapshots), func(g plan.Grant) bool { return !proof.UsesKey(g) })
	if err := a.readKeys(ctx, w, grants, emit); err != nil {
		return nil, err
	}
	refused, warnings := proof.Keys(w.plan, w.snapshots, grants)
	if len(refused) > 0 {
		options.Refused = refused
		changes = plan.Compare(w.plan, w.snapshots, options)
	}
	a.complete(w, changes)
	changes.Problems = slices.Concat(changes.Problems, changes.StaysOpen(), warnings)
	return changes, nil
}

// readKeys reads the default encryption of the grants' buckets, then the keys.
func (a *app) readKeys(ctx context.Context, w *world, grants []plan.Grant, emit func(executor.Event)) error {
	encryption, err := executor.Observe(ctx, w.client, plan.EncryptionWants(grants, w.snapshots), a.flags.concurrency, emit)
	if err != nil {
		return err
	}
	plan.JoinKeys(w.snapshots, encryption)
	keys, err := executor.Observe(ctx, w.client, plan.KeyWants(w.snapshots, w.repo.Accounts), a.flags.concurrency, emit)
	if err != nil {
		return err
	}
	plan.JoinKeys(w.snapshots, keys)
	return nil
}

func (a *app) planOptions() plan.Options {
	return plan.Options{
		Only: a.flags.only, Adopt: a.flags.adopt, Prune: a.flags.prune, PruneLimit: a.flags.pruneLimit,
		DropDeadPrincipals: a.flags.dropDead,
	}
}

// complete adds to the changes what they open and close, and what could not be
// looked at.
func (a *app) complete(w *world, changes *plan.Changes) {
	opened, unasked := access.Of(changes, w.snapshots)
	changes.Access = opened
	unclosed, _ := access.Of(changes.Unclosed(), w.snapshots)
	changes.Open = unclosed.Lost
	changes.Problems = slices.Concat(changes.Problems, unasked, w.gone, w.since.unread(w.repo, changes, w.snapshots))
}

func (a *app) writeStats() error {
	if a.flags.stats == "" {
		return nil
	}
	text, err := json.MarshalIndent(a.stats, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.flags.stats, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--stats: %w", err)
	}
	return nil
}

// tellStats says with --verbose what was called.
func (a *app) tellStats() {
	if !a.flags.verbose {
		return
	}
	r := a.stats.Report()
	for _, account := range slices.Sorted(maps.Keys(r.Calls)) {
		for _, operation := range slices.Sorted(maps.Keys(r.Calls[account])) {
			fmt.Fprintf(a.streams.err, "%s  %s: %d\n", account, operation, r.Calls[account][operation])
		}
	}
	fmt.Fprintf(a.streams.err, "calls: %d, retried %d, throttled %d\n", r.Total, r.Retried, r.Throttled)
}
