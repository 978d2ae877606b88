package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/simulate"
)

func newSimulateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Decide requests from policies alone, offline",
		Long: `Reads cases from stdin, one JSON object a line, and writes an answer to each on
stdout, in the same order: whether IAM would allow the request, which sides lack
what, and why.

    {"id": "1", "principal": "arn:aws:iam::222222222222:role/reader",
     "action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key",
     "resourceAccount": "111111111111", "identityPolicies": [{…}], "resourcePolicy": {…}}

    {"id":"1","decision":"allowed","allowed":true,"lacking":[],"reason":"…"}

It calls nothing. docs/simulate.md has all fields, with examples. A line that is
no case is answered "invalid" and the rest go on; the exit code is then 1.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("simulate reads cases from stdin and takes no file: write xshare simulate < %s", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simulate(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&a.flags.strict, "strict", false, "a case that does not tell whose its resource is, is invalid")
	return cmd
}

func (a *app) simulate(ctx context.Context) error {
	decide := simulate.Case
	if a.flags.strict {
		decide = simulate.Strict
	}
	all, invalid, err := decideLines(ctx, a.streams.in, a.streams.out, decide)
	if err != nil {
		return err
	}
	cases, are := "cases", "are invalid: their reasons say why"
	if all == 1 {
		cases = "case"
	}
	if invalid == 1 {
		are = "is invalid: its reason says why"
	}
	if invalid > 0 {
		fmt.Fprintf(a.streams.err, "xshare: %d of %d %s %s\n", invalid, all, cases, are)
		return errFailed
	}
	return nil
}

// decider is simulate.Case, or what is as it.
type decider func(line []byte, number int, now time.Time) simulate.Answer

// caseBatch is some lines that are decided, and written, together.
type caseBatch struct {
	first   int // the number of the first line, from 1
	lines   [][]byte
	answers bytes.Buffer
	all     int // how many answers there are
	invalid int
	done    chan struct{}
}

// decideLines answers the cases of in, in order, on all cores. An answer is
// written as soon as no further line can be read without waiting, so that a
// program can ask and read by turns.
func decideLines(ctx context.Context, in io.Reader, out io.Writer, decide decider) (all, invalid int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	work := make(chan *caseBatch)
	ordered := make(chan *caseBatch, 2*workers)
	for range workers {
		go func() {
			for b := range work {
				b.decide(decide)
				close(b.done)
			}
		}()
	}
	var readErr error // set before ordered is closed
	go func() {       // may be left waiting for input when ctx ends
		defer close(work)
		defer close(ordered)
		readErr = readBatches(in, func(b *caseBatch) error {
			for _, c := range []chan *caseBatch{ordered, work} {
				select {
				case c <- b:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
	}()
	for {
		select {
		case <-ctx.Done():
			return all, invalid, context.Cause(ctx)
		case b, ok := <-ordered:
			if !ok {
				return all, invalid, readErr
			}
			select {
			case <-b.done:
			case <-ctx.Done():
				return all, invalid, context.Cause(ctx)
			}
			if _, err := out.Write(b.answers.Bytes()); err != nil {
				return all, invalid, fmt.Errorf("writing answers: %w", err)
			}
			all += b.all
			invalid += b.invalid
		}
	}
}

func (b *caseBatch) decide(decide decider) {
	now := time.Now()
	encoder := json.NewEncoder(&b.answers)
	encoder.SetEscapeHTML(false)
	for i, line := range b.lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		answer := decide(line, b.first+i, now)
		if err := encoder.Encode(answer); err != nil {
			panic(err) // an Answer is always JSON
		}
		b.all++
		if answer.Decision == "invalid" {
			b.invalid++
		}
	}
}

// The bounds of a batch: beyond them, sharing out more at once gains nothing.
const (
	batchLines = 64
	batchBytes = 1 << 20
)

// readBatches cuts in into batches, each of as many lines as are there already.
func readBatches(in io.Reader, send func(*caseBatch) error) error {
	r := bufio.NewReaderSize(in, 1<<18)
	for number := 1; ; {
		b := &caseBatch{first: number, done: make(chan struct{})}
		var err error
		for size := 0; ; {
			var line []byte
			line, err = readLine(r)
			if len(line) > 0 || err == nil {
				b.lines = append(b.lines, line)
				size += len(line)
			}
			ready, _ := r.Peek(r.Buffered())
			if err != nil || len(b.lines) == batchLines || size > batchBytes || bytes.IndexByte(ready, '\n') < 0 {
				break
			}
		}
		number += len(b.lines)
		if len(b.lines) > 0 {
			if err := send(b); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading cases: %w", err)
		}
	}
}

// readLine reads a line, without its end. Of one that is too long for a case it
// keeps just so much that this can be seen.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := simulate.MaxCase + 2 - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
}
