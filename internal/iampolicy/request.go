package iampolicy

// PrincipalKind says what sort of caller makes a request.
type PrincipalKind string

// The kinds of callers.
const (
	Anonymous PrincipalKind = "anonymous"
	Root      PrincipalKind = "root"
	User      PrincipalKind = "user"
	Role      PrincipalKind = "role"    // a role as such, any session of it
	Session   PrincipalKind = "session" // one session of a role
	Service   PrincipalKind = "service" // an AWS service, such as ec2.amazonaws.com
)

// Caller is who makes a request.
type Caller struct {
	Kind     PrincipalKind
	ARN      string // of the user, role, session or root; the name of a service; empty for anonymous
	Account  string // 12 digits; empty for anonymous and services
	RoleARN  string // for a session: its role's ARN, with path. For a role: the same as ARN
	UniqueID string // AROA… or AIDA…, empty when not known
}

// Request is one call to decide.
type Request struct {
	Caller          Caller
	Action          string // e.g. "s3:GetObject"
	Resource        string // ARN
	ResourceAccount string // 12 digits; the account that owns the resource; empty: taken from the ARN, else the caller's
	// Context holds the request's condition keys. Names are compared without
	// case. A key that is absent was not sent.
	Context map[string][]string
}

// Policies are all policies that bear on a request. A nil list means that
// there is no policy of that kind; for Boundary, Session and Endpoint that
// means "not limited".
type Policies struct {
	Identity []Named
	Resource *Named // bucket policy, key policy or trust policy
	Boundary []Named
	SCPs     [][]Named // one list a level, root first
	RCPs     [][]Named
	Session  []Named
	Endpoint []Named

	// RestrictPublicBuckets is S3 Block Public Access's setting in effect.
	RestrictPublicBuckets bool
}

// Outcome is a decision's verdict.
type Outcome string

// The verdicts. Invalid: the input is no request or no policy.
const (
	Allowed      Outcome = "allowed"
	ImplicitDeny Outcome = "implicitDeny"
	ExplicitDeny Outcome = "explicitDeny"
	Invalid      Outcome = "invalid"
)

// Side is a kind of policy that a request needs to be allowed by.
type Side string

// The sides, in the order in which decisions list them.
const (
	SideIdentity          Side = "identity"
	SideResource          Side = "resource"
	SideBoundary          Side = "boundary"
	SideSCP               Side = "scp"
	SideRCP               Side = "rcp"
	SideSession           Side = "session"
	SideEndpoint          Side = "endpoint"
	SideBlockPublicAccess Side = "blockPublicAccess"
)

// Decision is a verdict with all that led to it.
type Decision struct {
	Outcome Outcome
	// Lacking names every side that does not allow, in the order of the Side
	// constants; for an explicit deny the sides that deny come with them.
	Lacking []Side
	Reasons []Reason
}

// Reason is what one side said.
type Reason struct {
	Side      Side
	Effect    Effect // Allow, Deny, or empty: the side says nothing, which denies
	Policy    string // the Named.Name
	Sid       string // of the statement that decided; may be empty
	Statement int    // its index in the document, or -1
	Text      string // one sentence for people
}

// Allowed reports whether the request goes through.
func (d Decision) Allowed() bool { return d.Outcome == Allowed }
