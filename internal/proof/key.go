package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How the key of a bucket is proved.
//
// Premise: S3 uses the key in the name of who calls, so to read or write an
// object of SSE-KMS is a second request, on the key, that must be allowed by
// the key's side and the caller's. No permission on the object replaces it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
//
// A grant of the key counts as a statement of its policy. Whether it also
// spares a caller of another account a policy of its own, AWS does not say
// clearly; so there nothing is claimed.

// keyUse is what an S3 action does with the key of an object.
type keyUse struct {
	action string
	why    string // in a check's reason, where it is not plain
}

// keyUses are by S3 action. Uploads in parts read what they have written.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
var keyUses = map[string][]keyUse{
	"s3:GetObject":        {{kmsDecrypt, ""}},
	"s3:GetObjectVersion": {{kmsDecrypt, ""}},
	"s3:PutObject":        {{kmsGenerate, ""}, {kmsDecrypt, "for uploads in parts"}},
}

// usesOf are those of an action. A question about one is about the plain call,
// and a promise of it holds for uploads in parts too.
func usesOf(action string, question bool) []keyUse {
	return slices.DeleteFunc(slices.Clone(keyUses[action]), func(use keyUse) bool { return question && use.why != "" })
}

const (
	kmsDecrypt  = "kms:Decrypt"
	kmsGenerate = "kms:GenerateDataKey"
)

// keySide is what was read of a bucket's key.
type keySide struct {
	unread  string // why it is not known whether objects have a KMS key, or which; empty: it is
	kms     bool
	bucket  bool            // S3 Bucket Keys
	key     *plan.BucketKey // nil: objects have none of KMS, or it is not known which
	own     bool            // it is AWS's own key for S3; see ownKey
	live    *plan.LiveKey   // nil: not read
	state   string          // why the key's state is not known
	policy  side
	grants  string // why they are not known
	control control
}

func (p *prover) keySide(g plan.Grant, bucket *plan.LiveBucket) keySide {
	account := g.Bucket.Account.ID
	snap := p.snapshots[account]
	if snap == nil || bucket == nil {
		return keySide{} // the bucket is not known: that is told
	}
	if bucket.Encryption == nil {
		what := "the default encryption of bucket " + bucket.Name + ", "
		if f := snap.NotRead(plan.ScopeEncryption + bucket.Name); f != nil {
			return keySide{unread: what + "which cannot be read: " + because(f)}
		}
		return keySide{unread: what + "which was not read"}
	}
	s := keySide{kms: bucket.Encryption.KMS(), bucket: bucket.Encryption.BucketKey, key: bucket.Key(account)}
	switch {
	case s.key != nil:
		p.readKey(&s)
	case s.kms:
		p.ownKey(&s, account, p.bucketRegion(g))
	}
	return s
}

// readKey takes what was read of the key in its account.
func (p *prover) readKey(s *keySide) {
	s.control = p.resourceControl(s.key.Owner)
	snap := p.snapshots[s.key.Owner]
	what := fmt.Sprintf("key %s of account %s", s.key.ID, s.key.Owner)
	whyNot := ""
	if snap != nil {
		s.live = snap.Keys[s.key.Want().Name()]
		if f := unreached(snap); f != nil {
			whyNot = "cannot be read: " + f.Message
		}
	}
	if s.live == nil {
		s.state = what + ", which " + cmp.Or(whyNot, "xshare does not read: add its account to spec.accounts, without `manage: false`")
		s.policy.unread, s.grants = s.state, s.state
		return
	}
	unread := func(of, scope string) string {
		f := snap.NotRead(scope + s.key.Want().Name())
		if f == nil {
			return ""
		}
		return of + what + ", which cannot be read: " + because(f)
	}
	s.state = unread("", plan.ScopeKey)
	s.grants = unread("the grants of ", plan.ScopeKeyGrants)
	if s.policy.unread = unread("the policy of ", plan.ScopeKeyPolicy); s.policy.unread != "" || s.live.Gone {
		return
	}
	named, err := p.document("key "+s.key.Owner+" "+s.key.Want().Name(), "the policy of key "+s.key.ID, s.live.Policy)
	if err != nil {
		s.policy.unread = fmt.Sprintf("the policy of %s, which cannot be understood: %v", what, err)
		return
	}
	s.policy.policies = []iampolicy.Named{named}
}

// unreached is why an account could not be read, be it only for its keys; nil:
// it could.
func unreached(snap *plan.Snapshot) *plan.ReadFailure {
	if f := snap.Failure(plan.ScopeAccount); f != nil {
		return f
	}
	return snap.NotRead(plan.ScopeAccount)
}

// arn is the key's; where it is not known, what the bucket calls it.
func (k keySide) arn(partition string) string {
	switch {
	case k.live != nil && k.live.ARN != "":
		return k.live.ARN
	case k.key.IsARN:
		return k.key.ID
	}
	return "arn:" + partition + ":kms:" + k.key.Region + ":" + k.key.Owner + ":" + map[bool]string{false: "key/"}[k.key.Alias] + k.key.ID
}

