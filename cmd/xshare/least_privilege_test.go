package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/sandbox"
)

// TestLeastPrivilege holds docs/deploy-role.json and docs/read-role.json to
// what the two roles need: with them a whole scenario of commands succeeds, and
// without any one action on any one resource a command of it fails and names
// that action as the mend.
func TestLeastPrivilege(t *testing.T) {
	clearAWS(t)
	scenes := playAll(t, scenario, "")
	printed := bootstrapped(t, scenes[0].dir)
	for _, role := range documentedRoles {
		t.Run(role.name, func(t *testing.T) {
			permissions := permissionsOf(t, role.policy)
			if got := permissionsOf(t, printed[role.name]); !slices.EqualFunc(got, permissions, samePermission) {
				t.Errorf("init --bootstrap prints other permissions:\n%v\n%v", got, permissions)
			}
			for _, p := range permissions {
				t.Run(p.name(), func(t *testing.T) {
					i := slices.IndexFunc(scenes, func(s scene) bool { return s.proves(role.name, p.name()) })
					if i < 0 {
						t.Fatal("no command of the scenario needs it: take it out of the document, or add the command that does")
					}
					s := scenes[i]
					code, out, _ := s.play(t, map[string]string{role.name: policyOf(t, permissions, func(q permission) bool { return q.name() != p.name() })})
					if code != exitFailed {
						t.Errorf("%s: exit code %d without it, not 1:\n%s", s.name, code, out)
					}
					if !mended(out, p.Action) {
						t.Errorf("%s: no mend names it:\n%s", s.name, out)
					}
				})
			}
			for _, s := range scenes {
				for _, name := range s.needs[role.name] {
					if !slices.ContainsFunc(permissions, func(p permission) bool { return p.name() == name }) {
						t.Errorf("%s is said to need %q, which the document does not have", s.name, name)
					}
				}
			}
		})
	}
}

