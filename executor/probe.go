package executor

import "context"

// Prober tries, by real S3 calls as the role, what a grant promises.
type Prober interface {
	// Probe never leaves an object of its own behind if it can help it, and
	// touches no other. A cancelled context is its only error; all else is in
	// the result, also what is left behind then.
	Probe(ctx context.Context, grant ProbeGrant) (ProbeResult, error)
}

// ProbeGrant is a grant to try.
type ProbeGrant struct {
	Share        string
	Consumer     string // account/role
	RoleARN      string
	RoleAccount  string
	Bucket       string
	BucketRegion string // empty: found out
	OwnerAccount string
	OwnerManaged bool     // false: no credentials of the owner's to be had
	Prefixes     []string // empty: the whole bucket
	List         bool
	Read         bool
	Write        bool
	Delete       bool
	// Shared: another grant gives the same role access to the same bucket, so
	// that nothing can be said to be withheld from it.
	Shared    bool
	Instances []ProbeInstance // where an instance role's credentials may be had
	Profile   string          // the role's instance profile, by name; empty: none
	// AnyInstance lets commands be run on instances that xshare did not launch.
	AnyInstance bool
}

// ProbeInstance is an instance that has the role.
type ProbeInstance struct {
	ID       string
	Region   string
	State    string // "running", …
	Launched bool   // by xshare, not merely named by a spec
	Profile  string // its instance profile, by name; empty: none
}

// ProbeVerdict is what a probe found.
type ProbeVerdict string

// The verdicts of a probe.
const (
	ProbeWorks     ProbeVerdict = "works"
	ProbeFails     ProbeVerdict = "fails"
	ProbeNotProbed ProbeVerdict = "not probed"
)

// ProbeResult is what was tried and what came of it.
type ProbeResult struct {
	Verdict ProbeVerdict
	Via     string // where the role's credentials came from, "AssumeRole", "SSM on i-0123", or in a sandbox "metadata of i-0123"
	Reason  string // of fails and not probed, one sentence
	Calls   []ProbeCall
}

// ProbeCall is one S3 call of a probe.
type ProbeCall struct {
	As        string // "role" or "owner"
	Operation string // "PutObject"
	Resource  string // bucket/key or bucket/prefix
	Expected  string // "allowed" or "denied"
	OK        bool   // it went as expected
	Code      string // S3's error code; empty: it succeeded
}
