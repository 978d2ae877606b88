// Package specs reads a repository of share specs: strictly, with positions,
// and with all errors at once. It does no I/O but through the fs.FS it is given.
package specs

import (
	"fmt"
	"time"
)

// APIVersion is the only value of apiVersion that this version reads.
const APIVersion = "xshare/v1"

// Pos is a place in a file of the repository. Line and Col start at 1.
type Pos struct {
	File string // slash-separated, relative to the repository's root
	Line int
	Col  int
}

// String is "file:line:col", or "" for the zero Pos.
func (p Pos) String() string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Severity is how grave a problem is.
type Severity string

// The severities of a problem.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing wrong, with where it is and how to mend it. It is the
// form of all problems, from the YAML to the live accounts; as an error it
// reads "file:line:col: what is wrong: how to mend it".
type Problem struct { //nolint:errname // a problem is more than an error: warnings are problems too
	Code     string // stable, such as "unknown-field"
	Severity Severity
	Share    string // name of the share, where there is one
	Account  string // 12 digits, where there is one
	Step     string // step id, where there is one
	Source   Pos
	Message  string // what is wrong
	Mend     string // how to mend it
}

// Repository is a whole repository of specs, validated. Lists are sorted by
// name, whatever order the files had.
type Repository struct {
	Name                string
	FormerNames         []string
	Region              string
	DeployRole          string // role name or path/name, or "none"
	ReadRole            string // empty: DeployRole with a read-only session policy
	ExternalID          string
	PermissionsBoundary string
	Accounts            []*Account // by alias
	Include             []string
	Tags                map[string]string
	Lock                *Lock    // nil: none
	Shares              []*Share // by name
	Pos                 Pos
}

// Lock is where the lock of the repository is kept, and the last commit that
// was applied: objects in a bucket that must exist.
type Lock struct {
	Bucket  string
	Account *Account
	Region  string
	Expires time.Duration // after which a lock that was not renewed may be taken over
	Pos     Pos
}

// Account is one AWS account of the repository, with defaults filled in from
// the Repository.
type Account struct {
	Alias      string
	ID         string // 12 digits
	Region     string
	DeployRole string // role name or path/name, or "none"
	ReadRole   string // empty: DeployRole with a read-only session policy
	ExternalID string
	Profile    string // AWS profile that the credentials start from; empty: the default chain
	Manage     bool   // false: a partner's account, neither read nor written
	Retired    bool   // no shares; still swept for what is ours
	Pos        Pos
}

// Share is one stated intent: a bucket and who may use it.
type Share struct {
	Name        string
	Owner       string
	Description string
	Bucket      Bucket
	Consumers   []*Consumer // in the order of the file
	Pos         Pos
}

// Bucket is the bucket of a share.
type Bucket struct {
	Name    string
	Account *Account
	Region  string // where Create is false and the spec names none: empty, to be found out
	Create  bool
	Pos     Pos
}

// Consumer is one role and what it may do with the bucket: a grant.
type Consumer struct {
	Account    *Account
	Role       Role
	Access     []Access // sorted by rank list < read < write < delete < full, no doubles
	Actions    []string // further S3 actions in their canonical case, sorted
	Prefixes   []string // sorted; empty: the whole bucket
	PolicyName string   // empty: chosen by the plan
	Instances  []Instance
	Pos        Pos
}

// Role is a consumer's role.
type Role struct {
	Name                string
	Path                string // with slashes at both ends; "/" by default
	Create              bool
	TrustService        string // service principal, such as "ec2.amazonaws.com"; empty with TrustPolicy
	TrustPolicy         []byte // JSON text of the file named by trustPolicy; nil otherwise
	TrustFile           string // that file's name, relative to the repository's root
	InstanceProfile     string // name; empty: none
	PermissionsBoundary string // policy name or ARN; the repository's where the role says none; empty: none
	Pos                 Pos
}

// Instance is an EC2 instance to launch (Name is set), or one that exists and
// gets the profile (ID is set).
type Instance struct {
	Name           string
	ID             string
	Image          string // "amazon-linux-2023", "amazon-linux-2" or "ami-…"
	Type           string
	Region         string
	Subnet         string
	SecurityGroups []string // sorted
	KeyName        string
	Pos            Pos
}

// Access is a word for a set of S3 actions.
type Access string

// The access words, in ascending rank.
const (
	AccessList   Access = "list"
	AccessRead   Access = "read"
	AccessWrite  Access = "write"
	AccessDelete Access = "delete"
	AccessFull   Access = "full"
)
