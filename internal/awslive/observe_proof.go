package awslive

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// unread notes a read for a proof that gave no answer. It fails nothing.
func (r *reader) unread(scope string, err error) {
	f := failureOf(scope, err)
	r.note(func(snap *plan.Snapshot) { snap.Unread = append(snap.Unread, f) })
}

// failureOf is a read that gave no answer, as it is told.
func failureOf(scope string, err error) plan.ReadFailure {
	f := plan.ReadFailure{Scope: scope, Code: codeOf(err), Message: err.Error()}
	var e *executor.APIError
	if errors.As(err, &e) {
		f.Message, f.Mend = e.What(), e.Mend
		if f.Code == "" {
			f.Code = e.Code
		}
	}
	return f
}

// readForProof reads of a bucket what decides whether its policy has effect:
// what is blocked of public access, who owns its objects, and their key.
func (r *reader) readForProof(ctx context.Context, bucket *plan.LiveBucket) {
	var g errgroup.Group
	if bucket.PublicAccessBlock == nil {
		g.Go(func() error {
			block, err := r.publicAccessBlock(ctx, bucket.Name, bucket.Region)
			if err != nil {
				r.unread(plan.ScopeBucketBlock+bucket.Name, err)
			}
			bucket.PublicAccessBlock = block
			return nil
		})
	}
	g.Go(func() error {
		ownership, err := r.ownership(ctx, bucket.Name, bucket.Region)
		if err != nil {
			r.unread(plan.ScopeOwnership+bucket.Name, err)
		}
		bucket.Ownership = ownership
		return nil
	})
	g.Go(func() error {
		encryption, err := r.encryption(ctx, bucket.Name, bucket.Region)
		if err != nil {
			r.unread(plan.ScopeEncryption+bucket.Name, err)
		}
		bucket.Encryption = encryption
		return nil
	})
	_ = g.Wait() // failures are noted
}

// ownership reads who owns a bucket's objects. A bucket without the setting is
// one from before there was one: who writes an object owns it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func (s *session) ownership(ctx context.Context, bucket, region string) (plan.Ownership, error) {
	out, err := s.s3(region).GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{
		Bucket: &bucket, ExpectedBucketOwner: &s.account.ID,
	})
	switch {
	case isCode(err, "OwnershipControlsNotFoundError"):
		return plan.ObjectWriter, nil
	case err != nil:
		return plan.OwnershipUnread, s.failed(err, region, bucketARN(s.client, bucket))
	case out.OwnershipControls == nil || len(out.OwnershipControls.Rules) == 0:
		return plan.ObjectWriter, nil
	}
	return plan.Ownership(out.OwnershipControls.Rules[0].ObjectOwnership), nil
}

// encryption reads a bucket's default encryption; without one it is SSE-S3.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
func (s *session) encryption(ctx context.Context, bucket, region string) (*plan.Encryption, error) {
	out, err := s.s3(region).GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{
		Bucket: &bucket, ExpectedBucketOwner: &s.account.ID,
	})
	none := &plan.Encryption{Algorithm: "AES256"}
	switch {
	case isCode(err, "ServerSideEncryptionConfigurationNotFoundError"):
		return none, nil
	case err != nil:
		return nil, s.failed(err, region, bucketARN(s.client, bucket))
	case out.ServerSideEncryptionConfiguration == nil:
		return none, nil
	}
	for _, rule := range out.ServerSideEncryptionConfiguration.Rules {
		if d := rule.ApplyServerSideEncryptionByDefault; d != nil {
			return &plan.Encryption{
				Algorithm: string(d.SSEAlgorithm), Key: aws.ToString(d.KMSMasterKeyID), BucketKey: aws.ToBool(rule.BucketKeyEnabled),
			}, nil
		}
	}
	return none, nil
}

// readAccountBlock reads what the account blocks of public access, in all its
// buckets. Where it says nothing, it blocks nothing.
func (r *reader) readAccountBlock(ctx context.Context) {
	out, err := r.s3control().GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &r.account.ID})
	block := &plan.PublicAccessBlock{}
	switch {
	case isCode(err, "NoSuchPublicAccessBlockConfiguration"):
	case err != nil:
		r.unread(plan.ScopeAccountBlock, r.failed(err, "", "account "+r.account.ID))
		return
	case out.PublicAccessBlockConfiguration != nil:
		c := out.PublicAccessBlockConfiguration
		block = &plan.PublicAccessBlock{
			BlockPublicACLs: aws.ToBool(c.BlockPublicAcls), IgnorePublicACLs: aws.ToBool(c.IgnorePublicAcls),
			BlockPublicPolicy: aws.ToBool(c.BlockPublicPolicy), RestrictPublicBuckets: aws.ToBool(c.RestrictPublicBuckets),
		}
	}
	r.note(func(snap *plan.Snapshot) { snap.PublicAccessBlock = block })
}

// readManaged reads the documents of AWS's own managed policies that the wanted
// roles and users have: the bulk read leaves them out.
func (r *reader) readManaged(ctx context.Context) {
	wanted := map[string]bool{}
	r.note(func(snap *plan.Snapshot) {
		var held []string
		for _, name := range r.want.Roles {
			if role := snap.Roles[name]; role != nil {
				held = append(append(held, role.Boundary), role.Attached...)
			}
		}
		for _, user := range snap.Users {
			held = append(held, user.Policies()...)
		}
		for _, arn := range held {
			if iampolicy.CutARN(arn).Account == "aws" && snap.Policies[arn] == nil {
				wanted[arn] = true
			}
		}
	})
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for arn := range wanted {
		g.Go(func() error {
			policy, err := r.managed(ctx, arn)
			if err != nil {
				r.unread(plan.ScopeManagedPolicy+arn, r.failed(err, "", arn))
				return nil
			}
			r.note(func(snap *plan.Snapshot) {
				if snap.Managed == nil {
					snap.Managed = map[string]*plan.LivePolicy{}
				}
				snap.Managed[arn] = policy
			})
			return nil
		})
	}
	_ = g.Wait() // failures are noted
}

func (s *session) managed(ctx context.Context, arn string) (*plan.LivePolicy, error) {
	p, err := s.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return nil, err
	}
	v, err := s.iam().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		return nil, err
	}
	return &plan.LivePolicy{
		ARN: arn, Name: aws.ToString(p.Policy.PolicyName), DefaultVersion: aws.ToString(p.Policy.DefaultVersionId),
		Document: decodeDocument(v.PolicyVersion.Document),
	}, nil
}
