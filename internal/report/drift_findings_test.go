package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// drifted are live accounts that differ in all ways that there are, and what
// a sweep found in them.
func drifted(t *testing.T) (*plan.Changes, []specs.Problem) {
	w := applied(t, recipeYAML, secondYAML)
	w.replace(`"s3:PutObject"`, `"s3:PutObject*"`)
	snap := w.snapshots[consumer]
	snap.Instances[0].Type = "m5.large"
	delete(snap.Profiles, role)
	delete(snap.Roles["reports"].Tags, plan.RepositoryTag)
	snap.Roles[role].Path = "/team/"
	snap.Roles["left"] = &plan.LiveRole{Role: plan.Role{Name: "left", Path: "/", Tags: map[string]string{plan.RepositoryTag: "acme-data"}}}
	snap.Roles["left"].Attached = []string{policy}
	w.snapshots[lab].Unsearched = []string{"their-bucket"}
	changes := w.compare(plan.Options{})
	changes.Access = plan.Access{
		Gained: []plan.AccessEntry{{Principal: roleARN, Action: "s3:PutObject", Resource: "arn:aws:s3:::mybucket2share/*", Step: "s3.BucketPolicy/" + owner + "/mybucket2share"}},
		Lost:   []plan.AccessEntry{{Principal: roleARN, Action: "s3:PutObject*", Resource: "arn:aws:s3:::mybucket2share/*", Step: "s3.BucketPolicy/" + owner + "/mybucket2share"}},
	}
	return changes, plan.Orphans(w.plan, w.snapshots)
}

// unreadAccounts are those that nothing is known of, one of them for orphans only.
func unreadAccounts(t *testing.T) (*plan.Changes, []specs.Problem) {
	w := applied(t, recipeYAML)
	w.snapshots[owner] = unread(owner)
	return w.compare(plan.Options{}), []specs.Problem{{
		Code: "unreadable", Severity: specs.SeverityError, Account: lab, Source: specs.Pos{File: "xshare.yaml", Line: 10, Col: 5},
		Message: "account " + lab + " cannot be searched for orphans: \x1b[31mAccessDenied", Mend: "allow it",
	}}
}

func TestDriftSARIF(t *testing.T) {
	bucketPolicy := "shares/shares.yaml"
	tests := map[string]struct {
		world func(*testing.T) (*plan.Changes, []specs.Problem)
		want  []string // rule, level, place
	}{
		"many": {drifted, []string{
			"role-path error infra/shares/shares.yaml:8",
			"drift-opens error infra/" + bucketPolicy + ":7",
			"orphan warning infra/xshare.yaml:1",
			"not-searched warning infra/xshare.yaml:1",
			"drift-unstated warning infra/xshare.yaml:1",
			"drift-missing warning infra/shares/shares.yaml:8",
			"instance-differs warning infra/shares/shares.yaml:12",
			"not-ours warning infra/shares/shares.yaml:21",
		}},
		"unread": {unreadAccounts, []string{
			"unreadable error infra/xshare.yaml:8",
			"unreadable error infra/xshare.yaml:10",
		}},
		"none": {func(t *testing.T) (*plan.Changes, []specs.Problem) {
			return applied(t, recipeYAML).compare(plan.Options{}), nil
		}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes, more := tt.world(t)
			out := text(t, func(b *bytes.Buffer) error { return report.DriftSARIF(b, "infra", "v1.2.3", changes, more) })
			var log sarifLog
			if err := json.Unmarshal(out, &log); err != nil {
				t.Fatal(err)
			}
			run := log.Runs[0]
			var got []string
			for _, r := range run.Results {
				at := r.Locations[0].PhysicalLocation
				got = append(got, r.RuleID+" "+r.Level+" "+specs.Pos{File: at.ArtifactLocation.URI, Line: at.Region.StartLine}.String())
				if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
					t.Errorf("%s has the rule of %s", r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
				}
				if strings.ContainsAny(r.Message.Text, "\x1b\n") || !strings.Contains(r.Message.Text, ": ") {
					t.Errorf("message %q", r.Message.Text)
				}
			}
			for i := range got { // columns are the existing test's
				got[i] = strings.TrimSuffix(got[i], ":0")
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, rule := range run.Tool.Driver.Rules {
				if strings.HasPrefix(rule.ID, "drift-") && !strings.Contains(rule.Help.Text, "xshare apply") {
					t.Errorf("rule %+v does not say how to mend it", rule)
				}
			}
		})
	}
}

// What lets somebody in is said, and what is missing.
func TestDriftSARIFSaysWhoseAccess(t *testing.T) {
	changes, more := drifted(t)
	out := string(text(t, func(b *bytes.Buffer) error { return report.DriftSARIF(b, "", "v1", changes, more) }))
	want := "bucket policy mybucket2share in lake (111111111111) differs; no spec states this access: 222222222222:role/ec2role2accessmybucket2share: PutObject* on mybucket2share/*; " +
		"this access is missing: 222222222222:role/ec2role2accessmybucket2share: PutObject on mybucket2share/*: run `xshare apply`, which takes that access away; or state it in a spec"
	if !strings.Contains(out, want) {
		t.Errorf("lacks %q:\n%s", want, out)
	}
}

func TestDriftJUnit(t *testing.T) {
	for name, world := range map[string]func(*testing.T) (*plan.Changes, []specs.Problem){
		"many":   drifted,
		"unread": unreadAccounts,
		"none": func(t *testing.T) (*plan.Changes, []specs.Problem) {
			return applied(t, recipeYAML).compare(plan.Options{}), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			changes, more := world(t)
			got := text(t, func(b *bytes.Buffer) error { return report.DriftJUnit(b, changes, more) })
			golden(t, "drift-"+name+".junit.xml", got)
			sums(t, got)
		})
	}
}

// sums holds the counts of a report to its cases.
func sums(t *testing.T, text []byte) {
	t.Helper()
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var all struct {
		counts
		Suites []struct {
			counts
			Cases []struct {
				Err    *struct{} `xml:"error"`
				Failed *struct{} `xml:"failure"`
				Left   *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var total counts
	for _, s := range all.Suites {
		var n counts
		for _, c := range s.Cases {
			n.Tests++
			if c.Failed != nil {
				n.Failures++
			}
			if c.Err != nil {
				n.Errors++
			}
			if c.Left != nil {
				n.Skipped++
			}
		}
		if n != s.counts {
			t.Errorf("a suite says %+v and has %+v", s.counts, n)
		}
		total = counts{total.Tests + n.Tests, total.Failures + n.Failures, total.Errors + n.Errors, total.Skipped + n.Skipped}
	}
	if total != all.counts {
		t.Errorf("the report says %+v and has %+v", all.counts, total)
	}
}
