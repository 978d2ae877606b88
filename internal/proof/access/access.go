// Package access finds what a plan opens and closes: the access that is gained
// and lost when the policies of buckets, and the trust policies of roles, are
// changed. It is pure, and exact over every case that the policies tell apart:
// the actions, resources, callers and states of condition keys.
package access

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// CodeNotComputed is the code of the warning that what a change opens and
// closes could not be found out.
const CodeNotComputed = "access-not-computed"

// Of finds what the changes would open and close if all of them are done, and
// sets them against what the plan's shares promise. snapshots are by account
// id. The problems are what no share asks for, as errors with
// plan.CodeOpensUnasked, and as warnings the policies that tell more cases
// apart than can be looked at: for those only the statements are compared.
//
// Identity policies are not looked at: what they gain is the same grants'
// statements, and opens nothing that the bucket's policy does not open too.
func Of(changes *plan.Changes, snapshots map[string]*plan.Snapshot) (plan.Access, []specs.Problem) {
	asked := grantsByBucket(changes.Plan)
	results := make([]compared, len(changes.Steps))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(results)); i = next.Add(1) - 1 {
				results[i].change = changes.Steps[i]
				results[i].step(changes, snapshots, asked)
			}
		})
	}
	workers.Wait()
	var all plan.Access
	var problems []specs.Problem
	for _, r := range results {
		all.Gained = append(all.Gained, r.gained...)
		all.Lost = append(all.Lost, r.lost...)
		problems = append(problems, r.problems...)
	}
	all.Sort()
	return all, problems
}

func (r *compared) step(changes *plan.Changes, snapshots map[string]*plan.Snapshot, asked map[string]*iampolicy.Document) {
	c := r.change
	switch {
	case !isDone(changes, c):
	case c.Type == plan.TypeBucketPolicy:
		r.bucket(changes.Plan, asked[c.Account+"/"+c.Name], snapshots[c.Account])
	case c.Type == plan.TypeRole:
		r.role(changes.Plan)
	}
}

// isDone reports whether an apply would carry the change out.
func isDone(changes *plan.Changes, c *plan.Change) bool {
	switch c.Action {
	case plan.Noop, plan.Error:
		return false
	case plan.Adopt:
		return changes.Options.Adopt
	}
	return true
}

// grantsByBucket are the statements that the shares promise, by account/bucket.
func grantsByBucket(p *plan.Plan) map[string]*iampolicy.Document {
	pairs := map[string][]iampolicy.Pair{}
	for _, g := range p.Grants {
		id := g.Bucket.Account.ID + "/" + g.Bucket.Name
		pairs[id] = append(pairs[id], g.Pairs...)
	}
	byBucket := map[string]*iampolicy.Document{}
	for id, list := range pairs {
		statements := iampolicy.Join(list, func(iampolicy.Statement) string { return "" })
		byBucket[id] = &iampolicy.Document{Version: iampolicy.Version2012, Statements: statements}
	}
	return byBucket
}

// restricts reports whether Block Public Access, of the bucket or of its
// account, keeps other accounts out while the bucket's policy is public. isKnown
// is false where that may be, and was not read.
func restricts(s *plan.Snapshot, bucket string) (is, isKnown bool) {
	if s == nil {
		return false, false
	}
	if b := s.Buckets[bucket]; b != nil && b.PublicAccessBlock != nil && b.PublicAccessBlock.RestrictPublicBuckets {
		return true, true
	}
	if s.PublicAccessBlock == nil {
		return false, false
	}
	return s.PublicAccessBlock.RestrictPublicBuckets, true
}

// compared is what was found out about one change.
type compared struct {
	change       *plan.Change
	gained, lost []plan.AccessEntry
	unasked      []plan.AccessEntry
	problems     []specs.Problem
}

