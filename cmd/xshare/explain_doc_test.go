package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The guide's examples are what explain really says: each "```text NAME" block
// is the file NAME.txt of a script, which the script compares with the output.
// With -update the guide is written anew.
func TestTroubleshootingExamples(t *testing.T) {
	said := map[string]string{}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "explain*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			compared := regexp.MustCompile(`(?m)^cmp stdout ` + regexp.QuoteMeta(f.Name) + `$`).Match(archive.Comment)
			if name, ok := cutText(f.Name); ok && compared {
				said[name] = string(f.Data)
			}
		}
	}
	guide := filepath.Join("..", "..", "docs", "troubleshooting.md")
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```text ([a-z-]+)\n(.*?)```\n")
	if *update {
		text = blocks.ReplaceAllFunc(text, func(block []byte) []byte {
			name := string(blocks.FindSubmatch(block)[1])
			return []byte("```text " + name + "\n" + said[name] + "```\n")
		})
		if err := os.WriteFile(guide, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown := map[string]bool{}
	for _, block := range blocks.FindAllSubmatch(text, -1) {
		name, got := string(block[1]), string(block[2])
		shown[name] = true
		switch want, ok := said[name]; {
		case !ok:
			t.Errorf("no script has %s.txt and compares the output with it", name)
		case got != want:
			t.Errorf("the guide shows for %s\n%s\nand explain says\n%s", name, got, want)
		}
	}
	for name := range said {
		if !shown[name] {
			t.Errorf("the guide does not show %s", name)
		}
	}
}

func cutText(file string) (name string, ok bool) {
	ext := filepath.Ext(file)
	return file[:len(file)-len(ext)], ext == ".txt"
}
