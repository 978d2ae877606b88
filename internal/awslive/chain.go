package awslive

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	maxAttempts  = 8
	longestPause = 20 * time.Second
)

// progress is what one operation has come to: how many attempts it took.
type progress struct {
	attempts  int
	throttled int
	pause     time.Duration // before the next attempt
}

type progressKey struct{}

// tally gathers the writes that are made with its context.
type tally struct {
	writes    int
	requestID string
}

type tallyKey struct{}

// repeatKey marks the context of a further attempt that is not the SDK's own.
type repeatKey struct{}

// chain gives a configuration what every call of an account goes through.
func (c *Client) chain(cfg aws.Config, account string) aws.Config {
	cfg = cfg.Copy()
	renewing := &sync.Mutex{}
	cfg.Retryer = newRetryer
	cfg.RetryMaxAttempts = 0
	cfg.RetryMode = ""
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)],
		awsmiddleware.AddUserAgentKeyValue("xshare", c.options.Version),
		func(stack *middleware.Stack) error {
			if err := c.count(stack, account); err != nil {
				return err
			}
			if err := hideWriteTo(stack); err != nil {
				return err
			}
			return c.pace(stack, account, cfg, renewing)
		})
	if c.options.ReadOnly {
		cfg.APIOptions = append(cfg.APIOptions, guardReads)
	}
	return cfg
}

// newRetryer decides what is tried again; pace does the waiting. Conflicts end
// by themselves. There is no quota of retries: the token buckets slow all down
// long before that. Expired credentials are renewed by then.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		// What hands out credentials was asked often enough.
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if isWithoutCredentials(err) {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})}, o.Retryables...)
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{
			"TooManyRequests": {}, "Throttled": {},
			"OperationAborted": {}, "ConcurrentModification": {}, "EntityTemporarilyUnmodifiable": {},
			"ExpiredToken": {}, "ExpiredTokenException": {}, "RequestExpired": {},
		}})
	})
}

// count adds each operation to the statistics, and each write to the tally of
// its context.
func (c *Client) count(stack *middleware.Stack, account string) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("xshare.Count",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			p := &progress{}
			out, metadata, err := next.HandleInitialize(middleware.WithStackValue(ctx, progressKey{}, p), in)
			name := operationName(ctx)
			switch {
			case p.attempts > 0 && ctx.Value(repeatKey{}) != nil && !isRead(name):
				c.options.Stats.again(p.throttled)
			case p.attempts > 0:
				c.options.Stats.operation(countedFor(account, out.Result), name, p.attempts, p.throttled)
			}
			if t, ok := ctx.Value(tallyKey{}).(*tally); ok && err == nil && !isRead(name) {
				t.writes++
				t.requestID, _ = awsmiddleware.GetRequestIDMetadata(metadata)
			}
			return out, metadata, err
		}), middleware.Before)
}

// hideWriteTo sends each body as one that can only be read. An answer may come
// before net/http has looked whether the body goes on; the SDK has closed it by
// then, the WriteTo of a closed body returns io.EOF as an error, and net/http
// closes the connection under the answer of a call that was carried out
// (https://github.com/aws/aws-sdk-go-v2/issues/1825).
func hideWriteTo(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("xshare.HideWriteTo",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			req, isHTTP := in.Request.(*smithyhttp.Request)
			if !isHTTP {
				return next.HandleBuild(ctx, in)
			}
			if body, ok := req.GetStream().(io.ReadSeeker); ok {
				var err error
				if in.Request, err = req.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
					return middleware.BuildOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
}

// countedFor is the account to count under. Who the caller is, is known only
// from the answer.
func countedFor(account string, result any) string {
	if id, ok := result.(*sts.GetCallerIdentityOutput); ok && id != nil {
		return aws.ToString(id.Account)
	}
	if account == "" {
		return "unknown"
	}
	return account
}

// pace holds each attempt back: until its pause after a failure has passed,
// and until the account and service have a token for it.
func (c *Client) pace(stack *middleware.Stack, account string, cfg aws.Config, renewing *sync.Mutex) error {
	throttle := retry.IsErrorThrottles(append([]retry.IsErrorThrottle{
		retry.ThrottleErrorCode{Codes: map[string]struct{}{"TooManyRequests": {}, "Throttled": {}}},
	}, retry.DefaultThrottles...))
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("xshare.Pace",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			p, _ := middleware.GetStackValue(ctx, progressKey{}).(*progress)
			if p == nil {
				p = &progress{}
			}
			service, _, _ := strings.Cut(operationName(ctx), ":")
			tokens := c.limits.bucket(account, service, isLoopback(aws.ToString(cfg.BaseEndpoint)))
			if err := c.options.Clock.Sleep(ctx, p.pause); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, &aws.RequestCanceledError{Err: err}
			}
			if err := tokens.wait(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, &aws.RequestCanceledError{Err: err}
			}
			p.attempts++
			out, metadata, err := next.HandleFinalize(ctx, in)
			throttled := throttle.IsErrorThrottle(err).Bool()
			if throttled {
				p.throttled++
			}
			tokens.answered(throttled)
			if err != nil {
				p.pause = pauseAfter(p.attempts, throttled)
				if isExpired(err) {
					renew(ctx, renewing, cfg.Credentials, in.Request)
				}
			}
			return out, metadata, err
		}), "Retry", middleware.After)
}

// renew drops the credentials that a request was signed with, so that the next
// attempt gets new ones. Of many requests that find them expired, the first
// drops them.
func renew(ctx context.Context, mu *sync.Mutex, provider aws.CredentialsProvider, request any) {
	cache, isCache := provider.(*aws.CredentialsCache)
	req, isHTTP := request.(*smithyhttp.Request)
	if !isCache || !isHTTP {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	now, err := cache.Retrieve(ctx)
	if err == nil && strings.Contains(req.Header.Get("Authorization"), "="+now.AccessKeyID+"/") {
		cache.Invalidate()
	}
}

// pauseAfter is the pause after so many failed attempts: any time up to a
// limit that doubles, from a tenth of a second, or one when throttled.
func pauseAfter(attempts int, throttled bool) time.Duration {
	limit := 100 * time.Millisecond
	if throttled {
		limit = time.Second
	}
	for range attempts - 1 {
		limit = min(2*limit, longestPause)
	}
	return limit/4 + rand.N(limit*3/4)
}

// isLoopback reports whether an endpoint is on this machine.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// isExpired reports whether an error says that credentials have expired.
func isExpired(err error) bool {
	switch codeOf(err) {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return true
	}
	return false
}
