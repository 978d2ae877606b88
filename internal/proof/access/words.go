package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// when is under which conditions access is gained or lost: where all of
// some conditions hold, unless all of others do.
type when struct {
	all    []iampolicy.Condition
	unless [][]iampolicy.Condition

	but             []string // actions that it is not about
	within, outside []string // patterns for resources
	except          []string // principals that it is not about
}

// words are the conditions as people say them; none: empty.
func (w when) words() string {
	var words []string
	if len(w.all) > 0 {
		words = append(words, "where "+conditionsInWords(w.all))
	}
	for _, unless := range w.unless {
		if where, ok := turned(unless); ok {
			words = append(words, "only where "+conditionInWords(where))
			continue
		}
		words = append(words, "unless "+conditionsInWords(unless))
	}
	if len(w.but) > 0 {
		words = append(words, "other than "+strings.Join(w.but, ", "))
	}
	if len(w.within) > 0 {
		words = append(words, "within "+strings.Join(w.within, " and "))
	}
	if len(w.outside) > 0 {
		words = append(words, "outside "+strings.Join(w.outside, " and "))
	}
	if len(w.except) > 0 {
		except := slices.Compact(slices.Sorted(slices.Values(w.except)))
		words = append(words, "not for "+strings.Join(except, ", "))
	}
	return strings.Join(words, "; ")
}

// turned is the one condition that holds where one that negates does not: it is
// easier to read than "unless … is not".
func turned(unless []iampolicy.Condition) (iampolicy.Condition, bool) {
	if len(unless) != 1 {
		return iampolicy.Condition{}, false
	}
	c := unless[0]
	kind, ofSets := operatorOf(c.Operator)
	if ofSets || operatorWords[kind][1] == "" || !strings.Contains(strings.ToLower(c.Operator), "not") {
		return iampolicy.Condition{}, false
	}
	c.Operator = kind
	return c, true
}

func conditionsInWords(conditions []iampolicy.Condition) string {
	var words []string
	for _, c := range conditions {
		if text := conditionInWords(c); !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	return strings.Join(words, " and ")
}

// operatorWords are how people say what an operator asks for, and its negation.
var operatorWords = map[string][2]string{
	"stringequals":             {"is", "is not"},
	"stringequalsignorecase":   {"is, in any case,", "is not, in any case,"},
	"stringlike":               {"is like", "is not like"},
	"arnequals":                {"is like", "is not like"},
	"arnlike":                  {"is like", "is not like"},
	"numericequals":            {"is", "is not"},
	"numericlessthan":          {"is less than"},
	"numericlessthanequals":    {"is at most"},
	"numericgreaterthan":       {"is more than"},
	"numericgreaterthanequals": {"is at least"},
	"dateequals":               {"is", "is not"},
	"datelessthan":             {"is before"},
	"datelessthanequals":       {"is not after"},
	"dategreaterthan":          {"is after"},
	"dategreaterthanequals":    {"is not before"},
	"bool":                     {"is"},
	"binaryequals":             {"is"},
	"ipaddress":                {"is in", "is not in"},
}

func conditionInWords(c iampolicy.Condition) string {
	kind, ofSets := operatorOf(c.Operator)
	if kind == "null" && len(c.Values) == 1 {
		if strings.EqualFold(c.Values[0], "true") {
			return c.Key + " is absent"
		}
		return c.Key + " is present"
	}
	verbs, ok := operatorWords[kind]
	lower := strings.ToLower(c.Operator)
	verb := verbs[0]
	if negated := strings.Contains(lower, "not"); negated {
		verb = verbs[1]
	}
	if !ok || verb == "" {
		return fmt.Sprintf("%s %s %s", c.Key, c.Operator, valuesInWords(c.Values))
	}
	text := c.Key + " " + verb + " " + valuesInWords(c.Values)
	switch {
	case ofSets && strings.HasPrefix(lower, "forall"):
		text = "each of " + text
	case ofSets:
		text = "one of " + text
	}
	if strings.HasSuffix(lower, "ifexists") {
		text += ", or is absent"
	}
	return text
}

func valuesInWords(values []string) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = v
		if v == "" || strings.ContainsAny(v, " ,;") {
			words[i] = fmt.Sprintf("%q", v)
		}
	}
	return strings.Join(words, " or ")
}
