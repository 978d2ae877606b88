package specs

import (
	"regexp"
	"slices"
	"strings"
)

// The images that have a name, and the defaults of an instance to launch.
const (
	imageAL2023  = "amazon-linux-2023"
	imageAL2     = "amazon-linux-2"
	defaultImage = imageAL2023
	defaultType  = "t3.micro"
)

var (
	typeForm     = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
	instanceForm = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	imageForm    = regexp.MustCompile(`^ami-[0-9a-f]{4,17}$`)
	subnetForm   = regexp.MustCompile(`^subnet-[0-9a-f]{4,17}$`)
	groupForm    = regexp.MustCompile(`^sg-[0-9a-f]{4,17}$`)
)

// id is the rule for ids of the form.
func id(form *regexp.Regexp, example string) rule {
	return func(v string) (string, string) {
		if !form.MatchString(v) {
			return "is no id of that kind", "write one such as " + example
		}
		return "", ""
	}
}

func (l *loader) instances(c *Consumer, raw *rawConsumer) {
	seen := map[string]Pos{}
	for i := range raw.instances.items {
		item := &raw.instances.items[i]
		instance := l.instance(c, &item.value, item.pos)
		c.Instances = append(c.Instances, instance)
		key := instance.Region + "/" + instance.Name + "/" + instance.ID
		if first, again := seen[key]; again && instance.Name+instance.ID != "" {
			l.fail(codeDuplicate, item.pos, "take one of the two out", "instance %s stands here twice, first at %s", quote(instance.Name+instance.ID), first)
		}
		seen[key] = item.pos
	}
}

func (l *loader) instance(c *Consumer, raw *rawInstance, pos Pos) Instance {
	in := Instance{Name: raw.name.value, ID: raw.id.value, Pos: pos}
	if c.Account != nil {
		in.Region = c.Account.Region
	}
	if raw.region.stated() {
		in.Region = l.region(raw.region, l.partition())
	}
	switch {
	case raw.id.stated():
		l.check(raw.id, "the instance id", codeInstanceID, id(instanceForm, "i-0123456789abcdef0"))
		for _, f := range []struct {
			name string
			pos  Pos
		}{
			{"name", raw.name.pos},
			{"image", raw.image.pos},
			{"type", raw.kind.pos},
			{"subnet", raw.subnet.pos},
			{"securityGroups", raw.securityGroups.pos},
			{"keyName", raw.keyName.pos},
		} {
			if f.pos.Line > 0 {
				l.fail(codeInstance, f.pos, "take "+f.name+" out, or id to launch a new one", "an instance given by id exists, so it takes no %s", f.name)
			}
		}
		return in
	case !raw.name.stated():
		l.fail(codeInstance, pos, "add name to launch one, or id to use one that exists", "the instance has neither name nor id")
	}
	l.check(raw.name, "the instance name", codeName, name)
	in.Image = l.image(raw.image)
	in.Type = defaultType
	if raw.kind.stated() {
		in.Type = raw.kind.value
		l.check(raw.kind, "the instance type", codeInstance, instanceType)
	}
	l.check(raw.subnet, "subnet", codeInstanceID, id(subnetForm, "subnet-0123456789abcdef0"))
	in.Subnet = raw.subnet.value
	seen := map[string]Pos{}
	for _, g := range raw.securityGroups.items {
		if l.check(g, "the security group", codeInstanceID, id(groupForm, "sg-0123456789abcdef0")) && l.once(seen, g, "the security group") {
			in.SecurityGroups = append(in.SecurityGroups, g.value)
		}
	}
	slices.Sort(in.SecurityGroups)
	l.check(raw.keyName, "keyName", codeInstance, keyName)
	in.KeyName = raw.keyName.value
	return in
}

func (l *loader) image(t text) string {
	switch {
	case !t.stated():
		return defaultImage
	case !t.ok(), t.value == imageAL2023:
	case t.value == imageAL2:
		l.warn(codeEndOfSupport, t.pos, "write "+imageAL2023, "support of %s ended on 2026-06-30", imageAL2)
	case !imageForm.MatchString(t.value):
		l.fail(codeInstanceID, t.pos, suggest(t.value, []string{imageAL2023, imageAL2}, "write an id such as ami-0123456789abcdef0, or one of "), "image %s is not known", quote(t.value))
	}
	return t.value
}

func instanceType(v string) (string, string) {
	if !typeForm.MatchString(v) {
		return "is no instance type", "write one such as " + defaultType
	}
	return "", ""
}

// keyName is EC2's rule, see
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html.
func keyName(v string) (string, string) {
	switch {
	case strings.HasSuffix(v, ".pem"):
		return "is a file name", "write the key pair's name in EC2"
	case len(v) > 255 || strings.ContainsFunc(v, func(c rune) bool { return c > '~' }):
		return "is not 1 to 255 ASCII characters", "write the key pair's name in EC2"
	}
	return "", ""
}
