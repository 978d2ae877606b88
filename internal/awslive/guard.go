package awslive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/smithy-go/middleware"
)

// use is what an operation is called for.
type use int

const (
	toObserve use = iota // a read of Observe
	toAsk                // another read
	toWrite
	toComplete // a write that AWS never needs: where an endpoint gives new buckets less than AWS does
	toProbe    // a write of Probe: of its own objects only
	toCommand  // a call of Probe to have SSM run a command on an instance
)

// operation is one call of AWS's that this package makes.
type operation struct {
	use     use
	actions []string // the IAM actions that allow it; none: nothing is needed
}

// operations are all the calls that this package makes.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var operations = map[string]operation{
	"sts:GetCallerIdentity": {toAsk, nil},
	"sts:AssumeRole":        {toAsk, nil}, // the caller's to be allowed, not the account's role

	"iam:GetAccountAuthorizationDetails": {toObserve, []string{"iam:GetAccountAuthorizationDetails"}},
	"iam:ListInstanceProfiles":           {toObserve, []string{"iam:ListInstanceProfiles"}},
	"iam:GetInstanceProfile":             {toObserve, []string{"iam:GetInstanceProfile"}},
	"iam:GetRole":                        {toAsk, []string{"iam:GetRole"}},
	"iam:GetPolicy":                      {toObserve, []string{"iam:GetPolicy"}},
	"iam:GetPolicyVersion":               {toObserve, []string{"iam:GetPolicyVersion"}},
	"iam:ListPolicyVersions":             {toAsk, []string{"iam:ListPolicyVersions"}},
	"iam:CreateRole":                     {toWrite, []string{"iam:CreateRole", "iam:TagRole"}},
	"iam:UpdateAssumeRolePolicy":         {toWrite, []string{"iam:UpdateAssumeRolePolicy"}},
	"iam:PutRolePermissionsBoundary":     {toWrite, []string{"iam:PutRolePermissionsBoundary"}},
	"iam:TagRole":                        {toWrite, []string{"iam:TagRole"}},
	"iam:CreatePolicy":                   {toWrite, []string{"iam:CreatePolicy", "iam:TagPolicy"}},
	"iam:CreatePolicyVersion":            {toWrite, []string{"iam:CreatePolicyVersion"}},
	"iam:DeletePolicyVersion":            {toWrite, []string{"iam:DeletePolicyVersion"}},
	"iam:TagPolicy":                      {toWrite, []string{"iam:TagPolicy"}},
	"iam:AttachRolePolicy":               {toWrite, []string{"iam:AttachRolePolicy"}},
	"iam:DetachRolePolicy":               {toWrite, []string{"iam:DetachRolePolicy"}},
	"iam:CreateInstanceProfile":          {toWrite, []string{"iam:CreateInstanceProfile", "iam:TagInstanceProfile"}},
	"iam:TagInstanceProfile":             {toWrite, []string{"iam:TagInstanceProfile"}},
	"iam:AddRoleToInstanceProfile":       {toWrite, []string{"iam:AddRoleToInstanceProfile", "iam:PassRole"}},
	"iam:RemoveRoleFromInstanceProfile":  {toWrite, []string{"iam:RemoveRoleFromInstanceProfile"}},
	"iam:DeleteRole":                     {toWrite, []string{"iam:DeleteRole"}},
	"iam:DeletePolicy":                   {toWrite, []string{"iam:DeletePolicy"}},
	"iam:DeleteInstanceProfile":          {toWrite, []string{"iam:DeleteInstanceProfile"}},

	"s3:ListBuckets":                {toObserve, []string{"s3:ListAllMyBuckets"}},
	"s3:HeadBucket":                 {toAsk, []string{"s3:ListBucket"}}, // Observe makes do with a refusal: it tells region and existence
	"s3:GetBucketPolicy":            {toObserve, []string{"s3:GetBucketPolicy"}},
	"s3:GetBucketTagging":           {toObserve, []string{"s3:GetBucketTagging"}},
	"s3:GetPublicAccessBlock":       {toObserve, []string{"s3:GetBucketPublicAccessBlock"}},
	"s3:GetBucketOwnershipControls": {toObserve, []string{"s3:GetBucketOwnershipControls"}},
	"s3:GetBucketEncryption":        {toObserve, []string{"s3:GetEncryptionConfiguration"}},
	"s3:CreateBucket":               {toWrite, []string{"s3:CreateBucket", "s3:TagResource"}},
	"s3:PutBucketTagging":           {toWrite, []string{"s3:PutBucketTagging"}},
	"s3:PutPublicAccessBlock":       {toComplete, []string{"s3:PutBucketPublicAccessBlock"}},
	"s3:PutBucketOwnershipControls": {toComplete, []string{"s3:PutBucketOwnershipControls"}},
	"s3:PutBucketEncryption":        {toComplete, []string{"s3:PutEncryptionConfiguration"}},
	"s3:PutBucketPolicy":            {toWrite, []string{"s3:PutBucketPolicy"}},
	"s3:DeleteBucketPolicy":         {toWrite, []string{"s3:DeleteBucketPolicy"}},
	"s3:DeleteBucket":               {toWrite, []string{"s3:DeleteBucket"}},
	"s3:ListObjectsV2":              {toAsk, []string{"s3:ListBucket"}}, // by the role that is probed
	"s3:GetObject":                  {toAsk, nil},                       // the same
	"s3:PutObject":                  {toProbe, []string{"s3:PutObject"}},
	"s3:DeleteObject":               {toProbe, []string{"s3:DeleteObject"}},

	"ec2:DescribeInstances":                      {toObserve, []string{"ec2:DescribeInstances"}},
	"ec2:DescribeImages":                         {toAsk, []string{"ec2:DescribeImages"}},
	"ec2:DescribeIamInstanceProfileAssociations": {toAsk, []string{"ec2:DescribeIamInstanceProfileAssociations"}},
	"ec2:RunInstances":                           {toWrite, []string{"ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"}},
	"ec2:CreateTags":                             {toWrite, []string{"ec2:CreateTags"}},
	"ec2:AssociateIamInstanceProfile":            {toWrite, []string{"ec2:AssociateIamInstanceProfile", "iam:PassRole"}},
	"ec2:ReplaceIamInstanceProfileAssociation":   {toWrite, []string{"ec2:ReplaceIamInstanceProfileAssociation", "iam:PassRole"}},
	"ec2:TerminateInstances":                     {toWrite, []string{"ec2:TerminateInstances"}},

	"ssm:DescribeInstanceInformation": {toCommand, []string{"ssm:DescribeInstanceInformation"}},
	"ssm:SendCommand":                 {toCommand, []string{"ssm:SendCommand"}},
	"ssm:GetCommandInvocation":        {toCommand, []string{"ssm:GetCommandInvocation"}},
	"ssm:CancelCommand":               {toCommand, []string{"ssm:CancelCommand"}},

	"tagging:GetResources": {toObserve, []string{"tag:GetResources"}},

	"s3control:GetPublicAccessBlock": {toObserve, []string{"s3:GetAccountPublicAccessBlock"}},

	"kms:DescribeKey":  {toObserve, []string{"kms:DescribeKey"}},
	"kms:GetKeyPolicy": {toObserve, []string{"kms:GetKeyPolicy"}},
	"kms:ListGrants":   {toObserve, []string{"kms:ListGrants"}},

	"organizations:DescribeOrganization":  {toObserve, []string{"organizations:DescribeOrganization"}},
	"organizations:DescribePolicy":        {toObserve, []string{"organizations:DescribePolicy"}},
	"organizations:ListParents":           {toObserve, []string{"organizations:ListParents"}},
	"organizations:ListPoliciesForTarget": {toObserve, []string{"organizations:ListPoliciesForTarget"}},
	"organizations:ListRoots":             {toObserve, []string{"organizations:ListRoots"}},
}

