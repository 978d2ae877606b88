package proof

import (
	"slices"
	"strings"
	"unicode"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// patterns are those of all sides that some of the texts below one match, and
// not all: of ARNs of objects below that of a prefix, or of prefixes.
type patterns struct {
	base    []rune
	known   func(string) bool
	context map[string][]string // which has the values of policy variables

	narrow []glob
	takes  []glob                  // those of the narrow ones that may take something out
	named  bool                    // an object may be named as the base itself
	mixed  bool                    // what is taken out may hang on several patterns; see cells
	varied bool                    // a policy variable stands for the text, so that there are more patterns than these
	found  func() ([]string, bool) // cells, once they were asked for
}

// glob is a pattern without policy variables.
type glob struct {
	iampolicy.Glob
	ignoreCase bool
}

// ofResources is how patterns for resources are compared.
var ofResources = iampolicy.TextOperator{Wild: true}

// objects looks for those of objects below a prefix, and of what is encrypted
// for them with a key.
func (p *prover) objects(g plan.Grant, s *sides, base string, req iampolicy.Request) *patterns {
	_, key, _ := strings.Cut(base, "/")
	found := &patterns{base: []rune(base), known: s.known(req), context: req.Context, named: key != ""}
	for _, side := range s.all() {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				takes, gives := statement.NotResource, statement.Resource
				if statement.Effect == iampolicy.Deny {
					takes, gives = gives, takes
				}
				for _, pattern := range takes {
					narrow := found.add(pattern, named.Document.Version, ofResources, true)
					found.mixed = found.mixed || narrow && statement.Effect == iampolicy.Allow
				}
				for _, pattern := range gives {
					found.add(pattern, named.Document.Version, ofResources, false)
				}
			}
		}
	}
	if s.key.key != nil && !s.key.bucket {
		on, onKey := s.onKey(), p.keyRequest(g, s.key, req, "kms:Decrypt")
		found.known, found.context = on.known(onKey), onKey.Context
		found.addValues(on.all(), s3Context)
	}
	return found
}

// addValues adds the values of all conditions on a key.
func (p *patterns) addValues(sides []side, key string) {
	for _, side := range sides {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				p.varied = p.varied || slices.ContainsFunc(withVariables(named.Document.Version, statement), func(text string) bool {
					return slices.ContainsFunc(iampolicy.Variables(text), func(name string) bool { return strings.EqualFold(name, key) })
				})
				narrow := 0 // conditions
				for _, c := range statement.Condition {
					op, ok := iampolicy.CompareTexts(c.Operator)
					if !ok || !strings.EqualFold(c.Key, key) {
						continue
					}
					before := len(p.narrow)
					for _, value := range c.Values {
						p.add(value, named.Document.Version, op, true)
					}
					if len(p.narrow) > before {
						narrow++
						p.mixed = p.mixed || narrow > 1 || statement.Effect == iampolicy.Allow && op.Negated
					}
				}
			}
		}
	}
}

// add adds a pattern, or a value that an operator compares as such, if some of
// the texts match and not all: then it is narrow. What takes in an unknown
// variable is taken for any text there; what has no value matches none.
func (p *patterns) add(text, version string, op iampolicy.TextOperator, takes bool) (narrow bool) {
	g := glob{ignoreCase: op.IgnoreCase}
	switch variables := version == iampolicy.Version2012; {
	case variables:
		var ok bool
		if g.Glob, ok = iampolicy.Expand(iampolicy.Loosen(text, p.known, !op.Wild), p.context, true); !ok {
			return false
		}
	case op.Wild:
		g.Glob, _ = iampolicy.Expand(text, nil, false)
	default:
		g.Glob = iampolicy.Glob(text)
	}
	rests := g.after(p.base)
	if len(rests) == 0 || slices.ContainsFunc(rests, all) {
		return false
	}
	p.narrow = append(p.narrow, g)
	if takes {
		p.takes = append(p.takes, g)
	}
	return true
}

// all reports whether all texts match a pattern, or all but the empty one.
func all(rest iampolicy.Glob) bool {
	texts, characters := wildcards(rest)
	return texts > 0 && characters <= 1 && texts+characters == len(rest)
}

