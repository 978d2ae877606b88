package main

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// callBreakages are those of single calls and objects, which nobody can read
// beforehand: nothing names their cause, and explain says that it does not
// know.
var callBreakages = []breakage{
	{
		broken: "the caller's session was made with a session policy that leaves uploads out",
		before: func(g *gallery) {
			writeFiles(g.t, g.dir, map[string]string{
				"trust.json":        policyWith(trustOf("ec2.amazonaws.com"), `{"Effect":"Allow","Principal":{"AWS":"`+galleryConsumer+`"},"Action":"sts:AssumeRole"}`),
				"shares/share.yaml": g.replaced(galleryShare, "trust: ec2", "trustPolicy: trust.json, instanceProfile: true"),
			})
			g.applied()
			g.assumed("")
		},
		breaks: func(g *gallery) { g.assumed(policyWith(allow("s3:GetObject", "*"), allow("s3:ListBucket", "*"))) },
		answer: putDenied, unknown: "a session policy, if this session was made with one",
		asks: []string{
			"--principal", "arn:aws:sts::" + galleryConsumer + ":assumed-role/" + galleryRole + "/somebody",
			"--action", "s3:PutObject", "--resource", galleryBucketARN + "/copy.txt",
		},
		mend: "a session without it", says: "session policy",
		mends: func(g *gallery) { g.assumed("") },
	},
	{
		broken: "the bucket policy denies one session of the role, which is the instance's",
		breaks: func(g *gallery) {
			g.addToBucketPolicy(`{"Sid":"One","Effect":"Deny","Principal":{"AWS":"arn:aws:sts::` + galleryConsumer + `:assumed-role/` + galleryRole + `/` + g.instance() + `"},"Action":"s3:GetObject","Resource":"` + galleryBucketARN + `/*"}`)
		},
		answer: getDenied, seen: []string{"verify --probe", "verify --strict"}, unknown: "which denies a session of the role by its name",
		mend: "the statement is taken out", says: `statement "One" of the policy of bucket`,
		mends: func(g *gallery) { g.putBucketPolicy(g.edited(g.bucketPolicy(), fragment{Remove: g.statement("One")})) },
	},
	{
		broken: "the policy of the VPC endpoint does not have the bucket",
		before: func(g *gallery) { g.through("") },
		breaks: func(g *gallery) {
			g.through(policyWith(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}`))
		},
		answer: allDenied, seen: byProbe, unknown: "policies of VPC endpoints that calls may go through",
		mend: "it gets the bucket", says: "policies of VPC endpoints",
		mends: func(g *gallery) {
			g.through(policyWith(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["` + galleryBucketARN + `","` + galleryBucketARN + `/*"]}`))
		},
	},
	{
		broken: "who writes an object owns it (Object Ownership `ObjectWriter`), so that the bucket policy does not decide about it (the sandbox takes no such objects)",
		breaks: func(g *gallery) { g.owned(s3types.ObjectOwnershipObjectWriter) },
		answer: "PutObject: 501 NotImplemented", seen: []string{"verify --strict"},
		unknown: "its Object Ownership is ObjectWriter, so their ACLs decide",
		mend:    "the bucket's owner owns all", says: "set it to BucketOwnerEnforced",
		mends: func(g *gallery) { g.owned(s3types.ObjectOwnershipBucketOwnerEnforced) },
	},
}

func (g *gallery) owned(by s3types.ObjectOwnership) {
	g.t.Helper()
	g.must(g.s3(galleryOwner).PutBucketOwnershipControls(g.t.Context(), &s3.PutBucketOwnershipControlsInput{
		Bucket: aws.String(galleryBucket), OwnershipControls: &s3types.OwnershipControls{Rules: []s3types.OwnershipControlsRule{{ObjectOwnership: by}}},
	}))
}

// through sends the role's calls through a VPC endpoint with that policy;
// empty: with the default one.
func (g *gallery) through(policy string) {
	g.t.Helper()
	keys, err := g.roleCredentials()
	g.must(keys, err)
	text := `"` + keys.AccessKeyID + `": {"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1"}`
	if policy != "" {
		text += `, "vpce-1": ` + policy
	}
	g.control(http.MethodPut, "/_sandbox/context", "{"+text+"}")
}

