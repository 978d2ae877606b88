package awslive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/executor"
)

// LockActions are the IAM actions that the lock and the record of the last
// commit applied need, sorted, on objects xshare/*.lock and xshare/*.applied
// of the lock's bucket only. Of these, only locks are ever deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func LockActions() []string { return []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"} }

// largestDocument is more than a Store's documents ever have.
const largestDocument = 64 << 10

// objects is an executor.Store of a bucket's objects.
type objects struct {
	client                  *Client
	bucket, account, region string
}

// Store returns the objects of an account's bucket as an executor.Store, used
// with that account's session. An empty region is the account's.
func (c *Client) Store(bucket, account, region string) executor.Store {
	return &objects{client: c, bucket: bucket, account: account, region: region}
}

// Caller is the ARN of who runs this client: of the credentials that it starts
// from in an account, before it assumes any role there. It is asked for once.
func (c *Client) Caller(ctx context.Context, account string) (string, error) {
	s, err := c.session(account)
	if err != nil {
		return "", err
	}
	caller, err := s.base.identity(ctx)
	if err != nil {
		return "", err
	}
	return caller.arn, nil
}

// api is the S3 client, once the account's session is ready.
func (o *objects) api(ctx context.Context) (*session, *s3.Client, error) {
	s, err := o.client.session(o.account)
	if err != nil {
		return nil, nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, nil, err
	}
	return s, s.s3(o.region), nil
}

// Create writes an object that is not there.
func (o *objects) Create(ctx context.Context, name string, text []byte) (string, error) {
	return o.put(ctx, name, text, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }, executor.ErrExists)
}

// Replace writes an object that still has the ETag.
func (o *objects) Replace(ctx context.Context, name, version string, text []byte) (string, error) {
	return o.put(ctx, name, text, func(in *s3.PutObjectInput) { in.IfMatch = &version }, executor.ErrChanged)
}

func (o *objects) put(ctx context.Context, name string, text []byte, condition func(*s3.PutObjectInput), unmet error) (string, error) {
	s, api, err := o.api(ctx)
	if err != nil {
		return "", err
	}
	var etag string
	err = o.client.again(ctx, conflictPatience, isConflict, func() error {
		in := &s3.PutObjectInput{
			Bucket: &o.bucket, Key: &name, ExpectedBucketOwner: &o.account,
			Body: bytes.NewReader(text), ContentType: aws.String("application/json"),
		}
		condition(in)
		out, err := api.PutObject(ctx, in)
		if err == nil {
			etag = aws.ToString(out.ETag)
		}
		return err
	})
	return etag, o.failed(s, err, name, unmet)
}

// How long a write is tried again that met another one: S3 decides neither
// then.
const conflictPatience = 10 * time.Second

func isConflict(err error) bool { return isCode(err, "ConditionalRequestConflict") }

// Get reads an object and its ETag.
func (o *objects) Get(ctx context.Context, name string) ([]byte, string, error) {
	s, api, err := o.api(ctx)
	if err != nil {
		return nil, "", err
	}
	out, err := api.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &name, ExpectedBucketOwner: &o.account})
	if err != nil {
		return nil, "", o.failed(s, err, name, executor.ErrChanged)
	}
	defer func() { _ = out.Body.Close() }() // all was read, or an error says so
	text, err := io.ReadAll(io.LimitReader(out.Body, largestDocument+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("reading s3://%s/%s: %w", o.bucket, name, err)
	case len(text) > largestDocument:
		return nil, "", fmt.Errorf("s3://%s/%s is larger than the %d bytes that are read: see what it is", o.bucket, name, largestDocument)
	}
	return text, aws.ToString(out.ETag), nil
}

// Delete removes an object that still has the ETag. S3 answers the same where
// there is none.
func (o *objects) Delete(ctx context.Context, name, version string) error {
	s, api, err := o.api(ctx)
	if err != nil {
		return err
	}
	err = o.client.again(ctx, conflictPatience, isConflict, func() error {
		_, err := api.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &o.bucket, Key: &name, ExpectedBucketOwner: &o.account, IfMatch: &version,
		})
		return err
	})
	if err = o.failed(s, err, name, executor.ErrChanged); errors.Is(err, executor.ErrAbsent) {
		return nil
	}
	return err
}

// failed makes an error of what S3 answered; unmet is what a condition that
// does not hold means.
func (o *objects) failed(s *session, err error, name string, unmet error) error {
	switch {
	case err == nil:
		return nil
	case isCode(err, "NoSuchKey"), isCode(err, "NotFound") && statusOf(err) == http.StatusNotFound:
		return executor.ErrAbsent
	case isCode(err, "PreconditionFailed"), statusOf(err) == http.StatusPreconditionFailed:
		return unmet
	case isCode(err, "NoSuchBucket"):
		return o.client.failed(err, o.account, o.region, o.arn(name),
			"create the bucket "+o.bucket+" in account "+o.account+", or correct `lock:` of xshare.yaml")
	case isDenied(err):
		// Conditions on what is there need reading, and absence is told only to
		// those who may list.
		return o.client.failed(err, o.account, o.region, o.arn(name),
			s.deniedMend(err, strings.Join(LockActions(), ", ")+" (and s3:ListBucket on its bucket)", o.arn(name)))
	}
	return s.failed(err, o.region, o.arn(name))
}

func (o *objects) arn(name string) string { return bucketARN(o.client, o.bucket) + "/" + name }
