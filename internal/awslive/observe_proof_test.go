package awslive

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// seen reads an account for a proof, of which nothing may stay unread.
func seen(t *testing.T, c *Client, want plan.Want) *plan.Snapshot {
	t.Helper()
	snap := observe(t, c, plan.ForProof([]plan.Want{want})[0])
	for _, f := range snap.Unread {
		t.Errorf("%s was not read: %s: %s", f.Scope, f.Message, f.Mend)
	}
	return snap
}

func TestProofReadsSettings(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		raw := b.raw(t, owner)
		for _, name := range []string{"plain", "changed"} {
			_, err := raw.s3(region).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
			must(t, err)
		}
		name := aws.String("changed")
		_, err := raw.s3(region).PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)}})
		must(t, err)
		_, err = raw.s3(region).PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &s3types.OwnershipControls{
			Rules: []s3types.OwnershipControlsRule{{ObjectOwnership: s3types.ObjectOwnershipBucketOwnerPreferred}},
		}})
		must(t, err)
		key, err := raw.kms("").CreateKey(t.Context(), &kms.CreateKeyInput{})
		must(t, err)
		arn := aws.ToString(key.KeyMetadata.Arn)
		_, err = raw.s3(region).PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &arn},
				BucketKeyEnabled:                   aws.Bool(true),
			}},
		}})
		must(t, err)
		_, err = raw.s3control().PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{AccountId: aws.String(owner), PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
		must(t, err)

		snap := seen(t, b.client(t), plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "plain"}, {Name: "changed"}}})
		if diff := cmp.Diff(&plan.PublicAccessBlock{BlockPublicPolicy: true}, snap.PublicAccessBlock); diff != "" {
			t.Errorf("the account's Block Public Access (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(&plan.LiveBucket{
			Name: "changed", Region: region, PublicAccessBlock: &plan.PublicAccessBlock{RestrictPublicBuckets: true},
			Ownership: plan.BucketOwnerPreferred, Encryption: &plan.Encryption{Algorithm: "aws:kms", Key: arn, BucketKey: true},
		}, snap.Buckets["changed"]); diff != "" {
			t.Errorf("bucket (-want +got):\n%s", diff)
		}
		if plain := snap.Buckets["plain"]; plain.PublicAccessBlock == nil || plain.Ownership == "" || plain.Encryption == nil || plain.Encryption.KMS() {
			t.Errorf("bucket as it was made: %+v", plain)
		}
	})
}

func TestProofReadsKeys(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		raw := b.raw(t, owner).kms("eu-west-1")
		key, err := raw.CreateKey(t.Context(), &kms.CreateKeyInput{})
		must(t, err)
		arn := aws.ToString(key.KeyMetadata.Arn)
		policy := `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + owner + `:root"},"Action":"kms:*","Resource":"*"}]}`
		_, err = raw.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &arn, PolicyName: aws.String("default"), Policy: &policy})
		must(t, err)
		_, err = b.raw(t, consumer).iam().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: aws.String(trusting(consumer))})
		must(t, err)
		grantee := "arn:aws:iam::" + consumer + ":role/reader"
		grant, err := raw.CreateGrant(t.Context(), &kms.CreateGrantInput{
			KeyId: &arn, GranteePrincipal: &grantee, Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt},
			Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{"aws:s3:arn": "arn:aws:s3:::b"}},
		})
		must(t, err)
		_, err = raw.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/lake"), TargetKeyId: &arn})
		must(t, err)
		_, err = raw.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key.KeyMetadata.KeyId})
		must(t, err)

		gone := strings.Replace(arn, arn[len(arn)-4:], "0000", 1)
		snap := seen(t, b.client(t), plan.Want{Account: owner, Keys: []plan.KeyWant{
			{ID: arn, Region: "eu-west-1"},
			{ID: "alias/lake", Region: "eu-west-1"},
			{ID: gone, Region: "eu-west-1"},
			{ID: "alias/lake", Region: "us-east-1"}, // where there is none
		}})
		want := &plan.LiveKey{ARN: arn, State: "Disabled", Policy: []byte(policy), Grants: []plan.KeyGrant{{
			ID: aws.ToString(grant.GrantId), Grantee: grantee, Operations: []string{"Decrypt"}, Subset: map[string]string{"aws:s3:arn": "arn:aws:s3:::b"},
		}}}
		for name, want := range map[string]*plan.LiveKey{
			arn: want, "eu-west-1/alias/lake": want, gone: {Gone: true}, "us-east-1/alias/lake": {Gone: true},
		} {
			if diff := cmp.Diff(want, snap.Keys[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// moto has AWS's policies only where it is told to load them.
func TestProofReadsPoliciesOfAWS(t *testing.T) {
	b := onSandbox(t)
	const arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	api := b.raw(t, consumer).iam()
	_, err := api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: aws.String(trusting(consumer))})
	must(t, err)
	_, err = api.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("reader"), PolicyArn: aws.String(arn)})
	must(t, err)
	snap := seen(t, b.client(t), plan.Want{Account: consumer, IAM: true, Roles: []string{"reader"}})
	policy := snap.Managed[arn]
	if policy == nil {
		t.Fatal("it was not read")
	}
	if policy.Name != "ReadOnlyAccess" || !json.Valid(policy.Document) || !strings.Contains(string(policy.Document), "s3:Get") {
		t.Errorf("%s: %s", policy.Name, policy.Document)
	}
	if snap.Policies[arn] != nil {
		t.Error("it is among the customer's policies")
	}
}

