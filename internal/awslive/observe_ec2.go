package awslive

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/xshare/xshare/plan"
)

// A filter of EC2 takes at most 200 values.
const filterValues = 200

// The states of an instance that is there, or will be again. One that is
// shutting down is as good as terminated: nothing brings it back.
var liveStates = []string{"pending", "running", "stopping", "stopped"}

// readEC2 reads the instances of one region: those with our tag, and those
// given by id. Ids go into a filter, since an id that is not there would make
// the whole call fail otherwise.
func (r *reader) readEC2(ctx context.Context, want plan.InstanceWant) {
	var queries [][]types.Filter
	if want.Named {
		queries = append(queries, []types.Filter{filter("tag:"+plan.RepositoryTag, r.client.names()...)})
	}
	for ids := range slices.Chunk(want.IDs, filterValues) {
		queries = append(queries, []types.Filter{filter("instance-id", ids...)})
	}
	seen := map[string]bool{}
	for _, q := range queries {
		found, err := r.instances(ctx, want.Region, q)
		if err != nil {
			r.fail(plan.ScopeEC2+want.Region, err)
			return
		}
		for _, in := range found {
			if seen[in.ID] {
				continue
			}
			seen[in.ID] = true
			r.note(func(snap *plan.Snapshot) { snap.Instances = append(snap.Instances, in) })
		}
	}
}

// instances are the live ones of a region that the filters let through.
func (s *session) instances(ctx context.Context, region string, filters []types.Filter) ([]*plan.LiveInstance, error) {
	var found []*plan.LiveInstance
	pages := ec2.NewDescribeInstancesPaginator(s.ec2(region), &ec2.DescribeInstancesInput{
		Filters:    append([]types.Filter{filter("instance-state-name", liveStates...)}, filters...),
		MaxResults: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.failed(err, region, "the instances of "+region)
		}
		for _, reservation := range page.Reservations {
			for _, in := range reservation.Instances {
				found = append(found, liveInstance(in, region))
			}
		}
	}
	return found, nil
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func liveInstance(in types.Instance, region string) *plan.LiveInstance {
	live := &plan.LiveInstance{Instance: plan.Instance{
		ID:      aws.ToString(in.InstanceId),
		Region:  region,
		Image:   aws.ToString(in.ImageId),
		Type:    string(in.InstanceType),
		Subnet:  aws.ToString(in.SubnetId),
		KeyName: aws.ToString(in.KeyName),
		Tags:    map[string]string{},
	}}
	if in.State != nil {
		live.State = string(in.State.Name)
	}
	if in.IamInstanceProfile != nil {
		live.ProfileARN, live.ProfileID = aws.ToString(in.IamInstanceProfile.Arn), profileID(in.IamInstanceProfile.Id)
	}
	for _, g := range in.SecurityGroups {
		live.SecurityGroups = append(live.SecurityGroups, aws.ToString(g.GroupId))
	}
	slices.Sort(live.SecurityGroups)
	for _, t := range in.Tags {
		live.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	live.Name = live.Tags[plan.NameTag]
	return live
}

// profileID is the unique id of an instance profile, or empty for another id:
// an emulator has that of the association there.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func profileID(id *string) string {
	if text := aws.ToString(id); strings.HasPrefix(text, "AIPA") {
		return text
	}
	return ""
}
