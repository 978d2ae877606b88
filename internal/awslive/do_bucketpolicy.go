package awslive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How often a bucket policy is written again because somebody else wrote
// between our write and our reading it back.
const policyRounds = 4

// doBucketPolicy makes our statements of a bucket's policy what they should be.
//
// Premise: PutBucketPolicy replaces the whole document and takes no condition
// on what it replaces. So the document is read right before every write,
// retries included, ours are merged into what is there then, and what is there
// afterwards is read back. Another writer between our read and our write loses
// its change and cannot be noticed; one after our write is noticed when it
// undid ours. Never delete to put: a put shortly after a delete may stay
// without effect.
func (d *doing) doBucketPolicy(ctx context.Context) error {
	bucket, region := d.change.Name, d.change.Region
	var ours []iampolicy.Statement
	if want, ok := d.change.Want.(plan.BucketPolicy); ok {
		bucket, ours = want.Bucket, want.Ours
		if want.Region != "" {
			region = want.Region
		}
	}
	if region == "" {
		if region = d.client.regionOf(bucket); region == "" {
			var err error
			if region, err = d.bucketRegion(ctx, bucket); err != nil {
				return err
			}
		}
	}
	w := &policyWrite{doing: d, bucket: bucket, region: region, ours: ours}
	for range policyRounds {
		wrote, err := w.write(ctx)
		if err != nil || !wrote {
			return err
		}
		held, err := d.settles(ctx, func() (bool, error) {
			_, same, err := w.merge(ctx)
			return same, err
		})
		if err != nil || held {
			return err
		}
		d.note("the policy of %s was changed by somebody else at the same time; merged and written again", bucket)
	}
	return fmt.Errorf("%s: the policy of bucket %s does not hold what was written, %d times over: another tool writes it too: end that, then apply again",
		d.account.ID, bucket, policyRounds)
}

// policyWrite is the writing of one bucket's policy.
type policyWrite struct {
	*doing
	bucket string
	region string
	ours   []iampolicy.Statement
	heard  map[string]bool // principals that the live policy names, as last read: S3 knows them
}

// write reads, merges and writes until S3 takes it. It reports false when
// there was nothing to do. The SDK tries no write again: it would send the same
// document, and undo what somebody else wrote since it was read.
func (w *policyWrite) write(ctx context.Context) (wrote bool, err error) {
	var foreign *iampolicy.Document
	repeats := false
	until := func(err error) string {
		if !isInvalidPrincipal(err) {
			return awaited(err)
		}
		return "S3 knows " + nounsOf(w.unheard()...)
	}
	err = w.client.await(ctx, propagation, until, func(err error) bool {
		return isInvalidPrincipal(err) && len(dead(foreign)) == 0 && w.mayBeUnheard(ctx) ||
			isCode(err, "NoSuchBucket") && w.client.knows(bucketARN(w.client, w.bucket)) ||
			isPassing(err)
	}, func() error {
		ctx := ctx
		if repeats {
			ctx = context.WithValue(ctx, repeatKey{}, true)
		}
		merged, same, err := w.merge(ctx)
		if err != nil || same {
			if same && repeats { // the answer to our own write was lost
				w.client.options.Stats.again(0)
			}
			wrote = false
			return err
		}
		foreign = w.foreign(merged)
		wrote, repeats = true, true
		if merged == nil {
			_, err = w.s3(w.region).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{
				Bucket: &w.bucket, ExpectedBucketOwner: &w.account.ID,
			}, onceS3)
		} else {
			_, err = w.s3(w.region).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
				Bucket: &w.bucket, ExpectedBucketOwner: &w.account.ID, Policy: aws.String(string(merged)),
			}, onceS3)
		}
		return err
	})
	if err == nil {
		return wrote, nil
	}
	if ids := dead(foreign); isInvalidPrincipal(err) && len(ids) > 0 {
		return false, w.client.failed(err, w.account.ID, w.region, bucketARN(w.client, w.bucket),
			"statements of the policy that are not ours name principals that were deleted ("+strings.Join(ids, ", ")+"): remove those first, or plan anew with --drop-dead-principals")
	}
	if isInvalidPrincipal(err) {
		return false, w.client.failed(err, w.account.ID, w.region, bucketARN(w.client, w.bucket),
			"one of these does not exist: "+strings.Join(principals(w.ours), ", ")+": see that account id, path and name are right")
	}
	return false, w.failed(err, w.region, bucketARN(w.client, w.bucket))
}

