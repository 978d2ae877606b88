package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// launch is what a client token was used for (EC2: ec2-run-instance-idempotency).
type launch struct {
	Parameters string // all that was sent, in order
	Instances  []string
}

var instanceTypeForm = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)

// launchPlan is a launch that has been checked.
type launchPlan struct {
	image   *image
	subnet  *subnet
	groups  []string
	profile *profile
	protect protection
	tags    map[string][]tag // by kind
	count   int
}

// launchDefaults are parameters that are taken with these values only, which
// change nothing.
var launchDefaults = map[string][]string{
	"MetadataOptions.HttpProtocolIpv6": {"disabled"},
	"EbsOptimized":                     {"false"}, "Monitoring.Enabled": {"false"}, "HibernationOptions.Configured": {"false"}, "Placement.Tenancy": {"default"},
	"Placement.AvailabilityZone": {""}, "NetworkInterface.N.AssociatePublicIpAddress": {"false"}, "NetworkInterface.N.DeleteOnTermination": {"true"},
}

// launchNamed says what a launch is about before it has an id: where, and the
// Name tag. The client token is another one each time.
func launchNamed(form params) string {
	where := form.get("SubnetId") + form.get("NetworkInterface.1.SubnetId")
	for _, n := range form.numbered("TagSpecification") {
		for _, t := range form.tagsAt("TagSpecification." + strconv.Itoa(n) + ".Tag") {
			if t.Key == "Name" {
				return where + "/" + t.Value
			}
		}
	}
	return where
}

