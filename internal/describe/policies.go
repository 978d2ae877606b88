package describe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// grant is what one bucket policy allows one role.
type grant struct {
	owner, consumer *specs.Account
	bucket          string
	path, role      string // as the policy has them
	rights          rights
	foreign         rights // those of them that statements give which are not ours
}

// called is the role's path and name.
func (g *grant) called() string { return g.path[1:] + g.role }

func (g *grant) crossAccount() bool { return g.owner != g.consumer }

// effectual are the rights that the role can have of those that a statement gives:
// some actions are for the bucket's own account only, whatever policies say.
func (g *grant) effectual(given rights) rights {
	if !g.crossAccount() {
		return given
	}
	can := maps.Clone(given)
	maps.DeleteFunc(can, func(action string, _ []string) bool { return iampolicy.OwnersOnly(action) })
	return can
}

type grantKey struct{ bucket, account, path, role string }

// bucketPolicies are the bucket policies, taken apart.
type bucketPolicies struct {
	grants     []*grant    // by bucket, account, role and path
	statements []statement // foreign ones that say nothing but grants
	notes      notes
}

// statement is what a statement of a bucket policy gives to whom.
type statement struct {
	spare  Spare // as which it is called
	rights rights
	grants []*grant
}

func (l *live) bucketPolicies() bucketPolicies {
	var all bucketPolicies
	found := map[grantKey]*grant{}
	for _, id := range slices.Sorted(maps.Keys(l.snapshots)) {
		for _, name := range slices.Sorted(maps.Keys(l.snapshots[id].Buckets)) {
			bucket := l.snapshots[id].Buckets[name]
			if bucket.Policy == nil {
				continue
			}
			d, err := iampolicy.ParseLive(bucket.Policy)
			if err != nil {
				all.notes.add(id, "correct it there", "the policy of bucket %s cannot be read: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
				continue
			}
			others := false
			for i, s := range d.Statements {
				switch {
				case s.Effect != iampolicy.Allow:
				case iampolicy.IsMark(s.Sid) && !l.plan.Ours(s.Sid):
					others = true
				default:
					all.take(l, found, l.accounts[id], name, i, s)
				}
			}
			if others {
				all.notes.add(id, "import them for that repository, or name it under formerNames if it was this one",
					"statements of another xshare repository stand in the policy of bucket %s, and are left out", name)
			}
		}
	}
	all.grants = slices.SortedFunc(maps.Values(found), func(a, b *grant) int {
		return cmp.Or(strings.Compare(a.bucket, b.bucket), strings.Compare(a.consumer.Alias, b.consumer.Alias),
			strings.Compare(a.role, b.role), strings.Compare(a.path, b.path))
	})
	return all
}

// take adds what the ith statement of a bucket policy grants, and notes what of it
// no share can say.
func (b *bucketPolicies) take(l *live, found map[grantKey]*grant, owner *specs.Account, bucket string, i int, s iampolicy.Statement) {
	name, lasting := fmt.Sprintf("statement number %d", i+1), withoutSid(s)
	if s.Sid != "" {
		name = fmt.Sprintf("statement %q", s.Sid)
		lasting = name
	}
	whole := true
	leave := func(mend, why string, args ...any) {
		whole = false
		b.notes.add(owner.ID, mend, "%s of the policy of bucket %s is in no share, or not all of it: %s", name, bucket, fmt.Sprintf(why, args...))
	}
	const (
		nameRoles = "leave it as it is, or name roles"
		asNeeded  = "leave it as it is, or give by a share what of it is needed"
	)
	given, left := rightsOf(s, l.bucketARN(bucket))
	if left != "" {
		leave(asNeeded, "%s", left)
	}
	if s.Principal == nil {
		leave(nameRoles, "it has no Principal element")
		return
	}
	for _, other := range strangers(s.Principal) {
		leave(nameRoles, "it names %s, and a share names roles", other)
	}
	st := statement{spare: Spare{Account: owner.ID, Bucket: bucket, What: lasting}, rights: given}
	for _, principal := range s.Principal.AWS {
		account, path, role := roleOf(principal)
		consumer, everybodyOf := l.accounts[account], wholeAccount(principal)
		switch {
		case iampolicy.IsDead(principal):
			leave("take the id out, since S3 refuses to store a policy that holds one", "it names the id %s of a role or user that was deleted", principal)
		case everybodyOf == owner.ID:
			whole = false // as most policies have it
		case everybodyOf != "":
			leave(nameRoles, "it names the whole account %s, and a share names roles", everybodyOf)
		case role == "":
			leave(nameRoles, "it names %s, and a share names roles", principal)
		case consumer == nil:
			leave("add the account, with manage: false if it is not yours, and import again", "it names role %s of account %s, which is not in %s", role, account, specs.RepositoryFile)
		case consumer.Retired:
			leave("take it out of the policy", "it names role %s of account %s, which is retired", role, consumer.Alias)
		case len(given) > 0:
			key := grantKey{bucket, account, path, role}
			g := found[key]
			if g == nil {
				g = &grant{owner: owner, consumer: consumer, bucket: bucket, path: path, role: role, rights: rights{}, foreign: rights{}}
				found[key] = g
			}
			g.rights.addAll(g.effectual(given))
			if !l.plan.Ours(s.Sid) {
				g.foreign.addAll(g.effectual(given))
			}
			st.grants = append(st.grants, g)
		}
	}
	if whole && !l.plan.Ours(s.Sid) && len(st.grants) > 0 {
		b.statements = append(b.statements, st)
	}
}

// withoutSid calls a statement by what it says, all of it. Its number changes with
// every write: xshare puts its own statements last.
func withoutSid(s iampolicy.Statement) string {
	var text bytes.Buffer
	if err := json.Compact(&text, s.Raw); err != nil { // it was not parsed from a text
		return "a statement without a Sid"
	}
	return "the statement without a Sid " + text.String()
}

// strangers are those that a share cannot name, beside those of AWS accounts.
func strangers(p *iampolicy.Principals) (list []string) {
	if p.Any {
		list = append(list, "everybody")
	}
	for _, service := range p.Service {
		list = append(list, "service "+service)
	}
	for _, provider := range p.Federated {
		list = append(list, "identity provider "+provider)
	}
	for _, user := range p.CanonicalUser {
		list = append(list, "canonical user "+user)
	}
	return list
}

// wholeAccount is the account for all of which a principal stands; else empty.
func wholeAccount(principal string) string {
	if iampolicy.IsAccountID(principal) {
		return principal
	}
	if a := iampolicy.CutARN(principal); a.Service == "iam" && a.Resource == "root" {
		return a.Account
	}
	return ""
}

// roleOf takes the ARN of a role apart; role is empty for what is none.
func roleOf(principal string) (account, path, role string) {
	a := iampolicy.CutARN(principal)
	name, ok := strings.CutPrefix(a.Resource, "role/")
	if a.Service != "iam" || !ok {
		return "", "", ""
	}
	at := strings.LastIndexByte(name, '/')
	return a.Account, "/" + name[:at+1], name[at+1:]
}

// hasOurs reports whether a policy has a statement of ours.
func (l *live) hasOurs(policy []byte) bool {
	d, err := iampolicy.ParseLive(policy)
	return err == nil && slices.ContainsFunc(d.Statements, func(s iampolicy.Statement) bool { return l.plan.Ours(s.Sid) })
}
