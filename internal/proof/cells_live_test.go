package proof_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// What several patterns leave of each other, each in its own way.
func TestLiveCells(t *testing.T) {
	const objects = "arn:aws:s3:::" + bucket + "/"
	allow := func(not string) string {
		return `{"Effect":"Allow","Action":"s3:*","NotResource":"` + not + `"}`
	}
	two := allow(objects+"q*") + "," + allow(objects+"*y")
	for name, c := range map[string]struct {
		access     specs.Access // empty: the recipe's
		statements string       // of the role's policy, beside listings
		whole      bool         // the statements come to what is there
		want       proof.Verdict
	}{
		"where the search begins":      {statements: allow("*?e/") + "," + allow("*r?/"), want: proof.Denied},
		"certain, and besides unknown": {statements: two + `,{"Effect":"Deny","Action":"s3:*","Resource":"` + objects + `z","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, want: proof.Denied},
		"but for one spelling": {
			access: specs.AccessList, whole: true, want: proof.Denied,
			statements: `{"Effect":"Deny","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"s3:prefix":"Secret/"},"StringNotEquals":{"s3:prefix":"Secret/"}}}`,
		},
		"a variable for the prefix": {
			access: specs.AccessList, whole: true, want: proof.NotChecked,
			statements: `{"Effect":"Deny","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"*/${s3:prefix}"}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(func(s *specs.Share) {
				if c.access != "" {
					s.Consumers[0].Access = []specs.Access{c.access}
				}
			}))
			for _, policy := range snapshots[consumer].Policies {
				if c.whole {
					policy.Document = []byte(strings.Replace(string(policy.Document), `"Statement":[`, `"Statement":[`+c.statements+`,`, 1))
				} else {
					policy.Document = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket*","s3:GetBucketLocation"],"Resource":"*"},` + c.statements + `]}`)
				}
			}
			if g := proof.Live(p, snapshots)[0]; g.Verdict != c.want {
				t.Errorf("%s", dump(g))
			}
		})
	}
}

// A date that is near is not decided, in whichever account's control policies.
func TestTrustedUntilSoon(t *testing.T) {
	soon := readAt.Add(time.Hour).UTC().Format(time.RFC3339)
	deny := on(`{"Sid":"NoSTS","Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}`, `"DateGreaterThan":{"aws:CurrentTime":"`+soon+`"}`)
	for _, who := range []string{consumer, owner} {
		t.Run(who, func(t *testing.T) {
			repo := recipe(func(s *specs.Share) {
				s.Consumers[0].Instances, s.Consumers[0].Role = nil, specs.Role{Name: role, Path: "/"}
			})
			p, snapshots := built(t, recipe(nil))
			p.Grants[0].Consumer = repo.Shares[0].Consumers[0]
			live{t, snapshots}.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[` + strings.ReplaceAll(letsAccount, consumer, who) + `]}`)
			for _, id := range []string{consumer, owner} {
				snapshots[id].At = readAt
				snapshots[id].Organization = &plan.Organization{ID: "o-acme", SCPs: levels(), RCPs: [][]plan.ControlPolicy{{}}}
			}
			o := snapshots[who].Organization
			o.SCPs[2] = append(o.SCPs[2], control("Only", who, deny))
			if g := proof.Live(p, snapshots)[0]; g.Verdict != proof.NotChecked {
				t.Errorf("%s", dump(g))
			}
		})
	}
}
