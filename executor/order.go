package executor

import (
	"container/heap"
	"errors"
	"strings"
)

// sort puts the items in an order in which each follows all that it waits for,
// and finds how long the path behind each of them is. What waits for itself
// fails: it could never begin.
func (s *Schedule) sort() {
	// Of each item there are two nodes, 2*index for its losses and 2*index+1
	// for all of it. The first means nothing but in a change of two writes.
	visit := func(node int, next func(int)) {
		it := s.items[node/2]
		edges := it.uponSettled
		if node%2 == 0 {
			edges = it.uponLoss
			next(node + 1)
		}
		for _, e := range edges {
			if e.to.twoPhase && e.hard && e.part == wholeChange {
				next(2 * e.to.index)
			} else {
				next(2*e.to.index + 1)
			}
		}
	}

	waits := make([]int, 2*len(s.items))
	for node := range waits {
		visit(node, func(n int) { waits[n]++ })
	}
	order := make([]int, 0, len(waits))
	for node, n := range waits {
		if n == 0 {
			order = append(order, node)
		}
	}
	for i := 0; i < len(order); i++ {
		visit(order[i], func(n int) {
			if waits[n]--; waits[n] == 0 {
				order = append(order, n)
			}
		})
	}

	for i := len(order) - 1; i >= 0; i-- {
		longest := 0
		visit(order[i], func(n int) { longest = max(longest, s.items[n/2].urgency[n%2]) })
		s.items[order[i]/2].urgency[order[i]%2] = longest + 1
	}
	for _, node := range order {
		if node%2 == 1 {
			s.order = append(s.order, s.items[node/2])
		}
	}
	for node, n := range waits {
		if it := s.items[node/2]; n > 0 && !it.settled() {
			s.settle(it, StatusFailed, errCircle)
		}
	}
}

var errCircle = errors.New("it waits for itself, by way of others: the plan is at fault, please report it")

// queue is a heap of the items that may be handed out, the most urgent first.
type queue []*item

var _ heap.Interface = (*queue)(nil)

// Len, Less, Swap, Push and Pop are for container/heap.
func (q queue) Len() int { return len(q) }

// Less puts losses first, then the longest path, then the id.
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.loses() != b.loses() {
		return a.loses()
	}
	if pa, pb := a.path(), b.path(); pa != pb {
		return pa > pb
	}
	return strings.Compare(a.change.ID, b.change.ID) < 0
}

// Swap exchanges two items.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends an item.
func (q *queue) Push(x any) { *q = append(*q, x.(*item)) }

// Pop removes the last item.
func (q *queue) Pop() any {
	last := len(*q) - 1
	it := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return it
}

// loses reports whether the next write takes access away in a bucket policy.
func (it *item) loses() bool {
	return it.twoPhase && !it.closed && len(it.change.Lose) > 0
}

// path is the number of tasks on the longest path from the next write on.
func (it *item) path() int {
	if it.twoPhase && !it.closed {
		return it.urgency[0]
	}
	return it.urgency[1]
}
