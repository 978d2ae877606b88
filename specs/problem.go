package specs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// String is "place: what is wrong: how to mend it". The place is the Source;
// a problem of a live account has none and names its step, else its account.
// A part that is empty is left out.
func (p Problem) String() string {
	place := cmp.Or(p.Source.String(), p.Step, p.Account)
	parts := slices.DeleteFunc([]string{place, p.Message, p.Mend}, func(s string) bool { return s == "" })
	return strings.Join(parts, ": ")
}

// Error is String, so that a Problem is an error.
func (p Problem) Error() string { return p.String() }

// SortProblems sorts by file, line, column, then code and text: the order in
// which a person mends them.
func SortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			a.Source.compare(b.Source),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Mend, b.Mend),
		)
	})
}

func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Errors gathers the problems of severity error into a *multierror.Error,
// sorted, printed one a line; nil if there is none. Each of them can be had
// with errors.As as a Problem.
func Errors(problems []Problem) error {
	var found []Problem
	for _, p := range problems {
		if p.Severity == SeverityError {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	SortProblems(found)
	all := &multierror.Error{ErrorFormat: linePerError}
	for _, p := range found {
		all.Errors = append(all.Errors, p)
	}
	return all
}

func linePerError(errs []error) string {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}
