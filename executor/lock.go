package executor

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Holder is who has the lock: the text of the lock's document.
type Holder struct {
	ID      string    `json:"id"`     // of the run
	Who     string    `json:"who"`    // ARN of the caller
	When    time.Time `json:"when"`   // it was taken
	Commit  string    `json:"commit"` // that is applied; empty where it is not known
	Expires time.Time `json:"expires"`
}

// LockName is the name of a repository's lock in its Store.
func LockName(repository string) string { return "xshare/" + repository + ".lock" }

// HeldError is that somebody else has the lock.
type HeldError struct {
	Holder Holder
	Now    time.Time
}

// Error says who has it, since when, for what and until when, and how to mend it.
func (e *HeldError) Error() string {
	h := e.Holder
	commit := ""
	if h.Commit != "" {
		commit = ", to apply commit " + h.Commit
	}
	return fmt.Sprintf("the repository is locked by %s since %s (%s ago)%s, until %s unless it is renewed: wait for that run, or, if it is dead, remove its lock with `xshare unlock`",
		h.Who, stamp(h.When), e.Now.Sub(h.When).Round(time.Second), commit, stamp(h.Expires))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ErrLockLost is that a lock was removed or taken over while it was held, or
// could not be renewed before it expired: somebody else may be at work.
var ErrLockLost = errors.New("the lock was lost")

// Lock keeps two runs on one repository apart.
//
// Premise: S3 writes on condition, so of two that create or replace one
// object one wins. The clocks of those who take the lock agree within its
// life. A lock that is lost is noticed only when it is renewed or released, so
// it narrows the time in which two may write, and does not close it; what each
// write re-reads is what keeps the rest.
type Lock struct {
	store Store
	name  string
	life  time.Duration

	mu      sync.Mutex // over all calls, so that a renewal and the release take turns
	holder  Holder
	version string
	err     error
}

// AcquireLock takes the repository's lock for a life that Keep renews. holder
// says who, for which commit and, if it has an id, which run; the rest of it is
// filled in. If somebody else
// has it, the error is a *HeldError. A lock that has expired is taken over, and
// its former holder is returned.
func AcquireLock(ctx context.Context, store Store, repository string, holder Holder, life time.Duration) (_ *Lock, former *Holder, err error) {
	now := time.Now()
	holder.ID = cmp.Or(holder.ID, rand.Text())
	holder.When, holder.Expires = now.UTC(), now.Add(life).UTC()
	l := &Lock{store: store, name: LockName(repository), life: life, holder: holder}
	// A lock that vanishes between a create and a read was released; more than
	// a few such turns are bad luck, and no reason to go on for ever.
	for range 5 {
		l.version, err = store.Create(ctx, l.name, l.holder.text())
		switch {
		case err == nil:
			return l, former, nil
		case !errors.Is(err, ErrExists):
			l.abandon(ctx, err)
			return nil, nil, err
		}
		there, version, err := ReadLock(ctx, store, repository)
		switch {
		case errors.Is(err, ErrAbsent):
			continue
		case err != nil:
			return nil, nil, err
		case there.ID == holder.ID: // an answer was lost
			l.version = version
			return l, former, nil
		case time.Now().Before(there.Expires):
			return nil, nil, &HeldError{Holder: *there, Now: time.Now()}
		}
		former = there
		l.version, err = store.Replace(ctx, l.name, version, l.holder.text())
		switch {
		case err == nil:
			return l, former, nil
		case errors.Is(err, ErrChanged), errors.Is(err, ErrAbsent):
			continue // somebody else was faster, or this was our own write: see again
		}
		l.abandon(ctx, err)
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("the lock %s changes hands too fast to be taken: try again", l.name)
}

// abandonPatience bounds the removal of a lock that may have been taken.
const abandonPatience = 10 * time.Second

// abandon removes the lock if a write that was cut short, by an interrupt or
// for want of an answer, has taken it all the same. Where S3 said no, it has not.
func (l *Lock) abandon(ctx context.Context, err error) {
	if api, ok := errors.AsType[*APIError](err); ok && api.Code != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonPatience)
	defer cancel()
	_ = l.Release(ctx) // if that fails as well, the lock expires
}

// ReadLock returns who has the repository's lock, and the lock's version;
// ErrAbsent if nobody has.
func ReadLock(ctx context.Context, store Store, repository string) (*Holder, string, error) {
	text, version, err := store.Get(ctx, LockName(repository))
	if err != nil {
		return nil, "", err
	}
	var h Holder
	if err := json.Unmarshal(text, &h); err != nil || h.Expires.IsZero() {
		// Not to be taken for expired: nobody knows who wrote it, and why.
		return nil, version, fmt.Errorf("the lock %s holds something else than a lock: see what it is, and remove it with `xshare unlock`: %w", LockName(repository), ErrNotALock)
	}
	h.Who, h.Commit = shown(h.Who), shown(h.Commit)
	return &h, version, nil
}

// shown is a text that somebody else may have written, without what would do
// something to a terminal.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// ErrNotALock is that what is in the lock's place cannot be read as one.
var ErrNotALock = errors.New("it is no lock of xshare's")

// Holder is who has this lock: the caller.
func (l *Lock) Holder() Holder {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder
}

// Keep renews the lock, each time before half its life is over, until ctx
// ends. It returns nil then, or an ErrLockLost as soon as the lock is lost: when
// it is another's, or when it could not be renewed until shortly before its end.
func (l *Lock) Keep(ctx context.Context) error {
	pause := l.life / 3
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		expires := l.Holder().Expires
		err := l.renew(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the caller ended it
		}
		switch {
		case err == nil:
			pause = l.life / 3
		case errors.Is(err, ErrLockLost):
			return err
		case time.Until(expires) < l.life/4: // the next try could end too late
			return l.lost(fmt.Errorf("%w: it could not be renewed before it expired: %w", ErrLockLost, err))
		default:
			pause = l.life / 12 // the store may answer again
		}
	}
}

