package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// explainFlags say what is to be explained.
type explainFlags struct {
	share, principal, action, resource string
	context                            []string
}

func newExplainCommand(a *app) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [DIR]",
		Short: "Say of a share, or of any access, whether it works, why not, and how to mend it",
		Long: `Reads both sides of an access and says what each of them allows, lacks or
denies, the cause if it does not work, the smallest mend, and the exact
statement to add or to remove.

What is asked is either a share of the repository, or one access: a principal
(the ARN of a role, of a session of one, of a user or of an account's root user,
or "anonymous"), an action on a bucket or an object, and its ARN. They need not
be in any spec; their accounts are looked for among the repository's. A role that
nobody could use is not called allowed.

What depends on something that is not known is "not checked". Where that is
something that could not be read and that plan reads too, it is a failure.`,
		Example: `  xshare explain --share mybucket2share
  xshare explain --principal arn:aws:iam::222222222222:role/reader \
    --action s3:GetObject --resource arn:aws:s3:::mybucket2share/a.txt \
    --context aws:SourceIp=192.0.2.7`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: func(*cobra.Command, []string) error { return f.check() },
		RunE:    func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), directory(args), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.share, "share", "", "explain the grants of this share")
	flags.StringVar(&f.principal, "principal", "", `explain an access of this principal: the ARN of a role, session, user or root user, or "anonymous"`)
	flags.StringVar(&f.action, "action", "", "its action, such as s3:GetObject")
	flags.StringVar(&f.resource, "resource", "", "the ARN of the bucket or object")
	flags.StringArrayVar(&f.context, "context", nil, "a condition key of its request, key=value; may repeat; key= says that the request has none")
	a.addFormat(cmd, "text", "json")
	a.addAccountFlags(cmd)
	// What is read follows from what is asked.
	_ = flags.MarkHidden("only")
	_ = flags.MarkHidden("since")
	flags.BoolVar(&a.flags.strict, "strict", false, `exit 1 also for "not checked"`)
	return cmd
}

// check refuses what is no question at all.
func (f explainFlags) check() error {
	one := f.principal != "" || f.action != "" || f.resource != "" || len(f.context) > 0
	switch {
	case f.share != "" && one:
		return errors.New("--share explains a share, --principal, --action, --resource and --context one access: give one or the other")
	case f.share == "" && !one:
		return errors.New("say what to explain: --share NAME, or --principal ARN --action s3:GetObject --resource ARN")
	}
	if known, ok := iampolicy.LookupS3Action(f.action); ok && known.Level == iampolicy.AccountLevel {
		return fmt.Errorf("--action %s is on the whole account and on no bucket or object, so no share opens it: `xshare simulate` decides it from policies", known.Name)
	}
	return nil
}

func (a *app) explain(ctx context.Context, dir string, f explainFlags) (err error) {
	if len(a.flags.only) > 0 || a.flags.since != "" {
		return errors.New("--only and --since do not go with explain: it reads what it is asked about; use --share")
	}
	w, end, err := a.open(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	var list []proof.Explanation
	if f.share != "" {
		list, err = a.explainShare(ctx, w, f.share)
	} else {
		list, err = a.explainAccess(ctx, w, f)
	}
	if err != nil {
		return err
	}
	if a.flags.format == "json" {
		err = report.ExplainJSON(a.streams.out, list)
	} else {
		err = report.Explain(a.streams.out, list, a.outStyle())
	}
	if err != nil {
		return err
	}
	unreadable := slices.ContainsFunc(list, func(e proof.Explanation) bool { return e.Unreadable })
	if v := proof.WorstOf(list); v == proof.Denied || unreadable || v == proof.NotChecked && a.flags.strict {
		return errFailed // what could not be read is among what is not checked
	}
	return nil
}

func (a *app) explainShare(ctx context.Context, w *world, share string) ([]proof.Explanation, error) {
	if !slices.ContainsFunc(w.repo.Shares, func(s *specs.Share) bool { return s.Name == share }) {
		return nil, fmt.Errorf("--share %q is no share of the repository: %s", share, someNames(w.repo.Shares))
	}
	w.plan, _ = plan.Build(w.repo, func(name string) bool { return name == share })
	if err := a.readOnly(ctx, w, proof.OwnWants(w.plan)); err != nil {
		return nil, err
	}
	list := proof.ExplainShare(w.plan, w.snapshots, share)
	if len(list) == 0 {
		return nil, fmt.Errorf("share %s has no consumers, so it grants nothing: name them in its spec", share)
	}
	return list, nil
}

func (a *app) explainAccess(ctx context.Context, w *world, f explainFlags) ([]proof.Explanation, error) {
	q, err := proof.Ask(w.plan.Partition, f.principal, f.action, f.resource, f.context)
	if err != nil {
		return nil, err
	}
	concerns := map[string]bool{}
	for _, s := range w.repo.Shares {
		concerns[s.Name] = q.Concerns(s)
		q.Known = append(q.Known, s.Bucket.Name)
	}
	w.plan, _ = plan.Build(w.repo, func(name string) bool { return concerns[name] })
	caller := q.Caller(w.repo.Accounts)
	if err := a.readOnly(ctx, w, q.Wants(w.plan, w.repo.Accounts), caller); err != nil {
		return nil, err
	}
	// Whose the bucket is may only show now.
	if owner := q.Owner(w.plan, w.repo.Accounts, w.snapshots); owner != "" && owner != caller && w.snapshots[owner].Organization == nil {
		organizations, err := w.client.Organizations(ctx, []string{owner})
		if err != nil {
			return nil, err
		}
		plan.JoinOrganizations(w.snapshots, organizations)
	}
	return []proof.Explanation{proof.Explain(w.plan, w.repo.Accounts, w.snapshots, q)}, nil
}

// readOnly reads what is wanted, with what a proof needs beside. more are
// accounts that are asked about and in no share.
func (a *app) readOnly(ctx context.Context, w *world, wants []plan.Want, more ...string) error {
	progress := a.progress()
	defer progress.Close()
	more = slices.DeleteFunc(more, func(account string) bool { return account == "" })
	return a.readForProof(ctx, w, wants, progress.Handle, more...)
}
