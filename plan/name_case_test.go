package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/specs"
)

// IAM refuses a name that differs from another one only in case, but finds a
// resource by its exact name. That is to show in the plan and not halfway.
func TestNamesThatDifferInCase(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	l := newLive(p)
	l.apply(t, Compare(p, l, Options{}))
	c := Compare(build(t, load(t, strings.ReplaceAll(recipe, "name: reader", "name: Reader")), everything), l, Options{})
	for _, id := range []string{
		"iam.Role/222222222222/Reader",
		"iam.Policy/222222222222/xshare.acme-data.Reader",
		"iam.InstanceProfile/222222222222/Reader",
	} {
		at := slices.IndexFunc(c.Problems, func(p specs.Problem) bool { return p.Step == id && p.Code == "name-case" })
		if change := find(t, c, id); change.Action != Error || at < 0 {
			t.Errorf("%s: %s, problems %+v", id, change.Action, c.Problems)
		}
	}
}
