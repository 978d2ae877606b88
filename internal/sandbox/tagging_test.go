package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func (s testServer) tagging(region, key string, secretToken ...string) *tagging.Client {
	c := s.config(key, secretToken...)
	c.Region = region
	return tagging.NewFromConfig(c)
}

// startTagged has in the owner's account one tagged thing of each kind, some
// in another region, untagged ones, and a role; all with mark=ours but one.
func startTagged(t *testing.T) testServer {
	t.Helper()
	ctx := t.Context()
	s := start(t, Options{Seed: Seed{Instances: []SeedInstance{{Account: owner, Region: "eu-west-1", ID: "i-0123456789abcdef0"}}}})
	marks := func(v string) []iamtypes.Tag { return []iamtypes.Tag{{Key: str("mark"), Value: &v}} }
	c := s.iam(owner)
	role := createRoleInput("r")
	role.Tags = marks("ours")
	must(c.CreateRole(ctx, role))(t)
	must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str("p"), Path: str("/team/"), PolicyDocument: str(allowAll), Tags: marks("ours")}))(t)
	must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str("other"), PolicyDocument: str(allowAll), Tags: marks("theirs")}))(t)
	must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str("untagged"), PolicyDocument: str(allowAll)}))(t)
	must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: str("ip"), Tags: marks("ours")}))(t)
	for name, region := range map[string]string{"ours-here": "us-east-1", "ours-there": "eu-west-1"} {
		in := &s3.CreateBucketInput{Bucket: str(name), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{Tags: []s3types.Tag{{Key: str("mark"), Value: str("ours")}, {Key: str("kind"), Value: str("bucket")}}}}
		if region != "us-east-1" {
			in.CreateBucketConfiguration.LocationConstraint = s3types.BucketLocationConstraint(region)
		}
		must(s.s3In(region, owner).CreateBucket(ctx, in))(t)
	}
	in := s.config(owner)
	in.Region = "eu-west-1"
	must(ec2.NewFromConfig(in).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{"i-0123456789abcdef0"}, Tags: []ec2types.Tag{{Key: str("mark"), Value: str("ours")}}}))(t)
	return s
}

func arnsOf(list []taggingtypes.ResourceTagMapping) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, *r.ResourceARN)
	}
	return out
}

func TestGetResources(t *testing.T) {
	s := startTagged(t)
	const (
		bucket, far = "arn:aws:s3:::ours-here", "arn:aws:s3:::ours-there"
		policy      = "arn:aws:iam::111111111111:policy/team/p"
		other       = "arn:aws:iam::111111111111:policy/other"
		profile     = "arn:aws:iam::111111111111:instance-profile/ip"
		instance    = "arn:aws:ec2:eu-west-1:111111111111:instance/i-0123456789abcdef0"
	)
	filter := func(key string, values ...string) taggingtypes.TagFilter {
		return taggingtypes.TagFilter{Key: &key, Values: values}
	}
	type filters = []taggingtypes.TagFilter
	cases := map[string]struct {
		region, account string
		types           []string
		tags            filters
		want            []string
	}{
		"all, but no roles":         {want: []string{profile, other, policy, bucket}},
		"one value":                 {tags: filters{filter("mark", "ours")}, want: []string{profile, policy, bucket}},
		"any of two values":         {tags: filters{filter("mark", "ours", "theirs")}, want: []string{profile, other, policy, bucket}},
		"any value":                 {tags: filters{filter("kind")}, want: []string{bucket}},
		"two keys":                  {tags: filters{filter("mark", "ours"), filter("kind", "bucket")}, want: []string{bucket}},
		"keys are case-sensitive":   {tags: filters{filter("Mark")}, want: []string{}},
		"values are case-sensitive": {tags: filters{filter("mark", "Ours")}, want: []string{}},
		"a service":                 {types: []string{"iam"}, want: []string{profile, other, policy}},
		"a type":                    {types: []string{"iam:policy"}, want: []string{other, policy}},
		"two types":                 {types: []string{"iam:instance-profile", "s3"}, want: []string{profile, bucket}},
		"s3:bucket":                 {types: []string{"s3:bucket"}, want: []string{bucket}},
		"roles are not known to it": {types: []string{"iam:role"}, want: []string{}},
		"another region":            {region: "eu-west-1", tags: filters{filter("mark")}, want: []string{instance, far}},
		"instances there":           {region: "eu-west-1", types: []string{"ec2:instance"}, want: []string{instance}},
		"IAM is in us-east-1 only":  {region: "eu-west-1", types: []string{"iam"}, want: []string{}},
		"another account":           {account: consumer, want: []string{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			region, account := "us-east-1", owner
			if c.region != "" {
				region = c.region
			}
			if c.account != "" {
				account = c.account
			}
			out := must(s.tagging(region, account).GetResources(t.Context(), &tagging.GetResourcesInput{ResourceTypeFilters: c.types, TagFilters: c.tags}))(t)
			if got := arnsOf(out.ResourceTagMappingList); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if out.PaginationToken == nil || *out.PaginationToken != "" {
				t.Errorf("the token is %v, want one that is there and empty", out.PaginationToken)
			}
		})
	}
	out := must(s.tagging("us-east-1", owner).GetResources(t.Context(), &tagging.GetResourcesInput{ResourceTypeFilters: []string{"s3"}}))(t)
	if tags := out.ResourceTagMappingList[0].Tags; len(tags) != 2 || *tags[0].Key != "mark" || *tags[0].Value != "ours" {
		t.Errorf("tags %v", tags)
	}
}

