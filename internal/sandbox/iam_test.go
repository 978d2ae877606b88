package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// str and the inputs below keep the tables short.
var str = aws.String

func createRoleInput(name string) *iam.CreateRoleInput {
	return &iam.CreateRoleInput{RoleName: str(name), AssumeRolePolicyDocument: str(trusting(`{"Service":"ec2.amazonaws.com"}`))}
}

func ownPolicy(name string) string { return "arn:aws:iam::111111111111:policy/" + name }

func decoded(t *testing.T, document *string) string {
	t.Helper()
	text, err := url.QueryUnescape(aws.ToString(document))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tagsOf(tags []types.Tag) string {
	var out []string
	for _, v := range tags {
		out = append(out, *v.Key+"="+*v.Value)
	}
	return strings.Join(out, " ")
}

func TestRole(t *testing.T) {
	s := start(t, Options{Seed: Seed{Policies: []SeedPolicy{{Account: owner, Name: "limit", Document: allowAll}}}})
	ctx, c := t.Context(), s.iam(owner)
	in := createRoleInput("r")
	in.Path, in.Description, in.MaxSessionDuration, in.PermissionsBoundary = str("/team/a/"), str("what it is for"), aws.Int32(7200), str(ownPolicy("limit"))
	in.Tags = []types.Tag{{Key: str("b"), Value: str("2")}, {Key: str("a"), Value: str("")}}
	made := must(c.CreateRole(ctx, in))(t).Role
	if !strings.HasPrefix(*made.RoleId, "AROA") || len(*made.RoleId) != 21 {
		t.Errorf("id %s", *made.RoleId)
	}
	get := func() *types.Role {
		t.Helper()
		return must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: str("r")}))(t).Role
	}
	describe := func(r *types.Role) string {
		boundary := ""
		if r.PermissionsBoundary != nil {
			boundary = *r.PermissionsBoundary.PermissionsBoundaryArn
		}
		return fmt.Sprint(*r.Arn, " ", *r.Path, " ", aws.ToString(r.Description), " ", aws.ToInt32(r.MaxSessionDuration), " ", boundary, " ", tagsOf(r.Tags), " ", r.CreateDate.Format("15:04"))
	}
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "arn:aws:iam::111111111111:role/team/a/r /team/a/ what it is for 7200 arn:aws:iam::111111111111:policy/limit b=2 a= 12:00"},
		{func() error {
			_, err := c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: str("r"), Description: str("new"), MaxSessionDuration: aws.Int32(3601)})
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3601 arn:aws:iam::111111111111:policy/limit b=2 a= 12:00"},
		{func() error {
			_, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: str("r"), Tags: []types.Tag{{Key: str("B"), Value: str("3")}, {Key: str("c"), Value: str("4")}}})
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3601 arn:aws:iam::111111111111:policy/limit B=3 a= c=4 12:00"},
		{func() error {
			_, err := c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: str("r"), TagKeys: []string{"a", "b", "zzz"}})
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3601 arn:aws:iam::111111111111:policy/limit c=4 12:00"},
		{func() error {
			_, err := c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: str("r")})
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3601  c=4 12:00"},
		{func() error {
			_, err := c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: str("r"), PermissionsBoundary: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3601 arn:aws:iam::aws:policy/ReadOnlyAccess c=4 12:00"},
		{func() error {
			_, err := c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: str("r")}) // resets the duration only
			return err
		}, "arn:aws:iam::111111111111:role/team/a/r /team/a/ new 3600 arn:aws:iam::aws:policy/ReadOnlyAccess c=4 12:00"},
	}
	for i, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := describe(get()); got != step.want {
			t.Errorf("step %d:\n got %s\nwant %s", i, got, step.want)
		}
	}
	listed := must(c.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: str("/team/")}))(t).Roles
	if len(listed) != 1 || listed[0].Tags != nil || listed[0].PermissionsBoundary != nil || *listed[0].Description != "new" {
		t.Errorf("a list has no tags and no boundary: %+v", listed)
	}
	if other := must(c.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: str("/else/")}))(t).Roles; len(other) != 0 {
		t.Errorf("%d roles under another path", len(other))
	}

	trust := ` { "Version" : "2012-10-17",
  "Statement":[{"Effect":"Allow","Principal":{"AWS":["222222222222"],"Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"sts:ExternalId":"a b+c"}}}]}`
	must(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(trust)}))(t)
	if raw := *get().AssumeRolePolicyDocument; !strings.HasPrefix(raw, "%20%7B") || decoded(t, &raw) != trust {
		t.Errorf("trust policy %s", raw)
	}
	must(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")}))(t)
	_, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: str("r")})
	wantCode(t, err, "NoSuchEntity", "The role with name r cannot be found.")
}

