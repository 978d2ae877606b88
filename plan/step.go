// Package plan turns shares into dependency-ordered steps, and steps and
// snapshots of live accounts into changes. It is pure: data in, data out.
package plan

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Type is a kind of resource that a step states.
type Type string

// The step types.
const (
	TypeBucket          Type = "s3.Bucket"
	TypeBucketPolicy    Type = "s3.BucketPolicy"
	TypeRole            Type = "iam.Role"
	TypePolicy          Type = "iam.Policy"
	TypeAttachment      Type = "iam.RolePolicyAttachment"
	TypeInstanceProfile Type = "iam.InstanceProfile"
	TypeInstance        Type = "ec2.Instance"
	TypeAssociation     Type = "ec2.InstanceProfileAssociation"
)

// GlobalRegion is the region of IAM's steps: IAM has one control plane a partition.
const GlobalRegion = "aws-global"

// Step is the desired state of one resource.
type Step struct {
	ID      string
	Type    Type
	Account string // 12 digits
	Region  string // GlobalRegion for IAM; empty for an existing bucket whose region no spec states
	Name    string // without path; an attachment's is role/policy

	// Needs are the steps without which this one cannot be done; a failure
	// there blocks it. After are steps that it is done after where they are
	// done at all; their failure does not block it. Both hold ids, sorted.
	Needs []string
	After []string

	Shares []string // the shares that state it, sorted
	Parts  []Part   // of a step whose document several grants share, in the order of share and consumer
	// Elsewhere is what grants outside --only give a permissions policy's role,
	// in whatever policy: if it is live in this one, it stays.
	Elsewhere []iampolicy.Pair
	Want      Resource // the desired state; for a policy without its statements, which the parts hold
	Source    specs.Pos

	// Existing: no spec says `create: true`, so the resource must be there
	// already and is never configured.
	Existing bool
}

// Part is what one grant contributes to a step that several grants share.
type Part struct {
	Share    string
	Consumer string // account/role
	Needs    []string
	After    []string
	Pairs    []iampolicy.Pair
	Selected bool // false: outside --only; keeps its live form
	Source   specs.Pos
}

// Plan is all the steps of a repository, each after the steps that it needs.
type Plan struct {
	Repository  string
	FormerNames []string
	Partition   string
	Steps       []*Step
	Grants      []Grant

	// Accounts are the accounts that the steps are in, by id.
	Accounts map[string]*specs.Account
	// Aliases are those of all accounts of the repository, by id.
	Aliases map[string]string
	// NotSearched are the accounts of the repository, by id, that no step is in
	// and in which only a sweep searches for whole resources.
	NotSearched []string
	// Regions are all that the repository names, sorted.
	Regions []string

	byID   map[string]*Step
	stated map[string]bool // ids of all steps of the repository, --only or not
	shared map[string]bool // names of the buckets of all shares, --only or not
	whole  bool            // no share is left out
}

// Grant is one consumer's access within a share, with the ids of all that it
// stands on. A side in an account that is not ours to manage has no steps.
type Grant struct {
	Share    string
	Consumer *specs.Consumer
	Bucket   specs.Bucket
	RoleARN  string
	Pairs    []iampolicy.Pair // of the bucket policy; principal is RoleARN
	Policies []string         // step ids of the permissions policies that hold it
	Source   specs.Pos
}

// Step returns the step with this id, or nil.
func (p *Plan) Step(id string) *Step { return p.byID[id] }

func (p *Plan) index() {
	p.byID = make(map[string]*Step, len(p.Steps))
	for _, s := range p.Steps {
		p.byID[s.ID] = s
	}
}

// Ours reports whether a Sid is this repository's mark, under its name or a
// former one.
func (p *Plan) Ours(sid string) bool {
	if !iampolicy.IsMark(sid) {
		return false
	}
	if strings.HasPrefix(sid, iampolicy.MarkPrefix(p.Repository)) {
		return true
	}
	for _, name := range p.FormerNames {
		if strings.HasPrefix(sid, iampolicy.MarkPrefix(name)) {
			return true
		}
	}
	return false
}

// Marked reports whether tags carry this repository's mark, under its name or a
// former one.
func (p *Plan) Marked(tags map[string]string) bool {
	mark, ok := tags[RepositoryTag]
	return ok && (mark == p.Repository || slices.Contains(p.FormerNames, mark))
}

// StepID builds a step's id: type/account/[region/]name, the region only for
// EC2's types.
func StepID(t Type, account, region, name string) string {
	if strings.HasPrefix(string(t), "ec2.") {
		return string(t) + "/" + account + "/" + region + "/" + name
	}
	return string(t) + "/" + account + "/" + name
}
