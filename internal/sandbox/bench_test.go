package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkCalls measures calls without the network, in an account of 5,000
// roles with a policy each.
func BenchmarkCalls(b *testing.B) {
	seed := Seed{}
	for i := range 5000 {
		name := fmt.Sprint("r", i)
		seed.Policies = append(seed.Policies, SeedPolicy{Account: owner, Name: name, Document: allowing("s3:GetObject", "arn:aws:s3:::b/"+name)})
		seed.Roles = append(seed.Roles, SeedRole{Account: owner, Name: name, Trust: trusting(`{"AWS":"arn:aws:iam::222222222222:user/admin"}`), Attached: []string{ownPolicy(name)}})
	}
	s, err := New(Options{Seed: seed})
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct{ service, key, form string }{
		"GetCallerIdentity":              {"sts", owner, "Action=GetCallerIdentity&Version=2011-06-15"},
		"GetRole":                        {"iam", owner, "Action=GetRole&Version=2010-05-08&RoleName=r1"},
		"AssumeRole":                     {"sts", consumer, "Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn=" + ownerRole + "r1"},
		"GetAccountAuthorizationDetails": {"iam", owner, "Action=GetAccountAuthorizationDetails&Version=2010-05-08&MaxItems=1000"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", strings.NewReader(c.form))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.key+"/20261124/us-east-1/"+c.service+"/aws4_request, SignedHeaders=host, Signature=0")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
