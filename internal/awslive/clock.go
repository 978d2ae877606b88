package awslive

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
)

// Clock is the time, for all waiting of a Client.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or the context's error when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

type wallClock struct{}

// WallClock is the real time.
func WallClock() Clock { return wallClock{} }

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How long what AWS has not heard of yet is waited for. In public reports the
// worst were 60 s for a new role and 35 s for a new instance profile.
const propagation = 2 * time.Minute

// patienceUntold is how long something is waited for without a word.
const patienceUntold = 5 * time.Second

// again calls f until it succeeds, fails for good, or patience has passed. The
// pauses grow from half a second to ten.
func (c *Client) again(ctx context.Context, patience time.Duration, retry func(error) bool, f func() error) error {
	return c.await(ctx, patience, awaited, retry, f)
}

// await is again, with its own words for what an error makes wait for: they
// follow "waiting until".
func (c *Client) await(ctx context.Context, patience time.Duration, until func(error) string, retry func(error) bool, f func() error) error {
	start := c.options.Clock.Now()
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := f()
		now := c.options.Clock.Now()
		if err == nil || ctx.Err() != nil || !retry(err) || now.Add(pause).After(start.Add(patience)) {
			return err
		}
		if waited := now.Sub(start); waited >= patienceUntold {
			executor.TellWaiting(ctx, executor.Waiting{For: until(err), SoFar: waited, AtMost: patience})
		}
		if c.options.Clock.Sleep(ctx, jitter(pause)) != nil {
			return err
		}
	}
}

// awaited is what an error makes wait for, as far as the error tells.
func awaited(err error) string {
	switch {
	case errors.Is(err, errUnsettled):
		return "what was written can be read back"
	case isInvalidPrincipal(err):
		if named, ok := namedPrincipal(err); ok {
			return serviceOf(err) + " knows " + nounOf(named.name)
		}
		return serviceOf(err) + " knows the roles that the policy names"
	case isUnseenProfile(err):
		return "EC2 knows the instance profile"
	case isCode(err, "NoSuchEntity", "NoSuchBucket", "InvalidInstanceID.NotFound"):
		return serviceOf(err) + " knows what was made a moment ago"
	case isCode(err, "IncorrectInstanceState", "IncorrectState"):
		return "the instance is in a state that allows it"
	case isCode(err, "DeleteConflict"):
		return serviceOf(err) + " sees that nothing holds on to it any more"
	}
	return serviceOf(err) + " takes it (" + cmp.Or(codeOf(err), "no answer") + " so far)"
}

// serviceOf is the service that a failed call was for, as people know it.
func serviceOf(err error) string {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Service()
	}
	return "AWS"
}

// nounsOf are ARNs as people know them, such as "role reader".
func nounsOf(arns ...string) string {
	var nouns []string
	for _, arn := range arns {
		nouns = append(nouns, nounOf(arn))
	}
	return strings.Join(nouns, " and ")
}

func nounOf(arn string) string {
	a := iampolicy.CutARN(arn)
	kind, rest, ok := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "s3" && !ok:
		return "bucket " + kind
	case a.Service == "iam" && ok:
		return strings.ReplaceAll(kind, "-", " ") + " " + rest[strings.LastIndex(rest, "/")+1:]
	}
	return arn
}

// jitter is d, a fifth more or less, so that many who wait do not come back at once.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}
