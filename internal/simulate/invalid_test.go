package simulate

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

// TestInvalid: what is no case is told by its place and what is wrong.
func TestInvalid(t *testing.T) {
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	for name, tc := range map[string]struct{ line, id, reason string }{
		"no JSON":               {`hello`, `""`, "line 7, column 1: it is no JSON"},
		"no JSON, later":        {`{"id": "c", x}`, `"c"`, "line 7, column 13: it is no JSON"},
		"cut off":               {`{"id": "c", "principal": "arn`, `"c"`, "line 7: the JSON is not complete"},
		"cut off before the id": {`{"principal": `, `""`, "line 7: the JSON is not complete"},
		"a list":                {`[1]`, `""`, "line 7, column 1: a case must be an object, not a list"},
		"null":                  {`null`, `""`, "a case must be an object, not null"},
		"empty":                 {`  `, `""`, "line 7: it is empty"},
		"two on a line":         {`{"id":"c"} {"id":"d"}`, `"c"`, "it is no JSON"},
		"no UTF-8":              {"{\"id\":\"\xff\"}", `""`, "it is not UTF-8"},
		"too deep":              {`{"id":"c","context":` + deep + `}`, `"c"`, "it is no JSON"},
		"too long":              {`{"id":"c","title":"` + strings.Repeat("x", MaxCase) + `"}`, `""`, "line 7: it is longer than 8 MiB"},
		"a field twice":         {`{"id":"c","action":"s3:GetObject","action":"s3:PutObject"}`, `"c"`, `line 7, column 35: the field "action" stands twice`},
		"an id that is none":    {`{"id":["c"]}`, `""`, "id must be a string, not a list"},
		"an id that is true":    {`{"id":true}`, `""`, "id must be a string, not true or false"},
		"a field misspelt":      {`{"id":"c","principle":"anonymous"}`, `"c"`, `line 7, column 11: there is no field "principle"`},
		"a field in other case": {`{"id":"c","Action":"s3:GetObject"}`, `"c"`, `there is no field "Action": did you mean "action"?`},
		"a field misspelt more": {`{"id":"c","resourcePolicies":[]}`, `"c"`, `there is no field "resourcePolicies": there are id, title, principal`},
		"nothing":               {`{}`, `""`, `line 7: the field "principal" is missing`},
		"no action":             {`{"id":7,"principal":"anonymous","resource":"arn:aws:s3:::b/x"}`, `7`, `the field "action" is missing`},
		"no resource":           {`{"id":"c","principal":"anonymous","action":"s3:GetObject"}`, `"c"`, `the field "resource" is missing`},
	} {
		t.Run(name, func(t *testing.T) { checkInvalid(t, []byte(tc.line), tc.id, tc.reason) })
	}
}

