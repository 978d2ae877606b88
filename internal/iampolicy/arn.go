package iampolicy

import "strings"

// arn is an ARN's six parts (IAM:reference-arns); resource may hold colons.
type arn struct {
	partition, service, region, account, resource string
}

func parseARN(s string) (a arn, ok bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return arn{}, false
	}
	for _, part := range []*string{&a.partition, &a.service, &a.region, &a.account} {
		if *part, rest, ok = strings.Cut(rest, ":"); !ok {
			return arn{}, false
		}
	}
	a.resource = rest
	return a, a.partition != "" && a.service != "" && a.resource != ""
}

// who is a caller with all that principals are compared with.
type who struct {
	kind      PrincipalKind
	arn       string
	partition string
	account   string
	rootLen   int    // of the ARN that stands for the whole account; see isRoot
	role      string // the role's ARN, of roles and sessions
	roleName  string // set where the role's path is not known
	linked    bool   // a service-linked role
	uniqueID  string // of the user or role
}

// identify checks a caller; problem is empty when it is one.
func identify(c Caller) (w who, problem string) {
	w = who{kind: c.Kind, arn: c.ARN, account: c.Account}
	w.uniqueID, _, _ = strings.Cut(c.UniqueID, ":") // of a session: AROA…:session
	switch c.Kind {
	case Anonymous:
		return w, ""
	case Service:
		if c.ARN == "" || isWild(c.ARN) {
			return w, "the caller is a service without a name"
		}
		return w, ""
	}
	a, ok := parseARN(c.ARN)
	if !ok {
		return w, "the caller's ARN " + string(quote(c.ARN)) + " is no ARN"
	}
	if !isAccountID(a.account) {
		return w, "the caller's ARN " + c.ARN + " names no account of 12 digits"
	}
	if w.account == "" {
		w.account = a.account
	}
	if w.account != a.account {
		return w, "the caller's ARN " + c.ARN + " is not of account " + c.Account
	}
	w.partition = a.partition
	w.rootLen = len("arn:") + len(a.partition) + len(":iam::") + len(a.account) + len(":root")
	role, fits := a, false
	switch c.Kind {
	case Root:
		fits = a.service == "iam" && a.resource == "root"
	case User:
		fits = a.service == "iam" && named(a.resource, "user/")
	case Role:
		fits = a.service == "iam" && named(a.resource, "role/")
		w.role = c.ARN
	case Session:
		name, session, found := strings.Cut(strings.TrimPrefix(a.resource, "assumed-role/"), "/")
		fits = a.service == "sts" && strings.HasPrefix(a.resource, "assumed-role/") && found && name != "" && session != ""
		if c.RoleARN == "" {
			w.role = "arn:" + a.partition + ":iam::" + a.account + ":role/" + name
			w.roleName = name
			break
		}
		w.role = c.RoleARN
		role, ok = parseARN(c.RoleARN)
		if fits && (!ok || role.service != "iam" || role.account != a.account || role.partition != a.partition ||
			!strings.HasPrefix(role.resource, "role/") || lastPart(role.resource) != name) {
			return w, "the session " + c.ARN + " is not one of role " + c.RoleARN
		}
	}
	if !fits {
		return w, "the caller " + c.ARN + " is not of kind " + string(c.Kind)
	}
	// Roles that AWS services own: SCPs and RCPs pass them by
	// (ORG:orgs_manage_policies_scps, ORG:orgs_manage_policies_rcps).
	w.linked = w.role != "" && strings.HasPrefix(role.resource, "role/aws-service-role/")
	return w, ""
}

func named(resource, prefix string) bool {
	return strings.HasPrefix(resource, prefix) && lastPart(resource) != ""
}

func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// hasIdentity reports whether identity policies can belong to the caller.
func (w *who) hasIdentity() bool { return w.kind != Anonymous && w.kind != Service }
