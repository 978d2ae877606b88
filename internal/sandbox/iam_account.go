package sandbox

import (
	"encoding/xml"
	"slices"
)

func accountOperations() operations {
	return operations{
		"GetAccountAuthorizationDetails": {append([]string{"Filter.member.N"}, pageParams...), getAccountAuthorizationDetails},
		"GetAccountSummary":              {nil, getAccountSummary},
		"GetUser":                        {[]string{"UserName"}, getUser},
	}
}

type inlineXML struct{ PolicyName, PolicyDocument string }

type userDetailXML struct {
	Path                    string
	UserName                string
	UserID                  string `xml:"UserId"`
	ARN                     string `xml:"Arn"`
	CreateDate              timestamp
	GroupList               members[struct{}]
	AttachedManagedPolicies members[attachedXML]
}

type roleDetailXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	ARN                      string `xml:"Arn"`
	CreateDate               timestamp
	AssumeRolePolicyDocument string
	InstanceProfileList      members[profileXML]
	RolePolicyList           members[inlineXML]
	AttachedManagedPolicies  members[attachedXML]
	PermissionsBoundary      *boundaryXML `xml:",omitempty"`
	Tags                     members[tag]
	RoleLastUsed             struct{}
}

// detail is one of the things that GetAccountAuthorizationDetails pages over;
// exactly one of its members is set.
type detail struct {
	key    string
	user   *userDetailXML
	role   *role
	policy *policy
}

