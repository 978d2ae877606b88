package sandbox

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// copySource finds the object of x-amz-copy-source after asking for
// s3:GetObject on it, with the policy of its own bucket.
func (c *s3Call) copySource() (*bucket, *object, string, error) {
	source, version, versioned := strings.Cut(c.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	path, err := url.PathUnescape(source)
	name, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || name == "" || key == "" || strings.HasPrefix(path, "arn:") {
		e := fault(http.StatusBadRequest, "InvalidArgument", "Invalid copy source object key")
		e.detail = map[string]string{"ArgumentName": "x-amz-copy-source", "ArgumentValue": source}
		return nil, nil, "", e
	}
	if versioned && version != "null" {
		return nil, nil, "", fault(http.StatusBadRequest, "InvalidArgument", "Invalid version id specified")
	}
	b := c.server.world.S3.Buckets[name]
	if b == nil {
		return nil, nil, "", noSuchBucket(name)
	}
	if err := expectOwner(c.Header.Get("X-Amz-Source-Expected-Bucket-Owner"), b); err != nil {
		return nil, nil, "", err
	}
	if err := c.allowOn(b, "s3:GetObject", key, nil); err != nil {
		return nil, nil, "", err
	}
	o, err := c.find(b, key)
	if err != nil {
		return nil, nil, "", err
	}
	_, err = checkConditions(c.Header, "X-Amz-Copy-Source-", o)
	return b, o, key, err
}

// copyObject needs GetObject on the source and PutObject on the target, the
// two for tags where the source's are to come with it, and the keys of both.
func (c *s3Call) copyObject() (*response, error) {
	from, source, key, err := c.copySource()
	if err != nil {
		return nil, err
	}
	headers, meta, tags := maps.Clone(source.Headers), maps.Clone(source.Meta), source.Tags
	replaced := strings.EqualFold(c.Header.Get("X-Amz-Metadata-Directive"), "REPLACE")
	if replaced {
		headers, meta = c.described()
	}
	if strings.EqualFold(c.Header.Get("X-Amz-Tagging-Directive"), "REPLACE") {
		if tags, err = c.headerTags(); err != nil {
			return nil, err
		}
	} else if len(tags) > 0 {
		if err := c.allowOn(from, "s3:GetObjectTagging", key, nil); err != nil {
			return nil, err
		}
	}
	if err := c.allowPut(tags); err != nil {
		return nil, err
	}
	if err := c.useKey("kms:Decrypt", from, key, source.KMS); err != nil {
		return nil, err
	}
	if from == c.bucket && key == c.at.key && !replaced && c.Header.Get(sseHeader) == "" {
		return nil, fault(http.StatusBadRequest, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
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
	sum := source.Sum
	if a := c.Header.Get("X-Amz-Checksum-Algorithm"); a != "" || sum.Type != "FULL_OBJECT" {
		algorithm, ok := checksumNamed(a)
		if !ok {
			algorithm, _ = checksumNamed(sum.Algorithm)
		}
		sum = objectSum{algorithm.name, algorithm.sum(source.Body), "FULL_OBJECT"}
	}
	o := &object{
		Body: source.Body, Modified: c.now.Truncate(time.Second), ETag: c.etag(source.Body, encryption),
		Headers: headers, Meta: meta, Tags: tags, Sum: sum, KMS: encryption,
	}
	c.store(o)
	r, err := xmlAnswer("CopyObjectResult", struct {
		LastModified, ETag string
		sumXML
	}{o.Modified.Format(s3TimeForm), `"` + o.ETag + `"`, sumElements(sum)})
	if err == nil {
		encryption.show(r.header)
	}
	return r, err
}

// sumXML is a checksum as elements.
type sumXML struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func sumElements(s objectSum) sumXML {
	x := sumXML{ChecksumType: s.Type}
	if at := x.field(s.Algorithm); at != nil {
		*at = s.Value
	}
	return x
}

// field is the element of an algorithm; nil for one that S3 does not have.
func (x *sumXML) field(algorithm string) *string {
	switch algorithm {
	case "CRC32":
		return &x.ChecksumCRC32
	case "CRC32C":
		return &x.ChecksumCRC32C
	case "CRC64NVME":
		return &x.ChecksumCRC64NVME
	case "SHA1":
		return &x.ChecksumSHA1
	case "SHA256":
		return &x.ChecksumSHA256
	}
	return nil
}
