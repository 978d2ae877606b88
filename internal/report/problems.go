package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Problems writes problems one a line, "file:line:col: what is wrong: how to
// mend it", errors first, each kind in the order of the files; a warning says
// so after its place. Lines are never wrapped, as other programs read them.
// The last line counts them; without problems nothing is written.
func Problems(w io.Writer, problems []specs.Problem, style Style) error {
	if len(problems) == 0 {
		return nil
	}
	p := newPrinter(w, style)
	errors, warnings := split(problems)
	for _, problem := range errors {
		p.line(p.paint(red, clean(placeOf(problem))) + colonBefore(clean(problem.Message), clean(problem.Mend)))
	}
	for _, problem := range warnings {
		p.line(p.paint(yellow, clean(placeOf(problem))) + colonBefore("warning", clean(problem.Message), clean(problem.Mend)))
	}
	p.line(count(len(errors), "error") + ", " + count(len(warnings), "warning"))
	return p.done()
}

// Validate writes the outcome of a validation: the problems, as Problems does,
// and for a valid repository the line that says so, with what it holds. repo is
// nil if it could not be read.
func Validate(w io.Writer, repo *specs.Repository, problems []specs.Problem, style Style) error {
	if err := Problems(w, problems, style); err != nil {
		return err
	}
	if errors, _ := split(problems); repo == nil || len(errors) > 0 {
		return nil
	}
	p := newPrinter(w, style)
	n := countsOf(repo)
	p.linef("%s, %s, %s: %s", count(n.files, "file"), count(n.shares, "share"), count(n.grants, "grant"), p.paint(green, "valid"))
	return p.done()
}

// counts are what a repository holds.
type counts struct{ files, shares, grants int }

func countsOf(repo *specs.Repository) counts {
	if repo == nil {
		return counts{}
	}
	n := counts{shares: len(repo.Shares)}
	files := map[string]bool{repo.Pos.File: true}
	for _, share := range repo.Shares {
		files[share.Pos.File] = true
		n.grants += len(share.Consumers)
	}
	n.files = len(files)
	return n
}

// split is errors and warnings, each once, sorted as a person mends them.
func split(problems []specs.Problem) (errors, warnings []specs.Problem) {
	sorted := slices.Clone(problems)
	specs.SortProblems(sorted)
	for _, problem := range slices.Compact(sorted) {
		if problem.Severity == specs.SeverityError {
			errors = append(errors, problem)
		} else {
			warnings = append(warnings, problem)
		}
	}
	return errors, warnings
}

func placeOf(p specs.Problem) string { return cmp.Or(p.Source.String(), p.Step, p.Account, "xshare") }

func colonBefore(parts ...string) string {
	text := ""
	for _, part := range parts {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// problems writes the problems of a plan, errors first: what, where, and how
// to mend it.
func (p *printer) problems(pl *plan.Plan, problems []specs.Problem) {
	errors, warnings := split(problems)
	for _, problem := range errors {
		p.problem(pl, "error: ", red, problem)
	}
	for _, problem := range warnings {
		p.problem(pl, "warning: ", yellow, problem)
	}
	if len(problems) > 0 {
		p.blank()
	}
}

func (p *printer) problem(pl *plan.Plan, lead string, c colour, problem specs.Problem) {
	text := clean(problem.Message)
	lines := wrap(lead+text, p.style.Width, p.style.Width-4)
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, strings.TrimSpace(lead)); i == 0 && ok {
			p.line(p.paint(c, strings.TrimSpace(lead)) + rest)
			continue
		}
		p.line("    " + line)
	}
	if problem.Mend != "" {
		p.wrapped("    ", plain, "mend: "+clean(problem.Mend))
	}
	switch {
	case problem.Source.String() != "":
		p.line("    " + p.paint(dim, "at "+clean(problem.Source.String())))
	case problem.Account != "" && !strings.Contains(problem.Message, problem.Account):
		p.line("    " + p.paint(dim, "in "+place(pl, problem.Account)))
	}
}
