package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/specs"
)

// safeguards are what an apply stands under: the lock, the order of commits and
// the journal, each where it is asked for. When one of them fails, nothing more
// is started, as after an interrupt.
type safeguards struct {
	app   *app
	world *world
	begun time.Time

	file    io.Closer   // the journal's, until it has begun
	journal *runJournal // nil: none

	store   executor.Store // nil: the repository has no lock
	lock    *executor.Lock
	history *history // nil: none is known
	applied string   // version of the record of the last commit applied
	record  bool     // it may be written: this run is about all that changed since

	stop    chan struct{} // closed when nothing more may be started
	ended   context.CancelFunc
	waiting sync.WaitGroup

	mu   sync.Mutex
	lost error // that the lock was
}

// unlockPatience bounds the end of a run that was interrupted.
const unlockPatience = 15 * time.Second

// secure opens the journal, takes the lock and checks the order of commits, in
// this order and before an account is read. What it returns is to be closed.
func (a *app) secure(ctx context.Context, w *world, dir string) (_ *safeguards, err error) {
	g := &safeguards{app: a, world: w, begun: time.Now(), stop: make(chan struct{}), ended: func() {}}
	defer func() {
		if err != nil {
			err = g.close(ctx, err)
		}
	}()
	var file journalFile
	if a.flags.journal != "" {
		if file, err = openJournal(a.flags.journal); err != nil {
			return nil, err
		}
		g.file = file
	}
	if w.repo.Lock != nil {
		if g.history, err = openHistory(ctx, dir); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			a.say("the commit is not known: %v", err)
		} else {
			w.commit = g.history.head
			g.warnOfEdits(ctx)
		}
	}
	run, who := rand.Text(), ""
	if account := callersAccount(w.repo); account != "" && (file != nil || w.repo.Lock != nil) {
		if who, err = w.client.Caller(ctx, account); err != nil {
			return nil, err
		}
	}
	if file != nil {
		g.file = nil
		if g.journal, err = newRunJournal(file, w.plan, run, who, w.commit, time.Now); err != nil {
			return nil, err
		}
	}
	if w.repo.Lock != nil {
		if err := g.acquire(ctx, run, who); err != nil {
			return nil, err
		}
	}
	g.watch(ctx)
	if w.repo.Lock != nil {
		if err := g.checkOrder(ctx); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// callersAccount is the account whose credentials say who runs this: the
// lock's, else the first that is ours.
func callersAccount(repo *specs.Repository) string {
	if repo.Lock != nil {
		return repo.Lock.Account.ID
	}
	at := slices.IndexFunc(repo.Accounts, func(a *specs.Account) bool { return a.Manage })
	if at < 0 {
		return ""
	}
	return repo.Accounts[at].ID
}

// store are the objects that the repository's lock is kept in.
func (w *world) store() executor.Store {
	l := w.repo.Lock
	return w.client.Store(l.Bucket, l.Account.ID, l.Region)
}

func (g *safeguards) acquire(ctx context.Context, run, who string) error {
	w := g.world
	g.store = w.store()
	lock, former, err := executor.AcquireLock(ctx, g.store, w.repo.Name, executor.Holder{ID: run, Who: who, Commit: w.commit}, w.repo.Lock.Expires)
	if err != nil {
		return err
	}
	g.lock = lock
	if former != nil {
		g.app.say("the lock of %s, taken %s, expired %s and is taken over: that run is taken for dead",
			former.Who, former.When.UTC().Format(time.RFC3339), former.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// watch renews the lock, and closes stop when something says that nothing more
// may be started.
func (g *safeguards) watch(ctx context.Context) {
	// The lock is kept until the end, after an interruption too.
	ctx, g.ended = context.WithCancel(context.WithoutCancel(ctx))
	lost := make(chan struct{})
	if g.lock != nil {
		g.waiting.Go(func() {
			if err := g.lock.Keep(ctx); err != nil {
				g.mu.Lock()
				g.lost = err
				g.mu.Unlock()
				g.app.say("%v: nothing more is started", err)
				close(lost)
			}
		})
	}
	var broken chan struct{}
	if g.journal != nil {
		broken = g.journal.broken
	}
	g.waiting.Go(func() {
		select {
		case <-g.app.stop:
		case <-lost:
		case <-broken:
		case <-ctx.Done():
			return
		}
		close(g.stop)
	})
}

// checkOrder refuses a commit that does not follow the one applied last: an
// old pipeline must not open again what was closed since.
func (g *safeguards) checkOrder(ctx context.Context) error {
	last, version, err := executor.ReadApplied(ctx, g.store, g.world.repo.Name)
	if err != nil {
		return err
	}
	g.applied = version
	g.record = len(g.app.flags.only) == 0 && (g.world.since == nil || last != nil && g.world.since.commit == last.Commit)
	if last == nil {
		return nil
	}
	if g.app.flags.forceOlder {
		return nil
	}
	const force = ", or pass --force-older to apply it all the same"
	applied := fmt.Sprintf("commit %s was applied %s by %s", last.Commit, last.When.UTC().Format(time.RFC3339), last.Who)
	if g.history == nil {
		return fmt.Errorf("%s, and which commit this is, is not known: apply from a clone"+force, applied)
	}
	follows, err := g.history.descends(ctx, g.history.head, last.Commit)
	switch {
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("%s, and whether commit %s follows it cannot be told: %w"+force, applied, g.history.head, err)
	case err == nil && !follows:
		return fmt.Errorf("%s, and commit %s does not follow it: what was closed since would be opened again: apply a commit that has it in its history"+force, applied, g.history.head)
	}
	return err
}

// warnOfEdits says so where the specs are not those of their commit. They are
// compared by what they say, so no filter of git's has to run.
func (g *safeguards) warnOfEdits(ctx context.Context) {
	repo, err := g.history.specs(ctx, "HEAD", g.history.head)
	if err == nil && sameRepository(repo, g.world.repo) {
		return
	}
	g.app.say("the specs are not those of commit %s, and count as it: commit them to have them in the history", g.history.head)
}

// emit is the events' way through the journal.
func (g *safeguards) emit(next func(executor.Event)) func(executor.Event) {
	if g.journal == nil {
		return next
	}
	return func(e executor.Event) {
		g.journal.record(e)
		next(e)
	}
}

// doer is a Doer that does only what can be recorded.
func (g *safeguards) doer(d executor.Doer) executor.Doer {
	if g.journal == nil {
		return d
	}
	return journalledDoer{d, g.journal}
}

// failure is why nothing more may be started, other than an interrupt.
func (g *safeguards) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost != nil {
		return g.lost
	}
	if g.journal != nil {
		return g.journal.failure()
	}
	return nil
}

// complete notes that everything was carried out, so that older commits are
// refused from here on.
func (g *safeguards) complete(ctx context.Context) error {
	if g.failure() != nil {
		return nil //nolint:nilerr // it is told where it happened
	}
	switch {
	case g.lock == nil || g.history == nil:
		return nil
	case !g.record:
		g.app.say("the last commit applied is not recorded, as this run was not about all shares: apply without --only and --since, or with --since that commit")
		return nil
	}
	return executor.WriteApplied(ctx, g.store, g.world.repo.Name, g.applied,
		executor.Applied{Commit: g.history.head, When: time.Now(), Who: g.lock.Holder().Who})
}

// close releases the lock and ends the journal, however the run ended, and
// returns how: with err, else with what went wrong here, which is told.
func (g *safeguards) close(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockPatience)
	defer cancel()
	g.ended()
	g.waiting.Wait()
	var errs []error
	if g.lock != nil {
		if err := g.lock.Release(ctx); err != nil && g.lost == nil { // that it was lost is told
			errs = append(errs, fmt.Errorf("%w: see who else was at work, then run `xshare plan`", err))
		}
	}
	if g.journal != nil {
		if err := g.journal.end(err, g.failure(), time.Since(g.begun)); err != nil {
			errs = append(errs, err)
		}
	}
	if g.file != nil {
		errs = append(errs, g.file.Close())
	}
	wrong := errors.Join(errs...)
	if wrong != nil {
		g.app.say("%v", wrong)
		wrong = errFailed
	}
	if err != nil {
		return err
	}
	return wrong
}

// say tells on stderr.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.streams.err, "xshare: "+format+"\n", args...)
}
