package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// s3 looks at a statement of an identity or bucket policy.
func (l *linter) s3() {
	if l.kind == BucketPolicy {
		l.otherBuckets()
	}
	if !l.allows() {
		return
	}
	l.actions()
	l.levels()
	l.prefixes()
}

func (l *linter) otherBuckets() {
	if l.about.Bucket == "" {
		return
	}
	for _, resource := range slices.Concat(l.s.Resource, l.s.NotResource) {
		_, rest, ok := strings.Cut(resource, ":s3:::")
		bucket, _, _ := strings.Cut(rest, "/")
		if ok && !iampolicy.HasWildcard(bucket) && !strings.Contains(bucket, "$") && bucket != l.about.Bucket {
			l.add(OtherBucket, "Resource", fmt.Sprintf("names %s, which is not of bucket %s: S3 refuses it", resource, l.about.Bucket),
				"write the ARN of "+l.about.Bucket)
		}
	}
}

// actions looks for names of actions that S3 does not have.
func (l *linter) actions() {
	for _, action := range l.s.Action {
		if service, _, _ := strings.Cut(action, ":"); strings.EqualFold(service, "s3") && len(s3Matches(action)) == 0 {
			l.add(UnknownAction, "Action", fmt.Sprintf("allows %s, which matches no action of S3", action), "look it up in AWS's list of actions for Amazon S3")
		}
	}
}

// s3Matches are the S3 actions that an entry of Action stands for.
func s3Matches(action string) []iampolicy.S3Action {
	if iampolicy.HasWildcard(action) {
		return iampolicy.MatchS3Actions(action)
	}
	if known, ok := iampolicy.LookupS3Action(action); ok {
		return []iampolicy.S3Action{known}
	}
	return nil
}

func namesOf(actions []iampolicy.S3Action) []string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.Name
	}
	return names
}

// levels looks for actions that work on nothing, since the statement names only
// the other kind of resource: the recipe's third cause. A statement beside it
// that names the right kind makes up for it.
func (l *linter) levels() {
	if len(l.s.Resource) == 0 {
		return
	}
	onBucket, onObjects := reaches(l.s.Resource)
	if onBucket == onObjects {
		return
	}
	var idle []string
	for _, action := range l.s.Action {
		needsBucket, needsObjects := needs(action)
		switch {
		case onBucket && needsObjects && (!needsBucket || everyAction(action)) && !l.madeUp(action, false):
			idle = append(idle, action)
		case onObjects && needsBucket && (!needsObjects || everyAction(action)) && !l.madeUp(action, true):
			idle = append(idle, action)
		}
	}
	resources := strings.Join(l.s.Resource, ", ")
	switch {
	case len(idle) == 0:
	case onBucket:
		l.add(OnlyBucketARN, "Resource", fmt.Sprintf("allows %s on the bucket only, %s, and not on its objects", some(idle), resources),
			"add "+l.s.Resource[0]+"/*")
	default:
		bucket, _, _ := strings.Cut(l.s.Resource[0], "/")
		l.add(OnlyObjectARN, "Resource", fmt.Sprintf("allows %s on objects only, %s, and not on the bucket", some(idle), resources), "add "+bucket)
	}
}

// everyAction tells the patterns by which people mean both kinds of resource.
func everyAction(action string) bool { return action == "*" || strings.EqualFold(action, "s3:*") }

// needs says on which kinds of resource an S3 action, or those that a pattern
// matches, work.
func needs(action string) (bucket, objects bool) {
	for _, a := range s3Matches(action) {
		bucket = bucket || a.Level == iampolicy.BucketLevel
		objects = objects || a.Level == iampolicy.ObjectLevel
	}
	return bucket, objects
}

// reaches says which kinds of resource S3 ARNs can match. Those of other
// services, and of access points, count as both: nothing is said of them.
func reaches(resources []string) (bucket, objects bool) {
	for _, r := range resources {
		_, rest, ok := strings.Cut(r, ":s3:::")
		switch {
		case !ok:
			return true, true
		case strings.Contains(rest, "/"):
			objects = true
		case iampolicy.HasWildcard(rest):
			return true, true
		default:
			bucket = true
		}
	}
	return bucket, objects
}

// madeUp reports whether another Allow of the document has the action on the
// right kind of resource, for whom this statement is for.
func (l *linter) madeUp(action string, onBucket bool) bool {
	wanted := namesOf(s3Matches(action))
	for i := range l.document.Statements {
		s := &l.document.Statements[i]
		if i == l.index || s.Effect != iampolicy.Allow || !samePrincipals(l.s.Principal, s.Principal) {
			continue
		}
		bucket, objects := reaches(s.Resource)
		if onBucket && !bucket || !onBucket && !objects {
			continue
		}
		if slices.ContainsFunc(s.Action, func(other string) bool {
			have := namesOf(s3Matches(other))
			return !slices.ContainsFunc(wanted, func(name string) bool { return !slices.Contains(have, name) })
		}) {
			return true
		}
	}
	return false
}

// samePrincipals reports whether all that a names is named in b.
func samePrincipals(a, b *iampolicy.Principals) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case b.Any:
		return true
	}
	return !a.Any && !slices.ContainsFunc(a.AWS, func(name string) bool { return !slices.Contains(b.AWS, name) })
}

// prefixes looks for prefixes that also open what begins alike.
func (l *linter) prefixes() {
	for _, c := range l.s.Condition {
		if !strings.EqualFold(c.Key, "s3:prefix") || !positive(c.Operator) {
			continue
		}
		for _, v := range c.Values {
			if open := strings.TrimRight(v, "*"); openEnd(open) {
				l.add(PrefixSlash, "Condition", fmt.Sprintf("allows to list the prefix %q, which also shows %q", v, open+"-other/"),
					fmt.Sprintf("write %q and %q", open+"/", open+"/*"))
			}
		}
	}
	for _, r := range l.s.Resource {
		_, rest, ok := strings.Cut(r, ":s3:::")
		_, key, _ := strings.Cut(rest, "/")
		if open, wild := strings.CutSuffix(key, "*"); ok && wild && openEnd(open) {
			l.add(PrefixSlash, "Resource", fmt.Sprintf("allows %s, which also opens %q", r, open+"-other/"), "write "+strings.TrimSuffix(r, "*")+"/*")
		}
	}
}

// openEnd reports whether a prefix is there and ends within a name. One that
// ends in a variable or a wildcard of its own is as it is meant.
func openEnd(prefix string) bool {
	return prefix != "" && !strings.HasSuffix(prefix, "/") && !strings.HasSuffix(prefix, "}") && !iampolicy.HasWildcard(prefix)
}
