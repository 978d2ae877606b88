package describe

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	lake      = "111111111111"
	analytics = "222222222222"
)

const repositoryFile = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  permissionsBoundary: base
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner: {id: "333333333333", manage: false}
    old: {id: "444444444444", retired: true}
`

// scene is a repository and what is live.
type scene struct {
	repo      *specs.Repository
	plan      *plan.Plan
	snapshots map[string]*plan.Snapshot
}

// newScene is a repository with the shares that a text holds, and two accounts in
// which nothing is.
func newScene(t *testing.T, shares string) *scene {
	t.Helper()
	repo, problems := specs.Load(fstest.MapFS{"xshare.yaml": {Data: []byte(repositoryFile)}, "shares/a.yaml": {Data: []byte(shares + "#\n")}})
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	p, _ := plan.Build(repo, func(string) bool { return true })
	s := &scene{repo, p, map[string]*plan.Snapshot{}}
	for _, account := range []string{lake, analytics} {
		s.snapshots[account] = &plan.Snapshot{
			Account: account, Buckets: map[string]*plan.LiveBucket{}, Listed: map[string]string{},
			Roles: map[string]*plan.LiveRole{}, Policies: map[string]*plan.LivePolicy{}, Profiles: map[string]*plan.LiveInstanceProfile{},
		}
	}
	return s
}

func policy(statements ...string) []byte {
	return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

func (s *scene) bucket(name string, statements ...string) {
	s.snapshots[lake].Listed[name] = "us-east-1"
	s.snapshots[lake].Buckets[name] = &plan.LiveBucket{Name: name, Region: "us-east-1", Policy: policy(statements...)}
}

// role adds a role of account analytics that may do all of S3 by its own policy.
func (s *scene) role(name string, change ...func(*plan.LiveRole)) {
	r := &plan.LiveRole{
		Role: plan.Role{
			Name: name, Path: "/", ARN: "arn:aws:iam::" + analytics + ":role/" + name, Tags: map[string]string{},
			Trust: plan.TrustPolicy(specs.Role{TrustService: "ec2.amazonaws.com"}),
		},
		Inline: map[string][]byte{"all": policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)},
	}
	for _, c := range change {
		c(r)
	}
	s.snapshots[analytics].Roles[name] = r
}

func (s *scene) found(t *testing.T) (text string, problems []string, found Found) {
	t.Helper()
	found = Shares(s.plan, s.repo, s.snapshots, true)
	var b bytes.Buffer
	if err := specs.Write(&b, found.Shares); err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Problems {
		problems = append(problems, p.Message)
	}
	return strings.ReplaceAll(b.String(), "apiVersion: xshare/v1\nkind: Share\n", ""), problems, found
}

// names is a statement that lets principals read.
func names(principals ...string) string {
	return fmt.Sprintf(`{"Sid":"S","Effect":"Allow","Principal":{"AWS":["%s"]},"Action":["s3:GetObject","s3:ListBucket","s3:GetBucketLocation"],"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"]}`, strings.Join(principals, `","`))
}

func roleARN(account, name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// What a share cannot name is told, each by what it is.
func TestUndescribed(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		role      func(*plan.LiveRole)
		want      string // empty: nothing is told
		shares    int
	}{
		"a role":                     {names(roleARN(analytics, "reader")), nil, "", 1},
		"a partner's role":           {names(roleARN("333333333333", "theirs")), nil, "", 1},
		"a role of no account":       {names(roleARN("999999999999", "x")), nil, `statement "S" of the policy of bucket data is in no share, or not all of it: it names role x of account 999999999999, which is not in xshare.yaml`, 0},
		"a retired account's role":   {names(roleARN("444444444444", "x")), nil, "it names role x of account old, which is retired", 0},
		"a role that is not there":   {names(roleARN(analytics, "gone")), nil, "the policy of bucket data names role gone in account 222222222222, which does not exist", 0},
		"a role of another path":     {names(roleARN(analytics, "app/reader")), nil, "names role app/reader in account 222222222222, which does not exist", 0},
		"a deleted role's id":        {names("AROAEXAMPLEEXAMPLE12"), nil, "it names the id AROAEXAMPLEEXAMPLE12 of a role or user that was deleted", 0},
		"an account":                 {names("222222222222"), nil, "it names the whole account 222222222222, and a share names roles", 0},
		"an account's root":          {names("arn:aws:iam::222222222222:root"), nil, "it names the whole account 222222222222", 0},
		"the bucket's own account":   {names(lake, "arn:aws:iam::111111111111:root"), nil, "", 0},
		"a user":                     {names("arn:aws:iam::222222222222:user/ann"), nil, "it names arn:aws:iam::222222222222:user/ann", 0},
		"a session":                  {names("arn:aws:sts::222222222222:assumed-role/reader/x"), nil, "it names arn:aws:sts::222222222222:assumed-role/reader/x", 0},
		"everybody":                  {`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`, nil, "statement number 1 of the policy of bucket data is in no share, or not all of it: it names everybody", 0},
		"a service":                  {`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`, nil, "it names service cloudtrail.amazonaws.com", 0},
		"a provider":                 {`{"Effect":"Allow","Principal":{"Federated":"graph.facebook.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`, nil, "it names identity provider graph.facebook.com", 0},
		"a canonical user":           {`{"Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`, nil, "it names canonical user 79a5", 0},
		"NotPrincipal":               {`{"Effect":"Allow","NotPrincipal":{"AWS":"222222222222"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`, nil, "it has no Principal element", 0},
		"a deny":                     {`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, nil, "", 0},
		"less by the role":           {names(roleARN(analytics, "reader")), func(r *plan.LiveRole) { r.Inline = nil }, "the policy of bucket data allows s3:GetBucketLocation, s3:GetObject, s3:ListBucket to role reader in account 222222222222, whose own policies do not", 0},
		"a service-linked role":      {names(roleARN(analytics, "aws-service-role/x.amazonaws.com/reader")), func(r *plan.LiveRole) { r.Path = "/aws-service-role/x.amazonaws.com/" }, "what role reader in account 222222222222 may do with bucket data is in no share, as specs cannot say it: the role \"aws-service-role/x.amazonaws.com/reader\" is one of an AWS service", 0},
		"another repository":         {strings.Replace(names(roleARN(analytics, "reader")), `"S"`, `"`+iampolicy.MarkPrefix("other")+`0123456789"`, 1), nil, "statements of another xshare repository stand in the policy of bucket data, and are left out", 0},
		"an action not known":        {`{"Effect":"Allow","Principal":{"AWS":"` + roleARN(analytics, "reader") + `"},"Action":"s3:BrandNew","Resource":"*"}`, nil, "its action s3:BrandNew is not known", 0},
		"a role of ours, unnamed":    {`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, func(r *plan.LiveRole) { r.Tags = map[string]string{plan.RepositoryTag: "acme"} }, "role reader in account 222222222222 carries the mark of this repository and is in no share", 0},
		"a role's unreadable policy": {names(roleARN(analytics, "reader")), func(r *plan.LiveRole) { r.Inline["all"] = []byte("{") }, "whose own policies do not, or not as far", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "")
			s.bucket("data", c.statement)
			s.role("reader", func(r *plan.LiveRole) {
				if c.role != nil {
					c.role(r)
				}
			})
			_, problems, found := s.found(t)
			if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.want)) {
				t.Errorf("told: %q\nwant: %s", problems, c.want)
			}
			if len(found.Shares) != c.shares {
				t.Errorf("%d shares", len(found.Shares))
			}
			if isSpare := len(found.Spare) > 0; isSpare != (c.shares > 0) {
				t.Errorf("spare: %v", found.Spare)
			}
		})
	}
}

