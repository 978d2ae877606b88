package executor

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// PanicError is a panic of an Observer or a Doer, as the failure of what it was
// at. It is a fault in the program, and stops nothing else.
type PanicError struct {
	Value any
	Where string // function, file and line that panicked
}

// Error says what the panic was and where.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic in %s: %v: this is a fault in xshare, please report it", e.Where, e.Value)
}

// Unwrap returns the error that it panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// guard calls f and makes its panic an error.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Where: panicked()}
		}
	}()
	return f()
}

// panicked finds the frame below the runtime's own, of a deferred call.
func panicked() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	inPanic := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			inPanic = true
		case inPanic && !strings.HasPrefix(frame.Function, "runtime."):
			return fmt.Sprintf("%s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
