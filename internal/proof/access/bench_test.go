package access

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// statements are a policy of n roles, each with a prefix of its own, under a
// deny of plain HTTP.
func statements(n int) []string {
	list := []string{tls}
	for i := range n {
		list = append(list, allow(fmt.Sprintf(`"arn:aws:iam::222222222222:role/team/r%d"`, i), `["s3:GetObject","s3:PutObject"]`, fmt.Sprintf("p%d/*", i)))
	}
	return list
}

func benchmarkOf(b *testing.B, buckets int, before, after []string) {
	changes := &plan.Changes{Plan: &plan.Plan{Partition: "aws"}}
	for i := range buckets {
		name := fmt.Sprintf("b%d", i)
		before, after := of(name, before), of(name, after)
		d, err := iampolicy.Parse(after)
		if err != nil {
			b.Fatal(err)
		}
		pairs := iampolicy.Pairs(d, func(string) bool { return true })
		changes.Plan.Grants = append(changes.Plan.Grants, plan.Grant{Bucket: specs.Bucket{Name: name, Account: &specs.Account{ID: owner}}, Pairs: pairs})
		changes.Steps = append(changes.Steps, &plan.Change{
			ID: name, Type: plan.TypeBucketPolicy, Account: owner, Name: name, Action: plan.Update,
			Before: plan.BucketPolicy{Document: before}, Want: plan.BucketPolicy{Document: after},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if opened, problems := Of(changes, nil); len(problems) > 0 || len(opened.Gained) < buckets {
			b.Fatal(len(opened.Gained), problems)
		}
	}
}

// of is a policy of bucket b as one of another bucket.
func of(bucket string, statements []string) []byte {
	return bytes.ReplaceAll(policy(statements...), []byte(":::b"), []byte(":::"+bucket))
}

// One role more in a policy of 200.
func BenchmarkOf200Statements(b *testing.B) {
	benchmarkOf(b, 1, statements(199), statements(200))
}

// All of a policy of 200 is new.
func BenchmarkOfNew200Statements(b *testing.B) {
	benchmarkOf(b, 1, statements(0), statements(200))
}

// A thousand buckets of a share each.
func BenchmarkOf1000Buckets(b *testing.B) {
	benchmarkOf(b, 1000, []string{tls}, []string{tls, allow(reader, `["s3:GetObject","s3:PutObject"]`, "*")})
}
