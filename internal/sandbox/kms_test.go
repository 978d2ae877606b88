package sandbox

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func (s testServer) kms(key string, secretToken ...string) *kms.Client {
	return kms.NewFromConfig(s.config(key, secretToken...))
}

// newKeyARN makes a key of the owner with a policy; empty: the default one.
func (s testServer) newKeyARN(t *testing.T, policy string) string {
	t.Helper()
	in := &kms.CreateKeyInput{}
	if policy != "" {
		in.Policy = &policy
	}
	return *must(s.kms(owner).CreateKey(t.Context(), in))(t).KeyMetadata.Arn
}

// ownerKeeps is the statement that lets the owner's account decide by its
// identity policies.
const ownerKeeps = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}`

func keyStatement(effect, principal, action string) string {
	return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":"*"}`
}

func TestKeyLifecycle(t *testing.T) {
	s := start(t, Options{})
	ctx, c := t.Context(), s.kms(owner)
	made := must(c.CreateKey(ctx, &kms.CreateKeyInput{Description: str("for the share"), Tags: []types.Tag{{TagKey: str("a"), TagValue: str("1")}}}))(t).KeyMetadata
	id := made.KeyId
	if *made.Arn != "arn:aws:kms:us-east-1:111111111111:key/"+*id || !made.Enabled || made.KeyManager != types.KeyManagerTypeCustomer || !made.CreationDate.Equal(s.clock.Now()) {
		t.Errorf("made %+v", made)
	}
	policy := must(c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: str("default")}))(t)
	if !strings.Contains(*policy.Policy, `"Id":"key-default-1"`) || !strings.Contains(*policy.Policy, "arn:aws:iam::111111111111:root") {
		t.Errorf("default policy %s", *policy.Policy)
	}
	if names := must(c.ListKeyPolicies(ctx, &kms.ListKeyPoliciesInput{KeyId: id}))(t).PolicyNames; len(names) != 1 || names[0] != "default" {
		t.Errorf("policies %v", names)
	}
	must(c.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: []types.Tag{{TagKey: str("a"), TagValue: str("2")}, {TagKey: str("b"), TagValue: str("3")}}}))(t)
	must(c.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"b"}}))(t)
	if tags := must(c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: id}))(t).Tags; len(tags) != 1 || *tags[0].TagValue != "2" {
		t.Errorf("tags %v", tags)
	}
	state := func() types.KeyState {
		t.Helper()
		return must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: made.Arn}))(t).KeyMetadata.KeyState
	}
	encrypt := func() error {
		_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
		return err
	}
	must(c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}))(t)
	if got := state(); got != types.KeyStateDisabled {
		t.Errorf("state %s", got)
	}
	wantCode(t, encrypt(), "DisabledException", *made.Arn+" is disabled.")
	must(c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}))(t)
	wantCode(t, encrypt(), "", "")
	_, err := c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id})
	wantCode(t, err, "KMSInvalidStateException", "not pending deletion")
	for range 2 {
		out := must(c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}))(t)
		if !out.DeletionDate.Equal(s.clock.Now().Add(7*24*time.Hour)) || state() != types.KeyStatePendingDeletion {
			t.Errorf("deletion %+v, state %s", out, state())
		}
		wantCode(t, encrypt(), "KMSInvalidStateException", "pending deletion")
		_, err = c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})
		wantCode(t, err, "KMSInvalidStateException", "pending deletion")
		must(c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}))(t)
		if got := state(); got != types.KeyStateDisabled {
			t.Errorf("state %s after the deletion was called off", got)
		}
	}
	must(c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id}))(t)
	s.clock.advance(30 * 24 * time.Hour)
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	wantCode(t, err, "NotFoundException", "does not exist")
	if keys := must(c.ListKeys(ctx, nil))(t).Keys; len(keys) != 0 {
		t.Errorf("keys %v after the deletion", keys)
	}
}

