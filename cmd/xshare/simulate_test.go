package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/simulate"
)

const allowedCase = `{"id": %d, "principal": "ec2.amazonaws.com", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/x",` +
	` "resourcePolicy": {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "s3:*", "Resource": "*"}}}`

func ids(t *testing.T, out []byte) []string {
	t.Helper()
	var list []string
	for line := range bytes.Lines(out) {
		var a simulate.Answer
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, string(a.ID))
	}
	return list
}

// Answers keep the order of the cases, whoever is done first.
func TestSimulateOrder(t *testing.T) {
	const n = 5000
	var in, out bytes.Buffer
	want := make([]string, n)
	for i := range n {
		fmt.Fprintf(&in, allowedCase+"\n", i)
		want[i] = fmt.Sprint(i)
	}
	all, invalid, err := decideLines(t.Context(), &in, &out, simulate.Case)
	if err != nil || all != n || invalid != 0 {
		t.Fatalf("%d answers, %d invalid, %v", all, invalid, err)
	}
	for i, id := range ids(t, out.Bytes()) {
		if id != want[i] {
			t.Fatalf("answer %d is that of %s", i, id)
		}
	}
}

// An answer does not wait for the next case, so that a program can ask and
// read by turns.
func TestSimulateByTurns(t *testing.T) {
	caseIn, caseOut := io.Pipe()
	answerIn, answerOut := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, _, err := decideLines(t.Context(), caseIn, answerOut, simulate.Case)
		done <- errors.Join(err, answerOut.Close())
	}()
	answers := bufio.NewScanner(answerIn)
	for i := range 3 {
		if _, err := fmt.Fprintf(caseOut, allowedCase+"\n", i); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), fmt.Sprintf(`{"id":%d,`, i)) {
			t.Fatalf("the answer is %q", answers.Text())
		}
	}
	if err := errors.Join(caseOut.Close(), <-done); err != nil || answers.Scan() {
		t.Errorf("%v, and %q is left", err, answers.Text())
	}
}

// A line that no case is as long as is refused, and the next is read from its
// beginning; so is one that just fits, and a last one without an end.
func TestSimulateLongLines(t *testing.T) {
	line := func(length int) string {
		frame := fmt.Sprintf(allowedCase, 1)
		return `{"title":"` + strings.Repeat("x", length-len(frame)-len(`"title":"",`)) + `",` + frame[1:]
	}
	in := strings.Join([]string{line(simulate.MaxCase), line(simulate.MaxCase + 1), line(3 * simulate.MaxCase), "\r", fmt.Sprintf(allowedCase, 2)}, "\n")
	var out bytes.Buffer
	all, invalid, err := decideLines(t.Context(), strings.NewReader(in), &out, simulate.Case)
	if err != nil || all != 4 || invalid != 2 {
		t.Fatalf("%d answers, %d invalid, %v", all, invalid, err)
	}
	for i, want := range []string{`{"id":1,"decision":"allowed"`, `{"id":"","decision":"invalid"`, `{"id":"","decision":"invalid"`, `{"id":2,"decision":"allowed"`} {
		if got, _ := out.ReadString('\n'); !strings.HasPrefix(got, want) {
			t.Errorf("answer %d is %.200s", i+1, got)
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken pipe") }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// What was read is answered before the input breaks; an output that breaks ends
// it; and an interrupt does not wait for input.
func TestSimulateEnds(t *testing.T) {
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader(fmt.Sprintf(allowedCase+"\n", 1)), brokenReader{})
	if all, _, err := decideLines(t.Context(), in, &out, simulate.Case); all != 1 || err == nil || !strings.Contains(err.Error(), "reading cases: broken pipe") {
		t.Errorf("%d answers, %v", all, err)
	}
	if _, _, err := decideLines(t.Context(), strings.NewReader("{}"), brokenWriter{}, simulate.Case); err == nil || !strings.Contains(err.Error(), "writing answers: disk full") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	waiting, end := io.Pipe()
	defer func() { _ = end.Close() }()
	if _, _, err := decideLines(ctx, waiting, &out, simulate.Case); !errors.Is(err, errInterrupted) {
		t.Errorf("%v", err)
	}
}
