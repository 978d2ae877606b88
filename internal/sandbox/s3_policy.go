package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// maxBucketPolicy is S3's limit, in bytes without white space (S3: bucket-policies).
const maxBucketPolicy = 20 << 10

func s3PolicyOperations() []s3Operation {
	return []s3Operation{
		{name: "GetBucketPolicy", method: http.MethodGet, level: s3Bucket, sub: "policy", run: (*s3Call).getBucketPolicy},
		{name: "PutBucketPolicy", method: http.MethodPut, level: s3Bucket, sub: "policy", headers: []string{"x-amz-confirm-remove-self-bucket-access"}, run: (*s3Call).putBucketPolicy},
		{name: "DeleteBucketPolicy", method: http.MethodDelete, level: s3Bucket, sub: "policy", run: (*s3Call).deleteBucketPolicy},
		{name: "GetBucketPolicyStatus", method: http.MethodGet, level: s3Bucket, sub: "policyStatus", run: (*s3Call).getBucketPolicyStatus},
	}
}

// ownPolicy asks for a permission on the bucket's policy. Other accounts never
// have it; those whom both sides allow are told so by a 405 (S3 API:
// PutBucketPolicy).
func (c *s3Call) ownPolicy(action string) error {
	denied := c.allow(action, "", nil)
	if denied == nil || c.caller.Account == "" || c.caller.Account == c.bucket.Account {
		return denied
	}
	// What the two sides would say if the caller's account had the bucket.
	p, err := c.permission(c.bucket, action, "", nil)
	if err != nil {
		return err
	}
	p.account = c.caller.Account
	both := c.decide(p)
	p.policy = nil
	if !both.Allowed() || !c.decide(p).Allowed() || !slices.ContainsFunc(both.Reasons, func(r iampolicy.Reason) bool {
		return r.Side == iampolicy.SideResource && r.Effect == iampolicy.Allow
	}) {
		return denied
	}
	e := fault(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	e.detail = map[string]string{"Method": c.Method, "ResourceType": "BUCKETPOLICY"}
	return e
}

func (c *s3Call) noPolicy() error {
	return c.absent("NoSuchBucketPolicy", "The bucket policy does not exist")
}

// absent says that the bucket has no such configuration.
func (c *s3Call) absent(code, message string) error {
	e := fault(http.StatusNotFound, code, "%s", message)
	e.detail = map[string]string{"BucketName": c.bucket.Name}
	return e
}

func (c *s3Call) getBucketPolicy() (*response, error) {
	if err := c.ownPolicy("s3:GetBucketPolicy"); err != nil {
		return nil, err
	}
	if c.bucket.Policy == nil {
		return nil, c.noPolicy()
	}
	r := bare(http.StatusOK)
	r.header.Set("Content-Type", "application/json")
	r.body = []byte(c.server.shown(*c.bucket.Policy))
	return r, nil
}

func (c *s3Call) deleteBucketPolicy() (*response, error) {
	if err := c.ownPolicy("s3:DeleteBucketPolicy"); err != nil {
		return nil, err
	}
	c.bucket.Policy = nil
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) putBucketPolicy() (*response, error) {
	if err := c.ownPolicy("s3:PutBucketPolicy"); err != nil {
		return nil, err
	}
	d, err := c.checkPolicy(string(c.data))
	if err != nil {
		return nil, err
	}
	bound, err := c.server.bind(string(c.data), d, c.now)
	var bad *bindError
	if errors.As(err, &bad) {
		e := malformedPolicy("Invalid principal in policy")
		e.detail = map[string]string{"Detail": `"AWS" : "` + bad.principal + `"`}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	if c.server.blocks(c.bucket).BlockPublicPolicy {
		if public, _ := iampolicy.Public(d); public {
			return nil, fault(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", c.caller.ARN, c.server.bucketARN(c.bucket.Name, ""))
		}
	}
	c.bucket.Policy = &bound
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) getBucketPolicyStatus() (*response, error) {
	if err := c.allow("s3:GetBucketPolicyStatus", "", nil); err != nil {
		return nil, err
	}
	if c.bucket.Policy == nil {
		return nil, c.noPolicy()
	}
	d, err := c.server.parsed(*c.bucket.Policy)
	if err != nil {
		return nil, err
	}
	public, _ := iampolicy.Public(d)
	return xmlAnswer("PolicyStatus", struct{ IsPublic bool }{public})
}

func malformedPolicy(message string) *apiError {
	return fault(http.StatusBadRequest, "MalformedPolicy", "%s", message)
}

// checkPolicy parses a bucket policy and refuses what S3 refuses in one.
func (c *s3Call) checkPolicy(text string) (*iampolicy.Document, error) {
	if len(text) == 0 {
		return nil, fault(http.StatusBadRequest, "MissingRequestBodyError", "Request Body is empty")
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if iampolicy.Size([]byte(text)) > maxBucketPolicy {
		return nil, malformedPolicy("Policy exceeds the maximum allowed document size.")
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		detail := strings.ReplaceAll(err.Error(), "\n", "; ")
		if strings.Contains(detail, "is no action") { // S3 has this in its own words
			return nil, malformedPolicy("Policy has invalid action: " + detail)
		}
		return nil, malformedPolicy("Invalid policy syntax: " + detail)
	}
	sids := map[string]bool{}
	for _, st := range d.Statements {
		switch {
		case st.Principal == nil && st.NotPrincipal == nil:
			return nil, malformedPolicy("Missing required field Principal")
		case st.Sid != "" && sids[st.Sid]:
			return nil, malformedPolicy("Statement IDs (SID) in a single policy must be unique.")
		case len(st.Resource)+len(st.NotResource) == 0:
			return nil, malformedPolicy("Missing required field Resource")
		}
		sids[st.Sid] = true
		if err := c.checkStatement(st); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// checkStatement checks actions and resources: all must be this bucket's, and
// every action must apply to some resource of its statement.
func (c *s3Call) checkStatement(st iampolicy.Statement) error {
	arn := c.server.bucketARN(c.bucket.Name, "")
	onBucket, onObjects := len(st.NotResource) > 0, len(st.NotResource) > 0
	for _, r := range slices.Concat(st.Resource, st.NotResource) {
		switch {
		case r == arn:
			onBucket = true
		case strings.HasPrefix(r, arn+"/"):
			onObjects = true
		default:
			e := malformedPolicy("Policy has invalid resource")
			e.detail = map[string]string{"Detail": r}
			return e
		}
	}
	for _, a := range slices.Concat(st.Action, st.NotAction) {
		bucketToo, objectsToo := s3ActionLevels(a)
		if !bucketToo && !objectsToo {
			e := malformedPolicy("Policy has invalid action")
			e.detail = map[string]string{"Detail": a}
			return e
		}
		if len(st.Action) > 0 && !(bucketToo && onBucket || objectsToo && onObjects) {
			return malformedPolicy("Action does not apply to any resource(s) in statement")
		}
	}
	return nil
}

// s3ActionLevels tells whether an action, with wildcards perhaps, is one of
// S3's on buckets, and whether it is one on objects.
func s3ActionLevels(action string) (onBucket, onObjects bool) {
	for _, a := range iampolicy.MatchS3Actions(action) {
		onBucket = onBucket || a.Level == iampolicy.BucketLevel
		onObjects = onObjects || a.Level == iampolicy.ObjectLevel
	}
	return onBucket, onObjects
}