func TestGetResourcesPages(t *testing.T) {
	s := startTagged(t)
	c := s.tagging("us-east-1", owner)
	var got []string
	pages := 0
	for p := tagging.NewGetResourcesPaginator(c, &tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(2)}); p.HasMorePages(); pages++ {
		got = append(got, arnsOf(must(p.NextPage(t.Context()))(t).ResourceTagMappingList)...)
	}
	want := arnsOf(must(c.GetResources(t.Context(), nil))(t).ResourceTagMappingList)
	if pages != 2 || !slices.Equal(got, want) {
		t.Errorf("%q in %d pages, want %q in 2", got, pages, want)
	}

	token := must(c.GetResources(t.Context(), &tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(1)}))(t).PaginationToken
	_, err := c.GetResources(t.Context(), &tagging.GetResourcesInput{PaginationToken: token, ResourceTypeFilters: []string{"s3"}})
	wantCode(t, err, "InvalidParameterException", "not valid for this request")
	_, err = c.GetResources(t.Context(), &tagging.GetResourcesInput{PaginationToken: str("rubbish")})
	wantCode(t, err, "InvalidParameterException", "not valid for this request")
	s.clock.advance(tokenLife)
	must(c.GetResources(t.Context(), &tagging.GetResourcesInput{PaginationToken: token}))(t)
	s.clock.advance(time.Second)
	_, err = c.GetResources(t.Context(), &tagging.GetResourcesInput{PaginationToken: token})
	wantCode(t, err, "PaginationTokenExpiredException", "15 minutes")
}

// What is terminated stays in the list for as long as it is described.
func TestGetResourcesOfTerminatedInstances(t *testing.T) {
	s := startTagged(t)
	c := s.config(owner)
	c.Region = "eu-west-1"
	must(ec2.NewFromConfig(c).TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}}))(t)
	in := &tagging.GetResourcesInput{ResourceTypeFilters: []string{"ec2:instance"}}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {gravestone, 1}, {time.Second, 0}} {
		s.clock.advance(step.after)
		if got := must(s.tagging("eu-west-1", owner).GetResources(t.Context(), in))(t).ResourceTagMappingList; len(got) != step.want {
			t.Errorf("after %s %d instances, want %d", step.after, len(got), step.want)
		}
	}
}

func TestGetResourcesRefuses(t *testing.T) {
	s := startTagged(t)
	c := s.tagging("us-east-1", owner)
	many := make([]taggingtypes.TagFilter, 51)
	for i := range many {
		many[i].Key = str("k")
	}
	cases := map[string]struct {
		in         tagging.GetResourcesInput
		code, part string
	}{
		"no page":         {tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(0)}, "InvalidParameterException", "between 1 and 100"},
		"too large pages": {tagging.GetResourcesInput{ResourcesPerPage: aws.Int32(101)}, "InvalidParameterException", "between 1 and 100"},
		"too many keys":   {tagging.GetResourcesInput{TagFilters: many}, "InvalidParameterException", "50"},
		"too many values": {tagging.GetResourcesInput{TagFilters: []taggingtypes.TagFilter{{Key: str("k"), Values: slices.Repeat([]string{"v"}, 21)}}}, "InvalidParameterException", "20"},
		"no key":          {tagging.GetResourcesInput{TagFilters: []taggingtypes.TagFilter{{Values: []string{"v"}}}}, "InvalidParameterException", "key"},
		"unknown type":    {tagging.GetResourcesInput{ResourceTypeFilters: []string{"lambda:function"}}, "NotImplemented", "lambda:function"},
		"unknown member":  {tagging.GetResourcesInput{IncludeComplianceDetails: aws.Bool(true)}, "NotImplemented", "the parameter IncludeComplianceDetails of GetResources in tagging"},
		"list of ARNs":    {tagging.GetResourcesInput{ResourceARNList: []string{"arn:aws:s3:::ours-here"}}, "NotImplemented", "ResourceARNList"},
	}
	for name, c2 := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := c.GetResources(t.Context(), &c2.in)
			wantCode(t, err, c2.code, c2.part)
		})
	}
	_, err := c.GetTagKeys(t.Context(), nil)
	wantCode(t, err, "NotImplemented", "the operation ResourceGroupsTaggingAPI_20170126.GetTagKeys of tagging")
}

