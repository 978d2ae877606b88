package iampolicy

import (
	"strings"
	"testing"
)

const (
	pageOps   = "IAM:reference_policies_elements_condition_operators"
	pageMulti = "IAM:reference_policies_condition-single-vs-multi-valued-context-keys"
)

// conditionCase is a Condition block and what the request sent. Each is tried
// in an Allow and in a Deny; unsure holds in a Deny only.
type conditionCase struct {
	page      string
	condition string // the inside of Condition
	sent      map[string][]string
	want      verdict
}

func sent(key string, values ...string) map[string][]string {
	return map[string][]string{key: values}
}

var conditionCases = map[string]conditionCase{
	"no condition":                     {pageOps, ``, nil, yes},
	"StringEquals equal":               {pageOps, `"StringEquals":{"s3:prefix":"a"}`, sent("s3:prefix", "a"), yes},
	"StringEquals differs":             {pageOps, `"StringEquals":{"s3:prefix":"a"}`, sent("s3:prefix", "b"), no},
	"StringEquals case":                {pageOps, `"StringEquals":{"s3:prefix":"a"}`, sent("s3:prefix", "A"), no},
	"StringEquals one of several":      {pageOps, `"StringEquals":{"s3:prefix":["a","b"]}`, sent("s3:prefix", "b"), yes},
	"StringEquals star is a star":      {pageOps, `"StringEquals":{"s3:prefix":"a*"}`, sent("s3:prefix", "ab"), no},
	"StringEquals absent":              {pageOps, `"StringEquals":{"s3:prefix":"a"}`, nil, no},
	"StringEquals empty value sent":    {pageOps, `"StringEquals":{"s3:prefix":""}`, sent("s3:prefix", ""), yes},
	"StringEquals no values sent":      {pageOps, `"StringEquals":{"s3:prefix":""}`, sent("s3:prefix"), no},
	"StringEquals no values to match":  {pageOps, `"StringEquals":{"s3:prefix":[]}`, sent("s3:prefix", "a"), unknown},
	"key in another case":              {pageOps, `"StringEquals":{"S3:PREFIX":"a"}`, sent("s3:prefix", "a"), yes},
	"operator in another case":         {pageOps, `"stringequals":{"s3:prefix":"a"}`, sent("s3:prefix", "a"), yes},
	"negated operator, another case":   {pageOps, `"STRINGNOTEQUALS":{"s3:prefix":"a"}`, sent("s3:prefix", "a"), no},
	"two keys, one fails":              {pageOps, `"StringEquals":{"s3:prefix":"a","s3:delimiter":"/"}`, sent("s3:prefix", "a"), no},
	"two operators, one fails":         {pageOps, `"StringEquals":{"s3:prefix":"a"},"Bool":{"aws:SecureTransport":"false"}`, sent("s3:prefix", "a"), no},
	"two operators, both hold":         {pageOps, `"StringEquals":{"s3:prefix":"a"},"Bool":{"aws:SecureTransport":"true"}`, sent("s3:prefix", "a"), yes},
	"StringNotEquals equal":            {pageOps, `"StringNotEquals":{"s3:prefix":"a"}`, sent("s3:prefix", "a"), no},
	"StringNotEquals differs":          {pageOps, `"StringNotEquals":{"s3:prefix":"a"}`, sent("s3:prefix", "b"), yes},
	"StringNotEquals is none of":       {pageOps, `"StringNotEquals":{"s3:prefix":["a","b"]}`, sent("s3:prefix", "b"), no},
	"StringNotEquals absent":           {pageOps, `"StringNotEquals":{"s3:prefix":"a"}`, nil, yes},
	"StringEqualsIgnoreCase":           {pageOps, `"StringEqualsIgnoreCase":{"s3:prefix":"Abc"}`, sent("s3:prefix", "aBC"), yes},
	"StringEqualsIgnoreCase differs":   {pageOps, `"StringEqualsIgnoreCase":{"s3:prefix":"Abc"}`, sent("s3:prefix", "aB"), no},
	"StringNotEqualsIgnoreCase":        {pageOps, `"StringNotEqualsIgnoreCase":{"s3:prefix":"Abc"}`, sent("s3:prefix", "aBC"), no},
	"StringLike star":                  {pageOps, `"StringLike":{"s3:prefix":"logs/*"}`, sent("s3:prefix", "logs/2026/x"), yes},
	"StringLike star is empty":         {pageOps, `"StringLike":{"s3:prefix":"logs/*"}`, sent("s3:prefix", "logs/"), yes},
	"StringLike needs the slash":       {pageOps, `"StringLike":{"s3:prefix":["logs/","logs/*"]}`, sent("s3:prefix", "logs"), no},
	"StringLike is not private":        {pageOps, `"StringLike":{"s3:prefix":["logs/","logs/*"]}`, sent("s3:prefix", "logs-private/"), no},
	"StringLike question mark":         {pageOps, `"StringLike":{"s3:prefix":"lo?s"}`, sent("s3:prefix", "logs"), yes},
	"StringLike case":                  {pageOps, `"StringLike":{"s3:prefix":"L*"}`, sent("s3:prefix", "logs"), no},
	"StringLike no prefix sent":        {pageOps, `"StringLike":{"s3:prefix":["logs/","logs/*"]}`, nil, no},
	"StringNotLike":                    {pageOps, `"StringNotLike":{"s3:prefix":"logs/*"}`, sent("s3:prefix", "logs/x"), no},
	"StringNotLike differs":            {pageOps, `"StringNotLike":{"s3:prefix":"logs/*"}`, sent("s3:prefix", "x"), yes},
	"IfExists absent":                  {pageOps, `"StringEqualsIfExists":{"s3:prefix":"a"}`, nil, yes},
	"IfExists present":                 {pageOps, `"StringEqualsIfExists":{"s3:prefix":"a"}`, sent("s3:prefix", "a"), yes},
	"IfExists differs":                 {pageOps, `"StringEqualsIfExists":{"s3:prefix":"a"}`, sent("s3:prefix", "b"), no},
	"negated IfExists absent":          {pageOps, `"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`, nil, yes},
	"Null true absent":                 {pageOps, `"Null":{"aws:MultiFactorAuthAge":"true"}`, nil, yes},
	"Null true present":                {pageOps, `"Null":{"aws:TokenIssueTime":"true"}`, sent("aws:TokenIssueTime", "x"), no},
	"Null false present":               {pageOps, `"Null":{"aws:TokenIssueTime":false}`, sent("aws:TokenIssueTime", "x"), yes},
	"Null false absent":                {pageOps, `"Null":{"aws:MultiFactorAuthAge":"false"}`, nil, no},
	"Null other":                       {pageOps, `"Null":{"aws:TokenIssueTime":"perhaps"}`, nil, unknown},
	"NumericEquals":                    {pageOps, `"NumericEquals":{"s3:max-keys":"10"}`, sent("s3:max-keys", "10.0"), yes},
	"NumericEquals JSON number":        {pageOps, `"NumericEquals":{"s3:max-keys":10}`, sent("s3:max-keys", "10"), yes},
	"NumericEquals large":              {pageOps, `"NumericEquals":{"k":"9007199254740993"}`, sent("k", "9007199254740992"), no},
	"NumericNotEquals":                 {pageOps, `"NumericNotEquals":{"s3:max-keys":"10"}`, sent("s3:max-keys", "10"), no},
	"NumericLessThan":                  {pageOps, `"NumericLessThan":{"s3:max-keys":"10"}`, sent("s3:max-keys", "9.5"), yes},
	"NumericLessThan equal":            {pageOps, `"NumericLessThan":{"s3:max-keys":"10"}`, sent("s3:max-keys", "10"), no},
	"NumericLessThanEquals":            {pageOps, `"NumericLessThanEquals":{"s3:max-keys":"10"}`, sent("s3:max-keys", "10"), yes},
	"NumericGreaterThan":               {pageOps, `"NumericGreaterThan":{"s3:signatureAge":"600000"}`, sent("s3:signatureAge", "600001"), yes},
	"NumericGreaterThan negative":      {pageOps, `"NumericGreaterThan":{"k":"-2"}`, sent("k", "-1"), yes},
	"NumericGreaterThanEquals":         {pageOps, `"NumericGreaterThanEquals":{"s3:max-keys":"10"}`, sent("s3:max-keys", "9"), no},
	"Numeric not as text":              {pageOps, `"NumericLessThan":{"s3:max-keys":"10"}`, sent("s3:max-keys", "9"), yes},
	"Numeric of a word sent":           {pageOps, `"NumericEquals":{"s3:max-keys":"10"}`, sent("s3:max-keys", "ten"), unknown},
	"Numeric of a word":                {pageOps, `"NumericNotEquals":{"s3:max-keys":"ten"}`, sent("s3:max-keys", "10"), unknown},
	"Numeric with exponent":            {pageOps, `"NumericEquals":{"s3:max-keys":"1e1"}`, sent("s3:max-keys", "10"), unknown},
	"Numeric fraction":                 {pageOps, `"NumericEquals":{"s3:max-keys":"20/2"}`, sent("s3:max-keys", "10"), unknown},
	"Numeric two signs":                {pageOps, `"NumericEquals":{"s3:max-keys":"--1"}`, sent("s3:max-keys", "1"), unknown},
	"Numeric absent":                   {pageOps, `"NumericLessThan":{"s3:max-keys":"10"}`, nil, no},
	"Date before":                      {pageOps, `"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`, nil, yes},
	"Date past":                        {pageOps, `"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}`, nil, no},
	"Date zone counts":                 {pageOps, `"DateEquals":{"aws:CurrentTime":"2026-11-24T02:00:00+02:00"}`, nil, yes},
	"Date day only":                    {pageOps, `"DateGreaterThanEquals":{"aws:CurrentTime":"2026-11-24"}`, nil, yes},
	"Date in seconds":                  {pageOps, `"DateGreaterThan":{"aws:CurrentTime":1700000000}`, nil, yes},
	"Date of the epoch key":            {pageOps, `"DateLessThanEquals":{"aws:EpochTime":"2026-11-24T00:00:00Z"}`, nil, yes},
	"Date fraction of a second":        {pageOps, `"DateGreaterThan":{"aws:CurrentTime":"2026-11-24T00:00:00.5Z"}`, nil, no},
	"DateNotEquals":                    {pageOps, `"DateNotEquals":{"aws:CurrentTime":"2026-11-24T00:00:00Z"}`, nil, no},
	"Date of a word":                   {pageOps, `"DateLessThan":{"aws:CurrentTime":"tomorrow"}`, nil, unknown},
	"Date a year or seconds":           {pageOps, `"DateLessThan":{"aws:CurrentTime":"2027"}`, nil, unknown},
	"Date empty":                       {pageOps, `"DateLessThan":{"aws:CurrentTime":""}`, nil, unknown},
	"Bool true":                        {pageOps, `"Bool":{"aws:SecureTransport":"true"}`, nil, yes},
	"Bool JSON":                        {pageOps, `"Bool":{"aws:SecureTransport":true}`, nil, yes},
	"Bool False":                       {pageOps, `"Bool":{"aws:SecureTransport":"False"}`, sent("aws:SecureTransport", "false"), yes},
	"Bool absent":                      {pageOps, `"Bool":{"aws:MultiFactorAuthPresent":"false"}`, nil, no},
	"BoolIfExists absent":              {pageOps, `"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, nil, yes},
	"Bool other":                       {pageOps, `"Bool":{"aws:SecureTransport":"yes"}`, nil, unknown},
	"BinaryEquals":                     {pageOps, `"BinaryEquals":{"k":"QmluYXJ5"}`, sent("k", "QmluYXJ5"), yes},
	"BinaryEquals differs":             {pageOps, `"BinaryEquals":{"k":"QmluYXJ5"}`, sent("k", "QmluYXJZ"), no},
	"BinaryEquals no base64":           {pageOps, `"BinaryEquals":{"k":"QmluYXJ5"}`, sent("k", "!"), unknown},
	"IpAddress in":                     {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "203.0.113.9"), yes},
	"IpAddress out":                    {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "203.0.114.9"), no},
	"IpAddress single":                 {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.9"}`, sent("aws:SourceIp", "203.0.113.9"), yes},
	"IpAddress host bits":              {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.77/24"}`, sent("aws:SourceIp", "203.0.113.9"), yes},
	"IpAddress v6":                     {pageOps, `"IpAddress":{"aws:SourceIp":"2001:DB8::/32"}`, sent("aws:SourceIp", "2001:db8:0:1::1"), yes},
	"IpAddress v4 in v6":               {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "::ffff:203.0.113.9"), unknown},
	"NotIpAddress v4 in v6":            {pageOps, `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "::ffff:203.0.113.9"), unknown},
	"IpAddress single v4 in v6":        {pageOps, `"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.9"}`, sent("aws:SourceIp", "203.0.113.9"), unknown},
	"IpAddress single v6":              {pageOps, `"IpAddress":{"aws:SourceIp":"2001:db8::1"}`, sent("aws:SourceIp", "2001:DB8:0:0::1"), yes},
	"IpAddress single v6, near":        {pageOps, `"IpAddress":{"aws:SourceIp":"2001:db8::1"}`, sent("aws:SourceIp", "2001:db8::2"), unknown},
	"IpAddress single v6, far":         {pageOps, `"IpAddress":{"aws:SourceIp":"2001:db8::1"}`, sent("aws:SourceIp", "2001:db9::1"), no},
	"IpAddress one v6 of a network":    {pageOps, `"IpAddress":{"aws:SourceIp":"2001:db8::1/128"}`, sent("aws:SourceIp", "2001:db8::2"), no},
	"IpAddress with a zone":            {pageOps, `"IpAddress":{"aws:SourceIp":"fe80::/10"}`, sent("aws:SourceIp", "fe80::1%eth0"), unknown},
	"IpAddress v4 as a v6 network":     {pageOps, `"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.0/120"}`, sent("aws:SourceIp", "203.0.113.9"), unknown},
	"IpAddress absent":                 {pageOps, `"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}`, nil, no},
	"IpAddress of a word":              {pageOps, `"IpAddress":{"aws:SourceIp":"home"}`, sent("aws:SourceIp", "203.0.113.9"), unknown},
	"IpAddress sent a word":            {pageOps, `"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "home"), unknown},
	"NotIpAddress in":                  {pageOps, `"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}`, sent("aws:SourceIp", "203.0.113.9"), no},
	"NotIpAddress out":                 {pageOps, `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, sent("aws:SourceIp", "10.0.0.1"), yes},
	"NotIpAddress absent":              {pageOps, `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, nil, yes},
	"ArnEquals":                        {pageOps, `"ArnEquals":{"aws:PrincipalArn":"` + roleA + `"}`, nil, yes},
	"ArnEquals has wildcards":          {pageOps, `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/a?p"}`, nil, yes},
	"ArnLike spans slashes":            {pageOps, `"ArnLike":{"aws:SourceArn":"arn:aws:iam::*:role/*"}`, sent("aws:SourceArn", roleB), yes},
	"ArnLike part by part":             {pageOps, `"ArnLike":{"aws:SourceArn":"arn:aws:s*:b"}`, sent("aws:SourceArn", "arn:aws:s3:::b"), unknown},
	"ArnLike star keeps to its part":   {pageOps, `"ArnLike":{"aws:SourceArn":"arn:aws:*:::x:b"}`, sent("aws:SourceArn", "arn:aws:s3:::y:x:b"), no},
	"ArnLike differs":                  {pageOps, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x*"}`, nil, no},
	"ArnLike case":                     {pageOps, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/App"}`, nil, no},
	"ArnNotEquals":                     {pageOps, `"ArnNotEquals":{"aws:PrincipalArn":"` + roleA + `"}`, nil, no},
	"ArnNotLike":                       {pageOps, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x*"}`, nil, yes},
	"ArnNotLike absent":                {pageOps, `"ArnNotLike":{"aws:SourceArn":"arn:aws:iam::*:role/x*"}`, nil, yes},
	"ArnLike sent no ARN":              {pageOps, `"ArnLike":{"aws:SourceArn":"arn:aws:iam::*:role/x*"}`, sent("aws:SourceArn", "x"), unknown},
	"ForAllValues all match":           {pageMulti, `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, sent("aws:TagKeys", "a", "b"), yes},
	"ForAllValues one does not":        {pageMulti, `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, sent("aws:TagKeys", "a", "c"), no},
	"ForAllValues absent":              {pageMulti, `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, nil, yes},
	"ForAllValues empty string":        {pageMulti, `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys", ""), yes},
	"ForAllValues negated":             {pageMulti, `"ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys", "b", "a"), no},
	"ForAllValues negated, none equal": {pageMulti, `"ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys", "b", "c"), yes},
	"ForAnyValue one matches":          {pageMulti, `"ForAnyValue:StringLike":{"aws:TagKeys":"a*"}`, sent("aws:TagKeys", "x", "ab"), yes},
	"ForAnyValue none matches":         {pageMulti, `"ForAnyValue:StringLike":{"aws:TagKeys":"a*"}`, sent("aws:TagKeys", "x", "y"), no},
	"ForAnyValue absent":               {pageMulti, `"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}`, nil, no},
	"ForAnyValue negated, absent":      {pageMulti, `"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}`, nil, no},
	"ForAnyValue negated":              {pageMulti, `"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys", "a", "b"), yes},
	"ForAnyValue empty string":         {pageMulti, `"ForAnyValue:StringLike":{"aws:TagKeys":"*"}`, sent("aws:TagKeys", ""), unknown},
	"ForAnyValue negated, empty":       {pageMulti, `"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys", ""), unknown},
	"ForAllValues no values":           {pageMulti, `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys"), yes},
	"ForAnyValue no values":            {pageMulti, `"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}`, sent("aws:TagKeys"), no},
	"ForAnyValue IfExists absent":      {pageMulti, `"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}`, nil, unknown},
	"several values, all match":        {pageMulti, `"StringLike":{"aws:TagKeys":"a*"}`, sent("aws:TagKeys", "a", "ab"), yes},
	"several values, some match":       {pageMulti, `"StringLike":{"aws:TagKeys":"a*"}`, sent("aws:TagKeys", "a", "b"), unknown},
	"variable in a value":              {pageVars, `"StringEquals":{"s3:prefix":"${aws:username}/"}`, map[string][]string{"s3:prefix": {"ann/"}, "aws:username": {"ann"}}, yes},
	"variable in StringLike":           {pageVars, `"StringLike":{"s3:prefix":"${aws:username}/*"}`, map[string][]string{"s3:prefix": {"ann/x"}, "aws:username": {"ann"}}, yes},
	"variable in ArnLike":              {pageVars, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:role/a*"}`, nil, yes},
	"variable in ArnLike, a wildcard":  {pageVars, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/${k}"}`, sent("k", "*"), unknown},
	"variable in ArnLike, a colon":     {pageVars, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${k}"}`, sent("k", "111111111111:role/app"), unknown},
	"variable in ArnLike, last part":   {pageVars, `"ArnLike":{"aws:SourceArn":"arn:aws:cognito-identity:eu-west-1:111111111111:identity/${k}"}`, map[string][]string{"k": {"eu-west-1:1"}, "aws:SourceArn": {"arn:aws:cognito-identity:eu-west-1:111111111111:identity/eu-west-1:1"}}, yes},
	"variable in StringLike, wildcard": {pageVars, `"StringLike":{"s3:prefix":"${k}/*"}`, map[string][]string{"s3:prefix": {"a/b"}, "k": {"?"}}, unknown},
	"variable in StringEquals, a star": {pageVars, `"StringEquals":{"s3:prefix":"${k}"}`, map[string][]string{"s3:prefix": {"a"}, "k": {"*"}}, no},
	"variable default, a wildcard":     {pageVars, `"StringLike":{"s3:prefix":"${k, '*'}"}`, sent("s3:prefix", "a"), unknown},
	"variable without value":           {pageVars, `"StringEquals":{"s3:prefix":"${aws:PrincipalTag/t}"}`, sent("s3:prefix", "x"), no},
	"variable without value, ARN":      {pageVars, `"ArnLike":{"aws:PrincipalArn":"${aws:PrincipalTag/t}"}`, nil, no},
	"variable without value, negated":  {pageVars, `"StringNotEquals":{"s3:prefix":"${aws:PrincipalTag/t}"}`, sent("s3:prefix", "x"), yes},
	"variable default":                 {pageVars, `"StringEquals":{"s3:prefix":"${aws:PrincipalTag/t, 'x'}"}`, sent("s3:prefix", "x"), yes},
	"variable in a number":             {pageVars, `"NumericEquals":{"s3:max-keys":"${k}"}`, map[string][]string{"s3:max-keys": {"1"}, "k": {"1"}}, unknown},
	"variable in a boolean":            {pageOps, `"Bool":{"aws:SecureTransport":"${k}"}`, sent("k", "true"), unknown},
	"literal star in StringLike":       {pageVars, `"StringLike":{"s3:prefix":"a${*}"}`, sent("s3:prefix", "ab"), no},
	"literal star in StringEquals":     {pageVars, `"StringEquals":{"s3:prefix":"a${*}"}`, sent("s3:prefix", "a*"), yes},
}

func TestConditions(t *testing.T) {
	for name, tc := range conditionCases {
		t.Run(name, func(t *testing.T) {
			if tc.page == "" {
				t.Error("the case names no page of AWS")
			}
			rest := `,"Action":"s3:*","Resource":"*","Condition":{` + tc.condition + `}}`
			allow := evalCase{caller: "role A", context: tc.sent, identity: list(`{"Effect":"Allow"` + rest)}.evaluate(t)
			if allow.Allowed() != (tc.want == yes) {
				t.Errorf("in an Allow: %s\n%s", allow.Outcome, reasonsText(allow))
			}
			deny := evalCase{caller: "role A", context: tc.sent, identity: list(allowAll, `{"Effect":"Deny"`+rest)}.evaluate(t)
			if (deny.Outcome == ExplicitDeny) != (tc.want != no) || deny.Outcome == Invalid {
				t.Errorf("in a Deny: %s\n%s", deny.Outcome, reasonsText(deny))
			}
		})
	}
}

// In Version 2008 a variable is text.
func TestConditionsOf2008(t *testing.T) {
	policy := `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"${aws:username}"}}}]}`
	for sentPrefix, want := range map[string]Outcome{"ann": ImplicitDeny, "${aws:username}": Allowed} {
		d := evalCase{caller: "role A", identity: list(policy), context: map[string][]string{"s3:prefix": {sentPrefix}, "aws:username": {"ann"}}}.evaluate(t)
		if d.Outcome != want {
			t.Errorf("s3:prefix %s: %s, want %s", sentPrefix, d.Outcome, want)
		}
	}
}

// Every key of a large context is found, and one that stands twice.
func TestBadAddress(t *testing.T) {
	for _, v := range []struct {
		key, value string
		want       bool
	}{
		{"aws:SourceIp", "203.0.113.7", false},
		{"aws:sourceip", "2001:db8::1", false},
		{"AWS:SOURCEIP", "203.0.113", true},
		{"aws:VpcSourceIp", "203.0.113.0/24", true},
		{"aws:vpcsourceip", "", true},
		{"aws:SourceVpc", "203.0.113", false},
	} {
		if got := BadAddress(v.key, v.value); got != v.want {
			t.Errorf("%s of %q: %v", v.key, v.value, got)
		}
	}
}

func TestManyKeys(t *testing.T) {
	context := map[string][]string{}
	for c := 'a'; c <= 'z'; c++ {
		context["k:"+string(c)] = []string{string(c)}
	}
	for name := range context {
		policy := `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"` + strings.ToUpper(name) + `":"` + name[2:] + `"}}}`
		if d := (evalCase{caller: "role A", identity: list(policy), context: context}).evaluate(t); !d.Allowed() {
			t.Errorf("%s: %s", name, reasonsText(d))
		}
	}
	context["K:z"] = []string{"z"}
	policy := `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"k:z":"z"}}}`
	if d := (evalCase{caller: "role A", identity: list(policy), context: context}).evaluate(t); d.Outcome != Invalid {
		t.Errorf("a key in two cases: %s", d.Outcome)
	}
}

// What the grammar does not know never helps the caller.
func TestNotUnderstood(t *testing.T) {
	for name, statement := range map[string]string{
		"operator":  `"Action":"s3:*","Resource":"*","Condition":{"StringSounds":{"k":"v"}}`,
		"element":   `"Action":"s3:*","Resource":"*","Purpose":"x"`,
		"principal": `"Action":"s3:*","Resource":"*","Principal":{"Robot":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(statement, "Principal") {
				statement += `,"Principal":"*"`
			}
			policies := func(effect string) Policies {
				d, err := ParseLive([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `",` + statement + `}]}`))
				if err != nil {
					t.Fatal(err)
				}
				return Policies{Identity: []Named{{Name: "p", Document: must(t, allowAll)}}, Resource: &Named{Name: "r", Document: d}}
			}
			req := Request{Caller: callers["role B"], Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
			if d := Evaluate(req, policies("Allow")); d.Outcome != ImplicitDeny {
				t.Errorf("in an Allow: %s", d.Outcome)
			}
			req.ResourceAccount = accountB
			if d := Evaluate(req, policies("Deny")); d.Outcome != ExplicitDeny {
				t.Errorf("in a Deny: %s", d.Outcome)
			}
		})
	}
}

// An inert statement matches no request, whichever way it names actions.
func TestInert(t *testing.T) {
	req := Request{Caller: callers["role A"], Action: "s3:GetObject", Resource: object1}
	for name, s := range map[string]Statement{
		"Action":    {Effect: Deny, Action: []string{"*"}, Resource: []string{"*"}},
		"NotAction": {Effect: Deny, NotAction: []string{"iam:*"}, Resource: []string{"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			decide := func(s Statement) Outcome {
				return Evaluate(req, Policies{Identity: []Named{{Name: "all", Document: must(t, allowAll)}, {Name: "p", Document: &Document{Version: Version2012, Statements: []Statement{s}}}}}).Outcome
			}
			if got := decide(s); got != ExplicitDeny {
				t.Errorf("as it is: %s", got)
			}
			if got := decide(s.Inert()); got != Allowed {
				t.Errorf("inert: %s", got)
			}
		})
	}
}

// A built statement need not follow the grammar.
func TestBuiltStatements(t *testing.T) {
	good := Statement{Effect: Allow, Action: []string{"s3:*"}, Resource: []string{"*"}}
	for name, change := range map[string]func(*Statement){
		"no action":          func(s *Statement) { s.Action = nil },
		"any service":        func(s *Statement) { s.Action = []string{"*:GetObject"} },
		"part of a service":  func(s *Statement) { s.Action = []string{"s?:Get*"} },
		"not any service":    func(s *Statement) { s.Action, s.NotAction = nil, []string{"*:GetObject"} },
		"no condition key":   func(s *Statement) { s.Condition = []Condition{{"StringNotEquals", "", []string{"v"}}} },
		"no ARN":             func(s *Statement) { s.Resource = []string{"*:s3:::*"} },
		"two action lists":   func(s *Statement) { s.NotAction = []string{"iam:*"} },
		"no resource":        func(s *Statement) { s.Resource = nil },
		"two resource lists": func(s *Statement) { s.NotResource = []string{"arn:aws:s3:::c"} },
		"operator unknown":   func(s *Statement) { s.Condition = []Condition{{"StringSounds", "k", []string{"v"}}} },
		"Null with IfExists": func(s *Statement) { s.Condition = []Condition{{"NullIfExists", "k", []string{"true"}}} },
		"two set operators": func(s *Statement) {
			s.Condition = []Condition{{"ForAllValues:ForAllValues:StringEquals", "k", []string{"v"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			change(&s)
			req := Request{Caller: callers["role A"], Action: "s3:GetObject", Resource: object1}
			if d := Evaluate(req, Policies{Identity: []Named{{Name: "p", Document: &Document{Version: Version2012, Statements: []Statement{s}}}}}); d.Outcome != ImplicitDeny {
				t.Errorf("in an Allow: %s", d.Outcome)
			}
			s.Effect = Deny
			if d := Evaluate(req, Policies{Identity: []Named{{Name: "p", Document: &Document{Version: Version2012, Statements: []Statement{good, s}}}}}); d.Outcome != ExplicitDeny {
				t.Errorf("in a Deny: %s", d.Outcome)
			}
		})
	}
	// So are principals with wildcards, and a Principal with a NotPrincipal.
	for name, change := range map[string]func(*Statement){
		"part of a role's name": func(s *Statement) { s.Principal = &Principals{AWS: []string{"arn:aws:iam::222222222222:role/*"}} },
		"any session": func(s *Statement) {
			s.Principal = &Principals{AWS: []string{"arn:aws:sts::222222222222:assumed-role/reader/*"}}
		},
		"not only by principals": func(s *Statement) {
			s.Principal, s.NotPrincipal = &Principals{Any: true}, &Principals{AWS: []string{userA}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			change(&s)
			p := Policies{Identity: []Named{{Name: "p", Document: must(t, allowAll)}}, Resource: &Named{Name: "r", Document: &Document{Version: Version2012, Statements: []Statement{s}}}}
			req := Request{Caller: callers["session B"], Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
			if d := Evaluate(req, p); d.Outcome != ImplicitDeny {
				t.Errorf("in an Allow: %s", d.Outcome)
			}
			p.Resource.Document.Statements[0].Effect = Deny
			if d := Evaluate(req, p); d.Outcome != ExplicitDeny {
				t.Errorf("in a Deny: %s", d.Outcome)
			}
		})
	}
	for name, tc := range map[string]struct {
		caller    Caller
		principal Principals
		context   map[string][]string
	}{
		"services":  {callers["service"], Principals{Service: []string{"*.amazonaws.com"}}, nil},
		"federated": {callers["session B"], Principals{Federated: []string{"*"}}, map[string][]string{"aws:FederatedProvider": {"graph.facebook.com"}}},
	} {
		s := good
		s.Principal, s.Effect = &tc.principal, Deny
		req := Request{Caller: tc.caller, Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA, Context: tc.context}
		if d := Evaluate(req, Policies{Resource: &Named{Name: "r", Document: &Document{Statements: []Statement{s}}}}); d.Outcome != ExplicitDeny {
			t.Errorf("a wildcard for %s in a Deny: %s", name, d.Outcome)
		}
	}
	s := good
	s.Principal = &Principals{AWS: []string{"arn:aws:iam::222222222222:role/a*/r"}}
	odd := Request{Caller: Caller{Kind: Role, ARN: s.Principal.AWS[0]}, Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
	p := Policies{Identity: []Named{{Name: "p", Document: must(t, allowAll)}}, Resource: &Named{Name: "r", Document: &Document{Statements: []Statement{s}}}}
	if d := Evaluate(odd, p); d.Outcome != ImplicitDeny {
		t.Errorf("a principal with a wildcard, for a caller that has it in its path: %s", d.Outcome)
	}
	// "*" among the AWS principals of a built statement is everybody.
	s.Principal = &Principals{AWS: []string{"*"}}
	req := Request{Caller: Caller{Kind: Anonymous}, Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
	if d := Evaluate(req, Policies{Resource: &Named{Name: "r", Document: &Document{Statements: []Statement{s}}}}); !d.Allowed() {
		t.Errorf("a star among the AWS principals: %s", d.Outcome)
	}
	// An empty name is nobody's.
	s.Principal = &Principals{AWS: []string{""}}
	for _, name := range []string{"anonymous", "service", "user B", "role B", "root B"} {
		req.Caller = callers[name]
		p := Policies{Identity: []Named{{Name: "p", Document: must(t, allowAll)}}, Resource: &Named{Name: "r", Document: &Document{Statements: []Statement{s}}}}
		if d := Evaluate(req, p); d.Allowed() {
			t.Errorf("%s is allowed by a principal without a name", name)
		}
	}
}
