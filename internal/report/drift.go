package report

import (
	"fmt"
	"io"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Drift writes where the live accounts differ from the specs, by account, then
// orphans and problems, and a summary line.
func Drift(w io.Writer, changes *plan.Changes, orphans []specs.Problem, style Style) error {
	p := newPrinter(w, style)
	p.changes(changes, true)
	if s := changes.Summary(); s.Update > 0 {
		p.line(p.paint(dim, "Of differences, - is live and + is what the specs say."))
		p.blank()
	}
	p.problems(changes.Plan, append(append([]specs.Problem(nil), changes.Problems...), orphans...))
	p.driftSummary(changes, len(orphans))
	return p.done()
}

// Drifts counts the resources that differ from the specs: those that apply
// would change, and instances that it leaves although they differ.
func Drifts(changes *plan.Changes) int {
	left := map[string]bool{}
	for _, problem := range changes.Problems {
		if problem.Code == plan.CodeInstanceDiffers {
			left[problem.Step] = true
		}
	}
	n := 0
	for _, c := range changes.Steps {
		if c.Differs() && c.Action != plan.Error || !c.Differs() && left[c.ID] {
			n++
		}
	}
	return n
}

func (p *printer) driftSummary(changes *plan.Changes, orphans int) {
	s := changes.Summary()
	differ, all := Drifts(changes), len(changes.Steps)
	if differ == 0 && s.Error == 0 && orphans == 0 {
		p.line(p.paint(green, "No drift.") + " " + matches(s.Noop))
		return
	}
	verb := "differ"
	if differ == 1 {
		verb = "differs"
	}
	text := fmt.Sprintf(" %d of %s %s", differ, count(all, "resource"), verb)
	if s.Error > 0 {
		text += fmt.Sprintf(", %d cannot be compared", s.Error)
	}
	if orphans > 0 {
		text += ", " + count(orphans, "orphan")
	}
	p.line(p.paint(bold, "Drift:") + text + ".")
}
