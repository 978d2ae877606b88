package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/iampolicy"
)

// TestRolesGuide holds the template in docs/roles.md to the documents.
func TestRolesGuide(t *testing.T) {
	plain := strings.NewReplacer("!Sub ", "", "${AWS::Partition}", "aws").Replace(readGuide(t))
	var found, want []any
	for _, after := range strings.Split(plain, " PolicyDocument:")[1:] {
		var document any
		if err := json.NewDecoder(strings.NewReader(after)).Decode(&document); err != nil {
			t.Fatalf("a PolicyDocument of the template: %v", err)
		}
		found = append(found, document)
	}
	for _, role := range documentedRoles {
		var document any
		if err := json.Unmarshal([]byte(role.policy), &document); err != nil {
			t.Fatal(err)
		}
		want = append(want, document)
	}
	if got, want := jsonOf(t, found), jsonOf(t, want); got != want {
		t.Errorf("the template's policies are not the documents':\n%s\n%s", got, want)
	}
}

// TestNarrowerRoles applies with the deploy role as docs/roles.md narrows it.
func TestNarrowerRoles(t *testing.T) {
	clearAWS(t)
	apply := playAll(t, scenario[:2], "")[1]
	all := permissionsOf(t, docs.DeployRolePolicy)
	of := func(sids ...string) string {
		return policyOf(t, all, func(p permission) bool { return slices.Contains(sids, p.Sid) })
	}
	_, rest, _ := strings.Cut(readGuide(t), "```json\n[")
	statements, _, found := strings.Cut(rest, "]\n```")
	if !found {
		t.Fatal("the guide has no statements in JSON")
	}
	bounded := strings.Replace(policyOf(t, all, func(p permission) bool {
		return !strings.Contains(statements, `"`+p.Action+`"`)
	}), `"Statement":[`, `"Statement":[`+statements+",", 1)

	for name, c := range map[string]struct{ lake, analytics, boundary, lacks string }{
		"an owner's account and a consumer's": {
			lake:      of("Search", "Buckets", "ProbeObjects", "LockAndLastCommit", "Unlock"),
			analytics: of("Search", "Roles", "Policies", "InstanceProfiles", "GiveInstancesTheirRole", "Instances"),
		},
		"the boundary that is asked for": {lake: bounded, analytics: bounded},
		"another boundary":               {lake: bounded, analytics: strings.Replace(bounded, "policy/workload\"}", "policy/strict\"}", 1), lacks: "iam:CreateRole"},
	} {
		t.Run(name, func(t *testing.T) {
			s := apply
			s.hand = func(h hand) {
				h.query(lakeID, "iam", "PutRolePolicy", "RoleName", "xshare-deployer", "PolicyName", "xshare", "PolicyDocument", c.lake)
				h.query(analyticsID, "iam", "PutRolePolicy", "RoleName", "xshare-deployer", "PolicyName", "xshare", "PolicyDocument", c.analytics)
			}
			code, out, _ := s.play(t, nil)
			if c.lacks == "" && code != exitDone || c.lacks != "" && (code != exitFailed || !mended(out, c.lacks)) {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
}

// TestReachOfRoles asks what the documents allow on objects: of the deploy
// role the probe's and the lock's own, of the read role none.
func TestReachOfRoles(t *testing.T) {
	for object, allowed := range map[string][]string{
		"acme-events/.xshare-probe-abc":          {"s3:PutObject", "s3:DeleteObject"},
		"acme-events/in/coming/.xshare-probe-ab": {"s3:PutObject", "s3:DeleteObject"},
		"acme-locks/xshare/acme.lock":            {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
		"acme-locks/xshare/acme.applied":         {"s3:GetObject", "s3:PutObject"},
		"acme-events/report.csv":                 nil,
		"acme-events/x.xshare-probe-abc":         nil,
		"acme-events/xshare/report.csv":          nil,
	} {
		for _, role := range documentedRoles {
			for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:DeleteObjectVersion"} {
				document, err := iampolicy.Parse([]byte(role.policy))
				if err != nil {
					t.Fatal(err)
				}
				arn := "arn:aws:iam::" + lakeID + ":role/" + role.name
				d := iampolicy.Evaluate(iampolicy.Request{
					Caller: iampolicy.Caller{Kind: iampolicy.Role, ARN: arn, RoleARN: arn, Account: lakeID},
					Action: action, Resource: "arn:aws:s3:::" + object, ResourceAccount: lakeID,
				}, iampolicy.Policies{Identity: []iampolicy.Named{{Name: role.name, Document: document}}})
				want := iampolicy.ImplicitDeny
				if role.name == "xshare-deployer" && slices.Contains(allowed, action) {
					want = iampolicy.Allowed
				}
				if d.Outcome != want {
					t.Errorf("%s of %s on %s: %s, not %s: %v", action, role.name, object, d.Outcome, want, d.Reasons)
				}
			}
		}
	}
}

func readGuide(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "roles.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(guide)
}
