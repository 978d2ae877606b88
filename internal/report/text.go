// Package report writes what a person or another program wants to see of
// plans, events, results, problems and proofs. It decides nothing.
package report

// Rules of the text that people read:
//
//   - Every function takes a writer and data, and writes nowhere else. The
//     caller gives stdout to results and stderr to progress.
//   - The same data gives the same bytes. No clock, no locale, no map order.
//   - Nothing that comes from a spec or from AWS reaches a terminal as it is:
//     see clean. Our own words need no cleaning; everything else goes through it.
//   - Colour only repeats what symbols and words say already.
//   - What comes first is what a person acts on: errors before warnings, causes
//     before what they blocked. What stays as it is is only counted.
//   - The last line is the summary, one line, like
//     "Plan: 7 to create, 0 to update, 0 to remove. 3 unchanged."
//   - Sentences are wrapped at the width, with a hanging indent; names, ARNs and
//     commands are never broken, so that they can be copied.
//   - Resources are called what people call them, accounts by alias and id.
//
// Symbols: + create, ~ update, - remove, > adopt, x blocked, ! error.

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Style says how text is laid out.
type Style struct {
	Color bool
	Width int // columns of the terminal; 0: lines are not wrapped
}

// The colours, as SGR parameters.
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	cyan   colour = "36"
)

// printer writes text and keeps the first error, so that views need not look
// at each write.
type printer struct {
	w     *bufio.Writer
	style Style
}

func newPrinter(w io.Writer, style Style) *printer {
	return &printer{w: bufio.NewWriter(w), style: style}
}

// done writes what is left and returns the first error of all writes.
func (p *printer) done() error { return p.w.Flush() }

// paint is text in a colour. text must be clean.
func (p *printer) paint(c colour, text string) string { return paint(p.style, c, text) }

func paint(style Style, c colour, text string) string {
	if !style.Color || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// line writes one line as it is. An error shows in done.
func (p *printer) line(text string) {
	_, _ = p.w.WriteString(text + "\n")
}

func (p *printer) linef(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }

func (p *printer) blank() { p.line("") }

// wrapped writes a text in one colour, the first line after lead, the others
// under it with a hanging indent of two.
func (p *printer) wrapped(lead string, c colour, text string) { p.hanging(lead, 2, c, text) }

// labelled writes a text after a label; its other lines stand under the first.
func (p *printer) labelled(label string, c colour, text string) { p.hanging(label, 0, c, text) }

func (p *printer) hanging(lead string, by int, c colour, text string) {
	width := columns(unpainted(lead))
	rest := strings.Repeat(" ", width+by)
	for i, line := range wrap(text, p.style.Width-width, p.style.Width-width-by) {
		if i > 0 {
			lead = rest
		}
		p.line(lead + p.paint(c, line))
	}
}

// wrap breaks a text at spaces into lines of at most first and then rest
// columns. A word that is longer stays whole. Widths below 20 wrap nothing.
func wrap(text string, first, rest int) []string {
	if rest < 20 {
		return []string{text}
	}
	var lines []string
	line, used, limit := "", 0, first
	for word := range strings.FieldsSeq(text) {
		n := columns(word)
		switch {
		case line == "":
			line, used = word, n
		case used+1+n > limit:
			lines = append(lines, line)
			line, used, limit = word, n, rest
		default:
			line, used = line+" "+word, used+1+n
		}
	}
	return append(lines, line)
}

// terminal is how wide characters are: the same in every locale.
var terminal = &runewidth.Condition{StrictEmojiNeutral: true}

// columns is the number of columns that a clean text takes.
func columns(text string) int { return terminal.StringWidth(text) }

// unpainted is a text without the colours that paint gave it.
func unpainted(text string) string {
	for {
		before, rest, ok := strings.Cut(text, "\x1b[")
		if !ok {
			return text
		}
		_, after, _ := strings.Cut(rest, "m")
		text = before + after
	}
}

// clean makes a text from outside fit for a terminal: on one line, and without
// anything that moves the cursor, changes colours, hides text or turns its
// direction. Such characters are shown by their numbers.
func clean(text string) string {
	if isClean(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func isClean(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || hidden(r) {
			return false
		}
	}
	return true
}

// hidden reports whether a character is not seen as itself: controls (C0, C1),
// formats (bidi, zero width, tags) and separators of lines and paragraphs.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// count is a number with its noun: "1 share", "2 shares".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
