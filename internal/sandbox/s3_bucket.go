package sandbox

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bucket is a bucket with its configuration and contents.
type bucket struct {
	Name, Account, Region string
	Created               time.Time
	Tags                  []tag         `json:",omitempty"`
	Policy                *boundPolicy  `json:",omitempty"`
	PublicAccess          *publicAccess `json:",omitempty"` // nil: the configuration was deleted
	Ownership             string        `json:",omitempty"` // empty: the configuration was deleted
	Encryption            encryption
	Versioning            string             `json:",omitempty"` // "", Enabled or Suspended
	Objects               map[string]*object `json:",omitempty"`
	Uploads               map[string]*upload `json:",omitempty"`
}

// publicAccess is a bucket's Block Public Access configuration.
type publicAccess struct {
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

// encryption is a bucket's default encryption.
type encryption struct {
	Algorithm string // AES256, aws:kms or aws:kms:dsse
	Key       string `json:",omitempty"` // KMS key as it was put
	BucketKey bool   `json:",omitempty"`
}

const (
	enforced = "BucketOwnerEnforced"
	sseS3    = "AES256"
)

// newBucket has AWS's defaults for new buckets since April 2023.
func newBucket(name, account, region string, now time.Time) *bucket {
	return &bucket{
		Name: name, Account: account, Region: region, Created: now.Truncate(time.Second),
		PublicAccess: &publicAccess{true, true, true, true}, Ownership: enforced, Encryption: encryption{Algorithm: sseS3},
		Objects: map[string]*object{}, Uploads: map[string]*upload{},
	}
}

// seedS3 adds the seed's buckets.
func (s *Server) seedS3(list []SeedBucket) error {
	for _, in := range list {
		err := s.once("bucket/"+in.Name, func() error {
			if !accountKey.MatchString(in.Account) {
				return fmt.Errorf("account %q is not 12 digits", in.Account)
			}
			if !regionForm.MatchString(in.Region) {
				return fmt.Errorf("%q is no region", in.Region)
			}
			if !validBucketName(in.Name) {
				return fmt.Errorf("%q is no bucket name", in.Name)
			}
			if b := s.world.S3.Buckets[in.Name]; b != nil {
				if b.Account != in.Account {
					return fmt.Errorf("the bucket belongs to account %s already", b.Account)
				}
				return nil
			}
			s.world.S3.Buckets[in.Name] = newBucket(in.Name, in.Account, in.Region, s.now())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func s3BucketOperations() []s3Operation {
	return []s3Operation{
		{name: "ListBuckets", method: http.MethodGet, level: s3Service, query: []string{"max-buckets", "continuation-token", "prefix", "bucket-region"}, run: (*s3Call).listBuckets},
		{name: "CreateBucket", method: http.MethodPut, level: s3Bucket, headers: []string{"x-amz-acl", "x-amz-object-ownership", "x-amz-bucket-object-lock-enabled"}, run: (*s3Call).createBucket},
		{name: "DeleteBucket", method: http.MethodDelete, level: s3Bucket, run: (*s3Call).deleteBucket},
		{name: "HeadBucket", method: http.MethodHead, level: s3Bucket, run: (*s3Call).headBucket},
		{name: "GetBucketLocation", method: http.MethodGet, level: s3Bucket, sub: "location", run: (*s3Call).getBucketLocation},
	}
}

var bucketNameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// validBucketName is S3's rule for new general purpose buckets (S3: bucketnamingrules).
func validBucketName(name string) bool {
	if !bucketNameForm.MatchString(name) || strings.Contains(name, "..") || strings.Contains(name, ".-") || strings.Contains(name, "-.") || net.ParseIP(name) != nil {
		return false
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, p := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, p) {
			return false
		}
	}
	return true
}

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

// maxBuckets is how many buckets an account can have (S3: BucketRestrictions).
const maxBuckets = 10000

// bucketsOwned counts the caller's buckets.
func (c *s3Call) bucketsOwned() int {
	n := 0
	for _, b := range c.server.world.S3.Buckets {
		if b.Account == c.caller.Account {
			n++
		}
	}
	return n
}

// createRequest is CreateBucket's body.
type createRequest struct {
	LocationConstraint string
	Tags               []tag `xml:"Tags>Tag"`
}

// createBucket makes a bucket. In us-east-1 one's own bucket may be created
// again; elsewhere that is BucketAlreadyOwnedByYou (S3 API: CreateBucket).
func (c *s3Call) createBucket() (*response, error) {
	name := c.at.bucket
	if !validBucketName(name) {
		e := fault(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
		e.detail = map[string]string{"BucketName": name}
		return nil, e
	}
	if want := c.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" {
		return nil, notImplemented("the header x-amz-expected-bucket-owner of CreateBucket")
	}
	if v := c.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"); v != "" && !strings.EqualFold(v, "false") {
		return nil, notImplemented("the header x-amz-bucket-object-lock-enabled: %s of CreateBucket", v)
	}
	var in createRequest
	if len(c.data) > 0 {
		if err := c.readXML(&in, "CreateBucketConfiguration", "LocationConstraint", "Tags", "Tag", "Key", "Value"); err != nil {
			return nil, err
		}
	}
	region, err := c.newRegion(in.LocationConstraint)
	if err != nil {
		return nil, err
	}
	ownership := c.Header.Get("X-Amz-Object-Ownership")
	if ownership == "" {
		ownership = enforced
	}
	if !slices.Contains(ownerships, ownership) {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "Invalid x-amz-object-ownership header: %s", ownership)
	}
	if acl := c.Header.Get("X-Amz-Acl"); acl != "" && acl != "private" {
		if ownership == enforced {
			return nil, fault(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		return nil, notImplemented("the bucket ACL %s", acl)
	}
	context := c.sentKeys("x-amz-acl", "x-amz-object-ownership")
	if in.LocationConstraint != "" {
		context["s3:LocationConstraint"] = []string{in.LocationConstraint}
	}
	for _, t := range in.Tags {
		context["aws:RequestTag/"+t.Key] = []string{t.Value}
		context["aws:TagKeys"] = append(context["aws:TagKeys"], t.Key)
	}
	if c.caller.Account == "" {
		return nil, refusal(c.service.unsigned)
	}
	actions := []string{"s3:CreateBucket"}
	if len(in.Tags) > 0 {
		if err := checkTags(in.Tags, 50); err != nil {
			return nil, err
		}
		actions = append(actions, "s3:TagResource")
	}
	for _, a := range actions {
		p := permission{action: a, resource: c.server.bucketARN(name, ""), context: c.s3Keys(c.caller.Account, context)}
		if err := c.authorize(p); err != nil {
			return nil, err
		}
	}
	if b := c.server.world.S3.Buckets[name]; b != nil {
		switch {
		case b.Account != c.caller.Account:
			e := fault(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
			e.detail = map[string]string{"BucketName": name}
			return nil, e
		case region != "us-east-1" || b.Region != "us-east-1":
			e := fault(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
			e.detail = map[string]string{"BucketName": name}
			return nil, e
		}
	} else {
		if c.bucketsOwned() >= maxBuckets {
			return nil, fault(http.StatusBadRequest, "TooManyBuckets", "You have attempted to create more buckets than allowed")
		}
		b := newBucket(name, c.caller.Account, region, c.now)
		b.Ownership, b.Tags = ownership, in.Tags
		c.server.world.S3.Buckets[name] = b
	}
	r := bare(http.StatusOK)
	r.header.Set("Location", "/"+name)
	r.header.Set("X-Amz-Bucket-Arn", c.server.bucketARN(name, ""))
	return r, nil
}

// newRegion is where a bucket is to be: the region of the endpoint and the
// LocationConstraint must agree, but us-east-1 takes all.
func (c *s3Call) newRegion(constraint string) (string, error) {
	endpoint := c.credential.region
	if constraint == "EU" {
		constraint = "eu-west-1"
	}
	illegal := func(what string) error {
		return fault(http.StatusBadRequest, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", what)
	}
	switch {
	case constraint == "" && endpoint == "us-east-1":
		return endpoint, nil
	case constraint == "":
		return "", illegal("unspecified")
	case constraint == "us-east-1" || !regionForm.MatchString(constraint):
		e := fault(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
		e.detail = map[string]string{"LocationConstraint": constraint}
		return "", e
	case endpoint != "us-east-1" && endpoint != constraint:
		return "", illegal(constraint)
	}
	return constraint, nil
}

func (c *s3Call) deleteBucket() (*response, error) {
	if err := c.allow("s3:DeleteBucket", "", nil); err != nil {
		return nil, err
	}
	if len(c.bucket.Objects) > 0 {
		e := fault(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		e.detail = map[string]string{"BucketName": c.bucket.Name}
		return nil, e
	}
	delete(c.server.world.S3.Buckets, c.bucket.Name)
	return bare(http.StatusNoContent), nil
}

func (c *s3Call) headBucket() (*response, error) {
	if err := c.allow("s3:ListBucket", "", nil); err != nil {
		return nil, err
	}
	r := bare(http.StatusOK)
	r.header.Set("X-Amz-Bucket-Region", c.bucket.Region)
	r.header.Set("X-Amz-Bucket-Arn", c.server.bucketARN(c.bucket.Name, ""))
	r.header.Set("X-Amz-Access-Point-Alias", "false")
	r.header.Set("Content-Type", "application/xml")
	return r, nil
}

// getBucketLocation says nothing for us-east-1.
func (c *s3Call) getBucketLocation() (*response, error) {
	if err := c.allow("s3:GetBucketLocation", "", nil); err != nil {
		return nil, err
	}
	region := c.bucket.Region
	if region == "us-east-1" {
		region = ""
	}
	return xmlAnswer("LocationConstraint", region)
}

type s3Owner struct{ ID string }

func (c *s3Call) owner(account string) *s3Owner { return &s3Owner{c.server.canonicalID(account)} }

type listedBucket struct {
	Name         string
	CreationDate string
	BucketRegion string `xml:",omitempty"`
	BucketArn    string `xml:",omitempty"`
}

// listBuckets lists the caller's account's buckets. Region and ARN are given
// only where some parameter was sent.
func (c *s3Call) listBuckets() (*response, error) {
	if c.caller.Account == "" {
		return nil, refusal(c.service.unsigned)
	}
	if err := c.authorize(permission{action: "s3:ListAllMyBuckets", resource: "*", context: c.s3Keys(c.caller.Account, nil)}); err != nil {
		return nil, err
	}
	most, err := limit(first(c.form["max-buckets"]), 10000, 10000)
	if err != nil || most == 0 {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000")
	}
	after, err := base64.URLEncoding.DecodeString(first(c.form["continuation-token"]))
	if err != nil {
		return nil, fault(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
	}
	prefix, region := first(c.form["prefix"]), first(c.form["bucket-region"])
	asked := slices.ContainsFunc([]string{"max-buckets", "continuation-token", "prefix", "bucket-region"}, func(k string) bool { return len(c.form[k]) > 0 })
	out := struct {
		Owner             *s3Owner
		Buckets           []listedBucket `xml:"Buckets>Bucket"`
		ContinuationToken string         `xml:",omitempty"`
		Prefix            string         `xml:",omitempty"`
	}{Owner: c.owner(c.caller.Account), Prefix: prefix}
	for _, name := range sortedKeys(c.server.world.S3.Buckets) {
		b := c.server.world.S3.Buckets[name]
		if b.Account != c.caller.Account || !strings.HasPrefix(name, prefix) || region != "" && b.Region != region || name <= string(after) {
			continue
		}
		if len(out.Buckets) == most {
			out.ContinuationToken = base64.URLEncoding.EncodeToString([]byte(out.Buckets[most-1].Name))
			break
		}
		l := listedBucket{Name: name, CreationDate: b.Created.Format(s3TimeForm)}
		if asked {
			l.BucketRegion, l.BucketArn = b.Region, c.server.bucketARN(name, "")
		}
		out.Buckets = append(out.Buckets, l)
	}
	return xmlAnswer("ListAllMyBucketsResult", out)
}

// limit reads a number of entries asked for: usual where none was, at most most.
func limit(text string, usual, most int) (int, error) {
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number of entries", text)
	}
	return min(n, most), nil
}

// checkTags refuses what S3 refuses in a set of tags.
func checkTags(tags []tag, most int) error {
	if len(tags) > most {
		return fault(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than %d", most)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 128:
			return fault(http.StatusBadRequest, "InvalidTag", "The TagKey you have provided is invalid")
		case len([]rune(t.Value)) > 256:
			return fault(http.StatusBadRequest, "InvalidTag", "The TagValue you have provided is invalid")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return fault(http.StatusBadRequest, "InvalidTag", "System tags cannot be added/updated by requester")
		case seen[t.Key]:
			return fault(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		seen[t.Key] = true
	}
	return nil
}
