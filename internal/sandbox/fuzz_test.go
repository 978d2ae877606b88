package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzQuery: no parameters make STS or IAM panic or fail inside.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"Action=GetCallerIdentity&Version=2011-06-15",
		"Action=AssumeRole&RoleArn=arn:aws:iam::111111111111:role/own&RoleSessionName=me&DurationSeconds=900&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
		"Action=CreateRole&RoleName=x&AssumeRolePolicyDocument=" + trusting(`{"AWS":"arn:aws:iam::111111111111:role/own"}`) + "&Tags.member.1.Key=a&Tags.member.1.Value=b",
		"Action=CreatePolicy&PolicyName=x&PolicyDocument=" + allowAll,
		"Action=GetPolicy&PolicyArn=arn:aws:iam::111111111111:policy/session",
		"Action=ListAttachedRolePolicies&RoleName=own&Marker=YQ==&MaxItems=1",
		"Action=GetAccountAuthorizationDetails&Filter.member.1=Role",
	} {
		f.Add("iam", seed)
		f.Add("sts", seed)
	}
	f.Fuzz(func(t *testing.T, service, form string) {
		s, err := New(Options{Seed: stsRoles()})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=111111111111/20261124/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 || w.Code == http.StatusInternalServerError {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
