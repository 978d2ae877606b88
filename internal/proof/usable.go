package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// usable proves that the role can be had where the spec says that it is used:
// its service may assume it, its instance profile holds it, and its instances
// have the profile.
func (p *prover) usable(g plan.Grant, s *sides, found *findings, proof *GrantProof) {
	consumer := g.Consumer
	if s.identity.unread != "" || s.role == nil {
		return // told already
	}
	snap := p.snapshots[consumer.Account.ID]
	if service := serviceOf(p.plan.Partition, consumer); service != "" {
		p.trusted(g, s.role, service, found, proof)
		if consumer.Role.InstanceProfile == "" && forInstances([]trustee{{"Service", service}}) && p.profileOf(g) == "" {
			found.unheld(s.role)
		}
	} else {
		p.had(g, s.role, found, proof)
	}
	if consumer.Role.InstanceProfile == "" {
		return
	}
	found.profile(snap.Profiles[consumer.Role.InstanceProfile])
	for _, in := range consumer.Instances {
		if f := snap.Failure(plan.ScopeEC2 + in.Region); f != nil {
			proof.NotChecked = append(proof.NotChecked,
				fmt.Sprintf("instance %s of account %s in %s, which cannot be read: %s", in.ID+in.Name, consumer.Account.ID, in.Region, f.Message))
			proof.Verdict = worse(proof.Verdict, NotChecked)
			continue
		}
		found.instance(in, snap, p.instances(snap, in))
	}
}

// serviceOf is the service that is to assume a consumer's role: the one in the
// spec, or EC2's where an instance profile is wanted.
func serviceOf(partition string, c *specs.Consumer) string {
	switch {
	case c.Role.TrustService != "":
		return c.Role.TrustService
	case c.Role.InstanceProfile == "":
		return ""
	case partition == "aws-cn":
		return "ec2.amazonaws.com.cn"
	}
	return "ec2.amazonaws.com"
}

const assumeRole = "sts:AssumeRole"

// trustOf is a role's trust policy; nil: it cannot be understood, and why.
func trustOf(g plan.Grant, role *plan.LiveRole) (_ *iampolicy.Document, why string) {
	d, err := iampolicy.ParseLive(role.Trust)
	if err != nil {
		return nil, fmt.Sprintf("the trust policy of role %s in account %s, which cannot be understood: %v", role.Name, g.Consumer.Account.ID, err)
	}
	return d, ""
}

// had finds a role that nobody can have, where no spec says who is to.
func (p *prover) had(g plan.Grant, role *plan.LiveRole, found *findings, proof *GrantProof) {
	check := Check{Action: assumeRole, Resource: g.RoleARN, Verdict: NotChecked}
	d, why := trustOf(g, role)
	if d != nil {
		switch a := p.assumption(g, role, d); {
		case a.verdict == Denied:
			check.Verdict, check.Reason = Denied, "nobody can assume the role"
			found.unassumable(role, d, a)
		case forInstances(a.may) && p.profileOf(g) == "":
			found.unheld(role)
			return
		case a.verdict == NotChecked, forInstances(a.let) && p.profileOf(g) == "":
			why = a.doubt()
		case !isMeant(g.Consumer.Role, d):
			why = fmt.Sprintf("the trust policy of role %s in account %s, which is not the spec's, so that others than it means may have the role: `xshare apply` makes it the spec's", role.Name, g.Consumer.Account.ID)
		default:
			return
		}
	}
	if check.Verdict == NotChecked {
		check.Reason = why
		proof.NotChecked = append(proof.NotChecked, why)
	}
	proof.Verdict = worse(proof.Verdict, check.Verdict)
	proof.Checks = append(proof.Checks, check)
}

// forInstances reports whether those who have a role have it on instances alone,
// for which an instance profile must hold it. In China EC2 has two names.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
func forInstances(list []trustee) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(who trustee) bool {
		return who != trustee{"Service", "ec2.amazonaws.com"} && who != trustee{"Service", "ec2.amazonaws.com.cn"}
	})
}

// profileOf is the instance profile that holds a grant's role, or empty. All
// those of an account are read with its roles.
func (p *prover) profileOf(g plan.Grant) string {
	profiles := p.snapshots[g.Consumer.Account.ID].Profiles
	for _, name := range sortedKeys(profiles) {
		if profiles[name].Role == g.Consumer.Role.Name {
			return name
		}
	}
	return ""
}

