package simulate

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulate.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The guide's examples are real: each case has just the answer that follows it.
func TestDocExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```json (case|answer)\n(.*?)\n```").FindAllStringSubmatch(guide(t), -1)
	if len(blocks) < 20 || len(blocks)%2 != 0 {
		t.Fatalf("the guide has %d blocks of cases and answers", len(blocks))
	}
	for pair := range slices.Chunk(blocks, 2) {
		if pair[0][1] != "case" || pair[1][1] != "answer" {
			t.Fatalf("a case and its answer do not follow each other: %s", pair[0][2])
		}
		line := strings.ReplaceAll(pair[0][2], "\n", "")
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		if err := e.Encode(Case([]byte(line), 1, noon)); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(out.String()); got != pair[1][2] {
			t.Errorf("the answer is\n%s\nand the guide has\n%s", got, pair[1][2])
		}
	}
}

// The guide's check with jq holds for what it says, and for nothing else.
func TestDocCheck(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed")
	}
	found := regexp.MustCompile(`jq -e -s '(.*startswith.*)' answers.jsonl`).FindStringSubmatch(guide(t))
	if found == nil {
		t.Fatal("the guide has no check with jq")
	}
	const may, mayNot = `{"id":"may read","decision":"allowed","allowed":true}`, `{"id":"must not write","decision":"implicitDeny","allowed":false}`
	for name, tc := range map[string]struct {
		answers string
		holds   bool
	}{
		"as wanted":            {may + "\n" + mayNot, true},
		"no answers":           {"", false},
		"one is invalid":       {may + "\n" + `{"id":"must not delete","decision":"invalid","allowed":false}`, false},
		"one is denied":        {`{"id":"may read","decision":"explicitDeny","allowed":false}`, false},
		"one is allowed":       {`{"id":"must not write","decision":"allowed","allowed":true}`, false},
		"an id is no sentence": {`{"id":7,"decision":"allowed","allowed":true}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), jq, "-e", "-s", found[1])
			cmd.Stdin = strings.NewReader(tc.answers)
			if out, err := cmd.CombinedOutput(); (err == nil) != tc.holds {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// The guide's table has every field of a case, in the same order, and no other.
func TestDocFields(t *testing.T) {
	_, table, found := strings.Cut(guide(t), "<!-- fields: case -->\n\n")
	if !found {
		t.Fatal("the guide has no table of fields")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var fields []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		fields = append(fields, row[1])
	}
	if !slices.Equal(fields, caseFields) {
		t.Errorf("the guide has the fields\n%v\nand there are\n%v", fields, caseFields)
	}
}

// The guide's table of default keys has all that some request has, and no other.
func TestDocDefaultContext(t *testing.T) {
	_, table, found := strings.Cut(guide(t), "\n**Default context**")
	if !found {
		t.Fatal("the guide has no default context")
	}
	table, _, _ = strings.Cut(table, "\nA user with")
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\|([^|]+)\|`).FindAllStringSubmatch(table, -1) {
		for _, key := range regexp.MustCompile("`([a-z0-9]+:[A-Za-z]+)`").FindAllStringSubmatch(row[1], -1) {
			documented[key[1]] = true
		}
	}
	keys := map[string]bool{}
	for _, who := range []iampolicy.Caller{
		{Kind: iampolicy.Anonymous},
		{Kind: iampolicy.Service, ARN: "ec2.amazonaws.com"},
		{Kind: iampolicy.User, ARN: "arn:aws:iam::111111111111:user/ann", UniqueID: "AIDAEXAMPLEEXAMPLE12"},
		{Kind: iampolicy.Role, ARN: "arn:aws:iam::111111111111:role/r"},
	} {
		for action, resource := range map[string]string{"s3:GetObject": "arn:aws:s3:::b/x", "kms:Decrypt": "arn:aws:kms:eu-west-1:111111111111:key/k"} {
			for key := range iampolicy.DefaultContext(iampolicy.Request{Caller: who, Action: action, Resource: resource}, noon) {
				keys[key] = true
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
		t.Errorf("the guide has the keys\n%v\nand there are\n%v", got, want)
	}
}
