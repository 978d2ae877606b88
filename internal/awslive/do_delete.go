package awslive

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// Whole resources are deleted for --prune only. Premise: a plan may be old when
// it is carried out, so each resource is read right before and has to carry our
// mark still; and what is not there is done, which it also is when the answer
// to an earlier call of ours was lost.

// heldPatience is how long a DeleteConflict is waited out: IAM may not have
// heard yet of what this run has detached.
const heldPatience = 15 * time.Second

// delete takes a whole resource away.
func (d *doing) delete(ctx context.Context) error {
	before := d.change.Before
	switch d.change.Type {
	case plan.TypeBucket:
		return given(ctx, before, d.deleteBucket)
	case plan.TypeRole:
		return given(ctx, before, d.deleteRole)
	case plan.TypePolicy:
		return given(ctx, before, d.deletePolicy)
	case plan.TypeInstanceProfile:
		return given(ctx, before, d.deleteInstanceProfile)
	case plan.TypeInstance:
		return given(ctx, before, d.terminate)
	}
	return fmt.Errorf("%s: an %s is never deleted: plan anew", d.change.ID, d.change.Type)
}

// notOurs is that a resource has lost our mark since the plan was made.
func (d *doing) notOurs(resource string) error {
	return fmt.Errorf("%s: %s does not carry the tag %s=%s any more, so it is left alone: plan anew",
		d.account.ID, resource, plan.RepositoryTag, d.client.options.Repository)
}

// onlyOurs refuses a resource whose policy has, or may have, foreign statements.
func (d *doing) onlyOurs(resource string, policy []byte) error {
	rest, err := iampolicy.Merge(policy, d.client.options.Ours, nil)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %s is left alone: %w: delete it by hand if nobody needs it", d.account.ID, resource, err)
	case rest != nil:
		return fmt.Errorf("%s: %s has policy statements that are not ours, so it is left alone: delete it by hand if nobody needs them", d.account.ID, resource)
	}
	return nil
}

// unheld calls f until what held on to the resource is off everywhere. One that
// is gone is what is wanted.
func (d *doing) unheld(ctx context.Context, resource, mend string, f func() error) error {
	err := d.client.again(ctx, heldPatience, func(err error) bool { return isCode(err, "DeleteConflict") }, f)
	switch {
	case isCode(err, "NoSuchEntity"):
		return nil
	case isCode(err, "DeleteConflict"):
		return d.client.failed(err, d.account.ID, d.change.Region, resource, mend)
	}
	return d.fail(err, resource)
}

func (d *doing) deleteRole(ctx context.Context, before plan.Role) error {
	live, err := d.readRole(ctx, before.Name)
	switch {
	case isCode(err, "NoSuchEntity"):
		return nil
	case err != nil:
		return err
	case !d.client.marked(live.Tags):
		return d.notOurs("role " + before.Name)
	}
	return d.unheld(ctx, before.ARN,
		"the role has a policy or is in an instance profile that is not ours: take that away by hand, or leave the role", func() error {
			_, err := d.iam().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &before.Name})
			return err
		})
}

// deletePolicy deletes a policy's other versions first, as IAM wants it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
func (d *doing) deletePolicy(ctx context.Context, before plan.Policy) error {
	live, err := d.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &before.ARN})
	switch {
	case isCode(err, "NoSuchEntity"):
		return nil
	case err != nil:
		return d.fail(err, before.ARN)
	}
	text, err := d.versionText(ctx, before.ARN, aws.ToString(live.Policy.DefaultVersionId))
	if err != nil {
		return err
	}
	if !d.client.marked(iamTags(live.Policy.Tags)) && !d.hasOurs(text) {
		return d.notOurs("policy " + before.ARN)
	}
	if err := d.onlyOurs("policy "+before.ARN, text); err != nil {
		return err
	}
	_, others, err := d.versions(ctx, before.ARN)
	if isCode(err, "NoSuchEntity") {
		return nil
	}
	if err != nil {
		return err
	}
	for _, id := range others {
		_, err := d.iam().DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &before.ARN, VersionId: &id})
		if err != nil && !isCode(err, "NoSuchEntity") {
			return d.fail(err, before.ARN)
		}
	}
	return d.unheld(ctx, before.ARN,
		"the policy is attached, or is the boundary, of something that is not ours: take it off by hand, or leave the policy", func() error {
			_, err := d.iam().DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &before.ARN})
			return err
		})
}

