package executor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// play runs a schedule to its end with so many workers, who end tasks in the
// order in which they began, but those of slow last. It returns the tasks in
// the order in which they were handed out: id, phase, and the roles that a
// policy's statements name.
type play struct {
	workers int
	fails   []string // tasks, as in the trace up to the first space
	slow    []string // likewise
	stop    int      // stop when so many tasks have been handed out; 0: never
}

func (p play) run(s *Schedule) (trace []string, r *Result) {
	var out []*Task
	name := func(t *Task) string { return strings.TrimSuffix(t.Change.ID+":"+string(t.Phase), ":") }
	for {
		for len(out) < max(p.workers, 1) {
			t := s.Next()
			if t == nil {
				break
			}
			line := name(t)
			if t.Change.Type == plan.TypeBucketPolicy || t.Change.Type == plan.TypePolicy {
				line += fmt.Sprint(" ", rolesIn(t.Change))
			}
			trace = append(trace, line)
			out = append(out, t)
			if len(trace) == p.stop {
				s.Stop()
			}
		}
		if len(out) == 0 {
			return trace, s.Result()
		}
		i := max(0, slices.IndexFunc(out, func(t *Task) bool { return !slices.Contains(p.slow, name(t)) }))
		t := out[i]
		out = slices.Delete(out, i, i+1)
		var o Outcome
		if slices.Contains(p.fails, name(t)) {
			o.Err = errors.New("refused")
		}
		s.Report(t, o)
	}
}

// told is a result in one line: status, causes, and the parts' likewise.
func told(r *ChangeResult) string {
	s := string(r.Status)
	if len(r.BlockedBy) > 0 {
		s += fmt.Sprint(" by ", r.BlockedBy)
	}
	for _, p := range r.Parts {
		s += fmt.Sprintf("; %s %s", p.Consumer, p.Status)
		if len(p.BlockedBy) > 0 {
			s += fmt.Sprint(" by ", p.BlockedBy)
		}
	}
	return s
}

