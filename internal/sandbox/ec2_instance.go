package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// instance is an instance. Its state follows from Order and the clock.
type instance struct {
	ID, Reservation, Image, Type string
	Architecture                 string
	Index                        int
	Key                          string `json:",omitempty"`
	Subnet, VPC, Zone, Address   string
	Groups                       []string `json:",omitempty"` // security group ids
	Token                        string   `json:",omitempty"` // the launch's client token
	UserData                     string   `json:",omitempty"` // base64
	Tags                         []tag    `json:",omitempty"`
	VolumeTags                   []tag    `json:",omitempty"` // of its root volume
	Credits                      string   `json:",omitempty"` // as asked for: standard or unlimited
	Protection                   protection
	Metadata                     metadataOptions
	Launched                     time.Time
	Order                        string // what was last asked of it: running, stopped or terminated
	Ordered                      time.Time
}

type metadataOptions struct {
	Tokens   string // required or optional
	Endpoint string // enabled or disabled
	HopLimit string
	Tags     string // enabled or disabled
}

// The names of the instance states (EC2: ec2-instance-lifecycle).
const (
	statePending      = "pending"
	stateRunning      = "running"
	stateShuttingDown = "shutting-down"
	stateTerminated   = "terminated"
	stateStopping     = "stopping"
	stateStopped      = "stopped"
)

var stateCodes = map[string]int{statePending: 0, stateRunning: 16, stateShuttingDown: 32, stateTerminated: 48, stateStopping: 64, stateStopped: 80}

const (
	// changeTime is how long an instance is on the way to the state that was
	// asked for, on the sandbox's clock.
	changeTime = time.Second
	// gravestone is how long a terminated instance is still shown.
	gravestone = time.Hour
)

func (i *instance) state(now time.Time) string {
	on := now.Before(i.Ordered.Add(changeTime))
	switch i.Order {
	case stateTerminated:
		if on {
			return stateShuttingDown
		}
		return stateTerminated
	case stateStopped:
		if on {
			return stateStopping
		}
		return stateStopped
	}
	if on {
		return statePending
	}
	return stateRunning
}

func (i *instance) gone(now time.Time) bool {
	return i.Order == stateTerminated && now.After(i.Ordered.Add(gravestone))
}

func (i *instance) order(state string, now time.Time) { i.Order, i.Ordered = state, now }

func instanceOperations() ec2Operations {
	ids := []string{"InstanceId.N"}
	return ec2Operations{
		"RunInstances": {append([]string{
			"ImageId", "InstanceType", "MinCount", "MaxCount", "KeyName", "SubnetId", "SecurityGroupId.N", "SecurityGroup.N", "ClientToken", "UserData",
			"IamInstanceProfile.Name", "IamInstanceProfile.Arn", "MetadataOptions.HttpTokens", "MetadataOptions.HttpEndpoint",
			"MetadataOptions.HttpPutResponseHopLimit", "MetadataOptions.InstanceMetadataTags",
			"DisableApiTermination", "DisableApiStop", "InstanceInitiatedShutdownBehavior", "CreditSpecification.CpuCredits",
			"NetworkInterface.N.DeviceIndex", "NetworkInterface.N.SubnetId", "NetworkInterface.N.SecurityGroupId.N",
		}, slices.Concat(specification, sortedKeys(launchDefaults))...), (*ec2Call).runInstances},
		"DescribeInstances":      {append(slices.Clone(ids), filterParams...), (*ec2Call).describeInstances},
		"DescribeInstanceStatus": {append([]string{"InstanceId.N", "IncludeAllInstances"}, filterParams...), (*ec2Call).describeStatus},
		"StartInstances":         {ids, (*ec2Call).startInstances},
		"StopInstances":          {append([]string{"Force"}, ids...), (*ec2Call).stopInstances},
		"TerminateInstances":     {ids, (*ec2Call).terminateInstances},
	}
}

