package sandbox

import (
	"encoding/xml"
	"slices"
)

func accountOperations() operations {
	return operations{
		"GetAccountAuthorizationDetails": {append([]string{"Filter.member.N"}, pageParams...), getAccountAuthorizationDetails},
		"GetAccountSummary":              {nil, getAccountSummary},
	}
}

type inlineXML struct{ PolicyName, PolicyDocument string }

type userDetailXML struct {
	Path                    string
	UserName                string
	UserID                  string `xml:"UserId"`
	ARN                     string `xml:"Arn"`
	CreateDate              timestamp
	UserPolicyList          members[inlineXML]
	GroupList               members[string]
	AttachedManagedPolicies members[attachedXML]
	PermissionsBoundary     *boundaryXML `xml:",omitempty"`
	Tags                    members[tag]
}

type groupDetailXML struct {
	Path                    string
	GroupName               string
	GroupID                 string `xml:"GroupId"`
	ARN                     string `xml:"Arn"`
	CreateDate              timestamp
	GroupPolicyList         members[inlineXML]
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
	user   *user
	group  *group
	role   *role
	policy *policy
}

// getAccountAuthorizationDetails gives users, groups, roles and managed policies,
// in that order, as one paged list. It has no tags of policies, no description
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
		users := s.users(a)
		for _, name := range sortedKeys(users) {
			list = append(list, detail{key: "1" + name, user: users[name]})
		}
	}
	if wanted("Group") {
		for _, name := range sortedKeys(a.Groups) {
			list = append(list, detail{key: "2" + name, group: a.Groups[name]})
		}
	}
	if wanted("Role") {
		for _, name := range sortedKeys(a.Roles) {
			list = append(list, detail{key: "3" + name, role: a.Roles[name]})
		}
	}
	if wanted("AWSManagedPolicy") { // those in use
		for _, name := range sortedKeys(builtInPolicies) {
			v := s.builtIn(s.arn("iam", "", "aws", "policy/"+name))
			if used[v.ARN] != (uses{}) {
				list = append(list, detail{key: "4" + name, policy: v})
			}
		}
	}
	if wanted("LocalManagedPolicy") {
		for _, name := range sortedKeys(a.Policies) {
			list = append(list, detail{key: "5" + name, policy: a.Policies[name]})
		}
	}
	list, more, marker, err := page(p, list, func(d detail) string { return d.key })
	if err != nil {
		return nil, err
	}
	out := struct {
		UserDetailList  members[userDetailXML]
		GroupDetailList members[groupDetailXML]
		RoleDetailList  members[roleDetailXML]
		Policies        members[policyXML]
		paging
	}{paging: paging{more, marker}}
	profiles := profilesByRole(a)
	for _, d := range list {
		switch {
		case d.user != nil:
			out.UserDetailList = append(out.UserDetailList, userDetail(d.user))
		case d.group != nil:
			out.GroupDetailList = append(out.GroupDetailList, groupDetail(d.group))
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
		AssumeRolePolicyDocument: encoded(s.shown(r.Trust)), RolePolicyList: inlineOf(r.Inline),
		AttachedManagedPolicies: attachedOf(r.Attached), PermissionsBoundary: boundaryOf(r.Boundary), Tags: r.Tags,
	}
	for _, p := range profiles {
		v.InstanceProfileList = append(v.InstanceProfileList, s.profileAlone(p))
	}
	return v
}

func userDetail(u *user) userDetailXML {
	return userDetailXML{
		Path: u.Path, UserName: u.Name, UserID: u.ID, ARN: u.ARN, CreateDate: timestamp{u.Created},
		UserPolicyList: inlineOf(u.Inline), GroupList: u.Groups,
		AttachedManagedPolicies: attachedOf(u.Attached), PermissionsBoundary: boundaryOf(u.Boundary), Tags: u.Tags,
	}
}

func groupDetail(g *group) groupDetailXML {
	return groupDetailXML{
		Path: g.Path, GroupName: g.Name, GroupID: g.ID, ARN: g.ARN, CreateDate: timestamp{g.Created},
		GroupPolicyList: inlineOf(g.Inline), AttachedManagedPolicies: attachedOf(g.Attached),
	}
}

// inlineOf are inline policies with their texts, by name.
func inlineOf(inline map[string]string) members[inlineXML] {
	out := members[inlineXML]{}
	for _, name := range sortedKeys(inline) {
		out = append(out, inlineXML{name, encoded(inline[name])})
	}
	return out
}

// An account's quotas, those that AWS gives a new one (IAM:reference_iam-quotas).
const (
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
		"Users": len(c.server.users(a)), "Groups": len(a.Groups), "Roles": len(a.Roles), "InstanceProfiles": len(a.Profiles), "Policies": len(a.Policies), "PolicyVersionsInUse": versions,
		"RolesQuota": roleKind.quota, "InstanceProfilesQuota": maxProfiles, "PoliciesQuota": maxPolicies, "UsersQuota": userKind.quota, "GroupsQuota": groupKind.quota, "PolicyVersionsInUseQuota": 10000,
		"PolicySizeQuota": maxPolicySize, "VersionsPerPolicyQuota": maxVersions, "AttachedPoliciesPerRoleQuota": maxAttached, "AssumeRolePolicySizeQuota": maxTrust,
		"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached, "UserPolicySizeQuota": userKind.inline, "GroupPolicySizeQuota": groupKind.inline,
		"GroupsPerUserQuota": maxGroups, "AccessKeysPerUserQuota": maxAccessKeys,
	}}, nil
}
