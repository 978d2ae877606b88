package iampolicy

import (
	"slices"
	"strings"
)

// S3Level says which resource an S3 action is checked on.
type S3Level string

// The levels of S3 actions.
const (
	BucketLevel  S3Level = "bucket"  // the bucket's ARN, arn:aws:s3:::bucket
	ObjectLevel  S3Level = "object"  // the ARNs of objects, arn:aws:s3:::bucket/key
	AccountLevel S3Level = "account" // no resource: only "*" matches
	OtherLevel   S3Level = "other"   // access points, jobs, grants and the like, which have ARNs of their own
)

// S3Access is what kind of access an action gives.
type S3Access string

// The access levels of the service authorization reference.
const (
	AccessList        S3Access = "list"
	AccessRead        S3Access = "read"
	AccessWrite       S3Access = "write"
	AccessPermissions S3Access = "permissions"
	AccessTagging     S3Access = "tagging"
)

// S3Action is one IAM action of Amazon S3.
type S3Action struct {
	Name   string // in its canonical case, e.g. "s3:GetObject"
	Level  S3Level
	Access S3Access
}

// LookupS3Action finds an action by its full name, in any case. A name with
// wildcards is not found: see MatchS3Actions.
func LookupS3Action(name string) (S3Action, bool) {
	if a, ok := s3ByName[name]; ok {
		return a, true
	}
	i, ok := slices.BinarySearchFunc(s3Actions, strings.ToLower(name), func(a S3Action, name string) int {
		return strings.Compare(strings.ToLower(a.Name), name)
	})
	if !ok {
		return S3Action{}, false
	}
	return s3Actions[i], true
}

// s3ByName are the actions by the names that most policies write: the canonical ones.
var s3ByName = canonicalS3Actions()

func canonicalS3Actions() map[string]S3Action {
	byName := make(map[string]S3Action, len(s3Actions))
	for _, a := range s3Actions {
		byName[a.Name] = a
	}
	return byName
}

// SendsPrefix reports whether an action, in its canonical case, has the
// condition key s3:prefix. ListBucketMultipartUploads has a prefix too, and no
// key for it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func SendsPrefix(action string) bool {
	return action == "s3:ListBucket" || action == "s3:ListBucketVersions"
}

// MatchS3Actions lists the S3 actions that a pattern such as "s3:Get*" or "*"
// matches, sorted by name.
func MatchS3Actions(pattern string) []S3Action {
	var out []S3Action
	for _, a := range s3Actions {
		if MatchAction(pattern, a.Name) {
			out = append(out, a)
		}
	}
	return out
}
