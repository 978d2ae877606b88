package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		host, path string
		want       s3Address
	}{
		"service":         {"127.0.0.1:80", "/", s3Address{}},
		"path":            {"127.0.0.1:80", "/b/dir/k", s3Address{"b", "dir/k", false}},
		"path, bucket":    {"127.0.0.1:80", "/b/", s3Address{"b", "", false}},
		"localhost":       {"localhost:80", "/b/k", s3Address{"b", "k", false}},
		"IPv6":            {"[::1]:80", "/b/k", s3Address{"b", "k", false}},
		"virtual":         {"b.c.s3.eu-west-1.amazonaws.com", "/dir//k", s3Address{"b.c", "dir//k", true}},
		"virtual, old":    {"b.s3-eu-west-1.amazonaws.com", "/k", s3Address{"b", "k", true}},
		"virtual, global": {"b.s3.amazonaws.com", "/", s3Address{"b", "", true}},
		"virtual, China":  {"b.s3.cn-north-1.amazonaws.com.cn", "/k", s3Address{"b", "k", true}},
		"virtual, local":  {"b.localhost:80", "/k", s3Address{"b", "k", true}},
		"regional":        {"s3.eu-west-1.amazonaws.com", "/b/k", s3Address{"b", "k", false}},
	} {
		t.Run(name, func(t *testing.T) {
			r := must(newGet(t, "http://x"+c.path))(t)
			r.Host = c.host
			if got := addressOf(r); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDecodeChunks(t *testing.T) {
	for name, c := range map[string]struct {
		body, data, sum string
		ok              bool
	}{
		"signed":         {"5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n", "hello", "", true},
		"two chunks":     {"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello", "", true},
		"trailer":        {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n", "hello", "abc=", true},
		"signed trailer": {"5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\nx-amz-checksum-crc32:abc=\r\nx-amz-trailer-signature:ef\r\n\r\n", "hello", "abc=", true},
		"bare newline":   {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\n\r\n\r\n", "hello", "abc=", true},
		"empty":          {"0\r\n\r\n", "", "", true},
		"cut off":        {"5\r\nhel", "", "", false},
		"no end":         {"5\r\nhello\r\n", "", "", false},
		"no size":        {"hello\r\n", "", "", false},
		"negative":       {"-1\r\n\r\n", "", "", false},
		"huge":           {"7fffffffffffffff\r\nx\r\n", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			data, tail, ok := decodeChunks([]byte(c.body))
			if ok != c.ok || string(data) != c.data || tail.Get("X-Amz-Checksum-Crc32") != c.sum {
				t.Errorf("%q %v %t", data, tail, ok)
			}
		})
	}
}

func FuzzDecodeChunks(f *testing.F) {
	f.Add([]byte("5;chunk-signature=ab\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if data, _, ok := decodeChunks(body); ok && len(data) > len(body) {
			t.Errorf("%d bytes out of %d", len(data), len(body))
		}
	})
}

// CRC64NVME's check value (the CRC catalogue, CRC-64/NVME).
func TestCRC64NVME(t *testing.T) {
	sum, ok := checksumNamed("CRC64NVME")
	if got := sum.sum([]byte("123456789")); !ok || got != "rosUhgp5mIg=" {
		t.Errorf("%s", got)
	}
}

func TestURLEncoding(t *testing.T) {
	if got := urlEncoded("a b/ä+%~"); got != "a+b/%C3%A4%2B%25%7E" {
		t.Error(got)
	}
}

// raw sends a request to S3 as an account's administrator.
func (s testServer) raw(t *testing.T, method, host, path, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+owner+"/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	return string(must(io.ReadAll(r.Body))(t))
}

// Chunked bodies, as SDKs send them: signed, and with trailing checksums.
func TestChunkedBodies(t *testing.T) {
	s := start(t, Options{})
	c := s.bucket(t, "store")
	for name, w := range map[string]struct {
		sha, body, length string
		status            int
	}{
		"signed":           {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n", "5", 200},
		"unsigned trailer": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5", 200},
		"signed trailer":   {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\nx-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:ef\r\n\r\n", "5", 200},
		"wrong checksum":   {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "5", 400},
		"wrong length":     {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhello\r\n0\r\n\r\n", "6", 400},
		"wrong SHA-256":    {strings.Repeat("0", 64), "hello", "", 400},
		"unsigned":         {"UNSIGNED-PAYLOAD", "hello", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{"X-Amz-Content-Sha256", w.sha}
			if w.length != "" {
				header = append(header, "X-Amz-Decoded-Content-Length", w.length, "Content-Encoding", "aws-chunked,gzip")
			}
			r := s.raw(t, http.MethodPut, "", "/store/k", w.body, header...)
			if r.StatusCode != w.status {
				t.Fatalf("%d %s", r.StatusCode, text(t, r))
			}
			if w.status != 200 {
				return
			}
			got := must(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("store"), Key: aws.String("k")}))(t)
			if body := must(io.ReadAll(got.Body))(t); string(body) != "hello" || w.length != "" && *got.ContentEncoding != "gzip" {
				t.Errorf("%q, encoding %v", body, got.ContentEncoding)
			}
		})
	}
}

func TestVirtualHosts(t *testing.T) {
	s := start(t, Options{})
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		body := ""
		if region != "us-east-1" {
			body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` + region + `</LocationConstraint></CreateBucketConfiguration>`
		}
		if r := s.raw(t, http.MethodPut, "b-"+region+".s3.amazonaws.com", "/", body); r.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", r.StatusCode, text(t, r))
		}
	}
	if r := s.raw(t, http.MethodPut, "b-us-east-1.localhost:1", "/dir/k", "hello"); r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", r.StatusCode, text(t, r))
	}
	if r := s.raw(t, http.MethodGet, "b-us-east-1.s3.us-east-1.amazonaws.com", "/dir/k", ""); text(t, r) != "hello" {
		t.Errorf("%d", r.StatusCode)
	}
	// The signature's region is wrong, the host's is not.
	r := s.raw(t, http.MethodGet, "b-eu-west-1.s3.amazonaws.com", "/k", "")
	if body := text(t, r); r.StatusCode != http.StatusBadRequest || !strings.Contains(body, "<Code>AuthorizationHeaderMalformed</Code>") || !strings.Contains(body, "<Region>eu-west-1</Region>") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	r = s.raw(t, http.MethodGet, "", "/b-eu-west-1/k", "")
	if body := text(t, r); r.StatusCode != http.StatusMovedPermanently || !strings.Contains(body, "<Endpoint>s3.eu-west-1.amazonaws.com</Endpoint>") || r.Header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

// An error is XML with the request's ids and what it is about; without a body
// in the answer to a HEAD.
func TestErrorsOnTheWire(t *testing.T) {
	s := start(t, Options{})
	r := s.raw(t, http.MethodGet, "", "/nothere/k", "")
	want := fmt.Sprintf("<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>nothere</BucketName><RequestId>%s</RequestId><HostId>%s</HostId></Error>", r.Header.Get("X-Amz-Request-Id"), r.Header.Get("X-Amz-Id-2"))
	if body := text(t, r); r.StatusCode != http.StatusNotFound || !strings.HasSuffix(body, want) || r.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	r = s.raw(t, http.MethodHead, "", "/nothere/k", "")
	if body := text(t, r); r.StatusCode != http.StatusNotFound || body != "" {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	s.bucket(t, "store")
	for path, want := range map[string]string{"/store?torrent=1": "torrent", "/store?policy&who": "who", "/store?abac": "GetBucketAbac", "/store/k?AWSAccessKeyId=1&Signature=2&Expires=3": "Signature Version 2", "/store?list-type=3": "list-type"} {
		r := s.raw(t, http.MethodGet, "", path, "")
		if body := text(t, r); r.StatusCode != http.StatusNotImplemented || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
	for what, c := range map[string]struct{ path, body, want string }{
		"unknown element": {"/store?versioning", "<VersioningConfiguration><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>", "<Code>NotImplemented</Code>"},
		"no XML":          {"/store?versioning", "<VersioningConfiguration>", "<Code>MalformedXML</Code>"},
		"bad status":      {"/store?versioning", "<VersioningConfiguration><Status>Maybe</Status></VersioningConfiguration>", "<Code>MalformedXML</Code>"},
		"bad ownership":   {"/store?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>Mine</ObjectOwnership></Rule></OwnershipControls>", "<Code>MalformedXML</Code>"},
	} {
		r := s.raw(t, http.MethodPut, "", c.path, c.body)
		if body := text(t, r); !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", what, r.StatusCode, body)
		}
	}
}

// endless is a body whose length is not known before.
type endless struct{ io.Reader }

func TestWhatBodiesAndHeadersAreRefused(t *testing.T) {
	s := start(t, Options{})
	c := s.bucket(t, "store")
	name, long := aws.String("store"), strings.Repeat("k", 1025)
	put(t, c, "store", "source", "text")
	large := map[string]string{"a": strings.Repeat("x", 2048)}
	checkRefused(t, map[string]refused{
		"no length": {func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url+"/store/k", endless{strings.NewReader("hello")})
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+owner+"/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
			status, body := s.send(t, r)
			if status != 501 || !strings.Contains(body, "<Header>Transfer-Encoding</Header>") {
				t.Errorf("%d %s", status, body)
			}
			_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("k")})
			return err
		}, "NoSuchKey", "", 404},
		"key": {func(ctx context.Context) error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: &long})
			return err
		}, "KeyTooLongError", "", 400},
		"key of a copy": {func(ctx context.Context) error {
			_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: name, Key: &long, CopySource: aws.String("store/source")})
			return err
		}, "KeyTooLongError", "", 400},
		"key of an upload": {func(ctx context.Context) error {
			_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: &long})
			return err
		}, "KeyTooLongError", "", 400},
		"metadata": {func(ctx context.Context) error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("k"), Metadata: large})
			return err
		}, "MetadataTooLarge", "", 400},
		"metadata of an upload": {func(ctx context.Context) error {
			_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: aws.String("k"), Metadata: large})
			return err
		}, "MetadataTooLarge", "", 400},
	})
	r := s.raw(t, http.MethodPut, "", "/store/k", "0\r\n\r\n", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	if body := text(t, r); r.StatusCode != http.StatusLengthRequired || !strings.Contains(body, "MissingContentLength") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	// The S3 Control API's paths are no buckets.
	r = s.raw(t, http.MethodGet, "", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ashared", "", "X-Amz-Account-Id", owner)
	if body := text(t, r); r.StatusCode != http.StatusNotImplemented || !strings.Contains(body, "S3 Control API") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}
