package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// What a consumer is promised, told a second time from the words of its spec;
// see offline_proof.go.

// promises are the S3 actions that a word of access stands for.
var promises = map[specs.Access][]string{
	specs.AccessList:   {"s3:ListBucket", "s3:GetBucketLocation"},
	specs.AccessRead:   {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"},
	specs.AccessWrite:  {"s3:GetBucketLocation", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
	specs.AccessDelete: {"s3:DeleteObject"},
}

// right is what one consumer is promised.
type right struct {
	full     bool
	actions  []string
	prefixes []string
}

func rightOf(c *specs.Consumer) right {
	r := right{prefixes: c.Prefixes, actions: slices.Clone(c.Actions)}
	for _, word := range c.Access {
		r.full = r.full || word == specs.AccessFull
		r.actions = append(r.actions, promises[word]...)
		if word == specs.AccessWrite && len(c.Prefixes) == 0 {
			r.actions = append(r.actions, "s3:ListBucketMultipartUploads")
		}
	}
	slices.Sort(r.actions)
	r.actions = slices.Compact(r.actions)
	return r
}

// promised are the actions that the consumer can have at all.
func (r right) promised(crossAccount bool) []iampolicy.S3Action {
	if !r.full {
		return slices.DeleteFunc(s3ActionsOf(r.actions...), func(a iampolicy.S3Action) bool { return crossAccount && iampolicy.OwnersOnly(a.Name) })
	}
	return slices.DeleteFunc(iampolicy.MatchS3Actions("s3:*"), func(a iampolicy.S3Action) bool {
		return a.Level != iampolicy.BucketLevel && a.Level != iampolicy.ObjectLevel || crossAccount && iampolicy.OwnersOnly(a.Name)
	})
}

// try is one request on a bucket: with a key for an action on objects, with
// what a listing asks for as its prefix, nil where it sends none.
type try struct {
	action iampolicy.S3Action
	key    string
	prefix *string
}

func (t try) String() string {
	switch {
	case t.action.Level == iampolicy.ObjectLevel:
		return t.action.Name + " on " + t.key
	case t.prefix != nil:
		return fmt.Sprintf("%s of the prefix %q", t.action.Name, *t.prefix)
	}
	return t.action.Name
}

// covers reports whether the consumer is promised the request.
func (r right) covers(t try) bool {
	switch {
	case !r.full && !slices.Contains(r.actions, t.action.Name):
		return false
	case len(r.prefixes) == 0:
		return true
	case t.action.Level == iampolicy.ObjectLevel:
		return r.holds(t.key)
	case iampolicy.SendsPrefix(t.action.Name):
		return t.prefix != nil && r.holds(*t.prefix)
	}
	return true
}

func (r right) holds(key string) bool {
	return slices.ContainsFunc(r.prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// tries are the requests that stand for a promise: one object and two listings
// under each prefix.
func (r right) tries(actions []iampolicy.S3Action) []try {
	prefixes := r.prefixes
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	var list []try
	for _, action := range actions {
		switch {
		case action.Level == iampolicy.ObjectLevel:
			for _, prefix := range prefixes {
				list = append(list, try{action: action, key: prefix + sampleKey})
			}
		case iampolicy.SendsPrefix(action.Name) && len(r.prefixes) > 0:
			for _, prefix := range prefixes {
				below := prefix + sampleKey
				list = append(list, try{action: action, prefix: &prefix}, try{action: action, prefix: &below})
			}
		default:
			list = append(list, try{action: action})
		}
	}
	return list
}
