package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func newValidateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the specs; calls nothing",
		Long: `Reads the repository strictly and says all that is wrong with it at once, each
with its place and how to mend it. Nothing is called: it works offline.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.validate(directory(args)) },
	}
	a.addFormat(cmd, "text", "json")
	return cmd
}

func (a *app) validate(dir string) error {
	repo, problems, err := readRepository(dir)
	if err != nil {
		return err
	}
	if repo != nil {
		_, more := plan.Build(repo, func(string) bool { return true })
		problems = append(problems, more...)
	}
	if a.flags.format == "json" {
		err = report.ValidateJSON(a.streams.out, repo, problems)
	} else {
		err = report.Validate(a.streams.out, repo, problems, a.outStyle())
	}
	return errors.Join(err, failedIfAny(problems))
}

// failedIfAny is errFailed if one of the problems is an error.
func failedIfAny(problems []specs.Problem) error {
	if specs.Errors(problems) != nil {
		return errFailed
	}
	return nil
}