// TestInvalidFields changes one field of a case that is allowed.
func TestInvalidFields(t *testing.T) {
	for name, tc := range map[string]struct{ fields, reason string }{
		"principal of no type":          {`{"principal":{"AWS":"222222222222"}}`, "principal must be a string, not an object"},
		"principal as a number":         {`{"principal":222222222222}`, "principal must be a string, not a number"},
		"principal empty":               {`{"principal":""}`, "principal is empty"},
		"principal with a star":         {`{"principal":"arn:aws:iam::222222222222:role/*"}`, "one request has one caller"},
		"principal star":                {`{"principal":"*"}`, `write "anonymous"`},
		"principal with a space":        {`{"principal":"arn:aws:iam::222222222222:role/a b"}`, "without wildcards or spaces"},
		"principal in another case":     {`{"principal":"Anonymous"}`, "is no caller"},
		"principal of no kind":          {`{"principal":"arn:aws:iam::222222222222:group/g"}`, "is no caller"},
		"principal short of a name":     {`{"principal":"arn:aws:iam::222222222222:role/"}`, "is not of kind role"},
		"session without a name":        {`{"principal":"arn:aws:sts::222222222222:assumed-role/reader"}`, "is not of kind session"},
		"principal federated":           {`{"principal":"arn:aws:sts::222222222222:federated-user/ann"}`, "federated callers are not simulated"},
		"principal of a SAML provider":  {`{"principal":"arn:aws:iam::222222222222:saml-provider/x"}`, "federated callers are not simulated"},
		"principal's id":                {`{"principal":"AROAEXAMPLEEXAMPLE12"}`, "is no caller"},
		"principal's account":           {`{"principal":"arn:aws:iam::22222222222:role/r"}`, "names no account of 12 digits"},
		"principal's partition":         {`{"principal":"arn:aws-cn:iam::222222222222:role/team/reader"}`, "no request crosses partitions"},
		"root with identity policies":   {`{"principal":"arn:aws:iam::222222222222:root"}`, "a root user has none"},
		"a session of another role":     {`{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","principalRoleArn":"arn:aws:iam::222222222222:role/other"}`, "is not one of role"},
		"a role ARN for a user":         {`{"principal":"arn:aws:iam::222222222222:user/ann","principalRoleArn":"arn:aws:iam::222222222222:role/team/reader"}`, "principalRoleArn is for the session of a role"},
		"unique id of no type":          {`{"principalUniqueId":5}`, "principalUniqueId must be a string"},
		"action without service":        {`{"action":"GetObject"}`, "is no action"},
		"action with a wildcard":        {`{"action":"s3:Get*"}`, "is no action"},
		"action of no type":             {`{"action":["s3:GetObject"]}`, "action must be a string, not a list"},
		"resource that is no ARN":       {`{"resource":"b/logs/x"}`, "is no ARN"},
		"half a surrogate pair":         {`{"resource":"arn:aws:s3:::b/\ud800"}`, "half a surrogate pair"},
		"resourceAccount":               {`{"resourceAccount":"1111"}`, `resourceAccount "1111" is no account id`},
		"resourceAccount, a number":     {`{"resourceAccount":111111111111}`, "resourceAccount must be a string, not a number"},
		"resourceAccount against ARN":   {`{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:333333333333:key/k"}`, "is not of account 111111111111"},
		"two accounts in the context":   {`{"resourceAccount":null,"context":{"aws:ResourceAccount":"111111111111","s3:ResourceAccount":"333333333333"}}`, "a resource has one account"},
		"malformed policy":              {`{"identityPolicies":["$get",{"Statement":{"Effect":"allow","Action":"s3:GetObject","Resource":"*"}}]}`, `identityPolicies[1]: Effect is "allow"`},
		"two faults in a policy":        {`{"resourcePolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"GetObject","Resource":"b"}}}`, `resourcePolicy: Action "GetObject" is no action`},
		"many faults in a policy":       {`{"resourcePolicy":{"Statement":[{},{}]}}`, "; and 3 more"},
		"malformed text of a policy":    {`{"resourcePolicy":"{\n  \"Statement\": 5}"}`, "resourcePolicy: at 2:16 of its text: Statement must be"},
		"text that is no policy":        {`{"boundary":"arn:aws:iam::aws:policy/PowerUserAccess"}`, "boundary: at 1:1 of its text"},
		"unknown element":               {`{"resourcePolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Ressource":"*"}}}`, `"Ressource"`},
		"unknown operator":              {`{"identityPolicies":[{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a:b":"c"}}}}]}`, `condition operator "StringIs" does not exist`},
		"identity policy with one":      {`{"identityPolicies":["$toReader"]}`, "has a Principal"},
		"resource policy without one":   {`{"resourcePolicy":"$get"}`, "resourcePolicy: Principal is missing: say whom the statement is about"},
		"resource policy for nobody":    {`{"resourcePolicy":{"Statement":{"Effect":"Allow","Action":"s3:*"}}}`, "resourcePolicy: Principal is missing: say whom the statement is about"},
		"policy of no type":             {`{"boundary":5}`, "boundary must be a policy, as an object or a string, not a number"},
		"policy null in a list":         {`{"identityPolicies":[null]}`, "identityPolicies[0] must be a policy, as an object or a string, not null"},
		"resource policies":             {`{"resourcePolicy":["$toReader"]}`, "resourcePolicy must be a policy"},
		"named without policy":          {`{"identityPolicies":[{"name":"p"}]}`, `the field "policy" is missing`},
		"named with more":               {`{"identityPolicies":[{"name":"p","policy":"$get","version":"v1"}]}`, `has no field "version"`},
		"name of no type":               {`{"identityPolicies":[{"name":1,"policy":"$get"}]}`, "identityPolicies[0].name must be a string"},
		"scps flat":                     {`{"scps":["$all"]}`, "scps[0] must be the list of one level's policies"},
		"rcps of no type":               {`{"rcps":"$all"}`, "rcps must be a list of lists"},
		"context of no type":            {`{"context":["aws:SourceIp"]}`, "context must be an object, not a list"},
		"context value of no type":      {`{"context":{"aws:SourceIp":{}}}`, "aws:SourceIp must be a string, not an object"},
		"context list of no type":       {`{"context":{"aws:TagKeys":["a",null]}}`, "aws:TagKeys must be a string, not null"},
		"context key twice":             {`{"context":{"aws:SourceIp":"203.0.113.1","AWS:sourceip":"203.0.113.2"}}`, "stands twice, in another case"},
		"context IP that is none":       {`{"context":{"aws:SourceIp":"300.2.3.4"}}`, `context: aws:SourceIp is "300.2.3.4", which is no IP address`},
		"context IP that is a network":  {`{"context":{"AWS:vpcSourceIP":["2001:db8::1","203.0.113.0/24"]}}`, `context: AWS:vpcSourceIP is "203.0.113.0/24", which is no IP address`},
		"context with too many values":  {`{"context":{"aws:TagKeys":["a"` + strings.Repeat(`,"a"`, maxValues) + `]}}`, "context: aws:TagKeys has 251 values, and no key has more than 250"},
		"context with a huge value":     {`{"context":{"aws:username":"` + strings.Repeat("a", maxValue+1) + `"}}`, "context: aws:username has a value of 8193 bytes, and no value has more than 8192"},
		"a huge resource":               {`{"resource":"arn:aws:s3:::b/` + strings.Repeat("a", maxText) + `"}`, "resource has 2063 bytes, and may have 2048"},
		"context key without name":      {`{"context":{"":"x"}}`, "a condition key has no name"},
		"exactContext as text":          {`{"exactContext":"true"}`, "exactContext must be true or false, not a string"},
		"s3BlockPublicAccess as number": {`{"s3BlockPublicAccess":1}`, "s3BlockPublicAccess must be true or false, not a number"},
		"title of no type":              {`{"title":1}`, "title must be a string"},
		"steps of no type":              {`{"steps":{}}`, "steps must be a list of partial cases"},
		"too many steps":                {`{"steps":[{}` + strings.Repeat(`,{}`, MaxSteps) + `]}`, "there are 101 steps, and a case may have 100"},
		"a step of no type":             {`{"steps":[1]}`, "a step must be an object, not a number"},
		"a field of a step misspelt":    {`{"steps":[{"ation":"s3:GetObject"}]}`, `there is no field "ation": did you mean "action"?`},
		"steps in a step":               {`{"steps":[{"steps":[]}]}`, "a step has no steps"},
		"a step without action":         {`{"action":null,"steps":[{"action":"s3:GetObject"},{}]}`, `step 2: the field "action" is missing, here and in the case itself`},
		"a step that takes it away":     {`{"steps":[{"action":null}]}`, `step 1: the field "action" is missing`},
		"a bad step after a denied one": {`{"identityPolicies":[],"steps":[{},{"action":"Get"}]}`, "step 2: the action"},
		"a fault that steps replace":    {`{"boundary":5,"steps":[{"boundary":null}]}`, "boundary must be a policy"},

		// Requests that AWS never gets: to say "allowed" would mislead.
		"S3 call for an action":        {`{"action":"s3:HeadObject","identityPolicies":["$all"]}`, "S3 has no action s3:HeadObject, and that call needs s3:GetObject"},
		"S3 action misspelt":           {`{"action":"s3:GetObjekt","identityPolicies":["$all"]}`, "line 7, column 11: no such request exists: S3 has no action s3:GetObjekt: did you mean s3:GetObject?"},
		"S3 action misspelt, denied":   {`{"action":"s3:DeleteObjekt"}`, "S3 has no action s3:DeleteObjekt: did you mean s3:DeleteObject?"},
		"KMS action misspelt, denied":  {`{"action":"kms:Decrpyt","resource":"arn:aws:kms:eu-west-1:222222222222:key/k","resourceAccount":null,"identityPolicies":[]}`, "KMS has no action kms:Decrpyt: did you mean kms:Decrypt?"},
		"STS action misspelt":          {`{"action":"sts:AssumRole","resource":"arn:aws:iam::222222222222:role/r","resourceAccount":null,"resourcePolicy":null,"identityPolicies":["$all"]}`, "STS has no action sts:AssumRole: did you mean sts:AssumeRole?"},
		"an action of a step misspelt": {`{"steps":[{"action":"s3:PutObjekt"}]}`, "S3 has no action s3:PutObjekt: did you mean s3:PutObject?"},
		"object action on a bucket":    {`{"resource":"arn:aws:s3:::b","identityPolicies":["$all"]}`, "s3:GetObject is on an object, and arn:aws:s3:::b is a bucket"},
		"object action on no key":      {`{"resource":"arn:aws:s3:::b/"}`, "is a bucket"},
		"object action on anything":    {`{"resource":"*","resourceAccount":"222222222222","identityPolicies":["$all"]}`, "s3:GetObject is on one object"},
		"bucket action on an object":   {`{"action":"s3:ListBucket","identityPolicies":["$all"]}`, "s3:ListBucket is on a bucket, and arn:aws:s3:::b/logs/x is an object"},
		"wildcard in a bucket's name":  {`{"resource":"arn:aws:s3:::b*/x","resourceAccount":"222222222222","identityPolicies":["$all"]}`, "s3:GetObject is on one object"},
		"account action on a bucket":   {`{"action":"s3:ListAllMyBuckets","resource":"arn:aws:s3:::b","resourceAccount":"222222222222","identityPolicies":["$all"]}`, `give "*" as the resource`},
		"access point":                 {`{"resource":"arn:aws:s3:eu-west-1:222222222222:accesspoint/ap/object/x","resourceAccount":null,"identityPolicies":["$all"]}`, "access points are not simulated"},
		"KMS by an alias":              {`{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:222222222222:alias/a","resourceAccount":null,"identityPolicies":["$all"]}`, "is decided on a key's ARN"},
		"KMS on anything":              {`{"action":"kms:Decrypt","resource":"*","resourceAccount":null,"identityPolicies":["$all"]}`, "is decided on a key's ARN"},
		"assuming what is no role":     {`{"action":"sts:AssumeRole","resource":"*","resourceAccount":null,"identityPolicies":["$all"]}`, "is made on a role"},
		"steps with an impossible one": {`{"identityPolicies":["$all"],"steps":[{"action":"s3:ListBucket"}]}`, "step 1: no such request exists"},
	} {
		t.Run(name, func(t *testing.T) { checkInvalid(t, caseLine(t, tc.fields), `"c"`, tc.reason) })
	}
}

