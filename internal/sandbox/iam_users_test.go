package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const ann = "arn:aws:iam::222222222222:user/team/ann"

// newUser makes the consumer's user ann and gives its key.
func newUser(t *testing.T, s testServer) []string {
	t.Helper()
	c := s.iam(consumer)
	must(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: str("ann"), Path: str("/team/"), Tags: []types.Tag{{Key: str("team"), Value: str("data")}}}))(t)
	k := must(c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: str("ann")}))(t).AccessKey
	return []string{*k.AccessKeyId, *k.SecretAccessKey}
}

func (s testServer) iamOf(keys []string) *iam.Client { return s.iam(keys[0], keys[1], "") }

func TestUser(t *testing.T) {
	s := start(t, Options{Seed: Seed{Policies: []SeedPolicy{{Account: owner, Name: "limit", Document: allowAll}}}})
	ctx, c := t.Context(), s.iam(owner)
	made := must(c.CreateUser(ctx, &iam.CreateUserInput{
		UserName: str("bob"), Path: str("/team/"), PermissionsBoundary: str(ownPolicy("limit")), Tags: []types.Tag{{Key: str("b"), Value: str("2")}},
	}))(t).User
	if !strings.HasPrefix(*made.UserId, "AIDA") || len(*made.UserId) != 21 || *made.Arn != "arn:aws:iam::111111111111:user/team/bob" {
		t.Errorf("made %+v", made)
	}
	must(c.TagUser(ctx, &iam.TagUserInput{UserName: str("bob"), Tags: []types.Tag{{Key: str("a"), Value: str("1")}}}))(t)
	must(c.UntagUser(ctx, &iam.UntagUserInput{UserName: str("bob"), TagKeys: []string{"b"}}))(t)
	got := must(c.GetUser(ctx, &iam.GetUserInput{UserName: str("bob")}))(t).User
	if tagsOf(got.Tags) != "a=1" || *got.PermissionsBoundary.PermissionsBoundaryArn != ownPolicy("limit") || *got.Path != "/team/" {
		t.Errorf("user %+v", got)
	}
	must(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: str("bob")}))(t)
	if got := must(c.GetUser(ctx, &iam.GetUserInput{UserName: str("bob")}))(t).User; got.PermissionsBoundary != nil {
		t.Errorf("boundary %+v", got.PermissionsBoundary)
	}
	must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: str("bob"), PermissionsBoundary: str(ownPolicy("limit"))}))(t)
	if tags := must(c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: str("bob")}))(t).Tags; tagsOf(tags) != "a=1" {
		t.Errorf("tags %s", tagsOf(tags))
	}
	listed := must(c.ListUsers(ctx, nil))(t).Users
	if got := names(listed, func(u types.User) *string { return u.UserName }); !slices.Equal(got, []string{"admin", "bob"}) || listed[1].Tags != nil {
		t.Errorf("users %v, %+v", got, listed[1])
	}
	if under := must(c.ListUsers(ctx, &iam.ListUsersInput{PathPrefix: str("/team/")}))(t).Users; len(under) != 1 {
		t.Errorf("%d users under the path", len(under))
	}
	me := must(c.GetUser(ctx, nil))(t).User
	if *me.Arn != "arn:aws:iam::111111111111:user/admin" {
		t.Errorf("the administrator is %s", *me.Arn)
	}

	// What hangs on a user keeps it, one after the other.
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: str("g")}))(t)
	for range 2 { // the second time changes nothing
		must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("bob")}))(t)
	}
	must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: str("bob"), PolicyArn: str(ownPolicy("limit"))}))(t)
	must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("bob"), PolicyName: str("in"), PolicyDocument: str(allowing("s3:GetObject", "*"))}))(t)
	out := must(c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: str("bob"), PolicyName: str("in")}))(t)
	if *out.UserName != "bob" || *out.PolicyName != "in" || decoded(t, out.PolicyDocument) != allowing("s3:GetObject", "*") {
		t.Errorf("inline policy %+v", out)
	}
	key := must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: str("bob")}))(t).AccessKey
	for _, step := range []struct {
		says   string
		remove func() error
	}{
		{"must remove users from group first", func() error {
			_, err := c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: str("g"), UserName: str("bob")})
			return err
		}},
		{"must detach all policies first", func() error {
			_, err := c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: str("bob"), PolicyArn: str(ownPolicy("limit"))})
			return err
		}},
		{"must delete policies first", func() error {
			_, err := c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: str("bob"), PolicyName: str("in")})
			return err
		}},
		{"must delete access keys first", func() error {
			_, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: str("bob"), AccessKeyId: key.AccessKeyId})
			return err
		}},
	} {
		_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: str("bob")})
		wantCode(t, err, "DeleteConflict", step.says)
		wantCode(t, step.remove(), "", "")
	}
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: str("bob")}))(t)
	_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: str("bob")})
	wantCode(t, err, "NoSuchEntity", "The user with name bob cannot be found.")
	_, err = s.sts(*key.AccessKeyId, *key.SecretAccessKey, "").GetCallerIdentity(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId", "")
}

