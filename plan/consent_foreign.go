package plan

import (
	"encoding/json"

	"github.com/xshare/xshare/internal/iampolicy"
)

// dropsMore reports whether a change takes principals out of foreign statements
// that the saved step leaves in, since they were alive or not there when the
// plan was saved. savedBefore is the live document of then.
func (c *Changes) dropsMore(change *Change, savedBefore any) bool {
	if !change.DropDead {
		return false
	}
	var seen map[string]bool
	if text, err := json.Marshal(savedBefore); err == nil && savedBefore != nil {
		seen = c.dropped(text)
	}
	for id := range c.dropped(change.Live) {
		if !seen[id] {
			return true
		}
	}
	return false
}

// dropped are the dead principals that are taken out of foreign statements, by
// statement and id; none of a document that cannot be read, which is not written.
func (c *Changes) dropped(live []byte) map[string]bool {
	_, list, err := iampolicy.DropDead(live, c.Plan.Ours)
	if err != nil {
		return nil
	}
	ids := map[string]bool{}
	for _, d := range list {
		for _, id := range d.IDs {
			ids[d.Statement+" "+id] = true
		}
	}
	return ids
}
