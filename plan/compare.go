package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// Compare sets the plan's steps against the snapshots of their accounts, by
// account id. What is ours in them and no spec states any more becomes changes
// too: statements and attachments. The result is sorted and depends on nothing
// but the input.
func Compare(p *Plan, snapshots map[string]*Snapshot, opts Options) *Changes {
	c := &comparer{
		plan: p, snapshots: snapshots,
		out:      &Changes{Plan: p, Options: opts},
		reported: map[string]bool{}, marked: map[string]bool{}, impossible: map[string]bool{},
		foldedNames: map[string]map[string]string{}, refused: newRefusals(opts.Refused),
	}
	for _, step := range p.Steps {
		c.step(step)
	}
	c.unsearched()
	c.unstatedPolicies()
	c.unstatedAttachments()
	if opts.Prune {
		c.prune()
	}
	c.orderLosses()
	c.orderMoves()
	c.sort()
	return c.out
}

type comparer struct {
	plan      *Plan
	snapshots map[string]*Snapshot
	out       *Changes
	reported  map[string]bool // read failures that are among the problems already, by account and scope
	marked    map[string]bool // ARNs of managed policies that are ours

	impossible  map[string]bool              // ids of buckets' steps that cannot be done
	foldedNames map[string]map[string]string // see folded
	refused     refusals
}

func (c *comparer) step(s *Step) {
	change := &Change{
		ID: s.ID, Type: s.Type, Account: s.Account, Region: s.Region, Name: s.Name,
		Needs: s.Needs, After: s.After, Shares: s.Shares, Want: s.Want,
		Existing: s.Existing, Source: s.Source, Action: Noop,
	}
	c.out.Steps = append(c.out.Steps, change)
	snap := c.snapshots[s.Account]
	if snap == nil {
		snap = &Snapshot{Failures: []ReadFailure{{Scope: ScopeAccount, Message: "the account was not read"}}}
	}
	if f := snap.Failure(scopeOf(change)); f != nil {
		c.unread(change, f)
		c.lostFromUnread(change, s)
		return
	}
	switch want := s.Want.(type) {
	case Bucket:
		c.bucket(change, want, snap)
		c.impossible[change.ID] = change.Action == Error
	case BucketPolicy:
		c.bucketPolicy(change, want, s, snap)
	case Role:
		c.role(change, want, snap)
	case Policy:
		c.policy(change, want, s, snap)
	case Attachment:
		c.attachment(change, want, snap)
	case InstanceProfile:
		c.instanceProfile(change, want, snap)
	case Instance:
		c.instance(change, want, snap)
	case Association:
		c.association(change, want, snap)
	}
	if change.Before != nil && change.LiveDigest == "" {
		change.LiveDigest = digestJSON(change.Before)
	}
}

// scopeOf is the scope of reads that a change's live state comes from.
func scopeOf(c *Change) string {
	switch c.Type {
	case TypeBucket, TypeBucketPolicy:
		return ScopeBucket + c.Name
	case TypePolicy:
		return ScopePolicy + c.Name
	case TypeInstance, TypeAssociation:
		return ScopeEC2 + c.Region
	default:
		return ScopeIAM
	}
}

// CodeUnreadable is the code of the problem that an account, or something in it,
// could not be read. It is told once for all that it covers.
const CodeUnreadable = "unreadable"

// unread makes the change an error: what could not be read is unknown, and
// unknown is never taken for absent. Each failure is reported once.
func (c *comparer) unread(change *Change, f *ReadFailure) {
	change.Action = Error
	key := change.Account + "/" + f.Scope
	if c.reported[key] {
		return
	}
	c.reported[key] = true
	p := specs.Problem{
		Code: CodeUnreadable, Severity: specs.SeverityError, Account: change.Account,
		Message: unreadMessage(change.Account, f), Mend: f.Mend,
	}
	if account := c.plan.Accounts[change.Account]; account != nil {
		p.Source = account.Pos
	}
	if f.Scope != ScopeAccount && f.Scope != ScopeIAM && f.Scope != ScopeS3 {
		p.Step = change.ID
	}
	c.out.Problems = append(c.out.Problems, p)
}

