package report

import (
	"encoding/xml"
	"io"
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
		Errors   int `xml:"errors,attr,omitempty"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitOutcome `xml:"failure,omitempty"`
		Error   *junitOutcome `xml:"error,omitempty"`
		Skipped *junitOutcome `xml:"skipped,omitempty"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// write writes the report.
func (all *junitSuites) write(w io.Writer) error {
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

// add puts a case into a suite of a report.
func (s *junitSuite) add(all *junitSuites, c junitCase) {
	s.Cases = append(s.Cases, c)
	for _, n := range []*junitCounts{&s.junitCounts, &all.junitCounts} {
		n.Tests++
		if c.Failure != nil {
			n.Failures++
		}
		if c.Error != nil {
			n.Errors++
		}
		if c.Skipped != nil {
			n.Skipped++
		}
	}
}