// organize makes an organization of the owner's account, with the consumer's in
// a unit, and a service control policy on that unit. It returns the ids of
// organization, root and unit.
func (b *backend) organize(t *testing.T) (id, root, unit string) {
	t.Helper()
	api := b.raw(t, owner).organizations()
	o, err := api.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	must(t, err)
	roots, err := api.ListRoots(t.Context(), &organizations.ListRootsInput{})
	must(t, err)
	id, root = aws.ToString(o.Organization.Id), aws.ToString(roots.Roots[0].Id)
	ou, err := api.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &root, Name: aws.String("analytics")})
	must(t, err)
	unit = aws.ToString(ou.OrganizationalUnit.Id)
	if len(roots.Roots[0].PolicyTypes) == 0 || roots.Roots[0].PolicyTypes[0].Status != orgtypes.PolicyTypeStatusEnabled {
		_, err = api.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: &root, PolicyType: orgtypes.PolicyTypeServiceControlPolicy})
		must(t, err)
	}
	policy, err := api.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{
		Type: orgtypes.PolicyTypeServiceControlPolicy, Name: aws.String("NoDownloads"), Description: aws.String("test"), Content: aws.String(noDownloads),
	})
	must(t, err)
	_, err = api.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: policy.Policy.PolicySummary.Id, TargetId: &unit})
	must(t, err)
	return id, root, unit
}

