package simulate

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
)

// choices are values that a drawn case's fields may have.
var choices = map[string][]string{
	"principal": {
		`"arn:aws:iam::222222222222:role/team/reader"`, `"arn:aws:sts::222222222222:assumed-role/reader/s1"`, `"arn:aws:iam::222222222222:user/ann"`,
		`"anonymous"`, `"ec2.amazonaws.com"`, `"*"`,
	},
	"action":              {`"s3:GetObject"`, `"s3:PutObject"`, `"s3:ListBucket"`},
	"resource":            {`"arn:aws:s3:::b/logs/x"`, `"arn:aws:s3:::b"`},
	"resourceAccount":     {`"111111111111"`, `"222222222222"`},
	"identityPolicies":    {`["$all"]`, `["$get"]`, `["$put", "$list"]`, `["$get", "$denyGet"]`, `[]`},
	"resourcePolicy":      {`"$toReader"`, `"$toAccount"`, `"$public"`, `"$tls"`, `"$fromIP"`, `"$denyAll"`},
	"boundary":            {`"$all"`, `["$put"]`, `[]`},
	"scps":                {`[["$all"], ["$get"]]`, `[["$all"]]`, `[]`},
	"sessionPolicy":       {`"$all"`, `"$put"`},
	"context":             {`{"aws:SourceIp": "203.0.113.7", "s3:prefix": "logs/"}`, `{"aws:securetransport": false}`, `{"aws:SecureTransport": null}`},
	"exactContext":        {`true`, `false`},
	"s3BlockPublicAccess": {`true`},
}

type drawnCase map[string]json.RawMessage

// drawCase draws a case with the first three fields, and others or not.
func drawCase(t *rapid.T) drawnCase {
	c := drawnCase{}
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		needed := slices.Contains([]string{"principal", "action", "resource"}, name)
		if needed || rapid.Bool().Draw(t, "has "+name) {
			c[name] = json.RawMessage(rapid.SampledFrom(choices[name]).Draw(t, name))
		}
	}
	return c
}

func (c drawnCase) decide(t *rapid.T) Answer {
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return Case(expand(line), 1, noon)
}

// with is the case with the fields of others over it.
func (c drawnCase) with(others ...drawnCase) drawnCase {
	out := drawnCase{}
	for _, fields := range append([]drawnCase{c}, others...) {
		for k, v := range fields {
			out[k] = v
		}
	}
	return out
}

func (c drawnCase) steps(t *rapid.T, steps ...drawnCase) drawnCase {
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	return c.with(drawnCase{"steps": text})
}

func sameDecision(a, b Answer) bool {
	return a.Decision == b.Decision && slices.Equal(a.Lacking, b.Lacking)
}

// A case is decided alike whole, and in parts: what it has and what its one
// step adds.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := drawCase(t)
		base, step := drawnCase{}, drawnCase{}
		for _, name := range slices.Sorted(maps.Keys(whole)) {
			into := base
			// A principal of the step's own would be without some of the rest.
			if name != "principal" && name != "resourceAccount" && rapid.Bool().Draw(t, name+" in the step") || name == "action" {
				into = step
			}
			into[name] = whole[name]
		}
		if a, b := whole.decide(t), base.steps(t, step).decide(t); !sameDecision(a, b) {
			t.Fatalf("whole %s %v (%s), split %s %v (%s)", a.Decision, a.Lacking, a.Reason, b.Decision, b.Lacking, b.Reason)
		}
	})
}

// A case with steps is decided as the first of them that does not pass.
func TestSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawCase(t)
		steps := []drawnCase{{}}
		want := base.decide(t)
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			step := drawCase(t)
			delete(step, "context") // contexts merge
			steps = append(steps, step)
			switch one := base.with(step).decide(t); {
			case one.Decision == iampolicy.Invalid, want.Decision == iampolicy.Allowed:
				if want.Decision != iampolicy.Invalid {
					want = one
				}
			}
		}
		if got := base.steps(t, steps...).decide(t); !sameDecision(got, want) {
			t.Fatalf("%s %v (%s), want %s %v (%s)", got.Decision, got.Lacking, got.Reason, want.Decision, want.Lacking, want.Reason)
		}
	})
}

// drawStep draws a step that does not say more of the context.
func drawStep(t *rapid.T) drawnCase {
	step := drawnCase{}
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		switch rapid.IntRange(0, 3).Draw(t, "the step's "+name) {
		case 0:
			step[name] = json.RawMessage(rapid.SampledFrom(choices[name]).Draw(t, name))
		case 1:
			step[name] = json.RawMessage("null")
		}
	}
	if string(step["context"]) != "null" {
		delete(step, "context")
	}
	return step
}

