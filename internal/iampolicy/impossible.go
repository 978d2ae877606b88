package iampolicy

import (
	"slices"
	"strings"
)

// Impossible says why AWS never gets a request for an action on a resource, as
// far as that is known, or is empty: such as s3:GetObject on a bucket, or
// kms:Decrypt on an alias. Policies may match it all the same, so it is never
// allowed: to say that it is would answer a question that nobody asks. Mostly
// it is a typo.
//
// The service authorization reference tells which actions S3, KMS and STS have
// and on what
// (https://docs.aws.amazon.com/service-authorization/latest/reference/).
func Impossible(action, resource string) string {
	service, _, _ := strings.Cut(action, ":")
	a, _ := parseARN(resource)
	return impossible(strings.ToLower(service), action, resource, &a)
}

func impossible(service, action, resource string, a *ARN) string {
	name := action[min(len(service)+1, len(action)):]
	if why := unknownAction(service, action, name); why != "" {
		return why
	}
	switch service {
	case "s3":
		return impossibleS3(action, resource, a)
	case "kms":
		onKey := a.Service == "kms" && strings.HasPrefix(a.Resource, "key/") && !isWild(a.Resource)
		onAlias := a.Service == "kms" && isOneOf(name, aliasToo)
		if !onKey && !onAlias && !isOneOf(name, withoutKey) {
			return action + " is decided on a key's ARN (…:key/…), not on an alias or anything else"
		}
	case "sts":
		onRole := a.Service == "iam" && strings.HasPrefix(a.Resource, "role/") && !isWild(lastPart(a.Resource))
		if !onRole && isOneOf(name, onRoles) {
			return action + " is made on a role: give its ARN as the resource"
		}
	}
	return ""
}

// The KMS actions that are not on a key, or also on an alias
// (AUTH:list_awskeymanagementservice).
var (
	withoutKey = []string{
		"CreateKey", "ListKeys", "ListAliases", "GenerateRandom",
		"ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore",
		"DescribeCustomKeyStores", "DisconnectCustomKeyStore", "UpdateCustomKeyStore",
	}
	aliasToo = []string{"CreateAlias", "DeleteAlias", "UpdateAlias"}
)

// onRoles are the STS actions on roles (AUTH:list_awssecuritytokenservice).
var onRoles = []string{"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "SetSourceIdentity", "TagSession"}

// s3Calls are calls of S3 whose name is not that of the action that they need.
var s3Calls = map[string]string{
	"headobject": "s3:GetObject", "headbucket": "s3:ListBucket", "listobjects": "s3:ListBucket", "listobjectsv2": "s3:ListBucket",
	"listobjectversions": "s3:ListBucketVersions", "listbuckets": "s3:ListAllMyBuckets", "deleteobjects": "s3:DeleteObject",
	"createmultipartupload": "s3:PutObject", "uploadpart": "s3:PutObject", "completemultipartupload": "s3:PutObject",
	"listmultipartuploads": "s3:ListBucketMultipartUploads", "listparts": "s3:ListMultipartUploadParts",
}

// onManyKinds are actions on buckets and on other things of S3.
var onManyKinds = []string{"s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"}

func impossibleS3(action, resource string, a *ARN) string {
	known, _ := LookupS3Action(action)
	bucket, key, isObject := strings.Cut(a.Resource, "/")
	s3ARN := a.Service == "s3" && a.Region == "" && a.Account == ""
	switch {
	case known.Level == OtherLevel, slices.Contains(onManyKinds, known.Name):
		return ""
	case known.Level == AccountLevel:
		if resource != "*" && (!s3ARN || a.Resource != "*") {
			return known.Name + ` is not on a bucket or object: give "*" as the resource`
		}
	case a.Service == "s3" && strings.HasPrefix(a.Resource, "accesspoint"):
		return "what comes through an access point is decided by its policy and by the bucket's, and access points are not simulated"
	case !s3ARN || isWild(bucket):
		example := "arn:aws:s3:::bucket"
		if known.Level == ObjectLevel {
			example += "/key"
		}
		return known.Name + " is on one " + string(known.Level) + ": give its ARN as the resource, such as " + example
	case known.Level == ObjectLevel && (!isObject || key == ""):
		return known.Name + " is on an object, and " + resource + " is a bucket"
	case known.Level == BucketLevel && isObject:
		return known.Name + " is on a bucket, and " + resource + " is an object"
	}
	return ""
}
