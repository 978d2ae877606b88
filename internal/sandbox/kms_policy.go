package sandbox

import (
	"errors"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// maxKeyPolicy is the size of a key policy in bytes (KMS:limits).
const maxKeyPolicy = 32 << 10

// policyName is the only name that a key policy has.
const policyName = "default"

func kmsPolicyOperations() jsonOperations {
	return jsonOperations{
		"GetKeyPolicy":    reading(getKeyPolicy),
		"PutKeyPolicy":    reading(putKeyPolicy),
		"ListKeyPolicies": reading(listKeyPolicies),
	}
}

// defaultKeyPolicy is what CreateKey puts where it is given none
// (KMS:key-policy-default): the account decides by its identity policies.
func defaultKeyPolicy(root string) string {
	return `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow",` +
		`"Principal":{"AWS":"` + root + `"},"Action":"kms:*","Resource":"*"}]}`
}

// keyPolicy is a key's policy as it is to be evaluated now: its statements, and
// its grants as further ones.
func (s *Server) keyPolicy(k *kmsKey) (*iampolicy.Document, error) {
	d, err := s.parsed(k.Policy)
	if err != nil || len(k.Grants) == 0 {
		return d, err
	}
	all := *d
	all.Statements = append([]iampolicy.Statement(nil), d.Statements...)
	for _, id := range sortedKeys(k.Grants) {
		all.Statements = append(all.Statements, s.grantStatements(k.Grants[id])...)
	}
	return &all, nil
}

func getKeyPolicy(c *call, in *struct {
	KeyID      string `json:"KeyId"`
	PolicyName string
},
) (any, error) {
	k, err := c.onOwnKey("kms:GetKeyPolicy", in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	return struct{ Policy, PolicyName string }{c.server.shown(k.Policy), policyName}, nil
}

// checkPolicyName takes the one name, and none.
func checkPolicyName(name string) error {
	if name != "" && name != policyName {
		return kmsNotFound("No such policy exists")
	}
	return nil
}

func putKeyPolicy(c *call, in *struct {
	KeyID                          string `json:"KeyId"`
	PolicyName                     string
	Policy                         *string
	BypassPolicyLockoutSafetyCheck bool
},
) (any, error) {
	k, err := c.onOwnKey("kms:PutKeyPolicy", in.KeyID, map[string][]string{
		"kms:BypassPolicyLockoutSafetyCheck": {strconv.FormatBool(in.BypassPolicyLockoutSafetyCheck)},
	})
	if err != nil {
		return nil, err
	}
	if in.Policy == nil {
		return nil, missingMember("Policy")
	}
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	policy, err := c.checkKeyPolicy(*in.Policy, in.BypassPolicyLockoutSafetyCheck)
	if err != nil {
		return nil, err
	}
	k.Policy = policy
	return nil, nil
}

func listKeyPolicies(c *call, in *struct {
	KeyID string `json:"KeyId"`
	kmsPaging
},
) (any, error) {
	if _, err := c.onOwnKey("kms:ListKeyPolicies", in.KeyID, nil); err != nil {
		return nil, err
	}
	list, next, err := kmsPage([]string{policyName}, func(name string) string { return name }, in.kmsPaging)
	return struct {
		PolicyNames []string
		kmsPaged
	}{list, next}, err
}

func malformedKeyPolicy(format string, args ...any) *apiError {
	return kmsFault("MalformedPolicyDocumentException", format, args...)
}

// checkKeyPolicy refuses what KMS refuses in a key policy: above all one that
// would not let its author change it again, unless that check is bypassed (KMS
// API reference, PutKeyPolicy).
func (c *call) checkKeyPolicy(text string, bypass bool) (boundPolicy, error) {
	if len(text) > maxKeyPolicy {
		return boundPolicy{}, kmsFault("LimitExceededException", "A key policy can have at most %d bytes", maxKeyPolicy)
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return boundPolicy{}, malformedKeyPolicy("The policy is not a valid policy document: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	for _, st := range d.Statements {
		switch {
		case st.Principal == nil && st.NotPrincipal == nil:
			return boundPolicy{}, malformedKeyPolicy("Policy contains a statement with no principal.")
		case len(st.Resource)+len(st.NotResource) == 0:
			return boundPolicy{}, malformedKeyPolicy("Policy contains a statement with no resource.")
		}
	}
	bound, err := c.server.bind(text, d, c.now)
	var bad *bindError
	if errors.As(err, &bad) {
		return boundPolicy{}, malformedKeyPolicy("Policy contains a statement with one or more invalid principals.")
	}
	if err != nil || bypass {
		return bound, err
	}
	// Whatever the author's own policies say: the key policy must not be what
	// stops the next PutKeyPolicy.
	everything, err := c.server.document(allowAll)
	if err != nil {
		return boundPolicy{}, err
	}
	p := permission{action: "kms:PutKeyPolicy", resource: c.server.arn("kms", c.credential.region, c.caller.Account, "key/new"), account: c.caller.Account}
	p.context = map[string][]string{"kms:CallerAccount": {c.caller.Account}, "kms:BypassPolicyLockoutSafetyCheck": {"false"}}
	again := iampolicy.Evaluate(iampolicy.Request{
		Caller: c.caller.Caller, Action: p.action, Resource: p.resource, ResourceAccount: p.account, Context: c.conditionKeys(p),
	}, iampolicy.Policies{Identity: []iampolicy.Named{{Name: "everything", Document: everything}}, Resource: &iampolicy.Named{Name: "the new key policy", Document: d}})
	if !again.Allowed() {
		return boundPolicy{}, malformedKeyPolicy("The new key policy will not allow you to update the key policy in the future.")
	}
	return bound, nil
}
