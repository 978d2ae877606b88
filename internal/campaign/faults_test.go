package campaign

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// TestFaults applies while calls go wrong: throttling, errors that pass and
// errors that stay, latency, responses that are lost after the call was done,
// and propagation. Every run converges, or stops and says truly what is done;
// and one more apply without faults converges. XSHARE_SEED=N runs one seed.
func TestFaults(t *testing.T) {
	first, last := seedsOf(t, 15, 300)
	fresh := freshScenario(t)
	scenarios := []*scenario{fresh, editedScenario(t, fresh)}
	var mu sync.Mutex
	ends := map[string]int{}
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed <= last; seed++ {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				end := faulty(t, seed, scenarios)
				mu.Lock()
				defer mu.Unlock()
				ends[end]++
			})
		}
	})
	t.Logf("%d seeds from %d: %d converged, %d stopped with a true report, %d wrote nothing",
		last-first+1, first, ends["converged"], ends["stopped"], ends["nothing written"])
}

// faulty is one run.
func faulty(t *testing.T, seed int, scenarios []*scenario) (end string) {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	options := sandbox.Options{Random: strconv.Itoa(seed), Propagation: sandbox.Propagation{
		Role: sandbox.Window{Attempts: random.IntN(4)}, Profile: sandbox.Window{Attempts: random.IntN(4)},
	}}
	var w *world
	var u *universe
	var repo *specs.Repository
	foreign := map[string][]string{}
	if i := random.IntN(len(scenarios) + 1); i < len(scenarios) {
		s := scenarios[i]
		w, u, repo, foreign = newWorld(t, s.repo, s.state, options), s.universe, s.repo, s.foreign
		w.clock = newClock(t)
	} else {
		w, u, repo = generated(t, seed, options, foreign)
	}
	defer w.close(t)
	g := w.watch(t, u.buckets, statedPolicies(t, repo), foreign)
	w.set(nil, g.look)

	rules := drawFaults(random, u)
	if err := w.server.SetFaults(rules); err != nil {
		t.Fatal(err)
	}
	a := w.apply(t, repo)
	if err := w.server.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	switch {
	case a.succeeded():
		end = "converged"
		// What cannot be searched is told, and is no failure: no spec needs it.
		if list := w.read(t, u).differences(repo); len(list) > 0 && !a.warns(plan.CodeNotSearched) {
			t.Errorf("it says that all is done, and live access is not what the specs say:\n  %s", few(list))
		}
	case a.result == nil || a.result.Summary.Done+a.result.Summary.Partial+a.result.Summary.Failed+a.result.Summary.Blocked == 0:
		end = "nothing written"
	default:
		end = "stopped"
	}
	w.holdsTrue(t, repo, a)

	if next := w.apply(t, repo); !next.succeeded() {
		t.Errorf("the next apply, without faults:\n  %s", few(next.why()))
	}
	if list := w.read(t, u).differences(repo); len(list) > 0 {
		t.Errorf("after an apply without faults, live access is not what the specs say:\n  %s", few(list))
	}
	if again := w.apply(t, repo); !again.succeeded() || again.writes > 0 {
		t.Errorf("one more apply makes %d writes:\n  %s", again.writes, few(again.why()))
	}
	g.end(t)
	if t.Failed() {
		t.Logf("%s under %+v with windows %+v:\n  %s", end, rules, options.Propagation, few(a.why()))
	}
	return end
}

// holdsTrue looks whether what a run says is done, and that was there already,
// is there.
func (w *world) holdsTrue(t *testing.T, repo *specs.Repository, a *applied) {
	t.Helper()
	if a.result == nil {
		return
	}
	now, client := w.plan(t, repo, nil)
	client.Close()
	left := map[string]*plan.Change{}
	for _, c := range now.changes.Steps {
		if c.Action != plan.Noop {
			left[c.ID] = c
		}
	}
	for _, r := range a.result.Changes {
		c := left[r.Change.ID]
		if c == nil {
			continue
		}
		switch r.Status {
		case executor.StatusDone, executor.StatusUnchanged:
			t.Errorf("%s is said to be %s, and a plan would %s it", r.Change.ID, r.Status, c.Action)
		case executor.StatusPartial:
			if len(c.Lose) > 0 {
				t.Errorf("%s is said to be %s, and still lets in what it was to lose: %v", r.Change.ID, r.Status, c.Lose)
			}
			for _, p := range r.Parts {
				at := slices.IndexFunc(c.Parts, func(n plan.PartChange) bool {
					return n.Share == p.Share && n.Consumer == p.Consumer && n.Action != plan.Noop
				})
				if at >= 0 && (p.Status == executor.StatusDone || p.Status == executor.StatusUnchanged) {
					t.Errorf("the part %s %s of %s is said to be %s, and a plan would %s it", p.Share, p.Consumer, r.Change.ID, p.Status, c.Parts[at].Action)
				}
			}
		}
	}
}

