package specs

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of both kinds of documents, for
// editors. It knows the fields, their descriptions and the forms of values;
// Load knows more, such as conflicts between shares.
func Schema() []byte { return slices.Clone(schema) }
