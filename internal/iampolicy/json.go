package iampolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds on what Parse and Merge read. The largest policy that AWS stores is
// a key policy of 32 KB; the rest is room for white space.
const (
	maxText  = 256 << 10
	maxDepth = 32
)

// ParseError is what is wrong with a policy's text, and where. Parse returns
// one, or several joined with errors.Join.
type ParseError struct {
	Line, Column int    // both from 1; columns count characters
	Code         string // what kind of error it is, such as CodeSyntax
	Msg          string // what is wrong
	Mend         string // how to mend it; empty where Msg says it all
}

// The kinds of errors in a policy's text. They are codes of problems and lints.
const (
	CodeSyntax            = "policy-syntax"      // any other than those below
	CodeNoPrincipal       = "no-principal"       // a statement says not whom it is about
	CodeDuplicateSid      = "duplicate-sid"      // two statements have the same Sid
	CodeWildcardPrincipal = "wildcard-principal" // a principal is no name but a pattern
	CodeRefusedPrincipal  = "refused-principal"  // a principal is in a form that AWS does not know
)

func (e *ParseError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Text())
}

// Text is what is wrong and how to mend it.
func (e *ParseError) Text() string {
	if e.Mend == "" {
		return e.Msg
	}
	return e.Msg + ": " + e.Mend
}

// ParseErrors are the errors that Parse joined.
func ParseErrors(err error) []*ParseError {
	var list []*ParseError
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			list = append(list, ParseErrors(e)...)
		}
		return list
	}
	var one *ParseError
	if errors.As(err, &one) {
		list = append(list, one)
	}
	return list
}

type kind string

const (
	object  kind = "an object"
	array   kind = "a list"
	text    kind = "a string"
	number  kind = "a number"
	boolean kind = "a boolean"
	null    kind = "null"
)

// node is a JSON value that knows its place in the text. encoding/json is not
// used for this because it drops duplicate keys and positions.
type node struct {
	kind       kind
	start, end int    // byte offsets
	str        string // a string's value; a number or boolean as written
	members    []member
	items      []node
}

type member struct {
	name  string
	start int // of the name
	value node
}

func (n node) member(name string) (node, bool) {
	for _, m := range n.members {
		if m.name == name {
			return m.value, true
		}
	}
	return node{}, false
}

// reader reads JSON by RFC 8259, and refuses duplicate keys.
type reader struct {
	text []byte
	at   int
}

// readJSON reads the one JSON value that text holds.
func readJSON(text []byte) (node, error) {
	r := &reader{text: text}
	if len(text) > maxText {
		return node{}, r.errorf(0, "the policy is %d bytes long, more than the %d that any AWS policy can have", len(text), maxText)
	}
	n, err := r.value(0)
	if err != nil {
		return node{}, err
	}
	r.space()
	if r.at < len(r.text) {
		return node{}, r.errorf(r.at, "there is text after the end of the policy: remove it")
	}
	return n, nil
}

func (r *reader) errorf(at int, format string, args ...any) *ParseError {
	return errorAt(r.text, at, format, args...)
}

func errorAt(text []byte, at int, format string, args ...any) *ParseError {
	before := string(text[:min(at, len(text))])
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &ParseError{
		Code:   CodeSyntax,
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[lineStart:]) + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// peek is the next byte after white space, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, r.errorf(r.at, "the JSON is nested more than %d deep; no policy needs that", maxDepth)
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.string()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 0 && r.at == len(r.text):
		return node{}, r.errorf(r.at, "the JSON ends where a value is expected")
	}
	for word, k := range map[string]kind{"true": boolean, "false": boolean, "null": null} {
		if strings.HasPrefix(string(r.text[r.at:min(r.at+len(word), len(r.text))]), word) {
			n := node{kind: k, start: r.at, end: r.at + len(word), str: word}
			r.at = n.end
			return n, nil
		}
	}
	return node{}, r.errorf(r.at, "invalid JSON: a value is expected here")
}

