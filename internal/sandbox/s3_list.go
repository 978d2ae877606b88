package sandbox

import (
	"net/http"
	"slices"
	"sort"
	"strings"
)

func s3ListOperations() []s3Operation {
	return []s3Operation{
		{name: "ListObjects", method: http.MethodGet, level: s3Bucket, query: []string{"prefix", "delimiter", "marker", "max-keys", "encoding-type"}, headers: []string{"x-amz-optional-object-attributes"}, run: (*s3Call).listObjects},
		{name: "ListObjectsV2", method: http.MethodGet, level: s3Bucket, sub: "list-type", query: []string{"prefix", "delimiter", "start-after", "continuation-token", "max-keys", "encoding-type", "fetch-owner"}, headers: []string{"x-amz-optional-object-attributes"}, run: (*s3Call).listObjectsV2},
		{name: "ListObjectVersions", method: http.MethodGet, level: s3Bucket, sub: "versions", query: []string{"prefix", "delimiter", "key-marker", "version-id-marker", "max-keys", "encoding-type"}, run: (*s3Call).listVersions},
		{name: "DeleteObjects", method: http.MethodPost, level: s3Bucket, sub: "delete", run: (*s3Call).deleteObjects},
	}
}

// keyPage is one answer of a listing.
type keyPage struct {
	keys      []string
	prefixes  []string // what the delimiter rolled up
	last      string   // the last of both; where the next page begins
	truncated bool
}

// listKeys lists the keys after a mark in order, rolled up at the delimiter; a
// common prefix counts as one entry (S3 API: ListObjectsV2). keys are sorted.
func listKeys(keys []string, prefix, delimiter, after string, most int) keyPage {
	var p keyPage
	i := sort.SearchStrings(keys, prefix)
	for i < len(keys) && strings.HasPrefix(keys[i], prefix) {
		entry, common := keys[i], false
		if delimiter != "" {
			if at := strings.Index(entry[len(prefix):], delimiter); at >= 0 {
				entry, common = entry[:len(prefix)+at+len(delimiter)], true
			}
		}
		next := i + 1
		if common {
			next = i + sort.Search(len(keys)-i, func(n int) bool { return !strings.HasPrefix(keys[i+n], entry) })
		}
		if entry > after && !(common && strings.HasPrefix(after, entry)) {
			if len(p.keys)+len(p.prefixes) == most {
				p.truncated = most > 0
				return p
			}
			if p.last = entry; common {
				p.prefixes = append(p.prefixes, entry)
			} else {
				p.keys = append(p.keys, entry)
			}
		}
		i = next
	}
	return p
}

// listing is what the three listings ask for alike.
type listing struct {
	prefix, delimiter string
	most              int
	write             func(string) string // encodes keys as asked for
}

// readListing reads the common parameters and asks for the permission, with
// the condition keys of those parameters that were sent.
func (c *s3Call) readListing(action string) (listing, error) {
	l := listing{prefix: first(c.form["prefix"]), delimiter: first(c.form["delimiter"]), write: func(s string) string { return s }}
	if err := c.allow(action, "", c.sentKeys("prefix", "delimiter", "max-keys")); err != nil {
		return l, err
	}
	var err error
	if l.most, err = limit(first(c.form["max-keys"]), 1000, 1000); err != nil {
		return l, fault(http.StatusBadRequest, "InvalidArgument", "Provided max-keys not an integer or within integer range")
	}
	switch e := first(c.form["encoding-type"]); e {
	case "":
	case "url":
		l.write = urlEncoded
	default:
		return l, fault(http.StatusBadRequest, "InvalidArgument", "Invalid Encoding Method specified in Request")
	}
	return l, nil
}

