package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// upload is a multipart upload that is not complete.
type upload struct {
	ID, Key       string
	Account       string // who started it
	ARN           string
	Started       time.Time
	Headers, Meta map[string]string `json:",omitempty"`
	Tags          []tag             `json:",omitempty"`
	Algorithm     string            // of its checksum
	SumType       string            // FULL_OBJECT or COMPOSITE
	Parts         map[int]*part
	KMS           *kmsEncryption `json:",omitempty"` // nil: SSE-S3
}

type part struct {
	Body     []byte
	ETag     string
	Sum      string // in the upload's algorithm
	Modified time.Time
}

// minPart is the size that all parts but the last need (S3: qfacts).
const minPart = 5 << 20

func s3MultipartOperations() []s3Operation {
	creating := append([]string{"x-amz-checksum-algorithm", "x-amz-checksum-type"}, putHeaders...)
	return []s3Operation{
		{name: "CreateMultipartUpload", method: http.MethodPost, level: s3Object, sub: "uploads", headers: creating, run: (*s3Call).createUpload},
		{name: "UploadPart", method: http.MethodPut, level: s3Object, sub: "partNumber", query: []string{"uploadId"}, run: (*s3Call).uploadPart},
		{name: "UploadPartCopy", method: "copy", level: s3Object},
		{name: "CompleteMultipartUpload", method: http.MethodPost, level: s3Object, sub: "uploadId", headers: []string{"x-amz-checksum-type", "x-amz-mp-object-size"}, run: (*s3Call).completeUpload},
		{name: "AbortMultipartUpload", method: http.MethodDelete, level: s3Object, sub: "uploadId", run: (*s3Call).abortUpload},
		{name: "ListParts", method: http.MethodGet, level: s3Object, sub: "uploadId", query: []string{"max-parts", "part-number-marker"}, run: (*s3Call).listParts},
		{name: "ListMultipartUploads", method: http.MethodGet, level: s3Bucket, sub: "uploads", query: []string{"prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"}, run: (*s3Call).listUploads},
	}
}

