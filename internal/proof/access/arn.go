package access

import (
	"maps"
	"slices"
	"strings"
)

// assumeRole is the action that a trust policy decides about.
const assumeRole = "sts:AssumeRole"

// headOf is an ARN, or a pattern for ARNs, up to its sixth part; full where it
// has one.
func headOf(text string) (head string, full bool) {
	at := 0
	for range 5 {
		i := strings.IndexByte(text[at:], ':')
		if i < 0 {
			return text, false
		}
		at += i + 1
	}
	return text[:at], true
}

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
