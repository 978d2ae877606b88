// Package iampolicy reads, compares, merges and evaluates IAM policy documents.
//
// It is pure: no I/O, no clock, no globals that change. Every decision carries
// its reasons. The rules are those of AWS's guides; each one names its page
// where it is coded: IAM:page is
// https://docs.aws.amazon.com/IAM/latest/UserGuide/page.html, and S3, KMS, ORG,
// STS, VPC and AUTH stand for AmazonS3/latest/userguide,
// kms/latest/developerguide, organizations/latest/userguide,
// STS/latest/APIReference, vpc/latest/privatelink and
// service-authorization/latest/reference; S3:API_X is in AmazonS3/latest/API.
// docs/corpus.md lists the cases that hold it to them.
//
// What it does not know: KMS grants, ACLs and object ownership, access points'
// own policies, callers without a role or user (federated by web identity or
// SAML), whether a principal exists.
package iampolicy

import "encoding/json"

// Effect is a statement's Effect element.
type Effect string

// The two effects of a statement.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Version2012 is the policy language version that knows policy variables;
// Version2008 is what a document without a Version element means.
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// Document is a parsed policy. Statements keep the order of the text.
type Document struct {
	Version    string // as written; empty where the text has none (it then means Version2008)
	ID         string
	Statements []Statement
}

// Statement is one statement. Exactly one of Action and NotAction is set, at
// most one of Principal and NotPrincipal, at most one of Resource and
// NotResource (a trust policy has neither), and no operator with one key twice
// in Condition: JSON could not say that.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals // nil: the element is absent (identity policies)
	NotPrincipal *Principals
	Action       []string
	NotAction    []string
	Resource     []string
	NotResource  []string
	Condition    []Condition // sorted by operator, then key

	// Unknown holds what ParseLive met and IAM's grammar does not know. A
	// statement with such parts is evaluated to the caller's disadvantage: it
	// never allows, and a Deny denies whenever the parts that are known match.
	Unknown []Element

	// Raw is the statement's own text, byte for byte, where it was parsed;
	// nil in a statement that was built. It is what a write carries over.
	Raw json.RawMessage
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Any           bool     // "*" or {"AWS": "*"}: everybody, anonymous callers included
	AWS           []string // account ids, ARNs and unique ids (AROA…, AIDA…), as written
	Service       []string
	Federated     []string
	CanonicalUser []string
}

// Element is a part of a statement that is not understood.
type Element struct {
	Name string // e.g. "Principal.Robot" or "Condition.StringSounds.aws:username"
	Text string // its value, as compact JSON
}

// Condition is one operator with one key of a Condition block.
type Condition struct {
	Operator string // as written, e.g. "StringLike", "ForAnyValue:StringEqualsIfExists"
	Key      string // as written, e.g. "s3:prefix"
	Values   []string
}

// Named is a document with the name that reasons call it by, for example
// "policy mycrossaccounts3bucketpolicy" or "bucket policy of mybucket2share".
type Named struct {
	Name     string
	Document *Document
}
