package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

const header = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme-data}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
    lab:       {id: "333333333333"}
    partner:   {id: "444444444444", manage: false}
`

// load reads a repository of the usual accounts with the given shares, each a
// share's name and the rest of its spec.
func load(t *testing.T, shares ...string) *specs.Repository {
	t.Helper()
	files := fstest.MapFS{specs.RepositoryFile: {Data: []byte(header)}}
	for i, text := range shares {
		name, spec, _ := strings.Cut(text, "\n")
		doc := "apiVersion: xshare/v1\nkind: Share\nmetadata: {name: " + strings.TrimSpace(name) + "}\nspec:\n" + spec
		files[fmt.Sprintf("shares/%d.yaml", i)] = &fstest.MapFile{Data: []byte(doc)}
	}
	repo, problems := specs.Load(files)
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	return repo
}

func everything(string) bool { return true }

func only(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func build(t *testing.T, repo *specs.Repository, selected func(string) bool) *Plan {
	t.Helper()
	p, problems := Build(repo, selected)
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	return p
}

// live is an AWS for tests of the pure core: what a faithful executor would
// leave behind.
type live map[string]*Snapshot

func newLive(p *Plan) live {
	l := live{}
	for id := range p.Accounts {
		l[id] = &Snapshot{
			Account: id, Buckets: map[string]*LiveBucket{}, Roles: map[string]*LiveRole{},
			Policies: map[string]*LivePolicy{}, Profiles: map[string]*LiveInstanceProfile{},
		}
	}
	return l
}

// apply carries out all changes, or fails the test on one that cannot be done.
func (l live) apply(t *testing.T, c *Changes) {
	t.Helper()
	for _, change := range c.Steps {
		if change.Action == Error {
			t.Fatalf("%s cannot be done: %+v", change.ID, c.Problems)
		}
		if change.Action == Noop {
			continue
		}
		snap := l[change.Account]
		switch want := change.Want.(type) {
		case nil:
			gone := change.Before.(Attachment)
			role := snap.Roles[gone.Role]
			role.Attached = slices.DeleteFunc(role.Attached, func(arn string) bool { return arn == gone.PolicyARN })
		case Bucket:
			made := &LiveBucket{Name: want.Name, Region: want.Region, Tags: want.Tags}
			if was := snap.Buckets[want.Name]; was != nil {
				made.Policy = was.Policy
			}
			snap.Buckets[want.Name] = made
		case BucketPolicy:
			merged, err := iampolicy.Merge(snap.Buckets[want.Bucket].Policy, c.Plan.Ours, want.Ours)
			if err != nil {
				t.Fatal(err)
			}
			snap.Buckets[want.Bucket].Policy = merged
		case Role:
			made := &LiveRole{Role: want, UniqueID: "AROA" + want.Name}
			if was := snap.Roles[want.Name]; was != nil {
				made.Attached = was.Attached
			}
			snap.Roles[want.Name] = made
		case Policy:
			snap.Policies[want.ARN] = &LivePolicy{Name: want.Name, ARN: want.ARN, Document: want.Document, DefaultVersion: "v1", Versions: []string{"v1"}}
		case Attachment:
			snap.Roles[want.Role].Attached = append(snap.Roles[want.Role].Attached, want.PolicyARN)
		case InstanceProfile:
			snap.Profiles[want.Name] = &LiveInstanceProfile{InstanceProfile: want}
		case Instance:
			want.ID, want.State = "i-"+want.Name, "running"
			snap.Instances = slices.DeleteFunc(snap.Instances, func(in *LiveInstance) bool { return in.ID == want.ID })
			snap.Instances = append(snap.Instances, &LiveInstance{Instance: want})
		case Association:
			for _, in := range snap.Instances {
				if in.ID == want.InstanceID {
					in.ProfileARN = want.ProfileARN
				}
			}
		}
	}
}

func actions(c *Changes) map[string]Action {
	m := map[string]Action{}
	for _, change := range c.Steps {
		if change.Action != Noop {
			m[change.ID] = change.Action
		}
	}
	return m
}

func find(t *testing.T, c *Changes, id string) *Change {
	t.Helper()
	i := slices.IndexFunc(c.Steps, func(c *Change) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no change %s", id)
	}
	return c.Steps[i]
}
