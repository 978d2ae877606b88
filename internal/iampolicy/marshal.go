package iampolicy

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Marshal writes a document in the form that this project stores and shows:
// members in the usual order (Version, Id, Statement; Sid, Effect, Principal,
// Action, Resource, Condition), lists sorted, a list of one as a scalar,
// actions in their canonical case. The output is compact JSON, and the same
// for the same document every time. Statements keep their order.
func Marshal(d *Document) []byte {
	var w writer
	w.open('{')
	if d.Version != "" {
		w.member("Version", d.Version)
	}
	if d.ID != "" {
		w.member("Id", d.ID)
	}
	w.name("Statement")
	w.open('[')
	for _, s := range d.Statements {
		w.comma()
		w.Write(marshalStatement(s))
	}
	w.close(']')
	w.close('}')
	return w.Bytes()
}

// marshalStatement writes a statement; one that is not wholly understood as it
// was read, since leaving a part out would change what it means.
func marshalStatement(s Statement) []byte {
	var raw bytes.Buffer
	if len(s.Unknown) > 0 && json.Compact(&raw, s.Raw) == nil {
		return raw.Bytes()
	}
	s.Action, s.NotAction = canonicalActions(s.Action), canonicalActions(s.NotAction)
	return writeStatement(s)
}

func writeStatement(s Statement) []byte {
	var w writer
	w.open('{')
	if s.Sid != "" {
		w.member("Sid", s.Sid)
	}
	w.member("Effect", string(s.Effect))
	w.principals("Principal", s.Principal)
	w.principals("NotPrincipal", s.NotPrincipal)
	w.list("Action", s.Action)
	w.list("NotAction", s.NotAction)
	w.list("Resource", s.Resource)
	w.list("NotResource", s.NotResource)
	w.conditions(s.Condition)
	w.close('}')
	return w.Bytes()
}

func canonicalActions(actions []string) []string {
	out := make([]string, len(actions))
	for i, a := range actions {
		out[i] = a
		if known, ok := LookupS3Action(a); ok {
			out[i] = known.Name
		}
	}
	return out
}

// writer writes compact JSON in the order it is told to.
type writer struct {
	bytes.Buffer
}

func (w *writer) open(c byte)  { w.WriteByte(c) }
func (w *writer) close(c byte) { w.WriteByte(c) }

// comma separates from what precedes in the same object or list.
func (w *writer) comma() {
	if b := w.Bytes(); len(b) > 0 && b[len(b)-1] != '{' && b[len(b)-1] != '[' {
		w.WriteByte(',')
	}
}

func (w *writer) string(s string) { w.Write(quote(s)) }

// quote is s as a JSON string, without the escapes that HTML needs.
func quote(s string) []byte {
	if isPlain(s) {
		return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// isPlain tells texts that JSON writes as they are, which most are.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (w *writer) name(name string) {
	w.comma()
	w.string(name)
	w.WriteByte(':')
}

func (w *writer) member(name, value string) {
	w.name(name)
	w.string(value)
}

// list writes a sorted list, a list of one as a scalar, and nothing for nil.
func (w *writer) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.scalarOrList(values)
}

func (w *writer) scalarOrList(values []string) {
	values = sortedSet(values)
	if len(values) == 1 {
		w.string(values[0])
		return
	}
	w.open('[')
	for _, v := range values {
		w.comma()
		w.string(v)
	}
	w.close(']')
}

func (w *writer) principals(name string, p *Principals) {
	if p == nil {
		return
	}
	aws := p.AWS
	if p.Any {
		aws = append(slices.Clone(aws), "*")
	}
	w.name(name)
	if p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0 {
		w.string("*")
		return
	}
	w.open('{')
	w.list("AWS", aws)
	w.list("Service", p.Service)
	w.list("Federated", p.Federated)
	w.list("CanonicalUser", p.CanonicalUser)
	w.close('}')
}

func (w *writer) conditions(cs []Condition) {
	if len(cs) == 0 {
		return
	}
	cs = slices.Clone(cs)
	sortConditions(cs)
	w.name("Condition")
	w.open('{')
	for i, c := range cs {
		if i == 0 || cs[i-1].Operator != c.Operator {
			if i > 0 {
				w.close('}')
			}
			w.name(c.Operator)
			w.open('{')
		}
		w.name(c.Key)
		w.scalarOrList(c.Values)
	}
	w.close('}')
	w.close('}')
}

// sortedSet is a sorted copy without duplicates.
func sortedSet(values []string) []string {
	out := slices.Clone(values)
	slices.Sort(out)
	return slices.Compact(out)
}
