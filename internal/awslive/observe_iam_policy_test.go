package awslive

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
)

const (
	grantsID  = "iam.Policy/" + consumer + "/mycrossaccounts3bucketpolicy"
	grantsARN = "arn:aws:iam::" + consumer + ":policy/mycrossaccounts3bucketpolicy"
	theirs    = `{"Version":"2012-10-17","Statement":[{"Sid":"Mine","Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`
)

// replace puts a foreign document into the managed policy of the share.
func (b *backend) replace(t *testing.T) *iam.Client {
	t.Helper()
	api := b.raw(t, consumer).iam()
	_, err := api.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{
		PolicyArn: aws.String(grantsARN), PolicyDocument: aws.String(theirs), SetAsDefault: true,
	})
	must(t, err)
	return api
}

// changed are the changes that are none, by id.
func changed(c *plan.Changes) map[string]plan.Action {
	m := map[string]plan.Action{}
	for _, change := range c.Steps {
		if change.Differs() {
			m[change.ID] = change.Action
		}
	}
	return m
}

func TestReplacedPolicyIsOurs(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		p := b.planned(t, share)
		c := b.client(t)
		applied(t, c, compared(t, c, p))
		b.replace(t)

		c = b.client(t)
		changes := compared(t, c, p)
		if got := changed(changes); len(got) != 1 || got[grantsID] != plan.Update || len(changes.Problems) > 0 {
			t.Fatalf("changes %v, problems %v", got, changes.Problems)
		}
		if n := c.options.Stats.Report().Calls[consumer]["iam:GetPolicy"]; n != 1 {
			t.Errorf("its tags were read %d times", n)
		}
		applied(t, c, changes)
		c = b.client(t)
		changes = compared(t, c, p)
		if got := changed(changes); len(got) > 0 || len(changes.Problems) > 0 {
			t.Errorf("still to do: %v, problems %v", got, changes.Problems)
		}
		if n := c.options.Stats.Report().Calls[consumer]["iam:GetPolicy"]; n != 0 {
			t.Errorf("the tags of a policy with our statements were read %d times", n)
		}
		if text := string(observe(t, c, plan.Want{Account: consumer, IAM: true}).Policies[grantsARN].Document); !strings.Contains(text, `"Mine"`) {
			t.Errorf("what was there is gone: %s", text)
		}
	})
}

func TestReplacedPolicyOfOthers(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		p := b.planned(t, share)
		c := b.client(t)
		applied(t, c, compared(t, c, p))
		api := b.replace(t)
		_, err := api.UntagPolicy(t.Context(), &iam.UntagPolicyInput{PolicyArn: aws.String(grantsARN), TagKeys: []string{plan.RepositoryTag}})
		must(t, err)
		changes := compared(t, b.client(t), p)
		if got := changed(changes)[grantsID]; got != plan.Adopt || changes.Problems[0].Code != "not-ours" {
			t.Errorf("without the tag: %s, problems %v", got, changes.Problems)
		}
		_, err = api.TagPolicy(t.Context(), &iam.TagPolicyInput{
			PolicyArn: aws.String(grantsARN), Tags: []types.Tag{{Key: aws.String(plan.RepositoryTag), Value: aws.String("theirs")}},
		})
		must(t, err)
		changes = compared(t, b.client(t), p)
		if got := changed(changes)[grantsID]; got != plan.Error || changes.Problems[0].Code != "other-repository" ||
			!strings.Contains(changes.Problems[0].Message, "("+plan.RepositoryTag+"=theirs)") {
			t.Errorf("with another's tag: %s, problems %v", got, changes.Problems)
		}
	})
}

// A policy without a statement of ours that no step is about costs no call, and
// one that is gone since it was listed is not there.
func TestPoliciesWhoseTagsAreNotRead(t *testing.T) {
	b := onSandbox(t)
	api := b.raw(t, consumer).iam()
	_, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("mycrossaccounts3bucketpolicy"), PolicyDocument: aws.String(theirs)})
	must(t, err)
	for name, test := range map[string]struct {
		want   plan.Want
		faults []sandbox.Fault
		calls  int
	}{
		"not wanted": {want: plan.Want{Account: consumer, IAM: true}},
		"a sweep":    {want: plan.Want{Account: consumer, IAM: true, Sweep: []string{region}}},
		"gone": {
			want:   plan.Want{Account: consumer, IAM: true, Policies: []string{grantsARN}},
			faults: []sandbox.Fault{{Service: "iam", Operation: "GetPolicy", Kind: "error", Code: "NoSuchEntity", Status: 404}},
			calls:  1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, b.sandbox.SetFaults(test.faults))
			c := b.client(t)
			if got := observe(t, c, test.want).Policies[grantsARN]; got != nil {
				t.Errorf("it was read as %+v", got)
			}
			if n := c.options.Stats.Report().Calls[consumer]["iam:GetPolicy"]; n != test.calls {
				t.Errorf("%d calls, not %d", n, test.calls)
			}
		})
	}
}

// Without the tags it is not known whose the policy is, which stops nothing
// else. What is proved does not hang on it.
func TestPolicyTagsDenied(t *testing.T) {
	b := onSandbox(t)
	api := b.raw(t, consumer).iam()
	for _, name := range []string{"closed", "open"} {
		_, err := api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(theirs)})
		must(t, err)
	}
	const arn = "arn:aws:iam::" + consumer + ":policy/"
	_, err := api.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("xshare-deployer"), PolicyName: aws.String("deny"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:GetPolicy","Resource":"` + arn + `closed"}]}`),
	})
	must(t, err)
	want := plan.Want{Account: consumer, IAM: true, Policies: []string{arn + "closed", arn + "open"}}
	isDenied := func(f plan.ReadFailure) bool {
		return f.Scope == plan.ScopePolicy+"closed" && f.Code == "AccessDenied" && strings.Contains(f.Mend, "iam:GetPolicy")
	}
	snap, err := b.client(t).Observe(t.Context(), want)
	must(t, err)
	if len(snap.Failures) != 1 || !isDenied(snap.Failures[0]) {
		t.Errorf("failures %+v", snap.Failures)
	}
	if open := snap.Policies[arn+"open"]; open == nil || open.Tags == nil {
		t.Errorf("the other one was read as %+v", open)
	}
	snap = observe(t, b.client(t), plan.ForProof([]plan.Want{want})[0])
	if !slices.ContainsFunc(snap.Unread, isDenied) || snap.Policies[arn+"closed"] == nil {
		t.Errorf("for a proof: unread %+v, policies %+v", snap.Unread, snap.Policies)
	}
}
