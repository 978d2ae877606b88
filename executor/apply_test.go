package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
)

// world is a Doer over an AWS in memory: it keeps what was made, refuses a
// bucket policy that names a role which is not there, and two writes at once
// on one bucket. A write takes one second, or as long as slow says.
type world struct {
	mu      sync.Mutex
	made    map[string]bool     // by change id
	grants  map[string][]string // roles in bucket policies, by bucket
	broken  map[string]error    // accounts
	slow    map[string]time.Duration
	writing map[string]bool // by bucket
	atWork  int
	peak    int // most writes at a time
}

func newWorld(roles ...string) *world {
	w := &world{
		made: map[string]bool{}, grants: map[string][]string{}, broken: map[string]error{},
		slow: map[string]time.Duration{}, writing: map[string]bool{},
	}
	for _, r := range roles {
		w.made[r] = true
	}
	return w
}

func (w *world) Do(ctx context.Context, c *plan.Change) (Done, error) {
	if err := w.begin(c); err != nil {
		return Done{}, err
	}
	takes, ok := w.slow[c.ID]
	if !ok {
		takes = time.Second
	}
	var err error
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		err = fmt.Errorf("%s: %w", c.ID, ctx.Err())
	}
	return w.end(c, err)
}

func (w *world) begin(c *plan.Change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.broken[c.Account]; err != nil {
		return &APIError{Account: c.Account, Service: "iam", Operation: "CreateRole", Resource: c.Name, Code: "AccessDenied", Err: err}
	}
	if c.Type == plan.TypeBucket || c.Type == plan.TypeBucketPolicy {
		if w.writing[c.Name] {
			return errors.New("OperationAborted: bucket " + c.Name + " is being written to")
		}
		w.writing[c.Name] = true
	}
	w.atWork++
	w.peak = max(w.peak, w.atWork)
	return nil
}

func (w *world) end(c *plan.Change, err error) (Done, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atWork--
	delete(w.writing, c.Name)
	if err != nil {
		return Done{}, err
	}
	roles := rolesIn(c)
	if c.Type == plan.TypeBucketPolicy {
		for _, r := range roles {
			if !w.made[r] {
				return Done{}, errors.New("MalformedPolicy: Invalid principal in policy: " + r)
			}
		}
		if slices.Equal(w.grants[c.Name], roles) {
			return Done{}, nil
		}
		w.grants[c.Name] = roles
	}
	w.made[c.ID] = true
	return Done{Writes: 1, RequestID: "of " + c.ID}, nil
}

// inBucket names the change's bucket.
func inBucket(name string) func(*plan.Change) { return func(c *plan.Change) { c.Name = name } }

// twoShares is a bucket that two roles of two accounts are given and an old
// one loses.
func twoShares() *plan.Changes {
	return changesOf(
		change("bucket", inBucket("b"), func(c *plan.Change) { c.Type, c.Action = plan.TypeBucket, plan.Noop }),
		change("role1"), change("attachment1", needs("role1")),
		change("role2"), change("attachment2", needs("role2")),
		change("policy", needs("bucket"), inBucket("b"), policyOf(plan.TypeBucketPolicy, "kept", "old",
			gain("role1", "role1", "attachment1"), gain("role2", "role2", "attachment2"))),
		change("detach", after("policy")),
	)
}

// line is an event in short.
func line(e Event) string {
	s := string(e.Kind)
	if e.Change != nil {
		s += " " + e.Change.ID
	}
	if e.Phase != PhaseWhole {
		s += ":" + string(e.Phase)
	}
	if len(e.Blocked) > 0 {
		s += fmt.Sprint(" by ", e.Blocked)
	}
	return fmt.Sprintf("%s %d/%d", s, e.Finished, e.Total)
}

func TestApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("kept")
		var events []string
		begun := time.Now()
		r := Apply(t.Context(), nil, w, twoShares(), 2, func(e Event) { events = append(events, line(e)) })
		if want := (Summary{Unchanged: 1, Done: 6}); r.Summary != want || r.Interrupted {
			t.Errorf("got %+v, interrupted %v; want %+v", r.Summary, r.Interrupted, want)
		}
		want := []string{
			"started policy:close 0/6", "started role1 0/6",
		}
		if diff := cmp.Diff(want, events[:2]); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if last := events[len(events)-1]; !strings.HasSuffix(last, "6/6") {
			t.Errorf("the last event is %q", last)
		}
		if got := w.grants["b"]; !slices.Equal(got, []string{"kept", "role1", "role2"}) {
			t.Errorf("the bucket lets in %v", got)
		}
		// Seven writes by two workers, the last of which waits for the others.
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("it took %v", took)
		}
		policy := r.Changes[5]
		if policy.Done.Writes != 2 || policy.Duration != 2*time.Second {
			t.Errorf("the bucket policy had %d writes in %v", policy.Done.Writes, policy.Duration)
		}
	})
}

func TestApplyTellsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("kept")
		w.broken["account of role1"] = errors.New("no such account")
		changes := twoShares()
		changes.Steps = append(changes.Steps, change("impossible", action(plan.Error)), change("knock-on", needs("impossible")))
		var events []string
		Apply(t.Context(), nil, w, changes, 1, func(e Event) { events = append(events, line(e)) })
		want := []string{
			"failed impossible 1/8",
			"blocked knock-on by [impossible] 2/8",
			"started policy:close 2/8",
			"done policy:close 2/8",
			"started role1 2/8",
			"failed role1 3/8",
			"blocked attachment1 by [role1] 4/8",
			"started role2 4/8",
			"done role2 5/8",
			"started attachment2 5/8",
			"done attachment2 6/8",
			"started detach 6/8",
			"done detach 7/8",
			"started policy:open 7/8",
			"partial policy:open by [role1] 8/8",
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// One account is broken: all else is done, the bucket has lost what it was to
// lose, and a second run finishes the rest.
func TestApplyIsFinishedByASecondRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("kept", "old")
		w.grants["b"] = []string{"kept", "old"}
		denied := errors.New("AssumeRole is denied")
		w.broken["account of role2"] = denied
		r := Apply(t.Context(), nil, w, twoShares(), 8, nil)
		if want := (Summary{Unchanged: 1, Done: 3, Partial: 1, Failed: 1, Blocked: 1}); r.Summary != want {
			t.Errorf("got %+v, want %+v", r.Summary, want)
		}
		if api, ok := errors.AsType[*APIError](r.Changes[3].Err); !ok || api.Account != "account of role2" || !errors.Is(api, denied) {
			t.Errorf("role2 failed with %v", r.Changes[3].Err)
		}
		if got := w.grants["b"]; !slices.Equal(got, []string{"kept", "role1"}) {
			t.Errorf("the bucket lets in %v", got)
		}

		clear(w.broken)
		r = Apply(t.Context(), nil, w, twoShares(), 8, nil)
		if want := (Summary{Unchanged: 1, Done: 6}); r.Summary != want {
			t.Errorf("again: got %+v, want %+v", r.Summary, want)
		}
		if got := w.grants["b"]; !slices.Equal(got, []string{"kept", "role1", "role2"}) {
			t.Errorf("the bucket lets in %v", got)
		}
	})
}

func TestApplyBoundsItsWork(t *testing.T) {
	for _, concurrency := range []int{0, 1, 3, 50} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var steps []*plan.Change
				for i := range 10 {
					steps = append(steps, change(fmt.Sprint(i)))
				}
				w := newWorld()
				r := Apply(t.Context(), nil, w, changesOf(steps...), concurrency, nil)
				if want := min(10, max(concurrency, 1)); w.peak != want || r.Summary.Done != 10 {
					t.Errorf("%d writes at a time, want %d; %+v", w.peak, want, r.Summary)
				}
			})
		})
	}
}

