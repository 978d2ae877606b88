package campaign

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// wish is one request that somebody may really make.
type wish struct {
	action, bucket string
	key            string // of an object; empty: the bucket itself
	prefix         string // of a listing
	listed         bool   // the listing sends its prefix
	plain          bool   // it is one call, and not an upload in parts too
}

func (q wish) String() string {
	text := q.action + " " + q.bucket
	if q.key != "" {
		text += "/" + q.key
	}
	if q.listed {
		text += fmt.Sprintf(" prefix %q", q.prefix)
	}
	return text
}

// What a real call comes to, beside the status and code of its failure.
const (
	works    = ""
	unserved = "unserved" // the sandbox does not know it, or its object cannot be put there
)

// withUpload are calls that name an upload which is not there: who may make them
// is told so.
const withUpload = "?uploadId=none"

// real makes a request.
func (s *scene) real(by signer, q wish) string {
	path := objectPath(q.bucket, q.key)
	if q.key == "" {
		path = q.bucket
	}
	get := func(query string) answer {
		// Asked for in its region, as S3 tells where a bucket is in another one too.
		return s.send(sent{by: by, service: "s3", region: regionOf[q.bucket], method: http.MethodGet, path: "/" + path + query})
	}
	var a answer
	switch q.action {
	case "s3:ListBucket":
		query := "?list-type=2"
		if q.listed {
			query += "&prefix=" + url.QueryEscape(q.prefix)
		}
		a = get(query)
	case "s3:GetBucketLocation":
		a = get("?location")
	case "s3:ListBucketMultipartUploads":
		a = get("?uploads")
	case "s3:GetObject":
		if s.stale[q.bucket] || !s.holds(path) {
			return unserved
		}
		a = get("")
	case "s3:PutObject":
		if a = s.s3(by, http.MethodPut, path, "theirs\n"); a.ok() && !q.plain {
			a = s.upload(by, path)
		}
	case "s3:DeleteObject":
		a = s.s3(by, http.MethodDelete, path, "")
	case "s3:AbortMultipartUpload":
		a = s.s3(by, http.MethodDelete, path+withUpload, "")
	case "s3:ListMultipartUploadParts":
		a = get(withUpload)
	case "s3:GetObjectTagging", "s3:GetObjectAcl":
		if !s.holds(path) {
			return unserved
		}
		a = get(map[string]string{"s3:GetObjectTagging": "?tagging", "s3:GetObjectAcl": "?acl"}[q.action])
	case "s3:GetBucketTagging":
		a = get("?tagging")
	case "s3:GetBucketAcl":
		a = get("?acl")
	case "s3:GetBucketPolicy":
		a = get("?policy")
	case "s3:GetEncryptionConfiguration":
		a = get("?encryption")
	case "s3:GetBucketPublicAccessBlock":
		a = get("?publicAccessBlock")
	case "s3:GetBucketOwnershipControls":
		a = get("?ownershipControls")
	default:
		return unserved
	}
	switch {
	case a.ok(), a.status == http.StatusNotFound && a.code() != "NoSuchBucket":
		return works
	case a.status == http.StatusNotImplemented:
		return unserved
	}
	return fmt.Sprintf("%d %s", a.status, a.code())
}

// holds reports whether its owner sees an object. Of one that is not there, who
// may not list is told the same as of one that is denied.
func (s *scene) holds(path string) bool {
	return s.s3(admin(ownerOf[strings.Split(path, "/")[0]]), http.MethodHead, path, "").ok()
}

// upload writes an object in parts: it is the last of its calls, or the first
// that fails.
func (s *scene) upload(by signer, path string) answer {
	a := s.s3(by, http.MethodPost, path+"?uploads", "")
	if !a.ok() {
		return a
	}
	id := a.element("UploadId")
	if a = s.s3(by, http.MethodPut, path+"?partNumber=1&uploadId="+id, "theirs\n"); !a.ok() {
		return a
	}
	return s.s3(by, http.MethodPost, path+"?uploadId="+id, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+a.etag+"</ETag></Part></CompleteMultipartUpload>")
}

// restore writes all objects anew, after something wrote or deleted them, or a
// bucket got another key.
func (s *scene) restore() { s.stale = s.putObjects(truthBuckets...) }

// wishes are what a consumer of a share is promised, by the table of access
// words written anew, as far as it can be tried.
func wishes(bucket string, c *specs.Consumer) []wish {
	prefixes := c.Prefixes
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	var keys []string
	for _, k := range truthKeys {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(k, p) }) {
			keys = append(keys, k)
		}
	}
	var list []wish
	onObjects := func(actions ...string) {
		for _, action := range actions {
			for _, k := range keys {
				list = append(list, wish{action: "s3:" + action, bucket: bucket, key: k})
			}
		}
	}
	onBucket := func(actions ...string) {
		for _, action := range actions {
			list = append(list, wish{action: "s3:" + action, bucket: bucket})
		}
	}
	listings := func() {
		onBucket("GetBucketLocation")
		if len(c.Prefixes) == 0 {
			onBucket("ListBucket")
		}
		for _, p := range prefixes {
			for _, below := range []string{p, p + "a", p + "secret/", p + "secret/d", p + "b/"} {
				list = append(list, wish{action: "s3:ListBucket", bucket: bucket, prefix: below, listed: true})
			}
		}
	}
	has := func(word specs.Access) bool { return slices.Contains(c.Access, word) }
	full := has(specs.AccessFull)
	if full || has(specs.AccessList) || has(specs.AccessRead) {
		listings()
	}
	if full || has(specs.AccessRead) {
		onObjects("GetObject")
	}
	if full || has(specs.AccessWrite) {
		onBucket("GetBucketLocation")
		if len(c.Prefixes) == 0 {
			onBucket("ListBucketMultipartUploads")
		}
		onObjects("PutObject", "AbortMultipartUpload", "ListMultipartUploadParts")
	}
	if full {
		onObjects("GetObjectTagging", "GetObjectAcl")
		onBucket("GetBucketTagging", "GetBucketAcl", "GetEncryptionConfiguration", "GetBucketPublicAccessBlock")
	}
	if full || has(specs.AccessDelete) {
		onObjects("DeleteObject")
	}
	return list
}

