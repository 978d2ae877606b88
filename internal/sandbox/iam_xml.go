package sandbox

import (
	"slices"
	"strings"
)

// The shapes of IAM's answers. Which call fills in which members differs:
// lists leave out what takes a read of its own (IAM API reference, notes of
// ListRoles, ListPolicies and ListInstanceProfiles).

type roleXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	ARN                      string `xml:"Arn"`
	CreateDate               timestamp
	AssumeRolePolicyDocument string
	Description              string       `xml:",omitempty"`
	MaxSessionDuration       int          `xml:",omitempty"`
	PermissionsBoundary      *boundaryXML `xml:",omitempty"`
	Tags                     members[tag] `xml:",omitempty"`
	RoleLastUsed             *struct{}    `xml:",omitempty"`
}

type boundaryXML struct {
	Type string `xml:"PermissionsBoundaryType"`
	ARN  string `xml:"PermissionsBoundaryArn"`
}

func boundaryOf(arn string) *boundaryXML {
	if arn == "" {
		return nil
	}
	return &boundaryXML{"Policy", arn}
}

// roleIn is a role within a list or within an instance profile.
func (s *Server) roleIn(r *role) roleXML {
	return roleXML{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, ARN: r.ARN, CreateDate: timestamp{r.Created},
		AssumeRolePolicyDocument: encoded(s.shown(r.Trust)),
	}
}

func (s *Server) roleListed(r *role) roleXML {
	v := s.roleIn(r)
	v.Description, v.MaxSessionDuration = r.Description, r.MaxSession
	return v
}

func (s *Server) roleAlone(r *role) roleXML {
	v := s.roleListed(r)
	v.PermissionsBoundary, v.Tags, v.RoleLastUsed = boundaryOf(r.Boundary), r.Tags, &struct{}{}
	return v
}

type profileXML struct {
	InstanceProfileName string
	InstanceProfileID   string `xml:"InstanceProfileId"`
	ARN                 string `xml:"Arn"`
	Path                string
	CreateDate          timestamp
	Roles               members[roleXML]
	Tags                members[tag] `xml:",omitempty"`
}

func (s *Server) profileListed(p *profile) profileXML {
	v := profileXML{InstanceProfileName: p.Name, InstanceProfileID: p.ID, ARN: p.ARN, Path: p.Path, CreateDate: timestamp{p.Created}}
	if r := s.world.Accounts[p.Account].Roles[p.Role]; r != nil {
		v.Roles = members[roleXML]{s.roleIn(r)}
	}
	return v
}

func (s *Server) profileAlone(p *profile) profileXML {
	v := s.profileListed(p)
	v.Tags = p.Tags
	return v
}

type policyXML struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	ARN                           string `xml:"Arn"`
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    timestamp
	UpdateDate                    timestamp
	Tags                          members[tag]        `xml:",omitempty"`
	Versions                      members[versionXML] `xml:"PolicyVersionList,omitempty"`
}

// policyListed is a policy as lists have it.
func policyListed(p *policy, used uses) policyXML {
	return policyXML{
		PolicyName: p.Name, PolicyID: p.ID, ARN: p.ARN, Path: p.Path, DefaultVersionID: p.Default,
		AttachmentCount: used.attached, PermissionsBoundaryUsageCount: used.boundaries, IsAttachable: true,
		CreateDate: timestamp{p.Created}, UpdateDate: p.Updated,
	}
}

func policyAlone(p *policy, used uses) policyXML {
	v := policyListed(p, used)
	v.Description, v.Tags = p.Description, p.Tags
	return v
}

type versionXML struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       timestamp
}

func versionOf(p *policy, v *version, withDocument bool) versionXML {
	out := versionXML{VersionID: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created}
	if withDocument {
		out.Document = encoded(v.Text)
	}
	return out
}

type attachedXML struct {
	PolicyName string
	ARN        string `xml:"PolicyArn"`
}

// attachedOf are attached policies as they are listed, by name.
func attachedOf(arns []string) members[attachedXML] {
	out := members[attachedXML]{}
	for _, arn := range arns {
		out = append(out, attachedXML{arn[strings.LastIndex(arn, "/")+1:], arn})
	}
	slices.SortFunc(out, func(a, b attachedXML) int { return strings.Compare(a.PolicyName+a.ARN, b.PolicyName+b.ARN) })
	return out
}

// paging ends every list's result.
type paging struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// administratorAccess is what each account's user/admin has attached.
func (s *Server) administratorAccess() string {
	return s.arn("iam", "", "aws", "policy/AdministratorAccess")
}

// uses are how often one policy is attached, and how often it is a boundary.
type uses struct{ attached, boundaries int }

// uses counts the uses of all policies in an account, by ARN.
func (s *Server) uses(account string) map[string]uses {
	out := map[string]uses{s.administratorAccess(): {attached: 1}}
	for _, r := range s.world.account(s, account).Roles {
		for _, arn := range r.Attached {
			n := out[arn]
			n.attached++
			out[arn] = n
		}
		if r.Boundary != "" {
			n := out[r.Boundary]
			n.boundaries++
			out[r.Boundary] = n
		}
	}
	return out
}
