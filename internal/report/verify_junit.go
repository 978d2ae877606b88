package report

import (
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
)

// VerifyJUnit writes the proofs, and the probes where there are any, as a JUnit
// report: a suite a share, a case a grant and one a probe. Denied and failed
// ones are failures, their type the code of the first cause; what was not
// checked or not probed is skipped. There are no times in it.
func VerifyJUnit(w io.Writer, proofs []proof.GrantProof, probes map[string]executor.ProbeResult) error {
	all := junitSuites{Name: "xshare verify"}
	for i, g := range proofs {
		if i == 0 || g.Share != proofs[i-1].Share {
			all.Suites = append(all.Suites, junitSuite{Name: clean(g.Share)})
		}
		suite := &all.Suites[len(all.Suites)-1]
		suite.add(&all, grantCase(g))
		if probe, ok := probes[probeKey(g)]; ok {
			suite.add(&all, probeCase(g, probe))
		}
	}
	return all.write(w)
}

func newCase(g proof.GrantProof, name string) junitCase {
	return junitCase{Class: clean(g.Share), Name: name, File: clean(g.Source.File), Line: g.Source.Line}
}

func grantCase(g proof.GrantProof) junitCase {
	c := newCase(g, clean(g.Consumer+": "+g.Promise))
	switch g.Verdict {
	case proof.Denied:
		c.Failure = &junitOutcome{}
		var lines []string
		for i, cause := range g.Causes {
			if i == 0 {
				c.Failure.Type, c.Failure.Message = string(cause.Code), clean(cause.Message)
			}
			lines = append(lines, "cause: "+clean(cause.Message), "mend:  "+clean(cause.Mend))
		}
		if some := deniedOf(g); some != "" {
			c.Failure.Message = clean(some) + ": " + c.Failure.Message
		}
		c.Failure.Text = strings.Join(lines, "\n")
	case proof.NotChecked:
		ofAll := proof.NeverChecked()
		own := slices.DeleteFunc(slices.Clone(g.NotChecked), func(what string) bool { return slices.Contains(ofAll, what) })
		c.Skipped = &junitOutcome{Message: "not checked: " + clean(strings.Join(own, "; "))}
	}
	return c
}

func probeCase(g proof.GrantProof, r executor.ProbeResult) junitCase {
	c := newCase(g, "probe of "+clean(g.Consumer+": "+g.Promise))
	switch r.Verdict {
	case executor.ProbeFails:
		c.Failure = &junitOutcome{Type: "probe", Message: clean(r.Reason)}
		if isDisproved(g, r) {
			c.Failure.Text = disprovedText
		}
	case executor.ProbeNotProbed:
		c.Skipped = &junitOutcome{Message: "not probed: " + clean(r.Reason)}
	}
	return c
}