// Of what carries the mark, the spec says that it is created; the default
// boundary and the default policy name are not said.
func TestOurs(t *testing.T) {
	s := newScene(t, "")
	mark := iampolicy.MarkPrefix("acme") + "0123456789"
	statement := func(bucket, role string) string {
		return fmt.Sprintf(`{"Sid":"%s","Effect":"Allow","Principal":{"AWS":"%s"},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::%s/*"]}`, mark, roleARN(analytics, role), bucket)
	}
	own := func(bucket string) []byte {
		return policy(fmt.Sprintf(`{"Sid":"%s","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}`, mark, bucket))
	}
	marked := func(share string) map[string]string {
		return map[string]string{plan.RepositoryTag: "acme", plan.ShareTag: share, plan.OwnerTag: "team"}
	}
	attach := func(r *plan.LiveRole, name, bucket string) {
		arn := "arn:aws:iam::" + analytics + ":policy/" + name
		r.Inline, r.Attached = nil, append(r.Attached, arn)
		s.snapshots[analytics].Policies[arn] = &plan.LivePolicy{Name: name, ARN: arn, Document: own(bucket)}
	}
	s.bucket("data", statement("data", "reader"), statement("data", "glue"))
	s.bucket("more", statement("more", "reader"), statement("more", "lambda"))
	s.role("reader", func(r *plan.LiveRole) {
		r.Tags, r.Boundary = map[string]string{plan.RepositoryTag: "acme"}, "arn:aws:iam::"+analytics+":policy/base"
		attach(r, "xshare.acme.reader", "data")
		attach(r, "chosen", "more")
	})
	s.role("glue", func(r *plan.LiveRole) {
		r.Tags = marked("second")
		r.Trust = policy(`{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`)
		attach(r, "xshare.acme+2.glue", "data")
	})
	s.role("lambda", func(r *plan.LiveRole) {
		r.Tags = marked("not a name")
		r.Boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
		r.Trust = plan.TrustPolicy(specs.Role{TrustService: "lambda.amazonaws.com"})
		attach(r, "p+3", "more")
	})
	s.snapshots[analytics].Profiles["reader-profile"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Name: "reader-profile", Role: "reader", Tags: marked("x")}}
	s.snapshots[analytics].Profiles["another"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Name: "another", Role: "reader"}}
	instance := plan.Instance{
		ID: "i-1", Name: "x", Region: "eu-west-1", Image: "ami-0123456789abcdef0", Type: "m7g.large", Subnet: "subnet-1234", SecurityGroups: []string{"sg-2222", "sg-1111"},
		KeyName: "k", ProfileARN: "arn:aws:iam::222222222222:instance-profile/reader-profile", Tags: map[string]string{plan.RepositoryTag: "acme", plan.NameTag: "client"},
	}
	foreign := instance
	foreign.Tags = nil
	s.snapshots[analytics].Instances = []*plan.LiveInstance{{Instance: instance}, {Instance: foreign}}
	s.snapshots[lake].Buckets["data"].Tags = marked("data")
	s.snapshots[lake].Buckets["data"].Region = "eu-west-1"
	text, problems, found := s.found(t)
	const want = `metadata:
  name: data
spec:
  bucket:
    name: data
    account: lake
    region: eu-west-1
    create: true
  consumers:
    - account: analytics
      role:
        name: reader
        create: true
        trust: ec2
        instanceProfile: reader-profile
        permissionsBoundary: base
      actions:
        - s3:GetObject
      instances:
        - name: client
          image: ami-0123456789abcdef0
          type: m7g.large
          region: eu-west-1
          subnet: subnet-1234
          securityGroups: [sg-1111, sg-2222]
          keyName: k
---
metadata:
  name: more
spec:
  bucket:
    name: more
    account: lake
  consumers:
    - account: analytics
      role:
        name: lambda
        create: true
        trust: lambda
        permissionsBoundary: arn:aws:iam::aws:policy/PowerUserAccess
      actions:
        - s3:GetObject
      policyName: p
    - account: analytics
      role:
        name: reader
        create: true
        trust: ec2
        instanceProfile: reader-profile
        permissionsBoundary: base
      actions:
        - s3:GetObject
      policyName: chosen
---
metadata:
  name: second
  owner: team
spec:
  bucket:
    name: data
    account: lake
    region: eu-west-1
    create: true
  consumers:
    - account: analytics
      role:
        name: glue
      actions:
        - s3:GetObject
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], "role glue in account 222222222222 has a trust policy of its own") {
		t.Errorf("told: %q", problems)
	}
	if len(found.Spare) > 0 {
		t.Errorf("our own statements are said to be spare: %v", found.Spare)
	}
}

// What the repository has already is not said again, and its names are kept.
func TestBesideShares(t *testing.T) {
	s := newScene(t, `apiVersion: xshare/v1
