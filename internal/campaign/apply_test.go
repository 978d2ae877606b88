package campaign

import (
	"errors"
	"slices"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// applied is what an apply in this process came to.
type applied struct {
	problems []specs.Problem // of the specs' plan
	changes  *plan.Changes
	result   *executor.Result // nil: it stopped before
	writes   int
}

// succeeded reports whether the program would exit 0.
func (a *applied) succeeded() bool {
	if a.result == nil || a.changes.Summary().Error > 0 || specs.Errors(a.changes.Problems) != nil {
		return false
	}
	s := a.result.Summary
	return s.Failed+s.Blocked+s.Partial+s.NotStarted == 0
}

// warns reports whether the plan has a problem of that code.
func (a *applied) warns(code string) bool {
	return slices.ContainsFunc(a.changes.Problems, func(p specs.Problem) bool { return p.Code == code })
}

// why lists what kept an apply from success.
func (a *applied) why() (list []string) {
	if err := specs.Errors(a.problems); err != nil {
		list = append(list, err.Error())
	}
	if a.changes != nil {
		for _, p := range a.changes.Problems {
			if p.Severity == specs.SeverityError {
				list = append(list, p.Code+" "+p.Step+": "+p.Message)
			}
		}
	}
	if a.result != nil {
		for _, r := range a.result.Changes {
			if r.Status != executor.StatusUnchanged && r.Status != executor.StatusDone {
				list = append(list, string(r.Status)+" "+r.Change.ID)
				if r.Err != nil {
					list = append(list, "  "+r.Err.Error())
				}
			}
		}
	}
	return list
}

// plan plans and compares, as the program does.
func (w *world) plan(t tb, repo *specs.Repository, only []string) (*applied, *awslive.Client) {
	t.Helper()
	a := &applied{}
	selected := func(share string) bool { return len(only) == 0 || slices.Contains(only, share) }
	var p *plan.Plan
	p, a.problems = plan.Build(repo, selected)
	if specs.Errors(a.problems) != nil {
		return a, nil
	}
	client, err := awslive.New(t.Context(), awslive.Options{
		Accounts: repo.Accounts, Partition: p.Partition, Region: repo.Region,
		Repository: repo.Name, FormerNames: repo.FormerNames, Ours: p.Ours,
		Sandbox: &awslive.Endpoint{URL: w.endpoint, Account: key}, Clock: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	snapshots, err := executor.Observe(t.Context(), client, p.Wants(false), concurrency, nil)
	var caller *executor.CallerError
	if errors.As(err, &caller) { // nobody said who calls, so nothing was begun
		client.Close()
		a.problems = append(a.problems, specs.Problem{Code: "no-caller", Severity: specs.SeverityError, Message: err.Error()})
		return a, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	later, err := executor.Observe(t.Context(), client, plan.Leads(p, snapshots), concurrency, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan.Join(snapshots, later)
	a.changes = plan.Compare(p, snapshots, plan.Options{Only: only})
	return a, client
}

const concurrency = 64

// apply applies in this process, as the program does.
func (w *world) apply(t tb, repo *specs.Repository, only ...string) *applied {
	t.Helper()
	a, client := w.plan(t, repo, only)
	if client == nil {
		return a
	}
	defer client.Close()
	if a.changes.Stops() {
		return a
	}
	a.result = executor.Apply(t.Context(), nil, client, a.changes, concurrency, nil)
	for _, r := range a.result.Changes {
		a.writes += r.Done.Writes
	}
	return a
}

// statedPolicies are our statements of every bucket as the specs state them.
func statedPolicies(t tb, repo *specs.Repository) map[string][]*iampolicy.Document {
	t.Helper()
	p, problems := plan.Build(repo, func(string) bool { return true })
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	policies := map[string][]*iampolicy.Document{}
	for _, g := range p.Grants {
		d := &iampolicy.Document{Version: iampolicy.Version2012}
		for _, pair := range g.Pairs {
			s := pair.Statement
			s.Principal = &iampolicy.Principals{AWS: []string{pair.Principal}}
			d.Statements = append(d.Statements, s)
		}
		policies[g.Bucket.Name] = append(policies[g.Bucket.Name], d)
	}
	return policies
}
