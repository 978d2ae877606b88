package specs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// specFile is a file that include names: by the name it has in the repository,
// and the one that links lead to.
type specFile struct{ name, real string }

// repositoryFile reads xshare.yaml.
func (l *loader) repositoryFile() ([]byte, bool) {
	at := Pos{RepositoryFile, 1, 1}
	real, err := within(l.fsys, RepositoryFile)
	if err != nil {
		l.unreadable(RepositoryFile, at, err)
		return nil, false
	}
	return readFile(l.sink, l.fsys, specFile{RepositoryFile, real}, at, maxDocumentSize)
}

// readFile reads a regular file of at most limit bytes. Others are not even
// opened: a pipe would block for ever.
func readFile(s *sink, fsys fs.FS, file specFile, at Pos, limit int64) ([]byte, bool) {
	name := file.name
	info, err := fs.Stat(fsys, file.real)
	switch {
	case err != nil:
		s.unreadable(name, at, err)
		return nil, false
	case !info.Mode().IsRegular():
		s.fail(codeUnreadable, at, "put a plain file there", "%s is not a plain file", quote(name))
		return nil, false
	}
	f, err := fsys.Open(file.real)
	if err != nil {
		s.unreadable(name, at, err)
		return nil, false
	}
	defer func() { _ = f.Close() }() // nothing was written, so nothing can be lost
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		s.unreadable(name, at, err)
		return nil, false
	case int64(len(content)) > limit:
		s.fail(codeTooLarge, at, "make it smaller, or split it into several files", "%s is larger than the %d bytes that are read", quote(name), limit)
		return nil, false
	}
	return content, true
}

func (s *sink) unreadable(name string, at Pos, err error) {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == RepositoryFile:
		s.fail(codeNoRepository, at, "run xshare in the directory that has it, or give that directory as DIR", "there is no file "+RepositoryFile+" here")
		return
	case errors.Is(err, fs.ErrNotExist):
		s.fail(codeUnreadable, at, "put the file itself there", "%s is a link to nothing", quote(name))
		return
	case errors.Is(err, errOutside):
		s.fail(codeOutside, at, "put the file itself there", "%s is a link that leaves the repository", quote(name))
		return
	case errors.Is(err, errLinkLoop):
		s.fail(codeUnreadable, at, "put the file itself there", "%s is a link that leads in a circle", quote(name))
		return
	case errors.As(err, &pathError):
		err = pathError.Err // without the path: that is the machine's business
	}
	s.fail(codeUnreadable, at, "make it readable", "%s cannot be read, %s", quote(name), err)
}

var (
	errOutside  = errors.New("a link leaves the repository")
	errLinkLoop = errors.New("links lead in a circle")
)

