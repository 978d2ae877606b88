package awslive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// The accounts of the tests.
const (
	owner    = "111111111111"
	consumer = "222222222222"
	partner  = "444444444444" // not managed
	region   = "us-east-1"
)

const repository = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme-data, formerNames: [acme]}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner:   {id: "444444444444", manage: false}
`

// backend is an emulator with the two accounts in it.
type backend struct {
	endpoint string
	clock    *fakeClock
	sandbox  *sandbox.Server // nil: moto
	journal  *journal
	waits    []executor.Waiting // see told

	// What instances are launched into.
	subnet, group, key string
}

// fakeClock moves only when somebody sleeps.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Now()} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.now = c.now.Add(d)
		c.slept += d
	}
	return ctx.Err()
}

func (c *fakeClock) total() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// journal keeps the sandbox's lines.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// line is what tests look at in the sandbox's journal.
type line struct {
	Account, Principal, Service, Operation, Resource, Decision string
	Status                                                     int
}

func (j *journal) lines(t *testing.T) []line {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []line
	for d := json.NewDecoder(bytes.NewReader(j.b.Bytes())); d.More(); {
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// count is how many calls of that name the sandbox has had.
func (j *journal) count(t *testing.T, operation string) int {
	n := 0
	for _, l := range j.lines(t) {
		if l.Service+":"+l.Operation == operation {
			n++
		}
	}
	return n
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func trusting(account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`
}

// onSandbox starts a sandbox with deploy roles in both accounts.
func onSandbox(t *testing.T, change ...func(*sandbox.Options)) *backend {
	t.Helper()
	b := &backend{clock: newFakeClock(), journal: &journal{}, subnet: "subnet-1234", group: "sg-1234", key: "mykey"}
	o := sandbox.Options{Clock: b.clock.Now, Journal: b.journal, Random: t.Name(), Seed: sandbox.Seed{
		Accounts: []string{owner, consumer},
		Roles: []sandbox.SeedRole{
			{Account: owner, Name: "xshare-deployer", Trust: trusting(owner), Inline: map[string]string{"all": everything}},
			{Account: consumer, Name: "xshare-deployer", Trust: trusting(owner), Inline: map[string]string{"all": everything}},
		},
		Subnets:        []sandbox.SeedSubnet{{Account: consumer, Region: region, ID: "subnet-1234"}},
		SecurityGroups: []sandbox.SeedSecurityGroup{{Account: consumer, Region: region, ID: "sg-1234"}},
		Keys:           []sandbox.SeedKey{{Account: consumer, Region: region, Name: "mykey"}},
	}}
	for _, f := range change {
		f(&o)
	}
	s, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b.endpoint, b.sandbox = server.URL, s
	return b
}

// moto is the one moto_server of this test binary.
var moto struct {
	once     sync.Once
	endpoint string
	err      error
	cmd      *exec.Cmd
	ended    chan struct{}
}

// onMoto resets moto_server, after it was started by the first who needs it.
// Where it is not installed the test is skipped, or fails if XSHARE_REQUIRE_MOTO
// is set. Tests on it must not run in parallel: its reset is global.
func onMoto(t *testing.T) *backend {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") != "" {
			t.Fatal("moto_server is not on PATH, and XSHARE_REQUIRE_MOTO is set: install moto 5 (pip install 'moto[server]')")
		}
		t.Skip("moto_server is not on PATH: the second judge of the AWS adapter does not run")
	}
	moto.once.Do(func() { moto.endpoint, moto.err = startMoto(path) })
	if moto.err != nil {
		t.Fatal(moto.err)
	}
	resp, err := http.Post(moto.endpoint+"/moto-api/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	b := &backend{endpoint: moto.endpoint, clock: newFakeClock()}
	b.launchpad(t)
	return b
}

// startMoto runs moto_server on a free port, until it answers. Somebody else may
// take the port first; then another is tried.
func startMoto(path string) (endpoint string, err error) {
	for range 3 {
		if endpoint, err = tryMoto(path); err == nil {
			return endpoint, nil
		}
		stopMoto()
	}
	return "", err
}

func tryMoto(path string) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	log := &bytes.Buffer{}
	cmd := exec.Command(path, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	moto.cmd, moto.ended = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait() // it ends by being killed
		close(moto.ended)
	}()
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		resp, err := http.Get(endpoint + "/moto-api/data.json")
		if err == nil {
			return endpoint, resp.Body.Close()
		}
		select {
		case <-moto.ended:
			return "", fmt.Errorf("moto_server ended at once:\n%s", log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "", errors.New("moto_server does not answer within a minute")
}

// freePort is a port below those that outgoing connections get: one of those
// could take it, and a connection to itself would look like a server.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 20000 and 30000")
}

