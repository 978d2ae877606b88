package sandbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// statement is one statement of a bucket policy on the bucket "shared".
func statement(effect, principal, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":%q,"Resource":%q}`, effect, principal, action, resource)
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	sharedARN  = "arn:aws:s3:::shared"
	readerARN  = "arn:aws:iam::222222222222:role/team/reader"
	readerJSON = `{"AWS":"` + readerARN + `"}`
)

func putPolicy(c *s3.Client, bucket, text string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &text})
		return err
	}
}

// sharing is a sandbox with the owner's bucket "shared" and the consumer's role
// "reader", which may do what identity says and trusts its administrator.
func sharing(t *testing.T, o Options, identity string) testServer {
	t.Helper()
	o.Seed.Buckets = append(o.Seed.Buckets, SeedBucket{owner, "shared", "us-east-1"})
	r := SeedRole{Account: consumer, Name: "reader", Path: "/team/", Trust: trusting(`{"AWS":"222222222222"}`)}
	if identity != "" {
		r.Inline = map[string]string{"access": identity}
	}
	o.Seed.Roles = append(o.Seed.Roles, r)
	return start(t, o)
}

// reader is a client with a session of the role "reader".
func (s testServer) reader(t *testing.T) *s3.Client {
	t.Helper()
	keys := s.as(t, consumer, readerARN)
	return s.s3(keys[0], keys[1:]...)
}

func TestBucketPolicyIsKept(t *testing.T) {
	s := sharing(t, Options{}, "")
	c, ctx, name := s.s3(owner), t.Context(), aws.String("shared")
	text := "{ \"Version\":\"2012-10-17\",\n\"Statement\": " + statement("Allow", readerJSON, "s3:GetObject", sharedARN+"/*") + "}"
	if err := putPolicy(c, "shared", text)(ctx); err != nil {
		t.Fatal(err)
	}
	if got := *must(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name}))(t).Policy; got != text {
		t.Errorf("policy %s, want what was put", got)
	}
	status := must(c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name}))(t)
	if *status.PolicyStatus.IsPublic {
		t.Error("the policy counts as public")
	}
	for range 2 { // the second time there is none
		if _, err := c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	wantCode(t, err, "NoSuchBucketPolicy", "")
}

func TestBucketPolicyIsRefused(t *testing.T) {
	s := sharing(t, Options{}, "")
	on := sharedARN + "/*"
	bad := map[string]struct{ text, part string }{
		"not JSON":                    {"hello", "first byte must be '{'"},
		"cut off":                     {`{"Version":"2012-10-17"`, "Invalid policy syntax"},
		"no principal":                {policyOf(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + on + `"}`), "Missing required field Principal"},
		"no such role":                {policyOf(statement("Allow", `{"AWS":"arn:aws:iam::222222222222:role/none"}`, "s3:GetObject", on)), "Invalid principal in policy"},
		"path left out":               {policyOf(statement("Allow", `{"AWS":"arn:aws:iam::222222222222:role/reader"}`, "s3:GetObject", on)), "Invalid principal in policy"},
		"account too short":           {policyOf(statement("Allow", `{"AWS":"arn:aws:iam::123456:role/reader"}`, "s3:GetObject", on)), "Invalid principal in policy"},
		"dead id":                     {policyOf(statement("Allow", `{"AWS":"AROAAAAAAAAAAAAAAAAAA"}`, "s3:GetObject", on)), "Invalid principal in policy"},
		"no such user":                {policyOf(statement("Allow", `{"AWS":"arn:aws:iam::222222222222:user/none"}`, "s3:GetObject", on)), "Invalid principal in policy"},
		"another bucket":              {policyOf(statement("Allow", readerJSON, "s3:GetObject", "arn:aws:s3:::other/*")), "Policy has invalid resource"},
		"all buckets":                 {policyOf(statement("Allow", readerJSON, "s3:GetObject", "*")), "Policy has invalid resource"},
		"half an action":              {policyOf(statement("Allow", readerJSON, "s3:", on)), "Policy has invalid action"},
		"other service":               {policyOf(statement("Allow", readerJSON, "iam:GetRole", on)), "Policy has invalid action"},
		"object action, bucket only":  {policyOf(statement("Allow", readerJSON, "s3:GetObject", sharedARN)), "Action does not apply"},
		"bucket action, objects only": {policyOf(statement("Allow", readerJSON, "s3:ListBucket", on)), "Action does not apply"},
		"too large":                   {policyOf(statement("Allow", readerJSON, "s3:GetObject", on+strings.Repeat("x", 20480))), "maximum allowed document size"},
	}
	cases := map[string]refused{}
	for name, c := range bad {
		cases[name] = refused{putPolicy(s.s3(owner), "shared", c.text), "MalformedPolicy", c.part, 400}
	}
	cases["public"] = refused{putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", `"*"`, "s3:GetObject", on))), "AccessDenied", "BlockPublicPolicy", 403}
	cases["no such bucket"] = refused{putPolicy(s.s3(owner), "nothere", policyOf(statement("Allow", readerJSON, "s3:GetObject", on))), "NoSuchBucket", "", 404}
	checkRefused(t, cases)
	for name, text := range map[string]string{
		"account id":       policyOf(statement("Allow", `{"AWS":"333333333333"}`, "s3:GetObject", on)),
		"root":             policyOf(statement("Allow", `{"AWS":"arn:aws:iam::333333333333:root"}`, "s3:GetObject", on)),
		"service":          policyOf(statement("Allow", `{"Service":"logging.s3.amazonaws.com"}`, "s3:PutObject", on)),
		"wildcard":         policyOf(statement("Allow", readerJSON, "s3:*", sharedARN)),
		"public deny":      policyOf(statement("Deny", `"*"`, "s3:GetObject", on)),
		"almost too large": policyOf(statement("Allow", readerJSON, "s3:GetObject", on+strings.Repeat("x", 20000))),
	} {
		if err := putPolicy(s.s3(owner), "shared", text)(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A deleted role turns into its id; a role of the same name is another one.
func TestBucketPolicyOfDeletedRole(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	c, ctx, name := s.s3(owner), t.Context(), aws.String("shared")
	text := policyOf(statement("Allow", readerJSON, "s3:ListBucket", sharedARN))
	if err := putPolicy(c, "shared", text)(ctx); err != nil {
		t.Fatal(err)
	}
	list := func() error {
		_, err := s.reader(t).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name})
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	admin := s.iam(consumer)
	if _, err := admin.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("access")}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("reader")}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("reader"), Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trusting(`{"AWS":"222222222222"}`))}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("access"), PolicyDocument: aws.String(allowing("s3:*", "*"))}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, list(), "AccessDenied", "")
	dead := *must(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name}))(t).Policy
	if !strings.Contains(dead, `"AROA`) || strings.Contains(dead, readerARN) {
		t.Fatalf("policy %s, want the role's id", dead)
	}
	wantCode(t, putPolicy(c, "shared", dead)(ctx), "MalformedPolicy", "Invalid principal in policy")
	if err := putPolicy(c, "shared", text)(ctx); err != nil { // one put mends it
		t.Fatal(err)
	}
	if err := list(); err != nil {
		t.Error(err)
	}
}

