package sandbox

import (
	"net/http"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// newOrganizations is the Organizations service.
func newOrganizations(*Server) *service {
	ops := jsonOperations{
		"CreateOrganization":               reading(createOrganization),
		"DescribeOrganization":             reading(describeOrganization),
		"InviteAccountToOrganization":      reading(inviteAccount),
		"AcceptHandshake":                  reading(acceptHandshake),
		"RemoveAccountFromOrganization":    reading(removeAccount),
		"CreateOrganizationalUnit":         reading(createUnit),
		"ListRoots":                        reading(listRoots),
		"ListParents":                      reading(listParents),
		"ListAccounts":                     reading(listAccounts),
		"ListAccountsForParent":            reading(listAccountsForParent),
		"ListOrganizationalUnitsForParent": reading(listUnits),
		"DescribeAccount":                  reading(describeAccount),
		"MoveAccount":                      reading(moveAccount),
	}
	for name, run := range orgPolicyOperations() {
		ops[name] = run
	}
	v := jsonService("organizations", orgTarget, ops, []string{"TargetId", "PolicyId", "AccountId", "ParentId", "ChildId", "RootId", "HandshakeId"})
	v.throttled = apiError{status: http.StatusBadRequest, code: "TooManyRequestsException", message: "AWS Organizations can't complete your request because another request is already in progress. Try again later."}
	return v
}

func orgFault(code, format string, args ...any) *apiError {
	return fault(http.StatusBadRequest, code, format, args...)
}

// manage asks for an action on things of the caller's organization and gives
// it. Only the management account may do anything but look at the organization
// itself: here nothing is delegated.
func (c *call) manage(context map[string][]string, resources ...func(*organization) string) (*organization, error) {
	o := c.server.organizationOf(c.caller.Account)
	list := []string{"*"}
	if o != nil && o.Management == c.caller.Account && len(resources) > 0 {
		list = nil
		for _, r := range resources {
			list = append(list, r(o))
		}
	}
	for _, r := range list {
		if err := c.authorize(permission{action: "organizations:" + c.operation, resource: r, context: context}); err != nil {
			return nil, err
		}
	}
	switch {
	case o == nil:
		return nil, notInUse()
	case o.Management != c.caller.Account:
		return nil, orgFault("AccessDeniedException", "You don't have permissions to access this resource.")
	}
	return o, nil
}

func notInUse() error {
	return orgFault("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

// target names a root, unit or account for manage.
func (c *call) target(id string) func(*organization) string {
	return func(o *organization) string {
		arn, _, _ := o.targetARN(c.server, id)
		return arn
	}
}

func createOrganization(c *call, in *struct{ FeatureSet string }) (any, error) {
	if err := c.authorize(permission{action: "organizations:CreateOrganization", resource: "*"}); err != nil {
		return nil, err
	}
	if in.FeatureSet != "" && in.FeatureSet != "ALL" {
		return nil, notImplemented("the feature set %s of an organization", in.FeatureSet)
	}
	account := c.caller.Account
	if c.server.organizationOf(account) != nil {
		return nil, orgFault("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
	}
	o := &organization{
		ID: c.server.shortID("o-", account, "organization", 10), Management: account, Root: c.server.shortID("r-", account, "root", 4), Created: c.now,
		Enabled: map[string]bool{}, Units: map[string]*orgUnit{}, Members: map[string]*orgMember{}, Policies: map[string]*orgPolicy{},
		Attached: map[string][]string{}, Handshakes: map[string]*handshake{},
	}
	o.join(account, c.now)
	c.server.world.Organizations.Organizations[o.ID] = o
	return struct{ Organization organizationJSON }{c.organizationJSON(o)}, nil
}

// join puts an account under the root.
func (o *organization) join(account string, now time.Time) {
	o.Members[account] = &orgMember{Account: account, Parent: o.Root, Joined: now}
	o.attachDefaults(account)
}

// attachDefaults gives something new the policies that allow everything.
func (o *organization) attachDefaults(target string) {
	for _, kind := range sortedKeys(o.Enabled) {
		o.Attached[target] = append(o.Attached[target], byDefault[kind])
	}
}

type organizationJSON struct {
	ID                   string `json:"Id"`
	ARN                  string `json:"Arn"`
	FeatureSet           string
	MasterAccountARN     string `json:"MasterAccountArn"`
	MasterAccountID      string `json:"MasterAccountId"`
	MasterAccountEmail   string
	AvailablePolicyTypes []policyTypeJSON
}

type policyTypeJSON struct{ Type, Status string }

func (c *call) organizationJSON(o *organization) organizationJSON {
	return organizationJSON{
		ID: o.ID, ARN: c.server.arn("organizations", "", o.Management, "organization/"+o.ID), FeatureSet: "ALL",
		MasterAccountARN: o.arn(c.server, "account", o.Management), MasterAccountID: o.Management, MasterAccountEmail: accountEmail(o.Management),
		AvailablePolicyTypes: []policyTypeJSON{{scpType, "ENABLED"}}, // whatever is enabled at the root (API reference, Organization)
	}
}

// describeOrganization is for every member.
func describeOrganization(c *call, _ *struct{}) (any, error) {
	if err := c.authorize(permission{action: "organizations:DescribeOrganization", resource: "*"}); err != nil {
		return nil, err
	}
	o := c.server.organizationOf(c.caller.Account)
	if o == nil {
		return nil, notInUse()
	}
	return struct{ Organization organizationJSON }{c.organizationJSON(o)}, nil
}

type handshakeParty struct {
	ID   string `json:"Id"`
	Type string
}

type handshakeJSON struct {
	ID                  string `json:"Id"`
	ARN                 string `json:"Arn"`
	Parties             []handshakeParty
	State               string
	RequestedTimestamp  seconds
	ExpirationTimestamp seconds
	Action              string
}

func (c *call) handshakeJSON(o *organization, h *handshake) any {
	return struct{ Handshake handshakeJSON }{handshakeJSON{
		ID: h.ID, ARN: o.arn(c.server, "handshake", "invite/"+h.ID), State: h.State, Action: "INVITE",
		Parties:            []handshakeParty{{o.ID[2:], "ORGANIZATION"}, {h.Account, "ACCOUNT"}},
		RequestedTimestamp: seconds{h.Requested}, ExpirationTimestamp: seconds{h.Requested.Add(handshakeLife)},
	}}
}

func (h *handshake) open(now time.Time) bool {
	return h.State == "OPEN" && now.Before(h.Requested.Add(handshakeLife))
}

func inviteAccount(c *call, in *struct {
	Target struct {
		ID   string `json:"Id"`
		Type string
	}
	Notes string
},
) (any, error) {
	if in.Target.Type != "ACCOUNT" {
		return nil, notImplemented("invitations by %s: it takes the id of an ACCOUNT", in.Target.Type)
	}
	if !accountKey.MatchString(in.Target.ID) {
		return nil, orgFault("InvalidInputException", "You provided invalid values for one or more of the request parameters.")
	}
	o, err := c.manage(nil)
	if err != nil {
		return nil, err
	}
	if c.server.organizationOf(in.Target.ID) != nil {
		return nil, orgFault("HandshakeConstraintViolationException", "ALREADY_IN_AN_ORGANIZATION: the account %s is a member of an organization already.", in.Target.ID)
	}
	for _, h := range o.Handshakes {
		if h.Account == in.Target.ID && h.open(c.now) {
			return nil, orgFault("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
		}
	}
	h := &handshake{ID: c.server.shortID("h-", in.Target.ID, "handshake", 8), Account: in.Target.ID, State: "OPEN", Requested: c.now}
	o.Handshakes[h.ID] = h
	return c.handshakeJSON(o, h), nil
}

// acceptHandshake is the invited account's.
func acceptHandshake(c *call, in *struct {
	HandshakeID string `json:"HandshakeId"`
},
) (any, error) {
	var o *organization
	for _, v := range c.server.world.Organizations.Organizations {
		if h := v.Handshakes[in.HandshakeID]; h != nil && h.Account == c.caller.Account {
			o = v
		}
	}
	p := permission{action: "organizations:AcceptHandshake", resource: "*"}
	if o != nil {
		p.resource, p.account = o.arn(c.server, "handshake", "invite/"+in.HandshakeID), o.Management
	}
	if err := c.authorizeOwn(p); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, orgFault("HandshakeNotFoundException", "We can't find a handshake with the HandshakeId that you specified.")
	}
	h := o.Handshakes[in.HandshakeID]
	switch {
	case !h.open(c.now):
		return nil, orgFault("InvalidHandshakeTransitionException", "You can't perform the operation on the handshake in its current state.")
	case c.server.organizationOf(c.caller.Account) != nil:
		return nil, orgFault("HandshakeConstraintViolationException", "ALREADY_IN_AN_ORGANIZATION: the account is a member of an organization already.")
	}
	h.State = "ACCEPTED"
	o.join(c.caller.Account, c.now)
	return c.handshakeJSON(o, h), nil
}

// authorizeOwn asks for something whose ARN has another account's id, but that
// is the caller's to decide by its own policies.
func (c *call) authorizeOwn(p permission) error {
	if p.account == "" || p.account == c.caller.Account {
		return c.authorize(p)
	}
	p.policy = &iampolicy.Named{Name: "invitation", Document: &iampolicy.Document{Version: iampolicy.Version2012, Statements: []iampolicy.Statement{{
		Effect: iampolicy.Allow, Principal: &iampolicy.Principals{AWS: []string{c.caller.Account}}, Action: []string{p.action}, Resource: []string{p.resource},
	}}}}
	return c.authorize(p)
}

func removeAccount(c *call, in *struct {
	AccountID string `json:"AccountId"`
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.AccountID))
	switch {
	case err != nil:
		return nil, err
	case in.AccountID == o.Management:
		return nil, orgFault("MasterCannotLeaveOrganizationException", "You can't remove a management account from an organization.")
	case o.Members[in.AccountID] == nil:
		return nil, noAccount()
	}
	delete(o.Members, in.AccountID)
	delete(o.Attached, in.AccountID)
	return nil, nil
}

func noAccount() error {
	return orgFault("AccountNotFoundException", "You specified an account that doesn't exist.")
}

type unitJSON struct {
	ID   string `json:"Id"`
	ARN  string `json:"Arn"`
	Name string
}

func createUnit(c *call, in *struct {
	ParentID string `json:"ParentId"`
	Name     string
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.ParentID))
	switch {
	case err != nil:
		return nil, err
	case in.ParentID != o.Root && o.Units[in.ParentID] == nil:
		return nil, orgFault("ParentNotFoundException", "We can't find a root or OU with the ParentId that you specified.")
	case in.Name == "" || len(in.Name) > 128:
		return nil, orgFault("InvalidInputException", "The name of an organizational unit has 1 to 128 characters.")
	}
	for _, u := range o.Units {
		if u.Parent == in.ParentID && u.Name == in.Name {
			return nil, orgFault("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
		}
	}
	u := &orgUnit{ID: c.server.shortID("ou-"+o.Root[2:]+"-", o.Management, "unit/"+in.Name, 8), Name: in.Name, Parent: in.ParentID}
	o.Units[u.ID] = u
	o.attachDefaults(u.ID)
	return struct{ OrganizationalUnit unitJSON }{unitJSON{u.ID, o.arn(c.server, "ou", u.ID), u.Name}}, nil
}

type rootJSON struct {
	ID          string `json:"Id"`
	ARN         string `json:"Arn"`
	Name        string
	PolicyTypes []policyTypeJSON
}

func (c *call) rootJSON(o *organization) rootJSON {
	r := rootJSON{ID: o.Root, ARN: o.arn(c.server, "root", o.Root), Name: "Root", PolicyTypes: []policyTypeJSON{}}
	for _, kind := range sortedKeys(o.Enabled) {
		r.PolicyTypes = append(r.PolicyTypes, policyTypeJSON{kind, "ENABLED"})
	}
	return r
}

func listRoots(c *call, _ *orgPaging) (any, error) {
	o, err := c.manage(nil)
	if err != nil {
		return nil, err
	}
	return struct{ Roots []rootJSON }{[]rootJSON{c.rootJSON(o)}}, nil
}

// listParents gives the one parent of a unit or account.
func listParents(c *call, in *struct {
	ChildID string `json:"ChildId"`
	orgPaging
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.ChildID))
	if err != nil {
		return nil, err
	}
	parent := ""
	if u := o.Units[in.ChildID]; u != nil {
		parent = u.Parent
	} else if m := o.Members[in.ChildID]; m != nil {
		parent = m.Parent
	} else {
		return nil, orgFault("ChildNotFoundException", "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.")
	}
	_, kind, _ := o.targetARN(c.server, parent)
	return struct{ Parents []handshakeParty }{[]handshakeParty{{parent, kind}}}, nil
}

type accountJSON struct {
	ID              string `json:"Id"`
	ARN             string `json:"Arn"`
	Email           string
	Name            string
	Status          string
	State           string
	JoinedMethod    string
	JoinedTimestamp seconds
}

func (c *call) accountJSON(o *organization, m *orgMember) accountJSON {
	return accountJSON{m.Account, o.arn(c.server, "account", m.Account), accountEmail(m.Account), accountName(m.Account), "ACTIVE", "ACTIVE", "INVITED", seconds{m.Joined}}
}

func describeAccount(c *call, in *struct {
	AccountID string `json:"AccountId"`
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.AccountID))
	if err != nil {
		return nil, err
	}
	m := o.Members[in.AccountID]
	if m == nil {
		return nil, noAccount()
	}
	return struct{ Account accountJSON }{c.accountJSON(o, m)}, nil
}

type accountsJSON struct {
	Accounts  []accountJSON
	NextToken string `json:",omitempty"`
}

func listAccounts(c *call, in *orgPaging) (any, error) {
	o, err := c.manage(nil)
	if err != nil {
		return nil, err
	}
	return c.accountsUnder(o, "", *in)
}

func listAccountsForParent(c *call, in *struct {
	ParentID string `json:"ParentId"`
	orgPaging
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.ParentID))
	if err != nil {
		return nil, err
	}
	return c.accountsUnder(o, in.ParentID, in.orgPaging)
}

