package simulate

import (
	"testing"
	"time"
)

// A line of the usual size: two policies, one of them with a condition.
func BenchmarkCase(b *testing.B) {
	line := []byte(`{"id": "1", "principal": "arn:aws:sts::222222222222:assumed-role/reader/s1", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/logs/x", "resourceAccount": "111111111111",
		"identityPolicies": [{"name": "reader", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::b/logs/*"}]}}],
		"resourcePolicy": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
			{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/reader"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/logs/*"}]}}`)
	now := time.Unix(1_800_000_000, 0)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if a := Case(line, 1, now); !a.Allowed {
			b.Fatal(a.Reason)
		}
	}
}
