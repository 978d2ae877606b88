package specs

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// badCase is an input with the exact problems expected, one a line, warnings
// marked so. They are written by hand, before the run.
type badCase struct {
	name  string
	files files
	want  string
}

// files are the files of a repository. The one that edit changes is "".
type files map[string]string

// repo is the good repository and share, with an edit of xshare.yaml.
func repo(old, with string) files {
	return files{"": RepositoryFile, RepositoryFile: goodRepository, "shares/sales.yaml": goodShare}.edit(old, with)
}

// share is the good repository and share, with an edit of the share.
func share(old, with string) files {
	return files{"": "shares/sales.yaml", RepositoryFile: goodRepository, "shares/sales.yaml": goodShare}.edit(old, with)
}

// two is the good repository with two shares: as edited, and as it was but
// for its own name.
func two(old, with string) files {
	f := share("", "")
	f[""] = "shares/second.yaml"
	f["shares/second.yaml"] = strings.Replace(goodShare, "name: sales\n", "name: second\n", 1)
	return f.edit(old, with)
}

func (f files) edit(old, with string) files {
	name := f[""]
	if !strings.Contains(f[name], old) {
		f[name] = "the edit does not fit: " + old
		return f
	}
	f[name] = strings.Replace(f[name], old, with, 1)
	return f
}

func (f files) with(name, content string) files {
	f[name] = content
	return f
}

func (f files) without(name string) files {
	delete(f, name)
	return f
}

func (f files) fs() fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range f {
		if name != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	return fsys
}

// corpus is all bad inputs.
func corpus() []badCase {
	return slices.Concat(badYAML, badRepositories, badLocks, badShares, badInstances, badConflicts)
}

// show prints problems as a test expects them.
func show(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		if p.Severity == SeverityWarning {
			p.Message = "warning: " + p.Message
		}
		b.WriteString("\n" + p.String())
	}
	return b.String()
}

// breaks tells errors that are no lints.
func breaks(p Problem) bool {
	lint := p.Code == lintOwnersOnly || p.Code == lintPolicyTooLarge || strings.HasSuffix(p.Source.File, ".json") && !strings.HasPrefix(p.Message, "invalid JSON")
	return p.Severity == SeverityError && !lint
}

func TestLoadBad(t *testing.T) {
	names := map[string]bool{}
	for _, c := range corpus() {
		if names[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			got, problems := Load(c.files.fs())
			if text := show(problems); text != c.want {
				t.Errorf("problems:%s\nwant:%s", text, c.want)
			}
			if failed := slices.ContainsFunc(problems, breaks); failed != (got == nil) {
				t.Errorf("Repository is nil: %v, errors: %v", got == nil, failed)
			}
		})
	}
}