// unheld is the cause of a role that is for instances alone, and that none can
// have. What shares say of a role is an apply's to do; else it is by hand.
func (f *findings) unheld(role *plan.LiveRole) {
	wanted, account := f.grant.Consumer.Role, f.grant.Consumer.Account.ID
	mend := fmt.Sprintf("create an instance profile and add the role to it: `aws iam create-instance-profile --instance-profile-name %s`, `aws iam add-role-to-instance-profile --instance-profile-name %[1]s --role-name %[1]s`; then give it to the instance", role.Name)
	if f.prover.promised[f.grant.RoleARN] {
		mend = "say `instanceProfile: true` of the role in its spec, then " + applyMend + ", and give the profile to the instance; or, if others are to use the role, let them do " + assumeRole + " in its trust policy"
		if spec, err := iampolicy.ParseLive(wanted.TrustPolicy); wanted.Create && err == nil && !forInstances(f.prover.assumption(f.grant, role, spec).may) {
			mend = f.apply(plan.StepID(plan.TypeRole, account, "", role.Name))
		}
	}
	f.add(Cause{
		Code: ProfileMissing, Account: account, Resource: role.ARN, Mend: mend,
		Message: fmt.Sprintf("role %s in account %s is for EC2 alone, and no instance profile holds it, so no instance can have it", role.Name, account),
	}, "", nil)
}

// isMeant reports whether a live trust policy is what the spec says, if it says
// anything: whom else it lets in is not whom the role's owner means.
func isMeant(role specs.Role, live *iampolicy.Document) bool {
	if !role.Create || role.TrustPolicy == nil {
		return true
	}
	spec, err := iampolicy.ParseLive(role.TrustPolicy)
	return err == nil && iampolicy.Equal(live, spec)
}

// trusted evaluates the role's trust policy for the service.
func (p *prover) trusted(g plan.Grant, role *plan.LiveRole, service string, found *findings, proof *GrantProof) {
	check := Check{Action: assumeRole, Resource: g.RoleARN, Context: map[string]string{"caller": service}, Verdict: Allowed}
	d, why := trustOf(g, role)
	if d == nil {
		check.Verdict, check.Reason = NotChecked, why
		proof.NotChecked = append(proof.NotChecked, check.Reason)
	} else {
		t := &trust{prover: p, grant: g, role: role, document: d}
		r := t.rule(trustee{"Service", service})
		check.Verdict, check.Reason = r.verdict, r.doubt
		if r.doubt != "" {
			proof.NotChecked = append(proof.NotChecked, r.doubt)
		}
		switch {
		case r.control != nil:
			check.Reason = "a control policy of the organization denies it"
			r.control.add(found)
		case r.verdict == Denied:
			check.Reason = fmt.Sprintf("the trust policy does not let %s do %s", service, assumeRole)
			found.add(found.untrusted(role, service, d, r), assumeRole, nil)
		}
	}
	proof.Verdict = worse(proof.Verdict, check.Verdict)
	proof.Checks = append(proof.Checks, check)
}

// lets is what a trust policy says of a service.
func (f *findings) lets(role *plan.LiveRole, service string, d *iampolicy.Document) Verdict {
	return (&trust{prover: f.prover, grant: f.grant, role: role, document: d}).rule(trustee{"Service", service}).verdict
}

// letService is how the mend begins that takes a statement more.
const letService = "let the service"

// untrusted is the cause of a trust policy that keeps out the service.
func (f *findings) untrusted(role *plan.LiveRole, service string, d *iampolicy.Document, r ruling) Cause {
	account := f.grant.Consumer.Account.ID
	why, mend := trusts(d), letService+fmt.Sprintf(" %s do %s in the role's trust policy", service, assumeRole)
	switch {
	case r.deny != "":
		why, mend = fmt.Sprintf("; %s denies it", r.deny), fmt.Sprintf("except the service %s from %s of the role's trust policy", service, r.deny)
	case r.unmet != "":
		why, mend = fmt.Sprintf("; the conditions of %s do not hold", r.unmet), fmt.Sprintf("correct the conditions of %s of the role's trust policy", r.unmet)
	}
	if wanted := f.grant.Consumer.Role; wanted.Create {
		step := f.apply(plan.StepID(plan.TypeRole, account, "", role.Name))
		if spec, err := iampolicy.ParseLive(wanted.TrustPolicy); err == nil && f.lets(role, service, spec) != Allowed {
			step = "correct the spec's trustPolicy (" + mend + "), then " + applyMend
		}
		mend = step
	}
	return Cause{
		Code: TrustLacksService, Account: account, Resource: f.grant.RoleARN, Mend: mend,
		Message: fmt.Sprintf("the trust policy of role %s in account %s does not let %s do %s%s", role.Name, account, service, assumeRole, why),
	}
}

