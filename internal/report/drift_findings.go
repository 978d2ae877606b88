package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The codes of differences that no problem of the comparison tells of. They are
// stable: dashboards count by them.
const (
	driftMissing  = "drift-missing"
	driftDiffers  = "drift-differs"
	driftOpens    = "drift-opens"
	driftUnstated = "drift-unstated"
)

// driftRules say of each code what it means and how to mend it.
var driftRules = map[string]struct{ cause, mend string }{
	driftMissing:  {"what a spec states is not there", "run `xshare apply`, which creates it; or take it out of the spec"},
	driftDiffers:  {"a live resource is not as the specs say", "run `xshare apply`, which updates it; or write into the spec what is live"},
	driftOpens:    {"a live policy gives access that no spec states", "run `xshare apply`, which takes that access away; or state it in a spec"},
	driftUnstated: {"something is ours and no spec states it", "run `xshare apply`, which removes it; or state it in a spec"},
}

// differences are what differs, as problems by step: errors where access is
// open that no spec states, else warnings. What could not be compared is not
// among them, nor what a problem of the comparison tells of already: what
// carries no mark of ours, and what apply cannot do, unless something is open.
func differences(changes *plan.Changes) map[string]specs.Problem {
	opens, lacks := map[string][]plan.AccessEntry{}, map[string][]plan.AccessEntry{}
	for _, e := range changes.Access.Lost {
		opens[e.Step] = append(opens[e.Step], e)
	}
	for _, e := range changes.Access.Gained {
		lacks[e.Step] = append(lacks[e.Step], e)
	}
	found := map[string]specs.Problem{}
	for _, c := range changes.Steps {
		p := specs.Problem{Severity: specs.SeverityWarning, Account: c.Account, Step: c.ID, Source: sourceOf(changes.Plan, c)}
		switch c.Action {
		case plan.Create:
			p.Code = driftMissing
		case plan.Update:
			p.Code = driftDiffers
		case plan.Delete:
			p.Code = driftUnstated
		case plan.Error:
			if len(opens[c.ID]) == 0 {
				continue
			}
		default:
			continue
		}
		p.Message = fmt.Sprintf("%s in %s %s", resource(c), place(changes.Plan, c.Account), driftWord(c, ""))
		if texts := accessTexts(opens[c.ID]); len(texts) > 0 {
			p.Code, p.Severity = driftOpens, specs.SeverityError
			p.Message += "; no spec states this access: " + some(texts)
		}
		if texts := accessTexts(lacks[c.ID]); len(texts) > 0 && c.Action == plan.Update {
			p.Message += "; this access is missing: " + some(texts)
		}
		p.Mend = driftRules[p.Code].mend
		if c.Action == plan.Error {
			p.Mend = "mend what keeps apply from writing it, see its error; then " + p.Mend
		}
		if len(c.Shares) == 1 {
			p.Share = c.Shares[0]
		}
		found[c.ID] = p
	}
	return found
}

// some is the first few of a list of texts, and how many more there are.
func some(texts []string) string {
	const few = 5
	text := strings.Join(texts[:min(few, len(texts))], "; ")
	if more := len(texts) - few; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// sourceOf is where a person mends a change in the specs: at the first grant
// that differs, or at the share that states the resource.
func sourceOf(p *plan.Plan, c *plan.Change) specs.Pos {
	step := p.Step(c.ID)
	if step == nil {
		return c.Source
	}
	for _, part := range c.Parts {
		i := slices.IndexFunc(step.Parts, func(s plan.Part) bool { return s.Share == part.Share && s.Consumer == part.Consumer })
		if part.Action != plan.Noop && i >= 0 && step.Parts[i].Source.File != "" {
			return step.Parts[i].Source
		}
	}
	return c.Source
}

// DriftSARIF writes what differs as a SARIF 2.1.0 log of one run: a result for
// each resource that differs, at its place in the specs, and one for each
// problem, orphans among them. base and version are as in SARIF, more as in
// Drift.
func DriftSARIF(w io.Writer, base, version string, changes *plan.Changes, more []specs.Problem) error {
	problems := slices.Concat(more, changes.Problems)
	found := differences(changes)
	for _, c := range changes.Steps {
		if p, ok := found[c.ID]; ok {
			problems = append(problems, p)
		}
	}
	return SARIF(w, base, version, problems)
}
