package proof

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// placeIn is where in a file with the text of d a statement is, or an element of it.
// A statement of -1 is the document.
func placeIn(file string, text []byte, d *iampolicy.Document, statement int, element string) specs.Pos {
	at := 0
	if len(text) > 0 && statement < 0 {
		at = max(bytes.IndexByte(text, '{'), 0)
	}
	// Statements keep their texts, and those are in the order of the file.
	for i := 0; i <= statement; i++ {
		raw := d.Statements[i].Raw
		found := bytes.Index(text[at:], raw)
		if found < 0 {
			break
		}
		if at += found; i < statement {
			at += len(raw)
			continue
		}
		at += memberOffset(raw, element)
	}
	return posAt(file, text, at)
}

// posAt is the place of a byte offset; columns count characters, as those of
// iampolicy.ParseError.
func posAt(file string, text []byte, at int) specs.Pos {
	before := text[:at]
	return specs.Pos{
		File: file, Line: bytes.Count(before, []byte("\n")) + 1,
		Col: utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1,
	}
}

// memberOffset is where in a JSON object the member with this name begins, 0
// if it has none.
func memberOffset(object []byte, name string) int {
	if name == "" {
		return 0
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return 0
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return 0
		}
		if key == name {
			return bytes.LastIndexByte(object[:d.InputOffset()-1], '"')
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return 0
		}
	}
	return 0
}
