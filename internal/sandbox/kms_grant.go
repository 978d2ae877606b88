package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// kmsGrant lets one principal do some operations with one key (KMS:grants).
type kmsGrant struct {
	ID, Name, Issuer string
	Grantee          grantee
	Retiring         *grantee `json:",omitempty"`
	Operations       []string
	Subset           map[string]string `json:",omitempty"` // what the encryption context must hold
	Equals           map[string]string `json:",omitempty"` // what it must be
	Created          time.Time
}

// grantee is a principal, bound to its unique id like one in a policy: a role
// that is made again is another.
type grantee struct {
	ARN string
	ID  string `json:",omitempty"`
}

// grantOperations are those that a grant can allow, with whether they take an
// encryption context, which its constraints then speak of.
var grantOperations = map[string]bool{
	"Decrypt": true, "Encrypt": true, "GenerateDataKey": true, "GenerateDataKeyWithoutPlaintext": true, "ReEncryptFrom": true, "ReEncryptTo": true,
	"DescribeKey": false, "RetireGrant": false,
}

func kmsGrantOperations() jsonOperations {
	return jsonOperations{
		"CreateGrant": reading(createGrant),
		"ListGrants":  reading(listGrants),
		"RevokeGrant": reading(revokeGrant),
		"RetireGrant": reading(retireGrant),
	}
}

// nowCalled is who a grantee is now: its id once it is dead.
func (s *Server) nowCalled(g grantee) string {
	if g.ID == "" || s.currentID(g.ARN) == g.ID {
		return g.ARN
	}
	return g.ID
}

// grantStatements are what a grant adds to the key policy. The grantee needs no
// identity policy in the key's account; of another account it needs one here,
// as with the key policy.
func (s *Server) grantStatements(g *kmsGrant) []iampolicy.Statement {
	who := &iampolicy.Principals{AWS: []string{s.nowCalled(g.Grantee)}}
	statement := func(context bool) iampolicy.Statement {
		st := iampolicy.Statement{Sid: "grant " + g.ID, Effect: iampolicy.Allow, Principal: who, Resource: []string{"*"}}
		for _, op := range g.Operations {
			if grantOperations[op] == context && op != "RetireGrant" {
				st.Action = append(st.Action, "kms:"+op)
			}
		}
		return st
	}
	var out []iampolicy.Statement
	if st := statement(false); len(st.Action) > 0 {
		out = append(out, st)
	}
	st := statement(true)
	if len(st.Action) == 0 {
		return out
	}
	for _, k := range sortedKeys(g.Subset) {
		st.Condition = append(st.Condition, iampolicy.Condition{Operator: "StringEquals", Key: "kms:EncryptionContext:" + k, Values: []string{g.Subset[k]}})
	}
	for _, k := range sortedKeys(g.Equals) {
		st.Condition = append(st.Condition, iampolicy.Condition{Operator: "StringEquals", Key: "kms:EncryptionContext:" + k, Values: []string{g.Equals[k]}})
	}
	if g.Equals != nil {
		st.Condition = append(st.Condition, iampolicy.Condition{Operator: "ForAllValues:StringEquals", Key: "kms:EncryptionContextKeys", Values: sortedKeys(g.Equals)})
	}
	return append(out, st)
}

type grantConstraints struct {
	EncryptionContextSubset map[string]string `json:",omitempty"`
	EncryptionContextEquals map[string]string `json:",omitempty"`
}

type createGrantInput struct {
	KeyID             string `json:"KeyId"`
	GranteePrincipal  string
	RetiringPrincipal string
	Operations        []string
	Constraints       *grantConstraints
	GrantTokens       []string
	Name              string
}

