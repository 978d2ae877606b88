package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Plan writes what apply would do, by account, then the problems and a summary
// line. more are problems found elsewhere that belong to the same plan.
func Plan(w io.Writer, changes *plan.Changes, more []specs.Problem, style Style) error {
	p := newPrinter(w, style)
	p.changes(changes, false)
	p.problems(changes.Plan, slices.Concat(more, changes.Problems))
	p.planSummary(changes)
	if len(changes.Plan.NotSearched) > 0 {
		p.wrapped("", dim, "orphans not searched in: "+strings.Join(changes.Plan.NotSearched, ", "))
	}
	return p.done()
}

// changes writes all that is not as it is to be. In a drift the words tell of
// what is live, in a plan of what will be.
func (p *printer) changes(changes *plan.Changes, drift bool) {
	differ := slices.DeleteFunc(slices.Clone(changes.Steps), func(c *plan.Change) bool { return !c.Differs() })
	byID := make(map[string]*plan.Change, len(differ))
	for _, c := range differ {
		byID[c.ID] = c
	}
	for _, group := range byAccount(differ) {
		p.line(p.paint(bold, place(changes.Plan, group[0].Account)))
		for _, c := range group {
			after := ""
			if !drift {
				after = list(waits(changes.Plan, byID, c))
			}
			p.change(c, drift, after)
		}
		p.blank()
	}
}

func (p *printer) change(c *plan.Change, drift bool, after string) {
	sign, colour := symbol(c.Action)
	text := resource(c)
	if drift {
		text += " " + driftWord(c.Action)
	} else if more := about(c); more != "" && c.Action == plan.Create {
		text += " " + more
	}
	if after != "" {
		text += " (after " + after + ")"
	}
	p.wrapped("  "+p.paint(colour, sign)+" ", plain, text)
	if c.Action == plan.Error {
		p.waiting(c)
		return
	}
	p.parts(c)
	p.details(c)
}

func driftWord(a plan.Action) string {
	switch a {
	case plan.Create:
		return "is missing"
	case plan.Update:
		return "differs"
	case plan.Delete:
		return "is ours, but no spec states it"
	case plan.Adopt:
		return "is there without our mark"
	}
	return "cannot be compared"
}

// waits names the other accounts whose changes come before this one.
func waits(p *plan.Plan, differ map[string]*plan.Change, c *plan.Change) []string {
	accounts := map[string]bool{}
	for _, part := range c.Parts {
		for _, id := range part.Needs {
			if need := differ[id]; need != nil && need.Account != c.Account && len(part.Gain) > 0 {
				accounts[need.Account] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(accounts))
	for i, id := range names {
		if a := p.Accounts[id]; a != nil {
			names[i] = cmp.Or(a.Alias, id)
		}
	}
	return names
}

// waiting lists the grants that wait for a change that cannot be done.
func (p *printer) waiting(c *plan.Change) {
	for _, part := range c.Parts {
		if part.Share != "" {
			p.line("      " + p.paint(red, "!") + " " + clean(part.Share) + ": " + clean(part.Consumer))
		}
	}
}

// parts tells which grants of a shared document change, where that is not all
// there is to it.
func (p *printer) parts(c *plan.Change) {
	if c.Action != plan.Update && len(c.Parts) < 2 {
		return
	}
	for _, part := range c.Parts {
		if part.Action == plan.Noop {
			continue
		}
		sign, colour := symbol(part.Action)
		text := clean(part.Share) + ": " + clean(part.Consumer)
		if part.Share == "" {
			text = clean(part.Consumer) + ", which no spec states any more"
		}
		p.wrapped("      "+p.paint(colour, sign)+" ", plain, text)
	}
	if c.Renew {
		p.line("      " + p.paint(yellow, "~") + " marks of a former repository name are renewed")
	}
}

// details writes what of a resource changes.
func (p *printer) details(c *plan.Change) {
	const indent = "      "
	before, after := documents(c.Before), documents(c.Want)
	switch {
	case c.Action == plan.Delete:
		p.statements(indent+p.paint(red, "- "), plain, before)
	case before == nil && c.Type != plan.TypeRole:
		p.statements(indent, plain, after)
	case before != nil && after != nil:
		p.diff(indent, before, after)
	}
	if c.Before == nil || c.Want == nil {
		return
	}
	for _, line := range attributes(c.Before, c.Want) {
		p.wrapped(indent, plain, line)
	}
}

// documents is the policy in a resource's state, if it has one.
func documents(r plan.Resource) []byte {
	switch r := r.(type) {
	case plan.BucketPolicy:
		return r.Document
	case plan.Policy:
		return r.Document
	case plan.Role:
		return r.Trust
	}
	return nil
}

// attributes are the differences of two states beside their policies, as
// "name: before -> after". Tags that are live but not wanted are not ours.
func attributes(before, after plan.Resource) []string {
	from, to := fields(before), fields(after)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(to)) {
		switch name {
		case "document", "trustPolicy", "id", "state", "image", "name", "path", "arn", "region":
			continue // shown otherwise, or never compared
		case "tags":
			lines = append(lines, tags(from[name], to[name])...)
		default:
			if a, b := show(from[name]), show(to[name]); a != b && to[name] != nil {
				lines = append(lines, fmt.Sprintf("%s: %s -> %s", name, a, b))
			}
		}
	}
	return lines
}

// fields is a state by the names that the plan document has for its parts.
func fields(r plan.Resource) map[string]any {
	text, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}

func tags(before, after any) []string {
	from, _ := before.(map[string]any)
	to, _ := after.(map[string]any)
	if from == nil {
		return nil // they were not read
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(to)) {
		if a, b := show(from[key]), show(to[key]); a != b {
			lines = append(lines, fmt.Sprintf("tag %s: %s -> %s", clean(key), a, b))
		}
	}
	return lines
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return cmp.Or(clean(v), "none")
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			words[i] = show(item)
		}
		return strings.Join(words, ", ")
	}
	return clean(fmt.Sprint(v))
}

func (p *printer) planSummary(changes *plan.Changes) {
	s := changes.Summary()
	if !s.Differs() && s.Error == 0 {
		p.line(p.paint(green, "No changes.") + " " + matches(s.Noop))
		return
	}
	text := fmt.Sprintf(" %d to create, %d to update, %d to remove", s.Create, s.Update, s.Delete)
	if s.Adopt > 0 {
		text += fmt.Sprintf(", %d to adopt", s.Adopt)
		if !changes.Options.Adopt {
			text += " (only with --adopt)"
		}
	}
	if s.Error > 0 {
		text += fmt.Sprintf(", %d that cannot be done", s.Error)
	}
	text += "."
	if s.Noop > 0 {
		text += fmt.Sprintf(" %d unchanged.", s.Noop)
	}
	p.line(p.paint(bold, "Plan:") + text)
}

func matches(n int) string {
	if n == 1 {
		return "1 resource matches the specs."
	}
	return fmt.Sprintf("%s match the specs.", count(n, "resource"))
}
