package iampolicy

import (
	"bytes"
	"strings"
	"testing"
)

func oursIs(prefix string) func(string) bool {
	return func(sid string) bool { return strings.HasPrefix(sid, prefix) }
}

func readStatement(t testing.TB, sid string) Statement {
	t.Helper()
	return Statement{
		Sid: sid, Effect: Allow, Principal: &Principals{AWS: []string{"arn:aws:iam::222222222222:role/r"}},
		Action: []string{"s3:GetObject"}, Resource: []string{"arn:aws:s3:::b/*"},
	}
}

const readText = `{"Sid":"xsA","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/r"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`

func TestMerge(t *testing.T) {
	foreignText := `{ "Effect" : "Deny",  "Sid":"Their-s", "Principal":"*", "Action":["s3:*"], "Resource":"*","Future":{"z":1,"a":[ 2 ]} }`
	for name, tc := range map[string]struct {
		live string
		want []Statement
		text string // "" for nil
	}{
		"nothing":                {"", nil, ""},
		"white space":            {" \n", nil, ""},
		"new":                    {"", []Statement{readStatement(t, "xsA")}, `{"Version":"2012-10-17","Statement":[` + readText + `]}`},
		"ours replaced":          {`{"Version":"2012-10-17","Statement":[{"Sid":"xsOld","Effect":"Allow"}]}`, []Statement{readStatement(t, "xsA")}, `{"Version":"2012-10-17","Statement":[` + readText + `]}`},
		"the last one gone":      {`{"Version":"2012-10-17","Statement":[{"Sid":"xsOld","Effect":"Allow"}]}`, nil, ""},
		"foreign verbatim":       {`{"Id" : "x","Statement":[` + foreignText + `, {"Sid":"xsOld"}, {"Sid":"B","x":1} ],  "Version":"2008-10-17" , "New":null}`, []Statement{readStatement(t, "xsA")}, `{"Id" : "x","Statement":[` + foreignText + `,{"Sid":"B","x":1},` + readText + `],  "Version":"2008-10-17" , "New":null}`},
		"version absent":         {`{"Statement":[{"Sid":"B"}]}`, []Statement{readStatement(t, "xsA")}, `{"Statement":[{"Sid":"B"},` + readText + `]}`},
		"statement an object":    {`{"Statement": {"Sid":"B"} }`, []Statement{readStatement(t, "xsA")}, `{"Statement": [{"Sid":"B"},` + readText + `] }`},
		"no Sid is foreign":      {`{"Statement":[{"Effect":"Allow"}]}`, nil, `{"Statement":[{"Effect":"Allow"}]}`},
		"escaped Sid":            {`{"Statement":[{"Sid":"x\u0073Old"},{"Sid":"C"}]}`, nil, `{"Statement":[{"Sid":"C"}]}`},
		"empty list":             {`{"Statement":[]}`, []Statement{readStatement(t, "xsA")}, `{"Statement":[` + readText + `]}`},
		"empty list, no want":    {`{"Statement":[]}`, nil, ""},
		"foreign not understood": {`{"Statement":[{"Sid":"Q","Effect":"Perhaps","Action":7}]}`, nil, `{"Statement":[{"Sid":"Q","Effect":"Perhaps","Action":7}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Merge([]byte(tc.live), oursIs("xs"), tc.want)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.text || (got == nil) != (tc.text == "") {
				t.Errorf("got  %s\nwant %s", got, tc.text)
			}
			if got == nil {
				return
			}
			again, err := Merge(got, oursIs("xs"), tc.want)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("a second merge changed the text: %s, %v", again, err)
			}
		})
	}
}

func TestMergeErrors(t *testing.T) {
	variable := readStatement(t, "xsA")
	variable.Resource = []string{"arn:aws:s3:::b/${aws:username}/*"}
	for name, tc := range map[string]struct {
		live string
		want Statement
		err  string
	}{
		"not JSON":                 {"{", readStatement(t, "xsA"), "the live policy cannot be read: 1:2: invalid JSON"},
		"no object":                {"[]", readStatement(t, "xsA"), "must be a JSON object, not a list"},
		"no statement":             {`{"Id":"x"}`, readStatement(t, "xsA"), "Statement is missing"},
		"statement a string":       {`{"Statement":"x"}`, readStatement(t, "xsA"), "1:14: a statement must be an object, not a string"},
		"Sid a number":             {`{"Statement":[{"Sid":1}]}`, readStatement(t, "xsA"), "Sid must be a string, not a number"},
		"two Statement elements":   {`{"Statement":[],"Statement":[]}`, readStatement(t, "xsA"), `"Statement" stands twice`},
		"two Sids in a statement":  {`{"Statement":[{"Sid":"a","Sid":"xsA"}]}`, readStatement(t, "xsA"), `"Sid" stands twice`},
		"Sid of a foreign one":     {`{"Statement":[{"Sid":"B"}]}`, readStatement(t, "B"), `the Sid "B" would stand twice`},
		"variable in 2008":         {`{"Version":"2008-10-17","Statement":[{"Sid":"B"}]}`, variable, `which the live policy's Version "2008-10-17" does not know`},
		"variable without Version": {`{"Statement":[{"Sid":"B"}]}`, variable, "policy variable"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Merge([]byte(tc.live), oursIs("xs"), []Statement{tc.want})
			if err == nil || !strings.Contains(err.Error(), tc.err) || got != nil {
				t.Errorf("got %s, %v; want %s", got, err, tc.err)
			}
		})
	}
	if _, err := Merge([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"B"}]}`), oursIs("xs"), []Statement{variable}); err != nil {
		t.Errorf("a variable in a 2012 policy: %v", err)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int{
		``:                           0,
		" \t\r\n":                    0,
		`{"a": "b c"}`:               11,
		`{ "a\" b" : 1 }`:            11,
		`{"ä":1}`:                    7,
		"{\n  \"Version\": \"x\"\n}": 15,
		`"a\`:                        3,
	} {
		if got := Size([]byte(text)); got != want {
			t.Errorf("Size(%q) = %d, want %d", text, got, want)
		}
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"xsA","Effect":"Allow"},{"Sid":"B", "Effect":"Deny","?":[1, 2]}],"Id":"i"}`))
	f.Add([]byte(`{"Statement":{"Sid":"B"}}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, live []byte) {
		want := []Statement{readStatement(t, "xsNew")}
		got, err := Merge(live, oursIs("xs"), want)
		if err != nil {
			return
		}
		root, err := readJSON(got)
		if err != nil {
			t.Fatalf("the result does not parse: %v\n%s", err, got)
		}
		after, _, _, err := foreign(got, root, oursIs("xs"))
		if err != nil {
			t.Fatal(err)
		}
		var before []part
		if len(bytes.TrimSpace(live)) > 0 {
			liveRoot, _ := readJSON(live)
			before, _, _, _ = foreign(live, liveRoot, oursIs("xs"))
		}
		if len(before) != len(after) {
			t.Fatalf("%d foreign statements became %d", len(before), len(after))
		}
		for i := range before {
			if before[i] != after[i] {
				t.Fatalf("foreign statement %d changed:\n%s\n%s", i, before[i].text, after[i].text)
			}
		}
		again, err := Merge(got, oursIs("xs"), want)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("a second merge changed the text: %v\n%s\n%s", err, got, again)
		}
	})
}
