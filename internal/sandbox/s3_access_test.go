package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Across accounts both sides must allow, with the right ARN; each call needs
// its own action (SEMANTICS, sections 1 and 5).
func TestAccessAcrossAccounts(t *testing.T) {
	const all, objects = sharedARN, sharedARN + "/*"
	name := aws.String("shared")
	get := func(key string) func(context.Context, *s3.Client) error {
		return func(ctx context.Context, c *s3.Client) error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: &key})
			return err
		}
	}
	write := func(change ...func(*s3.PutObjectInput)) func(context.Context, *s3.Client) error {
		return func(ctx context.Context, c *s3.Client) error {
			in := &s3.PutObjectInput{Bucket: name, Key: aws.String("incoming/new"), Body: strings.NewReader("x")}
			for _, f := range change {
				f(in)
			}
			_, err := c.PutObject(ctx, in)
			return err
		}
	}
	list := func(prefix *string) func(context.Context, *s3.Client) error {
		return func(ctx context.Context, c *s3.Client) error {
			_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name, Prefix: prefix})
			return err
		}
	}
	prefixed := `{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"s3:ListBucket","Resource":"` + all + `","Condition":{"StringLike":{"s3:prefix":["incoming/","incoming/*"]}}}`
	everything := allowing("s3:*", "*")
	for name, c := range map[string]struct {
		identity, bucket string // empty: no policy
		call             func(context.Context, *s3.Client) error
		code             string // empty: allowed
	}{
		"both sides":             {everything, statement("Allow", readerJSON, "s3:GetObject", objects), get("incoming/have"), ""},
		"account as principal":   {everything, statement("Allow", `{"AWS":"222222222222"}`, "s3:GetObject", objects), get("incoming/have"), ""},
		"identity side only":     {everything, "", get("incoming/have"), "AccessDenied"},
		"bucket side only":       {"", statement("Allow", readerJSON, "s3:GetObject", objects), get("incoming/have"), "AccessDenied"},
		"another role named":     {everything, statement("Allow", `{"AWS":"arn:aws:iam::222222222222:user/admin"}`, "s3:GetObject", objects), get("incoming/have"), "AccessDenied"},
		"bucket ARN only":        {everything, statement("Allow", readerJSON, "s3:*", all), get("incoming/have"), "AccessDenied"},
		"bucket ARN only, list":  {everything, statement("Allow", readerJSON, "s3:*", all), list(nil), ""},
		"object ARN only, list":  {everything, statement("Allow", readerJSON, "s3:*", objects), list(nil), "AccessDenied"},
		"explicit deny":          {everything, statement("Allow", readerJSON, "s3:*", objects) + "," + statement("Deny", readerJSON, "s3:GetObject", objects), get("incoming/have"), "AccessDenied"},
		"identity denies":        {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`, statement("Allow", readerJSON, "s3:*", objects), get("incoming/have"), "AccessDenied"},
		"other prefix":           {everything, statement("Allow", readerJSON, "s3:GetObject", all+"/incoming/*"), get("secret"), "AccessDenied"},
		"write":                  {everything, statement("Allow", readerJSON, "s3:PutObject", objects), write(), ""},
		"write by a reader":      {everything, statement("Allow", readerJSON, "s3:GetObject", objects), write(), "AccessDenied"},
		"write with tags":        {everything, statement("Allow", readerJSON, "s3:PutObject", objects), write(func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=1") }), "AccessDenied"},
		"write if absent":        {everything, statement("Allow", readerJSON, "s3:PutObject", objects), write(func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }), ""},
		"overwrite if same":      {everything, statement("Allow", readerJSON, "s3:PutObject", objects), write(func(in *s3.PutObjectInput) { in.IfMatch = aws.String("x") }), "AccessDenied"},
		"list inside the prefix": {everything, prefixed, list(aws.String("incoming/")), ""},
		"list deeper":            {everything, prefixed, list(aws.String("incoming/deep/")), ""},
		"list beside the prefix": {everything, prefixed, list(aws.String("incoming-private/")), "AccessDenied"},
		"list without a prefix":  {everything, prefixed, list(nil), "AccessDenied"},
		"missing key, no list":   {everything, statement("Allow", readerJSON, "s3:GetObject", objects), get("none"), "AccessDenied"},
		"missing key, list":      {everything, statement("Allow", readerJSON, "s3:GetObject", objects) + "," + statement("Allow", readerJSON, "s3:ListBucket", all), get("none"), "NoSuchKey"},
		"ACL wanted, not sent":   {everything, `{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"s3:PutObject","Resource":"` + objects + `","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}`, write(), "AccessDenied"},
		"ACL wanted, sent": {everything, `{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"s3:PutObject","Resource":"` + objects + `","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}`, write(func(in *s3.PutObjectInput) {
			in.ACL = types.ObjectCannedACLBucketOwnerFullControl
		}), ""},
		"encryption wanted, not sent": {everything, statement("Allow", readerJSON, "s3:PutObject", objects) + `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + objects + `","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}`, write(), "AccessDenied"},
		"encryption wanted, sent": {everything, statement("Allow", readerJSON, "s3:PutObject", objects) + `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + objects + `","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}`, write(func(in *s3.PutObjectInput) {
			in.ServerSideEncryption = types.ServerSideEncryptionAes256
		}), ""},
		"TLS asked for": {everything, statement("Allow", readerJSON, "s3:GetObject", objects) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"` + objects + `","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, get("incoming/have"), ""},
		"delete by a writer": {everything, statement("Allow", readerJSON, "s3:PutObject", objects), func(ctx context.Context, c *s3.Client) error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("shared"), Key: aws.String("incoming/have")})
			return err
		}, "AccessDenied"},
		"uploads": {everything, statement("Allow", readerJSON, "s3:PutObject", objects), func(ctx context.Context, c *s3.Client) error {
			_, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String("shared")})
			return err
		}, "AccessDenied"},
		"uploads under a prefix that the policy has no key for": {everything, `{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"s3:ListBucketMultipartUploads","Resource":"` + all + `","Condition":{"StringLike":{"s3:prefix":"incoming/*"}}}`, func(ctx context.Context, c *s3.Client) error {
			_, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String("shared"), Prefix: aws.String("incoming/")})
			return err
		}, "AccessDenied"},
		"location": {everything, statement("Allow", readerJSON, "s3:GetBucketLocation", all), func(ctx context.Context, c *s3.Client) error {
			_, err := c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("shared")})
			return err
		}, ""},
		"reconfigure": {everything, statement("Allow", readerJSON, "s3:ListBucket", all), func(ctx context.Context, c *s3.Client) error {
			_, err := c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: aws.String("shared")})
			return err
		}, "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sharing(t, Options{}, c.identity)
			put(t, s.s3(owner), "shared", "incoming/have", "text")
			put(t, s.s3(owner), "shared", "secret", "text")
			if c.bucket != "" {
				if err := putPolicy(s.s3(owner), "shared", policyOf(c.bucket))(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			wantCode(t, c.call(t.Context(), s.reader(t)), c.code, "")
		})
	}
}

