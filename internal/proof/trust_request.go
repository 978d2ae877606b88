package proof

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// request is a call by which a trustee would have the role, with the condition
// keys whose values are sure; known tells which others the call certainly does
// not have. Where a trustee is many, it is any of them.
func (t *trust) request(who trustee, action string) (req iampolicy.Request, known func(string) bool) {
	account := t.grant.Consumer.Account.ID
	context := map[string][]string{"aws:SecureTransport": {"true"}, "aws:ResourceAccount": {account}}
	req = iampolicy.Request{
		Caller: iampolicy.Caller{Kind: iampolicy.Service, ARN: "anybody"},
		Action: action, Resource: t.grant.RoleARN, ResourceAccount: account, Context: context,
	}
	var absent []string // those that end in a slash go on
	caller := ""
	switch who.kind {
	case "Service":
		req.Caller.ARN = who.name
		context["aws:PrincipalIsAWSService"], context["aws:PrincipalServiceName"], context["aws:ViaAWSService"] = []string{"true"}, []string{who.name}, []string{"false"}
		absent = []string{"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/", "aws:username", "aws:multifactorauthpresent", "aws:multifactorauthage", "sts:externalid"}
		if sendsSource[strings.TrimSuffix(who.name, ".cn")] {
			context["aws:SourceAccount"] = []string{account}
		}
	case "AWS":
		if caller, _ = accountOf(who.name); caller == "" {
			break // the id of one who was deleted, or nobody
		}
		context["aws:PrincipalAccount"], context["aws:PrincipalIsAWSService"] = []string{caller}, []string{"false"}
		absent = []string{"aws:principalservicename", "aws:principalservicenameslist"}
		req.Caller = t.callerOf(who, caller, context, &absent)
	}
	if who.kind != "Service" { // of which AWS does not say that it has them
		absent = append(absent, "aws:resourcetag/", "iam:resourcetag/")
		for k, v := range t.role.Tags {
			context["aws:ResourceTag/"+k], context["iam:ResourceTag/"+k] = []string{v}, []string{v}
		}
	}
	t.organizationKeys(context, caller, account)
	if now := t.now(caller); !now.IsZero() {
		context["aws:CurrentTime"], context["aws:EpochTime"] = []string{now.UTC().Format(time.RFC3339)}, []string{strconv.FormatInt(now.Unix(), 10)}
	}
	have := map[string]bool{}
	for key := range context {
		have[strings.ToLower(key)] = true
	}
	return req, func(key string) bool {
		key = strings.ToLower(key)
		return have[key] || slices.ContainsFunc(absent, func(name string) bool {
			return key == name || strings.HasSuffix(name, "/") && strings.HasPrefix(key, name)
		})
	}
}

// callerOf is a trustee of an account who makes the call, or one of an account
// of whom nothing is known.
func (t *trust) callerOf(who trustee, account string, context map[string][]string, absent *[]string) iampolicy.Caller {
	a := iampolicy.CutARN(who.name)
	kind, name, _ := strings.Cut(a.Resource, "/")
	sessions := "arn:" + t.plan.Partition + ":sts::" + account + ":assumed-role/"
	caller := iampolicy.Caller{Kind: iampolicy.Session, Account: account, ARN: sessions + sessionName + "/" + sessionName}
	switch {
	case a.Service == "iam" && kind == "user":
		context["aws:PrincipalType"], context["aws:PrincipalArn"] = []string{"User"}, []string{who.name}
		context["aws:username"] = []string{name[strings.LastIndex(name, "/")+1:]}
		return iampolicy.Caller{Kind: iampolicy.User, Account: account, ARN: who.name}
	case a.Service == "iam" && kind == "role":
		context["aws:PrincipalArn"] = []string{who.name}
		caller.RoleARN, caller.ARN = who.name, sessions+name[strings.LastIndex(name, "/")+1:]+"/"+sessionName
	case a.Service == "sts" && kind == "assumed-role":
		caller.ARN = who.name
	default:
		return caller
	}
	context["aws:PrincipalType"] = []string{"AssumedRole"}
	*absent = append(*absent, "aws:username")
	return caller
}

// sendsSource are the services that say for whose sake they assume roles.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
var sendsSource = map[string]bool{"ecs-tasks.amazonaws.com": true}

// margin is how near a date may be for which it is not decided whether it is
// over: clocks differ, and what is proved is to hold for a while.
const margin = 24 * time.Hour

// now is when the role was read; zero: that is not known, or a date in the
// policies over it, or over the account of who is to have it, is too near.
func (t *trust) now(caller string) time.Time {
	account := t.grant.Consumer.Account.ID
	snap := t.snapshots[account]
	if snap == nil || snap.At.IsZero() {
		return time.Time{}
	}
	policies := []iampolicy.Named{{Document: t.document}}
	for _, level := range slices.Concat(t.serviceControl(account).levels, t.serviceControl(caller).levels, t.resourceControl(account).levels) {
		policies = append(policies, level.policies...)
	}
	for _, named := range policies {
		for _, s := range named.Document.Statements {
			for _, c := range s.Condition {
				if !isDate(c.Key) {
					continue
				}
				for _, value := range c.Values {
					if at, ok := iampolicy.ParseDate(value); ok && at.Sub(snap.At).Abs() < margin {
						return time.Time{}
					}
				}
			}
		}
	}
	return snap.At
}

// isDate tells the condition keys that say when a call is made.
func isDate(key string) bool {
	return strings.EqualFold(key, "aws:CurrentTime") || strings.EqualFold(key, "aws:EpochTime")
}
