package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/internal/proof"
)

const (
	allDenied    = "all: 403 AccessDenied"
	objectDenied = "PutObject, GetObject: 403 AccessDenied"
	listDenied   = "ListObjectsV2: 403 AccessDenied"
	putDenied    = "PutObject: 403 AccessDenied"
	getDenied    = "GetObject: 403 AccessDenied"
)

var (
	byBoth    = []string{"drift", "verify"}
	byVerify  = []string{"verify"}
	byProbe   = []string{"verify --probe"}
	onlyDrift = []string{"drift"}
)

// bucketBreakages are those of our part of the bucket's policy.
var bucketBreakages = []breakage{
	{
		broken: "the bucket policy is gone",
		breaks: func(g *gallery) {
			g.must(g.s3(galleryOwner).DeleteBucketPolicy(g.t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(galleryBucket)}))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.NoBucketPolicy}, mend: byApply,
	},
	{
		broken: "the bucket policy names somebody else only",
		breaks: func(g *gallery) {
			g.putBucketPolicy(policyWith(`{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"` + galleryOwner + `"},"Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/*"}`))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalMissing}, mend: byApply,
	},
	{
		broken: "the bucket policy names the role in another account",
		breaks: func(g *gallery) {
			g.must(iam.NewFromConfig(g.config(galleryManagement)).CreateRole(g.t.Context(), &iam.CreateRoleInput{
				RoleName: aws.String(galleryRole), AssumeRolePolicyDocument: aws.String(policyWith(trustOf("ec2.amazonaws.com"))),
			}))
			g.inBucketPolicy(galleryConsumer, galleryManagement)
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalAccount}, mend: byApply,
	},
	{
		broken: "the bucket policy names another account, whose id differs in a digit",
		breaks: func(g *gallery) {
			g.inBucketPolicy(galleryRoleARN, "arn:aws:iam::222222222223:root")
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalAccount}, mend: byApply,
	},
	{
		broken: "the bucket policy has a typo in the role's name, which another role bears",
		breaks: func(g *gallery) {
			g.newRole("ec2role2accesmybucket2share", "/")
			g.inBucketPolicy(galleryRole, "ec2role2accesmybucket2share")
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalName}, mend: byApply,
	},
	{
		broken: "the bucket policy names only the bucket's ARN",
		breaks: func(g *gallery) { g.putBucketPolicy(policyWith(g.naming(galleryBucketARN, "s3:*"))) },
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.OnlyBucketARN}, mend: byApply,
	},
	{
		broken: "the bucket policy names only the objects' ARN, as in the article",
		breaks: func(g *gallery) { g.putBucketPolicy(policyWith(g.naming(galleryBucketARN+"/*", "s3:*"))) },
		answer: listDenied, seen: byBoth, causes: []proof.Code{proof.OnlyObjectARN}, mend: byApply,
	},
	{
		broken: "the bucket policy says `/` where it should say `/*`, as the article is printed",
		breaks: func(g *gallery) { g.inBucketPolicy(galleryBucketARN+"/*", galleryBucketARN+"/") },
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy is of some objects only",
		breaks: func(g *gallery) { g.inBucketPolicy(galleryBucketARN+"/*", galleryBucketARN+"/x*") },
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy allows all objects but one (`NotResource`)",
		breaks: func(g *gallery) {
			g.inBucketPolicy(`"Resource":"`+galleryBucketARN+`/*"`, `"NotResource":"`+galleryBucketARN+"/"+galleryObject+`"`)
		},
		answer: getDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy has reading, and the role's policy writing too",
		breaks: func(g *gallery) { g.inBucketPolicy("s3:PutObject", "s3:PutObjectTagging") },
		answer: putDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "neither of the policies has writing",
		breaks: func(g *gallery) {
			g.inBucketPolicy("s3:PutObject", "s3:PutObjectTagging")
			g.inPolicy("s3:PutObject", "s3:PutObjectTagging")
		},
		answer: putDenied, seen: byBoth, causes: []proof.Code{proof.IdentityLacks, proof.BucketPolicyLacks}, mend: byApply,
	},
	{
		broken: "the bucket policy lets list one prefix, and the client lists all",
		breaks: func(g *gallery) {
			g.putBucketPolicy(policyWith(
				g.naming(galleryBucketARN+"/*", "s3:*"),
				`{"Effect":"Allow","Principal":{"AWS":"`+galleryRoleARN+`"},"Action":"s3:ListBucket","Resource":"`+galleryBucketARN+`","Condition":{"StringLike":{"s3:prefix":"data/*"}}}`,
				g.naming(galleryBucketARN, "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"),
			))
		},
		answer: listDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy lets list a prefix that lacks its slash", prefix: "incoming/",
		breaks: func(g *gallery) {
			g.inBucketPolicy(`"incoming/"`, `"incoming"`)
			g.inBucketPolicy(`"incoming/*"`, `"incoming"`)
		},
		answer: listDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy has a policy variable, and a Version that does not know them",
		breaks: func(g *gallery) {
			text := g.replaced(g.bucketPolicy(), galleryBucketARN+"/*", galleryBucketARN+"/${$}{aws:PrincipalAccount}*")
			g.putBucketPolicy(g.replaced(text, "2012-10-17", "2008-10-17"))
		},
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy's Allow asks for an address that the caller does not have",
		before: func(g *gallery) { g.from(`{"aws:SourceIp": "203.0.113.9"}`) },
		breaks: func(g *gallery) {
			d := g.document(g.bucketPolicy())
			for _, s := range d["Statement"].([]any) {
				s.(map[string]any)["Condition"] = map[string]any{"IpAddress": map[string]any{"aws:SourceIp": "198.51.100.0/24"}}
			}
			g.putBucketPolicy(jsonOf(g.t, d))
		},
		answer: allDenied, seen: onlyDrift, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
		asks: askedWith("s3:GetObject", "aws:SourceIp=203.0.113.9"),
	},
	{
		broken: "the bucket policy names everybody, by a condition on the role's ARN that has a typo",
		breaks: func(g *gallery) {
			text := g.replaced(g.bucketPolicy(), `{"AWS":"`+galleryRoleARN+`"}`, `"*"`)
			d := g.document(text)
			for _, s := range d["Statement"].([]any) {
				s.(map[string]any)["Condition"] = map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": galleryRoleARN + "s"}}
			}
			g.putBucketPolicy(jsonOf(g.t, d))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the bucket policy names one session of the role, that of an instance which is no more",
		breaks: func(g *gallery) {
			g.inBucketPolicy(galleryRoleARN, "arn:aws:sts::"+galleryConsumer+":assumed-role/"+galleryRole+"/i-0123456789abcdef0")
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalMissing}, mend: byApply,
	},
	{
		broken: "the bucket is gone",
		breaks: func(g *gallery) { g.deleteBucket() },
		answer: "all: 404 NoSuchBucket", seen: byBoth, causes: []proof.Code{proof.BucketMissing},
		mend: "`xshare apply`, and its objects are put again", says: "xshare apply",
		mends: func(g *gallery) { g.applied(); g.putObject() },
	},
	{
		broken: "the bucket was deleted, and another account has taken its name",
		breaks: func(g *gallery) {
			g.deleteBucket()
			g.must(g.s3(galleryManagement).CreateBucket(g.t.Context(), &s3.CreateBucketInput{Bucket: aws.String(galleryBucket)}))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.BucketMissing},
		mend: "the other account deletes it, then `xshare apply`", says: "xshare apply",
		mends: func(g *gallery) {
			g.must(g.s3(galleryManagement).DeleteBucket(g.t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(galleryBucket)}))
			g.applied()
			g.putObject()
		},
	},
}

