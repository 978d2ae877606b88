package awslive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/xshare/xshare/plan"
)

// doInstance launches an instance, or brings tags and profile of a live one to
// what is wanted. It returns the instance's id.
func (d *doing) doInstance(ctx context.Context, want plan.Instance) (string, error) {
	before, ok := d.change.Before.(plan.Instance)
	if !ok {
		// An earlier run may have launched it and not lived to see the answer.
		found, err := d.instances(ctx, want.Region, []types.Filter{
			filter("tag:"+plan.RepositoryTag, d.client.names()...),
			filter("tag:"+plan.NameTag, want.Name),
		})
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return d.launch(ctx, want)
		}
		before = found[0].Instance
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		if _, err := d.ec2(want.Region).CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{before.ID}, Tags: ec2TagList(missing),
		}); err != nil {
			return "", d.failed(err, want.Region, before.ID)
		}
	}
	if before.ProfileARN == want.ProfileARN {
		return before.ID, nil
	}
	return before.ID, d.doAssociation(ctx, plan.Association{InstanceID: before.ID, Region: want.Region, ProfileARN: want.ProfileARN})
}

// launch runs an instance. Every attempt of ours has a ClientToken of its own:
// a token stands for one set of parameters for ever, also after it failed. A
// retry of the SDK, of an attempt whose answer was lost, has the same one.
func (d *doing) launch(ctx context.Context, want plan.Instance) (id string, err error) {
	image, name, err := d.imageOf(ctx, want.Region, want.Image)
	if err != nil {
		return "", err
	}
	in := &ec2.RunInstancesInput{
		ImageId:            &image,
		InstanceType:       types.InstanceType(want.Type),
		MinCount:           aws.Int32(1),
		MaxCount:           aws.Int32(1),
		SubnetId:           ptr(want.Subnet),
		SecurityGroupIds:   want.SecurityGroups,
		KeyName:            ptr(want.KeyName),
		IamInstanceProfile: &types.IamInstanceProfileSpecification{Arn: &want.ProfileARN},
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpTokens: types.HttpTokensStateRequired, HttpEndpoint: types.InstanceMetadataEndpointStateEnabled,
		},
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: ec2TagList(want.Tags)}},
	}
	err = d.heardProfile(ctx, want.ProfileARN, func() error {
		in.ClientToken = aws.String(rand.Text())
		out, err := d.ec2(want.Region).RunInstances(ctx, in)
		if err == nil && len(out.Instances) == 0 {
			err = errors.New("RunInstances answered without an instance")
		}
		if err == nil {
			id = aws.ToString(out.Instances[0].InstanceId)
		}
		return err
	})
	if err != nil {
		return "", d.failed(err, want.Region, "instance "+want.Name)
	}
	d.client.remember(id)
	if name != "" {
		d.note("%s: image %s (%s), the newest of %s", id, image, name, want.Image)
	}
	return id, nil
}

// heardProfile calls f until EC2 has heard of an instance profile that exists.
func (d *doing) heardProfile(ctx context.Context, arn string, f func() error) error {
	until := func(error) string { return "EC2 knows " + nounOf(arn) }
	return d.client.await(ctx, propagation, until, func(err error) bool {
		return isUnseenProfile(err) && d.profileExists(ctx, arn)
	}, f)
}

// profileExists reports whether an instance profile is there: this client saw
// it or made it, or IAM says so now.
func (d *doing) profileExists(ctx context.Context, arn string) bool {
	if d.client.knows(arn) {
		return true
	}
	live, err := d.readProfile(ctx, arn[strings.LastIndex(arn, "/")+1:])
	if err != nil || live.ARN != arn {
		return false
	}
	d.client.remember(arn)
	return true
}

func ec2TagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

// imageOf finds the image to launch, and its name if it was chosen here: the
// newest of Amazon's.
func (d *doing) imageOf(ctx context.Context, region, image string) (id, name string, err error) {
	wanted, ok := plan.Newest(image)
	if !ok {
		if !strings.HasPrefix(image, "ami-") {
			return "", "", fmt.Errorf("%s: %q is no image: use amazon-linux-2023, amazon-linux-2 or the id of one, ami-…", d.change.ID, image)
		}
		return image, "", nil
	}
	d.mu.Lock()
	chosen := d.image[region+" "+image]
	d.mu.Unlock()
	if chosen != (chosenImage{}) {
		return chosen.id, chosen.name, nil
	}
	out, err := d.ec2(region).DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners:            []string{"amazon"},
		Filters:           []types.Filter{filter("name", wanted.Pattern), filter("state", "available")},
		IncludeDeprecated: aws.Bool(wanted.Deprecated),
	})
	if err != nil {
		return "", "", d.failed(err, region, "images named "+wanted.Pattern)
	}
	if len(out.Images) == 0 {
		return "", "", fmt.Errorf("%s %s: there is no image of Amazon's named %s: name one by its id, ami-…, in the spec", d.account.ID, region, wanted.Pattern)
	}
	newest := slices.MaxFunc(out.Images, func(a, b types.Image) int {
		return strings.Compare(aws.ToString(a.CreationDate)+aws.ToString(a.ImageId), aws.ToString(b.CreationDate)+aws.ToString(b.ImageId))
	})
	chosen = chosenImage{aws.ToString(newest.ImageId), aws.ToString(newest.Name)}
	d.mu.Lock()
	d.image[region+" "+image] = chosen
	d.mu.Unlock()
	return chosen.id, chosen.name, nil
}

// chosenImage is an image that a word of the spec stands for.
type chosenImage struct{ id, name string }
