package awslive

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// objectCalls are the calls that a probe makes on the objects of one bucket, as the
// role or as the owner. An error has S3's code (codeOf) where S3 refused, and is
// an unprobedError where the call could not be made, which says nothing of S3.
type objectCalls interface {
	put(ctx context.Context, key string, text []byte) error
	// list gives the keys that begin so. The probe's begin as no others do, so
	// there are few.
	list(ctx context.Context, prefix string) ([]string, error)
	get(ctx context.Context, key string) ([]byte, error)
	remove(ctx context.Context, key string) error
}

// unprobedError is why a call could not be made.
type unprobedError struct {
	reason string
	// perhaps: it may have reached S3 all the same.
	perhaps bool
}

func (e *unprobedError) Error() string { return e.reason }

// isRefusal reports whether S3 answered a call, and by an error: then it has
// done nothing.
func isRefusal(err error) bool {
	var answer *cliError
	return statusOf(err) != 0 || errors.As(err, &answer)
}

// isUnmade reports whether a call did not reach S3.
func isUnmade(err error) bool {
	var unprobed *unprobedError
	return errors.As(err, &unprobed) && !unprobed.perhaps
}

// bySDK makes the calls from here.
type bySDK struct {
	api    *s3.Client
	bucket string
}

func (o bySDK) put(ctx context.Context, key string, text []byte) error {
	_, err := o.api.PutObject(ctx, &s3.PutObjectInput{Bucket: &o.bucket, Key: &key, Body: bytes.NewReader(text)})
	return err
}

func (o bySDK) list(ctx context.Context, prefix string) ([]string, error) {
	out, err := o.api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &o.bucket, Prefix: &prefix, MaxKeys: aws.Int32(10)})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, object := range out.Contents {
		keys = append(keys, aws.ToString(object.Key))
	}
	return keys, nil
}

func (o bySDK) get(ctx context.Context, key string) ([]byte, error) {
	out, err := o.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(out.Body)
	return text, errors.Join(err, out.Body.Close())
}

func (o bySDK) remove(ctx context.Context, key string) error {
	_, err := o.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &key})
	return err
}
