package plan

import (
	"encoding/json"
	"maps"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Resource is the state of one resource, desired or live; one struct a step
// type. Live and desired have the same form, so a change is their difference.
type Resource interface {
	resource()
}

// Bucket is the state of an s3.Bucket.
type Bucket struct {
	Name   string            `json:"name"`
	Region string            `json:"region"`
	Tags   map[string]string `json:"tags,omitempty"` // nil: not read, or none wanted
}

// BucketPolicy is the state of an s3.BucketPolicy.
type BucketPolicy struct {
	Bucket string `json:"bucket"`
	Region string `json:"region"`
	// Ours are our statements, with Sids. A write merges them into what is
	// there then.
	Ours []iampolicy.Statement `json:"-"`
	// Document is the whole policy: read, or as forecast. Null: none.
	Document json.RawMessage `json:"document"`
}

// Role is the state of an iam.Role.
type Role struct {
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	ARN      string            `json:"arn"`
	Trust    json.RawMessage   `json:"trustPolicy,omitempty"`
	Boundary string            `json:"permissionsBoundary,omitempty"` // ARN; desired and empty: not ours to set
	Tags     map[string]string `json:"tags,omitempty"`
}

// Policy is the state of an iam.Policy, a customer managed policy.
type Policy struct {
	Name     string                `json:"name"`
	ARN      string                `json:"arn"`
	Tags     map[string]string     `json:"tags,omitempty"` // live: nil, since they are rarely read
	Ours     []iampolicy.Statement `json:"-"`
	Document json.RawMessage       `json:"document"`
}

// Attachment is the state of an iam.RolePolicyAttachment.
type Attachment struct {
	Role      string `json:"role"`
	PolicyARN string `json:"policyArn"`
}

// InstanceProfile is the state of an iam.InstanceProfile.
type InstanceProfile struct {
	Name string            `json:"name"`
	Path string            `json:"path"`
	ARN  string            `json:"arn"`
	Role string            `json:"role"` // name; live: empty where it holds none
	Tags map[string]string `json:"tags,omitempty"`
}

// Instance is the state of an ec2.Instance that xshare launches.
type Instance struct {
	ID             string            `json:"id,omitempty"` // live only
	Name           string            `json:"name"`
	Region         string            `json:"region"`
	Image          string            `json:"image,omitempty"` // a name is resolved at launch; never compared
	Type           string            `json:"instanceType"`
	Subnet         string            `json:"subnet,omitempty"`
	SecurityGroups []string          `json:"securityGroups,omitempty"`
	KeyName        string            `json:"keyName,omitempty"`
	ProfileARN     string            `json:"instanceProfileArn"`
	State          string            `json:"-"` // live only; it comes and goes, and is no part of what is compared
	Tags           map[string]string `json:"tags,omitempty"`
}

// Association is the state of an ec2.InstanceProfileAssociation: the profile
// of an instance that exists.
type Association struct {
	InstanceID string `json:"instanceId"`
	Region     string `json:"region"`
	ProfileARN string `json:"instanceProfileArn"` // live: empty where there is none
}

func (Bucket) resource()          {}
func (BucketPolicy) resource()    {}
func (Role) resource()            {}
func (Policy) resource()          {}
func (Attachment) resource()      {}
func (InstanceProfile) resource() {}
func (Instance) resource()        {}
func (Association) resource()     {}

// The tags that xshare sets. Roles, policies, profiles, instances and created
// buckets carry RepositoryTag, the mark of ownership.
const (
	RepositoryTag = "xshare:repository"
	ShareTag      = "xshare:share" // where one share uses the resource
	OwnerTag      = "xshare:owner" // that share's owner
	NameTag       = "xshare:name"  // an instance's name in its spec
)

// MissingTags returns those of want that live does not have with that value.
func MissingTags(want, live map[string]string) map[string]string {
	missing := maps.Clone(want)
	maps.DeleteFunc(missing, func(k, v string) bool {
		have, ok := live[k]
		return ok && have == v
	})
	return missing
}

// MaxPolicyVersions is how many versions a managed policy keeps at most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MaxPolicyVersions = 5

// NewestImage is how the newest of Amazon's images of a kind is found.
type NewestImage struct {
	Pattern    string // of its name, with *
	Deprecated bool   // those count that are no longer listed otherwise, as support has ended
}

// newestImages are by the word of the spec. The pattern of Amazon Linux 2 ends
// in "*" since newer images have a further ".N".
var newestImages = map[string]NewestImage{
	"amazon-linux-2":    {"amzn2-ami-hvm-2.0.*-x86_64-gp2", true},
	"amazon-linux-2023": {"al2023-ami-2023.*-x86_64", false},
}

// Newest tells how the image is found that a word of the spec stands for; not ok:
// it is no such word, but an id.
func Newest(image string) (NewestImage, bool) {
	n, ok := newestImages[image]
	return n, ok
}
