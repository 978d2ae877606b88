package describe

import (
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// Spare is what was made by hand and is said by shares: a statement of a bucket's
// policy, or a policy of a role.
type Spare struct {
	Account string
	Bucket  string // of a role's policy: one of those that it is about
	Role    string // empty: it is a statement of the bucket's policy
	What    string // such as `statement "Readers"` or "inline policy own"
}

// saying is what a statement of a bucket policy says, where all of it is grants.
type saying struct {
	spare  Spare
	grants []*grant
	rights rights
}

// spare are the statements, and the policies of roles, all of which shares say.
func (r *reader) spare(grants []*grant) (list []Spare) {
	for _, s := range r.sayings {
		if !slices.ContainsFunc(s.grants, func(g *grant) bool { return !g.said.covers(g.effectual(s.rights)) }) {
			list = append(list, s.spare)
		}
	}
	byRole := map[*plan.LiveRole][]*grant{}
	var roles []*plan.LiveRole
	for _, g := range grants {
		if g.live != nil && g.said != nil {
			if byRole[g.live] == nil {
				roles = append(roles, g.live)
			}
			byRole[g.live] = append(byRole[g.live], g)
		}
	}
	for _, role := range roles {
		account := byRole[role][0].consumer.ID
		add := func(what string, document []byte) {
			if bucket := r.isSaid(document, byRole[role]); bucket != "" {
				list = append(list, Spare{account, bucket, role.Name, what})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
			add("inline policy "+name, role.Inline[name])
		}
		for _, arn := range role.Attached {
			if p := r.snapshots[account].Policies[arn]; p != nil {
				add("managed policy "+p.Name, p.Document)
			}
		}
	}
	return list
}

// isSaid is a bucket that a role's policy is about where the role's grants say all
// that the policy does; else empty.
func (r *reader) isSaid(document []byte, grants []*grant) (bucket string) {
	d, err := iampolicy.ParseLive(document)
	if err != nil || len(d.Statements) == 0 {
		return ""
	}
	for _, s := range d.Statements {
		if s.Effect != iampolicy.Allow || r.plan.Ours(s.Sid) || len(s.Resource) == 0 || slices.ContainsFunc(s.Action, isMore) {
			return ""
		}
		for _, resource := range s.Resource {
			name, _, _ := strings.Cut(strings.TrimPrefix(resource, plan.BucketARN(r.plan.Partition, "")), "/")
			at := slices.IndexFunc(grants, func(g *grant) bool { return g.bucket == name })
			if at < 0 {
				return ""
			}
			given, unsaid := allowed(s, plan.BucketARN(r.plan.Partition, name))
			if unsaid != "" || !grants[at].said.covers(grants[at].effectual(given)) {
				return ""
			}
			bucket = name
		}
	}
	return bucket
}

// isMore reports whether a pattern of actions stands for more than actions on
// buckets and objects.
func isMore(pattern string) bool {
	if !strings.HasPrefix(strings.ToLower(pattern), "s3:") {
		return true
	}
	return slices.ContainsFunc(iampolicy.MatchS3Actions(pattern), func(a iampolicy.S3Action) bool {
		return a.Level != iampolicy.BucketLevel && a.Level != iampolicy.ObjectLevel
	})
}
