package proof

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// caseFields are the fields of a case.
var caseFields = []string{
	"id", "title", "principal", "action", "resource", "principalUniqueId", "principalRoleArn", "resourceAccount",
	"identityPolicies", "resourcePolicy", "boundary", "scps", "rcps", "sessionPolicy", "endpointPolicies",
	"context", "exactContext", "s3BlockPublicAccess", "steps",
}

// testCase is a case, or a step, before its fields are looked at.
type testCase struct {
	fields   map[string]field // without context, id of a case, and steps
	contexts []field          // a later one's keys win
	removed  []string         // of a step: what is null, so not inherited
}

// with is the case of a step: what it has wins, and it inherits the rest.
// What only describes a principal or a resource is not inherited by another.
func (c testCase) with(step testCase) testCase {
	out := testCase{fields: maps.Clone(c.fields), contexts: c.contexts}
	for _, name := range step.removed {
		delete(out.fields, name)
	}
	if p, ok := step.fields["principal"]; ok && p.value() != c.fields["principal"].value() {
		delete(out.fields, "principalUniqueId")
		delete(out.fields, "principalRoleArn")
	}
	if res, ok := step.fields["resource"]; ok && isAccountID(cutARN(res.value()).account) {
		delete(out.fields, "resourceAccount")
	}
	maps.Copy(out.fields, step.fields)
	if slices.Contains(step.removed, "context") {
		out.contexts = nil
	}
	out.contexts = append(slices.Clone(out.contexts), step.contexts...)
	return out
}

// value is a string's value, empty for all else.
func (f field) value() string {
	if len(f.text) == 0 || f.kind() != aString {
		return ""
	}
	return f.unquote()
}

// read takes the line apart. It sets id as soon as it is known, so that an
// invalid case can be told by it.
func (r *caseReader) read(id *json.RawMessage) (base testCase, steps []testCase, err error) {
	whole, err := r.whole()
	var list []field
	if len(whole.text) > 0 && whole.text[0] == '{' {
		var problem error
		list, problem = r.members(whole)
		if err == nil {
			err = problem
		}
	}
	for _, m := range list {
		if m.name == "id" && (m.kind() == aString || m.kind() == aNumber) {
			*id = m.text
			break
		}
	}
	if err != nil {
		return base, nil, err
	}
	if base, err = r.gather(list, false); err != nil {
		return base, nil, err
	}
	if f, ok := base.fields["steps"]; ok {
		if f.kind() != aList {
			return base, nil, r.errorf(f.at, "steps must be a list of partial cases, not %s", f.kind())
		}
		items, err := r.items(f)
		if err != nil {
			return base, nil, err
		}
		for _, item := range items {
			item.name = "a step"
			list, err := r.members(item)
			if err != nil {
				return base, nil, err
			}
			step, err := r.gather(list, true)
			if err != nil {
				return base, nil, err
			}
			steps = append(steps, step)
		}
	}
	return base, steps, nil
}

// gather sorts fields. null is the same as no field at all; in a step it takes
// away what the step would inherit.
func (r *caseReader) gather(list []field, isStep bool) (testCase, error) {
	c := testCase{fields: map[string]field{}}
	for _, m := range list {
		switch {
		case !slices.Contains(caseFields, m.name):
			return c, r.errorf(m.nameAt, "there is no field %q%s", m.name, suggestField(m.name))
		case isStep && m.name == "steps":
			return c, r.errorf(m.nameAt, "a step has no steps of its own: put them in one list")
		case m.kind() == aNull:
			c.removed = append(c.removed, m.name)
		case m.name == "id":
			if m.kind() != aString && m.kind() != aNumber {
				return c, r.errorf(m.at, "id must be a string, not %s", m.kind())
			}
			c.fields["id"] = m
		case m.name == "context":
			c.contexts = append(c.contexts, m)
		default:
			c.fields[m.name] = m
		}
	}
	return c, nil
}

func suggestField(name string) string {
	best := ""
	for _, f := range caseFields {
		if strings.EqualFold(f, name) || differ(strings.ToLower(f), strings.ToLower(name)) && best == "" {
			best = f
		}
	}
	if best == "" {
		return ": there are " + strings.Join(caseFields, ", ")
	}
	return `: did you mean "` + best + `"?`
}

// text reads a string; empty where the case does not have the field.
func (r *caseReader) text(c testCase, name string) (string, error) {
	f, ok := c.fields[name]
	if !ok {
		return "", nil
	}
	s, err := r.string(f)
	if err == nil && s == "" && name != "title" {
		err = r.errorf(f.at, "%s is empty: give a value, or leave the field out", name)
	}
	return s, err
}

func (r *caseReader) string(f field) (string, error) {
	if f.kind() != aString {
		return "", r.errorf(f.at, "%s must be a string, not %s", f.name, f.kind())
	}
	s := f.unquote()
	if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(f.text, utf8.RuneError) &&
		!bytes.Contains(bytes.ToLower(f.text), []byte(`\ufffd`)) {
		// It becomes U+FFFD, so that two texts would mean one.
		return "", r.errorf(f.at, "%s has half a surrogate pair", f.name)
	}
	return s, nil
}

func (r *caseReader) bool(c testCase, name string) (bool, error) {
	f, ok := c.fields[name]
	if ok && f.kind() != aBoolean {
		return false, r.errorf(f.at, "%s must be true or false, not %s", name, f.kind())
	}
	return ok && f.text[0] == 't', nil
}

// condition is one key of a case's context.
type condition struct {
	name   string
	values []string // nil: the key is taken out, a default one too
}

// context reads the condition keys, by their names in lower case.
func (r *caseReader) context(c testCase) (map[string]condition, error) {
	all := map[string]condition{}
	for _, f := range c.contexts {
		list, err := r.members(f)
		if err != nil {
			return nil, err
		}
		here := map[string]bool{}
		for _, m := range list {
			folded := strings.ToLower(m.name)
			switch {
			case m.name == "":
				return nil, r.errorf(m.nameAt, "a condition key has no name")
			case here[folded]:
				return nil, r.errorf(m.nameAt, "the condition key %q stands twice, in another case: keep one", m.name)
			}
			here[folded] = true
			values, err := r.values(m)
			if err != nil {
				return nil, err
			}
			all[folded] = condition{m.name, values}
		}
	}
	return all, nil
}

// values are those of a condition key: one, or a list. Numbers and booleans
// count as they are written, as they do in policies.
func (r *caseReader) values(f field) ([]string, error) {
	items := []field{f}
	switch f.kind() {
	case aNull:
		return nil, nil
	case aList:
		var err error
		if items, err = r.items(f); err != nil {
			return nil, err
		}
	}
	out := []string{}
	for _, item := range items {
		switch item.kind() {
		case aNumber, aBoolean:
			out = append(out, string(item.text))
		default:
			s, err := r.string(item)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}
