package simulate

import (
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// simulated is one request of a case, with all that decides it.
type simulated struct {
	label    string // of a step
	req      iampolicy.Request
	policies iampolicy.Policies
	given    caseContext // what the case says of the context
	assumed  bool        // nothing says whose the resource is
	// notOf is what the case's resourcePolicy is of, where that is not this
	// request's resource.
	notOf string
}

// missing is the field without which it is no request.
func (q *simulated) missing() string {
	switch {
	case q.req.Caller.Kind == "":
		return "principal"
	case q.req.Action == "":
		return "action"
	case q.req.Resource == "":
		return "resource"
	}
	return ""
}

// request reads all fields of a case, or of a step with what it inherits.
func (r *caseReader) request(c testCase, now time.Time) (q simulated, err error) {
	for _, f := range []struct {
		name string
		into *string
	}{
		{"title", new(string)},
		{"action", &q.req.Action},
		{"resource", &q.req.Resource},
		{"resourceAccount", &q.req.ResourceAccount},
	} {
		if *f.into, err = r.text(c, f.name); err != nil {
			return q, err
		}
	}
	// A typo is denied by most policies, so that a test that wants just that
	// would hold for ever.
	if why := iampolicy.UnknownAction(q.req.Action); why != "" && !iampolicy.HasWildcard(q.req.Action) {
		return q, r.errorf(c.fields["action"].at, "no such request exists: %s", why)
	}
	if q.policies, err = r.policies(c, &q.req); err != nil {
		return q, err
	}
	if q.req.Caller, err = r.caller(c, iampolicy.CutARN(q.req.Resource).Partition); err != nil {
		return q, err
	}
	if q.req.Caller.Kind == iampolicy.Root && len(q.policies.Identity) > 0 {
		return q, r.errorf(c.fields["identityPolicies"].at, "identityPolicies: a root user has none, they would count for nothing: give a role or user as principal")
	}
	exact, err := r.bool(c, "exactContext")
	if err != nil {
		return q, err
	}
	if err := r.owner(c, &q); err != nil {
		return q, err
	}
	if q.missing() == "" {
		q.given = c.context
		q.req.Context, err = r.contextOf(&q, c.context, exact, now)
	}
	return q, err
}

// caller reads who makes the request; a caller of no kind where the case does
// not say.
func (r *caseReader) caller(c testCase, partition string) (who iampolicy.Caller, err error) {
	principal, err := r.text(c, "principal")
	if err != nil || principal == "" {
		return who, err
	}
	if who.UniqueID, err = r.text(c, "principalUniqueId"); err != nil {
		return who, err
	}
	roleARN, err := r.text(c, "principalRoleArn")
	if err != nil {
		return who, err
	}
	at := c.fields["principal"].at
	who.ARN = principal
	if iampolicy.IsAccountID(principal) {
		if partition == "" {
			partition = "aws"
		}
		who.ARN = "arn:" + partition + ":iam::" + principal + ":root"
	}
	a := iampolicy.CutARN(who.ARN)
	kind, _, _ := strings.Cut(a.Service+":"+a.Resource, "/")
	switch {
	case principal == "anonymous":
		return iampolicy.Caller{Kind: iampolicy.Anonymous}, nil
	case principal == "*":
		return who, r.errorf(at, `principal: one request has one caller: write "anonymous" for one without credentials`)
	case !iampolicy.InFull(principal):
		return who, r.errorf(at, "principal %q: one request has one caller: write its ARN in full, without wildcards or spaces", principal)
	case isServiceName(principal):
		return iampolicy.Caller{Kind: iampolicy.Service, ARN: principal}, nil
	case kind == "iam:root":
		who.Kind = iampolicy.Root
	case kind == "iam:user":
		who.Kind = iampolicy.User
	case kind == "iam:role":
		who.Kind, who.RoleARN = iampolicy.Role, who.ARN
	case kind == "sts:assumed-role":
		who.Kind, who.RoleARN = iampolicy.Session, roleARN
	case kind == "sts:federated-user", kind == "iam:saml-provider", kind == "iam:oidc-provider":
		return who, r.errorf(at, "principal %q: federated callers are not simulated: give the role's session that they get", principal)
	default:
		return who, r.errorf(at, "principal %q is no caller: write the ARN of a role, of its session, of a user or of an account's root, the name of a service such as ec2.amazonaws.com, or anonymous", principal)
	}
	if roleARN != "" && who.Kind != iampolicy.Session && roleARN != who.ARN {
		return who, r.errorf(c.fields["principalRoleArn"].at, "principalRoleArn is for the session of a role, which %s is not: leave it out", principal)
	}
	if !iampolicy.IsAccountID(a.Account) {
		return who, r.errorf(at, "principal %q names no account of 12 digits", principal)
	}
	who.Account = a.Account
	return who, nil
}

// serviceDomains are what the names of services end in, by partition
// (IAM:reference_policies_elements_principal, "AWS service principals").
var serviceDomains = []string{".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".aws.internal", ".c2s.ic.gov", ".sc2s.sgov.gov"}

func isServiceName(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" &&
		slices.ContainsFunc(serviceDomains, func(d string) bool { return len(s) > len(d) && strings.HasSuffix(s, d) })
}

// owner settles whose the resource is. Where neither resourceAccount nor the
// ARN says it, the context may: aws:ResourceAccount is the owner's. Else it is
// taken for the caller's own account, as AWS's own simulator does, and an
// answer that says "allowed" says so.
func (r *caseReader) owner(c testCase, q *simulated) error {
	if owner := q.req.ResourceAccount; owner != "" && !iampolicy.IsAccountID(owner) {
		return r.errorf(c.fields["resourceAccount"].at, "resourceAccount %q is no account id: it must have 12 digits", owner)
	}
	if q.req.ResourceAccount != "" || q.req.Resource == "*" || iampolicy.CutARN(q.req.Resource).Account != "" {
		return nil
	}
	for _, key := range []string{"aws:resourceaccount", "s3:resourceaccount"} {
		account := c.context.one(key)
		if !iampolicy.IsAccountID(account) {
			continue
		}
		if known := q.req.ResourceAccount; known != "" && known != account {
			return r.errorf(c.context[key].at, "context: aws:ResourceAccount is %s and s3:ResourceAccount %s: a resource has one account", known, account)
		}
		q.req.ResourceAccount = account
	}
	q.assumed = q.req.ResourceAccount == "" && q.req.Caller.Account != ""
	return nil
}
