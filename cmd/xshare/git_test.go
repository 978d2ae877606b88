package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// gitRun runs git for a test, as nobody in particular.
func gitRun(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func newGit(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is missing")
	}
	dir := t.TempDir()
	gitRun(t, dir, "init", "-q", "-b", "main")
	return dir
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCommitTree(t *testing.T) {
	dir := newGit(t)
	writeFiles(t, dir, map[string]string{
		"top": "not in the directory", "data/xshare.yaml": "a", "data/deep/er/\tb\n.yaml": "b", "data/empty": "", "data/big": strings.Repeat("x", 100_000),
	})
	if err := os.Symlink("deep/er", filepath.Join(dir, "data", "link")); err != nil {
		t.Fatal(err)
	}
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "commit", "-q", "-m", "one")
	writeFiles(t, dir, map[string]string{"data/xshare.yaml": "changed since"})

	h, err := openHistory(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if h.head != gitRun(t, dir, "rev-parse", "HEAD") || h.prefix != "data/" {
		t.Errorf("head %s, prefix %q", h.head, h.prefix)
	}
	tree, err := h.tree(t.Context(), h.head)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	if err := fstest.TestFS(tree, "xshare.yaml", "deep/er/\tb\n.yaml", "empty", "big", "link"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"xshare.yaml": "a", "deep/er/\tb\n.yaml": "b", "empty": "", "big": strings.Repeat("x", 100_000)} {
		if got, err := fs.ReadFile(tree, name); err != nil || string(got) != want {
			t.Errorf("%q: %v, %d bytes", name, err, len(got))
		}
	}
	if to, err := tree.ReadLink("link"); err != nil || to != "deep/er" {
		t.Errorf("link: %q, %v", to, err)
	}
	if _, err := tree.ReadLink("big"); err == nil {
		t.Error("a file was read as a link")
	}
}

func TestDescends(t *testing.T) {
	dir := newGit(t)
	commit := func(message string) string {
		gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", message)
		return gitRun(t, dir, "rev-parse", "HEAD")
	}
	one, two := commit("one"), commit("two")
	gitRun(t, dir, "checkout", "-q", "-b", "side", one)
	side := commit("side")
	gitRun(t, dir, "merge", "-q", "--no-ff", "-m", "merge", two)
	merge := gitRun(t, dir, "rev-parse", "HEAD")
	// A replacement of a commit must not change what follows from what.
	gitRun(t, dir, "replace", one, side)
	h, err := openHistory(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		commit, from string
		want         bool
	}{
		"the same": {one, one, true}, "later": {two, one, true}, "earlier": {one, two, false},
		"beside": {side, two, false}, "merged": {merge, two, true}, "merged into": {two, merge, false},
	} {
		if got, err := h.descends(t.Context(), c.commit, c.from); err != nil || got != c.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if _, err := h.descends(t.Context(), two, strings.Repeat("0", 40)); err == nil || !strings.Contains(err.Error(), "git knows no commit") {
		t.Errorf("of nothing: %v", err)
	}

	shallow := t.TempDir()
	gitRun(t, shallow, "clone", "-q", "--depth", "1", "--no-single-branch", "file://"+dir, "clone")
	h, err = openHistory(t.Context(), filepath.Join(shallow, "clone"))
	if err != nil {
		t.Fatal(err)
	}
	// Both are there, and what is between them is not.
	if _, err := h.descends(t.Context(), merge, two); err == nil || !strings.Contains(err.Error(), "git fetch --unshallow") {
		t.Errorf("in a shallow clone: %v", err)
	}
}

func TestNoHistory(t *testing.T) {
	dir := newGit(t)
	if _, err := openHistory(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "has no commit yet") {
		t.Errorf("without a commit: %v", err)
	}
	if _, err := openHistory(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "is in no git work tree") {
		t.Errorf("outside: %v", err)
	}
}

func TestLimited(t *testing.T) {
	l := &limited{room: 5}
	for range 3 {
		if n, err := l.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}
	if l.kept.String() != "abcab" || !l.full {
		t.Errorf("kept %q", l.kept.String())
	}
}

// A bare repository is but files, which anybody can commit into a subdirectory.
// With its own history it would decide what --since finds unchanged.
func TestPlantedRepository(t *testing.T) {
	dir := newGit(t)
	gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", "one")
	planted := filepath.Join(dir, "data")
	gitRun(t, dir, "clone", "-q", "--bare", dir, planted)
	if h, err := openHistory(t.Context(), planted); err == nil || !strings.Contains(err.Error(), "bare") {
		t.Errorf("its history was taken: %+v, %v", h, err)
	}
}

func TestCommit(t *testing.T) {
	dir := newGit(t)
	if id := commit(dir); id != "" {
		t.Errorf("before the first commit: %q", id)
	}
	writeFiles(t, dir, map[string]string{"data/file": "a"})
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "commit", "-q", "-m", "one")
	head := gitRun(t, dir, "rev-parse", "HEAD")
	data := filepath.Join(dir, "data")
	if id := commit(data); id != head {
		t.Errorf("on a branch: %q, not %s", id, head)
	}
	gitRun(t, dir, "pack-refs", "--all")
	if id := commit(data); id != head {
		t.Errorf("packed: %q, not %s", id, head)
	}
	gitRun(t, dir, "checkout", "-q", "--detach")
	if id := commit(data); id != head {
		t.Errorf("detached: %q, not %s", id, head)
	}
	// A work tree of its own below is not at the commit of the one above.
	gitRun(t, dir, "worktree", "add", "-q", "tree")
	gitRun(t, filepath.Join(dir, "tree"), "commit", "-q", "--allow-empty", "-m", "two")
	if id := commit(filepath.Join(dir, "tree", "data")); id == head {
		t.Errorf("in a linked work tree: the commit of another one")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{".git/HEAD": "ref: ../../" + filepath.Base(filepath.Dir(secret)) + "/secret\n"})
	if id := commit(dir); id != "" {
		t.Errorf("a file outside was read: %q", id)
	}
}
