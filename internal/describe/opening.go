package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof/access"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// opensNothing leaves out the shares that would open something when they are
// applied. None should; but what a person would take over unread is proved.
func opensNothing(found Found, repo *specs.Repository, snapshots map[string]*plan.Snapshot) Found {
	all := *repo
	all.Shares = slices.Concat(repo.Shares, found.Shares)
	slices.SortFunc(all.Shares, func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
	news := map[string]bool{}
	for _, share := range found.Shares {
		news[share.Name] = true
	}
	// What is wrong with the whole, validate and plan tell.
	p, _ := plan.Build(&all, func(name string) bool { return news[name] })
	changes, _ := access.Of(plan.Compare(p, snapshots, plan.Options{}), snapshots)
	opening := map[string]bool{}
	for _, gained := range changes.Gained {
		for _, share := range p.Step(gained.Step).Shares {
			opening[share] = true
		}
		found.Problems = append(found.Problems, specs.Problem{
			Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Step: gained.Step,
			Message: fmt.Sprintf("%s on %s would be opened to %s, so what is live there is not described", gained.Action, gained.Resource, gained.Principal),
			Mend:    "write the share by hand, and look at what plan says that it opens",
		})
	}
	buckets := map[string]bool{}
	found.Shares = slices.DeleteFunc(found.Shares, func(s *specs.Share) bool {
		buckets[s.Bucket.Name] = buckets[s.Bucket.Name] || opening[s.Name]
		return opening[s.Name]
	})
	found.Spare = slices.DeleteFunc(found.Spare, func(s Spare) bool { return buckets[s.Bucket] })
	return found
}
