package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func newPlanCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what apply would do; changes nothing",
		Long: `Reads the specs and the live accounts and shows what apply would do, with the
differences of every policy document. It uses credentials that cannot write.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.plan(cmd.Context(), directory(args)) },
	}
	a.addFormat(cmd, "text", "json", "markdown", "awscli")
	a.addAccountFlags(cmd)
	a.addPlanFlags(cmd)
	cmd.Flags().StringVar(&a.flags.out, "out", "", "save the plan to this file, for apply --plan")
	cmd.Flags().BoolVar(&a.flags.detailedExitCode, "detailed-exitcode", false, "exit 2 if there is anything to do")
	return cmd
}

func (a *app) plan(ctx context.Context, dir string) (err error) {
	if err := checkPlace("--out", a.flags.out); err != nil {
		return err
	}
	w, end, err := a.open(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	progress := a.progress()
	changes, err := a.forecast(ctx, w, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	if err := a.showPlan(w, changes); err != nil {
		return err
	}
	if err := a.savePlan(w, changes); err != nil {
		return err
	}
	switch {
	case anyError(changes):
		return errFailed
	case a.flags.detailedExitCode && changes.Summary().Differs():
		return errDifferences
	}
	return nil
}

// showPlan prints changes in the format that was asked for.
func (a *app) showPlan(w *world, changes *plan.Changes) error {
	switch a.flags.format {
	case "json":
		return a.printDocument(changes.Document(w.commit, w.problems...))
	case "markdown":
		return report.PlanMarkdown(a.streams.out, changes, w.commit, w.problems)
	case "awscli":
		return report.PlanAWSCLI(a.streams.out, changes, w.commit, w.problems)
	}
	return report.Plan(a.streams.out, changes, w.problems, a.outStyle())
}

// savePlan writes the plan document to --out, in one step.
func (a *app) savePlan(w *world, changes *plan.Changes) error {
	if a.flags.out == "" {
		return nil
	}
	if changes.Stops() {
		fmt.Fprintln(a.streams.err, "The plan is not saved: nothing of it may be done.")
		return nil
	}
	text, err := changes.Document(w.commit, w.problems...).JSON()
	if err != nil {
		return err
	}
	if err := writeFile(a.flags.out, text); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func (a *app) printDocument(d *plan.Document) error {
	text, err := d.JSON()
	if err != nil {
		return err
	}
	_, err = a.streams.out.Write(text)
	return err
}

// anyError reports whether a change cannot be done.
func anyError(changes *plan.Changes) bool {
	return changes.Summary().Error > 0 || specs.Errors(changes.Problems) != nil
}

// progress tells on stderr what happens.
func (a *app) progress() *report.Progress {
	return report.NewProgress(a.streams.err, a.streams.errTerminal, a.errStyle())
}

func (a *app) printProblems(problems []specs.Problem) {
	_ = report.Problems(a.streams.err, problems, a.errStyle()) // stderr is where it would be told
}
