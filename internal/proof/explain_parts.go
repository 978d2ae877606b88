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

// parts are what each side has to say of a request.
func (a asked) parts() []Part {
	resource := PartResource
	if a.key {
		resource = PartKey
	}
	list := []Part{
		a.part(PartIdentity, iampolicy.SideIdentity, a.on.identity.unread, a.on.identity),
		a.part(PartBoundary, iampolicy.SideBoundary, a.on.boundary.unread, a.on.boundary),
		a.part(PartSCP, iampolicy.SideSCP, a.on.scps.unread, a.on.scps.levels...),
		a.part(resource, iampolicy.SideResource, a.on.resource.unread, a.on.resource),
		a.part(PartRCP, iampolicy.SideRCP, a.on.rcps.unread, a.on.rcps.levels...),
		a.part(PartBlock, iampolicy.SideBlockPublicAccess, ""),
	}
	if k := a.on.key.live; a.key && k != nil && !k.AWSManaged {
		switch {
		case k.Gone:
			list = append(list, Part{Side: PartKeyState, State: StateDenies, Text: "it does not exist"})
		case unusable(k.State):
			list = append(list, Part{Side: PartKeyState, State: StateDenies, Text: inWords(k.State)})
		}
	}
	return slices.DeleteFunc(list, func(p Part) bool {
		switch p.Side {
		case PartBoundary: // one that was not read is among what was not read of the caller
			return !a.on.hasBoundary && (a.on.identity.unread != "" || a.req.Caller.Kind == iampolicy.Anonymous || a.req.Caller.Kind == iampolicy.Root)
		case PartSCP:
			return a.req.Caller.Kind == iampolicy.Anonymous
		case PartRCP:
			return a.foreign
		case PartBlock:
			return a.key || a.on.resource.unread != ""
		}
		return false
	})
}

// part is one side's. unread is why the whole of it is not known.
func (a asked) part(name string, of iampolicy.Side, unread string, sides ...side) Part {
	p := Part{Side: name}
	denies := reasonsOf(a.best, func(r iampolicy.Reason) bool { return r.Side == of && r.Effect == iampolicy.Deny })
	allows := reasonsOf(a.worst, func(r iampolicy.Reason) bool { return r.Side == of && r.Effect == iampolicy.Allow })
	switch {
	case unread != "":
		p.State, p.Text = StateNotChecked, unread
	case len(denies) > 0:
		p.State = StateDenies
		var which []string
		for _, r := range denies {
			which = append(which, statementName(r.Statement, r.Sid)+" of "+r.Policy)
		}
		p.Text = few(which)
	case slices.Contains(a.best.Lacking, of):
		p.State, p.Text = StateLacking, a.lack(of)
	case slices.Contains(a.worst.Lacking, of):
		p.State, p.Text = StateNotChecked, a.doubtOf(of, sides)
	case len(allows) > 0 && (of != iampolicy.SideIdentity || a.req.Caller.Kind != iampolicy.Root):
		p.State, p.Text = StateOK, a.allowing(of, sides)
		if a.key { // whose account is in its ARN, so that no statement can be asked apart
			p.Text = statementName(allows[0].Statement, allows[0].Sid) + " of " + allows[0].Policy
		}
	default:
		p.State, p.Text = a.quiet(of)
	}
	return p
}

// doubtOf is what a side depends on that is not known.
func (a asked) doubtOf(of iampolicy.Side, sides []side) string {
	worst := a.worst
	worst.Lacking = []iampolicy.Side{of}
	for _, s := range sides {
		if why := undecided(s, of, a.req, a.known, reasonOf(worst, of)); why != "" {
			return why
		}
	}
	return a.on.doubt(a.req, worst)
}

// lack says what a side that does not allow lacks, in the words of the proof.
func (a asked) lack(of iampolicy.Side) string {
	scratch := &findings{prover: a.prover, grant: a.grant, sides: a.on}
	switch of {
	case iampolicy.SideIdentity:
		return a.lackOfIdentity(scratch)
	case iampolicy.SideResource:
		if why := a.foreclosed(); why != "" {
			return why
		}
		switch {
		case a.key:
			return "the key's policy does not allow it"
		case a.on.bucket == nil:
			return "the bucket is not there"
		}
		return scratch.resource(a.req, a.call, a.known, false)
	case iampolicy.SideBoundary:
		return scratch.boundary(a.call)
	case iampolicy.SideSCP:
		return scratch.serviceControlled(a.req, a.call, a.known)
	case iampolicy.SideBlockPublicAccess:
		return scratch.blocked()
	}
	return reasonsOf(a.best, func(r iampolicy.Reason) bool { return r.Side == of && r.Effect == "" })[0].Text
}

