package sandbox

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

type vpc struct {
	ID, CIDR string
	Default  bool  `json:",omitempty"` // at most one of a region
	Tags     []tag `json:",omitempty"`
}

type subnet struct {
	ID, VPC, CIDR, Zone string
	Default             bool  `json:",omitempty"` // of its VPC, which is the default one
	Used                int   `json:",omitempty"` // addresses given out so far
	Tags                []tag `json:",omitempty"`
}

type securityGroup struct {
	ID, VPC, Name, Description string
	Tags                       []tag `json:",omitempty"`
}

func networkOperations() ec2Operations {
	with := func(names ...string) []string { return slices.Concat(names, filterParams) }
	create := func(names ...string) []string { return slices.Concat(names, specification) }
	return ec2Operations{
		"CreateVpc":              {create("CidrBlock"), (*ec2Call).createVPC},
		"DescribeVpcs":           {with("VpcId.N"), (*ec2Call).describeVPCs},
		"DeleteVpc":              {[]string{"VpcId"}, (*ec2Call).deleteVPC},
		"CreateSubnet":           {create("VpcId", "CidrBlock", "AvailabilityZone"), (*ec2Call).createSubnet},
		"DescribeSubnets":        {with("SubnetId.N"), (*ec2Call).describeSubnets},
		"DeleteSubnet":           {[]string{"SubnetId"}, (*ec2Call).deleteSubnet},
		"CreateSecurityGroup":    {create("GroupName", "GroupDescription", "VpcId"), (*ec2Call).createGroup},
		"DescribeSecurityGroups": {with("GroupId.N", "GroupName.N"), (*ec2Call).describeGroups},
		"DeleteSecurityGroup":    {[]string{"GroupId"}, (*ec2Call).deleteGroup},
		"DescribeRegions":        {[]string{"RegionName.N", "AllRegions"}, (*ec2Call).describeRegions},
	}
}

// seedVPC is the one VPC that the seed puts into a region.
func (s *Server) seedVPC(r *ec2Region) *vpc {
	for _, v := range sorted(r.VPCs) {
		if slices.Contains(v.Tags, tag{"Name", "seed"}) {
			return v
		}
	}
	v := &vpc{ID: s.hexID("vpc-", r.Account, r.Region), CIDR: "10.0.0.0/16", Tags: []tag{{"Name", "seed"}}}
	s.addVPC(r, v)
	return v
}

// addVPC adds a VPC with its default security group.
func (s *Server) addVPC(r *ec2Region, v *vpc) {
	r.VPCs[v.ID] = v
	g := &securityGroup{ID: s.hexID("sg-", r.Account, v.ID), VPC: v.ID, Name: "default", Description: "default VPC security group"}
	r.Groups[g.ID] = g
}

func (s *Server) seedSubnet(r *ec2Region, id string) error {
	if r.Subnets[id] != nil {
		return nil
	}
	return s.addSubnet(r, &subnet{ID: id})
}

// addSubnet adds a subnet to the VPC of the seed, with a place in it.
func (s *Server) addSubnet(r *ec2Region, v *subnet) error {
	n := len(r.Subnets)
	if n > 255 {
		return fmt.Errorf("the VPC of a region has room for 256 subnets")
	}
	v.VPC, v.CIDR, v.Zone = s.seedVPC(r).ID, fmt.Sprintf("10.0.%d.0/24", n), r.Region+string(rune('a'+n%3))
	r.Subnets[v.ID] = v
	return nil
}

func (s *Server) seedDefaultVPC(r *ec2Region) error {
	v := s.seedVPC(r)
	v.Default = true
	return s.addSubnet(r, &subnet{ID: s.hexID("subnet-", r.Account, v.ID), Default: true})
}

// defaultVPC is nil where the region has none.
func (r *ec2Region) defaultVPC() *vpc {
	for _, v := range sorted(r.VPCs) {
		if v.Default {
			return v
		}
	}
	return nil
}

