package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The world of docs/json.md: five shares, of which one is broken by hand, one
// is widened, two are new and one is gone.
const docRepository = `
apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner:   {id: "444444444444", manage: false}
`

// docShare is a share of a bucket that is created, with one consumer.
func docShare(name, role, access string) string {
	return fmt.Sprintf(`
apiVersion: xshare/v1
kind: Share
metadata: {name: %s}
spec:
  bucket: {name: acme-%[1]s, account: lake, create: true}
  consumers:
    - account: analytics
      role: %s
      access: %s
`, name, role, access)
}

// docFeed is a share of somebody else's bucket.
const docFeed = `
apiVersion: xshare/v1
kind: Share
metadata: {name: feed}
spec:
  bucket: {name: partner-feed, account: partner}
  consumers:
    - account: analytics
      role: {name: reader}
      access: read
`

// docWorld makes the world of the page, and returns its directory.
func docWorld(t *testing.T) string {
	t.Helper()
	const reader, reporter = "{name: reader, create: true, trust: lambda}", "{name: reporter, create: true, trust: lambda}"
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"xshare.yaml": docRepository, "shares/events.yaml": docShare("events", reader, "read"),
		"shares/orders.yaml": docShare("orders", reporter, "read"), "shares/old.yaml": docShare("old", reporter, "write"),
	})
	repo, problems, err := readRepository(dir)
	if err != nil || repo == nil {
		t.Fatal(err, specs.Errors(problems))
	}
	server, err := newSandbox(repo, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	t.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": front.URL, "AWS_ACCESS_KEY_ID": "111111111111", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_REGION": "us-east-1",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
	} {
		t.Setenv(key, value)
	}
	if out, code := docShell(t, dir, "xshare apply --yes"); code != 0 {
		t.Fatalf("apply: exit code %d\n%s", code, out)
	}
	w := &scriptWorld{endpoint: front.URL}
	if status, text, err := w.call("111111111111", "s3", http.MethodDelete, "/acme-orders?policy", "", nil); err != nil || status >= 300 {
		t.Fatal(status, text, err)
	}
	if err := os.Remove(filepath.Join(dir, "shares", "old.yaml")); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{
		"shares/events.yaml": docShare("events", reader, "[read, write]"), "shares/feed.yaml": docFeed,
		"shares/audit.yaml": docShare("audit", "{name: auditor}", "list"), // the role is not there
	})
	return dir
}

// docShell runs commands as the page has them. The xshare that is found is the
// one under test: see TestMain.
func docShell(t *testing.T, dir, commands string) (out string, code int) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "sh", "-c", commands)
	shell.Dir = dir
	text, err := shell.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if failed != nil && len(text) == 0 {
		t.Log(string(failed.Stderr))
	}
	return string(text), shell.ProcessState.ExitCode()
}

// docJSON is a document that the commands of an example have left.
func docJSON[D any](t *testing.T, dir, name string) (d D) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(name, err)
	}
	return d
}

