package sandbox

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// asTerraform is a launch with all the parameters that Terraform sends.
func asTerraform(in *ec2.RunInstancesInput) {
	in.DisableApiTermination, in.EbsOptimized = aws.Bool(false), aws.Bool(false)
	in.Monitoring = &types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(false)}
	in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: aws.String("unlimited")}
	in.Placement = &types.Placement{AvailabilityZone: aws.String("")}
	in.HibernationOptions = &types.HibernationOptionsRequest{Configured: aws.Bool(false)}
	in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), SubnetId: in.SubnetId, Groups: in.SecurityGroupIds, AssociatePublicIpAddress: aws.Bool(false)}}
	in.SubnetId, in.SecurityGroupIds = nil, nil
	in.TagSpecifications = append(in.TagSpecifications, types.TagSpecification{ResourceType: types.ResourceTypeVolume, Tags: []types.Tag{{Key: aws.String("disk"), Value: aws.String("root")}}})
}

func TestLaunchWithANetworkInterface(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	i := must(c.RunInstances(ctx, launching(asTerraform)))(t).Instances[0]
	if *i.SubnetId != mySubnet || *i.SecurityGroups[0].GroupId != myGroup || !*i.SourceDestCheck || *i.BlockDeviceMappings[0].DeviceName != *i.RootDeviceName {
		t.Errorf("%+v", i)
	}
	checkRefused(t, map[string]refused{
		"two interfaces": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) {
				in.NetworkInterfaces = append(in.NetworkInterfaces, types.InstanceNetworkInterfaceSpecification{DeviceIndex: aws.Int32(1)})
			}))
			return err
		}, "NotImplemented", "more than the one network interface", 501},
		"a subnet beside it": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String(mySubnet) }))
			return err
		}, "InvalidParameterCombination", "subnet", 400},
		"groups beside it": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{myGroup} }))
			return err
		}, "InvalidParameterCombination", "security groups", 400},
		"a public address": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) { in.NetworkInterfaces[0].AssociatePublicIpAddress = aws.Bool(true) }))
			return err
		}, "NotImplemented", "AssociatePublicIpAddress", 501},
		"monitoring": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) {
				in.Monitoring = &types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(true)}
			}))
			return err
		}, "NotImplemented", "Monitoring.Enabled", 501},
		"credits of a type that has none": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) { in.InstanceType = types.InstanceTypeM5Large }))
			return err
		}, "NotImplemented", "CreditSpecification", 501},
		"credits that there are not": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(asTerraform, func(in *ec2.RunInstancesInput) { in.CreditSpecification.CpuCredits = aws.String("some") }))
			return err
		}, "InvalidParameterValue", "CpuCredits", 400},
		"tags of an interface": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) {
				in.TagSpecifications[0].ResourceType = types.ResourceTypeNetworkInterface
			}))
			return err
		}, "NotImplemented", "network-interface", 501},
	})
}

func TestInstanceAttributes(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	id := must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) {
		in.UserData, in.DisableApiTermination = aws.String("IyE="), aws.Bool(true)
		in.InstanceInitiatedShutdownBehavior = types.ShutdownBehaviorTerminate
	})))(t).Instances[0].InstanceId
	s.clock.advance(changeTime)
	get := func(name types.InstanceAttributeName) *ec2.DescribeInstanceAttributeOutput {
		t.Helper()
		return must(c.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{InstanceId: id, Attribute: name}))(t)
	}
	if v := get(types.InstanceAttributeNameUserData).UserData; *v.Value != "IyE=" {
		t.Errorf("user data %v", v)
	}
	if v := get(types.InstanceAttributeNameInstanceInitiatedShutdownBehavior).InstanceInitiatedShutdownBehavior; *v.Value != "terminate" {
		t.Errorf("shutdown %v", v)
	}
	if v := get(types.InstanceAttributeNameDisableApiTermination); !*v.DisableApiTermination.Value || v.DisableApiStop != nil || *v.InstanceId != *id {
		t.Errorf("%+v", v)
	}
	if v := get(types.InstanceAttributeNameSourceDestCheck).SourceDestCheck; !*v.Value {
		t.Error("no check of source and destination")
	}
	if v := get(types.InstanceAttributeNameGroupSet).Groups; len(v) != 1 || *v[0].GroupId != myGroup {
		t.Errorf("groups %v", v)
	}

	ids := []string{*id}
	_, err := c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
	wantCode(t, err, "OperationNotPermitted", "disableApiTermination")
	no, yes := &types.AttributeBooleanValue{Value: aws.Bool(false)}, &types.AttributeBooleanValue{Value: aws.Bool(true)}
	must(c.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: id, DisableApiStop: yes}))(t)
	_, err = c.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	wantCode(t, err, "OperationNotPermitted", "disableApiStop")
	must(c.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: id, DisableApiTermination: no}))(t)
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}))(t)

	checkRefused(t, map[string]refused{
		"no attribute": {func(ctx context.Context) error {
			_, err := c.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: id})
			return err
		}, "MissingParameter", "No attributes", 400},
		"two attributes": {func(ctx context.Context) error {
			_, err := c.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: id, DisableApiStop: no, DisableApiTermination: no})
			return err
		}, "InvalidParameterCombination", "DisableApiStop", 400},
		"an attribute that is not known": {func(ctx context.Context) error {
			_, err := c.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{InstanceId: id, Attribute: types.InstanceAttributeNameKernel})
			return err
		}, "NotImplemented", "kernel", 501},
		"no such instance": {func(ctx context.Context) error {
			_, err := c.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{InstanceId: aws.String("i-00000000"), Attribute: types.InstanceAttributeNameUserData})
			return err
		}, "InvalidInstanceID.NotFound", "i-00000000", 400},
	})
}

