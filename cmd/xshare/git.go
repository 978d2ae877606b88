package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// history is the git history that a directory's specs are in.
//
// Premise: a pipeline may run on a checkout that somebody else has prepared.
// So only plumbing is used that runs no program of the repository's choosing:
// nothing is checked out, diffed or fetched, hooks and the file system monitor
// are off, a missing object is not fetched, and nothing in the environment
// sends git elsewhere. A bare repository that lies in the tree, as files that
// anybody may have committed there, is not taken for the directory's own: it
// would make its author's word the history.
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-safebareRepository
type history struct {
	dir    string // as given
	prefix string // of dir in the work tree, with a slash at its end; empty at its root
	head   string // commit; empty where there is none yet
}

// largestGitOutput bounds what is taken from git at once.
const largestGitOutput = 64 << 20

// openHistory finds the git history of a directory. The error says why there
// is none, and how to mend it.
func openHistory(ctx context.Context, dir string) (*history, error) {
	h := &history{dir: dir}
	out, err := h.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("%s is in no git work tree that can be read: run it in a clone: %w", dir, err)
	}
	h.prefix = strings.TrimSuffix(out, "\n")
	if h.head, err = h.commit(ctx, "HEAD"); err != nil {
		return nil, fmt.Errorf("%s has no commit yet: %w", dir, err)
	}
	return h, nil
}

// commit is the id of the commit that a revision names.
func (h *history) commit(ctx context.Context, rev string) (string, error) {
	out, err := h.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil {
		return strings.TrimSpace(out), nil
	}
	if isGitStatus(err, 1) || isGitStatus(err, 128) {
		return "", fmt.Errorf("git knows no commit %q%s", rev, h.shallowMend(ctx, "see `git log`, or fetch it"))
	}
	return "", err
}

// descends reports whether a commit is another one's descendant, or the same.
// The error says that this clone cannot tell, and how to mend it.
func (h *history) descends(ctx context.Context, commit, from string) (bool, error) {
	if commit == from {
		return true, nil
	}
	from, err := h.commit(ctx, from)
	if err != nil {
		return false, err
	}
	_, err = h.git(ctx, "merge-base", "--is-ancestor", from, commit)
	switch {
	case err == nil:
		return true, nil
	case !isGitStatus(err, 1):
		return false, err
	case h.shallow(ctx):
		return false, fmt.Errorf("how commit %s follows from %s is not in this clone%s", commit, from, h.shallowMend(ctx, ""))
	}
	return false, nil
}

func (h *history) shallow(ctx context.Context) bool {
	out, err := h.git(ctx, "rev-parse", "--is-shallow-repository")
	return err == nil && strings.TrimSpace(out) == "true"
}

// shallowMend is the end of a message: how to get history that is missing.
func (h *history) shallowMend(ctx context.Context, otherwise string) string {
	if h.shallow(ctx) {
		return ": the clone is shallow: run `git fetch --unshallow` (in GitHub Actions: fetch-depth: 0 of actions/checkout)"
	}
	return ": " + otherwise
}

// git runs one git command in the directory and returns what it printed.
func (h *history) git(ctx context.Context, args ...string) (string, error) {
	cmd, err := gitCommand(ctx, h.dir, args...)
	if err != nil {
		return "", err
	}
	var out, errs limited
	out.room, errs.room = largestGitOutput, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", &gitError{args[0], strings.TrimSpace(errs.kept.String()), err}
	}
	if out.full {
		return "", fmt.Errorf("git %s printed more than the %d bytes that are read", args[0], largestGitOutput)
	}
	return out.kept.String(), nil
}

// gitCommand is a git command that runs in dir and no other program.
func gitCommand(ctx context.Context, dir string, args ...string) (*exec.Cmd, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("git is needed for this and not found: install it: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, append([]string{
		"--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=", "-c", "core.hooksPath=" + os.DevNull,
		"-c", "core.commitGraph=false", "-c", "safe.bareRepository=explicit",
	}, args...)...)
	if cmd.Dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env,
		"GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_GRAFT_FILE="+os.DevNull)
	return cmd, nil
}

// gitError is a git command that failed, with what it said.
type gitError struct {
	command, said string
	err           error
}

// Error is git's own words, where it had any.
func (e *gitError) Error() string {
	if e.said == "" {
		return "git " + e.command + ": " + e.err.Error()
	}
	return "git " + e.command + ": " + e.said
}

// Unwrap returns how it ended.
func (e *gitError) Unwrap() error { return e.err }

func isGitStatus(err error, status int) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == status
}

// limited keeps what is written to it, as far as there is room.
type limited struct {
	kept bytes.Buffer
	room int
	full bool
}

// Write takes all and keeps what has room.
func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if over := l.kept.Len() + n - l.room; over > 0 {
		l.full = true
		p = p[:max(0, n-over)]
	}
	l.kept.Write(p)
	return n, nil
}

var _ io.Writer = (*limited)(nil)
