package report

import (
	"encoding/json"
	"io"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// ApplyDocument is the plan document with what became of each step: result is
// one of executor.Status, error why it failed, and blockedBy the ids of the
// failed steps that keep it, or a part of it, from being done. commit and more
// are as in plan.Changes.Document.
func ApplyDocument(changes *plan.Changes, result *executor.Result, commit string, more ...specs.Problem) *plan.Document {
	d := changes.Document(commit, more...)
	byID := make(map[string]*executor.ChangeResult, len(result.Changes))
	for _, r := range result.Changes {
		byID[r.Change.ID] = r
	}
	for i := range d.Steps {
		step := &d.Steps[i]
		r := byID[step.ID]
		if r == nil {
			continue
		}
		step.Result, step.BlockedBy = string(r.Status), r.BlockedBy
		if r.Err != nil {
			step.Error = r.Err.Error()
		}
		for j := range step.Parts {
			if j < len(r.Parts) {
				step.Parts[j].Result, step.Parts[j].BlockedBy = string(r.Parts[j].Status), r.Parts[j].BlockedBy
			}
		}
	}
	return d
}

type validateDocument struct {
	FormatVersion int                    `json:"formatVersion"`
	Valid         bool                   `json:"valid"`
	Files         int                    `json:"files"`
	Shares        int                    `json:"shares"`
	Grants        int                    `json:"grants"`
	Problems      []plan.ProblemDocument `json:"problems"`
}

// ValidateJSON writes the outcome of a validation, as docs/json.md has it. valid
// is false if any problem is an error. repo is nil, and the counts are 0, where
// the repository could not be read.
func ValidateJSON(w io.Writer, repo *specs.Repository, problems []specs.Problem) error {
	errors, warnings := split(problems)
	n := countsOf(repo)
	return writeJSON(w, validateDocument{
		FormatVersion: plan.FormatVersion, Valid: repo != nil && len(errors) == 0,
		Files: n.files, Shares: n.shares, Grants: n.grants,
		Problems: plan.ProblemDocuments(append(errors, warnings...)),
	})
}

type verifyDocument struct {
	FormatVersion int             `json:"formatVersion"`
	Summary       verifyCounts    `json:"summary"`
	Grants        []grantDocument `json:"grants"`
}

type verifyCounts struct {
	Allowed    int `json:"allowed"`
	Denied     int `json:"denied"`
	NotChecked int `json:"notChecked"`
}

type grantDocument struct {
	Share      string          `json:"share"`
	Consumer   string          `json:"consumer"`
	Principal  string          `json:"principal"`
	Bucket     string          `json:"bucket"`
	Promise    string          `json:"promise"`
	Verdict    proof.Verdict   `json:"verdict"`
	Checks     []checkDocument `json:"checks"`
	Causes     []causeDocument `json:"causes"`
	NotChecked []string        `json:"notChecked"`
	Source     string          `json:"source"`
	Probe      *probeDocument  `json:"probe"`
}

type checkDocument struct {
	Action   string            `json:"action"`
	Resource string            `json:"resource"`
	Context  map[string]string `json:"context"`
	Verdict  proof.Verdict     `json:"verdict"`
	Reason   string            `json:"reason"`
}

type causeDocument struct {
	Code     proof.Code `json:"code"`
	Message  string     `json:"message"`
	Mend     string     `json:"mend"`
	Account  string     `json:"account"`
	Resource string     `json:"resource"`
}

type probeDocument struct {
	Verdict executor.ProbeVerdict `json:"verdict"`
	Via     string                `json:"via"`
	Reason  string                `json:"reason"`
	Calls   []callDocument        `json:"calls"`
}

type callDocument struct {
	As        string `json:"as"`
	Operation string `json:"operation"`
	Resource  string `json:"resource"`
	Expected  string `json:"expected"`
	OK        bool   `json:"ok"`
	Code      string `json:"code"`
}

// VerifyJSON writes proofs and probes, as docs/json.md has them. probe is null
// where the grant was not probed. Lists are never null.
func VerifyJSON(w io.Writer, proofs []proof.GrantProof, probes map[string]executor.ProbeResult) error {
	d := verifyDocument{FormatVersion: plan.FormatVersion, Grants: make([]grantDocument, 0, len(proofs))}
	for _, g := range proofs {
		switch g.Verdict {
		case proof.Allowed:
			d.Summary.Allowed++
		case proof.Denied:
			d.Summary.Denied++
		default:
			d.Summary.NotChecked++
		}
		grant := grantJSON(g)
		if probe, ok := probes[probeKey(g)]; ok {
			grant.Probe = probeJSON(probe)
		}
		d.Grants = append(d.Grants, grant)
	}
	return writeJSON(w, d)
}

func grantJSON(g proof.GrantProof) grantDocument {
	d := grantDocument{
		Share: g.Share, Consumer: g.Consumer, Principal: g.RoleARN, Bucket: g.Bucket, Promise: g.Promise,
		Verdict: g.Verdict, Source: g.Source.String(),
		Checks: make([]checkDocument, 0, len(g.Checks)), Causes: make([]causeDocument, 0, len(g.Causes)),
		NotChecked: append([]string{}, g.NotChecked...),
	}
	for _, c := range g.Checks {
		check := checkDocument(c)
		if check.Context == nil {
			check.Context = map[string]string{}
		}
		d.Checks = append(d.Checks, check)
	}
	for _, c := range g.Causes {
		d.Causes = append(d.Causes, causeJSON(c))
	}
	return d
}

func probeJSON(r executor.ProbeResult) *probeDocument {
	d := &probeDocument{Verdict: r.Verdict, Via: r.Via, Reason: r.Reason, Calls: make([]callDocument, 0, len(r.Calls))}
	for _, c := range r.Calls {
		d.Calls = append(d.Calls, callDocument(c))
	}
	return d
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
