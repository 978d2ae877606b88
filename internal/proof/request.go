package proof

import (
	"maps"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// sampleKey stands for any object under a prefix; see prover.calls.
const sampleKey = "xshare-proof"

// sessionName is the name of the session that proofs imagine. No session can
// have it, as names have no space in them, so no policy can be about this one:
// neither let it in in the role's place, nor spare it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const sessionName = "any session"

// call is one S3 call that a grant promises.
type call struct {
	action   string
	resource string
	context  map[string]string
	promised string // the resource pattern of the grant that resource stands for
	open     string // why resource, or the listing, does not stand for all of it; empty: it does
}

// calls takes a grant's statements apart into one call for each action on each
// kind of resource: the bucket, or one object under each prefix. A listing that
// is held to prefixes is tried at each prefix and below it.
func calls(g plan.Grant) []call {
	crossAccount := g.Consumer.Account.ID != g.Bucket.Account.ID
	var list []call
	for _, pair := range g.Pairs {
		for _, name := range pair.Statement.Action {
			for _, action := range iampolicy.MatchS3Actions(name) {
				if crossAccount && iampolicy.OwnersOnly(action.Name) {
					continue
				}
				list = append(list, callsOf(action, pair.Statement)...)
			}
		}
	}
	return list
}

func callsOf(action iampolicy.S3Action, s iampolicy.Statement) []call {
	var list []call
	for _, resource := range s.Resource {
		_, path, _ := strings.Cut(resource, ":s3:::")
		isObject := strings.Contains(path, "/")
		c := call{action: action.Name, resource: sample(resource), promised: resource}
		switch {
		case action.Level == iampolicy.ObjectLevel && isObject:
			list = append(list, c)
		case action.Level == iampolicy.BucketLevel && !isObject:
			list = append(list, c.under(s.Condition)...)
		}
	}
	return list
}

// under is the call with each value of the condition on s3:prefix, if any.
func (c call) under(conditions []iampolicy.Condition) []call {
	var list []call
	for _, condition := range conditions {
		for _, value := range condition.Values {
			one := c
			one.context = map[string]string{condition.Key: sample(value)}
			list = append(list, one)
		}
	}
	if list == nil {
		return []call{c}
	}
	return list
}

// sample is a text that a pattern of ours, which has no wildcard but a last *,
// matches.
func sample(pattern string) string {
	if rest, ok := strings.CutSuffix(pattern, "*"); ok {
		return rest + sampleKey
	}
	return pattern
}

// request is the call made by a session of the grant's role. It has the
// condition keys whose values are sure.
func (p *prover) request(g plan.Grant, role *plan.LiveRole, c call) iampolicy.Request {
	context := map[string][]string{
		"aws:PrincipalArn":          {g.RoleARN},
		"aws:PrincipalAccount":      {g.Consumer.Account.ID},
		"aws:PrincipalType":         {"AssumedRole"},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
		"aws:ResourceAccount":       {g.Bucket.Account.ID},
		"s3:ResourceAccount":        {g.Bucket.Account.ID},
		"aws:SecureTransport":       {"true"},
	}
	caller := iampolicy.Caller{
		Kind:    iampolicy.Session,
		ARN:     "arn:" + p.plan.Partition + ":sts::" + g.Consumer.Account.ID + ":assumed-role/" + g.Consumer.Role.Name + "/" + sessionName,
		Account: g.Consumer.Account.ID,
		RoleARN: g.RoleARN,
	}
	if role != nil {
		caller.UniqueID = role.UniqueID
		if !p.tagged(role) {
			for k, v := range role.Tags {
				context["aws:PrincipalTag/"+k] = []string{v}
			}
		}
	}
	if region := p.bucketRegion(g); region != "" {
		context["aws:RequestedRegion"] = []string{region}
	}
	for k, v := range c.context {
		context[k] = []string{v}
	}
	p.organizationKeys(context, g.Consumer.Account.ID, g.Bucket.Account.ID)
	return iampolicy.Request{
		Caller: caller, Action: c.action, Resource: c.resource,
		ResourceAccount: g.Bucket.Account.ID, Context: context,
	}
}

// absent are keys that such a call certainly does not have.
var absent = []string{"s3:prefix", "aws:username", "aws:principalservicename", "aws:sourceaccount", "aws:sourcearn"}

// known tells whether a proof knows a condition key's value, or that the call
// does not have it. All else, such as an IP address, only a real call has; and
// the tags of a caller that was not read, or whose sessions may have their own,
// are not known either.
func (s *sides) known(req iampolicy.Request) func(key string) bool {
	keys := map[string]bool{}
	for _, k := range absent {
		keys[k] = true
	}
	for k := range maps.Keys(req.Context) {
		keys[strings.ToLower(k)] = true
	}
	tags := !s.tagged && (req.Caller.UniqueID != "" && req.Caller.UniqueID != unreadID || req.Caller.Kind == iampolicy.Anonymous || req.Caller.Kind == iampolicy.Service)
	onKey := strings.HasPrefix(req.Action, "kms:") // to which S3's own keys do not go
	return func(key string) bool {
		key = strings.ToLower(key)
		return keys[key] || tags && strings.HasPrefix(key, "aws:principaltag/") || onKey && strings.HasPrefix(key, "s3:")
	}
}