const noDownloads = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}}`

// join takes the consumer's account into the owner's organization.
func (b *backend) join(t *testing.T, root, unit string) {
	t.Helper()
	api := b.raw(t, owner).organizations()
	invitation, err := api.InviteAccountToOrganization(t.Context(), &organizations.InviteAccountToOrganizationInput{Target: &orgtypes.HandshakeParty{Id: aws.String(consumer), Type: orgtypes.HandshakePartyTypeAccount}})
	must(t, err)
	_, err = b.raw(t, consumer).organizations().AcceptHandshake(t.Context(), &organizations.AcceptHandshakeInput{HandshakeId: invitation.Handshake.Id})
	must(t, err)
	_, err = api.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: aws.String(consumer), SourceParentId: &root, DestinationParentId: &unit})
	must(t, err)
}

func TestOrganizationsNone(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		got, err := b.client(t).Organizations(t.Context(), []string{owner, consumer, partner})
		must(t, err)
		for _, account := range []string{owner, consumer} {
			if diff := cmp.Diff(&plan.Organization{}, got[account]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", account, diff)
			}
		}
		if got[partner] == nil || got[partner].Unread == nil {
			t.Errorf("a partner's account, of which nobody knows: %+v", got[partner])
		}
	})
}

// moto knows no invitations, so a member's place is held on the sandbox alone:
// see the next test.
func TestOrganizationsOfManagement(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		id, root, _ := b.organize(t)
		got, err := b.client(t).Organizations(t.Context(), []string{owner})
		must(t, err)
		if diff := cmp.Diff(&plan.Organization{ID: id, Path: id + "/" + root + "/", Management: true}, got[owner]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestOrganizationsOfMember(t *testing.T) {
	b := onSandbox(t)
	id, root, unit := b.organize(t)
	b.join(t, root, unit)
	c := b.client(t)
	got, err := c.Organizations(t.Context(), []string{owner, consumer})
	must(t, err)
	o := got[consumer]
	if o.Unread != nil || o.ID != id || o.Path != id+"/"+root+"/"+unit+"/" || o.Management || o.RCPs != nil {
		t.Errorf("%+v", o)
	}
	var names []string
	for i, level := range o.SCPs {
		for _, p := range level {
			names = append(names, strings.Join([]string{[]string{"root", "unit", "account"}[i], p.Name, p.Target}, " "))
			if p.Name == "NoDownloads" && string(p.Document) != noDownloads {
				t.Errorf("its document is %s", p.Document)
			}
		}
	}
	slices.Sort(names)
	want := []string{"account FullAWSAccess " + consumer, "root FullAWSAccess " + root, "unit FullAWSAccess " + unit, "unit NoDownloads " + unit}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}

	// Again, only what can have changed is read.
	before := c.options.Stats.Report().Calls
	_, err = c.Organizations(t.Context(), []string{owner, consumer})
	must(t, err)
	after := c.options.Stats.Report().Calls
	for account, calls := range after {
		if calls["organizations:DescribeOrganization"] != before[account]["organizations:DescribeOrganization"] {
			t.Errorf("account %s was asked for its organization again", account)
		}
	}
}

// Where the management account is not the repository's, nobody may list the
// policies, which is no error; those who were refused are not tried again.
func TestOrganizationsRefused(t *testing.T) {
	b := onSandbox(t)
	_, root, unit := b.organize(t)
	b.join(t, root, unit)
	c := b.client(t, func(o *Options) {
		o.Accounts = slices.DeleteFunc(slices.Clone(o.Accounts), func(a *specs.Account) bool { return a.ID == owner })
	})
	for range 2 {
		got, err := c.Organizations(t.Context(), []string{owner, consumer})
		must(t, err)
		o := got[consumer]
		if o.ID == "" || o.Unread == nil || !strings.Contains(o.Unread.Message, owner) || !strings.Contains(o.Unread.Mend, "organizations:ListPoliciesForTarget") {
			t.Errorf("%+v", o)
		}
		if got[owner] == nil || got[owner].Unread == nil {
			t.Errorf("an account that is not read: %+v", got[owner])
		}
	}
	if n := c.options.Stats.Report().Calls[consumer]["organizations:ListRoots"]; n != 1 {
		t.Errorf("ListRoots was tried %d times", n)
	}
}

// What a proof may not read fails nothing, and says which action it takes.
func TestProofReadsDenied(t *testing.T) {
	const few = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:GetBucketPolicy","iam:*"],"Resource":"*"}]}`
	b := onSandbox(t, func(o *sandbox.Options) {
		for i := range o.Seed.Roles {
			o.Seed.Roles[i].Inline = map[string]string{"few": few}
		}
		o.Seed.Buckets = append(o.Seed.Buckets, sandbox.SeedBucket{Account: owner, Name: "plain", Region: region})
	})
	c := b.client(t)
	snap := observe(t, c, plan.ForProof([]plan.Want{{Account: owner, Buckets: []plan.BucketWant{{Name: "plain"}}, Keys: []plan.KeyWant{{ID: "arn:aws:kms:us-east-1:" + owner + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"}}}})[0])
	var got []string
	for _, f := range snap.Unread {
		got = append(got, f.Scope)
		if !strings.Contains(f.Mend, "allow ") {
			t.Errorf("%s: %s: %s", f.Scope, f.Message, f.Mend)
		}
	}
	key := "arn:aws:kms:us-east-1:" + owner + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	want := []string{
		plan.ScopeKeyGrants + key, plan.ScopeKey + key, plan.ScopeKeyPolicy + key,
		plan.ScopeAccountBlock, plan.ScopeEncryption + "plain", plan.ScopeOwnership + "plain", plan.ScopeBucketBlock + "plain",
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not read (-want +got):\n%s", diff)
	}
	if snap.Buckets["plain"] == nil {
		t.Error("its policy can be read")
	}
	orgs, err := c.Organizations(t.Context(), []string{owner})
	must(t, err)
	if o := orgs[owner]; o.Unread == nil || !strings.Contains(o.Unread.Mend, "allow organizations:DescribeOrganization") {
		t.Errorf("%+v", o)
	}
}

// Plan, apply and drift make none of these reads.
func TestOnlyProofsReadMore(t *testing.T) {
	b := onSandbox(t)
	c := b.client(t)
	applied(t, c, compared(t, c, b.planned(t, share)))
	for account, calls := range c.options.Stats.Report().Calls {
		for name := range calls {
			if service, _, _ := strings.Cut(name, ":"); service == "kms" || service == "organizations" || service == "s3control" {
				t.Errorf("account %s: %s", account, name)
			}
		}
	}
	before := c.options.Stats.Report().Calls[owner]
	observe(t, c, plan.Want{Account: owner, Buckets: []plan.BucketWant{{Name: "mybucket2share"}}})
	after := c.options.Stats.Report().Calls[owner]
	for _, name := range []string{"s3:GetBucketEncryption", "s3:GetBucketOwnershipControls", "s3:GetPublicAccessBlock"} {
		if after[name] != before[name] {
			t.Errorf("%s was called by a read that is for no proof", name)
		}
	}
}

func TestEmulatorHost(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4566": "127.0.0.1:4566", "http://moto:5000": "moto:5000", "": "",
		"https://s3-control.us-east-1.amazonaws.com":                       "",
		"https://control.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com":        "",
		"https://s3-control.cn-north-1.amazonaws.com.cn":                   "",
		"https://s3-control.us-east-1.amazonaws.com.attacker.example:8443": "s3-control.us-east-1.amazonaws.com.attacker.example:8443",
	} {
		if got := emulatorHost(endpoint); got != want {
			t.Errorf("%q: %q, want %q", endpoint, got, want)
		}
	}
}
