package executor

import (
	"time"

	"github.com/xshare/xshare/plan"
)

// Status is what became of a change, or of one part of it.
type Status string

// The statuses.
const (
	StatusUnchanged  Status = "unchanged"  // there was nothing to do
	StatusDone       Status = "done"       // AWS confirmed it
	StatusPartial    Status = "partial"    // written, but some parts were left out
	StatusFailed     Status = "failed"     // it was tried, or the plan says that it cannot be done
	StatusBlocked    Status = "blocked"    // not tried, because what it needs failed
	StatusNotStarted Status = "notStarted" // not tried, because the run was interrupted
)

// Result is what became of every change of a plan.
type Result struct {
	Changes     []*ChangeResult // of plan.Changes.Steps, in their order
	Summary     Summary
	Interrupted bool // the run was told to stop before everything was settled
}

// ChangeResult is what became of one change.
type ChangeResult struct {
	Change *plan.Change
	Status Status
	// Err is why it failed; ErrInterrupted where it was not started, or its
	// second write was not.
	Err error
	// BlockedBy are the ids of the failed changes that keep it, or some parts
	// of it, from being done: the root causes, never what they blocked in
	// between. Sorted.
	BlockedBy []string
	Parts     []PartResult  // of Change.Parts, in their order
	Done      Done          // of all its writes together
	Duration  time.Duration // spent in its writes
}

// PartResult is what became of one part. A part whose gain is blocked has lost
// what it was to lose all the same, if anything was written.
type PartResult struct {
	Share     string
	Consumer  string // account/role
	Status    Status
	BlockedBy []string
}

// Summary counts the changes by status.
type Summary struct {
	Unchanged, Done, Partial, Failed, Blocked, NotStarted int
}

func (s *Summary) add(status Status) {
	switch status {
	case StatusUnchanged:
		s.Unchanged++
	case StatusDone:
		s.Done++
	case StatusPartial:
		s.Partial++
	case StatusFailed:
		s.Failed++
	case StatusBlocked:
		s.Blocked++
	case StatusNotStarted:
		s.NotStarted++
	}
}

// and is two writes of one change as one.
func (d Done) and(next Done) Done {
	next.Writes += d.Writes
	next.Notes = append(d.Notes[:len(d.Notes):len(d.Notes)], next.Notes...)
	if next.ID == "" {
		next.ID = d.ID
	}
	if next.RequestID == "" {
		next.RequestID = d.RequestID
	}
	return next
}