func TestSchedule(t *testing.T) {
	bucket := plan.TypeBucketPolicy
	tests := map[string]struct {
		steps []*plan.Change
		play  play
		trace []string
		told  map[string]string // of those that are not simply done
	}{
		"needs come first": {
			steps: []*plan.Change{change("c", needs("b")), change("b", needs("a")), change("a")},
			trace: []string{"a", "b", "c"},
		},
		"a noop is done and is no task": {
			steps: []*plan.Change{change("a", action(plan.Noop)), change("b", needs("a"))},
			trace: []string{"b"},
			told:  map[string]string{"a": "unchanged"},
		},
		"a noop does not wait for what it needs": {
			steps: []*plan.Change{change("a"), change("b", needs("a"), action(plan.Noop)), change("c", needs("b"))},
			play:  play{fails: []string{"a"}},
			trace: []string{"a", "c"},
			told:  map[string]string{"a": "failed", "b": "unchanged"},
		},
		"what is not in the plan counts as done": {
			steps: []*plan.Change{change("a", needs("elsewhere"), after("nowhere"))},
			trace: []string{"a"},
		},
		"what the plan found impossible blocks": {
			steps: []*plan.Change{change("a", action(plan.Error)), change("b", needs("a")), change("c", after("a"))},
			trace: []string{"c"},
			told:  map[string]string{"a": "failed", "b": "blocked by [a]"},
		},
		"adopt is not done unasked": {
			steps: []*plan.Change{change("a", action(plan.Adopt)), change("b", needs("a"))},
			told:  map[string]string{"a": "failed", "b": "blocked by [a]"},
		},
		"a failure blocks what needs it and nothing else": {
			steps: []*plan.Change{change("a"), change("b", needs("a")), change("c", needs("b")), change("x"), change("y", needs("x"))},
			play:  play{fails: []string{"a"}},
			trace: []string{"a", "x", "y"},
			told:  map[string]string{"a": "failed", "b": "blocked by [a]", "c": "blocked by [a]"},
		},
		"root causes, all of them and no others": {
			steps: []*plan.Change{
				change("a"), change("b"), change("c", needs("a")), change("d", needs("b")),
				change("e", needs("c", "d", "b")), change("ok"), change("f", needs("ok", "e")),
			},
			play:  play{fails: []string{"a", "b"}},
			trace: []string{"a", "b", "ok"},
			told: map[string]string{
				"a": "failed", "b": "failed", "c": "blocked by [a]", "d": "blocked by [b]",
				"e": "blocked by [a b]", "f": "blocked by [a b]",
			},
		},
		"after waits, whichever way it goes": {
			steps: []*plan.Change{change("a"), change("b", needs("a")), change("c", after("b"))},
			play:  play{fails: []string{"a"}, workers: 3},
			trace: []string{"a", "c"},
			told:  map[string]string{"a": "failed", "b": "blocked by [a]"},
		},
		"after waits for success too": {
			steps: []*plan.Change{change("a"), change("c", after("a"))},
			play:  play{workers: 3, slow: []string{"a"}},
			trace: []string{"a", "c"},
		},
		"the longest path first, then by id": {
			steps: []*plan.Change{
				change("a"), change("b"), change("c"),
				change("c2", needs("c")), change("c3", needs("c2")), change("b2", after("b")),
			},
			trace: []string{"c", "b", "c2", "a", "b2", "c3"},
		},
		"a circle fails, the rest is done": {
			steps: []*plan.Change{change("a", needs("b")), change("b", after("a")), change("c")},
			trace: []string{"c"},
			told:  map[string]string{"a": "failed", "b": "failed"},
		},
		"stopped: nothing more is handed out": {
			steps: []*plan.Change{change("a"), change("b"), change("c", needs("a")), change("d", action(plan.Noop))},
			play:  play{stop: 1},
			trace: []string{"a"},
			told:  map[string]string{"b": "notStarted", "c": "notStarted", "d": "unchanged"},
		},
		"stopped: what a failure blocks is blocked": {
			steps: []*plan.Change{
				change("a"), change("b", needs("a")), change("c", needs("b", "x")), change("d", needs("c")),
				change("x"), change("y", needs("x")),
			},
			play:  play{stop: 1, fails: []string{"a"}},
			trace: []string{"a"},
			told: map[string]string{
				"a": "failed", "b": "blocked by [a]", "c": "blocked by [a]", "d": "blocked by [a]",
				"x": "notStarted", "y": "notStarted",
			},
		},

		"policy: one write when nothing waits": {
			steps: []*plan.Change{change("p", policyOf(bucket, "kept", "gone", gain("new", "elsewhere"), loss("gone2")))},
			trace: []string{"p [kept new]"},
			told:  map[string]string{"p": "done; new done; gone2 done"},
		},
		"policy: one write when nothing is lost": {
			steps: []*plan.Change{change("r"), change("p", policyOf(bucket, "kept", "", gain("a"), gain("b", "r")))},
			play:  play{workers: 2},
			trace: []string{"r", "p [a b kept]"},
			told:  map[string]string{"p": "done; a done; b done"},
		},
		"policy: the loss first, with the gains that are ready": {
			steps: []*plan.Change{
				change("bucket"), change("r"), change("s", needs("r")),
				change("p", needs("bucket"), policyOf(bucket, "kept", "gone", gain("a", "bucket"), gain("b", "s"))),
			},
			play:  play{workers: 2, slow: []string{"r"}},
			trace: []string{"bucket", "r", "p:close [a kept]", "s", "p:open [a b kept]"},
			told:  map[string]string{"p": "done; a done; b done"},
		},
		"policy: a loss is more urgent than any path": {
			steps: []*plan.Change{
				change("r"), change("s", needs("r")), change("t", needs("s")),
				change("p", policyOf(bucket, "", "gone", gain("a", "s"))),
			},
			trace: []string{"p:close [arn::iam::account of p:root]", "r", "s", "p:open [a]", "t"},
			told:  map[string]string{"p": "done; a done"},
		},
		"policy: a loss waits for what the whole change needs": {
			steps: []*plan.Change{change("bucket"), change("p", needs("bucket"), policyOf(bucket, "", "gone", gain("a")))},
			play:  play{fails: []string{"bucket"}},
			trace: []string{"bucket"},
			told:  map[string]string{"bucket": "failed", "p": "blocked by [bucket]; a blocked by [bucket]"},
		},
		"policy: a loss waits for no after": {
			steps: []*plan.Change{change("x"), change("p", after("x"), policyOf(bucket, "", "gone", gain("a")))},
			trace: []string{"p:close [arn::iam::account of p:root]", "x", "p:open [a]"},
			told:  map[string]string{"p": "done; a done"},
		},
		"policy: losses alone wait for nothing": {
			steps: []*plan.Change{
				change("x"),
				change("p", after("x"), action(plan.Delete), policyOf(bucket, "", "", loss("gone", "x"))),
			},
			trace: []string{"p []", "x"},
			told:  map[string]string{"p": "done; gone done"},
		},
		"policy: marks are renewed with the gains if these are ready by then": {
			steps: []*plan.Change{
				change("a"),
				change("p", policyOf(bucket, "kept", "", gain("x", "a")), func(c *plan.Change) { c.Renew = true }),
			},
			trace: []string{"a", "p [kept x]"},
			told:  map[string]string{"p": "done; x done"},
		},
		"policy: marks are renewed before gains that wait": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(bucket, "kept", "", gain("a", "r")), func(c *plan.Change) { c.Renew = true }),
			},
			play:  play{workers: 2, slow: []string{"r"}},
			trace: []string{"p:close [kept]", "r", "p:open [a kept]"},
			told:  map[string]string{"p": "done; a done"},
		},
		"policy: a blocked gain is left out": {
			steps: []*plan.Change{
				change("r"), change("s"),
				change("p", policyOf(bucket, "", "", gain("a", "r"), gain("b", "s"))),
			},
			play:  play{fails: []string{"s"}},
			trace: []string{"r", "s", "p [a]"},
			told:  map[string]string{"s": "failed", "p": "partial by [s]; a done; b blocked by [s]"},
		},
		"policy: a loss is done though the gain's account is unreadable": {
			steps: []*plan.Change{
				change("r", action(plan.Error)),
				change("p", policyOf(bucket, "kept", "gone", gain("a", "r"))),
			},
			trace: []string{"p [kept]"},
			told:  map[string]string{"r": "failed", "p": "partial by [r]; a blocked by [r]"},
		},
		"policy: no second write if all gains are blocked": {
			steps: []*plan.Change{
				change("r"), change("s", needs("r")),
				change("p", policyOf(bucket, "kept", "gone", gain("a", "s"), loss("gone2"))),
				change("x", needs("p")),
			},
			play:  play{fails: []string{"r"}},
			trace: []string{"p:close [kept]", "r", "x"},
			told: map[string]string{
				"r": "failed", "s": "blocked by [r]",
				"p": "partial by [r]; a blocked by [r]; gone2 done",
			},
		},
		"policy: no write at all if nothing is lost and all gains are blocked": {
			steps: []*plan.Change{
				change("r"), change("s"),
				change("p", policyOf(bucket, "kept", "", gain("a", "r"), gain("b", "r", "s"))),
				change("x", needs("p")),
			},
			play:  play{fails: []string{"r", "s"}},
			trace: []string{"r", "s"},
			told: map[string]string{
				"r": "failed", "s": "failed", "x": "blocked by [r s]",
				"p": "blocked by [r s]; a blocked by [r]; b blocked by [r s]",
			},
		},
		"policy: a gain's after holds only that gain, whichever way it goes": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(bucket, "", "gone", gain("a"), gainAfter("b", "r"))),
			},
			play:  play{fails: []string{"r"}},
			trace: []string{"p:close [a]", "r", "p:open [a b]"},
			told:  map[string]string{"r": "failed", "p": "done; a done; b done"},
		},
		"policy: a first write that fails is the end of it": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(bucket, "", "gone", gain("a", "r"), gain("b"))),
				change("x", after("p")), change("y", needs("p")),
			},
			play:  play{fails: []string{"p:close"}},
			trace: []string{"p:close [b]", "r", "x"},
			told:  map[string]string{"p": "failed; a failed; b failed", "y": "blocked by [p]"},
		},
		"policy: a second write that fails leaves the first": {
			steps: []*plan.Change{change("r"), change("p", policyOf(bucket, "", "gone", gain("a", "r"), gain("b")))},
			play:  play{fails: []string{"p:open"}},
			trace: []string{"p:close [b]", "r", "p:open [a b]"},
			told:  map[string]string{"p": "failed; a failed; b done"},
		},
		"policy: what comes after a loss waits for the loss only": {
			steps: []*plan.Change{
				change("p", policyOf(bucket, "kept", "gone", gain("a", "r"))),
				change("r", after("p")),
			},
			play:  play{workers: 2},
			trace: []string{"p:close [kept]", "r", "p:open [a kept]"},
			told:  map[string]string{"p": "done; a done"},
		},
		"policy: what needs it waits for the gains": {
			steps: []*plan.Change{
				change("p", policyOf(bucket, "", "gone", gain("a", "r"))),
				change("r"), change("x", needs("p")),
			},
			play:  play{workers: 2},
			trace: []string{"p:close [arn::iam::account of p:root]", "r", "p:open [a]", "x"},
			told:  map[string]string{"p": "done; a done"},
		},
		"policy: stopped between the two writes": {
			steps: []*plan.Change{
				change("q", action(plan.Error)), change("r"),
				change("p", policyOf(bucket, "", "gone", gain("a", "r"), gain("b", "q", "r"), gain("c"), loss("d"))),
			},
			play:  play{stop: 1},
			trace: []string{"p:close [c]"},
			told: map[string]string{
				"q": "failed", "r": "notStarted",
				"p": "partial by [q]; a notStarted; b blocked by [q]; c done; d done",
			},
		},
		"policy: stopped between the two writes, with no gain left to do": {
			steps: []*plan.Change{
				change("q", action(plan.Error)), change("r"),
				change("p", policyOf(bucket, "", "gone", gain("b", "q", "r"))),
			},
			play:  play{stop: 1},
			trace: []string{"p:close [arn::iam::account of p:root]"},
			told:  map[string]string{"q": "failed", "r": "notStarted", "p": "partial by [q]; b blocked by [q]"},
		},
		"policy: stopped before it": {
			steps: []*plan.Change{
				change("q", action(plan.Error)), change("a"),
				change("p", policyOf(bucket, "", "", gain("x", "q"), gain("y", "a"))),
				change("o", policyOf(bucket, "", "", gain("x", "q", "a"))),
			},
			play:  play{stop: 1},
			trace: []string{"a"},
			told: map[string]string{
				"q": "failed", "p": "notStarted by [q]; x blocked by [q]; y notStarted", "o": "blocked by [q]; x blocked by [q]",
			},
		},
		"policy: stopped before the loss that it comes after": {
			steps: []*plan.Change{
				change("a"), change("q", needs("a")), change("r", needs("q")), change("o", after("p"), policyOf(bucket, "", "", gain("y"))),
				change("p", needs("a"), policyOf(bucket, "", "gone", gain("x", "r"))),
			},
			play:  play{stop: 1},
			trace: []string{"a"},
			told:  map[string]string{"q": "notStarted", "r": "notStarted", "o": "notStarted; y notStarted", "p": "notStarted; x notStarted"},
		},
		"policy: a part that the plan found impossible is left out": {
			steps: []*plan.Change{
				change("p", policyOf(bucket, "", "", gain("a"), plan.PartChange{Consumer: "b", Action: plan.Error, Pairs: pairs("b"), Gain: pairs("b")})),
				change("o", policyOf(bucket, "", "", plan.PartChange{Consumer: "b", Action: plan.Error, Pairs: pairs("b"), Gain: pairs("b")})),
			},
			trace: []string{"p [a]"},
			told:  map[string]string{"p": "partial; a done; b failed", "o": "failed; b failed"},
		},
		"policy: an unchanged part waits for nothing": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(bucket, "kept", "", gain("a"), plan.PartChange{Consumer: "kept", Action: plan.Noop, Pairs: pairs("kept"), Needs: []string{"r"}})),
			},
			play:  play{workers: 2},
			trace: []string{"p [a kept]", "r"},
			told:  map[string]string{"p": "done; a done; kept unchanged"},
		},

		"permissions policy: always one write": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(plan.TypePolicy, "kept", "gone", gain("a"), gain("b", "r"), loss("c"))),
			},
			play:  play{workers: 2, slow: []string{"r"}},
			trace: []string{"r", "p [a b kept]"},
			told:  map[string]string{"p": "done; a done; b done; c done"},
		},
		"permissions policy: its losses are ordered, too": {
			steps: []*plan.Change{
				change("close"),
				change("p", after("close"), policyOf(plan.TypePolicy, "kept", "", loss("gone"))),
			},
			play:  play{workers: 2, fails: []string{"close"}},
			trace: []string{"close", "p [kept]"},
			told:  map[string]string{"close": "failed", "p": "done; gone done"},
		},
		"bucket policy: a dead principal is replaced in one write": {
			steps: []*plan.Change{
				change("attachment"),
				change("policy", policyOf(bucket, "", "", gain("reader", "attachment"), loss("AROADELETEDROLE12345"))),
			},
			trace: []string{"attachment", "policy [reader]"},
			told:  map[string]string{"policy": "done; reader done; AROADELETEDROLE12345 done"},
		},
		"bucket policy: a dead principal goes though the gain is blocked": {
			steps: []*plan.Change{
				change("attachment"),
				change("policy", policyOf(bucket, "other", "", gain("reader", "attachment"), loss("AROADELETEDROLE12345"))),
			},
			play:  play{fails: []string{"attachment"}},
			trace: []string{"attachment", "policy [other]"},
			told: map[string]string{
				"attachment": "failed",
				"policy":     "partial by [attachment]; reader blocked by [attachment]; AROADELETEDROLE12345 done",
			},
		},
		"permissions policy: what it loses goes though its gain is blocked": {
			steps: []*plan.Change{
				change("r"),
				change("p", policyOf(plan.TypePolicy, "kept", "gone", gain("a", "r"), loss("b", "r"))),
			},
			play:  play{fails: []string{"r"}},
			trace: []string{"r", "p [kept]"},
			told:  map[string]string{"r": "failed", "p": "partial by [r]; a blocked by [r]; b done"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := NewSchedule(changesOf(test.steps...))
			trace, r := test.play.run(s)
			if diff := cmp.Diff(test.trace, trace); diff != "" {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
			if len(r.Changes) != len(test.steps) {
				t.Fatalf("%d results of %d changes", len(r.Changes), len(test.steps))
			}
			for i, got := range r.Changes {
				want, ok := test.told[test.steps[i].ID]
				if !ok {
					want = "done"
				}
				if got.Change != test.steps[i] || told(got) != want {
					t.Errorf("%s: got %q, want %q", test.steps[i].ID, told(got), want)
				}
				if hasErr := got.Err != nil; hasErr != (got.Status == StatusFailed || hasNotStarted(got)) {
					t.Errorf("%s is %s with error %v", test.steps[i].ID, got.Status, got.Err)
				}
			}
			if n := len(s.Settled()); n != len(test.steps) {
				t.Errorf("%d changes were told of as settled, of %d", n, len(test.steps))
			}
		})
	}
}

