package sandbox

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// TestIAMRefuses has one line for each thing that IAM refuses, in its words.
func TestIAMRefuses(t *testing.T) {
	ten := SeedRole{Account: owner, Name: "ten", Trust: trusting(`{"AWS":"111111111111"}`)}
	seed := Seed{Policies: []SeedPolicy{{Account: owner, Name: "p", Document: allowAll}, {Account: consumer, Name: "theirs", Document: allowAll}}}
	for i := range 10 {
		name := fmt.Sprint("p", i)
		seed.Policies = append(seed.Policies, SeedPolicy{Account: owner, Name: name, Document: allowAll})
		ten.Attached = append(ten.Attached, ownPolicy(name))
	}
	full := SeedRole{Account: owner, Name: "full", Trust: ten.Trust, Inline: map[string]string{"big": padded(10000)}}
	bounded := SeedRole{Account: owner, Name: "bounded", Trust: ten.Trust, Boundary: ownPolicy("p")}
	seed.Roles = []SeedRole{ten, full, bounded, {Account: owner, Name: "r", Trust: ten.Trust}}
	seed.Profiles = []SeedProfile{{Account: owner, Name: "i"}}
	s := start(t, Options{Seed: seed})

	createRole := func(change func(*iam.CreateRoleInput)) func(context.Context, *iam.Client) error {
		return func(ctx context.Context, c *iam.Client) error {
			in := createRoleInput("new")
			change(in)
			_, err := c.CreateRole(ctx, in)
			return err
		}
	}
	trust := func(text string) func(context.Context, *iam.Client) error {
		return createRole(func(in *iam.CreateRoleInput) { in.AssumeRolePolicyDocument = str(text) })
	}
	createPolicy := func(name, text string) func(context.Context, *iam.Client) error {
		return func(ctx context.Context, c *iam.Client) error {
			_, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str(name), PolicyDocument: str(text)})
			return err
		}
	}
	attach := func(role, arn string) func(context.Context, *iam.Client) error {
		return func(ctx context.Context, c *iam.Client) error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str(role), PolicyArn: str(arn)})
			return err
		}
	}
	tagRole := func(tags ...types.Tag) func(context.Context, *iam.Client) error {
		return func(ctx context.Context, c *iam.Client) error {
			_, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: str("r"), Tags: tags})
			return err
		}
	}
	listRoles := func(marker string, items int32) func(context.Context, *iam.Client) error {
		return func(ctx context.Context, c *iam.Client) error {
			in := &iam.ListRolesInput{MaxItems: aws.Int32(items)}
			if marker != "" {
				in.Marker = str(marker)
			}
			_, err := c.ListRoles(ctx, in)
			return err
		}
	}
	many := make([]types.Tag, 51)
	for i := range many {
		many[i] = types.Tag{Key: str(fmt.Sprint("k", i)), Value: str("v")}
	}
	cases := map[string]struct {
		do         func(context.Context, *iam.Client) error
		code, says string
	}{
		"role name's form":       {createRole(func(in *iam.CreateRoleInput) { in.RoleName = str("a b") }), "ValidationError", "roleName is invalid"},
		"role name's length":     {createRole(func(in *iam.CreateRoleInput) { in.RoleName = str(strings.Repeat("x", 65)) }), "ValidationError", "less than or equal to 64"},
		"path's form":            {createRole(func(in *iam.CreateRoleInput) { in.Path = str("team/") }), "ValidationError", "must begin and end with /"},
		"path's length":          {createRole(func(in *iam.CreateRoleInput) { in.Path = str("/" + strings.Repeat("x", 511) + "/") }), "ValidationError", "512"},
		"description's length":   {createRole(func(in *iam.CreateRoleInput) { in.Description = str(strings.Repeat("x", 1001)) }), "ValidationError", "1000"},
		"session too short":      {createRole(func(in *iam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(3599) }), "ValidationError", "3600"},
		"session too long":       {createRole(func(in *iam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(43201) }), "ValidationError", "43200"},
		"boundary not there":     {createRole(func(in *iam.CreateRoleInput) { in.PermissionsBoundary = str(ownPolicy("no")) }), "NoSuchEntity", "does not exist or is not attachable"},
		"boundary of another":    {createRole(func(in *iam.CreateRoleInput) { in.PermissionsBoundary = str("arn:aws:iam::222222222222:policy/theirs") }), "NoSuchEntity", "theirs"},
		"role exists":            {createRole(func(in *iam.CreateRoleInput) { in.RoleName = str("r") }), "EntityAlreadyExists", "Role with name r already exists."},
		"role in another case":   {createRole(func(in *iam.CreateRoleInput) { in.RoleName = str("R") }), "EntityAlreadyExists", "R"},
		"trust is no JSON":       {trust("{"), "MalformedPolicyDocument", ""},
		"trust has a resource":   {trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`), "MalformedPolicyDocument", "prohibited field Resource"},
		"trust has no principal": {trust(allowing("sts:AssumeRole", "*")), "MalformedPolicyDocument", ""},
		"trust has an S3 action": {trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}`), "MalformedPolicyDocument", "may only specify STS"},
		"trust, NotPrincipal":    {trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`), "MalformedPolicyDocument", "NotPrincipal"},
		"trust, Deny of others":  {trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`), "MalformedPolicyDocument", "NotPrincipal"},
		"trusts no role":         {trust(trusting(`{"AWS":"arn:aws:iam::222222222222:role/no"}`)), "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:role/no"`},
		"trusts no service":      {trust(trusting(`{"Service":"ec2.example.com"}`)), "MalformedPolicyDocument", `"SERVICE":"ec2.example.com"`},
		"trusts a dead id":       {trust(trusting(`{"AWS":"AROAAAAAAAAAAAAAAAAAA"}`)), "MalformedPolicyDocument", "AROAAAAAAAAAAAAAAAAAA"},
		"trusts no user":         {trust(trusting(`{"AWS":"arn:aws:iam::222222222222:user/bob"}`)), "MalformedPolicyDocument", "user/bob"},
		"trust too large":        {trust(trusting(`{"AWS":"111111111111","Service":["` + strings.Repeat("x", 2000) + `.amazonaws.com"]}`)), "LimitExceeded", "ACLSizePerRole: 2048"},
		"trust in another text":  {trust("{\"Version\":\"2012-10-17\",\"Id\":\"\u4e16\"}"), "MalformedPolicyDocument", ""},
		"no role": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: str("no"), PolicyDocument: str("{}")})
			return err
		}, "NoSuchEntity", "The role with name no cannot be found."},
		"no boundary to delete": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: str("r")})
			return err
		}, "NoSuchEntity", "r"},

		"tag, reserved":      {tagRole(types.Tag{Key: str("aws:x"), Value: str("")}), "InvalidInput", "aws:"},
		"tag, twice":         {tagRole(types.Tag{Key: str("a"), Value: str("")}, types.Tag{Key: str("A"), Value: str("")}), "InvalidInput", "Duplicate tag keys"},
		"tag key's form":     {tagRole(types.Tag{Key: str("a;b"), Value: str("")}), "ValidationError", "tags.1.member.key"},
		"tag value's form":   {tagRole(types.Tag{Key: str("a"), Value: str("a;b")}), "ValidationError", "tags.1.member.value"},
		"tag key's length":   {tagRole(types.Tag{Key: str(strings.Repeat("x", 129)), Value: str("")}), "ValidationError", "128"},
		"tag value's length": {tagRole(types.Tag{Key: str("a"), Value: str(strings.Repeat("x", 257))}), "ValidationError", "256"},
		"tags, 51":           {tagRole(many...), "LimitExceeded", "tags"},

		"policy name's form":     {createPolicy("a/b", allowAll), "ValidationError", "policyName"},
		"policy exists":          {createPolicy("P", allowAll), "EntityAlreadyExists", "A policy called P already exists."},
		"policy names somebody":  {createPolicy("new", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`), "MalformedPolicyDocument", "should not specify a principal"},
		"policy has no resource": {createPolicy("new", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`), "MalformedPolicyDocument", ""},
		"policy, Sids alike":     {createPolicy("new", `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`), "MalformedPolicyDocument", "Sid"},
		"policy of 6145":         {createPolicy("new", padded(6145)), "LimitExceeded", "PolicySize: 6144"},
		"no policy": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: str(ownPolicy("nobody's"))})
			return err
		}, "NoSuchEntity", "was not found"},
		"AWS's policy that is not here": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: str("arn:aws:iam::aws:policy/AmazonS3FullAccess")})
			return err
		}, "NotImplemented", "the AWS managed policy arn:aws:iam::aws:policy/AmazonS3FullAccess"},
		"AWS's policy that is not here, attached": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: str("arn:aws:iam::aws:policy/AmazonS3FullAccess")})
			return err
		}, "NotImplemented", "it knows AdministratorAccess, AmazonSSMManagedInstanceCore, ReadOnlyAccess"},
		"no policy's ARN": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: str("arn:aws:iam::111111111111:role/policy")})
			return err
		}, "InvalidInput", "is not valid"},
		"policy of another": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: str("arn:aws:iam::222222222222:policy/theirs")})
			return err
		}, "AccessDenied", "not authorized to perform: iam:GetPolicy"},
		"AWS's policy changed": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
			return err
		}, "AccessDenied", "ReadOnlyAccess"},
		"policy is a boundary": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: str(ownPolicy("p"))})
			return err
		}, "DeleteConflict", "attached"},
		"no version": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: str(ownPolicy("p")), VersionId: str("v9")})
			return err
		}, "NoSuchEntity", "v9"},

		"attach the eleventh": {attach("ten", ownPolicy("p")), "LimitExceeded", "PoliciesPerRole: 10"},
		"attach again":        {attach("ten", ownPolicy("p0")), "", ""},
		"attach what is not":  {attach("r", ownPolicy("no")), "NoSuchEntity", "does not exist or is not attachable"},
		"attach another's":    {attach("r", "arn:aws:iam::222222222222:policy/theirs"), "NoSuchEntity", "theirs"},
		"attach to nobody":    {attach("no", ownPolicy("p")), "NoSuchEntity", "role with name no"},
		"detach what is not": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: str("r"), PolicyArn: str(ownPolicy("p"))})
			return err
		}, "NoSuchEntity", "was not found"},
		"inline too large": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: str("full"), PolicyName: str("more"), PolicyDocument: str(padded(300))})
			return err
		}, "LimitExceeded", "10240"},
		"inline replaced": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: str("full"), PolicyName: str("big"), PolicyDocument: str(padded(10100))})
			return err
		}, "", ""},
		"no inline policy": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: str("r"), PolicyName: str("no")})
			return err
		}, "NoSuchEntity", "The role policy with name no cannot be found."},

		"profile exists": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: str("i")})
			return err
		}, "EntityAlreadyExists", "Instance Profile i already exists."},
		"add no role": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: str("i"), RoleName: str("no")})
			return err
		}, "NoSuchEntity", "role with name no"},
		"remove no role": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: str("i"), RoleName: str("r")})
			return err
		}, "NoSuchEntity", "role with name r"},
		"no user": {func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: str("bob")})
			return err
		}, "NoSuchEntity", "bob"},

		"marker":              {listRoles("!", 1), "ValidationError", "Marker"},
		"no items":            {listRoles("", 0), "ValidationError", "maxItems"},
		"more than 1000":      {listRoles("", 1001), "ValidationError", "maxItems"},
		"scope of policies":   {policiesListed(&iam.ListPoliciesInput{Scope: "Mine"}), "ValidationError", "scope"},
		"usage of policies":   {policiesListed(&iam.ListPoliciesInput{PolicyUsageFilter: "Any"}), "ValidationError", "policyUsageFilter"},
		"an unknown filter":   {detailsOf("Everything"), "ValidationError", "filter"},
		"a filter of nothing": {detailsOf(types.EntityTypeGroup), "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wantCode(t, c.do(t.Context(), s.iam(owner)), c.code, c.says)
		})
	}
}

func policiesListed(in *iam.ListPoliciesInput) func(context.Context, *iam.Client) error {
	return func(ctx context.Context, c *iam.Client) error {
		_, err := c.ListPolicies(ctx, in)
		return err
	}
}

func detailsOf(filter types.EntityType) func(context.Context, *iam.Client) error {
	return func(ctx context.Context, c *iam.Client) error {
		_, err := c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{filter}})
		return err
	}
}
