package campaign

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// iamOf is a call as the administrator of the account of whom an ARN names.
func (s *scene) iamOf(arn, action string, parameters ...string) answer {
	noun := "RoleName"
	if strings.Contains(arn, ":user/") {
		noun = "UserName"
	}
	return s.query(accountOf(arn), "iam", action, append([]string{noun, nameOf(arn)}, parameters...)...)
}

// attached are the ARNs of the managed policies that a role has.
func (s *scene) attached(role string) []string {
	var page struct {
		ARNs []string `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member>PolicyArn"`
	}
	_ = xml.Unmarshal([]byte(s.iamOf(role, "ListAttachedRolePolicies").text), &page) // refused: there are none
	return page.ARNs
}

func (s *scene) inlineNames(role string) []string {
	var page struct {
		Names []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	_ = xml.Unmarshal([]byte(s.iamOf(role, "ListRolePolicies").text), &page) // refused: there are none
	return page.Names
}

// shareOf is one of the roles' policies that shares made; empty: it has none.
func (s *scene) shareOf(role string) string {
	list := slices.DeleteFunc(s.attached(role), func(arn string) bool { return accountOf(arn) == "aws" })
	if len(list) == 0 {
		return ""
	}
	return s.draw.one(list...)
}

func putInline(s *scene) string {
	role, statement := s.role(), s.draw.ofIdentity()
	name := s.draw.one("guard", "more")
	if s.tried(s.iamOf(role, "PutRolePolicy", "PolicyName", name, "PolicyDocument", newPolicy(statement).String())) {
		s.doubts()
	}
	return fmt.Sprintf("%s has the inline policy %s: %s", role, name, textOf(statement))
}

func dropInline(s *scene) string {
	role := s.role()
	names := s.inlineNames(role)
	if len(names) == 0 {
		return ""
	}
	name := s.draw.one(names...)
	s.tried(s.iamOf(role, "DeleteRolePolicy", "PolicyName", name))
	return role + " loses the inline policy " + name
}

func detach(s *scene) string {
	role := s.role()
	arn := s.shareOf(role)
	if arn == "" {
		return ""
	}
	s.tried(s.iamOf(role, "DetachRolePolicy", "PolicyArn", arn))
	return arn + " is taken off " + role
}

func attachAWSs(s *scene) string {
	role, name := s.role(), s.draw.one("ReadOnlyAccess", "AdministratorAccess", "AmazonSSMManagedInstanceCore")
	s.tried(s.iamOf(role, "AttachRolePolicy", "PolicyArn", "arn:aws:iam::aws:policy/"+name))
	return role + " has AWS's policy " + name
}

// managed is the document of a policy that counts.
func (s *scene) managed(arn string) (policy, bool) {
	account := accountOf(arn)
	version := s.query(account, "iam", "GetPolicy", "PolicyArn", arn).element("DefaultVersionId")
	a := s.query(account, "iam", "GetPolicyVersion", "PolicyArn", arn, "VersionId", version)
	if !a.ok() {
		return nil, false
	}
	return policyOf(s.t, unescaped(s.t, a.element("Document"))), true
}

// putVersion makes a new version the one that counts; the oldest goes if there
// are too many.
func (s *scene) putVersion(arn string, p policy) answer {
	account := accountOf(arn)
	var list struct {
		IDs     []string `xml:"ListPolicyVersionsResult>Versions>member>VersionId"`
		Default []bool   `xml:"ListPolicyVersionsResult>Versions>member>IsDefaultVersion"`
	}
	_ = xml.Unmarshal([]byte(s.query(account, "iam", "ListPolicyVersions", "PolicyArn", arn).text), &list) // refused: so is what follows
	for i := len(list.IDs) - 1; len(list.IDs) >= 5 && i >= 0; i-- {
		if !list.Default[i] {
			s.query(account, "iam", "DeletePolicyVersion", "PolicyArn", arn, "VersionId", list.IDs[i])
			break
		}
	}
	return s.query(account, "iam", "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", p.String(), "SetAsDefault", "true")
}

func newVersion(s *scene) string {
	role := s.role()
	arn := s.shareOf(role)
	if arn == "" {
		return ""
	}
	p, ok := s.managed(arn)
	if !ok {
		return ""
	}
	list := p.statements()
	at := s.draw.IntN(len(list))
	before := textOf(list[at])
	switch {
	case s.draw.chance(4) && len(list) > 1:
		p["Statement"] = slices.Delete(slices.Clone(list), at, at+1)
		before += " is gone"
	case s.draw.chance(4):
		p["Version"] = "2008-10-17"
		statement := s.draw.ofIdentity()
		p.add(statement)
		before = "is more: " + textOf(statement)
	default:
		statement := list[at].(map[string]any)
		s.edit(statement, bucketIn(before), false)
		before += "\n    is now " + textOf(statement)
	}
	if s.tried(s.putVersion(arn, p)) {
		s.doubts()
	}
	return fmt.Sprintf("a new version of %s: %s", arn, before)
}

// bucketIn is the bucket that a statement names.
func bucketIn(statement string) string {
	for _, b := range truthBuckets {
		if strings.Contains(statement, b) {
			return b
		}
	}
	return dataBucket
}

// otherVersion makes an older version count that allows less.
func otherVersion(s *scene) string {
	role := s.role()
	arn := s.shareOf(role)
	if arn == "" {
		return ""
	}
	statement := map[string]any{"Effect": "Allow", "Action": s.draw.some("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:GetBucketLocation"), "Resource": "*"}
	if s.tried(s.putVersion(arn, newPolicy(statement))) && s.draw.chance(2) {
		s.tried(s.query(accountOf(arn), "iam", "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v1"))
		return arn + " has its first version again"
	}
	return arn + " has another version that counts: " + textOf(statement)
}

func tagRole(s *scene) string {
	role := s.role()
	if s.draw.chance(2) {
		s.tried(s.iamOf(role, "UntagRole", "TagKeys.member.1", "team"))
		return role + " loses its tag team"
	}
	value := s.draw.one("analytics", "finance", "")
	s.tried(s.iamOf(role, "TagRole", "Tags.member.1.Key", "team", "Tags.member.1.Value", value))
	return role + " has the tag team=" + value
}

func putBoundary(s *scene) string {
	who := s.draw.one(reader, worker, own, bound, bound, ann)
	s.made++
	p := newPolicy()
	for range 1 + s.draw.IntN(3) {
		statement := s.draw.ofIdentity()
		statement["Effect"] = s.draw.one("Allow", "Allow", "Deny")
		p.add(statement)
	}
	if s.draw.chance(2) {
		p.add(map[string]any{"Effect": "Allow", "Action": s.draw.one("s3:*", "*", "kms:*"), "Resource": "*"})
	}
	created := s.query(accountOf(who), "iam", "CreatePolicy", "PolicyName", fmt.Sprintf("edge%d", s.made), "PolicyDocument", p.String())
	put := "PutRolePermissionsBoundary"
	if who == ann {
		put = "PutUserPermissionsBoundary"
	}
	if s.tried(created) && s.tried(s.iamOf(who, put, "PermissionsBoundary", created.element("Arn"))) {
		s.doubts()
	}
	return fmt.Sprintf("%s has the boundary %s", who, p)
}

func dropBoundary(s *scene) string {
	s.tried(s.iamOf(bound, "DeleteRolePermissionsBoundary"))
	return bound + " loses its boundary"
}

func editTrust(s *scene) string {
	role := s.role()
	service := serviceOf[role] + ".amazonaws.com"
	allow := func(principal, action any, rest string) string {
		return `{"Effect":"Allow","Principal":` + textOf(principal) + `,"Action":` + textOf(action) + rest + `}`
	}
	of := func(services any) map[string]any { return map[string]any{"Service": services} }
	account := accountOf(role)
	statements := pick(s.draw.Rand, [][]string{
		{allow(of([]string{"glue.amazonaws.com", service}), []string{"sts:TagSession", "STS:assumerole"}, "")},
		{allow(of(service), "sts:*", "")},
		{allow("*", "sts:AssumeRole", `,"Condition":{"StringEquals":{"aws:PrincipalServiceName":"`+service+`"}}`)},
		{allow(of("glue.amazonaws.com"), "sts:AssumeRole", "")},
		{allow(of(service), "sts:TagSession", "")},
		{allow(map[string]any{"AWS": account}, "sts:AssumeRole", "")},
		{allow(of(service), "sts:AssumeRole", ""), `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}`},
		{allow(of(service), "sts:AssumeRole", ""), `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`},
		{allow(of(service), "sts:AssumeRole", ""), `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::` + account + `:root"}}}`},
		{allow(of(service), "sts:AssumeRole", `,"Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`)},
		{allow(of(service), "sts:AssumeRole", `,"Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+elsewhere+`"}}`)},
	})
	text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	if s.tried(s.iamOf(role, "UpdateAssumeRolePolicy", "PolicyDocument", text)) && (strings.Contains(text, "sts:TagSession") || strings.Contains(text, "sts:*")) {
		s.unknown = true // whoever has it may have tags of its own
	}
	return role + " is trusted by " + text
}

// remakeRole deletes a role and makes it again: another one to whom had named
// it.
func remakeRole(s *scene) string {
	role := s.role()
	live := s.iamOf(role, "GetRole")
	if !live.ok() {
		return ""
	}
	trust := unescaped(s.t, live.element("AssumeRolePolicyDocument"))
	attached := s.attached(role)
	for _, arn := range attached {
		s.tried(s.iamOf(role, "DetachRolePolicy", "PolicyArn", arn))
	}
	inline := map[string]string{}
	for _, name := range s.inlineNames(role) {
		inline[name] = unescaped(s.t, s.iamOf(role, "GetRolePolicy", "PolicyName", name).element("PolicyDocument"))
		s.tried(s.iamOf(role, "DeleteRolePolicy", "PolicyName", name))
	}
	profile := s.iamOf(role, "ListInstanceProfilesForRole").element("InstanceProfileName")
	if profile != "" {
		s.tried(s.iamOf(role, "RemoveRoleFromInstanceProfile", "InstanceProfileName", profile))
	}
	if !s.tried(s.iamOf(role, "DeleteRole")) {
		return ""
	}
	_, path, _ := strings.Cut(role, ":role")
	path = strings.TrimSuffix(path, nameOf(role))
	words := role + " is deleted and made again"
	if s.draw.chance(6) {
		path, words = "/else/", role+" is deleted, and one of its name made under another path"
	}
	if s.draw.chance(6) {
		return role + " is deleted"
	}
	s.tried(s.iamOf(role, "CreateRole", "Path", path, "AssumeRolePolicyDocument", trust))
	if s.draw.chance(2) {
		words += ", with its policies"
		for _, arn := range attached {
			s.tried(s.iamOf(role, "AttachRolePolicy", "PolicyArn", arn))
		}
		for _, name := range sortedNames(inline) {
			s.tried(s.iamOf(role, "PutRolePolicy", "PolicyName", name, "PolicyDocument", inline[name]))
		}
		if profile != "" {
			s.tried(s.iamOf(role, "AddRoleToInstanceProfile", "InstanceProfileName", profile))
		}
	}
	return words
}

func changeProfile(s *scene) string {
	const profile = "worker"
	iam := func(action string, parameters ...string) bool {
		return s.tried(s.query(analytics, "iam", action, append([]string{"InstanceProfileName", profile}, parameters...)...))
	}
	association := s.query(analytics, "ec2", "DescribeIamInstanceProfileAssociations").element("associationId")
	switch s.draw.IntN(5) {
	case 0:
		iam("RemoveRoleFromInstanceProfile", "RoleName", "worker")
		return "the instance profile loses its role"
	case 1:
		if iam("RemoveRoleFromInstanceProfile", "RoleName", "worker") {
			iam("AddRoleToInstanceProfile", "RoleName", "stranger")
		}
		return "the instance profile holds another role"
	case 2:
		s.tried(s.query(analytics, "ec2", "DisassociateIamInstanceProfile", "AssociationId", association))
		return "the instance loses its profile"
	case 3:
		if iam("RemoveRoleFromInstanceProfile", "RoleName", "worker") && iam("DeleteInstanceProfile") && iam("CreateInstanceProfile") {
			iam("AddRoleToInstanceProfile", "RoleName", "worker")
		}
		return "the instance profile is deleted and made again"
	}
	other := "other"
	s.tried(s.query(analytics, "iam", "CreateInstanceProfile", "InstanceProfileName", other))
	s.tried(s.query(analytics, "ec2", "ReplaceIamInstanceProfileAssociation", "AssociationId", association, "IamInstanceProfile.Name", other))
	return "the instance has another profile"
}

func editUser(s *scene) string {
	statement := s.draw.ofIdentity()
	text := newPolicy(statement).String()
	switch s.draw.IntN(4) {
	case 0:
		if s.tried(s.query(analytics, "iam", "PutGroupPolicy", "GroupName", "readers", "PolicyName", "guard", "PolicyDocument", text)) {
			s.doubts()
		}
		return "group readers has " + text
	case 1:
		s.tried(s.query(analytics, "iam", "RemoveUserFromGroup", "GroupName", "readers", "UserName", nameOf(ann)))
		return "ann leaves group readers"
	case 2:
		s.tried(s.query(analytics, "iam", "RemoveUserFromGroup", "GroupName", "readers", "UserName", nameOf(ann)))
		s.tried(s.query(analytics, "iam", "DeleteAccessKey", "UserName", nameOf(ann), "AccessKeyId", s.users[ann].key))
		if s.tried(s.query(analytics, "iam", "DeleteUser", "UserName", nameOf(ann))) {
			s.users[ann] = s.newUser(s.t, ann)
			s.tried(s.query(analytics, "iam", "AddUserToGroup", "GroupName", "readers", "UserName", nameOf(ann)))
		}
		return "ann is deleted and made again"
	}
	who := s.draw.one(ann, bob)
	if s.tried(s.iamOf(who, "PutUserPolicy", "PolicyName", "guard", "PolicyDocument", text)) {
		s.doubts()
	}
	return who + " has " + text
}
