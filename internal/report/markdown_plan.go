package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// PlanMarkdown writes what apply would do as a comment on a pull request: how
// much it is, who gains and loses what, what is wrong and how to mend it, and
// the changes of each account, folded. It has at most 64,000 bytes. commit is
// the specs', or empty; more are as in Plan.
func PlanMarkdown(w io.Writer, changes *plan.Changes, commit string, more []specs.Problem) error {
	m := &markdown{}
	o := foresee(changes)
	s := changes.Summary()
	todo := s.Differs() || s.Error > 0
	title := "xshare plan: no changes"
	if todo {
		title = "xshare plan: " + strings.TrimSuffix(o.tally(), ".")
	}
	m.heading(title, changes.Plan, commit)
	if changes.Stops() {
		m.line("**None of this can be applied: see the errors.**")
	}
	var pieces []string
	for _, text := range accessTexts(changes.Access.Gained) {
		pieces = append(pieces, signed("+", text))
	}
	for _, text := range accessTexts(changes.Access.Lost) {
		pieces = append(pieces, signed("-", text))
	}
	for _, text := range accessTexts(changes.Open) {
		pieces = append(pieces, signed("!", "stays open: "+text))
	}
	switch tally := o.accessTally(); {
	case len(pieces) > 0:
		m.block("**Access:** "+tally, "diff", pieces, "line")
	case todo:
		m.line("**Access:** " + tally)
	}
	m.problems(changes.Plan, slices.Concat(more, changes.Problems))
	m.accounts(changes, "change", func(p *printer, byID map[string]*plan.Change, c *plan.Change) { p.step(o, byID, c) })
	if !todo {
		m.line(matches(s.Noop))
	}
	if n := len(changes.Plan.NotSearched); n > 0 {
		m.line(fmt.Sprintf("Orphans were not searched for in %s; `xshare drift` searches there.", count(n, "account")))
	}
	return m.done(w)
}

// DriftMarkdown writes where the live accounts differ from the specs as a
// comment, such as on an issue: how much, who has access that no spec states
// and who lacks some, what is ours and no spec states, what cannot be read, and
// how each resource differs, by account. It has at most 64,000 bytes. commit is
// the specs', or empty; more are as in Drift.
func DriftMarkdown(w io.Writer, changes *plan.Changes, commit string, more []specs.Problem) error {
	m := &markdown{}
	codes := errorCodes(changes)
	tally := driftTally(changes, codes, more)
	title := "xshare drift: none"
	if tally != "" {
		title = "xshare drift: " + strings.TrimSuffix(tally, ".")
	}
	m.heading(title, changes.Plan, commit)
	s := changes.Summary()
	if s.Differs() || s.Error > 0 {
		m.line("What `xshare apply` would do: " + foresee(changes).tally())
	}
	var pieces []string
	for _, text := range accessTexts(changes.Access.Lost) {
		pieces = append(pieces, signed("-", text))
	}
	for _, text := range accessTexts(changes.Access.Gained) {
		pieces = append(pieces, signed("+", text))
	}
	m.block("**Access:** `-` is live and no spec states it; `+` is missing.", "diff", pieces, "line")

	isOrphan := func(p specs.Problem) bool { return p.Code == plan.CodeOrphan }
	var orphans []string
	for _, problem := range more {
		if isOrphan(problem) {
			orphans = append(orphans, piece(func(p *printer) { p.problem(changes.Plan, "", plain, problem) }))
		}
	}
	if n := len(orphans); n > 0 {
		m.block("**"+count(n, "orphan")+"**, which apply leaves without `--prune`", "text", orphans, "orphan")
	}
	m.problems(changes.Plan, slices.DeleteFunc(slices.Concat(more, changes.Problems), isOrphan))
	if s.Differs() {
		m.line("Apply creates what is missing (`+`), updates what differs (`~`) and removes what no spec states (`-`); `>` it takes over only with `--adopt`, and `!` it leaves. " + inADifference)
	}
	m.accounts(changes, "resource", func(p *printer, _ map[string]*plan.Change, c *plan.Change) { p.difference(c, codes[c.ID]) })
	if tally == "" {
		m.line(matches(s.Noop))
	}
	return m.done(w)
}
