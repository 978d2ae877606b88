package iampolicy

import (
	"slices"
	"strings"
	"testing"
)

func TestS3ActionsAreSortedAndComplete(t *testing.T) {
	if !slices.IsSortedFunc(s3Actions, func(a, b S3Action) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}) {
		t.Error("the table is not sorted by lower-case name, so lookups miss")
	}
	seen := map[string]bool{}
	for _, a := range s3Actions {
		lower := strings.ToLower(a.Name)
		if seen[lower] || action(a.Name) != nil || !strings.HasPrefix(a.Name, "s3:") {
			t.Errorf("%s is twice in the table or is no S3 action", a.Name)
		}
		seen[lower] = true
		if !slices.Contains([]S3Level{BucketLevel, ObjectLevel, AccountLevel, OtherLevel}, a.Level) {
			t.Errorf("%s has level %q", a.Name, a.Level)
		}
		// The level follows from the name where AWS names things regularly.
		if strings.Contains(a.Name, "Object") && !strings.Contains(a.Name, "ObjectLambda") && !strings.Contains(a.Name, "BucketObjectLock") && a.Level != ObjectLevel {
			t.Errorf("%s acts on objects but has level %q", a.Name, a.Level)
		}
	}
	if len(s3Actions) < 150 {
		t.Errorf("the table has %d actions", len(s3Actions))
	}
}

func TestSendsPrefix(t *testing.T) {
	var sending []string
	for _, a := range s3Actions {
		if SendsPrefix(a.Name) {
			sending = append(sending, a.Name)
		}
	}
	if want := []string{"s3:ListBucket", "s3:ListBucketVersions"}; !slices.Equal(sending, want) {
		t.Errorf("got %q, want %q", sending, want)
	}
}

func TestLookupS3Action(t *testing.T) {
	for name, want := range map[string]S3Action{
		"s3:GetObject":                   {"s3:GetObject", ObjectLevel, AccessRead},
		"S3:GETOBJECT":                   {"s3:GetObject", ObjectLevel, AccessRead},
		"s3:getobjectversion":            {"s3:GetObjectVersion", ObjectLevel, AccessRead},
		"s3:ListBucket":                  {"s3:ListBucket", BucketLevel, AccessList},
		"s3:ListBucketMultipartUploads":  {"s3:ListBucketMultipartUploads", BucketLevel, AccessList},
		"s3:ListMultipartUploadParts":    {"s3:ListMultipartUploadParts", ObjectLevel, AccessList},
		"s3:AbortMultipartUpload":        {"s3:AbortMultipartUpload", ObjectLevel, AccessWrite},
		"s3:GetBucketLocation":           {"s3:GetBucketLocation", BucketLevel, AccessRead},
		"s3:PutBucketPolicy":             {"s3:PutBucketPolicy", BucketLevel, AccessPermissions},
		"s3:PutObjectTagging":            {"s3:PutObjectTagging", ObjectLevel, AccessTagging},
		"s3:ListAllMyBuckets":            {"s3:ListAllMyBuckets", AccountLevel, AccessList},
		"s3:GetEncryptionConfiguration":  {"s3:GetEncryptionConfiguration", BucketLevel, AccessRead},
		"s3:PutAccountPublicAccessBlock": {"s3:PutAccountPublicAccessBlock", AccountLevel, AccessPermissions},
		"s3:CreateAccessPoint":           {"s3:CreateAccessPoint", OtherLevel, AccessWrite},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := LookupS3Action(name)
			if !ok || got != want {
				t.Errorf("got %v, %v; want %v", got, ok, want)
			}
		})
	}
	for _, name := range []string{"", "s3:", "s3:GetObjects", "GetObject", "s3:Get*", "ec2:RunInstances"} {
		if got, ok := LookupS3Action(name); ok {
			t.Errorf("%q was found: %v", name, got)
		}
	}
}

func TestMatchS3Actions(t *testing.T) {
	for pattern, want := range map[string][]string{
		"s3:GetObject":    {"s3:GetObject"},
		"s3:*objecttag*":  {"s3:DeleteObjectTagging", "s3:GetObjectTagging", "s3:PutObjectTagging"},
		"s3:ListBucke?":   {"s3:ListBucket"},
		"s3:*Multipart*s": {"s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"},
		"ec2:*":           nil,
		"s3:GetObjectX":   nil,
	} {
		t.Run(pattern, func(t *testing.T) {
			var got []string
			for _, a := range MatchS3Actions(pattern) {
				got = append(got, a.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	for _, everything := range []string{"*", "s3:*", "S3:*", "s3:**"} {
		if n := len(MatchS3Actions(everything)); n != len(s3Actions) {
			t.Errorf("%s matches %d of %d", everything, n, len(s3Actions))
		}
	}
}
