package sandbox

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func (s testServer) ec2(key string, secretToken ...string) *ec2.Client {
	return ec2.NewFromConfig(s.config(key, secretToken...))
}

const (
	mySubnet  = "subnet-1234"
	myGroup   = "sg-1234"
	clientARN = "arn:aws:iam::222222222222:role/client"
	profile1  = "arn:aws:iam::222222222222:instance-profile/client"
)

// fleet is a seed with what a launch needs in the consumer's account, and the
// role "client" in a profile of the same name.
func fleet() Seed {
	return Seed{
		Roles: []SeedRole{
			{Account: consumer, Name: "client", Trust: trusting(`{"Service":"ec2.amazonaws.com"}`), Inline: map[string]string{"s3": allowing("s3:*", "*")}},
			{Account: consumer, Name: "untrusting", Trust: trusting(`{"Service":"lambda.amazonaws.com"}`)},
		},
		Profiles:       []SeedProfile{{Account: consumer, Name: "client", Role: "client"}, {Account: consumer, Name: "empty"}, {Account: consumer, Name: "untrusting", Role: "untrusting"}},
		Subnets:        []SeedSubnet{{consumer, "us-east-1", mySubnet}},
		SecurityGroups: []SeedSecurityGroup{{consumer, "us-east-1", myGroup}},
		Keys:           []SeedKey{{consumer, "us-east-1", "mykey"}},
		Images:         []SeedImage{{consumer, "us-east-1", "ami-1234"}},
		Instances:      []SeedInstance{{consumer, "us-east-1", "i-0123456789abcdef0", ""}},
	}
}

// launching are the parameters of a launch with the profile "client".
func launching(change ...func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1234"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		KeyName: aws.String("mykey"), SubnetId: aws.String(mySubnet), SecurityGroupIds: []string{myGroup},
		IamInstanceProfile: &types.IamInstanceProfileSpecification{Name: aws.String("client")},
		TagSpecifications:  []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("share-client")}}}},
		MetadataOptions:    &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateRequired},
	}
	for _, f := range change {
		f(in)
	}
	return in
}

func stateNow(t *testing.T, c *ec2.Client, id string) types.InstanceStateName {
	t.Helper()
	out := must(c.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))(t)
	return out.Reservations[0].Instances[0].State.Name
}

func TestInstanceLifecycle(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	out := must(c.RunInstances(ctx, launching()))(t)
	i := out.Instances[0]
	id := *i.InstanceId
	if i.State.Name != types.InstanceStateNamePending || *i.State.Code != 0 || *i.IamInstanceProfile.Arn != profile1 || *i.SubnetId != mySubnet || *i.KeyName != "mykey" ||
		*i.SecurityGroups[0].GroupId != myGroup || *i.Tags[0].Value != "share-client" || i.MetadataOptions.HttpTokens != types.HttpTokensStateRequired || *i.ImageId != "ami-1234" ||
		*i.Placement.AvailabilityZone != "us-east-1a" || !i.LaunchTime.Equal(s.clock.Now()) || *out.OwnerId != consumer {
		t.Errorf("%+v", i)
	}
	expect := func(after time.Duration, want types.InstanceStateName) {
		t.Helper()
		s.clock.advance(after)
		if got := stateNow(t, c, id); got != want {
			t.Errorf("state %s, want %s", got, want)
		}
	}
	ids := []string{id}
	expect(0, types.InstanceStateNamePending)
	_, err := c.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	wantCode(t, err, "IncorrectInstanceState", "stopped")
	expect(changeTime, types.InstanceStateNameRunning)
	if got := must(c.DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: ids}))(t); got.InstanceStatuses[0].InstanceStatus.Status != types.SummaryStatusOk {
		t.Errorf("%+v", got)
	}
	stop := must(c.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids}))(t)
	if v := stop.StoppingInstances[0]; v.CurrentState.Name != types.InstanceStateNameStopping || v.PreviousState.Name != types.InstanceStateNameRunning {
		t.Errorf("%+v", v)
	}
	_, err = c.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	wantCode(t, err, "IncorrectInstanceState", "started")
	expect(changeTime, types.InstanceStateNameStopped)
	must(c.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids}))(t)
	expect(0, types.InstanceStateNamePending)
	expect(changeTime, types.InstanceStateNameRunning)
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}))(t)
	expect(0, types.InstanceStateNameShuttingDown)
	expect(changeTime, types.InstanceStateNameTerminated)
	if got := must(c.DescribeIamInstanceProfileAssociations(ctx, &ec2.DescribeIamInstanceProfileAssociationsInput{}))(t); len(got.IamInstanceProfileAssociations) != 0 {
		t.Errorf("associations left: %+v", got.IamInstanceProfileAssociations)
	}
	_, err = c.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	wantCode(t, err, "IncorrectInstanceState", id)
	s.clock.advance(2 * gravestone)
	_, err = c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids})
	wantCode(t, err, "InvalidInstanceID.NotFound", id)
}

