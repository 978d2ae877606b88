package awslive

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/xshare/xshare/plan"
)

// doAssociation gives an instance its profile. Another profile is replaced
// only when that was asked for, but for one of the same name that was deleted.
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
	other, otherID := "", ""
	if live.IamInstanceProfile != nil {
		other, otherID = aws.ToString(live.IamInstanceProfile.Arn), profileID(live.IamInstanceProfile.Id)
	}
	// Names of profiles are unique in an account, whatever their path.
	name := want.ProfileARN[strings.LastIndex(want.ProfileARN, "/")+1:]
	if other[strings.LastIndex(other, "/")+1:] == name {
		out, err := d.iam().GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
		if err != nil {
			return d.failed(err, "", want.ProfileARN)
		}
		if otherID == "" || profileID(out.InstanceProfile.InstanceProfileId) == otherID {
			return nil
		}
	} else if d.change.Action != plan.Adopt {
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