// renew gives the lock another life. A try that takes long is cut off, so that
// the end of the lock is never slept through.
func (l *Lock) renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	ctx, cancel := context.WithTimeout(ctx, l.life/6)
	defer cancel()
	next := l.holder
	next.Expires = time.Now().Add(l.life).UTC()
	version, err := l.store.Replace(ctx, l.name, l.version, next.text())
	if errors.Is(err, ErrChanged) {
		version, err = l.own(ctx)
	}
	if errors.Is(err, ErrAbsent) {
		err = fmt.Errorf("%w: it was removed", ErrLockLost)
	}
	switch {
	case err == nil:
		l.holder, l.version = next, version
	case errors.Is(err, ErrLockLost):
		l.err = err
	}
	return err
}

// own returns the version of a lock that is still ours: a write whose answer
// was lost looks like somebody else's.
func (l *Lock) own(ctx context.Context) (string, error) {
	text, version, err := l.store.Get(ctx, l.name)
	if errors.Is(err, ErrAbsent) {
		return "", fmt.Errorf("%w: it was removed", ErrLockLost)
	}
	if err != nil {
		return "", err
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil || h.ID != l.holder.ID {
		who := shown(h.Who)
		if who == "" {
			who = "something else"
		}
		return "", fmt.Errorf("%w: it is held by %s now", ErrLockLost, who)
	}
	return version, nil
}

func (l *Lock) lost(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	return err
}

// Release removes the lock. If it is not ours any more that is an ErrLockLost,
// and what is there stays.
func (l *Lock) Release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	version, err := l.own(ctx)
	if err == nil {
		err = l.store.Delete(ctx, l.name, version)
	}
	if errors.Is(err, ErrChanged) {
		err = fmt.Errorf("%w: it was taken over", ErrLockLost)
	}
	if err == nil {
		l.err = errors.New("the lock was released")
	}
	return err
}

func (h Holder) text() []byte { return document(h) }

// document is a document's text.
func document(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("executor: %T does not marshal: %v", v, err)) // plain data
	}
	return append(text, '\n')
}
