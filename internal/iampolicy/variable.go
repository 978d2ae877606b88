package iampolicy

import (
	"slices"
	"strings"
)

// verdict is what a comparison says; unknown where it cannot tell. Unknown
// never helps the caller: it matches a Deny and does not match an Allow.
type verdict uint8

const (
	no verdict = iota
	yes
	unknown
)

func verdictOf(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// holds turns a verdict into a match of a statement with this effect.
func (v verdict) holds(effect Effect) bool {
	return v == yes || v == unknown && effect == Deny
}

// expand replaces the policy variables of a text
// (IAM:reference_policies_variables). Only Version 2012-10-17 knows them, and
// then ${*}, ${?} and ${$} are those characters. It says no when a variable has
// neither a value nor a default: then nothing is equal or like the text. No text
// that AWS compares is longer than maxText.
func (e *evaluation) expand(text string, variables bool) (pattern, verdict) {
	if !variables || !strings.Contains(text, "${") {
		return pattern{text: text}, yes
	}
	var out strings.Builder
	var p pattern
	write := func(value string) {
		p.literal = append(p.literal, make([]bool, out.Len()-len(p.literal))...)
		for range len(value) {
			p.literal = append(p.literal, true)
		}
		out.WriteString(value)
	}
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return pattern{}, unknown
		}
		text = after
		if stands(name) {
			write(name)
			continue
		}
		value, v := e.variable(name)
		if v != yes {
			return pattern{}, v
		}
		p.wildValue = p.wildValue || isWild(value)
		p.colonValue = p.colonValue || strings.Contains(value, ":") && strings.Count(out.String(), ":") < arnParts-1
		if out.Len()+len(value) > maxText {
			return pattern{}, unknown
		}
		write(value)
	}
	p.text = out.String()
	return p, yes
}

// variable is the value of what stands in ${…}: a key, and maybe a default.
func (e *evaluation) variable(name string) (string, verdict) {
	key, rest, hasDefault := strings.Cut(name, ",")
	fallback := strings.TrimSpace(rest)
	if hasDefault && (len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'') {
		return "", unknown
	}
	values := e.lookup(strings.TrimSpace(key))
	switch {
	case len(values) > 1: // variables are for keys with one value
		return "", unknown
	case len(values) == 1 && values[0] != "":
		return values[0], yes
	case hasDefault:
		return fallback[1 : len(fallback)-1], yes
	}
	return "", no
}

// stands reports whether what stands in ${…} is one of the three that stand
// for a character.
func stands(name string) bool { return name == "*" || name == "?" || name == "$" }

// Variables are the condition keys of the policy variables in a text, in their
// order: of a Resource or NotResource, or a value of a condition whose operator
// takes them (see CompareTexts). Only a document of Version2012 has variables;
// ${*}, ${?} and ${$} are none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func Variables(text string) []string {
	var keys []string
	for {
		_, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return keys
		}
		text = after
		if !stands(name) {
			key, _, _ := strings.Cut(name, ",")
			keys = append(keys, strings.TrimSpace(key))
		}
	}
}

// Loosen replaces the policy variables by * whose condition keys are not known,
// so that a pattern matches whatever they may stand for; they, and known ones,
// may have defaults. Where literal is set, the text is not a pattern yet, and is
// made one that matches just it: its own * and ? become ${*} and ${?}.
func Loosen(text string, known func(key string) bool, literal bool) string {
	plain := func(s string) string { return s }
	if literal {
		plain = strings.NewReplacer("*", "${*}", "?", "${?}").Replace
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(plain(before))
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !found:
			return out.String()
		case !closed:
			return out.String() + "${" + rest
		case slices.ContainsFunc(Variables("${"+name+"}"), func(key string) bool { return !known(key) }):
			out.WriteString("*")
		default:
			out.WriteString("${" + name + "}")
		}
		text = after
	}
}

// Glob is a pattern without policy variables: its characters, and AnyText and
// AnyCharacter where it has wildcards.
type Glob []rune

// The wildcards of a Glob.
const (
	AnyText      rune = -1 // *
	AnyCharacter rune = -2 // ?
)

// Expand makes a Glob of a pattern, its policy variables replaced by what a
// request's context has, or by their defaults. variables is whether it is of a
// document of Version2012. It is not ok where a variable has no value or several,
// or one with a wildcard: then nothing is known to be like the pattern.
func Expand(text string, context map[string][]string, variables bool) (glob Glob, ok bool) {
	e := evaluation{req: Request{Context: context}}
	p, v := e.expand(text, variables)
	if v != yes || p.wildValue {
		return nil, false
	}
	for i, c := range p.text {
		switch {
		case p.wild(i, '*'):
			c = AnyText
		case p.wild(i, '?'):
			c = AnyCharacter
		}
		glob = append(glob, c)
	}
	return glob, true
}
