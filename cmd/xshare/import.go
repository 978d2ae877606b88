package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/describe"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func newImportCommand(a *app) *cobra.Command {
	var buckets []string
	cmd := &cobra.Command{
		Use:   "import [DIR]",
		Short: "Write specs that describe the buckets and roles that exist",
		Long: `Reads the bucket policies of the accounts that DIR's xshare.yaml has xshare
manage, and the roles that they name, and writes to stdout the shares that these
amount to: what a bucket policy and the role's own policies both allow, and
nothing more, so that the shares open nothing when they are applied. It changes
nothing.

What exists stays as it is: the specs name it without create: true, but for what
carries this repository's mark. Grants that a share of the repository has already
are left out. What no share can say, such as a condition, a user or a whole
account, is told on stderr and stays in the bucket policy. Denies, boundaries and
control policies are not looked at: verify does that.`,
		Example: `  xshare import > imported.yaml && mv imported.yaml shares/
  xshare import --bucket 'lake-*' --bucket mybucket2share`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importShares(cmd.Context(), directory(args), buckets)
		},
	}
	a.addCallFlags(cmd)
	cmd.Flags().StringArrayVar(&buckets, "bucket", nil, "only buckets whose name matches this glob; may repeat")
	return cmd
}

func (a *app) importShares(ctx context.Context, dir string, globs []string) (err error) {
	w, end, err := a.open(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	progress := a.progress()
	err = a.readForImport(ctx, w, globs, progress.Handle)
	progress.Close()
	if err != nil {
		return err
	}
	found := describe.Shares(w.plan, w.repo, w.snapshots, len(globs) == 0)
	var text bytes.Buffer // what cannot be written whole is not begun
	if err := specs.Write(&text, found.Shares); err != nil {
		return err
	}
	if _, err := a.streams.out.Write(text.Bytes()); err != nil {
		return err
	}
	if err := report.Imported(a.streams.err, found, a.errStyle()); err != nil {
		return err
	}
	return failedIfAny(found.Problems)
}

// readForImport reads what an import describes.
func (a *app) readForImport(ctx context.Context, w *world, globs []string, emit func(executor.Event)) error {
	var err error
	if w.snapshots, err = executor.Observe(ctx, w.client, describe.BucketWants(w.repo), a.flags.concurrency, emit); err != nil {
		return err
	}
	wanted, err := bucketsLike(globs, w.snapshots)
	if err != nil {
		return err
	}
	for _, next := range []func() []plan.Want{
		func() []plan.Want { return describe.PolicyWants(w.snapshots, wanted) },
		func() []plan.Want { return describe.RoleWants(w.plan, w.repo, w.snapshots, len(globs) == 0) },
		func() []plan.Want { return describe.OwnWants(w.plan, w.repo, w.snapshots) },
	} {
		later, err := executor.Observe(ctx, w.client, next(), a.flags.concurrency, emit)
		if err != nil {
			return err
		}
		plan.Join(w.snapshots, later)
	}
	return nil
}

// bucketsLike turns --bucket into a test on names. A glob that matches no bucket
// is an error, since it is most likely a slip, unless some could not be listed.
func bucketsLike(globs []string, snapshots map[string]*plan.Snapshot) (func(bucket string) bool, error) {
	var names []string
	complete := true
	for _, snapshot := range snapshots {
		names = slices.AppendSeq(names, maps.Keys(snapshot.Listed))
		complete = complete && snapshot.Failure(plan.ScopeS3) == nil
	}
	wanted := map[string]bool{}
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("--bucket %q is not a glob: %w", glob, err)
		}
		found := false
		for _, name := range names {
			if ok, _ := path.Match(glob, name); ok { // its form is good
				found, wanted[name] = true, true
			}
		}
		if !found && complete {
			return nil, fmt.Errorf("--bucket %q matches none of the %s in the repository's accounts", glob, plural(len(names), "bucket"))
		}
	}
	return func(bucket string) bool { return len(globs) == 0 || wanted[bucket] }, nil
}
