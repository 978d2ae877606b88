package campaign

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
)

// signer is who signs a call; without a key nobody does.
type signer struct{ key, token string }

// admin is an account's administrator.
func admin(account string) signer { return signer{key: account} }

// sent is one call as it goes over the wire.
type sent struct {
	by                     signer
	service, region        string
	method, path, body     string
	contentType, operation string // operation: of a service that speaks JSON
	account                string // of S3 Control
}

// answer is what comes back.
type answer struct {
	status     int
	text, etag string
}

func (a answer) ok() bool { return a.status < 300 }

// code is the error's; empty where it has none, as the answer to a HEAD.
func (a answer) code() string {
	var inXML struct{ Code string }
	if xml.Unmarshal([]byte(a.text), &inXML) == nil {
		return inXML.Code
	}
	return ""
}

// send makes a call past the handler's hooks, in the region that S3 names if it
// names another.
func (w *world) send(q sent) answer {
	if q.region == "" {
		q.region = "us-east-1"
	}
	do := func(region string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(q.method, w.endpoint+q.path, strings.NewReader(q.body))
		if q.by.key != "" {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+q.by.key+"/20260101/"+region+"/"+q.service+"/aws4_request, SignedHeaders=host, Signature=0")
		}
		for name, value := range map[string]string{
			"X-Amz-Security-Token": q.by.token, "Content-Type": q.contentType, "X-Amz-Target": q.operation, "X-Amz-Account-Id": q.account,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		recorder := httptest.NewRecorder()
		w.server.ServeHTTP(recorder, r)
		return recorder
	}
	got := do(q.region)
	if region := got.Header().Get("X-Amz-Bucket-Region"); got.Code >= 300 && region != "" && region != q.region {
		got = do(region)
	}
	return answer{got.Code, got.Body.String(), got.Header().Get("ETag")}
}

// s3 makes a call of S3. path begins with the bucket and may have a query.
func (w *world) s3(by signer, method, path, body string) answer {
	return w.send(sent{by: by, service: "s3", method: method, path: "/" + path, body: body})
}

// objectPath is an object's in a URL.
func objectPath(bucket, key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return bucket + "/" + strings.Join(parts, "/")
}

// query makes a call of IAM, STS or EC2 as an account's administrator.
func (w *world) query(account, service, action string, parameters ...string) answer {
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}[service]
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return w.send(sent{
		by: admin(account), service: service, method: http.MethodPost, path: "/", body: form.Encode(),
		contentType: "application/x-www-form-urlencoded",
	})
}

// targets are how X-Amz-Target begins for each service that speaks JSON.
var targets = map[string]string{"kms": "TrentService.", "organizations": "AWSOrganizationsV20161128."}

// object is a call of a service that speaks JSON, as an administrator.
func (w *world) object(account, service, region, operation string, in map[string]any) answer {
	return w.send(sent{
		by: admin(account), service: service, region: region, method: http.MethodPost, path: "/", body: textOf(in),
		contentType: "application/x-amz-json-1.1", operation: targets[service] + operation,
	})
}

// must is an answer that has to be a success.
func must(t tb, what string, a answer) answer {
	t.Helper()
	if !a.ok() {
		t.Fatalf("%s: %d %s", what, a.status, a.text)
	}
	return a
}

// field is the text at a path of members in a JSON answer; empty: there is none.
func (a answer) field(path ...string) string {
	var v any
	if json.Unmarshal([]byte(a.text), &v) != nil {
		return ""
	}
	for _, name := range path {
		switch of := v.(type) {
		case map[string]any:
			v = of[name]
		case []any:
			if len(of) == 0 {
				return ""
			}
			v = of[0].(map[string]any)[name]
		}
	}
	text, _ := v.(string)
	return text
}

// element is the text of the first XML element of a name; empty: there is none.
func (a answer) element(name string) string {
	_, rest, ok := strings.Cut(a.text, "<"+name+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return xmlUnescaper.Replace(text)
}

var xmlUnescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&quot;", `"`, "&#39;", "'", "&amp;", "&")

// textOf is a value as JSON.
func textOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of what the tests themselves build
	}
	return string(text)
}

// policy is a document that is edited: its members, and its statements as a list.
type policy map[string]any

func policyOf(t tb, text string) policy {
	t.Helper()
	var p policy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if one, ok := p["Statement"].(map[string]any); ok {
		p["Statement"] = []any{one}
	}
	return p
}

func newPolicy(statements ...any) policy {
	return policy{"Version": "2012-10-17", "Statement": statements}
}

func (p policy) statements() []any {
	list, _ := p["Statement"].([]any)
	return list
}

func (p policy) add(statement any) { p["Statement"] = append(p.statements(), statement) }

// String is the document as JSON.
func (p policy) String() string { return textOf(map[string]any(p)) }

// unescaped is a document as IAM answers it.
func unescaped(t tb, text string) string {
	t.Helper()
	plain, err := url.QueryUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
