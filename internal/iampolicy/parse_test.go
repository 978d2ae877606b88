package iampolicy

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// wrap puts the members of one statement into a policy.
func wrap(statement string) string {
	return `{"Version":"2012-10-17","Statement":[{` + statement + `}]}`
}

const goodStatement = `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"`

func TestParseErrors(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for name, tc := range map[string]struct{ text, want string }{
		"empty":                   {``, "1:1: the JSON ends where a value is expected"},
		"white space only":        {" \n ", "2:2: the JSON ends"},
		"not JSON":                {`hello`, "1:1: invalid JSON: a value is expected here"},
		"no object":               {`[]`, "1:1: a policy must be a JSON object, not a list"},
		"null":                    {`null`, "1:1: a policy must be a JSON object, not null"},
		"true":                    {`true`, "not a boolean"},
		"object cut":              {`{"Version":"2012-10-17"`, `1:24: invalid JSON: "," or "}" is expected here`},
		"list cut":                {`{"Statement":[`, "the JSON ends where a value is expected"},
		"list without comma":      {`{"Statement":[1 2]}`, `1:17: invalid JSON: "," or "]" is expected here`},
		"trailing comma":          {`{"Version":"2012-10-17",}`, "1:24: invalid JSON: there is a comma before the closing bracket"},
		"trailing comma in list":  {`{"Statement":[{},]}`, "1:17: invalid JSON: there is a comma before the closing bracket"},
		"two commas in list":      {`{"Statement":[{},,{}]}`, "1:18: invalid JSON: a value is expected here"},
		"two commas":              {`{"Id":"i",,"Version":"x"}`, "1:11: invalid JSON: a name in double quotes is expected here"},
		"single quotes":           {`{'Version':1}`, "1:2: invalid JSON: a name in double quotes"},
		"no colon":                {`{"Version" 1}`, `1:12: invalid JSON: ":" is expected here`},
		"string open":             {`{"Version`, "1:2: invalid JSON: this string does not end"},
		"string open in escape":   {`{"Version\`, "1:2: invalid JSON: this string does not end"},
		"name open after comma":   {`{"Version":"2012-10-17","Sta`, "1:25: invalid JSON: this string does not end"},
		"bad escape":              {`{"Ver\qsion":1}`, "1:2: invalid JSON: this string holds an escape that JSON does not know"},
		"half a surrogate":        {`{"Id":"\ud800"}`, "1:7: invalid JSON: this string holds half a surrogate pair"},
		"control character":       {"{\"Id\":\"a\tb\"}", "1:9: invalid JSON: a control character"},
		"not UTF-8":               {"{\"Id\":\"\xff\"}", "1:7: this string is not valid UTF-8"},
		"bad number":              {`{"Version":01}`, `1:12: invalid JSON: "01" is no number`},
		"text after the end":      {`{} {}`, "1:4: there is text after the end of the policy: remove it"},
		"duplicate key":           {"{\"Version\":\"2012-10-17\",\n \"Version\":\"2012-10-17\"}", `2:2: "Version" stands twice in one object: keep one`},
		"duplicate, escaped":      {`{"Id":"a","I\u0064":"b"}`, `1:11: "Id" stands twice`},
		"too deep":                {deep, "1:34: the JSON is nested more than 32 deep"},
		"too deep objects":        {strings.Repeat(`{"a":`, 50), "nested more than 32 deep"},
		"too long":                {strings.Repeat(" ", maxText+1), "1:1: the policy is 262145 bytes long"},
		"columns count runes":     {`{"Id":"äöü","x":1}`, `1:13: a policy has no element "x": there are Version, Id and Statement`},
		"no Statement":            {`{"Version":"2012-10-17"}`, "1:1: Statement is missing"},
		"empty Statement":         {`{"Statement":[]}`, "1:14: Statement is empty"},
		"Statement a string":      {`{"Statement":"x"}`, "1:14: Statement must be a statement or a list of statements, not a string"},
		"statement a number":      {`{"Statement":[7]}`, "1:15: a statement must be an object, not a number"},
		"Version unknown":         {`{"Version":"2012-10-18","Statement":{` + goodStatement + `}}`, `1:12: Version "2012-10-18" does not exist: write "2012-10-17"`},
		"Version a number":        {`{"Version":2012,"Statement":{` + goodStatement + `}}`, "1:12: Version must be a string, not a number"},
		"Id a list":               {`{"Id":[],"Statement":{` + goodStatement + `}}`, "1:7: Id must be a string, not a list"},
		"unknown element":         {wrap(goodStatement + `,"Comment":"x"`), `1:110: a statement has no element "Comment": there are Sid, Effect`},
		"element in wrong case":   {wrap(`"effect":"Allow","Action":"*","Resource":"*"`), `a statement has no element "effect": write "Effect"`},
		"statement element":       {`{"statement":[]}`, `a policy has no element "statement": write "Statement"`},
		"Effect missing":          {wrap(`"Action":"*","Resource":"*"`), `1:38: Effect is missing: add "Effect": "Allow" or "Deny"`},
		"Effect in wrong case":    {wrap(`"Effect":"allow","Action":"*","Resource":"*"`), `1:48: Effect is "allow": it must be "Allow" or "Deny", in this spelling`},
		"Effect a boolean":        {wrap(`"Effect":true,"Action":"*","Resource":"*"`), "Effect must be a string, not a boolean"},
		"Action missing":          {wrap(`"Effect":"Allow","Resource":"*"`), "Action is missing: a statement needs Action or NotAction"},
		"Action and NotAction":    {wrap(goodStatement + `,"NotAction":"s3:*"`), "Action and NotAction exclude each other: keep one"},
		"Resource missing":        {wrap(`"Effect":"Allow","Action":"*"`), "Resource is missing: a statement without Principal needs Resource or NotResource"},
		"Resource twice":          {wrap(goodStatement + `,"NotResource":"*"`), "Resource and NotResource exclude each other"},
		"Principal twice":         {wrap(goodStatement + `,"Principal":"*","NotPrincipal":"*"`), "Principal and NotPrincipal exclude each other"},
		"Action without service":  {wrap(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), `Action "GetObject" is no action: write service:Name`},
		"Action with two colons":  {wrap(`"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"`), "is no action: write service:Name"},
		"Action with a space":     {wrap(`"Effect":"Allow","Action":"s3:Get Object","Resource":"*"`), "only letters, digits, -, * and ? are allowed"},
		"Action of any service":   {wrap(`"Effect":"Allow","Action":"*:Get*","Resource":"*"`), `Action "*:Get*" has a wildcard in the service's name, which AWS does not take`},
		"Action with a variable":  {wrap(`"Effect":"Allow","Action":"s3:${x}","Resource":"*"`), "only letters, digits"},
		"Action empty":            {wrap(`"Effect":"Allow","Action":[],"Resource":"*"`), "Action is an empty list: name at least one"},
		"Action an object":        {wrap(`"Effect":"Allow","Action":{},"Resource":"*"`), "Action must be a string or a list of strings, not an object"},
		"Action of numbers":       {wrap(`"Effect":"Allow","Action":[1],"Resource":"*"`), "Action must hold strings, not a number"},
		"Resource a bucket name":  {wrap(`"Effect":"Allow","Action":"*","Resource":"mybucket"`), `Resource "mybucket" is no ARN`},
		"Resource empty string":   {wrap(`"Effect":"Allow","Action":"*","Resource":""`), `Resource "" is no ARN`},
		"Sid with a dash":         {wrap(`"Sid":"a-b",` + goodStatement), `1:45: Sid "a-b" holds '-': only letters A-Z, a-z and digits are allowed`},
		"Sid of trust policy":     {wrap(`"Sid":"a b","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111111111111"}`), "Sid \"a b\" holds ' '"},
		"Sid not ASCII":           {wrap(`"Sid":"ä",` + goodStatement), "holds 'ä'"},
		"Sid a number":            {wrap(`"Sid":1,` + goodStatement), "Sid must be a string, not a number"},
		"Sid twice":               {`{"Statement":[{"Sid":"A",` + goodStatement + `},{"Sid":"A",` + goodStatement + `}]}`, `Sid "A" stands twice: Sids must be unique in a policy`},
		"Principal a name":        {wrap(goodStatement + `,"Principal":"111111111111"`), `as a string only "*" is allowed; write {"AWS": "111111111111"}`},
		"Principal a list":        {wrap(goodStatement + `,"Principal":["*"]`), `Principal must be "*" or an object`},
		"Principal empty":         {wrap(goodStatement + `,"Principal":{}`), "Principal is empty: name at least one principal"},
		"Principal type":          {wrap(goodStatement + `,"Principal":{"Robot":"x"}`), `Principal has no element "Robot"`},
		"Principal type case":     {wrap(goodStatement + `,"Principal":{"aws":"*"}`), `Principal has no element "aws": write "AWS"`},
		"principal of 11 digits":  {wrap(goodStatement + `,"Principal":{"AWS":"11111111111"}`), "is no principal: write an account id of 12 digits or an ARN"},
		"principal of 12 signs":   {wrap(goodStatement + `,"Principal":{"AWS":"11111111111x"}`), "is no principal"},
		"principal nearly an id":  {wrap(goodStatement + `,"Principal":{"AWS":"AROAexampleexample1"}`), "is no principal"},
		"principal cut":           {wrap(goodStatement + `,"Principal":{"AWS":"arn:aws:iam"}`), "is no principal"},
		"principal with wildcard": {wrap(goodStatement + `,"Principal":{"AWS":"arn:aws:iam::111111111111:role/*"}`), "has a wildcard: a principal is written in full"},
		"service empty":           {wrap(goodStatement + `,"Principal":{"Service":""}`), `Service "" is empty: remove it`},
		"Condition a list":        {wrap(goodStatement + `,"Condition":[]`), "Condition must be an object such as"},
		"operator unknown":        {wrap(goodStatement + `,"Condition":{"StringIs":{"a":"b"}}`), `condition operator "StringIs" does not exist`},
		"operator misspelt":       {wrap(goodStatement + `,"Condition":{"StringEqual":{"a":"b"}}`), `condition operator "StringEqual" does not exist: did you mean "StringEquals"?`},
		"operator misspelt, set":  {wrap(goodStatement + `,"Condition":{"ForAnyValues:StringLike":{"a":"b"}}`), `does not exist: did you mean "ForAnyValue:StringLike"?`},
		"operator far off":        {wrap(goodStatement + `,"Condition":{"Contains":{"a":"b"}}`), `condition operator "Contains" does not exist`},
		"element misspelt":        {`{"Statement":[{"Efect":"Allow","Action":"s3:*","Resource":"*"}]}`, `1:16: a statement has no element "Efect": did you mean "Effect"?`},
		"element of the policy":   {`{"Statemnt":[]}`, `1:2: a policy has no element "Statemnt": did you mean "Statement"?`},
		"Null with IfExists":      {wrap(goodStatement + `,"Condition":{"NullIfExists":{"a":"true"}}`), `condition operator "NullIfExists" does not exist: Null takes neither a set operator nor IfExists: write "Null"`},
		"two set operators":       {wrap(goodStatement + `,"Condition":{"ForAllValues:ForAnyValue:StringLike":{"a":"true"}}`), "does not exist"},
		"operator a string":       {wrap(goodStatement + `,"Condition":{"StringEquals":"x"}`), `"StringEquals" must hold an object of condition keys, not a string`},
		"key without name":        {wrap(goodStatement + `,"Condition":{"StringEquals":{"":"x"}}`), "a condition key has no name"},
		"key in two cases":        {wrap(goodStatement + `,"Condition":{"StringEquals":{"s3:prefix":"x","S3:PREFIX":"y"}}`), `"S3:PREFIX" stands twice, in another case: keep one`},
		"operator in two cases":   {wrap(goodStatement + `,"Condition":{"StringEquals":{"k":"x"},"stringequals":{"k":"y"}}`), "stands twice, in another case"},
		"value null":              {wrap(goodStatement + `,"Condition":{"StringEquals":{"k":null}}`), `a value of condition key "k" must be a string, a number or a boolean, not null`},
		"value a nested list":     {wrap(goodStatement + `,"Condition":{"StringEquals":{"k":[["x"]]}}`), "not a list"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(tc.text))
			if err == nil {
				t.Fatalf("accepted: %+v", d)
			}
			if d != nil {
				t.Error("a document came with the error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Line < 1 || pe.Column < 1 {
				t.Errorf("%v is no ParseError with a place", err)
			}
		})
	}
}

// What needs a policy's kind to be told, and the codes of errors.
func TestParseKinds(t *testing.T) {
	const sts = `"Effect":"Allow","Action":"sts:AssumeRole"`
	bare, onBucket := wrap(sts), wrap(goodStatement)
	trusting := func(principal string) string { return wrap(sts + `,"Principal":` + principal) }
	noResource := "1:38: Resource is missing: a statement without Principal needs Resource or NotResource"
	for name, tc := range map[string]struct {
		parse      func([]byte) (*Document, error)
		text, code string
		want       string // empty: it is good
	}{
		"nobody":                       {Parse, bare, CodeSyntax, noResource},
		"nobody, bucket":               {Parse, onBucket, "", ""},
		"nobody, resource":             {ParseResource, bare, CodeNoPrincipal, `1:38: Principal is missing: say whom the statement is about, such as "Principal": {"AWS": "111111111111"}`},
		"nobody, resource of a bucket": {ParseResource, onBucket, CodeNoPrincipal, "1:38: Principal is missing: say whom"},
		"nobody, trust":                {ParseTrust, bare, CodeNoPrincipal, `1:38: Principal is missing: say who is to use the role, such as "Principal": {"Service": "ec2.amazonaws.com"}`},
		"nobody, live":                 {ParseLive, bare, CodeSyntax, noResource},
		"service":                      {ParseTrust, trusting(`{"Service":"ec2.amazonaws.com"}`), "", ""},
		"not everybody":                {ParseTrust, wrap(sts + `,"NotPrincipal":"*"`), "", ""},
		"role":                         {ParseTrust, trusting(`{"AWS":"arn:aws:iam::111111111111:role/r"}`), "", ""},
		"account cut":                  {ParseTrust, trusting(`{"AWS":["*","arn:aws:iam::11111:root"]}`), CodeRefusedPrincipal, `1:106: AWS "arn:aws:iam::11111:root" is an ARN without an account: write the account's id of 12 digits into it`},
		"CloudFront on a bucket":       {ParseResource, wrap(goodStatement + `,"Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`), "", ""},
		"no form of a principal":       {ParseTrust, trusting(`{"AWS":"r"}`), CodeRefusedPrincipal, "is no principal: write an account id of 12 digits or an ARN"},
		"wildcard":                     {ParseTrust, trusting(`{"AWS":"arn:aws:iam::111111111111:role/*"}`), CodeWildcardPrincipal, "has a wildcard: a principal is written in full"},
		"same Sid":                     {ParseTrust, `{"Statement":[{"Sid":"A",` + sts + `,"Principal":"*"},{"Sid":"A",` + sts + `,"Principal":"*"}]}`, CodeDuplicateSid, `Sid "A" stands twice: Sids must be unique in a policy`},
		"no JSON":                      {ParseTrust, `{`, CodeSyntax, "1:2: invalid JSON: a name in double quotes is expected here"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.parse([]byte(tc.text))
			errs := ParseErrors(err)
			switch {
			case tc.want == "" && err == nil:
			case len(errs) != 1 || tc.want == "":
				t.Errorf("got  %v\nwant %q", err, tc.want)
			case !strings.Contains(errs[0].Error(), tc.want) || errs[0].Code != tc.code:
				t.Errorf("got  %s, %v\nwant %s, %s", errs[0].Code, err, tc.code, tc.want)
			}
		})
	}
}

