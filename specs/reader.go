package specs

import (
	"unicode"

	"gopkg.in/yaml.v3"
)

// reader decodes the nodes of one document. It is strict, goes on after an
// error, and never looks into an alias: that is how YAML bombs go off.
type reader struct {
	*sink
	file   string
	offset int // lines of the file before the document
}

// target is a value that a node can be read into. The name is what messages
// call the node.
type target interface {
	read(r *reader, name string, n *yaml.Node)
}

// object is a mapping with fixed fields. def is its name in the schema's $defs.
type object interface {
	def() string
	fields() []field
}

// field is one field of an object.
type field struct {
	name string
	need bool
	to   target
}

func (r *reader) pos(n *yaml.Node) Pos {
	return Pos{File: r.file, Line: n.Line + r.offset, Col: n.Column}
}

// plain reports whether a node is none of what is refused in any place: an
// alias, which is reported already, or a node with a tag.
func (r *reader) plain(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		r.fail(codeAlias, r.pos(n), "take the tag out", "the YAML tag %s is not read", quote(n.Tag))
		return false
	}
	return n.Kind != yaml.AliasNode
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// value reports whether n is a plain node of the kind wanted; if not, it says so.
func (r *reader) value(name string, n *yaml.Node, kind yaml.Kind, want string) bool {
	switch {
	case !r.plain(n):
		return false
	case isNull(n):
		r.fail(codeMissing, r.pos(n), "write one, or take the field out", "%s has no value", name)
		return false
	case n.Kind != kind:
		r.fail(codeType, r.pos(n), "write "+want, "%s is %s", name, describe(n))
		return false
	}
	return true
}

func describe(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		return "a mapping"
	}
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + printable(n.Value)
	case "!!bool":
		return "the truth value " + printable(n.Value)
	case "!!timestamp":
		return "the date " + printable(n.Value)
	case "!!null":
		return "empty"
	}
	return "the text " + quote(n.Value)
}

// mapping reads n as an object: every key once, none that is unknown, all that
// are needed.
func (r *reader) mapping(name string, n *yaml.Node, o object) bool {
	if !r.value(name, n, yaml.MappingNode, "a mapping with the fields of "+o.def()) {
		return false
	}
	fields := o.fields()
	seen := make([]Pos, len(fields))
	var unknown map[string]Pos
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !r.key(name, key) {
			continue
		}
		at := indexField(fields, key.Value)
		if at < 0 {
			if unknown == nil {
				unknown = map[string]Pos{}
			}
			if first, again := unknown[key.Value]; again {
				r.twice(key, first)
				continue
			}
			unknown[key.Value] = r.pos(key)
			r.fail(codeUnknownField, r.pos(key), suggestField(key.Value, fields), "%s has no field %s", name, quote(key.Value))
			continue
		}
		if seen[at].Line > 0 {
			r.twice(key, seen[at])
			continue
		}
		seen[at] = r.pos(key)
		fields[at].to.read(r, key.Value, value)
	}
	for i, f := range fields {
		if f.need && seen[i].Line == 0 {
			r.fail(codeMissing, r.pos(n), "add "+f.name, "%s has no field %q", name, f.name)
		}
	}
	return true
}

func (r *reader) twice(key *yaml.Node, first Pos) {
	r.fail(codeDuplicate, r.pos(key), "take one of the two out", "%s stands here twice, first at %s", quote(key.Value), first)
}

// key reports whether a mapping's key is a plain text.
func (r *reader) key(name string, key *yaml.Node) bool {
	switch {
	case key.Kind == yaml.ScalarNode && key.Tag == "!!merge":
		r.fail(codeAlias, r.pos(key), "write the fields out here", "the merge key << is not read: xshare takes no YAML aliases")
		return false
	case !r.plain(key):
		return false
	case key.Kind != yaml.ScalarNode:
		r.fail(codeType, r.pos(key), "write a plain name", "a key of %s is %s", name, describe(key))
		return false
	case key.Tag != "!!str":
		r.fail(codeQuote, r.pos(key), "write it in quotes", "a key of %s is %s", name, describe(key))
		return false
	}
	return r.clean("a key of "+name, r.pos(key), key.Value, false)
}

func indexField(fields []field, name string) int {
	for i := range fields {
		if fields[i].name == name {
			return i
		}
	}
	return -1
}

// clean refuses characters that do not show as what they are. YAML can write
// them escaped, so the check of the file's own text does not find them.
func (r *reader) clean(name string, pos Pos, s string, lines bool) bool {
	for _, c := range s {
		if lines && (c == '\n' || c == '\t') {
			continue
		}
		if hidden(c) {
			r.fail(codeControl, pos, "take it out", "%s holds the character U+%04X: %s", name, c, quote(s))
			return false
		}
	}
	return true
}

// hidden reports whether a character is a control or format character: terminal
// escapes, bidi overrides, zero-width marks. The two joiners that scripts such
// as Persian need are let through.
func hidden(c rune) bool {
	if c < 0x7f {
		return c < ' '
	}
	if c == '\u200c' || c == '\u200d' {
		return false
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || c == unicode.ReplacementChar
}