// signerOf is a role's session, made anew where the role was; false: nobody can
// have one.
func (s *scene) signerOf(role, session string) (signer, bool) {
	name := role + "/" + session
	by := s.sessions[name]
	if by.key == "" || s.s3(by, http.MethodGet, "", "").code() == "InvalidAccessKeyId" {
		by = signer{}
		if live := s.iamOf(role, "GetRole").element("Arn"); live != "" {
			by = s.assume(s.t, live, session)
		}
		s.sessions[name] = by
	}
	return by, by.key != ""
}

// isThere reports whether a role is, under its path.
func (s *scene) isThere(role string) bool { return s.iamOf(role, "GetRole").element("Arn") == role }

// onInstance are the credentials that the instance gives out.
func (s *scene) onInstance() (signer, bool) {
	a := s.send(sent{method: http.MethodGet, path: "/_sandbox/instances/" + s.base.instance})
	endpoint := a.field("metadata")
	if endpoint == "" {
		s.t.Fatalf("instance %s: %s", s.base.instance, a.text)
	}
	ask := func(method, path string, header ...string) (int, string) {
		request, err := http.NewRequestWithContext(s.t.Context(), method, endpoint+path, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		request.Header.Set(header[0], header[1])
		got, err := metadataClient.Do(request)
		if err != nil {
			s.t.Fatal(err)
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		return got.StatusCode, string(text)
	}
	_, token := ask(http.MethodPut, "/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	const at = "/latest/meta-data/iam/security-credentials/"
	status, role := ask(http.MethodGet, at, "X-Aws-Ec2-Metadata-Token", token)
	if status != http.StatusOK || role != nameOf(worker) {
		return signer{}, false
	}
	_, text := ask(http.MethodGet, at+role, "X-Aws-Ec2-Metadata-Token", token)
	var keys struct{ Code, AccessKeyID, Token string }
	if err := json.Unmarshal([]byte(text), &keys); err != nil || keys.Code != "Success" {
		return signer{}, false
	}
	return signer{keys.AccessKeyID, keys.Token}, true
}

var metadataClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// callers are whose calls stand for a role's: sessions of it and, where an
// instance is to have it, that. None: nobody can have the role where its spec
// says so.
func (s *scene) callers(role string) map[string]signer {
	list := map[string]signer{}
	if !s.isThere(role) {
		return nil
	}
	for _, session := range sessionNames {
		by, ok := s.signerOf(role, session)
		if !ok {
			return nil
		}
		list[session] = by
	}
	switch role {
	case worker:
		by, ok := s.onInstance()
		if !ok {
			return nil
		}
		list["instance"] = by
	case reader, own:
		if s.barred[accountOf(role)] || !s.trusts(role, "lambda.amazonaws.com") {
			return nil
		}
	case bound:
		if s.isIdle(role) && !s.meant {
			return nil
		}
	}
	return list
}

// isIdle reports whether nobody can have a role of which no spec says who is to.
// That need not be told, but may.
func (s *scene) isIdle(role string) bool {
	return role == bound && !s.query(apps, "sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "own").ok() &&
		!s.trusts(role, "ecs-tasks.amazonaws.com") && !s.trusts(role, "glue.amazonaws.com")
}

// trusts reports whether a service may assume a role; no call of the sandbox's
// tells.
func (s *scene) trusts(role, service string) bool {
	trust := parse(s.t, unescaped(s.t, s.iamOf(role, "GetRole").element("AssumeRolePolicyDocument")))
	return iampolicy.Evaluate(iampolicy.Request{
		Caller: iampolicy.Caller{Kind: iampolicy.Service, ARN: service},
		Action: "sts:AssumeRole", Resource: role, ResourceAccount: accountOf(role),
		Context: map[string][]string{
			"aws:SecureTransport": {"true"}, "aws:PrincipalIsAWSService": {"true"}, "aws:PrincipalServiceName": {service},
			"aws:ResourceAccount": {accountOf(role)}, "aws:RequestedRegion": {"us-east-1"},
			"aws:CurrentTime": {started.Format(time.RFC3339)}, "aws:EpochTime": {strconv.FormatInt(started.Unix(), 10)},
		},
	}, iampolicy.Policies{Resource: &iampolicy.Named{Name: "trust policy", Document: trust}}).Allowed()
}
