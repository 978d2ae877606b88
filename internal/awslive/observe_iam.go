package awslive

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/plan"
)

// pageSize is the most that IAM and EC2 give at once.
const pageSize = 1000

// readIAM reads roles, managed policies, attachments and profiles in bulk. All
// of the account's policies are read and not only those of wanted roles: a
// policy of ours that no spec states any more is found by its Sids alone. The
// tags of one are read only where those do not tell; see readPolicyTags.
func (r *reader) readIAM(ctx context.Context) {
	defer r.note(r.keepIAM)
	var listed []types.InstanceProfile
	tags := map[string]map[string]string{} // of profiles that hold a role
	var g errgroup.Group
	g.Go(func() error { return r.readDetails(ctx, tags) })
	if r.want.IAM || len(r.want.Profiles) > 0 {
		g.Go(func() (err error) {
			listed, err = r.listProfiles(ctx)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		r.fail(plan.ScopeIAM, err)
		return
	}
	r.readPolicyTags(ctx)
	wanted := set(r.want.Profiles)
	for _, p := range listed {
		live := liveProfile(p)
		live.Tags = tags[live.Name]
		// A profile without a role may be what a prune that was cut short left.
		mayBeOurs := wanted[live.Name] || live.Role == "" && len(r.want.Sweep) > 0
		if mayBeOurs && live.Tags == nil {
			out, err := r.iam().GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: p.InstanceProfileName})
			switch {
			case isCode(err, "NoSuchEntity"): // gone since it was listed
				continue
			case err != nil:
				r.fail(plan.ScopeIAM, r.failed(err, "", live.ARN))
				return
			}
			live = liveProfile(*out.InstanceProfile)
		}
		r.note(func(snap *plan.Snapshot) { snap.Profiles[live.Name] = live })
	}
}

// keepIAM leaves in the snapshot what is wanted, what is ours and what these
// hang on, so that thousands of foreign roles are not kept for the whole run.
// Only at the end is it known which policies are ours.
func (r *reader) keepIAM(snap *plan.Snapshot) {
	roles, policies, profiles := set(r.want.Roles), set(r.want.Policies), set(r.want.Profiles)
	isOurs := map[string]bool{}
	for arn, p := range snap.Policies {
		isOurs[arn] = r.hasOurs(p.Document) || r.client.marked(p.Tags)
	}
	maps.DeleteFunc(snap.Roles, func(name string, role *plan.LiveRole) bool {
		return !roles[name] && !r.client.marked(role.Tags) &&
			!slices.ContainsFunc(role.Attached, func(arn string) bool { return isOurs[arn] })
	})
	for _, role := range snap.Roles {
		r.rememberRole(role.ARN)
		policies[role.Boundary] = true
		for _, arn := range role.Attached {
			policies[arn] = true
		}
	}
	for _, user := range snap.Users {
		for _, arn := range user.Policies() {
			policies[arn] = true
		}
	}
	maps.DeleteFunc(snap.Policies, func(arn string, _ *plan.LivePolicy) bool { return !policies[arn] && !isOurs[arn] })
	maps.DeleteFunc(snap.Profiles, func(name string, p *plan.LiveInstanceProfile) bool {
		return !profiles[name] && !r.client.marked(p.Tags) && snap.Roles[p.Role] == nil
	})
	for arn := range snap.Policies {
		r.client.remember(arn)
	}
	for _, p := range snap.Profiles {
		r.client.remember(p.ARN)
	}
}

func set(names []string) map[string]bool {
	in := map[string]bool{}
	for _, name := range names {
		in[name] = true
	}
	return in
}

