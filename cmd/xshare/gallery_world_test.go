package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// What is broken, over and over, is the recipe: a bucket of one account, and a
// role of another that an instance has. A third runs their organization, where
// there is one.
const (
	galleryOwner      = "111111111111"
	galleryConsumer   = "222222222222"
	galleryManagement = "999999999999"
	galleryBucket     = "mybucket2share"
	galleryRole       = "ec2role2accessmybucket2share"
	galleryPolicy     = "mycrossaccounts3bucketpolicy"
	galleryInstance   = "share-client"

	galleryBucketARN = "arn:aws:s3:::" + galleryBucket
	galleryRoleARN   = "arn:aws:iam::" + galleryConsumer + ":role/" + galleryRole
	galleryPolicyARN = "arn:aws:iam::" + galleryConsumer + ":policy/" + galleryPolicy
	galleryObject    = "mytestfile.txt"
)

const galleryRepository = `
apiVersion: xshare/v1
kind: Repository
metadata: {name: recipe}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  readRole: xshare-reader
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    management: {id: "999999999999"}
`

const galleryShare = `
apiVersion: xshare/v1
kind: Share
metadata: {name: mybucket2share}
spec:
  bucket: {name: mybucket2share, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: ec2role2accessmybucket2share, create: true, trust: ec2}
      access: [list, read, write]
      policyName: mycrossaccounts3bucketpolicy
      instances:
        - {name: share-client, subnet: subnet-1234, securityGroups: [sg-1234], keyName: mykey}
`

// gallery is one embedded AWS with a share in it.
type gallery struct {
	t       *testing.T
	dir     string // the specs
	prefix  string // what the share is limited to, or empty
	server  *sandbox.Server
	front   *httptest.Server
	client  *http.Client
	journal *journal

	// caller gives the role's credentials; nil: the instance's metadata does.
	caller func() (aws.Credentials, error)
	// encryption is what the caller asks for of the objects it writes.
	encryption string
}

// galleryBases are the states of an AWS with a share that works, by what the
// share is limited to.
type galleryBases map[string][]byte

// open starts an AWS in which the share works.
func (b galleryBases) open(t *testing.T, prefix string) *gallery {
	t.Helper()
	if b[prefix] == nil {
		g := newGallery(t, prefix, nil)
		if code, out := g.xshare("apply", "--yes"); code != 0 {
			t.Fatalf("apply: exit code %d\n%s", code, out)
		}
		g.putObject()
		b[prefix] = g.close()
	}
	return newGallery(t, prefix, b[prefix])
}

