package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
)

// An explanation is read from the top: the cause comes before the sides, and
// what says nothing is left out, as is what was said already.
func TestExplainIsShort(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555"
	none := proof.Part{Side: proof.PartSCP, State: proof.StateNone, Text: "there is none"}
	e := proof.Explanation{
		Share: "events", Consumer: "222222222222/reader", Promise: "read", Bucket: "acme-events", Verdict: proof.Denied,
		Screens: []proof.Screen{
			{Verdict: proof.Denied, Requests: []proof.Check{{Action: "kms:Decrypt", Resource: key}}, Parts: []proof.Part{none, {Side: proof.PartKey, State: proof.StateLacking, Text: "the policy of key " + key + " does not allow it"}}},
			{Verdict: proof.Allowed, Requests: []proof.Check{{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-events"}}, Parts: []proof.Part{none}},
			{Verdict: proof.Allowed, Requests: []proof.Check{{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-events/*"}}, Parts: []proof.Part{{Side: proof.PartIdentity, State: proof.StateOK, Text: "fine"}}},
		},
		Roots:      []proof.Root{{Cause: proof.Cause{Message: "key " + key + " is closed", Mend: "open " + key}}},
		NotChecked: proof.NeverChecked(),
	}

	got := string(text(t, func(b *bytes.Buffer) error {
		return report.Explain(b, []proof.Explanation{e}, report.Style{Width: 200})
	}))
	want := `denied      events: 222222222222/reader, read
cause: key ` + key + ` is closed
mend:  open ` + key + `

  denied      kms:Decrypt on key 11111111…
    key policy           lacking      the policy of key 11111111… does not allow it
  allowed     s3:GetObject, s3:ListBucket

`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What makes a verdict "not checked" stands beside it, and not at the end among
// what always stands there.
func TestDecisiveNotes(t *testing.T) {
	const why = "the service control policies (SCPs) of account 222222222222, which cannot be read"
	notes := append([]string{why}, proof.NeverChecked()...)
	grants := []proof.GrantProof{
		{Share: "a", Consumer: "222222222222/one", Promise: "read", Bucket: "a", Verdict: proof.NotChecked, NotChecked: notes},
		{Share: "b", Consumer: "222222222222/two", Promise: "read", Bucket: "b", Verdict: proof.NotChecked, NotChecked: notes},
	}
	got := string(text(t, func(b *bytes.Buffer) error { return report.Verify(b, grants, nil, report.Style{Width: 200}) }))
	if told, end, _ := strings.Cut(got, "Not checked for any grant:"); strings.Count(told, why) != 2 || strings.Contains(end, why) {
		t.Errorf("the reason does not stand at each grant, and only there:\n%s", got)
	}
	e := proof.Explanation{Principal: "me", Bucket: "a", Verdict: proof.NotChecked, NotChecked: notes, Use: []proof.Part{{Side: proof.PartTrust, State: proof.StateOK}}}

	got = string(text(t, func(b *bytes.Buffer) error {
		return report.Explain(b, []proof.Explanation{e}, report.Style{Width: 200})
	}))
	if lines := strings.Split(got, "\n"); lines[1] != "not checked: "+why || strings.Count(got, why) != 1 {
		t.Errorf("the reason does not stand under the verdict:\n%s", got)
	}
}

// Why something could not be read is told once, and of a share whose verdict
// hangs on what only a call has, how to ask about one.
func TestExplainTellsOnce(t *testing.T) {
	const why = "the role xshare-reader of account 222222222222 cannot be assumed: AccessDenied, and a long story of how that came about"
	const hangs = `statement "Net" of the policy of bucket a, which decides by aws:SourceIp: only a real call has that`
	unread := []proof.Part{
		{Side: proof.PartIdentity, State: proof.StateNotChecked, Text: "the policies of the role, which cannot be read: " + why},
		{Side: proof.PartSCP, State: proof.StateNotChecked, Text: "the SCPs, which cannot be read: " + why},
	}
	list := func(prefix string) proof.Check {
		return proof.Check{Action: "s3:ListBucket", Resource: "arn:aws:s3:::a", Context: map[string]string{"s3:prefix": prefix}, Verdict: proof.NotChecked, Reason: hangs}
	}
	get := func(prefix string) proof.Check {
		return proof.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::a/" + prefix + "xshare-proof", Verdict: proof.NotChecked}
	}
	e := proof.Explanation{
		Share: "events", Consumer: "222222222222/reader", Promise: "read", Principal: "arn:aws:iam::222222222222:role/reader", Bucket: "a", Verdict: proof.NotChecked,
		Screens:    []proof.Screen{{Verdict: proof.NotChecked, Requests: []proof.Check{list("in/"), list("in/xshare-proof"), list("out/"), get("in/"), get("out/")}, Parts: unread}},
		NotChecked: []string{hangs, "the policies of the role, which cannot be read: " + why},
	}
	got := string(text(t, func(b *bytes.Buffer) error {
		return report.Explain(b, []proof.Explanation{e, e}, report.Style{Width: 300})
	}))
	if strings.Count(got, why) != 1 || strings.Contains(got, "xshare-proof") {
		t.Errorf("not told once:\n%s", got)
	}
	for _, want := range []string{
		"\n    identity policies    not checked  as above\n    SCPs                 not checked  the SCPs, which cannot be read: as above\n",
		"not checked s3:ListBucket on arn:aws:s3:::a, s3:prefix in/, in/*, out/\n",
		"not checked s3:GetObject on arn:aws:s3:::a/in/*, arn:aws:s3:::a/out/*\n",
		"ask:   xshare explain --principal arn:aws:iam::222222222222:role/reader --action s3:ListBucket --resource arn:aws:s3:::a --context s3:prefix=in/ --context KEY=VALUE\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// A statement that goes out is named, where it has a name.
func TestExplainNamesWhatGoes(t *testing.T) {
	edit := func(remove string) string {
		e := proof.Explanation{Roots: []proof.Root{{Fragments: []proof.Fragment{{Remove: []byte(remove)}}}}}
		return string(text(t, func(b *bytes.Buffer) error {
			return report.Explain(b, []proof.Explanation{e}, report.Style{})
		}))
	}
	if got := edit(`{"Sid":"No","Effect":"Deny"}`); !strings.Contains(got, "remove: statement \"No\"\n") || strings.Contains(got, "Effect") {
		t.Error(got)
	}
	if got := edit(`{"Effect":"Deny"}`); !strings.Contains(got, "remove:\n         {\n           \"Effect\": \"Deny\"\n") {
		t.Error(got)
	}
}

// verify points once to where the statements are.
func TestVerifyPoints(t *testing.T) {
	said := func(verdicts ...proof.Verdict) string {
		var list []proof.GrantProof
		for i, v := range verdicts {
			list = append(list, proof.GrantProof{Share: string(rune('a' + i)), Verdict: v})
		}
		return string(text(t, func(b *bytes.Buffer) error { return report.Verify(b, list, nil, report.Style{}) }))
	}
	const pointer = "Each side's part, and the exact statements: xshare explain --share "
	if got := said(proof.Allowed, proof.NotChecked); strings.Contains(got, pointer) {
		t.Error(got)
	}
	if got := said(proof.Denied, proof.Allowed, proof.Denied); !strings.HasSuffix(got, pointer+"a, and so of c\n") || strings.Count(got, pointer) != 1 {
		t.Error(got)
	}
}
