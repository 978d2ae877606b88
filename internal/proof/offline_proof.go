package proof

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The proof from specs alone.
//
// Premise: that the plan's statements are right cannot be proved from those
// statements. So what a consumer is promised is told here a second time, from
// the words of its spec (covers), and held against the documents by requests:
// each promised action, on representatives of each prefix, must be allowed; and
// the nearest requests that no spec grants must be denied, by each side of the
// grant alone, as the other side is also written by others. That is asked at
// once, as if both were in one account: there each side is enough by itself.

const unprovedMend = "this is a defect of xshare: report it with the spec, and do not apply"

// neighbours are the actions that are tried where no spec grants them: those
// that people would mind most, and those that are nearest by name.
var neighbours = s3ActionsOf(
	"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketAcl", "s3:PutBucketAcl",
	"s3:PutLifecycleConfiguration", "s3:DeleteBucket",
	"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging",
	"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention",
)

func s3ActionsOf(names ...string) []iampolicy.S3Action {
	var list []iampolicy.S3Action
	for _, name := range names {
		list = append(list, s3Matches(name)...)
	}
	return list
}

// holder is a role and a bucket.
type holder struct{ account, role, bucket string }

// prove proves every grant of the plan.
func (o *offline) prove() {
	rights := map[holder][]right{}
	for _, share := range o.repo.Shares {
		for _, c := range share.Consumers {
			h := holder{c.Account.ID, c.Role.Name, share.Bucket.Name}
			rights[h] = append(rights[h], rightOf(c))
		}
	}
	identities := map[string]*identity{}
	for _, g := range o.plan.Grants {
		if key := consumerName(g); identities[key] == nil {
			id := identityOf(o.inRole[key])
			for bucket := range id.about {
				if rights[holder{g.Consumer.Account.ID, g.Consumer.Role.Name, bucket}] == nil {
					id.stray = append(id.stray, bucket)
				}
			}
			slices.Sort(id.stray)
			identities[key] = id
		}
	}
	// Each grant's proof reads only, so all processors share them out.
	found := make([]*specs.Problem, len(o.plan.Grants))
	var workers sync.WaitGroup
	count := runtime.GOMAXPROCS(0)
	for first := range count {
		workers.Go(func() {
			for i := first; i < len(found); i += count {
				g := &o.plan.Grants[i]
				found[i] = o.proveGrant(g, identities[consumerName(*g)], rights)
			}
		})
	}
	workers.Wait()
	for _, problem := range found {
		if problem != nil {
			o.problem(Unproved, *problem)
		}
	}
}

// identity is what a role's policies say, by the bucket that it is about, so
// that a role with many shares costs no more a grant than one with few.
type identity struct {
	about map[string][]iampolicy.Statement
	other []iampolicy.Statement // about no one bucket
	stray []string              // buckets that no share grants to the role, sorted
}

func identityOf(policies []iampolicy.Named) *identity {
	id := &identity{about: map[string][]iampolicy.Statement{}}
	for _, p := range policies {
		for _, s := range p.Document.Statements {
			if bucket := onlyBucket(s); bucket != "" {
				id.about[bucket] = append(id.about[bucket], s)
			} else {
				id.other = append(id.other, s)
			}
		}
	}
	return id
}

// onlyBucket is the one bucket that a statement can be about; empty where that
// is not sure.
func onlyBucket(s iampolicy.Statement) string {
	only := ""
	for _, r := range s.Resource {
		_, path, ok := strings.Cut(r, ":s3:::")
		bucket, _, _ := strings.Cut(path, "/")
		if !ok || iampolicy.HasWildcard(bucket) || strings.Contains(bucket, "$") || only != "" && bucket != only {
			return ""
		}
		only = bucket
	}
	return only
}

func (id *identity) on(bucket string) []iampolicy.Named {
	return []iampolicy.Named{{Name: "the role's permissions policies", Document: &iampolicy.Document{
		Version: iampolicy.Version2012, Statements: slices.Concat(id.about[bucket], id.other),
	}}}
}

// offlineGrant is the proof of one grant.
type offlineGrant struct {
	*plan.Grant
	partition string
	same      bool              // both sides are in one account
	identity  []iampolicy.Named // nil: the account is not ours to write, so what it says is not known
	resource  *iampolicy.Named  // nil: likewise
	rights    []right           // all of this role on this bucket
	request   iampolicy.Request
	failed    string
	failures  int
}

