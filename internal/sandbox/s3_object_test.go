package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestObjectRoundTrip(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket := s.bucket(t, "store"), t.Context(), aws.String("store")
	for _, key := range []string{"plain", "a/b//c", "späce and+plus%25&?#", "/leading", "日本"} {
		t.Run(key, func(t *testing.T) {
			out := must(c.PutObject(ctx, &s3.PutObjectInput{
				Bucket: bucket, Key: &key, Body: strings.NewReader("text of " + key), ContentType: aws.String("text/plain"), CacheControl: aws.String("no-cache"),
				Metadata: map[string]string{"who": "me"}, Tagging: aws.String("a=1&b=2"),
			}))(t)
			got := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key}))(t)
			body := must(io.ReadAll(got.Body))(t) // the SDK checks the checksum
			if string(body) != "text of "+key || *got.ETag != *out.ETag || *got.ContentType != "text/plain" || *got.CacheControl != "no-cache" ||
				got.Metadata["who"] != "me" || *got.TagCount != 2 || got.ContentEncoding != nil || got.ServerSideEncryption != types.ServerSideEncryptionAes256 {
				t.Errorf("%q %+v", body, got)
			}
			head := must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled}))(t)
			if *head.ContentLength != int64(len(body)) || head.ChecksumCRC32 == nil && head.ChecksumCRC64NVME == nil || !head.LastModified.Equal(s.clock.Now()) {
				t.Errorf("%+v", head)
			}
			if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key}); err != nil {
				t.Fatal(err)
			}
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
			wantCode(t, err, "NoSuchKey", "does not exist")
		})
	}
}

func TestChecksums(t *testing.T) {
	s := start(t, Options{})
	c, bucket := s.bucket(t, "store"), aws.String("store")
	for _, algorithm := range types.ChecksumAlgorithm("").Values() {
		if _, ok := checksumNamed(string(algorithm)); !ok {
			continue // XXHASH and the like are not S3's own
		}
		t.Run(string(algorithm), func(t *testing.T) {
			key := aws.String(string(algorithm))
			must(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("sum me"), ChecksumAlgorithm: algorithm}))(t)
			got := must(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled}))(t)
			if body := must(io.ReadAll(got.Body))(t); string(body) != "sum me" || got.ChecksumType != types.ChecksumTypeFullObject {
				t.Errorf("%q, %s", body, got.ChecksumType)
			}
		})
	}
	other := sha256.Sum256([]byte("something else"))
	with := func(change func(*s3.PutObjectInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &s3.PutObjectInput{Bucket: bucket, Key: aws.String("bad"), Body: strings.NewReader("text")}
			change(in)
			_, err := c.PutObject(ctx, in)
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"wrong SHA-256": {with(func(in *s3.PutObjectInput) {
			in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(other[:]))
		}), "BadDigest", "SHA256", 400},
		"wrong CRC32": {with(func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }), "BadDigest", "CRC32", 400},
		"wrong MD5":   {with(func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAAAAAAAAAAAAAAAAAAAA==") }), "BadDigest", "Content-MD5", 400},
		"no MD5":      {with(func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAA") }), "InvalidDigest", "Content-MD5", 400},
	})
}

func TestConditionalRequests(t *testing.T) {
	s := start(t, Options{})
	c, bucket, key := s.bucket(t, "store"), aws.String("store"), aws.String("k")
	put(t, c, *bucket, *key, "0123456789")
	etag := must(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key}))(t).ETag
	get := func(change func(*s3.GetObjectInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &s3.GetObjectInput{Bucket: bucket, Key: key}
			change(in)
			_, err := c.GetObject(ctx, in)
			return err
		}
	}
	write := func(change func(*s3.PutObjectInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("0123456789")}
			change(in)
			_, err := c.PutObject(ctx, in)
			return err
		}
	}
	at, wrong := s.clock.Now(), aws.String(`"wrong"`)
	for name, call := range map[string]func(context.Context) error{
		"If-Match":            get(func(in *s3.GetObjectInput) { in.IfMatch = etag }),
		"If-None-Match":       get(func(in *s3.GetObjectInput) { in.IfNoneMatch = wrong }),
		"If-Modified-Since":   get(func(in *s3.GetObjectInput) { in.IfModifiedSince = aws.Time(at.Add(-time.Minute)) }),
		"If-Unmodified-Since": get(func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = &at }),
		"If-Match on put":     write(func(in *s3.PutObjectInput) { in.IfMatch = etag }),
	} {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	checkRefused(t, map[string]refused{
		"If-Match":             {get(func(in *s3.GetObjectInput) { in.IfMatch = wrong }), "PreconditionFailed", "pre-conditions", 412},
		"If-Unmodified-Since":  {get(func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = aws.Time(at.Add(-time.Minute)) }), "PreconditionFailed", "pre-conditions", 412},
		"put If-None-Match":    {write(func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }), "PreconditionFailed", "pre-conditions", 412},
		"put If-Match":         {write(func(in *s3.PutObjectInput) { in.IfMatch = wrong }), "PreconditionFailed", "pre-conditions", 412},
		"put If-Match, absent": {write(func(in *s3.PutObjectInput) { in.IfMatch, in.Key = etag, aws.String("none") }), "NoSuchKey", "", 404},
		"delete If-Match": {func(ctx context.Context) error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, IfMatch: wrong})
			return err
		}, "PreconditionFailed", "pre-conditions", 412},
	})
	for name, call := range map[string]func(context.Context) error{
		"If-None-Match":     get(func(in *s3.GetObjectInput) { in.IfNoneMatch = etag }),
		"If-Modified-Since": get(func(in *s3.GetObjectInput) { in.IfModifiedSince = &at }),
	} {
		if err := call(t.Context()); err == nil || statusOf(t, err) != 304 {
			t.Errorf("%s: %v, want 304", name, err)
		}
	}
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key, IfMatch: etag}); err != nil {
		t.Error(err)
	}
}