func TestApplyStopped(t *testing.T) {
	steps := func() *plan.Changes {
		return changesOf(change("a"), change("b", needs("a")), change("c"), change("d"), change("n", action(plan.Noop)))
	}
	tests := map[string]struct {
		stop, cancel time.Duration // since the start; negative: never
		took         time.Duration
		told         map[string]Status
		events       []string
	}{
		"in good time": {
			stop: 2500 * time.Millisecond, cancel: -1, took: 3 * time.Second,
			told: map[string]Status{"a": "done", "b": "done", "c": "done", "d": "notStarted", "n": "unchanged"},
			events: []string{
				"started a 0/4", "done a 1/4", "started b 1/4", "done b 2/4", "started c 2/4",
				"stopping 2/4", "done c 3/4", "notStarted d 4/4",
			},
		},
		"before it begins": {
			stop: 0, cancel: -1,
			told:   map[string]Status{"a": "notStarted", "b": "notStarted", "c": "notStarted", "d": "notStarted", "n": "unchanged"},
			events: []string{"stopping 0/4", "notStarted a 1/4", "notStarted c 2/4", "notStarted d 3/4", "notStarted b 4/4"},
		},
		"cut short before it begins": {
			stop: -1, cancel: 0,
			told:   map[string]Status{"a": "notStarted", "b": "notStarted", "c": "notStarted", "d": "notStarted", "n": "unchanged"},
			events: []string{"stopping 0/4", "notStarted a 1/4", "notStarted c 2/4", "notStarted d 3/4", "notStarted b 4/4"},
		},
		"then cut short": {
			stop: 500 * time.Millisecond, cancel: 700 * time.Millisecond, took: 700 * time.Millisecond,
			told: map[string]Status{"a": "failed", "b": "blocked", "c": "notStarted", "d": "notStarted", "n": "unchanged"},
			events: []string{
				"started a 0/4", "stopping 0/4", "failed a 1/4", "blocked b by [a] 2/4", "notStarted c 3/4", "notStarted d 4/4",
			},
		},
		"cut short at once": {
			stop: -1, cancel: 500 * time.Millisecond, took: 500 * time.Millisecond,
			told: map[string]Status{"a": "failed", "b": "blocked", "c": "notStarted", "d": "notStarted", "n": "unchanged"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stop := make(chan struct{})
				for when, interrupt := range map[time.Duration]func(){
					test.stop: func() { close(stop) }, test.cancel: cancel,
				} {
					if when == 0 {
						interrupt()
					} else if when > 0 {
						time.AfterFunc(when, interrupt)
					}
				}
				begun := time.Now()
				var events []string
				r := Apply(ctx, stop, newWorld(), steps(), 1, func(e Event) { events = append(events, line(e)) })
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if !r.Interrupted {
					t.Error("the result does not tell of the interruption")
				}
				for _, c := range r.Changes {
					if c.Status != test.told[c.Change.ID] {
						t.Errorf("%s is %s, want %s", c.Change.ID, c.Status, test.told[c.Change.ID])
					}
					cut := c.Status == StatusNotStarted || c.Status == StatusFailed
					if errors.Is(c.Err, ErrInterrupted) != cut {
						t.Errorf("%s is %s because of %v", c.Change.ID, c.Status, c.Err)
					}
				}
				if diff := cmp.Diff(test.events, events); test.events != nil && diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// doer is a Doer for what a world cannot do.
type doer func(ctx context.Context, c *plan.Change) (Done, error)

func (d doer) Do(ctx context.Context, c *plan.Change) (Done, error) { return d(ctx, c) }

func TestApplySurvivesItsDoer(t *testing.T) {
	var nothing map[string]int
	w := newWorld()
	faulty := doer(func(ctx context.Context, c *plan.Change) (Done, error) {
		switch c.ID {
		case "nil map":
			nothing["x"] = 1
		case "panics":
			panic(errors.New("out of paper"))
		case "leaves":
			runtime.Goexit()
		}
		return w.Do(ctx, c)
	})
	synctest.Test(t, func(t *testing.T) {
		r := Apply(t.Context(), nil, faulty, changesOf(
			change("nil map"), change("panics"), change("leaves"), change("fine"), change("needy", needs("panics")),
		), 2, nil)
		want := []string{"nil map", "out of paper", "ended without an answer", "", ""}
		for i, c := range r.Changes {
			if got := fmt.Sprint(c.Err); c.Err != nil && !strings.Contains(got, want[i]) || (c.Err != nil) != (want[i] != "") {
				t.Errorf("%s: %v, want %q", c.Change.ID, c.Err, want[i])
			}
		}
		if want := (Summary{Failed: 3, Done: 1, Blocked: 1}); r.Summary != want {
			t.Errorf("got %+v, want %+v", r.Summary, want)
		}
		for _, c := range r.Changes[:2] {
			p, ok := errors.AsType[*PanicError](c.Err)
			if !ok || !strings.Contains(p.Where, "TestApplySurvivesItsDoer") || !strings.Contains(p.Where, "apply_test.go:") {
				t.Errorf("%s: the panic is said to be in %+v", c.Change.ID, p)
			}
		}
	})
}

// doerFunc is a Doer that is a function.
type doerFunc func(context.Context, *plan.Change) (Done, error)

func (f doerFunc) Do(ctx context.Context, c *plan.Change) (Done, error) { return f(ctx, c) }

// What a Doer waits for is an event of its change, before that ends; what it
// tells when nobody listens any more holds nothing up.
func TestApplyTellsOfWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := Waiting{For: "IAM knows role a", SoFar: 12 * time.Second, AtMost: 2 * time.Minute}
		left := make(chan struct{})
		do := doerFunc(func(ctx context.Context, _ *plan.Change) (Done, error) {
			TellWaiting(ctx, w)
			go func() {
				<-time.After(time.Hour)
				TellWaiting(ctx, w)
				close(left)
			}()
			return Done{}, nil
		})
		var got []string
		Apply(t.Context(), nil, do, changesOf(change("a")), 1, func(e Event) {
			got = append(got, fmt.Sprintf("%s %s %s %d/%d", e.Kind, e.Change.ID, e.Waiting.For, e.Finished, e.Total))
		})
		want := []string{"started a  0/1", "waiting a IAM knows role a 0/1", "done a  1/1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		<-left
		TellWaiting(t.Context(), w) // nobody wants to know
	})
}
