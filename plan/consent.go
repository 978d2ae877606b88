package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// A saved plan is consent, not a program. Premise: the file may be old, cut
// short or forged, so nothing is ever done because it stands there. apply
// plans anew from the specs and the live accounts, and goes on only if all
// that it would then do is in the file: a forged file can hold a run up, and
// can widen nothing.
//
// Of a policy, what counts is our statements: what is gained and lost must be
// a subset of what the file gains and loses. Of another resource, the desired
// state must be the file's, and each field of the live state what it was, or
// what it is to be. The access that all of it opens and closes must be in the
// file too: somebody else's statement may have made it more. So a half-done
// apply can be repeated with the same file.

// ReadDocument reads a plan document strictly. Errors say what is wrong with
// the file.
func ReadDocument(text []byte) (*Document, error) {
	var version struct {
		FormatVersion *int `json:"formatVersion"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("it is no plan, or cut short: %w", err)
	}
	if version.FormatVersion == nil {
		return nil, errors.New("it is no plan: formatVersion is missing")
	}
	if *version.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("its format version is %d and this program knows %d only: make the plan anew", *version.FormatVersion, FormatVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var d Document
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("it is no plan of this program: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the plan")
	}
	return &d, nil
}

// Stale lists all that the changes would do and the saved plan does not
// consent to; none means that they may be carried out.
func (c *Changes) Stale(saved *Document) []specs.Problem {
	var problems []specs.Problem
	stale := func(change *Change, format string, args ...any) {
		p := specs.Problem{
			Code: "stale-plan", Severity: specs.SeverityError, Message: fmt.Sprintf(format, args...),
			Mend: "make the plan anew and have it looked at again",
		}
		if change != nil {
			p.Account, p.Step, p.Source = change.Account, change.ID, change.Source
		}
		problems = append(problems, p)
	}
	if saved.Repository != c.Plan.Repository {
		stale(nil, "the saved plan is of repository %s, not %s", saved.Repository, c.Plan.Repository)
		return problems
	}
	current := c.Options.document()
	if !reflect.DeepEqual(saved.Options, current) {
		stale(nil, "the saved plan was made with other options (only %v, adopt %t, prune %t, drop dead principals %t)",
			saved.Options.Only, saved.Options.Adopt, saved.Options.Prune, saved.Options.DropDeadPrincipals)
		return problems
	}
	byID := map[string]StepDocument{}
	for _, s := range saved.Steps {
		byID[s.ID] = s
	}
	for _, change := range c.Steps {
		if change.Action == Noop || change.Action == Error {
			continue // an error is not carried out
		}
		s, ok := byID[change.ID]
		switch {
		case !ok || s.Action == Noop || s.Action == Error:
			stale(change, "the saved plan does not %s %s %s", change.Action, noun(change.Type), change.Name)
		default:
			if why := c.exceeds(change, s); why != "" {
				stale(change, "%s %s: %s", noun(change.Type), change.Name, why)
			}
		}
	}
	gained, lost := beyond(c.Access.Gained, saved.Access.Gained), beyond(c.Access.Lost, saved.Access.Lost)
	for _, change := range c.Steps {
		if more := gained[change.ID]; len(more) > 0 {
			stale(change, "%s %s: it would open access that the saved plan does not open: %s", noun(change.Type), change.Name, Brief(more))
		}
		if more := lost[change.ID]; len(more) > 0 {
			stale(change, "%s %s: it would close access that the saved plan does not close: %s", noun(change.Type), change.Name, Brief(more))
		}
	}
	return problems
}

// exceeds says what a change does beyond the saved step; nothing if it stays
// within.
func (c *Changes) exceeds(change *Change, saved StepDocument) string {
	if change.Action == Adopt && saved.Action != Adopt {
		return "it exists now without our mark and would be taken over"
	}
	if change.Action == Delete && saved.Action != Delete && change.Type != TypeBucketPolicy {
		return "it would be removed"
	}
	step := change.document()
	before, after := object(step.Before), object(step.After)
	savedBefore, savedAfter := object(saved.Before), object(saved.After)
	if change.Type == TypeBucketPolicy || change.Type == TypePolicy {
		ours, savedOurs := c.atoms(before["document"]), c.atoms(savedBefore["document"])
		want, savedWant := c.atoms(after["document"]), c.atoms(savedAfter["document"])
		if !subset(minus(want, ours), minus(savedWant, savedOurs)) {
			return "it would gain access that the saved plan does not give"
		}
		if !subset(minus(ours, want), minus(savedOurs, savedWant)) {
			return "it would lose access that the saved plan does not take"
		}
		if c.dropsMore(change, savedBefore["document"]) {
			return "it would take principals out of foreign statements that the saved plan leaves there"
		}
		for _, m := range []map[string]any{before, after, savedBefore, savedAfter} {
			delete(m, "document")
		}
	}
	if !reflect.DeepEqual(after, savedAfter) {
		return "its desired state is not the one of the saved plan"
	}
	for _, field := range slices.Sorted(maps.Keys(before)) {
		if !oneOf(before[field], savedBefore[field], savedAfter[field]) {
			return fmt.Sprintf("its live %s is not what it was when the plan was saved", field)
		}
	}
	return ""
}

// object is a state as the JSON of the plan document has it; nil for none.
func object(state any) map[string]any {
	text, err := json.Marshal(state)
	if err != nil {
		panic(fmt.Sprintf("plan: %T does not marshal: %v", state, err)) // states are plain data
	}
	var m map[string]any
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}

// oneOf reports whether a live field is what it was or what it is to be; of
// maps, such as tags, that holds for each entry.
func oneOf(live, was, will any) bool {
	if reflect.DeepEqual(live, was) || reflect.DeepEqual(live, will) {
		return true
	}
	entries, ok := live.(map[string]any)
	if !ok {
		return was == nil && (live == nil || live == "")
	}
	before, _ := was.(map[string]any)
	after, _ := will.(map[string]any)
	for k, v := range entries {
		if !reflect.DeepEqual(v, before[k]) && !reflect.DeepEqual(v, after[k]) {
			return false
		}
	}
	return true
}

// atoms are those of our statements in a document of the plan's JSON.
func (c *Changes) atoms(document any) map[iampolicy.Atom]bool {
	set := map[iampolicy.Atom]bool{}
	text, err := json.Marshal(document)
	if document == nil || err != nil {
		return set
	}
	d, err := iampolicy.ParseLive(text)
	if err != nil {
		return set
	}
	each(iampolicy.Pairs(d, c.Plan.Ours), func(a iampolicy.Atom) { set[a] = true })
	return set
}

func minus(a, b map[iampolicy.Atom]bool) map[iampolicy.Atom]bool {
	rest := map[iampolicy.Atom]bool{}
	for atom := range a {
		if !b[atom] {
			rest[atom] = true
		}
	}
	return rest
}

func subset(a, b map[iampolicy.Atom]bool) bool { return len(minus(a, b)) == 0 }
