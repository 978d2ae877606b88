package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
)

// Explanation says of one principal and bucket what is decided and why.
//
// Its verdict is the worst of all its requests', and Denied too where the
// principal is a role that cannot be used.
type Explanation struct {
	Share     string // of a share's grant; with Consumer and Promise empty for a question
	Consumer  string // account/role
	Promise   string // in words
	Principal string // ARN, or "anonymous"
	Bucket    string
	Verdict   Verdict
	// Unreadable: something could not be read that a plan reads too, and not
	// only a proof. That is a failure, whatever the verdict.
	Unreadable bool

	Screens    []Screen
	Use        []Part // whether a role can be had: trust policy, instance profile, instances
	Roots      []Root // why it is denied, or would be of no use
	NotChecked []string
}

// Screen is what every side has to say of requests that fare alike.
type Screen struct {
	Requests []Check // at least one
	Verdict  Verdict
	Parts    []Part
}

// Part is what one side has to say.
type Part struct {
	Side  string // see the Part constants
	State State
	Text  string // which statements, or why; may be empty
}

// The sides of parts, in the order in which they are told.
const (
	PartIdentity = "identity policies"
	PartBoundary = "permissions boundary"
	PartSCP      = "SCPs"
	PartResource = "bucket policy"
	PartRCP      = "RCPs"
	PartBlock    = "Block Public Access"
	PartKey      = "key policy"
	PartKeyState = "key state" // only of a key that cannot be used
	PartTrust    = "trust policy"
	PartProfile  = "instance profile"
	PartInstance = "instances"
)

// State is how a side stands to a request.
type State string

// The states. None: there is nothing of that kind, or it is not needed.
const (
	StateOK         State = "ok"
	StateLacking    State = "lacking"
	StateDenies     State = "denies"
	StateNotChecked State = "notChecked"
	StateNone       State = "none"
)

// Root is a cause that no other cause explains, with its exact mend.
type Root struct {
	Cause
	Fragments []Fragment // of policies that an apply does not mend
}

// Fragment is an edit of one policy, of whole statements: Remove goes out, then
// Add goes in.
type Fragment struct {
	Side    string          // PartIdentity, PartResource, …
	Account string          // 12 digits
	Policy  string          // what to edit, in words
	Remove  json.RawMessage // the statement as it stands; nil: nothing
	Add     json.RawMessage // a statement, with a Sid that the document does not have; nil: nothing
}

// NeverAcrossAccounts is the cause of an action that AWS gives to no other
// account, whatever policies say.
const NeverAcrossAccounts Code = "never-across-accounts"

// BucketUnknown is the cause of a bucket that is in no account of the repository
// that could be read. It has no account.
const BucketUnknown Code = "bucket-unknown"

// RoleUnusable is the cause of a role that nobody can assume.
const RoleUnusable Code = "role-unusable"

// ExplainShare explains each grant of a share, in the order of its consumers.
// snapshots are by account id; see OwnWants.
func ExplainShare(p *plan.Plan, snapshots map[string]*plan.Snapshot, share string) []Explanation {
	var list []Explanation
	pr := newProver(p, snapshots)
	for _, g := range p.Grants {
		if g.Share == share {
			list = append(list, pr.explainGrant(g))
		}
	}
	return list
}

func (p *prover) explainGrant(g plan.Grant) Explanation {
	proof := p.grant(g)
	x := &explainer{prover: p, grant: g, sides: p.read(g), ours: true, stated: true}
	e := Explanation{
		Share: g.Share, Consumer: proof.Consumer, Promise: proof.Promise, Principal: g.RoleARN, Bucket: g.Bucket.Name,
		Verdict: proof.Verdict, Unreadable: x.unreadable(), NotChecked: proof.NotChecked,
	}
	parts := map[string][]Part{}
	for _, a := range x.requests() {
		parts[keyOf(a.req.Action, a.call.resource, a.call.context)] = a.parts()
	}
	for _, check := range proof.Checks {
		context := check.Context
		if strings.HasPrefix(check.Action, "kms:") {
			context = nil // all calls use the key alike
		}
		if check.Action != assumeRole { // which Use tells of
			e.screen(check, parts[keyOf(check.Action, check.Resource, context)])
		}
	}
	slices.SortStableFunc(e.Screens, func(a, b Screen) int { return gravity[a.Verdict] - gravity[b.Verdict] })
	e.Use = x.use()
	e.Roots = x.roots(proof.Causes)
	return e
}

func keyOf(action, resource string, context map[string]string) string {
	return fmt.Sprint(action, " ", resource, " ", context) // fmt sorts maps by key
}

// screen adds a request, to those that fare alike if there are any: where each
// side stands to them alike. What each side says of them may differ.
func (e *Explanation) screen(check Check, parts []Part) {
	for i := range e.Screens {
		s := &e.Screens[i]
		if s.Verdict != check.Verdict || !slices.EqualFunc(s.Parts, parts, Part.alike) || len(parts) == 0 && s.Requests[0].Reason != check.Reason {
			continue
		}
		s.Requests = append(s.Requests, check)
		for j := range parts {
			s.Parts[j].join(parts[j])
		}
		return
	}
	e.Screens = append(e.Screens, Screen{Requests: []Check{check}, Verdict: check.Verdict, Parts: parts})
}

func (p Part) alike(other Part) bool { return p.Side == other.Side && p.State == other.State }

const andOthers = ", and others"

// join takes in what the side says of one more request. The first text stands
// for all.
func (p *Part) join(other Part) {
	if first := strings.TrimSuffix(p.Text, andOthers); first != other.Text {
		p.Text = first + andOthers
	}
}

// WorstOf is the verdict over several explanations.
func WorstOf(list []Explanation) Verdict {
	v := Allowed
	for _, e := range list {
		v = worse(v, e.Verdict)
	}
	return v
}
