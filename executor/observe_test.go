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

// accounts is an Observer of accounts in memory. To read one takes a second.
type accounts struct {
	read map[string]func() (*plan.Snapshot, error) // absent: a snapshot of nothing

	mu     sync.Mutex
	atWork int
	peak   int // most at a time
}

func (a *accounts) working(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.atWork += n
	a.peak = max(a.peak, a.atWork)
}

func (a *accounts) Observe(ctx context.Context, want plan.Want) (*plan.Snapshot, error) {
	a.working(+1)
	defer a.working(-1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if read := a.read[want.Account]; read != nil {
		return read()
	}
	return &plan.Snapshot{Account: want.Account}, nil
}

func wants(ids ...string) []plan.Want {
	var list []plan.Want
	for _, id := range ids {
		list = append(list, plan.Want{Account: id})
	}
	return list
}

func TestObserve(t *testing.T) {
	denied := plan.ReadFailure{Scope: plan.ScopeIAM, Code: "AccessDenied", Message: "iam is denied"}
	a := &accounts{read: map[string]func() (*plan.Snapshot, error){
		"refused": func() (*plan.Snapshot, error) {
			return nil, fmt.Errorf("no credentials: %w", &APIError{
				Account: "refused", Service: "sts", Operation: "AssumeRole", Resource: "deployer",
				Code: "AccessDenied", Mend: "let it be assumed", Err: errors.New("denied"),
			})
		},
		"partly": func() (*plan.Snapshot, error) {
			return &plan.Snapshot{Account: "partly", Failures: []plan.ReadFailure{denied}}, nil
		},
		"panics": func() (*plan.Snapshot, error) { panic("out of paper") },
		"leaves": func() (*plan.Snapshot, error) { runtime.Goexit(); return nil, nil },
		"silent": func() (*plan.Snapshot, error) { return nil, nil },
	}}
	all := []string{"fine", "refused", "partly", "panics", "leaves", "silent", "last"}
	synctest.Test(t, func(t *testing.T) {
		var events []string
		failed := map[string]bool{}
		got, err := Observe(t.Context(), a, wants(all...), 2, func(e Event) {
			events = append(events, fmt.Sprintf("%s %d/%d", e.Kind, e.Finished, e.Total))
			if e.Kind == EventRead {
				failed[e.Account] = e.Err != nil
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		message := map[string]string{
			"refused": "AssumeRole", "panics": "out of paper", "leaves": "without an answer", "silent": "without an answer",
		}
		for _, id := range all {
			s := got[id]
			if s == nil || s.Account != id {
				t.Fatalf("%s: the snapshot is %+v", id, s)
			}
			f := s.Failure(plan.ScopeAccount)
			if want := message[id]; (f != nil) != (want != "") || f != nil && !strings.Contains(f.Message, want) {
				t.Errorf("%s: the failure is %+v, want %q", id, f, want)
			}
			if failed[id] != (len(s.Failures) > 0) {
				t.Errorf("%s: the event tells of a failure: %v", id, failed[id])
			}
		}
		want := plan.ReadFailure{
			Scope: plan.ScopeAccount, Code: "AccessDenied", Message: "sts:AssumeRole on deployer: denied", Mend: "let it be assumed",
		}
		if diff := cmp.Diff([]plan.ReadFailure{want}, got["refused"].Failures); diff != "" {
			t.Errorf("the account and the mend are not told beside the message (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]plan.ReadFailure{denied}, got["partly"].Failures); diff != "" {
			t.Errorf("what the observer tells is changed (-want +got):\n%s", diff)
		}
		if a.peak != 2 {
			t.Errorf("%d accounts were read at a time", a.peak)
		}
		order := []string{"reading 0/7", "reading 0/7", "read 1/7", "reading 1/7", "read 2/7"}
		if len(events) != 14 || !slices.Equal(events[:5], order) || events[13] != "read 7/7" {
			t.Errorf("the events are %v", events)
		}
	})
}

func TestFailureInWords(t *testing.T) {
	tests := map[string]struct{ scope, want string }{
		"account": {plan.ScopeAccount, "denied"},
		"IAM":     {plan.ScopeIAM, "denied"},
		"policy":  {plan.ScopePolicy + "p", "denied"},
		"bucket":  {plan.ScopeBucket + "b", "denied"},
		"EC2":     {plan.ScopeEC2 + "eu-west-1", "eu-west-1: denied"},
		"tags":    {plan.ScopeTags + "eu-west-1", "eu-west-1: denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := failure(&plan.Snapshot{Failures: []plan.ReadFailure{{Scope: test.scope, Message: "denied"}}})
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestAPIErrorInWords(t *testing.T) {
	tests := map[string]struct {
		err         APIError
		whole, what string
	}{
		"a call": {
			APIError{Account: "1", Region: "r", Service: "s3", Operation: "GetBucketPolicy", Resource: "b", Mend: "allow it", Err: errors.New("denied")},
			"1 r: s3:GetBucketPolicy on b: denied: allow it", "s3:GetBucketPolicy on b: denied",
		},
		"no call": {
			APIError{Account: "1", Resource: "AWS configuration", Mend: "mend it", Err: errors.New("no profile")},
			"1: AWS configuration: no profile: mend it", "AWS configuration: no profile",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.err.Error(); got != test.whole {
				t.Errorf("Error: %s, want %s", got, test.whole)
			}
			if got := test.err.What(); got != test.what {
				t.Errorf("What: %s, want %s", got, test.what)
			}
		})
	}
}

func TestObserveOfNothing(t *testing.T) {
	got, err := Observe(t.Context(), &accounts{}, nil, 0, nil)
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestObserveCancelled(t *testing.T) {
	tests := map[string]struct {
		after time.Duration
		begun []string
	}{
		"before":    {0, nil},
		"meanwhile": {1500 * time.Millisecond, []string{"a", "b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.after == 0 {
					cancel()
				} else {
					time.AfterFunc(test.after, cancel)
				}
				start := time.Now()
				var begun []string
				got, err := Observe(ctx, &accounts{}, wants("a", "b", "c"), 1, func(e Event) {
					if e.Kind == EventReading {
						begun = append(begun, e.Account)
					}
					if e.Err != nil {
						t.Errorf("the interrupt is told as a failure of %s: %v", e.Account, e.Err)
					}
				})
				if got != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, ErrInterrupted) {
					t.Errorf("got %v, %v", got, err)
				}
				if took := time.Since(start); took != test.after || !slices.Equal(begun, test.begun) {
					t.Errorf("it took %v to read %v, want %v and %v", took, begun, test.after, test.begun)
				}
			})
		})
	}
}

// What is wrong with the caller is wrong with all accounts: it is said once, and
// where it is not wrong with all, by account as any other failure.
func TestObserveWithoutACaller(t *testing.T) {
	caller := func(text string) func() (*plan.Snapshot, error) {
		return func() (*plan.Snapshot, error) {
			return nil, &CallerError{&APIError{Account: "the caller", Err: errors.New(text)}}
		}
	}
	for name, tt := range map[string]struct {
		read  map[string]func() (*plan.Snapshot, error)
		alike bool
	}{
		"all alike":       {map[string]func() (*plan.Snapshot, error){"a": caller("expired"), "b": caller("expired")}, true},
		"one can":         {map[string]func() (*plan.Snapshot, error){"a": caller("expired")}, false},
		"each in its way": {map[string]func() (*plan.Snapshot, error){"a": caller("expired"), "b": caller("no profile")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := map[string]int{}
				got, err := Observe(t.Context(), &accounts{read: tt.read}, wants("a", "b"), 2, func(e Event) {
					if e.Kind == EventRead && e.Err != nil {
						told[e.Account]++
					}
				})
				if tt.alike {
					var cause *CallerError
					if !errors.As(err, &cause) || !strings.Contains(err.Error(), "no account can be read: ") || got != nil || len(told) > 0 {
						t.Errorf("error %v, snapshots %v, told %v", err, got, told)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for id := range tt.read {
					if got[id].Failure(plan.ScopeAccount) == nil || told[id] != 1 {
						t.Errorf("%s: snapshot %+v, told %d times", id, got[id], told[id])
					}
				}
			})
		})
	}
}
