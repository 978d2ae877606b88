package iampolicy

import (
	"slices"
	"strconv"
	"strings"
)

// Public reports whether S3 would call a bucket policy public, and which
// statement makes it so (S3:access-control-block-public-access#access-control-block-public-access-policy-status):
// it is, unless every Allow is limited to fixed principals, or by a condition
// to fixed values of certain keys. What cannot be told counts as public. A Deny
// makes no policy less public.
func Public(d *Document) (bool, Reason) {
	if d != nil {
		for i := range d.Statements {
			s := &d.Statements[i]
			if s.Effect == Deny || s.fixedPrincipals() || slices.ContainsFunc(s.Condition, fixedCondition) {
				continue
			}
			return true, Reason{
				Side: SideBlockPublicAccess, Effect: s.Effect, Sid: s.Sid, Statement: i,
				Text: s.label(i) + " makes the policy public: it is limited neither to named principals nor to fixed values of a condition key that S3 accepts",
			}
		}
	}
	return false, Reason{Side: SideBlockPublicAccess, Statement: -1, Text: "the policy is not public"}
}

// fixedPrincipals reports whether a statement names AWS or service principals
// only, in full.
func (s *Statement) fixedPrincipals() bool {
	p := s.Principal
	if p == nil || p.Any || len(p.Federated) > 0 || len(s.Unknown) > 0 {
		return false
	}
	names := slices.Concat(p.AWS, p.Service, p.CanonicalUser)
	return len(names) > 0 && !slices.ContainsFunc(names, notFixed)
}

func notFixed(s string) bool {
	return s == "" || HasWildcard(s) || strings.Contains(s, "${")
}

// fixing are the keys that can make a policy non-public.
var fixing = map[string]bool{
	"aws:principalorgid": true, "aws:principalarn": true, "aws:principalaccount": true,
	"aws:sourceip": true, "aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true,
	"aws:sourceowner": true, "aws:sourceaccount": true, "aws:userid": true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": true,
	"s3:dataaccesspointarn":                          true, "s3:dataaccesspointaccount": true,
}

// fixedCondition reports whether a condition limits a statement to fixed
// values. IfExists and ForAllValues do not: they hold when the key is absent.
func fixedCondition(c Condition) bool {
	op, ok := lookupOperator(c.Operator)
	key := strings.ToLower(c.Key)
	if !ok || op.not || op.ifExists || op.quantifier == forAll || !fixing[key] || len(c.Values) == 0 {
		return false
	}
	switch {
	case key == "aws:sourceip":
		return op.comparison == ipAddress && !slices.ContainsFunc(c.Values, broad)
	case !slices.Contains([]comparison{stringEquals, stringEqualsIgnoreCase, stringLike, arnLike}, op.comparison):
		return false
	case key == "s3:dataaccesspointarn":
		return !slices.ContainsFunc(c.Values, openAccessPoint)
	}
	return !slices.ContainsFunc(c.Values, notFixed)
}

// broad tells networks that S3 takes for the whole internet: wider than /8, or
// /32 with IPv6. No private range of RFC 1918 is that wide.
func broad(cidr string) bool {
	p, ok := ParseNetwork(cidr)
	if !ok {
		return true
	}
	if p.Addr().Is4() {
		return p.Bits() < 8
	}
	return p.Bits() < 32
}

// openAccessPoint tells access point ARNs that are not of one account; a
// wildcard in the access point's name does not matter.
func openAccessPoint(s string) bool {
	a, ok := parseARN(s)
	return !ok || !IsAccountID(a.Account) || notFixed(a.Partition) || notFixed(a.Service) || notFixed(a.Region) ||
		!strings.HasPrefix(a.Resource, "accesspoint/") || strings.Contains(s, "${")
}

// label is how reasons call a statement.
func (s *Statement) label(index int) string {
	if s.Sid != "" {
		return `statement "` + s.Sid + `"`
	}
	return "statement number " + strconv.Itoa(index+1)
}
