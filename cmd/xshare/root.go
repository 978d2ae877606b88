package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/xshare/xshare/internal/awslive"
)

// app is what all commands stand on: the streams, the flags, and the signal
// to start nothing more.
type app struct {
	streams streams
	flags   flags
	stats   *awslive.Stats // of all calls; --stats writes them however the command ends

	stop         chan struct{} // closed by the first interrupt
	stopsCleanly atomic.Bool   // a command is at work that heeds stop
}

// flags are the values of all flags; each command offers those it knows.
type flags struct {
	format           string
	only             []string
	adopt            bool
	prune            bool
	pruneLimit       int
	dropDead         bool
	out              string
	savedPlan        string
	yes              bool
	detailedExitCode bool
	strict           bool
	probe            bool
	probeInstances   bool
	concurrency      int
	noColor          bool
	verbose          bool
	sandbox          bool
	sandboxState     string
	stats            string
	listen           string
	state            string
	journal          string // of the sandbox, or of apply
	since            string
	forceOlder       bool
	readyFile        string
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "xshare",
		Short: "Share S3 buckets across AWS accounts, as code",
		Long: `xshare turns small YAML files that say "these roles in those accounts may use
this bucket" into both sides of the trust, in every account, and keeps it so.

The repository of specs is the desired state and AWS is the live state; there
is no state file. Every command takes the repository's directory, "." by
default.`,
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		SilenceErrors:              true,
		Args:                       noSuchCommand,
		PersistentPreRunE:          noEmptyFlag,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.streams.in)
	root.SetOut(a.streams.out)
	root.SetErr(a.streams.err)
	root.PersistentFlags().BoolVar(&a.flags.noColor, "no-color", false, "no colour (NO_COLOR does the same)")
	root.PersistentFlags().BoolVarP(&a.flags.verbose, "verbose", "v", false, "say on stderr what was called, too")
	root.AddCommand(
		newInitCommand(a), newValidateCommand(a), newPlanCommand(a), newApplyCommand(a), newDriftCommand(a),
		newVerifyCommand(a), newExplainCommand(a), newImportCommand(a), newGraphCommand(a), newUnlockCommand(a), newSimulateCommand(a), newSandboxCommand(a), newSchemaCommand(a), newVersionCommand(a),
	)
	addCompletion(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())
	})
	return root
}

// noSuchCommand refuses what is no command, and names those that look like it.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if close := cmd.SuggestionsFor(args[0]); len(close) > 0 {
		return fmt.Errorf("there is no command %q: did you mean %s?", args[0], strings.Join(close, " or "))
	}
	return fmt.Errorf("there is no command %q: see %s --help", args[0], cmd.CommandPath())
}

// noEmptyFlag refuses a flag that was given and is empty, such as --since
// "$BASE" without BASE: without the flag more would be done.
func noEmptyFlag(cmd *cobra.Command, _ []string) error {
	var errs []error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			errs = append(errs, fmt.Errorf("--%s is empty: give it a value, or leave it out", f.Name))
		}
	})
	return errors.Join(errs...)
}

// directory is a command's DIR argument.
func directory(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// addFormat adds --format with the values that a command has, the first being
// the default.
func (a *app) addFormat(cmd *cobra.Command, formats ...string) {
	format := cmd.Flags().String("format", formats[0], "output format: "+strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	addCheck(cmd, func() error {
		if !slices.Contains(formats, *format) {
			return fmt.Errorf("--format %q is not known: use %s", *format, strings.Join(formats, " or "))
		}
		a.flags.format = *format // here, as the default is the command's own
		return nil
	})
}

// addAccountFlags adds what every command has that calls AWS.
func (a *app) addAccountFlags(cmd *cobra.Command) {
	a.addSelectionFlags(cmd)
	a.addCallFlags(cmd)
}

// addCallFlags adds what says how AWS is called.
func (a *app) addCallFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&a.flags.concurrency, "concurrency", 64, "how many accounts, and changes, are worked on at once")
	a.addSandboxFlags(cmd)
	addCheck(cmd, func() error {
		if a.flags.concurrency < 1 {
			return fmt.Errorf("--concurrency %d: give a number from 1 up", a.flags.concurrency)
		}
		return nil
	})
}

// addSelectionFlags adds what says which shares a command is about.
func (a *app) addSelectionFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&a.flags.only, "only", nil, "only shares whose name matches this glob; may repeat")
	f.StringVar(&a.flags.since, "since", "", "only shares changed since this git revision, and those that meet them on a bucket or role")
}

// addSandboxFlags adds what every command has that may call the embedded AWS.
func (a *app) addSandboxFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&a.flags.sandbox, "sandbox", false, "run against the embedded AWS instead of real accounts")
	f.StringVar(&a.flags.sandboxState, "sandbox-state", "", "the embedded AWS's state file, with --sandbox (default DIR/.xshare/sandbox.json)")
	f.StringVar(&a.flags.stats, "stats", "", "write the number of API calls to this file, as JSON")
	addCheck(cmd, func() error {
		if a.flags.sandboxState != "" && !a.flags.sandbox {
			return errors.New("--sandbox-state goes with --sandbox: without it, this would be done in the real accounts")
		}
		if err := checkPlace("--stats", a.flags.stats); err != nil {
			a.flags.stats = "" // it is told once
			return err
		}
		return nil
	})
}

// addCheck has flags checked before a command runs.
func addCheck(cmd *cobra.Command, check func() error) {
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := check(); err != nil {
			return err
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}

// addPlanFlags adds what says which changes are planned.
func (a *app) addPlanFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&a.flags.adopt, "adopt", false, "take over what exists without our mark")
	f.BoolVar(&a.flags.prune, "prune", false, "delete whole resources of ours that no spec states, in every account")
	f.IntVar(&a.flags.pruneLimit, "prune-limit", 0, "how many --prune may delete (default: 30 % of what is ours, at least 10)")
	f.BoolVar(&a.flags.dropDead, "drop-dead-principals", false, "take the ids of deleted principals out of foreign Allow statements, which S3 would refuse")
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.streams.out, "xshare", version())
			return err
		},
	}
}

// version is what the Go tool noted when it built the program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
