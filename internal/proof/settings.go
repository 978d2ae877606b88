package proof

import (
	"fmt"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// restriction is Block Public Access's RestrictPublicBuckets in effect: as long
// as the bucket's policy is public, no other account gets in. The stricter of
// account and bucket counts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
type restriction struct {
	on     bool
	by     string // who says so: "the bucket", "account 111111111111" or both
	unread string // why it is not known; empty: it is
}

// It is asked for where the policy, as it was read, is public; what is settled
// of conditions for a decision must not make it so.
func (p *prover) restriction(account string, bucket *plan.LiveBucket, policy side) restriction {
	snap := p.snapshots[account]
	if snap == nil || bucket == nil || len(policy.policies) == 0 {
		return restriction{} // there is no policy, or it is not known
	}
	if public, _ := iampolicy.Public(policy.policies[0].Document); !public {
		return restriction{}
	}
	var by []string
	r := restriction{}
	for _, of := range []struct {
		block       *plan.PublicAccessBlock
		scope, name string
	}{
		{bucket.PublicAccessBlock, plan.ScopeBucketBlock + bucket.Name, "bucket " + bucket.Name},
		{snap.PublicAccessBlock, plan.ScopeAccountBlock, "account " + account},
	} {
		switch f := snap.NotRead(of.scope); {
		case of.block != nil && of.block.RestrictPublicBuckets:
			by = append(by, of.name)
		case of.block != nil:
		case f != nil:
			r.unread = fmt.Sprintf("Block Public Access of %s, which cannot be read: %s", of.name, because(f))
		default:
			r.unread = fmt.Sprintf("Block Public Access of %s, which was not read", of.name)
		}
	}
	if len(by) > 0 {
		r = restriction{on: true, by: strings.Join(by, " and ")}
	}
	return r
}

// blocked tells of the public statement for which other accounts are kept out.
func (f *findings) blocked() string {
	g := f.grant
	_, why := iampolicy.Public(f.sides.resource.policies[0].Document)
	statement := statementName(why.Statement, why.Sid)
	f.addOnce(Cause{
		Code: BlockPublicAccess, Account: g.Bucket.Account.ID, Resource: f.bucketARN(),
		Message: fmt.Sprintf("%s of the policy of bucket %s in account %s is public, and Block Public Access of %s then keeps out every other account, those that the policy names too",
			statement, g.Bucket.Name, g.Bucket.Account.ID, f.sides.block.by),
		Mend: fmt.Sprintf("limit %s to principals, or to fixed values of a condition such as aws:PrincipalOrgID, or take it out; that is better than to turn off RestrictPublicBuckets", statement),
	})
	return statement + " makes the bucket policy public, and Block Public Access then keeps out other accounts"
}

// unowned says why a bucket policy that allows an action may not open all of
// the objects: it decides only about those that the bucket's owner owns. Empty:
// it does.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func (s *sides) unowned(action string) string {
	a, ok := iampolicy.LookupS3Action(action)
	// What writes makes an object, or is decided by the bucket.
	if !ok || a.Level != iampolicy.ObjectLevel || a.Access == iampolicy.AccessWrite || a.Access == iampolicy.AccessList || s.bucket == nil {
		return ""
	}
	switch name := s.bucket.Name; {
	case s.ownershipUnread != "":
		return s.ownershipUnread
	case s.bucket.Ownership == plan.BucketOwnerEnforced:
		return ""
	default:
		return fmt.Sprintf("objects of bucket %s that another account has written and owns: its Object Ownership is %s, so their ACLs decide, which no policy shows; set it to %s",
			name, s.bucket.Ownership, plan.BucketOwnerEnforced)
	}
}

func (p *prover) ownershipUnread(account string, bucket *plan.LiveBucket) string {
	snap := p.snapshots[account]
	if snap == nil || bucket == nil || bucket.Ownership != plan.OwnershipUnread {
		return ""
	}
	what := "who owns the objects of bucket " + bucket.Name + ", "
	if f := snap.NotRead(plan.ScopeOwnership + bucket.Name); f != nil {
		return what + "which cannot be read: " + because(f)
	}
	return what + "which was not read"
}
