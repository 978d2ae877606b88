package main

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes, decided here and nowhere else.
const (
	exitDone        = 0
	exitFailed      = 1
	exitDifferences = 2
	exitInterrupted = 130
)

// Errors that say how a command ended whose output says the rest.
var (
	errFailed      = errors.New("failed")
	errDifferences = errors.New("differences found")
	errInterrupted = errors.New("interrupted")
)

// exitCode reports an error that no output has told of yet, and turns it into
// the exit code.
func (a *app) exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted), errors.Is(context.Cause(ctx), errInterrupted):
		if !errors.Is(err, errInterrupted) {
			fmt.Fprintln(a.streams.err, "xshare:", err)
		}
		return exitInterrupted
	case errors.Is(err, errDifferences):
		return exitDifferences
	case errors.Is(err, errFailed):
		return exitFailed
	default:
		fmt.Fprintln(a.streams.err, "xshare:", err)
		return exitFailed
	}
}