kind: Share
metadata: {name: data}
spec:
  bucket: {name: data, account: lake}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: ec2}, access: read}
`)
	s.bucket("data", names(roleARN(analytics, "reader"), roleARN(analytics, "other")), `{"Effect":"Allow","Principal":{"AWS":"`+roleARN(analytics, "reader")+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`)
	s.bucket("more", strings.ReplaceAll(names(roleARN(analytics, "reader")), ":::data", ":::more"))
	marked := func(r *plan.LiveRole) { r.Tags = map[string]string{plan.RepositoryTag: "acme", plan.ShareTag: "data"} }
	s.role("reader", marked)
	s.role("other")
	text, problems, found := s.found(t)
	const want = `metadata:
  name: data-2
spec:
  bucket:
    name: data
    account: lake
  consumers:
    - account: analytics
      role:
        name: other
      access: [read]
---
metadata:
  name: more
spec:
  bucket:
    name: more
    account: lake
  consumers:
    - account: analytics
      role:
        name: reader
      access: [read]
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(problems) != 1 || problems[0] != "the policies of bucket data and of role reader in account 222222222222 allow s3:PutObject, or that further than the repository's shares say" {
		t.Errorf("told: %q", problems)
	}
	if len(found.Spare) != 2 || found.Spare[0].Bucket != "data" || found.Spare[0].What != `statement "S"` || found.Spare[1].Bucket != "more" {
		t.Errorf("spare: %v", found.Spare)
	}
}

// A policy that cannot be read is told of, and so is an account.
func TestUnreadable(t *testing.T) {
	s := newScene(t, "")
	s.bucket("data", names(roleARN(analytics, "reader")))
	s.bucket("odd")
	s.snapshots[lake].Buckets["odd"].Policy = []byte(`{"Version":"1"}`)
	s.snapshots[analytics].Failures = []plan.ReadFailure{{Scope: plan.ScopeIAM, Message: "iam:GetAccountAuthorizationDetails on the account: no", Mend: "allow it"}}
	text, problems, _ := s.found(t)
	if text != "" || len(problems) != 2 || problems[1] != "iam:GetAccountAuthorizationDetails on the account: no" || !strings.Contains(problems[0], "the policy of bucket odd cannot be read: 1:12: ") {
		t.Errorf("%s%q", text, problems)
	}
}

// What a share cannot say of one role hides no other.
// Whatever two policies say, what is described is allowed by both.
func TestWants(t *testing.T) {
	s := newScene(t, "")
	s.bucket("data", names(roleARN(analytics, "reader"), roleARN("333333333333", "theirs")))
	s.bucket("ours", strings.ReplaceAll(names(roleARN(analytics, "reader")), `"S"`, `"`+iampolicy.MarkPrefix("acme")+`0123456789"`))
	s.snapshots[lake].Listed["other"] = "eu-west-1"
	s.snapshots["333333333333"] = &plan.Snapshot{Failures: []plan.ReadFailure{{Scope: plan.ScopeAccount}}, Listed: map[string]string{"other": ""}}
	want := func(what string, got []plan.Want, wants ...plan.Want) {
		t.Helper()
		if diff := cmp.Diff(wants, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
	want("buckets", BucketWants(s.repo), plan.Want{Account: analytics, List: true}, plan.Want{Account: lake, List: true})
	want("policies", PolicyWants(s.snapshots, func(bucket string) bool { return bucket == "other" }),
		plan.Want{Account: lake, Buckets: []plan.BucketWant{{Name: "other", Region: "eu-west-1"}}})
	named := plan.Want{Account: analytics, IAM: true, Roles: []string{"reader"}, Proof: true}
	want("roles", RoleWants(s.plan, s.repo, s.snapshots, false), named)
	named.Search = true
	want("roles", RoleWants(s.plan, s.repo, s.snapshots, true), plan.Want{Account: lake, Search: true}, named)
	tags := plan.Want{Account: lake, Buckets: []plan.BucketWant{{Name: "ours", Region: "us-east-1", Tags: true}}}
	want("what is ours", OwnWants(s.plan, s.repo, s.snapshots), tags)
	profiles := s.snapshots[analytics].Profiles
	profiles["foreign"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Role: "reader"}}
	want("what is ours", OwnWants(s.plan, s.repo, s.snapshots), tags)
	profiles["p"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Role: "reader", Tags: map[string]string{plan.RepositoryTag: "acme"}}}
	want("what is ours", OwnWants(s.plan, s.repo, s.snapshots), tags, plan.Want{Account: analytics, Instances: []plan.InstanceWant{{Region: "us-east-1", Named: true}}})
}

// What is spare can be removed, and a policy that says anything else is not.
func TestSpare(t *testing.T) {
	const (
		objects = `"Resource":"arn:aws:s3:::data/*"`
		reads   = `{"Effect":"Allow","Action":"s3:GetObject",` + objects + `}`
	)
	mark := iampolicy.MarkPrefix("acme") + "0123456789"
	for name, c := range map[string]struct {
		own   []byte
		spare bool
	}{
		"what is promised":         {policy(reads), true},
		"a part of it":             {policy(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/in/*"}`), true},
		"both":                     {policy(reads, `{"Effect":"Allow","Action":"s3:getobject",`+objects+`}`), true},
		"more actions":             {policy(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],` + objects + `}`), false},
		"actions of another kind":  {policy(`{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],` + objects + `}`), false},
		"actions on the account":   {policy(`{"Effect":"Allow","Action":["s3:GetObject","s3:ListAllMyBuckets"],` + objects + `}`), false},
		"an action not known":      {policy(`{"Effect":"Allow","Action":["s3:GetObject","s3:BrandNew"],` + objects + `}`), false},
		"another repository's":     {policy(`{"Sid":"` + iampolicy.MarkPrefix("other") + `0123456789","Effect":"Allow","Action":"s3:GetObject",` + objects + `}`), false},
		"every action":             {policy(`{"Effect":"Allow","Action":"s3:*",` + objects + `}`), false},
		"a Deny":                   {policy(reads, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/secret/*"}`), false},
		"another bucket":           {policy(`{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::data/*","arn:aws:s3:::other/*"]}`), false},
		"every bucket":             {policy(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`), false},
		"NotResource":              {policy(reads, `{"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::data/*"}`), false},
		"NotAction":                {policy(reads, `{"Effect":"Allow","NotAction":"s3:GetObject",`+objects+`}`), false},
		"a condition":              {policy(reads, `{"Effect":"Allow","Action":"s3:PutObject",`+objects+`,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`), false},
		"one that nobody can read": {[]byte("{"), false},
		"ours":                     {policy(`{"Sid":"` + mark + `","Effect":"Allow","Action":"s3:GetObject",` + objects + `}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "")
			s.bucket("data", names(roleARN(analytics, "reader")))
			s.role("reader", func(r *plan.LiveRole) { r.Inline["own"] = c.own })
			s.snapshots[analytics].Roles["reader"].Inline["all"] = policy(`{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}`)
			_, _, found := s.found(t)
			var spare []string
			for _, s := range found.Spare {
				if s.Role != "" {
					spare = append(spare, s.What)
				}
			}
			if want := map[bool]string{true: "inline policy own"}[c.spare]; strings.Join(spare, ", ") != want {
				t.Errorf("spare: %q, want %q", spare, want)
			}
		})
	}
}

