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
// DefaultContext. An Invalid decision has one reason, with no side.
func Evaluate(req Request, p Policies) Decision {
	e := &evaluation{req: &req, policies: &p, bounded: p.Boundary != nil, reasons: make([]Reason, 0, 4)}
	e.prepare()
	if e.problem == "" {
		e.decide()
	}
	if e.problem != "" {
		return Decision{Outcome: Invalid, Reasons: []Reason{{Statement: -1, Text: e.problem}}}
	}
	return e.decision()
}

// evaluation is the work on one request.
type evaluation struct {
	req      *Request
	policies *Policies
	who      who
	service  string // of the action, in lower case
	owner    string // the resource's account; empty if unknown
	resource arn
	bounded  bool // the caller has a permissions boundary

	context []contextKey // nil until a condition asks
	room    [12]contextKey
	problem string // why the input is invalid

	denied  bool
	lacking [len(sides)]bool
	reasons []Reason
}

var sides = [...]Side{SideIdentity, SideResource, SideBoundary, SideSCP, SideRCP, SideSession, SideEndpoint, SideBlockPublicAccess}

func sideIndex(s Side) int { return slices.Index(sides[:], s) }

// prepare checks the request.
func (e *evaluation) prepare() {
	if e.who, e.problem = identify(e.req.Caller); e.problem != "" {
		return
	}
	service, name, ok := strings.Cut(e.req.Action, ":")
	if !ok || action(e.req.Action) != "" || strings.ContainsAny(e.req.Action, "*?") || name == "" {
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
	e.owner = resourceAccount(*e.req, e.who)
	switch {
	case e.owner != "" && !isAccountID(e.owner):
		e.problem = "the resource's account " + string(quote(e.owner)) + " is no account id of 12 digits"
	case isAccountID(e.resource.account) && e.resource.account != e.owner:
		e.problem = "the resource " + e.req.Resource + " is not of account " + e.owner
	}
}

// isTrust reports whether the request is decided by a role's trust policy.
func (e *evaluation) isTrust() bool { return e.service == "sts" && e.resource.service == "iam" }

// mustAllow reports whether the resource's policy must allow even within one
// account: key policies (KMS:key-policies) and trust policies
// (IAM:id_roles_terms-and-concepts) are not optional.
func (e *evaluation) mustAllow() bool {
	return e.isTrust() || e.service == "kms" && strings.HasPrefix(e.resource.resource, "key/")
}

// decide looks at every side, whatever the others said: users mend all at once.
func (e *evaluation) decide() {
	p := e.policies
	same := e.who.hasIdentity() && e.who.account == e.owner

	var res finding
	if p.Resource != nil {
		res = e.scan(SideResource, []Named{*p.Resource})
	}
	if reason := e.foreclosed(same); reason != "" {
		res.granted = 0
		e.lack(SideResource, nil, reason)
	} else if !same && res.granted == 0 {
		e.lack(SideResource, &res, "")
	}
	if e.who.hasIdentity() {
		e.decideCaller(same, res)
	} else {
		e.reportAllow(SideResource, res)
	}
	if p.Endpoint != nil {
		e.require(SideEndpoint, p.Endpoint)
	}
	if !e.who.serviceLinked() {
		// RCPs can only deny: RCPFullAWSAccess is always attached beside them
		// (ORG:orgs_manage_policies_rcps).
		for _, level := range p.RCPs {
			e.scan(SideRCP, level)
		}
	}
	e.blockPublicAccess(same)
}

// decideCaller looks at the sides that limit callers with an identity.
func (e *evaluation) decideCaller(same bool, res finding) {
	p := e.policies
	var id finding
	switch {
	case e.who.kind != Root:
		id = e.scan(SideIdentity, p.Identity)
	case e.isTrust(): // STS:API_AssumeRole
		e.lack(SideIdentity, nil, "root users cannot assume roles")
		return
	default: // a root user has no identity policies (IAM:id_root-user)
		id = finding{granted: byAccount, statement: -1, why: "the root user may do everything in its account's name"}
	}
	// What a grant in the resource policy spares the caller within one account
	// (IAM:reference_policies_evaluation-logic, "Resource-based policies").
	direct := same && res.granted&(byUser|bySession|byAny) != 0
	byRoleName := same && res.granted&byRole != 0
	switch {
	case direct || byRoleName:
		e.reportAllow(SideResource, res)
	default:
		if id.granted == 0 {
			e.lack(SideIdentity, &id, "")
		} else {
			e.reportAllow(SideIdentity, id)
		}
		switch {
		case res.granted != 0:
			e.reportAllow(SideResource, res)
		case same && (e.mustAllow() || id.granted == 0 && (p.Resource != nil || e.service == "s3")):
			if !e.lacking[sideIndex(SideResource)] {
				e.lack(SideResource, &res, "")
			}
		}
	}
	if p.Boundary != nil {
		e.limit(SideBoundary, p.Boundary, direct)
	}
	if p.Session != nil {
		// A user with a session policy is a federated user: its ARN spares nothing.
		e.limit(SideSession, p.Session, direct && res.granted&(bySession|byAny) != 0)
	}
	if !e.who.serviceLinked() {
		for _, level := range p.SCPs {
			e.require(SideSCP, level)
		}
	}
}

// foreclosed says why a resource's policy cannot allow the request, whatever
// stands in it.
func (e *evaluation) foreclosed(same bool) string {
	if same {
		return ""
	}
	name := strings.ToLower(e.req.Action)
	switch {
	case e.who.kind == Anonymous && !takesUnsigned[e.service]:
		return e.service + " takes no unsigned requests"
	case ownPolicy[name]:
		return "only callers of the bucket's own account can read or change its policy" // S3:API_PutBucketPolicy
	case e.service == "kms" && !keyAcrossAccounts[name]:
		return e.req.Action + " cannot be used across accounts" // KMS:key-policy-modifying-external-accounts
	}
	return ""
}

// takesUnsigned are the services that anonymous callers can reach at all
// (IAM:reference_policies_elements_principal, "Anonymous users").
var takesUnsigned = map[string]bool{"s3": true, "sns": true, "sqs": true}

var ownPolicy = map[string]bool{"s3:getbucketpolicy": true, "s3:putbucketpolicy": true, "s3:deletebucketpolicy": true}

// keyAcrossAccounts are the operations that another account's principals can
// be allowed on a key (KMS:key-policy-modifying-external-accounts).
var keyAcrossAccounts = map[string]bool{
	"kms:encrypt": true, "kms:decrypt": true, "kms:reencryptfrom": true, "kms:reencryptto": true,
	"kms:generatedatakey": true, "kms:generatedatakeywithoutplaintext": true,
	"kms:generatedatakeypair": true, "kms:generatedatakeypairwithoutplaintext": true,
	"kms:describekey": true, "kms:getpublickey": true, "kms:getkeyrotationstatus": true,
	"kms:creategrant": true, "kms:listgrants": true, "kms:retiregrant": true, "kms:revokegrant": true,
	"kms:sign": true, "kms:verify": true, "kms:generatemac": true, "kms:verifymac": true, "kms:derivesharedsecret": true,
}

// blockPublicAccess applies RestrictPublicBuckets
// (S3:access-control-block-public-access): a public policy serves only the
// bucket's own account and AWS services, also where it names others.
func (e *evaluation) blockPublicAccess(same bool) {
	p := e.policies
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
		e.reportAllow(side, f)
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
