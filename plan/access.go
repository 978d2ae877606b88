package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// CodeOpensUnasked is the code of a problem that stops everything: the plan
// would open access that no share asks for.
const CodeOpensUnasked = "opens-unasked"

// Access is what the changes of a plan open and close, as the policies that
// decide about a resource say: a bucket's policy, a role's trust policy. What a
// caller's own policies say is not part of it: across accounts they must allow
// too, and within the bucket's account they may be enough.
type Access struct {
	Gained []AccessEntry `json:"gained"`
	Lost   []AccessEntry `json:"lost"`
}

// AccessEntry is one action on the resources of one pattern that a principal
// gains or loses.
type AccessEntry struct {
	// Principal is the ARN of a role, user or session; that of an account's
	// root for everybody in the account; with * and ? for the account's
	// roles, or users, of such names; "*" for everybody, "anonymous",
	// "any account", a service or a provider of identities.
	Principal string `json:"principal"`
	// Action is a pattern of actions where all that it stands for is opened or
	// closed, and one action otherwise.
	Action   string `json:"action"`
	Resource string `json:"resource"` // ARN, or a pattern of ARNs
	When     string `json:"when"`     // conditions in words; empty: always

	Step string `json:"-"` // the id of the step that opens or closes it
}

// Sort orders the entries by principal, resource, action and condition, each
// once.
func (a *Access) Sort() {
	a.Gained, a.Lost = sortedEntries(a.Gained), sortedEntries(a.Lost)
}

func sortedEntries(list []AccessEntry) []AccessEntry {
	slices.SortFunc(list, func(a, b AccessEntry) int {
		return cmp.Or(
			strings.Compare(a.Principal, b.Principal), strings.Compare(a.Resource, b.Resource),
			strings.Compare(a.Action, b.Action), strings.Compare(a.When, b.When), strings.Compare(a.Step, b.Step),
		)
	})
	return slices.Compact(list)
}

// document is the access with lists that are never null.
func (a Access) document() Access {
	return Access{Gained: append([]AccessEntry{}, a.Gained...), Lost: append([]AccessEntry{}, a.Lost...)}
}

// beyond lists the entries that a saved list does not have, by their steps.
func beyond(list, saved []AccessEntry) map[string][]AccessEntry {
	known := map[AccessEntry]bool{}
	for _, e := range saved {
		e.Step = ""
		known[e] = true
	}
	more := map[string][]AccessEntry{}
	for _, e := range list {
		bare := e
		bare.Step = ""
		if !known[bare] {
			more[e.Step] = append(more[e.Step], e)
		}
	}
	return more
}

// Brief is the first few of a list of entries as text, and how many more there
// are.
func Brief(list []AccessEntry) string {
	const few = 3
	var words []string
	for _, e := range list[:min(few, len(list))] {
		words = append(words, e.String())
	}
	text := strings.Join(words, "; ")
	if more := len(list) - few; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// String is the entry as a sentence tells it, without a verb.
func (e AccessEntry) String() string {
	text := e.Principal + ": " + e.Action + " on " + e.Resource
	if e.When != "" {
		text += ", " + e.When
	}
	return text
}
