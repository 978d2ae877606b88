package access

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Whatever a call sends, one of the states of its key is that one to all tests.
func TestEveryStateOfAKeyIsFound(t *testing.T) {
	for name, kind := range map[string]struct {
		key       string
		operators []string
		values    []string // in policies
		sent      []string // besides those
	}{
		"texts": {
			key: "s3:prefix", operators: []string{"StringEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Null"},
			values: []string{"", "a", "A", "a/*", "a/?", "*b", "a/b", "${*}", "a${?}", "${$}{"}, sent: []string{"*", "a?", "a/", "ab", "b", "B", "a/c", "a/cb", "é", "${", "a/é"},
		},
		"ARNs": {
			key: "aws:SourceArn", operators: []string{"ArnEquals", "ArnLike", "ArnNotLike", "StringLike"},
			values: []string{"arn:aws:s3:::b", "arn:aws:*:us-*:111111111111:x*", "arn:aws:s3:::*", "*", "arn:aws:s3*", "arn:*:*:*:*:b"},
			sent:   []string{"x", "arn:aws:s3:::c", "arn:aws:sns:us-east-1:111111111111:x:y", "arn:aws:s3:us-west-2:111111111111:x", "a:b:c:d:e:b", "arn:aws:s3:::b:b"},
		},
		"numbers": {
			key: "s3:max-keys", operators: []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEqualsIfExists"},
			values: []string{"-3", "0", "1", "1.5", "100", "many"}, sent: []string{"-4", "-1.5", "0.5", "1.25", "2", "1000"},
		},
		"times": {
			key: "aws:TokenIssueTime", operators: []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
			values: []string{"2026-01-01", "2026-01-01T00:00:05Z", "2027-06-01T12:00:00+02:00", "1800000000", "2026-03", "soon"},
			sent:   []string{"2025-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-06-01T00:00:00Z", "2027-01-15T08:00:01Z", "2030-01-01T00:00:00Z"},
		},
		"addresses": {
			key: "aws:SourceIp", operators: []string{"IpAddress", "NotIpAddress"},
			values: []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "255.255.255.255", "here"},
			sent:   []string{"9.255.255.255", "10.0.0.1", "10.1.0.0", "10.2.0.0", "11.0.0.0", "2001:db8::1", "2001:db9::", "::1"},
		},
		"truths":   {key: "aws:MultiFactorAuthPresent", operators: []string{"Bool", "BoolIfExists", "Null"}, values: []string{"true", "FALSE"}, sent: []string{"false"}},
		"binaries": {key: "aws:Custom", operators: []string{"BinaryEquals"}, values: []string{"QUFB", "QkJC"}, sent: []string{"Q0ND"}},
		"TLS":      {key: "aws:SecureTransport", operators: []string{"Bool", "StringEquals"}, values: []string{"true", "false"}},
		"services": {key: "aws:ViaAWSService", operators: []string{"Bool", "BoolIfExists", "StringEquals"}, values: []string{"true", "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &diff{partition: "aws", resource: bucketARN, owner: owner}
			rapid.Check(t, func(t *rapid.T) {
				var tests []keyTest
				for range rapid.IntRange(1, 3).Draw(t, "tests") {
					tests = append(tests, keyTest{
						effect: rapid.SampledFrom([]iampolicy.Effect{iampolicy.Allow, iampolicy.Deny}).Draw(t, "effect"), variables: true,
						condition: iampolicy.Condition{
							Operator: rapid.SampledFrom(kind.operators).Draw(t, "operator"), Key: kind.key,
							Values: rapid.SliceOfNDistinct(rapid.SampledFrom(kind.values), 1, 2, rapid.ID[string]).Draw(t, "values"),
						},
					})
				}
				cells, err := d.keyCells(kind.key, tests)
				if err != nil {
					t.Fatal(err)
				}
				sent := slices.Concat(kind.values, kind.sent)
				if slices.Contains(always, kind.key) {
					sent = kind.values
				} else {
					sent = append(sent, "absent")
				}
				for _, value := range sent {
					context := map[string][]string{kind.key: {value}}
					if value == "absent" {
						context = nil
					}
					if !slices.ContainsFunc(cells, func(c keyCell) bool {
						return !slices.ContainsFunc(tests, func(k keyTest) bool {
							return c.holds[k.id()] != d.holds(k.effect, k.condition, true, context)
						})
					}) && sendable(name, value) {
						t.Fatalf("no state is like %q: %+v of %+v", value, cells, tests)
					}
				}
			})
		})
	}
}

// sendable tells what AWS may send: a key of one kind has values of that kind.
func sendable(kind, value string) bool {
	return !slices.Contains(map[string][]string{
		"numbers": {"many"}, "times": {"soon"}, "addresses": {"here", "10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32"},
	}[kind], value)
}
