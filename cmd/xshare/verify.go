package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
)

func newVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Prove each grant on the live policies of both sides",
		Long: `Reads the live policies of both accounts of every grant and decides from them
whether what the grant promises is allowed, and says why not.

With --probe it also tries: as the role, by real S3 calls, with an object of its
own that it removes again.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), directory(args)) },
	}
	a.addFormat(cmd, "text", "json")
	a.addAccountFlags(cmd)
	cmd.Flags().BoolVar(&a.flags.probe, "probe", false, "try it too, by real S3 calls as the role")
	cmd.Flags().BoolVar(&a.flags.strict, "strict", false, `exit 1 also for "not checked" and "not probed"`)
	return cmd
}

func (a *app) verify(ctx context.Context, dir string) (err error) {
	w, end, err := a.open(ctx, dir, !a.flags.probe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	progress := a.progress()
	err = a.observe(ctx, w, false, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	proofs := proof.Live(w.plan, w.snapshots)
	var probes map[string]executor.ProbeResult
	if a.flags.probe {
		if probes, err = executor.Probe(ctx, w.client, executor.ProbeGrants(w.plan, w.snapshots), a.flags.concurrency); err != nil {
			return err
		}
	}
	if a.flags.format == "json" {
		err = report.VerifyJSON(a.streams.out, proofs, probes)
	} else {
		err = report.Verify(a.streams.out, proofs, probes, a.outStyle())
	}
	if err != nil {
		return err
	}
	for _, snapshot := range w.snapshots {
		if len(snapshot.Failures) > 0 {
			return errFailed // what could not be read is among the proofs
		}
	}
	return a.verdict(proofs, probes)
}

// verdict is the command's end: a failed proof or probe is a failure, one that
// could not be made only with --strict.
func (a *app) verdict(proofs []proof.GrantProof, probes map[string]executor.ProbeResult) error {
	for _, p := range proofs {
		if p.Verdict == proof.Denied || a.flags.strict && p.Verdict == proof.NotChecked {
			return errFailed
		}
	}
	for _, p := range probes {
		if p.Verdict == executor.ProbeFails || a.flags.strict && p.Verdict == executor.ProbeNotProbed {
			return errFailed
		}
	}
	return nil
}
