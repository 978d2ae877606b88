package sandbox

import (
	"net/http"
	"slices"
)

// protection is what keeps an instance from being ended or stopped by a call,
// and what it does when it shuts itself down (EC2: terminating-instances).
type protection struct {
	Termination bool   `json:",omitempty"` // disableApiTermination
	Stop        bool   `json:",omitempty"` // disableApiStop
	Shutdown    string `json:",omitempty"` // instanceInitiatedShutdownBehavior: terminate; empty: stop
}

func attributeOperations() ec2Operations {
	return ec2Operations{
		"DescribeInstanceAttribute": {[]string{"InstanceId", "Attribute"}, (*ec2Call).describeAttribute},
		"ModifyInstanceAttribute": {
			[]string{"InstanceId", "DisableApiTermination.Value", "DisableApiStop.Value", "InstanceInitiatedShutdownBehavior.Value"}, (*ec2Call).modifyAttribute,
		},
		"DescribeInstanceCreditSpecifications": {append([]string{"InstanceId.N"}, filterParams...), (*ec2Call).describeCredits},
	}
}

// instanceNamed finds the instance of InstanceId, after asking for the
// operation on it.
func (c *ec2Call) instanceNamed() (*instance, error) {
	if err := c.required("InstanceId"); err != nil {
		return nil, err
	}
	id := c.get("InstanceId")
	if !instanceIDForm.MatchString(id) {
		return nil, fault(http.StatusBadRequest, "InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
	}
	i := c.at.Instances[id]
	var context map[string][]string
	if i != nil {
		context = c.instanceKeys(i)
	}
	if err := c.allow(c.operation, c.arn("instance", id), context); err != nil {
		return nil, err
	}
	if i == nil || i.gone(c.now) {
		return nil, notFound("InvalidInstanceID.NotFound", "instance ID")([]string{id})
	}
	return i, c.dry()
}

// attributeXML is an attribute of any of the shapes that they have.
type attributeXML struct {
	Value any `xml:"value,omitempty"`
}

// describeAttribute answers with the one attribute that was asked for.
func (c *ec2Call) describeAttribute() (any, error) {
	if err := c.required("Attribute"); err != nil {
		return nil, err
	}
	i, err := c.instanceNamed()
	if err != nil {
		return nil, err
	}
	out := struct {
		ID          string           `xml:"instanceId"`
		Groups      *items[groupRef] `xml:"groupSet"`
		Type        *attributeXML    `xml:"instanceType"`
		Termination *attributeXML    `xml:"disableApiTermination"`
		Stop        *attributeXML    `xml:"disableApiStop"`
		Shutdown    *attributeXML    `xml:"instanceInitiatedShutdownBehavior"`
		UserData    *attributeXML    `xml:"userData"`
		Check       *attributeXML    `xml:"sourceDestCheck"`
		EBS         *attributeXML    `xml:"ebsOptimized"`
		Root        *attributeXML    `xml:"rootDeviceName"`
	}{ID: i.ID}
	switch name := c.get("Attribute"); name {
	case "groupSet":
		groups := c.groupRefs(i)
		out.Groups = &groups
	case "instanceType":
		out.Type = &attributeXML{i.Type}
	case "disableApiTermination":
		out.Termination = &attributeXML{i.Protection.Termination}
	case "disableApiStop":
		out.Stop = &attributeXML{i.Protection.Stop}
	case "instanceInitiatedShutdownBehavior":
		out.Shutdown = &attributeXML{i.Protection.shutdown()}
	case "userData":
		out.UserData = &attributeXML{}
		if i.UserData != "" {
			out.UserData.Value = i.UserData
		}
	case "sourceDestCheck":
		out.Check = &attributeXML{true}
	case "ebsOptimized":
		out.EBS = &attributeXML{false}
	case "rootDeviceName":
		out.Root = &attributeXML{rootDevice}
	default:
		return nil, notImplemented("the attribute %q of DescribeInstanceAttribute", name)
	}
	return out, nil
}

func (p protection) shutdown() string {
	if p.Shutdown == "" {
		return "stop"
	}
	return p.Shutdown
}

// modifyAttribute changes one attribute, as AWS takes one at a time.
func (c *ec2Call) modifyAttribute() (any, error) {
	i, err := c.instanceNamed()
	if err != nil {
		return nil, err
	}
	p := i.Protection
	switch sent := c.sentOf("DisableApiTermination.Value", "DisableApiStop.Value", "InstanceInitiatedShutdownBehavior.Value"); {
	case len(sent) == 0:
		return nil, fault(http.StatusBadRequest, "MissingParameter", "No attributes specified.")
	case len(sent) > 1:
		return nil, fault(http.StatusBadRequest, "InvalidParameterCombination", "Fields for multiple attribute types specified: %s", sent)
	}
	err = c.readProtection(&p, ".Value")
	if err == nil {
		i.Protection = p
	}
	return done{true}, err
}

// sentOf are those of the parameters that were sent.
func (c *ec2Call) sentOf(names ...string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return !c.has(n) })
}