func TestKeyAliases(t *testing.T) {
	s := start(t, Options{})
	ctx, c := t.Context(), s.kms(owner)
	one, two := s.newKeyARN(t, ""), s.newKeyARN(t, "")
	of := func(name string) string {
		t.Helper()
		return *must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &name}))(t).KeyMetadata.Arn
	}
	alias := str("alias/share")
	must(c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: &one}))(t)
	if of("alias/share") != one || of("arn:aws:kms:us-east-1:111111111111:alias/share") != one {
		t.Error("the alias is not the first key")
	}
	_, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: &two})
	wantCode(t, err, "AlreadyExistsException", "alias/share")
	must(c.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: &two}))(t)
	if of("alias/share") != two {
		t.Error("the alias is not the second key")
	}
	if of("alias/aws/s3") == "" {
		t.Error("no key of S3's")
	}
	list := must(c.ListAliases(ctx, &kms.ListAliasesInput{}))(t).Aliases
	if len(list) != 2 || *list[0].AliasName != "alias/aws/s3" || *list[1].AliasName != "alias/share" || !strings.HasSuffix(two, *list[1].TargetKeyId) {
		t.Errorf("aliases %v", list)
	}
	if list := must(c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: &one}))(t).Aliases; len(list) != 0 {
		t.Errorf("aliases of the first key %v", list)
	}
	_, err = s.kms(consumer).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})
	wantCode(t, err, "NotFoundException", "arn:aws:kms:us-east-1:222222222222:alias/share is not found")
	must(c.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: alias}))(t)
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})
	wantCode(t, err, "NotFoundException", "is not found")
	page := must(c.ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(2)}))(t)
	rest := must(c.ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(2), Marker: page.NextMarker}))(t)
	if len(page.Keys) != 2 || !page.Truncated || len(rest.Keys) != 1 || rest.Truncated {
		t.Errorf("pages %v, %v", page, rest)
	}
}

func TestEncryption(t *testing.T) {
	s := start(t, Options{})
	ctx, c := t.Context(), s.kms(owner)
	one, two := s.newKeyARN(t, ""), s.newKeyARN(t, "")
	context := map[string]string{"purpose": "test"}
	out := must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: &one, Plaintext: []byte("secret"), EncryptionContext: context}))(t)
	again := must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: &one, Plaintext: []byte("secret"), EncryptionContext: context}))(t)
	if bytes.Contains(out.CiphertextBlob, []byte("secret")) || bytes.Equal(out.CiphertextBlob, again.CiphertextBlob) || *out.KeyId != one {
		t.Error("the ciphertext shows the text, or is the same twice")
	}
	open := func(blob []byte, change ...func(*kms.DecryptInput)) (string, error) {
		in := &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: context}
		for _, f := range change {
			f(in)
		}
		out, err := c.Decrypt(ctx, in)
		if err != nil {
			return "", err
		}
		return string(out.Plaintext), nil
	}
	if text, err := open(out.CiphertextBlob); text != "secret" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	forged := bytes.Clone(out.CiphertextBlob)
	forged[len(forged)-1] ^= 1
	for name, f := range map[string]func() error{
		"other context": func() error {
			_, err := open(out.CiphertextBlob, func(in *kms.DecryptInput) { in.EncryptionContext = nil })
			return err
		},
		"forged":    func() error { _, err := open(forged); return err },
		"cut":       func() error { _, err := open(out.CiphertextBlob[:40]); return err },
		"no cipher": func() error { _, err := open([]byte("hello")); return err },
	} {
		if got := code(t, f()); got != "InvalidCiphertextException" {
			t.Errorf("%s: %s", name, got)
		}
	}
	_, err := open(out.CiphertextBlob, func(in *kms.DecryptInput) { in.KeyId = &two })
	wantCode(t, err, "IncorrectKeyException", "")
	moved := must(c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: out.CiphertextBlob, SourceEncryptionContext: context, DestinationKeyId: &two, DestinationEncryptionContext: context}))(t)
	if text, err := open(moved.CiphertextBlob, func(in *kms.DecryptInput) { in.KeyId = &two }); text != "secret" || err != nil || *moved.SourceKeyId != one {
		t.Errorf("%q, %v", text, err)
	}
	key := must(c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &one, KeySpec: types.DataKeySpecAes256, EncryptionContext: context}))(t)
	if text, err := open(key.CiphertextBlob); text != string(key.Plaintext) || len(text) != 32 || err != nil {
		t.Errorf("data key of %d bytes, %v", len(text), err)
	}
	hidden := must(c.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &one, NumberOfBytes: aws.Int32(100), EncryptionContext: context}))(t)
	if text, err := open(hidden.CiphertextBlob); len(text) != 100 || err != nil {
		t.Errorf("data key of %d bytes, %v", len(text), err)
	}
}

