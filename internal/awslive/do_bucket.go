package awslive

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xshare/xshare/plan"
)

// doBucket creates a bucket, or puts our tags on one that exists. Nothing else
// of an existing bucket is ever configured.
func (d *doing) doBucket(ctx context.Context, want plan.Bucket) error {
	if d.change.Existing {
		return fmt.Errorf("%s: an existing bucket is never configured: plan anew", d.change.ID)
	}
	region := want.Region
	if region == "" {
		region = d.region()
	}
	exists, err := d.bucketExists(ctx, want.Name, region)
	if err != nil {
		return err
	}
	if exists {
		return d.tagBucket(ctx, want, region)
	}
	if err := d.createBucket(ctx, want, region); err != nil {
		return err
	}
	d.client.setRegion(want.Name, region)
	d.client.remember(bucketARN(d.client, want.Name))
	// An endpoint may leave out what AWS gives every new bucket.
	for _, complete := range []func(context.Context, plan.Bucket, string) error{
		d.tagNewBucket, d.blockPublicAccess, d.enforceOwner, d.encrypt,
	} {
		err := d.heard(ctx, isNoBucket, func() error { return complete(ctx, want, region) }, bucketARN(d.client, want.Name))
		if err != nil {
			return d.failed(err, region, bucketARN(d.client, want.Name))
		}
	}
	return nil
}

func isNoBucket(err error) bool { return isCode(err, "NoSuchBucket") }

// bucketExists asks before a bucket is created: in us-east-1 creating one's own
// bucket again is answered with success, and resets its ACL.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (d *doing) bucketExists(ctx context.Context, bucket, region string) (bool, error) {
	_, err := d.s3(region).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket, ExpectedBucketOwner: &d.account.ID})
	switch statusOf(err) {
	case 0:
		if err == nil {
			return true, nil
		}
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden:
		return false, d.client.failed(err, d.account.ID, region, bucketARN(d.client, bucket),
			"another account has a bucket of that name, or "+d.principal()+" lacks s3:ListBucket: choose another name, or allow it")
	}
	return false, d.failed(err, region, bucketARN(d.client, bucket))
}

// createBucket creates it with its mark in the same call, so that a crash
// leaves no unmarked bucket.
func (d *doing) createBucket(ctx context.Context, want plan.Bucket, region string) error {
	config := &types.CreateBucketConfiguration{Tags: bucketTagList(want.Tags)}
	if region != "us-east-1" {
		config.LocationConstraint = types.BucketLocationConstraint(region)
	}
	_, err := d.s3(region).CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: &want.Name, CreateBucketConfiguration: config,
	})
	if !isCode(err, "BucketAlreadyOwnedByYou") {
		return d.failed(err, region, bucketARN(d.client, want.Name))
	}
	// It was not there a moment ago: the answer to our own call was lost, or
	// somebody else in the account was faster.
	live, err := d.bucketTags(ctx, want.Name, region)
	if err == nil && !d.client.marked(live) {
		err = d.foreignError("bucket " + want.Name)
	}
	return err
}

func (d *doing) tagNewBucket(ctx context.Context, want plan.Bucket, region string) error {
	live, err := d.bucketTags(ctx, want.Name, region)
	if err != nil {
		return err
	}
	// Ours is new: who has tagged it made it, just before us. In us-east-1
	// creating it again is answered with success.
	if len(live) > 0 && !d.client.marked(live) {
		return d.foreignError("bucket " + want.Name)
	}
	return d.putTags(ctx, want, live, region)
}

// tagBucket puts our tags on a bucket that exists, if it is ours or is taken over.
func (d *doing) tagBucket(ctx context.Context, want plan.Bucket, region string) error {
	d.client.setRegion(want.Name, region)
	live, err := d.bucketTags(ctx, want.Name, region)
	if err != nil {
		return err
	}
	other, isMarked := live[plan.RepositoryTag]
	switch {
	case isMarked && !d.client.marked(live):
		return fmt.Errorf("%s: bucket %s is marked by the repository %s: two repositories cannot both create it", d.account.ID, want.Name, other)
	case !isMarked && d.change.Action == plan.Create:
		return d.foreignError("bucket " + want.Name)
	}
	return d.putTags(ctx, want, live, region)
}

// putTags merges: PutBucketTagging replaces all tags that are there.
func (d *doing) putTags(ctx context.Context, want plan.Bucket, live map[string]string, region string) error {
	if len(plan.MissingTags(want.Tags, live)) == 0 {
		return nil
	}
	all := maps.Clone(live)
	maps.Copy(all, want.Tags)
	_, err := d.s3(region).PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
		Tagging: &types.Tagging{TagSet: bucketTagList(all)},
	})
	return d.failed(err, region, bucketARN(d.client, want.Name))
}

func bucketTagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

func (d *doing) blockPublicAccess(ctx context.Context, want plan.Bucket, region string) error {
	out, err := d.s3(region).GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
	})
	if err != nil && !isCode(err, "NoSuchPublicAccessBlockConfiguration") {
		return err
	}
	if err == nil && out.PublicAccessBlockConfiguration != nil {
		c := out.PublicAccessBlockConfiguration
		if aws.ToBool(c.BlockPublicAcls) && aws.ToBool(c.BlockPublicPolicy) && aws.ToBool(c.IgnorePublicAcls) && aws.ToBool(c.RestrictPublicBuckets) {
			return nil
		}
	}
	yes := aws.Bool(true)
	_, err = d.s3(region).PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes,
		},
	})
	return err
}

func (d *doing) enforceOwner(ctx context.Context, want plan.Bucket, region string) error {
	out, err := d.s3(region).GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
	})
	if err != nil && !isCode(err, "OwnershipControlsNotFoundError") {
		return err
	}
	if err == nil && out.OwnershipControls != nil && slices.ContainsFunc(out.OwnershipControls.Rules, func(r types.OwnershipControlsRule) bool {
		return r.ObjectOwnership == types.ObjectOwnershipBucketOwnerEnforced
	}) {
		return nil
	}
	_, err = d.s3(region).PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
		OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{
			{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced},
		}},
	})
	return err
}

func (d *doing) encrypt(ctx context.Context, want plan.Bucket, region string) error {
	out, err := d.s3(region).GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
	})
	if err != nil && !isCode(err, "ServerSideEncryptionConfigurationNotFoundError") {
		return err
	}
	if err == nil && out.ServerSideEncryptionConfiguration != nil && len(out.ServerSideEncryptionConfiguration.Rules) > 0 {
		return nil // whatever it is, it encrypts
	}
	_, err = d.s3(region).PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: &want.Name, ExpectedBucketOwner: &d.account.ID,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		}}},
	})
	return err
}
