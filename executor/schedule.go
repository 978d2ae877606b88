package executor

import (
	"container/heap"
	"slices"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Schedule decides what is to be done next. It is pure: it is told what came
// of the tasks that it handed out and hands out those that may follow, the ones
// with the longest path behind them first. It is not safe for concurrent use.
//
// A change waits for its Needs and After to be settled, which is whatever
// became of them; if a need failed or is blocked, so is the change.
//
// A step with parts is one document that grants share. Each gain waits for the
// needs of its own part, and one that is blocked is left out of the write. For
// a bucket policy the premise is that a loss never waits, not even for a
// worker: if anybody has access to lose, and gains have to wait, what it loses is
// one write that needs only what the whole change needs (PhaseClose), and the
// gains are a second (PhaseOpen). So what comes After such a bucket policy
// waits for the loss alone. A consumer's side that is narrowed After the bucket
// policy, which itself gains from it, is therefore no circle.
type Schedule struct {
	changes *plan.Changes
	refused map[string][]specs.Problem // the plan's errors by step; those of reading by account, too
	items   []*item                    // in the order of the plan
	order   []*item                    // each after what it waits for
	ready   queue                      // what may be handed out
	waking  []*item                    // those to look at again, since something they wait for was settled
	settled []*ChangeResult            // those that Settled has not yet told of
	running int                        // tasks handed out and not reported
	stopped bool
}

// Task is one write.
type Task struct {
	// Change is what a Doer is to do. Of a step with parts it is a copy whose
	// Want holds the statements of this write.
	Change *plan.Change
	Phase  Phase

	item  *item
	takes []int // the parts that this write settles
}

// Outcome is what came of a task.
type Outcome struct {
	Done     Done
	Err      error
	Duration time.Duration
}

// item is a change and how far it has come.
type item struct {
	index  int
	change *plan.Change
	result *ChangeResult
	busy   bool // in the queue, or handed out

	needs  int      // needs of the whole change that are not settled
	after  int      // likewise
	rest   int      // after, and what its parts wait for
	causes []string // why the whole change is blocked
	parts  []part

	twoPhase bool // its losses do not wait for its gains
	closed   bool // the first write is done

	uponLoss    []edge // what waits for its losses only
	uponSettled []edge // what waits for all of it
	urgency     [2]int // tasks on the longest path from its first and from its last write
}

type part struct {
	waits  int      // needs and afters that are not settled
	causes []string // why it is blocked
}

// edge leads to what waits: a part of a change, or all of it.
type edge struct {
	to   *item
	part int // wholeChange, or an index
	hard bool
}

const wholeChange = -1

// NewSchedule returns a schedule of the changes. A noop is done and a change
// that the plan found impossible has failed before anything begins. What is
// needed and not among the changes counts as done.
func NewSchedule(changes *plan.Changes) *Schedule {
	s := &Schedule{changes: changes, refused: map[string][]specs.Problem{}}
	for _, p := range changes.Problems {
		if p.Severity == specs.SeverityError && p.Code != plan.CodeStaysOpen { // what follows is no cause
			s.refused[p.Step] = append(s.refused[p.Step], p)
			if p.Code == plan.CodeUnreadable { // told once for all that it covers
				s.refused[p.Account] = append(s.refused[p.Account], p)
			}
		}
	}
	byID := make(map[string]*item, len(changes.Steps))
	for i, c := range changes.Steps {
		it := newItem(i, c)
		s.items = append(s.items, it)
		byID[c.ID] = it
	}
	for _, it := range s.items {
		switch c := it.change; {
		case c.Action == plan.Noop:
			s.settle(it, StatusUnchanged, nil)
		case c.Action == plan.Error, c.Action == plan.Adopt && !changes.Options.Adopt:
			s.settle(it, StatusFailed, s.refusal(c))
		}
	}
	for _, it := range s.items {
		it.link(byID)
	}
	s.sort()
	s.waking = append(s.waking, s.items...)
	s.wake()
	return s
}

func newItem(index int, c *plan.Change) *item {
	it := &item{
		index:    index,
		change:   c,
		result:   &ChangeResult{Change: c},
		parts:    make([]part, len(c.Parts)),
		twoPhase: c.Type == plan.TypeBucketPolicy && (slices.ContainsFunc(c.Lose, letsIn) || c.Renew),
	}
	for _, p := range c.Parts {
		r := PartResult{Share: p.Share, Consumer: p.Consumer}
		switch p.Action {
		case plan.Noop:
			r.Status = StatusUnchanged
		case plan.Error:
			r.Status = StatusFailed
		}
		it.result.Parts = append(it.result.Parts, r)
	}
	return it
}

// letsIn reports whether a pair gives anybody access. The id of a deleted role
// or user does not: taking it out closes nothing, and is done with the gains in
// one write, which never leaves the bucket without its policy.
func letsIn(p iampolicy.Pair) bool { return !iampolicy.IsEntityID(p.Principal) }

// link makes the change wait for what it needs and comes after.
func (it *item) link(byID map[string]*item) {
	if it.settled() {
		return
	}
	wait := func(part int, ids []string, hard bool) {
		for _, id := range ids {
			if from := byID[id]; from != nil {
				it.waitFor(from, part, hard)
			}
		}
	}
	c := it.change
	wait(wholeChange, c.Needs, true)
	if !it.twoPhase || it.gains() {
		wait(wholeChange, c.After, false)
	}
	for i, p := range c.Parts {
		// Nothing keeps a loss from being done, and in a bucket policy it does
		// not even wait.
		gains := len(p.Gain) > 0
		if it.pending(i) && (gains || c.Type != plan.TypeBucketPolicy) {
			wait(i, p.Needs, gains)
			wait(i, p.After, false)
		}
	}
}

func (it *item) waitFor(from *item, part int, hard bool) {
	e := edge{it, part, hard}
	switch {
	case from.settled():
		e.fail(from)
		return
	case from.twoPhase && !hard:
		from.uponLoss = append(from.uponLoss, e)
	default:
		from.uponSettled = append(from.uponSettled, e)
	}
	e.count(+1)
}

// count changes by n what the end of the edge waits for.
func (e edge) count(n int) {
	switch {
	case e.part != wholeChange:
		e.to.parts[e.part].waits += n
		e.to.rest += n
	case e.hard:
		e.to.needs += n
	default:
		e.to.after += n
		e.to.rest += n
	}
}

// fail tells the end of the edge that what it needs is not there, if so.
func (e edge) fail(from *item) {
	if !e.hard {
		return
	}
	causes := &e.to.causes
	if e.part != wholeChange {
		causes = &e.to.parts[e.part].causes
	}
	switch from.result.Status {
	case StatusFailed:
		*causes = append(*causes, from.change.ID)
	case StatusBlocked:
		*causes = append(*causes, from.result.BlockedBy...)
	}
}

func (it *item) settled() bool { return it.result.Status != "" }

// pending reports whether a part has something to be done that was not yet.
func (it *item) pending(part int) bool { return it.result.Parts[part].Status == "" }

// gains reports whether any part has something to gain.
func (it *item) gains() bool {
	return slices.ContainsFunc(it.change.Parts, func(p plan.PartChange) bool { return len(p.Gain) > 0 })
}

// takes lists the parts that a write may hold now and no write held yet.
func (it *item) takes() []int {
	var list []int
	for i, p := range it.parts {
		held := it.after > 0 && len(it.change.Parts[i].Gain) > 0
		if it.pending(i) && p.waits == 0 && len(p.causes) == 0 && !held {
			list = append(list, i)
		}
	}
	return list
}

// worthWriting reports whether the next write would change anything.
func (it *item) worthWriting() bool {
	alone := len(it.change.Lose) > 0 || it.change.Renew || !it.gains()
	return alone && !it.closed || len(it.takes()) > 0
}

// Next hands out the most urgent task that may be begun, or nil if there is
// none before another outcome is reported.
func (s *Schedule) Next() *Task {
	for !s.stopped && len(s.ready) > 0 {
		it := heap.Pop(&s.ready).(*item)
		t := &Task{Phase: PhaseWhole, item: it, takes: it.takes()}
		switch {
		case it.closed:
			t.Phase = PhaseOpen
		case it.twoPhase && it.rest > 0:
			t.Phase = PhaseClose
		}
		var err error
		if t.Change, err = s.write(it, t.takes, t.Phase); err != nil {
			s.settle(it, StatusFailed, err)
			s.wake()
			continue
		}
		s.running++
		return t
	}
	return nil
}

// Report tells what came of a task that Next handed out.
func (s *Schedule) Report(t *Task, o Outcome) {
	it := t.item
	s.running--
	it.busy = false
	it.result.Done = it.result.Done.and(o.Done)
	it.result.Duration += o.Duration
	if o.Err != nil {
		s.settle(it, StatusFailed, o.Err)
	} else {
		for _, i := range t.takes {
			it.result.Parts[i].Status = StatusDone
		}
		if t.Phase == PhaseClose {
			it.closed = true
			s.release(it, &it.uponLoss)
			s.waking = append(s.waking, it)
		} else {
			s.settle(it, StatusDone, nil)
		}
	}
	s.wake()
	s.abandon()
}

// Stop hands out nothing more. When the tasks that are out have been reported,
// all else is settled as not started.
func (s *Schedule) Stop() {
	s.stopped = true
	s.abandon()
}

// Settled returns the results of the changes that were settled since it was
// last called, in the order in which they were.
func (s *Schedule) Settled() []*ChangeResult {
	list := s.settled
	s.settled = nil
	return list
}

// Result is what became of the changes; it is whole when Next returns nil and
// no task is out.
func (s *Schedule) Result() *Result {
	r := &Result{Interrupted: s.stopped}
	for _, it := range s.items {
		r.Changes = append(r.Changes, it.result)
		r.Summary.add(it.result.Status)
	}
	return r
}

// wake looks at those that something they wait for was settled of. It is a
// loop and no recursion, since chains may be long.
func (s *Schedule) wake() {
	for len(s.waking) > 0 {
		it := s.waking[0]
		s.waking = s.waking[1:]
		switch {
		case it.settled(), it.busy, it.needs > 0:
		case len(it.causes) > 0:
			s.block(it)
		case it.rest > 0 && (!it.twoPhase || it.closed):
		case it.worthWriting():
			it.busy = true
			heap.Push(&s.ready, it)
		case it.closed:
			s.settle(it, StatusDone, nil)
		default:
			s.leave(it)
		}
	}
}