func createGrant(c *call, in *createGrantInput) (any, error) {
	context := map[string][]string{
		"kms:GranteePrincipal": {in.GranteePrincipal}, "kms:GrantOperations": in.Operations, "kms:GrantIsForAWSResource": {"false"},
	}
	if in.RetiringPrincipal != "" {
		context["kms:RetiringPrincipal"] = []string{in.RetiringPrincipal}
	}
	g := &kmsGrant{Name: in.Name, Issuer: c.server.arn("iam", "", c.caller.Account, "root"), Operations: in.Operations, Created: c.now}
	if in.Constraints != nil {
		g.Subset, g.Equals = in.Constraints.EncryptionContextSubset, in.Constraints.EncryptionContextEquals
		switch {
		case g.Subset != nil && g.Equals != nil:
			return nil, kmsInvalid("A grant has EncryptionContextSubset or EncryptionContextEquals, not both")
		case g.Subset != nil:
			context["kms:GrantConstraintType"] = []string{"EncryptionContextSubset"}
		case g.Equals != nil:
			context["kms:GrantConstraintType"] = []string{"EncryptionContextEquals"}
		}
	}
	k, err := c.onOwnKey("kms:CreateGrant", in.KeyID, context)
	if err != nil {
		return nil, err
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	if len(in.Operations) == 0 {
		return nil, missingMember("Operations")
	}
	for _, op := range in.Operations {
		if _, ok := grantOperations[op]; !ok {
			return nil, notImplemented("the operation %s in a grant", op)
		}
	}
	for _, m := range []map[string]string{g.Subset, g.Equals} {
		for _, v := range m {
			if strings.Contains(v, "${") { // it would be read as a policy variable
				return nil, notImplemented("${ in the constraints of a grant")
			}
		}
	}
	if g.Grantee, err = c.grantee("GranteePrincipal", in.GranteePrincipal); err != nil {
		return nil, err
	}
	if in.RetiringPrincipal != "" {
		r, err := c.grantee("RetiringPrincipal", in.RetiringPrincipal)
		if err != nil {
			return nil, err
		}
		g.Retiring = &r
	}
	if in.Name != "" { // the same again is the same grant
		for _, id := range sortedKeys(k.Grants) {
			if have := k.Grants[id]; have.sameAs(g) {
				return c.granted(have), nil
			}
		}
	}
	b := c.server.created(k.Account, "grant", k.ID)
	g.ID = fmt.Sprintf("%x", b)
	if k.Grants == nil {
		k.Grants = map[string]*kmsGrant{}
	}
	k.Grants[g.ID] = g
	return c.granted(g), nil
}

func (g *kmsGrant) sameAs(o *kmsGrant) bool {
	same := func(a, b map[string]string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
	retiring := (g.Retiring == nil) == (o.Retiring == nil) && (g.Retiring == nil || *g.Retiring == *o.Retiring)
	return g.Name == o.Name && g.Grantee == o.Grantee && retiring && slices.Equal(g.Operations, o.Operations) && same(g.Subset, o.Subset) && same(g.Equals, o.Equals)
}

func (c *call) granted(g *kmsGrant) any {
	return struct {
		GrantID    string `json:"GrantId"`
		GrantToken string
	}{g.ID, encodeToken(fmt.Sprintf("%x", c.server.digest("grant token", g.ID)))}
}

// grantee checks a principal of a grant: an account, user, role or session.
func (c *call) grantee(member, arn string) (grantee, error) {
	if arn == "" {
		return grantee{}, missingMember(member)
	}
	id, ok := c.server.resolvePrincipal(arn, c.now)
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return grantee{}, kmsFault("InvalidArnException", "ARN is not valid for %s: %s", member, arn)
	}
	return grantee{arn, id}, nil
}

type listedGrant struct {
	KeyID             string `json:"KeyId"`
	GrantID           string `json:"GrantId"`
	Name              string
	CreationDate      seconds
	GranteePrincipal  string
	RetiringPrincipal string `json:",omitempty"`
	IssuingAccount    string
	Operations        []string
	Constraints       *grantConstraints `json:",omitempty"`
}

func listGrants(c *call, in *struct {
	KeyID            string `json:"KeyId"`
	GrantID          string `json:"GrantId"`
	GranteePrincipal string
	kmsPaging
},
) (any, error) {
	k, err := c.onOwnKey("kms:ListGrants", in.KeyID, map[string][]string{"kms:GrantIsForAWSResource": {"false"}})
	if err != nil {
		return nil, err
	}
	var list []listedGrant
	for id, g := range k.Grants {
		who := c.server.nowCalled(g.Grantee)
		if in.GrantID != "" && in.GrantID != id || in.GranteePrincipal != "" && in.GranteePrincipal != who {
			continue
		}
		l := listedGrant{KeyID: k.ARN, GrantID: id, Name: g.Name, CreationDate: seconds{g.Created}, GranteePrincipal: who, IssuingAccount: g.Issuer, Operations: g.Operations}
		if g.Retiring != nil {
			l.RetiringPrincipal = c.server.nowCalled(*g.Retiring)
		}
		if g.Subset != nil || g.Equals != nil {
			l.Constraints = &grantConstraints{g.Subset, g.Equals}
		}
		list = append(list, l)
	}
	list, next, err := kmsPage(list, func(g listedGrant) string { return g.GrantID }, in.kmsPaging)
	return struct {
		Grants []listedGrant
		kmsPaged
	}{list, next}, err
}

func noGrant(id string) error {
	return kmsFault("NotFoundException", "Grant ID %s not found", id)
}

func revokeGrant(c *call, in *struct {
	KeyID   string `json:"KeyId"`
	GrantID string `json:"GrantId"`
},
) (any, error) {
	k, err := c.onOwnKey("kms:RevokeGrant", in.KeyID, map[string][]string{"kms:GrantIsForAWSResource": {"false"}})
	if err != nil {
		return nil, err
	}
	if k.Grants[in.GrantID] == nil {
		return nil, noGrant(in.GrantID)
	}
	delete(k.Grants, in.GrantID)
	return nil, nil
}

// retireGrant is for those whom the grant names: its retiring principal, and
// its grantee where that is among the operations; and for whom kms:RetireGrant
// is allowed (KMS:grant-delete). A Deny counts for all of them.
func retireGrant(c *call, in *struct {
	GrantToken string
	KeyID      string `json:"KeyId"`
	GrantID    string `json:"GrantId"`
},
) (any, error) {
	if in.GrantToken != "" {
		return nil, notImplemented("the parameter GrantToken of RetireGrant: name the grant by KeyId and GrantId")
	}
	f, err := c.server.findKey(in.KeyID, c.caller.Account, c.credential.region)
	if err != nil {
		return nil, err
	}
	if f.key != nil && c.mayRetire(f.key.Grants[in.GrantID]) {
		p, err := c.keyPermission(f.key, "kms:RetireGrant", nil)
		if err != nil {
			return nil, err
		}
		if c.decide(p).Outcome != iampolicy.ExplicitDeny {
			c.resource, c.decision = f.key.ARN, string(iampolicy.Allowed)
			delete(f.key.Grants, in.GrantID)
			return nil, nil
		}
	}
	k, err := c.onOwnKey("kms:RetireGrant", in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	if k.Grants[in.GrantID] == nil {
		return nil, noGrant(in.GrantID)
	}
	delete(k.Grants, in.GrantID)
	return nil, nil
}

// mayRetire tells whether the grant itself lets the caller end it.
func (c *call) mayRetire(g *kmsGrant) bool {
	if g == nil {
		return false
	}
	is := func(v grantee) bool {
		name := c.server.nowCalled(v)
		return name == c.caller.ARN || name == c.caller.RoleARN && name != ""
	}
	return g.Retiring != nil && is(*g.Retiring) || slices.Contains(g.Operations, "RetireGrant") && is(g.Grantee)
}