// roleBreakages are those of the role and of its policies.
var roleBreakages = []breakage{
	{
		broken: "the role's policy names only the bucket's ARN",
		breaks: func(g *gallery) { g.inPolicy(galleryBucketARN+"/*", galleryBucketARN) },
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.OnlyBucketARN}, mend: byApply,
	},
	{
		broken: "the role's policy names only the objects' ARN",
		breaks: func(g *gallery) { g.inPolicy(galleryBucketARN+`"`, galleryBucketARN+`/*"`) },
		answer: listDenied, seen: byBoth, causes: []proof.Code{proof.OnlyObjectARN}, mend: byApply,
	},
	{
		broken: "the role's policy is of another bucket",
		breaks: func(g *gallery) { g.inPolicy(galleryBucket, "mybucket2shares") },
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the role's policy has reading, and the bucket policy writing too",
		breaks: func(g *gallery) { g.inPolicy("s3:PutObject", "s3:PutObjectTagging") },
		answer: putDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "an older version of the role's policy is made its default",
		before: func(g *gallery) {
			g.must(g.iam().CreatePolicyVersion(g.t.Context(), &iam.CreatePolicyVersionInput{
				PolicyArn: aws.String(galleryPolicyARN), PolicyDocument: aws.String(policyWith(allow("s3:ListBucket", galleryBucketARN))),
			}))
		},
		breaks: func(g *gallery) {
			g.must(g.iam().SetDefaultPolicyVersion(g.t.Context(), &iam.SetDefaultPolicyVersionInput{
				PolicyArn: aws.String(galleryPolicyARN), VersionId: aws.String("v2"),
			}))
		},
		answer: objectDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the role's policy is detached",
		breaks: func(g *gallery) { g.detach() },
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PolicyDetached}, mend: byApply,
	},
	{
		broken: "the role's policy is deleted",
		breaks: func(g *gallery) {
			g.detach()
			g.must(g.iam().DeletePolicy(g.t.Context(), &iam.DeletePolicyInput{PolicyArn: aws.String(galleryPolicyARN)}))
		},
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.SidesDisagree}, mend: byApply,
	},
	{
		broken: "the role is deleted",
		breaks: func(g *gallery) { g.deleteRole() },
		answer: "no credentials", seen: byBoth, causes: []proof.Code{proof.RoleMissing}, mend: byApply,
	},
	{
		broken: "the role is deleted and made again: another one to the bucket policy, which has its old id (`AROA…`)",
		breaks: func(g *gallery) { g.deleteRole(); g.remakeRole("/") },
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.PrincipalGone}, mend: byApply,
	},
	{
		broken: "the role is deleted and made again under another path",
		breaks: func(g *gallery) { g.deleteRole(); g.remakeRole("/team/") },
		answer: allDenied, seen: byBoth, causes: []proof.Code{proof.RolePath},
		mend: "the live role is deleted, then `xshare apply`", says: "delete the live role",
		mends: func(g *gallery) { g.deleteRole(); g.applied() },
	},
	{
		broken: "a permissions boundary is put on the role, which leaves S3 out",
		breaks: func(g *gallery) { g.bound(policyWith(allow("ec2:*", "*"))) },
		answer: allDenied, seen: byVerify, causes: []proof.Code{proof.Boundary}, mend: byFragments,
	},
	{
		broken: "a permissions boundary is put on the role, which denies one action",
		breaks: func(g *gallery) {
			g.bound(policyWith(allow("*", "*"), `{"Sid":"NoUploads","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`))
		},
		answer: putDenied, seen: byVerify, causes: []proof.Code{proof.ExplicitDeny}, mend: byFragments,
	},
}

