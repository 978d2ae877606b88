package proof

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// How statements are settled that hang on what only a real call has.
//
// Premise: such a statement matches some requests that cannot be told apart
// here from others. In place of it there are two that have nothing unknown: one
// that matches all that it may match, and one that matches only what it surely
// does. What favours an effect takes the first for statements of that effect,
// and the second for those of the other.
//
//	                        all that may match         what surely does
//	a condition on an
//	  unknown key, or on
//	  ARNs with an unknown
//	  policy variable       is not there               no request
//	a value, or Resource,
//	  with an unknown
//	  policy variable       any text for the variable  is not there
//	such a value of a
//	  negated operator,
//	  or NotResource        is not there               any text for the variable
//
// (What a variable stands for may not be an ARN, which cannot be compared.)
// A variable without a value is like nothing, so that a text which is not there
// is the least that it can mean.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

// settle decides what is not known in favour of an effect. Statements keep their
// places, so that reasons name the right one.
func settle(policies []iampolicy.Named, known func(string) bool, favoured iampolicy.Effect) []iampolicy.Named {
	list := make([]iampolicy.Named, 0, len(policies)+1)
	for _, named := range policies {
		var changed *iampolicy.Document
		for i, s := range named.Document.Statements {
			if len(unknownKeys(named.Document.Version, s, known)) == 0 {
				continue
			}
			if changed == nil {
				d := *named.Document
				d.Statements = slices.Clone(d.Statements)
				changed = &d
			}
			if s.Effect == favoured {
				s = atMost(named.Document.Version, s, known)
			} else {
				s = atLeast(named.Document.Version, s, known)
			}
			changed.Statements[i] = s
		}
		if changed != nil {
			named.Document = changed
		}
		list = append(list, named)
	}
	return list
}

// unknownKeys lists the condition keys that a statement hangs on and that are
// not known: of its conditions, and of policy variables.
func unknownKeys(version string, s iampolicy.Statement, known func(string) bool) []string {
	var keys []string
	add := func(list ...string) {
		for _, key := range list {
			if !known(key) {
				keys = append(keys, key)
			}
		}
	}
	for _, c := range s.Condition {
		add(c.Key)
	}
	for _, text := range withVariables(version, s) {
		add(iampolicy.Variables(text)...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// withVariables are the texts of a statement that have policy variables.
func withVariables(version string, s iampolicy.Statement) []string {
	if version != iampolicy.Version2012 {
		return nil
	}
	var list []string
	add := func(texts []string, takes func() bool) {
		for _, text := range texts {
			if strings.Contains(text, "${") && takes() {
				list = append(list, text)
			}
		}
	}
	always := func() bool { return true }
	add(s.Resource, always)
	add(s.NotResource, always)
	for _, c := range s.Condition {
		add(c.Values, func() bool {
			_, ok := iampolicy.CompareTexts(c.Operator)
			return ok
		})
	}
	return list
}

func hasVague(list []string, known func(string) bool) bool {
	return slices.ContainsFunc(list, func(text string) bool { return vague(text, known) })
}

// vague reports whether a text has a policy variable that is not known.
func vague(text string, known func(string) bool) bool {
	return slices.ContainsFunc(iampolicy.Variables(text), func(key string) bool { return !known(key) })
}

// atMost is a statement that matches all that one may match.
func atMost(version string, s iampolicy.Statement, known func(string) bool) iampolicy.Statement {
	variables := version == iampolicy.Version2012
	var conditions []iampolicy.Condition
	for _, c := range s.Condition {
		if !known(c.Key) {
			continue
		}
		if op, ok := iampolicy.CompareTexts(c.Operator); ok && variables {
			if op.ARN && hasVague(c.Values, known) {
				continue
			}
			if c = settledValues(c, op, known, !op.Negated); len(c.Values) == 0 {
				continue
			}
		}
		conditions = append(conditions, c)
	}
	s.Condition = conditions
	if variables {
		s.Resource = loosened(s.Resource, known)
		if len(s.NotResource) > 0 {
			if s.NotResource = without(s.NotResource, known); len(s.NotResource) == 0 {
				s.Resource = []string{"*"}
			}
		}
	}
	return s
}

// atLeast is a statement that matches only what one surely does.
func atLeast(version string, s iampolicy.Statement, known func(string) bool) iampolicy.Statement {
	variables := version == iampolicy.Version2012
	s.Condition = slices.Clone(s.Condition)
	for i, c := range s.Condition {
		if !known(c.Key) {
			return s.Inert()
		}
		if op, ok := iampolicy.CompareTexts(c.Operator); ok && variables {
			if op.ARN && hasVague(c.Values, known) {
				return s.Inert()
			}
			if s.Condition[i] = settledValues(c, op, known, op.Negated); len(s.Condition[i].Values) == 0 {
				return s.Inert()
			}
		}
	}
	if variables {
		s.NotResource = loosened(s.NotResource, known)
		if len(s.Resource) > 0 {
			if s.Resource = without(s.Resource, known); len(s.Resource) == 0 {
				return s.Inert()
			}
		}
	}
	return s
}

// without leaves out the texts with unknown variables.
func without(list []string, known func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(list), func(text string) bool { return vague(text, known) })
}

// loosened are patterns for resources that match whatever unknown variables
// stand for. One in a part of the ARN where no variable belongs may stand for
// all.
func loosened(list []string, known func(string) bool) []string {
	list = slices.Clone(list)
	for i, text := range list {
		if before, _, _ := strings.Cut(text, "${"); vague(text, known) && strings.Count(before, ":") < arnColons {
			list[i] = "*"
		} else {
			list[i] = iampolicy.Loosen(text, known, false)
		}
	}
	return list
}

// arnColons are how many colons stand before the last part of an ARN.
const arnColons = 5

// settledValues is a condition whose values have no unknown variable: with any text
// for those, or without the values that have one.
func settledValues(c iampolicy.Condition, op iampolicy.TextOperator, known func(string) bool, loose bool) iampolicy.Condition {
	if !hasVague(c.Values, known) {
		return c
	}
	if !loose {
		c.Values = without(c.Values, known)
		return c
	}
	c.Operator, c.Values = op.Like, slices.Clone(c.Values)
	for i, text := range c.Values {
		// A pattern says what a value says; but not without case, nor where a known
		// variable's value may have a wildcard.
		if !op.Wild && (op.IgnoreCase || len(iampolicy.Variables(text)) > 0 && !wholly(text, known)) {
			c.Values = []string{"*"}
			break
		}
		c.Values[i] = iampolicy.Loosen(text, known, !op.Wild)
	}
	return c
}

// wholly reports whether none of the policy variables of a text is known.
func wholly(text string, known func(string) bool) bool {
	return !slices.ContainsFunc(iampolicy.Variables(text), known)
}
