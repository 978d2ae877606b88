package sandbox

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The accounts of the tests: the owner's and the consumer's.
const (
	owner    = "111111111111"
	consumer = "222222222222"
)

// testServer is a sandbox over HTTP that ends with the test.
type testServer struct {
	*Server
	url string
}

func start(t *testing.T, o Options) testServer {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return testServer{s, h.URL}
}

// config is an SDK configuration with the keys of an account's administrator,
// or of a session, that does not retry.
func (s testServer) config(key string, secretToken ...string) aws.Config {
	secret, token := "any", ""
	if len(secretToken) == 2 {
		secret, token = secretToken[0], secretToken[1]
	}
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (s testServer) sts(key string, secretToken ...string) *sts.Client {
	return sts.NewFromConfig(s.config(key, secretToken...))
}

func (s testServer) iam(key string, secretToken ...string) *iam.Client {
	return iam.NewFromConfig(s.config(key, secretToken...))
}

func TestAdministratorIdentity(t *testing.T) {
	s := start(t, Options{})
	out, err := s.sts(owner).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.Arn, "arn:aws:iam::111111111111:user/admin"; got != want {
		t.Errorf("ARN %s, want %s", got, want)
	}
}
