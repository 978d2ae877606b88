package sandbox

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

func TestWhatKMSRefuses(t *testing.T) {
	s := start(t, Options{})
	c, key, gone := s.kms(owner), s.newKeyARN(t, ""), s.newKeyARN(t, "")
	must(c.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &gone}))(t)
	must(c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: str("alias/have"), TargetKeyId: &key}))(t)
	grant := func(change func(*kms.CreateGrantInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: str("arn:aws:iam::111111111111:user/admin"), Operations: []types.GrantOperation{"Decrypt"}}
			change(in)
			_, err := c.CreateGrant(ctx, in)
			return err
		}
	}
	dataKey := func(in kms.GenerateDataKeyInput) func(context.Context) error {
		return func(ctx context.Context) error { in.KeyId = &key; _, err := c.GenerateDataKey(ctx, &in); return err }
	}
	tags := func(tags ...types.Tag) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.TagResource(ctx, &kms.TagResourceInput{KeyId: &key, Tags: tags})
			return err
		}
	}
	alias := func(name, key string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key})
			return err
		}
	}
	describe := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &name})
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"alias, bad name":      {alias("share", key), "InvalidAliasNameException", "alias/name", 400},
		"alias, AWS's":         {alias("alias/aws/mine", key), "NotAuthorizedException", "alias/aws/", 400},
		"alias of an alias":    {alias("alias/a", "alias/have"), "NotFoundException", "Invalid keyId", 400},
		"alias of a dying key": {alias("alias/a", gone), "KMSInvalidStateException", "pending deletion", 400},
		"alias, none to change": {func(ctx context.Context) error {
			_, err := c.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: str("alias/no"), TargetKeyId: &key})
			return err
		}, "NotFoundException", "alias/no is not found", 400},
		"alias, none to delete": {func(ctx context.Context) error {
			_, err := c.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: str("alias/no")})
			return err
		}, "NotFoundException", "alias/no is not found", 400},
		"aliases of no key": {func(ctx context.Context) error {
			_, err := c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: str("11111111-1111-1111-1111-111111111111")})
			return err
		}, "NotFoundException", "does not exist", 400},
		"no key id":      {describe("mykey"), "NotFoundException", "Invalid keyId 'mykey'", 400},
		"no key's ARN":   {describe("arn:aws:s3:::shared"), "NotFoundException", "Invalid arn", 400},
		"ARN of no kind": {describe("arn:aws:kms:us-east-1:111111111111:store/x"), "NotFoundException", "Invalid arn", 400},
		"key by its alias": {func(ctx context.Context) error {
			_, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: str("alias/have")})
			return err
		}, "NotFoundException", "Invalid keyId", 400},
		"window too short": {func(ctx context.Context) error {
			_, err := c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(6)})
			return err
		}, "ValidationException", "between 7 and 30", 400},
		"tag of AWS":   {tags(types.Tag{TagKey: str("aws:x"), TagValue: str("")}), "TagException", "aws:", 400},
		"tag twice":    {tags(types.Tag{TagKey: str("x"), TagValue: str("1")}, types.Tag{TagKey: str("x"), TagValue: str("2")}), "TagException", "Duplicate", 400},
		"tag too long": {tags(types.Tag{TagKey: str(strings.Repeat("k", 129)), TagValue: str("")}), "TagException", "128", 400},
		"policy of another name": {func(ctx context.Context) error {
			_, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: str("other")})
			return err
		}, "NotFoundException", "No such policy", 400},
		"no plain text": {func(ctx context.Context) error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte{}})
			return err
		}, "ValidationException", "plaintext", 400},
		"too much of it": {func(ctx context.Context) error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: make([]byte, 4097)})
			return err
		}, "ValidationException", "4096", 400},
		"another algorithm": {func(ctx context.Context) error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha1})
			return err
		}, "InvalidKeyUsageException", "RSAES_OAEP_SHA_1", 400},
		"data key, no size": {dataKey(kms.GenerateDataKeyInput{}), "ValidationException", "number of bytes or key spec", 400},
		"data key, two":     {dataKey(kms.GenerateDataKeyInput{KeySpec: types.DataKeySpecAes128, NumberOfBytes: aws.Int32(1)}), "ValidationException", "number of bytes or key spec", 400},
		"data key, spec":    {dataKey(kms.GenerateDataKeyInput{KeySpec: "AES_512"}), "ValidationException", "AES_512", 400},
		"data key, large":   {dataKey(kms.GenerateDataKeyInput{NumberOfBytes: aws.Int32(1025)}), "ValidationException", "1024", 400},
		"grant to nobody":   {grant(func(in *kms.CreateGrantInput) { in.GranteePrincipal = str("arn:aws:iam::111111111111:role/none") }), "InvalidArnException", "role/none", 400},
		"grant to account":  {grant(func(in *kms.CreateGrantInput) { in.GranteePrincipal = str("222222222222") }), "InvalidArnException", "222222222222", 400},
		"grant, retirer":    {grant(func(in *kms.CreateGrantInput) { in.RetiringPrincipal = str("arn:aws:iam::111111111111:role/none") }), "InvalidArnException", "RetiringPrincipal", 400},
		"grant to grant":    {grant(func(in *kms.CreateGrantInput) { in.Operations = []types.GrantOperation{"CreateGrant"} }), "NotImplemented", "CreateGrant in a grant", 501},
		"grant on variables": {grant(func(in *kms.CreateGrantInput) {
			in.Constraints = &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "${aws:username}"}}
		}), "NotImplemented", "${", 501},
		"grant, two constraints": {grant(func(in *kms.CreateGrantInput) {
			in.Constraints = &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}, EncryptionContextEquals: map[string]string{"a": "1"}}
		}), "ValidationException", "not both", 400},
		"grant on a dying key": {grant(func(in *kms.CreateGrantInput) { in.KeyId = &gone }), "KMSInvalidStateException", "pending deletion", 400},
		"no grant to revoke": {func(ctx context.Context) error {
			_, err := c.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &key, GrantId: str("1")})
			return err
		}, "NotFoundException", "Grant ID 1", 400},
		"no grant to retire": {func(ctx context.Context) error {
			_, err := c.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &key, GrantId: str("1")})
			return err
		}, "NotFoundException", "Grant ID 1", 400},
		"grant by its token": {func(ctx context.Context) error {
			_, err := c.RetireGrant(ctx, &kms.RetireGrantInput{GrantToken: str("x")})
			return err
		}, "NotImplemented", "GrantToken", 501},
	})
}

