package simulate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// contextValue is what a case says of a condition key.
type contextValue struct {
	at     int      // where in the line
	values []string // nil: the key was not sent, also where AWS always does
}

// caseContext is a case's context, by the keys' names in lower case. It is not
// changed: steps share it.
type caseContext map[string]contextValue

func (c caseContext) with(other caseContext) caseContext {
	if len(c) == 0 {
		return other
	}
	if len(other) == 0 {
		return c
	}
	out := maps.Clone(c)
	maps.Copy(out, other)
	return out
}

func (c caseContext) without(keys []string) caseContext {
	out := c
	for _, key := range keys {
		if _, ok := out[key]; ok {
			out = maps.Clone(out)
			delete(out, key)
		}
	}
	return out
}

// one is the value of a key that has just one, else empty.
func (c caseContext) one(key string) string {
	if v := c[key]; len(v.values) == 1 {
		return v.values[0]
	}
	return ""
}

// context reads condition keys.
func (r *caseReader) context(f field) (caseContext, error) {
	list, err := r.members(f)
	if err != nil {
		return nil, err
	}
	all := make(caseContext, len(list))
	for _, m := range list {
		folded := strings.ToLower(m.name)
		if m.name == "" {
			return nil, r.errorf(m.nameAt, "a condition key has no name")
		}
		if _, twice := all[folded]; twice {
			return nil, r.errorf(m.nameAt, "the condition key %q stands twice, in another case: keep one", m.name)
		}
		values, err := r.values(m)
		if err != nil {
			return nil, err
		}
		if len(values) > maxValues {
			return nil, r.errorf(m.at, "context: %s has %d values, and no key has more than %d", m.name, len(values), maxValues)
		}
		if i := slices.IndexFunc(values, func(v string) bool { return len(v) > maxValue }); i >= 0 {
			return nil, r.errorf(m.at, "context: %s has a value of %d bytes, and no value has more than %d", m.name, len(values[i]), maxValue)
		}
		if i := slices.IndexFunc(values, func(v string) bool { return iampolicy.BadAddress(folded, v) }); i >= 0 {
			return nil, r.errorf(m.at, "context: %s is %q, which is no IP address", m.name, values[i])
		}
		all[folded] = contextValue{m.at, values}
	}
	return all, nil
}

// values are those of a condition key: one, or a list. Numbers and booleans
// count as they are written, as they do in policies.
func (r *caseReader) values(f field) ([]string, error) {
	items := []field{f}
	switch f.kind() {
	case aNull:
		return nil, nil
	case aList:
		items = f.items()
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		switch item.kind() {
		case aNumber, aBoolean:
			out = append(out, string(item.text))
		default:
			s, err := r.string(item)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// contextOf is a request's context: what AWS always sends, unless it is to be
// exact, and over it what the case has. The case may not contradict itself.
func (r *caseReader) contextOf(q *simulated, given caseContext, exact bool, now time.Time) (map[string][]string, error) {
	out := make(map[string][]string, len(given)+16)
	for key, v := range given {
		if v.values != nil {
			out[key] = v.values
		}
	}
	if exact {
		return out, nil
	}
	for name, values := range defaultContext(q, given, now) {
		key := strings.ToLower(name)
		v, ok := given[key]
		if !ok {
			out[key] = values
			continue
		}
		if q.fixes(key) && len(v.values) > 0 && !slices.Equal(v.values, values) {
			return nil, r.errorf(v.at, "context: %s is %s, but by the other fields it is %s: correct one of them, or set exactContext", name, strings.Join(v.values, ", "), values[0])
		}
	}
	return out, nil
}

// fixes tells the condition keys whose values the case says by other fields.
func (q *simulated) fixes(key string) bool {
	switch key {
	case "aws:principalarn", "aws:principalaccount":
		return true
	case "aws:resourceaccount", "s3:resourceaccount":
		return q.req.ResourceAccount != "" || iampolicy.IsAccountID(iampolicy.CutARN(q.req.Resource).Account)
	}
	return false
}

// defaultContext is what AWS always sends, as far as it is known and does not
// depend on what the case says otherwise.
func defaultContext(q *simulated, given caseContext, now time.Time) map[string][]string {
	// What is derived from the time follows one that the case sets.
	noTime := false
	if set := given["aws:currenttime"]; set.values != nil {
		at, err := time.Parse(time.RFC3339, given.one("aws:currenttime"))
		now, noTime = at, err != nil
	}
	out := iampolicy.DefaultContext(q.req, now)
	who := &q.req.Caller
	switch {
	case who.Kind == iampolicy.User && q.policies.Session != nil:
		// A federated user: STS:API_GetFederationToken is how a user gets a session
		// with a policy. Its name is the caller's choice.
		// (IAM:reference_policies_variables, "Principal key values")
		out["aws:PrincipalType"] = []string{"FederatedUser"}
		out["aws:TokenIssueTime"] = out["aws:CurrentTime"]
		for _, key := range []string{"aws:PrincipalArn", "aws:username", "aws:userid"} {
			delete(out, key)
		}
	case who.Kind == iampolicy.Session && who.RoleARN == "":
		// The role's path is not known. The context may tell it.
		arn := given.one("aws:principalarn")
		if role := iampolicy.CutARN(out["aws:PrincipalArn"][0]); arn != "" && strings.HasPrefix(arn, "arn:"+role.Partition+":iam::"+role.Account+":role/") &&
			strings.HasSuffix(arn, strings.TrimPrefix(role.Resource, "role")) {
			delete(out, "aws:PrincipalArn")
		}
	}
	if who.Account != "" && slices.ContainsFunc(viaService, func(key string) bool { return len(given[key].values) > 0 }) {
		out["aws:ViaAWSService"] = []string{"true"}
	}
	if noTime {
		delete(out, "aws:EpochTime")
		delete(out, "aws:TokenIssueTime")
	}
	return out
}

// viaService are keys of requests that a service makes in the caller's name
// only (IAM:reference_policies_condition-keys, KMS:conditions-kms).
var viaService = []string{"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "kms:viaservice"}
