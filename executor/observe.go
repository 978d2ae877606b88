package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
)

// Observe reads all the accounts that are wanted, at most concurrency of them
// at a time, and returns a snapshot of each by account id. An account that
// cannot be read stops no other: its snapshot is a ReadFailure that covers all
// of it. An error is that ctx was cancelled, or that no account could be read,
// all for the same *CallerError: then it is said once, and no event tells it.
// What happens is told to emit, which may be nil and is called from Observe's
// own goroutine only.
func Observe(ctx context.Context, observer Observer, wants []plan.Want, concurrency int, emit func(Event)) (map[string]*plan.Snapshot, error) {
	type report struct {
		account  string
		snapshot *plan.Snapshot
		err      error
	}
	var (
		snapshots = make(map[string]*plan.Snapshot, len(wants))
		reports   = make(chan report)
		running   = 0
		finished  = 0
		refused   []report // by a CallerError, not told yet
	)
	tell := func(kind EventKind, account string, err error) {
		if emit != nil {
			emit(Event{Kind: kind, Account: account, Err: err, Finished: finished, Total: len(wants)})
		}
	}
	start := func(want plan.Want) {
		tell(EventReading, want.Account, nil)
		running++
		go func() {
			// Sent even if the Observer ends its goroutine.
			r := report{account: want.Account}
			defer func() { reports <- r }()
			r.err = guard(func() (err error) {
				r.snapshot, err = observer.Observe(ctx, want)
				return err
			})
		}()
	}

	for next := 0; ; {
		for ; next < len(wants) && running < max(concurrency, 1) && ctx.Err() == nil; next++ {
			start(wants[next])
		}
		if running == 0 {
			break
		}
		r := <-reports
		running--
		finished++
		if r.err != nil || r.snapshot == nil {
			r.snapshot = unread(r.account, r.err)
		}
		snapshots[r.account] = r.snapshot
		if _, ok := errors.AsType[*CallerError](r.err); ok && ctx.Err() == nil {
			refused = append(refused, r)
			continue
		}
		if ctx.Err() != nil {
			tell(EventRead, r.account, nil) // it was cut short, which is no fault of the account
			continue
		}
		tell(EventRead, r.account, failure(r.snapshot))
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading the accounts was %w: %w", ErrInterrupted, err)
	}
	other := func(r report) bool { return r.err.Error() != refused[0].err.Error() }
	if len(refused) > 0 && len(refused) == len(wants) && !slices.ContainsFunc(refused, other) {
		return nil, fmt.Errorf("no account can be read: %w", refused[0].err)
	}
	for _, r := range refused {
		tell(EventRead, r.account, failure(r.snapshot))
	}
	return snapshots, nil
}

// unread is the snapshot of an account of which nothing is known.
func unread(account string, err error) *plan.Snapshot {
	if err == nil {
		err = errors.New("it ended without an answer")
	}
	f := plan.ReadFailure{Scope: plan.ScopeAccount, Message: err.Error()}
	if api, ok := errors.AsType[*APIError](err); ok {
		f.Code, f.Message, f.Mend = api.Code, api.What(), api.Mend
	}
	return &plan.Snapshot{Account: account, Failures: []plan.ReadFailure{f}}
}

// failure is all that could not be read of an account as one error, or nil.
// The messages say what was read; only a region is not always in them.
func failure(s *plan.Snapshot) error {
	var errs []error
	for _, f := range s.Failures {
		text := f.Message
		if scope, region, ok := strings.Cut(f.Scope, "/"); ok && (scope+"/" == plan.ScopeEC2 || scope+"/" == plan.ScopeTags) {
			text = region + ": " + text
		}
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}
