package campaign

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// scenario is an apply that is killed over and over.
type scenario struct {
	dir      string
	repo     *specs.Repository
	universe *universe
	state    []byte // of the embedded AWS before it
	foreign  map[string][]string

	// Of an apply that nobody killed:
	calls    []point                          // in the order in which they came
	policies map[string][]*iampolicy.Document // of the buckets, at its end
	orphans  string                           // what drift says then
}

// point is one call, and its number among those that look the same.
type point struct {
	signature string
	nth       int
}

// key is the administrator that runs start from.
const key = "111111111111"

// TestCrash kills the process at every single call of an apply of examples/many
// from nothing, and of one that takes access away, narrows, widens and moves it:
// before the call is handled and after it, without an answer. In the short form
// at some of the calls only.
func TestCrash(t *testing.T) {
	fresh := freshScenario(t)
	edited := editedScenario(t, fresh)
	for name, s := range map[string]*scenario{"fresh": fresh, "edited": edited} {
		t.Run(name, func(t *testing.T) {
			var tried, converged, missed atomic.Int64
			t.Run("points", func(t *testing.T) {
				for _, i := range chosen(len(s.calls)) {
					for _, handled := range []bool{false, true} {
						when := map[bool]string{false: "before", true: "after"}[handled]
						t.Run(fmt.Sprintf("%s call %d", when, i+1), func(t *testing.T) {
							t.Parallel()
							if !s.kill(t, s.calls[i], handled) {
								missed.Add(1)
							}
							tried.Add(1)
							if !t.Failed() {
								converged.Add(1)
							}
						})
					}
				}
			})
			t.Logf("%d calls; %d kill points tried, %d converged; %d ended before their call came", len(s.calls), tried.Load(), converged.Load(), missed.Load())
		})
	}
}

// chosen are the numbers of the calls to kill at: all, or three spread evenly.
func chosen(n int) (list []int) {
	step := 1
	if !isFull {
		step = max(1, n/3)
	}
	for i := step / 2; i < n; i += step {
		list = append(list, i)
	}
	return list
}

// freshScenario is examples/many from nothing, with foreign statements on the
// buckets that exist already.
func freshScenario(t *testing.T) *scenario {
	t.Helper()
	s := &scenario{dir: filepath.Join(t.TempDir(), "many"), foreign: map[string][]string{}}
	if err := os.CopyFS(s.dir, os.DirFS("../../examples/many")); err != nil {
		t.Fatal(err)
	}
	s.repo = load(t, s.dir)
	s.universe = universeOf(s.repo)
	w := newWorld(t, s.repo, []byte(`{"FormatVersion":1}`), sandbox.Options{})
	s.addForeign(t, w, func(bucket string) bool { return w.hasBucket(s.universe.buckets[bucket], bucket) })
	s.state = w.save(t)
	s.baseline(t)
	return s
}

// save ends the world and returns its state.
func (w *world) save(t tb) []byte {
	t.Helper()
	w.close(t)
	state, err := os.ReadFile(w.state)
	if err != nil {
		t.Fatal(err)
	}
	return settled(t, state)
}

