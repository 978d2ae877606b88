package sandbox

import (
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Buckets, objects, unfinished uploads, instances and what was deleted on
// purpose outlive the server.
func TestServicesStateFile(t *testing.T) {
	ctx := t.Context()
	seed := fleet()
	seed.Buckets = []SeedBucket{{owner, "seeded", "us-east-1"}, {owner, "shared", "us-east-1"}}
	clock := &testClock{now: start(t, Options{}).clock.Now()}
	o := Options{StatePath: filepath.Join(t.TempDir(), "state.json"), Seed: seed, Clock: clock.Now}
	s, end := open(t, o)
	c, shared := s.s3(owner), aws.String("shared")
	put(t, c, "shared", "k", "text\x00\xff")
	if err := putPolicy(c, "shared", policyOf(statement("Allow", `{"AWS":"`+clientARN+`"}`, "s3:GetObject", sharedARN+"/*")))(ctx); err != nil {
		t.Fatal(err)
	}
	upload := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: shared, Key: aws.String("big")}))(t).UploadId
	must(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("seeded")}))(t)
	id := *must(s.ec2(consumer).RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.ClientToken = aws.String("once") })))(t).Instances[0].InstanceId
	end()

	clock.advance(changeTime)
	s, end = open(t, o)
	defer end()
	c = s.s3(owner)
	got := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: shared, Key: aws.String("k")}))(t)
	if body := must(io.ReadAll(got.Body))(t); string(body) != "text\x00\xff" {
		t.Errorf("object %q", body)
	}
	must(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: shared}))(t)
	must(c.ListParts(ctx, &s3.ListPartsInput{Bucket: shared, Key: aws.String("big"), UploadId: upload}))(t)
	_, err := c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("seeded")})
	wantCode(t, err, "NoSuchBucket", "")
	again := must(s.ec2(consumer).RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.ClientToken = aws.String("once") })))(t)
	if *again.Instances[0].InstanceId != id || stateNow(t, s.ec2(consumer), id) != "running" {
		t.Errorf("instance %+v", again.Instances[0])
	}
	if status, body := s.control(t, http.MethodGet, "instances/"+id, ""); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}