func TestParseReportsAllErrors(t *testing.T) {
	_, err := Parse([]byte("{\"Version\":\"1\",\n\"Statement\":[{\"Effect\":\"allow\"},\n{\"Effect\":\"Deny\",\"Action\":\"x\",\"Resource\":\"y\"}]}"))
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 6 {
		t.Errorf("got %d errors, want 6:\n%v", len(lines), err)
	}
	if list := ParseErrors(err); len(list) != 6 || list[0].Line != 1 || list[5].Line != 3 {
		t.Errorf("taken apart: %v", list)
	}
}

func TestParse(t *testing.T) {
	text := `{"Version":"2012-10-17","Id":"i","Statement":[
 {"Sid":"One","Effect":"Allow","Principal":{"AWS":["*","111111111111","arn:aws:iam::222222222222:role/r","AROAEXAMPLEEXAMPLE12"],"Service":"ec2.amazonaws.com","Federated":["f"],"CanonicalUser":"c"},
  "Action":["s3:Get*","*"],"Resource":"*","Condition":{"StringLike":{"s3:prefix":["b","a"]},"Bool":{"aws:SecureTransport":true},"NumericEquals":{"s3:max-keys":10},"IpAddress":{}}},
 {"Effect":"Deny","NotPrincipal":"*","NotAction":"s3:*","NotResource":["arn:aws:s3:::b"]}]}`
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Statements {
		if !strings.Contains(text, string(d.Statements[i].Raw)) {
			t.Errorf("Raw of statement %d is not of the text", i)
		}
		d.Statements[i].Raw = nil
	}
	want := &Document{Version: "2012-10-17", ID: "i", Statements: []Statement{
		{
			Sid: "One", Effect: Allow,
			Principal: &Principals{
				Any: true, AWS: []string{"111111111111", "arn:aws:iam::222222222222:role/r", "AROAEXAMPLEEXAMPLE12"},
				Service: []string{"ec2.amazonaws.com"}, Federated: []string{"f"}, CanonicalUser: []string{"c"},
			},
			Action: []string{"s3:Get*", "*"}, Resource: []string{"*"},
			Condition: []Condition{
				{"Bool", "aws:SecureTransport", []string{"true"}},
				{"NumericEquals", "s3:max-keys", []string{"10"}},
				{"StringLike", "s3:prefix", []string{"b", "a"}},
			},
		},
		{Effect: Deny, NotPrincipal: &Principals{Any: true}, NotAction: []string{"s3:*"}, NotResource: []string{"arn:aws:s3:::b"}},
	}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
}

// Statements as AWS's own pages and consoles write them.
func TestParseAccepts(t *testing.T) {
	for name, text := range map[string]string{
		"statement as object":      `{"Statement":{` + goodStatement + `}}`,
		"Version 2008":             `{"Version":"2008-10-17","Statement":[{` + goodStatement + `}]}`,
		"empty Sid":                wrap(`"Sid":"",` + goodStatement),
		"two empty Sids":           `{"Statement":[{"Sid":"",` + goodStatement + `},{"Sid":"",` + goodStatement + `}]}`,
		"trust policy":             wrap(`"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`),
		"Sid of the console":       wrap(`"Sid":"AWSConsoleStmt-1335892150622","Principal":"*",` + goodStatement),
		"Sid of a key policy":      wrap(`"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"`),
		"empty Condition":          wrap(goodStatement + `,"Condition":{}`),
		"empty condition list":     wrap(goodStatement + `,"Condition":{"StringEquals":{"aws:PrincipalTag/t":[]}}`),
		"escapes":                  wrap(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/\u00e9\ud83d\ude00\ufffd"`),
		"white space":              " \t\r\n" + wrap(goodStatement) + "\n",
		"operators in other cases": wrap(goodStatement + `,"Condition":{"foranyvalue:stringlikeifexists":{"aws:TagKeys":"a"}}`),
		"empty object key":         wrap(goodStatement + `,"Condition":{"Null":{"aws:TokenIssueTime":"true"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(text)); err != nil {
				t.Error(err)
			}
			if _, err := ParseLive([]byte(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseLiveKeepsWhatItDoesNotKnow(t *testing.T) {
	text := `{"Version":"2012-10-17","Future":1,"Statement":[{"Sid":"a-b","Effect":"Allow","Principal":{"Robot": "r"},
		"Action":"s3:GetObject","Resource":"arn:aws:s3:::b","Purpose": [ 1 ],"Condition":{"StringSounds":{"k":"v"},"Bool":{"x":"true"}}},
		{"Sid":"a-b","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	if _, err := Parse([]byte(text)); err == nil {
		t.Error("Parse took it")
	}
	d, err := ParseLive([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Element{{"Principal.Robot", `"r"`}, {"Purpose", "[1]"}, {"Condition.StringSounds", `{"k":"v"}`}}
	if got := d.Statements[0].Unknown; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	again := string(Marshal(d))
	for _, part := range []string{`"Robot":"r"`, `"Purpose":[1]`, `"StringSounds":{"k":"v"}`} {
		if !strings.Contains(again, part) {
			t.Errorf("Marshal left out %s: %s", part, again)
		}
	}
	other := strings.Replace(text, "[ 1 ]", "[ 2 ]", 1)
	d2, err := ParseLive([]byte(other))
	if err != nil {
		t.Fatal(err)
	}
	if Equal(d, d2) {
		t.Error("documents that differ in what is not understood are called equal")
	}
	for name, bad := range map[string]string{
		"no object":    `[]`,
		"no Effect":    wrap(`"Action":"s3:*","Resource":"*"`),
		"not JSON":     `{`,
		"Version 2013": `{"Version":"2013","Statement":[{` + goodStatement + `}]}`,
	} {
		if _, err := ParseLive([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(wrap(goodStatement)))
	f.Add([]byte(wrap(`"Sid":"A","Principal":{"AWS":["*","111111111111"]},"Condition":{"StringLike":{"s3:prefix":["a",1,true]}},` + goodStatement)))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":"*","NotResource":"*"}}`))
	f.Add([]byte(`{"Id":"\ud83d\ude00`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if _, liveErr := ParseLive(text); err == nil && liveErr != nil {
			t.Fatalf("Parse took what ParseLive refused: %v", liveErr)
		}
		if (err == nil) != (d != nil) {
			t.Fatalf("document %v with error %v", d, err)
		}
		if err != nil {
			return
		}
		again, err := Parse(Marshal(d))
		if err != nil {
			t.Fatalf("what Marshal wrote does not parse: %v\n%s", err, Marshal(d))
		}
		if !Equal(d, again) {
			t.Fatalf("Marshal changed the meaning:\n%s\n%s", text, Marshal(d))
		}
	})
}
