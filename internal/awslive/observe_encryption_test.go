package awslive

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
)

func TestReadsEncryptionAlone(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		raw := b.raw(t, owner).s3(region)
		for _, name := range []string{"plain", "keyed"} {
			_, err := raw.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
			must(t, err)
		}
		const key = "arn:aws:kms:us-east-1:" + owner + ":key/12345678-1234-1234-1234-123456789012"
		_, err := raw.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: aws.String("keyed"), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(key)},
			}},
		}})
		must(t, err)
		snap := observe(t, b.client(t), plan.Want{Account: owner, Encryption: []plan.BucketWant{
			{Name: "plain", Region: region}, {Name: "keyed", Region: region}, {Name: "not-there", Region: region},
		}})
		want := map[string]*plan.LiveBucket{
			"plain": {Name: "plain", Region: region, Encryption: &plan.Encryption{Algorithm: "AES256"}},
			"keyed": {Name: "keyed", Region: region, Encryption: &plan.Encryption{Algorithm: "aws:kms", Key: key}},
		}
		if diff := cmp.Diff(want, snap.Buckets); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
		if f := snap.NotRead(plan.ScopeEncryption + "not-there"); f == nil || f.Code != "NoSuchBucket" || len(snap.Failures) != 0 || snap.Listed != nil {
			t.Errorf("what cannot be read: %+v, failures %+v, listed %v", f, snap.Failures, snap.Listed)
		}
	})
}