func TestRanges(t *testing.T) {
	s := start(t, Options{})
	c, bucket, key := s.bucket(t, "store"), aws.String("store"), aws.String("k")
	put(t, c, *bucket, *key, "0123456789")
	for spec, want := range map[string]string{"bytes=0-3": "0123", "bytes=8-": "89", "bytes=-2": "89", "bytes=5-99": "56789", "bytes=3-3": "3", "lines=1-2": "0123456789"} {
		got := must(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key, Range: &spec}))(t)
		if body := must(io.ReadAll(got.Body))(t); string(body) != want {
			t.Errorf("%s: %q, want %q", spec, body, want)
		}
	}
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=10-")})
	wantCode(t, err, "InvalidRange", "not satisfiable")
}

func TestWhatObjectsAreRefused(t *testing.T) {
	s := start(t, Options{})
	c, bucket := s.bucket(t, "store"), aws.String("store")
	with := func(change func(*s3.PutObjectInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("x")}
			change(in)
			_, err := c.PutObject(ctx, in)
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"ACL":       {with(func(in *s3.PutObjectInput) { in.ACL = types.ObjectCannedACLPublicRead }), "AccessControlListNotSupported", "does not allow ACLs", 400},
		"private":   {with(func(in *s3.PutObjectInput) { in.ACL = types.ObjectCannedACLPrivate }), "AccessControlListNotSupported", "does not allow ACLs", 400},
		"grant":     {with(func(in *s3.PutObjectInput) { in.GrantRead = aws.String("id=1") }), "AccessControlListNotSupported", "does not allow ACLs", 400},
		"two keys":  {with(func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKmsDsse }), "NotImplemented", "aws:kms:dsse", 501},
		"class":     {with(func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassGlacier }), "NotImplemented", "GLACIER", 501},
		"lock":      {with(func(in *s3.PutObjectInput) { in.ObjectLockMode = types.ObjectLockModeGovernance }), "NotImplemented", "x-amz-object-lock-mode", 501},
		"too large": {with(func(in *s3.PutObjectInput) { in.Body = strings.NewReader(strings.Repeat("x", maxObject+1)) }), "EntityTooLarge", "16777216 bytes", 400},
		"long key":  {with(func(in *s3.PutObjectInput) { in.Key = aws.String(strings.Repeat("k", 1025)) }), "KeyTooLongError", "too long", 400},
		"tags":      {with(func(in *s3.PutObjectInput) { in.Tagging = aws.String("aws:x=1") }), "InvalidTag", "System tags", 400},
		"no bucket": {with(func(in *s3.PutObjectInput) { in.Bucket = aws.String("nothere") }), "NoSuchBucket", "does not exist", 404},
		"version": {func(ctx context.Context) error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("k"), VersionId: aws.String("abc")})
			return err
		}, "InvalidArgument", "version id", 400},
		"part": {func(ctx context.Context) error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("k"), PartNumber: aws.Int32(1)})
			return err
		}, "NotImplemented", "partNumber", 501},
		"attributes": {func(ctx context.Context) error {
			_, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}})
			return err
		}, "NotImplemented", "GetObjectAttributes", 501},
	})
}

// Who owns an object of another account's is up to its ACL there, which the
// sandbox does not have.
func TestObjectOwnership(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket := s.bucket(t, "store"), t.Context(), aws.String("store")
	if err := putPolicy(c, "store", policyOf(statement("Allow", `{"AWS":"222222222222"}`, "s3:PutObject", "arn:aws:s3:::store/*")))(ctx); err != nil {
		t.Fatal(err)
	}
	must(c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}}))(t)
	_, err := s.s3(consumer).PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("x")})
	wantCode(t, err, "NotImplemented", "object ownership")
	put(t, c, "store", "k", "x")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("x"), ACL: types.ObjectCannedACLPublicRead})
	wantCode(t, err, "NotImplemented", "ACL")
}

