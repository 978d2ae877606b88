package simulate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// baseCase is a case that is allowed across accounts. Tests change fields of
// it; "$name" stands for a policy of samplePolicies.
const baseCase = `{
	"id": "c", "principal": "arn:aws:iam::222222222222:role/team/reader", "action": "s3:GetObject",
	"resource": "arn:aws:s3:::b/logs/x", "resourceAccount": "111111111111",
	"identityPolicies": ["$get"], "resourcePolicy": "$toReader"}`

// samplePolicies are statements of policies, by name.
var samplePolicies = map[string]string{
	"all":       `{"Effect":"Allow","Action":"*","Resource":"*"}`,
	"get":       `{"Sid":"Get","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`,
	"put":       `{"Sid":"Put","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`,
	"list":      `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["logs/","logs/*"]}}}`,
	"denyGet":   `{"Sid":"NoGet","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`,
	"mine":      `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}`,
	"toReader":  `{"Sid":"R","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/team/reader"},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`,
	"toAccount": `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`,
	"toPlain":   `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/reader"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`,
	"toSession": `{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::222222222222:assumed-role/reader/s1"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`,
	"toUser":    `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:user/ann"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`,
	"toID":      `{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEEXAMPLE12"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`,
	"toEC2":     `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`,
	"public":    `{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`,
	"everybody": `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
	"tls":       `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`,
	"denyNoTLS": `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
	"denyAll":   `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`,
	"fromIP":    `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`,
	"denyIP":    `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`,
	"onlyIP":    `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringEquals":{"aws:UserAgent":"x"}}}`,
	"getNoIP":   `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringNotLike":{"aws:UserAgent":"x*"},"StringEqualsIfExists":{"s3:prefix":"logs/"}}}`,
	"org":       `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`,
	"byARN":     `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/*"}}}`,
	"sameOwner": `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"111111111111","s3:ResourceAccount":"111111111111"}}}`,
	"mfaAge":    `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`,
	"until":     `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z","aws:EpochTime":"1796083200"}}}`,
	"types":     `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"AssumedRole","aws:PrincipalAccount":"222222222222"}}}`,
	"tags":      `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["b"]}}}`,
	"decrypt":   `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111111111111:key/k1"}`,
	"key":       `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:Decrypt","Resource":"*"}`,
	"trust":     `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`,
}

// caseLine is the base with other fields; null takes one away.
func caseLine(t testing.TB, fields string) []byte {
	t.Helper()
	merged := map[string]json.RawMessage{}
	for _, text := range []string{baseCase, fields} {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for k, v := range m {
			if merged[k] = v; string(v) == "null" {
				delete(merged, k)
			}
		}
	}
	line, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	return expand(line)
}

func expand(line []byte) []byte {
	text := string(line)
	for name, statement := range samplePolicies {
		text = strings.ReplaceAll(text, `"$`+name+`"`, `{"Version":"2012-10-17","Statement":[`+statement+`]}`)
	}
	return []byte(text)
}

func sideList(s string) []iampolicy.Side {
	list := []iampolicy.Side{}
	for name := range strings.FieldsSeq(s) {
		list = append(list, iampolicy.Side(name))
	}
	return list
}