type listedObject struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm string   `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Size              int      `xml:"Size"`
	Owner             *s3Owner `xml:",omitempty"`
	StorageClass      string
}

type commonPrefix struct{ Prefix string }

func (c *s3Call) listed(p keyPage, l listing, owners bool) (contents []listedObject, prefixes []commonPrefix) {
	for _, k := range p.keys {
		o := c.bucket.Objects[k]
		e := listedObject{
			Key: l.write(k), LastModified: o.Modified.Format(s3TimeForm), ETag: `"` + o.ETag + `"`, Size: len(o.Body),
			ChecksumAlgorithm: o.Sum.Algorithm, ChecksumType: o.Sum.Type, StorageClass: "STANDARD",
		}
		if owners {
			e.Owner = c.owner(c.bucket.Account)
		}
		contents = append(contents, e)
	}
	for _, v := range p.prefixes {
		prefixes = append(prefixes, commonPrefix{l.write(v)})
	}
	return contents, prefixes
}

func (c *s3Call) listObjectsV2() (*response, error) {
	if v := first(c.form["list-type"]); v != "2" {
		return nil, notImplemented("the list-type %q of ListObjectsV2", v)
	}
	l, err := c.readListing("s3:ListBucket")
	if err != nil {
		return nil, err
	}
	start, token := first(c.form["start-after"]), first(c.form["continuation-token"])
	after := start
	if token != "" {
		if after, err = decodeToken(token); err != nil {
			return nil, err
		}
	}
	p := listKeys(sortedKeys(c.bucket.Objects), l.prefix, l.delimiter, after, l.most)
	out := struct {
		Name                  string
		Prefix                string
		StartAfter            string `xml:",omitempty"`
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
		KeyCount              int
		MaxKeys               int
		Delimiter             string `xml:",omitempty"`
		EncodingType          string `xml:",omitempty"`
		IsTruncated           bool
		Contents              []listedObject
		CommonPrefixes        []commonPrefix
	}{
		Name: c.bucket.Name, Prefix: l.write(l.prefix), StartAfter: l.write(start), ContinuationToken: token,
		KeyCount: len(p.keys) + len(p.prefixes), MaxKeys: l.most, Delimiter: l.write(l.delimiter),
		EncodingType: first(c.form["encoding-type"]), IsTruncated: p.truncated,
	}
	if p.truncated {
		out.NextContinuationToken = encodeToken(p.last)
	}
	out.Contents, out.CommonPrefixes = c.listed(p, l, first(c.form["fetch-owner"]) == "true")
	return xmlAnswer("ListBucketResult", out)
}

// listObjects is the first version, which gives NextMarker only with a delimiter.
func (c *s3Call) listObjects() (*response, error) {
	l, err := c.readListing("s3:ListBucket")
	if err != nil {
		return nil, err
	}
	marker := first(c.form["marker"])
	p := listKeys(sortedKeys(c.bucket.Objects), l.prefix, l.delimiter, marker, l.most)
	out := struct {
		Name           string
		Prefix         string
		Marker         string
		NextMarker     string `xml:",omitempty"`
		MaxKeys        int
		Delimiter      string `xml:",omitempty"`
		EncodingType   string `xml:",omitempty"`
		IsTruncated    bool
		Contents       []listedObject
		CommonPrefixes []commonPrefix
	}{
		Name: c.bucket.Name, Prefix: l.write(l.prefix), Marker: l.write(marker), MaxKeys: l.most, Delimiter: l.write(l.delimiter),
		EncodingType: first(c.form["encoding-type"]), IsTruncated: p.truncated,
	}
	if p.truncated && l.delimiter != "" {
		out.NextMarker = l.write(p.last)
	}
	out.Contents, out.CommonPrefixes = c.listed(p, l, true)
	return xmlAnswer("ListBucketResult", out)
}

// listVersions lists what a bucket without versioning has: one version "null"
// of each object.
func (c *s3Call) listVersions() (*response, error) {
	l, err := c.readListing("s3:ListBucketVersions")
	if err != nil {
		return nil, err
	}
	marker := first(c.form["key-marker"])
	p := listKeys(sortedKeys(c.bucket.Objects), l.prefix, l.delimiter, marker, l.most)
	type version struct {
		listedObject
		VersionId string //nolint:revive,staticcheck // the element's name
		IsLatest  bool
	}
	out := struct {
		Name                string
		Prefix              string
		KeyMarker           string
		VersionIdMarker     string //nolint:revive,staticcheck // the element's name
		NextKeyMarker       string `xml:",omitempty"`
		NextVersionIdMarker string `xml:",omitempty"` //nolint:revive,staticcheck // the element's name
		MaxKeys             int
		Delimiter           string `xml:",omitempty"`
		EncodingType        string `xml:",omitempty"`
		IsTruncated         bool
		Version             []version
		CommonPrefixes      []commonPrefix
	}{
		Name: c.bucket.Name, Prefix: l.write(l.prefix), KeyMarker: l.write(marker), VersionIdMarker: first(c.form["version-id-marker"]),
		MaxKeys: l.most, Delimiter: l.write(l.delimiter), EncodingType: first(c.form["encoding-type"]), IsTruncated: p.truncated,
	}
	if p.truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = l.write(p.last), "null"
	}
	contents, prefixes := c.listed(p, l, true)
	for _, o := range contents {
		out.Version = append(out.Version, version{o, "null", true})
	}
	out.CommonPrefixes = prefixes
	return xmlAnswer("ListVersionsResult", out)
}

// deleteRequest is DeleteObjects' body.
type deleteRequest struct {
	Quiet  bool
	Object []struct {
		Key              string
		VersionId        string //nolint:revive,staticcheck // the element's name
		ETag             string
		LastModifiedTime string
		Size             string
	}
}

// deleteObjects answers for each key by itself; each needs s3:DeleteObject.
func (c *s3Call) deleteObjects() (*response, error) {
	if c.Header.Get("Content-Md5") == "" && len(c.sums) == 0 {
		return nil, fault(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	var in deleteRequest
	if err := c.readXML(&in, "Delete", "Quiet", "Object", "Key", "VersionId", "ETag", "LastModifiedTime", "Size"); err != nil {
		return nil, err
	}
	if n := len(in.Object); n == 0 || n > 1000 {
		return nil, fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if c.bucket.Versioning == "Enabled" {
		return nil, notImplemented("DeleteObjects in a bucket with versioning enabled")
	}
	type deleted struct {
		Key       string
		VersionId string `xml:",omitempty"` //nolint:revive,staticcheck // the element's name
	}
	type failed struct{ Key, Code, Message string }
	var out struct {
		Deleted []deleted
		Error   []failed
	}
	for _, o := range in.Object {
		if o.LastModifiedTime != "" || o.Size != "" {
			return nil, notImplemented("LastModifiedTime and Size in DeleteObjects")
		}
		action := "s3:DeleteObject"
		if o.VersionId != "" {
			action = "s3:DeleteObjectVersion"
		}
		have := c.bucket.Objects[o.Key]
		switch err := c.allow(action, o.Key, nil).(type) { //nolint:errorlint // authorize gives the error itself
		case nil:
		case *apiError:
			out.Error = append(out.Error, failed{o.Key, err.code, err.message})
			continue
		default:
			return nil, err
		}
		switch {
		case o.VersionId != "" && o.VersionId != "null":
			out.Error = append(out.Error, failed{o.Key, "NoSuchVersion", "The specified version does not exist."})
			continue
		case o.ETag != "" && have != nil && !etagMatches(o.ETag, have.ETag):
			out.Error = append(out.Error, failed{o.Key, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"})
			continue
		}
		delete(c.bucket.Objects, o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{o.Key, o.VersionId})
		}
	}
	return xmlAnswer("DeleteResult", out)
}

// sortedUploads are a bucket's unfinished uploads by key, then by age.
func (b *bucket) sortedUploads() []*upload {
	list := make([]*upload, 0, len(b.Uploads))
	for _, id := range sortedKeys(b.Uploads) {
		list = append(list, b.Uploads[id])
	}
	slices.SortStableFunc(list, func(x, y *upload) int {
		if n := strings.Compare(x.Key, y.Key); n != 0 {
			return n
		}
		return x.Started.Compare(y.Started)
	})
	return list
}
