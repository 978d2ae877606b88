package report_test

import (
	"bytes"
	"testing"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// What changes says what it opens and closes; of what is new that is counted.
func TestAccess(t *testing.T) {
	const (
		policyID = "s3.BucketPolicy/" + owner + "/mybucket2share"
		objects  = "arn:aws:s3:::mybucket2share/*"
	)
	changed := func(t *testing.T) *plan.Changes {
		w := applied(t, recipeYAML)
		w.foreign(denyHTTP)
		w.replace(`"s3:PutObject"`, `"s3:PutObjectAcl"`)
		c := w.compare(plan.Options{})
		tls := "unless aws:SecureTransport is false"
		c.Access = plan.Access{
			Gained: []plan.AccessEntry{
				{Principal: "*", Action: "s3:GetObject", Resource: objects, When: "where aws:PrincipalOrgID is \x1b[31mo-1", Step: policyID},
				{Principal: "arn:aws:iam::" + lab + ":root", Action: "s3:*", Resource: "arn:aws:s3:::mybucket2share", When: tls, Step: policyID},
				{Principal: "arn:aws:iam::" + lab + ":root", Action: "s3:*", Resource: objects, When: tls, Step: policyID},
				{Principal: roleARN, Action: "s3:PutObject", Resource: objects, When: tls, Step: policyID},
			},
			Lost: []plan.AccessEntry{{Principal: roleARN, Action: "s3:PutObjectAcl", Resource: objects, When: tls, Step: policyID}},
		}
		c.Problems = append(c.Problems, specs.Problem{
			Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Account: owner, Step: policyID,
			Message: "the change would open what no share asks for", Mend: "change it by hand first",
		})
		return c
	}
	tests := map[string]struct {
		changes func(*testing.T) *plan.Changes
		write   func(*bytes.Buffer, *plan.Changes, report.Style) error
		style   report.Style
	}{
		"access-plan":        {changed, planText, report.Style{Width: 80}},
		"access-plan-colour": {changed, planText, report.Style{Width: 80, Color: true}},
		"access-drift":       {changed, driftText, report.Style{Width: 80}},
		"access-new": {func(t *testing.T) *plan.Changes {
			c := empty(t, recipeYAML).compare(plan.Options{})
			c.Access.Gained = []plan.AccessEntry{{Principal: roleARN, Action: "s3:GetObject", Resource: objects, Step: policyID}}
			return c
		}, planText, report.Style{Width: 80}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := test.changes(t)
			golden(t, name+".txt", text(t, func(w *bytes.Buffer) error { return test.write(w, c, test.style) }))
		})
	}
}

func planText(w *bytes.Buffer, c *plan.Changes, s report.Style) error {
	return report.Plan(w, c, nil, s)
}

func driftText(w *bytes.Buffer, c *plan.Changes, s report.Style) error {
	return report.Drift(w, c, nil, s)
}