func (r *compared) bucket(p *plan.Plan, asked *iampolicy.Document, snapshot *plan.Snapshot) {
	before, _ := r.change.Before.(plan.BucketPolicy)
	after, _ := r.change.Want.(plan.BucketPolicy)
	d := &diff{
		partition: p.Partition, owner: r.change.Account, resource: plan.BucketARN(p.Partition, r.change.Name),
	}
	restricts, isKnown := restricts(snapshot, r.change.Name)
	docs := r.compare(d, before.Document, after.Document, asked, restricts)
	wasPublic, _ := iampolicy.Public(docs[from])
	isPublic, _ := iampolicy.Public(docs[to])
	if wasPublic && !isPublic && !isKnown {
		r.problem(specs.SeverityWarning, CodeNotComputed,
			fmt.Sprintf("the policy of bucket %s stops being public: if Block Public Access of account %s, which was not read, restricts public buckets, what the policy gives other accounts comes in force again", r.change.Name, r.change.Account),
			"look at RestrictPublicBuckets of the account")
	}
}

func (r *compared) role(p *plan.Plan) {
	before, _ := r.change.Before.(plan.Role)
	after, wanted := r.change.Want.(plan.Role)
	arn := after.ARN
	if !wanted {
		arn = before.ARN
	}
	d := &diff{partition: p.Partition, owner: r.change.Account, resource: arn, trust: true}
	// A role's trust is stated by the specs as it is written: all is asked for.
	r.compare(d, before.Trust, after.Trust, r.parsed(after.Trust), false)
}

func (r *compared) parsed(text []byte) *iampolicy.Document {
	if len(text) == 0 {
		return nil
	}
	d, err := iampolicy.ParseLive(text)
	if err != nil {
		return nil // see compare, which tells it
	}
	return d
}

func (r *compared) compare(d *diff, before, after []byte, asked *iampolicy.Document, restricts bool) (docs [documents]*iampolicy.Document) {
	docs = [documents]*iampolicy.Document{from: r.parsed(before), to: r.parsed(after), grants: asked}
	if len(before) > 0 && docs[from] == nil || len(after) > 0 && docs[to] == nil {
		r.notComputed(errors.New("its policy cannot be understood"))
		if !d.trust {
			r.unaskedFor("nothing can be told of it")
		}
		return docs
	}
	for i, doc := range docs {
		d.addRules(i, doc)
		if i < grants && restricts {
			d.restricted[i], _ = iampolicy.Public(doc)
		}
	}
	gained, lost, err := d.compareAll()
	if err != nil {
		r.notComputed(err)
		gained, lost = nil, nil
		if !d.onlyGrants() {
			r.unaskedFor("statements that no grant states come in, or denies go")
		}
	}
	byText, byTextLost := d.byText()
	gained, lost = append(gained, byText...), append(lost, byTextLost...)
	for _, e := range gained {
		e.entry.Step = r.change.ID
		r.gained = append(r.gained, e.entry)
		if e.unasked {
			r.unasked = append(r.unasked, e.entry)
		}
	}
	for _, e := range lost {
		e.entry.Step = r.change.ID
		r.lost = append(r.lost, e.entry)
	}
	if len(r.unasked) > 0 {
		r.unaskedFor(plan.Brief(r.unasked))
	}
	return docs
}

func (r *compared) unaskedFor(what string) {
	r.problem(specs.SeverityError, plan.CodeOpensUnasked,
		fmt.Sprintf("the change of %s would open what no share asks for: %s", r.name(), what),
		"nothing is done: see which statement keeps it closed today, and change that by hand first; a statement that is not ours must not carry an xshare Sid")
}

func (r *compared) notComputed(err error) {
	why := strings.TrimPrefix(err.Error(), errTooRich.Error()+": ")
	r.problem(specs.SeverityWarning, CodeNotComputed,
		fmt.Sprintf("what the change of %s opens and closes is not computed: %s", r.name(), why),
		"read the difference of the policy itself")
}

func (r *compared) name() string {
	if r.change.Type == plan.TypeRole {
		return "the trust policy of role " + r.change.Name
	}
	return "the policy of bucket " + r.change.Name
}

func (r *compared) problem(severity specs.Severity, code, message, mend string) {
	p := specs.Problem{
		Code: code, Severity: severity, Account: r.change.Account, Step: r.change.ID,
		Source: r.change.Source, Message: message, Mend: mend,
	}
	if len(r.change.Shares) == 1 {
		p.Share = r.change.Shares[0]
	}
	r.problems = append(r.problems, p)
}
