package iampolicy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultContext is the part of a request's context that AWS always sends
// (IAM:reference_policies_condition-keys, by the keys' "Availability"), as far
// as it follows from the request: the caller's ARN (of a session: its role's),
// account, type, and the name and id that are known of it; the resource's
// account, and its region, which is the one that is called; TLS and the time.
// The call is taken to be the caller's own, not a service's in its name, and a
// role's credentials to be issued at now. A caller of Evaluate adds what else it
// knows, and takes away what it does not want to assume. Values in req.Context
// are not looked at.
func DefaultContext(req Request, now time.Time) map[string][]string {
	out := map[string][]string{
		"aws:SecureTransport": {"true"},
		"aws:CurrentTime":     {now.UTC().Format("2006-01-02T15:04:05Z")},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
		"aws:ViaAWSService":   {"false"},
	}
	var w who
	w.identify(&req.Caller)
	callerContext(out, &req.Caller, &w)
	resource, _ := parseARN(req.Resource)
	service, action, _ := strings.Cut(req.Action, ":")
	service = strings.ToLower(service)
	if account := resourceAccount(&req, &resource, &w); account != "" {
		out["aws:ResourceAccount"] = []string{account}
		if service == "s3" {
			out["s3:ResourceAccount"] = []string{account}
		}
	}
	if region := requestedRegion(service, action, &resource, &w); region != "" {
		out["aws:RequestedRegion"] = []string{region}
	}
	// KMS:conditions-kms#conditions-kms-caller-account: operations on keys and
	// on custom key stores have it.
	if service == "kms" && w.account != "" && (resource.Service == "kms" || strings.Contains(strings.ToLower(action), "customkeystore")) {
		out["kms:CallerAccount"] = []string{w.account}
	}
	return out
}

// callerContext adds what follows from who calls
// (IAM:reference_policies_variables, "Principal key values").
func callerContext(out map[string][]string, c *Caller, w *who) {
	principal := func(arn, kind, id string) {
		out["aws:PrincipalArn"] = []string{arn}
		out["aws:PrincipalAccount"] = []string{w.account}
		out["aws:PrincipalType"] = []string{kind}
		out["aws:PrincipalIsAWSService"] = []string{"false"}
		if id != "" {
			out["aws:userid"] = []string{id}
		}
	}
	switch c.Kind {
	case Anonymous:
		out["aws:PrincipalAccount"] = []string{"anonymous"}
		out["aws:PrincipalType"] = []string{"Anonymous"}
		out["aws:userid"] = []string{"anonymous"}
	case Service:
		out["aws:PrincipalIsAWSService"] = []string{"true"}
		out["aws:PrincipalServiceName"] = []string{c.ARN}
		// The service's other names are not known; this one is among them.
		out["aws:PrincipalServiceNamesList"] = []string{c.ARN}
	case Root:
		principal(w.arn, "Account", w.account)
	case User:
		principal(w.arn, "User", w.uniqueID)
		out["aws:username"] = []string{lastPart(w.arn)}
	default:
		id := "" // of a role as such: which session calls is not known
		if c.Kind == Session && w.uniqueID != "" {
			id = w.uniqueID + ":" + lastPart(w.arn)
		}
		principal(w.role, "AssumedRole", id)
		out["aws:TokenIssueTime"] = out["aws:CurrentTime"] // a role has temporary credentials only
	}
}

// globalServices have one endpoint, whose region all requests to them have
// (IAM:reference_policies_examples_aws_deny-requested-region, which is about
// the partition aws).
var globalServices = []string{"iam", "cloudfront", "route53"}

// betweenRegions are in the names of actions that are called in one region for
// a resource of another.
var betweenRegions = []string{"copy", "replica", "peering"}

// requestedRegion is the region that is called, as far as it is known: that of
// the resource.
func requestedRegion(service, action string, resource *ARN, w *who) string {
	if slices.Contains(globalServices, service) {
		if w.partition == "aws" || w.partition == "" && resource.Partition == "aws" {
			return "us-east-1"
		}
		return ""
	}
	action = strings.ToLower(action)
	if resource.Service != service || isWild(resource.Region) ||
		slices.ContainsFunc(betweenRegions, func(word string) bool { return strings.Contains(action, word) }) {
		return ""
	}
	return resource.Region
}

// resourceAccount is the account that owns the resource, as far as it is known.
func resourceAccount(req *Request, resource *ARN, w *who) string {
	switch {
	case req.ResourceAccount != "":
		return req.ResourceAccount
	case resource.Account != "" && resource.Account != "aws": // "aws" owns the managed policies
		return resource.Account
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
	more := e.more
	if len(more) > fewKeys {
		first, _ := slices.BinarySearchFunc(more, key, func(k contextKey, key string) int { return compareFold(k.name, key) })
		last := first
		for last < len(more) && compareFold(more[last].name, key) == 0 {
			last++
		}
		more = more[first:last]
	}
	for i := range more {
		found = e.sameKey(found, &more[i], key)
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

// fewKeys is up to how many keys are looked through one by one. More of them
// are sorted: both a context and the conditions that ask for it can be long.
const fewKeys = 32

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
	if len(e.more) > fewKeys {
		slices.SortFunc(e.more, func(a, b contextKey) int { return compareFold(a.name, b.name) })
	}
}

// compareFold orders names, of which those are equal that differ in the case of
// letters of ASCII, as all names of condition keys are made of.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(fold(a[i]), fold(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
