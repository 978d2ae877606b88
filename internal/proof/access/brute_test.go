package access

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
)

const (
	bucketARN = "arn:aws:s3:::b"
	owner     = "111111111111"
	accountB  = "222222222222"
	accountC  = "333333333333"
	accountD  = "444444444444" // named by no policy
)

func roleARN(account, name string) string { return "arn:aws:iam::" + account + ":role/" + name }

func sessionOf(account, name, session string) iampolicy.Caller {
	return iampolicy.Caller{
		Kind: iampolicy.Session, Account: account, RoleARN: roleARN(account, name), UniqueID: "AROA" + account + name,
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session,
	}
}

// world is a small universe of requests.
type world struct {
	callers  []iampolicy.Caller
	actions  []string
	places   []string
	contexts []map[string][]string
}

func smallWorld() world {
	w := world{
		callers: []iampolicy.Caller{
			{Kind: iampolicy.Anonymous},
			{Kind: iampolicy.Service, ARN: "ec2.amazonaws.com"},
			{Kind: iampolicy.Service, ARN: "lambda.amazonaws.com"},
			{Kind: iampolicy.Root, Account: accountB, ARN: "arn:aws:iam::" + accountB + ":root"},
			{Kind: iampolicy.Root, Account: owner, ARN: "arn:aws:iam::" + owner + ":root"},
			{Kind: iampolicy.User, Account: accountB, ARN: "arn:aws:iam::" + accountB + ":user/alice", UniqueID: "AIDAALICE00000000000"},
			{Kind: iampolicy.User, Account: owner, ARN: "arn:aws:iam::" + owner + ":user/alice", UniqueID: "AIDAALICE00000000001"},
			sessionOf(accountB, "r1", "s1"), sessionOf(accountB, "r1", "s2"), sessionOf(accountD, "r1", "s1"), sessionOf(accountC, "app-1", "s1"),
		},
		actions: []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketPolicy"},
		places:  []string{bucketARN, bucketARN + "/a/1", bucketARN + "/a/b/1", bucketARN + "/c", bucketARN + "/222222222222/1", bucketARN + "/alice"},
	}
	for _, account := range []string{owner, accountB, accountC} {
		w.callers = append(w.callers, sessionOf(account, "r1", "s0"), sessionOf(account, "r2", "s0"))
	}
	for _, tls := range []string{"true", "false"} {
		for _, prefix := range [][]string{nil, {""}, {"a/x"}, {"z"}} {
			for _, ip := range [][]string{nil, {"10.1.2.3"}, {"8.8.8.8"}} {
				for _, tags := range [][]string{nil, {"x"}, {"x", "y"}} {
					context := map[string][]string{"aws:SecureTransport": {tls}}
					for key, values := range map[string][]string{"s3:prefix": prefix, "aws:SourceIp": ip, "aws:TagKeys": tags} {
						if values != nil {
							context[key] = values
						}
					}
					w.contexts = append(w.contexts, context)
				}
			}
		}
	}
	return w
}

// open reports whether a document lets a request through, when the caller's own
// policies allow everything, and when they allow nothing.
func open(doc *iampolicy.Document, restricted bool, req iampolicy.Request) (anyhow, alone bool) {
	p := iampolicy.Policies{Resource: &iampolicy.Named{Document: doc}, RestrictPublicBuckets: restricted}
	alone = iampolicy.Evaluate(req, p).Allowed()
	p.Identity = allowMe
	return iampolicy.Evaluate(req, p).Allowed(), alone
}

// covers reports whether a finding says that a request is gained, or lost.
func (f finding) covers(d *diff, req iampolicy.Request) bool {
	if !isCalled(f.principal, req.Caller) || !iampolicy.MatchAction(f.action, req.Action) || !iampolicy.MatchText(f.resource, req.Resource) {
		return false
	}
	if slices.Contains(f.when.but, req.Action) || iampolicy.OwnersOnly(req.Action) && (req.Caller.Account != owner || req.Caller.Kind == iampolicy.Root) {
		return false
	}
	for _, label := range f.when.except {
		if isCalled(label, req.Caller) {
			return false
		}
	}
	for _, pattern := range f.when.within {
		if !iampolicy.MatchText(pattern, req.Resource) {
			return false
		}
	}
	for _, pattern := range f.when.outside {
		if iampolicy.MatchText(pattern, req.Resource) {
			return false
		}
	}
	hold := func(conditions []iampolicy.Condition) bool {
		return !slices.ContainsFunc(conditions, func(c iampolicy.Condition) bool {
			return !d.holds(iampolicy.Allow, c, true, req.Context)
		})
	}
	return hold(f.when.all) && !slices.ContainsFunc(f.when.unless, hold)
}