func hasNotStarted(r *ChangeResult) bool {
	return r.Status == StatusNotStarted ||
		slices.ContainsFunc(r.Parts, func(p PartResult) bool { return p.Status == StatusNotStarted })
}

func TestScheduleSaysWhyNothingWasTried(t *testing.T) {
	changes := changesOf(
		change("known", action(plan.Error)), change("covered", action(plan.Error)),
		change("adopted", action(plan.Adopt)), change("unknown", action(plan.Error)),
	)
	changes.Problems = []specs.Problem{
		{Step: "known", Severity: specs.SeverityWarning, Message: "a warning"},
		{Step: "known", Severity: specs.SeverityError, Message: "the path differs", Mend: "use another name"},
		{Code: "unreadable", Account: "account of covered", Severity: specs.SeverityError, Message: "it cannot be read"},
	}
	want := []string{
		"not tried: the path differs: use another name",
		"not tried: it cannot be read",
		"not tried: it exists and carries no mark of this repository: take it over with --adopt",
		"not tried: see the problems of the plan",
	}
	for i, r := range NewSchedule(changes).Result().Changes {
		if !errors.Is(r.Err, ErrRefused) || r.Err.Error() != want[i] {
			t.Errorf("%s: got %q, want %q", r.Change.ID, r.Err, want[i])
		}
	}

	changes.Options.Adopt = true
	if task := NewSchedule(changes).Next(); task == nil || task.Change.ID != "adopted" {
		t.Errorf("with --adopt, the first task is %v", task)
	}
}

