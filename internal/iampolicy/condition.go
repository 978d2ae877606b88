package iampolicy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"strings"
	"time"
)

// conditionsHold reports whether all conditions of a statement hold: they are
// joined by AND, the values of one by OR
// (IAM:reference_policies_elements_condition).
func (e *evaluation) conditionsHold(s *Statement, variables bool) bool {
	for i := range s.Condition {
		if !e.condition(&s.Condition[i], s.Effect, variables).holds(s.Effect) {
			return false
		}
	}
	return true
}

// condition evaluates one operator with one key
// (IAM:reference_policies_elements_condition_operators).
func (e *evaluation) condition(c *Condition, effect Effect, variables bool) verdict {
	op, ok := lookupOperator(c.Operator)
	if !ok || len(c.Values) == 0 {
		return unknown
	}
	values := e.lookup(c.Key)
	present := len(values) > 0
	switch {
	case op.base == "null":
		return nullHolds(c.Values, present)
	case !present && op.ifExists:
		return yes
	case !present && op.quantifier != one:
		return verdictOf(op.quantifier == forAll)
	case !present:
		return verdictOf(op.not)
	case op.quantifier == forAll && len(values) == 1 && values[0] == "":
		return yes // an empty string is an empty set
	}
	// Without a set operator several values are not foreseen: then all must
	// match to allow, and one is enough to deny.
	every := op.quantifier == forAll || op.quantifier == one && effect != Deny
	result := verdictOf(every)
	for _, v := range values {
		switch r := e.matchesAny(op, c.Values, v, variables); {
		case r == unknown:
			return unknown
		case every && r == no, !every && r == yes:
			result = r
		}
	}
	return result
}

// nullHolds is the Null operator: "true" asks that the key be absent.
func nullHolds(want []string, present bool) verdict {
	result := no
	for _, w := range want {
		switch asksAbsent, ok := parseBool(w); {
		case !ok:
			return unknown
		case asksAbsent != present:
			result = yes
		}
	}
	return result
}

// matchesAny compares one value of the request with all of the policy: it must
// match one, or, with a negated operator, none.
func (e *evaluation) matchesAny(op operator, want []string, have string, variables bool) verdict {
	result := verdictOf(op.not)
	for _, w := range want {
		switch e.compare(op.base, w, have, variables) {
		case unknown:
			return unknown
		case yes:
			result = verdictOf(!op.not)
		}
	}
	return result
}

func (e *evaluation) compare(op, want, have string, variables bool) verdict {
	switch {
	case strings.HasPrefix(op, "string"):
		p, v := e.expand(want, variables)
		if v != yes {
			return v
		}
		switch op {
		case "stringequals":
			return verdictOf(p.text == have)
		case "stringequalsignorecase":
			return verdictOf(strings.EqualFold(p.text, have))
		}
		return verdictOf(p.matches(have))
	case strings.HasPrefix(op, "arn"): // ArnEquals and ArnLike are the same
		p, v := e.expand(want, variables)
		if v != yes {
			return v
		}
		return p.compareARN(have)
	case strings.HasPrefix(op, "numeric"):
		w, ok1 := parseNumber(want)
		h, ok2 := parseNumber(have)
		if !ok1 || !ok2 {
			return unknown
		}
		return ordered(strings.TrimPrefix(op, "numeric"), h.Cmp(w))
	case strings.HasPrefix(op, "date"):
		w, ok1 := parseDate(want)
		h, ok2 := parseDate(have)
		if !ok1 || !ok2 {
			return unknown
		}
		return ordered(strings.TrimPrefix(op, "date"), h.Compare(w))
	case op == "bool":
		w, ok1 := parseBool(want)
		h, ok2 := parseBool(have)
		if !ok1 || !ok2 {
			return unknown
		}
		return verdictOf(w == h)
	case op == "binaryequals":
		w, err1 := base64.StdEncoding.DecodeString(want)
		h, err2 := base64.StdEncoding.DecodeString(have)
		if err1 != nil || err2 != nil {
			return unknown
		}
		return verdictOf(string(w) == string(h))
	}
	network, ok := parseNetwork(want) // IpAddress: the one that is left
	ip, err := netip.ParseAddr(have)
	if !ok || err != nil {
		return unknown
	}
	return verdictOf(network.Contains(ip.Unmap().WithZone("")))
}

// ordered reads the result of have compared with want.
func ordered(relation string, cmp int) verdict {
	switch relation {
	case "equals":
		return verdictOf(cmp == 0)
	case "lessthan":
		return verdictOf(cmp < 0)
	case "lessthanequals":
		return verdictOf(cmp <= 0)
	case "greaterthan":
		return verdictOf(cmp > 0)
	default: // greaterthanequals
		return verdictOf(cmp >= 0)
	}
}

func parseBool(s string) (value, ok bool) {
	isTrue := strings.EqualFold(s, "true")
	return isTrue, isTrue || strings.EqualFold(s, "false")
}

// parseNumber reads a decimal number exactly; big.Rat alone would also read
// fractions and exponents of any size.
func parseNumber(s string) (*big.Rat, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s) > 64 || len(s)-len(digits) > 1 || strings.Trim(digits, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// dateLayouts are the forms of W3C's date and time note that IAM takes.
var dateLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01",
	"2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
}

// parseDate reads a date, or seconds since 1970. Four digits could be either.
func parseDate(s string) (time.Time, bool) {
	if strings.Trim(s, "0123456789") == "" {
		n, ok := parseNumber(s)
		if !ok || len(s) <= 4 || len(s) > 18 {
			return time.Time{}, false
		}
		return time.Unix(n.Num().Int64(), 0), true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseNetwork reads a CIDR or a single address.
func parseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), !p.Addr().Is4In6()
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}, false
	}
	ip = ip.Unmap()
	return netip.PrefixFrom(ip, ip.BitLen()), true
}
