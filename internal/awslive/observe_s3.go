package awslive

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// readS3 lists the account's buckets, unless all that are wanted are known to
// be there, and reads the wanted ones and, in a sweep, those with our tag.
func (r *reader) readS3(ctx context.Context) {
	regions := map[string]string{}
	for _, want := range r.want.Buckets {
		regions[want.Name] = want.Region
	}
	unknown := slices.ContainsFunc(r.want.Buckets, func(w plan.BucketWant) bool { return w.Region == "" })
	if unknown || r.want.List || len(r.want.Sweep) > 0 {
		var err error
		if regions, err = r.listBuckets(ctx); err != nil {
			r.fail(plan.ScopeS3, err)
			return
		}
		r.note(func(snap *plan.Snapshot) { snap.Listed = regions })
	}
	found := r.tagged(ctx, regions)
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for _, name := range found {
		g.Go(func() error {
			if err := r.readBucket(ctx, name, regions[name], func([]byte) bool { return true }); err != nil {
				r.fail(plan.ScopeBucket+name, err)
			}
			return nil
		})
	}
	for _, name := range r.unasked(found) {
		g.Go(func() error {
			r.searchBucket(ctx, name, regions[name])
			return nil
		})
	}
	for _, want := range r.want.Buckets {
		g.Go(func() error {
			var err error
			if region, ok := regions[want.Name]; ok {
				// Where its policy has a Sid of ours, that is the mark.
				err = r.readBucket(ctx, want.Name, region, func(policy []byte) bool { return want.Tags || want.Create && !r.hasOurs(policy) })
			} else if want.Create {
				err = r.readName(ctx, want.Name)
			}
			if err != nil {
				r.fail(plan.ScopeBucket+want.Name, err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures are noted
}

// listBuckets are the account's buckets and their regions. S3 tells the region
// only if some parameter is sent.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (r *reader) listBuckets(ctx context.Context) (map[string]string, error) {
	regions := map[string]string{}
	pages := s3.NewListBucketsPaginator(r.s3(""), &s3.ListBucketsInput{MaxBuckets: aws.Int32(10_000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.failed(err, "", "the account's buckets")
		}
		for _, b := range page.Buckets {
			regions[aws.ToString(b.Name)] = aws.ToString(b.BucketRegion)
		}
	}
	return regions, nil
}

// readBucket reads a bucket's policy, its tags where the policy makes them
// needed, and what is blocked of public access where the policy is public.
func (r *reader) readBucket(ctx context.Context, name, region string, needsTags func(policy []byte) bool) error {
	if region == "" {
		var err error
		if region, err = r.bucketRegion(ctx, name); err != nil {
			return err
		}
	}
	r.client.setRegion(name, region)
	policy, err := r.bucketPolicy(ctx, name, region)
	if err != nil {
		return err
	}
	bucket := &plan.LiveBucket{Name: name, Region: region, Policy: policy}
	if needsTags(policy) {
		if bucket.Tags, err = r.bucketTags(ctx, name, region); err != nil {
			return err
		}
	}
	switch {
	case r.want.Proof:
		r.readForProof(ctx, bucket)
	case isPublic(policy):
		if bucket.PublicAccessBlock, err = r.publicAccessBlock(ctx, name, region); err != nil {
			return err
		}
	}
	r.note(func(snap *plan.Snapshot) { snap.Buckets[name] = bucket })
	return nil
}

// isPublic reports whether a policy is public to S3. One that cannot be read is
// told of where it is compared.
func isPublic(policy []byte) bool {
	if policy == nil {
		return false
	}
	d, err := iampolicy.ParseLive(policy)
	if err != nil {
		return false
	}
	public, _ := iampolicy.Public(d)
	return public
}

// publicAccessBlock reads the bucket's own setting, whose absence means that
// it blocks nothing. The account's is not read.
func (r *reader) publicAccessBlock(ctx context.Context, bucket, region string) (*plan.PublicAccessBlock, error) {
	out, err := r.s3(region).GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{
		Bucket: &bucket, ExpectedBucketOwner: &r.account.ID,
	})
	switch {
	case isCode(err, "NoSuchPublicAccessBlockConfiguration"):
		return &plan.PublicAccessBlock{}, nil
	case err != nil:
		return nil, r.failed(err, region, bucketARN(r.client, bucket))
	case out.PublicAccessBlockConfiguration == nil:
		return &plan.PublicAccessBlock{}, nil
	}
	c := out.PublicAccessBlockConfiguration
	return &plan.PublicAccessBlock{
		BlockPublicACLs: aws.ToBool(c.BlockPublicAcls), IgnorePublicACLs: aws.ToBool(c.IgnorePublicAcls),
		BlockPublicPolicy: aws.ToBool(c.BlockPublicPolicy), RestrictPublicBuckets: aws.ToBool(c.RestrictPublicBuckets),
	}, nil
}

// readName finds out whether a bucket that is not in this account has its name
// taken by another account.
func (r *reader) readName(ctx context.Context, bucket string) error {
	_, err := r.s3("").HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	switch statusOf(err) {
	case http.StatusNotFound:
		return nil
	case http.StatusForbidden, http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		err = nil
	}
	if err == nil {
		r.note(func(snap *plan.Snapshot) { snap.Taken[bucket] = true })
	}
	return r.failed(err, "", bucketARN(r.client, bucket))
}

// bucketPolicy reads a bucket's policy; nil: it has none. Only
// NoSuchBucketPolicy means that: a denied read is not absence.
func (s *session) bucketPolicy(ctx context.Context, bucket, region string) ([]byte, error) {
	out, err := s.s3(region).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{
		Bucket: &bucket, ExpectedBucketOwner: &s.account.ID,
	})
	switch {
	case isCode(err, "NoSuchBucketPolicy"):
		return nil, nil
	case err != nil:
		return nil, s.failed(err, region, bucketARN(s.client, bucket))
	}
	return []byte(aws.ToString(out.Policy)), nil
}

// bucketTags reads a bucket's tags; empty and not nil where it has none.
func (s *session) bucketTags(ctx context.Context, bucket, region string) (map[string]string, error) {
	tags := map[string]string{}
	out, err := s.s3(region).GetBucketTagging(ctx, &s3.GetBucketTaggingInput{
		Bucket: &bucket, ExpectedBucketOwner: &s.account.ID,
	})
	switch {
	case isCode(err, "NoSuchTagSet"):
		return tags, nil
	case err != nil:
		return nil, s.failed(err, region, bucketARN(s.client, bucket))
	}
	for _, t := range out.TagSet {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// bucketRegion asks where a bucket of this account is. S3 tells it in the answer,
// also when that sends the caller to the right region.
func (s *session) bucketRegion(ctx context.Context, bucket string) (string, error) {
	out, err := s.s3("").HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket, ExpectedBucketOwner: &s.account.ID})
	if region := regionIn(out, err); region != "" {
		return region, nil
	}
	if err != nil {
		return "", s.failed(err, "", bucketARN(s.client, bucket))
	}
	return s.region(), nil // an endpoint that has no regions
}

// regionIn is the bucket's region in an answer to HeadBucket; empty where it
// does not tell.
func regionIn(out *s3.HeadBucketOutput, err error) string {
	var answer *smithyhttp.ResponseError
	switch {
	case err == nil:
		return aws.ToString(out.BucketRegion)
	case errors.As(err, &answer) && answer.Response != nil:
		return answer.Response.Header.Get("X-Amz-Bucket-Region")
	}
	return ""
}

// hasOurs reports whether a policy has a statement of ours. One that cannot be
// read has none: what is wrong with it is told where it is compared.
func (s *session) hasOurs(policy []byte) bool {
	if policy == nil {
		return false
	}
	d, err := iampolicy.ParseLive(policy)
	if err != nil {
		return false
	}
	for _, st := range d.Statements {
		if s.client.options.Ours(st.Sid) {
			return true
		}
	}
	return false
}

func bucketARN(c *Client, bucket string) string {
	return plan.BucketARN(c.options.Partition, bucket)
}
