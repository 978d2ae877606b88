package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// nothing is a text that no resource and no value is equal to or like. It has
// the form of an ARN, since a value that has not is a case of its own.
const nothing = "arn:xshare:none:::none"

// expanded is a rule's statement with the caller's values in place of its
// policy variables; those that stand for characters stay. An error says which
// variable's value does not follow from who calls, or not for all that the
// caller stands for.
func (c *caller) expanded(r *rule) (iampolicy.Statement, error) {
	if !r.variables {
		return r.s, nil
	}
	s := r.s
	var failed error
	expand := func(values []string) []string {
		if !slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "${") }) {
			return values
		}
		out := make([]string, len(values))
		for i, v := range values {
			text, err := c.expand(v)
			if err != nil {
				failed = err
			}
			out[i] = text
		}
		return out
	}
	for _, text := range slices.Concat(s.Resource, s.NotResource) {
		if head, _ := headOf(text); strings.Contains(head, "${") {
			return s, fmt.Errorf("%w: the policy variable in %s", errTooRich, text)
		}
	}
	s.Resource, s.NotResource = expand(s.Resource), expand(s.NotResource)
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Values = expand(s.Condition[i].Values)
	}
	return s, failed
}

func (c *caller) expand(text string) (string, error) {
	var out strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, ok := strings.Cut(after, "}")
		if !ok {
			return "", fmt.Errorf("%w: the text %s, whose policy variable has no end", errTooRich, text)
		}
		rest = after
		if name == "*" || name == "?" || name == "$" {
			out.WriteString("${" + name + "}")
			continue
		}
		key, fallback, hasDefault := strings.Cut(name, ",")
		values, known := c.fixed(strings.TrimSpace(key))
		known = known && !slices.Contains(c.varies, strings.ToLower(strings.TrimSpace(key)))
		fallback = strings.TrimSpace(fallback)
		switch {
		case !known, hasDefault && (len(fallback) < 2 || !strings.HasPrefix(fallback, "'") || !strings.HasSuffix(fallback, "'")):
			return "", fmt.Errorf("%w: the policy variable ${%s}", errTooRich, name)
		case len(values) == 1 && values[0] != "":
			out.WriteString(values[0])
		case hasDefault:
			out.WriteString(fallback[1 : len(fallback)-1])
		default:
			return nothing, nil
		}
	}
}
