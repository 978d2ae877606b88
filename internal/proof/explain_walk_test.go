package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
)

func walk(t *testing.T, change func(live), principal, action, resource string) proof.Explanation {
	t.Helper()
	p, accounts, l := byHand(t)
	change(l)
	return proof.Explain(p, accounts, l.snapshots, ask(t, principal, action, resource))
}

// The statement of a key's policy does not collide with one that is there.
func TestExplainKeyStatement(t *testing.T) {
	const sid = "BucketnotesForanalyst"
	statement := func(principal, action string) string {
		return `,{"Sid":"` + sid + `","Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`
	}
	for name, tt := range map[string]struct {
		have     string
		replaces bool
		sid      string
		mend     string
	}{
		"none":                     {"", false, sid, "add this statement"},
		"of a role that was there": {statement("AROAPU3M3M5ITZB4AGB7C", "kms:Decrypt"), true, sid, "AROAPU3M3M5ITZB4AGB7C, the id of a principal that was deleted: KMS takes no policy with one"},
		"with another action":      {statement(analystARN, "kms:DescribeKey"), true, sid, `replace statement "` + sid + `"`},
		"of another account":       {statement("arn:aws:iam::333333333333:role/analyst", "kms:Decrypt"), false, sid + "2", "add this statement"},
	} {
		t.Run(name, func(t *testing.T) {
			e := walk(t, func(l live) { l.encrypt(tt.have, true) }, analystARN, "s3:GetObject", notesARN+"/a.txt")
			if len(e.Roots) != 1 || e.Roots[0].Code != proof.KMSKeyPolicyLacks || !strings.Contains(e.Roots[0].Mend, tt.mend) || len(e.Roots[0].Fragments) != 1 {
				t.Fatalf("%+v", e.Roots)
			}
			edit := e.Roots[0].Fragments[0]
			if (edit.Remove != nil) != tt.replaces || !strings.Contains(string(edit.Add), `"Sid":"`+tt.sid+`"`) ||
				!strings.Contains(string(edit.Add), analystARN) || !strings.Contains(string(edit.Add), "kms:Decrypt") || strings.Contains(string(edit.Add), "AROA") {
				t.Errorf("remove %s, add %s", edit.Remove, edit.Add)
			}
		})
	}
}

// A mend changes something, and gives what was asked and nothing else.
func TestExplainPublic(t *testing.T) {
	public := func(l live) {
		l.notes().PublicAccessBlock = &plan.PublicAccessBlock{RestrictPublicBuckets: true}
		l.put(&l.notes().Policy, `{"Sid":"World","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"`+notesARN+`/public/*"}`)
	}
	for _, tt := range []struct{ who, object string }{{"anonymous", "/public/a"}, {analystARN, "/private/x"}} {
		e := walk(t, func(l live) {
			public(l)
			if tt.who != "anonymous" {
				l.replace(&l.notes().Policy, analystARN, roleARN)
			}
		}, tt.who, "s3:GetObject", notesARN+tt.object)
		for _, root := range e.Roots {
			for _, f := range root.Fragments {
				if f.Add != nil && (strings.Contains(string(f.Add), "/public/") || string(f.Add) == string(f.Remove)) {
					t.Errorf("%s asks for %s, and is given %s in place of %s", tt.who, tt.object, f.Add, f.Remove)
				}
			}
		}
		if e.Verdict != proof.Denied || !slices.Contains(rootCodes(e), proof.BlockPublicAccess) {
			t.Errorf("%s: %s", tt.who, dumpExplanation(e))
		}
	}
}

// A key that cannot be used is told of among the sides, with how to mend it.
func TestExplainKeyState(t *testing.T) {
	e := walk(t, func(l live) {
		l.encrypt(lets, true)
		l.snapshots[owner].Keys[notesKey].State = "Disabled"
	}, analystARN, "s3:GetObject", notesARN+"/a.txt")
	told := slices.ContainsFunc(e.Screens, func(s proof.Screen) bool {
		return slices.Contains(s.Parts, proof.Part{Side: proof.PartKeyState, State: proof.StateDenies, Text: "disabled"})
	})
	if len(e.Roots) != 1 || !told || !strings.Contains(e.Roots[0].Mend, "`aws kms enable-key --key-id "+notesKey+" --region us-east-1`") {
		t.Error(dumpExplanation(e))
	}
}

// Nobody is let in before it is there.
func TestExplainNotThere(t *testing.T) {
	e := walk(t, func(l live) {
		l.encrypt("", false)
		delete(l.snapshots[consumer].Roles, analyst)
	}, analystARN, "s3:GetObject", notesARN+"/a.txt")
	if !slices.Equal(rootCodes(e), []proof.Code{proof.RoleMissing}) {
		t.Error(rootCodes(e))
	}
	e = walk(t, func(l live) { l.analyst().Path = "/other/" }, analystARN, "s3:GetObject", notesARN+"/a.txt")
	if want := "arn:aws:iam::" + consumer + ":role/other/" + analyst; len(e.Roots) == 0 || !strings.Contains(e.Roots[0].Mend, want) {
		t.Errorf("%+v does not name %s", e.Roots, want)
	}
}

// A plain put needs no kms:Decrypt; a promise of write is one of uploads in
// parts too.
func TestExplainPut(t *testing.T) {
	e := walk(t, func(l live) {
		l.encrypt(strings.ReplaceAll(lets, "kms:Decrypt", "kms:GenerateDataKey"), false)
		for _, document := range []*[]byte{&l.notes().Policy, &l.notesPolicy().Document} {
			l.replace(document, "s3:GetObject", "s3:PutObject")
		}
		l.put(&l.notesPolicy().Document, `{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"`+notesKey+`"}`)
	}, analystARN, "s3:PutObject", notesARN+"/a.txt")
	if e.Verdict != proof.Allowed || !slices.ContainsFunc(e.NotChecked, func(s string) bool { return strings.HasPrefix(s, "uploads in parts") }) {
		t.Error(dumpExplanation(e))
	}
}

// What the policy that is not attached would allow is no cause beside that.
func TestDetachedAndKey(t *testing.T) {
	p, snapshots := built(t, recipe(nil))
	l := live{t, snapshots}
	l.encrypted()
	l.role().Attached, l.role().Inline = nil, nil
	var codes []proof.Code
	for _, c := range proof.Live(p, snapshots)[0].Causes {
		codes = append(codes, c.Code)
	}
	if !sameCodes(codes, []proof.Code{proof.PolicyDetached, proof.KMSIdentityLacks}) {
		t.Error(codes)
	}
}
