package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// How a document that many grants share is compared.
//
// Premise: a document is one write, but a grant must stand alone, and access
// that both the old and the new specs give must never pause. So the document
// is taken apart into atoms (one action, one resource, one principal), and
// every atom belongs to the parts that state it. From there all is sets:
//
//	live    atoms of statements with our mark
//	stated  atoms of the selected parts
//	kept    live atoms of parts that are not selected: they keep their live form
//	gain    stated - live, by part; a part's gain waits for the part's needs, and
//	        that of a part that is refused (see Options) is not written
//	lose    live - stated - kept; nobody states it, and a loss waits for nothing
//
// An atom that is live and whose principal has both selected and unselected
// parts stays only if one of them states it: closing wins.

// byBucket tells the parts of a permissions policy apart, and byPrincipal those
// of a bucket policy.
func byBucket(p iampolicy.Pair) string    { return bucketOf(p.Statement) }
func byPrincipal(p iampolicy.Pair) string { return p.Principal }

// statements compares the parts of a step with the live document. belongs maps
// a live pair to the name that parts are told apart by, and whose such a name
// to the consumer who loses what no part states.
func (c *comparer) statements(change *Change, parts []Part, live *iampolicy.Document, belongs func(iampolicy.Pair) string, whose func(name string) string) {
	change.LivePairs = iampolicy.Pairs(live, c.plan.Ours)
	isLive := map[iampolicy.Atom]bool{}
	each(change.LivePairs, func(a iampolicy.Atom) { isLive[a] = true })
	stated := map[iampolicy.Atom]bool{} // by any part
	selected, unselected := map[string]bool{}, map[string]bool{}
	for _, part := range parts {
		each(part.Pairs, func(a iampolicy.Atom) { stated[a] = true })
		for _, p := range part.Pairs {
			if part.Selected {
				selected[belongs(p)] = true
			} else {
				unselected[belongs(p)] = true
			}
		}
	}
	lost := map[string][]iampolicy.Pair{}
	for _, p := range change.LivePairs {
		name := belongs(p)
		kept := unselected[name] && !selected[name]
		gone := p.Restrict(func(a iampolicy.Atom) bool { return iampolicy.IsEntityID(a.Principal) || !stated[a] && !kept })
		change.Lose = append(change.Lose, gone...)
		if len(gone) > 0 {
			lost[name] = append(lost[name], gone...)
		}
	}
	for _, part := range parts {
		if !part.Selected {
			continue
		}
		pc := PartChange{
			Share: part.Share, Consumer: part.Consumer, Action: Noop, Needs: part.Needs, After: part.After, Pairs: part.Pairs,
		}
		had := false
		for _, p := range part.Pairs {
			gain := p.Restrict(func(a iampolicy.Atom) bool { return !isLive[a] })
			pc.Gain = append(pc.Gain, gain...)
			had = had || len(gain) == 0 || gain[0].Meaning != p.Meaning
			// What a principal loses is shown with the first of its parts.
			pc.Lose = append(pc.Lose, lost[belongs(p)]...)
			delete(lost, belongs(p))
		}
		switch {
		case len(pc.Gain) > 0 && len(c.refused.of(change.Type, part)) > 0:
			pc.Action, pc.Gain = Error, nil
		case len(pc.Gain) > 0 && !had && len(pc.Lose) == 0:
			pc.Action = Create
		case len(pc.Gain) > 0 || len(pc.Lose) > 0:
			pc.Action = Update
		}
		change.Parts = append(change.Parts, pc)
	}
	for _, name := range sortedKeys(lost) {
		change.Parts = append(change.Parts, PartChange{Consumer: whose(name), Action: Delete, Lose: lost[name]})
	}
	change.Renew = c.needsRenewal(live)
	change.LiveDigest = digestOurs(live, c.plan.Ours)
}

// needsRenewal reports whether a statement of ours carries a former name's mark.
func (c *comparer) needsRenewal(live *iampolicy.Document) bool {
	current := iampolicy.MarkPrefix(c.plan.Repository)
	return live != nil && slices.ContainsFunc(live.Statements, func(s iampolicy.Statement) bool {
		return c.plan.Ours(s.Sid) && !strings.HasPrefix(s.Sid, current)
	})
}

