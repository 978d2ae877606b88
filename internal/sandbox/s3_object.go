package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxObject is the size of the largest object kept: objects live in memory and
// in the state file.
const maxObject = 16 << 20

// object is an object as it was put.
type object struct {
	Body     []byte
	Modified time.Time         // whole seconds
	ETag     string            // without quotes
	Headers  map[string]string `json:",omitempty"` // Content-Type and such
	Meta     map[string]string `json:",omitempty"` // x-amz-meta-…, names in lower case
	Tags     []tag             `json:",omitempty"`
	Sum      objectSum
	KMS      *kmsEncryption `json:",omitempty"` // nil: SSE-S3
}

// objectSum is the checksum that S3 keeps of an object.
type objectSum struct {
	Algorithm string // "CRC64NVME"
	Value     string // base64, with "-N" where it is COMPOSITE
	Type      string // FULL_OBJECT or COMPOSITE
}

// storedHeaders are kept with an object and given back.
var storedHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires"}

// putHeaders are what all calls take that make an object.
var putHeaders = []string{
	"x-amz-acl", "x-amz-grant-*", "x-amz-meta-*", "x-amz-storage-class", "x-amz-tagging",
	"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-context", "x-amz-server-side-encryption-bucket-key-enabled",
}

func s3ObjectOperations() []s3Operation {
	overrides := []string{"versionId"}
	for _, h := range storedHeaders {
		overrides = append(overrides, "response-"+strings.ToLower(h))
	}
	one := []string{"versionId"}
	copying := append([]string{
		"x-amz-copy-source", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match", "x-amz-copy-source-if-modified-since",
		"x-amz-copy-source-if-unmodified-since", "x-amz-metadata-directive", "x-amz-tagging-directive", "x-amz-source-expected-bucket-owner", "x-amz-checksum-algorithm",
	}, putHeaders...)
	ops := []s3Operation{
		{name: "PutObject", method: http.MethodPut, headers: putHeaders, run: (*s3Call).putObject},
		{name: "CopyObject", method: "copy", headers: copying, run: (*s3Call).copyObject},
		{name: "GetObject", method: http.MethodGet, query: overrides, headers: []string{"x-amz-checksum-mode"}, run: (*s3Call).getObject},
		{name: "HeadObject", method: http.MethodHead, query: overrides, headers: []string{"x-amz-checksum-mode"}, run: (*s3Call).getObject},
		{name: "DeleteObject", method: http.MethodDelete, query: one, run: (*s3Call).deleteObject},
		{name: "GetObjectTagging", method: http.MethodGet, sub: "tagging", query: one, run: (*s3Call).getObjectTagging},
		{name: "PutObjectTagging", method: http.MethodPut, sub: "tagging", query: one, run: (*s3Call).putObjectTagging},
		{name: "DeleteObjectTagging", method: http.MethodDelete, sub: "tagging", query: one, run: (*s3Call).deleteObjectTagging},
		{name: "GetObjectAcl", method: http.MethodGet, sub: "acl", query: one, run: (*s3Call).getObjectACL},
		{name: "PutObjectAcl", method: http.MethodPut, sub: "acl", query: one, headers: []string{"x-amz-acl", "x-amz-grant-*"}, run: (*s3Call).putObjectACL},
	}
	for i := range ops {
		ops[i].level = s3Object
	}
	return ops
}

// versioned is the action on an object: S3 has other ones for requests that
// name a version. Without versioning there is one version, "null".
func (c *s3Call) versioned(action string) (string, error) {
	v, sent := c.form["versionId"]
	if !sent {
		return action, nil
	}
	if first(v) != "null" {
		return "", fault(http.StatusBadRequest, "InvalidArgument", "Invalid version id specified")
	}
	if strings.HasSuffix(action, "Tagging") || strings.HasSuffix(action, "Acl") {
		verb, rest, _ := strings.Cut(action, "Object")
		return verb + "ObjectVersion" + rest, nil
	}
	return action + "Version", nil
}

// maxMetadata is the size of an object's own metadata, names and values (S3: UsingMetadata).
const maxMetadata = 2048

