package iampolicy

import (
	"slices"
	"strings"
)

// Evaluate decides a request by IAM's evaluation logic
// (IAM:reference_policies_evaluation-logic and
// IAM:reference_policies_evaluation-logic-cross-account). An explicit deny
// anywhere wins. Across accounts the caller's side and the resource's side must
// both allow; within an account one of them is enough, save for key and trust
// policies, which must allow themselves.
//
// Wherever a policy or a condition is not understood, it counts against the
// caller. Evaluate looks at req.Context only for condition keys: see
// DefaultContext. An Invalid decision has one reason, with no side; a request
// that AWS never gets is Invalid where the policies would allow it (see
// Impossible), and one from another partition always is.
func Evaluate(req Request, p Policies) Decision {
	e := evaluation{req: req, policies: p}
	e.prepare()
	if e.problem == "" {
		e.reasons = make([]Reason, 0, 2) // what an Allow across accounts has
		e.decide()
	}
	if e.problem == "" && !e.denied && !slices.Contains(e.lacking[:], true) {
		if why := impossible(e.service, req.Action, req.Resource, &e.resource); why != "" {
			e.problem = "no such request exists: " + why
		}
	}
	if e.problem != "" {
		return Decision{Outcome: Invalid, Reasons: []Reason{{Statement: -1, Text: e.problem}}}
	}
	return e.decision()
}

// evaluation is the work on one request. It has no pointers to itself, so that
// it stays on the stack.
type evaluation struct {
	req       Request
	policies  Policies
	who       who
	service   string // of the action, in lower case
	owner     string // the resource's account; empty if unknown
	resource  ARN
	completes bool // the policies at hand may leave parts of ARNs out; see covers

	contextRead bool
	context     [20]contextKey
	keys        int          // how many of context there are
	more        []contextKey // that find no place in context
	problem     string       // why the input is invalid

	denied  bool
	lacking [len(sides)]bool
	reasons []Reason
}

var sides = [...]Side{SideIdentity, SideResource, SideBoundary, SideSCP, SideRCP, SideSession, SideEndpoint, SideBlockPublicAccess}

func sideIndex(s Side) int { return slices.Index(sides[:], s) }

// prepare checks the request.
func (e *evaluation) prepare() {
	if e.problem = e.who.identify(&e.req.Caller); e.problem != "" {
		return
	}
	e.who.federated = e.who.kind == User && e.policies.Session != nil
	service, ok := serviceOf(e.req.Action)
	if !ok {
		e.problem = "the action " + string(quote(e.req.Action)) + ` is no action: it must be like "s3:GetObject"`
		return
	}
	e.service = strings.ToLower(service)
	if e.req.Resource != "*" {
		if e.resource, ok = parseARN(e.req.Resource); !ok {
			e.problem = "the resource " + string(quote(e.req.Resource)) + ` is no ARN: it must be like "arn:aws:s3:::bucket/key", or "*" for actions without a resource`
			return
		}
	}
	e.owner = resourceAccount(&e.req, &e.resource, &e.who)
	switch {
	case e.owner != "" && !IsAccountID(e.owner):
		e.problem = "the resource's account " + string(quote(e.owner)) + " is no account id of 12 digits"
	case e.resource.Account != e.owner && IsAccountID(e.resource.Account):
		e.problem = "the resource " + e.req.Resource + " is not of account " + e.owner
	case e.who.partition != e.resource.Partition && e.who.partition != "" && e.resource.Partition != "":
		// IAM:id_roles_compare-resource-policies
		e.problem = "the caller is of partition " + e.who.partition + " and the resource of " + e.resource.Partition + ": no request crosses partitions"
	}
}

// serviceOf is the service of an action; ok is false for what is not just one
// action.
func serviceOf(action string) (service string, ok bool) {
	colon := -1
	for i := range len(action) {
		switch c := action[i]; {
		case c == ':' && colon < 0:
			colon = i
		case !isAlnum(rune(c)) && c != '-' && c != '_':
			return "", false
		}
	}
	if colon < 1 || colon == len(action)-1 {
		return "", false
	}
	return action[:colon], true
}

// isTrust reports whether the request is decided by a role's trust policy.
func (e *evaluation) isTrust() bool { return e.service == "sts" && e.resource.Service == "iam" }

// mustAllow reports whether the resource's policy must allow even within one
// account: key policies (KMS:key-policies) and trust policies
// (IAM:id_roles_terms-and-concepts) are not optional.
func (e *evaluation) mustAllow() bool {
	return e.isTrust() || e.service == "kms" && strings.HasPrefix(e.resource.Resource, "key/")
}