func TestGroup(t *testing.T) {
	s := start(t, Options{Seed: Seed{Policies: []SeedPolicy{{Account: owner, Name: "p", Document: allowAll}}}})
	ctx, c := t.Context(), s.iam(owner)
	made := must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: str("g"), Path: str("/x/")}))(t).Group
	if !strings.HasPrefix(*made.GroupId, "AGPA") || *made.Arn != "arn:aws:iam::111111111111:group/x/g" {
		t.Errorf("made %+v", made)
	}
	for _, name := range []string{"bob", "ann"} {
		must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: str(name)}))(t)
		must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str(name)}))(t)
	}
	got := must(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: str("g"), MaxItems: aws.Int32(1)}))(t)
	if *got.Group.GroupName != "g" || len(got.Users) != 1 || *got.Users[0].UserName != "ann" || !got.IsTruncated {
		t.Errorf("group %+v", got)
	}
	if rest := must(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: str("g"), Marker: got.Marker}))(t); len(rest.Users) != 1 || *rest.Users[0].UserName != "bob" {
		t.Errorf("the rest %+v", rest.Users)
	}
	of := must(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: str("ann")}))(t).Groups
	if len(of) != 1 || *of[0].Arn != *made.Arn || len(must(c.ListGroups(ctx, nil))(t).Groups) != 1 {
		t.Errorf("groups of ann %+v", of)
	}
	_, err := c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: str("g")})
	wantCode(t, err, "DeleteConflict", "must remove users from group first")
	for _, name := range []string{"bob", "ann"} {
		must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: str("g"), UserName: str(name)}))(t)
	}
	must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: str("g"), PolicyArn: str(ownPolicy("p"))}))(t)
	must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("in"), PolicyDocument: str(allowAll)}))(t)
	if out := must(c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: str("g"), PolicyName: str("in")}))(t); *out.GroupName != "g" {
		t.Errorf("inline policy %+v", out)
	}
	if list := must(c.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: str("g")}))(t).AttachedPolicies; len(list) != 1 {
		t.Errorf("attached %+v", list)
	}
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: str("g")})
	wantCode(t, err, "DeleteConflict", "must detach all policies first")
	must(c.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: str("g"), PolicyArn: str(ownPolicy("p"))}))(t)
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: str("g")})
	wantCode(t, err, "DeleteConflict", "must delete policies first")
	must(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: str("g"), PolicyName: str("in")}))(t)
	must(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: str("g")}))(t)
}

