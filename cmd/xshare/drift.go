package main

import (
	"context"
	"errors"
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
anything, 1 if something could not be read.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.drift(cmd.Context(), directory(args)) },
	}
	a.addFormat(cmd, "text", "json")
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
	sweep := len(a.flags.only) == 0
	changes, err := a.compare(ctx, w, sweep, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	var orphans []specs.Problem
	if sweep {
		orphans = plan.Orphans(w.plan, w.snapshots)
	}
	if a.flags.format == "json" {
		err = a.printDocument(changes.Document(w.commit, slices.Concat(w.problems, orphans)...))
	} else {
		err = report.Drift(a.streams.out, changes, orphans, a.outStyle())
	}
	switch {
	case err != nil:
		return err
	case anyError(changes):
		return errFailed
	case changes.Drifted() || len(orphans) > 0:
		return errDifferences
	}
	return nil
}