// isUnresolved reports whether the key is named by an alias, and which key that is
// was not read: then policies that name keys cannot be held against it.
func (k keySide) isUnresolved() bool {
	return k.key != nil && k.key.Alias && (k.live == nil || k.live.ARN == "")
}

// called is what a check calls the key that a request is on.
func (k keySide) called(req iampolicy.Request) string {
	if k.own {
		return awsKey
	}
	return req.Resource
}

// keyChecks proves what an S3 call does with the key of its object.
func (p *prover) keyChecks(g plan.Grant, s *sides, found *findings, of iampolicy.Request, c call) []Check {
	uses := usesOf(c.action, found.question)
	k := s.key
	if len(uses) == 0 || !k.kms && k.unread == "" {
		return nil
	}
	same := of.Caller.Account == g.Bucket.Account.ID
	var checks []Check
	for _, use := range uses {
		check := Check{Action: use.action, Resource: "the key of bucket " + g.Bucket.Name, Verdict: NotChecked, Reason: k.unread}
		switch {
		case k.unread != "":
		case of.Caller.Kind == iampolicy.Anonymous:
			check.Verdict, check.Reason = Denied, found.anonymousKey(use.action)
		case k.own && !same:
			check.Resource = awsKey
			check.Verdict, check.Reason = Denied, found.managedKey(use.action)
		default:
			check = p.keyCheck(g, s, found, of, use)
		}
		checks = append(checks, check)
	}
	return checks
}

func (p *prover) keyCheck(g plan.Grant, s *sides, found *findings, of iampolicy.Request, use keyUse) Check {
	k := s.key
	req := p.keyRequest(g, k, of, use.action)
	check := Check{Action: use.action, Resource: k.called(req), Verdict: Allowed, Context: map[string]string{}}
	for _, key := range []string{"kms:ViaService", s3Context} {
		check.Context[key] = strings.Join(req.Context[key], ", ")
	}
	deny := func(reason string) Check {
		check.Verdict, check.Reason = Denied, reason
		return check
	}
	switch {
	case k.live != nil && k.live.Gone:
		return deny(found.brokenKey(KMSKeyMissing, "does not exist", "name another key in the bucket's default encryption, by its full ARN", use.action))
	case k.live != nil && k.live.AWSManaged:
		if of.Caller.Account != k.key.Owner {
			return deny(found.managedKey(use.action))
		}
	case k.live != nil && unusable(k.live.State):
		id := fmt.Sprintf("--key-id %s --region %s`", req.Resource, k.key.Region)
		mend := "bring it back into use"
		switch k.live.State {
		case "Disabled":
			mend = "enable it (`aws kms enable-key " + id + ")"
		case "PendingDeletion":
			mend = "cancel its deletion and enable it (`aws kms cancel-key-deletion " + id + ", then `aws kms enable-key " + id + ")"
		}
		return deny(found.brokenKey(KMSKeyUnusable, "is "+inWords(k.live.State), mend+", or name another key in the bucket's default encryption", use.action))
	}
	if region := p.bucketRegion(g); region != "" && k.key.Region != region {
		return deny(found.distantKey(region, use.action))
	}
	if !k.key.IsARN && use.action == kmsGenerate && of.Caller.Account != k.key.Owner {
		return deny(found.unqualifiedKey(use.action))
	}
	if k.isUnresolved() {
		check.Verdict, check.Reason = NotChecked, cmp.Or(k.state, k.policy.unread, "which key "+k.key.ID+" is, which was not read")
		return check
	}
	on := s.onKey()
	best, worst := on.decide(req)
	unsettled := k.unsettled(on, req)
	switch {
	case unsettled != "":
		check.Verdict, check.Reason = NotChecked, unsettled
	case !best.Allowed():
		if best.Outcome != iampolicy.ExplicitDeny && k.mayGrant(req, on) {
			check.Verdict, check.Reason = NotChecked, cmp.Or(k.grants, "a grant of the key lets the role in, and no policy of the role does: whether it needs one, only a real call tells")
			break
		}
		check.Verdict, check.Reason = Denied, found.keyDenied(on, req, use, best)
	case !worst.Allowed():
		check.Verdict, check.Reason = NotChecked, on.doubt(req, worst)
	case k.state != "":
		check.Verdict, check.Reason = NotChecked, k.state
	}
	return check
}

// onKey are the sides of a request on the bucket's key.
func (s *sides) onKey() *sides {
	on := *s
	on.resource, on.rcps, on.block = s.key.policy, s.key.control, restriction{}
	on.resource.policies = s.key.withGrants()
	return &on
}

