package iampolicy

import "testing"

func TestCutARN(t *testing.T) {
	for text, want := range map[string]ARN{
		"arn:aws:s3:::b/a:b":                    {Partition: "aws", Service: "s3", Resource: "b/a:b"},
		"arn:aws-cn:iam::111111111111:role/p/r": {Partition: "aws-cn", Service: "iam", Account: "111111111111", Resource: "role/p/r"},
		"arn:aws:kms:us-east-1:1:key/*":         {Partition: "aws", Service: "kms", Region: "us-east-1", Account: "1", Resource: "key/*"},
		"arn:aws:iam::111111111111:":            {},
		"arn:aws:s3:::":                         {},
		"arn:aws":                               {},
		"111111111111":                          {},
		"":                                      {},
	} {
		if got := CutARN(text); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestMatchText(t *testing.T) {
	for _, v := range []struct {
		wild, text string
		want       bool
	}{
		{"a*c", "abbc", true}, {"a*c", "a/b:c", true}, {"a?c", "aéc", true}, {"a?c", "abbc", false}, {"*", "", true}, {"A", "a", false}, {"a*", "ba", false},
	} {
		if got := MatchText(v.wild, v.text); got != v.want {
			t.Errorf("%q and %q: %v", v.wild, v.text, got)
		}
	}
}

func TestHasWildcard(t *testing.T) {
	for text, want := range map[string]bool{"": false, "a": false, "${a}": false, "a*": true, "?a": true} {
		if got := HasWildcard(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestInFull(t *testing.T) {
	for principal, want := range map[string]bool{
		"arn:aws:iam::111111111111:role/a+=,.@-_": true, "111111111111": true, "!~": true,
		"arn:aws:iam::111111111111:role/*": false, "role/?": false, "a b": false, " a": false, "a\n": false, "a\x7f": false, "rolé": false, "a\xff": false,
	} {
		if got := InFull(principal); got != want {
			t.Errorf("%q: %v", principal, got)
		}
	}
}

func TestOwnersOnly(t *testing.T) {
	for action, want := range map[string]bool{
		"s3:PutBucketPolicy": true, "s3:getbucketpolicy": true, "s3:DeleteBucketPolicy": true, "s3:CreateBucket": true,
		"s3:GetBucketPolicyStatus": false, "s3:*": false, "s3:GetObject": false,
	} {
		if OwnersOnly(action) != want {
			t.Errorf("%s: want %v", action, want)
		}
	}
}
