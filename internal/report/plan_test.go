package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const denyHTTP = `{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::mybucket2share","arn:aws:s3:::mybucket2share/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`

// keptOut is the grant of thirdYAML, refused.
var keptOut = plan.Refusal{Share: "science", Consumer: lab + "/science", Problems: []specs.Problem{{
	Code: "kms-key-policy-lacks", Severity: specs.SeverityError, Share: "science", Account: owner,
	Step: "s3.BucketPolicy/" + owner + "/mybucket2share", Source: specs.Pos{File: "shares/third.yaml", Line: 8, Col: 7},
	Message: "the policy of the key does not allow kms:Decrypt to the role", Mend: "add a statement",
}}}

func TestPlan(t *testing.T) {
	tests := map[string]struct {
		world func(*testing.T) *world
		opts  plan.Options
		more  []specs.Problem
		style report.Style
	}{
		"create":        {world: func(t *testing.T) *world { return empty(t, recipeYAML) }, style: report.Style{Width: 80}},
		"create-colour": {world: func(t *testing.T) *world { return empty(t, recipeYAML) }, style: report.Style{Width: 80, Color: true}},
		"create-two":    {world: func(t *testing.T) *world { return empty(t, recipeYAML, secondYAML) }, style: report.Style{Width: 80}},
		"nothing":       {world: func(t *testing.T) *world { return applied(t, recipeYAML) }, style: report.Style{Width: 80}},
		"second-share": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, secondYAML)
				w.snapshots = applied(t, recipeYAML).snapshots
				w.foreign(denyHTTP)
				return w
			},
			style: report.Style{Width: 80},
		},
		"share-gone": {
			world: func(t *testing.T) *world {
				w := empty(t, secondYAML)
				w.snapshots = applied(t, recipeYAML, secondYAML).snapshots
				return w
			},
			style: report.Style{Width: 80, Color: true},
		},
		"update": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.foreign(denyHTTP)
				w.replace(`"s3:PutObject"`, `"s3:PutObjectAcl"`)
				r := w.snapshots[consumer].Roles[role]
				r.Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
				delete(r.Tags, plan.ShareTag)
				w.snapshots[consumer].Profiles[role].Role = ""
				return w
			},
			style: report.Style{Width: 80},
		},
		"errors": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, secondYAML)
				w.snapshots[owner] = unread(owner)
				delete(w.snapshots[consumer].Roles[role].Tags, plan.RepositoryTag)
				w.snapshots[consumer].Roles["reports"].Tags[plan.RepositoryTag] = "other"
				w.snapshots[consumer].Instances[0].Type = "m5.large"
				return w
			},
			more: []specs.Problem{{
				Code: "end-of-support", Severity: specs.SeverityWarning, Source: specs.Pos{File: "shares/shares.yaml", Line: 12, Col: 11},
				Message: "image amazon-linux-2 has had no support since 2026-06-30", Mend: "use amazon-linux-2023",
			}},
			style: report.Style{Width: 80},
		},
		// What cannot be read or is not ours blocks what needs it.
		"blocked": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, thirdYAML)
				w.snapshots[lab] = unread(lab)
				return w
			},
			style: report.Style{Width: 80},
		},
		"blocked-owner": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, thirdYAML)
				w.snapshots[owner].Taken = map[string]bool{"mybucket2share": true}
				w.snapshots[lab] = unread(lab)
				return w
			},
			style: report.Style{Width: 80},
		},
		"blocked-role": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, secondYAML)
				roles := w.snapshots[consumer].Roles
				roles[role] = &plan.LiveRole{Role: plan.Role{Name: role, Path: "/", Tags: map[string]string{plan.RepositoryTag: "other"}}}
				roles["reports"] = &plan.LiveRole{Role: plan.Role{Name: "reports", Path: "/"}}
				return w
			},
			style: report.Style{Width: 80, Color: true},
		},
		// A grant goes although the one that replaces it is blocked.
		"blocked-and-lost": {
			world: func(t *testing.T) *world {
				w := empty(t, thirdYAML)
				w.snapshots = applied(t, recipeYAML).snapshots
				w.snapshots[lab] = unread(lab)
				return w
			},
			style: report.Style{Width: 80},
		},
		// One grant of a bucket is left out, and where it is the last one, it is
		// the whole of the step.
		"left-out": {
			world: func(t *testing.T) *world { return empty(t, recipeYAML, thirdYAML) },
			opts:  plan.Options{Refused: []plan.Refusal{keptOut}}, style: report.Style{Width: 80},
		},
		"left-out-alone": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, thirdYAML)
				w.snapshots = applied(t, recipeYAML).snapshots
				return w
			},
			opts: plan.Options{Refused: []plan.Refusal{keptOut}}, style: report.Style{Width: 80},
		},
		"adopt": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				delete(w.snapshots[consumer].Roles[role].Tags, plan.RepositoryTag)
				return w
			},
			opts: plan.Options{Adopt: true}, style: report.Style{Width: 80},
		},
		"narrow": {world: func(t *testing.T) *world { return empty(t, recipeYAML) }, style: report.Style{Width: 40}},
		"hostile": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.replace(`mybucket2share/*"`, `mybucket2share/\u001b[2J\u202e日本語*"`)
				w.snapshots[consumer].Roles[role].Tags[plan.ShareTag] = "\x1b]0;owned\a\r\nNo changes.\u2066"
				return w
			},
			style: report.Style{Width: 80, Color: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := tt.world(t)
			got := text(t, func(b *bytes.Buffer) error { return report.Plan(b, w.compare(tt.opts), tt.more, tt.style) })
			golden(t, "plan-"+name+".txt", got)
		})
	}
}