func newGallery(t *testing.T, prefix string, state []byte) *gallery {
	t.Helper()
	g := &gallery{t: t, dir: t.TempDir(), prefix: prefix, journal: &journal{}}
	share := galleryShare
	if prefix != "" {
		share = strings.Replace(share, "      access:", "      prefixes: ["+prefix+"]\n      access:", 1)
	}
	writeFiles(t, g.dir, map[string]string{"xshare.yaml": galleryRepository, "shares/share.yaml": share})
	if state != nil {
		g.write(g.statePath(), state)
	}
	repo, problems, err := readRepository(g.dir)
	if err != nil || specs.Errors(problems) != nil {
		t.Fatal(err, specs.Errors(problems))
	}
	if g.server, err = newSandbox(repo, sandbox.Options{StatePath: g.statePath(), Journal: g.journal}); err != nil {
		t.Fatal(err)
	}
	g.front = httptest.NewServer(g.server)
	address := g.front.Listener.Addr().String()
	// S3 Control's hosts begin with the account's id, which no name server knows.
	dial := func(ctx context.Context, network, to string) (net.Conn, error) {
		if strings.Count(to, ".") > 3 {
			to = address
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}
	g.client = &http.Client{Transport: &http.Transport{DialContext: dial}}
	t.Setenv("AWS_ENDPOINT_URL", g.front.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", galleryOwner)
	t.Setenv("AWS_REGION", "us-east-1")
	return g
}

func (g *gallery) statePath() string { return filepath.Join(g.dir, "state.json") }

func (g *gallery) write(path string, text []byte) {
	g.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// close ends the AWS and returns its state.
func (g *gallery) close() []byte {
	g.t.Helper()
	g.client.CloseIdleConnections()
	g.front.Close()
	if err := g.server.Close(); err != nil {
		g.t.Fatal(err)
	}
	text, err := os.ReadFile(g.statePath())
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// xshare runs a command on the repository, in this process.
func (g *gallery) xshare(args ...string) (code int, out string) {
	g.t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(g.t.Context(), append(slices.Clone(args), g.dir), streams{in: strings.NewReader(""), out: &stdout, err: &stderr, width: 1000}, nil)
	return code, stdout.String() + stderr.String()
}

// explained is what explain's JSON says.
type explained struct {
	Verdict      proof.Verdict
	Explanations []struct {
		Causes []struct {
			Code                             proof.Code
			Message, Mend, Account, Resource string
			Fragments                        []fragment
		}
		NotChecked []string
	}
}

// fragment is an edit that explain gives; Remove and Add are statements or nil.
type fragment struct {
	Side, Account, Policy string
	Remove, Add           any
}

func (e explained) codes() []proof.Code {
	var list []proof.Code
	for _, of := range e.Explanations {
		for _, c := range of.Causes {
			list = append(list, c.Code)
		}
	}
	return slices.Compact(list) // several statements may be wrong alike
}

func (e explained) fragments() (list []fragment) {
	for _, of := range e.Explanations {
		for _, c := range of.Causes {
			list = append(list, c.Fragments...)
		}
	}
	return list
}

// mends are what explain says to do.
func (e explained) mends() string {
	var list []string
	for _, of := range e.Explanations {
		for _, c := range of.Causes {
			list = append(list, c.Mend)
		}
	}
	return strings.Join(list, "\n")
}

// notChecked is what explain says that it does not know.
func (e explained) notChecked() string {
	var list []string
	for _, of := range e.Explanations {
		list = append(list, of.NotChecked...)
	}
	return strings.Join(list, "\n")
}

// verified are the causes that verify names.
func (g *gallery) verified() (codes []proof.Code) {
	g.t.Helper()
	code, out := g.xshare("verify", "--format", "json")
	var d struct {
		Grants []struct{ Causes []struct{ Code proof.Code } }
	}
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&d); err != nil { // what follows is progress
		g.t.Fatalf("verify: exit code %d: %v\n%s", code, err, out)
	}
	for _, grant := range d.Grants {
		for _, c := range grant.Causes {
			codes = append(codes, c.Code)
		}
	}
	return slices.Compact(codes) // several statements may be wrong alike
}

// explain asks about the share or, with arguments, about one access.
func (g *gallery) explain(args []string) (code int, e explained, out string) {
	g.t.Helper()
	if len(args) == 0 {
		args = []string{"--share", galleryBucket}
	}
	code, out = g.xshare(append([]string{"explain", "--format", "json"}, args...)...)
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&e); err != nil { // what follows is progress
		g.t.Fatalf("explain: exit code %d: %v\n%s", code, err, out)
	}
	_, out = g.xshare(append([]string{"explain"}, args...)...)
	return code, e, out
}

// config is that of an account's administrator.
func (g *gallery) config(account string) aws.Config {
	return g.configAs(aws.Credentials{AccessKeyID: account, SecretAccessKey: "sandbox"})
}

func (g *gallery) configAs(c aws.Credentials) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &g.front.URL, HTTPClient: g.client, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: c},
	}
}

func (g *gallery) s3(account string) *s3.Client { return g.s3As(g.config(account)) }
func (g *gallery) iam() *iam.Client             { return iam.NewFromConfig(g.config(galleryConsumer)) }

func (g *gallery) ec2() *ec2.Client { return ec2.NewFromConfig(g.config(galleryConsumer)) }
func (g *gallery) kms() *kms.Client { return kms.NewFromConfig(g.config(galleryOwner)) }
func (g *gallery) s3control() *s3control.Client {
	return s3control.NewFromConfig(g.config(galleryOwner))
}

func (g *gallery) organizations(account string) *organizations.Client {
	return organizations.NewFromConfig(g.config(account))
}

