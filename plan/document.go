package plan

import (
	"bytes"
	"encoding/json"

	"github.com/xshare/xshare/specs"
)

// FormatVersion is the version of the plan document that this program writes,
// and the only one that it reads.
const FormatVersion = 1

// Document is a plan compared with live accounts, as data for files and other
// programs. Lists are never null, and the same input gives the same bytes.
type Document struct {
	FormatVersion int               `json:"formatVersion"`
	Repository    string            `json:"repository"`
	Commit        string            `json:"commit"` // of the specs; empty when not known
	Options       DocumentOptions   `json:"options"`
	Summary       Summary           `json:"summary"`
	Steps         []StepDocument    `json:"steps"`
	Access        Access            `json:"access"`
	Problems      []ProblemDocument `json:"problems"`
}

// DocumentOptions are the options that a plan was made with.
type DocumentOptions struct {
	Only  []string `json:"only"`
	Adopt bool     `json:"adopt"`
	Prune bool     `json:"prune"`
	// DropDeadPrincipals is left out where it is false.
	DropDeadPrincipals bool `json:"dropDeadPrincipals,omitempty"`
}

func (o Options) document() DocumentOptions {
	return DocumentOptions{Only: orEmpty(o.Only), Adopt: o.Adopt, Prune: o.Prune, DropDeadPrincipals: o.DropDeadPrincipals}
}

// Summary counts steps by action.
type Summary struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Delete int `json:"delete"`
	Adopt  int `json:"adopt"`
	Noop   int `json:"noop"`
	Error  int `json:"error"`
}

// StepDocument is one step with its change; Result, Error and BlockedBy are
// there after an apply.
type StepDocument struct {
	ID         string         `json:"id"`
	Type       Type           `json:"type"`
	Account    string         `json:"account"`
	Region     string         `json:"region"`
	Name       string         `json:"name"`
	Action     Action         `json:"action"`
	Needs      []string       `json:"needs"`
	Shares     []string       `json:"shares"`
	Parts      []PartDocument `json:"parts"`
	Before     any            `json:"before"`
	After      any            `json:"after"`
	LiveDigest string         `json:"liveDigest"`

	Result    string   `json:"result,omitempty"`
	Error     string   `json:"error,omitempty"`
	BlockedBy []string `json:"blockedBy,omitempty"`
}

// PartDocument is what becomes of one grant's part of a step.
type PartDocument struct {
	Share    string `json:"share"`
	Consumer string `json:"consumer"`
	Action   Action `json:"action"`

	Result    string   `json:"result,omitempty"`
	BlockedBy []string `json:"blockedBy,omitempty"`
}

// ProblemDocument is a problem, with its position as text.
type ProblemDocument struct {
	Code     string         `json:"code"`
	Severity specs.Severity `json:"severity"`
	Share    string         `json:"share"`
	Account  string         `json:"account"`
	Step     string         `json:"step"`
	Source   string         `json:"source"`
	Message  string         `json:"message"`
	Mend     string         `json:"mend"`
}

// Ref stands for a value that is known only after the step was applied.
type Ref struct {
	Ref   string `json:"ref"`
	Field string `json:"field"`
}

// Document returns the changes as a document. commit is the specs' commit, or
// empty; more are problems found elsewhere that belong to the same plan.
func (c *Changes) Document(commit string, more ...specs.Problem) *Document {
	d := &Document{
		FormatVersion: FormatVersion,
		Repository:    c.Plan.Repository,
		Commit:        commit,
		Options:       c.Options.document(),
		Summary:       c.Summary(),
		Steps:         make([]StepDocument, 0, len(c.Steps)),
		Access:        c.Access.document(),
		Problems:      ProblemDocuments(append(append([]specs.Problem(nil), more...), c.Problems...)),
	}
	for _, change := range c.Steps {
		d.Steps = append(d.Steps, change.document())
	}
	return d
}

// ProblemDocuments are problems in the form of the plan document.
func ProblemDocuments(problems []specs.Problem) []ProblemDocument {
	list := make([]ProblemDocument, 0, len(problems))
	for _, p := range problems {
		list = append(list, ProblemDocument{
			Code: p.Code, Severity: p.Severity, Share: p.Share, Account: p.Account, Step: p.Step,
			Source: p.Source.String(), Message: p.Message, Mend: p.Mend,
		})
	}
	return list
}

// Summary counts the steps by action.
func (c *Changes) Summary() Summary {
	var s Summary
	counts := map[Action]*int{
		Create: &s.Create, Update: &s.Update, Delete: &s.Delete, Adopt: &s.Adopt, Noop: &s.Noop, Error: &s.Error,
	}
	for _, change := range c.Steps {
		*counts[change.Action]++
	}
	return s
}

// Differs reports whether anything is to be done.
func (s Summary) Differs() bool { return s.Create+s.Update+s.Delete+s.Adopt > 0 }

func (c *Change) document() StepDocument {
	d := StepDocument{
		ID: c.ID, Type: c.Type, Account: c.Account, Region: c.Region, Name: c.Name, Action: c.Action,
		Shares: orEmpty(c.Shares), Parts: []PartDocument{}, LiveDigest: c.LiveDigest, After: c.after(),
	}
	needs := append([]string{}, c.Needs...)
	for _, p := range c.Parts {
		needs = append(needs, p.Needs...)
		d.Parts = append(d.Parts, PartDocument{Share: p.Share, Consumer: p.Consumer, Action: p.Action})
	}
	d.Needs = orEmpty(sortedSet(needs))
	if c.Before != nil {
		d.Before = c.Before
	}
	return d
}

// after is the document's form of the desired state: null for what goes, and
// a Ref for what AWS will choose.
func (c *Change) after() any {
	switch want := c.Want.(type) {
	case nil:
		return nil
	case BucketPolicy:
		if want.Document == nil {
			return nil
		}
	case Instance:
		if c.Action == Create {
			return struct {
				Instance
				ID Ref `json:"id"`
			}{want, Ref{Ref: c.ID, Field: "id"}}
		}
	}
	return c.Want
}

// JSON is the document as indented JSON with a line end. Policy documents in
// it are as they were read.
func (d *Document) JSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
