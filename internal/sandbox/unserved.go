package sandbox

import (
	"cmp"
	"strings"
)

// unserved refuses all calls of a service that the sandbox does not have, by
// name, in the shape that most of AWS has for errors: JSON, or XML for the
// query protocol.
func unserved(name string) *service {
	v := &service{name: name, anonymous: true, refusals: jsonRefusals()}
	v.describe = func(r *request) (string, string) {
		return cmp.Or(first(r.form["Action"]), target(r)), ""
	}
	v.handle = func(c *call) (*response, error) {
		return nil, notImplemented("%s of the service %q: it serves %s", cmp.Or(c.operation, "this call"), name, strings.Join(sortedKeys(c.server.services), ", "))
	}
	v.fail = func(c *call, e *apiError) *response {
		if c.form["Action"] != nil {
			return failQuery(c, "", e)
		}
		return failJSON11(c, e)
	}
	return v
}
