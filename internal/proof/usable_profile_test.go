package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	letsEC2    = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	letsLambda = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
)

// A role that is for EC2 alone is of use only by an instance profile, also where
// its spec states none.
func TestHeldByNoProfile(t *testing.T) {
	document := func(statements string) json.RawMessage {
		return json.RawMessage(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
	}
	existing := specs.Role{Name: role, Path: "/"}
	const ofSpec = "say `instanceProfile: true` of the role"
	for name, tt := range map[string]struct {
		role    specs.Role
		trust   string
		held    bool
		verdict proof.Verdict
		mend    string
	}{
		"EC2 alone":                           {role: existing, trust: letsEC2, verdict: proof.Denied, mend: ofSpec},
		"EC2 alone, held by a profile":        {role: existing, trust: letsEC2, held: true, verdict: proof.Allowed},
		"lambda alone":                        {role: existing, trust: letsLambda, verdict: proof.Allowed},
		"EC2 and lambda":                      {role: existing, trust: letsEC2 + "," + letsLambda, verdict: proof.Allowed},
		"EC2 and the account":                 {role: existing, trust: letsEC2 + "," + letsAccount, verdict: proof.Allowed},
		"EC2 and everybody":                   {role: existing, trust: letsEC2 + `,{"Effect":"Allow","Principal":"*","Action":"sts:*"}`, verdict: proof.Allowed},
		"EC2 and a deleted user":              {role: existing, trust: letsEC2 + `,{"Effect":"Allow","Principal":{"AWS":"` + deadUser + `"},"Action":"sts:AssumeRole"}`, verdict: proof.Denied, mend: ofSpec},
		"EC2 and the role itself":             {role: existing, trust: letsEC2 + "," + strings.Replace(letsOne, ":role/deployer", ":role/"+role, 1), verdict: proof.Denied, mend: ofSpec},
		"EC2 and another's provider":          {role: existing, trust: letsEC2 + "," + strings.ReplaceAll(letsWeb, consumer, owner), verdict: proof.Denied, mend: ofSpec},
		"EC2, and lambda for another call":    {role: existing, trust: letsEC2 + "," + strings.Replace(letsLambda, "AssumeRole", "TagSession", 1), verdict: proof.Denied, mend: ofSpec},
		"EC2, and an account until yesterday": {role: existing, trust: letsEC2 + "," + on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`), verdict: proof.Denied, mend: ofSpec},
		"EC2, and an account until today":     {role: existing, trust: letsEC2 + "," + on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), verdict: proof.NotChecked},
		"as before, held by a profile":        {role: existing, trust: letsEC2 + "," + on(letsAccount, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), held: true, verdict: proof.Allowed},
		"EC2 until today":                     {role: existing, trust: on(letsEC2, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), verdict: proof.Denied, mend: ofSpec},
		"EC2 until today, held by a profile":  {role: existing, trust: on(letsEC2, `"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`), held: true, verdict: proof.NotChecked},

		"created, for EC2": {
			role:  specs.Role{Name: role, Path: "/", Create: true, TrustService: "ec2.amazonaws.com"}, // instanceProfile: false
			trust: letsEC2, verdict: proof.Denied, mend: ofSpec,
		},
		"created, for EC2, held by a profile": {
			role:  specs.Role{Name: role, Path: "/", Create: true, TrustService: "ec2.amazonaws.com"},
			trust: letsEC2, held: true, verdict: proof.Allowed,
		},
		"created, for EC2 by a trust policy": {
			role:  specs.Role{Name: role, Path: "/", Create: true, TrustPolicy: document(letsEC2)},
			trust: letsEC2, verdict: proof.Denied, mend: ofSpec,
		},
		"created, for another account, and changed": {
			role:  specs.Role{Name: role, Path: "/", Create: true, TrustPolicy: document(letsAccount)},
			trust: letsEC2, verdict: proof.Denied, mend: "run `xshare apply`",
		},
	} {
		t.Run(name, func(t *testing.T) {
			repo := recipe(func(s *specs.Share) { s.Consumers[0].Instances, s.Consumers[0].Role = nil, tt.role })
			p, snapshots := built(t, recipe(nil))
			p.Grants[0].Consumer = repo.Shares[0].Consumers[0]
			l := live{t, snapshots}
			l.role().Trust = document(tt.trust)
			snapshots[consumer].At = readAt
			snapshots[consumer].Profiles = map[string]*plan.LiveInstanceProfile{
				"other": {InstanceProfile: plan.InstanceProfile{Name: "other", Role: "other"}},
				"empty": {InstanceProfile: plan.InstanceProfile{Name: "empty"}},
			}
			if tt.held {
				snapshots[consumer].Profiles["web"] = &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{Name: "web", Role: role}}
			}

			g := proof.Live(p, snapshots)[0]
			asked := proof.Explain(p, repo.Accounts, snapshots, ask(t, roleARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			explained := proof.ExplainShare(p, snapshots, bucket)[0]
			if g.Verdict != tt.verdict || asked.Verdict != tt.verdict || explained.Verdict != tt.verdict {
				t.Fatalf("verify %s, explain %s and %s; want %s: %+v", g.Verdict, asked.Verdict, explained.Verdict, tt.verdict, g.Causes)
			}
			if tt.verdict == proof.NotChecked && len(g.NotChecked) == len(proof.NeverChecked()) {
				t.Error("it is not said what was not checked")
			}
			for _, e := range []proof.Explanation{asked, explained} {
				i := slices.IndexFunc(e.Use, func(p proof.Part) bool { return p.Side == proof.PartProfile })
				switch {
				case tt.held && (i < 0 || e.Use[i].Text != "web holds the role") && strings.HasPrefix(name, "EC2 alone"):
					t.Errorf("the profile is not told of: %+v", e.Use)
				case tt.verdict == proof.Denied && (i < 0 || e.Use[i].State != proof.StateLacking || len(e.Roots) != 1):
					t.Errorf("it is not told what lacks: %s", dumpExplanation(e))
				}
			}
			if tt.verdict != proof.Denied {
				return
			}
			if len(g.Causes) != 1 || g.Causes[0].Code != proof.ProfileMissing || !strings.HasPrefix(g.Causes[0].Mend, tt.mend) {
				t.Errorf("%+v", g.Causes)
			}
		})
	}
}

// The profiles that may hold a role are read wherever a share names one.
func TestProfilesAreWanted(t *testing.T) {
	p, problems := plan.Build(recipe(func(s *specs.Share) {
		s.Consumers[0].Instances, s.Consumers[0].Role = nil, specs.Role{Name: role, Path: "/"}
	}), func(string) bool { return true })
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, w := range proof.OwnWants(p) {
		if w.Account == consumer && (!w.IAM || !slices.Contains(w.Roles, role)) {
			t.Errorf("what would tell of its profiles is not read: %+v", w)
		}
	}
}

// Where the caller's account could not be read an apply opens nothing to it, and
// a statement of ours is not to be edited by hand.
func TestMendOfAnUnreadableAccount(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	l.replace(&l.bucket().Policy, consumer+":role/"+role, "222222222223:role/"+role)
	if mend := proof.Live(p, snapshots)[0].Causes[0].Mend; mend != "run `xshare apply`" {
		t.Errorf("of a statement of ours: %q", mend)
	}
	snapshots[consumer].Failures = []plan.ReadFailure{{Scope: plan.ScopeAccount, Message: "AccessDenied"}}
	if mend := proof.Live(p, snapshots)[0].Causes[0].Mend; mend != "make account "+consumer+" readable (`xshare plan` says what stops it), then run `xshare apply`" {
		t.Errorf("where the account cannot be read: %q", mend)
	}
}
