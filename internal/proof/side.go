package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How what is not known is reckoned with.
//
// Premise: a verdict must hold whatever was not read. So each request is
// decided twice: at best, where all that is unknown is for it, and at worst,
// where all of it is against it. Allowed at worst is allowed; denied at best is
// denied; between them nothing is claimed.
//
//	                           at best         at worst
//	a side that was not read   allows          denies
//	an attached policy without
//	  its document             allows          denies
//	control policies (SCP,
//	  RCP) that were not read  are not there   deny
//	Block Public Access that
//	  was not read             is off          restricts public buckets
//	an Allow that hangs on an
//	  unknown key              all it may      what it surely
//	                           allow           allows
//	a Deny that does           what it surely  all it may
//	                           denies          deny

// side is the policies of one side, as far as they were read.
type side struct {
	unread   string            // why the side is not known; empty: it is
	policies []iampolicy.Named // with documents
	opaque   []string          // ARNs of attached policies whose documents were not read
	held     map[string]held   // of the identity side: where its policies hang, by their names
	failed   bool              // unread is for a read that a plan makes too, and that failed
}

// everything are documents that decide everything, for what is not known.
func everything(effect iampolicy.Effect, principal *iampolicy.Principals) iampolicy.Named {
	return iampolicy.Named{Name: "what was not read", Document: &iampolicy.Document{
		Version: iampolicy.Version2012,
		Statements: []iampolicy.Statement{{
			Effect: effect, Principal: principal, Action: []string{"*"}, Resource: []string{"*"},
		}},
	}}
}

var anybody = &iampolicy.Principals{Any: true}

// best and worst are the side's policies under each assumption.
func (s side) best(known func(string) bool, principal *iampolicy.Principals) []iampolicy.Named {
	if s.unread != "" {
		return []iampolicy.Named{everything(iampolicy.Allow, principal)}
	}
	list := settle(s.policies, known, iampolicy.Allow)
	if len(s.opaque) > 0 {
		list = append(list, everything(iampolicy.Allow, principal))
	}
	return list
}

func (s side) worst(known func(string) bool, principal *iampolicy.Principals) []iampolicy.Named {
	if s.unread != "" {
		return []iampolicy.Named{everything(iampolicy.Deny, principal)}
	}
	list := settle(s.policies, known, iampolicy.Deny)
	if len(s.opaque) > 0 {
		list = append(list, everything(iampolicy.Deny, principal))
	}
	return list
}

// sides are all that was read about one grant.
type sides struct {
	identity, resource, boundary side
	hasBoundary                  bool
	scps, rcps                   control // of the caller's account, of the resource's
	block                        restriction
	key                          keySide
	ownershipUnread              string
	kind                         iampolicy.PrincipalKind // of the caller; empty: a role
	role                         *plan.LiveRole          // nil: not there, or not read
	tagged                       bool                    // the role's sessions may have tags of their own
	user                         *plan.LiveUser          // likewise; a caller has one of them at most
	bucket                       *plan.LiveBucket        // nil: not there, or not read
}

// policies are all sides' policies, each as of makes them; with worst, what is
// no policy and not known is taken for a denial.
func (s *sides) policies(of func(side, *iampolicy.Principals) []iampolicy.Named, worst bool) iampolicy.Policies {
	p := iampolicy.Policies{Identity: of(s.identity, nil), RestrictPublicBuckets: s.block.on || worst && s.block.unread != ""}
	if resource := of(s.resource, anybody); len(resource) > 0 {
		p.Resource = &resource[0]
	}
	if s.hasBoundary {
		p.Boundary = of(s.boundary, nil)
	}
	p.SCPs = s.scps.levelsBy(of, nil, worst)
	p.RCPs = s.rcps.levelsBy(of, anybody, worst)
	return p
}

// atBest and atWorst are the policies under each assumption.
func (s *sides) atBest(known func(string) bool) iampolicy.Policies {
	return s.policies(func(side side, p *iampolicy.Principals) []iampolicy.Named { return side.best(known, p) }, false)
}

func (s *sides) atWorst(known func(string) bool) iampolicy.Policies {
	return s.policies(func(side side, p *iampolicy.Principals) []iampolicy.Named { return side.worst(known, p) }, true)
}

