package campaign

import (
	"context"
	"sync"
	"testing"
	"time"
)

// clock makes waiting instant: as soon as nobody does anything but wait, or a
// moment later, it is the time that the first of those who wait waits for. So
// those who wait at the same time wait together, as on a real clock.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []waiter
}

type waiter struct {
	until time.Time
	woken chan struct{}
}

// moment is how long, in real time, the others have to begin waiting too.
const moment = 300 * time.Microsecond

func newClock(t testing.TB) *clock {
	c := &clock{now: time.Now()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		ticker := time.NewTicker(moment)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				c.advance()
			}
		}
	}()
	return c
}

// advance moves to the time that the first waits for.
func (c *clock) advance() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return
	}
	first := c.waiting[0].until
	for _, w := range c.waiting {
		if w.until.Before(first) {
			first = w.until
		}
	}
	c.now = first
	var rest []waiter
	for _, w := range c.waiting {
		if w.until.After(first) {
			rest = append(rest, w)
			continue
		}
		close(w.woken)
	}
	c.waiting = rest
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	woken := make(chan struct{})
	c.mu.Lock()
	c.waiting = append(c.waiting, waiter{c.now.Add(d), woken})
	c.mu.Unlock()
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
