package awslive

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// noRole is the deploy role that means the caller's own credentials.
const noRole = "none"

// base is where credentials start from: the SDK's default chain, a profile, or
// one of a sandbox's administrators.
type base struct {
	client *Client
	cfg    aws.Config
	err    error // of loading cfg

	mu     sync.Mutex
	caller *caller
}

// caller is who a base's credentials belong to.
type caller struct {
	account string
	arn     string
}

// bases makes each base once.
type bases struct {
	client *Client
	http   aws.HTTPClient
	byName map[string]*base
}

// newBases gives all bases one pool of connections. A sandbox's is a plain one,
// so that Close can empty it; the SDK's own takes AWS_CA_BUNDLE.
func newBases(c *Client) *bases {
	const perHost = 64
	pool := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = perHost })
	b := &bases{client: c, http: pool, byName: map[string]*base{}}
	if c.options.Sandbox != nil {
		t := pool.GetTransport()
		t.MaxIdleConnsPerHost = perHost
		c.idle = t.CloseIdleConnections
		b.http = &http.Client{
			Transport: t,
			// As in the SDK's own: a redirect is an answer.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return b
}

// get returns the base of an account's credentials.
func (b *bases) get(ctx context.Context, a *specs.Account) *base {
	name := "profile " + a.Profile
	box := b.client.options.Sandbox
	id := ""
	if box != nil {
		id = box.Account
		if a.DeployRole == noRole {
			id = a.ID
		}
		name = "sandbox " + id
	}
	if found := b.byName[name]; found != nil {
		return found
	}
	made := &base{client: b.client}
	if box != nil {
		made.cfg = aws.Config{
			Region:       b.client.options.Region,
			HTTPClient:   b.http,
			BaseEndpoint: aws.String(box.URL),
			Credentials:  credentials.NewStaticCredentialsProvider(id, "sandbox", ""),
		}
	} else {
		made.cfg, made.err = config.LoadDefaultConfig(ctx,
			config.WithSharedConfigProfile(a.Profile),
			config.WithDefaultRegion(b.client.options.Region),
			config.WithLogger(logging.Nop{}), // its warnings are about what it mends itself
			config.WithHTTPClient(b.http))
		made.err = b.client.failed(made.err, "", "", "AWS configuration",
			"see that the profile (`profile:` of the account, or AWS_PROFILE) is in ~/.aws/config, and that the file can be read")
	}
	b.byName[name] = made
	return made
}

// identity asks who the caller is, once.
func (b *base) identity(ctx context.Context) (*caller, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.caller != nil || b.err != nil {
		return b.caller, b.err
	}
	api := sts.NewFromConfig(b.client.chain(b.cfg, ""), func(o *sts.Options) { o.Region = b.client.options.Region })
	out, err := api.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		mend := credentialsMend
		if isUnanswered(err) {
			mend = networkMend(err)
		}
		b.err = b.client.failed(err, "", b.client.options.Region, "the caller", mend)
		return nil, b.err
	}
	b.caller = &caller{account: aws.ToString(out.Account), arn: aws.ToString(out.Arn)}
	return b.caller, nil
}

// session is what this client is in one account.
type session struct {
	client  *Client
	account *specs.Account
	base    *base
	role    string // name or path/name of the role to assume; noRole: none

	mu    sync.Mutex
	cfg   aws.Config // with the account's credentials, once ready
	who   string     // ARN, for messages
	done  bool
	err   error
	iams  *iam.Client
	s3s   map[string]*s3.Client // by region
	ec2s  map[string]*ec2.Client
	image map[string]chosenImage // by region and word of the spec
}

// roleOf is the role that this client assumes in an account.
func (c *Client) roleOf(a *specs.Account) string {
	if c.options.ReadOnly && a.ReadRole != "" {
		return a.ReadRole
	}
	return cmp.Or(a.DeployRole, noRole)
}

// ready gets the account's credentials, and sees that they are that account's.
// An error is kept: all that the account is asked for fails by the same cause,
// without asking again.
func (s *session) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return s.err
	}
	cfg, who, err := s.start(ctx)
	if err != nil && ctx.Err() != nil {
		return err
	}
	s.done, s.err, s.who = true, err, who
	s.cfg = s.client.chain(cfg, s.account.ID)
	s.s3s, s.ec2s, s.image = map[string]*s3.Client{}, map[string]*ec2.Client{}, map[string]chosenImage{}
	return err
}

func (s *session) start(ctx context.Context) (aws.Config, string, error) {
	caller, err := s.base.identity(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = &executor.CallerError{Err: err}
		}
		return aws.Config{}, "", err
	}
	cfg := s.base.cfg.Copy()
	if s.role == noRole {
		if caller.account != s.account.ID {
			return cfg, caller.arn, fmt.Errorf("the caller %s is in account %s, not in %s (%s): give it credentials of that account, or a deployRole to assume there",
				caller.arn, caller.account, s.account.ID, s.account.Alias)
		}
		return cfg, caller.arn, nil
	}
	if isSessionOf(caller.arn, s.account.ID, s.role) {
		return cfg, caller.arn, nil
	}
	a := assume{
		client: s.client, base: s.base, caller: caller,
		account: s.account.ID, region: s.region(), externalID: s.account.ExternalID,
		role: s.client.arn(s.account.ID, "role", strings.TrimPrefix(s.role, "/")),
	}
	if s.client.options.ReadOnly && s.account.ReadRole == "" {
		a.policy = readOnlyPolicy()
	}
	cache := aws.NewCredentialsCache(a, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = 5 * time.Minute
		o.ExpiryWindowJitterFrac = 0.5
	})
	if _, err := cache.Retrieve(ctx); err != nil {
		return cfg, a.role, err
	}
	cfg.Credentials = cache
	return cfg, a.role, nil
}

