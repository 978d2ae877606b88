package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// A Deny of the role's own stays, without what is asked and nothing else: every
// action on every resource is tried before and after.
func TestExplainSpares(t *testing.T) {
	const all, in, object = notesARN + "/*", notesARN + "/in/*", notesARN + "/in/a.txt"
	share := func(access specs.Access, prefixes ...string) func(*testing.T, live, *plan.Plan) proof.Explanation {
		return func(t *testing.T, l live, _ *plan.Plan) proof.Explanation {
			repo := recipe(func(s *specs.Share) {
				s.Bucket.Name = notes
				s.Consumers[0].Access, s.Consumers[0].Prefixes = []specs.Access{access}, prefixes
			})
			p, snapshots := built(t, repo)
			snapshots[consumer].Roles[repo.Shares[0].Consumers[0].Role.Name].Inline = l.analyst().Inline
			return proof.ExplainShare(p, snapshots, repo.Shares[0].Name)[0]
		}
	}
	for name, tt := range map[string]struct {
		deny string   // all after the Effect
		asks any      // default: s3:GetObject on one object; or a share
		left []string // the statements that are left, without Sid and Effect
		mend string
		also string // what is let through too: resources on which all that is asked is
	}{
		"it, and nothing else": {deny: `"Action":"s3:GetObject","Resource":"` + object + `"`, mend: "delete inline policy guard"},
		"two actions on all": {
			deny: `"Action":["s3:GetObject","s3:DeleteObject"],"Resource":"*"`, mend: "except s3:GetObject on " + object + ` from statement "D" of inline policy guard`,
			left: []string{`"Action":"s3:DeleteObject","Resource":"*"`, `"Action":"s3:GetObject","NotResource":"` + object + `"`},
		},
		"all":             {deny: `"Action":"*","Resource":"*"`, left: []string{`"NotAction":"s3:GetObject","Resource":"*"`, `"Action":"s3:GetObject","NotResource":"` + object + `"`}},
		"all but":         {deny: `"NotAction":"s3:ListBucket","Resource":"*"`, left: []string{`"NotAction":["s3:GetObject","s3:ListBucket"],"Resource":"*"`, `"Action":"s3:GetObject","NotResource":"` + object + `"`}},
		"all of S3":       {deny: `"Action":"s3:*","Resource":"*"`, left: []string{`"Action":"s3:*","NotResource":"` + object + `"`, `"NotAction":"s3:GetObject","Resource":"` + object + `"`}},
		"a perimeter":     {deny: `"Action":"s3:*","NotResource":["arn:aws:s3:::own","arn:aws:s3:::own/*"]`, left: []string{`"Action":"s3:*","NotResource":["` + object + `","arn:aws:s3:::own","arn:aws:s3:::own/*"]`, `"NotAction":"s3:GetObject","Resource":"` + object + `"`}},
		"another object":  {deny: `"Action":"s3:GetObject","Resource":["` + object + `","` + notesARN + `/b.txt"]`, left: []string{`"Action":"s3:GetObject","Resource":"` + notesARN + `/b.txt"`}},
		"another call":    {deny: `"Action":["s3:GetObject","s3:PutObject"],"Resource":"` + object + `"`, left: []string{`"Action":"s3:PutObject","Resource":"` + object + `"`}},
		"all calls of it": {deny: `"Action":"s3:*","Resource":"` + object + `"`, left: []string{`"NotAction":"s3:GetObject","Resource":"` + object + `"`}},
		"all the bucket's objects": {
			deny: `"Action":"s3:GetObject","Resource":"` + all + `"`, also: all,
			mend: "take statement \"D\" of inline policy guard in account " + consumer + " out, and with it what else it denies: no statement can deny the rest of " + all + " and let s3:GetObject on " + object + " through",
		},
		"all of the bucket": {
			deny: `"Action":"s3:*","Resource":["` + notesARN + `","` + all + `"]`, also: all, left: []string{`"Action":"s3:*","Resource":"` + notesARN + `"`, `"NotAction":"s3:GetObject","Resource":"` + all + `"`},
			mend: "; that lets s3:GetObject through on all of " + all + ", as no statement can deny the rest of that",
		},
		"all buckets": {deny: `"Action":"s3:*","Resource":"arn:aws:s3:::*"`, left: []string{`"NotAction":"s3:GetObject","Resource":"arn:aws:s3:::*"`, `"Action":"s3:GetObject","NotResource":"` + object + `"`}},

		"a share: the bucket": {asks: share(specs.AccessWrite), deny: `"Action":"s3:*","Resource":["` + notesARN + `","` + all + `"]`, left: []string{`"NotAction":["s3:AbortMultipartUpload","s3:GetBucketLocation","s3:ListBucketMultipartUploads","s3:ListMultipartUploadParts","s3:PutObject"],"Resource":["` + notesARN + `","` + all + `"]`}},
		"a share: names like these": {
			asks: share(specs.AccessDelete, "in/"), deny: `"Action":["s3:DeleteObject","s3:PutObject"],"Resource":["` + notesARN + `/*.tmp","` + in + `","` + notesARN + `/out/*"]`, also: notesARN + "/*.tmp",
			left: []string{`"Action":["s3:DeleteObject","s3:PutObject"],"Resource":"` + notesARN + `/out/*"`, `"Action":"s3:PutObject","Resource":["` + notesARN + `/*.tmp","` + in + `"]`},
		},
		"a share: two patterns":   {asks: share(specs.AccessDelete), deny: `"Action":["s3:Put*","s3:Delete*"],"Resource":"` + all + `"`, left: []string{`"Action":["s3:DeleteObjectTagging","s3:DeleteObjectVersion","s3:DeleteObjectVersionTagging","s3:Put*"],"Resource":"` + all + `"`}},
		"a share: what begins so": {asks: share(specs.AccessDelete), deny: `"Action":"s3:D*","Resource":"` + notesARN + `*"`, also: notesARN + "*", left: []string{`"Action":["s3:DeleteB*","s3:DeleteObjectT*","s3:DeleteObjectV*"],"Resource":"` + notesARN + `*"`}},
		"a share: two buckets":    {asks: share(specs.AccessDelete), deny: `"Action":"s3:DeleteObject","Resource":["` + all + `","arn:aws:s3:::other/*"]`, left: []string{`"Action":"s3:DeleteObject","Resource":"arn:aws:s3:::other/*"`}},
		"a share: two actions": {
			asks: share(specs.AccessDelete), deny: `"Action":["s3:DeleteObject","s3:PutObject"],"Resource":"*"`, mend: "except s3:DeleteObject on " + all + " from statement",
			left: []string{`"Action":"s3:PutObject","Resource":"*"`, `"Action":"s3:DeleteObject","NotResource":"` + all + `"`},
		},
		"a share of a prefix": {
			asks: share(specs.AccessList, "in/"), deny: `"Action":"s3:*","Resource":"*"`,
			left: []string{
				`"Action":"s3:*","NotResource":"` + notesARN + `"`, `"NotAction":["s3:GetBucketLocation","s3:ListBucket"],"Resource":"` + notesARN + `"`,
				`"Action":"s3:ListBucket","Resource":"` + notesARN + `","Condition":{"StringNotLike":{"s3:prefix":["in/","in/*"]}}`,
			},
		},
		"a share of a prefix, of which some is spared": {
			asks: share(specs.AccessDelete, "in/"), deny: `"Action":"s3:*","NotResource":"` + notesARN + `/in/x/*"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			before := `{"Version":"2012-10-17","Statement":[{"Sid":"D","Effect":"Deny",` + tt.deny + `}]}`
			l.analyst().Inline = map[string][]byte{"guard": []byte(before)}
			var e proof.Explanation
			actions, on, prefix := []string{"s3:GetObject"}, object, ""
			if asks, ok := tt.asks.(func(*testing.T, live, *plan.Plan) proof.Explanation); ok {
				e = asks(t, l, p)
				actions, on = strings.Split("s3:AbortMultipartUpload s3:GetBucketLocation s3:ListBucketMultipartUploads s3:ListMultipartUploadParts s3:PutObject", " "), all
				switch {
				case strings.HasPrefix(e.Promise, "delete"):
					actions = []string{"s3:DeleteObject"}
				case strings.HasPrefix(e.Promise, "list"):
					actions = []string{"s3:GetBucketLocation", "s3:ListBucket"}
				}
				if strings.HasSuffix(e.Promise, "in/") {
					on, prefix = in, "in/"
				}
			} else {
				e = proof.Explain(p, accounts, l.snapshots, ask(t, analystARN, "s3:GetObject", object))
			}
			if len(e.Roots) != 1 || e.Roots[0].Code != proof.ExplicitDeny || !strings.Contains(e.Roots[0].Mend, tt.mend) {
				t.Fatalf("want %q in %+v", tt.mend, e.Roots)
			}
			for _, f := range e.Roots[0].Fragments {
				if f.Policy != "inline policy guard" {
					t.Errorf("%+v", f)
				}
				l.carryOut(f)
			}
			after := l.analyst().Inline["guard"]
			if after == nil { // AWS keeps no policy without statements
				after = []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"None","Effect":"Allow","Action":"s3:None","Resource":"*"}]}`)
			}
			if tt.left != nil || tt.mend != "" {
				holdLeft(t, after, tt.left)
			}
			holdSpared(t, before, string(after), func(action, resource, listed string) bool {
				is := iampolicy.MatchText(on, resource) || tt.also != "" && iampolicy.MatchText(tt.also, resource) || resource == notesARN
				return is && slices.Contains(actions, action) && (action != "s3:ListBucket" || strings.HasPrefix(listed, prefix))
			})
		})
	}
}

