package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// world is the whole state: plain data, saved as JSON. Each service has its
// part of it.
type world struct {
	FormatVersion int
	ClockOffset   time.Duration
	Accounts      map[string]*account
	Sessions      map[string]*session   // by access key id
	AccessKeys    map[string]*accessKey `json:",omitempty"` // of users, by id
	Counters      map[string]int        // how many of each name were created, for ids
	Seeded        map[string]bool       // what the seed once put here, so that it is not put here again
	S3            s3World
	EC2           ec2World
	KMS           kmsWorld
	Organizations orgWorld
	SSM           ssmWorld
}

const stateVersion = 1

func newWorld() *world {
	w := &world{FormatVersion: stateVersion}
	w.complete()
	return w
}

// complete makes the maps that an empty or older file lacks.
func (w *world) complete() {
	if w.Accounts == nil {
		w.Accounts = map[string]*account{}
	}
	for _, a := range w.Accounts {
		a.complete()
	}
	if w.AccessKeys == nil {
		w.AccessKeys = map[string]*accessKey{}
	}
	if w.Sessions == nil {
		w.Sessions = map[string]*session{}
	}
	if w.Counters == nil {
		w.Counters = map[string]int{}
	}
	if w.Seeded == nil {
		w.Seeded = map[string]bool{}
	}
	w.S3.complete()
	w.EC2.complete()
	w.KMS.complete()
	w.Organizations.complete()
	w.SSM.complete()
}

// store keeps the world in a file, or nowhere if path is empty.
type store struct {
	path  string
	lock  *flock.Flock
	dirty chan struct{} // holds one token when the world has changed
	stop  chan struct{}
	done  chan struct{}
}

// idle is how long changes are gathered before the file is written.
const idle = 250 * time.Millisecond

// openStore takes the lock and reads the file.
func openStore(path string, patience time.Duration) (*store, *world, error) {
	st := &store{path: path, dirty: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	if path == "" {
		return st, newWorld(), nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, fmt.Errorf("sandbox: state file: %w", err)
	}
	st.lock = flock.New(path + ".lock")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if ok, err := st.lock.TryLockContext(ctx, 20*time.Millisecond); !ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, nil, fmt.Errorf("sandbox: state file %s is used by another sandbox (waited %s for %s.lock): end that one, or take another state file", path, patience, path)
		}
		return nil, nil, fmt.Errorf("sandbox: lock %s.lock: %w", path, err)
	}
	w, err := readWorld(path)
	if err != nil {
		return nil, nil, errors.Join(err, st.lock.Unlock())
	}
	return st, w, nil
}

func readWorld(path string) (*world, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newWorld(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: state file: %w", err)
	}
	w := &world{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("sandbox: state file %s is not a sandbox's state: %w: remove it to start anew", path, err)
	}
	if w.FormatVersion != stateVersion {
		return nil, fmt.Errorf("sandbox: state file %s has format version %d, this xshare knows %d: remove it to start anew", path, w.FormatVersion, stateVersion)
	}
	w.complete()
	return w, nil
}

// touch says that the world has changed.
func (st *store) touch() {
	select {
	case st.dirty <- struct{}{}:
	default: // it is known already
	}
}

// start saves the world now and then, while it changes, until close.
func (st *store) start(s *Server) {
	if st.path == "" {
		close(st.done)
		return
	}
	st.touch() // what the seed added
	go func() {
		defer close(st.done)
		for {
			select {
			case <-st.stop:
				return
			case <-time.After(idle):
				_ = st.save(s) // stays dirty if it fails; close reports it
			}
		}
	}()
}

// save writes the file if the world has changed. The lock is held only while
// the JSON is made.
func (st *store) save(s *Server) error {
	select {
	case <-st.dirty:
	default:
		return nil
	}
	s.mu.Lock()
	text, err := json.Marshal(s.world)
	s.mu.Unlock()
	if err == nil {
		err = renameio.WriteFile(st.path, append(text, '\n'), 0o600)
	}
	if err != nil {
		st.touch()
		return fmt.Errorf("sandbox: save state in %s: %w", st.path, err)
	}
	return nil
}

// close saves a last time and gives the lock back. A nil server saves nothing.
func (st *store) close(s *Server) error {
	var errs []error
	if s != nil {
		close(st.stop)
		<-st.done
		if st.path != "" {
			errs = append(errs, st.save(s))
		}
	}
	if st.lock != nil {
		errs = append(errs, st.lock.Unlock())
	}
	return errors.Join(errs...)
}
