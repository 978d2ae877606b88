package iampolicy

import (
	"slices"
	"strings"
)

// Nearest is the word with the fewest edits to wrong, whatever the case, for
// messages that ask "did you mean …?"; "" if all are far.
func Nearest(wrong string, words []string) string {
	const longest, most = 64, 1000 // bounds of the work; nobody mistypes a longer name into a known one
	if len(wrong) > longest || len(words) > most {
		return ""
	}
	best, fewest := "", len(wrong)/3+1
	for _, w := range words {
		d := Distance(strings.ToLower(wrong), strings.ToLower(w))
		if d < fewest || d == fewest && best == "" {
			best, fewest = w, d
		}
	}
	return best
}

// slips is how many bytes a mistyped text may differ in.
const slips = 2

// Mistyped reports whether two texts differ, and in so few bytes (put in, left
// out, changed, or swapped with the next) that one may be a slip for the other.
func Mistyped(a, b string) bool {
	return a != b && len(a)-len(b) <= slips && len(b)-len(a) <= slips && Distance(a, b) <= slips
}

// Distance counts the edits (insert, remove, change, swap of neighbours) from
// a to b, in bytes.
func Distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = slices.Min([]int{last[j] + 1, row[j-1] + 1, change})
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
