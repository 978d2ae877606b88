package sandbox

import (
	"fmt"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Seed is what a sandbox has from the start, as plain data. It is applied on
// every start: what the state never had is added, what was seeded once and
// then deleted or changed stays so.
type Seed struct {
	Accounts       []string // 12 digits; others spring into being when they are used
	Policies       []SeedPolicy
	Roles          []SeedRole
	Profiles       []SeedProfile
	Buckets        []SeedBucket
	Subnets        []SeedSubnet
	DefaultVPCs    []SeedDefaultVPC
	SecurityGroups []SeedSecurityGroup
	Keys           []SeedKey
	Images         []SeedImage
	Instances      []SeedInstance
}

// SeedPolicy is a customer managed policy.
type SeedPolicy struct {
	Account, Name string
	Path          string // empty means "/"
	Document      string
}

// SeedRole is a role.
type SeedRole struct {
	Account, Name string
	Path          string // empty means "/"
	Trust         string // the trust policy; it may name other seeded roles
	Inline        map[string]string
	Attached      []string // ARNs of managed policies
	Boundary      string   // ARN of a managed policy
	MaxSession    int      // seconds; 0 means 3600
	Tags          map[string]string
}

// SeedProfile is an instance profile, with a role unless Role is empty.
type SeedProfile struct {
	Account, Name, Path, Role string
}

// SeedBucket is a bucket with AWS's defaults for new ones.
type SeedBucket struct {
	Account, Name, Region string
}

// SeedSubnet is a subnet of the account's one VPC in that region.
type SeedSubnet struct {
	Account, Region, ID string
}

// SeedDefaultVPC makes the account's one VPC in that region its default one,
// with a default subnet, where instances go that name none.
type SeedDefaultVPC struct {
	Account, Region string
}

// SeedSecurityGroup is a security group of the account's one VPC in that region.
type SeedSecurityGroup struct {
	Account, Region, ID string
}

// SeedKey is a key pair.
type SeedKey struct {
	Account, Region, Name string
}

// SeedImage is a machine image that the account can see.
type SeedImage struct {
	Account, Region, ID string
}

// SeedInstance is a running instance.
type SeedInstance struct {
	Account, Region, ID string
	Profile             string // name of its instance profile; empty: none
}

// seed adds what the state never had.
func (s *Server) seed(d Seed) error {
	for _, id := range d.Accounts {
		if !accountKey.MatchString(id) {
			return fmt.Errorf("account %q is not 12 digits", id)
		}
		s.world.account(s, id)
	}
	for _, p := range d.Policies {
		if err := s.once("policy/"+p.Account+"/"+p.Name, func() error { return s.seedPolicy(p) }); err != nil {
			return err
		}
	}
	if err := s.seedRoles(d.Roles); err != nil {
		return err
	}
	for _, p := range d.Profiles {
		if err := s.once("profile/"+p.Account+"/"+p.Name, func() error { return s.seedProfile(p) }); err != nil {
			return err
		}
	}
	if err := s.seedS3(d.Buckets); err != nil {
		return err
	}
	return s.seedEC2(d)
}

// once runs add if the seed never did under that key.
func (s *Server) once(key string, add func() error) error {
	if s.world.Seeded[key] {
		return nil
	}
	if err := add(); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	s.world.Seeded[key] = true
	return nil
}

func (s *Server) seedPolicy(p SeedPolicy) error {
	if !accountKey.MatchString(p.Account) {
		return fmt.Errorf("account %q is not 12 digits", p.Account)
	}
	a := s.world.account(s, p.Account)
	if a.Policies[p.Name] != nil {
		return nil
	}
	if _, err := iampolicy.Parse([]byte(p.Document)); err != nil {
		return err
	}
	v := s.newPolicy(p.Account, p.Name, orSlash(p.Path), s.now())
	v.addVersion(p.Document, true, s.now())
	a.Policies[p.Name] = v
	return nil
}

// seedRoles makes all roles first and binds their trust policies then, since
// they may name each other.
func (s *Server) seedRoles(list []SeedRole) error {
	var fresh []SeedRole
	for _, in := range list {
		err := s.once("role/"+in.Account+"/"+in.Name, func() error {
			if !accountKey.MatchString(in.Account) {
				return fmt.Errorf("account %q is not 12 digits", in.Account)
			}
			a := s.world.account(s, in.Account)
			if a.Roles[in.Name] != nil {
				return nil
			}
			r := s.newRole(in.Account, in.Name, orSlash(in.Path), s.now())
			r.Attempts = s.options.Propagation.Role.Attempts // what is seeded is not new
			r.Created = r.Created.Add(-s.options.Propagation.Role.For)
			if in.Boundary != "" && s.findPolicy(in.Boundary) == nil {
				return fmt.Errorf("the boundary %s does not exist", in.Boundary)
			}
			r.Boundary = in.Boundary
			if in.MaxSession != 0 {
				r.MaxSession = in.MaxSession
			}
			for name, text := range in.Inline {
				if _, err := iampolicy.Parse([]byte(text)); err != nil {
					return fmt.Errorf("inline policy %s: %w", name, err)
				}
				r.Inline[name] = text
			}
			for _, arn := range in.Attached {
				if s.findPolicy(arn) == nil {
					return fmt.Errorf("the policy %s does not exist", arn)
				}
				r.Attached = append(r.Attached, arn)
			}
			for _, k := range sortedKeys(in.Tags) {
				r.Tags = append(r.Tags, tag{k, in.Tags[k]})
			}
			a.Roles[in.Name] = r
			fresh = append(fresh, in)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, in := range fresh {
		d, err := iampolicy.Parse([]byte(in.Trust))
		if err == nil {
			s.world.Accounts[in.Account].Roles[in.Name].Trust, err = s.bind(in.Trust, d, s.now())
		}
		if err != nil {
			return fmt.Errorf("trust policy of role/%s/%s: %w", in.Account, in.Name, err)
		}
	}
	return nil
}

func (s *Server) seedProfile(in SeedProfile) error {
	if !accountKey.MatchString(in.Account) {
		return fmt.Errorf("account %q is not 12 digits", in.Account)
	}
	a := s.world.account(s, in.Account)
	if a.Profiles[in.Name] != nil {
		return nil
	}
	if in.Role != "" && a.Roles[in.Role] == nil {
		return fmt.Errorf("the role %s does not exist", in.Role)
	}
	p := s.newProfile(in.Account, in.Name, orSlash(in.Path), s.now())
	p.Attempts = s.options.Propagation.Profile.Attempts
	p.Created = p.Created.Add(-s.options.Propagation.Profile.For)
	p.Role = in.Role
	a.Profiles[in.Name] = p
	return nil
}

// orSlash makes a path of what may be empty or lack its slashes.
func orSlash(path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return "/"
	}
	return "/" + path + "/"
}
