package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

const recipe = `recipe
  bucket: {name: mybucket, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: reader, create: true, trust: ec2}
      access: [read, write]
      instances: [{name: client, image: ami-1234, subnet: subnet-1234}]
`

const lambda = `lambda
  bucket: {name: mybucket, account: lake}
  consumers:
    - account: lab
      role: {name: fn, create: true, trust: lambda}
      access: read
`

const (
	bucketPolicyID = "s3.BucketPolicy/111111111111/mybucket"
	readerRoleID   = "iam.Role/222222222222/reader"
	readerPolicyID = "iam.Policy/222222222222/xshare.acme-data.reader"
	attachmentID   = "iam.RolePolicyAttachment/222222222222/reader/xshare.acme-data.reader"
	readerARN      = "arn:aws:iam::222222222222:role/reader"
)

func TestBuildRecipe(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	var got []string
	for _, s := range p.Steps {
		got = append(got, s.ID+" <- "+strings.Join(s.Needs, " "))
	}
	want := []string{
		"s3.Bucket/111111111111/mybucket <- ",
		readerRoleID + " <- ",
		readerPolicyID + " <- ",
		attachmentID + " <- " + readerPolicyID + " " + readerRoleID,
		"iam.InstanceProfile/222222222222/reader <- " + readerRoleID,
		"ec2.Instance/222222222222/us-east-1/client <- iam.InstanceProfile/222222222222/reader",
		bucketPolicyID + " <- s3.Bucket/111111111111/mybucket",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	part := p.Step(bucketPolicyID).Parts[0]
	if diff := cmp.Diff([]string{readerPolicyID, readerRoleID, attachmentID}, part.Needs); diff != "" {
		t.Errorf("needs of the grant's part (-want +got):\n%s", diff)
	}
	if part.Consumer != "222222222222/reader" || part.Share != "recipe" {
		t.Errorf("part is of %s, %s", part.Share, part.Consumer)
	}
	if diff := cmp.Diff([]string{"ec2.Instance/222222222222/us-east-1/client", "iam.InstanceProfile/222222222222/reader"}, part.After); diff != "" {
		t.Errorf("the part goes after (-want +got):\n%s", diff)
	}
}

func TestBuildIsInDependencyOrder(t *testing.T) {
	p := build(t, load(t, recipe, lambda), everything)
	at := map[string]int{}
	for i, s := range p.Steps {
		at[s.ID] = i
	}
	for _, s := range p.Steps {
		needs := slices.Concat(s.Needs, s.After)
		for _, part := range s.Parts {
			needs = append(needs, slices.Concat(part.Needs, part.After)...)
		}
		for _, n := range needs {
			if i, ok := at[n]; !ok || i >= at[s.ID] {
				t.Errorf("%s comes before %s, which it needs", s.ID, n)
			}
		}
	}
}

func TestGrantStatements(t *testing.T) {
	tests := map[string]struct {
		consumer specs.Consumer
		want     []string
	}{
		"list": {
			specs.Consumer{Access: []specs.Access{specs.AccessList}},
			[]string{
				`{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`,
			},
		},
		"read": {
			specs.Consumer{Access: []specs.Access{specs.AccessRead}},
			[]string{
				`{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`,
			},
		},
		"write": {
			specs.Consumer{Access: []specs.Access{specs.AccessWrite}},
			[]string{
				`{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":"s3:ListBucketMultipartUploads","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":["s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"}`,
			},
		},
		"write with prefixes shows no uploads of other prefixes": {
			specs.Consumer{Access: []specs.Access{specs.AccessWrite}, Prefixes: []string{"in/"}},
			[]string{
				`{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":["s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:PutObject"],"Resource":"arn:aws:s3:::b/in/*"}`,
			},
		},
		"delete": {
			specs.Consumer{Access: []specs.Access{specs.AccessDelete}},
			[]string{`{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::b/*"}`},
		},
		"full": {
			specs.Consumer{Access: []specs.Access{specs.AccessRead, specs.AccessFull}},
			[]string{`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`},
		},
		"list with prefixes": {
			specs.Consumer{Access: []specs.Access{specs.AccessList}, Prefixes: []string{"a/", "b/"}},
			[]string{
				`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a/","a/*","b/","b/*"]}}}`,
				`{"Effect":"Allow","Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::b"}`,
			},
		},
		"actions": {
			specs.Consumer{Actions: []string{"s3:GetBucketTagging", "s3:GetObjectTagging", "s3:ListBucketVersions"}, Prefixes: []string{"a/"}},
			[]string{
				`{"Effect":"Allow","Action":"s3:ListBucketVersions","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a/","a/*"]}}}`,
				`{"Effect":"Allow","Action":"s3:GetBucketTagging","Resource":"arn:aws:s3:::b"}`,
				`{"Effect":"Allow","Action":"s3:GetObjectTagging","Resource":"arn:aws:s3:::b/a/*"}`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range GrantStatements("aws", "b", &test.consumer) {
				doc := iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{s}})
				text := strings.TrimPrefix(string(doc), `{"Version":"2012-10-17","Statement":`)
				text = strings.Trim(strings.TrimSuffix(text, "}"), "[]")
				got = append(got, text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareConverges(t *testing.T) {
	p := build(t, load(t, recipe, lambda), everything)
	l := newLive(p)
	first := Compare(p, l, Options{})
	if s := first.Summary(); s.Create != len(first.Steps) {
		t.Fatalf("an empty AWS: %d of %d steps are creates: %+v", s.Create, len(first.Steps), first.Problems)
	}
	l.apply(t, first)
	second := Compare(p, l, Options{})
	if got := actions(second); len(got) != 0 {
		t.Errorf("a second plan has changes: %v", got)
	}
	if len(second.Problems) != 0 {
		t.Errorf("a second plan has problems: %v", second.Problems)
	}
}

func TestCompareIsDeterministic(t *testing.T) {
	text := func(shares ...string) []byte {
		p := build(t, load(t, shares...), everything)
		doc, err := Compare(p, newLive(p), Options{}).Document("c0ffee").JSON()
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	a, b := text(recipe, lambda), text(lambda, recipe)
	// The files are numbered, so positions differ; nothing else may.
	a, b = bytes.ReplaceAll(a, []byte("shares/0"), []byte("shares/1")), bytes.ReplaceAll(b, []byte("shares/0"), []byte("shares/1"))
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("the order of files shows in the document:\n%s", diff)
	}
}

func TestMergedPrincipals(t *testing.T) {
	p := build(t, load(t, recipe, lambda), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	doc, err := iampolicy.Parse(l["111111111111"].Buckets["mybucket"].Policy)
	if err != nil {
		t.Fatal(err)
	}
	principals := map[string][]string{}
	for _, s := range doc.Statements {
		principals[strings.Join(s.Action, ",")] = s.Principal.AWS
	}
	fn := "arn:aws:iam::333333333333:role/fn"
	want := map[string][]string{
		"s3:GetBucketLocation": {readerARN, fn},
		"s3:GetObject":         {fn},
		"s3:ListBucket":        {fn},
		"s3:ListBucket,s3:ListBucketMultipartUploads":                                   {readerARN},
		"s3:AbortMultipartUpload,s3:GetObject,s3:ListMultipartUploadParts,s3:PutObject": {readerARN},
	}
	if diff := cmp.Diff(want, principals); diff != "" {
		t.Errorf("principals by actions (-want +got):\n%s", diff)
	}
}

const foreign = `{"Version":"2008-10-17","Id":"theirs","Statement":[{"Sid":"Odd  spacing","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mybucket/*","Condition":{"Bool":{"aws:SecureTransport":false}}}]}`

// What old and new specs both give must be there at every moment, also while a
// gain waits.
func TestSharedAccessNeverPauses(t *testing.T) {
	const narrow, wide = "access: [read], prefixes: [a/]", "access: [read, write], prefixes: [a/, b/]"
	spec := func(access string) string {
		return `share
  bucket: {name: mybucket, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: lambda}, ` + access + `}
`
	}
	for name, test := range map[string]struct{ from, to string }{
		"widened": {narrow, wide}, "narrowed": {wide, narrow}, "moved": {narrow, "access: [list, delete], prefixes: [a/, c/]"},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, spec(test.from)), everything)
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			p = build(t, load(t, spec(test.to)), everything)
			change := find(t, Compare(p, l, Options{}), bucketPolicyID)
			atoms := func(pairs []iampolicy.Pair) map[iampolicy.Atom]bool {
				m := map[iampolicy.Atom]bool{}
				each(pairs, func(a iampolicy.Atom) { m[a] = true })
				return m
			}
			of := func(statements []iampolicy.Statement) map[iampolicy.Atom]bool {
				return atoms(iampolicy.Pairs(&iampolicy.Document{Statements: statements}, p.Ours))
			}
			was, wanted := atoms(change.LivePairs), atoms(change.Parts[0].Pairs)
			both := map[iampolicy.Atom]bool{}
			for a := range was {
				if wanted[a] {
					both[a] = true
				}
			}
			if len(both) == 0 {
				t.Fatal("the test has no access in common")
			}
			waiting := of(change.Statements("acme-data", func(PartChange) bool { return false }))
			if diff := cmp.Diff(both, waiting); diff != "" {
				t.Errorf("while the gain waits (-in both +there):\n%s", diff)
			}
			settled := of(change.Statements("acme-data", func(PartChange) bool { return true }))
			if diff := cmp.Diff(wanted, settled); diff != "" {
				t.Errorf("in the end (-wanted +there):\n%s", diff)
			}
		})
	}
}

func TestSplitStatementsAreNoDrift(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	bucket := l["111111111111"].Buckets["mybucket"]
	d, err := iampolicy.Parse(bucket.Policy)
	if err != nil {
		t.Fatal(err)
	}
	var split []iampolicy.Statement
	for i, s := range d.Statements {
		for j, action := range s.Action {
			one := s
			one.Action, one.Sid = []string{strings.ToUpper(action)}, fmt.Sprintf("%s%05d%05d", iampolicy.MarkPrefix("acme-data"), i, j)
			split = append(split, one)
		}
	}
	d.Statements = split
	bucket.Policy = iampolicy.Marshal(d)
	if got := actions(Compare(p, l, Options{})); len(got) != 0 {
		t.Errorf("statements that were only split are drift: %v", got)
	}
}

func TestOnlyKeepsOthersAsTheyAre(t *testing.T) {
	p := build(t, load(t, recipe, lambda), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	before := string(l["111111111111"].Buckets["mybucket"].Policy)

	// Both shares change, but only the recipe is selected.
	changed := []string{
		strings.Replace(recipe, "[read, write]", "[read, write, delete]", 1),
		strings.Replace(lambda, "access: read", "access: list", 1),
	}
	p = build(t, load(t, changed...), only("recipe"))
	c := Compare(p, l, Options{Only: []string{"recipe"}})
	for _, change := range c.Steps {
		if change.Account == "333333333333" {
			t.Errorf("a step of a share that is not selected: %s", change.ID)
		}
	}
	policy := find(t, c, bucketPolicyID)
	for _, lost := range policy.Lose {
		if lost.Principal != readerARN {
			t.Errorf("%s, which is not selected, loses %s", lost.Principal, lost.Meaning)
		}
	}
	l.apply(t, c)
	type pairKey struct{ meaning, principal string }
	fn := func(text string) map[pairKey]bool {
		d, err := iampolicy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		m := map[pairKey]bool{}
		for _, pair := range iampolicy.Pairs(d, p.Ours) {
			if pair.Principal != readerARN {
				m[pairKey{pair.Meaning, pair.Principal}] = true
			}
		}
		return m
	}
	if diff := cmp.Diff(fn(before), fn(string(l["111111111111"].Buckets["mybucket"].Policy))); diff != "" {
		t.Errorf("access of the share that is not selected changed:\n%s", diff)
	}
}

// An account that only a sweep searches has a name, too.
func TestAliases(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	if len(p.NotSearched) != 1 || p.Aliases[p.NotSearched[0]] != "lab" || p.Aliases["222222222222"] != "analytics" {
		t.Errorf("not searched are %v, the aliases %v", p.NotSearched, p.Aliases)
	}
}

const foreign2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`

func TestPermissionsAreSplit(t *testing.T) {
	var shares []string
	for i := range 30 {
		shares = append(shares, fmt.Sprintf(`share-%02d
  bucket: {name: a-bucket-with-a-rather-long-name-%02d, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: lambda}, access: [read, write], prefixes: [incoming/daily/]}
`, i, i))
	}
	p := build(t, load(t, shares...), everything)
	l := newLive(p)
	c := Compare(p, l, Options{})
	policies := 0
	for _, change := range c.Steps {
		want, ok := change.Want.(Policy)
		if !ok {
			continue
		}
		policies++
		if size := iampolicy.Size(want.Document); size > iampolicy.MaxManagedPolicy {
			t.Errorf("%s has %d characters", change.ID, size)
		}
	}
	if policies < 2 || policies > 5 {
		t.Errorf("%d policies", policies)
	}
	l.apply(t, c)
	if got := actions(Compare(p, l, Options{})); len(got) != 0 {
		t.Errorf("still to do: %v", got)
	}
	if n := len(l["222222222222"].Roles["reader"].Attached); n != policies {
		t.Errorf("%d policies, %d attached", policies, n)
	}
}

func TestPartnerSidesHaveNoSteps(t *testing.T) {
	p := build(t, load(t, `partner
  bucket: {name: mybucket, account: lake, create: true}
  consumers:
    - {account: partner, role: {name: theirs}, access: read}
`), everything)
	for _, s := range p.Steps {
		if s.Account == "444444444444" {
			t.Errorf("a step in the partner's account: %s", s.ID)
		}
	}
	if part := p.Step(bucketPolicyID).Parts[0]; len(part.Needs) != 0 {
		t.Errorf("the part waits for %v", part.Needs)
	}
}

func TestDocumentJSON(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	text, err := Compare(p, newLive(p), Options{}).Document("").JSON()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("null,\n      \"after\": null")) || bytes.Contains(text, []byte(`"needs": null`)) {
		t.Error("null where a list belongs")
	}
	var doc struct {
		FormatVersion int
		Access        struct{ Gained, Lost []any }
		Steps         []struct {
			ID     string
			Region string
			After  map[string]any
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Steps {
		if strings.HasPrefix(s.ID, "ec2.Instance/") {
			want := map[string]any{"ref": s.ID, "field": "id"}
			if diff := cmp.Diff(want, s.After["id"]); diff != "" {
				t.Errorf("the id of an instance to launch (-want +got):\n%s", diff)
			}
		}
		if strings.HasPrefix(s.ID, "iam.") && s.Region != GlobalRegion {
			t.Errorf("%s has region %q", s.ID, s.Region)
		}
	}
	if doc.FormatVersion != 1 || doc.Access.Gained == nil || doc.Access.Lost == nil {
		t.Errorf("formatVersion %d, access %v", doc.FormatVersion, doc.Access)
	}
}

func BenchmarkBuildAndCompare(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lake := &specs.Account{Alias: "lake", ID: "111111111111", Region: "us-east-1", Manage: true}
			lab := &specs.Account{Alias: "lab", ID: "222222222222", Region: "us-east-1", Manage: true}
			repo := &specs.Repository{Name: "bench", Region: "us-east-1", Accounts: []*specs.Account{lake, lab}}
			for i := range n {
				repo.Shares = append(repo.Shares, &specs.Share{
					Name:   fmt.Sprintf("share-%06d", i),
					Bucket: specs.Bucket{Name: fmt.Sprintf("bucket-%06d", i), Account: lake, Region: "us-east-1", Create: true},
					Consumers: []*specs.Consumer{{
						Account: lab, Access: []specs.Access{specs.AccessRead},
						Role: specs.Role{Name: fmt.Sprintf("role-%06d", i), Path: "/", Create: true, TrustService: "ec2.amazonaws.com"},
					}},
				})
			}
			for b.Loop() {
				p, _ := Build(repo, everything)
				Compare(p, newLive(p), Options{})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/share")
		})
	}
}

// What is wrong with a bucket in the spec keeps its gains from being written,
// and no loss: whoever is taken out of a share is out.
func TestWrongRegionHoldsBackNoLoss(t *testing.T) {
	const bucketID = "s3.Bucket/111111111111/mybucket"
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	repo := load(t, strings.NewReplacer("create: true}\n  consumers", "create: true, region: eu-west-1}\n  consumers", "name: reader", "name: other").Replace(recipe))
	c := Compare(build(t, repo, everything), l, Options{})
	if bucket := find(t, c, bucketID); bucket.Action != Error {
		t.Fatalf("the bucket: %s", bucket.Action)
	}
	policy := find(t, c, bucketPolicyID)
	if len(policy.Lose) == 0 || slices.Contains(policy.Needs, bucketID) {
		t.Errorf("it loses %d pairs and needs %q", len(policy.Lose), policy.Needs)
	}
	for _, part := range policy.Parts {
		if len(part.Gain) > 0 && !slices.Contains(part.Needs, bucketID) {
			t.Errorf("what %s gains does not need the bucket: %q", part.Consumer, part.Needs)
		}
	}
}

func TestStatedPolicyName(t *testing.T) {
	for name, want := range map[string]string{
		policyName("acme", "reader", "", 1):  "",
		policyName("acme", "reader", "", 12): "",
		policyName("old", "a.b", "", 1):      "",
		policyName("acme", "r", "mine", 1):   "mine",
		policyName("acme", "r", "mine", 3):   "mine",
		"xshare.acme2.reader":                "xshare.acme2.reader",
		"xshare.acme":                        "xshare.acme",
		"xshare.acme+x.reader":               "xshare.acme+x.reader",
		"mine+1":                             "mine+1",
		"mine+02":                            "mine+02",
		"+2":                                 "+2",
	} {
		if got := StatedPolicyName([]string{"acme", "old"}, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