// Who may use a key (SEMANTICS, section 6): within the account the key policy
// names the caller or leaves it to the account; across accounts both sides.
func TestKeyAccess(t *testing.T) {
	const own, theirs = "arn:aws:iam::111111111111:role/own", "arn:aws:iam::222222222222:role/theirs"
	named := func(arn string) string { return `{"AWS":"` + arn + `"}` }
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"},{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}`
	const outside = "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
	for name, c := range map[string]struct {
		policy   string // beside ownerKeeps
		as       string
		identity string
		code     string
		part     string
	}{
		"account decides, allowed":       {"", own, allowing("kms:Decrypt", "*"), "", ""},
		"account decides, silent":        {"", own, "", "AccessDeniedException", "because no identity-based policy allows the kms:Decrypt action"},
		"named":                          {keyStatement("Allow", named(own), "kms:Decrypt"), own, "", "", ""},
		"named, denied by identity":      {keyStatement("Allow", named(own), "kms:Decrypt"), own, deny, "AccessDeniedException", "explicit deny in an identity-based policy"},
		"denied by the key":              {keyStatement("Deny", named(own), "kms:Decrypt"), own, allowing("kms:*", "*"), "AccessDeniedException", "explicit deny in a resource-based policy"},
		"across, both":                   {keyStatement("Allow", named(theirs), "kms:Decrypt"), theirs, allowing("kms:Decrypt", "*"), "", ""},
		"across, account named":          {keyStatement("Allow", `{"AWS":"222222222222"}`, "kms:Decrypt"), theirs, allowing("kms:Decrypt", "*"), "", ""},
		"across, key only":               {keyStatement("Allow", named(theirs), "kms:Decrypt"), theirs, "", "AccessDeniedException", "because no identity-based policy allows the kms:Decrypt action"},
		"across, identity only":          {"", theirs, allowing("kms:*", "*"), "AccessDeniedException", outside},
		"across, denied by the key":      {keyStatement("Deny", named(theirs), "kms:Decrypt"), theirs, allowing("kms:*", "*"), "AccessDeniedException", outside},
		"across, identity has the alias": {keyStatement("Allow", named(theirs), "kms:Decrypt"), theirs, allowing("kms:Decrypt", "arn:aws:kms:us-east-1:111111111111:alias/share"), "AccessDeniedException", "identity-based"},
	} {
		t.Run(name, func(t *testing.T) {
			role := func(arn string) SeedRole {
				r := SeedRole{Account: strings.Split(arn, ":")[4], Name: arn[strings.LastIndex(arn, "/")+1:], Trust: trusting(`{"AWS":"` + strings.Split(arn, ":")[4] + `"}`)}
				if c.identity != "" && c.as == arn {
					r.Inline = map[string]string{"access": c.identity}
				}
				return r
			}
			s := start(t, Options{Seed: Seed{Roles: []SeedRole{role(own), role(theirs)}}})
			statements := []string{ownerKeeps}
			if c.policy != "" {
				statements = append(statements, c.policy)
			}
			key := s.newKeyARN(t, policyOf(statements...))
			blob := must(s.kms(owner).Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}))(t).CiphertextBlob
			keys := s.as(t, strings.Split(c.as, ":")[4], c.as)
			_, err := s.kms(keys[0], keys[1:]...).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
			wantCode(t, err, c.code, c.part)
		})
	}
}

