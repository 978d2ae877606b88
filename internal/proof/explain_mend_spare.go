package proof

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// How a Deny that nobody can be excepted from is mended.
//
// Premise: it is there for a reason, so what is left of it denies all that it
// denied but what is asked. A statement is about some actions A on some
// resources R; without what is asked, a on r, it is two: A on R without r, and A
// without a on r. Where the other actions can be written down by themselves it
// is, alike, A without a on R, and a on R without r, which reads better. Each
// goes where there is nothing in it.
//
// Patterns bound what can be said: of a pattern of resources a part can be taken
// out only where NotResource says no more, which is where the pattern is all
// there is. Else a is let through on all of that pattern, and that is told.

// asked is what is asked of the requests that a Deny stops.
type askedOf struct {
	actions   []string // in their canonical case
	patterns  []string // likewise, in the patterns of the promise where it has some
	plain     []string // the resources, as a promise names them
	resources []string // likewise, as a policy names them
	requests  []asked
	unnamed   string // a key among them whose ARN is not known, in words; empty: there is none
	version   string // of the statement's document
	ofBucket  bool   // it is the bucket's policy, which is about nothing else
	partition string

	prefixes []string // to which listings are held; none: they are not
	listings []string // the actions that are
}

// asked gathers what is asked of the requests that the statement at a place
// denies.
func (x *explainer) asked(at place, version string, ofBucket bool) askedOf {
	o := askedOf{version: version, ofBucket: ofBucket, partition: x.plan.Partition}
	for _, a := range x.requests() {
		if !slices.ContainsFunc(a.best.Reasons, func(r iampolicy.Reason) bool { return r.Effect == iampolicy.Deny && placeOf(r) == at }) {
			continue
		}
		o.requests = append(o.requests, a)
		if a.key && x.sides.key.own {
			o.unnamed = a.call.resource
		}
		o.actions, o.plain = append(o.actions, a.req.Action), append(o.plain, a.call.promised)
	}
	o.actions, o.plain = sorted(o.actions), sorted(o.plain)
	for _, resource := range o.plain {
		if version == iampolicy.Version2012 {
			resource = strings.ReplaceAll(resource, "${", "${$}{")
		}
		o.resources = append(o.resources, resource)
	}
	o.patterns = o.actions
	if x.question != nil {
		return o
	}
	for _, pair := range x.grant.Pairs {
		for _, c := range pair.Statement.Condition {
			if !strings.EqualFold(c.Key, prefixKey) {
				continue
			}
			o.prefixes = append(o.prefixes, c.Values...)
			for _, action := range o.actions {
				if slices.ContainsFunc(pair.Statement.Action, func(p string) bool { return iampolicy.MatchAction(p, action) }) {
					o.listings = append(o.listings, action)
				}
			}
		}
	}
	o.prefixes, o.listings = sorted(o.prefixes), sorted(o.listings)
	for _, pair := range x.grant.Pairs {
		for _, p := range pair.Statement.Action {
			if strings.Contains(p, "*") && o.isAll(p) {
				o.patterns = sorted(append(slices.DeleteFunc(slices.Clone(o.patterns), func(action string) bool { return iampolicy.MatchAction(p, action) }), p))
			}
		}
	}
	return o
}