// What IAM refuses of users and groups, in its words.
func TestIAMRefusesOfUsers(t *testing.T) {
	s := start(t, Options{Seed: Seed{Policies: []SeedPolicy{{Account: owner, Name: "p", Document: allowAll}}}})
	ctx, c := t.Context(), s.iam(owner)
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: str("u")}))(t)
	for i := range 11 {
		must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: str(fmt.Sprint("g", i))}))(t)
		if i < 10 {
			must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str(fmt.Sprint("g", i)), UserName: str("u")}))(t)
		}
		if i < 2 {
			must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: str("u")}))(t)
		}
	}
	const role = "arn:aws:iam::111111111111:role/r"
	in := createRoleInput("r")
	in.AssumeRolePolicyDocument = str(trusting(`{"AWS":"111111111111"}`))
	must(c.CreateRole(ctx, in))(t)
	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: str(ownPolicy("p"))}))(t)
	session := s.as(t, owner, role)
	put := func(user string, size int) error {
		_, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str(user), PolicyName: str("in"), PolicyDocument: str(padded(size))})
		return err
	}
	for name, tt := range map[string]struct {
		do         func(context.Context) error
		code, says string
	}{
		"user exists, in another case": {func(ctx context.Context) error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: str("U")})
			return err
		}, "EntityAlreadyExists", "User with name U already exists."},
		"the administrator exists": {func(ctx context.Context) error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: str("admin")})
			return err
		}, "EntityAlreadyExists", "admin"},
		"the administrator stays": {func(ctx context.Context) error {
			_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: str("admin")})
			return err
		}, "NotImplemented", "changes of the user admin"},
		"the administrator joins no group": {func(ctx context.Context) error {
			_, err := c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g0"), UserName: str("admin")})
			return err
		}, "NotImplemented", "changes of the user admin"},
		"boundary not there": {func(ctx context.Context) error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: str("new"), PermissionsBoundary: str(ownPolicy("no"))})
			return err
		}, "NoSuchEntity", "does not exist or is not attachable"},
		"no boundary to delete": {func(ctx context.Context) error {
			_, err := c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: str("u")})
			return err
		}, "NoSuchEntity", "User u does not have a permissions boundary."},
		"inline of a user":       {func(context.Context) error { return put("u", 2049) }, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u"},
		"inline of a user, fits": {func(context.Context) error { return put("u", 2048) }, "", ""},
		"inline of nobody":       {func(context.Context) error { return put("no", 1000) }, "NoSuchEntity", "The user with name no cannot be found."},
		"inline of a group": {func(ctx context.Context) error {
			_, err := c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: str("g0"), PolicyName: str("in"), PolicyDocument: str(padded(5121))})
			return err
		}, "LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group g0"},
		"no inline policy": {func(ctx context.Context) error {
			_, err := c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: str("g0"), PolicyName: str("no")})
			return err
		}, "NoSuchEntity", "The group policy with name no cannot be found."},
		"eleventh group": {func(ctx context.Context) error {
			_, err := c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g10"), UserName: str("u")})
			return err
		}, "LimitExceeded", "GroupsPerUser: 10"},
		"not in the group": {func(ctx context.Context) error {
			_, err := c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: str("g10"), UserName: str("u")})
			return err
		}, "NoSuchEntity", "g10"},
		"nobody joins": {func(ctx context.Context) error {
			_, err := c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g0"), UserName: str("no")})
			return err
		}, "NoSuchEntity", "The user with name no cannot be found."},
		"third key": {func(ctx context.Context) error {
			_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: str("u")})
			return err
		}, "LimitExceeded", "AccessKeysPerUser: 2"},
		"another's key": {func(ctx context.Context) error {
			_, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: str("u"), AccessKeyId: str("AKIAAAAAAAAAAAAAAAAA")})
			return err
		}, "NoSuchEntity", "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found."},
		"whose keys, as a role": {func(ctx context.Context) error {
			_, err := s.iam(session[0], session[1:]...).ListAccessKeys(ctx, nil)
			return err
		}, "ValidationError", "Must specify userName"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, tt.do(t.Context()), tt.code, tt.says) })
	}
}