// isCalled reports whether a label is one of the caller's.
func isCalled(label string, c iampolicy.Caller) bool {
	if parts := strings.Split(label, " and "); len(parts) > 1 {
		return !slices.ContainsFunc(parts, func(p string) bool { return !isCalled(p, c) })
	}
	account := strings.Split(label+":::::", ":")[4]
	inAccount := c.Account != "" && iampolicy.MatchText(account, c.Account)
	switch {
	case label == "*":
		return true
	case label == "any account":
		return c.Account != ""
	case label == "any service":
		return c.Kind == iampolicy.Service
	case label == "anonymous":
		return c.Kind == iampolicy.Anonymous
	case label == "any account (the root user)":
		return c.Kind == iampolicy.Root
	case strings.HasSuffix(label, ":root (the root user)"):
		return inAccount && c.Kind == iampolicy.Root
	case strings.HasSuffix(label, ":root"):
		return inAccount
	case strings.Contains(label, ":assumed-role/"), strings.HasSuffix(label, ".amazonaws.com"):
		return label == c.ARN
	case c.Kind == iampolicy.Session:
		return matchesTokens(byParts(tokens(label, false)), c.RoleARN)
	}
	return c.Kind == iampolicy.User && matchesTokens(byParts(tokens(label, false)), c.ARN)
}

func drawStatement(t *rapid.T) iampolicy.Statement {
	pick := func(name string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 2, rapid.ID[string]).Draw(t, name)
	}
	s := iampolicy.Statement{Effect: iampolicy.Allow}
	if rapid.IntRange(0, 2).Draw(t, "effect") == 0 {
		s.Effect = iampolicy.Deny
	}
	p := &iampolicy.Principals{}
	switch rapid.IntRange(0, 7).Draw(t, "principal") {
	case 0:
		p.Any = true
	case 1:
		p.Service = pick("services", "ec2.amazonaws.com", "lambda.amazonaws.com")
	default:
		p.AWS = pick("principals", accountC, "arn:aws:iam::"+accountB+":root", roleARN(accountB, "r1"), roleARN(accountB, "r2"), roleARN(owner, "r1"),
			roleARN(accountC, "r1"), "arn:aws:sts::"+accountB+":assumed-role/r1/s1", "arn:aws:iam::"+accountB+":user/alice", "arn:aws:iam::"+owner+":root",
			"AROADEADDEADDEADDEAD0")
	}
	if s.Principal = p; s.Effect == iampolicy.Deny && rapid.IntRange(0, 3).Draw(t, "not") == 0 {
		s.Principal, s.NotPrincipal = nil, p
	}
	actions := pick("actions", "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:*", "s3:Get*", "s3:getbucket*")
	if s.Action = actions; rapid.IntRange(0, 5).Draw(t, "notAction") == 0 {
		s.Action, s.NotAction = nil, actions
	}
	resources := pick("resources", bucketARN, bucketARN+"/*", bucketARN+"/a/*", bucketARN+"/a/b/*", bucketARN+"*", "arn:aws:s3:::b/?", "*", bucketARN+"/*1",
		bucketARN+"/${aws:PrincipalAccount}/*", bucketARN+"/${aws:username, 'c'}", "arn:aws:s3:*:*:b/a/*")
	if s.Resource = resources; rapid.IntRange(0, 5).Draw(t, "notResource") == 0 {
		s.Resource, s.NotResource = nil, resources
	}
	conditions := map[string][]string{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		c := rapid.SampledFrom([]iampolicy.Condition{
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}},
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
			{Operator: "StringLike", Key: "s3:prefix", Values: []string{"", "a/*"}},
			{Operator: "StringLike", Key: "s3:prefix", Values: []string{"a/x"}},
			{Operator: "StringEquals", Key: "s3:prefix", Values: []string{"z", "a/x"}},
			{Operator: "StringNotLike", Key: "s3:prefix", Values: []string{"a/*"}},
			{Operator: "StringEqualsIfExists", Key: "s3:prefix", Values: []string{"z"}},
			{Operator: "Null", Key: "s3:prefix", Values: []string{"true"}},
			{Operator: "IpAddress", Key: "aws:SourceIp", Values: []string{"10.0.0.0/8"}},
			{Operator: "NotIpAddress", Key: "aws:SourceIp", Values: []string{"10.1.0.0/16", "8.8.8.8"}},
			{Operator: "ArnLike", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::*:role/r*"}},
			{Operator: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []string{roleARN(accountB, "r1"), roleARN(owner, "r2")}},
			{Operator: "StringLike", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::" + accountC + ":role/app-*"}},
			{Operator: "StringEquals", Key: "aws:PrincipalAccount", Values: []string{accountB}},
			{Operator: "StringNotEquals", Key: "aws:PrincipalType", Values: []string{"User"}},
			{Operator: "StringLike", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::*:user/al*", "arn:aws:iam::*:role/r1"}},
			{Operator: "StringLike", Key: "aws:username", Values: []string{"al*"}},
			{Operator: "StringNotEqualsIfExists", Key: "aws:PrincipalServiceName", Values: []string{"ec2.amazonaws.com"}},
			{Operator: "Bool", Key: "aws:ViaAWSService", Values: []string{"false"}},
			{Operator: "StringEquals", Key: "aws:userid", Values: []string{"anonymous"}},
			{Operator: "ForAnyValue:StringEquals", Key: "aws:TagKeys", Values: []string{"y"}},
			{Operator: "ForAllValues:StringEquals", Key: "aws:TagKeys", Values: []string{"x"}},
		}).Draw(t, "condition")
		if k := c.Operator + c.Key; conditions[k] == nil {
			conditions[k] = c.Values
			s.Condition = append(s.Condition, c)
		}
	}
	return s
}

