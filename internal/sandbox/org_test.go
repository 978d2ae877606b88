package sandbox

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// management is the account that the tests' organizations are made by.
const management = "999999999999"

func (s testServer) org(key string, secretToken ...string) *organizations.Client {
	return organizations.NewFromConfig(s.config(key, secretToken...))
}

// tree is an organization with an OU for the consumer and one for the owner.
type tree struct {
	client                         *organizations.Client
	id, root, consumers, consumer2 string // consumer2 is an OU within consumers
}

// organize makes the organization; owner and consumer join it, the consumer in
// an OU of an OU, and both policy types are enabled.
func (s testServer) organize(t *testing.T) tree {
	t.Helper()
	ctx, c := t.Context(), s.org(management)
	o := tree{client: c, id: *must(c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll}))(t).Organization.Id}
	o.root = *must(c.ListRoots(ctx, nil))(t).Roots[0].Id
	s.join(t, c, owner)
	s.join(t, c, consumer)
	o.consumers = *must(c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &o.root, Name: str("consumers")}))(t).OrganizationalUnit.Id
	o.consumer2 = *must(c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &o.consumers, Name: str("inner")}))(t).OrganizationalUnit.Id
	must(c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: str(consumer), SourceParentId: &o.root, DestinationParentId: &o.consumer2}))(t)
	for _, kind := range []types.PolicyType{scpType, rcpType} {
		must(c.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: &o.root, PolicyType: kind}))(t)
	}
	return o
}

func (s testServer) join(t *testing.T, c *organizations.Client, account string) {
	t.Helper()
	h := must(c.InviteAccountToOrganization(t.Context(), inviting(account)))(t).Handshake
	must(s.org(account).AcceptHandshake(t.Context(), &organizations.AcceptHandshakeInput{HandshakeId: h.Id}))(t)
}

func inviting(account string) *organizations.InviteAccountToOrganizationInput {
	return &organizations.InviteAccountToOrganizationInput{Target: &types.HandshakeParty{Id: &account, Type: types.HandshakePartyTypeAccount}}
}

// control makes a policy and attaches it.
func (o tree) control(t *testing.T, kind types.PolicyType, name, content, target string) string {
	t.Helper()
	p := must(o.client.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{Type: kind, Name: &name, Description: str("test"), Content: &content}))(t).Policy.PolicySummary
	must(o.client.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: p.Id, TargetId: &target}))(t)
	return *p.Id
}

// share is the bucket "shared", open for the consumer's reader.
func openShare(t *testing.T) testServer {
	t.Helper()
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	put(t, s.s3(owner), "shared", "k", "text")
	if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, "s3:*", sharedARN+"/*")))(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func getShared(c *s3.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
		return err
	}
}