// unsearched reports what could not be read and that no step is about: what a
// sweep searches, buckets that were led to, and policies that may lead to one.
// Accounts that are in a sweep only are left to whoever asked for it.
func (c *comparer) unsearched() {
	for _, account := range sortedKeys(c.snapshots) {
		if slices.Contains(c.plan.NotSearched, account) {
			c.notSearched(account)
			continue
		}
		if c.plan.Accounts[account] == nil {
			continue
		}
		for i := range c.snapshots[account].Failures {
			c.unread(&Change{Account: account}, &c.snapshots[account].Failures[i])
		}
	}
}

// notSearched warns of an account that no step is in and that could not be read:
// nothing that a spec states needs it, but a share may have left something open
// that only its policies lead to.
func (c *comparer) notSearched(account string) {
	for i := range c.snapshots[account].Failures {
		f := &c.snapshots[account].Failures[i]
		c.out.Problems = append(c.out.Problems, specs.Problem{
			Code: CodeNotSearched, Severity: specs.SeverityWarning, Account: account,
			Message: unreadMessage(account, f) + "; what shares of the past may have left open there, or in buckets that its policies lead to, is not known",
			Mend:    f.Mend,
		})
	}
}

// CodeNotSearched is the code of the problem that an account in which no step is
// could not be searched for what shares have left.
const CodeNotSearched = "not-searched"

func unreadMessage(account string, f *ReadFailure) string {
	what := "account " + account
	switch {
	case f.Scope == ScopeIAM:
		what = "IAM of " + what
	case f.Scope == ScopeS3:
		what = "the buckets of " + what
	case strings.HasPrefix(f.Scope, ScopePolicy):
		what = "managed policy " + strings.TrimPrefix(f.Scope, ScopePolicy) + " of " + what
	case strings.HasPrefix(f.Scope, ScopeBucket):
		what = "bucket " + strings.TrimPrefix(f.Scope, ScopeBucket) + " of " + what
	case strings.HasPrefix(f.Scope, ScopeEC2):
		what = "instances of " + what + " in " + strings.TrimPrefix(f.Scope, ScopeEC2)
	case strings.HasPrefix(f.Scope, ScopeTags):
		what = "the buckets with our tag of " + what + " in " + strings.TrimPrefix(f.Scope, ScopeTags)
	}
	return fmt.Sprintf("%s cannot be read: %s", what, f.Message)
}

// lostFromUnread lists the parts of a policy that could not be read, so that
// reports name the grants that wait for it.
func (c *comparer) lostFromUnread(change *Change, s *Step) {
	for _, part := range s.Parts {
		if part.Selected {
			change.Parts = append(change.Parts, PartChange{
				Share: part.Share, Consumer: part.Consumer, Action: Error, Needs: part.Needs, After: part.After,
			})
		}
	}
}

// problem reports what is wrong with a change; as an error it stops the change.
func (c *comparer) problem(change *Change, severity specs.Severity, code, message, mend string) {
	if severity == specs.SeverityError {
		change.Action = Error
	}
	p := specs.Problem{
		Code: code, Severity: severity, Account: change.Account, Step: change.ID,
		Source: change.Source, Message: message, Mend: mend,
	}
	if len(change.Shares) == 1 {
		p.Share = change.Shares[0]
	}
	c.out.Problems = append(c.out.Problems, p)
}

func (c *comparer) fail(change *Change, code, message, mend string) {
	c.problem(change, specs.SeverityError, code, message, mend)
}

// owner tells whose a resource is by its mark.
type owner int

const (
	nobody owner = iota
	ours
	other // another repository's
)

func (c *comparer) tagOwner(tags map[string]string) owner {
	switch _, ok := tags[RepositoryTag]; {
	case !ok:
		return nobody
	case c.plan.Marked(tags):
		return ours
	default:
		return other
	}
}