// deleteInstanceProfile refuses where an instance uses the profile: IAM does
// not ask EC2, and such an instance loses its credentials without a word.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
func (d *doing) deleteInstanceProfile(ctx context.Context, before plan.InstanceProfile) error {
	live, err := d.readProfile(ctx, before.Name)
	switch {
	case isCode(err, "NoSuchEntity"):
		return nil
	case err != nil:
		return err
	case !d.client.marked(live.Tags):
		return d.notOurs("instance profile " + before.Name)
	case live.Role != "" && live.Role != before.Role:
		return fmt.Errorf("%s: instance profile %s was given the role %s meanwhile: plan anew", d.account.ID, before.Name, live.Role)
	}
	if err := d.profileUnused(ctx, live); err != nil {
		return err
	}
	if live.Role != "" {
		_, err := d.iam().RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
			InstanceProfileName: &before.Name, RoleName: &live.Role,
		})
		if err != nil && !isCode(err, "NoSuchEntity") {
			return d.fail(err, before.ARN)
		}
	}
	return d.unheld(ctx, before.ARN, "take its role out by hand, or leave the instance profile", func() error {
		_, err := d.iam().DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &before.Name})
		return err
	})
}

// profileUnused looks for an instance with the profile in all of the
// repository's regions. One that is shutting down needs it no more.
func (d *doing) profileUnused(ctx context.Context, profile plan.InstanceProfile) error {
	regions := d.client.options.Regions
	if len(regions) == 0 {
		return fmt.Errorf("%s: instance profile %s is left alone: no regions are known to look for instances that use it", d.account.ID, profile.Name)
	}
	for _, region := range regions {
		found, err := d.instances(ctx, region, []types.Filter{filter("iam-instance-profile.arn", profile.ARN)})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			var ids []string
			for _, in := range found {
				ids = append(ids, in.ID)
			}
			return fmt.Errorf("%s: instance profile %s is left alone: in %s it is used by %s: terminate those, or give them another profile, then apply again",
				d.account.ID, profile.Name, region, strings.Join(ids, ", "))
		}
	}
	return nil
}

// terminate ends an instance and waits until EC2 has begun with it; nothing
// brings it back then.
func (d *doing) terminate(ctx context.Context, before plan.Instance) error {
	live, err := d.liveInstance(ctx, before)
	if err != nil || live == nil {
		return err
	}
	if !d.client.marked(live.Tags) {
		return d.notOurs("instance " + before.ID)
	}
	out, err := d.ec2(before.Region).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{before.ID}})
	switch {
	case isCode(err, "InvalidInstanceID.NotFound"):
		return nil
	case err != nil:
		return d.failed(err, before.Region, before.ID)
	}
	for _, in := range out.TerminatingInstances {
		if aws.ToString(in.InstanceId) == before.ID && in.CurrentState != nil && !slices.Contains(liveStates, string(in.CurrentState.Name)) {
			return nil
		}
	}
	ended, err := d.settles(ctx, func() (bool, error) {
		live, err := d.liveInstance(ctx, before)
		return live == nil, err
	})
	if err == nil && !ended {
		err = fmt.Errorf("%s %s: instance %s was told to terminate and is still there: see what keeps it, then apply again", d.account.ID, before.Region, before.ID)
	}
	return err
}

// liveInstance reads an instance; nil: it is gone, or as good as that.
func (d *doing) liveInstance(ctx context.Context, before plan.Instance) (*plan.LiveInstance, error) {
	found, err := d.instances(ctx, before.Region, []types.Filter{filter("instance-id", before.ID)})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// deleteBucket deletes an empty bucket. S3 refuses one that has objects, and so
// xshare never removes any.
func (d *doing) deleteBucket(ctx context.Context, before plan.Bucket) error {
	arn := bucketARN(d.client, before.Name)
	tags, err := d.bucketTags(ctx, before.Name, before.Region)
	switch {
	case isCode(err, "NoSuchBucket"):
		return nil
	case err != nil:
		return err
	case !d.client.marked(tags):
		return d.notOurs("bucket " + before.Name)
	}
	policy, err := d.bucketPolicy(ctx, before.Name, before.Region)
	if err != nil {
		return err
	}
	if err := d.onlyOurs("bucket "+before.Name, policy); err != nil {
		return err
	}
	_, err = d.s3(before.Region).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &before.Name, ExpectedBucketOwner: &d.account.ID})
	switch {
	case isCode(err, "NoSuchBucket"):
		return nil
	case isCode(err, "BucketNotEmpty"):
		return d.client.failed(err, d.account.ID, before.Region, arn,
			"the bucket has objects, or versions of them, and is left alone: empty it by hand if they are not needed, then apply again")
	}
	return d.failed(err, before.Region, arn)
}
