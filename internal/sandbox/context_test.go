package sandbox

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Conditions about the network are met and unmet by /_sandbox/context, and VPC
// endpoint policies limit what comes through.
func TestSurroundings(t *testing.T) {
	deny := func(condition string) string {
		return `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"` + sharedARN + `/*","Condition":{` + condition + `}}`
	}
	endpoint := func(action string) string {
		return `"vpce-1":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"` + action + `","Resource":"*"}]}`
	}
	tls := deny(`"Bool":{"aws:SecureTransport":"false"}`)
	address := deny(`"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`)
	through := deny(`"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`)
	version := deny(`"NumericLessThan":{"s3:TlsVersion":"1.2"}`)
	for name, v := range map[string]struct {
		policy  string // beside the grant
		context string
		denied  bool
	}{
		"TLS":                               {tls, `{}`, false},
		"no TLS":                            {tls, `{"all":{"aws:SecureTransport":"false"}}`, true},
		"no TLS, but for another account":   {tls, `{"111111111111":{"aws:SecureTransport":"false"}}`, false},
		"no TLS, but for another key":       {tls, `{"ASIAOTHER":{"aws:SecureTransport":"false"}}`, false},
		"the narrower counts":               {tls, `{"all":{"aws:SecureTransport":"false"},"222222222222":{"aws:SecureTransport":"true"}}`, false},
		"address of the connection":         {address, `{}`, true},
		"address":                           {address, `{"222222222222":{"aws:SourceIp":"203.0.113.9"}}`, false},
		"another address":                   {address, `{"222222222222":{"aws:SourceIp":"198.51.100.1"}}`, true},
		"no endpoint":                       {through, `{}`, true},
		"endpoint":                          {through, `{"222222222222":{"aws:SourceVpce":"vpce-1"}}`, false},
		"another endpoint":                  {through, `{"222222222222":{"aws:SourceVpce":"vpce-2"}}`, true},
		"endpoint, so no address":           {address, `{"222222222222":{"aws:SourceVpce":"vpce-1"}}`, true},
		"endpoint and address":              {address, `{"222222222222":{"aws:SourceVpce":"vpce-1","aws:SourceIp":"203.0.113.9"}}`, false},
		"several values":                    {deny(`"ForAnyValue:StringEquals":{"aws:VpceOrgPaths":"o-1/r-1/"}`), `{"all":{"aws:SourceVpce":"vpce-1","aws:VpceOrgPaths":["o-2/r-2/","o-1/r-1/"]}}`, true},
		"key taken away":                    {deny(`"Null":{"aws:SourceIp":"true"}`), `{"all":{"aws:SourceIp":null}}`, true},
		"TLS version":                       {version, `{}`, false},
		"no TLS has no version":             {deny(`"Null":{"s3:TlsVersion":"true"}`), `{"all":{"aws:SecureTransport":"false"}}`, true},
		"endpoint policy":                   {tls, `{"all":{"aws:SourceVpce":"vpce-1"},` + endpoint("s3:GetObject") + `}`, false},
		"endpoint policy, other action":     {tls, `{"all":{"aws:SourceVpce":"vpce-1"},` + endpoint("s3:PutObject") + `}`, true},
		"endpoint policy of another":        {tls, `{"all":{"aws:SourceVpce":"vpce-2"},` + endpoint("s3:PutObject") + `}`, false},
		"endpoint policy, not come through": {tls, `{` + endpoint("s3:PutObject") + `}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShare(t)
			if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, "s3:*", sharedARN+"/*"), v.policy))(t.Context()); err != nil {
				t.Fatal(err)
			}
			if status, body := s.control(t, "PUT", "context", v.context); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			want := ""
			if v.denied {
				want = "AccessDenied"
			}
			wantCode(t, getShared(s.reader(t))(t.Context()), want, "")
		})
	}
}

func TestSurroundingsOfOneKey(t *testing.T) {
	s := openShare(t)
	text := policyOf(statement("Allow", readerJSON, "s3:*", sharedARN+"/*"), `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"`+sharedARN+`/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)
	if err := putPolicy(s.s3(owner), "shared", text)(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, two := s.as(t, consumer, readerARN), s.as(t, consumer, readerARN)
	if status, body := s.control(t, "PUT", "context", `{"`+one[0]+`":{"aws:SecureTransport":"false"}}`); status != 200 || !strings.Contains(body, one[0]) {
		t.Fatalf("%d %s", status, body)
	}
	get := func(keys []string) error { return getShared(s.s3(keys[0], keys[1:]...))(t.Context()) }
	wantCode(t, get(one), "AccessDenied", "")
	wantCode(t, get(two), "", "")
	if status, body := s.control(t, "DELETE", "context", ""); status != 200 || strings.TrimSpace(body) != "{}" {
		t.Errorf("%d %s", status, body)
	}
	wantCode(t, get(one), "", "")
}

// What S3 asks of KMS comes from AWS: not from the caller's endpoint, nor
// without TLS.
func TestSurroundingsOfKMS(t *testing.T) {
	s := encryptedShare(t, kmsAll)
	key := s.newKeyARN(t, policyOf(ownerKeeps, keyStatement("Allow", readerJSON, "kms:*"),
		`{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
		`{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"Null":{"aws:SourceVpce":"false"}}}`))
	encryptBy(t, s.s3(owner), "shared", key, false)
	put(t, s.s3(owner), "shared", "k", "text")
	if status, body := s.control(t, "PUT", "context", `{"all":{"aws:SecureTransport":"false","aws:SourceVpce":"vpce-1"},"vpce-1":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	_, err := s.reader(t).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
	wantCode(t, err, "", "")
}