func TestRolePolicies(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"111111111111"}`)}}}})
	ctx, c := t.Context(), s.iam(owner)
	for _, text := range []string{allowing("s3:GetObject", "*"), allowing("s3:PutObject", "*")} {
		must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: str("r"), PolicyName: str("in"), PolicyDocument: str(text)}))(t)
		out := must(c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: str("r"), PolicyName: str("in")}))(t)
		if got := decoded(t, out.PolicyDocument); got != text {
			t.Errorf("%s, want %s", got, text)
		}
	}
	_, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")})
	wantCode(t, err, "DeleteConflict", "must delete policies first")
	must(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: str("r"), PolicyName: str("in")}))(t)

	arn := str("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
	for range 2 { // the second time changes nothing
		must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: arn}))(t)
	}
	list := must(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: str("r")}))(t).AttachedPolicies
	if len(list) != 1 || *list[0].PolicyArn != *arn || *list[0].PolicyName != "AmazonSSMManagedInstanceCore" {
		t.Errorf("attached %+v", list)
	}
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")})
	wantCode(t, err, "DeleteConflict", "must detach all policies first")
	must(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: str("r"), PolicyArn: arn}))(t)
	must(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")}))(t)
}

func TestPolicyVersions(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"111111111111"}`)}}}})
	ctx, c := t.Context(), s.iam(owner)
	made := must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: str("p"), PolicyDocument: str(allowing("s3:Get1", "*")), Description: str("about"), Path: str("/x/"), Tags: []types.Tag{{Key: str("a"), Value: str("b")}},
	}))(t).Policy
	arn := made.Arn
	if *arn != ownPolicy("x/p") || *made.DefaultVersionId != "v1" || !made.IsAttachable || !strings.HasPrefix(*made.PolicyId, "ANPA") {
		t.Errorf("made %+v", made)
	}
	add := func(n int, isDefault bool) (string, error) {
		out, err := c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: str(allowing(fmt.Sprint("s3:Get", n), "*")), SetAsDefault: isDefault})
		if err != nil {
			return "", err
		}
		return *out.PolicyVersion.VersionId, nil
	}
	for n := 2; n <= 5; n++ {
		if id := must(add(n, n == 3))(t); id != fmt.Sprint("v", n) {
			t.Errorf("version %s, want v%d", id, n)
		}
	}
	_, err := add(6, true)
	wantCode(t, err, "LimitExceeded", "5 versions")
	_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: str("v3")})
	wantCode(t, err, "DeleteConflict", "default version")
	must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: str("v1")}))(t)
	if id := must(add(6, true))(t); id != "v6" {
		t.Errorf("version %s: numbers are not used again", id)
	}
	must(c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: str("v4")}))(t)
	var versions []string
	for _, v := range must(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions {
		versions = append(versions, fmt.Sprint(*v.VersionId, v.IsDefaultVersion, v.Document == nil))
	}
	if want := []string{"v6false true", "v5false true", "v4true true", "v3false true", "v2false true"}; !slices.Equal(versions, want) {
		t.Errorf("versions %q, want %q", versions, want)
	}
	v := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: str("v4")}))(t).PolicyVersion
	if got := decoded(t, v.Document); got != allowing("s3:Get4", "*") || !v.IsDefaultVersion {
		t.Errorf("version %s", got)
	}

	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: arn}))(t)
	got := must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn}))(t).Policy
	if *got.AttachmentCount != 1 || *got.Description != "about" || tagsOf(got.Tags) != "a=b" || *got.DefaultVersionId != "v4" {
		t.Errorf("policy %+v", got)
	}
	entities := must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))(t)
	if len(entities.PolicyRoles) != 1 || *entities.PolicyRoles[0].RoleName != "r" || len(entities.PolicyUsers) != 0 {
		t.Errorf("entities %+v", entities)
	}
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, err, "DeleteConflict", "attached to entities")
	must(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: str("r"), PolicyArn: arn}))(t)
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, err, "DeleteConflict", "more than one version")
	for _, id := range []string{"v2", "v3", "v5", "v6"} {
		must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: str(id)}))(t)
	}
	must(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: str("c"), Value: str("d")}}}))(t)
	must(c.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"a"}}))(t)
	if tags := tagsOf(must(c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: arn}))(t).Tags); tags != "c=d" {
		t.Errorf("tags %s", tags)
	}
	must(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))(t)
	_, err = c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	wantCode(t, err, "NoSuchEntity", "was not found")
}

