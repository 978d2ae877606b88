package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/proof"
)

// Verify writes the proof of each grant, by share: the verdict, what is
// promised, the causes with their mends, and what was not checked; then the
// probe of the grant, if there was one (probes are by share/account/role); and
// a summary line. What was not checked for any grant is said once, at the end,
// unless it makes the verdict of one: that stands there.
func Verify(w io.Writer, proofs []proof.GrantProof, probes map[string]executor.ProbeResult, style Style) error {
	p := newPrinter(w, style)
	always := common(proofs)
	share := ""
	for i, g := range proofs {
		if i == 0 || g.Share != share {
			if i > 0 {
				p.blank()
			}
			share = g.Share
			p.line(p.paint(bold, clean(g.Share)) + ": bucket " + clean(g.Bucket))
		}
		probe, probed := probes[probeKey(g)]
		p.grant(g, always, isDisproved(g, probe))
		if probed {
			p.probe(probe)
		}
	}
	if len(proofs) > 0 {
		p.blank()
	}
	if len(always) > 0 {
		p.line("Not checked for any grant:")
		for _, what := range always {
			p.wrapped("  - ", plain, clean(what))
		}
		p.blank()
	}
	p.verifySummary(proofs, probes)
	p.pointToExplain(proofs)
	return p.done()
}

func probeKey(g proof.GrantProof) string {
	return executor.ProbeGrant{Share: g.Share, Consumer: g.Consumer}.Key()
}

// isDisproved reports whether a real call came out otherwise than the policies
// that were read say: then the call counts.
func isDisproved(g proof.GrantProof, probe executor.ProbeResult) bool {
	return g.Verdict == proof.Allowed && probe.Verdict == executor.ProbeFails
}

// common is what was not checked for any of several grants, in the order of
// the first. What is particular to a single grant is told with it.
func common(proofs []proof.GrantProof) []string {
	switch len(proofs) {
	case 0:
		return nil
	case 1:
		return proof.NeverChecked()
	}
	if slices.ContainsFunc(proofs, func(g proof.GrantProof) bool { return g.Verdict == proof.NotChecked }) {
		return proof.NeverChecked()
	}
	return slices.DeleteFunc(slices.Clone(proofs[0].NotChecked), func(what string) bool {
		return slices.ContainsFunc(proofs, func(g proof.GrantProof) bool { return !slices.Contains(g.NotChecked, what) })
	})
}

func (p *printer) grant(g proof.GrantProof, always []string, disproved bool) {
	word, c := verdict(g.Verdict)
	if disproved {
		word, c = "disproved", red
	}
	text := clean(g.Consumer) + ": " + clean(g.Promise)
	if some := deniedOf(g); some != "" {
		text += " (" + clean(some) + ")"
	}
	p.labelled("  "+p.paint(c, fmt.Sprintf("%-12s", word)), plain, text)
	if disproved {
		p.wrapped("    ", plain, disprovedText)
	}
	for _, cause := range g.Causes {
		p.labelled("    "+p.paint(red, "cause: "), plain, clean(cause.Message))
		p.labelled("    mend:  ", plain, clean(cause.Mend))
	}
	seen := written{}
	for _, what := range g.NotChecked {
		if !slices.Contains(always, what) {
			p.wrapped("    "+p.paint(yellow, "not checked: "), plain, clean(seen.once(what)))
		}
	}
}

// deniedOf says which actions are denied, where not all are: of one that is for
// some resources or prefixes alone, that it is in part. Empty: all are, or none
// by its policies.
func deniedOf(g proof.GrantProof) string {
	const most = 4
	actions, denied := map[string]int{}, map[string]int{}
	for _, check := range g.Checks {
		if check.Action == "sts:AssumeRole" {
			continue // whether the role can be had is a cause of its own
		}
		actions[check.Action]++
		if check.Verdict == proof.Denied {
			denied[check.Action]++
		}
	}
	if len(denied) == 0 || maps.Equal(actions, denied) {
		return ""
	}
	names := slices.Sorted(maps.Keys(denied))
	for i, name := range names {
		if denied[name] < actions[name] {
			names[i] += " in part"
		}
	}
	if len(names) > most+1 {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return fmt.Sprintf("%d of %d denied: %s", len(denied), len(actions), strings.Join(names, ", "))
}

const disprovedText = "By the policies that were read it is as promised, and real calls came out otherwise: something decides that was not read, or a change takes a while to have effect."

// verdict is a verdict in words.
func verdict(v proof.Verdict) (string, colour) {
	switch v {
	case proof.Allowed:
		return "allowed", green
	case proof.Denied:
		return "denied", red
	}
	return "not checked", yellow
}

func (p *printer) probe(r executor.ProbeResult) {
	word, c := "probe fails", red
	switch r.Verdict {
	case executor.ProbeWorks:
		word, c = "probe works", green
	case executor.ProbeNotProbed:
		word, c = "not probed", yellow
	}
	var text []string
	if r.Via != "" {
		text = append(text, "via "+clean(r.Via))
	}
	if r.Reason != "" {
		text = append(text, clean(r.Reason))
	}
	p.labelled("  "+p.paint(c, fmt.Sprintf("%-12s", word)), plain, strings.Join(text, ": "))
	width := 0
	for _, call := range r.Calls {
		width = max(width, len(call.As+call.Operation)+1)
	}
	for _, call := range r.Calls {
		p.call(call, width)
	}
}

// call writes one call of a probe, with what was expected of it.
func (p *printer) call(call executor.ProbeCall, width int) {
	mark := p.paint(green, "ok  ")
	if !call.OK {
		mark = p.paint(red, "FAIL")
	}
	outcome := "allowed"
	if call.Code != "" {
		outcome = clean(call.Code)
	}
	if !call.OK {
		outcome += ", but expected " + clean(call.Expected)
	} else if call.Expected == "denied" {
		outcome += ", as expected"
	}
	p.linef("    %s %-*s %s: %s", mark, width, clean(call.As)+" "+clean(call.Operation), clean(call.Resource), outcome)
}

func (p *printer) verifySummary(proofs []proof.GrantProof, probes map[string]executor.ProbeResult) {
	n := map[proof.Verdict]int{}
	tried := map[executor.ProbeVerdict]int{}
	disproved := 0
	for _, g := range proofs {
		if isDisproved(g, probes[probeKey(g)]) {
			disproved++
		} else {
			n[g.Verdict]++
		}
		if probe, ok := probes[probeKey(g)]; ok {
			tried[probe.Verdict]++
		}
	}
	c := green
	switch {
	case n[proof.Denied]+tried[executor.ProbeFails] > 0:
		c = red
	case n[proof.NotChecked]+tried[executor.ProbeNotProbed] > 0:
		c = yellow
	}
	text := fmt.Sprintf(" %s: %d allowed, %d denied, %d not checked", count(len(proofs), "grant"), n[proof.Allowed], n[proof.Denied], n[proof.NotChecked])
	if disproved > 0 {
		text += fmt.Sprintf(", %d disproved by a probe", disproved)
	}
	if len(probes) > 0 {
		text += fmt.Sprintf("; probes: %d work, %d fail, %d not probed", tried[executor.ProbeWorks], tried[executor.ProbeFails], tried[executor.ProbeNotProbed])
	}
	p.line(p.paint(c, "Verified") + text + ".")
}
