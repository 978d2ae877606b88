package proof

import (
	"github.com/xshare/xshare/internal/iampolicy"
)

// fit is how well one Allow suits a request: which of its four parts match.
type fit struct {
	policy    string
	index     int
	statement iampolicy.Statement

	unknown []string // the keys that it hangs on and that are not known; taken to be as it wants them

	principal, action, resource, condition bool
}

// rank orders fits: what is told of first is a statement that has all but its
// resource right, then all but its condition, and so on.
func (f fit) rank() int {
	n := 0
	for i, ok := range []bool{f.condition, f.resource, f.action, f.principal} {
		if ok {
			n += 1 << i
		}
	}
	return n
}

// closest returns the Allow that comes closest to the request, or nil where
// there is none. Principals count most, then actions, then resources.
func closest(policies []iampolicy.Named, side iampolicy.Side, req iampolicy.Request, known func(string) bool) *fit {
	var best *fit
	for _, f := range fits(policies, side, req, known) {
		if best == nil || f.rank() > best.rank() {
			best = &f
		}
	}
	return best
}

// fits asks every Allow of a side the four questions.
func fits(policies []iampolicy.Named, side iampolicy.Side, req iampolicy.Request, known func(string) bool) []fit {
	var list []fit
	for _, named := range policies {
		for i, s := range named.Document.Statements {
			if s.Effect != iampolicy.Allow {
				continue
			}
			asks := func(change func(*iampolicy.Statement)) bool {
				wide := iampolicy.Statement{Effect: iampolicy.Allow, Action: []string{"*"}, Resource: []string{"*"}}
				if side == iampolicy.SideResource {
					wide.Principal = anybody
				}
				change(&wide)
				return allows(side, req, named.Document.Version, wide)
			}
			may := atMost(named.Document.Version, s, known)
			list = append(list, fit{
				policy: named.Name, index: i, statement: s, unknown: unknownKeys(named.Document.Version, s, known),
				principal: side == iampolicy.SideIdentity || asks(func(w *iampolicy.Statement) { w.Principal, w.NotPrincipal = s.Principal, s.NotPrincipal }),
				action:    asks(func(w *iampolicy.Statement) { w.Action, w.NotAction = s.Action, s.NotAction }),
				resource:  asks(func(w *iampolicy.Statement) { w.Resource, w.NotResource = may.Resource, may.NotResource }),
				condition: asks(func(w *iampolicy.Statement) { w.Condition = may.Condition }),
			})
		}
	}
	return list
}

// allows reports whether one statement, alone on its side, lets a request
// through. It looks at that side only: an identity statement is asked within
// the caller's account, one of a resource from another account, where the
// identity side allows all.
func allows(side iampolicy.Side, req iampolicy.Request, version string, s iampolicy.Statement) bool {
	named := iampolicy.Named{Name: "one statement", Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}
	if iampolicy.CutARN(req.Resource).Account != "" { // a key, which is in the account that its ARN names: both sides have to allow
		if side == iampolicy.SideIdentity {
			account := everything(iampolicy.Allow, &iampolicy.Principals{AWS: []string{req.Caller.Account}})
			return iampolicy.Evaluate(req, iampolicy.Policies{Identity: []iampolicy.Named{named}, Resource: &account}).Allowed()
		}
		return iampolicy.Evaluate(req, iampolicy.Policies{Identity: []iampolicy.Named{everything(iampolicy.Allow, nil)}, Resource: &named}).Allowed()
	}
	req.ResourceAccount = req.Caller.Account
	if side == iampolicy.SideIdentity {
		return iampolicy.Evaluate(req, iampolicy.Policies{Identity: []iampolicy.Named{named}}).Allowed()
	}
	req.ResourceAccount = otherAccount(req.Caller.Account)
	return iampolicy.Evaluate(req, iampolicy.Policies{
		Identity: []iampolicy.Named{everything(iampolicy.Allow, nil)},
		Resource: &named,
	}).Allowed()
}

func otherAccount(id string) string {
	if id == "000000000000" {
		return "000000000001"
	}
	return "000000000000"
}
