package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func newDriftCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drift [DIR]",
		Short: "Show what differs from the specs; exit 2 if anything does",
		Long: `Compares every account of the repository with the specs and shows what differs,
with the differences of every policy document, and what is ours that no spec
states any more. It uses credentials that cannot write, and exits 2 if it finds
anything, 1 if something could not be read, or cannot be mended by an apply.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.drift(cmd.Context(), directory(args)) },
	}
	a.addFormat(cmd, "text", "json", "markdown", "sarif", "junit")
	a.addAccountFlags(cmd)
	return cmd
}

func (a *app) drift(ctx context.Context, dir string) (err error) {
	w, end, err := a.open(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	progress := a.progress()
	sweep := len(a.flags.only) == 0 && a.flags.since == ""
	others := w.plan.NotSearched
	changes, err := a.compare(ctx, w, sweep, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	// What is open and no spec states is drift also where apply cannot close it.
	changes.Access.Lost = append(changes.Access.Lost, changes.Open...)
	changes.Access.Sort()
	var orphans, unread []specs.Problem
	if sweep {
		orphans, unread = plan.Orphans(w.plan, w.snapshots), unsearched(w, others)
	}
	more := slices.Concat(unread, orphans)
	switch err := a.showDrift(w, dir, changes, more); {
	case err != nil:
		return err
	case anyError(changes), len(unread) > 0:
		return errFailed
	case changes.Drifted() || slices.ContainsFunc(orphans, func(p specs.Problem) bool { return p.Code == plan.CodeOrphan }):
		return errDifferences
	}
	return nil
}

// showDrift prints what differs in the format that was asked for. more are
// orphans, and what could not be searched for them.
func (a *app) showDrift(w *world, dir string, changes *plan.Changes, more []specs.Problem) error {
	switch a.flags.format {
	case "json":
		return a.printDocument(changes.Document(w.commit, slices.Concat(w.problems, more)...))
	case "markdown":
		return report.DriftMarkdown(a.streams.out, changes, w.commit, more)
	case "sarif":
		return report.DriftSARIF(a.streams.out, underWorkingDirectory(dir), version(), changes, more)
	case "junit":
		return report.DriftJUnit(a.streams.out, changes, more)
	}
	return report.Drift(a.streams.out, changes, more, a.outStyle())
}

// unsearched tells of accounts that were read for orphans only, and could not
// be. No step of the plan is about them, so nothing else tells of it.
func unsearched(w *world, accounts []string) []specs.Problem {
	var problems []specs.Problem
	for _, account := range w.repo.Accounts {
		if !slices.Contains(accounts, account.ID) {
			continue
		}
		for _, f := range w.snapshots[account.ID].Failures {
			problems = append(problems, specs.Problem{
				Code: plan.CodeUnreadable, Severity: specs.SeverityError, Account: account.ID, Source: account.Pos,
				Message: fmt.Sprintf("account %s cannot be searched for orphans: %s", account.ID, f.Message), Mend: f.Mend,
			})
		}
	}
	return problems
}
