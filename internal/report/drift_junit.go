package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// DriftJUnit writes what differs as a JUnit report: a suite an account, a case
// a resource that the specs state or that is ours. Those that differ, and
// orphans, are failures, their type the code of the difference; what could not
// be read or compared is an error; buckets that could not be searched are
// skipped. more are as in Drift.
func DriftJUnit(w io.Writer, changes *plan.Changes, more []specs.Problem) error {
	r := driftReport{
		changes: changes, all: &junitSuites{Name: "xshare drift"}, codes: errorCodes(changes), found: differences(changes),
		suites: map[string]int{}, byStep: map[string][]specs.Problem{}, unread: map[string][]specs.Problem{},
	}
	for _, p := range changes.Problems {
		if p.Step != "" {
			r.byStep[p.Step] = append(r.byStep[p.Step], p)
		}
		if p.Code == plan.CodeUnreadable {
			r.unread[p.Account] = append(r.unread[p.Account], p)
		}
	}
	for _, group := range byAccount(changes.Steps) {
		for _, c := range group {
			r.add(c.Account, r.caseOf(c))
		}
	}
	isStep := map[string]bool{}
	for _, c := range changes.Steps {
		isStep[c.ID] = true
	}
	errors, warnings := split(slices.Concat(more, changes.Problems))
	for _, p := range slices.Concat(errors, warnings) {
		c := junitCase{Class: clean(cmp.Or(p.Account, "xshare")), Name: clean(cmp.Or(p.Step, p.Code)), File: clean(p.Source.File), Line: p.Source.Line}
		switch {
		case isStep[p.Step]: // told at its case
			continue
		case p.Code == plan.CodeOrphan:
			c.Failure = outcome(p)
		case p.Code == plan.CodeNotSearched:
			c.Skipped = &junitOutcome{Type: p.Code, Message: clean(p.Message)}
		case p.Severity == specs.SeverityError:
			c.Error = outcome(p)
		default:
			continue
		}
		r.add(p.Account, c)
	}
	return r.all.write(w)
}

type driftReport struct {
	changes *plan.Changes
	all     *junitSuites
	codes   map[string]string // of errors, by step
	found   map[string]specs.Problem
	suites  map[string]int             // of all, by name
	byStep  map[string][]specs.Problem // by the step that they are about
	unread  map[string][]specs.Problem // by account
}

// add puts a case into the suite of its account.
func (r *driftReport) add(account string, c junitCase) {
	name := "xshare"
	if account != "" {
		name = place(r.changes.Plan, account)
	}
	i, ok := r.suites[name]
	if !ok {
		i = len(r.all.Suites)
		r.suites[name] = i
		r.all.Suites = append(r.all.Suites, junitSuite{Name: name})
	}
	r.all.Suites[i].add(r.all, c)
}

// caseOf is the case of a step.
func (r *driftReport) caseOf(c *plan.Change) junitCase {
	at := sourceOf(r.changes.Plan, c)
	out := junitCase{Class: clean(c.Account), Name: resource(c), File: clean(at.File), Line: at.Line}
	code := r.codes[c.ID]
	if c.Action == plan.Error && !isCompared(code) {
		out.Error = &junitOutcome{Type: clean(code), Message: resource(c) + " cannot be compared"}
		var lines []string
		for _, p := range r.byStep[c.ID] {
			lines = append(lines, told(p))
		}
		for _, p := range r.unread[c.Account] {
			if p.Step != c.ID {
				lines = append(lines, told(p))
			}
		}
		out.Error.Text = strings.Join(lines, "\n")
		return out
	}
	if p, ok := r.found[c.ID]; ok {
		details := piece(func(print *printer) { print.difference(c, code) })
		out.Failure = &junitOutcome{Type: p.Code, Message: p.Message, Text: details + "mend: " + p.Mend}
		if c.Action == plan.Error {
			for _, cause := range r.byStep[c.ID] {
				out.Failure.Text += "\n" + told(cause)
			}
		}
		return out
	}
	for _, p := range r.byStep[c.ID] {
		if c.Differs() || p.Code == plan.CodeInstanceDiffers {
			out.Failure = outcome(p)
			break
		}
	}
	return out
}

// outcome is a problem as the outcome of a case.
func outcome(p specs.Problem) *junitOutcome {
	return &junitOutcome{Type: clean(p.Code), Message: clean(p.Message), Text: told(p)}
}

// told is a problem in words: what is wrong, and how to mend it.
func told(p specs.Problem) string {
	text := clean(p.Message)
	if p.Mend != "" {
		text += "\nmend: " + clean(p.Mend)
	}
	return text
}
