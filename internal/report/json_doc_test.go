package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
)

// The page for people who write scripts, docs/json.md, is held to the program:
// its fields to the structs that are written, its values and codes to the
// constants. That its examples run is seen to where the commands are.

func jsonDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docTables are the rows of the page's tables that follow a comment of a kind,
// such as "<!-- fields: plan -->", by the comment's name.
func docTables(t *testing.T, kind string) map[string][][]string {
	t.Helper()
	tables := map[string][][]string{}
	for _, section := range strings.Split(jsonDoc(t), "<!-- "+kind+": ")[1:] {
		name, rest, _ := strings.Cut(section, " -->\n\n")
		table, _, _ := strings.Cut(rest, "\n\n")
		if tables[name] != nil {
			t.Errorf("two tables of %s are named %s", kind, name)
		}
		tables[name] = [][]string{}
		for _, line := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if len(cells[len(cells)-1]) < 3 {
				t.Errorf("%s: %s is not explained", name, cells[0])
			}
			tables[name] = append(tables[name], cells)
		}
	}
	if len(tables) == 0 {
		t.Fatalf("the page has no tables of %s", kind)
	}
	return tables
}

var docDocuments = map[string]any{
	"plan": plan.Document{}, "options": plan.DocumentOptions{}, "summary": plan.Summary{},
	"step": plan.StepDocument{}, "part": plan.PartDocument{}, "access": plan.Access{}, "entry": plan.AccessEntry{},
	"problem": plan.ProblemDocument{}, "ref": plan.Ref{},
	"validate": validateDocument{},
	"verify":   verifyDocument{}, "counts": verifyCounts{}, "grant": grantDocument{}, "check": checkDocument{},
	"cause": causeDocument{}, "probe": probeDocument{}, "call": callDocument{},
	"explain": explainDocument{}, "explanation": explanationDocument{}, "screen": screenDocument{}, "side": partDocument{},
	"root": rootDocument{}, "fragment": fragmentDocument{},
}

// Each table has every field of a document, in the order in which it is
// written, with its type, and no other.
func TestJSONDocFields(t *testing.T) {
	tables := docTables(t, "fields")
	for name, document := range docDocuments {
		var got []string
		for _, row := range tables[name] {
			got = append(got, strings.Trim(row[0], "`")+": "+row[1])
		}
		if diff := cmp.Diff(docFields(t, reflect.TypeOf(document)), got); diff != "" {
			t.Errorf("fields of %s: -what is written +docs/json.md\n%s", name, diff)
		}
	}
	for name := range tables {
		if docDocuments[name] == nil {
			t.Errorf("the page has a table of fields that is nobody's: %s", name)
		}
	}
}

// docFields are the fields of a struct, as "name: type".
func docFields(t *testing.T, of reflect.Type) []string {
	t.Helper()
	var list []string
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			list = append(list, docFields(t, f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case name == "":
			t.Errorf("%s.%s has no name in JSON", of, f.Name)
		}
		text := name + ": " + docType(t, f.Type)
		if options == "omitempty" {
			text += ", or absent"
		}
		list = append(list, text)
	}
	return list
}

func docType(t *testing.T, of reflect.Type) string {
	t.Helper()
	switch of.Kind() {
	case reflect.String:
		return "string"
	case reflect.Int:
		return "number"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct:
		return "object"
	case reflect.Pointer, reflect.Interface:
		return "object, or null"
	case reflect.Map:
		if of.Elem().Kind() == reflect.String {
			return "object of strings"
		}
	case reflect.Slice:
		if of == reflect.TypeFor[json.RawMessage]() {
			return "object, or null"
		}
		if of.Elem().Kind() == reflect.Struct {
			return "list of objects"
		}
		return "list of " + docType(t, of.Elem()) + "s"
	}
	t.Errorf("the page has no word for %s", of)
	return ""
}

