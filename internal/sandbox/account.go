package sandbox

import (
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// account is one account's IAM. Accounts spring into being when they are
// first named by a key.
type account struct {
	ID       string
	AdminID  string // AIDA… of user/admin
	Roles    map[string]*role
	Users    map[string]*user   `json:",omitempty"` // but for user/admin
	Groups   map[string]*group  `json:",omitempty"`
	Policies map[string]*policy // managed by the customer, by name
	Profiles map[string]*profile
	// PublicAccess is S3's Block Public Access of the whole account; nil: not set.
	PublicAccess *publicAccess `json:",omitempty"`
}

type tag struct{ Key, Value string }

// role is an IAM role.
type role struct {
	entity
	Trust       boundPolicy
	Description string
	MaxSession  int // seconds
}

// policy is a customer managed policy, or one of the few AWS managed ones.
type policy struct {
	newness
	Account, Name, Path, ID, ARN string
	Description                  string
	Versions                     []*version // oldest first
	Made                         int        // versions made so far; numbers are not used again
	Default                      string     // "v1"
	Tags                         []tag
	Updated                      timestamp
}

type version struct {
	ID      string // "v1"
	Text    string
	Created timestamp
}

// profile is an instance profile.
type profile struct {
	newness
	Account, Name, Path, ID, ARN string
	Role                         string // its name; empty: none
	Tags                         []tag
}

// allowAll is what administrators have.
const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// account finds an account and makes it at its first use.
func (w *world) account(s *Server, id string) *account {
	a := w.Accounts[id]
	if a == nil {
		a = &account{ID: id, Roles: map[string]*role{}, Policies: map[string]*policy{}, Profiles: map[string]*profile{}}
		a.complete()
		a.AdminID = s.uniqueID("AIDA", id, adminName)
		w.Accounts[id] = a
		s.store.touch()
	}
	return a
}

// complete makes the maps that an account of an older state file lacks.
func (a *account) complete() {
	if a.Users == nil {
		a.Users = map[string]*user{}
	}
	if a.Groups == nil {
		a.Groups = map[string]*group{}
	}
}

// arn makes an ARN of the sandbox's partition.
func (s *Server) arn(service, region, account, resource string) string {
	return strings.Join([]string{"arn", s.options.Partition, service, region, account, resource}, ":")
}

func (s *Server) adminARN(account string) string {
	return s.arn("iam", "", account, "user/"+adminName)
}

// sessionARN has no path: sts:…:assumed-role/NAME/SESSION.
func (s *Server) sessionARN(r *role, name string) string {
	return s.arn("sts", "", r.Account, "assumed-role/"+r.Name+"/"+name)
}

// findRole finds a role by its ARN, path included.
func (s *Server) findRole(arn string) *role {
	if a, name := s.namedBy(arn, "role/"); a != nil {
		if r := a.Roles[name]; r != nil && r.ARN == arn {
			return r
		}
	}
	return nil
}

// findUser finds a user by its ARN, path included.
func (s *Server) findUser(arn string) *user {
	if a, name := s.namedBy(arn, "user/"); a != nil {
		if u := s.user(a, name); u != nil && u.ARN == arn {
			return u
		}
	}
	return nil
}

// namedBy is the account of an ARN of a kind, if there is one, and the name in it.
func (s *Server) namedBy(arn, kind string) (*account, string) {
	id, resource := splitIAM(arn)
	name, ok := strings.CutPrefix(resource, kind)
	if !ok {
		return nil, ""
	}
	return s.world.Accounts[id], name[strings.LastIndex(name, "/")+1:]
}

// findProfile finds an instance profile by its ARN.
func (s *Server) findProfile(arn string) *profile {
	if a, name := s.namedBy(arn, "instance-profile/"); a != nil {
		if p := a.Profiles[name]; p != nil && p.ARN == arn {
			return p
		}
	}
	return nil
}

// splitIAM gives an IAM or STS ARN's account and resource.
func splitIAM(arn string) (account, resource string) {
	a := iampolicy.CutARN(arn)
	if a.Service != "iam" && a.Service != "sts" {
		return "", ""
	}
	return a.Account, a.Resource
}
