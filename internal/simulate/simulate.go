// Package simulate decides the requests that cases describe, by the policies that
// they hold and no others: docs/simulate.md shows the cases. It is pure, and what
// policies mean it leaves to iampolicy.
package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/xshare/xshare/internal/iampolicy"
)

// MaxCase is how long the text of a case may be, in bytes.
const MaxCase = 8 << 20

// Answer is the decision on a case.
type Answer struct {
	ID       json.RawMessage   `json:"id"` // as the case has it; "" where it has none
	Decision iampolicy.Outcome `json:"decision"`
	Allowed  bool              `json:"allowed"`
	Lacking  []iampolicy.Side  `json:"lacking"` // never nil
	Reason   string            `json:"reason"`  // one sentence
}

// Case decides the case that one line of JSON holds. The line's number, from
// 1, is for the reasons of invalid ones; now is the default of aws:CurrentTime.
//
// It never panics, and what it cannot make sense of is invalid, not guessed at:
// a field that does not exist, one that stands twice, a policy that IAM would
// not take. An Answer that is not invalid holds for the policies of the case
// and no others.
func Case(line []byte, number int, now time.Time) Answer {
	return decide(line, number, now, false)
}

// Strict is Case, and takes nothing to be so that the case does not say: one
// that does not tell whose its resource is, is invalid.
func Strict(line []byte, number int, now time.Time) Answer {
	return decide(line, number, now, true)
}

func decide(line []byte, number int, now time.Time, strict bool) Answer {
	r := &caseReader{
		line: line, number: number, strict: strict,
		parsed: map[int]iampolicy.Named{}, lists: map[int][]iampolicy.Named{}, allLevels: map[int][][]iampolicy.Named{},
	}
	a, err := r.answer(now)
	if err != nil {
		a.Decision, a.Reason = iampolicy.Invalid, err.Error()
	}
	a.Allowed = a.Decision == iampolicy.Allowed
	if a.Lacking == nil || a.Decision == iampolicy.Invalid {
		a.Lacking = []iampolicy.Side{}
	}
	if a.ID == nil {
		a.ID = json.RawMessage(`""`)
	}
	return a
}

// caseReader reads one case. Its errors say where in the input they are.
type caseReader struct {
	line   []byte
	number int
	strict bool

	// What was read, by where it stands: steps share it.
	parsed    map[int]iampolicy.Named
	lists     map[int][]iampolicy.Named
	allLevels map[int][][]iampolicy.Named
}

func (r *caseReader) answer(now time.Time) (Answer, error) {
	var a Answer
	base, steps, err := r.read(&a.ID)
	if err != nil {
		return a, err
	}
	requests, err := r.requests(base, steps, now)
	if err != nil {
		return a, err
	}
	a.Decision = iampolicy.Allowed
	var notes notesOf
	for i := range requests {
		q := &requests[i]
		if r.strict && q.assumed {
			return a, r.errorf(-1, "%sthe field \"resourceAccount\" is missing: nothing else says whose %s is, and --strict does not take it to be of the principal's account", q.label, q.req.Resource)
		}
		d, reason := q.decide()
		if d.Outcome == iampolicy.Invalid {
			return a, r.errorf(-1, "%s%s", q.label, reason)
		}
		if a.Decision != iampolicy.Allowed {
			continue // decided, unless a later one is invalid
		}
		if !d.Allowed() {
			notes = notesOf{}
		}
		notes.add(q, d)
		a.Decision, a.Lacking, a.Reason = d.Outcome, d.Lacking, q.label+reason
	}
	if a.Decision == iampolicy.Allowed && len(requests) > 1 {
		a.Reason = allOf(requests)
	}
	a.Reason += notes.String()
	return a, nil
}

// requests are all that must be allowed: the case's own request and the steps,
// so that a step can only ask for more. The case has no request of its own
// without one of the three fields: then it only has what its steps have in
// common. And a step stands in its place that is the same request, or only says
// more of the context.
func (r *caseReader) requests(base testCase, steps []testCase, now time.Time) ([]simulated, error) {
	own, err := r.request(base, now)
	if err != nil {
		return nil, err
	}
	missing := own.missing()
	if len(steps) == 0 {
		if missing != "" {
			return nil, r.errorf(-1, "the field %q is missing", missing)
		}
		return []simulated{own}, nil
	}
	var list []simulated
	isOwn := func(step testCase) bool { return base.isCompletedBy(step, own.isGiven) }
	if missing == "" && !slices.ContainsFunc(steps, isOwn) {
		own.label = "the case's own request: "
		list = append(list, own)
	}
	policyOf := base.fields["resource"].value()
	for i, step := range steps {
		c := base.with(step)
		notOf := c.ownPolicyOnly(step, &policyOf)
		q, err := r.request(c, now)
		if err != nil {
			return nil, err
		}
		q.label, q.notOf = r.stepLabel(i, step), notOf
		if missing := q.missing(); missing != "" {
			return nil, r.errorf(-1, "%sthe field %q is missing, here and in the case itself", q.label, missing)
		}
		list = append(list, q)
	}
	return list, nil
}

// stepLabel is how reasons call a step.
func (r *caseReader) stepLabel(i int, step testCase) string {
	for _, name := range []string{"title", "id"} {
		if f, ok := step.fields[name]; ok && f.kind() == aString {
			if s := f.unquote(); s != "" {
				return fmt.Sprintf("step %d (%s): ", i+1, s)
			}
		}
	}
	return fmt.Sprintf("step %d: ", i+1)
}

// errorf is an error of this line; at is a byte of it, or negative.
func (r *caseReader) errorf(at int, format string, args ...any) error {
	where := fmt.Sprintf("line %d", r.number)
	if at >= 0 {
		where = fmt.Sprintf("line %d, column %d", r.number, r.column(at))
	}
	return fmt.Errorf(where+": "+format, args...)
}

// column counts characters, from 1.
func (r *caseReader) column(at int) int {
	return utf8.RuneCount(r.line[:min(at, len(r.line))]) + 1
}
