package plan

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Want is what to read from one account. It grows with the resources of the
// plan, not with its shares.
type Want struct {
	Account   string
	Buckets   []BucketWant   // by name
	IAM       bool           // roles, managed policies, attachments and profiles, in bulk
	Search    bool           // roles and managed policies at least, for policies of ours that lead to a bucket
	Roles     []string       // names that IAM is read for
	Users     []string       // names of IAM users, which only a question is about; with their groups
	Policies  []string       // ARNs of managed policies that are to be there
	Profiles  []string       // names, whose tags are needed even where they hold no role
	Instances []InstanceWant // by region
	List      bool           // the names and regions of all its buckets
	// Sweep are regions to look for buckets and instances in that carry our
	// tag, whatever the steps are about; with it the account's buckets are
	// listed. With IAM set, all of IAM that is ours is found anyway.
	Sweep []string

	// Proof: also what only a proof needs of the buckets and roles above; see
	// ForProof. Encryption, of buckets that are known to be there, and Keys are
	// read whatever else is wanted.
	Proof      bool
	Encryption []BucketWant
	Keys       []KeyWant
}

// BucketWant is a bucket to read.
type BucketWant struct {
	Name   string
	Tags   bool // its tags, whatever its policy says
	Create bool // a spec says `create: true`: its marks and, when it is absent, whether another account has its name
	// Region is set for a bucket that is known to be there, from an earlier
	// read of the account: no need to list its buckets again.
	Region string
}

// InstanceWant is the instances to read in one region.
type InstanceWant struct {
	Region string
	IDs    []string // given by id in specs
	Named  bool     // also those that carry our tags
}

// Snapshot is what was read from one account. Of IAM it holds what is wanted,
// what is ours, and what these hang on: roles that have a policy of ours
// attached, the customer managed policies and boundaries of all those roles and
// users, and the profiles that hold one of the roles. What else there is, it leaves out.
type Snapshot struct {
	Account   string
	Buckets   map[string]*LiveBucket          // those wanted and, with a sweep, those that carry our tag, by name; absent: not there
	Listed    map[string]string               // region by name of all buckets of the account, where they were listed
	Taken     map[string]bool                 // names that are not in this account but are in another
	Roles     map[string]*LiveRole            // by name
	Users     map[string]*LiveUser            // those wanted, by name
	Policies  map[string]*LivePolicy          // customer managed, by ARN
	Profiles  map[string]*LiveInstanceProfile // by name
	Instances []*LiveInstance                 // not terminated
	Failures  []ReadFailure
	// Unsearched are buckets that a sweep could not look into, as their
	// policies could not be read.
	Unsearched []string

	// At is when its reading began; zero: that was not noted. Policies that hang
	// on dates are decided by it.
	At time.Time

	// What only a proof reads. All of it is nil or empty where it was not read,
	// and Unread says why, in the scopes of its own.
	PublicAccessBlock *PublicAccessBlock     // the account's
	Managed           map[string]*LivePolicy // AWS's managed policies that the wanted roles have, by ARN
	Keys              map[string]*LiveKey    // by KeyWant.Name
	Organization      *Organization
	Unread            []ReadFailure
}

// ReadFailure is a read that gave no answer. What it covers is unknown, which
// is not the same as absent.
type ReadFailure struct {
	Scope   string // ScopeAccount, ScopeIAM, ScopePolicy+name, ScopeS3, ScopeBucket+name, ScopeEC2+region, ScopeTags+region
	Code    string // AWS's error code, where there is one
	Message string
	Mend    string
}

// The scopes of read failures.
const (
	ScopeAccount = "account"
	ScopeIAM     = "iam"
	ScopePolicy  = "iam.Policy/" // a managed policy of the account's
	ScopeS3      = "s3"
	ScopeBucket  = "s3.Bucket/"
	ScopeEC2     = "ec2/"
	ScopeTags    = "tags/" // the search for what carries our tag; covers nothing that is wanted by name
)

// LiveBucket is a bucket as read.
type LiveBucket struct {
	Name   string
	Region string
	Policy []byte            // nil: it has none
	Tags   map[string]string // nil: not read; read only where Policy has no Sid of ours and the mark is asked for, or by a sweep
	// PublicAccessBlock is the bucket's own setting, read only where Policy is
	// public or for a proof; nil: not read. The account's adds to it.
	PublicAccessBlock *PublicAccessBlock
	Ownership         Ownership   // read for a proof only
	Encryption        *Encryption // likewise, or before a grant is opened on it; nil: not read
}

// PublicAccessBlock is what S3 blocks of a bucket's public access.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
type PublicAccessBlock struct {
	BlockPublicACLs       bool
	IgnorePublicACLs      bool
	BlockPublicPolicy     bool // a put of a public policy is refused
	RestrictPublicBuckets bool // while the policy is public, no other account gets in
}

// LiveRole is a role as read.
type LiveRole struct {
	Role
	UniqueID string            // AROA…
	Attached []string          // ARNs of managed policies, sorted
	Inline   map[string][]byte // documents by name
}

