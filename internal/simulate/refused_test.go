package simulate

import (
	"strings"
	"testing"
)

// TestRefused: policies that are well-formed, and that AWS does not take
// in their place.
func TestRefused(t *testing.T) {
	const (
		assume = `"principal":"arn:aws:iam::222222222222:role/team/reader","action":"sts:AssumeRole","resource":"arn:aws:iam::111111111111:role/t","resourceAccount":null,"identityPolicies":["$all"]`
		key    = `"action":"kms:Decrypt","resource":"arn:aws:kms:eu-west-1:111111111111:key/k1","resourceAccount":null,"identityPolicies":["$all"]`
		ec2    = `"action":"ec2:StartInstances","resource":"arn:aws:ec2:eu-west-1:222222222222:instance/i-1","resourceAccount":null,"identityPolicies":["$all"]`
	)
	to := func(rest string) string {
		return `{"Statement":{"Sid":"S","Effect":"Allow","Principal":{"AWS":"222222222222"},` + rest + `}}`
	}
	for name, tc := range map[string]struct{ page, fields, reason string }{
		"trust with Resource":          {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"Action":"sts:AssumeRole","Resource":"*"`), `resourcePolicy: statement "S" has Resource`},
		"trust with NotResource":       {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"Action":"sts:AssumeRole","NotResource":"arn:aws:iam::111111111111:role/x"`), "Has prohibited field Resource"},
		"trust for S3":                 {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"Action":["sts:AssumeRole","s3:*"]`), "names s3:*"},
		"trust for all but S3":         {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"NotAction":"s3:*"`), "only actions of STS"},
		"trust for tags with Resource": {"IAM:id_session-tags", strings.Replace(assume, "AssumeRole", "TagSession", 1) + `,"resourcePolicy":` + to(`"Action":"sts:TagSession","Resource":"*"`), "Has prohibited field Resource"},
		"a step's trust":               {"IAM:id_roles_terms-and-concepts", `"steps":[{` + assume + `,"resourcePolicy":` + to(`"Action":"sts:AssumeRole","Resource":"*"`) + `}]`, "Has prohibited field Resource"},
		"an inherited trust":           {"IAM:id_roles_terms-and-concepts", strings.Replace(assume, "sts:AssumeRole", "iam:GetRole", 1) + `,"resourcePolicy":` + to(`"Action":"sts:AssumeRole","Resource":"*"`) + `,"steps":[{"action":"sts:AssumeRole"}]`, "Has prohibited field Resource"},
		"bucket policy, no Resource":   {"S3:example-bucket-policies", `"resourcePolicy":` + to(`"Action":"s3:GetObject"`), "has no Resource"},
		"key policy, no Resource":      {"KMS:key-policy-overview", key + `,"resourcePolicy":` + to(`"Action":"kms:*"`), "has no Resource"},
		"policy of an instance":        {"IAM:reference_aws-services-that-work-with-iam", ec2 + `,"resourcePolicy":` + to(`"Action":"*","Resource":"*"`), "resources of EC2 have no policies"},

		"characters, identity":         {"IAM:API_CreatePolicy", `"identityPolicies":["$get",{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/日本/*"}}]`, `identityPolicies[1]: statement number 1 has the character '日'`},
		"characters, in a string":      {"IAM:API_CreatePolicy", `"identityPolicies":["{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::b/Ā\"}}"]`, "U+00FF"},
		"characters, boundary":         {"IAM:API_CreatePolicy", `"boundary":{"Statement":{"Sid":"S","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/Ā"}}`, "boundary: "},
		"characters, session":          {"STS:API_AssumeRole", `"sessionPolicy":{"Statement":{"Sid":"S","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/Ā"}}`, "sessionPolicy: "},
		"characters, trust":            {"IAM:API_CreateRole", assume + `,"resourcePolicy":` + to(`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"Ā"}}`), "resourcePolicy: "},
		"characters, key":              {"KMS:API_PutKeyPolicy", key + `,"resourcePolicy":` + to(`"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:a":"Ā"}}`), "resourcePolicy: "},
		"RCP that allows":              {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[["$everybody"],["$public"]]`, `rcps[1][0]: statement "Open" allows`},
		"RCP that allows if":           {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[["$tls"]]`, "RCPFullAWSAccess"},
		"RCP for somebody":             {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[[{"Statement":{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"*"}}]]`, "limit it by conditions"},
		"RCP for somebody and all":     {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[[{"Statement":{"Effect":"Deny","Principal":{"AWS":"*","Service":"ec2.amazonaws.com"},"Action":"s3:*","Resource":"*"}}]]`, "is not for everybody"},
		"RCP for all but somebody":     {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[[{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"*"}}]]`, "is not for everybody"},
		"RCP for all but some actions": {"ORG:orgs_manage_policies_rcps_syntax", `"rcps":[[{"Statement":{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}}]]`, "has NotAction"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.page == "" {
				t.Error("the case names no page of AWS")
			}
			checkInvalid(t, caseLine(t, "{"+tc.fields+"}"), `"c"`, tc.reason)
		})
	}
	for name, tc := range map[string]struct{ page, fields string }{
		"trust":                    {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"Action":["sts:AssumeRole","sts:TagSession"]`)},
		"trust by wildcard":        {"IAM:id_roles_terms-and-concepts", assume + `,"resourcePolicy":` + to(`"Action":"*"`)},
		"RCPFullAWSAccess":         {"ORG:orgs_manage_policies_rcps", `"rcps":[["$everybody"],["$everybody",{"Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:PutObject","Resource":"*"}}]]`},
		"any characters, bucket":   {"S3:example-bucket-policies", `"resource":"arn:aws:s3:::b/日本","resourcePolicy":` + to(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/日本"`)},
		"any characters, SCP":      {"ORG:API_CreatePolicy", `"scps":[[{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b/日本"}]}]]`},
		"Latin-1":                  {"IAM:API_CreatePolicy", `"identityPolicies":[{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/ÿ","arn:aws:s3:::b/*"]}}]`},
		"no policy of an instance": {"IAM:reference_aws-services-that-work-with-iam", ec2 + `,"resourcePolicy":null`},
		"one for another service":  {"IAM:reference_aws-services-that-work-with-iam", `"identityPolicies":["$all"],"steps":[{` + ec2 + `}]`},
	} {
		t.Run("taken: "+name, func(t *testing.T) {
			if tc.page == "" {
				t.Error("the case names no page of AWS")
			}
			if a := Case(caseLine(t, "{"+tc.fields+"}"), 7, noon); !a.Allowed {
				t.Errorf("%s, lacking %v: %s", a.Decision, a.Lacking, a.Reason)
			}
		})
	}
}

// The trust policy must let in for every way to a role, and for what goes with
// it, also within one account (IAM:id_session-tags,
// IAM:id_credentials_temp_control-access_monitor).
func TestTrustMustAllow(t *testing.T) {
	for _, action := range []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"} {
		for name, tc := range map[string]struct{ policy, want, lacking string }{
			"no trust policy":     {`null`, "implicitDeny", "resource"},
			"one for the others":  {`{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRoleWithSAML"}}`, "implicitDeny", "resource"},
			"one for the account": {`{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"` + action + `"}}`, "allowed", ""},
		} {
			t.Run(action+", "+name, func(t *testing.T) {
				a := Case(caseLine(t, `{"principal":"arn:aws:iam::111111111111:role/r","action":"`+action+`","resource":"arn:aws:iam::111111111111:role/t","resourceAccount":null,"identityPolicies":["$all"],"resourcePolicy":`+tc.policy+`}`), 7, noon)
				if string(a.Decision) != tc.want || len(a.Lacking) != len(sideList(tc.lacking)) {
					t.Errorf("%s, lacking %v: %s", a.Decision, a.Lacking, a.Reason)
				}
			})
		}
	}
}
