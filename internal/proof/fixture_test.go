package proof_test

import (
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	owner    = "111111111111"
	consumer = "222222222222"
	bucket   = "mybucket2share"
	role     = "ec2role2accessmybucket2share"
	roleARN  = "arn:aws:iam::" + consumer + ":role/" + role
	policy   = "mycrossaccounts3bucketpolicy"
	instance = "i-0123456789abcdef0"
)

// recipe is the recipe's repository with a change.
func recipe(change func(*specs.Share)) *specs.Repository {
	lake := &specs.Account{Alias: "lake", ID: owner, Region: "us-east-1", Manage: true}
	analytics := &specs.Account{Alias: "analytics", ID: consumer, Region: "us-east-1", Manage: true}
	share := &specs.Share{
		Name:   bucket,
		Bucket: specs.Bucket{Name: bucket, Account: lake, Region: "us-east-1", Create: true},
		Consumers: []*specs.Consumer{{
			Account:    analytics,
			Role:       specs.Role{Name: role, Path: "/", Create: true, TrustService: "ec2.amazonaws.com", InstanceProfile: role},
			Access:     []specs.Access{specs.AccessRead, specs.AccessWrite},
			PolicyName: policy,
			Instances:  []specs.Instance{{ID: instance, Region: "us-east-1"}},
		}},
	}
	if change != nil {
		change(share)
	}
	return &specs.Repository{
		Name: "acme-data", Region: "us-east-1",
		Accounts: []*specs.Account{analytics, lake}, Shares: []*specs.Share{share},
	}
}

// built is the plan and what would be read after it was applied.
func built(t *testing.T, repo *specs.Repository) (*plan.Plan, map[string]*plan.Snapshot) {
	t.Helper()
	p, problems := plan.Build(repo, func(string) bool { return true })
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	snapshots := map[string]*plan.Snapshot{}
	for _, a := range repo.Accounts {
		snapshots[a.ID] = &plan.Snapshot{
			Account: a.ID, Buckets: map[string]*plan.LiveBucket{}, Roles: map[string]*plan.LiveRole{},
			Policies: map[string]*plan.LivePolicy{}, Profiles: map[string]*plan.LiveInstanceProfile{},
			PublicAccessBlock: &plan.PublicAccessBlock{}, Organization: &plan.Organization{},
		}
	}
	all := func(plan.PartChange) bool { return true }
	for _, c := range plan.Compare(p, snapshots, plan.Options{}).Steps {
		snap := snapshots[c.Account]
		document := iampolicy.Marshal(&iampolicy.Document{Version: iampolicy.Version2012, Statements: c.Statements(repo.Name, all)})
		switch want := c.Want.(type) {
		case plan.Bucket:
			snap.Buckets[want.Name] = &plan.LiveBucket{
				Name: want.Name, Region: want.Region, Tags: want.Tags, Ownership: plan.BucketOwnerEnforced,
				Encryption:        &plan.Encryption{Algorithm: "AES256"},
				PublicAccessBlock: &plan.PublicAccessBlock{BlockPublicPolicy: true, RestrictPublicBuckets: true},
			}
		case plan.BucketPolicy:
			snap.Buckets[want.Bucket].Policy = document
		case plan.Role:
			snap.Roles[want.Name] = &plan.LiveRole{Role: want, UniqueID: "AROAEXAMPLE0123456789"}
		case plan.Policy:
			snap.Policies[want.ARN] = &plan.LivePolicy{Name: want.Name, ARN: want.ARN, Document: document}
		case plan.Attachment:
			snap.Roles[want.Role].Attached = append(snap.Roles[want.Role].Attached, want.PolicyARN)
		case plan.InstanceProfile:
			snap.Profiles[want.Name] = &plan.LiveInstanceProfile{InstanceProfile: want}
		case plan.Association:
			snap.Instances = append(snap.Instances, &plan.LiveInstance{Instance: plan.Instance{ID: want.InstanceID, Region: want.Region, ProfileARN: want.ProfileARN}})
		case plan.Instance:
			want.ID = "i-0fedcba9876543210"
			snap.Instances = append(snap.Instances, &plan.LiveInstance{Instance: want})
		}
	}
	return p, snapshots
}

// live is what a test case changes in what was read.
type live struct {
	t         *testing.T
	snapshots map[string]*plan.Snapshot
}

func (l live) bucket() *plan.LiveBucket { return l.snapshots[owner].Buckets[bucket] }

func (l live) role() *plan.LiveRole { return l.snapshots[consumer].Roles[role] }

func (l live) policy() *plan.LivePolicy {
	return l.snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/"+policy]
}

// edit changes the statements of a document.
func (l live) edit(text *[]byte, change func([]iampolicy.Statement) []iampolicy.Statement) {
	l.t.Helper()
	d, err := iampolicy.Parse(*text)
	if err != nil {
		l.t.Fatal(err)
	}
	d.Statements = change(d.Statements)
	*text = iampolicy.Marshal(d)
}

// replace changes a text in a document, which must be there.
func (l live) replace(text *[]byte, old, new string) {
	l.t.Helper()
	if !strings.Contains(string(*text), old) {
		l.t.Fatalf("%q is not in %s", old, *text)
	}
	*text = []byte(strings.ReplaceAll(string(*text), old, new))
}

// only keeps the resources for which keep is true, in every statement.
func only(keep func(string) bool) func([]iampolicy.Statement) []iampolicy.Statement {
	return func(list []iampolicy.Statement) []iampolicy.Statement {
		one := list[0]
		one.Action, one.Condition, one.Resource = []string{"s3:*"}, nil, nil
		for _, r := range []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/*"} {
			if keep(r) {
				one.Resource = append(one.Resource, r)
			}
		}
		return []iampolicy.Statement{one}
	}
}

// unmark takes our marks off statements.
func unmark(list []iampolicy.Statement) []iampolicy.Statement {
	for i := range list {
		list[i].Sid = ""
	}
	return list
}

func statement(t *testing.T, text string) iampolicy.Statement {
	t.Helper()
	d, err := iampolicy.Parse([]byte(`{"Version":"2012-10-17","Statement":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return d.Statements[0]
}
