package sandbox

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// s3Address is what a request's host and path name.
type s3Address struct {
	bucket, key string
	virtual     bool // the bucket stood in the host name
}

func (a s3Address) level() s3Level {
	switch {
	case a.bucket == "":
		return s3Service
	case a.key == "":
		return s3Bucket
	}
	return s3Object
}

// addressOf reads path-style (/bucket/key) and virtual-host addresses
// (bucket.s3.REGION.amazonaws.com, bucket.localhost, S3: "Virtual hosting").
func addressOf(r *http.Request) s3Address {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if b := hostBucket(r.Host); b != "" {
		return s3Address{bucket: b, key: path, virtual: true}
	}
	bucket, key, _ := strings.Cut(path, "/")
	return s3Address{bucket: bucket, key: key}
}

// hostBucket is the bucket in a host name, or "".
func hostBucket(hostport string) string {
	h := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		h = name
	}
	if net.ParseIP(strings.Trim(h, "[]")) != nil {
		return ""
	}
	h = strings.ToLower(h)
	if b, ok := strings.CutSuffix(h, ".localhost"); ok && b != "s3" {
		return strings.TrimSuffix(b, ".s3")
	}
	domain, ok := strings.CutSuffix(h, ".amazonaws.com")
	if !ok {
		if domain, ok = strings.CutSuffix(h, ".amazonaws.com.cn"); !ok {
			return ""
		}
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.LastIndex(domain+".", mark); i > 0 {
			return domain[:i]
		}
	}
	return ""
}

// sentSum is a checksum that came with a body.
type sentSum struct{ algorithm, value string }

// checksum is one of S3's checksum algorithms
// (S3: checking-object-integrity).
type checksum struct {
	name   string // "CRC32", as in x-amz-checksum-algorithm
	header string
	new    func() hash.Hash
}

// crc64NVMe is the polynomial of CRC64NVME, bits reversed.
const crc64NVMe = 0x9a6c9329ac4bc9b5

var checksums = []checksum{
	{"CRC32", "X-Amz-Checksum-Crc32", func() hash.Hash { return crc32.NewIEEE() }},
	{"CRC32C", "X-Amz-Checksum-Crc32c", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
	{"CRC64NVME", "X-Amz-Checksum-Crc64nvme", func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVMe)) }},
	{"SHA1", "X-Amz-Checksum-Sha1", sha1.New},
	{"SHA256", "X-Amz-Checksum-Sha256", sha256.New},
}

// checksumNamed finds an algorithm; ok is false for one that S3 does not have.
func checksumNamed(name string) (c checksum, ok bool) {
	for _, c := range checksums {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return c, false
}

// sum is the checksum of data in base64.
func (c checksum) sum(data []byte) string {
	h := c.new()
	h.Write(data)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func md5Of(data []byte) []byte {
	d := md5.Sum(data)
	return d[:]
}

// readBody takes the body out of its chunks and checks what was sent with it:
// length, Content-MD5, x-amz-content-sha256 and checksums.
func (c *s3Call) readBody() error {
	c.data, c.tail = c.body, http.Header{}
	sha, length := c.Header.Get("X-Amz-Content-Sha256"), c.Header.Get("X-Amz-Decoded-Content-Length")
	if slices.Contains(c.TransferEncoding, "chunked") && length == "" { // S3 wants to know before how much there is
		e := fault(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
		e.detail = map[string]string{"Header": "Transfer-Encoding"}
		return e
	}
	switch {
	case strings.HasPrefix(sha, "STREAMING-"):
		if length == "" {
			return fault(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
		}
		data, tail, ok := decodeChunks(c.body)
		if !ok || length != strconv.Itoa(len(data)) {
			return fault(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
		}
		c.data, c.tail = data, tail
	case len(sha) == 64:
		if have := sha256.Sum256(c.data); hex.EncodeToString(have[:]) != sha {
			e := fault(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
			e.detail = map[string]string{"ClientComputedContentSHA256": sha, "S3ComputedContentSHA256": hex.EncodeToString(have[:])}
			return e
		}
	}
	if want := c.Header.Get("Content-Md5"); want != "" {
		raw, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(raw) != md5.Size {
			return fault(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if !bytes.Equal(raw, md5Of(c.data)) {
			return fault(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	if c.op.name == "CompleteMultipartUpload" { // there they are the whole object's
		return nil
	}
	for _, sum := range checksums {
		want := c.Header.Get(sum.header)
		if want == "" {
			want = c.tail.Get(sum.header)
		}
		if want == "" {
			continue
		}
		if sum.sum(c.data) != want {
			return fault(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", sum.name)
		}
		c.sums = append(c.sums, sentSum{sum.name, want})
	}
	return nil
}

// decodeChunks reads aws-chunked content: chunks of "size[;chunk-signature=…]"
// and, after the empty one, trailing headers (S3 API: sigv4-streaming,
// sigv4-streaming-trailers). ok is false where it ends too soon.
func decodeChunks(body []byte) (data []byte, tail http.Header, ok bool) {
	tail = http.Header{}
	for {
		line, rest, found := bytes.Cut(body, []byte("\r\n"))
		if !found {
			return nil, nil, false
		}
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
		if err != nil || n < 0 || n > int64(len(rest)) {
			return nil, nil, false
		}
		if n == 0 {
			body = rest
			break
		}
		data = append(data, rest[:n]...)
		if body, found = bytes.CutPrefix(rest[n:], []byte("\r\n")); !found {
			return nil, nil, false
		}
	}
	for line := range bytes.SplitSeq(body, []byte("\n")) { // some clients end trailers by \n alone
		if k, v, found := strings.Cut(string(line), ":"); found {
			tail.Add(strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	return data, tail, true
}

// urlEncoded is a key as S3 writes it where encoding-type=url was asked for.
func urlEncoded(key string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*/"
	var b strings.Builder
	for i := range len(key) {
		switch ch := key[i]; {
		case ch == ' ':
			b.WriteByte('+')
		case strings.IndexByte(plain, ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{ch})))
		}
	}
	return b.String()
}
