package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// credential is what a request says about who signed it. The signature itself
// is not verified: there is nothing here to protect, and the secret of a
// 12-digit key would be a fixed one anyway.
type credential struct {
	key       string // access key id; empty: unsigned
	token     string // session token
	region    string
	service   string
	presigned bool
}

// parseCredential reads SigV4 (and SigV4A) from the Authorization header or
// from a presigned URL.
func parseCredential(r *http.Request) (credential, error) {
	scope, c := "", credential{token: r.Header.Get("X-Amz-Security-Token")}
	if h := r.Header.Get("Authorization"); h != "" {
		algorithm, rest, _ := strings.Cut(h, " ")
		if !strings.HasPrefix(algorithm, "AWS4-") {
			return credential{}, notImplemented("the Authorization scheme %s: sign with AWS Signature Version 4", algorithm)
		}
		for part := range strings.SplitSeq(rest, ",") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential="); ok {
				scope = v
			}
		}
	} else if q := r.URL.Query(); q.Has("X-Amz-Credential") {
		scope, c.token, c.presigned = q.Get("X-Amz-Credential"), q.Get("X-Amz-Security-Token"), true
	} else {
		return credential{}, nil
	}
	parts := strings.Split(scope, "/")
	n := len(parts)
	switch {
	case n == 5 && parts[4] == "aws4_request":
		c.region, c.service = parts[2], parts[3]
	case n == 4 && parts[3] == "aws4_request": // SigV4A: no region
		c.service = parts[2]
	default:
		return credential{}, fault(http.StatusBadRequest, "IncompleteSignature", "the credential scope %q is not KEY/DATE/REGION/SERVICE/aws4_request", scope)
	}
	c.key = parts[0]
	return c, nil
}

// caller is who makes a call.
type caller struct {
	iampolicy.Caller
	userID  string   // as aws:userid has it: AIDA…, or AROA…:session
	session *session // of a role; nil: the caller is none
	user    *user    // nil: the caller is none
}

// session is a set of temporary credentials of a role.
type session struct {
	Key, Secret, Token string
	Account            string
	Role, RoleID       string   // the role's name and unique id
	Name               string   // the role session's name
	Policies           []string `json:",omitempty"` // session policies' texts
	Expires            time.Time
	// Source is set for sessions of an instance's metadata service: the
	// instance's ARN, which requests have as ec2:SourceInstanceARN.
	Source string `json:",omitempty"`
}

// issueSession makes credentials for a role that last until the clock has
// passed d. Whether the caller may have them is for the caller to decide.
func (s *Server) issueSession(r *role, name string, d time.Duration, policies []string, now time.Time) *session {
	key, secret, token := s.secret(r.Account, r.Name, name)
	v := &session{
		Key: key, Secret: secret, Token: token, Account: r.Account,
		Role: r.Name, RoleID: r.ID, Name: name, Policies: policies, Expires: now.Add(d).Truncate(time.Second),
	}
	s.world.Sessions[key] = v
	s.store.touch()
	return v
}

// forgetSessions drops sessions that ended long ago, so that a state file that
// is used for months does not grow with them.
func (s *Server) forgetSessions() {
	for k, v := range s.world.Sessions {
		if s.now().Sub(v.Expires) > 24*time.Hour {
			delete(s.world.Sessions, k)
		}
	}
}

var accountKey = regexp.MustCompile(`^[0-9]{12}$`)

