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
# error: xshare.yaml:10:5: account 333333333333 cannot be read: sts:AssumeRole
#        on xshare-deployer: AccessDenied: User is not authorized to perform:
#        sts:AssumeRole: let xshare-deployer trust you, or correct deployRole
# warning: shares/shares.yaml:8:20: role ec2role2accessmybucket2share exists and
#          carries no mark of ours: take it over with --adopt, or use another
#          name, or drop `create: true` to use it as it is
# not in here: role ec2role2accessmybucket2share is taken over only with
#              --adopt, in analytics (222222222222)
# not in here: role science cannot be read, in lab (333333333333)
# not in here: managed policy xshare.acme-data.science cannot be read, in lab
#              (333333333333)
# not in here: attachment of mycrossaccounts3bucketpolicy to
#              ec2role2accessmybucket2share (blocked: role
#              ec2role2accessmybucket2share is to be adopted first), in
#              analytics (222222222222)
# not in here: attachment of xshare.acme-data.science to science cannot be read,
#              in lab (333333333333)
# not in here: instance profile ec2role2accessmybucket2share (blocked: role
#              ec2role2accessmybucket2share is to be adopted first), in
#              analytics (222222222222)
# not in here: instance profile science cannot be read, in lab (333333333333)
# not in here: instance share-client (blocked: role ec2role2accessmybucket2share
#              is to be adopted first), in analytics (222222222222)
# not in here: instance profile of i-0fedcba9876543210 cannot be read, in lab
#              (333333333333)
# not in here: bucket policy mybucket2share (blocked: role
#              ec2role2accessmybucket2share in analytics is to be adopted first;
#              role science in lab cannot be read), in lake (111111111111)
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
	--tagging '{"TagSet":[{"Key":"xshare:repository","Value":"acme-data"}]}' \
	--region us-east-1