func (a asked) lackOfIdentity(scratch *findings) string {
	who := scratch.who().the()
	switch {
	case a.on.absent():
		return who + " is not there"
	case len(a.on.identity.policies)+len(a.on.identity.opaque) == 0:
		return who + " has no policy"
	case a.key:
		return "no policy of " + who + " allows it on the key"
	}
	text := scratch.identity(a.req, a.call, a.known, false)
	if near := closest(a.on.identity.policies, iampolicy.SideIdentity, a.req, a.known); near == nil || !near.action {
		var names []string
		for _, named := range a.on.identity.policies {
			names = append(names, named.Name)
		}
		text += " (it has " + few(names) + ")"
	}
	return text
}

// few lists names, and not more than a line bears.
func few(names []string) string {
	const most = 4
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// allowing names the statements of a side that allow the request, and the
// policies that say nothing of it.
func (a asked) allowing(of iampolicy.Side, sides []side) string {
	as := iampolicy.SideIdentity
	if of == iampolicy.SideResource {
		as = of
	}
	var allow, silent []string
	for _, s := range sides {
		told := map[string]bool{}
		for _, f := range fits(s.policies, as, a.req, a.known) {
			if f.principal && f.action && f.resource && f.condition && len(f.unknown) == 0 && len(f.statement.Unknown) == 0 {
				allow = append(allow, statementName(f.index, f.statement.Sid)+" of "+f.policy)
				told[f.policy] = true
			}
		}
		for _, named := range s.policies {
			if !told[named.Name] {
				silent = append(silent, named.Name)
			}
		}
	}
	text := few(allow)
	if len(silent) > 0 {
		text += "; nothing of it in " + few(silent)
	}
	return text
}

// quiet is of a side that neither allows nor stands in the way.
func (a asked) quiet(of iampolicy.Side) (State, string) {
	byResource := "not needed within one account: the bucket policy allows it"
	if a.key {
		byResource = "not needed within one account: the key's policy allows it"
	}
	switch of {
	case iampolicy.SideBoundary:
		if a.on.hasBoundary {
			return StateNone, byResource
		}
		return StateNone, "there is none"
	case iampolicy.SideSCP:
		return StateNone, "there is none"
	case iampolicy.SideRCP:
		if len(a.on.rcps.levels) == 0 {
			return StateNone, "there is none"
		}
		return StateOK, "none denies it"
	case iampolicy.SideBlockPublicAccess:
		return StateOK, "it stops nothing"
	case iampolicy.SideResource:
		switch {
		case a.lockedIn():
			return StateNone, "whatever it says, the root user of the bucket's account may see, put and delete it"
		case a.req.Caller.Kind == iampolicy.Root:
			return StateNone, "not needed within one account: the root user may do all in it"
		}
		return StateNone, "not needed within one account: the identity policies allow it"
	}
	switch a.req.Caller.Kind {
	case iampolicy.Anonymous:
		return StateNone, "a caller without credentials has none"
	case iampolicy.Root:
		return StateNone, "a root user has none, and may do all in its account's name"
	}
	return StateNone, byResource
}

// use is whether the role can be had: by the trust policy, the instance profile
// and the instances that its consumer names. It is empty for a role that is not
// there or not read.
func (x *explainer) use() []Part {
	role := x.grant.Consumer.Role
	if x.sides.role == nil || x.sides.identity.unread != "" {
		return nil
	}
	found := &findings{prover: x.prover, grant: x.grant, sides: x.sides}
	proof := &GrantProof{Verdict: Allowed}
	x.usable(x.grant, x.sides, found, proof)
	lacking := func(codes ...Code) string {
		for _, f := range found.list {
			if slices.Contains(codes, f.Code) {
				return f.Message
			}
		}
		return ""
	}
	var list []Part
	tell := func(side, problem, fine string) {
		state, text := StateOK, fine
		if problem != "" {
			state, text = StateLacking, problem
		}
		list = append(list, Part{Side: side, State: state, Text: text})
	}
	service := serviceOf(x.plan.Partition, x.grant.Consumer)
	unread := slices.IndexFunc(proof.Checks, func(c Check) bool { return c.Verdict == NotChecked })
	switch {
	case unread >= 0:
		list = append(list, Part{Side: PartTrust, State: StateNotChecked, Text: proof.Checks[unread].Reason})
	case service != "":
		tell(PartTrust, lacking(TrustLacksService, ResourceControl), fmt.Sprintf("%s may assume the role", service))
	default:
		d, _ := trustOf(x.grant, x.sides.role)
		tell(PartTrust, lacking(RoleUnusable, ServiceControl, ResourceControl), may(x.assumption(x.grant, x.sides.role, d).let))
	}
	problem := lacking(ProfileMissing, ProfileWithoutRole, ProfileOtherRole)
	holds := cmp.Or(role.InstanceProfile, x.heldBy(service))
	if holds == "" && problem == "" {
		return list
	}
	tell(PartProfile, problem, fmt.Sprintf("%s holds the role", holds))
	if role.InstanceProfile == "" {
		return list
	}
	return append(list, x.instancesPart(lacking(ProfileNotAttached, ProfileOther, InstanceMissing)))
}

// heldBy is the profile by which instances have a role that is for them alone,
// and of which no spec says one; service is the one in its spec.
func (x *explainer) heldBy(service string) string {
	let := []trustee{{"Service", service}}
	if service == "" {
		d, _ := trustOf(x.grant, x.sides.role)
		if d == nil {
			return ""
		}
		let = x.assumption(x.grant, x.sides.role, d).may
	}
	if !forInstances(let) {
		return ""
	}
	return x.profileOf(x.grant)
}

// instancesPart is what there is to say of the instances that are to have the
// role; problem is what is wrong with one.
func (x *explainer) instancesPart(problem string) Part {
	account, instances := x.grant.Consumer.Account.ID, x.grant.Consumer.Instances
	p := Part{Side: PartInstance, State: StateOK}
	var resting []string // that do not run, nor are about to
	for _, in := range instances {
		if f := x.snapshots[account].Failure(plan.ScopeEC2 + in.Region); f != nil {
			p.State, p.Text = StateNotChecked, fmt.Sprintf("%s in %s, which cannot be read: %s", in.ID+in.Name, in.Region, f.Message)
			return p
		}
		for _, live := range x.instances(x.snapshots[account], in) {
			if live.State != "" && live.State != "running" && live.State != "pending" {
				resting = append(resting, fmt.Sprintf("%s is %s", in.ID+in.Name, live.State))
			}
		}
	}
	switch {
	case problem != "":
		p.State, p.Text = StateLacking, problem
	case len(instances) == 0:
		p.State, p.Text = StateNone, x.otherInstances()
	default:
		p.Text = "the profile is that of " + instanceNames(instances)
		if len(resting) > 0 {
			p.Text += "; " + few(resting)
		}
	}
	return p
}

// otherInstances says which instances shares name for the role, where this one
// names none.
func (x *explainer) otherInstances() string {
	var others []string
	for _, g := range x.plan.Grants {
		if g.RoleARN == x.grant.RoleARN && len(g.Consumer.Instances) > 0 {
			others = append(others, fmt.Sprintf("%s (share %s)", instanceNames(g.Consumer.Instances), g.Share))
		}
	}
	switch {
	case len(others) > 0:
		return "others name them: " + few(others)
	case x.question == nil: // of the other shares nothing was read
		return "this share names no instance with this profile"
	}
	return "no spec names an instance with this profile"
}

func instanceNames(list []specs.Instance) string {
	var names []string
	for _, in := range list {
		names = append(names, in.ID+in.Name)
	}
	return few(names)
}

// inferUse finds out of a role that no spec names how it can be had: whom its
// trust policy lets in and, where that is EC2 alone, by which profile.
func (x *explainer) inferUse() {
	role := x.sides.role
	if role == nil {
		return
	}
	d, _ := trustOf(x.grant, role)
	if d == nil {
		return // usable tells
	}
	let := named(d)
	if !forInstances(let) {
		return
	}
	consumer := *x.grant.Consumer
	consumer.Role.TrustService, consumer.Role.InstanceProfile = let[0].name, x.profileOf(x.grant)
	x.grant.Consumer = &consumer
}