// TestCase holds the answers to the rules of AWS's guides, which are named
// as in package iampolicy.
func TestCase(t *testing.T) {
	const (
		cross = "IAM:reference_policies_evaluation-logic-cross-account"
		logic = "IAM:reference_policies_evaluation-logic"
		princ = "IAM:reference_policies_elements_principal"
		keys  = "IAM:reference_policies_condition-keys"
	)
	for name, tc := range map[string]struct {
		page    string
		fields  string
		want    iampolicy.Outcome
		lacking string
		reason  string // a part of it
	}{
		// principal, action, resource, and the two sides.
		"both sides allow":        {cross, `{}`, "allowed", "", `statement "Get", allows s3:GetObject on arn:aws:s3:::b/logs/x, and so does the resource policy, statement "R"`},
		"only three fields":       {cross, `{"resourceAccount":null,"identityPolicies":null,"resourcePolicy":null}`, "implicitDeny", "identity resource", "there is no identity policy"},
		"identity alone":          {cross, `{"resourcePolicy":null}`, "implicitDeny", "resource", "there is no resource policy"},
		"resource policy alone":   {cross, `{"identityPolicies":[]}`, "implicitDeny", "identity", "there is no identity policy"},
		"action that none allows": {cross, `{"action":"s3:DeleteObject"}`, "implicitDeny", "identity", `statement "Get"`},
		"action in another case":  {"IAM:reference_policies_elements_action", `{"action":"S3:getobject"}`, "allowed", "", "S3:getobject"},
		"resource's case counts":  {"IAM:reference_policies_elements_resource", `{"resource":"arn:aws:s3:::B/logs/x"}`, "implicitDeny", "identity resource", "not the resource"},
		"bucket for objects":      {"S3:security_iam_service-with-iam", `{"action":"s3:ListBucket","resource":"arn:aws:s3:::b","identityPolicies":["$get"]}`, "implicitDeny", "identity", "identity policy"},
		"deny on the identity":    {logic, `{"identityPolicies":["$get","$denyGet"]}`, "explicitDeny", "identity", `the identity policy number 2, statement "NoGet", denies`},
		"deny on the resource":    {logic, `{"resourcePolicy":"$denyAll"}`, "explicitDeny", "resource", "the resource policy, statement number 1, denies"},
		"a star in a key":         {"IAM:reference_policies_elements_resource", `{"resource":"arn:aws:s3:::b/*"}`, "allowed", "", "taken for characters"},

		// Principals.
		"role named in full":            {princ, `{"resourcePolicy":"$toReader"}`, "allowed", "", ""},
		"role without its path":         {princ, `{"resourcePolicy":"$toPlain"}`, "implicitDeny", "resource", ""},
		"account delegates":             {princ, `{"resourcePolicy":"$toAccount"}`, "allowed", "", ""},
		"account delegates, no more":    {princ, `{"resourcePolicy":"$toAccount","identityPolicies":["$put"]}`, "implicitDeny", "identity", ""},
		"session of a role":             {princ, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","resourcePolicy":"$toPlain"}`, "allowed", "", ""},
		"session, role's path unknown":  {princ, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1"}`, "implicitDeny", "resource", ""},
		"session, role's path given":    {princ, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","principalRoleArn":"arn:aws:iam::222222222222:role/team/reader"}`, "allowed", "", ""},
		"session named":                 {princ, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","resourcePolicy":"$toSession"}`, "allowed", "", ""},
		"another session named":         {princ, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s2","resourcePolicy":"$toSession"}`, "implicitDeny", "resource", ""},
		"user":                          {princ, `{"principal":"arn:aws:iam::222222222222:user/ann","resourcePolicy":"$toUser"}`, "allowed", "", ""},
		"another user":                  {princ, `{"principal":"arn:aws:iam::222222222222:user/bob","resourcePolicy":"$toUser"}`, "implicitDeny", "resource", ""},
		"root of the account":           {"IAM:id_root-user", `{"principal":"arn:aws:iam::222222222222:root","identityPolicies":[],"resourcePolicy":"$toAccount"}`, "allowed", "", ""},
		"account id is its root":        {"IAM:id_root-user", `{"principal":"222222222222","identityPolicies":[],"resourcePolicy":"$toReader"}`, "implicitDeny", "resource", ""},
		"anonymous, public":             {princ, `{"principal":"anonymous","identityPolicies":[],"resourcePolicy":"$public"}`, "allowed", "", ""},
		"anonymous, not public":         {princ, `{"principal":"anonymous","resourcePolicy":"$toAccount"}`, "implicitDeny", "resource", ""},
		"anonymous has no identity":     {princ, `{"principal":"anonymous","identityPolicies":["$all"],"resourcePolicy":null}`, "implicitDeny", "resource", ""},
		"service":                       {princ, `{"principal":"ec2.amazonaws.com","identityPolicies":[],"resourcePolicy":"$toEC2"}`, "allowed", "", ""},
		"another service":               {princ, `{"principal":"lambda.amazonaws.com","identityPolicies":[],"resourcePolicy":"$toEC2"}`, "implicitDeny", "resource", ""},
		"service assumes a role":        {"IAM:id_roles_terms-and-concepts", `{"principal":"ec2.amazonaws.com","action":"sts:AssumeRole","resource":"arn:aws:iam::111111111111:role/r","identityPolicies":[],"resourcePolicy":"$trust"}`, "allowed", "", ""},
		"unique id":                     {"IAM:reference_identifiers", `{"principalUniqueId":"AROAEXAMPLEEXAMPLE12","resourcePolicy":"$toID"}`, "allowed", "", ""},
		"id of a role that was deleted": {"IAM:reference_identifiers", `{"principalUniqueId":"AROAOTHEROTHEROTHER1","resourcePolicy":"$toID"}`, "implicitDeny", "resource", ""},
		"unique id not given":           {"IAM:reference_identifiers", `{"resourcePolicy":"$toID"}`, "implicitDeny", "resource", ""},

		// Whose the resource is.
		"same account, identity alone":     {logic, `{"resourceAccount":"222222222222","resourcePolicy":null}`, "allowed", "", ""},
		"same account, role named":         {logic, `{"resourceAccount":"222222222222","identityPolicies":[]}`, "allowed", "", ""},
		"account not given":                {logic, `{"resourceAccount":null,"resourcePolicy":null}`, "allowed", "", "taken to be of the principal's account 222222222222"},
		"account given by the context":     {cross, `{"resourceAccount":null,"resourcePolicy":null,"context":{"AWS:ResourceAccount":"111111111111"}}`, "implicitDeny", "resource", ""},
		"account given by an S3 key":       {cross, `{"resourceAccount":null,"resourcePolicy":null,"context":{"s3:ResourceAccount":"111111111111"}}`, "implicitDeny", "resource", ""},
		"account in the ARN":               {cross, `{"resourceAccount":null,"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","identityPolicies":["$decrypt"],"resourcePolicy":null}`, "implicitDeny", "resource", ""},
		"key policy and identity":          {"KMS:key-policy-modifying-external-accounts", `{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","identityPolicies":["$decrypt"],"resourcePolicy":"$key"}`, "allowed", "", ""},
		"key policy, own account":          {"KMS:key-policies", `{"principal":"arn:aws:iam::111111111111:role/r","action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","identityPolicies":["$decrypt"],"resourcePolicy":null}`, "implicitDeny", "resource", ""},
		"bucket policy of another account": {"S3:API_PutBucketPolicy", `{"action":"s3:PutBucketPolicy","resource":"arn:aws:s3:::b","identityPolicies":["$all"]}`, "implicitDeny", "resource", "own account"},

		// Forms of policies.
		"named policies":               {logic, `{"identityPolicies":[{"name":"p1","policy":"$put"},{"name":"p2","policy":"$get"}],"resourcePolicy":{"name":"of b","policy":"$toReader"}}`, "allowed", "", `the identity policy "p2", statement "Get", allows s3:GetObject on arn:aws:s3:::b/logs/x, and so does the resource policy "of b"`},
		"policies as strings":          {logic, `{"identityPolicies":["{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"]}`, "allowed", "", ""},
		"named policy as a string":     {logic, `{"identityPolicies":[{"name":"p","policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}]}`, "allowed", "", `"p"`},
		"one policy instead of a list": {logic, `{"identityPolicies":"$get"}`, "allowed", "", ""},
		"null is not given":            {logic, `{"title":"t","boundary":null,"context":null}`, "allowed", "", ""},

		// Boundary, session policy, endpoint policies.
		"boundary limits":              {"IAM:access_policies_boundaries", `{"boundary":"$put"}`, "implicitDeny", "boundary", ""},
		"boundary allows":              {"IAM:access_policies_boundaries", `{"boundary":["$put","$get"]}`, "allowed", "", ""},
		"boundary gives nothing":       {"IAM:access_policies_boundaries", `{"boundary":["$all"],"identityPolicies":[]}`, "implicitDeny", "identity", ""},
		"boundary denies":              {"IAM:access_policies_boundaries", `{"boundary":["$all","$denyGet"]}`, "explicitDeny", "boundary", ""},
		"boundary and a named role":    {logic, `{"resourceAccount":"222222222222","identityPolicies":[],"boundary":"$put"}`, "implicitDeny", "boundary", ""},
		"boundary and a named user":    {logic, `{"resourceAccount":"222222222222","principal":"arn:aws:iam::222222222222:user/ann","identityPolicies":[],"resourcePolicy":"$toUser","boundary":"$put"}`, "allowed", "", ""},
		"no boundary":                  {"IAM:access_policies_boundaries", `{"boundary":[],"endpointPolicies":[],"sessionPolicy":[]}`, "allowed", "", ""},
		"session policy limits":        {"IAM:access_policies#policies_session", `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","resourcePolicy":"$toSession","sessionPolicy":"$put"}`, "implicitDeny", "session", ""},
		"session policy allows":        {"IAM:access_policies#policies_session", `{"sessionPolicy":{"name":"s","policy":"$get"}}`, "allowed", "", ""},
		"session named in its account": {logic, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","resourceAccount":"222222222222","identityPolicies":[],"resourcePolicy":"$toSession","sessionPolicy":"$put"}`, "allowed", "", ""},
		"endpoint policy lacks":        {"S3:example-bucket-policies-vpc-endpoint", `{"endpointPolicies":["$put"]}`, "implicitDeny", "endpoint", ""},
		"endpoint policies allow":      {"S3:example-bucket-policies-vpc-endpoint", `{"endpointPolicies":["$put","$public"]}`, "allowed", "", ""},
		"endpoint policy denies":       {"S3:example-bucket-policies-vpc-endpoint", `{"endpointPolicies":["$all","$denyAll"]}`, "explicitDeny", "endpoint", ""},

		// Organizations.
		"SCPs of all levels allow": {"ORG:orgs_manage_policies_scps_evaluation", `{"scps":[["$all"],["$put","$get"]]}`, "allowed", "", ""},
		"an SCP level lacks":       {"ORG:orgs_manage_policies_scps_evaluation", `{"scps":[["$all"],["$put"],["$all"]]}`, "implicitDeny", "scp", "of level 2"},
		"an empty SCP level":       {"ORG:orgs_manage_policies_scps_evaluation", `{"scps":[["$all"],[]]}`, "implicitDeny", "scp", ""},
		"no SCPs":                  {"ORG:orgs_manage_policies_scps_evaluation", `{"scps":[],"rcps":[]}`, "allowed", "", ""},
		"an SCP denies":            {"ORG:orgs_manage_policies_scps_evaluation", `{"scps":[["$all",{"name":"no get","policy":"$denyGet"}],["$all"]]}`, "explicitDeny", "scp", `the service control policy of level 1 "no get"`},
		"an RCP denies":            {"ORG:orgs_manage_policies_rcps", `{"rcps":[[],["$denyAll"]]}`, "explicitDeny", "rcp", "the resource control policy of level 2"},
		"an RCP gives nothing":     {"ORG:orgs_manage_policies_rcps", `{"rcps":[["$everybody"]],"resourcePolicy":null}`, "implicitDeny", "resource", ""},

		// Context.
		"TLS by default":                  {keys, `{"resourcePolicy":"$tls"}`, "allowed", "", ""},
		"no TLS":                          {keys, `{"resourcePolicy":"$tls","context":{"aws:securetransport":false}}`, "implicitDeny", "resource", "conditions do not hold"},
		"denied without TLS":              {keys, `{"resourcePolicy":"$denyNoTLS","context":{"aws:SecureTransport":["false"]}}`, "explicitDeny", "resource", ""},
		"a default taken away":            {keys, `{"resourcePolicy":"$tls","context":{"aws:SecureTransport":null}}`, "implicitDeny", "resource", ""},
		"exact context":                   {keys, `{"resourcePolicy":"$tls","exactContext":true}`, "implicitDeny", "resource", ""},
		"exact context with the key":      {keys, `{"resourcePolicy":"$tls","exactContext":true,"context":{"aws:SecureTransport":"true"}}`, "allowed", "", ""},
		"PrincipalArn of a role":          {keys, `{"resourcePolicy":"$byARN"}`, "allowed", "", ""},
		"PrincipalArn of a session":       {keys, `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","principalRoleArn":"arn:aws:iam::222222222222:role/team/reader","resourcePolicy":"$byARN"}`, "allowed", "", ""},
		"PrincipalType, PrincipalAccount": {keys, `{"identityPolicies":["$types"]}`, "allowed", "", ""},
		"PrincipalType of a user":         {keys, `{"principal":"arn:aws:iam::222222222222:user/ann","resourcePolicy":"$toUser","identityPolicies":["$types"]}`, "implicitDeny", "identity", ""},
		"ResourceAccount":                 {keys, `{"identityPolicies":["$sameOwner"]}`, "allowed", "", ""},
		"ResourceAccount of another":      {keys, `{"resourceAccount":"333333333333","identityPolicies":["$sameOwner"]}`, "implicitDeny", "identity", ""},
		"CurrentTime is now":              {keys, `{"identityPolicies":["$until"]}`, "allowed", "", ""},
		"CurrentTime given":               {keys, `{"identityPolicies":["$until"],"context":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, "implicitDeny", "identity", ""},
		"EpochTime follows CurrentTime":   {keys, `{"identityPolicies":["$until"],"context":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}`, "allowed", "", ""},
		"CurrentTime without meaning":     {keys, `{"identityPolicies":["$until"],"context":{"aws:CurrentTime":"soon"}}`, "implicitDeny", "identity", ""},
		"numbers and booleans":            {keys, `{"identityPolicies":["$mfaAge"],"context":{"aws:MultiFactorAuthAge":60,"aws:MultiFactorAuthPresent":true}}`, "allowed", "", ""},
		"a number too big":                {keys, `{"identityPolicies":["$mfaAge"],"context":{"aws:MultiFactorAuthAge":3600,"aws:MultiFactorAuthPresent":true}}`, "implicitDeny", "identity", ""},
		"list of values":                  {keys, `{"identityPolicies":["$tags"],"context":{"aws:TagKeys":["a","b"]}}`, "allowed", "", ""},
		"empty list is absent":            {keys, `{"identityPolicies":["$tags"],"context":{"aws:TagKeys":[]}}`, "implicitDeny", "identity", ""},
		"SourceIp":                        {keys, `{"resourcePolicy":"$fromIP","context":{"aws:SourceIp":"203.0.113.9"}}`, "allowed", "", ""},
		"SourceIp is no default":          {keys, `{"resourcePolicy":"$fromIP"}`, "implicitDeny", "resource", ""},
		"organization":                    {keys, `{"resourcePolicy":"$org","context":{"aws:PrincipalOrgID":"o-1"}}`, "allowed", "", ""},
		"another organization":            {keys, `{"resourcePolicy":"$org","context":{"aws:PrincipalOrgID":"o-2"}}`, "implicitDeny", "resource", ""},
		"variable":                        {"IAM:reference_policies_variables", `{"identityPolicies":["$mine"],"context":{"aws:username":"logs"}}`, "allowed", "", ""},
		"variable without value":          {"IAM:reference_policies_variables", `{"identityPolicies":["$mine"]}`, "implicitDeny", "identity", ""},
		"listing under a prefix":          {"S3:amazon-s3-policy-keys", `{"action":"s3:ListBucket","resource":"arn:aws:s3:::b","identityPolicies":["$list"],"context":{"s3:prefix":"logs/a"}}`, "allowed", "", ""},
		"listing without a prefix":        {"S3:amazon-s3-policy-keys", `{"action":"s3:ListBucket","resource":"arn:aws:s3:::b","identityPolicies":["$list"]}`, "implicitDeny", "identity", ""},

		// Block Public Access.
		"public policy, named caller":  {"S3:access-control-block-public-access", `{"resourcePolicy":"$public","s3BlockPublicAccess":true}`, "implicitDeny", "blockPublicAccess", "Block Public Access"},
		"public policy, no block":      {"S3:access-control-block-public-access", `{"resourcePolicy":"$public","s3BlockPublicAccess":false}`, "allowed", "", ""},
		"policy that is not public":    {"S3:access-control-block-public-access", `{"s3BlockPublicAccess":true}`, "allowed", "", ""},
		"public policy in its account": {"S3:access-control-block-public-access", `{"resourceAccount":"222222222222","resourcePolicy":"$public","s3BlockPublicAccess":true}`, "allowed", "", ""},

		// Everything lacks at once.
		"all sides":       {cross, `{"action":"s3:DeleteObject","resourcePolicy":"$public","boundary":"$put","scps":[["$put"]],"sessionPolicy":"$put","endpointPolicies":["$put"]}`, "implicitDeny", "identity resource boundary scp session endpoint", ""},
		"an RCP is first": {logic, `{"identityPolicies":["$denyGet"],"scps":[["$denyGet"]],"rcps":[["$denyAll"]]}`, "explicitDeny", "identity scp rcp", "the resource control policy"},

		// Steps.
		"steps are allowed":                       {cross, `{"identityPolicies":["$get","$decrypt"],"steps":[{},{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","resourcePolicy":"$key"}]}`, "allowed", "", "all 2 requests are allowed: s3:GetObject on arn:aws:s3:::b/logs/x, kms:Decrypt on arn:aws:kms:eu-west-1:111111111111:key/k1"},
		"a step is denied":                        {"KMS:key-policy-modifying-external-accounts", `{"steps":[{},{"title":"decrypt","action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","resourcePolicy":"$key"}]}`, "implicitDeny", "identity", "step 2 (decrypt): "},
		"the first that does not pass":            {cross, `{"steps":[{},{"action":"s3:PutObject","boundary":"$get"},{"resourcePolicy":"$denyAll"}]}`, "implicitDeny", "identity boundary", "step 2: "},
		"the case itself counts":                  {cross, `{"identityPolicies":["$decrypt"],"steps":[{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","resourcePolicy":"$key"}]}`, "implicitDeny", "identity", "the case's own request: "},
		"a step in the case's place":              {"S3:amazon-s3-policy-keys", `{"action":"s3:ListBucket","resource":"arn:aws:s3:::b","identityPolicies":["$list"],"steps":[{"context":{"s3:prefix":"logs/"}},{"context":{"s3:prefix":"logs/a"}}]}`, "allowed", "", ""},
		"contexts merge by key":                   {keys, `{"action":null,"resourcePolicy":"$fromIP","identityPolicies":["$tags"],"context":{"aws:SourceIp":"203.0.113.9","aws:TagKeys":"a"},"steps":[{"action":"s3:GetObject","context":{"AWS:tagkeys":"b"}}]}`, "allowed", "", ""},
		"a step takes a key away":                 {keys, `{"resourcePolicy":"$fromIP","context":{"aws:SourceIp":"203.0.113.9"},"steps":[{},{"context":{"aws:sourceip":null}}]}`, "implicitDeny", "resource", "step 2"},
		"a step takes the context away":           {keys, `{"resourcePolicy":"$fromIP","context":{"aws:SourceIp":"203.0.113.9"},"steps":[{"context":null}]}`, "implicitDeny", "resource", "step 1"},
		"a step takes the boundary away":          {"IAM:access_policies_boundaries", `{"action":null,"boundary":"$put","steps":[{"action":"s3:GetObject","boundary":null}]}`, "allowed", "", ""},
		"but not the case's":                      {"IAM:access_policies_boundaries", `{"boundary":"$put","steps":[{"boundary":null}]}`, "implicitDeny", "boundary", "the case's own request: "},
		"exactContext is inherited":               {keys, `{"resourcePolicy":"$tls","exactContext":true,"steps":[{"context":{"aws:SecureTransport":"true"}},{"context":{"aws:SecureTransport":null}}]}`, "implicitDeny", "resource", "step 2"},
		"only steps name action and resource":     {cross, `{"action":null,"resource":null,"steps":[{"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"}]}`, "allowed", "", ""},
		"another principal has another id":        {"IAM:reference_identifiers", `{"principalUniqueId":"AROAEXAMPLEEXAMPLE12","resourcePolicy":"$toID","steps":[{},{"principal":"arn:aws:iam::222222222222:role/other"}]}`, "implicitDeny", "resource", "step 2"},
		"the same principal keeps its id":         {"IAM:reference_identifiers", `{"principalUniqueId":"AROAEXAMPLEEXAMPLE12","resourcePolicy":"$toID","steps":[{"principal":"arn:aws:iam::222222222222:role/team/reader"}]}`, "allowed", "", ""},
		"another resource has another account":    {"KMS:key-policies", `{"principal":"arn:aws:iam::111111111111:role/r","resourceAccount":"111111111111","identityPolicies":["$all"],"resourcePolicy":null,"steps":[{},{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:333333333333:key/k2"}]}`, "implicitDeny", "resource", "step 2"},
		"no steps":                                {cross, `{"steps":[]}`, "allowed", "", "and so does"},
		"instance's role: assumed, then used":     {"IAM:id_roles_terms-and-concepts", `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/i-1","resourcePolicy":"$toPlain","steps":[{"principal":"ec2.amazonaws.com","action":"sts:AssumeRole","resource":"arn:aws:iam::222222222222:role/reader","resourcePolicy":"$trust"},{}]}`, "allowed", "", ""},
		"instance's role: trusted by another one": {"IAM:id_roles_terms-and-concepts", `{"principal":"arn:aws:sts::222222222222:assumed-role/reader/i-1","resourcePolicy":"$toPlain","steps":[{"principal":"lambda.amazonaws.com","action":"sts:AssumeRole","resource":"arn:aws:iam::222222222222:role/reader","resourcePolicy":"$trust"},{}]}`, "implicitDeny", "resource", "step 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.page == "" {
				t.Error("the case names no page of AWS")
			}
			line := caseLine(t, tc.fields)
			a := Case(line, 7, noon)
			if a.Decision != tc.want || a.Allowed != (tc.want == "allowed") || !slices.Equal(a.Lacking, sideList(tc.lacking)) {
				t.Errorf("%s, lacking %v (%s), want %s, lacking %s\n%s", a.Decision, a.Lacking, a.Reason, tc.want, tc.lacking, line)
			}
			if !strings.Contains(a.Reason, tc.reason) || a.Reason == "" {
				t.Errorf("the reason is %q, without %q", a.Reason, tc.reason)
			}
			if string(a.ID) != `"c"` {
				t.Errorf("the id is %s", a.ID)
			}
		})
	}
}