// proveGrant is nil for a grant that is proved, or whose documents cannot be
// written, which was told.
func (o *offline) proveGrant(g *plan.Grant, id *identity, rights map[holder][]right) *specs.Problem {
	p := &offlineGrant{
		Grant: g, partition: o.plan.Partition,
		same:   g.Consumer.Account.ID == g.Bucket.Account.ID,
		rights: rights[holder{g.Consumer.Account.ID, g.Consumer.Role.Name, g.Bucket.Name}],
	}
	if g.Consumer.Account.Manage {
		p.identity = id.on(g.Bucket.Name)
	}
	if g.Bucket.Account.Manage {
		stepID := plan.StepID(plan.TypeBucketPolicy, g.Bucket.Account.ID, "", g.Bucket.Name)
		if o.unwieldy[stepID] {
			return nil
		}
		named, ok := o.written[stepID]
		if !ok {
			named = iampolicy.Named{Name: "the policy of bucket " + g.Bucket.Name, Document: &iampolicy.Document{Version: iampolicy.Version2012}}
		}
		p.resource = &named
	}
	p.request = p.requestOf(g.Consumer.Account.ID, g.Consumer.Role.Name)
	own := rightOf(g.Consumer)
	tries := own.tries(own.promised(!p.same))
	p.promised(tries)
	p.ungranted(own)
	p.strangers(tries, o.accounts, rights)
	p.otherBucket(tries, id, rights)
	if p.failures == 0 {
		return nil
	}
	message := p.failed
	if p.failures > 1 {
		message += fmt.Sprintf(" (and %d more)", p.failures-1)
	}
	return &specs.Problem{Share: g.Share, Account: g.Consumer.Account.ID, Source: g.Source, Message: message, Mend: unprovedMend}
}

func (p *offlineGrant) fail(format string, args ...any) {
	if p.failures++; p.failures == 1 {
		p.failed = fmt.Sprintf(format, args...)
	}
}

// requestOf is a request of a session of a role, but for action and resource.
func (p *offlineGrant) requestOf(account, role string) iampolicy.Request {
	arn := plan.RoleARN(p.partition, account, p.Consumer.Role.Path, role)
	return iampolicy.Request{
		Caller: iampolicy.Caller{
			Kind: iampolicy.Session, Account: account, RoleARN: arn,
			ARN: "arn:" + p.partition + ":sts::" + account + ":assumed-role/" + role + "/" + sessionName,
		},
		ResourceAccount: p.Bucket.Account.ID,
		Context: map[string][]string{
			"aws:PrincipalArn": {arn}, "aws:PrincipalAccount": {account}, "aws:PrincipalType": {"AssumedRole"},
			"aws:ResourceAccount": {p.Bucket.Account.ID}, "s3:ResourceAccount": {p.Bucket.Account.ID}, "aws:SecureTransport": {"true"},
		},
	}
}

// decide evaluates a try by req's caller on a bucket.
func (p *offlineGrant) decide(req *iampolicy.Request, bucket string, t try, policies iampolicy.Policies) iampolicy.Decision {
	req.Action, req.Resource = t.action.Name, plan.BucketARN(p.partition, bucket)
	if t.action.Level == iampolicy.ObjectLevel {
		req.Resource += "/" + t.key
	}
	delete(req.Context, "s3:prefix")
	if t.prefix != nil {
		req.Context["s3:prefix"] = []string{*t.prefix}
	}
	return iampolicy.Evaluate(*req, policies)
}

// open is a side that allows everything: what is not known, at its worst.
var (
	openIdentity = []iampolicy.Named{everything(iampolicy.Allow, nil)}
	openResource = everything(iampolicy.Allow, &iampolicy.Principals{Any: true})
)

// known are the policies of the grant; a side that is not ours is open.
func (p *offlineGrant) known() iampolicy.Policies {
	policies := iampolicy.Policies{Identity: p.identity, Resource: p.resource}
	if p.identity == nil {
		policies.Identity = openIdentity
	}
	if p.resource == nil {
		policies.Resource = &openResource
	}
	return policies
}

// promised tries what the grant promises: both sides must allow it. Within one
// account either would do; yet each is written to, so each is asked.
func (p *offlineGrant) promised(tries []try) {
	sides := []iampolicy.Policies{p.known()}
	if p.same {
		sides = nil
		if p.identity != nil {
			sides = append(sides, iampolicy.Policies{Identity: p.identity})
		}
		if p.resource != nil {
			sides = append(sides, iampolicy.Policies{Resource: p.resource})
		}
	}
	for _, t := range tries {
		for _, policies := range sides {
			if d := p.decide(&p.request, p.Bucket.Name, t, policies); !d.Allowed() {
				p.fail("%s would not be allowed to role %s, although the share promises it: %s", t, p.Consumer.Role.Name, silences(d))
				break
			}
		}
	}
}

func silences(d iampolicy.Decision) string {
	var texts []string
	for _, r := range d.Reasons {
		if r.Effect != iampolicy.Allow {
			texts = append(texts, r.Text)
		}
	}
	return strings.Join(texts, "; ")
}

// ungranted tries what no spec grants to the role on the bucket: other actions;
// keys beside the prefixes, which a pattern for the whole bucket matches too; and
// listings of the root and of what only begins as a prefix does.
func (p *offlineGrant) ungranted(own right) {
	request := p.request
	request.ResourceAccount = p.Consumer.Account.ID
	p.denied(&request, right{prefixes: own.prefixes[:min(len(own.prefixes), 1)]}.tries(neighbours))
	if len(own.prefixes) == 0 {
		return
	}
	root := ""
	for _, action := range own.promised(!p.same) {
		var list []try
		if iampolicy.SendsPrefix(action.Name) {
			list = append(list, try{action: action}, try{action: action, prefix: &root})
		}
		for _, prefix := range own.prefixes {
			start := strings.TrimSuffix(prefix, "/")
			beside := start + "-other/"
			switch {
			case action.Level == iampolicy.ObjectLevel:
				list = append(list, try{action: action, key: beside + sampleKey})
			case iampolicy.SendsPrefix(action.Name):
				list = append(list, try{action: action, prefix: &start}, try{action: action, prefix: &beside})
			}
		}
		p.denied(&request, list)
	}
}

