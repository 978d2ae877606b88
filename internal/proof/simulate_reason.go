package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// decide evaluates the request and puts the decision into words.
func (q *simulated) decide() (iampolicy.Decision, string) {
	d := iampolicy.Evaluate(q.req, q.policies)
	reason := ""
	switch d.Outcome {
	case iampolicy.Allowed:
		reason = allowedBy(d.Reasons)
	case iampolicy.ExplicitDeny:
		reason = deniedBy(d.Reasons)
	case iampolicy.ImplicitDeny:
		reason = lacks(d.Reasons)
	default:
		return d, d.Reasons[0].Text
	}
	if why := impossible(q.req.Action, q.req.Resource); why != "" {
		if d.Allowed() {
			return iampolicy.Decision{Outcome: iampolicy.Invalid}, "no such request exists: " + why
		}
		return d, reason + "; and no such request exists: " + why
	}
	if d.Allowed() {
		if q.assumed {
			reason += " (the resource is taken to be of the principal's account " + q.req.Caller.Account + ", since the case has no resourceAccount)"
		}
		if q.req.Resource != "*" && strings.ContainsAny(q.req.Resource, "*?") {
			reason += " (* and ? in the resource are taken for characters of its name)"
		}
	}
	return d, reason
}

func allowedBy(reasons []iampolicy.Reason) string {
	text := ""
	for _, r := range reasons {
		switch {
		case r.Effect != iampolicy.Allow:
		case text == "":
			text = r.Text
		case r.Sid != "":
			text += fmt.Sprintf(", and so does %s, statement %q", r.Policy, r.Sid)
		default:
			text += fmt.Sprintf(", and so does %s, statement number %d", r.Policy, r.Statement+1)
		}
	}
	return text
}

// denyOrder is the order in which AWS names denies
// (IAM:reference_policies_evaluation-logic_policy-eval-denyallow).
var denyOrder = []iampolicy.Side{
	iampolicy.SideRCP, iampolicy.SideSCP, iampolicy.SideResource, iampolicy.SideIdentity,
	iampolicy.SideBoundary, iampolicy.SideSession, iampolicy.SideEndpoint,
}

func deniedBy(reasons []iampolicy.Reason) string {
	for _, side := range denyOrder {
		for _, r := range reasons {
			if r.Side == side && r.Effect == iampolicy.Deny {
				return r.Text
			}
		}
	}
	return "a policy denies it"
}

func lacks(reasons []iampolicy.Reason) string {
	var texts []string
	for _, r := range reasons {
		if r.Effect == "" {
			texts = append(texts, r.Text)
		}
	}
	return strings.Join(texts, "; and ")
}

// allOf is the reason where all requests of a case are allowed.
func allOf(requests []simulated) string {
	var texts []string
	for _, q := range requests {
		texts = append(texts, q.req.Action+" on "+q.req.Resource)
	}
	return fmt.Sprintf("all %d requests are allowed: %s", len(texts), strings.Join(texts, ", "))
}

// impossible says why AWS never gets such a request, as far as that is known.
// Policies may match it all the same, and "allowed" would be an answer to a
// question that nobody asks: mostly it is a typo.
func impossible(action, resource string) string {
	service, name, _ := strings.Cut(action, ":")
	a := cutARN(resource)
	switch strings.ToLower(service) {
	case "s3":
		return impossibleS3(action, name, resource, a)
	case "kms":
		name = strings.ToLower(name)
		if !withoutKey[name] && !(a.service == "kms" && (strings.HasPrefix(a.resource, "key/") || aliasToo[name])) {
			return action + " is decided on a key's ARN (…:key/…), not on an alias or anything else"
		}
	case "sts":
		if strings.HasPrefix(strings.ToLower(name), "assumerole") && !(a.service == "iam" && strings.HasPrefix(a.resource, "role/")) {
			return action + " is made on a role: give its ARN as the resource"
		}
	}
	return ""
}

// The KMS actions that are not on a key, or also on an alias
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html).
var (
	withoutKey = map[string]bool{
		"createkey": true, "listkeys": true, "listaliases": true, "generaterandom": true,
		"connectcustomkeystore": true, "createcustomkeystore": true, "deletecustomkeystore": true,
		"describecustomkeystores": true, "disconnectcustomkeystore": true, "updatecustomkeystore": true,
	}
	aliasToo = map[string]bool{"createalias": true, "deletealias": true, "updatealias": true}
)

// s3Calls are calls of S3 whose name is not that of the action that they need.
var s3Calls = map[string]string{
	"headobject": "s3:GetObject", "headbucket": "s3:ListBucket", "listobjects": "s3:ListBucket", "listobjectsv2": "s3:ListBucket",
	"listobjectversions": "s3:ListBucketVersions", "listbuckets": "s3:ListAllMyBuckets", "deleteobjects": "s3:DeleteObject",
	"createmultipartupload": "s3:PutObject", "uploadpart": "s3:PutObject", "completemultipartupload": "s3:PutObject",
	"listmultipartuploads": "s3:ListBucketMultipartUploads", "listparts": "s3:ListMultipartUploadParts",
}

// onManyKinds are actions on buckets and on other things of S3.
var onManyKinds = []string{"s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"}

func impossibleS3(action, name, resource string, a arnParts) string {
	known, ok := iampolicy.LookupS3Action(action)
	if !ok {
		if needed := s3Calls[strings.ToLower(name)]; needed != "" {
			return "S3 has no action " + action + ", and that call needs " + needed
		}
		return "S3 has no action " + action
	}
	bucket, key, isObject := strings.Cut(a.resource, "/")
	s3ARN := a.service == "s3" && a.region == "" && a.account == ""
	switch {
	case known.Level == iampolicy.OtherLevel, slices.Contains(onManyKinds, known.Name):
		return ""
	case known.Level == iampolicy.AccountLevel:
		if resource != "*" && !(s3ARN && a.resource == "*") {
			return known.Name + ` is not on a bucket or object: give "*" as the resource`
		}
	case a.service == "s3" && strings.HasPrefix(a.resource, "accesspoint"):
		return "what comes through an access point is decided by its policy and by the bucket's, and access points are not simulated"
	case !s3ARN || strings.ContainsAny(bucket, "*?"):
		return fmt.Sprintf("%s is on one %s: give its ARN as the resource, such as arn:aws:s3:::bucket%s", known.Name, known.Level,
			map[bool]string{true: "/key"}[known.Level == iampolicy.ObjectLevel])
	case known.Level == iampolicy.ObjectLevel && (!isObject || key == ""):
		return known.Name + " is on an object, and " + resource + " is a bucket"
	case known.Level == iampolicy.BucketLevel && isObject:
		return known.Name + " is on a bucket, and " + resource + " is an object"
	}
	return ""
}
