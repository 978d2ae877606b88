package report

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
)

// The parts of a JUnit report that are written here. It has no standard; these
// are what Jenkins, GitLab and GitHub's readers of such reports agree on.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitOutcome `xml:"failure,omitempty"`
		Skipped *junitOutcome `xml:"skipped,omitempty"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
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
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(all *junitSuites, c junitCase) {
	s.Cases = append(s.Cases, c)
	for _, n := range []*junitCounts{&s.junitCounts, &all.junitCounts} {
		n.Tests++
		if c.Failure != nil {
			n.Failures++
		}
		if c.Skipped != nil {
			n.Skipped++
		}
	}
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
	case executor.ProbeNotProbed:
		c.Skipped = &junitOutcome{Message: "not probed: " + clean(r.Reason)}
	}
	return c
}
