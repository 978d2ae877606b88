package sandbox

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestNetwork(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	vpc := must(c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.1.0.0/16"), TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVpc, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}}}}))(t).Vpc
	subnet := must(c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.1.2.0/24"), AvailabilityZone: aws.String("us-east-1b")}))(t).Subnet
	group := must(c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("d"), VpcId: vpc.VpcId}))(t).GroupId
	in := []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc.VpcId}}}
	if got := must(c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("tag:a"), Values: []string{"1"}}}}))(t); len(got.Vpcs) != 1 || *got.Vpcs[0].CidrBlock != "10.1.0.0/16" {
		t.Errorf("%+v", got.Vpcs)
	}
	if got := must(c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: in}))(t); len(got.Subnets) != 1 || *got.Subnets[0].AvailableIpAddressCount != 251 {
		t.Errorf("%+v", got.Subnets)
	}
	if got := must(c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: in}))(t); len(got.SecurityGroups) != 2 { // with the default one
		t.Errorf("%+v", got.SecurityGroups)
	}
	if got := must(c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{mySubnet}}))(t); *got.Subnets[0].SubnetId != mySubnet {
		t.Errorf("%+v", got.Subnets)
	}
	out := must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroupIds = subnet.SubnetId, nil })))(t)
	if got := out.Instances[0]; *got.PrivateIpAddress != "10.1.2.4" || *got.SecurityGroups[0].GroupName != "default" || *got.Placement.AvailabilityZone != "us-east-1b" {
		t.Errorf("%+v", got)
	}
	checkRefused(t, map[string]refused{
		"VPC in use": {func(ctx context.Context) error {
			_, err := c.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc.VpcId})
			return err
		}, "DependencyViolation", "dependencies", 400},
		"subnet in use": {func(ctx context.Context) error {
			_, err := c.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: subnet.SubnetId})
			return err
		}, "DependencyViolation", "dependencies", 400},
		"overlap": {func(ctx context.Context) error {
			_, err := c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.1.2.0/25")})
			return err
		}, "InvalidSubnet.Conflict", "conflicts", 400},
		"outside": {func(ctx context.Context) error {
			_, err := c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.2.2.0/24")})
			return err
		}, "InvalidSubnet.Range", "invalid", 400},
		"zone": {func(ctx context.Context) error {
			_, err := c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.1.3.0/24"), AvailabilityZone: aws.String("eu-west-1a")})
			return err
		}, "InvalidParameterValue", "availabilityZone", 400},
		"bad CIDR": {func(ctx context.Context) error {
			_, err := c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.1/16")})
			return err
		}, "InvalidParameterValue", "CIDR", 400},
		"range": {func(ctx context.Context) error {
			_, err := c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/8")})
			return err
		}, "InvalidVpc.Range", "invalid", 400},
		"no such VPC": {func(ctx context.Context) error {
			_, err := c.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: aws.String("vpc-none"), CidrBlock: aws.String("10.1.2.0/24")})
			return err
		}, "InvalidVpcID.NotFound", "vpc-none", 400},
		"no such subnet": {func(ctx context.Context) error {
			_, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-none"}})
			return err
		}, "InvalidSubnetID.NotFound", "subnet-none", 400},
		"no such group": {func(ctx context.Context) error {
			_, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-none"}})
			return err
		}, "InvalidGroup.NotFound", "sg-none", 400},
		"group twice": {func(ctx context.Context) error {
			_, err := c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("d"), VpcId: vpc.VpcId})
			return err
		}, "InvalidGroup.Duplicate", "web", 400},
		"no default VPC": {func(ctx context.Context) error {
			_, err := c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("x"), Description: aws.String("d")})
			return err
		}, "VPCIdNotSpecified", "default VPC", 400},
	})
	s.clock.advance(changeTime)
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{*out.Instances[0].InstanceId}}))(t)
	s.clock.advance(changeTime)
	must(c.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: subnet.SubnetId}))(t)
	must(c.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: group}))(t)
	must(c.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc.VpcId}))(t)
	if got := must(c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}))(t); len(got.Vpcs) != 1 {
		t.Errorf("%d VPCs, want the seed's", len(got.Vpcs))
	}
	if got := must(c.DescribeRegions(ctx, &ec2.DescribeRegionsInput{RegionNames: []string{"eu-west-1"}}))(t); len(got.Regions) != 1 {
		t.Errorf("%+v", got.Regions)
	}
}

