package awslive

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The account's clients of services that only proofs and probes use, which is
// seldom enough not to keep them. The session must be ready.

func (s *session) kms(region string) *kms.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return kms.NewFromConfig(s.cfg, func(o *kms.Options) {
		if o.Region = region; region == "" {
			o.Region = s.region()
		}
	})
}

func (s *session) organizations() *organizations.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return organizations.NewFromConfig(s.cfg, func(o *organizations.Options) { o.Region = s.region() })
}

func (s *session) ssm(region string) *ssm.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ssm.NewFromConfig(s.cfg, func(o *ssm.Options) { o.Region = region })
}

// s3control is S3's service for whole accounts, whose id the SDK puts into the
// host's name. An emulator has no such names; it goes by the header.
func (s *session) s3control() *s3control.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s3control.NewFromConfig(s.cfg, func(o *s3control.Options) {
		o.Region = s.region()
		o.APIOptions = append(o.APIOptions, namedFirst)
		if host := emulatorHost(aws.ToString(o.BaseEndpoint)); host != "" {
			o.APIOptions = append(o.APIOptions, toHost(host))
		}
	})
}

// namedFirst puts what names the operation before what goes by its name: this
// one client of the SDK names it in its stack only.
func namedFirst(stack *middleware.Stack) error {
	m, err := stack.Initialize.Remove("RegisterServiceMetadata")
	if err != nil {
		return err
	}
	return stack.Initialize.Add(m, middleware.Before)
}

// emulatorHost is the host of an endpoint that is not one of AWS's; empty for
// those.
func emulatorHost(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || strings.HasSuffix(u.Hostname(), ".amazonaws.com") || strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn") {
		return ""
	}
	return u.Host
}

// toHost sends requests to a host, before they are signed.
func toHost(host string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("xshare.Host",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				if req, ok := in.Request.(*smithyhttp.Request); ok {
					req.URL.Host = host
				}
				return next.HandleFinalize(ctx, in)
			}), "ResolveEndpointV2", middleware.After)
	}
}