func checkInvalid(t *testing.T, line []byte, id, reason string) {
	t.Helper()
	a := Case(line, 7, noon)
	if a.Decision != iampolicy.Invalid || a.Allowed || a.Lacking == nil || len(a.Lacking) > 0 {
		t.Errorf("%+v is not an invalid case's answer", a)
	}
	if !strings.HasPrefix(a.Reason, "line 7") || !strings.Contains(a.Reason, reason) {
		t.Errorf("the reason is %q, without %q", a.Reason, reason)
	}
	if string(a.ID) != id {
		t.Errorf("the id is %s, want %s", a.ID, id)
	}
}

// The column is where the fault is, in characters, also within a policy.
func TestColumn(t *testing.T) {
	line := caseLine(t, `{"title":"äöü","resourcePolicy":{"Id":"é","Statement":{"Effect":"allow","Principal":"*","Action":"s3:*","Resource":"*"}}}`)
	before, _, _ := strings.Cut(string(line), `"allow"`)
	want := "line 7, column " + jsonNumber(len([]rune(before))+1) + ": resourcePolicy: Effect"
	if a := Case(line, 7, noon); !strings.HasPrefix(a.Reason, want) {
		t.Errorf("the reason is %q, which does not begin with %q", a.Reason, want)
	}
}