func TestInstanceProfile(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"Service":"ec2.amazonaws.com"}`)}}}})
	ctx, c := t.Context(), s.iam(owner)
	name := str("p")
	made := must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name, Path: str("/x/"), Tags: []types.Tag{{Key: str("a"), Value: str("b")}}}))(t).InstanceProfile
	if *made.Arn != "arn:aws:iam::111111111111:instance-profile/x/p" || len(made.Roles) != 0 {
		t.Errorf("made %+v", made)
	}
	add := &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: str("r")}
	must(c.AddRoleToInstanceProfile(ctx, add))(t)
	_, err := c.AddRoleToInstanceProfile(ctx, add)
	wantCode(t, err, "LimitExceeded", "InstanceSessionsPerInstanceProfile: 1")
	got := must(c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: name}))(t).InstanceProfile
	if len(got.Roles) != 1 || *got.Roles[0].Arn != "arn:aws:iam::111111111111:role/r" || tagsOf(got.Tags) != "a=b" {
		t.Errorf("profile %+v", got)
	}
	listed := must(c.ListInstanceProfiles(ctx, nil))(t).InstanceProfiles
	if len(listed) != 1 || listed[0].Tags != nil || len(listed[0].Roles) != 1 {
		t.Errorf("a list has roles and no tags: %+v", listed)
	}
	if of := must(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: str("r")}))(t).InstanceProfiles; len(of) != 1 {
		t.Errorf("%d profiles of the role", len(of))
	}
	_, err = c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
	wantCode(t, err, "DeleteConflict", "must remove roles")
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("r")})
	wantCode(t, err, "DeleteConflict", "must remove roles from instance profile first")
	must(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: name, Tags: []types.Tag{{Key: str("c"), Value: str("d")}}}))(t)
	must(c.UntagInstanceProfile(ctx, &iam.UntagInstanceProfileInput{InstanceProfileName: name, TagKeys: []string{"a"}}))(t)
	if tags := tagsOf(must(c.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: name}))(t).Tags); tags != "c=d" {
		t.Errorf("tags %s", tags)
	}
	must(c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: str("r")}))(t)
	must(c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name}))(t)
	_, err = c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: name})
	wantCode(t, err, "NoSuchEntity", "Instance Profile p cannot be found.")
}

// Adding a role to a profile passes it to EC2.
func TestPassRole(t *testing.T) {
	builder := func(name, statement string) SeedRole {
		return SeedRole{Account: owner, Name: name, Trust: trusting(`{"AWS":"111111111111"}`), Inline: map[string]string{
			"add": allowing("iam:AddRoleToInstanceProfile", "*"), "pass": `{"Version":"2012-10-17","Statement":[` + statement + `]}`,
		}}
	}
	s := start(t, Options{Seed: Seed{
		Roles: []SeedRole{
			{Account: owner, Name: "r", Trust: trusting(`{"Service":"ec2.amazonaws.com"}`)},
			builder("none", `{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}`),
			builder("other", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/q"}`),
			builder("lambda", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}`),
			builder("ec2", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/r","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}`),
		},
		Profiles: []SeedProfile{{Account: owner, Name: "p"}},
	}})
	for _, c := range []struct{ as, code string }{{"none", "AccessDenied"}, {"other", "AccessDenied"}, {"lambda", "AccessDenied"}, {"ec2", ""}} {
		k := s.as(t, owner, ownerRole+c.as)
		_, err := s.iam(k[0], k[1:]...).AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: str("p"), RoleName: str("r")})
		wantCode(t, err, c.code, "iam:PassRole on resource: arn:aws:iam::111111111111:role/r")
	}
}

