package specs

import (
	"bytes"
	"io"

	"gopkg.in/yaml.v3"
)

// The documents as Write writes them: fields in the order of the reference, and
// lists of words on one line.
type (
	writtenShare struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   writtenMetadata
		Spec       writtenSpec
	}
	writtenMetadata struct {
		Name        string
		Owner       string `yaml:",omitempty"`
		Description string `yaml:",omitempty"`
	}
	writtenSpec struct {
		Bucket    writtenBucket
		Consumers []writtenConsumer
	}
	writtenBucket struct {
		Name    string
		Account string
		Region  string `yaml:",omitempty"`
		Create  bool   `yaml:",omitempty"`
	}
	writtenConsumer struct {
		Account    string
		Role       writtenRole
		Access     []Access          `yaml:",flow,omitempty"`
		Actions    []string          `yaml:",omitempty"`
		Prefixes   []string          `yaml:",omitempty"`
		PolicyName string            `yaml:"policyName,omitempty"`
		Instances  []writtenInstance `yaml:",omitempty"`
	}
	writtenRole struct {
		Name                string
		Create              bool   `yaml:",omitempty"`
		Trust               string `yaml:",omitempty"`
		TrustPolicy         string `yaml:"trustPolicy,omitempty"`
		InstanceProfile     any    `yaml:"instanceProfile,omitempty"` // a name, true or false
		PermissionsBoundary string `yaml:"permissionsBoundary,omitempty"`
	}
	writtenInstance struct {
		Name           string   `yaml:",omitempty"`
		ID             string   `yaml:",omitempty"`
		Image          string   `yaml:",omitempty"`
		Type           string   `yaml:",omitempty"`
		Region         string   `yaml:",omitempty"`
		Subnet         string   `yaml:",omitempty"`
		SecurityGroups []string `yaml:"securityGroups,flow,omitempty"`
		KeyName        string   `yaml:"keyName,omitempty"`
	}
)

// Write writes shares as the documents of one file, which Load reads as the same
// shares where its repository has the same accounts. What is the default is left
// out, and so is what Load would refuse: the trust and the boundary of a role
// that is not to be created. The file of a trust policy is named and not written.
func Write(w io.Writer, shares []*Share) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	for _, share := range shares {
		if err := e.Encode(written(share)); err != nil {
			return err
		}
	}
	if len(shares) == 0 {
		return nil // Close would fail
	}
	return e.Close()
}

// Check reports what Load would say of shares that are written down as the only
// ones of a repository.
func Check(repo *Repository, shares []*Share) ([]Problem, error) {
	var text bytes.Buffer
	if err := Write(&text, shares); err != nil {
		return nil, err
	}
	l := &loader{sink: newSink(), repo: repo, policies: map[string]policyFile{}}
	for _, share := range shares {
		for _, c := range share.Consumers {
			l.policies[c.Role.TrustFile] = policyFile{c.Role.TrustPolicy}
		}
	}
	l.know()
	l.shares(func(visit func(decoded)) {
		d := decoded{sink: newSink()}
		d.text("the shares", text.Bytes())
		visit(d)
	})
	return l.sorted(), nil
}

func written(share *Share) writtenShare {
	b := share.Bucket
	spec := writtenSpec{Bucket: writtenBucket{Name: b.Name, Account: b.Account.Alias, Region: b.Region, Create: b.Create}}
	if b.Create && b.Region == b.Account.Region {
		spec.Bucket.Region = ""
	}
	for _, c := range share.Consumers {
		consumer := writtenConsumer{
			Account: c.Account.Alias, Role: writtenRoleOf(c.Role, Partition(c.Account.Region) == partitionChina),
			Access: c.Access, Actions: c.Actions, Prefixes: c.Prefixes, PolicyName: c.PolicyName,
		}
		for _, in := range c.Instances {
			consumer.Instances = append(consumer.Instances, writtenInstanceOf(in, c.Account.Region))
		}
		spec.Consumers = append(spec.Consumers, consumer)
	}
	return writtenShare{APIVersion, "Share", writtenMetadata{share.Name, share.Owner, share.Description}, spec}
}

func writtenRoleOf(role Role, china bool) writtenRole {
	w := writtenRole{Name: role.Path[1:] + role.Name, Create: role.Create}
	if role.Create {
		w.Trust, w.TrustPolicy, w.PermissionsBoundary = role.TrustService, role.TrustFile, role.PermissionsBoundary
		for _, word := range trustWords {
			if servicePrincipal(word, china) == role.TrustService {
				w.Trust = word
			}
		}
	}
	profiled := role.Create && isEC2(role.TrustService) // by default
	switch {
	case role.InstanceProfile == "" && profiled:
		w.InstanceProfile = false
	case role.InstanceProfile == "", role.InstanceProfile == role.Name && profiled:
	case role.InstanceProfile == role.Name:
		w.InstanceProfile = true
	default:
		w.InstanceProfile = role.InstanceProfile
	}
	return w
}

func writtenInstanceOf(in Instance, region string) writtenInstance {
	w := writtenInstance{Name: in.Name, ID: in.ID, Image: in.Image, Type: in.Type, Subnet: in.Subnet, SecurityGroups: in.SecurityGroups, KeyName: in.KeyName}
	if in.Region != region {
		w.Region = in.Region
	}
	if in.Image == defaultImage {
		w.Image = ""
	}
	if in.Type == defaultType {
		w.Type = ""
	}
	return w
}
