package awslive

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/xshare/xshare/plan"
)

// doAssociation gives an instance its profile. Another profile is replaced
// only when that was asked for.
func (d *doing) doAssociation(ctx context.Context, want plan.Association) error {
	api := d.ec2(want.Region)
	profile := &types.IamInstanceProfileSpecification{Arn: &want.ProfileARN}
	out, err := api.DescribeIamInstanceProfileAssociations(ctx, &ec2.DescribeIamInstanceProfileAssociationsInput{
		Filters: []types.Filter{filter("instance-id", want.InstanceID), filter("state", "associating", "associated")},
	})
	if err != nil {
		return d.failed(err, want.Region, want.InstanceID)
	}
	if len(out.IamInstanceProfileAssociations) == 0 {
		err := d.heardProfile(ctx, want.ProfileARN, func() error {
			return d.inState(ctx, func() error {
				_, err := api.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{
					InstanceId: &want.InstanceID, IamInstanceProfile: profile,
				})
				return err
			})
		})
		return d.failed(err, want.Region, want.InstanceID)
	}
	live := out.IamInstanceProfileAssociations[0]
	other := ""
	if live.IamInstanceProfile != nil {
		other = aws.ToString(live.IamInstanceProfile.Arn)
	}
	// Names of profiles are unique in an account, whatever their path.
	if other[strings.LastIndex(other, "/")+1:] == want.ProfileARN[strings.LastIndex(want.ProfileARN, "/")+1:] {
		return nil
	}
	if d.change.Action != plan.Adopt {
		return fmt.Errorf("%s %s: instance %s has the profile %s, not %s: replace it with --adopt, or take it off by hand",
			d.account.ID, want.Region, want.InstanceID, other, want.ProfileARN)
	}
	err = d.heardProfile(ctx, want.ProfileARN, func() error {
		return d.inState(ctx, func() error {
			_, err := api.ReplaceIamInstanceProfileAssociation(ctx, &ec2.ReplaceIamInstanceProfileAssociationInput{
				AssociationId: live.AssociationId, IamInstanceProfile: profile,
			})
			return err
		})
	})
	return d.failed(err, want.Region, want.InstanceID)
}

// inState calls f until the instance is in a state that allows it: one that is
// starting or stopping soon is in another.
func (d *doing) inState(ctx context.Context, f func() error) error {
	return d.client.again(ctx, propagation, func(err error) bool {
		return isCode(err, "IncorrectInstanceState", "IncorrectState")
	}, f)
}
