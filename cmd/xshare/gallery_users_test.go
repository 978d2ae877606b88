package main

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/xshare/xshare/internal/proof"
)

// Beside the share a user has access, made by hand: the bucket policy names it,
// and two groups give it what they have. Neither drift nor verify know of it.
const (
	galleryUser    = "ann"
	galleryUserARN = "arn:aws:iam::" + galleryConsumer + ":user/" + galleryUser
	galleryReaders = "readers" // has a managed policy of the same name
	galleryWriters = "writers"
)

var askedOfUser = []string{"--principal", galleryUserARN, "--action", "s3:GetObject", "--resource", galleryBucketARN + "/" + galleryObject}

// userBreakages are those of an IAM user's access.
var userBreakages = []breakage{
	{
		broken: "a user that the bucket policy names is deleted and made again: another one to it, which has the old id (`AIDA…`)",
		before: (*gallery).letUserIn,
		breaks: func(g *gallery) {
			for _, group := range []string{galleryReaders, galleryWriters} {
				g.must(g.iam().RemoveUserFromGroup(g.t.Context(), &iam.RemoveUserFromGroupInput{GroupName: &group, UserName: aws.String(galleryUser)}))
			}
			g.forgetUser()
			g.newUser()
		},
		answer: allDenied, asks: askedOfUser, causes: []proof.Code{proof.PrincipalGone}, mend: byFragments,
	},
	{
		broken: "a policy is taken from a group, by which a user had its access",
		before: (*gallery).letUserIn,
		breaks: func(g *gallery) {
			g.must(g.iam().DetachGroupPolicy(g.t.Context(), &iam.DetachGroupPolicyInput{GroupName: aws.String(galleryReaders), PolicyArn: aws.String(readersPolicyARN)}))
		},
		answer: getDenied, asks: askedOfUser, causes: []proof.Code{proof.SidesDisagree}, mend: byFragments,
	},
	{
		broken: "a group of a user denies an action",
		before: (*gallery).letUserIn,
		breaks: func(g *gallery) {
			g.putGroupPolicy(galleryWriters, "guard", policyWith(`{"Sid":"NoDownloads","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`))
		},
		answer: getDenied, asks: askedOfUser, causes: []proof.Code{proof.ExplicitDeny}, mend: byFragments,
	},
	{
		broken: "a permissions boundary is put on a user, which leaves an action out",
		before: (*gallery).letUserIn,
		breaks: func(g *gallery) {
			arn := g.newPolicy("edge", policyWith(allow("s3:ListBucket", "*"), allow("s3:PutObject", "*")))
			g.must(g.iam().PutUserPermissionsBoundary(g.t.Context(), &iam.PutUserPermissionsBoundaryInput{UserName: aws.String(galleryUser), PermissionsBoundary: &arn}))
		},
		answer: getDenied, asks: askedOfUser, causes: []proof.Code{proof.Boundary}, mend: byFragments,
	},
}

const readersPolicyARN = "arn:aws:iam::" + galleryConsumer + ":policy/" + galleryReaders

// letUserIn makes the user, its groups and their policies, and names it in the
// bucket policy. The calls are the user's from now on.
func (g *gallery) letUserIn() {
	g.t.Helper()
	g.newPolicy(galleryReaders, policyWith(allow("s3:GetObject", galleryBucketARN+"/*")))
	for _, group := range []string{galleryReaders, galleryWriters} {
		g.must(g.iam().CreateGroup(g.t.Context(), &iam.CreateGroupInput{GroupName: &group}))
	}
	g.must(g.iam().AttachGroupPolicy(g.t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String(galleryReaders), PolicyArn: aws.String(readersPolicyARN)}))
	g.putGroupPolicy(galleryWriters, "write", policyWith(allow("s3:PutObject", galleryBucketARN+"/*"), allow("s3:ListBucket", galleryBucketARN)))
	g.newUser()
	g.addToBucketPolicy(`{"Sid":"Ann","Effect":"Allow","Principal":{"AWS":"` + galleryUserARN + `"},"Action":["s3:ListBucket","s3:GetObject","s3:PutObject"],"Resource":["` + galleryBucketARN + `","` + galleryBucketARN + `/*"]}`)
}

// newUser makes the user, in its groups, with a key by which the calls are made.
func (g *gallery) newUser() {
	g.t.Helper()
	user, ctx := aws.String(galleryUser), g.t.Context()
	g.must(g.iam().CreateUser(ctx, &iam.CreateUserInput{UserName: user}))
	for _, group := range []string{galleryReaders, galleryWriters} {
		g.must(g.iam().AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: user}))
	}
	key, err := g.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	g.must(key, err)
	g.caller = func() (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}, nil
	}
}

// forgetUser deletes the user, who is in no group.
func (g *gallery) forgetUser() {
	g.t.Helper()
	user, ctx := aws.String(galleryUser), g.t.Context()
	keys, err := g.iam().ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: user})
	g.must(keys, err)
	for _, key := range keys.AccessKeyMetadata {
		g.must(g.iam().DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: key.AccessKeyId}))
	}
	g.must(g.iam().DeleteUser(ctx, &iam.DeleteUserInput{UserName: user}))
}

func (g *gallery) putGroupPolicy(group, name, text string) {
	g.t.Helper()
	g.must(g.iam().PutGroupPolicy(g.t.Context(), &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: &name, PolicyDocument: &text}))
}

// editUsers makes an edit of a policy that a user or a group has inline; false:
// it is of no such policy.
func (g *gallery) editUsers(f fragment) bool {
	g.t.Helper()
	if f.Policy == "a policy of user "+galleryUser {
		text := g.edited(`{"Version":"2012-10-17","Statement":[]}`, f)
		g.must(g.iam().PutUserPolicy(g.t.Context(), &iam.PutUserPolicyInput{UserName: aws.String(galleryUser), PolicyName: aws.String("mended"), PolicyDocument: &text}))
		return true
	}
	name, group, ok := strings.Cut(strings.TrimPrefix(f.Policy, "inline policy "), " of group ")
	if ok {
		out, err := g.iam().GetGroupPolicy(g.t.Context(), &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: &name})
		g.must(out, err)
		g.putGroupPolicy(group, name, g.edited(g.unescaped(out.PolicyDocument), f))
	}
	return ok
}
