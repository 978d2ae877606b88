package specs

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	warning := Problem{Severity: SeverityWarning, Source: Pos{"a", 1, 1}, Message: "odd"}
	if err := Errors([]Problem{warning}); err != nil {
		t.Errorf("warnings alone make the error %v", err)
	}
	second := Problem{Severity: SeverityError, Source: Pos{"a", 10, 2}, Message: "wrong", Mend: "mend it"}
	first := Problem{Severity: SeverityError, Source: Pos{"a", 9, 12}, Message: "bad"}
	live := Problem{Severity: SeverityError, Step: "s3.Bucket/111111111111/b", Message: "gone", Mend: "make it"}
	err := Errors([]Problem{second, warning, first, live})
	const want = "s3.Bucket/111111111111/b: gone: make it\na:9:12: bad\na:10:2: wrong: mend it"
	if err == nil || err.Error() != want {
		t.Errorf("Errors:\n%v\nwant:\n%s", err, want)
	}
	var p Problem
	if !errors.As(err, &p) || p != live {
		t.Errorf("errors.As gives %+v, want the first problem", p)
	}
}

// A hostile file cannot make the list of problems grow without end.
func TestProblemsAreBounded(t *testing.T) {
	_, problems := Load(share(goodShare, strings.Repeat("- a\n---\n", 100_000)).fs())
	if len(problems) != maxProblemsPerFile+1 {
		t.Fatalf("%d problems", len(problems))
	}
	const want = "more than 1000 problems in this file, the rest is not shown"
	if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Message == want }) {
		t.Errorf("no problem says %q", want)
	}
}

// What is not in the text of a problem, but in its fields.
func TestProblemFields(t *testing.T) {
	tests := map[string]struct {
		files                files
		code, share, account string
	}{
		"form of a share":      {share("create: true", "create: 1"), "type", "sales", ""},
		"bucket":               {share("sales-data", "Sales"), "bucket-name", "sales", "111111111111"},
		"consumer":             {share("[read]", "[raed]"), "access", "sales", "222222222222"},
		"conflict":             {two("trust: ec2", "trust: lambda"), "conflict", "second", "222222222222"},
		"found when merged":    {share("        trust: ec2\n", ""), "trust", "sales", "222222222222"},
		"account":              {repo(`"222222222222"`, `"111111111111"`), "duplicate", "", "111111111111"},
		"repository":           {repo("acme-data", "ACME"), "name", "", ""},
		"text that is no YAML": {share("[read]", "[read"), "syntax", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(test.files.fs())
			if len(problems) != 1 {
				t.Fatalf("problems:%s", show(problems))
			}
			p := problems[0]
			if p.Code != test.code || p.Share != test.share || p.Account != test.account || p.Severity != SeverityError {
				t.Errorf("got %+v", p)
			}
		})
	}
}
