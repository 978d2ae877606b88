// Command xshare shares S3 buckets across AWS accounts, as code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
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
	a := &app{streams: streams, stop: make(chan struct{})}
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
	return a.exitCode(ctx, root.ExecuteContext(ctx))
}