// decide evaluates a request at best and at worst. Where nothing is unknown, or
// it is denied at best, both are one.
func (s *sides) decide(req iampolicy.Request) (best, worst iampolicy.Decision) {
	known := s.known(req)
	best = iampolicy.Evaluate(req, s.atBest(known))
	if !best.Allowed() || s.sure(known) && len(s.deniedSessions(req)) == 0 {
		return best, best
	}
	return best, s.decideAtWorst(req, known)
}

func (s *sides) decideAtWorst(req iampolicy.Request, known func(string) bool) iampolicy.Decision {
	worst := iampolicy.Evaluate(req, s.atWorst(known))
	for _, session := range s.deniedSessions(req) {
		if !worst.Allowed() {
			break
		}
		req.Caller.ARN = session
		worst = iampolicy.Evaluate(req, s.atWorst(known))
	}
	return worst
}

// deniedSessions are those of the caller's role that a Deny of the resource's
// policy names: which session calls, no proof knows.
func (s *sides) deniedSessions(req iampolicy.Request) []string {
	role, imagined := strings.CutSuffix(req.Caller.ARN, sessionName)
	if !imagined || req.Caller.Kind != iampolicy.Session {
		return nil
	}
	var list []string
	for _, named := range s.resource.policies {
		for _, statement := range named.Document.Statements {
			if statement.Effect != iampolicy.Deny || statement.Principal == nil {
				continue
			}
			for _, principal := range statement.Principal.AWS {
				if strings.HasPrefix(principal, role) {
					list = append(list, principal)
				}
			}
		}
	}
	return list
}

// sure reports whether nothing is unknown.
func (s *sides) sure(known func(string) bool) bool {
	if s.block.unread != "" || s.scps.unread != "" || s.rcps.unread != "" {
		return false
	}
	for _, side := range slices.Concat([]side{s.identity, s.resource, s.boundary}, s.scps.levels, s.rcps.levels) {
		if !side.sure(known) {
			return false
		}
	}
	return true
}

// sure reports whether nothing of a side is unknown.
func (s side) sure(known func(string) bool) bool {
	if s.unread != "" || len(s.opaque) > 0 {
		return false
	}
	for _, named := range s.policies {
		for _, statement := range named.Document.Statements {
			if len(unknownKeys(named.Document.Version, statement, known)) > 0 {
				return false
			}
		}
	}
	return true
}

// withoutDenies evaluates a request at best, as if no statement denied it.
func (s *sides) withoutDenies(req iampolicy.Request, known func(string) bool) iampolicy.Decision {
	return iampolicy.Evaluate(req, s.policies(func(side side, p *iampolicy.Principals) []iampolicy.Named {
		return allowsOnly(side.best(known, p))
	}, false))
}

// read gathers what the snapshots have of the grant's sides.
func (p *prover) read(g plan.Grant) *sides { return p.readAs(g, iampolicy.Role) }

// readAs gathers it for what has a grant's form, and another kind of caller:
// the grant's role is then its name.
func (p *prover) readAs(g plan.Grant, kind iampolicy.PrincipalKind) *sides {
	s := &sides{kind: kind}
	s.resource, s.bucket = p.resourceSide(g)
	owner := g.Bucket.Account.ID
	s.rcps = p.resourceControl(owner)
	s.block = p.restriction(owner, s.bucket, s.resource)
	s.ownershipUnread = p.ownershipUnread(owner, s.bucket)
	s.key = p.keySide(g, s.bucket)
	if kind == iampolicy.Anonymous {
		return s
	}
	s.scps = p.serviceControl(g.Consumer.Account.ID)
	if kind != iampolicy.Root { // who has no policies
		p.readIdentity(g, s)
	}
	return s
}

// readIdentity gathers the policies of the role or user itself.
func (p *prover) readIdentity(g plan.Grant, s *sides) {
	consumer, of := g.Consumer.Account, "the policies of "+s.who(g).the()
	snap := p.snapshots[consumer.ID]
	switch {
	case !consumer.Manage:
		s.identity.unread = unmanaged(consumer.ID, of)
		return
	case snap == nil:
		s.identity.unread = fmt.Sprintf("%s, since account %s was not read", of, consumer.ID)
		return
	}
	if f := snap.Failure(plan.ScopeIAM); f != nil {
		s.identity.unread = fmt.Sprintf("%s, since IAM of account %s cannot be read: %s", of, consumer.ID, because(f))
		return
	}
	name, path := g.Consumer.Role.Name, g.Consumer.Role.Path
	if s.kind == iampolicy.User {
		if user := snap.Users[name]; user != nil && user.Path == path {
			s.user, s.identity = user, p.userSide(snap, user)
			s.boundary, s.hasBoundary = p.boundarySide(snap, "user", user.Boundary)
		}
		return
	}
	if role := snap.Roles[name]; role != nil && role.Path == path {
		s.role, s.tagged = role, p.tagged(role)
		p.hold(&s.identity, snap, role.ARN, role.Attached, role.Inline, "")
		s.boundary, s.hasBoundary = p.boundarySide(snap, "role", role.Boundary)
	}
}

