package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/report"
)

var explained = map[string][]proof.Explanation{
	"allowed": {{
		Share: "events", Consumer: "222222222222/reader", Promise: "read", Principal: "arn:aws:iam::222222222222:role/reader", Bucket: "acme-events", Verdict: proof.Allowed,
		Screens: []proof.Screen{{
			Verdict: proof.Allowed,
			Requests: []proof.Check{
				{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-events", Verdict: proof.Allowed},
				{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-events/xshare-proof", Verdict: proof.Allowed},
				{Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-events/xshare-proof", Verdict: proof.Allowed},
			},
			Parts: []proof.Part{{Side: proof.PartIdentity, State: proof.StateOK, Text: `statement "Read" of policy reader-policy, and others`}},
		}},
		Use: []proof.Part{
			{Side: proof.PartTrust, State: proof.StateOK, Text: "ec2.amazonaws.com may assume the role"},
			{Side: proof.PartInstance, State: proof.StateNone, Text: "no spec names an instance with this profile"},
		},
		NotChecked: []string{"policies of VPC endpoints that calls may go through"},
	}},
	"denied": {{
		Principal: "arn:aws:iam::222222222222:role/reader", Bucket: "acme-events", Verdict: proof.Denied,
		Screens: []proof.Screen{{
			Verdict:  proof.Denied,
			Requests: []proof.Check{{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-events", Context: map[string]string{"s3:prefix": "in/", "aws:SourceIp": "192.0.2.7"}, Verdict: proof.Denied, Reason: "…"}},
			Parts: []proof.Part{
				{Side: proof.PartIdentity, State: proof.StateOK, Text: `statement "Read" of policy reader-policy; nothing of it in policy other`},
				{Side: proof.PartResource, State: proof.StateDenies, Text: `statement "No" of the policy of bucket acme-events`},
				{Side: proof.PartRCP, State: proof.StateNotChecked, Text: "the resource control policies (RCPs) of account 111111111111, which cannot be read: AccessDenied"},
				{Side: proof.PartBlock, State: proof.StateLacking, Text: "…"},
			},
		}},
		Roots: []proof.Root{
			{
				Cause: proof.Cause{Code: proof.ExplicitDeny, Message: `statement "No" of the policy of bucket acme-events in account 111111111111 denies s3:ListBucket, and a Deny beats every Allow`, Mend: `except the principal from statement "No"`, Account: "111111111111", Resource: "arn:aws:s3:::acme-events"},
				Fragments: []proof.Fragment{{
					Side: proof.PartResource, Account: "111111111111", Policy: "the policy of bucket acme-events",
					Remove: json.RawMessage("{ \"Sid\": \"No\",\n  \"Effect\":\"Deny\" }"), Add: json.RawMessage(`{"Sid":"No","Effect":"Deny","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/reader"}}}`),
				}},
			},
			{
				Cause:     proof.Cause{Code: proof.BlockPublicAccess, Message: `statement "World` + "\x1b[2J" + `" is public`, Mend: "take it out", Account: "111111111111", Resource: "arn:aws:s3:::acme-events"},
				Fragments: []proof.Fragment{{Side: proof.PartResource, Account: "111111111111", Policy: "the policy of bucket acme-events", Remove: json.RawMessage(`{"Sid":"World` + "\u202e" + `"}`)}},
			},
			{Cause: proof.Cause{Code: proof.ProfileMissing, Message: "instance profile reader does not exist", Mend: "run `xshare apply`", Account: "222222222222", Resource: "arn:aws:iam::222222222222:instance-profile/reader"}},
		},
		NotChecked: []string{"the resource control policies (RCPs) of account 111111111111, which cannot be read: AccessDenied"},
	}},
	"share": {
		{
			Share: "events", Consumer: "222222222222/reader", Promise: "read, write under in/", Principal: "arn:aws:iam::222222222222:role/reader", Bucket: "acme-events", Verdict: proof.Denied,
			Screens: []proof.Screen{
				{
					Verdict:  proof.Denied,
					Requests: []proof.Check{{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-events/in/xshare-proof", Verdict: proof.Denied}, {Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-events/in/xshare-proof", Verdict: proof.Denied}},
					Parts:    []proof.Part{{Side: proof.PartIdentity, State: proof.StateLacking, Text: "the role has no policy"}},
				},
				{
					Verdict:  proof.NotChecked,
					Requests: []proof.Check{{Action: "kms:Decrypt", Resource: "the key of bucket acme-events", Verdict: proof.NotChecked, Reason: "the default encryption of bucket acme-events, which was not read"}},
				},
			},
			Roots: []proof.Root{{Cause: proof.Cause{Code: proof.PolicyDetached, Message: "managed policy reader-policy is not attached to role reader in account 222222222222", Mend: "run `xshare apply`", Account: "222222222222", Resource: "arn:aws:iam::222222222222:policy/reader-policy"}}},
		},
		{Share: "events", Consumer: "444444444444/reader", Promise: "read", Principal: "arn:aws:iam::444444444444:role/reader", Bucket: "acme-events", Verdict: proof.NotChecked, NotChecked: []string{"the policies of the role"}},
	},
	"nothing": nil,
}

func TestExplain(t *testing.T) {
	for name, list := range explained {
		for _, style := range []report.Style{{Width: 80}, {Width: 80, Color: true}} {
			file := "explain-" + name
			if style.Color {
				file += "-colour"
			}
			t.Run(file, func(t *testing.T) {
				got := text(t, func(b *bytes.Buffer) error { return report.Explain(b, list, style) })
				if strings.Contains(string(got), "\x1b[2J") || strings.Contains(string(got), "\u202e") {
					t.Error("what comes from a policy moves the terminal's cursor, or turns the text")
				}
				golden(t, file+".txt", got)
			})
		}
	}
}

// No list is null, and the worst verdict is the whole's.
func TestExplainJSON(t *testing.T) {
	for name, list := range explained {
		t.Run(name, func(t *testing.T) {
			got := text(t, func(b *bytes.Buffer) error { return report.ExplainJSON(b, list) })
			golden(t, "explain-"+name+".json", got)
			var d struct {
				Verdict      proof.Verdict
				Explanations []struct {
					Requests, Use, NotChecked []any
					Causes                    []struct {
						Fragments []struct{ Remove, Add json.RawMessage }
					}
				}
			}
			if err := json.Unmarshal(got, &d); err != nil || d.Explanations == nil || d.Verdict != proof.WorstOf(list) {
				t.Fatalf("%v: %s", err, got)
			}
			for _, e := range d.Explanations {
				if e.Requests == nil || e.Use == nil || e.Causes == nil || e.NotChecked == nil {
					t.Errorf("a list is null in %s", got)
				}
				for _, c := range e.Causes {
					if c.Fragments == nil {
						t.Errorf("the fragments of a cause are null in %s", got)
					}
				}
			}
		})
	}
}