// A user's calls are decided by what hangs on it, on its groups, and by its
// boundary.
func TestUsersCalls(t *testing.T) {
	const listRoles = "iam:ListRoles"
	tests := map[string]struct {
		give func(context.Context, *testing.T, *iam.Client)
		code string
	}{
		"nothing": {func(context.Context, *testing.T, *iam.Client) {}, "AccessDenied"},
		"inline": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("ann"), PolicyName: str("in"), PolicyDocument: str(allowing(listRoles, "*"))}))(t)
		}, ""},
		"attached": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: str("ann"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")}))(t)
		}, ""},
		"inline of the group": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("in"), PolicyDocument: str(allowing(listRoles, "*"))}))(t)
		}, ""},
		"attached to the group": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: str("g"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")}))(t)
		}, ""},
		"no more in the group": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: str("g"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")}))(t)
			must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: str("g"), UserName: str("ann")}))(t)
		}, "AccessDenied"},
		"the group denies": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: str("ann"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")}))(t)
			must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("in"), PolicyDocument: str(strings.ReplaceAll(allowing(listRoles, "*"), "Allow", "Deny"))}))(t)
		}, "AccessDenied"},
		"beyond the boundary": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: str("ann"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")}))(t)
			must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: str("ann"), PermissionsBoundary: str("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")}))(t)
		}, "AccessDenied"},
		"by name and tag": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("ann"), PolicyName: str("in"), PolicyDocument: str(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:username":"ann","aws:PrincipalTag/team":"data","aws:PrincipalType":"User"}}}]}`,
			)}))(t)
		}, ""},
		"by another's name": {func(ctx context.Context, t *testing.T, c *iam.Client) {
			must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("ann"), PolicyName: str("in"), PolicyDocument: str(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:username":"admin"}}}]}`,
			)}))(t)
		}, "AccessDenied"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{})
			keys := newUser(t, s)
			ctx, c := t.Context(), s.iam(consumer)
			must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: str("g")}))(t)
			must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("ann")}))(t)
			tt.give(ctx, t, c)
			who := must(s.sts(keys[0], keys[1], "").GetCallerIdentity(ctx, nil))(t)
			if *who.Arn != ann || !strings.HasPrefix(*who.UserId, "AIDA") {
				t.Errorf("it is %s, %s", *who.Arn, *who.UserId)
			}
			_, err := s.iamOf(keys).ListRoles(ctx, nil)
			wantCode(t, err, tt.code, "")
		})
	}
}

// A user that is deleted and made again is another one: the policy that named it
// shows the dead id and no longer lets it in. A user that never was cannot be
// named at all.
func TestDeletedUserTurnsIntoItsID(t *testing.T) {
	s := start(t, Options{})
	ctx, o, c := t.Context(), s.s3(owner), s.iam(consumer)
	must(o.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("notes")}))(t)
	policy := func(principal string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::notes"}]}`
	}
	put := func(principal string) error {
		_, err := o.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("notes"), Policy: str(policy(principal))})
		return err
	}
	shown := func() string {
		t.Helper()
		return *must(o.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: str("notes")}))(t).Policy
	}
	give := func() {
		t.Helper()
		must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("ann"), PolicyName: str("in"), PolicyDocument: str(allowing("s3:*", "*"))}))(t)
	}
	list := func(keys []string) error {
		_, err := s.s3(keys[0], keys[1], "").ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("notes")})
		return err
	}
	wantCode(t, put(ann), "MalformedPolicy", "Invalid principal in policy")
	keys := newUser(t, s)
	give()
	id := *must(c.GetUser(ctx, &iam.GetUserInput{UserName: str("ann")}))(t).User.UserId
	wantCode(t, put("arn:aws:iam::222222222222:user/ann"), "MalformedPolicy", "Invalid principal in policy") // without its path
	wantCode(t, put(ann), "", "")
	wantCode(t, list(keys), "", "")

	must(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: str("ann"), PolicyName: str("in")}))(t)
	must(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: str("ann"), AccessKeyId: &keys[0]}))(t)
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: str("ann")}))(t)
	if got := shown(); got != policy(id) {
		t.Errorf("deleted: %s, want %s in it", got, id)
	}
	wantCode(t, put(id), "MalformedPolicy", "Invalid principal in policy")
	keys = newUser(t, s)
	give()
	if got := shown(); got != policy(id) {
		t.Errorf("made again: %s, want %s in it", got, id)
	}
	wantCode(t, list(keys), "AccessDenied", "")
	wantCode(t, put(ann), "", "")
	wantCode(t, list(keys), "", "")
}

