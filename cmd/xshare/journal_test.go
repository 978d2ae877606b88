package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// disk is a journal's file with room for so many lines.
type disk struct {
	bytes.Buffer
	room   int
	synced int // bytes
	closed bool
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(p []byte) (int, error) {
	if d.room == 0 {
		return 0, errFull
	}
	d.room--
	return d.Buffer.Write(p)
}

func (d *disk) Sync() error  { d.synced = d.Len(); return nil }
func (d *disk) Close() error { d.closed = true; return nil }

// doer counts what is done, and sees that it was recorded before.
type doer struct {
	t    *testing.T
	disk *disk
	done []string
}

func (d *doer) Do(_ context.Context, c *plan.Change) (executor.Done, error) {
	if recorded := d.disk.String()[:d.disk.synced]; !strings.Contains(recorded, `"event":"started"`) || !strings.Contains(recorded, `"step":"`+c.ID+`"`) {
		d.t.Errorf("%s begins before that is on disk: %s", c.ID, recorded)
	}
	d.done = append(d.done, c.ID)
	return executor.Done{RequestID: "r-" + c.ID, Writes: 1}, nil
}

func roleChange(id string, needs ...string) *plan.Change {
	return &plan.Change{ID: id, Type: plan.TypeRole, Account: "111111111111", Name: id, Action: plan.Create, Needs: needs, Want: plan.Role{Name: id}}
}

// run applies two changes, one after the other, on a disk with room for so
// many lines.
func runJournalled(t *testing.T, room int) (*disk, *doer, *executor.Result, *runJournal) {
	t.Helper()
	d := &disk{room: room}
	p := &plan.Plan{Repository: "acme"}
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	j, err := newRunJournal(d, p, "RUN", "arn:ann", "c0ffee", now)
	if err != nil {
		t.Fatal(err)
	}
	g := &safeguards{journal: j}
	do := &doer{t: t, disk: d}
	changes := &plan.Changes{Plan: p, Steps: []*plan.Change{roleChange("a"), roleChange("b", "a")}}
	result := executor.Apply(t.Context(), j.broken, g.doer(do), changes, 1, g.emit(func(executor.Event) {}))
	return d, do, result, j
}

func TestJournalTellsOfAllWrites(t *testing.T) {
	d, do, _, j := runJournalled(t, 100)
	if err := j.end(nil, nil, time.Second); err != nil || !d.closed {
		t.Fatal(err)
	}
	if len(do.done) != 2 {
		t.Errorf("done %v", do.done)
	}
	var events []string
	for line := range strings.Lines(d.String()) {
		var l journalLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Run != "RUN" || l.Who != "arn:ann" || l.Commit != "c0ffee" || l.Repository != "acme" || l.Time.Year() != 2026 {
			t.Errorf("a line lacks what all have: %s", line)
		}
		if l.Event == "done" && (l.RequestID != "r-"+l.Step || l.DigestAfter == "" || l.Result != "done") {
			t.Errorf("a write is not told of in full: %s", line)
		}
		events = append(events, strings.TrimSpace(l.Event+" "+l.Step))
	}
	if got, want := strings.Join(events, ", "), "runStarted, started a, done a, started b, done b, runEnded"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

// What cannot be recorded does not happen, wherever the disk is full.
func TestJournalStopsTheRun(t *testing.T) {
	for room, want := range map[int]struct {
		done   int
		status executor.Status // of the first change
		next   executor.Status
	}{
		1: {0, executor.StatusFailed, executor.StatusBlocked},  // neither started
		2: {1, executor.StatusDone, executor.StatusNotStarted}, // the first's end is not told
		3: {1, executor.StatusDone, executor.StatusFailed},     // the second's start is not
	} {
		_, do, result, j := runJournalled(t, room)
		if len(do.done) != want.done || result.Changes[0].Status != want.status || result.Changes[1].Status != want.next {
			t.Errorf("room for %d lines: done %v, %s, %s", room, do.done, result.Changes[0].Status, result.Changes[1].Status)
		}
		if err := j.failure(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "see that there is room") {
			t.Errorf("room for %d lines: %v", room, err)
		}
		if err := j.end(errFailed, j.failure(), 0); !errors.Is(err, errFull) {
			t.Errorf("room for %d lines: ended with %v", room, err)
		}
	}
	if _, err := newRunJournal(&disk{}, &plan.Plan{}, "", "", "", time.Now); !errors.Is(err, errFull) {
		t.Errorf("a run began that could not be recorded: %v", err)
	}
}

func TestJournalEnds(t *testing.T) {
	lost := errors.New("the lock was lost")
	for name, c := range map[string]struct {
		err, why error
		want     string
	}{
		"done":        {nil, nil, `"result":"done","durationMs":0}`},
		"interrupted": {errInterrupted, nil, `"result":"interrupted","durationMs":0}`},
		"failed":      {errFailed, nil, `"result":"failed","durationMs":0}`},
		"lost":        {errFailed, lost, `"result":"failed","error":"the lock was lost","durationMs":0}`},
		"error":       {errors.New("denied"), nil, `"result":"failed","error":"denied","durationMs":0}`},
	} {
		d := &disk{room: 2}
		j, err := newRunJournal(d, &plan.Plan{}, "", "", "", time.Now)
		if err == nil {
			err = j.end(c.err, c.why, 0)
		}
		if err != nil || !strings.HasSuffix(d.String(), c.want+"\n") {
			t.Errorf("%s: %v: %s", name, err, d)
		}
	}
}

func TestOpenJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal")
	for _, c := range []struct{ before, want string }{
		{"", "x\n"}, {"a\n", "a\nx\n"}, {`{"cut`, "{\"cut\nx\n"},
	} {
		if err := os.WriteFile(name, []byte(c.before), 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := openJournal(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte("x\n")); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(name); string(got) != c.want {
			t.Errorf("after %q: %q, want %q", c.before, got, c.want)
		}
	}
	if _, err := openJournal(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
}
