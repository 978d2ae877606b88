package sandbox

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// readXML reads a request's XML body. Elements that are not among the known
// ones are refused by name: they would ask for something else than is done.
func (c *s3Call) readXML(v any, known ...string) error {
	malformed := fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	d := xml.NewDecoder(bytes.NewReader(c.data))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return malformed
		}
		if e, ok := t.(xml.StartElement); ok && !slices.Contains(known, e.Name.Local) {
			return notImplemented("the element %s of %s", e.Name.Local, c.op.name)
		}
	}
	if err := xml.Unmarshal(c.data, v); err != nil {
		return malformed
	}
	return nil
}

// xmlAnswer is an S3 answer with a body in S3's namespace.
func xmlAnswer(name string, v any) (*response, error) { return xmlAnswerIn(s3Namespace, name, v) }

func xmlAnswerIn(namespace, name string, v any) (*response, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	err := xml.NewEncoder(&b).EncodeElement(v, xml.StartElement{Name: xml.Name{Space: namespace, Local: name}})
	if err != nil {
		return nil, err
	}
	return &response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/xml"}}, body: b.Bytes()}, nil
}

// bare is an answer without a body.
func bare(status int) *response { return &response{status: status, header: http.Header{}} }

func withIDs(c *call, r *response) *response {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("X-Amz-Request-Id", strings.ToUpper(strings.ReplaceAll(c.requestID, "-", ""))[:16])
	r.header.Set("X-Amz-Id-2", hostID(c))
	r.header.Set("Server", "AmazonS3")
	return r
}

func hostID(c *call) string { return fmt.Sprintf("%x", c.server.digest("host", c.requestID)) }

// failS3 words an error as S3 does: XML with the details after code and
// message; without a body in answers to HEAD (S3 API: "Error responses").
func failS3(c *call, e *apiError) *response {
	r := bare(e.status)
	region := e.detail["Region"]
	if b := c.server.world.S3.Buckets[addressOf(c.Request).bucket]; b != nil && (e.status == http.StatusMovedPermanently || region != "" || c.operation == "HeadBucket") {
		r.header.Set("X-Amz-Bucket-Region", b.Region)
	}
	r = withIDs(c, r)
	if c.Method == http.MethodHead || e.status == http.StatusNotModified {
		return r
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>")
	element := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value)) // a Buffer takes all
		b.WriteString("</" + name + ">")
	}
	element("Code", e.code)
	element("Message", e.message)
	for _, k := range sortedKeys(e.detail) {
		element(k, e.detail[k])
	}
	element("RequestId", r.header.Get("X-Amz-Request-Id"))
	element("HostId", r.header.Get("X-Amz-Id-2"))
	b.WriteString("</Error>")
	r.header.Set("Content-Type", "application/xml")
	r.body = b.Bytes()
	return r
}
