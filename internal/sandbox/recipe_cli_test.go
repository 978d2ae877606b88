package sandbox

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// shell types commands as a person would in a shell, in an account or on an
// instance.
type shell struct {
	t    *testing.T
	s    testServer
	home string
}

func newShell(t *testing.T, s testServer) shell {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") == "1" {
			t.Fatal("the aws CLI is not on PATH, and XSHARE_REQUIRE_MOTO=1 asks for it")
		}
		t.Skip("the aws CLI is not on PATH")
	}
	return shell{t, s, t.TempDir()}
}

// run runs a command with an account's keys, or, where who is the URL of a
// metadata service, without keys on that instance. It gives both outputs.
func (h shell) run(who, command string) (string, error) {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "sh", "-euc", command)
	c.Dir = h.home
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.home, "AWS_CONFIG_FILE=" + filepath.Join(h.home, "none"), "AWS_ENDPOINT_URL=" + h.s.url,
		"AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=us-east-1", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_METADATA_SERVICE_NUM_ATTEMPTS=1",
	}
	if strings.HasPrefix(who, "http://") {
		c.Env = append(c.Env, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+who)
	} else {
		c.Env = append(c.Env, "AWS_ACCESS_KEY_ID="+who, "AWS_SECRET_ACCESS_KEY=any")
	}
	out, err := c.CombinedOutput()
	return string(bytes.TrimSpace(out)), err
}

func (h shell) ok(who, command string) string {
	h.t.Helper()
	out, err := h.run(who, command)
	if err != nil {
		h.t.Fatalf("%s\n%s\n%v", command, out, err)
	}
	return out
}

func (h shell) fails(who, command, want string) {
	h.t.Helper()
	out, err := h.run(who, command)
	if err == nil || !strings.Contains(out, want) {
		h.t.Errorf("%s\n%s\n%v, want a failure that says %q", command, out, err, want)
	}
}

