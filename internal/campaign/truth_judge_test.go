package campaign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// reading is a client as verify and explain have it.
func (s *scene) reading(p *plan.Plan) *awslive.Client {
	client, err := awslive.New(s.t.Context(), awslive.Options{
		Accounts: s.base.repo.Accounts, Partition: p.Partition, Region: s.base.repo.Region, Regions: p.Regions,
		Repository: s.base.repo.Name, Ours: p.Ours, ReadOnly: true,
		Sandbox: &awslive.Endpoint{URL: s.endpoint, Account: key}, Clock: s.clock,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// snapshots reads what is wanted, and what a proof of it needs beside.
func (s *scene) snapshots(p *plan.Plan, wants []plan.Want, more ...string) map[string]*plan.Snapshot {
	client := s.reading(p)
	defer client.Close()
	ctx := s.t.Context()
	got, err := executor.Observe(ctx, client, plan.ForProof(wants), concurrency, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	keys, err := executor.Observe(ctx, client, plan.KeyWants(got, s.base.repo.Accounts), concurrency, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	plan.Join(got, keys)
	more = slices.DeleteFunc(more, func(account string) bool { return account == "" })
	organizations, err := client.Organizations(ctx, plan.ProofAccounts(p, got, more...))
	if err != nil {
		s.t.Fatal(err)
	}
	plan.JoinOrganizations(got, organizations)
	return got
}

// verified is what verify found.
type verified struct {
	plan      *plan.Plan
	snapshots map[string]*plan.Snapshot
	proofs    []proof.GrantProof
}

func (s *scene) verify() *verified {
	v := &verified{}
	v.plan, _ = plan.Build(s.base.repo, func(string) bool { return true })
	v.snapshots = s.snapshots(v.plan, v.plan.Wants(false))
	v.proofs = proof.Live(v.plan, v.snapshots)
	return v
}

// judge holds every grant that was proved to what its role really can do.
func (s *scene) judge(v *verified) {
	for _, p := range v.proofs {
		share := s.base.repo.Shares[slices.IndexFunc(s.base.repo.Shares, func(one *specs.Share) bool { return one.Name == p.Share })]
		c := share.Consumers[slices.IndexFunc(share.Consumers, func(one *specs.Consumer) bool { return roleARN(one) == p.RoleARN })]
		s.judgeGrant(p, c)
	}
}

func (s *scene) judgeGrant(p proof.GrantProof, c *specs.Consumer) {
	what := fmt.Sprintf("verify of %s to %s (%s)", p.Bucket, p.RoleARN, p.Promise)
	s.tally.grants[p.Verdict]++
	if p.Verdict == proof.NotChecked {
		var reasons []string
		for _, check := range p.Checks {
			if check.Verdict == proof.NotChecked {
				reasons = append(reasons, check.Reason)
			}
		}
		s.uncertain(what, append(reasons, p.NotChecked...))
	}
	callers := s.callers(p.RoleARN)
	failed, tried := s.tryAll(p.Verdict, callers, wishes(p.Bucket, c))
	refused := false // what is promised beside these wishes
	for _, check := range p.Checks {
		refused = s.judgeCheck(what, p, check) || refused
	}
	switch {
	case p.Verdict == proof.Allowed && callers == nil:
		s.fault("%s: allowed, and nobody can have the role", what)
	case p.Verdict == proof.Allowed && failed != "":
		s.fault("%s: allowed, and %s", what, failed)
	case p.Verdict == proof.Denied && callers != nil && failed == "" && !refused && tried && !slices.Contains(c.Access, specs.AccessFull) && !s.isIdle(p.RoleARN):
		s.fault("%s: denied, and every call works; it says:\n    %s", what, causesOf(p.Causes))
	}
	s.restore()
}

// tryAll makes all calls as all callers: the first that fails, and whether all
// could be tried.
func (s *scene) tryAll(verdict proof.Verdict, callers map[string]signer, list []wish) (failed string, tried bool) {
	tried = true
	for _, session := range sortedNames(callers) {
		for _, q := range list {
			got := s.real(callers[session], q)
			s.tally.requests[verdict]++
			switch {
			case got == unserved:
				tried = false
			case got != works && failed == "":
				failed = fmt.Sprintf("session %s gets %s for %s", session, got, q)
			}
		}
	}
	return failed, tried
}

// judgeCheck holds one request that was proved to the same one made, and reports
// whether it is refused as it was said to be.
func (s *scene) judgeCheck(what string, p proof.GrantProof, check proof.Check) (refused bool) {
	q := wish{action: check.Action, bucket: p.Bucket}
	if _, key, ok := strings.Cut(check.Resource, "/"); ok {
		q.key = key
	}
	q.prefix, q.listed = check.Context["s3:prefix"]
	if q.action == "s3:ListBucketVersions" || strings.HasPrefix(check.Action, "kms:") || strings.HasPrefix(check.Action, "sts:") || check.Verdict == proof.NotChecked {
		return false
	}
	if !s.isThere(p.RoleARN) {
		return false
	}
	if q.key != "" {
		s.s3(admin(ownerOf[q.bucket]), "PUT", objectPath(q.bucket, q.key), "test\n") // refused: the call is not tried
	}
	key := slices.ContainsFunc(p.Checks, func(other proof.Check) bool {
		return strings.HasPrefix(other.Action, "kms:") && other.Verdict != proof.Allowed
	})
	var list []string
	for _, session := range sessionNames {
		by, ok := s.signerOf(p.RoleARN, session)
		if !ok {
			return false
		}
		got := s.real(by, q)
		if got == unserved {
			return check.Verdict == proof.Denied // nothing contradicts it
		}
		s.tally.requests[check.Verdict]++
		if check.Verdict == proof.Allowed && got != works && !key {
			s.fault("%s: its check of %s is allowed, and session %s gets %s", what, q, session, got)
		}
		list = append(list, got)
	}
	fails := slices.ContainsFunc(list, func(got string) bool { return got != works })
	if check.Verdict == proof.Denied && !fails {
		s.fault("%s: its check of %s is denied (%s), and it works", what, q, check.Reason)
	}
	return check.Verdict == proof.Denied && fails
}

func causesOf(causes []proof.Cause) string {
	var list []string
	for _, c := range causes {
		list = append(list, string(c.Code)+": "+c.Message)
	}
	return strings.Join(list, "\n    ")
}

// uncertain holds "not checked" to what makes it a good answer.
func (s *scene) uncertain(what string, reasons []string) {
	kinds := map[string]bool{}
	for _, reason := range reasons {
		kind, good := s.doubtful(reason)
		if kind == "" {
			continue
		}
		kinds[kind] = true
		if !good {
			s.fault("%s: not checked, and nothing says so: %s", what, reason)
		}
	}
	if len(kinds) == 0 {
		s.fault("%s: not checked, and it does not say why: %q", what, reasons)
	}
	for kind := range kinds {
		s.tally.doubts[kind]++
	}
}

// doubtful is the kind of a reason, and whether something gave cause to it; no
// kind: it is told of every access.
func (s *scene) doubtful(reason string) (kind string, good bool) {
	if slices.Contains(proof.NeverChecked(), reason) || strings.HasPrefix(reason, "a session policy, if") || strings.HasPrefix(reason, "uploads in parts") {
		return "", true
	}
	for _, of := range []struct {
		part, kind string
		good       bool
	}{
		{"denies a session of the role by its name", "a session that is denied by its name", s.session},
		{"only a real call", "a condition that only a call meets", s.unknown || s.granted},
		{"Object Ownership is", "Object Ownership", s.unowned},
		{"which is not the spec's", "another trust policy than the spec's", true}, // drift says the same
		{"is AWS's own key aws/s3", "whether a key is aws/s3", true},              // whose id is never read
		{"cannot be read", "what xshare is denied to read", s.mayBeUnread},
		{"was not read", "what xshare is denied to read", s.mayBeUnread},
		{"were not read", "what xshare is denied to read", s.mayBeUnread},
	} {
		if strings.Contains(reason, of.part) {
			return of.kind, of.good
		}
	}
	return "another", false
}