// Operations that manage a key do not work across accounts, whatever the
// policies say; and a key of another account that is not there is like one
// that lets nobody in.
func TestKeyAcrossAccountsIsLimited(t *testing.T) {
	s := start(t, Options{})
	key := s.newKeyARN(t, policyOf(ownerKeeps, keyStatement("Allow", `{"AWS":"222222222222"}`, "kms:*")))
	ctx, c := t.Context(), s.kms(consumer)
	must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key}))(t)
	_, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &key})
	wantCode(t, err, "AccessDeniedException", "kms:DisableKey")
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: str("arn:aws:kms:us-east-1:111111111111:key/11111111-1111-1111-1111-111111111111")})
	wantCode(t, err, "AccessDeniedException", "because the resource does not exist in this Region")
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: str(strings.Replace(key, "us-east-1", "eu-west-1", 1))})
	wantCode(t, err, "NotFoundException", "Invalid arn eu-west-1")
}

func TestKeyPolicyIsChecked(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: consumer, Name: "r", Trust: trusting(`{"AWS":"222222222222"}`)}}}})
	ctx, c := t.Context(), s.kms(owner)
	key := s.newKeyARN(t, "")
	put := func(policy string, bypass bool) error {
		_, err := c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, PolicyName: str("default"), Policy: &policy, BypassPolicyLockoutSafetyCheck: bypass})
		return err
	}
	reader := keyStatement("Allow", `{"AWS":"arn:aws:iam::222222222222:role/r"}`, "kms:Decrypt")
	for name, c := range map[string]struct{ policy, code, part string }{
		"good":         {policyOf(ownerKeeps, reader), "", ""},
		"no JSON":      {"hello", "MalformedPolicyDocumentException", ""},
		"no principal": {policyOf(ownerKeeps, `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`), "MalformedPolicyDocumentException", "no principal"},
		"no resource":  {policyOf(ownerKeeps, `{"Effect":"Allow","Principal":"*","Action":"kms:*"}`), "MalformedPolicyDocumentException", ""},
		"nobody":       {policyOf(ownerKeeps, keyStatement("Allow", `{"AWS":"arn:aws:iam::222222222222:role/none"}`, "kms:Decrypt")), "MalformedPolicyDocumentException", "invalid principals"},
		"locked out":   {policyOf(reader), "MalformedPolicyDocumentException", "will not allow you to update the key policy in the future"},
		"too large":    {policyOf(ownerKeeps, strings.Replace(reader, "kms:Decrypt", "kms:"+strings.Repeat("x", 33<<10), 1)), "LimitExceededException", ""},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, put(c.policy, false), c.code, c.part) })
	}
	// A role that is made again is another: the policy shows the dead one's id.
	must(s.iam(consumer).DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")}))(t)
	text := *must(c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: str("default")}))(t).Policy
	if !strings.Contains(text, `"AROA`) || strings.Contains(text, "role/r") {
		t.Errorf("policy %s", text)
	}
	_, err := c.CreateKey(ctx, &kms.CreateKeyInput{Policy: str(policyOf(keyStatement("Allow", `{"AWS":"222222222222"}`, "kms:*")))})
	wantCode(t, err, "MalformedPolicyDocumentException", "in the future")
	wantCode(t, put(policyOf(keyStatement("Allow", `{"AWS":"222222222222"}`, "kms:Decrypt")), true), "", "")
	_, err = c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: str("default")})
	wantCode(t, err, "AccessDeniedException", "because no resource-based policy allows the kms:GetKeyPolicy action")
}

