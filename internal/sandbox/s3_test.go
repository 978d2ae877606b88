package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func (s testServer) s3(key string, secretToken ...string) *s3.Client {
	return s3.NewFromConfig(s.config(key, secretToken...), func(o *s3.Options) { o.UsePathStyle = true })
}

// s3In is a client that signs for another region.
func (s testServer) s3In(region, key string) *s3.Client {
	return s3.NewFromConfig(s.config(key), func(o *s3.Options) { o.UsePathStyle, o.Region = true, region })
}

// bucket makes a bucket of the owner in us-east-1.
func (s testServer) bucket(t *testing.T, name string) *s3.Client {
	t.Helper()
	c := s.s3(owner)
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return c
}

// put stores an object.
func put(t *testing.T, c *s3.Client, bucket, key, text string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

// statusOf is the HTTP status of a failed call.
func statusOf(t *testing.T, err error) int {
	t.Helper()
	var e *smithyhttp.ResponseError
	if !errors.As(err, &e) {
		t.Fatalf("no answer: %v", err)
	}
	return e.HTTPStatusCode()
}

// refused is one call that fails.
type refused struct {
	call func(context.Context) error
	code string
	part string // of the message
	http int
}

func checkRefused(t *testing.T, cases map[string]refused) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := c.call(t.Context())
			wantCode(t, err, c.code, c.part)
			if got := statusOf(t, err); got != c.http {
				t.Errorf("status %d, want %d", got, c.http)
			}
		})
	}
}

func TestBucketNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"mybucket2share": true, "a.b-c.d": true, "abc": true,
		"ab": false, "Upper": false, "-abc": false, "abc-": false, "a..b": false, "a.-b": false, "a-.b": false,
		"192.168.1.1": false, "xn--abc": false, "abc-s3alias": false, "under_score": false, strings.Repeat("a", 64): false,
	} {
		if validBucketName(name) != ok {
			t.Errorf("%s: valid %t, want %t", name, !ok, ok)
		}
	}
}

func TestCreateBucket(t *testing.T) {
	s := start(t, Options{})
	ctx := t.Context()
	c, in := s.s3(owner), func(region string) *types.CreateBucketConfiguration {
		return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	create := func(c *s3.Client, name string, conf *types.CreateBucketConfiguration) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: conf})
			return err
		}
	}
	for name, call := range map[string]func(context.Context) error{
		"without a region":   create(c, "east", nil),
		"again in us-east-1": create(c, "east", nil),
		"through us-east-1":  create(c, "ireland", in("eu-west-1")),
		"in its region":      create(s.s3In("eu-west-1", owner), "ireland2", in("eu-west-1")),
		"with tags":          create(c, "tagged", &types.CreateBucketConfiguration{Tags: []types.Tag{{Key: aws.String("xshare:repository"), Value: aws.String("acme")}}}),
	} {
		if err := call(ctx); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "without a region" { // the second time it is one's own
			if err := create(c, "east", nil)(ctx); err != nil {
				t.Fatalf("again: %v", err)
			}
		}
	}
	tags := must(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String("tagged")}))(t)
	if len(tags.TagSet) != 1 || *tags.TagSet[0].Key != "xshare:repository" || *tags.TagSet[0].Value != "acme" {
		t.Errorf("tags %v", tags.TagSet)
	}
	location := must(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("ireland")}))(t)
	if location.LocationConstraint != "eu-west-1" {
		t.Errorf("location %q", location.LocationConstraint)
	}
	location = must(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("east")}))(t)
	if location.LocationConstraint != "" {
		t.Errorf("location of us-east-1 %q, want none", location.LocationConstraint)
	}
	checkRefused(t, map[string]refused{
		"another account's":                      {create(s.s3(consumer), "east", nil), "BucketAlreadyExists", "not available", 409},
		"own, elsewhere":                         {create(s.s3In("eu-west-1", owner), "ireland", in("eu-west-1")), "BucketAlreadyOwnedByYou", "already own", 409},
		"own, from us-east-1 for another region": {create(c, "ireland", in("eu-west-1")), "BucketAlreadyOwnedByYou", "already own", 409},
		"bad name":                               {create(c, "Not_A_Name", nil), "InvalidBucketName", "not valid", 400},
		"no constraint elsewhere":                {create(s.s3In("eu-west-1", owner), "new", nil), "IllegalLocationConstraintException", "unspecified", 400},
		"other constraint":                       {create(s.s3In("eu-west-1", owner), "new", in("eu-west-2")), "IllegalLocationConstraintException", "eu-west-2", 400},
		"us-east-1 as constraint":                {create(c, "new", in("us-east-1")), "InvalidLocationConstraint", "not valid", 400},
		"no such region":                         {create(c, "new", in("moon")), "InvalidLocationConstraint", "not valid", 400},
		"duplicate tag":                          {create(c, "new", &types.CreateBucketConfiguration{Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}}), "InvalidTag", "same key", 400},
		"object lock": {func(ctx context.Context) error {
			_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("new"), ObjectLockEnabledForBucket: aws.Bool(true)})
			return err
		}, "NotImplemented", "x-amz-bucket-object-lock-enabled", 501},
		"public ACL": {func(ctx context.Context) error {
			_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("new"), ACL: types.BucketCannedACLPublicRead})
			return err
		}, "InvalidBucketAclWithObjectOwnership", "BucketOwnerEnforced", 400},
	})
}

