package awslive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// read is an operation that changes nothing.
type read struct {
	action  string // the IAM action that allows it; empty: none is needed
	observe bool   // Observe makes it
}

// reads are all the operations of this package that change nothing; every
// other one is a write.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var reads = map[string]read{
	"sts:GetCallerIdentity": {},
	"sts:AssumeRole":        {action: "sts:AssumeRole"},

	"iam:GetAccountAuthorizationDetails": {"iam:GetAccountAuthorizationDetails", true},
	"iam:ListInstanceProfiles":           {"iam:ListInstanceProfiles", true},
	"iam:GetInstanceProfile":             {"iam:GetInstanceProfile", true},
	"iam:GetRole":                        {"iam:GetRole", false},
	"iam:GetPolicy":                      {"iam:GetPolicy", false},
	"iam:GetPolicyVersion":               {"iam:GetPolicyVersion", false},
	"iam:ListPolicyVersions":             {"iam:ListPolicyVersions", false},
	"iam:ListAttachedRolePolicies":       {"iam:ListAttachedRolePolicies", false},

	"s3:ListBuckets":                {"s3:ListAllMyBuckets", true},
	"s3:HeadBucket":                 {"s3:ListBucket", true},
	"s3:GetBucketLocation":          {"s3:GetBucketLocation", true},
	"s3:GetBucketPolicy":            {"s3:GetBucketPolicy", true},
	"s3:GetBucketTagging":           {"s3:GetBucketTagging", true},
	"s3:GetPublicAccessBlock":       {"s3:GetBucketPublicAccessBlock", false},
	"s3:GetBucketOwnershipControls": {"s3:GetBucketOwnershipControls", false},
	"s3:GetBucketEncryption":        {"s3:GetEncryptionConfiguration", false},
	"s3:ListObjectsV2":              {"s3:ListBucket", false},
	"s3:GetObject":                  {"s3:GetObject", false},

	"ec2:DescribeInstances":                      {"ec2:DescribeInstances", true},
	"ec2:DescribeImages":                         {"ec2:DescribeImages", false},
	"ec2:DescribeIamInstanceProfileAssociations": {"ec2:DescribeIamInstanceProfileAssociations", false},
}

// writeActions are the IAM actions of writes that have another name than the
// operation, and of those that need more than one.
var writeActions = map[string]string{
	"s3:CreateBucket":                          "s3:CreateBucket and s3:TagResource",
	"s3:PutPublicAccessBlock":                  "s3:PutBucketPublicAccessBlock",
	"s3:PutBucketEncryption":                   "s3:PutEncryptionConfiguration",
	"iam:CreateRole":                           "iam:CreateRole and iam:TagRole",
	"iam:CreatePolicy":                         "iam:CreatePolicy and iam:TagPolicy",
	"iam:CreateInstanceProfile":                "iam:CreateInstanceProfile and iam:TagInstanceProfile",
	"iam:AddRoleToInstanceProfile":             "iam:AddRoleToInstanceProfile, and iam:PassRole for the role",
	"ec2:RunInstances":                         "ec2:RunInstances and ec2:CreateTags, and iam:PassRole for the role",
	"ec2:AssociateIamInstanceProfile":          "ec2:AssociateIamInstanceProfile, and iam:PassRole for the role",
	"ec2:ReplaceIamInstanceProfileAssociation": "ec2:ReplaceIamInstanceProfileAssociation, and iam:PassRole for the role",
}

// actionsOf names the IAM actions that an operation needs.
func actionsOf(operation string) string {
	if r, ok := reads[operation]; ok {
		return r.action
	}
	if a, ok := writeActions[operation]; ok {
		return a
	}
	return operation
}

// readOnlyPolicy is the session policy that lets a role do what Observe does,
// and nothing else. It has to stay within 2,048 characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func readOnlyPolicy() string {
	var actions []string
	for _, r := range reads {
		if r.observe {
			actions = append(actions, r.action)
		}
	}
	slices.Sort(actions)
	text, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{{
			"Effect": "Allow", "Action": slices.Compact(actions), "Resource": "*",
		}},
	})
	if err != nil {
		panic(err) // maps and strings always marshal
	}
	return string(text)
}

// guardReads refuses every operation that is not a read, before it is sent.
func guardReads(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("xshare.ReadOnly",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if name := operationName(ctx); !isRead(name) {
				return middleware.InitializeOutput{}, middleware.Metadata{}, fmt.Errorf("%s is refused: this command only reads", name)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

func isRead(operation string) bool {
	_, ok := reads[operation]
	return ok
}

// operationName is the call's, such as "iam:GetRole".
func operationName(ctx context.Context) string {
	return strings.ToLower(awsmiddleware.GetServiceID(ctx)) + ":" + awsmiddleware.GetOperationName(ctx)
}
