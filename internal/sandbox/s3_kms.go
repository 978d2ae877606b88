package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
)

const sseKMS = "aws:kms"

// kmsEncryption is how an object is encrypted by SSE-KMS
// (S3:UsingKMSEncryption). The object is kept as it is; what counts is who may
// use the key, and whether it can be used.
type kmsEncryption struct {
	Key       string            // ARN; as written, where no key could be found
	BucketKey bool              `json:",omitempty"`
	Context   map[string]string `json:",omitempty"` // sent with the object, beside S3's own
}

// The headers of an encryption with KMS.
const (
	sseHeader        = "X-Amz-Server-Side-Encryption"
	sseKeyHeader     = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	sseContextHeader = "X-Amz-Server-Side-Encryption-Context"
	sseBucketHeader  = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
)

// encryption is how the object of a write is to be encrypted: as its headers
// say, else as the bucket's default does; nil: by SSE-S3.
//
// A key that is not named by an ARN is looked for in the requester's account:
// it is KMS that finds it, in the requester's name. The AWS managed key of a
// bucket's default is the bucket's account's, which nobody else can use
// (S3:UsingKMSEncryption#aws-managed-customer-managed-keys).
func (c *s3Call) encryption() (*kmsEncryption, error) {
	illegal := func(name, format string, args ...any) error {
		e := fault(http.StatusBadRequest, "InvalidArgument", format, args...)
		e.detail = map[string]string{"ArgumentName": name, "ArgumentValue": c.Header.Get(name)}
		return e
	}
	algorithm, key, account := c.Header.Get(sseHeader), c.Header.Get(sseKeyHeader), c.caller.Account
	e := &kmsEncryption{BucketKey: c.bucket.Encryption.BucketKey}
	switch {
	case algorithm == "" && key != "":
		return nil, illegal(sseHeader, "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	case algorithm == "":
		algorithm, key = c.bucket.Encryption.Algorithm, c.bucket.Encryption.Key
		if key == "" {
			account = c.bucket.Account
		}
	case algorithm == sseS3 && key != "":
		return nil, illegal(sseHeader, "The encryption method specified is not supported with a KMS key")
	}
	switch algorithm {
	case sseS3:
		return nil, nil //nolint:nilnil // nil: SSE-S3
	case sseKMS:
	case "aws:kms:dsse":
		return nil, notImplemented("objects with the encryption %s", algorithm)
	default:
		return nil, illegal(sseHeader, "The encryption method specified is not supported")
	}
	if v := c.Header.Get(sseBucketHeader); v != "" {
		var err error
		if e.BucketKey, err = strconv.ParseBool(v); err != nil {
			return nil, illegal(sseBucketHeader, "The value of x-amz-server-side-encryption-bucket-key-enabled must be true or false")
		}
	}
	if v := c.Header.Get(sseContextHeader); v != "" {
		text, err := base64.StdEncoding.DecodeString(v)
		if err == nil {
			err = json.Unmarshal(text, &e.Context)
		}
		if _, taken := e.Context[contextOfS3]; err != nil || taken {
			return nil, illegal(sseContextHeader, "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map, without the key %s", contextOfS3)
		}
	}
	if key == "" {
		key = s3Alias
	}
	f, err := c.server.findKey(key, account, c.bucket.Region)
	if err != nil {
		return nil, kmsSays(err)
	}
	if e.Key = f.arn; f.key != nil {
		e.Key = f.key.ARN
	}
	return e, nil
}

// contextOfS3 is what S3 puts into the encryption context: the object's ARN,
// or the bucket's with a bucket key (S3:bucket-key).
const contextOfS3 = "aws:s3:arn"

// useKey asks, in the requester's name, for an action on the key of an object:
// kms:GenerateDataKey to write it, kms:Decrypt to read it. Who has no name
// uses no key.
func (c *s3Call) useKey(action string, b *bucket, object string, e *kmsEncryption) error {
	if e == nil {
		return nil
	}
	if c.credential.key == "" {
		return fault(http.StatusBadRequest, "InvalidArgument", "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.")
	}
	f, err := c.server.findKey(e.Key, c.caller.Account, b.Region)
	if err != nil {
		return kmsSays(err)
	}
	if f.key == nil {
		return kmsSays(c.noKey(action, f))
	}
	context := encryptionContext{}
	maps.Copy(context, e.Context)
	if context[contextOfS3] = c.server.bucketARN(b.Name, object); e.BucketKey {
		context[contextOfS3] = c.server.bucketARN(b.Name, "")
	}
	p, err := c.keyPermission(f.key, action, context.keys())
	if err != nil {
		return err
	}
	p.via = s3Via(b.Region)
	about := c.resource
	if err := c.authorize(p); err != nil {
		return err
	}
	c.resource = about // what the call is about; the key is only in its way
	return kmsSays(f.key.usable())
}

// kmsSays is an error of KMS's as S3 passes it on.
func kmsSays(err error) error {
	var e *apiError
	if errors.As(err, &e) && e.status == http.StatusBadRequest {
		return fault(http.StatusBadRequest, "KMS."+e.code, "%s", e.message)
	}
	return err
}

// show sets the answer's headers about the encryption.
func (e *kmsEncryption) show(h http.Header) {
	if e == nil {
		h.Set(sseHeader, sseS3)
		return
	}
	h.Set(sseHeader, sseKMS)
	h.Set(sseKeyHeader, e.Key)
	if e.BucketKey {
		h.Set(sseBucketHeader, "true")
	}
}

// etag is an object's: its MD5, but with SSE-KMS something else of that length
// (S3 API: Object).
func (c *s3Call) etag(data []byte, e *kmsEncryption) string {
	sum := hex.EncodeToString(md5Of(data))
	if e == nil {
		return sum
	}
	return hex.EncodeToString(c.server.digest("etag", e.Key, c.resource, sum))[:32]
}