// isRead reports whether an operation changes nothing. What is not known is
// taken for a write.
func isRead(name string) bool {
	op, ok := operations[name]
	return ok && (op.use == toObserve || op.use == toAsk)
}

// actionsOf names the IAM actions that an operation needs, for messages.
func actionsOf(name string) string {
	op, ok := operations[name]
	if !ok || len(op.actions) == 0 {
		return name
	}
	return strings.Join(op.actions, " and ")
}

// ReadActions are the IAM actions that plan, drift and verify need in an
// account, sorted: those of docs/read-role.json.
func ReadActions() []string { return actionsFor(toObserve) }

// DeployActions are the IAM actions that apply needs in an account, reads
// included, sorted. With ProbeActions and LockActions they are those of
// docs/deploy-role.json.
func DeployActions() []string { return actionsFor(toObserve, toAsk, toWrite) }

// ProbeActions are the further IAM actions that `verify --probe` needs in a
// bucket owner's account, sorted, on objects named .xshare-probe-* only.
func ProbeActions() []string { return actionsFor(toProbe) }

// InstanceProbeActions are those that `verify --probe` needs in a consumer's
// account to have SSM run its commands on instances, sorted. They are in no
// document of docs: docs/roles.md has them for those who want such probes.
func InstanceProbeActions() []string { return actionsFor(toCommand) }

func actionsFor(uses ...use) []string {
	var actions []string
	for _, op := range operations {
		if slices.Contains(uses, op.use) {
			actions = append(actions, op.actions...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// readOnlyPolicy is the session policy that lets a role do what Observe does,
// and nothing else. It has to stay within 2,048 characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func readOnlyPolicy() string {
	text, err := json.Marshal(map[string]any{
		"Version":   "2012-10-17",
		"Statement": []map[string]any{{"Effect": "Allow", "Action": ReadActions(), "Resource": "*"}},
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

// operationName is the call's, such as "iam:GetRole".
func operationName(ctx context.Context) string {
	return serviceName(awsmiddleware.GetServiceID(ctx)) + ":" + awsmiddleware.GetOperationName(ctx)
}

// serviceName is a service's short name, by which the SDK calls all but two.
func serviceName(id string) string {
	switch id {
	case tagging.ServiceID:
		return "tagging"
	case s3control.ServiceID:
		return "s3control"
	}
	return strings.ToLower(id)
}
