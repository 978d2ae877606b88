package plan

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// accessActions are the S3 actions that a word of access stands for, bucket's
// and objects' together; iampolicy's table knows which is which.
var accessActions = map[specs.Access][]string{
	specs.AccessList:   {"s3:ListBucket", "s3:GetBucketLocation"},
	specs.AccessRead:   {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"},
	specs.AccessWrite:  {"s3:GetBucketLocation", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
	specs.AccessDelete: {"s3:DeleteObject"},
}

// Actions are the actions that a consumer is promised, sorted, without doubles.
// For full it is s3:* alone.
func Actions(c *specs.Consumer) []string {
	if slices.Contains(c.Access, specs.AccessFull) {
		return []string{"s3:*"}
	}
	actions := slices.Clone(c.Actions)
	for _, word := range c.Access {
		actions = append(actions, accessActions[word]...)
		// With prefixes this action would show the keys of other prefixes' uploads.
		if word == specs.AccessWrite && len(c.Prefixes) == 0 {
			actions = append(actions, "s3:ListBucketMultipartUploads")
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// GrantStatements are the statements of one grant, without Sid and principal.
// Both sides of the grant hold them. GetBucketLocation stands alone, since
// many clients need it and it never takes the prefix condition.
func GrantStatements(partition, bucket string, c *specs.Consumer) []iampolicy.Statement {
	bucketARN := BucketARN(partition, bucket)
	allow := func(actions, resources []string, conditions ...iampolicy.Condition) iampolicy.Statement {
		return iampolicy.Statement{Effect: iampolicy.Allow, Action: actions, Resource: resources, Condition: conditions}
	}
	actions := Actions(c)
	if slices.Equal(actions, []string{"s3:*"}) {
		return []iampolicy.Statement{allow(actions, []string{bucketARN, bucketARN + "/*"})}
	}

	objects := []string{bucketARN + "/*"}
	var condition []iampolicy.Condition
	if len(c.Prefixes) > 0 {
		objects = nil
		var values []string
		for _, prefix := range c.Prefixes {
			objects = append(objects, bucketARN+"/"+prefix+"*")
			values = append(values, prefix, prefix+"*")
		}
		condition = []iampolicy.Condition{{Operator: "StringLike", Key: "s3:prefix", Values: values}}
	}

	var onPrefix, onBucket, onObjects []string
	location := false
	for _, action := range actions {
		known, _ := iampolicy.LookupS3Action(action)
		switch {
		case action == "s3:GetBucketLocation":
			location = true
		case known.Level == iampolicy.ObjectLevel:
			onObjects = append(onObjects, action)
		case condition != nil && iampolicy.SendsPrefix(action):
			onPrefix = append(onPrefix, action)
		default:
			onBucket = append(onBucket, action)
		}
	}
	var statements []iampolicy.Statement
	if len(onPrefix) > 0 {
		statements = append(statements, allow(onPrefix, []string{bucketARN}, condition...))
	}
	if location {
		statements = append(statements, allow([]string{"s3:GetBucketLocation"}, []string{bucketARN}))
	}
	if len(onBucket) > 0 {
		statements = append(statements, allow(onBucket, []string{bucketARN}))
	}
	if len(onObjects) > 0 {
		statements = append(statements, allow(onObjects, objects))
	}
	return statements
}

// pairs are statements as pairs of meaning and principal; the principal is
// empty in a permissions policy.
func pairs(statements []iampolicy.Statement, principal string) []iampolicy.Pair {
	list := make([]iampolicy.Pair, 0, len(statements))
	for _, s := range statements {
		list = append(list, iampolicy.Pair{Meaning: s.Meaning(), Principal: principal, Statement: s})
	}
	return list
}

// bucketOf is the bucket that a statement of ours is about, from its first
// resource; empty if that is no S3 ARN.
func bucketOf(s iampolicy.Statement) string {
	if len(s.Resource) == 0 {
		return ""
	}
	_, rest, ok := strings.Cut(s.Resource[0], ":s3:::")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
