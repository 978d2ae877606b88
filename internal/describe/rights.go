package describe

import (
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// rights are what somebody may do with one bucket: by action where, as prefixes;
// "" is all of the bucket. No prefix lies in another of the same action.
type rights map[string][]string

func (r rights) add(action, place string) {
	places := r[action]
	if slices.ContainsFunc(places, func(p string) bool { return strings.HasPrefix(place, p) }) {
		return
	}
	places = slices.DeleteFunc(places, func(p string) bool { return strings.HasPrefix(p, place) })
	r[action] = append(places, place)
}

func (r rights) addAll(more rights) {
	for action, places := range more {
		for _, place := range places {
			r.add(action, place)
		}
	}
}

// together is what either may.
func together(a, b rights) rights {
	all := rights{}
	all.addAll(a)
	all.addAll(b)
	return all
}

// meet is what both may.
func meet(a, b rights) rights {
	both := rights{}
	for action, places := range a {
		for _, x := range places {
			for _, y := range b[action] {
				switch {
				case strings.HasPrefix(x, y):
					both.add(action, x)
				case strings.HasPrefix(y, x):
					both.add(action, y)
				}
			}
		}
	}
	return both
}

// covers reports whether all of other is among the rights.
func (r rights) covers(other rights) bool {
	return maps.EqualFunc(meet(r, other), other, func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	})
}

// beyond are the actions of which the rights hold more than other's, sorted.
func (r rights) beyond(other rights) []string {
	var more []string
	for _, action := range slices.Sorted(maps.Keys(r)) {
		if !other.covers(rights{action: r[action]}) {
			more = append(more, action)
		}
	}
	return more
}

// rightsOf are the rights that an Allow statement gives on a bucket, as far as a
// share can give them: on all of the bucket or under prefixes. left is what else
// it says of the bucket; empty: nothing.
func rightsOf(s iampolicy.Statement, bucketARN string) (r rights, left string) {
	r = rights{}
	prefixes, left := heldTo(s.Condition)
	switch {
	case left != "":
		return r, left
	case len(s.NotAction) > 0:
		return r, "it has NotAction"
	case len(s.NotResource) > 0:
		return r, "it has NotResource"
	case len(s.Unknown) > 0:
		return r, "it has " + s.Unknown[0].Name + ", which is not known"
	}
	for _, pattern := range s.Action {
		if len(iampolicy.MatchS3Actions(pattern)) == 0 && mayBeS3(pattern) {
			left = "its action " + pattern + " is not known"
		}
	}
	for _, resource := range s.Resource {
		onBucket := resource == "*" || sameStart(resource, bucketARN) && iampolicy.MatchText(resource, bucketARN)
		place, onObjects, partly := under(resource, bucketARN+"/")
		for _, pattern := range s.Action {
			for _, action := range iampolicy.MatchS3Actions(pattern) {
				switch {
				case action.Level == iampolicy.BucketLevel && onBucket && prefixes == nil:
					r.add(action.Name, "")
				case action.Level == iampolicy.BucketLevel && onBucket && iampolicy.SendsPrefix(action.Name):
					for _, p := range prefixes {
						r.add(action.Name, p)
					}
				case action.Level == iampolicy.ObjectLevel && prefixes == nil && onObjects:
					r.add(action.Name, place)
				case action.Level == iampolicy.ObjectLevel && prefixes == nil && partly:
					left = "its resource " + resource + " is neither the whole bucket nor what lies under a prefix that ends in a slash"
				}
			}
		}
	}
	return r, left
}

// mayBeS3 reports whether a pattern of actions may be for actions of S3.
func mayBeS3(pattern string) bool {
	service, _, ok := strings.Cut(pattern, ":")
	return !ok || iampolicy.MatchText(strings.ToLower(service), "s3")
}

// heldTo are the prefixes that a statement's condition holds lists to; nil: it has
// no condition. left is the condition that a share cannot say.
func heldTo(conditions []iampolicy.Condition) (prefixes []string, left string) {
	for _, c := range conditions {
		switch {
		case len(conditions) > 1 || !strings.EqualFold(c.Key, "s3:prefix") || !strings.EqualFold(c.Operator, "StringLike"):
			return nil, "it has a condition on " + c.Key
		case len(c.Values) == 0:
			return nil, "its condition on " + c.Key + " has no values, so it never holds"
		}
		for _, v := range c.Values {
			p := strings.TrimSuffix(v, "*")
			switch {
			case specs.IsPrefix(p) && p != v:
				prefixes = append(prefixes, p)
			case !slices.Contains(c.Values, v+"*") || !specs.IsPrefix(v):
				return nil, "its condition has the prefix " + v + ", where a share's are such as incoming/ and incoming/*"
			}
		}
	}
	return prefixes, ""
}

// under reports where below a bucket a pattern matches every object: place is ""
// for all of it. partly: it may match some objects of the bucket, and that cannot
// be said by a prefix.
func under(pattern, objects string) (place string, all, partly bool) {
	if pattern == "*" {
		return "", true, false
	}
	stem, open := strings.CutSuffix(pattern, "*")
	if !open || !sameStart(pattern, objects) {
		return "", false, mayMeet(pattern, objects)
	}
	for end := range len(objects) + 1 {
		if iampolicy.MatchText(stem, objects[:end]) {
			return "", true, false
		}
	}
	if place, below := strings.CutPrefix(stem, objects); below && specs.IsPrefix(place) {
		return place, true, false
	}
	return "", false, mayMeet(pattern, objects)
}

// sameStart reports whether a pattern is for ARNs of the same partition and
// service, in so many words: a wildcard does not go beyond its part of an ARN.
func sameStart(pattern, arn string) bool {
	start := arn[:strings.LastIndexByte(arn, ':')+1]
	return strings.HasPrefix(pattern, start)
}

// mayMeet reports whether a pattern may match something that begins so.
func mayMeet(pattern, start string) bool {
	end := strings.IndexAny(pattern, "*?$")
	if end < 0 {
		return strings.HasPrefix(pattern, start)
	}
	return strings.HasPrefix(pattern[:end], start) || strings.HasPrefix(start, pattern[:end])
}
