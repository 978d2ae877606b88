package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// outlook is what is known of changes before anything is done: what cannot be
// done and why, and what that blocks.
type outlook struct {
	changes *plan.Changes
	index   map[string]int    // of each change, by its id
	codes   map[string]string // of the error of each change that cannot be done, by its id
	results map[string]*executor.ChangeResult
	writes  map[string]*plan.Change // the last write of each, by its id
	tasks   []*executor.Task        // all writes, in the order in which they are done one by one
}

// foresee rehearses an apply in which all that is tried works, with the same
// schedule: what is blocked then, an apply blocks whatever happens.
func foresee(changes *plan.Changes) outlook {
	o := outlook{
		changes: changes, index: map[string]int{}, codes: errorCodes(changes),
		results: map[string]*executor.ChangeResult{}, writes: map[string]*plan.Change{},
	}
	s := executor.NewSchedule(changes)
	for t := s.Next(); t != nil; t = s.Next() {
		o.writes[t.Change.ID] = t.Change
		o.tasks = append(o.tasks, t)
		s.Report(t, executor.Outcome{})
	}
	for i, r := range s.Result().Changes {
		o.index[r.Change.ID] = i
		o.results[r.Change.ID] = r
	}
	return o
}

// errorCodes are the codes of the errors of changes, by id. What could not be
// read is told once for all that it covers, so those without an error of their
// own have that code.
func errorCodes(changes *plan.Changes) map[string]string {
	codes := map[string]string{}
	for _, c := range changes.Steps {
		if c.Action == plan.Error {
			codes[c.ID] = plan.CodeUnreadable
		}
	}
	for _, p := range slices.Backward(changes.Problems) {
		if codes[p.Step] != "" && p.Severity == specs.SeverityError && p.Code != plan.CodeStaysOpen {
			codes[p.Step] = p.Code
		}
	}
	return codes
}

// trouble is what is wrong with a change that cannot be done, in words that
// follow its name.
func trouble(c *plan.Change, code string) string {
	switch code {
	case plan.CodeUnreadable:
		return "cannot be read"
	case "unparsable":
		return "cannot be understood"
	case "bucket-missing", "role-missing", "instance-missing":
		return "does not exist"
	case "bucket-taken":
		return "is in another account"
	case "bucket-region":
		return "is in another region"
	case "role-path":
		return "is under another path"
	case "other-repository":
		return "belongs to another repository"
	case "profile-role":
		return "holds another role"
	case "instance-profile":
		if c.Type == plan.TypeAssociation {
			return "is another one"
		}
		return "has another instance profile"
	case "instance-ambiguous":
		return "is there more than once"
	}
	return notDone
}

const notDone = "cannot be done"

// isCompared reports whether a change with an error of that code was compared
// with what is live, and differs.
func isCompared(code string) bool { return code != plan.CodeUnreadable && code != "unparsable" }

// blocked are the reasons why a change is not tried at all; none: it is.
func (o outlook) blocked(c *plan.Change) []string {
	if r := o.results[c.ID]; r != nil && r.Status == executor.StatusBlocked {
		return o.reasons(c.Account, r.BlockedBy)
	}
	return nil
}

// blockedPart are the reasons why a part of a change is left out.
func (o outlook) blockedPart(c *plan.Change, i int) []string {
	if r := o.results[c.ID]; r != nil && i < len(r.Parts) && r.Parts[i].Status == executor.StatusBlocked {
		return o.reasons(c.Account, r.Parts[i].BlockedBy)
	}
	return nil
}

// reasons are causes in words, like "role reader in lab cannot be read", for a
// reader who has an account before him. Of several of one account with the same
// trouble the first in the plan stands for all.
func (o outlook) reasons(account string, causes []string) []string {
	var list []string
	told := map[string]bool{}
	causes = slices.SortedFunc(slices.Values(causes), func(a, b string) int { return o.index[a] - o.index[b] })
	for _, id := range causes {
		c := o.results[id].Change
		what := "is to be adopted first"
		if c.Action == plan.Error {
			what = trouble(c, o.codes[c.ID])
		}
		if key := c.Account + " " + what; !told[key] {
			told[key] = true
			name := resource(c)
			if c.Account != account {
				name += " in " + alias(o.changes.Plan, c.Account)
			}
			list = append(list, name+" "+what)
		}
	}
	return list
}

// because is a suffix that tells why something is blocked.
func because(reasons []string) string {
	const most = 2
	if len(reasons) > most {
		reasons = append(slices.Clone(reasons[:most]), count(len(reasons)-most, "more cause"))
	}
	return " (blocked: " + strings.Join(reasons, "; ") + ")"
}

// written is a change as its last write leaves it: without what is blocked.
func (o outlook) written(c *plan.Change) *plan.Change {
	if r := o.results[c.ID]; r == nil || r.Status != executor.StatusPartial {
		return c
	}
	return cmp.Or(o.writes[c.ID], c)
}

// counts is how many changes of each action are done whole, how many in part,
// and how many are blocked.
func (o outlook) counts() (whole map[plan.Action]int, partial, blocked int) {
	whole = map[plan.Action]int{}
	for _, c := range o.changes.Steps {
		switch r := o.results[c.ID]; {
		case r != nil && r.Status == executor.StatusPartial:
			partial++
		case r != nil && r.Status == executor.StatusBlocked:
			blocked++
		default:
			whole[c.Action]++
		}
	}
	return whole, partial, blocked
}
