package proof

import (
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Lint is one thing that lints look for. The codes are stable: scripts and
// SARIF viewers key on them. docs/lints.md shows this table; a test compares.
type Lint struct {
	Code     Code
	Severity specs.Severity
	// Seen says where it is looked for: in "grants" of the specs, or in policies
	// of a kind ("identity", "bucket", "trust").
	Seen  []string
	Cause string // what is wrong
	Mend  string // what to do about it in general
}

// Lints is the table of all lints, in the order of the documentation.
func Lints() []Lint { return slices.Clone(lints) }

// LintOf finds a lint by its code.
func LintOf(code string) (Lint, bool) {
	i := slices.IndexFunc(lints, func(l Lint) bool { return string(l.Code) == code })
	if i < 0 {
		return Lint{}, false
	}
	return lints[i], true
}

// PolicyKind says what a policy document is for.
type PolicyKind string

// The kinds of policies that LintPolicy knows.
const (
	IdentityPolicy PolicyKind = "identity"
	BucketPolicy   PolicyKind = "bucket"
	TrustPolicy    PolicyKind = "trust"
)

// Subject is what a policy document belongs to.
type Subject struct {
	Name      string // how messages call the policy, such as "the policy of bucket b"
	Account   string // 12 digits: of the bucket or role
	Bucket    string // name, of a bucket policy
	Partition string // "aws", …; empty: not looked at
	// Accounts are those that are known, by id; principals in others are looked
	// at twice. Nil: not looked at.
	Accounts map[string]*specs.Account
}

// Finding is one thing that a lint found in a policy document.
type Finding struct {
	Code      Code
	Severity  specs.Severity
	Statement int    // its index; -1: the document as a whole
	Element   string // of the statement, such as "Principal"; empty: the statement
	Message   string // what is wrong, with where
	Mend      string
}

// LintPolicy looks for what is known to go wrong in a policy document, by
// SEMANTICS that the table of lints names. It says nothing of what only other
// documents tell, such as the other side of a grant. A nil document has no
// findings.
func LintPolicy(kind PolicyKind, d *iampolicy.Document, about Subject) []Finding {
	if d == nil {
		return nil
	}
	return lintText(kind, iampolicy.Marshal(d), d, about)
}

// lintText is LintPolicy for a document whose text, as it is written, is known.
func lintText(kind PolicyKind, text []byte, d *iampolicy.Document, about Subject) []Finding {
	l := &linter{kind: kind, text: text, document: d, about: about}
	for i := range d.Statements {
		l.at(i)
		l.principals()
		l.negations()
		l.conditions()
		l.variables()
		l.partitions()
		if kind == TrustPolicy {
			l.trust()
		} else {
			l.s3()
		}
	}
	l.index, l.s = -1, nil
	l.whole()
	return l.findings
}

// linter goes through one document.
type linter struct {
	kind     PolicyKind
	text     []byte
	document *iampolicy.Document
	about    Subject
	index    int // of the statement s; -1: none
	s        *iampolicy.Statement
	keyed    []keyed // of its conditions
	findings []Finding
}

// at goes to a statement.
func (l *linter) at(i int) {
	l.index, l.s = i, &l.document.Statements[i]
	l.keyed = l.keyedConditions()
}

// add notes a finding. Its severity is that of the table.
func (l *linter) add(code Code, element, message, mend string) {
	row, _ := LintOf(string(code))
	where := l.about.Name
	if l.index >= 0 {
		where = statementName(l.index, l.s.Sid) + " of " + where
	}
	l.findings = append(l.findings, Finding{
		Code: code, Severity: row.Severity, Statement: l.index, Element: element,
		Message: where + " " + message, Mend: mend,
	})
}

func (l *linter) allows() bool { return l.s.Effect == iampolicy.Allow }