func TestGrants(t *testing.T) {
	const own = "arn:aws:iam::111111111111:role/own"
	trust := trusting(`{"AWS":"111111111111"}`)
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{
		{Account: owner, Name: "own", Trust: trust},
		{Account: owner, Name: "closer", Trust: trust},
		{Account: owner, Name: "denied", Trust: trust, Inline: map[string]string{"no": strings.Replace(allowing("kms:Decrypt", "*"), "Allow", "Deny", 1)}},
		{Account: consumer, Name: "theirs", Trust: trusting(`{"AWS":"222222222222"}`)},
		{Account: consumer, Name: "allowed", Trust: trusting(`{"AWS":"222222222222"}`), Inline: map[string]string{"yes": allowing("kms:Decrypt", "*")}},
	}}})
	ctx, c := t.Context(), s.kms(owner)
	key := s.newKeyARN(t, "")
	blob := must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "1", "b": "2"}}))(t).CiphertextBlob
	decrypt := func(ctx context.Context, arn string) error {
		keys := s.as(t, strings.Split(arn, ":")[4], arn)
		_, err := s.kms(keys[0], keys[1:]...).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "1", "b": "2"}})
		return err
	}
	for name, v := range map[string]struct {
		grantee     string
		operation   types.GrantOperation
		constraints *types.GrantConstraints
		code        string
	}{
		"allows":                      {own, "Decrypt", nil, ""},
		"another operation":           {own, "Encrypt", nil, "AccessDeniedException"},
		"context subset":              {own, "Decrypt", &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, ""},
		"context subset, other value": {own, "Decrypt", &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "2"}}, "AccessDeniedException"},
		"context equals":              {own, "Decrypt", &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1", "b": "2"}}, ""},
		"context equals, less":        {own, "Decrypt", &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, "AccessDeniedException"},
		"denied by identity":          {"arn:aws:iam::111111111111:role/denied", "Decrypt", nil, "AccessDeniedException"},
		"across, no identity policy":  {"arn:aws:iam::222222222222:role/theirs", "Decrypt", nil, "AccessDeniedException"},
		"across":                      {"arn:aws:iam::222222222222:role/allowed", "Decrypt", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, decrypt(t.Context(), v.grantee), "AccessDeniedException", "kms:Decrypt")
			g := must(c.CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: &v.grantee, Operations: []types.GrantOperation{v.operation}, Constraints: v.constraints}))(t)
			wantCode(t, decrypt(t.Context(), v.grantee), v.code, "")
			must(c.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: g.GrantId}))(t)
			wantCode(t, decrypt(t.Context(), v.grantee), "AccessDeniedException", "kms:Decrypt")
		})
	}
	in := &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: str(own), RetiringPrincipal: str("arn:aws:iam::111111111111:role/closer"), Operations: []types.GrantOperation{"Decrypt"}, Name: str("once")}
	first, second := must(c.CreateGrant(ctx, in))(t), must(c.CreateGrant(ctx, in))(t)
	if *first.GrantId != *second.GrantId {
		t.Error("the same grant by name was made twice")
	}
	if list := must(c.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &key}))(t).Grants; len(list) != 1 || *list[0].GranteePrincipal != own || *list[0].Name != "once" {
		t.Errorf("grants %+v", list)
	}
	retire := func(arn string) error {
		keys := s.as(t, owner, arn)
		_, err := s.kms(keys[0], keys[1:]...).RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &key, GrantId: first.GrantId})
		return err
	}
	wantCode(t, retire(own), "AccessDeniedException", "kms:RetireGrant")
	wantCode(t, retire("arn:aws:iam::111111111111:role/closer"), "", "")
	wantCode(t, decrypt(ctx, own), "AccessDeniedException", "")
	// A grantee that is made again is another.
	must(c.CreateGrant(ctx, in))(t)
	must(s.iam(owner).DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("own")}))(t)
	must(s.iam(owner).CreateRole(ctx, &iam.CreateRoleInput{RoleName: str("own"), AssumeRolePolicyDocument: &trust}))(t)
	wantCode(t, decrypt(ctx, own), "AccessDeniedException", "kms:Decrypt")
}

// The key that S3 has in each account is for that account, through S3, only.
func TestManagedKey(t *testing.T) {
	s := start(t, Options{})
	ctx, c := t.Context(), s.kms(owner)
	key := must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: str("alias/aws/s3")}))(t).KeyMetadata
	if key.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("manager %s", key.KeyManager)
	}
	for name, err := range map[string]error{
		"Encrypt": func() error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: key.Arn, Plaintext: []byte("x")})
			return err
		}(),
		"PutKeyPolicy": func() error {
			_, err := c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key.Arn, Policy: str(policyOf(ownerKeeps))})
			return err
		}(),
		"DisableKey": func() error { _, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.Arn}); return err }(),
		"ScheduleKeyDeletion": func() error {
			_, err := c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.Arn})
			return err
		}(),
	} {
		wantCode(t, err, "AccessDeniedException", "kms:"+name)
	}
	_, err := s.kms(consumer).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.Arn})
	wantCode(t, err, "AccessDeniedException", "kms:DescribeKey")
}
