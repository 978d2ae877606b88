package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// mendResource is the mend of a bucket policy that does not let the caller in:
// a statement more. But S3 refuses every put of a policy that has the id of a
// deleted principal in an Allow, so these go out in the same edit; and where one
// stands where the caller belongs, the caller's ARN takes its place.
func (x *explainer) mendResource(c Cause) (string, []Fragment) {
	policy := fmt.Sprintf("the policy of bucket %s", x.grant.Bucket.Name)
	in := fmt.Sprintf("%s in account %s", policy, c.Account)
	list, replaced := x.withoutGone(c, policy)
	if replaced != "" {
		return fmt.Sprintf("write the ARN of %s in %s of %s, in place of the id", x.sides.who(x.grant), replaced, in), list
	}
	text := "add this statement to " + in
	if c.Code == NoBucketPolicy {
		text = fmt.Sprintf("give bucket %s in account %s a policy with this statement", x.grant.Bucket.Name, c.Account)
	}
	switch x.question.kind {
	case iampolicy.Anonymous:
		text += "; it opens this to everybody, and Block Public Access may refuse it"
	case iampolicy.Root:
		text += "; it opens this to all in that account whose own policies allow it"
	}
	list = append(list, Fragment{Side: PartResource, Account: c.Account, Policy: policy, Add: x.statementFor(iampolicy.SideResource)})
	return x.orCondition(iampolicy.SideResource, x.sides.resource) + text, list
}

// withoutGone are the edits of the statements that allow something to deleted
// principals. replaced names the one that would let the caller in, but for such
// an id of the caller's kind; empty: there is none.
func (x *explainer) withoutGone(c Cause, policy string) (list []Fragment, replaced string) {
	a := x.ask(x.question.call())
	meant, _ := splitARN(x.grant.RoleARN)
	for _, f := range fits(x.sides.resource.policies, iampolicy.SideResource, a.req, a.known) {
		s := f.statement
		if s.Principal == nil || len(s.Unknown) > 0 || !slices.ContainsFunc(s.Principal.AWS, iampolicy.IsDead) {
			continue
		}
		names := *s.Principal
		names.AWS = slices.Clone(names.AWS)
		i := slices.IndexFunc(names.AWS, func(id string) bool { return iampolicy.IsDead(id) && strings.HasPrefix(id, idPrefixes[meant.kind]) })
		if i >= 0 && replaced == "" && c.Code == PrincipalGone && f.action && f.resource && f.condition {
			names.AWS[i], replaced = x.grant.RoleARN, statementName(f.index, s.Sid)
		}
		names.AWS = slices.DeleteFunc(names.AWS, iampolicy.IsDead)
		edit := Fragment{Side: PartResource, Account: c.Account, Policy: policy, Remove: asItStands(s)}
		if names.Any || len(names.AWS)+len(names.Service)+len(names.Federated)+len(names.CanonicalUser) > 0 {
			s.Principal = &names
			edit.Add = statementJSON(s)
		}
		list = append(list, edit)
	}
	return list, replaced
}

// takers are whose policies hold principals, by the side that is edited: none of
// them takes a policy with the id of a deleted one, wherever that stands.
var takers = map[string]string{PartResource: "S3", PartKey: "KMS", PartTrust: "IAM"}

// takable adds to the edits of one policy that the ids of deleted principals go
// out too, and says so. done are the policies to whose edits that was added.
func (x *explainer) takable(root *Root, done map[string]bool) {
	if len(root.Fragments) == 0 {
		return
	}
	of := root.Fragments[0]
	d := x.edited(of.Side)
	if d == nil {
		return
	}
	apart := false // some edit is for nothing else
	for _, s := range d.Statements {
		living, named := withoutDead(s)
		if living == nil || len(s.Unknown) > 0 {
			continue
		}
		edit := Fragment{Side: of.Side, Account: of.Account, Policy: of.Policy, Remove: asItStands(s)}
		if named {
			edit.Add = statementJSON(*living)
		}
		i := slices.IndexFunc(root.Fragments, func(f Fragment) bool { return bytes.Equal(f.Remove, edit.Remove) })
		switch {
		case i < 0 && !done[of.Side]:
			root.Fragments, apart = append([]Fragment{edit}, root.Fragments...), true
		case i < 0:
		case !bytes.Equal(root.Fragments[i].Add, edit.Add):
			root.Fragments[i].Add = livingOnly(root.Fragments[i].Add)
		case done[of.Side]:
			root.Fragments = slices.Delete(root.Fragments, i, i+1)
		default:
			apart = true
		}
	}
	done[of.Side] = true
	if apart {
		root.Mend += fmt.Sprintf("; %s takes no policy with the id of a deleted principal in it, so take that out in the same put", takers[of.Side])
	}
}

// edited is the document that the edits of a side are about; nil: it has no
// principals, or it cannot be understood.
func (x *explainer) edited(side string) *iampolicy.Document {
	var policies []iampolicy.Named
	switch side {
	case PartResource:
		policies = x.sides.resource.policies
	case PartKey:
		policies = x.sides.key.policy.policies
	case PartTrust:
		d, err := iampolicy.ParseLive(x.sides.role.Trust)
		if err != nil {
			return nil
		}
		return d
	}
	if len(policies) == 0 {
		return nil
	}
	return policies[0].Document
}

// withoutDead is a statement without the ids of deleted principals, which means
// the same; nil: it has none. named is false where it then is about nobody.
func withoutDead(s iampolicy.Statement) (living *iampolicy.Statement, named bool) {
	for _, names := range []**iampolicy.Principals{&s.Principal, &s.NotPrincipal} {
		if *names == nil || !slices.ContainsFunc((*names).AWS, iampolicy.IsDead) {
			continue
		}
		kept := **names
		kept.AWS = slices.DeleteFunc(slices.Clone(kept.AWS), iampolicy.IsDead)
		*names, living = &kept, &s
		if named = kept.Any || len(kept.AWS)+len(kept.Service)+len(kept.Federated)+len(kept.CanonicalUser) > 0; !named && names == &s.NotPrincipal {
			s.Principal, s.NotPrincipal, named = anybody, nil, true
		}
	}
	return living, named
}

// livingOnly is a statement of ours as text, without such ids.
func livingOnly(text json.RawMessage) json.RawMessage {
	if text == nil {
		return nil
	}
	d, err := iampolicy.ParseLive([]byte(`{"Version":"` + iampolicy.Version2012 + `","Statement":[` + string(text) + `]}`))
	if err != nil || len(d.Statements) != 1 {
		return text
	}
	living, named := withoutDead(d.Statements[0])
	switch {
	case living == nil:
		return text
	case !named:
		return nil
	}
	return statementJSON(*living)
}
