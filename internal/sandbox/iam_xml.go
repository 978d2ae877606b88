package sandbox

import (
	"encoding/xml"
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

// listed is the answer of a call that lists: a page of members, under the name
// that they have in that answer.
type listed[T any] struct {
	name string
	page members[T]
	paging
}

// MarshalXML writes the members and where the page ends.
func (l listed[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := e.EncodeElement(l.page, xml.StartElement{Name: xml.Name{Local: l.name}}); err != nil {
		return err
	}
	if err := e.EncodeElement(l.IsTruncated, xml.StartElement{Name: xml.Name{Local: "IsTruncated"}}); err != nil {
		return err
	}
	if l.Marker != "" {
		if err := e.EncodeElement(l.Marker, xml.StartElement{Name: xml.Name{Local: "Marker"}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// listOf is a page of a list, sorted by key, with its members as they are shown.
func listOf[T, X any](p params, name string, list []T, key func(T) string, shown func(T) X) (any, error) {
	list, more, marker, err := page(p, list, key)
	if err != nil {
		return nil, err
	}
	out := listed[X]{name, nil, paging{more, marker}}
	for _, v := range list {
		out.page = append(out.page, shown(v))
	}
	return out, nil
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

// usedByXML is who has a policy: RoleName and RoleId, or those of another kind.
type usedByXML struct{ Name, ID elementXML }

// elementXML is an element whose name its value knows.
type elementXML struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
}

func element(name, text string) elementXML { return elementXML{xml.Name{Local: name}, text} }

// uses are how often one policy is attached, and how often it is a boundary.
type uses struct{ attached, boundaries int }

// uses counts the uses of all policies in an account, by ARN.
func (s *Server) uses(account string) map[string]uses {
	out := map[string]uses{}
	for _, k := range entityKinds {
		for _, e := range k.all(s, s.world.account(s, account)) {
			for _, arn := range e.Attached {
				n := out[arn]
				n.attached++
				out[arn] = n
			}
			if e.Boundary != "" {
				n := out[e.Boundary]
				n.boundaries++
				out[e.Boundary] = n
			}
		}
	}
	return out
}