func drawDocument(t *rapid.T, name string) *iampolicy.Document {
	return &iampolicy.Document{
		Version:    iampolicy.Version2012,
		Statements: rapid.SliceOfN(rapid.Custom(drawStatement), 0, 4).Draw(t, name),
	}
}

// drawChange draws a policy and what becomes of it.
func drawChange(t *rapid.T) (before, after *iampolicy.Document) {
	before = drawDocument(t, "before")
	if rapid.Bool().Draw(t, "anew") {
		return before, drawDocument(t, "after")
	}
	after = &iampolicy.Document{Version: before.Version, Statements: slices.Clone(before.Statements)}
	if n := len(after.Statements); n > 0 && rapid.Bool().Draw(t, "remove") {
		i := rapid.IntRange(0, n-1).Draw(t, "removed")
		after.Statements = slices.Delete(after.Statements, i, i+1)
	}
	after.Statements = append(after.Statements, rapid.SliceOfN(rapid.Custom(drawStatement), 0, 2).Draw(t, "added")...)
	return before, after
}

func newDiff(before, after, grantsOf *iampolicy.Document, restricts bool) *diff {
	d := &diff{partition: "aws", resource: bucketARN, owner: owner}
	for i, doc := range []*iampolicy.Document{before, after, grantsOf} {
		d.addRules(i, doc)
		if i < grants && restricts {
			d.restricted[i], _ = iampolicy.Public(doc)
		}
	}
	return d
}

