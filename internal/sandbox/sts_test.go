package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const ownerRole = "arn:aws:iam::111111111111:role/"

// stsRoles are the roles of the tests below: the owner's, and two of the
// consumer's that may assume them, or may not.
func stsRoles() Seed {
	role := func(account, name, trust string) SeedRole {
		return SeedRole{Account: account, Name: name, Trust: trust}
	}
	chain := role(consumer, "chain", trusting(`{"AWS":"`+consumer+`"}`))
	chain.Inline = map[string]string{"assume": allowing("sts:AssumeRole", "*")}
	chain.MaxSession = 43200
	long := role(owner, "long", trusting(`{"AWS":"*"}`))
	long.MaxSession = 7200
	pathed := role(owner, "pathed", trusting(`{"AWS":"`+consumer+`"}`))
	pathed.Path = "/team/a/"
	return Seed{
		Policies: []SeedPolicy{{Account: owner, Name: "session", Document: allowing("iam:GetRole", "*")}},
		Roles: []SeedRole{
			chain, long, pathed,
			role(consumer, "powerless", trusting(`{"AWS":"`+consumer+`"}`)),
			role(owner, "open", trusting(`{"AWS":"`+consumer+`"}`)),
			role(owner, "own", trusting(`{"AWS":"`+owner+`"}`)),
			role(owner, "machine", trusting(`{"Service":"ec2.amazonaws.com"}`)),
			role(owner, "byname", trusting(`{"AWS":"arn:aws:iam::222222222222:role/chain"}`)),
			role(owner, "external", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}]}`),
			role(owner, "notme", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}]}`),
		},
	}
}

// as assumes a role and gives the session's keys.
func (s testServer) as(t *testing.T, key, arn string) []string {
	t.Helper()
	out := must(s.sts(key).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(arn), RoleSessionName: aws.String("test")}))(t)
	return []string{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken}
}

func TestAssumeRole(t *testing.T) {
	s := start(t, Options{Seed: stsRoles()})
	chain := s.as(t, consumer, "arn:aws:iam::222222222222:role/chain")
	powerless := s.as(t, consumer, "arn:aws:iam::222222222222:role/powerless")
	admin := []string{consumer}
	cases := map[string]struct {
		as   []string
		role string
		in   func(*sts.AssumeRoleInput)
		code string
		says string
	}{
		"across accounts":                {as: admin, role: "open"},
		"own account":                    {as: []string{owner}, role: "own"},
		"role by name":                   {as: chain, role: "byname"},
		"role by account":                {as: chain, role: "open"},
		"role without identity policy":   {as: powerless, role: "open", code: "AccessDenied", says: "arn:aws:sts::222222222222:assumed-role/powerless/test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/open"},
		"trust names another":            {as: admin, role: "byname", code: "AccessDenied", says: "user/admin is not authorized to perform: sts:AssumeRole"},
		"trust names a service":          {as: []string{owner}, role: "machine", code: "AccessDenied", says: "because no resource-based policy allows the sts:AssumeRole action"},
		"trust denies":                   {as: admin, role: "notme", code: "AccessDenied"},
		"trusts only its own account":    {as: admin, role: "own", code: "AccessDenied"},
		"no such role":                   {as: admin, role: "nobody", code: "AccessDenied", says: "role/nobody"},
		"path":                           {as: admin, role: "team/a/pathed"},
		"path left out":                  {as: admin, role: "pathed", code: "AccessDenied"},
		"external id":                    {as: admin, role: "external", in: func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("secret") }},
		"external id wrong":              {as: admin, role: "external", in: func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("guess") }, code: "AccessDenied"},
		"external id missing":            {as: admin, role: "external", code: "AccessDenied"},
		"external id's form":             {as: admin, role: "external", in: func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("a b") }, code: "ValidationError", says: "externalId"},
		"external id not asked for":      {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("secret") }},
		"session name short":             {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }, code: "ValidationError", says: "roleSessionName"},
		"session name's form":            {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x/y") }, code: "ValidationError", says: "roleSessionName"},
		"no role's ARN":                  {as: admin, role: "", code: "ValidationError", says: "is invalid"},
		"15 minutes":                     {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) }},
		"too short":                      {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, code: "ValidationError", says: "greater than or equal to 900"},
		"too long for anybody":           {as: admin, role: "long", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, code: "ValidationError", says: "less than or equal to 43200"},
		"too long for the role":          {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, code: "ValidationError", says: "MaxSessionDuration set for this role"},
		"long role":                      {as: admin, role: "long", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }},
		"chained longer than an hour":    {as: chain, role: "long", in: func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, code: "ValidationError", says: "1 hour session limit"},
		"session policy":                 {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.Policy = aws.String(allowing("s3:*", "*")) }},
		"session policy malformed":       {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, code: "MalformedPolicyDocument"},
		"session policy too large":       {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.Policy = aws.String(padded(2100)) }, code: "PackedPolicyTooLarge"},
		"session policy ARN":             {as: admin, role: "open", in: withSessionARN("arn:aws:iam::111111111111:policy/session")},
		"session policy ARN unknown":     {as: admin, role: "open", in: withSessionARN("arn:aws:iam::111111111111:policy/no"), code: "MalformedPolicyDocument", says: "policy/no"},
		"session policy ARN, 11 of them": {as: admin, role: "open", in: withSessionARN(strings.Split(strings.Repeat(" arn:aws:iam::111111111111:policy/session", 11)[1:], " ")...), code: "ValidationError", says: "10"},
		"session policy ARN, elsewhere":  {as: admin, role: "open", in: withSessionARN("arn:aws:iam::222222222222:policy/session"), code: "MalformedPolicyDocument"},
		"session tags are not known":     {as: admin, role: "open", in: func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("me") }, code: "NotImplemented", says: "SourceIdentity"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := &sts.AssumeRoleInput{RoleArn: aws.String(ownerRole + c.role), RoleSessionName: aws.String("me@home")}
			if c.in != nil {
				c.in(in)
			}
			out, err := s.sts(c.as[0], c.as[1:]...).AssumeRole(t.Context(), in)
			wantCode(t, err, c.code, c.says)
			if err != nil {
				return
			}
			role := c.role[strings.LastIndex(c.role, "/")+1:]
			if want := "arn:aws:sts::111111111111:assumed-role/" + role + "/me@home"; *out.AssumedRoleUser.Arn != want {
				t.Errorf("ARN %s, want %s", *out.AssumedRoleUser.Arn, want)
			}
			who := must(s.sts(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken).GetCallerIdentity(t.Context(), nil))(t)
			if *who.Arn != *out.AssumedRoleUser.Arn || *who.Account != owner || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
				t.Errorf("caller %s %s, assumed %s %s", *who.Arn, *who.UserId, *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId)
			}
		})
	}
}

