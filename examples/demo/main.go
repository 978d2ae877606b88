// Command demo runs the recipe's main job on the embedded AWS and prints what
// a reader wants to see: the specs are checked, planned, applied and proved by
// real S3 calls from the instance; then somebody edits our statement by hand,
// and drift shows it.
//
// Usage: demo XSHARE DIR
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: demo XSHARE DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1], os.Args[2])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, xshare, dir string) error {
	env, end, err := startSandbox(ctx, xshare, dir)
	if err != nil {
		return err
	}
	defer end()
	d := demo{out: out, xshare: xshare, env: append(os.Environ(), env...)}
	for _, step := range []struct {
		title string
		from  string // the output is shown after the line that starts with this
		exit  int
		args  []string
	}{
		{"The specs, checked offline", "", 0, []string{"validate", dir}},
		{"What would be done", "", 0, []string{"plan", dir}},
		{"Do it, in both accounts (it shows the plan again first, which is left out here)", "Plan:", 0, []string{"apply", "--yes", dir}},
		{"Prove it: by the policies of both sides, and by real S3 calls as the instance's role", "", 0, []string{"verify", "--probe", dir}},
		{"A second plan has nothing to do", "", 0, []string{"plan", "--detailed-exitcode", dir}},
	} {
		if err := d.xshareRun(ctx, step.title, step.from, step.exit, step.args...); err != nil {
			return err
		}
	}
	d.title("Somebody edits our statement by hand, through the S3 API: GetObject becomes GetObject*")
	if err := editPolicy(ctx, env); err != nil {
		return err
	}
	return d.xshareRun(ctx, "Drift shows it, and exits 2", "", 2, "drift", dir)
}

type demo struct {
	out    io.Writer
	xshare string
	env    []string
}

func (d demo) title(text string) { fmt.Fprintf(d.out, "\n# %s\n", text) }

// xshareRun runs a command, shows its output and checks its exit code.
func (d demo) xshareRun(ctx context.Context, title, from string, exit int, args ...string) error {
	d.title(title)
	shown := strings.Join(args, " ")
	fmt.Fprintf(d.out, "$ xshare %s\n", shown)
	cmd := exec.CommandContext(ctx, d.xshare, args...)
	var stdout, stderr strings.Builder
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, &stdout, &stderr
	err := cmd.Run()
	var exitErr *exec.ExitError
	if err != nil && !errors.As(err, &exitErr) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != exit {
		return fmt.Errorf("xshare %s: exit code %d, not %d:\n%s%s", shown, got, exit, &stdout, &stderr)
	}
	text := stdout.String()
	if _, after, ok := strings.Cut(text, "\n"+from); from != "" && ok {
		_, text, _ = strings.Cut(after, "\n")
	}
	_, err = io.WriteString(d.out, text)
	return err
}

// startSandbox serves the embedded AWS and returns the environment that talks
// to it. It prints its exports once it answers.
func startSandbox(ctx context.Context, xshare, dir string) (env []string, end func(), err error) {
	cmd := exec.CommandContext(ctx, xshare, "sandbox", dir)
	cmd.Stderr = io.Discard
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	end = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			env = append(env, v)
		}
		if strings.HasPrefix(lines.Text(), "unset ") {
			return append(env, "AWS_SESSION_TOKEN=", "AWS_PROFILE="), end, nil
		}
	}
	end()
	return nil, nil, errors.New("the sandbox ended before it answered")
}

// editPolicy is the hand of somebody else: the bucket's owner widens a
// statement of ours.
func editPolicy(ctx context.Context, env []string) error {
	value := func(name string) string {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v
			}
		}
		return ""
	}
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(value("AWS_ENDPOINT_URL")),
		Region:       value("AWS_REGION"),
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(value("AWS_ACCESS_KEY_ID"), "sandbox", ""),
	})
	const bucket = "mybucket2share"
	got, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
	if err != nil {
		return err
	}
	edited := strings.Replace(*got.Policy, `"s3:GetObject"`, `"s3:GetObject*"`, 1)
	if edited == *got.Policy {
		return errors.New("the policy has no s3:GetObject to edit")
	}
	_, err = client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String(edited)})
	return err
}
