package report

import (
	"io"

	"github.com/xshare/xshare/internal/describe"
)

// Imported writes what there is to say of the shares that an import has found:
// what they do not say, how many there are, and what says nothing more beside
// them.
func Imported(w io.Writer, found describe.Found, style Style) error {
	if err := Problems(w, found.Problems, style); err != nil {
		return err
	}
	p := newPrinter(w, style)
	if len(found.Spare) > 0 {
		p.line("These grant nothing more once the shares are applied, and can be removed then:")
		for _, s := range found.Spare {
			of := "bucket " + s.Bucket
			if s.Role != "" {
				of = "role " + s.Role
			}
			p.linef("  %s in account %s: %s", clean(of), clean(s.Account), clean(s.What))
		}
	}
	grants := 0
	for _, share := range found.Shares {
		grants += len(share.Consumers)
	}
	if grants == 0 {
		p.line("No new shares: what could be read holds no grant to a role that the repository's shares lack.")
	} else {
		p.linef("%s with %s. Put them among the repository's files; validate and plan then say what is left to do.", count(len(found.Shares), "share"), count(grants, "grant"))
	}
	return p.done()
}