// merge reads the policy and puts our statements into it; same: they are there
// already, under their marks.
func (w *policyWrite) merge(ctx context.Context) (merged []byte, same bool, err error) {
	live, err := w.bucketPolicy(ctx, w.bucket, w.region)
	if err != nil {
		return nil, false, err
	}
	w.heard = map[string]bool{}
	if d, err := iampolicy.ParseLive(live); err == nil { // an error is told by the merge
		for _, p := range principals(d.Statements) {
			w.heard[p] = true
		}
	}
	merged, err = w.change.Merge(live, w.client.options.Ours, w.ours)
	if err != nil {
		return nil, false, fmt.Errorf("%s: the policy of bucket %s cannot be merged with ours: %w", w.account.ID, w.bucket, err)
	}
	same, err = w.client.sameDocument(live, merged)
	if err != nil {
		return nil, false, fmt.Errorf("%s: the policy of bucket %s: %w", w.account.ID, w.bucket, err)
	}
	return merged, same, nil
}

// sameDocument reports whether two documents mean the same, our statements by
// themselves too, and hold the same marks of ours: what a foreign statement says
// as well is ours only where ours says it. Nil is no document.
func (c *Client) sameDocument(a, b []byte) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	da, err := iampolicy.ParseLive(a)
	if err != nil {
		return false, err
	}
	db, err := iampolicy.ParseLive(b)
	if err != nil {
		return false, err
	}
	oursA, oursB := c.part(da, true), c.part(db, true)
	return iampolicy.Equal(da, db) && iampolicy.Equal(oursA, oursB) && maps.Equal(sids(oursA), sids(oursB)), nil
}

// part is the document of those statements of another that are ours, or not.
func (c *Client) part(d *iampolicy.Document, ours bool) *iampolicy.Document {
	part := &iampolicy.Document{Version: d.Version}
	for _, s := range d.Statements {
		if c.options.Ours(s.Sid) == ours {
			part.Statements = append(part.Statements, s)
		}
	}
	return part
}

func sids(d *iampolicy.Document) map[string]bool {
	in := map[string]bool{}
	for _, s := range d.Statements {
		in[s.Sid] = true
	}
	return in
}

// foreign are the statements of a document that are not ours.
func (w *policyWrite) foreign(text []byte) *iampolicy.Document {
	if text == nil {
		return nil
	}
	d, err := iampolicy.ParseLive(text)
	if err != nil {
		return nil
	}
	return w.client.part(d, false)
}

// dead are the ids of deleted principals that a document names.
func dead(d *iampolicy.Document) []string {
	if d == nil {
		return nil
	}
	var ids []string
	for _, p := range principals(d.Statements) {
		if iampolicy.IsEntityID(p) {
			ids = append(ids, p)
		}
	}
	return ids
}

// principals are the AWS principals that statements name.
func principals(statements []iampolicy.Statement) []string {
	var names []string
	for _, s := range statements {
		for _, p := range []*iampolicy.Principals{s.Principal, s.NotPrincipal} {
			if p != nil {
				names = append(names, p.AWS...)
			}
		}
	}
	return names
}

// mayBeUnheard reports whether S3 may only not have heard yet of a principal that
// the write adds: one that exists. Whether a partner's role does cannot be asked,
// so it is waited for only along with one of ours.
func (w *policyWrite) mayBeUnheard(ctx context.Context) bool {
	unheard := w.unheard()
	return len(unheard) > 0 && !slices.ContainsFunc(unheard, func(p string) bool { return !w.client.roleExists(ctx, p) })
}

// unheard are the principals of ours that the live policy does not name,
// without those of partners.
func (w *policyWrite) unheard() []string {
	var list []string
	for _, p := range principals(w.ours) {
		s := w.client.sessions[iampolicy.CutARN(p).Account]
		if w.heard[p] || s != nil && !s.account.Manage || slices.Contains(list, p) {
			continue
		}
		list = append(list, p)
	}
	return list
}

// onceS3 makes the SDK try a call once.
func onceS3(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// isPassing reports whether the SDK would try again after an error.
func isPassing(err error) bool { return newRetryer().IsErrorRetryable(err) }

// roleExists reports whether a role is there: this client saw it or made it,
// or IAM says so now.
func (c *Client) roleExists(ctx context.Context, arn string) bool {
	if c.knows(arn) {
		return true
	}
	_, resource, _ := strings.Cut(arn, ":role/")
	s, err := c.session(iampolicy.CutARN(arn).Account)
	if err != nil || resource == "" || s.ready(ctx) != nil {
		return false
	}
	name := resource[strings.LastIndex(resource, "/")+1:]
	out, err := s.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil || aws.ToString(out.Role.Arn) != arn {
		return false
	}
	c.remember(arn)
	return true
}
