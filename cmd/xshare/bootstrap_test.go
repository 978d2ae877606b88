package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/specs"
)

// bootstrapped are the policies that init --bootstrap prints for a directory,
// by the role's name, with ARNs of the partition aws.
func bootstrapped(t *testing.T, dir string) map[string]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"init", "--bootstrap", dir}, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, nil); code != exitDone {
		t.Fatalf("init --bootstrap: exit code %d: %s", code, &stderr)
	}
	return policiesIn(t, stdout.String())
}

// policiesIn are the policies of a template, by the role's name.
func policiesIn(t *testing.T, text string) map[string]string {
	t.Helper()
	plain := strings.NewReplacer("!Sub ", "", "${AWS::Partition}", "aws").Replace(text)
	names := map[string]string{"DeployRole": defaultOf(t, text, "DeployRoleName")}
	if m := regexp.MustCompile(`(?m)^      RoleName: "(.*)"$`).FindStringSubmatch(text); m != nil {
		names["ReadRole"] = m[1]
	}
	policies := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^  (DeployRole|ReadRole):$`).FindAllStringSubmatchIndex(plain, -1) {
		_, after, found := strings.Cut(plain[m[1]:], " PolicyDocument:")
		var document json.RawMessage
		if err := json.NewDecoder(strings.NewReader(after)).Decode(&document); !found || err != nil {
			t.Fatalf("the PolicyDocument of %s: %v", plain[m[2]:m[3]], err)
		}
		policies[names[plain[m[2]:m[3]]]] = string(document)
	}
	return policies
}

// defaultOf is the default of a template's parameter; empty without one.
func defaultOf(t *testing.T, text, parameter string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^  ` + parameter + `:\n(?:    .*\n)*?    Default: (".*")$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	var value string
	if err := json.Unmarshal([]byte(m[1]), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestBootstrap holds what is printed for different repositories to the
// documents, and to what their xshare.yaml says of the roles.
func TestBootstrap(t *testing.T) {
	const always = `            Condition: {StringEquals: {"sts:ExternalId": !Ref ExternalId}}`
	const sometimes = `            Condition: !If [AsksForExternalId, {StringEquals: {"sts:ExternalId": !Ref ExternalId}}, !Ref "AWS::NoValue"]`
	head := "apiVersion: xshare/v1\nkind: Repository\nmetadata: {name: acme}\nspec:\n  region: us-east-1\n"
	for name, c := range map[string]struct {
		repository   string
		deploy, read string // read is empty: no such role
		path, id     string
		condition    string // of each trust policy
		has, hasNot  []string
	}{
		"a role each, with an external id": {
			repository: head + `  deployRole: xshare-deployer
  readRole: audit/reader
  externalId: acme-7f3a
  accounts: {lake: {id: "111111111111"}, old: {id: "222222222222", retired: true}}
`,
			deploy: "xshare-deployer", read: "reader", path: "/", id: "acme-7f3a", condition: always,
			has: []string{
				"# partition aws.", "#   111111111111 lake\n", "#   222222222222 old\n", "for the repository acme,",
				"      RoleName: \"reader\"\n      Path: \"/audit/\"\n",
			},
			hasNot: []string{"Conditions:"},
		},
		"accounts that differ": {
			repository: head + `  deployRole: ci/deployer
  readRole: reader
  accounts:
    a: {id: "111111111111", deployRole: other, externalId: "a:1"}
    b: {id: "222222222222"}
    c: {id: "333333333333"}
    hand: {id: "444444444444", deployRole: none}
    partner: {id: "555555555555", manage: false}
`,
			deploy: "deployer", read: "reader", path: "/ci/", condition: sometimes,
			has: []string{
				`#   111111111111 a DeployRoleName="other" DeployRolePath="/" ExternalId="a:1"` + "\n", "#   222222222222 b\n",
				"#   not 444444444444 hand (deployRole: none)\n", "#   not 555555555555 partner (manage: false)\n",
				"Conditions:\n  AsksForExternalId: !Not [!Equals [!Ref ExternalId, \"\"]]\nResources:", "  ExternalId:\n    Type: String\n    Default: \"\"\n",
			},
		},
		"no read role, no external id, China": {
			repository: strings.Replace(head, "us-east-1", "cn-north-1", 1) + "  deployRole: deployer\n  accounts: {lake: {id: \"111111111111\"}}\n",
			deploy:     "deployer", path: "/",
			has:    []string{"# partition aws-cn."},
			hasNot: []string{"ExternalId", "Reader", "ReadRole", "Conditions:"},
		},
		"a path that means something to YAML": {
			repository: head + "  deployRole: 'a\"b\\c#{}<&>/deployer'\n  accounts: {lake: {id: \"111111111111\"}}\n",
			deploy:     "deployer", path: `/a"b\c#{}<&>/`,
			has: []string{`    Default: "/a\"b\\c#{}<&>/"` + "\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{"xshare.yaml": c.repository, "shares/none.yaml": ""})
			repo, problems, err := readRepository(dir)
			if repo == nil {
				t.Fatal(err, specs.Errors(problems))
			}
			text, err := bootstrapOf(repo)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{c.deploy: docs.DeployRolePolicy}
			if c.read != "" {
				want[c.read] = docs.ReadRolePolicy
			}
			got := policiesIn(t, text)
			if len(got) != len(want) {
				t.Fatalf("policies of %d roles, not %d:\n%s", len(got), len(want), text)
			}
			for role, policy := range want {
				if !slices.EqualFunc(permissionsOf(t, got[role]), permissionsOf(t, policy), samePermission) {
					t.Errorf("the policy of %s is not the documented one:\n%s", role, got[role])
				}
			}
			if path := defaultOf(t, text, "DeployRolePath"); path != c.path {
				t.Errorf("path %q, not %q", path, c.path)
			}
			if id := defaultOf(t, text, "ExternalId"); id != c.id {
				t.Errorf("external id %q, not %q", id, c.id)
			}
			if strings.Contains(text, `"arn:aws:`) {
				t.Error("an ARN of one partition")
			}
			for _, condition := range []string{always, sometimes} {
				n := 0
				if condition == c.condition {
					n = len(want)
				}
				if found := strings.Count(text, condition+"\n"); found != n {
					t.Errorf("%q is there %d times, not %d", condition, found, n)
				}
			}
			for _, part := range c.has {
				if !strings.Contains(text, part) {
					t.Errorf("lacks %q:\n%s", part, text)
				}
			}
			for _, part := range c.hasNot {
				if strings.Contains(text, part) {
					t.Errorf("has %q:\n%s", part, text)
				}
			}
		})
	}
}

// TestBootstrapExamples prints a template for each example.
func TestBootstrapExamples(t *testing.T) {
	for _, example := range []string{"many", "recipe"} {
		if got := bootstrapped(t, filepath.Join("..", "..", "examples", example)); got["xshare-deployer"] == "" {
			t.Errorf("%s: no policy of xshare-deployer in %v", example, got)
		}
	}
}
