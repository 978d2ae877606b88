package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/xshare/xshare/internal/proof"
)

// instanceBreakages are those of how the role is had: trust policy, instance
// profile and instance.
var instanceBreakages = []breakage{
	{
		broken: "the trust policy names another service",
		breaks: func(g *gallery) { g.putTrust(policyWith(trustOf("lambda.amazonaws.com"))) },
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the trust policy names EC2, and not `sts:AssumeRole`",
		breaks: func(g *gallery) { g.putTrust(g.replaced(g.trust(), "sts:AssumeRole", "sts:TagSession")) },
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the trust policy lets EC2 in, and denies it in another statement",
		breaks: func(g *gallery) {
			g.putTrust(g.edited(g.trust(), fragment{Add: g.value([]byte(g.replaced(trustOf("ec2.amazonaws.com"), "Allow", "Deny")))}))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the trust policy asks EC2 for an external id, which it does not send",
		breaks: func(g *gallery) {
			g.putTrust(g.replaced(policyWith(trustOf("ec2.amazonaws.com")), `"sts:AssumeRole"`, `"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"lake"}}`))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the trust policy denies everybody since a day that is over",
		breaks: func(g *gallery) {
			g.putTrust(g.edited(g.trust(), fragment{Add: g.value([]byte(`{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}`))}))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the trust policy lets EC2 in for a while, which is over",
		breaks: func(g *gallery) {
			g.putTrust(g.replaced(policyWith(trustOf("ec2.amazonaws.com")), `"sts:AssumeRole"`, `"sts:AssumeRole","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.TrustLacksService}, mend: byApply,
	},
	{
		broken: "the instance profile does not hold the role",
		breaks: func(g *gallery) { g.emptyProfile() },
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.ProfileWithoutRole}, mend: byApply,
	},
	{
		broken: "the instance profile holds another role",
		breaks: func(g *gallery) {
			g.newRole("app", "/")
			g.emptyProfile()
			g.fillProfile("app")
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.ProfileOtherRole}, mend: byAdopt,
	},
	{
		broken: "there is no instance profile",
		breaks: func(g *gallery) {
			g.disassociate()
			g.emptyProfile()
			g.must(g.iam().DeleteInstanceProfile(g.t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: aws.String(galleryRole)}))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.ProfileMissing}, mend: byApply,
	},
	{
		broken: "the instance profile is not that of the instance, which has none",
		breaks: func(g *gallery) { g.disassociate() },
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.ProfileNotAttached}, mend: byApply,
	},
	{
		broken: "the instance profile is deleted and made again: another one to the instance, which goes on naming the old one",
		breaks: func(g *gallery) {
			name := aws.String(galleryRole)
			g.emptyProfile()
			g.must(g.iam().DeleteInstanceProfile(g.t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: name}))
			g.must(g.iam().CreateInstanceProfile(g.t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: name, Tags: []iamtypes.Tag{
				{Key: aws.String("xshare:repository"), Value: aws.String("recipe")},
			}}))
			g.fillProfile(galleryRole)
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.ProfileNotAttached}, mend: byApply,
	},
	{
		broken: "the instance has another profile, with another role",
		breaks: func(g *gallery) {
			g.newRole("app", "/")
			g.must(g.iam().CreateInstanceProfile(g.t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("app")}))
			g.must(g.iam().AddRoleToInstanceProfile(g.t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("app"), RoleName: aws.String("app")}))
			g.must(g.ec2().ReplaceIamInstanceProfileAssociation(g.t.Context(), &ec2.ReplaceIamInstanceProfileAssociationInput{
				AssociationId: g.association(), IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: aws.String("app")},
			}))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.ProfileOther}, mend: byAdopt,
	},
	{
		broken: "the instance is terminated",
		breaks: func(g *gallery) {
			g.must(g.ec2().TerminateInstances(g.t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{g.instance()}}))
		},
		answer: noCredentials, seen: byBoth, causes: []proof.Code{proof.InstanceMissing}, mend: byApply,
	},
}

const noCredentials = "no credentials"

func (g *gallery) association() *string {
	g.t.Helper()
	out, err := g.ec2().DescribeIamInstanceProfileAssociations(g.t.Context(), &ec2.DescribeIamInstanceProfileAssociationsInput{})
	g.must(out, err)
	return out.IamInstanceProfileAssociations[0].AssociationId
}

func (g *gallery) disassociate() {
	g.t.Helper()
	g.must(g.ec2().DisassociateIamInstanceProfile(g.t.Context(), &ec2.DisassociateIamInstanceProfileInput{AssociationId: g.association()}))
}
