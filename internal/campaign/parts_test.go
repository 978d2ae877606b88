package campaign

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// tenConsumers is a repository of one bucket with ten consumers in ten
// accounts, each with its access.
func tenConsumers(t *testing.T, dir string, access func(i int) string) *specs.Repository {
	t.Helper()
	var accounts, consumers strings.Builder
	for i := range 10 {
		fmt.Fprintf(&accounts, "    c%d: {id: %q}\n", i, consumerAccount(i))
		fmt.Fprintf(&consumers, "    - {account: c%d, role: {name: reader, create: true, trust: lambda}, access: %s}\n", i, access(i))
	}
	for name, text := range map[string]string{
		"xshare.yaml": "apiVersion: xshare/v1\nkind: Repository\nmetadata: {name: ten}\nspec:\n  region: us-east-1\n  deployRole: xshare-deployer\n  accounts:\n    lake: {id: \"" + key + "\"}\n" + accounts.String(),
		"shares/one.yaml": "apiVersion: xshare/v1\nkind: Share\nmetadata: {name: one}\nspec:\n  bucket: {name: ten-data, account: lake, create: true}\n  consumers:\n" +
			consumers.String(),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return load(t, dir)
}

func consumerAccount(i int) string { return fmt.Sprintf("2000000000%02d", i) }

// TestParts has a bucket with ten consumers in ten accounts. All lose reading
// and gain writing while two of the accounts let nobody in.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	before := tenConsumers(t, dir, func(int) string { return "[list, read]" })
	w := newWorld(t, before, nil, sandbox.Options{})
	defer w.close(t)
	if r := w.run(t, dir, key, "apply", "--yes"); r.code != 0 {
		t.Fatalf("apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}
	foreign := foreignStatement(key, "ten-data", "Auditors")
	w.addForeign(t, key, "ten-data", foreign)

	after := tenConsumers(t, dir, func(int) string { return "[list, write]" })
	u := universeOf(after)
	g := w.watch(t, u.buckets, statedPolicies(t, after), map[string][]string{"ten-data": {foreign}})
	down := []int{3, 7}
	w.set(nil, g.look)
	trust := map[int]string{}
	for _, i := range down {
		trust[i] = w.shut(t, consumerAccount(i))
	}

	r := w.run(t, dir, key, "apply", "--yes", "--format", "json")
	if r.code != 1 {
		t.Errorf("apply exits %d with two accounts down: %s", r.code, r.stderr)
	}
	live := w.read(t, u)
	for i := range 10 {
		role := "arn:aws:iam::" + consumerAccount(i) + ":role/reader"
		isDown := slices.Contains(down, i)
		ask := func(action string) sides {
			return live.allows(question{role: role, bucket: "ten-data", action: action, key: "a"})
		}
		if got := ask("PutObject").both; got == isDown {
			t.Errorf("account %d, down %v: writes %v", i, isDown, got)
		}
		if ask("GetObject").bucket {
			t.Errorf("account %d, down %v: the bucket still lets it read", i, isDown)
		}
		if !live.allows(question{role: role, bucket: "ten-data", action: "ListBucket", prefix: "-"}).both {
			t.Errorf("account %d, down %v: lists no more, although both specs say so", i, isDown)
		}
	}
	told := partStatuses(t, r.stdout)
	for i := range 10 {
		want := "done"
		if slices.Contains(down, i) {
			want = "blocked"
		}
		if got := told[consumerAccount(i)+"/reader"]; got != want {
			t.Errorf("the report says %q of account %d, not %q", got, i, want)
		}
	}
	for _, i := range down {
		if !strings.Contains(r.stdout, consumerAccount(i)) {
			t.Errorf("the report does not name account %s", consumerAccount(i))
		}
	}

	for _, i := range down {
		w.iam(t, consumerAccount(i), "UpdateAssumeRolePolicy", "RoleName", "xshare-deployer", "PolicyDocument", trust[i])
	}
	if r := w.run(t, dir, key, "apply", "--yes"); r.code != 0 {
		t.Errorf("the next apply exits %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if list := w.read(t, u).differences(after); len(list) > 0 {
		t.Errorf("live access is not what the specs say:\n  %s", few(list))
	}
	g.end(t)
}

// shut lets nobody assume an account's deploy role any more, and returns what
// its trust policy was.
func (w *world) shut(t *testing.T, account string) string {
	t.Helper()
	admin := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + key + `:user/admin"},"Action":"sts:AssumeRole"}]}`
	w.iam(t, account, "UpdateAssumeRolePolicy", "RoleName", "xshare-deployer", "PolicyDocument", strings.Replace(admin, "Allow", "Deny", 1))
	return admin
}

// partStatuses are what apply's JSON says of each part of the bucket policy.
func partStatuses(t *testing.T, text string) map[string]string {
	t.Helper()
	var document struct {
		Steps []struct {
			Type  string
			Parts []struct{ Consumer, Result string }
		}
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	told := map[string]string{}
	for _, s := range document.Steps {
		if s.Type == "s3.BucketPolicy" {
			for _, p := range s.Parts {
				told[p.Consumer] = p.Result
			}
		}
	}
	return told
}
