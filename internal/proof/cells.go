package proof

import (
	"encoding/binary"
	"slices"
	"sync"
	"unicode"
)

// Where what is taken out hangs on several patterns.
//
// Premise: a Deny takes out all that one of its patterns matches, so that any
// text in it will do. But an Allow of all but some leaves out only what no other
// Allow has; and of two conditions on the same key both must hold. There the
// texts fall into cells, by which of the patterns they match, and it takes one of
// each. A text is followed through all patterns at once, character by character;
// characters that come next in none of them are alike.

// mostStates are how many places of all patterns together are gone through. It
// is far beyond what people write.
const mostStates = 1000

// cells are the shortest texts below the base in each cell. Not ok: there are
// too many.
func (p *patterns) cells() (texts []string, ok bool) {
	if p.found == nil {
		p.found = sync.OnceValues(p.findCells)
	}
	return p.found()
}

func (p *patterns) findCells() (texts []string, ok bool) {
	type state struct {
		at   [][]int // in each narrow pattern
		text string
	}
	if len(p.narrow) == 0 {
		return nil, true
	}
	rare := p.rare()
	first := state{text: string(p.base)}
	for _, g := range p.narrow {
		first.at = append(first.at, g.reached(p.base))
	}
	seen, cells := map[string]bool{}, map[string]bool{}
	for queue := []state{first}; len(queue) > 0; queue = queue[1:] {
		var next []rune // that a pattern tells from others
		for i, g := range p.narrow {
			for _, at := range queue[0].at[i] {
				if at < len(g.Glob) && g.Glob[at] >= 0 {
					next = append(next, g.Glob[at])
					if g.ignoreCase {
						next = append(next, unicode.ToLower(g.Glob[at]), unicode.ToUpper(g.Glob[at]))
					}
				}
			}
		}
		slices.Sort(next)
		for _, c := range append([]rune{rare}, slices.Compact(next)...) {
			to := state{text: queue[0].text + string(c)}
			var cell []byte
			for i, g := range p.narrow {
				at := g.step(queue[0].at[i], c)
				to.at = append(to.at, at)
				if slices.Contains(at, len(g.Glob)) {
					cell = binary.AppendUvarint(cell, uint64(i))
				}
			}
			key := placesKey(to.at)
			if seen[key] {
				continue
			}
			if len(seen) == mostStates {
				return nil, false
			}
			seen[key] = true
			queue = append(queue, to)
			if !cells[string(cell)] {
				cells[string(cell)] = true
				texts = append(texts, to.text)
			}
		}
	}
	return texts, true
}

// placesKey tells lists of places apart.
func placesKey(lists [][]int) string {
	var key []byte
	for _, list := range lists {
		key = binary.AppendUvarint(key, uint64(len(list)))
		for _, at := range list {
			key = binary.AppendUvarint(key, uint64(at))
		}
	}
	return string(key)
}
