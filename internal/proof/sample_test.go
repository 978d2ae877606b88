package proof

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

// below are the patterns below a base, each of which takes something out.
func below(base string, op iampolicy.TextOperator, list ...string) *patterns {
	p := &patterns{
		base: []rune(base), known: func(key string) bool { return key != "aws:userid" },
		context: map[string][]string{"aws:PrincipalTag/team": {"data"}},
	}
	for _, pattern := range list {
		p.add(pattern, iampolicy.Version2012, op, true)
	}
	return p
}

func TestTaken(t *testing.T) {
	const base = "arn:aws:s3:::b/in/"
	for name, c := range map[string]struct {
		pattern string
		op      iampolicy.TextOperator
		want    []string // below the base
	}{
		"covers all":                 {"*", ofResources, nil},
		"covers the bucket":          {"arn:aws:s3:::b/*", ofResources, nil},
		"covers the prefix":          {base + "*", ofResources, nil},
		"covers it twice":            {base + "**", ofResources, nil},
		"covers all but the prefix":  {base + "?*", ofResources, nil},
		"covers buckets":             {"arn:aws:s3:::*/*", ofResources, nil},
		"another prefix":             {"arn:aws:s3:::b/out/*", ofResources, nil},
		"another bucket":             {"arn:aws:s3:::c/*", ofResources, nil},
		"the bucket itself":          {"arn:aws:s3:::b", ofResources, nil},
		"one object":                 {base + "x", ofResources, []string{"x"}},
		"not an object without name": {base, ofResources, nil},
		"a prefix below":             {base + "x*", ofResources, []string{"x" + sampleKey}},
		"an ending":                  {"*.csv", ofResources, []string{".csv", sampleKey + ".csv"}},
		"any character":              {"arn:aws:s3:::?/in/?", ofResources, []string{"x"}},
		"two ways":                   {"arn:aws:s3:::b/*in/y", ofResources, []string{"in/y", sampleKey + "in/y", "y"}},
		"a value":                    {base + "${aws:principaltag/TEAM}/*", ofResources, []string{"data/" + sampleKey}},
		"a default":                  {base + "${aws:PrincipalTag/none, 'd'}", ofResources, []string{"d"}},
		"no value":                   {base + "${aws:PrincipalTag/none}", ofResources, nil},
		"not known":                  {base + "${aws:userid}/y", ofResources, []string{"/y", sampleKey + "/y"}},
		"a star":                     {base + "${*}", ofResources, []string{"*"}},
		"in another case":            {strings.ToUpper(base) + "X", ofResources, nil},
		"without case":               {strings.ToUpper(base) + "X", iampolicy.TextOperator{IgnoreCase: true}, []string{"X"}},
		"no pattern":                 {base + "*?", iampolicy.TextOperator{}, []string{"*?"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := below(base, c.op, c.pattern)
			var got []string
			for _, object := range p.taken() {
				got = append(got, strings.TrimPrefix(object, base))
				if !slices.ContainsFunc(p.narrow, func(g glob) bool { return g.matches([]rune(object)) }) {
					t.Errorf("%s does not match", object)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}

func TestSpare(t *testing.T) {
	for name, c := range map[string]struct {
		patterns []string
		want     string // empty: there is none
	}{
		"nothing":                {nil, sampleKey},
		"elsewhere":              {[]string{"out/*"}, sampleKey},
		"those with an x":        {[]string{"in/*x*"}, "0"},
		"those that begin so":    {[]string{"in/x*"}, "0" + sampleKey + "0"},
		"all spare characters":   {[]string{"in/*x*", "in/*0*", "in/*_~Z9jq!|*"}, "À"},
		"every letter by itself": {[]string{"in/*x*", "in/*0*", "in/*_*", "in/*~*", "in/*Z*", "in/*9*", "in/*j*", "in/*q*", "in/*!*", "in/*|*", "in/*à*"}, "Á"},
		"long ones":              {[]string{"in/??*", "in/x*"}, "0"},
		"short ones":             {[]string{"in/*x*", "in/?", "in/??"}, "000"},
		"short and long":         {[]string{"in/?", "in/??*"}, ""},
		"all but one length":     {[]string{"in/?", "in/???*"}, "00"},
		"two bytes":              {[]string{"in/*x*", "in/${aws:userid}a", "in/?"}, "00"},
	} {
		t.Run(name, func(t *testing.T) {
			key, ok := below("in/", ofResources, c.patterns...).spare()
			if ok != (c.want != "") || ok && key != c.want {
				t.Errorf("%q (%t), not %q", key, ok, c.want)
			}
		})
	}
}

func TestCells(t *testing.T) {
	for name, c := range map[string]struct {
		patterns []string
		want     []string // below the base
	}{
		"none":        {nil, nil},
		"one":         {[]string{"in/x*"}, []string{"0", "x"}},
		"one in both": {[]string{"in/x*", "in/*y"}, []string{"0", "x", "y", "xy"}},
		"one within":  {[]string{"in/x*", "in/xy*"}, []string{"0", "x", "xy"}},
		"by length":   {[]string{"in/?", "in/??*"}, []string{"0", "00"}},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, text := range c.want {
				want = append(want, "in/"+text)
			}
			got, ok := below("in/", ofResources, c.patterns...).cells()
			if !ok || !slices.Equal(got, want) {
				t.Errorf("%q (%t), not %q", got, ok, want)
			}
		})
	}
	var many []string
	for _, c := range "abcdefghijklm" {
		many = append(many, "in/*"+string(c)+"*")
	}
	if got, ok := below("in/", ofResources, many...).cells(); ok {
		t.Errorf("%d cells", len(got))
	}
}
