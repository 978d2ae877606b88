package campaign

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// TestImport lets import describe what random repositories have made: once for
// the same repository, whose specs were lost, and once for another, where all of it
// was made by hand. What it writes is what is live, applying it opens and
// closes nothing, and what it calls spare can be taken out.
func TestImport(t *testing.T) {
	first, last := seedsOf(t, 10, 300)
	var shares, spare atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed <= last; seed++ {
			for _, repository := range []string{"edited", "other"} {
				t.Run(strconv.Itoa(seed)+" "+repository, func(t *testing.T) {
					t.Parallel()
					i := importing(t, seed, repository)
					shares.Add(int64(i.shares))
					spare.Add(int64(i.spare))
				})
			}
		}
	})
	t.Logf("%d seeds from %d, for two repositories each: %d shares, %d statements and policies taken out", last-first+1, first, shares.Load(), spare.Load())
	if last > first && (shares.Load() == 0 || spare.Load() == 0) {
		t.Error("the campaign tried nothing")
	}
}

// imported is what one import came to.
type imported struct{ shares, spare int }

func importing(t *testing.T, seed int, repository string) (i imported) {
	old, err := everythingOld().load()
	if err != nil {
		t.Fatal(err)
	}
	w, u := newWorld(t, old, nil, sandbox.Options{}), modelUniverse()
	defer w.close(t)
	before, err := generator(3, 12).Example(seed).load()
	if err != nil {
		t.Fatal(err)
	}
	if a := w.apply(t, before); !a.succeeded() {
		t.Fatalf("apply:\n  %s", few(a.why()))
	}
	if repository != before.Name {
		w.unmark(t, u, before)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "shares"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("xshare.yaml", strings.Replace(modelRepository, "name: edited", "name: "+repository, 1))
	write("shares/all.yaml", "# lost\n")

	found := w.run(t, dir, key, "import")
	if found.code != 0 {
		t.Fatalf("import: exit code %d: %s", found.code, found.stderr)
	}
	write("shares/all.yaml", found.stdout+"#\n")
	after := load(t, dir)
	i.shares = len(after.Shares)
	w.isStated(t, u, after, "import")

	planned := w.run(t, dir, key, "plan", "--format", "json")
	var document struct {
		Summary map[string]int
		Access  struct{ Gained, Lost []any }
	}
	if err := json.Unmarshal([]byte(planned.stdout), &document); err != nil || planned.code != 0 {
		t.Fatalf("plan: exit code %d: %v: %s", planned.code, err, planned.stderr)
	}
	if n := len(document.Access.Gained) + len(document.Access.Lost); n > 0 {
		t.Errorf("plan opens or closes something: %s", planned.stdout)
	}
	n := document.Summary["create"] + document.Summary["update"] + document.Summary["delete"]
	if repository == before.Name && n > 0 && !isTwice(before) {
		t.Errorf("%d changes are to do after the specs were lost: %s\n%s", n, found.stdout, planned.stdout)
	}
	if applied := w.run(t, dir, key, "apply", "--yes"); applied.code != 0 {
		t.Fatalf("apply: exit code %d: %s%s", applied.code, applied.stdout, applied.stderr)
	}
	w.isStated(t, u, after, "apply")
	i.spare = w.takeOut(t, found.stderr)
	w.isStated(t, u, after, "taking out what is spare")
	return i
}

var marked = regexp.MustCompile(`("Sid":\s*")xshare`)

// unmark makes of all that a repository has made what others made by hand: their
// statements have other Sids.
func (w *world) unmark(t *testing.T, u *universe, repo *specs.Repository) {
	t.Helper()
	for bucket, account := range u.buckets {
		if text := w.bucketPolicy(t, account, bucket); text != "" {
			w.putBucketPolicy(t, account, bucket, marked.ReplaceAllString(text, "${1}Hand"))
		}
	}
	p, _ := plan.Build(repo, func(string) bool { return true })
	for _, s := range p.Steps {
		policy, ok := s.Want.(plan.Policy)
		if !ok {
			continue
		}
		answer := w.iam(t, s.Account, "GetPolicyVersion", "PolicyArn", policy.ARN, "VersionId", "v1")
		text, err := url.QueryUnescape(strings.Split(strings.Split(answer, "<Document>")[1], "</Document>")[0])
		if err != nil {
			t.Fatal(err)
		}
		w.iam(t, s.Account, "CreatePolicyVersion", "PolicyArn", policy.ARN, "SetAsDefault", "true", "PolicyDocument", marked.ReplaceAllString(text, "${1}Hand"))
	}
}

// isTwice reports whether two shares have the same grant: import describes it as
// one, so tags and names of policies change.
func isTwice(repo *specs.Repository) bool {
	seen := map[string]bool{}
	for _, share := range repo.Shares {
		for _, c := range share.Consumers {
			key := share.Bucket.Name + " " + roleARN(c)
			if seen[key] {
				return true
			}
			seen[key] = true
		}
	}
	return false
}

// isStated holds live access to the specs.
func (w *world) isStated(t *testing.T, u *universe, repo *specs.Repository, after string) {
	t.Helper()
	if list := w.read(t, u).differences(repo); len(list) > 0 {
		t.Errorf("after %s:\n  %s", after, few(list))
	}
}

var (
	spareStatement = regexp.MustCompile(`(?m)^  bucket (\S+) in account (\d+): statement "(\S+)"$`)
	sparePolicy    = regexp.MustCompile(`(?m)^  role (\S+) in account (\d+): the attachment of managed policy (\S+)$`)
)

// takeOut removes the statements, and detaches the policies, that import has said
// to be spare, and counts them.
func (w *world) takeOut(t *testing.T, text string) (n int) {
	t.Helper()
	for _, m := range spareStatement.FindAllStringSubmatch(text, -1) {
		bucket, account, sid := m[1], m[2], m[3]
		d := parse(t, w.bucketPolicy(t, account, bucket))
		kept := []json.RawMessage{}
		for _, s := range d.Statements {
			if s.Sid != sid {
				kept = append(kept, s.Raw)
			}
		}
		if len(kept) == len(d.Statements) {
			t.Errorf("bucket %s has no statement %s", bucket, sid)
		}
		out, err := json.Marshal(map[string]any{"Version": d.Version, "Statement": kept})
		if err != nil {
			t.Fatal(err)
		}
		w.putBucketPolicy(t, account, bucket, string(out))
		n++
	}
	for _, m := range sparePolicy.FindAllStringSubmatch(text, -1) {
		w.iam(t, m[2], "DetachRolePolicy", "RoleName", m[1], "PolicyArn", "arn:aws:iam::"+m[2]+":policy/"+m[3])
		n++
	}
	return n
}