// What is gained and lost is exactly what the evaluator says that it is, for
// every request of a small world.
func TestAgainstBruteForce(t *testing.T) {
	w := smallWorld()
	var compared, changed, changes, rich atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawChange(t)
		restricts := rapid.IntRange(0, 3).Draw(t, "restricts") == 0
		promised := drawDocument(t, "grants")
		promised.Statements = slices.DeleteFunc(promised.Statements, func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Deny })
		d := newDiff(before, after, promised, restricts)
		gained, lost, err := d.findings()
		isRich := err != nil
		if isRich { // then the statements alone must tell what is not asked for
			rich.Add(1)
			if !d.onlyGrants() {
				return
			}
		}
		changes.Add(1)
		first := rapid.IntRange(0, stride-1).Draw(t, "first")
		w.each(first, func(req iampolicy.Request) {
			was, wasAlone := open(before, restricts, req)
			is, isAlone := open(after, restricts, req)
			asked, _ := open(promised, false, req)
			if req.Caller.Account == owner {
				_, asked = open(promised, false, req)
			}
			compared.Add(1)
			opens, closes := is && !was || isAlone && !wasAlone, was && !is || wasAlone && !isAlone
			if opens || closes {
				changed.Add(1)
			}
			if isRich {
				if opens && !asked {
					t.Fatalf("opened, not computed, and not seen in the statements: %s %s %s %v\nbefore %s\nafter %s\ngrants %s", who(req.Caller), req.Action, req.Resource, req.Context,
						iampolicy.Marshal(before), iampolicy.Marshal(after), iampolicy.Marshal(promised))
				}
				return
			}
			says := func(list []finding, what string, want bool) {
				i := slices.IndexFunc(list, func(f finding) bool { return f.covers(d, req) })
				if (i >= 0) != want {
					said := "nothing"
					if i >= 0 {
						said = fmt.Sprintf("%+v", list[i])
					}
					t.Fatalf("%s: want %t: %s\n%s %s %s\n%v\nbefore %s\nafter %s", what, want, said, who(req.Caller), req.Action, req.Resource, req.Context,
						iampolicy.Marshal(before), iampolicy.Marshal(after))
				}
			}
			says(gained, "gained", opens)
			says(lost, "lost", closes)
			if opens && !asked && !slices.ContainsFunc(gained, func(f finding) bool { return f.unasked && f.covers(d, req) }) {
				t.Fatalf("not said to be unasked: %s %s %s %v\nbefore %s\nafter %s\ngrants %s", who(req.Caller), req.Action, req.Resource, req.Context,
					iampolicy.Marshal(before), iampolicy.Marshal(after), iampolicy.Marshal(promised))
			}
		})
	})
	t.Logf("%d changes, %d requests compared, %d of them gained or lost; %d changes too rich", changes.Load(), compared.Load(), changed.Load(), rich.Load())
	if rich.Load() > changes.Load()/2 || changed.Load() == 0 {
		t.Error("too few changes were compared")
	}
}

// What is narrowed opens nothing, and closes nothing when it is put back.
func TestNarrowing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := drawDocument(t, "wide")
		narrow := &iampolicy.Document{Version: wide.Version, Statements: slices.Clone(wide.Statements)}
		if n := len(wide.Statements); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(t, "statement")
			s := &narrow.Statements[i]
			switch how := rapid.IntRange(0, 2).Draw(t, "how"); {
			case s.Effect == iampolicy.Deny: // stays
			case how == 0:
				narrow.Statements = slices.Delete(narrow.Statements, i, i+1)
			case how == 1 && len(s.Resource) > 0:
				s.Resource = []string{bucketARN + "/a/b/1"}
				s.Resource = slices.DeleteFunc(s.Resource, func(string) bool {
					return !slices.ContainsFunc(wide.Statements[i].Resource, func(r string) bool { return iampolicy.MatchText(r, bucketARN+"/a/b/1") })
				})
				if len(s.Resource) == 0 {
					s.Resource = wide.Statements[i].Resource
				}
			default:
				s.Condition = append(slices.Clone(s.Condition), iampolicy.Condition{Operator: "StringEquals", Key: "aws:RequestedRegion", Values: []string{"us-east-1"}})
			}
		}
		if deny := rapid.Custom(drawStatement).Draw(t, "deny"); deny.Effect == iampolicy.Deny {
			narrow.Statements = append(narrow.Statements, deny)
		}
		gained, _, err := newDiff(wide, narrow, nil, false).findings()
		_, lost, err2 := newDiff(narrow, wide, nil, false).findings()
		if err != nil || err2 != nil {
			t.Skip(err, err2) // too rich
		}
		if len(gained)+len(lost) > 0 {
			t.Fatalf("gained %+v, lost %+v\nwide %s\nnarrow %s", gained, lost, iampolicy.Marshal(wide), iampolicy.Marshal(narrow))
		}
	})
}

