package iampolicy

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

const (
	deadRole = "AROAEXAMPLEROLE00001"
	deadUser = "AIDAEXAMPLEUSER00002"
	liveRole = "arn:aws:iam::222222222222:role/r"
)

func TestDropDead(t *testing.T) {
	const deny = `{ "Sid":"D","Effect":"Deny","Principal":{"AWS":["` + deadRole + `"]},"Action":"s3:*","Resource":"*" }`
	for name, tc := range map[string]struct {
		live, text string
		dropped    []string
	}{
		"nothing dead": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + liveRole + `"}}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + liveRole + `"}}]}`, nil,
		},
		"the first of a list": {
			`{ "Id":"x", "Statement":[ {"Sid":"A","Effect":"Allow","Principal":{"AWS":[ "` + deadRole + `" , "` + liveRole + `" ]},"Future":{"z":1} } ]}`,
			`{ "Id":"x", "Statement":[ {"Sid":"A","Effect":"Allow","Principal":{"AWS":[ "` + liveRole + `" ]},"Future":{"z":1} } ]}`,
			[]string{`the deleted principals ` + deadRole + ` are taken out of statement "A"`},
		},
		"the last and the middle of a list": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["a", "` + deadRole + `","b" ,"` + deadUser + `" ]}}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["a","b" ]}}]}`,
			[]string{`the deleted principals ` + deadRole + `, ` + deadUser + ` are taken out of statement number 1`},
		},
		"a service stays": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["` + deadRole + `","` + deadUser + `"], "Service":"s.amazonaws.com"}}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"Service":"s.amazonaws.com"}}]}`,
			[]string{`the deleted principals ` + deadRole + `, ` + deadUser + ` are taken out of statement number 1`},
		},
		"a service before it stays": {
			`{"Statement":[{"Effect":"Allow","Principal":{"Service":"s.amazonaws.com" , "AWS":"` + deadRole + `" }}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"Service":"s.amazonaws.com" }}]}`,
			[]string{`the deleted principals ` + deadRole + ` are taken out of statement number 1`},
		},
		"a whole statement, between others": {
			`{"Statement":[` + deny + `, {"Sid":"A","Effect":"Allow","Principal":{"AWS":"` + deadRole + `"}} ,{"Effect":"Allow","Principal":"*"}], "Version":"2008-10-17"}`,
			`{"Statement":[` + deny + ` ,{"Effect":"Allow","Principal":"*"}], "Version":"2008-10-17"}`,
			[]string{`statement "A" is removed, as it names deleted principals only (` + deadRole + `)`},
		},
		"all statements": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + deadRole + `"}}, {"Effect":"Allow","Principal":{"AWS":["` + deadUser + `"]}}]}`,
			`{"Statement":[]}`,
			[]string{`statement number 1 is removed, as it names deleted principals only (` + deadRole + `)`, `statement number 2 is removed, as it names deleted principals only (` + deadUser + `)`},
		},
		"a statement that is no list": {
			`{"Statement": {"Effect":"Allow","Principal":{"AWS":"` + deadRole + `"}} }`,
			`{"Statement": [] }`,
			[]string{`statement number 1 is removed, as it names deleted principals only (` + deadRole + `)`},
		},
		"a Deny is left": {`{"Statement":[` + deny + `]}`, `{"Statement":[` + deny + `]}`, nil},
		"a NotPrincipal is left": {
			`{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"` + deadRole + `"}}]}`,
			`{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"` + deadRole + `"}}]}`, nil,
		},
		"ours are left": {
			`{"Statement":[{"Sid":"xs1","Effect":"Allow","Principal":{"AWS":"` + deadRole + `"}}]}`,
			`{"Statement":[{"Sid":"xs1","Effect":"Allow","Principal":{"AWS":"` + deadRole + `"}}]}`, nil,
		},
		"a federated principal of that name": {
			`{"Statement":[{"Effect":"Allow","Principal":{"Federated":"` + deadRole + `"}}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"Federated":"` + deadRole + `"}}]}`, nil,
		},
		"no policy": {"", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			text, dropped, err := DropDead([]byte(tc.live), oursIs("xs"))
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != tc.text {
				t.Errorf("got  %s\nwant %s", text, tc.text)
			}
			var got []string
			for _, d := range dropped {
				got = append(got, d.String())
			}
			if !slices.Equal(got, tc.dropped) {
				t.Errorf("dropped %q\nwant    %q", got, tc.dropped)
			}
			again, more, err := DropDead(text, oursIs("xs"))
			if err != nil || len(more) > 0 || !bytes.Equal(again, text) {
				t.Errorf("a second time it dropped %v and left %s, %v", more, again, err)
			}
			if _, err := Merge(text, oursIs("xs"), []Statement{readStatement(t, "xsA")}); err != nil {
				t.Errorf("what is left cannot be merged: %v", err)
			}
		})
	}
}

func TestDropDeadRefuses(t *testing.T) {
	for name, live := range map[string]string{
		"no JSON": "{", "a list": "[]", "no statements": "{}", "a statement that is a word": `{"Statement":["x"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := DropDead([]byte(live), oursIs("xs")); err == nil || !strings.Contains(err.Error(), "the live policy cannot be read") {
				t.Errorf("error is %v", err)
			}
		})
	}
}
