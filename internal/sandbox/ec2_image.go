package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// image is a machine image.
type image struct {
	ID, Name, Owner string
	Alias           string `json:",omitempty"` // of the owner: amazon
	Description     string `json:",omitempty"`
	Architecture    string
	Created         time.Time
	Deprecated      time.Time // from then on listed only if asked for; zero: never
	Tags            []tag     `json:",omitempty"`
}

// amazonImages is the account of Amazon's own Linux images.
const amazonImages = "137112412989"

// Amazon's images: name, day of creation, day of deprecation. Amazon Linux 2
// ended on 2026-06-30; those of Amazon Linux 2023 live here until its end.
var builtInImages = []struct{ name, created, deprecated string }{
	{"amzn2-ami-hvm-2.0.20250305.0-ARCH-gp2", "2025-03-05", "2026-06-30"},
	{"amzn2-ami-hvm-2.0.20251208.0-ARCH-gp2", "2025-12-08", "2026-06-30"},
	{"amzn2-ami-hvm-2.0.20260302.1-ARCH-gp2", "2026-03-02", "2026-06-30"},
	{"amzn2-ami-hvm-2.0.20260615.1-ARCH-gp2", "2026-06-15", "2026-06-30"},
	{"amzn2-ami-kernel-5.10-hvm-2.0.20260615.1-ARCH-gp2", "2026-06-15", "2026-06-30"},
	{"al2023-ami-2023.6.20250303.0-kernel-6.1-ARCH", "2025-03-03", "2029-06-30"},
	{"al2023-ami-2023.9.20251208.0-kernel-6.1-ARCH", "2025-12-08", "2029-06-30"},
	{"al2023-ami-2023.10.20260914.0-kernel-6.1-ARCH", "2026-09-14", "2029-06-30"},
	{"al2023-ami-minimal-2023.10.20260914.0-kernel-6.1-ARCH", "2026-09-14", "2029-06-30"},
	{"al2023-ami-ecs-hvm-2023.0.20260917-kernel-6.1-ARCH", "2026-09-17", "2029-06-30"},
}

func imageOperations() ec2Operations {
	return ec2Operations{
		"DescribeImages": {append([]string{"ImageId.N", "Owner.N", "IncludeDeprecated", "IncludeDisabled"}, filterParams...), (*ec2Call).describeImages},
	}
}

// images are all images that an account sees in a region, by id.
func (s *Server) images(r *ec2Region) map[string]*image {
	all := map[string]*image{}
	for _, b := range builtInImages {
		for _, arch := range []string{"x86_64", "arm64"} {
			name := strings.Replace(b.name, "ARCH", arch, 1)
			id := "ami-0" + fmt.Sprintf("%x", s.digest("image", r.Region, name))[:16]
			created, _ := time.Parse(time.DateOnly, b.created) // of the table above
			deprecated, _ := time.Parse(time.DateOnly, b.deprecated)
			all[id] = &image{ID: id, Name: name, Owner: amazonImages, Alias: "amazon", Architecture: arch, Created: created, Deprecated: deprecated}
		}
	}
	for id, i := range r.Images {
		all[id] = i
	}
	return all
}

func (s *Server) seedImage(r *ec2Region, id string) error {
	if r.Images[id] == nil {
		r.Images[id] = &image{ID: id, Name: "seeded-" + id, Owner: r.Account, Architecture: "x86_64", Created: s.now()}
	}
	return nil
}

type imageXML struct {
	ID             string        `xml:"imageId"`
	Location       string        `xml:"imageLocation"`
	State          string        `xml:"imageState"`
	Owner          string        `xml:"imageOwnerId"`
	Alias          string        `xml:"imageOwnerAlias,omitempty"`
	Created        string        `xml:"creationDate"`
	Public         bool          `xml:"isPublic"`
	Architecture   string        `xml:"architecture"`
	Type           string        `xml:"imageType"`
	Platform       string        `xml:"platformDetails"`
	Usage          string        `xml:"usageOperation"`
	RootType       string        `xml:"rootDeviceType"`
	RootName       string        `xml:"rootDeviceName"`
	Name           string        `xml:"name"`
	Description    string        `xml:"description,omitempty"`
	Virtualization string        `xml:"virtualizationType"`
	Hypervisor     string        `xml:"hypervisor"`
	ENA            bool          `xml:"enaSupport"`
	Deprecation    string        `xml:"deprecationTime,omitempty"`
	Tags           items[ec2Tag] `xml:"tagSet"`
}