// operations that faults are about, by service.
var faultOperations = map[string][]string{
	"iam": {
		"CreateRole", "CreatePolicy", "CreatePolicyVersion", "AttachRolePolicy", "DetachRolePolicy", "CreateInstanceProfile",
		"AddRoleToInstanceProfile", "TagRole", "GetAccountAuthorizationDetails", "ListInstanceProfiles", "GetRole", "",
	},
	"s3":  {"CreateBucket", "PutBucketPolicy", "GetBucketPolicy", "ListBuckets", "HeadBucket", "GetBucketTagging", "DeleteBucketPolicy", ""},
	"ec2": {"RunInstances", "AssociateIamInstanceProfile", "DescribeInstances", "DescribeIamInstanceProfileAssociations", ""},
	"sts": {"AssumeRole", "GetCallerIdentity", ""},
	"":    {""},
}

// passing are errors that pass, by themselves or when tried again.
var passing = []sandbox.Fault{
	{Code: "InternalFailure", Status: 500},
	{Code: "ServiceUnavailable", Status: 503},
	{Code: "InternalError", Status: 500},
	{Code: "RequestTimeout", Status: 400},
	{Code: "OperationAborted", Status: 409},
	{Code: "ConcurrentModification", Status: 409},
	{Code: "SlowDown", Status: 503},
}

// staying are errors that nobody tries again.
var staying = []sandbox.Fault{{Code: "AccessDenied", Status: 403}, {Code: "LimitExceeded", Status: 409}, {Code: "ValidationError", Status: 400}}

// drawFaults are one to four rules.
func drawFaults(random *rand.Rand, u *universe) (rules []sandbox.Fault) {
	accounts := slices.Sorted(maps.Keys(u.managed))
	for range 1 + random.IntN(4) {
		f := sandbox.Fault{Probability: []float64{0.02, 0.1, 0.3, 0.6, 0.9, 0}[random.IntN(6)]}
		f.Service = pick(random, slices.Sorted(maps.Keys(faultOperations)))
		f.Operation = pick(random, faultOperations[f.Service])
		if random.IntN(3) == 0 {
			f.Account = pick(random, accounts)
		}
		if random.IntN(4) == 0 {
			f.Count = 1 + random.IntN(6)
		}
		switch random.IntN(6) {
		case 0:
			f.Kind = "throttle"
		case 1:
			f.Kind, f.LatencyMillis = "latency", 1+random.IntN(3)
		case 2, 3:
			f.Kind = "lostResponse"
		case 4:
			e := pick(random, passing)
			f.Kind, f.Code, f.Status = "error", e.Code, e.Status
		case 5:
			e := pick(random, staying)
			f.Kind, f.Code, f.Status = "error", e.Code, e.Status
		}
		rules = append(rules, f)
	}
	return rules
}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// generated is a random repository that was applied, and then edited.
func generated(t *testing.T, seed int, o sandbox.Options, foreign map[string][]string) (*world, *universe, *specs.Repository) {
	t.Helper()
	old, err := everythingOld().load()
	if err != nil {
		t.Fatal(err)
	}
	w, u := newWorld(t, old, nil, o), modelUniverse()
	w.clock = newClock(t)
	before := generator(3, 12).Example(seed)
	repo, err := before.load()
	if err != nil {
		t.Fatal(err)
	}
	if a := w.apply(t, repo); !a.succeeded() {
		t.Fatalf("apply without faults:\n  %s\n%s", few(a.why()), before)
	}
	for bucket, account := range u.buckets {
		if w.hasBucket(account, bucket) {
			foreign[bucket] = []string{foreignStatement(account, bucket, "Auditors")}
			w.addForeign(t, account, bucket, foreign[bucket][0])
		}
	}
	after := edited(before).Example(seed)
	if repo, err = after.load(); err != nil {
		t.Fatal(err)
	}
	return w, u, repo
}

// generator makes repositories of so many edits that the specs allow.
func generator(least, most int) *rapid.Generator[*model] {
	return rapid.Custom(func(rt *rapid.T) *model {
		return edits(rt, &model{shares: map[string]*modelShare{}}, rapid.IntRange(least, most).Draw(rt, "edits"))
	})
}

func edited(m *model) *rapid.Generator[*model] {
	return rapid.Custom(func(rt *rapid.T) *model { return edits(rt, m, rapid.IntRange(1, 6).Draw(rt, "edits")) })
}

func edits(rt *rapid.T, m *model, n int) *model {
	for range n {
		next := m.clone()
		next.edit(rt)
		next.complete(made{})
		if _, err := next.load(); err == nil {
			m = next
		}
	}
	return m
}
