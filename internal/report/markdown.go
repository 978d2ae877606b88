package report

import (
	"fmt"
	"html"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Rules of the Markdown that a comment on a pull request is made of:
//
//   - Whoever opens a pull request chooses the names in it, and GitHub makes
//     links, mentions, references and HTML of what is written in Markdown. So
//     nothing from a spec or from AWS stands anywhere but in code: a fenced
//     block, a code span, or <code> in HTML. Between them are only our own words.
//   - It is cleaned as for a terminal first, so that it is one line without
//     hidden characters.
//   - There are no tables: a pipe ends a cell even in a code span.
//   - GitHub refuses a comment of more than 65,536 characters. What does not fit
//     is left out in whole pieces, and counted.

const (
	// markdownSize is how many bytes a text may have; the rest of what GitHub
	// takes is for a line that a pipeline adds.
	markdownSize = 64_000
	// markdownBlock is how many bytes one block may have of them, such as what is
	// wrong, so that the rest has room too.
	markdownBlock = 20_000
	// markdownEnd is kept for what tells that something was left out.
	markdownEnd = 1_000
	// markdownName is how many characters of a name are shown where only one
	// line is, and markdownWidth how many columns lines in code have.
	markdownName  = 200
	markdownWidth = 100
)

// markdown is a text that grows up to its size.
type markdown struct{ strings.Builder }

// room is how many more bytes may be written.
func (m *markdown) room() int { return markdownSize - markdownEnd - m.Len() }

func (m *markdown) line(text string) { m.WriteString(text + "\n\n") }

// done writes the text.
func (m *markdown) done(w io.Writer) error {
	_, err := io.WriteString(w, strings.TrimRight(m.String(), "\n")+"\n")
	return err
}

// heading writes the first lines: the outcome, and of what.
func (m *markdown) heading(title string, p *plan.Plan, commit string) {
	m.line("### " + title)
	of := "Repository " + codeSpan(p.Repository)
	if commit != "" {
		of += ", commit " + codeSpan(commit)
	}
	m.line(of + ".")
}

// block writes pieces as one block of code under a title. noun is what each of
// them is.
func (m *markdown) block(title, language string, pieces []string, noun string) {
	if len(pieces) == 0 {
		return
	}
	text, left := fenced(language, pieces, min(markdownBlock, m.room()))
	m.line(title)
	m.WriteString(text)
	m.more(left, noun)
}

// more says what was left out.
func (m *markdown) more(n int, noun string) {
	if n > 0 {
		m.line(fmt.Sprintf("*%s; see the text output.*", count(n, "more "+noun)))
	}
}

// problems writes problems, errors first.
func (m *markdown) problems(pl *plan.Plan, problems []specs.Problem) {
	errors, warnings := split(problems)
	var pieces []string
	for _, problem := range errors {
		pieces = append(pieces, piece(func(p *printer) { p.problem(pl, "error: ", red, problem) }))
	}
	for _, problem := range warnings {
		pieces = append(pieces, piece(func(p *printer) { p.problem(pl, "warning: ", yellow, problem) }))
	}
	var tally []string
	if len(errors) > 0 {
		tally = append(tally, count(len(errors), "error"))
	}
	if len(warnings) > 0 {
		tally = append(tally, count(len(warnings), "warning"))
	}
	m.block("**"+strings.Join(tally, ", ")+"**", "text", pieces, "problem")
}

// accounts writes the changes of each account, folded away under its name. noun
// is what each of them is, and write writes one of them as text.
func (m *markdown) accounts(changes *plan.Changes, noun string, write func(p *printer, byID map[string]*plan.Change, c *plan.Change)) {
	byID, groups := differingByAccount(changes)
	left, leftChanges := 0, 0
	for _, group := range groups {
		pieces := make([]string, len(group))
		for i, c := range group {
			pieces[i] = piece(func(p *printer) { write(p, byID, c) })
		}
		head := "<details><summary>" + codeHTML(place(changes.Plan, group[0].Account)) + ": " + count(len(group), noun) + "</summary>\n\n"
		const end = "</details>\n\n"
		text, without := fenced("text", pieces, m.room()-len(head)-len(end)-len("*999999999 more resources; see the text output.*\n\n"))
		if without == len(group) {
			left, leftChanges = left+1, leftChanges+len(group)
			continue
		}
		m.WriteString(head + text)
		m.more(without, noun)
		m.WriteString(end)
	}
	if left > 0 {
		m.line(fmt.Sprintf("*%s with %s; see the text output.*", count(left, "more account"), count(leftChanges, noun)))
	}
}

// piece is what write prints, without colours.
func piece(write func(*printer)) string {
	var b strings.Builder
	p := newPrinter(&b, Style{Width: markdownWidth})
	write(p)
	_ = p.done() // a Builder takes everything
	return b.String()
}

// signed is a text on lines that all begin with a sign, which GitHub colours
// in a block of the language diff.
func signed(sign, text string) string {
	const hanging = "    "
	var b strings.Builder
	for i, line := range wrap(text, markdownWidth, markdownWidth-len(hanging)) {
		if i > 0 {
			line = hanging + line
		}
		b.WriteString(sign + " " + line + "\n")
	}
	return b.String()
}

// fenced is a block of code with those of the pieces, which are lines, that fit
// into so many bytes, and how many do not. Without any it is empty. The fence is
// longer than any row of backticks in it, so that nothing in it ends it.
// https://github.github.com/gfm/#fenced-code-blocks
func fenced(language string, pieces []string, room int) (text string, left int) {
	var body strings.Builder
	fence := 3
	for _, piece := range pieces {
		longer := max(fence, backticks(piece)+1)
		if 2*longer+len(language)+len("\n\n\n")+body.Len()+len(piece) > room {
			left++
			continue
		}
		fence = longer
		body.WriteString(piece)
	}
	if body.Len() == 0 {
		return "", left
	}
	row := strings.Repeat("`", fence)
	return row + language + "\n" + body.String() + row + "\n\n", left
}

// codeSpan is a text from outside within a paragraph.
// https://github.github.com/gfm/#code-spans
func codeSpan(text string) string {
	text = brief(text)
	row := strings.Repeat("`", backticks(text)+1)
	if text == "" || strings.Trim(text, "`") != text || strings.TrimSpace(text) != text {
		text = " " + text + " "
	}
	return row + text + row
}

// codeHTML is a text from outside within HTML.
func codeHTML(text string) string { return "<code>" + html.EscapeString(brief(text)) + "</code>" }

// brief is a text on one line that is not too long.
func brief(text string) string {
	if text = clean(text); utf8.RuneCountInString(text) > markdownName {
		text = string([]rune(text)[:markdownName]) + "…"
	}
	return text
}

// backticks is the length of the longest row of them.
func backticks(text string) int {
	longest, n := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}
