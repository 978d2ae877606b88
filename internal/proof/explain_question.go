package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Question is one access that is asked about. Ask makes it.
type Question struct {
	Principal string              // ARN of a role (any session of it), of one session, of a user or of an account's root user; or "anonymous"
	Action    string              // in its canonical case, such as "s3:GetObject"
	Resource  string              // ARN of a bucket or of one object
	Context   map[string][]string // condition keys that the request has; one without values: it certainly has not
	Known     []string            // buckets of the specs, among which one that is not found may be meant; Ask leaves it empty

	kind       iampolicy.PrincipalKind
	account    string // the principal's, 12 digits; empty for anonymous
	name, path string // of the role or user; of a session's role without the path, which its ARN does not tell
	bucket     string
}

const anonymous = "anonymous"

// Ask reads a question. context are "key=value" texts; a key may come several
// times, with another value each, and "key=" says that the request does not
// have it. The error names all that is wrong.
func Ask(partition, principal, action, resource string, context []string) (Question, error) {
	q := Question{Principal: principal, Resource: resource, Context: map[string][]string{}}
	var errs []error
	note := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	q.readPrincipal(partition, note)
	q.readAction(partition, action, note)
	q.readContext(context, note)
	return q, errors.Join(errs...)
}

func (q *Question) readPrincipal(partition string, note func(string, ...any)) {
	a := iampolicy.CutARN(q.Principal)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case q.Principal == "":
		note("--principal is missing: give the ARN of a role, of a session of one or of a user, or %s", anonymous)
		return
	case q.Principal == anonymous:
		q.kind = iampolicy.Anonymous
		return
	case !iampolicy.InFull(q.Principal):
		note("--principal %q: one request has one caller: write its ARN in full, without wildcards or spaces", q.Principal)
		return
	case a.Service == "iam" && kind == "role":
		q.kind = iampolicy.Role
	case a.Service == "iam" && kind == "user":
		q.kind = iampolicy.User
	case a.Service == "iam" && a.Resource == "root":
		q.kind, rest = iampolicy.Root, "root"
	case a.Service == "sts" && kind == "assumed-role" && strings.Count(rest, "/") == 1:
		q.kind = iampolicy.Session
		rest, _, _ = strings.Cut(rest, "/")
	default:
		note("--principal %q %s", q.Principal, notACaller(partition, q.Principal, a, kind))
		return
	}
	cut := strings.LastIndex(rest, "/") + 1
	q.account, q.path, q.name = a.Account, "/"+rest[:cut], rest[cut:]
	switch {
	case !iampolicy.IsAccountID(a.Account):
		note("--principal %q names no account of 12 digits", q.Principal)
	case q.name == "":
		note("--principal %q names nobody: its last part is empty", q.Principal)
	case a.Partition != partition:
		note("--principal %q is of partition %s and the repository of %s: no request crosses partitions", q.Principal, a.Partition, partition)
	}
}

// notACaller says of what is no caller that could be asked about what to ask
// instead.
func notACaller(partition, principal string, a iampolicy.ARN, kind string) string {
	switch {
	case a.Service == "sts" && kind == "assumed-role" && strings.Count(a.Resource, "/") > 2:
		parts := strings.Split(a.Resource, "/")
		return fmt.Sprintf("has more than a role's name and a session's: the ARN of a session has its role's name without the path: write arn:%s:sts::%s:assumed-role/%s", a.Partition, a.Account, strings.Join(parts[len(parts)-2:], "/"))
	case a.Service == "sts" && kind == "federated-user":
		return "is a federated user, who may do at most what the user may that made its credentials (GetFederationToken), and what was said then; neither is in its ARN: ask about that user"
	case a.Service == "iam" && kind == "group":
		return "is a group, which makes no calls and which no policy can name: ask about a user in it"
	case a.Service == "iam" && kind == "instance-profile":
		return "is an instance profile: ask about the role that it holds"
	case a.Service == "iam" && (kind == "saml-provider" || kind == "oidc-provider"):
		return "is an identity provider: whom it lets in calls as a session of a role; ask about that session, or the role"
	case iampolicy.IsAccountID(principal):
		return fmt.Sprintf("is an account, and calls are made by somebody in it: ask about a role or a user of it, or about its root user (arn:%s:iam::%s:root)", partition, principal)
	case iampolicy.IsEntityID(principal):
		return "is the unique id of a role or user, which in a policy is that of one that was deleted: ask about a role or user by its ARN"
	case strings.HasSuffix(principal, ".amazonaws.com") || strings.HasSuffix(principal, ".amazonaws.com.cn"):
		return "is a service: one that uses a role calls as that role, so ask about the role; what a service may do in its own name hangs on the bucket policy and on the request's aws:SourceArn and aws:SourceAccount: `xshare simulate` decides it"
	}
	return fmt.Sprintf("is no caller: write the ARN of a role (arn:%s:iam::ACCOUNT:role/NAME), of a session of one (arn:%[1]s:sts::ACCOUNT:assumed-role/NAME/SESSION) or of a user, or %s", partition, anonymous)
}

