package executor

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Changes made by hand: their ids are one word, which is their account too.

func change(id string, with ...func(*plan.Change)) *plan.Change {
	c := &plan.Change{ID: id, Type: plan.TypeRole, Account: "account of " + id, Name: id, Action: plan.Create}
	for _, f := range with {
		f(c)
	}
	return c
}

func needs(ids ...string) func(*plan.Change)  { return func(c *plan.Change) { c.Needs = ids } }
func after(ids ...string) func(*plan.Change)  { return func(c *plan.Change) { c.After = ids } }
func action(a plan.Action) func(*plan.Change) { return func(c *plan.Change) { c.Action = a } }

// policyOf makes the change a document of the type, in which the roles keep
// and lose their access.
func policyOf(t plan.Type, keep, lose string, parts ...plan.PartChange) func(*plan.Change) {
	return func(c *plan.Change) {
		c.Type, c.Action, c.Parts = t, plan.Update, parts
		c.Lose = pairs(lose)
		c.Want = plan.BucketPolicy{Bucket: c.Name, Region: "us-east-1"}
		if t == plan.TypePolicy {
			c.Want = plan.Policy{Name: c.Name}
		}
		for i := range parts {
			c.Lose = append(c.Lose, parts[i].Lose...)
		}
		c.LivePairs = append(pairs(keep), c.Lose...)
	}
}

// gain is a part that gives a role access, when what it needs is there.
func gain(role string, needs ...string) plan.PartChange {
	return plan.PartChange{Share: "share", Consumer: role, Action: plan.Create, Pairs: pairs(role), Gain: pairs(role), Needs: needs}
}

func gainAfter(role string, after ...string) plan.PartChange {
	p := gain(role)
	p.After = after
	return p
}

func loss(role string, needs ...string) plan.PartChange {
	return plan.PartChange{Consumer: role, Action: plan.Delete, Lose: pairs(role), Needs: needs}
}

func pairs(roles string) []iampolicy.Pair {
	var list []iampolicy.Pair
	for role := range strings.FieldsSeq(roles) {
		s := iampolicy.Statement{
			Effect: iampolicy.Allow,
			Action: []string{"s3:GetObject"}, Resource: []string{"arn:aws:s3:::bucket/*"},
		}
		principal := "arn:aws:iam::222222222222:role/" + role
		if strings.HasPrefix(role, "AROA") { // of one that was deleted
			principal = role
		}
		list = append(list, iampolicy.Pair{Meaning: s.Meaning(), Principal: principal, Statement: s})
	}
	return list
}

// rolesIn is the inverse of pairs, of a policy to be written.
func rolesIn(c *plan.Change) []string {
	var ours []iampolicy.Statement
	switch want := c.Want.(type) {
	case plan.BucketPolicy:
		ours = want.Ours
	case plan.Policy:
		ours = want.Ours
	}
	var roles []string
	for _, s := range ours {
		for _, arn := range s.Principal.AWS {
			roles = append(roles, arn[strings.LastIndex(arn, "/")+1:])
		}
	}
	slices.Sort(roles)
	return roles
}

func changesOf(steps ...*plan.Change) *plan.Changes {
	return &plan.Changes{Plan: &plan.Plan{Repository: "test"}, Steps: steps}
}
