package iampolicy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDefaultContext holds the keys to their "Availability" in
// IAM:reference_policies_condition-keys and to the table "Principal key values"
// of IAM:reference_policies_variables; those of KMS to KMS:conditions-kms.
func TestDefaultContext(t *testing.T) {
	const account, sameAccount = "aws:ResourceAccount=" + accountA + " s3:ResourceAccount=" + accountA, "aws:ResourceAccount=" + accountB + " s3:ResourceAccount=" + accountB
	now := time.Date(2026, 11, 24, 1, 2, 3, 0, time.FixedZone("", 3600))
	role := func(arn, account string) string {
		return "aws:PrincipalArn=" + arn + " aws:PrincipalAccount=" + account + " aws:PrincipalType=AssumedRole aws:PrincipalIsAWSService=false aws:TokenIssueTime=2026-11-24T00:02:03Z"
	}
	user := func(arn, account, name string) string {
		return "aws:PrincipalArn=" + arn + " aws:PrincipalAccount=" + account + " aws:PrincipalType=User aws:PrincipalIsAWSService=false aws:username=" + name
	}
	for name, tc := range map[string]struct {
		caller, action, resource string
		owner                    string
		want                     string // what all requests have apart
	}{
		"role":            {"role B", "s3:GetObject", object1, accountA, role(roleB, accountB) + " " + account},
		"session":         {"session B", "S3:GetObject", object1, accountA, role(roleB, accountB) + " aws:userid=" + idB + ":s1 " + account},
		"session, no id":  {"session A", "s3:GetObject", object1, accountA, role(roleA, accountA) + " " + account},
		"user":            {"user A", "s3:GetObject", object1, accountA, user(userA, accountA, "ann") + " " + account},
		"user with an id": {"user B", "s3:GetObject", object1, accountA, user(userB, accountB, lastPart(userB)) + " aws:userid=AIDAEXAMPLEEXAMPLE12 " + account},
		"root":            {"root B", "s3:GetObject", object1, "", "aws:PrincipalArn=" + rootB + " aws:PrincipalAccount=" + accountB + " aws:PrincipalType=Account aws:PrincipalIsAWSService=false aws:userid=" + accountB + " " + sameAccount},
		"anonymous":       {"anonymous", "s3:GetObject", object1, "", "aws:PrincipalAccount=anonymous aws:PrincipalType=Anonymous aws:userid=anonymous"},
		"service": {"service", "sts:AssumeRole", roleA, "", "aws:PrincipalIsAWSService=true aws:PrincipalServiceName=ec2.amazonaws.com" +
			" aws:PrincipalServiceNamesList=ec2.amazonaws.com aws:ResourceAccount=" + accountA},
		"managed policy": {"role A", "iam:GetPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA + " aws:RequestedRegion=us-east-1"},

		// The account that calls KMS, for keys and custom key stores.
		"key":              {"user A", "kms:Decrypt", key1, "", user(userA, accountA, "ann") + " aws:ResourceAccount=" + accountA + " aws:RequestedRegion=eu-west-1 kms:CallerAccount=" + accountA},
		"another's key":    {"role B", "KMS:Decrypt", key1, "", role(roleB, accountB) + " aws:ResourceAccount=" + accountA + " aws:RequestedRegion=eu-west-1 kms:CallerAccount=" + accountB},
		"key, by service":  {"service", "kms:Decrypt", key1, "", "aws:PrincipalIsAWSService=true aws:PrincipalServiceName=ec2.amazonaws.com aws:PrincipalServiceNamesList=ec2.amazonaws.com aws:ResourceAccount=" + accountA + " aws:RequestedRegion=eu-west-1"},
		"all keys":         {"role A", "kms:ListKeys", "*", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA},
		"custom key store": {"role A", "kms:CreateCustomKeyStore", "*", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA + " kms:CallerAccount=" + accountA},

		// The region that is called.
		"regional resource":       {"role A", "ec2:StartInstances", "arn:aws:ec2:eu-west-1:111111111111:instance/i-1", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA + " aws:RequestedRegion=eu-west-1"},
		"another service's":       {"role A", "ec2:RunInstances", "arn:aws:ssm:eu-west-1:111111111111:parameter/p", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA},
		"copied to its region":    {"role A", "ec2:CopySnapshot", "arn:aws:ec2:eu-west-1:111111111111:snapshot/s", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA},
		"region with a wildcard":  {"role A", "ec2:StartInstances", "arn:aws:ec2:*:111111111111:instance/i-1", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA},
		"global, without a ARN":   {"role A", "cloudfront:ListDistributions", "*", "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA + " aws:RequestedRegion=us-east-1"},
		"STS has many regions":    {"role A", "sts:AssumeRole", roleA, "", role(roleA, accountA) + " aws:ResourceAccount=" + accountA},
		"global, of no partition": {"service", "iam:GetRole", "arn:aws-cn:iam::111111111111:role/r", "", "aws:PrincipalIsAWSService=true aws:PrincipalServiceName=ec2.amazonaws.com aws:PrincipalServiceNamesList=ec2.amazonaws.com aws:ResourceAccount=" + accountA},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for key, values := range DefaultContext(Request{Caller: callers[tc.caller], Action: tc.action, Resource: tc.resource, ResourceAccount: tc.owner}, now) {
				got = append(got, key+"="+strings.Join(values, ","))
			}
			slices.Sort(got)
			want := strings.Fields(tc.want + " aws:SecureTransport=true aws:CurrentTime=2026-11-24T00:02:03Z aws:EpochTime=1795478523 aws:ViaAWSService=false")
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// What DefaultContext gives is the caller's to change: two requests share none
// of it.
func TestDefaultContextIsNotShared(t *testing.T) {
	req := Request{Caller: callers["session B"], Action: "kms:Decrypt", Resource: key1}
	first := DefaultContext(req, time.Unix(1_800_000_000, 0))
	want := maps.Clone(DefaultContext(req, time.Unix(1_800_000_000, 0)))
	for key := range first {
		first[key][0] = "changed"
	}
	for key, values := range DefaultContext(req, time.Unix(1_800_000_000, 0)) {
		if !slices.Equal(values, want[key]) {
			t.Errorf("%s is %v, want %v", key, values, want[key])
		}
	}
}

// A key is found whatever its case and however many there are, and twice is an
// error, as with few.
func TestManyContextKeys(t *testing.T) {
	policies := func(key string) Policies {
		return Policies{Identity: []Named{{Name: "identity policy", Document: must(t, oneOf("Allow", `"s3:*"`, `"*"`, `"StringEquals":{"`+key+`":"v"}`))}}}
	}
	for _, n := range []int{0, 1, 20, 21, 52, 53, 54, 1000} {
		context := map[string][]string{}
		for i := range n {
			context["x:Key"+strconv.Itoa(i)] = []string{"v"}
		}
		req := Request{Caller: callers["role A"], Action: "s3:GetObject", Resource: object1, Context: context}
		for i := range n {
			if d := Evaluate(req, policies("X:kEY"+strconv.Itoa(i))); !d.Allowed() {
				t.Fatalf("of %d keys, number %d is not found: %v", n, i, d)
			}
		}
		for _, absent := range []string{"x:Key" + strconv.Itoa(n), "x:Ke", "x:Key", "x:Key0x", "a", "z"} {
			if d := Evaluate(req, policies(absent)); d.Outcome != ImplicitDeny {
				t.Fatalf("of %d keys, %s is found: %v", n, absent, d)
			}
		}
		if n == 0 {
			continue
		}
		context["X:KEY0"] = []string{"w"}
		if d := Evaluate(req, policies("x:key0")); d.Outcome != Invalid || !strings.Contains(d.Reasons[0].Text, "X:KEY0 twice") {
			t.Errorf("of %d keys, one that is there twice: %v", n, d)
		}
	}
}
