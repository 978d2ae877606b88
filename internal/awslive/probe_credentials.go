package awslive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/xshare/xshare/executor"
)

// How long an instance that is starting is waited for.
const startPatience = 5 * time.Minute

// baseFor is where the credentials of a grant's role start from: those of its
// account, or of the owner's where the role's is not in the repository.
func (c *Client) baseFor(grant executor.ProbeGrant) *base {
	for _, account := range []string{grant.RoleAccount, grant.OwnerAccount} {
		if s := c.sessions[account]; s != nil {
			return s.base
		}
	}
	return nil
}

// roleAt is the role on a grant's bucket.
type roleAt struct {
	objectCalls
	via    string // where its credentials are from
	region string // the bucket's
}

const noTrust = "the role's trust lets neither the deploy role nor the caller assume it"

// roleOn gets the role where it really gets its credentials: by AssumeRole, or
// on one of its instances. The error is the reason why it cannot be had.
func (c *Client) roleOn(ctx context.Context, grant executor.ProbeGrant) (*roleAt, error) {
	base := c.baseFor(grant)
	if base == nil {
		return nil, fmt.Errorf("neither account %s nor account %s is in the repository", grant.RoleAccount, grant.OwnerAccount)
	}
	caller, err := base.identity(ctx)
	if err != nil {
		return nil, err
	}
	via := "AssumeRole"
	provider, err := c.assumeRole(ctx, base, caller, grant)
	if provider == nil && err == nil {
		if s := c.sessions[grant.RoleAccount]; s != nil && !s.account.Manage {
			return nil, fmt.Errorf("account %s (%s) has `manage: false`, so xshare does not read what the role trusts, and the caller %s could not assume it",
				s.account.ID, s.account.Alias, caller.arn)
		}
		if len(grant.Instances) == 0 {
			return nil, errors.New(noTrust + ", and no instance of the specs has it")
		}
		endpoint := aws.ToString(base.cfg.BaseEndpoint)
		if !c.isSandbox(ctx, base, endpoint) {
			return c.roleBySSM(ctx, grant)
		}
		provider, via, err = c.instanceCredentials(ctx, base, endpoint, grant)
	}
	if err != nil {
		return nil, err
	}
	cfg := base.cfg.Copy()
	cfg.Credentials = aws.NewCredentialsCache(provider)
	cfg = c.chain(cfg, grant.RoleAccount)
	region := c.foundRegion(ctx, newS3(cfg, c.options.Region), grant)
	return &roleAt{bySDK{newS3(cfg, region), grant.Bucket}, via, region}, nil
}

// assumeRole tries to assume the role, as the account's deploy role and as the
// caller. It returns neither provider nor error when the trust lets neither.
func (c *Client) assumeRole(ctx context.Context, base *base, caller *caller, grant executor.ProbeGrant) (aws.CredentialsProvider, error) {
	a := assume{client: c, base: base, caller: caller, account: grant.RoleAccount, region: c.options.Region, role: grant.RoleARN}
	tries := []assume{a}
	if s, err := c.session(grant.RoleAccount); err == nil && s.ready(ctx) == nil {
		if s.principal() != caller.arn {
			deploy := a
			deploy.from = s.credentials()
			tries = []assume{deploy, a}
		}
	}
	for _, try := range tries {
		_, err := try.Retrieve(ctx)
		switch {
		case err == nil:
			return try, nil
		case !isDenied(err):
			return nil, err
		}
	}
	return nil, nil
}

// credentials are the account's; the session must be ready.
func (s *session) credentials() aws.CredentialsProvider {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Credentials
}

// instanceCredentials gets the role's credentials in a sandbox: from the
// metadata service of an instance that has the role.
func (c *Client) instanceCredentials(ctx context.Context, base *base, endpoint string, grant executor.ProbeGrant) (aws.CredentialsProvider, string, error) {
	var reasons []string
	for _, in := range grant.Instances {
		err := c.running(ctx, grant, in)
		var provider aws.CredentialsProvider
		if err == nil {
			provider, err = metadataCredentials(ctx, base, endpoint, in.ID)
		}
		if err == nil {
			return provider, "metadata of " + in.ID, nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, "", noneUsable(reasons)
}

// noneUsable is the error of a role that none of its instances lets be had.
func noneUsable(reasons []string) error {
	return errors.New(noTrust + ", and its instances cannot be used: " + strings.Join(reasons, "; "))
}

// running waits for an instance that is starting, and is an error unless it
// runs.
func (c *Client) running(ctx context.Context, grant executor.ProbeGrant, in executor.ProbeInstance) error {
	state, err := c.started(ctx, grant, in)
	if err == nil && state != "running" {
		err = fmt.Errorf("instance %s is %s", in.ID, state)
	}
	return err
}

// started waits for an instance that is starting, and returns its state.
func (c *Client) started(ctx context.Context, grant executor.ProbeGrant, in executor.ProbeInstance) (string, error) {
	state := in.State
	if state != "pending" && state != "" {
		return state, nil
	}
	s, err := c.session(grant.RoleAccount)
	if err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		return "", err
	}
	err = c.again(ctx, startPatience, func(err error) bool { return errors.Is(err, errUnsettled) }, func() error {
		found, err := s.instances(ctx, in.Region, []types.Filter{filter("instance-id", in.ID)})
		if err != nil {
			return err
		}
		state = "gone"
		if len(found) > 0 {
			state = found[0].State
		}
		if state == "pending" {
			return errUnsettled
		}
		return nil
	})
	if errors.Is(err, errUnsettled) {
		return state, nil
	}
	return state, err
}

// isSandbox reports whether xshare's own sandbox answers at an endpoint. Only
// loopback addresses are asked.
func (c *Client) isSandbox(ctx context.Context, base *base, endpoint string) bool {
	if !isLoopback(endpoint) {
		return false
	}
	var answer struct {
		Sandbox string `json:"sandbox"`
	}
	return getJSON(ctx, base, endpoint, "/_sandbox/", &answer) == nil && answer.Sandbox == "xshare"
}

// metadataCredentials are those that a sandbox's instance hands to what runs on
// it.
func metadataCredentials(ctx context.Context, base *base, endpoint, instance string) (aws.CredentialsProvider, error) {
	var answer struct {
		Metadata string `json:"metadata"`
	}
	if err := getJSON(ctx, base, endpoint, "/_sandbox/instances/"+url.PathEscape(instance), &answer); err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", instance, err)
	}
	provider := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: answer.Metadata, ClientEnableState: imds.ClientEnabled, HTTPClient: base.cfg.HTTPClient})
	})
	if _, err := provider.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", instance, err)
	}
	return provider, nil
}

// getJSON asks the sandbox itself, which is no AWS call.
func getJSON(ctx context.Context, base *base, endpoint, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+path, nil)
	if err != nil {
		return err
	}
	resp, err := base.cfg.HTTPClient.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %s", path, resp.Status, strings.TrimSpace(string(text)))
	}
	return json.Unmarshal(text, answer)
}
