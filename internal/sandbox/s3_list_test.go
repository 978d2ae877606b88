package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"
)

func newGet(t *testing.T, url string) (*http.Request, error) {
	t.Helper()
	return http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
}

// Pages of any size give what one page gives, and every key is in it, by
// itself or under its common prefix.
func TestListKeysInPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringMatching(`[ab/]{1,6}`), rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		prefix := rapid.StringMatching(`[ab/]{0,2}`).Draw(t, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "ab"}).Draw(t, "delimiter")
		most := rapid.IntRange(1, 4).Draw(t, "most")
		whole := listKeys(keys, prefix, delimiter, "", 1000)
		var got keyPage
		for after := ""; ; {
			p := listKeys(keys, prefix, delimiter, after, most)
			if n := len(p.keys) + len(p.prefixes); n > most || p.truncated && n != most {
				t.Fatalf("a page of %d entries, truncated %t", n, p.truncated)
			}
			got.keys, got.prefixes = append(got.keys, p.keys...), append(got.prefixes, p.prefixes...)
			if !p.truncated {
				break
			}
			after = p.last
		}
		if !slices.Equal(got.keys, whole.keys) || !slices.Equal(got.prefixes, whole.prefixes) {
			t.Fatalf("in pages %v %v, at once %v %v", got.keys, got.prefixes, whole.keys, whole.prefixes)
		}
		for _, k := range keys {
			rest, in := strings.CutPrefix(k, prefix)
			rolled := in && delimiter != "" && strings.Contains(rest, delimiter)
			if slices.Contains(whole.keys, k) != (in && !rolled) {
				t.Fatalf("%q: listed %t", k, !(in && !rolled))
			}
			if rolled && !slices.Contains(whole.prefixes, prefix+rest[:strings.Index(rest, delimiter)+len(delimiter)]) {
				t.Fatalf("%q has no common prefix in %v", k, whole.prefixes)
			}
		}
	})
}

func keysOf(list []types.Object) string {
	var out []string
	for _, o := range list {
		out = append(out, *o.Key)
	}
	return strings.Join(out, " ")
}

func TestListObjects(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket := s.bucket(t, "store"), t.Context(), aws.String("store")
	for _, k := range []string{"a", "dir/1", "dir/2", "dir/sub/3", "other/4", "z+ä"} {
		put(t, c, "store", k, "x")
	}
	v2 := func(in s3.ListObjectsV2Input) (string, string, *s3.ListObjectsV2Output) {
		in.Bucket = bucket
		out := must(c.ListObjectsV2(ctx, &in))(t)
		var prefixes []string
		for _, p := range out.CommonPrefixes {
			prefixes = append(prefixes, *p.Prefix)
		}
		return keysOf(out.Contents), strings.Join(prefixes, " "), out
	}
	for name, w := range map[string]struct {
		in             s3.ListObjectsV2Input
		keys, prefixes string
	}{
		"all":         {s3.ListObjectsV2Input{}, "a dir/1 dir/2 dir/sub/3 other/4 z+ä", ""},
		"delimiter":   {s3.ListObjectsV2Input{Delimiter: aws.String("/")}, "a z+ä", "dir/ other/"},
		"prefix":      {s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("dir/")}, "dir/1 dir/2", "dir/sub/"},
		"start after": {s3.ListObjectsV2Input{StartAfter: aws.String("dir/2")}, "dir/sub/3 other/4 z+ä", ""},
		"none":        {s3.ListObjectsV2Input{Prefix: aws.String("nope")}, "", ""},
		"no keys":     {s3.ListObjectsV2Input{MaxKeys: aws.Int32(0)}, "", ""},
		"url encoded": {s3.ListObjectsV2Input{EncodingType: types.EncodingTypeUrl, Prefix: aws.String("z")}, "z%2B%C3%A4", ""},
	} {
		keys, prefixes, out := v2(w.in)
		if keys != w.keys || prefixes != w.prefixes || *out.IsTruncated || out.NextContinuationToken != nil || int(*out.KeyCount) != len(out.Contents)+len(out.CommonPrefixes) {
			t.Errorf("%s: %q %q %+v", name, keys, prefixes, out)
		}
	}
	if _, _, out := v2(s3.ListObjectsV2Input{FetchOwner: aws.Bool(true)}); out.Contents[0].Owner == nil || len(*out.Contents[0].Owner.ID) != 64 {
		t.Error("no owner although it was asked for")
	}
	var pages []string
	p := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(2), Delimiter: aws.String("/")})
	for p.HasMorePages() {
		out := must(p.NextPage(ctx))(t)
		pages = append(pages, fmt.Sprint(len(out.Contents), len(out.CommonPrefixes)))
	}
	if got := strings.Join(pages, "|"); got != "1 1|1 1" {
		t.Errorf("pages %s", got)
	}
	first := must(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, MaxKeys: aws.Int32(2), Delimiter: aws.String("/")}))(t)
	second := must(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, Marker: first.NextMarker, Delimiter: aws.String("/")}))(t)
	if keysOf(first.Contents) != "a" || *first.NextMarker != "dir/" || keysOf(second.Contents) != "z+ä" || *second.CommonPrefixes[0].Prefix != "other/" {
		t.Errorf("version 1: %+v %+v", first, second)
	}
	versions := must(c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket, Prefix: aws.String("dir/"), MaxKeys: aws.Int32(2)}))(t)
	if len(versions.Versions) != 2 || *versions.Versions[0].VersionId != "null" || !*versions.Versions[0].IsLatest || *versions.NextKeyMarker != "dir/2" {
		t.Errorf("versions %+v", versions)
	}
	_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, ContinuationToken: aws.String("!")})
	wantCode(t, err, "InvalidArgument", "continuation token")
}

func TestDeleteObjects(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	ctx, bucket := t.Context(), aws.String("shared")
	for _, k := range []string{"in/1", "in/2", "out/3"} {
		put(t, s.s3(owner), "shared", k, "x")
	}
	if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, "s3:DeleteObject", sharedARN+"/in/*")))(ctx); err != nil {
		t.Fatal(err)
	}
	ids := func(keys ...string) *types.Delete {
		d := &types.Delete{}
		for _, k := range keys {
			d.Objects = append(d.Objects, types.ObjectIdentifier{Key: &k})
		}
		return d
	}
	out := must(s.reader(t).DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: ids("in/1", "in/none", "out/3")}))(t)
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Key != "out/3" || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("%+v", out)
	}
	quiet := ids("in/2")
	quiet.Quiet = aws.Bool(true)
	if out := must(s.s3(owner).DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: quiet}))(t); len(out.Deleted) != 0 {
		t.Errorf("%+v", out)
	}
	if got := keysOf(must(s.s3(owner).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}))(t).Contents); got != "out/3" {
		t.Errorf("left: %s", got)
	}
	_, err := s.s3(owner).DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{}}})
	wantCode(t, err, "MalformedXML", "")
}
