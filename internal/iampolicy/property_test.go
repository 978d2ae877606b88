package iampolicy

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Generators draw from few values, so that requests and policies often meet.
var (
	genCall = rapid.SampledFrom([][2]string{
		{"s3:GetObject", object1},
		{"s3:PutObject", object1},
		{"s3:GetObject", "arn:aws:s3:::c/x"},
		{"s3:ListBucket", bucket1},
		{"kms:Decrypt", key1},
		{"sts:AssumeRole", roleA},
		{"s3:ListBucket", object1}, // the last one is impossible
	})
	genActions = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"*", "s3:*", "s3:Get*", "s3:GetObject", "S3:putobject", "s3:ListBucket", "kms:*", "sts:AssumeRole"}), 1, 3, rapid.ID[string])
	genTargets = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"*", "arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::?/logs/*", key1, roleA}), 1, 3, rapid.ID[string])
	genAWS     = rapid.SampledFrom([]string{accountA, accountB, rootA, rootB, roleA, roleB, sessionA, sessionB, userA, userB, idB})
	genOwner   = rapid.SampledFrom([]string{"", accountA, accountB})
)

var genCondition = rapid.Custom(func(t *rapid.T) Condition {
	return Condition{
		Operator: rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotLike", "Null", "Bool", "ArnLike", "IpAddress", "NumericLessThan", "DateGreaterThan", "StringSounds"}).Draw(t, "operator"),
		Key:      rapid.SampledFrom([]string{"s3:prefix", "aws:PrincipalArn", "aws:SecureTransport", "aws:SourceIp", "aws:CurrentTime", "aws:username"}).Draw(t, "key"),
		Values:   rapid.SliceOfN(rapid.SampledFrom([]string{"true", "false", "logs/*", "logs/", "*", roleB, "10.0.0.0/8", "10", "2026-01-01T00:00:00Z", "${aws:username}"}), 1, 2).Draw(t, "values"),
	}
})

func genStatement(principal bool) *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		s := Statement{Effect: rapid.SampledFrom([]Effect{Allow, Allow, Deny}).Draw(t, "effect")}
		if actions := genActions.Draw(t, "actions"); rapid.IntRange(0, 4).Draw(t, "NotAction") == 0 {
			s.NotAction = actions
		} else {
			s.Action = actions
		}
		if targets := genTargets.Draw(t, "resources"); rapid.IntRange(0, 4).Draw(t, "NotResource") == 0 {
			s.NotResource = targets
		} else {
			s.Resource = targets
		}
		s.Condition = rapid.SliceOfNDistinct(genCondition, 0, 2, func(c Condition) string { return c.Operator + c.Key }).Draw(t, "conditions")
		sortConditions(s.Condition)
		if principal {
			p := &Principals{
				Any:     rapid.IntRange(0, 3).Draw(t, "any") == 0,
				AWS:     rapid.SliceOfNDistinct(genAWS, 1, 3, rapid.ID[string]).Draw(t, "AWS"),
				Service: rapid.SliceOfN(rapid.Just("ec2.amazonaws.com"), 0, 1).Draw(t, "service"),
			}
			if rapid.IntRange(0, 5).Draw(t, "NotPrincipal") == 0 {
				s.NotPrincipal = p
			} else {
				s.Principal = p
			}
		}
		return s
	})
}

func genDocument(t *rapid.T, name string, principal bool) Named {
	return Named{Name: name, Document: &Document{
		Version:    rapid.SampledFrom([]string{"", Version2008, Version2012, Version2012}).Draw(t, "version"),
		Statements: rapid.SliceOfN(genStatement(principal), 1, 4).Draw(t, name),
	}}
}

func genDocuments(t *rapid.T, name string, principal bool) []Named {
	if rapid.IntRange(0, 2).Draw(t, name+"?") > 0 {
		return nil
	}
	return []Named{genDocument(t, name, principal)}
}

func genRequest(t *rapid.T) Request {
	names := slices.Sorted(maps.Keys(callers))
	call := genCall.Draw(t, "call")
	req := Request{Caller: callers[rapid.SampledFrom(names).Draw(t, "caller")], Action: call[0], Resource: call[1]}
	if a, _ := parseARN(req.Resource); a.Account == "" {
		req.ResourceAccount = genOwner.Draw(t, "owner")
	}
	req.Context = DefaultContext(req, time.Unix(1_800_000_000, 0))
	if rapid.Bool().Draw(t, "prefix?") {
		req.Context["s3:prefix"] = []string{"logs/"}
		req.Context["aws:username"] = []string{"logs"}
	}
	return req
}

func genPolicies(t *rapid.T) Policies {
	p := Policies{
		Identity: []Named{genDocument(t, "identity", false), {Name: "all", Document: &Document{Statements: []Statement{{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}}}}}},
		Boundary: genDocuments(t, "boundary", false), Session: genDocuments(t, "session", false), Endpoint: genDocuments(t, "endpoint", true),
		RestrictPublicBuckets: rapid.Bool().Draw(t, "restrict"),
	}
	if rapid.IntRange(0, 4).Draw(t, "resource?") > 0 {
		r := genDocument(t, "resource", true)
		p.Resource = &r
	}
	if d := genDocuments(t, "scp", false); d != nil {
		p.SCPs = [][]Named{d}
	}
	if d := genDocuments(t, "rcp", true); d != nil {
		p.RCPs = [][]Named{d}
	}
	return p
}