// createUpload needs the key to write, as PutObject does. The later calls need
// it to read too: S3 reads what it has written of the parts
// (S3:mpuoverview#mpuAndPermissions).
func (c *s3Call) createUpload() (*response, error) {
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
	encryption, err := c.encryption()
	if err != nil {
		return nil, err
	}
	if err := c.useKey("kms:GenerateDataKey", c.bucket, c.at.key, encryption); err != nil {
		return nil, err
	}
	name := strings.ToUpper(c.Header.Get("X-Amz-Checksum-Algorithm"))
	kind := strings.ToUpper(c.Header.Get("X-Amz-Checksum-Type"))
	if name == "" {
		name = "CRC64NVME"
	}
	sum, ok := checksumNamed(name)
	if !ok {
		return nil, fault(http.StatusBadRequest, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	if kind == "" {
		kind = "COMPOSITE"
		if name == "CRC64NVME" {
			kind = "FULL_OBJECT"
		}
	}
	if kind != "COMPOSITE" && kind != "FULL_OBJECT" || name == "CRC64NVME" && kind == "COMPOSITE" || strings.HasPrefix(name, "SHA") && kind == "FULL_OBJECT" {
		return nil, fault(http.StatusBadRequest, "InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", kind, strings.ToLower(name))
	}
	headers, meta := c.described()
	u := &upload{
		ID: hex.EncodeToString(c.server.created(c.bucket.Account, "upload", c.bucket.Name+"/"+c.at.key)), Key: c.at.key,
		Account: c.caller.Account, ARN: c.caller.ARN, Started: c.now, Headers: headers, Meta: meta, Tags: tags,
		Algorithm: sum.name, SumType: kind, Parts: map[int]*part{}, KMS: encryption,
	}
	if c.bucket.Uploads == nil {
		c.bucket.Uploads = map[string]*upload{}
	}
	c.bucket.Uploads[u.ID] = u
	r, err := xmlAnswer("InitiateMultipartUploadResult", struct {
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{c.bucket.Name, u.Key, u.ID})
	if err == nil {
		encryption.show(r.header)
		r.header.Set("X-Amz-Checksum-Algorithm", u.Algorithm)
		r.header.Set("X-Amz-Checksum-Type", u.SumType)
	}
	return r, err
}

// upload asks for the action and finds the upload that the request names.
func (c *s3Call) upload(action string) (*upload, error) {
	if err := c.allow(action, c.at.key, nil); err != nil {
		return nil, err
	}
	id := first(c.form["uploadId"])
	u := c.bucket.Uploads[id]
	if u == nil || u.Key != c.at.key {
		e := fault(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
		e.detail = map[string]string{"UploadId": id}
		return nil, e
	}
	return u, nil
}

func (c *s3Call) uploadPart() (*response, error) {
	u, err := c.upload("s3:PutObject")
	if err != nil {
		return nil, err
	}
	if err := c.useKeyOf(u); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(first(c.form["partNumber"]))
	if err != nil || n < 1 || n > 10000 {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	size := len(c.data)
	for i, p := range u.Parts {
		if i != n {
			size += len(p.Body)
		}
	}
	if size > maxObject {
		return nil, tooLarge(size)
	}
	sum, _ := checksumNamed(u.Algorithm)
	p := &part{Body: c.data, ETag: hex.EncodeToString(md5Of(c.data)), Sum: sum.sum(c.data), Modified: c.now}
	u.Parts[n] = p
	r := bare(http.StatusOK)
	r.header.Set("Etag", `"`+p.ETag+`"`)
	u.KMS.show(r.header)
	r.header.Set(sum.header, p.Sum)
	return r, nil
}

// completeRequest is CompleteMultipartUpload's body.
type completeRequest struct {
	Part []struct {
		PartNumber int
		ETag       string
		sumXML
	}
}

func (c *s3Call) completeUpload() (*response, error) {
	u, err := c.upload("s3:PutObject")
	if err != nil {
		return nil, err
	}
	var in completeRequest
	if err := c.readXML(&in, "CompleteMultipartUpload", "Part", "PartNumber", "ETag", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256"); err != nil {
		return nil, err
	}
	if len(in.Part) == 0 {
		return nil, fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if err := c.useKeyOf(u); err != nil {
		return nil, err
	}
	sum, _ := checksumNamed(u.Algorithm)
	for i, p := range in.Part {
		if i > 0 && p.PartNumber <= in.Part[i-1].PartNumber {
			return nil, fault(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		}
		have := u.Parts[p.PartNumber]
		if have == nil || strings.Trim(p.ETag, `"`) != have.ETag || !sameSum(&p.sumXML, u.Algorithm, have.Sum) {
			e := fault(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
			e.detail = map[string]string{"PartNumber": strconv.Itoa(p.PartNumber), "ETag": strings.Trim(p.ETag, `"`), "UploadId": u.ID}
			return nil, e
		}
	}
	var data, digests, sums []byte
	for i, p := range in.Part {
		have := u.Parts[p.PartNumber]
		if i < len(in.Part)-1 && len(have.Body) < minPart {
			e := fault(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			e.detail = map[string]string{"ProposedSize": strconv.Itoa(len(have.Body)), "MinSizeAllowed": strconv.Itoa(minPart), "PartNumber": strconv.Itoa(p.PartNumber)}
			return nil, e
		}
		data = append(data, have.Body...)
		raw, err := hex.DecodeString(have.ETag)
		if err != nil {
			return nil, err
		}
		digests = append(digests, raw...)
		if raw, err = base64.StdEncoding.DecodeString(have.Sum); err != nil {
			return nil, err
		}
		sums = append(sums, raw...)
	}
	if err := c.checkOverwrite(); err != nil {
		return nil, err
	}
	if err := c.checkWrite(); err != nil {
		return nil, err
	}
	kept := objectSum{u.Algorithm, sum.sum(data), u.SumType}
	if u.SumType == "COMPOSITE" {
		kept.Value = fmt.Sprintf("%s-%d", sum.sum(sums), len(in.Part))
	}
	if want := c.Header.Get(sum.header); want != "" && want != kept.Value && want != strings.Split(kept.Value, "-")[0] {
		return nil, fault(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", sum.name)
	}
	if v := c.Header.Get("X-Amz-Mp-Object-Size"); v != "" && v != strconv.Itoa(len(data)) {
		return nil, fault(http.StatusBadRequest, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value %s does not match what was computed: %d", v, len(data))
	}
	o := &object{
		Body: data, Modified: c.now.Truncate(time.Second), ETag: fmt.Sprintf("%x-%d", md5Of(digests), len(in.Part)),
		Headers: u.Headers, Meta: u.Meta, Tags: u.Tags, Sum: kept, KMS: u.KMS,
	}
	c.store(o)
	delete(c.bucket.Uploads, u.ID)
	r, err := xmlAnswer("CompleteMultipartUploadResult", struct {
		Location, Bucket, Key, ETag string
		sumXML
	}{"https://" + c.bucket.Name + ".s3." + c.bucket.Region + ".amazonaws.com/" + urlEncoded(u.Key), c.bucket.Name, u.Key, `"` + o.ETag + `"`, sumElements(kept)})
	if err == nil {
		u.KMS.show(r.header)
	}
	return r, err
}

// useKeyOf asks for what the parts of an upload and its end need of its key.
func (c *s3Call) useKeyOf(u *upload) error {
	if err := c.useKey("kms:GenerateDataKey", c.bucket, u.Key, u.KMS); err != nil {
		return err
	}
	return c.useKey("kms:Decrypt", c.bucket, u.Key, u.KMS)
}

// sameSum compares the checksum of a part that a request may repeat.
func sameSum(x *sumXML, algorithm, want string) bool {
	at := x.field(algorithm)
	return at == nil || *at == "" || *at == want
}

func (c *s3Call) abortUpload() (*response, error) {
	u, err := c.upload("s3:AbortMultipartUpload")
	if err != nil {
		return nil, err
	}
	delete(c.bucket.Uploads, u.ID)
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) listParts() (*response, error) {
	u, err := c.upload("s3:ListMultipartUploadParts")
	if err != nil {
		return nil, err
	}
	most, err := limit(first(c.form["max-parts"]), 1000, 1000)
	after, err2 := limit(first(c.form["part-number-marker"]), 0, 10000)
	if err != nil || err2 != nil {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "max-parts and part-number-marker must be integers")
	}
	type listed struct {
		PartNumber         int
		LastModified, ETag string
		Size               int
		sumXML
	}
	out := struct {
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		MaxParts             int
		IsTruncated          bool
		ChecksumAlgorithm    string
		ChecksumType         string
		StorageClass         string
		Owner                *s3Owner
		Part                 []listed
	}{
		Bucket: c.bucket.Name, Key: u.Key, UploadID: u.ID, PartNumberMarker: after, MaxParts: most,
		ChecksumAlgorithm: u.Algorithm, ChecksumType: u.SumType, StorageClass: "STANDARD", Owner: c.owner(c.bucket.Account),
	}
	numbers := make([]int, 0, len(u.Parts))
	for n := range u.Parts {
		if n > after {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if i == most {
			out.IsTruncated = most > 0
			break
		}
		p := u.Parts[n]
		x := sumElements(objectSum{Algorithm: u.Algorithm, Value: p.Sum})
		out.Part = append(out.Part, listed{n, p.Modified.Format(s3TimeForm), `"` + p.ETag + `"`, len(p.Body), x})
		out.NextPartNumberMarker = n
	}
	return xmlAnswer("ListPartsResult", out)
}

func (c *s3Call) listUploads() (*response, error) {
	prefix := first(c.form["prefix"])
	if err := c.allow("s3:ListBucketMultipartUploads", "", nil); err != nil {
		return nil, err
	}
	if first(c.form["delimiter"]) != "" {
		return nil, notImplemented("the parameter delimiter of %s", c.op.name)
	}
	most, err := limit(first(c.form["max-uploads"]), 1000, 1000)
	if err != nil {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "Provided max-uploads not an integer or within integer range")
	}
	write := func(s string) string { return s }
	if first(c.form["encoding-type"]) == "url" {
		write = urlEncoded
	}
	type who struct{ ID, DisplayName string }
	type listed struct {
		Key          string
		UploadID     string `xml:"UploadId"`
		Initiator    who
		Owner        *s3Owner
		StorageClass string
		Initiated    string
	}
	keyMark, idMark := first(c.form["key-marker"]), first(c.form["upload-id-marker"])
	out := struct {
		Bucket             string
		KeyMarker          string
		UploadIDMarker     string `xml:"UploadIdMarker"`
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		Prefix             string
		EncodingType       string `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Upload             []listed
	}{Bucket: c.bucket.Name, KeyMarker: write(keyMark), UploadIDMarker: idMark, Prefix: write(prefix), EncodingType: first(c.form["encoding-type"]), MaxUploads: most}
	// With an upload id marker the page goes on within the marker's key.
	list := c.bucket.sortedUploads()
	start := slices.IndexFunc(list, func(u *upload) bool { return u.ID == idMark && u.Key == keyMark })
	for i, u := range list {
		if i <= start || start < 0 && u.Key <= keyMark && keyMark != "" || !strings.HasPrefix(u.Key, prefix) {
			continue
		}
		if most == 0 {
			break
		}
		if len(out.Upload) == most {
			last := out.Upload[most-1]
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIDMarker = true, last.Key, last.UploadID
			break
		}
		out.Upload = append(out.Upload, listed{write(u.Key), u.ID, who{u.ARN, u.ARN}, c.owner(c.bucket.Account), "STANDARD", u.Started.Format(s3TimeForm)})
	}
	return xmlAnswer("ListMultipartUploadsResult", out)
}
