package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

// unserved refuses all calls of a service that the sandbox does not have, by
// name, in the shape that most of AWS has for errors: JSON, or XML for the
// query protocol.
func unserved(name string) *service {
	v := &service{name: name, anonymous: true}
	v.unknownKey = apiError{status: http.StatusForbidden, code: "UnrecognizedClientException", message: "The security token included in the request is invalid."}
	v.badToken = v.unknownKey
	v.expired = apiError{status: http.StatusForbidden, code: "ExpiredTokenException", message: "The security token included in the request is expired"}
	v.throttled = apiError{status: http.StatusBadRequest, code: "ThrottlingException", message: "Rate exceeded"}
	v.denied = accessDenied
	v.describe = func(r *request) (string, string) {
		if action := first(r.form["Action"]); action != "" {
			return action, ""
		}
		target := r.Header.Get("X-Amz-Target")
		return target[strings.LastIndex(target, ".")+1:], ""
	}
	v.handle = func(c *call) (*response, error) {
		return nil, notImplemented("%s of the service %q: it serves sts, iam, s3 and ec2", cmp.Or(c.operation, "this call"), name)
	}
	v.fail = func(c *call, e *apiError) *response {
		if c.form["Action"] != nil {
			return failQuery(c, "", e)
		}
		body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
		if err != nil {
			body = []byte("{}")
		}
		return &response{status: e.status, body: body, header: http.Header{
			"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Errortype": {e.code}, "X-Amzn-Requestid": {c.requestID},
		}}
	}
	return v
}
