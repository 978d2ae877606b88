package executor

import (
	"context"
	"time"
)

// Waiting is what a Doer waits for in the middle of a change, such as that all
// of AWS has heard of a role that was made a moment ago.
type Waiting struct {
	For    string        // in words that follow "until", such as "IAM knows role reader"
	SoFar  time.Duration // waited until now
	AtMost time.Duration // after which it is given up
}

type waitingKey struct{}

// TellWaiting tells whoever had the change done what its Doer waits for; ctx is
// the one that Do was called with. Where nobody wants to know it does nothing.
func TellWaiting(ctx context.Context, w Waiting) {
	if tell, ok := ctx.Value(waitingKey{}).(func(Waiting)); ok {
		tell(w)
	}
}

// WithWaiting makes a context for Doer.Do that has what it waits for told to
// tell, on the goroutine that waits.
func WithWaiting(ctx context.Context, tell func(Waiting)) context.Context {
	return context.WithValue(ctx, waitingKey{}, tell)
}