func trustOf(service string) string {
	return `{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}`
}

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

// naming is a statement of a bucket policy that names the role.
func (g *gallery) naming(resource string, actions ...string) string {
	return jsonOf(g.t, map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": galleryRoleARN}, "Action": actions, "Resource": resource})
}

// askedWith asks explain about one access of the role.
func askedWith(action string, context ...string) []string {
	resource := galleryBucketARN
	if action != "s3:ListBucket" {
		resource += "/" + galleryObject
	}
	args := []string{"--principal", galleryRoleARN, "--action", action, "--resource", resource}
	for _, c := range context {
		args = append(args, "--context", c)
	}
	return args
}

func (g *gallery) applied() {
	g.t.Helper()
	if code, out := g.xshare("apply", "--yes"); code != 0 {
		g.t.Fatalf("apply: exit code %d\n%s", code, out)
	}
}

func (g *gallery) newRole(name, path string) {
	g.t.Helper()
	g.must(g.iam().CreateRole(g.t.Context(), &iam.CreateRoleInput{
		RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(policyWith(trustOf("ec2.amazonaws.com"))),
	}))
}

func (g *gallery) detach() {
	g.t.Helper()
	g.must(g.iam().DetachRolePolicy(g.t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String(galleryRole), PolicyArn: aws.String(galleryPolicyARN)}))
}

func (g *gallery) attach(arn string) {
	g.t.Helper()
	g.must(g.iam().AttachRolePolicy(g.t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(galleryRole), PolicyArn: &arn}))
}

func (g *gallery) bound(text string) {
	g.t.Helper()
	arn := g.newPolicy("edge", text)
	g.must(g.iam().PutRolePermissionsBoundary(g.t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String(galleryRole), PermissionsBoundary: &arn}))
}

func (g *gallery) deleteRole() {
	g.t.Helper()
	g.detach()
	g.emptyProfile()
	g.must(g.iam().DeleteRole(g.t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(galleryRole)}))
}

// remakeRole makes the role as it was, by hand.
func (g *gallery) remakeRole(path string) {
	g.t.Helper()
	g.newRole(galleryRole, path)
	tags, err := g.iam().ListInstanceProfileTags(g.t.Context(), &iam.ListInstanceProfileTagsInput{InstanceProfileName: aws.String(galleryRole)})
	g.must(tags, err)
	g.must(g.iam().TagRole(g.t.Context(), &iam.TagRoleInput{RoleName: aws.String(galleryRole), Tags: tags.Tags}))
	g.attach(galleryPolicyARN)
	g.fillProfile(galleryRole)
}

func (g *gallery) emptyProfile() {
	g.t.Helper()
	g.must(g.iam().RemoveRoleFromInstanceProfile(g.t.Context(), &iam.RemoveRoleFromInstanceProfileInput{
		InstanceProfileName: aws.String(galleryRole), RoleName: aws.String(galleryRole),
	}))
}

func (g *gallery) fillProfile(role string) {
	g.t.Helper()
	g.must(g.iam().AddRoleToInstanceProfile(g.t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String(galleryRole), RoleName: &role}))
}

func (g *gallery) deleteBucket() {
	g.t.Helper()
	c, bucket := g.s3(galleryOwner), aws.String(galleryBucket)
	for _, key := range []string{galleryObject, "copy.txt"} {
		g.must(c.DeleteObject(g.t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: &key}))
	}
	g.must(c.DeleteBucket(g.t.Context(), &s3.DeleteBucketInput{Bucket: bucket}))
}
