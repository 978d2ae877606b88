package report_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/specs"
)

type sarifLog struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, Version, InformationURI string
				Rules                         []struct {
					ID                     string
					ShortDescription, Help struct{ Text string }
					DefaultConfiguration   struct{ Level string }
				}
			}
		}
		ColumnKind string
		Results    []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn int }
				}
			}
		}
	}
}

func TestSARIF(t *testing.T) {
	problems := []specs.Problem{
		{Code: "for-all-values", Severity: specs.SeverityWarning, Source: specs.Pos{File: "trust/a b.json", Line: 3, Col: 7}, Message: "holds where the key is absent", Mend: "write ForAnyValue"},
		{Code: "public-trust", Severity: specs.SeverityError, Source: specs.Pos{File: "trust/t.json", Line: 2, Col: 5}, Message: "lets everybody in\x1b[31m", Mend: "name the principals"},
		{Code: "unknown-field", Severity: specs.SeverityError, Source: specs.Pos{File: "shares/s.yaml", Line: 4, Col: 1}, Message: "no such field"},
		{Code: "public-trust", Severity: specs.SeverityError, Source: specs.Pos{File: "trust/t.json", Line: 9, Col: 5}, Message: "lets everybody in", Mend: "name the principals"},
		{Code: "policy-too-large", Severity: specs.SeverityError, Message: "too large"},
	}
	for name, c := range map[string]struct {
		base string
		uris []string
	}{
		"at the root":    {"", []string{"xshare.yaml", "shares/s.yaml", "trust/t.json", "trust/t.json", "trust/a%20b.json"}},
		"in a directory": {"infra/x", []string{"infra/x/xshare.yaml", "infra/x/shares/s.yaml", "infra/x/trust/t.json", "infra/x/trust/t.json", "infra/x/trust/a%20b.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.SARIF(&out, c.base, "v1.2.3", problems); err != nil {
				t.Fatal(err)
			}
			var log sarifLog
			if err := json.Unmarshal(out.Bytes(), &log); err != nil {
				t.Fatal(err)
			}
			if log.Version != "2.1.0" || !strings.Contains(log.Schema, "sarif-2.1.0") || len(log.Runs) != 1 {
				t.Fatalf("not a SARIF 2.1.0 log of one run: %s", out.String())
			}
			run := log.Runs[0]
			driver := run.Tool.Driver
			if driver.Name != "xshare" || driver.Version != "v1.2.3" || driver.InformationURI == "" || run.ColumnKind != "unicodeCodePoints" {
				t.Errorf("driver %+v, columns %s", driver, run.ColumnKind)
			}
			var ids []string
			for _, rule := range driver.Rules {
				ids = append(ids, rule.ID)
				if rule.Help.Text == "" || rule.ShortDescription.Text == "" || !slices.Contains([]string{"error", "warning"}, rule.DefaultConfiguration.Level) {
					t.Errorf("rule without help, description or level: %+v", rule)
				}
			}
			if want := []string{"policy-too-large", "unknown-field", "public-trust", "for-all-values"}; !slices.Equal(ids, want) {
				t.Errorf("rules %v, want %v", ids, want)
			}
			var uris []string
			for _, r := range run.Results {
				if driver.Rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" || len(r.Locations) != 1 {
					t.Errorf("result %+v", r)
				}
				at := r.Locations[0].PhysicalLocation
				if u, err := url.Parse(at.ArtifactLocation.URI); err != nil || u.IsAbs() || strings.HasPrefix(u.Path, "/") {
					t.Errorf("uri %q is not relative: %v", at.ArtifactLocation.URI, err)
				}
				if at.Region.StartLine < 1 || at.Region.StartColumn < 1 {
					t.Errorf("region %+v", at.Region)
				}
				uris = append(uris, at.ArtifactLocation.URI)
			}
			if diff := cmp.Diff(c.uris, uris); diff != "" {
				t.Error(diff)
			}
			if got := run.Results[2]; got.Level != "error" || !strings.HasPrefix(got.Message.Text, "lets everybody in") || !strings.HasSuffix(got.Message.Text, ": name the principals") {
				t.Errorf("result %+v", got)
			}
			if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), `\u001b`) {
				t.Error("an escape got through")
			}
		})
	}
}

// A message may come with a pull request: it links nowhere.
func TestSARIFLinksNowhere(t *testing.T) {
	var out bytes.Buffer
	problem := specs.Problem{Code: "x", Severity: specs.SeverityError, Message: "[click](https://example.com)", Mend: "[me](1)"}
	if err := report.SARIF(&out, "", "v1", []specs.Problem{problem}); err != nil {
		t.Fatal(err)
	}
	if want := `"text": "[click] (https://example.com): [me] (1)"`; !strings.Contains(out.String(), want) {
		t.Errorf("lacks %s: %s", want, out.String())
	}
}

func TestSARIFOfNothing(t *testing.T) {
	var out bytes.Buffer
	if err := report.SARIF(&out, "", "v1", nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"results": []`, `"rules": []`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
}
