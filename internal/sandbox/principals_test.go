package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestRenamePrincipals(t *testing.T) {
	change := map[string]string{"arn:a": "AROAX", "arn:b": "AROAY"}
	cases := map[string]struct{ text, want string }{
		"scalar":               {`{"Statement":{"Principal":{"AWS":"arn:a"}}}`, `{"Statement":{"Principal":{"AWS":"AROAX"}}}`},
		"list and white space": {`{ "Statement" : [ {"Principal": {"AWS": [ "arn:b" , "arn:c", "arn:a"]} } ] }`, `{ "Statement" : [ {"Principal": {"AWS": [ "AROAY" , "arn:c", "AROAX"]} } ] }`},
		"NotPrincipal":         {`{"Statement":[{"NotPrincipal":{"AWS":"arn:a"}}]}`, `{"Statement":[{"NotPrincipal":{"AWS":"AROAX"}}]}`},
		"not in conditions":    {`{"Statement":[{"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:a"}},"Resource":["arn:a"],"Principal":{"AWS":"arn:a"}}]}`, `{"Statement":[{"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:a"}},"Resource":["arn:a"],"Principal":{"AWS":"AROAX"}}]}`},
		"not the Id":           {`{"Id":"arn:a","Statement":[{"Sid":"arn:a","Principal":{"AWS":"arn:a"}}],"Version":"arn:b"}`, `{"Id":"arn:a","Statement":[{"Sid":"arn:a","Principal":{"AWS":"AROAX"}}],"Version":"arn:b"}`},
		"not names of members": {`{"Statement":[{"Principal":{"arn:a":"arn:c"}}]}`, `{"Statement":[{"Principal":{"arn:a":"arn:c"}}]}`},
		"written otherwise":    {`{"Statement":[{"Principal":{"AWS":"arn\u003aa"}}]}`, `{"Statement":[{"Principal":{"AWS":"AROAX"}}]}`},
		"other values":         {`{"Statement":[{"a":[1,true,null,{"b":"arn:a"}],"Principal":{"AWS":"arn:a"}}]}`, `{"Statement":[{"a":[1,true,null,{"b":"arn:a"}],"Principal":{"AWS":"AROAX"}}]}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := renamePrincipals(c.text, change); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// A role that is deleted and made again is another one: the policy that named
// it shows the dead id and no longer lets it in.
func TestDeletedRoleTurnsIntoItsID(t *testing.T) {
	s := start(t, Options{Seed: stsRoles()})
	ctx := t.Context()
	trustOf := func() string {
		t.Helper()
		r := must(s.iam(owner).GetRole(ctx, &iam.GetRoleInput{RoleName: str("byname")}))(t)
		return decoded(t, r.Role.AssumeRolePolicyDocument)
	}
	id := *must(s.iam(consumer).GetRole(ctx, &iam.GetRoleInput{RoleName: str("chain")}))(t).Role.RoleId
	const named = `{"AWS":"arn:aws:iam::222222222222:role/chain"}`
	if got := trustOf(); got != trusting(named) {
		t.Errorf("trust %s", got)
	}
	must(s.iam(consumer).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: str("chain"), PolicyName: str("assume")}))(t)
	must(s.iam(consumer).DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("chain")}))(t)
	for _, when := range []string{"deleted", "made again"} {
		if got := trustOf(); got != trusting(`{"AWS":"`+id+`"}`) {
			t.Errorf("%s: trust %s", when, got)
		}
		if when == "deleted" {
			in := createRoleInput("chain")
			in.AssumeRolePolicyDocument = str(trusting(`{"AWS":"222222222222"}`))
			must(s.iam(consumer).CreateRole(ctx, in))(t)
			must(s.iam(consumer).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: str("chain"), PolicyName: str("assume"), PolicyDocument: str(allowing("sts:AssumeRole", "*"))}))(t)
		}
	}
	k := s.as(t, consumer, "arn:aws:iam::222222222222:role/chain")
	assume := func() error {
		_, err := s.sts(k[0], k[1:]...).AssumeRole(ctx, assumeInput("byname"))
		return err
	}
	wantCode(t, assume(), "AccessDenied", "byname")
	_, err := s.iam(owner).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: str("byname"), PolicyDocument: str(trusting(`{"AWS":"` + id + `"}`))})
	wantCode(t, err, "MalformedPolicyDocument", "Invalid principal")
	must(s.iam(owner).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: str("byname"), PolicyDocument: str(trusting(named))}))(t)
	wantCode(t, assume(), "", "")
}

func TestPropagation(t *testing.T) {
	cases := map[string]struct {
		window Window
		codes  string // of three puts, 10 s apart
	}{
		"none":              {Window{}, "ok ok ok"},
		"time":              {Window{For: 15 * time.Second}, "MalformedPolicyDocument MalformedPolicyDocument ok"},
		"attempts":          {Window{Attempts: 1}, "MalformedPolicyDocument ok ok"},
		"time and attempts": {Window{For: 5 * time.Second, Attempts: 2}, "MalformedPolicyDocument MalformedPolicyDocument ok"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Propagation: Propagation{Role: c.window}, Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"111111111111"}`)}}}})
			must(s.iam(consumer).CreateRole(t.Context(), createRoleInput("new")))(t)
			var got []string
			for range 3 {
				_, err := s.iam(owner).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(trusting(`{"AWS":"arn:aws:iam::222222222222:role/new"}`))})
				if v := code(t, err); v != "" {
					got = append(got, v)
				} else {
					got = append(got, "ok")
				}
				s.clock.advance(10 * time.Second)
			}
			if strings.Join(got, " ") != c.codes {
				t.Errorf("%q, want %q", got, c.codes)
			}
		})
	}
}