func TestOrganizationTree(t *testing.T) {
	s := start(t, Options{})
	o := s.organize(t)
	ctx, c := t.Context(), o.client
	d := must(s.org(consumer).DescribeOrganization(ctx, nil))(t).Organization
	if *d.Id != o.id || *d.MasterAccountId != management || *d.Arn != "arn:aws:organizations::999999999999:organization/"+o.id {
		t.Errorf("organization %+v", d)
	}
	list := must(c.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(2)}))(t)
	rest := must(c.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: list.NextToken}))(t)
	if len(list.Accounts) != 2 || len(rest.Accounts) != 1 || rest.NextToken != nil || *list.Accounts[0].Id != owner || list.Accounts[0].Status != types.AccountStatusActive {
		t.Errorf("accounts %v, %v", list, rest)
	}
	parent := must(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: str(consumer)}))(t).Parents[0]
	if *parent.Id != o.consumer2 || parent.Type != types.ParentTypeOrganizationalUnit {
		t.Errorf("parent %+v", parent)
	}
	if a := must(c.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: &o.consumer2}))(t).Accounts; len(a) != 1 || *a[0].Id != consumer {
		t.Errorf("accounts %+v", a)
	}
	if u := must(c.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &o.consumers}))(t).OrganizationalUnits; len(u) != 1 || *u[0].Id != o.consumer2 {
		t.Errorf("units %+v", u)
	}
	if a := must(c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: str(owner)}))(t).Account; *a.Arn != "arn:aws:organizations::999999999999:account/"+o.id+"/"+owner {
		t.Errorf("account %+v", a)
	}
	if root := must(c.ListRoots(ctx, nil))(t).Roots[0]; len(root.PolicyTypes) != 2 {
		t.Errorf("root %+v", root)
	}
	for name, call := range map[string]struct {
		call func() error
		code string
	}{
		"member lists accounts": {func() error { _, err := s.org(owner).ListAccounts(ctx, nil); return err }, "AccessDeniedException"},
		"member reads policies": {func() error {
			_, err := s.org(owner).ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: str(owner), Filter: scpType})
			return err
		}, "AccessDeniedException"},
		"outsider": {func() error { _, err := s.org("888888888888").DescribeOrganization(ctx, nil); return err }, "AWSOrganizationsNotInUseException"},
		"again":    {func() error { _, err := c.CreateOrganization(ctx, nil); return err }, "AlreadyInOrganizationException"},
		"member again": {func() error {
			_, err := c.InviteAccountToOrganization(ctx, &organizations.InviteAccountToOrganizationInput{Target: &types.HandshakeParty{Id: str(owner), Type: types.HandshakePartyTypeAccount}})
			return err
		}, "HandshakeConstraintViolationException"},
		"another's invitation": {func() error {
			h := must(c.InviteAccountToOrganization(ctx, &organizations.InviteAccountToOrganizationInput{Target: &types.HandshakeParty{Id: str("777777777777"), Type: types.HandshakePartyTypeAccount}}))(t)
			_, err := s.org("888888888888").AcceptHandshake(ctx, &organizations.AcceptHandshakeInput{HandshakeId: h.Handshake.Id})
			return err
		}, "HandshakeNotFoundException"},
		"from elsewhere": {func() error {
			_, err := c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: str(owner), SourceParentId: &o.consumers, DestinationParentId: &o.root})
			return err
		}, "SourceParentNotFoundException"},
		"same unit": {func() error {
			_, err := c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &o.root, Name: str("consumers")})
			return err
		}, "DuplicateOrganizationalUnitException"},
		"management leaves": {func() error {
			_, err := c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: str(management)})
			return err
		}, "MasterCannotLeaveOrganizationException"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, call.call(), call.code, "") })
	}
	must(c.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: str(consumer)}))(t)
	_, err := s.org(consumer).DescribeOrganization(ctx, nil)
	wantCode(t, err, "AWSOrganizationsNotInUseException", "")
}

