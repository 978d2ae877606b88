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
	if !ok || len(c.Values) == 0 || c.Key == "" {
		return unknown
	}
	values := e.lookup(c.Key)
	present := len(values) > 0
	empty := len(values) == 1 && values[0] == "" // a "null data set", says the page on sets
	switch {
	case op.comparison == isNull:
		return nullHolds(c.Values, present)
	case !present && op.ifExists && op.quantifier == forAny:
		// The page on IfExists says yes, without a word on sets; seen is no:
		// https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w
		return unknown
	case !present && op.ifExists:
		return yes
	case !present && op.quantifier != one:
		return verdictOf(op.quantifier == forAll)
	case !present:
		return verdictOf(op.not)
	case op.quantifier == forAll && empty:
		return yes
	case op.quantifier == forAny && empty:
		return unknown
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
		switch e.compare(op.comparison, w, have, variables) {
		case unknown:
			return unknown
		case yes:
			result = verdictOf(!op.not)
		}
	}
	return result
}

func (e *evaluation) compare(op comparison, want, have string, variables bool) verdict {
	switch op {
	case stringEquals, stringEqualsIgnoreCase, stringLike, arnLike:
		p, v := e.expand(want, variables)
		if v != yes {
			return v
		}
		switch op {
		case stringEquals:
			return verdictOf(p.text == have)
		case stringEqualsIgnoreCase:
			return verdictOf(strings.EqualFold(p.text, have))
		case stringLike:
			if p.wildValue {
				return unknown
			}
			return verdictOf(p.matches(have))
		}
		return p.compareARN(have)
	case boolEquals:
		w, ok1 := parseBool(want)
		h, ok2 := parseBool(have)
		if !ok1 || !ok2 {
			return unknown
		}
		return verdictOf(w == h)
	case binaryEquals:
		w, err1 := base64.StdEncoding.DecodeString(want)
		h, err2 := base64.StdEncoding.DecodeString(have)
		if err1 != nil || err2 != nil {
			return unknown
		}
		return verdictOf(string(w) == string(h))
	case ipAddress:
		return compareIP(want, have)
	case dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals:
		w, ok1 := ParseDate(want)
		h, ok2 := ParseDate(have)
		if !ok1 || !ok2 {
			return unknown
		}
		return ordered(op-dateEquals, h.Compare(w))
	}
	w, ok1 := parseNumber(want) // Numeric: what is left
	h, ok2 := parseNumber(have)
	if !ok1 || !ok2 {
		return unknown
	}
	return ordered(op-numericEquals, h.Cmp(w))
}

// ordered reads the result of have compared with want. The relation is the
// place of a Numeric or Date operator among its kind.
func ordered(relation comparison, cmp int) verdict {
	switch relation {
	case 0:
		return verdictOf(cmp == 0)
	case numericLess - numericEquals:
		return verdictOf(cmp < 0)
	case numericLessEquals - numericEquals:
		return verdictOf(cmp <= 0)
	case numericGreater - numericEquals:
		return verdictOf(cmp > 0)
	}
	return verdictOf(cmp >= 0)
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

// ParseDate reads a date, or seconds since 1970. Four digits could be either.
func ParseDate(s string) (time.Time, bool) {
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

// compareIP compares an address with a network or with a single address. Of an
// IPv4 address in an IPv6 one, and of one with a zone, AWS says nothing; and it
// gives a single address the prefix /32, whatever its version: what that means
// for IPv6 is not known
// (IAM:reference_policies_elements_condition_operators#Conditions_IPAddress).
func compareIP(want, have string) verdict {
	network, ok := ParseNetwork(want)
	ip, err := netip.ParseAddr(have)
	switch {
	case !ok, err != nil, ip.Is4In6(), ip.Zone() != "":
		return unknown
	case network.Contains(ip):
		return yes
	case network.Bits() == 128 && netip.PrefixFrom(network.Addr(), 32).Contains(ip) && !strings.Contains(want, "/"):
		return unknown
	}
	return no
}

// BadAddress reports whether a request's value of a condition key, whatever its
// case, is no IP address, and those of the key are
// (IAM:reference_policies_condition-keys).
func BadAddress(key, value string) bool {
	switch strings.ToLower(key) {
	case "aws:sourceip", "aws:vpcsourceip":
		_, err := netip.ParseAddr(value)
		return err != nil
	}
	return false
}

// ParseNetwork reads a CIDR or a single address.
func ParseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), !p.Addr().Is4In6()
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" || ip.Is4In6() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}
