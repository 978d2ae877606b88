package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xshare/xshare/internal/iampolicy"
)

// policies reads all policies of a case. A kind of policy of which there is
// none, or an empty list, limits nothing and allows nothing.
func (r *caseReader) policies(c testCase, req *iampolicy.Request) (p iampolicy.Policies, err error) {
	for _, list := range []struct {
		name string
		kind policyKind
		into *[]iampolicy.Named
	}{
		{"identityPolicies", policyKind{label: "the identity policy", refused: iamText}, &p.Identity},
		{"boundary", policyKind{label: "the permissions boundary", refused: iamText}, &p.Boundary},
		{"sessionPolicy", policyKind{label: "the session policy", refused: iamText}, &p.Session},
		{"endpointPolicies", policyKind{label: "the VPC endpoint policy"}, &p.Endpoint},
	} {
		if f, ok := c.fields[list.name]; ok {
			if *list.into, err = r.policyList(f, list.kind); err != nil {
				return p, err
			}
		}
	}
	if f, ok := c.fields["resourcePolicy"]; ok {
		named, err := r.policy(f, policyKind{label: "the resource policy", resource: true})
		if err != nil {
			return p, err
		}
		if err := resourceRules(req, named.Document); err != nil {
			return p, r.errorf(f.at, "%s: %w", f.name, err)
		}
		p.Resource = &named
	}
	if p.SCPs, err = r.levels(c, "scps", policyKind{label: "the service control policy"}); err != nil {
		return p, err
	}
	if p.RCPs, err = r.levels(c, "rcps", policyKind{label: "the resource control policy", refused: rcpRules}); err != nil {
		return p, err
	}
	p.RestrictPublicBuckets, err = r.bool(c, "s3BlockPublicAccess")
	return p, err
}

// policyKind is what sort of policy is read: what reasons call it, and what
// AWS refuses in one of it beyond the grammar; nil: nothing.
type policyKind struct {
	label    string
	resource bool // it is a resource's, and says in each statement whom it is about
	refused  func(*iampolicy.Document) error
}

// policyList reads a list of policies, or one. It is nil if it is empty.
func (r *caseReader) policyList(f field, kind policyKind) ([]iampolicy.Named, error) {
	if f.kind() != aList {
		p, err := r.policy(f, kind)
		return []iampolicy.Named{p}, err
	}
	if list, ok := r.lists[f.at]; ok {
		return list, nil
	}
	items := f.items()
	var list []iampolicy.Named
	for i, item := range items {
		item.name = fmt.Sprintf("%s[%d]", f.name, i)
		one := kind
		if len(items) > 1 {
			one.label = fmt.Sprintf("%s number %d", kind.label, i+1)
		}
		p, err := r.policy(item, one)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	r.lists[f.at] = list
	return list, nil
}

// levels reads the lists of an organization's policies, the root's first. A
// level without policies is one all the same: nothing in it allows.
func (r *caseReader) levels(c testCase, name string, kind policyKind) ([][]iampolicy.Named, error) {
	f, ok := c.fields[name]
	if !ok {
		return nil, nil
	}
	if f.kind() != aList {
		return nil, r.errorf(f.at, "%s must be a list of lists of policies, one a level, the root's first, not %s", name, f.kind())
	}
	if levels, ok := r.allLevels[f.at]; ok {
		return levels, nil
	}
	var levels [][]iampolicy.Named
	for i, item := range f.items() {
		item.name = fmt.Sprintf("%s[%d]", name, i)
		if item.kind() != aList {
			return nil, r.errorf(item.at, "%s must be the list of one level's policies, not %s: write [[…], […]], the root's first", item.name, item.kind())
		}
		level, err := r.policyList(item, policyKind{label: fmt.Sprintf("%s of level %d", kind.label, i+1), refused: kind.refused})
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	r.allLevels[f.at] = levels
	return levels, nil
}

// mostFaults is how many faults of a policy one sentence holds.
const mostFaults = 3

// badPolicy says what is wrong with a policy, and where: in the line, or in
// the text of its own that a string holds.
func (r *caseReader) badPolicy(f, document field, err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	at := document.at
	var texts []string
	for i, one := range list {
		if i == mostFaults {
			texts = append(texts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		text := one.Error()
		var p *iampolicy.ParseError
		switch {
		case !errors.As(one, &p):
		case document.kind() == aString:
			text = fmt.Sprintf("at %d:%d of its text: %s", p.Line, p.Column, p.Text())
		case i == 0:
			at += bytesOf(document.text, p.Column-1) // a line of JSON has no line breaks
			text = p.Text()
		default:
			text = fmt.Sprintf("at column %d: %s", r.column(document.at)+p.Column-1, p.Text())
		}
		texts = append(texts, text)
	}
	return r.errorf(at, "%s: %s", f.name, strings.Join(texts, "; "))
}

// bytesOf is how many bytes the first characters of a text take.
func bytesOf(text []byte, characters int) int {
	n := 0
	for ; characters > 0 && n < len(text); characters-- {
		_, size := utf8.DecodeRune(text[n:])
		n += size
	}
	return n
}

// policy reads a policy, or {name, policy}; the policy is an object or a
// string that holds one.
func (r *caseReader) policy(f field, kind policyKind) (iampolicy.Named, error) {
	if p, ok := r.parsed[f.at]; ok {
		return p, nil
	}
	p := iampolicy.Named{Name: kind.label}
	document := f
	if f.kind() == anObject {
		list, err := r.members(f)
		if err != nil {
			return p, err
		}
		if slices.ContainsFunc(list, func(m field) bool { return m.name == "name" || m.name == "policy" }) {
			if document, p.Name, err = r.named(f, list, kind.label); err != nil {
				return p, err
			}
		}
	}
	text := document.text
	switch document.kind() {
	case anObject:
	case aString:
		s, err := r.string(document)
		if err != nil {
			return p, err
		}
		text = []byte(s)
	default:
		return p, r.errorf(document.at, "%s must be a policy, as an object or a string, not %s", f.name, document.kind())
	}
	parse := iampolicy.Parse
	if kind.resource {
		parse = iampolicy.ParseResource
	}
	var err error
	if p.Document, err = parse(text); err != nil {
		return p, r.badPolicy(f, document, err)
	}
	if kind.refused != nil {
		if err := kind.refused(p.Document); err != nil {
			return p, r.errorf(document.at, "%s: %w", f.name, err)
		}
	}
	r.parsed[f.at] = p
	return p, nil
}

// named takes {name, policy} apart.
func (r *caseReader) named(f field, list []field, kind string) (document field, name string, err error) {
	name = kind
	for _, m := range list {
		switch m.name {
		case "policy":
			document = m
		case "name":
			m.name = f.name + ".name"
			s, err := r.string(m)
			if err != nil {
				return f, "", err
			}
			if s != "" {
				kind, _, _ = strings.Cut(kind, " number ")
				name = kind + ` "` + s + `"`
			}
		default:
			return f, "", r.errorf(m.nameAt, `%s has no field %q: it is a policy, or an object of "name" and "policy"`, f.name, m.name)
		}
	}
	if document.text == nil {
		return f, "", r.errorf(f.at, `%s has a "name", but the field "policy" is missing`, f.name)
	}
	return document, name, nil
}