func (g *gallery) s3As(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// must fails the test where a call failed.
func (g *gallery) must(_ any, err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// control uses one of the sandbox's own paths.
func (g *gallery) control(method, path, body string) string {
	g.t.Helper()
	answer := httptest.NewRecorder()
	g.server.ServeHTTP(answer, httptest.NewRequestWithContext(g.t.Context(), method, path, strings.NewReader(body)))
	if answer.Code != http.StatusOK {
		g.t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// from makes all the consumer's calls come from somewhere, as condition keys.
func (g *gallery) from(keys string) {
	g.t.Helper()
	g.control(http.MethodPut, "/_sandbox/context", `{"`+galleryConsumer+`": `+keys+`}`)
}

// instance is the id of the instance of the specs, running; empty: there is
// none.
func (g *gallery) instance() string {
	g.t.Helper()
	g.control(http.MethodPost, "/_sandbox/clock", `{"advance": "1m"}`) // what was pending runs
	found, err := g.ec2().DescribeInstances(g.t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("instance-state-name"), Values: []string{"running"}},
	}})
	g.must(found, err)
	for _, r := range found.Reservations {
		for _, i := range r.Instances {
			return aws.ToString(i.InstanceId)
		}
	}
	return ""
}

// roleCredentials are those that the instance is given.
func (g *gallery) roleCredentials() (aws.Credentials, error) {
	g.t.Helper()
	if g.caller != nil {
		return g.caller()
	}
	id := g.instance()
	if id == "" {
		return aws.Credentials{}, errors.New("there is no instance")
	}
	var answer struct{ Metadata string }
	if err := json.Unmarshal([]byte(g.control(http.MethodGet, "/_sandbox/instances/"+id, "")), &answer); err != nil {
		g.t.Fatal(err)
	}
	return ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: answer.Metadata, ClientEnableState: imds.ClientEnabled, HTTPClient: g.client, Retryer: aws.NopRetryer{}})
	}).Retrieve(g.t.Context())
}

// assumed makes the caller somebody who assumed the role, with a session
// policy or, if it is empty, without.
func (g *gallery) assumed(sessionPolicy string) {
	g.caller = func() (aws.Credentials, error) {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(galleryRoleARN), RoleSessionName: aws.String("somebody")}
		if sessionPolicy != "" {
			in.Policy = &sessionPolicy
		}
		out, err := sts.NewFromConfig(g.config(galleryConsumer)).AssumeRole(g.t.Context(), in)
		if err != nil {
			return aws.Credentials{}, err
		}
		c := out.Credentials
		return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, nil
	}
}

// calls are what the share promises, really tried as the role: what it answers
// where it fails, in words; empty where all succeed.
func (g *gallery) calls() string {
	g.t.Helper()
	keys, err := g.roleCredentials()
	if err != nil {
		return "no credentials"
	}
	c, ctx := g.s3As(g.configAs(keys)), g.t.Context()
	bucket := aws.String(galleryBucket)
	results := []struct {
		name string
		do   func() error
	}{
		{"PutObject", func() error {
			in := &s3.PutObjectInput{
				Bucket: bucket, Key: aws.String(g.prefix + "copy.txt"), Body: strings.NewReader("test\n"),
				ServerSideEncryption: s3types.ServerSideEncryption(g.encryption),
			}
			_, err := c.PutObject(ctx, in)
			return err
		}},
		{"GetObject", func() error {
			out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String(g.prefix + galleryObject)})
			if err == nil {
				_, err = io.Copy(io.Discard, out.Body)
				err = errors.Join(err, out.Body.Close())
			}
			return err
		}},
		{"ListObjectsV2", func() error {
			in := &s3.ListObjectsV2Input{Bucket: bucket}
			if g.prefix != "" {
				in.Prefix = &g.prefix
			}
			_, err := c.ListObjectsV2(ctx, in)
			return err
		}},
	}
	by := map[string][]string{}
	var answers []string
	for _, r := range results {
		if err := r.do(); err != nil {
			answer := answerOf(err)
			if by[answer] == nil {
				answers = append(answers, answer)
			}
			by[answer] = append(by[answer], r.name)
		}
	}
	for i, answer := range answers {
		answers[i] = strings.Join(by[answer], ", ") + ": " + answer
		if len(by[answer]) == len(results) {
			answers[i] = "all: " + answer
		}
	}
	return strings.Join(answers, "; ")
}

// answerOf is a failed call's status and code.
func answerOf(err error) string {
	var status *smithyhttp.ResponseError
	var code smithy.APIError
	if !errors.As(err, &status) || !errors.As(err, &code) {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", status.HTTPStatusCode(), code.ErrorCode())
}

// wrote are the operations that changed something since the last look.
func (g *gallery) wrote() []string {
	g.t.Helper()
	var list []string
	for line := range strings.Lines(g.journal.take()) {
		var call journalled
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			g.t.Fatal(err)
		}
		if !reads(call.Operation) && !slices.Contains(list, call.Operation) {
			list = append(list, call.Operation)
		}
	}
	return list
}

// putObject makes the owner put what is got later.
func (g *gallery) putObject() {
	g.t.Helper()
	g.must(g.s3(galleryOwner).PutObject(g.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(galleryBucket), Key: aws.String(g.prefix + galleryObject), Body: strings.NewReader("test\n"),
	}))
}
