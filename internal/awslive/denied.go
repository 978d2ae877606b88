package awslive

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/xshare/xshare/internal/iampolicy"
)

// layer is the kind of policy that decided a refusal, as AWS's messages call
// it; empty where they do not say, as across accounts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type layer string

const (
	layerIdentity layer = "identity-based policy"
	layerResource layer = "resource-based policy"
	layerTrust    layer = "role trust policy"
	layerSCP      layer = "service control policy"
	layerRCP      layer = "resource control policy"
	layerBoundary layer = "permissions boundary"
	layerSession  layer = "session policy"
	layerEndpoint layer = "vpc endpoint policy"
)

const layerNames = `(identity-based policy|resource-based policy|role trust policy|service control policy|resource control policy|permissions boundary|session policy|vpc endpoint policy)`

var (
	explicitDeny = regexp.MustCompile(`(?i)with an explicit deny in (?:an?|the) ` + layerNames)
	noneAllows   = regexp.MustCompile(`(?i)because no ` + layerNames + ` allows`)
)

// refusal is why AWS refused a call.
type refusal struct {
	layer    layer
	explicit bool // a statement denies it; otherwise none allows it
}

// refusalOf reads AWS's message.
func refusalOf(err error) refusal {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return refusal{}
	}
	if found := explicitDeny.FindStringSubmatch(e.ErrorMessage()); found != nil {
		return refusal{layer(strings.ToLower(found[1])), true}
	}
	if found := noneAllows.FindStringSubmatch(e.ErrorMessage()); found != nil {
		return refusal{layer(strings.ToLower(found[1])), false}
	}
	return refusal{}
}

// deniedMend says how to mend that actions on a resource are refused to this
// client.
func (s *session) deniedMend(err error, actions, resource string) string {
	who, r := s.principal(), refusalOf(err)
	if r.layer == layerSession && s.client.options.ReadOnly && s.account.ReadRole == "" && s.role != noRole {
		return "this command only reads, and narrows its session of " + who + " to that: state a readRole with the read permissions that xshare documents"
	}
	return r.mend(who, s.account.ID, actions, resource)
}

// mend says how to mend that actions on a resource are refused to a principal of
// an account: in the layer that AWS names, by whoever may change that.
func (r refusal) mend(who, account, actions, resource string) string {
	// is it denied there, or not allowed?
	either := func(denied, lacking string) string {
		if r.explicit {
			return denied
		}
		return lacking
	}
	switch r.layer {
	case layerIdentity:
		return either("a policy of "+who+" denies "+actions+" on "+resource+": take that Deny out, or except this resource from it",
			"allow "+actions+" on "+resource+" to "+who+" in a policy of its own")
	case layerResource:
		return either(denyingResource(resource, who, account),
			"allow "+actions+" to "+who+" in the policy of "+resource+" itself")
	case layerTrust:
		return either("the trust policy of "+resource+" denies "+actions+" to "+who+": except that principal from the Deny",
			"allow "+actions+" to "+who+" in the trust policy of "+resource)
	case layerSCP:
		return either("a service control policy over account "+account+" denies "+actions+" to "+who+": have the organization's management account except that role from it; nothing in the account itself can",
			"no service control policy over account "+account+" allows "+actions+": have the organization's management account allow it at every level above the account")
	case layerRCP:
		account = cmp.Or(iampolicy.CutARN(resource).Account, account) // the resource's
		return either("a resource control policy over account "+account+" denies "+actions+" on "+resource+": have the organization's management account except "+who+" from it; nothing in the account itself can",
			"no resource control policy over account "+account+" allows "+actions+": have the organization's management account attach RCPFullAWSAccess again")
	case layerBoundary:
		return either("the permissions boundary of "+who+" denies "+actions+" on "+resource+": take that Deny out of the boundary",
			"allow "+actions+" on "+resource+" in the permissions boundary of "+who+", too")
	case layerSession:
		return either("the session that xshare runs in has a session policy that denies "+actions+": use credentials without that",
			"the session that xshare runs in has a session policy that does not allow "+actions+" on "+resource+": use credentials without one, or widen it")
	case layerEndpoint:
		return either("the policy of the VPC endpoint that this machine's calls pass denies "+actions+" on "+resource+": except "+who+" there, or call from elsewhere",
			"allow "+actions+" on "+resource+" to "+who+" in the policy of the VPC endpoint that this machine's calls pass, or call from elsewhere")
	}
	return "allow " + actions + " on " + resource + " to " + who + ", and see that no policy of that account denies it"
}

// denyingResource is the mend of a Deny in a resource's own policy. That of a
// bucket can always be read and put by the root user of its account.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
func denyingResource(resource, who, account string) string {
	_, s3, isS3 := strings.Cut(resource, ":s3:::")
	if !isS3 {
		return "the policy of " + resource + " itself denies it: have " + who + " excepted from that Deny by somebody who may change the policy"
	}
	bucket, _, _ := strings.Cut(s3, "/")
	return "a Deny in the policy of bucket " + bucket + " itself keeps " + who + " out: except xshare's roles (deployRole and readRole) from that statement; " +
		"a principal whom it does not deny may change the policy, and the root user of account " + account + " always can"
}
