package proof

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
func (f field) unquote() string {
	var s string
	_ = json.Unmarshal(f.text, &s) // it is valid, and a string
	return s
}

// members are the fields of an object, in order. Names are compared to the
// letter, and one that stands twice is an error: encoding/json would take the
// last of them, in any case. With an error come the members before it.
func (r *caseReader) members(f field) ([]field, error) {
	if f.kind() != anObject {
		return nil, r.errorf(f.at, "%s must be an object, not %s", f.name, f.kind())
	}
	d := json.NewDecoder(bytes.NewReader(f.text))
	var list []field
	seen := map[string]bool{}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		before := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			return list, err
		}
		name, _ := token.(string)
		m := field{name: name, nameAt: f.at + before + bytes.IndexByte(f.text[before:], '"')}
		if err := r.value(d, &m, f); err != nil {
			return list, err
		}
		if seen[name] {
			return list, r.errorf(m.nameAt, "the field %q stands twice: keep one", name)
		}
		seen[name] = true
		list = append(list, m)
	}
	_, err := d.Token()
	return list, err
}

// items are the values of a list.
func (r *caseReader) items(f field) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(f.text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []field
	for d.More() {
		item := field{name: f.name}
		if err := r.value(d, &item, f); err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

// value reads the next value of what is in.
func (r *caseReader) value(d *json.Decoder, f *field, in field) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	f.text, f.at = raw, in.at+int(d.InputOffset())-len(raw)
	return nil
}

// whole checks the line and returns the value that it holds. On an error the
// value is as far as it goes.
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
	}
	var raw json.RawMessage
	err := json.Unmarshal(f.text, &raw)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && int(syntax.Offset) >= len(f.text) && strings.Contains(err.Error(), "unexpected end"):
		return f, r.errorf(-1, "the JSON is not complete: a case stands on one line, in full")
	case errors.As(err, &syntax):
		return f, r.errorf(f.at+int(syntax.Offset)-1, "it is no JSON: %w", err)
	case err != nil:
		return f, r.errorf(-1, "it is no JSON: %w", err)
	case f.kind() != anObject:
		return f, r.errorf(f.at, "a case must be an object, not %s", f.kind())
	}
	return f, nil
}