func (q *Question) readAction(partition, action string, note func(string, ...any)) {
	a := iampolicy.CutARN(q.Resource)
	q.bucket, _, _ = strings.Cut(a.Resource, "/")
	wrong := noAction(action)
	if wrong != "" {
		note("--action %s", wrong)
	}
	switch {
	case q.Resource == "":
		note("--resource is missing: give the ARN of a bucket (arn:%s:s3:::bucket) or of an object (arn:%[1]s:s3:::bucket/key)", partition)
		return
	case iampolicy.HasWildcard(q.Resource):
		note("--resource %q: ask about one object, by its key: what holds for one of them may not hold for all", q.Resource)
		return
	case wrong != "":
		return
	}
	known, ok := iampolicy.LookupS3Action(action)
	if ok {
		q.Action = known.Name
	}
	why := ""
	if ok {
		why = iampolicy.Impossible(action, q.Resource)
	}
	switch {
	case why != "":
		note("--action and --resource: no such request exists: %s", why)
	case !ok || known.Level == iampolicy.AccountLevel || known.Level == iampolicy.OtherLevel:
		note("--action %q: only actions on buckets and their objects can be explained; `xshare simulate` decides any", action)
	case a.Service != "s3" || a.Account != "" || q.bucket == "":
		note("--resource %q is neither a bucket (arn:%s:s3:::bucket) nor an object (arn:%[2]s:s3:::bucket/key)", q.Resource, partition)
	case a.Partition != partition:
		note("--resource %q is of partition %s and the repository of %s: no request crosses partitions", q.Resource, a.Partition, partition)
	}
}

// noAction says what is wrong with an action that is none; empty: nothing.
func noAction(action string) string {
	switch unknown := iampolicy.UnknownAction(action); {
	case action == "":
		return "is missing: give one, such as s3:GetObject"
	case iampolicy.HasWildcard(action):
		return fmt.Sprintf("%q: ask about one action, such as s3:GetObject", action)
	case !strings.Contains(action, ":"):
		mend := "write the service before it, such as s3:GetObject"
		if near := iampolicy.NearestAction("s3:" + action); near != "" {
			mend = "write " + near
		}
		return fmt.Sprintf("%q lacks its service: %s", action, mend)
	case unknown != "":
		return fmt.Sprintf("%q: %s", action, unknown)
	}
	return ""
}

// settled are condition keys that follow from the principal and the resource.
var settled = []string{
	"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice",
	"aws:resourceaccount", "s3:resourceaccount", "aws:requestedregion",
	"kms:viaservice", "kms:calleraccount", "kms:encryptioncontext:aws:s3:arn", "kms:encryptioncontextkeys", "kms:requestalias",
}

