package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

const iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// queryRefusals are the words of STS and IAM (common errors of the query APIs).
func queryRefusals() refusals {
	return refusals{
		unsigned:   apiError{status: http.StatusForbidden, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token"},
		unknownKey: apiError{status: http.StatusForbidden, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."},
		badToken:   apiError{status: http.StatusForbidden, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."},
		expired:    apiError{status: http.StatusForbidden, code: "ExpiredToken", message: "The security token included in the request is expired"},
		throttled:  apiError{status: http.StatusBadRequest, code: "Throttling", message: "Rate exceeded"},
		denied:     accessDenied,
	}
}

// newIAM is the IAM service.
func newIAM(*Server) *service {
	ops := operations{}
	for _, part := range []operations{roleOperations(), userOperations(), groupOperations(), policyOperations(), profileOperations(), accountOperations()} {
		maps.Copy(ops, part)
	}
	v := queryService("iam", iamNamespace, ops, []string{"RoleName", "PolicyArn", "InstanceProfileName", "PolicyName", "UserName", "GroupName"})
	v.refusals = queryRefusals()
	return v
}

// newPolicy makes a managed policy, without a version, that is in no account yet.
func (s *Server) newPolicy(account, name, path string, now time.Time) *policy {
	return &policy{
		newness: newness{Created: now}, Account: account, Name: name, Path: path,
		ID: s.uniqueID("ANPA", account, name), ARN: s.arn("iam", "", account, "policy"+path+name),
		Updated: timestamp{now},
	}
}

// newProfile makes an instance profile that is in no account yet.
func (s *Server) newProfile(account, name, path string, now time.Time) *profile {
	return &profile{
		newness: newness{Created: now}, Account: account, Name: name, Path: path,
		ID: s.uniqueID("AIPA", account, name), ARN: s.arn("iam", "", account, "instance-profile"+path+name),
	}
}

// addVersion adds a version, as the default one or not.
func (p *policy) addVersion(text string, isDefault bool, now time.Time) *version {
	p.Made++
	v := &version{ID: "v" + strconv.Itoa(p.Made), Text: text, Created: timestamp{now}}
	p.Versions = append(p.Versions, v)
	if isDefault {
		p.Default = v.ID
	}
	p.Updated = timestamp{now}
	return v
}

// current is the policy's default version.
func (p *policy) current() *version {
	i := slices.IndexFunc(p.Versions, func(v *version) bool { return v.ID == p.Default })
	if i < 0 {
		return nil
	}
	return p.Versions[i]
}

// findPolicy finds a managed policy by its ARN, AWS's own included; nil: none.
func (s *Server) findPolicy(arn string) *policy {
	account, resource := splitIAM(arn)
	name, ok := strings.CutPrefix(resource, "policy/")
	if !ok {
		return nil
	}
	name = name[strings.LastIndex(name, "/")+1:]
	if account == "aws" {
		return s.builtIn(arn)
	}
	a := s.world.Accounts[account]
	if a == nil || a.Policies[name] == nil || a.Policies[name].ARN != arn {
		return nil
	}
	return a.Policies[name]
}

// identityPolicies are the attached and inline policies of a role, user or group.
func (s *Server) identityPolicies(e *entity) ([]iampolicy.Named, error) {
	var out []iampolicy.Named
	for _, arn := range e.Attached {
		named, err := s.managedPolicies("policy ", arn)
		if err != nil {
			return nil, err
		}
		out = append(out, named...)
	}
	for _, name := range sortedKeys(e.Inline) {
		d, err := s.document(e.Inline[name])
		if err != nil {
			return nil, err
		}
		out = append(out, iampolicy.Named{Name: "inline policy " + name, Document: d})
	}
	return out, nil
}

// managedPolicies is the default version of a managed policy. One that is gone
// (a boundary may be) allows nothing.
func (s *Server) managedPolicies(what, arn string) ([]iampolicy.Named, error) {
	p := s.findPolicy(arn)
	if p == nil {
		return []iampolicy.Named{{Name: what + arn, Document: &iampolicy.Document{Version: iampolicy.Version2012}}}, nil
	}
	d, err := s.document(p.current().Text)
	if err != nil {
		return nil, err
	}
	return []iampolicy.Named{{Name: what + p.Name, Document: d}}, nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