func (s *session) region() string { return cmp.Or(s.account.Region, s.client.options.Region) }

// isSessionOf reports whether arn is a session of that role. Session ARNs have
// no path.
func isSessionOf(arn, account, role string) bool {
	a := iampolicy.CutARN(arn)
	if a.Service != "sts" || a.Account != account {
		return false
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	name, _, _ := strings.Cut(rest, "/")
	return kind == "assumed-role" && name == path.Base(role)
}

// assume is a credentials provider: sessions of one role.
type assume struct {
	client     *Client
	base       *base
	caller     *caller
	from       aws.CredentialsProvider // nil: the base's
	account    string
	region     string
	role       string // ARN
	externalID string
	policy     string // session policy; empty: none
}

// Retrieve makes a session, and sees that it is in the account that was meant.
func (a assume) Retrieve(ctx context.Context) (aws.Credentials, error) {
	cfg := a.base.cfg.Copy()
	if a.from != nil {
		cfg.Credentials = a.from
	}
	api := sts.NewFromConfig(a.client.chain(cfg, a.account), func(o *sts.Options) { o.Region = a.region })
	out, err := api.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn:         aws.String(a.role),
		RoleSessionName: aws.String("xshare"),
		ExternalId:      ptr(a.externalID),
		Policy:          ptr(a.policy),
	})
	if err != nil {
		if ctx.Err() != nil {
			return aws.Credentials{}, ctx.Err()
		}
		mend := ""
		switch {
		case isUnanswered(err):
			mend = networkMend(err)
		case isDenied(err):
			mend = fmt.Sprintf("let the role's trust policy allow sts:AssumeRole to %s%s, and allow that caller sts:AssumeRole on it; see also that the role exists",
				a.caller.arn, map[bool]string{true: " with the external id of " + specs.RepositoryFile}[a.externalID != ""])
			// That no policy allows it is said of one side where both lack it.
			if r := refusalOf(err); r.explicit || r.layer != "" && r.layer != layerIdentity && r.layer != layerResource && r.layer != layerTrust {
				mend = r.mend(a.caller.arn, a.caller.account, "sts:AssumeRole", a.role)
			}
		}
		return aws.Credentials{}, a.client.failed(err, a.account, a.region, a.role, mend)
	}
	if out.Credentials == nil || out.AssumedRoleUser == nil {
		return aws.Credentials{}, fmt.Errorf("AssumeRole of %s gave no session: see that the endpoint is AWS's or an emulator's", a.role)
	}
	if got := iampolicy.CutARN(aws.ToString(out.AssumedRoleUser.Arn)).Account; got != a.account {
		return aws.Credentials{}, fmt.Errorf("the session of %s is in account %q, not %s: see what answers at the STS endpoint", a.role, got, a.account)
	}
	return aws.Credentials{
		AccessKeyID:     aws.ToString(out.Credentials.AccessKeyId),
		SecretAccessKey: aws.ToString(out.Credentials.SecretAccessKey),
		SessionToken:    aws.ToString(out.Credentials.SessionToken),
		CanExpire:       true,
		Expires:         aws.ToTime(out.Credentials.Expiration),
		AccountID:       a.account,
		Source:          "xshare",
	}, nil
}

// iam, s3, ec2 and tagging are the account's clients; the session must be ready.

func (s *session) iam() *iam.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.iams == nil {
		s.iams = iam.NewFromConfig(s.cfg, func(o *iam.Options) { o.Region = s.region() })
	}
	return s.iams
}

func (s *session) s3(region string) *s3.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	region = cmp.Or(region, s.region())
	if s.s3s[region] == nil {
		s.s3s[region] = newS3(s.cfg, region)
	}
	return s.s3s[region]
}

// newS3 makes an S3 client; with an endpoint of its own, bucket names go into
// the path, since the host has no names below it.
func newS3(cfg aws.Config, region string) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

func (s *session) ec2(region string) *ec2.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	region = cmp.Or(region, s.region())
	if s.ec2s[region] == nil {
		s.ec2s[region] = ec2.NewFromConfig(s.cfg, func(o *ec2.Options) { o.Region = region })
	}
	return s.ec2s[region]
}

// tagging is not kept: a sweep uses it once a region.
func (s *session) tagging(region string) *tagging.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tagging.NewFromConfig(s.cfg, func(o *tagging.Options) { o.Region = region })
}

// principal is who this client is in the account, for messages.
func (s *session) principal() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}
