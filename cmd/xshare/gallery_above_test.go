package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/xshare/xshare/internal/proof"
)

const (
	scp = orgtypes.PolicyTypeServiceControlPolicy
	rcp = orgtypes.PolicyTypeResourceControlPolicy

	fullAccess = "p-FullAWSAccess"
)

// aboveBreakages are those of what stands over the policies of both sides.
var aboveBreakages = []breakage{
	{
		broken: "a service control policy on the consumer's account denies uploads",
		before: func(g *gallery) { g.organize() },
		breaks: func(g *gallery) {
			g.attachControl(scp, "NoUploads", galleryConsumer, policyWith(`{"Sid":"NoUploads","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`))
		},
		answer: putDenied, seen: byVerify, causes: []proof.Code{proof.ServiceControl}, mend: byFragments,
	},
	{
		broken: "the service control policies of the consumer's unit are a list of services without S3",
		before: func(g *gallery) { g.organize() },
		breaks: func(g *gallery) {
			unit := g.unitOf(galleryConsumer)
			g.attachControl(scp, "Services", unit, policyWith(`{"Effect":"Allow","Action":["ec2:*","iam:*","sts:*","tag:*","organizations:*"],"Resource":"*"}`))
			g.must(g.organizations(galleryManagement).DetachPolicy(g.t.Context(), &organizations.DetachPolicyInput{PolicyId: aws.String(fullAccess), TargetId: &unit}))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.ServiceControl}, mend: byFragments,
	},
	{
		broken: "a service control policy on the root denies all that is of no account of the organization, as the bucket's is not",
		before: func(g *gallery) { g.organize(); g.leave(galleryOwner) },
		breaks: func(g *gallery) {
			root := g.unitOf(g.unitOf(galleryConsumer))
			g.attachControl(scp, "Perimeter", root, policyWith(`{"Sid":"Perimeter","Effect":"Deny","Action":"s3:*Object","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"`+g.organizationID()+`"}}}`))
		},
		answer: objectDenied, seen: byVerify, causes: []proof.Code{proof.ServiceControl}, mend: byFragments,
	},
	{
		broken: "a resource control policy on the owner's account lets in its own organization only, of which the consumer is not",
		before: func(g *gallery) { g.organize(); g.leave(galleryConsumer) },
		breaks: func(g *gallery) {
			g.attachControl(rcp, "Perimeter", galleryOwner, policyWith(`{"Sid":"Perimeter","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"`+g.organizationID()+`"}}}`))
		},
		answer: allDenied, seen: byVerify, causes: []proof.Code{proof.ResourceControl}, mend: byFragments,
	},
	{
		broken: "a resource control policy on the consumer's account lets no service assume roles",
		before: func(g *gallery) { g.organize() },
		breaks: func(g *gallery) {
			g.attachControl(rcp, "NoServices", galleryConsumer, policyWith(`{"Sid":"NoServices","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}`))
		},
		answer: noCredentials, seen: byVerify, causes: []proof.Code{proof.ResourceControl},
		mend: "who runs the organization takes it off", says: "except ec2.amazonaws.com from that statement",
		mends: func(g *gallery) { g.detachControl("NoServices", rcp, galleryConsumer) },
	},
	{
		broken: "one statement of the bucket policy is public, under the bucket's Block Public Access",
		before: func(g *gallery) { g.block(false) },
		breaks: func(g *gallery) { g.addToBucketPolicy(publicStatement); g.block(true) },
		answer: allDenied, seen: byVerify, causes: []proof.Code{proof.BlockPublicAccess}, mend: byFragments,
	},
	{
		broken: "one statement of the bucket policy is public, and the account turns on Block Public Access",
		before: func(g *gallery) { g.block(false); g.addToBucketPolicy(publicStatement) },
		breaks: func(g *gallery) {
			g.must(g.s3control().PutPublicAccessBlock(g.t.Context(), &s3control.PutPublicAccessBlockInput{
				AccountId: aws.String(galleryOwner), PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)},
			}))
		},
		answer: allDenied, seen: byVerify, causes: []proof.Code{proof.BlockPublicAccess}, mend: byFragments,
	},
	{
		broken: "one statement of the bucket policy is public, under Block Public Access, and another denies",
		before: func(g *gallery) { g.block(false); g.addToBucketPolicy(publicStatement) },
		breaks: func(g *gallery) {
			g.addToBucketPolicy(denyAll(unless(`"StringEquals":{"aws:PrincipalAccount":"` + galleryConsumer + `"}`)))
			g.block(true)
		},
		answer: allDenied, seen: byVerify, causes: []proof.Code{proof.BlockPublicAccess, proof.ExplicitDeny}, mend: byFragments,
	},
}

const publicStatement = `{"Sid":"Website","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/public/*"}`

func (g *gallery) block(restrict bool) {
	g.t.Helper()
	g.must(g.s3(galleryOwner).PutPublicAccessBlock(g.t.Context(), &s3.PutPublicAccessBlockInput{
		Bucket: aws.String(galleryBucket), PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(restrict)},
	}))
}

// organize makes an organization of all three accounts, each of the two in a
// unit of its own, and returns its id.
func (g *gallery) organize() string {
	g.t.Helper()
	c, ctx := g.organizations(galleryManagement), g.t.Context()
	o, err := c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	g.must(o, err)
	roots, err := c.ListRoots(ctx, &organizations.ListRootsInput{})
	g.must(roots, err)
	root := roots.Roots[0].Id
	for _, kind := range []orgtypes.PolicyType{scp, rcp} {
		g.must(c.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: root, PolicyType: kind}))
	}
	for account, name := range map[string]string{galleryOwner: "lakes", galleryConsumer: "teams"} {
		g.join(account)
		unit, err := c.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: &name})
		g.must(unit, err)
		g.must(c.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &account, SourceParentId: root, DestinationParentId: unit.OrganizationalUnit.Id}))
	}
	return *o.Organization.Id
}

func (g *gallery) detachControl(name string, kind orgtypes.PolicyType, target string) {
	g.t.Helper()
	c, ctx := g.organizations(galleryManagement), g.t.Context()
	list, err := c.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: kind})
	g.must(list, err)
	for _, p := range list.Policies {
		if *p.Name == name {
			g.must(c.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: p.Id, TargetId: &target}))
		}
	}
}

func (g *gallery) join(account string) {
	g.t.Helper()
	h, err := g.organizations(galleryManagement).InviteAccountToOrganization(g.t.Context(), &organizations.InviteAccountToOrganizationInput{
		Target: &orgtypes.HandshakeParty{Id: &account, Type: orgtypes.HandshakePartyTypeAccount},
	})
	g.must(h, err)
	g.must(g.organizations(account).AcceptHandshake(g.t.Context(), &organizations.AcceptHandshakeInput{HandshakeId: h.Handshake.Id}))
}

func (g *gallery) leave(account string) {
	g.t.Helper()
	g.must(g.organizations(galleryManagement).RemoveAccountFromOrganization(g.t.Context(), &organizations.RemoveAccountFromOrganizationInput{AccountId: &account}))
}

func (g *gallery) unitOf(account string) string {
	g.t.Helper()
	out, err := g.organizations(galleryManagement).ListParents(g.t.Context(), &organizations.ListParentsInput{ChildId: &account})
	g.must(out, err)
	return *out.Parents[0].Id
}

func (g *gallery) organizationID() string {
	g.t.Helper()
	out, err := g.organizations(galleryManagement).DescribeOrganization(g.t.Context(), &organizations.DescribeOrganizationInput{})
	g.must(out, err)
	return *out.Organization.Id
}