// accountsUnder lists the accounts of a root or unit; parent empty: all.
func (c *call) accountsUnder(o *organization, parent string, in orgPaging) (any, error) {
	if parent != "" && parent != o.Root && o.Units[parent] == nil {
		return nil, orgFault("ParentNotFoundException", "We can't find a root or OU with the ParentId that you specified.")
	}
	var list []accountJSON
	for _, m := range o.Members {
		if parent == "" || m.Parent == parent {
			list = append(list, c.accountJSON(o, m))
		}
	}
	list, next, err := orgPage(list, func(a accountJSON) string { return a.ID }, in)
	return accountsJSON{list, next}, err
}

func listUnits(c *call, in *struct {
	ParentID string `json:"ParentId"`
	orgPaging
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.ParentID))
	if err != nil {
		return nil, err
	}
	if in.ParentID != o.Root && o.Units[in.ParentID] == nil {
		return nil, orgFault("ParentNotFoundException", "We can't find a root or OU with the ParentId that you specified.")
	}
	var list []unitJSON
	for _, u := range o.Units {
		if u.Parent == in.ParentID {
			list = append(list, unitJSON{u.ID, o.arn(c.server, "ou", u.ID), u.Name})
		}
	}
	list, next, err := orgPage(list, func(u unitJSON) string { return u.ID }, in.orgPaging)
	return struct {
		OrganizationalUnits []unitJSON
		NextToken           string `json:",omitempty"`
	}{list, next}, err
}

