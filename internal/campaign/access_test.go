package campaign

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// universe is what access is asked about: every role in every bucket.
type universe struct {
	managed map[string]bool   // accounts that xshare reads and writes
	buckets map[string]string // account by name
	roles   map[string]bool   // ARNs

	keys, prefixes, objectActions, bucketActions []string
}

// universeOf is all that the repositories name.
func universeOf(repos ...*specs.Repository) *universe {
	u := &universe{
		managed: map[string]bool{}, buckets: map[string]string{}, roles: map[string]bool{},
		keys: keys, prefixes: listPrefixes, objectActions: objectActions, bucketActions: bucketActions,
	}
	for _, repo := range repos {
		for _, a := range repo.Accounts {
			u.managed[a.ID] = a.Manage
		}
		for _, share := range repo.Shares {
			u.buckets[share.Bucket.Name] = share.Bucket.Account.ID
			for _, c := range share.Consumers {
				u.roles[roleARN(c)] = true
			}
		}
	}
	return u
}

func roleARN(c *specs.Consumer) string {
	return "arn:aws:iam::" + c.Account.ID + ":role" + c.Role.Path + c.Role.Name
}

// question is one request that a role might make.
type question struct {
	role, bucket, action string
	key                  string // of an object; empty: the bucket itself
	prefix               string // of a list call; "-": none is sent
}

func (q question) String() string {
	s := q.role + " " + q.action + " " + q.bucket
	if q.key != "" {
		s += "/" + q.key
	}
	if q.prefix != "" {
		s += " prefix " + q.prefix
	}
	return s
}

var (
	keys          = []string{"incoming/a", "incoming-private/a", "clean/a", "tmp/a", "vendor/a", "acme/a", "originals/a", "thumbnails/a", "released/a", "a"}
	listPrefixes  = []string{"-", "incoming/", "incoming/a", "incoming", "incoming-private/", "clean/", "tmp/", "vendor/", "acme/", "originals/", "released/"}
	objectActions = []string{"GetObject", "PutObject", "DeleteObject", "GetObjectTagging", "GetObjectAcl", "PutObjectTagging", "AbortMultipartUpload"}
	bucketActions = []string{"GetBucketLocation", "ListBucketMultipartUploads", "GetBucketTagging", "PutBucketAcl"}
)

// questions are all that is asked of one role and one bucket.
func (u *universe) questions(role, bucket string) []question {
	var list []question
	for _, action := range u.objectActions {
		for _, key := range u.keys {
			list = append(list, question{role: role, bucket: bucket, action: action, key: key})
		}
	}
	for _, action := range u.bucketActions {
		list = append(list, question{role: role, bucket: bucket, action: action})
	}
	for _, prefix := range u.prefixes {
		list = append(list, question{role: role, bucket: bucket, action: "ListBucket", prefix: prefix})
	}
	return list
}

