package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a Store that keeps its documents, as S3 would.
type memory struct {
	mu       sync.Mutex
	texts    map[string]string
	versions map[string]string
	writes   int
	lose     bool  // the answers of writes are lost, once: they are sent again
	cut      bool  // the caller is interrupted after a write, once
	down     error // what every call fails with
}

func newMemory() *memory { return &memory{texts: map[string]string{}, versions: map[string]string{}} }

// write does one write, and a second time where its answer is lost.
func (m *memory) write(name string, condition func() error, text *string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if m.down != nil {
			return "", m.down
		}
		if err := condition(); err != nil {
			return "", err
		}
		m.writes++
		if text == nil {
			delete(m.texts, name)
			delete(m.versions, name)
		} else {
			m.texts[name], m.versions[name] = *text, fmt.Sprint(m.writes)
		}
		if m.cut {
			m.cut = false
			return "", context.Canceled
		}
		if !m.lose {
			return m.versions[name], nil
		}
		m.lose = false
	}
}

func (m *memory) Create(_ context.Context, name string, text []byte) (string, error) {
	s := string(text)
	return m.write(name, func() error {
		if m.versions[name] != "" {
			return ErrExists
		}
		return nil
	}, &s)
}

func (m *memory) Replace(_ context.Context, name, version string, text []byte) (string, error) {
	s := string(text)
	return m.write(name, func() error {
		switch m.versions[name] {
		case "":
			return ErrAbsent
		case version:
			return nil
		}
		return ErrChanged
	}, &s)
}

func (m *memory) Delete(_ context.Context, name, version string) error {
	_, err := m.write(name, func() error {
		if at := m.versions[name]; at != "" && at != version {
			return ErrChanged
		}
		return nil
	}, nil)
	return err
}

func (m *memory) Get(_ context.Context, name string) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.down != nil:
		return nil, "", m.down
	case m.versions[name] == "":
		return nil, "", ErrAbsent
	}
	return []byte(m.texts[name]), m.versions[name], nil
}

func (m *memory) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

var ann, bob = Holder{Who: "arn:ann", Commit: "abc"}, Holder{Who: "arn:bob", Commit: "def"}

func acquire(t *testing.T, store Store, h Holder) *Lock {
	t.Helper()
	l, _, err := AcquireLock(t.Context(), store, "acme", h, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLockIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		first := acquire(t, store, ann)
		time.Sleep(10 * time.Minute)
		_, _, err := AcquireLock(t.Context(), store, "acme", bob, time.Hour)
		held, ok := errors.AsType[*HeldError](err)
		if !ok {
			t.Fatalf("the lock was taken twice: %v", err)
		}
		want := "the repository is locked by arn:ann since 2000-01-01T00:00:00Z (10m0s ago), to apply commit abc, until 2000-01-01T01:00:00Z unless it is renewed: " +
			"wait for that run, or, if it is dead, remove its lock with `xshare unlock`"
		if held.Error() != want {
			t.Errorf("got  %s\nwant %s", held, want)
		}
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := acquire(t, store, bob).Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(store.texts) != 0 {
			t.Errorf("what stayed: %v", store.texts)
		}
	})
}

func TestOneOfManyGetsTheLock(t *testing.T) {
	store := newMemory()
	got := make(chan error)
	const many = 20
	for range many {
		go func() {
			_, _, err := AcquireLock(t.Context(), store, "acme", ann, time.Hour)
			got <- err
		}()
	}
	winners := 0
	for range many {
		err := <-got
		if err == nil {
			winners++
		} else if _, held := errors.AsType[*HeldError](err); !held {
			t.Error(err)
		}
	}
	if winners != 1 {
		t.Errorf("%d have the lock", winners)
	}
}

func TestExpiredLockIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		dead := acquire(t, store, ann)
		time.Sleep(time.Hour)
		second, former, err := AcquireLock(t.Context(), store, "acme", bob, time.Hour)
		if err != nil || former == nil || former.Who != "arn:ann" {
			t.Fatalf("former %v, %v", former, err)
		}
		if err := dead.Release(t.Context()); !errors.Is(err, ErrLockLost) || !strings.Contains(err.Error(), "held by arn:bob") {
			t.Errorf("the dead run released: %v", err)
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLockIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		l := acquire(t, store, ann)
		ctx, cancel := context.WithCancel(t.Context())
		kept := make(chan error, 1)
		go func() { kept <- l.Keep(ctx) }()
		for range 20 {
			time.Sleep(29 * time.Minute)
			h, _, err := ReadLock(t.Context(), store, "acme")
			if err != nil || time.Until(h.Expires) < 30*time.Minute {
				t.Fatalf("%v is left of its life, %v", time.Until(h.Expires), err)
			}
		}
		// A store that is down for a while, and an answer that is lost, are no loss.
		store.set(func() { store.down = errors.New("no answer") })
		time.Sleep(20 * time.Minute)
		store.set(func() { store.down, store.lose = nil, true })
		time.Sleep(time.Hour)
		cancel()
		if err := <-kept; err != nil {
			t.Error(err)
		}
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLockIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*memory)
		want    string
	}{
		"removed":    {func(m *memory) { m.texts, m.versions = map[string]string{}, map[string]string{} }, "the lock was lost: it was removed"},
		"taken over": {func(m *memory) { m.texts[LockName("acme")] = string(bob.text()); m.versions[LockName("acme")] = "x" }, "the lock was lost: it is held by arn:bob now"},
		"written to": {func(m *memory) { m.texts[LockName("acme")] = "?"; m.versions[LockName("acme")] = "x" }, "the lock was lost: it is held by something else now"},
		"store down": {func(m *memory) { m.down = errors.New("no answer") }, "the lock was lost: it could not be renewed before it expired: no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemory()
				l := acquire(t, store, ann)
				expires := l.Holder().Expires
				store.set(func() { c.happens(store) })
				err := l.Keep(t.Context())
				if !errors.Is(err, ErrLockLost) || err.Error() != c.want {
					t.Errorf("kept: %v", err)
				}
				if !time.Now().Before(expires) {
					t.Error("it was noticed after the lock's end")
				}
				writes := store.writes
				store.set(func() { store.down = nil })
				if err := l.Release(t.Context()); !errors.Is(err, ErrLockLost) {
					t.Errorf("released: %v", err)
				}
				if store.writes != writes {
					t.Error("a lock that is another's was written to")
				}
			})
		})
	}
}

