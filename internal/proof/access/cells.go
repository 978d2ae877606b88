package access

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// How texts are told apart.
//
// Premise: what a policy says of a text, such as a key or a condition's value,
// depends only on which of the policy's patterns match it. All texts that the
// same patterns match are one cell, and one text stands for all of its cell.
// The cells are found by walking the patterns together, as one automaton, over
// the few characters that matter at each place. So each cell that is not empty
// is found, overlaps included, with its shortest text.

// errTooRich: the policies tell more apart than can be enumerated.
var errTooRich = errors.New("its policies tell too many cases apart")

// maxStates bounds the places that a walk visits.
const maxStates = 20_000

// token is a character of a pattern, or a wildcard.
type token struct {
	char  rune
	one   bool // any one character
	many  bool // any characters, none included
	short bool // a wildcard that does not reach over a colon
	end   bool // a wildcard that does not stand for a slash
}

// tokens are a pattern's. variables: ${*}, ${?} and ${$} stand for the
// character; other variables must be gone.
func tokens(pattern string, variables bool) []token {
	var list []token
	for _, r := range pattern {
		list = append(list, token{char: r, one: r == '?', many: r == '*'})
	}
	if !variables {
		return list
	}
	for i := 0; i+3 < len(list); i++ {
		if list[i].char == '$' && list[i+1].char == '{' && list[i+3].char == '}' && strings.ContainsRune("*?$", list[i+2].char) {
			list = slices.Replace(list, i, i+4, token{char: list[i+2].char})
		}
	}
	return list
}

// exactly are the tokens of a text without wildcards.
func exactly(text string) []token {
	var list []token
	for _, r := range text {
		list = append(list, token{char: r})
	}
	return list
}

// byParts are the tokens of a pattern for ARNs, whose first five parts are
// compared one by one.
func byParts(pattern []token) []token {
	pattern = slices.Clone(pattern)
	colons := 0
	for i := range pattern {
		if pattern[i].char == ':' {
			colons++
		}
		pattern[i].short = colons < 5
	}
	return pattern
}

func (t token) takes(r rune) bool {
	if t.one || t.many {
		return (!t.short || r != ':') && (!t.end || r != '/')
	}
	return t.char == r
}

// cell is one text for all that the same patterns match.
type cell struct {
	text string
	in   []bool // by pattern
}

// cellsOf finds the cells of the texts that start with start and match one of
// the domain's patterns; in is by the patterns of both, the domain's first. The
// cells come in the order of their texts' lengths.
func cellsOf(domain, patterns [][]token, start string) ([]cell, error) {
	w := &walk{patterns: slices.Concat(domain, patterns), domain: len(domain)}
	var state []reached
	for i, p := range w.patterns {
		state = append(state, reached{i, closed(p, []int{0})})
	}
	for _, r := range start {
		state = w.step(state, r)
	}
	type place struct {
		state []reached
		text  string
	}
	seen := map[string]bool{key(state): true}
	found := map[string]bool{}
	var cells []cell
	for queue := []place{{state, start}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if in := w.accepted(at.state); slices.Contains(in[:w.domain], true) {
			if k := bits(in); !found[k] {
				found[k] = true
				cells = append(cells, cell{at.text, in})
			}
		}
		for _, r := range w.next(at.state) {
			to := w.step(at.state, r)
			if len(to) == 0 || to[0].pattern >= w.domain {
				continue // no text of the domain is left
			}
			if k := key(to); !seen[k] {
				if len(seen) >= maxStates {
					return nil, errTooRich
				}
				seen[k] = true
				queue = append(queue, place{to, at.text + string(r)})
			}
		}
	}
	return cells, nil
}

// walk goes through all patterns at once.
type walk struct {
	patterns [][]token
	domain   int // how many of them are the domain's
}

// reached is how far a text has come in one pattern: the places in it, sorted.
// Patterns that it can no longer match are left out of a state.
type reached struct {
	pattern int
	places  []int
}

// closed adds the places behind a wildcard that may stand for nothing.
func closed(p []token, places []int) []int {
	for i := 0; i < len(places); i++ {
		if at := places[i]; at < len(p) && p[at].many && !slices.Contains(places, at+1) {
			places = append(places, at+1)
		}
	}
	slices.Sort(places)
	return places
}

func (w *walk) step(state []reached, r rune) []reached {
	var to []reached
	for _, s := range state {
		p := w.patterns[s.pattern]
		var places []int
		for _, at := range s.places {
			if at == len(p) || !p[at].takes(r) {
				continue
			}
			if !p[at].many {
				at++
			}
			if !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
		if len(places) > 0 {
			to = append(to, reached{s.pattern, closed(p, places)})
		}
	}
	return to
}

// next lists the characters that lead to different places: those that stand
// next in a pattern, and one that does not.
func (w *walk) next(state []reached) []rune {
	var list []rune
	for _, s := range state {
		p := w.patterns[s.pattern]
		for _, at := range s.places {
			switch {
			case at == len(p):
			case !p[at].one && !p[at].many:
				list = append(list, p[at].char)
			default:
				if p[at].short {
					list = append(list, ':')
				}
				if p[at].end {
					list = append(list, '/')
				}
			}
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	for _, other := range anyRunes {
		if !slices.Contains(list, other) {
			return append([]rune{other}, list...)
		}
	}
	for other := 'À'; ; other++ {
		if !slices.Contains(list, other) {
			return append([]rune{other}, list...)
		}
	}
}

// anyRunes are what stands for any character, those first that read best.
var anyRunes = []rune("xyzwvutsrqponmlkjihgfedcba0123456789-_.")

func (w *walk) accepted(state []reached) []bool {
	in := make([]bool, len(w.patterns))
	for _, s := range state {
		in[s.pattern] = s.places[len(s.places)-1] == len(w.patterns[s.pattern])
	}
	return in
}

func key(state []reached) string {
	var b []byte
	for _, s := range state {
		b = binary.AppendUvarint(b, uint64(s.pattern)+1)
		for _, at := range s.places {
			b = binary.AppendUvarint(b, uint64(at)+1)
		}
		b = append(b, 0)
	}
	return string(b)
}

func bits(in []bool) string {
	b := make([]byte, len(in))
	for i, is := range in {
		b[i] = '0'
		if is {
			b[i] = '1'
		}
	}
	return string(b)
}
