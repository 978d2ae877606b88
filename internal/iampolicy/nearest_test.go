package iampolicy

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	words := []string{"Statement", "Effect", "Action", "Resource"}
	for wrong, want := range map[string]string{
		"Efect": "Effect", "efFEct": "Effect", "Acton": "Action", "Actoin": "Action", "Resources": "Resource",
		"Effect": "Effect", "Sid": "", "Principal": "", "": "",
		strings.Repeat("Effect", 11): "",
	} {
		if got := Nearest(wrong, words); got != want {
			t.Errorf("%q: got %q, want %q", wrong, got, want)
		}
	}
	if got := Nearest("Effect", make([]string, 2000)); got != "" {
		t.Errorf("of too many words %q is taken", got)
	}
}
