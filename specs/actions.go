package specs

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// actions builds the further actions of a consumer.
func (l *loader) actions(share *Share, c *Consumer, raw *rawConsumer) {
	seen := map[string]Pos{}
	for _, t := range raw.actions.items {
		if !t.ok() {
			continue
		}
		service, _, found := strings.Cut(t.value, ":")
		if strings.ContainsAny(t.value, "*?") {
			l.fail(codeAction, t.pos, "write each action that is needed", "the action %s has a wildcard", quote(t.value))
			continue
		}
		if found && !strings.EqualFold(service, "s3") {
			l.fail(codeAction, t.pos, "write S3 actions only", "the action %s is not one of S3", quote(t.value))
			continue
		}
		known, ok := iampolicy.LookupS3Action(t.value)
		switch {
		case !found:
			l.fail(codeAction, t.pos, "write "+quote("s3:"+t.value), "the action %s lacks its service", quote(t.value))
		case !ok:
			mend := "look it up in AWS's list of actions for Amazon S3"
			if near := iampolicy.NearestAction(t.value); near != "" {
				mend = "did you mean " + near + "?"
			}
			l.fail(codeAction, t.pos, mend, "the action %s does not exist", quote(t.value))
		case known.Level == iampolicy.AccountLevel:
			l.fail(codeAction, t.pos, "take it out", "the action %s works on the whole account, not on a bucket or its objects", quote(t.value))
		case known.Level == iampolicy.OtherLevel:
			l.fail(codeAction, t.pos, "take it out", "the action %s works on neither a bucket nor its objects", quote(t.value))
		default:
			t.value = known.Name
			if l.once(seen, t, "the action") {
				c.Actions = append(c.Actions, known.Name)
				l.lintAction(share, c, known, t.pos, raw.prefixes.stated())
			}
		}
	}
	slices.Sort(c.Actions)
}

// lintAction looks for an action that cannot work, or opens more than a consumer
// is likely meant to have; held: there are prefixes.
func (l *loader) lintAction(share *Share, c *Consumer, action iampolicy.S3Action, pos Pos, held bool) {
	owner, name, bucket := share.Bucket.Account, action.Name, quote(share.Bucket.Name)
	crossAccount := owner != nil && c.Account != nil && owner != c.Account
	onBucket := held && action.Level == iampolicy.BucketLevel
	const notHeld = "take it out, or the prefixes, if the whole bucket is meant"
	switch {
	case crossAccount && iampolicy.OwnersOnly(name):
		l.lint(lintOwnersOnly, pos, "take it out", "the action %s is for the bucket's own account only, whatever policies say, and role %s is of another", name, quote(c.Role.Name))
	case crossAccount && action.Access == iampolicy.AccessPermissions:
		l.warn(lintPermissionsManagement, pos, "take it out, and change permissions from the bucket's account", "by the action %s role %s of another account can change who has access to bucket %s", name, quote(c.Role.Name), bucket)
	case onBucket && slices.Contains([]iampolicy.S3Access{iampolicy.AccessWrite, iampolicy.AccessPermissions, iampolicy.AccessTagging}, action.Access):
		l.warn(lintPrefixUnheld, pos, notHeld, "the action %s changes all of bucket %s, and the consumer is held to prefixes", name, bucket)
	case onBucket && name == "s3:ListBucketMultipartUploads":
		l.warn(lintPrefixUnheld, pos, notHeld, "the action %s shows the keys of uploads to all of bucket %s, as S3 has no prefix for it, and the consumer is held to prefixes", name, bucket)
	}
}
