package awslive

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/xshare/xshare/internal/iampolicy"
)

// isInvalidPrincipal reports whether a policy was refused because AWS does not
// know a principal in it: it is not there, or not yet seen everywhere.
func isInvalidPrincipal(err error) bool {
	var e smithy.APIError
	return errors.As(err, &e) &&
		(e.ErrorCode() == "MalformedPolicy" || e.ErrorCode() == "MalformedPolicyDocument") &&
		strings.Contains(strings.ToLower(e.ErrorMessage()), "invalid principal")
}

// principalName is a principal of a policy, by the key that it stands under.
type principalName struct{ kind, name string }

// invalidPrincipal is how IAM names the principal that it does not know; S3
// names none.
var invalidPrincipal = regexp.MustCompile(`(?i)invalid principal in policy: *"(AWS|SERVICE|FEDERATED|CANONICALUSER)" *: *"([^"]*)"`)

// namedPrincipal is the principal that an invalid-principal error names.
func namedPrincipal(err error) (principalName, bool) {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return principalName{}, false
	}
	found := invalidPrincipal.FindStringSubmatch(e.ErrorMessage())
	if found == nil {
		return principalName{}, false
	}
	return principalName{strings.ToUpper(found[1]), found[2]}, true
}

// principalMend says how to mend a policy with a principal that AWS does not
// know.
func principalMend(err error) string {
	p, ok := namedPrincipal(err)
	switch {
	case !ok:
		return "a principal that the policy names does not exist: see that the role's account id, path and name are right and that it is there"
	case p.kind == "SERVICE":
		return "AWS knows no service " + p.name + ": correct the name; a service's is like ec2.amazonaws.com"
	case p.kind == "FEDERATED":
		return "there is no identity provider " + p.name + ": correct the name or ARN, or create the provider first"
	case p.kind == "CANONICALUSER":
		return "AWS knows no canonical user id " + p.name + ": name the account or role by its ARN"
	case iampolicy.IsEntityID(p.name):
		return p.name + " is the id of a role or user that was deleted: name one that is there, by its ARN"
	case strings.HasSuffix(p.name, ":root"), !strings.Contains(p.name, "/"):
		return "AWS knows no account " + p.name + ": correct the account's id"
	}
	return p.name + " does not exist: see that its account id, path and name are right and that it is there"
}
