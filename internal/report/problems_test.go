package report_test

import (
	"bytes"
	"testing"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/specs"
)

var someProblems = []specs.Problem{
	{Code: "end-of-support", Severity: specs.SeverityWarning, Source: specs.Pos{File: "shares/a.yaml", Line: 2, Col: 3}, Message: "image amazon-linux-2 has had no support since 2026-06-30", Mend: "use amazon-linux-2023"},
	{Code: "unknown-field", Severity: specs.SeverityError, Source: specs.Pos{File: "shares/b.yaml", Line: 10, Col: 5}, Message: `there is no field "acess"`, Mend: "did you mean access?"},
	{Code: "account-id", Severity: specs.SeverityError, Source: specs.Pos{File: "shares/b.yaml", Line: 9, Col: 12}, Message: "\"1111\x1b[8m\" is not 12 digits", Mend: ""},
	{Code: "unreadable", Severity: specs.SeverityError, Account: owner, Step: "s3.Bucket/111111111111/b", Message: "bucket b cannot be read", Mend: "allow it"},
	{Code: "unknown-field", Severity: specs.SeverityError, Source: specs.Pos{File: "shares/b.yaml", Line: 10, Col: 5}, Message: `there is no field "acess"`, Mend: "did you mean access?"},
	{Code: "no-repository", Severity: specs.SeverityError, Message: "there is no xshare.yaml", Mend: "write one"},
}

func TestProblems(t *testing.T) {
	tests := map[string]struct {
		problems []specs.Problem
		style    report.Style
	}{
		"plain":  {someProblems, report.Style{Width: 40}}, // lines stay whole all the same
		"colour": {someProblems, report.Style{Color: true}},
		"none":   {nil, report.Style{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := text(t, func(b *bytes.Buffer) error { return report.Problems(b, tt.problems, tt.style) })
			golden(t, "problems-"+name+".txt", got)
		})
	}
}

func TestValidate(t *testing.T) {
	valid := empty(t, recipeYAML, secondYAML).repo
	tests := map[string]struct {
		repo     *specs.Repository
		problems []specs.Problem
	}{
		"valid":    {valid, nil},
		"warnings": {valid, someProblems[:1]},
		"errors":   {nil, someProblems},
		"plan":     {valid, someProblems[1:2]}, // found by the plan, in specs that can be read
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := text(t, func(b *bytes.Buffer) error { return report.Validate(b, tt.repo, tt.problems, report.Style{}) })
			golden(t, "validate-"+name+".txt", got)
			got = text(t, func(b *bytes.Buffer) error { return report.ValidateJSON(b, tt.repo, tt.problems) })
			golden(t, "validate-"+name+".json", got)
		})
	}
}
