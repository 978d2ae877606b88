package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// boundPolicy is a resource or trust policy whose principals are bound to
// unique ids, as AWS does it when the policy is saved: a role that is deleted
// and made again is another principal, and the text then shows the dead id
// (IAM:reference_policies_elements_principal).
type boundPolicy struct {
	Text string
	IDs  map[string]string `json:",omitempty"` // principal as written -> unique id
}

// bindError says which principal cannot be in a policy.
type bindError struct{ principal string }

func (e *bindError) Error() string { return fmt.Sprintf("invalid principal %q", e.principal) }

// bind resolves the principals of a parsed document. It fails with *bindError
// for a user or role that does not exist, is a dead id, or is too new to be
// seen; then the service says "Invalid principal in policy".
func (s *Server) bind(text string, d *iampolicy.Document, now time.Time) (boundPolicy, error) {
	b := boundPolicy{Text: text, IDs: map[string]string{}}
	for _, st := range d.Statements {
		for _, p := range []*iampolicy.Principals{st.Principal, st.NotPrincipal} {
			if p == nil {
				continue
			}
			for _, name := range p.AWS {
				id, ok := s.resolvePrincipal(name, now)
				if !ok {
					return boundPolicy{}, &bindError{name}
				}
				if id != "" {
					b.IDs[name] = id
				}
			}
			for _, name := range p.Service {
				if !servicePrincipal.MatchString(name) {
					return boundPolicy{}, &bindError{name}
				}
			}
		}
	}
	return b, nil
}

var (
	servicePrincipal = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?$`)
	uniqueIDForm     = regexp.MustCompile(`^(AROA|AIDA)[A-Z0-9]{17}$`)
)

// resolvePrincipal checks one AWS principal as it would be saved now. The id
// is empty for accounts, root users and sessions, which are kept by name.
func (s *Server) resolvePrincipal(name string, now time.Time) (id string, ok bool) {
	switch {
	case name == "*", accountKey.MatchString(name):
		return "", true
	case uniqueIDForm.MatchString(name):
		_, alive := s.principalOf(name)
		return name, alive
	}
	account, resource := splitIAM(name)
	if !accountKey.MatchString(account) || !strings.HasPrefix(name, "arn:"+s.options.Partition+":") {
		return "", false
	}
	kind, rest, _ := strings.Cut(resource, "/")
	switch {
	case resource == "root":
		return "", true
	case resource == "user/"+adminName:
		return s.world.account(s, account).AdminID, true
	case kind == "user", kind == "role":
		if e := s.principal(name); e != nil && s.visible(e, now) {
			return e.ID, true
		}
	case kind == "assumed-role":
		roleName, session, _ := strings.Cut(rest, "/")
		a := s.world.Accounts[account]
		return "", a != nil && a.Roles[roleName] != nil && session != "" && !strings.ContainsAny(session, "/*?")
	}
	return "", false
}

// principal is the user or role with an ARN, or nil.
func (s *Server) principal(arn string) *entity {
	if r := s.findRole(arn); r != nil {
		return &r.entity
	}
	if u := s.findUser(arn); u != nil {
		return &u.entity
	}
	return nil
}

// visible tells whether a role or user may be named in a policy yet: see
// Propagation. An attempt that comes too early is counted.
func (s *Server) visible(e *entity, now time.Time) bool {
	if e.seen(s.options.Propagation.Role, now) {
		return true
	}
	s.store.touch()
	return false
}

// profileVisible is the same for an instance profile named in a launch.
func (s *Server) profileVisible(p *profile, now time.Time) bool {
	if p.seen(s.options.Propagation.Profile, now) {
		return true
	}
	s.store.touch()
	return false
}

// currentID is the unique id that an ARN stands for now; empty: nobody's.
func (s *Server) currentID(arn string) string {
	if e := s.principal(arn); e != nil {
		return e.ID
	}
	return ""
}

// principalOf finds the living user or role with a unique id, as its ARN.
func (s *Server) principalOf(id string) (arn string, ok bool) {
	for _, a := range s.world.Accounts {
		if a.AdminID == id {
			return s.adminARN(a.ID), true
		}
		for _, r := range a.Roles {
			if r.ID == id {
				return r.ARN, true
			}
		}
		for _, u := range a.Users {
			if u.ID == id {
				return u.ARN, true
			}
		}
	}
	return "", false
}

// shown is the policy's text as AWS gives it back now: dead principals as
// their unique ids, and unique ids of the living as ARNs. All else is byte for
// byte what was put.
func (s *Server) shown(b boundPolicy) string {
	change := map[string]string{}
	for name, id := range b.IDs {
		if s.currentID(name) == id {
			continue
		}
		now, alive := s.principalOf(id)
		if !alive {
			now = id
		}
		if now != name {
			change[name] = now
		}
	}
	if len(change) == 0 {
		return b.Text
	}
	return renamePrincipals(b.Text, change)
}

// parsed is the policy as it is to be evaluated now.
func (s *Server) parsed(b boundPolicy) (*iampolicy.Document, error) {
	return s.document(s.shown(b))
}

// renamePrincipals replaces strings, but only within the Principal and
// NotPrincipal elements of statements: a condition that compares an ARN as
// text keeps it.
func renamePrincipals(text string, change map[string]string) string {
	var (
		d    = json.NewDecoder(strings.NewReader(text))
		out  bytes.Buffer
		done int64
		// keys has for each open object or array the member being read.
		keys  []string
		isKey []bool // in an object, and the next string is a member's name
	)
	value := func() { // after a value, an object's next string is a name
		if n := len(isKey); n > 0 && keys[n-1] != "[" {
			isKey[n-1] = true
		}
	}
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return text // checked when it was put
		}
		end := d.InputOffset()
		switch v := t.(type) {
		case json.Delim:
			switch v {
			case '{':
				keys, isKey = append(keys, ""), append(isKey, true)
			case '[':
				keys, isKey = append(keys, "["), append(isKey, false)
			default:
				keys, isKey = keys[:len(keys)-1], isKey[:len(isKey)-1]
				value()
			}
		case string:
			n := len(keys)
			if n > 0 && isKey[n-1] {
				keys[n-1], isKey[n-1] = v, false
				continue
			}
			if to, ok := change[v]; ok && inPrincipal(keys) {
				raw := text[done:end]
				start := done + int64(strings.LastIndex(raw[:len(raw)-1], `"`))
				out.WriteString(text[done:start])
				quoted, _ := json.Marshal(to) // a string always marshals
				out.Write(quoted)
				done = end
			}
			value()
		default:
			value()
		}
	}
	out.WriteString(text[done:])
	return out.String()
}

// inPrincipal tells by the members on the way whether a value is a principal:
// Statement, [ , Principal, AWS, [ , without the arrays where there are none.
func inPrincipal(keys []string) bool {
	var path []string
	for _, k := range keys {
		if k != "[" {
			path = append(path, k)
		}
	}
	return len(path) >= 2 && path[0] == "Statement" && (path[1] == "Principal" || path[1] == "NotPrincipal")
}
