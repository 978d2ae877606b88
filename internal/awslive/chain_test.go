package awslive

import (
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// doer is an HTTP client of the SDK.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// What net/http does after a body's stated length, look for more, finds the end
// and no error, though the answer was there first and the SDK has closed the
// body.
func TestBodyAfterAnswer(t *testing.T) {
	b := onSandbox(t)
	var bodies []io.Reader
	cfg := b.client(t).chain(aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(b.endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(owner, "secret", ""),
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			bodies = append(bodies, r.Body)
			return http.DefaultClient.Do(r)
		}),
	}, owner)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	must(t, err)
	if len(bodies) != 1 {
		t.Fatalf("%d requests were sent", len(bodies))
	}
	if n, err := io.Copy(io.Discard, bodies[0]); n != 0 || err != nil {
		t.Errorf("%d bytes more, error %v", n, err)
	}
}
