package plan

import (
	"slices"
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
