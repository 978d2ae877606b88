package plan

import (
	"slices"

	"github.com/xshare/xshare/specs"
)

// What is looked at before a grant is opened.
//
// Premise: a bucket that is there already may be encrypted with a key of KMS
// that keeps the consumer out, and then a grant that is written is one that
// does not work. Compare knows what the run would open only after it has
// compared, and a run that opens nothing is to read nothing more. So it is
// three steps: Openings tells what would be opened; encryption and keys are
// read (EncryptionWants, then KeyWants); and Compare, told what was refused,
// compares anew without that.

// Refusal is a grant that must not be opened: what its part of the bucket
// policy would gain is not written, and the rest of the policy is.
type Refusal struct {
	Share    string
	Consumer string          // account/role
	Problems []specs.Problem // why; errors
}

// Openings are the grants that the changes would open something of on buckets
// that are there, in the plan's order. A bucket that is yet to be created is
// encrypted as AWS encrypts new ones, with no key of KMS.
func Openings(c *Changes, snapshots map[string]*Snapshot) []Grant {
	type id struct{ policy, share, consumer string }
	opens := map[id]bool{}
	for _, change := range c.Steps {
		if change.Type != TypeBucketPolicy || snapshots[change.Account] == nil || snapshots[change.Account].Buckets[change.Name] == nil {
			continue
		}
		for _, part := range change.Parts {
			if len(part.Gain) > 0 {
				opens[id{change.ID, part.Share, part.Consumer}] = true
			}
		}
	}
	if len(opens) == 0 {
		return nil
	}
	var grants []Grant
	for _, g := range c.Plan.Grants {
		if opens[id{g.BucketPolicy(), g.Share, consumerName(g.Consumer)}] {
			grants = append(grants, g)
		}
	}
	return grants
}

// BucketPolicy is the id of the step that the grant is opened by.
func (g Grant) BucketPolicy() string {
	return StepID(TypeBucketPolicy, g.Bucket.Account.ID, "", g.Bucket.Name)
}

// EncryptionWants are the reads of the default encryption of the grants'
// buckets, as far as it was not read yet, by account, sorted. The buckets are
// those of Openings.
func EncryptionWants(grants []Grant, snapshots map[string]*Snapshot) []Want {
	wants, asked := map[string]*Want{}, map[*LiveBucket]bool{}
	for _, g := range grants {
		account := g.Bucket.Account.ID
		bucket := snapshots[account].Buckets[g.Bucket.Name]
		if bucket.Encryption != nil || asked[bucket] {
			continue
		}
		asked[bucket] = true
		if wants[account] == nil {
			wants[account] = &Want{Account: account}
		}
		wants[account].Encryption = append(wants[account].Encryption, BucketWant{Name: bucket.Name, Region: bucket.Region})
	}
	return inOrder(wants)
}

// JoinKeys takes what was read of encryption and keys into the snapshots of
// their accounts. What could not be read fails nothing, so all of it is noted
// among Unread: also that an account could not be reached in which only a key is
// wanted.
func JoinKeys(snapshots, later map[string]*Snapshot) {
	for _, account := range sortedKeys(later) {
		read := later[account]
		if snapshots[account] == nil {
			snapshots[account] = &Snapshot{Account: account}
		}
		s := snapshots[account]
		for name, b := range read.Buckets {
			if s.Buckets[name] != nil {
				s.Buckets[name].Encryption = b.Encryption
			}
		}
		s.Add(&Snapshot{Keys: read.Keys, Unread: slices.Concat(read.Unread, read.Failures)})
	}
}

// refusals are the problems of the grants that must not be opened.
type refusals map[[2]string][]specs.Problem // by share and consumer

func newRefusals(list []Refusal) refusals {
	r := make(refusals, len(list))
	for _, refusal := range list {
		r[[2]string{refusal.Share, refusal.Consumer}] = refusal.Problems
	}
	return r
}

// of are why a part of a step must not be opened; none: it may be.
func (r refusals) of(t Type, part Part) []specs.Problem {
	if t != TypeBucketPolicy || !part.Selected {
		return nil
	}
	return r[[2]string{part.Share, part.Consumer}]
}

// tellRefused reports why parts of a bucket policy are not opened. Where there
// is nothing else to do, the change cannot be done.
func (c *comparer) tellRefused(change *Change, parts []Part) {
	for _, part := range parts {
		problems := c.refused.of(change.Type, part)
		if len(problems) == 0 {
			continue
		}
		c.out.Problems = append(c.out.Problems, problems...)
		if change.Action == Noop {
			change.Action = Error
		}
	}
}
