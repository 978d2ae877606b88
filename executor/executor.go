// Package executor reads live accounts for a plan and carries changes out:
// every account at once, each change after those that it needs. It knows AWS
// only through Observer and Doer, and tells what happens through events.
package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/xshare/xshare/plan"
)

// Observer reads one account.
type Observer interface {
	// Observe reads what want names. It never writes. A read that fails is no
	// error of Observe: it is a ReadFailure in the snapshot, whose scope says
	// what stays unknown, so that one denied read hides nothing else. Only a
	// cancelled context makes it return an error, and a *CallerError. Absent
	// means that AWS said so (NoSuchEntity, NoSuchBucketPolicy, not in a
	// complete list).
	Observe(ctx context.Context, want plan.Want) (*plan.Snapshot, error)
}

// Doer carries out one change in one account.
type Doer interface {
	// Do brings the resource to change.Want (Delete: to absence) and returns
	// when AWS has confirmed it. It may be called again for a change that is
	// half done or done, and then finishes it without harm. It retries
	// throttling, conflicts and the propagation of what this run has made, and
	// returns an *APIError when it gives up; what it waits for, if it takes
	// long, it says by TellWaiting. For a bucket policy it reads the
	// document anew, merges change.Want.Ours into what is there now, writes,
	// reads back and compares.
	Do(ctx context.Context, change *plan.Change) (Done, error)
}

// Done is what a Doer did.
type Done struct {
	ID        string   // of an instance that was launched
	RequestID string   // of the last write
	Writes    int      // calls that changed something; 0: it was already so
	Notes     []string // what a person should know, e.g. the image that was chosen
}

// APIError is a failed call, with all that a person needs to find it.
type APIError struct {
	Account   string
	Region    string
	Service   string // "iam"
	Operation string // "CreateRole"
	Resource  string // what it was about, such as a name or ARN
	Code      string // AWS's error code; empty when there was no answer
	RequestID string
	Mend      string // how to mend it; may be empty
	Err       error
}

// Error says what failed, where, and AWS's own words.
func (e *APIError) Error() string {
	where := e.Account
	if e.Region != "" {
		where += " " + e.Region
	}
	s := where + ": " + e.What()
	if e.Mend != "" {
		s += ": " + e.Mend
	}
	return s
}

// What is the call and AWS's own words, for whoever tells the account and the
// mend beside it.
func (e *APIError) What() string {
	if e.Operation == "" { // nothing was called
		return fmt.Sprintf("%s: %v", e.Resource, e.Err)
	}
	return fmt.Sprintf("%s:%s on %s: %v", e.Service, e.Operation, e.Resource, e.Err)
}

// Unwrap returns the cause.
func (e *APIError) Unwrap() error { return e.Err }

// CallerError is that an account could not be begun with for a reason that lies
// with the caller and not with that account: there are no credentials, or
// nothing answers that would tell whose they are.
type CallerError struct{ Err error }

// Error says what is wrong with the caller.
func (e *CallerError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *CallerError) Unwrap() error { return e.Err }

// ErrInterrupted is the cause of a change that was not started, or was cut
// short, because the run was interrupted, and of a reading that was.
var ErrInterrupted = errors.New("interrupted")