// Users and groups are in what tells of the whole account.
func TestAccountTellsOfUsers(t *testing.T) {
	s := start(t, Options{Seed: Seed{Policies: []SeedPolicy{{Account: consumer, Name: "p", Document: allowAll}}}})
	newUser(t, s)
	ctx, c := t.Context(), s.iam(consumer)
	arn := str("arn:aws:iam::222222222222:policy/p")
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: str("g")}))(t)
	must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("ann")}))(t)
	must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: str("ann"), PolicyName: str("in"), PolicyDocument: str(allowing("s3:*", "*"))}))(t)
	must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: str("ann"), PermissionsBoundary: arn}))(t)
	must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("own"), PolicyDocument: str(allowing("ec2:*", "*"))}))(t)
	must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: str("g"), PolicyArn: arn}))(t)

	out := must(c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeUser, types.EntityTypeGroup}}))(t)
	if len(out.UserDetailList) != 2 || len(out.GroupDetailList) != 1 || len(out.Policies)+len(out.RoleDetailList) != 0 {
		t.Fatalf("%d users, %d groups, %d policies", len(out.UserDetailList), len(out.GroupDetailList), len(out.Policies))
	}
	u, g := out.UserDetailList[1], out.GroupDetailList[0]
	if *u.Arn != ann || !slices.Equal(u.GroupList, []string{"g"}) || *u.PermissionsBoundary.PermissionsBoundaryArn != *arn || tagsOf(u.Tags) != "team=data" ||
		len(u.UserPolicyList) != 1 || decoded(t, u.UserPolicyList[0].PolicyDocument) != allowing("s3:*", "*") {
		t.Errorf("user %+v", u)
	}
	if *g.GroupName != "g" || len(g.AttachedManagedPolicies) != 1 || len(g.GroupPolicyList) != 1 || decoded(t, g.GroupPolicyList[0].PolicyDocument) != allowing("ec2:*", "*") {
		t.Errorf("group %+v", g)
	}
	for filter, want := range map[types.EntityType]string{"": "group g, user ann", types.EntityTypeUser: "user ann", types.EntityTypeGroup: "group g", types.EntityTypeRole: ""} {
		e := must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn, EntityFilter: filter}))(t)
		var got []string
		for _, v := range e.PolicyGroups {
			got = append(got, "group "+*v.GroupName)
		}
		for _, v := range e.PolicyUsers {
			got = append(got, "user "+*v.UserName)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %v, want %s", filter, got, want)
		}
	}
	p := must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn}))(t).Policy
	if *p.AttachmentCount != 1 || *p.PermissionsBoundaryUsageCount != 1 {
		t.Errorf("policy %+v", p)
	}
	if m := must(c.GetAccountSummary(ctx, nil))(t).SummaryMap; m["Users"] != 2 || m["Groups"] != 1 || m["GroupsPerUserQuota"] != 10 {
		t.Errorf("summary %v", m)
	}
}

// A state file from before there were users is read, and one with users gives
// them back, keys included.
func TestStateFileWithUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	old := `{"FormatVersion":1,"Accounts":{"222222222222":{"ID":"222222222222","AdminID":"AIDAOLDOLDOLDOLDOLDOL","Roles":{"r":{"Created":"2026-01-02T03:04:05Z","Account":"222222222222","Name":"r","Path":"/","ID":"AROAOLDOLDOLDOLDOLDOL","ARN":"arn:aws:iam::222222222222:role/r","Trust":{"Text":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"},"Description":"old","MaxSession":3600,"Boundary":"","Inline":{"in":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"},"Attached":null,"Tags":[{"Key":"a","Value":"b"}]}},"Policies":{},"Profiles":{}}}}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	s, end := open(t, Options{StatePath: path})
	r := must(s.iam(consumer).GetRole(t.Context(), &iam.GetRoleInput{RoleName: str("r")}))(t).Role
	if *r.RoleId != "AROAOLDOLDOLDOLDOLDOL" || tagsOf(r.Tags) != "a=b" || *r.Description != "old" || r.CreateDate.Year() != 2026 {
		t.Errorf("role %+v", r)
	}
	keys := newUser(t, s)
	end()
	s, end = open(t, Options{StatePath: path})
	defer end()
	if who := must(s.sts(keys[0], keys[1], "").GetCallerIdentity(t.Context(), nil))(t); *who.Arn != ann {
		t.Errorf("the key is that of %s", *who.Arn)
	}
}
