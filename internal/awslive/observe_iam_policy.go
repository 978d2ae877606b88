package awslive

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/plan"
)

// readPolicyTags reads the tags of the wanted policies whose documents have no
// Sid of ours: bulk reads leave a policy's tags out, and somebody may have
// replaced the document of one that carries our tag.
func (r *reader) readPolicyTags(ctx context.Context) {
	var unmarked []*plan.LivePolicy
	r.note(func(snap *plan.Snapshot) {
		for _, arn := range r.want.Policies {
			if p := snap.Policies[arn]; p != nil && !r.hasOurs(p.Document) {
				unmarked = append(unmarked, p)
			}
		}
	})
	fail := r.fail
	if r.want.Proof { // to which nothing but the words of a mend hangs on it
		fail = r.unread
	}
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for _, p := range unmarked {
		g.Go(func() error {
			// ListPolicyTags would do, but this the deploy role may do anyway.
			out, err := r.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &p.ARN})
			switch {
			case isCode(err, "NoSuchEntity"): // gone since it was listed
				r.note(func(snap *plan.Snapshot) { delete(snap.Policies, p.ARN) })
			case err != nil:
				fail(plan.ScopePolicy+p.Name, r.failed(err, "", p.ARN))
			default:
				r.note(func(*plan.Snapshot) { p.Tags = iamTags(out.Policy.Tags) })
			}
			return nil
		})
	}
	_ = g.Wait() // failures are noted
}
