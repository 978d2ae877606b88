package iampolicy

import "strings"

// ARN is an ARN's parts (IAM:reference-arns); Resource may hold colons.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// CutARN takes an ARN, or a pattern for ARNs, apart; all parts are empty for
// what is none.
func CutARN(s string) ARN {
	a, ok := parseARN(s)
	if !ok {
		return ARN{}
	}
	return a
}

func parseARN(s string) (a ARN, ok bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return ARN{}, false
	}
	for _, part := range [...]*string{&a.Partition, &a.Service, &a.Region, &a.Account} {
		end := 0 // the parts are short, so that searching by words would take longer
		for end < len(rest) && rest[end] != ':' {
			end++
		}
		if end == len(rest) {
			return ARN{}, false
		}
		*part, rest = rest[:end], rest[end+1:]
	}
	a.Resource = rest
	return a, a.Partition != "" && a.Service != "" && a.Resource != ""
}

// who is a caller with all that principals are compared with.
type who struct {
	kind      PrincipalKind
	arn       string
	partition string
	account   string
	rootLen   int    // of the ARN that stands for the whole account; see isRoot
	role      string // the role's ARN, of roles and sessions
	caller    string // the user's or session's own ARN
	direct    grant  // what a grant to that is
	roleName  string // set where the role's path is not known
	uniqueID  string // of the user or role, which AWS stores in place of an ARN (IAM:reference_identifiers#identifiers-unique-ids)
	idPrefix  string // what such ids begin with
	byID      grant  // what a grant to it is

	hasIdentity bool // identity policies can belong to the caller
	linked      bool // a service-linked role
	federated   bool // a user with a session policy: it got credentials by STS:API_GetFederationToken

	// sizes has a bit for the length, modulo 64, of each name that a policy may
	// call the caller by, so that most other names need not be looked at.
	sizes uint64
}

// identify takes a caller apart; problem is empty when it is one.
func (w *who) identify(c *Caller) (problem string) {
	problem = w.read(c)
	w.sizes = 1 << len("*")
	for _, length := range [...]int{len(w.account), w.rootLen, len(w.role), len(w.caller), len(w.uniqueID)} {
		w.sizes |= 1 << (length & 63)
	}
	return problem
}

// read is identify without the sizes.
func (w *who) read(c *Caller) (problem string) {
	w.kind, w.arn, w.account = c.Kind, c.ARN, c.Account
	w.uniqueID, _, _ = strings.Cut(c.UniqueID, ":") // of a session: AROA…:session
	switch c.Kind {
	case Anonymous:
		return ""
	case Service:
		if c.ARN == "" || isWild(c.ARN) {
			return "the caller is a service without a name"
		}
		return ""
	}
	a, ok := parseARN(c.ARN)
	if !ok {
		return "the caller's ARN " + string(quote(c.ARN)) + " is no ARN"
	}
	if !IsAccountID(a.Account) {
		return "the caller's ARN " + c.ARN + " names no account of 12 digits"
	}
	if w.account == "" {
		w.account = a.Account
	}
	if w.account != a.Account {
		return "the caller's ARN " + c.ARN + " is not of account " + c.Account
	}
	w.partition, w.hasIdentity = a.Partition, true
	w.rootLen = len("arn:") + len(a.Partition) + len(":iam::") + len(a.Account) + len(":root")
	w.byID, w.idPrefix = byRole, "AROA"
	role, fits := a, false // no ARN of IAM's and STS's has a region
	switch c.Kind {
	case Root:
		w.idPrefix = ""
		fits = a.Service == "iam" && a.Resource == "root"
	case User:
		fits = a.Service == "iam" && named(a.Resource, "user/")
		w.caller, w.direct, w.byID, w.idPrefix = c.ARN, byUser, byUser, "AIDA"
	case Role:
		fits = a.Service == "iam" && named(a.Resource, "role/")
		w.role = c.ARN
	case Session:
		w.caller, w.direct = c.ARN, bySession
		name, session, found := strings.Cut(strings.TrimPrefix(a.Resource, "assumed-role/"), "/")
		fits = a.Service == "sts" && strings.HasPrefix(a.Resource, "assumed-role/") && found && name != "" && session != "" && !strings.Contains(session, "/")
		if c.RoleARN == "" {
			w.role = "arn:" + a.Partition + ":iam::" + a.Account + ":role/" + name
			w.roleName = name
			break
		}
		w.role = c.RoleARN
		role, ok = parseARN(c.RoleARN)
		if fits && (!ok || role.Service != "iam" || role.Account != a.Account || role.Partition != a.Partition ||
			!strings.HasPrefix(role.Resource, "role/") || lastPart(role.Resource) != name) {
			return "the session " + c.ARN + " is not one of role " + c.RoleARN
		}
	}
	if !fits || a.Region != "" {
		return "the caller " + c.ARN + " is not of kind " + string(c.Kind)
	}
	// Roles that AWS services own: SCPs and RCPs pass them by
	// (ORG:orgs_manage_policies_scps, ORG:orgs_manage_policies_rcps).
	w.linked = w.role != "" && strings.HasPrefix(role.Resource, "role/aws-service-role/")
	return ""
}

func named(resource, prefix string) bool {
	return strings.HasPrefix(resource, prefix) && lastPart(resource) != ""
}

func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
