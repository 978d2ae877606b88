package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

func TestPlanAWSCLI(t *testing.T) {
	tests := map[string]struct {
		world   func(*testing.T) *world
		opts    plan.Options
		problem specs.Problem
	}{
		"create":  {world: func(t *testing.T) *world { return empty(t, recipeYAML) }},
		"nothing": {world: func(t *testing.T) *world { return applied(t, recipeYAML) }},
		// Access is lost by a first write and gained by a second; a statement of
		// others stays.
		"two-writes": {
			world: func(t *testing.T) *world {
				w := empty(t, secondYAML)
				w.snapshots = applied(t, recipeYAML).snapshots
				w.foreign(denyHTTP)
				return w
			},
		},
		"gone": {
			world: func(t *testing.T) *world {
				w := empty(t)
				w.snapshots = applied(t, recipeYAML).snapshots
				return w
			},
			opts: plan.Options{Prune: true},
		},
		"update": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, thirdYAML)
				snap := w.snapshots[consumer]
				r := snap.Roles[role]
				r.Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
				delete(r.Tags, plan.ShareTag)
				snap.Policies[policy].Document = []byte(strings.ReplaceAll(string(snap.Policies[policy].Document), "s3:PutObject", "s3:PutObjectAcl"))
				snap.Policies[policy].Versions, snap.Policies[policy].DefaultVersion = []string{"v2", "v3", "v4", "v5", "v6"}, "v2"
				snap.Profiles[role].Role = "web"
				w.snapshots[lab].Instances[0].ProfileARN = "arn:aws:iam::333333333333:instance-profile/web"
				return w
			},
			opts: plan.Options{Adopt: true},
		},
		"left-out": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, thirdYAML)
				w.snapshots[lab] = unread(lab)
				w.snapshots[consumer].Roles[role] = &plan.LiveRole{Role: plan.Role{Name: role, Path: "/"}}
				return w
			},
		},
		"stopped": {
			world:   func(t *testing.T) *world { return empty(t, recipeYAML) },
			problem: specs.Problem{Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Message: "it would open\n\x1b[31mtoo much", Source: specs.Pos{File: "a.yaml", Line: 1, Col: 1}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes := tt.world(t).compare(tt.opts)
			if tt.problem.Code != "" {
				changes.Problems = append(changes.Problems, tt.problem)
			}
			got := text(t, func(b *bytes.Buffer) error { return report.PlanAWSCLI(b, changes, commit, nil) })
			if _, err := commands(string(got)); err != nil {
				t.Error(err)
			}
			golden(t, "plan-"+name+".sh", got)
		})
	}
}

// commands reads a script as a POSIX shell does and gives the words of each
// command in it, the last word of an assignment's among them. It is an error if
// there is a command that none of ours is.
func commands(script string) (list [][]string, err error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, script)
	}
	config := &expand.Config{Env: expand.FuncEnviron(func(string) string { return "p" }), CmdSubst: func(io.Writer, *syntax.CmdSubst) error { return nil }}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		words, wordErr := expand.Fields(config, call.Args...)
		if wordErr != nil {
			err = wordErr
			return false
		}
		if !slices.Contains([]string{"aws", "use", "echo", "exit", "set", "export", "[", ":"}, words[0]) {
			err = fmt.Errorf("%q is a command\n%s", words[0], script)
		}
		list = append(list, words)
		return true
	})
	return list, err
}

// hostileWords are texts that would do something, were they not quoted.
var hostileWords = []string{
	"'", `"`, "''", `'\''`, "`touch pwned`", "$(touch pwned)", "${HOME}", "$HOME", "; touch pwned", "&& touch pwned", "| touch pwned",
	"> pwned", "< /etc/passwd", "\\", "\\'", "#", "*", "?", "~", "!", "{a,b}", "a b", " ", "EOF", "日本", "é", "x", "=", "%s", "\"$(id)\"",
}

