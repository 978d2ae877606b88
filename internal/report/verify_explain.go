package report

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof"
)

// pointToExplain says, where grants are denied, which command gives each side's
// part and the statements to add or to remove.
func (p *printer) pointToExplain(proofs []proof.GrantProof) {
	var shares []string
	for _, g := range proofs {
		if name := clean(g.Share); g.Verdict == proof.Denied && !slices.Contains(shares, name) {
			shares = append(shares, name)
		}
	}
	if len(shares) == 0 {
		return
	}
	text := "Each side's part, and the exact statements: xshare explain --share " + shares[0]
	if len(shares) > 1 {
		const most = 3
		text += ", and so of " + strings.Join(shares[1:min(len(shares), most+1)], ", ")
		if len(shares) > most+1 {
			text += " and the others"
		}
	}
	p.line(text)
}
