package iampolicy

import (
	"maps"
	"slices"
	"strings"
)

// Meaning is the statement's normal form without Sid and principals, as
// canonical text: equal for statements that mean the same (scalar or list,
// order, case of actions, of operators and of condition keys). A NotPrincipal
// is part of it: statements that differ in it cannot be merged.
//
// Marks are made from this text (see Mark), so its form must never change.
func (s Statement) Meaning() string {
	n := Statement{
		Effect:      s.Effect,
		Action:      lower(s.Action),
		NotAction:   lower(s.NotAction),
		Resource:    s.Resource,
		NotResource: s.NotResource,
	}
	for _, c := range s.Condition {
		values := c.Values
		op := strings.ToLower(c.Operator)
		if strings.Contains(op, "bool") || op == "null" {
			values = lower(values)
		}
		n.Condition = append(n.Condition, Condition{Operator: op, Key: strings.ToLower(c.Key), Values: values})
	}
	if s.NotPrincipal != nil {
		n.NotPrincipal = s.NotPrincipal.normal(s.partition())
	}
	out := string(writeStatement(n)) // not in canonical case: the table of actions grows
	for _, e := range s.Unknown {
		out += "\n" + e.Name + "=" + e.Text
	}
	return out
}

func lower(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(v)
	}
	return out
}

// partition is that of the statement's resources, "aws" where none tells.
func (s Statement) partition() string {
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if p := strings.SplitN(r, ":", 3); len(p) == 3 && p[0] == "arn" && !strings.ContainsAny(p[1], "*?$") {
			return p[1]
		}
	}
	return "aws"
}

// normal is p with account ids as root ARNs.
func (p *Principals) normal(partition string) *Principals {
	out := *p
	out.AWS = make([]string, len(p.AWS))
	for i, a := range p.AWS {
		out.AWS[i] = a
		if IsAccountID(a) {
			out.AWS[i] = rootARN(partition, a)
		}
	}
	return &out
}

func rootARN(partition, account string) string {
	return "arn:" + partition + ":iam::" + account + ":root"
}

// Pair is one principal of one meaning: the unit in which grants are compared.
type Pair struct {
	Meaning string
	// Principal is an ARN (account ids as root ARNs), a unique id as it is, "*"
	// for everybody, or "Service:", "Federated:" or "CanonicalUser:" and a name.
	// It is empty for a statement without a Principal element.
	Principal string
	Statement Statement // without Sid, Principal and Raw
}

// Pairs takes the statements of d with a Sid that ours accepts apart into
// pairs, in the order of the text, each pair once. A nil d has none.
func Pairs(d *Document, ours func(sid string) bool) []Pair {
	if d == nil {
		return nil
	}
	var out []Pair
	seen := map[[2]string]bool{}
	for _, s := range d.Statements {
		if !ours(s.Sid) {
			continue
		}
		bare := s
		bare.Sid, bare.Principal, bare.Raw = "", nil, nil
		meaning := s.Meaning()
		for _, name := range s.principalNames() {
			if k := [2]string{meaning, name}; !seen[k] {
				seen[k] = true
				out = append(out, Pair{Meaning: meaning, Principal: name, Statement: bare})
			}
		}
	}
	return out
}

const (
	servicePrefix   = "Service:"
	federatedPrefix = "Federated:"
	canonicalPrefix = "CanonicalUser:"
)

func (s Statement) principalNames() []string {
	if s.Principal == nil {
		return []string{""}
	}
	p := s.Principal.normal(s.partition())
	out := p.AWS
	if p.Any {
		out = append([]string{"*"}, out...)
	}
	for _, v := range p.Service {
		out = append(out, servicePrefix+v)
	}
	for _, v := range p.Federated {
		out = append(out, federatedPrefix+v)
	}
	for _, v := range p.CanonicalUser {
		out = append(out, canonicalPrefix+v)
	}
	if len(out) == 0 {
		return []string{""} // none that is understood: see Statement.Unknown
	}
	return out
}

// Join is the inverse of Pairs: one statement a meaning, with all its
// principals sorted, and the Sid that sid gives it. The statements are ordered
// by Sid, then meaning, whatever the order of pairs.
func Join(pairs []Pair, sid func(s Statement) string) []Statement {
	byMeaning := map[string]*Statement{}
	for _, p := range pairs {
		s, ok := byMeaning[p.Meaning]
		if !ok {
			bare := p.Statement
			bare.Sid = sid(bare)
			s = &bare
			byMeaning[p.Meaning] = s
		}
		if p.Principal == "" {
			continue
		}
		if s.Principal == nil {
			s.Principal = &Principals{}
		}
		s.Principal.add(p.Principal)
	}
	out := make([]Statement, 0, len(byMeaning))
	for _, meaning := range slices.Sorted(maps.Keys(byMeaning)) {
		s := byMeaning[meaning]
		if p := s.Principal; p != nil {
			p.AWS, p.Service = sortedSet(p.AWS), sortedSet(p.Service)
			p.Federated, p.CanonicalUser = sortedSet(p.Federated), sortedSet(p.CanonicalUser)
		}
		out = append(out, *s)
	}
	slices.SortStableFunc(out, func(a, b Statement) int { return strings.Compare(a.Sid, b.Sid) })
	return out
}

func (p *Principals) add(name string) {
	if name == "*" {
		p.Any = true
	} else if v, ok := strings.CutPrefix(name, servicePrefix); ok {
		p.Service = append(p.Service, v)
	} else if v, ok := strings.CutPrefix(name, federatedPrefix); ok {
		p.Federated = append(p.Federated, v)
	} else if v, ok := strings.CutPrefix(name, canonicalPrefix); ok {
		p.CanonicalUser = append(p.CanonicalUser, v)
	} else {
		p.AWS = append(p.AWS, name)
	}
}

// Equal reports whether two documents mean the same: see Meaning; principals
// are compared in normal form ("222222222222" is that account's root ARN,
// {"AWS":"*"} is "*"), and statements that differ only in their principals
// count as one statement with all of them, in any order. Sids and Id do not
// count, and Version only where a policy variable makes it matter. A nil
// document equals one without statements.
func Equal(a, b *Document) bool {
	all := func(string) bool { return true }
	pa, pb := keys(Pairs(a, all)), keys(Pairs(b, all))
	return maps.Equal(pa, pb) && (knowsVariables(a) == knowsVariables(b) || !hasVariables(a))
}

func keys(pairs []Pair) map[[2]string]bool {
	out := make(map[[2]string]bool, len(pairs))
	for _, p := range pairs {
		out[[2]string{p.Meaning, p.Principal}] = true
	}
	return out
}

func knowsVariables(d *Document) bool { return d != nil && d.Version == Version2012 }

func hasVariables(d *Document) bool {
	return d != nil && strings.Contains(string(Marshal(&Document{Statements: d.Statements})), "${")
}
