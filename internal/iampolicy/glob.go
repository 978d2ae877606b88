package iampolicy

import (
	"strings"
	"unicode/utf8"
)

// matchAction compares an action with an entry of Action: without case, with
// * and ? (IAM:reference_policies_elements_action).
func matchAction(pattern, action string) bool {
	p, s := 0, 0
	star, mark := -1, 0
	for s < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, s
			p++
		case p < len(pattern) && (pattern[p] == '?' || fold(pattern[p]) == fold(action[s])):
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
// its place in literal; nil means that there is none.
type pattern struct {
	text    string
	literal map[int]bool
}

// matches compares case-sensitively: * stands for any characters, ? for one.
func (p pattern) matches(s string) bool {
	i, j := 0, 0
	star, mark := -1, 0
	for j < len(s) {
		switch {
		case i < len(p.text) && p.text[i] == '*' && !p.literal[i]:
			if i == len(p.text)-1 {
				return true
			}
			star, mark = i, j
			i++
		case i < len(p.text) && p.text[i] == '?' && !p.literal[i]:
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
	for i < len(p.text) && p.text[i] == '*' && !p.literal[i] {
		i++
	}
	return i == len(p.text)
}

// segments cuts a pattern for an ARN at its first five colons; ok is false
// when there are fewer.
func (p pattern) segments() (out [6]pattern, ok bool) {
	start := 0
	for n := range 5 {
		i := strings.IndexByte(p.text[start:], ':')
		if i < 0 {
			return out, false
		}
		out[n] = p.cut(start, start+i)
		start += i + 1
	}
	out[5] = p.cut(start, len(p.text))
	return out, true
}

func (p pattern) cut(start, end int) pattern {
	out := pattern{text: p.text[start:end]}
	for i := range p.literal {
		if i >= start && i < end {
			if out.literal == nil {
				out.literal = map[int]bool{}
			}
			out.literal[i-start] = true
		}
	}
	return out
}

// compareARN compares an ARN part by part, each of the six with its own
// wildcards (IAM:reference_policies_elements_condition_operators#Conditions_ARN).
func (p pattern) compareARN(arn string) verdict {
	want, ok1 := p.segments()
	have, ok2 := pattern{text: arn}.segments()
	if !ok1 || !ok2 {
		return unknown
	}
	for i := range want {
		if !want[i].matches(have[i].text) {
			return no
		}
	}
	return yes
}