func TestDrift(t *testing.T) {
	tests := map[string]struct {
		world func(*testing.T) *world
		style report.Style
	}{
		"none": {world: func(t *testing.T) *world { return applied(t, recipeYAML) }},
		"statement": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.replace(`"s3:PutObject"`, `"s3:PutObject*"`)
				return w
			},
			style: report.Style{Width: 80},
		},
		// These were compared; only nothing can be done about them.
		"conflicts": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, thirdYAML)
				snap := w.snapshots[consumer]
				snap.Instances[0].ProfileARN = "arn:aws:iam::222222222222:instance-profile/web"
				snap.Profiles[role].Role = "admin"
				snap.Roles[role].Path = "/team/"
				w.snapshots[lab].Instances[0].ProfileARN = "arn:aws:iam::333333333333:instance-profile/web"
				w.bucket().Region = "eu-west-1"
				return w
			},
			style: report.Style{Width: 80},
		},
		"unknown": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, secondYAML)
				w.bucket().Policy = []byte(`{"Statement":`)
				w.snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeEC2 + "us-east-1", Message: "ec2:DescribeInstances on instances: UnauthorizedOperation"}}
				delete(w.snapshots[consumer].Roles, "reports")
				return w
			},
			style: report.Style{Width: 80},
		},
		"many": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.replace(roleARN, "AROAOLD0000000000001")
				snap := w.snapshots[consumer]
				snap.Instances[0].Type = "m5.large"
				delete(snap.Profiles, role)
				snap.Roles["left"] = &plan.LiveRole{Role: plan.Role{Name: "left", Path: "/", Tags: map[string]string{plan.RepositoryTag: "acme-data"}}}
				snap.Roles["left"].Attached = []string{policy}
				return w
			},
			style: report.Style{Width: 80, Color: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := tt.world(t)
			orphans := plan.Orphans(w.plan, w.snapshots)
			got := text(t, func(b *bytes.Buffer) error { return report.Drift(b, w.compare(plan.Options{}), orphans, tt.style) })
			golden(t, "drift-"+name+".txt", got)
		})
	}
}

func TestDriftIsNotDeniedWhereNobodyLooked(t *testing.T) {
	unsearched := []specs.Problem{{Code: "unreadable", Severity: specs.SeverityError, Account: "333333333333", Message: "account 333333333333 cannot be searched for orphans"}}
	got := string(text(t, func(b *bytes.Buffer) error {
		return report.Drift(b, applied(t, recipeYAML).compare(plan.Options{}), unsearched, report.Style{})
	}))
	if want := "Drift: 0 of 7 resources differ, not all accounts searched for orphans."; !strings.Contains(got, want) || strings.Contains(got, "No drift") {
		t.Errorf("lacks %q:\n%s", want, got)
	}
}
