package main

import (
	"context"
	"fmt"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
)

// How long --wait waits: IAM's changes are mostly seen within seconds, at worst
// within a minute or so.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
const (
	defaultWait  = 2 * time.Minute
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
)

// wait repeats something until it is so, or for as long as patience lasts. Where
// it is not on, it is tried once.
type wait struct {
	on       bool
	patience time.Duration
	clock    awslive.Clock
}

// waited is how a wait went.
type waited struct {
	took   time.Duration // to the end of the last try
	tries  int
	gaveUp bool
}

// tried is what a wait repeats.
type tried interface {
	// try reports whether another try could find something better. last: there
	// will be none.
	try(ctx context.Context, last bool) (waitable bool, err error)
}

// until tries again, with pauses that double, as long as that can help. The
// error is the try's, or that of the interrupted pause.
func (w *wait) until(ctx context.Context, t tried) (waited, error) {
	start := w.clock.Now()
	for n, pause := 1, firstPause; ; n, pause = n+1, min(2*pause, longestPause) {
		left := w.patience - w.clock.Now().Sub(start)
		last := !w.on || left <= 0
		waitable, err := t.try(ctx, last)
		done := waited{took: w.clock.Now().Sub(start), tries: n, gaveUp: waitable}
		if err != nil || !waitable || last {
			return done, err
		}
		// The last try is at the end of the time, not before.
		if err := w.clock.Sleep(ctx, max(0, min(pause, w.patience-done.took))); err != nil {
			return done, fmt.Errorf("waiting for what is denied was %w: %w", executor.ErrInterrupted, err)
		}
	}
}
