package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// encryptBy sets a bucket's default encryption; key empty: aws/s3.
func encryptBy(t *testing.T, c *s3.Client, bucket, key string, bucketKey bool) {
	t.Helper()
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}
	if key != "" {
		by.KMSMasterKeyID = &key
	}
	_, err := c.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: &bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled: &bucketKey}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// encryptedShare is the bucket "shared" for the consumer's reader, which may do
// all in S3 and what kmsIdentity says in KMS.
func encryptedShare(t *testing.T, kmsIdentity string) testServer {
	t.Helper()
	statements := `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	if kmsIdentity != "" {
		statements += "," + kmsIdentity
	}
	s := sharing(t, Options{}, policyOf(statements))
	err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, "s3:*", sharedARN+"/*"), statement("Allow", readerJSON, "s3:*", sharedARN)))(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const kmsAll = `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`

// The key half of a share (SEMANTICS, section 6): reading takes kms:Decrypt,
// writing kms:GenerateDataKey, parts both; on both sides.
func TestEncryptedShare(t *testing.T) {
	name, key := aws.String("shared"), aws.String("incoming/have")
	get := func(ctx context.Context, c *s3.Client) error {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
		return err
	}
	head := func(ctx context.Context, c *s3.Client) error {
		_, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: key})
		return err
	}
	put := func(ctx context.Context, c *s3.Client) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("incoming/new"), Body: strings.NewReader("x")})
		return err
	}
	duplicate := func(ctx context.Context, c *s3.Client) error {
		_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: name, Key: aws.String("copy"), CopySource: aws.String("shared/incoming/have")})
		return err
	}
	parts := func(ctx context.Context, c *s3.Client) error {
		u, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: aws.String("parts")})
		if err != nil {
			return err
		}
		p, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: name, Key: aws.String("parts"), UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
		if err != nil {
			return err
		}
		_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: name, Key: aws.String("parts"), UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: p.ETag}}},
		})
		return err
	}
	may := func(action string) string { return `{"Effect":"Allow","Action":"` + action + `","Resource":"*"}` }
	when := func(action, key, value string) string {
		return `{"Effect":"Allow","Principal":` + readerJSON + `,"Action":"` + action + `","Resource":"*","Condition":{"StringLike":{"` + key + `":"` + value + `"}}}`
	}
	decrypt, generate := keyStatement("Allow", readerJSON, "kms:Decrypt"), keyStatement("Allow", readerJSON, "kms:GenerateDataKey")
	const outside = " because the resource does not exist in this Region, no resource-based policies allow access"
	for name, v := range map[string]struct {
		identity  string
		policy    string // beside ownerKeeps
		bucketKey bool
		call      func(context.Context, *s3.Client) error
		part      string // of the denial; empty: allowed
	}{
		"read":                              {kmsAll, decrypt, false, get, ""},
		"read, key policy silent":           {kmsAll, generate, false, get, "kms:Decrypt on resource: arn:aws:kms:us-east-1:111111111111:key/"},
		"read, key policy silent, because":  {kmsAll, generate, false, get, outside},
		"read, identity silent":             {"", decrypt, false, get, "because no identity-based policy allows the kms:Decrypt action"},
		"read, identity has the other":      {may("kms:GenerateDataKey"), decrypt, false, get, "kms:Decrypt"},
		"headers only":                      {"", "", false, head, ""},
		"write":                             {may("kms:GenerateDataKey"), generate, false, put, ""},
		"write, key policy silent":          {kmsAll, decrypt, false, put, "kms:GenerateDataKey on resource"},
		"write, identity silent":            {may("kms:Decrypt"), generate, false, put, "because no identity-based policy allows the kms:GenerateDataKey action"},
		"parts":                             {kmsAll, decrypt + "," + generate, false, parts, ""},
		"parts, no read":                    {kmsAll, generate, false, parts, "kms:Decrypt"},
		"parts, no write":                   {kmsAll, decrypt, false, parts, "kms:GenerateDataKey"},
		"copy":                              {kmsAll, decrypt + "," + generate, false, duplicate, ""},
		"copy, no read":                     {kmsAll, generate, false, duplicate, "kms:Decrypt"},
		"copy, no write":                    {kmsAll, decrypt, false, duplicate, "kms:GenerateDataKey"},
		"via S3":                            {kmsAll, when("kms:Decrypt", "kms:ViaService", "s3.us-east-1.amazonaws.com"), false, get, ""},
		"via another service":               {kmsAll, when("kms:Decrypt", "kms:ViaService", "ec2.us-east-1.amazonaws.com"), false, get, "kms:Decrypt"},
		"caller's account":                  {kmsAll, when("kms:Decrypt", "kms:CallerAccount", "222222222222"), false, get, ""},
		"context, object":                   {kmsAll, when("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", sharedARN+"/incoming/*"), false, get, ""},
		"context, other object":             {kmsAll, when("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", sharedARN+"/outgoing/*"), false, get, "kms:Decrypt"},
		"context, object, with bucket key":  {kmsAll, when("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", sharedARN+"/incoming/*"), true, get, "kms:Decrypt"},
		"context, bucket, with bucket key":  {kmsAll, when("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", sharedARN), true, get, ""},
		"address of the caller":             {kmsAll, when("kms:Decrypt", "aws:SourceIp", "127.0.0.1"), false, get, "kms:Decrypt"},
		"identity names another key's ARN":  {`{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:111111111111:key/1"}`, decrypt, false, get, "because no identity-based policy"},
		"identity, only for calls by S3":    {`{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`, decrypt, false, get, ""},
		"key denies whoever is not of ours": {kmsAll, decrypt + `,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"kms:CallerAccount":"111111111111"}}}`, false, get, outside},
	} {
		t.Run(name, func(t *testing.T) {
			s := encryptedShare(t, v.identity)
			statements := []string{ownerKeeps}
			if v.policy != "" {
				statements = append(statements, v.policy)
			}
			encryptBy(t, s.s3(owner), "shared", s.newKeyARN(t, policyOf(statements...)), v.bucketKey)
			_, err := s.s3(owner).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("shared"), Key: key, Body: strings.NewReader("text")})
			wantCode(t, err, "", "")
			want := ""
			if v.part != "" {
				want = "AccessDenied"
			}
			wantCode(t, v.call(t.Context(), s.reader(t)), want, v.part)
			lines := s.lines.entries(t)
			if last := lines[len(lines)-1]; v.part == "" && (!strings.HasPrefix(last.Resource, sharedARN) || last.Decision != "allowed") {
				t.Errorf("journal %+v", last)
			}
		})
	}
}