func TestRunInstancesIsRefused(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	run := func(change ...func(*ec2.RunInstancesInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.ec2(consumer).RunInstances(ctx, launching(change...))
			return err
		}
	}
	named := func(name string) func(*ec2.RunInstancesInput) {
		return func(in *ec2.RunInstancesInput) { in.IamInstanceProfile.Name = &name }
	}
	vpc := must(s.ec2(consumer).CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")}))(t).Vpc.VpcId
	group := must(s.ec2(consumer).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("g"), Description: aws.String("d"), VpcId: vpc}))(t).GroupId
	checkRefused(t, map[string]refused{
		"no image":         {run(func(in *ec2.RunInstancesInput) { in.ImageId = nil }), "MissingParameter", "ImageId", 400},
		"no type":          {run(func(in *ec2.RunInstancesInput) { in.InstanceType = "" }), "MissingParameter", "InstanceType", 400},
		"bad type":         {run(func(in *ec2.RunInstancesInput) { in.InstanceType = "big" }), "InvalidParameterValue", "big", 400},
		"no such image":    {run(func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("ami-none") }), "InvalidAMIID.NotFound", "'[ami-none]' does not exist", 400},
		"bad image":        {run(func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("linux") }), "InvalidAMIID.Malformed", "linux", 400},
		"no such key":      {run(func(in *ec2.RunInstancesInput) { in.KeyName = aws.String("none") }), "InvalidKeyPair.NotFound", "'none' does not exist", 400},
		"no such subnet":   {run(func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-none") }), "InvalidSubnetID.NotFound", "'subnet-none' does not exist", 400},
		"no subnet":        {run(func(in *ec2.RunInstancesInput) { in.SubnetId = nil }), "VPCIdNotSpecified", "No default VPC", 400},
		"no such group":    {run(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{"sg-9999"} }), "InvalidGroup.NotFound", "'sg-9999' does not exist", 400},
		"bad group":        {run(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{"web"} }), "InvalidGroupId.Malformed", "web", 400},
		"group elsewhere":  {run(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{*group} }), "InvalidParameter", "different networks", 400},
		"group name":       {run(func(in *ec2.RunInstancesInput) { in.SecurityGroups = []string{"g"} }), "InvalidParameterCombination", "groupName", 400},
		"no such profile":  {run(named("none")), "InvalidParameterValue", "Value (none) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", 400},
		"profile, no role": {run(named("empty")), "InvalidParameterValue", "has no associated IAM Roles", 400},
		"profile's ARN": {run(func(in *ec2.RunInstancesInput) {
			in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Arn: aws.String(profile1 + "x")}
		}), "InvalidParameterValue", "Invalid IAM Instance Profile ARN", 400},
		"both":              {run(func(in *ec2.RunInstancesInput) { in.IamInstanceProfile.Arn = aws.String(profile1) }), "InvalidParameterCombination", "iamInstanceProfile", 400},
		"dry run":           {run(func(in *ec2.RunInstancesInput) { in.DryRun = aws.Bool(true) }), "DryRunOperation", "would have succeeded", 412},
		"counts":            {run(func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(2) }), "InvalidParameterValue", "minCount", 400},
		"too many":          {run(func(in *ec2.RunInstancesInput) { in.MaxCount = aws.Int32(21) }), "InstanceLimitExceeded", "20", 400},
		"tags":              {run(func(in *ec2.RunInstancesInput) { in.TagSpecifications[0].Tags[0].Key = aws.String("aws:x") }), "InvalidParameterValue", "reserved", 400},
		"unknown parameter": {run(func(in *ec2.RunInstancesInput) { in.EbsOptimized = aws.Bool(true) }), "NotImplemented", "EbsOptimized", 501},
		"unknown operation": {func(ctx context.Context) error {
			_, err := s.ec2(consumer).DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{})
			return err
		}, "NotImplemented", "DescribeSnapshots", 501},
	})
	if got := must(s.ec2(consumer).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}))(t); len(got.Reservations) != 1 {
		t.Errorf("%d reservations, want the seeded one", len(got.Reservations))
	}
}

