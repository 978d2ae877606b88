package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jsonRefusals are the words of the services that speak JSON 1.1.
func jsonRefusals() refusals {
	return refusals{
		unsigned:   apiError{status: http.StatusBadRequest, code: "MissingAuthenticationTokenException", message: "Missing Authentication Token"},
		unknownKey: apiError{status: http.StatusBadRequest, code: "UnrecognizedClientException", message: "The security token included in the request is invalid."},
		badToken:   apiError{status: http.StatusBadRequest, code: "UnrecognizedClientException", message: "The security token included in the request is invalid."},
		expired:    apiError{status: http.StatusBadRequest, code: "ExpiredTokenException", message: "The security token included in the request is expired"},
		throttled:  apiError{status: http.StatusBadRequest, code: "ThrottlingException", message: "Rate exceeded"},
		denied: func(d denial) *apiError {
			return fault(http.StatusBadRequest, "AccessDeniedException", "%s", d.text(d.resource))
		},
	}
}

// target is the operation of a JSON call: X-Amz-Target is Service_Version.Operation.
func target(r *request) string {
	v := r.Header.Get("X-Amz-Target")
	return v[strings.LastIndex(v, ".")+1:]
}

var unknownField = regexp.MustCompile(`^json: unknown field "(.*)"$`)

// readJSON reads a JSON 1.1 call's body into v. Members that v does not have
// are refused by name: they would ask for something else than is done.
func (c *call) readJSON(v any) error {
	malformed := fault(http.StatusBadRequest, "SerializationException", "The body of %s is not the JSON object that it should be", c.operation)
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
			return notImplemented("the parameter %s of %s in %s", m[1], c.operation, c.service.name)
		}
		return malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed
	}
	return nil
}

// jsonOperations are a JSON 1.1 service's: name -> how it is done.
type jsonOperations map[string]func(*call) (any, error)

// reading makes an operation of a function that takes the body's members.
func reading[In any](run func(*call, *In) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		in := new(In)
		if err := c.readJSON(in); err != nil {
			return nil, err
		}
		return run(c, in)
	}
}

// jsonService makes a service of JSON 1.1: its name, how X-Amz-Target begins,
// and its operations. about names the members that say what a call is about.
func jsonService(name, prefix string, ops jsonOperations, about []string) *service {
	// Unsigned calls are refused below, after those that are not known.
	v := &service{name: name, anonymous: true, serves: sortedKeys(ops), fail: failJSON11, refusals: jsonRefusals()}
	v.describe = func(r *request) (string, string) {
		var members map[string]any
		_ = json.Unmarshal(r.body, &members) // readJSON refuses what is no JSON
		var named []string
		for _, m := range about {
			if text, ok := members[m].(string); ok {
				named = append(named, text)
			}
		}
		return target(r), strings.Join(named, "/")
	}
	v.handle = func(c *call) (*response, error) {
		run, ok := ops[c.operation]
		if !ok || !strings.HasPrefix(c.Header.Get("X-Amz-Target"), prefix) {
			return nil, notImplemented("the operation %s of %s", c.Header.Get("X-Amz-Target"), name)
		}
		if c.credential.key == "" {
			return nil, refusal(v.unsigned)
		}
		out, err := run(c)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = struct{}{}
		}
		return answerJSON11(c, out)
	}
	return v
}

// tokenPage gives the entries after a mark, sorted by their keys, and a token with
// the next mark where there are more.
func tokenPage[T any](list []T, key func(T) string, after string, most int) (out []T, next string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	out = []T{}
	for _, v := range list {
		if key(v) <= after {
			continue
		}
		if len(out) == most {
			return out, encodeToken(key(out[most-1]))
		}
		out = append(out, v)
	}
	return out, ""
}

// seconds is a time as JSON 1.1 writes it: seconds since 1970, a fraction with them.
type seconds struct{ time.Time }

// MarshalJSON writes it.
func (t seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', 3, 64), nil
}

// answerJSON11 is an answer of a JSON 1.1 service.
func answerJSON11(c *call, v any) (*response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &response{status: http.StatusOK, body: body, header: http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {c.requestID},
	}}, nil
}

// failJSON11 is its error.
func failJSON11(c *call, e *apiError) *response {
	r, err := answerJSON11(c, map[string]string{"__type": e.code, "message": e.message})
	if err != nil { // strings always marshal
		r = &response{header: http.Header{}}
	}
	r.status = e.status
	r.header.Set("X-Amzn-Errortype", e.code)
	return r
}