func TestOrganizationPolicies(t *testing.T) {
	s := start(t, Options{})
	o := s.organize(t)
	ctx, c := t.Context(), o.client
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`
	id := o.control(t, scpType, "no delete", deny, o.consumers)
	at := must(c.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: &o.consumers, Filter: scpType}))(t).Policies
	if len(at) != 2 || *at[0].Id == *at[1].Id || at[0].AwsManaged == at[1].AwsManaged {
		t.Errorf("policies %+v", at)
	}
	changed := strings.Replace(deny, "DeleteObject", "DeleteBucket", 1)
	must(c.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: &id, Content: &changed}))(t)
	if got := must(c.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: &id}))(t).Policy; *got.Content != changed || *got.PolicySummary.Name != "no delete" {
		t.Errorf("policy %+v", got)
	}
	targets := must(c.ListTargetsForPolicy(ctx, &organizations.ListTargetsForPolicyInput{PolicyId: &id}))(t).Targets
	if len(targets) != 1 || *targets[0].TargetId != o.consumers || targets[0].Type != types.TargetTypeOrganizationalUnit || *targets[0].Name != "consumers" {
		t.Errorf("targets %+v", targets)
	}
	if all := must(c.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: rcpType}))(t).Policies; len(all) != 1 || *all[0].Id != "p-RCPFullAWSAccess" {
		t.Errorf("policies %+v", all)
	}
	create := func(kind types.PolicyType, content string) func() error {
		return func() error {
			_, err := c.CreatePolicy(ctx, &organizations.CreatePolicyInput{Type: kind, Name: str("p"), Description: str(""), Content: &content})
			return err
		}
	}
	detach := func(id, target string) func() error {
		return func() error {
			_, err := c.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: &id, TargetId: &target})
			return err
		}
	}
	for name, v := range map[string]struct {
		call func() error
		code string
	}{
		"no JSON":            {create(scpType, "hello"), "MalformedPolicyDocumentException"},
		"SCP with principal": {create(scpType, policyOf(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`)), "MalformedPolicyDocumentException"},
		"RCP without":        {create(rcpType, deny), "MalformedPolicyDocumentException"},
		"RCP that allows":    {create(rcpType, policyOf(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)), "MalformedPolicyDocumentException"},
		"RCP for IAM":        {create(rcpType, policyOf(`{"Effect":"Deny","Principal":"*","Action":"iam:*","Resource":"*"}`)), "NotImplemented"},
		"too large":          {create(scpType, strings.Replace(deny, "s3:DeleteObject", "s3:"+strings.Repeat("x", 5120), 1)), "ConstraintViolationException"},
		"another type":       {create("TAG_POLICY", deny), "NotImplemented"},
		"in use": {func() error {
			_, err := c.DeletePolicy(ctx, &organizations.DeletePolicyInput{PolicyId: &id})
			return err
		}, "PolicyInUseException"},
		"not attached":   {detach(id, o.root), "PolicyNotAttachedException"},
		"the last":       {detach("p-FullAWSAccess", o.root), "ConstraintViolationException"},
		"the RCP of all": {detach("p-RCPFullAWSAccess", o.root), "ConstraintViolationException"},
		"AWS's own": {func() error {
			_, err := c.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: str("p-FullAWSAccess"), Content: &deny})
			return err
		}, "InvalidInputException"},
		"attached already": {func() error {
			_, err := c.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: &id, TargetId: &o.consumers})
			return err
		}, "DuplicatePolicyAttachmentException"},
		"to nothing": {func() error {
			_, err := c.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: &id, TargetId: str("888888888888")})
			return err
		}, "TargetNotFoundException"},
		"no such policy": {detach("p-nothere1", o.root), "PolicyNotFoundException"},
		"type enabled before": {func() error {
			_, err := c.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: &o.root, PolicyType: scpType})
			return err
		}, "PolicyTypeAlreadyEnabledException"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, v.call(), v.code, "") })
	}
	wantCode(t, detach(id, o.consumers)(), "", "")
	must(c.DeletePolicy(ctx, &organizations.DeletePolicyInput{PolicyId: &id}))(t)
}