// LivePolicy is a customer managed policy as read.
type LivePolicy struct {
	Name           string
	ARN            string
	Document       []byte // of the default version
	DefaultVersion string
	Versions       []string          // ids, oldest first
	Tags           map[string]string // nil: not read; read only where Document has no Sid of ours and a step is about the policy
}

// LiveInstanceProfile is an instance profile as read.
type LiveInstanceProfile struct {
	InstanceProfile
	UniqueID string // AIPA…
}

// LiveInstance is an instance as read.
type LiveInstance struct {
	Instance
	ProfileID string // the unique id of its profile; empty: it has none, or its id is not known
}

// HasGone reports whether the profile that an instance has is one of that name
// which was deleted: AWS goes on naming it, and the instance has no credentials,
// also where another of that name was made since.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html
func (s *Snapshot) HasGone(in *LiveInstance, profile string) bool {
	if in.ProfileID == "" || profileName(in.ProfileARN) != profile || s.Failure(ScopeIAM) != nil {
		return false
	}
	live := s.Profiles[profile]
	return live == nil || live.UniqueID != "" && live.UniqueID != in.ProfileID
}

// Join takes what later reads found into the snapshots of their accounts.
func Join(snapshots, later map[string]*Snapshot) {
	for account, snapshot := range later {
		if snapshots[account] == nil {
			snapshots[account] = &Snapshot{Account: account}
		}
		snapshots[account].Add(snapshot)
	}
}

// Add takes what a later read of the same account found into the snapshot. Of what
// is the whole account's, such as its settings and the list of its buckets, the
// first read's stays.
func (s *Snapshot) Add(later *Snapshot) {
	add(&s.Buckets, later.Buckets)
	add(&s.Keys, later.Keys)
	add(&s.Roles, later.Roles)
	add(&s.Policies, later.Policies)
	add(&s.Managed, later.Managed)
	add(&s.Profiles, later.Profiles)
	s.Instances = append(s.Instances, later.Instances...)
	s.Failures = append(s.Failures, later.Failures...)
	s.Unread = append(s.Unread, later.Unread...)
}

func add[V any](to *map[string]V, more map[string]V) {
	if *to == nil && len(more) > 0 {
		*to = map[string]V{}
	}
	maps.Copy(*to, more)
}

// Failure returns the first failure that covers one of the scopes, or nil. A
// failure of the account covers all of it; one of "s3" every bucket, and one of
// "iam" every managed policy.
func (s *Snapshot) Failure(scope string) *ReadFailure {
	for i, f := range s.Failures {
		switch {
		case f.Scope == ScopeAccount, f.Scope == scope,
			f.Scope == ScopeS3 && strings.HasPrefix(scope, ScopeBucket),
			f.Scope == ScopeIAM && strings.HasPrefix(scope, ScopePolicy):
			return &s.Failures[i]
		}
	}
	return nil
}

// Wants lists what to read for the plan, by account, sorted. With sweep, every
// account of the repository is searched for what is ours, and none is left
// that was not searched. Without one, a plan of all shares still reads IAM of
// every account: a policy of ours there may lead to a bucket that a share has
// left, and nothing else tells of it. See Leads.
func (p *Plan) Wants(sweep bool) []Want {
	byAccount := map[string]*Want{}
	if sweep {
		for _, account := range p.searchable() {
			byAccount[account] = &Want{Account: account, IAM: true, Sweep: p.Regions}
		}
	}
	if p.whole && !sweep {
		for _, account := range p.searchable() {
			byAccount[account] = &Want{Account: account, Search: true}
		}
	}
	for _, s := range p.Steps {
		w := byAccount[s.Account]
		if w == nil {
			w = &Want{Account: s.Account}
			byAccount[s.Account] = w
		}
		switch want := s.Want.(type) {
		case Bucket:
			w.Buckets = append(w.Buckets, BucketWant{Name: s.Name, Create: !s.Existing})
		case Role:
			w.IAM = true
			w.Roles = append(w.Roles, want.Name)
		case Policy:
			w.IAM = true
			w.Policies = append(w.Policies, want.ARN)
		case InstanceProfile:
			w.Profiles = append(w.Profiles, want.Name)
		case Instance:
			w.instances(want.Region).Named = true
		case Association:
			in := w.instances(want.Region)
			in.IDs = append(in.IDs, want.InstanceID)
		}
	}
	wants := make([]Want, 0, len(byAccount))
	for _, w := range byAccount {
		slices.SortFunc(w.Instances, func(a, b InstanceWant) int { return strings.Compare(a.Region, b.Region) })
		wants = append(wants, *w)
	}
	slices.SortFunc(wants, func(a, b Want) int { return strings.Compare(a.Account, b.Account) })
	return wants
}

// searchable are the accounts of the repository that may be read.
func (p *Plan) searchable() []string {
	return append(sortedKeys(p.Accounts), p.NotSearched...)
}

func (w *Want) instances(region string) *InstanceWant {
	for i := range w.Instances {
		if w.Instances[i].Region == region {
			return &w.Instances[i]
		}
	}
	w.Instances = append(w.Instances, InstanceWant{Region: region})
	return &w.Instances[len(w.Instances)-1]
}
