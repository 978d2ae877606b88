package iampolicy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func oneStatement(t testing.TB, text string) Statement {
	t.Helper()
	return must(t, text).Statements[0]
}

func TestMeaning(t *testing.T) {
	base := `{"Sid":"A","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::b/x","arn:aws:s3:::b/y"],"Condition":{"StringLike":{"s3:prefix":["a","b"]},"Bool":{"aws:SecureTransport":"true"}}}`
	for name, change := range map[string][2]string{
		"Sid":           {`"Sid":"A",`, ``},
		"principal":     {`{"AWS":"111111111111"}`, `"*"`},
		"action order":  {`["s3:GetObject","s3:PutObject"]`, `["s3:PutObject","s3:GetObject"]`},
		"action case":   {`"s3:GetObject"`, `"S3:getobject"`},
		"action twice":  {`"s3:GetObject",`, `"s3:GetObject","s3:GetObject",`},
		"resources":     {`"arn:aws:s3:::b/x","arn:aws:s3:::b/y"`, `"arn:aws:s3:::b/y","arn:aws:s3:::b/x"`},
		"operator case": {`"StringLike"`, `"stringlike"`},
		"key case":      {`"s3:prefix"`, `"S3:Prefix"`},
		"value order":   {`["a","b"]`, `["b","a"]`},
		"boolean":       {`"aws:SecureTransport":"true"`, `"aws:SecureTransport":[true]`},
		"boolean case":  {`"aws:SecureTransport":"true"`, `"aws:SecureTransport":"True"`},
		"white space":   {`,"Action"`, ",\n\t\"Action\""},
	} {
		t.Run("same: "+name, func(t *testing.T) {
			text := strings.Replace(base, change[0], change[1], 1)
			if text == base {
				t.Fatal("the case changes nothing")
			}
			if a, b := oneStatement(t, base).Meaning(), oneStatement(t, text).Meaning(); a != b {
				t.Errorf("\n%s\n%s", a, b)
			}
		})
	}
	for name, change := range map[string][2]string{
		"effect":        {`"Allow"`, `"Deny"`},
		"action":        {`s3:GetObject`, `s3:GetObject*`},
		"NotAction":     {`"Action"`, `"NotAction"`},
		"NotResource":   {`"Resource"`, `"NotResource"`},
		"resource case": {`s3:::b/x`, `s3:::b/X`},
		"operator":      {`StringLike`, `StringEquals`},
		"key":           {`s3:prefix`, `s3:delimiter`},
		"value case":    {`["a","b"]`, `["A","b"]`},
		"value":         {`["a","b"]`, `"a"`},
		"boolean":       {`:"true"`, `:"false"`},
		"NotPrincipal":  {`"Principal"`, `"NotPrincipal"`},
	} {
		t.Run("differs: "+name, func(t *testing.T) {
			text := strings.Replace(base, change[0], change[1], 1)
			if text == base {
				t.Fatal("the case changes nothing")
			}
			if a, b := oneStatement(t, base).Meaning(), oneStatement(t, text).Meaning(); a == b {
				t.Errorf("both mean %s", a)
			}
		})
	}
	// Marks in live policies depend on this very text.
	const want = `{"Effect":"Allow","Action":["s3:getobject","s3:putobject"],"Resource":["arn:aws:s3:::b/x","arn:aws:s3:::b/y"],"Condition":{"bool":{"aws:securetransport":"true"},"stringlike":{"s3:prefix":["a","b"]}}}`
	if got := oneStatement(t, base).Meaning(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMark(t *testing.T) {
	s := oneStatement(t, to("Allow", ofRoleB))
	got := Mark("acme-data", s)
	if len(got) != 26 || !strings.HasPrefix(got, MarkPrefix("acme-data")) || len(MarkPrefix("acme-data")) != 16 || !IsMark(got) {
		t.Errorf("%s is no mark of acme-data", got)
	}
	if other := oneStatement(t, to("Allow", ofB)); Mark("acme-data", other) != got {
		t.Error("the principal changes the mark")
	}
	if Mark("acme", s) == got || Mark("acme-data", oneStatement(t, to("Deny", ofRoleB))) == got {
		t.Error("two repositories or two meanings have one mark")
	}
	for sid, is := range map[string]bool{
		"xshare0123456789abcdef0123": true, "xshare0123456789abcdef012": false, "xshare0123456789abcdef01234": false,
		"xshare0123456789ABCDEF0123": false, "xshare0123456789abcdef012g": false, "Xshare0123456789abcdef0123": false, "": false, "Get": false,
	} {
		if IsMark(sid) != is {
			t.Errorf("IsMark(%q) is %v", sid, !is)
		}
	}
}

func TestEqual(t *testing.T) {
	base := to("Allow", `{"AWS":["222222222222","`+roleA+`"]}`) + "," + denyAllOf(ofEverybody)
	for name, other := range map[string]string{
		"itself":                  base,
		"statements swapped":      denyAllOf(ofEverybody) + "," + to("Allow", `{"AWS":["222222222222","`+roleA+`"]}`),
		"root ARN for account id": to("Allow", `{"AWS":["`+rootB+`","`+roleA+`"]}`) + "," + denyAllOf(ofEverybody),
		"AWS star for star":       to("Allow", `{"AWS":["222222222222","`+roleA+`"]}`) + "," + denyAllOf(`{"AWS":"*"}`),
		"principals split":        strings.Replace(to("Allow", ofB), "ToAllow", "One", 1) + "," + denyAllOf(ofEverybody) + "," + to("Allow", `{"AWS":"`+roleA+`"}`),
		"statement twice":         base + "," + strings.Replace(to("Allow", ofB), "ToAllow", "Again", 1),
		"old version, no ${":      `{"Version":"2008-10-17","Statement":[` + base + `]}`,
		"with Id":                 `{"Version":"2012-10-17","Id":"x","Statement":[` + base + `]}`,
	} {
		t.Run("equal: "+name, func(t *testing.T) {
			a, b := must(t, base), must(t, other)
			if !Equal(a, b) || !Equal(b, a) {
				t.Errorf("%s\n%s", Marshal(a), Marshal(b))
			}
		})
	}
	for name, other := range map[string]string{
		"a principal less":      to("Allow", ofB) + "," + denyAllOf(ofEverybody),
		"a principal more":      to("Allow", `{"AWS":["222222222222","`+roleA+`","`+roleB+`"]}`) + "," + denyAllOf(ofEverybody),
		"another kind":          to("Allow", `{"AWS":["222222222222","`+roleA+`"],"Service":"ec2.amazonaws.com"}`) + "," + denyAllOf(ofEverybody),
		"a statement less":      denyAllOf(ofEverybody),
		"a unique id":           to("Allow", `{"AWS":["222222222222","`+idB+`"]}`) + "," + denyAllOf(ofEverybody),
		"everybody for one":     to("Allow", ofEverybody) + "," + denyAllOf(ofEverybody),
		"NotPrincipal":          to("Allow", `{"AWS":["222222222222","`+roleA+`"]}`) + `,{"Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*"}`,
		"without any principal": allowGet + "," + denyAllOf(ofEverybody),
	} {
		t.Run("differs: "+name, func(t *testing.T) {
			a, b := must(t, base), must(t, other)
			if Equal(a, b) || Equal(b, a) {
				t.Errorf("%s\n%s", Marshal(a), Marshal(b))
			}
		})
	}
	t.Run("Version with a variable", func(t *testing.T) {
		s := `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}"}`
		if Equal(must(t, s), must(t, `{"Version":"2008-10-17","Statement":[`+s+`]}`)) {
			t.Error("a variable and its text are called equal")
		}
	})
	t.Run("nil", func(t *testing.T) {
		if !Equal(nil, nil) || !Equal(nil, &Document{}) || Equal(nil, must(t, allowAll)) {
			t.Error("nil is not as a document without statements")
		}
	})
	t.Run("NotPrincipal in normal form", func(t *testing.T) {
		deny := func(p string) *Document {
			return must(t, `{"Effect":"Deny","NotPrincipal":{"AWS":["`+p+`"]},"Action":"*","Resource":"arn:aws-cn:s3:::b"}`)
		}
		if !Equal(deny(accountA), deny("arn:aws-cn:iam::111111111111:root")) {
			t.Error("an account id is not its partition's root ARN")
		}
		if Equal(deny(accountA), deny(accountB)) {
			t.Error("two accounts are called equal")
		}
	})
}

func denyAllOf(principal string) string {
	return `{"Effect":"Deny","Principal":` + principal + `,"Action":"*","Resource":"*"}`
}

func TestMarshal(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"order and case": {
			`{"Statement":[{"Condition":{"StringLike":{"s3:prefix":["b","a","a"],"s3:delimiter":"/"},"Bool":{"aws:SecureTransport":true}},"Resource":["arn:aws:s3:::z","arn:aws:s3:::a"],"Action":["S3:putobject","s3:getobject","ec2:runInstances"],"Principal":{"Service":"s","AWS":["223456789012","111111111111"],"Federated":["f"],"CanonicalUser":["c"]},"Effect":"Deny","Sid":"X"}],"Id":"i","Version":"2012-10-17"}`,
			`{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"X","Effect":"Deny","Principal":{"AWS":["111111111111","223456789012"],"Service":"s","Federated":"f","CanonicalUser":"c"},"Action":["ec2:runInstances","s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::z"],"Condition":{"Bool":{"aws:SecureTransport":"true"},"StringLike":{"s3:delimiter":"/","s3:prefix":["a","b"]}}}]}`,
		},
		"everybody":     {`{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"*"},"NotAction":"s3:*","NotResource":"*"}}`, `{"Statement":[{"Effect":"Allow","NotPrincipal":"*","NotAction":"s3:*","NotResource":"*"}]}`},
		"and a service": {`{"Statement":{"Effect":"Allow","Principal":{"AWS":"*","Service":"s"},"Action":"*","Resource":"*"}}`, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*","Service":"s"},"Action":"*","Resource":"*"}]}`},
		"characters":    {`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/<&>\"\\é"}}`, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/<&>\"\\é"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseLive([]byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(Marshal(d)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	if got := string(Marshal(&Document{})); got != `{"Statement":[]}` {
		t.Errorf("an empty document is %s", got)
	}
}

func TestPairsAndJoin(t *testing.T) {
	d := must(t, `{"Sid":"ours1","Effect":"Allow","Principal":{"AWS":["`+roleB+`","222222222222"],"Service":"s","Federated":"f","CanonicalUser":"c"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*"},
		{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"},
		{"Sid":"ours2","Effect":"Allow","Principal":"*","Action":"s3:getobject","Resource":["arn:aws:s3:::b/*"]},
		{"Sid":"ours3","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"},
		{"Sid":"ours4","Effect":"Allow","Principal":{"AWS":"`+roleB+`"},"Action":"S3:GETOBJECT","Resource":"arn:aws:s3:::b/*"}`)
	pairs := Pairs(d, func(sid string) bool { return strings.HasPrefix(sid, "ours") })
	var names []string
	for _, p := range pairs {
		names = append(names, p.Principal)
		if p.Statement.Sid != "" || p.Statement.Principal != nil || p.Statement.Raw != nil {
			t.Errorf("the statement of a pair has a Sid, principals or text: %+v", p.Statement)
		}
		if p.Meaning != p.Statement.Meaning() {
			t.Errorf("the meaning of a pair is not its statement's")
		}
	}
	want := list(roleB, rootB, "Service:s", "Federated:f", "CanonicalUser:c", "*", "")
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	sid := func(s Statement) string {
		if s.Principal != nil {
			t.Error("sid sees principals")
		}
		return Mark("acme", s)
	}
	joined := Join(pairs, sid)
	if len(joined) != 2 {
		t.Fatalf("got %d statements, want 2", len(joined))
	}
	get := joined[slices.IndexFunc(joined, func(s Statement) bool { return s.Principal != nil })]
	if p := *get.Principal; !reflect.DeepEqual(p, Principals{Any: true, AWS: list(roleB, rootB), Service: list("s"), Federated: list("f"), CanonicalUser: list("c")}) &&
		!reflect.DeepEqual(p, Principals{Any: true, AWS: list(rootB, roleB), Service: list("s"), Federated: list("f"), CanonicalUser: list("c")}) {
		t.Errorf("principals are %+v", p)
	}
	ours := &Document{Version: Version2012, Statements: slices.DeleteFunc(slices.Clone(d.Statements), func(s Statement) bool { return s.Sid == "theirs" })}
	if !Equal(ours, &Document{Version: Version2012, Statements: joined}) {
		t.Errorf("taking apart and joining changed the meaning:\n%s\n%s", Marshal(ours), Marshal(&Document{Statements: joined}))
	}
	backwards := slices.Clone(pairs)
	slices.Reverse(backwards)
	again := Join(append(backwards, pairs...), sid)
	if a, b := Marshal(&Document{Statements: joined}), Marshal(&Document{Statements: again}); string(a) != string(b) {
		t.Errorf("the order of pairs counts:\n%s\n%s", a, b)
	}
	if pairs := Pairs(nil, func(string) bool { return true }); len(pairs) != 0 {
		t.Errorf("nil has pairs: %v", pairs)
	}
	if got := Join(nil, sid); len(got) != 0 {
		t.Errorf("no pairs make statements: %v", got)
	}
}