// An instance without a subnet goes into the default VPC, where there is one.
func TestDefaultVPC(t *testing.T) {
	seed := fleet()
	seed.DefaultVPCs = []SeedDefaultVPC{{consumer, "us-east-1"}}
	seed.Roles = append(seed.Roles, SeedRole{Account: consumer, Name: "deployer", Trust: trusting(`{"AWS":"222222222222"}`), Inline: map[string]string{"p": policyOf(
		`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:subnet/*"}`)}})
	s := start(t, Options{Seed: seed})
	c, ctx := s.ec2(consumer), t.Context()
	nowhere := func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroupIds = nil, nil }
	filters := func(name string) []types.Filter { return []types.Filter{{Name: &name, Values: []string{"true"}}} }
	vpcs := must(c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: filters("is-default")}))(t).Vpcs
	if len(vpcs) != 1 || !*vpcs[0].IsDefault {
		t.Fatalf("default VPCs: %+v", vpcs)
	}
	subnets := must(c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: filters("default-for-az")}))(t).Subnets
	if len(subnets) != 1 || !*subnets[0].DefaultForAz || *subnets[0].VpcId != *vpcs[0].VpcId || *subnets[0].SubnetId == mySubnet {
		t.Fatalf("default subnets: %+v", subnets)
	}
	in := must(c.RunInstances(ctx, launching(nowhere)))(t).Instances[0]
	if *in.SubnetId != *subnets[0].SubnetId || len(in.SecurityGroups) != 1 || *in.SecurityGroups[0].GroupName != "default" {
		t.Errorf("launched in %s with %+v", *in.SubnetId, in.SecurityGroups)
	}
	must(c.RunInstances(ctx, launching(func(in *ec2.RunInstancesInput) { in.SubnetId = nil })))(t) // a seeded group is there too

	made := must(c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("d")}))(t)
	named := must(c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"web"}}))(t).SecurityGroups
	if len(named) != 1 || *named[0].GroupId != *made.GroupId || *named[0].VpcId != *vpcs[0].VpcId {
		t.Errorf("named web: %+v", named)
	}
	must(c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{*in.InstanceId}}))(t)
	keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/deployer")
	checkRefused(t, map[string]refused{
		"no such group name": {func(ctx context.Context) error {
			_, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"none"}})
			return err
		}, "InvalidGroup.NotFound", "none", 400},
		"launch by group name": {func(ctx context.Context) error {
			_, err := c.RunInstances(ctx, launching(nowhere, func(in *ec2.RunInstancesInput) { in.SecurityGroups = []string{"web"} }))
			return err
		}, "NotImplemented", "by id", 501},
		"denied in that subnet": {func(ctx context.Context) error {
			_, err := s.ec2(keys[0], keys[1:]...).RunInstances(ctx, launching(nowhere))
			return err
		}, "UnauthorizedOperation", "RunInstances", 403},
	})
}