// The states of resources in before and after: a field with a question mark may
// be absent.
func TestJSONDocResources(t *testing.T) {
	var want []string
	for _, r := range []struct {
		of    plan.Type
		state plan.Resource
	}{
		{plan.TypeBucket, plan.Bucket{}},
		{plan.TypeBucketPolicy, plan.BucketPolicy{}},
		{plan.TypeRole, plan.Role{}},
		{plan.TypePolicy, plan.Policy{}},
		{plan.TypeAttachment, plan.Attachment{}},
		{plan.TypeInstanceProfile, plan.InstanceProfile{}},
		{plan.TypeInstance, plan.Instance{}},
		{plan.TypeAssociation, plan.Association{}},
	} {
		var fields []string
		for _, field := range docFields(t, reflect.TypeOf(r.state)) {
			name, kind, _ := strings.Cut(field, ": ")
			text := "`" + name + "`"
			if strings.HasSuffix(kind, ", or absent") {
				text += "?"
			}
			fields = append(fields, text)
		}
		want = append(want, fmt.Sprintf("`%s`: %s", r.of, strings.Join(fields, ", ")))
	}
	var got []string
	for _, row := range docTables(t, "states")["resources"] {
		got = append(got, row[0]+": "+row[1])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-what is written +docs/json.md\n%s", diff)
	}
	if types := constants(t, "../../plan", ofType("Type"), "step.go"); len(types) != len(want) {
		t.Errorf("there are the step types %v", types)
	}
}

// Where a field takes few values, its row names them all.
func TestJSONDocValues(t *testing.T) {
	tables := docTables(t, "fields")
	row := func(table, field string) string {
		for _, r := range tables[table] {
			if r[0] == "`"+field+"`" {
				return r[2]
			}
		}
		return ""
	}
	for field, want := range map[string][]string{
		"step action":         constants(t, "../../plan", ofType("Action")),
		"step type":           constants(t, "../../plan", ofType("Type"), "step.go"),
		"step result":         constants(t, "../../executor", ofType("Status")),
		"problem severity":    constants(t, "../../specs", ofType("Severity")),
		"grant verdict":       constants(t, "../proof", ofType("Verdict")),
		"check verdict":       constants(t, "../proof", ofType("Verdict")),
		"explain verdict":     constants(t, "../proof", ofType("Verdict")),
		"explanation verdict": constants(t, "../proof", ofType("Verdict")),
		"probe verdict":       constants(t, "../../executor", ofType("ProbeVerdict")),
		"side state":          constants(t, "../proof", ofType("State")),
		"side side":           constants(t, "../proof", func(name, kind string) bool { return kind == "" && regexp.MustCompile(`^Part[A-Z]`).MatchString(name) }, "explain.go"),
	} {
		table, name, _ := strings.Cut(field, " ")
		text := row(table, name)
		if len(want) < 2 {
			t.Errorf("%s: the values %v were found", field, want)
		}
		for _, value := range want {
			if !strings.Contains(text, "`"+value+"`") {
				t.Errorf("%s of %s: the page does not name %q", name, table, value)
			}
		}
	}
}

// The page's tables of codes have all that there are, and no other.
func TestJSONDocCodes(t *testing.T) {
	causes := constants(t, "../proof", ofType("Code"))
	lints := constants(t, "../proof", ofType("Code"), "lint_table.go")
	causes = slices.DeleteFunc(causes, func(code string) bool {
		return slices.Contains(lints, code) || code == "kms-not-checked" // which is a problem
	})
	of := constants(t, "../../specs", func(name, _ string) bool { return strings.HasPrefix(name, "code") }, "codes.go")
	planned := append(given(t, "../../plan", "../proof/access", "../../cmd/xshare"), "kms-not-checked")
	planned = slices.DeleteFunc(planned, func(code string) bool { return code == "stale-plan" }) // which stderr alone tells
	for name, want := range map[string][]string{"causes": causes, "specs": of, "plan": planned} {
		var got []string
		for _, row := range docTables(t, "codes")[name] {
			got = append(got, strings.Trim(row[0], "`"))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
			t.Errorf("codes of %s: -code +docs/json.md\n%s", name, diff)
		}
	}
}