// Whatever values are, the shell gives each of them to the aws CLI as one word,
// and runs nothing else; or there is no script.
func TestPlanAWSCLIPropertyQuotes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostileWords), rapid.StringN(0, 4, -1)), 1, 8),
			func(parts []string) string { return strings.Join(parts, "") })
		name, tagged, key := value.Draw(rt, "name"), value.Draw(rt, "tag"), value.Draw(rt, "key")
		changes := hostileChanges(t, name, tagged, key)
		var out bytes.Buffer
		if err := report.PlanAWSCLI(&out, changes, name, []specs.Problem{{Code: name, Severity: specs.SeverityError, Message: tagged, Mend: key, Source: specs.Pos{File: name, Line: 1, Col: 1}}}); err != nil {
			if out.Len() > 0 {
				rt.Fatal("there is an error, and half a script")
			}
			return
		}
		calls, err := commands(out.String())
		if err != nil {
			rt.Fatal(err)
		}
		found := map[string]int{}
		for _, call := range calls {
			if call[0] != "aws" {
				continue
			}
			for i, word := range call {
				switch {
				case word == "--tags" && call[4] == "tag-role":
					var tags []struct{ Key, Value string }
					if err := json.Unmarshal([]byte(call[i+1]), &tags); err != nil || len(tags) != 1 || tags[0].Value != strings.ToValidUTF8(tagged, "\ufffd") {
						rt.Fatalf("tags %q: %v", call[i+1], err)
					}
					found["tags"]++
				case word == "--role-name" && call[i+1] == name:
					found["name"]++
				case word == "--policy":
					var document struct{ Statement []struct{ Resource string } }
					if err := json.Unmarshal([]byte(call[i+1]), &document); err != nil || document.Statement[0].Resource != strings.ToValidUTF8(key, "\ufffd") {
						rt.Fatalf("policy %q: %v", call[i+1], err)
					}
					found["policy"]++
				}
			}
		}
		if found["tags"] != 1 || found["name"] != 1 || found["policy"] != 1 {
			rt.Fatalf("%v of\n%s", found, out.String())
		}
	})
}

// hostileChanges are changes with these values in them.
func hostileChanges(t *testing.T, name, tagged, key string) *plan.Changes {
	w := empty(t, recipeYAML)
	for id := range w.plan.Aliases {
		w.plan.Aliases[id] = name
	}
	document, err := json.Marshal(map[string]any{"Statement": []any{map[string]any{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": key}}})
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Changes{Plan: w.plan, Steps: []*plan.Change{
		{
			ID: "iam.Role/" + consumer + "/x", Type: plan.TypeRole, Account: consumer, Region: plan.GlobalRegion, Name: name, Action: plan.Update,
			Before: plan.Role{Name: name, Path: "/"}, Want: plan.Role{Name: name, Path: "/", Tags: map[string]string{"k": tagged}},
		},
		{
			ID: "s3.BucketPolicy/" + owner + "/b", Type: plan.TypeBucketPolicy, Account: owner, Region: "us-east-1", Name: "b", Action: plan.Update,
			Live: document, Want: plan.BucketPolicy{Bucket: "b", Region: "us-east-1"}, Renew: true,
		},
	}}
}

// What a command cannot have, or not be seen to have, makes that there is no
// script.
func TestPlanAWSCLIRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ value, want string }{
		"a control character": {"a\x1b[2Jb", "characters that are not shown"},
		"a line end":          {"a\nb", "characters that are not shown"},
		"a bidi character":    {"a\u202eb", "characters that are not shown"},
		"NUL":                 {"a\x00b", "characters that are not shown"},
		"not UTF-8":           {"a\xffb", "characters that are not shown"},
		"an option":           {"--query", "take for an option"},
		"a file":              {"file:///etc/passwd", "read from there"},
		"bytes of a file":     {"fileb:///etc/passwd", "read from there"},
		"a URL":               {"HTTP://169.254.169.254/", "read from there"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := report.PlanAWSCLI(&out, hostileChanges(t, tt.value, "v", "k"), "", nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "use `xshare apply`") || out.Len() > 0 {
				t.Errorf("error %v, want %q; %d bytes written", err, tt.want, out.Len())
			}
		})
	}
}
