package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// control are the control policies above an account: of the caller's the
// service control policies, of the resource's the resource control policies.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
type control struct {
	unread string // why they are not known; empty: they are
	levels []side // the root first
	ids    map[string]string
	target []string // of each level: the id of the root, unit or account
}

// levelsBy are the levels, each as of makes it under the better or the worse
// assumption of what is not known.
func (c control) levelsBy(of func(side, *iampolicy.Principals) []iampolicy.Named, principal *iampolicy.Principals, worst bool) [][]iampolicy.Named {
	if c.unread != "" {
		if worst {
			return [][]iampolicy.Named{{everything(iampolicy.Deny, principal)}}
		}
		return nil
	}
	var levels [][]iampolicy.Named
	for _, s := range c.levels {
		levels = append(levels, of(s, principal))
	}
	return levels
}

// serviceControl are the policies that limit the callers of an account, and
// resourceControl those that limit the access to its resources.
func (p *prover) serviceControl(account string) control {
	return p.controls(account, "service control policy", "the service control policies (SCPs)", func(o *plan.Organization) [][]plan.ControlPolicy { return o.SCPs })
}

func (p *prover) resourceControl(account string) control {
	return p.controls(account, "resource control policy", "the resource control policies (RCPs)", func(o *plan.Organization) [][]plan.ControlPolicy { return o.RCPs })
}

func (p *prover) controls(account, kind, what string, of func(*plan.Organization) [][]plan.ControlPolicy) control {
	o := p.organization(account)
	switch {
	case o == nil:
		return control{unread: fmt.Sprintf("%s of account %s, whose organization was not read", what, account)}
	case o.Unread != nil:
		return control{unread: fmt.Sprintf("%s of account %s, which cannot be read: %s", what, account, because(o.Unread))}
	}
	c := control{ids: map[string]string{}}
	for _, level := range of(o) {
		s, target := side{}, account
		for _, policy := range level {
			target = policy.Target
			name := fmt.Sprintf("%s %s on %s", kind, policy.Name, policy.Target)
			c.ids[name] = policy.ID
			named, err := p.document("control "+policy.ID+" "+policy.Target, name, policy.Document)
			if err != nil {
				s.unread = fmt.Sprintf("%s (%s), which cannot be understood: %v", name, policy.ID, err)
				continue
			}
			s.policies = append(s.policies, named)
		}
		c.levels, c.target = append(c.levels, s), append(c.target, target)
	}
	return c
}

func (p *prover) organization(account string) *plan.Organization {
	if snap := p.snapshots[account]; snap != nil {
		return snap.Organization
	}
	return nil
}

// because is a failed read in a sentence, with its mend.
func because(f *plan.ReadFailure) string {
	if f.Mend == "" {
		return f.Message
	}
	return f.Message + ": " + f.Mend
}

// organizationKeys adds to a context what is known of the caller's and the
// resource's organization. A key without values is known to be absent.
func (p *prover) organizationKeys(context map[string][]string, caller, owner string) {
	for _, of := range []struct{ account, id, paths string }{
		{caller, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"},
		{owner, "aws:ResourceOrgID", "aws:ResourceOrgPaths"},
	} {
		o := p.organization(of.account)
		switch {
		case o == nil:
		case o.ID != "":
			context[of.id] = []string{o.ID}
			if o.Path != "" {
				context[of.paths] = []string{o.Path}
			}
		case o.Unread == nil: // it is in none
			context[of.id], context[of.paths] = nil, nil
		}
	}
}

// serviceControlled finds which level does not allow a request.
func (f *findings) serviceControlled(req iampolicy.Request, c call, known func(string) bool) string {
	account := f.grant.Consumer.Account.ID
	if iampolicy.CutARN(req.Resource).Account == "" { // a key's account is in its ARN
		req.ResourceAccount = account
	}
	for i, level := range f.sides.scps.levels {
		if iampolicy.Evaluate(req, iampolicy.Policies{
			Identity: []iampolicy.Named{everything(iampolicy.Allow, nil)},
			Resource: &iampolicy.Named{Name: "what is not asked about", Document: everything(iampolicy.Allow, anybody).Document},
			SCPs:     [][]iampolicy.Named{allowsOnly(level.best(known, nil))},
		}).Allowed() {
			continue
		}
		cause, say := f.sides.scps.lacking(account, i)
		f.add(cause, c.action, say)
		return "no service control policy on " + cause.Resource + " allows it"
	}
	return "a service control policy does not allow it"
}

// lacking is the cause of a level of an account's service control policies that
// does not allow actions.
func (c control) lacking(account string, level int) (cause Cause, say func(actions string) string) {
	target := c.target[level]
	var names []string
	for _, named := range c.levels[level].policies {
		names = append(names, fmt.Sprintf("%s (%s)", named.Name, c.ids[named.Name]))
	}
	have := "no policy there does"
	if len(names) > 0 {
		have = strings.Join(names, " and ") + " does not"
	}
	cause = Cause{
		Code: ServiceControl, Account: account, Resource: target,
		Mend: fmt.Sprintf("allow it in a service control policy on %s, in the organization's management account", target),
	}
	return cause, func(actions string) string {
		return fmt.Sprintf("the service control policies of account %s do not allow %s: each level must, and on %s %s", account, actions, target, have)
	}
}

// allowsOnly leaves out denials, which are told of apart.
func allowsOnly(list []iampolicy.Named) []iampolicy.Named {
	list = slices.Clone(list)
	for i, named := range list {
		d := *named.Document
		d.Statements = slices.Clone(d.Statements)
		for j, s := range d.Statements {
			if s.Effect == iampolicy.Deny {
				d.Statements[j] = s.Inert()
			}
		}
		list[i].Document = &d
	}
	return list
}