func stopMoto() {
	if moto.cmd != nil {
		_ = moto.cmd.Process.Kill() // an error: it has ended already
		<-moto.ended
	}
}

// launchpad makes a subnet, a group and a key in the consumer's account; moto
// takes no ids of our own.
func (b *backend) launchpad(t *testing.T) {
	t.Helper()
	api := b.raw(t, consumer).ec2(region)
	vpc, err := api.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	must(t, err)
	subnet, err := api.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.0.0.0/24")})
	must(t, err)
	group, err := api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{VpcId: vpc.Vpc.VpcId, GroupName: aws.String("g"), Description: aws.String("g")})
	must(t, err)
	b.key = "mykey"
	_, err = api.ImportKeyPair(t.Context(), &ec2.ImportKeyPairInput{KeyName: &b.key, PublicKeyMaterial: []byte(publicKey)})
	must(t, err)
	b.subnet, b.group = aws.ToString(subnet.Subnet.SubnetId), aws.ToString(group.GroupId)
}

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5yN2yCnGdHT7UXpAGFXdVPlBKxTR0ZwRqIcUJrJcXN test"

// both runs a case on every backend.
func both(t *testing.T, test func(t *testing.T, b *backend)) {
	t.Run("sandbox", func(t *testing.T) { test(t, onSandbox(t)) })
	t.Run("moto", func(t *testing.T) { test(t, onMoto(t)) })
}

// client makes a client of the test repository.
func (b *backend) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	repo := repo(t)
	o := Options{
		Accounts: repo.Accounts, Region: repo.Region, Repository: repo.Name, FormerNames: repo.FormerNames,
		Ours: ours, Sandbox: &Endpoint{URL: b.endpoint, Account: owner}, Clock: b.clock, Stats: NewStats(),
	}
	for _, f := range change {
		f(&o)
	}
	c, err := New(t.Context(), o)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// raw is somebody else in an account, who does what no Doer does.
func (b *backend) raw(t *testing.T, account string) *session {
	t.Helper()
	s := b.client(t).sessions[account]
	must(t, s.ready(t.Context()))
	return s
}

// repo reads the test repository with the given shares.
func repo(t *testing.T, shares ...string) *specs.Repository {
	t.Helper()
	files := fstest.MapFS{specs.RepositoryFile: {Data: []byte(repository)}, "shares/none.yaml": {}}
	for i, text := range shares {
		files[fmt.Sprintf("shares/%d.yaml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	r, problems := specs.Load(files)
	must(t, specs.Errors(problems))
	return r
}

func ours(sid string) bool {
	for _, name := range []string{"acme-data", "acme"} {
		prefix := iampolicy.MarkPrefix(name)
		if len(sid) > len(prefix) && sid[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

// statement is a statement of ours on a bucket, for a principal.
func statement(bucket, principal string, actions ...string) iampolicy.Statement {
	s := iampolicy.Statement{
		Effect: iampolicy.Allow, Action: actions, Resource: []string{"arn:aws:s3:::" + bucket + "/*"},
	}
	s.Sid = iampolicy.Mark("acme-data", s)
	if principal != "" {
		s.Principal = &iampolicy.Principals{AWS: []string{principal}}
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// told is the test's context, which notes what is waited for.
func (b *backend) told(t *testing.T) context.Context {
	return executor.WithWaiting(t.Context(), func(w executor.Waiting) { b.waits = append(b.waits, w) })
}

// do carries out a change and returns how many writes it took.
func do(t *testing.T, c *Client, change *plan.Change) int {
	t.Helper()
	done, err := c.Do(t.Context(), change)
	must(t, err)
	return done.Writes
}

// observe reads an account without a failure.
func observe(t *testing.T, c *Client, want plan.Want) *plan.Snapshot {
	t.Helper()
	snap, err := c.Observe(t.Context(), want)
	must(t, err)
	for _, f := range snap.Failures {
		t.Errorf("reading %s of %s: %s: %s", f.Scope, want.Account, f.Message, f.Mend)
	}
	if t.Failed() {
		t.FailNow()
	}
	return snap
}

// instance runs an instance by hand.
func (b *backend) instance(t *testing.T, image string) string {
	t.Helper()
	out, err := b.raw(t, consumer).ec2(region).RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: &image, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: &b.subnet,
	})
	must(t, err)
	return aws.ToString(out.Instances[0].InstanceId)
}
