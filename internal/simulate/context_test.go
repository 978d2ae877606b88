package simulate

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

// TestDefaultContext asks for each key that AWS always sends by a Deny
// on its value, which must bite, and by an Allow that is there without the key.
// The page is IAM:reference_policies_condition-keys, by "Availability".
func TestDefaultContext(t *testing.T) {
	const (
		user    = `"principal":"arn:aws:iam::111111111111:user/team/ann"`
		role    = `"principal":"arn:aws:iam::111111111111:role/team/reader"`
		session = `"principal":"arn:aws:sts::111111111111:assumed-role/reader/s1","principalRoleArn":"arn:aws:iam::111111111111:role/team/reader"`
		service = `"principal":"cloudtrail.amazonaws.com"`
		nobody  = `"principal":"anonymous"`
		key     = `"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","resourceAccount":null`
	)
	for name, tc := range map[string]struct {
		fields, key, value string
		absent             bool
	}{
		"PrincipalArn":                         {session, "aws:PrincipalArn", "arn:aws:iam::111111111111:role/team/reader", false},
		"PrincipalAccount":                     {user, "aws:PrincipalAccount", "111111111111", false},
		"PrincipalAccount, anonymous":          {nobody, "aws:PrincipalAccount", "anonymous", false},
		"PrincipalType":                        {user, "aws:PrincipalType", "User", false},
		"PrincipalIsAWSService":                {service, "aws:PrincipalIsAWSService", "true", false},
		"PrincipalServiceName":                 {service, "aws:PrincipalServiceName", "cloudtrail.amazonaws.com", false},
		"PrincipalServiceNamesList":            {service, "aws:PrincipalServiceNamesList", "cloudtrail.amazonaws.com", false},
		"ViaAWSService":                        {user, "aws:ViaAWSService", "false", false},
		"ViaAWSService, anonymous":             {nobody, "aws:ViaAWSService", "false", false},
		"ViaAWSService, service":               {service, "aws:ViaAWSService", "false", false},
		"ViaAWSService, by CalledVia":          {user + `,"context":{"aws:CalledVia":["athena.amazonaws.com"]}`, "aws:ViaAWSService", "true", false},
		"ViaAWSService, by kms:ViaService":     {role + `,"context":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"},` + key, "aws:ViaAWSService", "true", false},
		"ViaAWSService, given":                 {role + `,"context":{"aws:CalledVia":["athena.amazonaws.com"],"aws:viaawsservice":false}`, "aws:ViaAWSService", "false", false},
		"username":                             {user, "aws:username", "ann", false},
		"username of a role":                   {role, "aws:username", "reader", true},
		"userid of a user":                     {user + `,"principalUniqueId":"AIDAEXAMPLEEXAMPLE12"`, "aws:userid", "AIDAEXAMPLEEXAMPLE12", false},
		"userid of a session":                  {session + `,"principalUniqueId":"AROAEXAMPLEEXAMPLE12"`, "aws:userid", "AROAEXAMPLEEXAMPLE12:s1", false},
		"userid of root":                       {`"principal":"111111111111"`, "aws:userid", "111111111111", false},
		"userid, anonymous":                    {nobody, "aws:userid", "anonymous", false},
		"userid that nothing tells":            {user, "aws:userid", "ann", true},
		"TokenIssueTime of a role":             {role, "aws:TokenIssueTime", "2026-11-24T12:00:00Z", false},
		"TokenIssueTime at a time":             {session + `,"context":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`, "aws:TokenIssueTime", "2027-01-01T00:00:00Z", false},
		"TokenIssueTime at no time":            {session + `,"context":{"aws:CurrentTime":"soon"}`, "aws:TokenIssueTime", "soon", true},
		"TokenIssueTime of a user":             {user, "aws:TokenIssueTime", "2026-11-24T12:00:00Z", true},
		"CallerAccount":                        {role + "," + key, "kms:CallerAccount", "111111111111", false},
		"CallerAccount, of another":            {`"principal":"arn:aws:iam::222222222222:role/r",` + key, "kms:CallerAccount", "222222222222", false},
		"CallerAccount for S3":                 {role, "kms:CallerAccount", "111111111111", true},
		"RequestedRegion":                      {role + "," + key, "aws:RequestedRegion", "eu-west-1", false},
		"RequestedRegion of a bucket":          {role, "aws:RequestedRegion", "us-east-1", true},
		"RequestedRegion of IAM":               {role + `,"action":"iam:GetRole","resource":"arn:aws:iam::111111111111:role/r"`, "aws:RequestedRegion", "us-east-1", false},
		"SecureTransport":                      {nobody, "aws:SecureTransport", "true", false},
		"a federated user has another type":    {user + `,"sessionPolicy":"$all"`, "aws:PrincipalType", "FederatedUser", false},
		"and no username":                      {user + `,"sessionPolicy":"$all"`, "aws:username", "ann", true},
		"and temporary credentials":            {user + `,"sessionPolicy":"$all"`, "aws:TokenIssueTime", "2026-11-24T12:00:00Z", false},
		"taken away":                           {user + `,"context":{"AWS:UserName":null}`, "aws:username", "ann", true},
		"given otherwise":                      {user + `,"context":{"AWS:UserName":"bob"}`, "aws:username", "bob", false},
		"exact context":                        {user + `,"exactContext":true`, "aws:username", "ann", true},
		"exact context, of what is contrary":   {user + `,"exactContext":true,"context":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/bob"}`, "aws:PrincipalArn", "arn:aws:iam::111111111111:user/bob", false},
		"a session's role told by the context": {`"principal":"arn:aws:sts::111111111111:assumed-role/reader/s1","context":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/team/reader"}`, "aws:PrincipalArn", "arn:aws:iam::111111111111:role/team/reader", false},
	} {
		t.Run(name, func(t *testing.T) {
			deny := `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"` + tc.key + `":"` + tc.value + `"}}}`
			line := caseLine(t, `{"resourceAccount":"111111111111","identityPolicies":[],"resourcePolicy":{"Version":"2012-10-17","Statement":[`+deny+`]},`+tc.fields+`}`)
			if a := Case(line, 7, noon); a.Decision == iampolicy.Invalid || (a.Decision == iampolicy.ExplicitDeny) == tc.absent {
				t.Errorf("%s (%s)\n%s", a.Decision, a.Reason, line)
			}
			absent := strings.Replace(deny, `"ForAnyValue:StringEquals":{"`+tc.key+`":"`+tc.value+`"}`, `"Null":{"`+tc.key+`":"true"}`, 1)
			line = caseLine(t, `{"resourceAccount":"111111111111","identityPolicies":[],"resourcePolicy":{"Version":"2012-10-17","Statement":[`+absent+`]},`+tc.fields+`}`)
			if a := Case(line, 7, noon); (a.Decision == iampolicy.ExplicitDeny) != tc.absent {
				t.Errorf("by Null: %s (%s)\n%s", a.Decision, a.Reason, line)
			}
		})
	}
}