// Who may be named in a trust policy.
func TestPrincipalsInTrust(t *testing.T) {
	s := start(t, Options{Seed: stsRoles()})
	id := *must(s.iam(owner).GetRole(t.Context(), &iam.GetRoleInput{RoleName: str("own")}))(t).Role.RoleId
	for principal, shown := range map[string]string{
		`{"AWS":"*"}`:            "",
		`"*"`:                    "",
		`{"AWS":"333333333333"}`: "",
		`{"AWS":"arn:aws:iam::333333333333:root"}`:                                "",
		`{"AWS":"arn:aws:iam::333333333333:user/admin"}`:                          "",
		`{"AWS":["arn:aws:iam::111111111111:role/team/a/pathed","111111111111"]}`: "",
		`{"AWS":"arn:aws:sts::111111111111:assumed-role/own/anybody"}`:            "",

		`{"AWS":"` + id + `"}`:                                     `{"AWS":"arn:aws:iam::111111111111:role/own"}`,
		`{"AWS":"arn:aws:iam::111111111111:role/pathed"}`:          "refused",
		`{"AWS":"arn:aws:sts::111111111111:assumed-role/own"}`:     "refused",
		`{"AWS":"arn:aws:sts::111111111111:assumed-role/no/body"}`: "refused",
		`{"AWS":"arn:aws:iam::111111111111:group/g"}`:              "refused",
		`{"AWS":"arn:aws:s3:::bucket"}`:                            "refused",
	} {
		t.Run(principal, func(t *testing.T) {
			_, err := s.iam(owner).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: str("open"), PolicyDocument: str(trusting(principal))})
			if shown == "refused" {
				wantCode(t, err, "MalformedPolicyDocument", "Invalid principal in policy")
				return
			}
			wantCode(t, err, "", "")
			got := decoded(t, must(s.iam(owner).GetRole(t.Context(), &iam.GetRoleInput{RoleName: str("open")}))(t).Role.AssumeRolePolicyDocument)
			if shown == "" {
				shown = principal
			}
			if got != trusting(shown) {
				t.Errorf("%s, want %s", got, trusting(shown))
			}
		})
	}
}

// The windows can be set from outside too.
func TestPropagationByControl(t *testing.T) {
	s := start(t, Options{Seed: Seed{Roles: []SeedRole{{Account: owner, Name: "r", Trust: trusting(`{"AWS":"111111111111"}`)}}}})
	if status, body := s.control(t, "PUT", "propagation", `{"role": {"for": "8s", "attempts": 1}}`); status != 200 || !strings.Contains(body, `"for":"8s","attempts":1`) {
		t.Fatal(body)
	}
	must(s.iam(consumer).CreateRole(t.Context(), createRoleInput("new")))(t)
	_, err := s.iam(owner).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(trusting(`{"AWS":"arn:aws:iam::222222222222:role/new"}`))})
	wantCode(t, err, "MalformedPolicyDocument", "role/new")
}