// defaultSubnet is where an instance goes that names no subnet; nil: nowhere.
func (r *ec2Region) defaultSubnet() *subnet {
	for _, v := range sorted(r.Subnets) {
		if v.Default {
			return v
		}
	}
	return nil
}

// noDefaultVPC is the answer to what is about the default VPC where there is none.
func noDefaultVPC() error {
	return fault(http.StatusBadRequest, "VPCIdNotSpecified", "No default VPC for this user")
}

func (s *Server) seedGroup(r *ec2Region, id string) error {
	if r.Groups[id] == nil {
		r.Groups[id] = &securityGroup{ID: id, VPC: s.seedVPC(r).ID, Name: id, Description: "seeded"}
	}
	return nil
}

type vpcXML struct {
	ID        string        `xml:"vpcId"`
	State     string        `xml:"state"`
	CIDR      string        `xml:"cidrBlock"`
	DHCP      string        `xml:"dhcpOptionsId"`
	Owner     string        `xml:"ownerId"`
	Tenancy   string        `xml:"instanceTenancy"`
	IsDefault bool          `xml:"isDefault"`
	Tags      items[ec2Tag] `xml:"tagSet"`
}

func (c *ec2Call) vpcXML(v *vpc) vpcXML {
	return vpcXML{ID: v.ID, State: "available", CIDR: v.CIDR, DHCP: "default", Owner: c.at.Account, Tenancy: "default", IsDefault: v.Default, Tags: tagItems(v.Tags)}
}

