package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// commitTree is the directory as it was at a commit, as a file system that
// several may read at once. It reads a file when it is opened; nothing is
// checked out.
type commitTree struct {
	root *treeNode

	mu    sync.Mutex // over the conversation with git
	git   *exec.Cmd
	ask   io.WriteCloser
	reply *bufio.Reader
}

var _ fs.ReadLinkFS = (*commitTree)(nil)

// treeNode is a file, link or directory of a commit.
type treeNode struct {
	name     string
	mode     fs.FileMode
	object   string // id, of a file or link
	size     int64
	children map[string]*treeNode
}

// largestBlob is more than specs takes of any file; larger ones are not read.
const largestBlob = 16 << 20

// tree opens the directory as it was at a commit. The caller closes it.
func (h *history) tree(ctx context.Context, commit string) (*commitTree, error) {
	listing, err := h.git(ctx, "ls-tree", "-r", "-z", "-l", "--full-tree", commit+":"+strings.TrimSuffix(h.prefix, "/"))
	if err != nil {
		if isGitStatus(err, 128) {
			return nil, fmt.Errorf("directory %s is not in commit %s: name a commit that has it: %w", h.dir, commit, err)
		}
		return nil, err
	}
	t := &commitTree{root: &treeNode{name: ".", mode: fs.ModeDir | 0o555, children: map[string]*treeNode{}}}
	for entry := range strings.SplitSeq(strings.TrimSuffix(listing, "\x00"), "\x00") {
		if entry == "" {
			continue
		}
		// "100644 blob ID    SIZE\tNAME"
		about, name, ok := strings.Cut(entry, "\t")
		f := strings.Fields(about)
		if !ok || len(f) != 4 {
			return nil, fmt.Errorf("git ls-tree printed %q, which is not understood", entry)
		}
		if f[1] == "blob" { // and not a submodule, which has no files here
			t.add(name, f[0], f[2], f[3])
		}
	}
	if t.git, err = gitCommand(ctx, h.dir, "cat-file", "--batch"); err != nil {
		return nil, err
	}
	if t.ask, err = t.git.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.git.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.reply = bufio.NewReader(out)
	return t, t.git.Start()
}

// close ends the conversation with git.
func (t *commitTree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.ask.Close() // git ends then; what it had to say has been read
	_ = t.git.Wait()
}

func (t *commitTree) add(name, mode, object, size string) {
	if !fs.ValidPath(name) {
		return // git keeps no such names; a forged tree may
	}
	node := t.root
	dirs := strings.Split(name, "/")
	last := dirs[len(dirs)-1]
	for _, dir := range dirs[:len(dirs)-1] {
		next := node.children[dir]
		if next == nil || !next.IsDir() {
			next = &treeNode{name: dir, mode: fs.ModeDir | 0o555, children: map[string]*treeNode{}}
			node.children[dir] = next
		}
		node = next
	}
	leaf := &treeNode{name: last, mode: 0o444, object: object}
	if mode == "120000" {
		leaf.mode |= fs.ModeSymlink
	}
	leaf.size, _ = strconv.ParseInt(size, 10, 64)
	node.children[last] = leaf
}

// find returns what is at a name. Links on the way are followed by nobody here:
// specs does that itself, by Lstat and ReadLink.
func (t *commitTree) find(op, name string) (*treeNode, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	node := t.root
	if name == "." {
		return node, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if node = node.children[part]; node == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return node, nil
}

// Open opens a file or directory.
func (t *commitTree) Open(name string) (fs.File, error) {
	node, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if node.IsDir() {
		return &openTreeNode{node: node, rest: node.entries()}, nil
	}
	text, err := t.read(node)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openTreeNode{node: node, text: bytes.NewReader(text)}, nil
}

// Stat tells of a name without reading it.
func (t *commitTree) Stat(name string) (fs.FileInfo, error) { return t.Lstat(name) }

// Lstat is Stat: links are not followed.
func (t *commitTree) Lstat(name string) (fs.FileInfo, error) {
	node, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	return node, nil
}

// ReadLink returns where a link leads.
func (t *commitTree) ReadLink(name string) (string, error) {
	node, err := t.find("readlink", name)
	if err == nil && node.mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	text, err := t.read(node)
	return string(text), err
}

// read asks git for a blob.
func (t *commitTree) read(node *treeNode) ([]byte, error) {
	if node.size > largestBlob {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that are read", node.size, largestBlob)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.ask, node.object+"\n"); err != nil {
		return nil, err
	}
	// "ID blob SIZE", the text and a line end, or "ID missing".
	head, err := t.reply.ReadString('\n')
	if err != nil {
		return nil, err
	}
	f := strings.Fields(head)
	if len(f) != 3 || f[1] != "blob" {
		return nil, errors.New("git does not have it: fetch it, or use a clone that is whole")
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size != node.size {
		return nil, fmt.Errorf("git cat-file printed %q, which is not understood", strings.TrimSpace(head))
	}
	text := make([]byte, size+1)
	if _, err := io.ReadFull(t.reply, text); err != nil {
		return nil, err
	}
	return text[:size], nil
}

// Name, Size, Mode, ModTime, IsDir and Sys make a node its own fs.FileInfo.
func (n *treeNode) Name() string { return path.Base(n.name) }

// Size is the file's length in bytes.
func (n *treeNode) Size() int64 { return n.size }

// Mode tells files, links and directories apart.
func (n *treeNode) Mode() fs.FileMode { return n.mode }

// ModTime is not known: git keeps none.
func (n *treeNode) ModTime() time.Time { return time.Time{} }

// IsDir reports whether it is a directory.
func (n *treeNode) IsDir() bool { return n.mode.IsDir() }

// Sys returns nothing.
func (n *treeNode) Sys() any { return nil }

func (n *treeNode) entries() []fs.DirEntry {
	list := make([]fs.DirEntry, 0, len(n.children))
	for _, c := range n.children {
		list = append(list, fs.FileInfoToDirEntry(c))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

// openTreeNode is an open file or directory.
type openTreeNode struct {
	node *treeNode
	text *bytes.Reader
	rest []fs.DirEntry
}

var _ fs.ReadDirFile = (*openTreeNode)(nil)

// Stat tells of the open file.
func (f *openTreeNode) Stat() (fs.FileInfo, error) { return f.node, nil }

// Close does nothing: all was read already.
func (f *openTreeNode) Close() error { return nil }

// Read reads the file.
func (f *openTreeNode) Read(p []byte) (int, error) {
	if f.text == nil {
		return 0, &fs.PathError{Op: "read", Path: f.node.name, Err: errors.New("it is a directory")}
	}
	return f.text.Read(p)
}

// ReadDir lists the next n entries, or all of them.
func (f *openTreeNode) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.rest)
	} else if len(f.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.rest))
	list := f.rest[:n]
	f.rest = f.rest[n:]
	return list, nil
}