func TestNewProfileIsNotSeen(t *testing.T) {
	s := start(t, Options{Seed: fleet(), Propagation: Propagation{Profile: Window{Attempts: 1}}})
	ctx := t.Context()
	must(s.iam(consumer).CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("fresh")}))(t)
	must(s.iam(consumer).AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("fresh"), RoleName: aws.String("client")}))(t)
	in := launching(func(in *ec2.RunInstancesInput) { in.IamInstanceProfile.Name = aws.String("fresh") })
	_, err := s.ec2(consumer).RunInstances(ctx, in)
	wantCode(t, err, "InvalidParameterValue", "Invalid IAM Instance Profile name")
	must(s.ec2(consumer).RunInstances(ctx, in))(t)
}

func TestClientToken(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	in := func(change ...func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
		return launching(append(change, func(in *ec2.RunInstancesInput) { in.ClientToken = aws.String("once") })...)
	}
	first := must(c.RunInstances(ctx, in()))(t)
	again := must(c.RunInstances(ctx, in()))(t)
	if *first.Instances[0].InstanceId != *again.Instances[0].InstanceId || *first.ReservationId != *again.ReservationId {
		t.Error("the same token launched twice")
	}
	_, err := c.RunInstances(ctx, in(func(in *ec2.RunInstancesInput) { in.InstanceType = types.InstanceTypeT3Small }))
	wantCode(t, err, "IdempotentParameterMismatch", "different parameters")
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{*first.Instances[0].InstanceId}}))(t)
	_, err = c.RunInstances(ctx, in())
	wantCode(t, err, "IdempotentInstanceTerminated", "once")
	other := must(c.RunInstances(ctx, launching()))(t)
	if *other.Instances[0].InstanceId == *first.Instances[0].InstanceId {
		t.Error("two launches with one id")
	}
}

func TestDescribeInstances(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.MinCount, in.MaxCount = aws.Int32(5), aws.Int32(5) })))(t)
	filter := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
	for name, w := range map[string]struct {
		filters []types.Filter
		want    int
	}{
		"none":      {nil, 6},
		"tag":       {[]types.Filter{filter("tag:Name", "share-client")}, 5},
		"tag, glob": {[]types.Filter{filter("tag:Name", "share-*", "x")}, 5},
		"tag, else": {[]types.Filter{filter("tag:Name", "other")}, 0},
		"tag key":   {[]types.Filter{filter("tag-key", "Name")}, 5},
		"state":     {[]types.Filter{filter("instance-state-name", "running", "stopped")}, 1},
		"both":      {[]types.Filter{filter("instance-state-name", "pending"), filter("tag-key", "Name")}, 5},
		"profile":   {[]types.Filter{filter("iam-instance-profile.arn", profile1)}, 5},
		"group":     {[]types.Filter{filter("instance.group-id", myGroup)}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			out := must(c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: w.filters}))(t)
			n := 0
			for _, r := range out.Reservations {
				n += len(r.Instances)
			}
			if n != w.want {
				t.Errorf("%d instances, want %d", n, w.want)
			}
		})
	}
	seen := map[string]bool{}
	pages := 0
	p := ec2.NewDescribeInstancesPaginator(c, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
	for p.HasMorePages() {
		pages++
		for _, r := range must(p.NextPage(ctx))(t).Reservations {
			for _, i := range r.Instances {
				seen[*i.InstanceId] = true
			}
		}
	}
	if pages != 2 || len(seen) != 6 {
		t.Errorf("%d instances on %d pages", len(seen), pages)
	}
	describe := func(in ec2.DescribeInstancesInput) func(context.Context) error {
		return func(ctx context.Context) error { _, err := c.DescribeInstances(ctx, &in); return err }
	}
	checkRefused(t, map[string]refused{
		"no such":        {describe(ec2.DescribeInstancesInput{InstanceIds: []string{"i-0000000000000000a"}}), "InvalidInstanceID.NotFound", "'i-0000000000000000a' does not exist", 400},
		"two":            {describe(ec2.DescribeInstancesInput{InstanceIds: []string{"i-0000000000000000a", "i-0000000000000000b"}}), "InvalidInstanceID.NotFound", "i-0000000000000000a, i-0000000000000000b", 400},
		"malformed":      {describe(ec2.DescribeInstancesInput{InstanceIds: []string{"server"}}), "InvalidInstanceID.Malformed", "server", 400},
		"a page of 4":    {describe(ec2.DescribeInstancesInput{MaxResults: aws.Int32(4)}), "InvalidParameterValue", "greater than or equal to 5", 400},
		"a page of 1001": {describe(ec2.DescribeInstancesInput{MaxResults: aws.Int32(1001)}), "InvalidParameterValue", "less than or equal to 1000", 400},
		"ids in pages":   {describe(ec2.DescribeInstancesInput{MaxResults: aws.Int32(5), InstanceIds: []string{"i-0123456789abcdef0"}}), "InvalidParameterCombination", "instancesSet", 400},
		"filter":         {describe(ec2.DescribeInstancesInput{Filters: []types.Filter{filter("dns-name", "x")}}), "NotImplemented", "dns-name", 501},
		"token":          {describe(ec2.DescribeInstancesInput{NextToken: aws.String("!")}), "InvalidParameterValue", "token", 400},
	})
	if out := must(s.ec2(owner).DescribeInstances(ctx, &ec2.DescribeInstancesInput{}))(t); len(out.Reservations) != 0 {
		t.Error("another account sees the instances")
	}
}