// A role of the bucket's own account needs no policy of its own, and can have what
// is for that account only; another's cannot.
func TestOwnersRole(t *testing.T) {
	everything := func(role string) string {
		return `{"Sid":"All","Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":["s3:GetObject","s3:PutBucketPolicy"],"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"]}`
	}
	for account, want := range map[string]string{lake: "[s3:GetObject s3:PutBucketPolicy]", analytics: "[s3:GetObject]"} {
		s := newScene(t, "")
		s.bucket("data", everything(roleARN(account, "reader")))
		s.role("reader")
		if account == lake {
			role := s.snapshots[analytics].Roles["reader"]
			role.Inline, role.ARN = nil, roleARN(lake, "reader")
			s.snapshots[lake].Roles["reader"] = role
		}
		_, problems, found := s.found(t)
		if len(problems) > 0 || len(found.Shares) != 1 || fmt.Sprint(found.Shares[0].Consumers[0].Actions) != want || len(found.Spare) != 1 {
			t.Errorf("%s: %q, %+v", account, problems, found)
		}
	}
}

// Roles of one name and two paths are two: one of them does not exist.
func TestPaths(t *testing.T) {
	s := newScene(t, "")
	s.bucket("data", names(roleARN(analytics, "app/reader"), roleARN(analytics, "reader")))
	s.role("reader")
	_, problems, found := s.found(t)
	if len(found.Shares) != 1 || len(problems) != 1 || !strings.Contains(problems[0], "names role app/reader in account 222222222222, which does not exist") {
		t.Errorf("%q, %+v", problems, found.Shares)
	}
}

