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
	var w who
	w.identify(&req.Caller)
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
	resource, _ := parseARN(req.Resource)
	if account := resourceAccount(&req, &resource, &w); account != "" {
		out["aws:ResourceAccount"] = []string{account}
		if service, _, _ := strings.Cut(req.Action, ":"); strings.EqualFold(service, "s3") {
			out["s3:ResourceAccount"] = []string{account}
		}
	}
	return out
}

// resourceAccount is the account that owns the resource, as far as it is known.
func resourceAccount(req *Request, resource *arn, w *who) string {
	switch {
	case req.ResourceAccount != "":
		return req.ResourceAccount
	case resource.account != "" && resource.account != "aws": // "aws" owns the managed policies
		return resource.account
	}
	return w.account
}

// contextKey is one key of the request's context.
type contextKey struct {
	name   string
	values []string
}

// lookup finds a condition key, whatever its case. A context with one key in
// two cases is no context: which value counts would be chance.
func (e *evaluation) lookup(key string) []string {
	if !e.contextRead {
		e.readContext()
	}
	var found *contextKey
	for i := range e.keys {
		found = e.sameKey(found, &e.context[i], key)
	}
	for i := range e.more {
		found = e.sameKey(found, &e.more[i], key)
	}
	if found == nil {
		return nil
	}
	return found.values
}

func (e *evaluation) sameKey(found, k *contextKey, key string) *contextKey {
	if len(k.name) != len(key) || !strings.EqualFold(k.name, key) {
		return found
	}
	if found != nil {
		e.problem = "the context has the key " + min(k.name, found.name) + " twice, in different cases"
	}
	return k
}

// readContext lists the context's keys: a map cannot be asked without case.
func (e *evaluation) readContext() {
	e.contextRead = true
	for name, values := range e.req.Context {
		if e.keys == len(e.context) {
			e.more = append(e.more, contextKey{name, values})
			continue
		}
		e.context[e.keys] = contextKey{name, values}
		e.keys++
	}
}