var imageFilters = []string{
	"name", "state", "architecture", "owner-alias", "owner-id", "image-id", "image-type", "is-public", "virtualization-type",
	"root-device-type", "root-device-name", "hypervisor", "ena-support", "creation-date", "description", "platform-details",
}

var imageIDForm = regexp.MustCompile(`^ami-[0-9a-z]+$`)

// describeImages hides deprecated images of others unless asked for them (EC2
// API: DescribeImages, IncludeDeprecated).
func (c *ec2Call) describeImages() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	ids := c.list("ImageId", "")
	for _, id := range ids {
		if !imageIDForm.MatchString(id) {
			return nil, fault(http.StatusBadRequest, "InvalidAMIID.Malformed", "Invalid id: \"%s\" (expecting \"ami-...\")", id)
		}
	}
	list, err := wanted(c.server.images(c.at), ids, func(ids []string) error {
		return fault(http.StatusBadRequest, "InvalidAMIID.NotFound", "The image id '[%s]' does not exist", strings.Join(ids, ", "))
	})
	if err != nil {
		return nil, err
	}
	owners := c.list("Owner", "")
	for i, o := range owners {
		switch {
		case o == "self":
			owners[i] = c.caller.Account
		case o == "amazon" || accountKey.MatchString(o):
		case o == "aws-marketplace" || o == "aws-backup-vault":
		default:
			return nil, fault(http.StatusBadRequest, "InvalidUserID.Malformed", "Invalid user id: \"%s\"", o)
		}
	}
	list = slices.DeleteFunc(list, func(i *image) bool {
		hidden := !i.Deprecated.IsZero() && !c.now.Before(i.Deprecated) && i.Owner != c.caller.Account && c.get("IncludeDeprecated") != "true"
		return hidden || len(owners) > 0 && !slices.Contains(owners, i.Owner) && (i.Alias == "" || !slices.Contains(owners, i.Alias))
	})
	list, err = filtered(c, list, imageFilters, func(i *image) attributes {
		x := c.imageXML(i)
		a := attributes{
			"name": {x.Name}, "state": {x.State}, "architecture": {x.Architecture}, "owner-id": {x.Owner}, "image-id": {x.ID}, "image-type": {x.Type},
			"is-public": {fmt.Sprint(x.Public)}, "virtualization-type": {x.Virtualization}, "root-device-type": {x.RootType}, "root-device-name": {x.RootName},
			"hypervisor": {x.Hypervisor}, "ena-support": {fmt.Sprint(x.ENA)}, "creation-date": {x.Created}, "description": {x.Description}, "platform-details": {x.Platform},
		}
		if x.Alias != "" {
			a["owner-alias"] = []string{x.Alias}
		}
		return a.tags(i.Tags)
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[imageXML]
	for _, i := range list {
		out = append(out, c.imageXML(i))
	}
	return struct {
		Images items[imageXML] `xml:"imagesSet"`
		Next   string          `xml:"nextToken,omitempty"`
	}{out, next}, err
}

func (c *ec2Call) imageXML(i *image) imageXML {
	x := imageXML{
		ID: i.ID, Location: i.Owner + "/" + i.Name, State: "available", Owner: i.Owner, Alias: i.Alias, Created: ec2Time(i.Created),
		Public: i.Alias != "", Architecture: i.Architecture, Type: "machine", Platform: "Linux/UNIX", Usage: "RunInstances",
		RootType: "ebs", RootName: "/dev/xvda", Name: i.Name, Description: i.Description, Virtualization: "hvm", Hypervisor: "xen", ENA: true, Tags: tagItems(i.Tags),
	}
	if i.Alias != "" {
		x.Location = i.Alias + "/" + i.Name
	}
	if !i.Deprecated.IsZero() {
		x.Deprecation = ec2Time(i.Deprecated)
	}
	return x
}

// image finds an image to launch. One that is deprecated can still be launched
// by its id (EC2: ami-deprecate).
func (c *ec2Call) image(id string) (*image, error) {
	if !imageIDForm.MatchString(id) {
		return nil, fault(http.StatusBadRequest, "InvalidAMIID.Malformed", "Invalid id: \"%s\" (expecting \"ami-...\")", id)
	}
	i := c.server.images(c.at)[id]
	if i == nil {
		return nil, fault(http.StatusBadRequest, "InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	return i, nil
}