// A context that other fields contradict is a mistake, and would decide by a
// request that cannot be.
func TestContradiction(t *testing.T) {
	for name, tc := range map[string]struct{ fields, reason string }{
		"account":                          {`{"context":{"aws:PrincipalAccount":"333333333333"}}`, "context: aws:PrincipalAccount is 333333333333, but by the other fields it is 222222222222"},
		"account of two":                   {`{"context":{"aws:PrincipalAccount":["222222222222","333333333333"]}}`, "is 222222222222, 333333333333, but"},
		"account of anonymous":             {`{"principal":"anonymous","resourcePolicy":"$public","context":{"aws:PrincipalAccount":"333333333333"}}`, "by the other fields it is anonymous"},
		"ARN":                              {`{"context":{"aws:principalarn":"arn:aws:iam::222222222222:role/reader"}}`, "by the other fields it is arn:aws:iam::222222222222:role/team/reader"},
		"ARN of a session, another role":   {`{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","context":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/writer"}}`, "aws:PrincipalArn"},
		"ARN of a session itself":          {`{"principal":"arn:aws:sts::222222222222:assumed-role/reader/s1","context":{"aws:PrincipalArn":"arn:aws:sts::222222222222:assumed-role/reader/s1"}}`, "aws:PrincipalArn"},
		"owner":                            {`{"context":{"aws:ResourceAccount":"333333333333"}}`, "by the other fields it is 111111111111"},
		"owner, for S3":                    {`{"context":{"s3:ResourceAccount":"333333333333"}}`, "s3:ResourceAccount"},
		"owner of a key":                   {`{"resourceAccount":null,"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k","context":{"aws:ResourceAccount":"333333333333"}}`, "aws:ResourceAccount"},
		"a step's own":                     {`{"steps":[{"principal":"arn:aws:iam::222222222222:role/other","context":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/reader"}}]}`, "aws:PrincipalArn"},
		"what a step inherits":             {`{"context":{"aws:ResourceAccount":"111111111111"},"steps":[{"context":{"AWS:ResourceAccount":"333333333333"}}]}`, "aws:ResourceAccount"},
		"two accounts, neither in a field": {`{"resourceAccount":null,"context":{"aws:ResourceAccount":"111111111111","s3:ResourceAccount":"333333333333"}}`, "a resource has one account"},
	} {
		t.Run(name, func(t *testing.T) { checkInvalid(t, caseLine(t, tc.fields), `"c"`, tc.reason) })
	}
	for name, fields := range map[string]string{
		"exact":                          `{"exactContext":true,"context":{"aws:PrincipalAccount":"333333333333"}}`,
		"the same":                       `{"context":{"aws:PrincipalAccount":"222222222222","aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/reader","aws:ResourceAccount":["111111111111"]}}`,
		"taken away":                     `{"context":{"aws:PrincipalAccount":null,"aws:PrincipalArn":[]}}`,
		"no account is given":            `{"resourceAccount":null,"context":{"aws:ResourceAccount":"111111111111"}}`,
		"no resource":                    `{"resourceAccount":null,"action":"s3:ListAllMyBuckets","resource":"*","identityPolicies":["$all"],"resourcePolicy":null,"context":{"aws:ResourceAccount":"111111111111"}}`,
		"another principal":              `{"resourcePolicy":"$toAccount","context":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/team/reader"},"steps":[{"principal":"arn:aws:iam::222222222222:role/other"}]}`,
		"another account's resource":     `{"context":{"aws:ResourceAccount":"111111111111"},"identityPolicies":["$all"],"steps":[{"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:333333333333:key/k2","resourcePolicy":"$key"}]}`,
		"another principal's name":       `{"principal":"arn:aws:iam::222222222222:user/logs","identityPolicies":["$mine"],"resourcePolicy":"$toAccount","context":{"aws:username":"logs"},"steps":[{"resource":"arn:aws:s3:::b/ann/x","principal":"arn:aws:iam::222222222222:user/ann"}]}`,
		"another resource of whose that": `{"context":{"aws:ResourceAccount":"111111111111"},"identityPolicies":["$all"],"steps":[{"resource":"arn:aws:s3:::c/x","resourceAccount":"222222222222"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			line := caseLine(t, fields)
			if a := Case(line, 7, noon); !a.Allowed {
				t.Errorf("%s, lacking %v: %s\n%s", a.Decision, a.Lacking, a.Reason, line)
			}
		})
	}
}

// Steps share what they inherit, so what one of them adds must not be another's.
func TestContextIsNotShared(t *testing.T) {
	a := Case(caseLine(t, `{"action":null,"resourcePolicy":"$fromIP","context":{"a:b":"c"},"steps":[
		{"action":"s3:GetObject","context":{"aws:SourceIp":"203.0.113.9"}},{"action":"s3:GetObject","context":{"a:B":"d"}}]}`), 1, noon)
	if a.Decision != iampolicy.ImplicitDeny || !slices.Equal(a.Lacking, sideList("resource")) || !strings.HasPrefix(a.Reason, "step 2: ") {
		t.Errorf("%+v", a)
	}
}
