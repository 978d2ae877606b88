package iampolicy

import (
	"strconv"
	"strings"
	"time"
)

// DefaultContext is the part of a request's context that AWS always sends
// (IAM:reference_policies_condition-keys), as far as it follows from the
// request: the caller's ARN (of a session: its role's), account and type, the
// resource's account, TLS and the time. A caller of Evaluate adds what else it
// knows. Values in req.Context are not looked at.
func DefaultContext(req Request, now time.Time) map[string][]string {
	out := map[string][]string{
		"aws:SecureTransport": {"true"},
		"aws:CurrentTime":     {now.UTC().Format("2006-01-02T15:04:05Z")},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
	}
	w, _ := identify(req.Caller)
	principal := func(arn, kind string) {
		out["aws:PrincipalArn"] = []string{arn}
		out["aws:PrincipalAccount"] = []string{w.account}
		out["aws:PrincipalType"] = []string{kind}
		out["aws:PrincipalIsAWSService"] = []string{"false"}
	}
	switch req.Caller.Kind {
	case Anonymous:
		out["aws:PrincipalAccount"] = []string{"anonymous"}
		out["aws:PrincipalType"] = []string{"Anonymous"}
	case Service:
		out["aws:PrincipalIsAWSService"] = []string{"true"}
		out["aws:PrincipalServiceName"] = []string{req.Caller.ARN}
	case Root:
		principal(w.arn, "Account")
	case User:
		principal(w.arn, "User")
	default:
		principal(w.role, "AssumedRole")
	}
	if account := resourceAccount(req, w); account != "" {
		out["aws:ResourceAccount"] = []string{account}
		if service, _, _ := strings.Cut(req.Action, ":"); strings.EqualFold(service, "s3") {
			out["s3:ResourceAccount"] = []string{account}
		}
	}
	return out
}

// resourceAccount is the account that owns the resource, as far as it is known.
func resourceAccount(req Request, w who) string {
	if req.ResourceAccount != "" {
		return req.ResourceAccount
	}
	if a, ok := parseARN(req.Resource); ok && a.account != "" && a.account != "aws" { // "aws" owns the managed policies
		return a.account
	}
	return w.account
}

// contextKey is one key of the request's context.
type contextKey struct {
	name   string
	values []string
}

// lookup finds a condition key, whatever its case.
func (e *evaluation) lookup(key string) []string {
	if e.context == nil {
		e.readContext()
	}
	for i := range e.context {
		if k := &e.context[i]; len(k.name) == len(key) && strings.EqualFold(k.name, key) {
			return k.values
		}
	}
	return nil
}

// readContext lists the context's keys. A context with one key in two cases is
// no context: which value counts would be chance.
func (e *evaluation) readContext() {
	e.context = e.room[:0]
	for name, values := range e.req.Context {
		for i := range e.context {
			if k := &e.context[i]; len(k.name) == len(name) && strings.EqualFold(k.name, name) {
				e.problem = "the context has the key " + min(k.name, name) + " twice, in different cases"
			}
		}
		e.context = append(e.context, contextKey{name, values})
	}
}