// readDetails reads the account's roles and customer managed policies, with the
// wanted users, and gathers the tags of the profiles that come with the roles.
func (r *reader) readDetails(ctx context.Context, tags map[string]map[string]string) error {
	filter := []types.EntityType{types.EntityTypeLocalManagedPolicy}
	if want := r.want; want.IAM || want.Search || len(want.Roles)+len(want.Policies)+len(want.Profiles) > 0 {
		filter = append(filter, types.EntityTypeRole)
	}
	if len(r.want.Users) > 0 {
		filter = append(filter, types.EntityTypeUser, types.EntityTypeGroup)
	}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(r.iam(), &iam.GetAccountAuthorizationDetailsInput{
		Filter: filter, MaxItems: aws.Int32(pageSize),
	})
	var people people
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return r.failed(err, "", "the account")
		}
		for _, d := range page.RoleDetailList {
			role := liveRole(d)
			for _, p := range d.InstanceProfileList {
				if len(p.Tags) > 0 {
					tags[aws.ToString(p.InstanceProfileName)] = iamTags(p.Tags)
				}
			}
			r.note(func(snap *plan.Snapshot) { snap.Roles[role.Name] = role })
		}
		for _, d := range page.Policies {
			policy := livePolicy(d)
			r.note(func(snap *plan.Snapshot) { snap.Policies[policy.ARN] = policy })
		}
		people.add(r.want.Users, page.UserDetailList, page.GroupDetailList)
	}
	if len(r.want.Users) > 0 {
		r.note(func(snap *plan.Snapshot) { snap.Users = people.live() })
	}
	return nil
}

func (r *reader) listProfiles(ctx context.Context) ([]types.InstanceProfile, error) {
	var all []types.InstanceProfile
	pages := iam.NewListInstanceProfilesPaginator(r.iam(), &iam.ListInstanceProfilesInput{MaxItems: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.failed(err, "", "the account")
		}
		all = append(all, page.InstanceProfiles...)
	}
	return all, nil
}

func liveRole(d types.RoleDetail) *plan.LiveRole {
	role := &plan.LiveRole{
		Role: plan.Role{
			Name:  aws.ToString(d.RoleName),
			Path:  cmp.Or(aws.ToString(d.Path), "/"),
			ARN:   aws.ToString(d.Arn),
			Trust: decodeDocument(d.AssumeRolePolicyDocument),
			Tags:  iamTags(d.Tags),
		},
		UniqueID: aws.ToString(d.RoleId),
		Attached: attached(d.AttachedManagedPolicies),
		Inline:   inline(d.RolePolicyList),
	}
	if d.PermissionsBoundary != nil {
		role.Boundary = aws.ToString(d.PermissionsBoundary.PermissionsBoundaryArn)
	}
	return role
}

// livePolicy takes the name from the ARN where an endpoint leaves it out.
func livePolicy(d types.ManagedPolicyDetail) *plan.LivePolicy {
	policy := &plan.LivePolicy{
		ARN:            aws.ToString(d.Arn),
		Name:           cmp.Or(aws.ToString(d.PolicyName), path.Base(aws.ToString(d.Arn))),
		DefaultVersion: aws.ToString(d.DefaultVersionId),
	}
	for _, v := range d.PolicyVersionList {
		id := aws.ToString(v.VersionId)
		policy.Versions = append(policy.Versions, id)
		if v.IsDefaultVersion || id == policy.DefaultVersion {
			policy.DefaultVersion = id
			policy.Document = decodeDocument(v.Document)
		}
	}
	sortVersions(policy.Versions)
	return policy
}

// sortVersions puts version ids, v1, v2, …, oldest first.
func sortVersions(ids []string) {
	number := func(id string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(id, "v")) // AWS makes no other ids
		return n
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(number(a)-number(b), strings.Compare(a, b)) })
}

func liveProfile(p types.InstanceProfile) *plan.LiveInstanceProfile {
	live := &plan.LiveInstanceProfile{InstanceProfile: plan.InstanceProfile{
		Name: aws.ToString(p.InstanceProfileName),
		Path: cmp.Or(aws.ToString(p.Path), "/"),
		ARN:  aws.ToString(p.Arn),
		Tags: iamTags(p.Tags),
	}, UniqueID: aws.ToString(p.InstanceProfileId)}
	if len(p.Roles) > 0 {
		live.Role = aws.ToString(p.Roles[0].RoleName)
	}
	return live
}

func iamTags(list []types.Tag) map[string]string {
	tags := map[string]string{}
	for _, t := range list {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}

// decodeDocument is a policy from an IAM answer, where it is URL-encoded.
func decodeDocument(text *string) json.RawMessage {
	if text == nil {
		return nil
	}
	plain, err := url.PathUnescape(*text)
	if err != nil || json.Valid([]byte(*text)) {
		plain = *text
	}
	return json.RawMessage(plain)
}
