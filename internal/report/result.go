package report

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// mostListed is how many changes of one account are named; more are counted.
const mostListed = 40

// Result writes what became of the changes: what was done, by account; then
// what failed, each with what it blocked; then what was not started; and a
// summary line. elapsed is the time of the whole run.
func Result(w io.Writer, changes *plan.Changes, result *executor.Result, elapsed time.Duration, style Style) error {
	p := newPrinter(w, style)
	v := &resultView{printer: p, plan: changes.Plan, blocked: map[string][]string{}}
	for _, r := range result.Changes {
		v.gather(r)
	}
	v.done()
	v.failed()
	v.notStarted()
	v.stillOpen(changes, result)
	p.resultSummary(result, elapsed)
	return p.done()
}

type resultView struct {
	*printer
	plan     *plan.Plan
	finished []*executor.ChangeResult // done, or in part
	failures []*executor.ChangeResult
	left     []*executor.ChangeResult
	blocked  map[string][]string // what a failed change keeps from being done, by its id
	refused  []string            // grants that the plan refuses
	stuck    []string            // blocked without a failed change that is known
}

func (v *resultView) gather(r *executor.ChangeResult) {
	switch r.Status {
	case executor.StatusDone:
		v.finished = append(v.finished, r)
	case executor.StatusPartial:
		v.finished = append(v.finished, r)
		v.gatherParts(r)
	case executor.StatusFailed:
		v.failures = append(v.failures, r)
	case executor.StatusBlocked:
		v.blocks(r.BlockedBy, v.named(r.Change))
	case executor.StatusNotStarted:
		v.left = append(v.left, r)
	}
}

// gatherParts notes the grants that a document was written without.
func (v *resultView) gatherParts(r *executor.ChangeResult) {
	for _, part := range r.Parts {
		what := clean(part.Share) + ": " + clean(part.Consumer) + " in the " + resource(r.Change)
		switch part.Status {
		case executor.StatusBlocked:
			v.blocks(part.BlockedBy, what)
		case executor.StatusFailed:
			v.refused = append(v.refused, what)
		}
	}
}

func (v *resultView) blocks(causes []string, what string) {
	for _, id := range causes {
		v.blocked[id] = append(v.blocked[id], what)
	}
	if len(causes) == 0 {
		v.stuck = append(v.stuck, what)
	}
}

func (v *resultView) named(c *plan.Change) string {
	return resource(c) + " in " + place(v.plan, c.Account)
}

func (v *resultView) done() {
	byAccount := map[string][]*executor.ChangeResult{}
	var order []string
	for _, r := range v.finished {
		if byAccount[r.Change.Account] == nil {
			order = append(order, r.Change.Account)
		}
		byAccount[r.Change.Account] = append(byAccount[r.Change.Account], r)
	}
	for _, account := range order {
		v.line(v.paint(bold, place(v.plan, account)))
		group := byAccount[account]
		for i, r := range group {
			if i == mostListed {
				v.line("  ... and " + count(len(group)-i, "more change"))
				break
			}
			v.one(r)
		}
		v.blank()
	}
}

func (v *resultView) one(r *executor.ChangeResult) {
	sign, c := symbol(r.Change.Action)
	text := past(r.Change.Action) + " " + resource(r.Change)
	if r.Done.ID != "" {
		text += " as " + clean(r.Done.ID)
	}
	if r.Status == executor.StatusPartial {
		text += " in part"
	}
	v.wrapped("  "+v.paint(c, sign)+" ", plain, text)
	for _, note := range r.Done.Notes {
		v.wrapped("      ", dim, clean(note))
	}
}

// failed writes the root causes, each with what it blocked. What failed for one
// reason, such as an account that cannot be read, is told together.
func (v *resultView) failed() {
	type reason struct{ account, text, mend string }
	var order []reason
	alike := map[reason][]*executor.ChangeResult{}
	for _, r := range v.failures {
		text, mend := failure(r.Err)
		why := reason{r.Change.Account, text, mend}
		if alike[why] == nil {
			order = append(order, why)
		}
		alike[why] = append(alike[why], r)
	}
	for _, why := range order {
		var blocked []string
		for i, r := range alike[why] {
			if i < mostListed {
				v.wrapped(v.paint(red, "failed: "), plain, v.named(r.Change))
			}
			for _, what := range v.blocked[r.Change.ID] {
				if !slices.Contains(blocked, what) {
					blocked = append(blocked, what)
				}
			}
			delete(v.blocked, r.Change.ID)
		}
		if n := len(alike[why]) - mostListed; n > 0 {
			v.line(v.paint(red, "failed: ") + "... and " + count(n, "more change"))
		}
		v.wrapped("    ", plain, why.text)
		if why.mend != "" {
			v.wrapped("    ", plain, "mend: "+why.mend)
		}
		v.blocking(blocked)
	}
	for i, what := range v.refused {
		if i == mostListed {
			v.line(v.paint(red, "left out: ") + "... and " + count(len(v.refused)-i, "more grant"))
			break
		}
		v.labelled(v.paint(red, "left out: "), plain, what+" (see the errors of the plan)")
	}
	// What a change that is not in the result blocked.
	for _, id := range slices.Sorted(maps.Keys(v.blocked)) {
		v.line(v.paint(red, "failed: ") + clean(id))
		v.blocking(v.blocked[id])
	}
	for _, what := range v.stuck {
		v.line(v.paint(yellow, "blocked: ") + what)
	}
	if len(v.failures)+len(v.blocked)+len(v.stuck)+len(v.refused) > 0 {
		v.blank()
	}
}

