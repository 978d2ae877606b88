package report

import (
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/specs"
)

// The parts of a SARIF log that are written here.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifText    `json:"shortDescription"`
		Help             sarifText    `json:"help"`
		Configuration    sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

const project = "https://github.com/xshare/xshare"

// SARIF writes problems as a SARIF 2.1.0 log of one run, for code scanning.
// Rules are those of the problems, by code. URIs are relative: base, with
// slashes, is the repository's root as seen from where they start; empty: that
// place itself. A problem without a place is shown at the repository's file.
func SARIF(w io.Writer, base, version string, problems []specs.Problem) error {
	errors, warnings := split(problems)
	all := slices.Concat(errors, warnings)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "xshare", Version: version, InformationURI: project, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints", Results: make([]sarifResult, 0, len(all)),
	}
	index := map[string]int{}
	for _, problem := range all {
		i, known := index[problem.Code]
		if !known {
			i = len(index)
			index[problem.Code] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(problem))
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: problem.Code, RuleIndex: i, Level: string(problem.Severity),
			Message:   sarifText{unlinked(strings.TrimPrefix(colonBefore(clean(problem.Message), clean(problem.Mend)), ": "))},
			Locations: []sarifLocation{sarifLocationOf(base, problem.Source)},
		})
	}
	return writeJSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// unlinked is a text without links: SARIF has them in plain text too, as
// [text](address), and a name in a spec may read so.
func unlinked(text string) string { return strings.ReplaceAll(text, "](", "] (") }

// sarifRuleOf is the rule of a problem's code: its lint or difference, where
// there is one; of other problems each says itself what is wrong.
func sarifRuleOf(problem specs.Problem) sarifRule {
	rule := sarifRule{
		ID:               problem.Code,
		ShortDescription: sarifText{strings.ReplaceAll(problem.Code, "-", " ")},
		Help:             sarifText{"The message says what is wrong and how to mend it. What may stand in a spec: " + project + "/blob/main/docs/specs.md"},
		Configuration:    sarifDefault{string(problem.Severity)},
	}
	if lint, ok := proof.LintOf(problem.Code); ok {
		rule.ShortDescription.Text = asSentence(lint.Cause)
		rule.Help.Text = asSentence(lint.Cause) + " To mend it: " + lint.Mend + ". All lints: " + project + "/blob/main/docs/lints.md"
	}
	if drift, ok := driftRules[problem.Code]; ok {
		rule.ShortDescription.Text = asSentence(drift.cause)
		rule.Help.Text = asSentence(drift.cause) + " To mend it: " + drift.mend + "."
	}
	return rule
}

// asSentence is a text with a capital and a full stop.
func asSentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

func sarifLocationOf(base string, at specs.Pos) sarifLocation {
	if at.File == "" {
		at.File = specs.RepositoryFile
	}
	uri := url.URL{Path: path.Join(base, at.File)}
	return sarifLocation{sarifPhysical{
		// A colon in the first part would be taken for a scheme's: String writes "./" before it.
		Artifact: sarifArtifact{uri.String()},
		Region:   sarifRegion{max(at.Line, 1), max(at.Col, 1)},
	}}
}