// within follows the symbolic links on the way to name and returns the name
// without links. A link that leads out of the repository is errOutside, even
// if it would come back: what it names depends on the machine.
func within(fsys fs.FS, name string) (string, error) {
	links, ok := fsys.(fs.ReadLinkFS)
	if !ok {
		return name, nil
	}
	const most = 40 // links, as Linux has it
	done, followed := "", 0
	for rest := strings.Split(name, "/"); len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if done == "" {
				return "", errOutside
			}
			done = strings.TrimPrefix(path.Dir(done), ".")
			continue
		}
		here := path.Join(done, part)
		info, err := links.Lstat(here)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = here
			continue
		}
		if followed++; followed > most {
			return "", errLinkLoop
		}
		to, err := links.ReadLink(here)
		if err != nil {
			return "", err
		}
		to = strings.ReplaceAll(to, `\`, "/")
		if path.IsAbs(to) || len(to) > 1 && to[1] == ':' {
			return "", errOutside
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return done, nil
}

// included walks the repository for the files that the patterns match, sorted
// by name. Hidden files and directories, and xshare.yaml, are not matched by a
// wildcard. at is the position of the include field, zero where it is the
// default.
func (l *loader) included(patterns []string, at Pos) []specFile {
	var files []specFile
	matched := make([]bool, len(patterns))
	where := at
	if where.Line == 0 {
		where = Pos{RepositoryFile, 1, 1}
	}
	visit := func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == "." || couldHold(patterns, name) || matches(patterns, name, nil) {
				l.unreadable(name, where, err)
			}
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if name != "." && !couldHold(patterns, name) {
				return fs.SkipDir
			}
			return nil
		}
		link := d.Type()&fs.ModeSymlink != 0
		hit := name != RepositoryFile && matches(patterns, name, matched)
		switch {
		case !hit && link && couldHold(patterns, name):
			l.linkedDirectory(name, where)
		case !hit && at.Line == 0 && path.Ext(name) == ".yml" && strings.HasPrefix(name, "shares/"):
			if l.cleanName(name, where) {
				l.warn(codeNotIncluded, Pos{name, 1, 1}, "rename it to .yaml, or name it under include", "this file is not read")
			}
		case hit && l.cleanName(name, where):
			file := specFile{name: name, real: name}
			if link {
				real, err := within(l.fsys, name)
				if err != nil {
					l.unreadable(name, Pos{name, 1, 1}, err)
					return nil
				}
				file.real = real
			}
			files = append(files, file)
		}
		return nil
	}
	if err := fs.WalkDir(l.fsys, ".", visit); err != nil {
		l.unreadable(".", where, err)
	}
	l.unmatched(patterns, matched, len(files), at)
	slices.SortFunc(files, func(a, b specFile) int { return strings.Compare(a.name, b.name) })
	return files
}

// unmatched reports patterns without a file. If none has one it is an error,
// since a misspelt pattern would otherwise close all access.
func (l *loader) unmatched(patterns []string, matched []bool, files int, at Pos) {
	where := at
	if where.Line == 0 {
		where = Pos{RepositoryFile, 1, 1}
	}
	if files == 0 && len(patterns) > 0 && !slices.Contains(matched, true) {
		if !l.broken {
			l.fail(codeInclude, where, "write a share there, or an empty file if nothing is to be shared",
				"include matches no file: %s", quote(strings.Join(patterns, ", ")))
		}
		return
	}
	for i, hit := range matched {
		if !hit {
			l.warn(codeInclude, where, "mend it or take it out", "the pattern %s matches no file", quote(patterns[i]))
		}
	}
}

// linkedDirectory reports a link to a directory that a pattern reaches into.
// Following it could go round for ever, and leaving it out in silence would
// close the access that its files state.
func (l *loader) linkedDirectory(name string, at Pos) {
	real, err := within(l.fsys, name)
	if err != nil {
		l.unreadable(name, at, err)
		return
	}
	if info, err := fs.Stat(l.fsys, real); err == nil && info.IsDir() {
		l.fail(codeOutside, at, "put the directory itself there, or name its real place under include",
			"%s is a link to a directory, which is not followed", quote(name))
	}
}

// cleanName keeps file names that do not show as what they are out of our
// output.
func (l *loader) cleanName(name string, at Pos) bool {
	if strings.ContainsFunc(name, hidden) {
		l.fail(codeControl, at, "rename it", "the file name %s holds characters that do not show", quote(name))
		return false
	}
	return true
}

// matches reports whether one of the patterns matches the name, and notes
// which do.
func matches(patterns []string, name string, matched []bool) bool {
	hit := false
	for i, p := range patterns {
		if hiddenPath(name) && !hiddenPath(p) {
			continue
		}
		if ok, err := doublestar.Match(p, name); err != nil || !ok {
			continue
		}
		if hit = true; matched == nil {
			break
		}
		matched[i] = true
	}
	return hit
}

func hiddenPath(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// couldHold reports whether a pattern may match a file below the directory.
func couldHold(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if hiddenPath(dir) && !hiddenPath(p) {
			return false
		}
		if strings.Contains(p, "{") {
			return true // braces may hold slashes
		}
		want := strings.Split(p, "/")
		for i, part := range strings.Split(dir, "/") {
			if i == len(want)-1 && want[i] != "**" {
				return false
			}
			if want[i] == "**" {
				return true
			}
			if ok, err := doublestar.Match(want[i], part); err != nil || !ok {
				return false
			}
		}
		return true
	})
}
