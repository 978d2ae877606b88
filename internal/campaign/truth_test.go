package campaign

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/sandbox"
)

// TestTruth holds what verify and explain say to what happens. Shares that work
// are broken, or mended, by random calls of whatever decides about access; then
// each grant is proved on what xshare reads, and every call that it promises is
// really made: one that is said to be allowed must work, and of those said to be
// denied some must fail. So with explain, about anybody and anything; and what
// it gives as the mend of what is denied has to help.
//
// XSHARE_SEED=N runs one sequence (or N-M some), and XSHARE_MUTATIONS=0,2 only
// those of its mutations.
func TestTruth(t *testing.T) {
	first, last := seedsOf(t, 24, 3000)
	only := numbersIn(os.Getenv("XSHARE_MUTATIONS"))
	all, from := newTally(), newBases(t)
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed <= last; seed++ {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				s := played(t, from, seed, only)
				all.add(s.tally)
				if len(s.faults) > 0 && only == nil {
					s = shrunk(t, from, seed, s)
				}
				if len(s.faults) > 0 {
					t.Errorf("XSHARE_SEED=%d XSHARE_MUTATIONS=%s go test ./internal/campaign -run '^TestTruth$'\nbase %d\n%s\n%s",
						seed, numbers(s.chosen), s.base.number, strings.Join(s.said, "\n"), strings.Join(s.faults, "\n"))
				}
			})
		}
	})
	t.Logf("%d sequences: %s", last-first+1, all)
}

func numbers(list []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(list), "[]"), " ", ",")
}

// numbersIn are the numbers of a list; nil: there is none.
func numbersIn(text string) (list []int) {
	for one := range strings.SplitSeq(text, ",") {
		if n, err := strconv.Atoi(one); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// scene is one sequence.
type scene struct {
	*world
	t        *testing.T
	base     *base
	draw     *draw
	chosen   []int // the mutations that were made, by number
	said     []string
	faults   []string
	refused  int // calls that AWS did not take
	made     int // policies, for their names
	sessions map[string]signer
	users    map[string]signer
	tally    *tally

	stale  map[string]bool // buckets whose objects may have another key than the bucket's
	barred map[string]bool // accounts in which no service may assume a role
	meant  bool            // who may have the role bound is by conditions that only a call meets
	absent bool            // whose access is mended is not there
	// What makes "not checked" a good answer: conditions that only a call meets,
	// sessions that are named, objects of who wrote them, grants of keys, and
	// denials that may stop xshare itself.
	unknown, session, unowned, granted, mayBeUnread bool
}

func (s *scene) note(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *scene) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// played is a sequence from beginning to end; only: those of its mutations.
func played(t *testing.T, from *bases, seed int, only []int) *scene {
	t.Helper()
	b := from.list[seed%truthBases]()
	s := &scene{
		t: t, base: b, sessions: maps.Clone(b.sessions), users: maps.Clone(b.users), tally: newTally(),
		stale: map[string]bool{}, barred: map[string]bool{},
	}
	s.world = newWorld(t, b.repo, b.state, sandbox.Options{Random: strconv.Itoa(seed), Clock: startedClock})
	s.clock = &instant{now: started}
	defer s.close(t)
	of := func(n int) *draw {
		return &draw{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(n))), organization: b.organizedBy}
	}
	for n := range 1 + of(1000).IntN(4) {
		if only != nil && !slices.Contains(only, n) {
			continue
		}
		s.draw = of(n)
		at := len(s.said)
		words := pick(s.draw.Rand, mutations)(s)
		if words == "" {
			continue
		}
		s.said = slices.Insert(s.said, at, fmt.Sprintf("%d. %s", n, words))
		s.chosen = append(s.chosen, n)
		s.tally.mutations++
	}
	s.draw = of(2000)
	s.judge(s.verify())
	s.askAround()
	s.mendGrants(s.verify())
	s.tally.refused = s.refused
	return s
}

// shrunk is the sequence with as few of its mutations as still go wrong.
func shrunk(t *testing.T, from *bases, seed int, s *scene) *scene {
	t.Helper()
	for again := true; again; {
		again = false
		for _, out := range s.chosen {
			fewer := slices.DeleteFunc(slices.Clone(s.chosen), func(n int) bool { return n == out })
			if got := played(t, from, seed, fewer); len(got.faults) > 0 {
				s, again = got, true
				break
			}
		}
	}
	return s
}

// tally counts.
type tally struct {
	mu                 sync.Mutex
	mutations, refused int
	grants, questions  map[proof.Verdict]int
	requests           map[proof.Verdict]int // really made, by what was said of them
	doubts, mends      map[string]int
}

func newTally() *tally {
	return &tally{
		grants: map[proof.Verdict]int{}, questions: map[proof.Verdict]int{}, requests: map[proof.Verdict]int{},
		doubts: map[string]int{}, mends: map[string]int{},
	}
}

func (t *tally) add(other *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mutations += other.mutations
	t.refused += other.refused
	addCounts(t.grants, other.grants)
	addCounts(t.questions, other.questions)
	addCounts(t.requests, other.requests)
	addCounts(t.doubts, other.doubts)
	addCounts(t.mends, other.mends)
}

func addCounts[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

func (t *tally) String() string {
	return fmt.Sprintf("%d mutations, %d calls of them refused\n  grants: %s\n  questions: %s\n  requests made, by what was said of them: %s\n  not checked for: %s\n  mends: %s",
		t.mutations, t.refused, counts(t.grants), counts(t.questions), counts(t.requests), counts(t.doubts), counts(t.mends))
}

func counts[K ~string](m map[K]int) string {
	var list []string
	for _, k := range sortedNames(m) {
		list = append(list, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(list, ", ")
}

func sortedNames[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