const (
	cliBucket = "mybucket2share"
	cliRole   = "ec2role2accessmybucket2share"
	ec2Trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// The recipe's two commands that most of its failures come to light in.
const (
	cliLaunch = `aws ec2 run-instances --image-id $(aws ec2 describe-images --owners amazon --include-deprecated --filters 'Name=name,Values=amzn2-ami-hvm-2.0.*-x86_64-gp2' --query 'Images[*].[ImageId, CreationDate]' --output text | sort -k2 -r | head -n1 | awk '{print $1}') ` +
		`--count 1 --instance-type t3.micro --key-name mykey --security-group-ids sg-1234 --subnet-id subnet-1234 --iam-instance-profile Name=` + cliRole + ` --query 'Instances[0].InstanceId' --output text`
	cliBoth   = `["arn:aws:s3:::` + cliBucket + `","arn:aws:s3:::` + cliBucket + `/*"]`
	cliPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumer + `:role/` + cliRole + `"},"Action":["s3:*"],"Resource":` + cliBoth + `}]}`
	cliPut    = "aws s3api put-bucket-policy --bucket " + cliBucket + " --policy '" + cliPolicy + "'"
)

// DESIGN section 1: the recipe by hand, corrected where it does not run.
func TestRecipe(t *testing.T) {
	t.Parallel() // the CLI is slow to start
	h := newShell(t, start(t, Options{Seed: fleet()}))
	h.ok(owner, "aws s3 mb s3://"+cliBucket)
	h.ok(consumer, "aws iam create-role --role-name "+cliRole+" --assume-role-policy-document '"+ec2Trust+"'")
	h.ok(consumer, `aws iam create-policy --policy-name mycrossaccounts3bucketpolicy --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":`+cliBoth+`}]}'`)
	h.ok(consumer, `AWS_ACCOUNT_ID=$(aws sts get-caller-identity --query Account --output text)
		aws iam attach-role-policy --policy-arn arn:aws:iam::${AWS_ACCOUNT_ID}:policy/mycrossaccounts3bucketpolicy --role-name `+cliRole)
	h.ok(consumer, "aws iam create-instance-profile --instance-profile-name "+cliRole)
	h.ok(consumer, "aws iam add-role-to-instance-profile --instance-profile-name "+cliRole+" --role-name "+cliRole)
	id := h.ok(consumer, cliLaunch)
	h.ok(owner, cliPut)
	h.s.clock.advance(changeTime)
	instance := h.s.metadataURL(t, id) // and from here on, on the instance
	h.ok(instance, "echo 'test' > mytestfile.txt")
	h.ok(instance, "aws s3 cp mytestfile.txt s3://"+cliBucket+"/")
	if out := h.ok(instance, "aws s3 ls s3://"+cliBucket+"/"); !strings.HasSuffix(out, " 5 mytestfile.txt") {
		t.Errorf("list: %s", out)
	}
	if out := h.ok(owner, "aws s3 cp s3://"+cliBucket+"/mytestfile.txt -"); out != "test" {
		t.Errorf("the owner reads %q", out)
	}
}

// More of what people type: large files, copies, other regions, removal.
func TestS3ByCLI(t *testing.T) {
	t.Parallel() // the CLI is slow to start
	s := start(t, Options{})
	h := newShell(t, s)
	s.bucket(t, cliBucket)
	h.ok(owner, "head -c 9000000 /dev/zero > big && aws s3 cp big s3://"+cliBucket+"/dir/big && aws s3 cp s3://"+cliBucket+"/dir/big back && cmp big back")
	h.ok(owner, "echo test > file && aws s3 cp file 's3://"+cliBucket+"/dir/a file' && aws s3 sync s3://"+cliBucket+"/dir there && cmp 'there/a file' file")
	h.ok(owner, "aws s3api create-bucket --bucket in-ireland --region eu-west-1 --create-bucket-configuration LocationConstraint=eu-west-1")
	h.ok(owner, "aws s3api put-object --bucket in-ireland --key k --body file") // the CLI follows the redirect
	h.fails(owner, "aws s3 rb s3://"+cliBucket, "BucketNotEmpty")
	h.ok(owner, "aws s3 rb --force s3://"+cliBucket)
	h.fails(owner, "aws s3 ls s3://"+cliBucket+"/", "NoSuchBucket")
}

// recipe is what is there before the failing commands are typed.
type recipe struct {
	trust    string // whom the role trusts
	actions  string // of the role's own policy
	profile  bool   // on the instance
	resource string // of the bucket policy; empty: no bucket policy
}

// onInstance makes a recipe and gives the metadata service of its instance.
func onInstance(t *testing.T, r recipe) (shell, string) {
	t.Helper()
	seed := fleet()
	seed.Buckets = []SeedBucket{{owner, cliBucket, "us-east-1"}}
	seed.Roles = append(seed.Roles, SeedRole{Account: consumer, Name: cliRole, Trust: trusting(`{"Service":"` + r.trust + `"}`), Inline: map[string]string{"s3": allowing(r.actions, "*")}})
	seed.Profiles = append(seed.Profiles, SeedProfile{Account: consumer, Name: cliRole, Role: cliRole})
	h := newShell(t, start(t, Options{Seed: seed}))
	out := must(h.s.ec2(consumer).RunInstances(t.Context(), launching(func(in *ec2.RunInstancesInput) {
		if in.IamInstanceProfile.Name = aws.String(cliRole); !r.profile {
			in.IamInstanceProfile = nil
		}
	})))(t)
	if r.resource != "" {
		if err := putPolicy(h.s.s3(owner), cliBucket, strings.Replace(cliPolicy, cliBoth, r.resource, 1))(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	put(t, h.s.s3(owner), cliBucket, "have", "text")
	h.s.clock.advance(changeTime)
	return h, h.s.metadataURL(t, *out.Instances[0].InstanceId)
}

// The five causes of DESIGN section 1, each giving what AWS gives.
func TestCausesOfFailure(t *testing.T) {
	const (
		ec2Service = "ec2.amazonaws.com"
		copies     = "echo test > mytestfile.txt && aws s3 cp mytestfile.txt s3://" + cliBucket + "/"
		lists      = "aws s3 ls s3://" + cliBucket + "/"
		principal  = "(MalformedPolicy) when calling the PutBucketPolicy operation: Invalid principal in policy"
	)
	for name, run := range map[string]func(*testing.T){
		"1 the bucket policy lacks the role": func(t *testing.T) {
			h, instance := onInstance(t, recipe{ec2Service, "s3:*", true, ""})
			h.fails(instance, copies, "AccessDenied")
			h.fails(instance, lists, "AccessDenied")
		},
		"1 a typo in account or name": func(t *testing.T) {
			h, _ := onInstance(t, recipe{ec2Service, "s3:*", true, ""})
			h.fails(owner, strings.Replace(cliPut, consumer, "123456", 1), principal)
			h.fails(owner, strings.Replace(cliPut, cliRole, cliRole+"s", 1), principal)
		},
		"2 no instance profile": func(t *testing.T) {
			h := newShell(t, start(t, Options{Seed: fleet()}))
			h.fails(consumer, cliLaunch, "(InvalidParameterValue) when calling the RunInstances operation: Value ("+cliRole+") for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
		},
		"2 the profile is not attached": func(t *testing.T) {
			h, instance := onInstance(t, recipe{ec2Service, "s3:*", false, cliBoth})
			h.fails(instance, copies, "Unable to locate credentials")
		},
		"3 only the bucket's ARN": func(t *testing.T) {
			h, instance := onInstance(t, recipe{ec2Service, "s3:*", true, `"arn:aws:s3:::` + cliBucket + `"`})
			h.ok(instance, lists)
			h.fails(instance, "aws s3 cp s3://"+cliBucket+"/have got", "403") // of HeadObject, which has no body
			h.fails(instance, copies, "AccessDenied")
		},
		"4 the role does not trust EC2": func(t *testing.T) {
			h, instance := onInstance(t, recipe{"lambda.amazonaws.com", "s3:*", true, cliBoth})
			h.fails(instance, copies, "Unable to locate credentials")
		},
		"5 the identity policy says less": func(t *testing.T) {
			h, instance := onInstance(t, recipe{ec2Service, "s3:ListBucket", true, cliBoth})
			h.ok(instance, lists)
			h.fails(instance, copies, "AccessDenied")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the CLI is slow to start
			run(t)
		})
	}
}