// identify finds out who makes a call, and refuses unknown and expired keys.
func (s *Server) identify(c *call) error {
	key := c.credential.key
	c.now = s.now()
	switch {
	case c.unreadable != nil:
		return c.unreadable
	case key == "":
		c.caller = caller{Caller: iampolicy.Caller{Kind: iampolicy.Anonymous}}
		if !c.service.anonymous {
			return refusal(c.service.unsigned)
		}
		return nil
	case accountKey.MatchString(key):
		c.caller = userCaller(s.admin(s.world.account(s, key)))
		return nil
	}
	if k := s.world.AccessKeys[key]; k != nil {
		c.caller = userCaller(s.world.account(s, k.Account).Users[k.User]) // who has keys is not deleted
		if c.credential.token != "" {
			return refusal(c.service.badToken)
		}
		return nil
	}
	v, ok := s.world.Sessions[key]
	if !ok {
		return refusal(c.service.unknownKey)
	}
	if v.Token != c.credential.token {
		return refusal(c.service.badToken)
	}
	r := s.world.account(s, v.Account).Roles[v.Role]
	if r == nil || r.ID != v.RoleID { // deleted since, or made again
		return refusal(c.service.unknownKey)
	}
	c.caller = caller{session: v, userID: r.ID + ":" + v.Name, Caller: iampolicy.Caller{
		Kind: iampolicy.Session, ARN: s.sessionARN(r, v.Name), Account: v.Account, RoleARN: r.ARN, UniqueID: r.ID,
	}}
	if !c.now.Before(v.Expires) {
		return refusal(c.service.expired)
	}
	return nil
}

func refusal(e apiError) error { return &e }

func userCaller(u *user) caller {
	return caller{user: u, userID: u.ID, Caller: iampolicy.Caller{
		Kind: iampolicy.User, ARN: u.ARN, Account: u.Account, UniqueID: u.ID,
	}}
}

// permission is what a call needs.
type permission struct {
	action   string // "s3:GetObject"
	resource string // ARN, or "*"
	account  string // that owns the resource; empty: the caller's
	// policy is the resource's own policy with a name for people; nil: none.
	policy  *iampolicy.Named
	context map[string][]string // condition keys beside those that every request has
	// restrictPublic is S3's RestrictPublicBuckets in effect.
	restrictPublic bool
	// via is the AWS service that makes the call in the caller's name, such as
	// "s3.us-east-1.amazonaws.com"; empty: the caller itself makes it.
	via string
}

// authorize asks whether the caller has a permission. It gives nil, or the
// denial in the service's words; the journal shows the last one asked for,
// and the first that was denied.
func (c *call) authorize(p permission) error {
	if p.account == "" {
		p.account = c.caller.Account
	}
	d := c.decide(p)
	c.resource, c.decision = p.resource, string(d.Outcome)
	if d.Allowed() {
		return nil
	}
	return c.service.denied(newDenial(c.caller, p, d))
}

// decide evaluates without a trace in the journal, for answers that depend on
// a permission (such as S3's 403 or 404 for a key that is not there).
func (c *call) decide(p permission) iampolicy.Decision {
	policies, err := c.server.policiesOf(c.caller)
	if err != nil { // a stored document was checked when it was put
		return iampolicy.Decision{Outcome: iampolicy.Invalid}
	}
	if err := c.server.control(&policies, c.caller, p.action, p.account); err != nil {
		return iampolicy.Decision{Outcome: iampolicy.Invalid}
	}
	policies.Resource, policies.RestrictPublicBuckets = p.policy, p.restrictPublic
	keys := c.conditionKeys(p)
	policies.Endpoint = c.server.surroundings.endpointPolicy(keys)
	return iampolicy.Evaluate(iampolicy.Request{
		Caller: c.caller.Caller, Action: p.action, Resource: p.resource, ResourceAccount: p.account, Context: keys,
	}, policies)
}

// holder is the user, or the session's role, whose policies a caller has; nil:
// it is anonymous.
func (s *Server) holder(who caller) *entity {
	switch {
	case who.user != nil:
		return &who.user.entity
	case who.session != nil:
		return &s.world.account(s, who.Account).Roles[who.session.Role].entity
	}
	return nil
}

