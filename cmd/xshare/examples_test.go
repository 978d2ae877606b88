package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// TestExamples runs every repository under examples/ whole, on the sandbox and
// on moto_server: apply, a second apply that writes nothing, drift, verify, and
// then changes by hand that drift names and one apply mends, while a foreign
// statement stays as it is. What moto gets wrong is who may do what, and dead
// principals; nothing here rests on those.
func TestExamples(t *testing.T) {
	roots, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", specs.RepositoryFile))
	if err != nil || len(roots) < 2 {
		t.Fatalf("no examples: %q, %v", roots, err)
	}
	for _, root := range roots {
		dir := filepath.Dir(root)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Run("sandbox", func(t *testing.T) { runExample(t, exampleOnSandbox(t, dir)) })
			t.Run("moto", func(t *testing.T) { runExample(t, exampleOnMoto(t, dir)) })
		})
	}
}

// exampleRun is a copy of an example with the AWS that it is run on.
type exampleRun struct {
	dir      string // the copy; in no git work tree, so that no commit is in the output
	repo     *specs.Repository
	plan     *plan.Plan
	endpoint string
	journal  *journal          // of the sandbox; nil: moto
	keys     map[string]string // account -> access key id for changes by hand
}

func runExample(t *testing.T, e *exampleRun) {
	foreign := e.foreignFirst(t)
	before := e.samePlan(t)
	if writes := e.apply(t); writes == 0 {
		t.Error("the first apply made no write")
	}
	if writes := e.apply(t); writes != 0 {
		t.Errorf("the second apply made %d writes", writes)
	}
	if after := e.samePlan(t); bytes.Equal(before, after) {
		t.Error("the plan is the same before apply and after it")
	}
	e.noDrift(t)
	e.verify(t)
	e.foreignLater(t, foreign)
	e.noDrift(t)
	for _, change := range e.changesByHand(t) {
		t.Run(change.name, func(t *testing.T) {
			change.do(t)
			drifted := e.drift(t, 2)
			for _, id := range change.names {
				if !slices.Contains(drifted, id) {
					t.Errorf("drift does not name %s, only %q", id, drifted)
				}
			}
			if !change.more && len(drifted) != len(change.names) {
				t.Errorf("drift names %q, and only %q was changed", drifted, change.names)
			}
			if writes := e.apply(t); writes == 0 {
				t.Error("apply made no write")
			}
			e.noDrift(t)
		})
	}
	if writes := e.apply(t); writes != 0 {
		t.Errorf("apply made %d writes although all was mended", writes)
	}
	e.verify(t)
	if len(foreign) == 0 {
		t.Error("no bucket has a foreign statement")
	}
	for step, text := range foreign {
		if policy := e.bucketPolicy(t, step); !strings.Contains(policy, text) {
			t.Errorf("the foreign statement of %s was changed or lost:\n%s\nnow:\n%s", step.ID, text, policy)
		}
	}
	e.describe(t)
}

// change is one that somebody makes by hand.
type change struct {
	name  string
	do    func(t *testing.T)
	names []string // ids of the steps that drift must name
	more  bool     // others may differ with them
}

// changesByHand are chosen from the plan, so that they fit every example.
func (e *exampleRun) changesByHand(t *testing.T) []change {
	t.Helper()
	policy := e.first(t, plan.TypeBucketPolicy)
	attachment := e.first(t, plan.TypeAttachment)
	role := e.first(t, plan.TypeRole)
	profile := e.first(t, plan.TypeInstanceProfile)
	held := plan.StepID(plan.TypeRole, profile.Account, "", profile.Want.(plan.InstanceProfile).Role)
	permissions := e.first(t, plan.TypePolicy)
	changes := []change{
		{"statement edited", func(t *testing.T) { e.putBucketPolicy(t, policy, e.edited(t, e.bucketPolicy(t, policy))) }, []string{policy.ID}, false},
		{"policy detached", func(t *testing.T) {
			want := attachment.Want.(plan.Attachment)
			e.iam(t, attachment.Account, "DetachRolePolicy", "RoleName", want.Role, "PolicyArn", want.PolicyARN)
		}, []string{attachment.ID}, false},
		{"trust policy changed", func(t *testing.T) {
			e.iam(t, role.Account, "UpdateAssumeRolePolicy", "RoleName", role.Name, "PolicyDocument", otherTrust)
		}, []string{role.ID}, false},
		{"permissions edited", func(t *testing.T) { e.editPermissions(t, permissions) }, []string{permissions.ID}, false},
		{"profile without its role", func(t *testing.T) {
			e.iam(t, profile.Account, "RemoveRoleFromInstanceProfile", "InstanceProfileName", profile.Name,
				"RoleName", profile.Want.(plan.InstanceProfile).Role)
		}, []string{profile.ID}, false},
		{"tag removed", func(t *testing.T) {
			e.iam(t, role.Account, "UntagRole", "RoleName", role.Name, "TagKeys.member.1", plan.ShareTag)
		}, []string{role.ID}, false},
		{"role deleted", func(t *testing.T) { e.deleteRole(t, held) }, append(e.naming(held), held, profile.ID), true},
	}
	if role.Want.(plan.Role).Boundary != "" {
		changes = append(changes, change{"boundary removed", func(t *testing.T) {
			e.iam(t, role.Account, "DeleteRolePermissionsBoundary", "RoleName", role.Name)
		}, []string{role.ID}, false})
	}
	return changes
}

const otherTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// naming are the bucket policies that name a role: they are left with the
// unique id of one that is deleted, but not on moto.
func (e *exampleRun) naming(role string) (ids []string) {
	if e.journal == nil {
		return nil
	}
	for _, s := range e.plan.Steps {
		if s.Type == plan.TypeBucketPolicy && slices.ContainsFunc(s.Parts, func(p plan.Part) bool { return slices.Contains(p.Needs, role) }) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// first is the first step of a type that xshare makes; of the roles, one that
// a single share states, as its tags name that share.
func (e *exampleRun) first(t *testing.T, kind plan.Type) *plan.Step {
	t.Helper()
	i := slices.IndexFunc(e.plan.Steps, func(s *plan.Step) bool {
		return s.Type == kind && !s.Existing && (kind != plan.TypeRole || len(s.Shares) == 1)
	})
	if i < 0 {
		t.Fatalf("the example has no %s that xshare makes", kind)
	}
	return e.plan.Steps[i]
}

// foreignFirst gives each bucket that exists already a policy of somebody
// else, before xshare writes there, and returns the statements by step.
func (e *exampleRun) foreignFirst(t *testing.T) map[*plan.Step]string {
	t.Helper()
	foreign := map[*plan.Step]string{}
	for _, s := range e.plan.Steps {
		if s.Type == plan.TypeBucketPolicy && e.plan.Step(s.Needs[0]).Existing {
			foreign[s] = foreignStatement(s)
			e.putBucketPolicy(t, s, "{\"Statement\": [\n"+foreign[s]+"\n], \"Version\": \"2012-10-17\"}")
		}
	}
	return foreign
}

// foreignLater puts a foreign statement before those of xshare on each other
// bucket.
func (e *exampleRun) foreignLater(t *testing.T, foreign map[*plan.Step]string) {
	t.Helper()
	for _, s := range e.plan.Steps {
		if s.Type != plan.TypeBucketPolicy || foreign[s] != "" {
			continue
		}
		foreign[s] = foreignStatement(s)
		head, tail, found := strings.Cut(e.bucketPolicy(t, s), "[")
		if !found {
			t.Fatalf("the policy of %s has no statements", s.ID)
		}
		e.putBucketPolicy(t, s, head+"["+foreign[s]+","+tail)
	}
}

// foreignStatement is written as no program of ours would.
func foreignStatement(s *plan.Step) string {
	return `{ "Resource" : "arn:aws:s3:::` + s.Name + `/audit/*",  "Action":[ "s3:getobject" ],
	"Principal": {"AWS": ["` + s.Account + `"]}, "Effect":"Allow" , "Sid" : "AuditorsOwn" }`
}

// edited is a policy whose first statement of ours has other actions.
func (e *exampleRun) edited(t *testing.T, text string) string {
	t.Helper()
	var policy struct{ Statement []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatal(err)
	}
	for _, raw := range policy.Statement {
		var statement map[string]any
		if err := json.Unmarshal(raw, &statement); err != nil {
			t.Fatal(err)
		}
		if sid, _ := statement["Sid"].(string); strings.HasPrefix(sid, iampolicy.MarkPrefix(e.repo.Name)) {
			statement["Action"] = "s3:*"
			other, err := json.Marshal(statement)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Replace(text, string(raw), string(other), 1)
		}
	}
	t.Fatalf("no statement of ours in %s", text)
	return ""
}

// editPermissions makes an edited version of a managed policy the default.
func (e *exampleRun) editPermissions(t *testing.T, s *plan.Step) {
	t.Helper()
	arn := s.Want.(plan.Policy).ARN
	version := element(t, e.iam(t, s.Account, "GetPolicy", "PolicyArn", arn), "DefaultVersionId")
	document := element(t, e.iam(t, s.Account, "GetPolicyVersion", "PolicyArn", arn, "VersionId", version), "Document")
	text, err := url.QueryUnescape(document)
	if err != nil {
		t.Fatal(err)
	}
	e.iam(t, s.Account, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", e.edited(t, text), "SetAsDefault", "true")
}

// deleteRole does what IAM asks for first, and deletes the role.
func (e *exampleRun) deleteRole(t *testing.T, id string) {
	t.Helper()
	role := e.plan.Step(id)
	for _, s := range e.plan.Steps {
		switch want := s.Want.(type) {
		case plan.Attachment:
			if s.Account == role.Account && want.Role == role.Name {
				e.iam(t, s.Account, "DetachRolePolicy", "RoleName", want.Role, "PolicyArn", want.PolicyARN)
			}
		case plan.InstanceProfile:
			if s.Account == role.Account && want.Role == role.Name {
				e.iam(t, s.Account, "RemoveRoleFromInstanceProfile", "InstanceProfileName", want.Name, "RoleName", want.Role)
			}
		}
	}
	e.iam(t, role.Account, "DeleteRole", "RoleName", role.Name)
}
