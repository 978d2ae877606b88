package specs

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestInclude(t *testing.T) {
	doc := func(name string) string { return strings.Replace(goodShare, "name: sales\n", "name: "+name+"\n", 1) }
	all := files{
		"": RepositoryFile, RepositoryFile: goodRepository,
		"shares/a.yaml": doc("a"), "shares/deep/er/b.yaml": doc("b"), "shares/.hidden.yaml": "not: ours",
		"top.yaml": doc("top"), ".github/workflows/ci.yaml": "on: push", "teams/x/c.yml": doc("c"), "teams/y/d.yaml": doc("d"),
		".specs/e.yaml": doc("e"), "shares/notes.txt": "hello",
	}
	tests := map[string]struct {
		include string
		want    []string
	}{
		"default":                   {"", []string{"a", "b"}},
		"one level":                 {"[shares/*.yaml]", []string{"a"}},
		"all, but the hidden":       {"['**/*.yaml']", []string{"a", "b", "d", "top"}},
		"root, not the repository":  {"['*.yaml']", []string{"top"}},
		"braces over directories":   {"['{shares/deep/er,teams/*}/*.{yaml,yml}']", []string{"b", "c", "d"}},
		"hidden, by name":           {"['.specs/*.yaml']", []string{"e"}},
		"one file by two patterns":  {"[shares/a.yaml, 'shares/*.yaml']", []string{"a"}},
		"a plain file, without any": {"[top.yaml]", []string{"top"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := files{}
			for name, content := range all {
				f[name] = content
			}
			if test.include != "" {
				f.edit("  accounts:", "  include: "+test.include+"\n  accounts:")
			}
			if got := shareNames(mustLoad(t, f.fs())); !slices.Equal(got, test.want) {
				t.Errorf("shares %q, want %q", got, test.want)
			}
		})
	}
}

// A directory of its own, since links are the operating system's.
func TestLinks(t *testing.T) {
	tests := map[string]struct {
		link, to string
		want     string
	}{
		"to a file inside":             {"shares/sales.yaml", "../elsewhere/sales.yaml", ""},
		"to a file outside":            {"shares/sales.yaml", "../../outside.yaml", "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" is a link that leaves the repository: put the file itself there"},
		"by the root":                  {"shares/sales.yaml", "/etc/hostname", "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" is a link that leaves the repository: put the file itself there"},
		"out and in again":             {"shares/sales.yaml", "../../repo/elsewhere/sales.yaml", "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" is a link that leaves the repository: put the file itself there"},
		"to itself":                    {"shares/sales.yaml", "sales.yaml", "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" is a link that leads in a circle: put the file itself there"},
		"to nothing":                   {"shares/sales.yaml", "nothing.yaml", "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" is a link to nothing: put the file itself there"},
		"to a directory inside":        {"shares/more", "../elsewhere", "\nxshare.yaml:1:1: \"shares/more\" is a link to a directory, which is not followed: put the directory itself there, or name its real place under include"},
		"to a directory outside":       {"shares/more", "../..", "\nxshare.yaml:1:1: \"shares/more\" is a link that leaves the repository: put the file itself there"},
		"to a directory nobody names":  {"other", "elsewhere", ""},
		"trust policy outside":         {"trust.json", "../outside.yaml", "\nshares/first.yaml:14:22: \"trust.json\" is a link that leaves the repository: put the file itself there"},
		"trust policy in a linked dir": {"trust", "elsewhere", ""},
		"repository file outside":      {RepositoryFile, "../outside.yaml", "\nxshare.yaml:1:1: \"xshare.yaml\" is a link that leaves the repository: put the file itself there"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first := strings.Replace(goodShare, "name: sales\n", "name: first\n", 1)
			if strings.HasPrefix(test.link, "trust") {
				path := "trust.json"
				if test.link == "trust" {
					path = "trust/t.json"
				}
				first = strings.Replace(first, "trust: ec2", "trustPolicy: "+path, 1)
			}
			write(t, dir, map[string]string{
				"repo/xshare.yaml":           goodRepository,
				"repo/shares/first.yaml":     first,
				"repo/elsewhere/sales.yaml":  strings.Replace(goodShare, "trust: ec2", "", 1),
				"repo/elsewhere/t.json":      trustEC2,
				"outside.yaml":               "secret",
				"repo/shares/deep/README.md": "",
			})
			link := filepath.Join(dir, "repo", test.link)
			if err := os.RemoveAll(link); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(test.to, link); err != nil {
				t.Fatal(err)
			}
			_, problems := Load(os.DirFS(filepath.Join(dir, "repo")))
			if got := show(problems); got != test.want {
				t.Errorf("problems:%s\nwant:%s", got, test.want)
			}
		})
	}
}

func write(t *testing.T, dir string, content map[string]string) {
	t.Helper()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// denied is a file system in which one file or directory cannot be opened.
type denied struct {
	fstest.MapFS
	name string
}

func (d denied) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.MapFS.Open(name)
}

func (d denied) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.MapFS.ReadDir(name)
}

// What cannot be read is an error: taken for absent, it would close access.
func TestUnreadable(t *testing.T) {
	tests := map[string]string{
		"xshare.yaml":           "\nxshare.yaml:1:1: \"xshare.yaml\" cannot be read, permission denied: make it readable",
		"shares/sales.yaml":     "\nshares/sales.yaml:1:1: \"shares/sales.yaml\" cannot be read, permission denied: make it readable",
		"shares":                "\nxshare.yaml:1:1: \"shares\" cannot be read, permission denied: make it readable",
		"shares/team":           "\nxshare.yaml:1:1: \"shares/team\" cannot be read, permission denied: make it readable",
		"elsewhere":             "",
		"elsewhere/nothing.txt": "",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			f := share("", "").with("shares/team/README.md", "").with("elsewhere/nothing.txt", "")
			_, problems := Load(denied{f.fs(), name})
			if got := show(problems); got != want {
				t.Errorf("problems:%s\nwant:%s", got, want)
			}
		})
	}
}

func TestPipe(t *testing.T) {
	f := share("", "").fs()
	f["shares/pipe.yaml"] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
	_, problems := Load(f)
	const want = "\nshares/pipe.yaml:1:1: \"shares/pipe.yaml\" is not a plain file: put a plain file there"
	if got := show(problems); got != want {
		t.Errorf("problems:%s\nwant:%s", got, want)
	}
}
