package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// rootDevice is the name of an instance's root device.
const rootDevice = "/dev/xvda"

func volumeOperations() ec2Operations {
	return ec2Operations{"DescribeVolumes": {append([]string{"VolumeId.N"}, filterParams...), (*ec2Call).describeVolumes}}
}

// volume is an instance's root volume, the only one that it has. It follows
// from the instance: it comes and goes with it.
type volume struct {
	id       string
	instance *instance
	snapshot string
	modern   bool // gp3
}

// volume is an instance's root volume; nil: it went with the instance.
func (s *Server) volume(r *ec2Region, i *instance) *volume {
	if i.Order == stateTerminated {
		return nil
	}
	id := func(kind, of string) string {
		return kind + fmt.Sprintf("%x", s.digest(kind, r.Account, r.Region, of))[:17]
	}
	image := s.images(r)[i.Image]
	return &volume{id("vol-", i.ID), i, id("snap-", i.Image), image != nil && strings.HasPrefix(image.Name, "al2023-")}
}

type attachmentXML struct {
	Volume   string `xml:"volumeId"`
	Instance string `xml:"instanceId,omitempty"`
	Device   string `xml:"device,omitempty"`
	Status   string `xml:"status"`
	Time     string `xml:"attachTime"`
	Delete   bool   `xml:"deleteOnTermination"`
}

// deviceXML is a volume in its instance's description.
type deviceXML struct {
	Device string        `xml:"deviceName"`
	EBS    attachmentXML `xml:"ebs"`
}

func (c *ec2Call) devices(i *instance) items[deviceXML] {
	v := c.server.volume(c.at, i)
	if v == nil {
		return nil
	}
	return items[deviceXML]{{rootDevice, attachmentXML{Volume: v.id, Status: "attached", Time: ec2Time(i.Launched), Delete: true}}}
}

type volumeXML struct {
	ID          string               `xml:"volumeId"`
	Size        int                  `xml:"size"`
	Snapshot    string               `xml:"snapshotId"`
	Zone        string               `xml:"availabilityZone"`
	Status      string               `xml:"status"`
	Created     string               `xml:"createTime"`
	Attachments items[attachmentXML] `xml:"attachmentSet"`
	Tags        items[ec2Tag]        `xml:"tagSet"`
	Type        string               `xml:"volumeType"`
	IOPS        int                  `xml:"iops"`
	Throughput  int                  `xml:"throughput,omitempty"`
	Encrypted   bool                 `xml:"encrypted"`
	Multi       bool                 `xml:"multiAttachEnabled"`
}

func (c *ec2Call) describeVolumes() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	all := map[string]*volume{}
	for _, i := range c.at.Instances {
		if v := c.server.volume(c.at, i); v != nil {
			all[v.id] = v
		}
	}
	list, err := wanted(all, c.list("VolumeId", ""), notFound("InvalidVolume.NotFound", "volume"))
	if err != nil {
		return nil, err
	}
	list, err = filtered(c, list, []string{"volume-id", "attachment.instance-id", "attachment.device", "availability-zone", "status"}, func(v *volume) attributes {
		return attributes{
			"volume-id": {v.id}, "attachment.instance-id": {v.instance.ID}, "attachment.device": {rootDevice}, "availability-zone": {v.instance.Zone}, "status": {"in-use"},
		}.tags(v.instance.VolumeTags)
	})
	if err != nil {
		return nil, err
	}
	list, next, err := paged(c, list)
	var out items[volumeXML]
	for _, v := range list {
		i := v.instance
		at := i.Launched.Truncate(time.Millisecond)
		x := volumeXML{
			ID: v.id, Size: 8, Snapshot: v.snapshot, Zone: i.Zone, Status: "in-use", Created: ec2Time(at), Type: "gp2", IOPS: 100, Tags: tagItems(i.VolumeTags),
			Attachments: items[attachmentXML]{{v.id, i.ID, rootDevice, "attached", ec2Time(at), true}},
		}
		if v.modern {
			x.Type, x.IOPS, x.Throughput = "gp3", 3000, 125
		}
		out = append(out, x)
	}
	return struct {
		Volumes items[volumeXML] `xml:"volumeSet"`
		Next    string           `xml:"nextToken,omitempty"`
	}{out, next}, err
}
