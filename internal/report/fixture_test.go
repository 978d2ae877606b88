package report_test

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof/access"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is not there: run the test with -update and look at it", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const (
	owner    = "111111111111"
	consumer = "222222222222"
	lab      = "333333333333"
	role     = "ec2role2accessmybucket2share"
	roleARN  = "arn:aws:iam::" + consumer + ":role/" + role
	policy   = "arn:aws:iam::" + consumer + ":policy/mycrossaccounts3bucketpolicy"
)

const repositoryYAML = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme-data}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    lab: {id: "333333333333"}
    old: {id: "555555555555", retired: true}
`

const recipeYAML = `apiVersion: xshare/v1
kind: Share
metadata: {name: mybucket2share}
spec:
  bucket: {name: mybucket2share, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: ec2role2accessmybucket2share, create: true, trust: ec2}
      access: [read, write]
      policyName: mycrossaccounts3bucketpolicy
      instances:
        - {name: share-client, type: t3.micro, region: us-east-1, subnet: subnet-1234, securityGroups: [sg-1234], keyName: mykey}
`

// A second share of the same bucket, for another role, and held to prefixes.
const secondYAML = `---
apiVersion: xshare/v1
kind: Share
metadata: {name: nightly-reports}
spec:
  bucket: {name: mybucket2share, account: lake}
  consumers:
    - account: analytics
      role: {name: reports, create: true, trust: lambda}
      access: [read]
      prefixes: [reports/, summaries/]
`

// A third one, for a role in another account, on an instance that is there.
const thirdYAML = `---
apiVersion: xshare/v1
kind: Share
metadata: {name: science}
spec:
  bucket: {name: mybucket2share, account: lake, create: true}
  consumers:
    - account: lab
      role: {name: science, create: true, trust: ec2}
      access: [read]
      instances:
        - {id: i-0fedcba9876543210, region: us-east-1}
`

// unread is an account that refuses us.
func unread(account string) *plan.Snapshot {
	return &plan.Snapshot{Account: account, Failures: []plan.ReadFailure{{
		Scope: plan.ScopeAccount, Code: "AccessDenied",
		Message: "sts:AssumeRole on xshare-deployer: AccessDenied: User is not authorized to perform: sts:AssumeRole",
		Mend:    "let xshare-deployer trust you, or correct deployRole",
	}}}
}

// world is a plan with what is live.
type world struct {
	t         *testing.T
	repo      *specs.Repository
	plan      *plan.Plan
	snapshots map[string]*plan.Snapshot
}

// empty is a plan of shares with accounts that hold nothing.
func empty(t *testing.T, shares ...string) *world {
	t.Helper()
	repo, problems := specs.Load(fstest.MapFS{
		"xshare.yaml":        {Data: []byte(repositoryYAML)},
		"shares/shares.yaml": {Data: []byte(strings.Join(shares, ""))},
	})
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	p, problems := plan.Build(repo, func(string) bool { return true })
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w := &world{t: t, repo: repo, plan: p, snapshots: map[string]*plan.Snapshot{}}
	for _, a := range repo.Accounts {
		w.snapshots[a.ID] = &plan.Snapshot{
			Account: a.ID, Buckets: map[string]*plan.LiveBucket{}, Roles: map[string]*plan.LiveRole{},
			Policies: map[string]*plan.LivePolicy{}, Profiles: map[string]*plan.LiveInstanceProfile{},
			PublicAccessBlock: &plan.PublicAccessBlock{}, Organization: &plan.Organization{},
		}
	}
	return w
}

// applied is the same after an apply.
func applied(t *testing.T, shares ...string) *world {
	t.Helper()
	w := empty(t, shares...)
	for _, c := range w.compare(plan.Options{}).Steps {
		snap := w.snapshots[c.Account]
		switch want := c.Want.(type) {
		case plan.Bucket:
			snap.Buckets[want.Name] = &plan.LiveBucket{
				Name: want.Name, Region: want.Region, Tags: want.Tags,
				Ownership: plan.BucketOwnerEnforced, Encryption: &plan.Encryption{Algorithm: "AES256"}, PublicAccessBlock: &plan.PublicAccessBlock{},
			}
		case plan.BucketPolicy:
			snap.Buckets[want.Bucket].Policy = want.Document
		case plan.Role:
			snap.Roles[want.Name] = &plan.LiveRole{Role: want, UniqueID: "AROAEXAMPLE0123456789"}
			snap.Roles[want.Name].Tags = maps.Clone(want.Tags)
		case plan.Policy:
			snap.Policies[want.ARN] = &plan.LivePolicy{Name: want.Name, ARN: want.ARN, Document: want.Document}
		case plan.Attachment:
			snap.Roles[want.Role].Attached = append(snap.Roles[want.Role].Attached, want.PolicyARN)
		case plan.InstanceProfile:
			snap.Profiles[want.Name] = &plan.LiveInstanceProfile{InstanceProfile: want}
		case plan.Association:
			snap.Instances = append(snap.Instances, &plan.LiveInstance{
				Instance: plan.Instance{ID: want.InstanceID, Region: want.Region, ProfileARN: want.ProfileARN},
			})
		case plan.Instance:
			want.ID, want.State = "i-0123456789abcdef0", "running"
			snap.Instances = append(snap.Instances, &plan.LiveInstance{Instance: want})
		}
	}
	return w
}

func (w *world) compare(o plan.Options) *plan.Changes {
	c := plan.Compare(w.plan, w.snapshots, o)
	c.Access, _ = access.Of(c, w.snapshots)
	unclosed, _ := access.Of(c.Unclosed(), w.snapshots)
	c.Open = unclosed.Lost
	c.Problems = append(c.Problems, c.StaysOpen()...)
	return c
}

func (w *world) bucket() *plan.LiveBucket { return w.snapshots[owner].Buckets["mybucket2share"] }

// replace changes a text in the bucket policy, which must be there.
func (w *world) replace(old, new string) {
	w.t.Helper()
	b := w.bucket()
	if !strings.Contains(string(b.Policy), old) {
		w.t.Fatalf("%q is not in %s", old, b.Policy)
	}
	b.Policy = []byte(strings.ReplaceAll(string(b.Policy), old, new))
}

// foreign puts a statement that is not ours into the bucket policy.
func (w *world) foreign(statement string) {
	w.t.Helper()
	d, err := iampolicy.Parse([]byte(`{"Version":"2012-10-17","Statement":` + statement + `}`))
	if err != nil {
		w.t.Fatal(err)
	}
	live, err := iampolicy.Parse(w.bucket().Policy)
	if err != nil {
		w.t.Fatal(err)
	}
	live.Statements = append(d.Statements, live.Statements...)
	w.bucket().Policy = iampolicy.Marshal(live)
}

// text is what write writes.
func text(t *testing.T, write func(w *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