// gains reports whether any part gains something.
func (c *Change) gains() bool {
	return slices.ContainsFunc(c.Parts, func(p PartChange) bool { return len(p.Gain) > 0 })
}

func (c *comparer) bucketPolicy(change *Change, want BucketPolicy, s *Step, snap *Snapshot) {
	var text []byte
	if bucket := snap.Buckets[want.Bucket]; bucket != nil {
		text, change.Region = bucket.Policy, bucket.Region
	}
	live, ok := c.parseLive(change, text)
	if !ok {
		return
	}
	c.statements(change, s.Parts, live, byPrincipal, consumerOf)
	c.freeLosses(change)
	c.finishBucketPolicy(change, want.Bucket, live)
	c.tellRefused(change, s.Parts)
}

// freeLosses lets a bucket's step that cannot be done, for a wrong region in the
// spec, hold back only what its policy gains. One with something to lose is there.
func (c *comparer) freeLosses(change *Change) {
	if len(change.Lose) == 0 || !slices.ContainsFunc(change.Needs, func(id string) bool { return c.impossible[id] }) {
		return
	}
	for i, part := range change.Parts {
		if len(part.Gain) > 0 {
			change.Parts[i].Needs = sortedSet(slices.Concat(part.Needs, change.Needs))
		}
	}
	change.Needs = nil
}

// finishBucketPolicy settles the action and the forecast of a bucket policy
// whose pairs are compared.
func (c *comparer) finishBucketPolicy(change *Change, bucket string, live *iampolicy.Document) {
	after := change.Statements(c.plan.Repository, func(PartChange) bool { return true })
	dropped := c.dropDead(change)
	document, err := change.Merge(change.Live, c.plan.Ours, after)
	if err != nil {
		c.fail(change, "unmergeable", fmt.Sprintf("the policy of bucket %s cannot be merged: %v", bucket, err), "mend the policy by hand")
		return
	}
	if change.Live != nil {
		change.Before = BucketPolicy{Bucket: bucket, Region: change.Region, Document: change.Live}
	}
	change.Want = BucketPolicy{Bucket: bucket, Region: change.Region, Ours: after, Document: document}
	switch {
	case !change.gains() && len(change.Lose) == 0 && !change.Renew && !change.DropDead:
		change.Want = BucketPolicy{Bucket: bucket, Region: change.Region, Ours: after, Document: change.Live}
		c.foreignDead(change, live, specs.SeverityWarning)
		return
	case change.Live == nil:
		change.Action = Create
	case document == nil:
		change.Action = Delete
	default:
		change.Action = Update
	}
	for _, d := range dropped {
		c.problem(change, specs.SeverityWarning, "dropped-dead-principal", d.String()+" in the policy of bucket "+bucket+", which is not ours", "")
	}
	c.deadPrincipals(change)
	c.foreignDead(change, live, specs.SeverityError)
	c.publicStatements(change, live)
	if size := len(document); size > iampolicy.MaxBucketPolicy {
		frame, ours := len(iampolicy.Marshal(&iampolicy.Document{})), 0
		for _, s := range after {
			ours += len(iampolicy.Marshal(&iampolicy.Document{Statements: []iampolicy.Statement{s}})) - frame
		}
		c.fail(change, "bucket-policy-too-large",
			fmt.Sprintf("the policy of bucket %s would have %d bytes, more than S3's %d: %d statements of ours take about %d, the foreign ones and the frame %d",
				bucket, size, iampolicy.MaxBucketPolicy, len(after), ours, size-ours),
			"give consumers the same access and prefixes, so that they share statements, or split the bucket's shares over S3 access points")
	}
}

// dropDead notes, where that was asked for, that the change takes the ids of
// deleted principals out of foreign Allows, and returns what it takes out.
func (c *comparer) dropDead(change *Change) []iampolicy.Dropped {
	if !c.out.Options.DropDeadPrincipals || change.Live == nil {
		return nil
	}
	_, dropped, err := iampolicy.DropDead(change.Live, c.plan.Ours)
	if err != nil {
		return nil // the merge meets the same error, and tells it
	}
	change.DropDead = len(dropped) > 0
	return dropped
}