// The body and the credentials, as no SDK sends them.
func TestTaggingOnTheWire(t *testing.T) {
	s := start(t, Options{})
	const auth = "AWS4-HMAC-SHA256 Credential=111111111111/20261124/us-east-1/tagging/aws4_request, SignedHeaders=host, Signature=0"
	cases := map[string]struct {
		auth, target, body string
		status             int
		want               string
	}{
		"an empty object":   {auth, taggingTarget + "GetResources", "{}", 200, `{"PaginationToken":"","ResourceTagMappingList":[]}`},
		"no body":           {auth, taggingTarget + "GetResources", "", 400, "SerializationException"},
		"a list":            {auth, taggingTarget + "GetResources", "[]", 400, "SerializationException"},
		"two objects":       {auth, taggingTarget + "GetResources", "{}{}", 400, "SerializationException"},
		"a wrong type":      {auth, taggingTarget + "GetResources", `{"ResourcesPerPage":"1"}`, 400, "SerializationException"},
		"no operation":      {auth, "", "{}", 501, "NotImplemented"},
		"unsigned":          {"", taggingTarget + "GetResources", "{}", 400, "MissingAuthenticationTokenException"},
		"unsigned, unknown": {"", "DynamoDB_20120810.ListTables", "{}", 501, "ListTables"},
		"an unknown key":    {strings.Replace(auth, owner, "AKIAUNKNOWN", 1), taggingTarget + "GetResources", "{}", 400, "UnrecognizedClientException"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			r.Header.Set("X-Amz-Target", c.target)
			if c.auth != "" {
				r.Header.Set("Authorization", c.auth)
			}
			if status, body := s.send(t, r); status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s, want %d with %s", status, body, c.status, c.want)
			}
		})
	}
}

func TestGetResourcesIsAuthorized(t *testing.T) {
	for name, allowed := range map[string]bool{"tag:GetResources": true, "s3:*": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Seed: Seed{Roles: []SeedRole{{
				Account: owner, Name: "r", Trust: trusting(`{"AWS":"` + owner + `"}`), Inline: map[string]string{"p": allowing(name, "*")},
			}}}})
			out := must(s.sts(owner).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: str(ownerRole + "r"), RoleSessionName: str("me")}))(t).Credentials
			_, err := s.tagging("us-east-1", *out.AccessKeyId, *out.SecretAccessKey, *out.SessionToken).GetResources(t.Context(), nil)
			entries := s.lines.entries(t)
			last := entries[len(entries)-1]
			if last.Service != "tagging" || last.Operation != "GetResources" || last.Account != owner || (last.Decision == "allowed") != allowed {
				t.Errorf("journal %+v", last)
			}
			if allowed {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantCode(t, err, "AccessDeniedException", "is not authorized to perform: tag:GetResources because no identity-based policy allows the tag:GetResources action")
		})
	}
}

func TestTaggingByCLI(t *testing.T) {
	t.Parallel()
	s := startTagged(t)
	run := awsCLI(t, s)
	out, errs, exit := run([]string{owner}, "resourcegroupstaggingapi", "get-resources", "--tag-filters", "Key=mark,Values=ours", "--resource-type-filters", "s3", "iam:policy",
		"--page-size", "1", "--query", "ResourceTagMappingList[].ResourceARN", "--output", "text")
	if exit != 0 || strings.Join(strings.Fields(out), " ") != "arn:aws:iam::111111111111:policy/team/p arn:aws:s3:::ours-here" {
		t.Errorf("exit %d: %s%s", exit, out, errs)
	}
}
