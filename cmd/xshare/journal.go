package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// runJournal is the file of --journal: JSON lines, one an event, each on disk
// before the write that it tells of begins. What cannot be recorded must not
// happen: the first error ends it, and every write after that is refused.
type runJournal struct {
	file   journalFile
	now    func() time.Time
	common journalLine // what all lines of this run have
	plan   *plan.Plan

	broken chan struct{} // closed by the first error

	mu      sync.Mutex
	err     error
	written map[string]string // digests of what was written, by step id
}

// journalFile is what a journal needs of its file.
type journalFile interface {
	io.Writer
	Sync() error
	Close() error
}

// journalLine is one line. Fields that do not apply are left out.
type journalLine struct {
	Time         time.Time `json:"time"`
	Run          string    `json:"run"`
	Event        string    `json:"event"` // runStarted, runEnded, or an executor.EventKind
	Who          string    `json:"who"`   // ARN of the caller
	Commit       string    `json:"commit"`
	Repository   string    `json:"repository"`
	Step         string    `json:"step,omitempty"`
	Action       string    `json:"action,omitempty"`
	Phase        string    `json:"phase,omitempty"` // of a bucket policy's two writes: close, open
	Account      string    `json:"account,omitempty"`
	RequestID    string    `json:"requestId,omitempty"`    // of the last write
	DigestBefore string    `json:"digestBefore,omitempty"` // the plan's liveDigest
	DigestAfter  string    `json:"digestAfter,omitempty"`  // of what was written, in the same terms
	Result       string    `json:"result,omitempty"`
	BlockedBy    []string  `json:"blockedBy,omitempty"`
	Error        string    `json:"error,omitempty"`
	DurationMs   *int64    `json:"durationMs,omitempty"`
}

// openJournal opens the file for appending, before anything is called. A last
// line that a crash cut short is ended, so that it spoils no other.
func openJournal(name string) (journalFile, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("--journal: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.Write([]byte("\n"))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--journal: %w", err), file.Close())
	}
	return file, nil
}

// newRunJournal writes the start of a run.
func newRunJournal(file journalFile, p *plan.Plan, run, who, commit string, now func() time.Time) (*runJournal, error) {
	j := &runJournal{
		file: file, now: now, plan: p,
		common: journalLine{Run: run, Who: who, Commit: commit, Repository: p.Repository},
		broken: make(chan struct{}), written: map[string]string{},
	}
	j.write(j.common, "runStarted")
	return j, j.failure()
}

func (j *runJournal) write(line journalLine, event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return
	}
	line.Time, line.Event = j.now().UTC(), event
	text, err := json.Marshal(line)
	if err == nil {
		if _, err = j.file.Write(append(text, '\n')); err == nil {
			err = j.file.Sync()
			if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
				err = nil // a pipe or terminal, which has no disk
			}
		}
	}
	if err != nil {
		j.err = fmt.Errorf("--journal: %w: see that there is room and it can be written, then apply again", err)
		close(j.broken)
	}
}

// failure is the error that ended the journal, or nil.
func (j *runJournal) failure() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// record writes an event of the executor's.
func (j *runJournal) record(e executor.Event) {
	if e.Change == nil || e.Kind == executor.EventWaiting {
		return // of reading, of the interruption itself, and of what was not done yet
	}
	line := j.common
	line.Step, line.Action, line.Phase, line.Account = e.Change.ID, string(e.Change.Action), string(e.Phase), e.Change.Account
	line.DigestBefore, line.BlockedBy, line.RequestID = e.Change.LiveDigest, e.Blocked, e.Done.RequestID
	if e.Kind != executor.EventStarted {
		line.Result = string(e.Kind)
		line.DigestAfter = j.digest(e.Change.ID)
	}
	if e.Duration > 0 {
		ms := e.Duration.Milliseconds()
		line.DurationMs = &ms
	}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	j.write(line, string(e.Kind))
}

func (j *runJournal) digest(step string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.written[step]
}

// end writes how the run ended, and why, and closes the file.
func (j *runJournal) end(err, why error, elapsed time.Duration) error {
	line := j.common
	ms := elapsed.Milliseconds()
	line.DurationMs = &ms
	switch {
	case err == nil:
		line.Result = "done"
	case errors.Is(err, errInterrupted):
		line.Result = "interrupted"
	default:
		line.Result = "failed"
		if !errors.Is(err, errFailed) {
			why = errors.Join(err, why)
		}
	}
	if why != nil {
		line.Error = why.Error()
	}
	j.write(line, "runEnded")
	// A run's first error is told; closing after it tells nothing more.
	return cmp.Or(j.failure(), j.file.Close())
}

// journalledDoer is a Doer that does only what the journal can record.
type journalledDoer struct {
	executor.Doer
	journal *runJournal
}

// Do refuses when the journal is broken, and notes what was written.
func (d journalledDoer) Do(ctx context.Context, change *plan.Change) (executor.Done, error) {
	if err := d.journal.failure(); err != nil {
		return executor.Done{}, fmt.Errorf("not tried, as it could not be recorded: %w", err)
	}
	done, err := d.Doer.Do(ctx, change)
	if err == nil {
		after := ""
		if change.Action != plan.Delete || change.Type == plan.TypeBucketPolicy {
			after = d.journal.plan.Digest(change.Want)
		}
		d.journal.mu.Lock()
		d.journal.written[change.ID] = after
		d.journal.mu.Unlock()
	}
	return done, err
}
