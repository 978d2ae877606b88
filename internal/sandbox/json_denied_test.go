package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// json calls an operation of a JSON 1.1 service.
func (s testServer) json(t *testing.T, service, target string, keys []string, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	if len(keys) > 0 {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys[0]+"/20261124/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	}
	if len(keys) == 3 {
		r.Header.Set("X-Amz-Security-Token", keys[2])
	}
	return s.send(t, r)
}

// Every operation of KMS and of Organizations asks for its own action before it
// does anything, its refusal says which, and it leaves all as it was.
func TestEveryJSONOperationAsks(t *testing.T) {
	s, keys, _ := nobody(t)
	key := s.newKeyARN(t, "")
	id := key[strings.LastIndex(key, "/")+1:]
	must(s.kms(owner).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: str("alias/have"), TargetKeyId: &key}))(t)
	grant := *must(s.kms(owner).CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: str("arn:aws:iam::111111111111:user/admin"), Operations: []types.GrantOperation{"Decrypt"}}))(t).GrantId
	blob := base64.StdEncoding.EncodeToString(must(s.kms(owner).Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}))(t).CiphertextBlob)
	o := s.organize(t)
	on := `{"KeyId":"` + id + `"}`
	bodies := map[string]string{
		"CreateKey": `{}`, "ListKeys": `{}`, "ListAliases": `{}`, "PutKeyPolicy": `{"KeyId":"` + id + `","Policy":"{}"}`, "CreateAlias": `{"AliasName":"alias/new","TargetKeyId":"` + id + `"}`,
		"UpdateAlias": `{"AliasName":"alias/have","TargetKeyId":"` + id + `"}`, "DeleteAlias": `{"AliasName":"alias/have"}`,
		"CreateGrant": `{"KeyId":"` + id + `","GranteePrincipal":"arn:aws:iam::111111111111:role/nobody","Operations":["Decrypt"]}`,
		"RevokeGrant": `{"KeyId":"` + id + `","GrantId":"` + grant + `"}`, "RetireGrant": `{"KeyId":"` + id + `","GrantId":"` + grant + `"}`,
		"Encrypt": `{"KeyId":"` + id + `","Plaintext":"eA=="}`, "Decrypt": `{"CiphertextBlob":"` + blob + `"}`, "ReEncrypt": `{"CiphertextBlob":"` + blob + `","DestinationKeyId":"` + id + `"}`,
		"GenerateDataKey": `{"KeyId":"` + id + `","KeySpec":"AES_256"}`, "GenerateDataKeyWithoutPlaintext": `{"KeyId":"` + id + `","KeySpec":"AES_256"}`,
	}
	before := s.shape(t) + s.keysAndOrganizations(t)
	for _, part := range []jsonOperations{kmsKeyOperations(), kmsPolicyOperations(), kmsAliasOperations(), kmsGrantOperations(), kmsCryptoOperations()} {
		for name := range part {
			t.Run("kms/"+name, func(t *testing.T) {
				body, ok := bodies[name]
				if !ok {
					body = on
				}
				action := map[string]string{"ReEncrypt": "ReEncryptFrom"}[name]
				if action == "" {
					action = name
				}
				status, answer := s.json(t, "kms", kmsTarget+name, keys, body)
				if status != 400 || !strings.Contains(answer, `"__type":"AccessDeniedException"`) || !strings.Contains(answer, "to perform: kms:"+action+" on resource: ") {
					t.Errorf("%d %s", status, answer)
				}
			})
		}
	}
	orgBodies := map[string]string{
		"InviteAccountToOrganization": `{"Target":{"Id":"888888888888","Type":"ACCOUNT"}}`, "EnablePolicyType": `{"RootId":"` + o.root + `","PolicyType":"SERVICE_CONTROL_POLICY"}`,
		"DisablePolicyType": `{"RootId":"` + o.root + `","PolicyType":"SERVICE_CONTROL_POLICY"}`, "CreatePolicy": `{"Type":"SERVICE_CONTROL_POLICY","Name":"p","Content":"{}"}`,
		"ListPolicies": `{"Filter":"SERVICE_CONTROL_POLICY"}`, "ListPoliciesForTarget": `{"TargetId":"` + o.root + `","Filter":"SERVICE_CONTROL_POLICY"}`,
	}
	names := maps.Clone(orgPolicyOperations())
	for _, name := range newOrganizations(s.Server).serves {
		names[name] = nil
	}
	for name := range names {
		t.Run("organizations/"+name, func(t *testing.T) {
			body, ok := orgBodies[name]
			if !ok {
				body = `{}`
			}
			status, answer := s.json(t, "organizations", orgTarget+name, keys, body)
			if status != 400 || !strings.Contains(answer, `"__type":"AccessDeniedException"`) || !strings.Contains(answer, "to perform: organizations:"+name+" on resource: ") {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	if after := s.shape(t) + s.keysAndOrganizations(t); after != before {
		t.Errorf("denied calls changed the state from\n%s\nto\n%s", before, after)
	}
}

func (s testServer) keysAndOrganizations(t *testing.T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(must(json.Marshal([]any{s.world.KMS, s.world.Organizations}))(t))
}

// What the JSON services do not know they refuse by name.
func TestJSONServicesRefuseByName(t *testing.T) {
	s := start(t, Options{})
	for name, v := range map[string]struct {
		service, target string
		keys            []string
		body            string
		status          int
		says            string
	}{
		"operation":              {"kms", kmsTarget + "Sign", []string{owner}, `{}`, 501, "the operation TrentService.Sign of kms"},
		"another's target":       {"kms", orgTarget + "CreateKey", []string{owner}, `{}`, 501, "CreateKey"},
		"member":                 {"kms", kmsTarget + "ListKeys", []string{owner}, `{"Colour":"red"}`, 501, "the parameter Colour of ListKeys"},
		"no JSON":                {"kms", kmsTarget + "ListKeys", []string{owner}, `hello`, 400, "SerializationException"},
		"unsigned":               {"", kmsTarget + "ListKeys", nil, `{}`, 400, "MissingAuthenticationTokenException"},
		"unsigned organizations": {"", orgTarget + "ListRoots", nil, `{}`, 400, "MissingAuthenticationTokenException"},
		"no key named":           {"kms", kmsTarget + "DescribeKey", []string{owner}, `{}`, 400, "Value null at 'keyId'"},
		"asymmetric":             {"kms", kmsTarget + "CreateKey", []string{owner}, `{"KeySpec":"RSA_2048"}`, 501, "RSA_2048"},
		"bad limit":              {"kms", kmsTarget + "ListKeys", []string{owner}, `{"Limit":0}`, 400, "between 1 and 1000"},
		"bad marker":             {"kms", kmsTarget + "ListKeys", []string{owner}, `{"Marker":"!"}`, 400, "InvalidMarkerException"},
		"bad token":              {"organizations", orgTarget + "ListAccounts", []string{owner}, `{"NextToken":"!"}`, 400, "AWSOrganizationsNotInUseException"},
		"policy of another kind": {"organizations", orgTarget + "ListPolicies", []string{owner}, `{"Filter":"TAG_POLICY"}`, 501, "TAG_POLICY"},
		"invitation by mail":     {"organizations", orgTarget + "InviteAccountToOrganization", []string{owner}, `{"Target":{"Id":"a@example.com","Type":"EMAIL"}}`, 501, "EMAIL"},
		"consolidated billing":   {"organizations", orgTarget + "CreateOrganization", []string{owner}, `{"FeatureSet":"CONSOLIDATED_BILLING"}`, 501, "CONSOLIDATED_BILLING"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := s.json(t, v.service, v.target, v.keys, v.body); status != v.status || !strings.Contains(body, v.says) {
				t.Errorf("%d %s, want %d and %q", status, body, v.status, v.says)
			}
		})
	}
}

// Keys, grants and organizations are there again after a restart.
func TestKeysAndOrganizationsAreKept(t *testing.T) {
	path := t.TempDir() + "/state.json"
	s, end := open(t, Options{StatePath: path})
	key := s.newKeyARN(t, "")
	blob := must(s.kms(owner).Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("kept")}))(t).CiphertextBlob
	o := s.organize(t)
	o.control(t, scpType, "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:DisableKey","Resource":"*"}]}`, owner)
	before := s.keysAndOrganizations(t)
	end()
	s, end = open(t, Options{StatePath: path})
	defer end()
	if after := s.keysAndOrganizations(t); after != before {
		t.Errorf("state %s, want %s", after, before)
	}
	if out := must(s.kms(owner).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}))(t); string(out.Plaintext) != "kept" {
		t.Errorf("plain text %q", out.Plaintext)
	}
	_, err := s.kms(owner).DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
	wantCode(t, err, "AccessDeniedException", "with an explicit deny in a service control policy")
}
