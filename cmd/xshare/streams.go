package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"github.com/xshare/xshare/internal/report"
)

// streams are the program's ends to the world, as one value: tests hand in
// buffers.
type streams struct {
	in               io.Reader
	out, err         io.Writer
	inTerminal       bool
	outTerminal      bool
	errTerminal      bool
	width            int // of the terminal, in columns
	environmentColor bool
}

// systemStreams are the process's own. Colour is left out where NO_COLOR is
// set (https://no-color.org) and in CI; progress, too, is for people.
func systemStreams() streams {
	inCI := os.Getenv("CI") != ""
	s := streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		inTerminal:       isatty.IsTerminal(os.Stdin.Fd()),
		outTerminal:      isatty.IsTerminal(os.Stdout.Fd()),
		errTerminal:      isatty.IsTerminal(os.Stderr.Fd()) && !inCI,
		width:            80,
		environmentColor: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && !inCI,
	}
	if s.outTerminal {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
			s.width = w
		}
	}
	return s
}

// outStyle is how results are written, errStyle all else.
func (a *app) outStyle() report.Style {
	return report.Style{Color: a.streams.outTerminal && a.streams.environmentColor && !a.flags.noColor, Width: a.streams.width}
}

func (a *app) errStyle() report.Style {
	return report.Style{Color: a.streams.errTerminal && a.streams.environmentColor && !a.flags.noColor, Width: a.streams.width}
}
