package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	reader = `"arn:aws:iam::222222222222:role/reader"`
	inOrg  = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`
	tls    = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
)

// allow is a statement about objects of bucket b.
func allow(principal, actions, objects string, condition ...string) string {
	s := `{"Effect":"Allow","Principal":{"AWS":` + principal + `},"Action":` + actions + `,"Resource":"arn:aws:s3:::b/` + objects + `"`
	if len(condition) > 0 {
		s += `,"Condition":` + condition[0]
	}
	return s + "}"
}

func deny(statement string) string { return strings.Replace(statement, `"Allow"`, `"Deny"`, 1) }

func policy(statements ...string) []byte {
	if len(statements) == 0 {
		return nil
	}
	return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

func TestOfBuckets(t *testing.T) {
	for name, test := range map[string]struct {
		before, after []string
		asked         []string // statements that grants promise; nil: those of after
		settings      *plan.PublicAccessBlock
		want          []string // + gained, - lost, ! an error, ? a warning
	}{
		"a new grant": {
			after: []string{allow(reader, `["s3:GetObject","s3:PutObject"]`, "*")},
			want:  []string{"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*", "+ arn:aws:iam::222222222222:role/reader: s3:PutObject on arn:aws:s3:::b/*"},
		},
		"nothing changes but the form": {
			before: []string{allow(reader, `["s3:GetObject","s3:PutObject"]`, "*")},
			after:  []string{allow(reader, `"s3:putobject"`, "*"), allow(reader, `"s3:getObject"`, "*")},
		},
		"what is given already": {
			before: []string{allow(`"222222222222"`, `"s3:Get*"`, "*")},
			after:  []string{allow(`"222222222222"`, `"s3:Get*"`, "*"), allow(reader, `"s3:GetObject"`, "a/*")},
		},
		"a grant under a deny of plain HTTP": {
			before: []string{tls},
			after:  []string{tls, allow(reader, `"s3:GetObject"`, "*")},
			want:   []string{"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, unless aws:SecureTransport is false"},
		},
		"a grant under a deny of who is of no organization": {
			before: []string{inOrg},
			after:  []string{inOrg, allow(reader, `"s3:GetObject"`, "*")},
			want:   []string{"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, only where aws:PrincipalOrgID is o-1"},
		},
		"a grant that a deny takes back": {
			before: []string{deny(allow(reader, `"s3:*"`, "*"))},
			after:  []string{deny(allow(reader, `"s3:*"`, "*")), allow(reader, `"s3:GetObject"`, "*")},
		},
		"a grant around what is denied": {
			before: []string{deny(allow(`"*"`, `"s3:*"`, "secret/*"))},
			after:  []string{deny(allow(`"*"`, `"s3:*"`, "secret/*")), allow(reader, `"s3:GetObject"`, "*")},
			want:   []string{"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, outside arn:aws:s3:::b/secret/*"},
		},
		"narrower": {
			before: []string{allow(reader, `"s3:GetObject"`, "*")},
			after:  []string{allow(reader, `"s3:GetObject"`, "a/*")},
			want:   []string{"- arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, outside arn:aws:s3:::b/a/*"},
		},
		"wider than what was there": {
			before: []string{allow(reader, `"s3:GetObject"`, "*")},
			after:  []string{allow(reader, `"s3:*"`, "*")},
			want:   []string{"+ arn:aws:iam::222222222222:role/reader: s3:* on arn:aws:s3:::b/*, other than s3:GetObject"},
		},
		"one prefix more": {
			before: []string{allow(reader, `"s3:GetObject"`, "*", `{"StringLike":{"s3:prefix":["a/","a/*"]}}`)},
			after:  []string{allow(reader, `"s3:GetObject"`, "*", `{"StringLike":{"s3:prefix":["a/","a/*","b/","b/*"]}}`)},
			want:   []string{"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, where s3:prefix is like b/ or b/*"},
		},
		"an account": {
			after: []string{allow(`"222222222222"`, `"s3:GetObject"`, "*"), allow(reader, `"s3:GetObject"`, "*")},
			want:  []string{"+ arn:aws:iam::222222222222:root: s3:GetObject on arn:aws:s3:::b/*"},
		},
		"an account, of which one has it already": {
			before: []string{allow(reader, `"s3:GetObject"`, "*")},
			after:  []string{allow(reader, `"s3:GetObject"`, "*"), allow(`"222222222222"`, `"s3:GetObject"`, "*")},
			want:   []string{"+ arn:aws:iam::222222222222:root: s3:GetObject on arn:aws:s3:::b/*, not for arn:aws:iam::222222222222:role/reader"},
		},
		"everybody in an organization": {
			after: []string{allow(`"*"`, `"s3:GetObject"`, "*", `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`)},
			want: []string{
				"+ any account: s3:GetObject on arn:aws:s3:::b/*, where aws:PrincipalOrgID is o-1; not for arn:aws:iam::111111111111:root (the root user)",
			},
		},
		"one session": {
			before: []string{allow(reader, `"s3:GetObject"`, "*")},
			after:  []string{allow(`"arn:aws:sts::222222222222:assumed-role/reader/me"`, `"s3:GetObject"`, "*")},
			want:   []string{"- arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, not for arn:aws:sts::222222222222:assumed-role/reader/me"},
		},
		"the owner's own role": {
			after: []string{allow(`"arn:aws:iam::111111111111:role/own"`, `"s3:GetObject"`, "*")},
			want:  []string{"+ arn:aws:iam::111111111111:role/own: s3:GetObject on arn:aws:s3:::b/*"},
		},
		"the owner's account: its policies decide as before": {
			after: []string{allow(`"111111111111"`, `"s3:GetObject"`, "*")},
		},
		"an action that AWS gives no other account": {
			after: []string{strings.Replace(allow(reader, `"s3:GetBucketPolicy"`, ""), ":b/", ":b", 1)},
		},
		"the id of a deleted role goes": {
			before: []string{allow(`["AROAEXAMPLEEXAMPLE00",`+reader+`]`, `"s3:GetObject"`, "*")},
			after:  []string{allow(reader, `"s3:GetObject"`, "*")},
		},
		"a canonical user goes": {
			before: []string{`{"Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`},
			want:   []string{"- 79a5: s3:GetObject on arn:aws:s3:::b/*"},
		},

		"more than a grant states": {
			after: []string{allow(reader, `["s3:GetObject","s3:PutObject"]`, "*")},
			asked: []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*", "+ arn:aws:iam::222222222222:role/reader: s3:PutObject on arn:aws:s3:::b/*",
				"! the change of the policy of bucket b would open what no share asks for: arn:aws:iam::222222222222:role/reader: s3:PutObject on arn:aws:s3:::b/*",
			},
		},
		"another role than a grant's": {
			after: []string{allow(`"arn:aws:iam::222222222222:role/other"`, `"s3:GetObject"`, "*")},
			asked: []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"+ arn:aws:iam::222222222222:role/other: s3:GetObject on arn:aws:s3:::b/*",
				"! the change of the policy of bucket b would open what no share asks for: arn:aws:iam::222222222222:role/other: s3:GetObject on arn:aws:s3:::b/*",
			},
		},
		"a deny goes that kept others out": {
			before: []string{deny(allow(`"arn:aws:iam::333333333333:role/x"`, `"s3:*"`, "secret/*")), allow(`"333333333333"`, `"s3:GetObject"`, "*")},
			after:  []string{allow(`"333333333333"`, `"s3:GetObject"`, "*")},
			asked:  []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"+ arn:aws:iam::333333333333:role/x: s3:GetObject on arn:aws:s3:::b/secret/*",
				"! the change of the policy of bucket b would open what no share asks for: arn:aws:iam::333333333333:role/x: s3:GetObject on arn:aws:s3:::b/secret/*",
			},
		},
		"a deny of plain HTTP goes, and grants say nothing of HTTP": {
			before: []string{tls, allow(reader, `"s3:GetObject"`, "*")},
			after:  []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"+ arn:aws:iam::111111111111:root: s3:* on arn:aws:s3:::b, where aws:SecureTransport is false",
				"+ arn:aws:iam::111111111111:root: s3:* on arn:aws:s3:::b/*, where aws:SecureTransport is false",
				"+ arn:aws:iam::222222222222:role/reader: s3:GetObject on arn:aws:s3:::b/*, where aws:SecureTransport is false",
				"! the change of the policy of bucket b would open what no share asks for: arn:aws:iam::111111111111:root: s3:* on arn:aws:s3:::b, where aws:SecureTransport is false; arn:aws:iam::111111111111:root: s3:* on arn:aws:s3:::b/*, where aws:SecureTransport is false",
			},
		},
		"a policy that stops being public comes in force": {
			before:   []string{allow(`"*"`, `"s3:GetObject"`, "public/*"), allow(`"333333333333"`, `"s3:PutObject"`, "*")},
			after:    []string{allow(`"333333333333"`, `"s3:PutObject"`, "*")},
			asked:    []string{},
			settings: &plan.PublicAccessBlock{RestrictPublicBuckets: true},
			want: []string{
				"+ arn:aws:iam::333333333333:root: s3:PutObject on arn:aws:s3:::b/*",
				"- any service: s3:GetObject on arn:aws:s3:::b/public/*", // services get in all the same
				"- arn:aws:iam::111111111111:role/*: s3:GetObject on arn:aws:s3:::b/public/*",
				"- arn:aws:iam::111111111111:user/*: s3:GetObject on arn:aws:s3:::b/public/*",
				"! the change of the policy of bucket b would open what no share asks for: arn:aws:iam::333333333333:root: s3:PutObject on arn:aws:s3:::b/*",
			},
		},
		"a variable whose value only a call has": {
			before: []string{allow(`"222222222222"`, `"s3:GetObject"`, "${aws:PrincipalTag/team}/*")},
			after:  []string{allow(`"222222222222"`, `"s3:GetObject"`, "${aws:PrincipalTag/team}/*"), allow(reader, `"s3:GetObject"`, "*")},
			want:   []string{"? what the change of the policy of bucket b opens and closes is not computed: the policy variable ${aws:PrincipalTag/team}"},
		},
		"a variable, and a deny that goes": {
			before: []string{deny(allow(`"222222222222"`, `"s3:GetObject"`, "${aws:PrincipalTag/team}/*"))},
			after:  []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"? what the change of the policy of bucket b opens and closes is not computed: the policy variable ${aws:PrincipalTag/team}",
				"! the change of the policy of bucket b would open what no share asks for: statements that no grant states come in, or denies go",
			},
		},
		"a variable whose value follows from who calls": {
			after: []string{allow(`"222222222222"`, `"s3:GetObject"`, "${aws:PrincipalAccount}/*")},
			want:  []string{"+ arn:aws:iam::222222222222:root: s3:GetObject on arn:aws:s3:::b/222222222222/*"},
		},
		"a policy that is not understood": {
			before: []string{`{"Effect":1}`},
			after:  []string{allow(reader, `"s3:GetObject"`, "*")},
			want: []string{
				"? what the change of the policy of bucket b opens and closes is not computed: its policy cannot be understood",
				"! the change of the policy of bucket b would open what no share asks for: nothing can be told of it",
			},
		},
		"more conditions than can be looked at": {
			after: []string{allow(reader, `"s3:GetObject"`, "*", manyConditions())},
			want:  []string{"? what the change of the policy of bucket b opens and closes is not computed: 4096 and more states of their condition keys"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := test.asked
			if asked == nil {
				asked = test.after
			}
			p := &plan.Plan{Partition: "aws", Grants: grantsOf(t, asked)}
			change := &plan.Change{ID: "s3.BucketPolicy/111111111111/b", Type: plan.TypeBucketPolicy, Account: owner, Name: "b", Action: plan.Update}
			if test.before != nil {
				change.Before = plan.BucketPolicy{Bucket: "b", Document: policy(test.before...)}
			}
			change.Want = plan.BucketPolicy{Bucket: "b", Document: policy(test.after...)}
			snapshot := &plan.Snapshot{
				PublicAccessBlock: &plan.PublicAccessBlock{},
				Buckets:           map[string]*plan.LiveBucket{"b": {Name: "b", PublicAccessBlock: test.settings}},
			}
			got := told(Of(&plan.Changes{Plan: p, Steps: []*plan.Change{change}}, map[string]*plan.Snapshot{owner: snapshot}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// manyConditions asks for more keys than all states of can be looked at.
func manyConditions() string {
	var keys []string
	for i := range 13 {
		keys = append(keys, fmt.Sprintf(`"aws:RequestTag/k%d":["a","b"]`, i))
	}
	return `{"StringEquals":{` + strings.Join(keys, ",") + "}}"
}

// told is access and problems as lines.
func told(a plan.Access, problems []specs.Problem) []string {
	var lines []string
	for _, e := range a.Gained {
		lines = append(lines, "+ "+e.String())
	}
	for _, e := range a.Lost {
		lines = append(lines, "- "+e.String())
	}
	for _, p := range problems {
		sign := "? "
		if p.Severity == specs.SeverityError {
			sign = "! "
		}
		lines = append(lines, sign+p.Message)
	}
	return lines
}

// grantsOf are grants that promise what the statements allow.
func grantsOf(t *testing.T, statements []string) []plan.Grant {
	t.Helper()
	if len(statements) == 0 {
		return nil
	}
	d, err := iampolicy.Parse(policy(statements...))
	if err != nil {
		t.Fatal(err)
	}
	var pairs []iampolicy.Pair
	for _, p := range iampolicy.Pairs(d, func(string) bool { return true }) {
		if p.Statement.Effect == iampolicy.Allow {
			pairs = append(pairs, p)
		}
	}
	return []plan.Grant{{Bucket: specs.Bucket{Name: "b", Account: &specs.Account{ID: owner}}, Pairs: pairs}}
}

func TestOfRoles(t *testing.T) {
	trust := func(principal, action string) []byte {
		return policy(`{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `"}`)
	}
	const arn = "arn:aws:iam::222222222222:role/reader"
	for name, test := range map[string]struct {
		before, after []byte
		action        plan.Action
		adopt         bool
		want          []string
	}{
		"created": {
			after: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), action: plan.Create,
			want: []string{"+ ec2.amazonaws.com: sts:AssumeRole on " + arn},
		},
		"another service": {
			before: trust(`{"Service":"lambda.amazonaws.com"}`, "sts:AssumeRole"), after: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), action: plan.Update,
			want: []string{"+ ec2.amazonaws.com: sts:AssumeRole on " + arn, "- lambda.amazonaws.com: sts:AssumeRole on " + arn},
		},
		"an account that somebody let in": {
			before: trust(`{"Service":"ec2.amazonaws.com","AWS":"999999999999"}`, "sts:AssumeRole"), after: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), action: plan.Update,
			want: []string{"- arn:aws:iam::999999999999:root: sts:AssumeRole on " + arn},
		},
		"a provider of identities": {
			after: trust(`{"Federated":"arn:aws:iam::222222222222:oidc-provider/id.example.com"}`, "sts:AssumeRoleWithWebIdentity"), action: plan.Create,
			want: []string{"+ arn:aws:iam::222222222222:oidc-provider/id.example.com: sts:AssumeRoleWithWebIdentity on " + arn},
		},
		"deleted": {
			before: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), action: plan.Delete,
			want: []string{"- ec2.amazonaws.com: sts:AssumeRole on " + arn},
		},
		"not taken over": {
			before: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), after: trust(`"*"`, "sts:AssumeRole"), action: plan.Adopt,
		},
		"taken over": {
			before: trust(`{"Service":"lambda.amazonaws.com"}`, "sts:AssumeRole"), after: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"),
			action: plan.Adopt, adopt: true,
			want: []string{"+ ec2.amazonaws.com: sts:AssumeRole on " + arn, "- lambda.amazonaws.com: sts:AssumeRole on " + arn},
		},
		"cannot be done": {after: trust(`"*"`, "sts:AssumeRole"), action: plan.Error},
		"not understood": {
			before: []byte(`{"Statement":`), after: trust(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole"), action: plan.Update,
			want: []string{"? what the change of the trust policy of role reader opens and closes is not computed: its policy cannot be understood"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			change := &plan.Change{Type: plan.TypeRole, Account: accountB, Name: "reader", Action: test.action}
			if test.before != nil {
				change.Before = plan.Role{ARN: arn, Trust: test.before}
			}
			if test.after != nil {
				change.Want = plan.Role{ARN: arn, Trust: test.after}
			}
			changes := &plan.Changes{Plan: &plan.Plan{Partition: "aws"}, Steps: []*plan.Change{change}, Options: plan.Options{Adopt: test.adopt}}
			if diff := cmp.Diff(test.want, told(Of(changes, nil))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
