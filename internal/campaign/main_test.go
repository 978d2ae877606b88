package campaign

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// program is the path of the xshare that was built for this run.
var program string

// isFull reports whether the full form of the campaigns is asked for.
var isFull = os.Getenv("XSHARE_CAMPAIGN") == "full"

func TestMain(m *testing.M) {
	// The command line is parsed later, and has the last word.
	checks := "20"
	if isFull {
		checks = "500"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "xshare-campaign-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is in the temporary directory
	program = filepath.Join(dir, "xshare")
	build := exec.Command("go", "build", "-o", program, "github.com/xshare/xshare/cmd/xshare")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building xshare: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// seedsOf are the first and the last seed to run: those of XSHARE_SEED, "7" or
// "7-20", or as many from 1 as the form of the campaign has.
func seedsOf(t *testing.T, short, full int) (first, last int) {
	t.Helper()
	text := os.Getenv("XSHARE_SEED")
	switch {
	case text == "" && isFull:
		return 1, full
	case text == "":
		return 1, short
	}
	from, to, isRange := strings.Cut(text, "-")
	first, err := strconv.Atoi(from)
	if last = first; isRange && err == nil {
		last, err = strconv.Atoi(to)
	}
	if err != nil {
		t.Fatal(err)
	}
	return first, last
}
