package main

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func newValidateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the specs, offline",
		Long: `Reads the repository strictly and says all that is wrong with it at once, each
with its place and how to mend it. It looks for what is known to go wrong, in
trust policies too, and proves that the policies that would be written allow
what the shares promise, and nothing next to it. Nothing is called.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.validate(directory(args)) },
	}
	a.addFormat(cmd, "text", "json", "sarif")
	return cmd
}

func (a *app) validate(dir string) error {
	repo, problems, err := readRepository(dir)
	if err != nil {
		return err
	}
	if repo != nil {
		p, more := plan.Build(repo, func(string) bool { return true })
		problems = slices.Concat(problems, more, proof.Offline(repo, p))
	}
	switch a.flags.format {
	case "json":
		err = report.ValidateJSON(a.streams.out, repo, problems)
	case "sarif":
		err = report.SARIF(a.streams.out, underWorkingDirectory(dir), version(), problems)
	default:
		err = report.Validate(a.streams.out, repo, problems, a.outStyle())
	}
	return errors.Join(err, failedIfAny(problems))
}

// offlineErrors are the errors that show without looking at AWS, for what goes
// on to call it. A bucket policy that is too large is not among them: it stops
// that bucket's steps only, and the comparison tells of it with what is there.
func offlineErrors(repo *specs.Repository, p *plan.Plan) []specs.Problem {
	return slices.DeleteFunc(proof.Offline(repo, p), func(p specs.Problem) bool {
		return p.Severity != specs.SeverityError || p.Code == string(proof.BucketPolicyTooLarge)
	})
}

// underWorkingDirectory is dir as seen from the working directory, with
// slashes; empty where it is that directory, or does not lie in it.
func underWorkingDirectory(dir string) string {
	clean := filepath.ToSlash(filepath.Clean(dir))
	if clean == "." || !filepath.IsLocal(dir) {
		return ""
	}
	return clean
}

// failedIfAny is errFailed if one of the problems is an error.
func failedIfAny(problems []specs.Problem) error {
	if specs.Errors(problems) != nil {
		return errFailed
	}
	return nil
}
