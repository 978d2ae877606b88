package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/xshare/xshare/plan"
)

// describe loses the specs and lets import describe what they have made: nothing
// is to be made for that, and no bucket is more open, or less. It leaves the
// example with those specs.
func (e *exampleRun) describe(t *testing.T) {
	t.Helper()
	lost := map[string]bool{}
	for _, share := range e.repo.Shares {
		if !lost[share.Pos.File] {
			lost[share.Pos.File] = true
			if err := os.WriteFile(filepath.Join(e.dir, share.Pos.File), []byte("# lost\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	e.take()
	found := e.xshare(t, 0, "import")
	e.noWrites(t, "import")
	if err := os.WriteFile(filepath.Join(e.dir, "shares", "imported.yaml"), found, 0o644); err != nil {
		t.Fatal(err)
	}
	e.read(t)
	var document struct {
		Summary struct{ Create, Error int }
		Access  plan.Access
	}
	if err := json.Unmarshal(e.xshare(t, 0, "plan", "--format", "json"), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Access.Gained)+len(document.Access.Lost)+document.Summary.Create+document.Summary.Error > 0 {
		t.Errorf("%+v\n%s", document, found)
	}
	if len(e.repo.Shares) == 0 {
		t.Error("nothing was found")
	}
}