// s3Context is what S3 puts into the encryption context: the object's ARN, or
// the bucket's with an S3 Bucket Key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
const s3Context = "kms:EncryptionContext:aws:s3:arn"

// keyRequest is the request on the key that S3 makes for a call, in its
// caller's name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
func (p *prover) keyRequest(g plan.Grant, k keySide, of iampolicy.Request, action string) iampolicy.Request {
	about := of.Resource
	if k.bucket {
		about, _, _ = strings.Cut(about, "/")
	}
	req := of
	req.Action, req.Resource, req.ResourceAccount = action, k.arn(p.plan.Partition), k.key.Owner
	req.Context = map[string][]string{}
	for key, values := range of.Context {
		switch lower := strings.ToLower(key); {
		case strings.HasPrefix(lower, "s3:"), strings.HasPrefix(lower, "aws:resource"), lower == "aws:viaawsservice":
			// Of the bucket, or of the call before this one.
		default:
			req.Context[key] = values
		}
	}
	region := cmp.Or(p.bucketRegion(g), k.key.Region)
	for key, value := range map[string]string{
		"aws:ResourceAccount": k.key.Owner, "aws:RequestedRegion": k.key.Region,
		"aws:ViaAWSService": "true", "kms:ViaService": viaS3(region, p.plan.Partition), "kms:CallerAccount": of.Caller.Account,
		s3Context: about, "kms:EncryptionContextKeys": "aws:s3:arn",
	} {
		req.Context[key] = []string{value}
	}
	if k.own {
		req.Context["kms:ResourceAliases"] = []string{"alias/" + awsKey}
	} else { // which is named by its ARN
		req.Context["kms:RequestAlias"] = nil
	}
	p.organizationKeys(req.Context, of.Caller.Account, k.key.Owner)
	return req
}

// withGrants is the key's policy, and its grants as statements of it.
func (k keySide) withGrants() []iampolicy.Named {
	if len(k.policy.policies) == 0 || k.live == nil || len(k.live.Grants) == 0 {
		return k.policy.policies
	}
	named := k.policy.policies[0]
	d := *named.Document
	d.Statements = slices.Clone(d.Statements)
	for _, grant := range k.live.Grants {
		d.Statements = append(d.Statements, grantStatement(grant))
	}
	named.Document = &d
	return []iampolicy.Named{named}
}

// grantStatement is what a grant allows, as a statement.
// https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
func grantStatement(grant plan.KeyGrant) iampolicy.Statement {
	s := iampolicy.Statement{
		Sid: "grant " + grant.ID, Effect: iampolicy.Allow, Resource: []string{"*"},
		Principal: &iampolicy.Principals{AWS: []string{grant.Grantee}},
	}
	if !strings.HasPrefix(grant.Grantee, "arn:") && !iampolicy.IsEntityID(grant.Grantee) {
		s.Principal = &iampolicy.Principals{Service: []string{grant.Grantee}}
	}
	for _, operation := range grant.Operations {
		s.Action = append(s.Action, "kms:"+operation)
	}
	for _, of := range []map[string]string{grant.Subset, grant.Equals} {
		for _, name := range sortedKeys(of) {
			s.Condition = append(s.Condition, iampolicy.Condition{Operator: "StringEquals", Key: "kms:EncryptionContext:" + name, Values: []string{of[name]}})
		}
	}
	if grant.Equals != nil {
		s.Condition = append(s.Condition, iampolicy.Condition{Operator: "ForAllValues:StringEquals", Key: "kms:EncryptionContextKeys", Values: sortedKeys(grant.Equals)})
	}
	if grant.Source != "" {
		s.Condition = append(s.Condition, iampolicy.Condition{Operator: "ArnEquals", Key: "aws:SourceArn", Values: []string{grant.Source}})
	}
	return s
}

// mayGrant reports whether a grant could let in a request that the policies
// that were read do not: because the grants were not read, or because the key's
// side allows it by one of them, and only the role's own policies lack.
func (k keySide) mayGrant(req iampolicy.Request, on *sides) bool {
	open := *on
	open.identity.policies = append(slices.Clone(on.identity.policies), everything(iampolicy.Allow, nil))
	if k.grants != "" {
		open.resource.policies = []iampolicy.Named{everything(iampolicy.Allow, anybody)}
		best, _ := open.decide(req)
		return best.Allowed()
	}
	if k.live == nil || len(k.live.Grants) == 0 {
		return false
	}
	var statements []iampolicy.Statement
	for _, grant := range k.live.Grants {
		statements = append(statements, grantStatement(grant))
	}
	open.resource.policies = []iampolicy.Named{{Name: "the grants", Document: &iampolicy.Document{Version: iampolicy.Version2012, Statements: statements}}}
	best, _ := open.decide(req)
	return best.Allowed()
}

// unusable reports whether a key in that state cannot be used.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func unusable(state string) bool {
	return state != "" && state != "Enabled" && state != "Updating"
}
