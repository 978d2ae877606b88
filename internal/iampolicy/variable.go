package iampolicy

import "strings"

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
// neither a value nor a default: then nothing is equal or like the text.
func (e *evaluation) expand(text string, variables bool) (pattern, verdict) {
	if !variables || !strings.Contains(text, "${") {
		return pattern{text: text}, yes
	}
	var out strings.Builder
	p := pattern{literal: map[int]bool{}}
	write := func(value string) {
		for i := range len(value) {
			p.literal[out.Len()+i] = true
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
		if name == "*" || name == "?" || name == "$" {
			write(name)
			continue
		}
		value, v := e.variable(name)
		if v != yes {
			return pattern{}, v
		}
		p.wildValue = p.wildValue || isWild(value)
		p.colonValue = p.colonValue || strings.Contains(value, ":") && strings.Count(out.String(), ":") < arnParts-1
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
