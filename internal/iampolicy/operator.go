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
	base       string // in lower case, negation included: "stringnotlike"
	ifExists   bool
}

// operators are the condition operators of IAM, in lower case
// (IAM:reference_policies_elements_condition_operators).
var operators = map[string]bool{
	"stringequals": true, "stringnotequals": true,
	"stringequalsignorecase": true, "stringnotequalsignorecase": true,
	"stringlike": true, "stringnotlike": true,
	"numericequals": true, "numericnotequals": true,
	"numericlessthan": true, "numericlessthanequals": true,
	"numericgreaterthan": true, "numericgreaterthanequals": true,
	"dateequals": true, "datenotequals": true,
	"datelessthan": true, "datelessthanequals": true,
	"dategreaterthan": true, "dategreaterthanequals": true,
	"bool": true, "binaryequals": true,
	"ipaddress": true, "notipaddress": true,
	"arnequals": true, "arnlike": true, "arnnotequals": true, "arnnotlike": true,
	"null": true,
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
	return op, operators[op.base]
}

func knownOperator(name string) bool {
	_, ok := parseOperator(name)
	return ok
}

// negated reports whether the operator says "not": then an absent key matches.
func (o operator) negated() bool {
	return strings.Contains(o.base, "not")
}
