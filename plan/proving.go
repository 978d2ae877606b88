package plan

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// What only a proof reads. Premise: plan, apply and drift compare documents and
// need no more than those; whether the documents have effect, a proof says, and
// for that it reads what else bears on them. So these reads are asked for apart
// (ForProof, KeyWants) and noted apart: one that is denied makes something "not
// checked", and fails nothing. Of it all, plan and apply read only the keys of
// buckets that they would open; see Openings.

// KeyWant is a KMS key to read.
type KeyWant struct {
	ID     string // as a bucket names it: an ARN, a key id or an alias
	Region string // empty: the account's
}

// Name is what a snapshot calls the key (see Snapshot.Keys), and the scopes of
// its reads. A key id or an alias is another key in each region.
func (w KeyWant) Name() string {
	if strings.HasPrefix(w.ID, "arn:") {
		return w.ID
	}
	return w.Region + "/" + w.ID
}

// ForProof returns the wants with what a proof reads beside.
func ForProof(wants []Want) []Want {
	wants = slices.Clone(wants)
	for i := range wants {
		wants[i].Proof = true
	}
	return wants
}

// KeyWants lists the keys that the buckets which were read are encrypted with
// by default, by the account that they are to be read in; those of accounts
// that are not among the given ones, not managed, or out of reach, cannot be
// read. Snapshots are those of wants that are ForProof, or EncryptionWants.
func KeyWants(snapshots map[string]*Snapshot, accounts []*specs.Account) []Want {
	wants := map[string]*Want{}
	eachKey(snapshots, func(key *BucketKey) {
		if s := snapshots[key.Owner]; s != nil && s.Failure(ScopeAccount) != nil {
			return
		}
		if !slices.ContainsFunc(accounts, func(a *specs.Account) bool { return a.ID == key.Owner && a.Manage }) {
			return
		}
		if wants[key.Owner] == nil {
			wants[key.Owner] = &Want{Account: key.Owner}
		}
		w, want := wants[key.Owner], key.Want()
		if !slices.Contains(w.Keys, want) {
			w.Keys = append(w.Keys, want)
		}
	})
	return inOrder(wants)
}

// inOrder are wants that were gathered by account, sorted.
func inOrder(wants map[string]*Want) []Want {
	list := make([]Want, 0, len(wants))
	for _, account := range sortedKeys(wants) {
		list = append(list, *wants[account])
	}
	return list
}

// eachKey calls f with the key of each bucket that has one, in a fixed order.
func eachKey(snapshots map[string]*Snapshot, f func(*BucketKey)) {
	for _, account := range sortedKeys(snapshots) {
		buckets := snapshots[account].Buckets
		for _, name := range sortedKeys(buckets) {
			if key := buckets[name].Key(account); key != nil {
				f(key)
			}
		}
	}
}

// BucketKey is the KMS key of a bucket's default encryption.
type BucketKey struct {
	ID     string // as the bucket names it
	IsARN  bool   // an ARN; else a key id or an alias, which S3 looks up in the account of who calls
	Alias  bool   // an alias, by its ARN or name
	Region string // of the key
	Owner  string // id of its account
}

// Want is the read of the key, in its owner's account.
func (k *BucketKey) Want() KeyWant { return KeyWant{ID: k.ID, Region: k.Region} }

// Key is the KMS key that a bucket of an account is encrypted with by default;
// nil where the bucket is not there, it names no key, or that was not read.
func (b *LiveBucket) Key(owner string) *BucketKey {
	if b == nil || b.Encryption == nil || !b.Encryption.KMS() || b.Encryption.Key == "" {
		return nil
	}
	key := &BucketKey{ID: b.Encryption.Key, Region: b.Region, Owner: owner}
	name := key.ID
	if a := iampolicy.CutARN(key.ID); a.Service == "kms" {
		key.IsARN, key.Region, key.Owner, name = true, a.Region, a.Account, a.Resource
	}
	key.Alias = strings.HasPrefix(name, "alias/")
	return key
}

