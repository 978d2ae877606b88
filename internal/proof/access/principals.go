package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// callerNames is what policies call callers by.
type callerNames struct {
	accounts map[string]bool
	arns     map[string]bool // of roles and users
	sessions map[string]bool
	services map[string]bool
	patterns map[string][]token // of the ARNs of roles and users, by their text
}

// callerNames gathers what all rules call callers by.
func (d *diff) callerNames() (*callerNames, error) {
	n := &callerNames{
		accounts: map[string]bool{d.owner: true}, arns: map[string]bool{}, sessions: map[string]bool{},
		services: map[string]bool{}, patterns: map[string][]token{},
	}
	for _, r := range d.rules {
		for _, statements := range r.named {
			for _, s := range statements {
				for _, p := range []*iampolicy.Principals{s.Principal, s.NotPrincipal} {
					if p != nil {
						n.principals(p)
					}
				}
			}
		}
		for _, c := range r.s.Condition {
			if err := n.condition(r, c); err != nil {
				return nil, err
			}
		}
	}
	for arn := range n.arns {
		n.accounts[iampolicy.CutARN(arn).Account] = true
	}
	for arn := range n.sessions {
		n.accounts[iampolicy.CutARN(arn).Account] = true
	}
	return n, nil
}

func (n *callerNames) principals(p *iampolicy.Principals) {
	for _, entry := range p.AWS {
		switch kind, account := callerKind(entry); kind {
		case iampolicy.Root:
			n.accounts[account] = true
		case iampolicy.Role, iampolicy.User:
			n.arns[entry] = true
		case iampolicy.Session:
			n.sessions[entry] = true
		}
	}
	for _, s := range p.Service {
		n.services[s] = true
	}
}

// callerKind is what sort of caller an entry of Principal names; none where it
// is a unique id, everybody, or nothing that makes requests as the evaluator
// knows them.
func callerKind(entry string) (kind iampolicy.PrincipalKind, account string) {
	if iampolicy.IsAccountID(entry) {
		return iampolicy.Root, entry
	}
	a := iampolicy.CutARN(entry)
	last := a.Resource[strings.LastIndexByte(a.Resource, '/')+1:]
	switch {
	case !iampolicy.IsAccountID(a.Account) || last == "" || hasWildcard(entry):
		return "", ""
	case a.Service == "iam" && a.Resource == "root":
		return iampolicy.Root, a.Account
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "role/"):
		return iampolicy.Role, a.Account
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "user/"):
		return iampolicy.User, a.Account
	case a.Service == "sts" && strings.HasPrefix(a.Resource, "assumed-role/") && strings.Count(a.Resource, "/") == 2:
		return iampolicy.Session, a.Account
	}
	return "", ""
}

// alikeInAccounts are the patterns for callers' ARNs that tell no accounts apart
// but one that they name whole.
var alikeInAccounts = regexp.MustCompile(`^arn:[a-z*-]+:iam::([0-9]{12}|\*):.`)

// condition notes what a condition on who calls tells apart.
func (n *callerNames) condition(r *rule, c iampolicy.Condition) error {
	key := strings.ToLower(c.Key)
	if !slices.Contains([]string{"aws:principalarn", "aws:principalaccount", "aws:username", "aws:principalservicename"}, key) {
		return nil
	}
	for _, value := range c.Values {
		pattern, isText := valueTokens(c.Operator, value, r.variables)
		if !isText {
			continue
		}
		text := textOf(pattern)
		isPattern := slices.ContainsFunc(pattern, func(t token) bool { return t.one || t.many })
		switch {
		case r.variables && strings.Contains(text, "${"):
			return fmt.Errorf("%w: the policy variable in %s", errTooRich, value)
		case text == "*":
			n.patterns[text] = pattern // everybody who has the key
		case key == "aws:username":
			for i := range pattern {
				pattern[i].end = true // names have no slashes
			}
			n.patterns["user "+text] = pattern
		case isPattern && (key != "aws:principalarn" || !alikeInAccounts.MatchString(text)):
			return fmt.Errorf("%w: the pattern %s for %s", errTooRich, value, c.Key)
		case key == "aws:principalservicename":
			n.services[text] = true
		case key == "aws:principalaccount":
			if iampolicy.IsAccountID(text) {
				n.accounts[text] = true
			}
		default:
			n.patterns[text] = pattern
			if account := iampolicy.CutARN(text).Account; iampolicy.IsAccountID(account) {
				n.accounts[account] = true
			}
		}
	}
	return nil
}
