package iampolicy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// IsDead reports whether a principal is the unique id of a role or a user. AWS
// shows one in a resource policy once the role or user is gone; it never
// matches anybody again (IAM:reference_identifiers#identifiers-unique-ids).
func IsDead(principal string) bool {
	return len(principal) >= 16 && (strings.HasPrefix(principal, "AROA") || strings.HasPrefix(principal, "AIDA"))
}

// IsEntityID reports whether a principal is the unique id of a role, user or
// group, which AWS shows in place of an ARN once the entity is gone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func IsEntityID(principal string) bool {
	return IsDead(principal) || len(principal) >= 16 && strings.HasPrefix(principal, "AGPA")
}

// Dropped is what DropDead took out of one statement.
type Dropped struct {
	Statement string   // how it is called: its Sid or its number
	IDs       []string // the dead principals
	Whole     bool     // it named nobody else, and is gone
}

// String is a sentence without its end, to say where.
func (d Dropped) String() string {
	if d.Whole {
		return fmt.Sprintf("%s is removed, as it names deleted principals only (%s)", d.Statement, strings.Join(d.IDs, ", "))
	}
	return fmt.Sprintf("the deleted principals %s are taken out of %s", strings.Join(d.IDs, ", "), d.Statement)
}

// DropDead returns the text of a live resource policy without the ids of
// deleted principals (see IsDead) in the Principal of Allow statements that are
// not ours, and what it took out, in order. An Allow that names nobody else is
// removed whole. All else stays byte for byte: a Deny, a NotPrincipal and
// ours. Where there is nothing to take out the text is live itself; where no
// statement is left, its list of statements is empty.
//
// It is an error if live is no JSON object with statements.
func DropDead(live []byte, ours func(sid string) bool) (text []byte, dropped []Dropped, err error) {
	if len(bytes.TrimSpace(live)) == 0 {
		return live, nil, nil
	}
	root, err := readJSON(live)
	if err != nil {
		return nil, nil, fmt.Errorf("the live policy cannot be read: %w", err)
	}
	// Merge's reading of the statements, which also checks their form.
	if _, _, _, err := foreign(live, root, ours); err != nil {
		return nil, nil, fmt.Errorf("the live policy cannot be read: %w", err)
	}
	statements, _ := root.member("Statement")
	items := []node{statements}
	if statements.kind == array {
		items = statements.items
	}
	var cuts []span
	gone := make([]bool, len(items))
	for i, n := range items {
		sid, _ := n.member("Sid")
		effect, _ := n.member("Effect")
		if ours(sid.str) || effect.str != string(Allow) {
			continue
		}
		ids, inside, whole := deadIn(n)
		if len(ids) == 0 {
			continue
		}
		s := Statement{Sid: sid.str}
		dropped = append(dropped, Dropped{Statement: s.label(i), IDs: ids, Whole: whole})
		if gone[i] = whole; !whole {
			cuts = append(cuts, inside...)
		}
	}
	switch {
	case len(dropped) == 0:
		return live, nil, nil
	case statements.kind != array && gone[0]:
		return slices.Concat(live[:statements.start], []byte("[]"), live[statements.end:]), dropped, nil
	}
	return without(live, append(cuts, removing(spansOf(items), gone)...)), dropped, nil
}

// deadIn lists the dead principals of a statement, the places in its text to
// cut them out, and whether they are all that it names.
func deadIn(statement node) (ids []string, cuts []span, whole bool) {
	principal, _ := statement.member("Principal")
	names := make([]span, len(principal.members))
	gone := make([]bool, len(principal.members))
	for i, m := range principal.members {
		names[i] = span{m.start, m.value.end}
		if m.name != "AWS" {
			continue
		}
		list := []node{m.value}
		if m.value.kind == array {
			list = m.value.items
		}
		isDead := make([]bool, len(list))
		for j, n := range list {
			if isDead[j] = n.kind == text && IsDead(n.str); isDead[j] {
				ids = append(ids, n.str)
			}
		}
		if gone[i] = len(list) > 0 && !slices.Contains(isDead, false); !gone[i] {
			cuts = append(cuts, removing(spansOf(list), isDead)...)
		}
	}
	return ids, append(cuts, removing(names, gone)...), len(ids) > 0 && !slices.Contains(gone, false)
}

// span is a place in a text, from one byte offset to another.
type span struct{ start, end int }

func spansOf(nodes []node) []span {
	spans := make([]span, len(nodes))
	for i, n := range nodes {
		spans[i] = span{n.start, n.end}
	}
	return spans
}

// removing are the places to cut out of a JSON list so that some of its items
// are gone: each with the comma before it, or after it where none is left before.
func removing(items []span, gone []bool) []span {
	var cuts []span
	kept := false
	for i, item := range items {
		switch {
		case !gone[i]:
			kept = true
		case kept:
			cuts = append(cuts, span{items[i-1].end, item.end})
		case i+1 < len(items):
			cuts = append(cuts, span{item.start, items[i+1].start})
		default:
			cuts = append(cuts, item)
		}
	}
	return cuts
}

// without is the text without some places in it, which do not overlap.
func without(text []byte, cuts []span) []byte {
	slices.SortFunc(cuts, func(a, b span) int { return a.start - b.start })
	var kept []byte
	at := 0
	for _, c := range cuts {
		kept = append(kept, text[at:c.start]...)
		at = c.end
	}
	return append(kept, text[at:]...)
}
