package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/executor"
)

func newUnlockCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unlock [DIR]",
		Short: "Show the repository's lock and remove it",
		Long: `Shows who holds the repository's lock and removes it, so that a run that died
keeps nobody waiting. On a terminal it asks first; elsewhere it needs --yes,
unless nobody holds the lock.

A run that is alive notices that its lock is gone, starts nothing more and fails.
See first that it is dead.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.unlock(cmd.Context(), directory(args)) },
	}
	f := cmd.Flags()
	f.BoolVar(&a.flags.yes, "yes", false, "do not ask")
	a.addSandboxFlags(cmd)
	return cmd
}

func (a *app) unlock(ctx context.Context, dir string) (err error) {
	w, end, err := a.open(ctx, dir, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if w.repo.Lock == nil {
		return errors.New("xshare.yaml has no `lock:`, so there is nothing to unlock")
	}
	store := w.store()
	holder, version, err := executor.ReadLock(ctx, store, w.repo.Name)
	switch {
	case errors.Is(err, executor.ErrAbsent):
		_, err = fmt.Fprintln(a.streams.out, "Nobody holds the lock.")
		return err
	case errors.Is(err, executor.ErrNotALock):
		fmt.Fprintf(a.streams.out, "In place of the lock is something that xshare did not write: s3://%s/%s\n", w.repo.Lock.Bucket, executor.LockName(w.repo.Name))
	case err != nil:
		return err
	default:
		a.showHolder(holder)
	}
	if !a.flags.yes && !a.streams.inTerminal {
		return errors.New("unlock would have to ask, and stdin is no terminal: pass --yes to unlock without asking")
	}
	if !a.flags.yes {
		if yes, err := a.ask(ctx, "Remove this lock?", "Not removed."); err != nil || !yes {
			return errors.Join(err, errFailed)
		}
	}
	if err := store.Delete(ctx, executor.LockName(w.repo.Name), version); errors.Is(err, executor.ErrChanged) {
		return errors.New("the lock was renewed or taken meanwhile, so its holder is alive: look again")
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.streams.out, "The lock is removed.")
	return err
}

func (a *app) showHolder(h *executor.Holder) {
	state := "until"
	if !time.Now().Before(h.Expires) {
		state = "expired"
	}
	commit := h.Commit
	if commit == "" {
		commit = "not known"
	}
	fmt.Fprintf(a.streams.out, "The lock is held\n  by      %s\n  since   %s\n  commit  %s\n  %-7s %s\n",
		h.Who, h.When.UTC().Format(time.RFC3339), commit, state, h.Expires.UTC().Format(time.RFC3339))
}
