package executor

import (
	"time"

	"github.com/xshare/xshare/plan"
)

// EventKind is what an event tells.
type EventKind string

// The kinds of events.
const (
	EventReading  EventKind = "reading" // an account is being read
	EventRead     EventKind = "read"    // an account was read, Err tells of a failure
	EventStarted  EventKind = "started" // a write has begun
	EventWaiting  EventKind = "waiting" // a write waits for AWS, for longer than usual
	EventDone     EventKind = "done"
	EventPartial  EventKind = "partial" // a step with parts of which some are blocked
	EventFailed   EventKind = "failed"
	EventBlocked  EventKind = "blocked"    // not run, because what it needs failed
	EventNotRun   EventKind = "notStarted" // not run, because the run was interrupted
	EventStopping EventKind = "stopping"   // the run was interrupted; what is in flight ends
)

// Event is one thing that happened; views fold events.
type Event struct {
	Kind     EventKind
	Account  string
	Change   *plan.Change  // as planned; nil for EventReading, EventRead, EventStopping
	Phase    Phase         // of the write that it tells of
	Err      error         // of EventFailed and EventRead; ErrInterrupted of EventNotRun, and of EventPartial if that is why
	Blocked  []string      // ids of the root causes, of EventBlocked and EventPartial
	Done     Done          // of a finished write
	Duration time.Duration // of a finished write
	Waiting  Waiting       // of EventWaiting
	Finished int           // changes settled so far (accounts, of EventReading and EventRead), and
	Total    int           // in all; unchanged ones do not count
}

// ends reports whether the event settles a change.
func (e Event) ends() bool {
	switch e.Kind {
	case EventDone:
		return e.Phase != PhaseClose
	case EventPartial, EventFailed, EventBlocked, EventNotRun:
		return true
	}
	return false
}

// Phase tells a bucket policy's first write, of what it loses, from the
// second, of what it gains.
type Phase string

// The phases. A change that is one write has none.
const (
	PhaseWhole Phase = ""
	PhaseClose Phase = "close"
	PhaseOpen  Phase = "open"
)
