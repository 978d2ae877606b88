package sandbox

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Every page of a list has what the whole list has.
func TestPages(t *testing.T) {
	ctx := t.Context()
	s := start(t, Options{})
	c := s.iam(owner)
	const n = 7
	for i := range n {
		name := fmt.Sprint("n", i)
		must(c.CreateRole(ctx, createRoleInput(name)))(t)
		must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str(name), PolicyDocument: str(allowAll)}))(t)
		must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: str(name)}))(t)
		must(c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: str(name), RoleName: str("n0")}))(t)
		must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str("n0"), PolicyArn: str(ownPolicy(name))}))(t)
		must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: str("n0"), PolicyName: str(name), PolicyDocument: str(allowAll)}))(t)
		if i > 0 {
			must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: str(name), PolicyArn: str(ownPolicy("n0"))}))(t)
		}
		must(c.TagRole(ctx, &iam.TagRoleInput{RoleName: str("n0"), Tags: []types.Tag{{Key: str(name), Value: str("")}}}))(t)
		must(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: str(ownPolicy("n0")), Tags: []types.Tag{{Key: str(name), Value: str("")}}}))(t)
		must(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: str("n0"), Tags: []types.Tag{{Key: str(name), Value: str("")}}}))(t)
		if i > 0 && i < 5 {
			must(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: str(ownPolicy("n0")), PolicyDocument: str(allowAll)}))(t)
		}
	}
	two := aws.Int32(2)
	// Each gives one page's names, the next marker and whether there is more.
	lists := map[string]struct {
		total int
		page  func(marker *string) ([]string, *string, bool, error)
	}{
		"ListRoles": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListRoles(ctx, &iam.ListRolesInput{MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Roles, func(r types.Role) *string { return r.RoleName }), out.Marker, out.IsTruncated, nil
		}},
		"ListPolicies": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListPolicies(ctx, &iam.ListPoliciesInput{MaxItems: two, Marker: m, Scope: types.PolicyScopeTypeLocal})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Policies, func(r types.Policy) *string { return r.PolicyName }), out.Marker, out.IsTruncated, nil
		}},
		"ListInstanceProfiles": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.InstanceProfiles, func(r types.InstanceProfile) *string { return r.InstanceProfileName }), out.Marker, out.IsTruncated, nil
		}},
		"ListInstanceProfilesForRole": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: str("n0"), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.InstanceProfiles, func(r types.InstanceProfile) *string { return r.InstanceProfileName }), out.Marker, out.IsTruncated, nil
		}},
		"ListAttachedRolePolicies": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: str("n0"), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.AttachedPolicies, func(r types.AttachedPolicy) *string { return r.PolicyName }), out.Marker, out.IsTruncated, nil
		}},
		"ListRolePolicies": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: str("n0"), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return out.PolicyNames, out.Marker, out.IsTruncated, nil
		}},
		"ListRoleTags": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: str("n0"), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Tags, func(r types.Tag) *string { return r.Key }), out.Marker, out.IsTruncated, nil
		}},
		"ListPolicyTags": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: str(ownPolicy("n0")), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Tags, func(r types.Tag) *string { return r.Key }), out.Marker, out.IsTruncated, nil
		}},
		"ListInstanceProfileTags": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: str("n0"), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Tags, func(r types.Tag) *string { return r.Key }), out.Marker, out.IsTruncated, nil
		}},
		"ListPolicyVersions": {5, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: str(ownPolicy("n0")), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.Versions, func(r types.PolicyVersion) *string { return r.VersionId }), out.Marker, out.IsTruncated, nil
		}},
		"ListEntitiesForPolicy": {n, func(m *string) ([]string, *string, bool, error) {
			out, err := c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: str(ownPolicy("n0")), MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			return names(out.PolicyRoles, func(r types.PolicyRole) *string { return r.RoleName }), out.Marker, out.IsTruncated, nil
		}},
		"GetAccountAuthorizationDetails": {2*n + 2, func(m *string) ([]string, *string, bool, error) {
			out, err := c.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{MaxItems: two, Marker: m})
			if err != nil {
				return nil, nil, false, err
			}
			all := names(out.UserDetailList, func(r types.UserDetail) *string { return r.UserName })
			all = append(all, names(out.RoleDetailList, func(r types.RoleDetail) *string { return r.Arn })...)
			all = append(all, names(out.Policies, func(r types.ManagedPolicyDetail) *string { return r.Arn })...)
			return all, out.Marker, out.IsTruncated, nil
		}},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			var marker *string
			seen := map[string]bool{}
			for pages := 1; ; pages++ {
				got, next, more, err := list.page(marker)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) > 2 || len(got) == 0 {
					t.Fatalf("page %d has %d", pages, len(got))
				}
				for _, v := range got {
					if seen[v] {
						t.Errorf("%s comes twice", v)
					}
					seen[v] = true
				}
				if more != (next != nil) {
					t.Errorf("IsTruncated %t with marker %v", more, next)
				}
				if !more {
					break
				}
				marker = next
			}
			if len(seen) != list.total {
				t.Errorf("%d in all, want %d", len(seen), list.total)
			}
		})
	}
}

func names[T any](list []T, name func(T) *string) []string {
	var out []string
	for _, v := range list {
		out = append(out, aws.ToString(name(v)))
	}
	return out
}
