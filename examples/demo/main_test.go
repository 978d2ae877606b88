package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the README's demo")

const (
	begin = "<!-- demo:begin -->\n"
	end   = "<!-- demo:end -->"
)

// TestREADMEShowsTheDemo runs the demo and holds the README to its output.
func TestREADMEShowsTheDemo(t *testing.T) {
	root := filepath.Join("..", "..")
	xshare := filepath.Join(t.TempDir(), "xshare")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", xshare, "./cmd/xshare")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Chdir(root)
	var out bytes.Buffer
	if err := run(t.Context(), &out, xshare, "examples/recipe"); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(readme), begin)
	shown, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatal("the README has no place for the demo")
	}
	block := "\n```text\n$ make demo\n" + out.String() + "```\n\n"
	if *update {
		if err := os.WriteFile("README.md", []byte(before+begin+block+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(steady(shown), steady(block)); diff != "" {
		t.Errorf("the README shows another output; go test ./examples/demo -update rewrites it (-README +demo):\n%s", diff)
	}
}

// steady is the output without what differs from run to run.
func steady(text string) string {
	text = regexp.MustCompile(`\.xshare-probe-[a-z0-9]+`).ReplaceAllString(text, ".xshare-probe-…")
	text = regexp.MustCompile(`\bi-[0-9a-f]{17}\b`).ReplaceAllString(text, "i-…")
	return regexp.MustCompile(`blocked in \S+`).ReplaceAllString(text, "blocked in …")
}
