package proof

import (
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// globalKeys are AWS's condition keys that requests to any service may have;
// those that end in a slash go on with the key of a tag.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var globalKeys = []string{
	"aws:AssumedRoot", "aws:CalledVia", "aws:CalledViaAWSMCP", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn", "aws:CurrentTime",
	"aws:Ec2InstanceSourcePrivateIPv4", "aws:Ec2InstanceSourceVpc", "aws:EpochTime", "aws:FederatedProvider",
	"aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService",
	"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalTag/", "aws:PrincipalType",
	"aws:Referer", "aws:RequestedRegion", "aws:RequestTag/", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/",
	"aws:SecureTransport", "aws:SignInSessionArn", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths",
	"aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:TagKeys", "aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username",
	"aws:ViaAWSMCPService", "aws:ViaAWSService", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:VpcSourceIp",
}

// nearGlobalKey is the global condition key that one is most likely meant to
// be which is none; else it is empty. AWS may have more of them than are known
// here, so only what is very near is told.
func nearGlobalKey(key string) string {
	name, tag, ofTag := strings.Cut(key, "/")
	if ofTag {
		name += "/"
	}
	near := ""
	for _, known := range globalKeys {
		switch {
		case strings.EqualFold(known, name):
			return ""
		case near == "" && iampolicy.Mistyped(strings.ToLower(known), strings.ToLower(name)):
			near = known + tag
		}
	}
	return near
}
