package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Plan writes what apply would do, by account, then the problems and a summary
// line. more are problems found elsewhere that belong to the same plan.
func Plan(w io.Writer, changes *plan.Changes, more []specs.Problem, style Style) error {
	p := newPrinter(w, style)
	o := foresee(changes)
	p.planned(o)
	p.access(changes, plannedAccess, isNewPolicy)
	p.problems(changes.Plan, slices.Concat(more, changes.Problems))
	p.accessSummary(o)
	p.planSummary(o)
	if unsearched := changes.Plan.NotSearched; len(unsearched) > 0 {
		places := make([]string, len(unsearched))
		for i, account := range unsearched {
			places[i] = place(changes.Plan, account)
		}
		p.wrapped("", dim, "orphans not searched in: "+strings.Join(places, ", ")+"; drift searches there")
	}
	return p.done()
}

// planned writes all that is to be changed, by account.
func (p *printer) planned(o outlook) {
	p.eachDiffering(o.changes, func(byID map[string]*plan.Change, c *plan.Change) { p.step(o, byID, c) })
}

// step writes one change that is to be done, or why it is not. byID are all
// changes that are not as they are to be.
func (p *printer) step(o outlook, byID map[string]*plan.Change, c *plan.Change) {
	if reasons := o.blocked(c); len(reasons) > 0 {
		p.blocked(o, c, reasons)
		return
	}
	sign, colour := symbol(c.Action)
	text := resource(c)
	switch more := about(c); {
	case c.Action == plan.Error:
		text += " " + trouble(c, o.codes[c.ID])
	case c.Action == plan.Create && more != "":
		text += " " + more
	}
	if after := o.waits(byID, c); len(after) > 0 {
		text += " (after " + list(after) + ")"
	}
	p.wrapped("  "+p.paint(colour, sign)+" ", plain, text)
	if c.Action == plan.Error {
		p.grants(c, sign, colour, " (stays open)")
		return
	}
	p.parts(c, func(i int) []string { return o.blockedPart(c, i) })
	p.details(o.written(c))
}

// blocked writes a change that is not tried, with the grants that wait for it.
func (p *printer) blocked(o outlook, c *plan.Change, reasons []string) {
	lead := p.paint(yellow, blockedSymbol) + " "
	why := because(reasons)
	apart := false // the grants have reasons of their own
	for i := range c.Parts {
		apart = apart || !slices.Equal(o.blockedPart(c, i), reasons)
	}
	if apart {
		why = " (blocked)"
	}
	p.wrapped("  "+lead, plain, resource(c)+why)
	for i, part := range c.Parts {
		own := o.blockedPart(c, i)
		switch {
		case len(own) == 0:
		case apart:
			p.wrapped("      "+lead, plain, grant(part)+because(own))
		default:
			p.wrapped("      "+lead, plain, grant(part))
		}
	}
}

// eachDiffering calls f with all that is not as it is to be, under the name of
// its account. It is also given all of them by id.
func (p *printer) eachDiffering(changes *plan.Changes, f func(byID map[string]*plan.Change, c *plan.Change)) {
	byID, groups := differingByAccount(changes)
	for _, group := range groups {
		p.line(p.paint(bold, place(changes.Plan, group[0].Account)))
		for _, c := range group {
			f(byID, c)
		}
		p.blank()
	}
}

// differingByAccount are the changes of all that is not as it is to be, by id
// and by account.
func differingByAccount(changes *plan.Changes) (byID map[string]*plan.Change, groups [][]*plan.Change) {
	differ := slices.DeleteFunc(slices.Clone(changes.Steps), func(c *plan.Change) bool { return !c.Differs() })
	byID = make(map[string]*plan.Change, len(differ))
	for _, c := range differ {
		byID[c.ID] = c
	}
	return byID, byAccount(differ)
}

// waits names the other accounts whose changes come before this one.
func (o outlook) waits(differ map[string]*plan.Change, c *plan.Change) []string {
	accounts := map[string]bool{}
	for i, part := range c.Parts {
		if len(o.blockedPart(c, i)) > 0 {
			continue
		}
		for _, id := range part.Needs {
			if need := differ[id]; need != nil && need.Account != c.Account && len(part.Gain) > 0 {
				accounts[need.Account] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(accounts))
	for i, id := range names {
		names[i] = alias(o.changes.Plan, id)
	}
	return names
}

// grants lists the grants of a change that cannot be done: those that would
// change, or else all that it is for. open follows those that would lose
// something.
func (p *printer) grants(c *plan.Change, sign string, colour colour, open string) {
	some := slices.ContainsFunc(c.Parts, func(part plan.PartChange) bool { return part.Action != plan.Noop })
	for _, part := range c.Parts {
		if some && part.Action == plan.Noop {
			continue
		}
		text := grant(part)
		if slices.ContainsFunc(part.Lose, func(pair iampolicy.Pair) bool { return !iampolicy.IsEntityID(pair.Principal) }) {
			text += open
		}
		p.wrapped("      "+p.paint(colour, sign)+" ", plain, text)
	}
}

// isRefused reports whether a part cannot be done, whatever becomes of the rest
// of its change.
func isRefused(part plan.PartChange) bool { return part.Action == plan.Error }

// parts tells which grants of a shared document change, where that is not all
// there is to it, and why those are left out that are blocked.
func (p *printer) parts(c *plan.Change, blocked func(i int) []string) {
	if c.Action != plan.Update && len(c.Parts) < 2 {
		return
	}
	for i, part := range c.Parts {
		if part.Action == plan.Noop {
			continue
		}
		sign, colour := symbol(part.Action)
		text := grant(part)
		if reasons := blocked(i); len(reasons) > 0 {
			sign, colour = blockedSymbol, yellow
			text += because(reasons)
		} else if isRefused(part) {
			text += " (left out: see the errors)"
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
	case c.Action == plan.Delete, before != nil && after == nil:
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

func (p *printer) planSummary(o outlook) {
	s := o.changes.Summary()
	if !s.Differs() && s.Error == 0 {
		p.line(p.paint(green, "No changes.") + " " + matches(s.Noop))
		return
	}
	p.line(p.paint(bold, "Plan:") + " " + o.tally())
}

// tally is how much there is to do, in words. Something must be.
func (o outlook) tally() string {
	s := o.changes.Summary()
	whole, partial, blocked := o.counts()
	text := fmt.Sprintf("%d to create, %d to update, %d to remove", whole[plan.Create], whole[plan.Update], whole[plan.Delete])
	if n := whole[plan.Adopt]; n > 0 {
		text += fmt.Sprintf(", %d to adopt", n)
		if !o.changes.Options.Adopt {
			text += " (only with --adopt)"
		}
	}
	if partial > 0 {
		text += fmt.Sprintf(", %d to do in part", partial)
	}
	if blocked > 0 {
		text += fmt.Sprintf(", %d blocked", blocked)
	}
	if s.Error > 0 {
		text += fmt.Sprintf(", %d that cannot be done", s.Error)
	}
	text += "."
	if s.Noop > 0 {
		text += fmt.Sprintf(" %d unchanged.", s.Noop)
	}
	return text
}

func matches(n int) string {
	if n == 1 {
		return "1 resource matches the specs."
	}
	return fmt.Sprintf("%s match the specs.", count(n, "resource"))
}