func TestDefaultsOfNewBuckets(t *testing.T) {
	s := start(t, Options{})
	ctx, name := t.Context(), aws.String("plain")
	c := s.bucket(t, *name)
	block := must(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name}))(t).PublicAccessBlockConfiguration
	if !*block.BlockPublicAcls || !*block.IgnorePublicAcls || !*block.BlockPublicPolicy || !*block.RestrictPublicBuckets {
		t.Errorf("Block Public Access %+v, want all on", block)
	}
	own := must(c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))(t)
	if got := own.OwnershipControls.Rules[0].ObjectOwnership; got != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("ownership %s", got)
	}
	enc := must(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name}))(t)
	if got := enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm; got != types.ServerSideEncryptionAes256 {
		t.Errorf("encryption %s", got)
	}
	if v := must(c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name}))(t); v.Status != "" {
		t.Errorf("versioning %q", v.Status)
	}
	acl := must(c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name}))(t)
	if len(acl.Grants) != 1 || *acl.Grants[0].Grantee.ID != *acl.Owner.ID || acl.Grants[0].Permission != types.PermissionFullControl || len(*acl.Owner.ID) != 64 {
		t.Errorf("ACL %+v", acl)
	}
	if v := must(c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: name}))(t); v.Payer != types.PayerBucketOwner {
		t.Errorf("payer %s", v.Payer)
	}
	if v := must(c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: name}))(t); v.LoggingEnabled != nil {
		t.Errorf("logging %+v", v.LoggingEnabled)
	}
	if v := must(c.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: name}))(t); v.Status != "" {
		t.Errorf("acceleration %q", v.Status)
	}
	if v := must(c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name}))(t); len(v.QueueConfigurations) != 0 {
		t.Errorf("notifications %+v", v)
	}
	checkRefused(t, map[string]refused{
		"tags": {func(ctx context.Context) error {
			_, err := c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
			return err
		}, "NoSuchTagSet", "TagSet", 404},
		"policy": {func(ctx context.Context) error {
			_, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
			return err
		}, "NoSuchBucketPolicy", "does not exist", 404},
		"status": {func(ctx context.Context) error {
			_, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
			return err
		}, "NoSuchBucketPolicy", "does not exist", 404},
		"lifecycle": {func(ctx context.Context) error {
			_, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
			return err
		}, "NoSuchLifecycleConfiguration", "lifecycle", 404},
		"cors": {func(ctx context.Context) error {
			_, err := c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: name})
			return err
		}, "NoSuchCORSConfiguration", "CORS", 404},
		"website": {func(ctx context.Context) error {
			_, err := c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
			return err
		}, "NoSuchWebsiteConfiguration", "website", 404},
		"replication": {func(ctx context.Context) error {
			_, err := c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
			return err
		}, "ReplicationConfigurationNotFoundError", "replication", 404},
		"object lock": {func(ctx context.Context) error {
			_, err := c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: name})
			return err
		}, "ObjectLockConfigurationNotFoundError", "Object Lock", 404},
		"putting a lifecycle": {func(ctx context.Context) error {
			_, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{Status: "Enabled", Filter: &types.LifecycleRuleFilter{}}}}})
			return err
		}, "NotImplemented", "PutBucketLifecycleConfiguration", 501},
		"metrics": {func(ctx context.Context) error {
			_, err := c.GetBucketMetricsConfiguration(ctx, &s3.GetBucketMetricsConfigurationInput{Bucket: name, Id: aws.String("x")})
			return err
		}, "NotImplemented", "GetBucketMetricsConfiguration", 501},
	})
}