func TestBucketPolicyOfNewRole(t *testing.T) {
	s := start(t, Options{Propagation: Propagation{Role: Window{For: 10 * time.Second, Attempts: 2}}, Seed: Seed{Buckets: []SeedBucket{{owner, "shared", "us-east-1"}}}})
	ctx := t.Context()
	if _, err := s.iam(consumer).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("reader"), Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trusting(`{"Service":"ec2.amazonaws.com"}`))}); err != nil {
		t.Fatal(err)
	}
	put := putPolicy(s.s3(owner), "shared", policyOf(statement("Allow", readerJSON, "s3:ListBucket", sharedARN)))
	wantCode(t, put(ctx), "MalformedPolicy", "Invalid principal in policy")
	s.clock.advance(10 * time.Second)
	wantCode(t, put(ctx), "MalformedPolicy", "Invalid principal in policy")
	if err := put(ctx); err != nil {
		t.Fatal(err)
	}
}

// SEMANTICS: the policy is its own account's, whatever it says.
func TestBucketPolicyFromAnotherAccount(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	ctx, name := t.Context(), aws.String("shared")
	get := func() error {
		_, err := s.reader(t).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
		return err
	}
	wantCode(t, get(), "AccessDenied", "")
	text := policyOf(statement("Allow", readerJSON, "s3:*BucketPolicy", sharedARN))
	if err := putPolicy(s.s3(owner), "shared", text)(ctx); err != nil {
		t.Fatal(err)
	}
	_, del := s.reader(t).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: name})
	for what, err := range map[string]error{"get": get(), "put": putPolicy(s.reader(t), "shared", text)(ctx), "delete": del} {
		t.Run(what, func(t *testing.T) {
			wantCode(t, err, "MethodNotAllowed", "not allowed against this resource")
			if got := statusOf(t, err); got != 405 {
				t.Errorf("status %d", got)
			}
		})
	}
	if _, err := s.s3(owner).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name}); err != nil {
		t.Errorf("after another account's delete: %v", err)
	}
}

// A public statement shuts out other accounts that are named as well.
func TestRestrictPublicBuckets(t *testing.T) {
	s := sharing(t, Options{}, allowing("s3:*", "*"))
	c, ctx, name := s.s3(owner), t.Context(), aws.String("shared")
	set := func(block types.PublicAccessBlockConfiguration) {
		t.Helper()
		if _, err := c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &block}); err != nil {
			t.Fatal(err)
		}
	}
	set(types.PublicAccessBlockConfiguration{})
	both := policyOf(statement("Allow", readerJSON, "s3:ListBucket", sharedARN), statement("Allow", `"*"`, "s3:GetObject", sharedARN+"/*"))
	if err := putPolicy(c, "shared", both)(ctx); err != nil {
		t.Fatal(err)
	}
	status := must(c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name}))(t)
	if !*status.PolicyStatus.IsPublic {
		t.Error("the policy does not count as public")
	}
	list := func() error {
		_, err := s.reader(t).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name})
		return err
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}
	set(types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)})
	wantCode(t, list(), "AccessDenied", "")
	if _, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name}); err != nil {
		t.Errorf("the owner: %v", err)
	}
}