func (s *Server) seedInstance(r *ec2Region, in SeedInstance) error {
	if r.Instances[in.ID] != nil {
		return nil
	}
	if !instanceIDForm.MatchString(in.ID) {
		return fmt.Errorf("%q is no instance id", in.ID)
	}
	now := s.now()
	v := s.seedVPC(r)
	i := &instance{
		ID: in.ID, Reservation: s.hexID("r-", r.Account, in.ID), Type: "t3.micro", Architecture: "x86_64", VPC: v.ID, Zone: r.Region + "a", Address: "10.0.255.10",
		Metadata: metadataOptions{"required", "enabled", "2", "disabled"}, Launched: now, Order: stateRunning, Ordered: now.Add(-changeTime),
	}
	for _, image := range sorted(s.images(r)) {
		if strings.HasPrefix(image.Name, "al2023-ami-2023") && image.Architecture == i.Architecture {
			i.Image = image.ID
		}
	}
	r.Instances[in.ID] = i
	if in.Profile != "" {
		p := s.world.account(s, r.Account).Profiles[in.Profile]
		if p == nil {
			return fmt.Errorf("the instance profile %s does not exist", in.Profile)
		}
		s.associate(r, in.ID, p, now)
	}
	return nil
}

type stateXML struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

func stateOf(name string) stateXML { return stateXML{stateCodes[name], name} }

type groupRef struct {
	ID   string `xml:"groupId"`
	Name string `xml:"groupName"`
}

type reasonXML struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
}

type instanceXML struct {
	ID       string   `xml:"instanceId"`
	Image    string   `xml:"imageId"`
	State    stateXML `xml:"instanceState"`
	Private  string   `xml:"privateDnsName"`
	DNS      string   `xml:"dnsName"`
	Reason   string   `xml:"reason"`
	Key      string   `xml:"keyName,omitempty"`
	Index    int      `xml:"amiLaunchIndex"`
	Type     string   `xml:"instanceType"`
	Launched string   `xml:"launchTime"`
	Place    struct {
		Zone    string `xml:"availabilityZone"`
		Group   string `xml:"groupName"`
		Tenancy string `xml:"tenancy"`
	} `xml:"placement"`
	Monitoring   string           `xml:"monitoring>state"`
	Subnet       string           `xml:"subnetId,omitempty"`
	VPC          string           `xml:"vpcId,omitempty"`
	Address      string           `xml:"privateIpAddress,omitempty"`
	Groups       items[groupRef]  `xml:"groupSet"`
	StateReason  *reasonXML       `xml:"stateReason,omitempty"`
	Architecture string           `xml:"architecture"`
	RootType     string           `xml:"rootDeviceType"`
	RootName     string           `xml:"rootDeviceName"`
	Devices      items[deviceXML] `xml:"blockDeviceMapping"`
	Virtual      string           `xml:"virtualizationType"`
	Token        string           `xml:"clientToken"`
	Tags         items[ec2Tag]    `xml:"tagSet"`
	Hypervisor   string           `xml:"hypervisor"`
	Profile      *profileRef      `xml:"iamInstanceProfile,omitempty"`
	EBS          bool             `xml:"ebsOptimized"`
	Check        bool             `xml:"sourceDestCheck"`
	Metadata     struct {
		State    string `xml:"state"`
		Tokens   string `xml:"httpTokens"`
		HopLimit string `xml:"httpPutResponseHopLimit"`
		Endpoint string `xml:"httpEndpoint"`
		IPv6     string `xml:"httpProtocolIpv6"`
		Tags     string `xml:"instanceMetadataTags"`
	} `xml:"metadataOptions"`
}

type profileRef struct {
	ARN string `xml:"arn"`
	ID  string `xml:"id"`
}