func TestBucketConfigurations(t *testing.T) {
	s := start(t, Options{})
	ctx, name := t.Context(), aws.String("conf")
	c := s.bucket(t, *name)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
	ok(err)
	block := must(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name}))(t).PublicAccessBlockConfiguration
	if !*block.BlockPublicPolicy || *block.RestrictPublicBuckets {
		t.Errorf("block %+v", block)
	}
	_, err = c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: name})
	ok(err)
	_, err = c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", "not found")

	_, err = c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}})
	ok(err)
	own := must(c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))(t)
	if got := own.OwnershipControls.Rules[0].ObjectOwnership; got != types.ObjectOwnershipObjectWriter {
		t.Errorf("ownership %s", got)
	}
	_, err = c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: name})
	ok(err)
	_, err = c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	wantCode(t, err, "OwnershipControlsNotFoundError", "not found")

	_, err = c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("arn:aws:kms:us-east-1:111111111111:key/k")}, BucketKeyEnabled: aws.Bool(true),
	}}}})
	ok(err)
	rule := must(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name}))(t).ServerSideEncryptionConfiguration.Rules[0]
	if d := rule.ApplyServerSideEncryptionByDefault; d.SSEAlgorithm != types.ServerSideEncryptionAwsKms || *d.KMSMasterKeyID != "arn:aws:kms:us-east-1:111111111111:key/k" || !*rule.BucketKeyEnabled {
		t.Errorf("encryption %+v", rule)
	}
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("k"), Body: strings.NewReader("x")})
	wantCode(t, err, "KMS.NotFoundException", "Invalid keyId 'k'")
	_, err = c.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: name})
	ok(err)
	put(t, c, *name, "k", "x")

	_, err = c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}}})
	ok(err)
	if tags := must(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name}))(t); len(tags.TagSet) != 1 || *tags.TagSet[0].Key != "b" {
		t.Errorf("tags %+v", tags.TagSet)
	}
	_, err = c.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: name})
	ok(err)
	_, err = c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	wantCode(t, err, "NoSuchTagSet", "")

	_, err = c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	ok(err)
	if v := must(c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name}))(t); v.Status != types.BucketVersioningStatusEnabled {
		t.Errorf("versioning %q", v.Status)
	}
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("k"), Body: strings.NewReader("x")})
	wantCode(t, err, "NotImplemented", "versioning enabled")
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("k")})
	wantCode(t, err, "NotImplemented", "versioning enabled")
}

func TestBucketConfigurationsThatAreRefused(t *testing.T) {
	s := start(t, Options{})
	c, name := s.bucket(t, "conf"), aws.String("conf")
	encrypted := func(algorithm types.ServerSideEncryption) func(context.Context) error {
		return func(ctx context.Context) error {
			rule := types.ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: algorithm, KMSMasterKeyID: aws.String("k")}}
			_, err := c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}}})
			return err
		}
	}
	tagged := func(key, value string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: &key, Value: &value}}}})
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"a key without KMS": {encrypted(types.ServerSideEncryptionAes256), "InvalidArgument", "KMSMasterKeyID", 400},
		"no such algorithm": {encrypted("rot13"), "MalformedXML", "", 400},
		"empty tag key":     {tagged("", "v"), "InvalidTag", "TagKey", 400},
		"long tag value":    {tagged("k", strings.Repeat("v", 257)), "InvalidTag", "TagValue", 400},
		"AWS's tag":         {tagged("aws:k", "v"), "InvalidTag", "System tags", 400},
		"ACL": {func(ctx context.Context) error {
			_, err := c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: name, ACL: types.BucketCannedACLPublicRead})
			return err
		}, "AccessControlListNotSupported", "does not allow ACLs", 400},
	})
	if _, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: name, ACL: types.BucketCannedACLPrivate}); err != nil {
		t.Error(err)
	}
}

