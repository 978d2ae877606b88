package proof_test

import (
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
)

// What policy variables stand for that only a real call has, a question can say.
func TestExplainVariables(t *testing.T) {
	const (
		session = "arn:aws:sts::" + consumer + ":assumed-role/" + analyst + "/"
		alice   = "AROAANALYST000000001:alice"
		homes   = `{"Sid":"Homes","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + notesARN + `/${aws:userid}/*"}`
		closed  = `{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + notesARN + `/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${s3:ExistingObjectTag/closed}"}}}`
	)
	for name, c := range map[string]struct {
		deny      string
		principal string
		object    string
		context   []string
		want      proof.Verdict
		note      string
	}{
		"a role, in a home":             {homes, analystARN, alice + "/x", nil, proof.NotChecked, `statement "Homes" of the policy of bucket ` + notes + ", which decides by aws:userid: only a real call has that; to ask with a value, add --context aws:userid=…"},
		"a role, outside of homes":      {homes, analystARN, "x", nil, proof.Allowed, ""},
		"a role with its session's id":  {homes, analystARN, alice + "/x", []string{"aws:UserId=" + alice}, proof.Denied, ""},
		"a role with another's id":      {homes, analystARN, alice + "/x", []string{"aws:userid=AROAANALYST000000001:zoe"}, proof.Allowed, ""},
		"a session, in its home":        {homes, session + "alice", alice + "/x", nil, proof.Denied, ""},
		"a session, in another's":       {homes, session + "zoe", alice + "/x", nil, proof.Allowed, ""},
		"an object's tag":               {closed, analystARN, "x", nil, proof.NotChecked, "--context s3:ExistingObjectTag/closed=…"},
		"an object's tag that it is by": {closed, analystARN, "x", []string{"s3:ExistingObjectTag/closed=" + consumer}, proof.Denied, ""},
		"an object's other tag":         {closed, analystARN, "x", []string{"s3:ExistingObjectTag/closed=no"}, proof.Allowed, ""},
		"an object without the tag":     {closed, analystARN, "x", []string{"s3:ExistingObjectTag/closed="}, proof.Allowed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := byHand(t)
			l.put(&l.notes().Policy, c.deny)
			e := proof.Explain(p, accounts, l.snapshots, ask(t, c.principal, "s3:GetObject", notesARN+"/"+c.object, c.context...))
			if e.Verdict != c.want || c.note != "" && !strings.Contains(strings.Join(e.NotChecked, "\n"), c.note) {
				t.Errorf("%s, not %s: %s", e.Verdict, c.want, dumpExplanation(e))
			}
		})
	}
}

// A home of a user is decided, as a question about one says who it is.
func TestExplainHome(t *testing.T) {
	const home = "${aws:username}/*"
	for name, c := range map[string]struct {
		object string
		want   proof.Verdict
	}{
		"its own":   {"ann/x", proof.Allowed},
		"another's": {"bob/x", proof.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			p, accounts, l := withUser(t)
			l.replace(&l.notesPolicy().Document, notesARN+"/*", notesARN+"/"+home)
			e := proof.Explain(p, accounts, l.snapshots, ask(t, annARN, "s3:GetObject", notesARN+"/"+c.object))
			if e.Verdict != c.want {
				t.Errorf("%s, not %s: %s", e.Verdict, c.want, dumpExplanation(e))
			}
		})
	}
}
