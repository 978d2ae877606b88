package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"mvdan.cc/sh/v3/syntax"
)

// start is what init writes: a repository that is valid as it stands.
//
//go:embed all:start
var start embed.FS

// What in these files is put in by init: the repository's name, and the version
// that the workflow installs.
const (
	startName    = "my-shares"
	startVersion = "XSHARE_VERSION: latest # better a version, such as v1.2.3"
)

func newInitCommand(a *app) *cobra.Command {
	var bootstrap bool
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a starting repository; with --bootstrap, print the roles that xshare needs",
		Long: `Writes a repository to start from into DIR: xshare.yaml, a share with comments,
and a workflow for GitHub that plans pull requests, applies what is merged and
looks for drift. It overwrites nothing: if any of the files is there, it says
which and writes none.

With --bootstrap it writes nothing and prints a CloudFormation template of the
roles that xshare assumes, with what DIR's xshare.yaml says of them if there is
one.`,
		Example: `  xshare init my-shares
  xshare init --bootstrap my-shares > roles.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if bootstrap {
				return a.bootstrap(directory(args))
			}
			return a.init(directory(args))
		},
	}
	cmd.Flags().BoolVar(&bootstrap, "bootstrap", false, "print what deployRole and readRole need, as a CloudFormation template")
	return cmd
}

func (a *app) init(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	written, err := writeStart(dir, strings.NewReplacer(
		startName, repositoryNameFor(filepath.Base(abs)),
		startVersion, startVersionFor(version()),
	))
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, name := range written {
		fmt.Fprintln(&b, "wrote", filepath.Join(dir, filepath.FromSlash(name)))
	}
	at := ""
	if dir != "." {
		quoted, err := syntax.Quote(dir, syntax.LangPOSIX)
		if err != nil {
			return err
		}
		at = " " + quoted
	}
	fmt.Fprintf(&b, `
Next:
  1. See what it would do, without an account:  xshare plan --sandbox%[1]s
  2. Put your accounts and your shares in place of the examples:  xshare validate%[1]s
  3. Make the roles that xshare assumes in them:  xshare init --bootstrap%[1]s > roles.yaml
  4. Set the variables that the workflow names, or apply from here:  xshare apply%[1]s
How the roles are made and the variables set: https://github.com/xshare/xshare/blob/main/docs/roles.md
`, at)
	if inner(abs) {
		fmt.Fprintln(&b, "GitHub reads workflows only at the root of a repository, which this directory is not: move .github there, and let its working-directory say where xshare.yaml is.")
	}
	_, err = a.streams.out.Write([]byte(b.String()))
	return err
}

// writeStart writes the starting repository and returns the names of its files.
// Nothing in dir is overwritten, and no link followed out of it; with an error,
// no file of it is left.
func writeStart(dir string, fill *strings.Replacer) (written []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make directory %s: %w", dir, plainCause(err))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open directory %s: %w", dir, plainCause(err))
	}
	defer root.Close()
	names, err := startNames()
	if err != nil {
		return nil, err
	}
	var there []string
	for _, name := range names {
		switch _, err := root.Lstat(filepath.FromSlash(name)); {
		case err == nil:
			there = append(there, name)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("nothing is written: %s cannot be made in %s: %w", name, dir, plainCause(err))
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("nothing is written, as init overwrites nothing and %s has %s already: move them away, or name another directory", dir, strings.Join(there, ", "))
	}
	defer func() {
		if err != nil {
			for _, name := range written {
				_ = root.Remove(filepath.FromSlash(name)) // the error is what is told
			}
			written = nil
		}
	}()
	for _, file := range names {
		text, err := start.ReadFile(path.Join("start", file))
		if err != nil {
			return written, err
		}
		if err := root.MkdirAll(filepath.FromSlash(path.Dir(file)), 0o755); err != nil {
			return written, err
		}
		f, err := root.OpenFile(filepath.FromSlash(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return written, err
		}
		written = append(written, file)
		_, err = fill.WriteString(f, string(text))
		if err := errors.Join(err, f.Close()); err != nil {
			return written, err
		}
	}
	return written, nil
}

// startNames are the names of the starting repository's files.
func startNames() (names []string, err error) {
	err = fs.WalkDir(start, "start", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(name, "start/"))
		}
		return err
	})
	return names, err
}

// plainCause is an error without the operation and the path, which the message
// around it has.
func plainCause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// repositoryNameFor makes a repository's name of a directory's. It marks what
// is whose, so two repositories should not begin with the same.
func repositoryNameFor(directory string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, strings.ToLower(directory))
	name = strings.Join(strings.Fields(name), "-")
	name = strings.Trim(name[:min(len(name), 32)], "-")
	if name == "" {
		return startName
	}
	return name
}

// release is the form of a version that can be installed as it is named.
var release = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)

// startVersionFor has the workflow install the xshare that wrote it, if that is
// a release.
func startVersionFor(version string) string {
	if release.MatchString(version) {
		return "XSHARE_VERSION: " + version
	}
	return startVersion
}

// inner reports whether a directory lies in a git work tree and is not its root.
func inner(abs string) bool {
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir != abs
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}
