package iampolicy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A mark is the Sid that says which repository owns a statement, and what the
// statement meant when it was written: markWord, 10 hex digits of the SHA-256
// of the repository's name, 10 of the statement's Meaning. IAM allows letters
// and digits only.
const (
	markWord   = "xshare"
	markDigits = 10
)

// Mark is the Sid of a statement of this repository.
func Mark(repository string, s Statement) string {
	return MarkPrefix(repository) + digits(s.Meaning())
}

// MarkPrefix is what the Sids of all statements of this repository start with:
// 16 characters.
func MarkPrefix(repository string) string {
	return markWord + digits(repository)
}

// IsMark reports whether a Sid has the form of a mark, of whatever repository.
func IsMark(sid string) bool {
	hexes, ok := strings.CutPrefix(sid, markWord)
	if !ok || len(hexes) != 2*markDigits || strings.ToLower(hexes) != hexes {
		return false
	}
	_, err := hex.DecodeString(hexes)
	return err == nil
}

func digits(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:markDigits]
}