// decide looks at every side, whatever the others said: users mend all at once.
func (e *evaluation) decide() {
	p := &e.policies
	same := e.who.hasIdentity && e.who.account == e.owner

	res := finding{statement: -1}
	if p.Resource != nil {
		e.scanPolicy(&res, SideResource, p.Resource)
	}
	reason := e.foreclosed(same)
	if reason != "" {
		res.granted = 0
	}
	if !same && res.granted == 0 {
		e.lackResource(&res, reason)
	}
	if e.who.hasIdentity {
		e.decideCaller(same, &res, reason)
	} else {
		e.reportAllow(SideResource, &res)
	}
	if p.Endpoint != nil {
		e.require(SideEndpoint, p.Endpoint)
	}
	if !e.who.linked {
		// RCPs can only deny: RCPFullAWSAccess is always attached beside them
		// (ORG:orgs_manage_policies_rcps).
		for _, level := range p.RCPs {
			e.scan(SideRCP, level)
		}
	}
	e.blockPublicAccess(same)
}

// decideCaller looks at the sides that limit callers with an identity.
func (e *evaluation) decideCaller(same bool, res *finding, foreclosed string) {
	p := &e.policies
	id := e.scan(SideIdentity, p.Identity)
	switch {
	case e.who.kind != Root:
	case e.isTrust(): // STS:API_AssumeRole
		e.lack(SideIdentity, nil, "root users cannot assume roles")
		return
	default: // a root user has no identity policies (IAM:id_root-user)
		id = finding{granted: byAccount, statement: -1, why: "the root user may do everything in its account's name"}
	}
	// What a grant in the resource policy spares the caller within one account
	// (IAM:reference_policies_evaluation-logic, "Resource-based policies"). The
	// user's ARN spares a federated user neither limit.
	direct := same && (res.granted&(bySession|byAny) != 0 || res.granted&byUser != 0 && !e.who.federated)
	byName := same && res.granted&(byRole|byUser) != 0
	switch {
	case direct || byName:
		e.reportAllow(SideResource, res)
	default:
		if id.granted == 0 {
			e.lack(SideIdentity, &id, "")
		} else {
			e.reportAllow(SideIdentity, &id)
		}
		switch {
		case res.granted != 0:
			e.reportAllow(SideResource, res)
		case same && (e.mustAllow() || id.granted == 0 && (p.Resource != nil || e.service == "s3")):
			if !e.lacking[sideIndex(SideResource)] {
				e.lackResource(res, foreclosed)
			}
		}
	}
	if p.Boundary != nil {
		e.limit(SideBoundary, p.Boundary, direct)
	}
	if p.Session != nil {
		e.limit(SideSession, p.Session, direct)
	}
	if !e.who.linked {
		for _, level := range p.SCPs {
			e.require(SideSCP, level)
		}
	}
}

// blockPublicAccess applies RestrictPublicBuckets
// (S3:access-control-block-public-access): a public policy serves only the
// bucket's own account and AWS services, also where it names others.
func (e *evaluation) blockPublicAccess(same bool) {
	p := &e.policies
	if !p.RestrictPublicBuckets || p.Resource == nil || e.service != "s3" || same || e.who.kind == Service {
		return
	}
	if public, why := Public(p.Resource.Document); public {
		why.Effect, why.Policy = "", p.Resource.Name
		why.Text = "Block Public Access stops all access from outside the account: in " + p.Resource.Name + " " + why.Text
		e.lacking[sideIndex(SideBlockPublicAccess)] = true
		e.reasons = append(e.reasons, why)
	}
}

// require needs one of the policies to allow.
func (e *evaluation) require(side Side, policies []Named) { e.limit(side, policies, false) }

// limit needs one of the policies to allow, unless the caller is spared; what
// they deny counts in any case.
func (e *evaluation) limit(side Side, policies []Named, spared bool) {
	f := e.scan(side, policies)
	switch {
	case f.granted != 0:
		e.reportAllow(side, &f)
	case !spared:
		e.lack(side, &f, "")
	}
}

// decision sums up.
func (e *evaluation) decision() Decision {
	d := Decision{Outcome: Allowed, Reasons: e.reasons}
	for i, lacks := range e.lacking {
		if lacks {
			d.Lacking = append(d.Lacking, sides[i])
			d.Outcome = ImplicitDeny
		}
	}
	if e.denied {
		d.Outcome = ExplicitDeny
	}
	// Stable, so that the reasons of one side keep their order.
	slices.SortStableFunc(d.Reasons, func(a, b Reason) int { return sideIndex(a.Side) - sideIndex(b.Side) })
	return d
}
