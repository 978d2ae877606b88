package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/iampolicy"
)

// TestRolesGuide holds the template in docs/roles.md to the one that is printed.
func TestRolesGuide(t *testing.T) {
	printed, err := bootstrapOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	guide := readGuide(t)
	before, rest, found := strings.Cut(guide, "```yaml\n")
	shown, after, ends := strings.Cut(rest, "```\n")
	if !found || !ends {
		t.Fatal("the guide has no template")
	}
	if *update {
		text := before + "```yaml\n" + printed + "```\n" + after
		if err := os.WriteFile(guidePath, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != printed {
		t.Error("the guide's template is not what init --bootstrap prints: run the test with -update and look at it")
	}
}

// TestPipelineTrust has validate look at the trust policies that the guide shows
// for GitHub, as those of shares' roles: it warns of what is too wide.
func TestPipelineTrust(t *testing.T) {
	_, section, _ := strings.Cut(readGuide(t), "\n## GitHub's pipeline\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```json\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("%d trust policies, not 2", len(blocks))
	}
	for i, block := range blocks {
		trust, _, _ := strings.Cut(block, "```")
		for _, c := range []struct {
			trust string
			warns bool
		}{{trust, false}, {strings.NewReplacer("StringEquals", "StringLike", ":ref:refs/heads/main", ":*", "acme/shares", "*").Replace(trust), true}} {
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{
				"xshare.yaml": leastRepository, "trust.json": c.trust,
				"shares/s.yaml": pipelineShare,
			})
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"validate", dir}, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, nil)
			clean := code == exitDone && !strings.Contains(stdout.String(), "warning:")
			if clean == c.warns {
				t.Errorf("policy %d: exit code %d:\n%s%s", i, code, &stdout, &stderr)
			}
		}
	}
}

const pipelineShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: s}
spec:
  bucket: {name: acme-pipeline, account: lake, create: true}
  consumers:
    - account: lake
      role: {name: pipeline, create: true, trustPolicy: trust.json}
      access: read
`

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

var guidePath = filepath.Join("..", "..", "docs", "roles.md")

func readGuide(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile(guidePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(guide)
}
