package proof

import (
	"fmt"
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Offline is all that can be told of a repository without looking at AWS: what
// lints find in its trust policies and the documents that would be written, and the proof that those documents allow what each grant of p
// promises and not its neighbours. p is the plan of repo, whole or not. The
// work is linear in the number of grants.
func Offline(repo *specs.Repository, p *plan.Plan) []specs.Problem {
	o := &offline{repo: repo, plan: p, accounts: map[string]*specs.Account{}, unwieldy: map[string]bool{}}
	for _, a := range repo.Accounts {
		o.accounts[a.ID] = a
	}
	o.lintTrusts()
	o.lintAttachments()
	o.documents()
	o.prove()
	specs.SortProblems(o.problems)
	return slices.Compact(o.problems)
}

type offline struct {
	repo     *specs.Repository
	plan     *plan.Plan
	accounts map[string]*specs.Account    // by id
	written  map[string]iampolicy.Named   // what would be written, by step id
	unwieldy map[string]bool              // step ids of documents that cannot be written, which was told
	inRole   map[string][]iampolicy.Named // the permissions policies of a role, by account/name
	problems []specs.Problem
}

// problem notes a problem with the severity of the table.
func (o *offline) problem(code Code, p specs.Problem) {
	row, _ := LintOf(string(code))
	p.Code, p.Severity = string(code), row.Severity
	o.problems = append(o.problems, p)
}

// trustFile is a trust policy as read from its file.
type trustFile struct {
	document *iampolicy.Document
	linted   map[string]bool // by account
}

// lintTrusts looks at the trust policies that come from files, each once an account.
func (o *offline) lintTrusts() {
	files, roles := map[string]*trustFile{}, map[string]bool{}
	for _, g := range o.plan.Grants {
		role := g.Consumer.Role
		key := g.Consumer.Account.ID + "/" + role.Name
		if !role.Create || role.TrustPolicy == nil || roles[key] {
			continue
		}
		roles[key] = true
		file := files[role.TrustFile]
		if file == nil {
			file = &trustFile{linted: map[string]bool{}}
			file.document, _ = iampolicy.ParseTrust(role.TrustPolicy) // what is no policy is an error of the specs
			files[role.TrustFile] = file
		}
		if file.document == nil {
			continue
		}
		if !file.linted[g.Consumer.Account.ID] {
			file.linted[g.Consumer.Account.ID] = true
			o.lintTrust(g, file.document)
		}
		o.trustForInstances(g, file.document)
	}
}

func (o *offline) lintTrust(g plan.Grant, d *iampolicy.Document) {
	role := g.Consumer.Role
	for _, f := range LintPolicy(TrustPolicy, d, Subject{
		Name: "the trust policy", Account: g.Consumer.Account.ID, Partition: o.plan.Partition, Accounts: o.accounts,
	}) {
		if f.Code == PolicyTooLarge {
			continue // specs tell it of the file as it stands
		}
		o.problem(f.Code, specs.Problem{
			Share: g.Share, Account: g.Consumer.Account.ID, Message: f.Message, Mend: f.Mend,
			Source: placeIn(role.TrustFile, role.TrustPolicy, d, f.Statement, f.Element),
		})
	}
}

// trustForInstances sets the trust policy against the use that the spec makes
// of the role: the recipe's second and fourth causes.
func (o *offline) trustForInstances(g plan.Grant, d *iampolicy.Document) {
	role := g.Consumer.Role
	at := specs.Problem{Share: g.Share, Account: g.Consumer.Account.ID}
	service := ec2Service(o.plan.Partition)
	lets := letsIn(d, service)
	switch {
	case role.InstanceProfile != "" && !lets:
		at.Source = placeIn(role.TrustFile, role.TrustPolicy, d, -1, "")
		why := trusts(d)
		at.Mend = "add the service " + service + ", or take instanceProfile and instances out"
		if actions := actionsFor(d, service); len(actions) > 0 {
			why = fmt.Sprintf("; it names %s, but with %s", service, some(actions))
			at.Mend = "write " + assumeRole
		}
		at.Message = fmt.Sprintf("the trust policy does not let %s do %s, so no instance can use role %s, which has an instance profile%s", service, assumeRole, role.Name, why)
		o.problem(TrustLacksService, at)
	case role.InstanceProfile == "" && lets:
		at.Source = role.Pos
		at.Message = fmt.Sprintf("%s lets EC2 use role %s, but no instance profile is made, without which no instance has the role", role.TrustFile, role.Name)
		at.Mend = "add instanceProfile: true"
		o.problem(NoInstanceProfile, at)
	}
}

func ec2Service(partition string) string {
	if partition == "aws-cn" {
		return "ec2.amazonaws.com.cn"
	}
	return "ec2.amazonaws.com"
}

// letsIn reports whether a statement lets the service assume the role, whatever
// its conditions, but for those that say who comes in: what the others come to
// shows at the call.
func letsIn(d *iampolicy.Document, service string) bool {
	l := &linter{kind: TrustPolicy, document: d}
	for i := range d.Statements {
		l.at(i)
		if !l.allows() || l.s.Principal == nil || !l.does(assumeRole) {
			continue
		}
		if _, anybody := l.callers(); anybody || slices.Contains(l.s.Principal.Service, service) {
			return true
		}
	}
	return false
}

// usualPolicies is IAM's default quota of managed policies on a role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const usualPolicies = 10

// lintAttachments counts the managed policies that each role gets.
func (o *offline) lintAttachments() {
	counts := map[string]int{}
	for _, s := range o.plan.Steps {
		want, ok := s.Want.(plan.Attachment)
		if !ok {
			continue
		}
		key := s.Account + "/" + want.Role
		if counts[key]++; counts[key] == usualPolicies+1 {
			o.problem(TooManyPolicies, specs.Problem{
				Share: s.Shares[0], Account: s.Account, Source: s.Source,
				Message: fmt.Sprintf("role %s gets more than %d managed policies, IAM's default quota", want.Role, usualPolicies),
				Mend:    "spread the shares over several roles, or have the quota raised",
			})
		}
	}
}

// documents makes the documents that would be written if there were nothing
// else in them, and lints them.
func (o *offline) documents() {
	o.written, o.inRole = map[string]iampolicy.Named{}, map[string][]iampolicy.Named{}
	byARN := map[string]iampolicy.Named{}
	for _, s := range o.plan.Steps {
		switch want := s.Want.(type) {
		case plan.BucketPolicy:
			o.document(s, BucketPolicy, Subject{
				Name: "the policy of bucket " + want.Bucket, Account: s.Account, Bucket: want.Bucket, Partition: o.plan.Partition, Accounts: o.accounts,
			})
		case plan.Policy:
			o.document(s, IdentityPolicy, Subject{Name: "policy " + want.Name, Account: s.Account, Partition: o.plan.Partition})
			if named, ok := o.written[s.ID]; ok {
				byARN[want.ARN] = named
			}
		}
	}
	for _, s := range o.plan.Steps {
		if want, ok := s.Want.(plan.Attachment); ok {
			if named, ok := byARN[want.PolicyARN]; ok {
				key := s.Account + "/" + want.Role
				o.inRole[key] = append(o.inRole[key], named)
			}
		}
	}
}

// document writes a step's document and reads it again, so that what is proved
// is the text. One that is too large is told and not proved.
func (o *offline) document(s *plan.Step, kind PolicyKind, about Subject) {
	var pairs []iampolicy.Pair
	for _, part := range s.Parts {
		pairs = append(pairs, part.Pairs...)
	}
	if len(pairs) == 0 {
		return
	}
	text := iampolicy.Marshal(&iampolicy.Document{
		Version:    iampolicy.Version2012,
		Statements: iampolicy.Join(pairs, func(s iampolicy.Statement) string { return iampolicy.Mark(o.plan.Repository, s) }),
	})
	at := specs.Problem{Share: s.Parts[0].Share, Account: s.Account, Step: s.ID, Source: s.Parts[0].Source}
	if kind == BucketPolicy && len(text) > iampolicy.MaxBucketPolicy {
		row, _ := LintOf(string(BucketPolicyTooLarge))
		at.Message = fmt.Sprintf("%s would have %d bytes, more than the %d that S3 takes", about.Name, len(text), iampolicy.MaxBucketPolicy)
		at.Mend = row.Mend
		o.problem(BucketPolicyTooLarge, at)
		o.unwieldy[s.ID] = true
		return
	}
	d, err := iampolicy.Parse(text)
	if err != nil {
		at.Message = fmt.Sprintf("%s would not be a policy by IAM's grammar: %v", about.Name, err)
		at.Mend = unprovedMend
		o.problem(Unproved, at)
		o.unwieldy[s.ID] = true
		return
	}
	o.written[s.ID] = iampolicy.Named{Name: about.Name, Document: d}
	for _, f := range lintText(kind, text, d, about) {
		at.Message, at.Mend = f.Message, f.Mend
		if f.Statement < 0 {
			o.problem(f.Code, at)
			continue
		}
		meaning := d.Statements[f.Statement].Meaning()
		for _, part := range s.Parts {
			if slices.ContainsFunc(part.Pairs, func(p iampolicy.Pair) bool { return p.Meaning == meaning }) {
				at.Share, at.Source = part.Share, part.Source
				o.problem(f.Code, at)
			}
		}
	}
}