func jsonNumber(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// An action on the other kind of resource is denied as all else, and the reason
// says that there is no such request.
func TestImpossibleDenied(t *testing.T) {
	a := Case(caseLine(t, `{"action":"s3:ListBucket"}`), 1, noon)
	if a.Decision != iampolicy.ImplicitDeny || !strings.Contains(a.Reason, "; and S3 never gets such a request: s3:ListBucket is on a bucket, and ") {
		t.Errorf("%+v", a)
	}
}

// Strict cases say whose their resources are, in any way.
func TestStrict(t *testing.T) {
	const missing = `the field "resourceAccount" is missing: nothing else says whose arn:aws:s3:::b/logs/x is`
	for name, tc := range map[string]struct{ fields, want string }{
		"stated":           {`{}`, ""},
		"missing, allowed": {`{"resourceAccount":null}`, missing},
		"missing, denied":  {`{"resourceAccount":null,"identityPolicies":[],"resourcePolicy":null}`, missing},
		"by the context":   {`{"resourceAccount":null,"context":{"aws:ResourceAccount":"111111111111"}}`, ""},
		"by the ARN":       {`{"resourceAccount":null,"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:222222222222:key/k"}`, ""},
		"of no resource":   {`{"resourceAccount":null,"action":"s3:ListAllMyBuckets","resource":"*"}`, ""},
		"anonymous":        {`{"resourceAccount":null,"principal":"anonymous","principalUniqueId":null}`, ""},
		"of a step":        {`{"steps":[{},{"resource":"arn:aws:s3:::c/x","resourceAccount":null}]}`, `step 2: the field "resourceAccount" is missing: nothing else says whose arn:aws:s3:::c/x is`},
		"only in the step": {`{"resourceAccount":null,"action":null,"steps":[{"action":"s3:GetObject","resourceAccount":"111111111111"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := Strict(caseLine(t, tc.fields), 7, noon)
			if invalid := a.Decision == iampolicy.Invalid; invalid != (tc.want != "") || !strings.Contains(a.Reason, tc.want) {
				t.Errorf("%+v, want %q", a, tc.want)
			}
			if lax := Case(caseLine(t, tc.fields), 7, noon); lax.Decision == iampolicy.Invalid {
				t.Errorf("without strict it is %+v", lax)
			}
		})
	}
}

// The answer's fields, their order and their types are what users rely on.
func TestAnswerJSON(t *testing.T) {
	for name, tc := range map[string]struct{ line, want string }{
		"no id":       {`{}`, `{"id":"","decision":"invalid","allowed":false,"lacking":[],"reason":"line 1: the field \"principal\" is missing"}`},
		"null id":     {`{"id":null}`, `{"id":"","decision":"invalid","allowed":false,"lacking":[],"reason":"line 1: the field \"principal\" is missing"}`},
		"an odd id":   {`{"id":"<&>\u00e9\""}`, `{"id":"<&>\u00e9\"","decision":"invalid","allowed":false,"lacking":[],"reason":"line 1: the field \"principal\" is missing"}`},
		"after a BOM": {"\ufeff{\"id\":\"c\"}", `{"id":"c","decision":"invalid","allowed":false,"lacking":[],"reason":"line 1: the field \"principal\" is missing"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(false)
			if err := e.Encode(Case([]byte(tc.line), 1, noon)); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(out.String()); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	a := Case(caseLine(t, `{"identityPolicies":[],"resourcePolicy":null}`), 1, noon)
	if text, err := json.Marshal(a); err != nil || !strings.HasPrefix(string(text), `{"id":"c","decision":"implicitDeny","allowed":false,"lacking":["identity","resource"],"reason":"`) {
		t.Errorf("%s, %v", text, err)
	}
}
