// Package awslive is the executor's view of real AWS accounts: its Observer,
// Doer and Prober over aws-sdk-go-v2.
//
// Every call goes through one chain: a guard that lets a read-only client read
// only, a count, and below the SDK's retries a token bucket an account and
// service. Credentials are those of the repository's specs; the account that
// they belong to is checked before anything is done with them.
package awslive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// Options say for whom, and how, a Client works.
type Options struct {
	// Accounts are the repository's accounts. Those that are not managed are
	// neither read nor written.
	Accounts []*specs.Account
	// Partition is the first part of all ARNs; empty means "aws".
	Partition string
	// Region is the repository's default region; GetCallerIdentity is asked
	// there. Empty means "us-east-1".
	Region string
	// Regions are all that the repository names. An instance profile is deleted
	// only after they were searched for instances that use it.
	Regions []string
	// Repository is the name in the tag xshare:repository, and FormerNames are
	// those whose marks count as ours too.
	Repository  string
	FormerNames []string
	// Ours reports whether a statement's Sid is this repository's mark.
	Ours func(sid string) bool

	// ReadOnly is for all that only reads: the read role is assumed, or the
	// deploy role with a session policy that allows no write, and any call
	// that is not a read is refused before it is sent.
	ReadOnly bool
	// Sandbox makes the client talk to this endpoint only, and read no
	// ambient credentials, profiles or endpoints. Nil: the SDK's own settings.
	Sandbox *Endpoint
	// Version is xshare's own, for the user agent.
	Version string

	// Stats gets the counts of all calls; nil: nobody wants them.
	Stats *Stats
	// Clock is used for all waiting; nil means the real one.
	Clock Clock
}

// Endpoint is an emulator, and who the caller is there: an access key id of 12
// digits is the administrator of that account.
type Endpoint struct {
	URL     string
	Account string // 12 digits; accounts with the deploy role `none` use their own
}

// Client is Observer, Doer and Prober over live accounts. It may be used by
// many goroutines at once.
type Client struct {
	options  Options
	sessions map[string]*session // by account id
	limits   *limits
	asked    asked
	idle     func() // drops idle connections to a sandbox; nil: not needed

	mu      sync.Mutex
	known   map[string]bool   // what was seen or made: see remember
	regions map[string]string // of buckets, by name
}

var (
	_ executor.Observer = (*Client)(nil)
	_ executor.Doer     = (*Client)(nil)
	_ executor.Prober   = (*Client)(nil)
)

// readsAtOnce is how many things of one account are read at once.
const readsAtOnce = 16

// New makes a client. It reads the SDK's configuration (each profile once) but
// calls nothing; what is wrong with one account's credentials shows when that
// account is used, so that the others can do without it. The context bounds
// New only.
func New(ctx context.Context, o Options) (*Client, error) {
	o.Partition = cmp.Or(o.Partition, "aws")
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Version = cmp.Or(o.Version, "devel")
	if o.Ours == nil {
		return nil, errors.New("awslive: Options.Ours is missing: without it no statement could be told from a foreign one")
	}
	if o.Stats == nil {
		o.Stats = NewStats()
	}
	if o.Clock == nil {
		o.Clock = wallClock{}
	}
	c := &Client{
		options:  o,
		sessions: map[string]*session{},
		known:    map[string]bool{},
		regions:  map[string]string{},
		asked:    asked{members: map[string]*membership{}, refused: map[string]*plan.ReadFailure{}},
	}
	c.limits = newLimits(o.Clock)
	bases := newBases(c)
	for _, a := range o.Accounts {
		if c.sessions[a.ID] != nil {
			return nil, fmt.Errorf("awslive: account %s is listed twice", a.ID)
		}
		c.sessions[a.ID] = &session{client: c, account: a, base: bases.get(ctx, a), role: c.roleOf(a)}
	}
	return c, ctx.Err()
}

// Close drops the connections to a sandbox that nobody uses, for which the
// sandbox would wait when it is closed itself. Nothing else needs it.
func (c *Client) Close() {
	if c.idle != nil {
		c.idle()
	}
}

// session returns an account's session, or why there is none.
func (c *Client) session(account string) (*session, error) {
	s := c.sessions[account]
	switch {
	case s == nil:
		return nil, fmt.Errorf("account %s is not in the repository: add it to spec.accounts of %s", account, specs.RepositoryFile)
	case !s.account.Manage:
		return nil, fmt.Errorf("account %s (%s) has `manage: false`: it is neither read nor written", account, s.account.Alias)
	}
	return s, nil
}

// remember notes that a resource exists: this client saw it or made it. A call
// that says otherwise is then told so by a part of AWS that has not heard yet.
// The key is an ARN, or an instance's id.
func (c *Client) remember(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[key] = true
}

func (c *Client) knows(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[key]
}

func (c *Client) setRegion(bucket, region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.regions[bucket] = region
}

func (c *Client) regionOf(bucket string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.regions[bucket]
}

// arn is an IAM ARN; name may have a path before it.
func (c *Client) arn(account, kind, name string) string {
	return "arn:" + c.options.Partition + ":iam::" + account + ":" + kind + "/" + name
}

// marked reports whether tags carry this repository's mark.
func (c *Client) marked(tags map[string]string) bool {
	mark, ok := tags[plan.RepositoryTag]
	return ok && slices.Contains(c.names(), mark)
}

// names are the repository's name and former names.
func (c *Client) names() []string {
	return append([]string{c.options.Repository}, c.options.FormerNames...)
}

// ptr is the pointer that the SDK's inputs take, nil for the empty string.
func ptr(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
