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

func TestMistyped(t *testing.T) {
	for name, v := range map[string]struct {
		a, b string
		want bool
	}{
		"the same":          {"principal", "principal", false},
		"one changed":       {"principal", "principel", true},
		"two swapped":       {"principal", "prinicpal", true},
		"two put in":        {"principal", "principalss", true},
		"two left out":      {"principal", "rincipa", true},
		"two more at most":  {"principal", "principalsss", false},
		"two less at most":  {"principalsss", "principal", false},
		"three changed":     {"principal", "principxyz", false},
		"a capital is one":  {"principal", "Principal", true},
		"another word":      {"action", "resource", false},
		"nothing and short": {"", "ab", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Mistyped(v.a, v.b); got != v.want {
				t.Errorf("%q and %q: %v", v.a, v.b, got)
			}
		})
	}
}
