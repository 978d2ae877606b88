package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Who comes in by a statement. Its principals say so, and the conditions that
// hold a key to values. A value is looked at as a shape, in which all that is
// not fixed is the same: it narrows as far as the rest of it goes.

// anything stands in a shape for what is not fixed: the wildcards of a pattern,
// and the policy variables whose value is the caller's own.
const anything = "\x00"

// keyed is a condition that asks a key to have one of some values.
type keyed struct {
	key    string   // in lower case; of an identity provider's without a slash before the colon
	values []string // as written
	shapes []string // of the values
	parts  bool     // compared as ARNs, in which no wildcard crosses a colon
}

// keyedConditions are the conditions of a statement that hold a key to values. Others
// narrow nothing: negated ones, …IfExists and ForAllValues hold where the key
// is absent, and no value is a condition's without one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (l *linter) keyedConditions() []keyed {
	var list []keyed
	for _, c := range l.s.Condition {
		h := keyed{key: strings.ReplaceAll(strings.ToLower(c.Key), "/:", ":"), values: c.Values}
		pattern := false
		switch strings.TrimPrefix(strings.ToLower(c.Operator), "foranyvalue:") {
		case "stringequals", "stringequalsignorecase", "numericequals":
		case "stringlike":
			pattern = true
		case "arnequals", "arnlike":
			pattern, h.parts = true, true
		default:
			continue
		}
		for _, v := range c.Values {
			h.shapes = append(h.shapes, l.shape(v, pattern))
		}
		if len(h.shapes) > 0 {
			list = append(list, h)
		}
	}
	return list
}

// shape replaces what of a condition's value is not fixed.
func (l *linter) shape(value string, pattern bool) string {
	var out strings.Builder
	for value != "" {
		name, rest, closed := "", "", false
		if l.document.Version == iampolicy.Version2012 && strings.HasPrefix(value, "${") {
			name, rest, closed = strings.Cut(value[2:], "}")
		}
		switch {
		case closed:
			out.WriteString(l.variable(name))
			value = rest
			continue
		case pattern && (value[0] == '*' || value[0] == '?'):
			out.WriteString(anything)
		default:
			out.WriteByte(value[0])
		}
		value = value[1:]
	}
	return out.String()
}

// variable is the shape of a policy variable. What is said of the resource is
// its owner's to fix; all else is the caller's, or not known.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (l *linter) variable(name string) string {
	if name == "*" || name == "?" || name == "$" {
		return name
	}
	key, _, _ := strings.Cut(strings.ToLower(name), ",")
	switch key = strings.TrimSpace(key); {
	case key == "aws:resourceaccount" && l.about.Account != "":
		return l.about.Account
	case strings.HasPrefix(key, "aws:resource"):
		return "${" + key + "}"
	}
	return anything
}

// fixed tells shapes that stand for one value.
func fixed(shape string) bool { return shape != "" && !strings.Contains(shape, anything) }

// enough tells shapes that are fixed, or have something to go by: two letters
// or digits at least.
func enough(shape string) bool {
	known := 0
	for _, c := range []byte(strings.ToLower(shape)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			known++
		}
	}
	return fixed(shape) || known >= 2
}

// holds reports whether a condition holds the key, in lower case, to values
// that are all narrow. A key that ends in a slash stands for all that begin so.
func (l *linter) holds(key string, narrow func(shape string) bool) bool {
	return slices.ContainsFunc(l.keyed, func(h keyed) bool {
		if h.key != key && (!strings.HasSuffix(key, "/") || !strings.HasPrefix(h.key, key)) {
			return false
		}
		return !slices.ContainsFunc(h.shapes, func(s string) bool { return !narrow(s) })
	})
}

// caller is whom of AWS's accounts a statement lets in.
type caller struct {
	name    string // as it is written
	element string // where: Principal or Condition
	account string // 12 digits, where they are right
	whole   bool   // everybody of the account
}

// callers are those of AWS's accounts that an Allow lets in, as far as their
// accounts are known. anybody: nothing says who they are.
func (l *linter) callers() (list []caller, anybody bool) {
	p := l.s.Principal
	for _, name := range p.AWS {
		if id, whole := accountOf(name); id != "" {
			list = append(list, caller{name, "Principal", id, whole})
		}
	}
	if !p.Any {
		return list, false
	}
	anybody = true
	var named []caller // nil: of no account in particular
	for _, h := range l.keyed {
		found, ok := h.callers()
		switch {
		case !ok:
			continue
		case named == nil:
			named = found
		case found != nil:
			named = both(named, found)
		}
		anybody = false
	}
	return append(list, named...), anybody
}