func assumeInput(role string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String(ownerRole + role), RoleSessionName: aws.String("me")}
}

func withSessionARN(arns ...string) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) {
		for _, arn := range arns {
			in.PolicyArns = append(in.PolicyArns, ststypes.PolicyDescriptorType{Arn: aws.String(arn)})
		}
	}
}

// padded is an identity policy of a size in characters.
func padded(size int) string {
	const form = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/%s"}]}`
	return fmt.Sprintf(form, strings.Repeat("x", size-len(form)+2))
}

func TestSessions(t *testing.T) {
	s := start(t, Options{Seed: stsRoles()})
	keys := s.as(t, owner, ownerRole+"own")
	_, err := s.sts(keys[0], keys[1], "wrong").GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId", "")
	_, err = s.sts(keys[0]).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId", "")

	// The role made again is not the role of the session.
	must(s.iam(owner).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("own")}))(t)
	_, err = s.sts(keys[0], keys[1:]...).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId", "")
	must(s.iam(owner).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("own"), AssumeRolePolicyDocument: aws.String(trusting(`{"AWS":"111111111111"}`))}))(t)
	_, err = s.sts(keys[0], keys[1:]...).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId", "")
}

// Identity policies, boundary and session policy must all allow.
func TestWhatLimitsASession(t *testing.T) {
	const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:DeleteRole","Resource":"*"}]}`
	read := SeedRole{
		Account: owner, Name: "reader", Trust: trusting(`{"AWS":"111111111111"}`),
		Attached: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}, Boundary: "arn:aws:iam::111111111111:policy/limit",
		Tags: map[string]string{"team": "a"},
	}
	plain := read
	plain.Name, plain.Boundary, plain.Attached, plain.Inline = "plain", "", nil, map[string]string{"all": all, "nothing": allowing("s3:GetObject", "arn:aws:s3:::b/*")}
	tagged := plain
	tagged.Name, tagged.Inline = "tagged", map[string]string{"own team": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}]}`}
	empty := plain
	empty.Name, empty.Inline, empty.Tags = "empty", nil, nil
	s := start(t, Options{Seed: Seed{
		Policies: []SeedPolicy{{Account: owner, Name: "limit", Document: allowing("iam:List*", "*")}},
		Roles:    []SeedRole{read, plain, tagged, empty},
	}})
	cases := map[string]struct {
		role, session, operation string // operation: GetRole plain, or what is said
		code, says               string
	}{
		"identity allows":               {role: "plain", operation: "GetRole"},
		"nothing attached":              {role: "empty", operation: "GetRole", code: "AccessDenied", says: "User: arn:aws:sts::111111111111:assumed-role/empty/me is not authorized to perform: iam:GetRole on resource: arn:aws:iam::111111111111:role/plain because no identity-based policy allows the iam:GetRole action"},
		"identity denies":               {role: "plain", operation: "DeleteRole", code: "AccessDenied", says: "with an explicit deny in an identity-based policy"},
		"boundary allows":               {role: "reader", operation: "ListRoles"},
		"boundary is silent":            {role: "reader", operation: "GetRole", code: "AccessDenied", says: "because no permissions boundary allows the iam:GetRole action"},
		"session policy allows":         {role: "plain", session: allowing("iam:GetRole", "*"), operation: "GetRole"},
		"session policy is silent":      {role: "plain", session: allowing("iam:ListRoles", "*"), operation: "GetRole", code: "AccessDenied", says: "because no session policy allows the iam:GetRole action"},
		"session policy gives nothing":  {role: "empty", session: allowing("*", "*"), operation: "GetRole", code: "AccessDenied", says: "identity-based"},
		"resource tag as principal tag": {role: "tagged", operation: "GetRole"},
		"resource without that tag":     {role: "tagged", operation: "GetRole empty", code: "AccessDenied", says: "role/empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := &sts.AssumeRoleInput{RoleArn: aws.String(ownerRole + c.role), RoleSessionName: aws.String("me")}
			if c.session != "" {
				in.Policy = aws.String(c.session)
			}
			k := must(s.sts(owner).AssumeRole(t.Context(), in))(t).Credentials
			client := s.iam(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken)
			var err error
			switch c.operation {
			case "GetRole":
				_, err = client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("plain")})
			case "GetRole empty":
				_, err = client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("empty")})
			case "DeleteRole":
				_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("plain")})
			case "ListRoles":
				_, err = client.ListRoles(t.Context(), nil)
			}
			wantCode(t, err, c.code, c.says)
		})
	}
}
