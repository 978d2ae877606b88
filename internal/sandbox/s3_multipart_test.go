package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestMultipartUpload(t *testing.T) {
	big := bytes.Repeat([]byte("x"), minPart)
	for _, algorithm := range []types.ChecksumAlgorithm{"", types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha256} {
		t.Run("checksum "+string(algorithm), func(t *testing.T) {
			s := start(t, Options{})
			c, ctx, bucket, key := s.bucket(t, "store"), t.Context(), aws.String("store"), aws.String("dir/big file")
			up := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ContentType: aws.String("text/plain"), Metadata: map[string]string{"a": "1"}, ChecksumAlgorithm: algorithm}))(t)
			var parts []types.CompletedPart
			for i, data := range [][]byte{big, []byte("the end")} {
				n := aws.Int32(int32(i + 1))
				p := must(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: up.UploadId, PartNumber: n, Body: bytes.NewReader(data), ChecksumAlgorithm: algorithm}))(t)
				parts = append(parts, types.CompletedPart{PartNumber: n, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32, ChecksumSHA256: p.ChecksumSHA256, ChecksumCRC64NVME: p.ChecksumCRC64NVME})
			}
			listed := must(c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: up.UploadId, MaxParts: aws.Int32(1)}))(t)
			if len(listed.Parts) != 1 || *listed.Parts[0].Size != minPart || !*listed.IsTruncated || *listed.NextPartNumberMarker != "1" {
				t.Errorf("parts %+v", listed)
			}
			uploads := must(c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket, Prefix: aws.String("dir/")}))(t)
			if len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != *up.UploadId {
				t.Errorf("uploads %+v", uploads.Uploads)
			}
			out := must(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}))(t)
			got := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}))(t)
			body := must(io.ReadAll(got.Body))(t)
			if len(body) != minPart+7 || !strings.HasSuffix(*got.ETag, `-2"`) || *got.ETag != *out.ETag || *got.ContentType != "text/plain" || got.Metadata["a"] != "1" {
				t.Errorf("%d bytes, %+v", len(body), got)
			}
			if got := must(c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket}))(t); len(got.Uploads) != 0 {
				t.Errorf("uploads left: %+v", got.Uploads)
			}
		})
	}
}

func TestMultipartUploadIsRefused(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket, key := s.bucket(t, "store"), t.Context(), aws.String("store"), aws.String("k")
	up := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key}))(t).UploadId
	etags := map[int32]*string{}
	for n, size := range map[int32]int{1: 10, 2: 10} {
		etags[n] = must(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: up, PartNumber: &n, Body: strings.NewReader(strings.Repeat("x", size))}))(t).ETag
	}
	complete := func(id *string, numbers ...int32) func(context.Context) error {
		return func(ctx context.Context) error {
			var parts []types.CompletedPart
			for _, n := range numbers {
				parts = append(parts, types.CompletedPart{PartNumber: &n, ETag: etags[n]})
			}
			_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"no upload":    {complete(aws.String("none"), 1), "NoSuchUpload", "does not exist", 404},
		"order":        {complete(up, 2, 1), "InvalidPartOrder", "ascending", 400},
		"no such part": {complete(up, 1, 3), "InvalidPart", "could not be found", 400},
		"small parts":  {complete(up, 1, 2), "EntityTooSmall", "smaller", 400},
		"no parts":     {complete(up), "MalformedXML", "", 400},
		"too large": {func(ctx context.Context) error {
			_, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: up, PartNumber: aws.Int32(3), Body: bytes.NewReader(make([]byte, maxObject))})
			return err
		}, "EntityTooLarge", "sandbox", 400},
		"checksum type": {func(ctx context.Context) error {
			_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeComposite})
			return err
		}, "InvalidRequest", "COMPOSITE", 400},
	})
	if _, err := c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up}); err != nil {
		t.Fatal(err)
	}
	_, err := c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up})
	wantCode(t, err, "NoSuchUpload", "")
}

func TestUploadsAreListedInPages(t *testing.T) {
	s := start(t, Options{})
	c, ctx, bucket := s.bucket(t, "store"), t.Context(), aws.String("store")
	for _, key := range []string{"b", "a", "b", "c"} {
		must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key}))(t)
	}
	var pages []string
	p := s3.NewListMultipartUploadsPaginator(c, &s3.ListMultipartUploadsInput{Bucket: bucket, MaxUploads: aws.Int32(2)})
	for p.HasMorePages() {
		out := must(p.NextPage(ctx))(t)
		for _, u := range out.Uploads {
			pages = append(pages, *u.Key)
		}
		pages = append(pages, "|")
	}
	if got := fmt.Sprint(pages); got != "[a b | b c |]" {
		t.Errorf("pages %s", got)
	}
}
