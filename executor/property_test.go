package executor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/plan"
)

// drawChanges makes a plan whose changes need and follow earlier ones only, in
// any order; a third of them are bucket policies with parts.
func drawChanges(t *rapid.T) []*plan.Change {
	var steps []*plan.Change
	for i := range rapid.IntRange(1, 25).Draw(t, "changes") {
		some := func(what string) []string {
			var ids []string
			if i > 0 {
				for range rapid.IntRange(0, 2).Draw(t, what) {
					ids = append(ids, steps[rapid.IntRange(0, i-1).Draw(t, "of")].ID)
				}
			}
			return ids
		}
		c := change(fmt.Sprint(i), needs(some("needs")...), after(some("after")...))
		c.Action = rapid.SampledFrom([]plan.Action{plan.Create, plan.Create, plan.Create, plan.Noop, plan.Error}).Draw(t, "action")
		if rapid.IntRange(0, 2).Draw(t, "policy") == 0 {
			lose := rapid.SampledFrom([]string{"", "gone"}).Draw(t, "lose")
			a := c.Action
			var parts []plan.PartChange
			for n := range rapid.IntRange(0, 3).Draw(t, "parts") {
				p := gain(fmt.Sprintf("role%d", n), some("part needs")...)
				p.After = some("part after")
				parts = append(parts, p)
			}
			policyOf(plan.TypeBucketPolicy, "kept", lose, parts...)(c)
			c.Action = a
		}
		steps = append(steps, c)
	}
	return steps
}

// A model of the rules, evaluated straight from the plan: what becomes of each
// change when a fixed set of changes fails at every write.
type model struct {
	steps map[string]*plan.Change
	fails map[string]bool
	known map[string]*outcome
}

type outcome struct {
	status Status
	causes map[string]bool
}

// blocks lists the root causes that a list of needs is blocked by.
func (m *model) blocks(ids []string) map[string]bool {
	causes := map[string]bool{}
	for _, id := range ids {
		switch o := m.of(id); o.status {
		case StatusFailed:
			causes[id] = true
		case StatusBlocked:
			maps.Copy(causes, o.causes)
		}
	}
	return causes
}

func (m *model) of(id string) *outcome {
	if o := m.known[id]; o != nil {
		return o
	}
	c, o := m.steps[id], &outcome{status: StatusDone, causes: map[string]bool{}}
	m.known[id] = o
	gains, kept := 0, 0
	partCauses := map[string]bool{}
	for _, p := range c.Parts {
		gains++
		causes := m.blocks(p.Needs)
		if len(causes) > 0 {
			kept++
		}
		maps.Copy(partCauses, causes)
	}
	needed := m.blocks(c.Needs)
	nothing := gains > 0 && kept == gains && len(c.Lose) == 0
	switch {
	case c.Action == plan.Noop:
		o.status = StatusUnchanged
	case c.Action == plan.Error:
		o.status = StatusFailed
	case len(needed) > 0:
		o.status, o.causes = StatusBlocked, needed
	case nothing:
		o.status, o.causes = StatusBlocked, partCauses
	case m.fails[id]:
		o.status = StatusFailed
	case kept > 0:
		o.status, o.causes = StatusPartial, partCauses
	}
	return o
}

func TestScheduleKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawChanges(t)
		m := &model{map[string]*plan.Change{}, map[string]bool{}, map[string]*outcome{}}
		for _, c := range steps {
			m.steps[c.ID] = c
			m.fails[c.ID] = rapid.IntRange(0, 4).Draw(t, "fails") == 0
		}
		shuffled := rapid.Permutation(steps).Draw(t, "order")
		s := NewSchedule(changesOf(shuffled...))
		workers := rapid.IntRange(1, 6).Draw(t, "workers")
		stopAt := rapid.IntRange(-1, 12).Draw(t, "stop") // negative: never

		settled := map[string]Status{}
		closed := map[string]bool{}
		collect := func() {
			for _, r := range s.Settled() {
				if before, twice := settled[r.Change.ID]; twice {
					t.Fatalf("%s was %s and is %s", r.Change.ID, before, r.Status)
				}
				settled[r.Change.ID] = r.Status
			}
		}
		isSettled := func(id string) bool { _, ok := settled[id]; return ok }
		isOK := func(id string) bool {
			switch settled[id] {
			case StatusUnchanged, StatusDone, StatusPartial:
				return true
			}
			return false
		}
		afterIsOver := func(id string) bool { return isSettled(id) || closed[id] }
		// mayBegin checks a task against the rules.
		mayBegin := func(task *Task) {
			c := m.steps[task.Change.ID]
			for _, id := range c.Needs {
				if !isOK(id) {
					t.Fatalf("%s begins before %s is done (%q)", c.ID, id, settled[id])
				}
			}
			if task.Phase == PhaseClose && (len(c.Lose) == 0 || closed[c.ID]) || task.Phase == PhaseOpen && !closed[c.ID] {
				t.Fatalf("%s has a write %q", c.ID, task.Phase)
			}
			held := rolesIn(task.Change)
			for _, id := range c.After {
				if len(c.Lose) == 0 && !afterIsOver(id) {
					t.Fatalf("%s begins before %s is settled", c.ID, id)
				}
			}
			for _, p := range c.Parts {
				ready, over := true, true
				for _, id := range p.Needs {
					ready = ready && isOK(id)
					over = over && isSettled(id)
				}
				for _, id := range slices.Concat(p.After, c.After) {
					ready = ready && afterIsOver(id)
					over = over && afterIsOver(id)
				}
				if has := slices.Contains(held, p.Consumer); has != ready {
					t.Fatalf("%s %q: holds %s: %v, is ready: %v", c.ID, task.Phase, p.Consumer, has, ready)
				}
				if !over && task.Phase != PhaseClose {
					t.Fatalf("%s %q does not wait for %s", c.ID, task.Phase, p.Consumer)
				}
			}
		}

		var out []*Task
		begun := 0
		for {
			collect()
			for len(out) < workers {
				if begun == stopAt {
					s.Stop()
				}
				task := s.Next()
				if task == nil {
					break
				}
				if stopAt >= 0 && begun >= stopAt {
					t.Fatalf("%s begins after the stop", task.Change.ID)
				}
				for _, other := range out {
					if other.Change.ID == task.Change.ID {
						t.Fatalf("%s is written twice at once", task.Change.ID)
					}
				}
				mayBegin(task)
				begun++
				out = append(out, task)
			}
			if len(out) == 0 {
				break
			}
			i := rapid.IntRange(0, len(out)-1).Draw(t, "ends")
			task := out[i]
			out = slices.Delete(out, i, i+1)
			var o Outcome
			if m.fails[task.Change.ID] {
				o.Err = errors.New("refused")
			}
			closed[task.Change.ID] = task.Phase == PhaseClose && o.Err == nil
			s.Report(task, o)
		}
		collect()

		for _, r := range s.Result().Changes {
			if !isSettled(r.Change.ID) {
				t.Fatalf("%s is not settled", r.Change.ID)
			}
			want := m.of(r.Change.ID)
			if cutShort := stopAt >= 0 && hasNotStarted(r); cutShort {
				continue
			}
			if r.Status != want.status {
				t.Fatalf("%s is %s, want %s", r.Change.ID, r.Status, want.status)
			}
			causes := slices.Sorted(maps.Keys(want.causes))
			if stopAt < 0 && r.Status != StatusFailed && !slices.Equal(causes, r.BlockedBy) {
				t.Fatalf("%s, %s, is blocked by %v, want %v", r.Change.ID, r.Status, r.BlockedBy, causes)
			}
			for _, id := range r.BlockedBy {
				if settled[id] != StatusFailed {
					t.Fatalf("%s is said to be blocked by %s, which is %s", r.Change.ID, id, settled[id])
				}
			}
		}
	})
}
