package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// taggingTarget is how X-Amz-Target begins for the Resource Groups Tagging API.
const taggingTarget = "ResourceGroupsTaggingAPI_20170126."

// newTagging is the Resource Groups Tagging API: what is tagged in the
// caller's account and the call's region (its API reference, GetResources).
func newTagging(*Server) *service {
	v := &service{name: "tagging", serves: []string{"GetResources"}, anonymous: true, fail: failJSON11, refusals: jsonRefusals()}
	// Its own code, where most services of the protocol have ThrottlingException.
	v.throttled.code = "ThrottledException"
	// The API has no resources that a policy could name.
	v.denied = func(d denial) *apiError {
		text := strings.Replace(d.text(d.resource), " on resource: "+d.resource, "", 1)
		return fault(http.StatusBadRequest, "AccessDeniedException", "%s", text)
	}
	v.describe = func(r *request) (string, string) { return target(r), "*" }
	v.handle = func(c *call) (*response, error) {
		if c.operation != "GetResources" {
			return nil, notImplemented("the operation %s of tagging", c.Header.Get("X-Amz-Target"))
		}
		var in getResourcesInput
		if err := c.readJSON(&in); err != nil {
			return nil, err
		}
		if c.credential.key == "" {
			return nil, refusal(v.unsigned)
		}
		out, err := getResources(c, in)
		if err != nil {
			return nil, err
		}
		return answerJSON11(c, out)
	}
	return v
}

type getResourcesInput struct {
	PaginationToken     string
	ResourcesPerPage    *int
	ResourceTypeFilters []string
	TagFilters          []tagFilter
}

// tagFilter wants a tag with the key and, if there are values, one of them.
type tagFilter struct {
	Key    string
	Values []string
}

// taggedResource is a resource with its tags, as GetResources lists it.
type taggedResource struct {
	ARN  string `json:"ResourceARN"`
	Tags []tag
	kind string // as in ResourceTypeFilters: "ec2:instance"
}

type getResourcesOutput struct {
	PaginationToken        string // "" at the end
	ResourceTagMappingList []taggedResource
}

// getResources lists a page, sorted by ARN. Only what has tags is in it.
func getResources(c *call, in getResourcesInput) (*getResourcesOutput, error) {
	if err := c.authorize(permission{action: "tag:GetResources", resource: "*"}); err != nil {
		return nil, err
	}
	most := 50
	if in.ResourcesPerPage != nil {
		if most = *in.ResourcesPerPage; most < 1 || most > 100 {
			return nil, invalidParameter("ResourcesPerPage must be between 1 and 100")
		}
	}
	if err := checkTypeFilters(in.ResourceTypeFilters); err != nil {
		return nil, err
	}
	if err := checkTagFilters(in.TagFilters); err != nil {
		return nil, err
	}
	after, err := c.readPlace(in)
	if err != nil {
		return nil, err
	}
	out := &getResourcesOutput{ResourceTagMappingList: []taggedResource{}}
	for _, r := range c.tagged() {
		if r.ARN <= after || len(r.Tags) == 0 || !ofType(r.kind, in.ResourceTypeFilters) || !hasTags(r.Tags, in.TagFilters) {
			continue
		}
		if n := len(out.ResourceTagMappingList); n == most {
			out.PaginationToken, err = c.place(in, out.ResourceTagMappingList[n-1].ARN)
			break
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, r)
	}
	return out, err
}

func invalidParameter(message string) error {
	return fault(http.StatusBadRequest, "InvalidParameterException", "%s", message)
}

// taggingTypes are the resource types that can be asked for. iam:role is there
// as in AWS: it is taken, and nothing is found.
var taggingTypes = []string{
	"ec2:image", "ec2:instance", "ec2:key-pair", "ec2:security-group", "ec2:subnet", "ec2:volume", "ec2:vpc",
	"iam:instance-profile", "iam:policy", "iam:role", "s3:bucket",
}

// checkTypeFilters refuses types by name that the sandbox knows nothing of: it
// could not tell those that AWS lists from those that it refuses.
func checkTypeFilters(filters []string) error {
	if len(filters) > 100 {
		return invalidParameter("At most 100 ResourceTypeFilters can be sent")
	}
	for _, f := range filters {
		if !slices.ContainsFunc(taggingTypes, func(kind string) bool { return ofType(kind, []string{f}) }) {
			return notImplemented("the resource type %q in ResourceTypeFilters of GetResources", f)
		}
	}
	return nil
}

