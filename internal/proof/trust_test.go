package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// What a role's trust policy says to the service that is to have it is decided
// at best and at worst.
func TestTrusted(t *testing.T) {
	const ec2 = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	for name, tt := range map[string]struct {
		trust   string
		verdict proof.Verdict
		says    string
	}{
		"as it is made":                   {ec2, proof.Allowed, ""},
		"a Deny since a date":             {ec2 + denies(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), proof.Denied, "; statement number 2 denies it"},
		"a Deny from a date to come":      {ec2 + denies(`"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`), proof.Allowed, ""},
		"until a date that is over":       {on(ec2, `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), proof.Denied, "; the conditions of statement number 1 do not hold"},
		"until today":                     {on(ec2, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), proof.NotChecked, "which decides by aws:CurrentTime"},
		"a Deny of the role's account":    {ec2 + denies(`"StringEquals":{"aws:ResourceAccount":"`+consumer+`"}`), proof.Denied, "statement number 2 denies it"},
		"a Deny outside the role's":       {ec2 + denies(`"StringNotEquals":{"aws:ResourceAccount":"`+consumer+`"}`), proof.Allowed, ""},
		"a Deny of a region":              {ec2 + denies(`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`), proof.NotChecked, "aws:RequestedRegion"},
		"a Deny of sources":               {ec2 + denies(`"ArnLike":{"aws:SourceArn":"arn:aws:ec2:*"}`), proof.NotChecked, "aws:SourceArn"},
		"a Deny of all sources but these": {ec2 + denies(`"StringNotEquals":{"aws:SourceAccount":"`+consumer+`"}`), proof.NotChecked, "aws:SourceAccount"},
		"a Deny of a tag":                 {ec2 + denies(`"StringEquals":{"aws:ResourceTag/xshare:repository":"acme-data"}`), proof.NotChecked, "aws:ResourceTag/xshare:repository"},
		"a Deny without TLS":              {ec2 + denies(`"Bool":{"aws:SecureTransport":"false"}`), proof.Allowed, ""},
		"a Deny of services":              {ec2 + denies(`"Bool":{"aws:PrincipalIsAWSService":"true"}`), proof.Denied, "denies it"},
		"a Deny of another call":          {ec2 + `,{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}`, proof.Allowed, ""},
		"a Deny to all but it":            {ec2 + `,{"Effect":"Deny","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":"*"}`, proof.Allowed, ""},
		"a Deny to all but an account":    {ec2 + `,{"Effect":"Deny","NotPrincipal":{"AWS":"` + consumer + `"},"Action":"*"}`, proof.Denied, "denies it"},
		"a Deny to another service":       {ec2 + `,{"Effect":"Deny","Principal":{"Service":"glue.amazonaws.com"},"Action":"*"}`, proof.Allowed, ""},
		"for a source":                    {on(ec2, `"ArnLike":{"aws:SourceArn":"arn:aws:ec2:*"}`), proof.NotChecked, "aws:SourceArn"},
		"for an external id":              {on(ec2, `"StringEquals":{"sts:ExternalId":"x"}`), proof.Denied, "do not hold"},
		"for a source, or plainly":        {on(ec2, `"ArnLike":{"aws:SourceArn":"arn:aws:ec2:*"}`) + "," + ec2, proof.Allowed, ""},
		"everybody who is this service":   {on(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, `"StringEquals":{"aws:PrincipalServiceName":"ec2.amazonaws.com"}`), proof.Allowed, ""},
		"callers of an organization":      {on(ec2, `"StringLike":{"aws:PrincipalOrgID":"o-*"}`), proof.Denied, "do not hold"},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(nil))
			l := live{t, snapshots}
			l.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[` + tt.trust + `]}`)
			snapshots[consumer].At = readAt
			g := proof.Live(p, snapshots)[0]
			said := strings.Join(g.NotChecked, "\n")
			var want, codes []proof.Code
			if tt.verdict == proof.Denied {
				want = []proof.Code{proof.TrustLacksService}
			}
			for _, c := range g.Causes {
				codes, said = append(codes, c.Code), said+"\n"+c.Message
			}
			if tt.verdict == proof.Allowed && strings.Contains(said, "trust policy") {
				t.Errorf("allowed, and a doubt is told: %s", said)
			}
			if g.Verdict != tt.verdict || !slices.Equal(codes, want) || !strings.Contains(said, tt.says) {
				t.Errorf("%s %v, want %s and %q\n%s", g.Verdict, codes, tt.verdict, tt.says, dump(g))
			}
			asked := proof.Explain(p, recipe(nil).Accounts, snapshots, ask(t, roleARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			for _, e := range []proof.Explanation{proof.ExplainShare(p, snapshots, bucket)[0], asked} {
				if e.Verdict != tt.verdict || !slices.Equal(rootCodes(e), want) || tt.says != "" && !strings.Contains(trustRow(e), strings.TrimPrefix(tt.says, "; ")) {
					t.Errorf("explained as %s %v, %q", e.Verdict, rootCodes(e), trustRow(e))
				}
			}
		})
	}
}

// A date of a snapshot that does not say when it was read decides nothing.
func TestTrustedAtNoTime(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	l.role().Trust = json.RawMessage(`{"Version":"2012-10-17","Statement":[` + on(`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`) + `]}`)
	if g := proof.Live(p, snapshots)[0]; g.Verdict != proof.NotChecked {
		t.Errorf("%s", dump(g))
	}
}

// A Deny of the spec's own trust policy is not an apply's to mend.
func TestTrustedBySpec(t *testing.T) {
	trust := json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}` + denies(`"StringEquals":{"aws:ResourceAccount":"`+consumer+`"}`) + `]}`)
	p, snapshots := built(t, recipe(func(s *specs.Share) {
		s.Consumers[0].Role.TrustService, s.Consumers[0].Role.TrustPolicy = "", trust
	}))
	g := proof.Live(p, snapshots)[0]
	if g.Verdict != proof.Denied || len(g.Causes) != 1 || !strings.HasPrefix(g.Causes[0].Mend, "correct the spec's trustPolicy (except the service ec2.amazonaws.com from statement number 2") {
		t.Errorf("%s: %+v", g.Verdict, g.Causes)
	}
}

// What stands over a role and over who is to have it.
func TestAssumableUnderControl(t *testing.T) {
	const denySTS = `{"Sid":"NoSTS","Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}`
	letsOther := strings.ReplaceAll(letsAccount, consumer, owner)
	for name, tt := range map[string]struct {
		trust    string
		scp, rcp string // of the role's account
		verdict  proof.Verdict
		code     proof.Code
		says     string // in the cause, its mend, or what is not checked
	}{
		"nothing":                      {letsAccount, "", "", proof.Allowed, "", ""},
		"an SCP on the only account":   {letsAccount, denySTS, "", proof.Denied, proof.ServiceControl, `statement "NoSTS" of service control policy Only on ` + consumer + ` (p-Only) denies sts:AssumeRole in account ` + consumer},
		"for one role of it":           {letsOne, denySTS, "", proof.Denied, proof.ServiceControl, "so arn:aws:iam::" + consumer + ":role/deployer cannot have role " + role},
		"and another account may":      {letsAccount + "," + letsOther, denySTS, "", proof.Allowed, "", ""},
		"and another may, until":       {letsAccount + "," + on(letsOther, `"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`), denySTS, "", proof.Denied, proof.ServiceControl, ""},
		"identities are no account's":  {letsWeb, strings.Replace(denySTS, "sts:AssumeRole", "*", 1), "", proof.Denied, proof.ServiceControl, ""}, // for what the role does then
		"identities, sts alone":        {letsWeb, strings.Replace(denySTS, "sts:AssumeRole", "sts:*", 1), "", proof.Allowed, "", ""},
		"everybody":                    {`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, denySTS, "", proof.Allowed, "", ""},
		"an SCP by a known condition":  {letsOne, on(denySTS, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}`), "", proof.Denied, proof.ServiceControl, ""},
		"an SCP that spares the one":   {letsOne, on(denySTS, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deployer"}`), "", proof.Allowed, "", ""},
		"an SCP by one that is not":    {letsAccount, on(denySTS, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}`), "", proof.NotChecked, "", `statement "NoSTS" of service control policy Only on ` + consumer + ", which decides by aws:PrincipalArn"},
		"an SCP since a date":          {letsAccount, on(denySTS, `"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}`), "", proof.Denied, proof.ServiceControl, ""},
		"an SCP of another call":       {letsAccount, strings.Replace(denySTS, "AssumeRole", "TagSession", 1), "", proof.Allowed, "", ""},
		"SCPs that allow S3 alone":     {letsAccount, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, "", proof.Denied, proof.ServiceControl, "do not allow sts:AssumeRole"},
		"SCPs that allow it elsewhere": {letsAccount, `{"Effect":"Allow","Action":["s3:*","sts:*"],"Resource":["arn:aws:s3:::*","arn:aws:iam::*:role/x"]}`, "", proof.Denied, proof.ServiceControl, "do not allow sts:AssumeRole"},
		"an RCP":                       {letsAccount, "", `{"Sid":"No","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`, proof.Denied, proof.ResourceControl, `statement "No" of resource control policy Net on ` + consumer},
		"an RCP for identities":        {letsWeb, "", `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Resource":"*"}`, proof.Denied, proof.ResourceControl, ""},
		"an RCP outside the organization": {
			letsAccount, "", `{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-acme"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`, proof.Allowed, "", "",
		},
		"an RCP by the network": {letsAccount, "", `{"Sid":"No","Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`, proof.NotChecked, "", "which decides by aws:SourceIp"},
	} {
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
			o := &plan.Organization{ID: "o-acme", SCPs: levels(), RCPs: [][]plan.ControlPolicy{{}}}
			if strings.Contains(tt.scp, "Allow") {
				o.SCPs[2] = nil
			}
			if tt.scp != "" {
				o.SCPs[2] = append(o.SCPs[2], control("Only", consumer, tt.scp))
			}
			if tt.rcp != "" {
				o.RCPs[0] = append(o.RCPs[0], control("Net", consumer, tt.rcp))
			}
			snapshots[consumer].Organization = o

			g := proof.Live(p, snapshots)[0]
			said := strings.Join(g.NotChecked, "\n")
			var want, codes []proof.Code
			if tt.code != "" {
				want = []proof.Code{tt.code}
			}
			for _, c := range g.Causes {
				codes, said = append(codes, c.Code), said+"\n"+c.Message
			}
			if codes = slices.Compact(codes); g.Verdict != tt.verdict || !slices.Equal(codes, want) || !strings.Contains(said, tt.says) {
				t.Errorf("%s %v, want %s %v and %q\n%s", g.Verdict, codes, tt.verdict, want, tt.says, dump(g))
			}
			asked := proof.Explain(p, repo.Accounts, snapshots, ask(t, roleARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			for _, e := range []proof.Explanation{proof.ExplainShare(p, snapshots, bucket)[0], asked} {
				if e.Verdict != tt.verdict || !slices.Equal(slices.Compact(rootCodes(e)), want) {
					t.Errorf("explained as %s %v\n%s", e.Verdict, rootCodes(e), dumpExplanation(e))
				}
			}
		})
	}
}
