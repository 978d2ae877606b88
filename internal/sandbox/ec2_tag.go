package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// resourceTags are the condition keys of a resource's own tags.
func resourceTags(tags []tag) map[string][]string {
	m := map[string][]string{}
	for _, t := range tags {
		m["aws:ResourceTag/"+t.Key] = []string{t.Value}
		m["ec2:ResourceTag/"+t.Key] = []string{t.Value}
	}
	return m
}

// requestTags are the condition keys of tags that a request sets.
func requestTags(tags []tag) map[string][]string {
	m := map[string][]string{}
	for _, t := range tags {
		m["aws:RequestTag/"+t.Key] = []string{t.Value}
		m["aws:TagKeys"] = append(m["aws:TagKeys"], t.Key)
	}
	return m
}

// ec2Tag is a tag in EC2's XML.
type ec2Tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func tagItems(tags []tag) items[ec2Tag] {
	var out items[ec2Tag]
	for _, t := range tags {
		out = append(out, ec2Tag(t))
	}
	return out
}

// tagsAt are the tags name.1.Key and name.1.Value, ….
func (p params) tagsAt(name string) []tag {
	var out []tag
	for _, n := range p.numbered(name) {
		at := name + "." + strconv.Itoa(n)
		out = append(out, tag{p.get(at + ".Key"), p.get(at + ".Value")})
	}
	return out
}

// specified are the tags for a kind of resource that come with its creation.
// Tags for other kinds than those are refused by name.
func (c *ec2Call) specified(kinds ...string) (map[string][]tag, error) {
	out := map[string][]tag{}
	for _, n := range c.numbered("TagSpecification") {
		at := "TagSpecification." + strconv.Itoa(n)
		kind := c.get(at + ".ResourceType")
		if !slices.Contains(kinds, kind) {
			return nil, notImplemented("tags for %q in %s", kind, c.operation)
		}
		out[kind] = append(out[kind], c.tagsAt(at+".Tag")...)
		if err := checkEC2Tags(out[kind]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// specification are the parameters that specified reads.
var specification = []string{"TagSpecification.N.ResourceType", "TagSpecification.N.Tag.N.Key", "TagSpecification.N.Tag.N.Value"}

// checkEC2Tags refuses what EC2 refuses in tags (EC2: Using_Tags, restrictions).
func checkEC2Tags(tags []tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 127:
			return invalidValue("Tag key cannot be empty, and its length must be at most 127: '%s'", t.Key)
		case len([]rune(t.Value)) > 255:
			return invalidValue("Tag value exceeds the maximum length of 255 characters")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalidValue("Tag keys starting with 'aws:' are reserved for internal use")
		case seen[t.Key]:
			return invalidValue("Duplicate tag key '%s' specified.", t.Key)
		}
		seen[t.Key] = true
	}
	if len(tags) > 50 {
		return fault(http.StatusBadRequest, "TagLimitExceeded", "More than 50 tags specified")
	}
	return nil
}

// creating asks for creating a resource with tags, which needs ec2:CreateTags
// as well (EC2: supported-iam-actions-tagging).
func (c *ec2Call) creating(arn, kind string) ([]tag, error) {
	tags, err := c.specified(kind)
	if err != nil {
		return nil, err
	}
	if err := c.allow(c.operation, arn, requestTags(tags[kind])); err != nil {
		return nil, err
	}
	return tags[kind], c.allowTags(arn, tags[kind])
}

func (c *ec2Call) allowTags(arn string, tags []tag) error {
	if len(tags) == 0 {
		return nil
	}
	m := requestTags(tags)
	m["ec2:CreateAction"] = []string{c.operation}
	return c.allow("CreateTags", arn, m)
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
func (s *Server) tagged(r *ec2Region) []tagged {
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
	for _, v := range sorted(r.Instances) {
		if root := s.volume(r, v); root != nil {
			out = append(out, tagged{"volume", root.id, &v.VolumeTags})
		}
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
	all := c.server.tagged(c.at)
	var out []tagged
	for _, id := range ids {
		n := slices.IndexFunc(all, func(t tagged) bool { return t.id == id })
		if n < 0 {
			kind, _, _ := strings.Cut(id, "-")
			code := map[string]string{
				"i": "InvalidInstanceID.NotFound", "ami": "InvalidAMIID.NotFound", "subnet": "InvalidSubnetID.NotFound",
				"vpc": "InvalidVpcID.NotFound", "sg": "InvalidGroup.NotFound", "key": "InvalidKeyPair.NotFound", "vol": "InvalidVolume.NotFound",
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
	for _, r := range c.server.tagged(c.at) {
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
