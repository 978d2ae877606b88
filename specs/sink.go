package specs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxProblemsPerFile bounds what a hostile file can make us say.
const maxProblemsPerFile = 1000

// sink gathers problems. What is read or checked at the moment (share,
// account) is put on each problem that comes in meanwhile.
type sink struct {
	list    []Problem
	share   string
	account string
	perFile map[string]int
	broken  bool // there is an error, other than of a lint
}

func newSink() *sink { return &sink{perFile: map[string]int{}} }

// fail adds an error. The message is made from format; mend says how to mend it.
func (s *sink) fail(code string, pos Pos, mend, format string, args ...any) {
	s.broken = true
	s.lint(code, pos, mend, format, args...)
}

// lint adds an error that leaves the specs as readable as they are, so that all
// that is looked for in good ones can be told beside it.
func (s *sink) lint(code string, pos Pos, mend, format string, args ...any) {
	s.add(SeverityError, code, pos, mend, fmt.Sprintf(format, args...))
}

// warn adds a warning.
func (s *sink) warn(code string, pos Pos, mend, format string, args ...any) {
	s.add(SeverityWarning, code, pos, mend, fmt.Sprintf(format, args...))
}

func (s *sink) add(severity Severity, code string, pos Pos, mend, message string) {
	s.perFile[pos.File]++
	switch n := s.perFile[pos.File]; {
	case n == maxProblemsPerFile+1:
		s.broken = true
		severity, code, mend = SeverityError, codeTooMany, "mend those that are shown and run it again"
		message = fmt.Sprintf("more than %d problems in this file, the rest is not shown", maxProblemsPerFile)
	case n > maxProblemsPerFile:
		return
	}
	s.list = append(s.list, Problem{
		Code: code, Severity: severity, Share: s.share, Account: s.account,
		Source: pos, Message: message, Mend: mend,
	})
}

// sorted returns the problems in order, the same one only once.
func (s *sink) sorted() []Problem {
	SortProblems(s.list)
	return slices.Compact(s.list)
}

// quote shows a value of the user's in a message: what does not print (control
// characters, terminal escapes, bidi marks) is escaped, and a long one is cut.
func quote(s string) string {
	short, more := shorten(s)
	return strconv.Quote(short) + more
}

// printable is quote without the quotation marks, for short words in a sentence.
func printable(s string) string {
	short, more := shorten(s)
	quoted := strconv.Quote(short)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + more
}

func shorten(s string) (short, more string) {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s, ""
	}
	return string([]rune(s[:min(len(s), most*utf8.UTFMax)])[:most]), "…"
}

// take adds the problems of another sink, which read a file of its own.
func (s *sink) take(other *sink) {
	s.list, s.broken = append(s.list, other.list...), s.broken || other.broken
	for file, n := range other.perFile {
		s.perFile[file] += n
	}
}
