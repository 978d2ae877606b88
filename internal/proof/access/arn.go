package access

import (
	"maps"
	"slices"
	"strings"
)

// assumeRole is the action that a trust policy decides about.
const assumeRole = "sts:AssumeRole"

// ownersOnly are actions that AWS gives to no other account, whatever policies
// say. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
var ownersOnly = map[string]bool{"s3:GetBucketPolicy": true, "s3:PutBucketPolicy": true, "s3:DeleteBucketPolicy": true, "s3:CreateBucket": true}

// arnParts are the parts of an ARN, all empty for what is none.
type arnParts struct{ partition, service, region, account, resource string }

func cutARN(s string) arnParts {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return arnParts{}
	}
	return arnParts{p[1], p[2], p[3], p[4], p[5]}
}

// headOf is an ARN, or a pattern for ARNs, up to its sixth part; full where it
// has one.
func headOf(text string) (head string, full bool) {
	at := 0
	for range 5 {
		i := strings.IndexByte(text[at:], ':')
		if i < 0 {
			return text, false
		}
		at += i + 1
	}
	return text[:at], true
}

func isAccountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