func unmanaged(account, what string) string {
	return fmt.Sprintf("%s, since account %s is a partner's (`manage: false`)", what, account)
}

func (p *prover) resourceSide(g plan.Grant) (side, *plan.LiveBucket) {
	owner := g.Bucket.Account
	snap := p.snapshots[owner.ID]
	switch {
	case !owner.Manage:
		return side{unread: unmanaged(owner.ID, "the policy of bucket "+g.Bucket.Name)}, nil
	case snap == nil:
		return side{unread: fmt.Sprintf("the policy of bucket %s, since account %s was not read", g.Bucket.Name, owner.ID)}, nil
	}
	if f := snap.Failure(plan.ScopeBucket + g.Bucket.Name); f != nil {
		return side{unread: fmt.Sprintf("the policy of bucket %s in account %s, which cannot be read: %s", g.Bucket.Name, owner.ID, because(f))}, nil
	}
	bucket := snap.Buckets[g.Bucket.Name]
	if bucket == nil || bucket.Policy == nil {
		return side{}, bucket
	}
	name := "the policy of bucket " + g.Bucket.Name
	named, err := p.document(owner.ID+"/"+g.Bucket.Name, name, bucket.Policy)
	if err != nil {
		return side{unread: fmt.Sprintf("%s in account %s, which cannot be understood: %v", name, owner.ID, err)}, bucket
	}
	return side{policies: []iampolicy.Named{named}}, bucket
}

// document parses a live document, once for all grants that it bears on.
func (p *prover) document(key, name string, text []byte) (iampolicy.Named, error) {
	if got, ok := p.parsed[key]; ok {
		return got.named, got.err
	}
	d, err := iampolicy.ParseLive(text)
	got := parsed{named: iampolicy.Named{Name: name, Document: d}, err: err}
	p.parsed[key] = got
	return got.named, got.err
}

// managedPolicy is an attached policy, the customer's or AWS's own; nil: it was
// not read.
func managedPolicy(snap *plan.Snapshot, arn string) *plan.LivePolicy {
	if policy := snap.Policies[arn]; policy != nil {
		return policy
	}
	return snap.Managed[arn]
}

// unreadPolicy is a policy's ARN, with why it was not read where that is known.
func unreadPolicy(snap *plan.Snapshot, arn string) string {
	if f := snap.NotRead(plan.ScopeManagedPolicy + arn); f != nil {
		return arn + " (" + because(f) + ")"
	}
	return arn
}

// boundarySide is the boundary of a role or user (noun), if it has one.
func (p *prover) boundarySide(snap *plan.Snapshot, noun, arn string) (side, bool) {
	if arn == "" {
		return side{}, false
	}
	policy := managedPolicy(snap, arn)
	if policy == nil {
		return side{unread: "the " + noun + "'s permissions boundary " + unreadPolicy(snap, arn) + ", whose document was not read"}, true
	}
	named, err := p.document("boundary "+arn, "permissions boundary "+policy.Name, policy.Document)
	if err != nil {
		return side{unread: fmt.Sprintf("the %s's permissions boundary %s, which cannot be understood: %v", noun, arn, err)}, true
	}
	return side{policies: []iampolicy.Named{named}}, true
}

// notes are what of the sides was not read, for a proof's NotChecked.
func (s *sides) notes() []string {
	var list []string
	for _, side := range []side{s.identity, s.resource, s.boundary} {
		if side.unread != "" {
			list = append(list, side.unread)
		}
	}
	if len(s.identity.opaque) > 0 {
		list = append(list, unreadDocuments(s.identity))
	}
	for _, c := range []control{s.scps, s.rcps} {
		if c.unread != "" {
			list = append(list, c.unread)
		}
	}
	return list
}

func unreadDocuments(s side) string {
	return "attached policies whose documents were not read: " + strings.Join(s.opaque, ", ")
}
