package iampolicy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

func TestVariables(t *testing.T) {
	for text, want := range map[string][]string{
		"plain":                               nil,
		"${*}${?}${$}":                        nil,
		"a/${aws:userid}/*":                   {"aws:userid"},
		"${aws:PrincipalTag/team, 'x'}/${a:b": {"aws:PrincipalTag/team"},
		"${ a:b }${c:d,'e'}":                  {"a:b", "c:d"},
	} {
		if got := iampolicy.Variables(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
}

func TestLoosen(t *testing.T) {
	known := func(key string) bool { return strings.HasPrefix(key, "aws:Principal") }
	for name, c := range map[string]struct {
		text    string
		literal bool
		want    string
	}{
		"none":          {"a/*", false, "a/*"},
		"known":         {"a/${aws:PrincipalTag/team, 'x'}/*", false, "a/${aws:PrincipalTag/team, 'x'}/*"},
		"not known":     {"a/${aws:userid}/${s3:prefix, 'x'}?", false, "a/*/*?"},
		"both":          {"${aws:PrincipalAccount}-${aws:userid}", false, "${aws:PrincipalAccount}-*"},
		"characters":    {"${*}${$}${aws:userid}", false, "${*}${$}*"},
		"never closed":  {"${aws:userid}/${aws:userid", false, "*/${aws:userid"},
		"no pattern":    {"a*?${aws:userid}${*}?", true, "a${*}${?}*${*}${?}"},
		"nothing in it": {"${}", false, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := iampolicy.Loosen(c.text, known, c.literal); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	context := map[string][]string{
		"aws:PrincipalTag/team": {"data"}, "aws:PrincipalTag/wild": {"a*"}, "aws:PrincipalOrgPaths": {"a", "b"}, "aws:username": nil,
	}
	for name, c := range map[string]struct {
		text string
		old  bool // of a document of 2008
		want string
		ok   bool
	}{
		"wildcards":     {text: "a*ü?", want: "a<text>ü<character>", ok: true},
		"a value":       {text: "${aws:principaltag/Team}/*", want: "data/<text>", ok: true},
		"a default":     {text: "${aws:username, 'x*'}", want: "x*", ok: false},
		"its default":   {text: "${aws:username, 'none'}?", want: "none<character>", ok: true},
		"characters":    {text: "${*}${?}${$}*", want: "*?$<text>", ok: true},
		"of 2008":       {text: "${aws:username}", old: true, want: "${aws:username}", ok: true},
		"without value": {text: "${aws:username}"},
		"with several":  {text: "${aws:PrincipalOrgPaths}"},
		"with a star":   {text: "${aws:PrincipalTag/wild}"},
		"never closed":  {text: "${aws:username"},
		"beyond bounds": {text: strings.Repeat("${aws:PrincipalTag/team}", 1<<16+1)},
	} {
		t.Run(name, func(t *testing.T) {
			glob, ok := iampolicy.Expand(c.text, context, !c.old)
			if ok != c.ok {
				t.Fatal(ok)
			}
			var out strings.Builder
			for _, r := range glob {
				switch r {
				case iampolicy.AnyText:
					out.WriteString("<text>")
				case iampolicy.AnyCharacter:
					out.WriteString("<character>")
				default:
					out.WriteRune(r)
				}
			}
			if ok && out.String() != c.want {
				t.Errorf("%s, not %s", out.String(), c.want)
			}
		})
	}
}

func TestCompareTexts(t *testing.T) {
	for name, want := range map[string]iampolicy.TextOperator{
		"StringEquals":                          {Like: "StringLike"},
		"stringnotequals":                       {Negated: true, Like: "StringNotLike"},
		"StringLikeIfExists":                    {Wild: true, Like: "StringLikeIfExists"},
		"ForAllValues:StringEqualsIgnoreCase":   {IgnoreCase: true, Like: "ForAllValues:StringLike"},
		"ForAnyValue:StringNotEqualsIgnoreCase": {Negated: true, IgnoreCase: true, Like: "ForAnyValue:StringNotLike"},
		"ArnEquals":                             {Wild: true, ARN: true, Like: "StringLike"},
		"ForAnyValue:ArnNotLikeIfExists":        {Negated: true, Wild: true, ARN: true, Like: "ForAnyValue:StringNotLikeIfExists"},
	} {
		if got, ok := iampolicy.CompareTexts(name); !ok || got != want {
			t.Errorf("%s: %+v (%t), not %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{"Bool", "Null", "NumericEquals", "IpAddress", "DateLessThan", "BinaryEquals", "StringIs", ""} {
		if _, ok := iampolicy.CompareTexts(name); ok {
			t.Errorf("%s compares no texts", name)
		}
	}
}