// docExamples are the examples of the page in Go: what each prints, of the
// documents that its commands leave in dir, and how it exits. They are asked
// with jq and without, so that a wrong one is found where there is no jq too.
var docExamples = map[string]func(t *testing.T, dir string) (lines []string, code int){
	"counts": func(t *testing.T, dir string) (lines []string, code int) {
		s := docJSON[plan.Document](t, dir, "plan.json").Summary
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		last, _ := docShell(t, dir, "xshare plan | tail -n 1")
		return []string{string(text), strings.TrimSpace(last)}, 0
	},
	"denied": func(t *testing.T, dir string) (lines []string, code int) {
		for _, g := range docJSON[struct {
			Grants []struct {
				Share, Consumer, Verdict string
				Causes                   []struct{ Code string }
			}
		}](t, dir, "verify.json").Grants {
			if g.Verdict != "denied" {
				continue
			}
			var codes []string
			for _, c := range g.Causes {
				codes = append(codes, c.Code)
			}
			lines = append(lines, g.Share+" "+g.Consumer+": "+strings.Join(codes, ", "))
		}
		return lines, 0
	},
	"access": func(t *testing.T, dir string) (lines []string, code int) {
		d := docJSON[plan.Document](t, dir, "plan.json")
		for _, side := range []struct {
			sign string
			list []plan.AccessEntry
		}{{"+", d.Access.Gained}, {"-", d.Access.Lost}} {
			for _, e := range side.list {
				lines = append(lines, side.sign+" "+e.String())
			}
		}
		return lines, 0
	},
	"outside": func(t *testing.T, dir string) (lines []string, code int) {
		for _, s := range docJSON[plan.Document](t, dir, "plan.json").Steps {
			if s.Action == plan.Noop {
				continue
			}
			var of []string
			for _, p := range s.Parts {
				if p.Action != plan.Noop {
					of = append(of, p.Share)
				}
			}
			if len(of) == 0 {
				of = s.Shares
			}
			if len(of) == 0 || slices.ContainsFunc(of, func(share string) bool { return share != "events" && share != "feed" }) {
				lines = append(lines, string(s.Action)+" "+s.ID)
			}
		}
		return lines, min(len(lines), 1)
	},
	"drift": func(t *testing.T, dir string) (lines []string, code int) {
		d := docJSON[plan.Document](t, dir, "drift.json")
		differ := map[string]map[string]bool{}
		note := func(account, step string) {
			if differ[account] == nil {
				differ[account] = map[string]bool{}
			}
			differ[account][step] = true
		}
		for _, s := range d.Steps {
			if s.Action != plan.Noop {
				note(s.Account, s.ID)
			}
		}
		for _, p := range d.Problems {
			if p.Code == plan.CodeOrphan || p.Code == plan.CodeInstanceDiffers {
				note(p.Account, p.Step)
			}
		}
		for account, steps := range differ {
			lines = append(lines, fmt.Sprint(account, " ", len(steps)))
		}
		slices.SortFunc(lines, cmp.Compare)
		return lines, 0
	},
}

// The page's examples are real: each is run on a repository whose state is the
// page's, and prints what stands below it.
func TestJSONDocExamples(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "json.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := docWorld(t)
	blocks := regexp.MustCompile("(?s)```sh ([a-z]+)\n(.*?)```\n\n```text\n(.*?)```\n")
	_, noJQ := exec.LookPath("jq")
	shown := map[string]bool{}
	text = blocks.ReplaceAllFunc(text, func(block []byte) []byte {
		m := blocks.FindStringSubmatch(string(block))
		name, commands, want := m[1], m[2], m[3]
		example := docExamples[name]
		if example == nil || shown[name] {
			t.Errorf("the example %q is not known, or stands twice", name)
			return block
		}
		shown[name] = true
		if noJQ == nil {
			got, code := docShell(t, dir, commands)
			if *update {
				want = got
			}
			if _, wantCode := example(t, dir); got != want || code != wantCode {
				t.Errorf("%s prints, and exits with %d (want %d)\n%s\nand the page has\n%s", name, code, wantCode, got, want)
			}
		} else {
			calls := regexp.MustCompile(`(?m)^xshare .*$`).FindAllString(commands, -1)
			docShell(t, dir, strings.Join(calls, "\n"))
		}
		if lines, _ := example(t, dir); strings.Join(lines, "\n")+"\n" != want {
			t.Errorf("%s is to print\n%s\nand the page has\n%s", name, strings.Join(lines, "\n"), want)
		}
		return []byte("```sh " + name + "\n" + commands + "```\n\n```text\n" + want + "```\n")
	})
	docAccess(t, docJSON[plan.Document](t, dir, "plan.json"))
	if len(shown) != len(docExamples) {
		t.Errorf("the page shows the examples %v", shown)
	}
	if *update {
		if err := os.WriteFile(page, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// docAccess sees to what the page says of access: a blocked grant is in it, and
// what only an identity policy gives is not.
func docAccess(t *testing.T, d plan.Document) {
	t.Helper()
	opens := func(part string) bool {
		return slices.ContainsFunc(d.Access.Gained, func(e plan.AccessEntry) bool { return strings.Contains(e.String(), part) })
	}
	if !opens("role/auditor: s3:ListBucket") || d.Summary.Error != 1 {
		t.Errorf("the grant of the role that is not there is not among %v, or not blocked", d.Access.Gained)
	}
	if opens("partner-feed") {
		t.Errorf("the partner's bucket is among %v", d.Access.Gained)
	}
	given := slices.ContainsFunc(d.Steps, func(s plan.StepDocument) bool {
		text, err := json.Marshal(s.After)
		return err == nil && s.Action == plan.Update && strings.Contains(string(text), "partner-feed")
	})
	if !given {
		t.Error("no step gives access to the partner's bucket")
	}
}
