package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
)

// events are those of a run in which one role fails.
func events(t *testing.T) []executor.Event {
	t.Helper()
	byID := map[string]*plan.Change{}
	for _, c := range empty(t, recipeYAML, secondYAML).compare(plan.Options{}).Steps {
		byID[c.ID] = c
	}
	bucket := byID["s3.Bucket/111111111111/mybucket2share"]
	bucketPolicy := byID["s3.BucketPolicy/111111111111/mybucket2share"]
	reports := byID["iam.Role/222222222222/reports"]
	attachment := byID["iam.RolePolicyAttachment/222222222222/reports/xshare.acme-data.reports"]
	instance := byID["ec2.Instance/222222222222/us-east-1/share-client"]
	for id, c := range map[string]*plan.Change{"bucket": bucket, "bucket policy": bucketPolicy, "role": reports, "attachment": attachment, "instance": instance} {
		if c == nil {
			t.Fatalf("no %s in the plan", id)
		}
	}
	blocked := []string{reports.ID}
	return []executor.Event{
		{Kind: executor.EventReading, Account: owner, Total: 2},
		{Kind: executor.EventReading, Account: consumer, Total: 2},
		{Kind: executor.EventRead, Account: owner, Finished: 1, Total: 2},
		{Kind: executor.EventRead, Account: consumer, Finished: 2, Total: 2, Err: errors.New("ec2 \x1b[31mdenied")},
		{Kind: executor.EventStarted, Account: owner, Change: bucket, Total: 5},
		{Kind: executor.EventStarted, Account: consumer, Change: reports, Total: 5},
		{Kind: executor.EventStarted, Account: consumer, Change: instance, Total: 5},
		{
			Kind: executor.EventWaiting, Account: consumer, Change: reports, Total: 5,
			Waiting: executor.Waiting{For: "IAM knows role \x1b[31mbase", SoFar: 12*time.Second + 400*time.Millisecond, AtMost: 2 * time.Minute},
		},
		{Kind: executor.EventDone, Account: owner, Change: bucket, Duration: 230 * time.Millisecond, Finished: 1, Total: 5},
		{Kind: executor.EventFailed, Account: consumer, Change: reports, Err: denied, Duration: time.Second, Finished: 2, Total: 5},
		{Kind: executor.EventFailed, Account: consumer, Change: attachment, Err: fmt.Errorf("%w: for a long reason", executor.ErrRefused), Finished: 2, Total: 5},
		{Kind: executor.EventBlocked, Account: consumer, Change: attachment, Blocked: blocked, Finished: 3, Total: 5},
		{Kind: executor.EventDone, Account: consumer, Change: instance, Done: executor.Done{ID: "i-0123456789abcdef0"}, Duration: 12400 * time.Millisecond, Finished: 4, Total: 5},
		{Kind: executor.EventDone, Account: owner, Change: bucketPolicy, Phase: executor.PhaseClose, Duration: 100 * time.Millisecond, Finished: 4, Total: 5},
		{Kind: executor.EventStopping},
		{Kind: executor.EventPartial, Account: owner, Change: bucketPolicy, Phase: executor.PhaseOpen, Blocked: blocked, Finished: 5, Total: 5},
		{Kind: executor.EventNotRun, Account: owner, Change: bucket, Err: executor.ErrInterrupted, Finished: 5, Total: 5},
	}
}

func TestProgressPlain(t *testing.T) {
	for name, style := range map[string]report.Style{"plain": {}, "colour": {Color: true}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			p := report.NewProgress(&b, false, style)
			for _, e := range events(t) {
				p.Handle(e)
			}
			p.Close()
			golden(t, "progress-"+name+".txt", b.Bytes())
		})
	}
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// On a terminal only what went wrong stays; nothing is written after Close and
// no goroutine stays behind.
func TestProgressTerminal(t *testing.T) {
	defer goleak.VerifyNone(t)
	var b buffer
	p := report.NewProgress(&b, true, report.Style{Width: 80})
	all := events(t)
	for _, e := range all {
		p.Handle(e)
	}
	p.Close()
	got := b.String()
	for _, want := range []string{"222222222222  failed role reports: ", "111111111111  created in part bucket policy", `cannot be read: ec2 \x1b[31mdenied`, "stopping: ", "role reports: waiting until IAM knows role"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if strings.Contains(got, "created bucket mybucket2share") || strings.Contains(got, "not tried") {
		t.Errorf("what went well, or the plan has told of, has a line: %q", got)
	}
	p.Handle(all[len(all)-1])
	p.Close()
	if b.String() != got {
		t.Errorf("written after Close: %q", strings.TrimPrefix(b.String(), got))
	}
}

func TestProgressWithoutEvents(t *testing.T) {
	defer goleak.VerifyNone(t)
	var b buffer
	report.NewProgress(&b, true, report.Style{}).Close()
	report.NewProgress(&b, false, report.Style{}).Close()
	if got := b.String(); got != "" {
		t.Errorf("%q was written", got)
	}
}
