package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// How values get into commands of the aws CLI. They come from specs and from
// AWS, which may be anybody's: no character of them may reach the shell, or the
// CLI, but as itself.

// option is an option of a command with its words, quoted. Without a name it is
// left out.
type option struct{ name, words string }

// given is an option with one value, or with several.
func (s *script) given(name string, values ...string) option {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = s.word(v)
	}
	return option{name, strings.Join(words, " ")}
}

// ifGiven is given, but is left out where the value is empty.
func (s *script) ifGiven(name, value string) option {
	if value == "" {
		return option{}
	}
	return s.given(name, value)
}

// ours is an option with words of ours, such as a variable.
func ours(name, words string) option { return option{name, words} }

// document is an option with a policy document, over several lines.
func (s *script) document(name string, text []byte) option {
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		s.refuse("a policy document that is no JSON (%v)", err)
	}
	return option{name, quoted(s.ascii(indented.String()))}
}

// structure is an option with a value that has parts, as JSON.
func (s *script) structure(name string, v any) option {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		s.refuse("a value that is no JSON (%v)", err)
	}
	return option{name, quoted(s.ascii(strings.TrimSuffix(text.String(), "\n")))}
}

// ascii is JSON, an object or a list, with all that a terminal may not show as it is, or a locale may
// not know, by its number; it means the same.
func (s *script) ascii(text string) string {
	if !utf8.ValidString(text) {
		s.refuse("JSON that is not UTF-8")
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

// The aws CLI reads a value that begins so from that place.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
var readFrom = regexp.MustCompile(`(?i)^(file|fileb|https?)://`)

// word is a value as one word of a command. What cannot be one, or would not
// be shown as it is, makes that there is no script at all.
func (s *script) word(value string) string {
	switch {
	case clean(value) != value:
		s.refuse("%q, which has characters that are not shown", value)
	case strings.HasPrefix(value, "-"):
		s.refuse("%q, which the aws CLI would take for an option", value)
	case readFrom.MatchString(value):
		s.refuse("%q, which the aws CLI would read from there", value)
	}
	return quoted(value)
}

// plainWord is a word that means nothing to the shell but itself.
var plainWord = regexp.MustCompile(`^[a-zA-Z0-9%+,_.:/@-]+$`)

// quoted quotes a word for a POSIX shell: between single quotes only they
// themselves mean anything.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// tag is a tag in the form that IAM, S3 and EC2 share.
type tag struct{ Key, Value string }

func tagList(tags map[string]string) []tag {
	list := make([]tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{k, tags[k]})
	}
	return list
}

// filter is a filter of EC2's.
type filter struct {
	Name   string
	Values []string
}
