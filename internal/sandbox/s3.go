package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

const (
	s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	s3TimeForm  = "2006-01-02T15:04:05.000Z"
)

// s3World is S3's part of the state. Bucket names are one namespace over all
// accounts of a partition.
type s3World struct {
	Buckets map[string]*bucket
}

// complete makes what an empty or older state file lacks.
func (w *s3World) complete() {
	if w.Buckets == nil {
		w.Buckets = map[string]*bucket{}
	}
}

// s3Level says what an S3 request is about.
type s3Level int

const (
	s3Service s3Level = iota
	s3Bucket
	s3Object
)

// s3Operation is one call of S3's REST API. It is chosen by method, level and
// the query key sub; "" is the call without a sub-resource.
type s3Operation struct {
	name    string
	method  string
	level   s3Level
	sub     string
	query   []string // further query parameters that it knows
	headers []string // x-amz-… headers that it knows beside s3Headers; a "*" at the end takes the rest
	run     func(*s3Call) (*response, error)
}

// s3Headers are the headers that every operation takes.
var s3Headers = []string{
	"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-expected-bucket-owner",
	"x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme",
	"x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-request-payer",
}

// s3Call is one S3 request being handled.
type s3Call struct {
	*call
	op     *s3Operation
	at     s3Address
	bucket *bucket
	data   []byte      // the body, out of its chunks
	sums   []sentSum   // the checksums that were sent with it
	tail   http.Header // trailing headers of a chunked body
}

