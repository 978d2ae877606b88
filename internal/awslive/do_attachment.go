package awslive

import (
	"context"
	"path"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/xshare/xshare/plan"
)

// attach attaches a managed policy to a role; IAM takes it again without harm.
func (d *doing) attach(ctx context.Context, want plan.Attachment) error {
	role := d.roleARN(want.Role)
	// IAM may not have heard everywhere of a role or policy made just now.
	err := d.heard(ctx, func(err error) bool { return isCode(err, "NoSuchEntity") }, func() error {
		_, err := d.iam().AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &want.Role, PolicyArn: &want.PolicyARN})
		return err
	}, want.PolicyARN, role)
	return d.fail(err, role)
}

// detach takes a managed policy off a role.
func (d *doing) detach(ctx context.Context, before plan.Attachment) error {
	_, err := d.iam().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &before.Role, PolicyArn: &before.PolicyARN})
	if isCode(err, "NoSuchEntity") {
		return nil // it is off, which is what is wanted
	}
	return d.fail(err, d.roleARN(before.Role))
}

// roleARN is a role's ARN as if it had no path, where the path is not known.
func (s *session) roleARN(name string) string { return s.client.arn(s.account.ID, "role", name) }

// rememberRole notes that a role exists, under its ARN and under its name alone.
func (s *session) rememberRole(arn string) {
	s.client.remember(arn)
	s.client.remember(s.roleARN(path.Base(arn)))
}