func TestCreditsTypesAndVolumes(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	launch := func(of types.InstanceType, credits string) string {
		t.Helper()
		return *must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) {
			in.InstanceType = of
			if credits != "" {
				in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: &credits}
			}
			in.TagSpecifications = append(in.TagSpecifications, types.TagSpecification{ResourceType: types.ResourceTypeVolume, Tags: []types.Tag{{Key: aws.String("of"), Value: aws.String(string(of))}}})
		})))(t).Instances[0].InstanceId
	}
	instances := map[string]string{} // id -> credits
	for _, v := range []struct {
		of          types.InstanceType
		asked, have string
	}{{types.InstanceTypeT2Micro, "", "standard"}, {types.InstanceTypeT3Micro, "", "unlimited"}, {types.InstanceTypeT3Small, "standard", "standard"}} {
		instances[launch(v.of, v.asked)] = v.have
	}
	for id, want := range instances {
		out := must(c.DescribeInstanceCreditSpecifications(ctx, &ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{id}}))(t)
		if got := *out.InstanceCreditSpecifications[0].CpuCredits; got != want {
			t.Errorf("%s bursts %s, want %s", id, got, want)
		}
	}
	fixed := launch(types.InstanceTypeM5Large, "")
	_, err := c.DescribeInstanceCreditSpecifications(ctx, &ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{fixed}})
	wantCode(t, err, "InstanceCreditSpecification.NotSupported", fixed)

	kinds := must(c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t3.micro", "m7g.xlarge"}}))(t).InstanceTypes
	if v := kinds[0]; v.InstanceType != "t3.micro" || !*v.BurstablePerformanceSupported || *v.VCpuInfo.DefaultVCpus != 2 || *v.MemoryInfo.SizeInMiB != 1024 {
		t.Errorf("%+v", v)
	}
	if v := kinds[1]; *v.BurstablePerformanceSupported || *v.VCpuInfo.DefaultVCpus != 4 || *v.MemoryInfo.SizeInMiB != 16384 || v.ProcessorInfo.SupportedArchitectures[0] != "arm64" {
		t.Errorf("%+v", v)
	}
	for name, kinds := range map[string][]types.InstanceType{"all": nil, "p5.48xlarge": {"p5.48xlarge"}} {
		_, err := c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: kinds})
		wantCode(t, err, "NotImplemented", name)
	}

	of := func(id string) []types.Volume {
		t.Helper()
		return must(c.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{id}}}}))(t).Volumes
	}
	v := of(fixed)
	if len(v) != 1 || *v[0].Attachments[0].InstanceId != fixed || *v[0].Tags[0].Value != "m5.large" || v[0].State != types.VolumeStateInUse {
		t.Fatalf("%+v", v)
	}
	mapped := must(c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{fixed}}))(t).Reservations[0].Instances[0].BlockDeviceMappings
	if len(mapped) != 1 || *mapped[0].Ebs.VolumeId != *v[0].VolumeId {
		t.Errorf("%+v", mapped)
	}
	must(c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{*v[0].VolumeId}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))(t)
	if got := of(fixed)[0].Tags; len(got) != 2 {
		t.Errorf("tags %v", got)
	}
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{fixed}}))(t)
	if got := of(fixed); len(got) != 0 {
		t.Errorf("the volume outlives its instance: %+v", got)
	}
	_, err = c.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{*v[0].VolumeId}})
	wantCode(t, err, "InvalidVolume.NotFound", *v[0].VolumeId)
}
