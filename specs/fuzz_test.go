package specs

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// FuzzLoad feeds two files to Load: it must not panic, must say what is wrong
// with a place and in text that a terminal shows, and say the same again.
func FuzzLoad(f *testing.F) {
	f.Add(goodRepository, goodShare)
	f.Add(everyField[RepositoryFile], everyField["teams/a/shares.yaml"])
	for _, c := range corpus() {
		const large = 1 << 16
		if r, s := c.files[RepositoryFile], c.files["shares/sales.yaml"]; len(r)+len(s) < large {
			f.Add(r, s)
		}
	}
	f.Fuzz(func(t *testing.T, repository, share string) {
		fsys := fstest.MapFS{
			RepositoryFile:      {Data: []byte(repository)},
			"shares/sales.yaml": {Data: []byte(share)},
			"trust.json":        {Data: []byte(trustEC2)},
		}
		repo, problems := Load(fsys)
		if (repo == nil) != slices.ContainsFunc(problems, breaks) {
			t.Errorf("Repository is nil: %v; problems: %s", repo == nil, show(problems))
		}
		for _, p := range problems {
			if p.Code == "" || p.Message == "" || p.Mend == "" || p.Source.Line < 1 || p.Source.Col < 1 {
				t.Errorf("incomplete problem: %+v", p)
			}
			if lines := strings.Count(fsysText(fsys, p.Source.File), "\n") + 1; p.Source.Line > lines {
				t.Errorf("a problem at %s in a file of %d lines", p.Source, lines)
			}
			if text := p.String(); !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
				t.Errorf("problem with characters that do not show: %q", text)
			}
		}
		if _, again := Load(fsys); show(again) != show(problems) {
			t.Errorf("problems:%s\nand then:%s", show(problems), show(again))
		}
	})
}

func fsysText(fsys fstest.MapFS, name string) string {
	if file := fsys[name]; file != nil {
		return string(file.Data)
	}
	return ""
}
