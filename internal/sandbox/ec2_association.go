package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// association is an instance profile on an instance.
type association struct {
	ID, Instance       string
	Profile, ProfileID string // ARN and unique id
	Since              time.Time
}

func associationOperations() ec2Operations {
	return ec2Operations{
		"AssociateIamInstanceProfile": {[]string{"InstanceId", "IamInstanceProfile.Name", "IamInstanceProfile.Arn"}, (*ec2Call).associateProfile},
		"ReplaceIamInstanceProfileAssociation": {
			[]string{"AssociationId", "IamInstanceProfile.Name", "IamInstanceProfile.Arn"}, (*ec2Call).replaceProfile,
		},
		"DisassociateIamInstanceProfile":         {[]string{"AssociationId"}, (*ec2Call).disassociateProfile},
		"DescribeIamInstanceProfileAssociations": {append([]string{"AssociationId.N"}, filterParams...), (*ec2Call).describeAssociations},
	}
}

// associate puts a profile on an instance that has none.
func (s *Server) associate(r *ec2Region, instance string, p *profile, now time.Time) *association {
	a := &association{ID: s.hexID("iip-assoc-", r.Account, instance), Instance: instance, Profile: p.ARN, ProfileID: p.ID, Since: now}
	r.Associations[a.ID] = a
	return a
}

// associationOf is an instance's; nil: it has no profile.
func (r *ec2Region) associationOf(instance string) *association {
	for _, a := range r.Associations {
		if a.Instance == instance {
			return a
		}
	}
	return nil
}

type associationXML struct {
	ID       string     `xml:"associationId"`
	Instance string     `xml:"instanceId"`
	Profile  profileRef `xml:"iamInstanceProfile"`
	State    string     `xml:"state"`
	Since    string     `xml:"timestamp,omitempty"`
}

func (a *association) xml(state string) associationXML {
	return associationXML{a.ID, a.Instance, profileRef{a.Profile, a.ProfileID}, state, ec2Time(a.Since)}
}

type oneAssociation struct {
	Association associationXML `xml:"iamInstanceProfileAssociation"`
}

func (c *ec2Call) associateProfile() (any, error) {
	if err := c.required("InstanceId"); err != nil {
		return nil, err
	}
	id := c.get("InstanceId")
	i := c.at.Instances[id]
	var context map[string][]string
	if i != nil {
		context = c.instanceKeys(i)
	}
	if err := c.allow("AssociateIamInstanceProfile", c.arn("instance", id), context); err != nil {
		return nil, err
	}
	switch {
	case !instanceIDForm.MatchString(id):
		return nil, fault(http.StatusBadRequest, "InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
	case i == nil || i.gone(c.now):
		return nil, notFound("InvalidInstanceID.NotFound", "instance ID")([]string{id})
	}
	p, err := c.passedProfile()
	if err != nil {
		return nil, err
	}
	if c.at.associationOf(id) != nil {
		return nil, fault(http.StatusBadRequest, "IncorrectState", "There is an existing association for instance %s", id)
	}
	if s := i.state(c.now); s != stateRunning && s != stateStopped {
		return nil, fault(http.StatusBadRequest, "IncorrectInstanceState", "The instance '%s' is not in the 'running' or 'stopped' states.", id)
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	return oneAssociation{c.server.associate(c.at, id, p, c.now).xml("associating")}, nil
}

// passedProfile is the profile that must be named.
func (c *ec2Call) passedProfile() (*profile, error) {
	p, err := c.launchProfile()
	if p == nil && err == nil {
		err = fault(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter IamInstanceProfile")
	}
	return p, err
}

// association finds the one that a call names after asking for the action on
// its instance.
func (c *ec2Call) association() (*association, error) {
	if err := c.required("AssociationId"); err != nil {
		return nil, err
	}
	a := c.at.Associations[c.get("AssociationId")]
	if a == nil {
		if err := c.allow(c.operation, c.arn("instance", "*"), nil); err != nil {
			return nil, err
		}
		return nil, fault(http.StatusBadRequest, "NoSuchAssociation", "An invalid association-id of '%s' was given", c.get("AssociationId"))
	}
	return a, c.allow(c.operation, c.arn("instance", a.Instance), c.instanceKeys(c.at.Instances[a.Instance]))
}

func (c *ec2Call) replaceProfile() (any, error) {
	old, err := c.association()
	if err != nil {
		return nil, err
	}
	p, err := c.passedProfile()
	if err != nil {
		return nil, err
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	delete(c.at.Associations, old.ID)
	return oneAssociation{c.server.associate(c.at, old.Instance, p, c.now).xml("associating")}, nil
}

func (c *ec2Call) disassociateProfile() (any, error) {
	a, err := c.association()
	if err != nil {
		return nil, err
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	delete(c.at.Associations, a.ID)
	return oneAssociation{a.xml("disassociating")}, nil
}

func (c *ec2Call) describeAssociations() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := wanted(c.at.Associations, c.list("AssociationId", ""), func(ids []string) error {
		return fault(http.StatusBadRequest, "NoSuchAssociation", "An invalid association-id of '%s' was given", strings.Join(ids, ", "))
	})
	if err != nil {
		return nil, err
	}
	list, err = filtered(c, list, []string{"instance-id", "state"}, func(a *association) attributes {
		return attributes{"instance-id": {a.Instance}, "state": {"associated"}}
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[associationXML]
	for _, a := range list {
		out = append(out, a.xml("associated"))
	}
	return struct {
		Associations items[associationXML] `xml:"iamInstanceProfileAssociationSet"`
		Next         string                `xml:"nextToken,omitempty"`
	}{out, next}, err
}