// A write holds the foreign statements, whatever phase it is, and leaves the
// plan as it was.
func TestScheduleForecastsEachWrite(t *testing.T) {
	live := `{"Version":"2012-10-17","Statement":[{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}]}`
	p := change("p", policyOf(plan.TypeBucketPolicy, "", "gone", gain("a", "r")), func(c *plan.Change) { c.Live = []byte(live) })
	s := NewSchedule(changesOf(change("r"), p))
	first := s.Next()
	if got := first.Change.Want.(plan.BucketPolicy); string(got.Document) != live || len(got.Ours) != 0 {
		t.Errorf("the first write is %s with %d statements of ours", got.Document, len(got.Ours))
	}
	s.Report(first, Outcome{Done: Done{Writes: 1, RequestID: "1", Notes: []string{"first"}}, Duration: 2})
	s.Report(s.Next(), Outcome{})
	second := s.Next()
	got := second.Change.Want.(plan.BucketPolicy)
	if !strings.Contains(string(got.Document), `"theirs"`) || !strings.Contains(string(got.Document), "role/a") || got.Region != "us-east-1" {
		t.Errorf("the second write is %+v", got)
	}
	s.Report(second, Outcome{Done: Done{Writes: 2, RequestID: "2", Notes: []string{"second"}}, Duration: 3})
	r := s.Result().Changes[1]
	if diff := cmp.Diff(Done{Writes: 3, RequestID: "2", Notes: []string{"first", "second"}}, r.Done); diff != "" || r.Duration != 5 {
		t.Errorf("both writes together took %v (-want +got):\n%s", r.Duration, diff)
	}
	if want := p.Want.(plan.BucketPolicy); want.Ours != nil || want.Document != nil || r.Change != p {
		t.Error("the change of the plan was written to")
	}
}

