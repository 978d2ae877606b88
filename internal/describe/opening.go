package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof/access"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// opensNothing leaves out the shares that cannot be planned, or would open something
// when they are applied, and tells of it. None should open anything; but what a
// person would take over unread is proved.
func (l *live) opensNothing(shares []*specs.Share) (kept []*specs.Share, problems []specs.Problem) {
	all := *l.repo
	all.Shares = slices.Concat(l.repo.Shares, shares)
	slices.SortFunc(all.Shares, func(a, b *specs.Share) int { return strings.Compare(a.Name, b.Name) })
	isNew := map[string]bool{}
	for _, share := range shares {
		isNew[share.Name] = true
	}
	p, unplanned := plan.Build(&all, func(name string) bool { return isNew[name] })
	changes := plan.Compare(p, l.snapshots, plan.Options{DropDeadPrincipals: true})
	opened, _ := access.Of(changes, l.snapshots)
	sharesOf := map[string][]string{} // by step
	for _, c := range changes.Steps {
		sharesOf[c.ID] = c.Shares
	}
	opening := map[string]bool{} // shares
	for _, wrong := range unplanned {
		if wrong.Severity == specs.SeverityError && isNew[wrong.Share] {
			opening[wrong.Share] = true
			problems = append(problems, unsaid(wrong.Account, "share "+wrong.Share, wrong.Message))
		}
	}
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
// whose name S3 gives no more, then the shares that contradict others or those of
// the repository, and tells of it.
func (l *live) valid(shares []*specs.Share) (kept []*specs.Share, problems []specs.Problem) {
	for _, share := range shares {
		if len(l.refused(share)) > 0 {
			share.Consumers = slices.DeleteFunc(share.Consumers, func(c *specs.Consumer) bool {
				alone := *share
				alone.Consumers = []*specs.Consumer{c}
				refused := l.refused(&alone)
				for _, p := range refused {
					what := fmt.Sprintf("what role %s in account %s may do with bucket %s", c.Role.Name, c.Account.ID, share.Bucket.Name)
					problems = append(problems, unsaid(share.Bucket.Account.ID, what, p.Message))
				}
				return len(refused) > 0
			})
		}
		if len(share.Consumers) > 0 {
			kept = append(kept, share)
		}
	}
	bad := map[string]bool{}
	for _, p := range l.refused(append(slices.Clone(l.repo.Shares), kept...)...) {
		bad[p.Share] = true
		if !slices.ContainsFunc(l.repo.Shares, func(s *specs.Share) bool { return s.Name == p.Share }) {
			problems = append(problems, unsaid(p.Account, "share "+p.Share, p.Message))
		}
	}
	return slices.DeleteFunc(kept, func(s *specs.Share) bool { return bad[s.Name] }), problems
}

// refused are the errors for which Load would refuse shares.
func (l *live) refused(shares ...*specs.Share) []specs.Problem {
	problems, err := specs.Check(l.repo, shares)
	if err != nil {
		return []specs.Problem{{Message: err.Error()}}
	}
	return slices.DeleteFunc(problems, func(p specs.Problem) bool { return p.Severity != specs.SeverityError })
}

// unsaid is that something live cannot be said by a share.
func unsaid(account, what, why string) specs.Problem {
	return specs.Problem{
		Code: CodeUndescribed, Severity: specs.SeverityWarning, Account: account,
		Message: what + " is in no share, as specs cannot say it: " + why, Mend: "leave it as it is, or write the share by hand",
	}
}
