#!/bin/sh
# What `xshare apply` would do by a plan of repository acme-data, commit
# 0123456789abcdef0123456789abcdef01234567, as commands of the aws CLI.
#
# It does what was to be done when the plan was made, and lacks what apply does
# besides:
# - A bucket policy is put whole, with the statements of others as they were
#   then: what anybody has written since is lost. apply reads it anew, merges,
#   and reads it back.
# - That a resource is still ours, or still absent, is not checked; there is no
#   lock; and access is not computed again.
# - That a new bucket has what AWS gives every new one (no public access, no
#   ACLs, encryption) is not checked.
# - AWS may take some seconds to hear of a role or an instance profile
#   everywhere. apply tries again; this waits only where the aws CLI has a
#   command for it, and stops at errors such as "Invalid principal in policy".
#
# So run it soon, and once. It stops at the first error, and what it has done
# stays done: go on with a new plan then, not with this one.
#
set -eu
AWS_PAGER=
export AWS_PAGER

# The profile of the aws CLI for each account: name them in the environment.
# lake (111111111111), where apply has role xshare-deployer
: "${PROFILE_111111111111:?is to be the profile for account 111111111111}"
# analytics (222222222222), where apply has role xshare-deployer
: "${PROFILE_222222222222:?is to be the profile for account 222222222222}"

# use ACCOUNT PROFILE: what follows is done with that profile, if it is of that
# account.
use() {
	profile=$2
	account=$(aws --profile "$profile" sts get-caller-identity --region us-east-1 --query Account --output text)
	if [ "$account" != "$1" ]; then
		echo "profile $profile is of account $account, not $1" >&2
		exit 1
	fi
}

# -------------------- analytics (222222222222)
use 222222222222 "$PROFILE_222222222222"

# + managed policy mycrossaccounts3bucketpolicy
aws --profile "$profile" iam create-policy \
	--policy-name mycrossaccounts3bucketpolicy \
	--path / \
	--policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "xsharee95485aaa20d7c3cd858",
      "Effect": "Allow",
      "Action": [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject"
      ],
      "Resource": "arn:aws:s3:::mybucket2share/*"
    },
    {
      "Sid": "xsharee95485aaa2aa259a60dd",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads"
      ],
      "Resource": "arn:aws:s3:::mybucket2share"
    },
    {
      "Sid": "xsharee95485aaa2b036bc5054",
      "Effect": "Allow",
      "Action": "s3:GetBucketLocation",
      "Resource": "arn:aws:s3:::mybucket2share"
    }
  ]
}' \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]' \
	--region us-east-1
aws --profile "$profile" iam wait policy-exists \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--region us-east-1

# + role ec2role2accessmybucket2share
aws --profile "$profile" iam create-role \
	--role-name ec2role2accessmybucket2share \
	--path / \
	--assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}' \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]' \
	--region us-east-1
aws --profile "$profile" iam wait role-exists \
	--role-name ec2role2accessmybucket2share \
	--region us-east-1

# + instance profile ec2role2accessmybucket2share
aws --profile "$profile" iam create-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--path / \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]' \
	--region us-east-1
aws --profile "$profile" iam wait instance-profile-exists \
	--instance-profile-name ec2role2accessmybucket2share \
	--region us-east-1
aws --profile "$profile" iam add-role-to-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--role-name ec2role2accessmybucket2share \
	--region us-east-1

# + attachment of mycrossaccounts3bucketpolicy to ec2role2accessmybucket2share
aws --profile "$profile" iam attach-role-policy \
	--role-name ec2role2accessmybucket2share \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--region us-east-1

# + instance share-client
image=$(aws --profile "$profile" ec2 describe-images \
	--owners amazon \
	--filters '[{"Name":"name","Values":["al2023-ami-2023.*-x86_64"]},{"Name":"state","Values":["available"]}]' \
	--query 'sort_by(Images, &CreationDate)[-1].ImageId' \
	--output text \
	--region us-east-1)
if [ "$image" = None ]; then
	echo 'there is no image al2023-ami-2023.*-x86_64' >&2
	exit 1
fi
instance=$(aws --profile "$profile" ec2 run-instances \
	--count 1 \
	--image-id "$image" \
	--instance-type t3.micro \
	--subnet-id subnet-1234 \
	--security-group-ids sg-1234 \
	--key-name mykey \
	--iam-instance-profile '{"Arn":"arn:aws:iam::222222222222:instance-profile/ec2role2accessmybucket2share"}' \
	--metadata-options HttpTokens=required,HttpEndpoint=enabled \
	--tag-specifications '[{"ResourceType":"instance","Tags":[{"Key":"Name","Value":"share-client"},{"Key":"xshare:name","Value":"share-client"},{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]}]' \
	--query 'Instances[0].InstanceId' \
	--output text \
	--region us-east-1)
aws --profile "$profile" ec2 wait instance-exists \
	--instance-ids "$instance" \
	--region us-east-1
echo "launched $instance"

# -------------------- lake (111111111111)
use 111111111111 "$PROFILE_111111111111"

# + bucket mybucket2share
aws --profile "$profile" s3api create-bucket \
	--bucket mybucket2share \
	--region us-east-1
aws --profile "$profile" s3api wait bucket-exists \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--region us-east-1
aws --profile "$profile" s3api put-bucket-tagging \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--tagging '{"TagSet":[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]}' \
	--region us-east-1

# + bucket policy mybucket2share
aws --profile "$profile" s3api put-bucket-policy \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "xsharee95485aaa20d7c3cd858",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/ec2role2accessmybucket2share"
      },
      "Action": [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject"
      ],
      "Resource": "arn:aws:s3:::mybucket2share/*"
    },
    {
      "Sid": "xsharee95485aaa2aa259a60dd",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/ec2role2accessmybucket2share"
      },
      "Action": [
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads"
      ],
      "Resource": "arn:aws:s3:::mybucket2share"
    },
    {
      "Sid": "xsharee95485aaa2b036bc5054",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/ec2role2accessmybucket2share"
      },
      "Action": "s3:GetBucketLocation",
      "Resource": "arn:aws:s3:::mybucket2share"
    }
  ]
}' \
	--region us-east-1
