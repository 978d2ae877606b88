package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
)

func newApplyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply [DIR]",
		Short: "Bring the accounts to what the specs say",
		Long: `Plans, shows the plan and carries it out, in all accounts at once. On a terminal
it asks first; elsewhere it needs --yes.

A step that fails stops only those that need it. An interrupt (Ctrl-C) starts
nothing more and ends what is under way; a second one cancels that too. Run it
again to finish.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved, err := a.readSavedPlan(cmd.Flags())
			if err != nil {
				return err
			}
			return a.apply(cmd.Context(), directory(args), saved)
		},
	}
	a.addFormat(cmd, "text", "json")
	a.addAccountFlags(cmd)
	a.addPlanFlags(cmd)
	cmd.Flags().BoolVar(&a.flags.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&a.flags.forceOlder, "force-older", false, "apply a commit that does not follow the one applied last")
	cmd.Flags().StringVar(&a.flags.journal, "journal", "", "append what is done to this file, one JSON line an event")
	cmd.Flags().StringVar(&a.flags.savedPlan, "plan", "", "apply only what this saved plan holds, without asking")
	return cmd
}

// maxSavedPlan bounds the size of a saved plan, which may come from anywhere.
const maxSavedPlan = 256 << 20

// readSavedPlan reads the file of --plan, if there is one. The options that it
// was made with are taken over; flags that were given stay, and are compared.
func (a *app) readSavedPlan(given *pflag.FlagSet) (*plan.Document, error) {
	if a.flags.savedPlan == "" {
		return nil, nil
	}
	file, err := os.Open(a.flags.savedPlan)
	if err != nil {
		return nil, fmt.Errorf("--plan: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSavedPlan+1))
	if err != nil {
		return nil, fmt.Errorf("--plan: %w", err)
	}
	if len(text) > maxSavedPlan {
		return nil, fmt.Errorf("--plan %s: it has more than %d bytes", a.flags.savedPlan, maxSavedPlan)
	}
	saved, err := plan.ReadDocument(text)
	if err != nil {
		return nil, fmt.Errorf("--plan %s: %w", a.flags.savedPlan, err)
	}
	if !given.Changed("only") {
		a.flags.only = saved.Options.Only
	}
	if !given.Changed("adopt") {
		a.flags.adopt = saved.Options.Adopt
	}
	if !given.Changed("prune") {
		a.flags.prune = saved.Options.Prune
	}
	if !given.Changed("drop-dead-principals") {
		a.flags.dropDead = saved.Options.DropDeadPrincipals
	}
	return saved, nil
}

func (a *app) apply(ctx context.Context, dir string, saved *plan.Document) (err error) {
	if !a.flags.yes && saved == nil && !a.streams.inTerminal {
		return errors.New("apply would have to ask, and stdin is no terminal: pass --yes to apply without asking, or --plan with a saved plan")
	}
	w, end, err := a.open(ctx, dir, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	guards, err := a.secure(ctx, w, dir)
	if err != nil {
		return err
	}
	defer func() { err = guards.close(ctx, err) }()
	progress := a.progress()
	changes, err := a.forecast(ctx, w, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	if a.flags.format == "text" {
		if err := a.showPlan(w, changes); err != nil {
			return err
		}
	}
	if saved != nil {
		if stale := changes.Stale(saved); len(stale) > 0 {
			a.printProblems(stale)
			fmt.Fprintln(a.streams.err, "The saved plan is stale. Nothing was written.")
			return errFailed
		}
	}
	if changes.Stops() {
		if a.flags.format == "json" {
			err = a.printDocument(changes.Document(w.commit, w.problems...))
		}
		fmt.Fprintln(a.streams.err, "Nothing was written.")
		return errors.Join(err, errFailed)
	}
	if changes.Summary().Differs() && !a.flags.yes && saved == nil {
		if yes, err := a.ask(ctx, "Apply these changes?", "Not applied."); err != nil || !yes {
			return errors.Join(err, errFailed)
		}
	}
	begun := time.Now()
	result := a.carryOut(ctx, w, changes, guards)
	if err := a.showResult(w, changes, result, time.Since(begun)); err != nil {
		return err
	}
	switch {
	case guards.failure() != nil:
		return errFailed // which is told
	case result.Interrupted:
		return errInterrupted
	case result.Summary.Failed+result.Summary.Blocked+result.Summary.Partial > 0 || anyError(changes):
		return errFailed
	}
	return guards.complete(ctx)
}

// carryOut applies the changes; from here on the first interrupt stops only
// what has not begun.
func (a *app) carryOut(ctx context.Context, w *world, changes *plan.Changes, guards *safeguards) *executor.Result {
	a.stopsCleanly.Store(true)
	defer a.stopsCleanly.Store(false)
	progress := a.progress()
	defer progress.Close()
	return executor.Apply(ctx, guards.stop, guards.doer(w.client), changes, a.flags.concurrency, guards.emit(progress.Handle))
}

func (a *app) showResult(w *world, changes *plan.Changes, result *executor.Result, elapsed time.Duration) error {
	if a.flags.format == "json" {
		return a.printDocument(report.ApplyDocument(changes, result, w.commit, w.problems...))
	}
	if len(result.Changes) == result.Summary.Unchanged {
		return nil // the plan has said so
	}
	fmt.Fprintln(a.streams.out) // between the plan and what became of it
	return report.Result(a.streams.out, changes, result, elapsed, a.outStyle())
}

// ask asks on the terminal. Only "yes" is a yes; otherwise it says what was
// not done.
func (a *app) ask(ctx context.Context, question, not string) (bool, error) {
	fmt.Fprintf(a.streams.err, "\n%s Only \"yes\" is taken for it: ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.streams.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case line := <-answer:
		if line != "yes" {
			fmt.Fprintln(a.streams.err, not)
		}
		return line == "yes", nil
	}
}