// grants reports whether a consumer of a share is given what is asked for: the
// table of access words, written anew.
func grants(c *specs.Consumer, q question) bool {
	inPrefix := func(s string) bool {
		return len(c.Prefixes) == 0 || slices.ContainsFunc(c.Prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
	}
	if q.key != "" && !inPrefix(q.key) {
		return false
	}
	if slices.Contains(c.Actions, "s3:"+q.action) {
		return true
	}
	for _, word := range c.Access {
		switch word {
		case specs.AccessFull:
			return true
		case specs.AccessDelete:
			if q.action == "DeleteObject" {
				return true
			}
		case specs.AccessWrite:
			switch q.action {
			case "PutObject", "AbortMultipartUpload", "GetBucketLocation":
				return true
			case "ListBucketMultipartUploads":
				if len(c.Prefixes) == 0 {
					return true
				}
			}
		case specs.AccessRead, specs.AccessList:
			switch {
			case q.action == "GetObject" && word == specs.AccessRead, q.action == "GetBucketLocation":
				return true
			case q.action == "ListBucket" && (len(c.Prefixes) == 0 || q.prefix != "-" && inPrefix(q.prefix)):
				return true
			}
		}
	}
	return false
}

// stated reports whether some share grants what is asked for.
func stated(repo *specs.Repository, q question) bool {
	for _, share := range repo.Shares {
		if share.Bucket.Name != q.bucket {
			continue
		}
		for _, c := range share.Consumers {
			if roleARN(c) == q.role && grants(c, q) {
				return true
			}
		}
	}
	return false
}

// live is what the accounts hold.
type live struct {
	universe *universe
	policies map[string]*iampolicy.Document // of buckets, by name
	identity map[string][]iampolicy.Named   // by role ARN; absent: there is no such role
	boundary map[string][]iampolicy.Named
}

// read looks at the accounts by plain calls.
func (w *world) read(t tb, u *universe) *live {
	t.Helper()
	l := &live{universe: u, policies: map[string]*iampolicy.Document{}, identity: map[string][]iampolicy.Named{}, boundary: map[string][]iampolicy.Named{}}
	for bucket, account := range u.buckets {
		if text := w.bucketPolicy(t, account, bucket); text != "" {
			l.policies[bucket] = parse(t, text)
		}
	}
	for account := range u.managed {
		w.readRoles(t, account, l)
	}
	return l
}

func parse(t tb, text string) *iampolicy.Document {
	t.Helper()
	d, err := iampolicy.ParseLive([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return d
}

func (w *world) readRoles(t tb, account string, l *live) {
	t.Helper()
	type document struct {
		PolicyArn        string
		PolicyDocument   string
		Document         string
		IsDefaultVersion bool
	}
	var page struct {
		Result struct {
			IsTruncated bool
			Roles       []struct {
				Arn                 string
				Inline              []document `xml:"RolePolicyList>member"`
				Attached            []document `xml:"AttachedManagedPolicies>member"`
				PermissionsBoundary struct{ PermissionsBoundaryArn string }
			} `xml:"RoleDetailList>member"`
			Policies []struct {
				Arn      string
				Versions []document `xml:"PolicyVersionList>member"`
			} `xml:"Policies>member"`
		} `xml:"GetAccountAuthorizationDetailsResult"`
	}
	text := w.iam(t, account, "GetAccountAuthorizationDetails", "MaxItems", "1000")
	if err := xml.Unmarshal([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	if page.Result.IsTruncated {
		t.Fatalf("account %s has more than one page of IAM", account)
	}
	decoded := func(name, encoded string) iampolicy.Named {
		plain, err := url.PathUnescape(encoded)
		if err != nil {
			t.Fatal(err)
		}
		return iampolicy.Named{Name: name, Document: parse(t, plain)}
	}
	managed := map[string]iampolicy.Named{}
	for _, p := range page.Result.Policies {
		for _, v := range p.Versions {
			if v.IsDefaultVersion {
				managed[p.Arn] = decoded(p.Arn, v.Document)
			}
		}
	}
	for _, r := range page.Result.Roles {
		identity := []iampolicy.Named{}
		for _, d := range r.Inline {
			identity = append(identity, decoded("inline", d.PolicyDocument))
		}
		for _, d := range r.Attached {
			identity = append(identity, managed[d.PolicyArn])
		}
		l.identity[r.Arn] = identity
		if arn := r.PermissionsBoundary.PermissionsBoundaryArn; arn != "" {
			l.boundary[r.Arn] = []iampolicy.Named{managed[arn]}
		}
	}
}

var everything = iampolicy.Named{Name: "everything", Document: &iampolicy.Document{
	Version:    iampolicy.Version2012,
	Statements: []iampolicy.Statement{{Effect: iampolicy.Allow, Action: []string{"*"}, Resource: []string{"*"}}},
}}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// sides are who lets a request through.
type sides struct{ bucket, identity, both bool }

func (l *live) allows(q question) sides {
	account := l.universe.buckets[q.bucket]
	resource := "arn:aws:s3:::" + q.bucket
	if q.key != "" {
		resource += "/" + q.key
	}
	caller := strings.Split(q.role, ":")[4]
	req := iampolicy.Request{
		Caller: iampolicy.Caller{Kind: iampolicy.Role, ARN: q.role, RoleARN: q.role, Account: caller},
		Action: "s3:" + q.action, Resource: resource, ResourceAccount: account,
	}
	req.Context = iampolicy.DefaultContext(req, noon)
	if q.prefix != "" && q.prefix != "-" {
		req.Context["s3:prefix"] = []string{q.prefix}
	}
	var resourcePolicy *iampolicy.Named
	if d := l.policies[q.bucket]; d != nil {
		resourcePolicy = &iampolicy.Named{Name: "bucket policy", Document: d}
	}
	identity, exists := l.identity[q.role]
	decide := func(identity []iampolicy.Named, resource *iampolicy.Named) bool {
		return iampolicy.Evaluate(req, iampolicy.Policies{Identity: identity, Resource: resource, Boundary: l.boundary[q.role]}).Outcome == iampolicy.Allowed
	}
	// Each side is asked as if the bucket were in another account, where both
	// have to allow, and with another side that allows all.
	s := sides{both: exists && decide(identity, resourcePolicy)}
	req.ResourceAccount = elsewhere
	s.bucket = decide([]iampolicy.Named{everything}, resourcePolicy)
	s.identity = exists && decide(identity, &iampolicy.Named{Name: "bucket policy", Document: &iampolicy.Document{
		Version: iampolicy.Version2012, Statements: []iampolicy.Statement{{
			Effect: iampolicy.Allow, Principal: &iampolicy.Principals{AWS: []string{"arn:aws:iam::" + caller + ":root"}},
			Action: []string{"*"}, Resource: []string{"*"},
		}},
	}})
	return s
}

// elsewhere is an account that no role is in.
const elsewhere = "999999999999"

// differences lists where live access is not what the specs say.
func (l *live) differences(repo *specs.Repository) []string {
	var list []string
	for _, role := range slices.Sorted(maps.Keys(l.universe.roles)) {
		consumerManaged := l.universe.managed[strings.Split(role, ":")[4]]
		for _, bucket := range slices.Sorted(maps.Keys(l.universe.buckets)) {
			ownerManaged := l.universe.managed[l.universe.buckets[bucket]]
			for _, q := range l.universe.questions(role, bucket) {
				want, have := stated(repo, q), l.allows(q)
				is := have.both
				switch {
				case !ownerManaged:
					is = have.identity
				case !consumerManaged:
					is = have.bucket
				}
				if is != want {
					list = append(list, fmt.Sprintf("%s: live %v, specs %v (bucket side %v, identity side %v)", q, is, want, have.bucket, have.identity))
				} else if ownerManaged && have.bucket != want {
					list = append(list, fmt.Sprintf("%s: bucket side %v, specs %v", q, have.bucket, want))
				}
			}
		}
	}
	return list
}

// lingering lists what the identity side alone still allows and no share grants.
func (l *live) lingering(repo *specs.Repository) []string {
	var list []string
	for _, role := range slices.Sorted(maps.Keys(l.universe.roles)) {
		if !l.universe.managed[strings.Split(role, ":")[4]] {
			continue
		}
		for _, bucket := range slices.Sorted(maps.Keys(l.universe.buckets)) {
			for _, q := range l.universe.questions(role, bucket) {
				if l.allows(q).identity && !stated(repo, q) {
					list = append(list, q.String())
				}
			}
		}
	}
	return list
}

// few is the start of a list, for messages.
func few(list []string) string {
	const most = 8
	if len(list) > most {
		return strings.Join(list[:most], "\n  ") + fmt.Sprintf("\n  … %d in all", len(list))
	}
	return strings.Join(list, "\n  ")
}
