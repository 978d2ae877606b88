package awslive

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/sandbox"
)

func trust(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`
}

// invalid makes the sandbox refuse a role as IAM does what the sandbox takes.
func invalid(t *testing.T, b *backend, named string) {
	t.Helper()
	must(t, b.sandbox.SetFaults([]sandbox.Fault{{
		Service: "iam", Operation: "CreateRole", Kind: "error", Code: "MalformedPolicyDocument", Status: http.StatusBadRequest,
		Message: "Invalid principal in policy: " + named,
	}}))
}

// Only a principal that is there may yet be heard of: nothing else is waited for.
func TestWrongPrincipalOfTrustIsNotWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		principal string // of the trust policy
		named     string // as IAM complains of it; empty: the sandbox does so itself
		mend      string
	}{
		"misspelt service":           {`{"Service":"ec2.amazon.com"}`, "", "AWS knows no service ec2.amazon.com: correct the name"},
		"service's word":             {`{"Service":"lambda"}`, `"SERVICE":"lambda"`, "AWS knows no service lambda: correct the name"},
		"service beside a role":      {`{"Service":"ec2.amazon.com","AWS":"arn:aws:iam::222222222222:role/there"}`, `"SERVICE":"ec2.amazon.com"`, "AWS knows no service ec2.amazon.com"},
		"identity provider":          {`{"Federated":"arn:aws:iam::222222222222:saml-provider/none"}`, `"FEDERATED":"arn:aws:iam::222222222222:saml-provider/none"`, "there is no identity provider"},
		"account":                    {`{"AWS":"arn:aws:iam::999999999999:root"}`, `"AWS":"arn:aws:iam::999999999999:root"`, "AWS knows no account arn:aws:iam::999999999999:root"},
		"account by its id":          {`{"AWS":"999999999999"}`, `"AWS":"999999999999"`, "AWS knows no account 999999999999"},
		"deleted role":               {`{"AWS":"AROAAAAAAAAAAAAAAAAAA"}`, "", "the id of a role or user that was deleted"},
		"role that is not there":     {`{"AWS":"arn:aws:iam::222222222222:role/none"}`, "", "role/none does not exist"},
		"another beside one that is": {`{"AWS":["arn:aws:iam::222222222222:role/there","arn:aws:iam::222222222222:role/none"]}`, "", "role/none does not exist"},
		"none is named":              {`{"Service":"ec2.amazonaws.com"}`, "?", "a principal that the policy names does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t)
			b.role(t, consumer, "there")
			before := b.journal.count(t, "iam:CreateRole")
			if c.named != "" {
				invalid(t, b, c.named)
			}
			_, err := b.client(t).Do(t.Context(), roleChange(trust(c.principal)))
			var api *executor.APIError
			if !errors.As(err, &api) || api.Code != "MalformedPolicyDocument" || !strings.Contains(api.Mend, c.mend) {
				t.Fatalf("error is %v", err)
			}
			if n := b.journal.count(t, "iam:CreateRole") - before; n != 1 {
				t.Errorf("it was tried %d times", n)
			}
		})
	}
}

// A role that is there is waited for, whatever else the policy names; and once
// that takes long, what is waited for is told.
func TestWaitingIsTold(t *testing.T) {
	const existing = "arn:aws:iam::222222222222:role/there"
	for name, c := range map[string]struct {
		do   func(*testing.T, *backend, *Client)
		want string
	}{
		"trust policy": {func(t *testing.T, b *backend, c *Client) {
			_, err := c.Do(b.told(t), roleChange(trust(`{"Service":"ec2.amazonaws.com","AWS":["`+existing+`","arn:aws:iam::222222222222:root"]}`)))
			must(t, err)
		}, "IAM knows role there"},
		"bucket policy": {func(t *testing.T, b *backend, c *Client) {
			b.bucket(t, "shared", "")
			_, err := c.Do(b.told(t), policyChange("shared", statement("shared", existing, "s3:GetObject")))
			must(t, err)
		}, "S3 knows role there"},
	} {
		t.Run(name, func(t *testing.T) {
			b := onSandbox(t, func(o *sandbox.Options) { o.Propagation.Role = sandbox.Window{For: 30 * time.Second} })
			b.role(t, consumer, "there")
			c.do(t, b, b.client(t))
			if len(b.waits) < 2 || b.waits[0].For != c.want {
				t.Fatalf("told: %+v, want %q", b.waits, c.want)
			}
			for _, w := range b.waits {
				if w.SoFar < patienceUntold || w.AtMost != propagation {
					t.Errorf("told: %+v", w)
				}
			}
			if !slices.IsSortedFunc(b.waits, func(a, b executor.Waiting) int { return int(a.SoFar - b.SoFar) }) {
				t.Errorf("told: %+v", b.waits)
			}
		})
	}
}

func TestShortWaitIsNotTold(t *testing.T) {
	b := onSandbox(t, func(o *sandbox.Options) { o.Propagation.Role = sandbox.Window{Attempts: 2} })
	b.bucket(t, "shared", "")
	_, err := b.client(t).Do(b.told(t), policyChange("shared", statement("shared", b.role(t, consumer, "there"), "s3:GetObject")))
	must(t, err)
	if len(b.waits) > 0 || b.clock.total() == 0 {
		t.Errorf("told: %+v", b.waits)
	}
}

// What an error makes wait for, where nobody knows better.
func TestAwaited(t *testing.T) {
	of := func(service, code, message string) error {
		return &smithy.OperationError{ServiceID: service, OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: message}}
	}
	for want, err := range map[string]error{
		"what was written can be read back":             errUnsettled,
		"IAM knows role r":                              of("IAM", "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::1:role/p/r"`),
		"S3 knows the roles that the policy names":      of("S3", "MalformedPolicy", "Invalid principal in policy"),
		"EC2 knows the instance profile":                of("EC2", "InvalidParameterValue", "Invalid IAM Instance Profile name"),
		"IAM knows what was made a moment ago":          of("IAM", "NoSuchEntity", ""),
		"the instance is in a state that allows it":     of("EC2", "IncorrectInstanceState", ""),
		"IAM sees that nothing holds on to it any more": of("IAM", "DeleteConflict", ""),
		"S3 takes it (OperationAborted so far)":         of("S3", "OperationAborted", ""),
		"AWS takes it (no answer so far)":               errors.New("reset"),
	} {
		if got := awaited(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := nounsOf("arn:aws:iam::1:instance-profile/p", "arn:aws:s3:::b", "i-1"); got != "instance profile p and bucket b and i-1" {
		t.Errorf("nouns are %q", got)
	}
}
