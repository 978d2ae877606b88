package awslive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// doRole creates a role, or brings trust, boundary and tags of a live one to
// what is wanted.
func (d *doing) doRole(ctx context.Context, want plan.Role) error {
	if d.change.Existing {
		return fmt.Errorf("%s: an existing role is never configured: plan anew", d.change.ID)
	}
	before, ok := d.change.Before.(plan.Role)
	if !ok {
		err := d.trusting(ctx, want.Trust, func() error {
			_, err := d.iam().CreateRole(ctx, &iam.CreateRoleInput{
				RoleName: &want.Name, Path: &want.Path, Tags: iamTagList(want.Tags),
				AssumeRolePolicyDocument: aws.String(string(want.Trust)),
				PermissionsBoundary:      ptr(want.Boundary),
			})
			return err
		})
		if !isCode(err, "EntityAlreadyExists") {
			if err == nil {
				d.rememberRole(want.ARN)
			}
			return d.fail(err, want.ARN)
		}
		// Our own answer was lost, or somebody was faster.
		if before, err = d.readRole(ctx, want.Name); err != nil {
			return err
		}
		if !d.mayTake(before.Tags) {
			return d.foreignError("role " + want.Name)
		}
	}
	d.rememberRole(before.ARN)
	if before.Path != want.Path {
		return fmt.Errorf("%s: role %s has the path %s, not %s, which is another role to AWS: write the path into the spec, or use another name",
			d.account.ID, want.Name, before.Path, want.Path)
	}
	if same, err := sameTrust(before.Trust, want.Trust); err != nil {
		return fmt.Errorf("%s: trust policy of role %s: %w", d.account.ID, want.Name, err)
	} else if !same {
		if err := d.trusting(ctx, want.Trust, func() error {
			_, err := d.iam().UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
				RoleName: &want.Name, PolicyDocument: aws.String(string(want.Trust)),
			})
			return err
		}); err != nil {
			return d.fail(err, want.ARN)
		}
	}
	if want.Boundary != "" && want.Boundary != before.Boundary {
		if _, err := d.iam().PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{
			RoleName: &want.Name, PermissionsBoundary: &want.Boundary,
		}); err != nil {
			return d.fail(err, want.ARN)
		}
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		if _, err := d.iam().TagRole(ctx, &iam.TagRoleInput{RoleName: &want.Name, Tags: iamTagList(missing)}); err != nil {
			return d.fail(err, want.ARN)
		}
	}
	return nil
}

// trusting calls f until IAM has heard of the roles that a trust policy names,
// as far as they exist. Nothing else that IAM does not know is worth waiting
// for: services, accounts and identity providers are there or are not.
func (d *doing) trusting(ctx context.Context, trust json.RawMessage, f func() error) error {
	return d.client.again(ctx, propagation, func(err error) bool {
		if !isInvalidPrincipal(err) {
			return false
		}
		if p, ok := namedPrincipal(err); ok {
			return p.kind == "AWS" && d.client.roleExists(ctx, p.name)
		}
		doc, parseErr := iampolicy.ParseLive(trust)
		if parseErr != nil {
			return false
		}
		named := principals(doc.Statements)
		return len(named) > 0 && !slices.ContainsFunc(named, func(p string) bool { return !d.client.roleExists(ctx, p) })
	}, f)
}

func (d *doing) readRole(ctx context.Context, name string) (plan.Role, error) {
	out, err := d.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return plan.Role{}, d.fail(err, "role "+name)
	}
	r := out.Role
	role := plan.Role{
		Name: aws.ToString(r.RoleName), Path: aws.ToString(r.Path), ARN: aws.ToString(r.Arn),
		Trust: decodeDocument(r.AssumeRolePolicyDocument), Tags: iamTags(r.Tags),
	}
	if r.PermissionsBoundary != nil {
		role.Boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	return role, nil
}

// sameTrust compares two trust policies by meaning. A live one that cannot be
// read is another one.
func sameTrust(live, want json.RawMessage) (bool, error) {
	w, err := iampolicy.ParseLive(want)
	if err != nil {
		return false, err
	}
	l, err := iampolicy.ParseLive(live)
	return err == nil && iampolicy.Equal(l, w), nil
}

func iamTagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}
