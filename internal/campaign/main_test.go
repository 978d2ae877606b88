package campaign

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
