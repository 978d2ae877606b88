package iampolicy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	accountA = "111111111111" // owns the bucket
	accountB = "222222222222" // the caller's, across accounts

	userA    = "arn:aws:iam::111111111111:user/ann"
	roleA    = "arn:aws:iam::111111111111:role/app"
	sessionA = "arn:aws:sts::111111111111:assumed-role/app/s1"
	userB    = "arn:aws:iam::222222222222:user/team/bob"
	roleB    = "arn:aws:iam::222222222222:role/team/reader"
	sessionB = "arn:aws:sts::222222222222:assumed-role/reader/s1"
	rootA    = "arn:aws:iam::111111111111:root"
	rootB    = "arn:aws:iam::222222222222:root"
	idB      = "AROAEXAMPLEEXAMPLE12"
	object1  = "arn:aws:s3:::b/logs/x"
	bucket1  = "arn:aws:s3:::b"
	key1     = "arn:aws:kms:eu-west-1:111111111111:key/k1"
)

// callers of the tests by name.
var callers = map[string]Caller{
	"anonymous":   {Kind: Anonymous},
	"root A":      {Kind: Root, ARN: rootA},
	"root B":      {Kind: Root, ARN: rootB},
	"user A":      {Kind: User, ARN: userA},
	"user B":      {Kind: User, ARN: userB, Account: accountB, UniqueID: "AIDAEXAMPLEEXAMPLE12"},
	"role A":      {Kind: Role, ARN: roleA},
	"role B":      {Kind: Role, ARN: roleB, UniqueID: idB},
	"session A":   {Kind: Session, ARN: sessionA},
	"session B":   {Kind: Session, ARN: sessionB, RoleARN: roleB, UniqueID: idB + ":s1"},
	"pathless B":  {Kind: Session, ARN: sessionB},
	"service":     {Kind: Service, ARN: "ec2.amazonaws.com"},
	"linked role": {Kind: Role, ARN: "arn:aws:iam::222222222222:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"},
}

