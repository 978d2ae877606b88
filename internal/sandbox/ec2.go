package sandbox

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// ec2World is EC2's part of the state, by "account/region".
type ec2World struct {
	Regions map[string]*ec2Region
}

// complete makes what an empty or older state file lacks.
func (w *ec2World) complete() {
	if w.Regions == nil {
		w.Regions = map[string]*ec2Region{}
	}
}

// ec2Region is what an account has in a region.
type ec2Region struct {
	Account, Region string
	Instances       map[string]*instance
	Associations    map[string]*association
	Launches        map[string]*launch // by client token
	Images          map[string]*image  // the account's own; Amazon's are built in
	VPCs            map[string]*vpc
	Subnets         map[string]*subnet
	Groups          map[string]*securityGroup
	Keys            map[string]*keyPair
}

// region finds an account's region and makes it at its first use.
func (w *ec2World) region(account, region string) *ec2Region {
	k := account + "/" + region
	if w.Regions[k] == nil {
		w.Regions[k] = &ec2Region{
			Account: account, Region: region, Instances: map[string]*instance{}, Associations: map[string]*association{},
			Launches: map[string]*launch{}, Images: map[string]*image{}, VPCs: map[string]*vpc{}, Subnets: map[string]*subnet{},
			Groups: map[string]*securityGroup{}, Keys: map[string]*keyPair{},
		}
	}
	return w.Regions[k]
}

// ec2Call is one EC2 call being handled.
type ec2Call struct {
	*call
	params
	at *ec2Region
}

// ec2Operations are EC2's calls: name -> parameters and how it is done.
type ec2Operations map[string]struct {
	params []string
	run    func(*ec2Call) (any, error)
}

// newEC2 is the EC2 service: the query protocol with lists of items, and
// errors of its own shape (EC2 API: Query-Requests, errors-overview).
func newEC2(*Server) *service {
	invalid := apiError{status: http.StatusUnauthorized, code: "AuthFailure", message: "AWS was not able to validate the provided access credentials"}
	v := &service{name: "ec2", fail: failEC2, refusals: refusals{
		unsigned: apiError{status: http.StatusForbidden, code: "MissingAuthenticationToken", message: "Missing Authentication Token"}, unknownKey: invalid, badToken: invalid,
		expired:   apiError{status: http.StatusBadRequest, code: "RequestExpired", message: "Request has expired."},
		throttled: apiError{status: http.StatusServiceUnavailable, code: "RequestLimitExceeded", message: "Request limit exceeded."},
		denied: func(d denial) *apiError {
			return fault(http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation. %s", d.text(d.resource))
		},
	}}
	all := ec2Operations{}
	for _, ops := range []ec2Operations{instanceOperations(), imageOperations(), networkOperations(), keyOperations(), associationOperations(), tagOperations(), attributeOperations(), typeOperations(), volumeOperations()} {
		maps.Copy(all, ops)
	}
	ops := operations{} // for find, which refuses what is not known
	for name, op := range all {
		ops[name] = operation{params: append([]string{"DryRun"}, op.params...)}
	}
	v.serves = sortedKeys(ops)
	v.describe = func(r *request) (string, string) {
		if first(r.form["Action"]) == "RunInstances" {
			return "RunInstances", launchNamed(r.form)
		}
		for _, p := range []string{"InstanceId", "InstanceId.1", "IamInstanceProfileAssociation.InstanceId", "AssociationId", "ResourceId.1", "KeyName", "GroupName", "SubnetId", "VpcId"} {
			if resource := first(r.form[p]); resource != "" {
				return first(r.form["Action"]), resource
			}
		}
		return first(r.form["Action"]), ""
	}
	v.handle = func(c *call) (*response, error) {
		if _, err := ops.find(c); err != nil {
			return nil, err
		}
		at := c.server.world.EC2.region(c.caller.Account, c.credential.region)
		result, err := all[c.operation].run(&ec2Call{c, c.form, at})
		if err != nil {
			return nil, err
		}
		return answerEC2(c, result)
	}
	return v
}

// seedEC2 adds the seed's network, images, keys and instances.
func (s *Server) seedEC2(d Seed) error {
	at := func(account, region string) (*ec2Region, error) {
		if !accountKey.MatchString(account) {
			return nil, fmt.Errorf("account %q is not 12 digits", account)
		}
		if !regionForm.MatchString(region) {
			return nil, fmt.Errorf("%q is no region", region)
		}
		return s.world.EC2.region(account, region), nil
	}
	add := func(kind, account, region, id string, add func(*ec2Region) error) error {
		return s.once(strings.Join([]string{kind, account, region, id}, "/"), func() error {
			r, err := at(account, region)
			if err != nil {
				return err
			}
			return add(r)
		})
	}
	for _, in := range d.Subnets {
		if err := add("subnet", in.Account, in.Region, in.ID, func(r *ec2Region) error { return s.seedSubnet(r, in.ID) }); err != nil {
			return err
		}
	}
	for _, in := range d.DefaultVPCs {
		if err := add("default-vpc", in.Account, in.Region, "", s.seedDefaultVPC); err != nil {
			return err
		}
	}
	for _, in := range d.SecurityGroups {
		if err := add("group", in.Account, in.Region, in.ID, func(r *ec2Region) error { return s.seedGroup(r, in.ID) }); err != nil {
			return err
		}
	}
	for _, in := range d.Keys {
		if err := add("key", in.Account, in.Region, in.Name, func(r *ec2Region) error { return s.seedKey(r, in.Name) }); err != nil {
			return err
		}
	}
	for _, in := range d.Images {
		if err := add("image", in.Account, in.Region, in.ID, func(r *ec2Region) error { return s.seedImage(r, in.ID) }); err != nil {
			return err
		}
	}
	for _, in := range d.Instances {
		if err := add("instance", in.Account, in.Region, in.ID, func(r *ec2Region) error { return s.seedInstance(r, in) }); err != nil {
			return err
		}
	}
	return nil
}

// answerEC2 writes a result's fields after the request id, without an element
// around them.
func answerEC2(c *call, result any) (*response, error) {
	var inner bytes.Buffer
	if err := xml.NewEncoder(&inner).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: "r"}}); err != nil {
		return nil, err
	}
	fields := strings.TrimSuffix(strings.TrimPrefix(inner.String(), "<r>"), "</r>")
	name := c.operation + "Response"
	text := fmt.Sprintf("<%s xmlns=%q><requestId>%s</requestId>%s</%s>", name, ec2Namespace, c.requestID, fields, name)
	return rawXML(http.StatusOK, c.requestID, []byte(text)), nil
}