// The key of another account's bucket without a key of its own is aws/s3 of the
// bucket's account, which nobody else can use; an alias is the requester's.
func TestWhichKey(t *testing.T) {
	s := encryptedShare(t, kmsAll)
	ctx, c, r := t.Context(), s.s3(owner), s.reader(t)
	write := func(c *s3.Client, change ...func(*s3.PutObjectInput)) (string, error) {
		in := &s3.PutObjectInput{Bucket: aws.String("shared"), Key: aws.String("k"), Body: strings.NewReader("x")}
		for _, f := range change {
			f(in)
		}
		out, err := c.PutObject(ctx, in)
		if err != nil {
			return "", err
		}
		return aws.ToString(out.SSEKMSKeyId), nil
	}
	managed := func(account string) string {
		t.Helper()
		return *must(s.kms(account).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: str("alias/aws/s3")}))(t).KeyMetadata.Arn
	}
	encryptBy(t, c, "shared", "", false)
	if key, err := write(c); key != managed(owner) || err != nil {
		t.Errorf("key %s, %v", key, err)
	}
	_, err := r.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
	wantCode(t, err, "AccessDenied", "kms:Decrypt")
	_, err = write(r)
	wantCode(t, err, "AccessDenied", "kms:GenerateDataKey")

	ours := s.newKeyARN(t, "")
	theirs := *must(s.kms(consumer).CreateKey(ctx, nil))(t).KeyMetadata.Arn
	must(s.kms(owner).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: str("alias/share"), TargetKeyId: &ours}))(t)
	encryptBy(t, c, "shared", "alias/share", false)
	if key, err := write(c); key != ours || err != nil {
		t.Errorf("key %s, %v", key, err)
	}
	_, err = write(r)
	wantCode(t, err, "KMS.NotFoundException", "arn:aws:kms:us-east-1:222222222222:alias/share is not found")
	must(s.kms(consumer).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: str("alias/share"), TargetKeyId: &theirs}))(t)
	if key, err := write(r); key != theirs || err != nil {
		t.Errorf("key %s, %v", key, err)
	}
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("shared"), Key: aws.String("k")})
	wantCode(t, err, "AccessDenied", "kms:Decrypt") // what the owner has now is sealed by a key of others

	// The headers of a request count more than the bucket's default.
	if key, err := write(r, func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAes256 }); key != "" || err != nil {
		t.Errorf("key %s, %v", key, err)
	}
	if key, err := write(c, func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKms }); key != managed(owner) || err != nil {
		t.Errorf("key %s, %v", key, err)
	}
	_, err = write(r, func(in *s3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &ours
	})
	wantCode(t, err, "AccessDenied", "kms:GenerateDataKey on resource: "+ours)
	checkRefused(t, map[string]refused{
		"key of another region": {func(context.Context) error {
			_, err := write(c, func(in *s3.PutObjectInput) {
				in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, str(strings.Replace(ours, "us-east-1", "eu-west-1", 1))
			})
			return err
		}, "KMS.NotFoundException", "Invalid arn eu-west-1", 400},
		"key without KMS": {func(context.Context) error {
			_, err := write(c, func(in *s3.PutObjectInput) { in.SSEKMSKeyId = &ours })
			return err
		}, "InvalidArgument", "requires HTTP header", 400},
		"no context": {func(context.Context) error {
			_, err := write(c, func(in *s3.PutObjectInput) {
				in.ServerSideEncryption, in.SSEKMSEncryptionContext = types.ServerSideEncryptionAwsKms, str("x")
			})
			return err
		}, "InvalidArgument", "Base64", 400},
	})
}

