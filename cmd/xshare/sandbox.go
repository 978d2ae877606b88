package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

func newSandboxCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox [DIR]",
		Short: "Serve the embedded AWS",
		Long: `Serves an embedded AWS (S3, IAM, STS, KMS, EC2, instance metadata, Systems
Manager's Run Command, Organizations, tagging and S3 Control, as far as sharing
buckets needs them) for the SDKs, the aws CLI and Terraform, until it is
interrupted. With DIR it holds what the specs there name as existing.

An access key id of 12 digits is the administrator of that account.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.serveSandbox(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringVar(&a.flags.listen, "listen", "127.0.0.1:0", "address to serve on; port 0 takes a free one")
	f.StringVar(&a.flags.state, "state", "", "file that keeps the state between runs (default: in memory)")
	f.StringVar(&a.flags.journal, "journal", "", "file that gets one JSON line a call")
	f.StringVar(&a.flags.readyFile, "ready-file", "", "file that is written once the server answers")
	return cmd
}

func (a *app) serveSandbox(ctx context.Context, args []string) (err error) {
	repo := &specs.Repository{}
	if len(args) == 1 {
		if repo, err = a.loadSound(args[0]); err != nil {
			return err
		}
	}
	// Whoever has the state is most likely a server, too, and does not end soon.
	o := sandbox.Options{StatePath: a.flags.state, LockTimeout: time.Second}
	if a.flags.journal != "" {
		file, openErr := os.OpenFile(a.flags.journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if openErr != nil {
			return fmt.Errorf("--journal: %w", openErr)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		o.Journal = file
	}
	server, err := newSandbox(repo, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	endpoint, err := server.Listen(a.flags.listen)
	if err != nil {
		return err
	}
	if err := printExports(a.streams.out, endpoint, repo); err != nil {
		return err
	}
	if a.flags.readyFile != "" {
		if err := writeReadyFile(a.flags.readyFile, endpoint); err != nil {
			return fmt.Errorf("--ready-file %s: %w", a.flags.readyFile, err)
		}
	}
	fmt.Fprintln(a.streams.err, "serving until interrupted")
	select {
	case <-ctx.Done():
	case <-a.stop:
	}
	return nil
}

// printExports prints what a shell needs to talk to the sandbox.
func printExports(w io.Writer, endpoint string, repo *specs.Repository) error {
	key := "111111111111"
	region := "us-east-1"
	if len(repo.Accounts) > 0 {
		key, region = firstAccount(repo).ID, repo.Region
	}
	_, err := fmt.Fprintf(w, `export AWS_ENDPOINT_URL=%s
export AWS_ACCESS_KEY_ID=%s
export AWS_SECRET_ACCESS_KEY=sandbox
export AWS_REGION=%s
export AWS_DEFAULT_REGION=%s
unset AWS_SESSION_TOKEN AWS_PROFILE
`, endpoint, key, region, region)
	return err
}

// writeReadyFile tells whoever waits for the file where the sandbox answers.
func writeReadyFile(path, endpoint string) error {
	text, err := json.Marshal(map[string]string{"endpoint": endpoint})
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}