func TestObjectTags(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket, key := s.bucket(t, "store"), t.Context(), aws.String("store"), aws.String("k")
	put(t, c, *bucket, *key, "x")
	must(c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}}}))(t)
	got := must(c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key}))(t)
	if len(got.TagSet) != 1 || *got.TagSet[0].Value != "1" {
		t.Errorf("%+v", got.TagSet)
	}
	must(c.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: bucket, Key: key}))(t)
	if got := must(c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key}))(t); len(got.TagSet) != 0 {
		t.Errorf("%+v", got.TagSet)
	}
	_, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: aws.String("none")})
	wantCode(t, err, "NoSuchKey", "")
	must(c.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key}))(t)
	must(c.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: bucket, Key: key, ACL: types.ObjectCannedACLBucketOwnerFullControl}))(t)
	_, err = c.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: bucket, Key: key, ACL: types.ObjectCannedACLPublicRead})
	wantCode(t, err, "AccessControlListNotSupported", "")
}

func TestCopyObject(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket := s.bucket(t, "store"), t.Context(), aws.String("store")
	must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("from here"), Body: strings.NewReader("text"), ContentType: aws.String("text/plain"), Metadata: map[string]string{"a": "1"}, Tagging: aws.String("t=1")}))(t)
	for name, c2 := range map[string]struct {
		change func(*s3.CopyObjectInput)
		kind   string
		tags   int
	}{
		"as it is": {func(*s3.CopyObjectInput) {}, "text/plain", 1},
		"new metadata": {func(in *s3.CopyObjectInput) {
			in.MetadataDirective, in.ContentType = types.MetadataDirectiveReplace, aws.String("text/html")
		}, "text/html", 1},
		"no tags": {func(in *s3.CopyObjectInput) { in.TaggingDirective = types.TaggingDirectiveReplace }, "text/plain", 0},
	} {
		t.Run(name, func(t *testing.T) {
			in := &s3.CopyObjectInput{Bucket: bucket, Key: &name, CopySource: aws.String("store/from%20here")}
			c2.change(in)
			out := must(c.CopyObject(ctx, in))(t)
			got := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &name}))(t)
			if body := must(io.ReadAll(got.Body))(t); string(body) != "text" || *got.ContentType != c2.kind || int(aws.ToInt32(got.TagCount)) != c2.tags || *got.ETag != *out.CopyObjectResult.ETag {
				t.Errorf("%q %+v", body, got)
			}
		})
	}
	copying := func(source string, change ...func(*s3.CopyObjectInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("from here"), CopySource: &source}
			for _, f := range change {
				f(in)
			}
			_, err := c.CopyObject(ctx, in)
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"onto itself":    {copying("store/from%20here"), "InvalidRequest", "to itself", 400},
		"no key":         {copying("store"), "InvalidArgument", "copy source", 400},
		"no bucket":      {copying("nothere/k"), "NoSuchBucket", "", 404},
		"no object":      {copying("store/none"), "NoSuchKey", "", 404},
		"source's owner": {copying("store/from%20here", func(in *s3.CopyObjectInput) { in.ExpectedSourceBucketOwner = aws.String(consumer) }), "AccessDenied", "", 403},
		"condition":      {copying("store/from%20here", func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = aws.String("x") }), "PreconditionFailed", "", 412},
		"part copy": {func(ctx context.Context) error {
			_, err := c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: aws.String("k"), CopySource: aws.String("store/from%20here"), PartNumber: aws.Int32(1), UploadId: aws.String("u")})
			return err
		}, "NotImplemented", "UploadPartCopy", 501},
	})
}

func TestPresignedURLEnds(t *testing.T) {
	s := start(t, Options{})
	c := s.bucket(t, "store")
	put(t, c, "store", "k", "text")
	signed := must(s3.NewPresignClient(c).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("store"), Key: aws.String("k")}))(t)
	at, err := time.Parse("20060102T150405Z", signed.SignedHeader.Get("X-Amz-Date"))
	if err != nil { // the time is in the URL
		_, rest, _ := strings.Cut(signed.URL, "X-Amz-Date=")
		if at, err = time.Parse("20060102T150405Z", rest[:16]); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.mu.Lock()
	s.clock.now = at
	s.clock.mu.Unlock()
	for want, after := range map[int]time.Duration{200: 0, 403: 16 * time.Minute} {
		s.clock.mu.Lock()
		s.clock.now = at.Add(after)
		s.clock.mu.Unlock()
		r := must(newGet(t, signed.URL))(t)
		if status, body := s.send(t, r); status != want {
			t.Errorf("after %s: %d %s", after, status, body)
		}
	}
}

// Without versioning an object has the one version "null", which has actions
// of its own.
func TestNullVersion(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	ctx, bucket, key, null := t.Context(), aws.String("shared"), aws.String("k"), aws.String("null")
	put(t, s.s3(owner), "shared", "k", "text")
	get := func() error {
		_, err := s.reader(t).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, VersionId: null})
		return err
	}
	grant := func(action string) {
		t.Helper()
		if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, action, sharedARN+"/*")))(ctx); err != nil {
			t.Fatal(err)
		}
	}
	grant("s3:GetObject")
	wantCode(t, get(), "AccessDenied", "")
	grant("s3:GetObjectVersion")
	wantCode(t, get(), "", "")
	grant("s3:GetObjectVersionTagging")
	_, err := s.reader(t).GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key, VersionId: null})
	wantCode(t, err, "", "")
	must(s.s3(owner).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: null}))(t)
	_, err = s.s3(owner).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	wantCode(t, err, "NoSuchKey", "")
}