// trusts names the services that a trust policy does let in, where one of them
// may have been mistaken for the other.
func trusts(d *iampolicy.Document) string {
	var services []string
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && s.Principal != nil {
			services = append(services, s.Principal.Service...)
		}
	}
	if len(services) == 0 {
		return ""
	}
	slices.Sort(services)
	return "; the services it names are " + strings.Join(slices.Compact(services), ", ")
}

func (f *findings) profile(live *plan.LiveInstanceProfile) {
	account, role := f.grant.Consumer.Account.ID, f.grant.Consumer.Role
	cause := Cause{
		Account:  account,
		Resource: "arn:" + f.prover.plan.Partition + ":iam::" + account + ":instance-profile/" + role.InstanceProfile,
	}
	switch {
	case live == nil:
		cause.Code = ProfileMissing
		cause.Message = fmt.Sprintf("instance profile %s does not exist in account %s, so no instance can have role %s", role.InstanceProfile, account, role.Name)
	case live.Role == "":
		cause.Code = ProfileWithoutRole
		cause.Message = fmt.Sprintf("instance profile %s in account %s does not hold role %s, nor any other", role.InstanceProfile, account, role.Name)
	case live.Role != role.Name:
		cause.Code = ProfileOtherRole
		cause.Message = fmt.Sprintf("instance profile %s in account %s holds role %s, not %s", role.InstanceProfile, account, live.Role, role.Name)
		cause.Mend = "run `xshare apply --adopt` to replace the role, or name another profile in instanceProfile"
	default:
		return
	}
	if cause.Mend == "" {
		cause.Mend = f.apply(plan.StepID(plan.TypeInstanceProfile, account, "", role.InstanceProfile))
	}
	f.add(cause, "", nil)
}

// instances are the live ones that an instance of a spec is: the one with its
// id, or those with its tags.
func (p *prover) instances(snap *plan.Snapshot, want specs.Instance) []*plan.LiveInstance {
	var list []*plan.LiveInstance
	for _, in := range snap.Instances {
		if in.Region == want.Region && (want.ID != "" && in.ID == want.ID || want.ID == "" && p.plan.Marked(in.Tags) && in.Tags[plan.NameTag] == want.Name) {
			list = append(list, in)
		}
	}
	return list
}

func (f *findings) instance(want specs.Instance, snap *plan.Snapshot, live []*plan.LiveInstance) {
	account, profile := f.grant.Consumer.Account.ID, f.grant.Consumer.Role.InstanceProfile
	if len(live) == 0 {
		mend := applyMend
		if want.ID != "" {
			mend = "check its id and region in the spec"
		}
		f.add(Cause{
			Code: InstanceMissing, Account: account, Resource: want.ID + want.Name, Mend: mend,
			Message: fmt.Sprintf("instance %s does not exist in account %s, region %s", want.ID+want.Name, account, want.Region),
		}, "", nil)
	}
	id := plan.StepID(plan.TypeInstance, account, want.Region, want.Name)
	if want.ID != "" {
		id = plan.StepID(plan.TypeAssociation, account, want.Region, want.ID)
	}
	for _, in := range live {
		cause := Cause{Account: account, Resource: in.ID}
		switch have := in.ProfileARN[strings.LastIndex(in.ProfileARN, "/")+1:]; {
		case snap.HasGone(in, profile):
			cause.Code = ProfileNotAttached
			cause.Message = fmt.Sprintf("the instance profile %s that instance %s in account %s has was deleted, so it has no credentials; one of that name that was made since is another to AWS", profile, in.ID, account)
			cause.Mend = f.apply(id)
		case have == profile:
			continue
		case have == "":
			cause.Code = ProfileNotAttached
			cause.Message = fmt.Sprintf("instance %s in account %s has no instance profile, so it has no credentials; it is to have %s", in.ID, account, profile)
			cause.Mend = f.apply(id)
		default:
			cause.Code = ProfileOther
			cause.Message = fmt.Sprintf("instance %s in account %s has the instance profile %s, not %s", in.ID, account, have, profile)
			cause.Mend = "run `xshare apply --adopt` to replace it, or disassociate it"
		}
		f.add(cause, "", nil)
	}
}
