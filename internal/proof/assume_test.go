package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/specs"
)

const (
	letsAccount = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumer + `:root"},"Action":"sts:AssumeRole"}`
	letsOne     = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/deployer"},"Action":"sts:AssumeRole"}`
	provider    = "arn:aws:iam::" + consumer + ":oidc-provider/token.example.com"
	letsWeb     = `{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity"}`
	deadUser    = "AIDAPU3M3M5ITZB4AGB7C"
)

// What no principal at all can have is denied, and what somebody may is not.
var trusting = map[string]struct {
	trust   string
	denied  bool
	message string // in the cause, or in the row of the trust policy
	mend    string
}{
	"account":                        {trust: letsAccount, message: "arn:aws:iam::" + consumer + ":root may assume the role"},
	"account, and a Deny to all":     {trust: letsAccount + `,{"Sid":"Lock","Effect":"Deny","Principal":"*","Action":"*"}`, denied: true, message: `statement "Lock" denies it to all`, mend: `from statement "Lock"`},
	"Deny to all of AWS":             {trust: letsAccount + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`, denied: true, message: "statement number 2 denies it"},
	"Deny of another call":           {trust: letsAccount + `,{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}`},
	"Deny on a condition":            {trust: letsAccount + `,{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`},
	"Deny to one of an account":      {trust: letsAccount + `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/x"},"Action":"*"}`},
	"Deny to the one":                {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/deployer"},"Action":"*"}`, denied: true, message: "denies it to all whom others let in"},
	"Deny to its account":            {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"` + consumer + `"},"Action":"*"}`, denied: true},
	"Deny to another account":        {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"` + owner + `"},"Action":"*"}`},
	"Deny to all but the one":        {trust: letsAccount + `,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::` + consumer + `:role/deployer"},"Action":"*"}`},
	"Deny to all but another":        {trust: letsOne + `,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::` + owner + `:role/deployer"},"Action":"*"}`, denied: true},
	"a deleted user":                 {trust: `{"Effect":"Allow","Principal":{"AWS":"` + deadUser + `"},"Action":"sts:AssumeRole"}`, denied: true, message: deadUser + ", the id of a principal that was deleted", mend: "in place of " + deadUser},
	"a deleted user and another":     {trust: `{"Effect":"Allow","Principal":{"AWS":["` + deadUser + `","` + owner + `"]},"Action":"sts:AssumeRole"}`, message: owner + " may assume the role"},
	"tags alone":                     {trust: strings.ReplaceAll(letsAccount, "sts:AssumeRole", "sts:TagSession"), denied: true, message: "what it allows is sts:TagSession, and not sts:AssumeRole"},
	"a misspelt action":              {trust: strings.ReplaceAll(letsAccount, "sts:AssumeRole", "sts:AssumRole"), denied: true, message: "what it allows is sts:AssumRole"},
	"a web identity":                 {trust: letsWeb, message: provider + " may assume the role"},
	"a web identity by AssumeRole":   {trust: strings.ReplaceAll(letsWeb, "WithWebIdentity", ""), denied: true},
	"SAML by the call for the web":   {trust: strings.ReplaceAll(letsWeb, "oidc-provider/token.example.com", "saml-provider/okta"), denied: true},
	"SAML":                           {trust: strings.NewReplacer("oidc-provider/token.example.com", "saml-provider/okta", "WithWebIdentity", "WithSAML").Replace(letsWeb)},
	"everybody":                      {trust: `{"Effect":"Allow","Principal":"*","Action":"sts:*"}`, message: "everybody may assume the role"},
	"all but one call, by NotAction": {trust: `{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"NotAction":"sts:TagSession"}`},
	"nothing":                        {trust: `{"Effect":"Deny","Principal":"*","Action":"*"}`, denied: true},
}

func TestAssumable(t *testing.T) {
	for name, tt := range trusting {
		t.Run(name, func(t *testing.T) {
			repo := recipe(func(s *specs.Share) {
				c := s.Consumers[0]
				c.Instances, c.Role = nil, specs.Role{Name: role, Path: "/"} // one that exists
			})
			p, snapshots := built(t, recipe(nil))
			l := live{t, snapshots}
			p.Grants[0].Consumer = repo.Shares[0].Consumers[0]
			l.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[` + tt.trust + `]}`)

			g := proof.Live(p, snapshots)[0]
			e := proof.ExplainShare(p, snapshots, bucket)[0]
			asked := proof.Explain(p, repo.Accounts, snapshots, ask(t, roleARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			if !tt.denied {
				for _, e := range []proof.Explanation{e, asked} {
					if g.Verdict != proof.Allowed || e.Verdict != proof.Allowed || !strings.Contains(trustRow(e), tt.message) {
						t.Errorf("%s, %s: the row of the trust policy is %q", g.Verdict, e.Verdict, trustRow(e))
					}
				}
				return
			}
			if g.Verdict != proof.Denied || len(g.Causes) != 1 || g.Causes[0].Code != proof.RoleUnusable ||
				!strings.Contains(g.Causes[0].Message, tt.message) || !strings.Contains(g.Causes[0].Mend, tt.mend) {
				t.Errorf("%s: %+v", g.Verdict, g.Causes)
			}
			for _, e := range []proof.Explanation{e, asked} {
				if e.Verdict != proof.Denied || !slices.Equal(rootCodes(e), []proof.Code{proof.RoleUnusable}) || trustRow(e) == "" {
					t.Errorf("it is not explained: %s", dumpExplanation(e))
				}
			}
		})
	}
}

func trustRow(e proof.Explanation) string {
	for _, part := range e.Use {
		if part.Side == proof.PartTrust {
			return part.Text
		}
	}
	return ""
}

// A created role's own trust policy is the spec's to correct, and another an
// apply's.
func TestAssumableCreated(t *testing.T) {
	document := func(statement string) json.RawMessage {
		return json.RawMessage(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)
	}
	misspelt := document(strings.ReplaceAll(letsAccount, "sts:AssumeRole", "sts:AssumRole"))
	for name, tt := range map[string]struct {
		spec, live json.RawMessage
		mend       string
	}{
		"as the spec has it":  {misspelt, misspelt, "correct the spec's trustPolicy"},
		"changed by somebody": {document(letsAccount), misspelt, "run `xshare apply`"},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(func(s *specs.Share) {
				c := s.Consumers[0]
				c.Instances, c.Role = nil, specs.Role{Name: role, Path: "/", Create: true, TrustPolicy: tt.spec}
			}))
			live{t, snapshots}.role().Trust = tt.live
			g := proof.Live(p, snapshots)[0]
			if g.Verdict != proof.Denied || len(g.Causes) != 1 || g.Causes[0].Code != proof.RoleUnusable || !strings.HasPrefix(g.Causes[0].Mend, tt.mend) {
				t.Errorf("%s: %+v", g.Verdict, g.Causes)
			}
		})
	}
}