func TestDeleteAndHeadBucket(t *testing.T) {
	s := start(t, Options{})
	ctx, name := t.Context(), aws.String("short")
	c := s.bucket(t, *name)
	head := must(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name}))(t)
	if *head.BucketRegion != "us-east-1" {
		t.Errorf("region %q", *head.BucketRegion)
	}
	put(t, c, *name, "k", "x")
	_, err := c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	wantCode(t, err, "BucketNotEmpty", "not empty")
	headAs := func(c *s3.Client) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name})
			return err
		}
	}
	for what, want := range map[string]struct {
		call func(context.Context) error
		http int
	}{
		"from another account": {headAs(s.s3(consumer)), 403},
		"in another region":    {headAs(s.s3In("eu-west-1", owner)), 301},
	} {
		err := want.call(ctx)
		if got := statusOf(t, err); got != want.http {
			t.Errorf("%s: status %d, want %d", what, got, want.http)
		}
		var e *smithyhttp.ResponseError
		if errors.As(err, &e) && e.Response.Header.Get("X-Amz-Bucket-Region") != "us-east-1" {
			t.Errorf("%s: the answer does not say the region", what)
		}
	}
	if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name}); err != nil {
		t.Fatal(err)
	}
	err = headAs(c)(ctx)
	if got := statusOf(t, err); got != 404 {
		t.Errorf("status %d, want 404", got)
	}
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "NotFound" {
		t.Errorf("%v, want NotFound", err)
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	wantCode(t, err, "NoSuchBucket", "does not exist")
}

func TestListBuckets(t *testing.T) {
	s := start(t, Options{})
	for _, n := range []string{"a1", "a2", "a3", "b1"} {
		s.bucket(t, n+"-bucket")
	}
	if _, err := s.s3(consumer).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("a4-bucket")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.s3(owner).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("a5-bucket"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
		t.Fatal(err)
	}
	names := func(list []types.Bucket) string {
		var out []string
		for _, b := range list {
			out = append(out, strings.TrimSuffix(*b.Name, "-bucket"))
		}
		return strings.Join(out, " ")
	}
	out := must(s.s3(owner).ListBuckets(t.Context(), &s3.ListBucketsInput{}))(t)
	if got := names(out.Buckets); got != "a1 a2 a3 a5 b1" || out.Buckets[0].BucketRegion != nil || out.ContinuationToken != nil {
		t.Errorf("%s, region %v", got, out.Buckets[0].BucketRegion)
	}
	var pages []string
	p := s3.NewListBucketsPaginator(s.s3(owner), &s3.ListBucketsInput{MaxBuckets: aws.Int32(2), Prefix: aws.String("a")})
	for p.HasMorePages() {
		out := must(p.NextPage(t.Context()))(t)
		pages = append(pages, names(out.Buckets))
		if out.Buckets[0].BucketRegion == nil {
			t.Error("no region although a parameter was sent")
		}
	}
	if got := strings.Join(pages, "|"); got != "a1 a2|a3 a5" {
		t.Errorf("pages %s", got)
	}
	out = must(s.s3(owner).ListBuckets(t.Context(), &s3.ListBucketsInput{BucketRegion: aws.String("eu-west-1")}))(t)
	if got := names(out.Buckets); got != "a5" {
		t.Errorf("in eu-west-1: %s", got)
	}
}

func TestRegionRedirects(t *testing.T) {
	s := start(t, Options{})
	if _, err := s.s3(owner).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("ireland"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
		t.Fatal(err)
	}
	_, err := s.s3(owner).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("ireland")})
	wantCode(t, err, "PermanentRedirect", "specified endpoint")
	if got := statusOf(t, err); got != 301 {
		t.Errorf("status %d", got)
	}
	_, err = s.s3In("eu-west-1", owner).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("ireland")})
	wantCode(t, err, "NoSuchBucketPolicy", "")
}

func TestExpectedBucketOwner(t *testing.T) {
	s := start(t, Options{})
	c := s.bucket(t, "mine")
	for want, code := range map[string]string{owner: "NoSuchBucketPolicy", consumer: "AccessDenied", "me": "InvalidBucketOwnerAWSAccountID"} {
		_, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("mine"), ExpectedBucketOwner: &want})
		wantCode(t, err, code, "")
	}
}

func TestSeededBuckets(t *testing.T) {
	s := start(t, Options{Seed: Seed{Buckets: []SeedBucket{{owner, "existing", "eu-west-1"}}}})
	head := must(s.s3In("eu-west-1", owner).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("existing")}))(t)
	if *head.BucketRegion != "eu-west-1" {
		t.Errorf("region %s", *head.BucketRegion)
	}
	for name, b := range map[string]SeedBucket{"account": {"1", "abc", "us-east-1"}, "name": {owner, "A", "us-east-1"}, "region": {owner, "abc", ""}} {
		if _, err := New(Options{Seed: Seed{Buckets: []SeedBucket{b}}}); err == nil {
			t.Errorf("a bad %s was taken", name)
		}
	}
}