// deadPrincipals names the ids of deleted roles in our statements. The put
// takes them out; what becomes of the role is told at each part that states it.
func (c *comparer) deadPrincipals(change *Change) {
	var ids []string
	for _, p := range change.Lose {
		if iampolicy.IsEntityID(p.Principal) && !slices.Contains(ids, p.Principal) {
			ids = append(ids, p.Principal)
		}
	}
	if len(ids) == 0 {
		return
	}
	gone := c.goneParts(change)
	for _, id := range ids {
		c.problem(change, specs.SeverityWarning, "dead-principal",
			fmt.Sprintf("our statements in %s name %s, the id of a role that was deleted; a role made again under its name is another principal to AWS", change.Name, id),
			c.deadMend(gone))
		if p := &c.out.Problems[len(c.out.Problems)-1]; len(gone) == 1 && gone[0].Source.File != "" {
			p.Source, p.Share = gone[0].Source, gone[0].Share
		}
	}
}

// goneParts are the selected parts of a bucket policy of which nothing is live
// any more: those whose roles were deleted. Which dead id was which of them, AWS
// does not say.
func (c *comparer) goneParts(change *Change) []Part {
	step := c.plan.Step(change.ID)
	if step == nil {
		return nil
	}
	live := map[string]bool{}
	for _, p := range change.LivePairs {
		live[p.Principal] = true
	}
	var gone []Part
	for _, part := range step.Parts {
		if part.Selected && !slices.ContainsFunc(part.Pairs, func(p iampolicy.Pair) bool { return live[p.Principal] }) {
			gone = append(gone, part)
		}
	}
	return gone
}

// deadMend is what becomes of a dead id, and of the roles of which one was its.
func (c *comparer) deadMend(gone []Part) string {
	mend := "apply takes the id out"
	var told []string
	for _, part := range gone {
		if slices.Contains(told, part.Consumer) {
			continue
		}
		told = append(told, part.Consumer)
		role := "role " + part.Consumer
		switch action := c.roleAction(part); {
		case action == Error:
			mend += "; " + role + " is written in again once it is there, see its error"
		case action == Adopt && !c.out.Options.Adopt:
			mend += "; " + role + ", which was made again without our mark, is written in again once it is taken over with --adopt"
		default:
			mend += " and writes " + role + " in again"
		}
	}
	return mend
}

// roleAction is what is done about the role that a part names: that step comes
// before the part's. One that no step is about is there as it is.
func (c *comparer) roleAction(part Part) Action {
	for _, change := range c.out.Steps {
		if change.Type == TypeRole && slices.Contains(part.Needs, change.ID) {
			return change.Action
		}
	}
	return Noop
}

// foreignDead names what S3 would refuse in the put: a foreign statement whose
// principal is the id of a role or user that is gone. Where nothing is to be
// written that is a warning.
func (c *comparer) foreignDead(change *Change, live *iampolicy.Document, severity specs.Severity) {
	if live == nil {
		return
	}
	for i, s := range live.Statements {
		if c.plan.Ours(s.Sid) {
			continue
		}
		for _, list := range []*iampolicy.Principals{s.Principal, s.NotPrincipal} {
			if list == nil {
				continue
			}
			droppable := s.Effect == iampolicy.Allow && list == s.Principal
			mend := "take the id out of that statement"
			if droppable {
				mend += ", or let apply --drop-dead-principals do it"
			}
			at := slices.IndexFunc(list.AWS, func(id string) bool {
				return iampolicy.IsEntityID(id) && !(change.DropDead && droppable && iampolicy.IsDead(id))
			})
			if at < 0 {
				continue
			}
			effect := "S3 refuses every write of a policy that holds one"
			if severity == specs.SeverityWarning {
				effect = "S3 will refuse the next write of this policy, revocations too"
			}
			c.problem(change, severity, "foreign-dead-principal",
				fmt.Sprintf("statement %s of bucket %s, which is not ours, names the deleted principal %s; %s", statementName(i, s), change.Name, list.AWS[at], effect),
				mend)
		}
	}
}

