package plan

import "github.com/xshare/xshare/internal/iampolicy"

// Digest is the digest of our part of a desired state, as Change.LiveDigest is
// of the live one: sha256:…, empty where there is nothing of ours. A document
// that cannot be parsed has none.
func (p *Plan) Digest(state Resource) string {
	var document []byte
	switch want := state.(type) {
	case nil:
		return ""
	case BucketPolicy:
		document = want.Document
	case Policy:
		document = want.Document
	default:
		return digestJSON(state)
	}
	if document == nil {
		return ""
	}
	d, err := iampolicy.ParseLive(document)
	if err != nil {
		return ""
	}
	return digestOurs(d, p.Ours)
}
