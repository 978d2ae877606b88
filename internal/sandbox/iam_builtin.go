package sandbox

import (
	"encoding/base32"
	"strings"
	"time"
)

// builtInPolicies are the few AWS managed policies that the sandbox has: what
// they are for here, in less text than AWS's own.
var builtInPolicies = map[string]string{
	"AdministratorAccess": allowAll,
	"ReadOnlyAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[` +
		`"ec2:Describe*","ec2:Get*","iam:Generate*","iam:Get*","iam:List*","iam:Simulate*","s3:Describe*","s3:Get*","s3:List*","ssm:Describe*","ssm:Get*","ssm:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken"]}]}`,
	"AmazonSSMManagedInstanceCore": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[` +
		`"ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest","ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation",` +
		`"ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel",` +
		`"ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"]}]}`,
}

// builtIn is an AWS managed policy by its ARN; nil for one that is not here.
func (s *Server) builtIn(arn string) *policy {
	name, ok := strings.CutPrefix(arn, s.arn("iam", "", "aws", "policy/"))
	text := builtInPolicies[name]
	if !ok || text == "" {
		return nil
	}
	p := &policy{Account: "aws", Name: name, Path: "/", ARN: arn, ID: "ANPA" + builtInID(s, name)}
	p.Created = builtInTime
	p.addVersion(text, true, builtInTime)
	return p
}

// usablePolicy finds a managed policy that an account's entities may have: its
// own, or one of AWS's. One of AWS's that the sandbox does not have is refused
// by name: it cannot tell whether AWS has it.
func (c *call) usablePolicy(arn, account string, missing error) (*policy, error) {
	v := c.server.findPolicy(arn)
	owner, _ := splitIAM(arn)
	switch {
	case v == nil && owner == "aws":
		return nil, notImplemented("the AWS managed policy %s: it knows %s", arn, strings.Join(sortedKeys(builtInPolicies), ", "))
	case v == nil || v.Account != account && v.Account != "aws":
		return nil, missing
	}
	return v, nil
}

// builtInTime is when AWS managed policies were made; it only has to be fixed.
var builtInTime = time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)

func builtInID(s *Server, name string) string {
	return base32.StdEncoding.EncodeToString(s.digest("built in", name))[:17]
}