func (q *Question) readContext(context []string, note func(string, ...any)) {
	for _, text := range context {
		key, value, ok := strings.Cut(text, "=")
		switch {
		case !ok || !strings.Contains(key, ":") || strings.ContainsAny(key, " \t"):
			note("--context %q: write a condition key and its value, such as aws:SourceIp=192.0.2.7", text)
			continue
		case slices.Contains(settled, strings.ToLower(key)):
			note("--context %q: %s follows from the principal and the resource; leave it out", text, key)
			continue
		case value != "" && iampolicy.BadAddress(key, value):
			note("--context %q: %q is no IP address", text, value)
			continue
		}
		if near := nearGlobalKey(key); near != "" {
			note("--context %q: there is no condition key %s: did you mean %s?", text, key, near)
			continue
		}
		for have := range q.Context {
			if strings.EqualFold(have, key) {
				key = have
			}
		}
		q.Context[key] = slices.Clone(q.Context[key])
		if value != "" {
			q.Context[key] = append(q.Context[key], value)
		}
	}
}

// Concerns reports whether a share bears on the question: it is about the same
// bucket, or about the same role.
func (q Question) Concerns(share *specs.Share) bool {
	return share.Bucket.Name == q.bucket ||
		q.isRole() && slices.ContainsFunc(share.Consumers, func(c *specs.Consumer) bool {
			return c.Account.ID == q.account && c.Role.Name == q.name
		})
}

// isRole reports whether the principal has a role's policies.
func (q Question) isRole() bool { return q.kind == iampolicy.Role || q.kind == iampolicy.Session }

// call is the S3 call that is asked about.
func (q *Question) call() call {
	return call{action: q.Action, resource: q.Resource, promised: q.Resource}
}

// context is the question's, for people.
func (q *Question) context() map[string]string {
	text := map[string]string{}
	for key, values := range q.Context {
		text[key] = strings.Join(values, ", ")
	}
	return text
}

// Wants is what to read to answer the question. p is the plan of the shares
// that it concerns, accounts are the repository's. Where no such share names
// the bucket, it is looked for in every account.
func (q Question) Wants(p *plan.Plan, accounts []*specs.Account) []plan.Want {
	wants := OwnWants(p)
	in := func(account string) *plan.Want {
		i := slices.IndexFunc(wants, func(w plan.Want) bool { return w.Account == account })
		if i < 0 {
			wants = append(wants, plan.Want{Account: account})
			i = len(wants) - 1
		}
		return &wants[i]
	}
	stated := slices.ContainsFunc(p.Grants, func(g plan.Grant) bool { return g.Bucket.Name == q.bucket }) ||
		slices.ContainsFunc(p.Steps, func(s *plan.Step) bool { return s.Type == plan.TypeBucket && s.Name == q.bucket })
	for _, a := range accounts {
		if !a.Manage {
			continue
		}
		switch {
		case a.ID != q.account:
		case q.kind == iampolicy.User:
			in(a.ID).Users = []string{q.name}
		case q.isRole():
			w := in(a.ID)
			w.IAM = true
			if !slices.Contains(w.Roles, q.name) {
				w.Roles = append(w.Roles, q.name)
			}
		}
		if !stated {
			w := in(a.ID)
			w.Buckets = append(w.Buckets, plan.BucketWant{Name: q.bucket})
		}
	}
	slices.SortFunc(wants, func(a, b plan.Want) int { return strings.Compare(a.Account, b.Account) })
	return wants
}

// Caller is the id of the principal's account, where it may be read; else it is
// empty.
func (q Question) Caller(accounts []*specs.Account) string {
	if slices.ContainsFunc(accounts, func(a *specs.Account) bool { return a.Manage && a.ID == q.account }) {
		return q.account
	}
	return ""
}

// Owner is the id of the account in which the bucket was found; empty: in none.
// snapshots hold what Wants names.
func (q Question) Owner(p *plan.Plan, accounts []*specs.Account, snapshots map[string]*plan.Snapshot) string {
	if owner, _ := newProver(p, snapshots).ownerOf(accounts, q.bucket); owner != nil && owner.Manage {
		return owner.ID
	}
	return ""
}

// OwnWants is what to read of what a plan's steps are about, and of nothing
// else: what shares may have left elsewhere bears on no proof of them.
func OwnWants(p *plan.Plan) []plan.Want {
	return slices.DeleteFunc(p.Wants(false), func(w plan.Want) bool {
		return !w.IAM && len(w.Buckets)+len(w.Roles)+len(w.Policies)+len(w.Profiles)+len(w.Instances) == 0
	})
}
