package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

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
	open    bool   // not checked
	message string // in the cause, or in the row of the trust policy
	mend    string
}{
	"account":                        {trust: letsAccount, message: "arn:aws:iam::" + consumer + ":root may assume the role"},
	"account, and a Deny to all":     {trust: letsAccount + `,{"Sid":"Lock","Effect":"Deny","Principal":"*","Action":"*"}`, denied: true, message: `statement "Lock" denies it to all`, mend: `from statement "Lock"`},
	"Deny to all of AWS":             {trust: letsAccount + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`, denied: true, message: "statement number 2 denies it"},
	"Deny of another call":           {trust: letsAccount + `,{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}`},
	"Deny on a condition":            {trust: letsAccount + `,{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`, open: true, message: "which decides by aws:MultiFactorAuthPresent"},
	"Deny to one of an account":      {trust: letsAccount + `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/x"},"Action":"*"}`},
	"Deny to the one":                {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/deployer"},"Action":"*"}`, denied: true, message: "denies it to all whom others let in"},
	"Deny to its account":            {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"` + consumer + `"},"Action":"*"}`, denied: true},
	"Deny to another account":        {trust: letsOne + `,{"Effect":"Deny","Principal":{"AWS":"` + owner + `"},"Action":"*"}`},
	"Deny to all but the one":        {trust: letsAccount + `,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::` + consumer + `:role/deployer"},"Action":"*"}`, open: true, message: "whose NotPrincipal spares only"},
	"itself":                         {trust: strings.Replace(letsOne, ":role/deployer", ":role/"+role, 1), denied: true, message: "it names the role itself alone", mend: "let who is to use the role do sts:AssumeRole"},
	"itself, and another":            {trust: strings.Replace(letsOne, ":role/deployer", ":role/"+role, 1) + "," + letsOne},
	"Deny to all but a session":      {trust: letsAccount + `,{"Effect":"Deny","NotPrincipal":{"AWS":["` + consumer + `","arn:aws:iam::` + consumer + `:role/deployer","arn:aws:sts::` + consumer + `:assumed-role/deployer/ci"]},"Action":"*"}`},
	"Deny to all but a user":         {trust: letsAccount + `,{"Effect":"Deny","NotPrincipal":{"AWS":["` + consumer + `","arn:aws:iam::` + consumer + `:user/ann"]},"Action":"*"}`},
	"Deny to all but a service":      {trust: letsAccount + `,{"Effect":"Deny","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":"*"}`, denied: true},
	"Deny to the one's sessions":     {trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::` + consumer + `:assumed-role/deployer/ci"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/team/deployer"},"Action":"*"}`, denied: true},
	"Deny to all but another":        {trust: letsOne + `,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::` + owner + `:role/deployer"},"Action":"*"}`, denied: true},
	"a deleted user":                 {trust: `{"Effect":"Allow","Principal":{"AWS":"` + deadUser + `"},"Action":"sts:AssumeRole"}`, denied: true, message: deadUser + ", the id of a principal that was deleted", mend: "in place of " + deadUser},
	"a deleted user and another":     {trust: `{"Effect":"Allow","Principal":{"AWS":["` + deadUser + `","` + owner + `"]},"Action":"sts:AssumeRole"}`, message: owner + " may assume the role"},
	"tags alone":                     {trust: strings.ReplaceAll(letsAccount, "sts:AssumeRole", "sts:TagSession"), denied: true, message: "what it allows is sts:TagSession, and not sts:AssumeRole"},
	"a misspelt action":              {trust: strings.ReplaceAll(letsAccount, "sts:AssumeRole", "sts:AssumRole"), denied: true, message: "what it allows is sts:AssumRole"},
	"a web identity":                 {trust: letsWeb, message: provider + " may assume the role"},
	"an account, but for another's":  {trust: on(letsAccount, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::`+owner+`:*"}`), denied: true, message: "statement number 1 lets in only on conditions that do not hold", mend: "correct the conditions of statement number 1"},
	"an account, and some of it":     {trust: on(letsAccount, `"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::`+owner+`:*","arn:aws:iam::`+consumer+`:role/ci-*"]}`)},
	"an account, but for a path":     {trust: on(letsAccount, `"StringLike":{"aws:PrincipalArn":"*:role/ci/*"}`)},
	"another account's provider":     {trust: strings.ReplaceAll(letsWeb, consumer, owner), denied: true, message: "and STS knows those of the role's own account only", mend: "create the provider in the role's account"},
	"another's provider, or its own": {trust: strings.ReplaceAll(letsWeb, consumer, owner) + "," + letsWeb},
	"a web identity by AssumeRole":   {trust: strings.ReplaceAll(letsWeb, "WithWebIdentity", ""), denied: true},
	"SAML by the call for the web":   {trust: strings.ReplaceAll(letsWeb, "oidc-provider/token.example.com", "saml-provider/okta"), denied: true},
	"SAML":                           {trust: strings.NewReplacer("oidc-provider/token.example.com", "saml-provider/okta", "WithWebIdentity", "WithSAML").Replace(letsWeb)},
	"everybody":                      {trust: `{"Effect":"Allow","Principal":"*","Action":"sts:*"}`, message: "everybody may assume the role"},
	"all but one call, by NotAction": {trust: `{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"NotAction":"sts:TagSession"}`},
	"nothing":                        {trust: `{"Effect":"Deny","Principal":"*","Action":"*"}`, denied: true},

	// Conditions: what is known counts, and what is not lets in, and may keep out.
	"a Deny since a date":           {trust: letsAccount + denies(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), denied: true, message: "statement number 2 denies it to all"},
	"by seconds":                    {trust: letsAccount + denies(`"NumericGreaterThan":{"aws:EpochTime":"1577836800"}`), denied: true},
	"a Deny from a date to come":    {trust: letsAccount + denies(`"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`)},
	"a Deny from now on":            {trust: letsAccount + denies(`"DateGreaterThan":{"aws:CurrentTime":"2026-11-24T20:00:00Z"}`), open: true, message: "which decides by aws:CurrentTime"},
	"until a date that is over":     {trust: on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`), denied: true, message: "statement number 1 lets in only on conditions that do not hold", mend: "correct the conditions of statement number 1"},
	"until a date to come":          {trust: on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2030-01-01"}`)},
	"until today":                   {trust: on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), open: true, message: "aws:CurrentTime"},
	"one is over, another lets in":  {trust: on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`) + "," + letsOne},
	"a Deny of the role's account":  {trust: letsAccount + denies(`"StringEquals":{"aws:ResourceAccount":"`+consumer+`"}`), denied: true},
	"a Deny of the role's tag":      {trust: letsAccount + denies(`"StringEquals":{"aws:ResourceTag/xshare:repository":"acme-data"}`), denied: true},
	"a Deny of another tag":         {trust: letsAccount + denies(`"StringEquals":{"aws:ResourceTag/team":"ml"}`)},
	"a Deny without TLS":            {trust: letsAccount + denies(`"Bool":{"aws:SecureTransport":"false"}`)},
	"a Deny of who is let in":       {trust: letsAccount + denies(`"StringEquals":{"aws:PrincipalAccount":"`+consumer+`"}`), denied: true},
	"a Deny of the one's ARN":       {trust: letsOne + denies(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::`+consumer+`:role/dep*"}`), denied: true},
	"a Deny of ARNs":                {trust: letsAccount + denies(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}`), open: true, message: "aws:PrincipalArn"},
	"a Deny without an external id": {trust: letsAccount + denies(`"StringNotEquals":{"sts:ExternalId":"abc"}`), open: true, message: "sts:ExternalId"},
	"an external id":                {trust: on(letsAccount, `"StringEquals":{"sts:ExternalId":"abc"}`), message: "may assume the role"},
	"MFA":                           {trust: on(letsAccount, `"Bool":{"aws:MultiFactorAuthPresent":"true"}`)},
	"a subject of an identity":      {trust: on(letsWeb, `"StringEquals":{"token.example.com:aud":"sts.amazonaws.com","token.example.com:sub":"repo:acme/data:ref:refs/heads/main"}`)},
	"a subject, until a date":       {trust: on(letsWeb, `"StringEquals":{"token.example.com:sub":"repo:acme/data"},"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`), denied: true},
	"an account that is none":       {trust: on(letsAccount, `"StringEquals":{"aws:PrincipalAccount":"`+owner+`"}`), denied: true},
	"a condition with a variable":   {trust: letsAccount + denies(`"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}`), denied: true},
	"a variable that a call has":    {trust: letsAccount + denies(`"StringEquals":{"aws:PrincipalAccount":"${sts:ExternalId}"}`), open: true, message: "sts:ExternalId"},
}

// on is a statement with a condition, and denies a Deny to all with one.
func on(statement, condition string) string {
	return strings.TrimSuffix(statement, "}") + `,"Condition":{` + condition + `}}`
}

func denies(condition string) string {
	return "," + on(`{"Effect":"Deny","Principal":"*","Action":"sts:*"}`, condition)
}

// readAt is when the snapshots of these tests were read.
var readAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

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
			snapshots[consumer].At = readAt

			g := proof.Live(p, snapshots)[0]
			e := proof.ExplainShare(p, snapshots, bucket)[0]
			asked := proof.Explain(p, repo.Accounts, snapshots, ask(t, roleARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			want := proof.Allowed
			if tt.open {
				want = proof.NotChecked
			}
			if !tt.denied {
				for _, e := range []proof.Explanation{e, asked} {
					if g.Verdict != want || e.Verdict != want || !strings.Contains(trustRow(e), tt.message) {
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

// Whom a live trust policy lets in that is not the spec's, is not whom the
// role's owner means.
func TestAssumableOtherwise(t *testing.T) {
	subject := func(name string) json.RawMessage {
		return json.RawMessage(`{"Version":"2012-10-17","Statement":[` + on(letsWeb, `"StringLike":{"token.example.com:sub":"repo:`+name+`/*"}`) + `]}`)
	}
	for name, tt := range map[string]struct {
		live    json.RawMessage
		verdict proof.Verdict
	}{
		"the spec's":                {subject("acme"), proof.Allowed},
		"the spec's, as AWS has it": {json.RawMessage(strings.Replace(string(subject("acme")), `"Statement":[`, ` "Statement" : [ `, 1)), proof.Allowed},
		"who has it for sure":       {json.RawMessage(`{"Version":"2012-10-17","Statement":[` + letsAccount + `]}`), proof.NotChecked},
		"another subject":           {subject("mallory"), proof.NotChecked},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(func(s *specs.Share) {
				c := s.Consumers[0]
				c.Instances, c.Role = nil, specs.Role{Name: role, Path: "/", Create: true, TrustPolicy: subject("acme")}
			}))
			live{t, snapshots}.role().Trust = tt.live
			g, e := proof.Live(p, snapshots)[0], proof.ExplainShare(p, snapshots, bucket)[0]
			said := slices.ContainsFunc(g.NotChecked, func(s string) bool { return strings.Contains(s, "which is not the spec's") })
			if g.Verdict != tt.verdict || e.Verdict != tt.verdict || said != (tt.verdict == proof.NotChecked) {
				t.Errorf("%s, %s\n%s", g.Verdict, e.Verdict, dump(g))
			}
		})
	}
}
