package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// jsonKind is what sort of value a JSON text is, as messages call it.
type jsonKind string

const (
	anObject jsonKind = "an object"
	aList    jsonKind = "a list"
	aString  jsonKind = "a string"
	aNumber  jsonKind = "a number"
	aBoolean jsonKind = "true or false"
	aNull    jsonKind = "null"
)

// field is a JSON value of the line, of a known place. Its text is valid.
type field struct {
	name   string // of a member of an object
	nameAt int
	at     int // byte offset of the value
	text   []byte
}

func (f field) kind() jsonKind {
	switch f.text[0] {
	case '{':
		return anObject
	case '[':
		return aList
	case '"':
		return aString
	case 't', 'f':
		return aBoolean
	case 'n':
		return aNull
	}
	return aNumber
}

// unquote is the value of a string.
func (f field) unquote() string { return unquote(f.text) }

func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 { // it is UTF-8; see whole
		return string(text[1 : len(text)-1])
	}
	var s string
	_ = json.Unmarshal(text, &s) // it is valid, and a string
	return s
}

// members are the fields of an object, in order. Names are compared to the
// letter, and one that stands twice is an error: encoding/json would take the
// last of them, in any case.
func (r *caseReader) members(f field) ([]field, error) {
	if f.kind() != anObject {
		return nil, r.errorf(f.at, "%s must be an object, not %s", f.name, f.kind())
	}
	var list []field
	text := f.text
	for i := skipSpace(text, 1); text[i] != '}'; {
		end := valueEnd(text, i)
		value := skipSpace(text, bytes.IndexByte(text[end:], ':')+end+1)
		m := field{name: unquote(text[i:end]), nameAt: f.at + i, at: f.at + value, text: text[value:valueEnd(text, value)]}
		list = append(list, m)
		i = nextOf(text, value+len(m.text))
	}
	if twice := firstTwice(list); twice >= 0 {
		return list, r.errorf(list[twice].nameAt, "the field %q stands twice: keep one", list[twice].name)
	}
	return list, nil
}

// firstTwice is the first of some fields whose name stands before it too, or
// negative.
func firstTwice(list []field) int {
	const few = 16 // up to as many are compared faster one by one
	var seen map[string]bool
	if len(list) > few {
		seen = make(map[string]bool, len(list))
	}
	for i, m := range list {
		if seen == nil {
			for _, before := range list[:i] {
				if before.name == m.name {
					return i
				}
			}
			continue
		}
		if seen[m.name] {
			return i
		}
		seen[m.name] = true
	}
	return -1
}

// items are the values of a list.
func (f field) items() []field {
	var list []field
	for i := skipSpace(f.text, 1); f.text[i] != ']'; {
		item := field{name: f.name, at: f.at + i, text: f.text[i:valueEnd(f.text, i)]}
		list = append(list, item)
		i = nextOf(f.text, i+len(item.text))
	}
	return list
}

// The functions below walk over a text that is valid JSON.

func skipSpace(text []byte, i int) int {
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r' {
		i++
	}
	return i
}

// nextOf is where, after a member or an item that ends at i, the next one
// begins, or what they stand in ends.
func nextOf(text []byte, i int) int {
	i = skipSpace(text, i)
	if text[i] == ',' {
		i = skipSpace(text, i+1)
	}
	return i
}

// valueEnd is the end of the value that begins at i.
func valueEnd(text []byte, i int) int {
	switch text[i] {
	case '"':
		return stringEnd(text, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch text[i] {
			case '"':
				i = stringEnd(text, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(text) && !strings.ContainsRune(",]} \t\n\r", rune(text[i])) {
		i++
	}
	return i
}

func stringEnd(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// whole checks the line and returns the value that it holds. On an error the
// value's text need not be valid, and is empty where it cannot be looked at.
func (r *caseReader) whole() (field, error) {
	text := r.line
	if r.number == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	start := len(r.line) - len(bytes.TrimLeft(text, " \t\r\n"))
	f := field{name: "a case", at: start, text: bytes.TrimSpace(r.line[start:])}
	switch {
	case len(r.line) > MaxCase:
		f.text = nil
		return f, r.errorf(-1, "it is longer than %d MiB, which no case needs", MaxCase>>20)
	case len(f.text) == 0:
		return f, r.errorf(-1, "it is empty: write a case, as a JSON object")
	case !utf8.Valid(f.text):
		f.text = nil
		return f, r.errorf(-1, "it is not UTF-8")
	case !json.Valid(f.text):
		var raw json.RawMessage
		return f, r.noJSON(f, json.Unmarshal(f.text, &raw))
	case f.kind() != anObject:
		return f, r.errorf(f.at, "a case must be an object, not %s", f.kind())
	}
	return f, nil
}

func (r *caseReader) noJSON(f field, err error) error {
	var syntax *json.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return r.errorf(-1, "it is no JSON: %w", err)
	case int(syntax.Offset) >= len(f.text) && strings.Contains(err.Error(), "unexpected end"):
		return r.errorf(-1, "the JSON is not complete: a case stands on one line, in full")
	}
	return r.errorf(f.at+int(syntax.Offset)-1, "it is no JSON: %w", err)
}

// leadingID is the id in a text that may be no JSON, as far as it goes.
func leadingID(text []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil
		}
		if name == "id" {
			return asID(field{text: raw})
		}
	}
	return nil
}

// asID is a value as an answer repeats it; nil: it is no id.
func asID(f field) json.RawMessage {
	if k := f.kind(); k != aString && k != aNumber {
		return nil
	}
	return json.RawMessage(f.text)
}