// Encryption is a bucket's default encryption.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
type Encryption struct {
	Algorithm string // AES256, aws:kms or aws:kms:dsse
	Key       string // with aws:kms: an ARN, key id or alias; empty: AWS's own key for S3
	BucketKey bool   // S3 Bucket Keys: the encryption context is the bucket's ARN
}

// KMS reports whether objects are encrypted with a key of KMS.
func (e Encryption) KMS() bool { return strings.HasPrefix(e.Algorithm, "aws:kms") }

// LiveKey is a KMS key as read.
type LiveKey struct {
	ARN        string
	AWSManaged bool   // by AWS for one of its services; its policy cannot be changed
	State      string // KMS's word: Enabled, Disabled, PendingDeletion, …; empty: not read
	Gone       bool   // there is no such key
	Policy     []byte // nil: not read
	Grants     []KeyGrant
}

// KeyGrant is a grant of a key's.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
type KeyGrant struct {
	ID         string
	Grantee    string            // ARN of a principal, or a service's name
	Operations []string          // such as Decrypt
	Subset     map[string]string // what the encryption context must hold
	Equals     map[string]string // what it must be; nil: anything
	Source     string            // ARN of the resource that calls must be for; empty: any
}

// Ownership is who owns a bucket's objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
type Ownership string

// The settings of Object Ownership.
const (
	OwnershipUnread      Ownership = ""
	BucketOwnerEnforced  Ownership = "BucketOwnerEnforced"
	BucketOwnerPreferred Ownership = "BucketOwnerPreferred"
	ObjectWriter         Ownership = "ObjectWriter" // also of a bucket without a setting
)

// Organization is where an account stands in its organization.
type Organization struct {
	ID         string // o-…; empty: the account is in none, or that was not found out
	Path       string // as in aws:PrincipalOrgPaths: "o-…/r-…/ou-…/"; empty: not found out
	Management bool   // control policies do not touch this account
	// SCPs and RCPs are the control policies of each level, the root first and
	// the account last; nil where the organization has none of that kind in
	// force.
	SCPs [][]ControlPolicy
	RCPs [][]ControlPolicy
	// Unread says why they were not read; nil: they were.
	Unread *ReadFailure
}

// ControlPolicy is a service control policy or a resource control policy.
type ControlPolicy struct {
	ID       string
	Name     string
	Target   string // id of the root, unit or account that it is attached to
	Document []byte
}

// The scopes of reads that only a proof makes; see Snapshot.Unread.
const (
	ScopeAccountBlock  = "s3.AccountPublicAccessBlock"
	ScopeBucketBlock   = "s3.PublicAccessBlock/"
	ScopeOwnership     = "s3.OwnershipControls/"
	ScopeEncryption    = "s3.Encryption/"
	ScopeKey           = "kms.Key/"
	ScopeKeyPolicy     = "kms.KeyPolicy/"
	ScopeKeyGrants     = "kms.Grants/"
	ScopeManagedPolicy = "iam.ManagedPolicy/"
)

// NotRead returns why a read that only a proof makes gave no answer; nil: it
// was not made, or did.
func (s *Snapshot) NotRead(scope string) *ReadFailure {
	for i, f := range s.Unread {
		if f.Scope == scope {
			return &s.Unread[i]
		}
	}
	return nil
}

// ProofAccounts are the accounts whose place in their organization bears on the
// plan's grants, by id, sorted: the callers', the buckets' and the keys'; and
// more, for what is no grant.
func ProofAccounts(p *Plan, snapshots map[string]*Snapshot, more ...string) []string {
	in := map[string]bool{}
	for _, account := range more {
		in[account] = true
	}
	for _, g := range p.Grants {
		in[g.Consumer.Account.ID], in[g.Bucket.Account.ID] = true, true
	}
	eachKey(snapshots, func(key *BucketKey) { in[key.Owner] = true })
	return sortedKeys(in)
}

// JoinOrganizations notes in each account's snapshot where it stands.
func JoinOrganizations(snapshots map[string]*Snapshot, organizations map[string]*Organization) {
	for account, o := range organizations {
		if snapshots[account] == nil {
			snapshots[account] = &Snapshot{Account: account}
		}
		snapshots[account].Organization = o
	}
}
