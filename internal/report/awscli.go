package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// PlanAWSCLI writes a POSIX shell script of aws commands that do what apply
// would do, in the same order, one after the other. What apply would not do,
// and what is wrong, stands in its head as comments. commit is the specs', or
// empty; more are as in Plan. It is an error, and nothing is written, if a value
// is such that a command cannot have it, or not be seen to have it.
func PlanAWSCLI(w io.Writer, changes *plan.Changes, commit string, more []specs.Problem) error {
	o := foresee(changes)
	s := &script{plan: changes.Plan}
	tasks := o.tasks
	if changes.Stops() {
		tasks = nil
	}
	s.head(changes, tasks, commit)
	s.told(o, slices.Concat(more, changes.Problems))
	s.line("set -eu")
	switch {
	case changes.Stops():
		s.line("echo 'Nothing of this plan may be done: see the errors above.' >&2", "exit 1")
	case len(tasks) == 0:
		s.line("# There is nothing to do.")
	default:
		s.profiles(tasks)
	}
	account := ""
	for _, t := range tasks {
		if t.Change.Account != account {
			account = t.Change.Account
			s.line("", "# "+strings.Repeat("-", 20)+" "+place(s.plan, account), fmt.Sprintf(`use %s "$%s"`, account, s.profile(account)))
		}
		s.task(t)
	}
	if s.err != nil {
		return s.err
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// script is a shell script that is being written.
type script struct {
	strings.Builder
	plan *plan.Plan
	step string // what is being written, for errors
	err  error  // why there cannot be a script; the first of all
}

func (s *script) line(lines ...string) {
	for _, line := range lines {
		s.WriteString(line + "\n")
	}
}

// comment writes a text from wherever as comments.
func (s *script) comment(lead, text string) {
	const width = 78
	rest := strings.Repeat(" ", len(lead))
	for i, line := range wrap(clean(text), width-len(lead), width-len(lead)) {
		if i > 0 {
			lead = rest
		}
		s.line(strings.TrimRight("# "+lead+line, " "))
	}
}

// refuse notes that there cannot be a script.
func (s *script) refuse(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("--format awscli: %s has %s: there is no script that does it safely: use `xshare apply`", s.step, fmt.Sprintf(format, args...))
	}
}

func (s *script) head(changes *plan.Changes, tasks []*executor.Task, commit string) {
	of := "repository " + changes.Plan.Repository
	if commit != "" {
		of += ", commit " + commit
	}
	s.line("#!/bin/sh")
	s.comment("", "What `xshare apply` would do by a plan of "+of+", as commands of the aws CLI.")
	if len(tasks) == 0 {
		s.line("#")
		return
	}
	s.line("#")
	s.comment("", "It does what was to be done when the plan was made, and lacks what apply does besides:")
	s.comment("- ", "A bucket policy is put whole, with the statements of others as they were then: what anybody has written since is lost. apply reads it anew, merges, and reads it back.")
	s.comment("- ", "That a resource is still ours, or still absent, is not checked; there is no lock; and access is not computed again.")
	s.comment("- ", "That a new bucket has what AWS gives every new one (no public access, no ACLs, encryption) is not checked.")
	s.comment("- ", "AWS may take some seconds to hear of a role or an instance profile everywhere. apply tries again; this waits only where the aws CLI has a command for it, and stops at errors such as \"Invalid principal in policy\".")
	s.line("#")
	s.comment("", "So run it soon, and once. It stops at the first error, and what it has done stays done: go on with a new plan then, not with this one.")
	s.line("#")
}

// told writes what is wrong and what is left out, if anything.
func (s *script) told(o outlook, problems []specs.Problem) {
	errors, warnings := split(problems)
	for _, p := range errors {
		s.comment("error: ", placeOf(p)+colonBefore(p.Message, p.Mend))
	}
	for _, p := range warnings {
		s.comment("warning: ", placeOf(p)+colonBefore(p.Message, p.Mend))
	}
	var left []string
	for _, c := range o.changes.Steps {
		if !c.Differs() {
			continue
		}
		reasons := o.blocked(c)
		switch {
		case len(reasons) > 0:
			left = append(left, resource(c)+because(reasons))
		case c.Action == plan.Error:
			left = append(left, resource(c)+" "+trouble(c, o.codes[c.ID]))
		case c.Action == plan.Adopt && !o.changes.Options.Adopt:
			left = append(left, resource(c)+" is taken over only with --adopt")
		default:
			for i, part := range c.Parts {
				if reasons := o.blockedPart(c, i); len(reasons) > 0 {
					left = append(left, resource(c)+", for "+grant(part)+because(reasons))
				}
			}
			continue
		}
		left[len(left)-1] += ", in " + place(s.plan, c.Account)
	}
	for _, text := range left {
		s.comment("not in here: ", text)
	}
	if len(errors)+len(warnings)+len(left) > 0 {
		s.line("#")
	}
}

// profiles writes what names the credentials of each account, and what sees
// that they are.
func (s *script) profiles(tasks []*executor.Task) {
	s.line("AWS_PAGER=", "export AWS_PAGER", "")
	s.comment("", "The profile of the aws CLI for each account: name them in the environment.")
	var accounts []string
	for _, t := range tasks {
		if !slices.Contains(accounts, t.Change.Account) {
			accounts = append(accounts, t.Change.Account)
		}
	}
	slices.Sort(accounts)
	for _, account := range accounts {
		as := place(s.plan, account)
		if a := s.plan.Accounts[account]; a != nil && a.DeployRole != "" && a.DeployRole != "none" {
			as += ", where apply has role " + a.DeployRole
		}
		s.comment("", as)
		s.line(fmt.Sprintf(`: "${%s:?is to be the profile for account %s}"`, s.profile(account), account))
	}
	s.line("")
	s.comment("", "use ACCOUNT PROFILE: what follows is done with that profile, if it is of that account.")
	s.line(
		"use() {",
		"\tprofile=$2",
		`	account=$(aws --profile "$profile" sts get-caller-identity`+s.region(accounts[0])+` --query Account --output text)`,
		`	if [ "$account" != "$1" ]; then`,
		`		echo "profile $profile is of account $account, not $1" >&2`,
		"\t\texit 1",
		"\tfi",
		"}",
	)
}

// region is the option that names the region of services that have none of
// their own.
func (s *script) region(account string) string {
	region := s.regionOf(account, "")
	if region == "" {
		return ""
	}
	return " --region " + s.word(region)
}

// regionOf is a region to call an account in: that of the resource, or the
// account's.
func (s *script) regionOf(account, region string) string {
	if region == plan.GlobalRegion {
		region = ""
	}
	if a := s.plan.Accounts[account]; region == "" && a != nil {
		region = a.Region
	}
	if region == "" && len(s.plan.Regions) > 0 {
		region = s.plan.Regions[0]
	}
	return region
}

// profile is the name of the variable with an account's profile.
func (s *script) profile(account string) string {
	if !iampolicy.IsAccountID(account) {
		s.refuse("%q, which is no account", account)
	}
	return "PROFILE_" + account
}

// task writes the commands of one write.
func (s *script) task(t *executor.Task) {
	c := t.Change
	s.step = resource(c) + " in " + c.Account
	sign, _ := symbol(c.Action)
	text := sign + " " + resource(c)
	switch t.Phase {
	case executor.PhaseClose:
		text += ": what it loses"
	case executor.PhaseOpen:
		text += ": what it gains"
	}
	s.line("")
	s.comment("", text)
	if c.Action == plan.Delete && c.Type != plan.TypeBucketPolicy {
		s.remove(c)
		return
	}
	switch want := c.Want.(type) {
	case plan.Bucket:
		s.bucket(c, want)
	case plan.BucketPolicy:
		s.bucketPolicy(c, want)
	case plan.Role:
		s.role(c, want)
	case plan.Policy:
		s.policy(c, want)
	case plan.Attachment:
		s.iam(c, "attach-role-policy", s.given("--role-name", want.Role), s.given("--policy-arn", want.PolicyARN))
	case plan.InstanceProfile:
		s.instanceProfile(c, want)
	case plan.Instance:
		s.instance(c, want)
	case plan.Association:
		s.association(c, want)
	default:
		s.refuse("a %T, which this version knows no commands for", want)
	}
}

// command is a command of the aws CLI, an option a line.
func (s *script) command(c *plan.Change, service, operation, region string, options ...option) string {
	text := `aws --profile "$profile" ` + service + " " + operation
	if region = s.regionOf(c.Account, region); region != "" {
		options = append(options, s.given("--region", region))
	}
	for _, o := range options {
		if o.name != "" {
			text += " \\\n\t" + strings.TrimRight(o.name+" "+o.words, " ")
		}
	}
	return text
}

func (s *script) iam(c *plan.Change, operation string, options ...option) {
	s.line(s.command(c, "iam", operation, "", options...))
}

func (s *script) s3(c *plan.Change, region, operation string, options ...option) {
	s.line(s.command(c, "s3api", operation, cmp.Or(region, c.Region), options...))
}

func (s *script) ec2(c *plan.Change, operation string, options ...option) {
	s.line(s.command(c, "ec2", operation, c.Region, options...))
}

// taken sets a variable to what a command of EC2's answers.
func (s *script) taken(variable string, c *plan.Change, operation, query string, options ...option) {
	options = append(options, option{"--query", quoted(query)}, option{"--output", "text"})
	s.line(variable + "=$(" + s.command(c, "ec2", operation, c.Region, options...) + ")")
}