// docOwner tells whose a policy document is by the Sids in it.
func (c *comparer) docOwner(d *iampolicy.Document) owner {
	found := nobody
	for _, s := range d.Statements {
		if c.plan.Ours(s.Sid) {
			return ours
		}
		if iampolicy.IsMark(s.Sid) {
			found = other
		}
	}
	return found
}

// policyOwner tells whose a managed policy is: by the Sids in its document, and
// where those tell nothing by its tag, as after somebody replaced the document.
// It also names that mark.
func (c *comparer) policyOwner(p *LivePolicy, document *iampolicy.Document) (who owner, mark string) {
	if who := c.docOwner(document); who != nobody {
		return who, "by its Sids"
	}
	return c.tagOwner(p.Tags), RepositoryTag + "=" + p.Tags[RepositoryTag]
}

// owned settles what to do with a resource that exists and that a spec would
// create: nothing more for ours, adopt for an unmarked one, an error for
// another repository's. It reports whether the resource is to be compared.
func (c *comparer) owned(change *Change, who owner, mark string) bool {
	switch who {
	case other:
		c.fail(change, "other-repository",
			fmt.Sprintf("%s %s belongs to another xshare repository (%s)", noun(change.Type), change.Name, mark),
			"use another name, or take it out of that repository; if this is that repository's new name, list the old one in formerNames")
		return false
	case nobody:
		change.Action = Adopt
		if !c.out.Options.Adopt {
			c.problem(change, specs.SeverityWarning, "not-ours",
				fmt.Sprintf("%s %s exists and carries no mark of ours", noun(change.Type), change.Name),
				"take it over with --adopt, or "+otherwise(change.Type))
		}
	}
	return true
}

// otherwise is what can be done about an unmarked resource but to adopt it, in
// the words of the specs.
func otherwise(t Type) string {
	switch t {
	case TypePolicy:
		return "give the consumer another `policyName`"
	case TypeInstanceProfile:
		return "name another profile in `instanceProfile`"
	}
	return "use another name, or drop `create: true` to use it as it is"
}

// noun is what people call a resource of this type.
func noun(t Type) string {
	return map[Type]string{
		TypeBucket: "bucket", TypeBucketPolicy: "bucket policy", TypeRole: "role", TypePolicy: "managed policy",
		TypeAttachment: "attachment", TypeInstanceProfile: "instance profile",
		TypeInstance: "instance", TypeAssociation: "instance profile association",
	}[t]
}

// update marks a change as an update unless it is more than that already.
func (c *Change) update() {
	if c.Action == Noop {
		c.Action = Update
	}
}

// sort puts changes in dependency order, deletes last, and problems by
// severity, account and step, so that the same input gives the same bytes.
func (c *comparer) sort() {
	slices.SortStableFunc(c.out.Steps, func(a, b *Change) int {
		if n := changeRank(a) - changeRank(b); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	slices.SortStableFunc(c.out.Problems, func(a, b specs.Problem) int {
		return strings.Compare(problemKey(a), problemKey(b))
	})
}

// changeRank is the place of a change in the order; what is deleted comes
// last, each after what holds on to it.
func changeRank(c *Change) int {
	if c.Want != nil || c.Type == TypeBucketPolicy {
		return rank(c.Type)
	}
	return rank(TypeBucketPolicy) + 1 + slices.Index([]Type{
		TypeAttachment, TypeInstance, TypeInstanceProfile, TypeRole, TypePolicy, TypeBucket,
	}, c.Type)
}

func problemKey(p specs.Problem) string {
	return strings.Join([]string{string(p.Severity), p.Account, p.Step, p.Source.String(), p.Code, p.Message}, "\x00")
}

// digestJSON is the digest of a live state in the plan document.
func digestJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("plan: %T does not marshal: %v", v, err)) // resources are plain data
	}
	return digest(text)
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
