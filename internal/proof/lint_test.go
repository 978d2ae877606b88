package proof_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/specs"
)

const lintRole = `"Principal":{"AWS":"arn:aws:iam::222222222222:role/r"}`

// lintCases are statements of policies, with the codes of their findings. No
// code is missing that the table has for a policy: see TestLintsAreTested.
var lintCases = map[string]struct {
	kind    proof.PolicyKind
	text    string // of one statement, several, or the whole document
	want    string // codes in order
	message string // what the first finding says too
}{
	"grant":                        {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/in/*"}`, "", ""},
	"identity grant":               {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["in/","in/*"]}}}`, "", ""},
	"objects on the bucket":        {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b"}`, "only-bucket-arn", "s3:GetObject on the bucket only"},
	"bucket on the objects":        {proof.IdentityPolicy, `{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*"}`, "only-object-arn", "s3:ListBucket on objects only"},
	"everything on the objects":    {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`, "only-object-arn", "s3:*"},
	"both in two statements":       {proof.IdentityPolicy, `{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`, "", ""},
	"two statements, two roles":    {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/q"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`, "only-object-arn", ""},
	"both by one pattern":          {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b*"}`, "", ""},
	"denied on the bucket only":    {proof.BucketPolicy, `{"Effect":"Deny",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b"}`, "", ""},
	"another bucket":               {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::c"}`, "other-bucket", "arn:aws:s3:::c"},
	"unknown action":               {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObjects","Resource":"arn:aws:s3:::b/*"}`, "unknown-action", "s3:GetObjects"},
	"head is no action":            {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:HeadBucket","Resource":"arn:aws:s3:::b"}`, "unknown-action", ""},
	"prefix without slash":         {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["logs*"]}}}`, "prefix-slash", `"logs-other/"`},
	"prefix equal without slash":   {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"s3:prefix":["","logs"]}}}`, "prefix-slash", ""},
	"object prefix without slash":  {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/logs*"}`, "prefix-slash", "logs-other/"},
	"prefix of a variable":         {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}*"}`, "", ""},
	"public":                       {proof.BucketPolicy, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "public-policy", ""},
	"public but for the source":    {proof.BucketPolicy, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}`, "", ""},
	"no principal":                 {proof.BucketPolicy, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "no-principal", ""},
	"principal in identity":        {proof.IdentityPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "principal-in-identity", ""},
	"wildcard principal":           {proof.BucketPolicy, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::222222222222:role/*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "wildcard-principal", "role/*"},
	"dead principal":               {proof.BucketPolicy, `{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEEXAMPLE123"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "dead-principal", "AROAEXAMPLEEXAMPLE123"},
	"dead principal denied":        {proof.BucketPolicy, `{"Effect":"Deny","Principal":{"AWS":"AROAEXAMPLEEXAMPLE123"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "", ""},
	"unlisted account":             {proof.BucketPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222223:role/r"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "unlisted-account", "222222222223"},
	"account as principal":         {proof.BucketPolicy, `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "account-principal", "account 222222222222 as a whole"},
	"account narrowed":             {proof.BucketPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/*"}}}`, "", ""},
	"account denied":               {proof.BucketPolicy, `{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "", ""},
	"allow but":                    {proof.BucketPolicy, `{"Effect":"Allow","NotPrincipal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "allow-not-principal", ""},
	"deny but":                     {proof.BucketPolicy, `{"Effect":"Deny","NotPrincipal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`, "deny-not-principal", ""},
	"allow other actions":          {proof.IdentityPolicy, `{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::b/*"}`, "allow-not-action", ""},
	"allow other resources":        {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/*"}`, "allow-not-resource", ""},
	"deny other resources":         {proof.IdentityPolicy, `{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::b/*"}`, "", ""},
	"all values":                   {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}}`, "for-all-values", "aws:TagKeys"},
	"all values, and some":         {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"},"Null":{"aws:TagKeys":"false"}}}`, "", ""},
	"deny all values":              {proof.IdentityPolicy, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}}`, "", ""},
	"if exists":                    {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}}`, "if-exists", "aws:SourceVpce"},
	"variable of 2008":             {proof.IdentityPolicy, `!{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*"}}`, "variables-2008", "${aws:username}"},
	"another partition":            {proof.BucketPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::222222222222:role/r"},"Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"}`, "wrong-partition wrong-partition", "arn:aws-cn:iam::222222222222:role/r"},
	"same Sid":                     {proof.BucketPolicy, `{"Sid":"a","Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},{"Sid":"a","Effect":"Allow",` + lintRole + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`, "duplicate-sid", ""},
	"near the limit":               {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":[` + manyKeys(600, 32) + `]}`, "size-near-limit", "of the 20480"},
	"over the limit":               {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":[` + manyKeys(700, 32) + `]}`, "bucket-policy-too-large", "more than the 20480"},
	"identity over the limit":      {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":[` + manyKeys(200, 32) + `]}`, "policy-too-large", "more than the 6144"},
	"identity near the limit":      {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":[` + manyKeys(180, 32) + `]}`, "", ""},
	"deny an account's others":     {proof.BucketPolicy, `{"Effect":"Deny","NotAction":"s3:*","Principal":"*","NotResource":"arn:aws:s3:::b/*"}`, "", ""},
	"allow the bucket's others":    {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"NotAction":"s3:DeleteBucket","NotResource":"arn:aws:s3:::b/x"}`, "allow-not-action allow-not-resource", ""},
	"all values of a bucket":       {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}}`, "for-all-values", ""},
	"if exists, identity":          {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}}`, "if-exists", ""},
	"variable of 2008 of a bucket": {proof.BucketPolicy, `!{"Statement":{"Effect":"Allow",` + lintRole + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*"}}`, "variables-2008", ""},
	"same Sid, identity":           {proof.IdentityPolicy, `{"Sid":"a","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},{"Sid":"a","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`, "duplicate-sid", ""},
	"another partition, identity":  {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"}`, "wrong-partition", ""},
	"bucket, by the bucket only":   {proof.IdentityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b"}`, "only-bucket-arn", ""},
	"objects only, of a bucket":    {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"}`, "only-object-arn", ""},
	"unknown action, of a bucket":  {proof.BucketPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"s3:HeadBucket","Resource":"arn:aws:s3:::b"}`, "unknown-action", ""},
	"trust service":                {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, "", ""},
	"trust everybody":              {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`, "public-trust", ""},
	"trust an organization":        {proof.TrustPolicy, `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`, "", ""},
	"trust, deny but":              {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/a"},"Action":"sts:AssumeRole"},{"Effect":"Deny","NotPrincipal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, "trust-not-principal", ""},
	"trust all but":                {proof.TrustPolicy, `{"Effect":"Allow","NotPrincipal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, "allow-not-principal", ""},
	"trust nobody":                 {proof.TrustPolicy, `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`, "trust-nobody", ""},
	"trust with another service":   {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole","s3:GetObject"]}`, "trust-action", "s3:GetObject"},
	"trust a web identity wrongly": {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/ci.example.com"},"Action":"sts:AssumeRole"}`, "trust-action", "sts:AssumeRoleWithWebIdentity"},
	"trust SAML wrongly":           {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:saml-provider/corp"},"Action":"sts:AssumeRoleWithWebIdentity"}`, "trust-action", "sts:AssumeRoleWithSAML"},
	"trust a service as web":       {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}`, "trust-action", "sts:AssumeRole"},
	"trust tags only":              {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:TagSession"}`, "", ""},
	"trust with a resource":        {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*"}`, "trust-resource", ""},
	"trust by wildcard":            {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:*"}`, "wildcard-action", "sts:*"},
	"trust an account":             {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, "no-external-id", "222222222222"},
	"trust an account by id":       {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`, "", ""},
	"trust a role":                 {proof.TrustPolicy, `{"Effect":"Allow",` + lintRole + `,"Action":"sts:AssumeRole"}`, "", ""},
	"trust a partner's role":       {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444444444444:role/r"},"Action":"sts:AssumeRole"}`, "no-external-id", ""},
	"trust a stranger's role":      {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:role/r"},"Action":"sts:AssumeRole"}`, "unlisted-account no-external-id", ""},
	"trust the own account":        {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}`, "account-principal", ""},
	"trust GitHub":                 {proof.TrustPolicy, github(`"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}`), "open-federation", "githubusercontent.com:sub"},
	"trust all of GitHub":          {proof.TrustPolicy, github(`"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}`), "open-federation", ""},
	"trust a repository":           {proof.TrustPolicy, github(`"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/models:*"}`), "", ""},
	"trust another's provider":     {proof.TrustPolicy, strings.ReplaceAll(github(`"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:acme/m:x"}`), "111111111111", "222222222222"), "federation-account", ""},
	"trust over the default":       {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":[` + manyRoles(50) + `]},"Action":"sts:AssumeRole"}`, "size-near-limit", "default quota of 2048"},
	"trust over the limit":         {proof.TrustPolicy, `{"Effect":"Allow","Principal":{"AWS":[` + manyRoles(110) + `]},"Action":"sts:AssumeRole"}`, "policy-too-large", "more than the 4096"},
}

func github(condition string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` + condition + `}}`
}

// manyKeys are n ARNs of objects that take size bytes each, comma and quotes included.
func manyKeys(n, size int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"arn:aws:s3:::b/%0*d"`, size-3-len("arn:aws:s3:::b/"), i))
	}
	return strings.Join(list, ",")
}

func manyRoles(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"arn:aws:iam::222222222222:role/r%04d"`, i))
	}
	return strings.Join(list, ",")
}

func lintDocument(t *testing.T, text string) *iampolicy.Document {
	t.Helper()
	whole, ok := strings.CutPrefix(text, "!")
	if !ok {
		whole = `{"Version":"2012-10-17","Statement":[` + text + `]}`
	}
	d, err := iampolicy.ParseLive([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lintSubject() proof.Subject {
	return proof.Subject{
		Name: "the policy", Account: "111111111111", Bucket: "b", Partition: "aws",
		Accounts: map[string]*specs.Account{
			"111111111111": {Alias: "lake", Manage: true}, "222222222222": {Alias: "analytics", Manage: true}, "444444444444": {Alias: "partner"},
		},
	}
}

func TestLintPolicy(t *testing.T) {
	for name, c := range lintCases {
		t.Run(name, func(t *testing.T) {
			var codes []string
			findings := proof.LintPolicy(c.kind, lintDocument(t, c.text), lintSubject())
			for _, f := range findings {
				codes = append(codes, string(f.Code))
				row, ok := proof.LintOf(string(f.Code))
				if !ok || row.Severity != f.Severity {
					t.Errorf("%s: severity %q, the table has %q", f.Code, f.Severity, row.Severity)
				}
				if !slices.Contains(row.Seen, string(c.kind)) {
					t.Errorf("%s was found in a policy of kind %s, and the table has %v", f.Code, c.kind, row.Seen)
				}
				if f.Message == "" || f.Mend == "" {
					t.Errorf("%s lacks its message or mend: %+v", f.Code, f)
				}
			}
			if got := strings.Join(codes, " "); got != c.want {
				t.Errorf("found %q, want %q: %+v", got, c.want, findings)
			}
			if len(findings) > 0 && !strings.Contains(findings[0].Message, c.message) {
				t.Errorf("message %q lacks %q", findings[0].Message, c.message)
			}
		})
	}
}

func TestLintNothing(t *testing.T) {
	if got := proof.LintPolicy(proof.BucketPolicy, nil, lintSubject()); got != nil {
		t.Errorf("findings in no document: %v", got)
	}
}

// The table in docs/lints.md is this one.
func TestLintsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/lints.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	var want []string
	codes := map[proof.Code]bool{}
	for _, row := range proof.Lints() {
		if codes[row.Code] {
			t.Errorf("%s stands twice in the table", row.Code)
		}
		codes[row.Code] = true
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s | %s |", row.Code, row.Severity, strings.Join(row.Seen, ", "), row.Cause, row.Mend))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/lints.md differs from the table (-code +docs):\n%s", diff)
	}
}
