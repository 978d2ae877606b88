package sandbox

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

func orgPolicyOperations() jsonOperations {
	return jsonOperations{
		"EnablePolicyType":      reading(enablePolicyType),
		"DisablePolicyType":     reading(disablePolicyType),
		"CreatePolicy":          reading(createOrgPolicy),
		"UpdatePolicy":          reading(updateOrgPolicy),
		"DeletePolicy":          reading(deleteOrgPolicy),
		"DescribePolicy":        reading(describeOrgPolicy),
		"AttachPolicy":          reading(attachOrgPolicy),
		"DetachPolicy":          reading(detachOrgPolicy),
		"ListPolicies":          reading(listOrgPolicies),
		"ListPoliciesForTarget": reading(listPoliciesForTarget),
		"ListTargetsForPolicy":  reading(listTargetsForPolicy),
	}
}

// The quotas of policies (ORG:orgs_reference_limits).
const (
	maxOrgPolicy   = 5120 // characters
	maxOrgAttached = 5    // of a type at one target
)

// orgPolicyType checks a type of policies.
func orgPolicyType(kind string) error {
	if byDefault[kind] == "" {
		return notImplemented("the policy type %q: it knows %s and %s", kind, scpType, rcpType)
	}
	return nil
}

func ofPolicyType(kind string) map[string][]string {
	return map[string][]string{"organizations:PolicyType": {kind}}
}

type policyTypeInput struct {
	RootID     string `json:"RootId"`
	PolicyType string
}

// policyTypeAt finds the organization whose root a call is about.
func (c *call) policyTypeAt(in *policyTypeInput) (*organization, error) {
	if err := orgPolicyType(in.PolicyType); err != nil {
		return nil, err
	}
	o, err := c.manage(ofPolicyType(in.PolicyType), c.target(in.RootID))
	if err == nil && in.RootID != o.Root {
		err = orgFault("RootNotFoundException", "We can't find a root with the RootId that you specified.")
	}
	return o, err
}