func TestAccountAuthorizationDetails(t *testing.T) {
	s := start(t, Options{Seed: Seed{
		Policies: []SeedPolicy{{Account: owner, Name: "limit", Document: allowAll}, {Account: owner, Name: "mine", Document: allowing("s3:*", "*")}},
		Roles: []SeedRole{{
			Account: owner, Name: "r", Trust: trusting(`{"Service":"ec2.amazonaws.com"}`), Boundary: ownPolicy("limit"), Tags: map[string]string{"a": "b"},
			Inline: map[string]string{"in": allowing("s3:GetObject", "*")}, Attached: []string{ownPolicy("mine"), "arn:aws:iam::aws:policy/ReadOnlyAccess"},
		}},
		Profiles: []SeedProfile{{Account: owner, Name: "with", Role: "r"}, {Account: owner, Name: "without"}},
	}})
	ctx, c := t.Context(), s.iam(owner)
	must(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: str("with"), Tags: []types.Tag{{Key: str("c"), Value: str("d")}}}))(t)
	must(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: str(ownPolicy("mine")), Tags: []types.Tag{{Key: str("e"), Value: str("f")}}}))(t)
	must(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: str(ownPolicy("mine")), PolicyDocument: str(allowAll), SetAsDefault: true}))(t)
	out := must(c.GetAccountAuthorizationDetails(ctx, nil))(t)
	if len(out.UserDetailList) != 1 || len(out.RoleDetailList) != 1 || len(out.Policies) != 4 {
		t.Fatalf("%d users, %d roles, %d policies", len(out.UserDetailList), len(out.RoleDetailList), len(out.Policies))
	}
	r := out.RoleDetailList[0]
	if *r.Arn != ownerRole+"r" || tagsOf(r.Tags) != "a=b" || *r.PermissionsBoundary.PermissionsBoundaryArn != ownPolicy("limit") ||
		decoded(t, r.AssumeRolePolicyDocument) != trusting(`{"Service":"ec2.amazonaws.com"}`) ||
		len(r.AttachedManagedPolicies) != 2 || len(r.RolePolicyList) != 1 || decoded(t, r.RolePolicyList[0].PolicyDocument) != allowing("s3:GetObject", "*") {
		t.Errorf("role %+v", r)
	}
	if len(r.InstanceProfileList) != 1 || *r.InstanceProfileList[0].InstanceProfileName != "with" || tagsOf(r.InstanceProfileList[0].Tags) != "c=d" {
		t.Errorf("profiles %+v", r.InstanceProfileList)
	}
	i := slices.IndexFunc(out.Policies, func(p types.ManagedPolicyDetail) bool { return *p.Arn == ownPolicy("mine") })
	if p := out.Policies[i]; len(p.PolicyVersionList) != 2 || *p.PolicyVersionList[0].VersionId != "v2" || !p.PolicyVersionList[0].IsDefaultVersion ||
		decoded(t, p.PolicyVersionList[1].Document) != allowing("s3:*", "*") || *p.AttachmentCount != 1 || *p.PolicyId == "" {
		t.Errorf("policy %+v", p)
	}
	filtered := must(c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeLocalManagedPolicy}}))(t)
	if len(filtered.UserDetailList) != 0 || len(filtered.RoleDetailList) != 1 || len(filtered.Policies) != 2 {
		t.Errorf("filtered: %d users, %d roles, %d policies", len(filtered.UserDetailList), len(filtered.RoleDetailList), len(filtered.Policies))
	}
	summary := must(c.GetAccountSummary(ctx, nil))(t).SummaryMap
	if summary["Roles"] != 1 || summary["Policies"] != 2 || summary["PolicyVersionsInUse"] != 3 || summary["AttachedPoliciesPerRoleQuota"] != 10 {
		t.Errorf("summary %v", summary)
	}
	user := must(c.GetUser(ctx, nil))(t).User
	if *user.Arn != "arn:aws:iam::111111111111:user/admin" || *user.UserId != *out.UserDetailList[0].UserId {
		t.Errorf("user %+v", user)
	}
	all := must(c.ListPolicies(ctx, &iam.ListPoliciesInput{OnlyAttached: true, PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}))(t).Policies
	if len(all) != 1 || *all[0].PolicyName != "limit" {
		t.Errorf("boundaries %+v", all)
	}
	admins := must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: str("arn:aws:iam::aws:policy/AdministratorAccess")}))(t)
	if len(admins.PolicyUsers) != 1 || *admins.PolicyUsers[0].UserName != "admin" {
		t.Errorf("administrators %+v", admins.PolicyUsers)
	}
}
