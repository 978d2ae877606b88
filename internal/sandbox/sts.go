package sandbox

import (
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// newSTS is the STS service.
func newSTS(*Server) *service {
	ops := operations{
		"GetCallerIdentity": {run: getCallerIdentity},
		"AssumeRole": {
			params: []string{"RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy", "PolicyArns.member.N.arn"},
			run:    assumeRole,
		},
	}
	v := queryService("sts", stsNamespace, ops, []string{"RoleArn"})
	v.refusals = queryRefusals()
	return v
}

// getCallerIdentity needs no permission: not even an explicit deny stops it
// (STS API reference, GetCallerIdentity).
func getCallerIdentity(c *call, _ params) (any, error) {
	c.resource = c.caller.ARN
	return struct {
		UserID  string `xml:"UserId"`
		Account string
		ARN     string `xml:"Arn"`
	}{c.caller.userID, c.caller.Account, c.caller.ARN}, nil
}

type credentialsXML struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      timestamp
}

type assumeRoleXML struct {
	Credentials     credentialsXML
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		ARN           string `xml:"Arn"`
	}
	PackedPolicySize int `xml:",omitempty"`
}

var (
	sessionNameForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDForm  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
)

// maxChained is the longest session of a role assumed by a role
// (IAM:id_roles, role chaining).
const maxChained = 3600

// assumeRole follows the STS API reference, AssumeRole. A role that does not
// exist is answered like one that does not trust the caller.
func assumeRole(c *call, p params) (any, error) {
	arn, name := p.get("RoleArn"), p.get("RoleSessionName")
	if err := required(p, "RoleArn", "RoleSessionName"); err != nil {
		return nil, err
	}
	if !sessionNameForm.MatchString(name) {
		return nil, constraint(name, "roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*, and have length between 2 and 64`)
	}
	account, resource := splitIAM(arn)
	if !accountKey.MatchString(account) || len(resource) < len("role/x") || resource[:len("role/")] != "role/" {
		return nil, fault(http.StatusBadRequest, "ValidationError", "%s is invalid", arn)
	}
	if id := p.get("ExternalId"); p.has("ExternalId") && (len(id) < 2 || len(id) > 1224 || !externalIDForm.MatchString(id)) {
		return nil, constraint(id, "externalId", `Member must satisfy regular expression pattern: [\w+=,.@:\/-]*, and have length between 2 and 1224`)
	}
	seconds, err := duration(p, 3600, 900, 43200)
	if err != nil {
		return nil, err
	}
	policies, size, err := sessionPolicies(c, p, account)
	if err != nil {
		return nil, err
	}
	role, err := authorizeAssume(c, arn, account, name, p)
	if err != nil {
		return nil, err
	}
	if c.caller.session != nil && seconds > maxChained {
		return nil, fault(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	if seconds > role.MaxSession {
		return nil, fault(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	v := c.server.issueSession(role, name, time.Duration(seconds)*time.Second, policies, c.now)
	out := assumeRoleXML{
		Credentials:      credentialsXML{v.Key, v.Secret, v.Token, timestamp{v.Expires}},
		PackedPolicySize: size,
	}
	out.AssumedRoleUser.AssumedRoleID = role.ID + ":" + name
	out.AssumedRoleUser.ARN = c.server.sessionARN(role, name)
	return out, nil
}

// authorizeAssume asks the role's trust policy and the caller's own policies.
func authorizeAssume(c *call, arn, account, name string, p params) (*role, error) {
	need := permission{
		action: "sts:AssumeRole", resource: arn, account: account,
		context: map[string][]string{"sts:RoleSessionName": {name}},
	}
	if p.has("ExternalId") {
		need.context["sts:ExternalId"] = p["ExternalId"]
	}
	role := c.server.findRole(arn)
	trust := &iampolicy.Document{Version: iampolicy.Version2012} // of a role that does not exist: trusts nobody
	if role != nil {
		for _, t := range role.Tags {
			need.context["aws:ResourceTag/"+t.Key] = []string{t.Value}
			need.context["iam:ResourceTag/"+t.Key] = []string{t.Value}
		}
		var err error
		if trust, err = c.server.parsed(role.Trust); err != nil {
			return nil, err
		}
	}
	need.policy = &iampolicy.Named{Name: "trust policy of " + arn, Document: trust}
	if err := c.authorize(need); err != nil {
		return nil, err
	}
	return role, nil
}

// maxSessionPolicy is the size of the session policy and the ARNs together
// (IAM:reference_iam-quotas).
const maxSessionPolicy = 2048

// sessionPolicies are the texts of Policy and PolicyArns, with their packed
// size in per cent.
func sessionPolicies(c *call, p params, account string) (texts []string, size int, err error) {
	length := 0
	if p.has("Policy") {
		text := p.get("Policy")
		if err := identityDocument(text); err != nil {
			return nil, 0, err
		}
		texts, length = append(texts, text), iampolicy.Size([]byte(text))
	}
	arns := p.list("PolicyArns.member", "arn")
	if len(arns) > 10 {
		return nil, 0, constraint("["+strconv.Itoa(len(arns))+" ARNs]", "policyArns", "Member must have length less than or equal to 10")
	}
	for _, arn := range arns {
		v, err := c.usablePolicy(arn, account, malformed("PolicyArns: the policy %s does not exist in the account %s", arn, account))
		if err != nil {
			return nil, 0, err
		}
		texts = append(texts, v.current().Text)
		length += len(arn)
	}
	if length > maxSessionPolicy {
		return nil, 0, fault(http.StatusBadRequest, "PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space, please use smaller policy.", length*100/maxSessionPolicy)
	}
	if len(texts) > 0 {
		size = max(1, length*100/maxSessionPolicy)
	}
	return texts, size, nil
}

// duration is DurationSeconds, or its default.
func duration(p params, otherwise, least, most int) (int, error) {
	if !p.has("DurationSeconds") {
		return otherwise, nil
	}
	n, err := strconv.Atoi(p.get("DurationSeconds"))
	if err != nil {
		return 0, fault(http.StatusBadRequest, "MalformedInput", "DurationSeconds: %q is not a number", p.get("DurationSeconds"))
	}
	if n < least {
		return 0, constraint(strconv.Itoa(n), "durationSeconds", "Member must have value greater than or equal to "+strconv.Itoa(least))
	}
	if n > most {
		return 0, constraint(strconv.Itoa(n), "durationSeconds", "Member must have value less than or equal to "+strconv.Itoa(most))
	}
	return n, nil
}