// isAll reports whether all actions of S3 that a pattern matches, and that
// another account can be given, are asked.
func (o askedOf) isAll(pattern string) bool {
	return !slices.ContainsFunc(iampolicy.MatchS3Actions(pattern), func(action iampolicy.S3Action) bool {
		isOnBucket := action.Level == iampolicy.BucketLevel || action.Level == iampolicy.ObjectLevel
		return isOnBucket && !iampolicy.OwnersOnly(action.Name) && !slices.Contains(o.actions, action.Name)
	})
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// of is what is left of a statement; none: nothing. wider are the patterns of
// resources on all of which what is asked is let through.
func (o askedOf) of(s iampolicy.Statement) (left []iampolicy.Statement, wider []string) {
	if len(s.NotResource) > 0 || slices.Contains(s.Resource, "*") {
		left = o.ofEverything(s)
	} else {
		left, wider = o.ofSome(s)
	}
	if other, ok := o.otherListings(s); ok {
		left = append(left, other)
	}
	for i := range left {
		left[i].Action = o.applying(left[i].Action, left[i].Resource)
	}
	return slices.DeleteFunc(left, func(s iampolicy.Statement) bool { return len(s.Action)+len(s.NotAction) == 0 }), wider
}

// applying are the actions that may be on some of the resources, or of a bucket
// and its objects where all but some are named: a bucket policy with others S3
// does not take.
func (o askedOf) applying(actions, resources []string) []string {
	if !o.ofBucket {
		return actions
	}
	return slices.DeleteFunc(slices.Clone(actions), func(p string) bool {
		return !slices.ContainsFunc(iampolicy.MatchS3Actions(p), func(action iampolicy.S3Action) bool {
			if len(resources) == 0 {
				return action.Level == iampolicy.BucketLevel || action.Level == iampolicy.ObjectLevel
			}
			return slices.ContainsFunc(resources, func(resource string) bool { return worksOn(action, resource) })
		})
	})
}

// ofEverything is what is left of a statement about all resources, or all but
// some.
func (o askedOf) ofEverything(s iampolicy.Statement) (left []iampolicy.Statement) {
	without := s // what is asked
	without.Resource, without.NotResource = nil, sorted(append(slices.Clone(s.NotResource), o.resources...))
	if rest, ok := o.otherActions(s); ok {
		if len(rest.Action)+len(rest.NotAction) > 0 {
			left = append(left, rest)
		}
		without.Action, without.NotAction = o.theirs(s), nil
		return append(left, without)
	}
	spared := func(not string) bool { // a part of what is asked
		return slices.ContainsFunc(o.resources, func(resource string) bool { return iampolicy.MatchText(resource, not) })
	}
	if slices.ContainsFunc(s.NotResource, spared) {
		rest := s
		rest.Action = o.actionsBeside(s, "", nil)
		without.Action, without.NotAction = o.theirs(s), nil
		return append(left, rest, without)
	}
	return append(append(left, without), o.others(s, o.resources)...)
}

// ofSome is what is left of a statement about some resources.
func (o askedOf) ofSome(s iampolicy.Statement) (left []iampolicy.Statement, wider []string) {
	var hit, miss, all []string
	for _, resource := range s.Resource {
		switch inside := slices.ContainsFunc(o.resources, func(asked string) bool { return iampolicy.MatchText(asked, resource) }); {
		case !o.holds(resource):
			miss = append(miss, resource)
			continue
		case inside:
		case o.isEverything(resource):
			all = append(all, resource)
		default:
			wider = append(wider, resource)
		}
		hit = append(hit, resource)
	}
	if len(miss) > 0 {
		other := s
		other.Resource = miss
		left = append(left, other)
	}
	left = append(left, o.others(s, hit)...)
	if len(all) > 0 {
		elsewhere := s
		elsewhere.Action, elsewhere.NotAction = slices.DeleteFunc(o.theirs(s), func(action string) bool { return serviceOfAction(action) != "s3" }), nil
		elsewhere.Resource, elsewhere.NotResource = nil, sorted(append(slices.Clone(o.resources), miss...))
		left = append(left, elsewhere)
	}
	return left, wider
}

// holds reports whether a pattern of resources is about what is asked, or about
// a part of what is promised.
func (o askedOf) holds(pattern string) bool {
	loose := iampolicy.Loosen(pattern, func(string) bool { return false }, false)
	if g, ok := iampolicy.Expand(loose, nil, o.version == iampolicy.Version2012); ok && slices.ContainsFunc(o.plain, func(promised string) bool {
		base, isMore := strings.CutSuffix(promised, "*")
		return isMore && len(glob{Glob: g}.reached([]rune(base))) > 0
	}) {
		return true
	}
	anybody := iampolicy.Caller{Kind: iampolicy.User, ARN: "arn:" + o.partition + ":iam::" + otherAccount("") + ":user/anybody", Account: otherAccount("")}
	return slices.ContainsFunc(o.requests, func(a asked) bool {
		a.req.Caller = anybody
		return allows(iampolicy.SideIdentity, a.req, o.version, iampolicy.Statement{Effect: iampolicy.Allow, Action: []string{"*"}, Resource: []string{pattern}})
	})
}

// isEverything reports whether a pattern is all resources of S3 that a policy can be
// about at all: then NotResource takes some of them out.
func (o askedOf) isEverything(pattern string) bool {
	s3 := "arn:" + o.partition + ":s3:::"
	path, ok := strings.CutPrefix(pattern, s3)
	return ok && (path == "*" || o.ofBucket && strings.HasSuffix(path, "/*") && !strings.ContainsAny(strings.TrimSuffix(path, "/*"), "/*?$"))
}

// theirs are the actions of a statement that are asked, as it writes them where
// it can.
func (o askedOf) theirs(s iampolicy.Statement) []string {
	var list []string
	rest := slices.Clone(o.patterns)
	for _, p := range s.Action {
		if p != "*" && o.isAsked(p) && (!iampolicy.HasWildcard(p) || serviceOfAction(p) == "s3" && o.isAll(p)) {
			list = append(list, p)
			rest = slices.DeleteFunc(rest, func(action string) bool { return iampolicy.MatchAction(p, action) })
		}
	}
	return sorted(append(list, rest...))
}

func (o askedOf) isAsked(pattern string) bool {
	return slices.ContainsFunc(o.actions, func(action string) bool { return iampolicy.MatchAction(pattern, action) })
}

// otherActions is a statement without the actions that are asked, on the same
// resources; false: that cannot be said.
func (o askedOf) otherActions(s iampolicy.Statement) (iampolicy.Statement, bool) {
	switch {
	case len(s.NotAction) > 0:
		s.NotAction = sorted(append(slices.Clone(s.NotAction), o.patterns...))
		return s, true
	case slices.Contains(s.Action, "*"):
		s.Action, s.NotAction = nil, o.patterns
		return s, true
	}
	isPattern := func(p string) bool {
		return o.isAsked(p) && iampolicy.HasWildcard(p) && (serviceOfAction(p) != "s3" || !o.isAll(p))
	}
	if slices.ContainsFunc(s.Action, isPattern) {
		return s, false
	}
	s.Action = slices.DeleteFunc(slices.Clone(s.Action), o.isAsked)
	return s, true
}

// others are a statement without the actions that are asked, on some resources
// alone, by the services that these are of.
func (o askedOf) others(s iampolicy.Statement, resources []string) []iampolicy.Statement {
	var left []iampolicy.Statement
	for _, service := range []string{"s3", "kms"} {
		one := s
		one.NotResource = nil
		one.Resource = slices.DeleteFunc(slices.Clone(resources), func(resource string) bool { return iampolicy.CutARN(resource).Service != service })
		if len(one.Resource) == 0 {
			continue
		}
		switch {
		case len(s.NotAction) > 0:
			one.NotAction = sorted(append(slices.Clone(s.NotAction), o.patterns...))
		case slices.ContainsFunc(s.Action, func(p string) bool { return p == "*" || strings.EqualFold(p, service+":*") }):
			// On these resources there are actions of this service only.
			one.Action, one.NotAction = nil, slices.DeleteFunc(slices.Clone(o.patterns), func(action string) bool { return serviceOfAction(action) != service })
			if slices.Contains(one.NotAction, service+":*") {
				continue
			}
		default:
			one.Action = o.actionsBeside(s, service, one.Resource)
		}
		if len(one.Action)+len(one.NotAction) > 0 {
			left = append(left, one)
		}
	}
	return left
}

func serviceOfAction(action string) string {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return service
}

// actionsBeside are the actions of a service that a statement is about and that
// are not asked, on some resources. Without a service they are those of all, on
// all resources.
func (o askedOf) actionsBeside(s iampolicy.Statement, service string, resources []string) (list []string) {
	for _, p := range s.Action {
		switch {
		case service != "" && !iampolicy.MatchText(serviceOfAction(p), service):
		case !o.isAsked(p):
			list = append(list, p)
		case !iampolicy.HasWildcard(p):
		case serviceOfAction(p) == "kms":
			for _, action := range keyActions {
				if !o.isAsked(action) && iampolicy.MatchAction(p, action) {
					list = append(list, action)
				}
			}
		default:
			var names []string
			for _, action := range iampolicy.MatchS3Actions(p) {
				if !o.isAsked(action.Name) && (service == "" || slices.ContainsFunc(resources, func(resource string) bool { return worksOn(action, resource) })) {
					names = append(names, action.Name)
				}
			}
			list = append(list, o.shorter(p, names)...)
		}
	}
	return sorted(list)
}

// shorter are patterns within one of actions, for many of those that it matches:
// each by the shortest beginning that none has which is asked.
func (o askedOf) shorter(within string, names []string) []string {
	const few = 6
	beginning, ok := strings.CutSuffix(within, "*")
	if !ok || iampolicy.HasWildcard(beginning) || len(names) <= few {
		return names
	}
	names = slices.Clone(names)
	for n, name := range names {
		for i := len(beginning) + 1; i < len(name); i++ {
			if !o.isAsked(name[:i] + "*") {
				names[n] = name[:i] + "*"
				break
			}
		}
	}
	return names
}

// keyActions are those with which data keys and data are made and read.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
var keyActions = []string{
	"kms:Decrypt", "kms:DeriveSharedSecret", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext",
	"kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateMac", "kms:GetPublicKey", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:Sign", "kms:Verify", "kms:VerifyMac",
}

// worksOn reports whether an action may be on what a pattern of S3's resources
// stands for.
func worksOn(action iampolicy.S3Action, pattern string) bool {
	_, path, _ := strings.Cut(pattern, ":::")
	switch action.Level {
	case iampolicy.ObjectLevel:
		return strings.ContainsAny(path, "/*")
	case iampolicy.BucketLevel:
		return !strings.Contains(path, "/")
	}
	return false
}

// otherListings keeps listings denied of other prefixes than those that are
// asked.
func (o askedOf) otherListings(s iampolicy.Statement) (iampolicy.Statement, bool) {
	within := func(c iampolicy.Condition) bool { // the statement is about nothing else
		op, ok := iampolicy.CompareTexts(c.Operator)
		return ok && !op.Negated && strings.EqualFold(c.Key, prefixKey) && !slices.ContainsFunc(c.Values, func(value string) bool {
			return !slices.ContainsFunc(o.prefixes, func(prefix string) bool { return iampolicy.MatchText(prefix, value) })
		})
	}
	if len(o.listings) == 0 || slices.ContainsFunc(s.Condition, within) {
		return s, false
	}
	s.Action, s.NotAction, s.NotResource = o.listings, nil, nil
	s.Resource = slices.DeleteFunc(slices.Clone(o.resources), func(resource string) bool {
		_, path, isS3 := strings.Cut(resource, ":s3:::")
		return !isS3 || strings.Contains(path, "/")
	})
	return withCondition(s, "StringNotLike", prefixKey, o.prefixes...), true
}
