package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	text := []byte("text\n")
	holds := func(path string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != string(text) {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
	mode := func(path string) os.FileMode {
		t.Helper()
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Type()
	}

	plain := filepath.Join(dir, "plain")
	for range 2 { // new, and in the place of what was there
		if err := writeFile(plain, text); err != nil {
			t.Fatal(err)
		}
		holds(plain)
	}

	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, text); err != nil {
		t.Fatal(err)
	}
	holds(target)
	if mode(link) != os.ModeSymlink {
		t.Error("the link was replaced")
	}

	// A pipe stays one, and its reader gets the text.
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	read := make(chan []byte, 1)
	go func() {
		got, _ := os.ReadFile(pipe)
		read <- got
	}()
	if err := writeFile(pipe, text); err != nil {
		t.Fatal(err)
	}
	if mode(pipe) != os.ModeNamedPipe {
		t.Fatal("the pipe was replaced")
	}
	if got := <-read; string(got) != string(text) {
		t.Errorf("the pipe's reader got %q", got)
	}
}

func TestCheckPlace(t *testing.T) {
	dir := t.TempDir()
	for path, ok := range map[string]bool{
		"": true, filepath.Join(dir, "new"): true, os.DevNull: true,
		dir: false, filepath.Join(dir, "none", "new"): false,
	} {
		if err := checkPlace("--out", path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}
