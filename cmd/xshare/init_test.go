package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestInitNames writes repositories into directories of all sorts of names:
// each is valid without a warning, and marked by a name of its own.
func TestInitNames(t *testing.T) {
	for directory, want := range map[string]string{
		"acme-data": "acme-data", "ACME Data (new)!": "acme-data-new", "true": "true", "123": "123", "1e3": "1e3", "no": "no",
		"--": "my-shares", "日本": "my-shares", "a": "a", "xn--x": "xn-x", "my_x--s3alias": "my-x-s3alias",
		strings.Repeat("long-", 20):    "long-long-long-long-long-long-lo",
		strings.Repeat("x", 31) + "-y": strings.Repeat("x", 31),
	} {
		t.Run(directory, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), directory)
			for _, args := range [][]string{{"init", dir}, {"validate", dir}} {
				var stdout, stderr bytes.Buffer
				code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, nil)
				if code != exitDone || strings.Contains(stdout.String(), "warning") || stderr.Len() > 0 {
					t.Fatalf("%s: exit code %d:\n%s%s", args[0], code, &stdout, &stderr)
				}
			}
			repo, _, err := readRepository(dir)
			if err != nil || repo.Name != want {
				t.Errorf("the name is %q, not %q (%v)", repo.Name, want, err)
			}
		})
	}
}

// TestInitFailsWhole takes away what it wrote if it cannot write all.
func TestInitFailsWhole(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "shares")); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"init", dir}, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, nil); code != exitFailed {
		t.Errorf("exit code %d:\n%s%s", code, &stdout, &stderr)
	}
	for _, name := range []string{".github/workflows/xshare.yml", "xshare.yaml", "nowhere"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartVersion(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "XSHARE_VERSION: v1.2.3", "(devel)": startVersion, "v0.0.0-20260101000000-abcdef012345+dirty": startVersion, "": startVersion,
	} {
		if got := startVersionFor(version); got != want {
			t.Errorf("%q gives %q, not %q", version, got, want)
		}
	}
}

// TestStartWorkflow holds the workflow to commands that xshare has, actions that
// are pinned, and permissions of each job's own.
func TestStartWorkflow(t *testing.T) {
	text, err := start.ReadFile("start/.github/workflows/xshare.yml")
	if err != nil {
		t.Fatal(err)
	}
	workflow := string(text)
	if strings.Count(workflow, startVersion) != 1 {
		t.Error("the version has no place of its own")
	}
	var ran []string
	for line := range strings.Lines(workflow) {
		line = strings.TrimSpace(line)
		if _, action, ok := strings.Cut(line, "uses: "); ok && !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`).MatchString(action) {
			t.Errorf("an action that is not pinned: %s", action)
		}
		_, command, ok := strings.Cut(line, "run: ")
		if !ok {
			continue
		}
		if strings.Contains(command, "${{") {
			t.Errorf("an expression in a shell command: %s", command)
		}
		command, _, _ = strings.Cut(command, " # ")
		command, _, _ = strings.Cut(command, " >> ")
		args, ok := strings.CutPrefix(command, "xshare ")
		if !ok {
			continue
		}
		ran = append(ran, args)
		cmd, rest, err := newRootCommand(&app{}).Find(strings.Fields(args))
		if err != nil {
			t.Errorf("xshare %s: %v", args, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("xshare %s: %v", args, err)
		} else if cmd.PreRunE != nil && cmd.PreRunE(cmd, cmd.Flags().Args()) != nil {
			t.Errorf("xshare %s: its flags are refused", args)
		}
	}
	if want := []string{"validate", "plan --format markdown", "apply --yes", "drift --format markdown"}; !slices.Equal(ran, want) {
		t.Errorf("it runs %q, not %q", ran, want)
	}
	_, jobs, _ := strings.Cut(workflow, "\njobs:\n")
	for _, job := range regexp.MustCompile(`(?m)^  \w+:$`).Split(jobs, -1)[1:] {
		m := regexp.MustCompile(`(?m)^    permissions:\n((?:      .*\n)+)`).FindStringSubmatch(job)
		if m == nil || regexp.MustCompile(`(?m) # .*$`).ReplaceAllString(m[1], "") != "      contents: read\n      id-token: write\n" {
			t.Errorf("permissions of a job: %q", m)
		}
		assumes := regexp.MustCompile(`role-to-assume: \$\{\{ vars\.(\w+) \}\}`).FindStringSubmatch(job)
		want := "XSHARE_READER"
		if strings.Contains(job, "xshare apply") {
			want = "XSHARE_DEPLOYER"
		}
		if assumes == nil || assumes[1] != want || !strings.Contains(job, "vars."+want+" != ''") {
			t.Errorf("a job assumes %v, not %s, or does so unasked:\n%s", assumes, want, job)
		}
	}
	if !strings.Contains(workflow, "\npermissions: {}") || !strings.Contains(workflow, "\n  pull_request:") || strings.Contains(workflow, "\n  pull_request_target") {
		t.Error("it may do more than its jobs say, or runs on what others push")
	}
}
