package sandbox

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// denial is what a service's error message is made of.
type denial struct {
	user, action, resource string
	// because is AWS's clause about the layer, such as "because no
	// identity-based policy allows the s3:PutObject action". AWS gives it
	// within an account only, so it is empty across accounts
	// (IAM:troubleshoot_access-denied).
	because string
}

func newDenial(who caller, p permission, d iampolicy.Decision) denial {
	v := denial{user: who.ARN, action: p.action, resource: p.resource}
	switch {
	case who.Kind == iampolicy.Anonymous:
		return v
	case p.account != who.Account && strings.HasPrefix(p.action, "kms:"):
		v.because = keyDenied(p.action, d)
		return v
	case p.account != who.Account:
		return v
	}
	// The first of these that denies is the one that AWS reports. Where either
	// policy would do, that is the identity policy.
	order := []iampolicy.Side{
		iampolicy.SideRCP, iampolicy.SideSCP, iampolicy.SideEndpoint, iampolicy.SideIdentity,
		iampolicy.SideResource, iampolicy.SideBoundary, iampolicy.SideSession,
	}
	kinds := map[iampolicy.Side][2]string{
		iampolicy.SideRCP:      {"a", "resource control policy"},
		iampolicy.SideSCP:      {"a", "service control policy"},
		iampolicy.SideEndpoint: {"a", "VPC endpoint policy"},
		iampolicy.SideResource: {"a", "resource-based policy"},
		iampolicy.SideIdentity: {"an", "identity-based policy"},
		iampolicy.SideBoundary: {"a", "permissions boundary"},
		iampolicy.SideSession:  {"a", "session policy"},
	}
	for _, side := range order {
		if d.Outcome == iampolicy.ExplicitDeny {
			for _, r := range d.Reasons {
				if r.Side == side && r.Effect == iampolicy.Deny {
					v.because = "with an explicit deny in " + kinds[side][0] + " " + kinds[side][1]
					return v
				}
			}
			continue
		}
		for _, lacking := range d.Lacking {
			if lacking == side {
				v.because = "because no " + kinds[side][1] + " allows the " + p.action + " action"
				return v
			}
		}
	}
	return v
}

// keyDenied is KMS's clause across accounts. Of the caller's side it tells the
// layer; that a key is not there it does not tell from a policy that denies.
func keyDenied(action string, d iampolicy.Decision) string {
	for _, r := range d.Reasons {
		switch {
		case r.Side == iampolicy.SideIdentity && r.Effect == iampolicy.Deny:
			return "with an explicit deny in an identity-based policy"
		case r.Side == iampolicy.SideIdentity && r.Effect == "":
			return "because no identity-based policy allows the " + action + " action"
		}
	}
	return "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
}

// text is AWS's sentence, with the resource as the service writes it.
func (d denial) text(resource string) string {
	user := d.user
	if user == "" {
		user = "anonymous"
	}
	s := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", user, d.action, resource)
	if d.because != "" {
		s += " " + d.because
	}
	return s
}

// accessDenied words denials as STS and IAM do.
func accessDenied(d denial) *apiError {
	return fault(http.StatusForbidden, "AccessDenied", "%s", d.text(d.resource))
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// host is an address without its port.
func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return h
}