// policiesOf gathers what limits a caller: SEMANTICS, "two evaluations". A user
// also has the policies of its groups.
func (s *Server) policiesOf(who caller) (p iampolicy.Policies, err error) {
	e := s.holder(who)
	if e == nil {
		return p, nil
	}
	if p.Identity, err = s.identityPolicies(e); err != nil {
		return p, err
	}
	if who.user != nil {
		for _, name := range who.user.Groups {
			list, err := s.identityPolicies(&s.world.account(s, who.Account).Groups[name].entity)
			if err != nil {
				return p, err
			}
			p.Identity = append(p.Identity, list...)
		}
	}
	if e.Boundary != "" {
		if p.Boundary, err = s.managedPolicies("boundary ", e.Boundary); err != nil {
			return p, err
		}
	}
	if who.session != nil {
		for _, text := range who.session.Policies {
			d, err := s.document(text)
			if err != nil {
				return p, err
			}
			p.Session = append(p.Session, iampolicy.Named{Name: "session policy", Document: d})
		}
	}
	return p, nil
}

// document parses a stored document. Documents are immutable, so those in use
// are kept; when there are too many, it starts anew.
func (s *Server) document(text string) (*iampolicy.Document, error) {
	if d := s.documents[text]; d != nil {
		return d, nil
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	if s.documents == nil || len(s.documents) >= maxDocuments {
		s.documents = map[string]*iampolicy.Document{}
	}
	s.documents[text] = d
	return d, nil
}

const maxDocuments = 10000

// conditionKeys are the keys that AWS puts into every request
// (IAM:reference_policies_condition-keys) and those of the permission. The
// sandbox stands for AWS's TLS endpoints, so aws:SecureTransport is true, unless
// /_sandbox/context says otherwise.
func (c *call) conditionKeys(p permission) map[string][]string {
	m := map[string][]string{
		"aws:SecureTransport": {"true"},
		"aws:CurrentTime":     {c.now.Format(time.RFC3339)},
		"aws:EpochTime":       {itoa(c.now.Unix())},
		"aws:ViaAWSService":   {"false"},
	}
	set := func(k, v string) {
		if v != "" {
			m[k] = []string{v}
		}
	}
	set("aws:SourceIp", host(c.RemoteAddr))
	set("aws:UserAgent", c.UserAgent())
	set("aws:Referer", c.Referer())
	set("aws:RequestedRegion", c.credential.region)
	set("aws:ResourceAccount", p.account)
	set("aws:PrincipalAccount", c.caller.Account)
	set("aws:userid", c.caller.userID)
	set("aws:PrincipalIsAWSService", "false")
	c.server.orgKeys(m, c.caller.Account, p.account)
	switch {
	case c.caller.Kind == iampolicy.Anonymous:
		set("aws:PrincipalType", "Anonymous")
		set("aws:userid", "anonymous")
	case c.caller.user != nil:
		set("aws:PrincipalType", "User")
		set("aws:PrincipalArn", c.caller.ARN)
		set("aws:username", c.caller.user.Name)
	default:
		set("aws:PrincipalType", "AssumedRole")
		set("aws:PrincipalArn", c.caller.RoleARN)
		set("ec2:SourceInstanceARN", c.caller.session.Source)
	}
	if e := c.server.holder(c.caller); e != nil {
		for _, t := range e.Tags {
			m["aws:PrincipalTag/"+t.Key] = []string{t.Value}
		}
	}
	c.server.surroundings.apply(c, m)
	if p.via != "" { // the request's network is the service's, not the caller's
		set("aws:ViaAWSService", "true")
		set("aws:SecureTransport", "true")
		set("kms:ViaService", p.via)
		for _, k := range slices.Concat(byEndpoint, []string{"aws:SourceIp", "aws:UserAgent", "aws:Referer"}) {
			delete(m, k)
		}
	}
	for k, v := range p.context {
		m[k] = v
	}
	if first(m["aws:SecureTransport"]) == "false" {
		delete(m, "s3:TlsVersion")
	}
	return m
}