// Who may assume a role is exactly what the evaluator says, too.
func TestTrustAgainstBruteForce(t *testing.T) {
	role := roleARN(accountB, "target")
	w := smallWorld()
	var compared, changed atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawTrust(t, "before"), drawTrust(t, "after")
		d := &diff{partition: "aws", resource: role, owner: accountB, trust: true}
		d.addRules(from, before)
		d.addRules(to, after)
		gained, lost, err := d.findings()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range w.callers {
			for _, id := range [][]string{nil, {"x"}, {"other"}} {
				req := iampolicy.Request{Caller: c, Action: assumeRole, Resource: role, ResourceAccount: accountB}
				req.Context = iampolicy.DefaultContext(req, time.Unix(1_800_000_000, 0))
				if id != nil {
					req.Context["sts:ExternalId"] = id
				}
				was, wasAlone := open(before, false, req)
				is, isAlone := open(after, false, req)
				compared.Add(1)
				opens, closes := is && !was || isAlone && !wasAlone, was && !is || wasAlone && !isAlone
				if opens || closes {
					changed.Add(1)
				}
				says := func(list []finding) bool {
					return c.Kind != iampolicy.Root && slices.ContainsFunc(list, func(f finding) bool { return f.covers(d, req) })
				}
				if says(gained) != opens || says(lost) != closes {
					t.Fatalf("opens %t, closes %t, but %+v and %+v\n%s %v\nbefore %s\nafter %s", opens, closes, gained, lost, who(c), req.Context,
						iampolicy.Marshal(before), iampolicy.Marshal(after))
				}
			}
		}
	})
	t.Logf("%d requests compared, %d of them gained or lost", compared.Load(), changed.Load())
	if changed.Load() == 0 {
		t.Error("nothing was gained or lost")
	}
}

func drawTrust(t *rapid.T, name string) *iampolicy.Document {
	d := drawDocument(t, name)
	for i := range d.Statements {
		s := &d.Statements[i]
		s.Resource, s.NotResource = nil, nil
		s.Action, s.NotAction = []string{rapid.SampledFrom([]string{"sts:AssumeRole", "sts:*", "sts:TagSession"}).Draw(t, "action")}, nil
		s.Condition = slices.DeleteFunc(s.Condition, func(c iampolicy.Condition) bool { return !strings.HasPrefix(c.Key, "aws:Principal") })
		if rapid.Bool().Draw(t, "externalID") {
			s.Condition = append(s.Condition, iampolicy.Condition{Operator: "StringEquals", Key: "sts:ExternalId", Values: []string{"x"}})
		}
	}
	return d
}

func who(c iampolicy.Caller) string { return string(c.Kind) + " " + c.ARN }

// stride is that of the contexts that one change is tried with: prime to the
// number of values of each key, so that all come up together.
const stride = 11

// each calls f with every request of the world, in every stride-th context.
func (w world) each(first int, f func(iampolicy.Request)) {
	for _, c := range w.callers {
		for _, action := range w.actions {
			known, _ := iampolicy.LookupS3Action(action)
			for _, place := range w.places {
				if (known.Level == iampolicy.ObjectLevel) != strings.Contains(place, "/") {
					continue
				}
				req := iampolicy.Request{Caller: c, Action: action, Resource: place, ResourceAccount: owner}
				own := iampolicy.DefaultContext(req, time.Unix(1_800_000_000, 0))
				if c.Kind == iampolicy.User {
					own["aws:username"] = []string{"alice"}
				}
				for i := first; i < len(w.contexts); i += stride {
					context := w.contexts[i]
					req.Context = map[string][]string{}
					for key, values := range own {
						req.Context[key] = values
					}
					for key, values := range context {
						req.Context[key] = values
					}
					f(req)
				}
			}
		}
	}
}

// matchesTokens reports whether a text matches a pattern.
func matchesTokens(pattern []token, text string) bool {
	w := &walk{patterns: [][]token{pattern}}
	state := []reached{{0, closed(pattern, []int{0})}}
	for _, r := range text {
		if state = w.step(state, r); len(state) == 0 {
			return false
		}
	}
	return w.accepted(state)[0]
}