// enablePolicyType attaches what allows everything to all that there is.
func enablePolicyType(c *call, in *policyTypeInput) (any, error) {
	o, err := c.policyTypeAt(in)
	if err != nil {
		return nil, err
	}
	if o.Enabled[in.PolicyType] {
		return nil, orgFault("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
	}
	o.Enabled[in.PolicyType] = true
	for _, at := range slices.Concat([]string{o.Root}, sortedKeys(o.Units), sortedKeys(o.Members)) {
		o.Attached[at] = append(o.Attached[at], byDefault[in.PolicyType])
	}
	return struct{ Root rootJSON }{c.rootJSON(o)}, nil
}

// disablePolicyType detaches all policies of the type.
func disablePolicyType(c *call, in *policyTypeInput) (any, error) {
	o, err := c.policyTypeAt(in)
	if err != nil {
		return nil, err
	}
	if !o.Enabled[in.PolicyType] {
		return nil, policyTypeNotEnabled()
	}
	delete(o.Enabled, in.PolicyType)
	for at, list := range o.Attached {
		o.Attached[at] = slices.DeleteFunc(list, func(id string) bool { return o.policy(id).Type == in.PolicyType })
	}
	return struct{ Root rootJSON }{c.rootJSON(o)}, nil
}

func policyTypeNotEnabled() error {
	return orgFault("PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root.")
}

type orgPolicySummary struct {
	ID          string `json:"Id"`
	ARN         string `json:"Arn"`
	Name        string
	Description string
	Type        string
	AwsManaged  bool
}

type orgPolicyJSON struct {
	PolicySummary orgPolicySummary
	Content       string
}

func (c *call) orgPolicySummary(o *organization, p *orgPolicy) orgPolicySummary {
	return orgPolicySummary{p.ID, o.policyARN(c.server, p), p.Name, p.Description, p.Type, awsPolicies[p.ID] != nil}
}

func (c *call) orgPolicyJSON(o *organization, p *orgPolicy) any {
	return struct{ Policy orgPolicyJSON }{orgPolicyJSON{c.orgPolicySummary(o, p), p.Content}}
}

// checkOrgPolicy refuses what Organizations refuses: service control policies
// name no principals; resource control policies name all, and only deny
// (ORG:orgs_manage_policies_rcps_syntax).
func checkOrgPolicy(kind, content string) error {
	if len([]rune(content)) > maxOrgPolicy {
		return orgFault("ConstraintViolationException", "POLICY_CONTENT_LIMIT_EXCEEDED: a policy can have at most %d characters.", maxOrgPolicy)
	}
	malformed := func(why string) error {
		return orgFault("MalformedPolicyDocumentException", "The provided policy document does not meet the requirements of the specified policy type: %s", why)
	}
	d, err := iampolicy.Parse([]byte(content))
	if err != nil {
		return malformed(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	for _, st := range d.Statements {
		named := st.Principal != nil || st.NotPrincipal != nil
		switch {
		case len(st.Resource)+len(st.NotResource) == 0:
			return malformed("a statement has no Resource")
		case kind == scpType && named:
			return malformed("a service control policy has no Principal")
		case kind == rcpType && (st.Principal == nil || !st.Principal.Any):
			return malformed(`the Principal of a resource control policy must be "*"`)
		case kind == rcpType && st.Effect != iampolicy.Deny:
			return malformed("a resource control policy can only deny")
		case kind == rcpType && len(st.NotAction) > 0:
			return malformed("a resource control policy has no NotAction")
		}
		for _, a := range st.Action {
			service, _, _ := strings.Cut(a, ":")
			if kind == rcpType && !governed[strings.ToLower(service)] {
				return notImplemented("the action %q in a resource control policy: it knows those of s3, sts and kms", a)
			}
		}
	}
	return nil
}

func createOrgPolicy(c *call, in *struct{ Content, Description, Name, Type string }) (any, error) {
	if err := orgPolicyType(in.Type); err != nil {
		return nil, err
	}
	o, err := c.manage(ofPolicyType(in.Type))
	if err != nil {
		return nil, err
	}
	if in.Name == "" || len(in.Name) > 128 {
		return nil, orgFault("InvalidInputException", "The name of a policy has 1 to 128 characters.")
	}
	if err := checkOrgPolicy(in.Type, in.Content); err != nil {
		return nil, err
	}
	if o.named(in.Name, in.Type) != nil {
		return nil, orgFault("DuplicatePolicyException", "A policy with the same name already exists.")
	}
	p := &orgPolicy{ID: c.server.shortID("p-", o.Management, in.Type+"/"+in.Name, 8), Type: in.Type, Name: in.Name, Description: in.Description, Content: in.Content}
	o.Policies[p.ID] = p
	return c.orgPolicyJSON(o, p), nil
}

// named finds a policy by its name.
func (o *organization) named(name, kind string) *orgPolicy {
	for _, p := range o.Policies {
		if p.Name == name && p.Type == kind {
			return p
		}
	}
	if p := awsPolicies[byDefault[kind]]; p.Name == name {
		return p
	}
	return nil
}

// orgPolicy asks for the action on a policy, and on what further is named, and
// gives the policy.
func (c *call) orgPolicy(id string, more ...func(*organization) string) (*organization, *orgPolicy, error) {
	var context map[string][]string
	if o := c.server.organizationOf(c.caller.Account); o != nil && o.policy(id) != nil {
		context = ofPolicyType(o.policy(id).Type)
	}
	o, err := c.manage(context, append([]func(*organization) string{func(o *organization) string {
		if p := o.policy(id); p != nil {
			return o.policyARN(c.server, p)
		}
		return "*"
	}}, more...)...)
	if err != nil {
		return nil, nil, err
	}
	p := o.policy(id)
	if p == nil {
		return nil, nil, orgFault("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
	}
	return o, p, nil
}

// ownOrgPolicy is orgPolicy for changes: AWS's own cannot be changed.
func (c *call) ownOrgPolicy(id string) (*organization, *orgPolicy, error) {
	o, p, err := c.orgPolicy(id)
	if err == nil && awsPolicies[id] != nil {
		err = orgFault("InvalidInputException", "IMMUTABLE_POLICY: you specified a policy that is managed by AWS and can't be modified.")
	}
	return o, p, err
}

func updateOrgPolicy(c *call, in *struct {
	PolicyID                   string `json:"PolicyId"`
	Name, Description, Content *string
},
) (any, error) {
	o, p, err := c.ownOrgPolicy(in.PolicyID)
	if err != nil {
		return nil, err
	}
	changed := *p
	if in.Name != nil {
		if have := o.named(*in.Name, p.Type); have != nil && have != p {
			return nil, orgFault("DuplicatePolicyException", "A policy with the same name already exists.")
		}
		changed.Name = *in.Name
	}
	if in.Description != nil {
		changed.Description = *in.Description
	}
	if in.Content != nil {
		if err := checkOrgPolicy(p.Type, *in.Content); err != nil {
			return nil, err
		}
		changed.Content = *in.Content
	}
	*p = changed
	return c.orgPolicyJSON(o, p), nil
}

type policyIDInput struct {
	PolicyID string `json:"PolicyId"`
}

func deleteOrgPolicy(c *call, in *policyIDInput) (any, error) {
	o, p, err := c.ownOrgPolicy(in.PolicyID)
	if err != nil {
		return nil, err
	}
	for _, list := range o.Attached {
		if slices.Contains(list, p.ID) {
			return nil, orgFault("PolicyInUseException", "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.")
		}
	}
	delete(o.Policies, p.ID)
	return nil, nil
}

func describeOrgPolicy(c *call, in *policyIDInput) (any, error) {
	o, p, err := c.orgPolicy(in.PolicyID)
	if err != nil {
		return nil, err
	}
	return c.orgPolicyJSON(o, p), nil
}

type attachInput struct {
	PolicyID string `json:"PolicyId"`
	TargetID string `json:"TargetId"`
}

// attaching finds the policy and the target of a call, and what of the policy's
// type is attached there.
func (c *call) attaching(in *attachInput) (o *organization, p *orgPolicy, have int, err error) {
	if o, p, err = c.orgPolicy(in.PolicyID, c.target(in.TargetID)); err != nil {
		return nil, nil, 0, err
	}
	if _, kind, _ := o.targetARN(c.server, in.TargetID); kind == "" {
		return nil, nil, 0, noTarget()
	}
	if !o.Enabled[p.Type] {
		return nil, nil, 0, policyTypeNotEnabled()
	}
	for _, id := range o.Attached[in.TargetID] {
		if o.policy(id).Type == p.Type {
			have++
		}
	}
	return o, p, have, nil
}

func noTarget() error {
	return orgFault("TargetNotFoundException", "We can't find a root, OU, or account with the TargetId that you specified.")
}

func attachOrgPolicy(c *call, in *attachInput) (any, error) {
	o, p, have, err := c.attaching(in)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(o.Attached[in.TargetID], p.ID):
		return nil, orgFault("DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target.")
	case have >= maxOrgAttached:
		return nil, orgFault("ConstraintViolationException", "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED: at most %d policies of a type can be attached to a target.", maxOrgAttached)
	}
	o.Attached[in.TargetID] = append(o.Attached[in.TargetID], p.ID)
	return nil, nil
}

// detachOrgPolicy leaves at least one service control policy everywhere, and
// RCPFullAWSAccess always.
func detachOrgPolicy(c *call, in *attachInput) (any, error) {
	o, p, have, err := c.attaching(in)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(o.Attached[in.TargetID], p.ID):
		return nil, orgFault("PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
	case p.ID == byDefault[rcpType]:
		return nil, orgFault("ConstraintViolationException", "RCPFullAWSAccess can't be detached.")
	case have == 1:
		return nil, orgFault("ConstraintViolationException", "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED: you can't remove the last policy of this type.")
	}
	o.Attached[in.TargetID] = slices.DeleteFunc(o.Attached[in.TargetID], func(id string) bool { return id == p.ID })
	return nil, nil
}

type orgPoliciesJSON struct {
	Policies  []orgPolicySummary
	NextToken string `json:",omitempty"`
}

func (c *call) orgPolicies(o *organization, kind string, in orgPaging, want func(*orgPolicy) bool) (any, error) {
	list := []orgPolicySummary{}
	for _, all := range []map[string]*orgPolicy{o.Policies, awsPolicies} {
		for _, p := range all {
			if p.Type == kind && want(p) {
				list = append(list, c.orgPolicySummary(o, p))
			}
		}
	}
	list, next, err := orgPage(list, func(p orgPolicySummary) string { return p.ID }, in)
	return orgPoliciesJSON{list, next}, err
}

func listOrgPolicies(c *call, in *struct {
	Filter string
	orgPaging
},
) (any, error) {
	if err := orgPolicyType(in.Filter); err != nil {
		return nil, err
	}
	o, err := c.manage(ofPolicyType(in.Filter))
	if err != nil {
		return nil, err
	}
	return c.orgPolicies(o, in.Filter, in.orgPaging, func(*orgPolicy) bool { return true })
}

func listPoliciesForTarget(c *call, in *struct {
	TargetID string `json:"TargetId"`
	Filter   string
	orgPaging
},
) (any, error) {
	if err := orgPolicyType(in.Filter); err != nil {
		return nil, err
	}
	o, err := c.manage(ofPolicyType(in.Filter), c.target(in.TargetID))
	if err != nil {
		return nil, err
	}
	if _, kind, _ := o.targetARN(c.server, in.TargetID); kind == "" {
		return nil, noTarget()
	}
	return c.orgPolicies(o, in.Filter, in.orgPaging, func(p *orgPolicy) bool { return slices.Contains(o.Attached[in.TargetID], p.ID) })
}

func listTargetsForPolicy(c *call, in *struct {
	PolicyID string `json:"PolicyId"`
	orgPaging
},
) (any, error) {
	o, p, err := c.orgPolicy(in.PolicyID)
	if err != nil {
		return nil, err
	}
	type listed struct {
		TargetID string `json:"TargetId"`
		ARN      string `json:"Arn"`
		Name     string
		Type     string
	}
	list := []listed{}
	for at, ids := range o.Attached {
		if slices.Contains(ids, p.ID) {
			arn, kind, name := o.targetARN(c.server, at)
			list = append(list, listed{at, arn, name, kind})
		}
	}
	list, next, err := orgPage(list, func(t listed) string { return t.TargetID }, in.orgPaging)
	return struct {
		Targets   []listed
		NextToken string `json:",omitempty"`
	}{list, next}, err
}
