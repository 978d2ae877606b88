package proof_test

import (
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
)

// Where a session may have tags of its own, those of its role are not known.
func TestLiveSessionTags(t *testing.T) {
	const service = `"Principal":{"Service":"ec2.amazonaws.com"}`
	says := func(effect, principal, actions string) string {
		return `{"Effect":"` + effect + `",` + principal + `,"Action":` + actions + `}`
	}
	assume := says("Allow", service, `"sts:AssumeRole"`)
	for name, c := range map[string]struct {
		trust   string
		want    proof.Verdict
		guarded string // the tag that a Deny is by; "team" by default
	}{
		"no tags":                  {trust: assume, want: proof.Allowed},
		"tags":                     {trust: says("Allow", service, `["sts:AssumeRole","sts:TagSession"]`), want: proof.NotChecked},
		"any action":               {trust: says("Allow", service, `"sts:*"`), want: proof.NotChecked},
		"tags for others":          {trust: assume + "," + says("Allow", `"Principal":{"AWS":"`+consumer+`"}`, `"STS:tagsession"`), want: proof.NotChecked},
		"tags for the deleted":     {trust: assume + "," + says("Allow", `"Principal":{"AWS":"AROAEXAMPLEGONE12345"}`, `"sts:TagSession"`), want: proof.Allowed},
		"tags that are denied":     {trust: says("Allow", service, `"sts:*"`) + "," + says("Deny", `"Principal":"*"`, `"sts:TagSession"`), want: proof.Allowed},
		"denied to others":         {trust: says("Allow", service, `"sts:*"`) + "," + says("Deny", `"Principal":{"AWS":"`+consumer+`"}`, `"sts:TagSession"`), want: proof.NotChecked},
		"all but two actions":      {trust: assume + `,{"Effect":"Allow",` + service + `,"NotAction":["sts:AssumeRole","sts:SetSourceIdentity"]}`, want: proof.NotChecked},
		"what is not understood":   {trust: `{"Effect":"Allow"}`, want: proof.NotChecked},
		"what no tag has a say in": {trust: says("Allow", service, `"sts:*"`), guarded: "none", want: proof.NotChecked},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(nil))
			l := live{t, snapshots}
			l.role().Tags = map[string]string{"team": "analytics"}
			l.role().Trust = []byte(`{"Version":"2012-10-17","Statement":[` + c.trust + `]}`)
			key := "aws:PrincipalTag/team"
			if c.guarded != "" {
				key = "aws:PrincipalTag/" + c.guarded
			}
			l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
				return append(list, statement(t, `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/*","Condition":{"StringEquals":{"`+key+`":"guest"}}}`))
			})
			got := proof.Live(p, snapshots)[0]
			if got.Verdict != c.want {
				t.Errorf("%s, not %s: %+v", got.Verdict, c.want, got.Checks)
			}
			if told := strings.Contains(strings.Join(got.NotChecked, "\n"), key); told != (c.want == proof.NotChecked) {
				t.Errorf("%q", got.NotChecked)
			}
		})
	}
}