func (r *reader) object(depth int) (node, error) {
	n := node{kind: object, start: r.at}
	r.at++
	seen := map[string]bool{}
	for first := true; ; first = false {
		c := r.peek()
		if c == '}' && first {
			break
		}
		if !first {
			if c == '}' {
				break
			}
			if c != ',' {
				return node{}, r.errorf(r.at, "invalid JSON: %q or %q is expected here", ",", "}")
			}
			comma := r.at
			r.at++
			if c = r.peek(); c == '}' {
				return node{}, r.trailing(comma)
			}
		}
		if c != '"' {
			return node{}, r.errorf(r.at, "invalid JSON: a name in double quotes is expected here")
		}
		name, err := r.string()
		if err != nil {
			return node{}, err
		}
		if seen[name.str] {
			return node{}, r.errorf(name.start, "%q stands twice in one object: keep one", name.str)
		}
		seen[name.str] = true
		if r.peek() != ':' {
			return node{}, r.errorf(r.at, "invalid JSON: %q is expected here", ":")
		}
		r.at++
		v, err := r.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: name.str, start: name.start, value: v})
	}
	r.at++
	n.end = r.at
	return n, nil
}

func (r *reader) trailing(comma int) *ParseError {
	return r.errorf(comma, "invalid JSON: there is a comma before the closing bracket")
}

func (r *reader) array(depth int) (node, error) {
	n := node{kind: array, start: r.at}
	r.at++
	for first := true; ; first = false {
		c := r.peek()
		if c == ']' {
			break
		}
		if !first {
			if c != ',' {
				return node{}, r.errorf(r.at, "invalid JSON: %q or %q is expected here", ",", "]")
			}
			comma := r.at
			r.at++
			if r.peek() == ']' {
				return node{}, r.trailing(comma)
			}
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, v)
	}
	r.at++
	n.end = r.at
	return n, nil
}

func (r *reader) string() (node, error) {
	start := r.at
	escaped := false
	for r.at++; ; r.at++ {
		if r.at == len(r.text) {
			return node{}, r.errorf(start, "invalid JSON: this string does not end")
		}
		switch c := r.text[r.at]; {
		case c == '\\':
			escaped = true
			r.at++ // the escaped character; json.Unmarshal judges it
			if r.at == len(r.text) {
				return node{}, r.errorf(start, "invalid JSON: this string does not end")
			}
			continue
		case c < ' ':
			return node{}, r.errorf(r.at, "invalid JSON: a control character in a string must be written as an escape")
		case c != '"':
			continue
		}
		break
	}
	r.at++
	raw := r.text[start:r.at]
	if !utf8.Valid(raw) {
		return node{}, r.errorf(start, "this string is not valid UTF-8")
	}
	n := node{kind: text, start: start, end: r.at}
	if !escaped {
		n.str = string(raw[1 : len(raw)-1])
		return n, nil
	}
	if err := json.Unmarshal(raw, &n.str); err != nil {
		return node{}, r.errorf(start, "invalid JSON: this string holds an escape that JSON does not know")
	}
	// Half a surrogate pair decodes to U+FFFD: then two texts would mean one.
	if strings.ContainsRune(n.str, utf8.RuneError) && !strings.ContainsRune(string(raw), utf8.RuneError) &&
		!strings.Contains(strings.ToLower(string(raw)), `\ufffd`) {
		return node{}, r.errorf(start, "invalid JSON: this string holds half a surrogate pair")
	}
	return n, nil
}

func (r *reader) number() (node, error) {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[r.at]) >= 0 {
		r.at++
	}
	raw := r.text[start:r.at]
	if !json.Valid(raw) {
		return node{}, r.errorf(start, "invalid JSON: %q is no number", raw)
	}
	return node{kind: number, start: start, end: r.at, str: string(raw)}, nil
}
