package awslive

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The calls a second that an account and service gets at first. AWS throttles
// IAM's reads near 15/s an API, shared with everybody else in the account; one
// apply spreads its calls over several APIs.
var startRates = map[string]float64{"iam": 40, "s3": 100, "ec2": 20, "sts": 50, "tagging": 10, "kms": 20, "organizations": 4, "s3control": 10, "ssm": 10}

const (
	loopbackRate = 2000 // an emulator on this machine shares its rate with nobody
	slowestRate  = 1
)

// limits are the token buckets, by account and service.
type limits struct {
	clock Clock

	mu      sync.Mutex
	buckets map[string]*bucket
}

func newLimits(clock Clock) *limits {
	return &limits{clock: clock, buckets: map[string]*bucket{}}
}

// bucket returns the token bucket of an account and service.
func (l *limits) bucket(account, service string, loopback bool) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := account + "/" + service
	b := l.buckets[key]
	if b == nil {
		start := startRates[service]
		if loopback {
			start = loopbackRate
		}
		b = newBucket(l.clock, start)
		l.buckets[key] = b
	}
	return b
}

// bucket is one token bucket: halved when AWS throttles, and recovering by a
// tenth of its first rate every second without.
type bucket struct {
	clock Clock
	first rate.Limit

	mu      sync.Mutex
	tokens  *rate.Limiter
	changed time.Time
}

func newBucket(clock Clock, perSecond float64) *bucket {
	limit := max(rate.Limit(perSecond), slowestRate)
	return &bucket{clock: clock, first: limit, tokens: rate.NewLimiter(limit, int(limit))}
}

// wait takes a token, as soon as there is one.
func (b *bucket) wait(ctx context.Context) error {
	b.mu.Lock()
	now := b.clock.Now()
	r := b.tokens.ReserveN(now, 1)
	b.mu.Unlock()
	return b.clock.Sleep(ctx, r.DelayFrom(now))
}

// answered tells the bucket of an answer. Many throttled answers within one
// second count as one: they are about the rate before it was halved.
func (b *bucket) answered(throttled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if now.Sub(b.changed) < time.Second {
		return
	}
	limit := b.tokens.Limit()
	switch {
	case throttled:
		limit = max(limit/2, slowestRate)
		// What was saved up would only be throttled again.
		b.tokens.SetBurstAt(now, max(1, int(limit)))
	case limit < b.first:
		limit = min(limit+b.first/10, b.first)
		b.tokens.SetBurstAt(now, int(limit))
	default:
		return
	}
	b.tokens.SetLimitAt(now, limit)
	b.changed = now
}
