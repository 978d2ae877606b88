package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// nobody is a sandbox with a role of the owner's that may do nothing, the
// session keys of it, and a bucket and an upload to be denied.
func nobody(t *testing.T) (s testServer, keys []string, upload string) {
	t.Helper()
	seed := fleet()
	seed.Roles = append(seed.Roles,
		SeedRole{Account: owner, Name: "nobody", Trust: trusting(`{"AWS":"111111111111"}`)},
		SeedRole{Account: consumer, Name: "nobody", Trust: trusting(`{"AWS":"222222222222"}`)})
	s = start(t, Options{Seed: seed})
	c := s.bucket(t, "shared")
	put(t, c, "shared", "k", "text")
	out := must(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("shared"), Key: aws.String("k")}))(t)
	return s, s.as(t, owner, "arn:aws:iam::111111111111:role/nobody"), *out.UploadId
}

// shape is the state without what a denied call may change: counters and sessions.
func (s testServer) shape(t *testing.T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(must(json.Marshal([]any{s.world.S3, s.world.EC2, s.world.Accounts}))(t))
}

// Every S3 operation that is served asks for its own action before it does
// anything, and its refusal says which.
func TestEveryS3OperationAsks(t *testing.T) {
	s, keys, upload := nobody(t)
	actions := map[string]string{
		"ListBuckets": "ListAllMyBuckets", "HeadBucket": "", "HeadObject": "", "CreateBucket": "CreateBucket",
		"GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
		"GetPublicAccessBlock": "GetBucketPublicAccessBlock", "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
		"DeleteBucketOwnershipControls": "PutBucketOwnershipControls", "DeleteBucketTagging": "PutBucketTagging",
		"GetBucketLifecycleConfiguration": "GetLifecycleConfiguration", "GetBucketCors": "GetBucketCORS", "GetBucketReplication": "GetReplicationConfiguration",
		"GetBucketAccelerateConfiguration": "GetAccelerateConfiguration", "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
		"GetBucketNotificationConfiguration": "GetBucketNotification", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
		"ListObjectVersions": "ListBucketVersions", "CopyObject": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
		"CompleteMultipartUpload": "PutObject", "ListParts": "ListMultipartUploadParts", "ListMultipartUploads": "ListBucketMultipartUploads",
	}
	bodies := map[string]string{"PutObjectTagging": "<Tagging><TagSet></TagSet></Tagging>"}
	before := s.shape(t)
	var ops []s3Operation
	for _, list := range [][]s3Operation{s3BucketOperations(), s3PolicyOperations(), s3ConfigOperations(), s3ObjectOperations(), s3ListOperations(), s3MultipartOperations()} {
		ops = append(ops, list...)
	}
	for _, op := range ops {
		if op.run == nil || op.name == "DeleteObjects" { // it answers for each key: TestDeleteObjects
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			path := []string{s3Service: "/", s3Bucket: "/shared", s3Object: "/shared/k"}[op.level]
			if op.name == "CreateBucket" {
				path = "/another"
			}
			method, query := op.method, op.sub
			switch op.sub {
			case "list-type":
				query = "list-type=2"
			case "uploadId":
				query = "uploadId=" + upload
			case "partNumber":
				query = "partNumber=1&uploadId=" + upload
			}
			if method == "copy" {
				method = http.MethodPut
			}
			r, err := http.NewRequestWithContext(t.Context(), method, s.url+path+"?"+query, strings.NewReader(bodies[op.name]))
			if err != nil {
				t.Fatal(err)
			}
			if op.name == "CopyObject" {
				r.Header.Set("X-Amz-Copy-Source", "shared/k")
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys[0]+"/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
			r.Header.Set("X-Amz-Security-Token", keys[2])
			action, known := actions[op.name]
			if !known {
				action = op.name
			}
			want := fmt.Sprintf("is not authorized to perform: s3:%s on resource", action)
			if action == "" { // HEAD
				want = ""
			}
			if status, body := s.send(t, r); status != http.StatusForbidden || !strings.Contains(body, want) {
				t.Errorf("%d %s, want %q", status, body, want)
			}
			lines := s.lines.entries(t)
			if last := lines[len(lines)-1]; last.Operation != op.name || last.Decision != "implicitDeny" {
				t.Errorf("journal %+v", last)
			}
		})
	}
	if after := s.shape(t); after != before {
		t.Errorf("denied calls changed the state from\n%s\nto\n%s", before, after)
	}
}

// The same for EC2.
func TestEveryEC2OperationAsks(t *testing.T) {
	s, _, _ := nobody(t)
	keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/nobody")
	const id = "i-0123456789abcdef0"
	parameters := map[string]string{
		"RunInstances":                         "ImageId=ami-1234&InstanceType=t3.micro&MinCount=1&MaxCount=1&SubnetId=subnet-1234",
		"StartInstances":                       "InstanceId.1=" + id,
		"StopInstances":                        "InstanceId.1=" + id,
		"TerminateInstances":                   "InstanceId.1=" + id,
		"AssociateIamInstanceProfile":          "InstanceId=" + id + "&IamInstanceProfile.Name=client",
		"ReplaceIamInstanceProfileAssociation": "AssociationId=iip-assoc-0&IamInstanceProfile.Name=client",
		"DisassociateIamInstanceProfile":       "AssociationId=iip-assoc-0",
		"CreateTags":                           "ResourceId.1=" + id + "&Tag.1.Key=a&Tag.1.Value=1",
		"DeleteTags":                           "ResourceId.1=" + id + "&Tag.1.Key=a",
		"CreateVpc":                            "CidrBlock=10.3.0.0/16",
		"DeleteSubnet":                         "SubnetId=subnet-1234",
		"DeleteSecurityGroup":                  "GroupId=sg-1234",
		"CreateKeyPair":                        "KeyName=new",
		"ImportKeyPair":                        "KeyName=new&PublicKeyMaterial=c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUd0cmEydHJhMnRyYTJ0cmEydHJhMnRyYTJ0cmEydHJhMnRyYTJ0cmEydHIgbWU%3D",
		"DeleteKeyPair":                        "KeyName=mykey",
	}
	before := s.shape(t)
	for _, ops := range []ec2Operations{instanceOperations(), imageOperations(), networkOperations(), keyOperations(), associationOperations(), tagOperations()} {
		for name := range ops {
			t.Run(name, func(t *testing.T) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/", strings.NewReader("Action="+name+"&Version=2016-11-15&"+parameters[name]))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys[0]+"/20261124/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
				r.Header.Set("X-Amz-Security-Token", keys[2])
				want := "<Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. User: arn:aws:sts::222222222222:assumed-role/nobody/"
				status, body := s.send(t, r)
				if status != http.StatusForbidden || !strings.Contains(body, want) || !strings.Contains(body, "to perform: ec2:"+name+" on resource") {
					t.Errorf("%d %s", status, body)
				}
			})
		}
	}
	if after := s.shape(t); after != before {
		t.Errorf("denied calls changed the state from\n%s\nto\n%s", before, after)
	}
}
