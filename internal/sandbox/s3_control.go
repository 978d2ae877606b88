package sandbox

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
)

const (
	s3ControlNamespace = "http://awss3control.amazonaws.com/doc/2018-08-20/"
	// s3ControlPath is how the paths of S3 Control begin.
	s3ControlPath = "/v20180820/"
)

// s3ControlOperations are the operations by method and path.
var s3ControlOperations = map[string]struct {
	name string
	run  func(*s3Call, *account) (*response, error)
}{
	"GET /v20180820/configuration/publicAccessBlock":    {"GetPublicAccessBlock", (*s3Call).getAccountBlock},
	"PUT /v20180820/configuration/publicAccessBlock":    {"PutPublicAccessBlock", (*s3Call).putAccountBlock},
	"DELETE /v20180820/configuration/publicAccessBlock": {"DeletePublicAccessBlock", (*s3Call).deleteAccountBlock},
}

// newS3Control is S3 Control: what S3 has for whole accounts. Its calls are
// signed for S3, too.
func newS3Control(s *Server) *service {
	v := &service{name: "s3control", anonymous: true, refusals: newS3(s).refusals}
	for _, op := range s3ControlOperations {
		v.serves = append(v.serves, op.name)
	}
	v.serves = sortedKeys(setOf(v.serves))
	v.describe = func(r *request) (string, string) {
		return s3ControlOperations[r.Method+" "+r.URL.Path].name, controlAccount(r.Request)
	}
	v.handle = func(c *call) (*response, error) {
		op, ok := s3ControlOperations[c.Method+" "+c.URL.Path]
		if !ok {
			return nil, notImplemented("the S3 Control API: %s %s", c.Method, c.URL.Path)
		}
		if c.credential.key == "" {
			return nil, refusal(v.unsigned)
		}
		id := controlAccount(c.Request)
		if host := hostAccount(c.Host); !accountKey.MatchString(id) || host != "" && host != id {
			return nil, fault(http.StatusBadRequest, "InvalidRequest", "The account %q in x-amz-account-id is no account id, or not that of the host %s", id, c.Host)
		}
		b := &s3Call{call: c, op: &s3Operation{name: op.name}}
		if err := b.readBody(); err != nil {
			return nil, err
		}
		action := "s3:PutAccountPublicAccessBlock"
		if op.name == "GetPublicAccessBlock" {
			action = "s3:GetAccountPublicAccessBlock"
		}
		if err := c.authorize(permission{action: action, resource: "*", account: id, context: b.s3Keys(id, nil)}); err != nil {
			return nil, err
		}
		resp, err := op.run(b, c.server.world.account(c.server, id))
		if err != nil {
			return nil, err
		}
		return withIDs(c, resp), nil
	}
	v.fail = failS3Control
	return v
}

func setOf(list []string) map[string]bool {
	m := map[string]bool{}
	for _, v := range list {
		m[v] = true
	}
	return m
}

// isS3Control tells S3 Control's calls from S3's: by the header that they have,
// or by path and host.
func isS3Control(r *http.Request) bool {
	return r.Header.Get("X-Amz-Account-Id") != "" || strings.HasPrefix(r.URL.Path, s3ControlPath) && hostAccount(r.Host) != ""
}

// hostAccount is the account that stands before the host's name, as in
// 111122223333.s3-control.us-east-1.amazonaws.com; empty: none does.
func hostAccount(host string) string {
	label, rest, _ := strings.Cut(host, ".")
	if rest != "" && accountKey.MatchString(label) {
		return label
	}
	return ""
}

func controlAccount(r *http.Request) string {
	if id := r.Header.Get("X-Amz-Account-Id"); id != "" {
		return id
	}
	return hostAccount(r.Host)
}

// failS3Control is S3's error in one element more.
func failS3Control(c *call, e *apiError) *response {
	r := failS3(c, e)
	if inner, ok := bytes.CutPrefix(r.body, []byte(xml.Header)); ok {
		r.body = []byte(xml.Header + `<ErrorResponse xmlns="` + s3ControlNamespace + `">` + string(inner) + "</ErrorResponse>")
	}
	return r
}

func (c *s3Call) getAccountBlock(a *account) (*response, error) {
	if a.PublicAccess == nil {
		e := fault(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
		e.detail = map[string]string{"AccountId": a.ID}
		return nil, e
	}
	return xmlAnswerIn(s3ControlNamespace, "PublicAccessBlockConfiguration", *a.PublicAccess)
}

func (c *s3Call) putAccountBlock(a *account) (*response, error) {
	in, err := c.readPublicAccess()
	if err != nil {
		return nil, err
	}
	a.PublicAccess = in
	return bare(http.StatusOK), nil
}

func (c *s3Call) deleteAccountBlock(a *account) (*response, error) {
	a.PublicAccess = nil
	return bare(http.StatusNoContent), nil
}

// blocks are the settings in effect for a bucket: of each the stricter one of
// the bucket's and its account's
// (S3:access-control-block-public-access).
func (s *Server) blocks(b *bucket) publicAccess {
	var all publicAccess
	for _, p := range []*publicAccess{b.PublicAccess, s.world.account(s, b.Account).PublicAccess} {
		if p != nil {
			all.BlockPublicAcls = all.BlockPublicAcls || p.BlockPublicAcls
			all.IgnorePublicAcls = all.IgnorePublicAcls || p.IgnorePublicAcls
			all.BlockPublicPolicy = all.BlockPublicPolicy || p.BlockPublicPolicy
			all.RestrictPublicBuckets = all.RestrictPublicBuckets || p.RestrictPublicBuckets
		}
	}
	return all
}
