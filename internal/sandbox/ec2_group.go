package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

type groupXML struct {
	Owner       string          `xml:"ownerId"`
	ID          string          `xml:"groupId"`
	Name        string          `xml:"groupName"`
	Description string          `xml:"groupDescription"`
	VPC         string          `xml:"vpcId"`
	Ingress     items[struct{}] `xml:"ipPermissions"`
	Egress      items[egress]   `xml:"ipPermissionsEgress"`
	Tags        items[ec2Tag]   `xml:"tagSet"`
}

// egress is the rule that new groups have: all may go out.
type egress struct {
	Protocol string        `xml:"ipProtocol"`
	Ranges   items[cidrIP] `xml:"ipRanges"`
}

type cidrIP struct {
	CIDR string `xml:"cidrIp"`
}

func (c *ec2Call) groupXML(g *securityGroup) groupXML {
	return groupXML{
		Owner: c.at.Account, ID: g.ID, Name: g.Name, Description: g.Description, VPC: g.VPC,
		Egress: items[egress]{{"-1", items[cidrIP]{{"0.0.0.0/0"}}}}, Tags: tagItems(g.Tags),
	}
}

func (c *ec2Call) createGroup() (any, error) {
	tags, err := c.creating(c.arn("security-group", "*"), "security-group")
	if err != nil {
		return nil, err
	}
	if err := c.required("GroupName", "GroupDescription"); err != nil {
		return nil, err
	}
	name, id := c.get("GroupName"), c.get("VpcId")
	if id == "" {
		v := c.at.defaultVPC()
		if v == nil {
			return nil, noDefaultVPC()
		}
		id = v.ID
	}
	if c.at.VPCs[id] == nil {
		return nil, notFound("InvalidVpcID.NotFound", "vpc ID")([]string{id})
	}
	if strings.HasPrefix(name, "sg-") {
		return nil, invalidValue("Invalid value '%s' for groupName. Group names may not be in the format sg-*.", name)
	}
	for _, g := range c.at.Groups {
		if g.VPC == id && g.Name == name {
			return nil, fault(http.StatusBadRequest, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, id)
		}
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	g := &securityGroup{ID: c.server.hexID("sg-", c.at.Account, id+"/"+name), VPC: id, Name: name, Description: c.get("GroupDescription"), Tags: tags}
	c.at.Groups[g.ID] = g
	return struct {
		done
		ID   string        `xml:"groupId"`
		ARN  string        `xml:"securityGroupArn"`
		Tags items[ec2Tag] `xml:"tagSet"`
	}{done{true}, g.ID, c.arn("security-group", g.ID), tagItems(tags)}, nil
}

func (c *ec2Call) describeGroups() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := wanted(c.at.Groups, c.list("GroupId", ""), notFound("InvalidGroup.NotFound", "security group"))
	if err != nil {
		return nil, err
	}
	if names := c.list("GroupName", ""); len(names) > 0 { // which are for the default VPC
		in := c.at.defaultVPC()
		if in == nil {
			return nil, noDefaultVPC()
		}
		list = slices.DeleteFunc(list, func(g *securityGroup) bool { return g.VPC != in.ID || !slices.Contains(names, g.Name) })
		if len(list) < len(names) {
			return nil, notFound("InvalidGroup.NotFound", "security group")(names)
		}
	}
	list, err = filtered(c, list, []string{"group-id", "group-name", "vpc-id", "description", "owner-id"}, func(g *securityGroup) attributes {
		return attributes{"group-id": {g.ID}, "group-name": {g.Name}, "vpc-id": {g.VPC}, "description": {g.Description}, "owner-id": {c.at.Account}}.tags(g.Tags)
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[groupXML]
	for _, g := range list {
		out = append(out, c.groupXML(g))
	}
	return struct {
		Groups items[groupXML] `xml:"securityGroupInfo"`
		Next   string          `xml:"nextToken,omitempty"`
	}{out, next}, err
}

func (c *ec2Call) deleteGroup() (any, error) {
	id := c.get("GroupId")
	g := c.at.Groups[id]
	if err := c.deleting("security-group", id, g != nil, func() []tag { return g.Tags }, notFound("InvalidGroup.NotFound", "security group")); err != nil {
		return nil, err
	}
	if g.Name == "default" {
		return nil, fault(http.StatusBadRequest, "CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", id)
	}
	for _, i := range c.at.Instances {
		if slices.Contains(i.Groups, id) && i.state(c.now) != stateTerminated {
			return nil, fault(http.StatusBadRequest, "DependencyViolation", "resource %s has a dependent object", id)
		}
	}
	delete(c.at.Groups, id)
	return struct {
		done
		ID string `xml:"groupId"`
	}{done{true}, id}, nil
}

var groupIDForm = regexp.MustCompile(`^sg-[0-9a-z]+$`)
