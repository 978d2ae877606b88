package iampolicy

import (
	"strings"
	"testing"
)

func toEverybody(condition string) string {
	return `{"Sid":"S","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{` + condition + `}}`
}

// publicCases are policies of buckets, all by
// S3:access-control-block-public-access, "The meaning of public".
var publicCases = map[string]struct {
	policy string
	public bool
}{
	"a role":                         {to("Allow", ofRoleB), false},
	"an account":                     {to("Allow", ofB), false},
	"a unique id":                    {to("Allow", `{"AWS":"`+idB+`"}`), false},
	"a service":                      {to("Allow", `{"Service":"cloudtrail.amazonaws.com"}`), false},
	"a canonical user":               {to("Allow", `{"CanonicalUser":"79a5"}`), false},
	"everybody":                      {to("Allow", ofEverybody), true},
	"everybody and a role":           {to("Allow", `{"AWS":["*","`+roleB+`"]}`), true},
	"federated":                      {to("Allow", `{"Federated":"graph.facebook.com"}`), true},
	"federated and a role":           {to("Allow", `{"Federated":"graph.facebook.com","AWS":"`+roleB+`"}`), true},
	"all but one":                    {`{"Effect":"Allow","NotPrincipal":` + ofB + `,"Action":"s3:*","Resource":"*"}`, true},
	"Deny everybody":                 {to("Deny", ofEverybody), false},
	"Deny does not help":             {to("Allow", ofEverybody) + `,{"Effect":"Deny","NotPrincipal":` + ofB + `,"Action":"s3:*","Resource":"*"}`, true},
	"one public statement of two":    {to("Allow", ofRoleB) + "," + toEverybody(``), true},
	"organization":                   {toEverybody(`"StringEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
	"organization, another case":     {toEverybody(`"stringequals":{"AWS:principalorgid":"o-1"}`), false},
	"organization with wildcard":     {toEverybody(`"StringLike":{"aws:PrincipalOrgID":"o-*"}`), true},
	"organization, one of two open":  {toEverybody(`"StringLike":{"aws:PrincipalOrgID":["o-1","*"]}`), true},
	"organization IfExists":          {toEverybody(`"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`), true},
	"organization negated":           {toEverybody(`"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}`), true},
	"organization ForAllValues":      {toEverybody(`"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-1"}`), true},
	"organization ForAnyValue":       {toEverybody(`"ForAnyValue:StringEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
	"no values":                      {toEverybody(`"StringEquals":{"aws:PrincipalOrgID":[]}`), true},
	"Null":                           {toEverybody(`"Null":{"aws:PrincipalOrgID":"false"}`), true},
	"variable":                       {toEverybody(`"StringEquals":{"aws:SourceVpc":"${aws:SourceVpc}"}`), true},
	"VPC":                            {toEverybody(`"StringEquals":{"aws:SourceVpc":"vpc-91237329"}`), false},
	"VPC by StringLike":              {toEverybody(`"StringLike":{"aws:SourceVpc":"vpc-91237329"}`), false},
	"VPC with wildcard":              {toEverybody(`"StringLike":{"aws:SourceVpc":"vpc-*"}`), true},
	"VPC endpoint":                   {toEverybody(`"StringEquals":{"aws:SourceVpce":"vpce-1"}`), false},
	"source ARN":                     {toEverybody(`"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:111111111111:t"}`), false},
	"source ARN with wildcard":       {toEverybody(`"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:t"}`), true},
	"source account":                 {toEverybody(`"StringEquals":{"aws:SourceAccount":"111111111111"}`), false},
	"source owner":                   {toEverybody(`"StringEquals":{"aws:SourceOwner":"111111111111"}`), false},
	"user id":                        {toEverybody(`"StringEquals":{"aws:userid":"AIDAEXAMPLE"}`), false},
	"user id, any session":           {toEverybody(`"StringLike":{"aws:userid":"AROAEXAMPLE:*"}`), true},
	"KMS key":                        {toEverybody(`"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"` + key1 + `"}`), false},
	"network /24":                    {toEverybody(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), false},
	"network /8":                     {toEverybody(`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), false},
	"network /7":                     {toEverybody(`"IpAddress":{"aws:SourceIp":"10.0.0.0/7"}`), true},
	"network 0.0.0.0/1":              {toEverybody(`"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}`), true},
	"network v6 /32":                 {toEverybody(`"IpAddress":{"aws:SourceIp":"2001:db8::/32"}`), false},
	"network v6 /31":                 {toEverybody(`"IpAddress":{"aws:SourceIp":"2001:db8::/31"}`), true},
	"network of a word":              {toEverybody(`"IpAddress":{"aws:SourceIp":"home"}`), true},
	"network negated":                {toEverybody(`"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), true},
	"network as text":                {toEverybody(`"StringEquals":{"aws:SourceIp":"203.0.113.9"}`), true},
	"access point account":           {toEverybody(`"StringEquals":{"s3:DataAccessPointAccount":"111111111111"}`), false},
	"access point":                   {toEverybody(`"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:123456789012:accesspoint/*"}`), false},
	"access point of any account":    {toEverybody(`"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/x"}`), true},
	"access point by a word":         {toEverybody(`"StringLike":{"s3:DataAccessPointArn":"*"}`), true},
	"another key":                    {toEverybody(`"StringEquals":{"aws:Referer":"https://x"}`), true},
	"another operator":               {toEverybody(`"Bool":{"aws:SecureTransport":"true"}`), true},
	"one of two conditions is fixed": {toEverybody(`"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceVpc":"vpc-1"}`), false},
}

func TestPublic(t *testing.T) {
	for name, tc := range publicCases {
		t.Run(name, func(t *testing.T) {
			public, why := Public(must(t, tc.policy))
			if public != tc.public || why.Text == "" || public != (why.Statement >= 0) {
				t.Errorf("public is %v: %+v", public, why)
			}
		})
	}
	if public, _ := Public(nil); public {
		t.Error("no policy is called public")
	}
	if public, _ := Public(&Document{Statements: []Statement{{Effect: Allow, Principal: &Principals{}}}}); !public {
		t.Error("a principal that names nobody known is called not public")
	}
	d, err := ParseLive([]byte(strings.Replace(wrap(`"Principal":{"AWS":"111111111111","Robot":"x"},`+goodStatement), "\n", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if public, _ := Public(d); !public {
		t.Error("a principal that is not understood is called not public")
	}
}
