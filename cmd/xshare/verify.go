package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
)

func newVerifyCommand(a *app) *cobra.Command {
	wait := &wait{clock: awslive.WallClock()}
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Prove each grant on the live policies of both sides",
		Long: `Reads the live policies of both accounts of every grant, and what else bears on
them (boundaries, Block Public Access, object ownership, the bucket's key, the
organization's policies), decides from that whether what the grant promises is
allowed, and says why not. What cannot be read is "not checked".

With --probe it also tries: as the role, by real S3 calls, with an object of its
own that it removes again. A role that only instances can assume is tried on one
of those that xshare launched, by commands that Systems Manager runs there (the
aws CLI's s3 cp, ls and rm); with --probe-instances on one that the specs name
by its id, too.

With --wait it repeats all that until nothing is denied: after an apply, AWS may
take a while. An interrupt (Ctrl-C) ends that and shows what was proved last.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := directory(args)
			wait.on = cmd.Flags().Changed("wait")
			if err := wait.check(dir); err != nil {
				return err
			}
			if a.flags.probeInstances && !a.flags.probe {
				return errors.New("--probe-instances goes with --probe: it says where that may run commands")
			}
			return a.verify(cmd.Context(), dir, wait)
		},
	}
	a.addFormat(cmd, "text", "json", "junit")
	a.addAccountFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&a.flags.probe, "probe", false, "try it too, by real S3 calls as the role")
	f.BoolVar(&a.flags.probeInstances, "probe-instances", false, "probe also on instances that xshare did not launch")
	f.BoolVar(&a.flags.strict, "strict", false, `exit 1 also for "not checked" and "not probed"`)
	f.DurationVar(&wait.patience, "wait", 0, "repeat until nothing is denied, for at most this long")
	f.Lookup("wait").NoOptDefVal = defaultWait.String()
	return cmd
}

// check refuses a time that is none, also one that was taken for the directory.
func (w *wait) check(dir string) error {
	if !w.on {
		return nil
	}
	if w.patience <= 0 {
		return fmt.Errorf("--wait=%s: give a time above 0, such as --wait=30s", w.patience)
	}
	if _, err := time.ParseDuration(dir); err == nil {
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("%s is taken for the directory: write --wait=%s", dir, dir)
		}
	}
	return nil
}

func (a *app) verify(ctx context.Context, dir string, wait *wait) (err error) {
	w, end, err := a.open(ctx, dir, !a.flags.probe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	v := &verification{app: a, world: w, wait: wait, probes: map[string]executor.ProbeResult{}}
	waited, err := wait.until(ctx, v)
	switch {
	case ctx.Err() != nil && v.proofs != nil: // what is known is shown, and then how it ended
		fmt.Fprintf(a.streams.err, "interrupted after %s: what is shown is as of the last try\n", tries(waited.tries))
		return errors.Join(v.show(), errInterrupted)
	case err != nil:
		return err
	}
	if err := v.show(); err != nil {
		return err
	}
	if wait.on {
		v.tellWait(waited)
	}
	if v.unreadable() {
		return errFailed // what could not be read is among the proofs
	}
	return a.verdict(v.proofs, v.probes)
}

// verification is what verify found out, last.
type verification struct {
	*app
	world  *world
	wait   *wait
	proofs []proof.GrantProof
	probes map[string]executor.ProbeResult
	told   string // of what is waited for, last
}

// show writes what was found out.
func (v *verification) show() error {
	switch v.flags.format {
	case "json":
		return report.VerifyJSON(v.streams.out, v.proofs, v.probes)
	case "junit":
		return report.VerifyJUnit(v.streams.out, v.proofs, v.probes)
	}
	return report.Verify(v.streams.out, v.proofs, v.probes, v.outStyle())
}

// try is a try of a wait's: between tries, what is waited for is told.
func (v *verification) try(ctx context.Context, last bool) (waitable bool, err error) {
	waitable, err = v.prove(ctx, last)
	if waitable && !last && err == nil {
		v.tellStill()
	}
	return waitable, err
}

// prove reads and proves anew, and probes what was not seen to work yet. As long
// as more tries follow, what is denied anyway is not probed. Of the reading, only
// the first is told.
func (v *verification) prove(ctx context.Context, last bool) (waitable bool, err error) {
	var emit func(executor.Event)
	if v.proofs == nil {
		progress := v.progress()
		defer progress.Close()
		emit = progress.Handle
	}
	if err := v.observeForProof(ctx, v.world, emit); err != nil {
		return false, err
	}
	v.proofs = proof.Live(v.world.plan, v.world.snapshots)
	waitable = v.unreadable() || v.count(proof.Denied) > 0
	if !v.flags.probe || waitable && !last {
		return waitable, nil
	}
	var grants []executor.ProbeGrant
	for _, g := range executor.ProbeGrants(v.world.plan, v.world.snapshots) {
		if v.probes[g.Key()].Verdict != executor.ProbeWorks {
			g.AnyInstance = v.flags.probeInstances
			grants = append(grants, g)
		}
	}
	results, err := executor.Probe(ctx, v.world.client, grants, v.flags.concurrency)
	for key, r := range results {
		v.probes[key] = r
		waitable = waitable || r.Verdict == executor.ProbeFails
	}
	return waitable, err
}

// tellStill says what is waited for, when that is something else than before.
func (v *verification) tellStill() {
	var still []string
	add := func(names []string, noun, what string) {
		if len(names) > 0 {
			still = append(still, fmt.Sprintf("%s %s (first: %s)", plural(len(names), noun), what, names[0]))
		}
	}
	var accounts, denied, failing []string
	for _, account := range slices.Sorted(maps.Keys(v.world.snapshots)) {
		if len(v.world.snapshots[account].Failures) > 0 {
			accounts = append(accounts, account)
		}
	}
	for _, p := range v.proofs {
		name := p.Share + ": " + p.Consumer
		if p.Verdict == proof.Denied {
			denied = append(denied, name)
		}
		if v.probes[executor.ProbeGrant{Share: p.Share, Consumer: p.Consumer}.Key()].Verdict == executor.ProbeFails {
			failing = append(failing, name)
		}
	}
	add(accounts, "account", "not readable in full")
	add(denied, "grant", "denied")
	add(failing, "probe", "failing")
	text := strings.Join(still, ", ")
	if text != v.told {
		fmt.Fprintf(v.streams.err, "waiting at most %s: still %s\n", v.wait.patience, text)
	}
	v.told = text
}

// unreadable reports whether something that plan reads too could not be read.
func (v *verification) unreadable() bool {
	for _, snapshot := range v.world.snapshots {
		if len(snapshot.Failures) > 0 {
			return true
		}
	}
	return false
}

func (v *verification) count(verdict proof.Verdict) (n int) {
	for _, p := range v.proofs {
		if p.Verdict == verdict {
			n++
		}
	}
	return n
}

// tellWait says how long it took. In other formats than text, results are the
// document's alone.
func (v *verification) tellWait(waited waited) {
	out := v.streams.out
	if v.flags.format != "text" {
		out = v.streams.err
	}
	text := fmt.Sprintf("effective after %s", waited.took.Round(time.Second))
	switch {
	case waited.gaveUp:
		text = "not " + text
	case v.count(proof.NotChecked) > 0:
		text += ", as far as it could be checked"
	}
	fmt.Fprintf(out, "%s (%s).\n", text, tries(waited.tries))
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// observeForProof reads what a proof needs: all accounts of the plan, then the
// keys of their buckets and what stands over them in their organization.
func (a *app) observeForProof(ctx context.Context, w *world, emit func(executor.Event)) error {
	wants, gone := w.since.wants(w.repo, w.plan.Wants(false))
	w.gone = gone
	return a.readForProof(ctx, w, wants, emit)
}

// readForProof reads what is wanted, and what a proof of it needs beside. more
// are accounts, other than those of the plan's grants, that it is about.
func (a *app) readForProof(ctx context.Context, w *world, wants []plan.Want, emit func(executor.Event), more ...string) error {
	var err error
	if w.snapshots, err = executor.Observe(ctx, w.client, plan.ForProof(wants), a.flags.concurrency, emit); err != nil {
		return err
	}
	keys, err := executor.Observe(ctx, w.client, plan.KeyWants(w.snapshots, w.repo.Accounts), a.flags.concurrency, emit)
	if err != nil {
		return err
	}
	plan.Join(w.snapshots, keys)
	organizations, err := w.client.Organizations(ctx, plan.ProofAccounts(w.plan, w.snapshots, more...))
	if err != nil {
		return err
	}
	plan.JoinOrganizations(w.snapshots, organizations)
	return nil
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