// readProtection reads the parameters of a protection, those that were sent.
func (c *ec2Call) readProtection(p *protection, suffix string) error {
	for name, to := range map[string]*bool{"DisableApiTermination": &p.Termination, "DisableApiStop": &p.Stop} {
		switch v := c.get(name + suffix); v {
		case "":
		case "true", "false":
			*to = v == "true"
		default:
			return invalidValue("Value (%s) for parameter %s is invalid. Expecting true or false.", v, name)
		}
	}
	switch v := c.get("InstanceInitiatedShutdownBehavior" + suffix); v {
	case "":
	case "stop", "terminate":
		p.Shutdown = v
	default:
		return invalidValue("Value (%s) for parameter instanceInitiatedShutdownBehavior is invalid. Expecting stop or terminate.", v)
	}
	return nil
}

// protected refuses to end or stop an instance that is protected from it.
func (i *instance) protected(order string) error {
	const text = "The instance '%s' may not be %s. Modify its '%s' instance attribute and try again."
	switch {
	case order == stateTerminated && i.Protection.Termination:
		return fault(http.StatusBadRequest, "OperationNotPermitted", text, i.ID, "terminated", "disableApiTermination")
	case order == stateStopped && i.Protection.Stop:
		return fault(http.StatusBadRequest, "OperationNotPermitted", text, i.ID, "stopped", "disableApiStop")
	}
	return nil
}

// describeCredits tells how burstable instances may burst. Instances of other
// types have no such thing.
func (c *ec2Call) describeCredits() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := c.instances()
	if err != nil {
		return nil, err
	}
	if n := slices.IndexFunc(list, func(i *instance) bool { return !burstable(i.Type) }); n >= 0 && c.has("InstanceId.1") {
		return nil, fault(http.StatusBadRequest, "InstanceCreditSpecification.NotSupported", "The instance '%s' does not support CPU credits: its type is %s.", list[n].ID, list[n].Type)
	}
	list = slices.DeleteFunc(list, func(i *instance) bool { return !burstable(i.Type) })
	if list, err = filtered(c, list, []string{"instance-id"}, c.instanceAttributes); err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	type one struct {
		ID      string `xml:"instanceId"`
		Credits string `xml:"cpuCredits"`
	}
	var out items[one]
	for _, i := range list {
		out = append(out, one{i.ID, i.credits()})
	}
	return struct {
		List items[one] `xml:"instanceCreditSpecificationSet"`
		Next string     `xml:"nextToken,omitempty"`
	}{out, next}, err
}

// credits is the launch's choice, or the type's default.
func (i *instance) credits() string {
	switch {
	case i.Credits != "":
		return i.Credits
	case i.Type[:2] == "t2":
		return "standard"
	}
	return "unlimited"
}
