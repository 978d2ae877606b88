package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/xshare/xshare/internal/iampolicy"
)

// statements tells a policy document in words, one statement a line. lead is
// what each begins with.
func (p *printer) statements(lead string, c colour, text []byte) {
	if len(text) == 0 {
		return
	}
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

// diff writes how a policy document changes: statements that go and that come in
// words, one a line, and of those that change the lines of pretty-printed JSON.
// All is in normal form, so that only what means something differs; if nothing
// does, nothing is written.
func (p *printer) diff(indent string, before, after []byte) {
	from, err1 := iampolicy.ParseLive(before)
	to, err2 := iampolicy.ParseLive(after)
	if err1 != nil || err2 != nil {
		p.lines(indent, pretty(before), pretty(after))
		return
	}
	for _, d := range statementDiffs(from.Statements, to.Statements) {
		switch {
		case d.after == nil:
			p.wrapped(indent+p.paint(red, "- "), red, sentence(*d.before))
		case d.before == nil:
			p.wrapped(indent+p.paint(green, "+ "), green, sentence(*d.after))
		default:
			p.lines(indent, pretty(alone(*d.before)), pretty(alone(*d.after)))
		}
	}
}

// alone is a document with one statement.
func alone(s iampolicy.Statement) []byte {
	return iampolicy.Marshal(&iampolicy.Document{Statements: []iampolicy.Statement{s}})
}

// statementDiff is a statement that goes (no after), comes (no before) or
// changes.
type statementDiff struct{ before, after *iampolicy.Statement }

// statementDiffs pairs the statements that are not the same on both sides by
// their Sids, and those without by their order if there are as many. Those that
// go come first, then those that change, then those that come.
func statementDiffs(before, after []iampolicy.Statement) []statementDiff {
	before, after = without(before, after), without(after, before)
	bySid := map[string]*iampolicy.Statement{}
	var unnamed []*iampolicy.Statement // of before
	for i := range before {
		if s := &before[i]; s.Sid == "" {
			unnamed = append(unnamed, s)
		} else {
			bySid[s.Sid] = s
		}
	}
	comeUnnamed := 0
	for _, s := range after {
		if s.Sid == "" {
			comeUnnamed++
		}
	}
	pairUnnamed := comeUnnamed == len(unnamed)
	var change, come []statementDiff
	paired := map[*iampolicy.Statement]bool{}
	for i := range after {
		s := &after[i]
		from := bySid[s.Sid]
		if s.Sid == "" && pairUnnamed {
			from, unnamed = unnamed[0], unnamed[1:]
		}
		if from == nil {
			come = append(come, statementDiff{after: s})
			continue
		}
		paired[from] = true
		change = append(change, statementDiff{from, s})
	}
	var list []statementDiff
	for i := range before {
		if !paired[&before[i]] {
			list = append(list, statementDiff{before: &before[i]})
		}
	}
	return slices.Concat(list, change, come)
}

// without is a list without the statements that the other has too, each as
// often as it is there.
func without(list, other []iampolicy.Statement) []iampolicy.Statement {
	have := map[string]int{}
	for _, s := range other {
		have[string(alone(s))]++
	}
	var rest []iampolicy.Statement
	for _, s := range list {
		if key := string(alone(s)); have[key] > 0 {
			have[key]--
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}

// lines writes the lines that differ in two pretty documents, each group with
// a little of what is around it.
func (p *printer) lines(indent, from, to string) {
	unified, err := udiff.ToUnifiedDiff("", "", from, udiff.Lines(from, to), 2)
	if err != nil {
		unified.Hunks = nil // edits made from a text fit it
	}
	lines := strings.Split(from, "\n")
	for _, hunk := range unified.Hunks {
		if hunk.FromLine > 1 {
			p.line(indent + p.paint(dim, "  ..."+within(lines[:min(hunk.FromLine-1, len(lines))])))
		}
		for _, line := range hunk.Lines {
			text := clean(strings.TrimSuffix(line.Content, "\n"))
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

// The lines of a pretty document at which a statement begins, and its Sid.
const (
	statementStart = "    {"
	statementSid   = `      "Sid": `
)

// within names the statement that a text ends in, if it has a Sid.
func within(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if sid, ok := strings.CutPrefix(line, statementSid); ok {
			return " in statement " + clean(strings.TrimSuffix(sid, ","))
		}
		if line == statementStart {
			break
		}
	}
	return ""
}

// pretty is a document in normal form, indented, for differences that a person
// reads: what may be a list is one, and every line but the braces ends in a
// comma, so that one value more is one line more. What is no policy is only
// indented, and what is no JSON stays as it is. Nothing stays nothing.
func pretty(text []byte) string {
	if len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	if d, err := iampolicy.ParseLive(text); err == nil {
		text = iampolicy.Marshal(d)
	}
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") != nil {
		return string(text) + "\n"
	}
	var b strings.Builder
	for line := range strings.Lines(indented.String()) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), ",")
		if m := scalar.FindStringSubmatch(line); m != nil {
			line = m[1] + m[2] + " [\n" + m[1] + "  " + m[3] + ",\n" + m[1] + "]"
		}
		if strings.HasPrefix(line, " ") && !strings.HasSuffix(line, "{") && !strings.HasSuffix(line, "[") {
			line += ","
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// scalar is a line with a list of one, which normal form writes as a scalar.
var scalar = regexp.MustCompile(`^( +)("(?:Action|NotAction|Resource|NotResource|AWS|Service|Federated|CanonicalUser)":) (".*")$`)