func (v *resultView) blocking(blocked []string) {
	for i, what := range blocked {
		if i == mostListed {
			v.linef("    ... and %d more", len(blocked)-i)
			return
		}
		v.labelled("    "+v.paint(yellow, "blocks "), plain, what)
	}
}

// failure is an error in words and its mend. The place is told beside it.
func failure(err error) (text, mend string) {
	var api *executor.APIError
	switch {
	case err == nil:
		return "no reason was given", ""
	case errors.Is(err, executor.ErrInterrupted):
		text = "interrupted in flight: it may or may not be done"
		if errors.As(err, &api) {
			text += fmt.Sprintf(" (%s:%s on %s)", api.Service, api.Operation, api.Resource)
		}
		return clean(text), "apply again: that finds out and does the rest"
	case errors.As(err, &api):
		text = api.What()
		if api.RequestID != "" && !strings.Contains(text, api.RequestID) {
			text += " (request " + api.RequestID + ")"
		}
		return clean(text), clean(api.Mend)
	}
	return clean(err.Error()), ""
}

func (v *resultView) notStarted() {
	for _, r := range v.left {
		v.wrapped(v.paint(yellow, "not started: "), plain, v.named(r.Change))
	}
	if len(v.left) > 0 {
		v.blank()
	}
}

// stillOpen tells of access that was to be closed by a change of which nothing
// was written. What a policy loses is in its first write.
func (v *resultView) stillOpen(changes *plan.Changes, result *executor.Result) {
	entries := map[string][]plan.AccessEntry{}
	for _, e := range slices.Concat(changes.Access.Lost, changes.Open) {
		entries[e.Step] = append(entries[e.Step], e)
	}
	told := 0
	for _, r := range result.Changes {
		label := "still open: "
		switch r.Status {
		case executor.StatusUnchanged, executor.StatusDone, executor.StatusPartial:
			continue
		case executor.StatusFailed:
			if errors.Is(r.Err, executor.ErrInterrupted) {
				label = "may still be open: "
			}
		}
		if r.Done.Writes > 0 {
			continue
		}
		for _, text := range accessTexts(entries[r.Change.ID]) {
			if told++; told <= mostListed {
				v.hanging(v.paint(red, label), 4-len(label), plain, text)
			}
		}
	}
	if more := told - mostListed; more > 0 {
		v.line(v.paint(red, "still open: ") + "... and " + count(more, "more principal"))
	}
	if told > 0 {
		v.blank()
	}
}

func (p *printer) resultSummary(result *executor.Result, elapsed time.Duration) {
	counts := map[plan.Action]int{}
	for _, r := range result.Changes {
		if r.Status == executor.StatusDone {
			counts[r.Change.Action]++
		}
	}
	s := result.Summary
	text := fmt.Sprintf(" %d created, %d updated, %d removed", counts[plan.Create], counts[plan.Update], counts[plan.Delete])
	for _, more := range []struct {
		n    int
		what string
	}{{counts[plan.Adopt], "adopted"}, {s.Partial, "done in part"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	text += fmt.Sprintf(", %d failed, %d blocked", s.Failed, s.Blocked)
	if s.NotStarted > 0 {
		text += fmt.Sprintf(", %d not started", s.NotStarted)
	}
	word, c := "Applied:", green
	switch {
	case result.Interrupted:
		word, c = "Interrupted:", yellow
	case s.Failed+s.Blocked+s.Partial+s.NotStarted > 0 && s.Done+s.Partial == 0:
		word, c = "Not applied:", red
	case s.Failed+s.Blocked+s.Partial+s.NotStarted > 0:
		word, c = "Applied in part:", red
	}
	p.linef("%s%s in %s", p.paint(c, word), text, seconds(elapsed))
}

// seconds is a duration for people: "40ms", "0.2s", "75s".
func seconds(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
