package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/xshare/xshare/internal/iampolicy"
)

// statements tells a policy document in words, one statement a line. lead is
// what each begins with.
func (p *printer) statements(lead string, c colour, text []byte) {
	d, err := iampolicy.ParseLive(text)
	if err != nil {
		p.wrapped(lead, c, "a document that cannot be understood: "+clean(err.Error()))
		return
	}
	for _, s := range d.Statements {
		p.wrapped(lead, c, sentence(s))
	}
}

// sentence is a statement in words: who may do what on what, and when.
func sentence(s iampolicy.Statement) string {
	var words []string
	if s.Principal != nil {
		words = append(words, list(principals(s.Principal)))
	}
	if s.NotPrincipal != nil {
		words = append(words, "everybody but", list(principals(s.NotPrincipal)))
	}
	verb := "may"
	if s.Effect == iampolicy.Deny {
		verb = "may not"
	}
	words = append(words, verb, list(trimmed(s.Action, "s3:")))
	if len(s.NotAction) > 0 {
		words = append(words, "all but", list(trimmed(s.NotAction, "s3:")))
	}
	if len(s.Resource) > 0 {
		words = append(words, "on", list(short(s.Resource)))
	}
	if len(s.NotResource) > 0 {
		words = append(words, "on all but", list(short(s.NotResource)))
	}
	for i, c := range s.Condition {
		when := "where"
		if i > 0 {
			when = "and"
		}
		words = append(words, when, clean(c.Key), condition(c.Operator), list(c.Values))
	}
	if len(s.Unknown) > 0 {
		words = append(words, "and parts that xshare does not know")
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// condition is an operator in words, where it is one of the common ones.
func condition(operator string) string {
	switch operator {
	case "StringLike", "ArnLike":
		return "is like"
	case "StringEquals", "Bool", "ArnEquals", "NumericEquals":
		return "is"
	case "StringNotEquals", "ArnNotEquals":
		return "is not"
	}
	return clean(operator)
}

func list(values []string) string {
	values = slices.Clone(values)
	for i, v := range values {
		values[i] = clean(v)
		if v == "" {
			values[i] = `""`
		}
	}
	return strings.Join(values, ", ")
}

func trimmed(values []string, prefix string) []string {
	values = slices.Clone(values)
	for i, v := range values {
		if rest := strings.TrimPrefix(v, prefix); rest != "*" {
			values[i] = rest
		}
	}
	return values
}

// short is ARNs without the part that all of their kind share.
func short(arns []string) []string {
	arns = slices.Clone(arns)
	for i, arn := range arns {
		for _, service := range []string{":s3:::", ":iam::"} {
			if head, rest, ok := strings.Cut(arn, service); ok && strings.HasPrefix(head, "arn:") {
				arns[i] = rest
			}
		}
	}
	return arns
}

func principals(p *iampolicy.Principals) []string {
	var names []string
	if p.Any {
		names = append(names, "everybody")
	}
	names = append(names, short(p.AWS)...)
	names = append(names, p.Service...)
	names = append(names, p.Federated...)
	return append(names, p.CanonicalUser...)
}

// trusted is who may assume a role, of a trust policy.
func trusted(trust []byte) string {
	d, err := iampolicy.ParseLive(trust)
	if err != nil {
		return ""
	}
	var names []string
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && s.Principal != nil {
			names = append(names, principals(s.Principal)...)
		}
	}
	return list(names)
}

// diff writes how a policy document changes: lines of pretty-printed JSON in
// normal form, so that only what means something differs. It writes nothing if
// that is nothing.
func (p *printer) diff(indent string, before, after []byte) {
	from, to := pretty(before), pretty(after)
	unified, err := udiff.ToUnifiedDiff("", "", from, udiff.Lines(from, to), 2)
	if err != nil {
		// Edits that were made from a text fit it; if not, both are shown.
		p.line(indent + p.paint(red, "- "+clean(from)))
		p.line(indent + p.paint(green, "+ "+clean(to)))
		return
	}
	for i, hunk := range unified.Hunks {
		if i > 0 || hunk.FromLine > 1 {
			p.line(indent + p.paint(dim, "  ..."))
		}
		for _, line := range hunk.Lines {
			text := untabbed(line.Content)
			switch line.Kind {
			case udiff.Delete:
				p.line(indent + p.paint(red, "- "+text))
			case udiff.Insert:
				p.line(indent + p.paint(green, "+ "+text))
			default:
				p.line(indent + p.paint(dim, "  "+text))
			}
		}
	}
}

func untabbed(line string) string { return clean(strings.TrimSuffix(line, "\n")) }

// pretty is a document in normal form, indented; one that is no policy only
// indented, and one that is no JSON as it is. Nothing stays nothing.
func pretty(text []byte) string {
	if len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	if d, err := iampolicy.ParseLive(text); err == nil {
		text = iampolicy.Marshal(d)
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text) + "\n"
	}
	return b.String() + "\n"
}
