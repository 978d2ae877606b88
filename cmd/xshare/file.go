package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// writeFile writes a file in one step, so that whoever reads it never sees half
// of it. What stands there and is no file, such as a device or a pipe, is
// written to and not replaced; a link is followed.
func writeFile(path string, text []byte) error {
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		return errors.Join(err, f.Close())
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	return renameio.WriteFile(path, text, 0o644)
}

// checkPlace refuses what no file can be written to, so that this is not found
// out at the end of a long run.
func checkPlace(flag, path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: %s is a directory: name a file", flag, path)
	case errors.Is(err, fs.ErrNotExist):
		if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
			return fmt.Errorf("%s: there is no directory %s: make it first", flag, filepath.Dir(path))
		}
	}
	return nil
}

// ignoreState keeps the embedded AWS's state out of the repository's history,
// where it is in the place that is xshare's own.
func ignoreState(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, []byte("*\n"), 0o644)
}