// ofType tells whether a type is asked for, by itself or by its service.
func ofType(kind string, filters []string) bool {
	service, _, _ := strings.Cut(kind, ":")
	return len(filters) == 0 || slices.Contains(filters, kind) || slices.Contains(filters, service)
}

func checkTagFilters(filters []tagFilter) error {
	if len(filters) > 50 {
		return invalidParameter("At most 50 TagFilters can be sent")
	}
	for _, f := range filters {
		switch {
		case f.Key == "" || len([]rune(f.Key)) > 128:
			return invalidParameter("The key of a tag filter must have 1 to 128 characters")
		case len(f.Values) > 20:
			return invalidParameter("A tag filter can have at most 20 values")
		}
	}
	return nil
}

// hasTags tells whether tags meet all filters.
func hasTags(tags []tag, filters []tagFilter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(tags, func(t tag) bool {
			return t.Key == f.Key && (len(f.Values) == 0 || slices.Contains(f.Values, t.Value))
		}) {
			return false
		}
	}
	return true
}

// taggingPlace is what a pagination token holds: how far the list was read, by
// which request, and when.
type taggingPlace struct {
	After, Filters string
	Made           time.Time
}

// tokenLife is how long a pagination token lives (GetResources, PaginationTokenExpiredException).
const tokenLife = 15 * time.Minute

// filtersOf identifies the filters of a request; a token is good for them only.
func (c *call) filtersOf(in getResourcesInput) string {
	return fmt.Sprintf("%x", c.server.digest("tagging", c.caller.Account, c.credential.region, fmt.Sprintf("%q", in.ResourceTypeFilters), fmt.Sprintf("%q", in.TagFilters)))[:16]
}

func (c *call) place(in getResourcesInput, after string) (string, error) {
	text, err := json.Marshal(taggingPlace{after, c.filtersOf(in), c.now})
	return base64.URLEncoding.EncodeToString(text), err
}

func (c *call) readPlace(in getResourcesInput) (after string, err error) {
	if in.PaginationToken == "" {
		return "", nil
	}
	var p taggingPlace
	text, err := base64.URLEncoding.DecodeString(in.PaginationToken)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Filters != c.filtersOf(in) {
		return "", invalidParameter("The PaginationToken is not valid for this request")
	}
	if c.now.Sub(p.Made) > tokenLife {
		return "", fault(http.StatusBadRequest, "PaginationTokenExpiredException", "The PaginationToken is more than 15 minutes old: start again without one")
	}
	return p.After, nil
}

// tagged are the resources that the call's account has in the call's region,
// sorted by ARN. IAM's are in the partition's first region, without roles.
func (c *call) tagged() []taggedResource {
	s, account, region := c.server, c.caller.Account, c.credential.region
	var list []taggedResource
	add := func(kind, arn string, tags []tag) {
		list = append(list, taggedResource{ARN: arn, Tags: tags, kind: kind})
	}
	for name, b := range s.world.S3.Buckets {
		if b.Account == account && b.Region == region {
			add("s3:bucket", s.bucketARN(name, ""), b.Tags)
		}
	}
	if region == globalRegion[s.options.Partition] {
		a := s.world.account(s, account)
		for _, v := range a.Policies {
			add("iam:policy", v.ARN, v.Tags)
		}
		for _, v := range a.Profiles {
			add("iam:instance-profile", v.ARN, v.Tags)
		}
	}
	if r := s.world.EC2.Regions[account+"/"+region]; r != nil {
		for _, v := range s.tagged(r) {
			owner := account
			switch {
			case v.kind == "image": // its ARN has no account
				owner = ""
			case v.kind == "instance" && r.Instances[v.id].gone(c.now):
				continue
			}
			add("ec2:"+v.kind, s.arn("ec2", region, owner, v.kind+"/"+v.id), *v.tags)
		}
	}
	slices.SortFunc(list, func(a, b taggedResource) int { return strings.Compare(a.ARN, b.ARN) })
	return list
}

// globalRegion is the region where a partition lists what has none.
var globalRegion = map[string]string{"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
