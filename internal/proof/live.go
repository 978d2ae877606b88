package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Live proves every grant of the plan on what was read from both its accounts,
// in the plan's order. snapshots are by account id; an account without one was
// not read.
func Live(p *plan.Plan, snapshots map[string]*plan.Snapshot) []GrantProof {
	pr := newProver(p, snapshots)
	proofs := make([]GrantProof, 0, len(p.Grants))
	for _, g := range p.Grants {
		proofs = append(proofs, pr.grant(g))
	}
	return proofs
}

func newProver(p *plan.Plan, snapshots map[string]*plan.Snapshot) *prover {
	pr := &prover{plan: p, snapshots: snapshots, parsed: map[string]parsed{}, promised: map[string]bool{}}
	for _, g := range p.Grants {
		pr.promised[g.RoleARN] = true
	}
	return pr
}

type prover struct {
	plan      *plan.Plan
	snapshots map[string]*plan.Snapshot
	parsed    map[string]parsed       // bucket policies by account/bucket, managed policies by ARN, inline ones by role ARN and name
	promised  map[string]bool         // ARNs of roles that have grants
	applied   map[string]*plan.Change // see changes; nil: not asked for yet
	stops     map[string]specs.Problem
}

type parsed struct {
	named iampolicy.Named
	err   error
}

func (p *prover) grant(g plan.Grant) GrantProof {
	proof := GrantProof{
		Share: g.Share, Consumer: consumerName(g),
		RoleARN: g.RoleARN, Bucket: g.Bucket.Name, Promise: promise(g.Consumer), Verdict: Allowed, Source: g.Source,
	}
	s := p.read(g)
	found := &findings{prover: p, grant: g, sides: s}
	found.missing()
	open := map[string]bool{}
	told := map[string]bool{}
	for _, c := range p.calls(g, s) {
		for _, check := range p.prove(g, s, found, p.request(g, s.role, c), c) {
			key := fmt.Sprint(check.Action, " ", check.Resource, " ", check.Context) // fmt sorts maps by key
			if told[key] {
				continue // two calls use the key alike
			}
			told[key] = true
			if check.Verdict == NotChecked {
				open[check.Reason] = true
			}
			proof.Verdict = worse(proof.Verdict, check.Verdict)
			proof.Checks = append(proof.Checks, check)
		}
	}
	proof.NotChecked = s.notes()
	p.usable(g, s, found, &proof)
	proof.Causes = (&explainer{prover: p, grant: g, sides: s, ours: true, stated: true}).first(found.causes())
	if len(proof.Causes) > 0 {
		proof.Verdict = Denied
	}
	for _, reason := range sortedKeys(open) {
		if !slices.Contains(proof.NotChecked, reason) {
			proof.NotChecked = append(proof.NotChecked, reason)
		}
	}
	proof.NotChecked = append(proof.NotChecked, never...)
	return proof
}

// prove decides one call: the S3 request, and what that does with the bucket's
// key. What denies is added to found.
func (p *prover) prove(g plan.Grant, s *sides, found *findings, req iampolicy.Request, c call) []Check {
	check := Check{Action: c.action, Resource: c.resource, Context: c.context, Verdict: Allowed}
	best, worst := s.decide(req)
	if why := cmp.Or(s.unowned(c.action), c.open); !best.Allowed() {
		check.Verdict, check.Reason = Denied, found.explain(req, c, best)
	} else if !worst.Allowed() {
		check.Verdict, check.Reason = NotChecked, s.doubt(req, worst)
	} else if why != "" {
		check.Verdict, check.Reason = NotChecked, why
	}
	return append([]Check{check}, p.keyChecks(g, s, found, req, c)...)
}

func consumerName(g plan.Grant) string { return g.Consumer.Account.ID + "/" + g.Consumer.Role.Name }

// promise is what a consumer is to have, in the words of its spec.
func promise(c *specs.Consumer) string {
	var words []string
	for _, access := range c.Access {
		words = append(words, string(access))
	}
	text := strings.Join(append(words, c.Actions...), ", ")
	if len(c.Prefixes) > 0 {
		text += " under " + strings.Join(c.Prefixes, ", ")
	}
	return text
}

// doubt says what an access that is allowed at best depends on.
func (s *sides) doubt(req iampolicy.Request, worst iampolicy.Decision) string {
	known := s.known(req)
	for _, of := range []struct {
		name   iampolicy.Side
		sides  []side
		unread string
	}{
		{iampolicy.SideIdentity, []side{s.identity}, s.identity.unread},
		{iampolicy.SideResource, []side{s.resource}, s.resource.unread},
		{iampolicy.SideBoundary, []side{s.boundary}, s.boundary.unread},
		{iampolicy.SideSCP, s.scps.levels, s.scps.unread},
		{iampolicy.SideRCP, s.rcps.levels, s.rcps.unread},
		{iampolicy.SideBlockPublicAccess, nil, s.block.unread},
	} {
		if !slices.Contains(worst.Lacking, of.name) {
			continue
		}
		if of.unread != "" {
			return of.unread
		}
		for _, side := range of.sides {
			if side.unread != "" {
				return side.unread
			}
			if why := undecided(side, of.name, req, known, reasonOf(worst, of.name)); why != "" {
				return why
			}
			if len(side.opaque) > 0 {
				return unreadDocuments(side)
			}
		}
	}
	if r := reasonOf(worst, iampolicy.SideResource); r.Effect == iampolicy.Deny {
		return fmt.Sprintf("%s of %s, which denies a session of the role by its name, and only a real call has one", statementName(r.Statement, r.Sid), r.Policy)
	}
	return "conditions that only a real call decides"
}

func reasonOf(d iampolicy.Decision, side iampolicy.Side) iampolicy.Reason {
	for _, r := range d.Reasons {
		if r.Side == side && r.Effect == iampolicy.Deny {
			return r
		}
	}
	return iampolicy.Reason{Side: side, Statement: -1}
}

// undecided names the statement whose conditions are on unknown keys: the one
// that denies, or the first that would allow the request.
func undecided(s side, of iampolicy.Side, req iampolicy.Request, known func(string) bool, reason iampolicy.Reason) string {
	name := func(policy string, i int, statement iampolicy.Statement, keys []string) string {
		return fmt.Sprintf("%s of %s, which decides by %s"+onlyCall, statementName(i, statement.Sid), policy, strings.Join(keys, ", "))
	}
	if reason.Effect == iampolicy.Deny {
		for _, named := range s.policies {
			for i, statement := range named.Document.Statements {
				if named.Name != reason.Policy || i != reason.Statement {
					continue
				}
				if keys := unknownKeys(named.Document.Version, statement, known); len(keys) > 0 {
					return name(named.Name, i, statement, keys)
				}
			}
		}
		return ""
	}
	if of != iampolicy.SideResource {
		of = iampolicy.SideIdentity // as which all others allow
	}
	for _, f := range fits(s.policies, of, req, known) {
		if f.principal && f.action && f.resource && f.condition && len(f.unknown) > 0 {
			return name(f.policy, f.index, f.statement, f.unknown)
		}
	}
	return ""
}

func statementName(i int, sid string) string {
	if sid != "" {
		return fmt.Sprintf("statement %q", sid)
	}
	return fmt.Sprintf("statement number %d", i+1)
}

func (p *prover) bucketRegion(g plan.Grant) string {
	if snap := p.snapshots[g.Bucket.Account.ID]; snap != nil {
		if b := snap.Buckets[g.Bucket.Name]; b != nil && b.Region != "" {
			return b.Region
		}
	}
	return g.Bucket.Region
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
