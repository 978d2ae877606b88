package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xshare/xshare/specs"
)

// A dead id of ours is told at the grant of the role that was deleted, with what
// apply really does about it.
func TestDeadPrincipalIsToldAtItsGrant(t *testing.T) {
	const shared = `two
  bucket: {name: mybucket, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: lambda}, access: read}
    - {account: lab, role: {name: etl}, access: read}
`
	const etlARN = "arn:aws:iam::333333333333:role/etl"
	for name, test := range map[string]struct {
		dead   string // whose id is in the policy
		change func(live)
		opts   Options
		line   int
		mend   string
	}{
		"ours, gone": {
			dead: readerARN, change: func(l live) { delete(l["222222222222"].Roles, "reader") }, line: 7,
			mend: "apply takes the id out and writes role 222222222222/reader in again",
		},
		"ours, made again with our mark": {
			dead: readerARN, change: func(live) {}, line: 7,
			mend: "apply takes the id out and writes role 222222222222/reader in again",
		},
		"ours, made again without our mark": {
			dead: readerARN, change: func(l live) { l["222222222222"].Roles["reader"].Tags = nil }, line: 7,
			mend: "apply takes the id out; role 222222222222/reader, which was made again without our mark, is written in again once it is taken over with --adopt",
		},
		"to be adopted": {
			dead: readerARN, change: func(l live) { l["222222222222"].Roles["reader"].Tags = nil }, opts: Options{Adopt: true}, line: 7,
			mend: "apply takes the id out and writes role 222222222222/reader in again",
		},
		"existing, gone": {
			dead: etlARN, change: func(l live) { delete(l["333333333333"].Roles, "etl") }, line: 8,
			mend: "apply takes the id out; role 333333333333/etl is written in again once it is there, see its error",
		},
		"existing, made again": {
			dead: etlARN, change: func(live) {}, line: 8,
			mend: "apply takes the id out and writes role 333333333333/etl in again",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, shared), everything)
			l := newLive(p)
			l["333333333333"].Roles["etl"] = &LiveRole{Role: Role{Name: "etl", Path: "/", ARN: etlARN}}
			l.apply(t, Compare(p, l, Options{}))
			bucket := l["111111111111"].Buckets["mybucket"]
			bucket.Policy = bytes.ReplaceAll(bucket.Policy, []byte(test.dead), []byte(deadID))
			test.change(l)
			var found []specs.Problem
			for _, problem := range Compare(p, l, test.opts).Problems {
				if problem.Code == "dead-principal" {
					found = append(found, problem)
				}
			}
			if len(found) != 1 || found[0].Mend != test.mend || found[0].Source.Line != test.line {
				t.Errorf("problems: %+v, want one at line %d with the mend %s", found, test.line, test.mend)
			}
		})
	}
}

// What a bucket policy that cannot be written would close stays open, and only
// that: neither dead ids nor what it would open.
func TestUnclosed(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	foreignPolicy(l, `{"Effect":"Allow","Principal":{"AWS":"`+deadID+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/*"}`)
	if c := Compare(p, l, Options{}).Unclosed(); len(c.Steps) > 0 {
		t.Errorf("nothing is to be closed: %+v", c.Steps)
	}
	bucket := l["111111111111"].Buckets["mybucket"]
	bucket.Policy = bytes.Replace(bucket.Policy, []byte(`"Action":"s3:GetBucketLocation"`), []byte(`"Action":["s3:GetBucketLocation","s3:DeleteBucket"]`), 1)
	c := Compare(p, l, Options{})
	if change := find(t, c, bucketPolicyID); change.Action != Error {
		t.Fatalf("the bucket policy is to be refused: %s", change.Action)
	}
	unclosed := c.Unclosed()
	if len(unclosed.Steps) != 1 {
		t.Fatalf("steps: %+v", unclosed.Steps)
	}
	before := string(unclosed.Steps[0].Before.(BucketPolicy).Document)
	after := string(unclosed.Steps[0].Want.(BucketPolicy).Document)
	if !strings.Contains(before, "s3:DeleteBucket") || strings.Contains(after, "s3:DeleteBucket") || !strings.Contains(after, deadID) {
		t.Errorf("from\n%s\nto\n%s", before, after)
	}

	if problems := c.StaysOpen(); len(problems) > 0 {
		t.Errorf("nothing is open: %+v", problems)
	}
	c.Open = []AccessEntry{
		{Principal: readerARN, Action: "s3:DeleteBucket", Resource: "arn:aws:s3:::mybucket", Step: bucketPolicyID},
		{Principal: readerARN, Action: "s3:ListBucket", Resource: "arn:aws:s3:::mybucket", Step: bucketPolicyID},
	}
	problems := c.StaysOpen()
	if len(problems) != 1 {
		t.Fatalf("problems: %+v", problems)
	}
	for _, want := range []string{
		"stays open: " + readerARN + ": s3:DeleteBucket, s3:ListBucket on arn:aws:s3:::mybucket; the policy of bucket mybucket cannot be written: statement number 1",
		"take the id out of that statement",
	} {
		if got := problems[0].Message + "\n" + problems[0].Mend; !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if problems[0].Code != CodeStaysOpen || problems[0].Severity != specs.SeverityError || problems[0].Step != bucketPolicyID {
		t.Errorf("problem: %+v", problems[0])
	}
}
