package campaign

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
)

// ran is what a run of the program left.
type ran struct {
	code           int // -1: killed
	stdout, stderr string
}

// process is the program, not started.
func (w *world) process(dir, account string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	cmd := exec.Command(program, append(args, dir)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NO_COLOR=1",
		"AWS_ENDPOINT_URL=" + w.endpoint, "AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + dir + "/none", "AWS_SHARED_CREDENTIALS_FILE=" + dir + "/none",
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// run runs the program to its end.
func (w *world) run(t tb, dir, account string, args ...string) ran {
	t.Helper()
	cmd, stdout, stderr := w.process(dir, account, args...)
	return finished(t, cmd.Run(), cmd, stdout, stderr)
}

func finished(t tb, err error, cmd *exec.Cmd, stdout, stderr *bytes.Buffer) ran {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
