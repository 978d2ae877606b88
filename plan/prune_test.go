package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/specs"
)

const unrelated = `unrelated
  bucket: {name: elsewhere, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: unrelated, create: true, trust: lambda}, access: list}
`

// orphaned is a plan of the unrelated share and an AWS where the recipe was
// applied as well.
func orphaned(t *testing.T) (*Plan, live) {
	t.Helper()
	both := build(t, load(t, recipe, unrelated), everything)
	l := newLive(both)
	l.apply(t, Compare(both, l, Options{}))
	return build(t, load(t, unrelated), everything), l
}

func TestPruneDeletesInOrder(t *testing.T) {
	p, l := orphaned(t)
	c := Compare(p, l, Options{Prune: true})
	var deleted []string
	at := map[string]int{}
	for i, change := range c.Steps {
		at[change.ID] = i
		if change.Action == Delete {
			deleted = append(deleted, change.ID)
		}
		for _, need := range change.Needs {
			if j, ok := at[need]; !ok || j >= i {
				t.Errorf("%s comes before %s, which it needs", change.ID, need)
			}
		}
	}
	want := []string{
		bucketPolicyID,
		attachmentID,
		"ec2.Instance/222222222222/us-east-1/i-client",
		"iam.InstanceProfile/222222222222/reader",
		readerRoleID,
		readerPolicyID,
		"s3.Bucket/111111111111/mybucket",
	}
	if !slices.Equal(deleted, want) {
		t.Errorf("deleted:\n%s\nwant:\n%s", strings.Join(deleted, "\n"), strings.Join(want, "\n"))
	}
	if needs := find(t, c, readerRoleID).Needs; !slices.Equal(needs, []string{"iam.InstanceProfile/222222222222/reader", attachmentID}) {
		t.Errorf("the role's deletion needs %v", needs)
	}
	if err := specs.Errors(c.Problems); err != nil {
		t.Error(err)
	}
}

func TestPruneLeavesWhatIsForeign(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(live)
		id, code string
	}{
		"foreign policy attached": {
			func(l live) {
				r := l["222222222222"].Roles["reader"]
				r.Attached = append(r.Attached, "arn:aws:iam::aws:policy/ReadOnlyAccess")
			},
			readerRoleID, "prune-foreign-attachment",
		},
		"inline policy": {
			func(l live) { l["222222222222"].Roles["reader"].Inline = map[string][]byte{"x": []byte("{}")} },
			readerRoleID, "prune-foreign-attachment",
		},
		"foreign profile": {
			func(l live) { l["222222222222"].Profiles["reader"].Tags = nil },
			readerRoleID, "prune-foreign-profile",
		},
		"bucket with a foreign policy": {
			func(l live) {
				b := l["111111111111"].Buckets["mybucket"]
				b.Policy = []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mybucket/*"}}`)
			},
			"s3.Bucket/111111111111/mybucket", "prune-foreign-policy",
		},
		"bucket with a foreign statement beside ours": {
			func(l live) {
				foreignPolicy(l, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mybucket/*"}`)
			},
			"s3.Bucket/111111111111/mybucket", "prune-foreign-policy",
		},
		"managed policy with a foreign statement": {
			func(l live) {
				for _, p := range l["222222222222"].Policies {
					p.Document = []byte(strings.Replace(string(p.Document), `"Statement":[`, `"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},`, 1))
				}
			},
			readerPolicyID, "prune-foreign-statements",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, l := orphaned(t)
			test.change(l)
			c := Compare(p, l, Options{Prune: true})
			if got := find(t, c, test.id).Action; got != Error {
				t.Errorf("%s: %s", test.id, got)
			}
			if !slices.ContainsFunc(c.Problems, func(p specs.Problem) bool { return p.Code == test.code && p.Mend != "" }) {
				t.Errorf("problems: %v", c.Problems)
			}
		})
	}
}

func TestPruneGuard(t *testing.T) {
	var shares []string
	for i := range 6 {
		shares = append(shares, strings.NewReplacer("unrelated\n", fmt.Sprintf("s%d\n", i), "name: unrelated", fmt.Sprintf("name: role%d", i), "elsewhere", fmt.Sprintf("bucket%d", i)).Replace(unrelated))
	}
	all := build(t, load(t, shares...), everything)
	l := newLive(all)
	l.apply(t, Compare(all, l, Options{}))
	stops := func(keep, limit int) bool {
		c := Compare(build(t, load(t, shares[:keep]...), everything), l, Options{Prune: true, PruneLimit: limit})
		return c.Stops()
	}
	// Of each share a bucket, a role and a policy are ours: 18 in all.
	for _, test := range []struct {
		keep, limit int
		want        bool
	}{{5, 0, false}, {3, 0, false}, {2, 0, true}, {2, 12, false}, {2, 11, true}} {
		if got := stops(test.keep, test.limit); got != test.want {
			t.Errorf("%d of 6 shares kept, limit %d: stops %t", test.keep, test.limit, got)
		}
	}
}