func moveAccount(c *call, in *struct {
	AccountID           string `json:"AccountId"`
	SourceParentID      string `json:"SourceParentId"`
	DestinationParentID string `json:"DestinationParentId"`
},
) (any, error) {
	o, err := c.manage(nil, c.target(in.AccountID), c.target(in.SourceParentID), c.target(in.DestinationParentID))
	if err != nil {
		return nil, err
	}
	m := o.Members[in.AccountID]
	switch {
	case m == nil:
		return nil, noAccount()
	case m.Parent != in.SourceParentID:
		return nil, orgFault("SourceParentNotFoundException", "We can't find a source root or OU with the ParentId that you specified.")
	case in.DestinationParentID != o.Root && o.Units[in.DestinationParentID] == nil:
		return nil, orgFault("DestinationParentNotFoundException", "We can't find the destination container (a root or OU) with the ParentId that you specified.")
	case in.DestinationParentID == m.Parent:
		return nil, orgFault("DuplicateAccountException", "That account is already present in the specified destination.")
	}
	m.Parent = in.DestinationParentID
	return nil, nil
}

type orgPaging struct {
	MaxResults *int
	NextToken  string
}

// orgPage gives the entries after a token, sorted by their keys.
func orgPage[T any](list []T, key func(T) string, in orgPaging) ([]T, string, error) {
	most := 20
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	after, err := decodeToken(in.NextToken)
	if err != nil || most < 1 || most > 20 {
		return nil, "", orgFault("InvalidInputException", "You provided invalid values for MaxResults (1 to 20) or NextToken.")
	}
	out, next := tokenPage(list, key, after, most)
	return out, next, nil
}
