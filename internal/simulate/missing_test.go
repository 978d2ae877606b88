package simulate

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

// TestMissingKeys: a reason names the keys that were not given and could
// make the decision another one, and no others.
func TestMissingKeys(t *testing.T) {
	all := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	statement := func(effect, action, resource, condition string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `","Condition":{` + condition + `}}`
	}
	get := func(effect, condition string) string {
		return statement(effect, "s3:Get*", "arn:aws:s3:::b/*", condition)
	}
	identity := func(statements ...string) string {
		return `"identityPolicies":[{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}]`
	}
	for name, tc := range map[string]struct {
		fields string
		want   iampolicy.Outcome
		keys   string // as the reason has them; empty: none
	}{
		// Allowed, since a Deny asks for what was not given.
		"a Deny":                         {identity(all, get("Deny", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", "aws:SourceIp"},
		"a Deny, given":                  {identity(all, get("Deny", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)) + `,"context":{"AWS:sourceip":"192.0.2.1"}`, "allowed", ""},
		"a Deny, said not to be sent":    {identity(all, get("Deny", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)) + `,"context":{"aws:SourceIp":null}`, "allowed", ""},
		"a Deny with exact context":      {identity(all, get("Deny", `"Bool":{"aws:SecureTransport":"false"}`)) + `,"exactContext":true`, "allowed", "aws:SecureTransport"},
		"a Deny on a default":            {identity(all, get("Deny", `"Bool":{"aws:SecureTransport":"false"}`)), "allowed", ""},
		"a Deny of another action":       {identity(all, statement("Deny", "s3:Put*", "*", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", ""},
		"a Deny of another resource":     {identity(all, statement("Deny", "*", "arn:aws:s3:::c/*", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", ""},
		"a Deny that cannot match":       {identity(all, get("Deny", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:ViaAWSService":"true"}`)), "allowed", ""},
		"a Deny of several":              {identity(all, get("Deny", `"StringEquals":{"aws:UserAgent":"x","aws:SourceVpc":"y"},"StringNotEquals":{"a:b":"c"}`)), "allowed", "aws:SourceVpc and aws:UserAgent"},
		"Denies of several, and again":   {identity(all, get("Deny", `"StringEquals":{"z:a":"x"}`), get("Deny", `"StringEquals":{"AWS:UserAgent":"x"}`), get("Deny", `"StringLike":{"aws:useragent":"y","x:y":"z"}`)), "allowed", "AWS:UserAgent, x:y and z:a"},
		"too many":                       {identity(all, get("Deny", `"StringEquals":{"k:1":"x","k:2":"x","k:3":"x","k:4":"x","k:5":"x","k:6":"x","k:7":"x"}`)), "allowed", "k:1, k:2, k:3, k:4, k:5 and 2 more"},
		"a Deny by Null":                 {identity(all, get("Deny", `"Null":{"aws:SourceVpce":"false"}`)), "allowed", ""},
		"a Deny that Null guards":        {identity(all, get("Deny", `"Null":{"aws:SourceVpce":"false"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`)), "allowed", ""},
		"a Deny by a variable":           {identity(all, statement("Deny", "*", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "")), "allowed", "aws:PrincipalTag/team"},
		"a variable that does not fit":   {identity(all, statement("Deny", "*", "arn:aws:s3:::c/${aws:PrincipalTag/team}/*", "")), "allowed", ""},
		"a variable with a default":      {identity(all, statement("Deny", "*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'x'}/*", "")), "allowed", ""},
		"a variable in a condition":      {identity(all, get("Deny", `"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}`)), "allowed", "aws:SourceAccount"},
		"no variable, in an old policy":  {`"identityPolicies":[{"Version":"2008-10-17","Statement":[` + all + `,` + statement("Deny", "*", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "") + `]}]`, "allowed", ""},
		"a Deny of the bucket's":         {`"resourcePolicy":{"Statement":[` + samplePolicies["toReader"] + `,{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`, "allowed", "aws:PrincipalOrgID"},
		"a Deny of the bucket's, others": {`"resourcePolicy":{"Statement":[` + samplePolicies["toReader"] + `,{"Effect":"Deny","Principal":{"AWS":"333333333333"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`, "allowed", ""},
		"a Deny of an SCP":               {`"scps":[[{"Statement":[` + all + `,` + get("Deny", `"StringEquals":{"aws:PrincipalOrgID":"o-1"}`) + `]}]]`, "allowed", "aws:PrincipalOrgID"},
		"a Deny of an RCP":               {`"rcps":[[{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}]]`, "allowed", "aws:PrincipalOrgID"},
		"of sides that do not count":     {`"principal":"anonymous","resourcePolicy":"$public",` + identity(get("Deny", `"StringEquals":{"aws:PrincipalOrgID":"o-1"}`)), "allowed", ""},

		// Allowed by what was not given.
		"an Allow by the want":             {identity(get("Allow", `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", "aws:SourceIp"},
		"an Allow with IfExists":           {identity(get("Allow", `"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", "aws:SourceIp"},
		"an Allow with ForAllValues":       {identity(get("Allow", `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`)), "allowed", "aws:TagKeys"},
		"an Allow by the want, and one":    {identity(get("Allow", `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), all), "allowed", ""},
		"two Allows by the want":           {identity(get("Allow", `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), get("Allow", `"StringNotEquals":{"a:b":"c"}`)), "allowed", "a:b and aws:SourceIp"},
		"an Allow that Null asks for":      {identity(get("Allow", `"Null":{"aws:SourceVpce":"true"}`)), "allowed", ""},
		"an Allow that was not needed":     {identity(all, get("Allow", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "allowed", ""},
		"the bucket's Allow by the want":   {`"resourcePolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}}`, "allowed", "aws:SourceVpce"},
		"an Allow by the want, and a Deny": {identity(get("Allow", `"StringNotEquals":{"a:b":"c"}`), all, get("Deny", `"StringEquals":{"d:e":"f"}`)), "allowed", "d:e"},

		// Denied, since an Allow asks for what was not given.
		"no Allow":                      {identity(get("Allow", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "implicitDeny", "aws:SourceIp"},
		"no Allow, given":               {identity(get("Allow", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)) + `,"context":{"aws:SourceIp":"192.0.2.1"}`, "implicitDeny", ""},
		"no Allow by Null":              {identity(get("Allow", `"Null":{"aws:SourceVpce":"false"}`)), "implicitDeny", ""},
		"no Allow by a variable":        {identity(statement("Allow", "*", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "")), "implicitDeny", "aws:PrincipalTag/team"},
		"no Allow of what lacks":        {`"resourcePolicy":"$fromIP",` + identity(all, get("Allow", `"StringEquals":{"a:b":"c"}`)), "implicitDeny", "aws:SourceIp"},
		"no Allow of another's":         {identity(statement("Allow", "s3:Put*", "*", `"StringEquals":{"a:b":"c"}`)), "implicitDeny", ""},
		"no Allow of a boundary":        {`"boundary":{"Statement":` + get("Allow", `"StringEquals":{"a:b":"c"}`) + `}`, "implicitDeny", "a:b"},
		"no Allow of two sides":         {`"resourcePolicy":"$fromIP",` + identity(get("Allow", `"StringEquals":{"a:b":"c"}`)), "implicitDeny", "a:b and aws:SourceIp"},
		"an implicit deny, with Denies": {identity(get("Deny", `"StringEquals":{"a:b":"c"}`)), "implicitDeny", ""},

		// Denied by what was not given.
		"a Deny by the want":             {identity(all, get("Deny", `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)), "explicitDeny", "aws:SourceIp"},
		"a Deny with IfExists":           {identity(all, get("Deny", `"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`)), "explicitDeny", "aws:MultiFactorAuthPresent"},
		"a Deny by the want, and one":    {identity(get("Deny", `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), `{"Effect":"Deny","Action":"*","Resource":"*"}`), "explicitDeny", ""},
		"a Deny that Null asks for":      {identity(all, get("Deny", `"Null":{"aws:MultiFactorAuthAge":"true"}`)), "explicitDeny", ""},
		"a Deny, and one that asks":      {identity(all, `{"Effect":"Deny","Action":"*","Resource":"*"}`, get("Deny", `"StringEquals":{"a:b":"c"}`)), "explicitDeny", ""},
		"by NotPrincipal and a boundary": {`"boundary":"$all","resourcePolicy":{"Statement":[` + samplePolicies["toReader"] + `,{"Effect":"Deny","NotPrincipal":{"AWS":["222222222222","arn:aws:iam::222222222222:role/team/reader"]},"Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"a:b":"c"}}}]}`, "explicitDeny", "a:b"},

		// Steps: of all that are allowed, or of the one that is not.
		"steps":                 {identity(all, get("Deny", `"StringEquals":{"b:c":"x"}`), statement("Deny", "s3:Put*", "*", `"StringEquals":{"a:b":"x"}`)) + `,"steps":[{"action":"s3:PutObject"}]`, "allowed", "b:c and a:b"},
		"a step that is denied": {identity(all, get("Deny", `"StringEquals":{"b:c":"x"}`), statement("Deny", "s3:Put*", "*", `"StringNotEquals":{"a:b":"x"}`)) + `,"steps":[{"action":"s3:PutObject"}]`, "explicitDeny", "a:b"},
	} {
		t.Run(name, func(t *testing.T) {
			line := caseLine(t, "{"+tc.fields+"}")
			a := Case(line, 7, noon)
			if a.Decision != tc.want {
				t.Fatalf("%s, want %s: %s\n%s", a.Decision, tc.want, a.Reason, line)
			}
			_, keys, _ := strings.Cut(a.Reason, "; the case gives no ")
			keys, _, _ = strings.Cut(keys, ", which its policies ask for")
			if keys != tc.keys {
				t.Errorf("the keys are %q, want %q: %s", keys, tc.keys, a.Reason)
			}
		})
	}
}

// TestResourcePolicyOfSteps: a policy is of one resource, and a step for
// another needs its own (S3:example-bucket-policies, KMS:key-policies).
func TestResourcePolicyOfSteps(t *testing.T) {
	const (
		key         = `"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1"`
		wide        = `"identityPolicies":["$all"],"resourcePolicy":"$everybody"`
		bucketsOnly = "the case's resourcePolicy is that of arn:aws:s3:::b and counts for no other resource"
	)
	for name, tc := range map[string]struct {
		fields, want, lacking, reason string
	}{
		"a key is not the bucket":       {wide + `,"steps":[{` + key + `}]`, "implicitDeny", "resource", bucketsOnly},
		"nor is another bucket":         {wide + `,"steps":[{"action":"s3:PutObject","resource":"arn:aws:s3:::c/x"}]`, "implicitDeny", "resource", bucketsOnly},
		"nor is one that begins alike":  {wide + `,"steps":[{"resource":"arn:aws:s3:::b2/x"}]`, "implicitDeny", "resource", bucketsOnly},
		"another key of the bucket is":  {wide + `,"steps":[{"resource":"arn:aws:s3:::b/y"}]`, "allowed", "", ""},
		"and the bucket of an object":   {wide + `,"steps":[{"action":"s3:ListBucket","resource":"arn:aws:s3:::b"}]`, "allowed", "", ""},
		"another action is":             {wide + `,"steps":[{"action":"s3:PutObject"}]`, "allowed", "", ""},
		"a policy of its own":           {wide + `,"steps":[{` + key + `,"resourcePolicy":"$key"}]`, "allowed", "", ""},
		"a step without one is allowed": {`"identityPolicies":["$all"],"steps":[{"resource":"arn:aws:s3:::c/x","resourceAccount":"222222222222"}]`, "allowed", "", bucketsOnly},
		"a Deny counts for its bucket":  {`"identityPolicies":["$all"],"resourcePolicy":{"Statement":[` + samplePolicies["everybody"] + `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}]},"steps":[{"action":"s3:PutObject","resource":"arn:aws:s3:::c/x","resourceAccount":"222222222222"}]`, "allowed", "", bucketsOnly},
		"of the first step's resource":  {wide + `,"resource":null,"steps":[{"resource":"arn:aws:s3:::b/x"},{"resource":"arn:aws:s3:::b/y"}]`, "allowed", "", ""},
		"not of the second's":           {wide + `,"resource":null,"steps":[{"resource":"arn:aws:s3:::b/x"},{` + key + `}]`, "implicitDeny", "resource", "step 2: "},
		"but for one of its own":        {wide + `,"resource":null,"steps":[{` + key + `,"resourcePolicy":"$key"},{"resource":"arn:aws:s3:::b/y"}]`, "allowed", "", ""},
		"a deny says nothing of it":     {`"identityPolicies":["$denyGet"],"steps":[{"resource":"arn:aws:s3:::c/x"}]`, "explicitDeny", "identity", "statement \"NoGet\", denies"},
	} {
		t.Run(name, func(t *testing.T) {
			line := caseLine(t, "{"+tc.fields+"}")
			a := Case(line, 7, noon)
			if string(a.Decision) != tc.want || !slices.Equal(a.Lacking, sideList(tc.lacking)) || !strings.Contains(a.Reason, tc.reason) {
				t.Errorf("%s, lacking %v: %s\n%s", a.Decision, a.Lacking, a.Reason, line)
			}
			if !strings.Contains(tc.reason, bucketsOnly) && !strings.HasPrefix(tc.reason, "step") && strings.Contains(a.Reason, "resourcePolicy") {
				t.Errorf("the reason speaks of the resourcePolicy: %s", a.Reason)
			}
		})
	}
}
