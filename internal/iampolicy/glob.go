package iampolicy

import (
	"strings"
	"unicode/utf8"
)

// MatchAction compares an action with an entry of Action: without case, with
// * and ? (IAM:reference_policies_elements_action).
func MatchAction(pattern, action string) bool {
	p, s := 0, 0
	star, mark := -1, 0
	for s < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, s
			if p++; p == len(pattern) {
				return true
			}
		case p < len(pattern) && (pattern[p] == action[s] || pattern[p] == '?' || fold(pattern[p]) == fold(action[s])):
			p++
			s++
		case star >= 0:
			mark++
			p, s = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// fold is a letter in lower case. Actions are ASCII.
func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// pattern is a text with wildcards, whose variables have been replaced. A
// character that is to be taken literally although it is * or ? is marked by
// its place in literal, which may be shorter than the text.
type pattern struct {
	text    string
	literal []bool
	// A variable's value has a wildcard, or a colon where it would end a part of
	// an ARN. AWS does not say whether they are those characters only.
	wildValue, colonValue bool
}

// wild reports whether the character at i is a wildcard.
func (p *pattern) wild(i int, wildcard byte) bool {
	return p.text[i] == wildcard && (i >= len(p.literal) || !p.literal[i])
}

// firstWild is the place of the first wildcard, or the text's length.
func (p *pattern) firstWild() int {
	if p.literal == nil {
		first := len(p.text)
		if i := strings.IndexByte(p.text, '*'); i >= 0 {
			first = i
		}
		if i := strings.IndexByte(p.text[:first], '?'); i >= 0 {
			first = i
		}
		return first
	}
	for i := range len(p.text) {
		if p.wild(i, '*') || p.wild(i, '?') {
			return i
		}
	}
	return len(p.text)
}

// HasWildcard tells a pattern from a name: whether a text has a * or a ?.
func HasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// MatchText compares a text with a pattern, case-sensitively: * stands for any
// characters, ? for one.
func MatchText(wild, text string) bool {
	p := pattern{text: wild}
	return p.matches(text)
}

// matches compares case-sensitively: * stands for any characters, ? for one.
func (p *pattern) matches(s string) bool {
	first := p.firstWild()
	return strings.HasPrefix(s, p.text[:first]) && p.matchesFrom(first, s[first:])
}

// matchesFrom compares what follows the place i of the pattern.
func (p *pattern) matchesFrom(i int, s string) bool {
	j := 0
	star, mark := -1, 0
	for j < len(s) {
		switch {
		case i < len(p.text) && p.wild(i, '*'):
			star, mark = i, j
			if i++; i == len(p.text) {
				return true
			}
		case i < len(p.text) && p.wild(i, '?'):
			_, n := utf8.DecodeRuneInString(s[j:])
			i++
			j += n
		case i < len(p.text) && p.text[i] == s[j]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p.text) && p.wild(i, '*') {
		i++
	}
	return i == len(p.text)
}

// arnParts are how many parts an ARN has; the last one may hold colons.
const arnParts = 6

// parts cuts a pattern for an ARN at its first five colons; n is how many parts
// there are.
func (p *pattern) parts() (out [arnParts]pattern, n int) {
	start := 0
	for n < arnParts-1 {
		i := strings.IndexByte(p.text[start:], ':')
		if i < 0 {
			break
		}
		out[n] = p.cut(start, start+i)
		n++
		start += i + 1
	}
	out[n] = p.cut(start, len(p.text))
	return out, n + 1
}

func (p *pattern) cut(start, end int) pattern {
	n := len(p.literal)
	return pattern{text: p.text[start:end], literal: p.literal[min(start, n):min(end, n)]}
}

// compareARN compares an ARN part by part, each of the six with its own
// wildcards (IAM:reference_policies_elements_condition_operators#Conditions_ARN).
func (p *pattern) compareARN(arn string) verdict {
	want, n := p.parts()
	have, m := (&pattern{text: arn}).parts()
	if n < arnParts || m < arnParts || p.wildValue || p.colonValue {
		return unknown
	}
	for i := range want {
		if !want[i].matches(have[i].text) {
			return no
		}
	}
	return yes
}

// covers reports whether a pattern of a Resource element covers an ARN: each of
// the six parts is compared by itself, and the service's takes no wildcard
// (IAM:reference_policies_elements_resource). Parts that lack mean any where
// completed is set, as AWS completes identity-based policies, and them only
// (IAM:reference_identifiers#identifiers-arns).
func (p *pattern) covers(arn string, completed bool) bool {
	first := p.firstWild()
	if !strings.HasPrefix(arn, p.text[:first]) {
		return false
	}
	if strings.Count(p.text[:first], ":") >= arnParts-1 { // all wildcards are in the last part
		return p.matchesFrom(first, arn[first:])
	}
	want, n := p.parts()
	have, _ := (&pattern{text: arn}).parts()
	if n < arnParts && (!completed || n < 3) || want[0].text != "arn" || want[2].firstWild() < len(want[2].text) {
		return false
	}
	for i := range n {
		if !want[i].matches(have[i].text) {
			return false
		}
	}
	return true
}
