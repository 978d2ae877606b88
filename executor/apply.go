package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xshare/xshare/plan"
)

// Apply carries the changes out, each after those that it waits for (see
// Schedule), with at most concurrency writes at a time. When stop is closed it
// starts no more and ends what is in flight; when ctx is cancelled it cancels
// that too. It returns when no Doer is at work any more. What happens is told
// to emit, which may be nil and is called from Apply's own goroutine only.
//
// A change ends with one event of its status. The first of a bucket policy's
// two writes has an EventDone of its own before that, with PhaseClose.
func Apply(ctx context.Context, stop <-chan struct{}, doer Doer, changes *plan.Changes, concurrency int, emit func(Event)) *Result {
	type report struct {
		task    *Task
		outcome Outcome
	}
	type wait struct {
		task    *Task
		waiting Waiting
	}
	var (
		s       = NewSchedule(changes)
		tell    = newTeller(s, changes, emit)
		reports = make(chan report)
		waits   = make(chan wait)
		ended   = make(chan struct{})
		running = 0
		done    = ctx.Done()
	)
	defer close(ended)
	interrupt := func() {
		stop, done = nil, nil
		tell.emit(Event{Kind: EventStopping})
		s.Stop()
		tell.settled(nil, Outcome{})
	}
	start := func(t *Task) {
		tell.started(t)
		running++
		go func() {
			// Sent even if the Doer ends its goroutine.
			r := report{t, Outcome{Err: errors.New("it ended without an answer")}}
			defer func() { reports <- r }()
			r.outcome = carryOut(WithWaiting(ctx, func(w Waiting) {
				select {
				case waits <- wait{t, w}:
				case <-ended: // of a Doer that left something running behind
				}
			}), doer, t.Change)
		}()
	}

	tell.settled(nil, Outcome{})
	for {
		// Asked first, so that an interruption starts nothing more.
		select {
		case <-stop:
			interrupt()
		case <-done:
			interrupt()
		default:
		}
		for running < max(concurrency, 1) {
			t := s.Next()
			tell.settled(nil, Outcome{})
			if t == nil {
				break
			}
			start(t)
		}
		if running == 0 {
			return s.Result()
		}
		select {
		case r := <-reports:
			running--
			s.Report(r.task, r.outcome)
			tell.settled(r.task, r.outcome)
		case w := <-waits:
			tell.waiting(w.task, w.waiting)
		case <-stop:
			interrupt()
		case <-done:
			interrupt()
		}
	}
}

// carryOut has the Doer do one change. One that was cut short says so.
func carryOut(ctx context.Context, doer Doer, change *plan.Change) Outcome {
	var o Outcome
	begun := time.Now()
	o.Err = guard(func() (err error) {
		o.Done, err = doer.Do(ctx, change)
		return err
	})
	o.Duration = time.Since(begun)
	if o.Err != nil && ctx.Err() != nil && errors.Is(o.Err, ctx.Err()) {
		o.Err = fmt.Errorf("%w: what was in flight may or may not be done: %w", ErrInterrupted, o.Err)
	}
	return o
}

// teller makes events of what the schedule does.
type teller struct {
	schedule *Schedule
	emit     func(Event)
}

func newTeller(s *Schedule, changes *plan.Changes, emit func(Event)) *teller {
	finished, total := 0, 0
	for _, c := range changes.Steps {
		if c.Differs() {
			total++
		}
	}
	return &teller{s, func(e Event) {
		if e.ends() {
			finished++
		}
		e.Finished, e.Total = finished, total
		if emit != nil {
			emit(e)
		}
	}}
}

func (t *teller) started(task *Task) {
	c := task.item.change
	t.emit(Event{Kind: EventStarted, Account: c.Account, Change: c, Phase: task.Phase})
}

func (t *teller) waiting(task *Task, w Waiting) {
	c := task.item.change
	t.emit(Event{Kind: EventWaiting, Account: c.Account, Change: c, Phase: task.Phase, Waiting: w})
}

// settled tells what came of the task, if any, and of all that was settled
// through it.
func (t *teller) settled(task *Task, o Outcome) {
	var own *plan.Change
	if task != nil {
		own = task.item.change
		if task.Phase == PhaseClose && o.Err == nil {
			t.emit(Event{
				Kind: EventDone, Account: own.Account, Change: own, Phase: PhaseClose,
				Done: o.Done, Duration: o.Duration,
			})
			// The write is told of; the change, if settled too, is so without another.
			task, own = nil, nil
		}
	}
	for _, r := range t.schedule.Settled() {
		kind, differs := eventOf[r.Status]
		if !differs {
			continue
		}
		e := Event{Kind: kind, Account: r.Change.Account, Change: r.Change, Err: r.Err, Blocked: r.BlockedBy}
		if r.Change == own {
			e.Phase, e.Done, e.Duration = task.Phase, o.Done, o.Duration
		}
		t.emit(e)
	}
}

// eventOf is the event that ends a change of a status; an unchanged one has none.
var eventOf = map[Status]EventKind{
	StatusDone:       EventDone,
	StatusPartial:    EventPartial,
	StatusFailed:     EventFailed,
	StatusBlocked:    EventBlocked,
	StatusNotStarted: EventNotRun,
}
