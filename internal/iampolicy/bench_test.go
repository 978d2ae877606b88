package iampolicy

import (
	"fmt"
	"testing"
	"time"
)

// The figures are the time of one whole decision, reasons included, on parsed
// documents: run with -cpu 1, 1,000,000,000 divided by ns/op is what one core
// decides a second. At least 300,000 are asked for of the usual two-sided case,
// so 3,333 ns are the most that it may take; a server's core of 2024 took 1,500,
// and 2,500 with a bucket policy of 200 statements, some 7 ns for each that names
// others. Three allocations are the least: the list of reasons and the text of
// each of the two. Nothing is kept from one decision to the next, nor made at
// Parse: a document that Go code built takes as long.

// A request across accounts as shares make them: two policies, a condition, and
// reasons for both sides.
func BenchmarkEvaluateTwoSided(b *testing.B) {
	identity := must(b, `{"Effect":"Allow","Action":["s3:GetBucketLocation"],"Resource":"arn:aws:s3:::b"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["logs/","logs/*"]}}},
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/logs/*"}`)
	resource := must(b, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
		{"Sid":"List","Effect":"Allow","Principal":`+ofRoleB+`,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"},
		{"Sid":"Get","Effect":"Allow","Principal":`+ofRoleB+`,"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/logs/*"}`)
	req := Request{Caller: callers["session B"], Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
	req.Context = DefaultContext(req, time.Unix(1_800_000_000, 0))
	p := Policies{
		Identity: []Named{{Name: "policy of reader", Document: identity}},
		Resource: &Named{Name: "bucket policy of b", Document: resource},
	}
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(req, p); !d.Allowed() {
			b.Fatal(reasonsText(d))
		}
	}
}

func BenchmarkEvaluate200Statements(b *testing.B) {
	var statements string
	for i := range 200 {
		statements += fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/team/r%d"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/p%d/*"},`, i, i, i)
	}
	p := Policies{
		Identity: []Named{{Name: "policy of reader", Document: must(b, allowGet)}},
		Resource: &Named{Name: "bucket policy of b", Document: must(b, statements+to("Allow", ofRoleB))},
	}
	req := Request{Caller: callers["session B"], Action: "s3:GetObject", Resource: object1, ResourceAccount: accountA}
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(req, p); !d.Allowed() {
			b.Fatal(reasonsText(d))
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := Marshal(must(b, to("Allow", ofRoleB)+","+to("Deny", ofEverybody)))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
