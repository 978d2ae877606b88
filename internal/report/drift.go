package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Drift writes where the live accounts differ from the specs, by account, then
// the problems and a summary line. more are problems found elsewhere, orphans
// among them (see plan.Orphans).
func Drift(w io.Writer, changes *plan.Changes, more []specs.Problem, style Style) error {
	p := newPrinter(w, style)
	codes := errorCodes(changes)
	p.eachDiffering(changes, func(_ map[string]*plan.Change, c *plan.Change) { p.difference(c, codes[c.ID]) })
	if changes.Summary().Update > 0 {
		p.line(p.paint(dim, inADifference))
		p.blank()
	}
	p.access(changes, driftedAccess, func(*plan.Change) bool { return false })
	p.problems(changes.Plan, slices.Concat(more, changes.Problems))
	p.driftSummary(changes, codes, more)
	return p.done()
}

// inADifference explains the signs of what differs.
const inADifference = "In a difference, - is live and + is what the specs say."

// difference writes how one resource differs. code is of its error, if any.
func (p *printer) difference(c *plan.Change, code string) {
	sign, colour := symbol(c.Action)
	p.wrapped("  "+p.paint(colour, sign)+" ", plain, resource(c)+" "+driftWord(c, code))
	if c.Action == plan.Error {
		p.grants(c, sign, colour, "")
		return
	}
	p.parts(c, func(int) []string { return nil })
	p.details(c)
}

// driftWord tells what is live, after the name of the resource.
func driftWord(c *plan.Change, code string) string {
	switch c.Action {
	case plan.Create:
		return "is missing"
	case plan.Update:
		return "differs"
	case plan.Delete:
		return "is ours, but no spec states it"
	case plan.Adopt:
		return "is there without our mark"
	}
	if !isCompared(code) {
		return "cannot be compared"
	}
	if word := trouble(c, code); word != notDone {
		return word
	}
	return "differs"
}

// differing counts the resources that differ from the specs: those that apply
// would change, those that it cannot, and instances that it leaves although
// they differ.
func differing(changes *plan.Changes, codes map[string]string) int {
	left := map[string]bool{}
	for _, problem := range changes.Problems {
		if problem.Code == plan.CodeInstanceDiffers {
			left[problem.Step] = true
		}
	}
	n := 0
	for _, c := range changes.Steps {
		if c.Differs() && (c.Action != plan.Error || isCompared(codes[c.ID])) || !c.Differs() && left[c.ID] {
			n++
		}
	}
	return n
}

func (p *printer) driftSummary(changes *plan.Changes, codes map[string]string, more []specs.Problem) {
	text := driftTally(changes, codes, more)
	if text == "" {
		p.line(p.paint(green, "No drift.") + " " + matches(changes.Summary().Noop))
		return
	}
	p.line(p.paint(bold, "Drift:") + " " + text)
}

// driftTally is how much differs, in words; empty: nothing does, and all was
// looked at.
func driftTally(changes *plan.Changes, codes map[string]string, more []specs.Problem) string {
	orphans := 0
	for _, problem := range more {
		if problem.Code == plan.CodeOrphan {
			orphans++
		}
	}
	differ, all := differing(changes, codes), len(changes.Steps)
	unknown := 0
	for _, code := range codes {
		if !isCompared(code) {
			unknown++
		}
	}
	unsearched, _ := split(more)
	if differ == 0 && changes.Summary().Error == 0 && orphans == 0 && len(unsearched) == 0 {
		return ""
	}
	verb := "differ"
	if differ == 1 {
		verb = "differs"
	}
	text := fmt.Sprintf("%d of %s %s", differ, count(all, "resource"), verb)
	if unknown > 0 {
		text += fmt.Sprintf(", %d cannot be compared", unknown)
	}
	if orphans > 0 {
		text += ", " + count(orphans, "orphan")
	}
	if len(unsearched) > 0 {
		text += ", not all accounts searched for orphans"
	}
	return text + "."
}
