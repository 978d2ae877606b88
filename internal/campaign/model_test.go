package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/specs"
)

// model is a repository that edits are made to. What it says is written out as
// YAML and loaded as any repository is, so an edit that the specs' rules do not
// allow shows there, and is taken back.
type model struct {
	shares map[string]*modelShare
	next   int // of the names of shares
}

type modelShare struct {
	bucket    string
	create    bool
	consumers []modelConsumer
}

type modelConsumer struct {
	account, role    string // alias; name or path/name
	create           bool
	policyName       string
	access, prefixes []string
	actions          []string
}

// What there is to choose from. A bucket is in one account; the roles that are
// made may be in any.
var (
	modelAccounts = map[string]string{"lake": "111111111111", "analytics": "222222222222", "apps": "333333333333", "ml": "444444444444"}
	modelBuckets  = map[string]string{"new-lake": "lake", "new-apps": "apps", "new-ml": "ml", "old-lake": "lake", "old-apps": "apps"}
	newRoles      = []string{"reader", "writer", "team/trainer"}
	oldRoles      = map[string]string{"etl": "analytics", "legacy/job": "ml", "own": "lake"} // exist already
	accessWords   = [][]string{{"list"}, {"read"}, {"write"}, {"delete"}, {"list", "delete"}, {"read", "write"}, {"full"}}
	actionLists   = [][]string{nil, nil, nil, {"s3:GetObjectTagging"}, {"s3:GetBucketTagging", "s3:GetObjectTagging"}}
	prefixLists   = [][]string{nil, nil, {"incoming/"}, {"clean/"}, {"clean/", "incoming/"}}
)

func isOld(name string) bool { return strings.HasPrefix(name, "old-") || oldRoles[name] != "" }

// modelUniverse is all of that, and few but telling questions.
func modelUniverse() *universe {
	u := &universe{
		managed: map[string]bool{}, buckets: map[string]string{}, roles: map[string]bool{},
		keys: []string{"incoming/a", "clean/a", "a"}, prefixes: []string{"-", "incoming/a", "clean/", "clean"},
		objectActions: []string{"GetObject", "PutObject", "DeleteObject", "GetObjectTagging"},
		bucketActions: []string{"GetBucketLocation", "ListBucketMultipartUploads", "GetBucketTagging"},
	}
	for alias, id := range modelAccounts {
		u.managed[id] = true
		for _, role := range newRoles {
			u.roles["arn:aws:iam::"+id+":role/"+role] = true
		}
		for role, account := range oldRoles {
			if account == alias {
				u.roles["arn:aws:iam::"+id+":role/"+role] = true
			}
		}
	}
	for bucket, alias := range modelBuckets {
		u.buckets[bucket] = modelAccounts[alias]
	}
	return u
}

// everythingOld names all that exists already, to be seeded.
func everythingOld() *model {
	m := &model{shares: map[string]*modelShare{}}
	var consumers []modelConsumer
	for role, account := range oldRoles {
		consumers = append(consumers, modelConsumer{account: account, role: role, access: []string{"list"}})
	}
	for bucket := range modelBuckets {
		if isOld(bucket) {
			m.shares[bucket] = &modelShare{bucket: bucket, consumers: consumers}
		}
	}
	return m
}

const modelRepository = `apiVersion: xshare/v1
kind: Repository
metadata: {name: edited}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    apps: {id: "333333333333", region: eu-west-1}
    ml: {id: "444444444444"}
`

func (m *model) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.shares)) {
		s := m.shares[name]
		fmt.Fprintf(&b, "---\napiVersion: xshare/v1\nkind: Share\nmetadata: {name: %s}\nspec:\n  bucket: {name: %s, account: %s%s}\n  consumers:\n",
			name, s.bucket, modelBuckets[s.bucket], when(s.create, ", create: true"))
		for _, c := range s.consumers {
			fmt.Fprintf(&b, "    - {account: %s, role: {name: %s%s}, access: [%s]", c.account, c.role, when(c.create, ", create: true, trust: "+trustOf(c.role)), strings.Join(c.access, ", "))
			b.WriteString(listed(", prefixes: ", c.prefixes) + listed(", actions: ", c.actions) + when(c.policyName != "", ", policyName: "+c.policyName) + "}\n")
		}
	}
	return b.String()
}