func failEC2(c *call, e *apiError) *response {
	type one struct{ Code, Message string }
	return xmlResponse(e.status, c.requestID, struct {
		XMLName   xml.Name `xml:"Response"`
		Errors    []one    `xml:"Errors>Error"`
		RequestID string
	}{Errors: []one{{e.code, e.message}}, RequestID: c.requestID})
}

// done is the answer of calls that have nothing else to say.
type done struct {
	Return bool `xml:"return"`
}

// arn makes an ARN of EC2 in the caller's region and account.
func (c *ec2Call) arn(kind, id string) string {
	account := c.caller.Account
	if kind == "image" {
		account = ""
	}
	return c.server.arn("ec2", c.at.Region, account, kind+"/"+id)
}

// allow asks for an action on a resource ("*" for the Describe calls). AWS
// checks no parameter of a call that is not allowed.
func (c *ec2Call) allow(action, resource string, context map[string][]string) error {
	m := map[string][]string{"ec2:Region": {c.at.Region}}
	maps.Copy(m, context)
	return c.authorize(permission{action: "ec2:" + action, resource: resource, context: m})
}

// describing asks for the permission of a Describe call.
func (c *ec2Call) describing() error {
	if err := c.allow(c.operation, "*", nil); err != nil {
		return err
	}
	return c.dry()
}

// dry ends a call that was sent with DryRun, when it is known to be allowed.
func (c *ec2Call) dry() error {
	if c.get("DryRun") == "true" {
		return fault(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	return nil
}

// required refuses a call without one of its parameters.
func (c *ec2Call) required(names ...string) error {
	for _, n := range names {
		if c.get(n) == "" {
			return fault(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter %s", n)
		}
	}
	return nil
}

func invalidValue(format string, args ...any) error {
	return fault(http.StatusBadRequest, "InvalidParameterValue", format, args...)
}

// numbered are the numbers of name.1, name.2, … in order.
func (p params) numbered(name string) []int {
	var out []int
	for k := range p {
		rest, ok := strings.CutPrefix(k, name+".")
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); err == nil && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func ec2Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