// A share that would open something is left out, and it is told.
// Where the policy cannot be written, nothing is proved, and that is told; the id
// of a deleted role in an Allow is no such reason.
// A policy of ours that somebody attached to a second role too is not that role's:
// the specs that are written load together.
func TestPolicyOfAnotherRole(t *testing.T) {
	mark := iampolicy.MarkPrefix("acme") + "0123456789"
	const shared = `apiVersion: xshare/v1
kind: Share
metadata: {name: first}
spec:
  bucket: {name: other, account: lake}
  consumers:
    - {account: analytics, role: {name: a-reader}, access: read, policyName: Mine}
`
	for name, c := range map[string]struct {
		shares, policy string
		want           []string // by role
	}{
		"by default":        {"", "xshare.acme.a-reader", []string{"", ""}},
		"stated":            {"", "mine", []string{"mine", ""}},
		"stated in a share": {shared, "mine", []string{"Mine", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, c.shares)
			s.bucket("data", names(roleARN(analytics, "a-reader"), roleARN(analytics, "b-reader")))
			arn := "arn:aws:iam::" + analytics + ":policy/" + c.policy
			s.snapshots[analytics].Policies[arn] = &plan.LivePolicy{Name: c.policy, ARN: arn, Document: policy(`{"Sid":"` + mark + `","Effect":"Allow","Action":"s3:*","Resource":"*"}`)}
			for _, role := range []string{"a-reader", "b-reader"} {
				s.role(role, func(r *plan.LiveRole) { r.Inline, r.Attached = nil, []string{arn} })
			}
			_, problems, found := s.found(t)
			var got []string
			for _, share := range found.Shares {
				for _, c := range share.Consumers {
					got = append(got, c.PolicyName)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(problems) > 0 {
				t.Errorf("-want +got:\n%s%q", diff, problems)
			}
		})
	}
}

// What contradicts a share of the repository is left out, and told.
// A role that the shares call by another path, or in another case, is another one
// to AWS.
func TestNamedOtherwise(t *testing.T) {
	for _, name := range []string{"app/reader", "Reader"} {
		s := newScene(t, `apiVersion: xshare/v1
kind: Share
metadata: {name: data}
spec:
  bucket: {name: data, account: lake}
  consumers:
    - {account: analytics, role: {name: `+name+`}, access: read}
`)
		s.bucket("data", names(roleARN(analytics, "reader")))
		s.bucket("more", strings.ReplaceAll(names(roleARN(analytics, "reader")), ":::data", ":::more"))
		s.role("reader")
		_, problems, found := s.found(t)
		if len(found.Shares) > 0 || len(found.Spare) > 0 || len(problems) != 2 ||
			problems[0] != "the policy of bucket data names role reader in account 222222222222, and the repository's shares role "+name {
			t.Errorf("%q %+v", problems, found)
		}
	}
}

// What xshare has made beyond the shares is what the next apply takes away.
func TestBeyondByOurs(t *testing.T) {
	s := newScene(t, `apiVersion: xshare/v1
kind: Share
metadata: {name: data}
spec:
  bucket: {name: data, account: lake}
  consumers:
    - {account: analytics, role: {name: reader}, access: read}
`)
	mark := iampolicy.MarkPrefix("acme") + "0123456789"
	s.bucket("data", `{"Sid":"`+mark+`","Effect":"Allow","Principal":{"AWS":"`+roleARN(analytics, "reader")+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}`)
	s.role("reader")
	_, problems, _ := s.found(t)
	if len(problems) != 1 || !strings.HasSuffix(problems[0], "allow s3:PutObject, or that further than the repository's shares say: it was made by xshare, and the next apply takes it away") {
		t.Errorf("%q", problems)
	}
}
