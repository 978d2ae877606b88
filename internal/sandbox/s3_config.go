package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// ownerships are the settings of Object Ownership.
var ownerships = []string{enforced, "BucketOwnerPreferred", "ObjectWriter"}

func s3ConfigOperations() []s3Operation {
	get, put, del := http.MethodGet, http.MethodPut, http.MethodDelete
	ops := []s3Operation{
		{name: "GetPublicAccessBlock", method: get, sub: "publicAccessBlock", run: (*s3Call).getPublicAccessBlock},
		{name: "PutPublicAccessBlock", method: put, sub: "publicAccessBlock", run: (*s3Call).putPublicAccessBlock},
		{name: "DeletePublicAccessBlock", method: del, sub: "publicAccessBlock", run: (*s3Call).deletePublicAccessBlock},
		{name: "GetBucketOwnershipControls", method: get, sub: "ownershipControls", run: (*s3Call).getOwnershipControls},
		{name: "PutBucketOwnershipControls", method: put, sub: "ownershipControls", run: (*s3Call).putOwnershipControls},
		{name: "DeleteBucketOwnershipControls", method: del, sub: "ownershipControls", run: (*s3Call).deleteOwnershipControls},
		{name: "GetBucketEncryption", method: get, sub: "encryption", run: (*s3Call).getEncryption},
		{name: "PutBucketEncryption", method: put, sub: "encryption", run: (*s3Call).putEncryption},
		{name: "DeleteBucketEncryption", method: del, sub: "encryption", run: (*s3Call).deleteEncryption},
		{name: "GetBucketTagging", method: get, sub: "tagging", run: (*s3Call).getBucketTagging},
		{name: "PutBucketTagging", method: put, sub: "tagging", run: (*s3Call).putBucketTagging},
		{name: "DeleteBucketTagging", method: del, sub: "tagging", run: (*s3Call).deleteBucketTagging},
		{name: "GetBucketVersioning", method: get, sub: "versioning", run: (*s3Call).getVersioning},
		{name: "PutBucketVersioning", method: put, sub: "versioning", run: (*s3Call).putVersioning},
		{name: "GetBucketAcl", method: get, sub: "acl", run: (*s3Call).getBucketACL},
		{name: "PutBucketAcl", method: put, sub: "acl", headers: []string{"x-amz-acl", "x-amz-grant-*"}, run: (*s3Call).putBucketACL},
		{name: "GetBucketLogging", method: get, sub: "logging", run: unset("s3:GetBucketLogging", "BucketLoggingStatus", "", "")},
		{name: "GetBucketLifecycleConfiguration", method: get, sub: "lifecycle", run: unset("s3:GetLifecycleConfiguration", "", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")},
		{name: "GetBucketCors", method: get, sub: "cors", run: unset("s3:GetBucketCORS", "", "NoSuchCORSConfiguration", "The CORS configuration does not exist")},
		{name: "GetBucketWebsite", method: get, sub: "website", run: unset("s3:GetBucketWebsite", "", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")},
		{name: "GetBucketReplication", method: get, sub: "replication", run: unset("s3:GetReplicationConfiguration", "", "ReplicationConfigurationNotFoundError", "The replication configuration was not found")},
		{name: "GetBucketAccelerateConfiguration", method: get, sub: "accelerate", run: unset("s3:GetAccelerateConfiguration", "AccelerateConfiguration", "", "")},
		{name: "GetBucketRequestPayment", method: get, sub: "requestPayment", run: (*s3Call).getRequestPayment},
		{name: "GetObjectLockConfiguration", method: get, sub: "object-lock", run: unset("s3:GetBucketObjectLockConfiguration", "", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")},
		{name: "GetBucketNotificationConfiguration", method: get, sub: "notification", run: unset("s3:GetBucketNotification", "NotificationConfiguration", "", "")},
	}
	for i := range ops {
		ops[i].level = s3Bucket
	}
	return ops
}

// unset answers for a configuration that a bucket here never has: an empty
// element, or the error that AWS has for it.
func unset(action, element, code, message string) func(*s3Call) (*response, error) {
	return func(c *s3Call) (*response, error) {
		if err := c.allow(action, "", nil); err != nil {
			return nil, err
		}
		if element == "" {
			return nil, c.absent(code, message)
		}
		return xmlAnswer(element, struct{}{})
	}
}

func (c *s3Call) getRequestPayment() (*response, error) {
	if err := c.allow("s3:GetBucketRequestPayment", "", nil); err != nil {
		return nil, err
	}
	return xmlAnswer("RequestPaymentConfiguration", struct{ Payer string }{"BucketOwner"})
}

func (c *s3Call) getPublicAccessBlock() (*response, error) {
	if err := c.allow("s3:GetBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	if c.bucket.PublicAccess == nil {
		return nil, c.absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return xmlAnswer("PublicAccessBlockConfiguration", *c.bucket.PublicAccess)
}

func (c *s3Call) putPublicAccessBlock() (*response, error) {
	if err := c.allow("s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	in, err := c.readPublicAccess()
	if err != nil {
		return nil, err
	}
	c.bucket.PublicAccess = in
	return bare(http.StatusOK), nil
}

func (c *s3Call) readPublicAccess() (*publicAccess, error) {
	in := &publicAccess{}
	return in, c.readXML(in, "PublicAccessBlockConfiguration", "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
}

func (c *s3Call) deletePublicAccessBlock() (*response, error) {
	if err := c.allow("s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	c.bucket.PublicAccess = nil
	return bare(http.StatusNoContent), nil
}

type ownershipXML struct {
	ObjectOwnership string `xml:"Rule>ObjectOwnership"`
}

func (c *s3Call) getOwnershipControls() (*response, error) {
	if err := c.allow("s3:GetBucketOwnershipControls", "", nil); err != nil {
		return nil, err
	}
	if c.bucket.Ownership == "" {
		return nil, c.absent("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return xmlAnswer("OwnershipControls", ownershipXML{c.bucket.Ownership})
}

func (c *s3Call) putOwnershipControls() (*response, error) {
	if err := c.allow("s3:PutBucketOwnershipControls", "", nil); err != nil {
		return nil, err
	}
	var in ownershipXML
	if err := c.readXML(&in, "OwnershipControls", "Rule", "ObjectOwnership"); err != nil {
		return nil, err
	}
	if !slices.Contains(ownerships, in.ObjectOwnership) {
		return nil, fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	c.bucket.Ownership = in.ObjectOwnership
	return bare(http.StatusOK), nil
}

func (c *s3Call) deleteOwnershipControls() (*response, error) {
	if err := c.allow("s3:PutBucketOwnershipControls", "", nil); err != nil {
		return nil, err
	}
	c.bucket.Ownership = ""
	return bare(http.StatusNoContent), nil
}

type encryptionXML struct {
	Algorithm string `xml:"Rule>ApplyServerSideEncryptionByDefault>SSEAlgorithm"`
	Key       string `xml:"Rule>ApplyServerSideEncryptionByDefault>KMSMasterKeyID,omitempty"`
	BucketKey bool   `xml:"Rule>BucketKeyEnabled"`
}

func (c *s3Call) getEncryption() (*response, error) {
	if err := c.allow("s3:GetEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	return xmlAnswer("ServerSideEncryptionConfiguration", encryptionXML(c.bucket.Encryption))
}

// putEncryption stores the configuration. Like S3 it does not look whether
// there is such a key (S3 API: PutBucketEncryption).
func (c *s3Call) putEncryption() (*response, error) {
	if err := c.allow("s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	var in encryptionXML
	if err := c.readXML(&in, "ServerSideEncryptionConfiguration", "Rule", "ApplyServerSideEncryptionByDefault", "SSEAlgorithm", "KMSMasterKeyID", "BucketKeyEnabled"); err != nil {
		return nil, err
	}
	switch in.Algorithm {
	case sseS3:
		if in.Key != "" {
			return nil, fault(http.StatusBadRequest, "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
	case "aws:kms", "aws:kms:dsse":
	default:
		return nil, fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	c.bucket.Encryption = encryption(in)
	return bare(http.StatusOK), nil
}

// deleteEncryption gives the bucket back SSE-S3, which all buckets have at least.
func (c *s3Call) deleteEncryption() (*response, error) {
	if err := c.allow("s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	c.bucket.Encryption = encryption{Algorithm: sseS3}
	return bare(http.StatusNoContent), nil
}

type taggingXML struct {
	Tags tagSet `xml:"TagSet"`
}

type tagSet struct{ Tag []tag }

func (c *s3Call) getBucketTagging() (*response, error) {
	if err := c.allow("s3:GetBucketTagging", "", nil); err != nil {
		return nil, err
	}
	if len(c.bucket.Tags) == 0 {
		return nil, c.absent("NoSuchTagSet", "The TagSet does not exist")
	}
	return xmlAnswer("Tagging", taggingXML{tagSet{c.bucket.Tags}})
}

// putBucketTagging overwrites all tags.
func (c *s3Call) putBucketTagging() (*response, error) {
	if err := c.allow("s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	in, err := c.readTags(50)
	if err != nil {
		return nil, err
	}
	c.bucket.Tags = in
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) readTags(most int) ([]tag, error) {
	var in taggingXML
	if err := c.readXML(&in, "Tagging", "TagSet", "Tag", "Key", "Value"); err != nil {
		return nil, err
	}
	return in.Tags.Tag, checkTags(in.Tags.Tag, most)
}

func (c *s3Call) deleteBucketTagging() (*response, error) {
	if err := c.allow("s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	c.bucket.Tags = nil
	return bare(http.StatusNoContent), nil
}

type versioningXML struct {
	Status string `xml:",omitempty"`
}

func (c *s3Call) getVersioning() (*response, error) {
	if err := c.allow("s3:GetBucketVersioning", "", nil); err != nil {
		return nil, err
	}
	return xmlAnswer("VersioningConfiguration", versioningXML{c.bucket.Versioning})
}

// putVersioning stores the status. Writes of objects in a bucket with
// versioning are refused by name: see checkWrite.
func (c *s3Call) putVersioning() (*response, error) {
	if err := c.allow("s3:PutBucketVersioning", "", nil); err != nil {
		return nil, err
	}
	var in versioningXML
	if err := c.readXML(&in, "VersioningConfiguration", "Status"); err != nil {
		return nil, err
	}
	if in.Status != "Enabled" && in.Status != "Suspended" {
		return nil, fault(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	c.bucket.Versioning = in.Status
	return bare(http.StatusOK), nil
}

// aclXML is an ACL that gives the owner full control, the only one here.
type aclXML struct {
	Owner *s3Owner
	Grant aclGrant `xml:"AccessControlList>Grant"`
}

type aclGrant struct {
	Grantee    aclGrantee
	Permission string
}

type aclGrantee struct {
	XSI  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	ID   string
}

func (c *s3Call) ownerACL() (*response, error) {
	id := c.server.canonicalID(c.bucket.Account)
	grantee := aclGrantee{XSI: "http://www.w3.org/2001/XMLSchema-instance", Type: "CanonicalUser", ID: id}
	return xmlAnswer("AccessControlPolicy", aclXML{Owner: &s3Owner{id}, Grant: aclGrant{grantee, "FULL_CONTROL"}})
}

func (c *s3Call) getBucketACL() (*response, error) {
	if err := c.allow("s3:GetBucketAcl", "", nil); err != nil {
		return nil, err
	}
	return c.ownerACL()
}

func (c *s3Call) putBucketACL() (*response, error) {
	if err := c.allow("s3:PutBucketAcl", "", c.sentKeys("x-amz-acl")); err != nil {
		return nil, err
	}
	return c.putACL("private")
}

// putACL refuses all ACLs but the one that is there: with BucketOwnerEnforced
// as S3 does, else by name (S3: about-object-ownership).
func (c *s3Call) putACL(same string) (*response, error) {
	switch acl := c.Header.Get("X-Amz-Acl"); {
	case acl == same || acl == "bucket-owner-full-control":
		return bare(http.StatusOK), nil
	case c.bucket.Ownership == enforced:
		return nil, aclNotSupported()
	}
	return nil, notImplemented("ACLs in %s", c.op.name)
}

func aclNotSupported() error {
	return fault(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// grantsSent tells whether a request has x-amz-grant-… headers.
func (c *s3Call) grantsSent() bool {
	for k := range c.Header {
		if strings.HasPrefix(strings.ToLower(k), "x-amz-grant-") {
			return true
		}
	}
	return false
}