func (c *ec2Call) createVPC() (any, error) {
	tags, err := c.creating(c.arn("vpc", "*"), "vpc")
	if err != nil {
		return nil, err
	}
	if err := c.required("CidrBlock"); err != nil {
		return nil, err
	}
	p, err := netip.ParsePrefix(c.get("CidrBlock"))
	if err != nil || !p.Addr().Is4() || p != p.Masked() {
		return nil, invalidValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", c.get("CidrBlock"))
	}
	if p.Bits() < 16 || p.Bits() > 28 {
		return nil, fault(http.StatusBadRequest, "InvalidVpc.Range", "The CIDR '%s' is invalid.", p)
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	v := &vpc{ID: c.server.hexID("vpc-", c.at.Account, c.at.Region), CIDR: p.String(), Tags: tags}
	c.server.addVPC(c.at, v)
	return struct {
		VPC vpcXML `xml:"vpc"`
	}{c.vpcXML(v)}, nil
}

// notFound makes errors like "The vpc ID 'vpc-1' does not exist".
func notFound(code, what string) func([]string) error {
	return func(ids []string) error {
		if len(ids) == 1 {
			return fault(http.StatusBadRequest, code, "The %s '%s' does not exist", what, ids[0])
		}
		return fault(http.StatusBadRequest, code, "The %ss '%s' do not exist", what, strings.Join(ids, ", "))
	}
}

func (c *ec2Call) describeVPCs() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := wanted(c.at.VPCs, c.list("VpcId", ""), notFound("InvalidVpcID.NotFound", "vpc ID"))
	if err != nil {
		return nil, err
	}
	list, err = filtered(c, list, []string{"vpc-id", "cidr", "cidr-block", "state", "is-default", "isDefault", "owner-id"}, func(v *vpc) attributes {
		return attributes{"vpc-id": {v.ID}, "cidr": {v.CIDR}, "cidr-block": {v.CIDR}, "state": {"available"}, "is-default": {strconv.FormatBool(v.Default)}, "isDefault": {strconv.FormatBool(v.Default)}, "owner-id": {c.at.Account}}.tags(v.Tags)
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[vpcXML]
	for _, v := range list {
		out = append(out, c.vpcXML(v))
	}
	return struct {
		VPCs items[vpcXML] `xml:"vpcSet"`
		Next string        `xml:"nextToken,omitempty"`
	}{out, next}, err
}

func dependency(what, id string) error {
	return fault(http.StatusBadRequest, "DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", what, id)
}

func (c *ec2Call) deleteVPC() (any, error) {
	id := c.get("VpcId")
	v := c.at.VPCs[id]
	if err := c.deleting("vpc", id, v != nil, func() []tag { return v.Tags }, notFound("InvalidVpcID.NotFound", "vpc ID")); err != nil {
		return nil, err
	}
	for _, n := range c.at.Subnets {
		if n.VPC == id {
			return nil, dependency("vpc", id)
		}
	}
	for _, g := range c.at.Groups {
		if g.VPC == id && g.Name != "default" {
			return nil, dependency("vpc", id)
		}
	}
	for k, g := range c.at.Groups {
		if g.VPC == id {
			delete(c.at.Groups, k)
		}
	}
	delete(c.at.VPCs, id)
	return done{true}, nil
}

// deleting asks for deleting one thing by its id.
func (c *ec2Call) deleting(kind, id string, exists bool, tags func() []tag, missing func([]string) error) error {
	var context map[string][]string
	if exists {
		context = resourceTags(tags())
	}
	if err := c.allow(c.operation, c.arn(kind, id), context); err != nil {
		return err
	}
	if !exists {
		return missing([]string{id})
	}
	return c.dry()
}

type subnetXML struct {
	ID        string        `xml:"subnetId"`
	ARN       string        `xml:"subnetArn"`
	State     string        `xml:"state"`
	Owner     string        `xml:"ownerId"`
	VPC       string        `xml:"vpcId"`
	CIDR      string        `xml:"cidrBlock"`
	Free      int           `xml:"availableIpAddressCount"`
	Zone      string        `xml:"availabilityZone"`
	Default   bool          `xml:"defaultForAz"`
	PublicIPs bool          `xml:"mapPublicIpOnLaunch"`
	Tags      items[ec2Tag] `xml:"tagSet"`
}

func (c *ec2Call) subnetXML(v *subnet) subnetXML {
	return subnetXML{
		ID: v.ID, ARN: c.arn("subnet", v.ID), State: "available", Owner: c.at.Account, VPC: v.VPC, CIDR: v.CIDR,
		Free: v.size() - 5 - v.Used, Zone: v.Zone, Default: v.Default, PublicIPs: v.Default, Tags: tagItems(v.Tags),
	}
}

// size is the number of addresses; AWS keeps five of them.
func (v *subnet) size() int {
	p, err := netip.ParsePrefix(v.CIDR)
	if err != nil {
		return 0
	}
	return 1 << (32 - p.Bits())
}

// address gives the next private address out.
func (v *subnet) address() (string, error) {
	p, err := netip.ParsePrefix(v.CIDR)
	if err != nil {
		return "", err
	}
	if v.Used >= v.size()-5 {
		return "", fault(http.StatusBadRequest, "InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
	}
	a := p.Addr()
	for range 4 + v.Used {
		a = a.Next()
	}
	v.Used++
	return a.String(), nil
}

func (c *ec2Call) createSubnet() (any, error) {
	tags, err := c.creating(c.arn("subnet", "*"), "subnet")
	if err != nil {
		return nil, err
	}
	if err := c.required("VpcId", "CidrBlock"); err != nil {
		return nil, err
	}
	in := c.at.VPCs[c.get("VpcId")]
	if in == nil {
		return nil, notFound("InvalidVpcID.NotFound", "vpc ID")([]string{c.get("VpcId")})
	}
	if err := c.allow("CreateSubnet", c.arn("vpc", in.ID), resourceTags(in.Tags)); err != nil {
		return nil, err
	}
	p, err := netip.ParsePrefix(c.get("CidrBlock"))
	if err != nil || !p.Addr().Is4() || p != p.Masked() {
		return nil, invalidValue("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", c.get("CidrBlock"))
	}
	whole, err := netip.ParsePrefix(in.CIDR)
	if err != nil || !whole.Contains(p.Addr()) || p.Bits() < whole.Bits() || p.Bits() > 28 {
		return nil, fault(http.StatusBadRequest, "InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
	}
	for _, v := range c.at.Subnets {
		if other, err := netip.ParsePrefix(v.CIDR); v.VPC == in.ID && err == nil && other.Overlaps(p) {
			return nil, fault(http.StatusBadRequest, "InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p)
		}
	}
	zone := c.get("AvailabilityZone")
	if zone == "" {
		zone = c.at.Region + "a"
	}
	if rest, ok := strings.CutPrefix(zone, c.at.Region); !ok || len(rest) != 1 || rest < "a" || rest > "c" {
		return nil, invalidValue("Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %sa, %sb, %sc.", zone, c.at.Region, c.at.Region, c.at.Region)
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	v := &subnet{ID: c.server.hexID("subnet-", c.at.Account, in.ID), VPC: in.ID, CIDR: p.String(), Zone: zone, Tags: tags}
	c.at.Subnets[v.ID] = v
	return struct {
		Subnet subnetXML `xml:"subnet"`
	}{c.subnetXML(v)}, nil
}

func (c *ec2Call) describeSubnets() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := wanted(c.at.Subnets, c.list("SubnetId", ""), notFound("InvalidSubnetID.NotFound", "subnet ID"))
	if err != nil {
		return nil, err
	}
	known := []string{"subnet-id", "vpc-id", "availability-zone", "availabilityZone", "cidr-block", "cidr", "state", "owner-id", "default-for-az", "defaultForAz"}
	list, err = filtered(c, list, known, func(v *subnet) attributes {
		return attributes{
			"subnet-id": {v.ID}, "vpc-id": {v.VPC}, "availability-zone": {v.Zone}, "availabilityZone": {v.Zone}, "cidr-block": {v.CIDR}, "cidr": {v.CIDR},
			"state": {"available"}, "owner-id": {c.at.Account}, "default-for-az": {strconv.FormatBool(v.Default)}, "defaultForAz": {strconv.FormatBool(v.Default)},
		}.tags(v.Tags)
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[subnetXML]
	for _, v := range list {
		out = append(out, c.subnetXML(v))
	}
	return struct {
		Subnets items[subnetXML] `xml:"subnetSet"`
		Next    string           `xml:"nextToken,omitempty"`
	}{out, next}, err
}

func (c *ec2Call) deleteSubnet() (any, error) {
	id := c.get("SubnetId")
	v := c.at.Subnets[id]
	if err := c.deleting("subnet", id, v != nil, func() []tag { return v.Tags }, notFound("InvalidSubnetID.NotFound", "subnet ID")); err != nil {
		return nil, err
	}
	for _, i := range c.at.Instances {
		if i.Subnet == id && i.state(c.now) != stateTerminated {
			return nil, dependency("subnet", id)
		}
	}
	delete(c.at.Subnets, id)
	return done{true}, nil
}

// ec2Regions are those that are enabled by default in each partition.
var ec2Regions = map[string][]string{
	"aws": {
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
		"eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	},
	"aws-cn":     {"cn-north-1", "cn-northwest-1"},
	"aws-us-gov": {"us-gov-east-1", "us-gov-west-1"},
}

func (c *ec2Call) describeRegions() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	type region struct {
		Name     string `xml:"regionName"`
		Endpoint string `xml:"regionEndpoint"`
		OptIn    string `xml:"optInStatus"`
	}
	var out items[region]
	names := c.list("RegionName", "")
	for _, n := range ec2Regions[c.server.options.Partition] {
		if len(names) == 0 || slices.Contains(names, n) {
			out = append(out, region{n, "ec2." + n + ".amazonaws.com", "opt-in-not-required"})
		}
	}
	if len(names) > len(out) {
		return nil, invalidValue("Invalid region names provided: %s", strings.Join(names, ", "))
	}
	return struct {
		Regions items[region] `xml:"regionInfo"`
	}{out}, nil
}
