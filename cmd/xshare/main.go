// Command xshare shares S3 buckets across AWS accounts, as code.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/xshare/xshare/internal/awslive"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(context.Background(), os.Args[1:], systemStreams(), signals))
}

// run is the whole program: it returns the exit code. A first signal stops
// what can be stopped cleanly, a second one cancels.
func run(ctx context.Context, args []string, streams streams, signals <-chan os.Signal) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &app{streams: streams, stats: awslive.NewStats(), stop: make(chan struct{})}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for first := true; ; first = false {
			select {
			case <-signals:
			case <-done:
				return
			}
			if first {
				close(a.stop)
			}
			if !first || !a.stopsCleanly.Load() {
				cancel(errInterrupted)
			}
		}
	}()
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if unwritten := a.writeStats(); unwritten != nil {
		fmt.Fprintln(streams.err, "xshare:", unwritten)
		if err == nil || errors.Is(err, errDifferences) {
			err = errFailed
		}
	}
	return a.exitCode(ctx, err)
}