// publicStatements names what S3 would refuse in the put for another reason: a
// foreign statement that is public, while the bucket blocks public policies.
// The account's own setting, which S3 adds to the bucket's, is not read: where
// only that one blocks, the put is refused at apply.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func (c *comparer) publicStatements(change *Change, live *iampolicy.Document) {
	bucket := c.snapshots[change.Account].Buckets[change.Name]
	if bucket == nil || bucket.PublicAccessBlock == nil || !bucket.PublicAccessBlock.BlockPublicPolicy {
		return
	}
	for i, s := range live.Statements {
		if c.plan.Ours(s.Sid) {
			continue
		}
		if public, _ := iampolicy.Public(&iampolicy.Document{Version: live.Version, Statements: []iampolicy.Statement{s}}); public {
			c.fail(change, "foreign-public-statement",
				fmt.Sprintf("statement %s of bucket %s, which is not ours, is public, and the bucket blocks public policies; S3 refuses every write of such a policy", statementName(i, s), change.Name),
				"limit that statement to named principals or take it out; or, if it is meant, turn BlockPublicPolicy of the bucket off")
		}
	}
}

func statementName(i int, s iampolicy.Statement) string {
	if s.Sid != "" {
		return fmt.Sprintf("%q", s.Sid)
	}
	return fmt.Sprintf("number %d", i+1)
}

func (c *comparer) policy(change *Change, want Policy, s *Step, snap *Snapshot) {
	livePolicy := snap.Policies[want.ARN]
	var live *iampolicy.Document
	if livePolicy != nil {
		change.Versions, change.DefaultVersion = livePolicy.Versions, livePolicy.DefaultVersion
		var ok bool
		if live, ok = c.parseLive(change, livePolicy.Document); !ok {
			return
		}
		change.Before = Policy{Name: want.Name, ARN: want.ARN, Document: livePolicy.Document}
		who, mark := c.policyOwner(livePolicy, live)
		if !c.owned(change, who, mark) {
			return
		}
		if who == ours {
			c.marked[want.ARN] = true
		}
	}
	parts := append(slices.Clone(s.Parts), Part{Pairs: s.Elsewhere})
	role := s.Parts[0].Consumer // a policy is one role's
	c.statements(change, parts, live, byBucket, func(string) string { return role })
	want.Ours = change.Statements(c.plan.Repository, func(PartChange) bool { return true })
	document, err := iampolicy.Merge(change.Live, c.plan.Ours, want.Ours)
	if err != nil {
		c.fail(change, "unmergeable", fmt.Sprintf("managed policy %s cannot be merged: %v", want.Name, err), "mend the policy by hand")
		return
	}
	want.Document = document
	change.Want = want
	switch {
	case livePolicy == nil:
		c.create(change, want.Name)
	case change.gains() || len(change.Lose) > 0 || change.Renew:
		change.update()
	case change.Action == Noop:
		want.Document = livePolicy.Document
		change.Want = want
	}
	if size := iampolicy.Size(document); change.Differs() && size > iampolicy.MaxManagedPolicy {
		c.fail(change, "policy-too-large",
			fmt.Sprintf("managed policy %s would have %d characters with its foreign statements, more than IAM's %d", want.Name, size, iampolicy.MaxManagedPolicy),
			"move the foreign statements into a policy of their own")
	}
}

// parseLive parses a live document and keeps its text for the write. A
// document that cannot be parsed is never written over.
func (c *comparer) parseLive(change *Change, text []byte) (*iampolicy.Document, bool) {
	if text == nil {
		return &iampolicy.Document{}, true
	}
	change.Live = text
	live, err := iampolicy.ParseLive(text)
	if err != nil {
		c.fail(change, "unparsable",
			fmt.Sprintf("the live policy of %s cannot be understood, so it is not touched: %v", change.Name, err),
			"mend the policy by hand, then run again")
		return nil, false
	}
	return live, true
}

// digestOurs is the digest of our statements in a live document; empty when
// there is none.
func digestOurs(d *iampolicy.Document, ours func(string) bool) string {
	if d == nil {
		return ""
	}
	part := &iampolicy.Document{}
	for _, s := range d.Statements {
		if ours(s.Sid) {
			part.Statements = append(part.Statements, s)
		}
	}
	if len(part.Statements) == 0 {
		return ""
	}
	return digest(iampolicy.Marshal(part))
}