// TestLeastPrivilegeInChina applies with a document for the partition aws-cn,
// where EC2 goes by another name.
func TestLeastPrivilegeInChina(t *testing.T) {
	clearAWS(t)
	acts := []act{{
		name:  "apply",
		files: map[string]string{"xshare.yaml": strings.Replace(leastRepository, "us-east-1", "cn-north-1", 1), "shares/ants.yaml": antsShare},
		args:  []string{"apply", "--yes"},
	}}
	s := playAll(t, acts, "aws-cn")[0]
	text := strings.ReplaceAll(docs.DeployRolePolicy, "arn:aws:", "arn:aws-cn:")
	for name, c := range map[string]struct{ old, new, action string }{
		"ARNs of the other partition": {"arn:aws-cn:", "arn:aws:", "s3:PutObject"},
		"EC2 by its name elsewhere":   {`"ec2.amazonaws.com.cn"`, `"ec2.amazonaws.com"`, "iam:PassRole"},
	} {
		t.Run(name, func(t *testing.T) {
			other := strings.ReplaceAll(text, c.old, c.new)
			if other == text {
				t.Fatalf("the document has no %s", c.old)
			}
			if code, out, _ := s.play(t, map[string]string{"xshare-deployer": other}); code != exitFailed || !mended(out, c.action) {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
}

// documentedRoles are the roles of the scenario, with their policies.
var documentedRoles = []struct{ name, policy string }{
	{"xshare-deployer", docs.DeployRolePolicy},
	{"xshare-reader", docs.ReadRolePolicy},
}

// permission is one action of a policy on one resource.
type permission struct {
	Effect, Sid, Action, Resource string
	Condition                     json.RawMessage `json:",omitempty"`

	several bool // resources in the statement
}

// name is the statement's and the action's, and the resource's where the
// statement has several.
func (p permission) name() string {
	if p.several {
		return p.Sid + " " + p.Action + " " + p.Resource[strings.LastIndex(p.Resource, "/")+1:]
	}
	return p.Sid + " " + p.Action
}

func permissionsOf(t *testing.T, policy string) (list []permission) {
	t.Helper()
	var document struct {
		Statement []struct {
			Sid, Effect      string
			Action, Resource json.RawMessage
			Condition        json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		t.Fatal(err)
	}
	for _, s := range document.Statement {
		resources := oneOrMore(t, s.Resource)
		for _, action := range oneOrMore(t, s.Action) {
			for _, resource := range resources {
				list = append(list, permission{
					Effect: s.Effect, Sid: s.Sid, Action: action, Resource: resource, Condition: s.Condition, several: len(resources) > 1,
				})
			}
		}
	}
	return list
}

func samePermission(a, b permission) bool {
	return a.Effect == b.Effect && a.Sid == b.Sid && a.Action == b.Action && a.Resource == b.Resource && bytes.Equal(a.Condition, b.Condition)
}

func oneOrMore(t *testing.T, text json.RawMessage) (list []string) {
	t.Helper()
	if one := ""; json.Unmarshal(text, &one) == nil {
		return []string{one}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// policyOf is a policy of the permissions that are kept.
func policyOf(t *testing.T, list []permission, keep func(permission) bool) string {
	t.Helper()
	var kept []permission
	for _, p := range list {
		if keep(p) {
			p.Sid = fmt.Sprintf("%s%d", p.Sid, len(kept))
			kept = append(kept, p)
		}
	}
	return jsonOf(t, map[string]any{"Version": "2012-10-17", "Statement": kept})
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mended reports whether a mend says to allow an action. AWS's own message
// names it too, but says "allows".
func mended(out, action string) bool {
	return regexp.MustCompile(`(allow|lacks) .*` + regexp.QuoteMeta(action) + `\b`).MatchString(out)
}

// clearAWS keeps the machine's AWS settings out of what runs in this process.
func clearAWS(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// scene is an act with all that was there before it.
type scene struct {
	act
	dir       string // the specs
	state     string // the sandbox's file
	partition string
	disguised bool // xshare does not know the sandbox as one
}

// playAll plays the acts one after the other with the documented policies, each
// of which must end as it says, and returns the scenes that they began with.
func playAll(t *testing.T, acts []act, partition string) (scenes []scene) {
	t.Helper()
	dir, state := newGit(t), ""
	for i, a := range acts {
		writeFiles(t, dir, a.files)
		for _, name := range a.gone {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if i == 0 {
			gitRun(t, dir, "add", ".")
			gitRun(t, dir, "commit", "-q", "-m", "first")
		}
		s := scene{act: a, dir: t.TempDir(), state: state, partition: partition}
		if err := os.CopyFS(s.dir, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		code, out, after := s.play(t, nil)
		if code != a.code {
			t.Fatalf("%s: exit code %d, not %d, although all that is documented is allowed:\n%s", a.name, code, a.code, out)
		}
		scenes, state = append(scenes, s), after
	}
	return scenes
}

func (s scene) proves(role, permission string) bool {
	return slices.Contains(s.needs[role], permission)
}

// play does what the act has done by hand, gives the roles other policies where
// there are some, and runs the command. It returns the exit code, all output
// and the state file that it leaves.
func (s scene) play(t *testing.T, policies map[string]string) (int, string, string) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state.json")
	if s.state != "" {
		text, err := os.ReadFile(s.state)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(state, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	repo, _, err := readRepository(s.dir)
	if err != nil || repo == nil {
		t.Fatalf("%s: the specs do not load: %v", s.name, err)
	}
	server, err := newSandbox(repo, sandbox.Options{StatePath: state, Partition: s.partition})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	h := hand{t, &scriptWorld{endpoint: front.URL}}
	if s.hand != nil {
		s.hand(h)
	}
	for role, policy := range policies {
		for _, account := range repo.Accounts {
			h.query(account.ID, "iam", "PutRolePolicy", "RoleName", role, "PolicyName", "xshare", "PolicyDocument", policy)
		}
	}
	if err := server.SetFaults(s.faults); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL", front.URL)
	if s.disguised {
		d, err := disguised(front.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		t.Setenv("AWS_ENDPOINT_URL", d.URL)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", firstAccount(repo).ID)
	t.Setenv("AWS_REGION", repo.Region)
	var stdout, stderr bytes.Buffer
	args := append(slices.Clone(s.args), s.dir)
	code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr, width: 1000}, nil)
	front.Close()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	return code, stdout.String() + stderr.String(), state
}

// hand does what somebody does by hand, as an account's administrator.
type hand struct {
	t *testing.T
	w *scriptWorld
}

func (h hand) query(account, service, action string, args ...string) string {
	h.t.Helper()
	version := map[string]string{"iam": "2010-05-08", "ec2": "2016-11-15"}[service]
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	status, text, err := h.w.call(account, service, http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil || status >= 300 {
		h.t.Fatalf("%s as %s: status %d, %v: %s", action, account, status, err, text)
	}
	return text
}

func (h hand) json(account, service, operation, body string) string {
	h.t.Helper()
	status, text, err := h.w.json(account, service, operation, body)
	if err != nil || status >= 300 {
		h.t.Fatalf("%s as %s: status %d, %v: %s", operation, account, status, err, text)
	}
	return text
}

func (h hand) s3(account, method, path, body string) {
	h.t.Helper()
	status, text, err := h.w.call(account, "s3", method, path, "", []byte(body))
	if err != nil || status >= 300 {
		h.t.Fatalf("%s %s as %s: status %d, %v: %s", method, path, account, status, err, text)
	}
}