func TestKeyPairs(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx := s.ec2(consumer), t.Context()
	made := must(c.CreateKeyPair(ctx, &ec2.CreateKeyPairInput{KeyName: aws.String("new")}))(t)
	if !strings.HasPrefix(*made.KeyMaterial, "-----BEGIN RSA PRIVATE KEY-----") || len(*made.KeyFingerprint) != 59 {
		t.Errorf("fingerprint %s", *made.KeyFingerprint)
	}
	// The key of RFC 8709's form: 32 bytes.
	public := "ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"+strings.Repeat("k", 32))) + " me"
	must(c.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: aws.String("imported"), PublicKeyMaterial: []byte(public)}))(t)
	var names []string
	for _, k := range must(c.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{}))(t).KeyPairs {
		names = append(names, *k.KeyName+" "+string(k.KeyType))
	}
	if got := fmt.Sprint(names); got != "[imported ed25519 mykey rsa new rsa]" {
		t.Error(got)
	}
	_, err := c.CreateKeyPair(ctx, &ec2.CreateKeyPairInput{KeyName: aws.String("new")})
	wantCode(t, err, "InvalidKeyPair.Duplicate", "already exists")
	_, err = c.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: aws.String("x"), PublicKeyMaterial: []byte("ssh-rsa AAAA")})
	wantCode(t, err, "InvalidKey.Format", "OpenSSH")
	must(c.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: aws.String("new")}))(t)
	must(c.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: aws.String("new")}))(t)
	_, err = c.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{"new"}})
	wantCode(t, err, "InvalidKeyPair.NotFound", "'new' does not exist")
}

func TestAssociations(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	c, ctx, id := s.ec2(consumer), t.Context(), aws.String("i-0123456789abcdef0")
	named := func(name string) *types.IamInstanceProfileSpecification {
		return &types.IamInstanceProfileSpecification{Name: &name}
	}
	made := must(c.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{InstanceId: id, IamInstanceProfile: named("client")}))(t).IamInstanceProfileAssociation
	if made.State != types.IamInstanceProfileAssociationStateAssociating || *made.IamInstanceProfile.Arn != profile1 {
		t.Errorf("%+v", made)
	}
	list := must(c.DescribeIamInstanceProfileAssociations(ctx, &ec2.DescribeIamInstanceProfileAssociationsInput{Filters: []types.Filter{{Name: aws.String("instance-id"), Values: []string{*id}}}}))(t).IamInstanceProfileAssociations
	if len(list) != 1 || *list[0].AssociationId != *made.AssociationId || list[0].State != types.IamInstanceProfileAssociationStateAssociated {
		t.Errorf("%+v", list)
	}
	associate := func(id *string, name string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{InstanceId: id, IamInstanceProfile: named(name)})
			return err
		}
	}
	checkRefused(t, map[string]refused{
		"has one":          {associate(id, "client"), "IncorrectState", "existing association", 400},
		"no such profile":  {associate(id, "none"), "InvalidParameterValue", "Invalid IAM Instance Profile name", 400},
		"no such instance": {associate(aws.String("i-00000000"), "client"), "InvalidInstanceID.NotFound", "i-00000000", 400},
		"no instance":      {associate(aws.String("x"), "client"), "InvalidInstanceID.Malformed", "x", 400},
		"no association": {func(ctx context.Context) error {
			_, err := c.DisassociateIamInstanceProfile(ctx, &ec2.DisassociateIamInstanceProfileInput{AssociationId: aws.String("iip-assoc-0")})
			return err
		}, "NoSuchAssociation", "iip-assoc-0", 400},
	})
	other := must(c.ReplaceIamInstanceProfileAssociation(ctx, &ec2.ReplaceIamInstanceProfileAssociationInput{AssociationId: made.AssociationId, IamInstanceProfile: named("untrusting")}))(t).IamInstanceProfileAssociation
	if *other.InstanceId != *id || *other.AssociationId == *made.AssociationId || !strings.HasSuffix(*other.IamInstanceProfile.Arn, "/untrusting") {
		t.Errorf("%+v", other)
	}
	must(c.DisassociateIamInstanceProfile(ctx, &ec2.DisassociateIamInstanceProfileInput{AssociationId: other.AssociationId}))(t)
	if got := must(c.DescribeIamInstanceProfileAssociations(ctx, &ec2.DescribeIamInstanceProfileAssociationsInput{}))(t); len(got.IamInstanceProfileAssociations) != 0 {
		t.Errorf("%+v", got)
	}
}
