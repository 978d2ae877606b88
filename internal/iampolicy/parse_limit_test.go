package iampolicy

import (
	"strings"
	"testing"
)

func TestParseTellsOfSomeErrorsOnly(t *testing.T) {
	_, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat("{},", 20000), ",") + `]}`))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("error: %v", err)
	}
	if n := len(joined.Unwrap()); n != maxErrors {
		t.Errorf("%d errors, want %d", n, maxErrors)
	}
}
