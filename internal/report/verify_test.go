package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
)

var probes = map[string]executor.ProbeResult{
	"mybucket2share/222222222222/ec2role2accessmybucket2share": {
		Verdict: executor.ProbeWorks, Via: "metadata of i-0123456789abcdef0",
		Calls: []executor.ProbeCall{
			{As: "role", Operation: "PutObject", Resource: "mybucket2share/.xshare-probe-1f2e", Expected: "allowed", OK: true},
			{As: "role", Operation: "ListObjectsV2", Resource: "mybucket2share", Expected: "allowed", OK: true},
			{As: "role", Operation: "DeleteObject", Resource: "mybucket2share/.xshare-probe-1f2e", Expected: "denied", OK: true, Code: "AccessDenied"},
			{As: "owner", Operation: "DeleteObject", Resource: "mybucket2share/.xshare-probe-1f2e", Expected: "allowed", OK: true},
		},
	},
	"nightly-reports/222222222222/reports": {
		Verdict: executor.ProbeNotProbed, Reason: "the trust policy of reports lets only lambda.amazonaws.com assume it",
	},
}

func TestVerify(t *testing.T) {
	failing := map[string]executor.ProbeResult{"mybucket2share/222222222222/ec2role2accessmybucket2share": {
		Verdict: executor.ProbeFails, Via: "AssumeRole", Reason: "PutObject was denied",
		Calls: []executor.ProbeCall{
			{As: "role", Operation: "PutObject", Resource: "mybucket2share/.xshare-probe-1f2e", Expected: "allowed", Code: "AccessDenied"},
			{As: "role", Operation: "GetObject", Resource: "mybucket2share/secret", Expected: "denied"},
		},
	}}
	tests := map[string]struct {
		world  func(*testing.T) *world
		probes map[string]executor.ProbeResult
		style  report.Style
	}{
		"allowed":        {world: func(t *testing.T) *world { return applied(t, recipeYAML, secondYAML) }, style: report.Style{Width: 80}},
		"allowed-colour": {world: func(t *testing.T) *world { return applied(t, recipeYAML, secondYAML) }, probes: probes, style: report.Style{Width: 80, Color: true}},
		"probed":         {world: func(t *testing.T) *world { return applied(t, recipeYAML, secondYAML) }, probes: probes, style: report.Style{Width: 80}},
		"disproved":      {world: func(t *testing.T) *world { return applied(t, recipeYAML, secondYAML) }, probes: failing, style: report.Style{Width: 80}},
		"denied": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, secondYAML)
				w.replace("222222222222:role/ec2role", "222222222223:role/ec2role")
				w.snapshots[consumer].Instances[0].ProfileARN = ""
				w.snapshots[consumer].Roles["reports"].Boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
				return w
			},
			probes: failing, style: report.Style{Width: 80},
		},
		"nothing": {world: func(t *testing.T) *world { return empty(t) }, style: report.Style{Width: 80}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := tt.world(t)
			proofs := proof.Live(w.plan, w.snapshots)
			got := text(t, func(b *bytes.Buffer) error { return report.Verify(b, proofs, tt.probes, tt.style) })
			golden(t, "verify-"+name+".txt", got)
		})
	}
}

// Where not all of a grant is denied, its first line says what is.
func TestVerifyTellsWhatIsDenied(t *testing.T) {
	check := func(action string, v proof.Verdict) proof.Check { return proof.Check{Action: action, Verdict: v} }
	for name, tt := range map[string]struct {
		checks []proof.Check
		want   string
	}{
		"one of three": {[]proof.Check{check("s3:GetObject", proof.Allowed), check("s3:ListBucket", proof.NotChecked), check("s3:PutObject", proof.Denied)}, "acct/reader: read, write (1 of 3 denied: s3:PutObject)"},
		"in part":      {[]proof.Check{check("s3:GetObject", proof.Allowed), check("s3:GetObject", proof.Denied)}, "acct/reader: read, write (1 of 1 denied: s3:GetObject in part)"},
		"all":          {[]proof.Check{check("s3:GetObject", proof.Denied), check("sts:AssumeRole", proof.Allowed)}, "acct/reader: read, write\n"},
		"the role":     {[]proof.Check{check("s3:GetObject", proof.Allowed), check("sts:AssumeRole", proof.Denied)}, "acct/reader: read, write\n"},
	} {
		t.Run(name, func(t *testing.T) {
			proofs := []proof.GrantProof{{
				Share: "events", Consumer: "acct/reader", Bucket: "b", Promise: "read, write", Verdict: proof.Denied, Checks: tt.checks,
				Causes: []proof.Cause{{Code: proof.ExplicitDeny, Message: "a Deny", Mend: "mend it"}},
			}}
			got := string(text(t, func(b *bytes.Buffer) error { return report.Verify(b, proofs, nil, report.Style{Width: 120}) }))
			if !strings.Contains(got, tt.want) {
				t.Errorf("%q is not in\n%s", tt.want, got)
			}
			junit := string(text(t, func(b *bytes.Buffer) error { return report.VerifyJUnit(b, proofs, nil) }))
			if _, some, ok := strings.Cut(strings.TrimSuffix(tt.want, ")"), "("); ok != strings.Contains(junit, "denied:") || !strings.Contains(junit, some) {
				t.Errorf("%q is not in\n%s", some, junit)
			}
		})
	}
}

func TestVerifyJUnit(t *testing.T) {
	w := applied(t, recipeYAML, secondYAML)
	w.replace("222222222222:role/ec2role", "222222222223:role/ec2role")
	delete(w.snapshots, "222222222222")
	unproved := proof.Live(w.plan, w.snapshots)
	w = applied(t, recipeYAML, secondYAML)
	w.replace("222222222222:role/ec2role", "222222222223:role/ec2role")
	tests := map[string]struct {
		proofs []proof.GrantProof
		probes map[string]executor.ProbeResult
	}{
		"denied": {proofs: proof.Live(w.plan, w.snapshots), probes: probes},
		"not-checked": {proofs: unproved, probes: map[string]executor.ProbeResult{
			"nightly-reports/222222222222/reports": {Verdict: executor.ProbeFails, Reason: "PutObject was \x1b[31mdenied <&\""},
		}},
		"nothing": {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			golden(t, "verify-"+name+".junit.xml", text(t, func(b *bytes.Buffer) error { return report.VerifyJUnit(b, tt.proofs, tt.probes) }))
		})
	}
}

func TestVerifyJSON(t *testing.T) {
	w := applied(t, recipeYAML, secondYAML)
	w.replace("222222222222:role/ec2role", "222222222223:role/ec2role")
	proofs := proof.Live(w.plan, w.snapshots)
	got := text(t, func(b *bytes.Buffer) error { return report.VerifyJSON(b, proofs, probes) })
	if strings.Contains(string(got), "null,") || strings.Contains(string(got), ": null") && !strings.Contains(string(got), `"probe": null`) {
		t.Errorf("a list is null in %s", got)
	}
	golden(t, "verify.json", got)

	var none struct{ Grants []any }
	if err := json.Unmarshal(text(t, func(b *bytes.Buffer) error { return report.VerifyJSON(b, nil, nil) }), &none); err != nil || none.Grants == nil {
		t.Errorf("without grants: %v, %v", none, err)
	}
}
