package executor

import (
	"fmt"
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// write is the change as a Doer is to carry it out. Of a policy it is a copy
// that wants what is kept and what the parts gain that earlier writes held or
// this one takes. No statement left means that Ours is empty; where a gain is
// still to come, a placeholder stands in for it, so that a policy is never
// deleted only to be put again.
func (s *Schedule) write(it *item, takes []int, phase Phase) (*plan.Change, error) {
	c := it.change
	isPolicy := c.Type == plan.TypePolicy && c.Action != plan.Delete
	if c.Type != plan.TypeBucketPolicy && !isPolicy {
		return c, nil
	}

	held := *c
	held.Parts = slices.Clone(c.Parts)
	for i := range held.Parts {
		if it.result.Parts[i].Status != StatusDone && !slices.Contains(takes, i) {
			held.Parts[i].Gain = nil
		}
	}
	ours := held.Statements(s.changes.Plan.Repository, func(plan.PartChange) bool { return true })
	document, err := c.Merge(c.Live, s.changes.Plan.Ours, ours)
	if err == nil && document == nil && phase == PhaseClose {
		p := s.changes.Plan
		ours = iampolicy.Join([]iampolicy.Pair{plan.Placeholder(p.Partition, c.Account, c.Name)},
			func(s iampolicy.Statement) string { return iampolicy.Mark(p.Repository, s) })
		document, err = c.Merge(c.Live, p.Ours, ours)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: its live document cannot be merged with ours: %w", c.ID, err)
	}

	write := *c
	if isPolicy {
		want, _ := c.Want.(plan.Policy)
		want.Ours, want.Document = ours, document
		write.Want = want
		return &write, nil
	}
	want := plan.BucketPolicy{Bucket: c.Name, Region: c.Region}
	if stated, ok := c.Want.(plan.BucketPolicy); ok {
		want = stated
	}
	want.Ours, want.Document = ours, document
	write.Want = want
	return &write, nil
}
