package awslive

import (
	"context"
	"math/rand/v2"
	"time"
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

// again calls f until it succeeds, fails for good, or patience has passed. The
// pauses grow from half a second to ten.
func (c *Client) again(ctx context.Context, patience time.Duration, retry func(error) bool, f func() error) error {
	deadline := c.options.Clock.Now().Add(patience)
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := f()
		if err == nil || ctx.Err() != nil || !retry(err) || c.options.Clock.Now().Add(pause).After(deadline) {
			return err
		}
		if c.options.Clock.Sleep(ctx, jitter(pause)) != nil {
			return err
		}
	}
}

// jitter is d, a fifth more or less, so that many who wait do not come back at once.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}