// A grant's retiring principal can end it, but not against a Deny; and grants
// of some operations have no encryption context.
func TestGrantsAndDenials(t *testing.T) {
	const closer = "arn:aws:iam::111111111111:role/closer"
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "closer", Trust: trusting(`{"AWS":"111111111111"}`)}}}})
	ctx, keys := t.Context(), s.as(t, owner, closer)
	c, key := s.kms(keys[0], keys[1:]...), s.newKeyARN(t, "")
	g := must(s.kms(owner).CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: str(closer), Operations: []types.GrantOperation{"DescribeKey", "RetireGrant", "Encrypt"},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}},
	}))(t)
	must(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key}))(t)
	_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
	wantCode(t, err, "AccessDeniedException", "kms:Encrypt")
	must(s.kms(owner).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: str("alias/a"), TargetKeyId: &key}))(t)
	must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: str("alias/a"), Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "1"}}))(t)
	policy := func(statements ...string) {
		t.Helper()
		must(s.kms(owner).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: str(policyOf(statements...))}))(t)
	}
	retire := func() error {
		_, err := c.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &key, GrantId: g.GrantId})
		return err
	}
	policy(ownerKeeps, keyStatement("Deny", `{"AWS":"`+closer+`"}`, "kms:RetireGrant"))
	wantCode(t, retire(), "AccessDeniedException", "explicit deny")
	policy(ownerKeeps)
	wantCode(t, retire(), "", "")
	wantCode(t, retire(), "AccessDeniedException", "kms:RetireGrant")
}

// What joins or is made later has the policies that allow everything, too.
func TestLaterMembers(t *testing.T) {
	s := start(t, Options{})
	o := s.organize(t)
	const late = "888888888888"
	s.join(t, o.client, late)
	must(s.kms(late).ListKeys(t.Context(), nil))(t)
	unit := must(o.client.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &o.root, Name: str("late")}))(t).OrganizationalUnit.Id
	must(o.client.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: str(late), SourceParentId: &o.root, DestinationParentId: unit}))(t)
	must(s.kms(late).ListKeys(t.Context(), nil))(t)
	o.control(t, scpType, "none", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}`, *unit)
	_, err := s.kms(late).ListKeys(t.Context(), nil)
	wantCode(t, err, "AccessDeniedException", "service control policy")
	for name, v := range map[string]struct {
		call func() error
		code string
	}{
		"no such root": {func() error {
			_, err := o.client.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: str("r-none"), PolicyType: scpType})
			return err
		}, "RootNotFoundException"},
		"no such parent": {func() error {
			_, err := o.client.ListAccountsForParent(t.Context(), &organizations.ListAccountsForParentInput{ParentId: str("ou-none")})
			return err
		}, "ParentNotFoundException"},
		"no such child": {func() error {
			_, err := o.client.ListParents(t.Context(), &organizations.ListParentsInput{ChildId: str("777777777777")})
			return err
		}, "ChildNotFoundException"},
		"no such member": {func() error {
			_, err := o.client.DescribeAccount(t.Context(), &organizations.DescribeAccountInput{AccountId: str("777777777777")})
			return err
		}, "AccountNotFoundException"},
		"no such target": {func() error {
			_, err := o.client.ListPoliciesForTarget(t.Context(), &organizations.ListPoliciesForTargetInput{TargetId: str("777777777777"), Filter: scpType})
			return err
		}, "TargetNotFoundException"},
		"name taken": {func() error {
			_, err := o.client.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{Type: scpType, Name: str("none"), Description: str(""), Content: str(allowAll)})
			return err
		}, "DuplicatePolicyException"},
		"AWS's name": {func() error {
			_, err := o.client.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{Type: scpType, Name: str("FullAWSAccess"), Description: str(""), Content: str(allowAll)})
			return err
		}, "DuplicatePolicyException"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, v.call(), v.code, "") })
	}
	must(o.client.DisablePolicyType(t.Context(), &organizations.DisablePolicyTypeInput{RootId: &o.root, PolicyType: scpType}))(t)
	_, err = o.client.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: str("p-FullAWSAccess"), TargetId: &o.root})
	wantCode(t, err, "PolicyTypeNotEnabledException", "")
	// An invitation is good for 15 days.
	h := must(o.client.InviteAccountToOrganization(t.Context(), inviting("777777777777")))(t).Handshake.Id
	s.clock.advance(handshakeLife)
	_, err = s.org("777777777777").AcceptHandshake(t.Context(), &organizations.AcceptHandshakeInput{HandshakeId: h})
	wantCode(t, err, "InvalidHandshakeTransitionException", "")
}
