package specs_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The reference for users, docs/specs.md, is held to the program: its tables,
// its repository and its errors.

// referenceText is docs/specs.md.
func referenceText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/specs.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are the cells of the first table of a text, without its head.
func rows(text string) [][]string {
	var table [][]string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		switch {
		case len(cells) > 3:
			row := cells[1 : len(cells)-1]
			for i := range row {
				row[i] = strings.TrimSpace(row[i])
			}
			table = append(table, row)
		case len(table) > 0:
			return table[2:]
		}
	}
	return nil
}

func TestReferenceHasEveryField(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Properties map[string]json.RawMessage
			Required   []string
		} `json:"$defs"`
	}
	if err := json.Unmarshal(specs.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]bool{} // object -> field -> needed
	for name, def := range schema.Defs {
		if def.Properties == nil {
			continue
		}
		want[name] = map[string]bool{}
		for field := range def.Properties {
			want[name][field] = slices.Contains(def.Required, field)
		}
	}
	got := map[string]map[string]bool{}
	for _, section := range strings.Split(referenceText(t), "<!-- fields: ")[1:] {
		name, rest, _ := strings.Cut(section, " -->")
		got[name] = map[string]bool{}
		for _, row := range rows(rest) {
			got[name][strings.Trim(row[0], "`")] = row[1] == "yes"
			if len(row[2]) < 5 {
				t.Errorf("%s of %s is not explained", row[0], name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-schema.json +docs/specs.md, true: the field is needed\n%s", diff)
	}
}

var fenced = regexp.MustCompile("(?ms)^```(yaml|json|text) ?(\\S*)\n(.*?)^```$")

// The YAML before the heading "Errors" is one repository without a problem.
// Each file after it makes the problems that stand below it.
func TestReferenceExamples(t *testing.T) {
	good, bad, found := strings.Cut(referenceText(t), "\n## Errors\n")
	if !found {
		t.Fatal("docs/specs.md has no heading Errors")
	}
	repository := fstest.MapFS{}
	for _, m := range fenced.FindAllStringSubmatch(good, -1) {
		repository[m[2]] = &fstest.MapFile{Data: []byte(m[3])}
	}
	repo, problems := specs.Load(repository)
	if len(problems) > 0 || len(repo.Shares) != 4 {
		t.Errorf("the repository of the page: %s", shown(problems))
	}
	blocks := fenced.FindAllStringSubmatch(bad, -1)
	if len(blocks) < 6 || len(blocks)%2 != 0 {
		t.Fatalf("%d blocks below the heading Errors", len(blocks))
	}
	for i := 0; i < len(blocks); i += 2 {
		repository[blocks[i][2]] = &fstest.MapFile{Data: []byte(blocks[i][3])}
		_, problems := specs.Load(repository)
		if diff := cmp.Diff(blocks[i+1][3], shown(problems)); diff != "" {
			t.Errorf("-docs/specs.md +Load\n%s", diff)
		}
	}
}

func shown(problems []specs.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		if p.Severity == specs.SeverityWarning {
			p.Message = "warning: " + p.Message // as the command line has it
		}
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}

func TestReferenceAccessTable(t *testing.T) {
	_, text, _ := strings.Cut(referenceText(t), "\n## Access\n")
	table := rows(text)
	if len(table) != 5 {
		t.Fatalf("the access table has %d rows", len(table))
	}
	for _, row := range table {
		word := strings.Trim(row[0], "`")
		repo, problems := specs.Load(fstest.MapFS{
			"xshare.yaml": {Data: []byte(`
apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: deployer
  accounts: {a: {id: "111111111111"}, b: {id: "222222222222"}}
`)},
			"shares/a.yaml": {Data: []byte(`
apiVersion: xshare/v1
kind: Share
metadata: {name: s}
spec:
  bucket: {name: bucket, account: a}
  consumers: [{account: b, role: {name: r}, access: ` + word + `}]
`)},
		})
		if err := specs.Errors(problems); err != nil {
			t.Fatal(err)
		}
		p, _ := plan.Build(repo, func(string) bool { return true })
		got := map[string][]string{}
		for _, pair := range p.Grants[0].Pairs {
			for _, resource := range pair.Statement.Resource {
				got[resource] = append(got[resource], pair.Statement.Action...)
			}
		}
		for i, resource := range []string{"arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"} {
			var want []string
			for _, action := range strings.Split(row[i+1], ", ") {
				if action != "" {
					want = append(want, "s3:"+strings.TrimPrefix(action, "s3:"))
				}
			}
			slices.Sort(want)
			slices.Sort(got[resource])
			if !slices.Equal(want, got[resource]) {
				t.Errorf("%s on %s: the page says %q, the plan %q", word, resource, want, got[resource])
			}
		}
	}
}
