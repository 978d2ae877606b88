package proof

import (
	"encoding/json"
	"fmt"
	"strings"
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

// Simulate decides the case that one line of JSON holds. The line's number, from
// 1, is for the reasons of invalid ones; now is the default of aws:CurrentTime.
//
// It never panics, and what it cannot make sense of is invalid, not guessed at:
// a field that does not exist, one that stands twice, a policy that IAM would
// not take. An Answer that is not invalid holds for the policies of the case
// and no others.
func Simulate(line []byte, number int, now time.Time) Answer {
	r := &caseReader{line: line, number: number, parsed: map[int]iampolicy.Named{}}
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
	parsed map[int]iampolicy.Named // policies by where they stand: steps share them
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
	for _, q := range requests {
		d, reason := q.decide()
		if d.Outcome == iampolicy.Invalid {
			return a, r.errorf(-1, "%s%s", q.label, reason)
		}
		if a.Decision == iampolicy.Allowed {
			a.Decision, a.Lacking, a.Reason = d.Outcome, d.Lacking, q.label+reason
		}
	}
	if a.Decision == iampolicy.Allowed && len(requests) > 1 {
		a.Reason = allOf(requests)
	}
	return a, nil
}

// requests are all that must be allowed: the steps, and first the case's own
// request, so that steps can only ask for more. A step with the same principal,
// action and resource stands in its place: it may have another context.
func (r *caseReader) requests(base testCase, steps []testCase, now time.Time) ([]simulated, error) {
	own, err := r.request(base, now)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		if missing := own.missing(); missing != "" {
			return nil, r.errorf(-1, "the field %q is missing", missing)
		}
		return []simulated{own}, nil
	}
	var list []simulated
	replaced := own.missing() != "" // then it is only what the steps have in common
	for i, step := range steps {
		q, err := r.request(base.with(step), now)
		if err != nil {
			return nil, err
		}
		q.label = r.stepLabel(i, step)
		if missing := q.missing(); missing != "" {
			return nil, r.errorf(-1, "%sthe field %q is missing, here and in the case itself", q.label, missing)
		}
		replaced = replaced || q.req.Caller == own.req.Caller &&
			strings.EqualFold(q.req.Action, own.req.Action) && q.req.Resource == own.req.Resource
		list = append(list, q)
	}
	if !replaced {
		own.label = "the case's own request: "
		list = append([]simulated{own}, list...)
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