// newS3 is the S3 service.
func newS3(s *Server) *service {
	denied := func(d denial) *apiError {
		if d.because == "" {
			return fault(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		if strings.HasPrefix(d.action, "kms:") { // KMS's own words
			return fault(http.StatusForbidden, "AccessDenied", "%s", d.text(d.resource))
		}
		return fault(http.StatusForbidden, "AccessDenied", "%s", d.text(`"`+d.resource+`"`))
	}
	v := &service{name: "s3", anonymous: true, fail: failS3, refusals: refusals{
		unsigned:   apiError{status: http.StatusForbidden, code: "AccessDenied", message: "Access Denied"},
		unknownKey: apiError{status: http.StatusForbidden, code: "InvalidAccessKeyId", message: "The AWS Access Key Id you provided does not exist in our records."},
		badToken:   apiError{status: http.StatusBadRequest, code: "InvalidToken", message: "The provided token is malformed or otherwise invalid."},
		expired:    apiError{status: http.StatusBadRequest, code: "ExpiredToken", message: "The provided token has expired."},
		throttled:  apiError{status: http.StatusServiceUnavailable, code: "SlowDown", message: "Please reduce your request rate."},
		denied:     denied,
	}}
	ops := slices.Concat(s3BucketOperations(), s3PolicyOperations(), s3ConfigOperations(), s3ObjectOperations(), s3ListOperations(), s3MultipartOperations(), s3Unserved())
	for _, op := range ops {
		if op.run != nil {
			v.serves = append(v.serves, op.name)
		}
	}
	slices.Sort(v.serves)
	v.serves = slices.Compact(v.serves)
	v.describe = func(r *request) (string, string) {
		at := addressOf(r.Request)
		name := ""
		if op := chooseS3(ops, r, at); op != nil {
			name = op.name
		}
		if at.bucket == "" {
			return name, "*"
		}
		return name, s.bucketARN(at.bucket, at.key)
	}
	v.handle = func(c *call) (*response, error) {
		at := addressOf(c.Request)
		op := chooseS3(ops, c.request, at)
		if op == nil {
			return nil, notImplemented("the S3 request %s with the parameters %q", c.Method, c.URL.RawQuery)
		}
		resp, err := (&s3Call{call: c, op: op, at: at}).handle()
		if err != nil {
			return nil, err
		}
		return withIDs(c, resp), nil
	}
	return v
}

// chooseS3 finds the operation of a request; nil: S3 has none that the
// sandbox knows of.
func chooseS3(ops []s3Operation, r *request, at s3Address) *s3Operation {
	var plain *s3Operation
	named := func(name string) *s3Operation {
		i := slices.IndexFunc(ops, func(op s3Operation) bool { return op.name == name })
		return &ops[i]
	}
	for i := range ops {
		op := &ops[i]
		if op.method != r.Method || op.level != at.level() {
			continue
		}
		_, sent := r.form[op.sub]
		switch {
		case op.sub == "":
			plain = op
		case sent && op.name == "UploadPart" && r.Header.Get("X-Amz-Copy-Source") != "":
			return named("UploadPartCopy")
		case sent:
			return op
		}
	}
	if plain != nil && plain.name == "PutObject" && r.Header.Get("X-Amz-Copy-Source") != "" {
		return named("CopyObject")
	}
	return plain
}

// handle checks what all operations have in common, in S3's order: what the
// request is, its body, the bucket, its region and its owner.
func (c *s3Call) handle() (*response, error) {
	if c.op.run == nil {
		return nil, notImplemented("the operation %s of s3", c.op.name)
	}
	if err := c.checkParameters(); err != nil {
		return nil, err
	}
	if err := c.checkPresigned(); err != nil {
		return nil, err
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	if c.at.level() != s3Service && c.op.name != "CreateBucket" {
		if err := c.findBucket(); err != nil {
			return nil, err
		}
	}
	return c.op.run(c)
}

func (c *s3Call) checkParameters() error {
	if c.form["Signature"] != nil && c.form["AWSAccessKeyId"] != nil {
		return notImplemented("presigned URLs of Signature Version 2: sign with version 4, for the aws CLI by `aws configure set s3.signature_version s3v4`")
	}
	for k := range c.form {
		if k != c.op.sub && k != "x-id" && !signing(k) && !slices.Contains(c.op.query, k) {
			return notImplemented("the parameter %q of %s", k, c.op.name)
		}
	}
	for k := range c.Header {
		k = strings.ToLower(k)
		if !strings.HasPrefix(k, "x-amz-") || slices.Contains(s3Headers, k) {
			continue
		}
		if !slices.ContainsFunc(c.op.headers, func(h string) bool {
			stem, any := strings.CutSuffix(h, "*")
			return k == h || any && strings.HasPrefix(k, stem)
		}) {
			return notImplemented("the header %s of %s", k, c.op.name)
		}
	}
	return nil
}

// checkPresigned refuses a presigned URL whose time is over.
func (c *s3Call) checkPresigned() error {
	if !c.credential.presigned {
		return nil
	}
	at, err := time.Parse("20060102T150405Z", first(c.form["X-Amz-Date"]))
	seconds, err2 := strconv.Atoi(first(c.form["X-Amz-Expires"]))
	if err != nil || err2 != nil {
		return fault(http.StatusBadRequest, "AuthorizationQueryParametersError", "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
	}
	if c.now.After(at.Add(time.Duration(seconds) * time.Second)) {
		return fault(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return nil
}

// findBucket finds the bucket, and refuses a wrong region and a wrong owner.
func (c *s3Call) findBucket() error {
	b := c.server.world.S3.Buckets[c.at.bucket]
	if b == nil {
		return noSuchBucket(c.at.bucket)
	}
	c.bucket = b
	region := c.credential.region
	discovery := c.op.name == "GetBucketLocation" && region == "us-east-1"
	if region != "" && region != b.Region && !discovery {
		return c.wrongRegion(region)
	}
	return expectOwner(c.Header.Get("X-Amz-Expected-Bucket-Owner"), b)
}

func noSuchBucket(name string) error {
	e := fault(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	e.detail = map[string]string{"BucketName": name}
	return e
}

// wrongRegion is the redirect to the bucket's region. Where the host name has
// no region, AWS's DNS leads to the right region and only the signature is
// wrong; otherwise the endpoint is (S3: "Making requests", Redirects).
func (c *s3Call) wrongRegion(region string) error {
	if c.at.virtual && !strings.Contains(c.Host, region) {
		e := fault(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region '%s' is wrong; expecting '%s'", region, c.bucket.Region)
		e.detail = map[string]string{"Region": c.bucket.Region}
		return e
	}
	e := fault(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	e.detail = map[string]string{"Bucket": c.bucket.Name, "Endpoint": "s3." + c.bucket.Region + ".amazonaws.com"}
	return e
}

// expectOwner compares an ExpectedBucketOwner parameter; empty: not sent.
func expectOwner(want string, b *bucket) error {
	switch {
	case want == "" || want == b.Account:
		return nil
	case !accountKey.MatchString(want):
		return fault(http.StatusBadRequest, "InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS Account ID... [%s]", want)
	}
	return fault(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// allow asks for a permission on the call's bucket (key "") or one of its objects.
func (c *s3Call) allow(action, key string, context map[string][]string) error {
	return c.allowOn(c.bucket, action, key, context)
}

// allowOn asks for a permission on any bucket.
func (c *s3Call) allowOn(b *bucket, action, key string, context map[string][]string) error {
	p, err := c.permission(b, action, key, context)
	if err != nil {
		return err
	}
	return c.authorize(p)
}

func (c *s3Call) permission(b *bucket, action, key string, context map[string][]string) (permission, error) {
	p := permission{action: action, resource: c.server.bucketARN(b.Name, key), account: b.Account, context: c.s3Keys(b.Account, context)}
	if b.Policy != nil {
		d, err := c.server.parsed(*b.Policy)
		if err != nil {
			return p, fmt.Errorf("the stored policy of bucket %s: %w", b.Name, err)
		}
		p.policy = &iampolicy.Named{Name: "bucket policy of " + b.Name, Document: d}
	}
	p.restrictPublic = c.server.blocks(b).RestrictPublicBuckets
	return p, nil
}

// s3Keys are S3's own condition keys that every request has, with more.
func (c *s3Call) s3Keys(account string, more map[string][]string) map[string][]string {
	m := map[string][]string{"s3:ResourceAccount": {account}, "s3:TlsVersion": {"1.3"}}
	if c.credential.key != "" {
		m["s3:signatureversion"] = []string{"AWS4-HMAC-SHA256"}
		m["s3:authType"] = []string{"REST-HEADER"}
		if c.credential.presigned {
			m["s3:authType"] = []string{"REST-QUERY-STRING"}
		}
	}
	if v := c.Header.Get("X-Amz-Content-Sha256"); v != "" {
		m["s3:x-amz-content-sha256"] = []string{v}
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// sentKeys are the condition keys "s3:<name>" of headers or parameters, only
// of those that were sent.
func (c *s3Call) sentKeys(names ...string) map[string][]string {
	m := map[string][]string{}
	for _, n := range names {
		if v := c.Header.Values(n); len(v) > 0 {
			m["s3:"+n] = v
		} else if v := c.form[n]; len(v) > 0 {
			m["s3:"+n] = v
		}
	}
	return m
}

// bucketARN is a bucket's ARN, or that of an object in it.
func (s *Server) bucketARN(name, key string) string {
	if key != "" {
		name += "/" + key
	}
	return s.arn("s3", "", "", name)
}

// canonicalID is an account's canonical user id, 64 hex digits.
func (s *Server) canonicalID(account string) string {
	return fmt.Sprintf("%x", s.digest("canonical", account))
}