// Whichever write's answer is lost, the lock is ours.
func TestLockSurvivesLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.lose = true
		_ = acquire(t, store, ann)
		time.Sleep(2 * time.Hour)
		store.lose = true
		l, former, err := AcquireLock(t.Context(), store, "acme", bob, time.Hour)
		if err != nil || former == nil {
			t.Fatalf("former %v, %v", former, err)
		}
		store.lose = true
		if err := l.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An interrupt while the lock is taken leaves none behind, and none of another.
func TestLockIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		for range 2 { // on nothing, and on one that has expired
			store.cut = true
			if l, _, err := AcquireLock(t.Context(), store, "acme", bob, time.Hour); l != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, %v", l, err)
			}
			if len(store.texts) != 0 {
				t.Errorf("what stayed: %v", store.texts)
			}
			_ = acquire(t, store, ann)
			time.Sleep(time.Hour)
		}
		l := acquire(t, store, ann)
		store.down = context.Canceled
		if _, _, err := AcquireLock(t.Context(), store, "acme", bob, time.Hour); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		store.down = nil
		if err := l.Release(t.Context()); err != nil {
			t.Errorf("the lock of another was removed: %v", err)
		}
	})
}

func TestLockThatIsNone(t *testing.T) {
	store := newMemory()
	if _, err := store.Create(t.Context(), LockName("acme"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := AcquireLock(t.Context(), store, "acme", ann, time.Hour); !errors.Is(err, ErrNotALock) {
		t.Errorf("got %v", err)
	}
}

// Whoever writes to the lock's bucket does nothing to a terminal.
func TestLockIsShownPlainly(t *testing.T) {
	store := newMemory()
	h := Holder{ID: "x", Who: "a\x1b[2Jb", Commit: "c\u202ed", Expires: time.Now().Add(time.Hour)}
	if _, err := store.Create(t.Context(), LockName("acme"), h.text()); err != nil {
		t.Fatal(err)
	}
	_, _, err := AcquireLock(t.Context(), store, "acme", ann, time.Hour)
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") || !strings.Contains(err.Error(), "a\ufffd[2Jb") {
		t.Errorf("got %q", err)
	}
}

func TestLockFailsWithItsStore(t *testing.T) {
	store := newMemory()
	store.down = errors.New("AccessDenied")
	if l, _, err := AcquireLock(t.Context(), store, "acme", ann, time.Hour); l != nil || !errors.Is(err, store.down) {
		t.Errorf("got %v, %v", l, err)
	}
}

func TestApplied(t *testing.T) {
	store := newMemory()
	one, two, three := strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("3", 40)
	read := func() (*Applied, string) {
		t.Helper()
		a, version, err := ReadApplied(t.Context(), store, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return a, version
	}
	write := func(version, commit string) error {
		return WriteApplied(t.Context(), store, "acme", version, Applied{Commit: commit, Who: "arn:ann", When: time.Unix(1e9, 0)})
	}
	if a, version := read(); a != nil || version != "" {
		t.Fatalf("got %v", a)
	}
	store.lose = true
	if err := write("", one); err != nil {
		t.Fatal(err)
	}
	a, version := read()
	if a == nil || a.Commit != one || a.Who != "arn:ann" {
		t.Fatalf("got %v", a)
	}
	if err := write("", two); !errors.Is(err, ErrExists) {
		t.Errorf("a record was written over: %v", err)
	}
	store.lose = true
	if err := write(version, two); err != nil {
		t.Error(err)
	}
	if err := write(version, three); !errors.Is(err, ErrChanged) {
		t.Errorf("another's record was written over: %v", err)
	}
	if a, _ := read(); a.Commit != two {
		t.Errorf("got %v", a)
	}
	for _, text := range []string{"?", "{}", `{"commit": "HEAD"}`, `{"commit": "--all"}`} {
		store.set(func() { store.texts[AppliedName("acme")] = text })
		if _, _, err := ReadApplied(t.Context(), store, "acme"); err == nil {
			t.Errorf("%s was taken for a record", text)
		}
	}
}
