package sandbox

import (
	"net/http"
	"slices"
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

func tagOperations() ec2Operations {
	set := []string{"ResourceId.N", "Tag.N.Key", "Tag.N.Value"}
	return ec2Operations{
		"CreateTags":   {set, (*ec2Call).createTags},
		"DeleteTags":   {set, (*ec2Call).deleteTags},
		"DescribeTags": {filterParams, (*ec2Call).describeTags},
	}
}

// tagged is a resource that has tags.
type tagged struct {
	kind, id string
	tags     *[]tag
}

// tagged lists all of a region's resources with tags, in order.
func (r *ec2Region) tagged() []tagged {
	var out []tagged
	for _, v := range sorted(r.Instances) {
		out = append(out, tagged{"instance", v.ID, &v.Tags})
	}
	for _, v := range sorted(r.Images) {
		out = append(out, tagged{"image", v.ID, &v.Tags})
	}
	for _, v := range sorted(r.Keys) {
		out = append(out, tagged{"key-pair", v.ID, &v.Tags})
	}
	for _, v := range sorted(r.Groups) {
		out = append(out, tagged{"security-group", v.ID, &v.Tags})
	}
	for _, v := range sorted(r.Subnets) {
		out = append(out, tagged{"subnet", v.ID, &v.Tags})
	}
	for _, v := range sorted(r.VPCs) {
		out = append(out, tagged{"vpc", v.ID, &v.Tags})
	}
	return out
}

// tagTargets finds the resources that a call names, after asking for it on each.
func (c *ec2Call) tagTargets(context map[string][]string) ([]tagged, error) {
	ids := c.list("ResourceId", "")
	if len(ids) == 0 {
		return nil, fault(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter resourceIdSet")
	}
	all := c.at.tagged()
	var out []tagged
	for _, id := range ids {
		n := slices.IndexFunc(all, func(t tagged) bool { return t.id == id })
		if n < 0 {
			kind, _, _ := strings.Cut(id, "-")
			code := map[string]string{
				"i": "InvalidInstanceID.NotFound", "ami": "InvalidAMIID.NotFound", "subnet": "InvalidSubnetID.NotFound",
				"vpc": "InvalidVpcID.NotFound", "sg": "InvalidGroup.NotFound", "key": "InvalidKeyPair.NotFound",
			}[kind]
			if code == "" {
				return nil, fault(http.StatusBadRequest, "InvalidID", "The ID '%s' is not valid", id)
			}
			return nil, fault(http.StatusBadRequest, code, "The ID '%s' does not exist", id)
		}
		m := resourceTags(*all[n].tags)
		for k, v := range context {
			m[k] = v
		}
		if err := c.allow(c.operation, c.arn(all[n].kind, id), m); err != nil {
			return nil, err
		}
		out = append(out, all[n])
	}
	return out, c.dry()
}

func (c *ec2Call) createTags() (any, error) {
	tags := c.tagsAt("Tag")
	if err := checkEC2Tags(tags); err != nil {
		return nil, err
	}
	targets, err := c.tagTargets(requestTags(tags))
	if err != nil {
		return nil, err
	}
	for _, r := range targets {
		*r.tags = slices.Clone(*r.tags) // instances of one launch share theirs
		for _, t := range tags {
			if n := slices.IndexFunc(*r.tags, func(have tag) bool { return have.Key == t.Key }); n >= 0 {
				(*r.tags)[n] = t
			} else {
				*r.tags = append(*r.tags, t)
			}
		}
		slices.SortFunc(*r.tags, func(x, y tag) int { return strings.Compare(x.Key, y.Key) })
	}
	return done{true}, nil
}

// deleteTags removes by key, and only where the value is the same if one was
// sent; without any tag it removes all.
func (c *ec2Call) deleteTags() (any, error) {
	var keys []string
	for _, n := range c.tagsAt("Tag") {
		keys = append(keys, n.Key)
	}
	targets, err := c.tagTargets(map[string][]string{"aws:TagKeys": keys})
	if err != nil {
		return nil, err
	}
	numbers := c.numbered("Tag")
	for _, r := range targets {
		*r.tags = slices.DeleteFunc(slices.Clone(*r.tags), func(have tag) bool {
			return len(numbers) == 0 || slices.ContainsFunc(numbers, func(n int) bool {
				at := "Tag." + itoa(int64(n))
				return c.get(at+".Key") == have.Key && (!c.has(at+".Value") || c.get(at+".Value") == have.Value)
			})
		})
	}
	return done{true}, nil
}

func (c *ec2Call) describeTags() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	type one struct {
		ID    string `xml:"resourceId"`
		Kind  string `xml:"resourceType"`
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	var all []one
	for _, r := range c.at.tagged() {
		for _, t := range *r.tags {
			all = append(all, one{r.id, r.kind, t.Key, t.Value})
		}
	}
	list, err := filtered(c, all, []string{"key", "value", "resource-id", "resource-type"}, func(t one) attributes {
		return attributes{"key": {t.Key}, "value": {t.Value}, "resource-id": {t.ID}, "resource-type": {t.Kind}}.tags([]tag{{t.Key, t.Value}})
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	return struct {
		Tags items[one] `xml:"tagSet"`
		Next string     `xml:"nextToken,omitempty"`
	}{items[one](list), next}, err
}
