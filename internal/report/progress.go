package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// Progress shows what is going on while accounts are read and changes are
// made: on a terminal one line that is drawn over, with what is in flight, and
// failures above it; elsewhere one line for each thing that has happened.
//
// Handle may be called by one goroutine at a time. After Close nothing more is
// written.
type Progress struct {
	out   io.Writer
	style Style

	container *mpb.Progress // nil: not a terminal
	bar       *mpb.Bar      // of the stage; nil before the first event
	stage     string
	announced bool // that accounts are read, in plain lines

	mu       sync.Mutex // for inFlight, which the bar's goroutine reads
	inFlight []flight   // in the order of their start
}

type flight struct{ key, text string }

// NewProgress returns a Progress that writes to w, which the caller has found
// to be a terminal or not.
func NewProgress(w io.Writer, terminal bool, style Style) *Progress {
	p := &Progress{out: w, style: style}
	if terminal {
		if style.Width == 0 {
			p.style.Width = 80
		}
		p.container = mpb.New(mpb.WithOutput(w), mpb.WithWidth(p.style.Width), mpb.WithAutoRefresh())
	}
	return p
}

// Handle takes an event in.
func (p *Progress) Handle(e executor.Event) {
	p.track(e)
	p.draw(e)
	p.tell(e)
}

// Close takes the drawn line away and waits until nothing writes any more.
func (p *Progress) Close() {
	if p.container == nil {
		return
	}
	p.dropBar()
	p.container.Wait()
	p.container = nil
	p.out = io.Discard
}

// track keeps the list of what is in flight.
func (p *Progress) track(e executor.Event) {
	key, text := e.Account, clean(e.Account)
	if e.Change != nil {
		key, text = e.Change.ID, resource(e.Change)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight = slices.DeleteFunc(p.inFlight, func(f flight) bool { return f.key == key })
	if e.Kind == executor.EventReading || e.Kind == executor.EventStarted || e.Kind == executor.EventWaiting {
		p.inFlight = append(p.inFlight, flight{key, text})
	}
}

// draw moves the bar on a terminal.
func (p *Progress) draw(e executor.Event) {
	if p.container == nil || e.Kind == executor.EventStopping {
		return
	}
	stage := "applying"
	if e.Kind == executor.EventReading || e.Kind == executor.EventRead {
		stage = "reading"
	}
	if stage != p.stage {
		p.dropBar()
		p.stage = stage
		// It fails if the terminal could not be drawn on; then there is no bar.
		p.bar, _ = p.container.Add(int64(e.Total), mpb.BarStyle().Build(), mpb.BarRemoveOnComplete(), mpb.BarWidth(barWidth),
			mpb.PrependDecorators(decor.Name(stage+" "), decor.CountersNoUnit("%d/%d ")),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.flying() })))
	}
	if p.bar != nil {
		p.bar.SetCurrent(int64(e.Finished))
	}
}

func (p *Progress) dropBar() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bar.Wait()
		p.bar = nil
	}
}

const barWidth = 22

// flying is what is in flight, as much as fits beside the bar.
func (p *Progress) flying() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	const beside = len("applying 10000/10000 ") + barWidth + 2
	var names []string
	for i, f := range p.inFlight {
		if i == 2 && len(p.inFlight) > 3 {
			names = append(names, fmt.Sprintf("%d more", len(p.inFlight)-i))
			break
		}
		names = append(names, f.text)
	}
	return " " + terminal.Truncate(strings.Join(names, ", "), max(p.style.Width-beside, 10), "...")
}

// tell writes what is worth a line of its own: on a terminal only what went
// wrong or takes long, elsewhere everything that has ended, too.
func (p *Progress) tell(e executor.Event) {
	quiet := p.container != nil
	switch e.Kind {
	case executor.EventReading:
		if !quiet && !p.announced {
			p.announced = true
			p.print("", plain, "reading "+count(e.Total, "account"))
		}
	case executor.EventRead:
		if e.Err != nil {
			p.print(e.Account, red, "cannot be read: "+clean(e.Err.Error()))
		}
	case executor.EventWaiting:
		p.print(e.Account, plain, waitingText(e))
	case executor.EventDone:
		if !quiet {
			p.print(e.Account, plain, doneText(e)+" "+p.took(e))
		}
	case executor.EventPartial:
		p.print(e.Account, yellow, past(e.Change.Action)+" in part "+resource(e.Change)+blockedBy(e.Blocked))
	case executor.EventFailed:
		if errors.Is(e.Err, executor.ErrRefused) {
			if !quiet { // the plan has said why
				p.print(e.Account, red, "not tried "+resource(e.Change))
			}
			return
		}
		text, _ := failure(e.Err)
		p.print(e.Account, red, "failed "+resource(e.Change)+": "+text)
	case executor.EventBlocked:
		if !quiet {
			p.print(e.Account, yellow, "blocked "+resource(e.Change)+blockedBy(e.Blocked))
		}
	case executor.EventNotRun:
		if !quiet {
			p.print(e.Account, yellow, "not started "+resource(e.Change))
		}
	case executor.EventStopping:
		p.print("", yellow, "stopping: what is in flight ends, nothing more is started; interrupt again to cancel that too")
	}
}

// doneText is what was done. Of a bucket policy that is written twice, the
// first write only takes access away.
func doneText(e executor.Event) string {
	text := past(e.Change.Action) + " " + resource(e.Change)
	if e.Phase == executor.PhaseClose {
		text = "closed what is no longer stated in " + resource(e.Change)
	}
	if e.Done.ID != "" {
		text += " as " + clean(e.Done.ID)
	}
	return text
}

func blockedBy(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	var names []string
	for _, id := range ids {
		names = append(names, named(id))
	}
	return ": needs " + strings.Join(names, ", ")
}

// named is a step by its id, in the words of resource, with its account.
// Aliases are not known here.
func named(id string) string {
	t, rest, _ := strings.Cut(id, "/")
	account, name, ok := strings.Cut(rest, "/")
	if !ok {
		return clean(id)
	}
	if _, within, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(t, "ec2.") { // it has its region before it
		name = within
	}
	return resource(&plan.Change{Type: plan.Type(t), Name: name}) + " in " + clean(account)
}

// waitingText is what a write waits for, and how long it will.
func waitingText(e executor.Event) string {
	w := e.Waiting
	return fmt.Sprintf("%s: waiting until %s (%s so far, at most %s)", resource(e.Change), clean(w.For), spell(w.SoFar), spell(w.AtMost))
}

// spell is a time of at least a second.
func spell(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func (p *Progress) took(e executor.Event) string {
	return paint(p.style, dim, "("+seconds(e.Duration)+")")
}

// print writes a line in one call, so that lines of several goroutines or of
// the bar stay whole. A progress that cannot be written stops nothing.
func (p *Progress) print(account string, c colour, text string) {
	if account != "" {
		account = clean(account) + "  "
	}
	line := account + paint(p.style, c, text) + "\n"
	if p.container != nil {
		if _, err := io.WriteString(p.container, line); err == nil {
			return
		}
	}
	_, _ = io.WriteString(p.out, line)
}
