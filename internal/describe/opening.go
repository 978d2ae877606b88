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
// applied, and tells of it. None should; but what a person would take over unread
// is proved. What is wrong with the shares otherwise, such as a policy that gets
// too large, plan tells.
func (l *live) opensNothing(shares []*specs.Share) (kept []*specs.Share, problems []specs.Problem) {
	all := *l.repo
	all.Shares = slices.Concat(l.repo.Shares, shares)
	slices.SortFunc(all.Shares, func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
	isNew := map[string]bool{}
	for _, share := range shares {
		isNew[share.Name] = true
	}
	p, _ := plan.Build(&all, func(name string) bool { return isNew[name] })
	changes := plan.Compare(p, l.snapshots, plan.Options{DropDeadPrincipals: true})
	opened, _ := access.Of(changes, l.snapshots)
	sharesOf := map[string][]string{} // by step
	for _, c := range changes.Steps {
		sharesOf[c.ID] = c.Shares
	}
	opening := map[string]bool{} // shares
	for _, gained := range opened.Gained {
		for _, share := range sharesOf[gained.Step] {
			opening[share] = true
		}
		problems = append(problems, specs.Problem{
			Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Step: gained.Step,
			Message: fmt.Sprintf("%s on %s would be opened to %s, so what is live there is not described", gained.Action, gained.Resource, gained.Principal),
			Mend:    "write the share by hand, and look at what plan says that it opens",
		})
	}
	for _, c := range changes.Steps {
		if c.Type == plan.TypeBucketPolicy && c.Action == plan.Error && len(c.Shares) > 0 {
			problems = append(problems, specs.Problem{
				Code: CodeUndescribed, Severity: specs.SeverityWarning, Step: c.ID,
				Message: "whether the shares of bucket " + c.Name + " open nothing could not be proved, as its policy cannot be written",
				Mend:    "see what plan says of it, with the shares",
			})
		}
	}
	kept = slices.DeleteFunc(shares, func(s *specs.Share) bool { return opening[s.Name] })
	return kept, problems
}

// valid leaves out the consumers that Load would refuse, such as those of a bucket
// whose name S3 gives no more, and tells of it.
func (l *live) valid(shares []*specs.Share) (kept []*specs.Share, problems []specs.Problem) {
	for _, share := range shares {
		if len(l.refused(share)) > 0 {
			share.Consumers = slices.DeleteFunc(share.Consumers, func(c *specs.Consumer) bool {
				alone := *share
				alone.Consumers = []*specs.Consumer{c}
				refused := l.refused(&alone)
				for _, why := range refused {
					problems = append(problems, specs.Problem{
						Code: CodeUndescribed, Severity: specs.SeverityWarning, Account: share.Bucket.Account.ID,
						Message: "what role " + c.Role.Name + " in account " + c.Account.ID + " may do with bucket " + share.Bucket.Name + " is in no share, as a share cannot say it: " + why,
						Mend:    "leave it as it is",
					})
				}
				return len(refused) > 0
			})
		}
		if len(share.Consumers) > 0 {
			kept = append(kept, share)
		}
	}
	return kept, problems
}

// refused are the reasons for which Load would refuse a share.
func (l *live) refused(share *specs.Share) (why []string) {
	problems, err := specs.Check(l.repo, share)
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range problems {
		if p.Severity == specs.SeverityError {
			why = append(why, p.Message)
		}
	}
	return why
}