func TestScheduleFailsWhatCannotBeMerged(t *testing.T) {
	s := NewSchedule(changesOf(
		change("p", policyOf(plan.TypeBucketPolicy, "", "", gain("a")), func(c *plan.Change) { c.Live = []byte("no policy") }),
		change("x", needs("p")),
	))
	if task := s.Next(); task != nil {
		t.Errorf("handed out %s", task.Change.ID)
	}
	r := s.Result()
	if told(r.Changes[0]) != "failed; a failed" || told(r.Changes[1]) != "blocked by [p]" {
		t.Errorf("got %q and %q", told(r.Changes[0]), told(r.Changes[1]))
	}
}

// A managed policy that is deleted is whole, with whatever it holds.
func TestScheduleLeavesADeletedPolicyAlone(t *testing.T) {
	p := change("p", policyOf(plan.TypePolicy, "", "gone"), action(plan.Delete), func(c *plan.Change) { c.Want = nil })
	if task := NewSchedule(changesOf(p)).Next(); task.Change != p {
		t.Errorf("the task is %+v", task.Change)
	}
}

func TestScheduleIsNotDeep(t *testing.T) {
	steps := []*plan.Change{change("0")}
	for i := 1; i < 200_000; i++ {
		steps = append(steps, change(fmt.Sprint(i), needs(fmt.Sprint(i-1))))
	}
	s := NewSchedule(changesOf(steps...))
	_, r := play{fails: []string{"0"}}.run(s)
	if want := (Summary{Failed: 1, Blocked: len(steps) - 1}); r.Summary != want {
		t.Errorf("got %+v, want %+v", r.Summary, want)
	}
}

// Shares of one bucket and one role each, the recipe's steps of a share.
func BenchmarkSchedule(b *testing.B) {
	for _, shares := range []int{170, 1_700, 17_000} {
		steps := make([]*plan.Change, 0, 6*shares)
		for i := range shares {
			n := fmt.Sprintf("%06d", i)
			steps = append(steps,
				change("bucket"+n), change("role"+n), change("policy"+n, policyOf(plan.TypePolicy, "", "", gain("r"))),
				change("attachment"+n, needs("policy"+n, "role"+n)), change("profile"+n, needs("role"+n)),
				change("bucketPolicy"+n, needs("bucket"+n),
					policyOf(plan.TypeBucketPolicy, "", "gone", gain("r", "role"+n, "policy"+n, "attachment"+n))),
			)
		}
		changes := changesOf(steps...)
		b.Run(fmt.Sprintf("changes=%d", len(steps)), func(b *testing.B) {
			for b.Loop() {
				s := NewSchedule(changes)
				for t := s.Next(); t != nil; t = s.Next() {
					s.Report(t, Outcome{})
				}
				if n := s.Result().Summary.Done; n != len(steps) {
					b.Fatalf("%d of %d done", n, len(steps))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(steps)), "ns/change")
		})
	}
}
