package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// place is where a statement stands: its policy, as reasons name it, and its
// index there. Without a policy it is nowhere.
type place struct {
	policy string
	index  int
}

func placeOf(r iampolicy.Reason) place { return place{r.Policy, r.Statement} }

// mendDeny spares the principal, or what is asked, from the statement that a
// cause is about; empty: that denies nothing that is asked.
func (x *explainer) mendDeny(c Cause) (string, []Fragment) {
	for _, a := range x.requests() {
		for _, r := range reasonsOf(a.best, func(r iampolicy.Reason) bool { return r.Effect == iampolicy.Deny }) {
			if placeOf(r) == c.denies {
				return x.mendStatement(c, a, r)
			}
		}
	}
	return "", nil
}

// mendStatement is the mend of one Deny.
func (x *explainer) mendStatement(c Cause, a asked, r iampolicy.Reason) (string, []Fragment) {
	if mend := x.mendAWSs(r); mend != "" {
		return mend, nil
	}
	d, s := a.on.statement(r)
	edit := Fragment{Side: a.sidePart(r.Side), Account: c.Account, Policy: r.Policy, Remove: asItStands(s)}
	where := "in account " + c.Account
	if r.Side == iampolicy.SideSCP || r.Side == iampolicy.SideRCP {
		where = fmt.Sprintf("(%s), in the organization's management account", c.Resource)
	}
	which := statementName(r.Statement, r.Sid) + " of " + r.Policy + " " + where
	rest, named := x.otherNames(s)
	var mend string
	list := []Fragment{edit}
	switch {
	case named && rest != nil:
		s.Principal = rest
		list[0].Add = statementJSON(s)
		mend = fmt.Sprintf("take %s out of the principals of %s", x.sides.who(x.grant), which)
	case !named && x.exceptable(r, s):
		list[0].Add = x.excepting(s)
		mend = fmt.Sprintf("except the principal from %s: replace it by one that spares it", which)
	default:
		mend, list = x.mendByWhat(c.denies, d, edit, which)
	}
	isTag := func(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:principaltag/") }
	isOffered := func(key string) bool {
		return isChosen(key) && !asksPlain(s, key) && (!strings.EqualFold(key, prefixKey) || iampolicy.SendsPrefix(a.req.Action))
	}
	if keys := keysThat(s, isOffered); keys != "" {
		mend = fmt.Sprintf("send the request so that the statement's condition on %s does not hold, or %s", keys, mend)
	} else if keys := keysThat(s, isTag); keys != "" && x.sides.kind != iampolicy.Root && x.sides.kind != iampolicy.Anonymous {
		mend = fmt.Sprintf("tag %s so that the statement's condition on %s does not hold, or %s", x.sides.who(x.grant), keys, mend)
	}
	return mend, list
}

// mendByWhat is the mend of a Deny that nobody can be excepted from.
func (x *explainer) mendByWhat(at place, d *iampolicy.Document, edit Fragment, which string) (string, []Fragment) {
	s := d.Statements[at.index]
	out := x.asked(at, d.Version, edit.Side == PartResource)
	left, wider := out.of(s)
	about := fmt.Sprintf("%s on %s", some(out.patterns), few(out.plain))
	beside := few(wider)
	switch {
	case len(left)+len(wider) == 0 && len(d.Statements) == 1:
		return fmt.Sprintf("delete %s, which has no other statement", strings.TrimPrefix(which, statementName(at.index, s.Sid)+" of ")), []Fragment{edit}
	case len(left)+len(wider) == 0:
		return fmt.Sprintf("take %s out", which), []Fragment{edit}
	case out.unnamed != "":
		return fmt.Sprintf("except %s on AWS's own key %s, whose ARN `aws kms describe-key --key-id alias/%[2]s` tells, from %s, which is about more than this", some(out.patterns), out.unnamed, which), nil
	case len(s.Unknown) > 0:
		return fmt.Sprintf("except %s from %s, parts of which are not understood, or take it out", about, which), nil
	case len(left) == 0:
		return fmt.Sprintf("take %s out, and with it what else it denies: no statement can deny the rest of %s and let %s through", which, beside, about), []Fragment{edit}
	}
	mend := fmt.Sprintf("except %s from %s, which is about more than this", about, which)
	if len(wider) > 0 {
		mend += fmt.Sprintf("; that lets %s through on all of %s, as no statement can deny the rest of that", some(out.patterns), beside)
	}
	list := []Fragment{edit}
	taken := sidsOf(d)
	for i, one := range left {
		if i == 0 {
			list[0].Add = statementJSON(one)
			continue
		}
		one.Sid = freeSid(cmp.Or(alphanumeric(s.Sid), "Deny"), taken)
		list = append(list, Fragment{Side: edit.Side, Account: edit.Account, Policy: edit.Policy, Add: statementJSON(one)})
	}
	return mend, list
}

func sidsOf(d *iampolicy.Document) map[string]bool {
	taken := map[string]bool{}
	for _, have := range d.Statements {
		taken[have.Sid] = true
	}
	return taken
}

// freeSid is a Sid that is not taken, and takes it.
func freeSid(base string, taken map[string]bool) string {
	sid := base
	for n := 2; taken[sid]; n++ {
		sid = fmt.Sprintf("%s%d", strings.TrimRight(base, "0123456789"), n)
	}
	taken[sid] = true
	return sid
}

// distinct gives the statements that come to a policy Sids that no other has
// which is there or comes to it. taken are those by policy.
func (x *explainer) distinct(list []Fragment, taken map[string]map[string]bool) {
	for i, f := range list {
		of := f.Account + " " + f.Side + " " + f.Policy
		if taken[of] == nil {
			taken[of] = map[string]bool{}
			for _, side := range append(x.sides.all(), x.sides.key.policy) {
				for _, named := range side.policies {
					if named.Name == f.Policy {
						maps.Copy(taken[of], sidsOf(named.Document))
					}
				}
			}
		}
		if f.Add == nil || f.Remove != nil {
			continue
		}
		d, err := iampolicy.ParseLive([]byte(`{"Version":"` + iampolicy.Version2012 + `","Statement":[` + string(f.Add) + `]}`))
		if err != nil || len(d.Statements) != 1 || d.Statements[0].Sid == "" {
			continue
		}
		s := d.Statements[0]
		if sid := freeSid(s.Sid, taken[of]); sid != s.Sid {
			s.Sid = sid
			list[i].Add = statementJSON(s)
		}
	}
}

// mendAWSs is what to do about a policy of the caller that denies and cannot be
// edited, as it is AWS's own; empty for one that can.
func (x *explainer) mendAWSs(r iampolicy.Reason) string {
	who := x.sides.who(x.grant)
	h := x.sides.identity.held[r.Policy]
	switch {
	case r.Side == iampolicy.SideIdentity && h.isAWSs() && h.group != "":
		return fmt.Sprintf("take %s out of group %s, or the policy off that group: %s is AWS's own and cannot be changed", who, h.group, r.Policy)
	case r.Side == iampolicy.SideIdentity && h.isAWSs(), r.Side == iampolicy.SideBoundary && isAWSs(x.sides.boundaryARN()):
		return fmt.Sprintf("take %s off %s: it is AWS's own and cannot be changed", r.Policy, who)
	}
	return ""
}

// statement is the one that a reason is about, as it was read, and its document;
// nil: it is on none of the sides.
func (s *sides) statement(r iampolicy.Reason) (*iampolicy.Document, iampolicy.Statement) {
	for _, side := range s.all() {
		for _, named := range side.policies {
			if list := named.Document.Statements; named.Name == r.Policy && r.Statement < len(list) {
				return named.Document, list[r.Statement]
			}
		}
	}
	return nil, iampolicy.Statement{}
}

func (a asked) sidePart(of iampolicy.Side) string {
	switch {
	case of == iampolicy.SideIdentity:
		return PartIdentity
	case of == iampolicy.SideBoundary:
		return PartBoundary
	case of == iampolicy.SideSCP:
		return PartSCP
	case of == iampolicy.SideRCP:
		return PartRCP
	case a.key:
		return PartKey
	}
	return PartResource
}

// otherNames are the principals of a Deny without the caller, where it names the
// caller and not all of its account; nil: it names nobody else. A Deny of those
// for whom its principal is not the caller would be about nobody.
func (x *explainer) otherNames(s iampolicy.Statement) (rest *iampolicy.Principals, named bool) {
	if s.Principal == nil || s.Principal.Any || len(s.Unknown) > 0 || x.sides.kind == iampolicy.Root || x.sides.kind == iampolicy.Anonymous {
		return nil, false
	}
	account := x.grant.Consumer.Account.ID
	kept := *s.Principal
	kept.AWS = slices.DeleteFunc(slices.Clone(kept.AWS), func(name string) bool {
		a := iampolicy.CutARN(name)
		isSession := a.Service == "sts" && a.Account == account && strings.HasPrefix(a.Resource, "assumed-role/"+x.grant.Consumer.Role.Name+"/")
		return name == x.grant.RoleARN || isSession && x.sides.kind != iampolicy.User
	})
	whole := slices.ContainsFunc(kept.AWS, func(name string) bool {
		return name == account || name == "arn:"+x.plan.Partition+":iam::"+account+":root"
	})
	switch {
	case whole || len(kept.AWS) == len(s.Principal.AWS):
		return nil, false
	case len(kept.AWS)+len(kept.Service)+len(kept.Federated)+len(kept.CanonicalUser) == 0:
		return nil, true
	}
	return &kept, true
}

// exceptable reports whether the principal can be excepted from a Deny: not from
// an inline policy, which nobody else has.
func (x *explainer) exceptable(r iampolicy.Reason, s iampolicy.Statement) bool {
	h, isIdentity := x.sides.identity.held[r.Policy]
	return x.sides.kind != iampolicy.Anonymous && len(s.Unknown) == 0 && (!isIdentity || h != held{})
}

// excepting is a Deny without effect on the principal.
func (x *explainer) excepting(s iampolicy.Statement) json.RawMessage {
	const operator, key = "ArnNotEquals", "aws:PrincipalArn"
	return statementJSON(withCondition(s, operator, key, x.grant.RoleARN))
}

// withCondition is a statement with a condition more, or with more values of the
// one that it has.
func withCondition(s iampolicy.Statement, operator, key string, values ...string) iampolicy.Statement {
	s.Condition = slices.Clone(s.Condition)
	i := slices.IndexFunc(s.Condition, func(c iampolicy.Condition) bool {
		return strings.EqualFold(c.Operator, operator) && strings.EqualFold(c.Key, key)
	})
	if i < 0 {
		i = len(s.Condition)
		s.Condition = append(s.Condition, iampolicy.Condition{Operator: operator, Key: key})
	}
	s.Condition[i].Values = slices.Concat(s.Condition[i].Values, values)
	return s
}

// keysThat are the condition keys of a statement that are of a kind.
func keysThat(s iampolicy.Statement, is func(key string) bool) string {
	keys := slices.DeleteFunc(strings.Split(conditionKeys(s), ", "), func(key string) bool { return !is(key) })
	return strings.Join(keys, ", ")
}

// asksPlain reports whether a statement's condition on a key would not hold only
// without TLS.
func asksPlain(s iampolicy.Statement, key string) bool {
	return strings.EqualFold(key, "aws:SecureTransport") && slices.ContainsFunc(s.Condition, func(c iampolicy.Condition) bool {
		return strings.EqualFold(c.Key, key) && slices.ContainsFunc(c.Values, func(value string) bool { return strings.EqualFold(value, "true") })
	})
}

// isChosen reports whether the value of a condition key is the caller's choice,
// such as by another network or other headers. Who the caller is, and what the
// resource is, nobody chooses.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func isChosen(key string) bool {
	key = strings.ToLower(key)
	switch key {
	case "s3:resourceaccount", "s3:locationconstraint", "s3:accessgrantsinstancearn":
		return false
	case "aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:securetransport",
		"aws:useragent", "aws:referer", "aws:tagkeys":
		return true
	}
	return strings.HasPrefix(key, "s3:") && !strings.HasPrefix(key, "s3:existingobjecttag/") || strings.HasPrefix(key, "aws:requesttag/")
}