// settled is a state in which no role and no profile is new.
func settled(t tb, state []byte) []byte {
	t.Helper()
	const seen = 100 // more attempts than any window asks for
	var world map[string]any
	if err := json.Unmarshal(state, &world); err != nil {
		t.Fatal(err)
	}
	accounts, _ := world["Accounts"].(map[string]any)
	for _, account := range accounts {
		for _, kind := range []string{"Roles", "Profiles"} {
			for _, entity := range account.(map[string]any)[kind].(map[string]any) {
				entity.(map[string]any)["Attempts"] = seen
			}
		}
	}
	state, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func (s *scenario) addForeign(t *testing.T, w *world, wanted func(bucket string) bool) {
	t.Helper()
	for _, bucket := range slices.Sorted(maps.Keys(s.universe.buckets)) {
		if account := s.universe.buckets[bucket]; s.foreign[bucket] == nil && wanted(bucket) {
			statement := foreignStatement(account, bucket, "Auditors")
			w.addForeign(t, account, bucket, statement)
			s.foreign[bucket] = []string{statement}
		}
	}
}

// manyEdits are edits of examples/many: old text, new text, by file.
var manyEdits = map[string][][2]string{
	"shares/data-platform.yaml": {
		{"access: write               # put only", "access: [write, list]       # wider, for some; put only"},
		{"prefixes: [incoming/web/, incoming/mobile/]", "prefixes: [incoming/web/]"},
		{"access: [list, delete]", "access: [delete]"},
		{"actions: [s3:GetObjectTagging]", "actions: [s3:GetObjectAcl]"},
	},
	"shares/ml.yaml": {
		{"- account: apps\n      role: {name: inference", "- account: lake\n      role: {name: inference"},
		{"access: full", "access: [read, write]"},
	},
	"shares/apps.yaml": {
		{"access: [write, delete]", "access: [read, write, delete]"},
	},
	"shares/analytics.yaml": {
		{"access: list\n      actions:", "access: [list, read]\n      actions:"},
	},
	"shares/partners.yaml": {
		{"      prefixes: [vendor/]\n", "      prefixes: [vendor/, clean/]\n"},
	},
}

// editedScenario is examples/many as it was applied, with foreign statements on
// all buckets, and then edited: a share is deleted, too.
func editedScenario(t *testing.T, fresh *scenario) *scenario {
	t.Helper()
	s := &scenario{dir: filepath.Join(t.TempDir(), "many"), foreign: maps.Clone(fresh.foreign)}
	w := newWorld(t, fresh.repo, fresh.state, sandbox.Options{})
	if r := w.run(t, fresh.dir, key, "apply", "--yes"); r.code != 0 {
		t.Fatalf("apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if err := os.CopyFS(s.dir, os.DirFS(fresh.dir)); err != nil {
		t.Fatal(err)
	}
	for file, pairs := range manyEdits {
		edit(t, filepath.Join(s.dir, file), pairs...)
	}
	drop(t, filepath.Join(s.dir, "shares/analytics.yaml"), "reports-archive")
	s.repo = load(t, s.dir)
	s.universe = universeOf(fresh.repo, s.repo)
	s.addForeign(t, w, func(bucket string) bool { return s.universe.managed[s.universe.buckets[bucket]] })
	s.state = w.save(t)
	s.baseline(t)
	return s
}

func edit(t *testing.T, file string, pairs ...[2]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if strings.Count(string(text), p[0]) != 1 {
			t.Fatalf("%s has %q %d times", file, p[0], strings.Count(string(text), p[0]))
		}
		text = []byte(strings.Replace(string(text), p[0], p[1], 1))
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// drop takes the document of one share out of a file.
func drop(t *testing.T, file, share string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")
	rest := slices.DeleteFunc(slices.Clone(documents), func(d string) bool { return strings.Contains(d, "name: "+share+"\n") })
	if len(rest) != len(documents)-1 {
		t.Fatalf("%s has no share %s, or more than one", file, share)
	}
	if err := os.WriteFile(file, []byte(strings.Join(rest, "\n---\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// baseline runs the apply without killing it.
func (s *scenario) baseline(t *testing.T) {
	t.Helper()
	w := newWorld(t, s.repo, s.state, sandbox.Options{})
	defer w.close(t)
	var mu sync.Mutex
	seen := map[string]int{}
	w.set(func(c call, handled bool) bool {
		if !handled {
			mu.Lock()
			defer mu.Unlock()
			seen[c.signature]++
			s.calls = append(s.calls, point{c.signature, seen[c.signature]})
		}
		return false
	}, nil)
	if r := w.run(t, s.dir, key, "apply", "--yes"); r.code != 0 {
		t.Fatalf("apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}
	w.set(nil, nil)
	s.policies = map[string][]*iampolicy.Document{}
	for bucket, account := range s.universe.buckets {
		if text := w.bucketPolicy(t, account, bucket); text != "" {
			s.policies[bucket] = []*iampolicy.Document{parse(t, text)}
		}
	}
	s.check(t, w, true)
}

// check holds the accounts to the specs; first: it is the run that all others
// are held to.
func (s *scenario) check(t *testing.T, w *world, first bool) {
	t.Helper()
	if list := w.read(t, s.universe).differences(s.repo); len(list) > 0 {
		t.Errorf("live access is not what the specs say:\n  %s", few(list))
	}
	orphans, differs := s.drift(t, w)
	if len(differs) > 0 {
		t.Errorf("drift names %q after apply", differs)
	}
	if first {
		s.orphans = orphans
	} else if orphans != s.orphans {
		t.Errorf("drift finds the orphans\n%s\nand without a crash\n%s", orphans, s.orphans)
	}
}

// drift runs drift. The answer is its orphans, and the steps that differ.
func (s *scenario) drift(t *testing.T, w *world) (orphans string, differs []string) {
	t.Helper()
	r := w.run(t, s.dir, key, "drift", "--format", "json")
	var document struct {
		Steps    []struct{ ID, Action string }
		Problems []struct{ Code, Severity, Step, Message string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &document); err != nil {
		t.Fatalf("drift exits %d: %v: %s%s", r.code, err, r.stdout, r.stderr)
	}
	for _, step := range document.Steps {
		if step.Action != "noop" {
			differs = append(differs, step.Action+" "+step.ID)
		}
	}
	for _, p := range document.Problems {
		if p.Code == "orphan" {
			orphans += p.Step + "\n"
		}
	}
	want := 0
	if orphans != "" || len(differs) > 0 {
		want = 2
	}
	if r.code != want {
		t.Errorf("drift exits %d, not %d: %s%s", r.code, want, r.stdout, r.stderr)
	}
	return orphans, differs
}

// kill runs the apply, kills it at a call, and then expects of the next apply
// that it converges. It reports whether the call came.
func (s *scenario) kill(t *testing.T, at point, handled bool) bool {
	t.Helper()
	w := newWorld(t, s.repo, s.state, sandbox.Options{})
	defer w.close(t)
	g := w.watch(t, s.universe.buckets, s.policies, s.foreign)

	cmd, stdout, stderr := w.process(s.dir, key, "apply", "--yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen, killed := 0, false
	w.set(func(c call, isHandled bool) bool {
		mu.Lock()
		defer mu.Unlock()
		if killed {
			return true // the dead send nothing more
		}
		if c.signature != at.signature {
			return false
		}
		if !isHandled {
			seen++
		}
		if seen != at.nth || isHandled != handled {
			return false
		}
		killed = true
		_ = cmd.Process.Kill()
		return true
	}, g.look)
	r := finished(t, cmd.Wait(), cmd, stdout, stderr)
	w.settle()
	w.set(nil, g.look)
	if killed && r.code != -1 {
		t.Fatalf("exit code %d of a process that was killed: %s%s", r.code, r.stdout, r.stderr)
	}
	if !killed && r.code != 0 {
		t.Fatalf("apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}

	if r := w.run(t, s.dir, key, "apply", "--yes"); r.code != 0 {
		t.Errorf("the next apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}
	s.check(t, w, false)
	g.end(t)
	return killed
}
