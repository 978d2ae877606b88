package specs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The limits on what is parsed. A document is bounded tighter than a file,
// since a tree takes up to 100 times the room of its text and only one
// document's tree is held at a time.
const (
	maxFileSize     = 8 << 20
	maxDocumentSize = 1 << 20
	maxDepth        = 32
)

// documents parses the text of a file and hands each document's top node to
// visit. An error in one document does not hide those of the next.
func documents(s *sink, file string, content []byte, visit func(r *reader, top *yaml.Node)) {
	if !checkText(s, file, content) {
		return
	}
	for _, part := range split(content) {
		if s.perFile[file] > maxProblemsPerFile {
			return
		}
		r := &reader{sink: s, file: file, offset: part.line}
		if len(part.text) > maxDocumentSize {
			s.fail(codeTooLarge, Pos{file, part.line + 1, 1}, "split it into several documents or files",
				"a document of %d bytes is larger than the %d that are read", len(part.text), maxDocumentSize)
			continue
		}
		if part.text[0] == '%' {
			s.fail(codeSyntax, Pos{file, part.line + 1, 1}, "take the line out", "YAML directives are not read")
			continue
		}
		if top := parse(r, part.text); top != nil {
			visit(r, top)
		}
	}
}

// checkText reports what makes the text of a file unfit before YAML is asked:
// encodings, and characters that do not show.
func checkText(s *sink, file string, content []byte) bool {
	start := Pos{file, 1, 1}
	switch {
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		s.fail(codeEncoding, start, "save it as UTF-8 without a byte order mark", "the file starts with a byte order mark")
		return false
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		s.fail(codeEncoding, start, "save it as UTF-8", "the file is in UTF-16")
		return false
	}
	good, pos := true, start
	for i := 0; i < len(content); {
		c, size := rune(content[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(content[i:])
		}
		switch {
		case c == utf8.RuneError && size == 1:
			s.fail(codeEncoding, pos, "save it as UTF-8", "the file is not UTF-8: byte 0x%02X", content[i])
			return false
		case c == '\n':
			i, pos = i+1, Pos{file, pos.Line + 1, 1}
			continue
		case c == '\r' && i+1 < len(content) && content[i+1] == '\n':
		case c != '\t' && hidden(c):
			s.fail(codeControl, pos, "take it out", "the file holds the character U+%04X, which does not show", c)
			good = false
		}
		i, pos.Col = i+size, pos.Col+1
	}
	return good
}

// blank reports whether the rest of the line is white space or a comment.
func blank(rest []byte) bool {
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// part is the text of one document; line is the number of lines before it.
type part struct {
	text []byte
	line int
}

// split cuts a file at its document marks, which YAML knows at the start of a
// line in whatever context. Parts that hold only blank lines, comments and
// marks are left out.
func split(content []byte) []part {
	var parts []part
	current, line, empty := part{}, 0, true
	start := 0
	cut := func(end, next int) {
		current.text = content[start:end]
		if !empty {
			parts = append(parts, current)
		}
		start, empty, current = end, true, part{line: next}
	}
	for at := 0; at < len(content); line++ {
		end := len(content)
		if n := bytes.IndexByte(content[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		text := content[at:end]
		switch {
		case marks(text, "---"):
			cut(at, line)
			empty = blank(text[3:])
		case marks(text, "..."):
			cut(end, line+1)
		default:
			empty = empty && blank(text)
		}
		at = end
	}
	cut(len(content), line)
	return parts
}

func marks(line []byte, mark string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(mark))
	return ok && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}

// parse returns the top node of the one document in text, or nil after it
// reported why not.
func parse(r *reader, text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	top, err := next(decoder)
	if err == nil {
		// What follows the document's end without a mark is seen only by asking on.
		if _, more := next(decoder); more == nil {
			err = errors.New("yaml: the document ends here and something follows")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		r.syntax(text, err)
		return nil
	case len(top.Content) != 1:
		return nil
	}
	if deep := deeper(top.Content[0], maxDepth); deep != nil {
		r.fail(codeTooLarge, r.pos(deep), "take out levels; no spec needs so many", "the document is nested deeper than %d levels", maxDepth)
		return nil
	}
	aliases(r, top.Content[0])
	return top.Content[0]
}

// aliases reports every alias of a document, without looking into it: an alias
// bomb is small until somebody does.
func aliases(r *reader, n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.fail(codeAlias, r.pos(n), "write the value out here", "the alias *%s is not read: xshare takes no YAML aliases", printable(n.Value))
	}
	for _, child := range n.Content {
		aliases(r, child)
	}
}

// next decodes one document. yaml.v3 panics on some inputs that are no YAML.
func next(decoder *yaml.Decoder) (top *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	top = new(yaml.Node)
	return top, decoder.Decode(top)
}

// deeper returns the first node below the levels, nil if there is none.
func deeper(n *yaml.Node, levels int) *yaml.Node {
	if levels == 0 {
		return n
	}
	for _, child := range n.Content {
		if deep := deeper(child, levels-1); deep != nil {
			return deep
		}
	}
	return nil
}

var (
	yamlLine      = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxMends are the mends of what yaml.v3 says most. The errors of its parser,
// as opposed to its scanner, count lines from 0 and name the start of the block
// in which something is wrong.
var syntaxMends = []struct {
	says   string
	parser bool
	mend   string
}{
	{"mapping values are not allowed", false, `put quotes around a value that holds ": ", and check the indentation`},
	{"did not find expected key", true, "check the indentation of this block"},
	{"did not find expected '-' indicator", true, `start each item of the list that begins here with "- " at the same indentation`},
	{"did not find expected ',' or", true, "close the bracket, and separate with commas"},
	{"did not find expected node content", true, "write a value, or put quotes around it"},
	{"did not find expected <document start>", true, "check the indentation, or put --- before a new document"},
	{"found undefined tag handle", true, "take the tag out, or put quotes around the value"},
	{"could not find expected ':'", false, `write "name: value", and check the indentation`},
	{"unexpected end of stream", false, "close the quotation mark or bracket"},
	{"cannot start any token", false, "put quotes around a value that starts with this character"},
	{"did not find expected alphabetic", false, "put quotes around a value that starts with * or &"},
	{"unknown escape character", false, "double the backslash, or use single quotes"},
	{"exceeded max depth", false, "take out levels; no spec needs so many"},
	{"something follows", false, "check the indentation, or put --- before a new document"},
}

// tabs reports the tabs in the indentation of a text that is not YAML, and
// whether there are any: they are then the cause. (In other places, such as a
// text of several lines, YAML takes them.)
func (r *reader) tabs(text []byte) bool {
	found := false
	for i, line := range bytes.Split(text, []byte("\n")) {
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if at := bytes.IndexByte(indent, '\t'); at >= 0 && !blank(line) {
			r.fail(codeTab, Pos{r.file, r.offset + i + 1, at + 1}, "indent with spaces", "there is a tab in the indentation")
			found = true
		}
	}
	return found
}

// syntax reports an error of yaml.v3's. It knows the line only, so the column
// is that of the line's first character.
func (r *reader) syntax(text []byte, err error) {
	if r.tabs(text) {
		return
	}
	line, says := 0, err.Error()
	if m := yamlLine.FindStringSubmatch(says); m != nil {
		says = m[2]
		line, _ = strconv.Atoi(m[1]) // absent on the first line
	}
	if m := unknownAnchor.FindStringSubmatch(says); m != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+m[1]))
		at := Pos{r.file, r.offset + bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1}
		r.fail(codeAlias, at, "write the value out here, or put quotes around it", "the alias *%s is not read: xshare takes no YAML aliases", printable(m[1]))
		return
	}
	mend := "check this line and the one before"
	for _, known := range syntaxMends {
		if strings.Contains(says, known.says) {
			if mend = known.mend; known.parser && line > 0 {
				line++
			}
			break
		}
	}
	lines := bytes.Split(text, []byte("\n"))
	line = min(max(line, 1), len(lines))
	col := len(lines[line-1]) - len(bytes.TrimLeft(lines[line-1], " ")) + 1
	r.fail(codeSyntax, Pos{r.file, r.offset + line, col}, mend, "this is not YAML: %s", says)
}
