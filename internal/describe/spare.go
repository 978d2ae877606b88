package describe

import (
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Spare is what was made by hand and shares promise: a statement of a bucket's
// policy, or a policy of a role.
type Spare struct {
	Account string
	Bucket  string // empty: it is a policy of a role's
	Role    string // empty: it is a statement of the bucket's policy
	What    string // such as `statement "Readers"` or "inline policy own"
}

// spare are the statements, and the policies of roles, all of which is promised.
// What carries the mark of a repository is nobody's to remove by hand.
func (l *live) spare(statements []statement, promises []promise) (list []Spare) {
	byGrant := map[*grant]rights{}
	byRole := map[string][]promise{}
	for _, p := range promises {
		byGrant[p.grant] = p.rights
		if p.role != nil {
			byRole[p.role.ARN] = append(byRole[p.role.ARN], p)
		}
	}
	for _, s := range statements {
		if !slices.ContainsFunc(s.grants, func(g *grant) bool { return !byGrant[g].covers(g.effectual(s.rights)) }) {
			list = append(list, s.spare)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(byRole)) {
		role, account := byRole[arn][0].role, byRole[arn][0].consumer.ID
		add := func(what string, document []byte) {
			if l.isPromised(document, byRole[arn]) {
				list = append(list, Spare{Account: account, Role: role.Name, What: what})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
			add("inline policy "+name, role.Inline[name])
		}
		for _, attached := range role.Attached {
			if p := l.snapshots[account].Policies[attached]; p != nil {
				add("the attachment of managed policy "+p.Name, p.Document)
			}
		}
	}
	return list
}

// isPromised reports whether promises to a role have all that one of its policies
// says. Of a policy that says anything else, such as a Deny, they have not.
func (l *live) isPromised(document []byte, promises []promise) bool {
	d, err := iampolicy.ParseLive(document)
	if err != nil {
		return false
	}
	for _, s := range d.Statements {
		if s.Effect != iampolicy.Allow || iampolicy.IsMark(s.Sid) || len(s.Resource) == 0 || slices.ContainsFunc(s.Action, isWider) {
			return false
		}
		for _, resource := range s.Resource {
			name, _, _ := strings.Cut(strings.TrimPrefix(resource, l.bucketARN("")), "/")
			at := slices.IndexFunc(promises, func(p promise) bool { return p.bucket == name })
			if at < 0 {
				return false
			}
			given, left := rightsOf(s, l.bucketARN(name))
			if left != "" || !promises[at].rights.covers(promises[at].effectual(given)) {
				return false
			}
		}
	}
	return len(d.Statements) > 0
}

// isWider reports whether a pattern of actions stands for more than actions on
// buckets and objects.
func isWider(pattern string) bool {
	if !strings.HasPrefix(strings.ToLower(pattern), "s3:") {
		return true
	}
	known := iampolicy.MatchS3Actions(pattern)
	return len(known) == 0 || slices.ContainsFunc(known, func(a iampolicy.S3Action) bool {
		return a.Level != iampolicy.BucketLevel && a.Level != iampolicy.ObjectLevel
	})
}