func wildcards(g iampolicy.Glob) (texts, characters int) {
	for _, c := range g {
		switch c {
		case iampolicy.AnyText:
			texts++
		case iampolicy.AnyCharacter:
			characters++
		}
	}
	return texts, characters
}

// taken is a text in each pattern that may take something out.
func (p *patterns) taken() []string {
	var list []string
	if p.named {
		list = append(list, string(p.base))
	}
	for _, g := range p.takes {
		for _, rest := range g.after(p.base) {
			list = append(list, string(p.base)+fill(rest))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// fill puts texts in place of wildcards.
func fill(g iampolicy.Glob) string {
	var out strings.Builder
	for _, c := range g {
		switch c {
		case iampolicy.AnyText:
			out.WriteString(sampleKey)
		case iampolicy.AnyCharacter:
			out.WriteByte('x')
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// spare is a key below the base that no narrow pattern matches; not ok: there is
// none. A text of one character that is in none of them matches only patterns of
// nothing but wildcards, which go by its length alone. So if any text escapes
// them, that of its length does; and none is needed that is longer than all of
// them want.
func (p *patterns) spare() (key string, ok bool) {
	rare, most := string(p.rare()), 0
	for _, g := range p.narrow {
		_, characters := wildcards(g.Glob)
		most = max(most, characters)
	}
	keys := []string{sampleKey, "0" + sampleKey + "0", "_" + sampleKey + "_"}
	for n := range most + 1 {
		keys = append(keys, strings.Repeat(rare, n+1))
	}
	for _, key := range keys {
		text := slices.Concat(p.base, []rune(key))
		if !slices.ContainsFunc(p.narrow, func(g glob) bool { return g.matches(text) }) {
			return key, true
		}
	}
	return sampleKey, false
}

// rare is a character that is in no narrow pattern, in neither case.
func (p *patterns) rare() rune {
	in := func(c rune) bool {
		return slices.ContainsFunc(p.narrow, func(g glob) bool {
			return slices.ContainsFunc(g.Glob, func(have rune) bool { return sameLetter(have, c) })
		})
	}
	for _, c := range "0_~Z9jqx!|" {
		if !in(c) {
			return c
		}
	}
	c := 'À' // and on: there are more letters than patterns have characters
	for in(c) || !unicode.IsLetter(c) {
		c++
	}
	return c
}

// sameLetter reports whether two characters are equal without case.
func sameLetter(a, b rune) bool {
	return a == b || a >= 0 && b >= 0 && strings.EqualFold(string(a), string(b))
}

// matches reports whether a text matches.
func (g glob) matches(text []rune) bool {
	return slices.Contains(g.reached(text), len(g.Glob))
}

// after are the patterns of what may follow the base in texts that match; that
// nothing does is none of them.
func (g glob) after(base []rune) []iampolicy.Glob {
	var list []iampolicy.Glob
	for _, at := range g.reached(base) {
		if at < len(g.Glob) {
			list = append(list, g.Glob[at:])
		}
	}
	return list
}

// reached are the places in a pattern at which a text may end that began at its
// start; its length is among them where the text matches.
func (g glob) reached(text []rune) []int {
	plain := 0 // up to here there is one place only
	for plain < len(text) && plain < len(g.Glob) && g.Glob[plain] >= 0 {
		if g.Glob[plain] != text[plain] && (!g.ignoreCase || !sameLetter(g.Glob[plain], text[plain])) {
			return nil
		}
		plain++
	}
	at := g.enter(nil, plain)
	for _, c := range text[plain:] {
		if at = g.step(at, c); len(at) == 0 {
			return nil
		}
	}
	return at
}

// step are the places that one more character leads to.
func (g glob) step(from []int, c rune) []int {
	var at []int
	for _, i := range from {
		switch {
		case i == len(g.Glob):
		case g.Glob[i] == iampolicy.AnyText:
			at = g.enter(at, i)
		case g.Glob[i] == iampolicy.AnyCharacter, g.Glob[i] == c, g.ignoreCase && sameLetter(g.Glob[i], c):
			at = g.enter(at, i+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// enter adds a place, and those behind it if it is that of any text.
func (g glob) enter(at []int, i int) []int {
	at = append(at, i)
	for ; i < len(g.Glob) && g.Glob[i] == iampolicy.AnyText; i++ {
		at = append(at, i+1)
	}
	return at
}