// Where an allowed case's reason names no keys that are not given, none of them
// could make it denied.
func TestNamesMissingKeys(t *testing.T) {
	given := map[string][]string{
		"aws:SourceIp": {"203.0.113.7", "192.0.2.1"}, "aws:UserAgent": {"x", "xy", "z"}, "s3:prefix": {"logs/", "in/"},
	}
	policies := map[string][]string{
		"identityPolicies": {`["$all"]`, `["$getNoIP"]`, `["$getNoIP", "$get"]`, `["$list", "$getNoIP"]`},
		"resourcePolicy":   {`"$toReader"`, `"$toAccount"`, `"$fromIP"`, "{\"Statement\": [" + samplePolicies["toAccount"] + "," + samplePolicies["denyIP"] + "]}", "{\"Statement\": [" + samplePolicies["toAccount"] + "," + samplePolicies["onlyIP"] + "]}"},
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		delete(c, "context")
		for _, name := range slices.Sorted(maps.Keys(policies)) {
			c[name] = json.RawMessage(rapid.SampledFrom(policies[name]).Draw(t, name))
		}
		a := c.decide(t)
		if !a.Allowed || strings.Contains(a.Reason, "the case gives no ") {
			return
		}
		context := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(given)) {
			if rapid.Bool().Draw(t, "gives "+key) {
				context[key] = rapid.SampledFrom(given[key]).Draw(t, key)
			}
		}
		text, err := json.Marshal(context)
		if err != nil {
			t.Fatal(err)
		}
		if b := c.with(drawnCase{"context": text}).decide(t); !b.Allowed {
			t.Fatalf("allowed, but with the context %s: %s", text, b.Reason)
		}
	})
}

// Whatever limits more never allows more, and steps only ask for more.
func TestNeverWidens(t *testing.T) {
	policy := func(name string) json.RawMessage { return json.RawMessage(`[["$` + name + `"]]`) }
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		if a := c.with(drawnCase{"rcps": policy("denyAll")}).decide(t); a.Allowed {
			t.Fatalf("allowed against a deny: %s", a.Reason)
		}
		if c.decide(t).Allowed {
			return
		}
		limited := c.with(drawnCase{
			"endpointPolicies": json.RawMessage(`["$get"]`), "s3BlockPublicAccess": json.RawMessage(`true`),
		})
		if a := limited.decide(t); a.Allowed {
			t.Fatalf("limits allow it: %s", a.Reason)
		}
		if a := c.steps(t, drawStep(t)).decide(t); a.Allowed {
			t.Fatalf("a step makes a denied case allowed: %s", a.Reason)
		}
		other := drawnCase{"action": json.RawMessage(`"s3:DeleteObject"`), "resource": json.RawMessage(`"arn:aws:s3:::b/other"`), "resourcePolicy": json.RawMessage(`"$public"`)}
		if a := c.steps(t, other).decide(t); a.Allowed {
			t.Fatalf("a step hides that the case is denied: %s", a.Reason)
		}
	})
}

func FuzzCase(f *testing.F) {
	for _, fields := range []string{
		`{}`, `{"principal":"anonymous","context":{"aws:SourceIp":["203.0.113.1",1,true],"x":null}}`, `{"scps":[["$all"],[]],"rcps":[[]],"exactContext":true}`,
		`{"identityPolicies":[{"name":"p","policy":"{\"Statement\":[]}"}],"boundary":"$put","steps":[{},{"action":"kms:Decrypt","context":{"a":"b"}}]}`,
	} {
		f.Add(caseLine(f, fields))
	}
	for _, line := range []string{``, `{`, `{"id":1e9}`, `{"id":"\ud800"}`, `{"steps":[{"steps":null}]}`, "{\"\\u0069d\":\"x\",\"\u00e9\":1}"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		a := Case(line, 1, noon)
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if a.Reason == "" || a.Lacking == nil || a.Allowed != (a.Decision == iampolicy.Allowed) || strings.Contains(string(text), "\n") {
			t.Fatalf("%s", text)
		}
		switch a.Decision {
		case iampolicy.Allowed:
			if len(a.Lacking) > 0 {
				t.Fatalf("allowed, and lacking: %s", text)
			}
		case iampolicy.ImplicitDeny, iampolicy.ExplicitDeny:
			if len(a.Lacking) == 0 {
				t.Fatalf("denied by nothing: %s", text)
			}
		case iampolicy.Invalid:
		default:
			t.Fatalf("no decision: %s", text)
		}
	})
}
