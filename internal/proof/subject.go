package proof

import (
	"fmt"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// subject is whose access a proof is about, for people.
type subject struct {
	noun string // "role"; empty: everybody
	name string // empty where the noun says it all
}

// String is the subject with its name: "role reader".
func (s subject) String() string {
	if s.name == "" {
		return s.the()
	}
	return s.noun + " " + s.name
}

// the is the subject where it was named already: "the role".
func (s subject) the() string {
	if s.noun == "" {
		return "everybody"
	}
	return "the " + s.noun
}

// who is the subject of these findings.
func (f *findings) who() subject { return f.sides.who(f.grant) }

func (s *sides) who(g plan.Grant) subject {
	switch s.kind {
	case iampolicy.User:
		return subject{"user", g.Consumer.Role.Name}
	case iampolicy.Root:
		return subject{noun: "root user"}
	case iampolicy.Anonymous:
		return subject{}
	}
	return subject{"role", g.Consumer.Role.Name}
}

// absent reports whether the role or user was looked for and is not there.
func (s *sides) absent() bool {
	return s.identity.unread == "" && s.role == nil && s.user == nil && s.kind != iampolicy.Root && s.kind != iampolicy.Anonymous
}

// boundaryARN is that of the role's or user's boundary.
func (s *sides) boundaryARN() string {
	if s.user != nil {
		return s.user.Boundary
	}
	return s.role.Boundary
}

// held says where a policy hangs that a role or user has.
type held struct {
	arn   string // of a managed policy; empty: it is inline
	group string // by which a user has it; empty: it is its own
}

// isAWSs reports whether it is a managed policy of AWS's own.
func (h held) isAWSs() bool { return isAWSs(h.arn) }

func isAWSs(policy string) bool { return iampolicy.CutARN(policy).Account == "aws" }

// hold adds policies to an identity side: those attached, then inline ones. A
// managed policy that the side has already is not added again.
func (p *prover) hold(s *side, snap *plan.Snapshot, owner string, attached []string, inline map[string][]byte, group string) {
	suffix := ""
	if group != "" {
		suffix = " of group " + group
	}
	add := func(key, name string, text []byte, h held) {
		named, err := p.document(key+suffix, name+suffix, text)
		if err != nil {
			s.opaque = append(s.opaque, name+suffix)
			return
		}
		s.policies = append(s.policies, named)
		if s.held == nil {
			s.held = map[string]held{}
		}
		s.held[named.Name] = h
	}
	for _, arn := range attached {
		policy := managedPolicy(snap, arn)
		switch {
		case s.has(arn):
		case policy != nil:
			add(arn, "policy "+policy.Name, policy.Document, held{arn, group})
		default:
			s.opaque = append(s.opaque, unreadPolicy(snap, arn)+suffix)
		}
	}
	for _, name := range sortedKeys(inline) {
		add(owner+" "+name, "inline policy "+name, inline[name], held{group: group})
	}
}

// has reports whether a managed policy is among the side's.
func (s *side) has(arn string) bool {
	for _, h := range s.held {
		if h.arn == arn {
			return true
		}
	}
	return false
}

// userSide are the policies of a user: its own, then its groups'.
func (p *prover) userSide(snap *plan.Snapshot, user *plan.LiveUser) side {
	var s side
	p.hold(&s, snap, user.ARN, user.Attached, user.Inline, "")
	for _, g := range user.Groups {
		if g.Unread {
			s.opaque = append(s.opaque, "those of group "+g.Name)
		}
		p.hold(&s, snap, user.ARN, g.Attached, g.Inline, g.Name)
	}
	return s
}

// missingUser tells of a user that is not there.
func (f *findings) missingUser() {
	account, user := f.grant.Consumer.Account.ID, f.grant.Consumer.Role
	cause := Cause{
		Code: UserMissing, Account: account, Resource: f.grant.RoleARN, Mend: "create it, or correct the principal's name",
		Message: fmt.Sprintf("user %s does not exist in account %s", user.Name, account),
	}
	if live := f.prover.snapshots[account].Users[user.Name]; live != nil {
		cause.Code = UserPath
		cause.Message = fmt.Sprintf("user %s of account %s has the path %s, not %s; to AWS that is another user", user.Name, account, live.Path, user.Path)
		cause.Mend = "ask about the user by its live ARN, " + live.ARN
	}
	f.add(cause, "", nil)
}
