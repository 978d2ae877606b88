// Package seed says what an embedded AWS has to hold from the start, so that a
// repository can be run on it.
package seed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// Of lists what xshare does not make itself: the roles that it assumes, with
// exactly the permissions that it documents, and all that shares name without
// `create: true`, the lock's bucket among them.
func Of(repo *specs.Repository) sandbox.Seed {
	s := &seeder{partition: specs.Partition(cmp.Or(repo.Region, "us-east-1"))}
	for _, account := range repo.Accounts {
		s.seed.Accounts = append(s.seed.Accounts, account.ID)
	}
	for _, account := range repo.Accounts {
		s.deployRoles(repo, account)
	}
	if l := repo.Lock; l != nil {
		s.seed.Buckets = append(s.seed.Buckets, sandbox.SeedBucket{Account: l.Account.ID, Name: l.Bucket, Region: l.Region})
	}
	for _, share := range repo.Shares {
		if b := share.Bucket; !b.Create {
			region := cmp.Or(b.Region, b.Account.Region)
			s.seed.Buckets = append(s.seed.Buckets, sandbox.SeedBucket{Account: b.Account.ID, Name: b.Name, Region: region})
		}
		for _, c := range share.Consumers {
			s.consumer(c)
		}
	}
	s.dedup()
	return s.seed
}

type seeder struct {
	partition string
	seed      sandbox.Seed
}

// deployRoles seeds the roles that xshare assumes in an account. They trust
// the administrators of all accounts of the repository.
func (s *seeder) deployRoles(repo *specs.Repository, account *specs.Account) {
	if !account.Manage {
		return
	}
	var admins []string
	for _, a := range repo.Accounts {
		admins = append(admins, fmt.Sprintf("arn:%s:iam::%s:user/admin", s.partition, a.ID))
	}
	statement := map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": admins}, "Action": "sts:AssumeRole"}
	if account.ExternalID != "" {
		statement["Condition"] = map[string]any{"StringEquals": map[string]any{"sts:ExternalId": account.ExternalID}}
	}
	trust := mustJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
	add := func(role, policy string) {
		if role == "" || role == "none" {
			return
		}
		dir, name := path.Split(role)
		s.seed.Roles = append(s.seed.Roles, sandbox.SeedRole{
			Account: account.ID, Name: name, Path: rolePath(dir), Trust: trust,
			Inline: map[string]string{"xshare": strings.ReplaceAll(policy, "arn:aws:", "arn:"+s.partition+":")},
		})
	}
	add(account.DeployRole, docs.DeployRolePolicy)
	add(account.ReadRole, docs.ReadRolePolicy)
}

// rolePath is a path as IAM has it, with slashes at both ends.
func rolePath(dir string) string {
	return path.Join("/", dir) + map[bool]string{true: "/"}[strings.Trim(dir, "/") != ""]
}

func (s *seeder) consumer(c *specs.Consumer) {
	account := c.Account.ID
	if boundary := c.Role.PermissionsBoundary; boundary != "" {
		s.boundary(account, boundary)
	}
	if !c.Role.Create {
		s.seed.Roles = append(s.seed.Roles, sandbox.SeedRole{
			Account: account, Name: c.Role.Name, Path: c.Role.Path, Trust: s.existingTrust(account),
		})
		if c.Role.InstanceProfile != "" {
			s.seed.Profiles = append(s.seed.Profiles, sandbox.SeedProfile{Account: account, Name: c.Role.InstanceProfile, Role: c.Role.Name})
		}
	}
	for _, in := range c.Instances {
		if in.ID != "" {
			s.seed.Instances = append(s.seed.Instances, sandbox.SeedInstance{Account: account, Region: in.Region, ID: in.ID})
			continue
		}
		if in.Subnet != "" {
			s.seed.Subnets = append(s.seed.Subnets, sandbox.SeedSubnet{Account: account, Region: in.Region, ID: in.Subnet})
		} else {
			s.seed.DefaultVPCs = append(s.seed.DefaultVPCs, sandbox.SeedDefaultVPC{Account: account, Region: in.Region})
		}
		for _, group := range in.SecurityGroups {
			s.seed.SecurityGroups = append(s.seed.SecurityGroups, sandbox.SeedSecurityGroup{Account: account, Region: in.Region, ID: group})
		}
		if in.KeyName != "" {
			s.seed.Keys = append(s.seed.Keys, sandbox.SeedKey{Account: account, Region: in.Region, Name: in.KeyName})
		}
		if strings.HasPrefix(in.Image, "ami-") {
			s.seed.Images = append(s.seed.Images, sandbox.SeedImage{Account: account, Region: in.Region, ID: in.Image})
		}
	}
}

// existingTrust is the trust policy of a role that exists already: instances
// may have it, and the account's administrator may assume it.
func (s *seeder) existingTrust(account string) string {
	service := "ec2.amazonaws.com"
	if s.partition == "aws-cn" {
		service += ".cn"
	}
	return mustJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect":    "Allow",
		"Principal": map[string]any{"Service": service, "AWS": fmt.Sprintf("arn:%s:iam::%s:user/admin", s.partition, account)},
		"Action":    "sts:AssumeRole",
	}}})
}

// boundary seeds a permissions boundary that limits nothing but IAM.
func (s *seeder) boundary(account, nameOrARN string) {
	if strings.HasPrefix(nameOrARN, "arn:") {
		fields := strings.SplitN(nameOrARN, ":", 6)
		if len(fields) != 6 || fields[4] != account {
			return
		}
		nameOrARN = strings.TrimPrefix(fields[5], "policy/")
	}
	dir, name := path.Split(nameOrARN)
	s.seed.Policies = append(s.seed.Policies, sandbox.SeedPolicy{
		Account: account, Name: name, Path: rolePath(dir),
		Document: mustJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"},
			map[string]any{"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
		}}),
	})
}

// dedup drops what several shares name: the first stays.
func (s *seeder) dedup() {
	s.seed.Policies = firsts(s.seed.Policies, func(v sandbox.SeedPolicy) string { return v.Account + "/" + v.Name })
	s.seed.Roles = firsts(s.seed.Roles, func(v sandbox.SeedRole) string { return v.Account + "/" + v.Name })
	s.seed.Profiles = firsts(s.seed.Profiles, func(v sandbox.SeedProfile) string { return v.Account + "/" + v.Name })
	s.seed.Buckets = firsts(s.seed.Buckets, func(v sandbox.SeedBucket) string { return v.Name })
	s.seed.Subnets = firsts(s.seed.Subnets, func(v sandbox.SeedSubnet) string { return v.Account + v.Region + v.ID })
	s.seed.DefaultVPCs = firsts(s.seed.DefaultVPCs, func(v sandbox.SeedDefaultVPC) string { return v.Account + v.Region })
	s.seed.SecurityGroups = firsts(s.seed.SecurityGroups, func(v sandbox.SeedSecurityGroup) string { return v.Account + v.Region + v.ID })
	s.seed.Keys = firsts(s.seed.Keys, func(v sandbox.SeedKey) string { return v.Account + v.Region + v.Name })
	s.seed.Images = firsts(s.seed.Images, func(v sandbox.SeedImage) string { return v.Account + v.Region + v.ID })
	s.seed.Instances = firsts(s.seed.Instances, func(v sandbox.SeedInstance) string { return v.Account + v.Region + v.ID })
}

func firsts[T any](list []T, key func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(v T) bool {
		k := key(v)
		if seen[k] {
			return true
		}
		seen[k] = true
		return false
	})
}

// mustJSON is for values that this file builds of maps and strings.
func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
