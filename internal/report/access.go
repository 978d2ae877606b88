package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
)

// accessWords are how a view calls what a plan opens and closes.
type accessWords struct{ gained, lost string }

var (
	plannedAccess = accessWords{"access gained: ", "access lost: "}
	driftedAccess = accessWords{"access missing: ", "access that no spec states: "}
)

// access tells what is opened and closed, one line a principal and condition,
// but for those changes of which told answers true, as their differences say it
// themselves.
func (p *printer) access(changes *plan.Changes, words accessWords, told func(*plan.Change) bool) {
	isTold := map[string]bool{}
	for _, c := range changes.Steps {
		isTold[c.ID] = told(c)
	}
	written := p.accessLines(words.gained, green, changes.Access.Gained, isTold)
	if p.accessLines(words.lost, red, changes.Access.Lost, isTold) || written {
		p.blank()
	}
}

// isNewPolicy reports whether a change makes a bucket policy where there was
// none, which shows as its statements.
func isNewPolicy(c *plan.Change) bool {
	return c.Type == plan.TypeBucketPolicy && c.Action == plan.Create
}

func (p *printer) accessLines(label string, colour colour, entries []plan.AccessEntry, isTold map[string]bool) (written bool) {
	texts := accessTexts(slices.DeleteFunc(slices.Clone(entries), func(e plan.AccessEntry) bool { return isTold[e.Step] }))
	for _, text := range texts {
		p.hanging(p.paint(colour, label), 4-len(label), plain, text)
	}
	return len(texts) > 0
}

// accessTexts are entries in words, one text a step, principal and condition.
func accessTexts(entries []plan.AccessEntry) []string {
	type who struct{ step, principal, when string }
	var order []who
	what := map[who][]plan.AccessEntry{}
	for _, e := range entries {
		w := who{e.Step, e.Principal, e.When}
		if what[w] == nil {
			order = append(order, w)
		}
		what[w] = append(what[w], e)
	}
	texts := make([]string, len(order))
	for i, w := range order {
		texts[i] = everybody(w.principal) + ": " + actionsOn(what[w])
		if w.when != "" {
			texts[i] += ", " + clean(w.when)
		}
	}
	return texts
}

// actionsOn are the actions of entries by their resources, in the entries'
// order.
func actionsOn(entries []plan.AccessEntry) string {
	var order []string
	actions := map[string][]string{}
	for _, e := range entries {
		if actions[e.Resource] == nil {
			order = append(order, e.Resource)
		}
		actions[e.Resource] = append(actions[e.Resource], e.Action)
	}
	for i, resource := range order {
		order[i] = list(trimmed(actions[resource], "s3:")) + " on " + list(short([]string{resource}))
	}
	return strings.Join(order, "; ")
}

// everybody is a principal of an access entry as people say it.
func everybody(principal string) string {
	if principal == "*" {
		return "everybody"
	}
	name := short([]string{principal})[0]
	if account, ok := strings.CutSuffix(name, ":root"); ok {
		return "everybody in " + clean(account)
	}
	return clean(name)
}

// accessSummary is one line on all that a plan opens and closes; nothing where
// there is nothing to do.
func (p *printer) accessSummary(o outlook) {
	if text := o.accessTally(); text != "" {
		p.line(p.paint(bold, "Access:") + " " + text)
	}
}

// accessTally is how many gain and lose how much, in words, and how many keep
// what no spec states. It is that of all changes, also of those that are held
// back. Where there is nothing to do it is empty.
func (o outlook) accessTally() string {
	a, s := o.changes.Access, o.changes.Summary()
	var text string
	switch _, partial, blocked := o.counts(); {
	case !s.Differs() && s.Error == 0:
		return ""
	case len(a.Gained)+len(a.Lost) > 0:
		text = whoHas("gain", a.Gained) + ", " + whoHas("lose", a.Lost)
		if partial+blocked > 0 {
			text += ", if what is blocked is done too"
		}
	default:
		text = "no bucket policy and no trust policy opens or closes anything"
		if s.Error > 0 {
			text += ", as far as could be seen; see the errors"
		}
	}
	text += "."
	if len(o.changes.Open) > 0 {
		text += " But " + whoHas("keep", o.changes.Open) + " that no spec states."
	}
	return text
}

func whoHas(verb string, entries []plan.AccessEntry) string {
	principals := map[string]bool{}
	for _, e := range entries {
		principals[e.Principal] = true
	}
	switch len(principals) {
	case 0:
		return "nobody " + verb + "s any"
	case 1:
		verb += "s"
	}
	return fmt.Sprintf("%s %s %s", count(len(principals), "principal"), verb, count(len(entries), "action"))
}
