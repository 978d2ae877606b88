package awslive

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/xshare/xshare/plan"
)

// doInstanceProfile creates an instance profile and puts its role in. Creation
// is two calls, so one that is there without a role is finished.
func (d *doing) doInstanceProfile(ctx context.Context, want plan.InstanceProfile) error {
	before, ok := d.change.Before.(plan.InstanceProfile)
	if !ok {
		_, err := d.iam().CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
			InstanceProfileName: &want.Name, Path: &want.Path, Tags: iamTagList(want.Tags),
		})
		switch {
		case err == nil:
			before = want
			before.Role = ""
		case isCode(err, "EntityAlreadyExists"): // our own answer was lost, or somebody was faster
			if before, err = d.readProfile(ctx, want.Name); err != nil {
				return err
			}
			if !d.mayTake(before.Tags) {
				return d.foreignError("instance profile " + want.Name)
			}
		default:
			return d.fail(err, want.ARN)
		}
		d.client.remember(want.ARN)
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		if _, err := d.iam().TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{
			InstanceProfileName: &want.Name, Tags: iamTagList(missing),
		}); err != nil {
			return d.fail(err, want.ARN)
		}
	}
	if before.Role == want.Role {
		return nil
	}
	if before.Role != "" {
		if err := d.removeRole(ctx, want, before.Role); err != nil {
			return err
		}
	}
	return d.addRole(ctx, want)
}

func (d *doing) readProfile(ctx context.Context, name string) (plan.InstanceProfile, error) {
	out, err := d.iam().GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		return plan.InstanceProfile{}, d.fail(err, "instance profile "+name)
	}
	return liveProfile(*out.InstanceProfile).InstanceProfile, nil
}

// removeRole takes another role out of the profile, when that was asked for.
func (d *doing) removeRole(ctx context.Context, want plan.InstanceProfile, other string) error {
	if d.change.Action != plan.Adopt {
		return fmt.Errorf("%s: instance profile %s holds the role %s, not %s: replace it with --adopt, or use another profile",
			d.account.ID, want.Name, other, want.Role)
	}
	_, err := d.iam().RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
		InstanceProfileName: &want.Name, RoleName: &other,
	})
	if isCode(err, "NoSuchEntity") {
		return nil // it is out, which is what is wanted
	}
	return d.fail(err, want.ARN)
}

func (d *doing) addRole(ctx context.Context, want plan.InstanceProfile) error {
	err := d.heard(ctx, func(err error) bool { return isCode(err, "NoSuchEntity") }, func() error {
		_, err := d.iam().AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{
			InstanceProfileName: &want.Name, RoleName: &want.Role,
		})
		return err
	}, want.ARN, d.roleARN(want.Role))
	if !isCode(err, "LimitExceeded") {
		return d.fail(err, want.ARN)
	}
	// A profile holds one role, and this one does already: ours, when the
	// answer to our own call was lost.
	live, readErr := d.readProfile(ctx, want.Name)
	if readErr != nil {
		return readErr
	}
	if live.Role == want.Role {
		return nil
	}
	if live.Role == "" {
		return d.fail(err, want.ARN)
	}
	return fmt.Errorf("%s: instance profile %s was given the role %s meanwhile: plan anew", d.account.ID, want.Name, live.Role)
}
