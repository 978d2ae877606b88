package specs

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// text is a one-line text as it stands in a file.
type text struct {
	value string
	pos   Pos  // of the value; zero: the field is not there
	bad   bool // it was there but could not be read; that is reported already
}

// ok reports whether there is a value to work with.
func (t text) ok() bool { return t.stated() && !t.bad }

// stated reports whether the field is there, readable or not.
func (t text) stated() bool { return t.pos.Line > 0 }

func (t *text) read(r *reader, name string, n *yaml.Node) { t.from(r, name, n, false) }

func (t *text) from(r *reader, name string, n *yaml.Node, lines bool) {
	t.pos, t.value, t.bad = r.pos(n), n.Value, true
	if !r.value(name, n, yaml.ScalarNode, "a text") {
		return
	}
	if n.Tag != "!!str" {
		r.fail(codeQuote, t.pos, "write it in quotes: "+quote(n.Value), "%s must be a text and YAML reads %s", name, describe(n))
		return
	}
	if n.Value == "" {
		r.fail(codeMissing, t.pos, "write one, or take the field out", "%s is empty", name)
		return
	}
	t.bad = !r.clean(name, t.pos, n.Value, lines)
}

// prose is a text that may have several lines.
type prose struct{ text }

func (p *prose) read(r *reader, name string, n *yaml.Node) { p.from(r, name, n, true) }

// label is a text that may be empty, such as a tag's value.
type label struct{ text }

func (l *label) read(r *reader, name string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value == "" && r.plain(n) {
		l.pos = r.pos(n)
		return
	}
	l.from(r, name, n, false)
}

// flag is true or false.
type flag struct {
	value bool
	pos   Pos
	bad   bool // as in text
}

func (f flag) stated() bool { return f.pos.Line > 0 }

func (f *flag) read(r *reader, name string, n *yaml.Node) {
	f.pos, f.bad = r.pos(n), true
	if !r.value(name, n, yaml.ScalarNode, "true or false") {
		return
	}
	if n.Tag != "!!bool" {
		r.fail(codeType, f.pos, "write true or false", "%s is %s", name, describe(n))
		return
	}
	f.value, f.bad = strings.EqualFold(n.Value, "true"), false
}

// flagOrText is true, false or a text.
type flagOrText struct {
	flag flag
	text text
}

func (v flagOrText) stated() bool { return v.flag.stated() || v.text.stated() }

func (v *flagOrText) read(r *reader, name string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		v.flag.read(r, name, n)
		return
	}
	v.text.read(r, name, n)
	switch word := strings.ToLower(v.text.value); word {
	case "true", "false", "yes", "no", "on", "off": // meant as a flag, and taken for a name
		v.text.bad = true
		mend := "write true or false without quotes, or another name"
		if word == "true" || word == "false" {
			mend = "write " + word + " without quotes, or another name"
		}
		r.fail(codeType, v.text.pos, mend, "%s is the text %s", name, quote(v.text.value))
	}
}

// texts is a list of texts.
type texts struct {
	items []text
	pos   Pos
}

func (l texts) stated() bool { return l.pos.Line > 0 }

func (l *texts) read(r *reader, name string, n *yaml.Node) {
	l.pos = r.pos(n)
	if !r.value(name, n, yaml.SequenceNode, "a list of texts") {
		return
	}
	if len(n.Content) == 0 {
		r.fail(codeMissing, l.pos, "write at least one, or take the field out", "%s is empty", name)
	}
	l.items = make([]text, len(n.Content))
	for i, item := range n.Content {
		l.items[i].read(r, "an item of "+name, item)
	}
}

// textOrTexts is one text or a list of them.
type textOrTexts struct{ texts }

func (l *textOrTexts) read(r *reader, name string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		l.texts.read(r, name, n)
		return
	}
	l.pos, l.items = r.pos(n), make([]text, 1)
	l.items[0].read(r, name, n)
}

// pointer is satisfied by *T where *T is an object.
type pointer[T any] interface {
	*T
	object
}

// one is a nested object.
type one[T any, P pointer[T]] struct {
	value T
	pos   Pos
}

func (o *one[T, P]) read(r *reader, name string, n *yaml.Node) {
	if r.mapping(name, n, P(&o.value)) {
		o.pos = r.pos(n)
	}
}

// many is a list of objects.
type many[T any, P pointer[T]] struct {
	items []one[T, P]
	pos   Pos
}

func (l *many[T, P]) read(r *reader, name string, n *yaml.Node) {
	l.pos = r.pos(n)
	if !r.value(name, n, yaml.SequenceNode, "a list") {
		return
	}
	if len(n.Content) == 0 {
		r.fail(codeMissing, l.pos, "write at least one, or take the field out", "%s is empty", name)
	}
	l.items = make([]one[T, P], 0, len(n.Content))
	for _, item := range n.Content {
		var o one[T, P]
		if o.read(r, "an item of "+name, item); o.pos.Line > 0 {
			l.items = append(l.items, o)
		}
	}
}

// entry is a key of a dict with its value.
type entry[T any] struct {
	key   string
	pos   Pos // of the key
	value T
}

// dict is a mapping whose keys are the user's, in the order of the file.
type dict[T any, P interface {
	*T
	target
}] struct {
	entries []entry[T]
	pos     Pos
}

func (d *dict[T, P]) read(r *reader, name string, n *yaml.Node) {
	if !r.value(name, n, yaml.MappingNode, "a mapping") {
		return
	}
	d.pos = r.pos(n)
	seen := map[string]Pos{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !r.key(name, key) {
			continue
		}
		if first, again := seen[key.Value]; again {
			r.twice(key, first)
			continue
		}
		e := entry[T]{key: key.Value, pos: r.pos(key)}
		seen[e.key] = e.pos
		P(&e.value).read(r, name+" "+printable(e.key), value)
		d.entries = append(d.entries, e)
	}
}
