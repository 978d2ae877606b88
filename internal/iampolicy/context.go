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

// lookup finds a condition key, whatever its case. A context with one key in
// two cases is no context: which value counts would be chance.
func (e *evaluation) lookup(key string) ([]string, bool) {
	if !e.contextChecked {
		e.contextChecked = true
		e.checkContext()
	}
	if v, ok := e.req.Context[key]; ok {
		return v, true
	}
	for k, v := range e.req.Context {
		if len(k) == len(key) && strings.EqualFold(k, key) {
			return v, true
		}
	}
	return nil, false
}

func (e *evaluation) checkContext() {
	for a := range e.req.Context {
		for b := range e.req.Context {
			if a != b && len(a) == len(b) && strings.EqualFold(a, b) {
				e.problem = "the context has the key " + min(a, b) + " twice, in different cases"
			}
		}
	}
}