// refusal is a misprint that AWS does not take, so that it breaks nothing.
type refusal struct {
	what   string
	call   string
	do     func(*gallery) error
	answer string
}

var refusals = []refusal{
	{"the article's account id `123456` in the bucket policy", "PutBucketPolicy", withRole("arn:aws:iam::123456:role/" + galleryRole), "400 MalformedPolicy"},
	{"a role in the bucket policy that does not exist, for a typo in its name", "PutBucketPolicy", withRole(galleryRoleARN + "s"), "400 MalformedPolicy"},
	{"a role in the bucket policy that does not exist, for a typo in the account's id", "PutBucketPolicy", withRole("arn:aws:iam::222222222223:role/" + galleryRole), "400 MalformedPolicy"},
	{"a role of another partition in the bucket policy", "PutBucketPolicy", withRole("arn:aws-cn:iam::" + galleryConsumer + ":role/" + galleryRole), "400 MalformedPolicy"},
	{"the id of a role that was deleted in the bucket policy", "PutBucketPolicy", withRole("AROADEADDEADDEADDEADX"), "400 MalformedPolicy"},
	{"`s3:` for `s3:*` in the bucket policy, as the article is printed", "PutBucketPolicy", func(g *gallery) error {
		return g.tryBucketPolicy(policyWith(g.naming(galleryBucketARN, "s3:")))
	}, "400 MalformedPolicy"},
	{"another bucket's ARN in the bucket policy", "PutBucketPolicy", func(g *gallery) error {
		return g.tryBucketPolicy(policyWith(g.naming(galleryBucketARN+"s", "s3:ListBucket")))
	}, "400 MalformedPolicy"},
	{"a public statement in the bucket policy, under Block Public Access", "PutBucketPolicy", func(g *gallery) error {
		return g.tryBucketPolicy(policyWith(publicStatement))
	}, "403 AccessDenied"},
	{"`s3:` for `s3:*` in the role's policy, as the article is printed", "CreatePolicyVersion", func(g *gallery) error {
		_, err := g.iam().CreatePolicyVersion(g.t.Context(), &iam.CreatePolicyVersionInput{
			PolicyArn: aws.String(galleryPolicyARN), SetAsDefault: true, PolicyDocument: aws.String(policyWith(allow("s3:", galleryBucketARN))),
		})
		return err
	}, "400 MalformedPolicyDocument"},
	{"an instance with a profile that nobody has created, as in the article", "RunInstances", func(g *gallery) error {
		_, err := g.ec2().RunInstances(g.t.Context(), &ec2.RunInstancesInput{
			ImageId: aws.String(g.image()), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: ec2types.InstanceTypeT3Micro,
			SubnetId: aws.String("subnet-1234"), SecurityGroupIds: []string{"sg-1234"}, KeyName: aws.String("mykey"),
			IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: aws.String("nobody")},
		})
		return err
	}, "400 InvalidParameterValue"},
}

// withRole puts a bucket policy that names somebody in the role's place.
func withRole(principal string) func(*gallery) error {
	return func(g *gallery) error {
		return g.tryBucketPolicy(g.replaced(g.bucketPolicy(), galleryRoleARN, principal))
	}
}

func (g *gallery) tryBucketPolicy(text string) error {
	_, err := g.s3(galleryOwner).PutBucketPolicy(g.t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(galleryBucket), Policy: &text})
	return err
}

func (g *gallery) image() string {
	g.t.Helper()
	out, err := g.ec2().DescribeInstances(g.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{g.instance()}})
	g.must(out, err)
	return *out.Reservations[0].Instances[0].ImageId
}

// refused tries what AWS does not take, after which all works as before.
func refused(t *testing.T, bases galleryBases) (rows []string) {
	g := bases.open(t, "")
	defer g.close()
	for _, r := range refusals {
		err := r.do(g)
		if err == nil {
			t.Fatalf("%s: it is taken", r.what)
		}
		if answer := answerOf(err); answer != r.answer {
			t.Errorf("%s: %q, not %q: %v", r.what, answer, r.answer, err)
		}
		rows = append(rows, "| "+r.what+" | `"+r.call+"` | "+r.answer+" |\n")
	}
	breakage{}.works(g, "after all")
	return rows
}
