package proof

import (
	"slices"
	"testing"
)

func TestWithin(t *testing.T) {
	const base = "arn:aws:s3:::b/in/"
	for name, c := range map[string]struct {
		pattern string
		want    []string
	}{
		"covers all":                 {"*", nil},
		"covers the bucket":          {"arn:aws:s3:::b/*", nil},
		"covers the prefix":          {base + "*", nil},
		"covers buckets":             {"arn:aws:s3:::*/*", nil},
		"another prefix":             {"arn:aws:s3:::b/out/*", nil},
		"another bucket":             {"arn:aws:s3:::c/*", nil},
		"the bucket itself":          {"arn:aws:s3:::b", nil},
		"one object":                 {base + "x", []string{base + "x"}},
		"not an object without name": {base, nil},
		"a prefix below":             {base + "x*", []string{base + "x" + sampleKey}},
		"an ending":                  {"*.csv", []string{base + sampleKey + ".csv", base + ".csv"}},
		"any character":              {"arn:aws:s3:::?/in/?", []string{base + "x"}},
		"two ways": {"arn:aws:s3:::b/*in/y", []string{
			base + sampleKey + "in/y", base + "in/y", base + "y",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := within(c.pattern, base)
			for _, object := range got {
				if !slices.Contains(reached(c.pattern, object), len(c.pattern)) {
					t.Errorf("%s does not match", object)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}
