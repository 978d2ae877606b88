package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/specs"
)

// load reads the repository in dir. Where its errors leave nothing to go on with
// they are printed to stderr, all of them. Errors of what is asked for, and
// warnings, are the caller's to show, with those of the plan.
func (a *app) load(dir string) (*specs.Repository, []specs.Problem, error) {
	repo, problems, err := readRepository(dir)
	if err != nil {
		return nil, nil, err
	}
	if repo == nil {
		a.printProblems(problems)
		return nil, nil, errFailed
	}
	return repo, problems, nil
}

// loadSound is load for commands that make no plan: any error ends them.
func (a *app) loadSound(dir string) (*specs.Repository, error) {
	repo, problems, err := a.load(dir)
	if err != nil {
		return nil, err
	}
	if err := failedIfAny(problems); err != nil {
		a.printProblems(problems)
		return nil, err
	}
	return repo, nil
}

// readRepository reads specs from dir and from nowhere else: links that lead
// out of it are not followed.
func readRepository(dir string) (*specs.Repository, []specs.Problem, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, nil, fmt.Errorf("cannot read directory %s: %w", dir, err)
	}
	defer root.Close()
	repo, problems := specs.Load(root.FS())
	for i, p := range problems {
		if p.Code != "no-repository" {
			continue
		}
		if where, err := filepath.Abs(dir); err == nil { // else it stays "here"
			problems[i].Message = p.Message + ", in " + where
		}
	}
	return repo, problems, nil
}

// selection turns --only into a test on share names. A glob that matches no
// share is an error, since it is most likely a slip.
func (a *app) selection(repo *specs.Repository) (func(share string) bool, error) {
	switch f := a.flags; {
	case f.prune && (len(f.only) > 0 || f.since != ""):
		return nil, errors.New("--prune does not go with --only or --since: it deletes what no spec at all states")
	case f.pruneLimit < 0:
		return nil, fmt.Errorf("--prune-limit %d: give a number from 1 up, or leave it out", f.pruneLimit)
	case f.pruneLimit > 0 && !f.prune:
		return nil, errors.New("--prune-limit goes with --prune: without it, nothing is deleted")
	}
	if len(a.flags.only) == 0 {
		return func(string) bool { return true }, nil
	}
	selected := map[string]bool{}
	for _, glob := range a.flags.only {
		found := false
		for _, share := range repo.Shares {
			ok, err := path.Match(glob, share.Name)
			if err != nil {
				return nil, fmt.Errorf("--only %q is not a glob: %w", glob, err)
			}
			if ok {
				found, selected[share.Name] = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("--only %q matches no share: %s", glob, someNames(repo.Shares))
		}
	}
	return func(name string) bool { return selected[name] }, nil
}

func someNames(shares []*specs.Share) string {
	const most = 5
	var names []string
	for _, s := range shares {
		names = append(names, s.Name)
	}
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	switch len(names) {
	case 0:
		return "there are none"
	case 1:
		return "there is only " + names[0]
	}
	return "there are " + strings.Join(names, ", ")
}

// commit is the commit that dir's specs are at, where dir is in a git work
// tree whose HEAD can be read without running anything; else it is empty.
func commit(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		gitDir := filepath.Join(abs, ".git")
		if _, err := os.Lstat(gitDir); err == nil {
			// Of a work tree or submodule it is a file, and what is above is not its history.
			return headCommit(gitDir)
		}
		parent := filepath.Dir(abs)
		if parent == abs {
			return ""
		}
		abs = parent
	}
}

// commitID is the form of git's ids: what else stands in its files is not shown.
var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func headCommit(gitDir string) string {
	root, err := os.OpenRoot(gitDir)
	if err != nil {
		return ""
	}
	defer root.Close()
	line := func(name string) string {
		text, err := root.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
	id := line("HEAD")
	if ref, symbolic := strings.CutPrefix(id, "ref: "); symbolic {
		if id = line(ref); id == "" {
			for packed := range strings.Lines(line("packed-refs")) {
				if of, name, ok := strings.Cut(strings.TrimSpace(packed), " "); ok && name == ref {
					id = of
					break
				}
			}
		}
	}
	if !commitID.MatchString(id) {
		return ""
	}
	return id
}

// firstAccount is the account that stands first in the repository's file.
func firstAccount(repo *specs.Repository) *specs.Account {
	return slices.MinFunc(repo.Accounts, func(x, y *specs.Account) int {
		if x.Pos.Line != y.Pos.Line {
			return x.Pos.Line - y.Pos.Line
		}
		return x.Pos.Col - y.Pos.Col
	})
}
