package iampolicy

import "strings"

// quantifier is the set operator before a condition operator
// (IAM:reference_policies_condition-single-vs-multi-valued-context-keys).
type quantifier string

const (
	one    quantifier = ""
	forAll quantifier = "forallvalues:"
	forAny quantifier = "foranyvalue:"
)

// operator is a condition operator taken apart.
type operator struct {
	quantifier quantifier
	not        bool   // negated: then an absent key matches
	base       string // in lower case, without negation: "stringlike"
	ifExists   bool
}

// operators are the condition operators of IAM, in lower case, with their
// negated form where there is one
// (IAM:reference_policies_elements_condition_operators).
var operators = map[string]string{
	"stringequals":             "stringnotequals",
	"stringequalsignorecase":   "stringnotequalsignorecase",
	"stringlike":               "stringnotlike",
	"numericequals":            "numericnotequals",
	"numericlessthan":          "",
	"numericlessthanequals":    "",
	"numericgreaterthan":       "",
	"numericgreaterthanequals": "",
	"dateequals":               "datenotequals",
	"datelessthan":             "",
	"datelessthanequals":       "",
	"dategreaterthan":          "",
	"dategreaterthanequals":    "",
	"bool":                     "",
	"binaryequals":             "",
	"ipaddress":                "notipaddress",
	"arnequals":                "arnnotequals",
	"arnlike":                  "arnnotlike",
	"null":                     "",
}

// parseOperator takes an operator apart; ok is false for one that IAM does not
// have. Null takes neither a set operator nor IfExists.
func parseOperator(name string) (op operator, ok bool) {
	op.base = strings.ToLower(name)
	for _, q := range []quantifier{forAll, forAny} {
		if rest, found := strings.CutPrefix(op.base, string(q)); found {
			op.quantifier, op.base = q, rest
			break
		}
	}
	if rest, found := strings.CutSuffix(op.base, "ifexists"); found {
		op.ifExists, op.base = true, rest
	}
	if op.base == "null" && (op.ifExists || op.quantifier != one) {
		return op, false
	}
	if _, ok := operators[op.base]; ok {
		return op, true
	}
	for base, negated := range operators {
		if negated != "" && negated == op.base {
			op.base, op.not = base, true
			return op, true
		}
	}
	return op, false
}

func knownOperator(name string) bool {
	_, ok := lookupOperator(name)
	return ok
}

// usual holds every operator in AWS's spelling, so that evaluating takes
// nothing apart.
var usual = usualOperators()

func usualOperators() map[string]operator {
	out := map[string]operator{}
	for _, base := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	} {
		for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				name := prefix + base + suffix
				if op, ok := parseOperator(name); ok {
					out[name] = op
				}
			}
		}
	}
	return out
}

func lookupOperator(name string) (operator, bool) {
	if op, ok := usual[name]; ok {
		return op, true
	}
	return parseOperator(name)
}