// S3 takes no statement of a bucket policy with an action that none of its
// resources has.
func TestExplainSparesInBucketPolicy(t *testing.T) {
	e := walk(t, func(l live) {
		l.put(&l.notes().Policy, `{"Sid":"D","Effect":"Deny","Principal":{"AWS":"`+analystARN+`"},"Action":["s3:List*","s3:*Object","s3:Get*"],"Resource":["`+notesARN+`","`+notesARN+`/in/a.txt"]}`)
	}, analystARN, "s3:ListBucket", notesARN)
	const who = `"Effect":"Deny","Principal":{"AWS":"` + analystARN + `"},`
	want := []string{
		`{"Sid":"D",` + who + `"Action":["s3:*Object","s3:Get*","s3:List*"],"Resource":"` + notesARN + `/in/a.txt"}`,
		`{"Sid":"D2",` + who + `"Action":["s3:Get*","s3:ListBucketMultipartUploads","s3:ListBucketVersions","s3:ListTagsForResource"],"Resource":"` + notesARN + `"}`,
	}
	var got []string
	for _, f := range e.Roots[0].Fragments {
		got = append(got, string(f.Add))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of a key whose ARN is not known no statement is made.
func TestExplainSparesNoKey(t *testing.T) {
	repo := recipe(func(s *specs.Share) { s.Consumers[0].Account, s.Consumers[0].Instances = s.Bucket.Account, nil })
	p, snapshots := built(t, repo)
	snapshots[owner].Buckets[bucket].Encryption = &plan.Encryption{Algorithm: "aws:kms"}
	snapshots[owner].Roles[role].Inline = map[string][]byte{"keys": []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}`)}
	e := proof.ExplainShare(p, snapshots, bucket)[0]
	if len(e.Roots) != 1 || len(e.Roots[0].Fragments) != 0 || !strings.Contains(e.Roots[0].Mend, "AWS's own key aws/s3") {
		t.Errorf("%+v", e.Roots)
	}
}

// What comes to one policy for several causes has Sids of its own, and what is
// promised as a pattern is spared as one.
func TestExplainSparesTwice(t *testing.T) {
	repo := recipe(func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessFull} })
	p, snapshots := built(t, repo)
	snapshots[consumer].Roles[role].Inline = map[string][]byte{"guard": []byte(`{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"Deny","Effect":"Deny","Action":["s3:GetObject*","ec2:*"],"NotResource":"arn:aws:s3:::own/*"},` +
		`{"Sid":"Deny3","Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)}
	l := live{t, snapshots}
	e := proof.ExplainShare(p, snapshots, bucket)[0]
	if len(e.Roots) != 2 {
		t.Fatalf("%+v", e.Roots)
	}
	text := snapshots[consumer].Roles[role].Inline["guard"]
	for _, root := range e.Roots {
		for _, f := range root.Fragments {
			l.change(&text, f)
		}
	}
	d, err := iampolicy.Parse(text) // which refuses Sids that stand twice
	if err != nil || len(text) > 1000 {
		t.Fatalf("%v in %s", err, text)
	}
	sids := []string{}
	for _, s := range d.Statements {
		sids = append(sids, s.Sid)
	}
	if want := []string{"", "Deny", "Deny3", "Deny2", "Deny4"}; !slices.Equal(sids, want) {
		t.Errorf("Sids %q, want %q in %s", sids, want, text)
	}
	snapshots[consumer].Roles[role].Inline["guard"] = text
	if mended := proof.ExplainShare(p, snapshots, bucket)[0]; mended.Verdict != proof.Allowed {
		t.Errorf("%s: %+v", mended.Verdict, mended.Roots)
	}
}

// holdLeft holds that the statements of a policy are these, each with a Sid of
// its own.
func holdLeft(t *testing.T, text []byte, want []string) {
	t.Helper()
	sids := map[string]bool{}
	document := string(text)
	d, err := iampolicy.ParseLive(text)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(d.Statements, func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Allow })
	for i, s := range list {
		if s.Sid == "" || sids[s.Sid] {
			t.Errorf("no Sid of its own: %s", document)
		}
		sids[s.Sid] = true
		s.Sid, s.Raw = "", nil
		got := string(iampolicy.Marshal(&iampolicy.Document{Statements: []iampolicy.Statement{s}}))
		if i >= len(want) || got != `{"Statement":[{"Effect":"Deny",`+want[i]+`}]}` {
			t.Errorf("left: %s, want %q", got, want)
		}
	}
	if len(list) != len(want) {
		t.Errorf("left: %s, want %q", document, want)
	}
}

// holdSpared holds of every action on resources of all kinds that it is denied
// if, and only if, it was and is not asked for.
func holdSpared(t *testing.T, before, after string, asked func(action, resource, prefix string) bool) {
	t.Helper()
	denies := func(text, action, resource, prefix string) bool {
		d, err := iampolicy.ParseLive([]byte(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return iampolicy.Evaluate(iampolicy.Request{
			Caller: iampolicy.Caller{Kind: iampolicy.User, ARN: "arn:aws:iam::" + consumer + ":user/u", Account: consumer},
			Action: action, Resource: resource, ResourceAccount: owner, Context: map[string][]string{"s3:prefix": {prefix}},
		}, iampolicy.Policies{Identity: []iampolicy.Named{{Document: d}}}).Outcome == iampolicy.ExplicitDeny
	}
	resources := []string{notesARN, notesARN + "/in/a.txt", notesARN + "/in/b.txt", notesARN + "/in/x/y", notesARN + "/out/a.txt", "arn:aws:s3:::other", "arn:aws:s3:::other/a"}
	for _, action := range iampolicy.MatchS3Actions("*") {
		for _, resource := range resources {
			isObject := strings.Contains(strings.TrimPrefix(resource, "arn:aws:s3:::"), "/")
			if action.Level == iampolicy.BucketLevel && isObject || action.Level == iampolicy.ObjectLevel && !isObject || action.Level == iampolicy.AccountLevel || action.Level == iampolicy.OtherLevel {
				continue // there is no such request
			}
			for _, prefix := range []string{"in/", "in/x", "out/"} {
				want := denies(before, action.Name, resource, prefix) && !asked(action.Name, resource, prefix)
				if got := denies(after, action.Name, resource, prefix); got != want {
					t.Fatalf("%s on %s (%s) is denied: %t, want %t, by %s", action.Name, resource, prefix, got, want, after)
				}
			}
		}
	}
	for _, other := range [][2]string{{"ec2:RunInstances", "arn:aws:ec2:us-east-1:" + consumer + ":instance/i-1"}, {"kms:Decrypt", notesKey}} {
		if want := denies(before, other[0], other[1], ""); denies(after, other[0], other[1], "") != want {
			t.Errorf("%s is denied: %t, want %t, by %s", other[0], !want, want, after)
		}
	}
}

// A control policy that denies the key for some of the objects is mended for
// those, although the key may be used for others.
func TestExplainKeyOfSomeObjects(t *testing.T) {
	p, snapshots := built(t, recipe(func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessRead} }))
	l := live{t, snapshots}
	l.encrypted()
	l.organized(levels(control("Secrets", "ou-1-a", `{"Sid":"Secret","Effect":"Deny","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::*/secret/*"}}}`)), nil)
	e := proof.ExplainShare(p, snapshots, bucket)[0]
	if e.Verdict != proof.Denied || len(e.Roots) != 1 || e.Roots[0].Code != proof.ServiceControl || len(e.Roots[0].Fragments) == 0 || !strings.Contains(e.Roots[0].Mend, `statement "Secret"`) {
		t.Errorf("%s: %+v", e.Verdict, e.Roots)
	}
}
