package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// CodeStaysOpen is the code of the problem that access stays open which no spec
// states, since the bucket policy that gives it cannot be written.
const CodeStaysOpen = "stays-open"

// Unclosed are the changes of bucket policies that cannot be done and would
// close something, each as if it did that and nothing else: what those lose is
// what stays open.
func (c *Changes) Unclosed() *Changes {
	unclosed := &Changes{Plan: c.Plan, Options: c.Options}
	for _, change := range c.Steps {
		if change.Type != TypeBucketPolicy || change.Action != Error || !slices.ContainsFunc(change.Lose, letsIn) {
			continue
		}
		document, err := iampolicy.ParseLive(change.Live)
		if err != nil {
			continue // what it would lose comes from it
		}
		ours := change.Statements(c.Plan.Repository, func(PartChange) bool { return false })
		document.Statements = slices.DeleteFunc(document.Statements, func(s iampolicy.Statement) bool { return c.Plan.Ours(s.Sid) })
		document.Statements = append(document.Statements, ours...)
		closing := *change
		closing.Action = Update
		closing.Before = BucketPolicy{Bucket: change.Name, Region: change.Region, Document: change.Live}
		closing.Want = BucketPolicy{Bucket: change.Name, Region: change.Region, Ours: ours, Document: iampolicy.Marshal(document)}
		unclosed.Steps = append(unclosed.Steps, &closing)
	}
	return unclosed
}

// letsIn reports whether a pair gives anybody access: the id of a principal that
// was deleted does not.
func letsIn(p iampolicy.Pair) bool { return !iampolicy.IsEntityID(p.Principal) }

// StaysOpen are errors that name, for each bucket policy that cannot be written,
// the access of Open that it gives, and what is in the way.
func (c *Changes) StaysOpen() []specs.Problem {
	open := map[string][]AccessEntry{}
	for _, e := range c.Open {
		open[e.Step] = append(open[e.Step], e)
	}
	var problems []specs.Problem
	for _, change := range c.Steps {
		entries := open[change.ID]
		if len(entries) == 0 {
			continue
		}
		p := specs.Problem{
			Code: CodeStaysOpen, Severity: specs.SeverityError, Account: change.Account, Step: change.ID, Source: change.Source,
		}
		if len(change.Shares) == 1 {
			p.Share = change.Shares[0]
		}
		var why, mends []string
		for _, cause := range c.Problems {
			if cause.Step != change.ID || cause.Severity != specs.SeverityError {
				continue
			}
			why = append(why, cause.Message)
			if cause.Mend != "" && !slices.Contains(mends, cause.Mend) {
				mends = append(mends, cause.Mend)
			}
		}
		p.Message = fmt.Sprintf("access that no spec states stays open: %s; the policy of bucket %s cannot be written", byPrincipals(entries), change.Name)
		if len(why) > 0 {
			p.Message += ": " + why[0]
		}
		if len(why) > 1 {
			p.Message += fmt.Sprintf(" (and %d more errors)", len(why)-1)
		}
		p.Mend = strings.Join(mends, "; ")
		if p.Mend != "" {
			p.Mend += "; then apply again"
		}
		problems = append(problems, p)
	}
	return problems
}

// byPrincipals is a list of entries as text, with all actions of one principal
// on one resource together; of many, the first few.
func byPrincipals(entries []AccessEntry) string {
	const few = 5
	var order []AccessEntry
	actions := map[AccessEntry][]string{}
	for _, e := range entries {
		key := e
		key.Action = ""
		if actions[key] == nil {
			order = append(order, key)
		}
		actions[key] = append(actions[key], e.Action)
	}
	var texts []string
	for _, key := range order[:min(few, len(order))] {
		key.Action = strings.Join(actions[key], ", ")
		texts = append(texts, key.String())
	}
	if more := len(order) - few; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}