// runInstances launches instances: parameters, permissions on all that the
// launch uses, what it names, and the client token, in that order.
func (c *ec2Call) runInstances() (any, error) {
	if err := c.required("ImageId", "InstanceType", "MinCount", "MaxCount"); err != nil {
		return nil, err
	}
	if v := c.get("InstanceType"); !instanceTypeForm.MatchString(v) {
		return nil, invalidValue("Invalid value '%s' for InstanceType.", v)
	}
	if token := c.get("ClientToken"); len(token) > 64 {
		return nil, invalidValue("ClientToken must be at most 64 characters long")
	}
	for k, v := range c.params {
		if values, ok := launchDefaults[pattern(k)]; ok && !slices.Contains(values, first(v)) {
			return nil, notImplemented("the value %q of the parameter %s of RunInstances in ec2", first(v), k)
		}
	}
	tags, err := c.specified("instance", "volume")
	if err != nil {
		return nil, err
	}
	if err := c.allowLaunch(tags); err != nil {
		return nil, err
	}
	if again, err := c.launchedBefore(); again != nil || err != nil {
		return again, err
	}
	p, err := c.checkLaunch()
	if err != nil {
		return nil, err
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	p.tags = tags
	return c.launch(p)
}

// allowLaunch asks for ec2:RunInstances on every kind of resource that a launch
// touches (Service Authorization Reference, "Actions … for Amazon EC2"), and
// for tagging what it makes.
func (c *ec2Call) allowLaunch(tags map[string][]tag) error {
	made := map[string][]string{"ec2:InstanceType": {c.get("InstanceType")}}
	if v := c.get("MetadataOptions.HttpTokens"); v != "" {
		made["ec2:MetadataHttpTokens"] = []string{v}
	}
	if p, _ := c.namedProfile(); p != nil {
		made["ec2:InstanceProfile"] = []string{p.ARN}
	}
	maps.Copy(made, requestTags(tags["instance"]))
	ask := func(kind, id string, context map[string][]string) error {
		return c.allow("RunInstances", c.arn(kind, id), context)
	}
	image := map[string][]string{}
	if i := c.server.images(c.at)[c.get("ImageId")]; i != nil {
		image = resourceTags(i.Tags)
		image["ec2:Owner"] = []string{i.Owner}
		if i.Alias != "" {
			image["ec2:Owner"] = []string{i.Alias}
		}
	}
	if err := ask("image", c.get("ImageId"), image); err != nil {
		return err
	}
	if err := ask("instance", "*", made); err != nil {
		return err
	}
	for _, kind := range []string{"network-interface", "volume"} { // made by every launch
		if err := ask(kind, "*", requestTags(tags[kind])); err != nil {
			return err
		}
	}
	network := c.networkNamed()
	if network.subnet != "" {
		if err := ask("subnet", network.subnet, nil); err != nil {
			return err
		}
	}
	for _, id := range network.groups {
		if err := ask("security-group", id, nil); err != nil {
			return err
		}
	}
	if name := c.get("KeyName"); name != "" {
		if err := ask("key-pair", name, nil); err != nil {
			return err
		}
	}
	for _, kind := range sortedKeys(tags) {
		if err := c.allowTags(c.arn(kind, "*"), tags[kind]); err != nil {
			return err
		}
	}
	return nil
}

// launchedBefore answers a repeated call with what its client token launched.
func (c *ec2Call) launchedBefore() (any, error) {
	token := c.get("ClientToken")
	before := c.at.Launches[token]
	if token == "" || before == nil {
		return nil, nil //nolint:nilnil // nil: not launched before
	}
	if before.Parameters != c.launchParameters() {
		return nil, fault(http.StatusBadRequest, "IdempotentParameterMismatch", "The provided token has been used previously with different parameters: %s", token)
	}
	var list []*instance
	for _, id := range before.Instances {
		i := c.at.Instances[id]
		if i == nil || i.Order == stateTerminated {
			return nil, fault(http.StatusBadRequest, "IdempotentInstanceTerminated", "The client token '%s' was used for a launch whose instances have been terminated: use another one", token)
		}
		list = append(list, i)
	}
	return c.reservation(list), nil
}

// launchParameters is what must be the same when a token is used again.
func (c *ec2Call) launchParameters() string {
	var b strings.Builder
	for _, k := range sortedKeys(c.params) {
		if !signing(k) && k != "DryRun" {
			fmt.Fprintf(&b, "%s=%q\n", k, c.params[k])
		}
	}
	return fmt.Sprintf("%x", c.server.digest("launch", b.String()))
}

// checkLaunch finds all that a launch names.
func (c *ec2Call) checkLaunch() (launchPlan, error) {
	var p launchPlan
	least, err := strconv.Atoi(c.get("MinCount"))
	most, err2 := strconv.Atoi(c.get("MaxCount"))
	if err != nil || err2 != nil || least < 1 || most < least {
		return p, invalidValue("Value (%s) for parameter minCount is invalid. It must be at least 1 and at most maxCount.", c.get("MinCount"))
	}
	const quota = 20
	if p.count = most; p.count > quota {
		return p, fault(http.StatusBadRequest, "InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows.", most, quota)
	}
	if p.image, err = c.image(c.get("ImageId")); err != nil {
		return p, err
	}
	if name := c.get("KeyName"); name != "" && c.at.Keys[name] == nil {
		return p, fault(http.StatusBadRequest, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
	}
	if err := c.launchNetwork(&p); err != nil {
		return p, err
	}
	for name, allowed := range map[string][]string{
		"HttpTokens": {"required", "optional"}, "HttpEndpoint": {"enabled", "disabled"}, "InstanceMetadataTags": {"enabled", "disabled"},
	} {
		if v := c.get("MetadataOptions." + name); v != "" && !slices.Contains(allowed, v) {
			return p, invalidValue("Value (%s) for parameter MetadataOptions.%s is invalid.", v, name)
		}
	}
	switch v := c.get("CreditSpecification.CpuCredits"); {
	case v == "":
	case !slices.Contains([]string{"standard", "unlimited"}, v):
		return p, invalidValue("Value (%s) for parameter CreditSpecification.CpuCredits is invalid. Expecting standard or unlimited.", v)
	case !burstable(c.get("InstanceType")):
		return p, notImplemented("CreditSpecification for the instance type %s, which does not burst", c.get("InstanceType"))
	}
	if err := c.readProtection(&p.protect, ""); err != nil {
		return p, err
	}
	p.profile, err = c.launchProfile()
	return p, err
}

// networkNamed are the subnet and the groups that a launch names, by itself or
// in its one network interface; without a name it is the default subnet.
func (c *ec2Call) networkNamed() (named struct {
	subnet string
	groups []string
},
) {
	named.subnet, named.groups = c.get("SubnetId"), c.list("SecurityGroupId", "")
	if len(c.numbered("NetworkInterface")) > 0 {
		named.subnet, named.groups = c.get("NetworkInterface.1.SubnetId"), c.list("NetworkInterface.1.SecurityGroupId", "")
	}
	if v := c.at.defaultSubnet(); named.subnet == "" && v != nil {
		named.subnet = v.ID
	}
	return named
}

// launchNetwork checks subnet and security groups.
func (c *ec2Call) launchNetwork(p *launchPlan) error {
	if interfaces := c.numbered("NetworkInterface"); len(interfaces) > 0 {
		switch {
		case c.has("SubnetId"):
			return fault(http.StatusBadRequest, "InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request")
		case c.has("SecurityGroupId.1"):
			return fault(http.StatusBadRequest, "InvalidParameterCombination", "Network interfaces and an instance-level security groups may not be specified on the same request")
		case !slices.Equal(interfaces, []int{1}) || c.get("NetworkInterface.1.DeviceIndex") != "0":
			return notImplemented("a launch with more than the one network interface of device index 0")
		}
	}
	named := c.networkNamed()
	id := named.subnet
	switch in := c.at.defaultVPC(); {
	case c.has("SecurityGroup.1") && (c.has("SubnetId") || c.has("NetworkInterface.1.SubnetId")):
		return fault(http.StatusBadRequest, "InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet")
	case c.has("SecurityGroup.1"):
		return notImplemented("a launch with security groups by name: name them by id")
	case id == "" && in == nil:
		return noDefaultVPC()
	case id == "":
		return fault(http.StatusBadRequest, "MissingInput", "No subnets found for the default VPC '%s'. Please specify a subnet.", in.ID)
	}
	if p.subnet = c.at.Subnets[id]; p.subnet == nil {
		return notFound("InvalidSubnetID.NotFound", "subnet ID")([]string{id})
	}
	p.groups = named.groups
	for _, g := range p.groups {
		switch have := c.at.Groups[g]; {
		case !groupIDForm.MatchString(g):
			return fault(http.StatusBadRequest, "InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", g)
		case have == nil:
			return notFound("InvalidGroup.NotFound", "security group")([]string{g})
		case have.VPC != p.subnet.VPC:
			return fault(http.StatusBadRequest, "InvalidParameter", "Security group %s and subnet %s belong to different networks.", g, id)
		}
	}
	if len(p.groups) == 0 {
		for _, g := range sorted(c.at.Groups) {
			if g.VPC == p.subnet.VPC && g.Name == "default" {
				p.groups = []string{g.ID}
			}
		}
	}
	return nil
}

// namedProfile finds the instance profile that a call names, and gives the
// error for one that is not there. Both are nil where none is named.
func (c *ec2Call) namedProfile() (*profile, error) {
	name, arn := c.get("IamInstanceProfile.Name"), c.get("IamInstanceProfile.Arn")
	switch {
	case name != "" && arn != "":
		return nil, fault(http.StatusBadRequest, "InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	case name != "":
		if p := c.server.world.account(c.server, c.caller.Account).Profiles[name]; p != nil {
			return p, nil
		}
		return nil, invalidValue("Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", name)
	case arn != "":
		if p := c.server.findProfile(arn); p != nil && p.Account == c.caller.Account {
			return p, nil
		}
		return nil, invalidValue("Value (%s) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN", arn)
	}
	return nil, nil //nolint:nilnil // nil: none is named
}

// launchProfile finds the profile, too new ones excepted, and asks for passing
// its role to EC2 (IAM:id_roles_use_passrole).
func (c *ec2Call) launchProfile() (*profile, error) {
	p, err := c.namedProfile()
	if p == nil || err != nil {
		return nil, err
	}
	named := "name is invalid. Invalid IAM Instance Profile name"
	value := c.get("IamInstanceProfile.Name")
	if value == "" {
		value, named = p.ARN, "arn is invalid. Invalid IAM Instance Profile ARN"
	}
	if !c.server.profileVisible(p, c.now) {
		return nil, invalidValue("Value (%s) for parameter iamInstanceProfile.%s", value, named)
	}
	r := c.server.world.account(c.server, p.Account).Roles[p.Role]
	if r == nil {
		field, _, _ := strings.Cut(named, " ")
		return nil, invalidValue("Value (%s) for parameter iamInstanceProfile.%s is invalid. IAM Instance Profile \"%s\" has no associated IAM Roles", value, field, p.ARN)
	}
	context := map[string][]string{"iam:PassedToService": {c.server.ec2Principal()}}
	return p, c.authorize(permission{action: "iam:PassRole", resource: r.ARN, account: r.Account, context: context})
}

// ec2Principal is EC2's service principal in this partition.
func (s *Server) ec2Principal() string {
	if s.options.Partition == "aws-cn" {
		return "ec2.amazonaws.com.cn"
	}
	return "ec2.amazonaws.com"
}

// launch makes the instances.
func (c *ec2Call) launch(p launchPlan) (any, error) {
	token := c.get("ClientToken")
	name := p.subnet.ID // ids come from what is launched, not from the token, which is random
	for _, t := range p.tags["instance"] {
		name += "/" + t.Key + "=" + t.Value
	}
	reservation := c.server.hexID("r-", c.at.Account, c.at.Region+"/"+name)
	var list []*instance
	for n := range p.count {
		address, err := p.subnet.address()
		if err != nil {
			return nil, err
		}
		i := &instance{
			ID: c.server.hexID("i-", c.at.Account, c.at.Region+"/"+name), Reservation: reservation, Image: p.image.ID, Type: c.get("InstanceType"), Index: n,
			Architecture: p.image.Architecture, Key: c.get("KeyName"), Subnet: p.subnet.ID, VPC: p.subnet.VPC, Zone: p.subnet.Zone, Address: address,
			Groups: p.groups, Token: token, UserData: c.get("UserData"), Tags: p.tags["instance"], VolumeTags: p.tags["volume"],
			Protection: p.protect, Credits: c.get("CreditSpecification.CpuCredits"), Launched: c.now, Order: stateRunning, Ordered: c.now,
			Metadata: metadataOptions{Tokens: "optional", Endpoint: "enabled", HopLimit: "1", Tags: "disabled"},
		}
		if strings.HasPrefix(p.image.Name, "al2023-") { // its images ask for IMDSv2
			i.Metadata.Tokens, i.Metadata.HopLimit = "required", "2"
		}
		for at, v := range map[*string]string{
			&i.Metadata.Tokens: "HttpTokens", &i.Metadata.Endpoint: "HttpEndpoint", &i.Metadata.HopLimit: "HttpPutResponseHopLimit", &i.Metadata.Tags: "InstanceMetadataTags",
		} {
			if sent := c.get("MetadataOptions." + v); sent != "" {
				*at = sent
			}
		}
		c.at.Instances[i.ID] = i
		if p.profile != nil {
			c.server.associate(c.at, i.ID, p.profile, c.now)
		}
		list = append(list, i)
	}
	if token != "" {
		l := &launch{Parameters: c.launchParameters()}
		for _, i := range list {
			l.Instances = append(l.Instances, i.ID)
		}
		c.at.Launches[token] = l
	}
	c.resource = c.arn("instance", list[0].ID)
	c.decision = string(iampolicy.Allowed)
	return c.reservation(list), nil
}

func (c *ec2Call) reservation(list []*instance) reservationXML {
	r := reservationXML{ID: list[0].Reservation, Owner: c.at.Account}
	for _, i := range list {
		r.Instances = append(r.Instances, c.instanceXML(i))
	}
	return r
}
