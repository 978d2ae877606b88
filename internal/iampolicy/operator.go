package iampolicy

import (
	"slices"
	"strings"
)

// quantifier is the set operator before a condition operator
// (IAM:reference_policies_condition-single-vs-multi-valued-context-keys).
type quantifier uint8

const (
	one quantifier = iota
	forAll
	forAny
)

// comparison is what a condition operator does with two values.
type comparison uint8

const (
	stringEquals comparison = iota
	stringEqualsIgnoreCase
	stringLike
	numericEquals
	numericLess
	numericLessEquals
	numericGreater
	numericGreaterEquals
	dateEquals
	dateLess
	dateLessEquals
	dateGreater
	dateGreaterEquals
	boolEquals
	binaryEquals
	ipAddress
	arnLike // ArnEquals is the same
	isNull
)

// operator is a condition operator taken apart.
type operator struct {
	quantifier quantifier
	comparison comparison
	not        bool // negated: then an absent key matches
	ifExists   bool
}

// operators are the condition operators of IAM without set operator and
// IfExists, in AWS's spelling
// (IAM:reference_policies_elements_condition_operators).
var operators = map[string]operator{
	"StringEquals":              {comparison: stringEquals},
	"StringNotEquals":           {comparison: stringEquals, not: true},
	"StringEqualsIgnoreCase":    {comparison: stringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {comparison: stringEqualsIgnoreCase, not: true},
	"StringLike":                {comparison: stringLike},
	"StringNotLike":             {comparison: stringLike, not: true},
	"NumericEquals":             {comparison: numericEquals},
	"NumericNotEquals":          {comparison: numericEquals, not: true},
	"NumericLessThan":           {comparison: numericLess},
	"NumericLessThanEquals":     {comparison: numericLessEquals},
	"NumericGreaterThan":        {comparison: numericGreater},
	"NumericGreaterThanEquals":  {comparison: numericGreaterEquals},
	"DateEquals":                {comparison: dateEquals},
	"DateNotEquals":             {comparison: dateEquals, not: true},
	"DateLessThan":              {comparison: dateLess},
	"DateLessThanEquals":        {comparison: dateLessEquals},
	"DateGreaterThan":           {comparison: dateGreater},
	"DateGreaterThanEquals":     {comparison: dateGreaterEquals},
	"Bool":                      {comparison: boolEquals},
	"BinaryEquals":              {comparison: binaryEquals},
	"IpAddress":                 {comparison: ipAddress},
	"NotIpAddress":              {comparison: ipAddress, not: true},
	"ArnEquals":                 {comparison: arnLike},
	"ArnLike":                   {comparison: arnLike},
	"ArnNotEquals":              {comparison: arnLike, not: true},
	"ArnNotLike":                {comparison: arnLike, not: true},
	"Null":                      {comparison: isNull},
}

// usual holds every operator in AWS's spelling, and anyCase in lower case, so
// that evaluating takes nothing apart. Null takes neither a set operator nor
// IfExists.
var usual, anyCase = allOperators()

func allOperators() (usual, anyCase map[string]operator) {
	usual, anyCase = map[string]operator{}, map[string]operator{}
	for base, op := range operators {
		for q, prefix := range []string{one: "", forAll: "ForAllValues:", forAny: "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				if op.comparison == isNull && prefix+suffix != "" {
					continue
				}
				op.quantifier, op.ifExists = quantifier(q), suffix != ""
				name := prefix + base + suffix
				usual[name], anyCase[strings.ToLower(name)] = op, op
			}
		}
	}
	return usual, anyCase
}

// lookupOperator finds an operator, in any case; ok is false for one that IAM
// does not have.
func lookupOperator(name string) (op operator, ok bool) {
	if op, ok = usual[name]; ok {
		return op, true
	}
	op, ok = anyCase[strings.ToLower(name)]
	return op, ok
}

func knownOperator(name string) bool {
	_, ok := lookupOperator(name)
	return ok
}

// TextOperator is what is to be known of a condition operator that compares
// texts: one on strings or on ARNs. Such a one, and no other, takes policy
// variables.
type TextOperator struct {
	Negated    bool   // it holds where no value matches
	IgnoreCase bool   // letters are equal in either case
	Wild       bool   // * and ? in its values are wildcards
	ARN        bool   // likewise, within each part of an ARN by itself
	Like       string // the operator of strings with wildcards that has its set operator, negation and IfExists
}

// CompareTexts takes a condition operator apart; ok is false for one that
// compares no texts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func CompareTexts(name string) (t TextOperator, ok bool) {
	op, ok := lookupOperator(name)
	if !ok || !slices.Contains([]comparison{stringEquals, stringEqualsIgnoreCase, stringLike, arnLike}, op.comparison) {
		return t, false
	}
	like := "StringLike"
	if op.not {
		like = "StringNotLike"
	}
	set, _, found := strings.Cut(name, ":")
	if found {
		like = set + ":" + like
	}
	if op.ifExists {
		like += "IfExists"
	}
	return TextOperator{
		Negated: op.not, IgnoreCase: op.comparison == stringEqualsIgnoreCase, Like: like,
		Wild: op.comparison == stringLike || op.comparison == arnLike, ARN: op.comparison == arnLike,
	}, ok
}