// Permissions on all that a launch touches, and passing the role.
func TestLaunchAccess(t *testing.T) {
	const run = `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"}`
	const tags = `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringEquals":{"ec2:CreateAction":"RunInstances"}}}`
	const pass = `{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + clientARN + `","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}`
	for name, c := range map[string]struct{ statements, part string }{
		"all three":      {run + "," + tags + "," + pass, ""},
		"no launch":      {tags + "," + pass, "ec2:RunInstances on resource: arn:aws:ec2:us-east-1::image/ami-1234"},
		"no tags":        {run + "," + pass, "ec2:CreateTags on resource: arn:aws:ec2:us-east-1:222222222222:instance/*"},
		"no PassRole":    {run + "," + tags, "iam:PassRole on resource: " + clientARN + " because no identity-based policy allows the iam:PassRole action"},
		"another subnet": {run + "," + tags + "," + pass + `,{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:subnet/` + mySubnet + `"}`, "explicit deny"},
		"IMDSv1 denied":  {run + "," + tags + "," + pass + `,{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringNotEquals":{"ec2:MetadataHttpTokens":"required"}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			seed := fleet()
			seed.Roles = append(seed.Roles, SeedRole{Account: consumer, Name: "deployer", Trust: trusting(`{"AWS":"222222222222"}`), Inline: map[string]string{"p": `{"Version":"2012-10-17","Statement":[` + c.statements + `]}`}})
			s := start(t, Options{Seed: seed})
			keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/deployer")
			_, err := s.ec2(keys[0], keys[1:]...).RunInstances(t.Context(), launching())
			if c.part == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, "UnauthorizedOperation", c.part)
			if got := statusOf(t, err); got != 403 {
				t.Errorf("status %d", got)
			}
			_, err = s.ec2(keys[0], keys[1:]...).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			wantCode(t, err, "UnauthorizedOperation", "ec2:DescribeInstances on resource: *")
			_, err = s.ec2(keys[0], keys[1:]...).TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}})
			wantCode(t, err, "UnauthorizedOperation", "instance/i-0123456789abcdef0")
		})
	}
}

func TestImages(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	find := func(pattern string, deprecated bool, owners ...string) []string {
		t.Helper()
		in := &ec2.DescribeImagesInput{Owners: owners, Filters: []types.Filter{
			{Name: aws.String("name"), Values: []string{pattern}}, {Name: aws.String("state"), Values: []string{"available"}}, {Name: aws.String("architecture"), Values: []string{"x86_64"}},
		}}
		if deprecated {
			in.IncludeDeprecated = aws.Bool(true)
		}
		var names []string
		for _, i := range must(c.DescribeImages(ctx, in))(t).Images {
			names = append(names, *i.Name)
			if *i.ImageId == "" || *i.CreationDate == "" || i.Architecture != types.ArchitectureValuesX8664 {
				t.Errorf("%+v", i)
			}
		}
		return names
	}
	const amzn2 = "amzn2-ami-hvm-2.0.*-x86_64-gp2"
	if got := find(amzn2, false, "amazon"); len(got) != 0 {
		t.Errorf("deprecated images are listed: %v", got)
	}
	if got := find(amzn2, true, "amazon"); len(got) != 4 {
		t.Errorf("%v, want 4", got)
	}
	if got := find("amzn2-ami-hvm-2.0.????????-x86_64-gp2", true, "amazon"); len(got) != 0 {
		t.Errorf("the article's pattern finds %v", got)
	}
	if got := find("al2023-ami-2023.*-x86_64", false, amazonImages); len(got) != 3 {
		t.Errorf("%v, want 3", got)
	}
	if got := find("*", true, "self"); len(got) != 1 || got[0] != "seeded-ami-1234" {
		t.Errorf("own: %v", got)
	}
	if got := must(s.ec2(owner).DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}}))(t); len(got.Images) != 0 {
		t.Errorf("another account's: %v", got.Images)
	}
	_, err := c.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{"ami-none"}})
	wantCode(t, err, "InvalidAMIID.NotFound", "ami-none")
	_, err = c.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"me"}})
	wantCode(t, err, "InvalidUserID.Malformed", "me")
	// A deprecated image can still be launched by its id.
	out := must(c.DescribeImages(ctx, &ec2.DescribeImagesInput{IncludeDeprecated: aws.Bool(true), Filters: []types.Filter{{Name: aws.String("name"), Values: []string{amzn2}}}}))(t)
	must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.ImageId = out.Images[0].ImageId })))(t)
}

// Before the end of its support Amazon Linux 2 was listed.
func TestImagesBeforeTheirDeprecation(t *testing.T) {
	s := start(t, Options{})
	s.clock.mu.Lock()
	s.clock.now = time.Date(2026, 6, 29, 0, 0, 0, 0, time.UTC)
	s.clock.mu.Unlock()
	out := must(s.ec2(consumer).DescribeImages(t.Context(), &ec2.DescribeImagesInput{Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"amzn2-*"}}}}))(t)
	if len(out.Images) == 0 {
		t.Error("no image is listed")
	}
}

func TestEC2Tags(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	ids := must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.MaxCount = aws.Int32(2) })))(t).Instances
	one := []string{*ids[0].InstanceId}
	must(c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: one, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("renamed")}, {Key: aws.String("b"), Value: aws.String("2")}}}))(t)
	tags := func(id string) string {
		out := must(c.DescribeTags(ctx, &ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}}}))(t)
		var list []string
		for _, v := range out.Tags {
			list = append(list, *v.Key+"="+*v.Value)
		}
		return strings.Join(list, " ")
	}
	if got := tags(one[0]) + "|" + tags(*ids[1].InstanceId); got != "Name=renamed b=2|Name=share-client" {
		t.Error(got)
	}
	must(c.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: one, Tags: []types.Tag{{Key: aws.String("b")}, {Key: aws.String("Name"), Value: aws.String("other")}}}))(t)
	if got := tags(one[0]); got != "Name=renamed" {
		t.Error(got)
	}
	_, err := c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{"i-00000000"}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	wantCode(t, err, "InvalidInstanceID.NotFound", "i-00000000")
}

// EC2's errors have a shape of their own.
func TestEC2OnTheWire(t *testing.T) {
	s := start(t, Options{})
	for key, want := range map[string]string{
		"":       "<Code>MissingAuthenticationToken</Code>",
		"nobody": "<Response><Errors><Error><Code>AuthFailure</Code>",
		owner:    "<Code>MissingParameter</Code><Message>The request must contain the parameter ImageId</Message></Error></Errors><RequestID>",
	} {
		status, body := s.post(t, "ec2", key, "Action=RunInstances&Version=2016-11-15")
		if status < 400 || !strings.Contains(body, want) {
			t.Errorf("%q: %d %s", key, status, body)
		}
	}
	status, body := s.post(t, "ec2", owner, "Action=DescribeInstances&Version=2016-11-15")
	if status != http.StatusOK || !strings.Contains(body, `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>`) || !strings.Contains(body, "<reservationSet></reservationSet>") {
		t.Errorf("%d %s", status, body)
	}
}

func TestBadEC2Seeds(t *testing.T) {
	for name, seed := range map[string]Seed{
		"account":  {Subnets: []SeedSubnet{{"1", "us-east-1", mySubnet}}},
		"region":   {Keys: []SeedKey{{owner, "moon", "k"}}},
		"instance": {Instances: []SeedInstance{{owner, "us-east-1", "server", ""}}},
		"profile":  {Instances: []SeedInstance{{owner, "us-east-1", "i-00000000", "none"}}},
	} {
		if _, err := New(Options{Seed: seed}); err == nil {
			t.Errorf("a bad %s was taken", name)
		}
	}
}