func when(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

func listed(field string, values []string) string {
	return when(len(values) > 0, field+"["+strings.Join(values, ", ")+"]")
}

// trustOf is a role's service; that of EC2 brings an instance profile with it.
func trustOf(role string) string {
	if role == "team/trainer" {
		return "ec2"
	}
	return "lambda"
}

// load is the repository as xshare reads it.
func (m *model) load() (*specs.Repository, error) {
	repo, problems := specs.Load(fstest.MapFS{"xshare.yaml": {Data: []byte(modelRepository)}, "shares/all.yaml": {Data: []byte(m.String())}})
	return repo, specs.Errors(problems)
}

func (m *model) clone() *model {
	c := &model{shares: map[string]*modelShare{}, next: m.next}
	for name, s := range m.shares {
		copied := *s
		copied.consumers = slices.Clone(s.consumers)
		c.shares[name] = &copied
	}
	return c
}

// made tells what exists in the accounts, by bucket and by account/role: what a
// spec need not create any more.
type made map[string]bool

// complete makes some share create what none would, and nothing else does.
func (m *model) complete(there made) {
	first := map[string]*bool{}
	created := map[string]bool{}
	see := func(key, name string, create *bool) {
		if isOld(name) {
			*create = false
			return
		}
		if first[key] == nil {
			first[key] = create
		}
		created[key] = created[key] || *create
	}
	for _, name := range slices.Sorted(maps.Keys(m.shares)) {
		s := m.shares[name]
		see(s.bucket, s.bucket, &s.create)
		for i := range s.consumers {
			c := &s.consumers[i]
			see(c.account+"/"+c.role, c.role, &c.create)
		}
	}
	for key, create := range first {
		if !created[key] && !there[key] {
			*create = true
		}
	}
}

func drawConsumer(t *rapid.T) modelConsumer {
	c := modelConsumer{
		access:   rapid.SampledFrom(accessWords).Draw(t, "access"),
		prefixes: rapid.SampledFrom(prefixLists).Draw(t, "prefixes"),
		actions:  rapid.SampledFrom(actionLists).Draw(t, "actions"),
		create:   rapid.Bool().Draw(t, "create role"),
	}
	c.role = rapid.SampledFrom(slices.Concat(newRoles, slices.Sorted(maps.Keys(oldRoles)))).Draw(t, "role")
	if c.account = oldRoles[c.role]; c.account == "" {
		c.account = drawAccount(t)
	}
	return c
}

func drawAccount(t *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(modelAccounts))).Draw(t, "account")
}

// policyNames are the names that grants give to their permissions policies.
func (m *model) policyNames() string {
	var names []string
	for _, s := range m.shares {
		for _, c := range s.consumers {
			names = append(names, when(c.policyName != "", s.bucket+" "+c.account+"/"+c.role+" "+c.policyName))
		}
	}
	slices.Sort(names)
	return strings.TrimSpace(strings.Join(names, "\n"))
}

// edit makes one random change. It may be one that the specs do not allow.
func (m *model) edit(t *rapid.T) {
	names := slices.Sorted(maps.Keys(m.shares))
	kind := "add share"
	if len(names) > 0 {
		kind = rapid.SampledFrom([]string{
			"add share", "add share", "remove share", "rename share", "move bucket", "flip bucket's create",
			"add consumer", "add consumer", "remove consumer", "move consumer", "other role", "policy name",
			"access", "access", "prefixes", "actions", "flip role's create",
		}).Draw(t, "edit")
	}
	if kind == "add share" {
		m.next++
		m.shares[fmt.Sprintf("s%02d", m.next)] = &modelShare{
			bucket: rapid.SampledFrom(slices.Sorted(maps.Keys(modelBuckets))).Draw(t, "bucket"),
			create: rapid.Bool().Draw(t, "create bucket"), consumers: []modelConsumer{drawConsumer(t)},
		}
		return
	}
	name := rapid.SampledFrom(names).Draw(t, "share")
	s := m.shares[name]
	at := rapid.IntRange(0, len(s.consumers)-1).Draw(t, "consumer")
	c := &s.consumers[at]
	switch kind {
	case "remove share":
		delete(m.shares, name)
	case "rename share":
		m.next++
		m.shares[fmt.Sprintf("s%02d", m.next)] = s
		delete(m.shares, name)
	case "move bucket":
		s.bucket = rapid.SampledFrom(slices.Sorted(maps.Keys(modelBuckets))).Draw(t, "bucket")
	case "flip bucket's create":
		s.create = !s.create
	case "add consumer":
		s.consumers = append(s.consumers, drawConsumer(t))
	case "remove consumer":
		if len(s.consumers) > 1 {
			s.consumers = slices.Delete(s.consumers, at, at+1)
		}
	case "move consumer":
		if !isOld(c.role) {
			c.account = drawAccount(t)
		}
	case "other role":
		other := drawConsumer(t)
		c.account, c.role, c.create = other.account, other.role, other.create
	case "policy name":
		c.policyName = rapid.SampledFrom([]string{"", "by-hand-a", "by-hand-b"}).Draw(t, "policy name")
	case "access":
		c.access = rapid.SampledFrom(accessWords).Draw(t, "access")
	case "prefixes":
		c.prefixes = rapid.SampledFrom(prefixLists).Draw(t, "prefixes")
	case "actions":
		c.actions = rapid.SampledFrom(actionLists).Draw(t, "actions")
	case "flip role's create":
		c.create = !c.create
	}
}