func (p *offlineGrant) denied(req *iampolicy.Request, tries []try) {
	for _, t := range tries {
		if slices.ContainsFunc(p.rights, func(r right) bool { return r.covers(t) }) || !p.mentions(t.action.Name) {
			continue
		}
		if d := p.decide(req, p.Bucket.Name, t, iampolicy.Policies{Identity: p.identity, Resource: p.resource}); d.Allowed() {
			p.fail("%s would be allowed to role %s, and no share grants that: %s", t, p.Consumer.Role.Name, grounds(d))
		}
	}
}

// mentions reports whether any statement of the grant's documents may be about
// the action; what none mentions, none allows.
func (p *offlineGrant) mentions(action string) bool {
	about := func(s iampolicy.Statement) bool {
		return len(s.NotAction) > 0 || slices.ContainsFunc(s.Action, func(a string) bool { return iampolicy.HasWildcard(a) || strings.EqualFold(a, action) })
	}
	return p.identity != nil && slices.ContainsFunc(p.identity[0].Document.Statements, about) ||
		p.resource != nil && slices.ContainsFunc(p.resource.Document.Statements, about)
}

func grounds(d iampolicy.Decision) string {
	var texts []string
	for _, r := range d.Reasons {
		if r.Effect == iampolicy.Allow && r.Policy != openResource.Name {
			texts = append(texts, r.Text)
		}
	}
	return strings.Join(texts, "; ")
}

// strangers tries what is promised, as others: another role of the account, and
// the same role of another account. Their own policies allow them everything,
// save within the bucket's account, where that suffices. A policy for everybody
// lets them in too.
func (p *offlineGrant) strangers(tries []try, accounts map[string]*specs.Account, rights map[holder][]right) {
	if p.resource == nil {
		return
	}
	role := p.Consumer.Role.Name + "-other"
	for rights[holder{p.Consumer.Account.ID, role, p.Bucket.Name}] != nil {
		role += "-other"
	}
	policies := iampolicy.Policies{Identity: openIdentity, Resource: p.resource}
	if p.same {
		policies.Identity = nil
	}
	request := p.requestOf(p.Consumer.Account.ID, role)
	for _, t := range tries {
		if t.prefix != nil && strings.HasSuffix(*t.prefix, sampleKey) {
			continue // the listing of the prefix itself is tried
		}
		if d := p.decide(&request, p.Bucket.Name, t, policies); d.Allowed() {
			p.fail("%s would be allowed to another role of account %s, and no share grants that: %s", t, p.Consumer.Account.ID, grounds(d))
		}
	}
	policies.Identity = openIdentity
	request = p.requestOf(anotherAccount(p.Consumer.Account.ID, accounts), p.Consumer.Role.Name)
	for _, t := range tries[:min(len(tries), 1)] {
		if d := p.decide(&request, p.Bucket.Name, t, policies); d.Allowed() {
			p.fail("%s would be allowed to a role of account %s, and no share grants that: %s", t, request.Caller.Account, grounds(d))
		}
	}
}

// anotherAccount is an account id next to one, which the repository does not have.
func anotherAccount(id string, accounts map[string]*specs.Account) string {
	digits := []byte(id)
	for i := len(digits) - 1; i >= 0; i-- {
		for range 9 {
			digits[i] = '0' + (digits[i]-'0'+1)%10
			if accounts[string(digits)] == nil {
				return string(digits)
			}
		}
	}
	return "000000000000"
}

// otherBucket tries what is promised on another bucket: the role's policies
// alone must not allow it.
func (p *offlineGrant) otherBucket(tries []try, id *identity, rights map[holder][]right) {
	if p.identity == nil {
		return
	}
	if len(id.stray) > 0 {
		p.fail("the policies of role %s are about bucket %s too, and no share grants that", p.Consumer.Role.Name, id.stray[0])
	}
	bucket := p.Bucket.Name + "-other"
	for rights[holder{p.Consumer.Account.ID, p.Consumer.Role.Name, bucket}] != nil {
		bucket += "-other"
	}
	if len(id.about[bucket])+len(id.other) == 0 {
		return
	}
	policies := iampolicy.Policies{Identity: id.on(bucket)}
	if !p.same {
		policies.Resource = &openResource
	}
	for _, t := range tries {
		if d := p.decide(&p.request, bucket, t, policies); d.Allowed() {
			p.fail("%s in another bucket, %s, would be allowed to role %s, and no share grants that: %s", t, bucket, p.Consumer.Role.Name, grounds(d))
		}
	}
}
