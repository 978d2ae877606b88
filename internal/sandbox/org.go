package sandbox

import (
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// orgTarget is how X-Amz-Target begins for Organizations.
const orgTarget = "AWSOrganizationsV20161128."

// orgWorld is Organizations' part of the state.
type orgWorld struct {
	Organizations map[string]*organization // by id
}

// complete makes what an empty or older state file lacks.
func (w *orgWorld) complete() {
	if w.Organizations == nil {
		w.Organizations = map[string]*organization{}
	}
}

// The types of policies that are served.
const (
	scpType = "SERVICE_CONTROL_POLICY"
	rcpType = "RESOURCE_CONTROL_POLICY"
)

// organization is a tree: a root, organizational units, and accounts.
type organization struct {
	ID         string
	Management string // the account
	Root       string // its id
	Created    time.Time
	Enabled    map[string]bool // policy types
	Units      map[string]*orgUnit
	Members    map[string]*orgMember // the management account too, by account id
	Policies   map[string]*orgPolicy // the organization's own
	Attached   map[string][]string   // root, unit or account -> policies, in the order of attachment
	Handshakes map[string]*handshake
}

type orgUnit struct{ ID, Name, Parent string }

type orgMember struct {
	Account, Parent string
	Joined          time.Time
}

type orgPolicy struct{ ID, Type, Name, Description, Content string }

// handshake is an invitation.
type handshake struct {
	ID, Account string
	State       string // OPEN, ACCEPTED or EXPIRED
	Requested   time.Time
}

// handshakeLife is how long an invitation can be accepted (ORG:orgs_manage_accounts_invites).
const handshakeLife = 15 * 24 * time.Hour

// awsPolicies are those that AWS attaches by itself: they allow everything.
var awsPolicies = map[string]*orgPolicy{
	"p-FullAWSAccess":    {"p-FullAWSAccess", scpType, "FullAWSAccess", "Allows access to every operation", allowAll},
	"p-RCPFullAWSAccess": {"p-RCPFullAWSAccess", rcpType, "RCPFullAWSAccess", "Allows access to every resource", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`},
}

// byDefault is the policy of a type that everything has from the start.
var byDefault = map[string]string{scpType: "p-FullAWSAccess", rcpType: "p-RCPFullAWSAccess"}

// governed are the services whose resources resource control policies apply to,
// of those served here (ORG:orgs_manage_policies_rcps).
var governed = map[string]bool{"s3": true, "sts": true, "kms": true}

// organizationOf is the organization that an account is in; nil: none.
func (s *Server) organizationOf(account string) *organization {
	for _, o := range s.world.Organizations.Organizations {
		if o.Members[account] != nil {
			return o
		}
	}
	return nil
}

// path are the root, the units and the account itself, from the top.
func (o *organization) path(account string) []string {
	path := []string{account}
	for at := o.Members[account].Parent; at != ""; {
		path = append(path, at)
		u := o.Units[at]
		if u == nil {
			break
		}
		at = u.Parent
	}
	slices.Reverse(path)
	return path
}

// orgPath is an account's place as aws:PrincipalOrgPaths writes it.
func (o *organization) orgPath(account string) string {
	path := o.path(account)
	return o.ID + "/" + strings.Join(path[:len(path)-1], "/") + "/"
}

// policy finds a policy, AWS's own included; nil: none.
func (o *organization) policy(id string) *orgPolicy {
	if p := o.Policies[id]; p != nil {
		return p
	}
	return awsPolicies[id]
}

// controlPolicies are the policies of a type that bear on an account, a list a level.
// The management account has none, nor has an organization where the type is
// not enabled (ORG:orgs_manage_policies_scps).
func (s *Server) controlPolicies(account, kind string) ([][]iampolicy.Named, error) {
	o := s.organizationOf(account)
	if o == nil || account == o.Management || !o.Enabled[kind] {
		return nil, nil
	}
	var levels [][]iampolicy.Named
	for _, at := range o.path(account) {
		level := []iampolicy.Named{}
		for _, id := range o.Attached[at] {
			p := o.policy(id)
			if p.Type != kind {
				continue
			}
			d, err := s.document(p.Content)
			if err != nil {
				return nil, err
			}
			level = append(level, iampolicy.Named{Name: p.Name + " at " + at, Document: d})
		}
		levels = append(levels, level)
	}
	return levels, nil
}

// control adds the organizations' policies: of the caller's account what limits
// it, of the resource's account what guards it.
func (s *Server) control(p *iampolicy.Policies, who caller, action, account string) (err error) {
	if who.Account != "" {
		if p.SCPs, err = s.controlPolicies(who.Account, scpType); err != nil {
			return err
		}
	}
	if service, _, _ := strings.Cut(action, ":"); governed[service] {
		p.RCPs, err = s.controlPolicies(account, rcpType)
	}
	return err
}

// orgKeys are the condition keys about the organizations of a caller and of a
// resource; absent where there is none.
func (s *Server) orgKeys(m map[string][]string, who, resource string) {
	if o := s.organizationOf(who); o != nil {
		m["aws:PrincipalOrgID"], m["aws:PrincipalOrgPaths"] = []string{o.ID}, []string{o.orgPath(who)}
	}
	if o := s.organizationOf(resource); o != nil {
		m["aws:ResourceOrgID"], m["aws:ResourceOrgPaths"] = []string{o.ID}, []string{o.orgPath(resource)}
	}
}

// shortID is an id like o-… of n small letters and digits.
func (s *Server) shortID(prefix, account, kind string, n int) string {
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(s.created(account, kind, "")))[:n]
}

// arn is the ARN of something in the organization: "account/o-…/111122223333".
func (o *organization) arn(s *Server, kind, id string) string {
	return s.arn("organizations", "", o.Management, kind+"/"+o.ID+"/"+id)
}

// targetARN is that of a root, unit or account, with its type and name; the
// type is empty for what is not in the organization.
func (o *organization) targetARN(s *Server, id string) (arn, kind, name string) {
	switch {
	case id == o.Root:
		return o.arn(s, "root", id), "ROOT", "Root"
	case o.Units[id] != nil:
		return o.arn(s, "ou", id), "ORGANIZATIONAL_UNIT", o.Units[id].Name
	case o.Members[id] != nil:
		return o.arn(s, "account", id), "ACCOUNT", accountName(id)
	}
	return "*", "", ""
}

// policyARN is a policy's; AWS's own belong to no organization.
func (o *organization) policyARN(s *Server, p *orgPolicy) string {
	kind := strings.ToLower(p.Type)
	if awsPolicies[p.ID] != nil {
		return s.arn("organizations", "", "aws", "policy/"+kind+"/"+p.ID)
	}
	return o.arn(s, "policy", kind+"/"+p.ID)
}

// What Organizations knows of accounts beside their ids.
func accountName(id string) string  { return "account-" + id }
func accountEmail(id string) string { return id + "@example.com" }
