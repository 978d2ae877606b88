package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// decide evaluates the request and puts the decision into words.
func (q *simulated) decide() (iampolicy.Decision, string) {
	d := iampolicy.Evaluate(q.req, q.policies)
	reason := ""
	switch d.Outcome {
	case iampolicy.Allowed:
		reason = allowedBy(d.Reasons)
	case iampolicy.ExplicitDeny:
		reason = deniedBy(d.Reasons)
	case iampolicy.ImplicitDeny:
		reason = lacks(d.Reasons)
	default:
		return d, d.Reasons[0].Text
	}
	if why := iampolicy.Impossible(q.req.Action, q.req.Resource); why != "" {
		service, _, _ := strings.Cut(q.req.Action, ":")
		reason += "; and " + strings.ToUpper(service) + " never gets such a request: " + why
	}
	if d.Allowed() {
		if q.assumed {
			reason += " (the resource is taken to be of the principal's account " + q.req.Caller.Account + ", since the case has no resourceAccount)"
		}
		if q.req.Resource != "*" && iampolicy.HasWildcard(q.req.Resource) {
			reason += " (* and ? in the resource are taken for characters of its name)"
		}
	}
	return d, reason
}

func allowedBy(reasons []iampolicy.Reason) string {
	text := ""
	for _, r := range reasons {
		switch {
		case r.Effect != iampolicy.Allow:
		case text == "":
			text = r.Text
		case r.Sid != "":
			text += fmt.Sprintf(", and so does %s, statement %q", r.Policy, r.Sid)
		default:
			text += fmt.Sprintf(", and so does %s, statement number %d", r.Policy, r.Statement+1)
		}
	}
	return text
}

// denyOrder is the order in which AWS names denies
// (IAM:reference_policies_evaluation-logic_policy-eval-denyallow).
var denyOrder = []iampolicy.Side{
	iampolicy.SideRCP, iampolicy.SideSCP, iampolicy.SideResource, iampolicy.SideIdentity,
	iampolicy.SideBoundary, iampolicy.SideSession, iampolicy.SideEndpoint,
}

func deniedBy(reasons []iampolicy.Reason) string {
	for _, side := range denyOrder {
		for _, r := range reasons {
			if r.Side == side && r.Effect == iampolicy.Deny {
				return r.Text
			}
		}
	}
	return "a policy denies it"
}

func lacks(reasons []iampolicy.Reason) string {
	var texts []string
	for _, r := range reasons {
		if r.Effect == "" {
			texts = append(texts, r.Text)
		}
	}
	return strings.Join(texts, "; and ")
}

// allOf is the reason where all requests of a case are allowed.
func allOf(requests []simulated) string {
	var texts []string
	for _, q := range requests {
		texts = append(texts, q.req.Action+" on "+q.req.Resource)
	}
	return fmt.Sprintf("all %d requests are allowed: %s", len(texts), strings.Join(texts, ", "))
}

// notesOf is what a reason adds on what the case does not say.
type notesOf struct {
	notOf   []string // see simulated
	missing []string // condition keys
}

// add notes what decided one of the requests that a reason is about.
func (n *notesOf) add(q *simulated, d iampolicy.Decision) {
	if q.notOf != "" && (d.Allowed() || slices.Contains(d.Lacking, iampolicy.SideResource)) && !slices.Contains(n.notOf, q.notOf) {
		n.notOf = append(n.notOf, q.notOf)
	}
	for _, key := range q.missingKeys(d) {
		if !slices.ContainsFunc(n.missing, func(have string) bool { return strings.EqualFold(have, key) }) {
			n.missing = append(n.missing, key)
		}
	}
}

// mostKeys is how many condition keys one sentence names.
const mostKeys = 5

func (n *notesOf) String() string {
	text := ""
	for _, whose := range n.notOf {
		text += "; the case's resourcePolicy is that of " + whose + " and counts for no other resource"
	}
	names := n.missing
	if more := len(names) - mostKeys; more > 0 {
		names = append(slices.Clone(names[:mostKeys]), fmt.Sprintf("%d more", more))
	}
	if last := len(names) - 1; last >= 0 {
		list := names[last]
		if last > 0 {
			list = strings.Join(names[:last], ", ") + " and " + list
		}
		text += "; the case gives no " + list + ", which its policies ask for"
	}
	return text
}