// Within the account one side is enough, and the message names the layer.
func TestAccessWithinTheAccount(t *testing.T) {
	role := SeedRole{Account: owner, Name: "own", Trust: trusting(`{"AWS":"111111111111"}`)}
	s := start(t, Options{Seed: Seed{Buckets: []SeedBucket{{owner, "shared", "us-east-1"}}, Roles: []SeedRole{role}}})
	keys := s.as(t, owner, "arn:aws:iam::111111111111:role/own")
	c := s.s3(keys[0], keys[1:]...)
	put(t, s.s3(owner), "shared", "k", "text")
	get := func() error {
		_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
		return err
	}
	wantCode(t, get(), "AccessDenied", `is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::shared/k" because no identity-based policy allows the s3:GetObject action`)
	if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", `{"AWS":"arn:aws:iam::111111111111:role/own"}`, "s3:GetObject", sharedARN+"/*")))(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Error(err)
	}
}

// HEAD has no body, so an SDK knows the status only.
func TestHeadObjectIsDenied(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	put(t, s.s3(owner), "shared", "k", "text")
	_, err := s.reader(t).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
	if got := statusOf(t, err); got != http.StatusForbidden {
		t.Errorf("status %d", got)
	}
	_, err = s.s3(owner).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("shared"), Key: aws.String("none")})
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "NotFound" {
		t.Errorf("%v, want NotFound", err)
	}
}

// A copy needs the two sides' policies, and reading the source.
func TestCopyAccess(t *testing.T) {
	s := sharing(t, Options{Seed: Seed{Buckets: []SeedBucket{{consumer, "theirs", "us-east-1"}}}}, allowing("s3:*", "*"))
	ctx := t.Context()
	put(t, s.s3(owner), "shared", "k", "text")
	tagged := "tagged"
	if _, err := s.s3(owner).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("shared"), Key: &tagged, Body: strings.NewReader("x"), Tagging: aws.String("a=1")}); err != nil {
		t.Fatal(err)
	}
	copied := func(from, to string) error {
		_, err := s.reader(t).CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(strings.Split(to, "/")[0]), Key: aws.String("copy"), CopySource: &from})
		return err
	}
	wantCode(t, copied("shared/k", "theirs/copy"), "AccessDenied", "")
	grant := func(statements ...string) {
		t.Helper()
		if err := putPolicy(s.s3(owner), "shared", policyOf(statements...))(ctx); err != nil {
			t.Fatal(err)
		}
	}
	grant(statement("Allow", readerJSON, "s3:GetObject", sharedARN+"/*"))
	wantCode(t, copied("shared/k", "theirs/copy"), "", "")
	wantCode(t, copied("shared/tagged", "theirs/copy"), "AccessDenied", "")
	wantCode(t, copied("theirs/copy", "shared/copy"), "AccessDenied", "")
	grant(statement("Allow", readerJSON, "s3:GetObject", sharedARN+"/*"), statement("Allow", readerJSON, "s3:GetObjectTagging", sharedARN+"/*"), statement("Allow", readerJSON, "s3:PutObject", sharedARN+"/*"))
	wantCode(t, copied("shared/tagged", "theirs/copy"), "", "")
	wantCode(t, copied("theirs/copy", "shared/copy"), "AccessDenied", "") // its tags come with it
}

func TestAnonymous(t *testing.T) {
	s := sharing(t, Options{}, "")
	put(t, s.s3(owner), "shared", "k", "text")
	get := func() (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/shared/k", nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.send(t, r)
	}
	if status, body := get(); status != 403 || !strings.Contains(body, "<Code>AccessDenied</Code><Message>Access Denied</Message>") {
		t.Errorf("%d %s", status, body)
	}
	if _, err := s.s3(owner).DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: aws.String("shared")}); err != nil {
		t.Fatal(err)
	}
	if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", `"*"`, "s3:GetObject", sharedARN+"/*")))(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, body := get(); status != 200 || body != "text" {
		t.Errorf("%d %s", status, body)
	}
}

// Creating a bucket with tags takes s3:TagResource too, and listing buckets
// is a permission on no bucket.
func TestCreateBucketAccess(t *testing.T) {
	for name, c := range map[string]struct {
		actions string
		tags    []types.Tag
		code    string
	}{
		"plain":            {`"s3:CreateBucket"`, nil, ""},
		"not allowed":      {`"s3:ListBucket"`, nil, "AccessDenied"},
		"tags":             {`["s3:CreateBucket","s3:TagResource"]`, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, ""},
		"tags not allowed": {`"s3:CreateBucket"`, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sharing(t, Options{}, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`+c.actions+`,"Resource":"*"}]}`)
			in := &s3.CreateBucketInput{Bucket: aws.String("created")}
			if c.tags != nil {
				in.CreateBucketConfiguration = &types.CreateBucketConfiguration{Tags: c.tags}
			}
			_, err := s.reader(t).CreateBucket(t.Context(), in)
			wantCode(t, err, c.code, "")
			if _, there := s.world.S3.Buckets["created"]; there != (c.code == "") {
				t.Errorf("the bucket exists: %t", there)
			}
			_, err = s.reader(t).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			wantCode(t, err, "AccessDenied", "s3:ListAllMyBuckets")
		})
	}
}