// must reads a policy; a text that does not start with { is the statements.
func must(t testing.TB, text string) *Document {
	t.Helper()
	if !strings.HasPrefix(text, `{"Version`) {
		text = `{"Version":"2012-10-17","Statement":[` + text + `]}`
	}
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func mustAll(t testing.TB, name string, texts []string) []Named {
	t.Helper()
	if texts == nil {
		return nil
	}
	out := []Named{}
	for _, text := range texts {
		out = append(out, Named{Name: name, Document: must(t, text)})
	}
	return out
}

const (
	allowAll    = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	denyAll     = `{"Effect":"Deny","Action":"*","Resource":"*"}`
	allowGet    = `{"Sid":"Get","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	allowPut    = `{"Sid":"Put","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`
	denyGet     = `{"Sid":"NoGet","Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	ofB         = `{"AWS":"222222222222"}`
	ofRoleB     = `{"AWS":"` + roleB + `"}`
	ofSessionB  = `{"AWS":"` + sessionB + `"}`
	ofEverybody = `"*"`
)

// to is a resource policy's statement for s3:GetObject on all of b.
func to(effect, principal string) string {
	return `{"Sid":"To` + effect + `","Effect":"` + effect + `","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
}

func list(s ...string) []string { return s }

// allCases is the whole corpus.
func allCases(t testing.TB) map[string]evalCase {
	t.Helper()
	all := map[string]evalCase{}
	for _, part := range []map[string]evalCase{evalCases, requestCases, s3Cases, iamCases} {
		for name, c := range part {
			if _, twice := all[name]; twice {
				t.Errorf("two cases are called %q", name)
			}
			all[name] = c
		}
	}
	return all
}

// evalCase is a request with its policies, and AWS's answer by the page named.
type evalCase struct {
	page     string
	caller   string
	action   string // "" is s3:GetObject
	resource string // "" is object1
	owner    string // "" is accountA
	identity []string
	policy   string // of the resource
	boundary []string
	session  []string
	endpoint []string
	scps     [][]string
	rcps     [][]string
	restrict bool
	context  map[string][]string
	want     Outcome
	lacking  []Side
}

func (c evalCase) evaluate(t testing.TB) Decision {
	t.Helper()
	req := Request{Caller: callerOf(t, c.caller), Action: orElse(c.action, "s3:GetObject"), Resource: orElse(c.resource, object1), ResourceAccount: c.owner}
	if a, _ := parseARN(req.Resource); !IsAccountID(a.Account) {
		req.ResourceAccount = orElse(c.owner, accountA)
	}
	req.Context = DefaultContext(req, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	for k, v := range c.context {
		req.Context[k] = v
	}
	p := Policies{
		Identity: mustAll(t, "identity policy", c.identity),
		Boundary: mustAll(t, "boundary", c.boundary), Session: mustAll(t, "session policy", c.session),
		Endpoint: mustAll(t, "endpoint policy", c.endpoint), RestrictPublicBuckets: c.restrict,
	}
	if c.policy != "" {
		p.Resource = &Named{Name: "bucket policy of b", Document: must(t, c.policy)}
	}
	for _, level := range c.scps {
		p.SCPs = append(p.SCPs, mustAll(t, "SCP", level))
	}
	for _, level := range c.rcps {
		p.RCPs = append(p.RCPs, mustAll(t, "RCP", level))
	}
	return Evaluate(req, p)
}

// callerOf finds a caller by name, or makes one of an ARN or a service's name.
func callerOf(t testing.TB, name string) Caller {
	t.Helper()
	if who, ok := callers[name]; ok {
		return who
	}
	a, ok := parseARN(name)
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch {
	case !ok && strings.Contains(name, "."):
		return Caller{Kind: Service, ARN: name}
	case kind == "user":
		return Caller{Kind: User, ARN: name}
	case kind == "role":
		return Caller{Kind: Role, ARN: name}
	case kind == "assumed-role":
		return Caller{Kind: Session, ARN: name}
	case kind == "root":
		return Caller{Kind: Root, ARN: name}
	}
	t.Fatalf("there is no caller %q", name)
	return Caller{}
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func TestEvaluate(t *testing.T) {
	for name, tc := range allCases(t) {
		t.Run(name, func(t *testing.T) {
			if tc.page == "" {
				t.Error("the case names no page of AWS")
			}
			d := tc.evaluate(t)
			if d.Outcome != tc.want || !slices.Equal(d.Lacking, tc.lacking) {
				t.Errorf("got %s, lacking %v; want %s, lacking %v\n%s", d.Outcome, d.Lacking, tc.want, tc.lacking, reasonsText(d))
			}
			checkReasons(t, d)
		})
	}
}

func reasonsText(d Decision) string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, string(r.Side)+": "+r.Text)
	}
	return strings.Join(out, "\n")
}

// checkReasons holds for every decision: each lacking side says why, nothing
// else denies, and every reason is a sentence.
func checkReasons(t testing.TB, d Decision) {
	t.Helper()
	if d.Outcome == Invalid {
		if len(d.Lacking) > 0 || len(d.Reasons) != 1 || d.Reasons[0].Text == "" {
			t.Errorf("an invalid decision lacks %v, for %v", d.Lacking, d.Reasons)
		}
		return
	}
	explained, allowed := map[Side]bool{}, map[Side]bool{}
	for _, r := range d.Reasons {
		if r.Text == "" || strings.Contains(r.Text, "\n") {
			t.Errorf("a reason is no sentence: %+v", r)
		}
		if r.Effect != Allow {
			explained[r.Side] = true
		} else if r.Side != SideSCP { // of which each level speaks for itself
			allowed[r.Side] = true
		}
		if r.Effect != "" && r.Statement < 0 && r.Side != SideIdentity {
			t.Errorf("a reason with an effect names no statement: %+v", r)
		}
	}
	for _, s := range d.Lacking {
		if !explained[s] {
			t.Errorf("%s lacks without a reason", s)
		}
		if allowed[s] && d.Outcome == ImplicitDeny {
			t.Errorf("%s is lacking and gives a reason for", s)
		}
		delete(explained, s)
	}
	for s := range explained {
		t.Errorf("%s gives a reason against but is not lacking", s)
	}
	if d.Allowed() != (len(d.Lacking) == 0 && d.Outcome == Allowed) {
		t.Errorf("%s with lacking %v", d.Outcome, d.Lacking)
	}
}

func TestReasons(t *testing.T) {
	for name, tc := range map[string]struct {
		evalCase
		want []string
	}{
		"both sides": {evalCase{caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB)}, list(
			`identity: identity policy, statement "Get", allows s3:GetObject on arn:aws:s3:::b/logs/x`,
			`resource: bucket policy of b, statement "ToAllow", allows s3:GetObject on arn:aws:s3:::b/logs/x`)},
		"a deny": {evalCase{caller: "role A", identity: list(allowAll, denyGet)}, list(
			`identity: identity policy, statement "NoGet", denies s3:GetObject on arn:aws:s3:::b/logs/x`,
			`identity: identity policy, statement number 1, allows s3:GetObject on arn:aws:s3:::b/logs/x`)},
		"what comes closest": {evalCase{caller: "role B", identity: list(allowPut + `,{"Sid":"Near","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::c/*"}`), policy: to("Allow", `{"AWS":"333333333333"}`)}, list(
			`identity: no identity policy allows s3:GetObject on arn:aws:s3:::b/logs/x: statement "Near" of identity policy names the action but not the resource`,
			`resource: no resource policy allows s3:GetObject on arn:aws:s3:::b/logs/x: statement "ToAllow" of bucket policy of b does not name the caller`)},
		"a condition": {evalCase{caller: "anonymous", policy: `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`}, list(
			`resource: no resource policy allows s3:GetObject on arn:aws:s3:::b/logs/x: statement number 1 of bucket policy of b names the action and the resource but its conditions do not hold`)},
		"no policy": {evalCase{caller: "anonymous"}, list(
			`resource: there is no resource policy to allow s3:GetObject on arn:aws:s3:::b/logs/x`)},
		"only denies": {evalCase{caller: "anonymous", policy: to("Deny", ofRoleB)}, list(
			`resource: bucket policy of b has no Allow statement for s3:GetObject on arn:aws:s3:::b/logs/x`)},
		"another action": {evalCase{caller: "role A", identity: list(allowPut), action: "iam:GetRole", resource: roleA}, list(
			`identity: no identity policy allows iam:GetRole on ` + roleA + `: statement "Put" of identity policy does not name the action`)},
		"public": {evalCase{caller: "anonymous", policy: to("Allow", ofEverybody), restrict: true}, list(
			`resource: bucket policy of b, statement "ToAllow", allows s3:GetObject on arn:aws:s3:::b/logs/x`,
			`blockPublicAccess: Block Public Access stops all access from outside the account: in bucket policy of b statement "ToAllow" makes the policy public: it is limited neither to named principals nor to fixed values of a condition key that S3 accepts`)},
		"root": {evalCase{caller: "root A"}, list(`identity: the root user may do everything in its account's name`)},
	} {
		t.Run(name, func(t *testing.T) {
			got := reasonsText(tc.evaluate(t))
			if got != strings.Join(tc.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestInvalid(t *testing.T) {
	good := Request{Caller: callers["role A"], Action: "s3:GetObject", Resource: object1}
	allow := []Named{{Name: "p", Document: must(t, allowAll)}}
	change := func(f func(*Request, *Policies)) (Request, Policies) {
		r, p := good, Policies{Identity: allow}
		f(&r, &p)
		return r, p
	}
	if d := Evaluate(good, Policies{Identity: allow}); !d.Allowed() {
		t.Fatalf("the request that the cases change is %s", d.Outcome)
	}
	withPrincipal := []Named{{Name: "p", Document: must(t, to("Allow", ofEverybody))}}
	for name, tc := range map[string]struct {
		change func(*Request, *Policies)
		want   string
	}{
		"no action":              {func(r *Request, _ *Policies) { r.Action = "" }, `the action "" is no action`},
		"action without service": {func(r *Request, _ *Policies) { r.Action = "GetObject" }, "is no action"},
		"action with a wildcard": {func(r *Request, _ *Policies) { r.Action = "s3:Get*" }, "is no action"},
		"action star":            {func(r *Request, _ *Policies) { r.Action = "*" }, "is no action"},
		"no resource":            {func(r *Request, _ *Policies) { r.Resource = "" }, "is no ARN"},
		"resource a bucket name": {func(r *Request, _ *Policies) { r.Resource = "b/x" }, "is no ARN"},
		"resource cut":           {func(r *Request, _ *Policies) { r.Resource = "arn:aws:s3" }, "is no ARN"},
		"resource without rest":  {func(r *Request, _ *Policies) { r.Resource = "arn:aws:s3:::" }, "is no ARN"},
		"account of 3 digits":    {func(r *Request, _ *Policies) { r.ResourceAccount = "123" }, "is no account id of 12 digits"},
		"accounts contradict":    {func(r *Request, _ *Policies) { r.Resource = key1; r.ResourceAccount = accountB }, "is not of account 222222222222"},
		"no caller":              {func(r *Request, _ *Policies) { r.Caller = Caller{} }, `the caller's ARN "" is no ARN`},
		"kind unknown":           {func(r *Request, _ *Policies) { r.Caller.Kind = "robot" }, "is not of kind robot"},
		"role as user":           {func(r *Request, _ *Policies) { r.Caller.Kind = User }, "is not of kind user"},
		"role as root":           {func(r *Request, _ *Policies) { r.Caller.Kind = Root }, "is not of kind root"},
		"role as session":        {func(r *Request, _ *Policies) { r.Caller.Kind = Session }, "is not of kind session"},
		"session as role":        {func(r *Request, _ *Policies) { r.Caller = Caller{Kind: Role, ARN: sessionA} }, "is not of kind role"},
		"session without name": {func(r *Request, _ *Policies) {
			r.Caller = Caller{Kind: Session, ARN: "arn:aws:sts::111111111111:assumed-role/app"}
		}, "is not of kind session"},
		"session of another role": {func(r *Request, _ *Policies) { r.Caller = Caller{Kind: Session, ARN: sessionA, RoleARN: roleB} }, "is not one of role"},
		"session of no role":      {func(r *Request, _ *Policies) { r.Caller = Caller{Kind: Session, ARN: sessionA, RoleARN: "app"} }, "is not one of role"},
		"session of a role elsewhere": {func(r *Request, _ *Policies) {
			r.Caller = Caller{Kind: Session, ARN: sessionA, RoleARN: "arn:aws:iam::222222222222:role/app"}
		}, "is not one of role"},
		"session with two names": {func(r *Request, _ *Policies) {
			r.Caller = Caller{Kind: Session, ARN: "arn:aws:sts::111111111111:assumed-role/app/s1/s2"}
		}, "is not of kind session"},
		"caller with a region":    {func(r *Request, _ *Policies) { r.Caller.ARN = "arn:aws:iam:us-east-1:111111111111:role/app" }, "is not of kind role"},
		"account does not fit":    {func(r *Request, _ *Policies) { r.Caller.Account = accountB }, "is not of account 222222222222"},
		"caller without account":  {func(r *Request, _ *Policies) { r.Caller.ARN = "arn:aws:iam::1:role/x" }, "names no account of 12 digits"},
		"service with a wildcard": {func(r *Request, _ *Policies) { r.Caller = Caller{Kind: Service, ARN: "*"} }, "a service without a name"},
		"service without name":    {func(r *Request, _ *Policies) { r.Caller = Caller{Kind: Service} }, "a service without a name"},
		"no document":             {func(_ *Request, p *Policies) { p.Identity = []Named{{Name: "p"}} }, "there is no document for p"},
		"no document, session":    {func(_ *Request, p *Policies) { p.Session = []Named{{}} }, "there is no document for the session policy"},
		"no document, RCP":        {func(_ *Request, p *Policies) { p.RCPs = [][]Named{{{}}} }, "there is no document for the resource control policy"},
		"no document, no name":    {func(_ *Request, p *Policies) { p.SCPs = [][]Named{{{}}} }, "there is no document for the service control policy"},
		"effect unknown": {func(_ *Request, p *Policies) {
			p.Identity = []Named{{Name: "p", Document: &Document{Statements: []Statement{{}}}}}
		}, `statement number 1 of p has the effect ""`},
		"principal in identity": {func(_ *Request, p *Policies) { p.Identity = withPrincipal }, "has a Principal, which only resource policies have"},
		"principal in boundary": {func(_ *Request, p *Policies) { p.Boundary = withPrincipal }, "has a Principal"},
		"principal in SCP":      {func(_ *Request, p *Policies) { p.SCPs = [][]Named{withPrincipal} }, "has a Principal"},
		"principal in session":  {func(_ *Request, p *Policies) { p.Session = withPrincipal }, "has a Principal"},
		"no principal":          {func(_ *Request, p *Policies) { p.Resource = &allow[0] }, "has no Principal, which every resource policy needs"},
		"key in two cases": {func(r *Request, p *Policies) {
			r.Context = map[string][]string{"s3:prefix": {"a"}, "S3:Prefix": {"b"}}
			p.Identity = []Named{{Name: "p", Document: must(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"a"}}}`)}}
		}, "the context has the key S3:Prefix twice, in different cases"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Evaluate(change(tc.change))
			if d.Outcome != Invalid || d.Allowed() || len(d.Reasons) != 1 || !strings.Contains(d.Reasons[0].Text, tc.want) {
				t.Errorf("got %s: %s; want invalid: %s", d.Outcome, reasonsText(d), tc.want)
			}
		})
	}
}
