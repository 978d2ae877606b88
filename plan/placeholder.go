package plan

import "github.com/xshare/xshare/internal/iampolicy"

// Placeholder is a statement that gives nobody anything: it lets the bucket's
// own account ask where its bucket is, which within an account the caller's
// identity policies decide anyhow. It keeps a bucket policy from being empty
// between the put that closes and the put that opens: a policy that is deleted
// and put again at once may stay without effect.
func Placeholder(partition, account, bucket string) iampolicy.Pair {
	s := iampolicy.Statement{
		Effect:   iampolicy.Allow,
		Action:   []string{"s3:GetBucketLocation"},
		Resource: []string{BucketARN(partition, bucket)},
	}
	return iampolicy.Pair{Meaning: s.Meaning(), Principal: "arn:" + partition + ":iam::" + account + ":root", Statement: s}
}
