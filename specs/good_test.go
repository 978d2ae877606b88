package specs

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// noPositions leaves positions out of a comparison; the bad inputs check them.
var noPositions = cmpopts.IgnoreTypes(Pos{})

// mustLoad loads a repository that has no problem but the warnings given.
func mustLoad(t *testing.T, fsys fstest.MapFS, warnings ...string) *Repository {
	t.Helper()
	repo, problems := Load(fsys)
	want := strings.Join(append([]string{""}, warnings...), "\n")
	if got := show(problems); got != want {
		t.Fatalf("problems:%s\nwant:%s", got, want)
	}
	return repo
}

func TestLoadRecipe(t *testing.T) {
	repo, problems := Load(os.DirFS("../examples/recipe"))
	if got, want := show(problems), "\nshares/mybucket2share.yaml:25:18: warning: support of amazon-linux-2 ended on 2026-06-30: write amazon-linux-2023"; got != want {
		t.Fatalf("problems:%s\nwant:%s", got, want)
	}
	lake := &Account{Alias: "lake", ID: "111111111111", Region: "us-east-1", DeployRole: "xshare-deployer", Manage: true}
	analytics := &Account{Alias: "analytics", ID: "222222222222", Region: "us-east-1", DeployRole: "xshare-deployer", Manage: true}
	want := &Repository{
		Name: "recipe", Region: "us-east-1", DeployRole: "xshare-deployer",
		Accounts: []*Account{analytics, lake},
		Include:  []string{"shares/**/*.yaml"},
		Shares: []*Share{{
			Name:        "mybucket2share",
			Description: "The analytics team's instances work with the lake's bucket.",
			Bucket:      Bucket{Name: "mybucket2share", Account: lake, Region: "us-east-1", Create: true},
			Consumers: []*Consumer{{
				Account: analytics,
				Role: Role{
					Name: "ec2role2accessmybucket2share", Path: "/", Create: true,
					TrustService: "ec2.amazonaws.com", InstanceProfile: "ec2role2accessmybucket2share",
				},
				Access:     []Access{AccessList, AccessRead, AccessWrite},
				PolicyName: "mycrossaccounts3bucketpolicy",
				Instances: []Instance{{
					Name: "share-client", Image: "amazon-linux-2", Type: "t3.micro", Region: "us-east-1",
					Subnet: "subnet-1234", SecurityGroups: []string{"sg-1234"}, KeyName: "mykey",
				}},
			}},
		}},
	}
	if diff := cmp.Diff(want, repo, noPositions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, want := repo.Shares[0].Consumers[0].Role.Pos.String(), "shares/mybucket2share.yaml:18:15"; got != want {
		t.Errorf("the role is at %s, want %s", got, want)
	}
}

// everyField states every field of both kinds; schema_test.go relies on that.
var everyField = files{
	RepositoryFile: `
apiVersion: xshare/v1
kind: Repository
metadata:
  name: acme-data
  formerNames: [zeta, acme]
spec:
  region: us-east-1
  deployRole: ci/xshare-deployer
  readRole: xshare-reader
  externalId: abc:1
  permissionsBoundary: base
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222", region: eu-west-1, deployRole: other, externalId: xyz}
    hand: {id: "333333333333", deployRole: none, profile: hand-admin}
    partner: {id: "444444444444", manage: false}
    old: {id: "555555555555", retired: true}
  include: ["teams/*/shares.yaml", "teams/**/*.yaml"]
  tags: {cost-center: "42", empty: ""}
  lock: {bucket: acme-locks, account: lake, region: us-west-2, expires: 30m}
`,
	"trust/glue.json": trustEC2,
	"teams/a/shares.yaml": `
# two documents
apiVersion: xshare/v1
kind: Share
metadata:
  name: zoo
  owner: data-platform
  description: |
    Two lines,
    	one with a tab.
spec:
  bucket: {name: zoo-data, account: lake, region: us-west-2, create: true}
  consumers:
    - account: analytics
      role:
        name: app/reader
        create: true
        trust: ec2
        instanceProfile: reader-profile
        permissionsBoundary: arn:aws:iam::222222222222:policy/b
      access: [write, list]
      actions: [s3:getobjecttagging, s3:GetBucketVersioning]
      prefixes: [out/, in/]
      policyName: p
      instances:
        - name: client
          image: ami-0123456789abcdef0
          type: m7g.large
          region: eu-central-1
          subnet: subnet-1234
          securityGroups: [sg-2222, sg-1111]
          keyName: mykey
        - id: i-0123456789abcdef0
    - account: partner
      role: {name: theirs}
      access: read
---
apiVersion: xshare/v1
kind: Share
metadata: {name: ant}
spec:
  bucket: {name: old-data, account: partner}
  consumers:
    - account: hand
      role: {name: glue, create: true, trustPolicy: trust/glue.json}
      actions: [s3:GetObject]
...
`,
}

func TestLoadEveryField(t *testing.T) {
	repo := mustLoad(t, everyField.fs())
	const deployer, reader = "ci/xshare-deployer", "xshare-reader"
	analytics := &Account{Alias: "analytics", ID: "222222222222", Region: "eu-west-1", DeployRole: "other", ReadRole: reader, ExternalID: "xyz", Manage: true}
	hand := &Account{Alias: "hand", ID: "333333333333", Region: "us-east-1", DeployRole: "none", ExternalID: "abc:1", Profile: "hand-admin", Manage: true}
	lake := &Account{Alias: "lake", ID: "111111111111", Region: "us-east-1", DeployRole: deployer, ReadRole: reader, ExternalID: "abc:1", Manage: true}
	old := &Account{Alias: "old", ID: "555555555555", Region: "us-east-1", DeployRole: deployer, ReadRole: reader, ExternalID: "abc:1", Manage: true, Retired: true}
	partner := &Account{Alias: "partner", ID: "444444444444", Region: "us-east-1", DeployRole: deployer, ReadRole: reader, ExternalID: "abc:1"}
	want := &Repository{
		Name: "acme-data", FormerNames: []string{"acme", "zeta"}, Region: "us-east-1",
		DeployRole: deployer, ReadRole: reader, ExternalID: "abc:1", PermissionsBoundary: "base",
		Accounts: []*Account{analytics, hand, lake, old, partner},
		Include:  []string{"teams/*/shares.yaml", "teams/**/*.yaml"},
		Tags:     map[string]string{"cost-center": "42", "empty": ""},
		Lock:     &Lock{Bucket: "acme-locks", Account: lake, Region: "us-west-2", Expires: 30 * time.Minute},
		Shares: []*Share{
			{
				Name:   "ant",
				Bucket: Bucket{Name: "old-data", Account: partner},
				Consumers: []*Consumer{{
					Account: hand,
					Role: Role{
						Name: "glue", Path: "/", Create: true, PermissionsBoundary: "base",
						TrustPolicy: []byte(trustEC2), TrustFile: "trust/glue.json",
					},
					Actions: []string{"s3:GetObject"},
				}},
			},
			{
				Name: "zoo", Owner: "data-platform", Description: "Two lines,\n\tone with a tab.\n",
				Bucket: Bucket{Name: "zoo-data", Account: lake, Region: "us-west-2", Create: true},
				Consumers: []*Consumer{
					{
						Account: analytics,
						Role: Role{
							Name: "reader", Path: "/app/", Create: true, TrustService: "ec2.amazonaws.com",
							InstanceProfile: "reader-profile", PermissionsBoundary: "arn:aws:iam::222222222222:policy/b",
						},
						Access:     []Access{AccessList, AccessWrite},
						Actions:    []string{"s3:GetBucketVersioning", "s3:GetObjectTagging"},
						Prefixes:   []string{"in/", "out/"},
						PolicyName: "p",
						Instances: []Instance{
							{Name: "client", Image: "ami-0123456789abcdef0", Type: "m7g.large", Region: "eu-central-1", Subnet: "subnet-1234", SecurityGroups: []string{"sg-1111", "sg-2222"}, KeyName: "mykey"},
							{ID: "i-0123456789abcdef0", Region: "eu-west-1"},
						},
					},
					{Account: partner, Role: Role{Name: "theirs", Path: "/"}, Access: []Access{AccessRead}},
				},
			},
		},
	}
	if diff := cmp.Diff(want, repo, noPositions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLoadDefaults(t *testing.T) {
	tests := map[string]struct {
		files files
		want  func(c *Consumer) string // what is wrong with the first share's consumer
	}{
		"instance": {instance("{name: a}"), func(c *Consumer) string {
			return cmp.Diff([]Instance{{Name: "a", Image: "amazon-linux-2023", Type: "t3.micro", Region: "us-east-1"}}, c.Instances, noPositions)
		}},
		"profile of a lambda's role": {share("trust: ec2", "trust: lambda"), func(c *Consumer) string {
			return cmp.Diff("lambda.amazonaws.com,", c.Role.TrustService+","+c.Role.InstanceProfile)
		}},
		"profile turned off": {share("trust: ec2", "trust: ec2\n        instanceProfile: false"), func(c *Consumer) string {
			return cmp.Diff("", c.Role.InstanceProfile)
		}},
		"profile of an existing role": {share("        create: true\n        trust: ec2\n", "        instanceProfile: true\n"), func(c *Consumer) string {
			return cmp.Diff("reader", c.Role.InstanceProfile)
		}},
		"no profile of an existing role": {share("        create: true\n        trust: ec2\n", ""), func(c *Consumer) string {
			return cmp.Diff("", c.Role.InstanceProfile)
		}},
		"service principal": {share("trust: ec2", "trust: glue.amazonaws.com"), func(c *Consumer) string {
			return cmp.Diff("glue.amazonaws.com", c.Role.TrustService)
		}},
		"full name of EC2": {share("trust: ec2", "trust: ec2.amazonaws.com"), func(c *Consumer) string {
			return cmp.Diff("reader", c.Role.InstanceProfile)
		}},
		"EC2 in China": {share("", "").in(RepositoryFile).edit("us-east-1", "cn-north-1"), func(c *Consumer) string {
			return cmp.Diff("ec2.amazonaws.com.cn reader", c.Role.TrustService+" "+c.Role.InstanceProfile)
		}},
		"lambda in China": {share("trust: ec2", "trust: lambda").in(RepositoryFile).edit("us-east-1", "cn-north-1"), func(c *Consumer) string {
			return cmp.Diff("lambda.amazonaws.com", c.Role.TrustService)
		}},
		"no boundary on an existing role": {share("        create: true\n        trust: ec2\n", "").in(RepositoryFile).edit("  accounts:", "  permissionsBoundary: base\n  accounts:"), func(c *Consumer) string {
			return cmp.Diff("", c.Role.PermissionsBoundary)
		}},
		"role in the bucket's own account": {share("account: analytics", "account: lake"), func(c *Consumer) string {
			return cmp.Diff("lake", c.Account.Alias)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			repo := mustLoad(t, test.files.fs())
			if wrong := test.want(repo.Shares[0].Consumers[0]); wrong != "" {
				t.Errorf("-want +got:\n%s", wrong)
			}
		})
	}
}

// What any share states of a bucket or role holds for all that name it, and a
// default never stands against what is stated.
func TestLoadMerges(t *testing.T) {
	f := two("        create: true\n        trust: ec2\n", "").edit("account: lake", "account: lake\n    region: us-west-2\n    create: true").
		in("shares/sales.yaml").edit("trust: ec2", "trust: ec2\n        permissionsBoundary: b").
		with("shares/third.yaml", strings.NewReplacer("name: sales\n", "name: third\n", "trust: ec2", "instanceProfile: p").Replace(goodShare))
	repo := mustLoad(t, f.fs())
	if names := shareNames(repo); !slices.Equal(names, []string{"sales", "second", "third"}) {
		t.Fatalf("shares %q", names)
	}
	for _, s := range repo.Shares {
		if !s.Bucket.Create || s.Bucket.Region != "us-west-2" {
			t.Errorf("%s: bucket %+v", s.Name, s.Bucket)
		}
		want := Role{Name: "reader", Path: "/", Create: true, TrustService: "ec2.amazonaws.com", InstanceProfile: "p", PermissionsBoundary: "b"}
		if diff := cmp.Diff(want, s.Consumers[0].Role, noPositions); diff != "" {
			t.Errorf("%s: -want +got:\n%s", s.Name, diff)
		}
	}
}

// Editors on Windows write CRLF, and some write no last line break.
func TestLoadLineEnds(t *testing.T) {
	f := share("", "")
	for _, name := range []string{RepositoryFile, "shares/sales.yaml"} {
		f[name] = strings.ReplaceAll(strings.TrimSuffix(f[name], "\n"), "\n", "\r\n")
	}
	f["shares/sales.yaml"] += "\r\n---\r\n" + strings.Replace(f["shares/sales.yaml"], "name: sales\r", "name: second\r", 1)
	if got := shareNames(mustLoad(t, f.fs())); !slices.Equal(got, []string{"sales", "second"}) {
		t.Errorf("shares %q", got)
	}
}

func TestLoadBucketRegion(t *testing.T) {
	if got := mustLoad(t, share("", "").fs()).Shares[0].Bucket.Region; got != "" {
		t.Errorf("an existing bucket has region %q, want it to be found out", got)
	}
	f := share("account: lake", "account: lake\n    create: true").in(RepositoryFile).edit(`"111111111111"`, `"111111111111", region: eu-west-1`)
	if got := mustLoad(t, f.fs()).Shares[0].Bucket.Region; got != "eu-west-1" {
		t.Errorf("a bucket to create has region %q, want the account's", got)
	}
}

func shareNames(repo *Repository) []string {
	var names []string
	for _, s := range repo.Shares {
		names = append(names, s.Name)
	}
	return names
}
