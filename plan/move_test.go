package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/specs"
)

// A permissions policy that is replaced by one of another name is detached only
// when the other is attached, as nothing is to be lost; but what takes
// something away does not wait.
func TestDetachmentNeedsItsSuccessor(t *testing.T) {
	const (
		old     = "iam.RolePolicyAttachment/222222222222/reader/xshare.acme-data.reader"
		renamed = "iam.RolePolicyAttachment/222222222222/reader/xshare.renamed.reader"
		stated  = "iam.RolePolicyAttachment/222222222222/reader/other"
	)
	for name, test := range map[string]struct {
		edit  func(*specs.Repository)
		needs []string
	}{
		"repository renamed": {func(r *specs.Repository) {
			r.FormerNames, r.Name = []string{r.Name}, "renamed"
		}, []string{"iam.Policy/222222222222/xshare.renamed.reader", renamed}},
		"policyName stated": {func(r *specs.Repository) {
			r.Shares[0].Consumers[0].PolicyName = "other"
		}, []string{"iam.Policy/222222222222/other", stated}},
		"renamed with less access": {func(r *specs.Repository) {
			r.FormerNames, r.Name = []string{r.Name}, "renamed"
			r.Shares[0].Consumers[0].Access = []specs.Access{specs.AccessRead}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, recipe), everything)
			l := newLive(p)
			l.apply(t, Compare(p, l, Options{}))
			repo := load(t, recipe)
			test.edit(repo)
			p = build(t, repo, everything)
			c := Compare(p, l, Options{})
			if got := find(t, c, old); got.Action != Delete || !slices.Equal(got.Needs, test.needs) {
				t.Errorf("%s needs %q, want delete with %q", got.Action, got.Needs, test.needs)
			}
			l.apply(t, c)
			if got := actions(Compare(p, l, Options{})); len(got) != 0 {
				t.Errorf("still to do: %v", got)
			}
		})
	}
}

// Two grants of one role, on two buckets; policyName says where each is held.
func moving(first, second string) []string {
	spec := func(name, policy string) string {
		if policy != "" {
			policy = ", policyName: " + policy
		}
		return name + `
  bucket: {name: data-` + name + `, account: lake, create: true}
  consumers:
    - {account: analytics, role: {name: reader, create: true, trust: lambda}, access: read` + policy + `}
`
	}
	return []string{spec("one", first), spec("two", second)}
}

// A policyName may be what xshare calls another policy: the default name of
// another role's, or the next of one that is split.
func TestPolicyNameOfAnother(t *testing.T) {
	consumer := func(name, bucket, role, policy string, prefixes int) string {
		spec := name + "\n  bucket: {name: " + bucket + ", account: lake, create: true}\n  consumers:\n    - account: lab\n      role: {name: " + role + "}\n      access: read\n"
		if policy != "" {
			spec += "      policyName: " + policy + "\n"
		}
		if prefixes > 0 {
			spec += "      prefixes:\n"
		}
		for i := range prefixes {
			spec += fmt.Sprintf("        - prefix-%03d-%s/\n", i, strings.Repeat("x", 40))
		}
		return spec
	}
	for name, c := range map[string]struct {
		shares []string
		want   string // the problem; empty: none
	}{
		"a default": {
			[]string{consumer("one", "bucket-one", "a", "XShare.acme-data.secret", 0), consumer("two", "bucket-two", "secret", "", 0)},
			"shares/0.yaml:7:7: managed policy xshare.acme-data.secret of role a would also be that of role secret, at shares/1.yaml:7:7: choose another policyName",
		},
		"its own default": {
			[]string{consumer("one", "bucket-one", "a", "xshare.acme-data.a", 0), consumer("two", "bucket-two", "a", "", 0)},
			"shares/0.yaml:7:7: managed policy xshare.acme-data.a of role a would also be that of role a, at shares/1.yaml:7:7: choose another policyName",
		},
		"the default of a role without shares": {
			[]string{consumer("one", "bucket-one", "a", "xshare.acme-data.b", 0), consumer("two", "bucket-two", "a", "", 0)}, "",
		},
		"the next of one that is split": {
			[]string{consumer("one", "bucket-one", "a", "foo+2", 0), consumer("two", "bucket-two", "b", "foo", 40), consumer("three", "bucket-three", "b", "foo", 40)},
			"shares/2.yaml:7:7: managed policy foo+2 of role b would also be that of role a, at shares/0.yaml:7:7: choose another policyName",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Build(load(t, c.shares...), everything)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s: %s: %s", p.Source, p.Message, p.Mend))
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("problems:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestMovedGrantNeverPauses(t *testing.T) {
	const (
		old  = readerPolicyID
		mine = "iam.Policy/222222222222/mine"
		att  = "iam.RolePolicyAttachment/222222222222/reader/mine"
	)
	p := build(t, load(t, moving("", "")...), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))

	p = build(t, load(t, moving("", "mine")...), everything)
	c := Compare(p, l, Options{})
	if got := find(t, c, old); got.Action != Update || !slices.Contains(got.After, mine) || !slices.Contains(got.After, att) {
		t.Errorf("the policy that loses the grant: %s, after %q", got.Action, got.After)
	}
	l.apply(t, c)

	// A swap has no order in which nothing pauses, and must be no circle.
	p = build(t, load(t, moving("mine", "")...), everything)
	c = Compare(p, l, Options{})
	a, b := find(t, c, old), find(t, c, mine)
	if slices.Contains(a.After, b.ID) == slices.Contains(b.After, a.ID) {
		t.Errorf("of two policies that swap grants exactly one waits: %q, %q", a.After, b.After)
	}
	l.apply(t, c)
	if got := actions(Compare(p, l, Options{})); len(got) != 0 {
		t.Errorf("still to do: %v", got)
	}
}

func TestOnlyLeavesAMovedGrantWhereItIs(t *testing.T) {
	p := build(t, load(t, moving("", "")...), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	// The second share moves to a policy of its own, but only the first is selected.
	p = build(t, load(t, moving("", "mine")...), only("one"))
	c := Compare(p, l, Options{Only: []string{"one"}})
	if got := actions(c); len(got) != 0 {
		t.Errorf("a share that is not selected changes: %v", got)
	}
}