// getAccountAuthorizationDetails gives users, roles and managed policies, in
// that order, as one paged list. It has no tags of policies, no description
// and session duration of roles, and only instance profiles with a role.
func getAccountAuthorizationDetails(c *call, p params) (any, error) {
	if err := c.allow(c.operation, "*", nil, nil); err != nil {
		return nil, err
	}
	filter := p.list("Filter.member", "")
	for _, f := range filter {
		if !slices.Contains([]string{"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}, f) {
			return nil, constraint(f, "filter", "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]")
		}
	}
	wanted := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	a, s := c.iam(), c.server
	used := s.uses(a.ID)
	var list []detail
	if wanted("User") {
		list = append(list, detail{key: "1", user: &userDetailXML{
			Path: "/", UserName: adminName, UserID: a.AdminID, ARN: s.adminARN(a.ID), CreateDate: timestamp{builtInTime},
			AttachedManagedPolicies: attachedOf([]string{s.administratorAccess()}),
		}})
	}
	if wanted("Role") {
		for _, name := range sortedKeys(a.Roles) {
			list = append(list, detail{key: "2" + name, role: a.Roles[name]})
		}
	}
	if wanted("AWSManagedPolicy") { // those in use
		for _, name := range sortedKeys(builtInPolicies) {
			v := s.builtIn(s.arn("iam", "", "aws", "policy/"+name))
			if used[v.ARN] != (uses{}) {
				list = append(list, detail{key: "3" + name, policy: v})
			}
		}
	}
	if wanted("LocalManagedPolicy") {
		for _, name := range sortedKeys(a.Policies) {
			list = append(list, detail{key: "4" + name, policy: a.Policies[name]})
		}
	}
	list, more, marker, err := page(p, list, func(d detail) string { return d.key })
	if err != nil {
		return nil, err
	}
	out := struct {
		UserDetailList  members[userDetailXML]
		GroupDetailList members[struct{}]
		RoleDetailList  members[roleDetailXML]
		Policies        members[policyXML]
		paging
	}{paging: paging{more, marker}}
	profiles := profilesByRole(a)
	for _, d := range list {
		switch {
		case d.user != nil:
			out.UserDetailList = append(out.UserDetailList, *d.user)
		case d.role != nil:
			out.RoleDetailList = append(out.RoleDetailList, s.roleDetail(d.role, profiles[d.role.Name]))
		case d.policy != nil:
			v := policyListed(d.policy, used[d.policy.ARN])
			v.Description = d.policy.Description
			for _, w := range d.policy.Versions {
				v.Versions = append(v.Versions, versionOf(d.policy, w, true))
			}
			slices.Reverse(v.Versions)
			out.Policies = append(out.Policies, v)
		}
	}
	return out, nil
}

// profilesByRole are an account's instance profiles by the name of their role.
func profilesByRole(a *account) map[string][]*profile {
	out := map[string][]*profile{}
	for _, name := range sortedKeys(a.Profiles) {
		if v := a.Profiles[name]; v.Role != "" {
			out[v.Role] = append(out[v.Role], v)
		}
	}
	return out
}

func (s *Server) roleDetail(r *role, profiles []*profile) roleDetailXML {
	v := roleDetailXML{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, ARN: r.ARN, CreateDate: timestamp{r.Created},
		AssumeRolePolicyDocument: encoded(s.shown(r.Trust)),
		AttachedManagedPolicies:  attachedOf(r.Attached), PermissionsBoundary: boundaryOf(r.Boundary), Tags: r.Tags,
	}
	for _, p := range profiles {
		v.InstanceProfileList = append(v.InstanceProfileList, s.profileAlone(p))
	}
	for _, name := range sortedKeys(r.Inline) {
		v.RolePolicyList = append(v.RolePolicyList, inlineXML{name, encoded(r.Inline[name])})
	}
	return v
}

// An account's quotas, those that AWS gives a new one (IAM:reference_iam-quotas).
const (
	maxRoles    = 1000
	maxProfiles = 1000
	maxPolicies = 1500
)

// summaryMap is a map of the query protocol.
type summaryMap map[string]int

// MarshalXML writes <entry><key>…</key><value>…</value></entry>, sorted.
func (m summaryMap) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	type entry struct {
		Key   string `xml:"key"`
		Value int    `xml:"value"`
	}
	for _, k := range sortedKeys(m) {
		if err := e.EncodeElement(entry{k, m[k]}, xml.StartElement{Name: xml.Name{Local: "entry"}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

func getAccountSummary(c *call, _ params) (any, error) {
	if err := c.allow(c.operation, "*", nil, nil); err != nil {
		return nil, err
	}
	a := c.iam()
	versions := 0
	for _, v := range a.Policies {
		versions += len(v.Versions)
	}
	return struct{ SummaryMap summaryMap }{summaryMap{
		"Users": 1, "Groups": 0, "Roles": len(a.Roles), "InstanceProfiles": len(a.Profiles), "Policies": len(a.Policies), "PolicyVersionsInUse": versions,
		"RolesQuota": maxRoles, "InstanceProfilesQuota": maxProfiles, "PoliciesQuota": maxPolicies, "UsersQuota": 5000, "GroupsQuota": 300, "PolicyVersionsInUseQuota": 10000,
		"PolicySizeQuota": maxPolicySize, "VersionsPerPolicyQuota": maxVersions, "AttachedPoliciesPerRoleQuota": maxAttached, "AssumeRolePolicySizeQuota": maxTrust,
	}}, nil
}

type userXML struct {
	Path       string
	UserName   string
	UserID     string `xml:"UserId"`
	ARN        string `xml:"Arn"`
	CreateDate timestamp
}

// getUser knows the one user that every account has. Without a name it is
// about the caller, which must then be a user.
func getUser(c *call, p params) (any, error) {
	name := adminName
	if p.has("UserName") {
		var err error
		if name, err = p.name("UserName", 64); err != nil {
			return nil, err
		}
	} else if c.caller.session != nil {
		return nil, validation("Must specify userName when calling with non-User credentials")
	}
	a := c.iam()
	if err := c.allow(c.operation, c.server.arn("iam", "", a.ID, "user/"+name), nil, nil); err != nil {
		return nil, err
	}
	if name != adminName {
		return nil, noSuchEntity("The user with name %s cannot be found.", name)
	}
	return struct{ User userXML }{userXML{"/", name, a.AdminID, c.server.adminARN(a.ID), timestamp{builtInTime}}}, nil
}
