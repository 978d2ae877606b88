package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// launched starts a sandbox with a running instance of the consumer's.
func launched(t *testing.T, change ...func(*ec2.RunInstancesInput)) (testServer, string) {
	t.Helper()
	seed := fleet()
	seed.Buckets = []SeedBucket{{owner, "shared", "us-east-1"}}
	s := start(t, Options{Seed: seed})
	out := must(s.ec2(consumer).RunInstances(t.Context(), launching(change...)))(t)
	s.clock.advance(changeTime)
	return s, *out.Instances[0].InstanceId
}

// metadataURL asks for an instance's metadata service.
func (s testServer) metadataURL(t *testing.T, id string) string {
	t.Helper()
	status, body := s.control(t, http.MethodGet, "instances/"+id, "")
	var out struct{ Metadata string }
	if err := json.Unmarshal([]byte(body), &out); err != nil || status != 200 || !strings.HasPrefix(out.Metadata, "http://127.0.0.1:") {
		t.Fatalf("%d %s", status, body)
	}
	return out.Metadata
}

func metadataClient(url string) *imds.Client {
	return imds.New(imds.Options{Endpoint: url, Retryer: aws.NopRetryer{}})
}

// credentialsOf are what an instance's SDK finds.
func (s testServer) credentialsOf(t *testing.T, id string) (aws.Credentials, error) {
	t.Helper()
	p := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = metadataClient(s.metadataURL(t, id)) })
	return p.Retrieve(t.Context())
}

func TestInstanceMetadata(t *testing.T) {
	s, id := launched(t, func(in *ec2.RunInstancesInput) {
		in.MetadataOptions.InstanceMetadataTags = types.InstanceMetadataTagsStateEnabled
		in.UserData = aws.String("IyEvYmluL3NoCg==")
	})
	c := metadataClient(s.metadataURL(t, id))
	for path, want := range map[string]string{
		"instance-id": id, "ami-id": "ami-1234", "instance-type": "t3.micro", "placement/region": "us-east-1", "placement/availability-zone": "us-east-1a",
		"local-hostname": "ip-10-0-0-4.ec2.internal", "local-ipv4": "10.0.0.4", "security-groups": myGroup, "tags/instance/Name": "share-client",
		"placement/": "availability-zone\nregion", "iam/security-credentials/": "client", "iam/": "info\nsecurity-credentials/",
	} {
		out := must(c.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: path}))(t)
		if got := must(io.ReadAll(out.Content))(t); string(got) != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	info := must(c.GetIAMInfo(t.Context(), nil))(t)
	if info.Code != "Success" || info.InstanceProfileArn != profile1 || !strings.HasPrefix(info.InstanceProfileID, "AIPA") {
		t.Errorf("%+v", info)
	}
	doc := must(c.GetInstanceIdentityDocument(t.Context(), nil))(t)
	if doc.InstanceID != id || doc.AccountID != consumer || doc.Region != "us-east-1" || doc.ImageID != "ami-1234" {
		t.Errorf("%+v", doc)
	}
	if r := must(c.GetRegion(t.Context(), nil))(t); r.Region != "us-east-1" {
		t.Errorf("region %s", r.Region)
	}
	data := must(c.GetUserData(t.Context(), nil))(t)
	if got := must(io.ReadAll(data.Content))(t); string(got) != "#!/bin/sh\n" {
		t.Errorf("user data %q", got)
	}
	if _, err := c.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "public-hostname"}); err == nil || statusOf(t, err) != 404 {
		t.Errorf("%v, want 404", err)
	}
}

// The instance's credentials are a session of the role, named by the instance.
func TestInstanceCredentials(t *testing.T) {
	s, id := launched(t)
	v, err := s.credentialsOf(t, id)
	if err != nil {
		t.Fatal(err)
	}
	who := must(s.sts(v.AccessKeyID, v.SecretAccessKey, v.SessionToken).GetCallerIdentity(t.Context(), nil))(t)
	if want := "arn:aws:sts::222222222222:assumed-role/client/" + id; *who.Arn != want {
		t.Errorf("%s, want %s", *who.Arn, want)
	}
	c := s.s3(v.AccessKeyID, v.SecretAccessKey, v.SessionToken)
	list := func(c *s3.Client) error {
		_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("shared")})
		return err
	}
	wantCode(t, list(c), "AccessDenied", "")
	if err := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", `{"AWS":"`+clientARN+`"}`, "s3:ListBucket", sharedARN)))(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := list(c); err != nil {
		t.Error(err)
	}
	again, err := s.credentialsOf(t, id)
	if err != nil || again.AccessKeyID != v.AccessKeyID {
		t.Errorf("other credentials at once: %v", err)
	}
	s.clock.advance(90 * time.Minute) // well before the end there are new ones
	if again, err = s.credentialsOf(t, id); err != nil || again.AccessKeyID == v.AccessKeyID {
		t.Errorf("the same credentials an hour and a half later: %v", err)
	}
	s.clock.advance(instanceSession)
	wantCode(t, list(c), "ExpiredToken", "")
}

func TestInstanceWithoutCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		profile string
		spoil   func(*testing.T, testServer, string)
		path    string
		want    string // empty: 404
	}{
		"no profile":    {"", nil, "iam/", ""},
		"trusts lambda": {"untrusting", nil, "iam/security-credentials/untrusting", `"Code": "AssumeRoleUnauthorizedAccess"`},
		"role taken out": {"client", func(t *testing.T, s testServer, _ string) {
			must(s.iam(consumer).RemoveRoleFromInstanceProfile(t.Context(), &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: aws.String("client"), RoleName: aws.String("client")}))(t)
		}, "iam/security-credentials/", ""},
		"profile deleted": {"client", func(t *testing.T, s testServer, _ string) {
			must(s.iam(consumer).RemoveRoleFromInstanceProfile(t.Context(), &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: aws.String("client"), RoleName: aws.String("client")}))(t)
			must(s.iam(consumer).DeleteInstanceProfile(t.Context(), &iam.DeleteInstanceProfileInput{InstanceProfileName: aws.String("client")}))(t)
		}, "iam/info", `"Code": "InstanceProfileNotFound"`},
		"taken off": {"client", func(t *testing.T, s testServer, _ string) {
			list := must(s.ec2(consumer).DescribeIamInstanceProfileAssociations(t.Context(), &ec2.DescribeIamInstanceProfileAssociationsInput{}))(t)
			must(s.ec2(consumer).DisassociateIamInstanceProfile(t.Context(), &ec2.DisassociateIamInstanceProfileInput{AssociationId: list.IamInstanceProfileAssociations[0].AssociationId}))(t)
		}, "iam/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, id := launched(t, func(in *ec2.RunInstancesInput) {
				if in.IamInstanceProfile.Name = &c.profile; c.profile == "" {
					in.IamInstanceProfile = nil
				}
			})
			if c.spoil != nil {
				c.spoil(t, s, id)
			}
			if v, err := s.credentialsOf(t, id); err == nil {
				t.Errorf("credentials %s", v.AccessKeyID)
			}
			out, err := metadataClient(s.metadataURL(t, id)).GetMetadata(t.Context(), &imds.GetMetadataInput{Path: c.path})
			if c.want == "" {
				if err == nil || statusOf(t, err) != 404 {
					t.Errorf("%v, want 404", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := must(io.ReadAll(out.Content))(t); !strings.Contains(string(got), c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// IMDSv2's tokens, typed by hand.
func TestMetadataTokens(t *testing.T) {
	s, id := launched(t)
	optional := *must(s.ec2(consumer).RunInstances(t.Context(), launching(func(in *ec2.RunInstancesInput) {
		in.MetadataOptions.HttpTokens = types.HttpTokensStateOptional
	})))(t).Instances[0].InstanceId
	off := *must(s.ec2(consumer).RunInstances(t.Context(), launching(func(in *ec2.RunInstancesInput) {
		in.MetadataOptions.HttpEndpoint = types.InstanceMetadataEndpointStateDisabled
	})))(t).Instances[0].InstanceId
	s.clock.advance(changeTime)
	ask := func(id, method, path string, header ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.metadataURL(t, id)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return s.send(t, r)
	}
	status, token := ask(id, http.MethodPut, "/latest/api/token", ttlHeader, "60")
	if status != 200 || len(token) != 56 {
		t.Fatalf("%d %s", status, token)
	}
	const path = "/latest/meta-data/instance-id"
	for name, c := range map[string]struct {
		id, method, path string
		header           []string
		want             int
	}{
		"with a token":        {id, http.MethodGet, path, []string{tokenHeader, token}, 200},
		"without":             {id, http.MethodGet, path, nil, 401},
		"without, IMDSv1":     {optional, http.MethodGet, path, nil, 200},
		"wrong token":         {id, http.MethodGet, path, []string{tokenHeader, "x"}, 401},
		"wrong token, IMDSv1": {optional, http.MethodGet, path, []string{tokenHeader, token}, 401},
		"no time to live":     {id, http.MethodPut, "/latest/api/token", nil, 400},
		"too long to live":    {id, http.MethodPut, "/latest/api/token", []string{ttlHeader, "21601"}, 400},
		"through a proxy":     {id, http.MethodPut, "/latest/api/token", []string{ttlHeader, "60", "X-Forwarded-For", "10.0.0.1"}, 403},
		"GET of a token":      {id, http.MethodGet, "/latest/api/token", nil, 405},
		"POST":                {id, http.MethodPost, path, []string{tokenHeader, token}, 405},
		"switched off":        {off, http.MethodGet, path, nil, 403},
		"no such path":        {optional, http.MethodGet, "/latest/meta-data/none", nil, 404},
		"the root":            {optional, http.MethodGet, "/", nil, 200},
	} {
		t.Run(name, func(t *testing.T) {
			if got, body := ask(c.id, c.method, c.path, c.header...); got != c.want {
				t.Errorf("%d, want %d: %s", got, c.want, body)
			}
		})
	}
	s.clock.advance(time.Minute)
	if got, _ := ask(id, http.MethodGet, path, tokenHeader, token); got != 401 {
		t.Errorf("an old token: %d", got)
	}
}

func TestMetadataOfInstancesThatDoNotRun(t *testing.T) {
	s, id := launched(t)
	url := s.metadataURL(t, id)
	if again := s.metadataURL(t, id); again != url {
		t.Errorf("two listeners: %s and %s", url, again)
	}
	pending := *must(s.ec2(consumer).RunInstances(t.Context(), launching()))(t).Instances[0].InstanceId
	must(s.ec2(consumer).TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))(t)
	for id, why := range map[string]string{pending: "pending", id: "shutting-down", "i-none": "no account has"} {
		if status, body := s.control(t, http.MethodGet, "instances/"+id, ""); status != 404 || !strings.Contains(body, why) {
			t.Errorf("%s: %d %s", id, status, body)
		}
	}
	if status, _ := s.control(t, http.MethodPost, "instances/"+id, ""); status != 405 {
		t.Errorf("POST: %d", status)
	}
	r := must(newGet(t, url+"/latest/meta-data/instance-id"))(t)
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_ = resp.Body.Close()
		t.Error("a terminated instance answers")
	}
}
