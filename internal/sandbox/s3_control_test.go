package sandbox

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// s3control is a client whose hosts begin with the account's id, which no name
// server knows: its dialer always dials the sandbox.
func (s testServer) s3control(key string, secretToken ...string) *s3control.Client {
	address := strings.TrimPrefix(s.url, "http://")
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return s3control.NewFromConfig(s.config(key, secretToken...), func(o *s3control.Options) {
		o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	})
}

func TestAccountPublicAccessBlock(t *testing.T) {
	keeper := SeedRole{Account: owner, Name: "reader", Trust: trusting(`{"AWS":"111111111111"}`), Inline: map[string]string{"get": allowing("s3:GetAccountPublicAccessBlock", "*")}}
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{keeper}}})
	ctx, c := t.Context(), s.s3control(owner)
	get := func(c *s3control.Client) (*types.PublicAccessBlockConfiguration, error) {
		out, err := c.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: str(owner)})
		if err != nil {
			return nil, err
		}
		return out.PublicAccessBlockConfiguration, nil
	}
	put := func(c *s3control.Client) error {
		_, err := c.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: str(owner), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(false), IgnorePublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		}})
		return err
	}
	_, err := get(c)
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", "not found")
	wantCode(t, put(c), "", "")
	if got := must(get(c))(t); !*got.BlockPublicPolicy || *got.BlockPublicAcls {
		t.Errorf("configuration %+v", got)
	}
	// On the plain endpoint the header tells the account.
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v20180820/configuration/publicAccessBlock", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+owner+"/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Account-Id", owner)
	if status, body := s.send(t, r); status != 200 || !strings.Contains(body, "<BlockPublicPolicy>true</BlockPublicPolicy>") {
		t.Errorf("%d %s", status, body)
	}
	keys := s.as(t, owner, ownerRole+"reader")
	limited := s.s3control(keys[0], keys[1:]...)
	must(get(limited))(t)
	wantCode(t, put(limited), "AccessDenied", "s3:PutAccountPublicAccessBlock")
	_, err = get(s.s3control(consumer))
	wantCode(t, err, "AccessDenied", "")
	if _, err := c.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: str(owner)}); err != nil {
		t.Fatal(err)
	}
	_, err = get(c)
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", "")
}

// The stricter one of account and bucket counts: a public policy is refused,
// and one that is there closes the bucket to other accounts.
func TestAccountBlocksPublicBuckets(t *testing.T) {
	s := openShare(t)
	ctx, c := t.Context(), s.s3(owner)
	public := policyOf(statement("Allow", readerJSON, "s3:GetObject", sharedARN+"/*"), statement("Allow", `"*"`, "s3:GetObject", sharedARN+"/public/*"))
	if _, err := c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: aws.String("shared")}); err != nil {
		t.Fatal(err)
	}
	block := func(policy, restrict bool) {
		t.Helper()
		must(s.s3control(owner).PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: str(owner), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicPolicy: &policy, RestrictPublicBuckets: &restrict,
		}}))(t)
	}
	block(true, false)
	wantCode(t, putPolicy(c, "shared", public)(ctx), "AccessDenied", "BlockPublicPolicy")
	block(false, false)
	wantCode(t, putPolicy(c, "shared", public)(ctx), "", "")
	wantCode(t, getShared(s.reader(t))(ctx), "", "")
	block(false, true)
	wantCode(t, getShared(s.reader(t))(ctx), "AccessDenied", "")
	wantCode(t, getShared(c)(ctx), "", "")
	must(s.s3control(owner).DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: str(owner)}))(t)
	wantCode(t, getShared(s.reader(t))(ctx), "", "")
}