// callers are those that a condition lets in; ok is false if it does not say
// who they are. Those of an organization, or known by an id only, are of no
// account in particular.
func (h keyed) callers() (list []caller, ok bool) {
	for i, s := range h.shapes {
		c := caller{name: h.values[i], element: "Condition"}
		switch h.key {
		case "aws:principalorgid":
			ok = fixed(s)
		case "aws:principalorgpaths":
			organization, _, _ := strings.Cut(s, "/")
			ok = fixed(organization)
		case "aws:userid": // of a session it is its role's id, a colon and its name
			id, _, _ := strings.Cut(s, ":")
			ok = fixed(id)
		case "aws:principalaccount":
			ok, c.account, c.whole = fixed(s), s, true
		case "aws:principalarn":
			c.account = h.accountIn(s)
			ok, c.whole = c.account != "", !enough(nameIn(s))
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
		if c.account != "" {
			list = append(list, c)
		}
	}
	return list, ok
}

// accountIn is the account of the principals that a shape of an ARN stands for,
// if it is one.
func (h keyed) accountIn(shape string) string {
	if !h.parts {
		shape, _, _ = strings.Cut(shape, anything) // what comes after may be anywhere: roles' paths have colons
	}
	if fields := strings.SplitN(shape, ":", 6); len(fields) == 6 && iampolicy.IsAccountID(fields[4]) {
		return fields[4]
	}
	return ""
}

// nameIn is the path and name in a principal's ARN.
func nameIn(arn string) string {
	_, name, _ := strings.Cut(arn, "/")
	return name
}

// both are the callers that are in a and in b.
func both(a, b []caller) []caller {
	common := []caller{}
	for _, x := range a {
		for _, y := range b {
			switch {
			case x.account != y.account:
			case x.whole:
				common = append(common, y)
			default:
				common = append(common, x)
			}
		}
	}
	return common
}

// narrowed reports whether the conditions say who of an account comes in.
func (l *linter) narrowed() bool {
	return l.holds("aws:principalarn", func(s string) bool { return enough(nameIn(s)) }) ||
		l.holds("aws:userid", func(s string) bool { return enough(strings.TrimPrefix(strings.TrimPrefix(s, "AROA"), "AIDA")) }) ||
		l.holds("aws:username", enough) || l.holds("aws:principaltag/", enough)
}

// account looks at the account that a caller is of, or is.
func (l *linter) account(c caller) {
	if c.account == l.about.Account && l.kind != TrustPolicy {
		return // that opens nothing
	}
	listed := l.about.Accounts == nil || l.about.Accounts[c.account] != nil || c.account == l.about.Account
	if !listed {
		mend := "add it to xshare.yaml (with manage: false if it is a partner's), or correct it"
		for _, other := range sortedKeys(l.about.Accounts) {
			if iampolicy.Mistyped(c.account, other) {
				mend = "did you mean " + other + ", " + l.about.Accounts[other].Alias + "? " + strings.ToUpper(mend[:1]) + mend[1:]
				break
			}
		}
		l.add(UnlistedAccount, c.element, fmt.Sprintf("lets in %s, of account %s, which the repository does not have", c.name, c.account), mend)
	}
	whole := c.whole && !l.narrowed()
	switch {
	case l.kind == TrustPolicy && !l.does(assumeRole): // tags alone let nobody in
	case l.kind == TrustPolicy && c.account != l.about.Account:
		foreign := !listed || l.about.Accounts != nil && !l.about.Accounts[c.account].Manage
		if (whole || foreign) && !l.holds("sts:externalid", enough) {
			l.add(NoExternalID, c.element, fmt.Sprintf("lets in %s without asking for an external id, so account %s can be made to use the role for a stranger", c.name, c.account),
				"name the one role that is to come in, or add a condition StringEquals on sts:ExternalId")
		}
	case whole:
		l.add(AccountPrincipal, c.element, fmt.Sprintf("lets in account %s as a whole: who of it comes in is for its administrators to say", c.account),
			"name the role's ARN, or add a condition on aws:PrincipalArn")
	}
}

// accountOf is the account of an AWS principal; whole says that it is the
// account itself. It is empty for others, such as unique ids.
func accountOf(principal string) (id string, whole bool) {
	if iampolicy.IsAccountID(principal) {
		return principal, true
	}
	if a := iampolicy.CutARN(principal); len(a.Account) == 12 {
		return a.Account, a.Resource == "root"
	}
	return "", false
}