// checkWrite refuses by name what would make something else than is kept here.
func (c *s3Call) checkWrite() error {
	if len(c.at.key) > 1024 {
		return fault(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	size := 0
	_, meta := c.described()
	for k, v := range meta {
		size += len(k) + len(v)
	}
	if size > maxMetadata {
		e := fault(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
		e.detail = map[string]string{"Size": strconv.Itoa(size), "MaxSizeAllowed": strconv.Itoa(maxMetadata)}
		return e
	}
	acl := c.Header.Get("X-Amz-Acl")
	switch {
	case c.bucket.Versioning == "Enabled":
		return notImplemented("%s in a bucket with versioning enabled", c.op.name)
	case c.bucket.Ownership == enforced && (acl != "" && acl != "bucket-owner-full-control" || c.grantsSent()):
		return aclNotSupported()
	case c.bucket.Ownership != enforced && (acl != "" && acl != "private" && acl != "bucket-owner-full-control" || c.grantsSent()):
		return notImplemented("the object ACL of %s", c.op.name)
	case c.bucket.Ownership != enforced && c.caller.Account != c.bucket.Account:
		return notImplemented("objects of other accounts in a bucket whose object ownership is not %s", enforced)
	}
	if v := c.Header.Get("X-Amz-Storage-Class"); v != "" && v != "STANDARD" {
		return notImplemented("the storage class %s", v)
	}
	return nil
}

// allowPut asks for s3:PutObject, and s3:PutObjectTagging where tags come with it.
func (c *s3Call) allowPut(tags []tag) error {
	keys := c.sentKeys("x-amz-acl", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class", "x-amz-copy-source", "x-amz-metadata-directive", "if-none-match", "if-match", "x-amz-grant-read", "x-amz-grant-full-control", "x-amz-grant-write-acp", "x-amz-grant-read-acp")
	for _, t := range tags {
		keys["s3:RequestObjectTag/"+t.Key] = []string{t.Value}
		keys["s3:RequestObjectTagKeys"] = append(keys["s3:RequestObjectTagKeys"], t.Key)
	}
	if err := c.allow("s3:PutObject", c.at.key, keys); err != nil {
		return err
	}
	if len(tags) > 0 {
		return c.allow("s3:PutObjectTagging", c.at.key, keys)
	}
	return nil
}

// headerTags are the tags of the x-amz-tagging header.
func (c *s3Call) headerTags() ([]tag, error) {
	q, err := url.ParseQuery(c.Header.Get("X-Amz-Tagging"))
	if err != nil {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []tag
	for _, k := range sortedKeys(q) {
		for _, v := range q[k] {
			tags = append(tags, tag{k, v})
		}
	}
	return tags, checkTags(tags, 10)
}

// described gives the headers and metadata that a request puts on an object.
func (c *s3Call) described() (headers, meta map[string]string) {
	headers, meta = map[string]string{}, map[string]string{}
	for _, h := range storedHeaders {
		v := c.Header.Get(h)
		if h == "Content-Encoding" { // aws-chunked is the transfer's, not the object's
			parts := strings.Split(v, ",")
			parts = slices.DeleteFunc(parts, func(p string) bool { return strings.TrimSpace(p) == "aws-chunked" })
			v = strings.TrimSpace(strings.Join(parts, ","))
		}
		if v != "" {
			headers[h] = v
		}
	}
	if headers["Content-Type"] == "" {
		headers["Content-Type"] = "binary/octet-stream"
	}
	for k, v := range c.Header {
		if name, ok := strings.CutPrefix(strings.ToLower(k), "x-amz-meta-"); ok {
			meta[name] = strings.Join(v, ",")
		}
	}
	return headers, meta
}

// sumOf is the checksum kept of data: the one that was sent, else CRC64NVME.
func sumOf(data []byte, sent []sentSum) objectSum {
	if len(sent) > 0 {
		return objectSum{sent[0].algorithm, sent[0].value, "FULL_OBJECT"}
	}
	sum, _ := checksumNamed("CRC64NVME")
	return objectSum{sum.name, sum.sum(data), "FULL_OBJECT"}
}

func (s objectSum) set(h http.Header) {
	if sum, ok := checksumNamed(s.Algorithm); ok {
		h.Set(sum.header, s.Value)
		h.Set("X-Amz-Checksum-Type", s.Type)
	}
}

func tooLarge(size int) error {
	e := fault(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size: the xshare sandbox keeps objects of up to %d bytes", maxObject)
	e.detail = map[string]string{"ProposedSize": strconv.Itoa(size), "MaxSizeAllowed": strconv.Itoa(maxObject)}
	return e
}

func (c *s3Call) putObject() (*response, error) {
	if len(c.data) > maxObject {
		return nil, tooLarge(len(c.data))
	}
	tags, err := c.headerTags()
	if err != nil {
		return nil, err
	}
	if err := c.allowPut(tags); err != nil {
		return nil, err
	}
	if err := c.checkWrite(); err != nil {
		return nil, err
	}
	if err := c.checkOverwrite(); err != nil {
		return nil, err
	}
	encryption, err := c.encryption()
	if err != nil {
		return nil, err
	}
	if err := c.useKey("kms:GenerateDataKey", c.bucket, c.at.key, encryption); err != nil {
		return nil, err
	}
	headers, meta := c.described()
	o := &object{
		Body: c.data, Modified: c.now.Truncate(time.Second), ETag: c.etag(c.data, encryption),
		Headers: headers, Meta: meta, Tags: tags, Sum: sumOf(c.data, c.sums), KMS: encryption,
	}
	c.store(o)
	r := bare(http.StatusOK)
	r.header.Set("Etag", `"`+o.ETag+`"`)
	encryption.show(r.header)
	r.header.Set("X-Amz-Object-Size", strconv.Itoa(len(o.Body)))
	o.Sum.set(r.header)
	return r, nil
}

func (c *s3Call) store(o *object) {
	if c.bucket.Objects == nil {
		c.bucket.Objects = map[string]*object{}
	}
	c.bucket.Objects[c.at.key] = o
}

func noSuchKey(key string) error {
	e := fault(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	e.detail = map[string]string{"Key": key}
	return e
}

// find gives an object that the caller was allowed to act on. That there is
// none is told only to those who may list (S3 API: GetObject).
func (c *s3Call) find(b *bucket, key string) (*object, error) {
	if o := b.Objects[key]; o != nil {
		return o, nil
	}
	if err := c.allowOn(b, "s3:ListBucket", "", nil); err != nil {
		return nil, err
	}
	return nil, noSuchKey(key)
}

// existing asks for the action and gives the call's object.
func (c *s3Call) existing(action string) (*object, error) {
	action, err := c.versioned(action)
	if err != nil {
		return nil, err
	}
	var keys map[string][]string
	if o := c.bucket.Objects[c.at.key]; o != nil && len(o.Tags) > 0 {
		keys = map[string][]string{}
		for _, t := range o.Tags {
			keys["s3:ExistingObjectTag/"+t.Key] = []string{t.Value}
		}
	}
	if err := c.allow(action, c.at.key, keys); err != nil {
		return nil, err
	}
	return c.find(c.bucket, c.at.key)
}

// getObject is GetObject and HeadObject. To read an object of SSE-KMS takes its
// key; to see its headers does not, but for the checksum (S3 API: HeadObject).
func (c *s3Call) getObject() (*response, error) {
	o, err := c.existing("s3:GetObject")
	if err != nil {
		return nil, err
	}
	sum := strings.EqualFold(c.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
	if c.Method != http.MethodHead || sum {
		if err := c.useKey("kms:Decrypt", c.bucket, c.at.key, o.KMS); err != nil {
			return nil, err
		}
	}
	r := bare(http.StatusOK)
	h := r.header
	for k, v := range o.Headers {
		h.Set(k, v)
	}
	for k, v := range o.Meta {
		h.Set("X-Amz-Meta-"+k, v)
	}
	for _, name := range storedHeaders {
		if v := first(c.form["response-"+strings.ToLower(name)]); v != "" {
			if c.credential.key == "" {
				return nil, fault(http.StatusBadRequest, "InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
			}
			h.Set(name, v)
		}
	}
	h.Set("Etag", `"`+o.ETag+`"`)
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	o.KMS.show(h)
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	status, err := checkConditions(c.Header, "", o)
	if err != nil {
		return nil, err
	}
	if status == http.StatusNotModified {
		r.status = status
		return r, nil
	}
	body := o.Body
	from, to, partial, err := parseRange(c.Header.Get("Range"), len(body))
	if err != nil {
		return nil, err
	}
	if partial {
		r.status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(body)))
		body = body[from:to]
	} else if sum {
		o.Sum.set(h)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if c.Method != http.MethodHead {
		r.body = body
	}
	return r, nil
}

// deleteObject removes an object; one that is not there is removed already.
func (c *s3Call) deleteObject() (*response, error) {
	action, err := c.versioned("s3:DeleteObject")
	if err != nil {
		return nil, err
	}
	if err := c.allow(action, c.at.key, nil); err != nil {
		return nil, err
	}
	if c.bucket.Versioning == "Enabled" {
		return nil, notImplemented("DeleteObject in a bucket with versioning enabled")
	}
	o := c.bucket.Objects[c.at.key]
	if want := c.Header.Get("If-Match"); want != "" {
		if want != "*" {
			if err := c.allow("s3:GetObject", c.at.key, nil); err != nil {
				return nil, err
			}
		}
		if o != nil && !etagMatches(want, o.ETag) {
			e := fault(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
			e.detail = map[string]string{"Condition": "If-Match"}
			return nil, e
		}
	}
	delete(c.bucket.Objects, c.at.key)
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) getObjectTagging() (*response, error) {
	o, err := c.existing("s3:GetObjectTagging")
	if err != nil {
		return nil, err
	}
	return xmlAnswer("Tagging", taggingXML{tagSet{o.Tags}})
}

func (c *s3Call) putObjectTagging() (*response, error) {
	tags, err := c.readTags(10)
	if err != nil {
		return nil, err
	}
	o, err := c.existing("s3:PutObjectTagging")
	if err != nil {
		return nil, err
	}
	o.Tags = tags
	return bare(http.StatusOK), nil
}

func (c *s3Call) deleteObjectTagging() (*response, error) {
	o, err := c.existing("s3:DeleteObjectTagging")
	if err != nil {
		return nil, err
	}
	o.Tags = nil
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) getObjectACL() (*response, error) {
	if _, err := c.existing("s3:GetObjectAcl"); err != nil {
		return nil, err
	}
	return c.ownerACL()
}

func (c *s3Call) putObjectACL() (*response, error) {
	if _, err := c.existing("s3:PutObjectAcl"); err != nil {
		return nil, err
	}
	return c.putACL("bucket-owner-full-control")
}

// encodeToken makes a continuation token: opaque to clients, readable here.
func encodeToken(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }

func decodeToken(s string) (string, error) {
	b, err := base64.URLEncoding.DecodeString(s)
	if err != nil {
		return "", fault(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
	}
	return string(b), nil
}
