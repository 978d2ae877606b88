package sandbox

import (
	"encoding/json"
	"io"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// entry is one line of the journal.
type entry struct {
	Time      string `json:"time"`
	Account   string `json:"account"`
	Principal string `json:"principal"` // ARN, "anonymous", or empty: the key is not known
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Resource  string `json:"resource"`
	Decision  string `json:"decision"` // allowed, implicitDeny, explicitDeny; empty: not asked
	Fault     string `json:"fault"`    // the injected fault's kind, if any
	Status    int    `json:"status"`   // of the HTTP answer
}

// journal writes entries in the order in which calls were done; the server's
// lock must be held.
type journal struct{ w io.Writer }

// write adds a call before its answer is sent: who has the answer finds the line.
func (j journal) write(c *call, status int) {
	if j.w == nil {
		return
	}
	principal := c.caller.ARN
	if c.caller.Kind == iampolicy.Anonymous {
		principal = "anonymous"
	}
	line, err := json.Marshal(entry{
		Time: c.now.Format(time.RFC3339Nano), Account: c.caller.Account, Principal: principal,
		Service: c.service.name, Operation: c.operation, Resource: c.resource,
		Decision: c.decision, Fault: c.fault, Status: status,
	})
	if err == nil {
		_, _ = j.w.Write(append(line, '\n')) // a journal that cannot be written must not change what AWS answers
	}
}