func TestEncryptedObject(t *testing.T) {
	s := start(t, Options{})
	ctx, c, b, k := t.Context(), s.bucket(t, "store"), aws.String("store"), aws.String("k")
	key := s.newKeyARN(t, policyOf(ownerKeeps, `{"Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringNotEquals":{"kms:EncryptionContext:team":"red"}}}`))
	put := func(context string) (*s3.PutObjectOutput, error) {
		return c.PutObject(ctx, &s3.PutObjectInput{
			Bucket: b, Key: k, Body: strings.NewReader("text"), ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &key, BucketKeyEnabled: aws.Bool(true),
			SSEKMSEncryptionContext: str(base64.StdEncoding.EncodeToString([]byte(context))),
		})
	}
	_, err := put(`{"team":"blue"}`)
	wantCode(t, err, "AccessDenied", "explicit deny in a resource-based policy")
	out := must(put(`{"team":"red"}`))(t)
	got := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k}))(t)
	text := must(io.ReadAll(got.Body))(t)
	if string(text) != "text" || got.ServerSideEncryption != types.ServerSideEncryptionAwsKms || *got.SSEKMSKeyId != key || !*got.BucketKeyEnabled || *got.ETag != *out.ETag {
		t.Errorf("%s %+v", text, got)
	}
	if plain := hex.EncodeToString(md5Of([]byte("text"))); strings.Contains(*out.ETag, plain) {
		t.Error("the ETag is the MD5")
	}
	read := func() error {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
		return err
	}
	must(s.kms(owner).DisableKey(ctx, &kms.DisableKeyInput{KeyId: &key}))(t)
	wantCode(t, read(), "KMS.DisabledException", key+" is disabled.")
	if got := statusOf(t, read()); got != http.StatusBadRequest {
		t.Errorf("status %d", got)
	}
	_, err = put(`{"team":"red"}`)
	wantCode(t, err, "KMS.DisabledException", "is disabled")
	must(s.kms(owner).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)}))(t)
	wantCode(t, read(), "KMS.KMSInvalidStateException", key+" is pending deletion.")
	s.clock.advance(8 * 24 * 3600e9)
	wantCode(t, read(), "KMS.NotFoundException", "does not exist")
	must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k}))(t)
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k, ChecksumMode: types.ChecksumModeEnabled})
	if got := statusOf(t, err); got != http.StatusBadRequest {
		t.Errorf("status %d", got)
	}
	must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k}))(t)
}

// Who calls without credentials uses no key, whatever the policies say.
func TestKeyTakesCredentials(t *testing.T) {
	s := sharing(t, Options{}, policyOf(kmsAll))
	c := s.s3(owner)
	_, err := c.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: aws.String("shared")})
	wantCode(t, err, "", "")
	wantCode(t, putPolicy(c, "shared", policyOf(statement("Allow", `"*"`, "s3:GetObject", sharedARN+"/*")))(t.Context()), "", "")
	get := func() int {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/shared/page", nil))
		return answer.Code
	}
	for _, encrypted := range []bool{false, true} {
		if encrypted {
			encryptBy(t, c, "shared", s.newKeyARN(t, policyOf(ownerKeeps, keyStatement("Allow", `"*"`, "kms:*"))), false)
		}
		_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("shared"), Key: aws.String("page"), Body: strings.NewReader("text")})
		wantCode(t, err, "", "")
		want := map[bool]int{false: http.StatusOK, true: http.StatusBadRequest}[encrypted]
		if status := get(); status != want {
			t.Errorf("encrypted %v: %d, not %d", encrypted, status, want)
		}
	}
}
