package sandbox

import (
	"bytes"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// The API versions of the query protocol's services.
const (
	stsVersion = "2011-06-15"
	iamVersion = "2010-05-08"
	ec2Version = "2016-11-15"
)

// parseForm gives the URL's parameters and, for a form, those of the body.
func parseForm(r *http.Request, body []byte) url.Values {
	form := r.URL.Query()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || kind != "application/x-www-form-urlencoded" {
		return form
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return form
	}
	for k, v := range values {
		form[k] = append(form[k], v...)
	}
	return form
}

// operations are a query protocol service's: name -> how it is done.
type operations map[string]operation

// operation is one call of a query protocol. Parameters that it does not list
// are refused by name. A list's members are written with N for the number:
// "Tags.member.N.Key".
type operation struct {
	params []string
	run    func(*call, params) (any, error)
}

// params are a call's parameters.
type params map[string][]string

// has tells whether a parameter was sent, be it empty.
func (p params) has(name string) bool { return len(p[name]) > 0 }

// get is a parameter's value, or "".
func (p params) get(name string) string { return first(p[name]) }

// list is the values of name.1, name.2, … in order, for instance of
// "PolicyArns.member" or with a suffix, "PolicyArns.member.1.arn".
func (p params) list(name, suffix string) []string {
	var numbers []int
	for k := range p {
		rest, ok := strings.CutPrefix(k, name+".")
		if !ok {
			continue
		}
		if suffix != "" {
			if rest, ok = strings.CutSuffix(rest, "."+suffix); !ok {
				continue
			}
		}
		if n, err := strconv.Atoi(rest); err == nil {
			numbers = append(numbers, n)
		}
	}
	sort.Ints(numbers)
	var out []string
	for _, n := range numbers {
		k := name + "." + strconv.Itoa(n)
		if suffix != "" {
			k += "." + suffix
		}
		out = append(out, p.get(k))
	}
	return out
}

// pattern is a parameter's name with its numbers as N.
func pattern(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if _, err := strconv.Atoi(p); err == nil {
			parts[i] = "N"
		}
	}
	return strings.Join(parts, ".")
}

// signing are the parameters of a presigned URL and of the protocol itself.
func signing(name string) bool {
	return name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-") || name == "AWSAccessKeyId"
}

// find gives the operation that a call names, or a 501 for one that is not
// known or has a parameter that is not.
func (ops operations) find(c *call) (operation, error) {
	op, ok := ops[c.operation]
	if !ok {
		return op, notImplemented("the operation %s of %s", first(c.form["Action"]), c.service.name)
	}
	known := map[string]bool{}
	for _, p := range op.params {
		known[p] = true
	}
	var unknown []string
	for k := range c.form {
		if !signing(k) && !known[pattern(k)] {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return op, notImplemented("the parameter %s of %s in %s", strings.Join(unknown, ", "), c.operation, c.service.name)
	}
	return op, nil
}

// queryService makes a service of the plain query protocol (STS and IAM): its
// name, API version, XML namespace and operations. about names the parameters
// that say what a call is about: a role, or a role and a policy.
func queryService(name, namespace string, ops operations, about []string) *service {
	// Unsigned calls are refused below, after those that are not known.
	v := &service{name: name, anonymous: true, serves: sortedKeys(ops)}
	v.describe = func(r *request) (string, string) {
		var named []string
		for _, p := range about {
			if v := first(r.form[p]); v != "" {
				named = append(named, v)
			}
		}
		return first(r.form["Action"]), strings.Join(named, "/")
	}
	v.handle = func(c *call) (*response, error) {
		op, err := ops.find(c)
		if err != nil {
			return nil, err
		}
		if c.caller.Kind == iampolicy.Anonymous {
			return nil, refusal(v.unsigned)
		}
		result, err := op.run(c, params(c.form))
		if err != nil {
			return nil, err
		}
		return answerQuery(c, namespace, result)
	}
	v.fail = func(c *call, e *apiError) *response { return failQuery(c, namespace, e) }
	return v
}

// failQuery is the query protocol's error.
func failQuery(c *call, namespace string, e *apiError) *response {
	type errorBody struct{ Type, Code, Message string }
	kind := "Sender"
	if e.status >= 500 {
		kind = "Receiver"
	}
	return xmlResponse(e.status, c.requestID, struct {
		XMLName   xml.Name
		Error     errorBody
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: namespace, Local: "ErrorResponse"}, errorBody{kind, e.code, e.message}, c.requestID})
}

// answerQuery wraps a result as <OpResponse><OpResult>…</OpResult>…; a nil
// result has no OpResult.
func answerQuery(c *call, namespace string, result any) (*response, error) {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	outer := xml.StartElement{Name: xml.Name{Space: namespace, Local: c.operation + "Response"}}
	if err := e.EncodeToken(outer); err != nil {
		return nil, err
	}
	if result != nil {
		if err := e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: c.operation + "Result"}}); err != nil {
			return nil, err
		}
	}
	meta := struct {
		ID string `xml:"RequestId"`
	}{c.requestID}
	if err := e.EncodeElement(meta, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return nil, err
	}
	if err := e.EncodeToken(outer.End()); err != nil {
		return nil, err
	}
	if err := e.Flush(); err != nil {
		return nil, err
	}
	return rawXML(http.StatusOK, c.requestID, b.Bytes()), nil
}

// xmlResponse is an answer with a value as XML.
func xmlResponse(status int, requestID string, v any) *response {
	b, err := xml.Marshal(v)
	if err != nil {
		return &response{status: http.StatusInternalServerError, body: []byte(err.Error())}
	}
	return rawXML(status, requestID, b)
}

func rawXML(status int, requestID string, b []byte) *response {
	return &response{
		status: status,
		header: http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {requestID}},
		body:   append([]byte(xml.Header), b...),
	}
}

// members is a list of the query protocol: <Roles><member>…</member></Roles>,
// and <Roles></Roles> where it is empty, which clients tell from absent.
type members[T any] []T

// MarshalXML writes the list.
func (m members[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return encodeList(e, start, "member", m)
}

// items is EC2's: <reservationSet><item>…</item></reservationSet>.
type items[T any] []T

// MarshalXML writes the list.
func (m items[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return encodeList(e, start, "item", m)
}

func encodeList[T any](e *xml.Encoder, start xml.StartElement, name string, list []T) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, v := range list {
		if err := e.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// timestamp is a time in XML as these services write it: whole seconds, UTC.
type timestamp struct{ time.Time }

// MarshalText writes it in XML; in the state file it is a time.Time.
func (t timestamp) MarshalText() ([]byte, error) {
	return []byte(t.UTC().Format("2006-01-02T15:04:05Z")), nil
}
