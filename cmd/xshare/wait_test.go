package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// sleeper is a clock that moves only when somebody sleeps, and by what a try
// takes.
type sleeper struct {
	now    time.Time
	pauses []time.Duration
}

func (c *sleeper) Now() time.Time { return c.now }

func (c *sleeper) Sleep(ctx context.Context, d time.Duration) error {
	c.pauses = append(c.pauses, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// attempts is good from its nth try on; 0: never.
type attempts struct {
	clock *sleeper
	takes time.Duration
	good  int
	stop  func(n int)
	err   error

	n    int
	last bool
}

func (a *attempts) try(_ context.Context, last bool) (bool, error) {
	a.n++
	a.last = last
	a.clock.now = a.clock.now.Add(a.takes)
	if a.stop != nil {
		a.stop(a.n)
	}
	return a.good == 0 || a.n < a.good, a.err
}

func TestWait(t *testing.T) {
	const s = time.Second
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		off      bool
		patience time.Duration
		try      attempts
		want     waited
		last     bool // the last try knew that it was
		err      error
	}{
		"good at once":              {patience: 30 * s, try: attempts{good: 1}, want: waited{tries: 1}},
		"good at the third":         {patience: 30 * s, try: attempts{good: 3}, want: waited{tries: 3, took: 1500 * time.Millisecond}},
		"tries take time, too":      {patience: 30 * s, try: attempts{good: 3, takes: s}, want: waited{tries: 3, took: 4500 * time.Millisecond}},
		"never good":                {patience: 10 * s, try: attempts{}, want: waited{tries: 6, took: 10 * s, gaveUp: true}, last: true},
		"pauses grow to an end":     {patience: time.Minute, try: attempts{}, want: waited{tries: 11, took: time.Minute, gaveUp: true}, last: true},
		"one try is longer":         {patience: s, try: attempts{takes: 3 * s}, want: waited{tries: 2, took: 6 * s, gaveUp: true}, last: true},
		"off":                       {off: true, try: attempts{}, want: waited{tries: 1, gaveUp: true}, last: true},
		"an error ends it":          {patience: s, try: attempts{err: boom}, want: waited{tries: 1, gaveUp: true}, err: boom},
		"good just before the end":  {patience: 2 * s, try: attempts{good: 4}, want: waited{tries: 4, took: 2 * s}, last: true},
		"an interrupt ends a pause": {patience: 30 * s, try: attempts{stop: func(int) {}}, want: waited{tries: 2, took: 500 * time.Millisecond, gaveUp: true}, err: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			clock := &sleeper{now: time.Unix(0, 0)}
			tt.try.clock = clock
			if tt.try.stop != nil {
				tt.try.stop = func(n int) {
					if n == 2 {
						cancel()
					}
				}
			}
			got, err := (&wait{on: !tt.off, patience: tt.patience, clock: clock}).until(ctx, &tt.try)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%+v, %v; want %+v, %v; pauses %v", got, err, tt.want, tt.err, clock.pauses)
			}
			if tt.try.last != tt.last {
				t.Errorf("the last try was told that it is the last: %v", tt.try.last)
			}
			for _, p := range clock.pauses {
				if p > longestPause {
					t.Errorf("a pause of %s", p)
				}
			}
		})
	}
}
