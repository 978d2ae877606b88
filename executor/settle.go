package executor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
)

// ErrRefused is the cause of a change that the plan found impossible, so that
// nothing was tried.
var ErrRefused = errors.New("not tried")

// block settles a change that lacks what it needs as a whole. What its parts
// lack besides may not be known yet, so it is left out.
func (s *Schedule) block(it *item) {
	for i := range it.parts {
		it.parts[i].causes = nil
	}
	s.settle(it, StatusBlocked, nil)
}

// leave settles a change of which nothing was written, since every gain in it
// is kept back.
func (s *Schedule) leave(it *item) {
	for _, p := range it.parts {
		it.causes = append(it.causes, p.causes...)
	}
	if len(it.causes) == 0 {
		s.settle(it, StatusFailed, s.refusal(it.change))
		return
	}
	s.settle(it, StatusBlocked, nil)
}

// abandon settles what will not be started, when nothing is out any more. What
// a failure blocks is blocked all the same.
func (s *Schedule) abandon() {
	if !s.stopped || s.running > 0 {
		return
	}
	for _, it := range s.order {
		switch {
		case it.settled():
		case len(it.causes) > 0:
			s.block(it)
		case it.closed && it.undecided():
			s.settle(it, StatusPartial, ErrInterrupted)
		case it.closed:
			s.settle(it, StatusDone, nil)
		case it.worthWriting() || it.undecided():
			s.settle(it, StatusNotStarted, ErrInterrupted)
		default:
			s.leave(it)
		}
	}
	s.waking = nil
}

// undecided reports whether a part is neither written nor kept back.
func (it *item) undecided() bool {
	for i, p := range it.parts {
		if it.pending(i) && len(p.causes) == 0 {
			return true
		}
	}
	return false
}

// settle gives the change its result and lets go of what waits for it. Parts
// that no write held share the change's fate, or are blocked for causes of
// their own, which makes a change that is done a partial one.
func (s *Schedule) settle(it *item, status Status, err error) {
	r := it.result
	r.Status, r.Err = status, err
	causes := it.causes
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Status == "" {
			p.Status = status
			if status == StatusPartial {
				p.Status = StatusNotStarted
			}
			if kept := it.parts[i].causes; len(kept) > 0 {
				p.Status, p.BlockedBy = StatusBlocked, sorted(kept)
				causes = append(causes, kept...)
			} else if status == StatusBlocked {
				p.BlockedBy = sorted(it.causes)
			}
		}
		if status == StatusDone && p.Status != StatusDone && p.Status != StatusUnchanged {
			r.Status = StatusPartial
		}
	}
	r.BlockedBy = sorted(causes)
	s.settled = append(s.settled, r)
	s.release(it, &it.uponLoss)
	s.release(it, &it.uponSettled)
}

// release lets go of what waits.
func (s *Schedule) release(it *item, edges *[]edge) {
	for _, e := range *edges {
		e.count(-1)
		e.fail(it)
		s.waking = append(s.waking, e.to)
	}
	*edges = nil
}

// refusal is why the plan says that a change cannot be done.
func (s *Schedule) refusal(c *plan.Change) error {
	if c.Action == plan.Adopt {
		return fmt.Errorf("%w: it exists and carries no mark of this repository: take it over with --adopt", ErrRefused)
	}
	problems := s.refused[c.ID]
	if len(problems) == 0 {
		problems = s.refused[c.Account]
	}
	if len(problems) == 0 {
		return fmt.Errorf("%w: see the problems of the plan", ErrRefused)
	}
	var why []string
	for _, p := range problems {
		why = append(why, strings.TrimSuffix(p.Message+": "+p.Mend, ": "))
	}
	return fmt.Errorf("%w: %s", ErrRefused, strings.Join(why, "; "))
}

func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