// Organizations' policies decide calls: SCPs those of the account's principals,
// whatever bucket they are about; RCPs those about the account's resources, whoever makes them.
func TestOrganizationsDecide(t *testing.T) {
	denyGet := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`
	denyAll := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`
	outsiders := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-another0000"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`
	for name, v := range map[string]struct {
		set           func(*testing.T, tree)
		reader, owner string // the codes of GetObject
	}{
		"nothing":              {func(*testing.T, tree) {}, "", ""},
		"SCP, account":         {func(t *testing.T, o tree) { o.control(t, scpType, "p", denyGet, consumer) }, "AccessDenied", ""},
		"SCP, outer unit":      {func(t *testing.T, o tree) { o.control(t, scpType, "p", denyGet, o.consumers) }, "AccessDenied", ""},
		"SCP, root":            {func(t *testing.T, o tree) { o.control(t, scpType, "p", denyGet, o.root) }, "AccessDenied", "AccessDenied"},
		"SCP, owner's account": {func(t *testing.T, o tree) { o.control(t, scpType, "p", denyGet, owner) }, "", "AccessDenied"},
		"SCP, management":      {func(t *testing.T, o tree) { o.control(t, scpType, "p", denyGet, management) }, "", ""},
		"RCP, owner's account": {func(t *testing.T, o tree) { o.control(t, rcpType, "p", denyAll, owner) }, "AccessDenied", "AccessDenied"},
		"RCP, consumer":        {func(t *testing.T, o tree) { o.control(t, rcpType, "p", denyAll, consumer) }, "", ""},
		"RCP for outsiders":    {func(t *testing.T, o tree) { o.control(t, rcpType, "p", outsiders, owner) }, "AccessDenied", "AccessDenied"},
		"RCP for outsiders of this": {func(t *testing.T, o tree) {
			o.control(t, rcpType, "p", strings.Replace(outsiders, "o-another0000", o.id, 1), owner)
		}, "", ""},
		"a level that does not allow": {func(t *testing.T, o tree) {
			o.control(t, scpType, "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:*","s3:ListBucket"],"Resource":"*"}]}`, o.consumer2)
			must(o.client.DetachPolicy(t.Context(), &organizations.DetachPolicyInput{PolicyId: str("p-FullAWSAccess"), TargetId: &o.consumer2}))(t)
		}, "AccessDenied", ""},
		"type not enabled": {func(t *testing.T, o tree) {
			o.control(t, scpType, "p", denyGet, o.root)
			must(o.client.DisablePolicyType(t.Context(), &organizations.DisablePolicyTypeInput{RootId: &o.root, PolicyType: scpType}))(t)
		}, "", ""},
		"moved away": {func(t *testing.T, o tree) {
			o.control(t, scpType, "p", denyGet, o.consumer2)
			must(o.client.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: str(consumer), SourceParentId: &o.consumer2, DestinationParentId: &o.root}))(t)
		}, "", ""},
		"left": {func(t *testing.T, o tree) {
			o.control(t, scpType, "p", denyGet, o.root)
			must(o.client.RemoveAccountFromOrganization(t.Context(), &organizations.RemoveAccountFromOrganizationInput{AccountId: str(consumer)}))(t)
		}, "", "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShare(t)
			v.set(t, s.organize(t))
			wantCode(t, getShared(s.reader(t))(t.Context()), v.reader, "")
			wantCode(t, getShared(s.s3(owner))(t.Context()), v.owner, "")
		})
	}
}

// The organization's id and paths are there to be asked for.
func TestOrganizationConditions(t *testing.T) {
	for name, v := range map[string]struct {
		condition func(tree) string
		code      string
	}{
		"its id":     {func(o tree) string { return `"StringEquals":{"aws:PrincipalOrgID":"` + o.id + `"}` }, ""},
		"another id": {func(tree) string { return `"StringEquals":{"aws:PrincipalOrgID":"o-another0000"}` }, "AccessDenied"},
		"its path": {func(o tree) string {
			return `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + o.id + "/" + o.root + "/" + o.consumers + `/*"}`
		}, ""},
		"another path": {func(o tree) string {
			return `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + o.id + "/" + o.root + "/" + o.consumer2 + `/*"}`
		}, "AccessDenied"},
		"the bucket's": {func(tree) string { return `"StringEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}` }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShare(t)
			o := s.organize(t)
			text := policyOf(`{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"s3:GetObject","Resource":"` + sharedARN + `/*","Condition":{` + v.condition(o) + `}}`)
			if err := putPolicy(s.s3(owner), "shared", text)(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantCode(t, getShared(s.reader(t))(t.Context()), v.code, "")
			must(o.client.RemoveAccountFromOrganization(t.Context(), &organizations.RemoveAccountFromOrganizationInput{AccountId: str(consumer)}))(t)
			wantCode(t, getShared(s.reader(t))(t.Context()), "AccessDenied", "")
		})
	}
}

// Within the account a denial names the layer.
func TestDenialNamesTheSCP(t *testing.T) {
	s := start(t, Options{Seed: Seed{Buckets: []SeedBucket{{owner, "shared", "us-east-1"}}}})
	o := s.organize(t)
	put(t, s.s3(owner), "shared", "k", "text")
	o.control(t, scpType, "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`, owner)
	wantCode(t, getShared(s.s3(owner))(t.Context()), "AccessDenied", "with an explicit deny in a service control policy")
}
