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
// applied. None should; but what a person would take over unread is proved. What
// is wrong with the shares otherwise, such as a policy that gets too large, plan
// tells.
func (l *live) opensNothing(found Found) Found {
	all := *l.repo
	all.Shares = slices.Concat(l.repo.Shares, found.Shares)
	slices.SortFunc(all.Shares, func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
	isNew := map[string]bool{}
	for _, share := range found.Shares {
		isNew[share.Name] = true
	}
	p, _ := plan.Build(&all, func(name string) bool { return isNew[name] })
	changes := plan.Compare(p, l.snapshots, plan.Options{DropDeadPrincipals: true})
	opened, _ := access.Of(changes, l.snapshots)
	opening := map[string]bool{} // shares
	for _, gained := range opened.Gained {
		for _, share := range p.Step(gained.Step).Shares {
			opening[share] = true
		}
		found.Problems = append(found.Problems, specs.Problem{
			Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Step: gained.Step,
			Message: fmt.Sprintf("%s on %s would be opened to %s, so what is live there is not described", gained.Action, gained.Resource, gained.Principal),
			Mend:    "write the share by hand, and look at what plan says that it opens",
		})
	}
	for _, c := range changes.Steps {
		if c.Type == plan.TypeBucketPolicy && c.Action == plan.Error && len(c.Shares) > 0 {
			found.Problems = append(found.Problems, specs.Problem{
				Code: CodeUndescribed, Severity: specs.SeverityWarning, Step: c.ID,
				Message: "whether the shares of bucket " + c.Name + " open nothing could not be proved, as its policy cannot be written",
				Mend:    "see what plan says of it, with the shares",
			})
		}
	}
	buckets := map[string]bool{}
	found.Shares = slices.DeleteFunc(found.Shares, func(s *specs.Share) bool {
		buckets[s.Bucket.Name] = buckets[s.Bucket.Name] || opening[s.Name]
		return opening[s.Name]
	})
	found.Spare = slices.DeleteFunc(found.Spare, func(s Spare) bool { return buckets[s.Bucket] })
	return found
}