func (c *ec2Call) instanceXML(i *instance) instanceXML {
	x := instanceXML{
		ID: i.ID, Image: i.Image, State: stateOf(i.state(c.now)), Key: i.Key, Index: i.Index, Type: i.Type, Launched: ec2Time(i.Launched),
		Monitoring: "disabled", Architecture: i.Architecture, RootType: "ebs", RootName: rootDevice, Virtual: "hvm", Token: i.Token,
		Tags: tagItems(i.Tags), Hypervisor: "xen",
	}
	x.Place.Zone, x.Place.Tenancy = i.Zone, "default"
	x.Metadata.State, x.Metadata.Tokens, x.Metadata.HopLimit, x.Metadata.Endpoint, x.Metadata.IPv6, x.Metadata.Tags = "applied", i.Metadata.Tokens, i.Metadata.HopLimit, i.Metadata.Endpoint, "disabled", i.Metadata.Tags
	if i.Order == stateTerminated {
		x.Reason = "User initiated (" + i.Ordered.Format("2006-01-02 15:04:05 MST") + ")"
		x.StateReason = &reasonXML{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"}
		return x
	}
	x.Subnet, x.VPC, x.Address, x.Private = i.Subnet, i.VPC, i.Address, privateName(i, c.at.Region)
	x.Groups, x.Devices, x.Check = c.groupRefs(i), c.devices(i), true
	if a := c.at.associationOf(i.ID); a != nil {
		x.Profile = &profileRef{a.Profile, a.ProfileID}
	}
	return x
}

func privateName(i *instance, region string) string {
	name := "ip-" + strings.ReplaceAll(i.Address, ".", "-")
	if region == "us-east-1" {
		return name + ".ec2.internal"
	}
	return name + "." + region + ".compute.internal"
}

func (c *ec2Call) groupRefs(i *instance) items[groupRef] {
	var out items[groupRef]
	for _, id := range i.Groups {
		if g := c.at.Groups[id]; g != nil {
			out = append(out, groupRef{id, g.Name})
		}
	}
	return out
}

type reservationXML struct {
	ID        string             `xml:"reservationId"`
	Owner     string             `xml:"ownerId"`
	Groups    items[groupRef]    `xml:"groupSet"`
	Instances items[instanceXML] `xml:"instancesSet"`
}

var instanceIDForm = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// instances finds those of InstanceId.N, or all that are shown.
func (c *ec2Call) instances() ([]*instance, error) {
	ids := c.list("InstanceId", "")
	for _, id := range ids {
		if !instanceIDForm.MatchString(id) {
			return nil, fault(http.StatusBadRequest, "InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
		}
	}
	shown := map[string]*instance{}
	for id, i := range c.at.Instances {
		if !i.gone(c.now) {
			shown[id] = i
		}
	}
	return wanted(shown, ids, notFound("InvalidInstanceID.NotFound", "instance ID"))
}

var instanceFilters = []string{
	"instance-id", "instance-state-name", "instance-state-code", "image-id", "instance-type", "subnet-id", "vpc-id", "key-name", "iam-instance-profile.arn",
	"iam-instance-profile.id", "client-token", "reservation-id", "availability-zone", "private-ip-address", "private-dns-name", "architecture",
	"owner-id", "instance.group-id", "instance.group-name", "group-id", "metadata-options.http-tokens",
}

func (c *ec2Call) instanceAttributes(i *instance) attributes {
	x := c.instanceXML(i)
	a := attributes{
		"instance-id": {x.ID}, "instance-state-name": {x.State.Name}, "instance-state-code": {fmt.Sprint(x.State.Code)}, "image-id": {x.Image}, "instance-type": {x.Type},
		"subnet-id": {x.Subnet}, "vpc-id": {x.VPC}, "key-name": {x.Key}, "client-token": {x.Token}, "reservation-id": {i.Reservation}, "availability-zone": {x.Place.Zone},
		"private-ip-address": {x.Address}, "private-dns-name": {x.Private}, "architecture": {x.Architecture}, "owner-id": {c.at.Account}, "metadata-options.http-tokens": {x.Metadata.Tokens},
	}
	if x.Profile != nil {
		a["iam-instance-profile.arn"], a["iam-instance-profile.id"] = []string{x.Profile.ARN}, []string{x.Profile.ID}
	}
	for _, g := range x.Groups {
		a["instance.group-id"], a["group-id"] = append(a["instance.group-id"], g.ID), append(a["group-id"], g.ID)
		a["instance.group-name"] = append(a["instance.group-name"], g.Name)
	}
	return a.tags(i.Tags)
}

func (c *ec2Call) describeInstances() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	if c.has("MaxResults") && c.has("InstanceId.1") {
		return nil, fault(http.StatusBadRequest, "InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	list, err := c.instances()
	if err != nil {
		return nil, err
	}
	if list, err = filtered(c, list, instanceFilters, c.instanceAttributes); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(x, y *instance) int {
		if n := x.Launched.Compare(y.Launched); n != 0 {
			return n
		}
		return strings.Compare(x.Reservation, y.Reservation)
	})
	list, next, err := paged(c, list)
	var out items[reservationXML]
	for _, i := range list {
		if n := len(out); n == 0 || out[n-1].ID != i.Reservation {
			out = append(out, reservationXML{ID: i.Reservation, Owner: c.at.Account})
		}
		r := &out[len(out)-1]
		r.Instances = append(r.Instances, c.instanceXML(i))
	}
	return struct {
		Reservations items[reservationXML] `xml:"reservationSet"`
		Next         string                `xml:"nextToken,omitempty"`
	}{out, next}, err
}

// describeStatus shows running instances unless asked for all.
func (c *ec2Call) describeStatus() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := c.instances()
	if err != nil {
		return nil, err
	}
	if list, err = filtered(c, list, []string{"instance-state-name", "instance-state-code", "availability-zone"}, c.instanceAttributes); err != nil {
		return nil, err
	}
	if c.get("IncludeAllInstances") != "true" {
		list = slices.DeleteFunc(list, func(i *instance) bool { return i.state(c.now) != stateRunning })
	}
	list, next, err := paged(c, list)
	type status struct {
		ID       string   `xml:"instanceId"`
		Zone     string   `xml:"availabilityZone"`
		State    stateXML `xml:"instanceState"`
		System   string   `xml:"systemStatus>status"`
		Instance string   `xml:"instanceStatus>status"`
	}
	var out items[status]
	for _, i := range list {
		health := "not-applicable"
		if i.state(c.now) == stateRunning {
			health = "ok"
		}
		out = append(out, status{i.ID, i.Zone, stateOf(i.state(c.now)), health, health})
	}
	return struct {
		Statuses items[status] `xml:"instanceStatusSet"`
		Next     string        `xml:"nextToken,omitempty"`
	}{out, next}, err
}

type changeXML struct {
	ID      string   `xml:"instanceId"`
	Current stateXML `xml:"currentState"`
	Before  stateXML `xml:"previousState"`
}

// change gives an order to instances after asking for it on each; allowed are
// the states from which it can be given, same those in which it is void.
func (c *ec2Call) change(order, verb string, allowed, same []string) (any, error) {
	if !c.has("InstanceId.1") {
		return nil, fault(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter InstanceId")
	}
	for _, id := range c.list("InstanceId", "") {
		var context map[string][]string
		if i := c.at.Instances[id]; i != nil {
			context = c.instanceKeys(i)
		}
		if err := c.allow(c.operation, c.arn("instance", id), context); err != nil {
			return nil, err
		}
	}
	list, err := c.instances()
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		if s := i.state(c.now); !slices.Contains(allowed, s) && !slices.Contains(same, s) {
			return nil, fault(http.StatusBadRequest, "IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", i.ID, verb)
		}
		if err := i.protected(order); err != nil {
			return nil, err
		}
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	var out items[changeXML]
	for _, i := range list {
		before := i.state(c.now)
		if slices.Contains(allowed, before) {
			i.order(order, c.now)
		}
		out = append(out, changeXML{i.ID, stateOf(i.state(c.now)), stateOf(before)})
	}
	return struct {
		Instances items[changeXML] `xml:"instancesSet"`
	}{out}, nil
}

// instanceKeys are the condition keys of an instance.
func (c *ec2Call) instanceKeys(i *instance) map[string][]string {
	m := resourceTags(i.Tags)
	m["ec2:InstanceType"], m["ec2:AvailabilityZone"] = []string{i.Type}, []string{i.Zone}
	if a := c.at.associationOf(i.ID); a != nil {
		m["ec2:InstanceProfile"] = []string{a.Profile}
	}
	return m
}

func (c *ec2Call) startInstances() (any, error) {
	return c.change(stateRunning, "started", []string{stateStopped}, []string{statePending, stateRunning})
}

func (c *ec2Call) stopInstances() (any, error) {
	return c.change(stateStopped, "stopped", []string{stateRunning}, []string{stateStopping, stateStopped})
}

func (c *ec2Call) terminateInstances() (any, error) {
	out, err := c.change(stateTerminated, "terminated", []string{statePending, stateRunning, stateStopping, stateStopped}, []string{stateShuttingDown, stateTerminated})
	for id, a := range c.at.Associations {
		if i := c.at.Instances[a.Instance]; i != nil && i.Order == stateTerminated {
			delete(c.at.Associations, id)
		}
	}
	return out, err
}
