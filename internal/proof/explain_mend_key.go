package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// keySid is the Sid of the statement that lets the role use the key. Of several
// such statements, as of roles of one name in two accounts, each has its own.
func (f *findings) keySid() string {
	base := f.keyName()
	taken := map[string]bool{}
	for _, s := range f.keyStatements() {
		taken[s.Sid] = true
	}
	sid := base
	for n := 2; taken[sid]; n++ {
		sid = fmt.Sprintf("%s%d", base, n)
	}
	return sid
}

func (f *findings) keyName() string {
	return "Bucket" + alphanumeric(f.grant.Bucket.Name) + "For" + alphanumeric(f.grant.Consumer.Role.Name)
}

func (f *findings) keyStatements() []iampolicy.Statement {
	if len(f.sides.key.policy.policies) == 0 {
		return nil
	}
	return f.sides.key.policy.policies[0].Document.Statements
}

// keyEdit lets the role use the key: by a statement more or, where one of that
// purpose is there, by that made whole. dead are the ids of deleted principals
// that it names. KMS takes no policy with one.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (f *findings) keyEdit() (remove *iampolicy.Statement, add json.RawMessage, dead []string) {
	text := f.keyFragment(true)
	d, err := iampolicy.ParseLive([]byte(`{"Version":"` + iampolicy.Version2012 + `","Statement":[` + text + `]}`))
	if err != nil {
		panic(err) // it is ours
	}
	ours := d.Statements[0]
	for _, have := range f.keyStatements() {
		suffix, isOurs := strings.CutPrefix(have.Sid, f.keyName())
		if !isOurs || strings.Trim(suffix, "0123456789") != "" || have.Effect != iampolicy.Allow || have.Principal == nil ||
			len(have.Unknown)+len(have.NotAction)+len(have.NotResource) > 0 || !slices.Equal(have.Resource, ours.Resource) || !sameConditions(have, ours) {
			continue
		}
		dead = nil
		for _, id := range have.Principal.AWS {
			if iampolicy.IsDead(id) {
				dead = append(dead, id)
			}
		}
		if len(dead) == 0 && !slices.Contains(have.Principal.AWS, f.grant.RoleARN) {
			continue // it is another's
		}
		whole, names := have, *have.Principal
		names.AWS = slices.DeleteFunc(slices.Clone(names.AWS), iampolicy.IsDead)
		if !slices.Contains(names.AWS, f.grant.RoleARN) {
			names.AWS = append(names.AWS, f.grant.RoleARN)
		}
		whole.Principal, whole.Action = &names, slices.Concat(have.Action, ours.Action)
		slices.Sort(whole.Action)
		whole.Action = slices.Compact(whole.Action)
		return &have, statementJSON(whole), dead
	}
	return nil, json.RawMessage(text), nil
}

func sameConditions(a, b iampolicy.Statement) bool {
	return slices.EqualFunc(a.Condition, b.Condition, func(a, b iampolicy.Condition) bool {
		return strings.EqualFold(a.Operator, b.Operator) && strings.EqualFold(a.Key, b.Key) && slices.Equal(a.Values, b.Values)
	})
}

// keyMend is the edit in one sentence.
func (f *findings) keyMend() string {
	remove, add, dead := f.keyEdit()
	if remove == nil {
		return "who owns the key adds to its policy: " + string(add)
	}
	return fmt.Sprintf("who owns the key writes in its policy, in place of statement %q%s: %s", remove.Sid, deadIDs(dead), add)
}

func deadIDs(dead []string) string {
	if len(dead) == 0 {
		return ""
	}
	return fmt.Sprintf(" (which names %s, the id of a principal that was deleted: KMS takes no policy with one)", strings.Join(dead, ", "))
}

// mendKey is the edit of a key's policy.
func (x *explainer) mendKey(c Cause, f *findings) (string, []Fragment) {
	remove, add, dead := f.keyEdit()
	policy := "the policy of key " + x.sides.key.key.ID
	if x.sides.identity.unread == "" && x.sides.absent() {
		return fmt.Sprintf("once %s is there, let it use the key in %s: KMS takes no principal that is not", f.who().the(), policy), nil
	}
	edit := Fragment{Side: PartKey, Account: c.Account, Policy: policy, Add: add}
	if remove == nil {
		return fmt.Sprintf("add this statement to %s in account %s", policy, c.Account), []Fragment{edit}
	}
	edit.Remove = asItStands(*remove)
	return fmt.Sprintf("replace statement %q of %s in account %s%s", remove.Sid, policy, c.Account, deadIDs(dead)), []Fragment{edit}
}