// edited is p with f applied to a copy of every document.
func edited(p Policies, f func(*Document)) Policies {
	all := func(in []Named) []Named {
		out := slices.Clone(in)
		for i := range out {
			d := *out[i].Document
			d.Statements = slices.Clone(d.Statements)
			f(&d)
			out[i].Document = &d
		}
		return out
	}
	levels := func(in [][]Named) [][]Named {
		out := slices.Clone(in)
		for i := range out {
			out[i] = all(out[i])
		}
		return out
	}
	p.Identity, p.Boundary, p.Session, p.Endpoint = all(p.Identity), all(p.Boundary), all(p.Session), all(p.Endpoint)
	p.SCPs, p.RCPs = levels(p.SCPs), levels(p.RCPs)
	if p.Resource != nil {
		p.Resource = &all([]Named{*p.Resource})[0]
	}
	return p
}

func TestEveryDecisionExplainsItself(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		req, p := genRequest(rt), genPolicies(rt)
		d := Evaluate(req, p)
		if why := Impossible(req.Action, req.Resource); d.Outcome == Invalid && why == "" || d.Allowed() && why != "" {
			rt.Fatalf("%s: %s", d.Outcome, reasonsText(d))
		}
		checkReasons(t, d)
		if t.Failed() {
			rt.Fatal(reasonsText(d))
		}
	})
}

func TestAnAddedDenyNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := genRequest(t), genPolicies(t)
		before := Evaluate(req, p)
		deny := genStatement(false).Draw(t, "deny")
		deny.Effect = Deny
		p.Identity = append(p.Identity, Named{Name: "deny", Document: &Document{Version: Version2012, Statements: []Statement{deny}}})
		if after := Evaluate(req, p); after.Allowed() && !before.Allowed() {
			t.Fatalf("%s became allowed by a Deny", before.Outcome)
		}
	})
}

func TestRemovedAllowNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := genRequest(t), genPolicies(t)
		before := Evaluate(req, p)
		i := rapid.IntRange(0, 3).Draw(t, "removed")
		after := Evaluate(req, edited(p, func(d *Document) {
			if i < len(d.Statements) && d.Statements[i].Effect == Allow {
				d.Statements = slices.Delete(d.Statements, i, i+1)
			}
		}))
		// A statement less can end Block Public Access: the policy is no longer public.
		if after.Allowed() && !before.Allowed() && !slices.Contains(before.Lacking, SideBlockPublicAccess) {
			t.Fatalf("%s became allowed by removing an Allow", before.Outcome)
		}
	})
}

func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := genRequest(t), genPolicies(t)
		reversed := edited(p, func(d *Document) {
			slices.Reverse(d.Statements)
			for i := range d.Statements {
				s := &d.Statements[i]
				for _, l := range []*[]string{&s.Action, &s.NotAction, &s.Resource, &s.NotResource} {
					*l = slices.Clone(*l)
					slices.Reverse(*l)
				}
				s.Condition = slices.Clone(s.Condition)
				slices.Reverse(s.Condition)
			}
		})
		slices.Reverse(reversed.Identity)
		a, b := Evaluate(req, p), Evaluate(req, reversed)
		if a.Outcome != b.Outcome || !slices.Equal(a.Lacking, b.Lacking) {
			t.Fatalf("%s lacking %v became %s lacking %v", a.Outcome, a.Lacking, b.Outcome, b.Lacking)
		}
	})
}

// A document that is written and read again decides the same: scalar or list,
// order and case of actions do not count. What the grammar does not know
// cannot be read again, so such statements are left out.
func TestWritingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := genRequest(t), genPolicies(t)
		known := edited(p, func(d *Document) {
			for i := range d.Statements {
				d.Statements[i].Condition = slices.DeleteFunc(slices.Clone(d.Statements[i].Condition), func(c Condition) bool { return !knownOperator(c.Operator) })
			}
		})
		again := edited(known, func(d *Document) {
			text := Marshal(d)
			read, err := Parse(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !Equal(d, read) {
				t.Fatalf("not equal after reading: %s", text)
			}
			*d = *read
		})
		a, b := Evaluate(req, known), Evaluate(req, again)
		if a.Outcome != b.Outcome || !slices.Equal(a.Lacking, b.Lacking) {
			t.Fatalf("%s lacking %v became %s lacking %v", a.Outcome, a.Lacking, b.Outcome, b.Lacking)
		}
	})
}

// Equal documents decide the same for everybody.
func TestSplitPrincipalsDecideTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := genRequest(t), genPolicies(t)
		if p.Resource == nil {
			return
		}
		d := p.Resource.Document
		split := &Document{Version: d.Version, Statements: Join(Pairs(d, func(string) bool { return true }), Statement.Meaning)}
		if !Equal(d, split) {
			t.Fatalf("not equal:\n%s\n%s", Marshal(d), Marshal(split))
		}
		a := Evaluate(req, p)
		p.Resource = &Named{Name: p.Resource.Name, Document: split}
		if b := Evaluate(req, p); a.Outcome != b.Outcome || !slices.Equal(a.Lacking, b.Lacking) {
			t.Fatalf("%s lacking %v became %s lacking %v", a.Outcome, a.Lacking, b.Outcome, b.Lacking)
		}
	})
}
